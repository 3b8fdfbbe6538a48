package cost_test

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"glsnn/emulator"
	"glsnn/emulator/cost"
	"glsnn/targets"
)

func load(t testing.TB, name string) *targets.Chip {
	t.Helper()
	chip, err := targets.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return chip
}

func value(v float64, low, high *float64) targets.Quantity {
	return targets.Quantity{Value: &v, Low: low, High: high, Origin: targets.Origin{Basis: targets.Assumed}}
}

// counted is 2 samples of 5 ticks of a network with 4 neurons on core 0 and 3 on
// core 4, whose axons take the inputs and core 0's spikes: 40 input spikes, 20
// spikes of layer 0, 6 of layer 1. A sample then has, on average,
//
//	          spikes  events  synops  updates
//	core 0        10      20      80       20   (events x 4 neurons, 5 ticks x 4)
//	core 4         3      10      30       15
//	together      13      30     110       35
func counted() emulator.Counters {
	c := emulator.Counters{
		Samples: 2, Ticks: 10, InputSpikes: 40,
		Layers: []emulator.LayerCounters{{Spikes: 20, Events: 40, SynOps: 160, Updates: 40}, {Spikes: 6, Events: 20, SynOps: 60, Updates: 30}},
		Cores:  make([]emulator.CoreCounters, 5),
	}
	c.Cores[0] = emulator.CoreCounters{Spikes: 20, Events: 40, SynOps: 160, Updates: 40}
	c.Cores[4] = emulator.CoreCounters{Spikes: 6, Events: 20, SynOps: 60, Updates: 30}
	return c
}

// placed: core 0 sends to core 4, two tiles to the east on toy.
func placed() cost.Placed {
	return cost.Placed{
		Neurons: map[targets.CoreID]int{0: 4, 4: 3}, Layer: map[targets.CoreID]int{0: 0, 4: 1}, Tiles: 2,
		Sends: map[targets.CoreID]int{0: 1}, Links: map[targets.CoreID][2]uint64{0: {2, 0}},
	}
}

func near(got *float64, want float64) bool { return got != nil && math.Abs(*got-want) <= 1e-9*want }

func estimate(t *testing.T, c emulator.Counters, chip *targets.Chip, p cost.Placed) *cost.Estimate {
	t.Helper()
	e, err := cost.New(c, chip, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	// Every sum is the sum of its parts, every part count x value.
	for ledger, sum := range map[string]*float64{"energy": e.EnergyPJ, "time": e.TimeNS, "cycles": e.Cycles} {
		total := 0.0
		for _, part := range e.Parts {
			if part.Ledger == ledger {
				total += part.Total
				if math.Abs(part.Total-part.Count*part.Value) > 1e-9*part.Total {
					t.Errorf("%+v: not a product", part)
				}
			}
		}
		if sum == nil && total != 0 || sum != nil && !near(sum, total) {
			t.Errorf("%s: got %v, the parts add up to %v", ledger, sum, total)
		}
	}
	return e
}

// Toy by hand, of one sample:
//
//	time   core 0: 80 synops x 1 + 20 updates x (1 + 1) + 10 spikes x 2 + 20 events x 4
//	       + 10 messages x 4 = 80 + 40 + 20 + 80 + 40 = 260 ns; core 4 is less busy
//	       5 ticks x 20 ns, the barrier of 2 tiles: 100; together 360 ns
//	energy 110 synops x 1 + 35 x (2 + 3) + 13 spikes x 10 + 30 messages in x 5
//	       + 10 out x 20 + 20 hops east x 1 + 0 south x 2 + 1 mW x 360 ns
//	       = 110 + 175 + 130 + 150 + 200 + 20 + 0 + 360 = 1145 pJ
//	       synop 0.5 to 2: 1145 - 55 = 1090 to 1145 + 110 = 1255 pJ
//	cycles core 0: 20 events x (ceil(4/4) + 1) + 5 ticks x (ceil(4/2) + 10) = 40 + 60 = 100
//	       core 4: 10 x (ceil(3/4) + 1) + 5 x (ceil(3/2) + 10) = 20 + 60; axon_out unknown
func TestToyByHand(t *testing.T) {
	e := estimate(t, counted(), load(t, "toy"), placed())
	if !near(e.TimeNS, 360) || !near(e.EnergyPJ, 1145) || !near(e.Cycles, 100) {
		t.Errorf("got %v ns, %v pJ, %v cycles, want 360, 1145, 100", *e.TimeNS, *e.EnergyPJ, *e.Cycles)
	}
	if !reflect.DeepEqual(e.EnergyRange, []cost.Range{{Low: 1090, High: 1255}}) {
		t.Errorf("got range %v, want 1090 to 1255", e.EnergyRange)
	}
	if want := []string{"cycles.axon_out_cycles: left open so that tests meet an unknown"}; !reflect.DeepEqual(e.Missing, want) {
		t.Errorf("got missing %q, want %q", e.Missing, want)
	}
	want := cost.Counts{Ticks: 5, InputSpikes: 20, Spikes: 13, SynOps: 110, Updates: 35, MessagesIn: 30, MessagesOut: 10, HopsX: 20}
	if e.Counts != want || e.Target != "toy" || e.Samples != 2 {
		t.Errorf("got %s, %d samples, %+v, want %+v", e.Target, e.Samples, e.Counts, want)
	}
}

// Two destinations, one of them south-east of the source: core 11 is on tile 5,
// which is (1, 1). Without multicast there are two messages a spike, over 3 links
// east and 1 south; with it one, which leaves its way to core 4 after one link: 2
// and 1.
func TestMessages(t *testing.T) {
	for _, c := range []struct {
		multicast     bool
		out           float64
		time, energy  float64 // the time is also in the static energy
		outCycles     float64
		wantOutCycles float64
	}{
		{false, 20, 400, 1145 + 10*20 + 10*1 + 10*2 + 40, 3, 100 + 20*3},
		{true, 10, 360, 1145 + 10*2, 3, 100 + 10*3},
	} {
		chip := load(t, "toy")
		chip.Fabric.Multicast = c.multicast
		chip.Cost.Cycles.AxonOutCycles = value(c.outCycles, nil, nil)
		p := placed()
		p.Sends[0], p.Links[0] = 2, [2]uint64{3, 1}
		hops := 30.0
		if c.multicast {
			p.Sends[0], p.Links[0] = 1, [2]uint64{2, 1}
			hops = 20
		}
		e := estimate(t, counted(), chip, p)
		if e.Counts.MessagesOut != c.out || e.Counts.HopsX != hops || e.Counts.HopsY != 10 {
			t.Errorf("multicast %v: got %+v", c.multicast, e.Counts)
		}
		if !near(e.TimeNS, c.time) || !near(e.EnergyPJ, c.energy) || !near(e.Cycles, c.wantOutCycles) || len(e.Missing) != 0 {
			t.Errorf("multicast %v: got %v ns, %v pJ, %v cycles, missing %v, want %v, %v, %v", c.multicast, *e.TimeNS, *e.EnergyPJ, *e.Cycles, e.Missing, c.time, c.energy, c.wantOutCycles)
		}
	}
}

// Loihi by hand: one sample of 2 ticks, 2 neurons on core 0 that fire 3 times,
// 4 input spikes; 3 neurons on core 16, tile 4 = (4, 0), four tiles to the east.
//
//	core 0:  events 4, synops 8, updates 4, spikes 3, messages 3
//	core 16: events 3, synops 9, updates 6, spikes 0
//	energy 17 x 35.5 + 10 x (51.2 + 21.6) + 3 x 69.3 + 7 x 0 + 3 x 111 + 12 hops x 3.0
//	       = 603.5 + 728 + 207.9 + 0 + 333 + 36 = 1908.4 pJ
//	low    17 x 23.6 + 728 + 207.9 + 333 + 36 = 1706.1
//	high   603.5 + 10 x (52 + 29) + 207.9 + 333 + 36 = 1990.4
//	time   core 0: 8 x 3.8 + 4 x (6.0 + 3.7) + 3 x 30 + 4 x 16 + 3 x 5.1
//	       = 30.4 + 38.8 + 90 + 64 + 15.3 = 238.5; barrier of 2 tiles: 2 x 1000; 2238.5 ns
func TestLoihiByHand(t *testing.T) {
	c := emulator.Counters{Samples: 1, Ticks: 2, InputSpikes: 4, Cores: make([]emulator.CoreCounters, 17),
		Layers: []emulator.LayerCounters{{Spikes: 3, Events: 4, SynOps: 8, Updates: 4}, {Events: 3, SynOps: 9, Updates: 6}}}
	c.Cores[0] = emulator.CoreCounters{Spikes: 3, Events: 4, SynOps: 8, Updates: 4}
	c.Cores[16] = emulator.CoreCounters{Events: 3, SynOps: 9, Updates: 6}
	e := estimate(t, c, load(t, "loihi"), cost.Placed{
		Neurons: map[targets.CoreID]int{0: 2, 16: 3}, Sends: map[targets.CoreID]int{0: 1}, Links: map[targets.CoreID][2]uint64{0: {4, 0}}, Tiles: 2,
	})
	if !near(e.EnergyPJ, 1908.4) || !near(e.TimeNS, 2238.5) || e.Cycles != nil {
		t.Errorf("got %v pJ, %v ns, %v cycles", *e.EnergyPJ, *e.TimeNS, e.Cycles)
	}
	if r := e.EnergyRange; len(r) != 1 || !near(&r[0].Low, 1706.1) || !near(&r[0].High, 1990.4) {
		t.Errorf("got range %v, want 1706.1 to 1990.4", r)
	}
	if want := []string{"energy.static_mw: no public figure for one core or chip at rest; totals are dynamic energy only"}; !reflect.DeepEqual(e.Missing, want) {
		t.Errorf("got missing %q", e.Missing)
	}
	if e.CyclesReason != "synops_per_cycle: asynchronous: no clock" {
		t.Errorf("got reason %q", e.CyclesReason)
	}
	sources := 0
	for _, p := range e.Parts {
		if p.Source != "" && p.At != "" && p.Basis != targets.Assumed {
			sources++
		}
	}
	if sources != len(e.Parts) || sources != 15 {
		t.Errorf("%d of %d parts have a source, want all of 15", sources, len(e.Parts))
	}
}

// Generic claims no energy and has no time without a clock:
//
//	cycles core 0: 20 events x (ceil(4/16) + 1) + 10 messages x 1 + 5 ticks x (ceil(4/16) + 4) = 40 + 10 + 25 = 75
func TestGeneric(t *testing.T) {
	e := estimate(t, counted(), load(t, "generic"), placed())
	if e.EnergyPJ != nil || e.TimeNS != nil || !near(e.Cycles, 75) {
		t.Errorf("got %v pJ, %v ns, %v cycles, want null, null, 75", e.EnergyPJ, e.TimeNS, *e.Cycles)
	}
	if e.EnergyReason != "synop_pj: no silicon: the project claims no energy" || e.TimeReason != "synop_ns: synchronous: time is cycles over the clock" {
		t.Errorf("got reasons %q, %q", e.EnergyReason, e.TimeReason)
	}
	if len(e.Missing) != 0 || e.EnergyRange != nil {
		t.Errorf("got missing %v, range %v", e.Missing, e.EnergyRange)
	}
	text, err := json.Marshal(e)
	if err != nil || !strings.Contains(string(text), `"energy_pj":null,"energy_reason":"synop_pj: no silicon`) || !strings.Contains(string(text), `"missing":[]`) {
		t.Errorf("got %s, %v", text, err)
	}
}

// TestAllIn: an all-in constant has everything inside; nothing is added, nothing
// is missing.
func TestAllIn(t *testing.T) {
	chip := load(t, "toy")
	chip.Cost.Energy.SynOpAllIn = true
	e := estimate(t, counted(), chip, placed())
	if !near(e.EnergyPJ, 110) || !reflect.DeepEqual(e.EnergyRange, []cost.Range{{Low: 55, High: 220}}) {
		t.Errorf("got %v pJ, %v, want 110, 55 to 220", *e.EnergyPJ, e.EnergyRange)
	}
	for _, p := range e.Parts {
		if p.Ledger == "energy" && p.Constant != "synop_pj" {
			t.Errorf("got %+v beside an all-in constant", p)
		}
	}
	chip.Cost.Energy = targets.Energy{SynOpAllIn: true, SynOpPJ: chip.Cost.Energy.SynOpPJ}
	if e := estimate(t, counted(), chip, placed()); !near(e.EnergyPJ, 110) || len(e.Missing) != 1 { // axon_out_cycles
		t.Errorf("got %v pJ, missing %q", *e.EnergyPJ, e.Missing)
	}
}

// TestTickAllIn: ticks times the constant, whatever the activity and the core.
func TestTickAllIn(t *testing.T) {
	chip := load(t, "toy")
	chip.Cost.Cycles = targets.Cycles{TickAllIn: true, TickCycles: chip.Cost.Cycles.TickCycles}
	e := estimate(t, counted(), chip, placed())
	if want := e.Counts.Ticks * *chip.Cost.Cycles.TickCycles.Value; !near(e.Cycles, want) || want == 0 || len(e.MissingIn("cycles")) != 0 {
		t.Errorf("got %v cycles, want %v, missing %q", *e.Cycles, want, e.Missing)
	}
}

// TestMissing takes one constant of toy away at a time.
func TestMissing(t *testing.T) {
	base := estimate(t, counted(), load(t, "toy"), placed())
	gone := targets.Quantity{Reason: "not known"}
	static := *base.TimeNS // 1 mW, so time taken away is energy taken away
	for _, c := range []struct {
		name                 string
		edit                 func(*targets.Cost)
		energy, time, cycles float64 // what is lost
	}{
		{"energy.neuron_access_pj", func(c *targets.Cost) { c.Energy.NeuronAccessPJ = gone }, 70, 0, 0},
		{"energy.neuron_update_pj", func(c *targets.Cost) { c.Energy.NeuronUpdatePJ = gone }, 105, 0, 0},
		{"energy.spike_out_pj", func(c *targets.Cost) { c.Energy.SpikeOutPJ = gone }, 130, 0, 0},
		{"energy.axon_in_pj", func(c *targets.Cost) { c.Energy.AxonInPJ = gone }, 150, 0, 0},
		{"energy.axon_out_pj", func(c *targets.Cost) { c.Energy.AxonOutPJ = gone }, 200, 0, 0},
		{"energy.hop_x_pj", func(c *targets.Cost) { c.Energy.HopXPJ = gone }, 20, 0, 0},
		{"energy.hop_y_pj", func(c *targets.Cost) { c.Energy.HopYPJ = gone }, 0, 0, 0},
		{"energy.static_mw", func(c *targets.Cost) { c.Energy.StaticMW = gone }, static, 0, 0},
		{"time.neuron_access_ns", func(c *targets.Cost) { c.Time.NeuronAccessNS = gone }, 20, 20, 0},
		{"time.neuron_update_ns", func(c *targets.Cost) { c.Time.NeuronUpdateNS = gone }, 20, 20, 0},
		{"time.spike_out_ns", func(c *targets.Cost) { c.Time.SpikeOutNS = gone }, 20, 20, 0},
		{"time.axon_in_ns", func(c *targets.Cost) { c.Time.AxonInNS = gone }, 80, 80, 0},
		{"time.axon_out_ns", func(c *targets.Cost) { c.Time.AxonOutNS = gone }, 40, 40, 0},
		{"time.barrier_ns", func(c *targets.Cost) { c.Time.BarrierNS = targets.Barrier{Reason: "not known"} }, 100, 100, 0},
		{"cycles.axon_in_cycles", func(c *targets.Cost) { c.Cycles.AxonInCycles = gone }, 0, 0, 20},
		{"cycles.tick_cycles", func(c *targets.Cost) { c.Cycles.TickCycles = gone }, 0, 0, 50},
	} {
		chip := load(t, "toy")
		c.edit(&chip.Cost)
		e := estimate(t, counted(), chip, placed())
		if !near(e.EnergyPJ, 1145-c.energy) || !near(e.TimeNS, 360-c.time) || !near(e.Cycles, 100-c.cycles) {
			t.Errorf("%s: got %v pJ, %v ns, %v cycles, want %v, %v, %v less", c.name, *e.EnergyPJ, *e.TimeNS, *e.Cycles, c.energy, c.time, c.cycles)
		}
		found := false
		for _, m := range e.Missing {
			found = found || m == c.name+": not known"
		}
		if !found || len(e.Missing) != 2 {
			t.Errorf("%s: got missing %q", c.name, e.Missing)
		}
	}

	// Without the constant that a sum is made of, the sum is null.
	chip := load(t, "toy")
	chip.Cost.Time.SynOpNS, chip.Cost.Cycles.NeuronUpdatesPerCycle = gone, gone
	e := estimate(t, counted(), chip, placed())
	if e.TimeNS != nil || e.TimeReason != "synop_ns: not known" || e.Cycles != nil || e.CyclesReason != "neuron_updates_per_cycle: not known" {
		t.Errorf("got %v %q, %v %q", e.TimeNS, e.TimeReason, e.Cycles, e.CyclesReason)
	}
	if !near(e.EnergyPJ, 1145-static) || !reflect.DeepEqual(e.Missing, []string{"energy.static_mw: the time it is drawn for is not known"}) {
		t.Errorf("got %v pJ, missing %q", *e.EnergyPJ, e.Missing)
	}
}

// A crossbar by hand: one core that steps through 6 neurons, 5 input spikes and
// 3 spikes of its own in 2 ticks, 40 words written by a host.
//
//	cycles 8 events x ceil(6/4) + 2 ticks x (ceil(6/2) + 10) + 3 spikes x 3 + 40 x 7 = 331
//	       + 8 messages in x 1 = 339 where the host hands spikes on
//	       + 5 x 1 + 3 x 2     = 342 where the core's own queue does
//	synops 8 x 6 = 48, of which 26 were connected
func TestCrossbar(t *testing.T) {
	chip := load(t, "toy")
	q := &chip.Cost.Cycles
	q.AxonOutCycles, q.OwnSpikeCycles, q.HostWriteCycles = value(3, nil, nil), value(2, nil, nil), value(7, nil, nil)
	core := emulator.CoreCounters{Spikes: 3, Events: 8, SynOps: 26, Updates: 12}
	c := emulator.Counters{
		Samples: 1, Ticks: 2, InputSpikes: 5, Cores: []emulator.CoreCounters{core},
		Layers: []emulator.LayerCounters{{Spikes: 3, Events: 5, SynOps: 20, Updates: 8}, {Events: 3, SynOps: 6, Updates: 4}},
	}
	p := cost.Placed{Neurons: map[targets.CoreID]int{0: 6}, Sends: map[targets.CoreID]int{0: 1}, Tiles: 1, WholeRows: true, HostWrites: 40}
	for queue, want := range map[bool]float64{false: 339, true: 342} {
		p.OwnQueue = queue
		e := estimate(t, c, chip, p)
		in := map[bool]float64{false: 8, true: 5}[queue]
		if !near(e.Cycles, want) || e.Counts.SynOps != 48 || e.Counts.MessagesIn != in || len(e.Missing) != 0 {
			t.Errorf("own queue %v: got %v cycles, %+v, missing %q, want %v cycles, 48 synops, %v messages", queue, *e.Cycles, e.Counts, e.Missing, want, in)
		}
		if !near(e.TickCycles, (want-280)/2) { // a tick is without what the host writes
			t.Errorf("own queue %v: got %v cycles a tick", queue, *e.TickCycles)
		}
		if rest, part := e.Split("host_write_cycles"); !near(rest, want-280) || !near(part, 280) {
			t.Errorf("own queue %v: split: got %v and %v, want %v and 280", queue, *rest, *part, want-280)
		}
	}

	// Two output spikes more: 2 x 3 to leave; the core's own queue serves them
	// too, each by ceil(6/4) + 2, 6 synops.
	more := c
	more.Cores = []emulator.CoreCounters{core}
	more.Cores[0].Spikes += 2
	for queue, want := range map[bool]float64{false: 339 + 6, true: 342 + 6 + 8} {
		p.OwnQueue = queue
		e := estimate(t, more, chip, p)
		if synops := map[bool]float64{false: 48, true: 60}[queue]; !near(e.Cycles, want) || e.Counts.SynOps != synops {
			t.Errorf("own queue %v, output spikes: got %v cycles, %v synops, want %v and %v", queue, *e.Cycles, e.Counts.SynOps, want, synops)
		}
	}

	// Without its constant what the host writes is left out, and said.
	p.OwnQueue = true
	q.HostWriteCycles = targets.Quantity{Reason: "not known"}
	e := estimate(t, c, chip, p)
	rest, part := e.Split("host_write_cycles")
	if !near(rest, 62) || part != nil || !reflect.DeepEqual(e.Missing, []string{"cycles.host_write_cycles: not known"}) {
		t.Errorf("got %v and %v, missing %q", *rest, part, e.Missing)
	}
	q.SynOpsPerCycle = q.HostWriteCycles
	if rest, part := estimate(t, c, chip, p).Split("host_write_cycles"); rest != nil || part != nil {
		t.Errorf("cycles not known: got a split, %v and %v", rest, part)
	}
}

// TestBusiest: time and cycles are of the core with most of each.
func TestBusiest(t *testing.T) {
	c := counted()
	c.Cores[0], c.Cores[4] = c.Cores[4], c.Cores[0]
	p := placed()
	p.Neurons = map[targets.CoreID]int{0: 3, 4: 4}
	p.Sends = map[targets.CoreID]int{4: 1}
	p.Links = map[targets.CoreID][2]uint64{4: {2, 0}}
	e := estimate(t, c, load(t, "toy"), p)
	if !near(e.TimeNS, 360) || !near(e.Cycles, 100) {
		t.Errorf("got %v ns, %v cycles, want those of core 4: 360, 100", *e.TimeNS, *e.Cycles)
	}
}

func TestNewRefuses(t *testing.T) {
	for want, c := range map[string]emulator.Counters{
		"estimate: got counters of 0 samples on 1 cores, want at least one of each": {Cores: make([]emulator.CoreCounters, 1)},
		"estimate: got counters of 1 samples on 0 cores, want at least one of each": {Samples: 1},
	} {
		if e, err := cost.New(c, load(t, "toy"), cost.Placed{}, nil); err == nil || err.Error() != want || e != nil {
			t.Errorf("got %v, %v, want %s", e, err, want)
		}
	}
}

// ExampleNew estimates one sample of a layer of 2 neurons that took 3 spikes in
// 2 ticks and fired once.
func ExampleNew() {
	chip, err := targets.Load("toy")
	if err != nil {
		fmt.Println(err)
		return
	}
	core := emulator.CoreCounters{Spikes: 1, Events: 3, SynOps: 6, Updates: 4}
	e, err := cost.New(emulator.Counters{
		Samples: 1, Ticks: 2, InputSpikes: 3, Cores: []emulator.CoreCounters{core},
		Layers: []emulator.LayerCounters{{Spikes: 1, Events: 3, SynOps: 6, Updates: 4}},
	}, chip, cost.Placed{Neurons: map[targets.CoreID]int{0: 2}, Tiles: 1}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(*e.EnergyPJ, "pJ,", *e.TimeNS, "ns,", *e.Cycles, "cycles; missing", e.Missing)
	for _, p := range e.Parts[len(e.Parts)-4:] {
		fmt.Println(p.Ledger, p.Constant, p.Count, "x", p.Value, "=", p.Total)
	}
	// Output:
	// 99 pJ, 48 ns, 28 cycles; missing [cycles.axon_out_cycles: left open so that tests meet an unknown]
	// cycles synops_per_cycle 3 x 1 = 3
	// cycles neuron_updates_per_cycle 2 x 1 = 2
	// cycles axon_in_cycles 3 x 1 = 3
	// cycles tick_cycles 2 x 10 = 20
}
