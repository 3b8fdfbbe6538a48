package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"glsnn/emulator/parity"
	"glsnn/export/crossbar"
	"glsnn/export/rtl"
	"glsnn/export/table"
	"glsnn/targets"
)

type verifyOptions struct {
	dir, model     string
	rtl, simulator string
	data           dataFlags
}

func newVerify(a *app) *cobra.Command {
	o := &verifyOptions{}
	cmd := &cobra.Command{
		Use:   "verify [FOLDER]",
		Short: "Read tables back, run them and compare with the model",
		Long: `Read tables back, run them and compare with the model.

Every file is checked against the manifest's hashes (exit code 6). The network
is then rebuilt from the table files alone, by following their routes, and run
beside the model that was exported: every sum, current, membrane, spike and
score after every tick must be the same (exit code 5). Where the chip takes a tick
from layer to layer, the network is run in that timing as well, and its scores
must be the same.`,
		Example: "  glsnn verify\n  glsnn verify mychip-tables --samples 10000",
		Args:    wantArgs(0, 1, "at most one FOLDER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.dir = defaultTables
			if len(args) == 1 {
				o.dir = args[0]
			}
			man, err := readManifest(o.dir)
			if err != nil {
				return err
			}
			if man.Kind == crossbar.Kind {
				r, err := a.verifyCrossbar(cmd.Context(), o, man)
				if err != nil {
					return err
				}
				if err := a.result(r, r.text); err != nil {
					return err
				}
				return r.verdict()
			}
			if o.rtl != "" {
				return usage("--rtl: got %s, and no RTL runs the tables of %s", o.rtl, man.Target)
			}
			r, err := a.verify(cmd.Context(), o, man)
			if err != nil {
				return err
			}
			if err := a.result(r, r.text); err != nil {
				return err
			}
			return r.verdict()
		},
	}
	cmd.Flags().StringVar(&o.model, "model", defaultModel, "the model that was exported")
	cmd.Flags().StringVar(&o.rtl, "rtl", "", "tinyodin and odin tables: run them on this clone of the chip's RTL as well")
	cmd.Flags().StringVar(&o.simulator, "simulator", rtl.Icarus, "for --rtl: iverilog or verilator (much faster)")
	o.data.register(cmd, "test", 1000, "run so many samples; 0 for all")
	return cmd
}

type verifyResult struct {
	Tables     string           `json:"tables"`
	Target     string           `json:"target"`
	Files      int              `json:"files"`
	LayerDelay int              `json:"layer_delay"` // ticks from layer to layer on this chip; where 1, that timing was run too
	SameModel  bool             `json:"same_model"`  // weights and parameters, read back, are the model's in the target's arithmetic
	Samples    int              `json:"samples"`
	Mismatches int              `json:"mismatches"`
	Run        *parity.Sameness `json:"run"`
}

func (a *app) verify(ctx context.Context, o *verifyOptions, man *table.Manifest) (*verifyResult, error) {
	got, err := table.Read(o.dir)
	if err != nil {
		return nil, damaged(err)
	}
	delay, err := table.LayerDelay(o.dir)
	if err != nil {
		return nil, damaged(err)
	}
	if chip, err := targets.Load(man.TargetSpec); err == nil && chip.SHA256 == man.Chip && chip.Fabric.LayerDelay != delay {
		return nil, withCode(exitMismatch, fmt.Errorf("%s: network.json: layer_delay: got %d, want target %s's %d", o.dir, delay, chip.Name, chip.Fabric.LayerDelay))
	}
	want, hash, err := loadModel(o.model)
	if err != nil {
		return nil, err
	}
	if hash != man.Model {
		return nil, withCode(exitMismatch, fmt.Errorf("%s: model_sha256: got %.12s, want %.12s of %s: the tables were made from another model; export again", o.dir, man.Model, hash, o.model))
	}
	rebuilt := *got
	rebuilt.Source = man.Source
	rebuiltHash, err := rebuilt.Hash()
	if err != nil {
		return nil, err
	}
	r := &verifyResult{LayerDelay: delay, Tables: o.dir, Target: man.Target, Files: len(man.Files), SameModel: rebuiltHash == man.Lowered}
	set, err := o.data.load(a, modelData(want), want.Inputs())
	if err != nil {
		return nil, err
	}
	enc, err := modelEncoder(want)
	if err != nil {
		return nil, err
	}
	m := a.meter("verify", "samples", set.Len(), 0)
	r.Run, err = parity.Same(ctx, got, want, set, enc, delay > 0, a.jobs, m.at)
	m.clear()
	if err != nil && ctx.Err() == nil {
		return nil, withCode(exitMismatch, fmt.Errorf("%s and %s: %w", o.dir, o.model, err))
	}
	if err != nil {
		return nil, err
	}
	r.Samples, r.Mismatches = r.Run.Samples, r.Run.Mismatches
	return r, nil
}

func (r *verifyResult) text(w io.Writer) {
	fmt.Fprintf(w, "files\t%d\thashes as in the manifest\n", r.Files)
	same := "the same weights and parameters as the model"
	if !r.SameModel {
		same = "NOT the same weights and parameters as the model"
	}
	fmt.Fprintf(w, "read back\ttarget %s\t%s\n", r.Target, same)
	fmt.Fprintf(w, "run\t%d mismatches\t%d samples, %d spikes, every state of every tick%s\n", r.Mismatches, r.Samples, r.Run.Spikes,
		map[bool]string{true: "; the same scores with a tick from layer to layer"}[r.LayerDelay > 0 && r.Mismatches == 0])
}

// verdict is an error where anything differs.
func (r *verifyResult) verdict() error {
	if r.Mismatches > 0 {
		return withCode(exitMismatch, fmt.Errorf("%s: %d of %d samples differ; %w", r.Tables, r.Mismatches, r.Samples, r.Run.First))
	}
	if !r.SameModel {
		return withCode(exitMismatch, fmt.Errorf("%s: the network read back is not the one that was written, though these samples do not show it", r.Tables))
	}
	return nil
}
