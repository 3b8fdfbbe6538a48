package main

import (
	"errors"
	"fmt"
	"strings"

	"glsnn/emulator"
	"glsnn/emulator/cost"
	"glsnn/export"
	"glsnn/export/crossbar"
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
}

// place puts m on a target.
func place(m *fixedpoint.Model, target string) (*placement, error) {
	chip, err := targets.Load(target)
	if err != nil {
		return nil, err
	}
	if chip.Tables.Format.Crossbar() {
		p, err := placeCrossbar(m, chip, target)
		if err != nil {
			return nil, err
		}
		return &placement{p.Model, chip, p.CoreOf(), crossbarCost(p)}, nil
	}
	mp, err := mapModel(m, chip, target)
	if err != nil {
		return nil, err
	}
	return &placement{mp.Model, chip, mp.CoreOf(), mappingCost(mp)}, nil
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
		p.Neurons[mp.Cores[i]] = part.Count
		lo, hi := mp.LayerParts(part.Layer + 1)
		p.Sends[mp.Cores[i]] = mp.Cores[lo:hi]
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
