package quantize_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"glsnn/fixedpoint"
	"glsnn/fixedpoint/quantize"
	"glsnn/float"
	"glsnn/targets"
)

func tinyodinEvent(t testing.TB) fixedpoint.Arithmetic {
	t.Helper()
	chip, err := targets.Load("tinyodin-event")
	if err != nil {
		t.Fatal(err)
	}
	return chip.Arithmetic
}

// TestThresholds: a factor scales the threshold and leaves the weights as they
// round in the scale that the threshold nudges; 1 is no factor.
func TestThresholds(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	c := config(20, 12, 9, 4)
	c.MembraneDecay = 0
	net := network(rng, c)
	o := options(tinyodinEvent(t), 4)
	plain, _, err := quantize.Quantize(net, o)
	if err != nil {
		t.Fatal(err)
	}
	o.Thresholds = []float64{1, 1, 1}
	same, _, err := quantize.Quantize(net, o)
	if err != nil {
		t.Fatal(err)
	}
	o.Thresholds = []float64{2, 0.5, 1}
	other, r, err := quantize.Quantize(net, o)
	if err != nil {
		t.Fatal(err)
	}
	for l, f := range o.Thresholds {
		a, b, d := plain.Layers[l], same.Layers[l], other.Layers[l]
		if a.Threshold != b.Threshold || !a.Weights.Equal(b.Weights) || a.Scale != b.Scale {
			t.Errorf("layer %d: factor 1: got %d, want %d", l, b.Threshold, a.Threshold)
		}
		if math.Abs(float64(d.Threshold)-f*float64(a.Threshold)) > 1.5 || r.Layers[l].Factor != f {
			t.Errorf("layer %d: factor %v: got %d, %+v, want about %v x %d", l, f, d.Threshold, r.Layers[l], f, a.Threshold)
		}
		if got := float64(d.Threshold) * d.Scale; math.Abs(got-f) > 1e-12 { // WeightExp is 0
			t.Errorf("layer %d: the threshold stands for %v, want %v", l, got, f)
		}
	}
	for _, bad := range [][]float64{{1}, {1, 0, 1}, {1, 1, math.NaN()}, {math.Inf(1), 1, 1}} {
		o.Thresholds = bad
		if _, _, err := quantize.Quantize(net, o); err == nil {
			t.Errorf("thresholds %v were taken", bad)
		}
	}
}

// TestTune: the scales with the highest score are found layer by layer, of the
// read-out too, and other scales than a finite factor above 0 are refused.
func TestTune(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	net := network(rng, config(20, 12, 9, 4))
	o := options(fixedpoint.Wide(), 4)
	base, _, err := quantize.Quantize(net, o)
	if err != nil {
		t.Fatal(err)
	}
	want := []float64{1.2, 0.9, 1.5}
	m, _, err := quantize.Tune(net, o, func(m *fixedpoint.Model) (sum float64, _ error) {
		for l, f := range want {
			sum -= math.Abs(m.Layers[l].Scale/base.Layers[l].Scale - f)
		}
		return sum, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for l, f := range want {
		if got := m.Layers[l].Scale / base.Layers[l].Scale; math.Abs(got-f) > 0.02 { // thresholds are whole
			t.Errorf("layer %d: the scale is %v of the first, want %v", l, got, f)
		}
	}
	for _, bad := range [][]float64{{1}, {1, 0, 1}, {1, 1, math.NaN()}} {
		o.Scales = bad
		if _, _, err := quantize.Quantize(net, o); err == nil {
			t.Errorf("scales %v were taken", bad)
		}
	}
}

// TestCalibrate: the factors with the highest score are found layer by layer;
// ties stay at 1; what cannot be quantised is passed over.
func TestCalibrate(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 6))
	c := config(20, 12, 9, 4)
	c.MembraneDecay = 0
	net := network(rng, c)
	o := options(tinyodinEvent(t), 4)
	factors := func(r *quantize.Report) (f []float64) {
		for _, l := range r.Layers {
			f = append(f, l.Factor)
		}
		return f
	}
	base, _, err := quantize.Quantize(net, o)
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	near := func(m *fixedpoint.Model) (float64, error) { // best near twice the threshold, then half of it
		calls++
		a := float64(m.Layers[0].Threshold) / float64(base.Layers[0].Threshold)
		b := float64(m.Layers[1].Threshold) / float64(base.Layers[1].Threshold)
		return -math.Abs(a-2) - math.Abs(b-0.5), nil
	}
	m, r, err := quantize.Calibrate(net, o, near)
	if err != nil || !slices.Equal(factors(r), []float64{2, 0.5, 1}) || calls != 28 {
		t.Fatalf("got %v after %d calls, %v, want 2, 0.5 and 1 after 1 + 3 x 9", factors(r), calls, err)
	}
	if want, _, _ := quantize.Quantize(net, func() quantize.Options { o.Thresholds = []float64{2, 0.5, 1}; return o }()); m.Layers[0].Threshold != want.Layers[0].Threshold {
		t.Errorf("got threshold %d, want %d", m.Layers[0].Threshold, want.Layers[0].Threshold)
	}
	net.Readout = float.ReadMembrane // the last layer has no threshold
	calls = 0
	if _, r, err := quantize.Calibrate(net, o, near); err != nil || !slices.Equal(factors(r), []float64{2, 0.5, 1}) || calls != 19 {
		t.Errorf("read-out by membrane: got %v after %d calls, %v", factors(r), calls, err)
	}
	net.Readout = float.ReadCount
	if _, r, err := quantize.Calibrate(net, o, func(*fixedpoint.Model) (float64, error) { return 7, nil }); err != nil || !slices.Equal(factors(r), []float64{1, 1, 1}) {
		t.Errorf("ties: got %v, %v, want 1", factors(r), err)
	}
	stop := errors.New("stop")
	if _, _, err := quantize.Calibrate(net, o, func(*fixedpoint.Model) (float64, error) { return 0, stop }); err != stop {
		t.Errorf("got %v, want the score's error", err)
	}

	// With thresholds up to twice layer 0's own, the factors above 2 are passed over.
	narrow := o
	for narrow.Arithmetic.Threshold.Bits = 1; 1<<narrow.Arithmetic.Threshold.Bits <= 2*base.Layers[0].Threshold; narrow.Arithmetic.Threshold.Bits++ {
	}
	_, r, err = quantize.Calibrate(net, narrow, func(m *fixedpoint.Model) (float64, error) { return float64(m.Layers[0].Threshold), nil })
	if err != nil || factors(r)[0] < 2 || r.Layers[0].Threshold > narrow.Arithmetic.Threshold.Max() || base.Layers[0].Threshold*3 <= narrow.Arithmetic.Threshold.Max() {
		t.Errorf("got %+v, %v, thresholds up to %d", r, err, narrow.Arithmetic.Threshold.Max())
	}
	narrow.Arithmetic.Threshold.Bits = 1
	_, _, want := quantize.Quantize(net, narrow)
	if _, _, err := quantize.Calibrate(net, narrow, near); err == nil || want == nil || err.Error() != want.Error() {
		t.Errorf("nothing fits: got %v, want %v", err, want)
	}
}
