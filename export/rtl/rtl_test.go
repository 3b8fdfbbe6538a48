package rtl

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"
)

// randomNet is a two-layer network; ODIN rows get one sign.
func randomNet(r *rand.Rand, chip Chip, in, hid, out int) *TwoLayer {
	l := chip.limits()
	rows := func(n, m int) [][]int8 {
		w := make([][]int8, n)
		for i := range w {
			w[i] = make([]int8, m)
			sign := 1 - 2*(r.IntN(3)/2)
			for j := range w[i] {
				w[i][j] = int8(l.weightMin + r.IntN(l.weightMax-l.weightMin+1))
				if chip == ODIN && int(w[i][j])*sign < 0 {
					w[i][j] = -w[i][j]
				}
			}
		}
		return w
	}
	t := &TwoLayer{W1: rows(in, hid), OutputLeak: r.IntN(3)}
	if out > 0 {
		t.W2 = rows(hid, out)
	}
	for range hid {
		t.Thresholds = append(t.Thresholds, 1+r.IntN(14))
		t.Leaks = append(t.Leaks, r.IntN(5))
	}
	return t
}

func randomEvents(r *rand.Rand, rows, ticks, perTick int) Events {
	e := make(Events, ticks)
	for t := range e {
		for range r.IntN(perTick + 1) {
			e[t] = append(e[t], r.IntN(rows))
		}
	}
	return e
}

// randomCore is a recurrent core for the chip's own scheduling.
func randomCore(r *rand.Rand, chip Chip, n int, closed bool) *Core {
	l := chip.limits()
	c := &Core{Chip: chip, ClosedLoop: closed, Weights: make([][]int8, n)}
	for i := range n {
		neuron := Neuron{Threshold: 1 + r.IntN(25), Leak: r.IntN(4), Disabled: r.IntN(8) == 0}
		switch r.IntN(8) {
		case 0:
			neuron.Threshold, neuron.Leak = 1+r.IntN(l.threshold), r.IntN(128)
		case 1, 2:
			neuron.Threshold, neuron.Integrator = 0, true
		}
		top := l.vMax
		if !neuron.Integrator {
			top = neuron.Threshold - 1
		}
		switch neuron.V = max(l.vMin, top-r.IntN(20)); r.IntN(8) {
		case 0:
			neuron.V = top
		case 1:
			neuron.V = l.vMin
		case 2:
			neuron.V = l.vMin + r.IntN(top-l.vMin+1)
		}
		c.Neurons = append(c.Neurons, neuron)
		if r.IntN(10) == 0 {
			continue
		}
		c.Weights[i] = make([]int8, n)
		sign := 1 - 2*r.IntN(2)
		for j := range n {
			w := l.weightMin + r.IntN(l.weightMax-l.weightMin+1)
			if chip == ODIN && w*sign < 0 {
				w = -w
			}
			c.Weights[i][j] = int8(w)
		}
	}
	for len(c.Weights) > 0 && c.Weights[len(c.Weights)-1] == nil {
		c.Weights = c.Weights[:len(c.Weights)-1]
	}
	return c
}

// clone is the checkout that an environment variable names.
func clone(t *testing.T, key string) string {
	t.Helper()
	dir := os.Getenv(key)
	if dir == "" {
		t.Skipf("%s is not set: name a checkout of the RTL to run this test", key)
	}
	needSimulator(t)
	return dir
}

func needSimulator(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("iverilog"); err != nil {
		t.Skip("iverilog is not in PATH: install Icarus Verilog to run this test")
	}
}

var cloneKey = map[Chip]string{TinyODIN: "GLSNN_RTL_TINYODIN", ODIN: "GLSNN_RTL_ODIN"}

func chips(t *testing.T, f func(t *testing.T, chip Chip)) {
	for _, chip := range []Chip{TinyODIN, ODIN} {
		t.Run(string(chip), func(t *testing.T) { f(t, chip) })
	}
}

// sameLog compares all but the cycles.
func sameLog(got, want *Log) error {
	if got.Chip != want.Chip || len(got.Samples) != len(want.Samples) {
		return fmt.Errorf("%s with %d samples, want %s with %d", got.Chip, len(got.Samples), want.Chip, len(want.Samples))
	}
	for i, g := range got.Samples {
		w := want.Samples[i]
		for k := range max(len(g.Spikes), len(w.Spikes)) {
			if k >= len(g.Spikes) || k >= len(w.Spikes) || g.Spikes[k] != w.Spikes[k] {
				return fmt.Errorf("sample %d spike %d: got %v, want %v", i, k, g.Spikes[k:min(k+3, len(g.Spikes))], w.Spikes[k:min(k+3, len(w.Spikes))])
			}
		}
		for k := range max(len(g.States), len(w.States)) {
			if k >= len(g.States) || k >= len(w.States) || !reflect.DeepEqual(g.States[k], w.States[k]) {
				return fmt.Errorf("sample %d state %d:\ngot  %v\nwant %v", i, k, g.States[k], w.States[k])
			}
		}
		if !reflect.DeepEqual(g.Membranes, w.Membranes) {
			return fmt.Errorf("sample %d membranes:\ngot  %v\nwant %v", i, g.Membranes, w.Membranes)
		}
	}
	return nil
}

type tally struct{ nets, samples, events, spikes, membranes int }

func (t *tally) add(samples []Sample, l *Log) {
	t.nets++
	for i, s := range samples {
		t.samples++
		for _, o := range s {
			if o.Kind == Spike || o.Kind == Leak {
				t.events++
			}
		}
		t.spikes += len(l.Samples[i].Spikes)
		t.membranes += len(l.Samples[i].Membranes) * (1 + len(l.Samples[i].States))
	}
}

// simulator is Icarus unless GLSNN_RTL_SIMULATOR names another.
func simulator() string { return os.Getenv("GLSNN_RTL_SIMULATOR") }

// scale is how much a test does: Icarus plays 3 to 20 thousand cycles a second.
func scale(slow, fast int) int {
	if simulator() == Verilator {
		return fast
	}
	return slow
}

// compare plays samples and checks the log against the model.
func compare(t *testing.T, sim *Simulation, c *Core, samples []Sample, sum *tally) *Log {
	t.Helper()
	want, err := c.Predict(samples)
	if err != nil {
		t.Fatal(err)
	}
	got, err := sim.Run(context.Background(), c, samples)
	if err != nil {
		t.Fatal(err)
	}
	if err := sameLog(got, want); err != nil {
		t.Fatal(err)
	}
	sum.add(samples, got)
	return got
}

// build compiles a clone; tests of one chip share the options, so the bench.
func build(t *testing.T, chip Chip, o Options) *Simulation {
	t.Helper()
	o.Clone, o.Simulator = clone(t, cloneKey[chip]), simulator()
	sim, err := Build(context.Background(), chip, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sim.Close() })
	return sim
}

// with is the same build under other options.
func (s *Simulation) with(o Options) *Simulation {
	o.Clone, o.Simulator = s.opts.Clone, s.opts.Simulator
	return &Simulation{chip: s.chip, opts: o, argv: s.argv}
}

// nearTop starts hidden neurons and outputs some weights below the highest
// membrane: on ODIN they get to 255 while thresholds are held there.
func nearTop(r *rand.Rand, c *Core, shape Shape) {
	l := c.Chip.limits()
	for i := shape.Inputs; i < len(c.Neurons); i++ {
		n := &c.Neurons[i]
		n.V = l.vMax - r.IntN(10)
		if !n.Integrator {
			n.Threshold = l.threshold
			n.V = l.threshold - 1 - r.IntN(10)
		}
	}
}

func TestRTL(t *testing.T) {
	chips(t, func(t *testing.T, chip Chip) {
		sim := build(t, chip, Options{})
		t.Run("synchronous", func(t *testing.T) {
			var sum tally
			for seed := range uint64(scale(3, 40)) {
				r := rand.New(rand.NewPCG(seed, 1))
				net := randomNet(r, chip, 4+r.IntN(20), 2+r.IntN(12), r.IntN(6))
				c, shape, err := net.Place(chip)
				if err != nil {
					t.Fatal(err)
				}
				if seed%2 == 1 {
					nearTop(r, c, shape)
				}
				var samples []Sample
				for range scale(2, 5) {
					samples = append(samples, shape.Synchronous(randomEvents(r, shape.Inputs, scale(3, 8), 8), true))
				}
				compare(t, sim, c, samples, &sum)
			}
			if sum.spikes == 0 {
				t.Error("nothing fired")
			}
			t.Logf("%+v", sum)
		})
		for _, closed := range []bool{false, true} {
			t.Run(map[bool]string{false: "native", true: "closed loop"}[closed], func(t *testing.T) {
				var sum tally
				for seed := uint64(0); sum.nets < scale(3, 40); seed++ {
					r := rand.New(rand.NewPCG(seed, 8))
					n := 2 + r.IntN(scale(20, 255))
					c := randomCore(r, chip, n, closed)
					samples := []Sample{Native(randomEvents(r, n, scale(3, 8), 6), nil, true), Native(randomEvents(r, n, 2, 4), nil, true)}
					if l, err := c.Predict(samples); err != nil || len(l.Samples[0].Spikes) > scale(60, 2000) {
						continue // a loop without end, or too long for this simulator
					}
					compare(t, sim, c, samples, &sum)
				}
				t.Logf("%+v", sum)
			})
		}
		t.Run("all by SPI", func(t *testing.T) {
			spi := sim.with(Options{PhasesBySPI: true, ReadBySPI: true, LoadBySPI: simulator() == Verilator})
			var sum tally
			var cycles uint64
			for seed := range uint64(scale(1, 2)) {
				r := rand.New(rand.NewPCG(seed, 9))
				net := randomNet(r, chip, 5, 4, 3)
				c, shape, err := net.Place(chip)
				if err != nil {
					t.Fatal(err)
				}
				in := randomEvents(r, 5, 3, 6)
				l := compare(t, spi, c, []Sample{shape.Synchronous(in, true), shape.Synchronous(in, false)}, &sum)
				if !reflect.DeepEqual(l.Samples[0].Membranes, l.Samples[1].Membranes) {
					t.Error("the same sample twice, two results: the membranes were not cleared")
				}
				cycles = l.LoadCycles
			}
			t.Logf("%+v, loaded after %d cycles, by SPI %v", sum, cycles, spi.opts.LoadBySPI)
		})
		t.Run("full queue", func(t *testing.T) {
			// Row 0 makes 200 neurons fire; those the queue keeps count in 250.
			c := &Core{Chip: chip, ClosedLoop: true, Neurons: make([]Neuron, 251), Weights: make([][]int8, 201)}
			for i := range c.Neurons {
				c.Neurons[i].Integrator = true
			}
			for i := 1; i <= 200; i++ {
				c.Neurons[i] = Neuron{Threshold: 7}
				c.Weights[i] = make([]int8, 251)
				c.Weights[i][250] = 1
			}
			c.Weights[0] = make([]int8, 251)
			for i := 1; i <= 200; i++ {
				c.Weights[0][i] = 7
			}
			var sum tally
			got := compare(t, sim, c, []Sample{{{Kind: Spike}}}, &sum)
			if n := got.Samples[0].Membranes[250]; n != chip.limits().queue-1 {
				t.Errorf("%d of 200 spikes were kept, want %d", n, chip.limits().queue-1)
			}
		})
		t.Run("no end", func(t *testing.T) {
			c := &Core{Chip: chip, ClosedLoop: true, Neurons: []Neuron{{Threshold: 1}}, Weights: [][]int8{{7}}}
			endless := []Sample{{{Kind: Tick, A: 3}, {Kind: Spike}}}
			_, err := c.Predict(endless)
			mention(t, err, ErrStopped, "sample 0: the loop feeds itself without end")
			_, err = sim.with(Options{WaitLimit: 5000}).Run(context.Background(), c, endless)
			mention(t, err, ErrRun, "tick 3: chip still busy after 5000 cycles")
		})
	})
}

// edit replaces the first old in a file.
func edit(t *testing.T, path, from, to string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(data), from) {
		t.Fatalf("%s has no %q", path, from)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(data), from, to, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
}

// mention checks that err is kind and says want.
func mention(t *testing.T, err, kind error, want string) {
	t.Helper()
	if !errors.Is(err, kind) || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %v that says %q", err, kind, want)
	}
}
