package simd

// loadRows is the ceiling of AddRows: the widest tier's loads alone.
func loadRows(n int, w []float32, stride int, rows []int32) {
	switch best {
	case AVX512:
		loadRowsAVX512(n, &w[0], stride, &rows[0], len(rows))
	case AVX2:
		loadRowsAVX2(n, &w[0], stride, &rows[0], len(rows))
	}
}
