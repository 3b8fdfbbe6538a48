package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"glsnn/emulator"
	"glsnn/emulator/parity"
	"glsnn/fixedpoint"
	"glsnn/fixedpoint/quantize"
	"glsnn/float"
	"glsnn/float/dataset"
	"glsnn/targets"
)

type quantizeOptions struct {
	network, out string
	bits         string
	budget       float64 // mean bits a synapse; 0 for none
	compensate   bool
	tune         bool
	target       string
	scheme       quantize.Scheme
	percentile   float64
	rounding     string
	data         dataFlags
}

const defaultPercentile = 99.9

func newQuantize(a *app) *cobra.Command {
	o := &quantizeOptions{}
	cmd := &cobra.Command{
		Use:   "quantize",
		Short: "Turn a float network into an integer model",
		Long: `Turn a float network into an integer model.

Weights become integers of --bits bits, one scale a layer; thresholds and decays
are brought to the same scale. Weights that were trained on a grid (train --bits)
are written as they are. With --budget-bits the widths are searched for, layer by
layer, on training samples. Without --target the registers are 32 bits wide
and the model can be exported to any target that can express it exactly; with
it, the model is made for that chip's own formats. For 4 bits and less --compensate
and --tune mostly lose less, the two together least: training samples then say which
roundings and scales keep what the network does. Rates of both networks are
compared on training samples, and a layer that went silent is an error.

On a chip that tests its neurons after every event, and not once a tick, a small
error of a weight can move a spike. For such a target each threshold is the float
one times a factor: of those tried, the one that gets most training samples right.`,
		Example: "  glsnn quantize --bits 8\n  glsnn quantize --bits 4,6,8 --scale percentile --percentile 99.9\n  glsnn quantize --bits 3 --compensate --tune\n  glsnn quantize --budget-bits 4\n  glsnn quantize --bits 8 --target loihi -o loihi.glsnn",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("budget-bits") && !(o.budget > 0) {
				return usage("--budget-bits: got %v, want at least 2 bits", o.budget)
			}
			r, err := a.quantize(cmd.Context(), o)
			if err != nil {
				return err
			}
			return a.result(r, r.text)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.network, "network", defaultNetwork, "float network to read")
	f.StringVarP(&o.out, "out", "o", defaultModel, "model file to write")
	f.StringVar(&o.bits, "bits", "", fmt.Sprintf("weight width, sign included, %d..%d; or one a layer: 8,6,8 (default: 8, or what the network was trained for)", quantize.MinBits, quantize.MaxBits))
	f.Float64Var(&o.budget, "budget-bits", 0, "choose a width for each layer, so that a synapse has at most this many bits in the mean, 2 to 8, or the target's width if that is less")
	f.StringVar(&o.target, "target", "", "quantise in this target's formats: a name of 'glsnn targets list' or a YAML file")
	f.BoolVar(&o.compensate, "compensate", false, "let weights take up each other's rounding errors, so that neurons keep their drive on the training samples; for 4 bits and less")
	f.BoolVar(&o.tune, "tune", false, "try factors on each layer's scale, and keep those with which the model has the least loss on the training samples")
	stringFlag(cmd, &o.scheme, "scale", quantize.MSE, "how a layer's scale is chosen: mse, max or percentile")
	f.Float64Var(&o.percentile, "percentile", defaultPercentile, "for --scale percentile")
	f.StringVar(&o.rounding, "rounding", "nearest_even", "of weights: nearest_even, half_away, half_up, toward_zero or floor")
	o.data.split = "train"
	o.data.register(cmd, "", 500, fmt.Sprintf("training samples for the activity check, 0 skips it; for --budget-bits and the choice of thresholds, %d by default", searchSamples))
	return cmd
}

func parseBits(s string) ([]int, error) {
	var bits []int
	for field := range strings.SplitSeq(s, ",") {
		b, err := strconv.Atoi(strings.TrimSpace(field))
		if err != nil || b < quantize.MinBits || b > quantize.MaxBits {
			return nil, usage("--bits: got %q, want %d..%d, or one a layer separated by commas", s, quantize.MinBits, quantize.MaxBits)
		}
		bits = append(bits, b)
	}
	return bits, nil
}

type quantizeResult struct {
	Model    string               `json:"model"`
	Bits     []int                `json:"bits"`
	Search   *searchResult        `json:"search,omitempty"`
	Target   string               `json:"target"`
	Report   *quantize.Report     `json:"report"`
	Activity []parity.LayerReport `json:"activity"` // float against fixed, on training samples
	Samples  int                  `json:"samples"`
}

func (a *app) quantize(ctx context.Context, o *quantizeOptions) (*quantizeResult, error) {
	bits := []int{8}
	if o.bits != "" {
		var err error
		if bits, err = parseBits(o.bits); err != nil {
			return nil, err
		}
	}
	switch {
	case o.budget != 0 && o.bits != "":
		return nil, usage("--budget-bits: got %v with --bits %s, want one of the two", o.budget, o.bits)
	case o.budget != 0 && o.data.samples == 0:
		return nil, usage("--samples: got 0 with --budget-bits, want samples to search with")
	}
	if o.tune && o.data.samples == 0 {
		return nil, usage("--samples: got 0 with --tune, want samples to try scales on")
	}
	if o.compensate && o.data.samples == 0 {
		return nil, usage("--samples: got 0 with --compensate, want samples to keep the drive of")
	}
	if err := o.data.check(); err != nil {
		return nil, err
	}
	if err := writable(o.out, o.network, o.target, dataFolder(o.data.data)); err != nil {
		return nil, err
	}
	opt := quantize.Options{Bits: bits, Arithmetic: fixedpoint.Wide(), Within: quantize.Portable, Scheme: o.scheme, Percentile: o.percentile}
	if err := opt.Rounding.UnmarshalText([]byte(o.rounding)); err != nil {
		return nil, usage("--rounding: %w", err)
	}
	if o.scheme != quantize.Percentile && o.percentile != defaultPercentile {
		return nil, usage("--percentile: got %v with --scale %s, want --scale percentile", o.percentile, o.scheme)
	}
	if o.target != "" {
		chip, err := targets.Load(o.target)
		if err != nil {
			return nil, err
		}
		if err := chip.Known("arithmetic"); err != nil {
			return nil, err
		}
		opt.Arithmetic = chip.Arithmetic
		opt.Source.Target, opt.Source.Chip = chip.Name, chip.SHA256
	}
	net, hash, err := loadNetwork(o.network)
	if err != nil {
		return nil, err
	}
	if net.Mode != float.Chip {
		return nil, usage("%s: mode: got %s, want chip: layers that pass real numbers have no integer twin; train with --mode chip", o.network, net.Mode)
	}
	if grids := net.Origin.Grids; o.bits == "" && len(grids) > 0 {
		opt.Bits = nil
		for _, g := range grids {
			opt.Bits = append(opt.Bits, g.Bits())
		}
	}
	if len(net.Origin.Grids) > 0 && (o.compensate || o.tune || o.budget != 0) {
		a.say("note: %s was trained on a grid, and its weights are written as they are: --compensate, --tune and --budget-bits change nothing", o.network)
	}
	if o.budget != 0 {
		if err := asFlags(quantize.CheckBudget(opt.Arithmetic, o.budget)); err != nil {
			return nil, err
		}
		opt.Bits = []int{quantize.MinBits} // the search sets them
	}
	if err := asFlags(opt.Validate(net.Layers())); err != nil {
		if most := opt.Arithmetic.Weight.Bits; o.target != "" && slices.Max(opt.Bits) > most {
			return nil, fmt.Errorf("%w: target %s has weights of %d bits", err, opt.Source.Target, most)
		}
		return nil, err
	}
	if err := notInput("-o", o.out, dataFolder(net.Origin.Data.Name)); err != nil {
		return nil, err
	}
	opt.Source.Network, opt.Source.Data, opt.Source.Size = hash, net.Origin.Data.Name, net.Origin.Data.Size
	calibrate := opt.Arithmetic.Update == fixedpoint.PerEvent && o.data.samples != 0
	if calibrate && o.budget != 0 {
		return nil, usage("--budget-bits: got it for target %s, whose thresholds are searched for; want --bits", opt.Source.Target)
	}
	if calibrate && o.tune {
		return nil, usage("--tune: got it for target %s, whose thresholds are searched for instead", opt.Source.Target)
	}
	var set *dataset.Set
	if o.data.samples != 0 {
		if (calibrate || o.compensate || o.tune) && !o.data.given() {
			o.data.samples = searchSamples
		}
		if set, err = o.data.load(a, net.Origin.Data, net.Sizes[0]); err != nil {
			return nil, fmt.Errorf("training samples: %w; --samples 0 does without", err)
		}
	}
	if o.compensate {
		if in := slices.Max(net.Sizes[:net.Layers()]); in > maxMoments {
			return nil, usage("--compensate: got a layer of %d inputs, want at most %d: it takes 8 bytes for every two of them", in, maxMoments)
		}
		if opt.Moments, err = net.Moments(ctx, set); err != nil {
			return nil, err
		}
	}
	var search *searchResult
	if o.budget != 0 {
		if search, err = a.searchBits(ctx, net, opt, o); err != nil {
			return nil, err
		}
		opt.Bits = search.bits()
	}
	var model *fixedpoint.Model
	var report *quantize.Report
	switch {
	case o.tune:
		model, report, err = quantize.Tune(net, opt, func(m *fixedpoint.Model) (float64, error) {
			loss, err := a.modelLoss(ctx, m, set)
			return -loss, err
		})
	case calibrate:
		model, report, err = quantize.Calibrate(net, opt, func(m *fixedpoint.Model) (float64, error) {
			_, correct, err := a.runModel(ctx, m, set, emulator.RunOptions{Workers: a.jobs})
			return float64(correct), err
		})
	default:
		model, report, err = quantize.Quantize(net, opt)
	}
	if err != nil {
		var re *fixedpoint.RangeError
		if o.target != "" && errors.As(err, &re) {
			return nil, withCode(exitNoFit, err)
		}
		return nil, err
	}
	r := &quantizeResult{Model: o.out, Bits: opt.Bits, Search: search, Target: opt.Source.Target, Report: report, Activity: []parity.LayerReport{}}
	if o.data.samples != 0 {
		m := a.meter("quantize", "samples", set.Len(), 0)
		p, err := parity.Compare(ctx, net, model, set, set.Len(), a.jobs, m.at)
		m.clear()
		if err != nil {
			return nil, err
		}
		if err := p.CheckActivity(); err != nil {
			return nil, err
		}
		r.Activity, r.Samples = p.Layers, set.Len()
		for _, l := range p.Layers {
			if calibrate {
				continue // rates part with the thresholds, on purpose
			}
			if l.FixedRate < 0.75*l.FloatRate || l.FixedRate > 1.25*l.FloatRate {
				a.say("layer %d: rate %.4f in float, %.4f as integers; more --bits, another --scale or --rounding nearest_even may keep it", l.Layer, l.FloatRate, l.FixedRate)
			}
		}
	}
	for l, lr := range report.Layers {
		if share := float64(lr.Clipped) / float64(lr.Weights); share > 0.001 {
			a.say("layer %d: %.2f %% of the weights are clipped", l, 100*share)
		}
		if !lr.NeverOverflow {
			a.say("layer %d: some input could overflow a register (%d bits for the sum, %d for the current, %d for the membrane); 'glsnn emulate' counts it", l, lr.SumBits, lr.CurrentBits, lr.MembraneBits)
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return r, model.Save(o.out)
}

// maxMoments is the widest layer whose moments are kept: 512 MB.
const maxMoments = 1 << 13

// modelLoss is a model's loss on the samples of set, eq. 4's mean over them: the sum
// of (S_out - S_T)^2, S_out being real.
func (a *app) modelLoss(ctx context.Context, m *fixedpoint.Model, set *dataset.Set) (float64, error) {
	r, _, err := a.runModel(ctx, m, set, emulator.RunOptions{Workers: a.jobs, KeepScores: true})
	if err != nil {
		return 0, err
	}
	unit := 1 / float64(m.Ticks)
	if last := m.Layers[len(m.Layers)-1]; last.Integrator {
		unit *= math.Ldexp(last.Scale, -last.WeightExp)
	}
	loss := 0.0
	for i, scores := range r.Scores {
		for k, s := range scores {
			e := float64(float64(s) * unit)
			if k == int(set.Labels[i]) {
				e--
			}
			loss += float64(e * e)
		}
	}
	return loss / float64(set.Len()), nil
}

func (r *quantizeResult) text(w io.Writer) {
	if r.Search != nil {
		r.Search.text(w)
	}
	fmt.Fprintln(w, "layer\tbits\tscale\texp\tthreshold\tclipped\tzeroed\trms error\twidths sum/u/v\trate float\trate fixed")
	for l, x := range r.Report.Layers {
		rates := "-\t-"
		for _, act := range r.Activity {
			if act.Layer == l {
				rates = fmt.Sprintf("%.4f\t%.4f", act.FloatRate, act.FixedRate)
			}
		}
		threshold := "never"
		if x.Threshold != 0 {
			threshold = strconv.FormatInt(x.Threshold, 10)
			if x.Factor != 1 {
				threshold += fmt.Sprintf(" (x %g)", x.Factor)
			}
		}
		fmt.Fprintf(w, "%d\t%d\t%.4g\t%d\t%s\t%d\t%d\t%.1f %%\t%d/%d/%d\t%s\n", l, x.Bits, x.Scale, x.WeightExp, threshold, x.Clipped, x.Zeroed,
			100*x.RMSError/x.RMSWeight, x.SumBits, x.CurrentBits, x.MembraneBits, rates)
	}
	fmt.Fprintf(w, "wrote %s\n", r.Model)
}
