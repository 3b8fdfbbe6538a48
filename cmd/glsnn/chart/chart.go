package chart

import (
	"fmt"
	"io"
	"strings"
)

// Frame is what every chart has.
type Frame struct {
	Title string  // above the chart, and its name for screen readers
	Desc  string  // what the chart shows, in words; not drawn
	Width float64 // px, 640 where 0
	// Height is in px, 400 where 0. Bars that lie and Heat choose their own where 0.
	Height float64
}

// Figure is a chart of this package.
type Figure interface {
	frame() Frame
	draw(c *canvas)
}

func (f Frame) frame() Frame { return f }

// CSS styles every chart of a page. The colours are those of Okabe and Ito, which
// stay apart for colour-blind readers. There are no variables in it: programs that
// draw SVG for print do not know them.
var CSS = style + rules(light) +
	"@media (prefers-color-scheme:dark){.gc{color:#ddd}" + rules(dark) + "}\n" +
	"@media print{.gc{color:#222}" + rules(light) + "}\n"

const style = `.gc{color:#222;font:12px system-ui,sans-serif;max-width:100%;height:auto}
.gc text{fill:currentColor}.gc .t{font-size:14px;font-weight:600}
.gc .ax{stroke:currentColor;stroke-width:1;fill:none}.gc .gr{stroke:currentColor;stroke-opacity:.14;fill:none}
.gc .ln{fill:none;stroke-width:1.8;stroke-linejoin:round}.gc .bd{stroke:none;fill-opacity:.18}.gc .ar{fill-opacity:.25;stroke-width:1.2}
.gc .pt{fill:none;stroke-linecap:round}.gc .sm{font-size:10.5px}.gc .no{opacity:.6}
`

// light and dark are the colours of the series, on paper and on a dark screen.
var (
	light = [palette]string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b58900", "#56b4e9", "#7a5195", "#8a8a8a", "#a8324a", "#4d7c0f"}
	dark  = [palette]string{"#4da3dd", "#f08a45", "#2fc79a", "#cc79a7", "#e0bd3c", "#56b4e9", "#b18acb", "#8a8a8a", "#e2788c", "#9bc653"}
)

// rules gives lines (class s) and areas (f) of series k0, k1, ... their colours.
func rules(colours [palette]string) string {
	var b strings.Builder
	for i, c := range colours {
		fmt.Fprintf(&b, ".gc .s.%s{stroke:%s}.gc .f.%[1]s{fill:%[2]s}\n", colour(i), c)
	}
	return b.String()
}

// background is of files only: a page has its own.
const background = `svg.gc{background:#fff}@media (prefers-color-scheme:dark){svg.gc{background:#161616}}@media print{svg.gc{background:#fff}}
`

// palette is the number of colours and of marks; further series begin again.
const palette = 10

// Write writes f as an SVG file.
func Write(w io.Writer, f Figure) error {
	_, err := io.WriteString(w, render(f, "<style>\n"+CSS+background+"</style>\n"))
	return err
}

// Inline is f as an svg element without a style sheet: the page brings CSS.
func Inline(f Figure) string { return render(f, "") }

func render(f Figure, style string) string {
	fr := f.frame()
	body := &canvas{w: pick(fr.Width, 640), h: fr.Height, top: 8}
	if fr.Title != "" {
		body.top = 30
	}
	f.draw(body) // may choose the height
	if fr.Title != "" {
		body.text(body.w/2, 19, fr.Title, "middle", "t")
	}
	head := &canvas{}
	fmt.Fprintf(&head.b, `<svg xmlns="http://www.w3.org/2000/svg" class="gc" role="img" viewBox="0 0 %s %s" width="%s" height="%s">`+"\n",
		num(body.w), num(body.h), num(body.w), num(body.h))
	head.element("title", fr.Title)
	head.element("desc", fr.Desc)
	return head.b.String() + style + body.b.String() + "</svg>\n"
}

func pick(v, otherwise float64) float64 {
	if v > 0 {
		return v
	}
	return otherwise
}
