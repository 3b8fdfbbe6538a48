package fixedpoint

import (
	"math/rand/v2"
	"testing"
)

// period steps from 1 until 1 comes back.
func period(l LFSR) int {
	s, n := uint32(1), 0
	for {
		s, _ = l.Step(s)
		if n++; s == 1 || n > 1<<l.Bits {
			return n
		}
	}
}

func TestLFSRPeriod(t *testing.T) {
	for _, l := range []LFSR{
		{3, []int{3, 2}}, {4, []int{4, 3}}, {5, []int{5, 3}}, {6, []int{6, 5}}, {7, []int{7, 6}}, {8, []int{8, 6, 5, 4}},
		{10, []int{10, 7}}, {12, []int{12, 6, 4, 1}}, LFSR16(),
	} {
		if got, want := period(l), 1<<l.Bits-1; got != want {
			t.Errorf("%v: period %d, want %d", l, got, want)
		}
	}
	if got := period(LFSR{4, []int{4, 2}}); got == 15 {
		t.Error("a polynomial that is not primitive has the full period")
	}
}

// matrix over GF(2): column c is the image of bit c.
type bitMatrix [32]uint32

func (m *bitMatrix) times(s uint32) (x uint32) {
	for c := range m {
		if s>>c&1 != 0 {
			x ^= m[c]
		}
	}
	return x
}

// 2^31 − 1 is prime, so a step that is not the identity and whose power 2^31 − 1
// is has that period from every state but 0.
func TestLFSR31Period(t *testing.T) {
	l := LFSR31()
	var step, power bitMatrix
	for c := range l.Bits {
		step[c], _ = l.Step(1 << c)
		power[c] = 1 << c
	}
	square := step
	for range l.Bits { // 2^31 − 1 is 31 ones
		for c := range l.Bits {
			power[c] = square.times(power[c])
		}
		old := square
		for c := range l.Bits {
			square[c] = old.times(old[c])
		}
	}
	for c := range l.Bits {
		if power[c] != 1<<c {
			t.Fatalf("bit %d goes to %#x after 2^31 - 1 steps, want itself", c, power[c])
		}
	}
	if step[0] == 1 {
		t.Fatal("a step is the identity")
	}
}

// Every state of the small registers and every width: Random is LFSR.Draw, which
// is k steps. Draws do not overlap.
func TestRandomDraw(t *testing.T) {
	for _, l := range []LFSR{{3, []int{3, 2}}, {5, []int{5, 3}}, {8, []int{8, 6, 5, 4}}, {12, []int{12, 6, 4, 1}}} {
		for s := uint32(1); s < 1<<l.Bits; s++ {
			for k := range uint(32) {
				r := NewRandom(l, s)
				next, want := l.Draw(s, k)
				if got := r.Draw(k); got != want || r.State() != next {
					t.Fatalf("%v: draw of %d from %d: got %d and state %d, want %d and %d", l, k, s, got, r.State(), want, next)
				}
			}
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for _, l := range []LFSR{LFSR31(), LFSR16(), {32, []int{32, 22, 2, 1}}} {
		r := NewRandom(l, l.Seed(7))
		s := r.State()
		for range 20000 {
			k := uint(rng.IntN(32))
			var want uint32
			s, want = l.Draw(s, k)
			if got := r.Draw(k); got != want || r.State() != s {
				t.Fatalf("%v: draw of %d: got %d, want %d", l, k, got, want)
			}
		}
	}
}

func TestLFSRValidate(t *testing.T) {
	for _, l := range []LFSR{{}, {2, []int{2, 1}}, {33, []int{33, 1}}, {8, []int{8}}, {8, []int{7, 6}}, {8, []int{8, 8}}, {8, []int{8, 0}}, {8, []int{8, 4, 5}}} {
		if l.Validate() == nil {
			t.Errorf("%v is accepted", l)
		}
	}
	for seed := range uint64(1000) {
		if s := (LFSR{3, []int{3, 2}}).Seed(seed); s == 0 || s > 7 {
			t.Fatalf("seed %d gives state %d", seed, s)
		}
	}
}

// Every x of 8 bits, every k of 0..6, every draw: exact where nothing is cut,
// monotone, antisymmetric in the mean, and over all draws of mean x / 2^k.
func TestRoundStochastic(t *testing.T) {
	for k := range uint(7) {
		n := int64(1) << k
		for x := int64(-128); x < 128; x++ {
			sum, mirrored := int64(0), int64(0)
			for d := range n {
				got := RoundStochastic(x, k, uint32(d))
				if lo := ShiftRound(x, k, Floor); got != lo && (got != lo+1 || x&(n-1) == 0) {
					t.Fatalf("%d / 2^%d with %d: got %d", x, k, d, got)
				}
				if next := RoundStochastic(x+1, k, uint32(d)); next < got {
					t.Fatalf("%d / 2^%d with %d: falls from %d to %d", x, k, d, got, next)
				}
				if d > 0 && got < RoundStochastic(x, k, uint32(d-1)) {
					t.Fatalf("%d / 2^%d: falls at draw %d", x, k, d)
				}
				sum += got
				mirrored += RoundStochastic(-x, k, uint32(d))
			}
			if sum != x || mirrored != -x {
				t.Fatalf("%d / 2^%d: the draws sum to %d, those of %d to %d", x, k, sum, -x, mirrored)
			}
		}
	}
}

// The draws of a whole period: each number of k bits comes 2^(Bits−k) times, 0
// once less (as overlapping windows; k divides no period of these).
func TestLFSRUniform(t *testing.T) {
	l := LFSR16()
	const k = 8
	var seen [1 << k]int
	r := NewRandom(l, 1)
	for range 1<<l.Bits - 1 { // gcd(8, 65535) = 1: every window of 8 bits comes once
		seen[r.Draw(k)]++
	}
	for x, n := range seen {
		want := 1 << (l.Bits - k)
		if x == 0 {
			want--
		}
		if n != want {
			t.Fatalf("%d was drawn %d times, want %d", x, n, want)
		}
	}
}

func BenchmarkRandomDraw(b *testing.B) {
	r := NewRandom(LFSR31(), 1)
	for b.Loop() {
		r.Draw(12)
	}
}
