package neurobench_test

import (
	"testing"

	"glsnn/emulator"
	"glsnn/emulator/neurobench"
	"glsnn/fixedpoint"
)

// By hand: 2 inputs, 3 neurons that fire, 1 that integrates; 4 ticks, 2 samples.
//
//	weights   1 0 2 / 0 0 3, and 1 0 -1: 4 zeros of 9, 0.4444
//	inputs    fired 6 and 2 times, the neurons 5, 1 and 0 times
//	effective 6 x 2 + 2 x 1 + 5 x 1 + 1 x 0 + 0 x 1 = 19 in 2 samples: 9.5
//	dense     9 weights x 4 ticks = 36
//	spikes    6 of 3 neurons x 4 ticks x 2 samples: sparsity 1 - 6/24 = 0.75
//	footprint 9 bytes and 2 layers x 3 parameters of 4 bytes: 33
func TestByHand(t *testing.T) {
	m := &fixedpoint.Model{Ticks: 4, Layers: []fixedpoint.Layer{
		{In: 2, Out: 3, WeightBits: 4, Weights: fixedpoint.NewMatrix(2, 3, []int16{1, 0, 2, 0, 0, 3})},
		{In: 3, Out: 1, WeightBits: 4, Integrator: true, Weights: fixedpoint.NewMatrix(3, 1, []int16{1, 0, -1})},
	}}
	a := &emulator.Activity{Samples: 2, Inputs: []uint64{6, 2}, Spikes: [][]uint64{{5, 1, 0}, {0}}}
	c := emulator.Counters{Samples: 2, Ticks: 10, Layers: []emulator.LayerCounters{{SynOps: 24, Updates: 30}, {SynOps: 6, Updates: 10}}}
	r := neurobench.New(m, a, c)
	want := &neurobench.Report{FootprintBytes: 33, Parameters: 15, ConnectionSparsity: 0.4444, ActivationSparsity: 0.75, Dense: 36, EffectiveACs: 9.5}
	want.Hardware.SynOps, want.Hardware.ZeroSynOps, want.Hardware.Activity = 15, 5.5, 0.2 // zeros: 6 x 1 + 2 x 2 + 1 x 1 = 11 in 2
	want.Hardware.SynOpsShare, want.Hardware.Updates = 15.0/36, 20
	if *r != *want {
		t.Errorf("got %+v, want %+v", r, want)
	}
	m.Arithmetic.Fire.ExtraSpikes = 3
	if r := neurobench.New(m, a, c); r.EffectiveACs != 0 || r.EffectiveMACs != 9.5 {
		t.Errorf("spikes above 1: got %v ACs, %v MACs", r.EffectiveACs, r.EffectiveMACs)
	}
}
