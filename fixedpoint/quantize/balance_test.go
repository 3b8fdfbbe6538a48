package quantize

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"glsnn/fixedpoint"
)

// TestBalanceByHand: four inputs that spike once each, weights of 0.4 steps to
// one neuron: rounding loses 1.6 steps, and two of them go up, the lowest. The
// other neuron loses 0.2 and keeps its roundings; an input that never spikes
// keeps its own.
func TestBalanceByHand(t *testing.T) {
	weights := []float32{0.4, 1.1, 0.4, 0.1, 0.4, 0, 0.4, 0, 0.4, 0}
	q := roundWeights(weights, 1, -3, 3, fixedpoint.NearestEven)
	balance(weights, q, 1, -3, 3, 2, []float64{0, 1, 1, 1, 1})
	if want := []int16{0, 1, 1, 0, 1, 0, 0, 0, 0, 0}; !slices.Equal(q, want) {
		t.Errorf("got %v, want %v", q, want)
	}
	q = []int16{3}
	if balance([]float32{9}, q, 1, -3, 3, 1, []float64{5}); q[0] != 3 {
		t.Errorf("the largest level became %d", q[0])
	}
}

// TestBalance: on random weights of small size a neuron's drive is off by at most
// half a step of its busiest input, where rounding alone is off by far more, and
// every weight stays on one of its two levels.
func TestBalance(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	const in, out, scale = 300, 20, 0.1
	weights, spikes := make([]float32, in*out), make([]float64, in)
	for i := range weights {
		weights[i] = float32(rng.NormFloat64()*0.05 - 0.02)
	}
	for i := range spikes {
		spikes[i] = float64(rng.IntN(50))
	}
	worst := func(q []int16) (e float64) {
		for j := range out {
			sum := 0.0
			for i, n := range spikes {
				sum += n * (float64(weights[i*out+j]) - float64(q[i*out+j])*scale)
			}
			e = max(e, math.Abs(sum))
		}
		return e
	}
	q := roundWeights(weights, scale, -3, 3, fixedpoint.NearestEven)
	before := worst(q)
	balance(weights, q, scale, -3, 3, out, spikes)
	if after := worst(q); after > slices.Max(spikes)*scale/2+1e-9 || before < 10*after {
		t.Errorf("drive off by %v, and by %v before", after, before)
	}
	for i, k := range q {
		if math.Abs(float64(weights[i])-float64(k)*scale) >= scale {
			t.Fatalf("weight %v became %d steps of %v", weights[i], k, scale)
		}
	}
}
