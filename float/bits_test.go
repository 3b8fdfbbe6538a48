package float

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
)

func TestParseGrids(t *testing.T) {
	for _, c := range []struct {
		text   string
		layers int
		want   []Grid
	}{
		{"", 2, nil},
		{"2", 2, []Grid{{Low: -2, High: 1}, {Low: -2, High: 1}}},
		{"8, ternary", 2, []Grid{{Low: -128, High: 127}, {Low: -1, High: 1}}},
		{"3,4", 2, []Grid{{Low: -4, High: 3}, {Low: -8, High: 7}}},
	} {
		if got, err := ParseGrids(c.text, c.layers); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%q: got %v, %v, want %v", c.text, got, err, c.want)
		}
	}
	for _, text := range []string{"1", "9", "two", "4,", "4,4,4", "-4"} {
		if _, err := ParseGrids(text, 2); err == nil {
			t.Errorf("%q for 2 layers: got no error", text)
		}
	}
	for bits, text := range map[int]string{2: Ternary, 3: "3", 8: "8"} {
		if g, _ := ParseGrids(text, 1); g[0].Bits() != bits {
			t.Errorf("%s: got %d bits, want %d", text, g[0].Bits(), bits)
		}
	}
}

// TestGrid: snap gives the nearest point, by brute force, ties to even; a scale
// and its points are exact in float32, and so are their sums; fit is as good as a
// fine search to an eighth of the error.
func TestGrid(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	w := make([]float32, 500)
	for i := range w {
		w[i] = float32(rng.NormFloat64() * 0.1)
	}
	got := make([]float32, len(w))
	squared := func(g Grid) (e float64) {
		g.snap(got, w)
		for i, x := range w {
			e += math.Pow(float64(x-got[i]), 2)
		}
		return e
	}
	for _, text := range []string{Ternary, "2", "3", "5", "8"} {
		grids, err := ParseGrids(text, 1)
		if err != nil {
			t.Fatal(err)
		}
		g := grids[0].fit(w)
		if err := g.validate(); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		g.snap(got, w)
		for i, x := range w {
			nearest := math.Inf(1)
			for k := g.Low; k <= g.High; k++ {
				nearest = min(nearest, math.Abs(float64(x)-float64(k)*g.Scale))
			}
			if d := math.Abs(float64(x) - float64(got[i])); !g.Holds(got[i]) || d > nearest+1e-7 {
				t.Fatalf("%s: %v became %v, %v away, want at most %v", text, x, got[i], d, nearest)
			}
		}
		least, e := math.Inf(1), squared(g)
		for s := 0.001; s < 0.5; s *= 1.01 {
			least = min(least, squared(Grid{g.Low, g.High, roundScale(s)}))
		}
		if e > 1.12*least {
			t.Errorf("%s: fit left %v, and %v can be had", text, e, least)
		}
	}
	if g := (Grid{Low: -1, High: 1}).fit(make([]float32, 4)); g.Scale != 1 {
		t.Errorf("zeros: got scale %v, want 1", g.Scale)
	}
	// Far outside, in float32 too far for a whole number, it is the grid's end.
	far := []float32{1e30, -1e30, float32(math.Inf(1)), float32(math.Inf(-1)), 1e8, -1e8}
	if (Grid{-2, 1, 0.5}).snap(got, far); !slices.Equal(got[:6], []float32{0.5, -1, 0.5, -1, 0.5, -1}) {
		t.Errorf("%v became %v", far, got[:6])
	}
	for _, bad := range []Grid{{0, 1, 1}, {-1, 0, 1}, {-129, 1, 1}, {-1, 128, 1}, {-1, 1, 0}, {-1, 1, 0.1}, {-1, 1, math.NaN()}} {
		if bad.validate() == nil {
			t.Errorf("%+v: got no error", bad)
		}
	}
}

// TestBitsTrain: the network that training with Bits ends with lies on its
// grids, learns, and is the same from any number of workers.
func TestBitsTrain(t *testing.T) {
	set, test := digits(t, 400, 100)
	var first []byte
	for _, workers := range []int{1, 3} {
		tr := testTrainer(t, set, func(c *Config, tc *TrainConfig) {
			c.Sizes = []int{784, 48, 40, 10}
			tc.Epochs, tc.Batch, tc.Bits, tc.BitsAfter, tc.Augment = 8, 10, "3,2,4", 4, Augment{Shift: 1}
		})
		tr.Workers = workers
		if err := tr.Run(context.Background(), Hooks{}); err != nil {
			t.Fatal(err)
		}
		n := tr.Result()
		for l, g := range n.Origin.Grids {
			if i := slices.IndexFunc(n.Weights[l], func(w float32) bool { return !g.Holds(w) }); i >= 0 {
				t.Fatalf("layer %d: weight %v is not on %+v", l, n.Weights[l][i], g)
			}
		}
		data := saved(t, n.Save)
		if first == nil {
			first = data
		}
		if !slices.Equal(data, first) {
			t.Errorf("%d workers: another network", workers)
		}
		e, err := n.Evaluate(context.Background(), test, 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		if e.Accuracy() < 0.7 {
			t.Errorf("got accuracy %v, want at least 0.7", e.Accuracy())
		}
	}
}

// TestBitsResume: stopped at every batch, before Bits begin and after, and gone
// on with from the file, a run ends in the bytes of one that was not stopped.
func TestBitsResume(t *testing.T) {
	set, _ := digits(t, 100, 10)
	config := func(_ *Config, tc *TrainConfig) {
		tc.Epochs, tc.HeldOut, tc.Batch, tc.Bits, tc.BitsAfter, tc.Augment = 4, 20, 8, "3", 1, Augment{Shift: 2, Rotate: 10}
	}
	whole := testTrainer(t, set, config)
	batches := 0
	if err := whole.Run(context.Background(), Hooks{OnBatch: func(_, _, _ int) { batches++ }}); err != nil {
		t.Fatal(err)
	}
	if k := whole.Result().Origin.KeptEpoch; k < 2 {
		t.Errorf("kept epoch %d, which is on no grid", k)
	}
	want := saved(t, whole.Result().Save)
	for stop := 1; stop < batches; stop += 3 {
		ctx, cancel := context.WithCancel(context.Background())
		tr, n := testTrainer(t, set, config), 0
		err := tr.Run(ctx, Hooks{OnBatch: func(_, _, _ int) {
			if n++; n == stop {
				cancel()
			}
		}})
		cancel()
		if !errors.Is(err, ErrInterrupted) {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "c")
		if err := tr.Save(path); err != nil {
			t.Fatal(err)
		}
		c, err := LoadCheckpoint(path)
		if err != nil {
			t.Fatal(err)
		}
		if tr, err = c.Resume(set, 4); err != nil {
			t.Fatal(err)
		}
		if err := tr.Run(context.Background(), Hooks{}); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(saved(t, tr.Result().Save), want) {
			t.Errorf("stopped after %d batches: another network", stop)
		}
	}
}

// TestBitsFrom: rounding From a network begins at once, on its grids where the
// width is theirs, in the first checkpoint already; without rounding a grid is
// left behind.
func TestBitsFrom(t *testing.T) {
	set, _ := digits(t, 60, 10)
	first := testTrainer(t, set, func(_ *Config, tc *TrainConfig) { tc.Bits, tc.BitsAfter = "3,4,2", 1 })
	if err := first.Run(context.Background(), Hooks{}); err != nil {
		t.Fatal(err)
	}
	net := first.Result()
	run := func(bits string) *Trainer {
		_, tc := ChipDefaults()
		tc.Epochs, tc.Bits, tc.From = 1, bits, "x"
		n := &Network{Config: net.Config, Weights: cloneWeights(net.Weights), Origin: net.Origin}
		tr, err := NewTrainer(n, tc, set)
		if err != nil {
			t.Fatal(err)
		}
		return tr
	}
	tr := run("3,3,2")
	for l, g := range net.Origin.Grids {
		if same := tr.grids[l] == g; same != (l != 1) || same && !slices.Equal(tr.Net.Weights[l], net.Weights[l]) {
			t.Errorf("layer %d: got %+v from %+v", l, tr.grids[l], g)
		}
	}
	path := filepath.Join(t.TempDir(), "c")
	if err := tr.Save(path); err != nil {
		t.Fatal(err)
	}
	c, err := LoadCheckpoint(path)
	if err != nil || !slices.Equal(c.body.Grids, tr.grids) {
		t.Errorf("checkpoint: got %+v, %v, want %+v", c.body.Grids, err, tr.grids)
	}
	tr = run("")
	if err := tr.Run(context.Background(), Hooks{}); err != nil || tr.Result().Origin.Grids != nil {
		t.Errorf("no rounding: got grids %v, %v", tr.Result().Origin.Grids, err)
	}
}

// TestBitsOff: without Bits there is no second copy of the weights.
func TestBitsOff(t *testing.T) {
	set, _ := digits(t, 40, 10)
	tr := testTrainer(t, set, nil)
	if err := tr.Run(context.Background(), Hooks{}); err != nil {
		t.Fatal(err)
	}
	if &tr.learn[0][0] != &tr.Net.Weights[0][0] || tr.Result().Origin.Grids != nil {
		t.Error("got rounded weights")
	}
}

func BenchmarkSnap(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	w := make([]float32, 500*500)
	for i := range w {
		w[i] = float32(rng.NormFloat64() * 0.1)
	}
	dst := make([]float32, len(w))
	g := Grid{Low: -2, High: 1}.fit(w)
	b.SetBytes(int64(4 * len(w)))
	for b.Loop() {
		g.snap(dst, w)
	}
}
