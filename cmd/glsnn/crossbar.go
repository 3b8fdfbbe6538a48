package main

import (
	"context"
	"fmt"
	"io"
	"slices"

	"glsnn/emulator"
	"glsnn/emulator/cost"
	"glsnn/export/crossbar"
	"glsnn/export/rtl"
	"glsnn/export/table"
	"glsnn/fixedpoint"
	"glsnn/float/dataset"
	"glsnn/float/encode"
	"glsnn/targets"
)

// exportCrossbar writes the tables of a chip that is one crossbar.
func (a *app) exportCrossbar(ctx context.Context, o *exportOptions, m *fixedpoint.Model, hash string, chip *targets.Chip) (*exportResult, error) {
	p, err := placeCrossbar(m, chip, o.target)
	if err != nil {
		return nil, err
	}
	set, err := o.stimulus.load(a, modelData(m), m.Inputs())
	if err != nil {
		return nil, err
	}
	trains, err := encodeAll(m, set)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := p.Write(o.out, trains, table.Options{Tool: tool(), Model: hash, TargetSpec: o.target, Force: true, Stimuli: stimuliOf(o, m)}); err != nil {
		return nil, err
	}
	r := &exportResult{Tables: o.out, Target: chip.Name, Cores: 1, CoresHave: 1, Tiles: 1, Neurons: m.Neurons(), Synapses: m.Synapses()}
	r.limits(chip)
	return r, nil
}

func encodeAll(m *fixedpoint.Model, set *dataset.Set) ([]crossbar.Train, error) {
	enc, err := modelEncoder(m)
	if err != nil {
		return nil, err
	}
	trains := make([]crossbar.Train, set.Len())
	for i := range trains {
		t := &encode.Train{}
		enc.Encode(t, i, set.Image(i))
		trains[i] = t
	}
	return trains, nil
}

// stimuliOf says what an export's stimuli are made of.
func stimuliOf(o *exportOptions, m *fixedpoint.Model) *table.Stimuli {
	s := &table.Stimuli{Data: o.stimulus.data, Split: o.stimulus.split}
	if s.Data == "" {
		s.Data = modelData(m).Name
	}
	return s
}

// storedTrains are the samples of the n stimuli in a table folder, whatever
// samples verify is asked to run, which trains are.
func (a *app) storedTrains(o *verifyOptions, man *table.Manifest, m *fixedpoint.Model, n int, trains []crossbar.Train) ([]crossbar.Train, error) {
	run := table.Stimuli{Data: o.data.data, Split: o.data.split}
	if run.Data == "" {
		run.Data = modelData(m).Name
	}
	of := table.Stimuli{Data: modelData(m).Name, Split: "test"}
	if man.Stimuli != nil {
		of = *man.Stimuli
	}
	if n == 0 || of == run && n <= len(trains) {
		return trains[:n], nil
	}
	set, err := (&dataFlags{data: of.Data, split: of.Split, samples: n}).load(a, modelData(m), m.Inputs())
	if err != nil {
		return nil, fmt.Errorf("%s: stimuli: %w", o.dir, err)
	}
	if set.Len() < n {
		return nil, withCode(exitMismatch, fmt.Errorf("%s: stimuli: got %d, and the %s split of %s has %d samples", o.dir, n, of.Split, of.Data, set.Len()))
	}
	return encodeAll(m, set)
}

// crossbarResult is what verify prints of a crossbar's tables.
type crossbarResult struct {
	Tables    string           `json:"tables"`
	Target    string           `json:"target"`
	Files     int              `json:"files"`
	Stored    int              `json:"stored_stimuli"`
	SameModel bool             `json:"same_model"`    // neurons and weights, read back, are the model's, placed
	Tried     *crossbar.Result `json:"tables_run"`    // the tables, by an integer model of the chip's events
	RTL       *crossbar.Result `json:"rtl,omitempty"` // the user's clone of the chip

	Events *cycles `json:"event_cycles,omitempty"` // of the RTL: all but
	SPI    *cycles `json:"spi_cycles,omitempty"`   // what the host writes; none if it was not run

	Samples    int `json:"samples"`
	Mismatches int `json:"mismatches"`
}

// cycles are clock cycles of a sample, on average.
type cycles struct {
	RTL      float64  `json:"rtl"`
	Estimate *float64 `json:"estimate"` // nil where the target lacks a constant
	Ratio    *float64 `json:"ratio"`    // estimate over RTL
}

func newCycles(rtl float64, estimate *float64) *cycles {
	c := &cycles{RTL: rtl, Estimate: estimate}
	if estimate != nil && rtl > 0 {
		r := *estimate / rtl
		c.Ratio = &r
	}
	return c
}

// verifyCrossbar runs the tables of a crossbar, event by event as the chip
// would, and with --rtl on the chip's own RTL, and compares spikes and final
// membranes with the emulator's.
func (a *app) verifyCrossbar(ctx context.Context, o *verifyOptions, man *table.Manifest) (*crossbarResult, error) {
	m, err := exportedModel(o, man)
	if err != nil {
		return nil, err
	}
	chip, err := exportedChip(o.dir, man, "export again")
	if err != nil {
		return nil, err
	}
	p, err := placeCrossbar(m, chip, man.TargetSpec)
	if err != nil {
		return nil, err
	}
	core, stored, err := rtl.ReadFolder(o.dir)
	if err != nil {
		return nil, withCode(exitCorrupt, err)
	}
	set, err := o.data.load(a, modelData(m), m.Inputs())
	if err != nil {
		return nil, err
	}
	trains, err := encodeAll(m, set)
	if err != nil {
		return nil, err
	}
	samples := make([]rtl.Sample, len(trains))
	want := make([]crossbar.Want, len(trains))
	engine := emulator.New(p.Model, emulator.Options{CoreOf: p.CoreOf()})
	for i, t := range trains {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		samples[i] = p.Stimulus(t)
		want[i] = wanted(engine, p.Model, t)
	}
	from, err := a.storedTrains(o, man, m, len(stored), trains)
	if err != nil {
		return nil, err
	}
	for i, t := range from {
		if !slices.Equal(stored[i], p.Stimulus(t)) {
			return nil, withCode(exitMismatch, fmt.Errorf("%s: stimulus %d: got other events than sample %d has", o.dir, i, i))
		}
	}
	r := &crossbarResult{Tables: o.dir, Target: man.Target, Files: len(man.Files), Stored: len(stored), SameModel: core.Same(p.Core), Samples: len(trains)}
	log, err := core.Predict(samples)
	if err != nil {
		return nil, err
	}
	if r.Tried, err = p.Compare(log, want); err != nil {
		return nil, err
	}
	r.Mismatches = r.Tried.Mismatches
	if o.rtl != "" {
		a.say("running %d samples on %s under %s; this can take minutes", len(samples), o.rtl, o.simulator)
		if log, err = rtl.Run(ctx, rtl.Options{Clone: o.rtl, Simulator: o.simulator, PhasesBySPI: o.spi}, core, samples); err != nil {
			return nil, err
		}
		if r.RTL, err = p.Compare(log, want); err != nil {
			return nil, err
		}
		r.Mismatches += r.RTL.Mismatches
		return r, r.estimate(engine.Counters(), p, o.spi)
	}
	return r, nil
}

// estimate sets the RTL's cycles beside those that the cost model makes of the
// same samples.
func (r *crossbarResult) estimate(c emulator.Counters, p *crossbar.Placed, spi bool) error {
	e, err := cost.New(c, p.Chip, crossbarCost(p), nil)
	if err != nil {
		return err
	}
	n := float64(r.Samples)
	events, written := e.Split("host_write_cycles")
	r.Events = newCycles(float64(r.RTL.Cycles)/n, events)
	if spi {
		r.SPI = newCycles(float64(r.RTL.SPICycles)/n, written)
	}
	return nil
}

// wanted is what the emulator says of one sample.
func wanted(e *emulator.Engine, m *fixedpoint.Model, t crossbar.Train) crossbar.Want {
	w := crossbar.Want{Spikes: make([][]rtl.SpikeLog, len(m.Layers))}
	e.Reset()
	for tick := range m.Ticks {
		e.Step(t.At(tick))
		for l := range m.Layers {
			for _, n := range e.Spikes(l) {
				w.Spikes[l] = append(w.Spikes[l], rtl.SpikeLog{Tick: tick, Neuron: int(n)})
			}
		}
	}
	for l := range m.Layers {
		w.Membranes = append(w.Membranes, e.Membrane(l, nil)...)
	}
	return w
}

func (r *crossbarResult) text(w io.Writer) {
	fmt.Fprintf(w, "files\t%d\thashes as in the manifest; images and SPI programs agree\n", r.Files)
	fmt.Fprintf(w, "read back\ttarget %s\t%s\n", r.Target, sameText(r.SameModel))
	show := func(what string, c *crossbar.Result) {
		fmt.Fprintf(w, "%s\t%d mismatches\t%d samples, %d spikes, %d final membranes against the emulator\n", what, c.Mismatches, c.Samples, c.Spikes, c.Membranes)
	}
	show("tables", r.Tried)
	if r.RTL != nil {
		show("rtl", r.RTL)
		for _, c := range []struct {
			what string
			*cycles
		}{{"events", r.Events}, {"host by SPI", r.SPI}} {
			switch {
			case c.cycles == nil:
				fmt.Fprintf(w, "cycles\t%s\tnot run; --spi does\n", c.what)
			case c.Ratio == nil:
				fmt.Fprintf(w, "cycles\t%s\t%.0f a sample on the RTL\n", c.what, c.RTL)
			default:
				fmt.Fprintf(w, "cycles\t%s\t%.0f a sample on the RTL, %.0f estimated: ratio %.4f\n", c.what, c.RTL, *c.Estimate, *c.Ratio)
			}
		}
	}
}

func (r *crossbarResult) verdict() error {
	for _, c := range []*crossbar.Result{r.Tried, r.RTL} {
		if c != nil && c.Mismatches > 0 {
			return withCode(exitMismatch, fmt.Errorf("%s: %d of %d samples differ; %s", r.Tables, c.Mismatches, c.Samples, c.First))
		}
	}
	return sameVerdict(r.Tables, r.SameModel)
}
