package quantize_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"glsnn/emulator"
	"glsnn/fixedpoint"
	"glsnn/fixedpoint/fptest"
	"glsnn/fixedpoint/quantize"
	"glsnn/float"
	"glsnn/float/encode"
	"glsnn/targets"
)

// arithmetics are those of the shipped chips, and Wide.
func arithmetics(t testing.TB) map[string]fixedpoint.Arithmetic {
	t.Helper()
	all := map[string]fixedpoint.Arithmetic{"wide": fixedpoint.Wide()}
	for _, name := range []string{"toy", "generic", "loihi"} {
		all[name] = arithmetic(t, name)
	}
	return all
}

func arithmetic(t testing.TB, name string) fixedpoint.Arithmetic {
	t.Helper()
	chip, err := targets.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return chip.Arithmetic
}

// network has normal weights, about as large as training leaves them.
func network(rng *rand.Rand, c float.Config) *float.Network {
	n := &float.Network{Config: c}
	for l := range c.Layers() {
		w := make([]float32, c.Sizes[l]*c.Sizes[l+1])
		for i := range w {
			w[i] = float32(rng.NormFloat64() / math.Sqrt(float64(c.Sizes[l])))
		}
		n.Weights = append(n.Weights, w)
	}
	return n
}

func config(sizes ...int) float.Config {
	return float.Config{
		Mode: float.Chip, Sizes: sizes, Ticks: 8, Encoder: encode.Rate, EncoderSeed: 5, CurrentDecay: float.DecayOne, MembraneDecay: 512,
		Reset: float.ResetZero, Readout: float.ReadCount,
	}
}

func options(a fixedpoint.Arithmetic, bits ...int) quantize.Options {
	return quantize.Options{Bits: bits, Arithmetic: a, Scheme: quantize.Max, Rounding: fixedpoint.NearestEven}
}

// random is a random network, its arithmetic and options; the quantiser takes
// most of them.
func random(rng *rand.Rand, all map[string]fixedpoint.Arithmetic) (*float.Network, quantize.Options) {
	names := []string{"generic", "loihi", "toy", "wide"}
	a := all[names[rng.IntN(len(names))]]
	c := config(1+rng.IntN(20), 1+rng.IntN(12), 2+rng.IntN(6))
	if rng.IntN(3) == 0 {
		c.Readout = float.ReadMembrane
	}
	if rng.IntN(3) == 0 && len(a.Fire.Resets) > 1 {
		c.Reset = float.ResetSubtract
	}
	c.CurrentDecay, c.MembraneDecay = 512*(1+rng.IntN(8)), 512*rng.IntN(8)
	net := network(rng, c)
	o := options(a, 2+rng.IntN(min(8, a.Weight.Bits)-1))
	if rng.IntN(2) == 0 {
		o.Bits = append(o.Bits, 2+rng.IntN(min(8, a.Weight.Bits)-1))
	}
	o.Scheme = quantize.Schemes()[rng.IntN(3)]
	o.Percentile = 50 + 50*rng.Float64()
	o.Rounding = fixedpoint.RoundModes()[rng.IntN(5)]
	return net, o
}

func roundTo(x float64, mode fixedpoint.RoundMode) float64 {
	return map[fixedpoint.RoundMode]func(float64) float64{
		fixedpoint.TowardZero: math.Trunc, fixedpoint.Floor: math.Floor, fixedpoint.NearestEven: math.RoundToEven, fixedpoint.HalfAway: math.Round,
		fixedpoint.HalfUp: func(x float64) float64 { return math.Ceil(math.Floor(2*x) / 2) },
	}[mode](x)
}

// TestProperties checks on random networks what the doc comments promise: each
// weight is rounded once and clipped, the range is symmetric, a threshold is a
// value of the arithmetic that stands for 1 exactly, Max clips nothing, the
// report says what was done, widths are those of Bounds.
func TestProperties(t *testing.T) {
	all := arithmetics(t)
	taken, clipped := 0, 0
	for seed := range uint64(600) {
		net, o := random(rand.New(rand.NewPCG(seed, 1)), all)
		o.Source = fixedpoint.Source{Data: fmt.Sprint(seed)}
		m, r, err := quantize.Quantize(net, o)
		if err != nil {
			continue
		}
		taken++
		if m.Ticks != net.Ticks || m.Encoding != (fixedpoint.Encoding{Kind: "rate", Seed: 5}) || m.Source != o.Source || !m.Arithmetic.Equal(o.Arithmetic) ||
			(m.Readout == fixedpoint.ReadCount) != (net.Readout == float.ReadCount) || len(r.Layers) != len(m.Layers) {
			t.Fatalf("seed %d: %+v", seed, m)
		}
		share := func(l fixedpoint.Layer) float64 { // of an input that one tick takes in
			if d := o.Arithmetic.Membrane.Decay; d.Kind == fixedpoint.DecayTowardInput {
				return float64(l.MembraneDecay) / math.Ldexp(1, d.FracBits)
			}
			return 1
		}
		for l, layer := range m.Layers {
			lr := r.Layers[l]
			bits := o.Bits[min(l, len(o.Bits)-1)]
			top := float64(int(1)<<(bits-1) - 1)
			if layer.WeightBits != bits || lr.Bits != bits || lr.Scale != layer.Scale || lr.WeightExp != layer.WeightExp || lr.Threshold != layer.Threshold || lr.Weights != len(net.Weights[l]) {
				t.Fatalf("seed %d, layer %d: %+v, report %+v", seed, l, layer, lr)
			}
			zero, zeroed, clips, sq, all := 0, 0, 0, 0.0, 0.0
			for i, w := range net.Weights[l] {
				q := layer.Weights.At(i/layer.Out, i%layer.Out)
				if want := min(max(roundTo(float64(w)/layer.Scale, o.Rounding), -top), top); float64(q) != want {
					t.Fatalf("seed %d, layer %d: weight %v of scale %v: got %d, want %v", seed, l, w, layer.Scale, q, want)
				}
				if q == 0 {
					zero++
					if w != 0 {
						zeroed++
					}
				}
				if math.Abs(float64(w))/layer.Scale > top+0.5 {
					clips++
				}
				sq += math.Pow(float64(w)-float64(q)*layer.Scale, 2)
				all += float64(w) * float64(w)
			}
			n := float64(lr.Weights)
			if lr.Zero != zero || lr.Zeroed != zeroed || lr.Clipped != clips || math.Abs(lr.RMSError-math.Sqrt(sq/n)) > 1e-12 || math.Abs(lr.RMSWeight-math.Sqrt(all/n)) > 1e-12 {
				t.Fatalf("seed %d, layer %d: report %+v, want %d, %d, %d, %v, %v", seed, l, lr, zero, zeroed, clips, math.Sqrt(sq/n), math.Sqrt(all/n))
			}
			clipped += clips
			if o.Scheme == quantize.Max && clips > 0 {
				t.Errorf("seed %d, layer %d: scheme max clips %d weights: %+v", seed, l, clips, lr)
			}
			if layer.Integrator != net.Integrates(l) {
				t.Fatalf("seed %d, layer %d: integrator %v", seed, l, layer.Integrator)
			}
			if layer.Integrator {
				if layer.Threshold != 0 {
					t.Fatalf("seed %d, layer %d: threshold %d of a read-out", seed, l, layer.Threshold)
				}
			} else if one := float64(layer.Threshold) * layer.Scale / math.Ldexp(share(layer), layer.WeightExp); math.Abs(one-1) > 1e-15 || !o.Arithmetic.Threshold.Contains(layer.Threshold) {
				t.Fatalf("seed %d, layer %d: threshold %d x scale %v / 2^%d is %v", seed, l, layer.Threshold, layer.Scale, layer.WeightExp, one)
			}
			b := m.Bounds(l)
			if lr.SumBits != b.Sum.Bits() || lr.CurrentBits != b.Current.Bits() || lr.MembraneBits != b.Membrane.Bits() || lr.NeverOverflow != b.Proved {
				t.Fatalf("seed %d, layer %d: report %+v, bounds %+v", seed, l, lr, b)
			}
		}
	}
	t.Logf("%d of 600 taken, %d weights clipped", taken, clipped)
	if taken < 350 || clipped == 0 {
		t.Errorf("%d of 600 taken, %d weights clipped", taken, clipped)
	}
}

// TestMaxNeverClips sweeps the largest weight where a threshold is few steps, so
// that the nearest one would move the scale by more than half an integer.
func TestMaxNeverClips(t *testing.T) {
	for name, a := range arithmetics(t) {
		for bits := 2; bits <= min(8, a.Weight.Bits); bits++ {
			for largest := 0.1; largest < 12; largest *= 1.03 {
				n := network(rand.New(rand.NewPCG(1, 9)), config(2, 2))
				n.Weights[0] = []float32{float32(largest), float32(-largest), 0.01, float32(largest / 2)}
				m, r, err := quantize.Quantize(n, options(a, bits))
				if err != nil {
					continue
				}
				top := int64(1)<<(bits-1) - 1
				l := m.Layers[0]
				if r.Layers[0].Clipped > 0 || l.Weights.At(0, 0) > top || math.Abs(largest/l.Scale-float64(l.Weights.At(0, 0))) > 0.51 {
					t.Errorf("%s, %d bits: %v of scale %v is %d: %+v", name, bits, largest, l.Scale, l.Weights.At(0, 0), r.Layers[0])
				}
			}
		}
	}
}

// TestNeverOverflows: a layer that is reported never to overflow does not, under
// every axon at once, none, and at random.
func TestNeverOverflows(t *testing.T) {
	all := arithmetics(t)
	proved, over := 0, 0
	for seed := range uint64(400) {
		rng := rand.New(rand.NewPCG(seed, 2))
		net, o := random(rng, all)
		m, r, err := quantize.Quantize(net, o)
		if err != nil {
			continue
		}
		e := emulator.New(m, emulator.Options{Strict: true})
		for sample := range 8 {
			density := []float64{1, 0.5, 0.1}[sample%3]
			e.Reset()
			for range m.Ticks {
				e.Step(fptest.RandomSpikes(rng, m.Inputs(), density))
			}
			oe := (*emulator.OverflowError)(nil)
			if errors.As(e.Err(), &oe) && r.Layers[oe.Layer].NeverOverflow {
				t.Fatalf("seed %d: %v, in a layer that never overflows", seed, oe)
			}
		}
		for l, k := range e.Counters().Layers {
			n := k.SumOverflows + k.CurrentOverflows + k.MembraneOverflows
			if r.Layers[l].NeverOverflow {
				proved++
				if n > 0 {
					t.Fatalf("seed %d, layer %d: %+v", seed, l, k)
				}
			} else if n > 0 {
				over++
			}
		}
	}
	t.Logf("%d layers proved, %d overflowed", proved, over)
	if proved < 300 || over < 10 {
		t.Errorf("%d layers proved, %d overflowed: too few of one", proved, over)
	}
}

// TestLossless: weights that are whole multiples of a scale come back as those
// multiples, where the scale is a power of two and the largest weight is the
// largest integer; with wide registers any scale that a threshold divides does.
func TestLossless(t *testing.T) {
	all := arithmetics(t)
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 3))
		name := []string{"toy", "generic", "loihi", "wide"}[seed%4]
		a := all[name]
		bits := 2 + rng.IntN(min(8, a.Weight.Bits)-1)
		top := 1<<(bits-1) - 1
		start := min(14-bits, a.Weight.ExpMax)
		// A threshold of 16 or 32 steps at the highest exponent tried.
		raw := math.Ldexp(1, a.Threshold.Exp+4+rng.IntN(2))
		if raw > float64(a.Threshold.Max()) {
			raw = math.Ldexp(1, 4)
		}
		if name == "generic" {
			raw = float64(20 + rng.IntN(1000))
		}
		scale := math.Ldexp(1, start) / raw
		c := config(3+rng.IntN(5), 2+rng.IntN(5), 2)
		net := network(rng, c)
		want := make([][]int, c.Layers())
		for l, w := range net.Weights {
			for i := range w {
				k := rng.IntN(2*top+1) - top
				if i == 0 {
					k = top
				}
				want[l] = append(want[l], k)
				w[i] = float32(float64(k) * scale)
			}
		}
		for _, scheme := range quantize.Schemes() {
			o := options(a, bits)
			o.Scheme, o.Percentile = scheme, 100
			m, r, err := quantize.Quantize(net, o)
			if err != nil {
				t.Fatalf("seed %d, %s, %s: %v", seed, name, scheme, err)
			}
			for l, layer := range m.Layers {
				for i, k := range want[l] {
					if got := layer.Weights.At(i/layer.Out, i%layer.Out); got != int64(k) {
						t.Fatalf("seed %d, %s, %s, layer %d: got %d, want %d; %+v", seed, name, scheme, l, got, k, r.Layers[l])
					}
				}
				if r.Layers[l].RMSError > 1e-6*scale*float64(top) {
					t.Fatalf("seed %d, %s, %s: %+v", seed, name, scheme, r.Layers[l])
				}
			}
		}
	}
}

func TestTernary(t *testing.T) {
	net := network(rand.New(rand.NewPCG(1, 4)), config(30, 20, 3))
	for _, scheme := range quantize.Schemes() {
		o := options(arithmetics(t)["generic"], 2)
		o.Scheme, o.Percentile = scheme, 75
		m, _, err := quantize.Quantize(net, o)
		if err != nil {
			t.Fatal(err)
		}
		for l, layer := range m.Layers {
			count := map[int16]int{}
			for _, w := range layer.Weights.Values() {
				count[w]++
			}
			if len(count) != 3 || count[-1] == 0 || count[0] == 0 || count[1] == 0 {
				t.Errorf("%s, layer %d: got %v, want -1, 0 and 1", scheme, l, count)
			}
		}
	}
}

// TestSchemesCompared: in fine units the mean squared error of MSE is no worse
// than that of the others, and it is not for want of clipping.
func TestSchemesCompared(t *testing.T) {
	a := arithmetics(t)["generic"]
	for seed := range uint64(20) {
		net := network(rand.New(rand.NewPCG(seed, 5)), config(40, 30, 10))
		for _, bits := range []int{2, 3, 4, 6, 8} {
			errs := map[quantize.Scheme][]float64{}
			for _, scheme := range quantize.Schemes() {
				o := options(a, bits)
				o.Scheme, o.Percentile = scheme, 99
				_, r, err := quantize.Quantize(net, o)
				if err != nil {
					t.Fatal(err)
				}
				for _, l := range r.Layers {
					errs[scheme] = append(errs[scheme], l.RMSError)
				}
			}
			for l, e := range errs[quantize.MSE] {
				if most := min(errs[quantize.Max][l], errs[quantize.Percentile][l]); e > 1.02*most || bits <= 4 && e > 0.95*errs[quantize.Max][l] {
					t.Errorf("seed %d, %d bits, layer %d: got error %v, want at most %v", seed, bits, l, e, most)
				}
			}
		}
	}
}

// TestDecays: d of 4096 becomes the nearest parameter of the target, halves to
// even; an integrating read-out keeps all, whatever the others do.
func TestDecays(t *testing.T) {
	all := arithmetics(t)
	for _, c := range []struct {
		chip              string
		current, membrane int
		wantU, wantV      int64
	}{
		{"generic", 4096, 0, 4096, 0}, {"generic", 1, 4096, 1, 4096}, {"generic", 1234, 77, 1234, 77}, {"loihi", 1, 4095, 1, 4095},
		{"toy", 4096, 512, 8, 1}, {"toy", 512, 2048, 1, 4}, {"toy", 768, 257, 2, 1}, {"toy", 1280, 4000, 2, 8}, {"toy", 0, 0, 0, 0},
	} {
		cfg := config(4, 3, 2)
		cfg.CurrentDecay, cfg.MembraneDecay = c.current, c.membrane
		net := network(rand.New(rand.NewPCG(2, 6)), cfg)
		for _, readout := range []float.Readout{float.ReadCount, float.ReadMembrane} {
			net.Readout = readout
			if readout == float.ReadMembrane {
				if c.chip == "toy" { // its threshold is below what any read-out reaches
					continue
				}
				net.Ticks = 2
			}
			m, _, err := quantize.Quantize(net, options(all[c.chip], 4))
			if err != nil {
				t.Fatalf("%+v: %v", c, err)
			}
			for l, layer := range m.Layers {
				wantV := c.wantV
				if net.Integrates(l) {
					wantV = 0
				}
				if layer.CurrentDecay != c.wantU || layer.MembraneDecay != wantV {
					t.Errorf("%+v: layer %d: got %d, %d, want %d, %d", c, l, layer.CurrentDecay, layer.MembraneDecay, c.wantU, wantV)
				}
			}
		}
	}
}

func TestRefuses(t *testing.T) {
	all, odin := arithmetics(t), arithmetic(t, "odin")
	type net = float.Network
	type opt = quantize.Options
	for _, c := range []struct {
		name string
		edit func(*net, *opt) // a 4-3-2 network for generic at 8 bits
		want string
	}{
		{"nothing", func(*net, *opt) {}, ""},
		{"mode", func(n *net, _ *opt) { n.Mode = float.Paper }, "network: mode: got paper, want chip: layers that pass real numbers have no integer twin"},
		{"no bits", func(_ *net, o *opt) { o.Bits = nil }, "bits: got 0 widths, want one, or one for each of the 2 layers"},
		{"too many widths", func(_ *net, o *opt) { o.Bits = []int{8, 8, 8} }, "bits: got 3 widths, want one, or one for each of the 2 layers"},
		{"one bit", func(_ *net, o *opt) { o.Bits = []int{8, 1} }, "bits: got 1, want 2..8"},
		{"17 bits", func(_ *net, o *opt) { o.Bits = []int{17}; o.Arithmetic = all["wide"] }, "bits: got 17, want 2..16"},
		{"more than the target's", func(_ *net, o *opt) { o.Bits = []int{9} }, "bits: got 9, want 2..8"},
		{"scheme", func(_ *net, o *opt) { o.Scheme = "best" }, `scale: got "best", want one of mse, max, percentile`},
		{"percentile", func(_ *net, o *opt) { o.Scheme = quantize.Percentile; o.Percentile = 49 }, "percentile: got 49, want 50..100"},
		{"percentile NaN", func(_ *net, o *opt) { o.Scheme = quantize.Percentile; o.Percentile = math.NaN() }, "percentile: got NaN, want 50..100"},
		{"rounding", func(_ *net, o *opt) { o.Rounding = 5 }, "rounding: got invalid(5), want one of [toward_zero floor nearest_even half_away half_up]"},
		{"two choices", func(_ *net, o *opt) { o.Bits = []int{1}; o.Scheme = "" }, "bits: got 1, want 2..8\nscale: got \"\", want one of mse, max, percentile"},
		{"arithmetic", func(_ *net, o *opt) { o.Arithmetic.Sum.Bits = 40 }, "sum.bits: got 40, want 3..32"},
		{"NaN", func(n *net, _ *opt) { n.Weights[0][5] = float32(math.NaN()) }, "layer 0: weights[1][2]: got NaN, want a finite number"},
		{"infinity", func(n *net, _ *opt) { n.Weights[1][3] = float32(math.Inf(-1)) }, "layer 1: weights[1][1]: got -Inf, want a finite number"},
		{"all zero", func(n *net, _ *opt) { clear(n.Weights[1]) }, "layer 1: weights: all 6 are zero in the float network; train it first"},
		{"both layers", func(n *net, _ *opt) { clear(n.Weights[0]); clear(n.Weights[1]) },
			"layer 0: weights: all 12 are zero in the float network; train it first\nlayer 1: weights: all 6 are zero in the float network; train it first"},
		{"rounds to zero", func(n *net, o *opt) {
			// A threshold of one step is a scale of 1, and 0.9 toward zero is 0.
			n.Weights[1] = []float32{0.9, 0.9, -0.9, 0.9, 0, 0.9}
			o.Bits, o.Rounding, o.Arithmetic.Weight.ExpMax = []int{8, 2}, fixedpoint.TowardZero, 0
		}, "layer 1: weights: all 6 round to zero at 2 bits with scale max; try --scale mse or more --bits"},
		{"decay rounds to zero", func(n *net, o *opt) { o.Arithmetic, o.Bits = all["toy"], []int{4}; n.MembraneDecay = 256 }, both(
			"membrane_decay: got 256/4096 a tick, which rounds to zero in 3 fraction bits; train with a larger --membrane-decay")},
		{"current decay rounds to zero", func(n *net, o *opt) { o.Arithmetic, o.Bits = all["toy"], []int{4}; n.CurrentDecay = 1 }, both(
			"current_decay: got 1/4096 a tick, which rounds to zero in 3 fraction bits; train with a larger --current-decay")},
		{"no decay", func(n *net, o *opt) { o.Arithmetic.Membrane.Decay = fixedpoint.Decay{} }, both(
			"membrane_decay: got 512/4096 a tick, and the target has no decay; train with --membrane-decay 0")},
		{"decay out of range", func(n *net, o *opt) { o.Arithmetic = all["loihi"]; n.MembraneDecay = 4096 }, both(
			"membrane_decay: got 4096 of 4096, the target has 0..4095; train with another --membrane-decay")},
		{"current decay out of range", func(n *net, o *opt) { o.Arithmetic = all["loihi"]; n.CurrentDecay = 0 }, both(
			"current_decay: got 0 of 4096, the target has 1..4096; train with another --current-decay")},
		{"reset", func(n *net, o *opt) { o.Arithmetic = all["loihi"]; n.Reset = float.ResetSubtract }, both(
			"reset: got subtract, the target has [zero]; train with --reset zero")},
		{"no synaptic current", func(n *net, o *opt) { o.Arithmetic.Current = fixedpoint.State{}; n.CurrentDecay = 1024 }, both(
			"current_decay: got 1024/4096 a tick, and the target has no synaptic current; train with --current-decay 4096")},
		{"no synaptic current, none wanted", func(n *net, o *opt) { o.Arithmetic.Current = fixedpoint.State{} }, ""},
		{"per event", func(n *net, o *opt) { n.PerEvent, n.MembraneDecay = true, 0 },
			"update: got neurons tested after every spike, and the target tests per_tick; train without --per-event, or name a target that does"},
		{"unsigned", func(n *net, o *opt) { o.Arithmetic.Weight.Signed = false }, both("weights: got signed weights, and the target has unsigned ones")},
		{"unsigned bit", func(n *net, o *opt) { o.Arithmetic.Weight = fixedpoint.Weight{Bits: 1}; o.Bits = []int{2} }, "bits: got 2, and the target has unsigned weights of 1"},
		{"weights too large", func(n *net, o *opt) { o.Arithmetic.Weight.ExpMax = 0; scale(n, 1e6) }, both(
			"threshold: rounds to zero or exceeds 8388606 at every weight exponent in 0..0; try more --bits or another --scale")},
		{"weights too small", func(n *net, o *opt) { scale(n, 1e-9) }, both(
			"threshold: rounds to zero or exceeds 8388606 at every weight exponent in 0..14; try more --bits or another --scale")},
		{"both signs in a row", func(n *net, o *opt) {
			o.Arithmetic, o.Bits, n.MembraneDecay = odin, []int{3}, 0
			n.Weights[0] = []float32{1, 0, 0.5, -1, -1, 0, 0, 0, 0, 0, 1, 1}
		}, "layer 1: weights[0]: got both signs in one row, and the target has one sign an in-axon; train with --row-signs"},
		{"floor", func(n *net, o *opt) { n.Floor, n.MembraneDecay = true, 0 }, both(
			"floor: got membranes that stop at 0 after each weight, and the target's do not; train without --floor")},
		{"read-out", func(n *net, o *opt) {
			n.Readout = float.ReadMembrane
			o.Arithmetic.Threshold.Bits = 7
			o.Arithmetic.Weight.ExpMax = 0
			n.Weights[1] = []float32{127, 1, 127, 1, 127, 1}
		}, "layer 1: threshold: the read-out membrane may reach 3048, and the target's highest threshold is 127; try fewer --bits or --readout count in training"},
	} {
		n := network(rand.New(rand.NewPCG(3, 7)), config(4, 3, 2))
		n.Weights[1] = []float32{0.5, -1, 0.25, 0.125, 1, -0.5}
		o := options(all["generic"], 8)
		c.edit(n, &o)
		m, r, err := quantize.Quantize(n, o)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != c.want || (err == nil) != (m != nil && r != nil) {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

// TestOneSignARow: networks with one sign a row and a floor, whose weights are
// whole steps, fire the same spikes in float and in ODIN's magnitudes of 3 bits,
// and end with the same read-out.
func TestOneSignARow(t *testing.T) {
	a := arithmetic(t, "odin")
	spikes := 0
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 9))
		c := config(5+rng.IntN(20), 4+rng.IntN(20), 3)
		c.MembraneDecay, c.Readout, c.Floor = 0, float.ReadMembrane, true
		threshold := 10 + 2*rng.IntN(20)
		n := &float.Network{Config: c}
		var whole [][]int64
		for l := range c.Layers() {
			in, out := c.Sizes[l], c.Sizes[l+1]
			w := make([]int64, in*out)
			for i := range in {
				sign := int64(1 - 2*rng.IntN(2))
				for j := range out {
					w[i*out+j] = sign * rng.Int64N(8)
				}
			}
			w[0] = 7 * (1 - 2*min(1, max(0, -w[0]))) // the scale's end
			for j := range out {
				if w[0]*w[j] < 0 {
					w[j] = -w[j]
				}
			}
			x := make([]float32, len(w))
			for i := range w {
				x[i] = float32(float64(w[i]) / (float64(threshold) - 0.4)) // no sum is a threshold
			}
			whole, n.Weights = append(whole, w), append(n.Weights, x)
		}
		m, r, err := quantize.Quantize(n, options(a, 3))
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Layers[0]; got.Threshold != int64(threshold) || got.Clipped != 0 {
			t.Fatalf("seed %d: got %+v, want threshold %d and nothing clipped", seed, got, threshold)
		}
		for l, w := range whole {
			for i, q := range m.Layers[l].Weights.Values() {
				if int64(q) != w[i] {
					t.Fatalf("seed %d: layer %d weight %d: got %d, want %d", seed, l, i, q, w[i])
				}
			}
		}
		s, e := n.NewState(), emulator.New(m, emulator.Options{})
		for tick := range m.Ticks {
			in := fptest.RandomSpikes(rng, m.Inputs(), 0.4)
			s.Step(in)
			e.Step(in)
			if got, want := e.Spikes(0), s.Fired(0); !slices.Equal(got, want) {
				t.Fatalf("seed %d: tick %d: got spikes %v, want %v", seed, tick, got, want)
			}
			spikes += len(e.Spikes(0))
		}
		for j, v := range e.Membrane(1, nil) {
			if want := float64(s.Membrane(1)[j]) * (float64(threshold) - 0.4); math.Abs(float64(v)-want) > 1e-3 {
				t.Errorf("seed %d: output %d: got %d, want %v", seed, j, v, want)
			}
		}
	}
	if spikes < 500 {
		t.Errorf("got %d spikes: the test shows little", spikes)
	}
}

// both is a fault of layers 0 and 1.
func both(s string) string { return "layer 0: " + s + "\nlayer 1: " + s }

func scale(n *float.Network, by float32) {
	for _, w := range n.Weights {
		for i := range w {
			w[i] *= by
		}
	}
}

// TestReadoutBelowThreshold: where no exponent gives a read-out that is proved,
// one is taken whose membrane at least stays below the highest threshold, which
// is all that a target asks.
func TestReadoutBelowThreshold(t *testing.T) {
	a := arithmetics(t)["generic"]
	a.Weight.Bits, a.Weight.ExpMax = 4, 2
	a.Sum = fixedpoint.Register{Bits: 4, Signed: true, Overflow: fixedpoint.Saturate} // -21 does not fit at any exponent
	a.Threshold.Bits = 7
	n := network(rand.New(rand.NewPCG(4, 8)), config(3, 2))
	n.Readout, n.Ticks, n.MembraneDecay = float.ReadMembrane, 8, 0
	n.Weights[0] = []float32{7, -7, 0, -7, 0, -7} // at most 7 x 2^exp x 8 ticks = 224, 112, 56
	m, r, err := quantize.Quantize(n, options(a, 4))
	if err != nil {
		t.Fatal(err)
	}
	if l := m.Layers[0]; l.WeightExp != 1 || r.Layers[0].NeverOverflow {
		t.Errorf("got exponent %d, %+v, want 1, the first with 112 < 127", l.WeightExp, r.Layers[0])
	}
	if _, err := fixedpoint.Lower(m, a); err != nil {
		t.Error(err)
	}
}

// ExampleQuantize brings one layer to 4 bits on the toy chip.
func ExampleQuantize() {
	chip, err := targets.Load("toy")
	if err != nil {
		fmt.Println(err)
		return
	}
	net := &float.Network{
		Config: float.Config{
			Mode: float.Chip, Sizes: []int{2, 2}, Ticks: 4, Encoder: encode.Rate, CurrentDecay: float.DecayOne,
			Reset: float.ResetZero, Readout: float.ReadCount,
		},
		Weights: [][]float32{{0.7, -0.2, 0.1, 0.44}},
	}
	model, report, err := quantize.Quantize(net, quantize.Options{Bits: []int{4}, Arithmetic: chip.Arithmetic, Scheme: quantize.Max, Rounding: fixedpoint.NearestEven})
	if err != nil {
		fmt.Println(err)
		return
	}
	l, r := model.Layers[0], report.Layers[0]
	fmt.Println(l.Weights.Values(), "x", l.Scale, "threshold", l.Threshold, "exponent", l.WeightExp)
	fmt.Println(r.SumBits, r.CurrentBits, r.MembraneBits, "bits, never overflows:", r.NeverOverflow)

	_, _, err = quantize.Quantize(net, quantize.Options{Bits: []int{5}, Arithmetic: chip.Arithmetic, Scheme: quantize.Max})
	fmt.Println(strings.TrimSpace(err.Error()))
	// Output:
	// [7 -2 1 4] x 0.1 threshold 10 exponent 0
	// 5 5 6 bits, never overflows: true
	// bits: got 5, want 2..4
}
