package crossbar

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"glsnn/emulator"
	"glsnn/emulator/cost"
	"glsnn/export"
	"glsnn/export/rtl"
	"glsnn/export/table"
	"glsnn/fixedpoint"
	"glsnn/fixedpoint/fptest"
	"glsnn/targets"
)

func load(t *testing.T, name string) *targets.Chip {
	t.Helper()
	chip, err := targets.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return chip
}

// model is a random network in chip's arithmetic, with leaks on the hidden layer
// and, where the chip wants it, one sign a row.
func model(rng *rand.Rand, chip *targets.Chip, sizes ...int) *fixedpoint.Model {
	m := fixedpoint.Model{Arithmetic: chip.Arithmetic, Ticks: 1 + rng.IntN(6), Readout: fixedpoint.ReadMembrane}
	for l := range len(sizes) - 1 {
		w := make([]int16, sizes[l]*sizes[l+1])
		low, high := chip.Arithmetic.Weight.Range(chip.Arithmetic.Weight.Bits)
		for i := range w {
			w[i] = int16(low+rng.Int64N(high-low+1)) * int16(rng.IntN(2)) // half of them 0
			if rng.IntN(3) == 0 {
				w[i] = int16(rng.Int64N(high + 1))
			}
		}
		if chip.Arithmetic.Weight.Kind == fixedpoint.WeightSignByAxon {
			for i := range sizes[l] {
				sign := int16(1 - 2*(rng.IntN(8)/7))
				for j := range sizes[l+1] {
					w[i*sizes[l+1]+j] *= sign * max(-1, min(1, w[i*sizes[l+1]+j]))
				}
			}
		}
		layer := fixedpoint.Layer{
			In: sizes[l], Out: sizes[l+1], Weights: fixedpoint.NewMatrix(sizes[l], sizes[l+1], w), WeightBits: chip.Arithmetic.Weight.Bits,
			Threshold: int64(1 + rng.IntN(30)), MembraneLeak: int64(rng.IntN(4)),
		}
		if l == len(sizes)-2 {
			layer.Integrator, layer.Threshold, layer.MembraneLeak = true, 0, 0
		}
		m.Layers = append(m.Layers, layer)
	}
	checked, err := fixedpoint.NewModel(m)
	if err != nil {
		panic(err)
	}
	return checked
}

func wanted(e *emulator.Engine, m *fixedpoint.Model, train Train) Want {
	w := Want{Spikes: make([][]rtl.SpikeLog, len(m.Layers))}
	e.Reset()
	for tick := range m.Ticks {
		e.Step(train.At(tick))
		for l := range m.Layers {
			for _, n := range e.Spikes(l) {
				w.Spikes[l] = append(w.Spikes[l], rtl.SpikeLog{Tick: tick, Neuron: int(n)})
			}
		}
	}
	for l := range m.Layers {
		w.Membranes = append(w.Membranes, e.Membrane(l, nil)...)
	}
	return w
}

// shapes are random layer sizes that a scheme takes: two layers for the host's
// ticks, any number for the chip's own events, wide enough at times to need a
// host that hands spikes on.
func shapes(rng *rand.Rand, update fixedpoint.Update) []int {
	if update == fixedpoint.PerTick {
		return []int{1 + rng.IntN(120), 1 + rng.IntN(60), 2 + rng.IntN(20)}
	}
	sizes := []int{1 + rng.IntN(60)}
	for range rng.IntN(4) {
		sizes = append(sizes, 1+rng.IntN(25))
	}
	return append(sizes, 2+rng.IntN(20))
}

// schemes calls f for a target of each.
func schemes(t *testing.T, f func(t *testing.T, chip *targets.Chip)) {
	for _, name := range []string{"tinyodin", "tinyodin-event", "odin", "odin-event"} {
		t.Run(name, func(t *testing.T) { f(t, load(t, name)) })
	}
}

// TestThereAndBack writes random networks, reads some of the folders back and runs
// what was read by rtl's model of the chip's events: spikes and membranes are the
// emulator's.
func TestThereAndBack(t *testing.T) {
	schemes(t, func(t *testing.T, chip *targets.Chip) {
		spikes, early, closed, deep := 0, 0, 0, 0
		for seed := range uint64(40) {
			rng := rand.New(rand.NewPCG(seed, 5))
			m := model(rng, chip, shapes(rng, chip.Arithmetic.Update)...)
			p, err := Place(m, chip)
			if err != nil {
				t.Fatal(err)
			}
			engine := emulator.New(p.Model, emulator.Options{})
			var trains []Train
			var want []Want
			for range 4 {
				train := fptest.RandomTrain(rng, m.Ticks, m.Inputs(), 0.4+0.5*rng.Float64())
				trains = append(trains, train)
				want = append(want, wanted(engine, p.Model, train))
				early += beforeLeak(want[len(want)-1].Spikes)
			}
			core, samples := p.Core, []rtl.Sample(nil)
			for _, train := range trains {
				samples = append(samples, p.Stimulus(train))
			}
			if seed < 4 { // the way there and back is long
				dir := filepath.Join(t.TempDir(), "tables")
				if err := p.Write(dir, trains, table.Options{Tool: "test"}); err != nil {
					t.Fatal(err)
				}
				if _, err := table.ReadManifest(dir, Kind); err != nil {
					t.Fatal(err)
				}
				if core, samples, err = rtl.ReadFolder(dir); err != nil || len(samples) != 4 {
					t.Fatalf("%d samples, %v", len(samples), err)
				}
			}
			log, err := core.Predict(samples)
			if err != nil {
				t.Fatal(err)
			}
			r, err := p.Compare(log, want)
			if err != nil || r.Mismatches != 0 {
				t.Fatalf("seed %d: %+v, %v", seed, r, err)
			}
			spikes += r.Spikes
			if core.ClosedLoop {
				closed++
			}
			if len(m.Layers) > 2 {
				deep++
			}

			// Planted differences are found.
			last := len(want) - 1
			want[last].Membranes[0]++
			if r, _ := p.Compare(log, want); r.Mismatches != 1 || !strings.HasPrefix(r.First, fmt.Sprintf("sample %d: membrane of neuron 0: got ", last)) {
				t.Errorf("seed %d: got %+v", seed, r)
			}
			want[0].Spikes[0] = append(want[0].Spikes[0], rtl.SpikeLog{Tick: m.Ticks, Neuron: 3})
			if r, _ := p.Compare(log, want); r.Mismatches != 2 || !strings.Contains(r.First, "layer 0: spike ") || !strings.Contains(r.First, "got none, want neuron 3") {
				t.Errorf("seed %d: got %+v", seed, r)
			}
			want[0].Spikes[0] = nil
			log.Samples[0].Spikes = append(log.Samples[0].Spikes, rtl.SpikeLog{Neuron: p.First})
			if r, _ := p.Compare(log, want); !strings.Contains(r.First, "more than the 0 wanted") {
				t.Errorf("seed %d: got %+v", seed, r)
			}
			log.Samples[0].Spikes = append(log.Samples[0].Spikes, rtl.SpikeLog{Neuron: p.First + m.Neurons()})
			if r, _ := p.Compare(log, want); !strings.Contains(r.First, "which is none of the network's") {
				t.Errorf("seed %d: got %+v", seed, r)
			}
			if _, err := p.Compare(log, want[1:]); err == nil {
				t.Error("a sample too few was not noticed")
			}
		}
		t.Logf("%d spikes, %d of 40 networks on the chip's own queue, %d of more than two layers", spikes, closed, deep)
		if event := chip.Arithmetic.Update == fixedpoint.PerEvent; !event && (early > 0) != (chip.Arithmetic.Held != 0) {
			t.Errorf("got %d spikes before a leak event: the test shows little", early)
		} else if spikes < 1000 || event && (closed < 10 || closed > 30 || deep < 10) {
			t.Errorf("got %d spikes, %d closed, %d deep: the test shows little", spikes, closed, deep)
		}
	})
}

// TestSchedulesAgree: with its own queue or with a host that hands spikes on,
// outputs that fire or not, the chip does the same.
func TestSchedulesAgree(t *testing.T) {
	for _, name := range []string{"tinyodin-event", "odin-event"} {
		testSchedulesAgree(t, load(t, name))
	}
}

func testSchedulesAgree(t *testing.T, chip *targets.Chip) {
	spikes, outputs := 0, 0
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 6))
		m := *model(rng, chip, 1+rng.IntN(30), 1+rng.IntN(8), 1+rng.IntN(5), 2+rng.IntN(2))
		if seed%2 == 0 {
			m.Readout = fixedpoint.ReadCount
			m.Layers[2].Integrator, m.Layers[2].Threshold = false, int64(1+rng.IntN(30))
		}
		m.Layers[2].MembraneLeak = int64(rng.IntN(4)) // here an output may leak
		if seed%4 == 1 && chip.Arithmetic.Held != 0 { // and get to the highest threshold
			w := make([]int16, m.Layers[2].In*m.Layers[2].Out)
			for i := range w {
				w[i] = 7
			}
			m.Ticks, m.Layers[1].Threshold, m.Layers[2].Weights = 30, 1, fixedpoint.NewMatrix(m.Layers[2].In, m.Layers[2].Out, w)
		}
		checked, err := fixedpoint.NewModel(m)
		if err != nil {
			t.Fatal(err)
		}
		p, err := Place(checked, chip)
		if err != nil {
			t.Fatal(err)
		}
		train := fptest.RandomTrain(rng, m.Ticks, m.Inputs(), 0.5)
		want := []Want{wanted(emulator.New(p.Model, emulator.Options{}), p.Model, train)}
		for _, p.Core.ClosedLoop = range []bool{true, false} {
			log, err := p.Core.Predict([]rtl.Sample{p.Stimulus(train)})
			if err != nil {
				t.Fatal(err)
			}
			r, err := p.Compare(log, want)
			if err != nil || r.Mismatches != 0 {
				t.Fatalf("seed %d, closed %v: %+v, %v", seed, p.Core.ClosedLoop, r, err)
			}
			spikes += r.Spikes
			if m.Layers[2].Integrator {
				outputs += len(want[0].Spikes[2])
			}
		}
	}
	if spikes < 1000 || (outputs > 0) != (chip.Arithmetic.Held != 0) {
		t.Errorf("%s: got %d spikes in all, %d of read-outs by membrane: the test shows little", chip.Name, spikes, outputs)
	}
}

// beforeLeak counts spikes that no leak event made: those of outputs, and those of
// the hidden neurons that fired again in the same tick.
func beforeLeak(spikes [][]rtl.SpikeLog) (n int) {
	for l, layer := range spikes {
		seen := map[rtl.SpikeLog]bool{}
		for _, s := range layer {
			if seen[s] || l == len(spikes)-1 {
				n++
			}
			seen[s] = true
		}
	}
	return n
}

// TestQueueNeed works the formula by hand: an event fires h neurons, which with
// the row in service are h+1 entries; each of those fires the c above it, and
// when the last is served h c are waiting behind it.
func TestQueueNeed(t *testing.T) {
	chip := load(t, "tinyodin-event")
	for _, c := range []struct {
		sizes []int
		need  int
		own   bool
	}{
		{[]int{100, 127, 10}, 128, true},
		{[]int{100, 128, 10}, 129, false},
		{[]int{50, 12, 10, 10}, 121, true}, // 1 + 12 x 10
		{[]int{50, 12, 11, 10}, 133, false},
		{[]int{50, 1, 30, 4, 10}, 121, true}, // 1 + 1 x 30 x 4
		{[]int{5, 100, 2}, 101, true},
	} {
		p, err := Place(model(rand.New(rand.NewPCG(1, 1)), chip, c.sizes...), chip)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.queueNeed(); got != c.need || p.Core.ClosedLoop != c.own || (len(p.feed()) == 0) != c.own {
			t.Errorf("%v: got %d entries, own queue %v, want %d, %v", c.sizes, got, p.Core.ClosedLoop, c.need, c.own)
		}
	}

	// The formula is the worst case: every event fires everything.
	for _, sizes := range [][]int{{1, 127, 2}, {1, 12, 10, 2}} {
		m := *model(rand.New(rand.NewPCG(1, 1)), chip, sizes...)
		for l := range m.Layers {
			w := make([]int16, m.Layers[l].In*m.Layers[l].Out)
			for i := range w {
				w[i] = 1
			}
			m.Layers[l].Weights, m.Layers[l].Threshold, m.Layers[l].MembraneLeak = fixedpoint.NewMatrix(m.Layers[l].In, m.Layers[l].Out, w), 1, 0
		}
		m.Layers[len(m.Layers)-1].Threshold, m.Ticks = 0, 1
		p, err := Place(&m, chip)
		if err != nil {
			t.Fatal(err)
		}
		train := fptest.RandomTrain(rand.New(rand.NewPCG(1, 1)), 1, 1, 1)
		log, err := p.Core.Predict([]rtl.Sample{p.Stimulus(train)})
		if err != nil {
			t.Fatal(err)
		}
		if r, err := p.Compare(log, []Want{wanted(emulator.New(p.Model, emulator.Options{}), p.Model, train)}); err != nil || r.Mismatches != 0 || !p.Core.ClosedLoop {
			t.Errorf("%v: %+v, %v, own queue %v", sizes, r, err, p.Core.ClosedLoop)
		}
	}
}

// TestRefuses: what one crossbar cannot hold, and why.
func TestRefuses(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, c := range []struct {
		target string
		sizes  []int
		edit   func(m *fixedpoint.Model)
		want   string
	}{
		{"tinyodin", []int{200, 50, 10}, nil, "network: rows: need 260 inputs and neurons, have 256 (target tinyodin); train with a smaller --size or --hidden: 196-50-10 is 256"},
		{"tinyodin", []int{10, 5, 5, 2}, nil, "layers: does not fit: got 3, want two: one crossbar holds one hidden layer (target tinyodin)"},
		{"tinyodin", []int{10, 2}, nil, "layers: does not fit: got 1, want two: one crossbar holds one hidden layer (target tinyodin)"},
		{"tinyodin", []int{10, 5, 2}, func(m *fixedpoint.Model) {
			m.Readout, m.Layers[1].Integrator, m.Layers[1].Threshold = fixedpoint.ReadCount, false, 9
		}, "readout: does not fit: got count, want membrane: outputs gather what the host hands on when their leak event is over; train with --readout membrane (target tinyodin)"},
		{"tinyodin", []int{10, 5, 2}, func(m *fixedpoint.Model) { m.Layers[1].MembraneLeak = 3 }, "layer 1: membrane_leak: does not fit: got 3, want 0 (target tinyodin)"},
		{"tinyodin", []int{196, 50, 10}, nil, ""},
		{"tinyodin-event", []int{200, 50, 10}, nil, "network: rows: need 260 inputs and neurons, have 256 (target tinyodin-event); train with a smaller --size or --hidden: 196-50-10 is 256"},
		{"tinyodin-event", []int{10, 5, 2}, func(m *fixedpoint.Model) { m.Layers[0].Threshold = 0 }, "target tinyodin-event: does not fit: not valid on this chip: neuron 0: threshold: got 0, want 1..2047"},
		{"tinyodin-event", []int{196, 50, 10}, nil, ""},
		{"tinyodin-event", []int{196, 20, 30, 10}, nil, ""},
		{"tinyodin-event", []int{10, 2}, nil, ""},
	} {
		chip := load(t, c.target)
		m := *model(rng, chip, c.sizes...)
		if c.edit != nil {
			c.edit(&m)
		}
		_, err := Place(&m, chip)
		got := ""
		if err != nil {
			got, _, _ = strings.Cut(err.Error(), "\n")
		}
		if got != c.want || err != nil && !errors.Is(err, export.ErrNoFit) {
			t.Errorf("%s %v: got %v, want %s", c.target, c.sizes, err, c.want)
		}
	}
}

// TestSuits: a target's file may say anything; tables are written only where it
// is the chip's own arithmetic, or less.
func TestSuits(t *testing.T) {
	m := func(chip *targets.Chip) *fixedpoint.Model {
		return model(rand.New(rand.NewPCG(1, 1)), chip, 10, 5, 2)
	}
	for _, name := range []string{"tinyodin", "tinyodin-event", "odin", "odin-event"} {
		for i, c := range []struct {
			edit func(c *targets.Chip)
			want string // first line; none: it is placed
		}{
			{func(c *targets.Chip) { c.Arithmetic.Weight.Bits-- }, ""},
			{func(c *targets.Chip) { c.Arithmetic.Membrane.Leak.Max = 9 }, ""},
			{func(c *targets.Chip) { c.Core.Neurons = 100 }, ""},
			{func(c *targets.Chip) { c.Arithmetic.Weight.Bits++ }, "weight.bits: does not fit: got "},
			{func(c *targets.Chip) { c.Arithmetic.Weight.ExpMax = 3 }, "weight.exp_max: does not fit: got 3, want 0"},
			{func(c *targets.Chip) { c.Arithmetic.Membrane.Register.Bits++ }, "membrane.register: does not fit: got "},
			{func(c *targets.Chip) { c.Arithmetic.Membrane.Register.Overflow = fixedpoint.Wrap }, "membrane.register: does not fit: got "},
			{func(c *targets.Chip) {
				c.Arithmetic.Membrane.Decay = fixedpoint.Decay{Kind: fixedpoint.DecayByShift, Max: 4}
			}, "membrane.decay.kind: does not fit: got shift, want none"},
			{func(c *targets.Chip) {
				c.Arithmetic.Fire.Resets = []fixedpoint.Reset{fixedpoint.ResetSubtract, fixedpoint.ResetZero}
			}, "fire.resets: does not fit: got [subtract zero], want zero alone"},
			{func(c *targets.Chip) { c.Arithmetic.Fire.When = fixedpoint.GT }, "fire.when: does not fit: got gt, want ge"},
			{func(c *targets.Chip) { c.Arithmetic.Held = 77 }, "held: does not fit: got 77, want "},
			{func(c *targets.Chip) { c.Arithmetic.AxonDelayMax = 1 }, "axon_delay_max: does not fit: got 1, want 0"},
			{func(c *targets.Chip) { *c = *load(t, "generic"); c.Tables.Format = targets.TinyODINTables }, "integrate: does not fit: got sum, want membrane: tables of format tinyodin are of that chip alone (target generic)"},
		} {
			chip := *load(t, name)
			c.edit(&chip)
			if err := chip.Arithmetic.Validate(); err != nil {
				t.Fatalf("%s, case %d: %v", name, i, err)
			}
			of := load(t, name) // whose model need not be the edited chip's: that is looked at first
			if c.want == "" {
				of = &chip
			}
			_, err := Place(m(of), &chip)
			if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, export.ErrNoFit) || !strings.HasPrefix(err.Error(), c.want)) {
				t.Errorf("%s, case %d: got %v, want %s", name, i, err, c.want)
			}
		}
	}
}

// TestRTL runs random networks on a clone of the chip and compares spikes,
// membranes and cycles: events take what the cost model says and the pauses of
// the bench (doc.go), and so does SPI.
func TestRTL(t *testing.T) {
	sims := map[targets.TableFormat]*rtl.Simulation{}
	schemes(t, func(t *testing.T, chip *targets.Chip) {
		key := "GLSNN_RTL_" + strings.ToUpper(string(chip.Tables.Format))
		clone := os.Getenv(key)
		if clone == "" {
			t.Skip(key + " is not set: name a checkout of the RTL to run this test")
		}
		sim := sims[chip.Tables.Format]
		if sim == nil {
			var err error
			o := rtl.Options{Clone: clone, Simulator: os.Getenv("GLSNN_RTL_SIMULATOR"), PhasesBySPI: true}
			if sim, err = rtl.Build(context.Background(), rtl.Chip(chip.Tables.Format), o); err != nil {
				t.Fatal(err)
			}
			defer func() { sims[chip.Tables.Format] = sim }()
		}
		for seed := range uint64(4) {
			rng := rand.New(rand.NewPCG(seed, 7))
			sizes := []int{1 + rng.IntN(12), 1 + rng.IntN(8), 2 + rng.IntN(3)}
			if chip.Arithmetic.Update == fixedpoint.PerEvent && seed > 1 {
				sizes = []int{3, 12, 8, 2} // 97 entries of the queue, and
				if seed > 2 {
					sizes[2] = 12 // 145: the host hands on
				}
			}
			m := model(rng, chip, sizes...)
			if seed == 1 && chip.Arithmetic.Update == fixedpoint.PerEvent { // read by count: outputs go through the queue
				x := *m
				last := &x.Layers[len(x.Layers)-1]
				x.Readout, last.Integrator, last.Threshold = fixedpoint.ReadCount, false, 5
				m = &x
			}
			p, err := Place(m, chip)
			if err != nil {
				t.Fatal(err)
			}
			engine := emulator.New(p.Model, emulator.Options{CoreOf: p.CoreOf()})
			var samples []rtl.Sample
			var want []Want
			for range 2 {
				train := fptest.RandomTrain(rng, m.Ticks, m.Inputs(), 0.4)
				samples, want = append(samples, p.Stimulus(train)), append(want, wanted(engine, p.Model, train))
			}
			log, err := sim.Run(context.Background(), p.Core, samples)
			if err != nil {
				t.Fatal(err)
			}
			r, err := p.Compare(log, want)
			if err != nil || r.Mismatches != 0 {
				t.Fatalf("seed %d: %+v, %v", seed, r, err)
			}
			k := engine.Counters()
			e, err := cost.New(k, chip, cost.Placed{
				Neurons: map[targets.CoreID]int{0: p.Core.Sweep()}, Sends: map[targets.CoreID]int{0: 1},
				WholeRows: true, OwnQueue: p.Core.ClosedLoop, HostWrites: float64(p.HostWrites()),
			}, nil)
			if err != nil {
				t.Fatal(err)
			}
			events, _ := e.Split("host_write_cycles")
			got := float64(r.Cycles)
			if pauses := 2*(e.Counts.MessagesIn*2) + 3*float64(k.Ticks) + 3*2; math.Abs(got-*events*2-pauses) > 1e-6 {
				t.Errorf("seed %d: events: got %v cycles, want %v and %v of pauses", seed, got, *events*2, pauses)
			}
			if got, want := r.SPICycles, 162*uint64(2*p.HostWrites()-len(p.Core.Programs().Clear)); got != want {
				t.Errorf("seed %d: SPI: got %d cycles, want %d", seed, got, want)
			}
		}
	})
}
