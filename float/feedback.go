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
// Skewed, B is drawn from an exponential distribution of the same spread before
// that: few entries are large and positive, the others small and negative after
// it. A unit is called on by classes whose entries are positive (e of the class is
// negative where it lacks), so it comes to fire for few of them.
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
	spread := tc.FeedbackScale * math.Sqrt(1/float64(out))
	amp := tc.FeedbackScale * math.Sqrt(3/float64(out))
	for i := range f.B {
		if u := rng.Float64(); tc.FeedbackSkewed {
			f.B[i] = float32(-math.Log(1-u) * spread)
		} else {
			f.B[i] = float32((2*u - 1) * amp)
		}
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

// outputFeedback is eq. 5: the output weights read backwards.
type outputFeedback struct {
	net  *Network
	rate float32
	rows []int32   // the outputs
	w    []float32 // the output weights as [outputs][units]
}

func newOutputFeedback(n *Network, tc TrainConfig) outputFeedback {
	r := outputFeedback{net: n, rate: float32(tc.TargetRate), w: make([]float32, len(n.Weights[n.Layers()-1]))}
	for k := range n.Sizes[n.Layers()] {
		r.rows = append(r.rows, int32(k))
	}
	return r
}

func (r *outputFeedback) prepare() {
	last := r.net.Layers() - 1
	transpose(r.w, r.net.Weights[last], r.net.Sizes[last], r.net.Sizes[last+1])
}

// apply writes rate x W e to dst.
func (r *outputFeedback) apply(dst, e []float32) {
	simd.ScaledRows(dst, r.w, len(dst), r.rows, e)
	scale(dst, r.rate)
}

// globalFeedback is the rule of [zhao2020]: eq. 5 for the hidden layer below the
// output, eq. 6 for every other.
type globalFeedback struct {
	feedback []Feedback
	output   outputFeedback
}

func (r *globalFeedback) prepare()            { r.output.prepare() }
func (r *globalFeedback) learned() []*plastic { return nil }

func (r *globalFeedback) hidden(_ *State, b *sampleBuffers, l int) {
	if l == r.output.net.Layers()-2 {
		r.output.apply(b.change[l], b.err)
	} else {
		r.feedback[l].apply(b.change[l], b.err)
	}
}
