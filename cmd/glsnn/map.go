package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"glsnn/emulator"
	"glsnn/emulator/cost"
	"glsnn/export"
	"glsnn/export/place"
	"glsnn/fixedpoint/artefact"
	"glsnn/targets"
)

type mapOptions struct {
	model, target, out    string
	partitions, placement string
	plan                  planFlags
	data                  dataFlags
}

func newMap(a *app) *cobra.Command {
	o := &mapOptions{plan: defaultPlan()}
	cmd := &cobra.Command{
		Use:   "map",
		Short: "Compare ways to place a model on a target's cores",
		Long: `Compare ways to place a model on a target's cores.

Layers are cut to cores by each of --partition and the parts placed by each of
--placement. The spikes of the samples (or of --traffic) are then sent along x and
along y as the target's fabric does it: one message to each target core, one that
is copied where ways part (multicast), or one to each in-axon. Printed are, for a
sample: messages, messages x links, the messages over the busiest link, and what
the estimate makes of each: a tick of the busiest core and the energy. random is
the baseline; its mean over 100 seeds is printed too.

In a dense network every spike goes to every core of the next layer, so the
partition decides the messages and placement only their way; on most chips hops
are a small part of the energy, and what placement changes is congestion.

With one partition and one placement, -o writes the layout: 'glsnn export
--placement FILE' takes it, as it is or edited. An interrupted anneal writes the
best so far.`,
		Example: "  glsnn map --target loihi\n  glsnn map --target ./mychip.yaml --partition fill --placement anneal -o layout.json\n  glsnn map --traffic spikes.csv --output json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := a.mapAll(cmd.Context(), o)
			if r == nil {
				return err
			}
			return cmp.Or(a.result(r, r.text), err) // err: of an interrupted search
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.model, "model", defaultModel, "integer model to read")
	f.StringVar(&o.target, "target", "generic", "a name of 'glsnn targets list' or a YAML file")
	f.StringVar(&o.partitions, "partition", "fill,spread", "ways to cut layers, separated by commas")
	f.StringVar(&o.placement, "placement", joinMethods(","), "ways to place, separated by commas")
	f.StringVarP(&o.out, "out", "o", "", "write the layout of the one partition and placement to this file")
	o.plan.search(cmd)
	o.data.register(cmd, "train", trafficSamples, "count the spikes of so many samples; 0 for all")
	return cmd
}

// mapRow is one way to place. Loads are a sample's.
type mapRow struct {
	Partition string   `json:"partition"`
	Placement string   `json:"placement"`
	Cores     int      `json:"cores"`
	Tiles     int      `json:"tiles"`
	Chips     int      `json:"chips"`
	Messages  float64  `json:"messages"`
	Hops      float64  `json:"messages_x_links"`
	MaxLink   float64  `json:"max_link"`
	Longest   int      `json:"longest_route"`
	Crossing  float64  `json:"chip_crossings"`
	Random    float64  `json:"messages_x_links_random_mean"`
	TickNS    *float64 `json:"tick_ns"`
	TickWorst *float64 `json:"worst_tick_ns"`
	Cycles    *float64 `json:"tick_cycles"`
	CyclesTop *float64 `json:"worst_tick_cycles"`
	EnergyPJ  *float64 `json:"energy_pj"`
	HopsPJ    *float64 `json:"energy_of_hops_pj"`
	Seconds   float64  `json:"search_s"`

	estimate *cost.Estimate
}

type mapResult struct {
	Target  string   `json:"target"`
	Samples int      `json:"samples"`
	Have    int      `json:"cores_available"`
	Rows    []mapRow `json:"mappings"`
	Refused []string `json:"refused,omitempty"`
	Layout  string   `json:"layout,omitempty"`
}

func (a *app) mapAll(ctx context.Context, o *mapOptions) (*mapResult, error) {
	partitions, methods := strings.Split(o.partitions, ","), strings.Split(o.placement, ",")
	if o.out != "" {
		if len(partitions) != 1 || len(methods) != 1 {
			return nil, usage("-o: got %d partitions and %d placements, want one of each", len(partitions), len(methods))
		}
		if err := writable(o.out, o.model, o.plan.traffic, o.target, dataFolder(o.data.data)); err != nil {
			return nil, err
		}
	}
	for _, m := range methods {
		if _, err := place.ParseMethod(m); err != nil {
			return nil, usage("--placement: %w", err)
		}
	}
	for _, p := range partitions {
		if _, err := export.ParsePartition(p); err != nil {
			return nil, usage("--partition: %w", err)
		}
	}
	if _, _, err := o.plan.parse(); err != nil {
		return nil, err
	}
	m, _, err := loadModel(o.model)
	if err != nil {
		return nil, err
	}
	chip, err := targets.Load(o.target)
	if err != nil {
		return nil, err
	}
	if chip.Tables.Format.Crossbar() {
		return nil, usage("--target: got %s, which is one crossbar; there is nothing to place", chip.Name)
	}
	set, err := o.data.load(a, modelData(m), m.Inputs())
	if err != nil {
		return nil, err
	}
	r := &mapResult{Target: chip.Name, Samples: set.Len(), Have: chip.Fabric.Cores()}
	for _, partition := range partitions {
		flags := o.plan
		flags.partition, flags.placement = partition, string(place.Serpentine)
		p, err := a.placeOn(ctx, m, chip, &flags, nil)
		if err != nil {
			if len(partitions) > 1 && len(r.Rows) > 0 && exitCode(err) == exitNoFit {
				r.Refused = append(r.Refused, fmt.Sprintf("%s: %v", partition, err))
				continue
			}
			return nil, unplaced(err, o.target)
		}
		got, err := a.measure(ctx, p, set)
		if err != nil {
			return nil, err
		}
		traffic := got.Activity.Spikes
		if o.plan.traffic != "" {
			if traffic, err = a.trafficOf(ctx, m, chip, &o.plan, nil); err != nil {
				return nil, err
			}
		}
		problem, err := p.mapping.Problem(traffic)
		if err != nil {
			return nil, err
		}
		random := meanRandom(problem)
		for _, name := range methods {
			start := time.Now()
			cores, stopped := place.Place(ctx, problem, place.Method(name), o.plan.options())
			if cores == nil {
				return nil, stopped
			}
			row, err := newMapRow(p, got, problem, cores, float64(set.Len()))
			if err != nil {
				return nil, err
			}
			row.Partition, row.Placement, row.Random = partition, name, random/float64(set.Len())
			row.Seconds = time.Since(start).Seconds()
			r.Rows = append(r.Rows, *row)
			if o.out != "" {
				moved := *p.mapping
				moved.Cores = cores
				if err := writeLayout(o.out, moved.Layout(partition+", "+name)); err != nil {
					return nil, err
				}
				r.Layout = o.out
			}
			if stopped != nil {
				return r, stopped
			}
		}
	}
	return r, nil
}

// meanRandom is messages x links of random placements, the mean over 100 seeds.
func meanRandom(p *place.Problem) float64 {
	const seeds = 100
	sum := 0.0
	for seed := range uint64(seeds) {
		cores, err := place.Place(context.Background(), p, place.Random, place.Options{Seed: seed})
		if err != nil {
			return 0 // as for the placement itself, which says so
		}
		sum += float64(p.Measure(cores).Hops())
	}
	return sum / seeds
}

// newMapRow is the cost of placing p's parts on cores.
func newMapRow(p *placement, got *measured, problem *place.Problem, cores []targets.CoreID, samples float64) (*mapRow, error) {
	load := problem.Measure(cores)
	moved := *p.mapping
	moved.Cores = cores
	placed, err := mappingCost(&moved)
	if err != nil {
		return nil, err
	}
	q := *p
	q.mapping, q.Cost, q.CoreOf = &moved, placed, moved.CoreOf()
	e, err := q.estimate(onCores(got.Counters, p.mapping.Cores, cores), got.Timing)
	if err != nil {
		return nil, err
	}
	row := &mapRow{
		Cores: len(cores), Tiles: load.Tiles, Chips: chips(p.Chip.Fabric, cores), Messages: float64(load.Messages) / samples, Hops: float64(load.Hops()) / samples,
		MaxLink: float64(load.MaxLink) / samples, Longest: load.Longest, Crossing: float64(load.Crossing) / samples,
		TickNS: e.TickNS, TickWorst: e.WorstTickNS, Cycles: e.TickCycles, CyclesTop: e.WorstTickCycles, EnergyPJ: e.EnergyPJ, estimate: e,
	}
	if e.EnergyPJ != nil {
		hops := 0.0
		for _, c := range e.Components {
			if c.Name == "hops" || c.Name == "routers" {
				hops += c.PJ
			}
		}
		row.HopsPJ = &hops
	}
	return row, nil
}

// onCores are the counters of a run with the parts on other cores: nothing that
// is counted depends on the place.
func onCores(c emulator.Counters, from, to []targets.CoreID) emulator.Counters {
	last := targets.CoreID(0)
	for _, id := range to {
		last = max(last, id)
	}
	old := c.Cores
	c.Cores = make([]emulator.CoreCounters, last+1)
	for i, id := range to {
		c.Cores[id] = old[from[i]]
	}
	return c
}

func chips(f targets.Fabric, cores []targets.CoreID) int {
	used := map[int]bool{}
	for _, c := range cores {
		x, _ := f.Position(c)
		used[x/f.Width] = true
	}
	return len(used)
}

func writeLayout(path string, l *export.Layout) error {
	return artefact.WriteAtomic(path, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", " ")
		return e.Encode(l)
	})
}

func (r *mapResult) text(w io.Writer) {
	fmt.Fprintf(w, "target %s\t%d cores\tone sample, mean of %d\n", r.Target, r.Have, r.Samples)
	fmt.Fprintln(w, "partition\tplacement\tcores\ttiles\tmessages\tx links\tof random\tbusiest link\tlongest\ttick\tworst tick\tenergy\tof it hops\tsearch")
	for _, m := range r.Rows {
		share := "-"
		if m.Random > 0 {
			share = fmt.Sprintf("%.2f", m.Hops/m.Random)
		}
		tick, worst := span(m.TickNS, "ns"), span(m.TickWorst, "ns")
		if m.TickNS == nil && m.Cycles != nil {
			tick = fmt.Sprintf("%.0f cycles", *m.Cycles)
			if m.CyclesTop != nil {
				worst = fmt.Sprintf("%.0f cycles", *m.CyclesTop)
			}
		}
		tiles := strconv.Itoa(m.Tiles)
		if m.Chips > 1 {
			tiles += fmt.Sprintf(" of %d chips", m.Chips)
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%.0f\t%.0f\t%s\t%.0f\t%d links\t%s\t%s\t%s\t%s\t%.2f s\n", m.Partition, m.Placement, m.Cores, tiles,
			m.Messages, m.Hops, share, m.MaxLink, m.Longest, tick, worst, span(m.EnergyPJ, "pJ"), span(m.HopsPJ, "pJ"), m.Seconds)
	}
	for _, s := range r.Refused {
		fmt.Fprintf(w, "refused\t%s\n", s)
	}
	if r.Layout != "" {
		fmt.Fprintf(w, "wrote %s\n", r.Layout)
	}
}

// span is a number of ns or pJ in the unit that suits it.
func span(v *float64, unit string) string {
	if v == nil {
		return "unknown"
	}
	x := *v
	units := map[string][]string{"ns": {"ns", "us", "ms", "s"}, "pJ": {"pJ", "nJ", "uJ", "mJ", "J"}}[unit]
	i := 0
	for ; i+1 < len(units) && x >= 1000; i++ {
		x /= 1000
	}
	return fmt.Sprintf("%.4g %s", x, units[i])
}
