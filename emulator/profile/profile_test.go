package profile

import (
	"context"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"glsnn/fixedpoint"
	"glsnn/fixedpoint/quantize"
	"glsnn/float"
	"glsnn/float/dataset"
	"glsnn/float/encode"
)

// one is a network of one input, a firing neuron of weight 0.75 and a read-out of
// 0.5 and -0.25, without decays, reset to zero, and one white sample: the input
// spikes in each of the four ticks, the membranes go 0.75, 1.5 (a spike), 0.75,
// 1.5 (a spike), and those of the read-out 0.5 and -0.25 a spike.
func one(t *testing.T) (*float.Network, *dataset.Set) {
	t.Helper()
	n := &float.Network{
		Config: float.Config{
			Mode: float.Chip, Sizes: []int{1, 1, 2}, Ticks: 4, Encoder: encode.Rate, CurrentDecay: float.DecayOne,
			Reset: float.ResetZero, Readout: float.ReadMembrane,
		},
		Weights: [][]float32{{0.75}, {0.5, -0.25}},
	}
	if err := n.Config.Validate(); err != nil {
		t.Fatal(err)
	}
	return n, &dataset.Set{Name: "one", Rows: 1, Cols: 1, Classes: 2, Pixels: []uint8{255}, Labels: []uint8{0}}
}

func TestFloat(t *testing.T) {
	n, set := one(t)
	r, err := Float(context.Background(), n, 3, set, 1)
	if err != nil {
		t.Fatal(err)
	}
	flat := func(x float64, bits int) Range { return Range{x, x, x, x, x, x, x, bits, bits} }
	// At 3 bits the largest weight is 3 steps of 0.25: the membrane goes to 6.
	want := Layer{
		Neurons: 1, Step: 0.25, Weights: flat(0.75, 3), Current: flat(0.75, 3),
		Membrane: Range{0.75, 0.75, 0.75, 0.75, 1.5, 1.5, 1.5, 4, 4}, Trace: flat(2, 2), SpikeRate: 0.5,
	}
	if got := r.Layers[0]; got != want {
		t.Errorf("layer 0:\n got %+v\nwant %+v", got, want)
	}
	got := r.Layers[1]
	if !got.Integrates || got.Membrane.Min != -0.5 || got.Membrane.Max != 1 || got.Current.Min != -0.25 || got.Current.Max != 0.5 || got.Membrane.P50 != 0 {
		t.Errorf("read-out: got %+v", got)
	}
	if want := flat(4, 3); r.Input != want || r.Samples != 1 || r.Ticks != 4 {
		t.Errorf("got %+v, want an input trace of %+v", r, want)
	}
}

// TestModel: the same network in integers, raw values being those of the float
// one over the scale and shifted.
func TestModel(t *testing.T) {
	n, set := one(t)
	m, _, err := quantize.Quantize(n, quantize.Options{Bits: []int{3}, Arithmetic: fixedpoint.Wide(), Scheme: quantize.Max, Rounding: fixedpoint.NearestEven})
	if err != nil {
		t.Fatal(err)
	}
	r, err := Model(context.Background(), m, set, 1)
	if err != nil {
		t.Fatal(err)
	}
	w := float64(int64(3) << m.Layers[0].WeightExp)
	x := r.Layers[0]
	if x.Weights.Max != 3 || x.Weights.Bits != 3 || x.Current.Min != w || x.Membrane.Min != w || x.Membrane.Max != 2*w || x.Trace.Max != 2 || x.SpikeRate != 0.5 {
		t.Errorf("got %+v, want a current of %v and a membrane of twice that", x, w)
	}
	if got, want := x.Membrane.Bits, fixedpoint.SignedBits(0, int64(2*w)); got != want {
		t.Errorf("membrane: got %d bits, want %d", got, want)
	}
}

// TestWorkers: the report is the same from any number of workers, for both.
func TestWorkers(t *testing.T) {
	set, _, err := dataset.Load("digits", dataset.Options{Train: 12, Test: 1})
	if err != nil {
		t.Fatal(err)
	}
	c, _ := float.ChipDefaults()
	c.Sizes = []int{784, 20, 10}
	n, err := float.NewNetwork(c, 1, 10)
	if err != nil {
		t.Fatal(err)
	}
	m, _, err := quantize.Quantize(n, quantize.Options{Bits: []int{8}, Arithmetic: fixedpoint.Wide(), Scheme: quantize.MSE, Rounding: fixedpoint.NearestEven})
	if err != nil {
		t.Fatal(err)
	}
	var first [2]*Report
	for _, workers := range []int{1, 3, 40} {
		a, err := Float(context.Background(), n, 8, set, workers)
		if err != nil {
			t.Fatal(err)
		}
		b, err := Model(context.Background(), m, set, workers)
		if err != nil {
			t.Fatal(err)
		}
		if first[0] == nil {
			first = [2]*Report{a, b}
		}
		if !reflect.DeepEqual(first, [2]*Report{a, b}) {
			t.Errorf("%d workers: another report", workers)
		}
	}
	if first[0].Layers[0].SpikeRate == 0 {
		t.Error("nothing fired: the test shows nothing")
	}
}

// TestDist compares with a sorted copy of the values.
func TestDist(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, unit := range []float64{0, 0.01, 1} {
		d, e := newDist(unit), newDist(unit)
		var all []float64
		for i := range 5000 {
			x := rng.NormFloat64() * 100
			switch unit {
			case 0:
				x = math.Round(math.Abs(x))
			case 1:
				x = math.Round(x)
			}
			all = append(all, x)
			[]*dist{d, e}[i%2].add(x)
		}
		d.merge(e)
		slices.Sort(all)
		r := d.summary()
		at := func(p float64) float64 { return all[int(math.Ceil(p/100*5000))-1] }
		bits := func(x float64) int {
			if unit == 0 {
				return max(1, int(math.Floor(math.Log2(max(x, 1))))+1)
			}
			raw := int64(math.RoundToEven(x / unit))
			return fixedpoint.SignedBits(raw, raw)
		}
		var widths []int
		for _, x := range all {
			widths = append(widths, bits(x))
		}
		slices.Sort(widths)
		if r.Min != all[0] || r.Max != all[4999] || r.Bits != widths[4999] || r.Bits999 != widths[4994] {
			t.Errorf("unit %v: got %+v, want %v..%v, %d and %d bits", unit, r, all[0], all[4999], widths[4999], widths[4994])
		}
		for p, got := range map[float64]float64{0.1: r.P01, 1: r.P1, 50: r.P50, 99: r.P99, 99.9: r.P999} {
			want := at(p)
			if math.Abs(got-want) > math.Abs(want)/512 || unit != 0.01 && got != want {
				t.Errorf("unit %v, %v %%: got %v, want %v", unit, p, got, want)
			}
		}
	}
	for _, x := range []float64{0, 1, -1, 1023, -1023, 0.5, -0.375, 1 << 20} {
		if got := value(key(x)); got != x {
			t.Errorf("bin of %v: got %v", x, got)
		}
	}
}
