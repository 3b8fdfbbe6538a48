package float

import (
	"fmt"
	"math"
)

// Augment is how far a training image may be moved each time it is shown: a
// rotation about its centre and then a shift, both drawn uniformly. The zero
// value leaves images as they are.
type Augment struct {
	Shift  float64 `json:"shift,omitempty"`  // at most so many pixels, down and to the right, each way
	Rotate float64 `json:"rotate,omitempty"` // at most so many degrees, either way
}

// Fits says whether images of rows x cols pixels can be moved so.
func (a Augment) Fits(rows, cols int) error {
	for _, f := range []struct {
		name string
		got  float64
	}{{"augment_shift", a.Shift}, {"augment_rotate", a.Rotate}} {
		if f.got > 0 && min(rows, cols) < 2 {
			return fmt.Errorf("%s: got %v, want 0 for samples of %d x %d pixels", f.name, f.got, rows, cols)
		}
	}
	if side := min(rows, cols); a.Shift >= float64(side) {
		return fmt.Errorf("augment_shift: got %v, want less than the side of images of %d x %d pixels", a.Shift, rows, cols)
	}
	return nil
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
	dx, dy, angle := within(a.Shift), within(a.Shift), within(a.Rotate)
	move(buf[:len(src)], src, t.train.Rows, t.train.Cols, dx, dy, radians(angle))
	return buf[:len(src)]
}

// move writes src, rotated by angle about its centre (from the columns' axis
// towards the rows') and shifted by dx columns and dy rows, to dst. Each pixel is
// taken from where it came, between the four pixels there in proportion
// (bilinear); what lies outside is 0. Sine, cosine and shift are rounded to
// 1/65536 once, the rest is whole numbers.
func move(dst, src []uint8, rows, cols int, dx, dy, angle float64) {
	const one = 1 << 16
	fixed := func(x float64) int64 { return int64(math.RoundToEven(x * one)) }
	sin, cos := fixed(math.Sin(angle)), fixed(math.Cos(angle))
	cx, cy := int64(cols-1)*one/2, int64(rows-1)*one/2
	at := func(r, c int) int64 {
		if uint(r) >= uint(rows) || uint(c) >= uint(cols) {
			return 0
		}
		return int64(src[r*cols+c])
	}
	for r := range rows {
		x, y := -cx-fixed(dx), int64(r)*one-cy-fixed(dy)
		fromX, fromY := cos*x+sin*y+cx*one, cos*y-sin*x+cy*one
		for c := range cols {
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
			fromX, fromY = fromX+cos*one, fromY-sin*one
		}
	}
}

func radians(degrees float64) float64 { return degrees * math.Pi / 180 }
