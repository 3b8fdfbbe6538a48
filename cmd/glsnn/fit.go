package main

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"glsnn/export"
	"glsnn/fixedpoint"
	"glsnn/fixedpoint/quantize"
	"glsnn/float"
	"glsnn/targets"
)

// stillFits refuses a run to go on with, in o, that o.target would have had otherwise.
func (a *app) stillFits(o trainOptions, changed func(flag string) bool) error {
	was := o
	if err := a.fitTarget(&o, changed); err != nil {
		return err
	}
	if !reflect.DeepEqual(o.net, was.net) || o.train.RowSigns != was.train.RowSigns {
		return usage("--target: got %s, and %s was made with other neurons than it would have; leave the flag out, or start anew without --resume", o.target, o.checkpoint)
	}
	return nil
}

// fitTarget brings o's neurons to what o.target can express, where no flag says
// otherwise, and refuses before training what the target could not hold after
// it: a network of this shape is quantised for the target and placed on it.
func (a *app) fitTarget(o *trainOptions, changed func(flag string) bool) error {
	if o.net.Mode != float.Chip {
		return usage("--target: got %s with --mode %s, want --mode chip", o.target, o.net.Mode)
	}
	chip, err := targets.Load(o.target)
	if err != nil {
		return err
	}
	if err := chip.Known("arithmetic"); err != nil {
		return err
	}
	// Where membranes stop at 0 as well, training in ticks does better: see float/doc.go.
	if chip.Arithmetic.Update == fixedpoint.PerEvent && chip.Arithmetic.Membrane.Register.Signed && !changed("per-event") {
		o.net.PerEvent = true
		if err := asFlags(o.net.Validate()); err != nil {
			return fmt.Errorf("target %s: %w", chip.Name, err)
		}
	}
	if chip.Tables.Format.SpikesOnly() && !changed("readout") {
		o.net.Readout = float.ReadCount
	}
	resets := chip.Arithmetic.Fire.Resets
	for _, r := range []struct {
		of fixedpoint.Reset
		is float.Reset
	}{{fixedpoint.ResetZero, float.ResetZero}, {fixedpoint.ResetSubtract, float.ResetSubtract}} {
		if !changed("reset") && slices.Contains(resets, r.of) {
			o.net.Reset = r.is
			break
		}
	}
	if !changed("row-signs") {
		o.train.RowSigns = chip.Arithmetic.Weight.Kind == fixedpoint.WeightSignByAxon
	}
	if m := chip.Arithmetic.Membrane.Register; !changed("floor") {
		o.net.Floor = o.net.CurrentDecay == float.DecayOne && o.net.MembraneDecay == 0 && chip.Arithmetic.Integrate == fixedpoint.IntegrateMembrane && !m.Signed && m.Overflow == fixedpoint.Saturate
	}
	if chip.Arithmetic.Membrane.Decay.Kind == fixedpoint.DecayTowardInput {
		// Such a membrane takes in its input by its decay alone, and cannot only
		// gather. An eighth a tick is no more than a start: it was not tuned.
		if !changed("membrane-decay") {
			o.net.MembraneDecay = float.DecayOne / 8
		}
		if !changed("readout") {
			o.net.Readout = float.ReadCount
		}
	}
	// Weights up to half a threshold, about what training ends with: only shape
	// and neurons are on trial.
	net, err := float.NewNetwork(o.net, o.train.Seed, 1)
	if err != nil {
		return err
	}
	if o.train.RowSigns {
		net.OneSign(o.train.Seed)
	}
	for _, w := range net.Weights {
		top := float32(0)
		for _, x := range w {
			top = max(top, x, -x)
		}
		for i := range w {
			w[i] *= 0.5 / top
		}
	}
	bits := make([]int, net.Layers())
	grids, err := float.ParseGrids(o.train.Bits, net.Layers())
	if err != nil {
		return asFlags(err)
	}
	for l := range bits {
		bits[l] = widestWeights(chip, net.Sizes[l])
		if len(grids) == 0 {
			continue
		}
		if bits[l] = grids[l].Bits(); bits[l] > chip.Arithmetic.Weight.Bits {
			return usage("--bits: got %q, want at most %d: target %s has weights of %d bits", o.train.Bits, chip.Arithmetic.Weight.Bits, chip.Name, chip.Arithmetic.Weight.Bits)
		}
	}
	m, _, err := quantize.Quantize(net, quantize.Options{
		Bits: bits, Arithmetic: chip.Arithmetic, Scheme: quantize.Max, Rounding: fixedpoint.NearestEven,
	})
	if err == nil {
		err = a.fits(m, chip)
	} else if fit := a.placeShape(net, bits, chip); errors.Is(fit, export.ErrNoFit) {
		err = errors.Join(fit, err)
	}
	var re *fixedpoint.RangeError
	switch {
	case errors.Is(err, export.ErrNoFit):
		return withCode(exitNoFit, err)
	case errors.As(err, &re):
		return withCode(exitNoFit, fmt.Errorf("target %s: %w", chip.Name, err))
	case err != nil:
		return err
	case len(grids) == 0 && slices.Min(bits) < slices.Max(bits):
		a.say("note: target %s holds this shape with weights of at most %s bits, layer by layer: quantize with --bits %s", chip.Name, joinInts(bits, ", "), joinInts(bits, ","))
	}
	return nil
}

// placeShape places a network of net's sizes whose weights are all 0, which asks
// for nothing but room.
func (a *app) placeShape(net *float.Network, bits []int, chip *targets.Chip) error {
	m := fixedpoint.Model{Arithmetic: chip.Arithmetic, Ticks: net.Ticks, Readout: fixedpoint.ReadCount}
	if net.Readout == float.ReadMembrane {
		m.Readout = fixedpoint.ReadMembrane
	}
	for l := range net.Layers() {
		layer, err := chip.Arithmetic.Neutral(chip.Arithmetic.Fire.Resets[0])
		if err != nil {
			return err
		}
		layer.In, layer.Out, layer.WeightBits, layer.Integrator = net.Sizes[l], net.Sizes[l+1], bits[l], net.Integrates(l)
		layer.Weights = fixedpoint.NewMatrix(layer.In, layer.Out, make([]int16, layer.In*layer.Out))
		layer.Threshold = chip.Arithmetic.HighestThreshold()
		m.Layers = append(m.Layers, layer)
	}
	checked, err := fixedpoint.NewModel(m)
	if err != nil {
		return err
	}
	return a.fits(checked, chip)
}

// fits places m on a chip by the default plan.
func (a *app) fits(m *fixedpoint.Model, chip *targets.Chip) error {
	plan := defaultPlan()
	_, err := a.placeOn(context.Background(), m, chip, &plan, nil)
	return err
}

// widestWeights is the width of the weights to try with so many inputs: 8 bits,
// or what the chip has, or fewer where the bits of a weight take in-axons of
// their own. It is quantize.MinBits where nothing fits.
func widestWeights(chip *targets.Chip, inputs int) int {
	w := chip.Arithmetic.Weight
	bits := min(8, w.Bits)
	for bits > quantize.MinBits && inputs*w.AxonsPerInput(bits) > chip.Core.AxonsIn && inputs <= chip.Core.AxonsIn/w.AxonsPerInput(quantize.MinBits) {
		bits--
	}
	return bits
}
