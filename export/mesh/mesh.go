// Package mesh puts a mapped network on a RANC mesh, and gets it back.
//
// A crosspoint of RANC is one bit, so an input of a layer with weights of B bits
// takes B axons of types 0..B-1, every neuron's table is 1, 2, 4 ... -2^(B-1),
// and the connections are the two's complement bits of the weights: exact, since
// membranes wrap. A neuron has one destination, so it stands on its core in a
// copy for each axon that it feeds (export.Mapping.Copies). All copies get the
// same spikes and do the same. Outputs send to the bus; nothing but spikes
// leaves the mesh, so a network is read by count.
//
// A spike reaches the next layer a tick later: with L layers the mesh runs L-1
// ticks longer than the window, which is the emulator's Options.Delay.
//
//	Mesh             a network on a grid; Build makes it from a mapping
//	Write, Read      the folder: rtl's files, and the three that say what they mean
//	Mesh.Expect      what a machine says the grid must do, as rtl logs it
package mesh

import (
	"errors"
	"fmt"
	"slices"

	"glsnn/export"
	"glsnn/export/rtl"
	"glsnn/fixedpoint"
)

// Kind is a mesh folder's kind in its manifest.
const Kind = "mesh"

// Mesh is a network on a grid.
//
//  1. Model is in the chip's own arithmetic, and Grid is valid.
//  2. Inputs has for each input of Model the packets of one spike of it.
//  3. Copies ascends by core, then neuron; each neuron of Model has one or more,
//     which agree; neurons of the grid that are not in it are silent.
type Mesh struct {
	Model  *fixedpoint.Model
	Grid   *rtl.Grid
	Inputs [][]rtl.Packet
	Copies []Copy
}

// Copy says which neuron of the model a neuron of the grid is.
type Copy struct {
	Core, Neuron int // core x + X*y
	Layer, Index int
}

// Build puts a mapping on a grid: the cores of its fabric, and the output bus at
// the end of the first row. Reasons why it cannot be wrap export.ErrNoFit.
func Build(mp *export.Mapping) (*Mesh, error) {
	model, err := canonical(mp)
	if err != nil {
		return nil, err
	}
	a, f := model.Arithmetic, mp.Chip.Fabric
	m := &Mesh{Model: model, Inputs: make([][]rtl.Packet, model.Inputs()), Grid: &rtl.Grid{
		X: f.Width + 1, Y: f.Height, Bus: [2]int{f.Width, 0}, Outputs: mp.Chip.Core.AxonsIn, Axons: mp.Chip.Core.AxonsIn, Neurons: mp.Chip.Core.Neurons,
		Types: a.Weight.Types, Bits: a.Membrane.Register.Bits, WeightBits: a.Weight.TableBits,
	}}
	g := m.Grid
	g.Cores = make([]rtl.GridCore, g.X*g.Y)
	for i := range g.Cores {
		if i != g.Cell(g.Bus[0], g.Bus[1]) {
			g.Cores[i].Types = make([]uint8, g.Axons)
		}
	}
	for i, p := range mp.Parts {
		x, y := f.Position(mp.Cores[i])
		m.fill(mp, p, x, y)
	}
	slices.SortFunc(m.Copies, func(a, b Copy) int {
		if a.Core != b.Core {
			return a.Core - b.Core
		}
		return a.Neuron - b.Neuron
	})
	if err := g.Validate(); err != nil {
		return nil, fmt.Errorf("target %s: %w: %w", mp.Chip.Name, export.ErrNoFit, err)
	}
	return m, nil
}

// canonical is mp's model as Read rebuilds it, or the reasons why a mesh
// cannot run it.
func canonical(mp *export.Mapping) (*fixedpoint.Model, error) {
	m, a, f := *mp.Model, mp.Model.Arithmetic, mp.Chip.Fabric
	var errs []error
	want := func(ok bool, field string, got any, want string) {
		if !ok {
			errs = append(errs, fmt.Errorf("%s: %w: got %v, want %s (target %s)", field, export.ErrNoFit, got, want, mp.Chip.Name))
		}
	}
	runs(a, want)
	want(f.Unicast && f.CoresPerTile == 1 && f.Chips == 1 && f.LayerDelay == 1, "fabric", fmt.Sprintf("%d cores a tile, %d chips, layer delay %d", f.CoresPerTile, f.Chips, f.LayerDelay), "one unicast mesh of single cores, a tick from layer to layer")
	want(m.Readout == fixedpoint.ReadCount, "read-out", m.Readout, "count: only spikes leave the mesh; train with --readout count")
	want(m.StaysAtRest(), "layers", "one that leaks or fires without input", "layers at rest until spikes arrive: the later ones wait for theirs")
	m.Layers = slices.Clone(m.Layers)
	for i := range m.Layers {
		l := &m.Layers[i]
		if l.Reset == fixedpoint.ResetValue && l.ResetValue == 0 {
			l.Reset = fixedpoint.ResetZero
		}
		if l.Reset == fixedpoint.ResetSubtract {
			l.ResetValue = 0 // nothing reads it
		}
		field := fmt.Sprintf("layer %d: ", i)
		want(l.Reset != fixedpoint.ResetNone, field+"reset", l.Reset, "zero, value or subtract")
		want(l.WeightExp == 0, field+"weight_exp", l.WeightExp, "0")
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return fixedpoint.NewModel(m)
}

// runs says what of a valid arithmetic is not a mesh's.
func runs(a fixedpoint.Arithmetic, want func(ok bool, field string, got any, want string)) {
	want(a.Weight.Kind == fixedpoint.WeightTypes, "weights", a.Weight.Kind, "types: a mesh has crosspoints of one bit")
	want(a.Integrate == fixedpoint.IntegrateMembrane && a.Update == fixedpoint.PerTick, "integrate", fmt.Sprint(a.Integrate, ", ", a.Update), "weights straight into the membrane, tested once a tick")
	want(a.Fire.When == fixedpoint.GE && a.Fire.Negative.When == fixedpoint.LT && a.Fire.Negative.Paired, "fire", fmt.Sprintf("%s, negative %s, paired %v", a.Fire.When, a.Fire.Negative.When, a.Fire.Negative.Paired), "ge, negative lt, paired: one reset mode serves both tests")
	want(a.Membrane.Decay.Kind == fixedpoint.DecayNone && a.Membrane.Leak.Kind == fixedpoint.LeakConstant && a.Membrane.Place == fixedpoint.AfterIntegrate && !a.Bias.Present && a.Fire.RefractoryMax == 0 && a.Fire.ExtraSpikes == 0,
		"membrane", "other mechanisms", "a constant leak after integrating and nothing else")
}

// fill writes part p to the core at (x, y): its axon types, where its inputs
// come from, and the copies of its neurons, those of one neuron side by side.
func (m *Mesh) fill(mp *export.Mapping, p export.Part, x, y int) {
	g, l := m.Grid, m.Model.Layers[p.Layer]
	core := g.Cell(x, y)
	per := mp.AxonsPerInput(p.Layer)
	for a := range l.In * per {
		g.Cores[core].Types[a] = uint8(a % per)
		if p.Layer == 0 {
			m.Inputs[a/per] = append(m.Inputs[a/per], rtl.Packet{X: x, Y: y, Axon: a})
		}
	}
	table := make([]int, g.Types)
	for k := range per {
		table[k] = 1 << k
	}
	table[per-1] = -table[per-1]
	above, _ := mp.LayerParts(p.Layer + 1)
	perAbove := mp.AxonsPerInput(p.Layer + 1)
	for index := p.First; index < p.First+p.Count; index++ {
		n := rtl.GridNeuron{
			Connected: make([]bool, g.Axons), Weights: table, Leak: int(l.MembraneLeak), Delay: l.Delay,
			Positive: int(l.Threshold), Negative: int(l.NegThreshold), Linear: l.Reset == fixedpoint.ResetSubtract, Reset: int(l.ResetValue),
		}
		for i := range l.In {
			for k := range per {
				n.Connected[per*i+k] = l.Weights.At(i, index)>>k&1 == 1
			}
		}
		for k := range mp.Copies(p.Layer) {
			tox, toy := g.Bus[0], g.Bus[1]
			n.Axon = index
			if perAbove > 0 {
				tox, toy = mp.Chip.Fabric.Position(mp.Cores[above+k/perAbove])
				n.Axon = perAbove*index + k%perAbove
			}
			n.DX, n.DY = tox-x, toy-y
			c := &g.Cores[core]
			m.Copies = append(m.Copies, Copy{core, len(c.Neurons), p.Layer, index})
			c.Neurons = append(c.Neurons, n)
		}
	}
}

// Train is the input spikes of one sample; float/encode makes them.
type Train interface {
	Ticks() int
	At(t int) []int32
}

// ticks is how long the grid runs: the window, and the way to the bus.
func (m *Mesh) ticks() int {
	n := m.Model.Ticks + len(m.Model.Layers) - 1
	for _, l := range m.Model.Layers {
		n += l.Delay
	}
	return n
}

// Packets is one sample's input.
func (m *Mesh) Packets(t Train) rtl.GridSample {
	s := make(rtl.GridSample, m.ticks())
	for tick := range t.Ticks() {
		for _, i := range t.At(tick) {
			s[tick] = append(s[tick], m.Inputs[i]...)
		}
	}
	return s
}

// Machine is an emulator of Model with a tick from layer to layer.
type Machine interface {
	Reset()
	Step(in []int32)
	Spikes(layer int) []int32
	Membrane(layer int, dst []int64) []int64
}

// Expect runs one sample on e: the log that the grid must give, spikes of the
// bus and all membranes after every tick.
func (m *Mesh) Expect(e Machine, t Train) rtl.SampleLog {
	var log rtl.SampleLog
	e.Reset()
	v := make([][]int64, len(m.Model.Layers))
	for tick := range m.ticks() {
		var in []int32
		if tick < t.Ticks() {
			in = t.At(tick)
		}
		e.Step(in)
		for _, j := range e.Spikes(len(v) - 1) {
			log.Spikes = append(log.Spikes, rtl.SpikeLog{Tick: tick, Neuron: int(j)})
		}
		for l := range v {
			v[l] = e.Membrane(l, v[l])
		}
		all := make([]int, (len(m.Grid.Cores)-1)*m.Grid.Neurons)
		for _, c := range m.Copies {
			core := c.Core
			if core > m.Grid.Cell(m.Grid.Bus[0], m.Grid.Bus[1]) {
				core-- // the bus has no membranes
			}
			all[core*m.Grid.Neurons+c.Neuron] = int(v[c.Layer][c.Index])
		}
		log.States = append(log.States, rtl.StateLog{Tick: tick, Membranes: all})
		log.Membranes = all
	}
	return log
}
