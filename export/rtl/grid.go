package rtl

import (
	"errors"
	"fmt"
	"math/bits"
	"reflect"
	"slices"
)

// RANC names the third public RTL, UA-RCL/RANC: a mesh of cores with binary
// crossbars. It is driven through Grid, not Core.
const RANC Chip = "ranc"

// Grid is a RANC mesh and what its memories hold.
//
//  1. X, Y >= 1; at most 999 cells; Bus is one of them.
//  2. Axons and Neurons are powers of two, 2..4096; Types is 2..64.
//  3. WeightBits is 2..Bits, Bits at most 32. The numbers of a neuron fit
//     theirs, two's complement.
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
	Bits           int    // of potentials and thresholds
	WeightBits     int    // of weights and leak
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

// Silent says whether n is a neuron that is not used.
func (g *Grid) Silent(n GridNeuron) bool { return reflect.DeepEqual(n, g.silent()) }

// Cell is the number of the cell at (x, y).
func (g *Grid) Cell(x, y int) int { return x + g.X*y }

func (g *Grid) isBus(i int) bool { return i == g.Cell(g.Bus[0], g.Bus[1]) }

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
	case g.WeightBits < 2 || g.WeightBits > g.Bits || g.Bits > 32:
		return invalid("bits, weight bits", fmt.Sprint(g.Bits, ", ", g.WeightBits), "2..32, and no more for weights than for potentials")
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
			g.checkNeuron(i, &n, func(field string, got any, want string) {
				errs = append(errs, invalid(fmt.Sprintf("core %d neuron %d: %s", i, j, field), got, want))
			})
		}
	}
	return errors.Join(errs...)
}

// checkNeuron is invariants 3, 6 and 7 for a neuron of core i.
func (g *Grid) checkNeuron(i int, n *GridNeuron, bad func(field string, got any, want string)) {
	if len(n.Connected) != g.Axons {
		bad("connections", len(n.Connected), fmt.Sprint(g.Axons))
	}
	if len(n.Weights) != g.Types {
		bad("weights", len(n.Weights), fmt.Sprint(g.Types))
	}
	fit := func(name string, v, bits int) {
		if low, high := -1<<(bits-1), 1<<(bits-1)-1; v < low || v > high {
			bad(name, v, fmt.Sprintf("%d..%d", low, high))
		}
	}
	fit("v", n.V, g.Bits)
	fit("reset", n.Reset, g.Bits)
	for _, w := range n.Weights {
		fit("weight", w, g.WeightBits)
	}
	fit("leak", n.Leak, g.WeightBits)
	fit("positive threshold", n.Positive, g.Bits)
	fit("negative threshold", n.Negative, g.Bits)
	if n.Delay < 0 || n.Delay > 14 {
		bad("delay", n.Delay, "0..14")
	}
	x, y := i%g.X+n.DX, i/g.X+n.DY
	if x < 0 || x >= g.X || y < 0 || y >= g.Y {
		bad("destination", fmt.Sprintf("(%d, %d)", x, y), "a cell of the mesh")
		return
	}
	axons := g.Axons
	if g.isBus(g.Cell(x, y)) {
		axons = g.Outputs
	}
	if n.Axon < 0 || n.Axon >= axons {
		bad("destination axon", n.Axon, fmt.Sprintf("0..%d", axons-1))
	}
}

const goodPacket = "a core, one of its axons, a delay of 0..14"

func (g *Grid) takes(p Packet) bool {
	return p.X >= 0 && p.X < g.X && p.Y >= 0 && p.Y < g.Y && !g.isBus(g.Cell(p.X, p.Y)) && p.Axon >= 0 && p.Axon < g.Axons && p.Delay >= 0 && p.Delay <= 14
}

// Validate checks a sample for a grid.
func (s GridSample) Validate(g *Grid) error {
	for t, packets := range s {
		for _, p := range packets {
			if !g.takes(p) {
				return invalid(fmt.Sprintf("packet of tick %d", t), p, goodPacket)
			}
		}
	}
	return nil
}

// gridRows is what Predict adds: row a of a core has the weights from axon a
// to each of its neurons, 0 where they are not connected.
func (c *GridCore) gridRows() [][]int {
	rows := make([][]int, len(c.Types))
	for a, k := range c.Types {
		rows[a] = make([]int, len(c.Neurons))
		for j, n := range c.Neurons {
			if n.Connected[a] {
				rows[a][j] = n.Weights[k]
			}
		}
	}
	return rows
}

// Predict is what the bench must log: an integer model of the mesh. Spikes
// are those seen at the bus, sorted within a tick; membranes are all neurons
// of all cores, the bus left out, silent ones included.
func (g *Grid) Predict(samples []GridSample) *Log {
	log := &Log{Chip: RANC}
	// Wrapped adds are modular, so one wrap at the end stands for all of a tick.
	wrap := func(v int) int { s := bits.UintSize - g.Bits; return v << s >> s }
	rows := make([][][]int, len(g.Cores))
	v := make([][]int, len(g.Cores))
	var arrives [16][][]bool // tick modulo 16, core, axon: a delay is 14 at most
	for i := range g.Cores {
		rows[i] = g.Cores[i].gridRows()
		v[i] = make([]int, len(g.Cores[i].Neurons))
		for t := range arrives {
			arrives[t] = append(arrives[t], make([]bool, g.Axons))
		}
	}
	membranes := func() (all []int) {
		for i := range g.Cores {
			if !g.isBus(i) {
				all = append(append(all, v[i]...), make([]int, g.Neurons-len(v[i]))...)
			}
		}
		return all
	}
	for _, s := range samples {
		var out SampleLog
		for t := range arrives {
			for i := range g.Cores {
				clear(arrives[t][i])
			}
		}
		for i, c := range g.Cores {
			for j, n := range c.Neurons {
				v[i][j] = n.V
			}
		}
		for t, packets := range s {
			for _, p := range packets {
				arrives[(t+p.Delay)%16][p.X+g.X*p.Y][p.Axon] = true
			}
			first := len(out.Spikes)
			for i, c := range g.Cores {
				now := arrives[t%16][i]
				for a, on := range now {
					if on {
						for j, w := range rows[i][a] {
							v[i][j] += w
						}
					}
				}
				clear(now)
				for j, n := range c.Neurons {
					u := wrap(v[i][j] + n.Leak)
					switch {
					case u >= n.Positive:
						if to := i + n.DX + g.X*n.DY; g.isBus(to) {
							out.Spikes = append(out.Spikes, SpikeLog{t, n.Axon})
						} else {
							arrives[(t+1+n.Delay)%16][to][n.Axon] = true
						}
						if u = wrap(u - n.Positive); !n.Linear {
							u = n.Reset
						}
					case u < n.Negative:
						if u = wrap(u - n.Negative); !n.Linear {
							u = wrap(-n.Reset)
						}
					}
					v[i][j] = u
				}
			}
			slices.SortFunc(out.Spikes[first:], func(a, b SpikeLog) int { return a.Neuron - b.Neuron })
			out.States = append(out.States, StateLog{t, membranes()})
		}
		out.Membranes = membranes()
		log.Samples = append(log.Samples, out)
	}
	return log
}
