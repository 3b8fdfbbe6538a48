package learn

import (
	"slices"

	"glsnn/emulator"
)

// Counters are exact counts of what the chip does to learn. Run counts the
// forward phases, as for a network that does not.
type Counters struct {
	Samples        uint64            `json:"samples"`
	Learned        uint64            `json:"learned"`         // those with an error
	TraceUpdates   uint64            `json:"trace_updates"`   // without decay one a spike, with it one an axon and tick
	DriveUpdates   uint64            `json:"drive_updates"`   // one a hidden neuron and tick, where the window compares drives
	ErrorEvents    uint64            `json:"error_events"`    // outputs with an error, or their error spikes
	FeedbackSynOps uint64            `json:"feedback_synops"` // feedback weights read, output weights read backward included
	Layers         []LayerCounters   `json:"layers"`
	Run            emulator.Counters `json:"forward"`
}

// LayerCounters count the updates of one layer. Reads less Writes are the
// updates that rounded to 0.
type LayerCounters struct {
	Reads       uint64 `json:"weight_reads"`
	Writes      uint64 `json:"weight_writes"` // those that rounded to a change
	Saturations uint64 `json:"saturations"`   // writes that the range clipped
	Draws       uint64 `json:"random_draws"`
	DrawBits    uint64 `json:"random_bits"`
}

// Totals is the sum over layers.
func (c *Counters) Totals() (t LayerCounters) {
	for _, l := range c.Layers {
		t.add(l)
	}
	return t
}

func (l *LayerCounters) add(o LayerCounters) {
	l.Reads += o.Reads
	l.Writes += o.Writes
	l.Saturations += o.Saturations
	l.Draws += o.Draws
	l.DrawBits += o.DrawBits
}

// Add merges o into c.
func (c *Counters) Add(o Counters) {
	c.Samples += o.Samples
	c.Learned += o.Learned
	c.TraceUpdates += o.TraceUpdates
	c.DriveUpdates += o.DriveUpdates
	c.ErrorEvents += o.ErrorEvents
	c.FeedbackSynOps += o.FeedbackSynOps
	if n := len(o.Layers) - len(c.Layers); n > 0 {
		c.Layers = append(c.Layers, make([]LayerCounters, n)...)
	}
	for i, l := range o.Layers {
		c.Layers[i].add(l)
	}
	c.Run.Add(o.Run)
}

// Equal says whether c and o count the same.
func (c *Counters) Equal(o *Counters) bool {
	return c.Samples == o.Samples && c.Learned == o.Learned && c.TraceUpdates == o.TraceUpdates && c.DriveUpdates == o.DriveUpdates &&
		c.ErrorEvents == o.ErrorEvents && c.FeedbackSynOps == o.FeedbackSynOps && slices.Equal(c.Layers, o.Layers) && c.Run.Equal(o.Run)
}
