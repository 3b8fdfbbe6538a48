package quantize

import (
	"slices"

	"glsnn/fixedpoint"
	"glsnn/float"
)

// thresholdFactors are the factors that Calibrate tries on a layer's threshold,
// those nearest to the float network's own first.
var thresholdFactors = []float64{1, 1.25, 0.8, 1.5, 0.65, 1.75, 0.5, 2, 2.5, 3}

// Calibrate is Quantize with the thresholds for which score is highest: see search.
// A read-out that never fires has no threshold. o.Thresholds is not read.
func Calibrate(net *float.Network, o Options, score func(*fixedpoint.Model) (float64, error)) (*fixedpoint.Model, *Report, error) {
	o.Thresholds = slices.Repeat([]float64{1}, net.Layers())
	return search(net, o, o.Thresholds, thresholdFactors, net.Integrates, score)
}

// scaleFactors are the factors that Tune tries on a layer's scale.
var scaleFactors = []float64{1, 1.1, 0.9, 1.2, 0.8, 1.35, 1.5, 1.7, 2}

// Tune is Quantize with the scales for which score is highest, of those that
// o.Scheme chooses times a factor: see search. At few bits the scale that serves
// each weight best is too small for the network: what matters is the drive near
// the threshold. o.Scales is not read.
func Tune(net *float.Network, o Options, score func(*fixedpoint.Model) (float64, error)) (*fixedpoint.Model, *Report, error) {
	o.Scales = slices.Repeat([]float64{1}, net.Layers())
	return search(net, o, o.Scales, scaleFactors, func(int) bool { return false }, score)
}

// search is Quantize with the factors, at first all 1, for which score is highest:
// layer by layer from the first, each of tried is set with those of the layers below
// as they were chosen and 1 above. Of equal scores the first tried wins, which is 1
// at first. A factor with which the network cannot be quantised is passed over; if
// none is left the error is that of factor 1. score is called on a model at a time.
func search(net *float.Network, o Options, factors, tried []float64, skip func(layer int) bool, score func(*fixedpoint.Model) (float64, error)) (*fixedpoint.Model, *Report, error) {
	model, report, first := Quantize(net, o)
	var best float64
	if first == nil {
		var err error
		if best, err = score(model); err != nil {
			return nil, nil, err
		}
	}
	for l := range factors {
		if skip(l) {
			continue
		}
		chosen := factors[l]
		for _, f := range tried[1:] {
			factors[l] = f
			m, r, err := Quantize(net, o)
			if err != nil {
				continue
			}
			s, err := score(m)
			if err != nil {
				return nil, nil, err
			}
			if model == nil || s > best {
				model, report, best, chosen = m, r, s, f
			}
		}
		factors[l] = chosen
	}
	if model == nil {
		return nil, nil, first
	}
	return model, report, nil
}
