package emulator

import "glsnn/fixedpoint"

// Activity is the spikes of every input and neuron, over all samples that it
// watched. The zero Activity is empty; NewActivity is one to watch with.
type Activity struct {
	Samples uint64
	Ticks   uint64
	Inputs  []uint64   // of each input
	Spikes  [][]uint64 // of each neuron, by layer
}

// NewActivity is an empty Activity of m.
func NewActivity(m *fixedpoint.Model) *Activity {
	a := &Activity{Inputs: make([]uint64, m.Inputs()), Spikes: make([][]uint64, len(m.Layers))}
	for i, l := range m.Layers {
		a.Spikes[i] = make([]uint64, l.Out)
	}
	return a
}

func (a *Activity) OnSample(int) { a.Samples++ }
func (a *Activity) OnTick(int)   { a.Ticks++ }
func (a *Activity) OnEnd()       {}

func (a *Activity) OnInput(_ int, axons []int32) {
	for _, k := range axons {
		a.Inputs[k]++
	}
}

func (a *Activity) OnSpike(layer int, neuron int32, _ int) { a.Spikes[layer][neuron]++ }

// Add merges o, of the same model, into a.
func (a *Activity) Add(o *Activity) {
	a.Samples += o.Samples
	a.Ticks += o.Ticks
	for i, n := range o.Inputs {
		a.Inputs[i] += n
	}
	for l := range o.Spikes {
		for i, n := range o.Spikes[l] {
			a.Spikes[l][i] += n
		}
	}
}

// Watchers joins several; none is nil.
type Watchers []Watcher

func (w Watchers) OnSample(i int) {
	for _, o := range w {
		o.OnSample(i)
	}
}

func (w Watchers) OnInput(t int, axons []int32) {
	for _, o := range w {
		o.OnInput(t, axons)
	}
}

func (w Watchers) OnTick(t int) {
	for _, o := range w {
		o.OnTick(t)
	}
}

func (w Watchers) OnSpike(layer int, neuron int32, t int) {
	for _, o := range w {
		o.OnSpike(layer, neuron, t)
	}
}

func (w Watchers) OnEnd() {
	for _, o := range w {
		o.OnEnd()
	}
}
