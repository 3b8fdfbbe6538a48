package main

import (
	"errors"
	"fmt"
	"slices"

	"glsnn/export"
	"glsnn/export/crossbar"
	"glsnn/fixedpoint"
	"glsnn/fixedpoint/quantize"
	"glsnn/float"
	"glsnn/targets"
)

// fitTarget brings o's neurons to what o.target can express, where no flag says
// otherwise, and refuses before training what the target could not hold after
// it: a network of this shape is quantised for the target and placed on it.
func (o *trainOptions) fitTarget(changed func(flag string) bool) error {
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
	if chip.Arithmetic.Update == fixedpoint.PerEvent && !changed("per-event") {
		o.net.PerEvent = true
		if err := asFlags(o.net.Validate()); err != nil {
			return fmt.Errorf("target %s: %w", chip.Name, err)
		}
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
	m, _, err := quantize.Quantize(net, quantize.Options{
		Bits: []int{min(8, chip.Arithmetic.Weight.Bits)}, Arithmetic: chip.Arithmetic, Scheme: quantize.Max, Rounding: fixedpoint.NearestEven,
	})
	if err == nil {
		if chip.Tables.Format.Crossbar() {
			_, err = crossbar.Place(m, chip)
		} else {
			_, err = export.Map(m, chip)
		}
	}
	var re *fixedpoint.RangeError
	switch {
	case errors.As(err, &re):
		return withCode(exitNoFit, fmt.Errorf("target %s: %w", chip.Name, err))
	case err != nil:
		return err
	}
	return nil
}
