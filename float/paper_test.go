package float

import (
	"math"
	"testing"

	"glsnn/float/dataset"
)

// One test an equation of [zhao2020], by hand-worked numbers.

func near(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if math.Abs(got-want) > tol {
		t.Errorf("%s: got %.9g, want %.9g", what, got, want)
	}
}

func paperNet(sizes []int, weights ...[]float32) *Network {
	c, _ := PaperDefaults()
	c.Sizes = sizes
	return &Network{Config: c, Weights: weights}
}

// paperRun is one sample of n, whose inputs have S = in.
func paperRun(n *Network, in float32) *paperState {
	p := n.newPaperState(1)
	p.weights = n.pack(nil)
	for i := range p.in {
		p.in[i] = in
	}
	p.begin(1)
	return p
}

// TestEq2CurrentBased: with V_th/V_E = 0.0045 the conductance term moves V as
// a constant current would, to half a percent.
func TestEq2CurrentBased(t *testing.T) {
	for _, v := range []float64{0, PaperVTh / 2, PaperVTh} {
		ratio := (v - PaperVE) / -PaperVE
		near(t, "(V - V_E)/(-V_E)", ratio, 1, 0.005)
	}
}

// TestEq3 follows one neuron with one input of S = 1 and weight 1.
//
//	step 1: V = 0 - 0.02 (0 + 0/20 (0 - 0.2)) = 0;    g = 0 + 0.05 (0 + 1) = 0.05
//	step 2: V = 0 - 0.02 (0 + 0.05/20 (0 - 0.2)) = 0.02 * 0.0005 = 1e-5
//	        g = 0.05 + 0.05 (-0.05 + 1) = 0.0975
//	step 3: V = 1e-5 - 0.02 (1e-5 + 0.0975/20 (1e-5 - 0.2)) = 2.92990e-5
//	        g = 0.0975 + 0.05 (1 - 0.0975) = 0.142625
//
// No spike (V_th = 9e-4), so S is the input current, 1.
func TestEq3(t *testing.T) {
	p := paperRun(paperNet([]int{1, 2}, []float32{1, 0}), 1)
	want := []struct{ v, g float64 }{{0, 0.05}, {1e-5, 0.0975}, {2.9299025e-5, 0.142625}}
	for i, w := range want {
		p.step()
		near(t, "V", float64(p.v[0][0]), w.v, 1e-11)
		near(t, "g_E", float64(p.g[0][0]), w.g, 1e-7)
		near(t, "S", float64(p.s[0][0]), 1, 0)
		if p.v[0][1] != 0 || p.s[0][1] != 0 {
			t.Errorf("step %d: a neuron with weight 0 moved", i+1)
		}
	}
}

// TestEq3Spike: a neuron driven hard fires, is reset, and its S gains tau for
// that step only. Weight 100: g after step 1 is 5, so at step 2
// V = 0.02 * 5/20 * 0.2 = 1e-3 > 9e-4.
func TestEq3Spike(t *testing.T) {
	p := paperRun(paperNet([]int{1, 2}, []float32{100, 0}), 1)
	p.step()
	near(t, "S before", float64(p.s[0][0]), 100, 0)
	p.step()
	near(t, "S at the spike", float64(p.s[0][0]), 100.01, 1e-5)
	near(t, "V after reset", float64(p.v[0][0]), PaperVReset, 0)
}

// TestEq3Quiet: a current of 2 over ten steps stays below threshold until the
// last steps: the paper's S is nearly linear. V after ten steps is worked with
// the recurrences in float64 here, independently of the slices.
func TestEq3Quiet(t *testing.T) {
	v, g, spikes := 0.0, 0.0, 0
	for range PaperTicks {
		v, g = v-0.02*(v+g/20*(v-0.2)), g+0.05*(2-g)
		if v > 0.0009 {
			v, spikes = 0, spikes+1
		}
	}
	p := paperRun(paperNet([]int{1, 2}, []float32{2, 0}), 1)
	p.run([][]uint8{{255}})
	near(t, "V", float64(p.v[0][0]), v, 1e-9)
	if spikes > 1 {
		t.Errorf("got %d spikes at a current of 2, want at most 1", spikes)
	}
}

// TestEq3Layers: S of a layer reaches the next within the step: 0.5 through
// weights 2 and 3 is S = 1 and then 3.
func TestEq3Layers(t *testing.T) {
	p := paperRun(paperNet([]int{1, 1, 2}, []float32{2}, []float32{3, -3}), 0.5)
	p.step()
	near(t, "S_1", float64(p.s[0][0]), 1, 1e-7)
	near(t, "S_2", float64(p.s[1][0]), 3, 1e-6)
	near(t, "S_2, other", float64(p.s[1][1]), -3, 1e-6)
}

// smallTrainer is a trainer over two one-pixel images of classes 0 and 1.
func smallTrainer(t *testing.T, c Config, tc TrainConfig, weights ...[]float32) *Trainer {
	t.Helper()
	set := &dataset.Set{Name: "two", Rows: 1, Cols: c.Sizes[0], Classes: c.Sizes[len(c.Sizes)-1], Labels: []uint8{0, 1}}
	for i := range 2 * c.Sizes[0] {
		set.Pixels = append(set.Pixels, uint8(255-i%2*100))
	}
	tr, err := NewTrainer(&Network{Config: c, Weights: weights}, tc, set)
	if err != nil {
		t.Fatal(err)
	}
	tr.Workers = 1
	return tr
}

// TestEq4 has its sign: S_out = (0.3, 0.8) with label 0 gives
// S_out - S_T = (-0.7, 0.8), loss 0.49 + 0.64.
func TestEq4(t *testing.T) {
	var b sampleBuffers
	out := []float32{0.3, 0.8}
	(&Trainer{}).outputError(&b, out, 0)
	near(t, "e_0", float64(out[0]), -0.7, 1e-7)
	near(t, "e_1", float64(out[1]), 0.8, 1e-7)
	near(t, "loss", b.loss, 1.13, 1e-6)
	if b.correct {
		t.Error("class 1 was called right for label 0")
	}
}

// TestEq5: W = [[1, 2], [3, -4]], e = (0.5, -0.25), eta_t = 0.5:
// W e = (0.5 - 0.5, 1.5 + 1) = (0, 2.5), halved (0, 1.25).
func TestEq5(t *testing.T) {
	dst := make([]float32, 2)
	net := &Network{Config: Config{Sizes: []int{1, 2, 2}}, Weights: [][]float32{{0, 0}, {1, 2, 3, -4}}}
	r := newOutputFeedback(net, TrainConfig{TargetRate: 0.5})
	r.prepare()
	r.apply(dst, []float32{0.5, -0.25})
	near(t, "unit 0", float64(dst[0]), 0, 1e-7)
	near(t, "unit 1", float64(dst[1]), 1.25, 1e-7)
}

// TestEq6: B e + b, B being [outputs][units] = [[1, 2, 3], [4, 5, 6]],
// e = (1, -0.5), b = (0.1, 0.2, 0.3): (1-2, 2-2.5, 3-3) + b.
func TestEq6(t *testing.T) {
	f := Feedback{B: []float32{1, 2, 3, 4, 5, 6}, b: []float32{0.1, 0.2, 0.3}}
	dst := make([]float32, 3)
	f.apply(dst, []float32{1, -0.5})
	for i, want := range []float64{-0.9, -0.3, 0.3} {
		near(t, "unit", float64(dst[i]), want, 1e-6)
	}
}

// TestEq6Fixed: feedback is drawn once from the seed, has zero mean over the
// outputs, one matrix a hidden layer but the last, and training leaves it.
func TestEq6Fixed(t *testing.T) {
	c, tc := ChipDefaults()
	c.Sizes = []int{4, 30, 20, 10, 5}
	tc.FeedbackBias = 0.5
	f, g := newFeedback(c, tc, c.Layers()-2), newFeedback(c, tc, c.Layers()-2)
	if len(f) != 2 {
		t.Fatalf("got %d feedback matrices for 3 hidden layers, want 2", len(f))
	}
	for l, units := range []int{30, 20} {
		if len(f[l].B) != 5*units || len(f[l].b) != units {
			t.Fatalf("layer %d: got %d and %d values", l, len(f[l].B), len(f[l].b))
		}
		for j := range units {
			sum := 0.0
			for k := range 5 {
				sum += float64(f[l].B[k*units+j])
				if f[l].B[k*units+j] != g[l].B[k*units+j] {
					t.Fatal("two draws from one seed differ")
				}
			}
			near(t, "mean over outputs", sum/5, 0, 1e-6)
		}
	}
}

// TestFeedbackSkewed: as large as uniform feedback, each unit's mean over the outputs
// 0, and few of its entries positive.
func TestFeedbackSkewed(t *testing.T) {
	const out, units = 10, 20000
	_, tc := ChipDefaults()
	tc.FeedbackScale = 2
	for _, c := range []struct {
		skewed   bool
		positive float64 // share of the entries
	}{{false, 0.5}, {true, math.Exp(-1)}} { // exp(-1): an exponential variable is above its mean
		tc.FeedbackSkewed = c.skewed
		f := drawFeedback(newStream(1, streamFeedback, 0), out, units, tc)
		var square, positive float64
		for j := range units {
			sum := 0.0
			for k := range out {
				x := float64(f.B[k*units+j])
				sum += x
				square += x * x
				if x > 0 {
					positive++
				}
			}
			near(t, "a unit's sum", sum, 0, 1e-5)
		}
		// Taking the mean away leaves 1 - 1/out of the square, which was scale^2/out.
		near(t, "mean square", square/out/units, 4./out*(1-1./out), 0.01)
		near(t, "share of positive entries", positive/out/units, c.positive, 0.03)
	}
}

// TestEq7Eq8: one step of SGD from known S and S - target. Two samples,
// S_pre = (0.5, 0) and (1, 1), change = (0.2, -0.4) and (0.6, 0): the mean of
// the outer products is [[0.35, -0.1], [0.3, 0]], and eta_w = 0.1.
func TestEq7Eq8(t *testing.T) {
	c, tc := ChipDefaults()
	c.Sizes = []int{2, 2}
	tc.Optimiser, tc.Rate, tc.RateDecay = SGD, 0.1, 1
	tr := smallTrainer(t, c, tc, []float32{1, 1, 1, 1})
	tr.newBuffers(2)
	copy(tr.bufs[0].rates[0], []float32{0.5, 0})
	copy(tr.bufs[1].rates[0], []float32{1, 1})
	copy(tr.bufs[0].change[0], []float32{0.2, -0.4})
	copy(tr.bufs[1].change[0], []float32{0.6, 0})
	tr.update(2)
	for i, want := range []float64{1 - 0.035, 1 + 0.01, 1 - 0.03, 1} {
		near(t, "w", float64(tr.Net.Weights[0][i]), want, 1e-6)
	}
}

// TestPaperStep: in paper mode eq. 5 sees e = 2(S - S_T).
// One hidden unit with weight 1 from a pixel of 255 and weights (1, 0) to two
// outputs, label 0: S_1 = 1, S_out = (1, 0), so the error is zero and nothing
// moves; label 1 gives S_out - S_T = (1, -1), dW_out = S_1 (1, -1), and
// S_1 - target = 0.5 * (1*2 + 0*(-2)) = 1.
func TestPaperStep(t *testing.T) {
	c, tc := PaperDefaults()
	c.Sizes = []int{1, 1, 2}
	tc.Rate, tc.Batch = 0.1, 1
	tr := smallTrainer(t, c, tc, []float32{1}, []float32{1, 0})
	tr.train.Pixels = []uint8{255, 255}
	tr.step([]int{0})
	near(t, "w_1, right answer", float64(tr.Net.Weights[0][0]), 1, 0)
	tr.step([]int{1})
	near(t, "w_1", float64(tr.Net.Weights[0][0]), 0.9, 1e-6)
	near(t, "w_out 0", float64(tr.Net.Weights[1][0]), 0.9, 1e-6)
	near(t, "w_out 1", float64(tr.Net.Weights[1][1]), 0.1, 1e-6)
}
