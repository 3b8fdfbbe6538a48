package float

import (
	"slices"

	"glsnn/float/encode"
	"glsnn/float/simd"
)

// State is one sample's run through a chip-mode network: the float twin of the
// emulator's machines, tick by tick. It belongs to one goroutine.
type State struct {
	net    *Network
	params []lifParams
	layers []layerState
	ticks  int
	rows   []matrix
	in     [tickBlock][]int32 // of run: what each tick brings to the layer at hand
}

// matrix is a layer's weights with rows stride apart.
type matrix struct {
	data   []float32
	stride int
}

// newMatrix is w, [in][out], with rows that start on cache lines, since a vector
// that crosses a line costs two reads: a copy, or w itself if its rows do so
// anyway or are short.
func newMatrix(w []float32, out int) matrix {
	const line = 16
	if out%line == 0 || out < 2*line {
		return matrix{w, out}
	}
	m := matrix{stride: (out + line - 1) / line * line}
	m.data = make([]float32, len(w)/out*m.stride) // large slices start on a line
	for i := range len(w) / out {
		copy(m.data[i*m.stride:], w[i*out:(i+1)*out])
	}
	return m
}

// A layer's tick depends on the layer below at that tick only, so any number of
// ticks, and of samples, may run layer by layer. Weights are read from far
// memory once for tickBlock ticks of groupSize samples: they run panel columns
// of a layer at a time, whose weights stay in a cache of the core's own. None of
// the three changes a bit.
const (
	tickBlock = 16
	groupSize = 10
	panel     = 256
)

type layerState struct {
	q, u, v []float32
	drive   []float32          // sum of u over the ticks so far
	fired   []int32            // of the last tick: see Fired
	block   [tickBlock][]int32 // the same of each tick of a block
	count   []float32          // spikes so far
}

// NewState returns a state at rest.
func (n *Network) NewState() *State {
	s := &State{net: n}
	for l := range n.Layers() {
		size := n.Sizes[l+1]
		s.rows = append(s.rows, matrix{n.Weights[l], size})
		s.layers = append(s.layers, layerState{
			q: make([]float32, size), u: make([]float32, size), v: make([]float32, size),
			drive: make([]float32, size), count: make([]float32, size),
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
		l.fired = nil
	}
}

// Step is one tick; in lists the input axons that spike, ascending. Every layer
// steps once, in order, on the spikes that the layer below fired in this tick.
func (s *State) Step(in []int32) {
	s.in[0] = in
	runBlock([]*State{s}, 1)
}

// runTrains is a Step of each state, all of one network, for every tick of its
// train; trains are equally long.
func runTrains(states []*State, trains []encode.Train) {
	ticks := trains[0].Ticks()
	for t := 0; t < ticks; t += tickBlock {
		n := min(tickBlock, ticks-t)
		for k, s := range states {
			for i := range n {
				s.in[i] = trains[k].At(t + i)
			}
		}
		runBlock(states, n)
	}
}

// runBlock is ticks ticks, at most tickBlock, of each state on its in.
func runBlock(states []*State, ticks int) {
	for i := range states[0].layers {
		n := len(states[0].layers[i].q)
		if states[0].net.PerEvent {
			for _, s := range states {
				s.runEvents(i, ticks)
			}
		}
		for lo := 0; lo < n && !states[0].net.PerEvent; lo += panel {
			for _, s := range states {
				s.runPanel(i, lo, min(lo+panel, n), ticks)
			}
		}
		for _, s := range states {
			l := &s.layers[i]
			l.fired = l.block[ticks-1]
			copy(s.in[:ticks], l.block[:ticks])
		}
	}
	for _, s := range states {
		s.ticks += ticks
	}
}

// runPanel is ticks ticks of the neurons lo..hi-1 of layer i.
func (s *State) runPanel(i, lo, hi, ticks int) {
	l, p, w, n := &s.layers[i], s.params[i], s.rows[i], len(s.layers[i].q)
	q, u, v, drive, count := l.q[lo:hi], l.u[lo:hi], l.v[lo:hi], l.drive[lo:hi], l.count[lo:hi]
	integrates := s.net.Integrates(i)
	for t, in := range s.in[:ticks] {
		if s.net.Floor {
			addFloored(v, drive, w, lo, in)
		} else {
			simd.AddRows(q, w.data[lo:], w.stride, in)
		}
		if integrates {
			integrateStep(p, q, u, v)
			continue
		}
		if l.block[t] == nil {
			l.block[t] = make([]int32, 0, n)
		}
		if lo == 0 {
			l.block[t] = l.block[t][:0]
		}
		l.block[t] = simd.LIF(p, q, u, v, drive, count, l.block[t], lo)
	}
}

// runEvents is ticks ticks of layer i where every spike is tested.
func (s *State) runEvents(i, ticks int) {
	l, p, w := &s.layers[i], s.params[i], s.rows[i]
	integrates := s.net.Integrates(i)
	for t, in := range s.in[:ticks] {
		fired := l.block[t][:0]
		for k := range in {
			if s.net.Floor {
				addFloored(l.v, l.drive, w, 0, in[k:k+1])
			} else {
				simd.AddRows(l.q, w.data, w.stride, in[k:k+1])
			}
			if !integrates {
				fired = simd.LIF(p, l.q, l.u, l.v, l.drive, l.count, slices.Grow(fired, len(l.q)), 0)
			}
		}
		if integrates {
			integrateStep(p, l.q, l.u, l.v)
			continue
		}
		l.block[t] = fired
	}
}

// Fired lists the neurons of a layer that fired in the last tick, ascending; by
// event, then ascending, and as often as each fired where the network is
// PerEvent.
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
