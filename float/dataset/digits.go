package dataset

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
)

const (
	side      = 28      // rows and columns of a generated image
	maxDigits = 1 << 20 // samples a split, so that a set stays below 1 GiB
)

// style is what tells one generated set from another.
type style struct {
	name  string
	level int64 // Q8: every distortion is scaled by level/256
	fonts [2]fontRange
}

// fontRange is the fonts lo..hi-1 that a split draws from.
type fontRange struct{ lo, hi int }

const (
	splitTrain = 0
	splitTest  = 1
)

// The levels were found by measurement (see the package comment). Changing them, or anything that Digits calls,
// changes the data: the frozen sha256 of the tests must change with it and old results no longer compare.
var (
	styleDigits = style{"digits", 256, [2]fontRange{{0, 12}, {0, 12}}}
	styleHard   = style{"digits-hard", 312, [2]fontRange{{0, 8}, {8, 12}}}
)

// Digits renders n images of the set name, "digits" or "digits-hard": of the training split, or of the test split if
// test is true. Images are 28x28, labels come in shuffled blocks of ten that hold each class once.
//
// Image i depends on name, split, seed and i only; not on n, nor on workers, the number of goroutines (below 1:
// GOMAXPROCS). It is an error if n is not in 1..1048576 or name is another.
func Digits(name string, test bool, n int, seed uint64, workers int) (*Set, error) {
	var st style
	switch name {
	case styleDigits.name:
		st = styleDigits
	case styleHard.name:
		st = styleHard
	default:
		return nil, fmt.Errorf("generated set: got %q, want %s or %s", name, styleDigits.name, styleHard.name)
	}
	split := splitTrain
	if test {
		split = splitTest
	}
	if n < 1 || n > maxDigits {
		return nil, fmt.Errorf("%s: samples: got %d, want 1..%d", name, n, maxDigits)
	}
	if workers < 1 {
		workers = runtime.GOMAXPROCS(0)
	}
	s := &Set{
		Name:    name,
		Rows:    side,
		Cols:    side,
		Classes: 10,
		Pixels:  make([]uint8, n*side*side),
		Labels:  make([]uint8, n),
	}
	const block = 64 // images a worker takes at a time
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(workers, (n+block-1)/block) {
		wg.Go(func() {
			var g generator
			for {
				hi := int(next.Add(block))
				lo := hi - block
				if lo >= n {
					return
				}
				for i := lo; i < min(hi, n); i++ {
					s.Labels[i] = label(seed, split, i)
					g.render(s.Image(i), st, seed, split, i, s.Labels[i])
				}
			}
		})
	}
	wg.Wait()
	return s, nil
}

// draws is a stream of random integers. Only Uint64 of PCG is used, the rest is ours, so that the numbers do not
// hang on how package rand derives one kind of number from another.
type draws struct{ pcg rand.PCG }

// What a stream is drawn for; part of its seed.
const (
	purposeImage = 1
	purposeLabel = 2
)

func (d *draws) seed(seed uint64, purpose, split, i int) {
	d.pcg.Seed(mix(seed), mix(mix(uint64(purpose)<<8|uint64(split))+uint64(i)))
}

// mix is the finaliser of splitmix64: it spreads neighbouring seeds apart.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// below returns an integer in 0..n-1. The bias, n/2^64, does not matter here.
func (d *draws) below(n int64) int64 {
	hi, _ := bits.Mul64(d.pcg.Uint64(), uint64(n))
	return int64(hi)
}

// within returns an integer in -limit..limit, all equally likely.
func (d *draws) within(limit int64) int64 { return d.below(2*limit+1) - limit }

// label returns the label of item i: entry i%10 of the shuffled block i/10.
func label(seed uint64, split, i int) uint8 {
	var d draws
	d.seed(seed, purposeLabel, split, i/10)
	perm := [10]uint8{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	for k := int64(9); k > 0; k-- {
		j := d.below(k + 1)
		perm[k], perm[j] = perm[j], perm[k]
	}
	return perm[i%10]
}

// generator renders images; it holds the scratch memory of one worker.
type generator struct {
	raster raster
	points []point
	ink    [(side + 2) * (side + 2)]int32 // coverage 0..255 with a border of zeros
}

// The distortions at level 256, each drawn uniformly from -limit..limit unless said otherwise. Angles are radians,
// lengths pixels, ratios plain numbers, all Q16.
const (
	digitHeight   = 20 * one       // before scaling
	limitRotation = one * 28 / 100 // 16 degrees
	limitShear    = one * 30 / 100 // x shifts by this times y
	limitScale    = one * 16 / 100 // of both axes
	limitAspect   = one * 16 / 100 // of x alone, on top
	limitShift    = one * 11 / 10
	limitElastic  = one * 2 // of a node of the grid, each axis
	gridNodes     = 4
	limitStroke   = one * 8 / 10 // of the curve that makes strokes thin or thick
	dropGain      = 100          // the brightest pixel is 255 minus 0..dropGain
	chanceBar     = 104          // in 256: an image has an occluding bar
	widestBar     = 5            // pixels; from 1
	limitNoise    = 40           // grey levels
	noiseFloor    = 32           // what ends up darker than this becomes 0
)

// render draws item i into out, which is side*side pixels, row-major. The order of draws is part of the data.
func (g *generator) render(out []uint8, st style, seed uint64, split, i int, label uint8) {
	var d draws
	d.seed(seed, purposeImage, split, i)
	scaled := func(limit int64) int64 { return limit * st.level >> 8 }
	fr := st.fonts[split]
	glyph := &glyphs()[fr.lo+int(d.below(int64(fr.hi-fr.lo)))][label]
	g.outline(glyph, &d, scaled)

	// Ink: coverage as 0..255, softened by the kernel 1 2 1 in both directions, as a scanner would.
	const wide = side + 2
	for p, c := range g.raster.cover {
		g.ink[(p/side+1)*wide+p%side+1] = (c*255 + subLines*halfOne) >> (q16 + 2)
	}
	stroke := d.within(scaled(limitStroke))
	top := 255 - d.below(min(scaled(dropGain), 192)+1)
	for y := range side {
		for x := range side {
			a := g.ink[y*wide+x:][:3]
			b := g.ink[(y+1)*wide+x:][:3]
			c := g.ink[(y+2)*wide+x:][:3]
			v := int64(a[0]+a[2]+c[0]+c[2]+2*(a[1]+b[0]+b[2]+c[1])+4*b[1]+8) >> 4
			// The parabola v + s*v*(255-v)/255 bends the grey edge of a stroke out or in; |s| <= 1 keeps it rising.
			v += min(max(stroke, -one), one) * (v * (255 - v) / 255) >> q16
			out[y*side+x] = uint8(v * top / 255)
		}
	}

	if d.below(256) < min(scaled(chanceBar), 256) {
		width := 1 + int(d.below(widestBar))
		at := 4 + int(d.below(side-8-int64(width)+1))
		across := d.below(2) == 0
		for k := at; k < at+width; k++ {
			for j := range side {
				if across {
					out[k*side+j] = 0
				} else {
					out[j*side+k] = 0
				}
			}
		}
	}

	// Triangular noise; the floor leaves most of the background black, as a spike encoder likes it.
	noise := scaled(limitNoise)
	for p, v := range out {
		u := d.pcg.Uint64()
		n := int64(u>>32&0xffff) - int64(u>>48)
		w := min(int64(v)+n*noise>>q16, 255)
		if w < noiseFloor {
			w = 0
		}
		out[p] = uint8(w)
	}
}

// outline distorts a glyph and fills it into g.raster.
func (g *generator) outline(glyph *outline, d *draws, scaled func(int64) int64) {
	sin, cos := sincos(min(max(d.within(scaled(limitRotation)), -one), one))
	shear := d.within(scaled(limitShear))
	size := max(one+d.within(scaled(limitScale)), one/4)
	aspect := max(one+d.within(scaled(limitAspect)), one/4)
	shiftX, shiftY := d.within(scaled(limitShift)), d.within(scaled(limitShift))
	var grid [gridNodes][gridNodes][2]int64
	for r := range grid {
		for c := range grid[r] {
			grid[r][c] = [2]int64{d.within(scaled(limitElastic)), d.within(scaled(limitElastic))}
		}
	}

	// [x y] <- rotation * shear * scale * [x y], then pixels, then shift and the grid.
	height := digitHeight * size >> q16
	width := height * aspect >> q16
	g.points = g.points[:0]
	for _, p := range glyph.points {
		y := int64(p.y) * height >> q16
		x := int64(p.x)*width>>q16 + shear*y>>q16
		x, y = (cos*x-sin*y)>>q16, (sin*x+cos*y)>>q16
		x, y = x+side*halfOne, y+side*halfOne
		dx, dy := bend(&grid, x, y)
		g.points = append(g.points, point{int32(x + shiftX + dx), int32(y + shiftY + dy)})
	}

	g.raster.reset()
	start := 0
	for _, end := range glyph.ends {
		ring := g.points[start:end]
		last := ring[len(ring)-1]
		for _, p := range ring {
			g.raster.edge(last, p)
			last = p
		}
		start = end
	}
	g.raster.fill()
}

// bend interpolates the grid, which spans the image, at (x, y). Points outside take the value of the border.
func bend(grid *[gridNodes][gridNodes][2]int64, x, y int64) (dx, dy int64) {
	cell := func(v int64) (int64, int64) {
		v = v * (gridNodes - 1) / side
		k := min(max(v>>q16, 0), gridNodes-2)
		return k, min(max(v-k<<q16, 0), one)
	}
	c, fx := cell(x)
	r, fy := cell(y)
	at := func(axis int) int64 {
		top := grid[r][c][axis]*(one-fx) + grid[r][c+1][axis]*fx
		low := grid[r+1][c][axis]*(one-fx) + grid[r+1][c+1][axis]*fx
		return ((top>>q16)*(one-fy) + (low>>q16)*fy) >> q16
	}
	return at(0), at(1)
}
