package targets

import (
	"reflect"
	"strings"
)

// Cost is what each operation costs, in three independent ledgers. A constant
// that is not known is null with a reason, never 0; what a null leaves out of
// a total must be said beside the total.
type Cost struct {
	Energy Energy `json:"energy"`
	Time   Time   `json:"time"`
	Cycles Cycles `json:"cycles"`
}

// Energy is picojoules for each operation.
type Energy struct {
	// SynOpAllIn: SynOpPJ is an all-in system number. Neuron, message, hop and
	// static energy is inside it and must not be added; the other constants
	// are then null.
	SynOpAllIn     bool     `json:"synop_all_in"`
	SynOpPJ        Quantity `json:"synop_pj"`         // one synapse read and added, zero weights included
	NeuronAccessPJ Quantity `json:"neuron_access_pj"` // every neuron, every tick
	NeuronUpdatePJ Quantity `json:"neuron_update_pj"` // extra, for a neuron that is updated
	SpikeOutPJ     Quantity `json:"spike_out_pj"`     // extra, for a neuron that fires
	AxonInPJ       Quantity `json:"axon_in_pj"`       // one message arriving at a core
	AxonOutPJ      Quantity `json:"axon_out_pj"`      // one message sent
	HopXPJ         Quantity `json:"hop_x_pj"`         // one message over one east-west link
	HopYPJ         Quantity `json:"hop_y_pj"`         // one message over one north-south link
	StaticMW       Quantity `json:"static_mw"`        // the whole chip, always; 1 mW over 1 ns is 1 pJ
	// What only some chips have; absent: nothing of that kind.
	RouterPJ     Quantity `json:"router_pj,omitzero" file:"optional"`      // one message through one router, that of its source included
	BarrierPJ    Quantity `json:"barrier_pj,omitzero" file:"optional"`     // once a tick
	MemoryBitPJ  Quantity `json:"memory_bit_pj,omitzero" file:"optional"`  // one stored bit of a synapse that is read, where synop_pj is without
	StaticTileMW Quantity `json:"static_tile_mw,omitzero" file:"optional"` // each tile in use, always
}

// Time is nanoseconds for each operation of one core or link; what runs in
// parallel is the emulator's question.
type Time struct {
	SynOpNS        Quantity `json:"synop_ns"`
	NeuronAccessNS Quantity `json:"neuron_access_ns"`
	NeuronUpdateNS Quantity `json:"neuron_update_ns"`
	SpikeOutNS     Quantity `json:"spike_out_ns"`
	AxonInNS       Quantity `json:"axon_in_ns"`
	AxonOutNS      Quantity `json:"axon_out_ns"`
	HopXNS         Quantity `json:"hop_x_ns"`
	HopYNS         Quantity `json:"hop_y_ns"`
	BarrierNS      Barrier  `json:"barrier_ns"` // once a tick
	// TickNS is how long a tick lasts whatever is done in it, on a chip that runs
	// in real time; the other constants are then null. Absent: no such time.
	TickNS Quantity `json:"tick_ns,omitzero" file:"optional"`
}

// Cycles is clock cycles, for chips that have a clock.
type Cycles struct {
	ClockMHz Quantity `json:"clock_mhz"`
	// SynOpsPerCycle is the lanes of a core: an in-axon that reaches n neurons
	// takes n/SynOpsPerCycle cycles, rounded up.
	SynOpsPerCycle        Quantity `json:"synops_per_cycle"`
	NeuronUpdatesPerCycle Quantity `json:"neuron_updates_per_cycle"` // a core's n neurons take n/this, rounded up
	AxonInCycles          Quantity `json:"axon_in_cycles"`           // extra, for one message arriving at a core
	AxonOutCycles         Quantity `json:"axon_out_cycles"`          // for one message sent
	OwnSpikeCycles        Quantity `json:"own_spike_cycles"`         // extra, for one spike that a core serves from its own queue
	TickCycles            Quantity `json:"tick_cycles"`              // once a tick
	HostWriteCycles       Quantity `json:"host_write_cycles"`        // one word that a host writes into the chip while the network stands still
	// TickAllIn: TickCycles is all that a tick takes, whatever the activity; the
	// other constants of a core are then null. Absent: false.
	TickAllIn bool `json:"tick_all_in,omitempty" file:"optional"`
}

// Quantity is one constant. Either Value is set, with an Origin and, where
// sources differ, the range Low..High around it; or it is nil and Reason says
// why. Unit follows from the key.
type Quantity struct {
	Value *float64 `json:"value" file:"null"`
	Low   *float64 `json:"low,omitempty" file:"optional"`
	High  *float64 `json:"high,omitempty" file:"optional"`
	Unit  string   `json:"unit" file:"-"`
	Origin
	Reason string `json:"reason,omitempty" file:"optional"`
}

// Get is the value, and whether there is one.
func (q Quantity) Get() (float64, bool) {
	if q.Value == nil {
		return 0, false
	}
	return *q.Value, true
}

// Absent says that the file has no such constant: neither a value nor a reason.
func (q Quantity) Absent() bool { return q.Value == nil && q.Reason == "" }

// Range is Low and High, or the value twice where no range is given.
func (q Quantity) Range() (low, high float64, ok bool) {
	return span(q.Value, q.Low, q.High)
}

func span(value, low, high *float64) (float64, float64, bool) {
	switch {
	case value == nil:
		return 0, 0, false
	case low == nil || high == nil:
		return *value, *value, true
	}
	return *low, *high, true
}

// Barrier is what it takes to end a tick, by the number of tiles in use: a
// step holds from its Tiles up to the next step's. ByTiles is nil where it is
// not known, with a Reason.
type Barrier struct {
	ByTiles []BarrierStep `json:"by_tiles" file:"null"`
	Unit    string        `json:"unit" file:"-"`
	Origin
	Reason string `json:"reason,omitempty" file:"optional"`
}

// BarrierStep is one line of the table.
type BarrierStep struct {
	Tiles int      `json:"tiles"`
	NS    float64  `json:"ns"`
	Low   *float64 `json:"low,omitempty" file:"optional"`
	High  *float64 `json:"high,omitempty" file:"optional"`
}

// At is the barrier with tiles tiles in use: that of the last step at or below
// tiles, of the first if there is none.
func (b Barrier) At(tiles int) (Quantity, bool) {
	if len(b.ByTiles) == 0 {
		return Quantity{Unit: b.Unit, Reason: b.Reason}, false
	}
	s := b.ByTiles[0]
	for _, next := range b.ByTiles[1:] {
		if next.Tiles <= tiles {
			s = next
		}
	}
	return Quantity{Value: &s.NS, Low: s.Low, High: s.High, Unit: b.Unit, Origin: b.Origin}, true
}

// NamedQuantity is a constant with its path below cost, such as
// energy.synop_pj.
type NamedQuantity struct {
	Name string
	Quantity
}

// Quantities lists every constant in the order of Cost; the barrier and optional
// ones that are absent are not among them.
func (c Cost) Quantities() []NamedQuantity {
	var out []NamedQuantity
	c.setUnits()
	c.each(func(name string, q *Quantity, optional bool) {
		if !optional || !q.Absent() {
			out = append(out, NamedQuantity{name, *q})
		}
	})
	return out
}

func (c *Cost) each(f func(name string, q *Quantity, optional bool)) {
	ledgers := reflect.ValueOf(c).Elem()
	for i := range ledgers.NumField() {
		prefix, ledger := keyOf(ledgers.Type().Field(i)), ledgers.Field(i)
		for j := range ledger.NumField() {
			if q, ok := ledger.Field(j).Addr().Interface().(*Quantity); ok {
				field := ledger.Type().Field(j)
				f(prefix+"."+keyOf(field), q, field.Tag.Get("file") == "optional")
			}
		}
	}
}

func (c *Cost) setUnits() {
	c.each(func(name string, q *Quantity, _ bool) { q.Unit = unitOf(name) })
	c.Time.BarrierNS.Unit = unitOf("barrier_ns")
}

// quantities are the constants of learning, with their path in the file.
func (r *LearningRule) quantities() []NamedQuantity {
	if r == nil {
		return nil
	}
	var out []NamedQuantity
	for _, q := range []struct {
		key string
		q   *Quantity
	}{{"update_pj", &r.UpdatePJ}, {"update_ns", &r.UpdateNS}, {"updates_per_cycle", &r.UpdatesPerCycle}} {
		q.q.Unit = unitOf(q.key)
		out = append(out, NamedQuantity{"learning.rule." + q.key, *q.q})
	}
	return out
}

var units = []struct{ suffix, unit string }{
	{"_pj", "pJ"}, {"_ns", "ns"}, {"_mw", "mW"}, {"_mhz", "MHz"}, {"_per_cycle", "1/cycle"}, {"_cycles", "cycles"},
}

func unitOf(name string) string {
	for _, u := range units {
		if strings.HasSuffix(name, u.suffix) {
			return u.unit
		}
	}
	panic("targets: no unit in the name " + name)
}
