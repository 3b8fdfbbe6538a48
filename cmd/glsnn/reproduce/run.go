package reproduce

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"time"

	"glsnn/fixedpoint/artefact"
	"glsnn/float"
	"glsnn/float/dataset"
)

// Run is one training: everything that decides its bytes.
type Run struct {
	Net       float.Config      `json:"net"`
	Train     float.TrainConfig `json:"train"`
	TrainHash string            `json:"train_sha256"` // dataset.Set.Hash of each split
	TestHash  string            `json:"test_sha256"`
}

// resultVersion is raised when the same Run would train to other bytes than before.
const (
	kindResult    = "result"
	resultVersion = 1
)

// Key names r: the hash of its JSON and of resultVersion.
func (r Run) Key() string {
	data, err := json.Marshal(r)
	if err != nil {
		panic(err) // numbers that are not finite: Validate refuses them
	}
	sum := sha256.Sum256(fmt.Appendf(data, "\n%d", resultVersion))
	return hex.EncodeToString(sum[:8])
}

// Result is what a run gave.
type Result struct {
	Run     Run                `json:"run"`
	History []float.EpochStats `json:"history"` // with the test accuracy of every epoch
	// Seconds that each of the last epochs took, without its test: of those that
	// one process did from their start. They are the clock's, not the run's.
	Seconds []float64 `json:"seconds"`
	Wall    float64   `json:"wall"` // seconds of the process that finished it
}

// Best is the highest test accuracy over the epochs, and Last the last one's; 0..1.
func (r *Result) Best() (best float64) {
	for _, e := range r.History {
		best = max(best, *e.Test)
	}
	return best
}

func (r *Result) Last() float64 { return *r.History[len(r.History)-1].Test }

// Runner does runs one after the other and keeps their results in Dir.
type Runner struct {
	Dir     string
	Workers int
	Say     func(format string, args ...any)
	// Begin is told of a long job of so many samples and returns what is told of
	// its progress; either may be nil.
	Begin func(total int) (at func(done int))
}

func (r *Runner) path(key, ext string) string { return filepath.Join(r.Dir, "runs", key+ext) }

// load returns the result of run, nil if it is not there.
func (r *Runner) load(run Run) (*Result, error) {
	path := r.path(run.Key(), ".result")
	b, err := artefact.ReadFile(path, kindResult, resultVersion)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w; %s", err, again)
	}
	var res Result
	if err := b.UnmarshalBody(&res); err != nil {
		return nil, fmt.Errorf("%w; %s", err, again)
	}
	if res.Run.Key() != run.Key() || len(res.History) == 0 || slices.ContainsFunc(res.History, func(e float.EpochStats) bool { return e.Test == nil }) {
		return nil, fmt.Errorf("%s: got another run's result or a part of one, want %s's; %s: %w", path, run.Key(), again, artefact.ErrCorrupt)
	}
	return &res, nil
}

// again ends what is said of a file that keeps a run from being done.
const again = "remove it to train again"

// Network is the trained network of a run that was kept.
func (r *Runner) Network(run Run) (*float.Network, error) {
	path := r.path(run.Key(), ".network")
	net, _, err := float.LoadNetwork(path)
	if err != nil {
		return nil, fmt.Errorf("%w; %s", err, again)
	}
	return net, run.made(path, "network", net.Config, net.Origin.Train, net.Origin.Data)
}

// made refuses a file that another run made.
func (r Run) made(path, kind string, c float.Config, tc float.TrainConfig, data float.DataRef) error {
	if r.Train.Fields == (float.Fields{Side: tc.Fields.Side}) {
		tc.Fields = r.Train.Fields // the rest was filled in when it began
	}
	if !reflect.DeepEqual(c, r.Net) || tc != r.Train || data.Hash != r.TrainHash {
		return fmt.Errorf("%s: got another run's %s, want %s's; %s: %w", path, kind, r.Key(), again, artefact.ErrCorrupt)
	}
	return nil
}

// job is a run to do, and what is left of it.
type job struct {
	run  Run
	keep bool // the network too
	left int  // epochs
}

// Do returns the results of runs in their order, training those that are not in
// Dir. With keep it keeps their networks too. It says first how long it expects to
// take.
func (r *Runner) Do(ctx context.Context, runs []Run, train, test *dataset.Set, keep bool) ([]*Result, error) {
	if err := os.MkdirAll(filepath.Join(r.Dir, "runs"), 0o777); err != nil {
		return nil, err
	}
	results := make([]*Result, len(runs))
	var jobs []job
	for i, run := range runs {
		res, err := r.load(run)
		if err != nil {
			return nil, err
		}
		if res != nil && keep {
			if _, err := os.Stat(r.path(run.Key(), ".network")); err != nil {
				res = nil
			}
		}
		if results[i] = res; res == nil && !slices.ContainsFunc(jobs, func(j job) bool { return j.run.Key() == run.Key() }) {
			j := job{run, keep, run.Train.Epochs}
			if c, err := float.LoadCheckpoint(r.path(run.Key(), ".ckpt")); err == nil {
				j.left -= c.Epoch
			}
			jobs = append(jobs, j)
		}
	}
	if len(jobs) > 0 {
		expected, err := r.expect(ctx, jobs, train, test)
		if err != nil {
			return nil, err
		}
		r.Say("%d of %d trainings to do, about %s with %d jobs (from trials of %d samples)", len(jobs), len(runs), expected.Round(time.Second), r.Workers, trialSamples)
	}
	total, done := 0, 0
	for _, j := range jobs {
		total += j.left * train.Len()
	}
	at := func(int) {}
	if r.Begin != nil {
		if f := r.Begin(total); f != nil {
			at = f
		}
	}
	for n, j := range jobs {
		res, err := r.train(ctx, j, train, test, func(samples int) { at(done + samples) })
		if err != nil {
			return nil, err
		}
		done += j.left * train.Len()
		r.Say("%d/%d: %s: best %.2f %%, last %.2f %%, %.0f s", n+1, len(jobs), describe(j.run), 100*res.Best(), 100*res.Last(), res.Wall)
		for i, run := range runs {
			if run.Key() == j.run.Key() {
				results[i] = res
			}
		}
	}
	return results, nil
}

func describe(r Run) string {
	s := fmt.Sprintf("%s %s, seed %d", sizes(r.Net.Sizes), r.Train.Rule, r.Train.Seed)
	if r.Train.Frozen > 0 {
		s += fmt.Sprintf(", %d frozen", r.Train.Frozen)
	}
	return s
}

// trialSamples is the size of a trial, before the work, of every shape and rule.
const trialSamples = 200

// expect is how long jobs will take, by a trial of each kind.
func (r *Runner) expect(ctx context.Context, jobs []job, train, test *dataset.Set) (time.Duration, error) {
	type kind struct {
		sizes string
		rule  float.Rule
		batch int
	}
	type cost struct{ setup, sample, test time.Duration }
	costs := map[kind]cost{}
	var sum time.Duration
	for _, j := range jobs {
		k := kind{sizes(j.run.Net.Sizes), j.run.Train.Rule, j.run.Train.Batch}
		c, ok := costs[k]
		if !ok {
			start := time.Now()
			tc := j.run.Train
			tc.Epochs, tc.HeldOut = 1, 0
			net, err := float.NewNetwork(j.run.Net, tc.Seed, tc.Gain)
			if err != nil {
				return 0, err
			}
			n := min(trialSamples, train.Len(), test.Len())
			t, err := float.NewTrainer(net, tc, train.Slice(0, n))
			if err != nil {
				return 0, err
			}
			t.Workers = r.Workers
			c.setup = time.Since(start)
			start = time.Now()
			if err := t.Run(ctx, float.Hooks{}); err != nil && !errors.Is(err, float.ErrDiverged) {
				return 0, err
			}
			c.sample = time.Since(start) / time.Duration(n)
			start = time.Now()
			if _, err := net.Evaluate(ctx, test.Slice(0, n), r.Workers, nil); err != nil {
				return 0, err
			}
			c.test = time.Since(start) / time.Duration(n)
			costs[k] = c
		}
		sum += c.setup + time.Duration(j.left)*(c.sample*time.Duration(train.Len())+c.test*time.Duration(test.Len()))
	}
	return sum, nil
}

// train does one run from its checkpoint or from the start.
func (r *Runner) train(ctx context.Context, j job, train, test *dataset.Set, at func(samples int)) (*Result, error) {
	key, began := j.run.Key(), time.Now()
	checkpoint := r.path(key, ".ckpt")
	t, err := r.start(j.run, checkpoint, train)
	if err != nil {
		return nil, err
	}
	t.Workers = r.Workers
	res := &Result{Run: j.run}
	base, epochStart, whole := t.Epoch*train.Len()+t.Done, time.Now(), t.Done == 0
	err = t.Run(ctx, float.Hooks{
		OnBatch: func(epoch, done, _ int) { at(epoch*train.Len() + done - base) },
		OnEpoch: func(s *float.EpochStats) error {
			if whole {
				res.Seconds = append(res.Seconds, time.Since(epochStart).Seconds())
			}
			e, err := t.Net.Evaluate(ctx, test, t.Workers, nil)
			if err != nil {
				return float.ErrInterrupted
			}
			acc := e.Accuracy()
			s.Test = &acc
			return nil
		},
		AfterEpoch: func() error {
			err := t.Save(checkpoint)
			epochStart, whole = time.Now(), true
			return err
		},
	})
	switch {
	case errors.Is(err, float.ErrInterrupted):
		if err := t.Save(checkpoint); err != nil {
			return nil, err
		}
		r.Say("stopped in %s; the same command goes on", describe(j.run))
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("%s: %w", describe(j.run), err)
	}
	res.History, res.Wall = t.History, time.Since(began).Seconds()
	if j.keep {
		if err := t.Result().Save(r.path(key, ".network")); err != nil {
			return nil, err
		}
	}
	body, err := json.Marshal(res)
	if err != nil {
		return nil, err
	}
	if err := artefact.WriteFile(r.path(key, ".result"), artefact.Bundle{Kind: kindResult, Version: resultVersion, Body: body}); err != nil {
		return nil, err
	}
	if err := os.Remove(checkpoint); err != nil && !errors.Is(err, fs.ErrNotExist) { // another process may do the same run
		return nil, err
	}
	return res, nil
}

func (r *Runner) start(run Run, checkpoint string, train *dataset.Set) (*float.Trainer, error) {
	c, err := float.LoadCheckpoint(checkpoint)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		net, err := float.NewNetwork(run.Net, run.Train.Seed, run.Train.Gain)
		if err != nil {
			return nil, err
		}
		net.Origin.Data = float.DataRef{Name: train.Name, Hash: run.TrainHash}
		t, err := float.NewTrainer(net, run.Train, train)
		if err != nil {
			return nil, err
		}
		return t, t.Save(checkpoint) // a checkpoint to remove, and a disk to write to
	case err != nil:
		return nil, fmt.Errorf("%w; %s", err, again)
	}
	if err := run.made(checkpoint, "checkpoint", c.Config, c.Train, c.Data); err != nil {
		return nil, err
	}
	return c.Resume(train, run.Train.Epochs)
}
