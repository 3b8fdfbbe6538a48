package parity

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"glsnn/emulator"
	"glsnn/fixedpoint"
	"glsnn/float/dataset"
	"glsnn/float/encode"
)

// Sameness is what Same found.
type Sameness struct {
	Samples    int                `json:"samples"`
	Mismatches int                `json:"mismatches"` // samples in which any state, spike or score differs
	First      *emulator.Mismatch `json:"first"`      // of the lowest such sample
	Spikes     uint64             `json:"spikes"`     // compared, of the model wanted
	Counters   emulator.Counters  `json:"-"`          // of the model got
}

// Same runs two models on every sample of set, in lockstep, and compares every
// sum, current, membrane, spike and score after every tick: got against want.
// With delay, got is run once more as a chip that takes a tick from layer to
// layer runs it, and its scores at the end must be those of want.
// The models must have the same shape, and set and enc must fit it.
func Same(ctx context.Context, got, want *fixedpoint.Model, set *dataset.Set, enc encode.Encoder, delay bool, workers int, done func(int)) (*Sameness, error) {
	if len(got.Layers) != len(want.Layers) || got.Ticks != want.Ticks {
		return nil, fmt.Errorf("models: got %d layers over %d ticks, want %d over %d", len(got.Layers), got.Ticks, len(want.Layers), want.Ticks)
	}
	for i, l := range got.Layers {
		if o := want.Layers[i]; l.In != o.In || l.Out != o.Out {
			return nil, fmt.Errorf("models: layer %d: got %d x %d, want %d x %d", i, l.In, l.Out, o.In, o.Out)
		}
	}
	if n := set.Rows * set.Cols; n != got.Inputs() {
		return nil, fmt.Errorf("%s: pixels: got %d, want the models' %d inputs", set.Name, n, got.Inputs())
	}
	if enc.Ticks != got.Ticks {
		return nil, fmt.Errorf("encoder: ticks: got %d, want the models' %d", enc.Ticks, got.Ticks)
	}
	s := &Sameness{Samples: set.Len()}
	var mu sync.Mutex
	var next, finished atomic.Int64
	var wg sync.WaitGroup
	for range max(1, min(workers, set.Len())) {
		wg.Go(func() {
			a, b := emulator.New(got, emulator.Options{}), emulator.New(want, emulator.Options{})
			var late *emulator.Engine
			if delay {
				late = emulator.New(got, emulator.Options{Delay: true})
			}
			var scores, wanted []int64
			cmp := emulator.NewComparer(got)
			var train encode.Train
			for {
				i := int(next.Add(1)) - 1
				if i >= set.Len() || ctx.Err() != nil {
					break
				}
				enc.Encode(&train, i, set.Image(i))
				a.Reset()
				b.Reset()
				var d *emulator.Mismatch
				for t := 0; t < got.Ticks && d == nil; t++ {
					a.Step(train.At(t))
					b.Step(train.At(t))
					if d = cmp.State(a, b); d != nil {
						d.Tick = t
					}
				}
				if late != nil && d == nil {
					late.Reset()
					last := got.Ticks + len(got.Layers) - 1
					for t := range last {
						var in []int32
						if t < got.Ticks {
							in = train.At(t)
						}
						late.Step(in)
					}
					scores, wanted = late.Scores(scores), b.Scores(wanted)
					for j := range wanted {
						if scores[j] != wanted[j] {
							d = &emulator.Mismatch{
								Tick: last - 1, Layer: len(got.Layers) - 1, Neuron: j, What: "score with a tick from layer to layer",
								Got: scores[j], Want: wanted[j],
							}
							break
						}
					}
				}
				if d != nil {
					d.Sample = i
					mu.Lock()
					s.Mismatches++
					if s.First == nil || i < s.First.Sample {
						s.First = d
					}
					mu.Unlock()
				}
				if done != nil {
					done(int(finished.Add(1)))
				}
			}
			mu.Lock()
			s.Spikes += b.Counters().Totals().Spikes
			s.Counters.Add(a.Counters())
			mu.Unlock()
		})
	}
	wg.Wait()
	return s, ctx.Err()
}
