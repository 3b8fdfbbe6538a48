package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"glsnn/emulator"
	"glsnn/emulator/cost"
	"glsnn/export"
	"glsnn/export/crossbar"
	"glsnn/export/mesh"
	"glsnn/fixedpoint"
	"glsnn/targets"
)

// placement is a model on a target, core by core or on one crossbar, as far as
// the emulator and the cost model ask.
type placement struct {
	Model  *fixedpoint.Model // in the target's own arithmetic
	Chip   *targets.Chip
	CoreOf []targets.CoreID
	Cost   cost.Placed

	mapping *export.Mapping // nil of one crossbar
}

// place puts m on a target.
func place(m *fixedpoint.Model, target string) (*placement, error) {
	chip, err := targets.Load(target)
	if err != nil {
		return nil, err
	}
	p, err := placeOn(m, chip)
	return p, unplaced(err, target)
}

// placeOn is place with chip's file read, and errors as they are.
func placeOn(m *fixedpoint.Model, chip *targets.Chip) (*placement, error) {
	if chip.Tables.Format.Crossbar() {
		p, err := crossbar.Place(m, chip)
		if err != nil {
			return nil, err
		}
		return &placement{p.Model, chip, p.CoreOf(), crossbarCost(p), nil}, nil
	}
	mp, err := export.Map(m, chip)
	if err == nil && chip.Tables.Format == targets.RANCTables {
		_, err = mesh.Build(mp)
	}
	if err != nil {
		return nil, err
	}
	return &placement{mp.Model, chip, mp.CoreOf(), mappingCost(mp), mp}, nil
}

// counters are the network's with what the chip does more where it stores
// neurons in copies and weights over several in-axons: every copy is updated and
// reads its synapses. Spikes stay the network's; what the copies send is in the
// destinations of mappingCost.
func (p *placement) counters(c emulator.Counters) emulator.Counters {
	mp := p.mapping
	if mp == nil {
		return c
	}
	c.Layers, c.Cores = slices.Clone(c.Layers), slices.Clone(c.Cores)
	for l := range c.Layers {
		copies, axons := uint64(mp.Copies(l)), uint64(mp.AxonsPerInput(l))
		c.Layers[l].Events *= axons
		c.Layers[l].SynOps *= axons * copies
		c.Layers[l].Updates *= copies
	}
	for i, p := range mp.Parts {
		copies, axons := uint64(mp.Copies(p.Layer)), uint64(mp.AxonsPerInput(p.Layer))
		core := &c.Cores[mp.Cores[i]]
		core.Events *= axons
		core.SynOps *= axons * copies
		core.Updates *= copies
	}
	return c
}

// options are how the emulator runs the model as that target would.
func (p *placement) options(workers int) emulator.RunOptions {
	return emulator.RunOptions{Workers: workers, CoreOf: p.CoreOf, Delay: p.Chip.Fabric.LayerDelay > 0}
}

// mapModel maps m to a target's cores.
func mapModel(m *fixedpoint.Model, chip *targets.Chip, target string) (*export.Mapping, error) {
	mp, err := export.Map(m, chip)
	return mp, unplaced(err, target)
}

// placeCrossbar puts m on a target that is one crossbar.
func placeCrossbar(m *fixedpoint.Model, chip *targets.Chip, target string) (*crossbar.Placed, error) {
	p, err := crossbar.Place(m, chip)
	return p, unplaced(err, target)
}

// unplaced says what to do about a model that a target cannot express.
func unplaced(err error, target string) error {
	var re *fixedpoint.RangeError
	if !errors.As(err, &re) {
		return err
	}
	sep := "; "
	if strings.Contains(err.Error(), "\n") {
		sep = "\n" // it is about all of them
	}
	return withCode(exitNoFit, fmt.Errorf("%w"+sep+"'glsnn quantize --target %s' makes a model for it, or says how to train one", err, target))
}

// mappingCost is what the cost model needs to know of a mapping.
func mappingCost(mp *export.Mapping) cost.Placed {
	p := cost.Placed{Neurons: map[targets.CoreID]int{}, Sends: map[targets.CoreID][]targets.CoreID{}, Tiles: mp.Tiles()}
	for i, part := range mp.Parts {
		p.Neurons[mp.Cores[i]] = part.Count * mp.Copies(part.Layer)
		lo, hi := mp.LayerParts(part.Layer + 1)
		p.Sends[mp.Cores[i]] = slices.Repeat(mp.Cores[lo:hi], mp.AxonsPerInput(part.Layer+1))
	}
	return p
}

// crossbarCost is the same of a crossbar: one core, whose spikes leave by its one
// output link.
func crossbarCost(p *crossbar.Placed) cost.Placed {
	return cost.Placed{
		Neurons: map[targets.CoreID]int{0: p.Core.Sweep()}, Sends: map[targets.CoreID][]targets.CoreID{0: {0}}, Tiles: 1,
		WholeRows: true, OwnQueue: p.Core.ClosedLoop, HostWrites: float64(p.HostWrites()),
	}
}
