package emulator

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"

	"glsnn/emulator/reference"
	"glsnn/fixedpoint"
	"glsnn/targets"
)

// Train is the input of one window: the spikes of tick t, strictly ascending
// axons, for t in 0..Ticks−1. float/encode makes them.
type Train interface {
	Ticks() int
	At(t int) []int32
}

// EngineKind chooses what runs.
type EngineKind uint8

const (
	EventEngine     EngineKind = iota // event
	ReferenceEngine                   // reference
	BothEngines                       // both, side by side, compared after every tick
)

var engineNames = []string{"event", "reference", "both"}

func (k EngineKind) String() string {
	if int(k) >= len(engineNames) {
		return fmt.Sprintf("invalid(%d)", uint8(k))
	}
	return engineNames[k]
}

// ParseEngine reads what String writes.
func ParseEngine(s string) (EngineKind, error) {
	for i, n := range engineNames {
		if n == s {
			return EngineKind(i), nil
		}
	}
	return 0, fmt.Errorf("engine: got %q, want one of %s", s, strings.Join(engineNames, ", "))
}

// RunOptions are how Run runs samples. The zero value is the event engine on
// every processor.
type RunOptions struct {
	Engine     EngineKind
	Workers    int              // 0: GOMAXPROCS
	CoreOf     []targets.CoreID // see Options
	Silent     []bool           // see Options
	Strict     bool             // stop at the first overflow, with an *OverflowError
	Delay      bool             // see Options; windows run len(Layers)−1 ticks longer; axonal delays add theirs
	KeepScores bool             // fill Result.Scores
	// Watch, if not nil, makes a watcher for each worker's engine (of two the one
	// under test). What watchers add up must not depend on who saw which sample.
	Watch func() Watcher
}

// Watcher sees the windows of a worker as they happen, for traffic, rasters and
// the time of a tick.
type Watcher interface {
	Observer
	OnSample(i int)               // before the first tick of sample i
	OnInput(t int, axons []int32) // before tick t; axons are good until it ends
	OnEnd()                       // after the last tick of a sample
}

// Result is what n samples gave, in the order of the samples.
type Result struct {
	Class       []int     // Argmax of the scores
	Scores      [][]int64 // if kept: one row a sample
	Counters    Counters
	RateByLayer []float64 // spikes a neuron and tick, 0..1
}

// Run classifies samples 0..n−1. Each of the workers has its own engine and its
// own source, from newSource, and takes samples in ascending order: the train
// that a source returns need not outlive its next call. The result is the same
// for every number of workers, and so is the error: that of the first sample
// that has one, a *Mismatch, an *OverflowError under Strict, or a train that does
// not fit the model's window. Cancelling ctx ends a run within a tick, with ctx's
// error.
func Run(ctx context.Context, m *fixedpoint.Model, n int, newSource func() func(i int) Train, opt RunOptions) (*Result, error) {
	if int(opt.Engine) >= len(engineNames) {
		return nil, fmt.Errorf("engine: got %v, want one of %s", opt.Engine, strings.Join(engineNames, ", "))
	}
	if n < 0 || opt.Workers < 0 {
		return nil, fmt.Errorf("emulator: Run: got %d samples and %d workers, want 0 or more", n, opt.Workers)
	}
	mo := Options{Delay: opt.Delay, Strict: opt.Strict, CoreOf: opt.CoreOf, Silent: opt.Silent}
	if err := mo.Check(m); err != nil {
		return nil, err
	}
	workers := opt.Workers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	workers = max(1, min(workers, n))
	var plans []plan
	if opt.Engine != ReferenceEngine {
		plans = newPlans(m)
	}
	res := &Result{Class: make([]int, n), RateByLayer: make([]float64, len(m.Layers))}
	if opt.KeepScores {
		res.Scores = make([][]int64, n)
	}
	res.Counters.Layers = make([]LayerCounters, len(m.Layers))

	// Samples are handed out in order. After an error the samples below it,
	// already taken, are finished, and the error of the lowest is returned.
	var (
		mu     sync.Mutex
		next   int
		failed = n
		cause  error
		wg     sync.WaitGroup
	)
	take := func() (int, bool) {
		mu.Lock()
		defer mu.Unlock()
		i := next
		next++
		return i, i < failed
	}
	for range workers {
		wg.Go(func() {
			w, sample := newWorker(m, mo, opt, plans), newSource()
			for i, ok := take(); ok; i, ok = take() {
				scores, err := w.run(ctx, i, sample(i))
				if err != nil {
					mu.Lock()
					if i < failed {
						failed, cause = i, err
					}
					mu.Unlock()
					return
				}
				res.Class[i] = Argmax(scores)
				if opt.KeepScores {
					res.Scores[i] = append([]int64(nil), scores...)
				}
			}
			mu.Lock()
			res.Counters.Add(w.got.Counters())
			mu.Unlock()
		})
	}
	wg.Wait()
	if cause != nil {
		return nil, cause
	}
	for i, l := range m.Layers {
		if t := res.Counters.Ticks; t > 0 {
			res.RateByLayer[i] = float64(res.Counters.Layers[i].Spikes) / float64(l.Out) / float64(t)
		}
	}
	return res, nil
}

// worker is one engine, or two that must agree.
type worker struct {
	m         *fixedpoint.Model
	delay     int // ticks after the train, until the last layer has seen it all
	got, want Machine
	compare   *Comparer
	watch     Watcher // nil for none
	scores    []int64
}

func newWorker(m *fixedpoint.Model, opt Options, run RunOptions, plans []plan) *worker {
	w := &worker{m: m}
	kind, bare := run.Engine, opt
	if run.Watch != nil {
		w.watch = run.Watch()
		opt.Observer = w.watch
	}
	if opt.Delay {
		w.delay = len(m.Layers) - 1
	}
	for _, l := range m.Layers {
		w.delay += l.Delay
	}
	if kind == ReferenceEngine {
		w.got = reference.New(m, opt)
		return w
	}
	w.got = newEngine(m, opt, plans)
	if kind == BothEngines {
		w.want = reference.New(m, bare)
		w.compare = NewComparer(m)
	}
	return w
}

// run is one window. The scores are good until the next.
func (w *worker) run(ctx context.Context, i int, train Train) ([]int64, error) {
	if train.Ticks() != w.m.Ticks {
		return nil, fmt.Errorf("sample %d: got %d ticks, want the model's %d", i, train.Ticks(), w.m.Ticks)
	}
	w.got.Reset()
	if w.watch != nil {
		w.watch.OnSample(i)
	}
	if w.want != nil {
		w.want.Reset()
	}
	for t := range w.m.Ticks + w.delay {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var in []int32
		if t < w.m.Ticks {
			in = train.At(t)
		}
		if w.watch != nil {
			w.watch.OnInput(t, in)
		}
		w.got.Step(in)
		if w.want == nil {
			continue
		}
		w.want.Step(in)
		if d := w.compare.State(w.got, w.want); d != nil {
			d.Sample, d.Tick = i, t
			return nil, d
		}
	}
	if w.want != nil {
		if d := CompareCounters(w.got.Counters(), w.want.Counters()); d != nil {
			d.Sample, d.Tick = i, w.m.Ticks+w.delay-1
			return nil, d
		}
	}
	if w.watch != nil {
		w.watch.OnEnd()
	}
	if err := w.got.Err(); err != nil {
		return nil, fmt.Errorf("sample %d: %w", i, err)
	}
	w.scores = w.got.Scores(w.scores)
	return w.scores, nil
}
