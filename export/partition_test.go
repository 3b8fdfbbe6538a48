package export_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"glsnn/export"
	"glsnn/export/place"
	"glsnn/fixedpoint"
	"glsnn/fixedpoint/fptest"
	"glsnn/targets"
)

func load(t testing.TB, name string) *targets.Chip {
	t.Helper()
	chip, err := targets.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return chip
}

// shape is a model of which Partition sees no more than it looks at.
func shape(bits int, sizes ...int) *fixedpoint.Model {
	m := &fixedpoint.Model{}
	for i := range len(sizes) - 1 {
		m.Layers = append(m.Layers, fixedpoint.Layer{In: sizes[i], Out: sizes[i+1], WeightBits: bits})
	}
	return m
}

// placed is where Map places so many parts.
func placed(t *testing.T, parts int, f targets.Fabric) []targets.CoreID {
	t.Helper()
	cores, err := place.Place(context.Background(), &place.Problem{Fabric: f, Parts: parts}, place.Serpentine, place.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return cores
}

func counts(parts []export.Part, layers int) []int {
	k := make([]int, layers)
	for _, p := range parts {
		k[p.Layer]++
	}
	return k
}

// memory is SynapseMemory written as what it means: synapse by synapse.
func memory(c targets.Core, axons, neurons, bits int) int64 {
	stored := slices.MinFunc(c.WeightBits, func(a, b int) int {
		far := func(w int) int {
			if w < bits {
				return 1000
			}
			return w
		}
		return far(a) - far(b)
	})
	y := c.SynapseLayout
	block := y.BlockSynapses
	if block == 0 {
		block = neurons
	}
	var row int64
	for first := 0; first < neurons; first += block {
		b := y.BlockHeaderBits
		for n := first; n < min(first+block, neurons); n++ {
			b += stored
		}
		for b%y.WordBits != 0 {
			b++
		}
		row += int64(b)
	}
	return row * int64(axons)
}

// TestPartitionFewest compares with every way to cut small networks on random
// small chips: the parts of each layer are as few as in any way that fits, and
// there is a FitError exactly where no way does.
func TestPartitionFewest(t *testing.T) {
	fitted, refused := 0, 0
	for seed := range uint64(1500) {
		rng := rand.New(rand.NewPCG(seed, 1))
		chip := *load(t, "toy")
		chip.Core = targets.Core{
			Neurons: 1 + rng.IntN(8), AxonsIn: 4 + rng.IntN(10), AxonsOut: 1 + rng.IntN(16), SynapseBits: int64(20 + rng.IntN(500)),
			WeightBits:    [][]int{{4}, {2, 3, 4}, {1, 4, 8}}[rng.IntN(3)],
			SynapseLayout: targets.SynapseLayout{WordBits: 1 + rng.IntN(9), BlockSynapses: rng.IntN(4), BlockHeaderBits: rng.IntN(5)},
		}
		chip.Fabric.Multicast = rng.IntN(3) == 0
		sizes := make([]int, 2+rng.IntN(3))
		for i := range sizes {
			sizes[i] = 1 + rng.IntN(10)
		}
		bits := 1 + rng.IntN(4)
		m := shape(bits, sizes...)
		layers := len(m.Layers)

		fewest := make([]int, layers)
		k := make([]int, layers)
		var try func(l int)
		try = func(l int) { // layers above l are cut
			if l < 0 {
				for i := range k {
					if fewest[i] == 0 || k[i] < fewest[i] {
						fewest[i] = k[i]
					}
				}
				return
			}
			for k[l] = 1; k[l] <= m.Layers[l].Out; k[l]++ {
				n := (m.Layers[l].Out + k[l] - 1) / k[l]
				out := 0
				if l < layers-1 {
					out = k[l+1]
				}
				if chip.Fabric.Multicast {
					out = min(out, 1)
				}
				c := chip.Core
				if n <= c.Neurons && m.Layers[l].In <= c.AxonsIn && n*out <= c.AxonsOut && memory(c, m.Layers[l].In, n, bits) <= c.SynapseBits {
					try(l - 1)
				}
			}
		}
		try(layers - 1)

		parts, err := export.Partition(m, &chip)
		total := 0
		for _, n := range fewest {
			total += n
		}
		if fewest[0] == 0 || total > chip.Fabric.Cores() {
			refused++
			fe := (*export.FitError)(nil)
			if !errors.As(err, &fe) || !errors.Is(err, export.ErrNoFit) || fe.Need <= fe.Have {
				t.Fatalf("seed %d: got %v, want a FitError", seed, err)
			}
			if (fe.Layer == -1) != (fewest[0] > 0) {
				t.Fatalf("seed %d: got %v, with %v the fewest cores", seed, err, fewest)
			}
			continue
		}
		fitted++
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if got := counts(parts, layers); !reflect.DeepEqual(got, fewest) {
			t.Fatalf("seed %d: got %v parts, want %v", seed, got, fewest)
		}
		for i, p := range parts { // sizes of a layer differ by at most one, larger first
			if i > 0 && parts[i-1].Layer == p.Layer && (p.Count > parts[i-1].Count || p.Count < parts[i-1].Count-1) {
				t.Fatalf("seed %d: got %v", seed, parts)
			}
		}
		mp := &export.Mapping{Model: m, Chip: &chip, Parts: parts, Cores: placed(t, len(parts), chip.Fabric)}
		if err := mp.Check(); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for _, u := range mp.Footprint() {
			if l := m.Layers[u.Part.Layer]; u.SynapseBits != memory(chip.Core, l.In, u.Neurons, bits) {
				t.Fatalf("seed %d: %+v: want %d bits", seed, u, memory(chip.Core, l.In, u.Neurons, bits))
			}
		}
	}
	t.Logf("%d fit, %d do not", fitted, refused)
	if fitted < 300 || refused < 300 {
		t.Errorf("%d fit, %d do not: too few of one", fitted, refused)
	}
}

// The figures of the shipped chips for the paper's network, worked out by hand
// from their limits.
func TestPartitionPaperNetwork(t *testing.T) {
	for _, c := range []struct {
		chip string
		bits int
		want []int
	}{
		// A row of 142 neurons of 8 bits is 3 blocks: 2 of 10 + 512 bits in 9
		// words of 64, one of 10 + 112 in 2; 20 words x 784 axons < 16384. 143
		// neurons would be 10 + 120 bits in 3 words: 21 x 784 > 16384.
		{"loihi", 8, []int{6, 6, 6, 1}},
		{"loihi", 4, []int{4, 4, 4, 1}}, // 256 neurons: 4 blocks of 10 + 256 bits in 5 words, 20 words again
		{"generic", 8, []int{4, 4, 4, 1}},
		{"generic", 4, []int{4, 4, 4, 1}}, // 256 neurons a core are the limit already
	} {
		parts, err := export.Partition(shape(c.bits, 784, 800, 800, 800, 10), load(t, c.chip))
		if err != nil {
			t.Fatal(err)
		}
		if got := counts(parts, 4); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s, %d bits: got %v cores, want %v", c.chip, c.bits, got, c.want)
		}
	}
	chip := load(t, "loihi")
	parts, err := export.Partition(shape(8, 784, 142, 10), chip)
	if err != nil || len(parts) != 2 {
		t.Errorf("142 neurons: got %v, %v, want one core a layer", parts, err)
	}
	if parts, err = export.Partition(shape(8, 784, 143, 10), chip); err != nil || len(parts) != 3 {
		t.Errorf("143 neurons: got %v, %v, want two cores for layer 0", parts, err)
	}
}

func TestFitErrors(t *testing.T) {
	type c = targets.Chip
	for _, x := range []struct {
		name string
		edit func(*c) // of toy
		m    *fixedpoint.Model
		want string
	}{
		{"in-axons", func(*c) {}, shape(4, 17, 2),
			"layer 0: in-axons of a core: need 17 axons, have 16 (target toy); narrow the layer below, or pool the images with --size; the fan-in cannot be split exactly: only spikes travel between cores, not partial sums"},
		{"weight width", func(*c) {}, shape(5, 3, 2),
			"layer 0: weight width: need 5 bits, have 4 (target toy); quantise to fewer bits"},
		{"synapse memory", func(x *c) { x.Core.SynapseBits = 79 }, shape(4, 10, 2),
			"layer 0: synapse memory of a core, for one neuron: need 80 bits, have 79 (target toy); narrow the layer below or use fewer weight bits"},
		{"out-axons", func(x *c) { x.Core.AxonsOut = 1 }, shape(4, 2, 2, 9),
			"layer 0: out-axons of a core, for one neuron: need 2 axons, have 1 (target toy); narrow the layer above, so that it takes fewer cores"},
		{"out-axons, multicast", func(x *c) { x.Core.AxonsOut = 1; x.Fabric.Multicast = true }, shape(4, 2, 2, 9), ""},
		{"cores", func(x *c) { x.Core.Neurons = 1 }, shape(4, 3, 15, 2),
			"network: cores: need 17 cores, have 16 (target toy); use fewer or narrower layers, fewer weight bits, or more chips"},
		{"cores of two chips", func(x *c) { x.Core.Neurons = 1; x.Fabric.Chips = 2 }, shape(4, 3, 15, 2), ""},
		{"every layer", func(x *c) { x.Core.SynapseBits = 8 }, shape(4, 17, 3, 20, 2), strings.Join([]string{
			"layer 2: in-axons of a core: need 20 axons, have 16 (target toy); narrow the layer below, or pool the images with --size; the fan-in cannot be split exactly: only spikes travel between cores, not partial sums",
			"layer 1: synapse memory of a core, for one neuron: need 24 bits, have 8 (target toy); narrow the layer below or use fewer weight bits",
			"layer 0: in-axons of a core: need 17 axons, have 16 (target toy); narrow the layer below, or pool the images with --size; the fan-in cannot be split exactly: only spikes travel between cores, not partial sums"}, "\n")},
	} {
		chip := *load(t, "toy")
		x.edit(&chip)
		_, err := export.Partition(x.m, &chip)
		got := ""
		if err != nil {
			got = err.Error()
			if !errors.Is(err, export.ErrNoFit) {
				t.Errorf("%s: not an ErrNoFit", x.name)
			}
		}
		if got != x.want {
			t.Errorf("%s:\n got %s\nwant %s", x.name, got, x.want)
		}
	}
}

// onToy is a random model in toy's arithmetic that maps to toy.
func onToy(t testing.TB, rng *rand.Rand, o fptest.ModelOptions) *export.Mapping {
	t.Helper()
	chip := load(t, "toy")
	o.Arithmetic = &chip.Arithmetic
	for range 1000 {
		if mp, err := export.Map(fptest.RandomModel(rng, o), chip); err == nil {
			return mp
		}
	}
	t.Fatal("no model of 1000 maps to toy")
	return nil
}

func TestMapInvariants(t *testing.T) {
	for seed := range uint64(200) {
		mp := onToy(t, rand.New(rand.NewPCG(seed, 2)), fptest.ModelOptions{Classic: true, Neurons: 15})
		if err := mp.Check(); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		// 1: CoreOf lists every neuron's core, cores do not repeat over parts.
		coreOf := mp.CoreOf()
		if len(coreOf) != mp.Model.Neurons() {
			t.Fatalf("seed %d: got %d cores of neurons, want %d", seed, len(coreOf), mp.Model.Neurons())
		}
		perCore := map[targets.CoreID]int{}
		for _, c := range coreOf {
			perCore[c]++
		}
		tiles := map[targets.TileID]bool{}
		for i, u := range mp.Footprint() {
			if perCore[u.Core] != u.Neurons || u.Neurons != mp.Parts[i].Count || u.AxonsIn != mp.Model.Layers[u.Part.Layer].In {
				t.Fatalf("seed %d: %+v", seed, u)
			}
			lo, hi := mp.LayerParts(u.Part.Layer + 1)
			if u.AxonsOut != u.Neurons*(hi-lo) {
				t.Fatalf("seed %d: %+v with %d cores above", seed, u, hi-lo)
			}
			tiles[mp.Chip.Fabric.Tile(u.Core)] = true
		}
		if len(perCore) != len(mp.Parts) || mp.Tiles() != len(tiles) {
			t.Fatalf("seed %d: got %d cores, %d tiles", seed, len(perCore), mp.Tiles())
		}
	}
}

// TestPlaceSerpentine fills whole fabrics: every core once, each next to the one
// before, chip after chip.
func TestPlaceSerpentine(t *testing.T) {
	for _, f := range []targets.Fabric{
		{Width: 4, Height: 2, CoresPerTile: 2, Chips: 1}, {Width: 1, Height: 5, CoresPerTile: 1, Chips: 1}, {Width: 5, Height: 1, CoresPerTile: 3, Chips: 2},
		{Width: 8, Height: 4, CoresPerTile: 4, Chips: 3}, {Width: 3, Height: 3, CoresPerTile: 1, Chips: 2},
	} {
		cores := placed(t, f.Cores(), f)
		seen := map[targets.CoreID]bool{}
		perChip := f.Cores() / f.Chips
		for i, c := range cores {
			if c < 0 || int(c) >= f.Cores() || seen[c] || int(c)/perChip != i/perChip {
				t.Fatalf("%+v: part %d on core %d", f, i, c)
			}
			seen[c] = true
			if i%perChip == 0 {
				continue
			}
			if dx, dy := f.Hops(cores[i-1], c); dx+dy > 1 || dx+dy == 1 != (i%f.CoresPerTile == 0) {
				t.Fatalf("%+v: parts %d and %d are %d + %d hops apart", f, i-1, i, dx, dy)
			}
		}
	}
}

func TestMapRefuses(t *testing.T) {
	chip := load(t, "toy")
	m := fixedpoint.Model{Arithmetic: fixedpoint.Wide(), Ticks: 1, Readout: fixedpoint.ReadCount, Layers: []fixedpoint.Layer{{
		In: 1, Out: 2, Weights: fixedpoint.NewMatrix(1, 2, []int16{100, 1}), WeightBits: 8, WeightExp: 6, CurrentDecay: 4096, Threshold: 64,
	}}}
	model, err := fixedpoint.NewModel(m)
	if err != nil {
		t.Fatal(err)
	}
	_, err = export.Map(model, chip)
	want := "target toy cannot express this network exactly: layer 0: weight_bits: got 8, want at most 4\n"
	if err == nil || !strings.HasPrefix(err.Error(), want) || errors.Is(err, export.ErrNoFit) {
		t.Errorf("got %v, want it to start %q", err, want)
	}
	re := (*fixedpoint.RangeError)(nil)
	if !errors.As(err, &re) {
		t.Errorf("%v: no RangeError inside", err)
	}

	// It lowers, and does not fit.
	m = *shape(2, 20, 2)
	m.Arithmetic, m.Ticks, m.Readout = chip.Arithmetic, 1, fixedpoint.ReadCount
	m.Layers[0].Weights = fixedpoint.NewMatrix(20, 2, make([]int16, 40))
	if _, err = export.Map(&m, chip); !errors.Is(err, export.ErrNoFit) {
		t.Errorf("got %v, want an ErrNoFit", err)
	}
}

// TestCheckFinds breaks one invariant at a time of a 3-9-2 network on toy:
// cores 0 and 1 hold layer 0, core 2 layer 1.
func TestCheckFinds(t *testing.T) {
	for want, edit := range map[string]func(*export.Mapping){
		"": func(*export.Mapping) {},
		"cores: got 2, want one for each of 3 parts":             func(m *export.Mapping) { m.Cores = m.Cores[:2] },
		"core 0: holds parts 0 and 1, want one":                  func(m *export.Mapping) { m.Cores[1] = 0 },
		"part 1: got core 16, want 0..15":                        func(m *export.Mapping) { m.Cores[1] = 16 },
		"part 2: got core -1, want 0..15":                        func(m *export.Mapping) { m.Cores[2] = -1 },
		"part 0: got layer 0 from neuron 5, want layer 0 from 0": func(m *export.Mapping) { m.Parts[0], m.Parts[1] = m.Parts[1], m.Parts[0] },
		"part 1: got layer 0 from neuron 4, want layer 0 from 5": func(m *export.Mapping) { m.Parts[1].First-- },
		"part 1: got 5 neurons, want 1..4":                       func(m *export.Mapping) { m.Parts[1].Count++ },
		"part 1: got 0 neurons, want 1..4":                       func(m *export.Mapping) { m.Parts[1].Count = 0 },
		"layer 1: neurons from 0 on lie on no core":              func(m *export.Mapping) { m.Parts, m.Cores = m.Parts[:2], m.Cores[:2] },
		"layer 1: neurons from 1 on lie on no core":              func(m *export.Mapping) { m.Parts[2].Count = 1 },
		"part 3: got layer 2, want none after the last layer": func(m *export.Mapping) {
			m.Parts, m.Cores = append(m.Parts, export.Part{Layer: 2, Count: 1}), append(m.Cores, 3)
		},
		"layer 0 on core 0: neurons: need 5, have 4 (target toy)":          func(m *export.Mapping) { m.Chip.Core.Neurons = 4 },
		"layer 0 on core 0: in-axons: need 3, have 2 (target toy)":         func(m *export.Mapping) { m.Chip.Core.AxonsIn = 2 },
		"layer 0 on core 0: out-axons: need 5, have 4 (target toy)":        func(m *export.Mapping) { m.Chip.Core.AxonsOut = 4 },
		"layer 0 on core 0: synapse memory: need 96, have 95 (target toy)": func(m *export.Mapping) { m.Chip.Core.SynapseBits = 95 },
		"layer 0: weight bits: got 4, want at most the widest of [2 3] (target toy)": func(m *export.Mapping) {
			m.Chip.Core.WeightBits = []int{2, 3}
		},
	} {
		chip := load(t, "toy")
		m := shape(4, 3, 9, 2)
		parts, err := export.Partition(m, chip)
		if err != nil {
			t.Fatal(err)
		}
		mp := &export.Mapping{Model: m, Chip: chip, Parts: parts, Cores: placed(t, len(parts), chip.Fabric)}
		edit(mp)
		got := ""
		if err := mp.Check(); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// ExampleMap lays a network of 3 inputs, 9 hidden neurons and 2 outputs on the
// toy chip, whose cores hold 8 neurons.
func ExampleMap() {
	chip, err := targets.Load("toy")
	if err != nil {
		fmt.Println(err)
		return
	}
	layer := func(in, out int) fixedpoint.Layer {
		return fixedpoint.Layer{In: in, Out: out, Weights: fixedpoint.NewMatrix(in, out, make([]int16, in*out)), WeightBits: 4, Threshold: 5}
	}
	model, err := fixedpoint.NewModel(fixedpoint.Model{
		Arithmetic: chip.Arithmetic, Ticks: 4, Readout: fixedpoint.ReadCount, Layers: []fixedpoint.Layer{layer(3, 9), layer(9, 2)},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	mapping, err := export.Map(model, chip)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, u := range mapping.Footprint() {
		fmt.Printf("core %d, tile %d,%d: layer %d from %d: %d neurons, %d in-axons, %d out-axons, %d bits\n",
			u.Core, u.X, u.Y, u.Part.Layer, u.Part.First, u.Neurons, u.AxonsIn, u.AxonsOut, u.SynapseBits)
	}
	_, err = export.Partition(&fixedpoint.Model{Layers: []fixedpoint.Layer{{In: 20, Out: 2, WeightBits: 4}}}, chip)
	fmt.Println(err)
	// Output:
	// core 0, tile 0,0: layer 0 from 0: 5 neurons, 3 in-axons, 5 out-axons, 96 bits
	// core 1, tile 0,0: layer 0 from 5: 4 neurons, 3 in-axons, 4 out-axons, 72 bits
	// core 2, tile 1,0: layer 1 from 0: 2 neurons, 9 in-axons, 0 out-axons, 144 bits
	// layer 0: in-axons of a core: need 20 axons, have 16 (target toy); narrow the layer below, or pool the images with --size; the fan-in cannot be split exactly: only spikes travel between cores, not partial sums
}
