package learn

import (
	"fmt"
	"slices"

	"glsnn/fixedpoint"
)

// State is what a chip that learns holds from one sample to the next.
type State struct {
	Weights   [][]int32 // stored, of each layer [In][Out] row-major
	Residuals [][]int32 // of each layer [Out]; 0 unless Round is carry
	Random    uint32    // the random register
	Samples   uint64    // m
}

// Start is the state of a network at the start: its weights with low bits of 0.
func (r *Rule) Start(m *fixedpoint.Model) State {
	s := State{Random: r.newRandom(streamUpdates).State()}
	for _, l := range m.Layers {
		w := make([]int32, 0, l.In*l.Out)
		for _, x := range l.Weights.Values() {
			w = append(w, int32(x)<<r.Low)
		}
		s.Weights = append(s.Weights, w)
		s.Residuals = append(s.Residuals, make([]int32, l.Out))
	}
	return s
}

// Clone shares nothing with s.
func (s State) Clone() State {
	s.Weights, s.Residuals = slices.Clone(s.Weights), slices.Clone(s.Residuals)
	for l := range s.Weights {
		s.Weights[l], s.Residuals[l] = slices.Clone(s.Weights[l]), slices.Clone(s.Residuals[l])
	}
	return s
}

// Check says whether s is a state of network m under r.
func (r *Rule) Check(s State, m *fixedpoint.Model) error {
	if len(s.Weights) != len(m.Layers) || len(s.Residuals) != len(m.Layers) {
		return fmt.Errorf("state: got %d and %d layers, want %d", len(s.Weights), len(s.Residuals), len(m.Layers))
	}
	for l, k := range m.Layers {
		if len(s.Weights[l]) != k.In*k.Out || len(s.Residuals[l]) != k.Out {
			return fmt.Errorf("state: layer %d: got %d weights and %d residuals, want %d and %d", l, len(s.Weights[l]), len(s.Residuals[l]), k.In*k.Out, k.Out)
		}
		lo, hi := r.Stored(m, l)
		for i, w := range s.Weights[l] {
			if int64(w) < lo || int64(w) > hi {
				return fmt.Errorf("state: layer %d: weight %d: got %d, want %d..%d", l, i, w, lo, hi)
			}
		}
		top := int64(1)<<(r.Shift(l, s.Samples)-uint(r.Low)) - 1
		for i, x := range s.Residuals[l] {
			if x < 0 || int64(x) > top {
				return fmt.Errorf("state: layer %d: residual %d: got %d, want 0..%d", l, i, x, top)
			}
		}
	}
	if most := uint32(uint64(1)<<r.Random.Bits - 1); s.Random == 0 || s.Random > most {
		return fmt.Errorf("state: random register: got %d, want 1..%d", s.Random, most)
	}
	return nil
}

// Model is network m with the weights of s as a chip would compute with them.
func (r *Rule) Model(s State, m *fixedpoint.Model) (*fixedpoint.Model, error) {
	out := *m
	out.Layers = slices.Clone(m.Layers)
	for l := range out.Layers {
		w := make([]int16, len(s.Weights[l]))
		for i, x := range s.Weights[l] {
			w[i] = int16(x >> r.Low)
		}
		out.Layers[l].Weights = fixedpoint.NewMatrix(out.Layers[l].In, out.Layers[l].Out, w)
	}
	return fixedpoint.NewModel(out)
}

// Sample is what the registers of a chip hold after a sample, until the next.
// Slices are the engine's own.
type Sample struct {
	Class   int
	Scores  []int64
	Errors  []int32   // of the outputs
	Traces  [][]int32 // of each layer's in-axons
	Drives  [][]int64 // of each hidden layer; 0 unless the window compares them
	Errs    [][]int64 // each hidden layer's error accumulators; 0 per event
	Factors [][]int32 // each layer's modulators, as the last update found them
}

func newSample(m *fixedpoint.Model) Sample {
	var s Sample
	s.Errors = make([]int32, m.Outputs())
	for l, k := range m.Layers {
		s.Traces = append(s.Traces, make([]int32, k.In))
		s.Factors = append(s.Factors, make([]int32, k.Out))
		if l < len(m.Layers)-1 {
			s.Drives = append(s.Drives, make([]int64, k.Out))
			s.Errs = append(s.Errs, make([]int64, k.Out))
		}
	}
	return s
}

// NewSample is an empty Sample for m.
func NewSample(m *fixedpoint.Model) Sample { return newSample(m) }

func (s *Sample) clear() {
	clear(s.Errors)
	for l := range s.Traces {
		clear(s.Traces[l])
		clear(s.Factors[l])
	}
	for l := range s.Drives {
		clear(s.Drives[l])
		clear(s.Errs[l])
	}
}

// Options are how a network learns beside its rule.
type Options struct {
	Delay bool // spikes cross one layer a tick; see emulator.Options
	// Stuck are synapses whose stored weight no update changes, of each layer
	// [In][Out] row-major; nil for none. The chip does the update all the same.
	Stuck [][]bool
	// Silent are neurons that never fire; see emulator.Options.
	Silent []bool
}
