package crossbar

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"glsnn/emulator"
	"glsnn/export"
	"glsnn/export/rtl"
	"glsnn/export/table"
	"glsnn/fixedpoint"
	"glsnn/fixedpoint/fptest"
	"glsnn/targets"
)

func load(t *testing.T, name string) *targets.Chip {
	t.Helper()
	chip, err := targets.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return chip
}

// model is a random network in chip's arithmetic, with leaks on the hidden layer
// and, where the chip wants it, one sign a row.
func model(rng *rand.Rand, chip *targets.Chip, sizes ...int) *fixedpoint.Model {
	m := fixedpoint.Model{Arithmetic: chip.Arithmetic, Ticks: 1 + rng.IntN(6), Readout: fixedpoint.ReadMembrane}
	for l := range len(sizes) - 1 {
		w := make([]int16, sizes[l]*sizes[l+1])
		low, high := chip.Arithmetic.Weight.Range(chip.Arithmetic.Weight.Bits)
		for i := range w {
			w[i] = int16(low+rng.Int64N(high-low+1)) * int16(rng.IntN(2)) // half of them 0
			if rng.IntN(3) == 0 {
				w[i] = int16(rng.Int64N(high + 1))
			}
		}
		if chip.Arithmetic.Weight.Kind == fixedpoint.WeightSignByAxon {
			for i := range sizes[l] {
				sign := int16(1 - 2*(rng.IntN(8)/7))
				for j := range sizes[l+1] {
					w[i*sizes[l+1]+j] *= sign * max(-1, min(1, w[i*sizes[l+1]+j]))
				}
			}
		}
		layer := fixedpoint.Layer{
			In: sizes[l], Out: sizes[l+1], Weights: fixedpoint.NewMatrix(sizes[l], sizes[l+1], w), WeightBits: chip.Arithmetic.Weight.Bits,
			Threshold: int64(1 + rng.IntN(30)), MembraneLeak: int64(rng.IntN(4)),
		}
		if l == len(sizes)-2 {
			layer.Integrator, layer.Threshold, layer.MembraneLeak = true, 0, 0
		}
		m.Layers = append(m.Layers, layer)
	}
	checked, err := fixedpoint.NewModel(m)
	if err != nil {
		panic(err)
	}
	return checked
}

func wanted(m *fixedpoint.Model, train Train) Want {
	e, w := emulator.New(m, emulator.Options{}), Want{}
	for tick := range m.Ticks {
		e.Step(train.At(tick))
		for l, first := range []int{0, m.Layers[0].Out} {
			for _, n := range e.Spikes(l) {
				w.Spikes = append(w.Spikes, rtl.SpikeLog{Tick: tick, Neuron: first + int(n)})
			}
		}
	}
	for l := range m.Layers {
		w.Membranes = append(w.Membranes, e.Membrane(l, nil)...)
	}
	return w
}

// TestThereAndBack writes random networks, reads the folders back and runs what
// was read by rtl's model of the chip's events: spikes and membranes are the
// emulator's.
func TestThereAndBack(t *testing.T) {
	for _, name := range []string{"tinyodin", "odin"} {
		t.Run(name, func(t *testing.T) { thereAndBack(t, load(t, name)) })
	}
}

func thereAndBack(t *testing.T, chip *targets.Chip) {
	spikes, early := 0, 0
	for seed := range uint64(10) {
		rng := rand.New(rand.NewPCG(seed, 5))
		m := model(rng, chip, 1+rng.IntN(120), 1+rng.IntN(60), 2+rng.IntN(20))
		p, err := Place(m, chip)
		if err != nil {
			t.Fatal(err)
		}
		var trains []Train
		var want []Want
		for range 4 {
			train := fptest.RandomTrain(rng, m.Ticks, m.Inputs(), 0.4+0.5*rng.Float64())
			trains = append(trains, train)
			want = append(want, wanted(p.Model, train))
			early += beforeLeak(want[len(want)-1].Spikes, m.Layers[0].Out)
		}
		dir := filepath.Join(t.TempDir(), "tables")
		if err := p.Write(dir, trains, table.Options{Tool: "test"}); err != nil {
			t.Fatal(err)
		}
		if _, err := table.ReadManifest(dir, Kind); err != nil {
			t.Fatal(err)
		}
		stored, err := Read(dir, m.Inputs())
		if err != nil || len(stored.Samples) != 4 {
			t.Fatalf("%d samples, %v", len(stored.Samples), err)
		}
		log, err := stored.Core.Predict(stored.Samples)
		if err != nil {
			t.Fatal(err)
		}
		r, err := stored.Compare(log, want)
		if err != nil || r.Mismatches != 0 {
			t.Fatalf("seed %d: %+v, %v", seed, r, err)
		}
		spikes += r.Spikes

		// Planted differences are found.
		last := len(want) - 1
		want[last].Membranes[0]++
		if r, _ := stored.Compare(log, want); r.Mismatches != 1 || !strings.HasPrefix(r.First, fmt.Sprintf("sample %d: membrane of neuron 0: got ", last)) {
			t.Errorf("seed %d: got %+v", seed, r)
		}
		want[0].Spikes = append(want[0].Spikes, rtl.SpikeLog{Tick: m.Ticks, Neuron: 3})
		if r, _ := stored.Compare(log, want); r.Mismatches != 2 || !strings.Contains(r.First, "got none, want neuron 3") {
			t.Errorf("seed %d: got %+v", seed, r)
		}
		if _, err := stored.Compare(log, want[1:]); err == nil {
			t.Error("a sample too few was not noticed")
		}
	}
	if spikes < 1000 || (early > 0) != (chip.Arithmetic.Held != 0) {
		t.Errorf("got %d spikes in all, %d of them before a leak event: the test shows little", spikes, early)
	}
}

// beforeLeak counts spikes that no leak event made: those of outputs, and those of
// the hidden neurons that fired again in the same tick.
func beforeLeak(spikes []rtl.SpikeLog, hidden int) (n int) {
	seen := map[rtl.SpikeLog]bool{}
	for _, s := range spikes {
		if seen[s] || s.Neuron >= hidden {
			n++
		}
		seen[s] = true
	}
	return n
}

// TestRefuses: what one crossbar cannot hold, and why.
func TestRefuses(t *testing.T) {
	chip := load(t, "tinyodin")
	rng := rand.New(rand.NewPCG(1, 1))
	for _, c := range []struct {
		sizes []int
		want  string
	}{
		{[]int{200, 50, 10}, "network: rows: need 260 inputs and neurons, have 256 (target tinyodin); train with a smaller --size or --hidden: 196-50-10 is 256"},
		{[]int{10, 5, 5, 2}, "layers: does not fit: got 3, want two, the second a read-out by membrane: one crossbar holds one hidden layer (target tinyodin)"},
		{[]int{10, 2}, "layers: does not fit: got 1, want two, the second a read-out by membrane: one crossbar holds one hidden layer (target tinyodin)"},
	} {
		_, err := Place(model(rng, chip, c.sizes...), chip)
		if !errors.Is(err, export.ErrNoFit) || err.Error() != c.want {
			t.Errorf("%v: got %v, want %s", c.sizes, err, c.want)
		}
	}
	if _, err := Place(model(rng, chip, 196, 50, 10), chip); err != nil {
		t.Errorf("196-50-10: %v", err)
	}
}
