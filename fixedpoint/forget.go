package fixedpoint

import "strings"

// State is a register that forgets: it decays, then leaks, at one Place of the
// tick. Present is false for a chip that has no such state; the other fields
// are then zero.
type State struct {
	Present  bool     `json:"present"`
	Register Register `json:"register"`
	Decay    Decay    `json:"decay"`
	Leak     Leak     `json:"leak"`
	Place    Place    `json:"place"`
}

// Forget returns x, a value of s.Register, after one tick of s's decay and then
// its leak, and whether the register could not hold what a constant leak made.
func (s State) Forget(x, decay, leak int64) (int64, bool) {
	return s.Leak.Apply(s.Decay.Apply(x, decay), leak, s.Register)
}

// keeps says whether Forget changes nothing with these parameters.
func (s State) keeps(decay, leak int64) bool {
	return (s.Leak.Kind == LeakNone || leak == 0) &&
		(s.Decay.Kind == DecayNone || s.Decay.Kind == DecayMultiply && decay == 0)
}

func (s State) validate(field string, bad func(field, format string, args ...any)) {
	s.Decay.validate(field+".decay", bad)
	s.Leak.validate(field+".leak", bad)
	if int(s.Place) >= len(placeNames) {
		bad(field+".place", "got %d, want one of %s", s.Place, strings.Join(placeNames, ", "))
	}
}

// Place is where in a tick a state forgets.
type Place uint8

const (
	BeforeIntegrate Place = iota // the old value, before this tick's input (Loihi)
	AfterIntegrate               // the new value, before the test (tinyODIN, RANC; Xylo's currents)
	AfterTest                    // the new value, after the test, before the reset (ReckOn); membranes only
)

var placeNames = []string{"before_integrate", "after_integrate", "after_test"}

func (p Place) String() string                { return enumString(p, placeNames) }
func (p Place) MarshalText() ([]byte, error)  { return enumText(p, placeNames) }
func (p *Place) UnmarshalText(b []byte) error { return enumParse(p, b, placeNames) }

// Decay is how a state forgets in proportion, with a layer's parameter d in
// Min..Max:
//
//	none            x; d is 0
//	multiply        DecayMul: x·(2^FracBits − d)/2^FracBits rounded by Round
//	shift           DecayShift: x − floor(x/2^d)
//	shift_min_one   DecayShiftMinOne: the same, but at least 1 where x is not 0
//	toward_input    TowardInput, with FracBits and Round; it takes in the input too
type Decay struct {
	Kind     DecayKind `json:"kind"`
	FracBits int       `json:"frac_bits" file:"kind=multiply|toward_input"`
	Round    RoundMode `json:"round" file:"kind=multiply|toward_input"`
	Min      int64     `json:"min" file:"kind=multiply|shift|shift_min_one|toward_input"`
	Max      int64     `json:"max" file:"kind=multiply|shift|shift_min_one|toward_input"`
}

// DecayKind names a way to forget in proportion.
type DecayKind uint8

const (
	DecayNone          DecayKind = iota // the state keeps its value
	DecayMultiply                       // DecayMul
	DecayByShift                        // DecayShift
	DecayByShiftMinOne                  // DecayShiftMinOne
	DecayTowardInput                    // TowardInput: decay and input are one step; membranes only
)

var decayNames = []string{"none", "multiply", "shift", "shift_min_one", "toward_input"}

func (d DecayKind) String() string                { return enumString(d, decayNames) }
func (d DecayKind) MarshalText() ([]byte, error)  { return enumText(d, decayNames) }
func (d *DecayKind) UnmarshalText(b []byte) error { return enumParse(d, b, decayNames) }

// Apply returns x after one tick with a layer's parameter d. It is monotone in
// x, keeps 0 and never grows |x|. Where the decay is toward the input it is x:
// TowardInput does it all.
func (d Decay) Apply(x, param int64) int64 {
	switch d.Kind {
	case DecayMultiply:
		return DecayMul(x, param, uint(d.FracBits), d.Round)
	case DecayByShift:
		return DecayShift(x, uint(param))
	case DecayByShiftMinOne:
		return DecayShiftMinOne(x, uint(param))
	}
	return x
}

// Accepts says whether param is a parameter of d.
func (d Decay) Accepts(param int64) bool {
	if d.Kind == DecayNone {
		return param == 0
	}
	return param >= d.Min && param <= d.Max
}

func (d Decay) validate(field string, bad func(field, format string, args ...any)) {
	between := func(full int64) {
		if d.Min < 0 || d.Min > full {
			bad(field+".min", "got %d, want 0..%d", d.Min, full)
		}
		if d.Max < d.Min || d.Max > full {
			bad(field+".max", "got %d, want %d..%d", d.Max, d.Min, full)
		}
	}
	switch d.Kind {
	case DecayNone:
		if d != (Decay{}) {
			bad(field, "got parameters with kind none, want zeros")
		}
	case DecayMultiply, DecayTowardInput:
		if d.FracBits < 1 || d.FracBits > 16 {
			bad(field+".frac_bits", "got %d, want 1..16", d.FracBits)
			return
		}
		between(int64(1) << d.FracBits)
		if int(d.Round) >= len(roundNames) {
			bad(field+".round", "got %d, want one of %s", d.Round, strings.Join(roundNames, ", "))
		}
	case DecayByShift, DecayByShiftMinOne:
		if d.FracBits != 0 || d.Round != 0 {
			bad(field, "got fraction bits or a rounding with kind %s, want neither", d.Kind)
		}
		between(31)
	default:
		bad(field+".kind", "got %d, want one of %s", d.Kind, strings.Join(decayNames, ", "))
	}
}

// Leak is how a state forgets by a constant, a layer's parameter k in Min..Max:
//
//	none          x; k is 0
//	toward_zero   LeakTowardZero: |x| loses k ≥ 0 and stops at 0
//	constant      x + k narrowed by the state's register; k has a sign
type Leak struct {
	Kind LeakKind `json:"kind"`
	Min  int64    `json:"min" file:"kind=toward_zero|constant"`
	Max  int64    `json:"max" file:"kind=toward_zero|constant"`
}

// LeakKind names a way to forget by a constant.
type LeakKind uint8

const (
	LeakNone LeakKind = iota
	LeakToZero
	LeakConstant
)

var leakNames = []string{"none", "toward_zero", "constant"}

func (k LeakKind) String() string                { return enumString(k, leakNames) }
func (k LeakKind) MarshalText() ([]byte, error)  { return enumText(k, leakNames) }
func (k *LeakKind) UnmarshalText(b []byte) error { return enumParse(k, b, leakNames) }

// Apply returns x, a value of r, after one tick with a layer's parameter k, and
// whether r could not hold the sum.
func (l Leak) Apply(x, k int64, r Register) (int64, bool) {
	switch l.Kind {
	case LeakToZero:
		return LeakTowardZero(x, k), false
	case LeakConstant:
		return Add(x, k, r)
	}
	return x, false
}

// Accepts says whether param is a parameter of l.
func (l Leak) Accepts(param int64) bool {
	if l.Kind == LeakNone {
		return param == 0
	}
	return param >= l.Min && param <= l.Max
}

func (l Leak) validate(field string, bad func(field, format string, args ...any)) {
	lo, hi := int64(0), int64(1)<<31-1
	switch l.Kind {
	case LeakNone:
		if l != (Leak{}) {
			bad(field, "got parameters with kind none, want zeros")
		}
		return
	case LeakToZero:
	case LeakConstant:
		lo = -(int64(1) << 31)
	default:
		bad(field+".kind", "got %d, want one of %s", l.Kind, strings.Join(leakNames, ", "))
		return
	}
	if l.Min < lo || l.Min > hi {
		bad(field+".min", "got %d, want %d..%d", l.Min, lo, hi)
	}
	if l.Max < l.Min || l.Max > hi {
		bad(field+".max", "got %d, want %d..%d", l.Max, l.Min, hi)
	}
}
