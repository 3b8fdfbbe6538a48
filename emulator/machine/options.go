package machine

import (
	"fmt"

	"glsnn/fixedpoint"
	"glsnn/targets"
)

// Options are how an engine runs a model. The zero value counts overflow,
// hands spikes on within the tick and knows no cores.
type Options struct {
	// Delay makes every spike of a layer arrive at the next layer one tick
	// later, as chips with a time-step barrier do. Input spikes are not
	// delayed. Package emulator says when the two agree.
	Delay bool
	// Strict keeps the first overflow of a window for Err.
	Strict bool
	// CoreOf is the core of each neuron, layer after layer; nil means
	// unplaced, and then Counters.Cores is empty.
	CoreOf []targets.CoreID
	// Silent are neurons, layer after layer, whose spikes never leave them: a dead
	// output stage. They are updated and reset as ever, but fire nothing and count
	// nothing; nil means none.
	Silent []bool
	// Observer, if not nil, is called in every tick.
	Observer Observer
}

// Check says whether o fits m: CoreOf is nil or holds one core from 0 on for
// each neuron, and Silent is nil or has one entry for each.
func (o Options) Check(m *fixedpoint.Model) error {
	if o.Silent != nil && len(o.Silent) != m.Neurons() {
		return fmt.Errorf("emulator: Silent: got %d entries, want one for each of %d neurons", len(o.Silent), m.Neurons())
	}
	if o.CoreOf == nil {
		return nil
	}
	if len(o.CoreOf) != m.Neurons() {
		return fmt.Errorf("emulator: CoreOf: got %d cores, want one for each of %d neurons", len(o.CoreOf), m.Neurons())
	}
	for i, c := range o.CoreOf {
		if c < 0 {
			return fmt.Errorf("emulator: CoreOf: neuron %d: got core %d, want 0 or more", i, c)
		}
	}
	return nil
}

// Cores is the number of cores that o names: the highest CoreID and those
// below it, used or not.
func (o Options) Cores() int {
	n := targets.CoreID(0)
	for _, c := range o.CoreOf {
		n = max(n, c+1)
	}
	return int(n)
}

// Observer sees a run as it happens, for rasters and traffic. OnTick comes
// first in a tick; the spikes of the tick follow at its end, layers and
// neurons ascending.
type Observer interface {
	OnTick(t int)
	OnSpike(layer int, neuron int32, t int)
}
