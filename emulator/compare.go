package emulator

import (
	"fmt"

	"glsnn/emulator/machine"
	"glsnn/fixedpoint"
)

// Mismatch is the first difference between two engines on the same input. Got
// is the engine under test, Want the reference. Layer and Neuron are −1 where
// the difference has none; What is a [machine] name or the name of a counter.
type Mismatch struct {
	Sample, Tick, Layer, Neuron int
	What                        What
	Got, Want                   int64
}

func (e *Mismatch) Error() string {
	s := fmt.Sprintf("engines differ: sample %d, tick %d", e.Sample, e.Tick)
	if e.Layer >= 0 {
		s += fmt.Sprintf(", layer %d", e.Layer)
	}
	if e.Neuron >= 0 {
		s += fmt.Sprintf(", neuron %d", e.Neuron)
	}
	return s + fmt.Sprintf(": %s: got %d, want %d", e.What, e.Got, e.Want)
}

// Comparer compares two machines of one model; it keeps buffers between calls.
type Comparer struct {
	m    *fixedpoint.Model
	a, b []int64
}

// NewComparer is for machines of m.
func NewComparer(m *fixedpoint.Model) *Comparer { return &Comparer{m: m} }

// State compares what a tick left: for each layer q, u, v, the spikes with
// their order, and the spike counts, then the scores. It returns the first difference, or nil; Tick
// and Sample are the caller's to fill in.
func (c *Comparer) State(got, want Machine) *Mismatch {
	for l := range c.m.Layers {
		for _, state := range []struct {
			what What
			of   func(Machine, int, []int64) []int64
		}{
			{machine.Sum, Machine.Sum},
			{machine.Current, Machine.Current},
			{machine.Membrane, Machine.Membrane},
			{machine.Spike, fired},
			{"spike order", inOrder},
			{"spikes in window", counted},
		} {
			c.a, c.b = state.of(got, l, c.a), state.of(want, l, c.b)
			if d := firstDifference(l, state.what, c.a, c.b); d != nil {
				return d
			}
		}
	}
	c.a, c.b = got.Scores(c.a), want.Scores(c.b)
	return firstDifference(len(c.m.Layers)-1, machine.Score, c.a, c.b)
}

// fired is 1 for each neuron that fired in the last tick, in place of a list.
func fired(m Machine, layer int, dst []int64) []int64 {
	dst = widen(dst, m.Count(layer))
	clear(dst)
	for _, j := range m.Spikes(layer) {
		dst[j]++
	}
	return dst
}

// inOrder is the list itself; with equal counts it has the same length in both.
func inOrder(m Machine, layer int, dst []int64) []int64 { return widen(dst, m.Spikes(layer)) }

func counted(m Machine, layer int, dst []int64) []int64 { return widen(dst, m.Count(layer)) }

func firstDifference(layer int, what What, got, want []int64) *Mismatch {
	for j := range want {
		if got[j] != want[j] {
			return &Mismatch{Layer: layer, Neuron: j, What: what, Got: got[j], Want: want[j]}
		}
	}
	return nil
}

// CompareCounters returns the first counter that differs, or nil. Neuron is
// −1; for a counter of a core so is Layer, and What names the core.
func CompareCounters(got, want Counters) *Mismatch {
	var d *Mismatch
	check := func(layer int, what string, g, w uint64) {
		if d == nil && g != w {
			d = &Mismatch{Layer: layer, Neuron: -1, What: What(what), Got: int64(g), Want: int64(w)}
		}
	}
	check(-1, "samples", got.Samples, want.Samples)
	check(-1, "ticks", got.Ticks, want.Ticks)
	check(-1, "input_spikes", got.InputSpikes, want.InputSpikes)
	check(-1, "layers", uint64(len(got.Layers)), uint64(len(want.Layers)))
	check(-1, "cores", uint64(len(got.Cores)), uint64(len(want.Cores)))
	if d != nil {
		return d
	}
	for i, w := range want.Layers {
		g := got.Layers[i]
		check(i, "spikes", g.Spikes, w.Spikes)
		check(i, "events", g.Events, w.Events)
		check(i, "synops", g.SynOps, w.SynOps)
		check(i, "neuron_updates", g.Updates, w.Updates)
		check(i, "sum_overflows", g.SumOverflows, w.SumOverflows)
		check(i, "current_overflows", g.CurrentOverflows, w.CurrentOverflows)
		check(i, "bias_overflows", g.BiasOverflows, w.BiasOverflows)
		check(i, "membrane_overflows", g.MembraneOverflows, w.MembraneOverflows)
	}
	for i, w := range want.Cores {
		g, core := got.Cores[i], fmt.Sprintf("core %d ", i)
		check(-1, core+"spikes", g.Spikes, w.Spikes)
		check(-1, core+"events", g.Events, w.Events)
		check(-1, core+"synops", g.SynOps, w.SynOps)
		check(-1, core+"neuron_updates", g.Updates, w.Updates)
	}
	return d
}
