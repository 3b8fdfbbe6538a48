package chart

import "math"

// Kind says how a series is drawn.
type Kind int

const (
	Lines  Kind = iota // a line through the points in their order, a mark on each
	Points             // marks only
	Steps              // an outline of boxes: Y[i] from X[i] to X[i+1], one X more than Y
)

// Series is one set of numbers of a Plot.
type Series struct {
	Name string
	Kind Kind
	X, Y []float64 // same length; Steps wants one X more
	// Lo and Hi, where given, are as long as Y: a band along Lines, whiskers
	// at Points.
	Lo, Hi []float64
	// Note is written at the middle of the points: the name of a cluster.
	Note string
}

// Plot is a chart of numbers over numbers.
type Plot struct {
	Frame
	X, Y   Axis
	Series []Series
}

func (p Plot) draw(c *canvas) {
	c.h = pick(p.Height, 400)
	names := make([]string, len(p.Series))
	var ex, ey extent
	for i, s := range p.Series {
		names[i] = s.Name
		ex.add(p.X, s.X...)
		ey.add(p.Y, s.Y...)
		ey.add(p.Y, s.Lo...)
		ey.add(p.Y, s.Hi...)
		if s.Kind == Steps {
			ey.add(p.Y, 0)
		}
	}
	if p.X.Names != nil {
		ex.some = ey.some
	}
	c.legend(names)
	a := c.panel(p.X, p.Y, p.X.fit(ex, 7), p.Y.fit(ey, 6))
	if !ex.some || !ey.some {
		c.noData((a.x0+a.x1)/2, (a.y0+a.y1)/2)
		return
	}
	c.clip(a.x0-5, a.y0-5, a.x1-a.x0+10, a.y1-a.y0+10)
	for i, s := range p.Series {
		if s.Kind == Steps {
			a.steps(c, s, i)
		} else {
			a.points(c, s, i)
		}
	}
	c.unclip()
}

func (a panel) steps(c *canvas, s Series, i int) {
	base := a.y.a
	if !a.y.log {
		base = a.y.at(math.Max(0, a.y.lo))
	}
	d, open := "", false
	for j, v := range s.Y {
		if j+1 >= len(s.X) || !a.x.shows(s.X[j]) || !a.x.shows(s.X[j+1]) || !a.y.shows(v) {
			if open {
				d += "V" + num(base) + "z"
			}
			open = false
			continue
		}
		if !open {
			d += "M" + num(a.x.at(s.X[j])) + " " + num(base)
			open = true
		}
		d += "V" + num(a.y.at(v)) + "H" + num(a.x.at(s.X[j+1]))
	}
	if open {
		d += "V" + num(base) + "z"
	}
	c.path(d, "ar s f "+colour(i), "")
}

func (a panel) points(c *canvas, s Series, i int) {
	n := min(len(s.X), len(s.Y))
	band := len(s.Lo) >= n && len(s.Hi) >= n
	many := n > 80
	if s.Kind == Lines && band {
		a.bands(c, s, n, i)
	}
	line, marks, whiskers, open := "", "", "", false
	var sx, sy float64
	shown := 0
	for j := range n {
		if !a.x.shows(s.X[j]) || !a.y.shows(s.Y[j]) {
			open = false
			continue
		}
		x, y := a.x.at(s.X[j]), a.y.at(s.Y[j])
		if open {
			line += "L"
		} else {
			line += "M"
		}
		line += num(x) + " " + num(y)
		open = true
		switch {
		case !many:
			marks += mark(i, x, y, 3)
		case s.Kind == Points:
			marks += "M" + num(x) + " " + num(y) + "h0"
		}
		if s.Kind == Points && band && a.y.shows(s.Lo[j]) && a.y.shows(s.Hi[j]) {
			whiskers += "M" + num(x) + " " + num(a.y.at(s.Lo[j])) + "V" + num(a.y.at(s.Hi[j]))
		}
		sx, sy, shown = sx+x, sy+y, shown+1
	}
	if s.Kind == Lines {
		c.path(line, "ln s "+colour(i), "")
	}
	c.path(whiskers, "ln s "+colour(i), "")
	if many && s.Kind == Points {
		c.path(marks, "pt s "+colour(i), ` stroke-width="3" stroke-opacity=".7"`)
	} else {
		c.path(marks, "f "+colour(i), "")
	}
	if s.Note != "" && shown > 0 {
		c.text(sx/float64(shown), sy/float64(shown)+4, s.Note, "middle", "t")
	}
}

// bands fills between Lo and Hi over each run of points that has both.
func (a panel) bands(c *canvas, s Series, n, i int) {
	for from := 0; from < n; {
		to := from
		for to < n && a.x.shows(s.X[to]) && a.y.shows(s.Lo[to]) && a.y.shows(s.Hi[to]) {
			to++
		}
		if to-from > 1 {
			d := "M"
			for j := from; j < to; j++ {
				d += num(a.x.at(s.X[j])) + " " + num(a.y.at(s.Hi[j])) + "L"
			}
			for j := to - 1; j >= from; j-- {
				d += num(a.x.at(s.X[j])) + " " + num(a.y.at(s.Lo[j]))
				if j > from {
					d += "L"
				}
			}
			c.path(d+"z", "bd f "+colour(i), "")
		}
		from = to + 1
	}
}
