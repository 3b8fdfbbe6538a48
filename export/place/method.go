package place

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"glsnn/targets"
)

// Method names a way to place.
type Method string

// The methods. All but the last two are orders: parts in turn along a walk over the
// tiles, the cores of a tile in turn, one chip after the other.
const (
	RowMajor   Method = "rowmajor"   // row by row, each from its first column
	Serpentine Method = "serpentine" // row by row, every second row backwards
	Hilbert    Method = "hilbert"    // along a Hilbert curve, made for any rectangle
	Random     Method = "random"     // any core, from the seed: the baseline
	Anneal     Method = "anneal"     // the best of the orders, improved by swaps
)

// Methods lists them.
func Methods() []Method { return []Method{RowMajor, Serpentine, Hilbert, Random, Anneal} }

// ParseMethod reads a name.
func ParseMethod(s string) (Method, error) {
	if m := Method(s); slices.Contains(Methods(), m) {
		return m, nil
	}
	var names []string
	for _, m := range Methods() {
		names = append(names, string(m))
	}
	return "", fmt.Errorf("got %q, want one of %s", s, strings.Join(names, ", "))
}

// Options of the methods that have some.
type Options struct {
	Seed uint64 // of random and anneal
	// LinkWeight is what a message over the busiest link counts beside one over
	// any link, for anneal.
	LinkWeight int
	// Tiles is the most that anneal may use: a tile at rest takes power on some
	// chips, and a barrier more time over more tiles. 0 stands for as few as hold
	// the parts, and a negative number for no limit.
	Tiles int
	// Moves is how many swaps anneal tries; 0 chooses by the number of parts.
	Moves int
}

// Place gives each part of p a core. Cancelling ctx ends anneal early: it then
// returns the best placement so far with ctx's error. The other methods take
// no notice of it.
func Place(ctx context.Context, p *Problem, m Method, o Options) ([]targets.CoreID, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	switch m {
	case RowMajor:
		return along(p, rows(p.Fabric, false)), nil
	case Serpentine:
		return along(p, rows(p.Fabric, true)), nil
	case Hilbert:
		return along(p, hilbert(p.Fabric)), nil
	case Random:
		return shuffled(p, o.Seed), nil
	case Anneal:
		return anneal(ctx, p, o)
	}
	_, err := ParseMethod(string(m))
	return nil, fmt.Errorf("placement: %w", err)
}

func shuffled(p *Problem, seed uint64) []targets.CoreID {
	rng := rand.New(rand.NewPCG(seed, 0x706c616365))
	all := make([]targets.CoreID, p.Fabric.Cores())
	for i := range all {
		all[i] = targets.CoreID(i)
	}
	for i := range p.Parts {
		j := i + rng.IntN(len(all)-i)
		all[i], all[j] = all[j], all[i]
	}
	return slices.Clone(all[:p.Parts])
}
