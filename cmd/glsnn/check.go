package main

import (
	"context"
	"fmt"
	"io"
	"math"

	"github.com/spf13/cobra"

	"glsnn/emulator/parity"
)

type checkOptions struct {
	network, model string
	data           dataFlags
	maxDrop        float64
	gate           bool
}

func newCheck(a *app) *cobra.Command {
	o := &checkOptions{}
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Compare a float network with its integer model",
		Long: `Compare a float network with its integer model on the same samples: both
accuracies, the paired drop with its 95 % interval and McNemar's exact test, how
often both say the same, and the first layer and tick where spikes part. With
--max-drop a larger drop is exit code 3.`,
		Example: "  glsnn check --max-drop 0.5\n  glsnn check --samples 1000 --output json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.gate = cmd.Flags().Changed("max-drop"); !(math.Abs(o.maxDrop) <= 100) {
				return usage("--max-drop: got %v, want -100..100 percentage points", o.maxDrop)
			}
			r, err := a.check(cmd.Context(), o)
			if err != nil {
				return err
			}
			if err := a.result(r, func(w io.Writer) { checkText(w, r) }); err != nil {
				return err
			}
			if o.gate && r.DropPoints > o.maxDrop {
				return withCode(exitGate, fmt.Errorf("accuracy gate: drop_points: got %.4g, want at most %.4g; try more --bits or another --scale in quantize", r.DropPoints, o.maxDrop))
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.network, "network", defaultNetwork, "float network to read")
	f.StringVar(&o.model, "model", defaultModel, "integer model to read")
	f.Float64Var(&o.maxDrop, "max-drop", 0, "gate: the most percentage points that may be lost")
	o.data.register(cmd, "test", 0, "use the first so many samples; 0 for all")
	return cmd
}

func (a *app) check(ctx context.Context, o *checkOptions) (*parity.Report, error) {
	net, hash, err := loadNetwork(o.network)
	if err != nil {
		return nil, err
	}
	model, _, err := loadModel(o.model)
	if err != nil {
		return nil, err
	}
	if model.Source.Network != hash {
		a.say("note: %s was made from another network file than %s", o.model, o.network)
	}
	set, err := o.data.load(a, net.Origin.Data, net.Sizes[0])
	if err != nil {
		return nil, err
	}
	m := a.meter("check", "samples", set.Len(), 0)
	r, err := parity.Compare(ctx, net, model, set, set.Len(), a.jobs, m.at)
	m.clear()
	if err != nil && ctx.Err() == nil {
		return nil, usage("%s and %s: %w", o.network, o.model, err)
	}
	return r, err
}

func checkText(w io.Writer, r *parity.Report) {
	fmt.Fprintf(w, "float accuracy\t%s\t%d samples\n", percent(r.FloatAccuracy), r.Samples)
	fmt.Fprintf(w, "fixed accuracy\t%s\n", percent(r.FixedAccuracy))
	fmt.Fprintf(w, "drop\t%.2f points\t95 %% interval %.2f to %.2f; only float right %d, only fixed right %d, McNemar p %.3f\n",
		r.DropPoints, r.DropCI[0], r.DropCI[1], r.OnlyFloat, r.OnlyFixed, r.McNemarP)
	fmt.Fprintf(w, "agreement\t%s\tof samples given the same class\n", percent(r.Agreement))
	if r.FirstPart == nil {
		fmt.Fprintf(w, "spikes\tall the same\n")
	} else {
		fmt.Fprintf(w, "spikes part first\tlayer %d, tick %d\tin sample %d; all the same in %d samples\n", r.FirstPart.Layer, r.FirstPart.Tick, r.FirstPart.Sample, r.SameSpikes)
	}
	for _, l := range r.Layers {
		fmt.Fprintf(w, "layer %d\trate %.4f against %.4f\t%.2f %% of spikes on one side only; first to part in %d samples; %d and %d silent neurons\n",
			l.Layer, l.FloatRate, l.FixedRate, 100*l.Differing, l.PartedFirst, l.SilentFloat, l.SilentFixed)
	}
}
