package rtl

import (
	"errors"
	"fmt"
	"math/bits"
)

// RANC names the third public RTL, UA-RCL/RANC: a mesh of cores with binary
// crossbars. It is driven through Grid, not Core.
const RANC Chip = "ranc"

// Grid is a RANC mesh and what its memories hold.
//
//  1. X, Y >= 1; at most 999 cells; Bus is one of them.
//  2. Axons and Neurons are powers of two, 2..4096; Types is 2..64.
//  3. Bits is 2..32. All numbers of a neuron fit it, two's complement.
//  4. Cores has X*Y entries, core x+X*y at (x, y); the bus's is empty.
//  5. Each other core has Axons types below Types, and at most Neurons neurons.
//  6. A neuron has Axons connections and Types weights; Delay is 0..14.
//  7. DX, DY stay on the mesh; Axon is one of the target core, or an output.
type Grid struct {
	X, Y           int
	Bus            [2]int // cell of the output bus
	Outputs        int    // addresses of the bus
	Axons, Neurons int    // of every core
	Types          int    // weights a neuron has
	Bits           int    // of potential, weight, leak and threshold
	Cores          []GridCore
}

// GridCore is one core. Neurons left out are silent.
type GridCore struct {
	Types   []uint8 // weight index of each axon
	Neurons []GridNeuron
}

// GridNeuron is one neuron and its only destination.
type GridNeuron struct {
	Connected          []bool // by axon
	V, Reset           int
	Weights            []int
	Leak               int // added each tick
	Positive, Negative int // thresholds: v >= Positive fires, v < Negative resets
	Linear             bool
	DX, DY             int
	Axon, Delay        int
}

// Packet is an input spike for axon Axon of core (X, Y), Delay ticks late.
type Packet struct{ X, Y, Axon, Delay int }

// GridSample is one presentation: packets by tick.
type GridSample [][]Packet

// silent is a neuron that never fires and never moves.
func (g *Grid) silent() GridNeuron {
	return GridNeuron{Connected: make([]bool, g.Axons), Weights: make([]int, g.Types), Positive: 1}
}

func (g *Grid) isBus(i int) bool { return i == g.Bus[0]+g.X*g.Bus[1] }

// Validate checks the invariants and joins the faults.
func (g *Grid) Validate() error {
	pow2 := func(n int) bool { return n >= 2 && n <= 4096 && n&(n-1) == 0 }
	switch {
	case g.X < 1 || g.Y < 1 || g.X > 999 || g.Y > 999 || g.X*g.Y > 999:
		return invalid("cells", fmt.Sprintf("%d x %d", g.X, g.Y), "1..999 in all")
	case g.Bus[0] < 0 || g.Bus[0] >= g.X || g.Bus[1] < 0 || g.Bus[1] >= g.Y:
		return invalid("output bus", g.Bus, "a cell of the mesh")
	case g.isBus(0):
		return invalid("output bus", g.Bus, "another cell than (0, 0), where packets come in")
	case !pow2(g.Axons) || !pow2(g.Neurons):
		return invalid("axons, neurons", fmt.Sprint(g.Axons, ", ", g.Neurons), "powers of two, 2..4096")
	case g.Types < 2 || g.Types > 64:
		return invalid("types", g.Types, "2..64")
	case g.Bits < 2 || g.Bits > 32:
		return invalid("bits", g.Bits, "2..32")
	case g.Outputs < 2 || g.Outputs > g.Axons:
		return invalid("outputs", g.Outputs, fmt.Sprintf("2..%d, the axons of a core", g.Axons))
	case len(g.Cores) != g.X*g.Y:
		return invalid("cores", len(g.Cores), fmt.Sprint(g.X*g.Y))
	}
	var errs []error
	check := func(ok bool, at, field string, got any, want string) {
		if !ok {
			errs = append(errs, invalid(at+field, got, want))
		}
	}
	low, high := -1<<(g.Bits-1), 1<<(g.Bits-1)-1
	for i, c := range g.Cores {
		at := fmt.Sprintf("core %d: ", i)
		if g.isBus(i) {
			check(len(c.Types) == 0 && len(c.Neurons) == 0, at, "content", "some", "none: it is the output bus")
			continue
		}
		check(len(c.Types) == g.Axons, at, "axon types", len(c.Types), fmt.Sprint(g.Axons))
		for a, k := range c.Types {
			check(int(k) < g.Types, at, fmt.Sprintf("type of axon %d", a), k, fmt.Sprintf("0..%d", g.Types-1))
		}
		check(len(c.Neurons) <= g.Neurons, at, "neurons", len(c.Neurons), fmt.Sprintf("at most %d", g.Neurons))
		for j, n := range c.Neurons {
			at := fmt.Sprintf("core %d neuron %d: ", i, j)
			check(len(n.Connected) == g.Axons, at, "connections", len(n.Connected), fmt.Sprint(g.Axons))
			check(len(n.Weights) == g.Types, at, "weights", len(n.Weights), fmt.Sprint(g.Types))
			for k, v := range append([]int{n.V, n.Reset, n.Leak, n.Positive, n.Negative}, n.Weights...) {
				name := "weight"
				if k < 5 {
					name = [...]string{"v", "reset", "leak", "positive threshold", "negative threshold"}[k]
				}
				check(v >= low && v <= high, at, name, v, fmt.Sprintf("%d..%d", low, high))
			}
			check(n.Delay >= 0 && n.Delay <= 14, at, "delay", n.Delay, "0..14")
			x, y := i%g.X+n.DX, i/g.X+n.DY
			if x < 0 || x >= g.X || y < 0 || y >= g.Y {
				check(false, at, "destination", fmt.Sprintf("(%d, %d)", x, y), "a cell of the mesh")
				continue
			}
			axons := g.Axons
			if g.isBus(x + g.X*y) {
				axons = g.Outputs
			}
			check(n.Axon >= 0 && n.Axon < axons, at, "destination axon", n.Axon, fmt.Sprintf("0..%d", axons-1))
		}
	}
	return errors.Join(errs...)
}

// Validate checks a sample for a grid.
func (s GridSample) Validate(g *Grid) error {
	for t, packets := range s {
		for _, p := range packets {
			if p.X < 0 || p.X >= g.X || p.Y < 0 || p.Y >= g.Y || g.isBus(p.X+g.X*p.Y) || p.Axon < 0 || p.Axon >= g.Axons || p.Delay < 0 || p.Delay > 14 {
				return invalid(fmt.Sprintf("packet of tick %d", t), p, "a core, one of its axons, a delay of 0..14")
			}
		}
	}
	return nil
}

// Dense puts a network with 8-bit weights on a binary crossbar: input i drives
// axons 8i..8i+7 of core 0, which carry 1, 2, 4, ... 64, -128, and the
// connections are the two's complement bits of the weights. A hidden neuron
// stands there in eight copies, one for each axon of core 1; outputs on core 1
// never fire. Without W2 the hidden neurons stand once and go to the bus.
// width is Grid.Bits; leaks are subtracted each tick, without a floor.
func (t *TwoLayer) Dense(width int) (*Grid, error) {
	const b = 8
	in, hid, out := len(t.W1), len(t.Thresholds), 0
	if len(t.W2) > 0 {
		out = len(t.W2[0])
	}
	if in == 0 || hid == 0 || len(t.Leaks) != hid || len(t.W2) != 0 && len(t.W2) != hid || width < b || width > 32 {
		return nil, invalid("network", fmt.Sprintf("%d-%d-%d with %d leaks, %d bits", in, hid, out, len(t.Leaks), width), "a two-layer shape and 8..32 bits")
	}
	copies, cells := 1, 2
	if out > 0 {
		copies, cells = b, 3
	}
	pow2 := func(n int) int { return max(2, 1<<bits.Len(uint(n-1))) }
	g := &Grid{X: cells, Y: 1, Bus: [2]int{cells - 1, 0}, Types: b, Bits: width}
	g.Axons = pow2(max(b*in, b*hid*min(out, 1), hid))
	g.Neurons = pow2(max(copies*hid, out))
	g.Outputs = pow2(max(hid, out))
	weights := make([]int, b)
	for k := range weights {
		weights[k] = 1 << k
	}
	weights[b-1] = -1 << (b - 1)
	low := -1 << (width - 1)
	layer := func(w [][]int8, post int) GridNeuron {
		n := GridNeuron{Connected: make([]bool, g.Axons), Weights: weights, Negative: low}
		for pre := range w {
			for k := range b {
				n.Connected[b*pre+k] = uint8(w[pre][post])>>k&1 == 1
			}
		}
		return n
	}
	for range cells - 1 {
		c := GridCore{Types: make([]uint8, g.Axons)}
		for a := range c.Types {
			c.Types[a] = uint8(a % b)
		}
		g.Cores = append(g.Cores, c)
	}
	g.Cores = append(g.Cores, GridCore{})
	for _, row := range t.W1 {
		if len(row) != hid {
			return nil, invalid("w1 row", len(row), fmt.Sprint(hid))
		}
	}
	for _, row := range t.W2 {
		if len(row) != out {
			return nil, invalid("w2 row", len(row), fmt.Sprint(out))
		}
	}
	for h := range hid {
		for k := range copies {
			n := layer(t.W1, h)
			n.Positive, n.Leak, n.DX, n.Axon = t.Thresholds[h], -t.Leaks[h], 1, copies*h+k
			g.Cores[0].Neurons = append(g.Cores[0].Neurons, n)
		}
	}
	for o := range out {
		n := layer(t.W2, o)
		n.Positive, n.Leak, n.DX, n.Axon = -low-1, -t.OutputLeak, 1, o
		g.Cores[1].Neurons = append(g.Cores[1].Neurons, n)
	}
	return g, g.Validate()
}

// DensePackets is the input of a Dense grid: eight packets a spike.
func DensePackets(in Events) GridSample {
	s := make(GridSample, len(in))
	for t, rows := range in {
		for _, row := range rows {
			for k := range 8 {
				s[t] = append(s[t], Packet{Axon: 8*row + k})
			}
		}
	}
	return s
}

// Predict is what the bench must log: an integer model of the mesh. Spikes
// are those seen at the bus, sorted within a tick; membranes are all neurons
// of all cores, the bus left out, silent ones included.
func (g *Grid) Predict(samples []GridSample) *Log {
	log := &Log{Chip: RANC}
	wrap := func(v int) int { s := bits.UintSize - g.Bits; return v << s >> s }
	for _, s := range samples {
		var out SampleLog
		v := map[[2]int]int{}
		pending := map[[3]int]bool{} // tick, core, axon
		membranes := func() (all []int) {
			for i := range g.Cores {
				for j := range g.Neurons {
					if !g.isBus(i) {
						all = append(all, v[[2]int{i, j}])
					}
				}
			}
			return all
		}
		for i, c := range g.Cores {
			for j, n := range c.Neurons {
				v[[2]int{i, j}] = n.V
			}
		}
		for t, packets := range s {
			for _, p := range packets {
				pending[[3]int{t + p.Delay, p.X + g.X*p.Y, p.Axon}] = true
			}
			count := make([]int, g.Outputs)
			for i, c := range g.Cores {
				for j, n := range c.Neurons {
					u := v[[2]int{i, j}]
					for a, on := range n.Connected {
						if on && pending[[3]int{t, i, a}] {
							u = wrap(u + n.Weights[c.Types[a]])
						}
					}
					u = wrap(u + n.Leak)
					switch {
					case u >= n.Positive:
						if to := i + n.DX + g.X*n.DY; g.isBus(to) {
							count[n.Axon]++
						} else {
							pending[[3]int{t + 1 + n.Delay, to, n.Axon}] = true
						}
						if u = wrap(u - n.Positive); !n.Linear {
							u = n.Reset
						}
					case u < n.Negative:
						if u = wrap(u - n.Negative); !n.Linear {
							u = wrap(-n.Reset)
						}
					}
					v[[2]int{i, j}] = u
				}
			}
			for o, k := range count {
				for range k {
					out.Spikes = append(out.Spikes, SpikeLog{t, o})
				}
			}
			out.States = append(out.States, StateLog{t, membranes()})
		}
		out.Membranes = membranes()
		log.Samples = append(log.Samples, out)
	}
	return log
}
