package cost

import (
	"math"

	"glsnn/emulator"
	"glsnn/fixedpoint"
	"glsnn/targets"
)

// Timing is the work of the cores that a tick waited for, over samples: of the
// busiest core of each tick, or, where a spike is integrated in the tick in which
// it was fired (Fabric.LayerDelay 0), of the busiest of each layer, one after
// another. By time and by clock cycles those may be different cores.
type Timing struct {
	Samples      uint64
	Time, Cycles Work
	// The longest tick, without barrier and tick_cycles.
	WorstNS, WorstCycles float64
	PerTick              bool // not the busiest over all ticks
}

// Work is what cores do. Counts are exact.
type Work struct {
	Events, Own     uint64 // spikes that arrive, and those of them from the core's own queue
	SynOps, Updates uint64
	Spikes          uint64
	Messages        uint64 // sent
	Slices, Sweeps  uint64 // cycles of synapse rows and of updates
}

func (w *Work) add(o Work) {
	w.Events += o.Events
	w.Own += o.Own
	w.SynOps += o.SynOps
	w.Updates += o.Updates
	w.Spikes += o.Spikes
	w.Messages += o.Messages
	w.Slices += o.Slices
	w.Sweeps += o.Sweeps
}

// Add merges o into t.
func (t *Timing) Add(o *Timing) {
	t.Samples += o.Samples
	t.Time.add(o.Time)
	t.Cycles.add(o.Cycles)
	t.WorstNS, t.WorstCycles = math.Max(t.WorstNS, o.WorstNS), math.Max(t.WorstCycles, o.WorstCycles)
	t.PerTick = t.PerTick || o.PerTick
}

// ns is what w takes by a chip's constants, those that are known.
func (w Work) ns(t *targets.Time) float64 {
	return float64(w.SynOps)*known(t.SynOpNS) + float64(w.Updates)*(known(t.NeuronAccessNS)+known(t.NeuronUpdateNS)) +
		float64(w.Spikes)*known(t.SpikeOutNS) + float64(w.Events)*known(t.AxonInNS) + float64(w.Messages)*known(t.AxonOutNS)
}

func (w Work) cycles(c *targets.Cycles) float64 {
	return float64(w.Slices+w.Sweeps) + float64(w.Events-w.Own)*known(c.AxonInCycles) + float64(w.Own)*known(c.OwnSpikeCycles) +
		float64(w.Messages)*known(c.AxonOutCycles)
}

func known(q targets.Quantity) float64 {
	v, _ := q.Get()
	return v
}

// lanes is ceil(n/rate), 0 where the rate is not known.
func lanes(n int, q targets.Quantity) uint64 {
	if v, ok := q.Get(); ok && v > 0 {
		return uint64(math.Ceil(float64(n) / v))
	}
	return 0
}

// window is the Timing of the core that was busiest over all ticks.
func window(c emulator.Counters, chip *targets.Chip, p Placed) *Timing {
	t := &Timing{Samples: c.Samples}
	ns, cycles := -1.0, -1.0
	for i, k := range c.Cores {
		id := targets.CoreID(i)
		n := p.Neurons[id]
		inputs := float64(c.InputSpikes)
		w := Work{
			Events: uint64(p.events(k, inputs)), SynOps: uint64(p.synops(id, k, inputs)), Updates: k.Updates, Spikes: k.Spikes, Messages: k.Spikes * uint64(p.Sends[id]),
			Slices: uint64(p.events(k, inputs)) * lanes(n, chip.Cost.Cycles.SynOpsPerCycle), Sweeps: c.Ticks * lanes(n, chip.Cost.Cycles.NeuronUpdatesPerCycle),
		}
		if p.OwnQueue {
			w.Own = k.Spikes
		}
		if v := w.ns(&chip.Cost.Time); v > ns {
			t.Time, ns = w, v
		}
		if v := w.cycles(&chip.Cost.Cycles); v > cycles {
			t.Cycles, cycles = w, v
		}
	}
	return t
}

// Timer watches a run for its Timing. It is one worker's; its Timing is good
// between samples.
type Timer struct {
	Timing
	*timed
	inputs  []uint64   // of each tick of this sample
	fired   [][]uint64 // spikes of each layer, by tick
	spikes  [][]uint64 // of each core in use, by tick
	arrives []uint64
}

// timed is what timers of a placement share.
type timed struct {
	chip       *targets.Chip
	p          Placed
	cores      []timedCore
	of         [][]int32 // index in cores of each neuron, by layer
	delay      []int     // ticks from layer to the next
	axons      []uint64  // in-axons that a spike arrives at in each layer
	sequential bool
	perEvent   bool
}

type timedCore struct {
	neurons []uint64 // of each layer, copies included
	layer   int      // the first that it has neurons of
	sends   uint64
	all     uint64
	row     uint64 // cycles of a synapse row
	sweep   uint64 // of a tick's updates
}

// NewTimers makes timers of a model that is placed: coreOf is the core of each
// neuron, layer after layer, copies the times that a layer's neurons are stored
// and axons the in-axons of a spike there.
func NewTimers(m *fixedpoint.Model, chip *targets.Chip, p Placed, coreOf []targets.CoreID, copies, axons []int) func() *Timer {
	t := &timed{chip: chip, p: p, perEvent: m.Arithmetic.Update == fixedpoint.PerEvent}
	index := map[targets.CoreID]int32{}
	next := 0
	for l, layer := range m.Layers {
		t.delay = append(t.delay, layer.Delay+chip.Fabric.LayerDelay)
		t.axons = append(t.axons, uint64(axons[l]))
		of := make([]int32, layer.Out)
		for j := range of {
			id := coreOf[next+j]
			i, ok := index[id]
			if !ok {
				i = int32(len(t.cores))
				index[id] = i
				t.cores = append(t.cores, timedCore{
					neurons: make([]uint64, len(m.Layers)), layer: l, sends: uint64(p.Sends[id]), all: uint64(p.Neurons[id]),
					row: lanes(p.Neurons[id], chip.Cost.Cycles.SynOpsPerCycle), sweep: lanes(p.Neurons[id], chip.Cost.Cycles.NeuronUpdatesPerCycle),
				})
			}
			t.cores[i].neurons[l] += uint64(copies[l])
			of[j] = i
		}
		t.of = append(t.of, of)
		next += layer.Out
	}
	t.sequential = chip.Fabric.LayerDelay == 0
	return func() *Timer {
		return &Timer{timed: t, Timing: Timing{PerTick: true}, arrives: make([]uint64, len(m.Layers))}
	}
}

func (t *Timer) OnSample(int) {
	t.inputs, t.fired, t.spikes = t.inputs[:0], t.fired[:0], t.spikes[:0]
}

func (t *Timer) OnInput(_ int, axons []int32) {
	t.inputs = append(t.inputs, uint64(len(axons)))
	t.fired = append(t.fired, make([]uint64, len(t.of)))
	t.spikes = append(t.spikes, make([]uint64, len(t.cores)))
}

func (t *Timer) OnTick(int) {}

func (t *Timer) OnSpike(layer int, neuron int32, tick int) {
	t.fired[tick][layer]++
	t.spikes[tick][t.of[layer][neuron]]++
}

// OnEnd adds up the sample.
func (t *Timer) OnEnd() {
	t.Samples++
	for tick := range t.inputs {
		for l := range t.arrives {
			t.arrives[l] = t.inputs[tick]
			if l > 0 {
				t.arrives[l] = 0
				if from := tick - t.delay[l-1]; from >= 0 {
					t.arrives[l] = t.fired[from][l-1]
				}
			}
		}
		t.tick(tick)
	}
}

// tick adds the work of the cores that a tick waited for.
func (t *Timer) tick(tick int) {
	ns, cycles := 0.0, 0.0
	for first := 0; first < len(t.cores); {
		last := len(t.cores)
		if t.sequential { // cores are in the order of their layers
			for last = first + 1; last < len(t.cores) && t.cores[last].layer == t.cores[first].layer; {
				last++
			}
		}
		var byTime, byCycles Work
		mostNS, mostCycles := -1.0, -1.0
		for i := first; i < last; i++ {
			w := t.work(i, tick)
			if v := w.ns(&t.chip.Cost.Time); v > mostNS {
				byTime, mostNS = w, v
			}
			if v := w.cycles(&t.chip.Cost.Cycles); v > mostCycles {
				byCycles, mostCycles = w, v
			}
		}
		t.Time.add(byTime)
		t.Cycles.add(byCycles)
		ns, cycles = ns+mostNS, cycles+mostCycles
		first = last
	}
	t.WorstNS, t.WorstCycles = math.Max(t.WorstNS, ns), math.Max(t.WorstCycles, cycles)
}

// work is core i's in a tick.
func (t *Timer) work(i, tick int) Work {
	c := &t.cores[i]
	w := Work{Spikes: t.spikes[tick][i], Updates: c.all, Sweeps: c.sweep}
	if t.p.WholeRows { // as counted: neurons of the network, not of the crossbar
		w.Updates = 0
		for _, n := range c.neurons {
			w.Updates += n
		}
	}
	w.Messages = w.Spikes * c.sends
	for l, n := range c.neurons {
		if n == 0 {
			continue
		}
		events := t.arrives[l] * t.axons[l]
		w.Events += events
		w.SynOps += events * n
		if t.perEvent {
			w.Updates += events * n
		}
	}
	if t.p.OwnQueue { // every spike of the core, those of the last layer included
		for _, n := range t.fired[tick] {
			w.Own += n
		}
		w.Events = t.inputs[tick] + w.Own
	}
	if t.p.WholeRows {
		w.SynOps = w.Events * c.all
	}
	w.Slices = w.Events * c.row
	return w
}
