package fixedpoint

import (
	"errors"
	"fmt"
	"slices"
)

// Lower writes m in the contract a so that every spike and every state stays
// what it was, or says why that cannot be done, all reasons at once, each a
// [RangeError] whose Field names layer and property. What may change is the
// form: > against ≥ moves the threshold by one, a narrower register is taken
// where Bounds proves that it never overflows, and a mechanism that a layer
// does not use (a leak of 0, a negative level out of reach, a place to forget
// where nothing is forgotten) may be missing or be switched off.
//
// Update, Integrate, Held and Fire.ExtraSpikes must be the same in both contracts:
// states in the middle of a tick differ between them.
//
// Lower never approximates: a network that does not lower has to be quantised
// for the target.
func Lower(m *Model, a Arithmetic) (*Model, error) {
	if err := a.Validate(); err != nil {
		return nil, err
	}
	var errs []error
	whole := func(field string, same bool, from, to any) {
		if !same {
			errs = append(errs, &RangeError{Field: field, Msg: fmt.Sprintf("got %v, want %v", from, to)})
		}
	}
	whole("update", m.Arithmetic.Update == a.Update, m.Arithmetic.Update, a.Update)
	whole("integrate", m.Arithmetic.Integrate == a.Integrate, m.Arithmetic.Integrate, a.Integrate)
	whole("fire.extra_spikes", m.Arithmetic.Fire.ExtraSpikes == a.Fire.ExtraSpikes, m.Arithmetic.Fire.ExtraSpikes, a.Fire.ExtraSpikes)
	held := func(a Arithmetic) string { return fmt.Sprintf("%s %d", a.Fire.When, a.Held) }
	whole("held", m.Arithmetic.Held == a.Held && (a.Held == 0 || m.Arithmetic.Fire.When == a.Fire.When), held(m.Arithmetic), held(a))
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	out := *m
	out.Arithmetic = a
	out.Layers = slices.Clone(m.Layers)
	for i := range out.Layers {
		l := &out.Layers[i]
		bad := func(field, format string, args ...any) {
			errs = append(errs, &RangeError{Field: fmt.Sprintf("layer %d: %s", i, field), Msg: fmt.Sprintf(format, args...)})
		}
		b := m.Bounds(i)
		register := func(field string, from, to Register, need Interval) {
			if from == to {
				return
			}
			for _, r := range []Register{from, to} {
				if !r.Holds(need.Lo, need.Hi) {
					bad(field, "may need %d..%d (%d bits), have %d", need.Lo, need.Hi, need.Bits(), r.Bits)
					return
				}
			}
		}
		src := m.Arithmetic
		if most := a.Weight.mostBits(); l.WeightBits > most {
			bad("weight_bits", "got %d, want at most %d", l.WeightBits, most)
		} else if src.Weight.Kind != a.Weight.Kind {
			a.Weight.check(*l, bad)
		}
		a.Weight.checkExp(*l, bad)
		if a.Integrate != IntegrateMembrane {
			register("sum", src.Sum, a.Sum, b.Sum)
		}
		switch {
		case src.Current.Present && a.Current.Present:
			register("current", src.Current.Register, a.Current.Register, b.Current)
			if d, err := lowerDecay(src.Current.Decay, a.Current.Decay, l.CurrentDecay); err != nil {
				bad("current_decay", "%v", err)
			} else {
				l.CurrentDecay = d
			}
			lowerLeak("current", src.Current, a.Current, l.CurrentDecay, l.CurrentLeak, bad)
		case src.Current.Present:
			if l.CurrentLeak != 0 {
				bad("current_leak", "got %d, want 0: the target has no synaptic current", l.CurrentLeak)
			}
			if src.Current.Place != BeforeIntegrate {
				bad("current.place", "got %s, want before_integrate: the target has no synaptic current", src.Current.Place)
			}
			if !forgetsAtOnce(src.Current.Decay, l.CurrentDecay) {
				off := "another kind"
				if src.Current.Decay.Kind == DecayMultiply {
					off = fmt.Sprint(int64(1) << src.Current.Decay.FracBits)
				}
				bad("current_decay", "got %d, want %s (off): the target has no synaptic current", l.CurrentDecay, off)
			}
			register("current", src.Current.Register, a.summed(), b.Current)
			l.CurrentDecay = 0
		case a.Current.Present:
			d := int64(1) << a.Current.Decay.FracBits
			if a.Current.Decay.Kind == DecayMultiply && a.Current.Decay.Accepts(d) && a.Current.Leak.Accepts(0) && a.Current.Place == BeforeIntegrate {
				l.CurrentDecay = d
				register("current", src.summed(), a.Current.Register, b.Current)
			} else {
				bad("current_decay", "got no synaptic current, and the target cannot switch its own off")
			}
		}
		lowerBias(l, src.Bias, a.Bias, b, bad)
		register("membrane", src.Membrane.Register, a.Membrane.Register, b.Membrane)
		if d, err := lowerDecay(src.Membrane.Decay, a.Membrane.Decay, l.MembraneDecay); err != nil {
			bad("membrane_decay", "%v", err)
		} else {
			l.MembraneDecay = d
		}
		lowerLeak("membrane", src.Membrane, a.Membrane, l.MembraneDecay, l.MembraneLeak, bad)
		lowerNegative(l, src, a, b, bad)
		if l.Refractory <= 1 && l.Refractory > a.Fire.RefractoryMax {
			l.Refractory = 0 // as 1, costs no tick
		}
		if l.Refractory > a.Fire.RefractoryMax {
			bad("refractory", "got %d, want 0..%d", l.Refractory, a.Fire.RefractoryMax)
		}
		if l.Delay > a.AxonDelayMax {
			bad("delay", "got %d, want 0..%d", l.Delay, a.AxonDelayMax)
		}
		usesValue := !l.Integrator && l.Reset == ResetValue || a.Fire.Negative.When != BelowNever && l.NegReset == NegValue
		if f := a.Fire.ResetValue; f == (Format{}) && !usesValue {
			l.ResetValue = 0 // nothing reads it
		} else if f != (Format{}) && !f.Contains(l.ResetValue) {
			bad("reset_value", "got %d, want a value of %s", l.ResetValue, f)
		}
		if l.Integrator {
			if top := min(b.Membrane.Hi, src.Membrane.Register.Max()); a.Held == 0 && a.Fire.When.Fires(top, a.Threshold.Max()) {
				bad("threshold", "a read-out membrane may reach %d, and the target's highest threshold is %d", top, a.Threshold.Max())
			}
			continue // the threshold never acts
		}
		if !slices.Contains(a.Fire.Resets, l.Reset) {
			bad("reset", "got %s, want one of %v", l.Reset, a.Fire.Resets)
		}
		if src.Fire.When != a.Fire.When {
			if l.Reset == ResetSubtract {
				bad("threshold", "got %s with reset subtract, want %s: moving the threshold by one would change what is subtracted", src.Fire.When, a.Fire.When)
			} else if a.Fire.When == GE {
				l.Threshold++
			} else {
				l.Threshold--
			}
		}
		if !a.Threshold.Contains(l.Threshold) || l.Threshold < 0 {
			bad("threshold", "got %d, want a value of %s from 0 on", l.Threshold, a.Threshold)
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return NewModel(out)
}

// summed is what holds q of step 4: the sum, or where that is split the 32 bits
// of the difference, which never overflow.
func (a Arithmetic) summed() Register {
	if a.Integrate == IntegrateSplit {
		return Register{Bits: 32, Signed: true}
	}
	return a.Sum
}

func forgetsAtOnce(d Decay, param int64) bool {
	return d.Kind == DecayMultiply && param == int64(1)<<d.FracBits
}

// lowerDecay finds the parameter of decay to that does what param does to from.
func lowerDecay(from, to Decay, param int64) (int64, error) {
	keeps := from.Kind == DecayNone || from.Kind == DecayMultiply && param == 0
	switch {
	case keeps && to.Accepts(0) && (to.Kind == DecayNone || to.Kind == DecayMultiply):
		return 0, nil
	case keeps:
		return 0, fmt.Errorf("got none, want %d..%d", to.Min, to.Max)
	case to.Kind == DecayNone && from.Kind != DecayMultiply:
		return 0, fmt.Errorf("got kind %s, want none: the target has no decay", from.Kind)
	case to.Kind == DecayNone:
		return 0, fmt.Errorf("got %d/%d a tick, want none: the target has no decay", param, int64(1)<<from.FracBits)
	case to.Kind != from.Kind:
		return 0, fmt.Errorf("got kind %s, want %s", from.Kind, to.Kind)
	case (to.Kind == DecayMultiply || to.Kind == DecayTowardInput) && (to.FracBits != from.FracBits || to.Round != from.Round):
		return 0, fmt.Errorf("got %d fraction bits rounded %s, want %d rounded %s", from.FracBits, from.Round, to.FracBits, to.Round)
	case !to.Accepts(param):
		return 0, fmt.Errorf("got %d, want %d..%d", param, to.Min, to.Max)
	}
	return param, nil
}

// lowerLeak checks that state to leaks k as from does, and at the same place
// where the layer forgets at all.
func lowerLeak(name string, from, to State, decay, k int64, bad func(field, format string, args ...any)) {
	switch {
	case from.Leak.Kind == LeakNone || k == 0:
		if !to.Leak.Accepts(0) {
			bad(name+"_leak", "got none, want %d..%d", to.Leak.Min, to.Leak.Max)
		}
	case to.Leak.Kind != from.Leak.Kind:
		bad(name+"_leak", "got %d, kind %s, want kind %s", k, from.Leak.Kind, to.Leak.Kind)
	case !to.Leak.Accepts(k):
		bad(name+"_leak", "got %d, want %d..%d", k, to.Leak.Min, to.Leak.Max)
	}
	if from.Place != to.Place && !from.keeps(decay, k) {
		bad(name+".place", "got %s, want %s", from.Place, to.Place)
	}
}

func lowerBias(l *Layer, from, to Bias, b LayerBounds, bad func(field, format string, args ...any)) {
	for j, x := range l.Bias {
		if !to.Accepts(x) {
			bad(fmt.Sprintf("bias[%d]", j), "got %d, which the target does not hold", x)
			return
		}
	}
	need := b.Bias
	if !from.Present {
		need = b.Current // the sum with a bias of 0
	}
	hold := func(x Bias) bool { return !x.Present || x.Register.Holds(need.Lo, need.Hi) }
	if from.Present == to.Present && from.Register == to.Register || hold(from) && hold(to) {
		return
	}
	bad("bias", "current and bias may need %d..%d (%d bits), more than one of the two registers holds", need.Lo, need.Hi, need.Bits())
}

// lowerNegative checks that the negative test of contract to does what that of
// from does, or that neither ever acts.
func lowerNegative(l *Layer, from, to Arithmetic, b LayerBounds, bad func(field, format string, args ...any)) {
	f, t := from.Fire.Negative, to.Fire.Negative
	if f.equal(t) && from.Fire.Negative.When == BelowNever {
		return
	}
	lowest := max(b.Membrane.Lo, from.Membrane.Register.Min())
	if f.When == t.When && f.When != BelowNever {
		switch {
		case l.NegThreshold < t.Min || l.NegThreshold > t.Max:
			bad("neg_threshold", "got %d, want %d..%d", l.NegThreshold, t.Min, t.Max)
		case !slices.Contains(t.Resets, l.NegReset):
			bad("neg_reset", "got %s, want one of %v", l.NegReset, t.Resets)
		case t.Paired && !l.Integrator && !l.NegReset.Goes(l.Reset):
			bad("neg_reset", "got %s with reset %s, want the same mode for both", l.NegReset, l.Reset)
		}
		return
	}
	if f.When.Holds(lowest, l.NegThreshold) {
		bad("neg_threshold", "got %s %d, want when %s", f.When, l.NegThreshold, t.When)
		return
	}
	l.NegThreshold, l.NegReset = 0, 0
	if t.When == BelowNever {
		return
	}
	if t.When.Holds(lowest, t.Min) {
		bad("neg_threshold", "a membrane may reach %d, and the target's lowest level is %d", lowest, t.Min)
		return
	}
	l.NegThreshold = t.Min
	for _, r := range t.Resets {
		if l.NegReset = r; !t.Paired || r.Goes(l.Reset) {
			break
		}
	}
}
