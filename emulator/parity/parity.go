// Package parity runs the float network and its quantised model on the same
// spike trains, tick by tick, and says where they part: in classes, in rates
// and in the first spike that differs. It also compares two integer models that
// ought to be the same, such as a model and what its tables read back as.
package parity

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"glsnn/emulator"
	"glsnn/fixedpoint"
	"glsnn/float"
	"glsnn/float/dataset"
	"glsnn/float/encode"
)

// Report compares a float network with its fixed-point model on the same
// samples. Accuracies are 0..1, DropPoints percentage points.
type Report struct {
	Samples       int        `json:"samples"`
	FloatAccuracy float64    `json:"float_accuracy"`
	FixedAccuracy float64    `json:"fixed_accuracy"`
	DropPoints    float64    `json:"drop_points"` // float minus fixed
	DropCI        [2]float64 `json:"drop_points_ci95"`
	OnlyFloat     int        `json:"only_float_right"`
	OnlyFixed     int        `json:"only_fixed_right"`
	McNemarP      float64    `json:"mcnemar_p"` // exact, two-sided
	Agreement     float64    `json:"agreement"` // share of samples given the same class

	SameSpikes int           `json:"same_spikes"` // samples in which every spike is the same
	FirstPart  *Divergence   `json:"first_divergence"`
	Layers     []LayerReport `json:"layers"` // firing layers
}

// Divergence is where spikes first part: the lowest layer at its earliest tick,
// over all samples, and the first sample that has it.
type Divergence struct {
	Layer  int `json:"layer"`
	Tick   int `json:"tick"`
	Sample int `json:"sample"`
}

// LayerReport compares one firing layer.
type LayerReport struct {
	Layer       int     `json:"layer"`
	FloatRate   float64 `json:"float_rate"` // spikes a neuron and tick
	FixedRate   float64 `json:"fixed_rate"`
	Differing   float64 `json:"spikes_differing"`        // spikes that only one side fired, over those of either
	PartedFirst int     `json:"samples_parting_first"`   // samples whose first difference, in tick then layer, is here
	SilentFloat int     `json:"silent_neurons_float"`    // neurons with no spike in any sample
	SilentFixed int     `json:"silent_neurons_fixed"`    //
	MembraneRMS float64 `json:"membrane_rms_thresholds"` // difference of v after each tick, each in its own thresholds, while spikes agree
}

type tally struct {
	floatSpikes, fixedSpikes, only, either uint64
	partedFirst                            int
	firedFloat, firedFixed                 []bool
	sq                                     float64
	sqN                                    uint64
}

// newTallies is one tally for each firing layer of m.
func newTallies(m *fixedpoint.Model, firing int) []tally {
	t := make([]tally, firing)
	for l := range t {
		t[l].firedFloat = make([]bool, m.Layers[l].Out)
		t[l].firedFixed = make([]bool, m.Layers[l].Out)
	}
	return t
}

// add merges o into k.
func (k *tally) add(o tally) {
	k.floatSpikes += o.floatSpikes
	k.fixedSpikes += o.fixedSpikes
	k.only += o.only
	k.either += o.either
	k.partedFirst += o.partedFirst
	k.sq += o.sq
	k.sqN += o.sqN
	for j := range k.firedFloat {
		k.firedFloat[j] = k.firedFloat[j] || o.firedFloat[j]
		k.firedFixed[j] = k.firedFixed[j] || o.firedFixed[j]
	}
}

// Compare runs samples 0..n-1 of set through both. Every count is exact and
// independent of workers; MembraneRMS is a float sum in sample order within
// fixed blocks. done is told of progress and may be nil.
func Compare(ctx context.Context, net *float.Network, m *fixedpoint.Model, set *dataset.Set, n, workers int, done func(int)) (*Report, error) {
	if err := sameShape(net, m); err != nil {
		return nil, err
	}
	if got := set.Rows * set.Cols; got != m.Inputs() {
		return nil, fmt.Errorf("%s: pixels: got %d, want the network's %d inputs", set.Name, got, m.Inputs())
	}
	if n < 1 || n > set.Len() {
		return nil, fmt.Errorf("samples: got %d, want 1..%d", n, set.Len())
	}
	firing := len(m.Layers)
	for firing > 0 && m.Layers[firing-1].Integrator {
		firing--
	}
	const block = 50
	blocks := make([]blockResult, (n+block-1)/block)
	var next, finished atomic.Int64
	var wg sync.WaitGroup
	for range max(1, min(workers, len(blocks))) {
		wg.Go(func() {
			w := newPair(net, m, firing)
			for {
				b := int(next.Add(1)) - 1
				if b >= len(blocks) || ctx.Err() != nil {
					return
				}
				blocks[b] = w.run(set, b*block, min((b+1)*block, n))
				if done != nil {
					done(int(finished.Add(int64(min((b+1)*block, n) - b*block))))
				}
			}
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return summarise(net, m, firing, blocks, n), nil
}

func sameShape(net *float.Network, m *fixedpoint.Model) error {
	if net.Mode != float.Chip {
		return fmt.Errorf("network: mode: got %s, want chip: layers that pass real numbers have no integer twin", net.Mode)
	}
	sizes := []int{m.Inputs()}
	for _, l := range m.Layers {
		sizes = append(sizes, l.Out)
	}
	if !slices.Equal(sizes, net.Sizes) || m.Ticks != net.Ticks {
		return fmt.Errorf("network and model: got layers %v over %d ticks, want %v over %d", sizes, m.Ticks, net.Sizes, net.Ticks)
	}
	if m.Encoding.Kind != string(net.Encoder) || m.Encoding.Seed != net.EncoderSeed {
		return fmt.Errorf("network and model: encoder: got %s with seed %d, want %s with %d", m.Encoding.Kind, m.Encoding.Seed, net.Encoder, net.EncoderSeed)
	}
	if (net.Readout == float.ReadMembrane) != (m.Readout == fixedpoint.ReadMembrane) {
		return fmt.Errorf("network and model: read-out: got %s, want %s", m.Readout, net.Readout)
	}
	return nil
}

type blockResult struct {
	floatRight, fixedRight, onlyFloat, onlyFixed, agree, same int
	first                                                     *Divergence
	layers                                                    []tally
}

// pair is one worker's two networks.
type pair struct {
	net    *float.Network
	m      *fixedpoint.Model
	st     *float.State
	mach   emulator.Machine
	train  encode.Train
	out    []float32
	v      []int64
	scores []int64
	spikes [2][]int32
	firing int
}

func newPair(net *float.Network, m *fixedpoint.Model, firing int) *pair {
	return &pair{net: net, m: m, st: net.NewState(), mach: emulator.New(m, emulator.Options{}), out: make([]float32, m.Outputs()), firing: firing}
}

func (p *pair) run(set *dataset.Set, lo, hi int) blockResult {
	r := blockResult{layers: newTallies(p.m, p.firing)}
	enc := p.net.NewEncoder()
	for i := lo; i < hi; i++ {
		enc.Encode(&p.train, i, set.Image(i))
		p.st.Reset()
		p.mach.Reset()
		parted := false
		for t := range p.m.Ticks {
			in := p.train.At(t)
			p.st.Step(in)
			p.mach.Step(in)
			for l := range p.firing {
				k := &r.layers[l]
				a, b := p.ascending(0, p.net.PerEvent, p.st.Fired(l)), p.ascending(1, p.m.Arithmetic.Update == fixedpoint.PerEvent, p.mach.Spikes(l))
				common := overlap(a, b)
				k.floatSpikes += uint64(len(a))
				k.fixedSpikes += uint64(len(b))
				k.only += uint64(len(a) + len(b) - 2*common)
				k.either += uint64(len(a) + len(b) - common)
				for _, j := range a {
					k.firedFloat[j] = true
				}
				for _, j := range b {
					k.firedFixed[j] = true
				}
				if common == len(a) && common == len(b) {
					if !parted {
						p.membranes(k, l)
					}
					continue
				}
				if !parted {
					parted = true
					k.partedFirst++
				}
				if d := (Divergence{l, t, i}); r.first == nil || d.before(*r.first) {
					r.first = &d
				}
			}
		}
		if !parted {
			r.same++
		}
		p.st.Output(p.out)
		p.scores = p.mach.Scores(p.scores)
		cf, cx, label := float.Argmax(p.out), emulator.Argmax(p.scores), int(set.Labels[i])
		if cf == cx {
			r.agree++
		}
		switch {
		case cf == label && cx == label:
			r.floatRight++
			r.fixedRight++
		case cf == label:
			r.floatRight++
			r.onlyFloat++
		case cx == label:
			r.fixedRight++
			r.onlyFixed++
		}
	}
	return r
}

// ascending is a tick's spikes by neuron, of side 0 or 1. Where neurons are tested
// after every event they come by event, and a neuron as often as it fired.
func (p *pair) ascending(side int, byEvent bool, spikes []int32) []int32 {
	if !byEvent {
		return spikes
	}
	p.spikes[side] = append(p.spikes[side][:0], spikes...)
	slices.Sort(p.spikes[side])
	return p.spikes[side]
}

// membranes adds the squared differences of v, each in its own thresholds.
func (p *pair) membranes(k *tally, l int) {
	p.v = p.mach.Membrane(l, p.v)
	layer := &p.m.Layers[l]
	unit := math.Ldexp(layer.Scale, -layer.WeightExp)
	if unit == 0 { // unknown
		unit = 1 / float64(max(layer.Threshold, 1))
	}
	for j, v := range p.st.Membrane(l) {
		d := float64(v)/float.Threshold - float64(float64(p.v[j])*unit)
		k.sq += float64(d * d)
	}
	k.sqN += uint64(len(p.v))
}

// before orders divergences by layer, tick, sample.
func (d Divergence) before(o Divergence) bool {
	if d.Layer != o.Layer {
		return d.Layer < o.Layer
	}
	if d.Tick != o.Tick {
		return d.Tick < o.Tick
	}
	return d.Sample < o.Sample
}

// overlap counts what two ascending lists share, repeats one by one.
func overlap(a, b []int32) (n int) {
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] < b[0]:
			a = a[1:]
		case a[0] > b[0]:
			b = b[1:]
		default:
			n++
			a, b = a[1:], b[1:]
		}
	}
	return n
}

func summarise(net *float.Network, m *fixedpoint.Model, firing int, blocks []blockResult, n int) *Report {
	r := &Report{Samples: n}
	total := blockResult{layers: newTallies(m, firing)}
	for _, b := range blocks {
		total.floatRight += b.floatRight
		total.fixedRight += b.fixedRight
		total.agree += b.agree
		r.OnlyFloat += b.onlyFloat
		r.OnlyFixed += b.onlyFixed
		r.SameSpikes += b.same
		if b.first != nil && (r.FirstPart == nil || b.first.before(*r.FirstPart)) {
			r.FirstPart = b.first
		}
		for l := range firing {
			total.layers[l].add(b.layers[l])
		}
	}
	size := float64(n)
	r.FloatAccuracy, r.FixedAccuracy = float64(total.floatRight)/size, float64(total.fixedRight)/size
	r.Agreement = float64(total.agree) / size
	r.DropPoints = 100 * float64(r.OnlyFloat-r.OnlyFixed) / size
	r.DropCI = dropInterval(r.OnlyFloat, r.OnlyFixed, n)
	r.McNemarP = mcNemar(r.OnlyFloat, r.OnlyFixed)
	for l := range firing {
		k := total.layers[l]
		slots := size * float64(m.Ticks) * float64(m.Layers[l].Out)
		lr := LayerReport{
			Layer: l, FloatRate: float64(k.floatSpikes) / slots, FixedRate: float64(k.fixedSpikes) / slots, PartedFirst: k.partedFirst,
			SilentFloat: falses(k.firedFloat), SilentFixed: falses(k.firedFixed),
		}
		if k.either > 0 {
			lr.Differing = float64(k.only) / float64(k.either)
		}
		if k.sqN > 0 {
			lr.MembraneRMS = math.Sqrt(k.sq / float64(k.sqN))
		}
		r.Layers = append(r.Layers, lr)
	}
	return r
}

func falses(b []bool) (n int) {
	for _, x := range b {
		if !x {
			n++
		}
	}
	return n
}

// dropInterval is the 95 % interval of the paired drop in percentage points, by
// Agresti and Min (Statistics in Medicine 24, 2005): the normal interval of the
// per-sample difference (1, 0 or -1) with half a sample added to each of the
// four outcomes, so that it does not collapse where few samples differ.
func dropInterval(onlyFloat, onlyFixed, n int) [2]float64 {
	size := float64(n) + 2
	mean := float64(onlyFloat-onlyFixed) / size
	variance := (float64(onlyFloat+onlyFixed)+1)/size - mean*mean
	half := 1.959964 * math.Sqrt(max(variance, 0)/size)
	return [2]float64{max(-100, 100*(mean-half)), min(100, 100*(mean+half))}
}

// mcNemar is the exact two-sided probability of a split at least as uneven as
// a against b among a+b samples on which only one side is right, if both were
// equally good.
func mcNemar(a, b int) float64 {
	n := a + b
	if n == 0 {
		return 1
	}
	lgamma := func(x int) float64 { v, _ := math.Lgamma(float64(x) + 1); return v }
	p := 0.0
	for k := range min(a, b) + 1 {
		p += math.Exp(lgamma(n) - lgamma(k) - lgamma(n-k) - float64(n)*math.Ln2)
	}
	return min(1, 2*p)
}

// SilentError is a layer that fires in float and not once as integers.
type SilentError struct {
	Layer     int
	FloatRate float64
	Samples   int
}

func (e *SilentError) Error() string {
	return fmt.Sprintf("layer %d: went silent: got no spike in %d samples, want a rate near the float network's %.4f; try more --bits or another --scale", e.Layer, e.Samples, e.FloatRate)
}

// CheckActivity returns a SilentError for the first layer that fires in float
// and never as integers.
func (r *Report) CheckActivity() error {
	for _, l := range r.Layers {
		if l.FixedRate == 0 && l.FloatRate > 0 {
			return &SilentError{l.Layer, l.FloatRate, r.Samples}
		}
	}
	return nil
}
