package float

import (
	"context"
	"math"
	"slices"
	"testing"
)

// TestFields: each neuron has Side x Side weights in one square and no other, as
// long together as before; training keeps it so, in SGD and Adam, whatever the
// workers, and weights that are so already stay as they are.
func TestFields(t *testing.T) {
	const side = 3
	set, _ := digits(t, 60, 10)
	for _, optimiser := range []Optimiser{SGD, Adam} {
		var first []float32
		for workers := 1; workers <= 3; workers++ {
			tr := testTrainer(t, set, func(_ *Config, tc *TrainConfig) {
				tc.Fields, tc.Optimiser, tc.Epochs = Fields{Side: side, Seed: 5}, optimiser, 2
			})
			start := slices.Clone(tr.Net.Weights[0])
			tr.Workers = workers
			if err := tr.Run(context.Background(), Hooks{}); err != nil {
				t.Fatal(err)
			}
			w, out := tr.Net.Weights[0], tr.Net.Sizes[1]
			if slices.Equal(w, start) {
				t.Fatalf("%s: nothing was learned", optimiser)
			}
			for j := range out {
				y0, x0, y1, x1, n := set.Rows, set.Cols, -1, -1, 0
				for i := range set.Rows * set.Cols {
					if start[i*out+j] == 0 {
						if got := w[i*out+j]; got != 0 {
							t.Fatalf("%s: neuron %d: weight %d outside the field became %v", optimiser, j, i, got)
						}
						continue
					}
					n++
					y, x := i/set.Cols, i%set.Cols
					y0, x0, y1, x1 = min(y0, y), min(x0, x), max(y1, y), max(x1, x)
				}
				if n != side*side || y1-y0 != side-1 || x1-x0 != side-1 {
					t.Fatalf("neuron %d: %d weights in rows %d..%d, columns %d..%d, want a square of %d", j, n, y0, y1, x0, x1, side)
				}
			}
			if first == nil {
				first = w
			} else if !slices.Equal(first, w) {
				t.Errorf("%s: %d workers: got other weights than 1", optimiser, workers)
			}
			again := slices.Clone(w)
			tr.Net.localise(tr.Config.Fields, set.Rows, set.Cols)
			if !slices.Equal(again, w) {
				t.Errorf("%s: localised weights changed when localised again", optimiser)
			}
		}
	}
}

// TestFieldsKeepLength: what is left of a neuron's starting weights is as long as
// the whole was.
func TestFieldsKeepLength(t *testing.T) {
	set, _ := digits(t, 20, 10)
	plain := testTrainer(t, set, nil).Net
	shaped := testTrainer(t, set, func(_ *Config, tc *TrainConfig) { tc.Fields.Side = 4 }).Net
	length := func(n *Network, j int) (sum float64) {
		for i := j; i < len(n.Weights[0]); i += n.Sizes[1] {
			sum += float64(n.Weights[0][i]) * float64(n.Weights[0][i])
		}
		return math.Sqrt(sum)
	}
	for j := range plain.Sizes[1] {
		if got, want := length(shaped, j), length(plain, j); math.Abs(got-want) > 1e-6*want {
			t.Errorf("neuron %d: length %v, want %v", j, got, want)
		}
	}
}

// TestFieldsShape: fields are of the images they were drawn for.
func TestFieldsShape(t *testing.T) {
	for _, c := range []struct {
		f          Fields
		rows, cols int
		ok         bool
	}{
		{Fields{}, 1, 1, true},
		{Fields{Side: 4}, 4, 9, true},
		{Fields{Side: 4, Cols: 9}, 4, 9, true},
		{Fields{Side: 4, Cols: 9}, 9, 4, false},
		{Fields{Side: 5}, 4, 9, false},
		{Fields{Side: 5}, 9, 4, false},
	} {
		if err := c.f.Fits(c.rows, c.cols); (err == nil) != c.ok {
			t.Errorf("%+v on %d x %d: got %v, want no error: %t", c.f, c.rows, c.cols, err, c.ok)
		}
	}
}
