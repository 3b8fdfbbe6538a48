package emulator_test

import (
	"math/rand/v2"
	"testing"

	"glsnn/emulator/emutest"
	"glsnn/fixedpoint/fptest"
	"glsnn/targets"
)

// TestChips runs the suite that every engine passes in every shipped chip's
// arithmetic.
func TestChips(t *testing.T) {
	for _, name := range targets.Names() {
		chip, err := targets.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		if chip.Known("arithmetic") != nil {
			continue
		}
		t.Run(name+"/event", func(t *testing.T) { emutest.Run(t, emutest.Event, chip.Arithmetic) })
		t.Run(name+"/reference", func(t *testing.T) { emutest.Run(t, emutest.Reference, chip.Arithmetic) })
	}
}

// BenchmarkChips is a tick of random networks in every shipped chip's arithmetic: what
// is slow here has no kernel.
func BenchmarkChips(b *testing.B) {
	for _, name := range targets.Names() {
		chip, err := targets.Load(name)
		if err != nil {
			b.Fatal(err)
		}
		if chip.Known("arithmetic") != nil {
			continue
		}
		a := chip.Arithmetic
		m := fptest.RandomModel(rand.New(rand.NewPCG(61, 0)), fptest.ModelOptions{Arithmetic: &a, Neurons: 500, Layers: 3})
		b.Run(name, func(b *testing.B) {
			e := benchStep(b, emutest.Event, m, 0.1)
			t := e.Counters().Totals()
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(t.Updates), "ns/update")
			b.ReportMetric(float64(t.SynOps)/float64(t.Updates), "synops/update")
		})
	}
}
