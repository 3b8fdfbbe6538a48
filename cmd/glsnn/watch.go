package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"

	"glsnn/emulator"
	"glsnn/emulator/cost"
	"glsnn/fixedpoint"
	"glsnn/float/dataset"
)

// workers collects the watchers that a run makes, one for each worker.
type workers[W emulator.Watcher] struct {
	make func() W
	mu   sync.Mutex
	all  []W
}

func (w *workers[W]) watch() emulator.Watcher {
	one := w.make()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, one)
	return one
}

// activity runs samples and counts each neuron's spikes.
func (a *app) activity(ctx context.Context, m *fixedpoint.Model, set *dataset.Set, delay bool) (*emulator.Activity, error) {
	parts := &workers[*emulator.Activity]{make: func() *emulator.Activity { return emulator.NewActivity(m) }}
	if _, _, err := a.runModel(ctx, m, set, emulator.RunOptions{Workers: a.jobs, Delay: delay, Watch: parts.watch}); err != nil {
		return nil, err
	}
	sum := emulator.NewActivity(m)
	for _, part := range parts.all {
		sum.Add(part)
	}
	return sum, nil
}

// measured is what a run of samples on a target gave.
type measured struct {
	*emulator.Result
	Correct  int
	Activity *emulator.Activity
	Timing   *cost.Timing
	Estimate *cost.Estimate
}

// measure runs samples as placed and estimates what one costs.
func (a *app) measure(ctx context.Context, p *placement, set *dataset.Set) (*measured, error) {
	var mu sync.Mutex
	var activities []*emulator.Activity
	var timers []*cost.Timer
	newTimer := p.timers()
	opt := p.options(a.jobs)
	opt.Watch = func() emulator.Watcher {
		act, timer := emulator.NewActivity(p.Model), newTimer()
		mu.Lock()
		defer mu.Unlock()
		activities, timers = append(activities, act), append(timers, timer)
		return emulator.Watchers{act, timer}
	}
	r := &measured{Activity: emulator.NewActivity(p.Model), Timing: &cost.Timing{}}
	var err error
	if r.Result, r.Correct, err = a.runModel(ctx, p.Model, set, opt); err != nil {
		return nil, err
	}
	for i, act := range activities {
		r.Activity.Add(act)
		r.Timing.Add(&timers[i].Timing)
	}
	r.Estimate, err = p.estimate(r.Counters, r.Timing)
	return r, err
}

// estimate is the cost of a sample from what was counted.
func (p *placement) estimate(c emulator.Counters, t *cost.Timing) (*cost.Estimate, error) {
	c = p.counters(c)
	placed := p.Cost
	if p.mapping != nil && c.Samples > 0 {
		for _, u := range p.mapping.Footprint() {
			placed.MemoryBits += float64(c.Cores[u.Core].SynOps) * float64(u.StoredBits) / float64(c.Samples)
		}
	}
	return cost.New(c, p.Chip, placed, t)
}

// spikesHeader is the first line of a file of spikes.
const spikesHeader = "sample,tick,layer,neuron"

// readTraffic counts the spikes of each neuron of m in a CSV of spikes.
func readTraffic(r io.Reader, m *fixedpoint.Model) ([][]uint64, error) {
	out := emulator.NewActivity(m).Spikes
	in := csv.NewReader(r)
	in.ReuseRecord = true
	line := 0
	for {
		rec, err := in.Read()
		if errors.Is(err, io.EOF) && line > 0 {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		if line++; line == 1 {
			if got := strings.Join(rec, ","); got != spikesHeader {
				return nil, fmt.Errorf("line 1: got %.60q, want %q", got, spikesHeader)
			}
			continue
		}
		layer, err1 := strconv.Atoi(rec[2])
		neuron, err2 := strconv.Atoi(rec[3])
		if err1 != nil || layer < 0 || layer >= len(out) {
			return nil, fmt.Errorf("line %d: layer: got %.20q, want 0..%d", line, rec[2], len(out)-1)
		}
		if err2 != nil || neuron < 0 || neuron >= len(out[layer]) {
			return nil, fmt.Errorf("line %d: neuron: got %.20q, want 0..%d", line, rec[3], len(out[layer])-1)
		}
		out[layer][neuron]++
	}
}

// spikesFile writes the spikes of a run as they come, in the order of the samples.
type spikesFile struct {
	mu      sync.Mutex
	w       *bufio.Writer
	next    int
	waiting map[int][]byte // samples that are done before others below them
}

func newSpikesFile(w io.Writer) *spikesFile {
	s := &spikesFile{w: bufio.NewWriter(w), waiting: map[int][]byte{}}
	fmt.Fprintln(s.w, spikesHeader)
	return s
}

func (s *spikesFile) watch() emulator.Watcher { return &spikesWatcher{file: s} }

func (s *spikesFile) done(i int, rows []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting[i] = rows
	for {
		rows, ok := s.waiting[s.next]
		if !ok {
			return
		}
		s.w.Write(rows) // Flush has the error
		delete(s.waiting, s.next)
		s.next++
	}
}

type spikesWatcher struct {
	file   *spikesFile
	sample int
	rows   []byte
}

func (w *spikesWatcher) OnSample(i int)       { w.sample, w.rows = i, nil }
func (w *spikesWatcher) OnInput(int, []int32) {}
func (w *spikesWatcher) OnTick(int)           {}
func (w *spikesWatcher) OnEnd()               { w.file.done(w.sample, w.rows) }

func (w *spikesWatcher) OnSpike(layer int, neuron int32, t int) {
	w.rows = strconv.AppendInt(w.rows, int64(w.sample), 10)
	for _, n := range [3]int{t, layer, int(neuron)} {
		w.rows = append(w.rows, ',')
		w.rows = strconv.AppendInt(w.rows, int64(n), 10)
	}
	w.rows = append(w.rows, '\n')
}
