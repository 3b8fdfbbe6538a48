package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"glsnn/emulator/cost"
	"glsnn/export/table"
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
	p, err := place(m, o.target)
	if err != nil {
		return nil, err
	}
	set, err := o.data.load(a, modelData(m), m.Inputs())
	if err != nil {
		return nil, err
	}
	res, _, err := a.runModel(ctx, p.Model, set, p.options(a.jobs))
	if err != nil {
		return nil, err
	}
	return cost.New(p.counters(res.Counters), p.Chip, p.Cost)
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
	if _, err := exportedChip(dir, man, "export again or give --target"); err != nil {
		return "", err
	}
	return man.TargetSpec, nil
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
