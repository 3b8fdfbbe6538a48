package float

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"glsnn/fixedpoint/tier"
	"glsnn/float/dataset"
	"glsnn/float/encode"
)

// digits is a small built-in set: train, test.
func digits(t testing.TB, train, test int) (*dataset.Set, *dataset.Set) {
	t.Helper()
	a, b, err := dataset.Load("digits", dataset.Options{Train: train, Test: test})
	if err != nil {
		t.Fatal(err)
	}
	return a, b
}

func testTrainer(t testing.TB, set *dataset.Set, change func(*Config, *TrainConfig)) *Trainer {
	t.Helper()
	c, tc := ChipDefaults()
	c.Sizes = []int{set.Rows * set.Cols, 32, 24, set.Classes}
	tc.Epochs, tc.Batch = 2, 20
	if change != nil {
		change(&c, &tc)
	}
	net, err := NewNetwork(c, tc.Seed, tc.Gain)
	if err != nil {
		t.Fatal(err)
	}
	net.Origin.Data.Hash = set.Hash()
	tr, err := NewTrainer(net, tc, set)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func saved(t testing.TB, save func(string) error) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "f.glsnn")
	if err := save(path); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestStateByHand follows two neurons over four ticks.
//
// Neuron 0: weight 0.6, d_u = 4096, d_v = 2048 (half): an input each tick gives
// v = 0.6, 0.9, 1.05 -> spike, 0.6. Neuron 1: weight -0.5: v = -0.5, -0.75,
// -0.875, -0.9375.
func TestStateByHand(t *testing.T) {
	c, _ := ChipDefaults()
	c.Sizes, c.Ticks, c.MembraneDecay, c.Readout = []int{1, 2}, 4, 2048, ReadCount
	s := (&Network{Config: c, Weights: [][]float32{{0.6, -0.5}}}).NewState()
	want := [][2]float64{{0.6, -0.5}, {0.9, -0.75}, {0, -0.875}, {0.6, -0.9375}}
	for tick, w := range want {
		s.Step([]int32{0})
		near(t, "v0", float64(s.Membrane(0)[0]), w[0], 1e-6)
		near(t, "v1", float64(s.Membrane(0)[1]), w[1], 1e-6)
		if fired := len(s.Fired(0)) == 1; fired != (tick == 2) {
			t.Errorf("tick %d: fired %v", tick, s.Fired(0))
		}
	}
	out := make([]float32, 2)
	s.Output(out)
	near(t, "S_out", float64(out[0]), 0.25, 1e-7)
}

// TestCurrentAndSubtract: d_u = 2048 keeps half of u; reset by subtraction
// keeps the rest. Weight 0.8, one input at tick 0: u = 0.8, 0.4, 0.2;
// v = 0.8, 1.2 -> 0.2, 0.4.
func TestCurrentAndSubtract(t *testing.T) {
	c, _ := ChipDefaults()
	c.Sizes, c.Ticks, c.CurrentDecay, c.Reset, c.Readout = []int{1, 2}, 3, 2048, ResetSubtract, ReadCount
	s := (&Network{Config: c, Weights: [][]float32{{0.8, 0}}}).NewState()
	for tick, want := range []struct{ u, v float64 }{{0.8, 0.8}, {0.4, 0.2}, {0.2, 0.4}} {
		var in []int32
		if tick == 0 {
			in = []int32{0}
		}
		s.Step(in)
		near(t, "u", float64(s.Current(0)[0]), want.u, 1e-6)
		near(t, "v", float64(s.Membrane(0)[0]), want.v, 1e-6)
	}
}

// TestChipOrder: a spike crosses all layers in its own tick, and an integrating
// read-out ends with the sum of its input over T.
func TestChipOrder(t *testing.T) {
	c, _ := ChipDefaults()
	c.Sizes, c.Ticks = []int{1, 1, 1, 2}, 2
	s := (&Network{Config: c, Weights: [][]float32{{1.5}, {1.5}, {0.5, 3}}}).NewState()
	s.Step([]int32{0})
	if len(s.Fired(0)) != 1 || len(s.Fired(1)) != 1 || s.Membrane(2)[1] != 3 {
		t.Fatalf("after one tick: fired %v %v, output %v", s.Fired(0), s.Fired(1), s.Membrane(2))
	}
	s.Step([]int32{0})
	out := make([]float32, 2)
	s.Output(out)
	near(t, "S_out 0", float64(out[0]), 0.5, 0)
	near(t, "S_out 1", float64(out[1]), 3, 0) // above threshold, and never fired
	if len(s.Fired(2)) != 0 {
		t.Error("a read-out fired")
	}
}

// TestPerEvent works one neuron by hand and compares wider networks, spike by
// spike, with the definition written out.
func TestPerEvent(t *testing.T) {
	c, _ := ChipDefaults()
	c.Sizes, c.Ticks, c.PerEvent, c.Readout = []int{4, 1, 2}, 2, true, ReadMembrane
	s := (&Network{Config: c, Weights: [][]float32{{0.75, 0.5, -1, 1.25}, {0.5, -0.25}}}).NewState()
	// 0.75; 1.25 fires, 0; -1; 0.25: one spike, where a test a tick sees 1.5 and
	// one a tick of 0.25 none.
	s.Step([]int32{0, 1, 2, 3})
	if !slices.Equal(s.Fired(0), []int32{0}) || s.Membrane(0)[0] != 0.25 || s.Membrane(1)[0] != 0.5 {
		t.Errorf("tick 0: fired %v, v %v, output %v", s.Fired(0), s.Membrane(0), s.Membrane(1))
	}
	// 1 is not above 1; 1.5 fires; 1.25 fires: two spikes in a tick.
	s.Step([]int32{0, 1, 3})
	if !slices.Equal(s.Fired(0), []int32{0, 0}) || s.Membrane(0)[0] != 0 || s.Membrane(1)[0] != 1.5 || s.Counts(0)[0] != 3 {
		t.Errorf("tick 1: fired %v, v %v, output %v", s.Fired(0), s.Membrane(0), s.Membrane(1))
	}

	for seed := range uint64(10) {
		rng := rand.New(rand.NewPCG(seed, 4))
		c.Sizes, c.Readout = []int{1 + rng.IntN(9), 257 + rng.IntN(9), 2 + rng.IntN(9), 3}, []Readout{ReadMembrane, ReadCount}[seed%2]
		c.Reset = []Reset{ResetZero, ResetSubtract}[seed/2%2]
		net, err := NewNetwork(c, seed, 12)
		if err != nil {
			t.Fatal(err)
		}
		s := net.NewState()
		v := make([][]float32, net.Layers())
		for l := range v {
			v[l] = make([]float32, c.Sizes[l+1])
		}
		spikes := 0
		for tick := range 20 {
			var in []int32
			for i := range c.Sizes[0] {
				if rng.IntN(2) == 0 {
					in = append(in, int32(i))
				}
			}
			s.Step(in)
			for l := range v {
				var fired []int32
				var sum []float32
				if net.Integrates(l) { // a tick's input is summed first
					sum = make([]float32, len(v[l]))
				}
				for _, k := range in {
					for j, w := range net.Weights[l][int(k)*len(v[l]):][:len(v[l])] {
						if sum != nil {
							sum[j] += w
							continue
						}
						if v[l][j] += w; v[l][j] > 1 {
							fired = append(fired, int32(j))
							if c.Reset == ResetSubtract {
								v[l][j]--
							} else {
								v[l][j] = 0
							}
						}
					}
				}
				for j, x := range sum {
					v[l][j] += x
				}
				if !slices.Equal(s.Fired(l), fired) || !slices.Equal(s.Membrane(l), v[l]) {
					t.Fatalf("seed %d, tick %d, layer %d: got spikes %v, want %v", seed, tick, l, s.Fired(l), fired)
				}
				in = fired
				spikes += len(fired)
			}
		}
		if spikes < 100 {
			t.Errorf("seed %d: got %d spikes: the test shows little", seed, spikes)
		}
	}
}

// TestPCG: rand.Rand's numbers.
func TestPCG(t *testing.T) {
	a, b := newStream(1, 2, 3), newPCG(1, 2, 3)
	got := make([]float32, 500)
	for range 3 {
		b.fill(got, 1.3, 0.3)
		for _, x := range got {
			if want := float32(a.Float32()*1.3) - 0.3; x != want {
				t.Fatalf("got %v, want rand.Rand's %v", x, want)
			}
		}
	}
}

// TestOrthogonal: the shorter side's vectors are orthogonal with norm scale.
func TestOrthogonal(t *testing.T) {
	for _, s := range [][2]int{{7, 4}, {4, 7}, {5, 5}, {1, 3}} {
		w := orthogonal(s[0], s[1], 0.5, newStream(1, 200, 0))
		at := func(k, x int) float64 { // vector k, element x
			if s[0] >= s[1] {
				return float64(w[x*s[1]+k])
			}
			return float64(w[k*s[1]+x])
		}
		for a := range min(s[0], s[1]) {
			for b := range a + 1 {
				dot, want := 0.0, 0.0
				for x := range max(s[0], s[1]) {
					dot += at(a, x) * at(b, x)
				}
				if a == b {
					want = 0.25
				}
				near(t, "dot", dot, want, 1e-6)
			}
		}
	}
}

// TestOutputGradient: with the hidden spikes fixed, eq. 7 at the read-out is
// half the gradient of the loss, by central differences.
func TestOutputGradient(t *testing.T) {
	set, _ := digits(t, 20, 10)
	tr := testTrainer(t, set, func(c *Config, tc *TrainConfig) { tc.RandomMembrane, tc.Optimiser = 0, SGD })
	for _, w := range tr.Net.Weights[:2] {
		scale(w, 20) // so that hidden neurons fire
	}
	tr.newBuffers(1)
	st, b := []*State{tr.Net.NewState()}, &tr.bufs[0]
	tr.forward(st, tr.bufs, []int{3})
	hidden, change := slices.Clone(b.rates[2]), slices.Clone(b.change[2])
	w := tr.Net.Weights[2]
	moved := 0
	for _, k := range []int{0, 17, 101, 155, 239} {
		i, j := k/10, k%10
		loss := func(by float32) float64 {
			old := w[k]
			w[k] = old + by
			tr.forward(st, tr.bufs, []int{3})
			w[k] = old
			return b.loss
		}
		want := (loss(1e-2) - loss(-1e-2)) / 2e-2 / 2
		near(t, "dW", float64(hidden[i]*change[j]), want, 1e-4)
		if want != 0 {
			moved++
		}
	}
	if moved == 0 {
		t.Error("every gradient was zero: the test shows nothing")
	}
}

func TestApplyWindow(t *testing.T) {
	change := []float32{1, 1, 1, 1, 1}
	// T = 10, w = 0.5: drive sums of -5..15 may learn.
	if kept := applyWindow(change, []float32{-5.1, -5, 0, 15, 15.1}, 0.5, 10); kept != 3 {
		t.Errorf("kept %v, want 3", kept)
	}
	if want := []float32{0, 1, 1, 1, 0}; !slices.Equal(change, want) {
		t.Errorf("got %v, want %v", change, want)
	}
	change = []float32{1, 1}
	if kept := applyWindow(change, []float32{-1e9, 1e9}, -1, 10); kept != 2 || change[0] != 1 {
		t.Error("a negative window must let all learn")
	}
}

// TestWorkersDoNotMatter: the same bytes from 1, 2 and 5 workers.
func TestWorkersDoNotMatter(t *testing.T) {
	set, _ := digits(t, 130, 10)
	var first []byte
	for _, workers := range []int{1, 2, 5} {
		tr := testTrainer(t, set, func(_ *Config, tc *TrainConfig) {
			tc.HeldOut, tc.RateToZero, tc.Dropout = 30, true, Dropout{Pixels: 0.2, Hidden: 0.1}
		})
		tr.Workers = workers
		if err := tr.Run(context.Background(), Hooks{}); err != nil {
			t.Fatal(err)
		}
		data := saved(t, tr.Result().Save)
		if first == nil {
			first = data
		}
		if !slices.Equal(data, first) {
			t.Errorf("%d workers: another network than 1", workers)
		}
	}
}

// TestResume stops a run after every batch in turn, loads the checkpoint and
// goes on: always the bytes of a run that was not stopped.
func TestResume(t *testing.T) {
	set, _ := digits(t, 100, 10)
	for _, optimiser := range []Optimiser{Adam, SGD} {
		config := func(c *Config, tc *TrainConfig) {
			tc.HeldOut, tc.Batch, tc.Optimiser = 20, 30, optimiser
			c.Floor, tc.RowSigns = optimiser == SGD, optimiser == SGD
			if optimiser == Adam {
				c.Sizes = []int{784, 40, 33, 10}
				tc.RateToZero, tc.Dropout = true, Dropout{Pixels: 0.2}
			}
		}
		whole := testTrainer(t, set, config)
		batches := 0
		if err := whole.Run(context.Background(), Hooks{OnBatch: func(_, _, _ int) { batches++ }}); err != nil {
			t.Fatal(err)
		}
		want := saved(t, whole.Result().Save)
		for stop := range batches {
			ctx, cancel := context.WithCancel(context.Background())
			tr := testTrainer(t, set, config)
			n := 0
			if stop == 0 {
				cancel()
			}
			err := tr.Run(ctx, Hooks{OnBatch: func(_, _, _ int) {
				if n++; n == stop {
					cancel()
				}
			}})
			cancel()
			if !errors.Is(err, ErrInterrupted) {
				t.Fatalf("stop after %d batches: got %v", stop, err)
			}
			path := filepath.Join(t.TempDir(), "c.ckpt")
			if err := tr.Save(path); err != nil {
				t.Fatal(err)
			}
			c, err := LoadCheckpoint(path)
			if err != nil {
				t.Fatal(err)
			}
			again, err := c.Resume(set, c.Train.Epochs)
			if err != nil {
				t.Fatal(err)
			}
			if err := again.Run(context.Background(), Hooks{}); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(saved(t, again.Result().Save), want) {
				t.Errorf("%s: stopped after %d of %d batches: another network", optimiser, stop, batches)
			}
		}
	}
}

// TestSharedRows: what a layer learns where the loops read it is the network's when
// Run returns, in the middle of an epoch too.
func TestSharedRows(t *testing.T) {
	set, _ := digits(t, 100, 10)
	tr := testTrainer(t, set, func(c *Config, tc *TrainConfig) { c.Sizes, tc.Gain = []int{784, 40, 48, 33, 10}, 12 })
	before := cloneWeights(tr.Net.Weights)
	for _, batches := range []int{1, 2, 100} {
		ctx, cancel := context.WithCancel(context.Background())
		n := 0
		err := tr.Run(ctx, Hooks{OnBatch: func(_, _, _ int) {
			if n++; n == batches {
				cancel()
			}
		}})
		cancel()
		if err != nil && !errors.Is(err, ErrInterrupted) {
			t.Fatal(err)
		}
		for l, w := range tr.Net.Weights {
			if got, want := tr.sharesRows(l), l == 0 || l == 2; got != want {
				t.Errorf("layer %d: rows shared: got %v, want %v", l, got, want)
			}
			if slices.Equal(w, before[l]) {
				t.Errorf("layer %d: nothing was learned", l)
			}
			out := tr.Net.Sizes[l+1]
			for i, x := range w {
				if got := tr.rows[l].data[i/out*tr.rows[l].stride+i%out]; got != x {
					t.Fatalf("layer %d, weight %d: the loops read %v, the network has %v", l, i, got, x)
				}
			}
		}
	}
}

func TestResumeOnOtherData(t *testing.T) {
	set, other := digits(t, 60, 60)
	tr := testTrainer(t, set, nil)
	path := filepath.Join(t.TempDir(), "c.ckpt")
	if err := tr.Save(path); err != nil {
		t.Fatal(err)
	}
	c, err := LoadCheckpoint(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Resume(other, 2); err == nil || !strings.Contains(err.Error(), "data: got") {
		t.Errorf("got %v", err)
	}
}

// TestLearns: a small network on 2 000 digits is far above chance, and without
// the local condition, eq. 7 alone, it is worse.
func TestLearns(t *testing.T) {
	set, test := digits(t, 2000, 500)
	accuracy := func(window float64) float64 {
		tr := testTrainer(t, set, func(_ *Config, tc *TrainConfig) { tc.Epochs, tc.Window = 4, window })
		if err := tr.Run(context.Background(), Hooks{}); err != nil {
			t.Fatal(err)
		}
		e, err := tr.Result().Evaluate(context.Background(), test, 2, nil)
		if err != nil {
			t.Fatal(err)
		}
		return e.Accuracy()
	}
	with, without := accuracy(0.5), accuracy(-1)
	t.Logf("accuracy with the window %.3f, without %.3f", with, without)
	if with < 0.6 {
		t.Errorf("accuracy: got %.3f, want at least 0.6", with)
	}
	if with <= without {
		t.Errorf("with the local condition %.3f, without %.3f; want more", with, without)
	}
}

func TestDiverged(t *testing.T) {
	set, _ := digits(t, 40, 10)
	tr := testTrainer(t, set, func(_ *Config, tc *TrainConfig) {
		tc.Optimiser, tc.Rate, tc.Window, tc.Epochs = SGD, 1e38, -1, 50
	})
	if err := tr.Run(context.Background(), Hooks{}); !errors.Is(err, ErrDiverged) {
		t.Errorf("got %v, want ErrDiverged", err)
	}
}

func TestValidate(t *testing.T) {
	set, _ := digits(t, 20, 10)
	c, tc := ChipDefaults()
	c.Sizes = []int{784, 0, 1}
	c.Ticks, c.Reset, c.MembraneDecay, c.Encoder = 0, "half", 5000, "poisson"
	tc.Rate, tc.Batch, tc.Dropout = math.NaN(), 0, Dropout{Pixels: 1, Hidden: -0.1}
	for _, want := range []string{
		"sizes[1]: got 0, want 1..", "sizes[2]: got 1 outputs, want at least 2", "ticks: got 0, want 1..",
		`reset: got "half", want one of zero, subtract`, "membrane_decay: got 5000, want 0..4096", `encoder: got "poisson"`,
	} {
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q among it", err, want)
		}
	}
	for _, want := range []string{"rate: got NaN, want a number above 0", "batch: got 0, want 1..100000",
		"dropout_pixels: got 1, want 0 or more and less than 1", "dropout: got -0.1, want 0 or more and less than 1"} {
		if err := tc.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q among it", err, want)
		}
	}
	c, tc = ChipDefaults()
	c.Sizes, c.PerEvent, c.CurrentDecay, c.MembraneDecay = []int{10, 10}, true, 1, 2
	if err, want := c.Validate(), "current_decay: got 1 with a test after every spike, want 4096\nmembrane_decay: got 2 with a test after every spike, want 0"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	c, tc = ChipDefaults()
	c.Sizes = []int{10, 10}
	c.Floor, c.MembraneDecay = true, 9
	if err := c.Validate(); err == nil || err.Error() != "floor: got a floor with current_decay 4096 and membrane_decay 9, want 4096 and 0: weights go straight into a membrane that keeps them" {
		t.Errorf("got %v", err)
	}
	c.Floor, c.MembraneDecay = false, 0
	net, err := NewNetwork(c, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewTrainer(net, tc, set); err == nil || err.Error() != "digits: pixels: got 784, want the network's 10 inputs" {
		t.Errorf("got %v", err)
	}
}

func TestNetworkFile(t *testing.T) {
	set, _ := digits(t, 20, 10)
	net := testTrainer(t, set, nil).Net
	path := filepath.Join(t.TempDir(), "n.glsnn")
	if err := net.Save(path); err != nil {
		t.Fatal(err)
	}
	back, hash, err := LoadNetwork(path)
	if err != nil || len(hash) != 64 {
		t.Fatal(err)
	}
	for l := range net.Weights {
		if !slices.Equal(net.Weights[l], back.Weights[l]) {
			t.Errorf("layer %d differs", l)
		}
	}
	net.Weights[1][5] = float32(math.NaN())
	if err := net.Save(path); err != nil {
		t.Fatal(err)
	}
	if _, _, err := LoadNetwork(path); err == nil || !strings.Contains(err.Error(), "weights1[5]: got NaN, want a finite number") {
		t.Errorf("got %v", err)
	}
	if _, err := LoadCheckpoint(path); err == nil || !strings.Contains(err.Error(), `kind: got "network", want "checkpoint"`) {
		t.Errorf("got %v", err)
	}
}

// TestPaperMode trains, and says that it cannot be quantised elsewhere.
func TestPaperMode(t *testing.T) {
	set, test := digits(t, 300, 100)
	c, tc := PaperDefaults()
	c.Sizes = []int{784, 20, 20, 10}
	tc.Epochs = 1
	net, err := NewNetwork(c, 1, tc.Gain)
	if err != nil {
		t.Fatal(err)
	}
	var first []float32
	for _, workers := range []int{1, 3} {
		n := &Network{Config: c, Weights: cloneWeights(net.Weights)}
		tr, err := NewTrainer(n, tc, set)
		if err != nil {
			t.Fatal(err)
		}
		tr.Workers = workers
		if err := tr.Run(context.Background(), Hooks{}); err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = n.Weights[0]
		} else if !slices.Equal(first, n.Weights[0]) {
			t.Error("workers matter in paper mode")
		}
		if _, err := n.Evaluate(context.Background(), test, workers, nil); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTiersDoNotMatter: the same bytes from every instruction set, for widths
// with and without a tail, each optimiser and both encoders.
func TestTiersDoNotMatter(t *testing.T) {
	set, _ := digits(t, 90, 10)
	for name, change := range map[string]func(*Config, *TrainConfig){
		"adam": func(c *Config, tc *TrainConfig) { c.Sizes = []int{784, 300, 63, 10}; tc.HeldOut = 10 },
		"sgd": func(c *Config, tc *TrainConfig) {
			c.Sizes, tc.Optimiser, tc.Rate, tc.Batch = []int{784, 131, 48, 10}, SGD, 0.1, 7
		},
		"per event": func(c *Config, tc *TrainConfig) { c.PerEvent, c.Sizes = true, []int{784, 40, 17, 10} },
		"spiking read-out": func(c *Config, tc *TrainConfig) {
			c.Reset, c.Readout, c.CurrentDecay, c.MembraneDecay, c.Ticks, c.Encoder = ResetSubtract, ReadCount, 1000, 300, 37, encode.Bernoulli
		},
		"floor": func(c *Config, tc *TrainConfig) { c.Sizes, c.Floor, tc.RowSigns = []int{784, 67, 10}, true, true },
	} {
		var first []byte
		for _, x := range tier.All() {
			func() {
				defer tier.Use(tier.Use(x))
				tr := testTrainer(t, set, change)
				if err := tr.Run(context.Background(), Hooks{}); err != nil {
					t.Fatal(err)
				}
				data := saved(t, tr.Save)
				if first == nil {
					first = data
				}
				if !slices.Equal(data, first) {
					t.Errorf("%s: tier %v gives another checkpoint than portable", name, x)
				}
			}()
		}
	}
}

// TestRunIsSteps: a group of samples layer by layer is each sample tick by tick,
// where no sum is rounded: groups add in another order.
func TestRunIsSteps(t *testing.T) {
	set, _ := digits(t, groupSize, 10)
	for n, ticks := range []int{1, tickBlock, 2*tickBlock + 5, 2*tickBlock + 5, 2*tickBlock + 5} {
		tr := testTrainer(t, set, func(c *Config, _ *TrainConfig) {
			c.Sizes, c.Ticks, c.PerEvent = []int{784, 2*panel + 3, 40, 10}, ticks, n == 3
			if n == 4 {
				c.Encoder = encode.Bernoulli
			}
		})
		for _, w := range tr.Net.Weights {
			for i, x := range w {
				w[i] = float32(math.Round(float64(x*60*64))) / 64
			}
		}
		states := tr.Net.newLoop().states
		for i, st := range states {
			st.load(i, set.Image(i))
		}
		run(states)
		spikes := 0
		var train encode.Train
		for i, got := range states {
			want := tr.Net.NewState()
			tr.Net.NewEncoder().Encode(&train, i, set.Image(i))
			for tick := range ticks {
				want.Step(train.At(tick))
			}
			for k := range want.layers {
				a, b := &got.layers[k], &want.layers[k]
				if !slices.Equal(a.v, b.v) || !slices.Equal(a.u, b.u) || !slices.Equal(a.drive, b.drive) || !slices.Equal(a.count, b.count) || !slices.Equal(got.Fired(k), want.Fired(k)) {
					t.Fatalf("case %d, %d ticks, sample %d, layer %d: run and Step differ", n, ticks, i, k)
				}
				spikes += len(want.Fired(k))
			}
			counts, wantCounts := make([]float32, 784), make([]float32, 784)
			got.inputCounts(counts)
			if train.Counts(wantCounts); !slices.Equal(counts, wantCounts) {
				t.Errorf("case %d: got other input counts than the train has", n)
			}
		}
		if spikes == 0 {
			t.Errorf("case %d: nothing fired: the test shows nothing", n)
		}
	}
}

func BenchmarkTrainStep(b *testing.B) {
	set, _ := digits(b, 1000, 10)
	for _, hidden := range [][]int{{500, 500}, {500, 500, 500}, {800, 800, 800}} {
		for _, n := range []int{100, 10} {
			b.Run(fmt.Sprintf("%d_x%d/batch%d", hidden[0], len(hidden), n), func(b *testing.B) {
				tr := testTrainer(b, set, func(c *Config, tc *TrainConfig) {
					c.Sizes = slices.Concat([]int{784}, hidden, []int{10})
					tc.Batch, tc.Epochs = n, 1
				})
				if err := tr.Run(context.Background(), Hooks{}); err != nil { // so that all layers fire
					b.Fatal(err)
				}
				batch := make([]int, n)
				for i := range batch {
					batch[i] = i
				}
				b.ReportAllocs()
				for b.Loop() {
					tr.step(batch)
				}
				b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "samples/s")
			})
		}
	}
}

// TestMoments: the products of counts, summed over samples one by one.
func TestMoments(t *testing.T) {
	set, _ := digits(t, 23, 10)
	net := testTrainer(t, set, func(_ *Config, tc *TrainConfig) { tc.Gain = 3 }).Net
	got, err := net.Moments(context.Background(), set)
	if err != nil {
		t.Fatal(err)
	}
	var want [][]float64
	for l := range net.Layers() {
		want = append(want, make([]float64, net.Sizes[l]*net.Sizes[l]))
	}
	var train encode.Train
	for i := range set.Len() {
		st := net.NewState()
		net.NewEncoder().Encode(&train, i, set.Image(i))
		for tick := range net.Ticks {
			st.Step(train.At(tick))
		}
		counts := make([]float32, net.Sizes[0])
		train.Counts(counts)
		for l := range want {
			for a, x := range counts {
				for b, y := range counts {
					want[l][a*len(counts)+b] += float64(x * y)
				}
			}
			counts = st.Counts(l)
		}
	}
	for l := range want {
		if !slices.Equal(got[l], want[l]) {
			t.Errorf("layer %d: got other moments than from one sample at a time", l)
		}
		if slices.Max(want[l]) == 0 {
			t.Errorf("layer %d: its inputs never spike", l)
		}
	}
}
