package quantize

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"glsnn/fixedpoint"
)

// TestChooseScale: Max makes the largest magnitude the largest integer, MSE is
// never worse than Max and near the best of a fine grid, Percentile is the
// magnitude that so many lie at or below.
func TestChooseScale(t *testing.T) {
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 1))
		w := make([]float32, 1+rng.IntN(300))
		for i := range w {
			w[i] = float32(rng.NormFloat64())
			if rng.IntN(3) == 0 {
				w[i] = 0
			}
			if seed%3 == 0 { // a long tail
				w[i] *= w[i] * w[i]
			}
		}
		w[rng.IntN(len(w))] = 3
		mags := make([]float64, len(w))
		for i := range w {
			mags[i] = math.Abs(float64(w[i]))
		}
		slices.Sort(mags)
		largest := mags[len(mags)-1]
		for bits := 2; bits <= 8; bits++ {
			top := float64(int(1)<<(bits-1) - 1)
			if got := chooseScale(w, largest, top, Options{Scheme: Max}); got != largest/top {
				t.Fatalf("max: got %v, want %v", got, largest/top)
			}
			for _, p := range []float64{50, 75, 99, 100} {
				got := chooseScale(w, largest, top, Options{Scheme: Percentile, Percentile: p}) * top
				at := 0 // weights within the range
				for _, m := range mags {
					if m <= got*(1+1e-12) {
						at++
					}
				}
				if got == 0 || float64(at) < p/100*float64(len(mags)) {
					t.Fatalf("percentile %v: got %v, which %d of %d lie within", p, got, at, len(mags))
				}
				if below, _ := slices.BinarySearch(mags, got*(1-1e-12)); float64(below) >= p/100*float64(len(mags)) && got*(1-1e-12) < largest && mags[max(0, below-1)] > 0 {
					t.Fatalf("percentile %v: got %v, and %d of %d lie below", p, got, below, len(mags))
				}
			}
			got := chooseScale(w, largest, top, Options{Scheme: MSE, Rounding: fixedpoint.NearestEven})
			e := squaredError(w, got, top, fixedpoint.NearestEven)
			if most := squaredError(w, largest/top, top, fixedpoint.NearestEven); e > most {
				t.Fatalf("seed %d, %d bits: mse has error %v, max %v", seed, bits, e, most)
			}
			best := math.Inf(1)
			for p := 1; p <= 1000; p++ {
				best = min(best, squaredError(w, largest*float64(p)/1000/top, top, fixedpoint.NearestEven))
			}
			if e > 1.1*best+1e-12 {
				t.Errorf("seed %d, %d bits: mse has error %v, the best of a grid %v", seed, bits, e, best)
			}
		}
	}
}
