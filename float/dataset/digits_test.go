package dataset

import (
	"fmt"
	"math"
	"testing"
)

// TestFrozen pins the data. It must hold on every architecture: run it with GOARCH=386 and GOAMD64=v3 too. A change
// of these values changes a benchmark; say so in the commit.
func TestFrozen(t *testing.T) {
	for _, c := range []struct {
		name string
		test bool
		want string
	}{
		{"digits", false, "0c0b0c5719100f6198a67ed8cf4d7af527a8719a4f9d70cfdb5183f432ba8f4d"},
		{"digits", true, "6e3a10d3b13bca77a630d82fd19f8843d5b75f53643b2d671e6c1a8df72de5fe"},
		{"digits-hard", false, "5cd215567de6dcf2ec99117a92284ede9bb81411d0450bdad79957e9c82b4e16"},
		{"digits-hard", true, "fc77fd86010960f184c849ca7c644affd89b0470f5a258b8f658519cccbfd08e"},
	} {
		s, err := Digits(c.name, c.test, 200, 1, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Hash(); got != c.want {
			t.Errorf("%s, test %v: first 200 of seed 1: got %s, want %s", c.name, c.test, got, c.want)
		}
	}
}

func TestDigitsIndependence(t *testing.T) {
	base, err := Digits("digits", false, 300, 7, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := base.Validate(); err != nil {
		t.Fatal(err)
	}
	for _, workers := range []int{2, 3, 16, -1} {
		s, err := Digits("digits", false, 300, 7, workers)
		if err != nil || s.Hash() != base.Hash() {
			t.Errorf("%d workers: other data, %v", workers, err)
		}
	}
	short, err := Digits("digits", false, 123, 7, 2)
	if err != nil || short.Hash() != base.Slice(0, 123).Hash() {
		t.Errorf("fewer samples are not a prefix, %v", err)
	}
	for what, f := range map[string]func() (*Set, error){
		"seed":  func() (*Set, error) { return Digits("digits", false, 300, 8, 1) },
		"split": func() (*Set, error) { return Digits("digits", true, 300, 7, 1) },
		"name":  func() (*Set, error) { return Digits("digits-hard", false, 300, 7, 1) },
	} {
		if s, err := f(); err != nil || s.Hash() == base.Hash() {
			t.Errorf("another %s gives the same data, %v", what, err)
		}
	}
}

// TestDigitsBalance: blocks of ten hold each label once, in differing orders, and images differ.
func TestDigitsBalance(t *testing.T) {
	s, err := Digits("digits", false, 1000, 3, 0)
	if err != nil {
		t.Fatal(err)
	}
	orders, images := map[string]bool{}, map[string]bool{}
	var ink int
	for lo := 0; lo < s.Len(); lo += 10 {
		var seen [10]bool
		for i := lo; i < lo+10; i++ {
			seen[s.Labels[i]] = true
			images[string(s.Image(i))] = true
		}
		if seen != [10]bool{true, true, true, true, true, true, true, true, true, true} {
			t.Errorf("block %d: labels %v", lo, s.Labels[lo:lo+10])
		}
		orders[string(s.Labels[lo:lo+10])] = true
	}
	if len(orders) < 99 || len(images) != 1000 {
		t.Errorf("got %d orders of 100 blocks, %d different images of 1000", len(orders), len(images))
	}
	for _, p := range s.Pixels {
		ink += int(p)
	}
	if mean := float64(ink) / 255 / float64(len(s.Pixels)); mean < 0.08 || mean > 0.14 {
		t.Errorf("mean pixel: got %.4f, want 0.08..0.14 (MNIST 0.1307)", mean)
	}
}

func TestDigitsErrors(t *testing.T) {
	_, err := Digits("digits", false, 0, 0, 0)
	checkError(t, err, "digits: samples: got 0, want 1..1048576")
	_, err = Digits("digits-hard", false, 1<<20+1, 0, 0)
	checkError(t, err, "digits-hard: samples: got 1048577, want 1..1048576")
	_, err = Digits("mnist", false, 1, 0, 0)
	checkError(t, err, `generated set: got "mnist", want digits or digits-hard`)
}

// TestAnyLevel: a level far off the two in use must not leave the array of the grid or of the raster.
func TestAnyLevel(t *testing.T) {
	var g generator
	out := make([]uint8, side*side)
	for _, level := range []int64{0, 1, 256, 1000, 5000, 40000} {
		st := styleDigits
		st.level = level
		for i := range 200 {
			g.render(out, st, 5, splitTrain, i, uint8(i%10))
		}
	}
}

// TestHeldOutFonts: no outline of a training font is an outline of a test font (the small-caps fonts, for instance,
// share their digits with the plain ones).
func TestHeldOutFonts(t *testing.T) {
	train, test := styleHard.fonts[splitTrain], styleHard.fonts[splitTest]
	if train.hi > test.lo || train.lo != 0 || test.hi != len(fonts) {
		t.Fatalf("ranges: got %v and %v", train, test)
	}
	for d := range 10 {
		for a := train.lo; a < train.hi; a++ {
			for b := test.lo; b < test.hi; b++ {
				if fmt.Sprint(glyphs()[a][d]) == fmt.Sprint(glyphs()[b][d]) {
					t.Errorf("digit %d: fonts %d and %d are the same", d, a, b)
				}
			}
		}
	}
}

func TestOutlines(t *testing.T) {
	for f := range fonts {
		for d := range 10 {
			o := glyphs()[f][d]
			lo, hi := o.points[0], o.points[0]
			for _, p := range o.points {
				lo = point{min(lo.x, p.x), min(lo.y, p.y)}
				hi = point{max(hi.x, p.x), max(hi.y, p.y)}
			}
			if lo.y != -halfOne || hi.y != halfOne || abs(lo.x+hi.x) > 2 || o.ends[len(o.ends)-1] != len(o.points) {
				t.Errorf("font %d digit %d: box %v %v", f, d, lo, hi)
			}
		}
	}
}

func TestSincos(t *testing.T) {
	worst := 0.0
	for a := int64(-one * 3 / 2); a <= one*3/2; a++ {
		sin, cos := sincos(a)
		x := float64(a) / one
		worst = max(worst, math.Abs(float64(sin)/one-math.Sin(x)), math.Abs(float64(cos)/one-math.Cos(x)))
	}
	if worst > 1.0/4096 {
		t.Errorf("worst error: got %g, want below 2^-12", worst)
	}
}

func TestMix(t *testing.T) {
	// First outputs of splitmix64 from state 0, from its author's reference code.
	if got := mix(0); got != 0xe220a8397b1dcdaf {
		t.Errorf("got %#x", got)
	}
	if got := mix(0x9e3779b97f4a7c15); got != 0x6e789e6aa1b965f4 {
		t.Errorf("got %#x", got)
	}
}

func fillPolygons(polygons ...[]point) *raster {
	r := new(raster)
	r.reset()
	for _, p := range polygons {
		for i := range p {
			r.edge(p[(i+len(p)-1)%len(p)], p[i])
		}
	}
	r.fill()
	return r
}

func box(x0, y0, x1, y1 int32) []point { return []point{{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}} }

func TestRasterByHand(t *testing.T) {
	full := int32(subLines * one)
	q := int32(one / 4)
	reverse := func(p []point) []point { return []point{p[3], p[2], p[1], p[0]} }
	for _, c := range []struct {
		name     string
		polygons [][]point
		want     map[int]int32 // pixel index -> coverage
	}{
		{"one pixel", [][]point{box(one, one, 2*one, 2*one)}, map[int]int32{side + 1: full}},
		{"other way round", [][]point{reverse(box(one, one, 2*one, 2*one))}, map[int]int32{side + 1: full}},
		{"quarter by quarter", [][]point{box(3*q, 2*q, 6*q, 4*q)}, map[int]int32{0: full / 8, 1: full / 4}},
		{"overlap counts once", [][]point{box(0, 0, one, one), box(0, 0, one, one)}, map[int]int32{0: full}},
		{"hole", [][]point{box(0, 0, 4*q, 4*q), reverse(box(q, q, 3*q, 3*q))}, map[int]int32{0: full * 3 / 4}},
		{"triangle", [][]point{{{0, 0}, {one, one}, {0, one}}}, map[int]int32{0: full / 2}},
		{"clipped", [][]point{box(-5*one, -one, one, one), box(27*one, 27*one, 90*one, 90*one)}, map[int]int32{0: full, side*side - 1: full}},
		{"outside", [][]point{box(-5*one, 3*one, -one, 6*one), box(30*one, 3*one, 40*one, 4*one), box(0, -9*one, one, -one)}, nil},
	} {
		r := fillPolygons(c.polygons...)
		for p, got := range r.cover {
			if got != c.want[p] {
				t.Errorf("%s: pixel %d: got %d, want %d", c.name, p, got, c.want[p])
			}
		}
	}
}

func TestBend(t *testing.T) {
	var grid [gridNodes][gridNodes][2]int64
	for r := range grid {
		for c := range grid[r] {
			grid[r][c] = [2]int64{int64(c) * one, int64(r) * 3 * one}
		}
	}
	for _, c := range []struct{ x, y, dx, dy int64 }{
		{0, 0, 0, 0},
		{side * one, side * one, 3 * one, 9 * one},
		{side * halfOne, side * halfOne, one * 3 / 2, one * 9 / 2},
		{-50 * one, 99 * one, 0, 9 * one}, // outside: the border's value
	} {
		dx, dy := bend(&grid, c.x, c.y)
		if dx != c.dx || dy != c.dy {
			t.Errorf("at %d, %d: got %d, %d, want %d, %d", c.x, c.y, dx, dy, c.dx, c.dy)
		}
	}
}

func BenchmarkDigits(b *testing.B) {
	var g generator
	out := make([]uint8, side*side)
	for i := range b.N {
		g.render(out, styleDigits, 1, splitTrain, i, uint8(i%10))
	}
}
