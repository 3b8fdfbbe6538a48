package emulator

import (
	"fmt"
	"math"
	"slices"

	"glsnn/emulator/machine"
	"glsnn/fixedpoint"
	"glsnn/targets"
)

// Engine is the event-driven engine. It reads the model's weights in place and
// keeps q, u and v in int32, which holds every register of at most 32 bits.
// Step allocates nothing. An Engine is for one goroutine; a Model may be
// shared by many.
type Engine struct {
	m        *fixedpoint.Model
	opt      Options
	layers   []layer
	tick     int // ticks since Reset
	samples  uint64
	ticks    uint64
	inSpikes uint64
	err      error
}

// layer is one layer's constants and state, one entry a neuron.
type layer struct {
	fixedpoint.Layer
	w8    []int8  // the weights, in one of the two
	w16   []int16 //
	cores []targets.CoreID

	heaviest  int64 // largest |weight| << WeightExp
	sumProved bool  // no sum ever overflows
	lifProved bool  // no register does in the first Model.Ticks ticks
	lif       lif   // for stepLIF, if its decays are of the kind it takes

	classic bool // steps 4 to 7 are those of fire, not of fireAny
	q, u, v []int32
	minus   []int32 // Integrate split: the sum of the negative weights
	scaled  bool    // q is a sum of mantissas, still to be shifted by WeightExp
	held    []int32
	fired   []int32
	ring    [][]int32 // fired, of the last len(ring) ticks, by tick modulo len(ring)
	count   []int32

	events, spikes                      uint64
	sumOver, curOver, biasOver, memOver uint64
	onCore                              []uint64 // neurons on each core
	spikesOnCore                        []uint64
}

// proof is what Bounds say about a layer.
type proof struct{ sum, all bool }

func prove(m *fixedpoint.Model) []proof {
	p := make([]proof, len(m.Layers))
	for i := range p {
		b := m.Bounds(i)
		a := &m.Arithmetic
		p[i] = proof{sum: a.Integrate == fixedpoint.IntegrateSum && a.Sum.Holds(b.Sum.Lo, b.Sum.Hi), all: b.Proved}
	}
	return p
}

// New returns an engine for m at rest. It panics if opt does not fit m.
func New(m *fixedpoint.Model, opt Options) *Engine { return newEngine(m, opt, prove(m)) }

func newEngine(m *fixedpoint.Model, opt Options, proofs []proof) *Engine {
	if err := opt.Check(m); err != nil {
		panic(err)
	}
	e := &Engine{m: m, opt: opt, layers: make([]layer, len(m.Layers))}
	first := 0
	for i, ml := range m.Layers {
		n := ml.Out
		l := &e.layers[i]
		*l = layer{
			Layer:   ml,
			classic: isClassic(&m.Arithmetic, &ml),
			q:       make([]int32, n), u: make([]int32, n), v: make([]int32, n), held: make([]int32, n), count: make([]int32, n),
			minus:     make([]int32, n),
			sumProved: proofs[i].sum,
		}
		travel := ml.Delay + 1 // a slot for each tick on the way and one for this tick
		if opt.Delay {
			travel++
		}
		l.ring = make([][]int32, travel)
		for t := range l.ring {
			l.ring[t] = make([]int32, 0, n*(1+m.Arithmetic.Fire.ExtraSpikes))
		}
		l.w8, _ = ml.Weights.Int8()
		l.w16, _ = ml.Weights.Int16()
		for k := range ml.In {
			for j := range n {
				w := ml.Weights.At(k, j) << ml.WeightExp
				l.heaviest = max(l.heaviest, w, -w)
			}
		}
		var ok bool
		l.lif, ok = newLIF(m.Arithmetic, ml)
		l.lifProved = proofs[i].all && ok && l.classic
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

// isClassic says whether steps 4 to 7 of a layer are those of fire: decays
// before the input, no leak, no bias, one threshold, reset to zero or by
// subtraction, one spike a tick. A mechanism that the layer switches off does
// not count.
func isClassic(a *fixedpoint.Arithmetic, l *fixedpoint.Layer) bool {
	state := func(s fixedpoint.State, decay, leak int64) bool {
		multiplies := s.Decay.Kind == fixedpoint.DecayNone || s.Decay.Kind == fixedpoint.DecayMultiply
		forgets := s.Decay.Kind == fixedpoint.DecayMultiply && decay != 0
		return multiplies && leak == 0 && (s.Place == fixedpoint.BeforeIntegrate || !forgets)
	}
	noBias := !a.Bias.Present
	if a.Bias.Present && !slices.ContainsFunc(l.Bias, func(b int64) bool { return b != 0 }) {
		r := a.Sum // a bias of 0 changes nothing in a register as wide as the current's
		if a.Current.Present {
			r = a.Current.Register
		}
		noBias = a.Bias.Register.Holds(r.Min(), r.Max())
	}
	neverBelow := !a.Fire.Negative.When.Holds(a.Membrane.Register.Min(), l.NegThreshold)
	return a.Update == fixedpoint.PerTick && a.Integrate == fixedpoint.IntegrateSum &&
		state(a.Current, l.CurrentDecay, l.CurrentLeak) && state(a.Membrane, l.MembraneDecay, l.MembraneLeak) &&
		noBias && neverBelow && l.Reset <= fixedpoint.ResetSubtract && l.Refractory <= 1 && a.Fire.ExtraSpikes == 0
}

// newLIF writes a layer's parameters as stepLIF takes them. It cannot for
// decays that round to nearest.
func newLIF(a fixedpoint.Arithmetic, l fixedpoint.Layer) (lif, bool) {
	p := lif{exp: uint8(l.WeightExp), fire: l.Threshold, threshold: l.Threshold}
	if a.Fire.When == fixedpoint.GT {
		p.fire++
	}
	if l.Integrator {
		p.fire = math.MaxInt64
	}
	if l.Reset == fixedpoint.ResetSubtract {
		p.keep = -1
	}
	var ok1, ok2 bool
	if a.Current.Present {
		p.current, ok1 = newScale(a.Current.Decay, l.CurrentDecay)
	} else {
		p.current, ok1 = scale{}, true // u = 0 + q
	}
	p.membrane, ok2 = newScale(a.Membrane.Decay, l.MembraneDecay)
	return p, ok1 && ok2
}

func newScale(d fixedpoint.Decay, param int64) (scale, bool) {
	if d.Kind == fixedpoint.DecayNone || d.Kind == fixedpoint.DecayMultiply && param == 0 {
		return scale{factor: 1}, true
	}
	if d.Kind != fixedpoint.DecayMultiply {
		return scale{}, false
	}
	full := int64(1) << d.FracBits
	if param == full {
		return scale{}, true
	}
	s := scale{factor: full - param, shift: uint8(d.FracBits)}
	switch d.Round {
	case fixedpoint.TowardZero:
		s.mask = full - 1
	case fixedpoint.Floor:
	default:
		return scale{}, false
	}
	return s, true
}

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
		switch {
		case e.m.Arithmetic.Update == fixedpoint.PerEvent:
			e.stepEvents(i, arriving)
		case l.classic:
			e.integrate(i, arriving)
			e.fire(i)
		default:
			e.stepAny(i, arriving)
		}
		*slot = l.fired
		l.events += uint64(len(arriving)) // 8.
		l.spikes += uint64(len(l.fired))
		for _, j := range l.fired {
			l.count[j]++
			if l.cores != nil {
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

// integrate is step 3. Plain adds are exact if no sum of the layer can
// overflow, or none can with so few spikes: |q| is at most their number times
// the heaviest weight. Mantissas are then summed first and shifted once,
// (Σw)·2^exp = Σ(w·2^exp).
func (e *Engine) integrate(i int, arriving []int32) {
	l, sum := &e.layers[i], e.m.Arithmetic.Sum
	clear(l.q)
	most := int64(len(arriving)) * l.heaviest
	l.scaled = l.sumProved || sum.Holds(-most, most)
	switch {
	case !l.scaled:
		for _, k := range arriving {
			for j := range l.q {
				l.q[j] = e.add(i, j, machine.Sum, int64(l.q[j]), l.Weights.At(int(k), j)<<l.WeightExp, sum, &l.sumOver)
			}
		}
	case l.w16 != nil:
		addRows(l.q, l.w16, arriving)
	default:
		addRows(l.q, l.w8, arriving)
	}
}

// fire is steps 4 to 7. The proof for the whole layer is one for the first
// Model.Ticks ticks from rest only; later ticks narrow.
func (e *Engine) fire(i int) {
	l, a := &e.layers[i], &e.m.Arithmetic
	if l.lifProved && e.tick < e.m.Ticks {
		l.fired = l.fired[:l.Out]
		l.fired = l.fired[:stepLIF(&l.lif, l.q, l.u, l.v, l.fired)]
		return
	}
	exp := 0
	if l.scaled {
		exp = l.WeightExp
	}
	l.fired = l.fired[:0]
	for j := range l.q {
		u := int64(l.q[j]) << exp
		if a.Current.Present {
			u = int64(e.add(i, j, machine.Current, a.Current.Decay.Apply(int64(l.u[j]), l.CurrentDecay), u, a.Current.Register, &l.curOver))
		}
		l.u[j] = int32(u)
		v := int64(e.add(i, j, machine.Membrane, a.Membrane.Decay.Apply(int64(l.v[j]), l.MembraneDecay), u, a.Membrane.Register, &l.memOver))
		if !l.Integrator && a.Fire.When.Fires(v, l.Threshold) {
			v = l.Reset.Apply(v, l.Threshold, 0)
			l.fired = append(l.fired, int32(j))
		}
		l.v[j] = int32(v)
	}
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
