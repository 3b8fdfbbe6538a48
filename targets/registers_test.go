package targets

import (
	"reflect"
	"strings"
	"testing"

	"glsnn/fixedpoint"
)

// TestNeuron: raw registers and what a neuron then computes with, by the
// formulas of each chip's section.
func TestNeuron(t *testing.T) {
	for _, c := range []struct {
		chip string
		raw  map[string]int64
		want fixedpoint.Layer
	}{
		// u keeps (4096 - (du + 1))/4096, v (4096 - dv)/4096, the threshold is vth x 2^6.
		{"loihi", map[string]int64{"du": 0, "dv": 0, "vth": 1, "bias": 4095 << 7, "refractory": 63},
			fixedpoint.Layer{CurrentDecay: 1, Threshold: 64, Bias: []int64{524160}, Refractory: 63}},
		{"loihi", map[string]int64{"du": 4095, "dv": 4095, "vth": 131071, "bias": -4096, "refractory": 1},
			fixedpoint.Layer{CurrentDecay: 4096, MembraneDecay: 4095, Threshold: 131071 * 64, Bias: []int64{-4096}, Refractory: 1}},
		{"loihi2", map[string]int64{"du": 409, "dv": 128, "vth": 100, "bias": 0},
			fixedpoint.Layer{CurrentDecay: 410, MembraneDecay: 128, Threshold: 6400, Bias: []int64{0}}},
		{"generic", map[string]int64{"current_decay": 4096, "membrane_decay": 7, "threshold": 3, "reset": 1},
			fixedpoint.Layer{CurrentDecay: 4096, MembraneDecay: 7, Threshold: 3, Reset: fixedpoint.ResetSubtract}},
		{"tinyodin", map[string]int64{"thr": 4095, "leak": 127}, fixedpoint.Layer{Threshold: 4095, MembraneLeak: 127}},
		{"odin-event", map[string]int64{"thr": 9, "leak_str": 1}, fixedpoint.Layer{Threshold: 9, MembraneLeak: 1}},
		{"ranc", map[string]int64{"leak": -3, "reset_potential": -5, "positive_threshold": 255, "negative_threshold": -256, "reset_mode": 0},
			fixedpoint.Layer{MembraneLeak: -3, ResetValue: -5, Threshold: 255, NegThreshold: -256, Reset: fixedpoint.ResetValue, NegReset: fixedpoint.NegValue}},
		{"ranc-w8", map[string]int64{"leak": 0, "reset_potential": 0, "positive_threshold": 1, "negative_threshold": 2, "reset_mode": 1},
			fixedpoint.Layer{Threshold: 1, NegThreshold: 2, Reset: fixedpoint.ResetSubtract, NegReset: fixedpoint.NegSubtract}},
		{"paicore", map[string]int64{"leak_v": 1, "reset_v": 2, "pos_threshold": 3, "neg_threshold": 4, "reset_mode": 2, "neg_thres_mode": 0},
			fixedpoint.Layer{MembraneLeak: 1, ResetValue: 2, Threshold: 3, NegThreshold: -4, Reset: fixedpoint.ResetNone, NegReset: fixedpoint.NegNone}},
		{"paicore", map[string]int64{"leak_v": 0, "reset_v": 0, "pos_threshold": 0, "neg_threshold": 536870911, "reset_mode": 0, "neg_thres_mode": 1},
			fixedpoint.Layer{NegThreshold: -536870911, Reset: fixedpoint.ResetValue}},
	} {
		chip, err := Load(c.chip)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := chip.Neuron(c.raw); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s %v: got %+v, %v, want %+v", c.chip, c.raw, got, err, c.want)
		}
	}
}

func TestNeuronRefuses(t *testing.T) {
	loihi, err := Load("loihi")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]int64{"du": 0, "dv": 0, "vth": 0, "bias": 0, "refractory": 0}
	for _, c := range []struct {
		name  string
		value int64
		drop  bool
		want  string
	}{
		{"du", 4096, false, "du: got 4096, want 0..4095"},
		{"vth", -1, false, "vth: got -1, want 0..131071"},
		{"bias", 4097, false, "bias: got 4097, want a mantissa of s13 times 2^(0..7)"},
		{"dv", 0, true, "dv: got nothing, want 0..4095: target loihi has bias, du, dv, refractory, vth"},
		{"threshold", 0, false, "threshold: got a register that target loihi does not have, want one of bias, du, dv, refractory, vth"},
	} {
		raw := map[string]int64{}
		for k, v := range all {
			raw[k] = v
		}
		if raw[c.name] = c.value; c.drop {
			delete(raw, c.name)
		}
		if _, err := loihi.Neuron(raw); err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
	for name, want := range map[string]string{"truenorth": "not known", "": "registers: got none"} {
		chip := &Chip{Name: "x", Arithmetic: loihi.Arithmetic}
		if name != "" {
			if chip, err = Load(name); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := chip.Neuron(nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", name, err, want)
		}
	}
}

// TestEveryRegister: chips whose arithmetic is known list their registers, and
// every end of every range is taken.
func TestEveryRegister(t *testing.T) {
	for _, name := range Names() {
		chip, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		if chip.Known("arithmetic") != nil {
			continue
		}
		low, high := map[string]int64{}, map[string]int64{}
		for n, r := range chip.Registers {
			low[n], high[n] = r.limits()
		}
		for _, raw := range []map[string]int64{low, high} {
			if _, err := chip.Neuron(raw); err != nil {
				t.Errorf("%s: %v: %v", name, raw, err)
			}
		}
	}
}

// TestRegisters edits the section of toy.yaml and of others: each fault once,
// with its line, and none caused by another.
func TestRegisters(t *testing.T) {
	const du = "current_decay: {sets: current_decay, min: 0, max: 8}"
	for _, c := range []struct{ file, old, new, want string }{
		{"toy", du, "current_decay: {sets: current_decay, min: 0, max: 9}", "registers.current_decay.max: got 9, current_decay 9, want 0..8"},
		{"toy", du, "current_decay: {sets: current_decay, min: 0, max: 4, times: 2}", ""},
		{"toy", du, "current_decay: {sets: current_decay, min: -8, max: 0, times: -1}", ""},
		{"toy", du, "current_decay: {sets: current_decay, min: 0, max: 8, plus: -1}", "registers.current_decay.min: got 0, current_decay -1, want 0..8"},
		{"toy", du, "current_decay: {sets: current_decay, min: 8, max: 0}", "registers.current_decay.max: got 0, want 8..2147483648"},
		{"toy", du, "current_decay: {sets: current_decay, min: 0}", "registers.current_decay.max: got nothing, want a decimal integer"},
		{"toy", du, "current_decay: {sets: bias, min: 0, max: 8}", "registers: got none that sets current_decay, want one: the arithmetic has it\nregisters.current_decay.sets: got \"bias\", want one of current_decay, membrane_decay, threshold, reset"},
		{"toy", du, "current_decay: {sets: reset, modes: [zero]}", "registers: got none that sets current_decay, want one: the arithmetic has it\nregisters.reset.sets: got reset, want it once; current_decay sets it"},
		{"toy", du, "current_decay: {sets: current_decay, min: 0, max: 8, modes: [zero]}", "registers.current_decay.modes: got modes, want min and max: current_decay is a number"},
		{"toy", du + "\n  ", "", "registers: got none that sets current_decay, want one: the arithmetic has it"},
		{"toy", "modes: [zero, subtract]", "modes: [zero, value]", "registers.reset.modes[1]: got \"value\", want one of zero, subtract"},
		{"toy", "modes: [zero, subtract]", "modes: []", "registers.reset: got a range, want modes only: reset is a mode"},
		{"toy", "modes: [zero, subtract]", "modes: [zero], max: 1", "registers.reset: got a range, want modes only: reset is a mode"},
		{"loihi", "times: 64", "times: 32", "registers.vth.max: got 131071, threshold 4194272, want a value of u17e6 from 0 on\nregisters.vth.times: got 32, want a multiple of 64"},
		{"loihi", "times: 64", "times: 128", "registers.vth.max: got 131071, threshold 16777088, want a value of u17e6 from 0 on"},
		{"paicore", "modes: [paired, saturate]", "modes: [saturate, paired]", ""},
	} {
		data, err := builtin.ReadFile(c.file + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Replace(string(data), c.old, c.new, 1)
		if text == string(data) {
			t.Fatalf("%s: not in %s.yaml", c.old, c.file)
		}
		_, err = Parse([]byte(text), "t.yaml")
		var got []string
		for _, f := range FieldErrors(err) {
			if f.Line == 0 {
				t.Errorf("%s: %v: no line", c.new, f)
			}
			got = append(got, strings.SplitN(f.Error(), ": ", 2)[1])
		}
		if strings.Join(got, "\n") != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", c.new, strings.Join(got, "\n"), c.want)
		}
	}
	// Without the section a chip is whole: only raw registers have no meaning.
	data, _ := builtin.ReadFile("toy.yaml")
	before, rest, _ := strings.Cut(string(data), "registers:\n")
	_, after, _ := strings.Cut(rest, "\ncore:")
	if c, err := Parse([]byte(before+"core:"+after), "t.yaml"); err != nil || c.Registers != nil {
		t.Errorf("got %v, %v", c, err)
	}
}
