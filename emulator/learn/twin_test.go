package learn_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"glsnn/emulator"
	"glsnn/emulator/learn"
	"glsnn/emulator/learn/reference"
	"glsnn/fixedpoint"
	"glsnn/fixedpoint/fptest"
)

func pick[T any](rng *rand.Rand, from ...T) T { return from[rng.IntN(len(from))] }

// randomRule is a valid rule for m, of small numbers that often clip.
func randomRule(rng *rand.Rand, m *fixedpoint.Model) learn.Rule {
	r := learn.Rule{
		Mode:     pick(rng, learn.PerSample, learn.PerEvent),
		Trace:    learn.Trace{Bits: 1 + rng.IntN(5), Impulse: 1 + int64(rng.IntN(3))},
		Window:   pick(rng, learn.Window{State: learn.WindowNone}, learn.Window{State: learn.WindowCount}, learn.Window{State: learn.WindowDrive, Bits: 4 + rng.IntN(12)}),
		Error:    learn.Error{Shift: rng.IntN(5) - 2, Bits: 2 + rng.IntN(3)},
		Feedback: learn.FeedbackFormat{Source: pick(rng, learn.FeedbackRandom, learn.FeedbackOutput), Bits: 2 + rng.IntN(4), Exp: uint(rng.IntN(3))},
		Acc:      learn.Accumulator{Bits: 4 + rng.IntN(6), Shift: uint(rng.IntN(3)), Modulator: 2 + rng.IntN(4)},
		Low:      pick(rng, 0, 0, 3),
		Round:    pick(rng, learn.RoundStochastic, learn.RoundCarry, learn.RoundNearest),
		DropMost: rng.IntN(3),
		Random:   pick(rng, fixedpoint.LFSR31(), fixedpoint.LFSR16()),
		Seed:     rng.Uint64(),
	}
	r.Error.High = int64(rng.IntN(20))
	r.Error.Low = r.Error.High - int64(rng.IntN(10))
	if r.DropMost > 0 {
		r.DropEvery = 1 + uint64(rng.IntN(20))
	}
	switch rng.IntN(3) {
	case 0:
		r.Trace.Decay, r.Trace.Param = fixedpoint.Decay{Kind: fixedpoint.DecayMultiply, FracBits: 3, Round: pick(rng, fixedpoint.RoundModes()...)}, int64(rng.IntN(9))
	case 1:
		r.Trace.Decay, r.Trace.Param = fixedpoint.Decay{Kind: fixedpoint.DecayByShiftMinOne}, int64(1+rng.IntN(4))
	}
	if r.Window.State == learn.WindowDrive && m.Arithmetic.Integrate == fixedpoint.IntegrateMembrane {
		r.Window = learn.Window{State: learn.WindowCount}
	}
	for range m.Layers {
		k := learn.LayerRule{Shift: r.Low + rng.IntN(6), WindowLo: -int64(rng.IntN(20)), WindowHi: int64(rng.IntN(60))}
		r.Layers = append(r.Layers, k)
	}
	return r
}

// randomModel is one that can learn.
func randomModel(rng *rand.Rand) *fixedpoint.Model {
	for {
		m := fptest.RandomModel(rng, fptest.ModelOptions{Layers: 3, Neurons: pick(rng, 6, 12, 70), Ticks: 6})
		ok := m.Arithmetic.Weight.Kind != fixedpoint.WeightSignByAxon
		for _, l := range m.Layers {
			ok = ok && l.WeightBits <= m.Arithmetic.Weight.Bits
		}
		if ok {
			return m
		}
	}
}

// same compares everything that a chip holds.
func same(got *learn.Learner, want *reference.Learner) error {
	if a, b := got.State(), want.State(); !reflect.DeepEqual(a, b) {
		return fmt.Errorf("state: got %+v, want %+v", a, b)
	}
	a, b := *got.Sample(), *want.Sample()
	if !reflect.DeepEqual(a, b) {
		return fmt.Errorf("registers: got %+v, want %+v", a, b)
	}
	if a, b := got.Counters(), want.Counters(); !a.Equal(&b) {
		return fmt.Errorf("counters: got %+v, want %+v", a, b)
	}
	return nil
}

// Both engines, random networks in random arithmetic under random rules, every
// register after every sample, over more than 10^5 updates.
func TestTwin(t *testing.T) {
	rng := fptest.Rand(t, 61)
	var updates, writes, saturated, draws, learned uint64
	modes := map[string]int{}
	for n := 0; updates < 1000000 || n < 150; n++ {
		m := randomModel(rng)
		rule := randomRule(rng, m)
		opt := learn.Options{Delay: rng.IntN(3) == 0}
		if rng.IntN(3) == 0 {
			opt.Silent = make([]bool, m.Neurons())
			for i := range opt.Silent {
				opt.Silent[i] = rng.IntN(4) == 0
			}
			for _, l := range m.Layers {
				stuck := make([]bool, l.In*l.Out)
				for i := range stuck {
					stuck[i] = rng.IntN(4) == 0
				}
				opt.Stuck = append(opt.Stuck, stuck)
			}
		}
		got, err := learn.New(m, rule, rule.Start(m), opt)
		if err != nil {
			t.Fatalf("network %d: %v", n, err)
		}
		want, err := reference.New(m, rule, rule.Start(m), opt)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 8 {
			train := fptest.RandomTrain(rng, m.Ticks, m.Inputs(), 0.3)
			label := rng.IntN(m.Outputs())
			a, err := got.Learn(train, label)
			if err != nil {
				t.Fatal(err)
			}
			if b, _ := want.Learn(train, label); a != b {
				t.Fatalf("network %d, sample %d: class %d, want %d", n, i, a, b)
			}
			if err := same(got, want); err != nil {
				t.Fatalf("network %d, sample %d, rule %+v: %v", n, i, rule, err)
			}
		}
		c := got.Counters()
		k := c.Totals()
		updates, writes, saturated, draws, learned = updates+k.Reads, writes+k.Writes, saturated+k.Saturations, draws+k.Draws, learned+c.Learned
		if k.Writes > 0 {
			modes[string(rule.Mode)+" "+string(rule.Round)]++
		}
	}
	t.Logf("%d updates of weights, %d written, %d clipped, %d draws, %d samples learned from, %v", updates, writes, saturated, draws, learned, modes)
	if len(modes) != 6 || saturated == 0 {
		t.Errorf("modes that changed weights: %v, %d writes clipped; want 6 modes and some", modes, saturated)
	}
}

// One network of MNIST's shape, so that the kernels are those of real runs.
func TestTwinWide(t *testing.T) {
	rng := fptest.Rand(t, 62)
	m := wideModel(t, 300, 70, 10)
	rule := learn.Default(m)
	rule.Error.Low, rule.DropEvery = -rule.Error.High, 5
	for _, mode := range []learn.Rounding{learn.RoundStochastic, learn.RoundCarry} {
		rule.Round = mode
		fresh, err := rule.Fresh(m, learn.Amplitudes(m))
		if err != nil {
			t.Fatal(err)
		}
		got, err := learn.New(fresh, rule, rule.Start(fresh), learn.Options{})
		if err != nil {
			t.Fatal(err)
		}
		want, err := reference.New(fresh, rule, rule.Start(fresh), learn.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 12 {
			train := fptest.RandomTrain(rng, m.Ticks, m.Inputs(), 0.15)
			label := rng.IntN(m.Outputs())
			got.Learn(train, label)
			want.Learn(train, label)
			if err := same(got, want); err != nil {
				t.Fatalf("sample %d: %.2000s", i, err.Error())
			}
		}
		c := got.Counters()
		if k := c.Totals(); k.Reads < 20000 || k.Writes < 200 || k.Writes == k.Reads {
			t.Errorf("%d updates, %d of them not 0, want many of both", k.Reads, k.Writes)
		}
	}
}

// wideModel is a network in the arithmetic of the generic target.
func wideModel(t testing.TB, sizes ...int) *fixedpoint.Model {
	t.Helper()
	m, err := learn.NewModel(fixedpoint.Wide(), sizes, learn.ModelOptions{Bits: 8, Ticks: 10, Encoding: fixedpoint.Encoding{Kind: "rate"}})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestLearnAllocates(t *testing.T) {
	m := wideModel(t, 300, 70, 10)
	for _, rule := range []learn.Rule{learn.Default(m), learn.Default(m).ForEvents()} {
		mode := rule.Mode
		fresh, err := rule.Fresh(m, learn.Amplitudes(m))
		if err != nil {
			t.Fatal(err)
		}
		e, err := learn.New(fresh, rule, rule.Start(fresh), learn.Options{})
		if err != nil {
			t.Fatal(err)
		}
		rng := fptest.Rand(t, 63)
		var train emulator.Train = fptest.RandomTrain(rng, m.Ticks, m.Inputs(), 0.15)
		e.Learn(train, 1)
		n := 0
		if got := testing.AllocsPerRun(50, func() { e.Learn(train, n%10); n++ }); got != 0 {
			t.Errorf("%s: a sample allocates %v times, want 0", mode, got)
		}
		if c := e.Counters(); c.Learned < 40 {
			t.Errorf("%s: only %d samples were learned from", mode, c.Learned)
		}
	}
}
