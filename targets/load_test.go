package targets

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestLoadPaths(t *testing.T) {
	data, err := builtin.ReadFile("toy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "mine.yml")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	mine := load(t, path)
	if toy := load(t, "toy"); mine.File != path || toy.File != "toy.yaml" || mine.SHA256 != toy.SHA256 {
		t.Errorf("got %s %s and %s %s, want the same hash under two names", mine.File, mine.SHA256, toy.File, toy.SHA256)
	}
	if _, err := Load("nosuch"); !errors.Is(err, ErrUnknownChip) || !strings.Contains(err.Error(), "generic") {
		t.Errorf("got %v, want ErrUnknownChip with the names", err)
	}
	if _, err := Load("../toy"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want a missing file", err)
	}
	if _, err := Load("nosuch.yaml"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want a missing file", err)
	}
	if _, err := Load(t.TempDir() + "/"); err == nil {
		t.Error("a folder: got a chip, want an error")
	}
}

// Each file in testdata/bad begins with the messages it causes, all of them
// and in their order, after "# want: ".
func TestBadFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("got %d files, %v", len(files), err)
	}
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			data, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			for line := range strings.Lines(string(data)) {
				if w, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "# want: "); ok {
					want = append(want, w)
				}
			}
			c, err := Parse(data, filepath.Base(f))
			if err == nil || c != nil {
				t.Fatalf("got a chip, want %s", strings.Join(want, "\n"))
			}
			if got := err.Error(); got != strings.Join(want, "\n") {
				t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
			}
			for _, e := range flatten(err) {
				if f := new(FieldError); !errors.As(e, &f) || strings.Contains(e.Error(), "\n") {
					t.Errorf("got %T %q, want a FieldError in one line", e, e)
				}
			}
		})
	}
}

func TestSizes(t *testing.T) {
	toy, _ := builtin.ReadFile("toy.yaml")
	for what, data := range map[string]string{
		"huge":         string(toy) + strings.Repeat("#", maxFile),
		"no bytes":     "",
		"blank":        " \n\n",
		"byte order":   "\xff\xfen\x00",
		"NUL":          "name: \x00",
		"null":         "---\n",
		"deep":         strings.Repeat("[", 20000),
		"deep map":     strings.Repeat("{a: ", 20000),
		"aliases":      "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nname: *c\n",
		"merge":        "<<: {name: toy}\n",
		"merge alias":  "x: &x {name: toy}\n<<: *x\n",
		"alias as key": "x: &x name\n*x : toy\n",
		"list as key":  "[1, 2]: toy\n",
		"null as key":  "~: toy\n",
	} {
		c, err := Parse([]byte(data), "x.yaml")
		if err == nil {
			t.Errorf("%s: got %+v, want an error", what, c)
			continue
		}
		for _, e := range flatten(err) {
			if f := new(FieldError); !errors.As(e, &f) || strings.Contains(e.Error(), "\n") || len(e.Error()) > 400 {
				t.Errorf("%s: got %T %q, want a FieldError in one short line", what, e, e)
			}
		}
	}
	many := strings.Builder{}
	for i := range 5000 {
		many.WriteString("k" + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + ": 1\n")
	}
	if _, err := Parse([]byte(many.String()), "x.yaml"); len(flatten(err)) != maxFaults+1 {
		t.Errorf("got %d messages, want %d and a count", len(flatten(err)), maxFaults)
	}
}

// TestMissing deletes each key of each built-in file in turn. Each time the
// loader must name the key and a line.
func TestMissing(t *testing.T) {
	for _, n := range Names() {
		data, _ := builtin.ReadFile(n + ".yaml")
		parse := func() *node {
			doc, err := parseYAML(data, n)
			if err != nil {
				t.Fatal(err)
			}
			return doc
		}
		paths := keyPaths(parse(), "")
		if len(paths) < 100 {
			t.Fatalf("%s: got %d keys, want them all", n, len(paths))
		}
		for _, p := range paths {
			if strings.Count(p, ".") == 1 && strings.HasPrefix(p, "sources.") {
				continue // the name of a source is the file's own choice
			}
			if strings.HasPrefix(p, "registers") && (strings.Count(p, ".") < 2 || strings.HasSuffix(p, ".times") || strings.HasSuffix(p, ".plus")) {
				continue // so is that of a register; TestRegisters knows what may be missing
			}
			if slices.Contains([]string{"fabric.unicast", "cost.cycles.tick_all_in", "cost.energy.router_pj", "cost.energy.static_tile_mw", "cost.time.tick_ns"}, p) {
				continue // a chip without the key is one without the property
			}
			doc := parse()
			if !deleteKey(doc, "", p) {
				t.Fatalf("%s: %s: not found", n, p)
			}
			_, err := decodeChip(doc, n, "")
			if err == nil {
				t.Errorf("%s without %s: got a chip", n, p)
				continue
			}
			named := false
			for _, f := range FieldErrors(err) {
				named = named || f.Field == p && f.Line > 0 && f.Got == "nothing" && f.Want != ""
			}
			if !named || len(FieldErrors(err)) != 1 {
				t.Errorf("%s without %s: got %v, want one error that names it and a line", n, p, err)
			}
		}
	}
}

// TestUnknown adds a key to each mapping in turn.
func TestUnknown(t *testing.T) {
	data, _ := builtin.ReadFile("toy.yaml")
	levels := []string{""}
	doc, err := parseYAML(data, "toy")
	if err != nil {
		t.Fatal(err)
	}
	eachMapping(doc, "", func(at string, m *node) {
		if at != "" && at != "sources" && at != "unknown" && at != "registers" {
			levels = append(levels, at)
		}
	})
	for _, level := range levels {
		doc, _ := parseYAML(data, "toy")
		eachMapping(doc, "", func(at string, m *node) {
			if at == level {
				key, value := *m.Content[0], *m.Content[1]
				key.Value, key.Line = "colour", 1000
				m.Content = append(m.Content, &key, &value)
			}
		})
		_, err := decodeChip(doc, "toy", "")
		got := FieldErrors(err)
		if len(got) != 1 || got[0].Field != below(level, "colour") || got[0].Line != 1000 || got[0].Got != "an unknown key" {
			t.Errorf("colour in %q: got %v", level, err)
		}
	}
}

// A fault must not hide another one elsewhere, and must not cause one.
func TestEdits(t *testing.T) {
	data, _ := builtin.ReadFile("toy.yaml")
	for _, x := range []struct{ old, new, want string }{
		{"frac_bits: 3, round: toward_zero, min: 0, max: 8}\n    leak: {kind: none}\n    place: before_integrate\n  bias", "frac_bits: 40, round: toward_zero, min: 0, max: 8}\n    leak: {kind: none}\n    place: before_integrate\n  bias",
			"arithmetic.current.decay.frac_bits: got 40, want 1..16"},
		{"neurons: 8", "neurons: 8.0", "core.neurons: got 8.0, want a decimal integer"},
		{"neurons: 8", "neurons: 010", "core.neurons: got 010, want a decimal integer"},
		{"neurons: 8", "neurons: 0x8", "core.neurons: got 0x8, want a decimal integer"},
		{"neurons: 8", "neurons: \"8\"", "core.neurons: got \"8\", want a decimal integer"},
		{"neurons: 8", "neurons: !!int 8", "core.neurons: got an anchor or a tag, want a plain value"},
		{"neurons: 8", "neurons: &n 8", "core.neurons: got an anchor or a tag, want a plain value"},
		{"neurons: 8", "neurons: ~", "unknown.neurons: got nothing, want why core.neurons is null"},
		{"unknown: {}", "unknown: {neurons: lost}", "unknown.neurons: got a reason beside a value, want one of the two"},
		{"unknown: {}", "unknown: {width: lost}", "unknown.width: got a reason for width, want one of arithmetic, neurons, axons_in, axons_out, synapse_bits"},
		{"bias: {present: false}", "bias: {present: true}", "arithmetic.bias.register: got nothing, want a mapping\nt.yaml:23: arithmetic.bias.bits: got nothing, want a decimal integer\nt.yaml:23: arithmetic.bias.exp_min: got nothing, want a decimal integer\nt.yaml:23: arithmetic.bias.exp_max: got nothing, want a decimal integer"},
		{"negative: {when: none}", "negative: {when: none, min: -3}", "arithmetic.fire.negative: got fields with when none, want none"},
		{"kind: integer", "kind: types", "arithmetic.weight.types: got nothing, want a decimal integer\nt.yaml:15: arithmetic.weight.table_bits: got nothing, want a decimal integer"},
		{"integrate: sum", "integrate: membrane", "arithmetic.held: got nothing, want a decimal integer\nt.yaml:16: arithmetic.sum: got a register with integrate membrane, want null\nt.yaml:18: arithmetic.current.present: got true with integrate membrane, want false: weights pass no current"},
		{"neurons: 8", "neurons: 3000000000", "core.neurons: got 3000000000, want -2147483648..2147483647"},
		{"neurons: 8", "neurons: 2000000", "core.neurons: got 2000000, want 1..1048576"},
		{"synapse_bits: 512", "synapse_bits: 99999999999999999999", "core.synapse_bits: got 99999999999999999999, want -9223372036854775808..9223372036854775807"},
		{"synapse_bits: 512", "synapse_bits: 100", "core.synapse_bits: got 100, want at least 128: a neuron fed by all 16 in-axons with 4-bit weights"},
		{"weight_bits: [2, 3, 4]", "weight_bits: [2, 3]", "core.weight_bits: got at most 3 bits, want the 4 of arithmetic.weight.bits"},
		{"weight_bits: [2, 3, 4]", "weight_bits: [2, 4, 4]", "core.weight_bits[2]: got 4, want more than the 4 before it"},
		{"weight_bits: [2, 3, 4]", "weight_bits: []", "core.weight_bits: got an empty list, want at least one width"},
		{"weight_bits: [2, 3, 4]", "weight_bits: 4", "core.weight_bits: got 4, want a list"},
		{"resets: [zero, subtract]", "resets: [" + strings.Repeat("zero, ", 70) + "]", "arithmetic.fire.resets: got a list of 70, want at most 64 entries"},
		{"multicast: false", "multicast: no", "fabric.multicast: got \"no\", want true or false"},
		{"multicast: false", "multicast: true\n  unicast: true", "fabric.unicast: got true, want false beside multicast true"},
		{"clock_mhz: {value: 100", "tick_all_in: true\n    clock_mhz: {value: 100", "cost.cycles.synops_per_cycle.value: got 4, want null: tick_all_in says that it is inside tick_cycles\n" +
			"t.yaml:96: cost.cycles.neuron_updates_per_cycle.value: got 2, want null: tick_all_in says that it is inside tick_cycles\n" +
			"t.yaml:97: cost.cycles.axon_in_cycles.value: got 1, want null: tick_all_in says that it is inside tick_cycles"},
		{"width: 4", "width: 1048576", "fabric: got too many cores, want at most 1048576 in all"},
		{"layer_delay: 1", "layer_delay: -1", "fabric.layer_delay: got -1, want 0..1"},
		{"overflow: wrap", "overflow: clip", "arithmetic.sum.overflow: got \"clip\", want one of saturate, wrap, saturate_symmetric"},
		{"resets: [zero, subtract]", "resets: [zero, zero]", "arithmetic.fire.resets: got zero twice, want each once"},
		{"threshold: {bits: 5,", "threshold: {bits: 50,", "arithmetic.threshold.bits: got 50, want 1..40"},
		{"{value: 3, basis: assumed}", "{value: .inf, basis: assumed}", "cost.energy.neuron_update_pj.value: got .inf, want a decimal number"},
		{"{value: 3, basis: assumed}", "{value: 1e999, basis: assumed}", "cost.energy.neuron_update_pj.value: got \"1e999\", want a decimal number"},
		{"{value: 3, basis: assumed}", "{value: -3, basis: assumed}", "cost.energy.neuron_update_pj.value: got -3, want 0..1e12"},
		{"{value: 3, basis: assumed}", "{value: 3, basis: guessed}", "cost.energy.neuron_update_pj.basis: got \"guessed\", want one of published, measured, simulated, derived, assumed"},
		{"{value: 3, basis: assumed}", "{value: 3, basis: measured}", "cost.energy.neuron_update_pj.source: got nothing, want a key of sources with basis measured"},
		{"{value: 3, basis: assumed}", "{value: 3, basis: measured, source: ghost, at: p. 3}", "cost.energy.neuron_update_pj.source: got \"ghost\", want a key of sources"},
		{"{value: 3, basis: assumed}", "{value: 3, basis: assumed, reason: fun}", "cost.energy.neuron_update_pj.reason: got a reason beside a value, want one of the two"},
		{"{value: 3, basis: assumed}", "{value: null, reason: unknown, basis: assumed}", "cost.energy.neuron_update_pj.basis: got it beside a null, want a reason only"},
		{"{value: 3, basis: assumed}", "{value: 3, low: 4, high: 5, basis: assumed}", "cost.energy.neuron_update_pj.value: got 3, want a value of its range 4..5"},
		{"{value: 3, basis: assumed}", "{value: 3, low: null, high: 5, basis: assumed}", "cost.energy.neuron_update_pj.low: got null, want a decimal number"},
		{"clock_mhz: {value: 100", "clock_mhz: {value: 0", "cost.cycles.clock_mhz.value: got 0, want more than 0"},
		{"{tiles: 1, ns: 10}", "{tiles: 0, ns: 10}", "cost.time.barrier_ns.by_tiles[0].tiles: got 0, want 1 in the first step"},
		{"name: toy", "name: Toy Chip", "name: got \"Toy Chip\", want a name of a-z, 0-9, _ and -"},
		{"title: Toy chip", "title: \"a\\eb\" #", "title: got \"a?b\", want printable text"},
		{"title: Toy chip", "title: \"\" #", "title: got \"\", want text"},
		{"sources: {}", "sources: []", "sources: got a list, want a mapping"},
		{"present: true", "present: false", "arithmetic.current: got fields with present false, want none"},
	} {
		text := strings.Replace(string(data), x.old, x.new, 1)
		if text == string(data) {
			t.Errorf("%s: not in toy.yaml", x.old)
			continue
		}
		_, err := Parse([]byte(text), "t.yaml")
		if f := FieldErrors(err); len(f) == 0 || f[0].Line == 0 {
			t.Errorf("%s: got %v, want a line", x.new, err)
		} else if got := strings.SplitN(err.Error(), ": ", 2)[1]; got != x.want && !(strings.HasPrefix(got, x.want+"\n") && strings.Contains(x.old, "width")) {
			t.Errorf("%s: got\n%s\nwant\n%s", x.new, got, x.want)
		}
	}
}

// A chip without a synaptic current says so and stops.
func TestPresentFalse(t *testing.T) {
	data, _ := builtin.ReadFile("toy.yaml")
	before, rest, _ := strings.Cut(string(data), "    present: true\n")
	_, after, _ := strings.Cut(rest, "  bias:")
	after = strings.Replace(after, "  current_decay: {sets: current_decay, min: 0, max: 8}\n", "", 1)
	c, err := Parse([]byte(before+"    present: false\n  bias:"+after), "t.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if c.Arithmetic.Current.Present {
		t.Error("got a current, want none")
	}
}

func TestAllIn(t *testing.T) {
	c := load(t, "generic")
	c.Cost.Energy.SynOpAllIn = true
	if f := FieldErrors(c.Validate()); len(f) != 1 || f[0].Field != "cost.energy.synop_pj.value" {
		t.Errorf("no value: got %v", f)
	}
	v := 26.0
	c.Cost.Energy.SynOpPJ = Quantity{Value: &v, Origin: Origin{Basis: Assumed}}
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
	c.Cost.Energy.HopXPJ = c.Cost.Energy.SynOpPJ
	if f := FieldErrors(c.Validate()); len(f) != 1 || f[0].Field != "cost.energy.hop_x_pj.value" || f[0].Line == 0 {
		t.Errorf("a hop beside it: got %v", f)
	}
}

// A chip that was never a file is checked the same way, without lines.
func TestValidateZero(t *testing.T) {
	err := new(Chip).Validate()
	if len(FieldErrors(err)) < 20 {
		t.Errorf("got %v, want everything missing", err)
	}
	for _, f := range FieldErrors(err) {
		if f.Line != 0 || strings.Contains(f.Error(), ":0:") {
			t.Errorf("got %v, want no line", f)
		}
	}
}

// Run it with -fuzzminimizetime 1x: shrinking one interesting file of this size
// otherwise takes a minute, in which nothing is tried and PASS means nothing.
func FuzzParse(f *testing.F) {
	for _, n := range Names() {
		data, _ := builtin.ReadFile(n + ".yaml")
		f.Add(data)
	}
	bad, _ := filepath.Glob("testdata/bad/*.yaml")
	for _, p := range bad {
		data, err := os.ReadFile(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse(data, "fuzz.yaml")
		if err != nil {
			for _, e := range flatten(err) {
				if strings.Contains(e.Error(), "\n") {
					t.Errorf("got %q, want one line", e)
				}
			}
			return
		}
		if err := c.Validate(); err != nil {
			t.Errorf("accepted, but %v", err)
		}
		if err := c.WriteText(new(strings.Builder)); err != nil {
			t.Error(err)
		}
		for _, w := range c.Core.WeightBits {
			if _, _, err := c.Core.SynapseMemory(c.Core.AxonsIn, c.Core.Neurons, w); err != nil {
				t.Error(err)
			}
		}
		c.Fabric.Hops(0, CoreID(c.Fabric.Cores()-1))
		again, err := Parse(data, "fuzz.yaml")
		if err != nil || !reflect.DeepEqual(c, again) {
			t.Errorf("got another chip the second time: %v", err)
		}
	})
}

// eachMapping visits the mappings of a document with their paths.
func eachMapping(n *node, at string, visit func(at string, m *node)) {
	if kind := describe(n); kind == "a list" {
		for i, e := range n.Content {
			eachMapping(e, at+"["+string(rune('0'+i))+"]", visit)
		}
	} else if kind == "a mapping" {
		visit(at, n)
		for i := 0; i+1 < len(n.Content); i += 2 {
			eachMapping(n.Content[i+1], below(at, n.Content[i].Value), visit)
		}
	}
}

func keyPaths(doc *node, at string) (paths []string) {
	eachMapping(doc, at, func(at string, m *node) {
		for i := 0; i < len(m.Content); i += 2 {
			paths = append(paths, below(at, m.Content[i].Value))
		}
	})
	return paths
}

func deleteKey(doc *node, at, path string) (done bool) {
	eachMapping(doc, at, func(at string, m *node) {
		for i := 0; i < len(m.Content) && !done; i += 2 {
			if below(at, m.Content[i].Value) == path {
				m.Content = append(m.Content[:i:i], m.Content[i+2:]...)
				done = true
				return
			}
		}
	})
	return done
}
