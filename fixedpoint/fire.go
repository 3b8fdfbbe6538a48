package fixedpoint

import (
	"encoding/json"
	"slices"
	"strings"
)

// Fire is when a neuron fires and what firing may do to its membrane.
type Fire struct {
	When       Compare `json:"when"`
	Resets     []Reset `json:"resets"`
	ResetValue Format  `json:"reset_value" file:"null"` // of Layer.ResetValue; zero without reset value
	// ExtraSpikes is how many more times than once a neuron may fire in one
	// tick: while it passes the test, it fires and is reset.
	ExtraSpikes int `json:"extra_spikes"`
	// RefractoryMax bounds Layer.Refractory. The counter starts at 0. While it
	// is above 0 the membrane is held at 0; a spike sets it to Layer.Refractory;
	// every tick ends with one less, not below 0. So 1 costs no extra tick.
	RefractoryMax int      `json:"refractory_max"`
	Negative      Negative `json:"negative"` // the test of a membrane that did not fire
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

// Fires is the threshold test of tick step 6. A threshold that the membrane's
// register does not hold is never reached.
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
	ResetValue                 // v = the layer's ResetValue
	ResetNone                  // v stays
)

var resetNames = []string{"zero", "subtract", "value", "none"}

func (r Reset) String() string                { return enumString(r, resetNames) }
func (r Reset) MarshalText() ([]byte, error)  { return enumText(r, resetNames) }
func (r *Reset) UnmarshalText(b []byte) error { return enumParse(r, b, resetNames) }

// Apply is tick step 7: the membrane after a spike, before its register
// narrows it. value is Layer.ResetValue. With 0 ≤ threshold ≤ v, zero and
// subtract cannot leave v's register.
func (r Reset) Apply(v, threshold, value int64) int64 {
	switch r {
	case ResetZero:
		return 0
	case ResetSubtract:
		return v - threshold
	case ResetValue:
		return value
	}
	return v
}

// Negative is a second test, of a membrane that did not fire: v below a layer's
// NegThreshold, a raw level in Min..Max with its own sign (chips that store a
// magnitude beta compare with −beta). It makes no spike. When is none where the
// chip has no such test; the other fields are then zero.
type Negative struct {
	When   Below     `json:"when"`
	Min    int64     `json:"min" file:"when=lt|le"`
	Max    int64     `json:"max" file:"when=lt|le"`
	Resets NegResets `json:"resets" file:"when=lt|le"`
	// Paired: one mode sets both resets, so that a layer's NegReset is value
	// with reset zero or value, subtract with subtract, none with none; saturate
	// goes with all.
	Paired bool `json:"paired" file:"when=lt|le"`
}

// Below is the negative test.
type Below uint8

const (
	BelowNever Below = iota // no test
	LT                      // v < level
	LE                      // v <= level
)

var belowNames = []string{"none", "lt", "le"}

func (b Below) String() string                { return enumString(b, belowNames) }
func (b Below) MarshalText() ([]byte, error)  { return enumText(b, belowNames) }
func (b *Below) UnmarshalText(t []byte) error { return enumParse(b, t, belowNames) }

// Holds is the test.
func (b Below) Holds(v, level int64) bool {
	switch b {
	case LT:
		return v < level
	case LE:
		return v <= level
	}
	return false
}

// NegReset is what the negative test does to v.
type NegReset uint8

const (
	NegSaturate NegReset = iota // v = level
	NegValue                    // v = −ResetValue
	NegSubtract                 // v = v − level
	NegNone                     // v stays
)

var negResetNames = []string{"saturate", "value", "subtract", "none"}

func (r NegReset) String() string                { return enumString(r, negResetNames) }
func (r NegReset) MarshalText() ([]byte, error)  { return enumText(r, negResetNames) }
func (r *NegReset) UnmarshalText(b []byte) error { return enumParse(r, b, negResetNames) }

// NegResets is a list that is written as [] where it is empty, never as null.
type NegResets []NegReset

// MarshalJSON writes the list.
func (r NegResets) MarshalJSON() ([]byte, error) {
	if r == nil {
		return []byte("[]"), nil
	}
	return json.Marshal([]NegReset(r))
}

// Apply is the membrane after the negative test held, before its register
// narrows it.
func (r NegReset) Apply(v, level, value int64) int64 {
	switch r {
	case NegSaturate:
		return level
	case NegValue:
		return -value
	case NegSubtract:
		return v - level
	}
	return v
}

// Goes says whether one mode of a paired chip sets both resets.
func (r NegReset) Goes(with Reset) bool {
	switch r {
	case NegValue:
		return with == ResetZero || with == ResetValue
	case NegSubtract:
		return with == ResetSubtract
	case NegNone:
		return with == ResetNone
	}
	return true
}

func (n Negative) equal(o Negative) bool {
	return n.When == o.When && n.Min == o.Min && n.Max == o.Max && n.Paired == o.Paired && slices.Equal(n.Resets, o.Resets)
}

func (f Fire) validate(membrane State, bad func(field, format string, args ...any)) {
	if int(f.When) >= len(compareNames) {
		bad("fire.when", "got %d, want one of %s", f.When, strings.Join(compareNames, ", "))
	}
	if len(f.Resets) == 0 {
		bad("fire.resets", "got none, want at least one of %s", strings.Join(resetNames, ", "))
	}
	for i, r := range f.Resets {
		if int(r) >= len(resetNames) {
			bad("fire.resets", "got %d, want one of %s", r, strings.Join(resetNames, ", "))
		} else if slices.Contains(f.Resets[:i], r) {
			bad("fire.resets", "got %s twice, want each once", r)
		}
	}
	n := f.Negative
	if slices.Contains(f.Resets, ResetValue) || slices.Contains(n.Resets, NegValue) {
		if err := f.ResetValue.Validate(); err != nil {
			bad("fire.reset_value", "%v", err)
		} else if b := membrane.Register.Bits; b >= 3 && b <= 32 && !membrane.Register.Holds(f.ResetValue.Min(), f.ResetValue.Max()) {
			bad("fire.reset_value", "got %s, want a format within the membrane's %s", f.ResetValue, membrane.Register.Format())
		}
	} else if f.ResetValue != (Format{}) && len(f.Resets) > 0 {
		bad("fire.reset_value", "got a format without reset value, want null")
	}
	if f.ExtraSpikes < 0 || f.ExtraSpikes > 255 {
		bad("fire.extra_spikes", "got %d, want 0..255", f.ExtraSpikes)
	} else if f.ExtraSpikes > 0 && membrane.Place == AfterTest {
		bad("fire.extra_spikes", "got %d with membrane.place after_test, want 0", f.ExtraSpikes)
	}
	if f.RefractoryMax < 0 || f.RefractoryMax > 1<<16 {
		bad("fire.refractory_max", "got %d, want 0..65536", f.RefractoryMax)
	}
	if n.When == BelowNever {
		if !n.equal(Negative{}) {
			bad("fire.negative", "got fields with when none, want none")
		}
		return
	}
	if int(n.When) >= len(belowNames) {
		bad("fire.negative.when", "got %d, want one of %s", n.When, strings.Join(belowNames, ", "))
	}
	const most = int64(1) << 32
	if n.Min < -most || n.Min > most {
		bad("fire.negative.min", "got %d, want %d..%d", n.Min, -most, most)
	}
	if n.Max < n.Min || n.Max > most {
		bad("fire.negative.max", "got %d, want %d..%d", n.Max, n.Min, most)
	}
	if len(n.Resets) == 0 {
		bad("fire.negative.resets", "got none, want at least one of %s", strings.Join(negResetNames, ", "))
	}
	for i, r := range n.Resets {
		if int(r) >= len(negResetNames) {
			bad("fire.negative.resets", "got %d, want one of %s", r, strings.Join(negResetNames, ", "))
		} else if slices.Contains(n.Resets[:i], r) {
			bad("fire.negative.resets", "got %s twice, want each once", r)
		}
	}
}
