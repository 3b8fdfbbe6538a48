package emulator_test

import (
	"math/rand/v2"
	"testing"

	"glsnn/emulator"
	"glsnn/emulator/emutest"
	"glsnn/emulator/reference"
	"glsnn/fixedpoint"
	"glsnn/fixedpoint/fptest"
)

// otherForm is a contract near a: registers widened or narrowed, the other
// overflow, the other comparison, the current dropped or added, or any
// contract at all.
func otherForm(rng *rand.Rand, a fixedpoint.Arithmetic) fixedpoint.Arithmetic {
	b := a
	register := func(r *fixedpoint.Register) {
		if rng.IntN(2) == 0 {
			r.Bits = min(32, max(3, b.Weight.Bits, r.Bits+rng.IntN(12)-4))
		}
		if rng.IntN(3) == 0 {
			r.Overflow = fixedpoint.Overflow(rng.IntN(2))
		}
	}
	if rng.IntN(3) == 0 {
		b.Weight.Bits = min(16, b.Weight.Bits+rng.IntN(2))
		b.Weight.ExpMin = 0
	}
	register(&b.Sum)
	register(&b.Membrane.Register)
	if b.Current.Present {
		register(&b.Current.Register)
	}
	switch rng.IntN(4) {
	case 0:
		b.Current = fixedpoint.State{}
	case 1:
		b.Current = fixedpoint.State{Present: true, Register: b.Sum, Decay: fixedpoint.Decay{Kind: fixedpoint.DecayMultiply, FracBits: 4, Max: 16}}
		register(&b.Current.Register)
	}
	if rng.IntN(3) == 0 {
		b.Fire.When = 1 - b.Fire.When
		b.Threshold.Exp = 0
	}
	if rng.IntN(2) == 0 {
		b.Threshold.Bits = 33
		b.Threshold.Exp = 0
	}
	if rng.IntN(4) == 0 { // mechanisms missing, added, or moved
		other := fptest.RandomArithmetic(rng)
		switch rng.IntN(8) {
		case 0:
			b.Membrane.Place = other.Membrane.Place
		case 1:
			b.Membrane.Leak = other.Membrane.Leak
		case 2:
			b.Bias = fixedpoint.Bias{}
			if rng.IntN(2) == 0 {
				b.Bias = fixedpoint.Bias{Present: true, Register: b.Membrane.Register, Bits: 12}
			}
		case 3:
			b.Fire.RefractoryMax = other.Fire.RefractoryMax
		case 4:
			b.Fire.Negative = fixedpoint.Negative{}
			if rng.IntN(2) == 0 {
				b.Fire.Negative = fixedpoint.Negative{When: fixedpoint.LT, Min: -int64(rng.IntN(100)), Resets: []fixedpoint.NegReset{fixedpoint.NegSaturate}}
			}
		case 5:
			b.Weight.Kind, b.Weight.Types, b.Weight.TableBits = other.Weight.Kind, other.Weight.Types, other.Weight.TableBits
			b.Weight.Signed = b.Weight.Kind != fixedpoint.WeightSignByAxon
		case 6:
			b.AxonDelayMax = other.AxonDelayMax
		case 7:
			b.Membrane.Decay = other.Membrane.Decay
		}
	}
	if rng.IntN(10) == 0 {
		return fptest.RandomArithmetic(rng)
	}
	return b
}

// TestLower runs models and what Lower makes of them beside each other in the
// reference engine: every spike, every current and every membrane is the same.
// Registers that wrap and overflow are among them; see fixedpoint.Bounds.
func TestLower(t *testing.T) {
	rng := fptest.Rand(t, 41)
	lowered, changed, lossy, extra := 0, 0, 0, 0
	for range 12000 {
		m := fptest.RandomModel(rng, fptest.ModelOptions{})
		to := otherForm(rng, m.Arithmetic)
		if to.Validate() != nil {
			continue
		}
		low, err := fixedpoint.Lower(m, to)
		if err != nil {
			continue
		}
		lowered++
		if !to.Equal(m.Arithmetic) {
			changed++
			if len(m.Extras()) > 0 {
				extra++
			}
		}
		a, b := reference.New(m, emulator.Options{}), reference.New(low, emulator.Options{})
		compare := emulator.NewComparer(m)
		for _, density := range []float64{0.3, 0.9, 1} {
			a.Reset()
			b.Reset()
			for tick := range m.Ticks {
				in := fptest.RandomSpikes(rng, m.Inputs(), density)
				a.Step(in)
				b.Step(in)
				if d := compare.State(b, a); d != nil {
					d.Tick = tick
					t.Fatalf("%v\nfrom %s\nto %s", d, emutest.Describe(m), emutest.Describe(low))
				}
			}
		}
		if a.Counters().Overflows() > 0 {
			lossy++
		}
	}
	if lowered < 500 || changed < 300 || lossy < 50 || extra < 100 {
		t.Errorf("lowered %d models, %d to another contract, %d with overflow: too few", lowered, changed, lossy)
	}
	t.Logf("lowered %d models, %d to another contract, %d of them not classic, %d with overflow", lowered, changed, extra, lossy)
}

// TestLowerOfWrap: a sum that wraps goes below zero without a negative weight,
// so a membrane that is wide enough upwards may still be too narrow.
func TestLowerOfWrap(t *testing.T) {
	reg := func(bits int, o fixedpoint.Overflow) fixedpoint.Register {
		return fixedpoint.Register{Bits: bits, Signed: true, Overflow: o}
	}
	a := fixedpoint.Arithmetic{
		Weight:    fixedpoint.Weight{Bits: 4, Signed: true},
		Sum:       reg(4, fixedpoint.Wrap),
		Membrane:  fixedpoint.State{Present: true, Register: reg(16, fixedpoint.Saturate)},
		Threshold: fixedpoint.Format{Bits: 6},
		Fire:      fixedpoint.Fire{When: fixedpoint.GT, Resets: []fixedpoint.Reset{fixedpoint.ResetZero}},
	}
	m, err := fixedpoint.NewModel(fixedpoint.Model{Arithmetic: a, Ticks: 20, Readout: fixedpoint.ReadCount, Layers: []fixedpoint.Layer{
		{In: 2, Out: 2, Weights: fixedpoint.NewMatrix(2, 2, []int16{5, 1, 4, 1}), WeightBits: 4, Threshold: 10},
	}})
	if err != nil {
		t.Fatal(err)
	}
	e := reference.New(m, emulator.Options{})
	for range m.Ticks {
		e.Step([]int32{0, 1})
	}
	if v := e.Membrane(0, nil); v[0] != -140 { // 9 ≡ −7, twenty times
		t.Fatalf("got membrane %d, want -140", v[0])
	}
	to := a
	to.Membrane.Register.Bits = 6
	if _, err := fixedpoint.Lower(m, to); err == nil {
		t.Error("lowered to a membrane of 6 bits")
	}
	to.Membrane.Register.Bits = 12
	if _, err := fixedpoint.Lower(m, to); err != nil {
		t.Error(err)
	}
}

// TestLowerRefuses: mechanisms that a layer uses and the target has not, each
// with its reason; unused, they are dropped.
func TestLowerRefuses(t *testing.T) {
	r := fixedpoint.Register{Bits: 12, Signed: true}
	rich := fixedpoint.Arithmetic{
		Weight: fixedpoint.Weight{Bits: 4, Signed: true}, Sum: r,
		Bias: fixedpoint.Bias{Present: true, Register: r, Bits: 5},
		Membrane: fixedpoint.State{Present: true, Register: r, Place: fixedpoint.AfterIntegrate,
			Leak: fixedpoint.Leak{Kind: fixedpoint.LeakToZero, Max: 7}},
		Threshold: fixedpoint.Format{Bits: 8},
		Fire: fixedpoint.Fire{When: fixedpoint.GE, Resets: []fixedpoint.Reset{fixedpoint.ResetZero, fixedpoint.ResetValue},
			ResetValue: fixedpoint.Format{Bits: 4, Signed: true}, RefractoryMax: 5,
			Negative: fixedpoint.Negative{When: fixedpoint.LT, Min: -2048, Resets: []fixedpoint.NegReset{fixedpoint.NegSaturate}}},
		AxonDelayMax: 3,
	}
	plain := rich
	plain.Bias, plain.Membrane.Leak, plain.Membrane.Place, plain.AxonDelayMax = fixedpoint.Bias{}, fixedpoint.Leak{}, 0, 0
	plain.Fire = fixedpoint.Fire{When: fixedpoint.GE, Resets: []fixedpoint.Reset{fixedpoint.ResetZero}}
	base := fixedpoint.Layer{In: 2, Out: 2, Weights: fixedpoint.NewMatrix(2, 2, []int16{5, -1, 4, 1}), WeightBits: 4, Threshold: 10, NegThreshold: -2048}
	for _, c := range []struct {
		edit func(*fixedpoint.Layer)
		want string
	}{
		{func(l *fixedpoint.Layer) {}, ""},
		{func(l *fixedpoint.Layer) { l.Refractory = 1 }, ""},
		{func(l *fixedpoint.Layer) { l.NegThreshold = -100 }, ""}, // 20 ticks of −1 stay above it
		{func(l *fixedpoint.Layer) { l.NegThreshold = -10 }, "layer 0: neg_threshold: got lt -10, want when none"},
		{func(l *fixedpoint.Layer) { l.MembraneLeak = 2 }, "layer 0: membrane_leak: got 2, kind toward_zero, want kind none\nlayer 0: membrane.place: got after_integrate, want before_integrate"},
		{func(l *fixedpoint.Layer) { l.Bias = []int64{0, 3} }, "layer 0: bias[1]: got 3, which the target does not hold"},
		{func(l *fixedpoint.Layer) { l.Refractory = 2 }, "layer 0: refractory: got 2, want 0..0"},
		{func(l *fixedpoint.Layer) { l.Reset, l.ResetValue = fixedpoint.ResetValue, 2 }, "layer 0: reset: got value, want one of [zero]"},
		{func(l *fixedpoint.Layer) { l.Delay = 2 }, "layer 0: delay: got 2, want 0..0"},
	} {
		first, last := base, base
		c.edit(&first)
		last.NegThreshold = -2048
		m, err := fixedpoint.NewModel(fixedpoint.Model{Arithmetic: rich, Ticks: 20, Readout: fixedpoint.ReadCount, Layers: []fixedpoint.Layer{first, last}})
		if err != nil {
			t.Fatal(err)
		}
		low, err := fixedpoint.Lower(m, plain)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
		if err == nil && len(low.Extras()) != 0 {
			t.Errorf("lowered, with %v", low.Extras())
		}
		same, err := fixedpoint.Lower(m, rich)
		if err != nil || len(same.Extras()) != len(m.Extras()) {
			t.Errorf("to itself: got %v", err)
		}
	}
	m, err := fixedpoint.NewModel(fixedpoint.Model{Arithmetic: rich, Ticks: 20, Readout: fixedpoint.ReadCount, Layers: []fixedpoint.Layer{base}})
	if err != nil {
		t.Fatal(err)
	}
	event := plain
	event.Update, event.Integrate, event.Sum, event.Membrane.Place = fixedpoint.PerEvent, fixedpoint.IntegrateMembrane, fixedpoint.Register{}, fixedpoint.AfterIntegrate
	if _, err := fixedpoint.Lower(m, event); err == nil || err.Error() != "update: got per_tick, want per_event\nintegrate: got sum, want membrane" {
		t.Errorf("to events: got %v", err)
	}
}
