package table

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"glsnn/export"
	"glsnn/fixedpoint"
	"glsnn/fixedpoint/artefact"
	"glsnn/fixedpoint/fptest"
	"glsnn/targets"
)

// tinyLoihi is a network of 3 inputs, 3 hidden neurons with biases on two cores,
// and 2 outputs with excitatory weights, in loihi's own arithmetic on cores of
// two compartments.
func tinyLoihi(t testing.TB) *export.Mapping {
	t.Helper()
	chip := smallLoihi(t, 2, 8)
	m, err := fixedpoint.NewModel(fixedpoint.Model{
		Arithmetic: chip.Arithmetic, Ticks: 3, Encoding: fixedpoint.Encoding{Kind: "rate", Seed: 7}, Readout: fixedpoint.ReadMembrane,
		Layers: []fixedpoint.Layer{
			{In: 3, Out: 3, Weights: fixedpoint.NewMatrix(3, 3, []int16{1, 2, 3, -1, -128, 127, 0, -4, 3}), WeightBits: 8, WeightExp: 6,
				CurrentDecay: 4096, MembraneDecay: 128, Threshold: 640, Scale: 0.25, Bias: []int64{64, 0, -4096 << 7}, Refractory: 3},
			{In: 3, Out: 2, Weights: fixedpoint.NewMatrix(3, 2, []int16{1, 255, 2, 254, 3, 0}), WeightBits: 9, WeightExp: 5,
				CurrentDecay: 4096, Integrator: true, Scale: 0.125},
		},
		Source: fixedpoint.Source{Network: "aa", Target: "tiny", Chip: "5c", Data: "none", Size: 2},
	})
	if err != nil {
		t.Fatal(err)
	}
	mp, err := export.Map(m, chip)
	if err != nil {
		t.Fatal(err)
	}
	return mp
}

// smallLoihi is loihi with cores of so many compartments and synapse words.
func smallLoihi(t testing.TB, compartments, words int) *targets.Chip {
	t.Helper()
	chip, err := targets.Load("loihi")
	if err != nil {
		t.Fatal(err)
	}
	chip.Name, chip.SHA256 = "tiny", "5c"
	chip.Core.Neurons, chip.Core.AxonsIn, chip.Core.AxonsOut, chip.Core.SynapseBits = compartments, 16, 64, int64(words)*64
	chip.Tables.CompartmentProfiles, chip.Tables.ThresholdProfiles = 2, 1
	return chip
}

// TestLoihiWords: the words of a core, worked by hand from the form's comment.
func TestLoihiWords(t *testing.T) {
	fsys := files(t, "testdata/loihi")
	for name, want := range map[string]string{
		// Format id 1, two synapses (1 << 4), then 8 bits each from bit 10: 1 and
		// 2; -1 and -128 as 255 and 128; 0 and -4.
		"cores/core_0000_synapses.mem": "// core 0: 3 words of 64 bits\n" +
			fmt.Sprintf("%016x\n", 1|1<<4|1<<10|2<<18) + fmt.Sprintf("%016x\n", 1|1<<4|255<<10|128<<18) + fmt.Sprintf("%016x\n", 1|1<<4|0<<10|252<<18),
		// One sign: magnitudes, 1 and 255; 2 and 254; 3 and 0.
		"cores/core_0002_synapses.mem": "// core 2: 3 words of 64 bits\n" +
			fmt.Sprintf("%016x\n", 1|1<<4|1<<10|255<<18) + fmt.Sprintf("%016x\n", 1|1<<4|2<<10|254<<18) + fmt.Sprintf("%016x\n", 1|1<<4|3<<10),
		"cores/core_0000_synapses.csv":     "entry,c0,c1\n0,2,4\n1,-2,-256\n2,0,-8\n", // mixed: twice the weight
		"cores/core_0002_synapses.csv":     "entry,c0,c1\n0,1,255\n1,2,254\n2,3,0\n",
		"cores/core_0000_synapse_map.csv":  "entry,pointer,length,kind\n0,0,1,0\n1,1,1,0\n2,2,1,0\n",
		"cores/core_0000_compartments.csv": "compartment,compartment_profile,threshold_profile,bias_mantissa,bias_exponent\n0,0,0,64,0\n1,0,0,0,0\n",
		"cores/core_0001_compartments.csv": "compartment,compartment_profile,threshold_profile,bias_mantissa,bias_exponent\n0,0,0,-4096,7\n",
		"cores/core_0000_axons_out.csv":    "compartment,dest_core,dest_entry\n0,2,0\n1,2,1\n",
		"cores/core_0001_axons_out.csv":    "compartment,dest_core,dest_entry\n0,2,2\n",
		"cores/core_0002_axons_out.csv":    "compartment,dest_core,dest_entry\n",
	} {
		if got := string(fsys[name].Data); got != want {
			t.Errorf("%s: got\n%swant\n%s", name, got, want)
		}
	}
	// d 4096 is du 4095; a weight of 2^6 is a mixed mantissa of 2 x 2^(6 - 1), one
	// of 2^5 a mantissa of one sign with 2^(6 - 1).
	core := string(fsys["cores/core_0000.json"].Data)
	for _, want := range []string{`"decay_u": 4095`, `"decay_v": 128`, `"refractory": 3`, `"vth_mantissa": 10`, `"sign": "mixed"`, `"weight_exp": -1`, `"weight_bits": 8`} {
		if !strings.Contains(core, want) {
			t.Errorf("core_0000.json: no %s", want)
		}
	}
	core = string(fsys["cores/core_0002.json"].Data)
	for _, want := range []string{`"refractory": 1`, `"vth_mantissa": 131071`, `"sign": "excitatory"`, `"weight_exp": -1`, `"quantized_bits": 9`} {
		if !strings.Contains(core, want) {
			t.Errorf("core_0002.json: no %s", want)
		}
	}
}

// TestLoihiThereAndBack: random models of loihi's arithmetic, several blocks an
// axon, every stored width, are what is read back, and their synapse memory is as
// large as the footprint says.
func TestLoihiThereAndBack(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 4))
		chip := smallLoihi(t, 1+rng.IntN(9), 200)
		chip.Core.SynapseLayout.BlockSynapses = []int{1, 2, 3, 64}[rng.IntN(4)]
		m := *fptest.RandomModel(rng, fptest.ModelOptions{Arithmetic: &chip.Arithmetic, Neurons: 13, Layers: 4})
		mp, err := export.Map(&m, chip)
		if err != nil && strings.Contains(err.Error(), "a read-out membrane may reach") {
			seen["refused"]++
			continue
		}
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		dir := write(t, mp)
		man, err := ReadManifest(dir)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Read(dir)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		want := *mp.Model
		want.Layers = slices.Clone(want.Layers)
		loihiModel(&want)
		for i := range want.Layers {
			if want.Layers[i].Integrator {
				want.Layers[i].Threshold = 0
			}
		}
		got.Source = man.Source
		want.Source = man.Source
		if !reflect.DeepEqual(got, &want) {
			t.Fatalf("seed %d: got %+v\nwant %+v", seed, *got, want)
		}
		if hash, err := got.Hash(); err != nil || hash != man.Lowered {
			t.Fatalf("seed %d: hash %s, %v; the manifest has %s", seed, hash, err, man.Lowered)
		}
		for _, u := range mp.Footprint() {
			data := files(t, dir)[coreName(u.Core)+"_synapses.mem"].Data
			if words := bytes.Count(data, []byte("\n")) - 1; int64(words)*64 != u.SynapseBits {
				t.Fatalf("seed %d: core %d: %d words, the footprint has %d bits", seed, u.Core, words, u.SynapseBits)
			}
			seen[fmt.Sprint("bits ", u.StoredBits)]++
			if m.Layers[u.Part.Layer].WeightBits > 8 {
				seen["one sign"]++
			}
		}
		for _, l := range m.Layers {
			if l.Bias != nil {
				seen["bias"]++
			}
		}
	}
	for _, what := range []string{"bits 3", "bits 8", "one sign", "bias"} {
		if seen[what] < 3 || seen["refused"] > 15 {
			t.Errorf("%s: seen %d times of %v", what, seen[what], seen)
		}
	}
}

// TestLoihiRefuses: contracts, layouts and options that the form has no place for.
func TestLoihiRefuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(mp *export.Mapping, o *Options)
		want   string
	}{
		{"reset", func(mp *export.Mapping, o *Options) {
			mp.Model.Arithmetic.Fire.Resets = []fixedpoint.Reset{fixedpoint.ResetZero, fixedpoint.ResetSubtract}
		}, "target tiny: tables: does not fit: fire.resets: got another contract, want zero only"},
		{"current", func(mp *export.Mapping, o *Options) { mp.Model.Arithmetic.Current.Decay.Min = 0 },
			"target tiny: tables: does not fit: current: got another contract, want a decay by multiplying, from 1 on, before the input, and no leak"},
		{"weights", func(mp *export.Mapping, o *Options) { mp.Model.Arithmetic.Weight.Kind = fixedpoint.WeightInteger },
			"target tiny: tables: does not fit: weight.kind: got another contract, want mixed_sign_lsb"},
		{"header", func(mp *export.Mapping, o *Options) { mp.Chip.Core.SynapseLayout.BlockHeaderBits = 0 },
			"target tiny: tables: does not fit: core.synapse_layout: got words of 64 and headers of 0 bits, want 64 and 10"},
		{"blocks", func(mp *export.Mapping, o *Options) { mp.Chip.Core.SynapseLayout.BlockSynapses = 65 },
			"target tiny: tables: does not fit: block_synapses of a core: got 65, want 1..64"},
		{"formats", func(mp *export.Mapping, o *Options) { mp.Chip.Tables.SynapseFormats = 17 },
			"target tiny: tables: does not fit: synapse_formats of a core: got 17, want 1..16"},
		{"a limit that is not known", func(mp *export.Mapping, o *Options) {
			mp.Chip.Core.AxonsOut, mp.Chip.Unknown = 0, map[string]string{"axons_out": "lost"}
		}, "target tiny: tables: does not fit: axons_out of a core: got 0, want 1..1048576"},
		{"images", func(mp *export.Mapping, o *Options) { o.Images = []Image{COE} },
			"target tiny: tables: does not fit: got images [coe], want none with format loihi"},
	} {
		mp, o := tinyLoihi(t), Options{Tool: "t", Force: true}
		m := *mp.Model
		mp.Model = &m
		c.change(mp, &o)
		if err := Write(filepath.Join(t.TempDir(), "x"), mp, o); err == nil || err.Error() != c.want || !errors.Is(err, export.ErrNoFit) {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
	// A core of 2 words cannot hold three axons of one word.
	m := *tinyLoihi(t).Model
	if _, err := export.Map(&m, smallLoihi(t, 2, 2)); !errors.Is(err, export.ErrNoFit) {
		t.Errorf("got %v", err)
	}
}

// TestLoihiTampered changes the tables of testdata/loihi, one thing at a time.
func TestLoihiTampered(t *testing.T) {
	golden := files(t, "testdata/loihi")
	const (
		core0 = "cores/core_0000"
		core2 = "cores/core_0002"
		word0 = "0000000000080411"
	)
	for _, c := range []struct{ file, old, new, want string }{
		{"", "", "", ""},
		{"network.json", `"form": "loihi"`, `"form": "lohii"`, `network.json: form: got "lohii", want loihi or none`},
		{"network.json", `"form": "loihi",`, ``, "network.json: limits: got an object, want none without form loihi"},
		{"network.json", `"compartments": 2,`, ``, "network.json: limits.compartments: got nothing, want a value"},
		{"network.json", `"compartments": 2`, `"compartments": 0`, "network.json: limits.compartments: got 0, want 1..1048576"},
		{"network.json", `"compartments": 2`, `"compartments": 1`, core0 + ".json: compartments: got 2, want 1"},
		{"network.json", `"synapse_words": 8`, `"synapse_words": 2`, core0 + ".json: synapse_words: got 3, want 1..2"},
		{"network.json", `"synapse_map_entries": 16`, `"synapse_map_entries": 2`, core0 + ".json: synapse_map_entries: got 3, want 1..2"},
		{"network.json", `"axons_out": 64`, `"axons_out": 1`, core0 + ".json: axons_out: got 2, want 0..1"},
		{"network.json", `"block_synapses": 64`, `"block_synapses": 1`, core0 + "_synapses.mem:2: synapses of the block: got 2, want 1"},
		{"network.json", `"kind": "mixed_sign_lsb"`, `"kind": "integer"`, "network.json: arithmetic: weight.kind: got another contract, want mixed_sign_lsb"},
		{"network.json", `"images": []`, `"images": ["coe"]`, "network.json: images: got 1, want none with form loihi"},

		{core0 + ".json", `"vth_mantissa": 10`, `"vth_mantissa": 131072`, core0 + ".json: threshold_profiles[0].vth_mantissa: got 131072, want 0..131071"},
		{core0 + ".json", `"vth_mantissa": 10`, `"vth_mantissa": 11`, "cores/core_0001.json: parameters: got others than of core 0, want the same for all cores of a layer"},
		{core2 + ".json", `"vth_mantissa": 131071`, `"vth_mantissa": 5`, core2 + ".json: threshold_profiles: got threshold 320, want 8388544, the highest: its membranes are read"},
		{core0 + ".json", `"decay_u": 4095`, `"decay_u": 4096`, "cores/core_0001.json: parameters: got others than of core 0, want the same for all cores of a layer"},
		{core2 + ".json", `"decay_u": 4095`, `"decay_u": 4096`, ": network: layer 1: current_decay: got 4097, want 1..4096"},
		{core2 + ".json", `"refractory": 1`, `"refractory": 64`, ": network: layer 1: refractory: got 64, want 0..63"},
		{core0 + ".json", `"sign": "mixed"`, `"sign": "both"`, core0 + `.json: synapse_formats[0].sign: got "both", want one of mixed, excitatory, inhibitory`},
		{core0 + ".json", `"sign": "mixed"`, `"sign": "inhibitory"`, core0 + ".json: synapse_formats[0].quantized_bits: got 8, want 9 with sign inhibitory"},
		{core2 + ".json", `"sign": "excitatory"`, `"sign": "inhibitory"`, core2 + "_synapses.csv:2: c0: got 1, want -1 as in the image"},
		{core2 + ".json", `"weight_exp": -1`, `"weight_exp": 8`, ": network: layer 1: weight_exp: got 14, want 0..13"},
		{core0 + ".json", `"id": 1`, `"id": 16`, core0 + ".json: synapse_formats[0].id: got 16, want 0..15"},
		{core0 + ".json", `"id": 1`, `"id": 2`, core0 + "_synapses.mem:2: format id: got 1, want one of the core's synapse formats"},
		{core0 + ".json", `"weight_bits": 8`, `"weight_bits": 7`, core0 + ".json: synapse_formats[0].quantized_bits: got 8, want 2..7"},
		{core0 + ".json", `"weight_bits": 8`, `"weight_bits": 9`, core0 + "_synapses.csv:2: c1: got 4, want 2 as in the image"},
		{core0 + ".json", `"weight_bits": 8`, `"weight_bits": 17`, core0 + ".json: synapse_formats[0].weight_bits: got 17, want 1..16"},
		{core0 + ".json", `"axons_out": 2`, `"axons_out": 1`, core0 + "_axons_out.csv: rows: got 2, want the 1 of " + core0 + ".json"},
		{core0 + ".json", `"compartments": 2`, `"compartments": 1`, core0 + "_compartments.csv:3: rows: got more than 1, want one a compartment"},
		{core0 + ".json", `"synapse_words": 3`, `"synapse_words": 4`, core0 + "_synapses.mem: words: got 3, want 4"},
		{core0 + ".json", `"synapse_words": 3`, `"synapse_words": 2`, core0 + "_synapses.mem:4: words: got more than 2, want 2"},
		{core0 + ".json", `"threshold_profiles": [`, `"threshold_profiles": [ {"vth_mantissa": 1},`, core0 + ".json: threshold_profiles: got 2, want 1"},
		{core0 + ".json", `"compartment_profiles": [`, `"compartment_profiles": [ {"decay_u": 1, "decay_v": 1, "refractory": 1}, {"decay_u": 1, "decay_v": 1, "refractory": 1},`, core0 + ".json: compartment_profiles: got 3, want 1..2"},
		{core0 + ".json", `"scale"`, `"scales"`, core0 + `.json: object: got unknown field "scales", want the keys of version 1`},

		{core0 + "_compartments.csv", "1,0,0,0,0", "1,0,0,0,8", core0 + "_compartments.csv:3: bias_exponent: got 8, want 0..7"},
		{core0 + "_compartments.csv", "1,0,0,0,0", "1,0,0,4096,0", core0 + "_compartments.csv:3: bias_mantissa: got 4096, want -4096..4095"},
		{core0 + "_compartments.csv", "1,0,0,0,0", "1,1,0,0,0", core0 + "_compartments.csv:3: compartment_profile: got 1, want 0"},
		{core0 + "_compartments.csv", "1,0,0,0,0", "1,0,-1,0,0", core0 + "_compartments.csv:3: threshold_profile: got -1, want 0"},
		{core0 + "_compartments.csv", "1,0,0,0,0", "0,0,0,0,0", core0 + "_compartments.csv:3: compartment: got 0, want 1"},
		{core0 + "_compartments.csv", "1,0,0,0,0\n", "", core0 + "_compartments.csv: rows: got 1, want 2, one a compartment"},

		{core0 + "_synapse_map.csv", "1,1,1,0", "1,3,1,0", core0 + "_synapse_map.csv:3: pointer: got 3, want 0..2"},
		{core0 + "_synapse_map.csv", "1,1,1,0", "1,1,3,0", core0 + "_synapse_map.csv:3: length: got 3, want 1..2"},
		{core0 + "_synapse_map.csv", "1,1,1,0", "1,1,2,0", core0 + "_synapse_map.csv:3: length: got 2, want 1, the words of its blocks"},
		{core0 + "_synapse_map.csv", "1,1,1,0", "1,0,1,0", core0 + "_synapse_map.csv:3: pointer: got 0, want words that no other entry has"},
		{core0 + "_synapse_map.csv", "1,1,1,0", "1,1,1,1", core0 + "_synapse_map.csv:3: kind: got 1, want 0, discrete"},
		{core0 + "_synapse_map.csv", "2,2,1,0\n", "", core0 + "_synapse_map.csv: rows: got 2, want 3, one an input axon"},
		{core0 + "_synapse_map.csv", "2,2,1,0\n", "2,2,1,0\n3,0,1,0\n", core0 + "_synapse_map.csv:5: rows: got more than 3, want one an input axon"},
		{core0 + "_synapse_map.csv", "0,0,1,0\n1,1,1,0", "0,1,1,0\n1,0,1,0", core0 + "_synapses.csv:2: c0: got 2, want -2 as in the image"},

		{core0 + "_synapses.mem", word0, "0000000000080811", core0 + "_synapses.csv:2: c0: got 2, want 4 as in the image"},
		{core0 + "_synapses.mem", word0, "0000000004080411", core0 + "_synapses.mem:2: block: got set bits behind the last weight, want zeros"},
		{core0 + "_synapses.mem", word0, "0000000000080412", core0 + "_synapses.mem:2: format id: got 2, want one of the core's synapse formats"},
		{core0 + "_synapses.mem", word0, "0000000000080401", core0 + "_synapses.mem:2: synapses of the block: got 1, want 2"},
		{core0 + "_synapses.mem", word0, "80411", core0 + `_synapses.mem:2: word: got "80411", want 16 lower-case hex digits`},
		{core0 + "_synapses.mem", word0, "00000000000804_1", core0 + `_synapses.mem:2: word: got "00000000000804_1", want 16 lower-case hex digits`},
		{core0 + "_synapses.csv", "1,-2,-256", "1,-2,-254", core0 + "_synapses.csv:3: c1: got -254, want -256 as in the image"},
		{core0 + "_synapses.csv", "2,0,-8", "2,0,-7", core0 + "_synapses.csv:4: c1: got -7, want -8 as in the image"},

		{core0 + "_axons_out.csv", "1,2,1", "2,2,1", core0 + "_axons_out.csv:3: compartment: got 2, want 0..1"},
		{core0 + "_axons_out.csv", "1,2,1", "1,3,1", core0 + "_axons_out.csv:3: destination core: got 3, want a core of network.json"},
		{core0 + "_axons_out.csv", "1,2,1", "1,2,3", core0 + "_axons_out.csv:3: destination axon: got 3, want 0..2"},
		{core0 + "_axons_out.csv", "1,2,1", "1,2,0", "cores: destination axon: got two sources on axon 0 of core 2, want one source an axon"},
		{core0 + "_axons_out.csv", "1,2,1", "0,2,1", core0 + "_axons_out.csv:3: destination core: got 2, want each core once for a source"},
		{core0 + "_axons_out.csv", "1,2,1\n", "", core0 + "_axons_out.csv: rows: got 1, want the 2 of " + core0 + ".json"},
		{"inputs.csv", "2,1,2", "2,1,3", "inputs.csv:7: destination axon: got 3, want 0..2"},
	} {
		fsys := maps.Clone(golden)
		if c.file != "" {
			data := string(fsys[c.file].Data)
			if strings.Count(data, c.old) != 1 {
				t.Fatalf("%s: %q is %d times in it", c.file, c.old, strings.Count(data, c.old))
			}
			fsys[c.file] = &fstest.MapFile{Data: []byte(strings.Replace(data, c.old, c.new, 1))}
		}
		m, err := read(folder{fsys, "d"})
		got := ""
		if err != nil {
			got = strings.TrimPrefix(strings.TrimPrefix(filepath.ToSlash(err.Error()), "d"), "/")
			if !errors.Is(err, artefact.ErrCorrupt) {
				t.Errorf("%s: %v: not corrupt", c.new, err)
			}
		}
		if got != c.want || (err == nil) != (m != nil) {
			t.Errorf("%s %q:\n got %s\nwant %s", c.file, c.new, got, c.want)
		}
	}
	for name := range golden {
		if name == "manifest.json" {
			continue
		}
		fsys := maps.Clone(golden)
		delete(fsys, name)
		if _, err := read(folder{fsys, "d"}); err == nil || !strings.Contains(filepath.ToSlash(err.Error()), name+": open: ") {
			t.Errorf("without %s: got %v", name, err)
		}
	}
}

func FuzzLoihiCoreJSON(f *testing.F) {
	f.Add(files(f, "testdata/loihi")["cores/core_0000.json"].Data)
	f.Fuzz(func(t *testing.T, data []byte) { object[loihiCore](t, data) })
}

// FuzzLoihiFolder reads whole folders: the files of testdata/loihi in the order
// of names, but for the manifest. What is accepted runs.
func FuzzLoihiFolder(f *testing.F) {
	golden := files(f, "testdata/loihi")
	delete(golden, "manifest.json")
	names := slices.Sorted(maps.Keys(golden))
	var whole []byte
	for _, n := range names {
		whole = append(append(whole, golden[n].Data...), 0)
	}
	f.Add(whole)
	f.Fuzz(func(t *testing.T, data []byte) {
		fsys := fstest.MapFS{}
		for i, part := range bytes.Split(data, []byte{0}) {
			if i < len(names) {
				fsys[names[i]] = &fstest.MapFile{Data: part}
			}
		}
		readAndStep(t, fsys)
	})
}
