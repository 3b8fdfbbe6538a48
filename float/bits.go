package float

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// Training that knows it will be quantised (TrainConfig.Bits). The trainer keeps
// float weights, which eq. 8 moves, and rounds them after every step to a grid, a
// layer its own: those are Network.Weights, which the forward pass, eq. 5 and the
// file have. The local rule sees the rounded network's spikes and moves the float
// weights with them as if rounding were not there (straight through).
//
// A grid's scale is the best for the weights at the moment when rounding begins,
// and stays: one that follows the float weights drifts away with them. So rounding
// begins with trained weights, after BitsAfter epochs or From a network.
//
// A scale is a float of scaleBits significant bits. So a weight and every
// sum of weights up to 2^(24-scaleBits) steps is exact in float32, and without
// decays and with reset to zero the float network is the integer one, spike for
// spike.

// Grid is how the weights of a layer lie: k x Scale, k whole in Low..High.
type Grid struct {
	Low   int     `json:"low"`
	High  int     `json:"high"`
	Scale float64 `json:"scale"`
}

// Ternary is the width of a layer of -1, 0 and 1; a number N stands for
// -2^(N-1)..2^(N-1)-1.
const Ternary = "ternary"

// MinBits and MaxBits bound a grid's width.
const (
	MinBits = 2
	MaxBits = 8
)

// ParseGrids reads TrainConfig.Bits for a network of layers weight layers: one
// width for all or one a layer, separated by commas, each MinBits..MaxBits or
// Ternary. The grids have no scale yet. No text is no grids.
func ParseGrids(text string, layers int) ([]Grid, error) {
	if text == "" {
		return nil, nil
	}
	widths := strings.Split(text, ",")
	if len(widths) != 1 && len(widths) != layers {
		return nil, fmt.Errorf("bits: got %d widths, want one, or one for each of the %d layers", len(widths), layers)
	}
	grids := make([]Grid, layers)
	for l := range grids {
		width := strings.TrimSpace(widths[min(l, len(widths)-1)])
		n, err := strconv.Atoi(width)
		switch {
		case width == Ternary:
			grids[l] = Grid{Low: -1, High: 1}
		case err != nil || n < MinBits || n > MaxBits:
			return nil, fmt.Errorf("bits: got %q, want %d..%d or %s, or one a layer separated by commas", text, MinBits, MaxBits, Ternary)
		default:
			grids[l] = Grid{Low: -1 << (n - 1), High: 1<<(n-1) - 1}
		}
	}
	return grids, nil
}

// Bits is the width of the narrowest signed integer that holds Low..High.
func (g Grid) Bits() int { return 1 + max(bits.Len(uint(-g.Low-1)), bits.Len(uint(g.High))) }

// Holds says whether w is a point of g.
func (g Grid) Holds(w float32) bool {
	k := float64(w) / g.Scale
	return k == math.Trunc(k) && k >= float64(g.Low) && k <= float64(g.High)
}

func (g Grid) validate() error {
	if g.Low < -1<<(MaxBits-1) || g.Low > -1 || g.High < 1 || g.High > 1<<(MaxBits-1)-1 || !(g.Scale > 0) || g.Scale != roundScale(g.Scale) {
		return fmt.Errorf("got %d..%d times %v, want at most %d bits around 0 times a scale of %d significant bits", g.Low, g.High, g.Scale, MaxBits, scaleBits)
	}
	return nil
}

// validateGrids checks the grids that a file gives for layers weight layers.
func validateGrids(grids []Grid, layers int) error {
	if len(grids) == 0 {
		return nil
	}
	if len(grids) != layers {
		return fmt.Errorf("grids: got %d, want one for each of the %d layers", len(grids), layers)
	}
	var errs []error
	for l, g := range grids {
		if err := g.validate(); err != nil {
			errs = append(errs, fmt.Errorf("grids: layer %d: %w", l, err))
		}
	}
	return errors.Join(errs...)
}

const scaleBits = 8

// roundScale is s to scaleBits significant bits.
func roundScale(s float64) float64 {
	frac, exp := math.Frexp(s)
	return math.Ldexp(math.RoundToEven(math.Ldexp(frac, scaleBits)), exp-scaleBits)
}

// rounder rounds to a grid without a branch: a float32 near wholes has no
// fraction, and the order of floats is that of their bits.
type rounder struct {
	inverse, scale float32
	low, high      int32 // bits of wholes and the grid's ends
}

const wholes = 3 << 22

func (g Grid) rounder() rounder {
	zero := int32(math.Float32bits(wholes))
	return rounder{float32(1 / g.Scale), float32(g.Scale), zero + int32(g.Low), zero + int32(g.High)}
}

// point is the grid's point nearest to w (in steps, ties to even).
func (r rounder) point(w float32) float32 {
	b := int32(math.Float32bits(float32(w*r.inverse) + wholes))
	return (math.Float32frombits(uint32(min(max(b, r.low), r.high))) - wholes) * r.scale
}

// snap writes w, each rounded to its nearest point of g, to dst. NaN becomes some
// point.
func (g Grid) snap(dst, w []float32) {
	r := g.rounder()
	dst = dst[:len(w)]
	for i, x := range w {
		dst[i] = r.point(x)
	}
}

// fit returns g with the scale of the least squared error on w, of those from
// the largest weight at the grid's end down in steps of 3 %. (The scale of
// weights that are all 0 is 1.)
func (g Grid) fit(w []float32) Grid {
	largest := float32(0)
	for _, x := range w {
		largest = max(largest, x, -x)
	}
	if largest == 0 {
		g.Scale = 1
		return g
	}
	const tried = 130 // down to a fiftieth
	best, least := g, math.Inf(1)
	for i := range tried {
		g.Scale = roundScale(float64(largest) / float64(g.High) * math.Pow(0.97, float64(i)))
		if e := g.squaredError(w); e < least {
			best, least = g, e
		}
	}
	return best
}

// squaredError is what rounding to g costs w.
func (g Grid) squaredError(w []float32) (e float64) {
	r := g.rounder()
	for _, x := range w {
		d := float64(x - r.point(x))
		e += float64(d * d)
	}
	return e
}

// startGrids begins Bits: from here on Net.Weights are the float weights so far
// rounded to the grids that are best for them, or to those that a network to start
// from lies on. What did best before is forgotten, since it lies on no grid.
func (t *Trainer) startGrids() error {
	grids, err := ParseGrids(t.Config.Bits, t.Net.Layers())
	if err != nil {
		return err
	}
	was := t.Net.Origin.Grids
	for l, w := range t.learn {
		if t.Config.BitsAfter == 0 && len(was) > 0 && was[l].Low == grids[l].Low && was[l].High == grids[l].High {
			grids[l] = was[l]
		} else {
			grids[l] = grids[l].fit(w)
		}
	}
	t.best = nil
	t.useGrids(grids)
	return nil
}

// useGrids makes Net.Weights the rounding of learn to grids.
func (t *Trainer) useGrids(grids []Grid) {
	t.grids, t.Net.Weights = grids, cloneWeights(t.learn)
	t.rows, t.loops, t.moves = nil, nil, nil // they alias the weights
	for l, w := range t.learn {
		grids[l].snap(t.Net.Weights[l], w)
	}
}
