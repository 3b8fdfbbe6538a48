// Package crossbar puts a quantised network on a chip that is one crossbar and
// knows events only, tinyODIN or ODIN, and gets it back: inputs and neurons share the
// chip's rows, and the tables are the SPI programs and memory images of package
// rtl. There are two schemes, and the target's arithmetic says which:
//
//	per_tick   synchronous.go   a host makes the ticks, by rewriting thresholds
//	per_event  events.go        the chip's own order, its own queue
//
// Both are exact: what package emulator says of the model is what the chip does
// under the host protocol of the scheme, spike by spike and to the last bit of
// every membrane.
//
// # Cycles
//
// A sample is estimated from the emulator's counters and the target's constants
// (package cost). Every event steps through all n = Core.Sweep neurons:
//
//	events x 2n + ticks x (2n + 6) + spikes x 6
//	  + 9 for each event that the host sends, 2 for each that the chip queued itself
//	  + 160 for each word that the host writes: HostWrites
//
// with tinyODIN's constants. The last line is the scheme's price: per_tick writes
// every threshold twice a tick, per_event nothing but the membranes between
// samples. Package rtl's bench is slower by its pauses, and exactly by those: 2
// cycles for each event that it sends, 3 for each leak event and sample, 2 for each
// write; and it has no membranes to write before the first sample.
package crossbar

import (
	"errors"
	"fmt"
	"slices"

	"glsnn/export"
	"glsnn/export/rtl"
	"glsnn/export/table"
	"glsnn/fixedpoint"
	"glsnn/fixedpoint/artefact"
	"glsnn/targets"
)

// Kind is a crossbar folder's kind in its manifest.
const Kind = "crossbar"

// Train is the input spikes of one sample; float/encode makes them.
type Train interface {
	Ticks() int
	At(t int) []int32
}

// Placed is a network on one chip.
type Placed struct {
	Model  *fixedpoint.Model // in the chip's own arithmetic
	Chip   *targets.Chip
	Core   *rtl.Core
	Inputs int // the row of input 0
	First  int // the chip's neuron that is the model's first; the rest follow
}

// Place lowers m to chip's arithmetic and puts it on one crossbar. The reasons
// why it cannot be are fixedpoint.Lower's, or wrap export.ErrNoFit.
func Place(m *fixedpoint.Model, chip *targets.Chip) (*Placed, error) {
	p := &Placed{Chip: chip}
	if err := p.suits(); err != nil {
		return nil, err
	}
	var err error
	if p.Model, err = fixedpoint.Lower(m, chip.Arithmetic); err != nil {
		return nil, fmt.Errorf("target %s cannot express this network exactly: %w", chip.Name, err)
	}
	place := p.synchronous
	if chip.Arithmetic.Update == fixedpoint.PerEvent {
		place = p.events
	}
	if err := place(); err != nil {
		return nil, err
	}
	return p, nil
}

// suits says whether the target's arithmetic is that of the chip its tables are
// for, or less than that: both chips are one datapath, and the target's file may be
// the user's own. All faults are joined.
func (p *Placed) suits() error {
	a := p.Chip.Arithmetic
	membrane := fixedpoint.Register{Bits: 12, Signed: true, Overflow: fixedpoint.Saturate}
	kind, bits, held := fixedpoint.WeightInteger, 4, int64(0)
	if rtl.Chip(p.Chip.Tables.Format) == rtl.ODIN {
		membrane = fixedpoint.Register{Bits: 8, Overflow: fixedpoint.Saturate}
		kind, bits, held = fixedpoint.WeightSignByAxon, 3, 255
	}
	var errs []error
	check := func(field string, ok bool, got any, want string) {
		if !ok {
			errs = append(errs, p.unfit(field, got, fmt.Sprintf("%s: tables of format %s are of that chip alone", want, p.Chip.Tables.Format)))
		}
	}
	w, v, f := a.Weight, a.Membrane, a.Fire
	register := func(r fixedpoint.Register) string { return fmt.Sprintf("%s %s", r.Format(), r.Overflow) }
	check("integrate", a.Integrate == fixedpoint.IntegrateMembrane, a.Integrate, "membrane")
	check("held", a.Held == held, a.Held, fmt.Sprint(held))
	check("weight.kind", w.Kind == kind, w.Kind, kind.String())
	check("weight.bits", w.Bits <= bits, w.Bits, fmt.Sprintf("at most %d", bits))
	check("weight.exp_max", w.ExpMax == 0, w.ExpMax, "0")
	check("bias.present", !a.Bias.Present, a.Bias.Present, "false")
	check("membrane.register", v.Register == membrane, register(v.Register), register(membrane))
	check("membrane.decay.kind", v.Decay.Kind == fixedpoint.DecayNone, v.Decay.Kind, "none")
	check("membrane.leak.kind", v.Leak.Kind != fixedpoint.LeakConstant, v.Leak.Kind, "toward_zero")
	check("membrane.place", v.Place == fixedpoint.AfterIntegrate, v.Place, "after_integrate")
	check("fire.when", f.When == fixedpoint.GE, f.When, "ge")
	check("fire.resets", slices.Equal(f.Resets, []fixedpoint.Reset{fixedpoint.ResetZero}), f.Resets, "zero alone")
	check("fire.extra_spikes", f.ExtraSpikes == 0, f.ExtraSpikes, "0")
	check("fire.refractory_max", f.RefractoryMax == 0, f.RefractoryMax, "0")
	check("fire.negative.when", f.Negative.When == fixedpoint.BelowNever, f.Negative.When, "none")
	check("axon_delay_max", a.AxonDelayMax == 0, a.AxonDelayMax, "0")
	return errors.Join(errs...)
}

// unfit is a property of the network that the scheme has no place for.
func (p *Placed) unfit(field string, got any, want string) error {
	return fmt.Errorf("%s: %w: got %v, want %s (target %s)", field, export.ErrNoFit, got, want, p.Chip.Name)
}

// checkRows: inputs and neurons have a row of the crossbar each.
func (p *Placed) checkRows() error {
	if have, need := p.Chip.Core.Neurons, p.Model.Inputs()+p.Model.Neurons(); need > have {
		return &export.FitError{Layer: -1, Resource: "rows", Need: int64(need), Have: int64(have), Unit: "inputs and neurons", Target: p.Chip.Name,
			Remedy: "train with a smaller --size or --hidden: 196-50-10 is 256"}
	}
	return nil
}

// invalid wraps what package rtl refuses.
func (p *Placed) invalid(err error) error {
	return fmt.Errorf("target %s: %w: %w", p.Chip.Name, export.ErrNoFit, err)
}

func rows(l fixedpoint.Layer) [][]int8 {
	w := make([][]int8, l.In)
	for i := range w {
		w[i] = make([]int8, l.Out)
		for j := range w[i] {
			w[i][j] = int8(l.Weights.At(i, j) << l.WeightExp)
		}
	}
	return w
}

// Stimulus is one sample's events.
func (p *Placed) Stimulus(train Train) rtl.Sample {
	events := make(rtl.Events, train.Ticks())
	for t := range events {
		for _, a := range train.At(t) {
			events[t] = append(events[t], p.Inputs+int(a))
		}
	}
	if p.Core.Synchronous {
		return p.shape().Synchronous(events, false)
	}
	return rtl.Native(events, p.feed(), false)
}

// CoreOf is the core of each neuron, for the emulator's counters: one core.
func (p *Placed) CoreOf() []targets.CoreID { return make([]targets.CoreID, p.Model.Neurons()) }

// HostWrites is how many words the host writes into the chip for a sample: the
// thresholds of each tick, there and back, and the membranes before it.
func (p *Placed) HostWrites() int {
	programs := p.Core.Programs()
	return p.Model.Ticks*(len(programs.Release)+len(programs.Hold)) + len(programs.Clear)
}

// Write makes the folder dir, whole or not at all: rtl's tables, the stimuli of
// trains, and a manifest.
func (p *Placed) Write(dir string, trains []Train, o table.Options) error {
	lowered, err := p.Model.Hash()
	if err != nil {
		return err
	}
	var samples []rtl.Sample
	for _, t := range trains {
		samples = append(samples, p.Stimulus(t))
	}
	return artefact.WriteDir(dir, o.Force, func(tmp string) error {
		if err := p.Core.WriteFolder(tmp, samples); err != nil {
			return err
		}
		return table.WriteManifest(tmp, table.Manifest{
			Kind: Kind, Tool: o.Tool, Model: o.Model, Target: p.Chip.Name, TargetSpec: o.TargetSpec, Chip: p.Chip.SHA256,
			Lowered: lowered, Source: p.Model.Source, Stimuli: o.Stimuli,
		})
	})
}

// Result is a comparison of a log with what the emulator says; a sample counts
// where its spikes or final membranes differ.
type Result = rtl.Result

// Want is what the emulator says of one sample.
type Want struct {
	Spikes    [][]rtl.SpikeLog // of each layer that fires, in the order of the emulator, neurons from 0
	Membranes []int64          // of all neurons after the last tick
}

// Compare holds each sample's spikes and final membranes against want. Layers
// are compared one by one: how the spikes of two layers interleave is the
// chip's affair, and no membrane depends on it.
func (p *Placed) Compare(log *rtl.Log, want []Want) (*Result, error) {
	if len(log.Samples) != len(want) {
		return nil, fmt.Errorf("log: got %d samples, want %d", len(log.Samples), len(want))
	}
	r := &Result{Samples: len(want)}
	for i, w := range want {
		got := log.Samples[i]
		r.Cycles += got.Cycles - got.SPICycles
		r.SPICycles += got.SPICycles
		for _, s := range w.Spikes {
			r.Spikes += len(s)
		}
		r.Membranes += len(w.Membranes)
		if first := p.differ(got, w); first != "" {
			r.Mismatches++
			if r.First == "" {
				r.First = fmt.Sprintf("sample %d: %s", i, first)
			}
		}
	}
	return r, nil
}

func (p *Placed) differ(got rtl.SampleLog, w Want) string {
	spikes := make([][]rtl.SpikeLog, len(p.Model.Layers))
	for _, s := range got.Spikes {
		l, n := p.neuron(s.Neuron)
		if l < 0 {
			return fmt.Sprintf("spikes: got one of the chip's neuron %d in tick %d, which is none of the network's", s.Neuron, s.Tick)
		}
		spikes[l] = append(spikes[l], rtl.SpikeLog{Tick: s.Tick, Neuron: n})
	}
	for l, got := range spikes {
		var want []rtl.SpikeLog
		if l < len(w.Spikes) {
			want = w.Spikes[l]
		}
		for k := range want {
			if k >= len(got) {
				return fmt.Sprintf("layer %d: spike %d: got none, want neuron %d in tick %d", l, k, want[k].Neuron, want[k].Tick)
			}
			if got[k] != want[k] {
				return fmt.Sprintf("layer %d: spike %d: got neuron %d in tick %d, want neuron %d in tick %d", l, k, got[k].Neuron, got[k].Tick, want[k].Neuron, want[k].Tick)
			}
		}
		if extra := len(got) - len(want); extra > 0 {
			return fmt.Sprintf("layer %d: spikes: got %d more than the %d wanted", l, extra, len(want))
		}
	}
	if len(got.Membranes) < p.First+len(w.Membranes) {
		return fmt.Sprintf("membranes: got %d, want %d", len(got.Membranes), p.First+len(w.Membranes))
	}
	for j, v := range w.Membranes {
		if g := int64(got.Membranes[p.First+j]); g != v {
			return fmt.Sprintf("membrane of neuron %d: got %d, want %d", j, g, v)
		}
	}
	return ""
}

// neuron is the layer and the place in it of a neuron of the chip; layer -1 for
// none of the network's.
func (p *Placed) neuron(n int) (layer, i int) {
	if n -= p.First; n < 0 {
		return -1, 0
	}
	for l, layer := range p.Model.Layers {
		if n < layer.Out {
			return l, n
		}
		n -= layer.Out
	}
	return -1, 0
}
