package dataset

import (
	"fmt"
	"slices"
	"sync"

	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gobolditalic"
	"golang.org/x/image/font/gofont/goitalic"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/gofont/gomediumitalic"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/gomonobold"
	"golang.org/x/image/font/gofont/gomonobolditalic"
	"golang.org/x/image/font/gofont/gomonoitalic"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/gofont/gosmallcaps"
	"golang.org/x/image/font/gofont/gosmallcapsitalic"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// Coordinates are Q16: 1<<16 is one glyph height in an outline, one pixel in a raster. x grows right, y down.
// golang.org/x/image/vector would do the filling, but in float32, whose last bit depends on the machine.
const (
	q16     = 16
	one     = 1 << q16
	halfOne = one / 2
)

type point struct{ x, y int32 } // Q16

// outline is one digit of one font: closed polygons, centred on (0, 0) and of height one, width in proportion.
type outline struct {
	points []point
	ends   []int // polygon k is points[ends[k-1]:ends[k]]
}

// fonts in the order the generator numbers them; the held-out ones of digits-hard come last.
var fonts = [...][]byte{
	goregular.TTF, goitalic.TTF, gobold.TTF, gobolditalic.TTF,
	gosmallcaps.TTF, gosmallcapsitalic.TTF, gomono.TTF, gomonoitalic.TTF,
	gomedium.TTF, gomediumitalic.TTF, gomonobold.TTF, gomonobolditalic.TTF,
}

// glyphs returns outlines[font][digit]. It panics if a font built into the program cannot be read.
var glyphs = sync.OnceValue(func() *[len(fonts)][10]outline {
	var outlines [len(fonts)][10]outline
	for i, ttf := range fonts {
		f, err := sfnt.Parse(ttf)
		if err != nil {
			panic(fmt.Sprintf("dataset: font %d: %v", i, err))
		}
		for d := range outlines[i] {
			outlines[i][d], err = loadDigit(f, d)
			if err != nil {
				panic(fmt.Sprintf("dataset: font %d: digit %d: %v", i, d, err))
			}
		}
	}
	return &outlines
})

// loadDigit flattens the outline of one digit. sfnt scales in integers, and at one pixel a font unit it does not
// round at all.
func loadDigit(f *sfnt.Font, digit int) (outline, error) {
	var buf sfnt.Buffer
	index, err := f.GlyphIndex(&buf, rune('0'+digit))
	if err != nil {
		return outline{}, err
	}
	segments, err := f.LoadGlyph(&buf, index, fixed.I(int(f.UnitsPerEm())), nil)
	if err != nil {
		return outline{}, err
	}
	const curve = 8 // lines a curve
	var o outline
	var at point
	for _, s := range segments {
		a, b := point{int32(s.Args[0].X), int32(s.Args[0].Y)}, point{int32(s.Args[1].X), int32(s.Args[1].Y)}
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			if len(o.points) > 0 {
				o.ends = append(o.ends, len(o.points))
			}
			o.points = append(o.points, a)
			at = a
		case sfnt.SegmentOpLineTo:
			// Long lines are cut so that the elastic grid can bend them.
			n := max(abs(a.x-at.x), abs(a.y-at.y))/(128*64) + 1
			for k := int32(1); k <= n; k++ {
				o.points = append(o.points, point{at.x + (a.x-at.x)*k/n, at.y + (a.y-at.y)*k/n})
			}
			at = a
		case sfnt.SegmentOpQuadTo:
			for k := int64(1); k <= curve; k++ {
				o.points = append(o.points, point{quadAt(at.x, a.x, b.x, k, curve), quadAt(at.y, a.y, b.y, k, curve)})
			}
			at = b
		default:
			return outline{}, fmt.Errorf("segment: got operation %d, want a line or a quadratic curve", s.Op)
		}
	}
	if len(o.points) == 0 {
		return outline{}, fmt.Errorf("outline: got no segments, want some")
	}
	o.ends = append(o.ends, len(o.points))

	lo, hi := o.points[0], o.points[0]
	for _, p := range o.points {
		lo = point{min(lo.x, p.x), min(lo.y, p.y)}
		hi = point{max(hi.x, p.x), max(hi.y, p.y)}
	}
	height := int64(hi.y - lo.y)
	for i, p := range o.points {
		x := (2*int64(p.x) - int64(lo.x) - int64(hi.x)) * halfOne / height
		y := (2*int64(p.y) - int64(lo.y) - int64(hi.y)) * halfOne / height
		o.points[i] = point{int32(x), int32(y)}
	}
	return o, nil
}

// quadAt returns the quadratic Bezier curve a, b, c at k/n.
func quadAt(a, b, c int32, k, n int64) int32 {
	m := n - k
	return int32((m*m*int64(a) + 2*m*k*int64(b) + k*k*int64(c)) / (n * n))
}

func abs(x int32) int32 { return max(x, -x) }

// sincos returns the Q16 sine and cosine of a Q16 angle in radians, |angle| <= one*3/2, from the Taylor series to the
// ninth and eighth power. The error is below 2^-12.
func sincos(angle int64) (sin, cos int64) {
	sq := angle * angle >> q16
	term := func(next int64, div int64) int64 { return one - (sq*next>>q16)/div }
	cos = term(term(term(term(one, 56), 30), 12), 2)
	sin = angle * term(term(term(term(one, 72), 42), 20), 6) >> q16
	return sin, cos
}

// raster fills polygons on a square of side x side pixels by the non-zero winding rule. It samples four lines a pixel
// row and measures along them exactly (to 1/65536 pixel).
type raster struct {
	lines [side * subLines][]crossing
	cover [side * side]int32 // after fill: 0..subLines<<16
}

const (
	subLines = 4
	subStep  = one / subLines
)

// crossing is where an outline crosses a sample line: x in Q16, and +1 if it runs down, -1 if up.
type crossing struct{ x, dir int32 }

func (r *raster) reset() {
	for i := range r.lines {
		r.lines[i] = r.lines[i][:0]
	}
	clear(r.cover[:])
}

// edge adds the line from a to b, in pixels. A sample line belongs to it if a.y <= y < b.y (or the other way round),
// so closed polygons cross every line an even number of times.
func (r *raster) edge(a, b point) {
	dir := int32(1)
	if a.y > b.y {
		a, b, dir = b, a, -1
	}
	// Line s lies at y = s*subStep + subStep/2.
	first := (int64(a.y) - subStep/2 + subStep - 1) >> (q16 - 2)
	end := (int64(b.y) - subStep/2 + subStep - 1) >> (q16 - 2)
	first, end = max(first, 0), min(end, side*subLines)
	dx, dy := int64(b.x)-int64(a.x), int64(b.y)-int64(a.y)
	for s := first; s < end; s++ {
		y := s*subStep + subStep/2
		x := int64(a.x) + (y-int64(a.y))*dx/dy
		x = min(max(x, 0), side<<q16)
		r.lines[s] = append(r.lines[s], crossing{int32(x), dir})
	}
}

// fill turns the edges into coverage.
func (r *raster) fill() {
	for s, line := range r.lines {
		// Crossings that share an x are alike in any order: the span between them is empty.
		slices.SortFunc(line, func(a, b crossing) int { return int(a.x - b.x) })
		row := r.cover[s/subLines*side:][:side]
		winding := int32(0)
		for i, c := range line {
			if winding != 0 {
				span(row, line[i-1].x, c.x)
			}
			winding += c.dir
		}
	}
}

// span adds the part of each pixel of row that lies in [lo, hi).
func span(row []int32, lo, hi int32) {
	for p := lo >> q16; p<<q16 < hi; p++ {
		row[p] += min(hi, (p+1)<<q16) - max(lo, p<<q16)
	}
}
