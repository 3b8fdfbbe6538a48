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
	first   int  // NeuronID of neuron 0
	mutable bool // Weights are the engine's own
	q, u, v []int64
	minus   []int64   // Integrate split: the sum of the negative weights
	tested  []int64   // v as the last test of the threshold found it
	held    []int     // refractory counters
	outputs [][]int32 // what fired in each tick since Reset, in order, repeats included
	fired   []int32   // in this tick
	count   []int32   // spikes in this window
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
			q: make([]int64, l.Out), minus: make([]int64, l.Out), u: make([]int64, l.Out), v: make([]int64, l.Out), tested: make([]int64, l.Out),
			held: make([]int, l.Out), count: make([]int32, l.Out),
		})
		first += l.Out
	}
	return e
}

// SetWeight replaces the weight of a synapse from the next spike on. The Model
// keeps its own.
func (e *Engine) SetWeight(layer, axon, neuron int, w int64) {
	l := &e.layers[layer]
	if !l.mutable {
		l.Weights, l.mutable = l.Weights.Mutable(e.m.Arithmetic.Weight.Range(l.WeightBits)), true
	}
	l.Weights.Set(axon, neuron, w)
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
		clear(l.tested)
		clear(l.count)
		clear(l.held)
		l.fired, l.outputs = nil, nil
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
		// 2. the spikes that arrive at this layer
		arriving := in
		if i > 0 {
			arriving = e.delivered(&e.layers[i-1])
		}
		l := &e.layers[i]
		l.fired = nil
		if e.m.Arithmetic.Update == fixedpoint.PerEvent {
			e.stepEvents(i, arriving)
		} else {
			e.stepLayer(i, arriving)
		}
		l.outputs = append(l.outputs, l.fired)
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

// delivered is what a layer fired as many ticks ago as its spikes travel.
func (e *Engine) delivered(l *layer) []int32 {
	ticks := l.Delay
	if e.opt.Delay {
		ticks++
	}
	if ticks > e.tick {
		return nil
	}
	return l.outputs[e.tick-ticks]
}

// stepLayer is steps 3 to 8 of a tick for layer i.
func (e *Engine) stepLayer(i int, arriving []int32) {
	l, a, n := &e.layers[i], &e.m.Arithmetic, &e.counters.Layers[i]

	// 3. integrate: the spikes in order, each row in order
	clear(l.q)
	clear(l.minus)
	if a.Integrate == fixedpoint.IntegrateMembrane && a.Membrane.Place == fixedpoint.BeforeIntegrate {
		for j := range l.v {
			e.forgetMembrane(i, j)
		}
	}
	for _, k := range arriving {
		n.Events++
		e.countEvent(l)
		for j := range l.Out {
			mantissa := l.Weights.At(int(k), j)
			w := mantissa << l.WeightExp
			switch {
			case a.Integrate == fixedpoint.IntegrateSum:
				l.q[j] = e.add(i, j, machine.Sum, l.q[j], w, a.Sum, &n.SumOverflows)
			case a.Integrate == fixedpoint.IntegrateSplit && mantissa >= 0:
				l.q[j] = e.add(i, j, machine.Sum, l.q[j], mantissa, a.Sum, &n.SumOverflows)
			case a.Integrate == fixedpoint.IntegrateSplit:
				l.minus[j] = e.add(i, j, machine.Sum, l.minus[j], -mantissa, a.Sum, &n.SumOverflows)
			default:
				l.v[j] = e.add(i, j, machine.Membrane, l.v[j], w, a.Membrane.Register, &n.MembraneOverflows)
				if a.Held != 0 && a.Fire.When.Fires(l.v[j], a.Held) {
					e.spike(i, j, a.Held)
				}
			}
			e.countSynOp(i, j)
		}
	}

	if a.Integrate == fixedpoint.IntegrateSplit {
		for j := range l.q {
			l.q[j] = (l.q[j] - l.minus[j]) << l.WeightExp
		}
	}

	for j := range l.Out {
		// 4. current
		if a.Current.Present {
			if a.Current.Place == fixedpoint.BeforeIntegrate {
				e.forgetCurrent(i, j)
			}
			l.u[j] = e.add(i, j, machine.Current, l.u[j], l.q[j], a.Current.Register, &n.CurrentOverflows)
			if a.Current.Place == fixedpoint.AfterIntegrate {
				e.forgetCurrent(i, j)
			}
		} else {
			l.u[j] = l.q[j]
		}
		input := l.u[j]
		if a.Bias.Present {
			var bias int64
			if l.Bias != nil {
				bias = l.Bias[j]
			}
			input = e.add(i, j, machine.Bias, input, bias, a.Bias.Register, &n.BiasOverflows)
		}
		// 5. membrane
		if a.Integrate != fixedpoint.IntegrateMembrane && a.Membrane.Place == fixedpoint.BeforeIntegrate {
			e.forgetMembrane(i, j)
		}
		switch {
		case a.Membrane.Decay.Kind == fixedpoint.DecayTowardInput:
			d := a.Membrane.Decay
			e.store(i, j, fixedpoint.TowardInput(l.v[j], input, l.MembraneDecay, uint(d.FracBits), d.Round))
		case a.Integrate != fixedpoint.IntegrateMembrane || a.Bias.Present:
			l.v[j] = e.add(i, j, machine.Membrane, l.v[j], input, a.Membrane.Register, &n.MembraneOverflows)
		}
		if a.Membrane.Place == fixedpoint.AfterIntegrate {
			e.forgetMembrane(i, j)
		}
		if l.held[j] > 0 {
			l.v[j] = 0
		}
		// 6. fire, and 7. reset
		if e.test(i, j) {
			l.held[j] = l.Refractory
		}
		l.held[j] = max(0, l.held[j]-1)
		// 8. counters
		e.countUpdate(i, j)
	}
}

// stepEvents is steps 3 to 8 where every event is a tick of its own for the
// neurons it meets.
func (e *Engine) stepEvents(i int, arriving []int32) {
	l, a, n := &e.layers[i], &e.m.Arithmetic, &e.counters.Layers[i]
	for _, k := range arriving {
		n.Events++
		e.countEvent(l)
		for j := range l.Out {
			w := l.Weights.At(int(k), j) << l.WeightExp
			l.v[j] = e.add(i, j, machine.Membrane, l.v[j], w, a.Membrane.Register, &n.MembraneOverflows)
			e.countSynOp(i, j)
			e.test(i, j)
			e.countUpdate(i, j)
		}
	}
	for j := range l.Out { // the leak event
		e.forgetMembrane(i, j)
		e.test(i, j)
		e.countUpdate(i, j)
	}
}

// test is steps 6 and 7 of neuron j of layer i.
func (e *Engine) test(i, j int) (fired bool) {
	l, a := &e.layers[i], &e.m.Arithmetic
	l.tested[j] = l.v[j]
	threshold, tested := a.Tests(&l.Layer)
	fires := tested && a.Fire.When.Fires(l.v[j], threshold)
	below := !fires && a.Fire.Negative.When.Holds(l.v[j], l.NegThreshold)
	if a.Membrane.Place == fixedpoint.AfterTest {
		e.forgetMembrane(i, j)
	}
	if below {
		e.store(i, j, l.NegReset.Apply(l.v[j], l.NegThreshold, l.ResetValue))
	}
	if fires {
		e.spike(i, j, threshold)
	}
	return fires
}

// spike is step 7 of neuron j of layer i, which passed the test against
// threshold: it appends the neuron to what fired, once for each spike.
func (e *Engine) spike(i, j int, threshold int64) {
	l, a := &e.layers[i], &e.m.Arithmetic
	for n := 0; n == 0 || n <= a.Fire.ExtraSpikes && a.Fire.When.Fires(l.v[j], threshold); n++ {
		e.store(i, j, l.Reset.Apply(l.v[j], threshold, l.ResetValue))
		if e.opt.Silent != nil && e.opt.Silent[l.first+j] {
			continue
		}
		l.fired = append(l.fired, int32(j))
		l.count[j]++
		e.counters.Layers[i].Spikes++
		if c := e.core(l, j); c != nil {
			c.Spikes++
		}
	}
}

// store writes what a reset made of a membrane, narrowed and counted.
func (e *Engine) store(i, j int, x int64) {
	l, n := &e.layers[i], &e.counters.Layers[i]
	l.v[j] = e.add(i, j, machine.Membrane, x, 0, e.m.Arithmetic.Membrane.Register, &n.MembraneOverflows)
}

// forgetCurrent and forgetMembrane are State.Forget, written out: the decay,
// then the leak, which alone can leave the register.
func (e *Engine) forgetCurrent(i, j int) {
	l, s := &e.layers[i], e.m.Arithmetic.Current
	l.u[j] = e.forget(i, j, machine.Current, s, l.u[j], l.CurrentDecay, l.CurrentLeak, &e.counters.Layers[i].CurrentOverflows)
}

func (e *Engine) forgetMembrane(i, j int) {
	l, s := &e.layers[i], e.m.Arithmetic.Membrane
	l.v[j] = e.forget(i, j, machine.Membrane, s, l.v[j], l.MembraneDecay, l.MembraneLeak, &e.counters.Layers[i].MembraneOverflows)
}

func (e *Engine) forget(i, j int, what machine.What, s fixedpoint.State, x, decay, leak int64, overflows *uint64) int64 {
	x = s.Decay.Apply(x, decay)
	switch s.Leak.Kind {
	case fixedpoint.LeakToZero:
		return fixedpoint.LeakTowardZero(x, leak)
	case fixedpoint.LeakConstant:
		return e.add(i, j, what, x, leak, s.Register, overflows)
	}
	return x
}

// countSynOp and countUpdate count one operation of neuron j on its core too.
func (e *Engine) countSynOp(i, j int) {
	e.counters.Layers[i].SynOps++
	if c := e.core(&e.layers[i], j); c != nil {
		c.SynOps++
	}
}

func (e *Engine) countUpdate(i, j int) {
	e.counters.Layers[i].Updates++
	if c := e.core(&e.layers[i], j); c != nil {
		c.Updates++
	}
}

// add is one narrowing add of neuron j of layer i, counted.
func (e *Engine) add(i, j int, what machine.What, x, y int64, r fixedpoint.Register, overflows *uint64) int64 {
	z, over := fixedpoint.Add(x, y, r)
	if over {
		*overflows++
		if e.opt.Strict && e.err == nil {
			e.err = &machine.OverflowError{Tick: e.tick, Layer: i, Neuron: j, Register: what, Value: x + y, Min: r.Min(), Max: r.Max()}
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

// Spikes are the neurons of a layer that fired in the last tick, in the order
// of the spikes, once for each.
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

// Tested is Membrane before the reset: v as step 6 of the last tick found it, or
// its last test where a tick has several.
func (e *Engine) Tested(layer int, dst []int64) []int64 {
	return append(dst[:0], e.layers[layer].tested...)
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
