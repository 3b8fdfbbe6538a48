package vectors

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"glsnn/fixedpoint/artefact"
	"glsnn/targets"
)

const dir = "../testdata/vectors"

func read(t testing.TB, file string) ([]byte, *File) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	f, err := Parse(data, file)
	if err != nil {
		t.Fatal(err)
	}
	return data, f
}

// TestShipped runs the hand-worked files, one for each chip whose arithmetic is
// known, and sees that a changed value is found.
func TestShipped(t *testing.T) {
	for _, name := range targets.Names() {
		chip, err := targets.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		if chip.Known("arithmetic") != nil {
			continue
		}
		_, f := read(t, filepath.Join(dir, name+".json"))
		if f.Target != name {
			t.Errorf("%s.json: target: got %s", name, f.Target)
		}
		for _, c := range f.Cases {
			got, err := c.Run(context.Background(), chip)
			if err != nil {
				t.Errorf("%s: %s: %v", name, c.Name, err)
				continue
			}
			if d, err := c.Compare(got); d != nil || err != nil {
				t.Errorf("%s: %s: %v, %v", name, c.Name, d, err)
			}
			last := len(c.Input) - 1
			for _, part := range []*[]int64{&c.U, &c.V, &c.Spike} {
				if *part == nil {
					continue
				}
				whole := *part
				*part = slices.Clone(whole)
				(*part)[last]++
				if d, err := c.Compare(got); err != nil || d == nil || d.Tick != last || d.Want != d.Got+1 {
					t.Errorf("%s: %s: %v, %v, want a difference in tick %d", name, c.Name, d, err, last)
				}
				*part = whole
			}
		}
		var out bytes.Buffer
		if err := f.Write(&out); err != nil {
			t.Fatal(err)
		}
		if again, err := Parse(out.Bytes(), "again"); err != nil || !reflect.DeepEqual(again, f) {
			t.Errorf("%s: written and read: %v, %v", name, again, err)
		}
	}
}

// TestInputs: an input of any size comes as one add. Sums of several weights of
// one sign are what a wrapping and a saturating register make of their total.
func TestInputs(t *testing.T) {
	for _, c := range []struct {
		chip   string
		params map[string]int64
		in, v  []int64
	}{
		{"tinyodin", map[string]int64{"thr": 4095, "leak": 0}, []int64{8191, -8191, 8000}, []int64{2047, -2048, 2047}},
		{"ranc", map[string]int64{"leak": 0, "reset_potential": 0, "positive_threshold": 255, "negative_threshold": -256, "reset_mode": 1},
			[]int64{1000, -1024}, []int64{1000 - 1024, 1000 - 1024}},
		{"loihi", map[string]int64{"du": 4095, "dv": 0, "vth": 131071, "bias": 0, "refractory": 0},
			[]int64{33554431, -33554432 + 4, 32768}, []int64{-1, 3, 32771}},
	} {
		chip, err := targets.Load(c.chip)
		if err != nil {
			t.Fatal(err)
		}
		got, err := (&Case{Name: "x", Params: c.params, Input: c.in}).Run(context.Background(), chip)
		if err != nil || !slices.Equal(got.V, c.v) {
			t.Errorf("%s: got %+v, %v, want %v", c.chip, got, err, c.v)
		}
	}
}

func TestRunRefuses(t *testing.T) {
	loihi := func() map[string]int64 {
		return map[string]int64{"du": 0, "dv": 0, "vth": 1, "bias": 0, "refractory": 0}
	}
	du, missing := loihi(), loihi()
	du["du"] = 4096
	delete(missing, "dv")
	missing["threshold"] = 3
	for _, c := range []struct {
		chip string
		c    Case
		want string
	}{
		{"loihi", Case{Params: du, Input: []int64{1}}, "params.du: got 4096, want 0..4095"},
		{"loihi", Case{Params: missing, Input: []int64{1}}, "params.threshold: got a register that target loihi does not have, want one of bias, du, dv, refractory, vth\n" +
			"params.dv: got nothing, want 0..4095: target loihi has bias, du, dv, refractory, vth"},
		{"loihi", Case{Params: loihi(), Input: []int64{0, 1 << 26}}, "input[1]: got 67108864, want -33554432..33554432, twice the range of the register it is added to"},
		{"odin-event", Case{Params: map[string]int64{"thr": 1, "leak_str": 0}, Input: []int64{128}}, "input[0]: got 128, want -127..127, one event"},
		{"truenorth", Case{Input: []int64{0}}, "params.target truenorth: arithmetic is not known"},
	} {
		chip, err := targets.Load(c.chip)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.c.Run(context.Background(), chip); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
	tiny, err := targets.Load("tinyodin")
	if err != nil {
		t.Fatal(err)
	}
	c := Case{Params: map[string]int64{"thr": 1, "leak": 0}, Input: []int64{1}}
	got, err := c.Run(context.Background(), tiny)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Compare(got); err == nil || err.Error() != "u, v, spike: got none, want at least one of them" {
		t.Errorf("got %v", err)
	}
	c.U = []int64{1}
	if _, err := c.Compare(got); err == nil || err.Error() != "u: got values, want none: the target has no synaptic current" {
		t.Errorf("got %v", err)
	}
	done, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := c.Run(done, tiny); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestParseRefuses(t *testing.T) {
	const whole = `{"target": "toy", "cases": [{"name": "a", "params": {"x": 1}, "input": [1, 2], "v": [1, 2]}]}`
	for _, c := range []struct{ old, new, want string }{
		{"toy", "", `f: target: got "", want a chip's name or the path of its file`},
		{`"target": "toy", `, "", "f: target: got nothing, want a value"},
		{`"name": "a"`, `"name": ""`, `f: cases[0].name: got "", want printable text of 1..200 bytes`},
		{`"name": "a"`, `"name": "a", "kind": "trace"`, `f: cases[0].kind: got "trace", want neuron`},
		{`"name": "a"`, `"name": "a", "colour": 1`, `f: object: got unknown field "colour", want target and cases; of a case name, note, kind, params, input, u, v, spike`},
		{`"name": "a"`, `"name": "a", "name": "b"`, "f:1: name: got the key again, want it once"},
		{`"x": 1`, `"x": 1, "x": 2`, "f:1: x: got the key again, want it once"},
		{`"x": 1`, `"x": 1.5`, "f:1: cases.params: got number 1.5, want int64"},
		{`"x": 1`, `"x": true`, "f:1: cases.params: got bool, want int64"},
		{`{"x": 1}`, `null`, "f: cases.0.params: got null, want a value"},
		{`[1, 2], "v"`, `[], "v"`, "f: cases[0].input: got 0 ticks, want 1..65536, of all cases together"},
		{`"v": [1, 2]`, `"v": [1]`, "f: cases[0].v: got 1 values, want 2, one a tick of input"},
		{`"v": [1, 2]`, `"spike": []`, "f: cases[0].spike: got 0 values, want 2, one a tick of input"},
		{`[{`, `[{}, {`, "f: cases.0.input: got nothing, want a value"},
		{`"cases": [{"name": "a", "params": {"x": 1}, "input": [1, 2], "v": [1, 2]}]`, `"cases": []`, "f: cases: got 0, want 1..10000"},
		{`}]}`, `}, {"name": "a", "params": {}, "input": [0]}]}`, `f: cases[1].name: got "a" again, want each name once`},
		{`}]}`, `}]} x`, "f:1: text: got more after the object, want its end"},
		{`}]}`, `}]`, "f:1: text: got the end of the file, want a whole object"},
	} {
		text := strings.Replace(whole, c.old, c.new, 1)
		if text == whole {
			t.Fatalf("%s: not there", c.old)
		}
		if _, err := Parse([]byte(text), "f"); err == nil || err.Error() != c.want || !errors.Is(err, artefact.ErrCorrupt) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
	if _, err := Parse(make([]byte, MaxFile+1), "f"); err == nil || err.Error() != "f: size: got 16777217, want at most 16777216 bytes" {
		t.Errorf("got %v", err)
	}
}

// FuzzParse: what is accepted survives being written and read, and runs.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) == 0 {
		f.Fatal(err)
	}
	for _, file := range files {
		data, _ := read(f, file)
		f.Add(data)
	}
	chips := map[string]*targets.Chip{}
	for _, name := range targets.Names() {
		if chips[name], err = targets.Load(name); err != nil {
			f.Fatal(err)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := Parse(data, "x")
		if err != nil {
			if !errors.Is(err, artefact.ErrCorrupt) || strings.Contains(err.Error(), "\n") || len(err.Error()) > 600 {
				t.Errorf("got %v", err)
			}
			return
		}
		var out bytes.Buffer
		if err := got.Write(&out); err != nil {
			t.Fatal(err)
		}
		again, err := Parse(out.Bytes(), "x")
		if err != nil {
			t.Fatalf("%s: %v", out.Bytes(), err)
		}
		if !reflect.DeepEqual(got, again) {
			t.Errorf("got %+v, then %+v", got, again)
		}
		chip := chips[got.Target]
		for _, c := range got.Cases {
			if chip == nil || len(c.Input) > 100 || slices.ContainsFunc(c.Input, func(x int64) bool { return x > 1<<20 || x < -1<<20 }) {
				continue // it would take a while
			}
			if r, err := c.Run(context.Background(), chip); err == nil {
				c.Compare(r)
			}
		}
	})
}
