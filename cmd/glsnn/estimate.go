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
	"glsnn/emulator/neurobench"
	"glsnn/export/table"
)

type estimateOptions struct {
	model, target, tables, against string
	plan                           planFlags
	data                           dataFlags
}

func newEstimate(a *app) *cobra.Command {
	o := &estimateOptions{}
	cmd := &cobra.Command{
		Use:   "estimate",
		Short: "Estimate cycles, time and energy of a sample on a target",
		Long: `Estimate cycles, time and energy of a sample on a target.

The model is mapped to the target and run; the exact counts of what the chip
does are multiplied by the target's constants, each shown with its source. A
constant that is not known is listed as missing and stays out of the sum, which
is then a lower bound; where sources disagree the sums have a range; a sum whose
main constant is not known is null, with the reason. Time is that of the busiest
core of each tick and of the barrier, without queueing and hops; on a chip that
hands spikes on within the tick the layers' busiest cores follow each other. Every
neuron counts as updated in every tick, as if none were at rest.

Energy is split by component, layer and core. The NeuroBench metrics are given by
their definition and by what the chip does.

--against compares with figures that were measured or simulated elsewhere: a CSV
with the header component,value,unit, where a component is energy, time, cycles,
one of the energy's ("synapses"), a constant ("energy.synop_pj", "time.barrier_ns")
or a count ("count.synops"), and the unit pJ to J, ns to s, cycles or nothing.`,
		Example: "  glsnn estimate\n  glsnn estimate --target ./mychip.yaml\n  glsnn estimate --target loihi --samples 1000 --output json\n  glsnn estimate --target loihi --against measured.csv",
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := a.estimate(cmd.Context(), o)
			if err != nil {
				return err
			}
			return a.result(r, r.text)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.model, "model", defaultModel, "integer model to read")
	f.StringVar(&o.target, "target", "", "a name of 'glsnn targets list' or a YAML file (default: that of the tables)")
	f.StringVar(&o.tables, "tables", defaultTables, "table folder that names the target, and the cores")
	f.StringVar(&o.against, "against", "", "compare with the figures of this CSV")
	o.plan.register(cmd)
	o.data.register(cmd, "test", 1000, "average over so many samples; 0 for all")
	return cmd
}

// estimateResult is an estimate and what it can be held against.
type estimateResult struct {
	*cost.Estimate
	Placement  string             `json:"placement"`
	NeuroBench *neurobench.Report `json:"neurobench"`
	Against    []comparison       `json:"against,omitempty"`
}

func (a *app) estimate(ctx context.Context, o *estimateOptions) (*estimateResult, error) {
	m, hash, err := loadModel(o.model)
	if err != nil {
		return nil, err
	}
	if o.target == "" {
		man, err := tablesTarget(o.tables, o.model, hash)
		if err != nil {
			return nil, err
		}
		o.target, o.plan.layout = man.TargetSpec, man.Layout
	}
	p, err := a.placeBy(ctx, m, o.target, &o.plan, a.forTraffic(m))
	if err != nil {
		return nil, err
	}
	set, err := o.data.load(a, modelData(m), m.Inputs())
	if err != nil {
		return nil, err
	}
	got, err := a.measure(ctx, p, set)
	if err != nil {
		return nil, err
	}
	r := &estimateResult{Estimate: got.Estimate, Placement: p.method, NeuroBench: p.neuroBench(got)}
	if o.against != "" {
		if r.Against, err = against(o.against, got.Estimate); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// neuroBench are the metrics of a run, with the memories of the cores in use.
func (p *placement) neuroBench(got *measured) *neurobench.Report {
	r := neurobench.New(p.Model, got.Activity, p.counters(got.Counters))
	neurons := 0
	for _, n := range p.Cost.Neurons {
		neurons += n
	}
	if p.mapping != nil {
		for _, u := range p.mapping.Footprint() {
			r.Hardware.SynapseBits += u.SynapseBits
		}
	} else {
		r.Hardware.SynapseBits = p.Chip.Core.SynapseBits // the crossbar's
	}
	if bits := p.Chip.Core.NeuronBits.Value; bits != nil {
		r.Hardware.NeuronBits = int64(neurons * *bits)
	}
	return r
}

// otherModel is the fault of tables in dir that were not made from the model in file.
func otherModel(dir string, man *table.Manifest, hash, file, remedy string) error {
	return withCode(exitMismatch, fmt.Errorf("%s: model_sha256: got %.12s, want %.12s of %s: the tables were made from another model; %s", dir, man.Model, hash, file, remedy))
}

// tablesTarget is the manifest of a table folder that was made from the model in
// file, and whose target is the one that it was written for.
func tablesTarget(dir, file, hash string) (*table.Manifest, error) {
	man, err := table.ReadManifest(dir, tableKinds()...)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, usage("--target: got nothing, and there are no tables in %s that name one", dir)
	}
	if err != nil {
		return nil, err
	}
	const remedy = "export again or give --target"
	if _, err := exportedChip(dir, man, remedy); err != nil {
		return nil, err
	}
	if man.Model != hash {
		return nil, otherModel(dir, man, hash, file, remedy)
	}
	return man, nil
}

func (r *estimateResult) text(w io.Writer) {
	e := r.Estimate
	fmt.Fprintf(w, "target %s\tone sample, mean of %d\t%s\n", e.Target, e.Samples, r.Placement)
	show := func(ledger string, v *float64, spread []cost.Range, reason string) {
		if v == nil {
			fmt.Fprintf(w, "%s\tunknown\t%s\n", ledger, reason)
			return
		}
		value := fmt.Sprintf("%.6g", *v) // of cycles
		if unit := ledgerUnits[ledger]; unit != "" {
			value = span(v, unit)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", ledger, value, qualify(e, ledger, spread))
	}
	show("energy", e.EnergyPJ, e.EnergyRange, e.EnergyReason)
	show("time", e.TimeNS, e.TimeRange, e.TimeReason)
	show("cycles", e.Cycles, nil, e.CyclesReason)
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
	if e.TickNS != nil {
		fmt.Fprintf(w, "tick\t%s\tlongest %s\n", span(e.TickNS, "ns"), span(e.WorstTickNS, "ns"))
	} else if e.TickCycles != nil && e.WorstTickCycles != nil {
		fmt.Fprintf(w, "tick\t%.6g cycles\tlongest %.6g\n", *e.TickCycles, *e.WorstTickCycles)
	}
	for _, c := range e.Components {
		fmt.Fprintf(w, "  %s\t%s\t%.1f %%\n", c.Name, span(&c.PJ, "pJ"), 100*c.PJ / *e.EnergyPJ)
	}
	if len(e.Cores) > 1 {
		fmt.Fprintln(w, "layer\tcores\tenergy\tbusiest core")
		for l := 0; ; l++ {
			n, sum, most := 0, 0.0, 0.0
			for _, c := range e.Cores {
				if c.Layer == l {
					n, sum, most = n+1, sum+c.PJ, max(most, c.PJ)
				}
			}
			if n == 0 {
				break
			}
			fmt.Fprintf(w, "%d\t%d\t%s\t%s\n", l, n, span(&sum, "pJ"), span(&most, "pJ"))
		}
	}
	nb := r.NeuroBench
	fmt.Fprintf(w, "NeuroBench\tfootprint %d bytes\tconnection sparsity %.4f, activation sparsity %.4f\n", nb.FootprintBytes, nb.ConnectionSparsity, nb.ActivationSparsity)
	fmt.Fprintf(w, "  synaptic operations\tdense %.0f\teffective ACs %.0f, MACs %.0f\n", nb.Dense, nb.EffectiveACs, nb.EffectiveMACs)
	fmt.Fprintf(w, "  on the chip\t%.0f of memory words\t%.0f of zero weights; %d bits of synapse memory\n", nb.Hardware.SynOps, nb.Hardware.ZeroSynOps, nb.Hardware.SynapseBits)
	for i, c := range r.Against {
		if i == 0 {
			fmt.Fprintln(w, "against\testimated\tgiven\testimated over given")
		}
		ours, ratio := "unknown", "-"
		if c.Estimated != nil {
			ours = fmt.Sprintf("%.6g %s", *c.Estimated, c.Unit)
		}
		if c.Ratio != nil {
			ratio = fmt.Sprintf("%.3f", *c.Ratio)
		}
		fmt.Fprintf(w, "  %s\t%s\t%.6g %s\t%s\n", c.Component, ours, c.Given, c.Unit, ratio)
	}
}

// ledgerUnits are those of the sums that have one.
var ledgerUnits = map[string]string{"energy": "pJ", "time": "ns"}

// qualify says how a sum is to be read: its range where sources disagree, and
// the constants that are not in it.
func qualify(e *cost.Estimate, ledger string, spread []cost.Range) string {
	var notes []string
	for _, r := range spread {
		notes = append(notes, fmt.Sprintf("%s to %s where sources disagree", span(&r.Low, ledgerUnits[ledger]), span(&r.High, ledgerUnits[ledger])))
	}
	if missing := e.MissingIn(ledger); len(missing) > 0 {
		notes = append(notes, "without "+strings.Join(missing, ", "))
	}
	return strings.Join(notes, "; ")
}
