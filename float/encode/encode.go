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
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync"
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

	// Of encodeRate: the pixels above 0, and when each spikes in 64 ticks.
	lit     []int32
	pattern []uint64
	room    []int32
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
			base := e.noise(sample, t)
			for i, p := range pixels {
				if noisy(base, i, p) {
					dst.axons = append(dst.axons, int32(i))
				}
			}
		default:
			panic("encode: unknown encoder " + string(e.Kind))
		}
		dst.start = append(dst.start, int32(len(dst.axons)))
	}
}

// Bits writes the spikes of one sample by axon: of dst, [blocks][len(pixels)], bit t
// of row b says whether the axon spikes in tick b*block + t. block is a power of two,
// at most 32; the last block may have fewer ticks. They are the spikes of Encode.
func (e Encoder) Bits(dst []uint32, block, sample int, pixels []uint8) {
	n := len(pixels)
	for first := 0; first < e.Ticks; first += block {
		to := dst[first/block*n:][:n]
		clear(to)
		if e.Kind == Rate {
			of := ratePatterns(e.Ticks)[first/64*256:][:256]
			shift, mask := first%64, uint64(1)<<block-1
			for i := 0; i < n; {
				end, dark := some(pixels, i)
				if dark {
					i = end
				}
				for ; i < end; i++ {
					to[i] = uint32(of[pixels[i]] >> (shift & 63) & mask)
				}
			}
			continue
		}
		for t := range min(block, e.Ticks-first) {
			base := e.noise(sample, first+t)
			for i, p := range pixels {
				if noisy(base, i, p) {
					to[i] |= 1 << t
				}
			}
		}
	}
}

// noise and noisy are Bernoulli: whether pixel p of axon i spikes.
func (e Encoder) noise(sample, tick int) uint64 {
	return mix(mix(mix(e.Seed)+uint64(sample)) + uint64(tick))
}

func noisy(base uint64, i int, p uint8) bool { return p != 0 && mix(base+uint64(i))%255 < uint64(p) }

// patterns are what ratePatterns made, by number of ticks.
var patterns sync.Map

// ratePatterns are the ticks in which each pixel value spikes: bit t%64 of word
// t/64·256 + p for tick t and value p.
func ratePatterns(ticks int) []uint64 {
	if w, ok := patterns.Load(ticks); ok {
		return w.([]uint64)
	}
	w := make([]uint64, (ticks+63)/64*256)
	for p := range 256 {
		acc := 127
		for t := range ticks {
			if acc += p; acc >= 255 {
				acc -= 255
				w[t/64*256+p] |= 1 << (t % 64)
			}
		}
	}
	patterns.Store(ticks, w)
	return w
}

// some is the end of the next eight pixels from i on, of the last few the next one's,
// and whether all eight are 0.
func some(pixels []uint8, i int) (end int, dark bool) {
	if rest := pixels[i:]; len(rest) >= 8 {
		return i + 8, binary.LittleEndian.Uint64(rest) == 0
	}
	return i + 1, false
}

// encodeRate visits lit pixels only, and writes each one's axon before it knows
// whether it is lit, or spikes: no branch has to be guessed.
func (t *Train) encodeRate(ticks int, pixels []uint8) {
	patterns := ratePatterns(ticks)
	t.lit = slices.Grow(t.lit[:0], len(pixels))[:len(pixels)]
	n := 0
	for i := 0; i < len(pixels); {
		end, dark := some(pixels, i)
		if dark {
			i = end
		}
		for ; i < end; i++ {
			t.lit[n] = int32(i)
			lit := 0
			if pixels[i] != 0 {
				lit = 1
			}
			n += lit
		}
	}
	t.lit = t.lit[:n]
	t.pattern = slices.Grow(t.pattern[:0], n)[:n]
	for first := 0; first < ticks; first += 64 {
		of := patterns[first*4:][:256]
		for k, i := range t.lit {
			t.pattern[k] = of[pixels[i]]
		}
		t.spread(min(64, ticks-first))
	}
}

// spread appends so many ticks, at most 64, of the lit pixels' patterns, four
// ticks in a round.
func (t *Train) spread(ticks int) {
	n := len(t.lit)
	lit, pattern := t.lit[:n], t.pattern[:n]
	t.room = slices.Grow(t.room[:0], 4*n)[:4*n]
	a, b, c, d := t.room[:n], t.room[n:2*n], t.room[2*n:3*n], t.room[3*n:4*n]
	for tick := 0; tick < ticks; tick += 4 {
		var ka, kb, kc, kd int
		for j, axon := range lit {
			x := int(pattern[j] >> (tick & 63))
			a[ka], b[kb], c[kc], d[kd] = axon, axon, axon, axon
			ka += x & 1
			kb += x >> 1 & 1
			kc += x >> 2 & 1
			kd += x >> 3 & 1
		}
		k := [4]int{ka, kb, kc, kd}
		for i := range min(4, ticks-tick) {
			t.Append(t.room[i*n:][:k[i]]...)
		}
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
