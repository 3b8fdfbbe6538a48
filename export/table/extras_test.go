package table

import (
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"glsnn/export"
	"glsnn/fixedpoint"
	"glsnn/fixedpoint/fptest"
	"glsnn/targets"
)

// TestExtras takes models of contracts over every axis there and back: leaks,
// refractory periods, negative thresholds, axonal delays and the rest have
// their places in the tables.
func TestExtras(t *testing.T) {
	toy, err := targets.Load("toy")
	if err != nil {
		t.Fatal(err)
	}
	done, extra := 0, 0
	for seed := range uint64(400) {
		rng := rand.New(rand.NewPCG(seed, 77))
		chip := *toy
		chip.Arithmetic = fptest.RandomArithmetic(rng)
		chip.Core = targets.Core{
			Neurons: 1 + rng.IntN(9), AxonsIn: 9, AxonsOut: 100, SynapseBits: 1 << 20,
			WeightBits: []int{2, 3, 4, 5, 6, 7, 8}, SynapseLayout: targets.SynapseLayout{WordBits: 1},
		}
		chip.Fabric = targets.Fabric{Width: 8, Height: 8, CoresPerTile: 1, Chips: 1}
		m := *fptest.RandomModel(rng, fptest.ModelOptions{Arithmetic: &chip.Arithmetic, Neurons: 9, Layers: 3})
		m.Layers = slices.Clone(m.Layers)
		for i := range m.Layers {
			m.Layers[i].Bias = nil
		}
		checked, err := fixedpoint.NewModel(m)
		if err != nil {
			continue // a contract that needs a bias
		}
		mp, err := export.Map(checked, &chip)
		if err != nil {
			continue
		}
		dir := filepath.Join(t.TempDir(), "tables")
		if err := Write(dir, mp, Options{}); err != nil {
			t.Fatal(err)
		}
		back, err := Read(dir)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		man, err := ReadManifest(dir)
		if err != nil {
			t.Fatal(err)
		}
		back.Source = man.Source
		if hash, err := back.Hash(); err != nil || hash != man.Lowered {
			t.Errorf("seed %d: got %s, want %s: %v", seed, hash, man.Lowered, err)
		}
		done++
		if len(checked.Extras()) > 0 {
			extra++
		}
	}
	if extra < 50 {
		t.Errorf("got %d models with extras of %d, want at least 50", extra, done)
	}
	t.Logf("%d models, %d with extras", done, extra)
}
