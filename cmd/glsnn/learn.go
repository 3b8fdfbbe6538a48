package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"glsnn/emulator"
	"glsnn/emulator/cost"
	"glsnn/emulator/faults"
	"glsnn/emulator/learn"
	"glsnn/emulator/learn/course"
	"glsnn/emulator/learn/twin"
	"glsnn/fixedpoint"
	"glsnn/fixedpoint/artefact"
	"glsnn/float/dataset"
	"glsnn/float/encode"
	"glsnn/targets"
)

const defaultLearned = "learned.glsnn"

// learnOptions are the flags of learn.
type learnOptions struct {
	model, target, out, checkpoint, ruleFile string
	curve, report                            string
	data                                     string
	size, samples, heldOut                   int
	hidden                                   string
	bits, low, ticks                         int
	readout                                  string
	epochs, every                            int
	seed                                     uint64
	mode, round, feedback, window            string
	feedbackBits                             int
	shift                                    string
	dropEvery                                uint64
	dropMost                                 int
	without                                  []int
	engine                                   string
	faults                                   string
	resume, printRule                        bool
	twin                                     int
	changed                                  func(string) bool
}

func newLearn(a *app) *cobra.Command {
	o := &learnOptions{}
	cmd := &cobra.Command{
		Use:   "learn",
		Short: "Learn on the chip: integer weights, integer errors, one sample at a time",
		Long: `Learn on the chip: integer weights, integer errors, one sample at a time.

The network runs as in emulate, and every sample changes its weights by the local
rule that emulator/learn specifies to the last bit: traces of the inputs, an error
at each output, fixed random or the output's own weights that carry it down, a
window at each hidden neuron, and an update by multiply and shift. Without --model
it starts from small random weights; with it, from a quantised network.

A checkpoint is written every 10 000 samples, after every epoch and when
interrupted; --resume goes on from it and ends in the same weights as a run that
was never stopped. --validate holds out the last training samples, which are then
measured in place of the test set until the end. --engine both runs the plain
reference beside the fast engine and compares all of both after every sample; a
difference is exit code 5.`,
		Example: `  glsnn learn --data mnist --hidden 200 --bits 8
  glsnn learn --data mnist --hidden 500,500 --target loihi --curve curve.csv
  glsnn learn --model model.glsnn --samples 2000 --faults faults.yaml
  glsnn learn --data mnist --hidden 200 --low-bits 8 --report curve.svg
  glsnn learn --resume`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.changed = cmd.Flags().Changed
			r, err := a.learn(cmd.Context(), o)
			if err != nil || r == nil {
				return err
			}
			return a.result(r, r.text)
		},
	}
	cmd.AddCommand(newLearnCurves(a))
	f := cmd.Flags()
	f.StringVar(&o.model, "model", "", "integer model to start from (default: small random weights)")
	f.StringVar(&o.target, "target", "", "learn in this target's arithmetic and timing, with what its learning engine has of the rule where no flag says otherwise, and estimate a learned sample: a name of 'glsnn targets list' or a YAML file")
	f.StringVarP(&o.out, "out", "o", defaultLearned, "model file to write")
	f.StringVar(&o.checkpoint, "checkpoint", "", "checkpoint file (default: the output's name with .ckpt)")
	f.BoolVar(&o.resume, "resume", false, "go on from the checkpoint; other settings come from it, and --epochs may be raised")
	f.StringVar(&o.data, "data", "", "data set: a name of 'glsnn data list' or a folder of IDX files (default: digits, or what the model was trained on)")
	f.IntVar(&o.size, "size", 0, "pool images down to this side; 0 keeps them")
	f.IntVar(&o.samples, "samples", 0, "learn from the first so many samples; 0 for all")
	f.IntVar(&o.heldOut, "validate", 0, "hold out so many samples at the end of the training set")
	f.IntSliceVar(&o.without, "without", nil, "leave out the samples of these classes: 7 or 3,7")
	f.StringVar(&o.hidden, "hidden", "200", "neurons of the hidden layers; empty for none")
	f.IntVar(&o.bits, "bits", 8, "width of a weight, sign included")
	f.IntVar(&o.low, "low-bits", 0, "more bits of each weight, that only learning sees")
	f.IntVar(&o.ticks, "ticks", 10, "window T")
	f.StringVar(&o.readout, "readout", "membrane", "output: membrane (integrated, never fires) or count (of spikes)")
	f.IntVar(&o.epochs, "epochs", 5, "passes over the training set")
	f.IntVar(&o.every, "every", 0, "samples between points of the curve; 0 is an epoch")
	f.Uint64Var(&o.seed, "seed", 1, "seed of weights, feedback, random register and order")
	f.StringVar(&o.mode, "mode", string(learn.PerSample), "per_sample (one update, from accumulated errors) or per_event (an update at each error spike)")
	f.StringVar(&o.round, "round", string(learn.RoundCarry), "what happens to an update's low bits: carry (to the neuron's next synapse), stochastic or nearest")
	f.StringVar(&o.feedback, "feedback", string(learn.FeedbackOutput), "what carries errors to the last hidden layer: output (its weights, eq. 5) or random (fixed, eq. 6); layers below have random ones")
	f.StringVar(&o.window, "window", string(learn.WindowDrive), "what a hidden neuron's window compares: drive (its input summed over the window), count (its spikes) or none")
	f.IntVar(&o.feedbackBits, "feedback-bits", 0, "width of a random feedback weight; 2 is ternary (default: by the thresholds, 6 with 8-bit weights)")
	f.StringVar(&o.shift, "shift", "", "shift of the update of each layer, or one for all: a larger one learns slower (default: by the thresholds and the activity of the data; 2 more with --model)")
	f.Uint64Var(&o.dropEvery, "drop-every", 0, "samples after which every shift grows by one (default: an epoch's, at least 20000; in 1 epoch never)")
	f.IntVar(&o.dropMost, "drop-most", 4, "how often at most; 0 never")
	f.StringVar(&o.ruleFile, "rule", "", "take the whole rule from this JSON file, as --print-rule writes it")
	f.BoolVar(&o.printRule, "print-rule", false, "print the rule as JSON and stop")
	f.StringVar(&o.engine, "engine", string(course.Fast), "fast, reference or both")
	f.StringVar(&o.faults, "faults", "", "break the chip as this YAML file says, before it learns; see 'glsnn emulate --help'")
	f.IntVar(&o.twin, "twin", 0, "let the same rule in floating point learn the first so many samples beside it, and say where the two part")
	f.StringVar(&o.curve, "curve", "", "write the learning curve to this CSV file")
	f.StringVar(&o.report, "report", "", "draw the learning curve into this SVG file")
	return cmd
}

// learnResult is what learn prints.
type learnResult struct {
	Model      string              `json:"model"`
	Data       string              `json:"data"`
	Sizes      []int               `json:"sizes"`
	Epochs     int                 `json:"epochs"`
	Samples    int                 `json:"samples_an_epoch"`
	Start      *scores             `json:"start,omitempty"`  // before the first sample; with --model
	Broken     *scores             `json:"broken,omitempty"` // the same with the faults
	Faults     *faults.Report      `json:"faults,omitempty"`
	Validation *scores             `json:"validation,omitempty"`
	Accuracy   float64             `json:"accuracy"` // on the test set
	Test       *scores             `json:"test"`
	Curve      []course.Point      `json:"curve"`
	Counters   learn.Counters      `json:"counters"`
	Memory     learn.Memory        `json:"memory_bits"`
	Rule       learn.Rule          `json:"rule"`
	Weights    []weightReport      `json:"weights"`
	Twin       *twin.Report        `json:"twin,omitempty"`
	Estimate   *cost.LearnEstimate `json:"estimate,omitempty"`
}

// breakModel breaks m as a faults file says.
func breakModel(m *fixedpoint.Model, file string) (*faults.Broken, *targets.Faults, error) {
	f, err := targets.LoadFaults(file)
	if err != nil {
		return nil, nil, err
	}
	b, err := faults.Apply(m, f)
	return b, f, err
}

// weightReport is how a layer's weights ended.
type weightReport struct {
	AtEdge int     `json:"at_edge"` // the least or the largest of their width
	Zero   int     `json:"zero"`
	RMS    float64 `json:"rms"`
}

// scores are the right answers on a set, in all and by class.
type scores struct {
	Accuracy float64   `json:"accuracy"`
	Correct  int       `json:"correct"`
	Samples  int       `json:"samples"`
	ByClass  []float64 `json:"by_class"`
}

func (a *app) score(ctx context.Context, m *fixedpoint.Model, set *dataset.Set, opt emulator.RunOptions) (*scores, error) {
	res, correct, err := a.runModel(ctx, m, set, opt)
	if err != nil {
		return nil, err
	}
	s := &scores{Accuracy: float64(correct) / float64(set.Len()), Correct: correct, Samples: set.Len(), ByClass: make([]float64, set.Classes)}
	n := make([]int, set.Classes)
	for i, c := range res.Class {
		n[set.Labels[i]]++
		if c == int(set.Labels[i]) {
			s.ByClass[c]++
		}
	}
	for c := range n {
		s.ByClass[c] /= float64(max(n[c], 1))
	}
	return s, nil
}

func (a *app) learn(ctx context.Context, o *learnOptions) (*learnResult, error) {
	if o.checkpoint == "" {
		o.checkpoint = o.out + ".ckpt"
	}
	engine, err := learn.ParseOneOf(o.engine, course.Fast, course.Reference, course.Both)
	if err != nil {
		return nil, usage("--engine: %w", err)
	}
	for _, n := range []struct {
		flag string
		got  int
	}{{"samples", o.samples}, {"validate", o.heldOut}, {"every", o.every}, {"size", o.size}, {"twin", o.twin}} {
		if n.got < 0 {
			return nil, usage("--%s: got %d, want 0 or more", n.flag, n.got)
		}
	}
	if o.epochs < 1 {
		return nil, usage("--epochs: got %d, want at least 1", o.epochs)
	}
	var ckpt *course.Checkpoint
	if o.resume {
		if ckpt, err = course.Load(o.checkpoint); err != nil {
			return nil, fileFault(err, o.checkpoint, "--checkpoint", "glsnn learn")
		}
		if err := o.agrees(ckpt); err != nil {
			return nil, err
		}
	}
	chip, err := o.chip(ckpt)
	if err != nil {
		return nil, err
	}
	start, err := o.startModel(a, chip)
	if err != nil {
		return nil, err
	}
	if start != nil && o.changed("size") && ckpt == nil {
		return nil, usage("--size: has no meaning with --model, which has its own")
	}
	if o.data == "" {
		o.data = "digits"
		if start != nil && start.Source.Data != "" {
			o.data, o.size = start.Source.Data, start.Source.Size
		}
	}
	read := []string{dataFolder(o.data), o.model, o.target, o.ruleFile, o.faults}
	for _, f := range []struct{ flag, name string }{{"-o", o.out}, {"--checkpoint", o.checkpoint}, {"--curve", o.curve}, {"--report", o.report}} {
		if f.name == "" && f.flag != "-o" {
			continue
		}
		if err := flagWritable(f.flag, f.name, read...); err != nil {
			return nil, err
		}
		read = append(read, f.name)
	}
	set, test, validation, err := o.load(a)
	if err != nil {
		return nil, err
	}
	if ckpt != nil {
		start = ckpt.Start
	} else if start == nil {
		if start, err = o.fresh(chip, set); err != nil {
			return nil, err
		}
	}
	o.suit(chip)
	rule, err := o.rule(start, set)
	if err != nil {
		return nil, err
	}
	if ckpt != nil {
		rule = ckpt.Config.Rule
	}
	if o.printRule {
		e := json.NewEncoder(a.out)
		e.SetIndent("", "  ")
		return nil, e.Encode(rule)
	}
	if err := rule.Unsupported(start.Arithmetic); err != nil {
		return nil, withCode(exitNoFit, fmt.Errorf("such a network cannot learn by this rule: %w", err))
	}
	if err := rule.Validate(start); err != nil {
		return nil, withCode(exitUsage, fmt.Errorf("rule: %w", err))
	}
	if o.model == "" && ckpt == nil {
		if start, err = rule.Fresh(start, learn.Amplitudes(start)); err != nil {
			return nil, err
		}
	}
	before := start
	var broken faults.Broken
	var faultsHash string
	if o.faults != "" {
		b, f, err := breakModel(start, o.faults)
		if err != nil {
			return nil, err
		}
		broken, faultsHash = *b, f.SHA256
	}
	if ckpt != nil && o.faults == "" && ckpt.Config.Faults != "" {
		return nil, usage("--faults: got nothing, want the file that %s was made with, sha256 %.12s", o.checkpoint, ckpt.Config.Faults)
	}
	if ckpt != nil && faultsHash != ckpt.Config.Faults {
		return nil, withCode(exitMismatch, fmt.Errorf("--faults: got a file with sha256 %.12q, want %.12q as in %s", faultsHash, ckpt.Config.Faults, o.checkpoint))
	}
	if broken.Model != nil && ckpt == nil {
		start = broken.Model // a checkpoint's is broken already
	}
	r := &learnResult{Model: o.out, Data: o.data, Samples: set.Len(), Memory: rule.Memory(start), Rule: rule}
	for _, l := range start.Layers {
		r.Sizes = append(r.Sizes, l.In)
	}
	r.Sizes = append(r.Sizes, start.Outputs())
	run := emulator.RunOptions{Workers: a.jobs, Delay: chip != nil && chip.Fabric.LayerDelay > 0}
	if o.model != "" && ckpt == nil {
		if r.Start, err = a.score(ctx, before, test, run); err != nil {
			return nil, err
		}
	}
	if o.faults != "" {
		r.Faults, run.Silent = &broken.Report, broken.Silent
		if o.model != "" && ckpt == nil {
			if r.Broken, err = a.score(ctx, start, test, run); err != nil {
				return nil, err
			}
		}
	}
	opt := learn.Options{Stuck: broken.Stuck, Silent: broken.Silent}
	var c *course.Course
	if ckpt != nil {
		if c, err = ckpt.Resume(set, o.epochs, opt, engine); err != nil {
			return nil, err
		}
		a.say("resumed after %d epochs and %d samples", ckpt.Epoch, ckpt.Done)
	} else {
		conf := course.Config{
			Rule: rule, Epochs: o.epochs, Order: o.seed, Delay: run.Delay, Every: o.every,
			Data: course.Data{Name: o.data, Size: o.size, Samples: o.samples, HeldOut: o.heldOut, Without: o.without},
		}
		if chip != nil {
			conf.Target, conf.Chip = o.target, chip.SHA256
		}
		conf.Faults = faultsHash
		if c, err = course.New(start, conf, set, opt, engine); err != nil {
			return nil, err
		}
	}
	if r.Twin, err = a.runCourse(ctx, c, o, run, test, validation); err != nil {
		return nil, err
	}
	m, err := c.Model()
	if err != nil {
		return nil, err
	}
	if r.Test, err = a.score(ctx, m, test, run); err != nil {
		return nil, err
	}
	if validation != nil {
		if r.Validation, err = a.score(ctx, m, validation, run); err != nil {
			return nil, err
		}
	}
	r.Accuracy, r.Epochs, r.Curve, r.Counters, r.Weights = r.Test.Accuracy, c.Epoch, c.Curve, c.Counters(), weightReports(m)
	if chip != nil {
		if r.Estimate, err = a.estimateLearning(ctx, m, chip, c, set); err != nil {
			return nil, err
		}
	}
	if err := o.writeCurve(c); err != nil {
		return nil, err
	}
	return r, m.Save(o.out)
}

// chip is the target to learn on, nil for none.
func (o *learnOptions) chip(ckpt *course.Checkpoint) (*targets.Chip, error) {
	if o.target == "" {
		return nil, nil
	}
	chip, err := targets.Load(o.target)
	if err != nil {
		return nil, err
	}
	if ckpt != nil && chip.SHA256 != ckpt.Config.Chip {
		return nil, withCode(exitMismatch, fmt.Errorf("--target %s: got a file with sha256 %.12s, want %.12s as in %s", o.target, chip.SHA256, ckpt.Config.Chip, o.checkpoint))
	}
	return chip, chip.Known("arithmetic")
}

// startModel is --model, in the target's arithmetic if there is one.
func (o *learnOptions) startModel(a *app, chip *targets.Chip) (*fixedpoint.Model, error) {
	if o.model == "" || o.resume {
		return nil, nil
	}
	for _, flag := range []string{"hidden", "bits", "ticks", "readout"} {
		if o.changed(flag) {
			return nil, usage("--%s: has no meaning with --model, which has its own", flag)
		}
	}
	m, _, err := loadModel(o.model)
	if err != nil || chip == nil {
		return m, err
	}
	p, err := a.place(m, o.target)
	if err != nil {
		return nil, err
	}
	return p.Model, nil
}

// load returns the samples to learn from, to test with and, if asked for, to
// choose by.
func (o *learnOptions) load(a *app) (set, test, validation *dataset.Set, err error) {
	if set, test, err = loadData(a, o.data, o.size, ""); err != nil {
		return nil, nil, nil, err
	}
	if o.heldOut > 0 {
		all := set.Len()
		if set, validation, err = set.SplitTail(o.heldOut); err != nil {
			return nil, nil, nil, usage("--validate: got %d, want less than the %d training samples", o.heldOut, all)
		}
	}
	if o.samples > set.Len() {
		return nil, nil, nil, usage("--samples: got %d, want at most the training set's %d", o.samples, set.Len())
	}
	for _, c := range o.without {
		if c < 0 || c >= set.Classes {
			return nil, nil, nil, usage("--without: got class %d, want 0..%d", c, set.Classes-1)
		}
	}
	if len(o.without) > 0 {
		set = set.Select(func(i int) bool { return !slices.Contains(o.without, int(set.Labels[i])) })
	}
	if o.samples > 0 && o.samples < set.Len() {
		set = set.Slice(0, o.samples)
	}
	if set.Len() == 0 {
		return nil, nil, nil, usage("--without: got %v, which leaves no samples", o.without)
	}
	return set, test, validation, nil
}

// fresh is the network to learn from scratch, without weights.
func (o *learnOptions) fresh(chip *targets.Chip, set *dataset.Set) (*fixedpoint.Model, error) {
	hidden, err := parseSizes(o.hidden)
	if err != nil {
		return nil, err
	}
	arith, opt := fixedpoint.Wide(), learn.ModelOptions{Bits: o.bits, Ticks: o.ticks, Encoding: fixedpoint.Encoding{Kind: string(encode.Rate)}}
	opt.Source.Data, opt.Source.Size = o.data, o.size
	if err := opt.Readout.UnmarshalText([]byte(o.readout)); err != nil {
		return nil, usage("--readout: %w", err)
	}
	if chip != nil {
		arith = chip.Arithmetic
		opt.Source.Target, opt.Source.Chip = chip.Name, chip.SHA256
		if chip.Tables.Format.SpikesOnly() && !o.changed("readout") {
			opt.Readout = fixedpoint.ReadCount
		}
	}
	m, err := learn.NewModel(arith, slices.Concat([]int{set.Rows * set.Cols}, hidden, []int{set.Classes}), opt)
	return m, asFlags(err)
}

// suit sets what no flag says to what the target's learning engine has.
func (o *learnOptions) suit(chip *targets.Chip) {
	if chip == nil || chip.Learning.Rule == nil {
		return
	}
	r := chip.Learning.Rule
	for _, s := range []struct {
		flag string
		to   *string
		has  []string
	}{{"mode", &o.mode, r.Modes}, {"round", &o.round, r.Rounds}, {"feedback", &o.feedback, r.Feedbacks}, {"window", &o.window, r.Windows}} {
		if !o.changed(s.flag) && !slices.Contains(s.has, *s.to) {
			*s.to = s.has[0]
		}
	}
}

// rule is that of the flags, or of --rule.
func (o *learnOptions) rule(m *fixedpoint.Model, set *dataset.Set) (learn.Rule, error) {
	r := learn.Default(m)
	if o.ruleFile != "" {
		for _, flag := range []string{"mode", "round", "feedback", "window", "feedback-bits", "shift", "low-bits", "drop-every", "drop-most"} {
			if o.changed(flag) {
				return r, usage("--%s: has no meaning with --rule, which says it", flag)
			}
		}
		data, err := os.ReadFile(o.ruleFile)
		if err != nil {
			return r, fmt.Errorf("--rule: %w", err)
		}
		r = learn.Rule{}
		if err := artefact.DecodeJSON(o.ruleFile, data, "the fields that --print-rule writes", &r); err != nil {
			return r, damaged(err)
		}
		if o.changed("seed") {
			r.Seed = o.seed
		}
		return r, nil
	}
	r.Seed = o.seed
	var errs error
	mode, err := learn.ParseOneOf(o.mode, learn.PerSample, learn.PerEvent)
	if err != nil {
		errs = errors.Join(errs, usage("--mode: %w", err))
	}
	if r.Round, err = learn.ParseOneOf(o.round, learn.RoundCarry, learn.RoundStochastic, learn.RoundNearest); err != nil {
		errs = errors.Join(errs, usage("--round: %w", err))
	}
	if r.Feedback.Source, err = learn.ParseOneOf(o.feedback, learn.FeedbackOutput, learn.FeedbackRandom); err != nil {
		errs = errors.Join(errs, usage("--feedback: %w", err))
	}
	window, err := learn.ParseOneOf(o.window, learn.WindowDrive, learn.WindowCount, learn.WindowNone)
	if err != nil {
		errs = errors.Join(errs, usage("--window: %w", err))
	}
	if errs != nil {
		return r, withCode(exitUsage, errs)
	}
	if window != r.Window.State && (window != learn.WindowDrive || o.changed("window")) {
		r.SetWindow(m, window)
	}
	if o.feedbackBits != 0 {
		r.SetFeedback(o.feedbackBits)
	}
	r.Low = o.low
	r.Tune(m, course.Activity(m, set))
	if o.model != "" {
		r.Finer(trainedFiner)
	}
	if mode == learn.PerEvent {
		r = r.ForEvents()
	}
	if o.shift != "" {
		fields := strings.Split(o.shift, ",")
		if len(fields) != 1 && len(fields) != len(r.Layers) {
			return r, usage("--shift: got %q, want one number or one for each of %d layers", o.shift, len(r.Layers))
		}
		for l := range r.Layers {
			n, err := strconv.Atoi(fields[min(l, len(fields)-1)])
			if err != nil {
				return r, usage("--shift: got %q, want whole numbers separated by commas", o.shift)
			}
			r.Layers[l].Shift = n
		}
	}
	r.DropMost, r.DropEvery = o.dropMost, o.dropEvery
	if !o.changed("drop-every") && o.epochs > 1 {
		r.DropEvery = uint64(max(set.Len(), leastDrop))
	}
	if r.DropEvery == 0 || r.DropMost == 0 {
		r.DropEvery, r.DropMost = 0, 0
	}
	return r, nil
}

// agrees takes o's settings from a checkpoint and refuses flags that say something
// else.
func (o *learnOptions) agrees(c *course.Checkpoint) error {
	d := c.Config.Data
	for _, flag := range []string{"model", "hidden", "bits", "low-bits", "ticks", "readout", "seed", "mode", "round", "feedback", "window", "feedback-bits", "shift", "drop-every", "drop-most", "rule", "every", "without"} {
		if o.changed(flag) {
			return usage("--%s: has no meaning with --resume, which goes on with the checkpoint's settings", flag)
		}
	}
	for _, s := range []setting{{"data", o.data, d.Name}, {"size", o.size, d.Size}, {"samples", o.samples, d.Samples}, {"validate", o.heldOut, d.HeldOut}, {"target", o.target, c.Config.Target}} {
		if o.changed(s.flag) && s.got != s.want {
			return usage("--%s: got %v, and %s was made with %v; leave the flag out, or start anew without --resume", s.flag, s.got, o.checkpoint, s.want)
		}
	}
	if !o.changed("epochs") {
		o.epochs = c.Config.Epochs
	} else if o.epochs < c.Epoch || o.epochs == c.Epoch && c.Done > 0 {
		return usage("--epochs: got %d, and %s has finished %d epochs and %d samples", o.epochs, o.checkpoint, c.Epoch, c.Done)
	}
	o.data, o.size, o.samples, o.heldOut, o.without, o.target = d.Name, d.Size, d.Samples, d.HeldOut, d.Without, c.Config.Target
	return nil
}

// trainedFiner is how much larger the shifts are for a network that has learned
// already, so that some thousand samples mend it and do not shake what it knows.
const trainedFiner = 2

// leastDrop is the least number of samples between two falls of the step, unless
// --drop-every says otherwise.
const leastDrop = 20000

// saveEvery is how many samples pass between checkpoints within an epoch.
const saveEvery = 10000

// runCourse runs c with progress and checkpoints.
func (a *app) runCourse(ctx context.Context, c *course.Course, o *learnOptions, run emulator.RunOptions, test, validation *dataset.Set) (*twin.Report, error) {
	beside, err := newBeside(c, o.twin)
	if err != nil {
		return nil, err
	}
	base := c.Epoch*c.Samples() + c.Done
	m := a.meter("learn", "samples", c.Config.Epochs*c.Samples(), base)
	save := func() error { return c.Save(o.checkpoint) }
	if !o.resume {
		if err := a.keepEarlier(o.checkpoint, func() bool {
			c, err := course.Load(o.checkpoint)
			return err != nil || c.Epoch > 0 || c.Done > 0
		}); err != nil {
			return nil, err
		}
	}
	if err := save(); err != nil {
		return nil, err
	}
	measured, what := test, "test"
	if validation != nil {
		measured, what = validation, "validation"
	}
	err = c.Run(ctx, course.Hooks{
		OnSample: m.at, OnLearned: beside.learned,
		OnPoint: func(p *course.Point) error {
			now, err := c.Model()
			if err != nil {
				return err
			}
			s, err := a.score(ctx, now, measured, run)
			if errors.Is(err, context.Canceled) {
				return nil // the point is drawn without; Run ends with the next sample
			}
			if err != nil {
				return err
			}
			if validation != nil {
				p.Validation = &s.Accuracy
			} else {
				p.Test = &s.Accuracy
			}
			m.clear()
			a.say("epoch %d/%d, %d samples: %s while learning, %s %s; %.1f %% of the samples had an error, %.1f %% of the hidden neurons learned, %.2f %% of the updates changed a weight",
				p.Epoch, c.Config.Epochs, p.Samples, percent(p.Online), what, percent(s.Accuracy), 100*p.Learned, 100*p.Open, 100*float64(p.Writes)/float64(max(p.Reads, 1)))
			return nil
		},
		Save: save, SaveEvery: saveEvery,
	})
	m.clear()
	if errors.Is(err, course.ErrInterrupted) {
		if err := save(); err != nil {
			return nil, err
		}
		a.say("saved %s after %d epochs and %d samples; go on with --resume", o.checkpoint, c.Epoch, c.Done)
	}
	return beside.report, err
}

// beside is a float twin for the first samples of a run.
type beside struct {
	c      *course.Course
	twin   *twin.Twin
	left   int
	report *twin.Report // when they are done
}

func newBeside(c *course.Course, samples int) (*beside, error) {
	if samples == 0 {
		return &beside{}, nil
	}
	if c.Config.Delay {
		return nil, usage("--twin: got it with a target that takes a tick from layer to layer, which the twin does not")
	}
	if n := (c.Config.Epochs-c.Epoch)*c.Samples() - c.Done; samples > n {
		return nil, usage("--twin: got %d, want at most the %d samples to come", samples, n)
	}
	t, err := twin.New(c.Start, c.Config.Rule, c.State())
	if err != nil {
		return nil, withCode(exitUsage, err)
	}
	return &beside{c: c, twin: t, left: samples}, nil
}

func (b *beside) learned(train emulator.Train, label, class int) {
	if b.left == 0 {
		return
	}
	b.twin.Learn(train, label, b.c.State(), class)
	if b.left--; b.left == 0 {
		r := b.twin.Report(b.c.State())
		b.report = &r
	}
}

func weightReports(m *fixedpoint.Model) []weightReport {
	var out []weightReport
	for _, l := range m.Layers {
		lo, hi := m.Arithmetic.Weight.Range(l.WeightBits)
		var r weightReport
		sum := 0.0
		for _, w := range l.Weights.Values() {
			switch x := int64(w); x {
			case lo, hi:
				r.AtEdge++
			case 0:
				r.Zero++
			}
			sum += float64(w) * float64(w)
		}
		r.RMS = rootMean(sum, l.In*l.Out)
		out = append(out, r)
	}
	return out
}

// writeCurve writes --curve and --report.
func (o *learnOptions) writeCurve(c *course.Course) error {
	if o.curve != "" {
		err := artefact.WriteAtomic(o.curve, func(w io.Writer) error { return course.WriteCSV(w, c.Curve) })
		if err != nil {
			return err
		}
	}
	if o.report == "" {
		return nil
	}
	return artefact.WriteAtomic(o.report, func(w io.Writer) error { return drawCurve(w, c) })
}

func (r *learnResult) text(w io.Writer) {
	c := &r.Counters
	t := c.Totals()
	n := float64(max(c.Samples, 1))
	learned := float64(max(c.Learned, 1))
	fmt.Fprintf(w, "model\t%s (%s)\n", r.Model, joinInts(r.Sizes, "-"))
	fmt.Fprintf(w, "learned\t%d epochs of %d samples of %s, mode %s, round %s, feedback %s\n", r.Epochs, r.Samples, r.Data, r.Rule.Mode, r.Rule.Round, r.Rule.Feedback.Source)
	row := func(name string, s *scores) {
		if s == nil {
			return
		}
		worst := 0
		for k, x := range s.ByClass {
			if x < s.ByClass[worst] {
				worst = k
			}
		}
		fmt.Fprintf(w, "%s\t%s of %d samples, class %d worst with %s\n", name, percent(s.Accuracy), s.Samples, worst, percent(s.ByClass[worst]))
	}
	row("accuracy before", r.Start)
	if f := r.Faults; f != nil {
		fmt.Fprintf(w, "faults\t%d dead neurons, %d stuck weights, %d flipped bits, thresholds %v\n", f.Dead, f.Stuck, f.Flipped, f.Thresholds)
	}
	row("accuracy broken", r.Broken)
	row("validation accuracy", r.Validation)
	row("test accuracy", r.Test)
	fmt.Fprintf(w, "a sample\t%.4g had an error; %.4g trace updates, %.4g error events, %.4g feedback synops\n", float64(c.Learned)/n, float64(c.TraceUpdates)/n, float64(c.ErrorEvents)/n, float64(c.FeedbackSynOps)/n)
	fmt.Fprintf(w, "a sample with an error\t%.4g weights read, %.4g written, %.4g clipped, %.4g random draws\n", float64(t.Reads)/learned, float64(t.Writes)/learned, float64(t.Saturations)/learned, float64(t.Draws)/learned)
	b := r.Memory
	fmt.Fprintf(w, "memory\t%d bits beside the weights' %d: %d a synapse (%d low bits in all), traces %d, drives %d, accumulators %d, errors %d, feedback %d, residuals %d, random %d\n",
		b.Total(), b.Weights, b.PerSynapse, b.LowBits, b.Traces, b.Drives, b.Accumulators, b.Errors, b.Feedback, b.Residuals, b.Random)
	for l, x := range r.Weights {
		fmt.Fprintf(w, "layer %d\tweights of %.1f in the root mean square, %d at an end of their range, %d zero\n", l, x.RMS, x.AtEdge, x.Zero)
	}
	if t := r.Twin; t != nil {
		fmt.Fprintf(w, "float twin\t%d samples, the same class for %s\n", t.Samples, percent(t.SameClass))
		for l, k := range t.Layers {
			fmt.Fprintf(w, "  layer %d\t%s of its updates rounded to 0 here, %s of the others have the same sign; directions so far agree by %.3f; weights differ by %.3f of their size; %s at an end of their range, %s of the float ones beyond\n",
				l, percent(k.Vanished), percent(k.SameSign), k.Direction, k.Difference, percent(k.Saturated), percent(k.Beyond))
		}
	}
	if r.Estimate != nil {
		learnEstimateText(w, r.Estimate)
	}
}
