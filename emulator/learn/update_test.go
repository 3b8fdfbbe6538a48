package learn

import (
	"math/big"
	"testing"

	"glsnn/fixedpoint"
)

// bench is a network of one axon and two neurons with weights of bits bits, whose
// update of one synapse can be tried on every value.
func bench(t *testing.T, bits, low, shift int, round Rounding) *Learner {
	t.Helper()
	a := fixedpoint.Wide()
	m, err := NewModel(a, []int{1, 2}, ModelOptions{Bits: bits, Ticks: 4, Encoding: fixedpoint.Encoding{Kind: "rate"}})
	if err != nil {
		t.Fatal(err)
	}
	r := Default(m)
	r.Low, r.Round, r.Random = low, round, fixedpoint.LFSR{Bits: 5, Taps: []int{5, 3}}
	r.Layers[0].Shift = shift
	e, err := New(m, r, r.Start(m), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// once is one update of synapse (0, 1) from w, residual res and random state s.
func once(e *Learner, w, x, g, res int32, s uint32) (after, residual int32) {
	k := &e.layers[0]
	k.w[1], k.x[0], k.g[1], k.r[1] = w, x, g, res
	k.active, k.on = append(k.active[:0], 0), append(k.on[:0], 1)
	e.random.SetState(s)
	e.update(0)
	return k.w[1], k.r[1]
}

// oracle is floor((−x·g + c) / 2^k) added to w and clipped, in big numbers.
func oracle(w, x, g, c int64, k uint, lo, hi int64) int64 {
	y := new(big.Int).Mul(big.NewInt(-x), big.NewInt(g))
	y.Add(y, big.NewInt(c))
	y.Div(y, new(big.Int).Lsh(big.NewInt(1), k)) // Euclidean: floor for a positive divisor
	y.Add(y, big.NewInt(w))
	switch {
	case y.Cmp(big.NewInt(lo)) < 0:
		return lo
	case y.Cmp(big.NewInt(hi)) > 0:
		return hi
	}
	return y.Int64()
}

// Every weight of 3 and 4 bits with 0 and 1 low bits, every trace of 3 bits, every
// modulator of 4 bits, every shift of 0..4 and every residual or draw.
func TestUpdateExhaustive(t *testing.T) {
	tried := 0
	for _, round := range []Rounding{RoundNearest, RoundCarry, RoundStochastic} {
		for _, bits := range []int{3, 4} {
			for low := range 2 {
				for shift := low; shift <= 4; shift++ {
					e := bench(t, bits, low, shift, round)
					k := uint(shift - low)
					lo, hi := e.rule.Stored(e.m, 0)
					if lo != -(int64(1)<<(bits-1+low)) || hi != int64(1)<<(bits-1+low)-1 {
						t.Fatalf("%d bits and %d low: range %d..%d", bits, low, lo, hi)
					}
					for w := int32(lo); w <= int32(hi); w++ {
						for x := int32(1); x < 8; x++ {
							for g := int32(-7); g <= 7; g++ {
								if g == 0 {
									continue
								}
								tried += tryUpdate(t, e, w, x, g, k, lo, hi)
							}
						}
					}
				}
			}
		}
	}
	t.Logf("%d updates", tried)
}

func tryUpdate(t *testing.T, e *Learner, w, x, g int32, k uint, lo, hi int64) int {
	t.Helper()
	fail := func(what string, c, got, want int64) {
		t.Fatalf("%s, w %d, x %d, g %d, shift %d, residual or draw %d: got %d, want %d", e.rule.Round, w, x, g, k, c, got, want)
	}
	n := int64(1) << k
	switch e.rule.Round {
	case RoundNearest:
		got, _ := once(e, w, x, g, 0, 1)
		if want := oracle(int64(w), int64(x), int64(g), n/2, k, lo, hi); int64(got) != want {
			fail("weight", 0, int64(got), want)
		}
		return 1
	case RoundCarry:
		for c := range n {
			got, res := once(e, w, x, g, int32(c), 1)
			if want := oracle(int64(w), int64(x), int64(g), c, k, lo, hi); int64(got) != want {
				fail("weight", c, int64(got), want)
			}
			// Nothing is lost: change·2^k + residual is what there was.
			floor := new(big.Int).Div(big.NewInt(-int64(x)*int64(g)+c), big.NewInt(n)).Int64()
			if want := -int64(x)*int64(g) + c - floor*n; int64(res) != want || res < 0 || int64(res) >= n {
				fail("residual", c, int64(res), want)
			}
		}
		return int(n)
	}
	var sum, tries int64
	for s := uint32(1); s < 32; s++ {
		next, draw := e.rule.Random.Draw(s, k)
		got, _ := once(e, w, x, g, 0, s)
		if want := oracle(int64(w), int64(x), int64(g), int64(draw), k, lo, hi); int64(got) != want {
			fail("weight", int64(draw), int64(got), want)
		}
		if k > 0 && e.random.State() != next || k == 0 && e.random.State() != s {
			fail("random register", int64(s), int64(e.random.State()), int64(next))
		}
		sum, tries = sum+int64(got)-int64(w), tries+1
	}
	// In the mean over the register's period the change is −x·g/2^k; draw 0 comes once
	// less than the others, which is all that may be missing.
	exact := -int64(x) * int64(g)
	if far := int64(w) + exact/n; far > lo && far < hi && (sum*n-exact*tries > n*(n+1) || exact*tries-sum*n > n*(n+1)) {
		fail("mean", 0, sum*n, exact*tries)
	}
	return int(tries)
}

// The change has the sign of −g, is 0 only where it rounds to it, grows with the
// trace and the modulator, and mirrors: that of −g with the mirrored residual is the
// negative.
func TestUpdateProperties(t *testing.T) {
	for _, shift := range []int{0, 2, 4} {
		e := bench(t, 8, 0, shift, RoundCarry)
		n := int32(1) << shift
		change := func(x, g, res int32) int32 {
			w, _ := once(e, 0, x, g, res, 1)
			return w
		}
		for res := range n {
			for g := int32(-16); g <= 16; g++ {
				if g == 0 {
					continue
				}
				for x := int32(1); x < 8; x++ {
					d := change(x, g, res)
					if d > 0 && g > 0 || d < 0 && g < 0 && x*-g >= n {
						t.Fatalf("x %d, g %d, residual %d, shift %d: change %d has the wrong sign", x, g, res, shift, d)
					}
					if x > 1 {
						if before := change(x-1, g, res); g > 0 && d > before || g < 0 && d < before {
							t.Fatalf("x %d, g %d: change %d, smaller trace %d", x, g, d, before)
						}
					}
					if g != -16 && g != 1 && change(x, g-1, res) < d {
						t.Fatalf("x %d, g %d: a larger modulator changes less", x, g)
					}
					if mirror := change(x, -g, n-1-res); mirror != -d && mirror != -d-1 && mirror != -d+1 {
						t.Fatalf("x %d, g %d, residual %d: change %d, mirrored %d", x, g, res, d, mirror)
					}
				}
			}
		}
	}
}

// What a neuron's synapses change in sum under carry is exact to one step, in
// whatever order axons have traces.
func TestCarryIsExact(t *testing.T) {
	e := bench(t, 8, 0, 5, RoundCarry)
	var exact, got int64
	res := int32(0)
	for i := range int32(500) {
		x, g := i%7+1, (i*5)%23-11
		if g == 0 {
			continue
		}
		var w int32
		w, res = once(e, 0, x, g, res, 1)
		exact -= int64(x) * int64(g)
		got += int64(w)
		if left := exact - got*32; left < 0 || left >= 32 {
			t.Fatalf("after %d updates: exact %d / 32, got %d, so %d is left", i, exact, got, left)
		}
	}
}

// The error at every score of a small range, against its definition.
func TestErrors(t *testing.T) {
	e := bench(t, 4, 0, 2, RoundCarry)
	for _, shift := range []int{-2, 0, 3} {
		e.rule.Error = Error{High: 20, Low: -5, Shift: shift, Bits: 5}
		for o := int64(-80); o <= 80; o++ {
			for label := range 2 {
				e.sample.Scores = append(e.sample.Scores[:0], o, 0)
				e.errors(label)
				z := max(0, o+5)
				if label == 0 {
					z = min(0, o-20)
				}
				want := new(big.Rat).SetInt64(z)
				if shift >= 0 {
					want.Quo(want, big.NewRat(1<<shift, 1))
				} else {
					want.Mul(want, big.NewRat(4, 1))
				}
				q := new(big.Int).Quo(want.Num(), want.Denom()).Int64() // toward zero
				if q = max(-15, min(15, q)); int64(e.sample.Errors[0]) != q {
					t.Fatalf("score %d, label %d, shift %d: got %d, want %d", o, label, shift, e.sample.Errors[0], q)
				}
			}
		}
	}
}
