package emulator

import (
	"testing"

	"glsnn/fixedpoint"
	"glsnn/fixedpoint/fptest"
	"glsnn/fixedpoint/tier/tiertest"
)

// TestKernelsTaken keeps the suite honest: random models as those of TestTwin
// run every path of a step.
func TestKernelsTaken(t *testing.T) {
	rng := fptest.Rand(t, 22)
	taken := map[string]int{}
	note := func(what string, is bool) {
		if is {
			taken[what]++
		} else {
			taken["not "+what]++
		}
	}
	for range 1500 {
		m := fptest.RandomModel(rng, fptest.ModelOptions{})
		a := &m.Arithmetic
		e := New(m, Options{})
		for _, in := range fptest.RandomTrain(rng, m.Ticks+1, m.Inputs(), rng.Float64()) {
			e.Step(in)
		}
		if a.Update == fixedpoint.PerEvent {
			continue
		}
		for i := range e.layers {
			l := &e.layers[i]
			note("8-bit", l.rows != nil)
			if a.Integrate == fixedpoint.IntegrateMembrane {
				note("membranes: leaks that the kernel takes", l.isLeaky)
				note("membranes: narrowing kernel", l.narrowsMembrane)
				if !l.narrowsMembrane {
					note("membranes: sum of 32 bits", l.plainAdd)
				}
				continue
			}
			if !l.sumProved {
				note("plain sum by the spikes of the tick", l.scaled)
				if !l.scaled {
					note("narrowing sum", l.narrowsSum)
				}
			}
			note("classic", l.classic)
			if a.Membrane.Decay.Kind == fixedpoint.DecayTowardInput {
				note("moves toward its input by the kernel", l.isToward)
			}
			if l.classic {
				note("decays that the kernels take", l.hasLIF)
				note("layer proved", l.allProved)
				if l.hasLIF && !l.allProved {
					note("narrowing step", l.narrowsLIF)
				}
			}
		}
	}
	t.Log(taken)
	for what, n := range taken {
		if n < 10 {
			t.Errorf("%s: %d layers", what, n)
		}
	}
	if len(taken) != 22 {
		t.Errorf("got %d paths: %v", len(taken), taken)
	}
}

// TestHalfRowsAllocateNothing: rows of half bytes are written out into memory that a
// step does not ask for, whichever way they are added.
func TestHalfRowsAllocateNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("short")
	}
	rng := fptest.Rand(t, 26)
	const in, out = 1 << 11, halfFrom >> 11
	w := make([]int8, in*out)
	for i := range w {
		w[i] = int8(rng.IntN(16) - 8)
	}
	weights := fixedpoint.NewMatrix8(in, out, w)
	train := fptest.RandomTrain(rng, 2, in, 0.15) // more rows than a group of them
	wide, narrow, membrane := fixedpoint.Wide(), fixedpoint.Wide(), fixedpoint.Wide()
	narrow.Sum.Bits = 16
	membrane.Integrate, membrane.Sum, membrane.Current = fixedpoint.IntegrateMembrane, fixedpoint.Register{}, fixedpoint.State{}
	membrane.Membrane.Register.Bits = 16
	for name, a := range map[string]fixedpoint.Arithmetic{"sum": wide, "sum, narrowing": narrow, "membrane": membrane} {
		m, err := fixedpoint.NewModel(fixedpoint.Model{Arithmetic: a, Ticks: len(train), Readout: fixedpoint.ReadCount, Layers: []fixedpoint.Layer{
			{In: in, Out: out, Weights: weights, WeightBits: 4, WeightExp: 6, Threshold: 64},
		}})
		if err != nil {
			t.Fatal(err)
		}
		e := New(m, Options{})
		tiertest.Each(t, func(t *testing.T) {
			if n := testing.AllocsPerRun(2, func() {
				e.Reset()
				for t := range train {
					e.Step(train[t])
				}
			}); n != 0 {
				t.Errorf("%s: %v allocations in %d ticks", name, n, len(train))
			}
		})
	}
}
