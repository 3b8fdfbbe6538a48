package encode

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
)

// TestRateIsIntegrateAndFire compares the closed form with the neuron that
// Rate's comment describes, for every pixel value and windows to 140 ticks.
func TestRateIsIntegrateAndFire(t *testing.T) {
	pixels := make([]uint8, 256)
	for i := range pixels {
		pixels[i] = uint8(i)
	}
	var train Train
	Encoder{Kind: Rate, Ticks: 140}.Encode(&train, 0, pixels)
	acc := make([]int, 256)
	count := make([]int, 256)
	for i := range acc {
		acc[i] = 127
	}
	for tick := range 140 {
		var want []int32
		for i := range acc {
			if acc[i] += i; acc[i] >= 255 {
				acc[i] -= 255
				want = append(want, int32(i))
				count[i]++
			}
			if got := (127 + i*(tick+1)) / 255; got != count[i] {
				t.Fatalf("pixel %d after %d ticks: %d spikes, want %d", i, tick+1, count[i], got)
			}
		}
		if !slices.Equal(train.At(tick), want) {
			t.Fatalf("tick %d: got %v, want %v", tick, train.At(tick), want)
		}
	}
}

// TestRateOfAnyLength: pixels left over from the words that the encoder skips,
// dark runs, and a train that is used again.
func TestRateOfAnyLength(t *testing.T) {
	var train Train
	for n := range 40 {
		for run := 1; run < 20; run += 6 {
			pixels := make([]uint8, n)
			for i := range pixels {
				if i/run%2 == 0 {
					pixels[i] = uint8(100 + 7*i)
				}
			}
			e := Encoder{Kind: Rate, Ticks: 60 + n}
			e.Encode(&train, 0, pixels)
			if train.Ticks() != e.Ticks {
				t.Fatalf("%d pixels: got %d ticks, want %d", n, train.Ticks(), e.Ticks)
			}
			for tick := range e.Ticks {
				var want []int32
				for i, p := range pixels {
					if (127+int(p)*(tick+1))/255 > (127+int(p)*tick)/255 {
						want = append(want, int32(i))
					}
				}
				if !slices.Equal(train.At(tick), want) {
					t.Fatalf("%d pixels, runs of %d, tick %d: got %v, want %v", n, run, tick, train.At(tick), want)
				}
			}
		}
	}
}

func TestBernoulliRate(t *testing.T) {
	pixels := []uint8{0, 25, 51, 128, 255}
	e := Encoder{Kind: Bernoulli, Ticks: 2000, Seed: 7}
	var train Train
	e.Encode(&train, 3, pixels)
	n := make([]float32, len(pixels))
	train.Counts(n)
	for i, p := range pixels {
		got, want := float64(n[i])/2000, float64(p)/255
		if got < want-0.04 || got > want+0.04 {
			t.Errorf("pixel %d: rate %.3f, want about %.3f", p, got, want)
		}
	}
	if n[0] != 0 || n[4] != 2000 {
		t.Errorf("pixels 0 and 255: got %v and %v spikes, want 0 and 2000", n[0], n[4])
	}
}

// TestGolden freezes the trains: they are part of what a model file means.
func TestGolden(t *testing.T) {
	pixels := make([]uint8, 784)
	for i := range pixels {
		pixels[i] = uint8(i * i / 7)
	}
	for kind, want := range map[Kind]string{
		Rate:      "3bb54d1f",
		Bernoulli: "ce21f98e",
	} {
		var train Train
		Encoder{Kind: kind, Ticks: 10, Seed: 5}.Encode(&train, 17, pixels)
		h := sha256.New()
		for i := range train.Ticks() {
			binary.Write(h, binary.LittleEndian, train.At(i))
			binary.Write(h, binary.LittleEndian, int32(-1))
		}
		if got := fmt.Sprintf("%x", h.Sum(nil))[:8]; got != want {
			t.Errorf("%s: got %s, want %s", kind, got, want)
		}
	}
}

func TestAppendAndAt(t *testing.T) {
	var train Train
	train.Append(1, 5)
	train.Append()
	train.Append(2)
	if train.Ticks() != 3 || train.Len() != 3 || !slices.Equal(train.At(0), []int32{1, 5}) || len(train.At(1)) != 0 {
		t.Fatalf("got %d ticks, %v, %v", train.Ticks(), train.At(0), train.At(1))
	}
}

func TestParse(t *testing.T) {
	if _, err := Parse("poisson"); err == nil || err.Error() != `encoder: got "poisson", want one of rate, bernoulli` {
		t.Errorf("got %v", err)
	}
	if k, err := Parse("rate"); err != nil || k != Rate {
		t.Errorf("got %v, %v", k, err)
	}
}

// BenchmarkRate encodes an image as dense as MNIST's, 19 % lit.
func BenchmarkRate(b *testing.B) {
	pixels := make([]uint8, 784)
	for i := range pixels {
		if i%28 > 8 && i%28 < 18 && i > 160 && i < 620 {
			pixels[i] = uint8(i * 37)
		}
	}
	var train Train
	for b.Loop() {
		Encoder{Kind: Rate, Ticks: 10}.Encode(&train, 0, pixels)
	}
	b.ReportMetric(float64(train.Len()), "spikes")
}

// TestBits: the spikes of Encode by axon, in blocks.
func TestBits(t *testing.T) {
	pixels := make([]uint8, 300)
	for i := range pixels {
		pixels[i] = uint8(i)
	}
	var train Train
	for _, kind := range Kinds() {
		for _, ticks := range []int{1, 10, 16, 37, 64, 65, 200} {
			for _, block := range []int{1, 4, 16, 32} {
				e := Encoder{Kind: kind, Ticks: ticks, Seed: 3}
				got := make([]uint32, (ticks+block-1)/block*len(pixels))
				for i := range got {
					got[i] = 1 << 31
				}
				e.Bits(got, block, 5, pixels)
				want := make([]uint32, len(got))
				e.Encode(&train, 5, pixels)
				for tick := range ticks {
					for _, a := range train.At(tick) {
						want[tick/block*len(pixels)+int(a)] |= 1 << (tick % block)
					}
				}
				if !slices.Equal(got, want) {
					t.Errorf("%s, %d ticks in blocks of %d: got other spikes than Encode", kind, ticks, block)
				}
			}
		}
	}
}
