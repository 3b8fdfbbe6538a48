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
		{func(x *a) { x.Sum.Overflow = 2 }, "sum.overflow: got 2, want one of saturate, wrap"},
		{func(x *a) { x.Sum.Signed = false }, "sum.signed: got false, want true"},
		{func(x *a) { x.Current.Register.Bits = 40 }, "current.register.bits: got 40, want 3..32"},
		{func(x *a) { x.Current.Decay.FracBits = 0 }, "current.decay.frac_bits: got 0, want 1..16"},
		{func(x *a) { x.Current.Present = false }, "current: got fields with present false, want none"},
		{func(x *a) { x.Current = fixedpoint.State{} }, ""},
		{func(x *a) { x.Membrane.Present = false }, "membrane.present: got false, want true: a neuron without a membrane cannot fire"},
		{func(x *a) { x.Membrane.Register.Signed = false }, "membrane.register.signed: got false, want true"},
		{func(x *a) { x.Membrane.Decay.FracBits = 17 }, "membrane.decay.frac_bits: got 17, want 1..16"},
		{func(x *a) { x.Membrane.Decay.Min = -1 }, "membrane.decay.min: got -1, want 0..8"},
		{func(x *a) { x.Membrane.Decay.Min = 8 }, ""},
		{func(x *a) { x.Membrane.Decay.Max = 9 }, "membrane.decay.max: got 9, want 0..8"},
		{func(x *a) { x.Membrane.Decay.Min = 4; x.Membrane.Decay.Max = 3 }, "membrane.decay.max: got 3, want 4..8"},
		{func(x *a) { x.Membrane.Decay.Round = 4 }, "membrane.decay.round: got 4, want one of toward_zero, floor, nearest_even, half_away"},
		{func(x *a) { x.Membrane.Decay.Kind = 2 }, "membrane.decay.kind: got 2, want one of none, multiply"},
		{func(x *a) { x.Membrane.Decay.Kind = fixedpoint.DecayNone }, "membrane.decay: got parameters with kind none, want zeros"},
		{func(x *a) { x.Membrane.Decay = fixedpoint.Decay{Round: fixedpoint.Floor} }, "membrane.decay: got parameters with kind none, want zeros"},
		{func(x *a) { x.Membrane.Decay = fixedpoint.Decay{} }, ""},
		{func(x *a) { x.Threshold.Bits = 0 }, "threshold: bits: got 0, want 1..40"},
		{func(x *a) { x.Threshold.Exp = 34 }, "threshold: exp: got 34, want 0..33"},
		{func(x *a) { x.Fire.When = 2 }, "fire.when: got 2, want one of gt, ge"},
		{func(x *a) { x.Fire.Resets = nil }, "fire.resets: got none, want at least one of zero, subtract"},
		{func(x *a) { x.Fire.Resets = []fixedpoint.Reset{2} }, "fire.resets: got 2, want one of zero, subtract"},
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

// TestArithmeticValidateGathers breaks one field in every part.
func TestArithmeticValidateGathers(t *testing.T) {
	x := base()
	x.Weight.Bits, x.Weight.ExpMin, x.Weight.ExpMax = 0, 21, 22
	x.Sum = fixedpoint.Register{Overflow: 7}
	x.Current.Register.Bits, x.Current.Decay.Kind = 1, 9
	x.Membrane.Decay.Min, x.Membrane.Decay.Max, x.Membrane.Decay.Round = 9, 8, 8
	x.Threshold = fixedpoint.Format{}
	x.Fire = fixedpoint.Fire{When: 5}
	want := []string{"weight.bits", "weight.exp_min", "weight.exp_max", "sum.bits", "sum.overflow", "sum.signed",
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
			walk(v.Index(0), check)
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
	if n != 30 {
		t.Errorf("changed %d fields, want 30", n)
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
