package float

import (
	"math"
	"slices"
	"testing"
)

// TestDropPixels: off, the image is the set's own; on, the share that is left out
// is near the probability, depends on seed, epoch and sample alone, and what is
// left keeps its value.
func TestDropPixels(t *testing.T) {
	set, _ := digits(t, 40, 10)
	image := func(seed uint64, p float64, epoch, sample int) []uint8 {
		tr := testTrainer(t, set, func(_ *Config, tc *TrainConfig) { tc.Seed, tc.Dropout.Pixels = seed, p })
		tr.Epoch = epoch
		return tr.dropPixels(nil, set.Image(sample), sample)
	}
	if got := image(1, 0, 0, 7); &got[0] != &set.Image(7)[0] {
		t.Error("off: got a copy")
	}
	first := image(1, 0.3, 0, 7)
	if !slices.Equal(first, image(1, 0.3, 0, 7)) {
		t.Error("the same sample of the same epoch: got other pixels")
	}
	for name, other := range map[string][]uint8{"seed": image(2, 0.3, 0, 7), "epoch": image(1, 0.3, 1, 7)} {
		if slices.Equal(first, other) {
			t.Errorf("another %s: got the same pixels", name)
		}
	}
	lit, out := 0, 0
	for sample := range 40 {
		src := set.Image(sample)
		for i, x := range image(1, 0.3, 0, sample) {
			switch {
			case src[i] == 0:
			case x == 0:
				lit, out = lit+1, out+1
			default:
				lit++
			}
			if x != 0 && x != src[i] {
				t.Fatalf("pixel %d became %d, want %d or 0", i, x, src[i])
			}
		}
	}
	if share := float64(out) / float64(lit); math.Abs(share-0.3) > 4*math.Sqrt(0.3*0.7/float64(lit)) {
		t.Errorf("left out %v of %d pixels, want about 0.3", share, lit)
	}
}

// TestDropNeurons: a neuron that is left out never fires and does not learn, in
// either reset and even where membranes forget everything each tick; the others'
// weights are read louder, and the network's own are not touched.
func TestDropNeurons(t *testing.T) {
	set, _ := digits(t, 40, 10)
	for _, decay := range []int{0, DecayOne} {
		tr := testTrainer(t, set, func(c *Config, tc *TrainConfig) {
			c.MembraneDecay, c.Reset, tc.Dropout.Hidden, tc.Window, tc.Gain = decay, ResetSubtract, 0.25, -1, 4
		})
		tr.Workers = 1
		tr.step([]int{5})
		tr.settle()
		before := cloneWeights(tr.Net.Weights)
		if got, want := tr.rows[1].data[0], before[1][0]/0.75; math.Abs(float64(got-want)) > 1e-6 {
			t.Errorf("a weight from a hidden neuron is read as %v, want %v", got, want)
		}
		if tr.rows[0].data[0] != before[0][0] {
			t.Error("a pixel's weight is read louder without dropout of pixels")
		}
		st := tr.loops[0].states[0]
		st.Reset()
		tr.dropNeurons(st, 3)
		gone := [][]int{}
		n := 0
		for l := range 2 {
			gone = append(gone, nil)
			for j, v := range st.layers[l].v {
				if v < 0 {
					gone[l], n = append(gone[l], j), n+1
				}
			}
		}
		if n < 4 || n > 28 || st.layers[2].v[0] != 0 {
			t.Errorf("left out %v, want about a quarter of 56 and no output", gone)
		}
		tr.newBuffers(1)
		tr.forward(tr.loops[0].states[:1], tr.bufs[:1], []int{3})
		for l := range 2 {
			for _, j := range gone[l] {
				if st.Counts(l)[j] != 0 || tr.bufs[0].change[l][j] != 0 {
					t.Errorf("decay %d, layer %d: neuron %d was left out: got %v spikes and a change of %v", decay, l, j, st.Counts(l)[j], tr.bufs[0].change[l][j])
				}
			}
			if k := slices.IndexFunc(tr.bufs[0].change[l], func(x float32) bool { return x != 0 }); k < 0 {
				t.Errorf("layer %d: no neuron learns", l)
			}
		}
		for l, w := range tr.Net.Weights {
			if !slices.Equal(w, before[l]) {
				t.Errorf("layer %d: a forward pass changed its weights", l)
			}
		}
		// After a step the loops read the new weights, as loud.
		tr.step([]int{0, 1, 2})
		tr.settle()
		for l, w := range tr.Net.Weights {
			for i, x := range scaled(w, tr.Config.Dropout.rowScale(l)) {
				out := tr.Net.Sizes[l+1]
				if got := tr.rows[l].data[i/out*tr.rows[l].stride+i%out]; got != x {
					t.Fatalf("layer %d: after a step weight %d is read as %v, want %v", l, i, got, x)
				}
			}
		}
	}
}

func TestDropoutRefused(t *testing.T) {
	set, _ := digits(t, 20, 10)
	for _, c := range []struct {
		change func(*Config)
		want   string
	}{
		{func(c *Config) { c.Floor = true }, "dropout: got 0.1 with a floor, which lifts the membrane of a neuron that is left out; want 0"},
		{func(c *Config) { c.Mode = Paper }, "dropout: got {Pixels:0 Hidden:0.1} in mode paper, want none"},
	} {
		nc, tc := ChipDefaults()
		nc.Sizes, tc.Dropout.Hidden = []int{784, 8, 10}, 0.1
		c.change(&nc)
		net, err := NewNetwork(nc, 1, 1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := NewTrainer(net, tc, set); err == nil || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

// TestRateToZero: the rate falls in a line over all steps, and RateDecay acts
// beside it.
func TestRateToZero(t *testing.T) {
	set, _ := digits(t, 40, 10)
	tr := testTrainer(t, set, func(_ *Config, tc *TrainConfig) {
		tc.Epochs, tc.Rate, tc.RateDecay, tc.RateToZero = 4, 0.8, 0.5, true
	})
	for _, c := range []struct {
		epoch, done int
		want        float64
	}{{0, 0, 0.8}, {0, 20, 0.7}, {1, 0, 0.3}, {3, 20, 0.0125}, {3, 40, 0}} {
		if tr.Epoch = c.epoch; math.Abs(tr.rate(c.done)-c.want) > 1e-12 {
			t.Errorf("epoch %d, sample %d: got %v, want %v", c.epoch, c.done, tr.rate(c.done), c.want)
		}
	}
}

// TestRandomMembranes: starting membranes fill the range, and no other.
func TestRandomMembranes(t *testing.T) {
	set, _ := digits(t, 20, 10)
	tr := testTrainer(t, set, func(_ *Config, tc *TrainConfig) { tc.RandomBelow, tc.RandomMembrane = 0.2, 0.4 })
	st := tr.Net.NewState()
	low, high := float32(1), float32(-1)
	for sample := range 20 {
		tr.randomMembranes(st, sample)
		for l := range 2 {
			low, high = min(low, slices.Min(st.Membrane(l))), max(high, slices.Max(st.Membrane(l)))
		}
	}
	if low < -0.2 || low > -0.19 || high > 0.4 || high < 0.39 || st.Membrane(2)[0] != 0 {
		t.Errorf("got %v..%v and an output's %v, want -0.2..0.4 and 0", low, high, st.Membrane(2)[0])
	}
}
