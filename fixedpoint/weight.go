package fixedpoint

import (
	"fmt"
	"math"
	"strings"
)

// Weight is what a stored weight may be: a mantissa of at most Bits bits
// (signed: two's complement) times 2^exp, exp shared by a layer. Kind may bend
// the range of mantissas.
type Weight struct {
	Kind   WeightKind `json:"kind"`
	Bits   int        `json:"bits"`
	Signed bool       `json:"signed"`
	ExpMin int        `json:"exp_min"`
	ExpMax int        `json:"exp_max"`

	Types     int `json:"types" file:"kind=types"`      // axon types, entries of a neuron's table
	TableBits int `json:"table_bits" file:"kind=types"` // width of an entry, sign included
}

// WeightKind names a way to store weights. The emulator adds plain integers in
// every kind; what differs is which integers a layer may hold, and what a core
// stores for them.
type WeightKind uint8

const (
	// WeightInteger: each weight is an integer of Bits bits.
	WeightInteger WeightKind = iota
	// WeightSignByAxon: each weight is a magnitude of Bits bits and the sign is
	// the in-axon's, so the weights of one axon are all ≥ 0 or all ≤ 0 (ODIN).
	// Signed is false.
	WeightSignByAxon
	// WeightTypes: a crosspoint is one bit, an in-axon has one of Types types
	// and each neuron holds an entry of TableBits for each type (RANC,
	// TrueNorth). An integer of B bits takes B in-axons of types 0..B−1, the
	// entries 1, 2, 4 … −2^(B−1) and the integer's bits as crosspoints, so Bits
	// is at most Types and TableBits. The B adds make one add of the integer
	// only in a register that wraps.
	WeightTypes
	// WeightMixedSignLSB: a layer that mixes signs spends a mantissa bit on the
	// sign (Loihi). Where all weights of a layer have one sign the bit is theirs:
	// a layer may have WeightBits = Bits + 1, which means one sign, magnitudes up
	// to 2^Bits − 1, and an exponent of at most ExpMax − 1. In the chip's words,
	// mantissas are even in −2^Bits..2^Bits − 2, or 0..2^Bits − 1, or minus that, in
	// units of half of ours for mixed layers.
	WeightMixedSignLSB
)

var weightNames = []string{"integer", "sign_by_axon", "types", "mixed_sign_lsb"}

func (k WeightKind) String() string                { return enumString(k, weightNames) }
func (k WeightKind) MarshalText() ([]byte, error)  { return enumText(k, weightNames) }
func (k *WeightKind) UnmarshalText(b []byte) error { return enumParse(k, b, weightNames) }

// Range is the mantissas of a layer with weights of bits bits, over all axons.
func (w Weight) Range(bits int) (lo, hi int64) {
	switch {
	case w.Kind == WeightSignByAxon:
		return -(int64(1)<<bits - 1), int64(1)<<bits - 1
	case w.Kind == WeightMixedSignLSB && bits == w.Bits+1:
		return -(int64(1)<<w.Bits - 1), int64(1)<<w.Bits - 1
	}
	f := Format{Bits: bits, Signed: w.Signed}
	return f.Min(), f.Max()
}

// leastBits and mostBits are the widths that a layer may have.
func (w Weight) leastBits() int {
	if w.Signed {
		return 2
	}
	return 1
}

func (w Weight) mostBits() int {
	if w.Kind == WeightMixedSignLSB {
		return w.Bits + 1
	}
	return w.Bits
}

// AxonsPerInput is the number of in-axons that one input takes with weights of
// bits bits: one, or one for each bit where a crosspoint is one bit.
func (w Weight) AxonsPerInput(bits int) int {
	if w.Kind == WeightTypes {
		return bits
	}
	return 1
}

func (w Weight) validate(bad func(field, format string, args ...any)) {
	if int(w.Kind) >= len(weightNames) {
		bad("weight.kind", "got %d, want one of %s", w.Kind, strings.Join(weightNames, ", "))
		return
	}
	least, most := w.leastBits(), 16
	if w.Kind == WeightSignByAxon || w.Kind == WeightMixedSignLSB {
		most = 15 // magnitudes of 2^15 − 1 are the largest that a Matrix holds with both signs
	}
	if w.Bits < least || w.Bits > most {
		bad("weight.bits", "got %d, want %d..%d", w.Bits, least, most)
	}
	if w.ExpMin < 0 || w.ExpMin > 20 {
		bad("weight.exp_min", "got %d, want 0..20", w.ExpMin)
	}
	if w.ExpMax < w.ExpMin || w.ExpMax > 20 {
		bad("weight.exp_max", "got %d, want %d..20", w.ExpMax, w.ExpMin)
	}
	switch want := w.Kind != WeightSignByAxon; {
	case w.Kind == WeightInteger:
	case w.Signed != want:
		bad("weight.signed", "got %v with kind %s, want %v", w.Signed, w.Kind, want)
	}
	if w.Kind != WeightTypes {
		if w.Types != 0 || w.TableBits != 0 {
			bad("weight.types", "got a table with kind %s, want none", w.Kind)
		}
		return
	}
	if w.Types < w.Bits || w.Types > 64 {
		bad("weight.types", "got %d, want %d..64: a type for each of weight.bits", w.Types, w.Bits)
	}
	if w.TableBits < w.Bits || w.TableBits > 32 {
		bad("weight.table_bits", "got %d, want %d..32: an entry holds the largest of weight.bits", w.TableBits, w.Bits)
	}
}

// check is invariant 3 of Model for the weights of l, whose shape is right.
func (w Weight) check(l Layer, bad func(field, format string, args ...any)) {
	if least, most := w.leastBits(), w.mostBits(); l.WeightBits < least || l.WeightBits > most {
		bad("weight_bits", "got %d, want %d..%d", l.WeightBits, least, most)
		return
	}
	lo, hi := w.Range(l.WeightBits)
	wide := l.WeightBits > w.Bits // one sign in the whole layer
	if _, ok := l.Weights.Int8(); ok && !wide && w.Kind != WeightSignByAxon && l.Weights.within(lo, hi) {
		return
	}
	sign := int64(0)
	for k := range l.In {
		if !wide {
			sign = 0
		}
		for j := range l.Out {
			x, from, to := l.Weights.At(k, j), lo, hi
			if wide || w.Kind == WeightSignByAxon {
				switch {
				case sign > 0:
					from = 0
				case sign < 0:
					to = 0
				case x != 0:
					sign = x
				}
			}
			if x < from || x > to {
				bad(fmt.Sprintf("weights[%d][%d]", k, j), "got %d, want %d..%d", x, from, to)
				return
			}
		}
	}
}

// within says whether all values of m, of int8, lie in lo..hi.
func (m Matrix) within(lo, hi int64) bool {
	if lo <= math.MinInt8 && hi >= math.MaxInt8 {
		return true
	}
	ok := true
	m.EachRow(func(_ int, row []int8) {
		least, most := int8(0), int8(0)
		for _, x := range row {
			least, most = min(least, x), max(most, x)
		}
		ok = ok && (int64(least) >= lo || least == 0) && (int64(most) <= hi || most == 0)
	})
	return ok
}

// checkExp is the same for the shared exponent.
func (w Weight) checkExp(l Layer, bad func(field, format string, args ...any)) {
	most := w.ExpMax
	if l.WeightBits > w.Bits {
		most--
	}
	if l.WeightExp < w.ExpMin || l.WeightExp > most {
		bad("weight_exp", "got %d, want %d..%d", l.WeightExp, w.ExpMin, most)
	}
}
