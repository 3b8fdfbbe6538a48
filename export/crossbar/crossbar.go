// Package crossbar puts a quantised network on a chip that is one crossbar and
// knows events only, tinyODIN, and gets it back: inputs, hidden neurons and
// outputs share the chip's rows, a host drives the ticks, and the tables are
// the SPI programs and memory images of package rtl.
//
// The scheme is rtl's synchronous one. Its tick is the emulator's for a chip
// whose weights go straight into the membrane, which forgets after integrating:
// hidden neurons integrate, leak, are tested and reset; outputs only gather. An
// output's leak would come before its input and not after, so it must be off.
package crossbar

import (
	"fmt"

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
	Model *fixedpoint.Model // in the chip's own arithmetic
	Chip  *targets.Chip
	Core  *rtl.Core
	Shape rtl.Shape
}

// Place lowers m to chip's arithmetic and puts it on one crossbar. The reasons
// why it cannot be are fixedpoint.Lower's, or wrap export.ErrNoFit.
func Place(m *fixedpoint.Model, chip *targets.Chip) (*Placed, error) {
	lowered, err := fixedpoint.Lower(m, chip.Arithmetic)
	if err != nil {
		return nil, fmt.Errorf("target %s cannot express this network exactly: %w", chip.Name, err)
	}
	unfit := func(field string, got any, want string) error {
		return fmt.Errorf("%s: %w: got %v, want %s (target %s)", field, export.ErrNoFit, got, want, chip.Name)
	}
	if n := len(lowered.Layers); n != 2 || !lowered.Layers[1].Integrator {
		return nil, unfit("layers", n, "two, the second a read-out by membrane: one crossbar holds one hidden layer")
	}
	if have, need := chip.Core.Neurons, lowered.Inputs()+lowered.Neurons(); need > have {
		return nil, &export.FitError{Layer: -1, Resource: "rows", Need: int64(need), Have: int64(have), Unit: "inputs and neurons", Target: chip.Name,
			Remedy: "train with a smaller --size or --hidden: 196-50-10 is 256"}
	}
	hidden, out := lowered.Layers[0], lowered.Layers[1]
	if out.MembraneLeak != 0 {
		return nil, unfit("layer 1: membrane_leak", out.MembraneLeak, "0")
	}
	net := rtl.TwoLayer{W1: rows(hidden), W2: rows(out), Thresholds: make([]int, hidden.Out), Leaks: make([]int, hidden.Out)}
	for i := range hidden.Out {
		net.Thresholds[i], net.Leaks[i] = int(hidden.Threshold), int(hidden.MembraneLeak)
	}
	p := &Placed{Model: lowered, Chip: chip}
	if p.Core, p.Shape, err = net.Place(rtl.Chip(chip.Tables.Format)); err != nil {
		return nil, fmt.Errorf("target %s: %w: %w", chip.Name, export.ErrNoFit, err)
	}
	return p, nil
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
			events[t] = append(events[t], int(a))
		}
	}
	return p.Shape.Synchronous(events, false)
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
			Lowered: lowered, Source: p.Model.Source,
		})
	})
}

// Result is a comparison of a log with what the emulator says; a sample counts
// where its spikes or final membranes differ.
type Result = rtl.Result

// Want is what the emulator says of one sample: hidden spikes in order, and the
// membranes of hidden neurons and outputs after the last tick.
type Want struct {
	Spikes    []rtl.SpikeLog
	Membranes []int64
}

// Compare holds each sample's spikes and final membranes against want.
func (s Stored) Compare(log *rtl.Log, want []Want) (*Result, error) {
	if len(log.Samples) != len(want) {
		return nil, fmt.Errorf("log: got %d samples, want %d", len(log.Samples), len(want))
	}
	r := &Result{Samples: len(want)}
	for i, w := range want {
		got := log.Samples[i]
		r.Cycles += got.Cycles
		first := s.differ(got, w)
		r.Spikes += len(w.Spikes)
		r.Membranes += len(w.Membranes)
		if first != "" {
			r.Mismatches++
			if r.First == "" {
				r.First = fmt.Sprintf("sample %d: %s", i, first)
			}
		}
	}
	return r, nil
}

func (s Stored) differ(got rtl.SampleLog, w Want) string {
	for k, spike := range w.Spikes {
		if k >= len(got.Spikes) {
			return fmt.Sprintf("spike %d: got none, want neuron %d in tick %d", k, spike.Neuron, spike.Tick)
		}
		g := got.Spikes[k]
		g.Neuron -= s.Inputs
		if g != spike {
			return fmt.Sprintf("spike %d: got neuron %d in tick %d, want neuron %d in tick %d", k, g.Neuron, g.Tick, spike.Neuron, spike.Tick)
		}
	}
	if extra := len(got.Spikes) - len(w.Spikes); extra > 0 {
		return fmt.Sprintf("spikes: got %d more than the %d wanted", extra, len(w.Spikes))
	}
	if len(got.Membranes) < s.Inputs+len(w.Membranes) {
		return fmt.Sprintf("membranes: got %d, want %d", len(got.Membranes), s.Inputs+len(w.Membranes))
	}
	for j, v := range w.Membranes {
		if g := int64(got.Membranes[s.Inputs+j]); g != v {
			return fmt.Sprintf("membrane of neuron %d: got %d, want %d", j, g, v)
		}
	}
	return ""
}

// Stored is a crossbar folder read back.
type Stored struct {
	Core    *rtl.Core
	Samples []rtl.Sample
	Inputs  int // rows before the first neuron
}

// Read reads the tables of dir, whose files must agree with each other. inputs
// is the number of input rows, from the model.
func Read(dir string, inputs int) (Stored, error) {
	core, samples, err := rtl.ReadFolder(dir)
	return Stored{core, samples, inputs}, err
}
