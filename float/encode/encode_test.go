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
