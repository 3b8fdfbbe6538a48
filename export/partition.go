package export

import (
	"errors"

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
// neuron needs an out-axon for each core of the next layer. The limits are
// neurons, in-axons, out-axons and synapse memory of a core, as far as they are
// known, and the chip's cores; every layer that exceeds one gives a FitError, all joined.
func Partition(m *fixedpoint.Model, chip *targets.Chip) ([]Part, error) {
	var errs []error
	counts := make([]int, len(m.Layers)) // cores of each layer
	next := 0                            // cores of the layer above
	for l := len(m.Layers) - 1; l >= 0; l-- {
		most, err := neuronsPerCore(m.Layers[l], l, next, chip)
		if err != nil {
			errs = append(errs, err)
			most = 1 << 30 // look at the other layers as if this one fitted
		}
		counts[l] = (m.Layers[l].Out + most - 1) / most
		next = counts[l]
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

// neuronsPerCore is the most neurons of a layer that one core holds, when each
// sends to next cores.
func neuronsPerCore(layer fixedpoint.Layer, l, next int, chip *targets.Chip) (int, error) {
	c := chip.Core
	fail := func(resource string, need, have int64, unit, remedy string) (int, error) {
		return 0, &FitError{Layer: l, Resource: resource, Need: need, Have: have, Unit: unit, Target: chip.Name, Remedy: remedy}
	}
	if chip.Exceeds("axons_in", int64(layer.In)) {
		return fail("in-axons of a core", int64(layer.In), int64(c.AxonsIn), "axons", "narrow the layer below, or pool the images with --size")
	}
	bits, _, err := c.SynapseMemory(layer.In, 1, storedWidth(chip, &layer))
	if err != nil {
		return fail("weight width", int64(layer.WeightBits), int64(c.WeightBits[len(c.WeightBits)-1]), "bits", "quantise to fewer bits")
	}
	if chip.Exceeds("synapse_bits", bits) {
		return fail("synapse memory of a core, for one neuron", bits, c.SynapseBits, "bits", "narrow the layer below or use fewer weight bits")
	}
	outPerNeuron := next
	if chip.Fabric.Multicast {
		outPerNeuron = min(next, 1)
	}
	if chip.Exceeds("axons_out", int64(outPerNeuron)) {
		return fail("out-axons of a core, for one neuron", int64(outPerNeuron), int64(c.AxonsOut), "axons", "narrow the layer above, so that it takes fewer cores")
	}
	fits := func(n int) bool {
		bits, _, err := c.SynapseMemory(layer.In, n, storedWidth(chip, &layer))
		return err == nil && !chip.Exceeds("neurons", int64(n)) && !chip.Exceeds("synapse_bits", bits) && !chip.Exceeds("axons_out", int64(n*outPerNeuron))
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
