// Package encode turns a sample's pixels into the spike trains that both the
// float network and the integer emulator are given. It is integer arithmetic
// from end to end and imports nothing of this project, so the two see the same
// spikes on every platform.
//
// Pixels are 0..255. An axon is a pixel's index. A train lists, for each tick,
// the axons that spike, in ascending order: that order is part of the
// arithmetic contract (saturating sums depend on it).
package encode

import (
	"fmt"
	"slices"
	"strings"
)

// Kind names an encoder.
type Kind string

const (
	// Rate drives one integrate-and-fire neuron a pixel: the accumulator
	// starts at 127, gains the pixel each tick, and at 255 or more it spikes
	// and loses 255. A pixel p spikes floor((127 + p·T)/255) times in T
	// ticks, which is p·T/255 rounded to nearest.
	Rate Kind = "rate"
	// Bernoulli spikes with probability p/255 a tick, independently: where a
	// hash of (seed, sample, tick, axon), taken modulo 255, is below p. The
	// same index always gives the same noise, in every epoch and in the
	// training and the test split alike.
	Bernoulli Kind = "bernoulli"
)

// Kinds lists every encoder.
func Kinds() []Kind { return []Kind{Rate, Bernoulli} }

// Parse reads an encoder's name.
func Parse(s string) (Kind, error) {
	if slices.Contains(Kinds(), Kind(s)) {
		return Kind(s), nil
	}
	names := make([]string, 0, 2)
	for _, k := range Kinds() {
		names = append(names, string(k))
	}
	return "", fmt.Errorf("encoder: got %q, want one of %s", s, strings.Join(names, ", "))
}

// Encoder makes trains of Ticks ticks. Seed matters to Bernoulli only.
type Encoder struct {
	Kind  Kind
	Ticks int
	Seed  uint64
}

// Train is the spikes of one sample.
type Train struct {
	axons []int32
	start []int32 // start[t]..start[t+1] are tick t's axons
	lit   []lit   // of encodeRate
}

// Ticks is the length of the window.
func (t *Train) Ticks() int { return len(t.start) - 1 }

// At lists the axons that spike in tick i, ascending. The slice aliases the
// train.
func (t *Train) At(i int) []int32 { return t.axons[t.start[i]:t.start[i+1]] }

// Len is the number of spikes in the window.
func (t *Train) Len() int { return len(t.axons) }

// Reset empties t and keeps its memory.
func (t *Train) Reset() {
	t.axons = t.axons[:0]
	t.start = append(t.start[:0], 0)
}

// Append adds a tick with the given axons, which must be ascending.
func (t *Train) Append(axons ...int32) {
	if len(t.start) == 0 {
		t.start = append(t.start, 0)
	}
	t.axons = append(t.axons, axons...)
	t.start = append(t.start, int32(len(t.axons)))
}

// Encode writes the train of one sample into dst, reusing its memory. sample
// is the sample's index in its data set, which only Bernoulli uses.
func (e Encoder) Encode(dst *Train, sample int, pixels []uint8) {
	dst.Reset()
	if e.Kind == Rate {
		dst.encodeRate(e.Ticks, pixels)
		return
	}
	for t := range e.Ticks {
		switch e.Kind {
		case Bernoulli:
			base := mix(mix(mix(e.Seed)+uint64(sample)) + uint64(t))
			for i, p := range pixels {
				if p != 0 && mix(base+uint64(i))%255 < uint64(p) {
					dst.axons = append(dst.axons, int32(i))
				}
			}
		default:
			panic("encode: unknown encoder " + string(e.Kind))
		}
		dst.start = append(dst.start, int32(len(dst.axons)))
	}
}

// lit is the neuron of a pixel above 0.
type lit struct{ axon, pixel, acc int32 }

// encodeRate visits lit pixels only, and writes each one's axon before it knows
// whether it spikes: no branch has to be guessed.
func (t *Train) encodeRate(ticks int, pixels []uint8) {
	t.lit = t.lit[:0]
	for i, p := range pixels {
		if p != 0 {
			t.lit = append(t.lit, lit{int32(i), int32(p), 127})
		}
	}
	for range ticks {
		n := len(t.axons)
		t.axons = slices.Grow(t.axons, len(t.lit))
		out, k := t.axons[n:n+len(t.lit)], 0
		for i := range t.lit {
			x := &t.lit[i]
			out[k] = x.axon
			acc, spike := x.acc+x.pixel, 0
			if acc >= 255 {
				spike = 1
			}
			x.acc = acc - 255*int32(spike)
			k += spike
		}
		t.axons = t.axons[:n+k]
		t.start = append(t.start, int32(len(t.axons)))
	}
}

// Counts adds the number of spikes of each axon to dst.
func (t *Train) Counts(dst []float32) {
	for _, a := range t.axons {
		dst[a]++
	}
}

// mix is the output function of splitmix64 (Steele, Lea, Flood, OOPSLA 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
