package place

import "glsnn/targets"

// point is a tile of one chip.
type point struct{ x, y int }

// along gives the parts of p the cores of walk's tiles in turn, chip after chip.
func along(p *Problem, walk []point) []targets.CoreID {
	f := p.Fabric
	cores := make([]targets.CoreID, p.Parts)
	for i := range cores {
		tile, within := i/f.CoresPerTile, i%f.CoresPerTile
		chip, at := tile/len(walk), walk[tile%len(walk)]
		cores[i] = targets.CoreID((chip*len(walk)+at.y*f.Width+at.x)*f.CoresPerTile + within)
	}
	return cores
}

func rows(f targets.Fabric, serpentine bool) []point {
	walk := make([]point, 0, f.Width*f.Height)
	for y := range f.Height {
		for x := range f.Width {
			if serpentine && y%2 == 1 {
				x = f.Width - 1 - x
			}
			walk = append(walk, point{x, y})
		}
	}
	return walk
}

// hilbert walks over a rectangle of any size along a curve in Hilbert's manner:
// halves and thirds of the rectangle are cut off along its longer side, so that
// what is near in the walk is near on the chip. Steps go to neighbours, but for
// one diagonal step where a side is odd.
func hilbert(f targets.Fabric) []point {
	walk := make([]point, 0, f.Width*f.Height)
	if f.Width >= f.Height {
		walk = curve(walk, point{}, point{f.Width, 0}, point{0, f.Height})
	} else {
		walk = curve(walk, point{}, point{0, f.Height}, point{f.Width, 0})
	}
	return walk
}

// curve fills the rectangle at p with the sides a, along which it goes, and b.
func curve(walk []point, p, a, b point) []point {
	w, h := length(a), length(b)
	da, db := unit(a), unit(b)
	if h == 1 {
		for range w {
			walk = append(walk, p)
			p = p.plus(da)
		}
		return walk
	}
	if w == 1 {
		for range h {
			walk = append(walk, p)
			p = p.plus(db)
		}
		return walk
	}
	a2, b2 := half(a), half(b)
	if 2*w > 3*h { // long: two parts, one after the other
		if length(a2)%2 == 1 && w > 2 {
			a2 = a2.plus(da)
		}
		walk = curve(walk, p, a2, b)
		return curve(walk, p.plus(a2), a.minus(a2), b)
	}
	if length(b2)%2 == 1 && h > 2 {
		b2 = b2.plus(db)
	}
	// A step up, a long one across, a step down.
	walk = curve(walk, p, b2, a2)
	walk = curve(walk, p.plus(b2), a, b.minus(b2))
	back := p.plus(a.minus(da)).plus(b2.minus(db))
	return curve(walk, back, point{}.minus(b2), point{}.minus(a.minus(a2)))
}

func (p point) plus(q point) point  { return point{p.x + q.x, p.y + q.y} }
func (p point) minus(q point) point { return point{p.x - q.x, p.y - q.y} }

func length(p point) int { return abs(p.x + p.y) } // one of the two is 0

func half(p point) point { return point{floorHalf(p.x), floorHalf(p.y)} }

// floorHalf rounds down, as the curve's parts are meant to.
func floorHalf(v int) int { return (v - ((v%2)+2)%2) / 2 }

func unit(p point) point { return point{sign(p.x), sign(p.y)} }

func sign(v int) int {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return -1
	}
	return 0
}

func abs(v int) int {
	if v < 0 {
		return -v
	}
	return v
}
