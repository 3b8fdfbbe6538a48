package chart

import (
	"fmt"
	"math"
)

// Heat is a table of numbers as colours, row 0 on top.
type Heat struct {
	Frame
	X, Y   Axis        // Names name columns and rows; otherwise they are counted from 0
	Values [][]float64 // row, column; NaN is an empty cell
	// Label names the numbers, with the unit, beside the colours' scale.
	Label string
	Log   bool // colours by the logarithm; numbers of 0 and below take the lowest
	// Texts writes each number into its cell, where cells are large enough.
	Texts bool
}

func (h Heat) draw(c *canvas) {
	rows, cols := len(h.Values), 0
	ax := Axis{Log: h.Log}
	var e extent
	for _, r := range h.Values {
		cols = max(cols, len(r))
		e.add(ax, r...)
	}
	c.h = h.Height
	if c.h <= 0 {
		c.h = c.top + 60 + math.Min(600, math.Max(120, (c.w-130)*float64(rows)/math.Max(1, float64(cols))))
	}
	xs, ys := cells(h.X, cols), cells(h.Y, rows)
	ys.down = true
	x, y := h.X, h.Y
	full := c.w
	c.w -= 70 // room for the scale of colours
	a := c.panel(x, y, xs, ys)
	c.w = full
	if !e.some {
		c.noData((a.x0+a.x1)/2, (a.y0+a.y1)/2)
		return
	}
	share := func(v float64) float64 {
		switch {
		case h.Log && v <= e.lo, e.hi <= e.lo:
			return 0
		case h.Log:
			return math.Log(v/e.lo) / math.Log(e.hi/e.lo)
		}
		return (v - e.lo) / (e.hi - e.lo)
	}
	cw, ch := math.Abs(a.x.at(1)-a.x.at(0)), math.Abs(a.y.at(1)-a.y.at(0))
	tips := rows*cols <= 1024
	for r, row := range h.Values {
		for k, v := range row {
			if !finite(v) {
				continue
			}
			f, tip := share(v), ""
			if tips {
				tip = name(h.Y, r) + ", " + name(h.X, k) + ": " + label(v, 0)
			}
			px, py := a.x.at(float64(k))-cw/2, a.y.at(float64(r))-ch/2
			// A hair more than a cell, so that no line shows between two.
			c.rect(px, py, math.Min(cw+.3, a.x1-px), math.Min(ch+.3, a.y1-py), "", ` fill="`+heat(f)+`"`, tip)
			if s := label(v, 0); h.Texts && ch >= 13 && cw >= width(s)+4 {
				ink := "#fff"
				if f > .55 {
					ink = "#111"
				}
				fmt.Fprintf(&c.b, `<text x="%s" y="%s" text-anchor="middle" class="sm" style="fill:%s">%s</text>`+"\n",
					num(px+cw/2), num(py+ch/2+4), ink, escaped(s))
			}
		}
	}
	const steps = 32
	bar := math.Min(a.y1-a.y0, 220)
	for i := range steps {
		f := float64(i) / (steps - 1)
		c.rect(a.x1+18, a.y0+bar*(1-float64(i+1)/steps), 12, bar/steps+.3, "", ` fill="`+heat(f)+`"`, "")
	}
	c.text(a.x1+34, a.y0+9, label(e.hi, 0), "start", "")
	if e.hi > e.lo {
		c.text(a.x1+34, a.y0+bar, label(e.lo, 0), "start", "")
	}
	if h.Label != "" {
		c.upright(a.x1+48, a.y0+bar/2, h.Label)
	}
}

// cells is the scale of n columns or rows.
func cells(a Axis, n int) scale {
	if a.Names != nil {
		s := a.fit(extent{}, 0)
		s.lo, s.hi = -.5, math.Max(.5, float64(n)-.5)
		s.ticks = s.ticks[:min(n, len(s.ticks))]
		return s
	}
	s := scale{lo: -.5, hi: math.Max(.5, float64(n)-.5)}
	step := int(math.Max(1, niceStep(float64(n)/16)))
	for i := 0; i < n; i += step {
		s.ticks = append(s.ticks, float64(i))
	}
	return s
}

func name(a Axis, i int) string {
	if i < len(a.Names) {
		return a.Names[i]
	}
	return label(float64(i), 1)
}

// heat is the colour of f in 0..1, from dark violet to yellow: points of viridis
// (van der Walt and Smith, 2015), which keeps its order in grey and for
// colour-blind readers.
func heat(f float64) string {
	points := [...][3]float64{{68, 1, 84}, {71, 44, 122}, {59, 81, 139}, {44, 113, 142}, {33, 144, 141}, {39, 173, 129}, {92, 200, 99}, {170, 220, 50}, {253, 231, 37}}
	f = math.Min(math.Max(f, 0), 1) * float64(len(points)-1)
	i := min(int(f), len(points)-2)
	f -= float64(i)
	p, q := points[i], points[i+1]
	mix := func(k int) int { return int(math.Round(p[k] + f*(q[k]-p[k]))) }
	return fmt.Sprintf("#%02x%02x%02x", mix(0), mix(1), mix(2))
}
