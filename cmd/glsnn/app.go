package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"glsnn/emulator"
	"glsnn/export"
	"glsnn/export/table"
	"glsnn/fixedpoint/artefact"
	"glsnn/float"
	"glsnn/float/dataset"
	"glsnn/targets"
)

// Exit codes.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitGate        = 3 // an accuracy gate was not met
	exitNoFit       = 4 // the target cannot hold or express the network
	exitMismatch    = 5 // two things that must be the same bits are not
	exitCorrupt     = 6 // a file is damaged
	exitInterrupted = 130
)

// Default file names: the plain sequence of commands works in one folder.
const (
	defaultNetwork = "network.glsnn"
	defaultModel   = "model.glsnn"
	defaultTables  = "tables"
)

// app is what every command needs: its streams and the global flags.
type app struct {
	out, err io.Writer
	output   string // text or json
	progress string // auto, plain or none
	quiet    bool
	jobs     int
}

// usageError is a mistake in the call: exit 2.
type usageError struct{ error }

func usage(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

func (e usageError) Unwrap() error { return e.error }

// gateError is an accuracy gate that was not met: exit 3.
type gateError struct{ error }

// mismatchError is a difference of bits: exit 5.
type mismatchError struct{ error }

// unfitError is a network that a target cannot express: exit 4.
type unfitError struct{ error }

func (e unfitError) Unwrap() error { return e.error }

func exitCode(err error) int {
	var u usageError
	var g gateError
	var m mismatchError
	var em *emulator.Mismatch
	var uf unfitError
	var te *table.Error
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, float.ErrInterrupted), errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &u), errors.Is(err, targets.ErrUnknownChip):
		return exitUsage
	case errors.As(err, &g):
		return exitGate
	case errors.Is(err, export.ErrNoFit), errors.As(err, &uf):
		return exitNoFit
	case errors.As(err, &m), errors.As(err, &em):
		return exitMismatch
	case errors.Is(err, artefact.ErrCorrupt), errors.As(err, &te):
		return exitCorrupt
	}
	return exitFailed
}

// run is the whole program but for the process around it.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	a := &app{out: stdout, err: stderr}
	root := newRoot(a)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err != nil {
		if errors.Is(err, context.Canceled) {
			err = float.ErrInterrupted
		}
		for line := range strings.SplitSeq(err.Error(), "\n") {
			fmt.Fprintf(stderr, "glsnn: %s\n", line)
		}
	}
	return exitCode(err)
}

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "glsnn",
		Short: "Train a GLSNN, quantise it, emulate it bit for bit and write chip tables",
		Long: `glsnn takes a spiking network from training to chip tables.

The plain sequence, each step reading what the one before wrote:

  glsnn train --data mnist && glsnn quantize --bits 8 && glsnn check &&
  glsnn emulate && glsnn export --target loihi && glsnn verify && glsnn estimate

Results go to standard output, talk and progress to standard error. Exit codes:
0 done, 1 failed, 2 usage, 3 accuracy gate, 4 does not fit the target,
5 bits differ, 6 damaged file, 130 interrupted.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if !slices.Contains([]string{"text", "json"}, a.output) {
				return usage("--output: got %q, want text or json", a.output)
			}
			if !slices.Contains([]string{"auto", "plain", "none"}, a.progress) {
				return usage("--progress: got %q, want auto, plain or none", a.progress)
			}
			if a.jobs < 0 || a.jobs > 4096 {
				return usage("--jobs: got %d, want 0..4096", a.jobs)
			}
			if a.jobs == 0 {
				a.jobs = runtime.GOMAXPROCS(0)
			}
			return nil
		},
	}
	f := root.PersistentFlags()
	f.StringVar(&a.output, "output", "text", "form of the result: text or json")
	f.StringVar(&a.progress, "progress", "auto", "progress on standard error: auto (a terminal only), plain or none")
	f.BoolVarP(&a.quiet, "quiet", "q", false, "no talk on standard error")
	f.IntVar(&a.jobs, "jobs", 0, "goroutines; 0 is one a processor; results do not depend on it")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(
		newDemo(a), newData(a), newTrain(a), newEval(a), newQuantize(a), newCheck(a), newEmulate(a),
		newExport(a), newVerify(a), newEstimate(a), newTargets(a), newInspect(a), newVersion(a),
	)
	for _, c := range root.Commands() {
		wrapArgs(c)
	}
	return root
}

// wrapArgs makes a wrong number of arguments, or an unknown subcommand, a usage
// error.
func wrapArgs(c *cobra.Command) {
	check := c.Args
	if check == nil {
		check = cobra.NoArgs
	}
	c.Args = func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usageError{err}
		}
		return nil
	}
	for _, sub := range c.Commands() {
		wrapArgs(sub)
	}
}

// say writes a line of talk.
func (a *app) say(format string, args ...any) {
	if !a.quiet {
		fmt.Fprintf(a.err, format+"\n", args...)
	}
}

// result prints v as JSON, or as the text that f writes.
func (a *app) result(v any, f func(w io.Writer)) error {
	if a.output == "json" {
		e := json.NewEncoder(a.out)
		e.SetIndent("", "  ")
		return e.Encode(v)
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	f(w)
	return w.Flush()
}

// notInput refuses to write over a file that is read.
func notInput(out string, inputs ...string) error {
	same := func(a, b string) bool {
		ai, err1 := os.Stat(a)
		bi, err2 := os.Stat(b)
		if err1 == nil && err2 == nil {
			return os.SameFile(ai, bi)
		}
		return filepath.Clean(a) == filepath.Clean(b)
	}
	for _, in := range inputs {
		if in != "" && same(out, in) {
			return usage("-o: got %s, which is read; want another file", out)
		}
	}
	return nil
}

// dataFlags choose samples.
type dataFlags struct {
	data    string
	split   string
	samples int
}

func (d *dataFlags) register(cmd *cobra.Command, split string, samples int, what string) {
	f := cmd.Flags()
	f.StringVar(&d.data, "data", "", "data set: a name of 'glsnn data list' or a folder of IDX files (default: the one trained on)")
	f.StringVar(&d.split, "split", split, "which samples: train or test")
	f.IntVar(&d.samples, "samples", samples, what)
}

// load returns the samples that a network trained on ref is to be run on. All
// of them if samples is 0.
func (d dataFlags) load(a *app, ref float.DataRef, inputs int) (*dataset.Set, error) {
	if d.data != "" {
		ref.Name = d.data
	}
	if d.samples < 0 {
		return nil, usage("--samples: got %d, want 0 (all) or more", d.samples)
	}
	train, test, err := loadData(a, ref.Name, ref.Size)
	if err != nil {
		return nil, err
	}
	set := test
	switch d.split {
	case "train":
		set = train
	case "test":
	default:
		return nil, usage("--split: got %q, want train or test", d.split)
	}
	if got := set.Rows * set.Cols; got != inputs {
		return nil, fmt.Errorf("%s: pixels: got %d x %d, want the network's %d inputs", set.Name, set.Rows, set.Cols, inputs)
	}
	if d.samples > set.Len() {
		return nil, usage("--samples: got %d, want at most the %d of the %s split", d.samples, set.Len(), d.split)
	}
	if d.samples > 0 {
		set = set.Slice(0, d.samples)
	}
	return set, nil
}

// loadData reads both splits and pools them to side size, 0 for as they are.
func loadData(a *app, name string, size int) (train, test *dataset.Set, err error) {
	if name == "" {
		return nil, nil, usage("--data: got nothing, and the file names no data set; want a name of 'glsnn data list' or a folder")
	}
	if train, test, err = dataset.Load(name, dataset.Options{Workers: a.jobs}); err != nil {
		return nil, nil, err
	}
	if size != 0 {
		if train, err = train.Pool(size); err != nil {
			return nil, nil, usageError{err}
		}
		if test, err = test.Pool(size); err != nil {
			return nil, nil, usageError{err}
		}
	}
	return train, test, nil
}

func percent(x float64) string { return fmt.Sprintf("%.2f %%", 100*x) }

// fileExists is for choosing what to read by default.
func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
