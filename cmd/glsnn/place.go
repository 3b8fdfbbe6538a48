package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"glsnn/emulator"
	"glsnn/emulator/cost"
	"glsnn/export"
	"glsnn/export/crossbar"
	"glsnn/export/mesh"
	"glsnn/export/place"
	"glsnn/fixedpoint"
	"glsnn/fixedpoint/artefact"
	"glsnn/float/dataset"
	"glsnn/targets"
)

// placement is a model on a target, core by core or on one crossbar, as far as
// the emulator and the cost model ask.
type placement struct {
	Model  *fixedpoint.Model // in the target's own arithmetic
	Chip   *targets.Chip
	CoreOf []targets.CoreID
	Cost   cost.Placed

	mapping *export.Mapping // nil of one crossbar; then core is it
	core    *crossbar.Placed
	method  string // how it was made
}

// planFlags say how a model is cut and placed.
type planFlags struct {
	partition, placement string
	seed                 uint64
	linkWeight, moves    int
	tiles                int
	traffic              string
	layout               *export.Layout // in place of all of these
}

// inputs are the files that p may name; a method's name is a file of none.
func (p *planFlags) inputs() []string { return []string{p.traffic, p.placement} }

// defaultLinkWeight makes a message over the busiest link count as much as one
// over eight others: on meshes of tens of cores about what its row has.
const defaultLinkWeight = 8

// defaultPlan is what planFlags are without a flag.
func defaultPlan() planFlags {
	return planFlags{partition: export.Fill, placement: string(place.Serpentine), seed: 1, linkWeight: defaultLinkWeight}
}

func (p *planFlags) register(cmd *cobra.Command) {
	*p = defaultPlan()
	f := cmd.Flags()
	f.StringVar(&p.partition, "partition", p.partition, "cut layers to cores: fill (fewest, balanced) or spread (twice as many, for a shorter tick)")
	f.StringVar(&p.placement, "placement", p.placement, "give parts cores: "+joinMethods(", ")+", or a layout file of 'glsnn map -o'")
	p.search(cmd)
	completeWith(cmd, "partition", export.Fill, export.Spread)
	completeWith(cmd, "placement", strings.Split(joinMethods(" "), " ")...)
}

// search are the flags of methods that look for a placement.
func (p *planFlags) search(cmd *cobra.Command) {
	f := cmd.Flags()
	f.Uint64Var(&p.seed, "placement-seed", p.seed, "seed of random and anneal")
	f.IntVar(&p.linkWeight, "link-weight", p.linkWeight, "anneal: what a message over the busiest link counts beside one over any link")
	f.IntVar(&p.tiles, "most-tiles", 0, "anneal: use at most so many tiles; 0 for as few as hold the parts, -1 for no limit")
	f.IntVar(&p.moves, "moves", 0, "anneal: swaps to try; 0 chooses by the number of parts")
	f.StringVar(&p.traffic, "traffic", "", "anneal: spikes to place by, a CSV of 'glsnn emulate --spikes' (default: those of the samples)")
}

func joinMethods(sep string) string {
	var names []string
	for _, m := range place.Methods() {
		names = append(names, string(m))
	}
	return strings.Join(names, sep)
}

// parse is the plan of flags, and the layout in its place if --placement is a
// file.
func (p *planFlags) parse() (plan export.Plan, layout *export.Layout, err error) {
	if p.layout != nil {
		return plan, p.layout, nil
	}
	if p.linkWeight < 0 || p.linkWeight > 1<<20 {
		return plan, nil, usage("--link-weight: got %d, want 0..%d", p.linkWeight, 1<<20)
	}
	if p.tiles < -1 {
		return plan, nil, usage("--most-tiles: got %d, want a number of tiles, 0 or -1", p.tiles)
	}
	if p.moves < 0 || p.moves > 1<<30 {
		return plan, nil, usage("--moves: got %d, want 0..%d", p.moves, 1<<30)
	}
	plan.Options = p.options()
	if plan.Spread, err = export.ParsePartition(p.partition); err != nil {
		return plan, nil, usage("--partition: %w", err)
	}
	if plan.Method, err = place.ParseMethod(p.placement); err == nil {
		return plan, nil, nil
	}
	if !strings.HasSuffix(p.placement, ".json") {
		return plan, nil, usage("--placement: %w, or a .json file of 'glsnn map -o'", err)
	}
	layout, err = readLayout(p.placement)
	return plan, layout, err
}

// options are those of the methods that look for a placement.
func (p *planFlags) options() place.Options {
	return place.Options{Seed: p.seed, LinkWeight: p.linkWeight, Tiles: p.tiles, Moves: p.moves}
}

// maxLayout is the largest layout file that is read.
const maxLayout = 64 << 20

func readLayout(path string) (*export.Layout, error) {
	data, err := readSmall(path, maxLayout)
	if err != nil {
		return nil, err
	}
	var l export.Layout
	if err := artefact.DecodeJSON(path, data, "those of a layout of 'glsnn map -o'", &l); err != nil {
		return nil, usage("--placement: %w", err)
	}
	return &l, nil
}

// readSmall reads a file of at most n bytes.
func readSmall(path string, n int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, n+1))
	if err == nil && int64(len(data)) > n {
		err = usage("%s: got more than %d bytes, want at most that", path, n)
	}
	return data, err
}

// place puts m on a target by the default plan.
func (a *app) place(m *fixedpoint.Model, target string) (*placement, error) {
	p := defaultPlan()
	return a.placeBy(context.Background(), m, target, &p, nil)
}

// placeBy puts m on a target by a plan. samples gives the spikes that anneal
// places by, where --traffic gives none; nil: one for each neuron.
func (a *app) placeBy(ctx context.Context, m *fixedpoint.Model, target string, flags *planFlags, samples func() (*dataset.Set, error)) (*placement, error) {
	chip, err := targets.Load(target)
	if err != nil {
		return nil, err
	}
	p, err := a.placeOn(ctx, m, chip, flags, samples)
	return p, unplaced(err, target)
}

// placeOn is placeBy with chip's file read, and errors as they are.
func (a *app) placeOn(ctx context.Context, m *fixedpoint.Model, chip *targets.Chip, flags *planFlags, samples func() (*dataset.Set, error)) (*placement, error) {
	plan, layout, err := flags.parse()
	if err != nil {
		return nil, err
	}
	if chip.Tables.Format.Crossbar() {
		p, err := crossbar.Place(m, chip)
		if err != nil {
			return nil, err
		}
		return &placement{Model: p.Model, Chip: chip, CoreOf: p.CoreOf(), Cost: crossbarCost(p), core: p, method: "one crossbar"}, nil
	}
	method := flags.partition + ", " + string(plan.Method)
	var mp *export.Mapping
	if layout != nil {
		method = layout.Method
		mp, err = export.MapTo(m, chip, layout)
	} else {
		if plan.Method == place.Anneal {
			if plan.Traffic, err = a.trafficOf(ctx, m, chip, flags, samples); err != nil {
				return nil, err
			}
			method += fmt.Sprintf(", seed %d", plan.Seed)
		}
		mp, err = export.MapWith(ctx, m, chip, plan)
	}
	if err == nil && chip.Tables.Format == targets.RANCTables {
		_, err = mesh.Build(mp)
	}
	if err != nil {
		return nil, err
	}
	placed, err := mappingCost(mp)
	if err != nil {
		return nil, err
	}
	return &placement{Model: mp.Model, Chip: chip, CoreOf: mp.CoreOf(), Cost: placed, mapping: mp, method: method}, nil
}

// trafficOf are the spikes to place by.
func (a *app) trafficOf(ctx context.Context, m *fixedpoint.Model, chip *targets.Chip, flags *planFlags, samples func() (*dataset.Set, error)) ([][]uint64, error) {
	if flags.traffic != "" {
		f, err := os.Open(flags.traffic)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		spikes, err := readTraffic(f, m)
		if err != nil {
			return nil, usage("--traffic %s: %w", flags.traffic, err)
		}
		return spikes, nil
	}
	if samples == nil {
		return nil, nil
	}
	set, err := samples()
	if err != nil {
		return nil, err
	}
	lowered, err := fixedpoint.Lower(m, chip.Arithmetic)
	if err != nil {
		return nil, err
	}
	act, err := a.activity(ctx, lowered, set, chip.Fabric.LayerDelay > 0)
	if err != nil {
		return nil, err
	}
	return act.Spikes, nil
}

// counters are the network's with what the chip does more where it stores
// neurons in copies and weights over several in-axons: every copy is updated and
// reads its synapses. Spikes stay the network's; what the copies send is in the
// messages of mappingCost.
func (p *placement) counters(c emulator.Counters) emulator.Counters {
	mp := p.mapping
	if mp == nil {
		return c
	}
	c.Layers, c.Cores = slices.Clone(c.Layers), slices.Clone(c.Cores)
	for l := range c.Layers {
		copies, axons := uint64(mp.Copies(l)), uint64(mp.AxonsPerInput(l))
		c.Layers[l].Events *= axons
		c.Layers[l].SynOps *= axons * copies
		c.Layers[l].Updates *= copies
	}
	for i, p := range mp.Parts {
		copies, axons := uint64(mp.Copies(p.Layer)), uint64(mp.AxonsPerInput(p.Layer))
		core := &c.Cores[mp.Cores[i]]
		core.Events *= axons
		core.SynOps *= axons * copies
		core.Updates *= copies
	}
	return c
}

// options are how the emulator runs the model as that target would.
func (p *placement) options(workers int) emulator.RunOptions {
	return emulator.RunOptions{Workers: workers, CoreOf: p.CoreOf, Delay: p.Chip.Fabric.LayerDelay > 0}
}

// timers watch for the work of the busiest core of each tick.
func (p *placement) timers() func() *cost.Timer {
	copies, axons := make([]int, len(p.Model.Layers)), make([]int, len(p.Model.Layers))
	for l := range copies {
		copies[l], axons[l] = 1, 1
		if p.mapping != nil {
			copies[l], axons[l] = p.mapping.Copies(l), p.mapping.AxonsPerInput(l)
		}
	}
	return cost.NewTimers(p.Model, p.Chip, p.Cost, p.CoreOf, copies, axons)
}

// mapModel maps m to a target's cores by the default plan.
func mapModel(m *fixedpoint.Model, chip *targets.Chip, target string) (*export.Mapping, error) {
	mp, err := export.Map(m, chip)
	return mp, unplaced(err, target)
}

// placeCrossbar puts m on a target that is one crossbar.
func placeCrossbar(m *fixedpoint.Model, chip *targets.Chip, target string) (*crossbar.Placed, error) {
	p, err := crossbar.Place(m, chip)
	return p, unplaced(err, target)
}

// unplaced says what to do about a model that a target cannot express.
func unplaced(err error, target string) error {
	var re *fixedpoint.RangeError
	if !errors.As(err, &re) {
		return err
	}
	sep := "; "
	if strings.Contains(err.Error(), "\n") {
		sep = "\n" // it is about all of them
	}
	return withCode(exitNoFit, fmt.Errorf("%w"+sep+"'glsnn quantize --target %s' makes a model for it, or says how to train one", err, target))
}

// mappingCost is what the cost model needs to know of a mapping.
func mappingCost(mp *export.Mapping) (cost.Placed, error) {
	p := cost.Placed{
		Neurons: map[targets.CoreID]int{}, Layer: map[targets.CoreID]int{}, Sends: map[targets.CoreID]int{}, Links: map[targets.CoreID][2]uint64{},
		Tiles: mp.Tiles(),
	}
	problem, err := mp.Problem(nil)
	if err != nil {
		return p, err
	}
	for i, part := range mp.Parts {
		core := mp.Cores[i]
		p.Neurons[core] = part.Count * mp.Copies(part.Layer)
		p.Layer[core] = part.Layer
	}
	for i, links := range problem.Links(mp.Cores) {
		f := problem.Flows[i]
		core, axons := mp.Cores[f.From], mp.AxonsPerInput(mp.Parts[f.From].Layer+1)
		p.Sends[core] = axons
		if !mp.Chip.Fabric.Multicast {
			p.Sends[core] *= len(problem.Sets[f.Set])
		}
		p.Links[core] = [2]uint64{links[0] * uint64(axons), links[1] * uint64(axons)}
	}
	return p, nil
}

// crossbarCost is the same of a crossbar: one core, whose spikes leave by its one
// output link.
func crossbarCost(p *crossbar.Placed) cost.Placed {
	return cost.Placed{
		Neurons: map[targets.CoreID]int{0: p.Core.Sweep()}, Sends: map[targets.CoreID]int{0: 1}, Tiles: 1,
		WholeRows: true, OwnQueue: p.Core.ClosedLoop, HostWrites: float64(p.HostWrites()),
	}
}
