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
	sums   *sums
}

// sums is room for what a block brings to some columns of a layer; the first
// state's serves all of a group.
type sums struct {
	lists simd.Lists
	q     []float32 // [state][tick][column]
}

// matrix is a layer's weights with rows stride apart.
type matrix struct {
	data   []float32
	stride int
}

// newMatrix is w, [in][out], as the loops read it best (see strideOf): a copy, or
// w itself if its rows lie so anyway.
func newMatrix(w []float32, out int) matrix {
	m := matrix{w, strideOf(out)}
	if m.stride != out {
		m.data = make([]float32, len(w)/out*m.stride) // large slices start on a line
		for i := range len(w) / out {
			copy(m.data[i*m.stride:], w[i*out:(i+1)*out])
		}
	}
	return m
}

// strideOf is the distance of rows of n numbers that start on cache lines, since a
// vector that crosses a line costs two reads, and are an odd number of 512 bytes
// apart, so that a panel of them does not meet in a few sets of the innermost
// cache. Short rows are as they are.
func strideOf(n int) int {
	const line, slot = 16, 128
	switch {
	case n < 2*line:
		return n
	case n < slot:
		return (n + line - 1) / line * line
	}
	return ((n+slot-1)/slot | 1) * slot
}

// newRows are the weights as the loops read them.
func (n *Network) newRows() (rows []matrix) {
	for l, w := range n.Weights {
		rows = append(rows, newMatrix(w, n.Sizes[l+1]))
	}
	return rows
}

// on gives a loop's states rows, which are their network's weights.
func (l loop) on(rows []matrix) loop {
	for _, s := range l.states {
		s.rows = rows
	}
	return l
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
	net := states[0].net
	for i := range states[0].layers {
		n := len(states[0].layers[i].q)
		switch {
		case net.PerEvent:
			for _, s := range states {
				s.runEvents(i, ticks)
			}
		case net.Floor:
			for _, s := range states {
				s.runFloored(i, ticks)
			}
		default:
			z := states[0].room()
			z.lists.Reset()
			for _, s := range states {
				for _, in := range s.in[:ticks] {
					z.lists.Add(in)
				}
			}
			for lo := 0; lo < n; lo += panel {
				z.runPanel(states, i, lo, min(lo+panel, n), ticks)
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

func (s *State) room() *sums {
	if s.sums == nil {
		s.sums = &sums{}
	}
	return s.sums
}

// runPanel is ticks ticks of the neurons lo..hi-1 of layer i of all states, whose
// lists z has.
func (z *sums) runPanel(states []*State, i, lo, hi, ticks int) {
	w, n := states[0].rows[i], hi-lo
	if need := z.lists.Len() * n; len(z.q) < need {
		z.q = make([]float32, need)
	}
	z.lists.Sum(z.q, w.data[lo:], w.stride, n)
	for k, s := range states {
		for t := range ticks {
			s.tick(i, t, lo, hi, z.q[(k*ticks+t)*n:][:n])
		}
	}
}

// tick is tick t of the block of neurons lo..hi-1 of layer i, to which the
// spikes bring q.
func (s *State) tick(i, t, lo, hi int, q []float32) {
	l, p := &s.layers[i], s.params[i]
	if s.net.Integrates(i) {
		integrateStep(p, q, l.u[lo:hi], l.v[lo:hi])
		return
	}
	if l.block[t] == nil {
		l.block[t] = make([]int32, 0, len(l.q))
	}
	if lo == 0 {
		l.block[t] = l.block[t][:0]
	}
	l.block[t] = simd.LIF(p, q, l.u[lo:hi], l.v[lo:hi], l.drive[lo:hi], l.count[lo:hi], l.block[t], lo)
}

// runFloored is ticks ticks of layer i where every weight stops at 0.
func (s *State) runFloored(i, ticks int) {
	l := &s.layers[i]
	for t, in := range s.in[:ticks] {
		addFloored(l.v, l.drive, s.rows[i], 0, in)
		s.tick(i, t, 0, len(l.q), l.q)
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
