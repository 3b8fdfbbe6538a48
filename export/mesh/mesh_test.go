package mesh

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"glsnn/emulator"
	"glsnn/export"
	"glsnn/export/rtl"
	"glsnn/export/table"
	"glsnn/fixedpoint"
	"glsnn/fixedpoint/artefact"
	"glsnn/fixedpoint/fptest"
	"glsnn/targets"
)

func load(t testing.TB, name string) *targets.Chip {
	t.Helper()
	chip, err := targets.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return chip
}

// small is a RANC of tiny cores: many fit a test, and RTL of it is fast.
func small(t testing.TB, axons, neurons, width, height int) *targets.Chip {
	c := load(t, "ranc")
	c.Core.AxonsIn, c.Core.Neurons, c.Core.AxonsOut, c.Core.SynapseBits = axons, neurons, neurons, int64(axons*neurons)
	c.Fabric.Width, c.Fabric.Height = width, height
	return c
}

// model is a random network in chip's arithmetic, read by count. Resets, bits
// and negative levels differ from layer to layer; few membranes wrap.
func model(rng *rand.Rand, chip *targets.Chip, sizes ...int) *fixedpoint.Model {
	a := chip.Arithmetic
	m := fixedpoint.Model{Arithmetic: a, Ticks: 3 + rng.IntN(6), Readout: fixedpoint.ReadCount}
	for l := range len(sizes) - 1 {
		bits := a.Weight.Bits - rng.IntN(2)
		w := make([]int16, sizes[l]*sizes[l+1])
		for i := range w {
			w[i] = int16(rng.IntN(1<<bits) - 1<<(bits-1))
		}
		layer := fixedpoint.Layer{
			In: sizes[l], Out: sizes[l+1], Weights: fixedpoint.NewMatrix(sizes[l], sizes[l+1], w), WeightBits: bits, Scale: 0.5,
			Threshold: int64(1 + rng.IntN(1<<(bits-2))), Reset: fixedpoint.ResetZero,
			NegThreshold: -int64(rng.IntN(60)) - 1, NegReset: fixedpoint.NegValue,
		}
		switch rng.IntN(3) {
		case 0:
			layer.Reset, layer.NegReset = fixedpoint.ResetSubtract, fixedpoint.NegSubtract
		case 1:
			layer.Reset, layer.ResetValue = fixedpoint.ResetValue, int64(rng.IntN(9)-4)
			if layer.ResetValue == 0 {
				layer.ResetValue = 1
			}
		}
		if l < len(sizes)-2 {
			layer.Delay = rng.IntN(3)
		}
		m.Layers = append(m.Layers, layer)
	}
	checked, err := fixedpoint.NewModel(m)
	if err != nil {
		panic(err)
	}
	return checked
}

func build(t testing.TB, m *fixedpoint.Model, chip *targets.Chip) *Mesh {
	t.Helper()
	mp, err := export.Map(m, chip)
	if err != nil {
		t.Fatal(err)
	}
	if err := mp.Check(); err != nil {
		t.Fatal(err)
	}
	mesh, err := Build(mp)
	if err != nil {
		t.Fatal(err)
	}
	return mesh
}

// run is a mesh's samples and what the emulator expects of each.
func run(rng *rand.Rand, m *Mesh, n int) (packets []rtl.GridSample, want []rtl.SampleLog) {
	e := emulator.New(m.Model, emulator.Options{Delay: true})
	for range n {
		train := fptest.RandomTrain(rng, m.Model.Ticks, m.Model.Inputs(), 0.6)
		packets = append(packets, m.Packets(train))
		want = append(want, m.Expect(e, train))
	}
	return packets, want
}

func compare(log *rtl.Log, want []rtl.SampleLog) rtl.Result {
	var r rtl.Result
	for i, w := range want {
		r.Add(log.Samples[i], w)
	}
	return r
}

// TestThereAndBack writes random networks, reads the folders back and runs what
// was read by the integer model of the mesh: the network is the one written, and
// spikes and membranes after every tick are the emulator's.
func TestThereAndBack(t *testing.T) {
	var sum rtl.Result
	split := 0 // layers over several cores
	for seed := range uint64(16) {
		rng := rand.New(rand.NewPCG(seed, 31))
		chip := small(t, 64, 64, 2+rng.IntN(3), 3)
		if seed%8 == 7 {
			chip = load(t, []string{"ranc", "ranc-w8"}[rng.IntN(2)])
		}
		sizes := []int{1 + rng.IntN(8), 1 + rng.IntN(7), 2 + rng.IntN(20)}
		if rng.IntN(3) == 0 {
			sizes = []int{1 + rng.IntN(8), 1 + rng.IntN(8), 1 + rng.IntN(8), 2 + rng.IntN(7)}
		} else if chip.Core.Neurons == 64 && rng.IntN(2) == 0 {
			sizes[2] = 65 + rng.IntN(60)
			chip.Core.AxonsIn, chip.Core.SynapseBits = 128, 128*64 // the bus has an address for each
			split++
		}
		m := build(t, model(rng, chip, sizes...), chip)
		packets, want := run(rng, m, 4)
		dir := filepath.Join(t.TempDir(), "tables")
		if err := m.Write(dir, chip, packets, table.Options{Tool: "test"}); err != nil {
			t.Fatal(err)
		}
		man, err := table.ReadManifest(dir, Kind)
		if err != nil {
			t.Fatal(err)
		}
		back, samples, err := Read(dir)
		if err != nil || len(samples) != 4 {
			t.Fatalf("seed %d: %d samples, %v", seed, len(samples), err)
		}
		if hash, err := back.Model.Hash(); err != nil || hash != man.Lowered {
			t.Fatalf("seed %d: got %s, %v, want %s", seed, hash, err, man.Lowered)
		}
		r := compare(back.Grid.Predict(samples), want)
		if r.Mismatches != 0 {
			t.Fatalf("seed %d, sizes %v: %+v", seed, sizes, r)
		}
		if r := compare(m.Grid.Predict(packets), want); r.Mismatches != 0 {
			t.Fatalf("seed %d: %+v", seed, r)
		}
		sum.Spikes += r.Spikes
		sum.Membranes += r.Membranes

		// Planted differences are found.
		want[3].States[0].Membranes[0]++
		if r := compare(back.Grid.Predict(samples), want); r.Mismatches != 1 || !strings.HasPrefix(r.First, "sample 3: tick 0: membrane of neuron 0: got ") {
			t.Errorf("seed %d: got %+v", seed, r)
		}
		want[0].Spikes = append(want[0].Spikes, rtl.SpikeLog{Tick: 99, Neuron: 3})
		if r := compare(back.Grid.Predict(samples), want); r.Mismatches != 2 || !strings.Contains(r.First, "got none, want neuron 3 in tick 99") {
			t.Errorf("seed %d: got %+v", seed, r)
		}
	}
	t.Logf("%d spikes, %d membranes; %d layers over several cores", sum.Spikes, sum.Membranes, split)
	if sum.Spikes < 1000 || split < 3 {
		t.Error("the test shows little")
	}
}

// TestWraps: a membrane that leaves its 9 bits is the emulator's to the last bit.
func TestWraps(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 32))
	chip := load(t, "ranc")
	w := make([]int16, 60*2)
	for i := range w {
		w[i] = 7 - 15*int16(i%2)
	}
	m, err := fixedpoint.NewModel(fixedpoint.Model{Arithmetic: chip.Arithmetic, Ticks: 6, Readout: fixedpoint.ReadCount, Layers: []fixedpoint.Layer{{
		In: 60, Out: 2, Weights: fixedpoint.NewMatrix(60, 2, w), WeightBits: 4, Threshold: 255, NegThreshold: -256, NegReset: fixedpoint.NegValue,
	}}})
	if err != nil {
		t.Fatal(err)
	}
	mesh := build(t, m, chip)
	packets, want := run(rng, mesh, 5)
	if r := compare(mesh.Grid.Predict(packets), want); r.Mismatches != 0 {
		t.Errorf("%+v", r)
	}
	wide := *mesh.Grid
	wide.Bits = 32
	if r := compare(wide.Predict(packets), want); r.Mismatches == 0 {
		t.Error("nothing wrapped: the test shows nothing")
	}
}

// TestByHand: one input with weights 3 and -2 of 3 bits, one hidden neuron that
// feeds an output with a weight of 1 of 2 bits. Axons 0..2 carry 1, 2 and -4;
// 3 = 011, -2 = 110; a hidden neuron stands twice.
func TestByHand(t *testing.T) {
	chip := small(t, 8, 8, 2, 1)
	layer := func(in, out, bits int, w ...int16) fixedpoint.Layer {
		return fixedpoint.Layer{In: in, Out: out, Weights: fixedpoint.NewMatrix(in, out, w), WeightBits: bits, Threshold: 3, NegThreshold: -256, NegReset: fixedpoint.NegValue}
	}
	m, err := fixedpoint.NewModel(fixedpoint.Model{Arithmetic: chip.Arithmetic, Ticks: 1, Readout: fixedpoint.ReadCount, Layers: []fixedpoint.Layer{
		layer(1, 2, 3, 3, -2), layer(2, 2, 2, 1, -2, 0, -1),
	}})
	if err != nil {
		t.Fatal(err)
	}
	mesh := build(t, m, chip)
	g := mesh.Grid
	if g.X != 3 || g.Y != 1 || len(g.Cores[0].Neurons) != 4 || len(g.Cores[1].Neurons) != 2 || len(g.Cores[2].Neurons) != 0 {
		t.Fatalf("got %+v", g)
	}
	for j, want := range []struct {
		core, neuron int
		connected    string // axon 0 first
		dx, axon     int
	}{
		{0, 0, "110", 1, 0}, {0, 1, "110", 1, 1}, {0, 2, "011", 1, 2}, {0, 3, "011", 1, 3},
		{1, 0, "1000", 1, 0}, {1, 1, "0111", 1, 1},
	} {
		n := g.Cores[want.core].Neurons[want.neuron]
		got := ""
		for _, on := range n.Connected[:len(want.connected)] {
			got += map[bool]string{false: "0", true: "1"}[on]
		}
		if got != want.connected || n.DX != want.dx || n.DY != 0 || n.Axon != want.axon || n.Delay != 0 || n.Positive != 3 {
			t.Errorf("%d: got %s %+v, want %+v", j, got, n, want)
		}
	}
	if n := g.Cores[0].Neurons[0]; n.Weights[0] != 1 || n.Weights[1] != 2 || n.Weights[2] != -4 || n.Weights[3] != 0 {
		t.Errorf("table: got %v", n.Weights)
	}
	s := mesh.Packets(fptest.RandomTrain(rand.New(rand.NewPCG(1, 1)), 1, 1, 1))
	if len(s) != 2 || len(s[0]) != 3 || s[0][2] != (rtl.Packet{Axon: 2}) || len(s[1]) != 0 {
		t.Errorf("packets: got %v", s)
	}
}

// TestFits: the sums of the mapping, by formula, and what does not fit.
func TestFits(t *testing.T) {
	chip := load(t, "ranc")
	rng := rand.New(rand.NewPCG(1, 33))
	four := func(chip *targets.Chip, sizes ...int) *fixedpoint.Model {
		m := model(rng, chip, sizes...)
		for i := range m.Layers {
			m.Layers[i].WeightBits = chip.Arithmetic.Weight.Bits
		}
		return m
	}
	m := build(t, four(chip, 64, 64, 64, 10), chip)
	for i, want := range []int{256, 256, 10, 0, 0} {
		if got := len(m.Grid.Cores[i].Neurons); got != want {
			t.Errorf("core %d: got %d neurons, want %d", i, got, want)
		}
	}
	w8 := load(t, "ranc-w8")
	for _, c := range []struct {
		chip  *targets.Chip
		sizes []int
		want  string
	}{
		{chip, []int{65, 10}, "layer 0: in-axons of a core: need 260 axons (a fan-in of 65 x 4 bits), have 256 (target ranc); a sum cannot be split over cores: narrow the layer below or pool the images with --size, to 64, or quantise this layer to fewer bits"},
		{w8, []int{32, 33, 10}, "layer 1: in-axons of a core: need 264 axons (a fan-in of 33 x 8 bits), have 256 (target ranc-w8); a sum cannot be split over cores: narrow the layer below or pool the images with --size, to 32, or quantise this layer to fewer bits"},
		{chip, []int{4, 4, 4, 4, 4, 4}, "network: cores: need 5 cores, have 4 (target ranc); use fewer or narrower layers, fewer weight bits, or more chips"},
		{small(t, 16, 16, 9, 1), []int{2, 3, 80}, "layer 0: neurons of a core, for the copies of one: need 20 neurons, have 16 (target ranc); narrow the layer above, so that it takes fewer cores, or quantise it to fewer bits"},
	} {
		_, err := export.Map(four(c.chip, c.sizes...), c.chip)
		if !errors.Is(err, export.ErrNoFit) || err.Error() != c.want {
			t.Errorf("%v: got %v, want %s", c.sizes, err, c.want)
		}
	}
	refuse := func(want string, edit func(m *fixedpoint.Model)) {
		t.Helper()
		m := *four(chip, 3, 3, 2)
		edit(&m)
		checked, err := fixedpoint.NewModel(m)
		if err != nil {
			t.Fatal(err)
		}
		mp, err := export.Map(checked, chip)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Build(mp); !errors.Is(err, export.ErrNoFit) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	refuse("layers: does not fit: got one that leaks or fires without input", func(m *fixedpoint.Model) { m.Layers[1].MembraneLeak = -1 })
	refuse("read-out: does not fit: got membrane, want count: only spikes leave the mesh; train with --readout count", func(m *fixedpoint.Model) {
		m.Readout, m.Layers[1].Integrator = fixedpoint.ReadMembrane, true
	})
	for _, c := range []struct {
		want string
		edit func(c *targets.Chip)
	}{
		{"paired false, want ge, negative lt, paired", func(c *targets.Chip) { c.Arithmetic.Fire.Negative.Paired = false }},
		{"fabric: does not fit: got 2 cores a tile, 1 chips, layer delay 1, want one unicast mesh", func(c *targets.Chip) { c.Fabric.CoresPerTile = 2 }},
		{"got 1 cores a tile, 1 chips, layer delay 0, want", func(c *targets.Chip) { c.Fabric.LayerDelay = 0 }},
		{"layer 0: weight_exp: does not fit: got 1, want 0", func(c *targets.Chip) { c.Arithmetic.Weight.ExpMin, c.Arithmetic.Weight.ExpMax = 1, 1 }},
		{"axons, neurons: got 60, 256, want powers of two", func(c *targets.Chip) { c.Core.AxonsIn = 60 }},
	} {
		chip := load(t, "ranc")
		c.edit(chip)
		m := *four(load(t, "ranc"), 3, 3, 2)
		m.Arithmetic = chip.Arithmetic
		for i := range m.Layers {
			m.Layers[i].WeightExp = chip.Arithmetic.Weight.ExpMin
		}
		mp, err := export.Map(&m, chip)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Build(mp); !errors.Is(err, export.ErrNoFit) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

// folder is a written mesh: one input, two hidden neurons, two outputs.
func folder(t testing.TB) string {
	chip := small(t, 8, 8, 2, 1)
	rng := rand.New(rand.NewPCG(2, 34))
	a := chip.Arithmetic
	layer := func(in int, w ...int16) fixedpoint.Layer {
		return fixedpoint.Layer{In: in, Out: 2, Weights: fixedpoint.NewMatrix(in, 2, w), WeightBits: 2, Threshold: 1, NegThreshold: -256, NegReset: fixedpoint.NegValue}
	}
	m, err := fixedpoint.NewModel(fixedpoint.Model{Arithmetic: a, Ticks: 2, Readout: fixedpoint.ReadCount, Layers: []fixedpoint.Layer{layer(1, 1, -2), layer(2, 1, 0, -1, 1)}})
	if err != nil {
		t.Fatal(err)
	}
	mesh := build(t, m, chip)
	dir := filepath.Join(t.TempDir(), "tables")
	if err := mesh.Write(dir, chip, []rtl.GridSample{mesh.Packets(fptest.RandomTrain(rng, 2, 1, 1))}, table.Options{Tool: "test"}); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestTampered changes one thing in a folder at a time; the error names the file
// and the line. The simulator's file is left out of it: it repeats the memories.
func TestTampered(t *testing.T) {
	for _, c := range []struct {
		name, file, old, new string
		grid                 func(g *rtl.Grid) // instead of a text edit
		want                 string
	}{
		{name: "input twice", file: "inputs.csv", old: "0,0,0,1", new: "0,0,0,0", want: "inputs.csv:3: axon 0 of core 0: got input 0 beside input 0, want one source"},
		{name: "input out of range", file: "inputs.csv", old: "0,0,0,1", new: "1,0,0,1", want: "inputs.csv:3: input: got 1, want ascending, below 1"},
		{name: "input to the bus", file: "inputs.csv", old: "0,0,0,1", new: "0,2,0,1", want: "inputs.csv:3: x,y: got 2,0, want a core"},
		{name: "input off the core", file: "inputs.csv", old: "0,0,0,1", new: "0,0,0,8", want: "inputs.csv:3: axon: got 8, want 0..7"},
		{name: "input missing", file: "inputs.csv", old: "0,0,0,0\n0,0,0,1\n", new: "", want: "csram_000.mem:1: connection to axon 0: got nothing, want an input"},
		{name: "copy on the bus", file: "neurons.csv", old: "1,1,1,1", new: "2,1,1,1", want: "neurons.csv:7: core: got 2, want another than the bus"},
		{name: "copy out of order", file: "neurons.csv", old: "1,1,1,1", new: "1,0,1,1", want: "neurons.csv:7: core,neuron: got 1,0, want ascending"},
		{name: "layer", file: "neurons.csv", old: "1,1,1,1", new: "1,1,2,1", want: "neurons.csv:7: layer: got 2, want 0..1"},
		{name: "index", file: "neurons.csv", old: "1,1,1,1", new: "1,1,1,2", want: "neurons.csv:7: index: got 2, want 0..1"},
		{name: "output number", file: "neurons.csv", old: "1,1,1,1", new: "1,1,1,0", want: "csram_001.mem:2: destination: got cell 2 axon 1, want the bus, cell 2, axon 0"},
		{name: "copy not named", file: "neurons.csv", old: "1,1,1,1\n", new: "", want: "csram_001.mem:2: word: got a neuron that may do something, want a silent one: neurons.csv does not name it"},
		{name: "copies swapped", file: "neurons.csv", old: "0,1,0,0\n0,2,0,1", new: "0,1,0,1\n0,2,0,0", want: "csram_000.mem:3: weight from input 0: got -2, want 1, as in the other copies of the neuron"},
		{name: "window", file: "network.json", old: `"ticks": 2`, new: `"ticks": 3`, want: "sample_00000.pkt: ticks: got 3, want 4, the window and the way to the bus"},
		{name: "unknown key", file: "network.json", old: `"ticks": 2`, new: `"tocks": 2`, want: "network.json: object: got unknown field"},
		{name: "key left out", file: "network.json", old: "\n  \"ticks\": 2,", new: "", want: "network.json: ticks: got nothing, want a value"},
		{name: "another test", file: "network.json", old: `"when": "ge"`, new: `"when": "gt"`, want: "network.json: arithmetic: fire: got gt, negative lt, paired true, want ge, negative lt, paired"},
		{name: "a decay", file: "network.json", old: `"place": "after_integrate"`, new: `"place": "after_test"`, want: "network.json: arithmetic: membrane: got other mechanisms"},
		{name: "width", file: "network.json", old: `"types": 4`, new: `"types": 5`, want: "network.json: arithmetic: got membranes of 9 bits, 5 types of 9, want 9, 4 types of 9, as in grid.json"},
		{name: "weights too wide", file: "network.json", old: `"weight_bits": 2`, new: `"weight_bits": 9`, want: "network.json: network: got layer 0: weight_bits: got 9, want 2..4, want one of the arithmetic in it"},
		{name: "too many neurons", file: "network.json", old: `"neurons": 2`, new: `"neurons": 3`, want: "neurons.csv: rows: got none for neuron 2 of layer 0, want each neuron"},
		{name: "threshold of a copy", grid: func(g *rtl.Grid) { g.Cores[0].Neurons[1].Positive = 2 }, want: "csram_000.mem:2: parameters: got others, want those of the other neurons of layer 0"},
		{name: "potential", grid: func(g *rtl.Grid) { g.Cores[1].Neurons[0].V = -1 }, want: "csram_001.mem:1: potential: got -1, want 0"},
		{name: "linear with a value", grid: func(g *rtl.Grid) { n := &g.Cores[0].Neurons[0]; n.Linear, n.Reset = true, 1 }, want: "csram_000.mem:1: reset potential: got 1, want 0 with a linear reset"},
		{name: "connection", grid: func(g *rtl.Grid) { g.Cores[0].Neurons[1].Connected[1] = true }, want: "csram_000.mem:2: weight from input 0: got -1, want 1, as in the other copies of the neuron"},
		{name: "connection to an idle axon", grid: func(g *rtl.Grid) { g.Cores[0].Neurons[1].Connected[5] = true }, want: "csram_000.mem:2: connection to axon 5: got nothing, want an input"},
		{name: "two destinations alike", grid: func(g *rtl.Grid) { g.Cores[0].Neurons[1].Axon = 0 }, want: "csram_000.mem:2: axon 0 of core 1: got neuron 0 of layer 0 beside neuron 0 of layer 0, want one source"},
		{name: "hidden to the bus", grid: func(g *rtl.Grid) { g.Cores[0].Neurons[3].DX = 2 }, want: "csram_000.mem:4: destination: got the bus, want a core: this is a neuron of layer 0"},
		{name: "a neuron awake", grid: func(g *rtl.Grid) { g.Cores[1].Neurons[7].Leak = 1 }, want: "csram_001.mem:8: word: got a neuron that may do something"},
		{name: "type of an axon", grid: func(g *rtl.Grid) { g.Cores[1].Types[1] = 3 }, want: ""}, // weights 1 and 0 x2: see below
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := folder(t)
			if c.grid != nil {
				g, samples, err := rtl.ReadGrid(dir)
				if err != nil {
					t.Fatal(err)
				}
				c.grid(g)
				if err := g.WriteFolder(dir, samples); err != nil {
					t.Fatal(err)
				}
			} else {
				path := filepath.Join(dir, c.file)
				data, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				text := strings.Replace(string(data), c.old, c.new, 1)
				if text == string(data) {
					t.Fatalf("%q is not in %s:\n%s", c.old, c.file, data)
				}
				if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			m, _, err := Read(dir)
			if c.want == "" {
				// Another network, whose weights say so: -1 is 1 - 2 no more.
				if err != nil || m.Model.Layers[1].Weights.At(0, 0) != 1 {
					t.Errorf("got %v", err)
				}
				return
			}
			if !errors.Is(err, artefact.ErrCorrupt) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

// TestRTL runs random networks on the RTL, and on RANC's own simulator where
// nothing wraps.
func TestRTL(t *testing.T) {
	clone := os.Getenv("GLSNN_RTL_RANC")
	if clone == "" {
		t.Skip("GLSNN_RTL_RANC is not set: name a checkout of UA-RCL/RANC to run this test")
	}
	if _, err := exec.LookPath("iverilog"); err != nil {
		t.Skip("iverilog is not in PATH: install Icarus Verilog to run this test")
	}
	var sum rtl.Result
	for seed := range uint64(6) {
		rng := rand.New(rand.NewPCG(seed, 35))
		chip := small(t, 32, 32, 2, 2)
		if seed%2 == 1 {
			w8 := load(t, "ranc-w8")
			chip.Arithmetic, chip.Core.WeightBits = w8.Arithmetic, w8.Core.WeightBits
		}
		m := build(t, model(rng, chip, 1+rng.IntN(4), 1+rng.IntN(4), 2+rng.IntN(4)), chip)
		packets, want := run(rng, m, 3)
		log, err := rtl.RunGrid(context.Background(), rtl.Options{Clone: clone}, m.Grid, packets)
		if err != nil {
			t.Fatal(err)
		}
		r := compare(log, want)
		if r.Mismatches != 0 {
			t.Errorf("seed %d: %+v", seed, r)
		}
		sum.Samples, sum.Spikes, sum.Membranes = sum.Samples+r.Samples, sum.Spikes+r.Spikes, sum.Membranes+r.Membranes
	}
	t.Logf("%+v", sum)
	if sum.Spikes < 20 {
		t.Error("the test shows little")
	}
}
