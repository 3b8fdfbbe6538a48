package float

import "math"

// Augment is how far a training image may be moved each time it is shown: a
// rotation and a change of size about its centre, a shift, and a bend, all drawn
// uniformly. The zero value leaves images as they are.
type Augment struct {
	Shift  float64 `json:"shift,omitempty"`  // at most so many pixels, down and to the right, each way
	Rotate float64 `json:"rotate,omitempty"` // at most so many degrees, either way
	Scale  float64 `json:"scale,omitempty"`  // size 1-Scale..1+Scale
	Bend   float64 `json:"bend,omitempty"`   // each point of a grid over the image moves by at most so many pixels, each way
}

// image is a training sample's pixels in the epoch under way: the set's own or,
// with Augment, those moved as (seed, epoch, sample) says, in buf if it is large
// enough.
func (t *Trainer) image(buf []uint8, sample int) []uint8 {
	src, a := t.train.Image(sample), t.Config.Augment
	if a == (Augment{}) {
		return src
	}
	if len(buf) < len(src) {
		buf = make([]uint8, len(src))
	}
	rng := newStream(t.Config.Seed, streamAugment, uint64(t.Epoch)<<32|uint64(sample))
	within := func(most float64) float64 { return float64((2*rng.Float64() - 1) * most) }
	by := motion{dx: within(a.Shift), dy: within(a.Shift), angle: radians(within(a.Rotate)), size: 1}
	if a.Scale > 0 {
		by.size = 1 + within(a.Scale)
	}
	if a.Bend > 0 {
		by.bend = new(bend)
		for i := range by.bend {
			for j := range by.bend[i] {
				by.bend[i][j] = [2]int64{fixed16(within(a.Bend)), fixed16(within(a.Bend))}
			}
		}
	}
	move(buf[:len(src)], src, t.train.Rows, t.train.Cols, by)
	return buf[:len(src)]
}

// motion is where the pixels of one image go.
type motion struct {
	dx, dy float64 // columns and rows
	angle  float64 // in radians, from the columns' axis towards the rows'
	size   float64 // 1 keeps it
	bend   *bend   // nil is none
}

// bendCells is how many cells a bend's grid has on a side.
const bendCells = 4

// bend is, for each point of a grid over the whole image, rows first, how many
// 1/65536 pixels farther to the right and down a pixel there is taken from;
// between the points, in proportion (bilinear).
type bend [bendCells + 1][bendCells + 1][2]int64

// cell is the cell of a bend's grid that pixel i of n lies in, and how far into it,
// in 1/65536 of a cell.
func cell(i, n int) (int, int64) {
	c := min(i*bendCells/(n-1), bendCells-1)
	return c, int64(i*bendCells-c*(n-1)) << 16 / int64(n-1)
}

// row is the bend along the pixels' row r: its values at the grid's columns.
func (b *bend) row(r, rows int) (line [bendCells + 1][2]int64) {
	c, f := cell(r, rows)
	for j := range line {
		for k := range line[j] {
			line[j][k] = b[c][j][k] + (b[c+1][j][k]-b[c][j][k])*f>>16
		}
	}
	return line
}

// move writes src, rotated about its centre, changed in size about it, shifted and
// bent, to dst. Each pixel is taken from where it came, between the four pixels
// there in proportion (bilinear); what lies outside is 0. Sine and cosine over
// size, and shift, are rounded to 1/65536 once, the rest is whole numbers.
func move(dst, src []uint8, rows, cols int, by motion) {
	const one = 1 << 16
	sin, cos := fixed16(math.Sin(by.angle)/by.size), fixed16(math.Cos(by.angle)/by.size)
	cx, cy := int64(cols-1)*one/2, int64(rows-1)*one/2
	at := func(r, c int) int64 {
		if uint(r) >= uint(rows) || uint(c) >= uint(cols) {
			return 0
		}
		return int64(src[r*cols+c])
	}
	for r := range rows {
		x, y := -cx-fixed16(by.dx), int64(r)*one-cy-fixed16(by.dy)
		rowX, rowY := cos*x+sin*y+cx*one, cos*y-sin*x+cy*one
		var line [bendCells + 1][2]int64
		if by.bend != nil {
			line = by.bend.row(r, rows)
		}
		for c := range cols {
			fromX, fromY := rowX, rowY
			if by.bend != nil {
				j, f := cell(c, cols)
				a, b := line[j], line[j+1]
				fromX += a[0]*one + (b[0]-a[0])*f
				fromY += a[1]*one + (b[1]-a[1])*f
			}
			r0, c0 := int(fromY>>32), int(fromX>>32)
			fy, fx := fromY>>16&(one-1), fromX>>16&(one-1)
			var nw, ne, sw, se int64
			if uint(r0) < uint(rows-1) && uint(c0) < uint(cols-1) {
				p := src[r0*cols+c0:][:cols+2]
				nw, ne, sw, se = int64(p[0]), int64(p[1]), int64(p[cols]), int64(p[cols+1])
			} else {
				nw, ne, sw, se = at(r0, c0), at(r0, c0+1), at(r0+1, c0), at(r0+1, c0+1)
			}
			top, bottom := nw*one+(ne-nw)*fx, sw*one+(se-sw)*fx
			dst[r*cols+c] = uint8((top*one + (bottom-top)*fy + 1<<31) >> 32)
			rowX, rowY = rowX+cos*one, rowY-sin*one
		}
	}
}

// fixed16 is x in 1/65536, rounded to the nearest.
func fixed16(x float64) int64 { return int64(math.RoundToEven(x * (1 << 16))) }

func radians(degrees float64) float64 { return degrees * math.Pi / 180 }
