package reference

import (
	"fmt"

	"glsnn/emulator/machine"
	"glsnn/fixedpoint"
)

// Engine runs a model, one tick a Step.
type Engine struct {
	m        *fixedpoint.Model
	opt      machine.Options
	layers   []layer
	tick     int // ticks since Reset
	counters machine.Counters
	err      error
}

// layer is the state of one layer, one entry a neuron.
type layer struct {
	fixedpoint.Layer
	first   int // NeuronID of neuron 0
	q, u, v []int64
	fired   []int32 // in this tick
	before  []int32 // in the tick before
	count   []int32 // spikes in this window
}

// New returns an engine for m at rest. It panics if opt does not fit m.
func New(m *fixedpoint.Model, opt machine.Options) *Engine {
	if err := opt.Check(m); err != nil {
		panic(err)
	}
	e := &Engine{m: m, opt: opt}
	e.counters.Layers = make([]machine.LayerCounters, len(m.Layers))
	if n := opt.Cores(); n > 0 {
		e.counters.Cores = make([]machine.CoreCounters, n)
	}
	first := 0
	for _, l := range m.Layers {
		e.layers = append(e.layers, layer{
			Layer: l, first: first,
			q: make([]int64, l.Out), u: make([]int64, l.Out), v: make([]int64, l.Out), count: make([]int32, l.Out),
		})
		first += l.Out
	}
	return e
}

// Reset begins a new window: all state at rest, no spike on its way. The
// counters go on.
func (e *Engine) Reset() {
	e.tick, e.err = 0, nil
	for i := range e.layers {
		l := &e.layers[i]
		clear(l.q)
		clear(l.u)
		clear(l.v)
		clear(l.count)
		l.fired, l.before = nil, nil
	}
}

// Step runs one tick with the input spikes in, which must ascend.
func (e *Engine) Step(in []int32) {
	// 1. input spikes, ascending
	for i, k := range in {
		if k < 0 || int(k) >= e.m.Inputs() || i > 0 && k <= in[i-1] {
			panic(fmt.Sprintf("reference: Step: input spike %d: got axon %d, want ascending below %d", i, k, e.m.Inputs()))
		}
	}
	if e.tick == 0 {
		e.counters.Samples++
	}
	e.counters.Ticks++
	e.counters.InputSpikes += uint64(len(in))
	if e.opt.Observer != nil {
		e.opt.Observer.OnTick(e.tick)
	}
	for i := range e.layers {
		e.layers[i].before = e.layers[i].fired
	}
	for i := range e.layers {
		// 2. the spikes that arrive at this layer
		arriving := in
		if i > 0 && e.opt.Delay {
			arriving = e.layers[i-1].before
		} else if i > 0 {
			arriving = e.layers[i-1].fired
		}
		e.stepLayer(i, arriving)
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

// stepLayer is steps 3 to 8 of a tick for layer i.
func (e *Engine) stepLayer(i int, arriving []int32) {
	l, a, n := &e.layers[i], &e.m.Arithmetic, &e.counters.Layers[i]

	spiked := make([]bool, l.In)
	for _, k := range arriving {
		spiked[k] = true
		n.Events++
		e.countEvent(l)
	}

	// 3. integrate: ascending axon, each row in order
	clear(l.q)
	for k := range l.In {
		if !spiked[k] {
			continue
		}
		for j := range l.Out {
			w := l.Weights.At(k, j) << l.WeightExp
			l.q[j] = e.add(i, j, machine.Sum, l.q[j], w, a.Sum, &n.SumOverflows)
			n.SynOps++
			if c := e.core(l, j); c != nil {
				c.SynOps++
			}
		}
	}

	l.fired = nil
	for j := range l.Out {
		// 4. current
		if a.Current.Present {
			l.u[j] = e.add(i, j, machine.Current, a.Current.Decay.Apply(l.u[j], l.CurrentDecay), l.q[j], a.Current.Register, &n.CurrentOverflows)
		} else {
			l.u[j] = l.q[j]
		}
		// 5. membrane
		l.v[j] = e.add(i, j, machine.Membrane, a.Membrane.Decay.Apply(l.v[j], l.MembraneDecay), l.u[j], a.Membrane.Register, &n.MembraneOverflows)
		// 6. fire, and 7. reset
		if !l.Integrator && a.Fire.When.Fires(l.v[j], l.Threshold) {
			l.v[j] = l.Reset.Apply(l.v[j], l.Threshold)
			l.fired = append(l.fired, int32(j))
			l.count[j]++
			n.Spikes++
			if c := e.core(l, j); c != nil {
				c.Spikes++
			}
		}
		// 8. counters
		n.Updates++
		if c := e.core(l, j); c != nil {
			c.Updates++
		}
	}
}

// add is one narrowing add of neuron j of layer i, counted.
func (e *Engine) add(i, j int, what machine.What, x, y int64, r fixedpoint.Register, overflows *uint64) int64 {
	z, over := fixedpoint.Add(x, y, r)
	if over {
		*overflows++
		if e.opt.Strict && e.err == nil {
			e.err = &machine.OverflowError{Tick: e.tick, Layer: i, Neuron: j, Register: what, Value: x + y, Min: r.Format().Min(), Max: r.Format().Max()}
		}
	}
	return z
}

// core is the counters of the core that holds neuron j of l, nil if unplaced.
func (e *Engine) core(l *layer, j int) *machine.CoreCounters {
	if e.opt.CoreOf == nil {
		return nil
	}
	return &e.counters.Cores[e.opt.CoreOf[l.first+j]]
}

// countEvent counts one arriving spike on every core that holds neurons of l.
func (e *Engine) countEvent(l *layer) {
	seen := map[*machine.CoreCounters]bool{nil: true}
	for j := range l.Out {
		if c := e.core(l, j); !seen[c] {
			seen[c] = true
			c.Events++
		}
	}
}

// Spikes are the neurons of a layer that fired in the last tick, ascending.
// The slice is good until the next Step.
func (e *Engine) Spikes(layer int) []int32 { return e.layers[layer].fired }

// Sum, Current and Membrane append the state of a layer after the last tick to
// dst[:0]: q of step 3, u of step 4, v after step 7.
func (e *Engine) Sum(layer int, dst []int64) []int64 { return append(dst[:0], e.layers[layer].q...) }
func (e *Engine) Current(layer int, dst []int64) []int64 {
	return append(dst[:0], e.layers[layer].u...)
}
func (e *Engine) Membrane(layer int, dst []int64) []int64 {
	return append(dst[:0], e.layers[layer].v...)
}

// Count is the number of spikes of each neuron of a layer in this window. The
// slice is the engine's own.
func (e *Engine) Count(layer int) []int32 { return e.layers[layer].count }

// Scores appends what the model's read-out reads to dst[:0].
func (e *Engine) Scores(dst []int64) []int64 {
	last := &e.layers[len(e.layers)-1]
	if e.m.Readout == fixedpoint.ReadMembrane {
		return append(dst[:0], last.v...)
	}
	dst = dst[:0]
	for _, n := range last.count {
		dst = append(dst, int64(n))
	}
	return dst
}

// Counters is a copy of the counters since New.
func (e *Engine) Counters() machine.Counters { return e.counters.Clone() }

// Err is the first overflow of this window under Strict, else nil.
func (e *Engine) Err() error { return e.err }
