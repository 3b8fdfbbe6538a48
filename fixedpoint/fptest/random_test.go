package fptest

import (
	"reflect"
	"testing"

	"glsnn/fixedpoint"
)

// TestRandomCovers checks that the generators reach what they promise, so that
// the tests that live on them test what they say.
func TestRandomCovers(t *testing.T) {
	rng := Rand(t, 1)
	seen := map[string]int{}
	mark := func(name string, ok bool) {
		if ok {
			seen[name]++
		} else {
			seen[name] += 0
		}
	}
	for range 3000 {
		m := RandomModel(rng, ModelOptions{}) // panics on a model that is not valid
		a := m.Arithmetic
		for _, r := range []fixedpoint.Register{a.Sum, a.Membrane.Register} {
			mark("3 bits", r.Bits == 3)
			mark("32 bits", r.Bits == 32)
			mark("wrap", r.Overflow == fixedpoint.Wrap)
			mark("saturate", r.Overflow == fixedpoint.Saturate)
		}
		mark("current", a.Current.Present)
		mark("no current", !a.Current.Present)
		mark("unsigned weights", !a.Weight.Signed)
		mark("16-bit weights", a.Weight.Bits == 16)
		mark("no decay", a.Membrane.Decay.Kind == fixedpoint.DecayNone)
		mark("round "+a.Membrane.Decay.Round.String(), true)
		mark("gt", a.Fire.When == fixedpoint.GT)
		mark("ge", a.Fire.When == fixedpoint.GE)
		mark("read "+m.Readout.String(), true)
		mark("4 layers", len(m.Layers) == 4)
		mark("1 layer", len(m.Layers) == 1)
		mark("per event", a.Update == fixedpoint.PerEvent)
		mark("membrane integrates", a.Integrate == fixedpoint.IntegrateMembrane && a.Update == fixedpoint.PerTick)
		mark("weight "+a.Weight.Kind.String(), true)
		mark("unsigned membrane", !a.Membrane.Register.Signed)
		mark("symmetric", a.Membrane.Register.Overflow == fixedpoint.SaturateSymmetric)
		mark("decay "+a.Membrane.Decay.Kind.String(), true)
		mark("leak "+a.Membrane.Leak.Kind.String(), true)
		mark(a.Membrane.Place.String(), true)
		mark("current "+a.Current.Place.String(), a.Current.Present)
		mark("extra spikes", a.Fire.ExtraSpikes > 0)
		mark("below "+a.Fire.Negative.When.String(), true)
		mark("classic", len(m.Extras()) == 0)
		mark("rests", m.StaysAtRest())
		for i, l := range m.Layers {
			mark("bias", l.Bias != nil)
			mark("refractory", l.Refractory > 1)
			mark("delay", l.Delay > 0)
			mark("below "+l.NegReset.String(), a.Fire.Negative.When != fixedpoint.BelowNever)
			mark("one sign", l.WeightBits > a.Weight.Bits)
			mark("proved, not classic", m.Bounds(i).Proved && len(m.Extras()) > 0)
			_, wide := l.Weights.Int16()
			mark("int16 matrix", wide)
			mark("proved", m.Bounds(i).Proved)
			mark("not proved", !m.Bounds(i).Proved)
			if !l.Integrator {
				mark("reset "+l.Reset.String(), true)
				mark("threshold 0", l.Threshold == 0)
				mark("threshold max", l.Threshold == a.Threshold.Max())
			}
		}
	}
	for _, name := range []string{"round toward_zero", "round floor", "round nearest_even", "round half_away",
		"read membrane", "read count", "reset zero", "reset subtract", "reset value", "reset none",
		"weight sign_by_axon", "weight types", "weight mixed_sign_lsb", "decay shift", "decay shift_min_one",
		"leak toward_zero", "leak constant", "before_integrate", "after_integrate", "after_test", "below lt", "below le"} {
		mark(name, false)
	}
	for name, n := range seen {
		if n < 20 {
			t.Errorf("%s: seen %d times in 3000 models", name, n)
		}
	}
}

func TestSameSeedSameModel(t *testing.T) {
	a, b := RandomModel(Rand(t, 7), ModelOptions{}), RandomModel(Rand(t, 7), ModelOptions{})
	if !reflect.DeepEqual(a, b) {
		t.Error("two models of one seed differ")
	}
}

func TestRandomSpikes(t *testing.T) {
	rng := Rand(t, 2)
	if s := RandomSpikes(rng, 9, 0); len(s) != 0 {
		t.Errorf("density 0: got %v", s)
	}
	if s := RandomSpikes(rng, 3, 1); !reflect.DeepEqual(s, []int32{0, 1, 2}) {
		t.Errorf("density 1: got %v", s)
	}
}

func TestRandomClassic(t *testing.T) {
	rng := Rand(t, 3)
	for range 500 {
		if m := RandomModel(rng, ModelOptions{Classic: true}); len(m.Extras()) != 0 {
			t.Fatalf("got %v", m.Extras())
		}
	}
}
