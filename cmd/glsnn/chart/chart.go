package chart

import (
	"fmt"
	"io"
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
// stay apart for colour-blind readers.
const CSS = `.gc{color:#222;font:12px system-ui,sans-serif;max-width:100%;height:auto}
.gc text{fill:currentColor}.gc .t{font-size:14px;font-weight:600}
.gc .ax{stroke:currentColor;stroke-width:1;fill:none}.gc .gr{stroke:currentColor;stroke-opacity:.14;fill:none}
.gc .ln{fill:none;stroke-width:1.8;stroke-linejoin:round}.gc .bd{stroke:none;fill-opacity:.18}.gc .ar{fill-opacity:.25;stroke-width:1.2}
.gc .pt{fill:none;stroke-linecap:round}.gc .sm{font-size:10.5px}.gc .no{opacity:.6}
.gc .k0{--k:#0072b2}.gc .k1{--k:#d55e00}.gc .k2{--k:#009e73}.gc .k3{--k:#cc79a7}.gc .k4{--k:#b58900}
.gc .k5{--k:#56b4e9}.gc .k6{--k:#7a5195}.gc .k7{--k:#8a8a8a}.gc .k8{--k:#a8324a}.gc .k9{--k:#4d7c0f}
.gc .s{stroke:var(--k)}.gc .f{fill:var(--k)}
@media (prefers-color-scheme:dark){.gc{color:#ddd}.gc .k0{--k:#4da3dd}.gc .k1{--k:#f08a45}.gc .k2{--k:#2fc79a}.gc .k4{--k:#e0bd3c}.gc .k6{--k:#b18acb}.gc .k8{--k:#e2788c}.gc .k9{--k:#9bc653}}
@media print{.gc{color:#222}.gc .k0{--k:#0072b2}.gc .k1{--k:#d55e00}.gc .k2{--k:#009e73}.gc .k4{--k:#b58900}.gc .k6{--k:#7a5195}.gc .k8{--k:#a8324a}.gc .k9{--k:#4d7c0f}}
`

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
