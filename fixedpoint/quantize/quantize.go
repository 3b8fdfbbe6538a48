// Package quantize turns a float network into a fixedpoint.Model in the
// contract of a chip. It is the one place where a real number becomes an
// integer: each weight is rounded once, from the float; thresholds, decays and
// resets are brought to the same scale; and the widths that the result needs
// are proved, not guessed.
//
// A layer's raw unit is Scale/2^WeightExp: a stored weight w stands for
// w x Scale and adds w << WeightExp to the membrane, whose threshold 1 is
// therefore 2^WeightExp/Scale (times the decay's share of the input where the
// membrane moves toward it). The scale is nudged so that this is a whole
// multiple of the target's threshold step: the threshold itself loses nothing.
//
// At 4 bits and less, rounding every weight to its nearest level shifts what neurons
// are driven by. Options.Moments lets weights take up each other's errors, and Tune
// finds scales by trying them. Points lost by 784-500-500-10 (98.09 % in float; mean
// of three seeds, 10 000 test images):
//
//	                            4 bits  3     2 (ternary)
//	rounding alone              0.08    1.34  22.65
//	with moments                0.06    0.35   3.44
//	with moments and Tune       0.05    0.16   0.73
//
// A network that was trained on grids (float.Grid) is written on them as long as
// the width asked for holds them: no weight is rounded again. Its scale stays as
// it is, and the threshold is the last level that float's threshold 1 lets pass
// without a spike, so that without decays and with reset to zero both networks
// fire the same spikes.
//
// Where the contract tests after every event, so should the float network
// (float.Config.PerEvent). One that sums the spikes of a tick first is an
// approximation: a membrane may cross the threshold between two events of a tick,
// several times, and be below it at the end. And a weight's error that is small
// in a tick's sum may decide between two events. Which threshold serves best is
// found by trying: see Calibrate.
package quantize

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"glsnn/fixedpoint"
	"glsnn/float"
)

// Scheme says how a layer's scale is chosen.
type Scheme string

const (
	Max        Scheme = "max"        // the largest magnitude is the largest integer: nothing is clipped
	Percentile Scheme = "percentile" // the given percentile of the magnitudes is: the tail is clipped
	MSE        Scheme = "mse"        // least squared error of the weights, over clips of 2 to 100 % of the maximum
)

// Schemes lists every scheme.
func Schemes() []Scheme { return []Scheme{MSE, Max, Percentile} }

// MinBits and MaxBits bound a weight's width, sign included where each weight
// has its own. Two such bits are ternary: the range is symmetric, -(2^(b-1)-1)
// to 2^(b-1)-1. Where the sign is the in-axon's it is -(2^b-1) to 2^b-1.
const (
	MinBits = 2
	MaxBits = 16
)

// Options are the quantiser's choices.
type Options struct {
	Bits       []int // one for all layers, or one a layer
	Arithmetic fixedpoint.Arithmetic
	Scheme     Scheme
	Percentile float64 // for Percentile, in 50..100
	Rounding   fixedpoint.RoundMode
	Source     fixedpoint.Source
	// Within are widths to stay inside where an exponent allows it, beside the
	// arithmetic's own; the zero value asks for nothing.
	Within Widths
	// Moments, if not nil, are those of each layer's inputs on some samples, [in][in]:
	// float.Network.Moments. Roundings then make up for each other; see compensation.
	Moments [][]float64
	// Scales are factors on the scales that Scheme chooses, one a layer; nil is 1 for
	// all. See Tune.
	Scales []float64
	// Thresholds are factors on the float thresholds, one a layer; nil is 1 for
	// all. See Calibrate.
	Thresholds []float64
}

// threshold is layer l's factor.
func (o *Options) threshold(l int) float64 {
	if o.Thresholds == nil {
		return 1
	}
	return o.Thresholds[l]
}

// Widths are register widths in bits, sign included; 0 is any.
type Widths struct{ Sum, Current, Membrane int }

// Portable are the widths of the narrowest registers among the shipped targets
// with 8-bit weights (Loihi's sum has 21 bits and sign, its states 23 and sign):
// a model whose bounds stay inside them can be exported to any of those that
// has its decays and reset.
var Portable = Widths{Sum: 22, Current: 24, Membrane: 24}

func (w Widths) hold(b fixedpoint.LayerBounds) bool {
	fits := func(width int, i fixedpoint.Interval) bool { return width == 0 || i.Bits() <= width }
	return fits(w.Sum, b.Sum) && fits(w.Current, b.Current) && fits(w.Membrane, b.Membrane)
}

// Validate reports every choice that cannot be, for a network of layers weight
// layers.
func (o Options) Validate(layers int) error {
	var errs []error
	if len(o.Bits) != 1 && len(o.Bits) != layers {
		errs = append(errs, fmt.Errorf("bits: got %d widths, want one, or one for each of the %d layers", len(o.Bits), layers))
	}
	for _, b := range o.Bits {
		if !o.Arithmetic.Weight.Signed && o.Arithmetic.Weight.Bits < MinBits {
			errs = append(errs, fmt.Errorf("bits: got %d, and the target has unsigned weights of %d", b, o.Arithmetic.Weight.Bits))
		} else if b < MinBits || b > min(MaxBits, o.Arithmetic.Weight.Bits) {
			errs = append(errs, fmt.Errorf("bits: got %d, want %d..%d", b, MinBits, min(MaxBits, o.Arithmetic.Weight.Bits)))
		}
	}
	if !slices.Contains(fixedpoint.RoundModes(), o.Rounding) {
		errs = append(errs, fmt.Errorf("rounding: got %s, want one of %v", o.Rounding, fixedpoint.RoundModes()))
	}
	if !slices.Contains(Schemes(), o.Scheme) {
		names := []string{}
		for _, s := range Schemes() {
			names = append(names, string(s))
		}
		errs = append(errs, fmt.Errorf("scale: got %q, want one of %s", o.Scheme, strings.Join(names, ", ")))
	}
	for _, f := range []struct {
		field   string
		factors []float64
	}{{"scales", o.Scales}, {"thresholds", o.Thresholds}} {
		if n := len(f.factors); f.factors != nil && n != layers {
			errs = append(errs, fmt.Errorf("%s: got %d factors, want one for each of the %d layers", f.field, n, layers))
		}
		for l, x := range f.factors {
			if !(x > 0) || math.IsInf(x, 1) {
				errs = append(errs, fmt.Errorf("%s[%d]: got %v, want a finite factor above 0", f.field, l, x))
			}
		}
	}
	if o.Scheme == Percentile && !(o.Percentile >= 50 && o.Percentile <= 100) {
		errs = append(errs, fmt.Errorf("percentile: got %v, want 50..100", o.Percentile))
	}
	return errors.Join(errs...)
}

// Report says what quantising did to each layer.
type Report struct {
	Layers []LayerReport `json:"layers"`
}

// LayerReport is one layer's losses and widths.
type LayerReport struct {
	Bits          int     `json:"bits"`
	OnGrid        bool    `json:"on_grid"` // trained on this grid: written as it is
	Weights       int     `json:"weights"`
	Scale         float64 `json:"scale"` // real = weight x scale
	WeightExp     int     `json:"weight_exp"`
	Threshold     int64   `json:"threshold"`        // raw; 0 for a read-out that never fires
	Factor        float64 `json:"threshold_factor"` // of Options.Thresholds
	Clipped       int     `json:"clipped"`          // beyond the largest integer before clipping
	Zeroed        int     `json:"zeroed"`           // not zero in float, zero as integers
	Zero          int     `json:"zero"`             // zero as integers in all
	RMSError      float64 `json:"rms_error"`        // of the weights, in real units
	RMSWeight     float64 `json:"rms_weight"`
	SumBits       int     `json:"sum_bits"` // proved widths, sign included
	CurrentBits   int     `json:"current_bits"`
	MembraneBits  int     `json:"membrane_bits"`
	NeverOverflow bool    `json:"never_overflows"` // all three fit the target's registers, whatever the input
}

// Quantize writes net in o.Arithmetic. It fails, naming the layer and what to
// try, where the arithmetic cannot express the neuron, where a whole layer or a
// constant rounds to zero, and where a read-out membrane could reach the
// highest threshold.
func Quantize(net *float.Network, o Options) (*fixedpoint.Model, *Report, error) {
	if net.Mode != float.Chip {
		return nil, nil, fmt.Errorf("network: mode: got %s, want chip: layers that pass real numbers have no integer twin", net.Mode)
	}
	if err := errors.Join(o.Arithmetic.Validate(), o.Validate(net.Layers())); err != nil {
		return nil, nil, err
	}
	if net.PerEvent && o.Arithmetic.Update != fixedpoint.PerEvent {
		return nil, nil, &fixedpoint.RangeError{Field: "update", Msg: fmt.Sprintf("got neurons tested after every spike, and the target tests %s; train without --per-event, or name a target that does", o.Arithmetic.Update)}
	}
	m := fixedpoint.Model{
		Arithmetic: o.Arithmetic,
		Ticks:      net.Ticks,
		Encoding:   fixedpoint.Encoding{Kind: string(net.Encoder), Seed: net.EncoderSeed},
		Readout:    fixedpoint.ReadMembrane,
		Source:     o.Source,
	}
	if net.Readout == float.ReadCount {
		m.Readout = fixedpoint.ReadCount
	}
	report := &Report{}
	var errs []error
	for l := range net.Layers() {
		layer, lr, err := quantizeLayer(net, l, o)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		m.Layers = append(m.Layers, layer)
		report.Layers = append(report.Layers, lr)
	}
	if len(errs) > 0 {
		return nil, nil, errors.Join(errs...)
	}
	model, err := fixedpoint.NewModel(m)
	return model, report, err
}

// minThresholdSteps is how coarse a threshold may become before a wider scale
// is given up: below it, one step would be more than an eighth.
const minThresholdSteps = 8

func quantizeLayer(net *float.Network, l int, o Options) (fixedpoint.Layer, LayerReport, error) {
	fail := func(field, format string, args ...any) (fixedpoint.Layer, LayerReport, error) {
		return fixedpoint.Layer{}, LayerReport{}, &fixedpoint.RangeError{Field: fmt.Sprintf("layer %d: %s", l, field), Msg: fmt.Sprintf(format, args...)}
	}
	a := o.Arithmetic
	bits := o.Bits[0]
	if len(o.Bits) > 1 {
		bits = o.Bits[l]
	}
	weights := net.Weights[l]
	largest := 0.0
	for i, w := range weights {
		if math.IsNaN(float64(w)) || math.IsInf(float64(w), 0) {
			return fail(fmt.Sprintf("weights[%d][%d]", i/net.Sizes[l+1], i%net.Sizes[l+1]), "got %v, want a finite number", w)
		}
		largest = max(largest, math.Abs(float64(w)))
	}
	if largest == 0 {
		return fail("weights", "all %d are zero in the float network; train it first", len(weights))
	}
	reset := fixedpoint.ResetZero
	if net.Reset == float.ResetSubtract {
		reset = fixedpoint.ResetSubtract
	}
	layer, err := a.Neutral(reset) // the float neuron has no leak and no negative threshold
	if err != nil {
		return fail("target", "%v", err)
	}
	layer.In, layer.Out, layer.WeightBits, layer.Integrator = net.Sizes[l], net.Sizes[l+1], bits, net.Integrates(l)
	if layer.CurrentDecay, err = currentDecay(a.Current, net.CurrentDecay); err != nil {
		return fail("current_decay", "%v", err)
	}
	if layer.MembraneDecay, err = decay(a.Membrane.Decay, net.LayerDecay(l), "--membrane-decay"); err != nil {
		return fail("membrane_decay", "%v", err)
	}
	if !layer.Integrator && !slices.Contains(a.Fire.Resets, layer.Reset) {
		for _, r := range []fixedpoint.Reset{fixedpoint.ResetZero, fixedpoint.ResetSubtract} {
			if slices.Contains(a.Fire.Resets, r) {
				return fail("reset", "got %s, the target has %v; train with --reset %s", layer.Reset, a.Fire.Resets, r)
			}
		}
		return fail("reset", "got %s, the target has %v, which no network is trained for", layer.Reset, a.Fire.Resets)
	}
	if r := a.Membrane.Register; net.Floor && (a.Integrate != fixedpoint.IntegrateMembrane || r.Signed || r.Overflow != fixedpoint.Saturate) {
		return fail("floor", "got membranes that stop at 0 after each weight, and the target's do not; train without --floor")
	}
	if a.Weight.Kind == fixedpoint.WeightSignByAxon {
		if i := mixedRow(weights, layer.Out); i >= 0 {
			return fail(fmt.Sprintf("weights[%d]", i), "got both signs in one row, and the target has one sign an in-axon; train with --row-signs")
		}
	} else if !a.Weight.Signed {
		return fail("weights", "got signed weights, and the target has unsigned ones")
	}
	if p := a.Membrane.Place; layer.MembraneDecay != 0 && p != fixedpoint.BeforeIntegrate || a.Current.Place != fixedpoint.BeforeIntegrate {
		return fail("decay", "got decays before the input, and the target forgets %s and %s", a.Current.Place, p)
	}

	_, high := a.Weight.Range(bits)
	low, top := -high, float64(high)
	grid := gridOf(net, l, bits)
	var wanted float64
	if grid != nil {
		if i := slices.IndexFunc(weights, func(w float32) bool { return !grid.Holds(w) }); i >= 0 {
			return fail(fmt.Sprintf("weights[%d][%d]", i/net.Sizes[l+1], i%net.Sizes[l+1]), "got %v, want a whole number in %d..%d times %v, as the network says of its layer", weights[i], grid.Low, grid.High, grid.Scale)
		}
		low, wanted = int64(grid.Low), grid.Scale
	} else {
		wanted = chooseScale(weights, largest, top, o)
	}
	var comp *compensation
	if o.Moments != nil && grid == nil {
		comp = newCompensation(o.Moments[l], layer.In, o.Rounding, func(i int) (int64, int64) {
			row := weights[i*layer.Out : (i+1)*layer.Out]
			switch {
			case a.Weight.Kind != fixedpoint.WeightSignByAxon:
				return low, high
			case slices.Min(row) < 0:
				return low, 0
			}
			return 0, high
		})
	}
	if o.Scales != nil && grid == nil {
		wanted *= o.Scales[l]
	}
	gain := inputGain(a.Membrane.Decay, layer.MembraneDecay)
	// Prefer the exponent that leaves 8-bit weights 6 fraction bits (Loihi's
	// fixed shift) and narrower ones more, so that membranes have the same
	// range; go down while a register might overflow.
	start := min(max(14-bits-int(math.Floor(math.Log2(gain))), a.Weight.ExpMin), a.Weight.ExpMax)
	var best fixedpoint.Layer
	var bestBounds fixedpoint.LayerBounds
	// Of the exponents tried the first that is best: 4 proved and inside
	// o.Within, 3 proved, 2 a read-out below the highest threshold (or no
	// read-out, or one that fires when it gets there), 1 any.
	rank := 0
	for exp := start; exp >= a.Weight.ExpMin; exp-- {
		layer.WeightExp = exp
		layer.Scale = wanted
		layer.Threshold = 0
		if !layer.Integrator {
			one := math.Ldexp(gain*o.threshold(l), exp) // the threshold, in units of the scale
			step := math.Ldexp(1, a.Threshold.Exp)
			steps := math.RoundToEven(one / wanted / step)
			exact := grid != nil && one == math.Ldexp(1, exp) && exp >= a.Threshold.Exp // levels of the membrane are levels of the threshold
			if exact {
				steps = math.Floor(one / wanted / step)
				if a.Fire.When == fixedpoint.GE {
					steps++
				}
			} else if o.Scheme == Max && grid == nil && largest > (top+0.5)*one/(steps*step) {
				steps-- // the nearest threshold would clip
			}
			raw := steps * step
			if steps < 1 || exp < start && steps < minThresholdSteps {
				break
			}
			if raw > float64(a.HighestThreshold()) {
				continue
			}
			layer.Threshold = int64(raw)
			if !exact {
				layer.Scale = one / raw
			}
		}
		scale := layer.Scale
		if grid != nil {
			scale = wanted
		}
		var q []int16
		if comp == nil {
			q = roundWeights(weights, scale, low, high, o.Rounding)
		} else {
			q = comp.round(weights, scale, layer.Out)
		}
		layer.Weights = fixedpoint.NewMatrix(layer.In, layer.Out, q)
		b := (&fixedpoint.Model{Arithmetic: a, Ticks: net.Ticks, Layers: []fixedpoint.Layer{layer}}).Bounds(0)
		r := 1
		if !layer.Integrator || a.Held != 0 || !a.Fire.When.Fires(b.Membrane.Hi, a.Threshold.Max()) {
			r = 2
			if b.Proved {
				r = 3
				if o.Within.hold(b) {
					r = 4
				}
			}
		}
		if r > rank {
			best, bestBounds, rank = layer, b, r
		}
		if rank == 4 {
			break
		}
	}
	if rank == 0 {
		return fail("threshold", "rounds to zero or exceeds %d at every weight exponent in %d..%d; try more --bits or another --scale", a.HighestThreshold(), a.Weight.ExpMin, a.Weight.ExpMax)
	}
	if rank == 1 {
		return fail("threshold", "the read-out membrane may reach %d, and the target's highest threshold is %d; try fewer --bits or --readout count in training", bestBounds.Membrane.Hi, a.Threshold.Max())
	}
	lr := layerReport(weights, best, bestBounds, low, high)
	lr.Factor = o.threshold(l)
	lr.OnGrid = grid != nil
	if lr.Zero == lr.Weights {
		return fail("weights", "all %d round to zero at %d bits with scale %s; try --scale mse or more --bits", lr.Weights, bits, o.Scheme)
	}
	return best, lr, nil
}

func currentDecay(s fixedpoint.State, d int) (int64, error) {
	if s.Present {
		return decay(s.Decay, d, "--current-decay")
	}
	if d != float.DecayOne {
		return 0, fmt.Errorf("got %d/%d a tick, and the target has no synaptic current; train with --current-decay %d", d, float.DecayOne, float.DecayOne)
	}
	return 0, nil
}

// inputGain is what a membrane takes of its input in a tick: all of it, or d/2^k
// where it moves toward it, v + (t − v)·d/2^k. The float neuron takes all, v(1 −
// d/2^k) + t, so weights of the same size stand for as much less.
func inputGain(d fixedpoint.Decay, param int64) float64 {
	if d.Kind == fixedpoint.DecayTowardInput {
		return math.Ldexp(float64(param), -d.FracBits)
	}
	return 1
}

// decay brings d of float.DecayOne to the target's fraction bits.
func decay(to fixedpoint.Decay, d int, flag string) (int64, error) {
	if to.Kind == fixedpoint.DecayNone {
		if d != 0 {
			return 0, fmt.Errorf("got %d/%d a tick, and the target has no decay; train with %s 0", d, float.DecayOne, flag)
		}
		return 0, nil
	}
	if to.Kind != fixedpoint.DecayMultiply && to.Kind != fixedpoint.DecayTowardInput {
		return 0, fmt.Errorf("got %d/%d a tick, and the target decays by %s, which has no such factor", d, float.DecayOne, to.Kind)
	}
	param := fixedpoint.ShiftRound(int64(d)<<16, uint(16+12-to.FracBits), fixedpoint.NearestEven)
	if param == 0 && d != 0 {
		return 0, fmt.Errorf("got %d/%d a tick, which rounds to zero in %d fraction bits; train with a larger %s", d, float.DecayOne, to.FracBits, flag)
	}
	if param == 0 && to.Kind == fixedpoint.DecayTowardInput {
		return 0, fmt.Errorf("got 0, and the target's membrane takes in its input by the decay alone; train with a larger %s and with --readout count", flag)
	}
	if !to.Accepts(param) {
		return 0, fmt.Errorf("got %d of %d, the target has %d..%d; train with another %s", param, int64(1)<<to.FracBits, to.Min, to.Max, flag)
	}
	return param, nil
}

// mixedRow is the first row of n weights that has both signs, or -1.
func mixedRow(weights []float32, n int) int {
	for i := 0; i < len(weights); i += n {
		if row := weights[i : i+n]; slices.Min(row) < 0 && slices.Max(row) > 0 {
			return i / n
		}
	}
	return -1
}

// chooseScale returns the real value of one weight step; top is the largest
// integer.
func chooseScale(weights []float32, largest, top float64, o Options) float64 {
	switch o.Scheme {
	case Percentile:
		mags := make([]float64, len(weights))
		for i, w := range weights {
			mags[i] = math.Abs(float64(w))
		}
		slices.Sort(mags)
		at := mags[min(len(mags)-1, int(math.Ceil(o.Percentile/100*float64(len(mags))))-1)]
		if at == 0 {
			at = largest
		}
		return at / top
	case MSE:
		best, bestErr := largest/top, math.Inf(1)
		try := func(percent float64) {
			s := largest * percent / 100 / top
			if e := squaredError(weights, s, top, o.Rounding); e < bestErr {
				best, bestErr = s, e
			}
		}
		for p := 2.0; p <= 100; p += 2 {
			try(p)
		}
		centre := math.Round(best * top * 100 / largest)
		for p := centre - 1.75; p < centre+2; p += 0.25 {
			if p > 0 && p <= 100 {
				try(p)
			}
		}
		return best
	default:
		return largest / top
	}
}

func squaredError(weights []float32, s, top float64, mode fixedpoint.RoundMode) float64 {
	sum, inv := 0.0, 1/s
	for _, w := range weights {
		q := min(max(roundFloat(float64(w)*inv, mode), -top), top)
		d := float64(w) - float64(q*s)
		sum += float64(d * d)
	}
	return sum
}

// gridOf is the grid that layer l of net lies on, if weights of bits bits hold
// it; else nil.
func gridOf(net *float.Network, l, bits int) *float.Grid {
	if grids := net.Origin.Grids; len(grids) > 0 && bits >= grids[l].Bits() {
		return &grids[l]
	}
	return nil
}

// roundWeights rounds w/scale once, clipped in float before it is converted.
func roundWeights(weights []float32, scale float64, low, high int64, mode fixedpoint.RoundMode) []int16 {
	out := make([]int16, len(weights))
	for i, w := range weights {
		out[i] = int16(min(max(roundFloat(float64(w)/scale, mode), float64(low)), float64(high)))
	}
	return out
}

func roundFloat(x float64, mode fixedpoint.RoundMode) float64 {
	switch mode {
	case fixedpoint.TowardZero:
		return math.Trunc(x)
	case fixedpoint.Floor:
		return math.Floor(x)
	case fixedpoint.HalfAway:
		return math.Round(x)
	case fixedpoint.HalfUp:
		if below := math.Floor(x); x-below < 0.5 {
			return below
		}
		return math.Ceil(x)
	default:
		return math.RoundToEven(x)
	}
}

func layerReport(weights []float32, l fixedpoint.Layer, b fixedpoint.LayerBounds, low, high int64) LayerReport {
	r := LayerReport{
		Bits: l.WeightBits, Weights: len(weights), Scale: l.Scale, WeightExp: l.WeightExp, Threshold: l.Threshold,
		SumBits: b.Sum.Bits(), CurrentBits: b.Current.Bits(), MembraneBits: b.Membrane.Bits(), NeverOverflow: b.Proved,
	}
	least, most := (float64(low)-0.5)*l.Scale, (float64(high)+0.5)*l.Scale
	q := l.Weights.Values()
	errSum, sum := 0.0, 0.0
	for i, w := range weights {
		if float64(w) < least || float64(w) > most {
			r.Clipped++
		}
		if q[i] == 0 {
			r.Zero++
			if w != 0 {
				r.Zeroed++
			}
		}
		d := float64(w) - float64(q[i])*l.Scale
		errSum += float64(d * d)
		sum += float64(float64(w) * float64(w))
	}
	r.RMSError, r.RMSWeight = math.Sqrt(errSum/float64(len(weights))), math.Sqrt(sum/float64(len(weights)))
	return r
}
