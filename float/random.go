package float

import (
	"math/rand/v2"

	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack/lapack64"
)

// Every use of chance has its own stream, so that adding one does not move
// another, and so that a resumed run can regenerate what it needs from
// (seed, stream, index) alone.
const (
	streamWeights = iota + 1
	streamFeedback
	streamShuffle
	streamMembrane
	streamSigns
	streamAugment
	streamRule
	streamPixels
	streamNeurons
	streamFields
)

// newStream returns the generator of one stream at one index (a layer, an
// epoch, a sample).
func newStream(seed uint64, stream, index uint64) *rand.Rand {
	return rand.New(newSource(seed, stream, index))
}

func newSource(seed, stream, index uint64) *rand.PCG { return rand.NewPCG(seed, stream<<56^index) }

// uniform is rand.Rand's Float32 without the calls in between.
func uniform(p *rand.PCG) float32 { return float32(int32(p.Uint64()>>32&(1<<24-1))) / (1 << 24) }

// orthogonal returns a random [in][out] matrix whose shorter side's vectors
// are orthonormal, times scale: the thin QR factor of a Gaussian matrix, with
// the signs of R's diagonal removed so that the distribution is uniform.
func orthogonal(in, out int, scale float64, rng *rand.Rand) []float32 {
	tall, wide := max(in, out), min(in, out)
	q := blas64.General{Rows: tall, Cols: wide, Stride: wide, Data: make([]float64, tall*wide)}
	for i := range q.Data {
		q.Data[i] = rng.NormFloat64()
	}
	tau := make([]float64, wide)
	work := make([]float64, 1)
	lapack64.Geqrf(q, tau, work, -1)
	work = make([]float64, max(wide, int(work[0])))
	lapack64.Geqrf(q, tau, work, len(work))
	negative := make([]bool, wide)
	for k := range wide {
		negative[k] = q.Data[k*wide+k] < 0
	}
	lapack64.Orgqr(q, tau, work, len(work))
	w := make([]float32, in*out)
	for i := range tall {
		for k := range wide {
			v := q.Data[i*wide+k] * scale
			if negative[k] {
				v = -v
			}
			if in >= out {
				w[i*out+k] = float32(v)
			} else {
				w[k*out+i] = float32(v)
			}
		}
	}
	return w
}
