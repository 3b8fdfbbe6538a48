package float

import (
	"math/bits"
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
	sums   *sums

	// What the layer at hand is given: one or the other, see byEvent.
	groups groups
	in     [tickBlock][]int32

	// What the input axons are given.
	bits  []uint32     // [block][axon]: bit t says whether it spikes in the block's tick t
	train encode.Train // where events do
	last  int          // ticks of the last block
}

// sums is room for what a block brings to a panel of a layer's columns, one sample
// at a time; the first state's serves all of a group.
type sums struct {
	grouping grouping
	p, q     []float32
}

// atLeast is *x with room for n.
func atLeast(x *[]float32, n int) []float32 {
	if len(*x) < n {
		*x = make([]float32, n)
	}
	return (*x)[:n]
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
// vector that crosses a line costs two reads: n itself if they do, or else an odd
// number of lines, so that a panel of them spreads over all sets of a cache. Short
// rows are as they are.
func strideOf(n int) int {
	const line = 16
	if n < 2*line || n%line == 0 {
		return n
	}
	return ((n+line-1)/line | 1) * line
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
// of a layer at a time, whose weights stay in a cache of the core's own. Samples
// and panels do not change a bit. The ticks of a block do, by rounding: see
// groups.
const (
	tickBlock = 16
	groupSize = 25
	panel     = 256
)

type layerState struct {
	q, u, v []float32
	drive   []float32          // sum of u over the ticks so far
	spikes  []uint32           // of the last block: bit t of each neuron is tick t's
	fired   []int32            // of the last tick: see Fired
	block   [tickBlock][]int32 // the same of each tick of a block, where events do
	count   []float32          // spikes so far
}

// NewState returns a state at rest.
func (n *Network) NewState() *State {
	s := &State{net: n, bits: make([]uint32, n.blocks()*n.Sizes[0])}
	for l := range n.Layers() {
		size := n.Sizes[l+1]
		s.rows = append(s.rows, matrix{n.Weights[l], size})
		s.layers = append(s.layers, layerState{
			q: make([]float32, size), u: make([]float32, size), v: make([]float32, size),
			drive: make([]float32, size), count: make([]float32, size), spikes: make([]uint32, size),
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
	s.ticks, s.last = 0, 0
	for i := range s.layers {
		l := &s.layers[i]
		for _, x := range [][]float32{l.q, l.u, l.v, l.drive, l.count} {
			clear(x)
		}
		clear(l.spikes)
		l.fired = nil
	}
}

// Step is one tick; in lists the input axons that spike, ascending. Every layer
// steps once, in order, on the spikes that the layer below fired in this tick.
func (s *State) Step(in []int32) {
	s.in[0] = in
	input := s.bits[:s.net.Sizes[0]]
	clear(input)
	for _, a := range in {
		input[a] = 1
	}
	runBlock([]*State{s}, 0, 1)
}

// blocks is how many there are in a window.
func (n *Network) blocks() int { return (n.Ticks + tickBlock - 1) / tickBlock }

// load encodes a sample for run.
func (s *State) load(sample int, pixels []uint8) {
	if s.net.byEvent() {
		s.net.NewEncoder().Encode(&s.train, sample, pixels)
	} else {
		s.net.NewEncoder().Bits(s.bits, tickBlock, sample, pixels)
	}
}

// inputCounts writes the spikes of each input axon to dst.
func (s *State) inputCounts(dst []float32) {
	clear(dst)
	if s.net.byEvent() {
		s.train.Counts(dst)
		return
	}
	for block := range s.net.blocks() {
		for i, x := range s.bits[block*len(dst):][:len(dst)] {
			dst[i] += float32(bits.OnesCount32(x))
		}
	}
}

// run is a Step of each state, all of one network, for every tick of the sample that
// it has loaded, but for how the sums of a block round.
func run(states []*State) {
	net := states[0].net
	for block := range net.blocks() {
		first := block * tickBlock
		n := min(tickBlock, net.Ticks-first)
		for _, s := range states {
			for t := range n {
				if net.byEvent() {
					s.in[t] = s.train.At(first + t)
				}
			}
		}
		runBlock(states, block, n)
	}
}

// byEvent says whether the order of spikes within a tick matters.
func (c Config) byEvent() bool { return c.PerEvent || c.Floor }

// runBlock is ticks ticks, at most tickBlock, of each state on that block of its input.
func runBlock(states []*State, block, ticks int) {
	for i := range states[0].layers {
		switch net := states[0].net; {
		case net.PerEvent:
			for _, s := range states {
				s.runEvents(i, ticks)
			}
		case net.Floor:
			for _, s := range states {
				s.runFloored(i, ticks)
			}
		default:
			runLayer(states, i, block, ticks)
		}
	}
	for _, s := range states {
		s.ticks += ticks
		s.last = ticks
	}
}

// runLayer is ticks ticks of layer i of all states.
func runLayer(states []*State, i, block, ticks int) {
	z := states[0].sums
	if z == nil {
		z = &sums{}
		states[0].sums = z
	}
	for _, s := range states {
		if in := s.net.Sizes[0]; i == 0 {
			s.groups.set(&z.grouping, s.bits[block*in:][:in], ticks)
		} else {
			s.groups.set(&z.grouping, s.layers[i-1].spikes, ticks)
		}
	}
	n := len(states[0].layers[i].v)
	for lo := 0; lo < n; lo += panel {
		for _, s := range states {
			s.runPanel(z, i, lo, min(panel, n-lo), ticks)
		}
	}
}

// runPanel is ticks ticks of the neurons lo..lo+n-1 of layer i.
func (s *State) runPanel(z *sums, i, lo, n, ticks int) {
	p, q := atLeast(&z.p, s.groups.rows.Len()*panel), atLeast(&z.q, ticks*panel)
	w := s.rows[i]
	s.groups.rows.Sum(p, panel, w.data[lo:], w.stride, n)
	s.groups.ticks.Sum(q, panel, p, panel, n)
	l, k := &s.layers[i], s.params[i]
	if s.net.Integrates(i) {
		for t := range ticks {
			integrateStep(k, q[t*panel:][:n], l.u[lo:lo+n], l.v[lo:lo+n])
		}
		return
	}
	simd.LIFTicks(k, q, panel, ticks, l.u[lo:lo+n], l.v[lo:lo+n], l.drive[lo:lo+n], l.count[lo:lo+n], l.spikes[lo:lo+n])
}

// runFloored is ticks ticks of layer i where every weight stops at 0.
func (s *State) runFloored(i, ticks int) {
	l := &s.layers[i]
	for t, in := range s.in[:ticks] {
		addFloored(l.v, l.drive, s.rows[i], 0, in)
		if s.net.Integrates(i) {
			integrateStep(s.params[i], l.q, l.u, l.v)
			continue
		}
		l.block[t] = simd.LIF(s.params[i], l.q, l.u, l.v, l.drive, l.count, slices.Grow(l.block[t][:0], len(l.q)), 0)
	}
	s.hand(i, ticks)
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
	s.hand(i, ticks)
}

// hand makes layer i's spikes of the block the input of the next.
func (s *State) hand(i, ticks int) {
	l := &s.layers[i]
	l.fired = l.block[ticks-1]
	copy(s.in[:ticks], l.block[:ticks])
}

// Fired lists the neurons of a layer that fired in the last tick, ascending; by
// event, then ascending, and as often as each fired where the network is
// PerEvent. The slice is the state's, until the next tick.
func (s *State) Fired(layer int) []int32 {
	l := &s.layers[layer]
	if s.last > 0 && !s.net.byEvent() {
		l.fired = l.fired[:0]
		for j, x := range l.spikes {
			if x>>(s.last-1)&1 != 0 {
				l.fired = append(l.fired, int32(j))
			}
		}
	}
	return l.fired
}

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
