package fixedpoint

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Model is a quantised network in one Arithmetic. It is immutable: NewModel
// copies what it is given, nothing writes to it afterwards, and an engine that
// learns works on its own copy of the weights.
//
// Invariants, checked by NewModel in this order:
//  1. the Arithmetic is valid;
//  2. there is at least one layer, and layer l's In is layer l−1's Out;
//  3. weights, exponents, decays, thresholds and resets lie in the Arithmetic;
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
	Integrator    bool    // never fires: a read-out layer
	Scale         float64 // real = weight × Scale, for reports only; 0 if unknown
}

// Matrix is a dense block of weights, row-major, in the narrowest Go type that
// holds them.
type Matrix struct {
	rows, cols int
	i8         []int8
	i16        []int16
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

// Equal says whether m and o have the same shape and values.
func (m Matrix) Equal(o Matrix) bool {
	return m.rows == o.rows && m.cols == o.cols && slices.Equal(m.i8, o.i8) && slices.Equal(m.i16, o.i16)
}

// NewModel returns a checked copy of m, or every fault found.
func NewModel(m Model) (*Model, error) {
	m.Layers = slices.Clone(m.Layers)
	m.Arithmetic.Fire.Resets = slices.Clone(m.Arithmetic.Fire.Resets)
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
		least := 1
		if a.Weight.Signed {
			least = 2
		}
		if l.WeightBits < least || l.WeightBits > a.Weight.Bits {
			bad(at("weight_bits"), "got %d, want %d..%d", l.WeightBits, least, a.Weight.Bits)
			continue
		}
		f := Format{Bits: l.WeightBits, Signed: a.Weight.Signed}
		lo, hi := f.Min(), f.Max()
		for k := range l.In * l.Out {
			if w := l.Weights.At(k/l.Out, k%l.Out); w < lo || w > hi {
				bad(at(fmt.Sprintf("weights[%d][%d]", k/l.Out, k%l.Out)), "got %d, want %d..%d", w, lo, hi)
				break
			}
		}
		if l.WeightExp < a.Weight.ExpMin || l.WeightExp > a.Weight.ExpMax {
			bad(at("weight_exp"), "got %d, want %d..%d", l.WeightExp, a.Weight.ExpMin, a.Weight.ExpMax)
		}
		if !a.Current.Present && l.CurrentDecay != 0 {
			bad(at("current_decay"), "got %d, want 0: this arithmetic has no synaptic current", l.CurrentDecay)
		}
		if a.Current.Present && !a.Current.Decay.Accepts(l.CurrentDecay) {
			bad(at("current_decay"), "got %d, want %d..%d", l.CurrentDecay, a.Current.Decay.Min, a.Current.Decay.Max)
		}
		if !a.Membrane.Decay.Accepts(l.MembraneDecay) {
			bad(at("membrane_decay"), "got %d, want %d..%d", l.MembraneDecay, a.Membrane.Decay.Min, a.Membrane.Decay.Max)
		}
		last := i == len(m.Layers)-1
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
