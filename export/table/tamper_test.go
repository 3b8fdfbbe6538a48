package table

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"glsnn/fixedpoint/artefact"
)

// TestTampered changes the tables of testdata/tiny, one thing at a time: cores 0
// and 1 hold the hidden layer, core 3 the outputs. Each is one line that names
// the file, and the line where there is one.
func TestTampered(t *testing.T) {
	golden := files(t, "testdata/tiny")
	type edit struct{ file, old, new string } // old "" is the whole file, new "-" its removal
	all := func(e ...edit) []edit { return e }
	long := strings.Repeat("9", 100)
	for _, c := range []struct {
		name  string
		edits []edit
		want  string // "" if it is read
	}{
		{"nothing", nil, ""},

		{"weight in the image", all(edit{"cores/core_0000.mem", "\n11\n", "\n12\n"}), "cores/core_0000.csv:2: n0: got 1, want 2 as in the image"},
		{"weight in the rows", all(edit{"cores/core_0003.csv", "2,3,-4", "2,3,3"}), "cores/core_0003.csv:4: n1: got 3, want -4 as in the image"},
		{"weight in both", all(edit{"cores/core_0001.mem", "\n5\n", "\n4\n"}, edit{"cores/core_0001.csv", "1,-3", "1,-4"}), ""}, // the manifest's to find
		{"bit above a word", all(edit{"cores/core_0000.mem", "\n11\n", "\n51\n"}), "cores/core_0000.mem:2: word: got set bits above the last weight, want zeros"},
		{"word cut short", all(edit{"cores/core_0000.mem", "\n11\n", "\n1\n"}), "cores/core_0000.mem:2: word: got 1 digits, want 2 for 2 weights of 3 bits"},
		{"word too long", all(edit{"cores/core_0000.mem", "\n37\n", "\n037\n"}), "cores/core_0000.mem:3: word: got 3 digits, want 2 for 2 weights of 3 bits"},
		{"word in capitals", all(edit{"cores/core_0000.mem", "\n37\n", "\n3F\n"}), `cores/core_0000.mem:3: word: got "F", want lower-case hex digits`},
		{"word with a byte of no text", all(edit{"cores/core_0000.mem", "\n37\n", "\n3\xff\n"}), `cores/core_0000.mem:3: word: got "\xff", want lower-case hex digits`},
		{"CRLF", all(edit{"cores/core_0000.mem", "\n37\n", "\n37\r\n"}), "cores/core_0000.mem:3: word: got 3 digits, want 2 for 2 weights of 3 bits"},
		{"words missing", all(edit{"cores/core_0000.mem", "\n20\n", "\n"}), "cores/core_0000.mem: words: got 2, want 3, one an in-axon"},
		{"words too many", all(edit{"cores/core_0000.mem", "\n20\n", "\n20\n00\n"}), "cores/core_0000.mem:5: words: got more than 3, want 3, one an in-axon"},
		{"empty image", all(edit{"cores/core_0000.mem", "", ""}), "cores/core_0000.mem: words: got 0, want 3, one an in-axon"},
		{"comment and empty line", all(edit{"cores/core_0000.mem", "\n37\n", "\n// x\n\n37\n"}), ""},

		{"row cut short", all(edit{"cores/core_0000.csv", "1,-1,-2", "1,-1"}), "cores/core_0000.csv:3: columns: got 2, want 3"},
		{"row too long", all(edit{"cores/core_0000.csv", "1,-1,-2", "1,-1,-2,0"}), "cores/core_0000.csv:3: columns: got 4, want 3"},
		{"rows missing", all(edit{"cores/core_0000.csv", "\n2,0,-4", ""}), "cores/core_0000.csv: rows: got 2, want 3, one an in-axon"},
		{"rows too many", all(edit{"cores/core_0000.csv", "2,0,-4\n", "2,0,-4\n3,0,0\n"}), "cores/core_0000.csv:5: rows: got more than 3, want 3, one an in-axon"},
		{"rows swapped", all(edit{"cores/core_0000.csv", "0,1,2\n1,-1,-2", "1,-1,-2\n0,1,2"}), "cores/core_0000.csv:2: axon: got 1, want 0"},
		{"row of letters", all(edit{"cores/core_0000.csv", "1,-1,-2", "1,x,-2"}), `cores/core_0000.csv:3: column 2: got "x", want an integer of 64 bits`},
		{"row of huge numbers", all(edit{"cores/core_0000.csv", "1,-1,-2", "1,-1," + long}), `cores/core_0000.csv:3: column 3: got "` + long[:60] + `...", want an integer of 64 bits`},
		{"row of fractions", all(edit{"cores/core_0000.csv", "1,-1,-2", "1,-1,1e1"}), `cores/core_0000.csv:3: column 3: got "1e1", want an integer of 64 bits`},
		{"header", all(edit{"cores/core_0000.csv", "axon,n0,n1", "axon,n1,n0"}), `cores/core_0000.csv:1: header: got "axon,n1,n0", want "axon,n0,n1"`},
		{"empty rows", all(edit{"cores/core_0000.csv", "", ""}), `cores/core_0000.csv: header: got an empty file, want "axon,n0,n1"`},
		{"empty line at the end", all(edit{"cores/core_0000.csv", "2,0,-4\n", "2,0,-4\n\n"}), "cores/core_0000.csv:5: columns: got 1, want 3"},
		{"long header", all(edit{"routes.csv", "core,neuron", long + "\n"}), `routes.csv:1: header: got "` + long[:60] + `...", want "core,neuron,dest_core,dest_axon"`},

		{"routes swapped", all(edit{"routes.csv", "0,0,3,0\n0,1,3,1", "0,0,3,1\n0,1,3,0"}), ""}, // another network of the same shape: see below
		{"route missing", all(edit{"routes.csv", "0,1,3,1\n", ""}), "routes.csv: destination core: got core 0 neuron 1 without a way to core 3, want every neuron of a layer on every core above"},
		{"first route missing", all(edit{"routes.csv", "0,0,3,0\n", ""}), "routes.csv: destination core: got core 0 neuron 0 without a way to core 3, want every neuron of a layer on every core above"},
		{"no routes", all(edit{"routes.csv", "0,0,3,0\n0,1,3,1\n1,0,3,2\n", ""}), "network.json: outputs: got 2 addresses, want the 3 neurons of the last layer"},
		{"route twice", all(edit{"routes.csv", "0,1,3,1\n", "0,1,3,1\n0,1,3,1\n"}), "routes.csv:4: destination core: got 3, want each core once for a source"},
		{"two on one axon", all(edit{"routes.csv", "0,1,3,1", "0,1,3,0"}), "routes.csv: destination axon: got two sources on axon 0 of core 3, want one source an axon"},
		{"cycle", all(edit{"routes.csv", "1,0,3,2\n", "1,0,3,2\n3,0,0,0\n3,1,0,1\n"}), "routes.csv: destination core: got core 0 in two layers, want layers in a line"},
		{"a layer to itself", all(edit{"routes.csv", "0,0,3,0\n0,1,3,1\n1,0,3,2\n", "0,0,0,0\n0,1,0,1\n1,0,0,2\n"}), "routes.csv: destination core: got core 0 in two layers, want layers in a line"},
		{"past a layer", all(edit{"routes.csv", "0,0,3,0\n", "0,0,3,0\n0,0,1,0\n"}), "routes.csv: destination core: got core 0 neuron 1 without a way to core 1, want every neuron of a layer on every core above"},
		{"core in two layers", all(edit{"inputs.csv", "0,1,0", "0,3,0"}, edit{"inputs.csv", "1,1,1", "1,3,1"}, edit{"inputs.csv", "2,1,2", "2,3,2"}),
			"routes.csv: destination core: got core 3 neuron 0 without a way to core 3, want every neuron of a layer on every core above"},
		{"unknown source core", all(edit{"routes.csv", "1,0,3,2", "2,0,3,2"}), "routes.csv:4: core: got 2, want a core of network.json"},
		{"unknown core", all(edit{"routes.csv", "1,0,3,2", "1,0,4,2"}), "routes.csv:4: destination core: got 4, want a core of network.json"},
		{"core past int32", all(edit{"routes.csv", "1,0,3,2", "1,0,4294967299,2"}), "routes.csv:4: destination core: got 4294967299, want a core of network.json"},
		{"source core past int32", all(edit{"routes.csv", "1,0,3,2", "4294967297,0,3,2"}), "routes.csv:4: core: got 4294967297, want a core of network.json"},
		{"negative core", all(edit{"routes.csv", "1,0,3,2", "-1,0,3,2"}), "routes.csv:4: core: got -1, want a core of network.json"},
		{"negative neuron", all(edit{"routes.csv", "1,0,3,2", "1,-1,3,2"}), "routes.csv:4: neuron: got -1, want 0..0"},
		{"neuron past the core's", all(edit{"routes.csv", "1,0,3,2", "1,1,3,2"}), "routes.csv:4: neuron: got 1, want 0..0"},
		{"negative axon", all(edit{"routes.csv", "1,0,3,2", "1,0,3,-1"}), "routes.csv:4: destination axon: got -1, want 0..2"},
		{"axon past the core's", all(edit{"routes.csv", "1,0,3,2", "1,0,3,3"}), "routes.csv:4: destination axon: got 3, want 0..2"},
		{"number past int64", all(edit{"routes.csv", "1,0,3,2", "1,0,3,9223372036854775808"}), `routes.csv:4: column 4: got "9223372036854775808", want an integer of 64 bits`},
		{"least int64", all(edit{"routes.csv", "1,0,3,2", "1,0,3,-9223372036854775808"}), "routes.csv:4: destination axon: got -9223372036854775808, want 0..2"},

		{"input twice", all(edit{"inputs.csv", "0,1,0", "0,0,0"}), "inputs.csv:3: destination core: got 0, want each core once for a source"},
		{"input past the network's", all(edit{"inputs.csv", "2,1,2", "3,1,2"}), "inputs.csv:7: input: got 3, want 0..2"},
		{"negative input", all(edit{"inputs.csv", "2,1,2", "-1,1,2"}), "inputs.csv:7: input: got -1, want 0..2"},
		{"input missing", all(edit{"inputs.csv", "2,1,2\n", ""}), "inputs.csv: destination core: got source 2 without a way to core 1, want every source of a layer on each of its cores"},
		{"no inputs", all(edit{"inputs.csv", "", "input,core,axon\n"}), "inputs.csv: rows: got none, want a way from every input to the outputs"},
		{"core unreached", all(edit{"inputs.csv", "0,1,0\n", ""}, edit{"inputs.csv", "1,1,1\n", ""}, edit{"inputs.csv", "2,1,2\n", ""}),
			"cores/core_0003.json: axons: got 3, want the 2 sources of routes.csv"},

		{"no files", all(edit{"network.json", "", "-"}), "network.json: open: file does not exist"},
		{"inputs gone", all(edit{"inputs.csv", "", "-"}), "inputs.csv: open: file does not exist"},
		{"routes gone", all(edit{"routes.csv", "", "-"}), "routes.csv: open: file does not exist"},
		{"core gone", all(edit{"cores/core_0001.json", "", "-"}), "cores/core_0001.json: open: file does not exist"},
		{"image gone", all(edit{"cores/core_0001.mem", "", "-"}), "cores/core_0001.mem: open: file does not exist"},
		{"rows gone", all(edit{"cores/core_0001.csv", "", "-"}), "cores/core_0001.csv: open: file does not exist"},
		{"manifest gone", all(edit{"manifest.json", "", "-"}), ""}, // not Read's
		{"a file more", all(edit{"cores/core_0002.mem", "", "x"}), ""},

		{"core of another number", all(edit{"cores/core_0001.json", `"core": 1`, `"core": 0`}), "cores/core_0001.json: core: got 0, want 1"},
		{"huge neurons", all(edit{"cores/core_0001.json", `"neurons": 1`, `"neurons": 1048577`}), "cores/core_0001.json: neurons: got 1048577, want 1..1048576"},
		{"no neurons", all(edit{"cores/core_0001.json", `"neurons": 1`, `"neurons": 0`}), "cores/core_0001.json: neurons: got 0, want 1..1048576"},
		{"huge axons", all(edit{"cores/core_0001.json", `"axons": 3`, `"axons": 2147483647`}), "cores/core_0001.json: axons: got 2147483647, want 1..1048576"},
		{"huge synapses", all(edit{"cores/core_0001.json", `"axons": 3`, `"axons": 1048576`}, edit{"cores/core_0001.json", `"neurons": 1`, `"neurons": 257`}),
			"cores/core_0001.json: axons x neurons: got 1048576 x 257, want at most 268435456 synapses in all cores"},
		{"claim without bytes", all(edit{"cores/core_0001.json", `"axons": 3`, `"axons": 1048575`}, edit{"cores/core_0001.json", `"neurons": 1`, `"neurons": 200`}),
			"cores/core_0001.mem:2: word: got 1 digits, want 150 for 200 weights of 3 bits"},
		{"past int64", all(edit{"cores/core_0001.json", `"axons": 3`, `"axons": 9223372036854775808`}), "cores/core_0001.json:6: axons: got number 9223372036854775808, want int"},
		{"negative axons", all(edit{"cores/core_0001.json", `"axons": 3`, `"axons": -3`}), "cores/core_0001.json: axons: got -3, want 1..1048576"},
		{"weights wider than the chip's", all(edit{"cores/core_0001.json", `"weight_bits": 3`, `"weight_bits": 4`}), "cores/core_0001.json: stored_weight_bits: got 3, want 4..16"},
		{"stored in fewer bits", all(edit{"cores/core_0001.json", `"stored_weight_bits": 3`, `"stored_weight_bits": 2`}), "cores/core_0001.json: stored_weight_bits: got 2, want 3..16"},
		{"stored in more bits", all(edit{"cores/core_0001.json", `"stored_weight_bits": 3`, `"stored_weight_bits": 17`}), "cores/core_0001.json: stored_weight_bits: got 17, want 3..16"},
		{"parameters of one layer", all(edit{"cores/core_0001.json", `"threshold": 5`, `"threshold": 6`}), "cores/core_0001.json: parameters: got others than of core 0, want the same for all cores of a layer"},
		{"threshold of no value", all(edit{"cores/core_0000.json", `"threshold": 5`, `"threshold": 128`}, edit{"cores/core_0001.json", `"threshold": 5`, `"threshold": 128`}),
			": network: layer 0: threshold: got 128, want a value of u7 from 0 on"},
		{"read-out that fires", all(edit{"cores/core_0003.json", `"integrator": true`, `"integrator": false`}), ": network: layer 1: integrator: got false, want true with read-out membrane"},
		{"reset of no name", all(edit{"cores/core_0001.json", `"zero"`, `"one"`}), `cores/core_0001.json: object: got "one", want one of zero, subtract, value, none`},
		{"key of no name", all(edit{"cores/core_0001.json", `"scale"`, `"scales"`}), `cores/core_0001.json: object: got unknown field "scales", want the keys of version 1`},
		{"long key", all(edit{"cores/core_0001.json", `"scale"`, `"` + long + `"`}), `cores/core_0001.json: object: got unknown field "` + long[:45] + `..., want the keys of version 1`},
		{"key left out", all(edit{"cores/core_0001.json", `"weight_exp": 1,`, ``}), "cores/core_0001.json: weight_exp: got nothing, want a value"},
		{"key null", all(edit{"cores/core_0001.json", `"weight_exp": 1,`, `"weight_exp": null,`}), "cores/core_0001.json: weight_exp: got null, want a value"},
		{"fraction", all(edit{"cores/core_0001.json", `"weight_exp": 1,`, `"weight_exp": 1.5,`}), "cores/core_0001.json:9: weight_exp: got number 1.5, want int"},
		{"text for a number", all(edit{"cores/core_0001.json", `"scale": 0.25`, `"scale": "x"`}), "cores/core_0001.json:22: scale: got string, want float64"},
		{"list for an object", all(edit{"cores/core_0001.json", "", "[]"}), "cores/core_0001.json:1: object: got array, want an object"},
		{"not JSON", all(edit{"cores/core_0001.json", "", "{\n\"core\" 1}"}), `cores/core_0001.json:2: text: got invalid character '1' after object key, want JSON`},
		{"JSON cut short", all(edit{"cores/core_0001.json", "", "{\n\"core\": 1,\n"}), "cores/core_0001.json:3: text: got the end of the file, want a whole object"},
		{"empty JSON", all(edit{"cores/core_0001.json", "", ""}), "cores/core_0001.json:1: text: got the end of the file, want a whole object"},
		{"two objects", all(edit{"cores/core_0001.json", "0.25\n}", "0.25\n}{}"}), "cores/core_0001.json:23: text: got more after the object, want its end"},
		{"a brace more", all(edit{"cores/core_0001.json", "0.25\n}", "0.25\n}}"}), "cores/core_0001.json:23: text: got more after the object, want its end"},

		{"huge inputs", all(edit{"network.json", `"inputs": 3`, `"inputs": 1048577`}), "network.json: inputs: got 1048577, want 1..1048576"},
		{"more inputs", all(edit{"network.json", `"inputs": 3`, `"inputs": 1048576`}), "cores/core_0000.json: axons: got 3, want the 1048576 sources of inputs.csv"},
		{"no inputs at all", all(edit{"network.json", `"inputs": 3`, `"inputs": 0`}), "network.json: inputs: got 0, want 1..1048576"},
		{"ticks", all(edit{"network.json", `"ticks": 3`, `"ticks": 0`}), ": network: ticks: got 0, want 1..1048576"},
		{"delay", all(edit{"network.json", `"layer_delay": 1`, `"layer_delay": -1`}), "network.json: layer_delay: got -1, want 0 or 1"},
		{"seed", all(edit{"network.json", `18446744073709551615`, `18446744073709551616`}), "network.json:7: encoding.seed: got number 18446744073709551616, want uint64"},
		{"core twice", all(edit{"network.json", "    1,\n    3\n", "    1,\n    1\n"}), "network.json: cores: got core 1 twice or negative, want each core once"},
		{"negative core", all(edit{"network.json", "    1,\n    3\n", "    1,\n    -3\n"}), "network.json: cores: got core -3 twice or negative, want each core once"},
		{"core of 33 bits", all(edit{"network.json", "    1,\n    3\n", "    1,\n    4294967296\n"}), "network.json:110: cores: got number 4294967296, want int32"},
		{"core without files", all(edit{"network.json", "    1,\n    3\n", "    1,\n    3,\n 99999\n"}), "cores/core_99999.json: open: file does not exist"},
		{"core left out", all(edit{"network.json", "    1,\n    3\n", "    1\n"}), "routes.csv:2: destination core: got 3, want a core of network.json"},
		{"output twice", all(edit{"network.json", `"neuron": 1`, `"neuron": 0`}), "network.json: outputs: got core 3 neuron 0, want each neuron of the last layer once"},
		{"output of no neuron", all(edit{"network.json", `"neuron": 1`, `"neuron": -1`}), "network.json: outputs: got core 3 neuron -1, want each neuron of the last layer once"},
		{"output elsewhere", all(edit{"network.json", "\"core\": 3,\n      \"neuron\": 1", "\"core\": 0,\n      \"neuron\": 1"}), "network.json: outputs: got core 0 neuron 1, want each neuron of the last layer once"},
		{"output without a core", all(edit{"network.json", "\"core\": 3,\n      \"neuron\": 1", "\"neuron\": 1"}), "network.json: outputs.1.core: got nothing, want a value"},
		{"arithmetic", all(edit{"network.json", `"bits": 7`, `"bits": 0`}), "network.json: arithmetic: threshold: bits: got 0, want 1..40"},
		{"no arithmetic", all(edit{"network.json", "\"zero\"\n", "\n"}), "network.json: arithmetic: fire.resets: got none, want at least one of zero, subtract, value, none"},
	} {
		fsys := maps.Clone(golden)
		for _, e := range c.edits {
			var data string
			if f := fsys[e.file]; f != nil {
				data = string(f.Data)
			}
			switch {
			case e.old == "":
				data = e.new
			case strings.Count(data, e.old) != 1:
				t.Fatalf("%s: %q is %d times in %s", c.name, e.old, strings.Count(data, e.old), e.file)
			default:
				data = strings.Replace(data, e.old, e.new, 1)
			}
			fsys[e.file] = &fstest.MapFile{Data: []byte(data)}
			if e.new == "-" {
				delete(fsys, e.file)
			}
		}
		m, err := read(folder{fsys, "d"})
		got := ""
		if err != nil {
			got = strings.TrimPrefix(strings.TrimPrefix(filepath.ToSlash(err.Error()), "d"), "/")
			if strings.Contains(got, "\n") || !errors.Is(err, artefact.ErrCorrupt) && !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: %v: not one line, or neither corrupt nor missing", c.name, err)
			}
		}
		if got != c.want || (err == nil) != (m != nil) {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

// TestSwappedRoutes: two hidden neurons that change places give another
// network, which Read cannot know; its hash differs from the manifest's.
func TestSwappedRoutes(t *testing.T) {
	fsys := files(t, "testdata/tiny")
	man, err := readManifest(folder{fsys, "d"})
	if err != nil {
		t.Fatal(err)
	}
	for _, swap := range []bool{false, true} {
		if swap {
			fsys["routes.csv"].Data = []byte(strings.NewReplacer("0,0,3,0", "0,0,3,1", "0,1,3,1", "0,1,3,0").Replace(string(fsys["routes.csv"].Data)))
		}
		m, err := read(folder{fsys, "d"})
		if err != nil {
			t.Fatal(err)
		}
		back := *m
		back.Source = man.Source
		if hash, _ := back.Hash(); (hash == man.Lowered) == swap {
			t.Errorf("swapped %v: got %s, the manifest has %s", swap, hash, man.Lowered)
		}
	}
}

func TestReadManifestRefuses(t *testing.T) {
	golden := files(t, "testdata/tiny")
	for _, c := range []struct {
		name      string
		old, new  string
		want      error
		wantStart string
	}{
		{"nothing", "", "", nil, ""},
		{"format", `"format": "glsnn"`, `"format": "x"`, artefact.ErrKind, `wrong kind of file: d/manifest.json: format and kind: got "x" "tables", want "glsnn" "tables"`},
		{"kind", `"tables"`, `"model"`, artefact.ErrKind, `wrong kind of file: d/manifest.json: format and kind: got "glsnn" "model", want`},
		{"version", `"version": 1`, `"version": 2`, artefact.ErrVersion, `unsupported version: d/manifest.json: version: got 2, want 1..1`},
		{"another version's key", `"version": 1`, `"version": 2, "more": 1`, artefact.ErrVersion, `unsupported version: d/manifest.json: version: got 2, want 1..1`},
		{"key", `"version": 1`, `"version": 1, "more": 1`, artefact.ErrCorrupt, `d/manifest.json: object: got unknown field "more"`},
		{"key left out", `"tool": "test 1",`, ``, artefact.ErrCorrupt, `d/manifest.json: tool: got nothing, want a value`},
		{"key of an entry", `"bytes": 399,`, ``, artefact.ErrCorrupt, `d/manifest.json: files.1.bytes: got nothing, want a value`},
		{"text", `{`, ``, artefact.ErrCorrupt, `d/manifest.json:2: object: got string, want an object`},
	} {
		fsys := maps.Clone(golden)
		data := strings.Replace(string(golden["manifest.json"].Data), c.old, c.new, 1)
		fsys["manifest.json"] = &fstest.MapFile{Data: []byte(data)}
		m, err := readManifest(folder{fsys, "d"})
		if !errors.Is(err, c.want) || (m == nil) != (err != nil) || err != nil && !strings.HasPrefix(filepath.ToSlash(err.Error()), c.wantStart) {
			t.Errorf("%s: got %v, want %s", c.name, err, c.wantStart)
		}
	}
}

// TestReadManifestFiles: every file that is changed, missing or extra is found
// on disk.
func TestReadManifestFiles(t *testing.T) {
	for name, edit := range map[string]func(dir string) error{
		"":                         func(string) error { return nil },
		"cores/core_0001.mem":      func(d string) error { return os.Remove(filepath.Join(d, "cores/core_0001.mem")) },
		"routes.csv: sha256":       func(d string) error { return os.WriteFile(filepath.Join(d, "routes.csv"), make([]byte, 56), 0o666) },
		"routes.csv: got 0 bytes":  func(d string) error { return os.Truncate(filepath.Join(d, "routes.csv"), 0) },
		"extra.txt: got a file":    func(d string) error { return os.WriteFile(filepath.Join(d, "extra.txt"), nil, 0o666) },
		"manifest.json: open: no":  func(d string) error { return os.Remove(filepath.Join(d, "manifest.json")) },
		"cores/core_0003.csv: got": func(d string) error { return os.Remove(filepath.Join(d, "cores/core_0003.csv")) },
		"manifest.json: type: got d-": func(d string) error {
			os.Remove(filepath.Join(d, "manifest.json"))
			return os.Mkdir(filepath.Join(d, "manifest.json"), 0o777)
		},
	} {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS("testdata/tiny")); err != nil {
			t.Fatal(err)
		}
		if err := edit(dir); err != nil {
			t.Fatal(err)
		}
		m, err := ReadManifest(dir)
		if (err == nil) != (name == "") || err != nil && !strings.Contains(err.Error(), filepath.FromSlash(name)) {
			t.Errorf("got %v, %v, want %q", m, err, name)
		}
	}
	if _, err := Read(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if _, err := Read(""); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// TestCapped: a file larger than what is allowed is refused.
func TestCapped(t *testing.T) {
	f := folder{fstest.MapFS{"x": {Data: make([]byte, 11)}}, "d"}
	if _, err := f.read("x", 10); err == nil || filepath.ToSlash(err.Error()) != "d/x: size: got more than 10 bytes, want less" {
		t.Errorf("got %v", err)
	}
	if data, err := f.read("x", 11); err != nil || len(data) != 11 {
		t.Errorf("got %d bytes, %v", len(data), err)
	}
}

// TestUnsignedImage: weights without sign are read as they stand, and those a
// Matrix cannot hold are refused.
func TestUnsignedImage(t *testing.T) {
	f := folder{fstest.MapFS{"x": {Data: []byte("7fff000f\n")}, "y": {Data: []byte("8000\n")}}, "d"}
	if w, err := f.image("x", 1, 2, 16, false); err != nil || fmt.Sprint(w) != fmt.Sprint([]int16{15, math.MaxInt16}) {
		t.Errorf("got %v, %v", w, err)
	}
	if _, err := f.image("y", 1, 1, 16, false); err == nil || filepath.ToSlash(err.Error()) != "d/y:1: word: got a weight of 32768, want at most 32767" {
		t.Errorf("got %v", err)
	}
	if w, err := f.image("y", 1, 1, 16, true); err != nil || w[0] != math.MinInt16 {
		t.Errorf("got %v, %v", w, err)
	}
}
