package parity_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync/atomic"
	"testing"

	"glsnn/emulator"
	"glsnn/emulator/machine"
	"glsnn/emulator/parity"
	"glsnn/fixedpoint"
	"glsnn/fixedpoint/quantize"
	"glsnn/float"
	"glsnn/float/dataset"
	"glsnn/float/encode"
	"glsnn/targets"
)

var ctx = context.Background()

// network has 9 inputs, two hidden layers and 4 outputs, with weights that are
// multiples of 1/64, at most 127 of them, or any.
func network(seed uint64, readout float.Readout, exact bool) *float.Network {
	rng := rand.New(rand.NewPCG(seed, 1))
	n := &float.Network{Config: float.Config{
		Mode: float.Chip, Sizes: []int{9, 14, 11, 4}, Ticks: 10, Encoder: encode.Bernoulli, EncoderSeed: 9,
		CurrentDecay: float.DecayOne, MembraneDecay: 0, Reset: float.ResetSubtract, Readout: readout,
	}}
	for l := range n.Layers() {
		w := make([]float32, n.Sizes[l]*n.Sizes[l+1])
		for i := range w {
			x := 0.05 + 0.5*rng.NormFloat64()
			if exact {
				x = min(max(math.Round(x*64), -127), 127) / 64
			}
			w[i] = float32(x)
		}
		w[0] = 127.0 / 64
		n.Weights = append(n.Weights, w)
	}
	return n
}

func samples(n int) *dataset.Set {
	rng := rand.New(rand.NewPCG(7, 2))
	s := &dataset.Set{Name: "random", Rows: 3, Cols: 3, Classes: 4, Pixels: make([]uint8, 9*n), Labels: make([]uint8, n)}
	for i := range s.Pixels {
		s.Pixels[i] = uint8(rng.IntN(256))
	}
	for i := range s.Labels {
		s.Labels[i] = uint8(rng.IntN(4))
	}
	return s
}

func model(t testing.TB, n *float.Network, bits int) *fixedpoint.Model {
	t.Helper()
	chip, err := targets.Load("generic")
	if err != nil {
		t.Fatal(err)
	}
	m, _, err := quantize.Quantize(n, quantize.Options{Bits: []int{bits}, Arithmetic: chip.Arithmetic, Scheme: quantize.Max, Rounding: fixedpoint.NearestEven})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func compare(t testing.TB, n *float.Network, m *fixedpoint.Model, set *dataset.Set, workers int) *parity.Report {
	t.Helper()
	r, err := parity.Compare(ctx, n, m, set, set.Len(), workers, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestExact: where every weight is a multiple of a power of two and nothing
// decays, both compute the same numbers.
func TestExact(t *testing.T) {
	set := samples(120)
	for seed := range uint64(4) {
		for _, readout := range []float.Readout{float.ReadMembrane, float.ReadCount} {
			n := network(seed, readout, true)
			r := compare(t, n, model(t, n, 8), set, 2)
			if r.Agreement != 1 || r.SameSpikes != 120 || r.FirstPart != nil || r.OnlyFloat+r.OnlyFixed != 0 || r.McNemarP != 1 || r.DropPoints != 0 ||
				r.DropCI[0] != -r.DropCI[1] || r.FloatAccuracy != r.FixedAccuracy || r.Samples != 120 {
				t.Errorf("seed %d, %s: %+v", seed, readout, r)
			}
			want := 2
			if readout == float.ReadCount {
				want = 3
			}
			if len(r.Layers) != want {
				t.Errorf("%s: got %d firing layers, want %d", readout, len(r.Layers), want)
			}
			for i, l := range r.Layers {
				if l.Layer != i || l.FloatRate != l.FixedRate || l.FloatRate == 0 || l.FloatRate > 1 || l.Differing != 0 || l.PartedFirst != 0 || l.SilentFloat != l.SilentFixed || l.MembraneRMS != 0 {
					t.Errorf("seed %d, %s: %+v", seed, readout, l)
				}
			}
			if err := r.CheckActivity(); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestPerEvent: with one input spike a tick a test after every event is a
// test a tick, so both compute the same numbers again.
func TestPerEvent(t *testing.T) {
	chip, err := targets.Load("tinyodin-event")
	if err != nil {
		t.Fatal(err)
	}
	n := network(3, float.ReadMembrane, true)
	n.Sizes, n.Weights, n.Reset = []int{9, 14, 4}, [][]float32{n.Weights[0], n.Weights[1][:14*4]}, float.ResetZero
	for _, w := range n.Weights { // 4-bit weights, a threshold of 8
		for i := range w {
			w[i] = float32(math.Round(float64(w[i])*3)) / 8
		}
		w[0] = 7.0 / 8
	}
	m, _, err := quantize.Quantize(n, quantize.Options{Bits: []int{4}, Arithmetic: chip.Arithmetic, Scheme: quantize.Max, Rounding: fixedpoint.NearestEven})
	if err != nil {
		t.Fatal(err)
	}
	if m.Layers[0].Threshold != 8 {
		t.Fatalf("got threshold %d, want 8", m.Layers[0].Threshold)
	}
	gt := *m // the float neuron fires above its threshold, not at it
	gt.Layers = slices.Clone(m.Layers)
	gt.Layers[0].Threshold++
	one := samples(60)
	for i := range one.Len() {
		clear(one.Pixels[9*i : 9*i+9])
		one.Pixels[9*i+i%9] = uint8(100 + i)
	}
	if r := compare(t, n, &gt, one, 2); r.SameSpikes != 60 || r.FirstPart != nil || r.Layers[0].FloatRate == 0 || r.Layers[0].MembraneRMS > 0.1 {
		t.Errorf("one input: %+v, %+v", r, r.Layers[0])
	}

	// A float network that is tested after every event itself does the same with
	// any input, repeats and order included.
	n.PerEvent = true
	if r := compare(t, n, &gt, samples(60), 2); r.SameSpikes != 60 || r.FirstPart != nil || r.Layers[0].FloatRate == 0 || r.Agreement != 1 {
		t.Errorf("per event: %+v, %+v", r, r.Layers[0])
	}
	n.PerEvent = false

	// With more inputs the chip fires between events: more often, repeats in a
	// tick included, and every spike is on one side or on both.
	r := compare(t, n, &gt, samples(60), 2)
	l := r.Layers[0]
	slots := 60 * 10 * 14.0
	if l.FixedRate <= l.FloatRate || l.Differing <= 0 || l.Differing >= 1 || r.FirstPart == nil {
		t.Errorf("got %+v", l)
	}
	common := (l.FloatRate + l.FixedRate) * slots / (2 - l.Differing) * (1 - l.Differing)
	if math.Abs(common-math.Round(common)) > 1e-6 || common > l.FloatRate*slots {
		t.Errorf("got %v spikes on both sides, want a whole number below the float network's %v", common, l.FloatRate*slots)
	}
}

// naive is Compare's counts worked out sample by sample with sets of spikes.
func naive(t *testing.T, n *float.Network, m *fixedpoint.Model, set *dataset.Set) *parity.Report {
	t.Helper()
	r := &parity.Report{Samples: set.Len()}
	type spike struct{ sample, tick, layer, neuron int }
	a, b := map[spike]bool{}, map[spike]bool{}
	firing := len(r.Layers)
	for l := range m.Layers {
		if !m.Layers[l].Integrator {
			firing = l + 1
		}
	}
	floatRight, fixedRight, agree := 0, 0, 0
	parted := make([]int, firing)
	sq, sqN := make([]float64, firing), make([]float64, firing)
	for i := range set.Len() {
		var train encode.Train
		n.NewEncoder().Encode(&train, i, set.Image(i))
		st, e := n.NewState(), emulator.New(m, emulator.Options{})
		e.Reset()
		same := true
		for tick := range m.Ticks {
			st.Step(train.At(tick))
			e.Step(train.At(tick))
			for l := range firing {
				for _, j := range st.Fired(l) {
					a[spike{i, tick, l, int(j)}] = true
				}
				for _, j := range e.Spikes(l) {
					b[spike{i, tick, l, int(j)}] = true
				}
				if !slices.Equal(st.Fired(l), e.Spikes(l)) {
					if same {
						parted[l]++
					}
					same = false
					d := parity.Divergence{Layer: l, Tick: tick, Sample: i}
					if f := r.FirstPart; f == nil || l < f.Layer || l == f.Layer && tick < f.Tick {
						r.FirstPart = &d
					}
				} else if same {
					for j, v := range e.Membrane(l, nil) {
						sq[l] += math.Pow(float64(st.Membrane(l)[j])-float64(v)/float64(m.Layers[l].Threshold), 2)
						sqN[l]++
					}
				}
			}
		}
		if same {
			r.SameSpikes++
		}
		out := make([]float32, m.Outputs())
		st.Output(out)
		cf, cx, label := slices.Index(out, slices.Max(out)), emulator.Argmax(e.Scores(nil)), int(set.Labels[i])
		if cf == cx {
			agree++
		}
		if cf == label {
			floatRight++
			if cx != label {
				r.OnlyFloat++
			}
		}
		if cx == label {
			fixedRight++
			if cf != label {
				r.OnlyFixed++
			}
		}
	}
	size := float64(set.Len())
	r.FloatAccuracy, r.FixedAccuracy, r.Agreement = float64(floatRight)/size, float64(fixedRight)/size, float64(agree)/size
	for l := range firing {
		x := parity.LayerReport{Layer: l, PartedFirst: parted[l], MembraneRMS: math.Sqrt(sq[l] / sqN[l])}
		slots := size * float64(m.Ticks*m.Layers[l].Out)
		only, either := 0.0, 0.0
		fa, fb := map[int]bool{}, map[int]bool{}
		for s := range a {
			if s.layer == l {
				x.FloatRate++
				either++
				fa[s.neuron] = true
				if !b[s] {
					only++
				}
			}
		}
		for s := range b {
			if s.layer == l {
				x.FixedRate++
				fb[s.neuron] = true
				if !a[s] {
					only++
					either++
				}
			}
		}
		x.FloatRate, x.FixedRate, x.Differing = x.FloatRate/slots, x.FixedRate/slots, only/either
		x.SilentFloat, x.SilentFixed = m.Layers[l].Out-len(fa), m.Layers[l].Out-len(fb)
		r.Layers = append(r.Layers, x)
	}
	return r
}

// TestNaive compares with the twin above, at 2 bits, where much differs, and at
// 8, where little does, for several numbers of workers.
func TestNaive(t *testing.T) {
	set := samples(120)
	for _, c := range []struct {
		bits    int
		readout float.Readout
	}{{2, float.ReadMembrane}, {2, float.ReadCount}, {8, float.ReadMembrane}} {
		n := network(5, c.readout, false)
		m := model(t, n, c.bits)
		got := compare(t, n, m, set, 1)
		for _, workers := range []int{0, 2, 7} {
			if again := compare(t, n, m, set, workers); !reflect.DeepEqual(again, got) {
				t.Errorf("%d workers: got %+v, want %+v", workers, again, got)
			}
		}
		want := naive(t, n, m, set)
		if c.bits == 2 && (got.Agreement > 0.95 || got.SameSpikes > 30 || got.Layers[0].Differing < 0.02 || got.FirstPart == nil || got.FirstPart.Layer != 0) {
			t.Errorf("%+v: 2 bits differ less than they ought to: %+v", c, got)
		}
		if c.bits == 8 && (got.Agreement < 0.9 || got.Layers[0].Differing > 0.04) {
			t.Errorf("%+v: 8 bits differ more than they ought to: %+v", c, got)
		}
		if drop := 100 * (got.FloatAccuracy - got.FixedAccuracy); math.Abs(drop-got.DropPoints) > 1e-9 || got.DropCI[0] > drop || got.DropCI[1] < drop || got.McNemarP <= 0 || got.McNemarP > 1 {
			t.Errorf("%+v: drop %v in %v, p %v", c, got.DropPoints, got.DropCI, got.McNemarP)
		}
		for l := range want.Layers {
			if g, w := got.Layers[l].MembraneRMS, want.Layers[l].MembraneRMS; math.Abs(g-w) > 1e-9 {
				t.Errorf("%+v, layer %d: got membrane RMS %v, want %v", c, l, g, w)
			}
			want.Layers[l].MembraneRMS = got.Layers[l].MembraneRMS
		}
		want.DropPoints, want.DropCI, want.McNemarP = got.DropPoints, got.DropCI, got.McNemarP
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%+v:\n got %+v %+v\nwant %+v %+v", c, got, got.FirstPart, want, want.FirstPart)
		}
	}
}

func TestCompareRefuses(t *testing.T) {
	set := samples(10)
	n := network(1, float.ReadMembrane, true)
	m := model(t, n, 8)
	cut := *n
	cut.Ticks = 9
	paper := *n
	paper.Mode = float.Paper
	count := *n
	count.Readout = float.ReadCount
	small := *set
	small.Rows = 2
	for _, c := range []struct {
		n    *float.Network
		set  *dataset.Set
		k    int
		want string
	}{
		{n, set, 10, ""},
		{&cut, set, 10, "network and model: got layers [9 14 11 4] over 10 ticks, want [9 14 11 4] over 9"},
		{&paper, set, 10, "network: mode: got paper, want chip: layers that pass real numbers have no integer twin"},
		{&count, set, 10, "network and model: read-out: got membrane, want count"},
		{n, &small, 10, "random: pixels: got 6, want the network's 9 inputs"},
		{n, set, 11, "samples: got 11, want 1..10"},
		{n, set, 0, "samples: got 0, want 1..10"},
	} {
		r, err := parity.Compare(ctx, c.n, m, c.set, c.k, 1, nil)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != c.want || (r == nil) != (err != nil) {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	if r, err := parity.Compare(stopped, n, m, set, 10, 1, nil); !errors.Is(err, context.Canceled) || r != nil {
		t.Errorf("got %v, %v", r, err)
	}
	if _, err := parity.Same(stopped, m, m, set, n.NewEncoder(), false, 1, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestProgress(t *testing.T) {
	set := samples(120)
	n := network(1, float.ReadMembrane, true)
	m := model(t, n, 8)
	var most atomic.Int64
	done := func(k int) {
		for old := most.Load(); int64(k) > old && !most.CompareAndSwap(old, int64(k)); old = most.Load() {
		}
	}
	if _, err := parity.Compare(ctx, n, m, set, 115, 3, done); err != nil || most.Load() != 115 {
		t.Errorf("got %d, %v, want 115", most.Load(), err)
	}
	most.Store(0)
	if _, err := parity.Same(ctx, m, m, set, n.NewEncoder(), true, 3, done); err != nil || most.Load() != 120 {
		t.Errorf("got %d, %v, want 120", most.Load(), err)
	}
}

// TestSamePlanted changes the weight from hidden neuron k to neuron 2 of the
// layer above: the first sum that differs is that neuron's, in the tick in which
// k fires for the first time.
func TestSamePlanted(t *testing.T) {
	set := samples(60)
	n := network(2, float.ReadMembrane, true)
	m := model(t, n, 8)
	enc := n.NewEncoder()
	s, err := parity.Same(ctx, m, m, set, enc, true, 2, nil)
	if err != nil || s.Mismatches != 0 || s.First != nil || s.Samples != 60 || s.Spikes == 0 || s.Counters.Totals().Spikes != s.Spikes || s.Counters.Samples != 60 {
		t.Fatalf("a model and itself: %+v, %v", s, err)
	}
	later := 0 // neurons whose first spike is not in sample 0
	for k := range m.Layers[0].Out {
		var want *emulator.Mismatch
		mismatches := 0
		for i := range set.Len() {
			var train encode.Train
			enc.Encode(&train, i, set.Image(i))
			e := emulator.New(m, emulator.Options{})
			e.Reset()
			for tick := range m.Ticks {
				if e.Step(train.At(tick)); !slices.Contains(e.Spikes(0), int32(k)) {
					continue
				}
				mismatches++
				if want == nil {
					sum := e.Sum(1, nil)[2]
					want = &emulator.Mismatch{Sample: i, Tick: tick, Layer: 1, Neuron: 2, What: machine.Sum, Got: sum - 1<<m.Layers[1].WeightExp, Want: sum}
				}
				break
			}
		}
		planted := *m
		planted.Layers = slices.Clone(m.Layers)
		l := &planted.Layers[1]
		w := l.Weights.Values()
		w[k*l.Out+2]--
		l.Weights = fixedpoint.NewMatrix(l.In, l.Out, w)
		for _, workers := range []int{1, 3} {
			s, err := parity.Same(ctx, &planted, m, set, enc, true, workers, nil)
			if err != nil || s.Mismatches != mismatches || !reflect.DeepEqual(s.First, want) {
				t.Fatalf("neuron %d, %d workers: got %d, %v, want %d, %v; %v", k, workers, s.Mismatches, s.First, mismatches, want, err)
			}
		}
		if want != nil && want.Sample > 0 {
			later++
		}
	}
	if later == 0 {
		t.Error("every neuron fires in sample 0: choose another network")
	}
}

func TestSameRefuses(t *testing.T) {
	set := samples(3)
	n := network(2, float.ReadMembrane, true)
	m := model(t, n, 8)
	short, ticks, wide := *m, *m, *m
	short.Layers = short.Layers[:2]
	ticks.Ticks = 9
	wide.Layers = slices.Clone(m.Layers)
	wide.Layers[2].Out = 5
	small := *set
	small.Cols = 2
	enc := n.NewEncoder()
	other := enc
	other.Ticks = 9
	for _, c := range []struct {
		got  *fixedpoint.Model
		set  *dataset.Set
		enc  encode.Encoder
		want string
	}{
		{&short, set, enc, "models: got 2 layers over 10 ticks, want 3 over 10"},
		{&ticks, set, enc, "models: got 3 layers over 9 ticks, want 3 over 10"},
		{&wide, set, enc, "models: layer 2: got 11 x 5, want 11 x 4"},
		{m, &small, enc, "random: pixels: got 6, want the models' 9 inputs"},
		{m, set, other, "encoder: ticks: got 9, want the models' 10"},
	} {
		if _, err := parity.Same(ctx, c.got, m, c.set, c.enc, true, 1, nil); err == nil || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

func TestCheckActivity(t *testing.T) {
	r := &parity.Report{Samples: 7, Layers: []parity.LayerReport{{Layer: 0, FloatRate: 0.1, FixedRate: 0.2}, {Layer: 1}, {Layer: 2, FloatRate: 0.25}, {Layer: 3, FloatRate: 1}}}
	err := r.CheckActivity()
	se := (*parity.SilentError)(nil)
	want := "layer 2: went silent: got no spike in 7 samples, want a rate near the float network's 0.2500; try more --bits or another --scale"
	if !errors.As(err, &se) || se.Layer != 2 || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	r.Layers = r.Layers[:2]
	if err := r.CheckActivity(); err != nil {
		t.Errorf("got %v for a layer that is silent in both", err)
	}
}

// ExampleCompare compares a network with itself in integers, which its weights
// are already.
func ExampleCompare() {
	n := &float.Network{
		Config: float.Config{
			Mode: float.Chip, Sizes: []int{2, 2}, Ticks: 4, Encoder: encode.Rate, CurrentDecay: float.DecayOne,
			Reset: float.ResetZero, Readout: float.ReadCount,
		},
		Weights: [][]float32{{0.875, 0, 0, 0.5}},
	}
	chip, err := targets.Load("generic")
	if err != nil {
		fmt.Println(err)
		return
	}
	m, _, err := quantize.Quantize(n, quantize.Options{Bits: []int{4}, Arithmetic: chip.Arithmetic, Scheme: quantize.Max})
	if err != nil {
		fmt.Println(err)
		return
	}
	set := &dataset.Set{Name: "two", Rows: 1, Cols: 2, Classes: 2, Pixels: []uint8{255, 0, 0, 255}, Labels: []uint8{0, 1}}
	r, err := parity.Compare(context.Background(), n, m, set, set.Len(), 1, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.FloatAccuracy, r.FixedAccuracy, r.SameSpikes, r.FirstPart, r.Layers[0].FixedRate)
	// Output: 1 1 2 <nil> 0.1875
}
