package quantize

import (
	"slices"

	"glsnn/fixedpoint"
	"glsnn/float"
)

// thresholdFactors are the factors that Calibrate tries on a layer's threshold,
// those nearest to the float network's own first.
var thresholdFactors = []float64{1, 1.25, 0.8, 1.5, 0.65, 1.75, 0.5, 2, 2.5, 3}

// Calibrate is Quantize with the thresholds for which score is highest: layer by
// layer from the first, each factor is tried with those of the layers below as
// they were chosen and 1 above. Of equal scores the factor nearest to 1 wins.
// A factor with which the network cannot be quantised is passed over; if none
// is left the error is that of factor 1. A read-out that never fires has no
// threshold. score is called on a model at a time; o.Thresholds is not read.
func Calibrate(net *float.Network, o Options, score func(*fixedpoint.Model) (float64, error)) (*fixedpoint.Model, *Report, error) {
	o.Thresholds = slices.Repeat([]float64{1}, net.Layers())
	model, report, first := Quantize(net, o)
	var best float64
	if first == nil {
		var err error
		if best, err = score(model); err != nil {
			return nil, nil, err
		}
	}
	for l := range net.Layers() {
		if net.Integrates(l) {
			continue
		}
		chosen := o.Thresholds[l]
		for _, f := range thresholdFactors[1:] {
			o.Thresholds[l] = f
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
		o.Thresholds[l] = chosen
	}
	if model == nil {
		return nil, nil, first
	}
	return model, report, nil
}
