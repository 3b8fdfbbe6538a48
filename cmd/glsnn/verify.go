package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"glsnn/emulator/learn"
	"glsnn/emulator/parity"
	"glsnn/export/crossbar"
	"glsnn/export/mesh"
	"glsnn/export/rtl"
	"glsnn/export/table"
	"glsnn/fixedpoint"
	"glsnn/float/dataset"
	"glsnn/targets"
)

type verifyOptions struct {
	dir, model     string
	rtl, simulator string
	spi            bool
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
must be the same.

The tables of a crossbar are events and memories: they are run by an integer model
of the chip, event by event, and with --rtl on the chip's own RTL, and every spike
and final membrane must be the emulator's. The RTL's clock cycles are printed
beside the estimate of the same samples, those of events apart from those of what
the host writes by the serial port, which --spi runs. Tables of a RANC mesh are
run by an integer model of its packets as well, and with --rtl on the RTL or the
simulator of the user's clone.`,
		Example: "  glsnn verify\n  glsnn verify mychip-tables --samples 10000",
		Args:    wantArgs(0, 1, "at most one FOLDER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.spi && o.rtl == "" {
				return usage("--spi: got it without --rtl")
			}
			if o.rtl == "" && cmd.Flags().Changed("simulator") {
				return usage("--simulator: got it without --rtl")
			}
			if sims := []string{rtl.Icarus, rtl.Verilator, rtl.RANCSimulator}; !slices.Contains(sims, o.simulator) {
				return usage("--simulator: got %q, want one of %s", o.simulator, strings.Join(sims, ", "))
			}
			o.dir = defaultTables
			if len(args) == 1 {
				o.dir = args[0]
			}
			man, err := readManifest(o.dir)
			if err != nil {
				return err
			}
			var r verification
			switch {
			case man.Kind == crossbar.Kind:
				r, err = a.verifyCrossbar(cmd.Context(), o, man)
			case man.Kind == mesh.Kind:
				r, err = a.verifyMesh(cmd.Context(), o, man)
			case o.rtl != "":
				return usage("--rtl: got %s, and no RTL runs the tables of %s", o.rtl, man.Target)
			default:
				r, err = a.verify(cmd.Context(), o, man)
			}
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
	cmd.Flags().StringVar(&o.rtl, "rtl", "", "tables of a crossbar or of ranc: run them on this clone of the chip's repository as well, and count its cycles")
	cmd.Flags().StringVar(&o.simulator, "simulator", rtl.Icarus, "for --rtl: iverilog, verilator (much faster), or for ranc tables ranc_sim, the C++ simulator of that repository")
	cmd.Flags().BoolVar(&o.spi, "spi", false, "for --rtl: the host writes thresholds and membranes by the chip's serial port, as it must, and not straight into the memory (slower)")
	o.data.register(cmd, "test", 1000, "run so many samples; 0 for all")
	return cmd
}

// verification is what verify prints of tables of one kind; verdict is an error
// where anything differs.
type verification interface {
	text(io.Writer)
	verdict() error
}

// exportedModel is the model that the tables were made from.
func exportedModel(o *verifyOptions, man *table.Manifest) (*fixedpoint.Model, error) {
	m, hash, err := loadModel(o.model)
	if err != nil {
		return nil, err
	}
	if hash != man.Model {
		return nil, otherModel(o.dir, man, hash, o.model, "export again")
	}
	return m, nil
}

// exportedChip is the target that the tables of dir were written for, as it was
// then; remedy is what to do where its file has changed.
func exportedChip(dir string, man *table.Manifest, remedy string) (*targets.Chip, error) {
	chip, err := targets.Load(man.TargetSpec)
	if err != nil {
		return nil, fmt.Errorf("%s names its target: %w", dir, err)
	}
	if chip.SHA256 != man.Chip {
		return nil, withCode(exitMismatch, fmt.Errorf("%s: target_sha256: got %.12s, want %.12s of %s, which has changed since; %s", dir, man.Chip, chip.SHA256, man.TargetSpec, remedy))
	}
	return chip, nil
}

// wasExported says whether m, read back, is the model that was written.
func wasExported(m *fixedpoint.Model, man *table.Manifest) (bool, error) {
	rebuilt := *m
	rebuilt.Source = man.Source
	hash, err := rebuilt.Hash()
	return hash == man.Lowered, err
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
	Learning   *learningBack    `json:"learning,omitempty"` // where the folder has learning tables
}

// learningBack is what was read of learning tables.
type learningBack struct {
	Feedback int    `json:"feedback_weights"`
	Drawn    bool   `json:"drawn_from_seed"` // every feedback weight is the one that the rule's seed draws
	Seed     uint64 `json:"seed"`
	Random   uint32 `json:"random_register"`
	Samples  uint64 `json:"samples"`
}

// readLearning reads the learning tables of dir, nil if there are none.
func readLearning(dir string, m *fixedpoint.Model) (*learningBack, error) {
	t, err := learn.ReadTables(os.DirFS(dir), dir, m)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, damaged(err)
	}
	if err := t.Drawn(m); err != nil {
		return nil, withCode(exitMismatch, fmt.Errorf("%s: %w", dir, err))
	}
	return &learningBack{Feedback: t.Entries, Drawn: true, Seed: t.Rule.Seed, Random: t.Random, Samples: t.Samples}, nil
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
	want, err := exportedModel(o, man)
	if err != nil {
		return nil, err
	}
	r := &verifyResult{LayerDelay: delay, Tables: o.dir, Target: man.Target, Files: len(man.Files)}
	if r.SameModel, err = wasExported(got, man); err != nil {
		return nil, err
	}
	set, err := o.data.load(a, modelData(want), want.Inputs())
	if err != nil {
		return nil, err
	}
	if r.Run, err = a.runReadBack(ctx, o, got, want, set, delay > 0); err != nil {
		return nil, err
	}
	r.Samples, r.Mismatches = r.Run.Samples, r.Run.Mismatches
	r.Learning, err = readLearning(o.dir, got)
	return r, err
}

// runReadBack runs the network got, which tables read back as, beside want.
func (a *app) runReadBack(ctx context.Context, o *verifyOptions, got, want *fixedpoint.Model, set *dataset.Set, delay bool) (*parity.Sameness, error) {
	enc, err := modelEncoder(want)
	if err != nil {
		return nil, err
	}
	m := a.meter("verify", "samples", set.Len(), 0)
	s, err := parity.Same(ctx, got, want, set, enc, delay, a.jobs, m.at)
	m.clear()
	if err != nil && ctx.Err() == nil {
		return nil, withCode(exitMismatch, fmt.Errorf("%s and %s: %w", o.dir, o.model, err))
	}
	return s, err
}

func (r *verifyResult) text(w io.Writer) {
	fmt.Fprintf(w, "files\t%d\thashes as in the manifest\n", r.Files)
	readBackText(w, r.Target, r.SameModel, r.Run, r.LayerDelay > 0)
	if l := r.Learning; l != nil {
		fmt.Fprintf(w, "learning\t%d feedback weights\tboth forms agree and are what seed %d draws; random register %d after %d samples\n", l.Feedback, l.Seed, l.Random, l.Samples)
	}
}

// readBackText says what the network read back is, and how its run went.
func readBackText(w io.Writer, target string, sameModel bool, run *parity.Sameness, delay bool) {
	fmt.Fprintf(w, "read back\ttarget %s\t%s\n", target, sameText(sameModel))
	fmt.Fprintf(w, "run\t%d mismatches\t%d samples, %d spikes, every state of every tick%s\n", run.Mismatches, run.Samples, run.Spikes,
		map[bool]string{true: "; the same scores with a tick from layer to layer"}[delay && run.Mismatches == 0])
}

func sameText(sameModel bool) string {
	if sameModel {
		return "the same weights and parameters as the model"
	}
	return "NOT the same weights and parameters as the model"
}

func (r *verifyResult) verdict() error { return readBackVerdict(r.Tables, r.SameModel, r.Run) }

func readBackVerdict(tables string, sameModel bool, run *parity.Sameness) error {
	if run.Mismatches > 0 {
		return withCode(exitMismatch, fmt.Errorf("%s: %d of %d samples differ; %w", tables, run.Mismatches, run.Samples, run.First))
	}
	return sameVerdict(tables, sameModel)
}

func sameVerdict(tables string, sameModel bool) error {
	if !sameModel {
		return withCode(exitMismatch, fmt.Errorf("%s: the network read back is not the one that was written, though these samples do not show it", tables))
	}
	return nil
}
