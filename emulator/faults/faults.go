// Package faults breaks a chip as a faults file says: dead neurons, stuck weights,
// flipped bits, drifted thresholds. The same file breaks the same chip in the same
// places, whoever runs it.
package faults

import (
	"fmt"
	"slices"

	"glsnn/fixedpoint"
	"glsnn/targets"
)

// Broken is a network on a broken chip.
type Broken struct {
	Model  *fixedpoint.Model // with the weights and thresholds that the chip now holds
	Silent []bool            // neurons that never fire, layer after layer; nil for none
	Stuck  [][]bool          // weights that cannot be written, of each layer [In][Out]; nil for none
	Report Report
}

// Report counts what was hit.
type Report struct {
	Dead       int     `json:"dead_neurons"`
	Stuck      int     `json:"stuck_weights"`
	Flipped    int     `json:"flipped_bits"`
	Thresholds []int64 `json:"thresholds"` // of each layer, as they are now
}

// Apply breaks m. Each entry of f draws from an LFSR31 of its own, in the order
// dead neurons, stuck weights, flips; drifts draw nothing. A weight that is hit
// twice is as the last entry left it. Weights are in two's complement, of their
// layer's width.
//
// Flips happened once and drifts are in the thresholds: where m was saved from a
// chip broken by this very file (Source.Faults), they are not applied again. Dead
// neurons and stuck weights belong to the chip and always are.
func Apply(m *fixedpoint.Model, f *targets.Faults) (*Broken, error) {
	firing := len(m.Layers)
	if m.Readout == fixedpoint.ReadMembrane {
		firing--
	}
	if err := f.Check(len(m.Layers), firing); err != nil {
		return nil, err
	}
	if k := m.Arithmetic.Weight.Kind; k == fixedpoint.WeightSignByAxon && len(f.StuckWeights)+len(f.BitFlips) > 0 {
		return nil, fmt.Errorf("%s: stuck weights and flipped bits: weights of kind %s keep their sign elsewhere, and are not broken here", f.File, k)
	}
	b := &Broken{}
	holds := f.SHA256 != "" && m.Source.Faults == f.SHA256
	entry := uint64(0)
	// hit is which of n it is, ascending, for an entry's share; the source goes on.
	hit := func(n, oneIn int) ([]int, *fixedpoint.Random) {
		kind := fixedpoint.LFSR31()
		entry++
		rnd := fixedpoint.NewRandom(kind, kind.Seed(uint64(f.Seed)<<16+entry))
		all := make([]int, n)
		for i := range all {
			all[i] = i
		}
		want := n / oneIn
		for i := range want { // Fisher and Yates, as far as needed
			k := i + int(rnd.Draw(15)<<15|rnd.Draw(15))%(n-i)
			all[i], all[k] = all[k], all[i]
		}
		chosen := all[:want]
		slices.Sort(chosen)
		return chosen, rnd
	}
	out := *m
	out.Layers = slices.Clone(m.Layers)
	weights := make([][]int16, len(m.Layers))
	for l, k := range m.Layers {
		weights[l] = k.Weights.Values()
	}
	first := func(layer int) (n int) {
		for _, k := range m.Layers[:layer] {
			n += k.Out
		}
		return n
	}
	for _, d := range f.DeadNeurons {
		if b.Silent == nil {
			b.Silent = make([]bool, m.Neurons())
		}
		chosen, _ := hit(m.Layers[d.Layer].Out, d.OneIn)
		for _, i := range chosen {
			b.Silent[first(d.Layer)+i] = true
		}
	}
	for _, s := range f.StuckWeights {
		if b.Stuck == nil {
			b.Stuck = make([][]bool, len(m.Layers))
			for l, w := range weights {
				b.Stuck[l] = make([]bool, len(w))
			}
		}
		lo, hi := m.Arithmetic.Weight.Range(m.Layers[s.Layer].WeightBits)
		chosen, rnd := hit(len(weights[s.Layer]), s.OneIn)
		for _, i := range chosen {
			b.Stuck[s.Layer][i] = true
			w := &weights[s.Layer][i]
			switch s.At {
			case targets.StuckAtZero:
				*w = 0
			case targets.StuckAtLeast:
				*w = int16(lo)
			case targets.StuckAtLargest:
				*w = int16(hi)
			case targets.StuckAtExtreme:
				*w = int16([]int64{lo, hi}[rnd.Draw(1)])
			}
		}
	}
	for _, x := range f.BitFlips {
		k := m.Layers[x.Layer]
		format := fixedpoint.Register{Bits: k.WeightBits, Signed: m.Arithmetic.Weight.Signed, Overflow: fixedpoint.Wrap}
		chosen, rnd := hit(len(weights[x.Layer]), x.OneIn)
		b.Report.Flipped += len(chosen)
		if holds {
			continue
		}
		for _, i := range chosen {
			bit := int64(rnd.Draw(16)) * int64(k.WeightBits) >> 16
			w, _ := fixedpoint.Narrow(int64(weights[x.Layer][i])^int64(1)<<bit, format)
			weights[x.Layer][i] = int16(w)
		}
	}
	for i, d := range f.Drifts {
		if holds {
			break
		}
		k, t := &out.Layers[d.Layer], m.Arithmetic.Threshold
		unit := int64(1) << t.Exp
		moved := k.Threshold * int64(100+d.Percent)
		k.Threshold = (2*moved + 100*unit) / (200 * unit) * unit // the nearest multiple, halves up
		if !t.Contains(k.Threshold) {
			return nil, fmt.Errorf("%s: threshold_drift[%d]: got a threshold of %d, want %s", f.File, i, k.Threshold, t)
		}
	}
	for l := range out.Layers {
		k := &out.Layers[l]
		k.Weights = fixedpoint.NewMatrix(k.In, k.Out, weights[l])
		b.Report.Thresholds = append(b.Report.Thresholds, k.Threshold)
	}
	for _, s := range b.Silent {
		if s {
			b.Report.Dead++
		}
	}
	for _, l := range b.Stuck {
		for _, s := range l {
			if s {
				b.Report.Stuck++
			}
		}
	}
	out.Source.Faults = f.SHA256
	var err error
	b.Model, err = fixedpoint.NewModel(out)
	return b, err
}
