package float

import (
	"context"
	"slices"
	"testing"
)

// TestRowSigns: before and after training every row has its one sign, half of
// the rows each; hidden rows are excitatory first; another seed draws others.
func TestRowSigns(t *testing.T) {
	set, _ := digits(t, 200, 10)
	for _, optimiser := range []Optimiser{Adam, SGD} {
		tr := testTrainer(t, set, func(_ *Config, tc *TrainConfig) { tc.RowSigns, tc.Optimiser = true, optimiser })
		before := cloneWeights(tr.Net.Weights)
		check := func(when string) {
			for l, w := range tr.Net.Weights {
				in, out := tr.Net.Sizes[l], tr.Net.Sizes[l+1]
				positive, used := 0, 0
				for i, sign := range tr.signs[l] {
					row := w[i*out : (i+1)*out]
					if sign > 0 {
						positive++
					}
					if slices.ContainsFunc(row, func(w float32) bool { return w*sign < 0 }) {
						t.Fatalf("%s, %s: layer %d row %d has a weight against its sign", optimiser, when, l, i)
					}
					if slices.ContainsFunc(row, func(w float32) bool { return w != 0 }) {
						used++
					}
					if l > 0 && (sign > 0) != (i < (in+1)/2) {
						t.Errorf("layer %d row %d: got sign %v, want the excitatory half first", l, i, sign)
					}
				}
				if positive != (in+1)/2 || used < in/2 {
					t.Errorf("%s: layer %d: %d of %d rows are excitatory, %d have weights", when, l, positive, in, used)
				}
			}
		}
		check("before")
		if err := tr.Run(context.Background(), Hooks{}); err != nil {
			t.Fatal(err)
		}
		check("after")
		if slices.Equal(before[0], tr.Net.Weights[0]) {
			t.Error("nothing was learned")
		}
		other, err := NewNetwork(tr.Net.Config, 1, 1)
		if err != nil {
			t.Fatal(err)
		}
		if slices.Equal(other.OneSign(tr.Config.Seed + 1)[0], tr.signs[0]) {
			t.Error("another seed drew the same signs")
		}
	}
}

// TestFloorByHand: each weight goes straight into the membrane, which stops at
// 0 after each, so that order counts.
func TestFloorByHand(t *testing.T) {
	n := &Network{
		Config:  Config{Mode: Chip, Sizes: []int{3, 2, 2}, Ticks: 3, Encoder: "rate", CurrentDecay: DecayOne, Reset: ResetZero, Readout: ReadMembrane, Floor: true},
		Weights: [][]float32{{-0.5, 0.75, 0.75, -0.5, 0.5, 0.5}, {0.5, -0.25, -0.75, 0.5}},
	}
	if err := n.Validate(); err != nil {
		t.Fatal(err)
	}
	s := n.NewState()
	for tick, want := range []struct {
		in, fired   []int32
		hidden, out []float32
	}{
		{[]int32{0, 1}, nil, []float32{0.75, 0.25}, []float32{0, 0}},             // 0 0.75; 0.75 0.25
		{[]int32{0, 1, 2}, []int32{0}, []float32{0, 1}, []float32{0.5, 0}},       // 0.25 1 1.5; 1 0.5 1, not above; -0.25
		{[]int32{0, 1, 2}, []int32{0, 1}, []float32{0, 0}, []float32{0.25, 0.5}}, // 0 0.75 1.25; 1.75 1.25 1.75; 1 0.25, 0 0.5
		{[]int32{1}, nil, []float32{0.75, 0}, []float32{0.25, 0.5}},              // -0.5 stops at 0
	} {
		s.Step(want.in)
		if !slices.Equal(s.Fired(0), want.fired) || !slices.Equal(s.Membrane(0), want.hidden) || !slices.Equal(s.Membrane(1), want.out) {
			t.Errorf("tick %d: fired %v, hidden %v, outputs %v; want %v", tick, s.Fired(0), s.Membrane(0), s.Membrane(1), want)
		}
	}
}
