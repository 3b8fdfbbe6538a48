package learn

import (
	"fmt"

	"glsnn/fixedpoint"
)

// Feedback is B of one hidden layer, [outputs][neurons] row-major; empty where
// the layer takes its errors from the output's own weights.
type Feedback []int32

// Registers of kind Rule.Random that draw the tables a network starts with have
// states of their own, so that none depends on how long another is.
const (
	streamUpdates  = iota // the random register of doc.go
	streamWeights         // Fresh
	streamFeedback        // NewFeedback
)

// NewRandom is the random register at the start of stream n of rule r.
func (r *Rule) newRandom(n uint64) *fixedpoint.Random {
	return fixedpoint.NewRandom(r.Random, r.Random.Seed(r.Seed+n<<32))
}

// uniform draws a whole number of −most..most, each as likely, in draws of bits
// bits that are repeated until one is in range.
func uniform(r *fixedpoint.Random, most int64) int32 {
	bits := uint(1)
	for int64(1)<<bits < 2*most+1 {
		bits++
	}
	for {
		if x := int64(r.Draw(bits)); x <= 2*most {
			return int32(x - most)
		}
	}
}

// NewFeedback draws B for the layers of m, one entry a layer: first the whole
// table of a layer, outputs then neurons, each entry uniform in ±(2^(Bits−1) − 1);
// then each neuron's mean over the outputs is taken away, rounded half up, and
// what leaves the format is clipped to it. An error that all outputs share would
// otherwise drive a neuron one way for good (see package float).
func (r *Rule) NewFeedback(m *fixedpoint.Model) []Feedback {
	rnd := r.newRandom(streamFeedback)
	most := int64(1)<<(r.Feedback.Bits-1) - 1
	tables := make([]Feedback, len(m.Layers))
	outputs := int64(m.Outputs())
	for l := range tables {
		if !r.randomFeedback(l, len(tables)) {
			continue
		}
		n := m.Layers[l].Out
		b := make(Feedback, int(outputs)*n)
		for i := range b {
			b[i] = uniform(rnd, most)
		}
		for i := range n {
			var sum int64
			for k := range int(outputs) {
				sum += int64(b[k*n+i])
			}
			mean := floorDiv(2*sum+outputs, 2*outputs)
			for k := range int(outputs) {
				b[k*n+i] = int32(min(max(int64(b[k*n+i])-mean, -most), most))
			}
		}
		tables[l] = b
	}
	return tables
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

// Fresh is m with starting weights drawn for r in place of its own: layers
// ascending, axons, then neurons, each uniform in ±amplitude[l].
func (r *Rule) Fresh(m *fixedpoint.Model, amplitude []int64) (*fixedpoint.Model, error) {
	rnd := r.newRandom(streamWeights)
	out := *m
	out.Layers = append([]fixedpoint.Layer(nil), m.Layers...)
	for l := range out.Layers {
		k := &out.Layers[l]
		lo, hi := m.Arithmetic.Weight.Range(k.WeightBits)
		if a := amplitude[l]; a < 1 || a > hi || -a < lo {
			return nil, fmt.Errorf("layer %d: amplitude of the starting weights: got %d, want 1..%d", l, a, min(hi, -lo))
		}
		w := make([]int16, k.In*k.Out)
		for i := range w {
			w[i] = int16(uniform(rnd, amplitude[l]))
		}
		k.Weights = fixedpoint.NewMatrix(k.In, k.Out, w)
	}
	return fixedpoint.NewModel(out)
}
