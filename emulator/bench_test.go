package emulator_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"glsnn/emulator"
	"glsnn/emulator/emutest"
	"glsnn/fixedpoint"
	"glsnn/fixedpoint/fptest"
	"glsnn/fixedpoint/tier"
	"glsnn/float/dataset"
	"glsnn/float/encode"
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
			WeightExp: 6, MembraneDecay: 256, Threshold: 40000 >> 6 << 6, Integrator: l == len(sizes)-2})
		if a.Current.Present {
			m.Layers[l].CurrentDecay = 2048
		}
	}
	out, err := fixedpoint.NewModel(m)
	if err != nil {
		b.Fatal(err)
	}
	return out
}

func benchStep(b *testing.B, make emutest.NewMachine, m *fixedpoint.Model, activity float64) emulator.Machine {
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
	return e
}

// eachEngine benchmarks the event engine in every tier, and the reference.
func eachEngine(b *testing.B, name string, m *fixedpoint.Model, activity float64) {
	for _, isa := range tier.All() {
		b.Run(name+"/event/"+isa.String(), func(b *testing.B) {
			defer tier.Use(tier.Use(isa))
			benchStep(b, emutest.Event, m, activity)
		})
	}
	b.Run(name+"/reference", func(b *testing.B) { benchStep(b, emutest.Reference, m, activity) })
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
			eachEngine(b, fmt.Sprintf("%s/active=%d%%", join(sizes), percent), m, float64(percent)/100)
		}
	}
}

// BenchmarkStepNarrowing is the path without a proof, every add narrowed: in
// sums of 16 bits, and straight into membranes of 16 bits.
func BenchmarkStepNarrowing(b *testing.B) {
	a := fixedpoint.Wide()
	a.Sum.Bits, a.Current.Register.Bits, a.Membrane.Register.Bits = 16, 16, 16
	sum := benchModel(b, a, 784, 500)
	a.Integrate, a.Sum, a.Current = fixedpoint.IntegrateMembrane, fixedpoint.Register{}, fixedpoint.State{}
	membrane := benchModel(b, a, 784, 500)
	for _, percent := range []int{1, 10, 50} {
		activity := float64(percent) / 100
		eachEngine(b, fmt.Sprintf("sum/784-500/active=%d%%", percent), sum, activity)
		eachEngine(b, fmt.Sprintf("membrane/784-500/active=%d%%", percent), membrane, activity)
	}
}

// BenchmarkRun is Run from pixels to classes, with as many spikes as a network
// trained on MNIST has: for one worker and two.
func BenchmarkRun(b *testing.B) {
	set, err := dataset.Digits("digits", true, 1000, 1, 0)
	if err != nil {
		b.Fatal(err)
	}
	m := *benchModel(b, fixedpoint.Wide(), set.Rows*set.Cols, 500, 500, 10)
	m.Ticks, m.Layers = 10, slices.Clone(m.Layers)
	for i, threshold := range []int64{160 << 6, 2700 << 6, 0} {
		m.Layers[i].CurrentDecay, m.Layers[i].MembraneDecay, m.Layers[i].Threshold = 4096, 0, threshold
	}
	model, err := fixedpoint.NewModel(m)
	if err != nil {
		b.Fatal(err)
	}
	enc := encode.Encoder{Kind: encode.Rate, Ticks: m.Ticks}
	source := func() func(int) emulator.Train {
		var train encode.Train
		return func(i int) emulator.Train {
			enc.Encode(&train, i, set.Image(i))
			return &train
		}
	}
	for _, isa := range tier.All() {
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("%v/workers=%d", isa, workers), func(b *testing.B) {
				defer tier.Use(tier.Use(isa))
				var res *emulator.Result
				for b.Loop() {
					if res, err = emulator.Run(context.Background(), model, set.Len(), source, emulator.RunOptions{Workers: workers}); err != nil {
						b.Fatal(err)
					}
				}
				n, s := float64(set.Len())*float64(b.N), b.Elapsed().Seconds()
				t := res.Counters.Totals()
				b.ReportMetric(n/s, "samples/s")
				b.ReportMetric(float64(t.SynOps)*float64(b.N)/s/1e9, "Gsynops/s")
				b.ReportMetric(float64(t.SynOps)/float64(res.Counters.Ticks), "synops/tick")
			})
		}
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
