// Package tier chooses the instruction set of the kernels in float/simd and
// emulator/simd: portable Go, AVX2, or AVX-512 (F, VL, BW, DQ). The widest that
// the processor has is used; the environment variable GLSNN_SIMD = portable,
// avx2 or avx512 asks for a lower one. Results never depend on it.
package tier

import (
	"fmt"
	"os"
	"slices"
)

// Tier is an instruction set; a higher one includes the lower.
type Tier int

const (
	Portable Tier = iota
	AVX2
	AVX512
)

var names = [...]string{"portable", "avx2", "avx512"}

func (t Tier) String() string { return names[t] }

var (
	best   = detect()
	active = chosen(os.Getenv("GLSNN_SIMD"))
)

func chosen(name string) Tier {
	for t := Portable; t < best; t++ {
		if name == t.String() {
			return t
		}
	}
	return best
}

// Env is the name that GLSNN_SIMD asks for, and whether it is that of an
// instruction set; one that the processor lacks gives the best that it has.
func Env() (name string, ok bool) {
	name = os.Getenv("GLSNN_SIMD")
	return name, name == "" || slices.Contains(names[:], name)
}

// All lists what this processor can run, ascending.
func All() (all []Tier) {
	for t := Portable; t <= best; t++ {
		all = append(all, t)
	}
	return all
}

// Active is the tier in use.
func Active() Tier { return active }

// Use chooses a tier and returns the one before, for tests: no kernel may run
// at the same time. It panics if the processor lacks it.
func Use(t Tier) Tier {
	if t < Portable || t > best {
		panic(fmt.Sprintf("tier: %d: got a tier that this processor lacks, want 0..%d", t, best))
	}
	old := active
	active = t
	return old
}
