package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"glsnn/emulator"
	"glsnn/emulator/cost"
	"glsnn/export"
	"glsnn/export/table"
	"glsnn/targets"
)

type estimateOptions struct {
	model, target, tables string
	data                  dataFlags
}

func newEstimate(a *app) *cobra.Command {
	o := &estimateOptions{}
	cmd := &cobra.Command{
		Use:   "estimate",
		Short: "Estimate cycles, time and energy of a sample on a target",
		Long: `Estimate cycles, time and energy of a sample on a target.

The model is mapped to the target and run; the exact counts of what the chip
does are multiplied by the target's constants, each shown with its source. A
constant that is not known is listed as missing and stays out of the sum; where
sources disagree the sums have a range; a sum whose main constant is not known is
null, with the reason. Time is that of the busiest core over the window, without
queueing and hops.`,
		Example: "  glsnn estimate\n  glsnn estimate --target ./mychip.yaml\n  glsnn estimate --target loihi --samples 1000 --output json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := a.estimate(cmd.Context(), o)
			if err != nil {
				return err
			}
			return a.result(r, func(w io.Writer) { estimateText(w, r) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.model, "model", defaultModel, "integer model to read")
	f.StringVar(&o.target, "target", "", "a name of 'glsnn targets list' or a YAML file (default: that of the tables)")
	f.StringVar(&o.tables, "tables", defaultTables, "table folder that names the target")
	o.data.register(cmd, "test", 1000, "average over so many samples; 0 for all")
	return cmd
}

func (a *app) estimate(ctx context.Context, o *estimateOptions) (*cost.Estimate, error) {
	if o.target == "" {
		var err error
		if o.target, err = tablesTarget(o.tables); err != nil {
			return nil, err
		}
	}
	m, _, err := loadModel(o.model)
	if err != nil {
		return nil, err
	}
	mp, err := mapModel(m, o.target)
	if err != nil {
		return nil, err
	}
	set, err := o.data.load(a, modelData(m), m.Inputs())
	if err != nil {
		return nil, err
	}
	res, _, err := a.runModel(ctx, mp.Model, set, emulator.RunOptions{
		Workers: a.jobs, CoreOf: mp.CoreOf(), Delay: mp.Chip.Fabric.LayerDelay > 0,
	})
	if err != nil {
		return nil, err
	}
	return cost.New(stored(res.Counters, mp), mp.Chip, placed(mp))
}

// tablesTarget is the target that a table folder was written for.
func tablesTarget(dir string) (string, error) {
	man, err := table.ReadManifest(dir, tableKinds()...)
	if errors.Is(err, fs.ErrNotExist) {
		return "", usage("--target: got nothing, and there are no tables in %s that name one", dir)
	}
	if err != nil {
		return "", err
	}
	chip, err := targets.Load(man.TargetSpec)
	if err != nil {
		return "", fmt.Errorf("%s names its target: %w", dir, err)
	}
	if chip.SHA256 != man.Chip {
		return "", withCode(exitMismatch, fmt.Errorf("%s: target_sha256: got %.12s, want %.12s of %s, which has changed since; export again or give --target", dir, man.Chip, chip.SHA256, man.TargetSpec))
	}
	return man.TargetSpec, nil
}

// stored are the counts with what a chip does more than the network where it
// stores neurons in copies and weights over several in-axons: every copy is
// updated and reads its synapses. Spikes stay the network's; what the copies
// send is in the destinations of placed.
func stored(c emulator.Counters, mp *export.Mapping) emulator.Counters {
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

// placed is what the cost model needs to know of a mapping.
func placed(mp *export.Mapping) cost.Placed {
	p := cost.Placed{Neurons: map[targets.CoreID]int{}, Sends: map[targets.CoreID][]targets.CoreID{}, Tiles: mp.Tiles()}
	for i, part := range mp.Parts {
		p.Neurons[mp.Cores[i]] = part.Count * mp.Copies(part.Layer)
		lo, hi := mp.LayerParts(part.Layer + 1)
		p.Sends[mp.Cores[i]] = slices.Repeat(mp.Cores[lo:hi], mp.AxonsPerInput(part.Layer+1))
	}
	return p
}

func estimateText(w io.Writer, e *cost.Estimate) {
	fmt.Fprintf(w, "target %s\tone sample, mean of %d\t\n", e.Target, e.Samples)
	show := func(ledger string, v *float64, spread []cost.Range, scale float64, unit, reason string) {
		if v == nil {
			fmt.Fprintf(w, "%s\tunknown\t%s\n", ledger, reason)
			return
		}
		fmt.Fprintf(w, "%s\t%.4g%s\t%s\n", ledger, *v/scale, unit, qualify(e, ledger, spread, scale, unit))
	}
	show("energy", e.EnergyPJ, e.EnergyRange, 1e6, " uJ", e.EnergyReason)
	show("time", e.TimeNS, e.TimeRange, 1e3, " us", e.TimeReason)
	show("cycles", e.Cycles, nil, 1, "", e.CyclesReason)
	for _, p := range e.Parts {
		source := p.Source
		if p.At != "" {
			source += ", " + p.At
		}
		fmt.Fprintf(w, "  %s %s\t%.6g x %g = %.6g\t%s %s\n", p.Ledger, p.Constant, p.Count, p.Value, p.Total, p.Basis, source)
	}
	for _, m := range e.Missing {
		fmt.Fprintf(w, "  missing\t\t%s\n", m)
	}
}

// qualify says how a sum is to be read: its range where sources disagree, and
// the constants that are not in it.
func qualify(e *cost.Estimate, ledger string, spread []cost.Range, scale float64, unit string) string {
	var notes []string
	for _, r := range spread {
		notes = append(notes, fmt.Sprintf("%.4g to %.4g%s where sources disagree", r.Low/scale, r.High/scale, unit))
	}
	if missing := e.MissingIn(ledger); len(missing) > 0 {
		notes = append(notes, "without "+strings.Join(missing, ", "))
	}
	return strings.Join(notes, "; ")
}
