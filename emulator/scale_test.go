package emulator_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"testing"

	"glsnn/emulator"
	"glsnn/fixedpoint"
	"glsnn/fixedpoint/fptest"
)

// wideModel has about (100 size)^2 synapses of bits bits.
func wideModel(tb testing.TB, bits, size int) *fixedpoint.Model {
	tb.Helper()
	rng := rand.New(rand.NewPCG(53, 0))
	m := fixedpoint.Model{Arithmetic: fixedpoint.Wide(), Ticks: 10, Readout: fixedpoint.ReadMembrane}
	sizes := []int{784, 100 * size, 925 * size / 10, 10}
	for l := range len(sizes) - 1 {
		in, out := sizes[l], sizes[l+1]
		w := make([]int8, in*out)
		for i := range w {
			w[i] = int8(rng.Uint32()) >> (8 - bits)
		}
		m.Layers = append(m.Layers, fixedpoint.Layer{In: in, Out: out, Weights: fixedpoint.NewMatrix8(in, out, w), WeightBits: bits, WeightExp: 6,
			CurrentDecay: 4096, Threshold: 1 << bits << 6, Integrator: l == len(sizes)-2})
	}
	out, err := fixedpoint.NewModel(m)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

// TestMappedModel: a mapped model is the one that was saved, and an engine, whose
// larger layer takes half a byte a weight, adds what its weights say.
func TestMappedModel(t *testing.T) {
	if testing.Short() {
		t.Skip("short")
	}
	path := filepath.Join(t.TempDir(), "m.glsnn")
	m := wideModel(t, 4, 41) // 18.8 million: enough to be mapped
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	back, _, err := fixedpoint.LoadModel(path)
	if err != nil {
		t.Fatal(err)
	}
	for l := range m.Layers {
		if !back.Layers[l].Weights.Equal(m.Layers[l].Weights) {
			t.Errorf("layer %d differs", l)
		}
	}
	e := emulator.New(back, emulator.Options{})
	in := fptest.RandomTrain(rand.New(rand.NewPCG(54, 0)), 1, m.Inputs(), 0.05)[0]
	e.Step(in)
	for l := range m.Layers {
		want := naive(m, l, in)
		for j, q := range e.Sum(l, nil) {
			if q != want[j] {
				t.Fatalf("layer %d, sum of neuron %d: got %d, want %d", l, j, q, want[j])
			}
		}
		if in = e.Spikes(l); len(in) == 0 && l == 0 {
			t.Errorf("layer %d: nothing fired: the test shows nothing", l)
		}
	}
}

// naive is a layer's sums.
func naive(m *fixedpoint.Model, layer int, in []int32) []int64 {
	l := &m.Layers[layer]
	q := make([]int64, l.Out)
	for _, k := range in {
		for j := range q {
			q[j] += l.Weights.At(int(k), j) << l.WeightExp
		}
	}
	return q
}

// BenchmarkHundredMillion loads a model of 100 million synapses, makes an engine
// and runs ten ticks. It reports the start, and on Linux the most memory that the
// process held beyond what it had before, a synapse.
func BenchmarkHundredMillion(b *testing.B) {
	for _, bits := range []int{8, 4} {
		b.Run(fmt.Sprintf("%dbits", bits), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "m.glsnn")
			m := wideModel(b, bits, 100)
			if err := m.Save(path); err != nil {
				b.Fatal(err)
			}
			n, in := float64(m.Synapses()), fptest.RandomTrain(rand.New(rand.NewPCG(54, 0)), m.Ticks, m.Inputs(), 0.13)
			m = nil
			start, most := 0.0, 0.0
			for b.Loop() {
				b.StopTimer()
				debug.FreeOSMemory()
				before := peak(b, true)
				b.StartTimer()
				back, _, err := fixedpoint.LoadModel(path)
				if err != nil {
					b.Fatal(err)
				}
				e := emulator.New(back, emulator.Options{})
				start = b.Elapsed().Seconds()
				for _, spikes := range in {
					e.Step(spikes)
				}
				most = max(most, peak(b, false)-before)
				runtime.KeepAlive(back)
			}
			b.ReportMetric(start/float64(b.N), "s/start")
			b.ReportMetric(most/n, "B/synapse")
		})
	}
}

// peak is the most memory that the process has held since it was last reset, or 0
// where the system does not say.
func peak(b *testing.B, reset bool) float64 {
	if reset {
		if os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) != nil {
			return 0
		}
	}
	status, _ := os.ReadFile("/proc/self/status")
	_, rest, _ := bytes.Cut(status, []byte("VmHWM:"))
	var kib float64
	fmt.Sscan(string(rest), &kib)
	return kib * 1024
}
