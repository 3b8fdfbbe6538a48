package quantize

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"glsnn/fixedpoint"
	"glsnn/float"
	"glsnn/float/encode"
)

// sensitivity has widths from 2 bits on with the given losses; below 0 is none.
func sensitivity(synapses int, losses ...float64) Sensitivity {
	s := Sensitivity{Synapses: synapses}
	for i, x := range losses {
		t := Trial{Bits: MinBits + i}
		if x >= 0 {
			t.Loss = &x
		}
		s.Widths = append(s.Widths, t)
	}
	return s
}

func TestChoose(t *testing.T) {
	for _, c := range []struct {
		name  string
		table []Sensitivity
		mean  float64
		want  []int
	}{
		{"room for all", []Sensitivity{sensitivity(10, 3, 2, 1), sensitivity(10, 3, 2, 1)}, 4, []int{4, 4}},
		{"the small layer keeps its bits", []Sensitivity{sensitivity(90, 3, 2, 1), sensitivity(10, 3, 2, 1)}, 3.1, []int{3, 4}},
		{"the sensitive layer keeps its bits", []Sensitivity{sensitivity(10, 9, 5, 0), sensitivity(10, 1, 1, 0)}, 3, []int{4, 2}},
		{"a bit that gains nothing is saved", []Sensitivity{sensitivity(10, 1, 0, 0)}, 4, []int{3}},
		{"a measured gain is chance", []Sensitivity{sensitivity(10, 9, 0, 4, 1), sensitivity(10, 9, 3, 1, 1)}, 4, []int{5, 3}},
		{"a refused width", []Sensitivity{sensitivity(10, -1, 2, 1), sensitivity(10, 5, 1, 1)}, 3, []int{3, 3}},
		{"none", []Sensitivity{sensitivity(10, -1, 2, 1)}, 2.5, []int{0}},
	} {
		err := choose(c.table, c.mean)
		got := []int{}
		for _, s := range c.table {
			got = append(got, s.Bits)
		}
		if !slices.Equal(got, c.want) || (err != nil) != (c.want[0] == 0) {
			t.Errorf("%s: got %v, %v, want %v", c.name, got, err, c.want)
		}
	}
}

// TestChooseBest compares with all combinations on random tables.
func TestChooseBest(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 300 {
		var table []Sensitivity
		synapses := 0
		for range 1 + rng.IntN(4) {
			losses := make([]float64, 2+rng.IntN(4))
			for i := range losses {
				losses[i] = float64(rng.IntN(20))
			}
			slices.Sort(losses)
			slices.Reverse(losses)
			s := sensitivity(1+rng.IntN(50), losses...)
			synapses += s.Synapses
			table = append(table, s)
		}
		mean := 2 + 2*rng.Float64()
		if err := choose(table, mean); err != nil {
			t.Fatal(err)
		}
		sum := func(at func(l int) int) (size int, loss float64) {
			for l, s := range table {
				size += s.Widths[at(l)].Bits * s.Synapses
				loss += *s.Widths[at(l)].Loss
			}
			return size, loss
		}
		gotSize, got := sum(func(l int) int { return table[l].Bits - MinBits })
		index := make([]int, len(table))
		for {
			size, loss := sum(func(l int) int { return index[l] })
			if float64(size) <= mean*float64(synapses) && (loss < got || loss == got && size < gotSize) {
				t.Fatalf("%+v, %v bits: got %d bits with loss %v, and %v has %d with %v", table, mean, gotSize, got, index, size, loss)
			}
			l := 0
			for ; l < len(index); l++ {
				if index[l]++; index[l] < len(table[l].Widths) {
					break
				}
				index[l] = 0
			}
			if l == len(index) {
				break
			}
		}
		if float64(gotSize) > mean*float64(synapses) {
			t.Fatalf("%d bits, want at most %v", gotSize, mean*float64(synapses))
		}
	}
}

// TestSearch: each layer is tried at each width of the target with the others at
// the widest, and an error of the measurement ends the search.
func TestSearch(t *testing.T) {
	c := float.Config{
		Mode: float.Chip, Sizes: []int{6, 5, 3}, Ticks: 4, Encoder: encode.Rate, CurrentDecay: float.DecayOne,
		Reset: float.ResetZero, Readout: float.ReadMembrane,
	}
	net, err := float.NewNetwork(c, 1, 3)
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Arithmetic: fixedpoint.Wide(), Scheme: MSE, Rounding: fixedpoint.NearestEven}
	o.Arithmetic.Weight.Bits = 4
	var seen [][2]int
	table, err := Search(net, o, 3, func(m *fixedpoint.Model) (float64, error) {
		a, b := m.Layers[0].WeightBits, m.Layers[1].WeightBits
		seen = append(seen, [2]int{a, b})
		return float64(8 - a - b), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := [][2]int{{4, 4}, {2, 4}, {3, 4}, {4, 2}, {4, 3}}; !slices.Equal(seen, want) {
		t.Errorf("tried %v, want %v", seen, want)
	}
	// 2 and 4 bits for 30 and 15 synapses lose no more than 3 and 3, and are fewer in all.
	if table[0].Bits != 2 || table[1].Bits != 4 {
		t.Errorf("chosen %d and %d, want 2 and 4", table[0].Bits, table[1].Bits)
	}
	boom := errors.New("boom")
	if _, err := Search(net, o, 3, func(*fixedpoint.Model) (float64, error) { return 0, boom }); !errors.Is(err, boom) {
		t.Errorf("got %v, want the measurement's error", err)
	}
	for _, mean := range []float64{1.9, 4.1} {
		if _, err := Search(net, o, mean, nil); err == nil {
			t.Errorf("%v bits: got no error", mean)
		}
	}
}
