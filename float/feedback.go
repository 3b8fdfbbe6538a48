package float

import (
	"math"

	"glsnn/float/simd"
)

// Feedback is the fixed random way down of eq. 6 for one hidden layer:
// S - target = B e + b. B is [outputs][units] row-major, drawn uniformly from
// +-scale x sqrt(3/outputs), so that a unit error of every output moves a unit
// by scale in the root mean square; then each unit's mean over the outputs is
// taken away. An error common to all outputs, which every sample has while the
// read-out is still near zero, would otherwise drive each unit one way for good
// and out of its window. b is uniform in +-bias.
type Feedback struct {
	B []float32
	b []float32
}

// newFeedback draws one Feedback a hidden layer except the penultimate, which
// eq. 5 serves through the transposed forward weights.
func newFeedback(c Config, tc TrainConfig) []Feedback {
	out := c.Sizes[len(c.Sizes)-1]
	f := make([]Feedback, max(0, c.Layers()-2))
	for l := range f {
		rng := newStream(tc.Seed, streamFeedback, uint64(l))
		units := c.Sizes[l+1]
		f[l].B, f[l].b = make([]float32, out*units), make([]float32, units)
		amp := tc.FeedbackScale * math.Sqrt(3/float64(out))
		for i := range f[l].B {
			f[l].B[i] = float32((2*rng.Float64() - 1) * amp)
		}
		for j := range units {
			var mean float32
			for k := range out {
				mean += f[l].B[k*units+j]
			}
			mean /= float32(out)
			for k := range out {
				f[l].B[k*units+j] -= mean
			}
		}
		for i := range f[l].b {
			f[l].b[i] = float32((2*rng.Float64() - 1) * tc.FeedbackBias)
		}
	}
	return f
}

// apply writes G(e) = B e + b to dst.
func (f Feedback) apply(dst, e []float32) {
	copy(dst, f.b)
	for k, ek := range e {
		simd.Axpy(dst, ek, f.B[k*len(dst):(k+1)*len(dst)])
	}
}

// penultimate writes rate x W e to dst, W being the output weights
// [units][outputs]: eq. 5.
func penultimate(dst, w, e []float32, rate float32) {
	for j := range dst {
		var sum float32
		for k, wk := range w[j*len(e) : (j+1)*len(e)] {
			sum += float32(wk * e[k])
		}
		dst[j] = rate * sum
	}
}
