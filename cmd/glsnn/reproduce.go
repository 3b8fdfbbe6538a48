package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"glsnn/cmd/glsnn/reproduce"
	"glsnn/float"
	"glsnn/float/dataset"
)

type reproduceOptions struct {
	out    string
	data   string
	quick  bool
	seeds  int
	epochs int
	train  int
	test   int
	like   string
}

func newReproduce(a *app) *cobra.Command {
	o := &reproduceOptions{}
	var list strings.Builder
	for _, f := range reproduce.Figures() {
		fmt.Fprintf(&list, "  %-7s %s\n", f.Name, f.Title)
	}
	cmd := &cobra.Command{
		Use:   "reproduce NAME...",
		Short: "Draw the paper's figures and tables from trainings of this program",
		Long: `Draw figures and tables of the paper (Zhao et al. 2020) from trainings of this
program, as CSV and SVG, with a line for each number beside the paper's:

` + list.String() + `
Each training's result is a file in the folder's runs/, so that figures share
them and the same command goes on after an interruption or a kill. The time to
expect is measured and said first. Accuracies are, as the paper's, the best test
accuracy over the epochs; that of the last epoch stands beside them. --quick takes
4000 samples, one seed and four epochs, to see how a figure is made.`,
		Example: "  glsnn reproduce fig6 --quick\n  glsnn reproduce fig6 fig9 --seeds 1 --out figures\n  glsnn reproduce table3 --epochs 20\n  glsnn reproduce fig4 --like network.glsnn",
		Args:    wantArgs(1, 100, "one or more of "+strings.Join(reproduce.Names(), ", ")),
		RunE: func(cmd *cobra.Command, args []string) error {
			var figures []*reproduce.Figure
			for _, name := range args {
				f, err := reproduce.Find(name)
				if err != nil {
					return usage("reproduce: %w", err)
				}
				figures = append(figures, f)
			}
			if err := o.check(cmd.Flags().Changed("seeds")); err != nil {
				return err
			}
			var results []reproduceResult
			for _, f := range figures {
				r, err := a.reproduce(cmd.Context(), f, o)
				if err != nil {
					return err
				}
				results = append(results, *r)
			}
			return a.result(results, func(w io.Writer) {
				for _, r := range results {
					r.text(w)
				}
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.out, "out", "reproduced", "folder for figures and results")
	f.StringVar(&o.data, "data", "", "data set: a name of 'glsnn data list' or a folder of IDX files (default: the paper's)")
	f.BoolVar(&o.quick, "quick", false, "the first 4000 samples, one seed, four epochs, fewer cases: less than two minutes a figure on two cores")
	f.IntVar(&o.seeds, "seeds", 3, "train with the seeds 1 to so many")
	f.IntVar(&o.epochs, "epochs", 0, "epochs of each training; 0 for the recipe's")
	f.StringVar(&o.like, "like", "", "train with the neurons and settings of this network file, but for shape, rule, seed and what a figure sets (default: train's own)")
	f.IntVar(&o.train, "samples", 0, "train on the first so many samples; 0 for all")
	f.IntVar(&o.test, "test-samples", 0, "test on the first so many samples; 0 for all")
	return cmd
}

func (o *reproduceOptions) check(seedsGiven bool) error {
	if o.quick && !seedsGiven {
		o.seeds = 1
	}
	switch {
	case o.seeds < 1 || o.seeds > 1000:
		return usage("--seeds: got %d, want 1..1000", o.seeds)
	case o.epochs < 0 || o.epochs > 100000:
		return usage("--epochs: got %d, want 0 (the recipe's) to 100000", o.epochs)
	case o.train < 0:
		return usage("--samples: got %d, want 0 (all) or more", o.train)
	case o.test < 0:
		return usage("--test-samples: got %d, want 0 (all) or more", o.test)
	case o.out == "":
		return usage("--out: got nothing, want a folder")
	}
	return nil
}

type reproduceResult struct {
	Name  string   `json:"name"`
	Title string   `json:"title"`
	Data  string   `json:"data"`
	Note  string   `json:"note,omitempty"`
	Lines []string `json:"lines"`
	Files []string `json:"files"`
	Runs  int      `json:"runs"`
	Wall  float64  `json:"wall_s"` // of the trainings, whenever they were done
}

func (r *reproduceResult) text(w io.Writer) {
	fmt.Fprintf(w, "%s: %s\n", r.Name, r.Title)
	for _, l := range r.Lines {
		fmt.Fprintf(w, "  %s\n", l)
	}
	fmt.Fprintf(w, "  data: %s\n", r.Data)
	fmt.Fprintf(w, "  time: %d trainings, %.0f s\n", r.Runs, r.Wall)
	if r.Note != "" {
		fmt.Fprintf(w, "  note: %s\n", r.Note)
	}
	fmt.Fprintf(w, "  files: %s\n", strings.Join(r.Files, ", "))
}

func (a *app) reproduce(ctx context.Context, f *reproduce.Figure, o *reproduceOptions) (*reproduceResult, error) {
	train, test, name, err := o.load(a, f)
	if err != nil {
		return nil, err
	}
	options := reproduce.Options{Quick: o.quick, Seeds: o.seeds, Epochs: o.epochs, Data: name}
	if options.Recipe, err = o.recipe(); err != nil {
		return nil, err
	}
	if err := options.Recipe.Train.Fields.Fits(train.Rows, train.Cols); err != nil {
		return nil, usage("--like %s: %w", o.like, err)
	}
	if o.quick {
		train, test = reproduce.Shorten(train, test)
	}
	for _, cut := range []struct {
		flag string
		n    int
		set  **dataset.Set
	}{{"--samples", o.train, &train}, {"--test-samples", o.test, &test}} {
		if cut.n > (*cut.set).Len() {
			return nil, usage("%s: got %d, want at most %d", cut.flag, cut.n, (*cut.set).Len())
		}
		if cut.n > 0 {
			*cut.set = (*cut.set).Slice(0, cut.n)
		}
	}
	if err := os.MkdirAll(o.out, 0o777); err != nil {
		return nil, fmt.Errorf("--out: %w", err)
	}
	var m *meter
	var mu sync.Mutex
	r := &reproduce.Runner{
		Dir: o.out, Workers: a.jobs,
		Say: func(format string, args ...any) {
			mu.Lock()
			defer mu.Unlock()
			m.clear()
			a.say(f.Name+": "+format, args...)
		},
		Begin: func(total int) func(int) {
			m = a.meter(f.Name, "samples", total, 0)
			return m.at
		},
	}
	out, err := f.Reproduce(ctx, r, options, train, test)
	m.clear()
	if err != nil {
		return nil, err
	}
	runs, wall := out.Wall()
	return &reproduceResult{f.Name, f.Title, out.Data(), f.Note, out.Lines, out.Files, runs, wall}, nil
}

// load returns the figure's samples. Without the paper's a quick figure makes do
// with built-in digits.
func (o *reproduceOptions) load(a *app, f *reproduce.Figure) (train, test *dataset.Set, name string, err error) {
	if name = o.data; name == "" {
		name = f.Data
	}
	train, test, err = loadData(a, name, 0, "")
	if errors.Is(err, dataset.ErrNotFound) && o.quick && o.data == "" && slices.Contains([]string{"mnist", "fashion-mnist"}, name) {
		a.say("%s: %v; taking the built-in digits instead, whose numbers say nothing about the paper's", f.Name, err)
		name = "digits"
		train, test, err = loadData(a, name, 0, "")
	}
	return train, test, name, err
}

// recipe is train's own, or that of the network --like names, with all samples.
func (o *reproduceOptions) recipe() (reproduce.Recipe, error) {
	if o.like == "" {
		n, t := defaultConfigs(float.Chip)
		return reproduce.Recipe{Net: n, Train: t}, nil
	}
	net, _, err := float.LoadNetwork(o.like)
	if err != nil {
		return reproduce.Recipe{}, fileFault(err, o.like, "--like", "glsnn train")
	}
	r := reproduce.Recipe{Net: net.Config, Train: net.Origin.Train}
	if r.Net.Mode != float.Chip || r.Train.From != "" || r.Train.Bits != "" {
		return r, usage("--like %s: got a network of mode %s, from %q, bits %q, want one of mode %s that was trained from the start and not for few bits", o.like, r.Net.Mode, r.Train.From, r.Train.Bits, float.Chip)
	}
	r.Train.HeldOut, r.Train.WatchTest = 0, false
	return r, nil
}
