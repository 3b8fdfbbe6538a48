package quantize

import (
	"math/rand/v2"
	"slices"
	"testing"

	"glsnn/fixedpoint"
)

func between(low, high int64) func(int) (int64, int64) {
	return func(int) (int64, int64) { return low, high }
}

// TestCompensateByHand: two inputs that always spike together, weights of 0.4 steps
// each. The first to be rounded (the later input, among equals) becomes 0, and the
// other takes up its 0.4 times their common part, 1/1.01: 0.4 + 0.396 rounds to 1.
// Inputs that never spike together, or never at all, are rounded by themselves.
func TestCompensateByHand(t *testing.T) {
	for _, c := range []struct {
		name    string
		weights []float32
		moments []float64
		want    []int16
	}{
		{"together", []float32{0.4, 0.4}, []float64{1, 1, 1, 1}, []int16{1, 0}},
		{"never together", []float32{0.4, 0.4}, []float64{1, 0, 0, 1}, []int16{0, 0}},
		{"never", []float32{0.4, 1.6}, []float64{0, 0, 0, 0}, []int16{0, 2}},
		{"the louder first", []float32{0.4, 0.4}, []float64{4, 2, 2, 1}, []int16{0, 1}},
		{"no more than the largest", []float32{3, 3.4}, []float64{1, 1, 1, 1}, []int16{3, 3}},
		{"no synapse", []float32{0, 0.4}, []float64{1, 1, 1, 1}, []int16{0, 0}},
		{"two neurons", []float32{0.4, 0.4, 0.4, -0.4}, []float64{1, 1, 1, 1}, []int16{1, 0, 0, 0}},
	} {
		out := len(c.weights) / 2
		if got := newCompensation(c.moments, 2, fixedpoint.NearestEven, between(-3, 3)).round(c.weights, 1, out); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

// TestTriangular: R'R is the moments in the order asked for, with the diagonal that
// was added.
func TestTriangular(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	const n = 12
	moments := randomMoments(rng, n, 8) // fewer samples than inputs: singular
	order := rng.Perm(n)
	r := triangular(moments, order)
	mean := 0.0
	for i := range n {
		mean += moments[i*n+i] / n
	}
	for a := range n {
		for b := range n {
			sum, want := 0.0, moments[order[a]*n+order[b]]
			for p := range n {
				sum += r[p*n+a] * r[p*n+b]
			}
			if a == b {
				want += 0.01 * mean
			}
			if d := sum - want; d > 1e-9*mean || d < -1e-9*mean {
				t.Fatalf("%d, %d: got %v, want %v", a, b, sum, want)
			}
			if a > b && r[a*n+b] != 0 {
				t.Fatalf("%d, %d: got %v below the diagonal", a, b, r[a*n+b])
			}
		}
	}
}

// TestCompensate: on samples whose inputs have much in common the drive is off by
// less than half of what plain rounding costs, within the range, at any width.
func TestCompensate(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	const in, out, scale = 60, 20, 0.1
	moments := randomMoments(rng, in, 200)
	weights := make([]float32, in*out)
	for i := range weights {
		weights[i] = float32(rng.NormFloat64() * 0.1)
	}
	for _, high := range []int64{1, 3, 7} {
		wrong := func(q []int16) (sum float64) {
			for j := range out {
				for a := range in {
					for b := range in {
						e := func(i int) float64 { return float64(weights[i*out+j]) - float64(q[i*out+j])*scale }
						sum += e(a) * moments[a*in+b] * e(b)
					}
				}
			}
			return sum
		}
		q := newCompensation(moments, in, fixedpoint.NearestEven, between(-high, high)).round(weights, scale, out)
		plain := roundWeights(weights, scale, -high, high, fixedpoint.NearestEven)
		if got, was := wrong(q), wrong(plain); got > was/2 {
			t.Errorf("to %d steps: squared error of the drive %v, and %v by rounding alone", high, got, was)
		}
		if a, b := slices.Min(q), slices.Max(q); int64(a) < -high || int64(b) > high {
			t.Errorf("got %d..%d, want within %d steps", a, b, high)
		}
	}
}

// randomMoments are those of samples whose units follow three common causes.
func randomMoments(rng *rand.Rand, n, samples int) []float64 {
	m, s, cause := make([]float64, n*n), make([]float64, n), make([]float64, 3)
	for range samples {
		for k := range cause {
			cause[k] = float64(rng.IntN(5))
		}
		for i := range s {
			s[i] = cause[i%3] + float64(rng.IntN(2))
		}
		for i := range n {
			for j := range n {
				m[i*n+j] += s[i] * s[j]
			}
		}
	}
	return m
}
