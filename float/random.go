package float

import (
	"math/bits"
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
	return rand.New(rand.NewPCG(seed, stream<<56^index))
}

// pcg is rand.PCG.
type pcg struct{ hi, lo uint64 }

// newPCG is newStream's.
func newPCG(seed, stream, index uint64) pcg { return pcg{seed, stream<<56 ^ index} }

// fill writes p's next numbers as rand.Rand's Float32 gives them, each times width
// and less below, without a call for each.
func (p *pcg) fill(v []float32, width, below float32) {
	const (
		mulHi, mulLo = 2549297995355413924, 4865540595714422341
		incHi, incLo = 6364136223846793005, 1442695040888963407
		cheap        = 0xda942042e4dd58b5
	)
	hi, lo := p.hi, p.lo
	for i := range v {
		a, b := bits.Mul64(lo, mulLo)
		a += hi*mulLo + lo*mulHi
		var carry uint64
		lo, carry = bits.Add64(b, incLo, 0)
		hi, _ = bits.Add64(a, incHi, carry)
		x := hi
		x ^= x >> 32
		x *= cheap
		x ^= x >> 48
		x *= lo | 1
		v[i] = float32(float32(int32(x>>32&(1<<24-1)))/(1<<24)*width) - below
	}
	p.hi, p.lo = hi, lo
}

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
