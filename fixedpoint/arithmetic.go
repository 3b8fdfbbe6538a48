package fixedpoint

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Arithmetic is a chip's whole numeric contract: for each state variable and
// each operation how many bits, rounded how, overflowing how, in which order.
// The YAML loader fills it, the quantiser reads it, both engines run on it and
// the exporter packs by it. There is no second description.
//
// One tick of one neuron, in the numbering of emulator/doc.go:
//
//	3  q = 0; for each arriving spike, ascending axon:  q = Sum(q + (w << WeightExp))
//	4  u = Current(Current.Decay(u) + q)                     (u = q where Current.Present is false)
//	5  v = Membrane(Membrane.Decay(v) + u)
//	6  spike = v > Threshold or v >= Threshold               (Fire.When)
//	7  on a spike: v = 0, or v = v − Threshold               (Layer.Reset)
type Arithmetic struct {
	Weight    Weight   `json:"weight"`
	Sum       Register `json:"sum"`
	Current   State    `json:"current"`
	Membrane  State    `json:"membrane"`
	Threshold Format   `json:"threshold"`
	Fire      Fire     `json:"fire"`
}

// Weight is what a stored weight may be: a mantissa of at most Bits bits
// (signed: two's complement) times 2^exp, exp shared by a layer.
type Weight struct {
	Bits   int  `json:"bits"`
	Signed bool `json:"signed"`
	ExpMin int  `json:"exp_min"`
	ExpMax int  `json:"exp_max"`
}

// State is a register that decays. Present is false for a chip that has no
// such state; the other fields are then zero.
type State struct {
	Present  bool     `json:"present"`
	Register Register `json:"register"`
	Decay    Decay    `json:"decay"`
}

// Decay is how a state forgets: x·(2^FracBits − d)/2^FracBits rounded by Round,
// with a layer's d in Min..Max. Kind none has no parameters and keeps x.
type Decay struct {
	Kind     DecayKind `json:"kind"`
	FracBits int       `json:"frac_bits"`
	Round    RoundMode `json:"round"`
	Min      int64     `json:"min"`
	Max      int64     `json:"max"`
}

// DecayKind names a way to forget.
type DecayKind uint8

const (
	DecayNone     DecayKind = iota // the state keeps its value
	DecayMultiply                  // DecayMul
)

var decayNames = []string{"none", "multiply"}

func (d DecayKind) String() string                { return enumString(d, decayNames) }
func (d DecayKind) MarshalText() ([]byte, error)  { return enumText(d, decayNames) }
func (d *DecayKind) UnmarshalText(b []byte) error { return enumParse(d, b, decayNames) }

// Apply returns x after one tick with a layer's parameter d.
func (d Decay) Apply(x, param int64) int64 {
	if d.Kind == DecayNone {
		return x
	}
	return DecayMul(x, param, uint(d.FracBits), d.Round)
}

// Accepts says whether param is a parameter of d.
func (d Decay) Accepts(param int64) bool {
	if d.Kind == DecayNone {
		return param == 0
	}
	return param >= d.Min && param <= d.Max
}

// Fire is when a neuron fires and what firing may do to its membrane.
type Fire struct {
	When   Compare `json:"when"`
	Resets []Reset `json:"resets"`
}

// Compare is the chip's threshold test.
type Compare uint8

const (
	GT Compare = iota // v > threshold
	GE                // v >= threshold
)

var compareNames = []string{"gt", "ge"}

func (c Compare) String() string                { return enumString(c, compareNames) }
func (c Compare) MarshalText() ([]byte, error)  { return enumText(c, compareNames) }
func (c *Compare) UnmarshalText(b []byte) error { return enumParse(c, b, compareNames) }

// Fires is the threshold test of tick step 6.
func (c Compare) Fires(v, threshold int64) bool {
	if c == GT {
		return v > threshold
	}
	return v >= threshold
}

// Reset is what a spike does to v.
type Reset uint8

const (
	ResetZero     Reset = iota // v = 0
	ResetSubtract              // v = v − threshold
)

var resetNames = []string{"zero", "subtract"}

func (r Reset) String() string                { return enumString(r, resetNames) }
func (r Reset) MarshalText() ([]byte, error)  { return enumText(r, resetNames) }
func (r *Reset) UnmarshalText(b []byte) error { return enumParse(r, b, resetNames) }

// Apply is tick step 7: the membrane after a spike. With 0 ≤ threshold ≤ v it
// cannot leave v's register.
func (r Reset) Apply(v, threshold int64) int64 {
	if r == ResetZero {
		return 0
	}
	return v - threshold
}

// Wide is the contract a network is quantised in when no target is named: not
// a chip, but registers so wide that a network rarely needs another, with
// Loihi's decay and threshold granularity (multiples of 2^6, compared with >),
// so that [Lower] can carry the result to most per-tick chips unchanged.
func Wide() Arithmetic {
	r := Register{Bits: 32, Signed: true, Overflow: Saturate}
	d := Decay{Kind: DecayMultiply, FracBits: 12, Round: TowardZero, Min: 0, Max: 4096}
	return Arithmetic{
		Weight:    Weight{Bits: 16, Signed: true, ExpMin: 0, ExpMax: 14},
		Sum:       r,
		Current:   State{Present: true, Register: r, Decay: d},
		Membrane:  State{Present: true, Register: r, Decay: d},
		Threshold: Format{Bits: 25, Exp: 6},
		Fire:      Fire{When: GT, Resets: []Reset{ResetZero, ResetSubtract}},
	}
}

// Validate gathers every fault of a: widths out of range, a decay that cannot
// be computed, a threshold no membrane could be compared with. Each message
// starts with the field's path as it stands in YAML.
func (a Arithmetic) Validate() error {
	var errs []error
	bad := func(field, format string, args ...any) {
		errs = append(errs, &RangeError{Field: field, Msg: fmt.Sprintf(format, args...)})
	}
	w := a.Weight
	least := 1
	if w.Signed {
		least = 2
	}
	if w.Bits < least || w.Bits > 16 {
		bad("weight.bits", "got %d, want %d..16", w.Bits, least)
	}
	if w.ExpMin < 0 || w.ExpMin > 20 {
		bad("weight.exp_min", "got %d, want 0..20", w.ExpMin)
	}
	if w.ExpMax < w.ExpMin || w.ExpMax > 20 {
		bad("weight.exp_max", "got %d, want %d..20", w.ExpMax, w.ExpMin)
	}
	reg := func(field string, r Register) {
		if r.Bits < 3 || r.Bits > 32 {
			bad(field+".bits", "got %d, want 3..32", r.Bits)
		} else if r.Bits < w.Bits && w.Bits <= 16 {
			bad(field+".bits", "got %d, want at least the %d of weight.bits", r.Bits, w.Bits)
		}
		if int(r.Overflow) >= len(overflowNames) {
			bad(field+".overflow", "got %d, want one of %s", r.Overflow, strings.Join(overflowNames, ", "))
		}
		if !r.Signed {
			bad(field+".signed", "got false, want true")
		}
	}
	decay := func(field string, d Decay) {
		switch d.Kind {
		case DecayNone:
			if d != (Decay{}) {
				bad(field, "got parameters with kind none, want zeros")
			}
		case DecayMultiply:
			if d.FracBits < 1 || d.FracBits > 16 {
				bad(field+".frac_bits", "got %d, want 1..16", d.FracBits)
				return
			}
			full := int64(1) << d.FracBits
			if d.Min < 0 || d.Min > full {
				bad(field+".min", "got %d, want 0..%d", d.Min, full)
			}
			if d.Max < d.Min || d.Max > full {
				bad(field+".max", "got %d, want %d..%d", d.Max, d.Min, full)
			}
			if int(d.Round) >= len(roundNames) {
				bad(field+".round", "got %d, want one of %s", d.Round, strings.Join(roundNames, ", "))
			}
		default:
			bad(field+".kind", "got %d, want one of %s", d.Kind, strings.Join(decayNames, ", "))
		}
	}
	reg("sum", a.Sum)
	if a.Current.Present {
		reg("current.register", a.Current.Register)
		decay("current.decay", a.Current.Decay)
	} else if a.Current != (State{}) {
		bad("current", "got fields with present false, want none")
	}
	if !a.Membrane.Present {
		bad("membrane.present", "got false, want true: a neuron without a membrane cannot fire")
	} else {
		reg("membrane.register", a.Membrane.Register)
		decay("membrane.decay", a.Membrane.Decay)
	}
	if err := a.Threshold.Validate(); err != nil {
		bad("threshold", "%v", err)
	}
	if int(a.Fire.When) >= len(compareNames) {
		bad("fire.when", "got %d, want one of %s", a.Fire.When, strings.Join(compareNames, ", "))
	}
	if len(a.Fire.Resets) == 0 {
		bad("fire.resets", "got none, want at least one of %s", strings.Join(resetNames, ", "))
	}
	for i, r := range a.Fire.Resets {
		if int(r) >= len(resetNames) {
			bad("fire.resets", "got %d, want one of %s", r, strings.Join(resetNames, ", "))
		} else if slices.Contains(a.Fire.Resets[:i], r) {
			bad("fire.resets", "got %s twice, want each once", r)
		}
	}
	return errors.Join(errs...)
}

// RangeError is a field of an Arithmetic or a Model that holds an impossible
// value; Field is its path.
type RangeError struct{ Field, Msg string }

func (e *RangeError) Error() string { return e.Field + ": " + e.Msg }

// Equal says whether a and b are the same contract.
func (a Arithmetic) Equal(b Arithmetic) bool {
	ra, rb := a.Fire.Resets, b.Fire.Resets
	a.Fire.Resets, b.Fire.Resets = nil, nil
	return a.Weight == b.Weight && a.Sum == b.Sum && a.Current == b.Current && a.Membrane == b.Membrane &&
		a.Threshold == b.Threshold && a.Fire.When == b.Fire.When && slices.Equal(ra, rb)
}
