package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"

	"glsnn/emulator"
	"glsnn/emulator/parity"
	"glsnn/export"
	"glsnn/export/mesh"
	"glsnn/export/rtl"
	"glsnn/export/table"
	"glsnn/fixedpoint"
)

// exportMesh writes the tables of a mesh of cores with crosspoints of one bit.
func (a *app) exportMesh(o *exportOptions, m *fixedpoint.Model, mp *export.Mapping, hash string, layout *export.Layout) error {
	placed, err := mesh.Build(mp)
	if err != nil {
		return err
	}
	set, err := o.stimulus.load(a, modelData(m), m.Inputs())
	if err != nil {
		return err
	}
	trains, err := encodeAll(m, set)
	if err != nil {
		return err
	}
	samples := make([]rtl.GridSample, len(trains))
	for i, t := range trains {
		samples[i] = placed.Packets(t)
	}
	return placed.Write(o.out, mp.Chip, samples, table.Options{Tool: tool(), Model: hash, TargetSpec: o.target, Layout: layout, Force: true, Stimuli: stimuliOf(o, m)})
}

// meshResult is what verify prints of a mesh's tables.
type meshResult struct {
	Tables    string           `json:"tables"`
	Target    string           `json:"target"`
	Files     int              `json:"files"`
	Stored    int              `json:"stored_stimuli"`
	SameModel bool             `json:"same_model"` // weights and parameters, read back, are the model's in the target's arithmetic
	Run       *parity.Sameness `json:"run"`        // the network read back, by the emulator
	Tried     *rtl.Result      `json:"tables_run"` // the memories, by an integer model of the mesh
	RTL       *rtl.Result      `json:"rtl,omitempty"`
	Simulator string           `json:"simulator,omitempty"` // what ran RTL
	Wrapped   int              `json:"samples_wrapped"`     // of RTL under ranc_sim, whose membranes do not wrap: held against the integer model without wrap
	Estimate  *float64         `json:"cycles_estimated"`    // of a sample; null where the target's tick has no fixed length

	Samples    int `json:"samples"`
	Mismatches int `json:"mismatches"`
}

// verifyMesh rebuilds the network from the tables of a mesh and runs it beside
// the model; runs the memories by an integer model of the mesh, packet by
// packet; and with --rtl runs them on the chip's own RTL or simulator.
func (a *app) verifyMesh(ctx context.Context, o *verifyOptions, man *table.Manifest) (*meshResult, error) {
	m, err := exportedModel(o, man)
	if err != nil {
		return nil, err
	}
	chip, err := exportedChip(o.dir, man, "export again")
	if err != nil {
		return nil, err
	}
	mp, err := mapModel(m, chip, man.TargetSpec)
	if err == nil && man.Layout != nil {
		if mp, err = export.MapTo(m, chip, man.Layout); err != nil {
			err = damaged(fmt.Errorf("%s: manifest.json: %w", o.dir, err))
		}
	}
	if err != nil {
		return nil, err
	}
	placed, err := mesh.Build(mp)
	if err != nil {
		return nil, err
	}
	stored, samples, err := mesh.Read(o.dir)
	if err != nil {
		return nil, damaged(err)
	}
	r := &meshResult{Tables: o.dir, Target: man.Target, Files: len(man.Files), Stored: len(samples), Tried: &rtl.Result{}}
	if r.SameModel, err = wasExported(stored.Model, man); err != nil {
		return nil, err
	}
	set, err := o.data.load(a, modelData(m), m.Inputs())
	if err != nil {
		return nil, err
	}
	if r.Run, err = a.runReadBack(ctx, o, stored.Model, m, set, true); err != nil {
		return nil, err
	}
	trains, err := encodeAll(m, set)
	if err != nil {
		return nil, err
	}
	packets := make([]rtl.GridSample, len(trains))
	engine := emulator.New(placed.Model, emulator.Options{Delay: true})
	for i, t := range trains {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		packets[i] = stored.Packets(t)
	}
	from, err := a.storedTrains(o, man, m, len(samples), trains)
	if err != nil {
		return nil, err
	}
	for i, t := range from {
		if !slices.EqualFunc(samples[i], stored.Packets(t), slices.Equal[[]rtl.Packet]) {
			return nil, withCode(exitMismatch, fmt.Errorf("%s: stimulus %d: got other packets than sample %d has", o.dir, i, i))
		}
	}
	const block = 50 // logs of all membranes are large
	for lo := 0; lo < len(trains); lo += block {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for i, got := range stored.Grid.Predict(packets[lo:min(lo+block, len(trains))]).Samples {
			r.Tried.Add(got, placed.Expect(engine, trains[lo+i]))
		}
	}
	r.Samples, r.Mismatches = len(trains), r.Run.Mismatches+r.Tried.Mismatches
	if o.rtl == "" {
		return r, nil
	}
	a.say("running %d samples on %s under %s; this can take minutes", len(packets), o.rtl, o.simulator)
	r.RTL, r.Simulator = &rtl.Result{}, o.simulator
	if o.simulator == rtl.RANCSimulator {
		err = a.runRANCSimulator(ctx, o.rtl, r, stored.Grid, packets, func(i int) rtl.SampleLog { return placed.Expect(engine, trains[i]) })
	} else {
		var log *rtl.Log
		if log, err = rtl.RunGrid(ctx, rtl.Options{Clone: o.rtl, Simulator: o.simulator}, stored.Grid, packets); err == nil {
			for i, got := range log.Samples {
				r.RTL.Add(got, placed.Expect(engine, trains[i]))
			}
		}
		if c := mp.Chip.Cost.Cycles; c.TickAllIn && len(packets) > 0 {
			cycles := float64(len(packets[0])) * *c.TickCycles.Value
			r.Estimate = &cycles
		}
	}
	if err != nil {
		return nil, err
	}
	r.Mismatches += r.RTL.Mismatches
	return r, nil
}

// runRANCSimulator builds the clone's C++ simulator and adds what it says of
// each sample to r. Its membranes are unbounded: a sample in which ours wrap, so
// that it shows in the spikes, is counted and held against the integer model
// without wrap.
func (a *app) runRANCSimulator(ctx context.Context, clone string, r *meshResult, g *rtl.Grid, packets []rtl.GridSample, expect func(i int) rtl.SampleLog) error {
	dir, err := os.MkdirTemp("", "glsnn-ranc-build-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	binary, err := rtl.BuildGridSimulator(ctx, clone, dir)
	if err != nil {
		return err
	}
	unbounded := *g
	unbounded.Bits = 32
	meter := a.meter("simulate", "samples", len(packets), 0)
	defer meter.clear()
	for i, s := range packets {
		meter.at(i)
		want := unbounded.Predict(packets[i : i+1]).Samples[0].Spikes
		if !slices.Equal(want, expect(i).Spikes) {
			r.Wrapped++
		}
		spikes, err := rtl.RunGridSimulator(ctx, binary, g, s)
		if err != nil {
			return err
		}
		r.RTL.Add(rtl.SampleLog{Spikes: spikes}, rtl.SampleLog{Spikes: want})
	}
	return nil
}

func (r *meshResult) text(w io.Writer) {
	fmt.Fprintf(w, "files\t%d\thashes as in the manifest; memories, placement and packets agree\n", r.Files)
	readBackText(w, r.Target, r.SameModel, r.Run, true)
	fmt.Fprintf(w, "tables\t%d mismatches\t%d samples, %d output spikes, %d membranes after every tick, by an integer model of the mesh\n", r.Tried.Mismatches, r.Tried.Samples, r.Tried.Spikes, r.Tried.Membranes)
	if r.RTL == nil {
		return
	}
	fmt.Fprintf(w, "%s\t%d mismatches\t%d samples, %d output spikes", r.Simulator, r.RTL.Mismatches, r.RTL.Samples, r.RTL.Spikes)
	if r.RTL.Membranes > 0 {
		fmt.Fprintf(w, ", %d membranes after every tick", r.RTL.Membranes)
	}
	fmt.Fprintln(w)
	if r.Simulator == rtl.RANCSimulator {
		fmt.Fprintf(w, "%s\t%d wrap\tsamples with other spikes than the emulator's, since this simulator's membranes do not wrap: held against the integer model without wrap\n", r.Simulator, r.Wrapped)
		return
	}
	fmt.Fprintf(w, "%s\t%.0f cycles\ta sample, input packets included", r.Simulator, float64(r.RTL.Cycles)/float64(r.RTL.Samples))
	if r.Estimate != nil {
		fmt.Fprintf(w, "; %.0f by the target's tick_cycles", *r.Estimate)
	}
	fmt.Fprintln(w)
}

func (r *meshResult) verdict() error {
	if err := readBackVerdict(r.Tables, r.SameModel, r.Run); err != nil {
		return err
	}
	for _, c := range []*rtl.Result{r.Tried, r.RTL} {
		if c != nil && c.Mismatches > 0 {
			return withCode(exitMismatch, fmt.Errorf("%s: %d of %d samples differ; %s", r.Tables, c.Mismatches, c.Samples, c.First))
		}
	}
	return nil
}
