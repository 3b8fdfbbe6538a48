// Package cost turns the emulator's exact counts into energy, time and cycles
// with a chip's published constants. It has no constant of its own: a figure
// that a chip does not give stays out of the sum and is listed as missing. Where
// sources disagree the sums have a range.
package cost

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"glsnn/emulator"
	"glsnn/targets"
)

// Placed is what the counts alone do not know: which cores each core's spikes
// are sent to.
type Placed struct {
	Neurons map[targets.CoreID]int              // neurons on each core in use
	Sends   map[targets.CoreID][]targets.CoreID // destinations of a core's spikes
	Tiles   int                                 // in use
	// WholeRows: an event reads and adds a synapse for each of the core's
	// neurons, connected or not, as on a crossbar.
	WholeRows bool
	// OwnQueue: the one core serves spikes between its layers from its own queue,
	// and only the inputs arrive as messages.
	OwnQueue bool
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
	Parts        []Part   `json:"parts"`   // what the sums are made of
	Missing      []string `json:"missing"` // constants that are not known, and so are in no sum
	Counts       Counts   `json:"counts"`
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
// without hops; a core's spike is one message to each of its destinations, or
// with multicast one message in all, whose hops are then counted to each
// destination on its own (an upper bound).
func Count(c emulator.Counters, chip *targets.Chip, p Placed) Counts {
	n := float64(c.Samples)
	t := c.Totals()
	k := Counts{
		Ticks: float64(c.Ticks) / n, InputSpikes: float64(c.InputSpikes) / n, Spikes: float64(t.Spikes) / n,
		Updates: float64(t.Updates) / n,
	}
	for id, core := range c.Cores {
		spikes := float64(core.Spikes) / n
		k.MessagesIn += p.arriving(float64(core.Events)/n, k.InputSpikes)
		k.SynOps += p.synops(targets.CoreID(id), core, float64(c.InputSpikes))
		k.MessagesOut += p.messages(targets.CoreID(id), spikes, chip)
		for _, to := range p.Sends[targets.CoreID(id)] {
			dx, dy := chip.Fabric.Hops(targets.CoreID(id), to)
			k.HopsX += spikes * float64(dx)
			k.HopsY += spikes * float64(dy)
		}
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

// messages is what a core sends for its spikes.
func (p Placed) messages(id targets.CoreID, spikes float64, chip *targets.Chip) float64 {
	n := len(p.Sends[id])
	if chip.Fabric.Multicast {
		n = min(n, 1)
	}
	return spikes * float64(n)
}

// New estimates a sample's energy, time and cycles from counts over placed
// cores; c must have been counted with a placement.
func New(c emulator.Counters, chip *targets.Chip, p Placed) (*Estimate, error) {
	if c.Samples == 0 || len(c.Cores) == 0 {
		return nil, fmt.Errorf("estimate: got counters of %d samples on %d cores, want at least one of each", c.Samples, len(c.Cores))
	}
	e := &Estimate{Target: chip.Name, Samples: c.Samples, Counts: Count(c, chip, p), Missing: []string{}}
	e.cycles(c, chip, p)
	e.time(c, chip, p)
	e.energy(chip)
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

func (e *Estimate) energy(chip *targets.Chip) {
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
		if _, known := c.StaticMW.Get(); known && e.TimeNS == nil {
			e.Missing = append(e.Missing, "energy.static_mw: the time it is drawn for is not known")
		} else {
			var ns float64
			if e.TimeNS != nil {
				ns = *e.TimeNS
			}
			sum += e.add("energy", "static_mw", ns, c.StaticMW, &r) // 1 mW for 1 ns is 1 pJ
		}
	}
	e.EnergyPJ = &sum
	if r.Low != r.High {
		e.EnergyRange = []Range{r}
	}
}

// time is the busiest core's work over the window plus the barriers: cores work
// in parallel and each tick waits for all. Since another core may be the
// busiest in another tick, and messages neither queue nor take time on their
// links, it is a lower bound.
func (e *Estimate) time(c emulator.Counters, chip *targets.Chip, p Placed) {
	q := chip.Cost.Time
	if _, ok := q.SynOpNS.Get(); !ok {
		clock := chip.Cost.Cycles.ClockMHz
		mhz, ok := clock.Get()
		if !ok || mhz == 0 || e.Cycles == nil {
			e.TimeReason = "synop_ns: " + q.SynOpNS.Reason
			return
		}
		ns := *e.Cycles * 1000 / mhz
		e.TimeNS = &ns
		e.Parts = append(e.Parts, Part{"time", "clock_mhz", *e.Cycles, 1000 / mhz, ns, clock.Basis, clock.Source, clock.At})
		return
	}
	n := float64(c.Samples)
	work := func(e *Estimate, r *Range, id targets.CoreID, k emulator.CoreCounters) float64 {
		t := e.add("time", "synop_ns", p.synops(id, k, float64(c.InputSpikes))/n, q.SynOpNS, r)
		t += e.add("time", "neuron_access_ns", float64(k.Updates)/n, q.NeuronAccessNS, r)
		t += e.add("time", "neuron_update_ns", float64(k.Updates)/n, q.NeuronUpdateNS, r)
		t += e.add("time", "spike_out_ns", float64(k.Spikes)/n, q.SpikeOutNS, r)
		t += e.add("time", "axon_in_ns", float64(k.Events)/n, q.AxonInNS, r)
		return t + e.add("time", "axon_out_ns", p.messages(id, float64(k.Spikes)/n, chip), q.AxonOutNS, r)
	}
	busiest, most := 0, -1.0
	for id, k := range c.Cores {
		if t := work(&Estimate{}, &Range{}, targets.CoreID(id), k); t > most {
			busiest, most = id, t
		}
	}
	var r Range
	sum := work(e, &r, targets.CoreID(busiest), c.Cores[busiest])
	if barrier, ok := q.BarrierNS.At(p.Tiles); ok {
		sum += e.add("time", "barrier_ns", e.Counts.Ticks, barrier, &r)
	} else {
		e.Missing = append(e.Missing, "time.barrier_ns: "+q.BarrierNS.Reason)
	}
	e.TimeNS = &sum
	if r.Low != r.High {
		e.TimeRange = []Range{r}
	}
}

// cycles is the busiest core's clock cycles over the window: an arriving spike
// takes ceil(n/lanes), a tick's updates ceil(n/lanes), for its n neurons. Where
// every event is tested, updates by events are part of the former and the latter
// is the leak event.
func (e *Estimate) cycles(c emulator.Counters, chip *targets.Chip, p Placed) {
	q := chip.Cost.Cycles
	if q.TickAllIn { // the same for every core
		sum := e.add("cycles", "tick_cycles", e.Counts.Ticks, q.TickCycles, &Range{})
		e.Cycles = &sum
		return
	}
	lanes, ok := q.SynOpsPerCycle.Get()
	if !ok {
		e.CyclesReason = "synops_per_cycle: " + q.SynOpsPerCycle.Reason
		return
	}
	updates, ok := q.NeuronUpdatesPerCycle.Get()
	if !ok {
		e.CyclesReason = "neuron_updates_per_cycle: " + q.NeuronUpdatesPerCycle.Reason
		return
	}
	n := float64(c.Samples)
	work := func(e *Estimate, id targets.CoreID, k emulator.CoreCounters) float64 {
		var r Range
		neurons := float64(p.Neurons[id])
		events, ticks := p.events(k, float64(c.InputSpikes))/n, e.Counts.Ticks
		rows, sweeps := events*math.Ceil(neurons/lanes), ticks*math.Ceil(neurons/updates)
		e.Parts = append(e.Parts,
			Part{"cycles", "synops_per_cycle", events, math.Ceil(neurons / lanes), rows, q.SynOpsPerCycle.Basis, q.SynOpsPerCycle.Source, q.SynOpsPerCycle.At},
			Part{"cycles", "neuron_updates_per_cycle", ticks, math.Ceil(neurons / updates), sweeps, q.NeuronUpdatesPerCycle.Basis, q.NeuronUpdatesPerCycle.Source, q.NeuronUpdatesPerCycle.At})
		t := rows + sweeps
		arriving := p.arriving(events, e.Counts.InputSpikes)
		t += e.add("cycles", "axon_in_cycles", arriving, q.AxonInCycles, &r)
		if p.OwnQueue {
			t += e.add("cycles", "own_spike_cycles", events-arriving, q.OwnSpikeCycles, &r)
		}
		t += e.add("cycles", "axon_out_cycles", p.messages(id, float64(k.Spikes)/n, chip), q.AxonOutCycles, &r)
		t += e.add("cycles", "tick_cycles", ticks, q.TickCycles, &r)
		if p.HostWrites > 0 {
			t += e.add("cycles", "host_write_cycles", p.HostWrites, q.HostWriteCycles, &r)
		}
		return t
	}
	busiest, most := 0, -1.0
	for id, k := range c.Cores {
		if t := work(&Estimate{Counts: e.Counts}, targets.CoreID(id), k); t > most {
			busiest, most = id, t
		}
	}
	sum := work(e, targets.CoreID(busiest), c.Cores[busiest])
	e.Cycles = &sum
}
