//go:build !amd64

package simd

// Without kernels the tier is always portable, and these are never called.

func addRows(dst, w []float32, stride int, rows []int32) { panic("simd") }
func sumLists(dst []float32, dstStride, n int, w []float32, stride int, rows []int32, lists int) {
	panic("simd")
}
func scaledRows(dst, x []float32, stride int, rows []int32, scale []float32) { panic("simd") }
func lif(LIFParams, []float32, []float32, []float32, []float32, []float32, []int32, int) int {
	panic("simd")
}
func lifTicks(LIFParams, []float32, int, int, []float32, []float32, []float32, []float32, []uint32) {
	panic("simd")
}
func pick(x []uint32, mask uint32, first int, index []int32, value []uint32) int {
	panic("simd")
}
func adam(p AdamParams, c1, c2 float32, w, m, s, g []float32)               { panic("simd") }
func axpy(y []float32, a float32, x []float32)                              { panic("simd") }
func mul(c []float32, ldc int, a []float32, lda int, b []float32, k, m int) { panic("simd") }
