package parity

import (
	"math"
	"testing"
)

// TestMcNemar: twice the probability of so uneven a split of a+b fair coins,
// by counting.
func TestMcNemar(t *testing.T) {
	for _, c := range []struct {
		a, b int
		want float64
	}{
		{0, 0, 1}, {1, 0, 1}, {0, 2, 0.5}, {3, 3, 1}, {5, 5, 1},
		{0, 5, 2.0 / 32},                    // 2 x 1/2^5
		{1, 9, 2 * (1.0 + 10) / 1024},       // 2 x (C(10,0) + C(10,1))/2^10
		{10, 2, 2 * (1.0 + 12 + 66) / 4096}, // the other way round
		{4, 5, 1},                           // 2 x 256/512
		{3, 5, 2 * (1.0 + 8 + 28 + 56) / 256},
	} {
		if got := mcNemar(c.a, c.b); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%d against %d: got %v, want %v", c.a, c.b, got, c.want)
		}
		if mcNemar(c.a, c.b) != mcNemar(c.b, c.a) {
			t.Errorf("%d against %d: not symmetric", c.a, c.b)
		}
	}
	if p := mcNemar(0, 5000); p != 0 && !(p < 1e-300) || math.IsNaN(mcNemar(4000, 4100)) {
		t.Errorf("got %v, %v for large numbers", p, mcNemar(4000, 4100))
	}
}

// TestDropInterval: 10 and 2 of 100, with half a sample more in each of four
// cells, are 10.5 and 2.5 of 102: a mean of 8/102 = 0.0784314 with a variance of
// 13/102 - 0.0061515 = 0.1212995, a standard error of sqrt(0.1212995/102) =
// 0.0344848, so 7.84314 points -+ 1.959964 x 3.44848 = 6.75892. None of 50: 0 -+
// 1.959964 sqrt((1/52)/52) = 3.76916 points. 4 of 4: the upper end is cut at 100.
func TestDropInterval(t *testing.T) {
	for _, c := range []struct {
		a, b, n int
		want    [2]float64
	}{
		{10, 2, 100, [2]float64{7.84314 - 6.75892, 7.84314 + 6.75892}},
		{2, 10, 100, [2]float64{-7.84314 - 6.75892, -7.84314 + 6.75892}},
		{0, 0, 50, [2]float64{-3.76916, 3.76916}},
		{4, 0, 4, [2]float64{16.7684, 100}},
		{1, 1, 2, [2]float64{-84.8689, 84.8689}}, // sqrt(3/4 / 4) x 1.959964
	} {
		got := dropInterval(c.a, c.b, c.n)
		if math.Abs(got[0]-c.want[0]) > 1e-3 || math.Abs(got[1]-c.want[1]) > 1e-3 {
			t.Errorf("%d and %d of %d: got %v, want %v", c.a, c.b, c.n, got, c.want)
		}
	}
}
