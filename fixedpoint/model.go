package fixedpoint

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"glsnn/fixedpoint/artefact"
)

// Model is a quantised network in one Arithmetic. It is immutable: NewModel
// copies what it is given, nothing writes to it afterwards, and an engine that
// learns works on its own copy of the weights.
//
// Invariants, checked by NewModel in this order:
//  1. the Arithmetic is valid;
//  2. there is at least one layer, and layer l's In is layer l−1's Out;
//  3. weights, exponents, decays, leaks, biases, thresholds, resets, refractory
//     periods and delays lie in the Arithmetic, and the last layer, whose spikes
//     go nowhere, has no delay;
//  4. only the last layer may be an integrator, and it is one exactly when
//     Readout is Membrane;
//  5. Ticks ≥ 1 and the last layer has at least two neurons.
type Model struct {
	Arithmetic Arithmetic
	Ticks      int      // window T, in ticks
	Encoding   Encoding // how a sample becomes spikes
	Readout    Readout
	Layers     []Layer
	Source     Source
}

// Encoding names the input encoder and its seed; float/encode defines both.
type Encoding struct {
	Kind string `json:"kind"`
	Seed uint64 `json:"seed"`
}

// Source records what a model was made from.
type Source struct {
	Network string `json:"network_sha256"` // the float network's file
	Target  string `json:"target"`         // name of the chip file, "" for Wide
	Chip    string `json:"target_sha256"`
	Data    string `json:"data"` // data set name, for commands that need samples
	Size    int    `json:"size"` // side images were pooled to, 0 for none
	// Faults is the faults file whose flipped bits and drifted thresholds the
	// weights and thresholds already hold, "" for none.
	Faults string `json:"faults_sha256,omitempty"`
}

// Readout is how a class is read: the output neuron with the largest score,
// the lowest index among equals.
type Readout uint8

const (
	// ReadMembrane scores an output neuron by its membrane after the last
	// tick. Output neurons integrate and never fire, so the score is the
	// (decayed) sum of their input over the window.
	ReadMembrane Readout = iota
	// ReadCount scores an output neuron by its spikes in the window.
	ReadCount
)

var readoutNames = []string{"membrane", "count"}

func (r Readout) String() string                { return enumString(r, readoutNames) }
func (r Readout) MarshalText() ([]byte, error)  { return enumText(r, readoutNames) }
func (r *Readout) UnmarshalText(b []byte) error { return enumParse(r, b, readoutNames) }

// Layer is one dense layer of neurons that share their parameters.
type Layer struct {
	In, Out       int
	Weights       Matrix  // [In][Out]: the row of an axon is contiguous
	WeightBits    int     // width the weights were quantised to
	WeightExp     int     // a spike adds Weights << WeightExp
	CurrentDecay  int64   // d of Arithmetic.Current.Decay
	MembraneDecay int64   // d of Arithmetic.Membrane.Decay
	Threshold     int64   // raw, in Arithmetic.Threshold
	Reset         Reset   // what a spike does to v
	Integrator    bool    // a read-out layer: never tested against Threshold
	Scale         float64 // real = weight × Scale, for reports only; 0 if unknown

	// What not every chip has; the zero value is the mechanism's absence.
	CurrentLeak  int64    // k of Arithmetic.Current.Leak
	MembraneLeak int64    // k of Arithmetic.Membrane.Leak
	Bias         []int64  // raw, of each neuron, in Arithmetic.Bias; nil: all 0
	ResetValue   int64    // raw, in Fire.ResetValue, for ResetValue and NegValue
	Refractory   int      // 0..Fire.RefractoryMax; 0 and 1 cost no tick
	NegThreshold int64    // raw level of Fire.Negative; integrators have one too
	NegReset     NegReset // what it does to v
	Delay        int      // axonal: ticks added to the delivery of this layer's spikes
}

// Neutral is a layer without shape or weights, with a given reset, whose every
// other parameter does as little as the contract allows, or says which leak or
// negative threshold cannot be switched off. (A negative threshold that only
// the membrane's very lowest value passes counts as off.) Decays are at their least;
// Threshold is the highest.
func (a Arithmetic) Neutral(reset Reset) (Layer, error) {
	var errs []error
	bad := func(field, format string, args ...any) {
		errs = append(errs, &RangeError{Field: field, Msg: fmt.Sprintf(format, args...)})
	}
	l := Layer{
		WeightBits: a.Weight.Bits, WeightExp: a.Weight.ExpMin, Threshold: a.Threshold.Max(), Reset: reset,
		CurrentDecay: a.Current.Decay.Min, MembraneDecay: a.Membrane.Decay.Min,
	}
	leak := func(field string, k Leak, param *int64) {
		if !k.Accepts(0) {
			*param = min(max(0, k.Min), k.Max)
			bad(field, "got none, want %d..%d: this arithmetic cannot switch its leak off", k.Min, k.Max)
		}
	}
	leak("current_leak", a.Current.Leak, &l.CurrentLeak)
	leak("membrane_leak", a.Membrane.Leak, &l.MembraneLeak)
	if n := a.Fire.Negative; n.When != BelowNever {
		l.NegThreshold = n.Min
		for _, r := range slices.Backward(n.Resets) {
			if !n.Paired || r.Goes(reset) {
				l.NegReset = r
			}
		}
		if r := a.Membrane.Register; n.When.Holds(r.Min()+1, n.Min) {
			bad("neg_threshold", "got none, want %d..%d: the lowest level is within the membrane's %d..%d", n.Min, n.Max, r.Min(), r.Max())
		}
	}
	return l, errors.Join(errs...)
}

// HighestThreshold is the largest threshold that a membrane can pass: a higher
// one, if Threshold has it, means never.
func (a Arithmetic) HighestThreshold() int64 {
	top := a.Membrane.Register.Max()
	if a.Fire.When == GT {
		top--
	}
	if a.Held != 0 { // what gets there has fired before, or is a read-out
		top = min(top, a.Held-1)
	}
	return min(top>>a.Threshold.Exp<<a.Threshold.Exp, a.Threshold.Max())
}

// biasAt is the bias of neuron j.
func (l *Layer) biasAt(j int) int64 {
	if l.Bias == nil {
		return 0
	}
	return l.Bias[j]
}

// StaysAtRest says whether a layer of l's parameters, at rest, stays at rest in
// a tick without input: no spike, every state 0. The two ways of handing spikes
// on agree for such models only; see package emulator.
func (m *Model) StaysAtRest() bool {
	a := m.Arithmetic
	for i := range m.Layers {
		l := &m.Layers[i]
		for _, b := range l.Bias {
			if b != 0 {
				return false
			}
		}
		if a.Current.Leak.Kind == LeakConstant && l.CurrentLeak != 0 || a.Membrane.Leak.Kind == LeakConstant && l.MembraneLeak != 0 {
			return false
		}
		if !l.Integrator && a.Fire.When.Fires(0, l.Threshold) || a.Fire.Negative.When.Holds(0, l.NegThreshold) {
			return false
		}
	}
	return true
}

// Extras names what m uses beyond weights, a shared exponent, multiplying decays
// before the input, one threshold, and reset to zero or by subtraction: what a
// consumer has to know to reproduce m. It is empty for a classic model.
func (m *Model) Extras() []string {
	var out []string
	a := &m.Arithmetic
	add := func(i int, what string) { out = append(out, fmt.Sprintf("layer %d: %s", i, what)) }
	if a.Update != PerTick {
		out = append(out, "update "+a.Update.String())
	}
	if a.Integrate != IntegrateSum {
		out = append(out, "integrate "+a.Integrate.String())
	}
	if a.Fire.ExtraSpikes > 0 {
		out = append(out, "extra_spikes")
	}
	if a.Held != 0 {
		out = append(out, "held")
	}
	for i := range m.Layers {
		l := &m.Layers[i]
		for _, s := range []struct {
			name        string
			s           State
			decay, leak int64
		}{{"current", a.Current, l.CurrentDecay, l.CurrentLeak}, {"membrane", a.Membrane, l.MembraneDecay, l.MembraneLeak}} {
			if s.s.keeps(s.decay, s.leak) {
				continue
			}
			if k := s.s.Decay.Kind; k != DecayNone && k != DecayMultiply {
				add(i, s.name+"_decay by "+k.String())
			}
			if s.s.Leak.Kind != LeakNone && s.leak != 0 {
				add(i, s.name+"_leak")
			}
			if s.s.Place != BeforeIntegrate {
				add(i, s.name+" forgets "+s.s.Place.String())
			}
		}
		if slices.ContainsFunc(l.Bias, func(b int64) bool { return b != 0 }) {
			add(i, "bias")
		}
		if !l.Integrator && l.Reset > ResetSubtract {
			add(i, "reset "+l.Reset.String())
		}
		if l.Refractory > 1 {
			add(i, "refractory")
		}
		if a.Fire.Negative.When.Holds(a.Membrane.Register.Min(), l.NegThreshold) {
			add(i, "neg_threshold")
		}
		if l.Delay > 0 {
			add(i, "delay")
		}
	}
	return out
}

// Matrix is a dense block of weights, row-major, in the narrowest Go type that
// holds them.
type Matrix struct {
	rows, cols int
	i8         []int8
	i16        []int16
	file       *artefact.Array // that i8 lies in, where that is mapped
}

// Forget says that rows from to to-1 will not be looked at for a while: of a
// matrix that lies in a mapped file they then take no memory.
func (m Matrix) Forget(from, to int) {
	if m.file != nil {
		m.file.Forget(from*m.cols, to*m.cols)
	}
}

// EachRow calls f with every row of a matrix of int8 in turn, and forgets each in
// the end. f must not write to it.
func (m Matrix) EachRow(f func(k int, row []int8)) {
	some := max(1, 2<<20/max(1, m.cols))
	for k := range m.rows {
		f(k, m.i8[k*m.cols:][:m.cols])
		if (k+1)%some == 0 || k+1 == m.rows {
			m.Forget(k/some*some, k+1)
		}
	}
}

// NewMatrix copies values, row-major [rows][cols], each in int16.
func NewMatrix(rows, cols int, values []int16) Matrix {
	if len(values) != rows*cols {
		panic(fmt.Sprintf("fixedpoint: NewMatrix: got %d values, want %d x %d", len(values), rows, cols))
	}
	m := Matrix{rows: rows, cols: cols}
	for _, v := range values {
		if v < -128 || v > 127 {
			m.i16 = slices.Clone(values)
			return m
		}
	}
	m.i8 = make([]int8, len(values))
	for i, v := range values {
		m.i8[i] = int8(v)
	}
	return m
}

// NewMatrix8 keeps values, row-major [rows][cols].
func NewMatrix8(rows, cols int, values []int8) Matrix {
	if len(values) != rows*cols {
		panic(fmt.Sprintf("fixedpoint: NewMatrix8: got %d values, want %d x %d", len(values), rows, cols))
	}
	return Matrix{rows: rows, cols: cols, i8: values}
}

// Rows and Cols are the shape, At one value.
func (m Matrix) Rows() int { return m.rows }
func (m Matrix) Cols() int { return m.cols }

// At returns the weight of row r, column c.
func (m Matrix) At(r, c int) int64 {
	if m.i8 != nil {
		return int64(m.i8[r*m.cols+c])
	}
	return int64(m.i16[r*m.cols+c])
}

// Int8 returns the values if all fit int8; callers must not write to them.
func (m Matrix) Int8() ([]int8, bool) { return m.i8, m.i8 != nil || m.i16 == nil }

// Int16 returns the values if some need int16; callers must not write to them.
func (m Matrix) Int16() ([]int16, bool) { return m.i16, m.i16 != nil }

// Values returns a fresh copy of the weights, row-major.
func (m Matrix) Values() []int16 {
	if m.i16 != nil {
		return slices.Clone(m.i16)
	}
	out := make([]int16, len(m.i8))
	for i, v := range m.i8 {
		out[i] = int16(v)
	}
	return out
}

// Mutable is a copy of m, wide enough for weights of lo..hi, that Set may write
// to.
func (m Matrix) Mutable(lo, hi int64) Matrix {
	c := Matrix{rows: m.rows, cols: m.cols, i8: slices.Clone(m.i8), i16: slices.Clone(m.i16)}
	if (lo < -128 || hi > 127) && c.i8 != nil {
		c.i16, c.i8 = m.Values(), nil
	}
	return c
}

// Set replaces one weight of a matrix that its caller made by Mutable; those of a
// Model are never written to.
func (m Matrix) Set(r, c int, w int64) {
	if m.i8 != nil {
		m.i8[r*m.cols+c] = int8(w)
	} else {
		m.i16[r*m.cols+c] = int16(w)
	}
}

// Equal says whether m and o have the same shape and values.
func (m Matrix) Equal(o Matrix) bool {
	return m.rows == o.rows && m.cols == o.cols && slices.Equal(m.i8, o.i8) && slices.Equal(m.i16, o.i16)
}

// NewModel returns a checked copy of m, or every fault found.
func NewModel(m Model) (*Model, error) {
	m.Layers = slices.Clone(m.Layers)
	m.Arithmetic.Fire.Resets = slices.Clone(m.Arithmetic.Fire.Resets)
	if n := &m.Arithmetic.Fire.Negative; len(n.Resets) > 0 {
		n.Resets = slices.Clone(n.Resets)
	} else {
		n.Resets = nil // one form, whatever was read
	}
	for i := range m.Layers {
		m.Layers[i].Bias = slices.Clone(m.Layers[i].Bias)
	}
	if err := m.Validate(); err != nil {
		return nil, err
	}
	return &m, nil
}

// Validate checks the invariants of Model in their order.
func (m *Model) Validate() error {
	if err := m.Arithmetic.Validate(); err != nil {
		return err
	}
	var errs []error
	bad := func(field, format string, args ...any) {
		errs = append(errs, &RangeError{Field: field, Msg: fmt.Sprintf(format, args...)})
	}
	if len(m.Layers) == 0 {
		bad("layers", "got none, want at least one")
	}
	a := m.Arithmetic
	for i, l := range m.Layers {
		at := func(f string) string { return fmt.Sprintf("layer %d: %s", i, f) }
		if l.In < 1 || l.Out < 1 {
			bad(at("shape"), "got %d x %d, want at least 1 x 1", l.In, l.Out)
			continue
		}
		if i > 0 && l.In != m.Layers[i-1].Out {
			bad(at("inputs"), "got %d, want the %d neurons of layer %d", l.In, m.Layers[i-1].Out, i-1)
		}
		if l.Weights.rows != l.In || l.Weights.cols != l.Out {
			bad(at("weights"), "got %d x %d, want %d x %d", l.Weights.rows, l.Weights.cols, l.In, l.Out)
			continue
		}
		faults := len(errs)
		badAt := func(f, format string, args ...any) { bad(at(f), format, args...) }
		if a.Weight.check(l, badAt); len(errs) > faults && (l.WeightBits < a.Weight.leastBits() || l.WeightBits > a.Weight.mostBits()) {
			continue
		}
		a.Weight.checkExp(l, badAt)
		if !a.Current.Present && l.CurrentDecay != 0 {
			bad(at("current_decay"), "got %d, want 0: this arithmetic has no synaptic current", l.CurrentDecay)
		}
		if a.Current.Present && !a.Current.Decay.Accepts(l.CurrentDecay) {
			bad(at("current_decay"), "got %d, want %d..%d", l.CurrentDecay, a.Current.Decay.Min, a.Current.Decay.Max)
		}
		if !a.Membrane.Decay.Accepts(l.MembraneDecay) {
			bad(at("membrane_decay"), "got %d, want %d..%d", l.MembraneDecay, a.Membrane.Decay.Min, a.Membrane.Decay.Max)
		}
		if !a.Current.Present && l.CurrentLeak != 0 {
			bad(at("current_leak"), "got %d, want 0: this arithmetic has no synaptic current", l.CurrentLeak)
		}
		if a.Current.Present && !a.Current.Leak.Accepts(l.CurrentLeak) {
			bad(at("current_leak"), "got %d, want %d..%d", l.CurrentLeak, a.Current.Leak.Min, a.Current.Leak.Max)
		}
		if !a.Membrane.Leak.Accepts(l.MembraneLeak) {
			bad(at("membrane_leak"), "got %d, want %d..%d", l.MembraneLeak, a.Membrane.Leak.Min, a.Membrane.Leak.Max)
		}
		if l.Bias != nil && len(l.Bias) != l.Out {
			bad(at("bias"), "got %d values, want none or one for each of %d neurons", len(l.Bias), l.Out)
		}
		for j, b := range l.Bias {
			if !a.Bias.Accepts(b) {
				want := "0: this arithmetic has no bias"
				if a.Bias.Present {
					want = fmt.Sprintf("a mantissa of s%d times 2^(%d..%d)", a.Bias.Bits, a.Bias.ExpMin, a.Bias.ExpMax)
				}
				bad(at(fmt.Sprintf("bias[%d]", j)), "got %d, want %s", b, want)
				break
			}
		}
		if n := a.Fire.Negative; n.When == BelowNever {
			if l.NegThreshold != 0 || l.NegReset != 0 {
				bad(at("neg_threshold"), "got %d with %s, want none: this arithmetic has no negative threshold", l.NegThreshold, l.NegReset)
			}
		} else {
			if l.NegThreshold < n.Min || l.NegThreshold > n.Max {
				bad(at("neg_threshold"), "got %d, want %d..%d", l.NegThreshold, n.Min, n.Max)
			}
			if !slices.Contains(n.Resets, l.NegReset) {
				bad(at("neg_reset"), "got %s, want one of %v", l.NegReset, n.Resets)
			} else if n.Paired && !l.Integrator && !l.NegReset.Goes(l.Reset) {
				bad(at("neg_reset"), "got %s with reset %s, want the same mode for both", l.NegReset, l.Reset)
			} else if n.Paired && !l.Integrator && l.NegReset == NegValue && l.Reset == ResetZero && l.ResetValue != 0 {
				bad(at("reset_value"), "got %d with reset zero, want 0: the negative reset shares it", l.ResetValue)
			}
		}
		if a.Fire.ResetValue == (Format{}) {
			if l.ResetValue != 0 {
				bad(at("reset_value"), "got %d, want 0: this arithmetic has no reset to a value", l.ResetValue)
			}
		} else if !a.Fire.ResetValue.Contains(l.ResetValue) {
			bad(at("reset_value"), "got %d, want a value of %s", l.ResetValue, a.Fire.ResetValue)
		}
		last := i == len(m.Layers)-1
		if l.Refractory < 0 || l.Refractory > a.Fire.RefractoryMax {
			bad(at("refractory"), "got %d, want 0..%d", l.Refractory, a.Fire.RefractoryMax)
		}
		if most := a.AxonDelayMax; l.Delay < 0 || l.Delay > most {
			bad(at("delay"), "got %d, want 0..%d", l.Delay, most)
		} else if last && l.Delay != 0 {
			bad(at("delay"), "got %d, want 0: the spikes of the last layer go nowhere", l.Delay)
		}
		if l.Integrator != (last && m.Readout == ReadMembrane) {
			bad(at("integrator"), "got %v, want %v with read-out %s", l.Integrator, !l.Integrator, m.Readout)
		}
		if math.IsNaN(l.Scale) || math.IsInf(l.Scale, 0) || l.Scale < 0 {
			bad(at("scale"), "got %v, want a finite number from 0 on", l.Scale)
		}
		if !l.Integrator {
			if !a.Threshold.Contains(l.Threshold) || l.Threshold < 0 {
				bad(at("threshold"), "got %d, want a value of %s from 0 on", l.Threshold, a.Threshold)
			}
		}
		if !l.Integrator || a.Held != 0 {
			if !slices.Contains(a.Fire.Resets, l.Reset) {
				bad(at("reset"), "got %s, want one of %v", l.Reset, a.Fire.Resets)
			}
		}
	}
	if n := len(m.Layers); n > 0 && m.Layers[n-1].Out < 2 {
		bad("outputs", "got %d, want at least 2", m.Layers[n-1].Out)
	}
	if m.Ticks < 1 || m.Ticks > 1<<20 {
		bad("ticks", "got %d, want 1..%d", m.Ticks, 1<<20)
	}
	if int(m.Readout) >= len(readoutNames) {
		bad("readout", "got %d, want membrane or count", m.Readout)
	}
	return errors.Join(errs...)
}

// Inputs and Outputs are the network's outer sizes.
func (m *Model) Inputs() int  { return m.Layers[0].In }
func (m *Model) Outputs() int { return m.Layers[len(m.Layers)-1].Out }

// Neurons and Synapses are the network's totals; every stored weight is a
// synapse, zero weights included.
func (m *Model) Neurons() (n int) {
	for _, l := range m.Layers {
		n += l.Out
	}
	return n
}

// Synapses counts every stored weight.
func (m *Model) Synapses() (n int) {
	for _, l := range m.Layers {
		n += l.In * l.Out
	}
	return n
}
