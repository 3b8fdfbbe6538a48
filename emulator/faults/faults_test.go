package faults

import (
	"math/bits"
	"reflect"
	"testing"

	"glsnn/fixedpoint"
	"glsnn/fixedpoint/fptest"
	"glsnn/targets"
)

func testModel(t *testing.T) *fixedpoint.Model {
	t.Helper()
	rng := fptest.Rand(t, 71)
	a := fixedpoint.Wide()
	m := fixedpoint.Model{Arithmetic: a, Ticks: 5}
	for l, n := range [][2]int{{20, 12}, {12, 5}} {
		k, err := a.Neutral(fixedpoint.ResetZero)
		if err != nil {
			t.Fatal(err)
		}
		w := make([]int16, n[0]*n[1])
		for i := range w {
			w[i] = int16(rng.IntN(16) - 8)
		}
		k.In, k.Out, k.WeightBits, k.Threshold = n[0], n[1], 4, 640
		k.Weights, k.Integrator = fixedpoint.NewMatrix(n[0], n[1], w), l == 1
		m.Layers = append(m.Layers, k)
	}
	out, err := fixedpoint.NewModel(m)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func parse(t *testing.T, text string) *targets.Faults {
	t.Helper()
	f, err := targets.ParseFaults([]byte(text), "f.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// What is hit, and nothing else, is changed, by as much as the file says.
func TestApply(t *testing.T) {
	m := testModel(t)
	b, err := Apply(m, parse(t, "seed: 4\ndead_neurons: [{layer: 0, one_in: 4}]\nstuck_weights: [{layer: 1, one_in: 6, at: extreme}]\nbit_flips: [{layer: 0, one_in: 10}]\nthreshold_drift: [{layer: 0, percent: -15}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := Report{Dead: 3, Stuck: 10, Flipped: 24, Thresholds: []int64{576, m.Layers[1].Threshold}} // 544 is between 512 and 576
	if !reflect.DeepEqual(b.Report, want) {
		t.Errorf("got %+v, want %+v", b.Report, want)
	}
	flipped := 0
	for i, w := range b.Model.Layers[0].Weights.Values() {
		if old := m.Layers[0].Weights.Values()[i]; old != w {
			flipped++
			if bits.OnesCount16(uint16(old^w)&15) != 1 {
				t.Errorf("weight %d went from %d to %d, want one bit", i, old, w)
			}
		}
	}
	if flipped != 24 {
		t.Errorf("%d weights changed, want 24", flipped)
	}
	ends := map[int16]int{}
	for i, w := range b.Model.Layers[1].Weights.Values() {
		if b.Stuck[1][i] {
			ends[w]++
		} else if old := m.Layers[1].Weights.Values()[i]; old != w {
			t.Errorf("weight %d went from %d to %d and is not stuck", i, old, w)
		}
	}
	if ends[-8]+ends[7] != 10 || ends[-8] == 0 || ends[7] == 0 {
		t.Errorf("stuck at %v, want both ends", ends)
	}
	for _, dead := range b.Silent[12:] {
		if dead {
			t.Error("a neuron of the other layer is dead")
		}
	}
	again, err := Apply(m, parse(t, "seed: 4\ndead_neurons: [{layer: 0, one_in: 4}]\nstuck_weights: [{layer: 1, one_in: 6, at: extreme}]\nbit_flips: [{layer: 0, one_in: 10}]\nthreshold_drift: [{layer: 0, percent: -15}]\n"))
	if err != nil || !reflect.DeepEqual(b, again) {
		t.Error("the same file breaks another chip")
	}
	if other, _ := Apply(m, parse(t, "seed: 5\nbit_flips: [{layer: 0, one_in: 10}]\n")); other.Model.Layers[0].Weights.Equal(b.Model.Layers[0].Weights) {
		t.Error("another seed breaks the same bits")
	}
}

func TestApplyRefuses(t *testing.T) {
	m := testModel(t)
	for text, want := range map[string]string{
		"seed: 1\nbit_flips: [{layer: 2, one_in: 3}]\n":         "f.yaml:2: bit_flips[0].layer: got 2, want 0..1",
		"seed: 1\n\ndead_neurons: [{layer: 1, one_in: 3}]\n":    "f.yaml:3: dead_neurons[0].layer: got 1, want 0..0",
		"seed: 1\nthreshold_drift: [{layer: 1, percent: 10}]\n": "f.yaml:2: threshold_drift[0].layer: got 1, want 0..0",
	} {
		if _, err := Apply(m, parse(t, text)); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}

// A chip's own model is not broken twice by the file that broke it, and by another it is.
func TestApplyAgain(t *testing.T) {
	const text = "seed: 4\ndead_neurons: [{layer: 0, one_in: 4}]\nstuck_weights: [{layer: 1, one_in: 6, at: extreme}]\nbit_flips: [{layer: 0, one_in: 10}]\nthreshold_drift: [{layer: 0, percent: -15}]\n"
	once, err := Apply(testModel(t), parse(t, text))
	if err != nil {
		t.Fatal(err)
	}
	twice, err := Apply(once.Model, parse(t, text))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(once, twice) {
		t.Errorf("got %+v, want %+v", twice.Report, once.Report)
	}
	other, err := Apply(once.Model, parse(t, "# another file\n"+text))
	if err != nil {
		t.Fatal(err)
	}
	if other.Model.Layers[0].Threshold == once.Model.Layers[0].Threshold {
		t.Error("another file's drift is not applied")
	}
}
