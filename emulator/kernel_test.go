package emulator

import (
	"testing"

	"glsnn/fixedpoint"
	"glsnn/fixedpoint/fptest"
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
	if len(taken) != 18 {
		t.Errorf("got %d paths: %v", len(taken), taken)
	}
}
