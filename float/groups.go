package float

import "glsnn/float/simd"

// groups are the units of a layer by when they spike in a block of ticks. Units
// that spike in the same ticks bring the same sum to each of them, so their rows
// of weights are summed once, and then these sums for each tick:
//
//	q[t] = sum over the groups that spike in t, in the order of their first units,
//	       of (the sum of the rows of the group's units, ascending)
//
// A trained 784-500-500-10 has 139 input pixels that spike in 30 different ways
// in 10 ticks, 993 spikes in all, and 212 hidden units in 40, 1 542 spikes: 320 and
// 400 rows are added in place of 993 and 1 542.
//
// Where units share little, a block falls into its halves, each with groups of its
// own, down to single ticks, whose only group is the plain list of spikes.
type groups struct {
	rows  simd.Lists // units by group
	ticks simd.Lists // groups by tick
}

// grouping is room to make groups.
type grouping struct {
	halves [5]spiking // at each depth of halving, from tickBlock to single ticks
	number []uint16   // of the group that spikes in these ticks, from 1; 0 for none yet
	ways   []uint32   // when each group spikes
	sizes  []int32
	of     []uint16 // each unit's group
}

// spiking are the units that spike in some ticks, and when.
type spiking struct {
	units []int32
	when  []uint32
}

// pick makes p those of when that have a bit of ticks, and returns how many.
func (p *spiking) pick(when []uint32, ticks uint32) int {
	if len(p.units) < len(when) {
		p.units, p.when = make([]int32, len(when)), make([]uint32, len(when))
	}
	return simd.Pick(p.units[:len(when)], p.when[:len(when)], when, ticks, 0)
}

// set makes g the groups of a block; bit t of spikes[i] says whether unit i spikes
// in tick t.
func (g *groups) set(z *grouping, spikes []uint32, ticks int) {
	if z.number == nil {
		z.number = make([]uint16, 1<<tickBlock)
	}
	if len(z.of) < len(spikes) {
		z.of = make([]uint16, len(spikes))
	}
	g.rows.Reset()
	g.ticks.Reset()
	h := &z.halves[0]
	n := h.pick(spikes, 1<<ticks-1)
	g.add(z, h.units[:n], h.when[:n], 0, ticks, 0)
}

// add groups units over n ticks from lo on, in which all of them spike.
func (g *groups) add(z *grouping, units []int32, when []uint32, lo, n, depth int) {
	ticks := (uint32(1)<<n - 1) << lo
	z.ways, z.sizes = z.ways[:0], z.sizes[:0]
	of := z.of[:len(when)]
	for k, x := range when {
		number := z.number[x&ticks]
		if number == 0 {
			z.ways, z.sizes = append(z.ways, x), append(z.sizes, 0)
			number = uint16(len(z.ways))
			z.number[x&ticks] = number
		}
		of[k] = number - 1
		z.sizes[number-1]++
	}
	for _, x := range z.ways {
		z.number[x&ticks] = 0
	}
	const few = 8 // groups cost less than to look twice
	if n > 1 && len(z.ways) > len(units)/2+few {
		h := &z.halves[depth+1]
		for _, part := range [][2]int{{lo, n / 2}, {lo + n/2, n - n/2}} {
			k := h.pick(when, (uint32(1)<<part[1]-1)<<part[0])
			for i, at := range h.units[:k] {
				h.units[i] = units[at]
			}
			g.add(z, h.units[:k], h.when[:k], part[0], part[1], depth+1)
		}
		return
	}
	first := g.rows.Len()
	g.rows.AddGroups(units, of, z.sizes)
	for t := lo; t < lo+n; t++ {
		g.ticks.AddPicked(z.ways, 1<<t, first)
	}
}
