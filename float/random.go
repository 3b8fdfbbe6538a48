package float

import (
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// Every use of chance has its own stream, so that adding one does not move
// another, and so that a resumed run can regenerate what it needs from
// (seed, stream, index) alone.
const (
	streamWeights = iota + 1
	streamFeedback
	streamShuffle
	streamMembrane
	streamInit // spare streams start here
)

// newStream returns the generator of one stream at one index (a layer, an
// epoch, a sample).
func newStream(seed uint64, stream, index uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed, stream<<56^index))
}

// orthogonal returns a random [in][out] matrix whose shorter side's vectors
// are orthonormal, times scale: the QR factor of a Gaussian matrix, with the
// signs of R's diagonal removed so that the distribution is uniform.
func orthogonal(in, out int, scale float64, rng *rand.Rand) []float32 {
	tall, wide := max(in, out), min(in, out)
	g := mat.NewDense(tall, wide, nil)
	for i := range tall {
		for j := range wide {
			g.Set(i, j, rng.NormFloat64())
		}
	}
	var qr mat.QR
	qr.Factorize(g)
	var q, r mat.Dense
	qr.QTo(&q)
	qr.RTo(&r)
	w := make([]float32, in*out)
	for i := range in {
		for j := range out {
			a, b := i, j
			if in < out {
				a, b = j, i
			}
			v := q.At(a, b) * scale
			if r.At(b, b) < 0 {
				v = -v
			}
			w[i*out+j] = float32(v)
		}
	}
	return w
}
