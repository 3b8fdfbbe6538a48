package learn_test

import (
	"math/rand/v2"
	"testing"

	"glsnn/emulator"
	"glsnn/emulator/learn"
	"glsnn/emulator/learn/reference"
	"glsnn/fixedpoint/fptest"
)

// BenchmarkLearn is one sample of 784-200-10 with a tenth of the inputs active, in
// the fast engine and in its plain twin; updates/s counts the synapses that the chip
// visits.
func BenchmarkLearn(b *testing.B) {
	m := wideModel(b, 784, 200, 10)
	var trains []emulator.Train
	rng := rand.New(rand.NewPCG(9, 9))
	for range 20 {
		t := make(fptest.Train, m.Ticks)
		on := fptest.RandomSpikes(rng, m.Inputs(), 0.13)
		for i := range t {
			t[i] = on
		}
		trains = append(trains, t)
	}
	for _, round := range []learn.Rounding{learn.RoundCarry, learn.RoundStochastic} {
		rule := learn.Default(m)
		rule.Round = round
		fresh, err := rule.Fresh(m, learn.Amplitudes(m))
		if err != nil {
			b.Fatal(err)
		}
		e, err := learn.New(fresh, rule, rule.Start(fresh), learn.Options{})
		if err != nil {
			b.Fatal(err)
		}
		plain, err := reference.New(fresh, rule, rule.Start(fresh), learn.Options{})
		if err != nil {
			b.Fatal(err)
		}
		run := func(name string, learn func(emulator.Train, int) (int, error), counters func() learn.Counters) {
			b.Run(string(round)+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				before := counters()
				was := before.Totals().Reads
				n := 0
				for b.Loop() {
					if _, err := learn(trains[n%len(trains)], n%10); err != nil {
						b.Fatal(err)
					}
					n++
				}
				after := counters()
				b.ReportMetric(float64(after.Totals().Reads-was)/b.Elapsed().Seconds(), "updates/s")
			})
		}
		run("fast", e.Learn, e.Counters)
		run("reference", func(t emulator.Train, label int) (int, error) { return plain.Learn(t, label) }, plain.Counters)
	}
}
