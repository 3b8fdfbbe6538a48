package emutest

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"glsnn/emulator"
	"glsnn/emulator/reference"
	"glsnn/fixedpoint"
	"glsnn/fixedpoint/fptest"
	"glsnn/targets"
)

// Run runs the suite for one chip's arithmetic.
func Run(t *testing.T, newMachine NewMachine, arith fixedpoint.Arithmetic) {
	t.Helper()
	if err := arith.Validate(); err != nil {
		t.Fatal(err)
	}
	t.Run("rest", func(t *testing.T) { testRest(t, newMachine, arith) })
	t.Run("order", func(t *testing.T) { testOrder(t, newMachine, arith) })
	t.Run("boundary", func(t *testing.T) { testBoundary(t, newMachine, arith) })
	t.Run("random", func(t *testing.T) { testRandom(t, newMachine, arith) })
	t.Run("counters", func(t *testing.T) { testCounters(t, newMachine, arith) })
	t.Run("input", func(t *testing.T) { testInput(t, newMachine, arith) })
}

// Twin runs windows on the engine under test and on the reference, and
// compares q, u, v, spikes, counts and scores after every tick, counters and
// the first overflow after every window.
func Twin(t testing.TB, newMachine NewMachine, m *fixedpoint.Model, opt emulator.Options, windows ...fptest.Train) {
	t.Helper()
	got, want := newMachine(m, opt), emulator.Machine(reference.New(m, opt))
	compare := emulator.NewComparer(m)
	for w, train := range windows {
		if w > 0 {
			got.Reset()
			want.Reset()
		}
		var d *emulator.Mismatch
		tick := 0
		for ; tick < train.Ticks() && d == nil; tick++ {
			got.Step(train.At(tick))
			want.Step(train.At(tick))
			d = compare.State(got, want)
		}
		if d == nil {
			d = emulator.CompareCounters(got.Counters(), want.Counters())
		}
		if d != nil {
			d.Sample, d.Tick = w, tick-1
			t.Fatalf("%v\nwindow %v\n%s", d, train, Describe(m))
		}
		if g, w := fmt.Sprint(got.Err()), fmt.Sprint(want.Err()); g != w {
			t.Fatalf("first overflow: got %s, want %s\n%s", g, w, Describe(m))
		}
	}
}

// Describe writes what a failure needs to be understood.
func Describe(m *fixedpoint.Model) string {
	s := fmt.Sprintf("%+v, %d ticks, read-out %v", m.Arithmetic, m.Ticks, m.Readout)
	for i, l := range m.Layers {
		s += fmt.Sprintf("\nlayer %d: %d x %d exp %d du %d dv %d threshold %d reset %v integrator %v", i, l.In, l.Out, l.WeightExp, l.CurrentDecay, l.MembraneDecay, l.Threshold, l.Reset, l.Integrator)
		s += fmt.Sprintf(" leaks %d %d bias %v value %d refractory %d below %d %v delay %d", l.CurrentLeak, l.MembraneLeak, l.Bias, l.ResetValue, l.Refractory, l.NegThreshold, l.NegReset, l.Delay)
		if l.In*l.Out <= 100 {
			s += fmt.Sprintf(" weights %v", l.Weights.Values())
		}
	}
	return s
}

// plain is a layer of a within its limits: the largest decays, so that states
// forget as fast as they may, the highest threshold, and everything else as
// close to off as the contract allows.
func plain(a fixedpoint.Arithmetic, in, out int, w func(k, j int) int64) fixedpoint.Layer {
	values := make([]int16, in*out)
	for i := range values {
		values[i] = int16(w(i/out, i%out))
	}
	l, _ := a.Neutral(a.Fire.Resets[0]) // whatever it cannot switch off is at its least
	l.In, l.Out, l.Weights, l.WeightExp = in, out, fixedpoint.NewMatrix(in, out, values), a.Weight.ExpMax
	l.CurrentDecay, l.MembraneDecay = a.Current.Decay.Max, a.Membrane.Decay.Max
	return l
}

func model(t testing.TB, a fixedpoint.Arithmetic, ticks int, layers ...fixedpoint.Layer) *fixedpoint.Model {
	t.Helper()
	m := fixedpoint.Model{Arithmetic: a, Ticks: ticks, Readout: fixedpoint.ReadCount, Layers: layers}
	if layers[len(layers)-1].Integrator {
		m.Readout = fixedpoint.ReadMembrane
	}
	p, err := fixedpoint.NewModel(m)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// weights are the least and the largest stored weight that a Matrix can hold.
func weights(a fixedpoint.Arithmetic) (lo, hi int64) {
	lo, hi = a.Weight.Range(a.Weight.Bits)
	return lo, min(hi, 1<<15-1)
}

// byAxon makes w a weight that the contract allows beside those of its axon:
// where the sign is the axon's, that of even axons is positive.
func byAxon(a fixedpoint.Arithmetic, w func(k, j int) int64) func(k, j int) int64 {
	if a.Weight.Kind != fixedpoint.WeightSignByAxon {
		return w
	}
	return func(k, j int) int64 {
		x := w(k, j)
		if (x < 0) == (k%2 == 0) {
			return -x
		}
		return x
	}
}

// testRest: without input nothing moves, and Reset brings everything back.
func testRest(t *testing.T, newMachine NewMachine, a fixedpoint.Arithmetic) {
	_, hi := weights(a)
	l := plain(a, 3, 4, func(k, j int) int64 { return hi })
	m := model(t, a, 4, l)
	if !m.StaysAtRest() {
		t.Skip("this contract cannot rest")
	}
	e := newMachine(m, emulator.Options{})
	zero := func(when string) {
		t.Helper()
		for name, state := range map[string][]int64{"sum": e.Sum(0, nil), "current": e.Current(0, nil), "membrane": e.Membrane(0, nil), "scores": e.Scores(nil)} {
			if len(state) != 4 {
				t.Fatalf("%s %s: got %d entries, want 4", when, name, len(state))
			}
			for j, x := range state {
				if x != 0 {
					t.Errorf("%s: neuron %d: %s is %d", when, j, name, x)
				}
			}
		}
		if len(e.Spikes(0)) != 0 || e.Err() != nil {
			t.Errorf("%s: spikes %v, error %v", when, e.Spikes(0), e.Err())
		}
	}
	zero("new")
	e.Step(nil)
	zero("after an empty tick")
	e.Step([]int32{0, 1, 2})
	e.Step([]int32{0, 1, 2})
	if q := 3 * hi << l.WeightExp; a.Integrate == fixedpoint.IntegrateSum && a.Sum.Holds(0, q) && e.Sum(0, nil)[0] != q {
		t.Error("input left no trace in the sum")
	}
	e.Reset()
	zero("reset")
	if c := e.Counters(); c.Samples != 1 || c.Ticks != 3 || c.InputSpikes != 6 {
		t.Errorf("counters after reset: got %+v", c)
	}
}

// testOrder is a sum that depends on the order of its terms. With h the
// largest weight, n of them overflow the sum; g is the least weight.
//
//	neuron 0:  h h … h g    neuron 1:  g h … h
//
// Saturating, neuron 0 ends at Max + g and neuron 1 at Max, and every add of h
// from the first overflow on is one more. Wrapping, both end at n·h + g modulo
// 2^Bits, with one overflow for each time the range was left.
func testOrder(t *testing.T, newMachine NewMachine, a fixedpoint.Arithmetic) {
	if a.Integrate != fixedpoint.IntegrateSum {
		testMembraneOrder(t, newMachine, a)
		return
	}
	lo, hi := weights(a)
	if a.Weight.Kind == fixedpoint.WeightSignByAxon {
		lo = 0 // both neurons share an axon's sign
	}
	f := a.Sum
	h, g := hi<<a.Weight.ExpMax, lo<<a.Weight.ExpMax
	n := f.Max()/h + 4
	if h > f.Max() || g < f.Min() || n > 1<<16 {
		t.Skipf("a weight of %d..%d on a sum of %d..%d: not this case", g, h, f.Min(), f.Max())
	}
	m := model(t, a, 2, plain(a, int(n)+1, 2, func(k, j int) int64 {
		if j == 0 && k == int(n) || j == 1 && k == 0 {
			return lo
		}
		return hi
	}))
	all := make([]int32, n+1)
	for k := range all {
		all[k] = int32(k)
	}
	e := newMachine(m, emulator.Options{Strict: true})
	e.Step(all)
	var want [2]int64
	var overflows int64
	firstOver := f.Max()/h + 1 // of neuron 0, counted in adds from 1
	if a.Sum.Overflow != fixedpoint.Wrap {
		want = [2]int64{f.Max() + g, f.Max()}
		overflows = n - firstOver + 1
		overflows += n - (f.Max()-g)/h // neuron 1: the first k with g + k·h > Max is (Max−g)/h + 1
	} else {
		span := int64(1) << a.Sum.Bits
		turns := func(x int64) int64 { return (x - f.Min()) / span } // for x ≥ Min
		total := n*h + g
		want[0] = total - turns(total)*span
		want[1] = want[0]
		up := turns(n * h)
		overflows = up + (up - turns(total)) + turns(total)
	}
	if got := e.Sum(0, nil); got[0] != want[0] || got[1] != want[1] {
		t.Errorf("%d adds of %d and one of %d: got %v, want %v", n, h, g, got, want)
	}
	if got := e.Counters().Layers[0]; got.SumOverflows != uint64(overflows) || got.SynOps != uint64(2*(n+1)) {
		t.Errorf("got %d overflows in %d adds, want %d in %d", got.SumOverflows, got.SynOps, overflows, 2*(n+1))
	}
	over, ok := e.Err().(*emulator.OverflowError)
	if !ok {
		t.Fatalf("strict: got %v, want an OverflowError", e.Err())
	}
	first := emulator.OverflowError{Register: "sum", Value: firstOver * h, Min: f.Min(), Max: f.Max()}
	if *over != first {
		t.Errorf("first overflow: got %+v, want %+v", *over, first)
	}
	e.Reset()
	if e.Err() != nil {
		t.Errorf("Reset keeps %v", e.Err())
	}
	Twin(t, newMachine, m, emulator.Options{Strict: true}, fptest.Train{all, nil}, fptest.Train{all[1:], all[:n]})
}

// testMembraneOrder is testOrder where weights are added straight to the
// membrane: of n weights h the membrane holds all, or its largest value, or the
// sum modulo 2^Bits; then one axon takes a weight of the other sign or 0 away.
// Only for contracts whose layers can be kept from firing and forgetting.
func testMembraneOrder(t *testing.T, newMachine NewMachine, a fixedpoint.Arithmetic) {
	lo, hi := weights(a)
	r := a.Membrane.Register
	l, err := a.Neutral(a.Fire.Resets[0])
	forgets := a.Membrane.Decay.Kind != fixedpoint.DecayNone && (a.Membrane.Decay.Kind != fixedpoint.DecayMultiply || l.MembraneDecay != 0)
	if err != nil || forgets || a.Fire.When.Fires(r.Max(), l.Threshold) || a.Fire.Negative.When.Holds(r.Min(), l.NegThreshold) {
		t.Skipf("a membrane that fires or forgets before it is full: not this case (%v)", err)
	}
	h, g := hi<<a.Weight.ExpMax, lo<<a.Weight.ExpMax
	n := int(r.Max()/h) + 3
	if h > r.Max() || n > 1<<12 {
		t.Skipf("a weight of %d on a membrane of %d..%d: not this case", h, r.Min(), r.Max())
	}
	in := plain(a, n+1, 2, func(k, j int) int64 {
		if k == n {
			return lo
		}
		return hi
	})
	l.In, l.Out, l.Weights, l.WeightExp = in.In, in.Out, in.Weights, in.WeightExp
	e := newMachine(model(t, a, 2, l), emulator.Options{})
	all := make([]int32, n+1)
	for k := range all {
		all[k] = int32(k)
	}
	e.Step(all)
	want, over := int64(0), uint64(0)
	for k := range all {
		if want += h; k == n {
			want += g - h
		}
		if want >= r.Min() && want <= r.Max() {
			continue
		}
		over += 2 // both neurons
		switch {
		case r.Overflow != fixedpoint.Wrap:
			want = max(r.Min(), min(r.Max(), want))
		case want > r.Max():
			want -= int64(1) << r.Bits
		default:
			want += int64(1) << r.Bits
		}
	}
	c := e.Counters().Layers[0]
	if v := e.Membrane(0, nil); v[0] != want || v[1] != want || c.MembraneOverflows != over || c.Spikes != 0 {
		t.Errorf("%d adds of %d and one of %d: got %v with %d overflows, want %d with %d", n, h, g, v, c.MembraneOverflows, want, over)
	}
}

// testBoundary drives layers whose every parameter is at one of its ends.
func testBoundary(t *testing.T, newMachine NewMachine, a fixedpoint.Arithmetic) {
	rng := fptest.Rand(t, 11)
	lo, hi := weights(a)
	edge := []func(k, j int) int64{
		func(k, j int) int64 { return hi },
		func(k, j int) int64 { return lo },
		func(k, j int) int64 { return []int64{lo, hi}[(k+j)%2] },
		func(k, j int) int64 { return []int64{hi, 0, lo}[(k+2*j)%3] },
	}
	trains := []fptest.Train{{}, {}, {}}
	const ticks = 6
	for i := range ticks {
		trains[0] = append(trains[0], []int32{0, 1, 2, 3, 4})
		trains[1] = append(trains[1], [][]int32{{0, 2, 4}, {1, 3}}[i%2])
		trains[2] = append(trains[2], fptest.RandomSpikes(rng, 5, 0.3))
	}
	for _, w := range edge {
		for _, exp := range ends(int64(a.Weight.ExpMin), int64(a.Weight.ExpMax)) {
			for _, du := range ends(a.Current.Decay.Min, a.Current.Decay.Max) {
				for _, dv := range ends(a.Membrane.Decay.Min, a.Membrane.Decay.Max) {
					for _, threshold := range ends(0, a.Threshold.Max()) {
						for _, reset := range a.Fire.Resets {
							first := plain(a, 5, 3, byAxon(a, w))
							first.WeightExp, first.CurrentDecay, first.MembraneDecay = int(exp), du, dv
							first.Threshold, first.Reset = threshold, reset
							first.NegReset = negReset(a, reset)
							if reset == fixedpoint.ResetZero {
								first.ResetValue = 0
							}
							edges(rng, a, &first)
							last := plain(a, 3, 2, byAxon(a, w))
							edges(rng, a, &last)
							last.Delay = 0
							last.Integrator = rng.IntN(2) == 0
							Twin(t, newMachine, model(t, a, ticks, first, last), emulator.Options{Strict: true}, trains...)
						}
					}
				}
			}
		}
	}
}

// negReset is one that goes with reset.
func negReset(a fixedpoint.Arithmetic, reset fixedpoint.Reset) fixedpoint.NegReset {
	for _, r := range a.Fire.Negative.Resets {
		if r.Goes(reset) {
			return r
		}
	}
	if rs := a.Fire.Negative.Resets; len(rs) > 0 {
		return rs[0]
	}
	return 0
}

// edges puts the parameters that not every chip has at one of their ends, or
// somewhere between.
func edges(rng *rand.Rand, a fixedpoint.Arithmetic, l *fixedpoint.Layer) {
	end := func(lo, hi int64) int64 {
		e := ends(lo, hi)
		if rng.IntN(3) == 0 && hi > lo {
			return lo + rng.Int64N(hi-lo)
		}
		return e[rng.IntN(len(e))]
	}
	l.CurrentLeak = end(a.Current.Leak.Min, a.Current.Leak.Max)
	l.MembraneLeak = end(a.Membrane.Leak.Min, a.Membrane.Leak.Max)
	l.Refractory = int(end(0, int64(a.Fire.RefractoryMax)))
	l.Delay = int(end(0, int64(a.AxonDelayMax)))
	if f := a.Fire.ResetValue; f.Bits > 0 {
		l.ResetValue = end(f.Min(), f.Max())
	}
	if l.Reset == fixedpoint.ResetZero && a.Fire.Negative.Paired {
		l.ResetValue = 0
	}
	if n := a.Fire.Negative; n.When != fixedpoint.BelowNever {
		l.NegThreshold = end(n.Min, n.Max)
	}
	if b := a.Bias; b.Present && rng.IntN(2) == 0 {
		f := fixedpoint.Format{Bits: b.Bits, Signed: true, Exp: b.ExpMax}
		l.Bias = make([]int64, l.Out)
		for j := range l.Bias {
			l.Bias[j] = []int64{f.Min(), f.Max(), 0}[rng.IntN(3)]
		}
	}
}

func ends(lo, hi int64) []int64 {
	if lo == hi {
		return []int64{lo}
	}
	return []int64{lo, hi}
}

// RandomCores spreads the neurons of m over a few cores, some of them empty.
func RandomCores(rng *rand.Rand, m *fixedpoint.Model) []targets.CoreID {
	cores := make([]targets.CoreID, m.Neurons())
	n := 1 + rng.IntN(6)
	for i := range cores {
		cores[i] = targets.CoreID(rng.IntN(n) * 2)
	}
	return cores
}

// testRandom: random models in a, with and without delay, Strict and cores, in
// windows longer than the model's too.
func testRandom(t *testing.T, newMachine NewMachine, a fixedpoint.Arithmetic) {
	rng := fptest.Rand(t, 12)
	for range 60 {
		m := fptest.RandomModel(rng, fptest.ModelOptions{Arithmetic: &a})
		RandomTwin(t, rng, newMachine, m)
	}
}

// RandomTwin runs three windows of m with random options.
func RandomTwin(t testing.TB, rng *rand.Rand, newMachine NewMachine, m *fixedpoint.Model) {
	t.Helper()
	opt := emulator.Options{Delay: rng.IntN(2) == 0, Strict: rng.IntN(2) == 0}
	if rng.IntN(2) == 0 {
		opt.CoreOf = RandomCores(rng, m)
	}
	var windows []fptest.Train
	for _, density := range []float64{rng.Float64() * 0.2, rng.Float64(), 1} {
		windows = append(windows, fptest.RandomTrain(rng, m.Ticks+rng.IntN(4), m.Inputs(), density))
	}
	Twin(t, newMachine, m, opt, windows...)
}

// testCounters counts a small run on paper: 3-4-2, all weights 0, so nothing
// fires and every number follows from the shapes.
func testCounters(t *testing.T, newMachine NewMachine, a fixedpoint.Arithmetic) {
	none := func(k, j int) int64 { return 0 }
	m := model(t, a, 5, plain(a, 3, 4, none), plain(a, 4, 2, none))
	if !m.StaysAtRest() {
		t.Skip("this contract cannot rest")
	}
	e := newMachine(m, emulator.Options{CoreOf: []targets.CoreID{0, 0, 2, 0, 2, 2}})
	for _, in := range [][]int32{{0, 2}, nil, {1}, {0, 1, 2}, nil} {
		e.Step(in)
	}
	want := emulator.Counters{
		Samples: 1, Ticks: 5, InputSpikes: 6,
		Layers: []emulator.LayerCounters{
			{Events: 6, SynOps: 24, Updates: 20},
			{Updates: 10},
		},
		Cores: []emulator.CoreCounters{
			{Events: 6, SynOps: 18, Updates: 15},
			{},
			{Events: 6, SynOps: 6, Updates: 15},
		},
	}
	if a.Update == fixedpoint.PerEvent { // one more update for each event and neuron
		want.Layers[0].Updates = 44
		want.Cores[0].Updates, want.Cores[2].Updates = 15+18, 15+6
	}
	if d := emulator.CompareCounters(e.Counters(), want); d != nil {
		t.Error(d)
	}
}

// testInput: spikes that do not ascend or name no axon are our own mistake.
func testInput(t *testing.T, newMachine NewMachine, a fixedpoint.Arithmetic) {
	m := model(t, a, 5, plain(a, 3, 4, func(k, j int) int64 { return 0 }))
	for _, in := range [][]int32{{3}, {-1}, {1, 0}, {1, 1}, {0, 1, 2, 3}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Step(%v) did not panic", in)
				}
			}()
			newMachine(m, emulator.Options{}).Step(in)
		}()
	}
}
