package vectors

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"glsnn/emulator"
	"glsnn/emulator/machine"
	"glsnn/emulator/reference"
	"glsnn/fixedpoint"
	"glsnn/fixedpoint/artefact"
	"glsnn/targets"
)

// What a file may claim.
const (
	MaxFile  = 1 << 24 // bytes
	maxCases = 10000
	maxTicks = 1 << 16 // of all cases
	maxName  = 200     // bytes
)

// KindNeuron is the kind of case there is: one neuron, tick by tick.
const KindNeuron = "neuron"

// File is a file of vectors.
type File struct {
	Target string `json:"target"`
	Cases  []Case `json:"cases"`
}

// Case is one neuron's run. Input has one entry a tick, and so have those of U,
// V and Spike that are given.
type Case struct {
	Name   string           `json:"name"`
	Note   string           `json:"note,omitempty"` // where the numbers come from
	Kind   string           `json:"kind,omitempty"`
	Params map[string]int64 `json:"params"`
	Input  []int64          `json:"input"`
	U      []int64          `json:"u,omitempty"`
	V      []int64          `json:"v,omitempty"`
	Spike  []int64          `json:"spike,omitempty"`
}

// Parse reads a file of vectors; path is for messages. Errors are
// artefact.LineError.
func Parse(data []byte, path string) (*File, error) {
	fault := func(field string, got any, want string) error {
		return &artefact.LineError{File: path, Field: field, Got: fmt.Sprint(got), Want: want}
	}
	if len(data) > MaxFile {
		return nil, fault("size", len(data), fmt.Sprintf("at most %d bytes", MaxFile))
	}
	var f File
	if err := artefact.DecodeJSON(path, data, "target and cases; of a case name, note, kind, params, input, u, v, spike", &f); err != nil {
		return nil, err
	}
	if f.Target == "" {
		return nil, fault("target", `""`, "a chip's name or the path of its file")
	}
	if n := len(f.Cases); n == 0 || n > maxCases {
		return nil, fault("cases", n, fmt.Sprintf("1..%d", maxCases))
	}
	names, ticks := map[string]bool{}, 0
	for i := range f.Cases {
		c := &f.Cases[i]
		at := func(field string) string { return fmt.Sprintf("cases[%d].%s", i, field) }
		switch n := len(c.Input); {
		case c.Name == "" || len(c.Name) > maxName || strings.ContainsFunc(c.Name, func(r rune) bool { return !unicode.IsPrint(r) }):
			return nil, fault(at("name"), fmt.Sprintf("%.60q", c.Name), fmt.Sprintf("printable text of 1..%d bytes", maxName))
		case names[c.Name]:
			return nil, fault(at("name"), fmt.Sprintf("%.60q again", c.Name), "each name once")
		case c.Kind != "" && c.Kind != KindNeuron:
			return nil, fault(at("kind"), fmt.Sprintf("%.60q", c.Kind), KindNeuron)
		case n == 0 || n > maxTicks-ticks:
			return nil, fault(at("input"), fmt.Sprintf("%d ticks", n), fmt.Sprintf("1..%d, of all cases together", maxTicks))
		}
		names[c.Name] = true
		ticks += len(c.Input)
		for _, e := range []struct {
			key    string
			values []int64
		}{{"u", c.U}, {"v", c.V}, {"spike", c.Spike}} {
			if e.values != nil && len(e.values) != len(c.Input) {
				return nil, fault(at(e.key), fmt.Sprintf("%d values", len(e.values)), fmt.Sprintf("%d, one a tick of input", len(c.Input)))
			}
		}
	}
	return &f, nil
}

// Write writes f as Parse reads it, a line for each key of a case.
func (f *File) Write(w io.Writer) error {
	b := bufio.NewWriter(w)
	value := func(v any) {
		text, err := json.Marshal(v)
		if err != nil {
			panic(err) // integers and strings
		}
		b.Write(text)
	}
	b.WriteString("{\n  \"target\": ")
	value(f.Target)
	b.WriteString(",\n  \"cases\": [")
	for i, c := range f.Cases {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("\n    {\n      \"name\": ")
		value(c.Name)
		for _, text := range []struct{ key, text string }{{"note", c.Note}, {"kind", c.Kind}} {
			if text.text != "" {
				fmt.Fprintf(b, ",\n      %q: ", text.key)
				value(text.text)
			}
		}
		b.WriteString(",\n      \"params\": ")
		value(c.Params)
		for _, list := range []struct {
			key    string
			values []int64
		}{{"input", c.Input}, {"u", c.U}, {"v", c.V}, {"spike", c.Spike}} {
			if list.values != nil {
				fmt.Fprintf(b, ",\n      %q: ", list.key)
				value(list.values)
			}
		}
		b.WriteString("\n    }")
	}
	b.WriteString("\n  ]\n}\n")
	return b.Flush()
}

// Run runs c on both engines in chip's arithmetic and returns c with U, V and
// Spike as they found them; U is nil where the chip has no current. It does not
// look at what c expects. The error is an *emulator.Mismatch where the engines
// differ, ctx's where it is done, else says which parameter or input cannot be.
func (c *Case) Run(ctx context.Context, chip *targets.Chip) (*Case, error) {
	m, spikes, err := c.model(chip)
	if err != nil {
		return nil, err
	}
	got := &Case{Name: c.Name, Note: c.Note, Kind: c.Kind, Params: c.Params, Input: c.Input}
	event, ref, compare := emulator.New(m, emulator.Options{}), reference.New(m, emulator.Options{}), emulator.NewComparer(m)
	var u, v []int64
	for t, x := range c.Input {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		in := spikes.of(x)
		event.Step(in)
		ref.Step(in)
		if d := compare.State(event, ref); d != nil {
			d.Tick = t
			return nil, d
		}
		if chip.Arithmetic.Current.Present {
			u = ref.Current(0, u)
			got.U = append(got.U, u[0])
		}
		v = ref.Membrane(0, v)
		got.V = append(got.V, v[0])
		fired := int64(0)
		for _, j := range ref.Spikes(0) {
			if j == 0 {
				fired++
			}
		}
		got.Spike = append(got.Spike, fired)
	}
	return got, nil
}

// Difference is the first tick in which a case is not as expected.
type Difference struct {
	Tick int          `json:"tick"`
	What machine.What `json:"what"`
	Got  int64        `json:"got"`
	Want int64        `json:"want"`
}

func (d *Difference) String() string {
	return fmt.Sprintf("tick %d: %s: got %d, want %d", d.Tick, d.What, d.Got, d.Want)
}

// Compare is the first difference of got, what Run made of c, to what c
// expects, in the order of a tick: u, v, spike; nil if there is none. A case that
// expects nothing, or a current that the chip does not have, is an error.
func (c *Case) Compare(got *Case) (*Difference, error) {
	if c.U == nil && c.V == nil && c.Spike == nil {
		return nil, errors.New("u, v, spike: got none, want at least one of them")
	}
	if c.U != nil && got.U == nil {
		return nil, errors.New("u: got values, want none: the target has no synaptic current")
	}
	for t := range c.Input {
		for _, e := range []struct {
			what      machine.What
			got, want []int64
		}{{"u", got.U, c.U}, {"v", got.V, c.V}, {machine.Spike, got.Spike, c.Spike}} {
			if e.want != nil && e.got[t] != e.want[t] {
				return &Difference{t, e.what, e.got[t], e.want[t]}, nil
			}
		}
	}
	return nil, nil
}

// feed is a column of weights and the axons whose spikes make an input of it.
type feed struct {
	weights []int16
	top     int64             // the largest weight
	whole   map[int64][]int32 // axons of weights of ±top, as many as an input needs
	rest    map[int64]int32   // axons of the other weights
	spikes  []int32
}

// of lists the axons whose weights add up to x, all of its sign, ascending. The
// slice is good until the next call. Axons that are missing are added.
func (f *feed) of(x int64) []int32 {
	axon := func(weight int64) int32 {
		f.weights = append(f.weights, int16(weight))
		return int32(len(f.weights) - 1)
	}
	full := f.top
	if x < 0 {
		full = -full
	}
	n := int(x / full)
	for len(f.whole[full]) < n {
		f.whole[full] = append(f.whole[full], axon(full))
	}
	f.spikes = append(f.spikes[:0], f.whole[full][:n]...)
	if r := x % full; r != 0 {
		k, ok := f.rest[r]
		if !ok {
			k = axon(r)
			f.rest[r] = k
		}
		f.spikes = append(f.spikes, k)
	}
	slices.Sort(f.spikes)
	return f.spikes
}

// model is the neuron of c as an only layer, and the spikes that bring its
// input. Weights are plain integers as wide as the registers allow, and the sum
// is one that no input overflows, since the input is what the weights add up
// to. An input beyond one weight takes several of its sign, which saturate and
// wrap as one add would. The layer has a second neuron, which no spike moves.
func (c *Case) model(chip *targets.Chip) (*fixedpoint.Model, *feed, error) {
	l, err := chip.Neuron(c.Params)
	if err != nil {
		return nil, nil, prefixed("params.", err)
	}
	a := chip.Arithmetic
	into := a.Membrane.Register // of the input
	bits := min(16, into.Bits)
	if a.Current.Present {
		into = a.Current.Register
		bits = min(bits, into.Bits)
	}
	if a.Bias.Present {
		bits = min(bits, a.Bias.Register.Bits)
		l.Bias = append(l.Bias, 0)
	}
	a.Weight = fixedpoint.Weight{Bits: bits, Signed: true}
	if a.Integrate != fixedpoint.IntegrateMembrane {
		a.Integrate = fixedpoint.IntegrateSum
		a.Sum = fixedpoint.Register{Bits: 32, Signed: true, Overflow: fixedpoint.Saturate}
	}
	l.Out, l.WeightBits = 2, bits
	f := &feed{top: int64(1)<<(bits-1) - 1, whole: map[int64][]int32{}, rest: map[int64]int32{}}
	most, why := min(int64(2)<<into.Bits, 1<<31-1), "twice the range of the register it is added to"
	if a.Update == fixedpoint.PerEvent {
		most, why = f.top, "one event"
	}
	for t, x := range c.Input {
		if x < -most || x > most {
			return nil, nil, fmt.Errorf("input[%d]: got %d, want %d..%d, %s", t, x, -most, most, why)
		}
		f.of(x)
	}
	if len(f.weights) == 0 {
		f.of(1) // a layer has an input, though none comes
	}
	l.In = len(f.weights)
	values := make([]int16, 2*l.In)
	for k, w := range f.weights {
		values[2*k] = w
	}
	l.Weights = fixedpoint.NewMatrix(l.In, 2, values)
	m, err := fixedpoint.NewModel(fixedpoint.Model{Arithmetic: a, Ticks: len(c.Input), Readout: fixedpoint.ReadCount, Layers: []fixedpoint.Layer{l}})
	return m, f, err
}

// prefixed puts prefix before each of the errors that err joins.
func prefixed(prefix string, err error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return fmt.Errorf("%s%w", prefix, err)
	}
	var errs []error
	for _, e := range joined.Unwrap() {
		errs = append(errs, fmt.Errorf("%s%w", prefix, e))
	}
	return errors.Join(errs...)
}
