package fixedpoint

// The only integer primitives. Each is total on its documented domain, free of
// floating point, and tested on every input of the small formats against
// math/big.

// Narrow returns x as register r would store it, and whether x did not fit.
// |x| < 2^62.
//
//	saturate, saturate_symmetric: min(max(x, Min), Max)
//	wrap:                         x mod 2^Bits, read back as signed if r.Signed
func Narrow(x int64, r Register) (int64, bool) {
	lo, hi := r.Min(), r.Max()
	if x >= lo && x <= hi {
		return x, false
	}
	if r.Overflow != Wrap {
		if x < lo {
			return lo, true
		}
		return hi, true
	}
	x &= int64(1)<<r.Bits - 1
	if r.Signed && x > hi {
		x -= int64(1) << r.Bits
	}
	return x, true
}

// Add returns a+b narrowed to r, and whether the sum did not fit. |a|, |b| <
// 2^61. Every add of a synapse into a sum, of a sum into a current and of a
// current into a membrane is one call.
func Add(a, b int64, r Register) (int64, bool) { return Narrow(a+b, r) }

// ShiftRound returns x / 2^k rounded by mode; k is 0..62.
func ShiftRound(x int64, k uint, mode RoundMode) int64 {
	if k == 0 {
		return x
	}
	q := x >> k           // floor
	rem := x & (1<<k - 1) // 0 .. 2^k−1, x = q·2^k + rem
	half := int64(1) << (k - 1)
	switch mode {
	case TowardZero:
		if x < 0 && rem != 0 {
			q++
		}
	case Floor:
	case NearestEven:
		if rem > half || rem == half && q&1 == 1 {
			q++
		}
	case HalfAway:
		if rem > half || rem == half && x >= 0 {
			q++
		}
	case HalfUp:
		if rem >= half {
			q++
		}
	default:
		panic("fixedpoint: ShiftRound: " + mode.String())
	}
	return q
}

// DecayMul returns x after one tick of a multiplying decay: x·(2^k − d) / 2^k
// rounded by mode, with d in 0..2^k and k in 1..16. |result| ≤ |x| in every
// mode, so the result fits whatever register x was in. d = 0 keeps x, d = 2^k
// gives 0. With TowardZero and d > 0 repeated calls reach 0; Floor sticks at
// the first x < 0 with |x|·d < 2^k, the nearest modes where |x|·d is at most 2^k/2.
//
// With TowardZero and k = 12 this is Loihi's decay of both states
// [davies2018]: magnitude times (4096 − d), low twelve bits dropped.
func DecayMul(x, d int64, k uint, mode RoundMode) int64 {
	if d == 0 {
		return x
	}
	return ShiftRound(x*(int64(1)<<k-d), k, mode)
}

// TowardInput returns v after one tick that moves it toward its input t:
//
//	t − (t − v)·(2^k − d)/2^k, the product rounded by mode
//
// with d in 0..2^k and k in 1..16: d = 0 keeps v, d = 2^k gives t. |t|, |v| <
// 2^40. The result lies between v and t, both included, so that a register which
// holds both holds it. It grows with v and with t.
//
// With HalfUp and k = 15 this is the closed form of sPyNNaker's LIF, whose
// exp_TC is 2^15 − d.
func TowardInput(v, t, d int64, k uint, mode RoundMode) int64 {
	return t - ShiftRound((t-v)*(int64(1)<<k-d), k, mode)
}

// DecayShift returns x − floor(x / 2^s), s in 0..31: the decay of designs that
// subtract an arithmetic shift. s = 0 gives 0; a positive x below 2^s stays where
// it is for ever, a negative one reaches 0. |result| ≤ |x|, signs never cross.
func DecayShift(x int64, s uint) int64 { return x - x>>s }

// DecayShiftMinOne is DecayShift that always moves: where x / 2^s floors to 0
// and x is not 0, it subtracts 1 instead (Xylo's bit-shift decay). Only a
// positive x can need that: an arithmetic shift of a negative one is at most −1.
func DecayShiftMinOne(x int64, s uint) int64 {
	d := x >> s
	if d == 0 && x != 0 {
		d = 1
	}
	return x - d
}

// LeakTowardZero returns x moved by k ≥ 0 toward 0, where it stops:
//
//	x ≥ 0: max(0, x − k)
//	x < 0: min(0, x + k)
func LeakTowardZero(x, k int64) int64 {
	if x >= 0 {
		return max(0, x-k)
	}
	return min(0, x+k)
}
