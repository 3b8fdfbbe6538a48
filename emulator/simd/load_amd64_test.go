package simd

import "glsnn/fixedpoint/tier"

// loadRows is the ceiling of Sum: the widest tier's loads alone.
func loadRows(r *Rows, rows []int32) {
	all := tier.All()
	switch all[len(all)-1] {
	case tier.AVX512:
		loadRowsAVX512(r.stride, &r.w[0], &rows[0], len(rows))
	case tier.AVX2:
		loadRowsAVX2(r.stride, &r.w[0], &rows[0], len(rows))
	}
}
