package course

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"glsnn/emulator"
	"glsnn/emulator/learn"
	"glsnn/emulator/learn/reference"
	"glsnn/fixedpoint"
	"glsnn/float/dataset"
	"glsnn/float/encode"
)

// Config is everything of a run that is not the network or the data.
type Config struct {
	Rule   learn.Rule `json:"rule"`
	Epochs int        `json:"epochs"`
	Order  uint64     `json:"order_seed"` // of the shuffles
	Delay  bool       `json:"delay"`      // see learn.Options
	Every  int        `json:"every"`      // samples between points of the curve; 0: an epoch
	Data   Data       `json:"data"`
	Target string     `json:"target,omitempty"`        // as given to --target
	Chip   string     `json:"target_sha256,omitempty"` // of that file
	Faults string     `json:"faults_sha256,omitempty"` // of the file that broke the chip
}

// Data names the samples.
type Data struct {
	Name    string `json:"name"`
	Size    int    `json:"size"`    // side that images were pooled to; 0 for none
	Samples int    `json:"samples"` // first so many; 0 for all
	HeldOut int    `json:"validate"`
	Without []int  `json:"without"` // classes left out
	Hash    string `json:"sha256"`  // of what is learned from
}

// Point is one of the learning curve. Accuracies are 0..1; those not measured are
// absent. Counts are of the samples since the point before.
type Point struct {
	Epoch      int      `json:"epoch"`           // from 1: the one under way or just done
	Samples    uint64   `json:"samples"`         // so far, over all epochs
	Online     float64  `json:"online_accuracy"` // of each sample before it was learned from
	Learned    float64  `json:"learned"`         // share of the samples that had an error
	Validation *float64 `json:"validation_accuracy,omitempty"`
	Test       *float64 `json:"test_accuracy,omitempty"`
	Open       float64  `json:"window_open"` // share of hidden neurons with a modulator, over samples learned from
	Reads      uint64   `json:"weight_reads"`
	Writes     uint64   `json:"weight_writes"`
	Draws      uint64   `json:"random_draws"`
	Clipped    uint64   `json:"saturations"`
}

// Engine chooses what learns.
type Engine string

const (
	Fast      Engine = "fast"
	Reference Engine = "reference"
	Both      Engine = "both" // side by side, compared after every sample
)

// machine is a learner of either kind.
type machine interface {
	Learn(emulator.Train, int) (int, error)
	State() learn.State
	Sample() *learn.Sample
	Counters() learn.Counters
}

type naive struct{ *reference.Learner }

func (n naive) Learn(t emulator.Train, label int) (int, error) { return n.Learner.Learn(t, label) }

// Course is a run under way.
type Course struct {
	Config Config
	Start  *fixedpoint.Model // the network before the first sample, faults included
	Curve  []Point
	Epoch  int // finished
	Done   int // samples done in the epoch under way

	set     *dataset.Set
	encoder encode.Encoder
	opt     learn.Options
	got     machine
	want    machine        // nil unless Both
	before  learn.Counters // of earlier parts of a resumed run
	since   running
}

// running is a point of the curve under way.
type running struct {
	Samples uint64         `json:"samples"`
	Correct uint64         `json:"correct"`
	Open    uint64         `json:"open"` // hidden neurons with a modulator
	From    learn.Counters `json:"from"` // counters when it began
}

// New begins a run of network m on set. opt's Stuck and Silent are the chip's
// faults; its Delay is Config's.
func New(m *fixedpoint.Model, c Config, set *dataset.Set, opt learn.Options, engine Engine) (*Course, error) {
	r := &Course{Config: c, Start: m, set: set, opt: opt}
	r.Config.Data.Hash = set.Hash()
	if c.Epochs < 1 {
		return nil, fmt.Errorf("epochs: got %d, want at least 1", c.Epochs)
	}
	if c.Every < 0 {
		return nil, fmt.Errorf("every: got %d, want 0 or more samples", c.Every)
	}
	if got := set.Rows * set.Cols; got != m.Inputs() || set.Classes > m.Outputs() {
		return nil, fmt.Errorf("data: got %d pixels and %d classes, want the network's %d inputs and at most %d outputs", got, set.Classes, m.Inputs(), m.Outputs())
	}
	if err := r.open(c.Rule.Start(m), engine); err != nil {
		return nil, err
	}
	return r, nil
}

// open makes the machines.
func (r *Course) open(s learn.State, engine Engine) error {
	kind, err := encode.Parse(r.Start.Encoding.Kind)
	if err != nil {
		return err
	}
	r.encoder = encode.Encoder{Kind: kind, Ticks: r.Start.Ticks, Seed: r.Start.Encoding.Seed}
	r.opt.Delay = r.Config.Delay
	if engine != Reference {
		e, err := learn.New(r.Start, r.Config.Rule, s.Clone(), r.opt)
		if err != nil {
			return err
		}
		r.got = e
	}
	if engine != Fast {
		e, err := reference.New(r.Start, r.Config.Rule, s, r.opt)
		if err != nil {
			return err
		}
		r.want = naive{e}
		if engine == Reference {
			r.got, r.want = r.want, nil
		}
	}
	return nil
}

// Samples is the number of samples of an epoch.
func (r *Course) Samples() int { return r.set.Len() }

// Model is the network as it is now.
func (r *Course) Model() (*fixedpoint.Model, error) {
	return r.Config.Rule.Model(r.got.State(), r.Start)
}

// State is what the chip holds now; it aliases the engine's own.
func (r *Course) State() learn.State { return r.got.State() }

// Counters are the counts since the start, earlier parts of a resumed run included.
func (r *Course) Counters() learn.Counters {
	var c learn.Counters
	c.Add(r.before)
	c.Add(r.got.Counters())
	return c
}

// ErrInterrupted is returned by Run when its context ends: the sample under way is
// finished and the state can be saved.
var ErrInterrupted = errors.New("learning interrupted")

// ErrDiffer is the kind of error of a run of both engines that part.
var ErrDiffer = errors.New("engines differ")

// Hooks are called while a run goes on; each may be nil. OnPoint may fill in
// accuracies. Save is called after each epoch and every SaveEvery samples.
type Hooks struct {
	OnSample func(done int) // samples of all epochs
	// OnLearned sees each sample after it was learned from; both are the Course's own.
	OnLearned func(train emulator.Train, label, class int)
	OnPoint   func(*Point) error
	Save      func() error
	SaveEvery int
}

// Run learns until Config.Epochs are done.
func (r *Course) Run(ctx context.Context, h Hooks) error {
	train := &encode.Train{}
	for r.Epoch < r.Config.Epochs {
		order := shuffle(r.set.Len(), r.Config.Order, uint64(r.Epoch))
		for r.Done < len(order) {
			if ctx.Err() != nil {
				return ErrInterrupted
			}
			i := order[r.Done]
			r.encoder.Encode(train, i, r.set.Image(i))
			label := int(r.set.Labels[i])
			class, err := r.got.Learn(train, label)
			if err != nil {
				return err
			}
			if r.want != nil {
				if _, err := r.want.Learn(train, label); err != nil {
					return err
				}
				if err := r.compare(); err != nil {
					return fmt.Errorf("epoch %d, sample %d: %w: %w", r.Epoch+1, r.Done, ErrDiffer, err)
				}
			}
			if h.OnLearned != nil {
				h.OnLearned(train, label, class)
			}
			r.Done++
			r.note(class == label)
			if h.OnSample != nil {
				h.OnSample(r.Epoch*len(order) + r.Done)
			}
			last := r.Done == len(order)
			if last || r.Config.Every > 0 && r.since.Samples == uint64(r.Config.Every) {
				p := r.point()
				if h.OnPoint != nil {
					if err := h.OnPoint(&p); err != nil {
						return err
					}
				}
				r.Curve = append(r.Curve, p)
			}
			if !last && h.Save != nil && h.SaveEvery > 0 && r.Done%h.SaveEvery == 0 {
				if err := h.Save(); err != nil {
					return err
				}
			}
		}
		r.Epoch, r.Done = r.Epoch+1, 0
		if h.Save != nil {
			if err := h.Save(); err != nil {
				return err
			}
		}
	}
	return nil
}

// note counts a sample into the point under way.
func (r *Course) note(correct bool) {
	r.since.Samples++
	if correct {
		r.since.Correct++
	}
	s := r.got.Sample()
	for _, g := range s.Factors[:len(s.Factors)-1] {
		for _, x := range g {
			if x != 0 {
				r.since.Open++
			}
		}
	}
}

// point ends the point under way.
func (r *Course) point() Point {
	c := r.Counters()
	from, n := r.since.From, r.since
	now, was := c.Totals(), from.Totals()
	learned := c.Learned - from.Learned
	p := Point{
		Epoch: r.Epoch + 1, Samples: r.got.State().Samples, Online: float64(n.Correct) / float64(n.Samples), Learned: float64(learned) / float64(n.Samples),
		Reads: now.Reads - was.Reads, Writes: now.Writes - was.Writes, Draws: now.Draws - was.Draws, Clipped: now.Saturations - was.Saturations,
	}
	hidden := r.Start.Neurons() - r.Start.Outputs()
	if learned > 0 && hidden > 0 {
		p.Open = float64(n.Open) / float64(learned) / float64(hidden)
	}
	r.since = running{From: c}
	return p
}

// compare says where the two engines differ.
func (r *Course) compare() error {
	a, b := r.got.State(), r.want.State()
	for l := range a.Weights {
		if err := cmp.Or(differ(l, "weight", a.Weights[l], b.Weights[l]), differ(l, "residual", a.Residuals[l], b.Residuals[l])); err != nil {
			return err
		}
	}
	if a.Random != b.Random || a.Samples != b.Samples {
		return fmt.Errorf("random register and samples: fast %d and %d, reference %d and %d", a.Random, a.Samples, b.Random, b.Samples)
	}
	x, y := r.got.Counters(), r.want.Counters()
	if !x.Equal(&y) {
		return errors.New("counters")
	}
	s, t := r.got.Sample(), r.want.Sample()
	if !slices.Equal(s.Scores, t.Scores) || !slices.Equal(s.Errors, t.Errors) {
		return fmt.Errorf("scores and errors: fast %v and %v, reference %v and %v", s.Scores, s.Errors, t.Scores, t.Errors)
	}
	for l := range s.Drives {
		if !slices.Equal(s.Drives[l], t.Drives[l]) || !slices.Equal(s.Errs[l], t.Errs[l]) {
			return fmt.Errorf("layer %d: drives or error accumulators", l)
		}
	}
	for l := range s.Traces {
		if err := cmp.Or(differ(l, "trace", s.Traces[l], t.Traces[l]), differ(l, "modulator", s.Factors[l], t.Factors[l])); err != nil {
			return err
		}
	}
	return nil
}

// differ names the first of a layer's registers in which the engines differ.
func differ[T comparable](layer int, what string, fast, reference []T) error {
	for i, x := range fast {
		if x != reference[i] {
			return fmt.Errorf("layer %d: %s %d: fast %v, reference %v", layer, what, i, x, reference[i])
		}
	}
	return nil
}

// shuffle is the order of an epoch: Fisher and Yates's, from the last sample down,
// the partner of sample i being two draws of 15 bits, the first the higher, modulo
// i + 1.
func shuffle(n int, seed, epoch uint64) []int {
	kind := fixedpoint.LFSR31()
	rnd := fixedpoint.NewRandom(kind, kind.Seed(seed<<20+epoch))
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	for i := n - 1; i > 0; i-- {
		k := int(rnd.Draw(15)<<15|rnd.Draw(15)) % (i + 1)
		order[i], order[k] = order[k], order[i]
	}
	return order
}
