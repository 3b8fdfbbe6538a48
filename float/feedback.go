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
//
// With TrainConfig.FeedbackStart B is not drawn by itself: it is the product of the
// weights above the layer that the seed starts from, which are random too, with the
// mean taken away and then scaled likewise. So feedback and forward weights agree at
// first, and B stays as it is while they change.
type Feedback struct {
	B []float32
	b []float32
}

// newFeedback draws one Feedback for each of the lowest layers hidden layers.
func newFeedback(c Config, tc TrainConfig, layers int) []Feedback {
	f := make([]Feedback, max(0, layers))
	var start [][]float32
	if tc.FeedbackStart {
		start = startingPaths(c, tc)
	}
	for l := range f {
		f[l] = drawFeedback(newStream(tc.Seed, streamFeedback, uint64(l)), c.Sizes[len(c.Sizes)-1], c.Sizes[l+1], tc)
		if start != nil {
			copy(f[l].B, start[l])
			centre(f[l].B, c.Sizes[l+1])
			scaleTo(f[l].B, c.Sizes[l+1], tc.FeedbackScale)
		}
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
	centre(f.B, units)
	for i := range f.b {
		f.b[i] = float32((2*rng.Float64() - 1) * tc.FeedbackBias)
	}
	return f
}

// startingPaths are, for each hidden layer, the products of the starting weights of
// the layers above it, [outputs][units].
func startingPaths(c Config, tc TrainConfig) [][]float32 {
	n := c.Layers()
	out := c.Sizes[n]
	paths := make([][]float32, n-1)
	for l := n - 2; l >= 0; l-- {
		units, mid := c.Sizes[l+1], c.Sizes[l+2]
		w := startingWeights(c, l+1, tc.Seed, tc.Gain)
		paths[l] = make([]float32, out*units)
		for k := range out {
			for j := range units {
				if l == n-2 {
					paths[l][k*units+j] = w[j*mid+k]
					continue
				}
				var sum float32
				for m, x := range w[j*mid : (j+1)*mid] {
					sum += float32(x * paths[l+1][k*mid+m])
				}
				paths[l][k*units+j] = sum
			}
		}
	}
	return paths
}

// centre takes each unit's mean over the outputs away.
func centre(b []float32, units int) {
	out := len(b) / units
	for j := range units {
		var mean float32
		for k := range out {
			mean += b[k*units+j]
		}
		mean /= float32(out)
		for k := range out {
			b[k*units+j] -= mean
		}
	}
}

// scaleTo scales B so that a unit error of every output moves a unit by scale in the
// root mean square.
func scaleTo(b []float32, units int, by float64) {
	squares := 0.0
	for _, x := range b {
		squares += float64(x) * float64(x) // the product is exact
	}
	if squares > 0 {
		scale(b, float32(by*math.Sqrt(float64(units)/squares)))
	}
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
