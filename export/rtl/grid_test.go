package rtl

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
)

// randomGrid has every feature: delays, both resets, wrap where bits are few.
func randomGrid(r *rand.Rand, width int) *Grid {
	g := &Grid{X: 2 + r.IntN(2), Y: 1 + r.IntN(2), Axons: 8 << r.IntN(2), Neurons: 4 << r.IntN(2), Types: 4, Bits: width, WeightBits: width - r.IntN(2)*(width-4)/2, Outputs: 8}
	g.Bus = [2]int{g.X - 1, g.Y - 1}
	within := func(width, limit int) int {
		limit = min(limit, 1<<(width-1)-1)
		return r.IntN(2*limit+1) - limit
	}
	value := func(limit int) int { return within(width, limit) }
	for i := range g.X * g.Y {
		var c GridCore
		for range g.Axons {
			c.Types = append(c.Types, uint8(r.IntN(g.Types)))
		}
		for range 1 + r.IntN(g.Neurons) {
			n := g.silent()
			for a := range n.Connected {
				n.Connected[a] = r.IntN(2) == 0
			}
			for k := range n.Weights {
				n.Weights[k] = within(g.WeightBits, 60)
			}
			n.V, n.Reset, n.Leak = value(20), value(20), within(g.WeightBits, 4)
			n.Positive, n.Negative = 1+max(value(60), 0), -max(value(60), 0)
			n.Linear, n.Delay = r.IntN(2) == 0, r.IntN(3)
			x, y := r.IntN(g.X), r.IntN(g.Y)
			n.DX, n.DY, n.Axon = x-i%g.X, y-i/g.X, r.IntN(8)
			c.Neurons = append(c.Neurons, n)
		}
		if i == g.Bus[0]+g.X*g.Bus[1] {
			c = GridCore{}
		}
		g.Cores = append(g.Cores, c)
	}
	return g
}

func randomPackets(r *rand.Rand, g *Grid, ticks int) GridSample {
	s := make(GridSample, ticks)
	for t := range s {
		for range r.IntN(12) {
			p := Packet{X: r.IntN(g.X), Y: r.IntN(g.Y), Axon: r.IntN(g.Axons), Delay: r.IntN(3)}
			if !g.isBus(p.X + g.X*p.Y) {
				s[t] = append(s[t], p)
			}
		}
	}
	return s
}

func TestRTLGrid(t *testing.T) {
	dir := clone(t, "GLSNN_RTL_RANC")
	var sum tally
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 2))
		g := randomGrid(r, 8+int(seed)%2*4)
		samples := []GridSample{randomPackets(r, g, 8), randomPackets(r, g, 8)}
		got, err := RunGrid(context.Background(), Options{Clone: dir}, g, samples)
		if err != nil {
			t.Fatal(err)
		}
		if err := sameLog(got, g.Predict(samples)); err != nil {
			t.Fatal(err)
		}
		sum.nets++
		for i, s := range samples {
			sum.samples++
			for _, p := range s {
				sum.events += len(p)
			}
			sum.spikes += len(got.Samples[i].Spikes)
			sum.membranes += len(got.Samples[i].Membranes) * len(s)
		}
	}
	t.Logf("random grids: %+v", sum)
}

// TestSimulatorGrid runs the C++ simulator on grids too wide to overflow.
func TestSimulatorGrid(t *testing.T) {
	binary := os.Getenv("GLSNN_RANC_SIM")
	if binary == "" {
		t.Skip("GLSNN_RANC_SIM is not set: name ranc_sim, built by cmake from simulator/ of UA-RCL/RANC")
	}
	var sum tally
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 5))
		g := randomGrid(r, 24)
		s := randomPackets(r, g, 8)
		got, err := RunGridSimulator(context.Background(), binary, g, s)
		if err != nil {
			t.Fatal(err)
		}
		want := slices.Compact(g.Predict([]GridSample{s}).Samples[0].Spikes) // its bus merges
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: got %v, want %v", seed, got, want)
		}
		sum.nets, sum.samples, sum.spikes = sum.nets+1, sum.samples+1, sum.spikes+len(got)
	}
	t.Logf("%+v", sum)
}

func TestGridThereAndBack(t *testing.T) {
	for seed := range uint64(10) {
		r := rand.New(rand.NewPCG(seed, 6))
		g := randomGrid(r, 4+r.IntN(28))
		samples := []GridSample{randomPackets(r, g, 5), randomPackets(r, g, 3)}
		dir := t.TempDir()
		if err := g.WriteFolder(dir, samples); err != nil {
			t.Fatal(err)
		}
		back, got, err := ReadGrid(dir)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, samples) {
			t.Errorf("seed %d: samples differ", seed)
		}
		for i := range g.Cores { // silent neurons are written out
			for !g.isBus(i) && len(g.Cores[i].Neurons) < g.Neurons {
				g.Cores[i].Neurons = append(g.Cores[i].Neurons, g.silent())
			}
		}
		if !reflect.DeepEqual(back, g) {
			t.Errorf("seed %d: grids differ:\n got %v\nwant %v", seed, back, g)
		}
	}
}

func TestReadGridFaults(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 7))
	g := randomGrid(r, 9)
	for _, c := range []struct{ file, old, new, want string }{
		{"tc_000.mem", "\n", "2\n", "tc_000.mem:1: axon type: got "},
		{"csram_000.mem", "\n", "0\n", "csram_000.mem:1: word: got "},
		{"sample_00000.pkt", "tick 0", "tick 1", "tick: got 1, want 0"},
		{"sample_00000.pkt", "end", "", "sample_00000.pkt: op: got the end of the file, want end"},
		{"sim_config.json", `"num_weights":4`, `"num_weights":5`, "sim_config.json: object: got "},
		{"sim_input_00000.json", `"destination_tick":`, `"destination_tick":1`, "sim_input_00000.json: object: got another network or packets"},
		{"grid.json", `"version":1`, `"version":2`, "grid.json: format, version, samples: got glsnn-ranc 2 1"},
		{"grid.json", `"axons":`, `"axons":1`, "grid.json: sizes: got "},
	} {
		dir := t.TempDir()
		if err := g.WriteFolder(dir, []GridSample{randomPackets(r, g, 3)}); err != nil {
			t.Fatal(err)
		}
		edit(t, filepath.Join(dir, c.file), c.old, c.new)
		_, _, err := ReadGrid(dir)
		mention(t, err, ErrCorrupt, c.want)
	}
}
