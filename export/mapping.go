package export

import (
	"context"
	"fmt"

	"glsnn/fixedpoint"
	"glsnn/targets"
)

// Mapping is a network laid out on a chip. Its invariants:
//  1. every neuron lies in exactly one part, every part on its own core;
//  2. no core is over a limit of the chip, where it is known;
//  3. parts are ordered by layer, then by first neuron.
//
// Routes are implied, and dense: input i, or neuron i of layer l-1, reaches
// in-axon i of every core of layer l (of layer 0 for inputs). In-axon i's row
// holds the weights from there to the core's neurons. Where a crosspoint is one
// bit, i stands for several in-axons, one for each bit of a weight.
type Mapping struct {
	Model *fixedpoint.Model // in the chip's own arithmetic
	Chip  *targets.Chip
	Parts []Part
	Cores []targets.CoreID // of each part
}

// Map lowers m to the chip's arithmetic, cuts it into the fewest parts and places
// them along a serpentine. It returns fixedpoint.Lower's reasons where the chip
// cannot express the network, and FitErrors where it is too large.
func Map(m *fixedpoint.Model, chip *targets.Chip) (*Mapping, error) {
	return MapWith(context.Background(), m, chip, Plan{})
}

// lower brings m to the chip's arithmetic, or says why no tables can hold it.
func lower(m *fixedpoint.Model, chip *targets.Chip) (*fixedpoint.Model, error) {
	if err := chip.Known("arithmetic", "neurons"); err != nil {
		return nil, err
	}
	cores := chip.Tables.Format == targets.CoreTables
	switch k := chip.Arithmetic.Weight.Kind; {
	case chip.Tables.Format == targets.NoTables:
		return nil, fmt.Errorf("target %s: tables: %w: none can be written: %s", chip.Name, ErrNoFit, chip.Tables.Reason)
	case !cores && chip.Tables.Format != targets.LoihiTables && chip.Tables.Format != targets.RANCTables:
		return nil, fmt.Errorf("target %s: tables: %w: got format %s, want cores, loihi or ranc: this chip is one crossbar and is not mapped core by core", chip.Name, ErrNoFit, chip.Tables.Format)
	case k == fixedpoint.WeightTypes && chip.Tables.Format != targets.RANCTables || k == fixedpoint.WeightSignByAxon:
		return nil, fmt.Errorf("target %s: weights: %w: got kind %s, want a kind that stores each weight with its sign", chip.Name, ErrNoFit, k)
	}
	for i, l := range m.Layers {
		if cores && l.Bias != nil {
			return nil, fmt.Errorf("layer %d: bias: %w: got one for each neuron, want none: the tables have no place for it yet", i, ErrNoFit)
		}
	}
	lowered, err := fixedpoint.Lower(m, chip.Arithmetic)
	if err != nil {
		return nil, fmt.Errorf("target %s cannot express this network exactly: %w", chip.Name, err)
	}
	return lowered, nil
}

// CoreOf is the core of each neuron, dense over layers, as the emulator's
// counters want it.
func (m *Mapping) CoreOf() []targets.CoreID {
	out := make([]targets.CoreID, 0, m.Model.Neurons())
	for i, p := range m.Parts { // invariant 3: the parts' order is the neurons'
		for range p.Count {
			out = append(out, m.Cores[i])
		}
	}
	return out
}

// LayerParts are the indices lo..hi of a layer's parts; empty for a layer that
// the network does not have.
func (m *Mapping) LayerParts(layer int) (lo, hi int) {
	for lo < len(m.Parts) && m.Parts[lo].Layer < layer {
		lo++
	}
	hi = lo
	for hi < len(m.Parts) && m.Parts[hi].Layer == layer {
		hi++
	}
	return lo, hi
}

// Copies is in how many copies each neuron of a layer is stored: 1 but for a
// unicast chip, where there is one for each in-axon that the neuron feeds.
func (m *Mapping) Copies(layer int) int {
	_, copies := m.outAxons(layer)
	return copies
}

func (m *Mapping) outAxons(layer int) (axons, copies int) {
	lo, hi := m.LayerParts(layer + 1)
	return outAxons((hi-lo)*m.AxonsPerInput(layer+1), m.Chip.Fabric)
}

// AxonsPerInput is how many in-axons of a core an input of a layer takes; 0 for
// the layer above the last.
func (m *Mapping) AxonsPerInput(layer int) int {
	if layer == len(m.Model.Layers) {
		return 0
	}
	return m.Chip.Arithmetic.Weight.AxonsPerInput(m.Model.Layers[layer].WeightBits)
}

// Use is how much of each memory of a core a part takes.
type Use struct {
	Core        targets.CoreID `json:"core"`
	X           int            `json:"x"` // of its tile
	Y           int            `json:"y"`
	Part        Part           `json:"part"`
	Neurons     int            `json:"neurons"`
	AxonsIn     int            `json:"axons_in"`
	AxonsOut    int            `json:"axons_out"`
	SynapseBits int64          `json:"synapse_bits"`
	StoredBits  int            `json:"stored_weight_bits"`
}

// storedWidth is the width that a layer's weights need in a core's memory. Loihi's
// tables store magnitudes where all weights of a layer have one sign, and a
// layer that is a bit wider than others has.
func storedWidth(chip *targets.Chip, l *fixedpoint.Layer) int {
	if chip.Tables.Format == targets.LoihiTables {
		return min(l.WeightBits, chip.Arithmetic.Weight.Bits)
	}
	return l.WeightBits
}

// Footprint is the use of every core in the order of Parts.
func (m *Mapping) Footprint() []Use {
	uses := make([]Use, len(m.Parts))
	for i, p := range m.Parts {
		layer := m.Model.Layers[p.Layer]
		out, copies := m.outAxons(p.Layer)
		neurons := p.Count * copies
		bits, stored, _ := m.Chip.Core.SynapseMemory(layer.In, neurons, storedWidth(m.Chip, &layer))
		x, y := m.Chip.Fabric.Position(m.Cores[i])
		uses[i] = Use{m.Cores[i], x, y, p, neurons, layer.In * m.AxonsPerInput(p.Layer), p.Count * out, bits, stored}
	}
	return uses
}

// Tiles is the number of tiles in use.
func (m *Mapping) Tiles() int {
	seen := map[targets.TileID]bool{}
	for _, c := range m.Cores {
		seen[m.Chip.Fabric.Tile(c)] = true
	}
	return len(seen)
}

// Check verifies invariants 1 to 3 anew.
func (m *Mapping) Check() error {
	if len(m.Cores) != len(m.Parts) {
		return fmt.Errorf("cores: got %d, want one for each of %d parts", len(m.Cores), len(m.Parts))
	}
	used := map[targets.CoreID]int{}
	layer, next := 0, 0
	for i, p := range m.Parts {
		if layer == len(m.Model.Layers) {
			return fmt.Errorf("part %d: got layer %d, want none after the last layer", i, p.Layer)
		}
		if p.Layer != layer || p.First != next {
			return fmt.Errorf("part %d: got layer %d from neuron %d, want layer %d from %d", i, p.Layer, p.First, layer, next)
		}
		if left := m.Model.Layers[layer].Out - next; p.Count < 1 || p.Count > left {
			return fmt.Errorf("part %d: got %d neurons, want 1..%d", i, p.Count, left)
		}
		c := m.Cores[i]
		if c < 0 || int(c) >= m.Chip.Fabric.Cores() {
			return fmt.Errorf("part %d: got core %d, want 0..%d", i, c, m.Chip.Fabric.Cores()-1)
		}
		if j, ok := used[c]; ok {
			return fmt.Errorf("core %d: holds parts %d and %d, want one", c, j, i)
		}
		used[c] = i
		if next += p.Count; next == m.Model.Layers[layer].Out {
			layer, next = layer+1, 0
		}
	}
	if layer != len(m.Model.Layers) {
		return fmt.Errorf("layer %d: neurons from %d on lie on no core", layer, next)
	}
	c := m.Chip.Core
	for _, u := range m.Footprint() {
		if _, err := c.StoredBits(storedWidth(m.Chip, &m.Model.Layers[u.Part.Layer])); err != nil {
			return fmt.Errorf("layer %d: %w (target %s)", u.Part.Layer, err, m.Chip.Name)
		}
		for _, lim := range []struct {
			key, what  string
			need, have int64
		}{
			{"neurons", "neurons", int64(u.Neurons), int64(c.Neurons)}, {"axons_in", "in-axons", int64(u.AxonsIn), int64(c.AxonsIn)},
			{"axons_out", "out-axons", int64(u.AxonsOut), int64(c.AxonsOut)}, {"synapse_bits", "synapse memory", u.SynapseBits, c.SynapseBits},
		} {
			if m.Chip.Exceeds(lim.key, lim.need) {
				return fmt.Errorf("layer %d on core %d: %s: need %d, have %d (target %s)", u.Part.Layer, u.Core, lim.what, lim.need, lim.have, m.Chip.Name)
			}
		}
	}
	return nil
}
