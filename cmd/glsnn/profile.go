package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"glsnn/emulator/profile"
	"glsnn/fixedpoint"
	"glsnn/fixedpoint/artefact"
	"glsnn/fixedpoint/quantize"
	"glsnn/float"
)

type profileOptions struct {
	bits int
	data dataFlags
}

func newProfile(a *app) *cobra.Command {
	o := &profileOptions{}
	cmd := &cobra.Command{
		Use:   "profile [FILE]",
		Short: "Ranges, percentiles and widths of weights and states",
		Long: `Ranges, percentiles and widths of weights and states of a float network (the
default) or an integer model: weights, currents (the drive of a neuron in a
tick), membranes before the reset, and traces (spikes of a neuron in the window).

A float network's values are in thresholds, its widths in steps of one weight of
--bits bits; a model's are raw integers. Both widths are shown: one holds all
values, the other 99.9 % of them.`,
		Example: "  glsnn profile\n  glsnn profile network.glsnn --bits 4\n  glsnn profile model.glsnn --samples 1000 --output json",
		Args:    wantArgs(0, 1, "at most the FILE of one network or model"),
		RunE: func(cmd *cobra.Command, args []string) error {
			file := defaultNetwork
			if len(args) > 0 {
				file = args[0]
			}
			if o.bits < quantize.MinBits || o.bits > quantize.MaxBits {
				return usage("--bits: got %d, want %d..%d", o.bits, quantize.MinBits, quantize.MaxBits)
			}
			if err := o.data.check(); err != nil {
				return err
			}
			r, err := a.profile(cmd.Context(), file, o, cmd.Flags().Changed("bits"))
			if err != nil {
				return err
			}
			return a.result(r, r.text)
		},
	}
	cmd.Flags().IntVar(&o.bits, "bits", 8, "weight width that a float network's widths are for, where training chose none")
	o.data.register(cmd, "train", 200, "use the first so many samples; 0 for all")
	return cmd
}

type profileResult struct {
	File string `json:"file"`
	Kind string `json:"kind"` // network or model
	Data string `json:"data"`
	*profile.Report
}

func (a *app) profile(ctx context.Context, file string, o *profileOptions, bitsGiven bool) (*profileResult, error) {
	b, err := artefact.ReadFile(file, "", 0)
	if err != nil {
		return nil, fileFault(err, file, "its argument", "glsnn train")
	}
	r := &profileResult{File: file, Kind: b.Kind}
	switch b.Kind {
	case float.KindNetwork:
		net, _, err := loadNetwork(file)
		if err != nil {
			return nil, err
		}
		if net.Mode != float.Chip {
			return nil, usage("%s: mode: got %s, want %s", file, net.Mode, float.Chip)
		}
		if bitsGiven && len(net.Origin.Grids) > 0 {
			return nil, usage("--bits: got %d, and %s was trained on a grid of its own", o.bits, file)
		}
		set, err := o.data.load(a, net.Origin.Data, net.Sizes[0])
		if err != nil {
			return nil, err
		}
		r.Data = set.Name
		r.Report, err = profile.Float(ctx, net, o.bits, set, a.jobs)
		return r, err
	case fixedpoint.KindModel:
		if bitsGiven {
			return nil, usage("--bits: has no meaning for the model %s, which has its widths", file)
		}
		m, _, err := loadModel(file)
		if err != nil {
			return nil, err
		}
		set, err := o.data.load(a, modelData(m), m.Inputs())
		if err != nil {
			return nil, err
		}
		r.Data = set.Name
		r.Report, err = profile.Model(ctx, m, set, a.jobs)
		return r, err
	}
	return nil, usage("%s: kind: got %q, want a network or a model", file, b.Kind)
}

func (r *profileResult) text(w io.Writer) {
	unit, step, format := "thresholds", "widths in weight steps", "\t%.4g"
	if r.Kind == fixedpoint.KindModel {
		unit, step, format = "raw integers", "signed widths", "\t%.0f"
	}
	fmt.Fprintf(w, "%d samples of %s, %d ticks; values in %s, %s, traces in spikes\n", r.Samples, r.Data, r.Ticks, unit, step)
	fmt.Fprintln(w, "layer\twhat\tmin\t0.1 %\t1 %\t50 %\t99 %\t99.9 %\tmax\tbits\tbits of 99.9 %")
	row := func(layer, what string, x profile.Range) {
		fmt.Fprintf(w, "%s\t%s", layer, what)
		for _, v := range []float64{x.Min, x.P01, x.P1, x.P50, x.P99, x.P999, x.Max} {
			fmt.Fprintf(w, format, v)
		}
		fmt.Fprintf(w, "\t%d\t%d\n", x.Bits, x.Bits999)
	}
	row("input", "trace", r.Input)
	for l, x := range r.Layers {
		layer := fmt.Sprint(l)
		row(layer, "weights", x.Weights)
		row(layer, "current", x.Current)
		row(layer, "membrane", x.Membrane)
		if !x.Integrates {
			row(layer, "trace", x.Trace)
		}
	}
	fmt.Fprintln(w)
	for l, x := range r.Layers {
		activity := fmt.Sprintf("%.4f spikes a neuron and tick\t%d of %d neurons silent", x.SpikeRate, x.Silent, x.Neurons)
		if x.Integrates {
			activity = "never fires\t"
		}
		fmt.Fprintf(w, "layer %d\t%s\tone weight step is %.4g thresholds", l, activity, x.Step)
		if r.Kind == fixedpoint.KindModel {
			fmt.Fprintf(w, ", added << %d", x.WeightExp)
		}
		fmt.Fprintln(w)
	}
}
