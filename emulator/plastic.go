package emulator

import (
	"slices"

	"glsnn/fixedpoint"
)

// NewPlastic is New for a network that learns: SetWeight may change what the
// engine computes with. What its kernels may skip is then proved for whatever
// weights its layers can come to hold.
func NewPlastic(m *fixedpoint.Model, opt Options) *Engine {
	layers := slices.Clone(m.Layers)
	for i := range layers {
		layers[i].Weights = layers[i].Weights.Mutable(m.Arithmetic.Weight.Range(layers[i].WeightBits))
	}
	e := newEngine(m, opt, newPlansFor(m, layers, true))
	for i := range e.layers {
		e.layers[i].Weights, e.layers[i].plastic = layers[i].Weights, true
	}
	return e
}

// SetWeight replaces the weight of a synapse from the next spike on, in an engine
// made by NewPlastic. w lies in the range of the layer's width; the Model keeps its
// own.
func (e *Engine) SetWeight(layer, axon, neuron int, w int64) {
	l := &e.layers[layer]
	if !l.plastic {
		panic("emulator: SetWeight: the engine was not made by NewPlastic")
	}
	l.Weights.Set(axon, neuron, w)
	if l.rows != nil {
		l.rows.Put(axon, neuron, int8(w))
	}
}

// AddCurrent adds u of a layer's neurons, after the last tick, to dst.
func (e *Engine) AddCurrent(layer int, dst []int64) {
	for j, u := range e.layers[layer].u[:len(dst)] {
		dst[j] += int64(u)
	}
}
