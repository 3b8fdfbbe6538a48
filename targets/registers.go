package targets

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"glsnn/fixedpoint"
)

// Register is one parameter of a neuron as the chip stores it: a raw integer in
// Min..Max that sets a field of fixedpoint.Layer to
//
//	Times·raw + Plus
//
// or, where Modes is given, to the mode of that index. Times is 1 where a file
// leaves it out.
type Register struct {
	Sets  string   `json:"sets"`
	Min   int64    `json:"min" file:"sets=current_decay|current_leak|bias|membrane_decay|membrane_leak|threshold|reset_value|neg_threshold|refractory"`
	Max   int64    `json:"max" file:"sets=current_decay|current_leak|bias|membrane_decay|membrane_leak|threshold|reset_value|neg_threshold|refractory"`
	Times int64    `json:"times" file:"optional"`
	Plus  int64    `json:"plus" file:"optional"`
	Modes []string `json:"modes,omitempty" file:"sets=reset|neg_reset"`
}

// factor is Times, 1 where it is left out.
func (r Register) factor() int64 {
	if r.Times == 0 {
		return 1
	}
	return r.Times
}

func (r Register) value(raw int64) int64 { return r.factor()*raw + r.Plus }

// pairedMode is the mode of neg_reset that stands for the one that goes with
// the reset.
const pairedMode = "paired"

// maxRegister bounds raw values and factors, so that Times·raw + Plus does not
// overflow.
const maxRegister = int64(1) << 31

// registerField is a field of fixedpoint.Layer that a register may set.
type registerField struct {
	name    string
	has     func(a *fixedpoint.Arithmetic) bool              // the arithmetic lets a layer choose it
	accepts func(a *fixedpoint.Arithmetic, value int64) bool // nil for a mode
	want    func(a *fixedpoint.Arithmetic) string
	set     func(l *fixedpoint.Layer, value int64)
	mode    func(l *fixedpoint.Layer, a *fixedpoint.Arithmetic, name string) error
}

func between(lo, hi int64) string { return fmt.Sprintf("%d..%d", lo, hi) }

// rangeField is a field that takes lo..hi, where the arithmetic has it.
func rangeField(name string, of func(*fixedpoint.Arithmetic) (has bool, lo, hi int64), set func(*fixedpoint.Layer, int64)) registerField {
	return registerField{
		name: name,
		has:  func(a *fixedpoint.Arithmetic) bool { has, _, _ := of(a); return has },
		accepts: func(a *fixedpoint.Arithmetic, x int64) bool {
			_, lo, hi := of(a)
			return x >= lo && x <= hi
		},
		want: func(a *fixedpoint.Arithmetic) string {
			_, lo, hi := of(a)
			return between(lo, hi)
		},
		set: set,
	}
}

func decayRange(d fixedpoint.Decay) (has bool, lo, hi int64) {
	return d.Kind != fixedpoint.DecayNone, d.Min, d.Max
}

func leakRange(l fixedpoint.Leak) (has bool, lo, hi int64) {
	return l.Kind != fixedpoint.LeakNone, l.Min, l.Max
}

// registerFields are all of them, in the order of a tick.
var registerFields = []registerField{
	rangeField("current_decay", func(a *fixedpoint.Arithmetic) (bool, int64, int64) { return decayRange(a.Current.Decay) }, func(l *fixedpoint.Layer, x int64) { l.CurrentDecay = x }),
	rangeField("current_leak", func(a *fixedpoint.Arithmetic) (bool, int64, int64) { return leakRange(a.Current.Leak) }, func(l *fixedpoint.Layer, x int64) { l.CurrentLeak = x }),
	{
		name:    "bias",
		has:     func(a *fixedpoint.Arithmetic) bool { return a.Bias.Present },
		accepts: func(a *fixedpoint.Arithmetic, x int64) bool { return a.Bias.Accepts(x) },
		want: func(a *fixedpoint.Arithmetic) string {
			return fmt.Sprintf("a mantissa of s%d times 2^(%d..%d)", a.Bias.Bits, a.Bias.ExpMin, a.Bias.ExpMax)
		},
		set: func(l *fixedpoint.Layer, x int64) { l.Bias = []int64{x} },
	},
	rangeField("membrane_decay", func(a *fixedpoint.Arithmetic) (bool, int64, int64) { return decayRange(a.Membrane.Decay) }, func(l *fixedpoint.Layer, x int64) { l.MembraneDecay = x }),
	rangeField("membrane_leak", func(a *fixedpoint.Arithmetic) (bool, int64, int64) { return leakRange(a.Membrane.Leak) }, func(l *fixedpoint.Layer, x int64) { l.MembraneLeak = x }),
	{
		name:    "threshold",
		has:     func(*fixedpoint.Arithmetic) bool { return true },
		accepts: func(a *fixedpoint.Arithmetic, x int64) bool { return x >= 0 && a.Threshold.Contains(x) },
		want:    func(a *fixedpoint.Arithmetic) string { return fmt.Sprintf("a value of %s from 0 on", a.Threshold) },
		set:     func(l *fixedpoint.Layer, x int64) { l.Threshold = x },
	},
	{
		name: "reset",
		has:  func(a *fixedpoint.Arithmetic) bool { return len(a.Fire.Resets) > 1 },
		mode: func(l *fixedpoint.Layer, a *fixedpoint.Arithmetic, name string) error {
			if l.Reset.UnmarshalText([]byte(name)) != nil || !slices.Contains(a.Fire.Resets, l.Reset) {
				return fmt.Errorf("got %q, want one of %s", clip(name), list(a.Fire.Resets))
			}
			return nil
		},
	},
	{
		name:    "reset_value",
		has:     func(a *fixedpoint.Arithmetic) bool { return a.Fire.ResetValue != (fixedpoint.Format{}) },
		accepts: func(a *fixedpoint.Arithmetic, x int64) bool { return a.Fire.ResetValue.Contains(x) },
		want:    func(a *fixedpoint.Arithmetic) string { return "a value of " + a.Fire.ResetValue.String() },
		set:     func(l *fixedpoint.Layer, x int64) { l.ResetValue = x },
	},
	rangeField("neg_threshold", func(a *fixedpoint.Arithmetic) (bool, int64, int64) {
		n := a.Fire.Negative
		return n.When != fixedpoint.BelowNever, n.Min, n.Max
	}, func(l *fixedpoint.Layer, x int64) { l.NegThreshold = x }),
	{
		name: "neg_reset",
		has:  func(a *fixedpoint.Arithmetic) bool { return len(a.Fire.Negative.Resets) > 1 },
		mode: func(l *fixedpoint.Layer, a *fixedpoint.Arithmetic, name string) error {
			n := a.Fire.Negative
			if n.Paired && name == pairedMode {
				for _, r := range n.Resets {
					if r != fixedpoint.NegSaturate && r.Goes(l.Reset) {
						l.NegReset = r
						return nil
					}
				}
				return fmt.Errorf("got %q, and none of %s goes with reset %s", name, list(n.Resets), l.Reset)
			}
			if l.NegReset.UnmarshalText([]byte(name)) != nil || !slices.Contains(n.Resets, l.NegReset) {
				return fmt.Errorf("got %q, want one of %s", clip(name), list(n.Resets))
			}
			return nil
		},
	},
	rangeField("refractory", func(a *fixedpoint.Arithmetic) (bool, int64, int64) {
		return a.Fire.RefractoryMax > 0, 0, int64(a.Fire.RefractoryMax)
	}, func(l *fixedpoint.Layer, x int64) { l.Refractory = int(x) }),
}

// implied says whether no register has to set f: on paired chips the reset says
// what the negative threshold does.
func (f *registerField) implied(a *fixedpoint.Arithmetic) bool {
	return f.name == "neg_reset" && a.Fire.Negative.Paired
}

// takesAll says whether a checked register can have no raw value that f does not
// accept: biases are mantissas times powers of two, with gaps between them.
func (f *registerField) takesAll() bool { return f.name != "bias" }

// limits is the range of raw values.
func (r Register) limits() (lo, hi int64) {
	if len(r.Modes) > 0 {
		return 0, int64(len(r.Modes)) - 1
	}
	return r.Min, r.Max
}

// Neuron is a layer's parameters as raw registers set them: every register of
// c once. Weights and shape are the caller's. The error joins every fault, each
// of the form "du: got 4096, want 0..4095".
func (c *Chip) Neuron(raw map[string]int64) (fixedpoint.Layer, error) {
	if err := c.Known("arithmetic"); err != nil {
		return fixedpoint.Layer{}, err
	}
	if len(c.Registers) == 0 {
		return fixedpoint.Layer{}, fmt.Errorf("target %s: registers: got none, want a section that says what each raw register sets", c.Name)
	}
	names := slices.Sorted(maps.Keys(c.Registers))
	var errs []error
	bad := func(register, format string, args ...any) {
		errs = append(errs, &fixedpoint.RangeError{Field: register, Msg: fmt.Sprintf(format, args...)})
	}
	for _, n := range slices.Sorted(maps.Keys(raw)) {
		if _, ok := c.Registers[n]; !ok {
			bad(clip(n), "got a register that target %s does not have, want one of %s", c.Name, strings.Join(names, ", "))
		}
	}
	for _, n := range names {
		lo, hi := c.Registers[n].limits()
		if x, ok := raw[n]; !ok {
			bad(n, "got nothing, want %s: target %s has %s", between(lo, hi), c.Name, strings.Join(names, ", "))
		} else if x < lo || x > hi {
			bad(n, "got %d, want %s", x, between(lo, hi))
		}
	}
	if len(errs) > 0 {
		return fixedpoint.Layer{}, errors.Join(errs...)
	}
	a := &c.Arithmetic
	l := fixedpoint.Layer{Reset: a.Fire.Resets[0]}
	if n := a.Fire.Negative; n.When != fixedpoint.BelowNever {
		l.NegReset = n.Resets[0]
	}
	for _, f := range registerFields { // reset before neg_reset
		set := slices.IndexFunc(names, func(n string) bool { return c.Registers[n].Sets == f.name })
		switch {
		case set < 0 && f.has(a) && f.implied(a):
			if err := f.mode(&l, a, pairedMode); err != nil {
				bad(f.name, "%v", err)
			}
		case set < 0:
		case f.mode != nil:
			if err := f.mode(&l, a, c.Registers[names[set]].Modes[raw[names[set]]]); err != nil {
				bad(names[set], "%v", err)
			}
		default:
			r := c.Registers[names[set]]
			if x := r.value(raw[names[set]]); !f.accepts(a, x) { // a bias; the other fields take every raw value
				bad(names[set], "got %d, want %s", raw[names[set]], f.want(a))
			} else {
				f.set(&l, x)
			}
		}
	}
	return l, errors.Join(errs...)
}

// checkRegisters: where a file lists registers, each sets a field that the
// arithmetic has, every raw value gives one it accepts, and nothing that a
// layer chooses is left out.
func checkRegisters(c *Chip, f *faults) {
	if len(c.Registers) == 0 {
		return
	}
	a := &c.Arithmetic
	if c.skip("arithmetic", "arithmetic") {
		f.add("registers", "registers", "none while arithmetic is null")
		return
	}
	if a.Validate() != nil {
		return
	}
	var fields []string
	for _, field := range registerFields {
		if field.has(a) {
			fields = append(fields, field.name)
		}
	}
	setBy := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(c.Registers)) {
		r, at := c.Registers[name], "registers."+clip(name)
		if f.touches(at) {
			continue
		}
		i := slices.IndexFunc(registerFields, func(k registerField) bool { return k.name == r.Sets && k.has(a) })
		switch first, again := setBy[r.Sets]; {
		case i < 0:
			f.add(at+".sets", fmt.Sprintf("%q", clip(r.Sets)), "one of "+strings.Join(fields, ", "))
			continue
		case again:
			f.add(at+".sets", r.Sets, "it once; "+first+" sets it")
			continue
		}
		setBy[r.Sets] = name
		field := registerFields[i]
		if field.mode != nil {
			if r.Min != 0 || r.Max != 0 || r.Times != 0 || r.Plus != 0 || len(r.Modes) == 0 {
				f.add(at, "a range", "modes only: "+r.Sets+" is a mode")
			}
			for k, m := range r.Modes {
				l := fixedpoint.Layer{Reset: a.Fire.Resets[0]}
				if err := field.mode(&l, a, m); err != nil && m != pairedMode {
					_, got, want := split(err.Error())
					f.add(fmt.Sprintf("%s.modes[%d]", at, k), got, want)
				}
			}
			continue
		}
		if len(r.Modes) > 0 {
			f.add(at+".modes", "modes", "min and max: "+r.Sets+" is a number")
			continue
		}
		for _, part := range []struct {
			key string
			x   int64
		}{{"min", r.Min}, {"max", r.Max}, {"times", r.Times}, {"plus", r.Plus}} {
			f.between(at+"."+part.key, part.x, -maxRegister, maxRegister)
		}
		if r.Max < r.Min {
			f.between(at+".max", r.Max, r.Min, maxRegister)
			continue
		}
		step := int64(1)
		if r.Sets == "threshold" {
			step <<= a.Threshold.Exp
		}
		for _, end := range []struct {
			key string
			raw int64
		}{{"min", r.Min}, {"max", r.Max}} {
			if x := r.value(end.raw); max(end.raw, -end.raw) <= maxRegister && !field.accepts(a, x) {
				f.add(at+"."+end.key, fmt.Sprintf("%d, %s %d", end.raw, r.Sets, x), field.want(a))
			}
		}
		if r.Min < r.Max && r.value(r.Min+1)%step != r.value(r.Min)%step {
			f.add(at+".times", fmt.Sprint(r.factor()), fmt.Sprintf("a multiple of %d", step))
		}
	}
	for _, field := range registerFields {
		if _, ok := setBy[field.name]; !ok && field.has(a) && !field.implied(a) {
			f.add("registers", "none that sets "+field.name, "one: the arithmetic has it")
		}
	}
}

// text says what a register sets.
func (r Register) text(name string, a *fixedpoint.Arithmetic) string {
	if len(r.Modes) > 0 {
		return r.Sets + " = " + strings.Join(r.Modes, ", ")
	}
	s := name
	switch f := r.factor(); f {
	case 1:
	case -1:
		s = "-" + name
	default:
		s = fmt.Sprintf("%d x %s", f, name)
	}
	switch {
	case r.Plus > 0 && r.factor() == -1:
		s = fmt.Sprintf("%d - %s", r.Plus, name)
	case r.Plus > 0:
		s += fmt.Sprintf(" + %d", r.Plus)
	case r.Plus < 0:
		s += fmt.Sprintf(" - %d", -r.Plus)
	}
	for _, f := range registerFields {
		if f.name == r.Sets && !f.takesAll() {
			s += ", " + f.want(a)
		}
	}
	return r.Sets + " = " + s
}
