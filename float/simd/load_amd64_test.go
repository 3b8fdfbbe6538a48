package simd

import "glsnn/fixedpoint/tier"

// loadRows is the ceiling of AddRows: the widest tier's loads alone.
func loadRows(n int, w []float32, stride int, rows []int32) {
	all := tier.All()
	switch all[len(all)-1] {
	case tier.AVX512:
		loadRowsAVX512(n, &w[0], stride, &rows[0], len(rows))
	case tier.AVX2:
		loadRowsAVX2(n, &w[0], stride, &rows[0], len(rows))
	}
}
