package quantize

import (
	"fmt"
	"math"
	"slices"

	"glsnn/fixedpoint"
	"glsnn/float"
)

// Sensitivity is what was measured of one layer.
type Sensitivity struct {
	Synapses int     `json:"synapses"`
	Widths   []Trial `json:"widths"` // ascending
	Bits     int     `json:"bits"`   // chosen
}

// Trial is a layer at one width with all others at the widest. Loss is nil where
// the quantiser refuses the width.
type Trial struct {
	Bits int      `json:"bits"`
	Loss *float64 `json:"loss"`
}

// widestTried is the widest width of a search: more than 8 bits lose nothing that
// can be measured.
func widestTried(a fixedpoint.Arithmetic) int { return min(8, a.Weight.Bits) }

// CheckBudget says whether a mean number of bits a synapse can be searched for.
func CheckBudget(a fixedpoint.Arithmetic, meanBits float64) error {
	if most := widestTried(a); !(meanBits >= MinBits && meanBits <= float64(most)) {
		return fmt.Errorf("budget_bits: got %v, want %d..%d", meanBits, MinBits, most)
	}
	return nil
}

// Search looks for the widths that lose least within a mean of meanBits bits a
// synapse; loss says how bad a model is. It measures every layer at every width
// from MinBits to the target's (8 at most) while the others keep the widest,
// takes the losses as if they added up, and a narrower width as no better than a
// wider one (a measured gain is chance), and returns the widths with the least
// sum in the budget; among equals those of fewer bits in all, then those wider in
// the earlier layers. It is the best of all combinations, not a greedy one.
// o.Bits is not looked at.
func Search(net *float.Network, o Options, meanBits float64, loss func(*fixedpoint.Model) (float64, error)) ([]Sensitivity, error) {
	if err := CheckBudget(o.Arithmetic, meanBits); err != nil {
		return nil, err
	}
	widest := widestTried(o.Arithmetic)
	layers := net.Layers()
	measure := func(bits []int) (*float64, error) {
		o.Bits = bits
		m, _, err := Quantize(net, o)
		if err != nil {
			return nil, err
		}
		x, err := loss(m)
		return &x, err
	}
	all := slices.Repeat([]int{widest}, layers)
	base, err := measure(all)
	if err != nil {
		return nil, err
	}
	table := make([]Sensitivity, layers)
	for l := range table {
		s := &table[l]
		s.Synapses = len(net.Weights[l])
		for bits := MinBits; bits < widest; bits++ {
			trial := slices.Clone(all)
			trial[l] = bits
			x, err := measure(trial)
			if err != nil && x != nil { // the measurement's own
				return nil, err
			}
			s.Widths = append(s.Widths, Trial{bits, x})
		}
		s.Widths = append(s.Widths, Trial{widest, base})
	}
	return table, choose(table, meanBits)
}

// choice is a width for each of the first layers.
type choice struct {
	bits []int
	size int     // bits in all
	loss float64 // sum
}

// choose fills in Bits. It extends, layer by layer, every choice that no other
// beats in both size and loss.
func choose(table []Sensitivity, meanBits float64) error {
	synapses := 0
	for _, s := range table {
		synapses += s.Synapses
	}
	open := []choice{{}}
	for _, s := range table {
		var next []choice
		worst := math.Inf(-1) // of this width and wider ones
		for _, w := range slices.Backward(s.Widths) {
			if w.Loss == nil {
				continue
			}
			worst = max(worst, *w.Loss)
			for _, c := range open {
				next = append(next, choice{append(slices.Clip(c.bits), w.Bits), c.size + w.Bits*s.Synapses, c.loss + worst})
			}
		}
		slices.SortStableFunc(next, func(a, b choice) int {
			if a.size != b.size {
				return a.size - b.size
			}
			if a.loss != b.loss {
				if a.loss < b.loss {
					return -1
				}
				return 1
			}
			return slices.Compare(b.bits, a.bits)
		})
		open = open[:0]
		for _, c := range next {
			if len(open) == 0 || c.loss < open[len(open)-1].loss {
				open = append(open, c)
			}
		}
	}
	for _, c := range slices.Backward(open) { // the least loss first
		if float64(c.size) <= meanBits*float64(synapses) {
			for l := range table {
				table[l].Bits = c.bits[l]
			}
			return nil
		}
	}
	return fmt.Errorf("mean bits: got %v, and the quantiser refuses the widths that this takes; try more", meanBits)
}
