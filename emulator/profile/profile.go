// Package profile measures what values a network's weights and states take on
// samples: ranges, percentiles and the register widths that hold them.
//
// A float network's values are in thresholds, and its widths in steps of one
// weight (see Float). An integer model's are raw; weights are the stored ones,
// before their exponent.
package profile

import (
	"context"
	"fmt"
	"sync"

	"glsnn/emulator/machine"
	"glsnn/emulator/reference"
	"glsnn/fixedpoint"
	"glsnn/float"
	"glsnn/float/dataset"
	"glsnn/float/encode"
)

// Report is what was measured.
type Report struct {
	Samples int     `json:"samples"`
	Ticks   int     `json:"ticks"`
	Input   Range   `json:"input_trace"` // spikes of an input in the window
	Layers  []Layer `json:"layers"`
}

// Layer is one layer's values. Current is u of every neuron and tick, its drive;
// Membrane is v of every neuron and tick before the reset; Trace is the spikes of
// a neuron in a window, S before it is divided by the ticks.
type Layer struct {
	Neurons    int     `json:"neurons"`
	Integrates bool    `json:"integrates"`  // a read-out that never fires: trace, rate and silent say nothing
	Step       float64 `json:"weight_step"` // real value of one raw weight step; 0 where a model does not know
	WeightExp  int     `json:"weight_exp"`  // of a model: a spike adds weight << exponent
	Weights    Range   `json:"weights"`
	Current    Range   `json:"current"`
	Membrane   Range   `json:"membrane"`
	Trace      Range   `json:"trace"`
	SpikeRate  float64 `json:"spike_rate"` // spikes a neuron and tick
	Silent     int     `json:"silent"`     // neurons that fired in no sample
}

// source runs samples of one network: it hands every value to the tallies.
type source interface {
	step(in []int32, t *tally)
	reset()
	counts(layer int, each func(neuron int, spikes float64))
}

// tally is one worker's values.
type tally struct {
	input  *dist
	layers []layerTally
}

type layerTally struct {
	current, membrane, trace *dist
	fired                    []uint64 // spikes of each neuron
}

func newTally(sizes []int, units []float64) *tally {
	t := &tally{input: newDist(0)}
	for l, unit := range units {
		t.layers = append(t.layers, layerTally{newDist(unit), newDist(unit), newDist(0), make([]uint64, sizes[l+1])})
	}
	return t
}

func (t *tally) merge(o *tally) {
	t.input.merge(o.input)
	for l := range t.layers {
		x, y := &t.layers[l], &o.layers[l]
		x.current.merge(y.current)
		x.membrane.merge(y.membrane)
		x.trace.merge(y.trace)
		for j, n := range y.fired {
			x.fired[j] += n
		}
	}
}

// run gives every sample of set to a source of each worker's own and returns the
// report without the weights. All tallies are whole numbers, so it does not depend
// on the workers. units are the steps that widths of currents and membranes count in.
func run(ctx context.Context, set *dataset.Set, enc encode.Encoder, workers int, sizes []int, units []float64, open func() source) (*Report, error) {
	if got := set.Rows * set.Cols; got != sizes[0] {
		return nil, fmt.Errorf("%s: pixels: got %d, want the network's %d inputs", set.Name, got, sizes[0])
	}
	workers = max(1, min(workers, set.Len()))
	tallies := make([]*tally, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			t, s := newTally(sizes, units), open()
			tallies[w] = t
			var train encode.Train
			input := make([]float32, sizes[0])
			for i := w; i < set.Len() && ctx.Err() == nil; i += workers {
				enc.Encode(&train, i, set.Image(i))
				clear(input)
				train.Counts(input)
				for _, x := range input {
					t.input.add(float64(x))
				}
				s.reset()
				for tick := range enc.Ticks {
					s.step(train.At(tick), t)
				}
				for l := range t.layers {
					s.counts(l, func(j int, spikes float64) {
						t.layers[l].trace.add(spikes)
						t.layers[l].fired[j] += uint64(spikes)
					})
				}
			}
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	all := newTally(sizes, units)
	for _, t := range tallies {
		all.merge(t)
	}
	r := &Report{Samples: set.Len(), Ticks: enc.Ticks, Input: all.input.summary()}
	for l, x := range all.layers {
		y := Layer{Neurons: sizes[l+1], Current: x.current.summary(), Membrane: x.membrane.summary(), Trace: x.trace.summary()}
		spikes := uint64(0)
		for _, n := range x.fired {
			spikes += n
			if n == 0 {
				y.Silent++
			}
		}
		y.SpikeRate = float64(spikes) / float64(y.Neurons*r.Samples*r.Ticks)
		r.Layers = append(r.Layers, y)
	}
	return r, nil
}

// Float profiles a float network in chip mode. Widths count in steps of a weight:
// the layer's grid if it was trained on one (float.Grid), else as if its largest
// weight were the largest integer of bits bits, sign included.
func Float(ctx context.Context, net *float.Network, bits int, set *dataset.Set, workers int) (*Report, error) {
	if net.Mode != float.Chip {
		return nil, fmt.Errorf("network: mode: got %s, want %s", net.Mode, float.Chip)
	}
	var units []float64
	for l, w := range net.Weights {
		unit := 0.0
		for _, x := range w {
			unit = max(unit, float64(x), -float64(x))
		}
		unit /= float64(int64(1)<<(bits-1) - 1)
		if grids := net.Origin.Grids; len(grids) > 0 {
			unit = grids[l].Scale
		}
		units = append(units, unit)
	}
	r, err := run(ctx, set, net.NewEncoder(), workers, net.Sizes, units, func() source {
		s := &floatSource{net: net, st: net.NewState()}
		for _, n := range net.Sizes[1:] {
			s.before = append(s.before, make([]float32, n))
		}
		return s
	})
	if err != nil {
		return nil, err
	}
	for l, w := range net.Weights {
		d := newDist(units[l])
		for _, x := range w {
			d.add(float64(x))
		}
		r.Layers[l].Weights, r.Layers[l].Step, r.Layers[l].Integrates = d.summary(), units[l], net.Integrates(l)
	}
	return r, nil
}

type floatSource struct {
	net    *float.Network
	st     *float.State
	before [][]float32 // v before the tick
}

func (s *floatSource) reset() { s.st.Reset() }

func (s *floatSource) step(in []int32, t *tally) {
	for l, v := range s.before {
		copy(v, s.st.Membrane(l))
	}
	s.st.Step(in)
	for l, v := range s.before {
		keep := float32(float.DecayOne-s.net.LayerDecay(l)) / float.DecayOne
		for j, u := range s.st.Current(l) {
			t.layers[l].current.add(float64(u))
			t.layers[l].membrane.add(float64(float32(keep*v[j]) + u))
		}
	}
}

func (s *floatSource) counts(layer int, each func(int, float64)) {
	for j, n := range s.st.Counts(layer) {
		each(j, float64(n))
	}
}

// Model profiles an integer model on the reference engine.
func Model(ctx context.Context, m *fixedpoint.Model, set *dataset.Set, workers int) (*Report, error) {
	kind, err := encode.Parse(m.Encoding.Kind)
	if err != nil {
		return nil, err
	}
	sizes, units := []int{m.Inputs()}, []float64{}
	for _, l := range m.Layers {
		sizes, units = append(sizes, l.Out), append(units, 1)
	}
	enc := encode.Encoder{Kind: kind, Ticks: m.Ticks, Seed: m.Encoding.Seed}
	r, err := run(ctx, set, enc, workers, sizes, units, func() source {
		return &modelSource{e: reference.New(m, machine.Options{})}
	})
	if err != nil {
		return nil, err
	}
	for l, layer := range m.Layers {
		d := newDist(1)
		for _, x := range layer.Weights.Values() {
			d.add(float64(x))
		}
		x := &r.Layers[l]
		x.Weights, x.Step, x.WeightExp, x.Integrates = d.summary(), layer.Scale, layer.WeightExp, layer.Integrator
	}
	return r, nil
}

type modelSource struct {
	e   *reference.Engine
	raw []int64
}

func (s *modelSource) reset() { s.e.Reset() }

func (s *modelSource) step(in []int32, t *tally) {
	s.e.Step(in)
	for l := range t.layers {
		s.raw = s.e.Current(l, s.raw)
		t.layers[l].current.addRaw(s.raw)
		s.raw = s.e.Tested(l, s.raw)
		t.layers[l].membrane.addRaw(s.raw)
	}
}

func (s *modelSource) counts(layer int, each func(int, float64)) {
	for j, n := range s.e.Count(layer) {
		each(j, float64(n))
	}
}
