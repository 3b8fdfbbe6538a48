package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"glsnn/float"
	"glsnn/float/dataset"
	"glsnn/float/encode"
)

// trainOptions are the flags of train.
type trainOptions struct {
	target     string
	data       string
	size       int
	samples    int
	hidden     string
	out        string
	checkpoint string
	resume     bool
	from       string
	net        float.Config
	train      float.TrainConfig
}

// Enumerations are plain strings to pflag.
func stringFlag[T ~string](cmd *cobra.Command, p *T, name string, value T, help string) {
	cmd.Flags().Var((*enumValue[T])(set(p, value)), name, help)
}

type enumValue[T ~string] struct{ p *T }

func set[T ~string](p *T, v T) *enumValue[T] { *p = v; return &enumValue[T]{p} }

func (e *enumValue[T]) String() string {
	if e.p == nil {
		return ""
	}
	return string(*e.p)
}
func (e *enumValue[T]) Set(s string) error { *e.p = T(s); return nil }
func (e *enumValue[T]) Type() string       { return "string" }

func newTrain(a *app) *cobra.Command {
	o := &trainOptions{}
	cmd := &cobra.Command{
		Use:   "train",
		Short: "Train a float GLSNN",
		Long: `Train a float GLSNN and write it to a file.

A checkpoint is written after every epoch and when interrupted; --resume goes on
from it and ends in the same bytes as a run that was never stopped. Without
--validate the last epoch is kept and test accuracy is shown after every epoch;
with it, the epoch that does best on the held-out samples is kept and the test
set is looked at once, at the end; --watch-test shows it after every epoch all
the same, and nothing is chosen by it.

A preset gives every flag that is not set a value of a recipe (with --from, the
network's shape, fields and data come before it):` + presetHelp(),
		Example: `  glsnn train --data mnist --hidden 500,500 --epochs 10 --seed 1
  glsnn train --data fashion-mnist --hidden 200,200 --validate 10000
  glsnn train --preset mnist --seed 2
  glsnn train --data mnist --target tinyodin --size 14 --hidden 50
  glsnn train --data mnist --hidden 500,500 --bits 4 --bits-after 5
  glsnn train --from network.glsnn --bits ternary --rate 0.001 -o ternary.glsnn
  glsnn train --data mnist --hidden 256,256,256,256,256 --rule dtp
  glsnn train --data mnist --augment-shift 2 --augment-rotate 10
  glsnn train --data mnist --resume
  glsnn train --data mnist --mode paper --epochs 1`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.train.Preset != "" && !o.resume {
				if err := usePreset(cmd, o.train.Preset); err != nil {
					return err
				}
			}
			if err := o.modeDefaults(cmd); err != nil {
				return err
			}
			r, err := a.train(cmd.Context(), o, cmd.Flags().Changed)
			if err != nil {
				return blamePreset(cmd, o.train.Preset, err)
			}
			return a.result(r, r.text)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.train.Preset, "preset", "", "a recipe, as listed above; flags that are set come before it")
	f.StringVar(&o.target, "target", "", "train inside this target's limits: its reset, decays, read-out, signs and floor where no flag says otherwise, and refused at once where it would not fit")
	f.StringVar(&o.data, "data", "digits", "data set: a name of 'glsnn data list' or a folder of IDX files")
	f.IntVar(&o.size, "size", 0, "pool images down to this side; 0 keeps them")
	f.IntVar(&o.samples, "samples", 0, "train on the first so many samples; 0 for all")
	f.StringVar(&o.hidden, "hidden", "500,500", "neurons of the hidden layers; empty for none")
	f.StringVarP(&o.out, "out", "o", defaultNetwork, "file to write")
	f.StringVar(&o.checkpoint, "checkpoint", "", "checkpoint file (default: the output's name with .ckpt)")
	f.BoolVar(&o.resume, "resume", false, "go on from the checkpoint; other settings come from it, and --epochs may be raised")
	n, t := defaultConfigs(float.Chip)
	o.net, o.train = n, t
	stringFlag(cmd, &o.net.Mode, "mode", n.Mode, "equations: chip (spikes between layers; can be quantised) or paper (eqs 2-6 as printed)")
	f.IntVar(&o.net.Ticks, "ticks", n.Ticks, "window T")
	stringFlag(cmd, &o.net.Encoder, "encoder", n.Encoder, "input spikes: rate or bernoulli")
	f.Uint64Var(&o.net.EncoderSeed, "encoder-seed", 0, "seed of the bernoulli encoder")
	f.IntVar(&o.net.CurrentDecay, "current-decay", n.CurrentDecay, "d of the synaptic current: it keeps (4096-d)/4096 a tick; 4096 is no synaptic current")
	f.IntVar(&o.net.MembraneDecay, "membrane-decay", n.MembraneDecay, "d of the membrane, likewise; 0 is no decay")
	stringFlag(cmd, &o.net.Reset, "reset", n.Reset, "what a spike does to the membrane: zero or subtract")
	stringFlag(cmd, &o.net.Readout, "readout", n.Readout, "output: membrane (integrated, never fires) or count (of spikes)")
	f.BoolVar(&o.net.PerEvent, "per-event", n.PerEvent, "test neurons after every spike that reaches them, and not once a tick")
	f.BoolVar(&o.net.Floor, "floor", n.Floor, "membranes take each weight as it comes and stop at 0, as unsigned ones do")
	stringFlag(cmd, &o.train.Rule, "rule", t.Rule, "how hidden layers get their error: "+float.RuleNames())
	f.IntVar(&o.train.Frozen, "frozen", t.Frozen, "the lowest so many hidden layers get no feedback and keep their starting weights")
	f.Uint64Var(&o.train.Seed, "seed", t.Seed, "seed of weights, feedback, order and starting membranes; with --from that network's own where not set")
	f.IntVar(&o.train.Epochs, "epochs", t.Epochs, "passes over the training set")
	f.IntVar(&o.train.Batch, "batch", t.Batch, "samples a step")
	stringFlag(cmd, &o.train.Optimiser, "optimizer", t.Optimiser, "adam or sgd")
	f.Float64Var(&o.train.Rate, "rate", t.Rate, "learning rate of the weights at the first epoch (eta_w)")
	f.Float64Var(&o.train.RateDecay, "rate-decay", t.RateDecay, "factor on the learning rate after each epoch")
	f.BoolVar(&o.train.RateToZero, "rate-to-zero", t.RateToZero, "let the learning rate fall in a line to 0 at the end of --epochs, beside --rate-decay")
	f.Float64Var(&o.train.TargetRate, "target-rate", t.TargetRate, "eta_t of eq. 5")
	f.Float64Var(&o.train.FeedbackScale, "feedback-scale", t.FeedbackScale, "size of the random feedback weights")
	f.Float64Var(&o.train.FeedbackBias, "feedback-bias", t.FeedbackBias, "size of the random feedback biases")
	f.BoolVar(&o.train.FeedbackSkewed, "feedback-skewed", t.FeedbackSkewed, "draw feedback weights of which few are large and positive, so that neurons fire for few classes: fewer spikes")
	f.Float64Var(&o.train.Window, "window", t.Window, "a neuron learns where its mean drive is within -w..1+w thresholds; negative: always")
	f.Float64Var(&o.train.RandomMembrane, "random-membrane", t.RandomMembrane, "training starts membranes uniformly in 0..this many thresholds")
	f.Float64Var(&o.train.RandomBelow, "random-below", t.RandomBelow, "and from this many thresholds below 0")
	f.Float64Var(&o.train.Gain, "gain", t.Gain, "factor on the orthogonal starting weights")
	f.BoolVar(&o.train.RowSigns, "row-signs", t.RowSigns, "the weights of one input or neuron all have one sign, drawn before training")
	f.StringVar(&o.from, "from", "", "start from the weights of this network file, with its shape, its neurons and, where no flag says otherwise, its data, rule and feedback")
	f.StringVar(&o.train.Bits, "bits", "", fmt.Sprintf("round weights while training, so that quantize loses nothing: to %d..%d bits, or %s (-1, 0, 1), or one a layer: 8,4,%s", float.MinBits, float.MaxBits, float.Ternary, float.Ternary))
	f.IntVar(&o.train.BitsAfter, "bits-after", 0, "epochs in float before --bits begins (default: half of --epochs, none with --from)")
	f.IntVar(&o.train.Fields.Side, "receptive-field", 0, "side of the square of pixels that each neuron of the first layer sees, at a place drawn from the seed; 0 is the whole image")
	f.Float64Var(&o.train.Dropout.Pixels, "dropout-pixels", 0, "probability that training leaves out a pixel of an image for the whole window, anew in each epoch")
	f.Float64Var(&o.train.Dropout.Hidden, "dropout", 0, "probability that it leaves out a hidden neuron, likewise")
	f.Float64Var(&o.train.Augment.Shift, "augment-shift", 0, "shift each training image by up to so many pixels, anew in each epoch")
	f.Float64Var(&o.train.Augment.Rotate, "augment-rotate", 0, "rotate each training image by up to so many degrees (0 to 180), likewise")
	f.IntVar(&o.train.HeldOut, "validate", t.HeldOut, "hold out so many samples at the end of the training set")
	f.BoolVar(&o.train.WatchTest, "watch-test", false, "measure test accuracy after every epoch with --validate too")
	return cmd
}

// defaultConfigs are a mode's settings where flags do not say otherwise.
func defaultConfigs(mode float.Mode) (float.Config, float.TrainConfig) {
	if mode == float.Paper {
		return float.PaperDefaults()
	}
	return float.ChipDefaults()
}

// modeDefaults gives every flag that was not set the chosen mode's default.
func (o *trainOptions) modeDefaults(cmd *cobra.Command) error {
	if o.net.Mode != float.Chip && o.net.Mode != float.Paper {
		return usage("--mode: got %q, want chip or paper", o.net.Mode)
	}
	if o.net.Mode == float.Chip {
		return nil
	}
	n, t := defaultConfigs(o.net.Mode)
	f := cmd.Flags()
	for _, d := range []struct {
		flag string
		set  func()
	}{
		{"ticks", func() { o.net.Ticks = n.Ticks }},
		{"batch", func() { o.train.Batch = t.Batch }},
		{"optimizer", func() { o.train.Optimiser = t.Optimiser }},
		{"rate", func() { o.train.Rate = t.Rate }},
		{"rate-decay", func() { o.train.RateDecay = t.RateDecay }},
		{"target-rate", func() { o.train.TargetRate = t.TargetRate }},
		{"feedback-scale", func() { o.train.FeedbackScale = t.FeedbackScale }},
		{"feedback-bias", func() { o.train.FeedbackBias = t.FeedbackBias }},
		{"gain", func() { o.train.Gain = t.Gain }},
	} {
		if !f.Changed(d.flag) {
			d.set()
		}
	}
	for _, flag := range []string{"encoder", "encoder-seed", "current-decay", "membrane-decay", "reset", "readout", "per-event", "floor", "window", "random-membrane", "random-below", "row-signs", "bits", "bits-after", "from", "dropout", "dropout-pixels", "receptive-field", "feedback-skewed", "rule", "preset"} {
		if f.Changed(flag) {
			return usage("--%s: has no meaning in --mode paper", flag)
		}
	}
	o.net.Encoder, o.net.Reset, o.net.Readout = n.Encoder, n.Reset, n.Readout
	o.net.CurrentDecay, o.net.MembraneDecay = n.CurrentDecay, n.MembraneDecay
	o.train.Window, o.train.RandomMembrane, o.train.RandomBelow = t.Window, t.RandomMembrane, t.RandomBelow
	return nil
}

// parseSizes reads --hidden.
func parseSizes(s string) ([]int, error) {
	if s == "" {
		return nil, nil
	}
	var sizes []int
	for field := range strings.SplitSeq(s, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(field))
		if err != nil || n < 1 || n > maxWidth {
			return nil, usage("--hidden: got %q, want widths of 1..%d separated by commas, such as 500,500", s, maxWidth)
		}
		sizes = append(sizes, n)
	}
	return sizes, nil
}

// Sizes that a network may have: the starting weights of a layer take 8 bytes x
// its longer side squared, a checkpoint of Adam 16 bytes a weight.
const (
	maxWidth   = 1 << 14
	maxWeights = 1 << 27
)

// checkSizes refuses networks that no memory holds, before it is asked for.
func (o *trainOptions) checkSizes(train *dataset.Set) error {
	if train.Classes < 2 {
		return usage("--data %s: classes: got %d, want at least 2", o.data, train.Classes)
	}
	if o.net.Sizes[0] > maxWidth {
		return usage("--data %s: pixels: got %d x %d, want at most %d; --size pools images down", o.data, train.Rows, train.Cols, maxWidth)
	}
	weights := 0
	for l := range o.net.Layers() {
		weights += o.net.Sizes[l] * o.net.Sizes[l+1]
	}
	if weights > maxWeights {
		return usage("--hidden: got %q, which makes %d weights, want at most %d", o.hidden, weights, maxWeights)
	}
	return asFlags(o.net.Validate())
}

// trainResult is what train prints.
type trainResult struct {
	Network            string   `json:"network"`
	Data               string   `json:"data"`
	Sizes              []int    `json:"sizes"`
	Parameters         int      `json:"parameters"`
	Epochs             int      `json:"epochs"`
	KeptEpoch          int      `json:"kept_epoch"`
	TrainSamples       int      `json:"train_samples"`
	TrainAccuracy      float64  `json:"train_accuracy"`
	ValidationAccuracy *float64 `json:"validation_accuracy,omitempty"`
	Accuracy           float64  `json:"accuracy"`
	BestAccuracy       *float64 `json:"best_accuracy,omitempty"` // on the test set, of all epochs, if measured after each
	BestEpoch          int      `json:"best_epoch,omitempty"`
	Samples            int      `json:"samples"`
}

func (r *trainResult) text(w io.Writer) {
	fmt.Fprintf(w, "network\t%s (%s, %d weights)\n", r.Network, joinInts(r.Sizes, "-"), r.Parameters)
	fmt.Fprintf(w, "trained\t%d epochs of %d samples of %s, epoch %d kept\n", r.Epochs, r.TrainSamples, r.Data, r.KeptEpoch)
	fmt.Fprintf(w, "train accuracy\t%s\tmean over the kept epoch, while it learned\n", percent(r.TrainAccuracy))
	if r.ValidationAccuracy != nil {
		fmt.Fprintf(w, "validation accuracy\t%s\n", percent(*r.ValidationAccuracy))
	}
	fmt.Fprintf(w, "test accuracy\t%s of %d samples\n", percent(r.Accuracy), r.Samples)
	if r.BestAccuracy != nil {
		fmt.Fprintf(w, "best of all epochs\t%s on the same samples, after epoch %d\n", percent(*r.BestAccuracy), r.BestEpoch)
	}
}

func joinInts(x []int, sep string) string {
	s := make([]string, len(x))
	for i, v := range x {
		s[i] = strconv.Itoa(v)
	}
	return strings.Join(s, sep)
}

// train trains by o and writes network and checkpoint. changed says which
// flags the user gave, for --resume.
func (a *app) train(ctx context.Context, o *trainOptions, changed func(flag string) bool) (*trainResult, error) {
	if o.checkpoint == "" {
		o.checkpoint = o.out + ".ckpt"
	}
	hidden, err := parseSizes(o.hidden)
	if err != nil {
		return nil, err
	}
	if o.samples < 0 {
		return nil, usage("--samples: got %d, want 0 (all) or more", o.samples)
	}
	if changed("encoder-seed") && !o.resume && o.from == "" && o.net.Encoder != encode.Bernoulli {
		return nil, usage("--encoder-seed: has no meaning with --encoder %s, which draws nothing", o.net.Encoder)
	}
	var from *float.Network
	if o.from != "" {
		if from, changed, err = o.startFrom(hidden, changed); err != nil {
			return nil, err
		}
		hidden = from.Sizes[1 : len(from.Sizes)-1]
	} else if o.train.Bits != "" && !changed("bits-after") {
		o.train.BitsAfter = o.train.Epochs / 2
	}
	check, checkTrain := o.net, o.train
	check.Sizes = []int{1, 2} // the real ones come with the data
	if o.resume {
		checkTrain.Bits, checkTrain.BitsAfter = "", 0 // these go with the checkpoint's other settings
	}
	if err := asFlags(errors.Join(check.Validate(), checkTrain.Validate())); err != nil {
		return nil, err
	}
	if changed("feedback-skewed") && o.train.FeedbackSkewed && !o.resume {
		least := map[float.Rule]int{float.GLSNN: 2, float.DFA: 1}[o.train.Rule] // eq. 5 has no random feedback
		if least == 0 {
			return nil, usage("--feedback-skewed: has no meaning with --rule %s, which does not draw feedback from the output", o.train.Rule)
		}
		if len(hidden) < least {
			return nil, usage("--feedback-skewed: has no meaning with %d hidden layers, want %d or more: the others get no random feedback", len(hidden), least)
		}
	}
	folder := dataFolder(o.data)
	if err := writable(o.out, folder, o.from); err != nil {
		return nil, err
	}
	if err := flagWritable("--checkpoint", o.checkpoint, folder, o.from); err != nil {
		return nil, err
	}
	if contains(o.checkpoint, o.out) {
		return nil, usage("--checkpoint: got %s, which -o writes; want another name", o.checkpoint)
	}
	var ckpt *float.Checkpoint
	if o.resume {
		if ckpt, err = loadCheckpoint(o.checkpoint); err != nil {
			return nil, err
		}
		if err := o.agrees(ckpt, hidden, changed); err != nil {
			return nil, err
		}
		hidden = ckpt.Config.Sizes[1 : len(ckpt.Config.Sizes)-1]
	}
	train, test, err := loadData(a, o.data, o.size, "")
	if err != nil {
		return nil, err
	}
	if o.samples > train.Len() {
		return nil, usage("--samples: got %d, want at most the training set's %d", o.samples, train.Len())
	}
	if o.samples > 0 {
		train = train.Slice(0, o.samples)
	}
	o.net.Sizes = slices.Concat([]int{train.Rows * train.Cols}, hidden, []int{train.Classes})
	if err := o.checkSizes(train); err != nil {
		return nil, err
	}
	if from != nil && !slices.Equal(from.Sizes, o.net.Sizes) {
		return nil, usage("--from %s: got %s, want the %d pixels and %d classes of --data %s", o.from, joinInts(from.Sizes, "-"), train.Rows*train.Cols, train.Classes, o.data)
	}
	if hidden := o.net.Layers() - 1; o.train.Frozen > 0 && o.train.Frozen >= hidden {
		return nil, usage("--frozen: got %d, want less than the %d hidden layers", o.train.Frozen, hidden)
	}
	if _, err := float.ParseGrids(o.train.Bits, o.net.Layers()); err != nil {
		return nil, asFlags(err)
	}
	if err := asFlags(o.train.Fits(o.net)); err != nil {
		return nil, err
	}
	if err := cmp.Or(o.train.Fields.Fits(train.Rows, train.Cols), o.train.Augment.Fits(train.Rows, train.Cols)); err != nil {
		return nil, asFlags(err)
	}
	if o.train.Fields.Side > 0 && o.net.Layers() < 2 {
		return nil, usage("--receptive-field: got %d with --hidden \"\", want 0", o.train.Fields.Side)
	}
	if o.train.HeldOut >= train.Len() {
		return nil, usage("--validate: got %d, want less than the %d training samples", o.train.HeldOut, train.Len())
	}
	var t *float.Trainer
	if ckpt != nil {
		if o.target != "" {
			if err := a.stillFits(*o, changed); err != nil {
				return nil, err
			}
		}
		if t, err = ckpt.Resume(train, o.train.Epochs); err != nil {
			return nil, err
		}
		a.say("resumed after %d epochs and %d samples", ckpt.Epoch, ckpt.Done)
	} else {
		if o.target != "" {
			if err := a.fitTarget(o, changed); err != nil {
				return nil, err
			}
			if err := asFlags(o.train.Fits(o.net)); err != nil {
				return nil, fmt.Errorf("target %s: %w", o.target, err)
			}
		}
		net := from
		if net == nil {
			if net, err = float.NewNetwork(o.net, o.train.Seed, o.train.Gain); err != nil {
				return nil, err
			}
		}
		net.Origin.Data = float.DataRef{Name: o.data, Size: o.size, Samples: o.samples, Hash: train.Hash()}
		if t, err = float.NewTrainer(net, o.train, train); err != nil {
			return nil, err
		}
	}
	t.Workers = a.jobs
	if err := a.runTrainer(ctx, t, test, o.checkpoint, ckpt != nil); err != nil {
		return nil, err
	}
	net := t.Result()
	if err := net.Save(o.out); err != nil {
		return nil, err
	}
	return a.summary(ctx, t, net, test, o)
}

// runTrainer runs t with progress and checkpoints; resumed says that the one there
// is t's.
func (a *app) runTrainer(ctx context.Context, t *float.Trainer, test *dataset.Set, checkpoint string, resumed bool) error {
	perEpoch := t.Samples()
	base := t.Epoch*perEpoch + t.Done
	m := a.meter("train", "samples", t.Config.Epochs*perEpoch, base)
	if !resumed {
		if err := a.keepEarlier(checkpoint, func() bool {
			c, err := float.LoadCheckpoint(checkpoint)
			return err != nil || c.Epoch > 0 || c.Done > 0
		}); err != nil {
			return err
		}
	}
	// The state before the first batch is a checkpoint too: it shows at once
	// whether the file can be written.
	if err := t.Save(checkpoint); err != nil {
		return err
	}
	err := t.Run(ctx, float.Hooks{
		OnBatch: func(epoch, done, _ int) { m.at(epoch*perEpoch + done) },
		OnEpoch: func(s *float.EpochStats) error {
			if t.Config.HeldOut == 0 || t.Config.WatchTest {
				e, err := t.Net.Evaluate(ctx, test, t.Workers, nil)
				if err != nil {
					return float.ErrInterrupted
				}
				acc := e.Accuracy()
				s.Test = &acc
			}
			m.clear()
			line := fmt.Sprintf("epoch %d/%d: loss %.4f, train %s", s.Epoch, t.Config.Epochs, s.TrainLoss, percent(s.TrainAccuracy))
			if s.Validation != nil {
				line += ", validation " + percent(*s.Validation)
			}
			if s.Test != nil {
				line += ", test " + percent(*s.Test)
			}
			a.say("%s, rates %.3f", line, s.SpikeRate)
			return nil
		},
		AfterEpoch: func() error { return t.Save(checkpoint) },
	})
	m.clear()
	if errors.Is(err, float.ErrInterrupted) {
		if err := t.Save(checkpoint); err != nil {
			return err
		}
		a.say("saved %s after %d epochs and %d samples; go on with --resume", checkpoint, t.Epoch, t.Done)
	}
	return err
}

func (a *app) summary(ctx context.Context, t *float.Trainer, net *float.Network, test *dataset.Set, o *trainOptions) (*trainResult, error) {
	kept := net.Origin.History[net.Origin.KeptEpoch-1]
	for l, rate := range kept.SpikeRate {
		if rate == 0 {
			a.say("note: layer %d never fires, so nothing passes it; try more --epochs, a smaller --batch or a larger --gain", l)
		}
	}
	r := &trainResult{
		Network: o.out, Data: o.data, Sizes: net.Sizes, Parameters: net.Parameters(), Epochs: t.Epoch, KeptEpoch: net.Origin.KeptEpoch,
		TrainSamples: t.Samples(), TrainAccuracy: kept.TrainAccuracy, ValidationAccuracy: kept.Validation, Samples: test.Len(),
	}
	for _, e := range net.Origin.History {
		if e.Test == nil { // a checkpoint of before WatchTest was kept
			r.BestAccuracy, r.BestEpoch = nil, 0
			break
		}
		if r.BestAccuracy == nil || *e.Test > *r.BestAccuracy {
			r.BestAccuracy, r.BestEpoch = e.Test, e.Epoch
		}
	}
	if kept.Test != nil {
		r.Accuracy = *kept.Test
		return r, nil
	}
	m := a.meter("test", "samples", test.Len(), 0)
	e, err := net.Evaluate(ctx, test, a.jobs, m.at)
	m.clear()
	if err != nil {
		return nil, err
	}
	r.Accuracy = e.Accuracy()
	return r, nil
}

// startFrom takes o's shape and neurons, and its data where no flag names them,
// from the network to start from, and refuses flags that say something else. It
// returns changed with the neurons' flags among those given.
func (o *trainOptions) startFrom(hidden []int, changed func(string) bool) (*float.Network, func(string) bool, error) {
	if o.resume {
		return nil, nil, usage("--from: has no meaning with --resume, which goes on from the checkpoint's weights")
	}
	for _, flag := range []string{"gain", "receptive-field"} {
		if changed(flag) {
			return nil, nil, usage("--%s: has no meaning with --from, which has weights to start from", flag)
		}
	}
	net, hash, err := float.LoadNetwork(o.from)
	if err != nil {
		return nil, nil, fileFault(err, o.from, "--from", "glsnn train")
	}
	if net.Mode != float.Chip {
		return nil, nil, usage("--from %s: mode: got %s, want %s", o.from, net.Mode, float.Chip)
	}
	differ := func(flag string, got, want any) error {
		return usage("--%s: got %v, and %s was made with %v; leave the flag out, or --from", flag, got, o.from, want)
	}
	if was := net.Sizes[1 : len(net.Sizes)-1]; changed("hidden") && !slices.Equal(hidden, was) {
		return nil, nil, differ("hidden", o.hidden, joinInts(was, ","))
	}
	neurons := o.neurons(net.Config)
	for _, s := range neurons {
		if changed(s.flag) && s.got != s.want {
			return nil, nil, differ(s.flag, s.got, s.want)
		}
	}
	o.net, o.train.From = net.Config, hash
	was := net.Origin.Train
	o.train.Fields = was.Fields // its zeros stay
	if !changed("seed") {
		o.train.Seed = was.Seed // of the feedback that its weights have come to agree with
	}
	if !changed("rule") {
		o.train.Rule = cmp.Or(was.Rule, float.GLSNN)
	}
	if !changed("feedback-scale") {
		o.train.FeedbackScale = was.FeedbackScale
	}
	if !changed("feedback-bias") {
		o.train.FeedbackBias = was.FeedbackBias
	}
	if !changed("feedback-skewed") {
		o.train.FeedbackSkewed = was.FeedbackSkewed
	}
	if ref := net.Origin.Data; !changed("data") {
		o.data = ref.Name
		if !changed("size") {
			o.size = ref.Size
		}
		if !changed("samples") {
			o.samples = ref.Samples
		}
	}
	return net, func(flag string) bool {
		return changed(flag) || slices.ContainsFunc(neurons, func(s setting) bool { return s.flag == flag })
	}, nil
}

// setting is a flag's value, and that of the file that training goes on from.
type setting struct {
	flag      string
	got, want any
}

// neurons are the flags that make a network's neurons.
func (o *trainOptions) neurons(was float.Config) []setting {
	n := o.net
	return []setting{
		{"mode", n.Mode, was.Mode}, {"ticks", n.Ticks, was.Ticks}, {"encoder", n.Encoder, was.Encoder},
		{"encoder-seed", n.EncoderSeed, was.EncoderSeed}, {"current-decay", n.CurrentDecay, was.CurrentDecay},
		{"membrane-decay", n.MembraneDecay, was.MembraneDecay}, {"reset", n.Reset, was.Reset}, {"readout", n.Readout, was.Readout},
		{"per-event", n.PerEvent, was.PerEvent}, {"floor", n.Floor, was.Floor},
	}
}

// agrees takes o's settings from the checkpoint, and refuses flags that say
// something else.
func (o *trainOptions) agrees(c *float.Checkpoint, hidden []int, changed func(string) bool) error {
	was, wasTrain := c.Config, c.Train
	differ := func(flag string, got, want any) error {
		with := fmt.Sprint("with ", want)
		if want == "" {
			with = "without"
		}
		return usage("--%s: got %v, and %s was made %s; leave the flag out, or start anew without --resume", flag, got, o.checkpoint, with)
	}
	if changed("hidden") && !slices.Equal(hidden, was.Sizes[1:len(was.Sizes)-1]) {
		return differ("hidden", o.hidden, joinInts(was.Sizes[1:len(was.Sizes)-1], ","))
	}
	t := o.train
	for _, s := range append(o.neurons(was), []setting{
		{"data", o.data, c.Data.Name}, {"size", o.size, c.Data.Size}, {"samples", o.samples, c.Data.Samples},
		{"rule", t.Rule, cmp.Or(wasTrain.Rule, float.GLSNN)}, {"frozen", t.Frozen, wasTrain.Frozen},
		{"seed", t.Seed, wasTrain.Seed}, {"batch", t.Batch, wasTrain.Batch}, {"optimizer", t.Optimiser, wasTrain.Optimiser},
		{"rate", t.Rate, wasTrain.Rate}, {"rate-decay", t.RateDecay, wasTrain.RateDecay}, {"target-rate", t.TargetRate, wasTrain.TargetRate},
		{"feedback-scale", t.FeedbackScale, wasTrain.FeedbackScale}, {"feedback-bias", t.FeedbackBias, wasTrain.FeedbackBias},
		{"feedback-skewed", t.FeedbackSkewed, wasTrain.FeedbackSkewed},
		{"window", t.Window, wasTrain.Window}, {"random-membrane", t.RandomMembrane, wasTrain.RandomMembrane},
		{"random-below", t.RandomBelow, wasTrain.RandomBelow},
		{"gain", t.Gain, wasTrain.Gain}, {"row-signs", t.RowSigns, wasTrain.RowSigns}, {"validate", t.HeldOut, wasTrain.HeldOut}, {"watch-test", t.WatchTest, wasTrain.WatchTest},
		{"bits", t.Bits, wasTrain.Bits}, {"bits-after", t.BitsAfter, wasTrain.BitsAfter},
		{"augment-shift", t.Augment.Shift, wasTrain.Augment.Shift}, {"augment-rotate", t.Augment.Rotate, wasTrain.Augment.Rotate},
		{"rate-to-zero", t.RateToZero, wasTrain.RateToZero}, {"dropout", t.Dropout.Hidden, wasTrain.Dropout.Hidden},
		{"dropout-pixels", t.Dropout.Pixels, wasTrain.Dropout.Pixels}, {"preset", t.Preset, wasTrain.Preset},
		{"receptive-field", t.Fields.Side, wasTrain.Fields.Side},
	}...) {
		if changed(s.flag) && s.got != s.want {
			return differ(s.flag, s.got, s.want)
		}
	}
	epochs := wasTrain.Epochs
	if changed("epochs") {
		if o.train.Epochs < c.Epoch {
			return usage("--epochs: got %d, and %s has finished %d", o.train.Epochs, o.checkpoint, c.Epoch)
		}
		if epochs = o.train.Epochs; wasTrain.RateToZero && epochs != wasTrain.Epochs {
			return usage("--epochs: got %d, and the learning rate of %s comes to 0 after %d", epochs, o.checkpoint, wasTrain.Epochs)
		}
	}
	o.net, o.train = was, wasTrain
	o.train.Epochs = epochs
	o.data, o.size, o.samples = c.Data.Name, c.Data.Size, c.Data.Samples
	return nil
}
