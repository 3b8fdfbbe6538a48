package emulator_test

import (
	"testing"

	"glsnn/emulator"
	"glsnn/emulator/reference"
	"glsnn/fixedpoint/fptest"
)

// Weights that change between ticks, and neurons that never fire, in random models:
// both engines agree after every tick.
func TestPlasticTwin(t *testing.T) {
	rng := fptest.Rand(t, 26)
	for n := range 60 {
		m := fptest.RandomModel(rng, fptest.ModelOptions{Neurons: []int{8, 70}[n%2]})
		opt := emulator.Options{Delay: n%3 == 0, Strict: n%4 == 0}
		if n%3 > 0 {
			opt.Silent = make([]bool, m.Neurons())
			for i := range opt.Silent {
				opt.Silent[i] = rng.IntN(3) == 0
			}
		}
		got, want := emulator.NewPlastic(m, opt), reference.New(m, opt)
		compare := emulator.NewComparer(m)
		for range 3 {
			train := fptest.RandomTrain(rng, m.Ticks, m.Inputs(), 0.4)
			got.Reset()
			want.Reset()
			for tick := range train.Ticks() {
				got.Step(train.At(tick))
				want.Step(train.At(tick))
				if d := compare.State(got, want); d != nil {
					t.Fatalf("model %d, tick %d: %v", n, tick, d)
				}
				for range 20 {
					l := rng.IntN(len(m.Layers))
					k := m.Layers[l]
					lo, hi := m.Arithmetic.Weight.Range(k.WeightBits)
					hi = min(hi, 1<<15-1)
					w := lo + rng.Int64N(hi-lo+1)
					j, i := rng.IntN(k.In), rng.IntN(k.Out)
					got.SetWeight(l, j, i, w)
					want.SetWeight(l, j, i, w)
				}
			}
			if d := emulator.CompareCounters(got.Counters(), want.Counters()); d != nil {
				t.Fatalf("model %d: %v", n, d)
			}
		}
	}
}
