package fixedpoint

import (
	"fmt"
	"math/bits"
	"slices"
)

// LFSR is a linear feedback shift register: a chip's source of random bits. Its
// kind is Bits and Taps, its state a number of Bits bits that is not 0. One step
// shifts it left and brings in the sum, modulo 2, of the tapped bits, bit 1 being
// the lowest:
//
//	new = s[t1] + s[t2] + …;  s = (s << 1 | new) mod 2^Bits
//
// A draw of k bits is k steps; the number drawn is the k new bits, the first of
// them the highest. So two draws share no bit, and k draws of one bit are one draw
// of k. The taps must be those of a primitive polynomial for the period to be
// 2^Bits − 1; LFSR31 and LFSR16 are, and the tests prove it.
type LFSR struct {
	Bits int   `json:"bits"` // 3..32
	Taps []int `json:"taps"` // descending, the first is Bits, the last at least 1
}

// LFSR31 is x^31 + x^28 + 1 (the PRBS31 of ITU-T O.150): draws of up to 28 bits
// are one XOR of two shifts. Its period is the prime 2^31 − 1.
func LFSR31() LFSR { return LFSR{Bits: 31, Taps: []int{31, 28}} }

// LFSR16 is x^16 + x^14 + x^13 + x^11 + 1, small enough for one a core.
func LFSR16() LFSR { return LFSR{Bits: 16, Taps: []int{16, 14, 13, 11}} }

// Validate checks the ranges of the fields.
func (l LFSR) Validate() error {
	if l.Bits < 3 || l.Bits > 32 {
		return fmt.Errorf("bits: got %d, want 3..32", l.Bits)
	}
	if n := len(l.Taps); n < 2 || l.Taps[0] != l.Bits || l.Taps[n-1] < 1 {
		return fmt.Errorf("taps: got %v, want two or more from %d down, the first %d", l.Taps, l.Bits, l.Bits)
	}
	for i := range l.Taps[1:] {
		if l.Taps[i+1] >= l.Taps[i] {
			return fmt.Errorf("taps: got %v, want them descending", l.Taps)
		}
	}
	return nil
}

// Equal says whether l and o are the same kind.
func (l LFSR) Equal(o LFSR) bool { return l.Bits == o.Bits && slices.Equal(l.Taps, o.Taps) }

// Step returns the state after one step from s, and the new bit.
func (l LFSR) Step(s uint32) (next, bit uint32) {
	for _, t := range l.Taps {
		bit ^= s >> (t - 1) & 1
	}
	mask := uint32(uint64(1)<<l.Bits - 1)
	return (s<<1 | bit) & mask, bit
}

// Draw returns the state after a draw of k bits from s, k in 0..31, and the
// number drawn, 0..2^k − 1. It is k calls of Step.
func (l LFSR) Draw(s uint32, k uint) (next, x uint32) {
	for range k {
		var bit uint32
		s, bit = l.Step(s)
		x = x<<1 | bit
	}
	return s, x
}

// Random is a running LFSR. Its draws are those of LFSR.Draw, many bits at a
// time: as long as no new bit reaches a tap, the k new bits of a block are the
// sum of the tapped bits' k-bit fields.
type Random struct {
	kind  LFSR
	state uint32
	mask  uint32
	block uint // bits drawn at once: the lowest tap
	two   bool // of two taps, which is worth a branch
	a, b  uint // the two
}

// NewRandom returns a source of the given kind and state. It panics on a kind
// that is not valid and on a state that is 0 or has more than kind.Bits bits.
func NewRandom(kind LFSR, state uint32) *Random {
	if err := kind.Validate(); err != nil {
		panic("fixedpoint: NewRandom: " + err.Error())
	}
	r := &Random{kind: kind, mask: uint32(uint64(1)<<kind.Bits - 1), block: uint(kind.Taps[len(kind.Taps)-1])}
	if r.two = len(kind.Taps) == 2; r.two {
		r.a, r.b = uint(kind.Taps[0]), uint(kind.Taps[1])
	}
	r.SetState(state)
	return r
}

// State is the register's content, never 0.
func (r *Random) State() uint32 { return r.state }

// SetState writes the register. It panics on 0, from which no step leads away, and on
// a number of too many bits.
func (r *Random) SetState(s uint32) {
	if s == 0 || bits.Len32(s) > r.kind.Bits {
		panic(fmt.Sprintf("fixedpoint: Random: got state %d, want 1..%d", s, r.mask))
	}
	r.state = s
}

// Draw is LFSR.Draw.
func (r *Random) Draw(k uint) uint32 {
	if r.two && k <= r.block {
		s := r.state
		x := (s>>(r.a-k) ^ s>>(r.b-k)) & (1<<k - 1)
		r.state = (s<<k | x) & r.mask
		return x
	}
	return r.draw(k)
}

func (r *Random) draw(k uint) (x uint32) {
	for k > 0 {
		n := min(k, r.block)
		var y uint32
		for _, t := range r.kind.Taps {
			y ^= r.state >> (uint(t) - n)
		}
		y &= 1<<n - 1
		r.state = uint32(uint64(r.state)<<n|uint64(y)) & r.mask
		x = x<<n | y
		k -= n
	}
	return x
}

// Seed is the state that a register of kind l starts in for a seed: the low
// bits of a hash of it, or 1 where they are 0.
func (l LFSR) Seed(seed uint64) uint32 {
	seed += 0x9e3779b97f4a7c15 // splitmix64 (Steele, Lea, Flood, OOPSLA 2014)
	seed = (seed ^ seed>>30) * 0xbf58476d1ce4e5b9
	seed = (seed ^ seed>>27) * 0x94d049bb133111eb
	seed ^= seed >> 31
	if s := uint32(seed & (uint64(1)<<l.Bits - 1)); s != 0 {
		return s
	}
	return 1
}

// RoundStochastic returns x / 2^k rounded down or up, up with a probability
// that is the fraction cut off: draw is a number of 0..2^k − 1, each as likely,
// and k is 0..31.
//
//	floor((x + draw) / 2^k)
//
// It is exact where 2^k divides x, grows with x and with draw, and over all
// draws its sum is x.
func RoundStochastic(x int64, k uint, draw uint32) int64 { return (x + int64(draw)) >> k }
