package quantize_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"glsnn/emulator"
	"glsnn/fixedpoint"
	"glsnn/fixedpoint/fptest"
	"glsnn/fixedpoint/quantize"
	"glsnn/float"
	"glsnn/targets"
)

// gridNetwork has random weights on grids, without decays and with reset to
// zero. Scales make thresholds of 1 to some twenty steps, a whole number in some.
func gridNetwork(t testing.TB, rng *rand.Rand, bits string, sizes ...int) *float.Network {
	t.Helper()
	c := config(sizes...)
	c.MembraneDecay = 0
	if rng.IntN(2) == 0 {
		c.Readout = float.ReadMembrane
	}
	n := &float.Network{Config: c}
	grids, err := float.ParseGrids(bits, c.Layers())
	if err != nil {
		t.Fatal(err)
	}
	for l, g := range grids {
		g.Scale = float64(128+rng.IntN(128)) / math.Ldexp(1, 8+rng.IntN(4)) // eight significant bits
		w := make([]float32, c.Sizes[l]*c.Sizes[l+1])
		for i := range w {
			w[i] = float32(float64(g.Low+rng.IntN(g.High-g.Low+1)) * g.Scale)
		}
		n.Weights, n.Origin.Grids = append(n.Weights, w), append(n.Origin.Grids, g)
	}
	return n
}

// TestGridExact: a network trained on grids and its model fire the same spikes
// and rank the outputs alike, whatever the arithmetic and at more bits as well,
// and no weight is rounded.
func TestGridExact(t *testing.T) {
	spikes := 0
	for _, name := range []string{"wide", "generic", "loihi", "paicore", "tinyodin"} {
		a := fixedpoint.Wide()
		if name != "wide" {
			chip, err := targets.Load(name)
			if err != nil {
				t.Fatal(err)
			}
			a = chip.Arithmetic
		}
		for seed := range uint64(60) {
			rng := rand.New(rand.NewPCG(seed, 7))
			width := []string{"2", float.Ternary, "3", "4", "4,2", "8"}[seed%6]
			if width == "8" && a.Weight.Bits < 8 {
				continue
			}
			net := gridNetwork(t, rng, width, 3+rng.IntN(12), 2+rng.IntN(8), 2+rng.IntN(4))
			o := options(a, min(8, a.Weight.Bits))
			if seed%2 == 0 {
				o.Bits = nil
				for _, g := range net.Origin.Grids {
					o.Bits = append(o.Bits, g.Bits())
				}
			}
			o.Scheme = quantize.MSE
			m, r, err := quantize.Quantize(net, o)
			if err != nil {
				t.Fatalf("%s, seed %d: %v", name, seed, err)
			}
			for l, x := range r.Layers {
				if !x.OnGrid || x.RMSError != 0 || x.Clipped != 0 || x.Zeroed != 0 || x.Scale != net.Origin.Grids[l].Scale {
					t.Fatalf("%s, seed %d: %+v, want the grid %+v as it is", name, seed, x, net.Origin.Grids[l])
				}
			}
			st, e := net.NewState(), emulator.New(m, emulator.Options{})
			for range m.Ticks {
				in := fptest.RandomSpikes(rng, m.Inputs(), 0.4)
				st.Step(in)
				e.Step(in)
				for l := range m.Layers {
					if !slices.Equal(st.Fired(l), e.Spikes(l)) {
						t.Fatalf("%s, seed %d, %s bits, layer %d: float fired %v, integers %v", name, seed, width, l, st.Fired(l), e.Spikes(l))
					}
					spikes += len(e.Spikes(l))
				}
			}
			out := make([]float32, m.Outputs())
			if st.Output(out); float.Argmax(out) != emulator.Argmax(e.Scores(nil)) {
				t.Fatalf("%s, seed %d: scores %v and %v", name, seed, out, e.Scores(nil))
			}
		}
	}
	if spikes < 1000 {
		t.Errorf("got %d spikes: too few to say anything", spikes)
	}
}

// TestGridNotHeld: fewer bits than the grid's round as for any network, and a
// weight that is not on the grid is an error that names it.
func TestGridNotHeld(t *testing.T) {
	net := gridNetwork(t, rand.New(rand.NewPCG(1, 8)), "4", 8, 6, 3)
	_, r, err := quantize.Quantize(net, options(fixedpoint.Wide(), 3, 4))
	if err != nil {
		t.Fatal(err)
	}
	if r.Layers[0].OnGrid || !r.Layers[1].OnGrid {
		t.Errorf("3 and 4 bits: got %+v", r.Layers)
	}
	net.Weights[1][7] += 1e-3
	if _, _, err := quantize.Quantize(net, options(fixedpoint.Wide(), 4)); err == nil || !strings.Contains(err.Error(), "layer 1: weights[2][1]: got ") {
		t.Errorf("a weight off the grid: got %v", err)
	}
}
