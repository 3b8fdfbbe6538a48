package learn

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"glsnn/fixedpoint"
)

// Rule is every constant of learning on a chip; doc.go says what each does.
type Rule struct {
	Mode      Mode            `json:"mode"`
	Trace     Trace           `json:"trace"`
	Window    Window          `json:"window"`
	Error     Error           `json:"error"`
	Feedback  FeedbackFormat  `json:"feedback"`
	Acc       Accumulator     `json:"accumulator"`
	Low       int             `json:"low_bits"` // bits of a stored weight below the chip's weight, 0..16
	Round     Rounding        `json:"round"`
	DropEvery uint64          `json:"drop_every"` // samples after which every shift grows by one; 0: never
	DropMost  int             `json:"drop_most"`  // how often at most
	Random    fixedpoint.LFSR `json:"lfsr"`
	Seed      uint64          `json:"seed"`   // of the random register, the feedback and fresh weights
	Layers    []LayerRule     `json:"layers"` // one a layer, the output's without a window
}

// Mode is when weights change.
type Mode string

const (
	PerSample Mode = "per_sample" // once, from accumulated errors
	PerEvent  Mode = "per_event"  // at each error spike
)

// Trace is the memory of an axon's spikes. A count is Impulse 1 without decay.
type Trace struct {
	Bits    int              `json:"bits"`
	Impulse int64            `json:"impulse"`
	Decay   fixedpoint.Decay `json:"decay"`
	Param   int64            `json:"param"` // d of Decay
}

// Window is the local condition of a hidden neuron.
type Window struct {
	State WindowState `json:"state"`
	Bits  int         `json:"bits"` // of the drive's register; 0 for the others
}

// WindowState is what the window is compared with.
type WindowState string

const (
	WindowDrive WindowState = "drive" // u summed over the ticks
	WindowCount WindowState = "count" // the neuron's spikes
	WindowNone  WindowState = "none"  // always open
)

// Error is how an output's score becomes its error.
type Error struct {
	High  int64 `json:"high"` // what the labelled output's score should reach
	Low   int64 `json:"low"`  // what the others' should not pass
	Shift int   `json:"shift"`
	Bits  int   `json:"bits"`
}

// FeedbackFormat is where hidden layers' errors come from.
type FeedbackFormat struct {
	Source FeedbackSource `json:"source"`
	Bits   int            `json:"bits"` // of a feedback weight; 2 is ternary
	Exp    uint           `json:"exp"`  // one stands for B·2^Exp
}

// FeedbackSource names the weights that carry errors to the last hidden layer.
// Layers below it always have random ones.
type FeedbackSource string

const (
	FeedbackRandom FeedbackSource = "random" // fixed, eq. 6
	FeedbackOutput FeedbackSource = "output" // the output layer's own, eq. 5
)

// Accumulator is a hidden neuron's sum of errors and the modulator made of it.
type Accumulator struct {
	Bits      int  `json:"bits"`
	Shift     uint `json:"shift"`
	Modulator int  `json:"modulator_bits"`
}

// LayerRule is what differs from layer to layer.
type LayerRule struct {
	Shift    int   `json:"shift"`
	WindowLo int64 `json:"window_lo"`
	WindowHi int64 `json:"window_hi"`
}

// Rounding is what happens to the bits of an update below the stored weight.
type Rounding string

const (
	RoundStochastic Rounding = "stochastic"
	RoundCarry      Rounding = "carry"
	RoundNearest    Rounding = "nearest"
)

// Unsupported says why networks in arithmetic a cannot learn by r, nil if they
// can.
func (r Rule) Unsupported(a fixedpoint.Arithmetic) error {
	var errs []error
	if a.Weight.Kind == fixedpoint.WeightSignByAxon {
		errs = append(errs, fmt.Errorf("weight.kind: got %s, want another: an update may change a weight's sign", a.Weight.Kind))
	}
	if r.Window.State == WindowDrive && a.Integrate == fixedpoint.IntegrateMembrane {
		errs = append(errs, fmt.Errorf("window.state: got %s with integrate %s, want %s or %s: there is no sum of a tick", WindowDrive, a.Integrate, WindowCount, WindowNone))
	}
	return errors.Join(errs...)
}

// Validate checks r against the network it is to teach and lists every fault.
func (r Rule) Validate(m *fixedpoint.Model) error {
	var errs []error
	bad := func(ok bool, field string, got any, want string) {
		if !ok {
			errs = append(errs, fmt.Errorf("%s: got %v, want %s", field, got, want))
		}
	}
	between := func(field string, got, lo, hi int64) {
		bad(got >= lo && got <= hi, field, got, fmt.Sprintf("%d..%d", lo, hi))
	}
	bad(r.Mode == PerSample || r.Mode == PerEvent, "mode", r.Mode, "per_sample or per_event")
	between("trace.bits", int64(r.Trace.Bits), 1, 16)
	between("trace.impulse", r.Trace.Impulse, 1, 1<<16-1)
	switch d := r.Trace.Decay; d.Kind {
	case fixedpoint.DecayNone:
		bad(d == fixedpoint.Decay{} && r.Trace.Param == 0, "trace.decay", d, "no parameters with kind none")
	case fixedpoint.DecayMultiply, fixedpoint.DecayByShift, fixedpoint.DecayByShiftMinOne:
		if d.Kind == fixedpoint.DecayMultiply {
			between("trace.decay.frac_bits", int64(d.FracBits), 1, 16)
			between("trace.param", r.Trace.Param, 0, int64(1)<<min(max(d.FracBits, 0), 16))
			bad(slices.Contains(fixedpoint.RoundModes(), d.Round), "trace.decay.round", d.Round, "a rounding")
		} else {
			between("trace.param", r.Trace.Param, 0, 31)
		}
	default:
		bad(false, "trace.decay.kind", d.Kind, "none, multiply, shift or shift_min_one")
	}
	switch r.Window.State {
	case WindowDrive:
		between("window.bits", int64(r.Window.Bits), 2, 40)
	case WindowCount, WindowNone:
		bad(r.Window.Bits == 0, "window.bits", r.Window.Bits, "0 without a drive")
	default:
		bad(false, "window.state", r.Window.State, "drive, count or none")
	}
	bad(r.Error.Low <= r.Error.High, "error.low", r.Error.Low, fmt.Sprintf("at most the %d of error.high", r.Error.High))
	between("error.high", r.Error.High, -(1 << 40), 1<<40)
	between("error.low", r.Error.Low, -(1 << 40), 1<<40)
	between("error.shift", int64(r.Error.Shift), -16, 40)
	between("error.bits", int64(r.Error.Bits), 2, 16)
	bad(r.Feedback.Source == FeedbackRandom || r.Feedback.Source == FeedbackOutput, "feedback.source", r.Feedback.Source, "random or output")
	between("feedback.bits", int64(r.Feedback.Bits), 2, 16)
	between("feedback.exp", int64(r.Feedback.Exp), 0, 12)
	between("accumulator.bits", int64(r.Acc.Bits), 4, 40)
	between("accumulator.shift", int64(r.Acc.Shift), 0, 39)
	between("accumulator.modulator_bits", int64(r.Acc.Modulator), 2, 16)
	between("low_bits", int64(r.Low), 0, 14)
	bad(r.Round == RoundStochastic || r.Round == RoundCarry || r.Round == RoundNearest, "round", r.Round, "stochastic, carry or nearest")
	between("drop_most", int64(r.DropMost), 0, 30)
	if err := r.Random.Validate(); err != nil {
		errs = append(errs, fmt.Errorf("lfsr.%w", err))
	}
	if len(r.Layers) != len(m.Layers) {
		bad(false, "layers", len(r.Layers), fmt.Sprintf("%d, one for each of the network's", len(m.Layers)))
		return errors.Join(errs...)
	}
	for l, k := range r.Layers {
		at := fmt.Sprintf("layer %d: ", l)
		// Draws have at most 31 bits.
		most := int64(r.Low) + 31 - int64(max(0, min(r.DropMost, 30)))
		if r.Mode == PerEvent && l < len(r.Layers)-1 {
			most -= int64(r.Acc.Shift)
		}
		between(at+"shift", int64(k.Shift), int64(r.Low), most)
		bad(k.WindowLo <= k.WindowHi, at+"window_lo", k.WindowLo, fmt.Sprintf("at most the %d of window_hi", k.WindowHi))
		if b := m.Layers[l].WeightBits; b > m.Arithmetic.Weight.Bits {
			bad(false, at+"weight_bits", b, fmt.Sprintf("at most %d: the layer's weights have one sign, and an update may change it", m.Arithmetic.Weight.Bits))
		}
	}
	if err := r.Unsupported(m.Arithmetic); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Shift is the shift of layer l for the sample after m others.
func (r *Rule) Shift(l int, m uint64) uint {
	s := uint(r.Layers[l].Shift)
	if r.DropEvery > 0 {
		s += uint(min(uint64(r.DropMost), m/r.DropEvery))
	}
	if r.Mode == PerEvent && l < len(r.Layers)-1 {
		s += r.Acc.Shift
	}
	return s
}

// Stored is the range of the stored weights of a layer of m.
func (r *Rule) Stored(m *fixedpoint.Model, l int) (lo, hi int64) {
	lo, hi = m.Arithmetic.Weight.Range(m.Layers[l].WeightBits)
	return lo << r.Low, (hi+1)<<r.Low - 1
}

// Random reports whether hidden layer l of a network with layers layers has
// random feedback weights.
func (r *Rule) randomFeedback(l, layers int) bool {
	return l < layers-1 && (r.Feedback.Source == FeedbackRandom || l < layers-2)
}

// Memory is the bits that learning adds to a network.
type Memory struct {
	LowBits      int64 `json:"low_bits"`      // of all synapses
	Traces       int64 `json:"traces"`        // of all axons
	Drives       int64 `json:"drives"`        // of hidden neurons
	Accumulators int64 `json:"accumulators"`  // of hidden neurons, modulators not included: they can take their place
	Errors       int64 `json:"errors"`        // of output neurons
	Feedback     int64 `json:"feedback"`      // of B
	Residuals    int64 `json:"residuals"`     // of neurons
	Random       int64 `json:"random"`        // of the random register
	PerSynapse   int   `json:"a_synapse"`     // of a synapse, its weight included
	Weights      int64 `json:"weights_alone"` // of the weights, which the network has anyway
}

// Total is the sum of what learning adds.
func (m Memory) Total() int64 {
	return m.LowBits + m.Traces + m.Drives + m.Accumulators + m.Errors + m.Feedback + m.Residuals + m.Random
}

// Memory counts the bits for network m.
func (r *Rule) Memory(m *fixedpoint.Model) Memory {
	var b Memory
	for l, k := range m.Layers {
		out := int64(k.Out)
		b.Weights += int64(k.In) * out * int64(k.WeightBits)
		b.PerSynapse = max(b.PerSynapse, k.WeightBits+r.Low)
		b.LowBits += int64(k.In) * out * int64(r.Low)
		b.Traces += int64(k.In) * int64(r.Trace.Bits)
		if r.Round == RoundCarry {
			b.Residuals += out * int64(r.Shift(l, 1<<63)-uint(r.Low))
		}
		if l == len(m.Layers)-1 {
			b.Errors = out * int64(r.Error.Bits)
			continue
		}
		b.Drives += out * int64(r.Window.Bits)
		if r.Mode == PerSample {
			b.Accumulators += out * int64(r.Acc.Bits)
		}
		if r.randomFeedback(l, len(m.Layers)) {
			b.Feedback += int64(m.Outputs()) * out * int64(r.Feedback.Bits)
		}
	}
	if r.Round == RoundStochastic {
		b.Random = int64(r.Random.Bits)
	}
	return b
}

// ParseOneOf reads one of some names.
func ParseOneOf[T ~string](s string, of ...T) (T, error) {
	if slices.Contains(of, T(s)) {
		return T(s), nil
	}
	names := make([]string, len(of))
	for i, n := range of {
		names[i] = string(n)
	}
	return "", fmt.Errorf("got %q, want one of %s", s, strings.Join(names, ", "))
}
