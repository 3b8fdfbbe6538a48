package twin

import (
	"testing"

	"glsnn/emulator/learn"
	"glsnn/fixedpoint"
	"glsnn/fixedpoint/fptest"
)

// With so many low bits that nothing is rounded, and everything else whole, integers
// and floats are the same network: same classes, same weights.
func TestTwinOfExact(t *testing.T) {
	rng := fptest.Rand(t, 81)
	m, err := learn.NewModel(fixedpoint.Wide(), []int{30, 12, 4}, learn.ModelOptions{Bits: 8, Ticks: 6, Encoding: fixedpoint.Encoding{Kind: "rate"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, exact := range []bool{true, false} {
		rule := learn.Default(m)
		if exact {
			rule.Low, rule.Error.Shift, rule.Acc.Shift = 12, 0, 0
			rule.Error.Bits, rule.Acc.Bits, rule.Acc.Modulator = 16, 40, 16
			rule.Feedback.Source = learn.FeedbackRandom // the output's own weights have fractions here
			rule.Error.High = 60
			for l := range rule.Layers {
				rule.Layers[l].Shift = 12
			}
		}
		fresh, err := rule.Fresh(m, []int64{80, 16})
		if err != nil {
			t.Fatal(err)
		}
		s := rule.Start(fresh)
		e, err := learn.New(fresh, rule, s, learn.Options{})
		if err != nil {
			t.Fatal(err)
		}
		f, err := New(fresh, rule, rule.Start(fresh))
		if err != nil {
			t.Fatal(err)
		}
		samples := 30
		if exact {
			samples = 1 // then forward runs part: W is a floor, the float weight is not
		}
		for i := range samples {
			train := fptest.RandomTrain(rng, m.Ticks, m.Inputs(), 0.7)
			class, err := e.Learn(train, i%4)
			if err != nil {
				t.Fatal(err)
			}
			f.Learn(train, i%4, e.State(), class)
		}
		r := f.Report(e.State())
		for l, k := range r.Layers {
			if k.Updates == 0 {
				t.Fatalf("layer %d: no update", l)
			}
			if exact && (k.SameSign != 1 || k.Vanished != 0 || k.Difference != 0 || k.Direction < 0.999999) {
				t.Errorf("layer %d: integers and floats part where nothing is rounded: %+v", l, k)
			}
			if !exact && (k.SameSign < 0.5 || k.Vanished == 0 || k.Direction < 0.5 || k.Difference == 0) {
				t.Errorf("layer %d: %+v, want updates that mostly agree and some that vanish", l, k)
			}
		}
		if exact && r.SameClass != 1 {
			t.Error("another class")
		}
	}
}

func TestNewRefuses(t *testing.T) {
	m, err := learn.NewModel(fixedpoint.Wide(), []int{3, 2}, learn.ModelOptions{Bits: 8, Ticks: 6, Encoding: fixedpoint.Encoding{Kind: "rate"}})
	if err != nil {
		t.Fatal(err)
	}
	r := learn.Default(m).ForEvents()
	if _, err := New(m, r, r.Start(m)); err == nil {
		t.Error("mode per_event is accepted")
	}
}
