package float

import "glsnn/float/simd"

// The hot loops of training are package simd's. None of them depends on how
// work is split over workers: every output element is summed in a fixed order.

// lifParams are a layer's constants in float: keepU = 1 - d_u/DecayOne, keepV
// likewise.
type lifParams = simd.LIFParams

// integrateStep is simd.LIF for a read-out that never fires.
func integrateStep(p lifParams, q, u, v []float32) {
	u, v = u[:len(q)], v[:len(q)]
	for j, in := range q {
		u[j] = float32(p.KeepU*u[j]) + in
		v[j] = float32(p.KeepV*v[j]) + u[j]
		q[j] = 0
	}
}
