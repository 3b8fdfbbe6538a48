package rtl

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"reflect"
	"testing"
	"time"
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
		t.Thresholds = append(t.Thresholds, 1+r.IntN(30))
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
		neuron := Neuron{Threshold: 1 + r.IntN(l.threshold), Leak: r.IntN(128), Disabled: r.IntN(8) == 0}
		if r.IntN(2) == 0 {
			neuron.Threshold, neuron.Leak = 1+r.IntN(40), r.IntN(8)
		}
		if r.IntN(8) == 0 {
			neuron.Threshold, neuron.Integrator = 0, true
		}
		if top := l.vMax; !neuron.Integrator {
			top = neuron.Threshold - 1
			neuron.V = l.vMin + r.IntN(top-l.vMin+1)
		} else {
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

func TestRTLSynchronous(t *testing.T) {
	chips(t, func(t *testing.T, chip Chip) {
		dir := clone(t, cloneKey[chip])
		sim, err := Build(context.Background(), chip, Options{Clone: dir, PhasesBySPI: true, ReadBySPI: true})
		if err != nil {
			t.Fatal(err)
		}
		defer sim.Close()
		var sum tally
		for seed := range uint64(4) {
			r := rand.New(rand.NewPCG(seed, 1))
			net := randomNet(r, chip, 4+r.IntN(20), 2+r.IntN(12), r.IntN(6))
			c, shape, err := net.Place(chip)
			if err != nil {
				t.Fatal(err)
			}
			var samples []Sample
			for range 3 {
				samples = append(samples, shape.Synchronous(randomEvents(r, shape.Inputs, 6, 12), true))
			}
			start := time.Now()
			got, err := sim.Run(context.Background(), c, samples)
			if err != nil {
				t.Fatal(err)
			}
			if err := sameLog(got, c.Predict(samples)); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			sum.add(samples, got)
			t.Logf("seed %d: %d-%d-%d %d cycles %v", seed, shape.Inputs, shape.Hidden, shape.Outputs, got.Cycles, time.Since(start))
		}
		t.Logf("%+v", sum)
	})
}
