package cost_test

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"glsnn/emulator"
	"glsnn/emulator/cost"
	"glsnn/fixedpoint"
	"glsnn/fixedpoint/fptest"
	"glsnn/targets"
)

// tiny is one sample of 4 ticks: 2 neurons on core 0 that take 9 input spikes and
// fire 5 times, 3 neurons on a core two links to the east that take those 5 and
// fire once.
//
//	          events  synops  updates  spikes  messages  links
//	core 0         9      18        8       5         5     10
//	core east      5      15       12       1         0      0
//	together      14      33       20       6         5     10
func tiny(chip *targets.Chip) (emulator.Counters, cost.Placed) {
	f := chip.Fabric
	east := targets.CoreID(0)
	for x, _ := f.Position(east); x < min(2, f.Width-1); x, _ = f.Position(east) {
		east++
	}
	c := emulator.Counters{
		Samples: 1, Ticks: 4, InputSpikes: 9, Cores: make([]emulator.CoreCounters, east+1),
		Layers: []emulator.LayerCounters{{Spikes: 5, Events: 9, SynOps: 18, Updates: 8}, {Spikes: 1, Events: 5, SynOps: 15, Updates: 12}},
	}
	c.Cores[0] = emulator.CoreCounters{Spikes: 5, Events: 9, SynOps: 18, Updates: 8}
	c.Cores[east] = emulator.CoreCounters{Spikes: 1, Events: 5, SynOps: 15, Updates: 12}
	return c, cost.Placed{
		Neurons: map[targets.CoreID]int{0: 2, east: 3}, Layer: map[targets.CoreID]int{0: 0, east: 1}, Tiles: 2,
		Sends: map[targets.CoreID]int{0: 1}, Links: map[targets.CoreID][2]uint64{0: {2, 0}},
	}
}

// crossbar is the same network on one core that steps through all 5 neurons for
// each of 14 events, 70 synapses; the 6 spikes leave by its output link.
func crossbar() (emulator.Counters, cost.Placed) {
	c := emulator.Counters{
		Samples: 1, Ticks: 4, InputSpikes: 9, Cores: []emulator.CoreCounters{{Spikes: 6, Events: 14, SynOps: 33, Updates: 20}},
		Layers: []emulator.LayerCounters{{Spikes: 5, Events: 9, SynOps: 18, Updates: 8}, {Spikes: 1, Events: 5, SynOps: 15, Updates: 12}},
	}
	return c, cost.Placed{Neurons: map[targets.CoreID]int{0: 5}, Sends: map[targets.CoreID]int{0: 1}, Tiles: 1, WholeRows: true}
}

const unknown = -1

// TestEveryTargetByHand holds the estimate of one small sample on every shipped
// target against a calculation by hand. unknown: the chip gives no constant for
// the sum.
func TestEveryTargetByHand(t *testing.T) {
	for name, c := range map[string]struct {
		energy, time, cycles float64
		missing              string // of the energy, and so what it is a lower bound without
	}{
		// energy 33 x 1 + 20 x (2 + 3) + 6 x 10 + 14 x 5 + 5 x 20 + 10 x 1 + 1 mW x 180 ns
		//        = 33 + 100 + 60 + 70 + 100 + 10 + 180 = 553 pJ
		// time   core 0: 18 x 1 + 8 x (1 + 1) + 5 x 2 + 9 x 4 + 5 x 4 = 100; core east: 15 + 24
		//        + 2 + 20 = 61; 100 and 4 barriers of 20
		// cycles core 0: 9 events x (ceil(2/4) + 1) + 4 ticks x ceil(2/2) = 22; core east: 5 x 2
		//        + 4 x 2 = 18; 22 and 4 x 10
		"toy": {energy: 553, time: 180, cycles: 62},
		// energy 33 x 35.5 + 20 x (51.2 + 21.6) + 6 x 69.3 + 14 x 0 + 5 x 111 + 10 x 3.0
		//        = 1171.5 + 1456 + 415.8 + 555 + 30 = 3628.3 pJ
		// time   core 0: 18 x 3.8 + 8 x 9.7 + 5 x 30 + 9 x 16 + 5 x 5.1 = 68.4 + 77.6 + 150 +
		//        144 + 25.5 = 465.5; core east: 57 + 116.4 + 30 + 80 = 283.4; 4 x 1000 for
		//        the barrier of 2 tiles: 4465.5 ns
		"loihi": {energy: 3628.3, time: 4465.5, cycles: unknown, missing: "static_mw"},
		// energy 33 x 13300 + 20 x 26000 + routers (5 messages + 10 links) x 1000
		//        + 2 chips x 350 mW x 4 ms = 438900 + 520000 + 15000 + 2.8e9 = 2800973900 pJ
		// time   4 ticks of 1 ms
		"spinnaker": {energy: 2800973900, time: 4e6, cycles: unknown, missing: "neuron_access_pj spike_out_pj axon_in_pj axon_out_pj hop_x_pj hop_y_pj static_mw"},
		// cycles core 0: 9 events x (ceil(2/16) + 1) + 5 messages + 4 ticks x ceil(2/16) = 18 +
		//        5 + 4 = 27; core east: 5 x 2 + 4 = 14; 27 and 4 x 4 = 43
		"generic": {energy: unknown, time: unknown, cycles: 43},
		// cycles 4 ticks x 66050, whatever is done
		"ranc":    {energy: unknown, time: unknown, cycles: 264200},
		"ranc-w8": {energy: unknown, time: unknown, cycles: 264200},
		// energy 70 x 12.7, everything inside: 889 pJ
		// cycles 14 events x (5/0.5 + 8) + 4 ticks x (5/0.5 + 6) + 6 spikes x 6 = 252 + 64 + 36
		"odin":       {energy: 889, time: unknown, cycles: 352},
		"odin-event": {energy: 889, time: unknown, cycles: 352},
		// cycles 14 x (10 + 9) + 4 x (10 + 6) + 6 x 6 = 266 + 64 + 36 = 366; at 250 MHz 1464 ns
		"tinyodin":       {energy: unknown, time: 1464, cycles: 366},
		"tinyodin-event": {energy: unknown, time: 1464, cycles: 366},
		// energy 33 x 26, everything inside: 858 pJ
		"truenorth": {energy: 858, time: unknown, cycles: unknown},
		"loihi2":    {energy: unknown, time: unknown, cycles: unknown},
		"paicore":   {energy: unknown, time: unknown, cycles: unknown},
	} {
		chip := load(t, name)
		k, p := tiny(chip)
		if chip.Tables.Format.Crossbar() || strings.HasPrefix(name, "odin") {
			k, p = crossbar()
		}
		e := estimate(t, k, chip, p)
		for what, x := range map[string]struct {
			got  *float64
			want float64
		}{"energy": {e.EnergyPJ, c.energy}, "time": {e.TimeNS, c.time}, "cycles": {e.Cycles, c.cycles}} {
			switch {
			case x.want == unknown && x.got != nil:
				t.Errorf("%s: %s: got %v, want unknown", name, what, *x.got)
			case x.want != unknown && (x.got == nil || math.Abs(*x.got-x.want) > 1e-9*x.want):
				t.Errorf("%s: %s: got %v, want %v", name, what, fmtp(x.got), x.want)
			}
		}
		if got := strings.Join(e.MissingIn("energy"), " "); got != c.missing {
			t.Errorf("%s: energy without %q, want without %q", name, got, c.missing)
		}
		// Components and cores are the same energy, split in two ways.
		sum, cores, shared := 0.0, 0.0, 0.0
		for _, x := range e.Components {
			sum += x.PJ
			if slices.Contains([]string{"static", "barrier", "memory"}, x.Name) {
				shared += x.PJ
			}
		}
		for _, x := range e.Cores {
			cores += x.PJ
		}
		if e.EnergyPJ != nil && (math.Abs(sum-*e.EnergyPJ) > 1e-9*sum || math.Abs(cores+shared-sum) > 1e-9*sum) {
			t.Errorf("%s: components add up to %v, cores to %v, want %v", name, sum, cores+shared, *e.EnergyPJ)
		}
	}
	for _, name := range targets.Names() {
		if !strings.Contains("toy loihi spinnaker generic ranc ranc-w8 odin odin-event tinyodin tinyodin-event truenorth loihi2 paicore", name) {
			t.Errorf("target %s: no calculation by hand", name)
		}
	}
}

func fmtp(v *float64) any {
	if v == nil {
		return nil
	}
	return *v
}

// Optional constants count what their names say, and are nothing where absent.
//
//	router 15 x 2, barrier 4 x 3, memory 264 x 0.5, 2 tiles x 1 mW x 180 ns
func TestOptionalConstants(t *testing.T) {
	chip := load(t, "toy")
	k, p := tiny(chip)
	p.MemoryBits = 33 * 8
	base := estimate(t, k, chip, p)
	chip.Cost.Energy.RouterPJ, chip.Cost.Energy.BarrierPJ = value(2, nil, nil), value(3, nil, nil)
	chip.Cost.Energy.MemoryBitPJ, chip.Cost.Energy.StaticTileMW = value(0.5, nil, nil), value(1, nil, nil)
	e := estimate(t, k, chip, p)
	if want := *base.EnergyPJ + 30 + 12 + 132 + 360; !near(e.EnergyPJ, want) {
		t.Errorf("got %v pJ, want %v", *e.EnergyPJ, want)
	}
	chip.Cost.Time.TickNS = value(500, nil, nil)
	if e = estimate(t, k, chip, p); !near(e.TimeNS, 2000) || !near(e.TickNS, 500) || !near(e.WorstTickNS, 500) {
		t.Errorf("got %v ns in ticks of %v", *e.TimeNS, *e.TickNS)
	}
}

// TestTimer compares with spikes counted anew by a plain loop, on random models
// and placements.
func TestTimer(t *testing.T) {
	tried := 0
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 4))
		chip := load(t, "toy")
		chip.Fabric.LayerDelay = rng.IntN(2)
		chip.Cost.Cycles.AxonOutCycles = value(3, nil, nil)
		m := fptest.RandomModel(rng, fptest.ModelOptions{Classic: true, Arithmetic: &chip.Arithmetic, Neurons: 9, Layers: 3})
		p := cost.Placed{Neurons: map[targets.CoreID]int{}, Layer: map[targets.CoreID]int{}, Sends: map[targets.CoreID]int{}, Tiles: 1}
		var coreOf []targets.CoreID
		ones := make([]int, len(m.Layers))
		next := targets.CoreID(15) // cores need not ascend
		for l, layer := range m.Layers {
			ones[l] = 1
			for j := range layer.Out {
				if j == 0 || rng.IntN(3) == 0 {
					next--
				}
				p.Neurons[next]++
				p.Layer[next] = l
				p.Sends[next] = 1 + l
				coreOf = append(coreOf, next)
			}
			if next < 5 {
				break
			}
		}
		if len(coreOf) != m.Neurons() {
			continue
		}
		tried++
		inputs := make([][][]int32, 3)
		for i := range inputs {
			for range m.Ticks {
				var in []int32
				for k := range m.Inputs() {
					if rng.IntN(2) == 0 {
						in = append(in, int32(k))
					}
				}
				inputs[i] = append(inputs[i], in)
			}
		}
		timers := cost.NewTimers(m, chip, p, coreOf, ones, ones)
		total := &cost.Timing{}
		var used []*cost.Timer
		opt := emulator.RunOptions{Workers: 1, CoreOf: coreOf, Delay: chip.Fabric.LayerDelay > 0, Watch: func() emulator.Watcher {
			used = append(used, timers())
			return used[len(used)-1]
		}}
		res, err := emulator.Run(context.Background(), m, len(inputs), func() func(int) emulator.Train {
			return func(i int) emulator.Train { return train(inputs[i]) }
		}, opt)
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range used {
			total.Add(&u.Timing)
		}
		ns, cycles, worstNS := plain(m, chip, p, coreOf, inputs)
		e, err := cost.New(res.Counters, chip, p, total)
		if err != nil {
			t.Fatal(err)
		}
		n := float64(len(inputs))
		barrier, _ := chip.Cost.Time.BarrierNS.At(1)
		ticks := e.Counts.Ticks
		if want := ns/n + ticks**barrier.Value; math.Abs(*e.TimeNS-want) > 1e-6*want {
			t.Errorf("seed %d: got %v ns, want %v", seed, *e.TimeNS, want)
		}
		if want := cycles/n + ticks*10; math.Abs(*e.Cycles-want) > 1e-6*want {
			t.Errorf("seed %d: got %v cycles, want %v", seed, *e.Cycles, want)
		}
		if want := worstNS + *barrier.Value; math.Abs(*e.WorstTickNS-want) > 1e-6*want {
			t.Errorf("seed %d: got a longest tick of %v ns, want %v", seed, *e.WorstTickNS, want)
		}
		// The busiest over the window is never more, but where layers are one after
		// another.
		if bound, err := cost.New(res.Counters, chip, p, nil); err != nil || *bound.TimeNS > *e.TimeNS*(1+1e-9) {
			t.Errorf("seed %d: %v ns over the window, %v by ticks, %v", seed, *bound.TimeNS, *e.TimeNS, err)
		}
	}
	if tried < 30 {
		t.Errorf("%d placements of 60 were tried, want 30", tried)
	}
}

type train [][]int32

func (t train) Ticks() int       { return len(t) }
func (t train) At(i int) []int32 { return t[i] }

// plain steps the engine by hand. toy's constants: 1 ns a synop, 2 an update, 2 a
// spike, 4 an event, 4 a message; ceil(n/4) + 1 cycles an event, ceil(n/2) a tick, 3
// a message.
func plain(m *fixedpoint.Model, chip *targets.Chip, p cost.Placed, coreOf []targets.CoreID, inputs [][][]int32) (ns, cycles, worst float64) {
	engine := emulator.New(m, emulator.Options{Delay: chip.Fabric.LayerDelay > 0})
	for _, in := range inputs {
		engine.Reset()
		var fired [][]int // spikes of each layer by tick
		last := m.Ticks
		if chip.Fabric.LayerDelay > 0 {
			last += len(m.Layers) - 1
		}
		for _, l := range m.Layers {
			last += l.Delay
		}
		for tick := range last {
			var now []int32
			if tick < len(in) {
				now = in[tick]
			}
			engine.Step(now)
			var counts []int
			tickNS := 0.0
			mostNS, mostCycles := 0.0, 0.0
			next := 0
			for l, layer := range m.Layers {
				spikes := map[targets.CoreID]int{}
				for _, j := range engine.Spikes(l) {
					spikes[coreOf[next+int(j)]]++
				}
				counts = append(counts, len(engine.Spikes(l)))
				arrive := len(now)
				if l > 0 {
					arrive = 0
					if from := tick - chip.Fabric.LayerDelay - m.Layers[l-1].Delay; from == tick {
						arrive = counts[l-1]
					} else if from >= 0 {
						arrive = fired[from][l-1]
					}
				}
				layerNS, layerCycles := 0.0, 0.0
				for j := range layer.Out {
					core := coreOf[next+j]
					n := p.Neurons[core]
					layerNS = max(layerNS, float64(arrive*n+2*n+2*spikes[core]+4*arrive+4*spikes[core]*p.Sends[core]))
					layerCycles = max(layerCycles, float64(arrive*((n+3)/4+1)+(n+1)/2+3*spikes[core]*p.Sends[core]))
				}
				if chip.Fabric.LayerDelay == 0 {
					mostNS, mostCycles = mostNS+layerNS, mostCycles+layerCycles
				} else {
					mostNS, mostCycles = max(mostNS, layerNS), max(mostCycles, layerCycles)
				}
				next += layer.Out
			}
			fired = append(fired, counts)
			tickNS = mostNS
			ns, cycles, worst = ns+mostNS, cycles+mostCycles, max(worst, tickNS)
		}
	}
	return ns, cycles, worst
}
