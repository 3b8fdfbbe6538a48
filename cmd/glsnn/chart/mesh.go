package chart

import (
	"fmt"
	"math"
	"strings"
)

// Mesh is a grid of tiles as coloured squares with the links between neighbours as
// bars, wide and coloured by what they carry.
type Mesh struct {
	Frame
	Tiles     [][]float64 // row, column; NaN is a tile that is not in use
	Texts     [][]string  // written into the squares; nil for none
	Links     []MeshLink
	Label     string // what the squares show, with the unit
	LinkLabel string // what the links show, with the unit
}

// MeshLink is one direction between two tiles that are neighbours.
type MeshLink struct {
	X0, Y0, X1, Y1 int
	Load           float64
}

func (m Mesh) draw(c *canvas) {
	rows, cols := len(m.Tiles), 0
	var tiles, links extent
	for _, r := range m.Tiles {
		cols = max(cols, len(r))
		tiles.add(Axis{}, r...)
	}
	for _, l := range m.Links {
		links.add(Axis{}, l.Load)
	}
	cell := math.Min((c.w-24)/math.Max(1, float64(cols)), 84)
	top := c.top + 8
	c.h = math.Max(top+cell*float64(rows)+64, m.Height)
	if rows == 0 || cols == 0 {
		c.noData(c.w/2, top+20)
		return
	}
	left := (c.w - cell*float64(cols)) / 2
	mid := func(x, y int) (float64, float64) {
		return left + (float64(x)+.5)*cell, top + (float64(y)+.5)*cell
	}
	box := cell * .62
	share := func(e extent, v float64) float64 {
		if e.hi <= 0 {
			return 0
		}
		return math.Min(1, math.Max(0, v/e.hi))
	}
	for _, l := range m.Links {
		if !finite(l.Load) || l.Load <= 0 {
			continue
		}
		x0, y0 := mid(l.X0, l.Y0)
		x1, y1 := mid(l.X1, l.Y1)
		f := share(links, l.Load)
		wide := math.Max(1, cell*.13*f)
		dx, dy := math.Copysign(1, x1-x0), math.Copysign(1, y1-y0)
		var x, y, w, h float64
		if l.Y0 == l.Y1 { // keeps to its side, so that both directions show
			x, w = math.Min(x0, x1)+box/2, cell-box
			y, h = y0+dx*cell*.09-wide/2, wide
		} else {
			y, h = math.Min(y0, y1)+box/2, cell-box
			x, w = x0-dy*cell*.09-wide/2, wide
		}
		c.rect(x, y, w, h, "", ` fill="`+warm(f)+`"`, fmt.Sprintf("%d,%d to %d,%d: %s", l.X0, l.Y0, l.X1, l.Y1, label(l.Load, 0)))
	}
	for y, row := range m.Tiles {
		for x := range cols {
			px, py := mid(x, y)
			if x >= len(row) || !finite(row[x]) {
				c.rect(px-box/2, py-box/2, box, box, "gr", ` fill="none"`, "")
				continue
			}
			f := share(tiles, row[x])
			c.rect(px-box/2, py-box/2, box, box, "", ` rx="2" fill="`+heat(f)+`"`, fmt.Sprintf("tile %d,%d: %s", x, y, label(row[x], 0)))
			if y < len(m.Texts) && x < len(m.Texts[y]) && box >= 22 {
				ink := "#fff"
				if f > .55 {
					ink = "#111"
				}
				lines := strings.Split(m.Texts[y][x], "\n")
				for i, s := range lines {
					if width(s) <= box {
						fmt.Fprintf(&c.b, `<text x="%s" y="%s" text-anchor="middle" class="sm" style="fill:%s">%s</text>`+"\n",
							num(px), num(py+4+13*(float64(i)-float64(len(lines)-1)/2)), ink, escaped(s))
					}
				}
			}
		}
	}
	y := top + cell*float64(rows) + 14
	m.key(c, 14, y, m.Label, tiles, heat)
	m.key(c, 14, y+24, m.LinkLabel, links, warm)
}

// key is a scale of colours from 0 to the largest number, with its name.
func (m Mesh) key(c *canvas, x, y float64, name string, e extent, colour func(float64) string) {
	if name == "" || !e.some {
		return
	}
	const steps, wide = 16, 96.0
	for i := range steps {
		c.rect(x+wide*float64(i)/steps, y, wide/steps+.3, 10, "", ` fill="`+colour(float64(i)/(steps-1))+`"`, "")
	}
	c.text(x+wide+8, y+9, "0 to "+label(e.hi, 0)+" "+name, "start", "")
}

// warm is the colour of a link's share of the largest load, from grey to red.
func warm(f float64) string {
	mix := func(a, b float64) int { return int(math.Round(a + f*(b-a))) }
	return fmt.Sprintf("#%02x%02x%02x", mix(150, 213), mix(150, 60), mix(150, 0))
}
