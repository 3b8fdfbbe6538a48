package float

import (
	"context"
	"fmt"
	"sync/atomic"

	"glsnn/float/dataset"
	"glsnn/float/simd"
)

// Evaluation is what a network says of a set.
type Evaluation struct {
	Class     []int     // predicted class of each sample
	Correct   int       // how many are the label
	SpikeRate []float64 // spikes a neuron and tick, each layer (0 for an integrating read-out); nil in paper mode, whose S is no count
}

// Accuracy is the share of right answers, 0..1.
func (e *Evaluation) Accuracy() float64 { return float64(e.Correct) / float64(len(e.Class)) }

// Evaluate classifies every sample of set from rest. done, if not nil, is
// called with the number of samples finished so far, from any goroutine. The
// error is the context's.
func (n *Network) Evaluate(ctx context.Context, set *dataset.Set, workers int, done func(int)) (*Evaluation, error) {
	if got, want := set.Rows*set.Cols, n.Sizes[0]; got != want {
		return nil, fmt.Errorf("%s: pixels: got %d, want the network's %d inputs", set.Name, got, want)
	}
	e := &Evaluation{Class: make([]int, set.Len())}
	if n.Mode == Chip {
		e.SpikeRate = make([]float64, n.Layers())
	}
	workers = max(1, workers)
	spikes := make([][]float64, workers)
	var finished atomic.Int64
	loops := make([]loop, workers)
	outs := make([][]float32, workers)
	var rows []matrix
	var packed []simd.Packed
	if n.Mode == Chip {
		rows = n.newRows()
	} else {
		packed = n.pack(nil)
	}
	parallel(workers, set.Len(), groupSize, func(w, lo, hi int) {
		l := &loops[w]
		if spikes[w] == nil {
			spikes[w] = make([]float64, n.Layers())
			outs[w] = make([]float32, n.Sizes[len(n.Sizes)-1])
			*l = n.newLoop().on(rows)
		}
		if ctx.Err() != nil {
			return
		}
		if n.Mode == Chip {
			for i := lo; i < hi; i++ {
				l.states[i-lo].Reset()
				l.states[i-lo].load(i, set.Image(i))
			}
			run(l.states[:hi-lo])
		} else {
			var images [][]uint8
			for i := lo; i < hi; i++ {
				images = append(images, set.Image(i))
			}
			l.paper.weights = packed
			l.paper.run(images)
		}
		for i := lo; i < hi; i++ {
			if n.Mode == Chip {
				st := l.states[i-lo]
				st.Output(outs[w])
				for l := range spikes[w] {
					for _, c := range st.Counts(l) {
						spikes[w][l] += float64(c) // whole numbers: exact in any order
					}
				}
			} else {
				p := l.paper
				copy(outs[w], p.of(p.s[len(p.s)-1], len(outs[w]), i-lo))
			}
			e.Class[i] = Argmax(outs[w])
			finished.Add(1)
		}
		if done != nil {
			done(int(finished.Load()))
		}
	})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	for i, c := range e.Class {
		if c == int(set.Labels[i]) {
			e.Correct++
		}
	}
	for l := range e.SpikeRate {
		sum := 0.0
		for _, s := range spikes {
			if s != nil {
				sum += s[l]
			}
		}
		e.SpikeRate[l] = sum / float64(set.Len()*n.Ticks*n.Sizes[l+1])
	}
	return e, nil
}

// Moments are the second moments of each layer's inputs in chip mode over the
// samples of set: [l] is [Sizes[l]][Sizes[l]], the sum of the products of two units'
// spikes in the window. The error is the context's.
func (n *Network) Moments(ctx context.Context, set *dataset.Set) ([][]float64, error) {
	moments := make([][]float64, n.Layers())
	for l := range moments {
		moments[l] = make([]float64, n.Sizes[l]*n.Sizes[l])
	}
	l, input := n.newLoop().on(n.newRows()), make([]float32, n.Sizes[0])
	var active []int
	for lo := 0; lo < set.Len(); lo += groupSize {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		group := min(groupSize, set.Len()-lo)
		for i := range group {
			l.states[i].Reset()
			l.states[i].load(lo+i, set.Image(lo+i))
		}
		run(l.states[:group])
		for _, st := range l.states[:group] {
			st.inputCounts(input)
			counts := input
			for k, m := range moments {
				active = addProducts(m, counts, active[:0])
				counts = st.Counts(k)
			}
		}
	}
	return moments, nil
}

// addProducts adds counts' outer product to m and returns which are not 0.
func addProducts(m []float64, counts []float32, active []int) []int {
	for j, c := range counts {
		if c != 0 {
			active = append(active, j)
		}
	}
	for _, i := range active {
		row := m[i*len(counts):][:len(counts)]
		for _, j := range active {
			row[j] += float64(counts[i]) * float64(counts[j]) // whole numbers
		}
	}
	return active
}
