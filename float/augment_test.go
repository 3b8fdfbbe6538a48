package float

import (
	"slices"
	"testing"

	"glsnn/float/dataset"
)

// TestMove: whole shifts and quarter turns move pixels, half a pixel is the mean
// of two, and what comes from outside is 0.
func TestMove(t *testing.T) {
	src := []uint8{
		10, 20, 30,
		40, 50, 60,
		70, 80, 91,
	}
	for _, c := range []struct {
		name          string
		dx, dy, angle float64
		want          []uint8
	}{
		{"nothing", 0, 0, 0, src},
		{"right", 1, 0, 0, []uint8{0, 10, 20, 0, 40, 50, 0, 70, 80}},
		{"down and left", -1, 1, 0, []uint8{0, 0, 0, 20, 30, 0, 50, 60, 0}},
		{"half right", 0.5, 0, 0, []uint8{5, 15, 25, 20, 45, 55, 35, 75, 86}}, // 85.5 rounds up
		{"quarter turn", 0, 0, 90, []uint8{70, 40, 10, 80, 50, 20, 91, 60, 30}},
		{"half turn", 0, 0, 180, []uint8{91, 80, 70, 60, 50, 40, 30, 20, 10}},
		{"far", 5, 0, 0, make([]uint8, 9)},
	} {
		got := make([]uint8, 9)
		move(got, src, 3, 3, c.dx, c.dy, radians(c.angle))
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
	wide := []uint8{1, 2, 3, 4, 5, 6, 7, 8}
	got := make([]uint8, 8)
	if move(got, wide, 2, 4, 0, 0, radians(180)); !slices.Equal(got, []uint8{8, 7, 6, 5, 4, 3, 2, 1}) {
		t.Errorf("2 x 4, half turn: got %v", got)
	}
}

// TestAugment: off, a sample is the set's own pixels; on, it depends on seed,
// epoch and sample and on nothing else.
func TestAugment(t *testing.T) {
	set, _ := digits(t, 40, 10)
	image := func(seed uint64, a Augment, epoch, sample int) []uint8 {
		tr := testTrainer(t, set, func(_ *Config, tc *TrainConfig) { tc.Seed, tc.Augment = seed, a })
		tr.Epoch = epoch
		return tr.image(nil, sample)
	}
	if got := image(1, Augment{}, 0, 7); &got[0] != &set.Image(7)[0] {
		t.Error("off: got a copy")
	}
	a := Augment{Shift: 2, Rotate: 10}
	first := image(1, a, 0, 7)
	if !slices.Equal(first, image(1, a, 0, 7)) {
		t.Error("the same sample of the same epoch: got other pixels")
	}
	for name, other := range map[string][]uint8{
		"seed": image(2, a, 0, 7), "epoch": image(1, a, 1, 7), "set's": set.Image(7), "shift": image(1, Augment{Rotate: 10}, 0, 7),
	} {
		if slices.Equal(first, other) {
			t.Errorf("another %s: got the same pixels", name)
		}
	}
	flat := &dataset.Set{Name: "flat", Rows: 1, Cols: 4, Classes: 2, Pixels: make([]uint8, 8), Labels: make([]uint8, 2)}
	c, tc := ChipDefaults()
	c.Sizes, tc.Augment = []int{4, 2}, a
	net, err := NewNetwork(c, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewTrainer(net, tc, flat); err == nil {
		t.Error("samples of one row: got no error")
	}
}

func BenchmarkAugment(b *testing.B) {
	set, _ := digits(b, 10, 10)
	tr := testTrainer(b, set, func(_ *Config, tc *TrainConfig) { tc.Augment = Augment{Shift: 2, Rotate: 10} })
	buf := make([]uint8, 784)
	for i := 0; b.Loop(); i++ {
		tr.image(buf, i%10)
	}
}
