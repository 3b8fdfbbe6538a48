package float

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"glsnn/float/dataset"
	"glsnn/float/simd"
)

// Optimiser turns eq. 7's change into eq. 8's step.
type Optimiser string

const (
	SGD  Optimiser = "sgd"  // w -= rate x dw, as [zhao2020]
	Adam Optimiser = "adam" // Kingma and Ba 2015, beta 0.9 and 0.999, eps 1e-8
)

// TrainConfig is how a network is trained. Everything that can change a weight
// is in it, so that a run is (Config, TrainConfig, data).
type TrainConfig struct {
	Preset         string    `json:"preset,omitempty"` // the recipe that settings were taken from; some may have been changed
	Rule           Rule      `json:"rule,omitempty"`   // of hidden layers; "" is GLSNN
	Seed           uint64    `json:"seed"`
	Epochs         int       `json:"epochs"`
	Batch          int       `json:"batch"`
	Optimiser      Optimiser `json:"optimiser"`
	Rate           float64   `json:"rate"`                      // eta_w at the first epoch
	RateDecay      float64   `json:"rate_decay"`                // factor an epoch
	RateToZero     bool      `json:"rate_to_zero,omitempty"`    // the rate falls by the step, in a line, to 0 at the end of Epochs
	TargetRate     float64   `json:"target_rate"`               // eta_t of eq. 5
	FeedbackScale  float64   `json:"feedback_scale"`            // see Feedback
	FeedbackBias   float64   `json:"feedback_bias"`             // see Feedback
	FeedbackSkewed bool      `json:"feedback_skewed,omitempty"` // see Feedback
	Window         float64   `json:"window"`                    // local condition: mean drive in -Window..1+Window thresholds; negative is off
	RandomMembrane float64   `json:"random_membrane"`           // training starts v uniformly in 0..this many thresholds
	RandomBelow    float64   `json:"random_below,omitempty"`    // of that range: it begins this many thresholds below 0
	Gain           float64   `json:"gain"`                      // of the starting weights
	HeldOut        int       `json:"validate"`                  // samples held out of the training set's tail
	WatchTest      bool      `json:"watch_test,omitempty"`      // whoever runs the training measures test accuracy after every epoch beside HeldOut
	RowSigns       bool      `json:"row_signs,omitempty"`       // one sign a presynaptic unit: see Network.OneSign

	// Frozen is how many of the lowest hidden layers keep their starting weights:
	// the rule gives them no feedback.
	Frozen int `json:"frozen,omitempty"`

	Fields    Fields  `json:"fields,omitzero"`      // of the first hidden layer
	Dropout   Dropout `json:"dropout,omitzero"`     // of pixels and hidden neurons
	Augment   Augment `json:"augment,omitzero"`     // of the training images
	Bits      string  `json:"bits,omitempty"`       // widths that weights are rounded to, see ParseGrids; "" for none
	BitsAfter int     `json:"bits_after,omitempty"` // epochs before they are
	From      string  `json:"from,omitempty"`       // sha256 of the network file that training starts from
}

// Validate reports every field that cannot be.
func (c TrainConfig) Validate() error {
	var errs []error
	bad := func(ok bool, field string, got any, want string) {
		if !ok {
			errs = append(errs, fmt.Errorf("%s: got %v, want %s", field, got, want))
		}
	}
	if c.Rule != "" {
		if _, err := ParseRule(string(c.Rule)); err != nil {
			errs = append(errs, err)
		}
	}
	bad(c.Frozen >= 0, "frozen", c.Frozen, "0 or more")
	finite := func(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
	bad(c.Epochs >= 1 && c.Epochs <= 100000, "epochs", c.Epochs, "1..100000")
	bad(c.Batch >= 1 && c.Batch <= 100000, "batch", c.Batch, "1..100000")
	bad(c.Optimiser == SGD || c.Optimiser == Adam, "optimiser", c.Optimiser, "sgd or adam")
	bad(finite(c.Rate) && c.Rate > 0, "rate", c.Rate, "a number above 0")
	bad(c.RateDecay > 0 && c.RateDecay <= 1, "rate_decay", c.RateDecay, "above 0 and at most 1")
	bad(finite(c.TargetRate) && c.TargetRate > 0, "target_rate", c.TargetRate, "a number above 0")
	bad(finite(c.FeedbackScale) && c.FeedbackScale >= 0, "feedback_scale", c.FeedbackScale, "a number from 0")
	bad(finite(c.FeedbackBias) && c.FeedbackBias >= 0, "feedback_bias", c.FeedbackBias, "a number from 0")
	bad(finite(c.Window), "window", c.Window, "a number, negative for none")
	bad(c.RandomMembrane >= 0 && c.RandomMembrane <= 1, "random_membrane", c.RandomMembrane, "0..1")
	bad(c.RandomBelow >= 0 && c.RandomBelow <= 1, "random_below", c.RandomBelow, "0..1")
	bad(c.Gain > 0 && c.Gain <= 1000, "gain", c.Gain, "above 0 and at most 1000")
	bad(c.HeldOut >= 0, "validate", c.HeldOut, "0 or more")
	if widths := strings.Count(c.Bits, ",") + 1; c.Bits != "" {
		if _, err := ParseGrids(c.Bits, widths); err != nil {
			errs = append(errs, err)
		}
	}
	switch {
	case c.Bits == "":
		bad(c.BitsAfter == 0, "bits_after", c.BitsAfter, "0 without bits")
	case c.From == "" && c.Epochs < 2:
		bad(false, "epochs", c.Epochs, "2 or more: weights are rounded once they are trained, and before the last epoch")
	case c.From == "":
		bad(c.BitsAfter >= 1 && c.BitsAfter < c.Epochs, "bits_after", c.BitsAfter, fmt.Sprintf("1..%d: weights are rounded once they are trained, and before the last epoch", c.Epochs-1))
	default:
		bad(c.BitsAfter >= 0 && c.BitsAfter < c.Epochs, "bits_after", c.BitsAfter, fmt.Sprintf("0..%d", c.Epochs-1))
	}
	bad(c.Fields.Side >= 0, "receptive_field", c.Fields.Side, "0 (the whole image) or more pixels")
	bad(c.Dropout.Pixels >= 0 && c.Dropout.Pixels < 1, "dropout_pixels", c.Dropout.Pixels, "0 or more and less than 1")
	bad(c.Dropout.Hidden >= 0 && c.Dropout.Hidden < 1, "dropout", c.Dropout.Hidden, "0 or more and less than 1")
	bad(c.Augment.Shift >= 0 && c.Augment.Shift < dataset.MaxSide, "augment_shift", c.Augment.Shift, "0 or more pixels")
	bad(c.Augment.Rotate >= 0 && c.Augment.Rotate <= 180, "augment_rotate", c.Augment.Rotate, "0..180 degrees")
	return errors.Join(errs...)
}

// Fits says whether a network of nc can be trained by c.
func (c TrainConfig) Fits(nc Config) error {
	var errs []error
	if c.RandomBelow > 0 && nc.Floor {
		errs = append(errs, fmt.Errorf("random_below: got %v with a floor, want 0", c.RandomBelow))
	}
	return errors.Join(append(errs, c.Dropout.fits(nc))...)
}

// EpochStats is what one epoch gave. Accuracies are 0..1; those not measured
// are absent.
type EpochStats struct {
	Epoch         int       `json:"epoch"`          // from 1
	Rate          float64   `json:"rate"`           // at its start
	TrainLoss     float64   `json:"train_loss"`     // mean of sum (S_out - S_T)^2, before each sample's update
	TrainAccuracy float64   `json:"train_accuracy"` // likewise
	Validation    *float64  `json:"validation_accuracy,omitempty"`
	Test          *float64  `json:"test_accuracy,omitempty"`
	SpikeRate     []float64 `json:"spike_rate"` // spikes a neuron and tick, each firing layer
	InWindow      []float64 `json:"in_window"`  // share of (sample, neuron) that may learn, each hidden layer
}

// ErrInterrupted is returned by Run when its context ends: the batch under way
// is finished and the state can be saved.
var ErrInterrupted = errors.New("training interrupted")

// ErrDiverged is returned by Run when the loss is no longer finite.
var ErrDiverged = errors.New("training diverged")

// Trainer holds a run. Results do not depend on Workers. Net's weights are up to
// date when an epoch ends and when Run returns, not after each batch.
type Trainer struct {
	Net     *Network
	Config  TrainConfig
	Workers int
	History []EpochStats

	Epoch, Done int // finished epochs; samples done in the epoch under way

	train, validation *dataset.Set
	m, s              [][]float32 // Adam's moments
	steps             int         // Adam's step count
	credit            credit
	signs             [][]float32 // of each layer's rows, with RowSigns
	seen              []float32   // of the first layer's weights, with Fields: 1 where there is one, else 0
	learn             [][]float32 // what update moves: Net.Weights, or with Bits float weights that those are rounded from
	grids             []Grid      // of Net.Weights; none before Bits begin
	running           runningStats
	best              *bestWeights
	bufs              []sampleBuffers // one a sample of a batch
	change            [][]float32     // [batch][units] of each weight layer, which bufs alias
	moves             []*plastic      // what update moves, from the first step on
	scratch           []updateScratch // one a worker
	rows              []matrix        // Net.Weights as the loops read them, from the first step on; update keeps them the same
	loops             []loop          // one a worker
	packed            []simd.Packed   // Net.Weights at the batch under way, in paper mode
}

// loop is a worker's room for a group of samples.
type loop struct {
	states []*State
	paper  *paperState // in paper mode
}

func (n *Network) newLoop() (l loop) {
	if n.Mode == Chip {
		for range groupSize {
			l.states = append(l.states, n.NewState())
		}
	} else {
		l.paper = n.newPaperState(groupSize)
	}
	return l
}

type runningStats struct {
	Loss    float64   `json:"loss"`
	Correct int       `json:"correct"`
	Spikes  []float64 `json:"spikes"`
	Window  []float64 `json:"window"`
}

type bestWeights struct {
	epoch   int
	score   float64
	weights [][]float32
	grids   []Grid
}

// sampleBuffers are one sample's results: rates[0] is the input's S, rates[l]
// layer l-1's; change[l] is S - target of weight layer l's units, zero outside
// the window.
type sampleBuffers struct {
	index         int // in the batch
	rates, change [][]float32
	err           []float32
	loss          float64
	correct       bool
	spikes        []float64 // sum of S of each layer
	inWindow      []float64

	diff [][]float32 // DTP's
	rows []int32     // scratch of fanDown
	by   []float32
}

// NewTrainer prepares a run on train, of which HeldOut samples at the tail
// are held out.
func NewTrainer(net *Network, tc TrainConfig, train *dataset.Set) (*Trainer, error) {
	if err := errors.Join(net.Config.Validate(), tc.Validate()); err != nil {
		return nil, err
	}
	if got, want := train.Rows*train.Cols, net.Sizes[0]; got != want {
		return nil, fmt.Errorf("%s: pixels: got %d, want the network's %d inputs", train.Name, got, want)
	}
	if got, want := train.Classes, net.Sizes[len(net.Sizes)-1]; got != want {
		return nil, fmt.Errorf("%s: classes: got %d, want the network's %d outputs", train.Name, got, want)
	}
	if err := tc.Fits(net.Config); err != nil {
		return nil, err
	}
	if err := tc.Augment.Fits(train.Rows, train.Cols); err != nil {
		return nil, err
	}
	if err := tc.Fields.Fits(train.Rows, train.Cols); err != nil {
		return nil, fmt.Errorf("%s: %w", train.Name, err)
	}
	if hidden := net.Layers() - 1; tc.Frozen > 0 && tc.Frozen >= hidden {
		return nil, fmt.Errorf("frozen: got %d, want less than the %d hidden layers", tc.Frozen, hidden)
	}
	if net.Mode == Paper && tc.Rule != "" && tc.Rule != GLSNN {
		return nil, fmt.Errorf("rule: got %s in mode %s, want %s", tc.Rule, net.Mode, GLSNN)
	}
	t := &Trainer{Net: net, Config: tc, Workers: runtime.GOMAXPROCS(0), train: train}
	if tc.HeldOut > 0 {
		var err error
		if t.train, t.validation, err = train.SplitTail(tc.HeldOut); err != nil {
			return nil, err
		}
	}
	t.credit = newCredit(net, tc)
	t.learn = net.Weights
	for _, w := range net.Weights {
		if tc.Optimiser == Adam {
			t.m = append(t.m, make([]float32, len(w)))
			t.s = append(t.s, make([]float32, len(w)))
		}
	}
	if tc.Fields.Side > 0 {
		if net.Layers() < 2 {
			return nil, fmt.Errorf("receptive_field: got %d for a network without hidden layers, want 0", tc.Fields.Side)
		}
		t.Config.Fields = tc.Fields.drawnFor(tc.Seed, train.Cols)
		t.seen = net.localise(t.Config.Fields, train.Rows, train.Cols)
	}
	if tc.RowSigns {
		t.signs = net.OneSign(tc.Seed)
	}
	t.resetRunning()
	if tc.Bits != "" && tc.BitsAfter == 0 {
		if err := t.startGrids(); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (t *Trainer) resetRunning() {
	t.running = runningStats{Spikes: make([]float64, t.Net.Layers()), Window: make([]float64, t.Net.Layers()-1)}
}

// Hooks are told of progress; each may be nil. OnEpoch may add to the
// statistics (a test accuracy, say) before they are kept; AfterEpoch comes when
// the epoch is part of the state, the moment for a checkpoint. Their errors end
// the run.
type Hooks struct {
	OnBatch    func(epoch, done, total int)
	OnEpoch    func(*EpochStats) error
	AfterEpoch func() error
}

// Samples is the size of an epoch, without the held-out samples.
func (t *Trainer) Samples() int { return t.train.Len() }

// Run trains until Config.Epochs epochs are done.
func (t *Trainer) Run(ctx context.Context, hooks Hooks) error {
	defer t.settle()
	for t.Epoch < t.Config.Epochs {
		if t.grids == nil && t.Config.Bits != "" && t.Epoch >= t.Config.BitsAfter {
			if err := t.startGrids(); err != nil {
				return err
			}
		}
		order := newStream(t.Config.Seed, streamShuffle, uint64(t.Epoch)).Perm(t.train.Len())
		for t.Done < len(order) {
			if ctx.Err() != nil {
				return ErrInterrupted
			}
			batch := order[t.Done:min(t.Done+t.Config.Batch, len(order))]
			t.step(batch)
			if math.IsNaN(t.running.Loss) || math.IsInf(t.running.Loss, 0) {
				return fmt.Errorf("%w in epoch %d after %d samples: loss is %v; try a smaller --rate", ErrDiverged, t.Epoch+1, t.Done+len(batch), t.running.Loss)
			}
			t.Done += len(batch)
			if hooks.OnBatch != nil {
				hooks.OnBatch(t.Epoch, t.Done, len(order))
			}
		}
		t.settle()
		for l, w := range t.learn {
			if i := slices.IndexFunc(w, func(x float32) bool { return x-x != 0 }); i >= 0 { // NaN or Inf
				return fmt.Errorf("%w in epoch %d: layer %d: weight %d is %v; try a smaller --rate", ErrDiverged, t.Epoch+1, l, i, w[i])
			}
		}
		stats := t.epochStats()
		if t.validation != nil {
			r, err := t.Net.Evaluate(ctx, t.validation, t.Workers, nil)
			if err != nil {
				return ErrInterrupted
			}
			acc := r.Accuracy()
			stats.Validation = &acc
			if t.best == nil || acc > t.best.score {
				t.best = &bestWeights{epoch: t.Epoch + 1, score: acc, weights: cloneWeights(t.Net.Weights), grids: slices.Clone(t.grids)}
			}
		}
		if hooks.OnEpoch != nil {
			if err := hooks.OnEpoch(&stats); err != nil {
				return err
			}
		}
		t.History = append(t.History, stats)
		t.Epoch, t.Done = t.Epoch+1, 0
		t.resetRunning()
		if hooks.AfterEpoch != nil {
			if err := hooks.AfterEpoch(); err != nil {
				return err
			}
		}
	}
	return nil
}

// rate is eta_w when done samples of the epoch under way are done.
func (t *Trainer) rate(done int) float64 {
	rate := t.Config.Rate * math.Pow(t.Config.RateDecay, float64(t.Epoch))
	if t.Config.RateToZero {
		n := t.train.Len()
		rate *= 1 - float64(t.Epoch*n+done)/float64(t.Config.Epochs*n)
	}
	return rate
}

func (t *Trainer) epochStats() EpochStats {
	n := float64(t.train.Len())
	s := EpochStats{Epoch: t.Epoch + 1, Rate: t.rate(0), TrainLoss: t.running.Loss / n, TrainAccuracy: float64(t.running.Correct) / n}
	for l, x := range t.running.Spikes {
		if !t.Net.Integrates(l) {
			s.SpikeRate = append(s.SpikeRate, x/n/float64(t.Net.Sizes[l+1]))
		}
	}
	for l, x := range t.running.Window {
		s.InWindow = append(s.InWindow, x/n/float64(t.Net.Sizes[l+1]))
	}
	return s
}

// Result is the network to keep: the last epoch's weights or, when samples
// were held out, those of the epoch that did best on them.
func (t *Trainer) Result() *Network {
	n := &Network{Config: t.Net.Config, Weights: t.Net.Weights}
	n.Origin = Origin{Data: t.Net.Origin.Data, Train: t.Config, History: t.History, KeptEpoch: t.Epoch, Grids: t.grids}
	if t.best != nil {
		n.Weights, n.Origin.KeptEpoch, n.Origin.Grids = t.best.weights, t.best.epoch, t.best.grids
	}
	return n
}

// step is one batch: every sample forward and its changes (phase 1, parallel
// over samples), then every weight (phase 2, parallel over rows, each row
// summed over the samples in order). settle comes before Net.Weights are read.
func (t *Trainer) step(batch []int) {
	if len(t.bufs) < len(batch) {
		t.newBuffers(len(batch))
	}
	for len(t.loops) < max(1, t.Workers) {
		t.loops = append(t.loops, t.newLoop())
	}
	t.credit.prepare()
	if t.Net.Mode == Paper {
		t.packed = t.Net.pack(t.packed)
	}
	parallel(t.Workers, len(batch), groupOf(len(batch), t.Workers), func(worker, lo, hi int) {
		if t.Net.Mode == Chip {
			l := &t.loops[worker]
			t.forward(l.states[:hi-lo], t.bufs[lo:hi], batch[lo:hi])
			return
		}
		t.forwardPaper(t.loops[worker].paper, t.bufs[lo:hi], batch[lo:hi])
	})
	for i := range batch {
		b := &t.bufs[i]
		t.running.Loss += b.loss
		if b.correct {
			t.running.Correct++
		}
		for l := range t.running.Spikes {
			t.running.Spikes[l] += b.spikes[l]
		}
		for l := range t.running.Window {
			t.running.Window[l] += b.inWindow[l]
		}
	}
	t.update(len(batch))
}

// newLoop is a loop on t.rows, which the first call fills.
func (t *Trainer) newLoop() loop {
	l := t.Net.newLoop()
	if len(l.states) > 0 && t.rows == nil {
		for i, w := range t.Net.Weights {
			t.rows = append(t.rows, newMatrix(scaled(w, t.Config.Dropout.rowScale(i)), t.Net.Sizes[i+1]))
		}
	}
	for _, s := range l.states {
		s.rows = t.rows
	}
	return l
}

// newBuffers makes room for a batch of n.
func (t *Trainer) newBuffers(n int) {
	t.bufs, t.change = nil, nil
	for _, size := range t.Net.Sizes[1:] {
		t.change = append(t.change, make([]float32, n*size))
	}
	for _, p := range t.credit.learned() {
		p.change = make([]float32, n*p.out)
	}
	for i := range n {
		b := newSampleBuffers(t.Net.Config)
		b.index = i
		for l, size := range t.Net.Sizes[1:] {
			b.change[l] = t.change[l][i*size : (i+1)*size]
		}
		t.bufs = append(t.bufs, b)
	}
}

// newSampleBuffers leaves change to the caller to fill in.
func newSampleBuffers(c Config) sampleBuffers {
	var b sampleBuffers
	for _, n := range c.Sizes {
		b.rates = append(b.rates, make([]float32, n))
	}
	b.change = make([][]float32, c.Layers())
	b.err = make([]float32, c.Sizes[len(c.Sizes)-1])
	b.inWindow, b.spikes = make([]float64, c.Layers()-1), make([]float64, c.Layers())
	widest := slices.Max(c.Sizes)
	b.rows, b.by = make([]int32, 0, widest), make([]float32, 0, widest)
	return b
}

// groupOf is how many of n samples a worker should take at a time: at most
// groupSize, and the same for all.
func groupOf(n, workers int) int {
	rounds := (n + max(1, workers)*groupSize - 1) / (max(1, workers) * groupSize)
	return max(1, (n+max(1, workers)*rounds-1)/(max(1, workers)*rounds))
}

// forward runs a group of samples, one a state, and leaves S and S - target of
// every layer in bufs.
func (t *Trainer) forward(states []*State, bufs []sampleBuffers, samples []int) {
	var moved, kept []uint8
	for i, sample := range samples {
		states[i].Reset()
		t.randomMembranes(states[i], sample)
		t.dropNeurons(states[i], sample)
		moved = t.image(moved, sample)
		kept = t.dropPixels(kept, moved, sample)
		states[i].load(sample, kept)
	}
	run(states)
	for i, sample := range samples {
		t.changes(states[i], &bufs[i], sample)
	}
}

func (t *Trainer) randomMembranes(st *State, sample int) {
	tc := t.Config
	below, width := float32(tc.RandomBelow), float32(tc.RandomBelow+tc.RandomMembrane)
	if width == 0 {
		return
	}
	rng := newPCG(tc.Seed, streamMembrane, uint64(t.Epoch)<<32|uint64(sample))
	for l := range st.layers {
		if !t.Net.Integrates(l) {
			rng.fill(st.layers[l].v, width, below)
		}
	}
}

// changes leaves S and S - target of every layer in b (eqs 4 to 6, and the local
// window) when st has run.
func (t *Trainer) changes(st *State, b *sampleBuffers, sample int) {
	net, tc := t.Net, t.Config
	perTick := 1 / float32(net.Ticks)
	st.inputCounts(b.rates[0])
	scale(b.rates[0], perTick)
	last := net.Layers() - 1
	for l := range net.Layers() {
		b.spikes[l] = float64(scaledCounts(b.rates[l+1], st.layers[l].count, perTick)) / float64(net.Ticks)
	}
	out := b.err
	st.Output(out)
	t.outputError(b, out, int(t.train.Labels[sample]))
	copy(b.change[last], out)
	if !net.Integrates(last) {
		applyWindow(b.change[last], st.layers[last].drive, tc.Window, net.Ticks)
	}
	for l := last - 1; l >= tc.Frozen; l-- {
		t.credit.hidden(st, b, l)
		if tc.Dropout.Hidden > 0 {
			stillDropped(b.change[l], st.layers[l].v)
		}
		b.inWindow[l] = applyWindow(b.change[l], st.layers[l].drive, tc.Window, net.Ticks)
	}
}

// scaledCounts writes counts times by to dst and returns their sum, which is exact.
func scaledCounts(dst, counts []float32, by float32) float32 {
	var a, b, c, d float32
	dst = dst[:len(counts)]
	for len(counts) >= 4 {
		x, y := counts[:4], dst[:4]
		y[0], y[1], y[2], y[3] = x[0]*by, x[1]*by, x[2]*by, x[3]*by
		a, b, c, d = a+x[0], b+x[1], c+x[2], d+x[3]
		counts, dst = counts[4:], dst[4:]
	}
	for i, x := range counts {
		dst[i] = x * by
		a += x
	}
	return a + b + c + d
}

// outputError turns S_out in b.err into e = S_out - S_T (eq. 4 with its sign),
// and keeps loss and correctness.
func (t *Trainer) outputError(b *sampleBuffers, out []float32, label int) {
	b.correct = Argmax(out) == label
	b.loss = 0
	out[label]--
	for _, e := range out {
		b.loss += float64(e) * float64(e)
	}
}

// applyWindow is the local condition: change stays only where the neuron's mean
// drive, the current u averaged over the window of ticks, lies within half of
// its responsive range: -w to 1+w thresholds. It returns how many stay. A
// negative w lets all learn.
func applyWindow(change, drive []float32, w float64, ticks int) float64 {
	if w < 0 {
		return float64(len(change))
	}
	lo, hi := float32(-w*float64(ticks)), float32((1+w)*float64(ticks))
	kept := 0
	change = change[:len(drive)]
	for j, d := range drive { // no branch, as nobody can guess it
		mask := uint32(1<<32 - 1)
		if d < lo*Threshold {
			mask = 0
		}
		if d > hi*Threshold {
			mask = 0
		}
		change[j] = math.Float32frombits(math.Float32bits(change[j]) & mask)
		kept += int(mask & 1)
	}
	return float64(kept)
}

func scale(x []float32, by float32) {
	for i := range x {
		x[i] *= by
	}
}

// update is eqs 7 and 8: for every weight, dW = mean over the batch of
// S_pre x (S - target)_post.
func (t *Trainer) update(batch int) {
	t.steps++
	for len(t.scratch) < max(1, t.Workers) {
		t.scratch = append(t.scratch, newUpdateScratch(t.Net.Config, t.Config.Batch))
	}
	each := 1 / float32(batch)
	rate, eps := t.rate(t.Done), 1e-8
	const b1, b2 = 0.9, 0.999
	if t.Config.Optimiser == Adam {
		c := math.Sqrt(1 - math.Pow(b2, float64(t.steps)))
		rate, eps = rate*c/(1-math.Pow(b1, float64(t.steps))), eps*c
	}
	step := stepper{rate: float32(rate), each: each, batch: batch}
	if t.Config.Optimiser == Adam {
		step.adam = &simd.AdamParams{Rate: float32(rate), B1: b1, B2: b2, Eps: float32(eps)}
	}
	if t.moves == nil {
		t.moves = t.newMoves()
	}
	for i, change := range t.change[t.Config.Frozen:] {
		t.moves[i].change = change
	}
	chunks := 0 // of all matrices, so that no worker waits after each
	for _, p := range t.moves {
		chunks += (p.in + updateRows - 1) / updateRows
	}
	parallel(t.Workers, chunks, 1, func(worker, c, _ int) {
		for _, p := range t.moves {
			n := (p.in + updateRows - 1) / updateRows
			if c < n {
				t.descend(&t.scratch[worker], p, c*updateRows, min((c+1)*updateRows, p.in), step)
				return
			}
			c -= n
		}
	})
}

// newMoves are all matrices that learn.
func (t *Trainer) newMoves() (moves []*plastic) {
	for l, w := range t.learn {
		if l < t.Config.Frozen {
			continue
		}
		p := &plastic{in: t.Net.Sizes[l], out: t.Net.Sizes[l+1], w: w, stride: t.Net.Sizes[l+1]}
		if t.sharesRows(l) {
			p.w, p.stride = t.rows[l].data, t.rows[l].stride
		}
		if t.m != nil {
			p.m, p.s = t.m[l], t.s[l]
		}
		p.pre = func(b *sampleBuffers) []float32 { return b.rates[l] }
		if l == 0 {
			p.seen = t.seen
		}
		p.after = func(row []float32, i int) {
			if t.signs != nil {
				clampSign(row, t.signs[l][i])
			}
			if t.grids != nil {
				t.grids[l].snap(t.Net.Weights[l][i*p.out:(i+1)*p.out], row)
			}
			if !t.sharesRows(l) {
				t.publish(l, i)
			}
		}
		moves = append(moves, p)
	}
	moves = append(moves, t.credit.learned()...)
	for _, p := range moves {
		p.still = make([]bool, p.in)
		for i := range p.still {
			lo, hi := i*p.out, (i+1)*p.out
			p.still[i] = p.m != nil && allZero(p.m[lo:hi]) && allZero(p.s[lo:hi])
		}
	}
	return moves
}

func allZero(x []float32) bool {
	return !slices.ContainsFunc(x, func(x float32) bool { return x != 0 })
}

// stepper is one batch's step.
type stepper struct {
	rate, each float32
	batch      int
	adam       *simd.AdamParams // nil: SGD
}

// descend moves rows lo..hi-1 of p.
func (t *Trainer) descend(z *updateScratch, p *plastic, lo, hi int, step stepper) {
	z.active(t.bufs[:step.batch], p.pre, lo, hi, step.each)
	g := z.g[:p.out]
	for i := lo; i < hi; i++ {
		k := z.count[i-lo]
		if k == 0 && (p.m == nil || p.still[i]) {
			continue
		}
		p.still[i] = false
		simd.ScaledRows(g, p.change, p.out, z.samples[i-lo][:k], z.scale[i-lo][:k])
		if p.seen != nil {
			for j, x := range p.seen[i*p.out : (i+1)*p.out] {
				g[j] *= x
			}
		}
		row := p.w[i*p.stride:][:p.out]
		if step.adam == nil {
			simd.Axpy(row, -step.rate, g)
		} else {
			simd.Adam(*step.adam, row, p.m[i*p.out:(i+1)*p.out], p.s[i*p.out:(i+1)*p.out], g)
		}
		if p.after != nil {
			p.after(row, i)
		}
	}
}

// sharesRows says whether layer l learns where the loops read it, so that nothing
// is copied after a step; settle then copies it to Net.Weights.
func (t *Trainer) sharesRows(l int) bool {
	return t.rows != nil && t.rows[l].stride != t.Net.Sizes[l+1] && t.grids == nil && t.Config.Dropout.rowScale(l) == 1 &&
		t.Config.Rule != BP && l < t.Net.Layers()-1
}

// settle brings Net.Weights up to date.
func (t *Trainer) settle() {
	for l, w := range t.Net.Weights {
		if t.sharesRows(l) {
			out := t.Net.Sizes[l+1]
			for i := range len(w) / out {
				copy(w[i*out:(i+1)*out], t.rows[l].data[i*t.rows[l].stride:])
			}
		}
	}
}

// publish copies row i of layer l's weights to where the loops read it.
func (t *Trainer) publish(l, i int) {
	out, by := t.Net.Sizes[l+1], t.Config.Dropout.rowScale(l)
	if t.rows == nil || by == 1 && t.rows[l].stride == out {
		return
	}
	row := t.rows[l].data[i*t.rows[l].stride:][:out]
	copy(row, t.Net.Weights[l][i*out:(i+1)*out])
	if by != 1 {
		scale(row, by)
	}
}

// scaled is w times by: w itself, or a copy.
func scaled(w []float32, by float32) []float32 {
	if by == 1 {
		return w
	}
	w = slices.Clone(w)
	scale(w, by)
	return w
}

// updateRows is how many weight rows a worker takes at a time: their S lie in a
// cache line.
const updateRows = 16

// updateScratch is one worker's space in update: for each of its rows the
// samples whose S is not 0, and S over the batch size.
type updateScratch struct {
	g       []float32
	count   [updateRows]int
	samples [updateRows][]int32
	scale   [updateRows][]float32
}

func newUpdateScratch(c Config, batch int) updateScratch {
	z := updateScratch{g: make([]float32, slices.Max(c.Sizes))}
	for i := range updateRows {
		z.samples[i], z.scale[i] = make([]int32, batch), make([]float32, batch)
	}
	return z
}

// active fills in units lo..hi-1 of pre.
func (z *updateScratch) active(bufs []sampleBuffers, pre func(*sampleBuffers) []float32, lo, hi int, each float32) {
	clear(z.count[:])
	for b := range bufs {
		for i, s := range pre(&bufs[b])[lo:hi] {
			k := z.count[i]
			z.samples[i][k], z.scale[i][k] = int32(b), s*each
			if s != 0 {
				k++
			}
			z.count[i] = k
		}
	}
}

func cloneWeights(w [][]float32) [][]float32 {
	out := make([][]float32, len(w))
	for i := range w {
		out[i] = slices.Clone(w[i])
	}
	return out
}

// parallel calls f on chunks of 0..n, of at most chunk, from several goroutines; f must not care
// which worker takes which chunk.
func parallel(workers, n, chunk int, f func(worker, lo, hi int)) {
	if workers <= 1 || n <= chunk {
		for lo := 0; lo < n; lo += chunk {
			f(0, lo, min(lo+chunk, n))
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for {
				hi := int(next.Add(int64(chunk)))
				lo := hi - chunk
				if lo >= n {
					return
				}
				f(w, lo, min(hi, n))
			}
		})
	}
	wg.Wait()
}
