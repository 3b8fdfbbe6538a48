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
// One tick of one neuron where Update is per_tick, in the numbering of
// emulator/doc.go:
//
//	3  q = 0; for each arriving spike, ascending axon:  q = Sum(q + w)        (Integrate sum)
//	                                                    v = Membrane(v + w)   (Integrate membrane),
//	                                                    and 6 and 7 with Held for Threshold, unless that is 0
//	   q = (Σ⁺ − Σ⁻) << exp, sums of mantissas w > 0 and of −w > 0, each in Sum   (Integrate split)
//	4  u = Current(forget(u) + q)                 (u = q where Current.Present is false)
//	   t = Bias.Register(u + bias)                (t = u where Bias.Present is false)
//	5  v = Membrane(forget(v) + t), or Membrane(TowardInput(v, t)); v = 0 while refractory
//	6  spike = v > Threshold or v >= Threshold    (Fire.When); else the negative threshold
//	7  on a spike: v = 0, v − Threshold, ResetValue or v     (Layer.Reset)
//
// Held is the threshold of every neuron while the spikes of a tick arrive: a chip
// that tests after every event is run once a tick by holding its thresholds out
// of reach until then, and the highest it has may be within reach. Where Update is
// per_event nothing is held but the read-out, for which Held is the threshold of
// every test: see [Arithmetic.Tests].
//
// w is the stored weight times 2^WeightExp. forget is State.Forget, a decay and
// then a leak; State.Place moves it behind the add (after_integrate) or between
// 6 and 7 (after_test). Where Update is per_event, steps 3, 6 and 7 are one for
// each event and forgetting is an event of its own; see [Update].
//
// The zero value of every field added to weight, sum, current, membrane,
// threshold and fire switches that mechanism off.
type Arithmetic struct {
	Update       Update    `json:"update"`
	Integrate    Integrate `json:"integrate"`
	Held         int64     `json:"held,omitempty" file:"integrate=membrane"` // see above; 0: none
	Weight       Weight    `json:"weight"`
	Sum          Register  `json:"sum" file:"null"` // null in a file, zero here, where Integrate is membrane
	Current      State     `json:"current"`
	Bias         Bias      `json:"bias"`
	Membrane     State     `json:"membrane"`
	Threshold    Format    `json:"threshold"`
	Fire         Fire      `json:"fire"`
	AxonDelayMax int       `json:"axon_delay_max"` // Layer.Delay is 0..AxonDelayMax ticks
}

// Update is when a neuron is tested.
type Update uint8

const (
	// PerTick: once a tick, after all of its spikes.
	PerTick Update = iota
	// PerEvent: there is no test of a tick as a whole. A sample is, for each tick,
	// its input spikes one after another, ascending axon, and then one leak event.
	//
	// Spike: each neuron of the layer it reaches, ascending, adds the weight, is
	// tested and is reset at once. A neuron fires at most once for a spike and may
	// fire several times in a tick; each time is a spike of its own.
	//
	// Leak event: each neuron, ascending, forgets, is tested and is reset.
	//
	// The spikes of a layer, in the order fired, reach the next layer in that order,
	// and all of them before that layer's leak event of the tick. Nothing else is
	// said, and nothing else matters: a layer's states and spikes depend on the
	// order of its own events only. So a chip may hand spikes on one by one through
	// a queue while its input is still coming, or a host may hand on a layer's whole
	// list when the tick's input is done: the same spikes of each layer, in the same
	// order, and the same membranes. The leak events of a tick may be one event for
	// all layers if none of them fires, which a leak toward zero never does below a
	// threshold of 1 or more.
	PerEvent
)

var updateNames = []string{"per_tick", "per_event"}

func (u Update) String() string                { return enumString(u, updateNames) }
func (u Update) MarshalText() ([]byte, error)  { return enumText(u, updateNames) }
func (u *Update) UnmarshalText(b []byte) error { return enumParse(u, b, updateNames) }

// Integrate is where an arriving weight is added.
type Integrate uint8

const (
	IntegrateSum      Integrate = iota // into a sum that starts at 0 in every tick
	IntegrateMembrane                  // straight into the membrane, narrowed at every add
	// IntegrateSplit: into two unsigned sums that start at 0 in every tick, one
	// of the positive mantissas and one of the negative ones' magnitudes. Their
	// difference is shifted by the layer's exponent.
	IntegrateSplit
)

var integrateNames = []string{"sum", "membrane", "split"}

func (i Integrate) String() string                { return enumString(i, integrateNames) }
func (i Integrate) MarshalText() ([]byte, error)  { return enumText(i, integrateNames) }
func (i *Integrate) UnmarshalText(b []byte) error { return enumParse(i, b, integrateNames) }

// Bias is a constant input of each neuron: mantissa × 2^e with a signed mantissa
// of Bits bits and e in ExpMin..ExpMax, chosen for each neuron. It is added to
// the current in Register, which may overflow on its own.
type Bias struct {
	Present  bool     `json:"present"`
	Register Register `json:"register"`
	Bits     int      `json:"bits"`
	ExpMin   int      `json:"exp_min"`
	ExpMax   int      `json:"exp_max"`
}

// Accepts says whether raw is a bias of b: some exponent leaves it a mantissa.
func (b Bias) Accepts(raw int64) bool {
	if !b.Present {
		return raw == 0
	}
	for e := b.ExpMin; e <= b.ExpMax; e++ {
		if (Format{Bits: b.Bits, Signed: true, Exp: e}).Contains(raw) {
			return true
		}
	}
	return false
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
	if int(a.Update) >= len(updateNames) {
		bad("update", "got %d, want one of %s", a.Update, strings.Join(updateNames, ", "))
	}
	if int(a.Integrate) >= len(integrateNames) {
		bad("integrate", "got %d, want one of %s", a.Integrate, strings.Join(integrateNames, ", "))
	}
	w := a.Weight
	w.validate(bad)
	reg := func(field string, r Register) {
		if r.Bits < 3 || r.Bits > 32 {
			bad(field+".bits", "got %d, want 3..32", r.Bits)
		} else if r.Bits == 32 && !r.Signed { // engines keep state in 32 bits, sign included
			bad(field+".signed", "got false with 32 bits, want true")
		} else if r.Bits < w.Bits && w.Bits <= 16 {
			bad(field+".bits", "got %d, want at least the %d of weight.bits", r.Bits, w.Bits)
		}
		if int(r.Overflow) >= len(overflowNames) {
			bad(field+".overflow", "got %d, want one of %s", r.Overflow, strings.Join(overflowNames, ", "))
		} else if r.Overflow == SaturateSymmetric && !r.Signed {
			bad(field+".signed", "got false with overflow %s, want true", r.Overflow)
		}
	}
	if a.Integrate == IntegrateMembrane {
		if a.Sum != (Register{}) {
			bad("sum", "got a register with integrate membrane, want null")
		}
		if a.Current.Present {
			bad("current.present", "got true with integrate membrane, want false: weights pass no current")
		}
	} else {
		reg("sum", a.Sum)
	}
	if a.Integrate == IntegrateSplit {
		switch {
		case a.Sum.Signed:
			bad("sum.signed", "got true with integrate split, want false: a sum has the magnitudes of one sign")
		case a.Sum.Overflow != Saturate:
			bad("sum.overflow", "got %s with integrate split, want saturate", a.Sum.Overflow)
		case a.Sum.Bits+w.ExpMax > 31:
			bad("weight.exp_max", "got %d with integrate split and sums of %d bits, want at most %d: the difference is kept in 32 bits", w.ExpMax, a.Sum.Bits, 31-a.Sum.Bits)
		}
		if w.Kind == WeightTypes {
			bad("weight.kind", "got %s with integrate split, want another: a weight spread over several axons has parts of both signs", w.Kind)
		}
	}
	if w.Kind == WeightTypes && a.Integrate == IntegrateSum && a.Sum.Overflow != Wrap {
		bad("sum.overflow", "got %s, want wrap: a weight spread over several axons is one add only in modular sums", a.Sum.Overflow)
	}
	if a.Current.Present {
		reg("current.register", a.Current.Register)
		a.Current.validate("current", bad)
		if a.Current.Decay.Kind == DecayTowardInput {
			bad("current.decay.kind", "got %s, want another: only membranes move toward their input", a.Current.Decay.Kind)
		}
		if p := a.Current.Place; p != BeforeIntegrate && p != AfterIntegrate {
			bad("current.place", "got %s, want before_integrate or after_integrate", p)
		}
	} else if a.Current != (State{}) {
		bad("current", "got fields with present false, want none")
	}
	if b := a.Bias; b.Present {
		reg("bias.register", b.Register)
		if b.Bits < 2 || b.Bits > 32 {
			bad("bias.bits", "got %d, want 2..32", b.Bits)
		}
		if b.ExpMin < 0 || b.ExpMin > 8 {
			bad("bias.exp_min", "got %d, want 0..8", b.ExpMin)
		}
		if b.ExpMax < b.ExpMin || b.ExpMax > 8 {
			bad("bias.exp_max", "got %d, want %d..8", b.ExpMax, b.ExpMin)
		}
	} else if b != (Bias{}) {
		bad("bias", "got fields with present false, want none")
	}
	if !a.Membrane.Present {
		bad("membrane.present", "got false, want true: a neuron without a membrane cannot fire")
	} else {
		reg("membrane.register", a.Membrane.Register)
		a.Membrane.validate("membrane", bad)
		if s := a.Membrane; s.Decay.Kind == DecayTowardInput && (s.Leak.Kind != LeakNone || s.Place != BeforeIntegrate || a.Integrate == IntegrateMembrane) {
			bad("membrane.decay.kind", "got %s with leak %s, place %s and integrate %s, want none, before_integrate and a sum: it is one step", s.Decay.Kind, s.Leak.Kind, s.Place, a.Integrate)
		}
		if w.Kind == WeightTypes && a.Integrate == IntegrateMembrane && a.Membrane.Register.Overflow != Wrap {
			bad("membrane.register.overflow", "got %s, want wrap: a weight spread over several axons is one add only in modular sums", a.Membrane.Register.Overflow)
		}
	}
	if a.Update == PerEvent {
		if a.Integrate != IntegrateMembrane {
			bad("integrate", "got %s with update per_event, want membrane: there is no sum of a tick", a.Integrate)
		}
		if a.Bias.Present {
			bad("bias.present", "got true with update per_event, want false: a bias belongs to a tick")
		}
		if a.Membrane.Present && a.Membrane.Place != AfterIntegrate {
			bad("membrane.place", "got %s with update per_event, want after_integrate: forgetting is the event that ends a tick", a.Membrane.Place)
		}
		if a.Fire.RefractoryMax != 0 {
			bad("fire.refractory_max", "got %d with update per_event, want 0: refractory periods count ticks", a.Fire.RefractoryMax)
		}
		if a.Fire.ExtraSpikes != 0 {
			bad("fire.extra_spikes", "got %d with update per_event, want 0: one test an event", a.Fire.ExtraSpikes)
		}
	}
	if a.Held != 0 {
		if a.Integrate != IntegrateMembrane {
			bad("held", "got %d with integrate %s, want 0: thresholds are held while weights go into the membrane", a.Held, a.Integrate)
		} else if r := a.Membrane.Register; r.Bits >= 3 && r.Bits <= 32 && (a.Held < 1 || a.Held > r.Max()) {
			bad("held", "got %d, want 1..%d, or 0 for none", a.Held, r.Max())
		}
		if a.Bias.Present || a.Fire.RefractoryMax != 0 || a.Fire.Negative.When != BelowNever {
			bad("held", "got %d with a bias, a refractory period or a negative threshold, want 0: it is for weights and one test alone", a.Held)
		}
	}
	if err := a.Threshold.Validate(); err != nil {
		bad("threshold", "%v", err)
	}
	a.Fire.validate(a.Membrane, bad)
	if a.AxonDelayMax < 0 || a.AxonDelayMax > 255 {
		bad("axon_delay_max", "got %d, want 0..255", a.AxonDelayMax)
	}
	return errors.Join(errs...)
}

// Tests is the threshold of step 6 for neurons of l, and whether there is one.
// Integrators have none, unless Update is per_event and Held is set: a chip that
// tests every neuron after every event then has no threshold that is out of
// their reach, and Held is the highest it has.
func (a *Arithmetic) Tests(l *Layer) (threshold int64, tested bool) {
	switch {
	case !l.Integrator:
		return l.Threshold, true
	case a.Update == PerEvent && a.Held != 0:
		return a.Held, true
	}
	return 0, false
}

// RangeError is a field of an Arithmetic or a Model that holds an impossible
// value; Field is its path.
type RangeError struct{ Field, Msg string }

func (e *RangeError) Error() string { return e.Field + ": " + e.Msg }

// Equal says whether a and b are the same contract.
func (a Arithmetic) Equal(b Arithmetic) bool {
	f, g := a.Fire, b.Fire
	return a.Update == b.Update && a.Integrate == b.Integrate && a.Held == b.Held && a.Weight == b.Weight && a.Sum == b.Sum &&
		a.Current == b.Current && a.Bias == b.Bias && a.Membrane == b.Membrane && a.Threshold == b.Threshold &&
		a.AxonDelayMax == b.AxonDelayMax &&
		f.When == g.When && slices.Equal(f.Resets, g.Resets) && f.ResetValue == g.ResetValue &&
		f.ExtraSpikes == g.ExtraSpikes && f.RefractoryMax == g.RefractoryMax && f.Negative.equal(g.Negative)
}
