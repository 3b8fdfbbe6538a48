package float

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Fields are local receptive fields: each neuron of the first hidden layer sees a
// square of Side x Side pixels at a place drawn from Seed, and its other weights
// are 0 before, in and after training. Side 0 is no limit. NewTrainer fills in the
// rest, Seed being the run's unless it says another; a network trained on keeps them.
//
// The feedback of eq. 6 has the rank of the output layer, so the neurons of a layer
// tend to learn the same few mixtures of classes, each from the whole image. Fields
// make them differ; see doc.go for what that gave.
type Fields struct {
	Side int    `json:"side,omitempty"`
	Seed uint64 `json:"seed,omitempty"`
	Cols int    `json:"cols,omitempty"` // of the images they were drawn for; 0 before they are
}

// Fits says whether images of rows x cols pixels have such fields.
func (f Fields) Fits(rows, cols int) error {
	if f.Side > min(rows, cols) {
		return fmt.Errorf("receptive_field: got %d, want at most the shorter side of images of %d x %d pixels", f.Side, rows, cols)
	}
	if f.Cols != 0 && f.Cols != cols {
		return fmt.Errorf("receptive_field: got images of %d x %d pixels, and fields that were drawn for %d columns", rows, cols, f.Cols)
	}
	return nil
}

// drawnFor is f with what is not yet said: the run's seed and the images' columns.
func (f Fields) drawnFor(seed uint64, cols int) Fields {
	if f == (Fields{Side: f.Side}) {
		f.Seed = seed
	}
	f.Cols = cols
	return f
}

// corner is a field's first pixel.
type corner struct{ y, x int }

// draw places the fields of units neurons in images of rows x cols pixels: each
// whole in the image, in reading order, so that neighbours see the same rows.
func (f Fields) draw(units, rows, cols int) []corner {
	rng := newStream(f.Seed, streamFields, 0)
	c := make([]corner, units)
	for j := range c {
		c[j] = corner{rng.IntN(rows - f.Side + 1), rng.IntN(cols - f.Side + 1)}
	}
	slices.SortFunc(c, func(a, b corner) int { return cmp.Or(cmp.Compare(a.y, b.y), cmp.Compare(a.x, b.x)) })
	return c
}

// localise sets the first layer's weights from outside f to 0; what is left of a
// neuron's weights is scaled to the length that they had. It returns for each
// weight whether it is one that f leaves: 1 or 0.
func (n *Network) localise(f Fields, rows, cols int) []float32 {
	w, out := n.Weights[0], n.Sizes[1]
	seen := make([]float32, len(w))
	for j, c := range f.draw(out, rows, cols) {
		var was, is float64
		for i := range rows * cols {
			x := float64(w[i*out+j])
			was += x * x
			if y, x := i/cols-c.y, i%cols-c.x; y >= 0 && y < f.Side && x >= 0 && x < f.Side {
				seen[i*out+j] = 1
			} else {
				w[i*out+j] = 0
			}
			x = float64(w[i*out+j])
			is += x * x
		}
		if is == was || is == 0 {
			continue
		}
		for i := range rows * cols {
			w[i*out+j] *= float32(math.Sqrt(was / is))
		}
	}
	return seen
}
