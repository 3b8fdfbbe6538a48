package chart

import (
	"math"
	"strconv"
)

// Axis says what one direction of a chart shows.
type Axis struct {
	Label string   // with the unit
	Log   bool     // logarithmic; numbers of 0 and below are left out
	Whole bool     // counts: no tick between whole numbers
	Names []string // in place of numbers: name i stands at i
	// Min and Max are the ends; where both are 0 they are fitted to the data.
	Min, Max float64
}

// scale maps lo..hi to the pixels a..b.
type scale struct {
	lo, hi, a, b float64
	log          bool
	down         bool // a y axis that grows downward
	ticks        []float64
}

func (s scale) at(v float64) float64 {
	if s.log {
		return s.a + (s.b-s.a)*(math.Log10(v)-math.Log10(s.lo))/(math.Log10(s.hi)-math.Log10(s.lo))
	}
	return s.a + (s.b-s.a)*(v-s.lo)/(s.hi-s.lo)
}

// shows says whether v can be placed at all.
func (s scale) shows(v float64) bool { return finite(v) && (!s.log || v > 0) }

// bound keeps numbers whose differences and pixels are finite.
const bound = 1e150

func finite(v float64) bool { return math.Abs(v) <= bound }

// extent is the smallest and largest of the numbers that an axis shows.
type extent struct {
	lo, hi float64
	some   bool
}

func (e *extent) add(a Axis, vs ...float64) {
	for _, v := range vs {
		if !finite(v) || a.Log && v < 1/bound {
			continue
		}
		if !e.some {
			e.lo, e.hi, e.some = v, v, true
		}
		e.lo, e.hi = math.Min(e.lo, v), math.Max(e.hi, v)
	}
}

// fit makes the scale of an axis for numbers in e, with about n ticks; the pixels
// are set later.
func (a Axis) fit(e extent, n int) scale {
	s := scale{lo: e.lo, hi: e.hi, log: a.Log}
	if a.Names != nil {
		s.lo, s.hi, s.log = -.5, float64(len(a.Names))-.5, false
		for i := range a.Names {
			s.ticks = append(s.ticks, float64(i))
		}
		return s
	}
	fixed := a.Max > a.Min && finite(a.Min) && finite(a.Max) && (!a.Log || a.Min > 0)
	if fixed {
		s.lo, s.hi = a.Min, a.Max
	}
	if s.log {
		if s.lo <= 0 {
			s.lo, s.hi = 1, 10 // there was no number
		}
		if s.hi <= s.lo*1.001 {
			s.lo, s.hi = s.lo/2, s.hi*2
		}
		s.ticks = logTicks(s.lo, s.hi)
		return s
	}
	if s.hi-s.lo <= math.Max(1e-9*math.Max(math.Abs(s.lo), math.Abs(s.hi)), 1/bound) {
		pad := math.Abs(s.lo) * .05
		if pad < 1/bound {
			pad = 1
		}
		s.lo, s.hi = s.lo-pad, s.hi+pad
	}
	step := niceStep((s.hi - s.lo) / float64(n))
	if a.Whole {
		step = math.Max(step, 1)
	}
	if !fixed {
		s.lo, s.hi = math.Floor(s.lo/step+1e-9)*step, math.Ceil(s.hi/step-1e-9)*step
	}
	first := math.Ceil(s.lo/step - 1e-9)
	for i := 0; i < 4*n; i++ {
		v := (first + float64(i)) * step
		if v > s.hi+step*1e-6 {
			break
		}
		s.ticks = append(s.ticks, v)
	}
	return s
}

// niceStep is the step of 1, 2 or 5 times a power of ten next above v.
func niceStep(v float64) float64 {
	p := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 5} {
		if m*p >= v*(1-1e-9) {
			return m * p
		}
	}
	return 10 * p
}

// logTicks are powers of ten, with 2 and 5 between them over less than three
// decades, and some of the powers only over more than ten.
func logTicks(lo, hi float64) []float64 {
	first, last := math.Floor(math.Log10(lo)), math.Ceil(math.Log10(hi))
	decades := math.Log10(hi / lo)
	every := math.Max(1, math.Ceil(decades/10))
	var t []float64
	for d := first; d <= last; d += every {
		for _, m := range []float64{1, 2, 5} {
			v := m * math.Pow(10, d)
			if (m == 1 || decades < 3) && v >= lo*(1-1e-9) && v <= hi*(1+1e-9) {
				t = append(t, v)
			}
		}
	}
	if len(t) < 2 {
		t = []float64{lo, hi}
	}
	return t
}

// labels are the texts of the ticks of s.
func (a Axis) labels(s scale) []string {
	out := make([]string, len(s.ticks))
	step := 0.0
	if len(s.ticks) > 1 && !s.log {
		step = s.ticks[1] - s.ticks[0]
	}
	for i, v := range s.ticks {
		if a.Names != nil {
			out[i] = a.Names[i]
		} else {
			out[i] = label(v, step)
		}
	}
	return out
}

// label writes v as far as steps of that size tell numbers apart (0: three
// significant digits): 0.25, 12, 20k, 1.5M, 1e-05.
func label(v, step float64) string {
	if step > 0 && math.Abs(v) < step*1e-6 {
		return "0"
	}
	size := math.Max(math.Abs(v), step)
	if size >= 1e15 || size < 1e-3 && size > 0 {
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	suffix := ""
	if math.Abs(v) >= 1e4 {
		for _, u := range []string{"k", "M", "G", "T"} {
			v, step, suffix = v/1000, step/1000, u
			if math.Abs(v) < 1000 {
				break
			}
		}
	}
	if step <= 0 {
		return trim(strconv.FormatFloat(v, 'g', 3, 64)) + suffix
	}
	digits := max(0, int(math.Ceil(-math.Log10(step)-1e-9)))
	if s := step * math.Pow(10, float64(digits)); math.Abs(s-math.Round(s)) > 1e-6 {
		digits++
	}
	return trim(strconv.FormatFloat(v, 'f', min(digits, 9), 64)) + suffix
}

// trim undoes the exponent that 'g' gives 1e+02.
func trim(s string) string {
	if v, err := strconv.ParseFloat(s, 64); err == nil && math.Abs(v) >= 1 && math.Abs(v) < 1e6 {
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return s
}

// panel is the area of a chart inside its axes.
type panel struct {
	x, y           scale
	x0, y0, x1, y1 float64
}

// panel draws grid, axes and labels in what the canvas has left below top.
func (c *canvas) panel(xa, ya Axis, xs, ys scale) panel {
	xl, yl := xa.labels(xs), ya.labels(ys)
	left := 12.0
	for _, s := range yl {
		left = math.Max(left, width(s)+12)
	}
	if ya.Label != "" {
		left += 18
	}
	p := panel{x: xs, y: ys, x0: left, y0: c.top + 6, x1: c.w - 16, y1: c.h - 24}
	if xa.Label != "" {
		p.y1 -= 18
	}
	p.x1, p.y1 = math.Max(p.x1, p.x0+10), math.Max(p.y1, p.y0+10)
	p.x.a, p.x.b, p.y.a, p.y.b = p.x0, p.x1, p.y1, p.y0
	if ys.down {
		p.y.a, p.y.b = p.y0, p.y1
	}

	for i, v := range ys.ticks {
		y := p.y.at(v)
		if ya.Names == nil {
			c.line(p.x0, y, p.x1, y, "gr")
		}
		c.text(p.x0-6, y+4, yl[i], "end", "")
	}
	end := math.Inf(-1) // where the last label ended: those that would touch it are left out
	for i, v := range xs.ticks {
		x := p.x.at(v)
		if xa.Names == nil {
			c.line(x, p.y0, x, p.y1, "gr")
		}
		if w := width(xl[i]); x-w/2 > end {
			c.text(math.Min(x, c.w-w/2-1), p.y1+16, xl[i], "middle", "")
			end = x + w/2 + 4
		}
	}
	c.path("M"+num(p.x0)+" "+num(p.y0)+"V"+num(p.y1)+"H"+num(p.x1), "ax", "")
	if xa.Label != "" {
		c.text((p.x0+p.x1)/2, c.h-8, xa.Label, "middle", "")
	}
	if ya.Label != "" {
		c.upright(13, (p.y0+p.y1)/2, ya.Label)
	}
	return p
}
