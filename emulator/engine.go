package emulator

import (
	"fmt"
	"slices"

	"glsnn/emulator/machine"
	"glsnn/emulator/simd"
	"glsnn/fixedpoint"
	"glsnn/targets"
)

// Engine is the event-driven engine. It keeps q, u and v in int32, which holds
// every register of at most 32 bits, and a copy of 8-bit weights in the layout of
// its kernels. Step allocates nothing. An Engine is for one goroutine; a Model
// may be shared by many.
type Engine struct {
	m        *fixedpoint.Model
	opt      Options
	layers   []layer
	scalar   bool // no kernels: the step is being repeated to find its first overflow
	tick     int  // ticks since Reset
	samples  uint64
	ticks    uint64
	inSpikes uint64
	err      error
}

// layer is one layer's constants and state, one entry a neuron. Behind q, u, v,
// count, fired and added lies room for the kernels' last block.
type layer struct {
	fixedpoint.Layer
	*plan
	cores  []targets.CoreID
	silent []bool // of Options

	q, u, v []int32
	minus   []int32 // Integrate split: the sum of the negative weights
	plastic bool    // weights may change
	scaled  bool    // q is a sum of mantissas, still to be shifted by WeightExp
	held    []int32
	fired   []int32
	ring    [][]int32 // fired, of the last len(ring) ticks, by tick modulo len(ring)
	count   []int32
	before  [4][]int32 // u, v, held and count before a tick, under Strict

	added    []int32 // what a tick adds to the membranes, where Integrate is membrane
	plainAdd bool    // and it was added at once

	events, spikes uint64
	overflows
	onCore       []uint64 // neurons on each core
	spikesOnCore []uint64
}

// overflows count what did not fit.
type overflows struct{ sumOver, curOver, biasOver, memOver uint64 }

// New returns an engine for m at rest. It panics if opt does not fit m.
func New(m *fixedpoint.Model, opt Options) *Engine { return newEngine(m, opt, newPlans(m)) }

func newEngine(m *fixedpoint.Model, opt Options, plans []plan) *Engine {
	if err := opt.Check(m); err != nil {
		panic(err)
	}
	e := &Engine{m: m, opt: opt, layers: make([]layer, len(m.Layers))}
	first := 0
	for i, ml := range m.Layers {
		n := ml.Out
		room := func() []int32 { return make([]int32, n, simd.Pad(n)) }
		l := &e.layers[i]
		*l = layer{Layer: ml, plan: &plans[i], q: room(), u: room(), v: room(), minus: make([]int32, n), held: make([]int32, n), count: room()}
		travel := ml.Delay + 1 // a slot for each tick on the way and one for this tick
		if opt.Delay {
			travel++
		}
		l.ring = make([][]int32, travel)
		for t := range l.ring {
			l.ring[t] = make([]int32, 0, simd.Pad(n)*(1+m.Arithmetic.Fire.ExtraSpikes))
		}
		if m.Arithmetic.Integrate == fixedpoint.IntegrateMembrane {
			l.added = room()
		}
		if opt.Strict {
			for k := range l.before {
				l.before[k] = make([]int32, n)
			}
		}
		if opt.Silent != nil {
			l.silent = opt.Silent[first : first+n]
		}
		if opt.CoreOf != nil {
			l.cores = opt.CoreOf[first : first+n]
			l.onCore = make([]uint64, opt.Cores())
			l.spikesOnCore = make([]uint64, opt.Cores())
			for _, c := range l.cores {
				l.onCore[c]++
			}
		}
		first += n
	}
	return e
}

// block is all of x and the room behind it.
func block(x []int32) []int32 { return x[:cap(x)] }

// Reset begins a new window.
func (e *Engine) Reset() {
	e.tick, e.err = 0, nil
	for i := range e.layers {
		l := &e.layers[i]
		clear(l.q)
		clear(l.u)
		clear(l.v)
		clear(l.count)
		clear(l.held)
		for t := range l.ring {
			l.ring[t] = l.ring[t][:0]
		}
		l.fired = nil
	}
}

// Step runs one tick; the numbers are those of the package comment.
func (e *Engine) Step(in []int32) {
	last := int32(-1) // 1.
	for i, k := range in {
		if k <= last {
			panic(fmt.Sprintf("emulator: Step: input spike %d: got axon %d after %d, want ascending", i, k, last))
		}
		last = k
	}
	if int(last) >= e.m.Inputs() {
		panic(fmt.Sprintf("emulator: Step: got axon %d, want below %d", last, e.m.Inputs()))
	}
	if e.tick == 0 {
		e.samples++
	}
	e.ticks++
	e.inSpikes += uint64(len(in))
	if e.opt.Observer != nil {
		e.opt.Observer.OnTick(e.tick)
	}
	arriving := in
	for i := range e.layers {
		l := &e.layers[i]
		slot := &l.ring[e.tick%len(l.ring)]
		l.fired = (*slot)[:0]
		if e.opt.Strict && e.err == nil {
			e.stepStrict(i, arriving)
		} else {
			e.stepLayer(i, arriving)
		}
		if l.silent != nil {
			l.fired = slices.DeleteFunc(l.fired, func(j int32) bool { return l.silent[j] })
			for j, s := range l.silent {
				if s {
					l.count[j] = 0
				}
			}
		}
		*slot = l.fired
		l.events += uint64(len(arriving)) // 8.
		l.spikes += uint64(len(l.fired))
		if l.cores != nil {
			for _, j := range l.fired {
				l.spikesOnCore[l.cores[j]]++
			}
		}
		arriving = l.ring[(e.tick+1)%len(l.ring)] // 2. the oldest; of this tick if there is one slot
	}
	if e.opt.Observer != nil {
		for i := range e.layers {
			for _, j := range e.layers[i].fired {
				e.opt.Observer.OnSpike(i, j, e.tick)
			}
		}
	}
	e.tick++
}

// stepLayer is steps 3 to 7 of layer i.
func (e *Engine) stepLayer(i int, arriving []int32) {
	switch l := &e.layers[i]; {
	case e.m.Arithmetic.Update == fixedpoint.PerEvent:
		e.stepEvents(i, arriving)
	case l.classic:
		e.integrate(i, arriving)
		e.fire(i)
	default:
		e.stepAny(i, arriving)
	}
}

// stepStrict is stepLayer for Strict, until the first overflow. The kernels
// count overflows without saying where: a tick that has one is done again
// without them.
func (e *Engine) stepStrict(i int, arriving []int32) {
	l := &e.layers[i]
	state := [4][]int32{l.u, l.v, l.held, l.count}
	for k, x := range state {
		copy(l.before[k], x)
	}
	counted := l.overflows
	e.stepLayer(i, arriving)
	if l.overflows == counted {
		return
	}
	for k, x := range state {
		copy(x, l.before[k])
	}
	l.overflows, l.fired, e.err, e.scalar = counted, l.fired[:0], nil, true
	e.stepLayer(i, arriving)
	e.scalar = false
}

// integrate is step 3. Plain adds are exact if no sum of the layer can
// overflow, or none can with these spikes. Mantissas are then summed first and
// shifted once, (Σw)·2^exp = Σ(w·2^exp).
func (e *Engine) integrate(i int, arriving []int32) {
	l, sum := &e.layers[i], e.m.Arithmetic.Sum
	l.scaled = l.sumProved || sum.Holds(l.reach(arriving))
	switch {
	case l.scaled:
		l.plainSum(arriving)
	case l.narrowsSum && !e.scalar:
		clear(l.q)
		l.sumOver += l.rows.Add(block(l.q), arriving, l.WeightExp, &l.sum)
	default:
		clear(l.q)
		for _, k := range arriving {
			for j := range l.q {
				l.q[j] = e.add(i, j, machine.Sum, int64(l.q[j]), l.Weights.At(int(k), j)<<l.WeightExp, sum, &l.sumOver)
			}
		}
	}
}

// plainSum sets q to the sum of the mantissas.
func (l *layer) plainSum(arriving []int32) {
	if l.rows != nil {
		l.rows.Sum(block(l.q), arriving)
		return
	}
	clear(l.q)
	addRows(l.q, l.w16, arriving)
}

// fire is steps 4 to 7. The proof for the whole layer is one for the first
// Model.Ticks ticks from rest only; later ticks narrow.
func (e *Engine) fire(i int) {
	l, a := &e.layers[i], &e.m.Arithmetic
	exp := 0
	if l.scaled {
		exp = l.WeightExp
	}
	proved := l.allProved && e.tick < e.m.Ticks
	if l.hasLIF && (proved || l.narrowsLIF && !e.scalar) {
		p := &l.narrowing
		if proved {
			p = &l.plain
		}
		l.step(p, exp)
		return
	}
	for j := range l.q {
		u := int64(l.q[j]) << exp
		if a.Current.Present {
			u = int64(e.add(i, j, machine.Current, a.Current.Decay.Apply(int64(l.u[j]), l.CurrentDecay), u, a.Current.Register, &l.curOver))
		}
		l.u[j] = int32(u)
		v := int64(e.add(i, j, machine.Membrane, a.Membrane.Decay.Apply(int64(l.v[j]), l.MembraneDecay), u, a.Membrane.Register, &l.memOver))
		if !l.Integrator && a.Fire.When.Fires(v, l.Threshold) {
			v = l.Reset.Apply(v, l.Threshold, 0)
			l.spike(j)
		}
		l.v[j] = int32(v)
	}
}

// step is steps 4 to 7 by the kernel.
func (l *layer) step(p *simd.LIF, exp int) {
	fired := l.fired[:cap(l.fired)]
	n, u, v := simd.Step(p, block(l.q), block(l.u), block(l.v), block(l.count), fired, exp)
	l.curOver += u
	l.memOver += v
	for n > 0 && int(fired[n-1]) >= l.Out { // of the last block, with threshold 0
		n--
	}
	l.fired = fired[:n]
}

// spike notes one of neuron j.
func (l *layer) spike(j int) {
	l.fired = append(l.fired, int32(j))
	l.count[j]++
}

// add is one narrowing add, counted.
func (e *Engine) add(layer, neuron int, what What, a, b int64, r fixedpoint.Register, overflows *uint64) int32 {
	x, over := fixedpoint.Add(a, b, r)
	if over {
		*overflows++
		if e.opt.Strict && e.err == nil {
			e.err = &OverflowError{Tick: e.tick, Layer: layer, Neuron: neuron, Register: what, Value: a + b, Min: r.Min(), Max: r.Max()}
		}
	}
	return int32(x)
}

// Spikes are the neurons of a layer that fired in the last tick; see Machine.
func (e *Engine) Spikes(layer int) []int32 { return e.layers[layer].fired }

// Sum, Current and Membrane are the state of a layer after the last tick.
func (e *Engine) Sum(layer int, dst []int64) []int64 {
	l, exp := &e.layers[layer], 0
	if l.scaled {
		exp = l.WeightExp
	}
	dst = dst[:0]
	for _, q := range l.q {
		dst = append(dst, int64(q)<<exp)
	}
	return dst
}

func (e *Engine) Current(layer int, dst []int64) []int64 { return widen(dst, e.layers[layer].u) }

func (e *Engine) Membrane(layer int, dst []int64) []int64 { return widen(dst, e.layers[layer].v) }

func widen(dst []int64, src []int32) []int64 {
	dst = dst[:0]
	for _, x := range src {
		dst = append(dst, int64(x))
	}
	return dst
}

// Count is the spikes of each neuron of a layer in this window.
func (e *Engine) Count(layer int) []int32 { return e.layers[layer].count }

// Scores are what the model's read-out reads.
func (e *Engine) Scores(dst []int64) []int64 {
	last := &e.layers[len(e.layers)-1]
	if e.m.Readout == fixedpoint.ReadMembrane {
		return widen(dst, last.v)
	}
	return widen(dst, last.count)
}

// Counters are the counts since New. What follows from others (synaptic
// operations, updates, the events of a core) is computed here.
func (e *Engine) Counters() Counters {
	c := Counters{Samples: e.samples, Ticks: e.ticks, InputSpikes: e.inSpikes, Layers: make([]LayerCounters, len(e.layers))}
	if n := e.opt.Cores(); n > 0 {
		c.Cores = make([]CoreCounters, n)
	}
	for i := range e.layers {
		l := &e.layers[i]
		n := uint64(l.Out)
		c.Layers[i] = LayerCounters{
			Spikes: l.spikes, Events: l.events, SynOps: l.events * n, Updates: e.updates(l) * n,
			SumOverflows: l.sumOver, CurrentOverflows: l.curOver, BiasOverflows: l.biasOver, MembraneOverflows: l.memOver,
		}
		for k, n := range l.onCore {
			if n > 0 {
				c.Cores[k].Add(CoreCounters{Spikes: l.spikesOnCore[k], Events: l.events, SynOps: l.events * n, Updates: e.updates(l) * n})
			}
		}
	}
	return c
}

// updates is how often a neuron of l was evaluated.
func (e *Engine) updates(l *layer) uint64 {
	if e.m.Arithmetic.Update == fixedpoint.PerEvent {
		return e.ticks + l.events
	}
	return e.ticks
}

// Err is the first overflow of this window under Options.Strict.
func (e *Engine) Err() error { return e.err }
