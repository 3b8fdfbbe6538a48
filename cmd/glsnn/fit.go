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
	most := chip.Arithmetic.Weight.Bits
	bits := []int{min(8, most)}
	if grids, err := float.ParseGrids(o.train.Bits, o.net.Layers()); err != nil {
		return asFlags(err)
	} else if len(grids) > 0 {
		bits = nil
		for _, g := range grids {
			if bits = append(bits, g.Bits()); g.Bits() > most {
				return usage("--bits: got %q, want at most %d: target %s has weights of %d bits", o.train.Bits, most, chip.Name, most)
			}
		}
	}
	// Weights up to half a threshold, about what training ends with: only shape
	// and neurons are on trial.
	net, err := float.NewNetwork(o.net, o.train.Seed, 1)
	if err != nil {
		return err
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
		Bits: bits, Arithmetic: chip.Arithmetic, Scheme: quantize.Max, Rounding: fixedpoint.NearestEven,
	})
	if err == nil {
		if chip.Tables.Format == targets.TinyODINTables {
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
