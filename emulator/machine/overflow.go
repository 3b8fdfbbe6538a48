package machine

import "fmt"

// What names a quantity of a neuron: a register that overflowed, or a state
// that differs between two engines.
type What string

// The registers, in the order of a tick, and what else can be compared.
const (
	Sum      What = "sum"
	Current  What = "current"
	Bias     What = "bias"
	Membrane What = "membrane"
	Spike    What = "spike"
	Score    What = "score"
)

// OverflowError is the first overflow of a window, in the order of the
// contract: ticks, layers, then step 3 (spikes in their order, then neurons
// ascending), then the neurons ascending, each its current before its bias
// before its membrane.
type OverflowError struct {
	Tick, Layer, Neuron int
	Register            What
	Value, Min, Max     int64 // the value before narrowing, and the register's range
}

func (e *OverflowError) Error() string {
	return fmt.Sprintf("tick %d, layer %d, neuron %d: %s: got %d, want %d..%d", e.Tick, e.Layer, e.Neuron, e.Register, e.Value, e.Min, e.Max)
}
