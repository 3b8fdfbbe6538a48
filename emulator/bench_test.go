package emulator_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"glsnn/emulator"
	"glsnn/emulator/emutest"
	"glsnn/fixedpoint"
	"glsnn/fixedpoint/fptest"
)

// benchModel is a network of 8-bit weights with an exponent of 6 in Wide, so
// that no register overflows. Hidden thresholds make some neurons fire.
func benchModel(b *testing.B, a fixedpoint.Arithmetic, sizes ...int) *fixedpoint.Model {
	b.Helper()
	rng := rand.New(rand.NewPCG(51, 0))
	m := fixedpoint.Model{Arithmetic: a, Ticks: 50, Readout: fixedpoint.ReadMembrane}
	for l := range len(sizes) - 1 {
		in, out := sizes[l], sizes[l+1]
		w := make([]int16, in*out)
		for i := range w {
			w[i] = int16(rng.NormFloat64()*30 + 1)
			w[i] = max(-128, min(127, w[i]))
		}
		m.Layers = append(m.Layers, fixedpoint.Layer{In: in, Out: out, Weights: fixedpoint.NewMatrix(in, out, w), WeightBits: 8,
			WeightExp: 6, CurrentDecay: 2048, MembraneDecay: 256, Threshold: 40000 >> 6 << 6, Integrator: l == len(sizes)-2})
	}
	out, err := fixedpoint.NewModel(m)
	if err != nil {
		b.Fatal(err)
	}
	return out
}

func benchStep(b *testing.B, make emutest.NewMachine, m *fixedpoint.Model, activity float64) {
	b.Helper()
	train := fptest.RandomTrain(rand.New(rand.NewPCG(52, 0)), m.Ticks, m.Inputs(), activity)
	e := make(m, emulator.Options{})
	tick := 0
	for b.Loop() {
		if tick == m.Ticks {
			tick = 0
			e.Reset()
		}
		e.Step(train[tick])
		tick++
	}
	s := b.Elapsed().Seconds()
	c := e.Counters()
	b.ReportMetric(float64(c.Totals().SynOps)/s/1e9, "Gsynops/s")
	b.ReportMetric(float64(c.Ticks)/s, "ticks/s")
}

// BenchmarkStep is one tick at 1, 10 and 50 % of the input axons, of one layer
// and of a network, event-driven and dense.
func BenchmarkStep(b *testing.B) {
	for _, sizes := range [][]int{{784, 500}, {784, 500, 500, 10}} {
		m := benchModel(b, fixedpoint.Wide(), sizes...)
		for i := range m.Layers {
			if !m.Bounds(i).Proved {
				b.Fatalf("layer %d is not proved: %+v", i, m.Bounds(i))
			}
		}
		for _, percent := range []int{1, 10, 50} {
			for _, e := range engines {
				b.Run(fmt.Sprintf("%s/active=%d%%/%s", join(sizes), percent, e.name), func(b *testing.B) {
					benchStep(b, e.make, m, float64(percent)/100)
				})
			}
		}
	}
}

// BenchmarkStepNarrowing is the path without a proof: every add through
// fixedpoint.Add, in registers of 16 bits.
func BenchmarkStepNarrowing(b *testing.B) {
	a := fixedpoint.Wide()
	a.Sum.Bits, a.Current.Register.Bits, a.Membrane.Register.Bits = 16, 16, 16
	m := benchModel(b, a, 784, 500)
	for _, percent := range []int{1, 10, 50} {
		b.Run(fmt.Sprintf("784-500/active=%d%%/event", percent), func(b *testing.B) {
			benchStep(b, emutest.Event, m, float64(percent)/100)
		})
	}
}

func join(sizes []int) string {
	s := ""
	for i, n := range sizes {
		if i > 0 {
			s += "-"
		}
		s += fmt.Sprint(n)
	}
	return s
}
