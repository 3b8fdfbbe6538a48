package machine

import "slices"

// Counters are exact counts of what the chip does, whatever the engine skips.
// Costs are computed from them, by targets.Cost.
type Counters struct {
	Samples     uint64 `json:"samples"`      // windows begun
	Ticks       uint64 `json:"ticks"`        // algorithm steps, over all windows
	InputSpikes uint64 `json:"input_spikes"` // spikes given to layer 0

	Layers []LayerCounters `json:"layers"`
	Cores  []CoreCounters  `json:"cores,omitempty"` // by CoreID; none if unplaced
}

// LayerCounters count one layer.
//
// Invariants: SynOps = Events × neurons; Updates = neurons × Ticks, plus SynOps
// where the contract updates per event; with zero delay Events of layer l is
// Spikes of layer l−1, and InputSpikes of layer 0. A neuron that fires several
// times in a tick counts each time.
type LayerCounters struct {
	Spikes            uint64 `json:"spikes"`         // fired
	Events            uint64 `json:"events"`         // arriving spikes
	SynOps            uint64 `json:"synops"`         // stored synapses read and added, zero weights included
	Updates           uint64 `json:"neuron_updates"` // soma evaluations
	SumOverflows      uint64 `json:"sum_overflows"`  // adds whose result did not fit, one each
	CurrentOverflows  uint64 `json:"current_overflows"`
	BiasOverflows     uint64 `json:"bias_overflows"` // of current and bias
	MembraneOverflows uint64 `json:"membrane_overflows"`
}

// CoreCounters count one core. A spike that arrives at a layer is one event on
// each core that has neurons of the layer.
type CoreCounters struct {
	Spikes  uint64 `json:"spikes"`
	Events  uint64 `json:"events"`
	SynOps  uint64 `json:"synops"`
	Updates uint64 `json:"neuron_updates"`
}

// Add merges o into c. The order of merges does not matter; the zero Counters
// adds nothing.
func (c *Counters) Add(o Counters) {
	c.Samples += o.Samples
	c.Ticks += o.Ticks
	c.InputSpikes += o.InputSpikes
	if n := len(o.Layers) - len(c.Layers); n > 0 {
		c.Layers = append(c.Layers, make([]LayerCounters, n)...)
	}
	for i, l := range o.Layers {
		c.Layers[i].Add(l)
	}
	if n := len(o.Cores) - len(c.Cores); n > 0 {
		c.Cores = append(c.Cores, make([]CoreCounters, n)...)
	}
	for i, k := range o.Cores {
		c.Cores[i].Add(k)
	}
}

// Add merges o into l.
func (l *LayerCounters) Add(o LayerCounters) {
	l.Spikes += o.Spikes
	l.Events += o.Events
	l.SynOps += o.SynOps
	l.Updates += o.Updates
	l.SumOverflows += o.SumOverflows
	l.CurrentOverflows += o.CurrentOverflows
	l.BiasOverflows += o.BiasOverflows
	l.MembraneOverflows += o.MembraneOverflows
}

// Add merges o into k.
func (k *CoreCounters) Add(o CoreCounters) {
	k.Spikes += o.Spikes
	k.Events += o.Events
	k.SynOps += o.SynOps
	k.Updates += o.Updates
}

// Equal says whether c and o count the same.
func (c Counters) Equal(o Counters) bool {
	return c.Samples == o.Samples && c.Ticks == o.Ticks && c.InputSpikes == o.InputSpikes &&
		slices.Equal(c.Layers, o.Layers) && slices.Equal(c.Cores, o.Cores)
}

// Clone is a copy of c that shares nothing with it.
func (c Counters) Clone() Counters {
	c.Layers, c.Cores = slices.Clone(c.Layers), slices.Clone(c.Cores)
	return c
}

// Totals is the sum over layers.
func (c Counters) Totals() (t LayerCounters) {
	for _, l := range c.Layers {
		t.Add(l)
	}
	return t
}

// Overflows is the number of overflows of every kind.
func (c Counters) Overflows() uint64 {
	t := c.Totals()
	return t.SumOverflows + t.CurrentOverflows + t.BiasOverflows + t.MembraneOverflows
}
