// Package fptest makes small random inputs for tests of everything that runs
// on fixedpoint: valid Arithmetics of every kind, models in them that do
// something, and spike trains. The same generator state gives the same value.
//
// Widths are small on purpose: in a register of 3 to 6 bits overflow, a stuck
// decay and a threshold out of reach happen within a few ticks.
package fptest

import (
	"math/rand/v2"
	"testing"
)

// Rand is a generator for one test; a failing test prints its seed.
func Rand(t testing.TB, seed uint64) *rand.Rand {
	t.Helper()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	})
	return rand.New(rand.NewPCG(seed, 0x676c736e6e))
}
