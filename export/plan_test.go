package export_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"glsnn/export"
	"glsnn/export/place"
	"glsnn/fixedpoint/fptest"
)

// several is a mapping with more than two parts and layers.
func several(t *testing.T) *export.Mapping {
	t.Helper()
	for seed := range uint64(100) {
		mp := onToy(t, rand.New(rand.NewPCG(seed, 2)), fptest.ModelOptions{Classic: true, Neurons: 15, Layers: 3})
		if len(mp.Parts) > 2 && len(mp.Model.Layers) > 1 {
			return mp
		}
	}
	t.Fatal("none of 100")
	return nil
}

// A layout is its mapping, and no other: each invariant of Mapping is checked.
func TestLayout(t *testing.T) {
	mp := several(t)
	l := mp.Layout("by hand")
	again, err := export.MapTo(mp.Model, mp.Chip, l)
	if err != nil || !reflect.DeepEqual(again, mp) {
		t.Fatalf("got %+v, %v, want %+v", again, err, mp)
	}
	for name, edit := range map[string]func(*export.Layout){
		"a part less":    func(l *export.Layout) { l.Parts = l.Parts[1:] },
		"a core twice":   func(l *export.Layout) { l.Parts[1].Core = l.Parts[0].Core },
		"no such core":   func(l *export.Layout) { l.Parts[0].Core = 1 << 20 },
		"a neuron twice": func(l *export.Layout) { l.Parts[0].Count++ },
		"a layer more": func(l *export.Layout) {
			l.Parts = append(l.Parts, export.PlacedPart{Part: export.Part{Layer: 9}, Core: 15})
		},
	} {
		broken := mp.Layout("")
		edit(broken)
		if _, err := export.MapTo(mp.Model, mp.Chip, broken); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

// TestSpread: twice the cores a layer, as far as it has neurons; every limit holds.
func TestSpread(t *testing.T) {
	chip := load(t, "loihi")
	parts, err := export.PartitionSpread(shape(8, 784, 800, 800, 800, 10), chip, 2)
	if err != nil {
		t.Fatal(err)
	}
	if got := counts(parts, 4); !reflect.DeepEqual(got, []int{12, 12, 12, 2}) {
		t.Errorf("got %v cores, want twice 6, 6, 6, 1", got)
	}
	if parts, err = export.PartitionSpread(shape(8, 20, 3, 1), chip, 5); err != nil || !reflect.DeepEqual(counts(parts, 2), []int{3, 1}) {
		t.Errorf("got %v, %v, want a core for each neuron", parts, err)
	}
	if _, err = export.PartitionSpread(shape(8, 784, 800, 800, 800, 10), chip, 9); !errors.Is(err, export.ErrNoFit) {
		t.Errorf("got %v, want no fit: 9 x 19 cores", err)
	}
}

// TestProblem: messages are spikes times in-axons, of the traffic given.
func TestProblem(t *testing.T) {
	mp := several(t)
	traffic := make([][]uint64, len(mp.Model.Layers))
	total := uint64(0)
	for l, layer := range mp.Model.Layers {
		for i := range layer.Out {
			n := uint64(i*7%5 + l)
			traffic[l] = append(traffic[l], n)
			if l+1 < len(traffic) {
				total += n
			}
		}
	}
	p, err := mp.Problem(traffic)
	if err != nil {
		t.Fatal(err)
	}
	sum := uint64(0)
	for _, f := range p.Flows {
		sum += f.Messages
	}
	if sum != total || p.Parts != len(mp.Parts) {
		t.Errorf("got %d messages of %d parts, want %d of %d", sum, p.Parts, total, len(mp.Parts))
	}
	for _, bad := range [][][]uint64{{}, append(traffic[:len(traffic)-1:len(traffic)-1], nil)} {
		if _, err := mp.Problem(bad); err == nil || !strings.Contains(err.Error(), "traffic: ") {
			t.Errorf("got %v, want an error of the traffic", err)
		}
	}
	// An interrupted search is a mapping with the reason beside it.
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	got, err := export.MapWith(ctx, mp.Model, mp.Chip, export.Plan{Method: place.Anneal, Traffic: traffic})
	if !errors.Is(err, context.Canceled) || got == nil || got.Check() != nil {
		t.Errorf("got %v, %v, want a mapping and the reason", got, err)
	}
}

// BenchmarkFill cuts and places networks of 256 neurons a core, layers of 100
// cores, by fill and a Hilbert curve, and measures the loads of the links.
func BenchmarkFill(b *testing.B) {
	for _, cores := range []int{1000, 10000} {
		chip := load(b, "generic")
		chip.Core.AxonsIn, chip.Core.SynapseBits = 25600, 25600*256*8
		chip.Fabric.Width, chip.Fabric.Height, chip.Fabric.Multicast = 100, 100, true
		sizes := make([]int, cores/100+1)
		for i := range sizes {
			sizes[i] = 25600
		}
		m := shape(8, sizes...)
		b.Run(fmt.Sprint(cores), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				parts, err := export.Partition(m, chip)
				if err != nil || len(parts) != cores {
					b.Fatal(len(parts), err)
				}
				mp := &export.Mapping{Model: m, Chip: chip, Parts: parts}
				p, err := mp.Problem(nil)
				if err != nil {
					b.Fatal(err)
				}
				if mp.Cores, err = place.Place(context.Background(), p, place.Hilbert, place.Options{}); err != nil {
					b.Fatal(err)
				}
				p.Measure(mp.Cores)
			}
		})
	}
}
