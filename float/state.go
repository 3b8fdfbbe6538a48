package float

import "glsnn/float/simd"

// State is one sample's run through a chip-mode network: the float twin of the
// emulator's machines, tick by tick. It belongs to one goroutine.
type State struct {
	net    *Network
	params []lifParams
	layers []layerState
	ticks  int
}

type layerState struct {
	q, u, v []float32
	drive   []float32 // sum of u over the ticks so far
	fired   []int32   // of the last tick, ascending
	count   []float32 // spikes so far
}

// NewState returns a state at rest.
func (n *Network) NewState() *State {
	s := &State{net: n}
	for l := range n.Layers() {
		size := n.Sizes[l+1]
		s.layers = append(s.layers, layerState{
			q: make([]float32, size), u: make([]float32, size), v: make([]float32, size),
			drive: make([]float32, size), fired: make([]int32, 0, size), count: make([]float32, size),
		})
		s.params = append(s.params, lifParams{
			KeepU:    float32(DecayOne-n.CurrentDecay) / DecayOne,
			KeepV:    float32(DecayOne-n.LayerDecay(l)) / DecayOne,
			Subtract: n.Reset == ResetSubtract,
		})
	}
	return s
}

// Reset returns to rest: no current, no membrane, no count.
func (s *State) Reset() {
	s.ticks = 0
	for i := range s.layers {
		l := &s.layers[i]
		for _, x := range [][]float32{l.q, l.u, l.v, l.drive, l.count} {
			clear(x)
		}
		l.fired = l.fired[:0]
	}
}

// Step is one tick; in lists the input axons that spike, ascending. Every layer
// steps once, in order, on the spikes that the layer below fired in this tick.
func (s *State) Step(in []int32) {
	s.ticks++
	for i := range s.layers {
		l := &s.layers[i]
		simd.AddRows(l.q, s.net.Weights[i], len(l.q), in)
		if s.net.Integrates(i) {
			integrateStep(s.params[i], l.q, l.u, l.v)
			return
		}
		l.fired = simd.LIF(s.params[i], l.q, l.u, l.v, l.drive, l.count, l.fired[:0], 0)
		in = l.fired
	}
}

// Fired lists the neurons of a layer that fired in the last tick, ascending.
func (s *State) Fired(layer int) []int32 { return s.layers[layer].fired }

// Membrane is a layer's v after the last tick, in units of the threshold.
func (s *State) Membrane(layer int) []float32 { return s.layers[layer].v }

// Current is a layer's u after the last tick.
func (s *State) Current(layer int) []float32 { return s.layers[layer].u }

// Counts is a layer's spikes so far.
func (s *State) Counts(layer int) []float32 { return s.layers[layer].count }

// Output writes S of the output layer to dst: by Readout, the membrane over
// (Threshold x T) or the spike count over T.
func (s *State) Output(dst []float32) {
	l := &s.layers[len(s.layers)-1]
	src := l.count
	if s.net.Readout == ReadMembrane {
		src = l.v
	}
	for i, x := range src {
		dst[i] = x / (Threshold * float32(s.net.Ticks))
	}
}

// Argmax is the class of a row of scores: the index of the largest value, the lowest among equals.
func Argmax(x []float32) int {
	best := 0
	for i, v := range x {
		if v > x[best] {
			best = i
		}
	}
	return best
}
