package emulator_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"glsnn/emulator"
	"glsnn/emulator/emutest"
	"glsnn/fixedpoint"
	"glsnn/fixedpoint/fptest"
	"glsnn/fixedpoint/tier/tiertest"
)

var engines = []struct {
	name string
	make emutest.NewMachine
}{
	{"event", emutest.Event},
	{"reference", emutest.Reference},
}

func TestVectors(t *testing.T) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) { emutest.Vectors(t, "testdata/vectors", e.make) })
	}
}

// contracts are the arithmetics that the suite runs on: Wide, one like Loihi's,
// one of 3 to 6 bits, one per-tick chip without currents, one that rounds to
// nearest.
func contracts() map[string]fixedpoint.Arithmetic {
	reg := func(bits int, o fixedpoint.Overflow) fixedpoint.Register {
		return fixedpoint.Register{Bits: bits, Signed: true, Overflow: o}
	}
	decay := func(k int, mode fixedpoint.RoundMode) fixedpoint.Decay {
		return fixedpoint.Decay{Kind: fixedpoint.DecayMultiply, FracBits: k, Round: mode, Max: 1 << k}
	}
	resets := []fixedpoint.Reset{fixedpoint.ResetZero, fixedpoint.ResetSubtract}
	return map[string]fixedpoint.Arithmetic{
		"wide": fixedpoint.Wide(),
		"like loihi": {
			Weight:    fixedpoint.Weight{Bits: 9, Signed: true, ExpMin: 0, ExpMax: 13},
			Sum:       reg(24, fixedpoint.Wrap),
			Current:   fixedpoint.State{Present: true, Register: reg(24, fixedpoint.Wrap), Decay: decay(12, fixedpoint.TowardZero)},
			Membrane:  fixedpoint.State{Present: true, Register: reg(24, fixedpoint.Saturate), Decay: decay(12, fixedpoint.TowardZero)},
			Threshold: fixedpoint.Format{Bits: 17, Exp: 6},
			Fire:      fixedpoint.Fire{When: fixedpoint.GT, Resets: resets[:1]},
		},
		"tiny": {
			Weight:    fixedpoint.Weight{Bits: 3, Signed: true, ExpMax: 1},
			Sum:       reg(4, fixedpoint.Saturate),
			Current:   fixedpoint.State{Present: true, Register: reg(5, fixedpoint.Wrap), Decay: decay(3, fixedpoint.TowardZero)},
			Membrane:  fixedpoint.State{Present: true, Register: reg(6, fixedpoint.Saturate), Decay: decay(3, fixedpoint.TowardZero)},
			Threshold: fixedpoint.Format{Bits: 5},
			Fire:      fixedpoint.Fire{When: fixedpoint.GE, Resets: resets},
		},
		"no current, floor": {
			Weight:    fixedpoint.Weight{Bits: 8, Signed: true, ExpMax: 4},
			Sum:       reg(16, fixedpoint.Saturate),
			Membrane:  fixedpoint.State{Present: true, Register: reg(16, fixedpoint.Wrap), Decay: decay(15, fixedpoint.Floor)},
			Threshold: fixedpoint.Format{Bits: 16},
			Fire:      fixedpoint.Fire{When: fixedpoint.GE, Resets: resets},
		},
		"unsigned weights, to nearest": {
			Weight:    fixedpoint.Weight{Bits: 4, ExpMax: 2},
			Sum:       reg(8, fixedpoint.Wrap),
			Current:   fixedpoint.State{Present: true, Register: reg(9, fixedpoint.Saturate)},
			Membrane:  fixedpoint.State{Present: true, Register: reg(12, fixedpoint.Saturate), Decay: decay(4, fixedpoint.HalfAway)},
			Threshold: fixedpoint.Format{Bits: 13},
			Fire:      fixedpoint.Fire{When: fixedpoint.GT, Resets: resets[1:]},
		},
	}
}

func TestSuite(t *testing.T) {
	for name, a := range contracts() {
		t.Run(name+"/reference", func(t *testing.T) { emutest.Run(t, emutest.Reference, a) })
		t.Run(name+"/event", func(t *testing.T) {
			tiertest.Each(t, func(t *testing.T) { emutest.Run(t, emutest.Event, a) })
		})
	}
}

// TestSuiteRandomArithmetic is the suite in contracts that nobody wrote down.
func TestSuiteRandomArithmetic(t *testing.T) {
	rng := fptest.Rand(t, 21)
	for range 40 {
		emutest.Run(t, emutest.Event, fptest.RandomArithmetic(rng))
	}
}

// TestTwin runs random models of random contracts beside the reference, other
// ones in each tier.
func TestTwin(t *testing.T) {
	rng := fptest.Rand(t, 22)
	tiertest.Each(t, func(t *testing.T) {
		for range 1000 {
			emutest.RandomTwin(t, rng, emutest.Event, fptest.RandomModel(rng, fptest.ModelOptions{}))
		}
	})
}

// TestTwinWider has layers of more neurons than a block of the kernels.
func TestTwinWider(t *testing.T) {
	rng := fptest.Rand(t, 23)
	tiertest.Each(t, func(t *testing.T) {
		for range 30 {
			emutest.RandomTwin(t, rng, emutest.Event, fptest.RandomModel(rng, fptest.ModelOptions{Layers: 3, Neurons: 150, Ticks: 8}))
		}
	})
}

// TestDelay is the claim of the package comment: with one tick a boundary,
// layer l does in tick t+l what it does in tick t with zero delay.
func TestDelay(t *testing.T) {
	rng := fptest.Rand(t, 24)
	for _, e := range engines {
		done := 0
		for done < 300 {
			m := fptest.RandomModel(rng, fptest.ModelOptions{})
			if !m.StaysAtRest() {
				continue
			}
			done++
			train := fptest.RandomTrain(rng, m.Ticks, m.Inputs(), rng.Float64())
			direct, delayed := e.make(m, emulator.Options{}), e.make(m, emulator.Options{Delay: true})
			type state struct{ fired, u, v []int64 }
			read := func(e emulator.Machine, l int) (s state) {
				for _, j := range e.Spikes(l) {
					s.fired = append(s.fired, int64(j))
				}
				s.u, s.v = e.Current(l, nil), e.Membrane(l, nil)
				return s
			}
			want := map[[2]int]state{} // layer, tick
			for tick := range m.Ticks {
				direct.Step(train[tick])
				for l := range m.Layers {
					want[[2]int{l, tick}] = read(direct, l)
				}
			}
			for tick := range m.Ticks + len(m.Layers) - 1 {
				var in []int32
				if tick < m.Ticks {
					in = train[tick]
				}
				delayed.Step(in)
				for l := range m.Layers {
					w, ok := want[[2]int{l, tick - l}]
					if got := read(delayed, l); ok && !reflect.DeepEqual(got, w) {
						t.Fatalf("%s: layer %d in tick %d: got %v, want %v of tick %d\n%s", e.name, l, tick, got, w, tick-l, emutest.Describe(m))
					}
				}
			}
			if got, want := delayed.Scores(nil), direct.Scores(nil); !slices.Equal(got, want) {
				t.Fatalf("%s: scores: got %v, want %v\n%s", e.name, got, want, emutest.Describe(m))
			}
		}
	}
}

// TestStepAllocatesNothing, on the plain path and on the narrowing one, with
// cores counted.
func TestStepAllocatesNothing(t *testing.T) {
	rng := fptest.Rand(t, 25)
	all := contracts()
	for i := range 20 { // among them per event, where lists of spikes grow in the first run
		all[fmt.Sprintf("random %d", i)] = fptest.RandomArithmetic(rng)
	}
	tiertest.Each(t, func(t *testing.T) { testAllocations(t, rng, all) })
}

func testAllocations(t *testing.T, rng *rand.Rand, all map[string]fixedpoint.Arithmetic) {
	for _, name := range slices.Sorted(maps.Keys(all)) { // one order, one random stream
		a := all[name]
		for range 10 {
			m := fptest.RandomModel(rng, fptest.ModelOptions{Arithmetic: &a, Neurons: 20, Layers: 3})
			e := emulator.New(m, emulator.Options{CoreOf: emutest.RandomCores(rng, m)})
			train := fptest.RandomTrain(rng, 8, m.Inputs(), 0.5)
			if n := testing.AllocsPerRun(20, func() {
				e.Reset()
				for t := range train {
					e.Step(train[t])
				}
			}); n != 0 {
				t.Errorf("%s: %v allocations in 8 ticks", name, n)
			}
		}
	}
}

type recorder struct {
	ticks  []int
	spikes [][3]int
}

func (r *recorder) OnTick(t int) { r.ticks = append(r.ticks, t) }
func (r *recorder) OnSpike(layer int, j int32, t int) {
	r.spikes = append(r.spikes, [3]int{t, layer, int(j)})
}

// TestObserver: both engines tell the same story, and it is that of Spikes.
func TestObserver(t *testing.T) {
	rng := fptest.Rand(t, 26)
	for range 100 {
		m := fptest.RandomModel(rng, fptest.ModelOptions{})
		train := fptest.RandomTrain(rng, m.Ticks, m.Inputs(), 0.7)
		delay := rng.IntN(2) == 0
		for _, e := range engines {
			r, want := &recorder{}, &recorder{}
			x := e.make(m, emulator.Options{Observer: r, Delay: delay})
			for i := range train {
				x.Step(train[i])
				want.OnTick(i)
				for l := range m.Layers {
					for _, j := range x.Spikes(l) {
						want.OnSpike(l, j, i)
					}
				}
			}
			if !slices.Equal(r.ticks, want.ticks) || !slices.Equal(r.spikes, want.spikes) {
				t.Fatalf("%s: got %v, want %v", e.name, r, want)
			}
		}
	}
}

func TestArgmax(t *testing.T) {
	for _, c := range []struct {
		scores []int64
		want   int
	}{{nil, -1}, {[]int64{-5}, 0}, {[]int64{1, 3, 3}, 1}, {[]int64{-9, -9}, 0}, {[]int64{-1 << 63, 1<<63 - 1}, 1}} {
		if got := emulator.Argmax(c.scores); got != c.want {
			t.Errorf("%v: got %d, want %d", c.scores, got, c.want)
		}
	}
}

// TestOptionsCheck: a core for each neuron, or none at all.
func TestOptionsCheck(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	m := fptest.RandomModel(rng, fptest.ModelOptions{})
	cores := emutest.RandomCores(rng, m)
	if err := (emulator.Options{CoreOf: cores}).Check(m); err != nil {
		t.Error(err)
	}
	if err := (emulator.Options{CoreOf: cores[1:]}).Check(m); err == nil {
		t.Error("a core short")
	}
	cores[0] = -1
	if err := (emulator.Options{CoreOf: cores}).Check(m); err == nil {
		t.Error("core -1")
	}
}
