package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"glsnn/fixedpoint/quantize"
)

type demoOptions struct {
	dir    string
	target string
	seed   uint64
}

func newDemo(a *app) *cobra.Command {
	o := &demoOptions{}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run the whole path on the built-in digits, in about a minute",
		Long: `Run the whole path on the built-in digits, in about a minute: train, quantise to
8 bits, check, emulate, export, verify and estimate, ending with a short table.
The files stay in the folder.`,
		Example: "  glsnn demo\n  glsnn demo --target generic --dir /tmp/demo",
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.demo(cmd.Context(), o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.dir, "dir", "glsnn-demo", "folder for the files")
	f.StringVar(&o.target, "target", "loihi", "target of the tables")
	f.Uint64Var(&o.seed, "seed", 1, "seed of the training")
	return cmd
}

// demo runs the commands' own functions one after the other.
func (a *app) demo(ctx context.Context, o *demoOptions) error {
	if err := os.MkdirAll(o.dir, 0o777); err != nil {
		return err
	}
	at := func(name string) string { return filepath.Join(o.dir, name) }
	start := time.Now()
	step := func(format string, args ...any) { a.say("== "+format, args...) }

	t := &trainOptions{data: "digits", hidden: "200,200", out: at(defaultNetwork)}
	t.net, t.train = defaultConfigs("chip")
	t.train.Seed, t.train.Epochs = o.seed, 8
	step("train: 784-200-200-10 on the built-in digits, %d epochs", t.train.Epochs)
	trained, err := a.train(ctx, t, func(string) bool { return false })
	if err != nil {
		return err
	}
	step("quantize: 8 bits, in the formats of %s", o.target)
	q := &quantizeOptions{network: at(defaultNetwork), out: at(defaultModel), bits: "8", target: o.target, scheme: quantize.MSE, rounding: "nearest_even", percentile: defaultPercentile, data: dataFlags{split: "train", samples: 500}}
	if _, err := a.quantize(ctx, q); err != nil {
		return err
	}
	test := dataFlags{split: "test"}
	step("check: float against fixed")
	checked, err := a.check(ctx, &checkOptions{network: q.network, model: q.out, data: test})
	if err != nil {
		return err
	}
	step("emulate: bit for bit, both engines")
	emulated, err := a.emulate(ctx, &emulateOptions{model: q.out, engine: "both", plan: defaultPlan(), data: dataFlags{split: "test", samples: 1000}})
	if err != nil {
		return err
	}
	step("export: tables for %s", o.target)
	exported, err := a.export(ctx, &exportOptions{model: q.out, target: o.target, out: at(defaultTables), plan: defaultPlan()})
	if err != nil {
		return err
	}
	step("verify: read the tables back and run them")
	man, err := readManifest(at(defaultTables))
	if err != nil {
		return err
	}
	verified, err := a.verify(ctx, &verifyOptions{dir: at(defaultTables), model: q.out, data: dataFlags{split: "test", samples: 1000}}, man)
	if err != nil {
		return err
	}
	if err := verified.verdict(); err != nil {
		return err
	}
	step("estimate: one sample on %s", o.target)
	cost, err := a.estimate(ctx, &estimateOptions{model: q.out, target: o.target, plan: defaultPlan(), data: test})
	if err != nil {
		return err
	}
	step("done in %.0f s; files in %s", time.Since(start).Seconds(), o.dir)
	r := map[string]any{"train": trained, "check": checked, "emulate": emulated, "export": exported, "verify": verified, "estimate": cost}
	return a.result(r, func(w io.Writer) {
		tw := w.(*tabwriter.Writer)
		fmt.Fprintf(tw, "network\t%s, %d weights\n", joinInts(trained.Sizes, "-"), trained.Parameters)
		fmt.Fprintf(tw, "float accuracy\t%s of %d test images\n", percent(checked.FloatAccuracy), checked.Samples)
		fmt.Fprintf(tw, "8-bit accuracy\t%s (drop %.2f points, 95 %% interval %.2f to %.2f)\n", percent(checked.FixedAccuracy), checked.DropPoints, checked.DropCI[0], checked.DropCI[1])
		fmt.Fprintf(tw, "engines\treference and event engine equal on %d spikes of %d images\n", emulated.Spikes, emulated.Samples)
		fmt.Fprintf(tw, "tables\t%d cores of %s, read back with %d mismatches in %d images\n", exported.Cores, exported.Target, verified.Mismatches, verified.Samples)
		fmt.Fprintf(tw, "one image\t%.0f synaptic operations, %.0f spikes\n", cost.Counts.SynOps, cost.Counts.Spikes)
		if cost.EnergyPJ == nil {
			fmt.Fprintf(tw, "energy\tunknown: %s\n", cost.EnergyReason)
		} else {
			fmt.Fprintf(tw, "energy\t%.3g uJ estimated; %s\n", *cost.EnergyPJ/1e6, qualify(cost.Estimate, "energy", cost.EnergyRange))
		}
	})
}
