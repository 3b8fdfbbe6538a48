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
// where Bounds proves that it never overflows.
//
// Lower never approximates: a network that does not lower has to be quantised
// for the target.
func Lower(m *Model, a Arithmetic) (*Model, error) {
	if err := a.Validate(); err != nil {
		return nil, err
	}
	var errs []error
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
		if l.WeightBits > a.Weight.Bits {
			bad("weight_bits", "got %d, want at most %d", l.WeightBits, a.Weight.Bits)
		}
		if l.WeightExp < a.Weight.ExpMin || l.WeightExp > a.Weight.ExpMax {
			bad("weight_exp", "got %d, want %d..%d", l.WeightExp, a.Weight.ExpMin, a.Weight.ExpMax)
		}
		register("sum", src.Sum, a.Sum, b.Sum)
		switch {
		case src.Current.Present && a.Current.Present:
			register("current", src.Current.Register, a.Current.Register, b.Current)
			if d, err := lowerDecay(src.Current.Decay, a.Current.Decay, l.CurrentDecay); err != nil {
				bad("current_decay", "%v", err)
			} else {
				l.CurrentDecay = d
			}
		case src.Current.Present:
			if !forgetsAtOnce(src.Current.Decay, l.CurrentDecay) {
				bad("current_decay", "got %d, want %d (off): the target has no synaptic current", l.CurrentDecay, int64(1)<<src.Current.Decay.FracBits)
			}
			register("current", src.Current.Register, a.Sum, b.Current)
			l.CurrentDecay = 0
		case a.Current.Present:
			if d := int64(1) << a.Current.Decay.FracBits; a.Current.Decay.Kind == DecayMultiply && a.Current.Decay.Accepts(d) {
				l.CurrentDecay = d
				register("current", src.Sum, a.Current.Register, b.Current)
			} else {
				bad("current_decay", "got no synaptic current, and the target cannot switch its own off")
			}
		}
		register("membrane", src.Membrane.Register, a.Membrane.Register, b.Membrane)
		if d, err := lowerDecay(src.Membrane.Decay, a.Membrane.Decay, l.MembraneDecay); err != nil {
			bad("membrane_decay", "%v", err)
		} else {
			l.MembraneDecay = d
		}
		if l.Integrator {
			if a.Fire.When.Fires(b.Membrane.Hi, a.Threshold.Max()) {
				bad("threshold", "a read-out membrane may reach %d, and the target's highest threshold is %d", b.Membrane.Hi, a.Threshold.Max())
			}
			continue // threshold and reset never act
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

func forgetsAtOnce(d Decay, param int64) bool {
	return d.Kind == DecayMultiply && param == int64(1)<<d.FracBits
}

// lowerDecay finds the parameter of decay to that does what param does to from.
func lowerDecay(from, to Decay, param int64) (int64, error) {
	keeps := from.Kind == DecayNone || param == 0
	switch {
	case keeps && to.Accepts(0):
		return 0, nil
	case keeps:
		return 0, fmt.Errorf("got none, want %d..%d", to.Min, to.Max)
	case to.Kind == DecayNone:
		return 0, fmt.Errorf("got %d/%d a tick, want none: the target has no decay", param, int64(1)<<from.FracBits)
	case to.FracBits != from.FracBits || to.Round != from.Round:
		return 0, fmt.Errorf("got %d fraction bits rounded %s, want %d rounded %s", from.FracBits, from.Round, to.FracBits, to.Round)
	case !to.Accepts(param):
		return 0, fmt.Errorf("got %d, want %d..%d", param, to.Min, to.Max)
	}
	return param, nil
}
