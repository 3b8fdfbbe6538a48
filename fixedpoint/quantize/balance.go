package quantize

import (
	"cmp"
	"slices"
)

// balance changes the roundings q of weights, both [len(spikes)][out], so that
// each neuron's drive over the samples stays what it was: the sum over its inputs
// of spikes x rounding error comes near 0. At few bits most small weights round to
// 0, and where they have one sign the drive shifts by their sum. Of the weights
// that were rounded the wrong way those nearest to the middle between two levels
// go to the other one, the lowest input first among equals.
func balance(weights []float32, q []int16, scale float64, low, high int64, out int, spikes []float64) {
	type move struct {
		at         int
		cost, gain float64 // added distance to the weight; what it takes off the sum
	}
	var moves []move
	for j := range out {
		missing := func(i int) float64 { return float64(weights[i*out+j]) - float64(float64(q[i*out+j])*scale) }
		sum, sign := 0.0, 1.0
		for i, n := range spikes {
			sum += float64(n * missing(i))
		}
		if sum < 0 {
			sum, sign = -sum, -1
		}
		moves = moves[:0]
		for i, n := range spikes {
			k := int64(q[i*out+j]) + int64(sign)
			if d := missing(i) * sign; n > 0 && d > 0 && d < scale && k >= low && k <= high {
				moves = append(moves, move{i, scale - 2*d, n * scale})
			}
		}
		slices.SortStableFunc(moves, func(a, b move) int { return cmp.Compare(a.cost, b.cost) })
		for _, m := range moves {
			if sum >= m.gain/2 {
				q[m.at*out+j] += int16(sign)
				sum -= m.gain
			}
		}
	}
}
