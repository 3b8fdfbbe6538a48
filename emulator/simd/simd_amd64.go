package simd

import (
	"slices"

	"glsnn/fixedpoint/tier"
)

// The lengths are checked, and not 0, when these are called.

// They call by name, not through a variable: so nothing that they point to has
// to be allocated.

func sumRows(q []int32, w []uint64, rows []int32, exp int, keep int32) {
	if tier.Active() == tier.AVX512 {
		sumRowsAVX512(&q[0], len(q), &w[0], &rows[0], len(rows), uint64(exp), keep)
	} else {
		sumRowsAVX2(&q[0], len(q), &w[0], &rows[0], len(rows), uint64(exp), keep)
	}
}

func addRows(acc []int32, w []uint64, rows []int32, exp int, to *Narrow) (overflows uint64) {
	var lanes [16]uint32
	for len(rows) > 0 { // so few at a time that no lane's count overflows
		part := rows[:min(1<<14, len(rows))]
		rows = rows[len(part):]
		if tier.Active() == tier.AVX512 {
			addRowsAVX512(&acc[0], len(acc), &w[0], &part[0], len(part), uint64(exp), &to.Lo, &lanes[0])
		} else {
			addRowsAVX2(&acc[0], len(acc), &w[0], &part[0], len(part), uint64(exp), &to.Lo, &lanes[0])
		}
		overflows += total(&lanes)
	}
	return overflows
}

func addRows16(acc []int32, w []uint64, rows []int32, p *lanes16) (overflows uint64) {
	for len(rows) > 0 { // so few at a time that no lane's count overflows
		part := rows[:min(1<<11, len(rows))]
		rows = rows[len(part):]
		p.over = [16]uint32{}
		if tier.Active() == tier.AVX512 {
			addRows16AVX512(&acc[0], len(acc), &w[0], &part[0], len(part), &p.up)
		} else {
			addRows16AVX2(&acc[0], len(acc), &w[0], &part[0], len(part), &p.up)
		}
		overflows += total(&p.over)
	}
	return overflows
}

// pack lays out whole blocks, at least one, and returns their least and largest weight.
func pack(to []uint64, from []int8, half bool) (least, most int8) {
	var ends [2][32]int8
	h := 0
	if half {
		h = 1
	}
	packAVX2(&to[0], &from[0], len(from)/Block, h, &ends[0][0])
	return slices.Min(ends[0][:]), slices.Max(ends[1][:])
}

// unpack writes out half rows, at least a block.
func unpack(to, from []uint64) { unpackAVX2(&to[0], &from[0], len(to)/(Block/8)) }

// limits are the least and the largest number of x, which is whole blocks.
func limits(x []int32) (least, most int32) {
	var ends [2][16]int32
	if tier.Active() == tier.AVX512 {
		limitsAVX512(&x[0], len(x), &ends[0][0])
	} else {
		limitsAVX2(&x[0], len(x), &ends[0][0])
	}
	return slices.Min(ends[0][:]), slices.Max(ends[1][:])
}

// stepLIF is a LIF as the kernels read it: numbers of 32 bits in this order.
type stepLIF struct {
	kind                            int32 // 0: decays keep all or nothing; 1: Split; 2: any
	current, membrane               stepDecay
	above, threshold, keep, narrows int32
	u, v                            Narrow
}

type stepDecay struct{ factor, shift, round, low, up int32 }

func (d Decay) step() stepDecay {
	low := int32(1)<<d.Shift - 1
	return stepDecay{d.Factor, d.Shift, d.Round, low, low - d.Round}
}

func step(p *LIF, q, u, v, count, fired []int32, exp int) (n int, overU, overV uint64) {
	s := stepLIF{above: p.Above, threshold: p.Threshold, keep: p.Keep, narrows: p.Narrows, u: p.U, v: p.V}
	current, membrane := p.Current, p.Membrane
	switch {
	case p.Toward:
		s.kind = 3
	case current.Shift != 0 || membrane.Shift != 0:
		s.kind = 2
		if p.Split {
			s.kind = 1
		}
		for _, d := range []*Decay{&current, &membrane} {
			if d.Shift == 0 { // the same, as a product
				*d = Decay{Factor: d.Factor << 14, Shift: 14}
			}
		}
	}
	s.current, s.membrane = current.step(), membrane.step()
	if p.Toward {
		s.membrane.round = 0 // what is added to all; up is for those below 0
		if p.Half {
			s.membrane.round, s.membrane.up = 1<<membrane.Shift>>1, 0
		}
	}
	var lanes [2][16]uint32
	if tier.Active() == tier.AVX512 {
		n = stepAVX512(&s.kind, &q[0], &u[0], &v[0], &count[0], len(q), &fired[0], uint64(exp), &lanes[0][0])
	} else {
		n = stepAVX2(&s.kind, &q[0], &u[0], &v[0], &count[0], len(q), &fired[0], uint64(exp), &lanes[0][0])
	}
	if p.Narrows != 0 {
		overU, overV = total(&lanes[0]), total(&lanes[1])
	}
	return n, overU, overV
}

func stepLeaky(p *Leaky, v, count, fired []int32) (n int, overflows uint64) {
	var lanes [16]uint32
	if tier.Active() == tier.AVX512 {
		n = stepLeakyAVX512(&p.Leak, &v[0], &count[0], len(v), &fired[0], &lanes[0])
	} else {
		n = stepLeakyAVX2(&p.Leak, &v[0], &count[0], len(v), &fired[0], &lanes[0])
	}
	return n, total(&lanes)
}

func total(lanes *[16]uint32) (n uint64) {
	for _, x := range lanes {
		n += uint64(x)
	}
	return n
}
