package fixedpoint_test

import (
	"math/big"

	"glsnn/fixedpoint"
)

// The oracles of this package are definitions in math/big. None of them shifts
// or masks: they search for the value that the definition names.

func bigInt(x int64) *big.Int { return big.NewInt(x) }

// pow2 is 2^k.
func pow2(k int) *big.Int { return new(big.Int).Exp(bigInt(2), bigInt(int64(k)), nil) }

// registerLimits are those of a register with its overflow: the lowest value
// of one that saturates symmetrically is never used.
func registerLimits(r fixedpoint.Register) (lo, hi *big.Int) {
	lo, hi = limits(r.Bits, r.Signed)
	if r.Overflow == fixedpoint.SaturateSymmetric {
		lo = new(big.Int).Neg(hi)
	}
	return lo, hi
}

// limits are the least and the largest value of a format.
func limits(bits int, signed bool) (lo, hi *big.Int) {
	if !signed {
		return bigInt(0), new(big.Int).Sub(pow2(bits), bigInt(1))
	}
	return new(big.Int).Neg(pow2(bits - 1)), new(big.Int).Sub(pow2(bits-1), bigInt(1))
}

// wantNarrow is x in a register: x itself if it lies in the range; else the
// nearest end, or the one value of the range that differs from x by a multiple
// of 2^bits.
func wantNarrow(x *big.Int, r fixedpoint.Register) (int64, bool) {
	lo, hi := registerLimits(r)
	if x.Cmp(lo) >= 0 && x.Cmp(hi) <= 0 {
		return x.Int64(), false
	}
	if r.Overflow != fixedpoint.Wrap {
		if x.Cmp(lo) < 0 {
			return lo.Int64(), true
		}
		return hi.Int64(), true
	}
	// the number of periods between x and the range, by division with floor
	n, _ := new(big.Int).DivMod(new(big.Int).Sub(x, lo), pow2(r.Bits), new(big.Int))
	return new(big.Int).Sub(x, n.Mul(n, pow2(r.Bits))).Int64(), true
}

// wantRound is the integer that mode names for the rational x: one of its two
// neighbours, or x itself if it is whole.
func wantRound(x *big.Rat, mode fixedpoint.RoundMode) int64 {
	below := new(big.Int)
	below.DivMod(x.Num(), x.Denom(), new(big.Int)) // Euclidean: floor for a positive denominator
	if x.IsInt() {
		return below.Int64()
	}
	above := new(big.Int).Add(below, bigInt(1))
	toBelow := new(big.Rat).Sub(x, new(big.Rat).SetInt(below))
	toAbove := new(big.Rat).Sub(new(big.Rat).SetInt(above), x)
	nearer := toBelow.Cmp(toAbove) // −1: below is nearer, 0: a half
	var up bool
	switch mode {
	case fixedpoint.TowardZero:
		up = x.Sign() < 0
	case fixedpoint.Floor:
		up = false
	case fixedpoint.NearestEven:
		up = nearer > 0 || nearer == 0 && new(big.Int).Rem(below, bigInt(2)).Sign() != 0
	case fixedpoint.HalfUp:
		up = nearer >= 0
	case fixedpoint.HalfAway:
		up = nearer > 0 || nearer == 0 && x.Sign() > 0
	}
	if up {
		return above.Int64()
	}
	return below.Int64()
}

// wantDecay is x·(1 − d/2^k) rounded.
func wantDecay(x, d int64, k uint, mode fixedpoint.RoundMode) int64 {
	keep := new(big.Rat).Sub(big.NewRat(1, 1), new(big.Rat).SetFrac(bigInt(d), pow2(int(k))))
	return wantRound(keep.Mul(keep, new(big.Rat).SetInt64(x)), mode)
}

// wantToward is t − (t − v)·(1 − d/2^k), the product rounded.
func wantToward(v, t, d int64, k uint, mode fixedpoint.RoundMode) int64 {
	return new(big.Int).Sub(bigInt(t), bigInt(wantDecay(t-v, d, k, mode))).Int64()
}

// wantShift is x − floor(x/2^s), at least 1 nearer to 0 where minOne and x is
// not 0.
func wantShift(x int64, s uint, minOne bool) int64 {
	d := wantRound(new(big.Rat).SetFrac(bigInt(x), pow2(int(s))), fixedpoint.Floor)
	if minOne && d == 0 {
		d = int64(bigInt(x).Sign())
	}
	return new(big.Int).Sub(bigInt(x), bigInt(d)).Int64()
}

// wantLeak is the value among x−k..x+k, that is all of distance at most k from
// x, which is nearest to 0.
func wantLeak(x, k int64) int64 {
	best := bigInt(x)
	for y := x - k; y <= x+k; y++ {
		if bigInt(y).CmpAbs(best) < 0 {
			best = bigInt(y)
		}
	}
	return best.Int64()
}
