package fixedpoint_test

import (
	"math/big"
	"testing"

	"glsnn/fixedpoint"
	"glsnn/fixedpoint/fptest"
)

var overflows = []fixedpoint.Overflow{fixedpoint.Saturate, fixedpoint.Wrap}

// registers calls f with every register of lo..hi bits.
func registers(lo, hi int, f func(fixedpoint.Register)) {
	for bits := lo; bits <= hi; bits++ {
		for _, o := range overflows {
			f(fixedpoint.Register{Bits: bits, Signed: true, Overflow: o})
			f(fixedpoint.Register{Bits: bits, Overflow: o})
		}
		f(fixedpoint.Register{Bits: bits, Signed: true, Overflow: fixedpoint.SaturateSymmetric})
	}
}

func checkNarrow(t *testing.T, x int64, r fixedpoint.Register) {
	t.Helper()
	got, over := fixedpoint.Narrow(x, r)
	if want, wantOver := wantNarrow(bigInt(x), r); got != want || over != wantOver {
		t.Fatalf("Narrow(%d, %+v): got %d, %v, want %d, %v", x, r, got, over, want, wantOver)
	}
}

func TestNarrowEveryInput(t *testing.T) {
	registers(3, 6, func(r fixedpoint.Register) {
		span := int64(5) << r.Bits // several periods on each side
		for x := -span; x <= span; x++ {
			checkNarrow(t, x, r)
		}
	})
}

func TestNarrowEdges(t *testing.T) {
	for _, bits := range []int{2, 16, 24, 31, 32, 33, fixedpoint.MaxBits} {
		registers(bits, bits, func(r fixedpoint.Register) {
			lo, hi := limits(r.Bits, r.Signed)
			for _, at := range []int64{lo.Int64(), hi.Int64(), 0, 1 << r.Bits, -1 << r.Bits, 3 << (r.Bits - 1), -3 << (r.Bits - 1), 1<<62 - 4, -1<<62 + 4} {
				for d := int64(-3); d <= 3; d++ {
					checkNarrow(t, at+d, r)
				}
			}
		})
	}
}

func TestAddEveryPair(t *testing.T) {
	registers(3, 6, func(r fixedpoint.Register) {
		lo, hi := limits(r.Bits, r.Signed)
		for a := lo.Int64(); a <= hi.Int64(); a++ {
			for b := lo.Int64() - 3; b <= hi.Int64()+3; b++ {
				got, over := fixedpoint.Add(a, b, r)
				want, wantOver := wantNarrow(new(big.Int).Add(bigInt(a), bigInt(b)), r)
				if got != want || over != wantOver {
					t.Fatalf("Add(%d, %d, %+v): got %d, %v, want %d, %v", a, b, r, got, over, want, wantOver)
				}
			}
		}
	})
}

func TestAddEdges(t *testing.T) {
	for _, bits := range []int{32, fixedpoint.MaxBits} {
		registers(bits, bits, func(r fixedpoint.Register) {
			lo, hi := limits(r.Bits, r.Signed)
			near := []int64{lo.Int64(), lo.Int64() + 1, -1, 0, 1, hi.Int64() - 1, hi.Int64(), 1<<61 - 1, -1<<61 + 1}
			for _, a := range near {
				for _, b := range near {
					got, over := fixedpoint.Add(a, b, r)
					want, wantOver := wantNarrow(new(big.Int).Add(bigInt(a), bigInt(b)), r)
					if got != want || over != wantOver {
						t.Fatalf("Add(%d, %d, %+v): got %d, %v, want %d, %v", a, b, r, got, over, want, wantOver)
					}
				}
			}
		})
	}
}

func checkShift(t *testing.T, x int64, k uint, mode fixedpoint.RoundMode) {
	t.Helper()
	want := wantRound(new(big.Rat).SetFrac(bigInt(x), pow2(int(k))), mode)
	if got := fixedpoint.ShiftRound(x, k, mode); got != want {
		t.Fatalf("ShiftRound(%d, %d, %v): got %d, want %d", x, k, mode, got, want)
	}
}

func TestShiftRoundEveryInput(t *testing.T) {
	for _, mode := range fixedpoint.RoundModes() {
		for k := range uint(8) {
			for x := int64(-256); x <= 256; x++ {
				checkShift(t, x, k, mode)
			}
		}
	}
}

func TestShiftRoundEdges(t *testing.T) {
	for _, mode := range fixedpoint.RoundModes() {
		for k := range uint(63) {
			for _, at := range []int64{0, 1 << 31, -1 << 31, 1 << 39, -1 << 39, 1 << 55, -1 << 55, 1<<62 - 3, -1<<62 + 3, 1 << k, -1 << k, 1 << k >> 1, -1 << k >> 1, 3 << k >> 1} {
				for d := int64(-2); d <= 2; d++ {
					checkShift(t, at+d, k, mode)
				}
			}
		}
	}
}

func TestShiftRoundPanicsOnUnknownMode(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	fixedpoint.ShiftRound(1, 1, 9)
}

func checkDecay(t *testing.T, x, d int64, k uint, mode fixedpoint.RoundMode) {
	t.Helper()
	got := fixedpoint.DecayMul(x, d, k, mode)
	if want := wantDecay(x, d, k, mode); got != want {
		t.Fatalf("DecayMul(%d, %d, %d, %v): got %d, want %d", x, d, k, mode, got, want)
	}
	if max(got, -got) > max(x, -x) {
		t.Fatalf("DecayMul(%d, %d, %d, %v): got %d, whose magnitude grew", x, d, k, mode, got)
	}
}

// TestDecayEveryInput takes every state of 6 bits, every decay of 1 to 5
// fraction bits and every mode.
func TestDecayEveryInput(t *testing.T) {
	for _, mode := range fixedpoint.RoundModes() {
		for k := uint(1); k <= 5; k++ {
			for d := int64(0); d <= 1<<k; d++ {
				for x := int64(-32); x < 32; x++ {
					checkDecay(t, x, d, k, mode)
				}
			}
		}
	}
}

func TestDecayEdges(t *testing.T) {
	rng := fptest.Rand(t, 3)
	for _, mode := range fixedpoint.RoundModes() {
		for _, k := range []uint{6, 12, 15, 16} {
			full := int64(1) << k
			for _, d := range []int64{0, 1, 2, full / 2, full/2 + 1, full - 1, full, rng.Int64N(full)} {
				for _, at := range []int64{0, -1 << 31, 1<<31 - 1, -1 << 39, 1<<39 - 1, 1 << 12, -1 << 12, rng.Int64N(1 << 39)} {
					for e := int64(-2); e <= 2; e++ {
						checkDecay(t, at+e, d, k, mode)
					}
				}
			}
		}
	}
}

// TestDecayMonotone is what Model.Bounds rests on: a larger state stays the
// larger one, and 0 stays 0.
func TestDecayMonotone(t *testing.T) {
	for _, mode := range fixedpoint.RoundModes() {
		for k := uint(1); k <= 5; k++ {
			for d := int64(0); d <= 1<<k; d++ {
				if got := fixedpoint.DecayMul(0, d, k, mode); got != 0 {
					t.Fatalf("DecayMul(0, %d, %d, %v): got %d", d, k, mode, got)
				}
				for x := int64(-64); x < 64; x++ {
					if a, b := fixedpoint.DecayMul(x, d, k, mode), fixedpoint.DecayMul(x+1, d, k, mode); a > b {
						t.Fatalf("d %d/2^%d %v: %d gives %d, %d gives %d", d, k, mode, x, a, x+1, b)
					}
				}
			}
		}
	}
}

// TestDecaySticks pins where a state stops: at 0 toward zero, and at −31 for
// 128/4096 with floor.
func TestDecaySticks(t *testing.T) {
	for _, c := range []struct {
		mode  fixedpoint.RoundMode
		from  int64
		stops int64
	}{
		{fixedpoint.TowardZero, 1 << 22, 0},
		{fixedpoint.TowardZero, -1 << 22, 0},
		{fixedpoint.Floor, 1 << 22, 0},
		{fixedpoint.Floor, -1 << 22, -31},
		{fixedpoint.NearestEven, 1 << 22, 16}, // 16·3968/4096 = 15.5, to even
		{fixedpoint.NearestEven, -1 << 22, -16},
		{fixedpoint.HalfAway, 1 << 22, 16},
		{fixedpoint.HalfAway, -1 << 22, -16},
	} {
		x := c.from
		for range 2000 {
			x = fixedpoint.DecayMul(x, 128, 12, c.mode)
		}
		if x != c.stops {
			t.Errorf("%v from %d: got %d, want %d", c.mode, c.from, x, c.stops)
		}
	}
}

// TestDecayApply covers the two kinds and what each accepts.
func TestDecayApply(t *testing.T) {
	for _, mode := range fixedpoint.RoundModes() {
		for k := 1; k <= 3; k++ {
			dec := fixedpoint.Decay{Kind: fixedpoint.DecayMultiply, FracBits: k, Round: mode, Min: 1, Max: 1<<k - 1}
			for d := int64(0); d <= 1<<k; d++ {
				if got, want := dec.Accepts(d), d >= 1 && d <= 1<<k-1; got != want {
					t.Errorf("%+v accepts %d: got %v, want %v", dec, d, got, want)
				}
				for x := int64(-32); x < 32; x++ {
					if got, want := dec.Apply(x, d), wantDecay(x, d, uint(k), mode); got != want {
						t.Fatalf("%+v of %d with %d: got %d, want %d", dec, x, d, got, want)
					}
				}
			}
		}
	}
	var none fixedpoint.Decay
	for x := int64(-32); x < 32; x++ {
		if got := none.Apply(x, 0); got != x {
			t.Errorf("none of %d: got %d", x, got)
		}
	}
	if !none.Accepts(0) || none.Accepts(1) {
		t.Error("none accepts 0 and nothing else")
	}
}

// TestTowardInputEveryPair: every pair of 6-bit values, every parameter of 1 to 4
// fraction bits: the value by definition, between its two ends, and growing with
// both.
func TestTowardInputEveryPair(t *testing.T) {
	for _, mode := range fixedpoint.RoundModes() {
		for k := uint(1); k <= 4; k++ {
			dec := fixedpoint.Decay{Kind: fixedpoint.DecayTowardInput, FracBits: int(k), Round: mode, Max: 1 << k}
			for d := int64(0); d <= 1<<k; d++ {
				for v := int64(-32); v < 32; v++ {
					for x := int64(-32); x < 32; x++ {
						got := fixedpoint.TowardInput(v, x, d, k, mode)
						if want := wantToward(v, x, d, k, mode); got != want {
							t.Fatalf("TowardInput(%d, %d, %d, %d, %v): got %d, want %d", v, x, d, k, mode, got, want)
						}
						if got < min(v, x) || got > max(v, x) || d == 0 && got != v || d == 1<<k && got != x {
							t.Fatalf("TowardInput(%d, %d, %d, %d, %v): got %d, not between them, or not at its end", v, x, d, k, mode, got)
						}
						if fixedpoint.TowardInput(v+1, x, d, k, mode) < got || fixedpoint.TowardInput(v, x+1, d, k, mode) < got {
							t.Fatalf("TowardInput(%d, %d, %d, %d, %v): %d falls where v or t grows", v, x, d, k, mode, got)
						}
						if dec.Apply(v, d) != v {
							t.Fatalf("%+v of %d with %d: got %d, want it unchanged", dec, v, d, dec.Apply(v, d))
						}
					}
				}
			}
		}
	}
	// By hand: 2^15 of s16.15 toward 3·2^15 with exp_TC 29648 (0.9048): 65536 ×
	// 29648/32768 = 59296, so 98304 − 59296. A product of 0.5 goes up, −0.5 to 0.
	for _, c := range [][4]int64{{32768, 98304, 32768 - 29648, 39008}, {0, 1, 16384, 0}, {1, 0, 16384, 0}, {0, -1, 16384, -1}} {
		if got := fixedpoint.TowardInput(c[0], c[1], c[2], 15, fixedpoint.HalfUp); got != c[3] {
			t.Errorf("%d toward %d with %d: got %d, want %d", c[0], c[1], c[2], got, c[3])
		}
	}
}

func TestCompareEveryPair(t *testing.T) {
	for v := int64(-32); v < 32; v++ {
		for threshold := int64(-32); threshold < 32; threshold++ {
			order := bigInt(v).Cmp(bigInt(threshold))
			if got := fixedpoint.GT.Fires(v, threshold); got != (order > 0) {
				t.Errorf("gt(%d, %d): got %v", v, threshold, got)
			}
			if got := fixedpoint.GE.Fires(v, threshold); got != (order >= 0) {
				t.Errorf("ge(%d, %d): got %v", v, threshold, got)
			}
		}
	}
}

// TestResetEveryPair includes the claim that a reset cannot leave the register.
func TestResetEveryPair(t *testing.T) {
	for v := int64(-32); v < 32; v++ {
		for threshold := int64(-32); threshold < 32; threshold++ {
			if got := fixedpoint.ResetZero.Apply(v, threshold, 9); got != 0 {
				t.Errorf("zero(%d, %d): got %d", v, threshold, got)
			}
			got := fixedpoint.ResetSubtract.Apply(v, threshold, 9)
			if want := new(big.Int).Sub(bigInt(v), bigInt(threshold)).Int64(); got != want {
				t.Errorf("subtract(%d, %d): got %d, want %d", v, threshold, got, want)
			}
			if threshold >= 0 && v >= threshold && (got < 0 || got > v) {
				t.Errorf("subtract(%d, %d): got %d, outside 0..v", v, threshold, got)
			}
		}
	}
}

// TestRegisterLimits: Min, Max and Holds against the definition.
func TestRegisterLimits(t *testing.T) {
	registers(3, 6, func(r fixedpoint.Register) {
		lo, hi := registerLimits(r)
		if r.Min() != lo.Int64() || r.Max() != hi.Int64() {
			t.Errorf("%+v: got %d..%d, want %v..%v", r, r.Min(), r.Max(), lo, hi)
		}
		for x := lo.Int64() - 2; x <= hi.Int64()+2; x++ {
			if _, over := wantNarrow(bigInt(x), r); r.Holds(x, x) == over {
				t.Errorf("%+v: Holds(%d): got %v", r, x, !over)
			}
		}
	})
}

// TestForgettingEveryInput takes every value of 8 bits and every parameter for
// the decays by shift and both leaks, with the claims of Decay.Apply: monotone,
// 0 stays 0, no magnitude grows.
func TestForgettingEveryInput(t *testing.T) {
	reg := fixedpoint.Register{Bits: 8, Signed: true}
	check := func(what string, x, p, got, want int64) {
		t.Helper()
		if got != want {
			t.Fatalf("%s(%d, %d): got %d, want %d", what, x, p, got, want)
		}
	}
	for s := range uint(10) {
		before := [2]int64{-1 << 20, -1 << 20}
		for x := int64(-128); x < 128; x++ {
			got := [2]int64{fixedpoint.DecayShift(x, s), fixedpoint.DecayShiftMinOne(x, s)}
			check("shift", x, int64(s), got[0], wantShift(x, s, false))
			check("shift_min_one", x, int64(s), got[1], wantShift(x, s, true))
			for i, kind := range []fixedpoint.DecayKind{fixedpoint.DecayByShift, fixedpoint.DecayByShiftMinOne} {
				check(kind.String(), x, int64(s), fixedpoint.Decay{Kind: kind, Max: 9}.Apply(x, int64(s)), got[i])
				if got[i] < before[i] || max(got[i], -got[i]) > max(x, -x) || x == 0 && got[i] != 0 {
					t.Fatalf("%s(%d, %d): got %d after %d", kind, x, s, got[i], before[i])
				}
			}
			before = got
		}
	}
	for x := int64(-128); x < 128; x++ {
		if got, over := (fixedpoint.State{Register: reg}).Forget(x, 0, 0); got != x || over {
			t.Fatalf("nothing to forget: got %d, %v of %d", got, over, x)
		}
		for k := int64(-130); k <= 130; k++ {
			leak := fixedpoint.Leak{Kind: fixedpoint.LeakConstant, Min: -130, Max: 130}
			got, over := leak.Apply(x, k, reg)
			want, wantOver := wantNarrow(new(big.Int).Add(bigInt(x), bigInt(k)), reg)
			if check("constant", x, k, got, want); over != wantOver {
				t.Fatalf("constant(%d, %d): overflow %v", x, k, over)
			}
			if k >= 0 {
				check("toward_zero", x, k, fixedpoint.LeakTowardZero(x, k), wantLeak(x, k))
				got, over := fixedpoint.Leak{Kind: fixedpoint.LeakToZero, Max: 130}.Apply(x, k, reg)
				if check("toward_zero", x, k, got, wantLeak(x, k)); over {
					t.Fatalf("toward_zero(%d, %d) overflows", x, k)
				}
			}
		}
	}
	// The decay comes before the leak: 7·(8−4)/8 = 3.5 → 3, and 3 − 5 in −4..3 is −2, wrapped to 3 bits.
	s := fixedpoint.State{Present: true, Register: fixedpoint.Register{Bits: 3, Signed: true, Overflow: fixedpoint.Wrap},
		Decay: fixedpoint.Decay{Kind: fixedpoint.DecayMultiply, FracBits: 3, Max: 8}, Leak: fixedpoint.Leak{Kind: fixedpoint.LeakConstant, Min: -9, Max: 9}}
	if got, over := s.Forget(7, 4, -5); got != -2 || over {
		t.Errorf("decay, then leak: got %d, %v, want -2", got, over)
	}
	if got, over := s.Forget(7, 4, -9); got != 2 || !over { // −6 + 8
		t.Errorf("decay, then leak: got %d, %v, want 2 with overflow", got, over)
	}
}

// TestNegativeEveryPair: the negative test and its resets on every membrane and
// level of 5 bits, and the two resets without arithmetic.
func TestNegativeEveryPair(t *testing.T) {
	for v := int64(-16); v < 16; v++ {
		for level := int64(-16); level < 16; level++ {
			order := bigInt(v).Cmp(bigInt(level))
			if fixedpoint.LT.Holds(v, level) != (order < 0) || fixedpoint.LE.Holds(v, level) != (order <= 0) || fixedpoint.BelowNever.Holds(v, level) {
				t.Errorf("below(%d, %d)", v, level)
			}
			for r, want := range map[fixedpoint.NegReset]int64{
				fixedpoint.NegSaturate: level, fixedpoint.NegValue: -3, fixedpoint.NegNone: v,
				fixedpoint.NegSubtract: new(big.Int).Sub(bigInt(v), bigInt(level)).Int64(),
			} {
				if got := r.Apply(v, level, 3); got != want {
					t.Errorf("%s(%d, %d, 3): got %d, want %d", r, v, level, got, want)
				}
			}
		}
		if fixedpoint.ResetValue.Apply(v, 5, 3) != 3 || fixedpoint.ResetNone.Apply(v, 5, 3) != v {
			t.Errorf("reset to 3 or none of %d", v)
		}
	}
}

// TestBiasAccepts lists the biases of s3 mantissas, −4..3, times 2^1 and 2^2.
func TestBiasAccepts(t *testing.T) {
	b := fixedpoint.Bias{Present: true, Bits: 3, ExpMin: 1, ExpMax: 2}
	want := map[int64]bool{}
	for m := int64(-4); m <= 3; m++ {
		want[2*m], want[4*m] = true, true
	}
	for x := int64(-40); x <= 40; x++ {
		if b.Accepts(x) != want[x] {
			t.Errorf("%d: got %v", x, b.Accepts(x))
		}
		if (fixedpoint.Bias{}).Accepts(x) != (x == 0) {
			t.Errorf("no bias accepts %d", x)
		}
	}
}
