package float

import (
	"math"
	"math/rand/v2"

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

// newFeedback draws one Feedback for each of the lowest layers hidden layers.
func newFeedback(c Config, tc TrainConfig, layers int) []Feedback {
	f := make([]Feedback, max(0, layers))
	for l := range f {
		f[l] = drawFeedback(newStream(tc.Seed, streamFeedback, uint64(l)), c.Sizes[len(c.Sizes)-1], c.Sizes[l+1], tc)
	}
	return f
}

// drawFeedback draws a Feedback from out units to units units.
func drawFeedback(rng *rand.Rand, out, units int, tc TrainConfig) Feedback {
	f := Feedback{B: make([]float32, out*units), b: make([]float32, units)}
	amp := tc.FeedbackScale * math.Sqrt(3/float64(out))
	for i := range f.B {
		f.B[i] = float32((2*rng.Float64() - 1) * amp)
	}
	for j := range units {
		var mean float32
		for k := range out {
			mean += f.B[k*units+j]
		}
		mean /= float32(out)
		for k := range out {
			f.B[k*units+j] -= mean
		}
	}
	for i := range f.b {
		f.b[i] = float32((2*rng.Float64() - 1) * tc.FeedbackBias)
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
	n, j := len(e), 0
	for ; j+4 <= len(dst); j += 4 { // four at a time: an add waits for the one before
		var s0, s1, s2, s3 float32
		w0, w1, w2, w3 := w[j*n:][:n], w[(j+1)*n:][:n], w[(j+2)*n:][:n], w[(j+3)*n:][:n]
		for k, ek := range e {
			s0 += float32(w0[k] * ek)
			s1 += float32(w1[k] * ek)
			s2 += float32(w2[k] * ek)
			s3 += float32(w3[k] * ek)
		}
		dst[j], dst[j+1], dst[j+2], dst[j+3] = rate*s0, rate*s1, rate*s2, rate*s3
	}
	for ; j < len(dst); j++ {
		var sum float32
		for k, ek := range e {
			sum += float32(w[j*n+k] * ek)
		}
		dst[j] = rate * sum
	}
}

// globalFeedback is the rule of [zhao2020]: eq. 5 for the hidden layer below the
// output, eq. 6 for every other.
type globalFeedback struct {
	still
	net      *Network
	feedback []Feedback
	rate     float32
}

func (r *globalFeedback) hidden(_ *State, b *sampleBuffers, l int) {
	if last := r.net.Layers() - 1; l == last-1 {
		penultimate(b.change[l], r.net.Weights[last], b.err, r.rate)
	} else {
		r.feedback[l].apply(b.change[l], b.err)
	}
}
