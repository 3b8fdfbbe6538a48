package rtl

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestThereAndBack(t *testing.T) {
	chips(t, func(t *testing.T, chip Chip) {
		for seed := range uint64(12) {
			r := rand.New(rand.NewPCG(seed, 10))
			c := randomCore(r, chip, 1+r.IntN(256), seed%3 == 0)
			c.Synchronous = seed%3 == 1
			var feed []Span
			if !c.ClosedLoop {
				feed = []Span{{3, 9}}
			}
			samples := []Sample{Native(randomEvents(r, 256, 4, 5), feed, true), {}}
			if c.Synchronous {
				samples = append(samples, Shape{3, 4, 5}.Synchronous(randomEvents(r, 3, 4, 5), true))
			}
			samples[1] = nil
			dir := t.TempDir()
			if err := c.WriteFolder(dir, samples); err != nil {
				t.Fatal(err)
			}
			back, got, err := ReadFolder(dir)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(back, canonical(c)) {
				t.Fatalf("seed %d: got %+v\nwant %+v", seed, back, c)
			}
			if !reflect.DeepEqual(got, samples) {
				t.Fatalf("seed %d: samples: got %v, want %v", seed, got, samples)
			}
		}
	})
}

// canonical drops rows that are all zero.
func canonical(c *Core) *Core {
	d := *c
	d.Weights = nil
	for _, row := range c.Weights {
		if !slices.ContainsFunc(row, func(w int8) bool { return w != 0 }) {
			row = nil
		}
		d.Weights = append(d.Weights, row)
	}
	for len(d.Weights) > 0 && d.Weights[len(d.Weights)-1] == nil {
		d.Weights = d.Weights[:len(d.Weights)-1]
	}
	return &d
}

// The words of the fact sheets, by hand.
func TestLayout(t *testing.T) {
	tiny := &Core{Chip: TinyODIN, Synchronous: true, Neurons: []Neuron{{Threshold: 0x123, Leak: 0x45, Disabled: true, V: -2}, {Integrator: true}}, Weights: [][]int8{{-8, 7}}}
	odin := &Core{Chip: ODIN, Synchronous: true, Neurons: []Neuron{{Threshold: 0x81, Leak: 0x45, Disabled: true, V: 0x35}, {Integrator: true}}, Weights: [][]int8{{-7, -1}, {3, 2}}}
	for _, c := range []struct {
		core    *Core
		file    string
		line    int
		want    string
		comment string
	}{
		{tiny, "neurons.mem", 1, "c5923ffe", "disable, leak 0x45, thr 0x923 (held), v -2"},
		{tiny, "neurons.mem", 2, "00800000", "thr 0x800"},
		{tiny, "synapses.mem", 1, "00000078", "post 0 low"},
		{tiny, "config.spi", 2, "00000 00001 // stop the network", ""},
		{tiny, "config.spi", 5, "00003 00001 // last neuron", ""},
		{tiny, "load.spi", 2, "50000 000fe // neuron 0 byte 0", ""},
		{tiny, "load.spi", 5, "50300 000c5 // neuron 0 byte 3", ""},
		{tiny, "load.spi", 2 + 1024, "60000 00078 // row 0 to 0 and 1", ""},
		{tiny, "load.spi", 2 + 1024 + 1, "62000 00000 // row 0 to 2 and 3", ""},
		{tiny, "hold.spi", 3, "50200 00092 // threshold of neuron 0", "one byte"},
		{tiny, "release.spi", 3, "50200 00012 // threshold of neuron 0", ""},
		{tiny, "release.spi", 4, "00000 00000 // run", ""},
		{tiny, "clear.spi", 5, "50100 0f00f // v of neuron 0", "keeps thr[3:0]"},
		// v 0x35 at bit 70: byte 8 has 0x40, byte 9 has 0x0d.
		{odin, "neurons.mem", 1, "8000000000000d40000000000001ff8b", "thr 255 (held) at 9, leak on, leak 0x45, LIF"},
		{odin, "synapses.mem", 1, "00000017", "magnitudes, map bit 0"},
		{odin, "config.spi", 4, "00002 00001 // inhibitory rows of 0..15", ""},
		{odin, "hold.spi", 3, "50100 001fe // threshold of neuron 0", ""},
		{odin, "release.spi", 3, "50100 00102 // threshold of neuron 0", "byte 2 is the same: bit 7 of 0x81"},
		{odin, "clear.spi", 4, "50800 03f40 // v of neuron 0", ""},
		{odin, "clear.spi", 5, "50900 0c00d // v of neuron 0", ""},
	} {
		dir := t.TempDir()
		if err := c.core.WriteFolder(dir, nil); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(filepath.Join(dir, c.file))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Split(string(data), "\n")[c.line-1]; got != c.want {
			t.Errorf("%s %s:%d: got %s, want %s (%s)", c.core.Chip, c.file, c.line, got, c.want, c.comment)
		}
	}
}

func TestReadFolderFaults(t *testing.T) {
	c := &Core{Chip: TinyODIN, Neurons: []Neuron{{Threshold: 5}, {Threshold: 6}}, Weights: [][]int8{{1, 2}}}
	samples := []Sample{{{Kind: Tick}, {Kind: Spike, A: 7}, {Kind: Leak}}}
	for _, f := range []struct{ file, old, new, want string }{
		{"core.json", "tinyodin", "toy", `core.json: chip: got "toy", want tinyodin or odin`},
		{"core.json", `"neurons": 2`, `"neurons": 3`, "config.spi: writes: got another sequence, want what the core's neurons and weights give"},
		{"core.json", `"version"`, `"Version2"`, "core.json: object: got "},
		{"neurons.mem", "0000", "000g", `neurons.mem:1: word: got "000g5000", want 8 hex digits`},
		{"neurons.mem", "\n", "\n00000000\n", "neurons.mem:257: words: got more, want 256"},
		{"synapses.mem", "00000021", "00000031", "load.spi: SRAM content: got another than the images"},
		{"load.spi", "60000 00021", "60000 0021", `load.spi:1026: data: got "0021", want 5 hex digits`},
		{"load.spi", "60000 00021", "60000", "load.spi:1026: columns: got 1, want 2: address and data"},
		{"clear.spi", "50000 00000", "50000 00001", "clear.spi: writes: got another sequence"},
		{"sample_00000.stim", "spike 7", "spike x", `sample_00000.stim:3: spike: got "x", want an integer`},
		{"sample_00000.stim", "spike 7", "spike 256", "sample_00000.stim:3: first operand of spike: got 256, want 0..255"},
		{"sample_00000.stim", "spike 7", "spike", "sample_00000.stim:3: spike: got 0 operands, want 1"},
		{"sample_00000.stim", "leak", "leek", `sample_00000.stim:4: op: got "leek", want tick, spike,`},
		{"sample_00000.stim", "end", "", "sample_00000.stim: op: got the end of the file, want end"},
		{"sample_00000.stim", "end", "end\nleak", "sample_00000.stim:6: op: got leak, want nothing after end"},
	} {
		dir := t.TempDir()
		if err := c.WriteFolder(dir, samples); err != nil {
			t.Fatal(err)
		}
		edit(t, filepath.Join(dir, f.file), f.old, f.new)
		_, _, err := ReadFolder(dir)
		mention(t, err, ErrCorrupt, f.want)
	}
	dir := t.TempDir()
	if err := c.WriteFolder(dir, samples); err != nil {
		t.Fatal(err)
	}
	edit(t, filepath.Join(dir, "sample_00000.stim"), "leak", "hold")
	_, _, err := ReadFolder(dir)
	mention(t, err, ErrInvalid, "op 2: hold: got hold 0 0, want a synchronous core")
}

func TestValidate(t *testing.T) {
	ok := Neuron{Threshold: 5}
	for _, c := range []struct {
		core Core
		want string
	}{
		{Core{Chip: "x"}, `chip: got "x"`},
		{Core{Chip: ODIN}, "neurons: got 0, want 1..256"},
		{Core{Chip: ODIN, Neurons: []Neuron{{Threshold: 255}}}, "neuron 0: threshold: got 255, want 1..254"},
		{Core{Chip: TinyODIN, Neurons: []Neuron{{Threshold: 2048}}}, "neuron 0: threshold: got 2048, want 1..2047"},
		{Core{Chip: TinyODIN, Neurons: []Neuron{{Threshold: 1, Integrator: true}}}, "threshold of an integrator: got 1, want 0"},
		{Core{Chip: TinyODIN, Neurons: []Neuron{{Threshold: 1, Leak: 128}}}, "neuron 0: leak: got 128, want 0..127"},
		{Core{Chip: TinyODIN, Neurons: []Neuron{{Threshold: 3, V: 3}}}, "neuron 0: v: got 3"},
		{Core{Chip: TinyODIN, Neurons: []Neuron{ok}, Weights: [][]int8{{8}}}, "weight 0 to 0: got 8, want -8..7"},
		{Core{Chip: ODIN, Neurons: []Neuron{ok}, Weights: [][]int8{{-8}}}, "weight 0 to 0: got -8, want -7..7"},
		{Core{Chip: ODIN, Neurons: []Neuron{ok, ok}, Weights: [][]int8{{-1, 1}}}, "row 0: got weights of both signs"},
		{Core{Chip: ODIN, Neurons: []Neuron{ok, ok}, Weights: [][]int8{{1}}}, "row 0: got 1 weights, want 2"},
		{Core{Chip: ODIN, Neurons: []Neuron{ok}, Synchronous: true, ClosedLoop: true}, "scheduling: got synchronous and closed loop"},
	} {
		mention(t, c.core.Validate(), ErrInvalid, c.want)
	}
}

// The synchronous ops of the model are the network they stand for: per tick
// hidden integrate, leak, test and reset; outputs leak, then integrate.
func TestSynchronous(t *testing.T) {
	chips(t, func(t *testing.T, chip Chip) {
		early := 0
		for seed := range uint64(100) {
			r := rand.New(rand.NewPCG(seed, 11))
			net := randomNet(r, chip, 1+r.IntN(40), 1+r.IntN(20), r.IntN(6))
			c, shape, err := net.Place(chip)
			if err != nil {
				t.Fatal(err)
			}
			in := randomEvents(r, shape.Inputs, 6, []int{8, 300}[seed%2])
			log, err := c.Predict([]Sample{shape.Synchronous(in, false)})
			if err != nil {
				t.Fatal(err)
			}
			spikes, outputs, n := reference(net, chip, shape, in)
			early += n
			got := log.Samples[0]
			if !slices.Equal(got.Spikes, spikes) {
				t.Fatalf("seed %d: spikes: got %v, want %v", seed, got.Spikes, spikes)
			}
			if o := got.Membranes[shape.Inputs+shape.Hidden:]; !slices.Equal(o, outputs) {
				t.Fatalf("seed %d: outputs: got %v, want %v", seed, o, outputs)
			}
		}
		if (early > 0) != (chip == ODIN) {
			t.Errorf("%d spikes came before the leak event", early)
		}
	})
}

// reference is the scheme of doc.go; on ODIN a membrane that gets to 255 fires
// at once, which early counts.
func reference(net *TwoLayer, chip Chip, shape Shape, in Events) (spikes []SpikeLog, o []int, early int) {
	low, high := -2048, 2047
	if chip == ODIN {
		low, high = 0, 255
	}
	add := func(v *int, w int8) (fired bool) {
		*v = min(max(*v+int(w), low), high)
		if fired = chip == ODIN && *v == high; fired {
			*v = 0
			early++
		}
		return fired
	}
	leak := func(v *int, l int) {
		if *v >= 0 {
			*v = max(*v-l, 0)
		} else {
			*v = min(*v+l, 0)
		}
	}
	v := make([]int, shape.Hidden)
	o = make([]int, shape.Outputs)
	for tick, rows := range in {
		var fired []int
		for _, row := range rows {
			for h := range v {
				if add(&v[h], net.W1[row][h]) {
					fired = append(fired, h)
				}
			}
		}
		for k := range o {
			leak(&o[k], net.OutputLeak)
		}
		for h := range v {
			if leak(&v[h], net.Leaks[h]); v[h] >= net.Thresholds[h] {
				v[h] = 0
				fired = append(fired, h)
			}
		}
		for _, h := range fired {
			spikes = append(spikes, SpikeLog{tick, shape.Inputs + h})
		}
		for _, h := range fired {
			for k := range o {
				if add(&o[k], net.W2[h][k]) {
					spikes = append(spikes, SpikeLog{tick, shape.Inputs + shape.Hidden + k})
				}
			}
		}
	}
	return spikes, o, early
}

func TestReadLogFaults(t *testing.T) {
	head := "VCD info: noise\nglsnn-rtl 1 odin\nloaded 5\n"
	for _, c := range []struct{ text, want string }{
		{"", "log: got no done line, want a finished run"},
		{"spike 1 2\n", "run.log:4: spike: got outside a sample"},
		{"sample 1\n", "run.log:4: sample: got 1, want 0"},
		{"sample 0\nspike 1\n", "run.log:5: spike: got 1 numbers, want 2"},
		{"sample 0\nv 1 x\n", `run.log:5: v: got "x", want an integer`},
		{"sample 0\nend 0 1 0\n", "run.log:5: end: got 0, want 0, after its membranes"},
		{"sample 0\nv 1\nend 0 9 0\ndone 9\ndone 9\n", "run.log:8: done: got a line after done"},
		{"glsnn-rtl 1 odin\n", "run.log:4: format: got glsnn-rtl 1 odin"},
	} {
		_, err := ReadLog("run.log", strings.NewReader(head+c.text))
		mention(t, err, ErrCorrupt, c.want)
	}
	_, err := ReadLog("run.log", strings.NewReader(head+"error tick 3: chip asleep\n"))
	mention(t, err, ErrStopped, "tick 3: chip asleep")
}

func TestRunFaults(t *testing.T) {
	c := &Core{Chip: TinyODIN, Neurons: []Neuron{{Threshold: 5}}}
	ctx := context.Background()
	_, err := Run(ctx, Options{}, c, nil)
	mention(t, err, ErrNoClone, "want a checkout of github.com/ChFrenkel/tinyODIN")
	_, err = Run(ctx, Options{Clone: t.TempDir()}, c, nil)
	mention(t, err, ErrNoClone, "no tinyODIN.v in it")
	_, err = RunGrid(ctx, Options{Clone: t.TempDir()}, &Grid{X: 2, Y: 1, Bus: [2]int{1, 0}, Axons: 2, Neurons: 2, Types: 2, Bits: 4, WeightBits: 4, Outputs: 2, Cores: []GridCore{{Types: []uint8{0, 1}}, {}}}, nil)
	mention(t, err, ErrNoClone, "want a checkout of github.com/UA-RCL/RANC")
	stub := filepath.Join("testdata", "stub", "tinyodin")
	_, err = Run(ctx, Options{Clone: stub, Simulator: "spice"}, c, nil)
	mention(t, err, ErrNoSimulator, `"spice": want iverilog or verilator`)
	t.Run("no simulator", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		_, err := Run(ctx, Options{Clone: stub}, c, nil)
		mention(t, err, ErrNoSimulator, "iverilog is not in PATH: install Icarus Verilog")
	})
	t.Run("not the RTL", func(t *testing.T) {
		needSimulator(t)
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "tinyODIN.v"), []byte("module tinyODIN(input CLK);\nendmodule\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := Run(ctx, Options{Clone: dir}, c, nil)
		mention(t, err, ErrBuild, "iverilog: ")
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("got %q, want one line", err)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		needSimulator(t)
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		_, err := Run(ctx, Options{Clone: stub}, c, nil)
		mention(t, err, context.Canceled, "")
	})
}

// TestStub plays the benches against stubs with the chips' ports: membranes
// stay as loaded, nothing fires.
func TestStub(t *testing.T) {
	needSimulator(t)
	chips(t, func(t *testing.T, chip Chip) {
		c := &Core{Chip: chip, Synchronous: true, Neurons: []Neuron{{Threshold: 5, V: 3}, {Integrator: true, V: 9}}, Weights: [][]int8{{1, 2}}}
		dir := t.TempDir()
		sample := Sample{{Kind: Tick, A: 4}, {Kind: Spike, A: 1}, {Kind: Release}, {Kind: Leak}, {Kind: Hold}, {Kind: Feed, A: 0, B: 1}, {Kind: State}}
		log, err := Run(context.Background(), Options{Clone: filepath.Join("testdata", "stub", string(chip)), WorkDir: dir}, c, []Sample{sample, nil})
		if err != nil {
			t.Fatal(err)
		}
		v := []int{3, 9}
		want := &Log{Chip: chip, Samples: []SampleLog{{States: []StateLog{{4, v}}, Membranes: v}, {Membranes: v}}}
		if err := sameLog(log, want); err != nil {
			t.Error(err)
		}
		if log.Cycles == 0 || log.Samples[0].Cycles == 0 || log.LoadCycles == 0 || log.Samples[0].SPICycles != 0 {
			t.Errorf("cycles: got %+v", log)
		}
		if _, _, err := ReadFolder(dir); err != nil {
			t.Error(err)
		}

		// The chip's own scheduling, with and without its queue, membranes by SPI:
		// 162 cycles a write, and the stub has no memory to show.
		for _, closed := range []bool{false, true} {
			c.Synchronous, c.ClosedLoop = false, closed
			feed := []Span{{0, 1}}
			if closed {
				feed = nil
			}
			log, err := Run(context.Background(), Options{Clone: filepath.Join("testdata", "stub", string(chip)), PhasesBySPI: true}, c, []Sample{Native(Events{{1, 0}, nil}, feed, true), nil})
			if err != nil {
				t.Fatal(err)
			}
			if got, want := log.Samples[1].SPICycles, uint64(162*len(c.Programs().Clear)); got != want || log.Samples[0].SPICycles != 0 || log.Samples[1].Cycles < want {
				t.Errorf("closed %v: got %+v, want %d cycles of SPI in sample 1", closed, log.Samples, want)
			}
		}
	})
	t.Run("ranc", func(t *testing.T) {
		r := rand.New(rand.NewPCG(3, 12))
		g := randomGrid(r, 9)
		samples := []GridSample{randomPackets(r, g, 2)}
		log, err := RunGrid(context.Background(), Options{Clone: filepath.Join("testdata", "stub", "ranc")}, g, samples)
		if err != nil {
			t.Fatal(err)
		}
		v := g.Predict([]GridSample{{}}).Samples[0].Membranes
		want := &Log{Chip: RANC, Samples: []SampleLog{{States: []StateLog{{0, v}, {1, v}}, Membranes: v}}}
		if err := sameLog(log, want); err != nil {
			t.Error(err)
		}
	})
}

func FuzzReadSample(f *testing.F) {
	f.Add("# x\ntick 0\nspike 3\nfeed 1 2\nend\n")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ReadSample("x", strings.NewReader(text))
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := s.Write(&b); err != nil {
			t.Fatal(err)
		}
		back, err := ReadSample("x", &b)
		if err != nil || fmt.Sprint(back) != fmt.Sprint(s) {
			t.Fatalf("got %v, %v, want %v", back, err, s)
		}
	})
}

func FuzzReadSPI(f *testing.F) {
	f.Add("// x\n00000 00001 // gate\n")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ReadSPI("x", strings.NewReader(text))
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := WriteSPI(&b, p); err != nil {
			t.Fatal(err)
		}
		back, err := ReadSPI("x", &b)
		if err != nil || !slices.Equal(back, p) {
			t.Fatalf("got %v, %v, want %v", back, err, p)
		}
	})
}
