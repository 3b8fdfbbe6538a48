package reproduce

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"glsnn/cmd/glsnn/chart"
	"glsnn/fixedpoint/artefact"
	"glsnn/float"
	"glsnn/float/dataset"
)

// Recipe is how the networks of a figure are made and trained, apart from what its
// cases differ in: shape, rule, frozen layers, seed and epochs.
type Recipe struct {
	Net   float.Config
	Train float.TrainConfig
}

// Case is one network and rule of a figure, trained once a seed.
type Case struct {
	Series string  // its line, bar or row
	X      float64 // its place, where the figure has an axis
	Hidden []int
	Rule   float.Rule
	Frozen int
	Gain   float64 // of the starting weights; 0 is the recipe's
	Paper  float64 // accuracy that the paper prints, in percent; 0 for none
}

// Figure is a figure or table of the paper.
type Figure struct {
	Name   string // fig6
	Title  string
	Data   string // the paper's data set
	Epochs int    // the paper's
	Keep   bool   // it needs the trained networks
	Seeds  int    // where not all of the user's are needed: at most so many
	Short  int    // epochs that suffice, where less than the recipe's do
	// Note says what the paper leaves open and was decided here; "" for nothing.
	Note  string
	Cases func(quick bool) []Case
	draw  func(ctx context.Context, o *Outcome) error
}

// Options are a user's choices for a figure.
type Options struct {
	Quick  bool
	Seeds  int
	Epochs int // 0: the recipe's
	Recipe Recipe
	Data   string // name of the samples, for captions
}

// Outcome is what a figure's runs gave, and what is made of it.
type Outcome struct {
	Figure  *Figure
	Options Options
	Cases   []Case
	Results [][]*Result // [case][seed]
	Lines   []string    // what to tell
	Files   []string    // written

	runner      *Runner
	train, test *dataset.Set
}

// Quick is how a figure is shortened, so that it takes less than two minutes on
// two cores: the first samples of either split, few epochs, one seed.
const (
	quickTrain  = 4000
	quickTest   = 1000
	quickEpochs = 4
)

// Shorten cuts the splits for --quick.
func Shorten(train, test *dataset.Set) (*dataset.Set, *dataset.Set) {
	return train.Slice(0, min(quickTrain, train.Len())), test.Slice(0, min(quickTest, test.Len()))
}

// Reproduce does f's runs that are not yet done and writes its files into the
// runner's folder.
func (f *Figure) Reproduce(ctx context.Context, r *Runner, o Options, train, test *dataset.Set) (*Outcome, error) {
	out := &Outcome{Figure: f, Options: o, Cases: f.Cases(o.Quick), runner: r, train: train, test: test}
	seeds := o.Seeds
	if f.Seeds > 0 {
		seeds = min(seeds, f.Seeds)
	}
	var runs []Run
	trainHash, testHash := train.Hash(), test.Hash()
	for _, c := range out.Cases {
		for seed := range seeds {
			run := Run{Net: o.Recipe.Net, Train: o.Recipe.Train, TrainHash: trainHash, TestHash: testHash}
			run.Net.Sizes = slices.Concat([]int{train.Rows * train.Cols}, c.Hidden, []int{train.Classes})
			run.Train.Seed, run.Train.Rule, run.Train.Frozen = uint64(seed+1), c.Rule, c.Frozen
			run.Train.Fields = float.Fields{Side: run.Train.Fields.Side} // drawn by each seed
			if c.Gain > 0 {
				run.Train.Gain = c.Gain
			}
			switch {
			case o.Epochs > 0:
				run.Train.Epochs = o.Epochs
			case f.Short > 0:
				run.Train.Epochs = f.Short
			case o.Quick:
				run.Train.Epochs = min(quickEpochs, run.Train.Epochs)
			}
			runs = append(runs, run)
		}
	}
	results, err := r.Do(ctx, runs, train, test, f.Keep)
	if err != nil {
		return nil, err
	}
	out.Results = slices.Collect(slices.Chunk(results, seeds))
	if err := f.draw(ctx, out); err != nil {
		return nil, err
	}
	if err := out.epochs(); err != nil {
		return nil, err
	}
	return out, nil
}

// say adds a line to tell.
func (o *Outcome) say(format string, args ...any) {
	o.Lines = append(o.Lines, fmt.Sprintf(format, args...))
}

// file writes NAME-SUFFIX.EXT, whole or not at all; quick figures have names of
// their own.
func (o *Outcome) file(suffix, ext string, write func(io.Writer) error) error {
	name := o.Figure.Name
	if suffix != "" {
		name += "-" + suffix
	}
	if o.Options.Quick {
		name += "-quick"
	}
	path := filepath.Join(o.runner.Dir, name+ext)
	if err := artefact.WriteAtomic(path, write); err != nil {
		return err
	}
	o.Files = append(o.Files, path)
	return nil
}

func (o *Outcome) csv(suffix string, head []string, rows [][]string) error {
	return o.file(suffix, ".csv", func(w io.Writer) error {
		c := csv.NewWriter(w)
		return c.WriteAll(append([][]string{head}, rows...))
	})
}

func (o *Outcome) svg(suffix string, f chart.Figure) error {
	return o.file(suffix, ".svg", func(w io.Writer) error { return chart.Write(w, f) })
}

// frame titles a chart.
func (o *Outcome) frame(title, desc string) chart.Frame {
	if o.Options.Quick {
		title += " (quick)"
	}
	return chart.Frame{Title: title, Desc: desc + " " + o.caption()}
}

// caption says what was trained.
func (o *Outcome) caption() string {
	r := o.Results[0][0].Run
	return fmt.Sprintf("Data %s, %d training and %d test samples, %d epochs, seeds %s.", o.Options.Data, o.train.Len(), o.test.Len(), r.Train.Epochs, o.seeds())
}

// Data says what was trained on, for the reader of the lines.
func (o *Outcome) Data() string { return o.caption() }

// Wall is how many trainings the figure has, and the seconds of the processes that
// finished them.
func (o *Outcome) Wall() (trainings int, seconds float64) {
	for _, c := range o.Results {
		for _, r := range c {
			trainings, seconds = trainings+1, seconds+r.Wall
		}
	}
	return trainings, seconds
}

func (o *Outcome) seeds() string {
	var s []string
	for _, r := range o.Results[0] {
		s = append(s, strconv.FormatUint(r.Run.Train.Seed, 10))
	}
	return strings.Join(s, " ")
}

// spread is mean and standard deviation over the seeds (n-1; 0 for one seed).
type spread struct {
	mean, sd float64
	n        int
}

func spreadOf(results []*Result, f func(*Result) float64) spread {
	s := spread{n: len(results)}
	for _, r := range results {
		s.mean += f(r) / float64(s.n)
	}
	for _, r := range results {
		by := f(r) - s.mean
		s.sd += float64(by * by)
	}
	if s.n > 1 {
		s.sd = math.Sqrt(s.sd / float64(s.n-1))
	}
	return s
}

// of is "97.31 ± 0.05 %", and without the deviation for one seed.
func (s spread) of(unit string) string {
	if s.n < 2 {
		return fmt.Sprintf("%.2f%s", s.mean, unit)
	}
	return fmt.Sprintf("%.2f ± %.2f%s", s.mean, s.sd, unit)
}

// deviation is the standard deviation for a CSV file, empty for one seed.
func (s spread) deviation() string {
	if s.n < 2 {
		return ""
	}
	return fixed(s.sd, 3)
}

func best(r *Result) float64 { return 100 * r.Best() }
func last(r *Result) float64 { return 100 * r.Last() }

// compare adds the line of one case: the paper's number and ours.
func (o *Outcome) compare(what string, paper float64, results []*Result) {
	was := "not printed"
	if paper > 0 {
		was = fmt.Sprintf("%.2f %%", paper)
	}
	b, l := spreadOf(results, best), spreadOf(results, last)
	o.say("%s: paper %s, here %s (best epoch; last %s)", what, was, b.of(" %"), l.of(" %"))
}

// summary writes NAME.csv, one row a case.
func (o *Outcome) summary() error {
	var rows [][]string
	for i, c := range o.Cases {
		b, l := spreadOf(o.Results[i], best), spreadOf(o.Results[i], last)
		paper := ""
		if c.Paper > 0 {
			paper = fixed(c.Paper, 2)
		}
		rows = append(rows, []string{c.Series, num(c.X), sizes(o.Results[i][0].Run.Net.Sizes), string(c.Rule), strconv.Itoa(c.Frozen), strconv.Itoa(b.n), strconv.Itoa(len(o.Results[i][0].History)),
			fixed(b.mean, 3), b.deviation(), fixed(l.mean, 3), l.deviation(), paper})
	}
	return o.csv("", []string{"series", "x", "network", "rule", "frozen", "seeds", "epochs", "best_percent", "best_sd", "last_percent", "last_sd", "paper_percent"}, rows)
}

// epochs writes NAME-epochs.csv, one row an epoch of each run.
func (o *Outcome) epochs() error {
	var rows [][]string
	for i, c := range o.Cases {
		for _, r := range o.Results[i] {
			for _, e := range r.History {
				rows = append(rows, []string{c.Series, num(c.X), sizes(r.Run.Net.Sizes), string(c.Rule), strconv.Itoa(c.Frozen), strconv.FormatUint(r.Run.Train.Seed, 10),
					strconv.Itoa(e.Epoch), fixed(e.TrainLoss, 5), fixed(100*e.TrainAccuracy, 3), fixed(100**e.Test, 3), r.Run.Key()})
			}
		}
	}
	return o.csv("epochs", []string{"series", "x", "network", "rule", "frozen", "seed", "epoch", "train_loss", "train_percent", "test_percent", "run"}, rows)
}

func fixed(v float64, digits int) string { return strconv.FormatFloat(v, 'f', digits, 64) }
func num(v float64) string               { return strconv.FormatFloat(v, 'g', -1, 64) }

func sizes(s []int) string {
	out := make([]string, len(s))
	for i, n := range s {
		out[i] = strconv.Itoa(n)
	}
	return strings.Join(out, "-")
}

// curve is accuracy over the epochs, a band of one standard deviation around the
// mean of the seeds.
func curve(name string, results []*Result, of func(float.EpochStats) float64) chart.Series {
	s := chart.Series{Name: name}
	for e := range results[0].History {
		at := spreadOf(results, func(r *Result) float64 { return 100 * of(r.History[e]) })
		s.X, s.Y = append(s.X, float64(e+1)), append(s.Y, at.mean)
		if at.n > 1 {
			s.Lo, s.Hi = append(s.Lo, at.mean-at.sd), append(s.Hi, at.mean+at.sd)
		}
	}
	return s
}

func testAccuracy(e float.EpochStats) float64  { return *e.Test }
func trainAccuracy(e float.EpochStats) float64 { return e.TrainAccuracy }
