package rtl

import (
	"errors"
	"fmt"
	"slices"
)

// Chip names a public RTL with one crossbar of 256 rows by 256 neurons.
type Chip string

const (
	TinyODIN Chip = "tinyodin" // ChFrenkel/tinyODIN
	ODIN     Chip = "odin"     // ChFrenkel/ODIN, LIF neurons, learning off
)

// size is the number of neurons, and of rows, of either chip.
const size = 256

// Neuron is one LIF neuron and, under the same number, one presynaptic row.
type Neuron struct {
	Threshold  int  // fires at v >= Threshold; 0 for an Integrator
	Leak       int  // 0..127, taken from |v| by each leak event
	Integrator bool // never fires; on ODIN only while v stays below 255
	Disabled   bool // emits nothing; its membrane still crosses and resets
	V          int  // membrane at the start of each sample
}

// Core is what one chip is loaded with.
//
//  1. There are 1..256 Neurons, in chip order.
//  2. Thresholds are 1..2047 on tinyODIN, 1..254 on ODIN; leaks 0..127.
//  3. V is below the threshold and inside the membrane: -2048..2047, 0..254.
//  4. Weights has at most 256 rows, each empty (all zero) or len(Neurons) long.
//  5. A weight is -8..7 on tinyODIN, -7..7 on ODIN, where a row has one sign.
//  6. A core is not both Synchronous and ClosedLoop.
type Core struct {
	Chip        Chip
	Neurons     []Neuron
	Weights     [][]int8 // [pre][post]
	Synchronous bool     // thresholds are loaded held: see the steps in doc.go
	ClosedLoop  bool     // the chip feeds its own spikes to its own rows
}

// limits of a chip's numbers.
type limits struct {
	vMin, vMax, threshold, weightMin, weightMax, queue int
}

func (c Chip) limits() limits {
	if c == ODIN {
		return limits{vMin: 0, vMax: 254, threshold: 254, weightMin: -7, weightMax: 7, queue: 32}
	}
	return limits{vMin: -2048, vMax: 2047, threshold: 2047, weightMin: -8, weightMax: 7, queue: 128}
}

// Queue is how many rows the chip's queue holds, the one in service included.
func (c Chip) Queue() int { return c.limits().queue }

// Sweep is how many neurons the chip steps through in an event: up to the last
// one in use, or all.
func (c *Core) Sweep() int {
	if c.Chip == ODIN {
		return size
	}
	return len(c.Neurons)
}

// ErrInvalid marks a network or stimulus that the chip cannot hold.
var ErrInvalid = errors.New("not valid on this chip")

func invalid(field string, got any, want string) error {
	return fmt.Errorf("%w: %s: got %v, want %s", ErrInvalid, field, got, want)
}

// Validate checks the invariants in their order and joins the faults.
func (c *Core) Validate() error {
	if c.Chip != TinyODIN && c.Chip != ODIN {
		return invalid("chip", fmt.Sprintf("%q", string(c.Chip)), "tinyodin or odin")
	}
	if len(c.Neurons) < 1 || len(c.Neurons) > size {
		return invalid("neurons", len(c.Neurons), "1..256")
	}
	l := c.Chip.limits()
	var errs []error
	check := func(ok bool, field string, got any, want string) {
		if !ok {
			errs = append(errs, invalid(field, got, want))
		}
	}
	for i, n := range c.Neurons {
		at := fmt.Sprintf("neuron %d: ", i)
		if n.Integrator {
			check(n.Threshold == 0, at+"threshold of an integrator", n.Threshold, "0")
		} else {
			check(n.Threshold >= 1 && n.Threshold <= l.threshold, at+"threshold", n.Threshold, fmt.Sprintf("1..%d", l.threshold))
		}
		check(n.Leak >= 0 && n.Leak <= 127, at+"leak", n.Leak, "0..127")
		check(n.V >= l.vMin && n.V <= l.vMax && (n.Integrator || n.V < n.Threshold), at+"v", n.V, fmt.Sprintf("%d..%d and below the threshold", l.vMin, l.vMax))
	}
	check(len(c.Weights) <= size, "rows of weights", len(c.Weights), "at most 256")
	for p, row := range c.Weights {
		if len(row) != 0 && len(row) != len(c.Neurons) {
			check(false, fmt.Sprintf("row %d", p), fmt.Sprintf("%d weights", len(row)), fmt.Sprintf("%d, one a neuron, or none", len(c.Neurons)))
			continue
		}
		pos, neg := false, false
		for q, w := range row {
			check(int(w) >= l.weightMin && int(w) <= l.weightMax, fmt.Sprintf("weight %d to %d", p, q), w, fmt.Sprintf("%d..%d", l.weightMin, l.weightMax))
			pos, neg = pos || w > 0, neg || w < 0
		}
		check(c.Chip != ODIN || !pos || !neg, fmt.Sprintf("row %d", p), "weights of both signs", "one sign: it belongs to the row")
	}
	check(!c.Synchronous || !c.ClosedLoop, "scheduling", "synchronous and closed loop", "one of them")
	return errors.Join(errs...)
}

// weight is a stored weight; rows left out are zero.
func (c *Core) weight(pre, post int) int {
	if pre >= len(c.Weights) || post >= len(c.Weights[pre]) {
		return 0
	}
	return int(c.Weights[pre][post])
}

// Same says whether two valid cores are loaded with the same network.
func (c *Core) Same(d *Core) bool {
	if c.Chip != d.Chip || c.Synchronous != d.Synchronous || c.ClosedLoop != d.ClosedLoop || !slices.Equal(c.Neurons, d.Neurons) {
		return false
	}
	for p := range size {
		for q := range c.Neurons {
			if c.weight(p, q) != d.weight(p, q) {
				return false
			}
		}
	}
	return true
}

// TwoLayer is a dense network inputs -> hidden -> outputs. Hidden neurons
// fire; outputs only gather, and are read as membranes. Without W2 the network
// is one layer and its spikes are the result.
type TwoLayer struct {
	W1         [][]int8 // [input][hidden]
	W2         [][]int8 // [hidden][output]
	Thresholds []int    // of the hidden neurons
	Leaks      []int    // of the hidden neurons
	OutputLeak int
}

// Shape is where a TwoLayer stands on a core: rows and neurons 0..Inputs-1 are
// the inputs, then the hidden neurons, then the outputs.
type Shape struct{ Inputs, Hidden, Outputs int }

// Place puts a network on one chip for the synchronous scheme.
func (t *TwoLayer) Place(chip Chip) (*Core, Shape, error) {
	s := Shape{Inputs: len(t.W1), Hidden: len(t.Thresholds)}
	if len(t.W2) > 0 {
		s.Outputs = len(t.W2[0])
	}
	n := s.Inputs + s.Hidden + s.Outputs
	if s.Inputs == 0 || s.Hidden == 0 || n > size {
		return nil, s, invalid("inputs+hidden+outputs", fmt.Sprintf("%d+%d+%d", s.Inputs, s.Hidden, s.Outputs), "at least one input and hidden neuron, 256 in all")
	}
	if len(t.Leaks) != s.Hidden {
		return nil, s, invalid("leaks", len(t.Leaks), fmt.Sprintf("%d, one a hidden neuron", s.Hidden))
	}
	if len(t.W2) > 0 && len(t.W2) != s.Hidden {
		return nil, s, invalid("rows of w2", len(t.W2), fmt.Sprintf("%d, one a hidden neuron", s.Hidden))
	}
	c := &Core{Chip: chip, Synchronous: true, Neurons: make([]Neuron, n), Weights: make([][]int8, s.Inputs+s.Hidden)}
	for i := range c.Neurons {
		c.Neurons[i].Integrator = true
	}
	for i, thr := range t.Thresholds {
		c.Neurons[s.Inputs+i] = Neuron{Threshold: thr, Leak: t.Leaks[i]}
	}
	for i := s.Inputs + s.Hidden; i < n; i++ {
		c.Neurons[i].Leak = t.OutputLeak
	}
	for i, row := range t.W1 {
		if len(row) != s.Hidden {
			return nil, s, invalid(fmt.Sprintf("w1 row %d", i), len(row), fmt.Sprintf("%d weights", s.Hidden))
		}
		c.Weights[i] = make([]int8, n)
		copy(c.Weights[i][s.Inputs:], row)
	}
	for i, row := range t.W2 {
		if len(row) != s.Outputs {
			return nil, s, invalid(fmt.Sprintf("w2 row %d", i), len(row), fmt.Sprintf("%d weights", s.Outputs))
		}
		c.Weights[s.Inputs+i] = make([]int8, n)
		copy(c.Weights[s.Inputs+i][s.Inputs+s.Hidden:], row)
	}
	return c, s, c.Validate()
}
