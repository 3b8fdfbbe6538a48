package simd

import "glsnn/fixedpoint/tier"

// Load is the limit of Sum in the active tier: it reads the rows that Sum would
// add and does nothing else. It says whether there is such a loop.
func (r *Rows) Load(rows []int32) bool {
	if len(rows) == 0 || r.half {
		return false
	}
	r.check(r.stride, rows)
	switch tier.Active() {
	case tier.AVX512:
		loadRowsAVX512(r.stride, &r.w[0], &rows[0], len(rows))
	case tier.AVX2:
		loadRowsAVX2(r.stride, &r.w[0], &rows[0], len(rows))
	default:
		return false
	}
	return true
}
