package float

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestGroups: every spike is in the sum of its tick once, whether units share their
// ticks or not.
func TestGroups(t *testing.T) {
	var g groups
	var z grouping
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 7))
		units, ticks, n := rng.IntN(300), 1+rng.IntN(tickBlock), 1+rng.IntN(40)
		ways := make([]uint32, 1+rng.IntN(100))
		for i := range ways {
			ways[i] = uint32(rng.Uint64()) & (1<<ticks - 1)
		}
		spikes := make([]uint32, units)
		for i := range spikes {
			spikes[i] = ways[rng.IntN(len(ways))]
		}
		w := make([]float32, units*n) // whole numbers: no sum is rounded
		for i := range w {
			w[i] = float32(rng.IntN(100))
		}
		want := make([]float32, ticks*n)
		for i, x := range spikes {
			for tick := range ticks {
				for j := range n {
					want[tick*n+j] += float32(x>>tick&1) * w[i*n+j]
				}
			}
		}
		g.set(&z, spikes, ticks)
		p, got := make([]float32, g.rows.Len()*n), make([]float32, ticks*n)
		g.rows.Sum(p, n, w, n, n)
		g.ticks.Sum(got, n, p, n, n)
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: %d units, %d ticks: other sums than spike by spike", seed, units, ticks)
		}
		if g.ticks.Len() != ticks {
			t.Fatalf("seed %d: got sums for %d ticks, want %d", seed, g.ticks.Len(), ticks)
		}
	}
}

// TestGroupsAreShared: units that spike alike are one group; those that do not fall
// into single ticks.
func TestGroupsAreShared(t *testing.T) {
	var g groups
	var z grouping
	spikes := make([]uint32, 200)
	for i := range spikes {
		spikes[i] = []uint32{0, 1023, 0b0101010101, 0b1010101010}[i%4]
	}
	if g.set(&z, spikes, 10); g.rows.Len() != 3 {
		t.Errorf("got %d groups, want 3", g.rows.Len())
	}
	for i := range spikes {
		spikes[i] = uint32(i + 1)
	}
	if g.set(&z, spikes, 8); g.rows.Len() != 15+12 { // of the lower four ticks and the upper
		t.Errorf("got %d groups, want 27", g.rows.Len())
	}
}
