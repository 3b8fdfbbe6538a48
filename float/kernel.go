package float

import "glsnn/float/simd"

// The hot loops of training are package simd's. None of them depends on how
// work is split over workers: every output element is summed in a fixed order.

// lifParams are a layer's constants in float: keepU = 1 - d_u/DecayOne, keepV
// likewise.
type lifParams = simd.LIFParams

// addFloored adds the columns of rows of w from lo on to v, one row after
// another, and stops at 0 after each; drive takes them as they are:
//
//	v = max(v + w, 0);  drive += w
//
// What follows, simd.LIF or integrateStep with q = 0, then only tests.
func addFloored(v, drive []float32, w matrix, lo int, rows []int32) {
	for _, i := range rows {
		row := w.data[int(i)*w.stride+lo:][:len(v)]
		for j, x := range row {
			v[j] = max(v[j]+x, 0)
			drive[j] += x
		}
	}
}

// integrateStep is simd.LIF for a read-out that never fires.
func integrateStep(p lifParams, q, u, v []float32) {
	u, v = u[:len(q)], v[:len(q)]
	for j, in := range q {
		u[j] = float32(p.KeepU*u[j]) + in
		v[j] = float32(p.KeepV*v[j]) + u[j]
		q[j] = 0
	}
}
