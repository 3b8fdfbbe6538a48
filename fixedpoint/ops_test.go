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
			if got := fixedpoint.ResetZero.Apply(v, threshold); got != 0 {
				t.Errorf("zero(%d, %d): got %d", v, threshold, got)
			}
			got := fixedpoint.ResetSubtract.Apply(v, threshold)
			if want := new(big.Int).Sub(bigInt(v), bigInt(threshold)).Int64(); got != want {
				t.Errorf("subtract(%d, %d): got %d, want %d", v, threshold, got, want)
			}
			if threshold >= 0 && v >= threshold && (got < 0 || got > v) {
				t.Errorf("subtract(%d, %d): got %d, outside 0..v", v, threshold, got)
			}
		}
	}
}
