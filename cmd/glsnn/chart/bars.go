package chart

import "math"

// BarSet is one number for each group of a Bars chart.
type BarSet struct {
	Name   string
	Values []float64 // one a group
	Lo, Hi []float64 // whiskers; nil, or one a group
}

// Bars is a chart of numbers over names.
type Bars struct {
	Frame
	Value   Axis
	Groups  []string
	Sets    []BarSet
	Stacked bool // sets on top of each other; numbers below 0 and whiskers are left out
	Lying   bool // bars from left to right, for long names
}

func (b Bars) draw(c *canvas) {
	c.h = pick(b.Height, 400)
	groups := Axis{Names: b.Groups}
	names := make([]string, len(b.Sets))
	var e extent
	if !b.Value.Log {
		e.add(b.Value, 0)
	}
	sums := make([]float64, len(b.Groups))
	some := false
	for i, s := range b.Sets {
		names[i] = s.Name
		for g := range min(len(b.Groups), len(s.Values)) {
			v := s.Values[g]
			if !finite(v) {
				continue
			}
			some = true
			if b.Stacked {
				sums[g] += math.Max(v, 0)
				e.add(b.Value, sums[g])
				continue
			}
			e.add(b.Value, v)
			if g < len(s.Lo) && g < len(s.Hi) {
				e.add(b.Value, s.Lo[g], s.Hi[g])
			}
		}
	}
	c.legend(names)
	if b.Lying && b.Height <= 0 {
		row := 24.0
		if !b.Stacked {
			row = 12 + 14*float64(max(1, len(b.Sets)))
		}
		c.h = c.top + 60 + row*float64(len(b.Groups))
	}
	vs, gs := b.Value.fit(e, 6), groups.fit(extent{}, 0)
	var a panel
	if b.Lying {
		gs.down = true
		a = c.panel(b.Value, groups, vs, gs)
	} else {
		a = c.panel(groups, b.Value, gs, vs)
	}
	if len(b.Groups) == 0 || !some {
		c.noData((a.x0+a.x1)/2, (a.y0+a.y1)/2)
		return
	}
	c.clip(a.x0, a.y0-2, a.x1-a.x0+2, a.y1-a.y0+4)
	defer c.unclip()

	wide := .8
	if !b.Stacked && len(b.Sets) > 0 {
		wide /= float64(len(b.Sets))
	}
	clear(sums)
	for i, s := range b.Sets {
		whiskers := ""
		for g := range min(len(b.Groups), len(s.Values)) {
			v, from, at := s.Values[g], math.Max(0, vs.lo), float64(g)-.4
			if vs.log {
				from = vs.lo
			}
			if !vs.shows(v) {
				continue
			}
			tip := b.Groups[g] + ": " + label(v, 0)
			if s.Name != "" {
				tip = s.Name + ", " + tip
			}
			if b.Stacked {
				if v <= 0 {
					continue
				}
				if sums[g] > 0 {
					from = sums[g]
				}
				sums[g] += v
				v = sums[g]
			} else {
				at += wide * float64(i)
				if vs.hi < 0 {
					from = vs.hi
				}
			}
			b.box(c, a, at, at+wide, from, v, "f "+colour(i), tip)
			if !b.Stacked && g < len(s.Lo) && g < len(s.Hi) && vs.shows(s.Lo[g]) && vs.shows(s.Hi[g]) {
				m := at + wide/2
				if b.Lying {
					whiskers += "M" + num(a.x.at(s.Lo[g])) + " " + num(a.y.at(m)) + "H" + num(a.x.at(s.Hi[g]))
				} else {
					whiskers += "M" + num(a.x.at(m)) + " " + num(a.y.at(s.Lo[g])) + "V" + num(a.y.at(s.Hi[g]))
				}
			}
		}
		c.path(whiskers, "ax", "")
	}
}

// box is a bar over the names' positions g0..g1 from value v0 to v1.
func (b Bars) box(c *canvas, a panel, g0, g1, v0, v1 float64, class, tip string) {
	x0, x1, y0, y1 := a.x.at(g0), a.x.at(g1), a.y.at(v0), a.y.at(v1)
	if b.Lying {
		x0, x1, y0, y1 = a.x.at(v0), a.x.at(v1), a.y.at(g0), a.y.at(g1)
	}
	c.rect(math.Min(x0, x1), math.Min(y0, y1), math.Abs(x1-x0), math.Abs(y1-y0), class, "", tip)
}
