package export

import (
	"errors"
	"fmt"
	"strings"

	"glsnn/fixedpoint"
	"glsnn/targets"
)

// Part is a run of a layer's neurons that share a core: First is the index of
// the first in its layer.
type Part struct {
	Layer int `json:"layer"`
	First int `json:"first"`
	Count int `json:"count"`
}

// Partition cuts each layer of m into the fewest parts that fit chip's cores,
// as equal as they can be: the first parts have one neuron more where the
// count does not divide. Layers are taken from the last to the first, since a
// neuron needs an out-axon for each in-axon that it feeds in the next layer: one
// a core, or, where a crosspoint is one bit, one for each bit of a weight and
// core. On a unicast chip each of those is a copy of the neuron, and a neuron's
// copies stay on one core. The limits are neurons, in-axons, out-axons and
// synapse memory of a core, as far as they are known, and the chip's cores;
// every layer that exceeds one gives a FitError, all joined.
func Partition(m *fixedpoint.Model, chip *targets.Chip) ([]Part, error) {
	return PartitionSpread(m, chip, 1)
}

// PartitionSpread is Partition with spread times as many parts for each layer, as
// far as it has neurons: smaller parts work side by side, at the price of more
// cores that each spike goes to.
func PartitionSpread(m *fixedpoint.Model, chip *targets.Chip, spread int) ([]Part, error) {
	var errs []error
	counts := make([]int, len(m.Layers)) // cores of each layer
	next := 0                            // in-axons of the layer above that a neuron feeds
	for l := len(m.Layers) - 1; l >= 0; l-- {
		most, err := neuronsPerCore(m, l, next, chip)
		if err != nil {
			errs = append(errs, err)
			most = 1 << 30 // look at the other layers as if this one fitted
		}
		counts[l] = min((m.Layers[l].Out+most-1)/most*spread, m.Layers[l].Out)
		next = counts[l] * chip.Arithmetic.Weight.AxonsPerInput(m.Layers[l].WeightBits)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	total := 0
	var parts []Part
	for l, k := range counts {
		total += k
		n, first := m.Layers[l].Out, 0
		for i := range k {
			count := n / k
			if i < n%k {
				count++
			}
			parts = append(parts, Part{l, first, count})
			first += count
		}
	}
	if have := chip.Fabric.Cores(); total > have {
		return nil, &FitError{Layer: -1, Resource: "cores", Need: int64(total), Have: int64(have), Unit: "cores", Target: chip.Name,
			Remedy: "use fewer or narrower layers, fewer weight bits, or more chips"}
	}
	return parts, nil
}

// splitReasons are CanSplit's, in one line.
func splitReasons(m *fixedpoint.Model, layer int, chip *targets.Chip) string {
	return strings.ReplaceAll(CanSplit(m, layer, chip).Error(), "\n", "; ")
}

// outAxons is how many out-axons a neuron takes that feeds next in-axons, and
// in how many copies it is stored.
func outAxons(next int, f targets.Fabric) (axons, copies int) {
	switch {
	case f.Multicast:
		return min(next, 1), 1
	case f.Unicast:
		return next, max(next, 1)
	}
	return next, 1
}

// neuronsPerCore is the most neurons of a layer that one core holds, copies
// not counted, when each feeds next in-axons.
func neuronsPerCore(m *fixedpoint.Model, l, next int, chip *targets.Chip) (int, error) {
	c, layer := chip.Core, m.Layers[l]
	fail := func(resource string, need, have int64, unit, remedy string) (int, error) {
		return 0, &FitError{Layer: l, Resource: resource, Need: need, Have: have, Unit: unit, Target: chip.Name, Remedy: remedy}
	}
	if per := chip.Arithmetic.Weight.AxonsPerInput(layer.WeightBits); chip.Exceeds("axons_in", int64(layer.In*per)) {
		unit, remedy := "axons", "narrow the layer below, or pool the images with --size; the fan-in cannot be split exactly: "+splitReasons(m, l, chip)
		if per > 1 {
			unit = fmt.Sprintf("axons (a fan-in of %d x %d bits)", layer.In, layer.WeightBits)
			remedy = fmt.Sprintf("a sum cannot be split over cores: narrow the layer below or pool the images with --size, to %d, or quantise this layer to fewer bits", c.AxonsIn/per)
		}
		return fail("in-axons of a core", int64(layer.In*per), int64(c.AxonsIn), unit, remedy)
	}
	outPerNeuron, copies := outAxons(next, chip.Fabric)
	bits, _, err := c.SynapseMemory(layer.In, copies, storedWidth(chip, &layer))
	if err != nil {
		return fail("weight width", int64(layer.WeightBits), int64(c.WeightBits[len(c.WeightBits)-1]), "bits", "quantise to fewer bits")
	}
	if chip.Exceeds("synapse_bits", bits) {
		return fail("synapse memory of a core, for one neuron", bits, c.SynapseBits, "bits", "narrow the layer below or use fewer weight bits")
	}
	if chip.Exceeds("neurons", int64(copies)) {
		return fail("neurons of a core, for the copies of one", int64(copies), int64(c.Neurons), "neurons", "narrow the layer above, so that it takes fewer cores, or quantise it to fewer bits")
	}
	if chip.Exceeds("axons_out", int64(outPerNeuron)) {
		return fail("out-axons of a core, for one neuron", int64(outPerNeuron), int64(c.AxonsOut), "axons", "narrow the layer above, so that it takes fewer cores")
	}
	fits := func(n int) bool {
		bits, _, err := c.SynapseMemory(layer.In, n*copies, storedWidth(chip, &layer))
		return err == nil && !chip.Exceeds("neurons", int64(n*copies)) && !chip.Exceeds("synapse_bits", bits) && !chip.Exceeds("axons_out", int64(n*outPerNeuron))
	}
	lo, hi := 1, max(1, min(c.Neurons, layer.Out)) // fits(lo); memory grows with n
	for lo < hi {
		if mid := (lo + hi + 1) / 2; fits(mid) {
			lo = mid
		} else {
			hi = mid - 1
		}
	}
	return lo, nil
}
