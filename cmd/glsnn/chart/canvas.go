package chart

import (
	"encoding/xml"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// canvas collects SVG elements. Lengths are px, y grows downward.
type canvas struct {
	b    strings.Builder
	w, h float64
	top  float64 // where the title ends
}

// num writes a coordinate to a hundredth of a px, at most a million px away: what
// lies far outside of a fixed axis stays a number that every reader takes.
func num(v float64) string {
	r := math.Round(math.Min(math.Max(v, -1e6), 1e6)*100) / 100
	if r == 0 {
		return "0" // no minus
	}
	return strconv.FormatFloat(r, 'f', -1, 64)
}

// escaped is s as character data; what XML cannot hold becomes U+FFFD.
func escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder does not fail
	return b.String()
}

func (c *canvas) element(name, text string) {
	if text != "" {
		fmt.Fprintf(&c.b, "<%s>%s</%s>\n", name, escaped(text), name)
	}
}

// text writes s at its base line; anchor is start, middle or end.
func (c *canvas) text(x, y float64, s, anchor, class string) {
	c.b.WriteString(`<text x="` + num(x) + `" y="` + num(y) + `"`)
	if anchor != "start" {
		c.b.WriteString(` text-anchor="` + anchor + `"`)
	}
	if class != "" {
		c.b.WriteString(` class="` + class + `"`)
	}
	c.b.WriteString(">" + escaped(s) + "</text>\n")
}

// upright writes s along the y axis, read from below.
func (c *canvas) upright(x, y float64, s string) {
	fmt.Fprintf(&c.b, `<text transform="translate(%s %s) rotate(-90)" text-anchor="middle">%s</text>`+"\n", num(x), num(y), escaped(s))
}

func (c *canvas) line(x1, y1, x2, y2 float64, class string) {
	c.path("M"+num(x1)+" "+num(y1)+"L"+num(x2)+" "+num(y2), class, "")
}

func (c *canvas) path(d, class, attrs string) {
	if d != "" {
		c.b.WriteString(`<path class="` + class + `" d="` + d + `"` + attrs + "/>\n")
	}
}

// rect is a filled box with an optional tooltip.
func (c *canvas) rect(x, y, w, h float64, class, attrs, tip string) {
	fmt.Fprintf(&c.b, `<rect x="%s" y="%s" width="%s" height="%s"`, num(x), num(y), num(w), num(h))
	if class != "" {
		c.b.WriteString(` class="` + class + `"`)
	}
	c.b.WriteString(attrs)
	if tip == "" {
		c.b.WriteString("/>\n")
		return
	}
	c.b.WriteString("><title>" + escaped(tip) + "</title></rect>\n")
}

// clip opens a box outside of which nothing shows; unclip closes it.
func (c *canvas) clip(x, y, w, h float64) {
	fmt.Fprintf(&c.b, `<svg x="%s" y="%s" width="%s" height="%s" viewBox="%s %s %s %s" overflow="hidden">`+"\n",
		num(x), num(y), num(w), num(h), num(x), num(y), num(w), num(h))
}

func (c *canvas) unclip() { c.b.WriteString("</svg>\n") }

func (c *canvas) noData(x, y float64) { c.text(x, y, "no data", "middle", "no") }

// width estimates what s takes in px at 12 px: there is no font to ask.
func width(s string) float64 { return 6.6 * float64(utf8.RuneCountInString(s)) }

// mark is the i-th of the shapes that tell series apart, r px around x, y.
func mark(i int, x, y, r float64) string {
	p := func(dx, dy float64) string { return num(x+dx*r) + " " + num(y+dy*r) }
	switch i % 5 {
	case 0: // a circle
		d := num(r)
		return "M" + p(-1, 0) + "a" + d + " " + d + " 0 1 0 " + num(2*r) + " 0a" + d + " " + d + " 0 1 0 " + num(-2*r) + " 0z"
	case 1: // a square
		return "M" + p(-.9, -.9) + "L" + p(.9, -.9) + "L" + p(.9, .9) + "L" + p(-.9, .9) + "z"
	case 2: // a triangle
		return "M" + p(0, -1.15) + "L" + p(1.05, .8) + "L" + p(-1.05, .8) + "z"
	case 3: // a diamond
		return "M" + p(0, -1.3) + "L" + p(1.1, 0) + "L" + p(0, 1.3) + "L" + p(-1.1, 0) + "z"
	default: // a triangle on its head
		return "M" + p(0, 1.15) + "L" + p(1.05, -.8) + "L" + p(-1.05, -.8) + "z"
	}
}

func colour(i int) string { return "k" + strconv.Itoa(i%palette) }

// legend writes the names of series in rows below the title and moves top below
// them. Nothing is written for a single series without a name.
func (c *canvas) legend(names []string) {
	if len(names) == 0 || len(names) == 1 && names[0] == "" {
		return
	}
	const left, row = 14.0, 17.0
	x, y := left, c.top+6
	for i, name := range names {
		if name == "" {
			continue
		}
		w := 26 + width(name)
		if x > left && x+w > c.w-6 {
			x, y = left, y+row
		}
		c.path(mark(i, x+5, y, 4), "f "+colour(i), "")
		c.text(x+13, y+4, name, "start", "")
		x += w
	}
	c.top = y + row
}
