// Package neurobench is the static and workload metrics of NeuroBench (Yik et al.,
// arXiv 2304.04640; NeuroBench/neurobench at e521c28, neurobench/metrics) of an
// integer model, by their definition and beside each by what the chip does.
//
// Inputs are spike trains of 0 and 1 and so are all that neurons hand on, so every
// call is of accumulates (AC): multiply-accumulates (MAC) are 0 unless neurons fire
// more than once a tick. The read-out layer has no spikes and is left out of the
// activation sparsity; biases are left out of synaptic operations.
package neurobench

import (
	"math"

	"glsnn/emulator"
	"glsnn/fixedpoint"
)

// Report is of one model on the samples of an activity. Operations are a sample's,
// in the mean.
type Report struct {
	FootprintBytes     int     `json:"footprint_bytes"` // parameters, each in the smallest of 1, 2, 4 and 8 bytes that holds its kind
	Parameters         int     `json:"parameters"`
	ConnectionSparsity float64 `json:"connection_sparsity"` // zero weights over all, to 4 decimals
	ActivationSparsity float64 `json:"activation_sparsity"` // 1 less spikes over neurons x ticks of the model's window
	Dense              float64 `json:"synaptic_operations_dense"`
	EffectiveACs       float64 `json:"effective_acs"` // weights that are not 0, of inputs that spike
	EffectiveMACs      float64 `json:"effective_macs"`
	Hardware           struct {
		SynapseBits int64   `json:"synapse_bits"` // of all cores in use, with padding; 0 where it is not known
		NeuronBits  int64   `json:"neuron_bits"`  // states of all neurons, copies included; 0 where it is not known
		SynOps      float64 `json:"synops"`       // zero weights included
		ZeroSynOps  float64 `json:"synops_zero"`  // of them those of zero weights, in the network's rows
		Activity    float64 `json:"spike_rate"`   // spikes a neuron and tick, of the ticks that the chip runs
		SynOpsShare float64 `json:"synops_share"` // of dense
		Updates     float64 `json:"neuron_updates"`
	} `json:"hardware"`
}

// New measures m. a is what its run had; c counts the same run on the chip.
func New(m *fixedpoint.Model, a *emulator.Activity, c emulator.Counters) *Report {
	r := &Report{}
	n := float64(a.Samples)
	zeros, synapses, neurons := 0, 0, 0
	spikes := uint64(0)
	inputs := a.Inputs
	effective, zeroOps := uint64(0), uint64(0)
	for l, layer := range m.Layers {
		bytes := 1
		if layer.WeightBits > 8 {
			bytes = 2
		}
		count := layer.In * layer.Out
		synapses += count
		r.FootprintBytes += bytes*count + 4*3 // threshold and two decays
		r.Parameters += count + 3
		if layer.Bias != nil {
			r.FootprintBytes += 8 * layer.Out
			r.Parameters += layer.Out
		}
		for i := range layer.In {
			none := 0
			for j := range layer.Out {
				if layer.Weights.At(i, j) == 0 {
					none++
				}
			}
			zeros += none
			effective += inputs[i] * uint64(layer.Out-none)
			zeroOps += inputs[i] * uint64(none)
		}
		inputs = a.Spikes[l]
		if !layer.Integrator {
			neurons += layer.Out
			for _, k := range inputs {
				spikes += k
			}
		}
	}
	t := c.Totals()
	r.ConnectionSparsity = math.Round(float64(zeros)/float64(synapses)*1e4) / 1e4
	r.Dense = float64(synapses) * float64(m.Ticks)
	if n > 0 {
		r.EffectiveACs = float64(effective) / n
		r.Hardware.SynOps, r.Hardware.ZeroSynOps = float64(t.SynOps)/n, float64(zeroOps)/n
		r.Hardware.Updates = float64(t.Updates) / n
		r.Hardware.SynOpsShare = r.Hardware.SynOps / r.Dense
		r.ActivationSparsity = 1
		if neurons > 0 {
			r.ActivationSparsity = 1 - float64(spikes)/(float64(neurons)*float64(m.Ticks)*n)
			r.Hardware.Activity = float64(spikes) / (float64(neurons) * float64(c.Ticks))
		}
	}
	if m.Arithmetic.Fire.ExtraSpikes > 0 { // counts above 1 are possible: NeuroBench then has MACs
		r.EffectiveACs, r.EffectiveMACs = 0, r.EffectiveACs
	}
	return r
}
