package bench

import (
	"context"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"

	"glsnn/emulator"
	"glsnn/float/encode"
)

// Sweep is how the emulator's time and memory grow with one size.
type Sweep struct {
	Over   string  `json:"over"` // width, depth, ticks, activity, samples
	Unit   string  `json:"unit"` // of X
	Points []Point `json:"points"`
}

// Point is one size. Predicted time is the counters times the rates that the
// kernels have by themselves; predicted memory is a byte a synapse, rows padded,
// and the registers of the neurons.
type Point struct {
	X                float64 `json:"x"`
	Seconds          float64 `json:"seconds"` // of one processor, for all samples
	PredictedSeconds float64 `json:"predicted_seconds"`
	FarSeconds       float64 `json:"far_seconds"` // predicted, were every weight read from far memory
	Bytes            float64 `json:"bytes"`       // of the engine after the run, on the heap: its weights and its state
	PredictedBytes   float64 `json:"predicted_bytes"`
	Samples          uint64  `json:"samples"`
	SynOps           uint64  `json:"synops"`
	Updates          uint64  `json:"neuron_updates"`
}

// Rates are what the kernels do in a second.
type Rates struct{ SynOps, Far, Updates float64 }

// KernelRates takes them from figures of this tier: the best of the rounds, as a point
// is the quickest of its tries.
func KernelRates(figures []Figure, tier string) (r Rates) {
	for _, f := range figures {
		switch f.Key {
		case "emulator/sum/" + tier:
			r.SynOps = f.High * 1e9
		case "emulator/far/" + tier:
			r.Far = f.High * 1e9
		case "emulator/lif/" + tier:
			r.Updates = f.High * 1e9
		}
	}
	return r
}

// Sweeps runs the emulator on random networks over widths, depths, ticks,
// activities and numbers of samples. Small keeps to what takes a second.
func Sweeps(ctx context.Context, rates Rates, small bool, done func(i, of int)) ([]Sweep, error) {
	type run struct {
		hidden   []int
		ticks    int
		activity float64
		samples  int
		x        float64
	}
	type sweep struct {
		over, unit string
		runs       []run
	}
	layers := func(n, width int) (h []int) {
		for range n {
			h = append(h, width)
		}
		return h
	}
	at := func(x float64) run { return run{hidden: layers(2, 500), ticks: 10, activity: 0.13, samples: 1, x: x} }
	var sweeps []sweep
	add := func(over, unit string, xs []float64, set func(*run)) {
		s := sweep{over: over, unit: unit}
		if small {
			xs = xs[:2]
		}
		for _, x := range xs {
			r := at(x)
			set(&r)
			s.runs = append(s.runs, r)
		}
		sweeps = append(sweeps, s)
	}
	add("width", "neurons of each of two hidden layers", []float64{100, 200, 500, 1000, 2000, 5000, 10000, 20000}, func(r *run) { r.hidden = layers(2, int(r.x)) })
	add("depth", "hidden layers of 500", []float64{1, 2, 4, 8, 16, 32, 64}, func(r *run) { r.hidden = layers(int(r.x), 500) })
	add("ticks", "ticks", []float64{1, 3, 10, 30, 100, 300, 1000}, func(r *run) { r.ticks = int(r.x) })
	add("activity", "% of the input axons that spike in a tick", []float64{0.1, 0.3, 1, 3, 10, 30, 100}, func(r *run) { r.activity = r.x / 100 })
	add("samples", "samples", []float64{10, 30, 100, 300, 1000, 3000, 10000}, func(r *run) { r.samples = int(r.x) })
	total, n := 0, 0
	for _, s := range sweeps {
		total += len(s.runs)
	}
	var out []Sweep
	for _, s := range sweeps {
		o := Sweep{Over: s.over, Unit: s.unit}
		for _, r := range s.runs {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			p, err := measure(r.hidden, r.ticks, r.activity, r.samples, rates, small)
			if err != nil {
				return nil, err
			}
			p.X = r.x
			o.Points = append(o.Points, p)
			if n++; done != nil {
				done(n, total)
			}
		}
		out = append(out, o)
	}
	return out, nil
}

// measure runs samples windows of 784 inputs and these hidden layers on one
// engine.
func measure(hidden []int, ticks int, activity float64, samples int, rates Rates, small bool) (p Point, err error) {
	const inputs = 784
	sizes := slices.Concat([]int{inputs}, hidden, []int{10})
	// A sum of k weights of mean 1 and deviation 30 passes k + 30 sqrt(k) in 16 %
	// of the neurons; membranes forget at once.
	m, err := randomModel(sizes, ticks, func(l int) (int64, int64) {
		spikes := 0.16 * float64(sizes[l])
		if l == 0 {
			spikes = activity * inputs
		}
		return int64(spikes+30*math.Sqrt(spikes)) << 6, 4096
	})
	if err != nil {
		return p, err
	}
	rng := rand.New(rand.NewPCG(52, 0))
	var train encode.Train
	for range ticks {
		var in []int32
		for i := range inputs {
			if rng.Float64() < activity {
				in = append(in, int32(i))
			}
		}
		train.Append(in...)
	}
	before := heap()
	e := emulator.New(m, emulator.Options{})
	window := func() {
		e.Reset()
		for t := range ticks {
			e.Step(train.At(t))
		}
	}
	window()
	c := e.Counters()
	took := math.Inf(1) // the quickest of some tries
	limit := 0.3
	if small {
		limit = 0.001
	}
	alone(func(clock func() float64) {
		begin := clock()
		for tries := 0; tries < 3 || tries < 1000 && clock()-begin < limit; tries++ {
			start := clock()
			for range samples {
				window()
			}
			took = min(took, clock()-start)
		}
	})
	p.Bytes = heap() - before // what a run has made it grow to included
	runtime.KeepAlive(e)
	runtime.KeepAlive(&train)
	n := uint64(samples)
	t := c.Totals()
	p.Samples, p.SynOps, p.Updates = n, t.SynOps*n, t.Updates*n
	p.Seconds = took
	p.PredictedSeconds = float64(p.SynOps)/rates.SynOps + float64(p.Updates)/rates.Updates
	p.FarSeconds = float64(p.SynOps)/rates.Far + float64(p.Updates)/rates.Updates
	for l := range m.Layers {
		padded := float64((sizes[l+1] + 63) / 64 * 64)
		p.PredictedBytes += float64(sizes[l])*(padded+16) + 7*4*padded // two bounds an axon; q, u, v, minus, held, counts and spikes
	}
	runtime.KeepAlive(m)
	return p, nil
}

// heap is what is in use after a collection.
func heap() float64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return float64(s.HeapAlloc)
}
