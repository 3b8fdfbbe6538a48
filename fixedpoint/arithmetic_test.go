package fixedpoint_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"glsnn/fixedpoint"
	"glsnn/fixedpoint/fptest"
)

// base is a small valid contract with every part present.
func base() fixedpoint.Arithmetic {
	r := fixedpoint.Register{Bits: 8, Signed: true}
	d := fixedpoint.Decay{Kind: fixedpoint.DecayMultiply, FracBits: 3, Max: 8}
	return fixedpoint.Arithmetic{
		Weight:    fixedpoint.Weight{Bits: 4, Signed: true, ExpMax: 2},
		Sum:       r,
		Current:   fixedpoint.State{Present: true, Register: r, Decay: d},
		Membrane:  fixedpoint.State{Present: true, Register: r, Decay: d},
		Threshold: fixedpoint.Format{Bits: 7},
		Fire:      fixedpoint.Fire{When: fixedpoint.GE, Resets: []fixedpoint.Reset{fixedpoint.ResetZero, fixedpoint.ResetSubtract}},
	}
}

// lines are the messages of a joined error, one fault a line.
func lines(err error) []string {
	if err == nil {
		return nil
	}
	return strings.Split(err.Error(), "\n")
}

func TestArithmeticValidateEachFault(t *testing.T) {
	type a = fixedpoint.Arithmetic
	for _, c := range []struct {
		edit func(*a)
		want string // "" if valid
	}{
		{func(x *a) {}, ""},
		{func(x *a) { x.Weight.Bits = 1 }, "weight.bits: got 1, want 2..16"},
		{func(x *a) { x.Weight.Bits = 1; x.Weight.Signed = false }, ""},
		{func(x *a) { x.Weight.Bits = 0; x.Weight.Signed = false }, "weight.bits: got 0, want 1..16"},
		{func(x *a) { x.Weight.Bits = 17 }, "weight.bits: got 17, want 2..16"},
		{func(x *a) { x.Weight.ExpMin = -1 }, "weight.exp_min: got -1, want 0..20"},
		{func(x *a) { x.Weight.ExpMin = 3 }, "weight.exp_max: got 2, want 3..20"},
		{func(x *a) { x.Weight.ExpMax = 21 }, "weight.exp_max: got 21, want 0..20"},
		{func(x *a) { x.Sum.Bits = 2 }, "sum.bits: got 2, want 3..32"},
		{func(x *a) { x.Sum.Bits = 33 }, "sum.bits: got 33, want 3..32"},
		{func(x *a) { x.Sum.Bits = 3 }, "sum.bits: got 3, want at least the 4 of weight.bits"},
		{func(x *a) { x.Sum.Bits = 4 }, ""},
		{func(x *a) { x.Sum.Overflow = 3 }, "sum.overflow: got 3, want one of saturate, wrap, saturate_symmetric"},
		{func(x *a) { x.Sum.Signed = false }, ""},
		{func(x *a) { x.Sum.Signed = false; x.Sum.Bits = 32 }, "sum.signed: got false with 32 bits, want true"},
		{func(x *a) { x.Sum.Signed = false; x.Sum.Overflow = 2 }, "sum.signed: got false with overflow saturate_symmetric, want true"},
		{func(x *a) { x.Current.Register.Bits = 40 }, "current.register.bits: got 40, want 3..32"},
		{func(x *a) { x.Current.Decay.FracBits = 0 }, "current.decay.frac_bits: got 0, want 1..16"},
		{func(x *a) { x.Current.Present = false }, "current: got fields with present false, want none"},
		{func(x *a) { x.Current = fixedpoint.State{} }, ""},
		{func(x *a) { x.Membrane.Present = false }, "membrane.present: got false, want true: a neuron without a membrane cannot fire"},
		{func(x *a) { x.Membrane.Register.Signed = false }, ""},
		{func(x *a) { x.Membrane.Decay.FracBits = 17 }, "membrane.decay.frac_bits: got 17, want 1..16"},
		{func(x *a) { x.Membrane.Decay.Min = -1 }, "membrane.decay.min: got -1, want 0..8"},
		{func(x *a) { x.Membrane.Decay.Min = 8 }, ""},
		{func(x *a) { x.Membrane.Decay.Max = 9 }, "membrane.decay.max: got 9, want 0..8"},
		{func(x *a) { x.Membrane.Decay.Min = 4; x.Membrane.Decay.Max = 3 }, "membrane.decay.max: got 3, want 4..8"},
		{func(x *a) { x.Membrane.Decay.Round = 5 }, "membrane.decay.round: got 5, want one of toward_zero, floor, nearest_even, half_away, half_up"},
		{func(x *a) { x.Membrane.Decay.Kind = 5 }, "membrane.decay.kind: got 5, want one of none, multiply, shift, shift_min_one, toward_input"},
		{func(x *a) { x.Membrane.Decay.Kind = fixedpoint.DecayNone }, "membrane.decay: got parameters with kind none, want zeros"},
		{func(x *a) { x.Membrane.Decay = fixedpoint.Decay{Round: fixedpoint.Floor} }, "membrane.decay: got parameters with kind none, want zeros"},
		{func(x *a) { x.Membrane.Decay = fixedpoint.Decay{} }, ""},
		{func(x *a) { x.Threshold.Bits = 0 }, "threshold: bits: got 0, want 1..40"},
		{func(x *a) { x.Threshold.Exp = 34 }, "threshold: exp: got 34, want 0..33"},
		{func(x *a) { x.Fire.When = 2 }, "fire.when: got 2, want one of gt, ge"},
		{func(x *a) { x.Fire.Resets = nil }, "fire.resets: got none, want at least one of zero, subtract, value, none"},
		{func(x *a) { x.Fire.Resets = []fixedpoint.Reset{4} }, "fire.resets: got 4, want one of zero, subtract, value, none"},
		{func(x *a) { x.Fire.Resets = []fixedpoint.Reset{1, 1} }, "fire.resets: got subtract twice, want each once"},
	} {
		x := base()
		c.edit(&x)
		err := x.Validate()
		var want []string
		if c.want != "" {
			want = []string{c.want}
		}
		if got := lines(err); !reflect.DeepEqual(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		if re := (*fixedpoint.RangeError)(nil); err != nil && !errors.As(err, &re) {
			t.Errorf("%v: no RangeError inside", err)
		}
	}
}

// TestMechanismsValidate breaks what a classic contract has not.
func TestMechanismsValidate(t *testing.T) {
	type a = fixedpoint.Arithmetic
	event := func(x *a) {
		x.Update, x.Integrate, x.Sum, x.Current = fixedpoint.PerEvent, fixedpoint.IntegrateMembrane, fixedpoint.Register{}, fixedpoint.State{}
		x.Membrane.Place = fixedpoint.AfterIntegrate
	}
	types := func(x *a) {
		x.Weight.Kind, x.Weight.Types, x.Weight.TableBits, x.Sum.Overflow = fixedpoint.WeightTypes, 4, 9, fixedpoint.Wrap
	}
	bias := func(x *a) { x.Bias = fixedpoint.Bias{Present: true, Register: x.Sum, Bits: 13, ExpMax: 7} }
	negative := func(x *a) {
		x.Fire.Negative = fixedpoint.Negative{When: fixedpoint.LT, Min: -5, Resets: []fixedpoint.NegReset{fixedpoint.NegSaturate}}
	}
	for _, c := range []struct {
		edit []func(*a)
		want string // "" if valid
	}{
		{[]func(*a){event}, ""},
		{[]func(*a){types}, ""},
		{[]func(*a){bias}, ""},
		{[]func(*a){negative}, ""},
		{[]func(*a){func(x *a) { x.Update = 2 }}, "update: got 2, want one of per_tick, per_event"},
		{[]func(*a){func(x *a) { x.Integrate = 3 }}, "integrate: got 3, want one of sum, membrane, split"},
		{[]func(*a){event, func(x *a) { x.Sum.Bits = 8 }}, "sum: got a register with integrate membrane, want null"},
		{[]func(*a){event, func(x *a) { x.Current = base().Current }}, "current.present: got true with integrate membrane, want false: weights pass no current"},
		{[]func(*a){event, func(x *a) { x.Integrate, x.Sum = fixedpoint.IntegrateSum, base().Sum }}, "integrate: got sum with update per_event, want membrane: there is no sum of a tick"},
		{[]func(*a){event, func(x *a) { x.Bias = fixedpoint.Bias{Present: true, Register: base().Sum, Bits: 3} }}, "bias.present: got true with update per_event, want false: a bias belongs to a tick"},
		{[]func(*a){event, func(x *a) { x.Membrane.Place = 0 }}, "membrane.place: got before_integrate with update per_event, want after_integrate: forgetting is the event that ends a tick"},
		{[]func(*a){event, func(x *a) { x.Fire.RefractoryMax = 2 }}, "fire.refractory_max: got 2 with update per_event, want 0: refractory periods count ticks"},
		{[]func(*a){event, func(x *a) { x.Fire.ExtraSpikes = 2 }}, "fire.extra_spikes: got 2 with update per_event, want 0: one test an event"},
		{[]func(*a){event, func(x *a) { x.Held = 128 }}, "held: got 128, want 1..127, or 0 for none"},
		{[]func(*a){func(x *a) { x.Held = 2 }}, "held: got 2 with integrate sum, want 0: thresholds are held while weights go into the membrane"},
		{[]func(*a){event, func(x *a) { x.Update, x.Held = 0, 127 }}, ""},
		{[]func(*a){event, func(x *a) { x.Update, x.Held = 0, 128 }}, "held: got 128, want 1..127, or 0 for none"},
		{[]func(*a){event, func(x *a) { x.Update, x.Held = 0, -1 }}, "held: got -1, want 1..127, or 0 for none"},
		{[]func(*a){event, func(x *a) { x.Update, x.Held, x.Fire.RefractoryMax = 0, 9, 2 }}, "held: got 9 with a bias, a refractory period or a negative threshold, want 0: it is for weights and one test alone"},
		{[]func(*a){types, func(x *a) { x.Sum.Overflow = 0 }}, "sum.overflow: got saturate, want wrap: a weight spread over several axons is one add only in modular sums"},
		{[]func(*a){types, event, func(x *a) { x.Membrane.Register.Overflow = 0 }}, "membrane.register.overflow: got saturate, want wrap: a weight spread over several axons is one add only in modular sums"},
		{[]func(*a){types, func(x *a) { x.Weight.Types = 3 }}, "weight.types: got 3, want 4..64: a type for each of weight.bits"},
		{[]func(*a){types, func(x *a) { x.Weight.TableBits = 3 }}, "weight.table_bits: got 3, want 4..32: an entry holds the largest of weight.bits"},
		{[]func(*a){types, func(x *a) { x.Weight.Signed = false }}, "weight.signed: got false with kind types, want true"},
		{[]func(*a){func(x *a) { x.Weight.Types = 3 }}, "weight.types: got a table with kind integer, want none"},
		{[]func(*a){func(x *a) { x.Weight.Kind = 4 }}, "weight.kind: got 4, want one of integer, sign_by_axon, types, mixed_sign_lsb"},
		{[]func(*a){func(x *a) { x.Weight.Kind = fixedpoint.WeightSignByAxon }}, "weight.signed: got true with kind sign_by_axon, want false"},
		{[]func(*a){func(x *a) { x.Current.Place = fixedpoint.AfterTest }}, "current.place: got after_test, want before_integrate or after_integrate"},
		{[]func(*a){func(x *a) { x.Membrane.Place = 3 }}, "membrane.place: got 3, want one of before_integrate, after_integrate, after_test"},
		{[]func(*a){func(x *a) { x.Membrane.Place = fixedpoint.AfterTest; x.Fire.ExtraSpikes = 1 }}, "fire.extra_spikes: got 1 with membrane.place after_test, want 0"},
		{[]func(*a){func(x *a) { x.Membrane.Leak.Max = 1 }}, "membrane.leak: got parameters with kind none, want zeros"},
		{[]func(*a){func(x *a) { x.Membrane.Leak = fixedpoint.Leak{Kind: 3} }}, "membrane.leak.kind: got 3, want one of none, toward_zero, constant"},
		{[]func(*a){func(x *a) { x.Membrane.Leak = fixedpoint.Leak{Kind: fixedpoint.LeakToZero, Min: -1} }}, "membrane.leak.min: got -1, want 0..2147483647"},
		{[]func(*a){func(x *a) { x.Membrane.Leak = fixedpoint.Leak{Kind: fixedpoint.LeakConstant, Min: 1} }}, "membrane.leak.max: got 0, want 1..2147483647"},
		{[]func(*a){func(x *a) { x.Membrane.Decay = fixedpoint.Decay{Kind: fixedpoint.DecayByShift, Max: 32} }}, "membrane.decay.max: got 32, want 0..31"},
		{[]func(*a){func(x *a) { x.Membrane.Decay.Kind = fixedpoint.DecayByShift }}, "membrane.decay: got fraction bits or a rounding with kind shift, want neither"},
		{[]func(*a){bias, func(x *a) { x.Bias.Bits = 1 }}, "bias.bits: got 1, want 2..32"},
		{[]func(*a){bias, func(x *a) { x.Bias.ExpMax = 9 }}, "bias.exp_max: got 9, want 0..8"},
		{[]func(*a){bias, func(x *a) { x.Bias.Register.Bits = 33 }}, "bias.register.bits: got 33, want 3..32"},
		{[]func(*a){bias, func(x *a) { x.Bias.Present = false }}, "bias: got fields with present false, want none"},
		{[]func(*a){func(x *a) { x.Fire.Resets = []fixedpoint.Reset{fixedpoint.ResetValue} }}, "fire.reset_value: bits: got 0, want 1..40"},
		{[]func(*a){func(x *a) { x.Fire.ResetValue.Bits = 3 }}, "fire.reset_value: got a format without reset value, want null"},
		{[]func(*a){func(x *a) {
			x.Fire.Resets, x.Fire.ResetValue = []fixedpoint.Reset{fixedpoint.ResetValue}, fixedpoint.Format{Bits: 9, Signed: true}
		}}, "fire.reset_value: got s9, want a format within the membrane's s8"},
		{[]func(*a){func(x *a) { x.Fire.ExtraSpikes = 256 }}, "fire.extra_spikes: got 256, want 0..255"},
		{[]func(*a){func(x *a) { x.Fire.RefractoryMax = -1 }}, "fire.refractory_max: got -1, want 0..65536"},
		{[]func(*a){negative, func(x *a) { x.Fire.Negative.When = 0 }}, "fire.negative: got fields with when none, want none"},
		{[]func(*a){negative, func(x *a) { x.Fire.Negative.When = 3 }}, "fire.negative.when: got 3, want one of none, lt, le"},
		{[]func(*a){negative, func(x *a) { x.Fire.Negative.Max = -6 }}, "fire.negative.max: got -6, want -5..4294967296"},
		{[]func(*a){negative, func(x *a) { x.Fire.Negative.Resets = nil }}, "fire.negative.resets: got none, want at least one of saturate, value, subtract, none"},
		{[]func(*a){negative, func(x *a) { x.Fire.Negative.Resets = []fixedpoint.NegReset{4} }}, "fire.negative.resets: got 4, want one of saturate, value, subtract, none"},
		{[]func(*a){func(x *a) { x.AxonDelayMax = 256 }}, "axon_delay_max: got 256, want 0..255"},
	} {
		x := base()
		for _, edit := range c.edit {
			edit(&x)
		}
		var want []string
		if c.want != "" {
			want = []string{c.want}
		}
		if got := lines(x.Validate()); !reflect.DeepEqual(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestArithmeticValidateGathers breaks one field in every part.
func TestArithmeticValidateGathers(t *testing.T) {
	x := base()
	x.Weight.Bits, x.Weight.ExpMin, x.Weight.ExpMax = 0, 21, 22
	x.Sum = fixedpoint.Register{Overflow: 7}
	x.Current.Register.Bits, x.Current.Decay.Kind = 1, 9
	x.Membrane.Decay.Min, x.Membrane.Decay.Max, x.Membrane.Decay.Round = 9, 8, 8
	x.Threshold = fixedpoint.Format{}
	x.Fire = fixedpoint.Fire{When: 5}
	want := []string{"weight.bits", "weight.exp_min", "weight.exp_max", "sum.bits", "sum.overflow",
		"current.register.bits", "current.decay.kind", "membrane.decay.min", "membrane.decay.max", "membrane.decay.round",
		"threshold", "fire.when", "fire.resets"}
	var got []string
	for _, l := range lines(x.Validate()) {
		field, _, _ := strings.Cut(l, ": ")
		got = append(got, field)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWideIsValid(t *testing.T) {
	if err := fixedpoint.Wide().Validate(); err != nil {
		t.Error(err)
	}
	if err := (fixedpoint.Arithmetic{}).Validate(); err == nil {
		t.Error("the zero Arithmetic is valid: a default stands in for a missing field")
	}
}

// TestArithmeticEqual changes each field of a valid contract in turn.
func TestArithmeticEqual(t *testing.T) {
	if !base().Equal(base()) {
		t.Error("a contract differs from itself")
	}
	n := 0
	var walk func(reflect.Value, func())
	walk = func(v reflect.Value, check func()) {
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				walk(v.Field(i), check)
			}
		case reflect.Slice:
			if v.Len() > 0 {
				walk(v.Index(0), check)
			}
		case reflect.Bool:
			v.SetBool(!v.Bool())
			check()
			v.SetBool(!v.Bool())
		case reflect.Uint8:
			v.SetUint(v.Uint() + 1)
			check()
			v.SetUint(v.Uint() - 1)
		default:
			v.SetInt(v.Int() + 1)
			check()
			v.SetInt(v.Int() - 1)
		}
	}
	x := base()
	walk(reflect.ValueOf(&x).Elem(), func() {
		n++
		if x.Equal(base()) || base().Equal(x) {
			t.Errorf("equal after a change: %+v", x)
		}
	})
	if n != 61 {
		t.Errorf("changed %d fields, want 61", n)
	}
	rng := fptest.Rand(t, 4)
	for range 200 {
		a := fptest.RandomArithmetic(rng)
		b := a
		if !a.Equal(b) {
			t.Errorf("%+v differs from itself", a)
		}
	}
}
