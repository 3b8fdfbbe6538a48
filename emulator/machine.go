package emulator

import "glsnn/emulator/machine"

// Machine is an engine with a model in it. Methods that take dst append to
// dst[:0]; slices said to alias are the engine's own, good until the next Step
// or Reset.
type Machine interface {
	// Reset begins a new window: state at rest, no spike on its way, spike
	// counts and Err cleared. Counters go on.
	Reset()
	// Step runs one tick with input spikes in, strictly ascending axons. It
	// panics on others.
	Step(in []int32)
	// Spikes are the neurons that fired in the last tick, in the order of the
	// spikes: ascending, once for each spike, where the contract updates per
	// tick; by event, then neuron, where it updates per event. Aliases.
	Spikes(layer int) []int32
	// Sum, Current and Membrane are q, u and v after the last tick.
	Sum(layer int, dst []int64) []int64
	Current(layer int, dst []int64) []int64
	Membrane(layer int, dst []int64) []int64
	// Count is the spikes of each neuron in this window; aliases.
	Count(layer int) []int32
	// Scores are what the model's read-out reads, one an output neuron.
	Scores(dst []int64) []int64
	// Counters are the counts of all windows since New.
	Counters() Counters
	// Err is the first overflow of this window under Options.Strict, an
	// *OverflowError, else nil.
	Err() error
}

// The types that both engines share; see package machine.
type (
	Options       = machine.Options
	Observer      = machine.Observer
	Counters      = machine.Counters
	LayerCounters = machine.LayerCounters
	CoreCounters  = machine.CoreCounters
	OverflowError = machine.OverflowError
	What          = machine.What
)

// Argmax is the class of a row of scores: the largest, the lowest index among
// equals. It is −1 for none.
func Argmax(scores []int64) int {
	best := -1
	for i, s := range scores {
		if best < 0 || s > scores[best] {
			best = i
		}
	}
	return best
}
