package main

import (
	"context"
	"fmt"
	"io"

	"glsnn/emulator"
	"glsnn/fixedpoint"
	"glsnn/fixedpoint/quantize"
	"glsnn/float"
	"glsnn/float/dataset"
)

// searchResult is what --budget-bits measured and chose. A layer's losses are
// the share of samples that are not given the float network's class.
type searchResult struct {
	BudgetBits float64                `json:"budget_bits"`
	MeanBits   float64                `json:"mean_bits"` // of the widths chosen
	Samples    int                    `json:"samples"`   // the last of the training samples
	Layers     []quantize.Sensitivity `json:"layers"`
}

func (r *searchResult) bits() (bits []int) {
	for _, l := range r.Layers {
		bits = append(bits, l.Bits)
	}
	return bits
}

// searchBits finds widths within o.budget on the last of the samples that net was
// trained on: those that --validate held out, if it did.
func (a *app) searchBits(ctx context.Context, net *float.Network, opt quantize.Options, o *quantizeOptions) (*searchResult, error) {
	set, err := o.calibration(a, net)
	if err != nil {
		return nil, err
	}
	want, err := net.Evaluate(ctx, set, a.jobs, nil)
	if err != nil {
		return nil, err
	}
	r := &searchResult{BudgetBits: o.budget, Samples: set.Len()}
	r.Layers, err = quantize.Search(net, opt, o.budget, func(m *fixedpoint.Model) (float64, error) {
		got, _, err := a.runModel(ctx, m, set, emulator.RunOptions{Workers: a.jobs})
		if err != nil {
			return 0, err
		}
		changed := 0
		for i, c := range got.Class {
			if c != want.Class[i] {
				changed++
			}
		}
		loss := float64(changed) / float64(set.Len())
		widths := []int{}
		for _, l := range m.Layers {
			widths = append(widths, l.WeightBits)
		}
		a.say("%s bits: %s of %d classes changed", joinInts(widths, ","), percent(loss), set.Len())
		return loss, nil
	})
	if err != nil {
		return nil, err
	}
	synapses := 0
	for _, l := range r.Layers {
		synapses += l.Synapses
		r.MeanBits += float64(l.Bits * l.Synapses)
	}
	r.MeanBits /= float64(synapses)
	return r, nil
}

// searchSamples is how many a search for widths or thresholds takes where
// --samples does not say: a twentieth of a per cent can be seen.
const searchSamples = 2000

// calibration is the last of the samples that net was trained on, as many as
// --samples says, or searchSamples.
func (o *quantizeOptions) calibration(a *app, net *float.Network) (*dataset.Set, error) {
	ref, all := net.Origin.Data, o.data
	all.samples = 0
	if o.data.data == "" {
		all.samples = ref.Samples
	}
	set, err := all.load(a, ref, net.Sizes[0])
	if err != nil {
		return nil, err
	}
	n := min(searchSamples, set.Len())
	if o.data.asked.Changed {
		if n = o.data.samples; n > set.Len() {
			return nil, usage("--samples: got %d, want at most the training set's %d", n, set.Len())
		}
	}
	return set.Slice(set.Len()-n, set.Len()), nil
}

func (r *searchResult) text(w io.Writer) {
	fmt.Fprintf(w, "classes changed, one layer narrowed at a time, %d training samples:\n", r.Samples)
	fmt.Fprint(w, "layer\tsynapses")
	for _, t := range r.Layers[0].Widths {
		fmt.Fprintf(w, "\t%d bits", t.Bits)
	}
	fmt.Fprintln(w, "\tchosen")
	for l, s := range r.Layers {
		fmt.Fprintf(w, "%d\t%d", l, s.Synapses)
		for _, t := range s.Widths {
			if t.Loss == nil {
				fmt.Fprint(w, "\trefused")
			} else {
				fmt.Fprintf(w, "\t%s", percent(*t.Loss))
			}
		}
		fmt.Fprintf(w, "\t%d\n", s.Bits)
	}
	fmt.Fprintf(w, "mean bits a synapse: %.3f of %.4g\n\n", r.MeanBits, r.BudgetBits)
}
