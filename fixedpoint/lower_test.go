package fixedpoint_test

import (
	"errors"
	"reflect"
	"testing"

	"glsnn/fixedpoint"
	"glsnn/fixedpoint/fptest"
)

// That a lowered model runs like the original is tested where there is an
// engine to run it: emulator/lower_test.go. Here is what Lower refuses, and the
// form of what it returns.

func TestLowerRefuses(t *testing.T) {
	type m = fixedpoint.Model
	type a = fixedpoint.Arithmetic
	none := func(*m) {}
	wide := func(r *fixedpoint.Register) { r.Bits = 16 }
	for _, c := range []struct {
		name  string
		model func(*m) // edits pair()
		to    func(*a) // edits the model's own contract
		want  []string // nil: it lowers
	}{
		{"same", none, func(*a) {}, nil},
		{"invalid target", none, func(x *a) { x.Sum.Bits = 1 }, []string{"sum.bits: got 1, want 3..32"}},
		{"weight bits", none, func(x *a) { x.Weight.Bits = 3 }, []string{
			"layer 0: weight_bits: got 4, want at most 3", "layer 1: weight_bits: got 4, want at most 3"}},
		{"weight exponent", none, func(x *a) { x.Weight.ExpMin = 2 }, []string{
			"layer 0: weight_exp: got 1, want 2..2", "layer 1: weight_exp: got 1, want 2..2"}},
		{"weight sign", none, func(x *a) { x.Weight.Signed = false }, []string{
			"layer 0: weights[1][1]: got -4, want 0..15", "layer 1: weights[0][1]: got -6, want 0..15"}},
		{"sum", none, func(x *a) { x.Sum.Bits = 5 }, []string{"layer 0: sum: may need -16..18 (6 bits), have 5", "layer 1: sum: may need -12..24 (6 bits), have 5"}},
		{"sum fits", none, func(x *a) { x.Sum.Bits = 6 }, nil},
		{"own sum overflows", func(x *m) { x.Arithmetic.Sum.Bits = 5 }, func(x *a) { wide(&x.Sum) },
			[]string{"layer 0: sum: may need -16..18 (6 bits), have 5", "layer 1: sum: may need -12..24 (6 bits), have 5"}},
		{"own sum overflows alike", func(x *m) { x.Arithmetic.Sum.Bits = 5 }, func(*a) {}, nil},
		{"current", none, func(x *a) { x.Current.Register.Bits = 5 }, []string{"layer 0: current: may need -16..18 (6 bits), have 5", "layer 1: current: may need -12..24 (6 bits), have 5"}},
		{"current decay range", none, func(x *a) { x.Current.Decay.Max = 7 }, []string{"layer 0: current_decay: got 8, want 0..7", "layer 1: current_decay: got 8, want 0..7"}},
		{"current decay grain", none, func(x *a) { x.Current.Decay.FracBits = 4 }, []string{
			"layer 0: current_decay: got 3 fraction bits rounded toward_zero, want 4 rounded toward_zero", "layer 1: current_decay: got 3 fraction bits rounded toward_zero, want 4 rounded toward_zero"}},
		{"current decay round", none, func(x *a) { x.Current.Decay.Round = fixedpoint.Floor }, []string{
			"layer 0: current_decay: got 3 fraction bits rounded toward_zero, want 3 rounded floor", "layer 1: current_decay: got 3 fraction bits rounded toward_zero, want 3 rounded floor"}},
		{"current decay missing", none, func(x *a) { x.Current.Decay = fixedpoint.Decay{} }, []string{
			"layer 0: current_decay: got 8/8 a tick, want none: the target has no decay", "layer 1: current_decay: got 8/8 a tick, want none: the target has no decay"}},
		{"current off", none, func(x *a) { x.Current = fixedpoint.State{} }, nil},
		{"current cannot go", func(x *m) { x.Layers[1].CurrentDecay = 3 }, func(x *a) { x.Current = fixedpoint.State{} },
			[]string{"layer 1: current_decay: got 3, want 8 (off): the target has no synaptic current"}},
		{"current appears", noCurrents, func(x *a) { x.Current = base().Current }, nil},
		{"current cannot be off", noCurrents, func(x *a) { x.Current = base().Current; x.Current.Decay.Max = 7 }, []string{
			"layer 0: current_decay: got no synaptic current, and the target cannot switch its own off",
			"layer 1: current_decay: got no synaptic current, and the target cannot switch its own off"}},
		{"membrane", func(x *m) { x.Layers = x.Layers[:1] }, func(x *a) { x.Membrane.Register.Bits = 6 }, []string{"layer 0: membrane: may need -61..25 (7 bits), have 6"}},
		{"membrane decay", none, func(x *a) { x.Membrane.Decay = fixedpoint.Decay{} }, []string{
			"layer 0: membrane_decay: got 1/8 a tick, want none: the target has no decay", "layer 1: membrane_decay: got 1/8 a tick, want none: the target has no decay"}},
		{"membrane must decay", func(x *m) {
			x.Arithmetic.Membrane.Decay = fixedpoint.Decay{}
			x.Layers[0].MembraneDecay, x.Layers[1].MembraneDecay = 0, 0
		},
			func(x *a) { x.Membrane.Decay = base().Membrane.Decay; x.Membrane.Decay.Min = 1 }, []string{"layer 0: membrane_decay: got none, want 1..8", "layer 1: membrane_decay: got none, want 1..8"}},
		{"reset", func(x *m) { x.Layers[1].Reset = fixedpoint.ResetSubtract }, func(x *a) { x.Fire.Resets = x.Fire.Resets[:1] }, []string{"layer 1: reset: got subtract, want one of [zero]"}},
		{"compare moves the threshold", none, func(x *a) { x.Fire.When = fixedpoint.GT }, nil},
		{"compare with subtract", func(x *m) { x.Layers[1].Reset = fixedpoint.ResetSubtract }, func(x *a) { x.Fire.When = fixedpoint.GT }, []string{
			"layer 1: threshold: got ge with reset subtract, want gt: moving the threshold by one would change what is subtracted"}},
		{"threshold below 0", func(x *m) { x.Layers[0].Threshold = 0 }, func(x *a) { x.Fire.When = fixedpoint.GT }, []string{"layer 0: threshold: got -1, want a value of u7 from 0 on"}},
		{"threshold past max", func(x *m) { x.Arithmetic.Fire.When = fixedpoint.GT; x.Layers[1].Threshold = 127 }, func(x *a) { x.Fire.When = fixedpoint.GE },
			[]string{"layer 1: threshold: got 128, want a value of u7 from 0 on"}},
		{"threshold grain", none, func(x *a) { x.Threshold.Exp = 1 }, []string{"layer 0: threshold: got 9, want a value of u7e1 from 0 on", "layer 1: threshold: got 9, want a value of u7e1 from 0 on"}},
		{"read-out below threshold", integrate, func(x *a) { x.Threshold.Bits = 6 }, []string{"layer 1: threshold: a read-out membrane may reach 93, and the target's highest threshold is 63"}},
		{"read-out needs no reset", func(x *m) { integrate(x); x.Layers[1].Reset = fixedpoint.ResetSubtract }, func(x *a) { x.Fire.Resets = x.Fire.Resets[:1] }, nil},
		{"all at once", integrate, func(x *a) { x.Weight.ExpMin = 2; x.Membrane.Decay.Round = fixedpoint.Floor; x.Threshold.Bits = 2 }, []string{
			"layer 0: weight_exp: got 1, want 2..2",
			"layer 0: membrane_decay: got 3 fraction bits rounded toward_zero, want 3 rounded floor",
			"layer 0: threshold: got 9, want a value of u2 from 0 on",
			"layer 1: weight_exp: got 1, want 2..2",
			"layer 1: membrane_decay: got 3 fraction bits rounded toward_zero, want 3 rounded floor",
			"layer 1: threshold: a read-out membrane may reach 93, and the target's highest threshold is 3"}},
	} {
		x := pair()
		c.model(&x)
		m, err := fixedpoint.NewModel(x)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		to := m.Arithmetic
		to.Fire.Resets = append([]fixedpoint.Reset(nil), to.Fire.Resets...)
		c.to(&to)
		got, err := fixedpoint.Lower(m, to)
		if !reflect.DeepEqual(lines(err), c.want) {
			t.Errorf("%s:\n got  %q\n want %q", c.name, lines(err), c.want)
		}
		if re := (*fixedpoint.RangeError)(nil); err != nil && !errors.As(err, &re) {
			t.Errorf("%s: no RangeError inside", c.name)
		}
		if err == nil && !got.Arithmetic.Equal(to) {
			t.Errorf("%s: lowered to another contract", c.name)
		}
	}
}

func noCurrents(x *fixedpoint.Model) {
	x.Arithmetic.Current = fixedpoint.State{}
	x.Layers[0].CurrentDecay, x.Layers[1].CurrentDecay = 0, 0
}

func integrate(x *fixedpoint.Model) {
	x.Readout = fixedpoint.ReadMembrane
	x.Layers[1].Integrator = true
}

// TestLowerForm checks what may change: the threshold by one, the current on
// or off; and that the source does not.
func TestLowerForm(t *testing.T) {
	x := pair()
	m, err := fixedpoint.NewModel(x)
	if err != nil {
		t.Fatal(err)
	}
	to := base()
	to.Fire.When = fixedpoint.GT
	to.Current = fixedpoint.State{}
	got, err := fixedpoint.Lower(m, to)
	if err != nil {
		t.Fatal(err)
	}
	for i, l := range got.Layers {
		if l.Threshold != 8 || l.CurrentDecay != 0 || m.Layers[i].Threshold != 9 || m.Layers[i].CurrentDecay != 8 {
			t.Errorf("layer %d: got threshold %d, current decay %d; source %d, %d", i, l.Threshold, l.CurrentDecay, m.Layers[i].Threshold, m.Layers[i].CurrentDecay)
		}
	}
	back, err := fixedpoint.Lower(got, base())
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(back, m) {
		t.Errorf("there and back: got %+v, want %+v", back, m)
	}
}

// TestLowerToItself: lowering to the own contract changes nothing; a read-out
// that could pass the highest threshold is refused, and that alone.
func TestLowerToItself(t *testing.T) {
	rng := fptest.Rand(t, 9)
	done := 0
	for range 500 {
		m := fptest.RandomModel(rng, fptest.ModelOptions{})
		got, err := fixedpoint.Lower(m, m.Arithmetic)
		if err != nil {
			if lines := lines(err); len(lines) != 1 || m.Readout != fixedpoint.ReadMembrane {
				t.Fatalf("%v", err)
			}
			continue
		}
		done++
		if !reflect.DeepEqual(got, m) {
			t.Fatalf("got %+v, want %+v", got, m)
		}
	}
	if done < 250 {
		t.Errorf("only %d of 500 lowered", done)
	}
}
