package float

import (
	"fmt"
	"math"
)

// Dropout is what a training sample does without, drawn anew in each epoch: a
// pixel or a neuron is left out for the whole window. It is noise that a network
// must not lean on; a trained network has all of its units.
//
// What is left is louder by 1/(1 - probability): the loops of training read the
// rows of weights so scaled, and the weights themselves are those of the network
// in which nothing is left out.
type Dropout struct {
	Pixels float64 `json:"pixels,omitempty"` // probability, of each pixel
	Hidden float64 `json:"hidden,omitempty"` // of each hidden neuron
}

// fits says whether d can train networks of c.
func (d Dropout) fits(c Config) error {
	if d != (Dropout{}) && c.Mode != Chip {
		return fmt.Errorf("dropout: got %+v in mode %s, want none", d, c.Mode)
	}
	if d.Hidden > 0 && c.Floor {
		return fmt.Errorf("dropout: got %v with a floor, which lifts the membrane of a neuron that is left out; want 0", d.Hidden)
	}
	return nil
}

// rowScale is the factor on the weights of layer l while it trains.
func (d Dropout) rowScale(l int) float32 {
	if l == 0 {
		return float32(1 / (1 - d.Pixels))
	}
	return float32(1 / (1 - d.Hidden))
}

// dropPixels leaves out pixels of a sample in the epoch under way: src itself or a
// copy in buf.
func (t *Trainer) dropPixels(buf, src []uint8, sample int) []uint8 {
	p := float32(t.Config.Dropout.Pixels)
	if p == 0 {
		return src
	}
	if len(buf) < len(src) {
		buf = make([]uint8, len(src))
	}
	buf = buf[:len(src)]
	rng := newStream(t.Config.Seed, streamPixels, uint64(t.Epoch)<<32|uint64(sample))
	for i, x := range src {
		if x != 0 && rng.Float32() < p {
			x = 0
		}
		buf[i] = x
	}
	return buf
}

// dropNeurons leaves out hidden neurons of a sample: a membrane that starts at
// -Inf never reaches the threshold.
func (t *Trainer) dropNeurons(st *State, sample int) {
	p := float32(t.Config.Dropout.Hidden)
	if p == 0 {
		return
	}
	rng := newStream(t.Config.Seed, streamNeurons, uint64(t.Epoch)<<32|uint64(sample))
	for l := range st.layers[:len(st.layers)-1] {
		for j := range st.layers[l].v {
			if rng.Float32() < p {
				st.layers[l].v[j] = float32(math.Inf(-1))
			}
		}
	}
}

// stillDropped sets the change of neurons to 0 that were left out: their membrane
// is where it began or, where it forgets everything each tick, no number.
func stillDropped(change, v []float32) {
	for j, x := range v {
		if !(x >= -math.MaxFloat32) {
			change[j] = 0
		}
	}
}
