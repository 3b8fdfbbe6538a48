package dataset

import (
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
)

// checkError fails unless err's text is want exactly; want "" means no error.
func checkError(t *testing.T, err error, want string) {
	t.Helper()
	got := ""
	if err != nil {
		got = err.Error()
	}
	if got != want {
		t.Errorf("error:\n got  %s\n want %s", got, want)
	}
}

func randomSet(n, rows, cols, classes int, seed uint64) *Set {
	r := rand.New(rand.NewPCG(seed, 0))
	s := &Set{Name: "random", Rows: rows, Cols: cols, Classes: classes, Pixels: make([]uint8, n*rows*cols), Labels: make([]uint8, n)}
	for i := range s.Pixels {
		s.Pixels[i] = uint8(r.Uint32())
	}
	for i := range s.Labels {
		s.Labels[i] = uint8(r.IntN(classes))
	}
	return s
}

func TestValidate(t *testing.T) {
	good := func() *Set { return randomSet(3, 2, 5, 4, 1) }
	for _, c := range []struct {
		name  string
		spoil func(*Set)
		want  string
	}{
		{"good", func(s *Set) {}, ""},
		{"1 rows", func(s *Set) { s.Rows = 0 }, "random: rows: got 0, want 1..4096"},
		{"1 cols", func(s *Set) { s.Cols = 4097 }, "random: cols: got 4097, want 1..4096"},
		{"2 classes", func(s *Set) { s.Classes = 257 }, "random: classes: got 257, want 1..256"},
		{"3 empty", func(s *Set) { s.Labels, s.Pixels = nil, nil }, "random: labels: got 0, want at least 1"},
		{"4 pixels", func(s *Set) { s.Pixels = s.Pixels[1:] }, "random: pixels: got 29, want 30 (3 x 2 x 5)"},
		{"5 label", func(s *Set) { s.Labels[1], s.Labels[2] = 4, 9 }, "random: label 1: got 4, want 0..3"},
		{"all faults", func(s *Set) { s.Rows, s.Classes, s.Labels = -1, 0, nil },
			"random: rows: got -1, want 1..4096\nrandom: classes: got 0, want 1..256\nrandom: labels: got 0, want at least 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := good()
			c.spoil(s)
			checkError(t, s.Validate(), c.want)
		})
	}
}

func TestSliceAliases(t *testing.T) {
	s := randomSet(5, 2, 3, 4, 2)
	part := s.Slice(1, 3)
	if part.Len() != 2 || part.Rows != 2 || part.Cols != 3 || part.Classes != 4 {
		t.Fatalf("got %+v", part)
	}
	part.Image(0)[4] = 77
	part.Labels[1] = 3
	if s.Image(1)[4] != 77 || s.Labels[2] != 3 {
		t.Error("a slice must alias its set")
	}
	if cap(part.Image(0)) != 6 || cap(part.Pixels) != 12 || cap(part.Labels) != 2 {
		t.Error("append to a slice must not overwrite its neighbour")
	}
}

func TestSplitTail(t *testing.T) {
	s := randomSet(5, 1, 1, 4, 3)
	train, validation, err := s.SplitTail(2)
	if err != nil || train.Len() != 3 || validation.Len() != 2 || &validation.Labels[0] != &s.Labels[3] {
		t.Errorf("got %v, %v, %v", train, validation, err)
	}
	for n, want := range map[int]string{
		0:  "random: validation samples: got 0, want 1..4",
		5:  "random: validation samples: got 5, want 1..4",
		-1: "random: validation samples: got -1, want 1..4",
	} {
		_, _, err := s.SplitTail(n)
		checkError(t, err, want)
	}
}

func TestPoolByHand(t *testing.T) {
	// 3x3 to 2x2: an output pixel covers 1.5 x 1.5 input pixels; weights 4 2 / 2 1 of 9, turned for each corner.
	s := &Set{Rows: 3, Cols: 3, Classes: 1, Labels: []uint8{0}, Pixels: []uint8{
		9, 0, 90,
		0, 36, 0,
		18, 0, 255,
	}}
	got, err := s.Pool(2)
	if err != nil {
		t.Fatal(err)
	}
	// (36+36)/9 = 8, (360+36)/9 = 44, (72+36)/9 = 12, (1020+36)/9 = 117.3
	if want := []uint8{8, 44, 12, 117}; !slices.Equal(got.Pixels, want) {
		t.Errorf("got %v, want %v", got.Pixels, want)
	}
	s = &Set{Rows: 2, Cols: 2, Classes: 1, Labels: []uint8{0, 0, 0}, Pixels: []uint8{0, 0, 1, 0, 0, 1, 1, 0, 255, 255, 255, 255}}
	got, err = s.Pool(1)
	if err != nil {
		t.Fatal(err)
	}
	if want := []uint8{0, 1, 255}; !slices.Equal(got.Pixels, want) { // 1/4, 1/2 up, 255
		t.Errorf("got %v, want %v", got.Pixels, want)
	}
}

// TestPoolExact compares with the definition: the integral of the image over a rectangle, in rationals.
func TestPoolExact(t *testing.T) {
	for _, c := range [][3]int{{28, 28, 14}, {28, 28, 7}, {28, 28, 8}, {8, 8, 4}, {28, 28, 28}, {5, 7, 3}, {28, 28, 1}} {
		s := randomSet(2, c[0], c[1], 3, 4)
		got, err := s.Pool(c[2])
		if err != nil {
			t.Fatal(err)
		}
		if err := got.Validate(); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.Labels, s.Labels) || got.Classes != s.Classes || &got.Labels[0] == &s.Labels[0] {
			t.Errorf("%v: labels must be copied", c)
		}
		overlap := func(k, j, n int) *big.Rat { // of [k, k+1) and [j*n/size, (j+1)*n/size)
			lo, hi := big.NewRat(int64(j*n), int64(c[2])), big.NewRat(int64((j+1)*n), int64(c[2]))
			a, b := big.NewRat(int64(k), 1), big.NewRat(int64(k+1), 1)
			if a.Cmp(lo) < 0 {
				a = lo
			}
			if b.Cmp(hi) > 0 {
				b = hi
			}
			d := new(big.Rat).Sub(b, a)
			if d.Sign() < 0 {
				d.SetInt64(0)
			}
			return d
		}
		for r := range c[2] {
			for q := range c[2] {
				sum := new(big.Rat)
				for y := range c[0] {
					wy := overlap(y, r, c[0])
					if wy.Sign() == 0 {
						continue
					}
					for x := range c[1] {
						w := new(big.Rat).Mul(wy, overlap(x, q, c[1]))
						sum.Add(sum, w.Mul(w, big.NewRat(int64(s.Image(1)[y*c[1]+x]), 1)))
					}
				}
				sum.Mul(sum, big.NewRat(int64(c[2]*c[2]), int64(c[0]*c[1])))
				sum.Add(sum, big.NewRat(1, 2))
				want := new(big.Int).Quo(sum.Num(), sum.Denom()).Int64()
				if g := int64(got.Image(1)[r*c[2]+q]); g != want {
					t.Fatalf("%v: pixel %d, %d: got %d, want %d", c, r, q, g, want)
				}
			}
		}
	}
}

func TestPoolErrors(t *testing.T) {
	s := randomSet(1, 28, 20, 3, 4)
	_, err := s.Pool(0)
	checkError(t, err, "random: pool size: got 0, want 1..20")
	_, err = s.Pool(21)
	checkError(t, err, "random: pool size: got 21, want 1..20")
}

func TestHash(t *testing.T) {
	base := func() *Set {
		return &Set{Name: "a", Rows: 1, Cols: 2, Classes: 3, Pixels: []uint8{1, 2, 3, 4}, Labels: []uint8{0, 2}}
	}
	// printf 'glsnn dataset 1 n=2 rows=1 cols=2 classes=3\n\000\002\001\002\003\004' | sha256sum
	const want = "2a80bfb8a85973db038bd3d298c084269c414e574ea8a4a0d0e1464fa53cab87"
	s := base()
	s.Name = "b"
	if got := s.Hash(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for i, change := range []func(*Set){
		func(s *Set) { s.Pixels[3]++ },
		func(s *Set) { s.Labels[0]++ },
		func(s *Set) { s.Classes++ },
		func(s *Set) { s.Rows, s.Cols = 2, 1 },
	} {
		s := base()
		change(s)
		if s.Hash() == want {
			t.Errorf("change %d: same hash", i)
		}
	}
}
