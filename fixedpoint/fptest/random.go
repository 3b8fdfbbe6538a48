package fptest

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"glsnn/fixedpoint"
)

// between is uniform in lo..hi.
func between[T int | int64](rng *rand.Rand, lo, hi T) T {
	return lo + T(rng.Int64N(int64(hi-lo)+1))
}

func pick[T any](rng *rand.Rand, from ...T) T { return from[rng.IntN(len(from))] }

func coin(rng *rand.Rand) bool { return rng.IntN(2) == 0 }

// RandomArithmetic is a valid contract: registers of 3 to 32 bits, half of
// them of 3 to 8, with every overflow, rounding, decay, comparison and set of
// resets, with and without a synaptic current. Half of the contracts are
// classic; the others have any of the other mechanisms.
func RandomArithmetic(rng *rand.Rand) fixedpoint.Arithmetic { return random(rng, coin(rng)) }

// RandomClassic is a valid contract without any of them: models in it have no
// Extras, for consumers that know nothing else.
func RandomClassic(rng *rand.Rand) fixedpoint.Arithmetic { return random(rng, true) }

func random(rng *rand.Rand, classic bool) fixedpoint.Arithmetic {
	w := fixedpoint.Weight{Bits: between(rng, 2, 5), Signed: rng.IntN(8) > 0}
	if rng.IntN(4) == 0 {
		w.Bits = between(rng, 2, 16)
	}
	if !w.Signed && coin(rng) {
		w.Bits = 1
	}
	if rng.IntN(3) == 0 {
		w.ExpMin = between(rng, 0, 3)
	}
	w.ExpMax = w.ExpMin
	if coin(rng) {
		w.ExpMax = min(20, w.ExpMin+rng.IntN(4))
	}
	if rng.IntN(16) == 0 {
		w.ExpMax = 20
	}
	if !classic {
		switch w.Kind = pick(rng, fixedpoint.WeightInteger, fixedpoint.WeightInteger, fixedpoint.WeightSignByAxon, fixedpoint.WeightTypes, fixedpoint.WeightMixedSignLSB); w.Kind {
		case fixedpoint.WeightSignByAxon:
			w.Signed, w.Bits = false, min(w.Bits, 15)
		case fixedpoint.WeightMixedSignLSB:
			w.Signed, w.Bits = true, max(2, min(w.Bits, 15))
		case fixedpoint.WeightTypes:
			w.Signed, w.Bits = true, max(2, w.Bits)
			w.Types, w.TableBits = w.Bits+rng.IntN(3), w.Bits+rng.IntN(3)
		}
	}
	register := func() fixedpoint.Register {
		bits := between(rng, max(3, w.Bits), max(8, w.Bits))
		if coin(rng) {
			bits = between(rng, max(3, w.Bits), 32)
		}
		r := fixedpoint.Register{Bits: bits, Signed: true, Overflow: pick(rng, fixedpoint.Saturate, fixedpoint.Wrap)}
		if !classic && rng.IntN(4) == 0 {
			r.Overflow = fixedpoint.SaturateSymmetric
		}
		if !classic && rng.IntN(4) == 0 {
			r.Bits, r.Signed = min(r.Bits, 31), false
			r.Overflow = pick(rng, fixedpoint.Saturate, fixedpoint.Wrap)
		}
		return r
	}
	a := fixedpoint.Arithmetic{
		Weight:    w,
		Sum:       register(),
		Membrane:  fixedpoint.State{Present: true, Register: register(), Decay: randomDecay(rng)},
		Threshold: fixedpoint.Format{Bits: between(rng, 2, 9), Signed: rng.IntN(4) == 0},
		Fire: fixedpoint.Fire{
			When: pick(rng, fixedpoint.GT, fixedpoint.GE),
			Resets: pick(rng, []fixedpoint.Reset{fixedpoint.ResetZero}, []fixedpoint.Reset{fixedpoint.ResetSubtract},
				[]fixedpoint.Reset{fixedpoint.ResetZero, fixedpoint.ResetSubtract}),
		},
	}
	if coin(rng) {
		a.Current = fixedpoint.State{Present: true, Register: register(), Decay: randomDecay(rng)}
	}
	if rng.IntN(3) == 0 {
		a.Threshold.Bits = between(rng, 2, 33)
	}
	if rng.IntN(3) == 0 {
		a.Threshold.Exp = rng.IntN(7)
	}
	if !classic {
		randomMechanisms(rng, &a, register)
	}
	if err := a.Validate(); err != nil {
		panic("fptest: RandomArithmetic: " + err.Error())
	}
	return a
}

// randomMechanisms adds what a classic contract has not.
func randomMechanisms(rng *rand.Rand, a *fixedpoint.Arithmetic, register func() fixedpoint.Register) {
	forget := func(s *fixedpoint.State, places ...fixedpoint.Place) {
		s.Place = pick(rng, places...)
		if rng.IntN(3) == 0 {
			s.Decay = fixedpoint.Decay{Kind: pick(rng, fixedpoint.DecayByShift, fixedpoint.DecayByShiftMinOne), Max: int64(rng.IntN(8))}
		}
		switch k := int64(rng.IntN(20)); rng.IntN(3) {
		case 0:
			s.Leak = fixedpoint.Leak{Kind: fixedpoint.LeakToZero, Max: k}
		case 1:
			s.Leak = fixedpoint.Leak{Kind: fixedpoint.LeakConstant, Min: -k, Max: k / 2}
		}
	}
	forget(&a.Membrane, fixedpoint.BeforeIntegrate, fixedpoint.AfterIntegrate, fixedpoint.AfterTest)
	if a.Current.Present {
		forget(&a.Current, fixedpoint.BeforeIntegrate, fixedpoint.AfterIntegrate)
	}
	if rng.IntN(3) == 0 {
		a.Bias = fixedpoint.Bias{Present: true, Register: register(), Bits: between(rng, 2, 13), ExpMax: rng.IntN(3)}
	}
	if rng.IntN(3) == 0 {
		a.Fire.RefractoryMax = rng.IntN(5)
	}
	if rng.IntN(4) == 0 && a.Membrane.Place != fixedpoint.AfterTest {
		a.Fire.ExtraSpikes = rng.IntN(5)
	}
	if rng.IntN(3) == 0 {
		a.AxonDelayMax = rng.IntN(5)
	}
	if coin(rng) {
		a.Fire.Resets = pick(rng, []fixedpoint.Reset{fixedpoint.ResetValue}, []fixedpoint.Reset{fixedpoint.ResetSubtract, fixedpoint.ResetValue},
			[]fixedpoint.Reset{fixedpoint.ResetNone, fixedpoint.ResetZero})
	}
	if coin(rng) {
		a.Fire.Negative = fixedpoint.Negative{When: pick(rng, fixedpoint.LT, fixedpoint.LE), Min: -int64(rng.IntN(40)), Max: int64(rng.IntN(4)),
			Resets: []fixedpoint.NegReset{fixedpoint.NegSaturate, fixedpoint.NegValue, fixedpoint.NegSubtract, fixedpoint.NegNone}[rng.IntN(4):]}
		if coin(rng) {
			a.Fire.Negative.Resets = []fixedpoint.NegReset{fixedpoint.NegSaturate, fixedpoint.NegValue}
		}
		a.Fire.Negative.Paired = a.Fire.Negative.Resets[0] == fixedpoint.NegSaturate && coin(rng)
	}
	if slices.Contains(a.Fire.Resets, fixedpoint.ResetValue) || slices.Contains(a.Fire.Negative.Resets, fixedpoint.NegValue) {
		r := a.Membrane.Register
		a.Fire.ResetValue = fixedpoint.Format{Bits: between(rng, 2, r.Bits), Signed: r.Signed}
		if r.Overflow == fixedpoint.SaturateSymmetric {
			a.Fire.ResetValue.Bits = max(2, min(a.Fire.ResetValue.Bits, r.Bits-1))
		}
	}
	if rng.IntN(3) == 0 {
		a.Integrate, a.Sum, a.Current = fixedpoint.IntegrateMembrane, fixedpoint.Register{}, fixedpoint.State{}
		if coin(rng) {
			a.Update, a.Bias, a.Fire.RefractoryMax, a.Fire.ExtraSpikes = fixedpoint.PerEvent, fixedpoint.Bias{}, 0, 0
			a.Membrane.Place = fixedpoint.AfterIntegrate
		}
		if coin(rng) {
			a.Bias, a.Fire.RefractoryMax, a.Fire.Negative = fixedpoint.Bias{}, 0, fixedpoint.Negative{}
			a.Held = between(rng, 1, min(a.Membrane.Register.Max(), 1<<(a.Weight.Bits+3)))
			if !slices.Contains(a.Fire.Resets, fixedpoint.ResetValue) {
				a.Fire.ResetValue = fixedpoint.Format{}
			}
		}
	}
	if a.Integrate == fixedpoint.IntegrateSum {
		if least, most := max(3, a.Weight.Bits), 31-a.Weight.ExpMax; rng.IntN(4) == 0 && least <= most && a.Weight.Kind != fixedpoint.WeightTypes {
			a.Integrate, a.Sum = fixedpoint.IntegrateSplit, fixedpoint.Register{Bits: between(rng, least, most), Overflow: fixedpoint.Saturate}
		}
		if rng.IntN(4) == 0 {
			d := randomDecay(rng)
			for d.Kind == fixedpoint.DecayNone {
				d = randomDecay(rng)
			}
			d.Kind = fixedpoint.DecayTowardInput
			a.Membrane.Decay, a.Membrane.Leak, a.Membrane.Place = d, fixedpoint.Leak{}, fixedpoint.BeforeIntegrate
		}
	}
	if a.Weight.Kind == fixedpoint.WeightTypes {
		into := &a.Sum
		if a.Integrate == fixedpoint.IntegrateMembrane {
			into = &a.Membrane.Register
		}
		into.Overflow = fixedpoint.Wrap
	}
}

func randomDecay(rng *rand.Rand) fixedpoint.Decay {
	if rng.IntN(4) == 0 {
		return fixedpoint.Decay{}
	}
	d := fixedpoint.Decay{
		Kind:     fixedpoint.DecayMultiply,
		FracBits: pick(rng, 1, 2, 3, 4, 8, 12, 12, 15, 16),
		Round:    pick(rng, fixedpoint.RoundModes()...),
	}
	if coin(rng) { // the loader's common case
		d.Round = fixedpoint.TowardZero
	}
	full := int64(1) << d.FracBits
	d.Max = full
	if rng.IntN(4) == 0 {
		d.Min = between(rng, 0, full)
		d.Max = between(rng, d.Min, full)
	}
	return d
}

// ModelOptions bounds a random model; a zero field takes the limit named.
type ModelOptions struct {
	Arithmetic *fixedpoint.Arithmetic // RandomArithmetic
	Layers     int                    // at most; 4
	Neurons    int                    // a layer, at most; 11
	Ticks      int                    // at most; 14
	Readout    *fixedpoint.Readout    // either
	Classic    bool                   // RandomClassic in place of RandomArithmetic
}

// RandomModel is a valid model within o: odd sizes, weights dense, sparse,
// extreme, small or of one sign, decays at both ends and between, thresholds 0,
// the highest, and levels that a few weights reach.
func RandomModel(rng *rand.Rand, o ModelOptions) *fixedpoint.Model {
	limit := func(n, otherwise int) int {
		if n == 0 {
			return otherwise
		}
		return n
	}
	var a fixedpoint.Arithmetic
	if o.Arithmetic != nil {
		a = *o.Arithmetic
	} else if o.Classic {
		a = RandomClassic(rng)
	} else {
		a = RandomArithmetic(rng)
	}
	m := fixedpoint.Model{
		Arithmetic: a,
		Ticks:      between(rng, 1, limit(o.Ticks, 14)),
		Readout:    pick(rng, fixedpoint.ReadMembrane, fixedpoint.ReadCount),
		Encoding:   fixedpoint.Encoding{Kind: "random", Seed: rng.Uint64()},
	}
	if o.Readout != nil {
		m.Readout = *o.Readout
	}
	neurons := limit(o.Neurons, 11)
	layers := between(rng, 1, limit(o.Layers, 4))
	in := between(rng, 1, neurons)
	for l := range layers {
		last := l == layers-1
		out := between(rng, 1, neurons)
		if last {
			out = between(rng, 2, max(2, neurons))
		}
		m.Layers = append(m.Layers, randomLayer(rng, a, in, out, last && m.Readout == fixedpoint.ReadMembrane))
		in = out
	}
	m.Layers[layers-1].Delay = 0
	out, err := fixedpoint.NewModel(m)
	if err != nil {
		panic(fmt.Sprintf("fptest: RandomModel: %v", err))
	}
	return out
}

func randomLayer(rng *rand.Rand, a fixedpoint.Arithmetic, in, out int, integrator bool) fixedpoint.Layer {
	least := 1
	if a.Weight.Signed {
		least = 2
	}
	bits := a.Weight.Bits
	switch rng.IntN(4) {
	case 0:
		bits = between(rng, least, bits)
	case 1:
		if a.Weight.Kind == fixedpoint.WeightMixedSignLSB && a.Weight.ExpMax > a.Weight.ExpMin {
			bits++
		}
	}
	lo, hi := a.Weight.Range(bits)
	hi = min(hi, 1<<15-1) // a Matrix holds int16
	values := make([]int16, in*out)
	kind := rng.IntN(6)
	for i := range values {
		switch w := between(rng, lo, hi); kind {
		case 0, 1: // dense
			values[i] = int16(w)
		case 2: // sparse
			if rng.IntN(5) == 0 {
				values[i] = int16(w)
			}
		case 3: // extreme
			values[i] = int16(pick(rng, lo, hi, 0))
		case 4: // small
			values[i] = int16(between(rng, max(lo, -2), min(hi, 2)))
		case 5: // one sign
			values[i] = int16(min(hi, max(w, -w-1)))
		}
	}
	expMax := a.Weight.ExpMax
	if bits > a.Weight.Bits { // one sign, one bit more
		expMax--
		oneSign(values, coin(rng))
	}
	if a.Weight.Kind == fixedpoint.WeightSignByAxon {
		for k := range in {
			oneSign(values[k*out:(k+1)*out], coin(rng))
		}
	}
	l := fixedpoint.Layer{
		In: in, Out: out,
		Weights:       fixedpoint.NewMatrix(in, out, values),
		WeightBits:    bits,
		WeightExp:     between(rng, a.Weight.ExpMin, expMax),
		MembraneDecay: randomParam(rng, a.Membrane.Decay),
		Integrator:    integrator,
	}
	if a.Current.Present {
		l.CurrentDecay = randomParam(rng, a.Current.Decay)
		l.CurrentLeak = between(rng, a.Current.Leak.Min, a.Current.Leak.Max)
	}
	l.MembraneLeak = between(rng, a.Membrane.Leak.Min, a.Membrane.Leak.Max)
	if a.Bias.Present && rng.IntN(3) > 0 {
		l.Bias = make([]int64, out)
		for j := range l.Bias {
			m := int64(1) << (a.Bias.Bits - 1)
			l.Bias[j] = between(rng, -m, m-1) << between(rng, a.Bias.ExpMin, a.Bias.ExpMax) >> rng.IntN(a.Bias.Bits)
			if !a.Bias.Accepts(l.Bias[j]) {
				l.Bias[j] = 0
			}
		}
	}
	if f := a.Fire.ResetValue; f.Bits > 0 {
		l.ResetValue = between(rng, f.Min(), f.Max())
	}
	l.Refractory = rng.IntN(a.Fire.RefractoryMax + 1)
	l.Delay = rng.IntN(a.AxonDelayMax + 1)
	if !integrator {
		l.Threshold = randomThreshold(rng, a.Threshold, hi<<l.WeightExp)
	}
	if !integrator || a.Held != 0 {
		l.Reset = pick(rng, a.Fire.Resets...)
	}
	if n := a.Fire.Negative; n.When != fixedpoint.BelowNever {
		l.NegThreshold = between(rng, n.Min, n.Max)
		l.NegReset = pick(rng, n.Resets...)
		for n.Paired && !integrator && !l.NegReset.Goes(l.Reset) {
			l.Reset = pick(rng, a.Fire.Resets...)
			l.NegReset = pick(rng, n.Resets...)
		}
		if n.Paired && l.Reset == fixedpoint.ResetZero {
			l.ResetValue = 0
		}
	}
	return l
}

// oneSign makes values all ≤ 0 or all ≥ 0.
func oneSign(values []int16, negative bool) {
	for i, w := range values {
		if negative == (w > 0) {
			values[i] = -w
		}
	}
}

func randomParam(rng *rand.Rand, d fixedpoint.Decay) int64 {
	switch rng.IntN(5) {
	case 0:
		return d.Min
	case 1:
		return d.Max
	case 2: // slow
		return min(d.Max, d.Min+(d.Max-d.Min)/8)
	}
	return between(rng, d.Min, d.Max)
}

// randomThreshold is mostly a level that one to four of the largest weights
// reach.
func randomThreshold(rng *rand.Rand, f fixedpoint.Format, weight int64) int64 {
	var t int64
	switch rng.IntN(10) {
	case 0:
		return 0
	case 1:
		return f.Max()
	case 2:
		t = between(rng, 0, f.Max())
	default:
		t = between(rng, 0, min(max(1, weight)<<rng.IntN(3), f.Max()))
	}
	return t >> f.Exp << f.Exp
}

// RandomSpikes is a subset of 0..n−1 in ascending order, each taken with
// probability density.
func RandomSpikes(rng *rand.Rand, n int, density float64) []int32 {
	var s []int32
	for i := range n {
		if rng.Float64() < density {
			s = append(s, int32(i))
		}
	}
	return s
}

// RandomTrain is ticks sets of RandomSpikes.
func RandomTrain(rng *rand.Rand, ticks, n int, density float64) Train {
	t := make(Train, ticks)
	for i := range t {
		t[i] = RandomSpikes(rng, n, density)
	}
	return t
}

// Train is the input of one window: the spikes of each tick, ascending.
type Train [][]int32

// Ticks is the window, At the spikes of tick t.
func (t Train) Ticks() int       { return len(t) }
func (t Train) At(i int) []int32 { return t[i] }
