package profile

import (
	"maps"
	"math"
	"slices"

	"glsnn/fixedpoint"
)

// Range is a distribution: its ends, percentiles (the least value that so many
// per cent of all do not exceed, to a part in 512) and widths in bits. Bits holds
// all values and Bits999 99.9 % of them: signed widths in steps, or, of traces,
// unsigned.
type Range struct {
	Min     float64 `json:"min"`
	P01     float64 `json:"p0_1"`
	P1      float64 `json:"p1"`
	P50     float64 `json:"p50"`
	P99     float64 `json:"p99"`
	P999    float64 `json:"p99_9"`
	Max     float64 `json:"max"`
	Bits    int     `json:"bits"`
	Bits999 int     `json:"bits_99_9"`
}

// dist gathers values in bins of their float32's sign, exponent and first nine
// bits. Whole numbers below 1024 have bins of their own.
type dist struct {
	unit     float64 // step that widths count in; 0 for unsigned whole numbers
	n        uint64
	min, max float64
	bins     map[uint32]uint64 // by key
	widths   [65]uint64        // values that need so many bits
}

func newDist(unit float64) *dist {
	return &dist{unit: unit, min: math.Inf(1), max: math.Inf(-1), bins: map[uint32]uint64{}}
}

const droppedBits = 14 // of a float32

// key orders bins as their values; value is a bin's end nearer to 0.
func key(x float64) uint32 {
	b := math.Float32bits(float32(x))
	if b>>31 == 1 {
		b = ^b
	} else {
		b |= 1 << 31
	}
	return b >> droppedBits
}

func value(key uint32) float64 {
	b := key << droppedBits
	if b>>31 == 1 {
		b &^= 1 << 31
	} else {
		b = ^b &^ (1<<droppedBits - 1)
	}
	return float64(math.Float32frombits(b))
}

func (d *dist) add(x float64) {
	d.n++
	d.min, d.max = min(d.min, x), max(d.max, x)
	d.bins[key(x)]++
	steps := x
	if d.unit > 0 {
		steps = math.RoundToEven(x / d.unit)
	}
	raw := int64(max(min(steps, 1<<53), -1<<53))
	if d.unit > 0 {
		d.widths[fixedpoint.SignedBits(raw, raw)]++
	} else {
		d.widths[fixedpoint.SignedBits(0, raw)-1]++
	}
}

func (d *dist) addRaw(raw []int64) {
	for _, x := range raw {
		d.add(float64(x))
	}
}

func (d *dist) merge(o *dist) {
	d.n += o.n
	d.min, d.max = min(d.min, o.min), max(d.max, o.max)
	for k, n := range o.bins {
		d.bins[k] += n
	}
	for i, n := range o.widths {
		d.widths[i] += n
	}
}

// rank is how many values are at most a share of them, rounded up.
func (d *dist) rank(percent float64) uint64 {
	return uint64(math.Ceil(percent / 100 * float64(d.n)))
}

func (d *dist) summary() Range {
	r := Range{Min: d.min, Max: d.max}
	keys := slices.Sorted(maps.Keys(d.bins))
	for _, p := range []struct {
		percent float64
		to      *float64
	}{{0.1, &r.P01}, {1, &r.P1}, {50, &r.P50}, {99, &r.P99}, {99.9, &r.P999}} {
		sum := uint64(0)
		for _, k := range keys {
			if sum += d.bins[k]; sum >= d.rank(p.percent) {
				*p.to = min(max(value(k), d.min), d.max)
				break
			}
		}
	}
	sum := uint64(0)
	for bits, n := range d.widths {
		if sum < d.rank(99.9) {
			r.Bits999 = bits
		}
		if sum += n; n > 0 {
			r.Bits = bits
		}
	}
	return r
}
