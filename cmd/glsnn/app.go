package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"glsnn/fixedpoint/tier"
)

// app is what every command needs: its streams and the global flags.
type app struct {
	out, err io.Writer
	output   string // text or json
	progress string // auto, plain or none
	quiet    bool
	jobs     int
}

// run is the whole program but for the process around it.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	a := &app{out: stdout, err: stderr}
	root := newRoot(a)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	code := exitCode(err)
	if err != nil {
		if code == exitInterrupted {
			err = errors.New("interrupted")
		}
		name := "glsnn:"
		if colours(stderr) {
			name = "\x1b[31m" + name + "\x1b[0m"
		}
		for line := range strings.SplitSeq(err.Error(), "\n") {
			fmt.Fprintf(stderr, "%s %s\n", name, line)
		}
	}
	return code
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
5 bits differ, 6 damaged file or one of another version, 130 interrupted.`,
		Example:       "  glsnn demo\n  glsnn train --data mnist --hidden 500,500\n  glsnn check --max-drop 0.5 --output json",
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if !slices.Contains([]string{"text", "json"}, a.output) {
				return usage("--output: got %q, want text or json", a.output)
			}
			if !slices.Contains([]string{"auto", "plain", "none"}, a.progress) {
				return usage("--progress: got %q, want auto, plain or none", a.progress)
			}
			if name, ok := tier.Env(); !ok {
				return usage("GLSNN_SIMD: got %q, want portable, avx2 or avx512", name)
			}
			if a.jobs < 0 || a.jobs > 4096 {
				return usage("--jobs: got %d, want 0..4096", a.jobs)
			}
			// More goroutines than processors gain nothing, and each has its own
			// engine: far more only cost memory.
			if n := runtime.GOMAXPROCS(0); a.jobs == 0 {
				a.jobs = n
			} else {
				a.jobs = min(a.jobs, max(n, 16))
			}
			return nil
		},
	}
	f := root.PersistentFlags()
	f.StringVar(&a.output, "output", "text", "form of the result: text or json")
	f.StringVar(&a.progress, "progress", "auto", "progress on standard error: auto (a terminal only), plain or none")
	f.BoolVarP(&a.quiet, "quiet", "q", false, "no talk on standard error")
	f.IntVar(&a.jobs, "jobs", 0, "goroutines at most; 0 is one a processor; results do not depend on it")
	root.SetFlagErrorFunc(flagFault)
	root.AddCommand(
		newDemo(a), newData(a), newTrain(a), newReproduce(a), newEval(a), newProfile(a), newQuantize(a), newCheck(a), newEmulate(a),
		newLearn(a), newMap(a), newExport(a), newVerify(a), newEstimate(a), newReport(a), newSweep(a), newTargets(a), newInspect(a), newBench(a), newVersion(a),
	)
	completeFlags(root)
	checkArgs(root)
	return root
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
	var text bytes.Buffer
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	f(w)
	if err := w.Flush(); err != nil {
		return err
	}
	out := text.Bytes()
	if colours(a.out) {
		out = paint(out)
	}
	_, err := a.out.Write(out)
	return err
}

func percent(x float64) string { return fmt.Sprintf("%.2f %%", 100*x) }
