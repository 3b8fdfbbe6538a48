package simd

import "glsnn/fixedpoint/tier"

// LoadRows is the limit of AddRows in the active tier: it reads the rows' whole
// vectors and does nothing else. It says whether there is such a loop.
func LoadRows(n int, w []float32, stride int, rows []int32) bool {
	if n == 0 || len(rows) == 0 {
		return false
	}
	checkRows(n, len(w), stride, rows)
	switch tier.Active() {
	case tier.AVX512:
		loadRowsAVX512(n, &w[0], stride, &rows[0], len(rows))
	case tier.AVX2:
		loadRowsAVX2(n, &w[0], stride, &rows[0], len(rows))
	default:
		return false
	}
	return true
}

// FMAs does at least n fused multiply-adds in the active tier, on registers and
// as many at once as the processor can, and returns how many: the limit of
// Packed.Mul. It is 0 where there is no such loop.
func FMAs(n int) int {
	f, each := fmasAVX512, 12*16
	switch tier.Active() {
	case tier.Portable:
		return 0
	case tier.AVX2:
		f, each = fmasAVX2, 12*8
	}
	times := (n + each - 1) / each
	if times > 0 {
		f(times)
	}
	return times * each
}
