package export

import (
	"context"
	"errors"
	"fmt"

	"glsnn/export/place"
	"glsnn/fixedpoint"
	"glsnn/targets"
)

// Plan is how a network is cut and placed. The zero Plan is what Map does.
type Plan struct {
	// Spread is how many times the fewest cores each layer takes, as far as it
	// has neurons: 1, or 0, is "fill", fewest; more make the busiest core's tick
	// shorter, and its spikes go to more cores.
	Spread int
	Method place.Method // "" is place.Serpentine
	place.Options
	// Traffic is the spikes of each neuron, by layer; nil stands for one each.
	Traffic [][]uint64
}

// A partition is named for its Spread.
const (
	Fill   = "fill"   // the fewest cores
	Spread = "spread" // twice the fewest
)

// ParsePartition is the Spread of a partition's name.
func ParsePartition(s string) (int, error) {
	switch s {
	case Fill:
		return 1, nil
	case Spread:
		return 2, nil
	}
	return 0, fmt.Errorf("got %q, want %s or %s", s, Fill, Spread)
}

// MapWith is Map by a plan. Cancelling ctx ends a search for a better placement:
// the mapping is then the best so far, with ctx's error beside it.
func MapWith(ctx context.Context, m *fixedpoint.Model, chip *targets.Chip, plan Plan) (*Mapping, error) {
	lowered, err := lower(m, chip)
	if err != nil {
		return nil, err
	}
	parts, err := PartitionSpread(lowered, chip, max(plan.Spread, 1))
	if err != nil {
		return nil, err
	}
	mp := &Mapping{Model: lowered, Chip: chip, Parts: parts}
	if plan.Method == "" {
		plan.Method = place.Serpentine
	}
	problem, err := mp.Problem(plan.Traffic)
	if err != nil {
		return nil, err
	}
	if mp.Cores, err = place.Place(ctx, problem, plan.Method, plan.Options); mp.Cores == nil {
		return nil, err
	}
	return mp, err
}

// Problem is what m's parts send to each other: a message for each spike and
// in-axon, to each core of the next layer, or with multicast to all of them at
// once. traffic is as in Plan.
func (m *Mapping) Problem(traffic [][]uint64) (*place.Problem, error) {
	if traffic != nil && len(traffic) != len(m.Model.Layers) {
		return nil, fmt.Errorf("traffic: got %d layers, want the network's %d", len(traffic), len(m.Model.Layers))
	}
	p := &place.Problem{Fabric: m.Chip.Fabric, Parts: len(m.Parts), Sets: make([][]int32, len(m.Model.Layers))}
	for i, part := range m.Parts {
		p.Sets[part.Layer] = append(p.Sets[part.Layer], int32(i))
		spikes := uint64(part.Count)
		if traffic != nil {
			if got, want := len(traffic[part.Layer]), m.Model.Layers[part.Layer].Out; got != want {
				return nil, fmt.Errorf("traffic: layer %d: got %d neurons, want %d", part.Layer, got, want)
			}
			spikes = 0
			for _, n := range traffic[part.Layer][part.First : part.First+part.Count] {
				spikes += n
			}
		}
		if part.Layer+1 < len(m.Model.Layers) {
			p.Flows = append(p.Flows, place.Flow{From: int32(i), Set: int32(part.Layer + 1), Messages: spikes * uint64(m.AxonsPerInput(part.Layer+1))})
		}
	}
	return p, p.Check()
}

// Layout is which neurons each core holds. A Mapping is made from one by MapTo.
type Layout struct {
	Method string       `json:"method"` // how it was made; free text
	Parts  []PlacedPart `json:"parts"`
}

// PlacedPart is a part and its core.
type PlacedPart struct {
	Part
	Core targets.CoreID `json:"core"`
}

// Layout is m without the network.
func (m *Mapping) Layout(method string) *Layout {
	l := &Layout{Method: method}
	for i, p := range m.Parts {
		l.Parts = append(l.Parts, PlacedPart{p, m.Cores[i]})
	}
	return l
}

// MapTo is Map with parts and cores given. What does not make a mapping of this
// network on this chip is refused.
func MapTo(m *fixedpoint.Model, chip *targets.Chip, l *Layout) (*Mapping, error) {
	lowered, err := lower(m, chip)
	if err != nil {
		return nil, err
	}
	mp := &Mapping{Model: lowered, Chip: chip}
	for _, p := range l.Parts {
		mp.Parts = append(mp.Parts, p.Part)
		mp.Cores = append(mp.Cores, p.Core)
	}
	if err := mp.Check(); err != nil {
		return nil, fmt.Errorf("layout: %w", err)
	}
	return mp, nil
}

// CanSplit says why a layer's fan-in cannot be split over cores on chip without
// changing a bit, and never nil: partial sums would have to be the same in any
// order, and the chip would have to carry them from core to core.
func CanSplit(m *fixedpoint.Model, layer int, chip *targets.Chip) error {
	var errs []error
	a := chip.Arithmetic
	sum, may := a.Sum, func(b fixedpoint.LayerBounds) bool { return !a.Sum.Holds(b.Sum.Lo, b.Sum.Hi) }
	if a.Integrate == fixedpoint.IntegrateMembrane {
		sum, may = a.Membrane.Register, func(b fixedpoint.LayerBounds) bool { return !b.Proved }
	}
	switch {
	case a.Update == fixedpoint.PerEvent:
		errs = append(errs, errors.New("every event is tested against the threshold at once, so that no sum is partial"))
	case sum.Overflow != fixedpoint.Wrap && m.Layers[layer].Weights.Rows() > 0 && may(m.Bounds(layer)):
		errs = append(errs, fmt.Errorf("a sum may overflow and %s, which depends on the order of its adds", sum.Overflow))
	}
	return errors.Join(append(errs, errors.New("only spikes travel between cores, not partial sums"))...)
}
