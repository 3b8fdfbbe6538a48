package float

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// ruled is a trainer whose layers all fire, and one sample's S and S - target.
func ruled(t *testing.T, rule Rule, change func(*Config, *TrainConfig)) (*Trainer, *State, *sampleBuffers) {
	t.Helper()
	set, _ := digits(t, 20, 10)
	tr := testTrainer(t, set, func(c *Config, tc *TrainConfig) {
		c.Sizes = []int{784, 30, 20, 15, 10}
		tc.Rule, tc.RandomMembrane, tc.Gain = rule, 0, 12
		if change != nil {
			change(c, tc)
		}
	})
	tr.newBuffers(1)
	st := []*State{tr.Net.NewState()}
	tr.credit.prepare()
	tr.forward(st, tr.bufs, []int{3})
	return tr, st[0], &tr.bufs[0]
}

// held counts the neurons that learn, whose changes must be want of layer and
// neuron within the window and 0 outside.
func held(t *testing.T, tr *Trainer, st *State, b *sampleBuffers, l int, want func(j int, mean float64) float64) (learn int) {
	t.Helper()
	for j, got := range b.change[l] {
		mean, w := float64(st.layers[l].drive[j])/float64(tr.Net.Ticks), 0.0
		if mean >= -tr.Config.Window && mean <= 1+tr.Config.Window {
			w = want(j, mean)
		}
		near(t, fmt.Sprintf("%s: layer %d, neuron %d: S - target", tr.Config.Rule, l, j), float64(got), w, 1e-5)
		if w != 0 {
			learn++
		}
	}
	return learn
}

// TestBackprop: BP is half the gradient of the loss of the network in which each
// neuron's S follows its mean drive within the window and stays outside, by
// central differences.
func TestBackprop(t *testing.T) {
	tr, st, b := ruled(t, BP, nil)
	net, tc := tr.Net, tr.Config
	drive := func(l int, s []float64) []float64 {
		out := make([]float64, net.Sizes[l+1])
		for i, x := range s {
			for j := range out {
				out[j] += x * float64(net.Weights[l][i*len(out)+j])
			}
		}
		return out
	}
	wide := func(x []float32) (y []float64) {
		for _, v := range x {
			y = append(y, float64(v))
		}
		return y
	}
	base := make([][]float64, net.Layers()) // drive with the weights as they are
	for l := range base {
		base[l] = drive(l, wide(b.rates[l]))
	}
	last := net.Layers() - 1
	label := int(tr.train.Labels[3])
	loss := func() (sum float64) {
		s := wide(b.rates[0])
		for l := range last + 1 {
			d := drive(l, s)
			if l == last {
				for k, x := range d {
					if k == label {
						x--
					}
					sum += x * x
				}
				return sum
			}
			s = wide(b.rates[l+1])
			for j := range s {
				mean := st.layers[l].drive[j] / float32(net.Ticks)
				if lo, hi, _ := tc.window(); mean >= lo && mean <= hi {
					s[j] += d[j] - base[l][j]
				}
			}
		}
		return sum
	}
	moved := 0
	for l, w := range net.Weights {
		out := net.Sizes[l+1]
		for k := 0; k < len(w); k += 1 + len(w)/97 {
			const by = 1.0 / 1024
			old := w[k]
			w[k] = old + by
			up, plus := loss(), float64(w[k])
			w[k] = old - by
			down, minus := loss(), float64(w[k])
			w[k] = old
			want := (up - down) / (plus - minus) / 2
			near(t, "dW", float64(b.rates[l][k/out]*b.change[l][k%out]), want, 1e-5+1e-4*math.Abs(want))
			if l < last && want != 0 {
				moved++
			}
		}
	}
	if moved < 20 {
		t.Errorf("got %d hidden weights with a gradient: the test shows little", moved)
	}
}

// TestAlignments: RFA and DFA are sums over their fixed matrices, written out.
func TestAlignments(t *testing.T) {
	for _, rule := range []Rule{RFA, DFA} {
		tr, st, b := ruled(t, rule, nil)
		last := tr.Net.Layers() - 1
		moved := 0
		for l := range last {
			from, m := b.change[l+1], []float32(nil)
			if rule == RFA {
				m = tr.credit.(*alignment).down[l].B
			} else {
				from, m = b.err, tr.credit.(*direct).feedback[l].B
			}
			moved += held(t, tr, st, b, l, func(j int, _ float64) (want float64) {
				for k, e := range from {
					want += float64(e) * float64(m[k*len(b.change[l])+j])
				}
				return want
			})
		}
		if moved < 20 {
			t.Errorf("%s: got %d neurons that learn: the test shows little", rule, moved)
		}
		if rule == RFA && &tr.credit.(*alignment).down[0].B[0] == &tr.Net.Weights[1][0] {
			t.Error("RFA reads the forward weights")
		}
	}
}

// TestAlignmentStep is RFA's whole step by hand: 1-1-1-2, input always on, every
// weight and feedback given, SGD.
//
// T = 1, weights 1.25, 1.5 and (0.5, -0.25): both neurons fire (S = 1) and the
// output is (0.5, -0.25), e = (-0.5, -0.25) for label 0. B_1 = (1, 2) to the upper
// hidden neuron: -0.5 - 0.5 = -1; B_0 = 3 to the lower: -3. Rate 0.1.
func TestAlignmentStep(t *testing.T) {
	set, _ := digits(t, 1, 1)
	set.Rows, set.Cols, set.Classes, set.Pixels, set.Labels = 1, 1, 2, []uint8{255}, []uint8{0}
	c, tc := ChipDefaults()
	c.Sizes, c.Ticks = []int{1, 1, 1, 2}, 1
	tc.Rule, tc.RandomMembrane, tc.Optimiser, tc.Rate, tc.Batch, tc.Epochs, tc.RateDecay = RFA, 0, SGD, 0.1, 1, 1, 1
	net := &Network{Config: c, Weights: [][]float32{{1.25}, {1.5}, {0.5, -0.25}}}
	tr, err := NewTrainer(net, tc, set)
	if err != nil {
		t.Fatal(err)
	}
	r := tr.credit.(*alignment)
	r.down[0].B, r.down[1].B = []float32{3}, []float32{1, 2}
	if err := tr.Run(context.Background(), Hooks{}); err != nil {
		t.Fatal(err)
	}
	for l, want := range [][]float64{{1.25 + 0.3}, {1.5 + 0.1}, {0.5 + 0.05, -0.25 + 0.025}} {
		for k, w := range want {
			near(t, "weight", float64(net.Weights[l][k]), w, 1e-6)
		}
	}
}

// TestTargets: DTP's targets from its definition, and what its inverses learn from.
func TestTargets(t *testing.T) {
	tr, st, b := ruled(t, DTP, nil)
	r, top := tr.credit.(*targets), tr.Net.Layers()-2
	g := func(l int, x []float64) []float64 {
		p := r.inverse[l]
		y := make([]float64, p.out)
		for k, v := range x {
			for j := range y {
				y[j] += v * float64(p.w[k*p.out+j])
			}
		}
		for j := range y {
			y[j] = min(max(y[j], -tr.Config.Window), 1+tr.Config.Window)
		}
		return y
	}
	target := make([]float64, tr.Net.Sizes[top+1])
	for j := range target {
		target[j] = float64(b.rates[top+1][j])
		for k, e := range b.err {
			target[j] -= tr.Config.TargetRate * float64(tr.Net.Weights[top+1][j*len(b.err)+k]) * float64(e)
		}
	}
	moved := 0
	for l := top; l >= 0; l-- {
		if l < top {
			s := make([]float64, len(b.rates[l+2]))
			for k, x := range b.rates[l+2] {
				s[k] = float64(x)
			}
			here, there := g(l, s), g(l, target)
			target = make([]float64, len(here))
			for j := range target {
				target[j] = float64(b.rates[l+1][j]) - (here[j] - there[j])
				if x := here[j]; x > -0.5 && x < 1.5 {
					near(t, "inverse", float64(r.inverse[l].of(b)[j]), x-float64(b.rates[l+1][j]), 1e-5)
				}
			}
		}
		moved += held(t, tr, st, b, l, func(j int, _ float64) float64 { return float64(b.rates[l+1][j]) - target[j] })
	}
	if moved < 20 {
		t.Errorf("got %d neurons that learn: the test shows little", moved)
	}
}

// TestInverseLearns: DTP's V come to rebuild S of the layer below better than at
// the start.
func TestInverseLearns(t *testing.T) {
	set, _ := digits(t, 500, 10)
	tr := testTrainer(t, set, func(c *Config, tc *TrainConfig) {
		c.Sizes, tc.Rule, tc.Gain, tc.Epochs = []int{784, 32, 24, 16, 10}, DTP, 12, 6
	})
	batch := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	miss := func() float64 { // over the S to rebuild
		miss, all := 0.0, 0.0
		for l, p := range tr.credit.learned() {
			for i := range batch {
				for j, x := range p.of(&tr.bufs[i]) {
					s := tr.bufs[i].rates[l+1][j]
					miss, all = miss+float64(x*x), all+float64(s*s)
				}
			}
		}
		return miss / all
	}
	tr.step(batch)
	tr.settle()
	first := miss()
	if err := tr.Run(context.Background(), Hooks{}); err != nil {
		t.Fatal(err)
	}
	tr.step(batch)
	tr.settle()
	if last := miss(); !(last < first/2) {
		t.Errorf("squared miss of the inverses: got %.3f after training and %.3f before, want less than half", last, first)
	} else {
		t.Logf("squared miss of the inverses: %.3f before, %.3f after", first, last)
	}
}

// TestRepresentation: LRA-E from its definition; E moves as the transpose of the
// weights above its layer.
func TestRepresentation(t *testing.T) {
	tr, st, b := ruled(t, LRAE, func(_ *Config, tc *TrainConfig) { tc.Optimiser, tc.Rate = SGD, 0.5 })
	r := tr.credit.(*representation)
	phi := func(h float64) float64 { return min(max(h, -0.5), 1.5) }
	moved := 0
	for l := tr.Net.Layers() - 2; l >= 0; l-- {
		moved += held(t, tr, st, b, l, func(j int, h float64) float64 {
			d := 0.0
			for k, e := range b.change[l+1] {
				d += float64(e) * float64(r.e[l].w[k*len(b.change[l])+j])
			}
			return phi(h) - phi(h-d)
		})
	}
	if moved < 20 {
		t.Errorf("got %d neurons that learn: the test shows little", moved)
	}
	w, e := cloneWeights(tr.Net.Weights), slices.Clone(r.e[1].w)
	tr.update(1)
	rows, cols := tr.Net.Sizes[2], tr.Net.Sizes[3]
	for i := range rows {
		for j := range cols {
			near(t, "E", float64(r.e[1].w[j*rows+i]-e[j*rows+i]), float64(tr.Net.Weights[2][i*cols+j]-w[2][i*cols+j]), 1e-6)
		}
	}
}

// TestRulesLearn: every rule trains a small network far above chance, its own
// weights survive a checkpoint, and neither workers nor a stop change a byte.
func TestRulesLearn(t *testing.T) {
	set, test := digits(t, 1500, 500)
	for _, rule := range Rules() {
		config := func(c *Config, tc *TrainConfig) {
			c.Sizes = []int{784, 80, 60, 10}
			tc.Rule, tc.Epochs, tc.Gain = rule, 5, 4
		}
		tr := testTrainer(t, set, config)
		tr.Workers = 2
		if err := tr.Run(context.Background(), Hooks{}); err != nil {
			t.Fatal(err)
		}
		e, err := tr.Result().Evaluate(context.Background(), test, 2, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: accuracy %.3f", rule, e.Accuracy())
		if a := e.Accuracy(); a < 0.6 {
			t.Errorf("%s: accuracy: got %.3f, want at least 0.6", rule, a)
		}

		again := testTrainer(t, set, config)
		again.Workers = 1
		ctx, cancel := context.WithCancel(context.Background())
		batches := 0
		err = again.Run(ctx, Hooks{OnBatch: func(int, int, int) {
			if batches++; batches == 100 {
				cancel()
			}
		}})
		if err != ErrInterrupted {
			t.Fatalf("%s: got %v", rule, err)
		}
		path := t.TempDir() + "/c.ckpt"
		if err := again.Save(path); err != nil {
			t.Fatal(err)
		}
		c, err := LoadCheckpoint(path)
		if err != nil {
			t.Fatal(err)
		}
		if again, err = c.Resume(set, c.Train.Epochs); err != nil {
			t.Fatal(err)
		}
		if err := again.Run(context.Background(), Hooks{}); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(saved(t, again.Save), saved(t, tr.Save)) {
			t.Errorf("%s: stopped and resumed: another checkpoint", rule)
		}
	}
}

// TestFrozen: the lowest layers keep their weights and all others move; figure 9's
// network without feedback is one whose last two matrices learn.
func TestFrozen(t *testing.T) {
	set, _ := digits(t, 100, 10)
	tr := testTrainer(t, set, func(c *Config, tc *TrainConfig) {
		c.Sizes, tc.Frozen, tc.Gain = []int{784, 30, 25, 20, 15, 10}, 3, 12
	})
	before := cloneWeights(tr.Net.Weights)
	if err := tr.Run(context.Background(), Hooks{}); err != nil {
		t.Fatal(err)
	}
	for l, w := range tr.Net.Weights {
		if same := slices.Equal(w, before[l]); same != (l < 3) {
			t.Errorf("layer %d: the same weights: got %v", l, same)
		}
	}
}

func TestRuleFaults(t *testing.T) {
	set, _ := digits(t, 20, 10)
	c, tc := ChipDefaults()
	c.Sizes = []int{784, 8, 8, 10}
	tc.Rule = "hebb"
	if err := tc.Validate(); err == nil || err.Error() != `rule: got "hebb", want one of glsnn, bp, rfa, dfa, dtp, lra-e` {
		t.Errorf("got %v", err)
	}
	tc.Rule, tc.Frozen = GLSNN, 2
	net, err := NewNetwork(c, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewTrainer(net, tc, set); err == nil || err.Error() != "frozen: got 2, want less than the 2 hidden layers" {
		t.Errorf("got %v", err)
	}
	pc, ptc := PaperDefaults()
	pc.Sizes, ptc.Rule = c.Sizes, BP
	net.Config = pc
	if _, err := NewTrainer(net, ptc, set); err == nil || !strings.Contains(err.Error(), "rule: got bp in mode paper, want glsnn") {
		t.Errorf("got %v", err)
	}
}
