package emutest

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"glsnn/emulator"
	"glsnn/emulator/machine"
	"glsnn/fixedpoint"
)

// Vectors runs every scenario of a folder, and wants each mode of the contract in
// one of them. A scenario is a text file of lines
// of words; # begins a comment.
//
//	update per_event                            per_tick, if not given
//	integrate membrane                          sum, if not given; there is then no line sum; or split
//	weight s4 exp 0..2                          the arithmetic; kind sign_by_axon, if it is not integer,
//	                                            kind types 8 table 9
//	sum s6 saturate
//	current s6 wrap decay 3 toward_zero 0..8    or: current none
//	membrane s6 saturate decay none             or: … decay shift 0..7 leak toward_zero 0..3 place after_test,
//	                                            or: … decay toward_input 3 half_up 0..8
//	bias s6 wrap mantissa 4 exp 0..1            none, if not given, like all lines down to axon_delay
//	threshold u6
//	fire gt zero subtract
//	reset_value s6
//	negative lt -8..0 saturate value            paired, if it stands last
//	refractory 5
//	extra_spikes 3
//	held 31
//	axon_delay 4
//	readout count                               or: membrane
//	ticks 5
//	delay                                       Options.Delay, if given
//	layer exp 0 du 2 dv 1 threshold 5 reset zero    or: … integrator; also, 0 if not given:
//	      lu 1 lv 1 value 2 refractory 3 below -4 belowreset saturate delay 1; bits 4, if not all
//	biases 3 -4                                 of that layer's neurons, 0 if not given
//	row 3 -2                                    weights of one axon
//	in 0 1                                      one tick's input; then, for layers:
//	at 0 q 3 0 u 3 0 v 3 0 fired 1              expected after it
//	end 0 sum 1 current 0 bias 0 membrane 0     expected overflows, after the last tick
//	scores 3 0
func Vectors(t *testing.T, dir string, newMachine NewMachine) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: no scenarios (%v)", dir, err)
	}
	used := modes{}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			v := vector{t: t, newMachine: newMachine}
			for i, line := range strings.Split(string(text), "\n") {
				line, _, _ = strings.Cut(line, "#")
				if f := strings.Fields(line); len(f) > 0 {
					v.where = fmt.Sprintf("%s:%d", filepath.Base(file), i+1)
					v.line(f[0], f[1:])
				}
			}
			if v.checks == 0 {
				t.Errorf("%v: %s expects nothing", fs.ErrInvalid, file)
			}
			used.add(&v.m)
		})
	}
	used.check(t)
}

// modes are the named modes of a contract that some layer uses.
type modes map[any]bool

func (u modes) add(m *fixedpoint.Model) {
	a := &m.Arithmetic
	for _, x := range []any{a.Update, a.Integrate, a.Weight.Kind, a.Fire.When, a.Fire.Negative.When, a.Sum.Overflow, a.Membrane.Register.Overflow} {
		u[x] = true
	}
	for _, s := range []fixedpoint.State{a.Current, a.Membrane} {
		u[s.Decay.Kind], u[s.Leak.Kind], u[s.Place] = true, true, true
		if s.Decay.FracBits > 0 {
			u[s.Decay.Round] = true
		}
	}
	for _, l := range m.Layers {
		if !l.Integrator {
			u[l.Reset] = true
		}
		if a.Fire.Negative.When != fixedpoint.BelowNever {
			u[l.NegReset] = true
		}
	}
}

func (u modes) check(t *testing.T) {
	t.Helper()
	want(t, u, fixedpoint.PerTick)
	want(t, u, fixedpoint.IntegrateSum)
	want(t, u, fixedpoint.WeightInteger)
	want(t, u, fixedpoint.GT)
	want(t, u, fixedpoint.BelowNever)
	want(t, u, fixedpoint.Saturate)
	want(t, u, fixedpoint.DecayNone)
	want(t, u, fixedpoint.LeakNone)
	want(t, u, fixedpoint.BeforeIntegrate)
	want(t, u, fixedpoint.TowardZero)
	want(t, u, fixedpoint.ResetZero)
	want(t, u, fixedpoint.NegSaturate)
}

// want checks x, the first mode of its kind, and those after it.
func want[E interface {
	~uint8
	MarshalText() ([]byte, error)
}](t *testing.T, used modes, x E) {
	t.Helper()
	for ; ; x++ {
		name, err := x.MarshalText()
		if err != nil {
			return
		}
		if !used[x] {
			t.Errorf("no scenario has %T %s", x, name)
		}
	}
}

type vector struct {
	t          *testing.T
	newMachine NewMachine
	where      string
	m          fixedpoint.Model
	delay      bool
	rows       [][]int64 // of the last layer
	machine    emulator.Machine
	checks     int
}

func (v *vector) fatalf(format string, args ...any) {
	v.t.Helper()
	v.t.Fatalf("%s: %s", v.where, fmt.Sprintf(format, args...))
}

func (v *vector) must(err error) {
	if err != nil {
		v.t.Helper()
		v.fatalf("%v", err)
	}
}

func (v *vector) number(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	v.must(err)
	return n
}

func (v *vector) numbers(s []string) []int64 {
	out := make([]int64, len(s))
	for i := range s {
		out[i] = v.number(s[i])
	}
	return out
}

// span reads 0..8.
func (v *vector) span(s string) (lo, hi int64) {
	a, b, ok := strings.Cut(s, "..")
	if !ok {
		v.fatalf("got %q, want a range such as 0..8", s)
	}
	return v.number(a), v.number(b)
}

func (v *vector) register(f []string) (r fixedpoint.Register) {
	format, err := fixedpoint.ParseFormat(f[0])
	v.must(err)
	v.must(r.Overflow.UnmarshalText([]byte(f[1])))
	r.Bits, r.Signed = format.Bits, format.Signed
	return r
}

func (v *vector) state(f []string) (s fixedpoint.State) {
	if f[0] == "none" {
		return s
	}
	s = fixedpoint.State{Present: true, Register: v.register(f)}
	for f = f[2:]; len(f) > 0; {
		n := 2
		switch f[0] {
		case "decay":
			switch f[1] {
			case "none":
			case "shift", "shift_min_one":
				v.must(s.Decay.Kind.UnmarshalText([]byte(f[1])))
				s.Decay.Min, s.Decay.Max = v.span(f[2])
				n = 3
			default:
				s.Decay.Kind = fixedpoint.DecayMultiply
				if f[1] == "toward_input" {
					s.Decay.Kind = fixedpoint.DecayTowardInput
					f = f[1:]
				}
				s.Decay.FracBits = int(v.number(f[1]))
				v.must(s.Decay.Round.UnmarshalText([]byte(f[2])))
				s.Decay.Min, s.Decay.Max = v.span(f[3])
				n = 4
			}
		case "leak":
			v.must(s.Leak.Kind.UnmarshalText([]byte(f[1])))
			s.Leak.Min, s.Leak.Max = v.span(f[2])
			n = 3
		case "place":
			v.must(s.Place.UnmarshalText([]byte(f[1])))
		default:
			v.fatalf("unknown word %q", f[0])
		}
		f = f[n:]
	}
	return s
}

func (v *vector) line(word string, f []string) {
	a := &v.m.Arithmetic
	switch word {
	case "weight":
		format, err := fixedpoint.ParseFormat(f[0])
		v.must(err)
		lo, hi := v.span(f[2])
		a.Weight = fixedpoint.Weight{Bits: format.Bits, Signed: format.Signed, ExpMin: int(lo), ExpMax: int(hi)}
		if len(f) > 3 {
			v.must(a.Weight.Kind.UnmarshalText([]byte(f[4])))
		}
		if len(f) > 5 {
			a.Weight.Types, a.Weight.TableBits = int(v.number(f[5])), int(v.number(f[7]))
		}
	case "update":
		v.must(a.Update.UnmarshalText([]byte(f[0])))
	case "integrate":
		v.must(a.Integrate.UnmarshalText([]byte(f[0])))
	case "bias":
		lo, hi := v.span(f[5])
		a.Bias = fixedpoint.Bias{Present: true, Register: v.register(f), Bits: int(v.number(f[3])), ExpMin: int(lo), ExpMax: int(hi)}
	case "reset_value":
		var err error
		a.Fire.ResetValue, err = fixedpoint.ParseFormat(f[0])
		v.must(err)
	case "negative":
		n := &a.Fire.Negative
		v.must(n.When.UnmarshalText([]byte(f[0])))
		n.Min, n.Max = v.span(f[1])
		if n.Paired = f[len(f)-1] == "paired"; n.Paired {
			f = f[:len(f)-1]
		}
		n.Resets = make([]fixedpoint.NegReset, len(f)-2)
		for i, r := range f[2:] {
			v.must(n.Resets[i].UnmarshalText([]byte(r)))
		}
	case "refractory":
		a.Fire.RefractoryMax = int(v.number(f[0]))
	case "held":
		a.Held = v.number(f[0])
	case "extra_spikes":
		a.Fire.ExtraSpikes = int(v.number(f[0]))
	case "axon_delay":
		a.AxonDelayMax = int(v.number(f[0]))
	case "biases":
		v.m.Layers[len(v.m.Layers)-1].Bias = v.numbers(f)
	case "sum":
		a.Sum = v.register(f)
	case "current":
		a.Current = v.state(f)
	case "membrane":
		a.Membrane = v.state(f)
	case "threshold":
		var err error
		a.Threshold, err = fixedpoint.ParseFormat(f[0])
		v.must(err)
	case "fire":
		v.must(a.Fire.When.UnmarshalText([]byte(f[0])))
		a.Fire.Resets = make([]fixedpoint.Reset, len(f)-1)
		for i, r := range f[1:] {
			v.must(a.Fire.Resets[i].UnmarshalText([]byte(r)))
		}
	case "readout":
		v.must(v.m.Readout.UnmarshalText([]byte(f[0])))
	case "ticks":
		v.m.Ticks = int(v.number(f[0]))
	case "delay":
		v.delay = true
	case "layer":
		v.endLayer()
		v.m.Layers = append(v.m.Layers, v.layer(f))
	case "row":
		v.rows = append(v.rows, v.numbers(f))
	case "in":
		if v.machine == nil {
			v.endLayer()
			m, err := fixedpoint.NewModel(v.m)
			v.must(err)
			v.machine = v.newMachine(m, emulator.Options{Delay: v.delay})
		}
		in := make([]int32, len(f))
		for i := range f {
			in[i] = int32(v.number(f[i]))
		}
		v.machine.Step(in)
	case "at":
		v.expectState(int(v.number(f[0])), f[1:])
	case "end":
		got := v.machine.Counters().Layers[v.number(f[0])]
		for i := 1; i+1 < len(f); i += 2 {
			n := map[string]uint64{"sum": got.SumOverflows, "current": got.CurrentOverflows, "bias": got.BiasOverflows, "membrane": got.MembraneOverflows}
			v.expect(f[i]+" overflows", []int64{int64(n[f[i]])}, f[i+1:i+2])
		}
	case "scores":
		v.expect("scores", v.machine.Scores(nil), f)
	default:
		v.fatalf("unknown word %q", word)
	}
}

func (v *vector) layer(f []string) (l fixedpoint.Layer) {
	l.WeightBits = v.m.Arithmetic.Weight.Bits
	for ; len(f) > 0; f = f[1:] {
		if f[0] == "integrator" {
			l.Integrator = true
			continue
		}
		switch f[0] {
		case "exp":
			l.WeightExp = int(v.number(f[1]))
		case "bits":
			l.WeightBits = int(v.number(f[1]))
		case "du":
			l.CurrentDecay = v.number(f[1])
		case "dv":
			l.MembraneDecay = v.number(f[1])
		case "threshold":
			l.Threshold = v.number(f[1])
		case "reset":
			v.must(l.Reset.UnmarshalText([]byte(f[1])))
		case "lu":
			l.CurrentLeak = v.number(f[1])
		case "lv":
			l.MembraneLeak = v.number(f[1])
		case "value":
			l.ResetValue = v.number(f[1])
		case "refractory":
			l.Refractory = int(v.number(f[1]))
		case "below":
			l.NegThreshold = v.number(f[1])
		case "belowreset":
			v.must(l.NegReset.UnmarshalText([]byte(f[1])))
		case "delay":
			l.Delay = int(v.number(f[1]))
		default:
			v.fatalf("unknown word %q", f[0])
		}
		f = f[1:]
	}
	return l
}

// endLayer gives the last layer the rows read since.
func (v *vector) endLayer() {
	if len(v.m.Layers) == 0 {
		return
	}
	l := &v.m.Layers[len(v.m.Layers)-1]
	var values []int16
	for _, row := range v.rows {
		for _, w := range row {
			values = append(values, int16(w))
		}
		l.Out = len(row)
	}
	l.In = len(v.rows)
	l.Weights = fixedpoint.NewMatrix(l.In, l.Out, values)
	v.rows = nil
}

// expectState reads: q 3 0 u 3 0 v 3 0 fired 1. Each part is optional.
func (v *vector) expectState(layer int, f []string) {
	words := []string{"q", "u", "v", "fired"}
	for len(f) > 0 {
		end := 1
		for end < len(f) && !slices.Contains(words, f[end]) {
			end++
		}
		var got []int64
		what := machine.Spike
		switch f[0] {
		case "q":
			what, got = machine.Sum, v.machine.Sum(layer, nil)
		case "u":
			what, got = machine.Current, v.machine.Current(layer, nil)
		case "v":
			what, got = machine.Membrane, v.machine.Membrane(layer, nil)
		case "fired":
			for _, j := range v.machine.Spikes(layer) {
				got = append(got, int64(j))
			}
		default:
			v.fatalf("unknown word %q", f[0])
		}
		v.expect(string(what), got, f[1:end])
		f = f[end:]
	}
}

func (v *vector) expect(what string, got []int64, want []string) {
	v.checks++
	if w := v.numbers(want); !slices.Equal(got, w) {
		v.t.Errorf("%s: %s: got %v, want %v", v.where, what, got, w)
	}
}
