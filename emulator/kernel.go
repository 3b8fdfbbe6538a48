package emulator

import (
	"math"
	"slices"

	"glsnn/emulator/simd"
	"glsnn/fixedpoint"
)

// plan is what is worked out once for a layer of a model: its weights as the
// kernels of package simd take them, and what they may be used for. Engines of
// one model share it.
//
// The kernels add in 32 bits. Plain they are exact where Bounds, or the reach of
// a tick's spikes, prove that no register overflows: Narrow would return each
// value unchanged. Where nothing proves it they narrow after every add, in
// registers of at most 30 bits, so that what is narrowed fits 32.
type plan struct {
	rows   *simd.Rows // the weights, in one of the two
	w16    []int16    //
	lo, hi []int64    // of each axon: its least and largest weight, not above and not below 0

	classic   bool // steps 4 to 7 are those of fire, not of stepAny
	sumProved bool // no sum ever overflows
	allProved bool // no register does in the first Model.Ticks ticks

	hasLIF           bool     // plain is the layer's
	plain, narrowing simd.LIF // steps 4 to 7, the registers ignored or obeyed
	sum, membrane    simd.Narrow
	narrowsSum       bool // rows.Add may sum
	narrowsMembrane  bool // rows.Add may add to membranes
	narrowsLIF       bool // narrowing is the layer's

	isToward    bool       // plain is, of a membrane that moves toward its input, in the first Model.Ticks ticks
	isLeaky     bool       // steps 4 to 7, or of per_event the leak event, are leaky
	leaky, test simd.Leaky // test: without the leak
}

// halfFrom is the number of 4-bit weights from which a layer's take half a byte:
// those do not lie in a cache, and the memory is what a step waits for.
const halfFrom = 4 << 20

func newPlans(m *fixedpoint.Model) []plan { return newPlansFor(m, m.Layers, false) }

// newPlansFor is newPlans for layers that are m's or hold copies of its weights;
// plastic: whatever weights they come to hold.
func newPlansFor(m *fixedpoint.Model, layers []fixedpoint.Layer, plastic bool) []plan {
	plans := make([]plan, len(m.Layers))
	a := &m.Arithmetic
	for i := range plans {
		l, p := &layers[i], &plans[i]
		p.lo, p.hi = make([]int64, l.In), make([]int64, l.In)
		if _, ok := l.Weights.Int8(); ok {
			lo, hi := a.Weight.Range(l.WeightBits)
			p.rows = simd.NewRows(l.In, l.Out, lo >= -8 && hi <= 7 && l.In*l.Out >= halfFrom && !plastic)
			l.Weights.EachRow(func(k int, row []int8) {
				least, most := p.rows.Set(k, row)
				p.lo[k], p.hi[k] = int64(least)<<l.WeightExp, int64(most)<<l.WeightExp
			})
		} else {
			p.w16, _ = l.Weights.Int16()
			for k := range l.In {
				for _, w := range p.w16[k*l.Out:][:l.Out] {
					p.lo[k], p.hi[k] = min(p.lo[k], int64(w)<<l.WeightExp), max(p.hi[k], int64(w)<<l.WeightExp)
				}
			}
		}
		var b fixedpoint.LayerBounds
		if plastic {
			b = m.BoundsOfAny(i)
			lo, hi := a.Weight.Range(l.WeightBits)
			for k := range p.lo {
				p.lo[k], p.hi[k] = min(0, lo)<<l.WeightExp, max(0, hi)<<l.WeightExp
			}
		} else {
			b = m.Bounds(i)
		}
		p.classic = isClassic(a, l)
		p.sumProved = a.Integrate == fixedpoint.IntegrateSum && a.Sum.Holds(b.Sum.Lo, b.Sum.Hi)
		p.allProved = b.Proved
		const most = 1 << 30 // of what is added to a register of 30 bits
		light := p.rows != nil && slices.Min(p.lo) > -most && slices.Max(p.hi) < most
		var sum, current, membrane bool
		p.sum, sum = newNarrow(a.Sum)
		p.membrane, membrane = newNarrow(a.Membrane.Register)
		p.narrowsSum = sum && light
		// What wraps below its least comes near what Held tests against.
		p.narrowsMembrane = membrane && light && (a.Held == 0 || a.Membrane.Register.Overflow != fixedpoint.Wrap || a.Update == fixedpoint.PerEvent)
		p.leaky, p.isLeaky = newLeaky(a, l, p.membrane)
		p.isLeaky = p.isLeaky && membrane
		p.test = p.leaky
		p.test.Leak, p.test.Add = 0, 0
		p.plain, p.isToward = newToward(a, l, b)
		if !p.classic {
			continue
		}
		p.plain, p.hasLIF = newLIF(a, l)
		p.narrowing = p.plain
		// Every u and v lies in its register, and where all is proved in its bounds.
		r, c := a.Membrane.Register, a.Sum
		if a.Current.Present {
			c = a.Current.Register
		}
		p.narrowing.Split = p.plain.Current.Splits(c.Min(), c.Max()) && p.plain.Membrane.Splits(r.Min(), r.Max())
		p.plain.Split = p.narrowing.Split ||
			p.plain.Current.Splits(b.Current.Lo, b.Current.Hi) && p.plain.Membrane.Splits(b.Membrane.Lo, b.Membrane.Hi)
		p.narrowing.Narrows, p.narrowing.V = 1, p.membrane
		p.narrowing.U, current = simd.Narrow{Lo: math.MinInt32, Hi: math.MaxInt32, Mask: -1}, true // u = q
		if a.Current.Present {
			p.narrowing.U, current = newNarrow(a.Current.Register)
		}
		p.narrowsLIF = p.hasLIF && sum && current && membrane
	}
	return plans
}

// reach is the range of every partial sum of these axons' weights.
func (p *plan) reach(arriving []int32) (lo, hi int64) {
	for _, k := range arriving {
		lo += p.lo[k]
		hi += p.hi[k]
	}
	return lo, hi
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
	return a.Update == fixedpoint.PerTick && a.Integrate == fixedpoint.IntegrateSum &&
		state(a.Current, l.CurrentDecay, l.CurrentLeak) && state(a.Membrane, l.MembraneDecay, l.MembraneLeak) && isPlain(a, l)
}

// isPlain says whether a neuron has no bias, one threshold, a reset to zero or by
// subtraction, and one spike a tick.
func isPlain(a *fixedpoint.Arithmetic, l *fixedpoint.Layer) bool {
	noBias := !a.Bias.Present
	if a.Bias.Present && !slices.ContainsFunc(l.Bias, func(b int64) bool { return b != 0 }) {
		r := a.Sum // a bias of 0 changes nothing in a register as wide as the current's
		if a.Current.Present {
			r = a.Current.Register
		}
		noBias = a.Bias.Register.Holds(r.Min(), r.Max())
	}
	neverBelow := !a.Fire.Negative.When.Holds(a.Membrane.Register.Min(), l.NegThreshold)
	return noBias && neverBelow && l.Reset <= fixedpoint.ResetSubtract && l.Refractory <= 1 && a.Fire.ExtraSpikes == 0
}

// newFire is a LIF of a layer's threshold and reset.
func newFire(a *fixedpoint.Arithmetic, l *fixedpoint.Layer) simd.LIF {
	above := l.Threshold // fires where v > above
	if a.Fire.When == fixedpoint.GE {
		above--
	}
	if l.Integrator {
		above = math.MaxInt32
	}
	// Beyond 32 bits a threshold is never reached.
	p := simd.LIF{Above: int32(min(above, math.MaxInt32)), Threshold: int32(min(l.Threshold, math.MaxInt32))}
	if l.Reset == fixedpoint.ResetSubtract {
		p.Keep = -1
	}
	return p
}

// newLIF writes a layer's parameters as simd.Step takes them. It cannot for
// decays that round to nearest.
func newLIF(a *fixedpoint.Arithmetic, l *fixedpoint.Layer) (simd.LIF, bool) {
	p := newFire(a, l)
	ok1, ok2 := true, false
	if a.Current.Present { // else u = 0 + q
		p.Current, ok1 = newDecay(a.Current.Decay, l.CurrentDecay)
	}
	p.Membrane, ok2 = newDecay(a.Membrane.Decay, l.MembraneDecay)
	return p, ok1 && ok2
}

// newToward writes a layer's parameters as simd.Step takes them where a membrane moves
// toward sums that reach it as they are, and b proves that nothing overflows.
func newToward(a *fixedpoint.Arithmetic, l *fixedpoint.Layer, b fixedpoint.LayerBounds) (p simd.LIF, ok bool) {
	d := a.Membrane.Decay
	if a.Update != fixedpoint.PerTick || d.Kind != fixedpoint.DecayTowardInput || a.Current.Present || !b.Proved || !isPlain(a, l) {
		return p, false
	}
	p = newFire(a, l)
	full := int64(1) << d.FracBits
	p.Toward, p.Half = true, d.Round == fixedpoint.HalfUp
	p.Membrane = simd.Decay{Factor: int32(full - l.MembraneDecay), Shift: int32(d.FracBits)}
	if d.Round == fixedpoint.Floor {
		p.Membrane.Round = int32(full - 1)
	}
	rounds := p.Half || d.Round == fixedpoint.Floor || d.Round == fixedpoint.TowardZero
	return p, rounds && p.Membrane.Splits(b.Current.Lo-b.Membrane.Hi, b.Current.Hi-b.Membrane.Lo)
}

// newLeaky writes a layer's parameters as simd.StepLeaky takes them. It can where
// weights go into the membrane and what it then forgets is a leak alone.
func newLeaky(a *fixedpoint.Arithmetic, l *fixedpoint.Layer, v simd.Narrow) (p simd.Leaky, ok bool) {
	s, d := a.Membrane, a.Membrane.Decay.Kind
	forgets := s.Leak.Kind != fixedpoint.LeakNone && l.MembraneLeak != 0
	if a.Integrate != fixedpoint.IntegrateMembrane || a.Bias.Present || a.Fire.ExtraSpikes > 0 || l.Refractory > 1 ||
		d != fixedpoint.DecayNone && (d != fixedpoint.DecayMultiply || l.MembraneDecay != 0) || forgets && s.Place != fixedpoint.AfterIntegrate {
		return p, false
	}
	fits := func(x int64) int32 {
		ok = ok && x >= -1<<30 && x <= 1<<30
		return int32(x)
	}
	ok = true
	p.V = v
	switch s.Leak.Kind {
	case fixedpoint.LeakToZero:
		p.Leak = fits(l.MembraneLeak)
	case fixedpoint.LeakConstant:
		p.Add = fits(l.MembraneLeak)
	}
	// Nothing is above or below what 32 bits end at.
	p.Above, p.Below = math.MaxInt32, math.MinInt32
	threshold, tested := a.Tests(l)
	if tested {
		above := threshold
		if a.Fire.When == fixedpoint.GE {
			above--
		}
		p.Above = int32(max(math.MinInt32, min(above, math.MaxInt32)))
	}
	switch l.Reset {
	case fixedpoint.ResetSubtract:
		p.AboveKeep, p.AboveAdd = -1, fits(-threshold)
	case fixedpoint.ResetValue:
		p.AboveAdd = fits(l.ResetValue)
	case fixedpoint.ResetNone:
		p.AboveKeep = -1
	}
	n := l.NegThreshold
	switch a.Fire.Negative.When {
	case fixedpoint.BelowNever:
		return p, ok
	case fixedpoint.LT:
		p.Below = int32(max(math.MinInt32, min(n, math.MaxInt32)))
	case fixedpoint.LE:
		p.Below = int32(max(math.MinInt32, min(n+1, math.MaxInt32)))
	}
	switch l.NegReset {
	case fixedpoint.NegSaturate:
		p.BelowAdd = fits(n)
	case fixedpoint.NegValue:
		p.BelowAdd = fits(-l.ResetValue)
	case fixedpoint.NegSubtract:
		p.BelowKeep, p.BelowAdd = -1, fits(-n)
	case fixedpoint.NegNone:
		p.BelowKeep = -1
	}
	return p, ok
}

func newDecay(d fixedpoint.Decay, param int64) (simd.Decay, bool) {
	if d.Kind == fixedpoint.DecayNone || d.Kind == fixedpoint.DecayMultiply && param == 0 {
		return simd.Decay{Factor: 1}, true
	}
	if d.Kind != fixedpoint.DecayMultiply {
		return simd.Decay{}, false
	}
	full := int64(1) << d.FracBits
	if param == full {
		return simd.Decay{}, true
	}
	s := simd.Decay{Factor: int32(full - param), Shift: int32(d.FracBits)}
	if d.Round == fixedpoint.Floor {
		s.Round = int32(full - 1)
	}
	return s, d.Round == fixedpoint.Floor || d.Round == fixedpoint.TowardZero
}

// newNarrow writes a register as the kernels take it, if they take it.
func newNarrow(r fixedpoint.Register) (simd.Narrow, bool) {
	if r.Bits < 1 || r.Bits > 30 {
		return simd.Narrow{}, false
	}
	if r.Overflow == fixedpoint.Wrap {
		return simd.Narrow{Lo: math.MinInt32, Hi: math.MaxInt32, Base: int32(r.Min()), Mask: 1<<r.Bits - 1}, true
	}
	return simd.Narrow{Lo: int32(r.Min()), Hi: int32(r.Max()), Mask: -1}, true
}

// addRows adds rows of w, a matrix with len(acc) columns of weights too wide
// for package simd, to acc:
//
//	for _, r := range rows {
//		for j := range acc {
//			acc[j] += int32(w[int(r)*len(acc)+j])
//		}
//	}
//
// Integer adds commute while nothing overflows, so four rows are taken at a
// time: one load and one store of acc for four weights. The caller has proved
// that every partial sum of every order fits int32.
func addRows(acc []int32, w []int16, rows []int32) {
	n := len(acc)
	for ; len(rows) >= 4; rows = rows[4:] {
		a := w[int(rows[0])*n:][:len(acc)]
		b := w[int(rows[1])*n:][:len(acc)]
		c := w[int(rows[2])*n:][:len(acc)]
		d := w[int(rows[3])*n:][:len(acc)]
		for j := range acc {
			acc[j] += int32(a[j]) + int32(b[j]) + int32(c[j]) + int32(d[j])
		}
	}
	for _, r := range rows {
		a := w[int(r)*n:][:len(acc)]
		for j := range acc {
			acc[j] += int32(a[j])
		}
	}
}
