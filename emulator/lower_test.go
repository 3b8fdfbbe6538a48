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
	lowered, changed, lossy := 0, 0, 0
	for range 6000 {
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
	if lowered < 500 || changed < 300 || lossy < 50 {
		t.Errorf("lowered %d models, %d to another contract, %d with overflow: too few", lowered, changed, lossy)
	}
	t.Logf("lowered %d models, %d to another contract, %d with overflow", lowered, changed, lossy)
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
