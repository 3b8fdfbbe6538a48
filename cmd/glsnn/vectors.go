package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"glsnn/emulator"
	"glsnn/emulator/vectors"
	"glsnn/targets"
)

type vectorsOptions struct{ print bool }

func newVectors(a *app) *cobra.Command {
	o := &vectorsOptions{}
	cmd := &cobra.Command{
		Use:   "vectors FILE",
		Short: "Run conformance vectors against a target's arithmetic",
		Long: `Run conformance vectors against a target's arithmetic, on both engines.

FILE is JSON: {"target": NAME or path, "cases": [{"name", "params", "input", "u",
"v", "spike"}]}. params are raw registers by the names of 'glsnn targets show',
every one of them; input is one raw integer a tick, added to u, or to v where the
target has no u; u, v (after the reset) and spike are expected after each tick, and
only those given are compared. A bias is written as it is added, mantissa x
2^exponent. The first difference of each case is printed, and the exit code is 5.`,
		Example: "  glsnn targets vectors manual.json\n  glsnn targets vectors manual.json --print > filled.json",
		Args:    wantArgs(1, 1, "one FILE of vectors"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.vectors(cmd.Context(), o, args[0])
		},
	}
	cmd.Flags().BoolVar(&o.print, "print", false, "fill in the expected values and print the file, comparing nothing")
	return cmd
}

type vectorsResult struct {
	File    string       `json:"file"`
	Target  string       `json:"target"`
	Cases   []caseResult `json:"cases"`
	Differ  int          `json:"differ"` // cases
	Engines string       `json:"engines"`
}

type caseResult struct {
	Name  string              `json:"name"`
	Ticks int                 `json:"ticks"`
	First *vectors.Difference `json:"first"` // null: as expected
}

func (a *app) vectors(ctx context.Context, o *vectorsOptions, path string) error {
	data, err := readVectors(path)
	if err != nil {
		return err
	}
	f, err := vectors.Parse(data, path)
	if err != nil {
		return withCode(exitUsage, err) // people write these
	}
	chip, err := targets.Load(f.Target)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := chip.Known("arithmetic"); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	r := &vectorsResult{File: path, Target: chip.Name, Engines: "reference and event engine agree"}
	var faults []error
	for i := range f.Cases {
		c := &f.Cases[i]
		got, err := c.Run(ctx, chip)
		var diff *vectors.Difference
		if err == nil && !o.print {
			diff, err = c.Compare(got)
		}
		var mismatch *emulator.Mismatch
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &mismatch): // our fault, not the file's
			return fmt.Errorf("%s: case %q: %w", path, c.Name, err)
		case err != nil:
			for _, e := range unjoin(err) {
				faults = append(faults, usage("%s: case %q: %w", path, c.Name, e))
			}
			continue
		}
		if o.print {
			*c = *got
			continue
		}
		if diff != nil {
			r.Differ++
		}
		r.Cases = append(r.Cases, caseResult{c.Name, len(c.Input), diff})
	}
	if len(faults) > 0 {
		return errors.Join(faults...)
	}
	if o.print {
		return f.Write(a.out)
	}
	if err := a.result(r, r.text); err != nil {
		return err
	}
	if r.Differ > 0 {
		return withCode(exitMismatch, fmt.Errorf("%s: %d of %d cases differ", path, r.Differ, len(r.Cases)))
	}
	return nil
}

// unjoin lists what errors.Join joined.
func unjoin(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{err}
}

// readVectors is a file of at most what vectors.Parse takes, and a byte more.
func readVectors(path string) ([]byte, error) {
	if isDir(path) {
		return nil, usage("%s: got a directory, want a file of vectors", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, vectors.MaxFile+1))
}

func (r *vectorsResult) text(w io.Writer) {
	ticks := 0
	for _, c := range r.Cases {
		ticks += c.Ticks
		if c.First != nil {
			fmt.Fprintf(w, "%s\t%s\n", c.Name, c.First)
		}
	}
	fmt.Fprintf(w, "target %s\t%d of %d cases as expected\t%d ticks; %s\n", r.Target, len(r.Cases)-r.Differ, len(r.Cases), ticks, r.Engines)
}
