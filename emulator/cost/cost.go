// Package cost turns the emulator's exact counts into energy, time and cycles
// with a chip's published constants. It has no constant of its own: a figure
// that a chip does not give stays out of the sum and is listed as missing. Where
// sources disagree the sums have a range.
package cost

import (
	"fmt"
	"slices"
	"strings"

	"glsnn/emulator"
	"glsnn/targets"
)

// Placed is what the counts alone do not know: which cores each core's spikes
// are sent to.
type Placed struct {
	Neurons map[targets.CoreID]int // neurons on each core in use
	Layer   map[targets.CoreID]int // that a core's neurons are of; absent where it has several
	Sends   map[targets.CoreID]int // messages for each of a core's spikes
	// Links are those along x and along y that the messages of one spike of a core
	// take together: with multicast a link that several share counts once.
	Links map[targets.CoreID][2]uint64
	Tiles int // in use
	// WholeRows: an event reads and adds a synapse for each of the core's
	// neurons, connected or not, as on a crossbar.
	WholeRows bool
	// OwnQueue: the one core serves spikes between its layers from its own queue,
	// and only the inputs arrive as messages.
	OwnQueue bool
	// MemoryBits is what is read of synapse memories in a sample, for chips that have
	// a cost for it.
	MemoryBits float64
	// HostWrites is how many words a host writes into the chip for a sample, with
	// the network standing still.
	HostWrites float64
}

// Estimate is per sample, averaged over the samples counted. Energy, Time and
// Cycles are nil, with a reason, where the chip gives no constant for the
// operations that dominate them.
type Estimate struct {
	Target       string   `json:"target"`
	Samples      uint64   `json:"samples"`
	EnergyPJ     *float64 `json:"energy_pj"`
	EnergyReason string   `json:"energy_reason,omitempty"`
	EnergyRange  []Range  `json:"energy_range_pj,omitempty"` // low and high where sources disagree
	TimeNS       *float64 `json:"time_ns"`
	TimeReason   string   `json:"time_reason,omitempty"`
	TimeRange    []Range  `json:"time_range_ns,omitempty"`
	Cycles       *float64 `json:"cycles"`
	CyclesReason string   `json:"cycles_reason,omitempty"`
	// TickNS and TickCycles are those of a tick in the mean, the Worst of the longest
	// one met, both without what a host writes: null where the sum is, and the Worst
	// where no Timing was given.
	TickNS          *float64     `json:"tick_ns"`
	WorstTickNS     *float64     `json:"worst_tick_ns"`
	TickCycles      *float64     `json:"tick_cycles"`
	WorstTickCycles *float64     `json:"worst_tick_cycles"`
	Parts           []Part       `json:"parts"`   // what the sums are made of
	Missing         []string     `json:"missing"` // constants that are not known, and so are in no sum: they are lower bounds
	Components      []Component  `json:"energy_components,omitempty"`
	Cores           []CoreEnergy `json:"energy_cores,omitempty"`
	Counts          Counts       `json:"counts"`
}

// MissingIn are the names of a ledger's missing constants, without the reasons.
func (e *Estimate) MissingIn(ledger string) []string {
	var names []string
	for _, m := range e.Missing {
		name, _, _ := strings.Cut(m, ":")
		if name, ok := strings.CutPrefix(name, ledger+"."); ok {
			names = append(names, name)
		}
	}
	return names
}

// Split is the cycles without those of one constant, and those: nil where they
// are not known.
func (e *Estimate) Split(constant string) (rest, part *float64) {
	if e.Cycles == nil {
		return nil, nil
	}
	sum := *e.Cycles
	for _, p := range e.Parts {
		if p.Ledger == "cycles" && p.Constant == constant {
			sum -= p.Total
			part = &p.Total
		}
	}
	return &sum, part
}

// Range is a low and a high sum.
type Range struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Part is one line of a sum: count x constant.
type Part struct {
	Ledger   string        `json:"ledger"` // energy, time or cycles
	Constant string        `json:"constant"`
	Count    float64       `json:"count"`
	Value    float64       `json:"value"`
	Total    float64       `json:"total"`
	Basis    targets.Basis `json:"basis"`
	Source   string        `json:"source,omitempty"`
	At       string        `json:"at,omitempty"`
}

// Counts are the operations of one sample, on average.
type Counts struct {
	Ticks       float64 `json:"ticks"`
	InputSpikes float64 `json:"input_spikes"`
	Spikes      float64 `json:"spikes"`
	SynOps      float64 `json:"synops"`
	Updates     float64 `json:"neuron_updates"`
	MessagesIn  float64 `json:"messages_in"`  // arriving at cores, inputs included
	MessagesOut float64 `json:"messages_out"` // sent by cores
	HopsX       float64 `json:"hops_x"`
	HopsY       float64 `json:"hops_y"`
}

// Count works out the operations of a sample. Input spikes enter at their cores
// without hops.
func Count(c emulator.Counters, chip *targets.Chip, p Placed) Counts {
	n := float64(c.Samples)
	t := c.Totals()
	k := Counts{
		Ticks: float64(c.Ticks) / n, InputSpikes: float64(c.InputSpikes) / n, Spikes: float64(t.Spikes) / n,
		Updates: float64(t.Updates) / n,
	}
	for id, core := range c.Cores {
		id := targets.CoreID(id)
		spikes := float64(core.Spikes) / n
		k.MessagesIn += p.arriving(float64(core.Events)/n, k.InputSpikes)
		k.SynOps += p.synops(id, core, float64(c.InputSpikes))
		k.MessagesOut += spikes * float64(p.Sends[id])
		k.HopsX += spikes * float64(p.Links[id][0])
		k.HopsY += spikes * float64(p.Links[id][1])
	}
	k.SynOps /= n
	return k
}

// synops is what a core reads and adds in all samples, of which inputs spikes
// are the network's.
func (p Placed) synops(id targets.CoreID, k emulator.CoreCounters, inputs float64) float64 {
	if p.WholeRows {
		return p.events(k, inputs) * float64(p.Neurons[id])
	}
	return float64(k.SynOps)
}

// events is how many rows a core serves in all samples. Its own queue has every
// spike of the core, those of the last layer included, whose rows are empty.
func (p Placed) events(k emulator.CoreCounters, inputs float64) float64 {
	if p.OwnQueue {
		return inputs + float64(k.Spikes)
	}
	return float64(k.Events)
}

// arriving is how many of a core's events come as messages.
func (p Placed) arriving(events, inputs float64) float64 {
	if p.OwnQueue {
		return min(events, inputs)
	}
	return events
}

// New estimates a sample's energy, time and cycles from counts over placed
// cores; c must have been counted with a placement. Time and cycles are those of
// the core that was busiest in each tick, as timing has it; where timing is nil,
// of the core that was busiest over all, a lower bound.
func New(c emulator.Counters, chip *targets.Chip, p Placed, timing *Timing) (*Estimate, error) {
	if c.Samples == 0 || len(c.Cores) == 0 {
		return nil, fmt.Errorf("estimate: got counters of %d samples on %d cores, want at least one of each", c.Samples, len(c.Cores))
	}
	e := &Estimate{Target: chip.Name, Samples: c.Samples, Counts: Count(c, chip, p), Missing: []string{}}
	if timing == nil {
		timing = window(c, chip, p)
	}
	e.cycles(timing, chip, p)
	e.time(timing, chip, p)
	e.energy(chip, p)
	e.share(c, chip, p)
	order := []string{"time", "energy", "cycles"} // as computed, but for a time that comes from cycles
	slices.SortStableFunc(e.Parts, func(a, b Part) int { return slices.Index(order, a.Ledger) - slices.Index(order, b.Ledger) })
	return e, nil
}

// add appends count x q to a ledger and returns it, or notes q as missing.
func (e *Estimate) add(ledger, name string, count float64, q targets.Quantity, sum *Range) float64 {
	v, ok := q.Get()
	if !ok {
		e.Missing = append(e.Missing, fmt.Sprintf("%s.%s: %s", ledger, name, q.Reason))
		return 0
	}
	low, high, _ := q.Range()
	sum.Low += low * count
	sum.High += high * count
	e.Parts = append(e.Parts, Part{ledger, name, count, v, v * count, q.Basis, q.Source, q.At})
	return v * count
}

func (e *Estimate) energy(chip *targets.Chip, p Placed) {
	c, k := chip.Cost.Energy, e.Counts
	if _, ok := c.SynOpPJ.Get(); !ok {
		e.EnergyReason = "synop_pj: " + c.SynOpPJ.Reason
		return
	}
	var r Range
	sum := e.add("energy", "synop_pj", k.SynOps, c.SynOpPJ, &r)
	if !c.SynOpAllIn { // an all-in constant has the rest inside
		sum += e.add("energy", "neuron_access_pj", k.Updates, c.NeuronAccessPJ, &r)
		sum += e.add("energy", "neuron_update_pj", k.Updates, c.NeuronUpdatePJ, &r)
		sum += e.add("energy", "spike_out_pj", k.Spikes, c.SpikeOutPJ, &r)
		sum += e.add("energy", "axon_in_pj", k.MessagesIn, c.AxonInPJ, &r)
		sum += e.add("energy", "axon_out_pj", k.MessagesOut, c.AxonOutPJ, &r)
		sum += e.add("energy", "hop_x_pj", k.HopsX, c.HopXPJ, &r)
		sum += e.add("energy", "hop_y_pj", k.HopsY, c.HopYPJ, &r)
		for _, q := range []struct {
			name  string
			count float64
			targets.Quantity
		}{
			{"router_pj", k.MessagesOut + k.HopsX + k.HopsY, c.RouterPJ},
			{"memory_bit_pj", p.MemoryBits, c.MemoryBitPJ},
			{"barrier_pj", k.Ticks, c.BarrierPJ},
		} {
			if !q.Absent() {
				sum += e.add("energy", q.name, q.count, q.Quantity, &r)
			}
		}
		sum += e.resting("static_mw", 1, c.StaticMW, &r)
		if !c.StaticTileMW.Absent() {
			sum += e.resting("static_tile_mw", p.Tiles, c.StaticTileMW, &r)
		}
	}
	e.EnergyPJ = &sum
	if r.Low != r.High {
		e.EnergyRange = []Range{r}
	}
}

// resting adds the power q of n things over the time: 1 mW for 1 ns is 1 pJ.
func (e *Estimate) resting(name string, n int, q targets.Quantity, r *Range) float64 {
	if _, known := q.Get(); known && e.TimeNS == nil {
		e.Missing = append(e.Missing, "energy."+name+": the time it is drawn for is not known")
		return 0
	}
	ns := 0.0
	if e.TimeNS != nil {
		ns = *e.TimeNS
	}
	return e.add("energy", name, float64(n)*ns, q, r)
}

// time is the work of the busiest core and the barriers: cores work in parallel
// and each tick waits for all. Messages neither queue nor take time on their
// links, so it is a lower bound of a crowded fabric. A chip in real time takes its
// tick whatever it does.
func (e *Estimate) time(timing *Timing, chip *targets.Chip, p Placed) {
	q := chip.Cost.Time
	mean := func(ns float64) *float64 {
		ns /= e.Counts.Ticks
		return &ns
	}
	if v, ok := q.TickNS.Get(); ok {
		sum := e.add("time", "tick_ns", e.Counts.Ticks, q.TickNS, &Range{})
		e.TimeNS, e.TickNS, e.WorstTickNS = &sum, mean(sum), &v
		return
	}
	if _, ok := q.SynOpNS.Get(); !ok {
		clock := chip.Cost.Cycles.ClockMHz
		mhz, ok := clock.Get()
		if !ok || mhz == 0 || e.Cycles == nil {
			e.TimeReason = "synop_ns: " + q.SynOpNS.Reason
			return
		}
		ns := *e.Cycles * 1000 / mhz
		tick := *e.TickCycles * 1000 / mhz
		e.TimeNS, e.TickNS = &ns, &tick
		if e.WorstTickCycles != nil {
			worst := *e.WorstTickCycles * 1000 / mhz
			e.WorstTickNS = &worst
		}
		e.Parts = append(e.Parts, Part{"time", "clock_mhz", *e.Cycles, 1000 / mhz, ns, clock.Basis, clock.Source, clock.At})
		return
	}
	var r Range
	n, k := float64(timing.Samples), timing.Time
	sum := e.add("time", "synop_ns", float64(k.SynOps)/n, q.SynOpNS, &r)
	sum += e.add("time", "neuron_access_ns", float64(k.Updates)/n, q.NeuronAccessNS, &r)
	sum += e.add("time", "neuron_update_ns", float64(k.Updates)/n, q.NeuronUpdateNS, &r)
	sum += e.add("time", "spike_out_ns", float64(k.Spikes)/n, q.SpikeOutNS, &r)
	sum += e.add("time", "axon_in_ns", float64(k.Events)/n, q.AxonInNS, &r)
	sum += e.add("time", "axon_out_ns", float64(k.Messages)/n, q.AxonOutNS, &r)
	barrier, ok := q.BarrierNS.At(p.Tiles)
	if ok {
		sum += e.add("time", "barrier_ns", e.Counts.Ticks, barrier, &r)
	} else {
		e.Missing = append(e.Missing, "time.barrier_ns: "+q.BarrierNS.Reason)
	}
	e.TimeNS, e.TickNS = &sum, mean(sum)
	if timing.PerTick {
		worst := timing.WorstNS
		if ok {
			worst += *barrier.Value
		}
		e.WorstTickNS = &worst
	}
	if r.Low != r.High {
		e.TimeRange = []Range{r}
	}
}

// cycles is the busiest core's clock cycles: an arriving spike takes
// ceil(n/lanes), a tick's updates ceil(n/lanes), for its n neurons. Where every
// event is tested, updates by events are part of the former and the latter is the
// leak event.
func (e *Estimate) cycles(timing *Timing, chip *targets.Chip, p Placed) {
	q := chip.Cost.Cycles
	var r Range
	done := func(sum, host float64) {
		tick := (sum - host) / e.Counts.Ticks
		e.Cycles, e.TickCycles = &sum, &tick
	}
	if q.TickAllIn { // the same for every core
		done(e.add("cycles", "tick_cycles", e.Counts.Ticks, q.TickCycles, &r), 0)
		e.WorstTickCycles = e.TickCycles
		return
	}
	if _, ok := q.SynOpsPerCycle.Get(); !ok {
		e.CyclesReason = "synops_per_cycle: " + q.SynOpsPerCycle.Reason
		return
	}
	if _, ok := q.NeuronUpdatesPerCycle.Get(); !ok {
		e.CyclesReason = "neuron_updates_per_cycle: " + q.NeuronUpdatesPerCycle.Reason
		return
	}
	n, k := float64(timing.Samples), timing.Cycles
	part := func(name string, cycles uint64, q targets.Quantity) float64 {
		sum := float64(cycles) / n
		e.Parts = append(e.Parts, Part{"cycles", name, sum, 1, sum, q.Basis, q.Source, q.At})
		return sum
	}
	sum := part("synops_per_cycle", k.Slices, q.SynOpsPerCycle)
	sum += part("neuron_updates_per_cycle", k.Sweeps, q.NeuronUpdatesPerCycle)
	sum += e.add("cycles", "axon_in_cycles", float64(k.Events-k.Own)/n, q.AxonInCycles, &r)
	if p.OwnQueue {
		sum += e.add("cycles", "own_spike_cycles", float64(k.Own)/n, q.OwnSpikeCycles, &r)
	}
	sum += e.add("cycles", "axon_out_cycles", float64(k.Messages)/n, q.AxonOutCycles, &r)
	sum += e.add("cycles", "tick_cycles", e.Counts.Ticks, q.TickCycles, &r)
	worst := timing.WorstCycles
	if v, ok := q.TickCycles.Get(); ok {
		worst += v
	}
	host := 0.0
	if p.HostWrites > 0 {
		host = e.add("cycles", "host_write_cycles", p.HostWrites, q.HostWriteCycles, &r)
	}
	done(sum+host, host)
	if timing.PerTick {
		e.WorstTickCycles = &worst
	}
}
