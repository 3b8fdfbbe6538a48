package emulator_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"glsnn/emulator"
	"glsnn/emulator/emutest"
	"glsnn/emulator/reference"
	"glsnn/fixedpoint"
	"glsnn/fixedpoint/fptest"
)

// samples makes n trains for m, each from its own seed, so that any worker can
// make any of them.
func samples(m *fixedpoint.Model) func(i int) emulator.Train {
	return func(i int) emulator.Train {
		rng := rand.New(rand.NewPCG(31, uint64(i)))
		return fptest.RandomTrain(rng, m.Ticks, m.Inputs(), rng.Float64())
	}
}

// each is a source for every worker.
func each(sample func(i int) emulator.Train) func() func(i int) emulator.Train {
	return func() func(i int) emulator.Train { return sample }
}

// TestRunIsTheSameForAll: workers, engines and placement change nothing, and
// the result is what a hand-driven reference gives.
func TestRunIsTheSameForAll(t *testing.T) {
	rng := fptest.Rand(t, 31)
	const n = 17
	for range 40 {
		m := fptest.RandomModel(rng, fptest.ModelOptions{Neurons: 20})
		cores := emutest.RandomCores(rng, m)
		delay := rng.IntN(2) == 0
		want := emulator.Result{RateByLayer: make([]float64, len(m.Layers))}
		ref := reference.New(m, emulator.Options{CoreOf: cores, Delay: delay})
		for i := range n {
			train := samples(m)(i)
			ref.Reset()
			for tick := range m.Ticks {
				ref.Step(train.At(tick))
			}
			after := 0
			if delay {
				after = len(m.Layers) - 1
			}
			for _, l := range m.Layers {
				after += l.Delay
			}
			for range after {
				ref.Step(nil)
			}
			want.Scores = append(want.Scores, ref.Scores(nil))
			want.Class = append(want.Class, emulator.Argmax(ref.Scores(nil)))
		}
		want.Counters = ref.Counters()
		for i, l := range m.Layers {
			want.RateByLayer[i] = float64(want.Counters.Layers[i].Spikes) / float64(l.Out) / float64(want.Counters.Ticks)
		}
		for _, kind := range []emulator.EngineKind{emulator.EventEngine, emulator.ReferenceEngine, emulator.BothEngines} {
			for _, workers := range []int{0, 1, 3, 50} {
				got, err := emulator.Run(context.Background(), m, n, each(samples(m)), emulator.RunOptions{
					Engine: kind, Workers: workers, CoreOf: cores, Delay: delay, KeepScores: true})
				if err != nil {
					t.Fatal(err)
				}
				if !reflect.DeepEqual(*got, want) {
					t.Fatalf("%v, %d workers: got %+v, want %+v", kind, workers, *got, want)
				}
			}
		}
	}
}

// overflowing is a model of which sample i overflows exactly if i is odd.
func overflowing(t *testing.T) (*fixedpoint.Model, func(i int) emulator.Train) {
	t.Helper()
	a := contracts()["tiny"] // sums of four bits saturate at 7
	m, err := fixedpoint.NewModel(fixedpoint.Model{
		Arithmetic: a, Ticks: 2, Readout: fixedpoint.ReadMembrane,
		Layers: []fixedpoint.Layer{{In: 3, Out: 2, Weights: fixedpoint.NewMatrix(3, 2, []int16{1, 0, 3, 3, 0, 3}), WeightBits: 3, WeightExp: 1, Integrator: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return m, func(i int) emulator.Train {
		if i%2 == 0 {
			return fptest.Train{{0}, {0}}
		}
		return fptest.Train{{0}, {1, 2}}
	}
}

// TestRunStrict: the error is that of the first sample, for every number of
// workers and each engine.
func TestRunStrict(t *testing.T) {
	m, sample := overflowing(t)
	const want = "sample 1: tick 1, layer 0, neuron 1: sum: got 12, want -8..7"
	for _, kind := range []emulator.EngineKind{emulator.EventEngine, emulator.ReferenceEngine, emulator.BothEngines} {
		for workers := range 5 {
			_, err := emulator.Run(context.Background(), m, 40, each(sample), emulator.RunOptions{Engine: kind, Workers: workers, Strict: true})
			var over *emulator.OverflowError
			if err == nil || err.Error() != want || !errors.As(err, &over) || over.Value != 12 {
				t.Fatalf("%v, %d workers: got %v, want %s", kind, workers, err, want)
			}
		}
	}
	res, err := emulator.Run(context.Background(), m, 40, each(sample), emulator.RunOptions{})
	if err != nil || res.Counters.Layers[0].SumOverflows != 20 || res.Counters.Overflows() != 20 {
		t.Errorf("not strict: got %+v, %v, want 20 sum overflows", res, err)
	}
}

// TestRunStopsAtTheFirst: samples after a failed one are not begun, and one
// that fails later in time does not take its place.
func TestRunStopsAtTheFirst(t *testing.T) {
	m, sample := overflowing(t)
	begun := make(chan struct{})
	_, err := emulator.Run(context.Background(), m, 2, each(func(i int) emulator.Train {
		if i == 1 {
			close(begun)
			time.Sleep(30 * time.Millisecond)
		}
		<-begun
		return sample(1)
	}), emulator.RunOptions{Workers: 2, Strict: true})
	if err == nil || !strings.HasPrefix(err.Error(), "sample 0: ") {
		t.Errorf("got %v, want that of sample 0", err)
	}
	var calls atomic.Int64
	_, err = emulator.Run(context.Background(), m, 1_000_000, each(func(i int) emulator.Train {
		calls.Add(1)
		if i == 0 {
			return sample(1)
		}
		return sample(0)
	}), emulator.RunOptions{Workers: 2, Strict: true})
	if err == nil || calls.Load() > 900_000 {
		t.Errorf("got %v after %d samples", err, calls.Load())
	}
}

func TestRunRefuses(t *testing.T) {
	m, sample := overflowing(t)
	for _, c := range []struct {
		n    int
		opt  emulator.RunOptions
		want string
	}{
		{1, emulator.RunOptions{Engine: 3}, "engine: got invalid(3), want one of event, reference, both"},
		{-1, emulator.RunOptions{}, "got -1 samples"},
		{1, emulator.RunOptions{Workers: -1}, "-1 workers"},
		{1, emulator.RunOptions{CoreOf: emutest.RandomCores(rand.New(rand.NewPCG(1, 1)), m)[1:]}, "CoreOf: got 1 cores, want one for each of 2 neurons"},
	} {
		if _, err := emulator.Run(context.Background(), m, c.n, each(sample), c.opt); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
	short := func(i int) emulator.Train { return fptest.Train(make([][]int32, 2-i/5)) }
	if _, err := emulator.Run(context.Background(), m, 9, each(short), emulator.RunOptions{}); err == nil || err.Error() != "sample 5: got 1 ticks, want the model's 2" {
		t.Errorf("short train: got %v", err)
	}
	if res, err := emulator.Run(context.Background(), m, 0, each(nil), emulator.RunOptions{}); err != nil || len(res.Class) != 0 || res.Counters.Samples != 0 {
		t.Errorf("no samples: got %+v, %v", res, err)
	}
}

func TestRunCancel(t *testing.T) {
	m, sample := overflowing(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var calls atomic.Int64
	_, err := emulator.Run(ctx, m, 1<<20, each(func(i int) emulator.Train {
		if calls.Add(1) == 5 {
			cancel()
		}
		return sample(i)
	}), emulator.RunOptions{Workers: 2, CoreOf: nil})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	if n := calls.Load(); n > 10 {
		t.Errorf("%d samples begun after the call that cancelled", n-5)
	}
}

// liar changes one thing of a machine, to see it found.
type liar struct {
	emulator.Machine
	membrane func([]int64)
}

func (l liar) Membrane(layer int, dst []int64) []int64 {
	dst = l.Machine.Membrane(layer, dst)
	l.membrane(dst)
	return dst
}

func TestCompareFinds(t *testing.T) {
	m, sample := overflowing(t)
	a, b := emulator.New(m, emulator.Options{}), reference.New(m, emulator.Options{})
	a.Step(sample(1).At(1))
	b.Step(sample(1).At(1))
	c := emulator.NewComparer(m)
	if d := c.State(a, b); d != nil {
		t.Fatal(d)
	}
	d := c.State(liar{a, func(v []int64) { v[1]-- }}, b)
	if d == nil || *d != (emulator.Mismatch{Layer: 0, Neuron: 1, What: "membrane", Got: 6, Want: 7}) {
		t.Errorf("got %+v", d)
	}
	d.Sample, d.Tick = 4, 2
	if want := "engines differ: sample 4, tick 2, layer 0, neuron 1: membrane: got 6, want 7"; d.Error() != want {
		t.Errorf("got %q, want %q", d, want)
	}
}

// TestCompareCountersFinds changes every number of a Counters in turn; Equal
// must see each of them too, and Add double them all.
func TestCompareCountersFinds(t *testing.T) {
	x, fields := distinct()
	whole := x.Clone()
	if len(fields) != 3+2*8+4 {
		t.Fatalf("got %d counters", len(fields))
	}
	seen := map[string]bool{}
	for _, f := range fields {
		f.SetUint(f.Uint() + 1)
		d := emulator.CompareCounters(*x, whole)
		if d == nil || d.Got != d.Want+1 || x.Equal(whole) {
			t.Errorf("a counter changed unseen: %+v", x)
		} else if key := d.Error(); seen[key] {
			t.Errorf("two counters report %q", key)
		} else {
			seen[key] = true
		}
		f.SetUint(f.Uint() - 1)
	}
	if d := emulator.CompareCounters(*x, whole); d != nil || !x.Equal(whole) {
		t.Errorf("equal counters: got %v", d)
	}
	y := x.Clone()
	y.Add(whole)
	var twice emulator.Counters
	twice.Add(whole)
	twice.Add(whole)
	if !y.Equal(twice) || !x.Equal(whole) {
		t.Errorf("got %+v and %+v", y, twice)
	}
	doubled, sums := distinct()
	for _, f := range sums {
		f.SetUint(2 * f.Uint())
	}
	if !twice.Equal(*doubled) {
		t.Errorf("twice: got %+v, want %+v", twice, doubled)
	}
}

// distinct is a Counters of two layers and a core whose numbers are 1, 2, 3 …,
// and its fields.
func distinct() (*emulator.Counters, []reflect.Value) {
	x := &emulator.Counters{Layers: make([]emulator.LayerCounters, 2), Cores: make([]emulator.CoreCounters, 1)}
	var fields []reflect.Value
	var walk func(reflect.Value)
	walk = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				walk(v.Field(i))
			}
		case reflect.Slice:
			for i := range v.Len() {
				walk(v.Index(i))
			}
		default:
			fields = append(fields, v)
			v.SetUint(uint64(len(fields)))
		}
	}
	walk(reflect.ValueOf(x).Elem())
	return x, fields
}

// TestCountersAddOrder merges parts in several orders, the zero among them.
func TestCountersAddOrder(t *testing.T) {
	rng := fptest.Rand(t, 32)
	m := fptest.RandomModel(rng, fptest.ModelOptions{})
	var parts []emulator.Counters
	for i := range 5 {
		res, err := emulator.Run(context.Background(), m, i, each(samples(m)), emulator.RunOptions{CoreOf: emutest.RandomCores(rng, m)})
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, res.Counters)
	}
	parts = append(parts, emulator.Counters{})
	sum := func() (c emulator.Counters) {
		for _, p := range parts {
			c.Add(p)
		}
		return c
	}
	want := sum()
	for range 20 {
		rng.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
		if got := sum(); !got.Equal(want) {
			t.Fatalf("got %+v, want %+v", got, want)
		}
	}
}

func TestParseEngine(t *testing.T) {
	for _, k := range []emulator.EngineKind{emulator.EventEngine, emulator.ReferenceEngine, emulator.BothEngines} {
		if got, err := emulator.ParseEngine(k.String()); err != nil || got != k {
			t.Errorf("%v: got %v, %v", k, got, err)
		}
	}
	if _, err := emulator.ParseEngine("fast"); err == nil || err.Error() != `engine: got "fast", want one of event, reference, both` {
		t.Errorf("got %v", err)
	}
	if !slices.Equal([]string{"event", "reference", "both"}, []string{emulator.EventEngine.String(), emulator.ReferenceEngine.String(), emulator.BothEngines.String()}) {
		t.Error("names changed")
	}
}
