package float

import (
	"math"

	"gonum.org/v1/gonum/blas/gonum"
)

// The hot loops of training. Each is a plain function over float32 slices whose
// doc comment is its naive loop, so that a faster one can stand in its place.
// None of them depends on how work is split over workers: every output element
// is summed in a fixed order.

var blas gonum.Implementation

// addRows adds the rows of w that active names to dst:
//
//	for _, i := range active { for j := range dst { dst[j] += w[i*len(dst)+j] } }
func addRows(dst, w []float32, active []int32) {
	n := len(dst)
	for _, i := range active {
		blas.Saxpy(n, 1, w[int(i)*n:], 1, dst, 1)
	}
}

// axpy adds a*x to y:
//
//	for j := range y { y[j] += a * x[j] }
func axpy(y []float32, a float32, x []float32) { blas.Saxpy(len(y), a, x, 1, y, 1) }

// lifParams are a layer's constants in float: keepU = 1 - d_u/DecayOne, keepV
// likewise.
type lifParams struct {
	keepU, keepV float32
	subtract     bool
}

// lifStep is one tick of a firing layer, tick steps 4 to 7 (see doc.go):
//
//	u = keepU*u + q;  v = keepV*v + u;  drive += u
//	if v > Threshold { fired gains j; v = 0 or v - Threshold }
//
// fired is appended to and returned. q is cleared.
func lifStep(p lifParams, q, u, v, drive []float32, fired []int32) []int32 {
	u, v, drive = u[:len(q)], v[:len(q)], drive[:len(q)]
	for j, in := range q {
		uj := float32(p.keepU*u[j]) + in
		vj := float32(p.keepV*v[j]) + uj
		u[j] = uj
		drive[j] += uj
		if vj > Threshold {
			fired = append(fired, int32(j))
			if p.subtract {
				vj -= Threshold
			} else {
				vj = 0
			}
		}
		v[j] = vj
		q[j] = 0
	}
	return fired
}

// integrateStep is lifStep for a read-out that never fires.
func integrateStep(p lifParams, q, u, v []float32) {
	u, v = u[:len(q)], v[:len(q)]
	for j, in := range q {
		u[j] = float32(p.keepU*u[j]) + in
		v[j] = float32(p.keepV*v[j]) + u[j]
		q[j] = 0
	}
}

// adamStep moves w against the gradient g:
//
//	m = b1*m + (1-b1)*g;  s = b2*s + (1-b2)*g*g;  w -= rate*m/(sqrt(s)+eps)
//
// with the bias corrections folded into rate and eps by the caller (Kingma and
// Ba 2015, section 2, last paragraph).
func adamStep(w, m, s, g []float32, rate, b1, b2, eps float32) {
	m, s, g = m[:len(w)], s[:len(w)], g[:len(w)]
	c1, c2 := 1-b1, 1-b2
	for i, gi := range g {
		mi := float32(b1*m[i]) + float32(c1*gi)
		si := float32(b2*s[i]) + float32(c2*float32(gi*gi))
		m[i], s[i] = mi, si
		w[i] -= float32(rate*mi) / (float32(math.Sqrt(float64(si))) + eps)
	}
}
