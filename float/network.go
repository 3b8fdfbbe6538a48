package float

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"glsnn/float/encode"
)

// Mode names the equations that a network obeys.
type Mode string

const (
	// Chip passes binary spikes between layers; all layers step once a tick.
	// It is what is quantised, emulated and exported.
	Chip Mode = "chip"
	// Paper is eqs 2-6 of [zhao2020] with the printed constants: layers pass
	// the real-valued S. No chip runs it.
	Paper Mode = "paper"
)

// Reset is what a spike does to the membrane in chip mode.
type Reset string

const (
	ResetZero     Reset = "zero"     // v = 0
	ResetSubtract Reset = "subtract" // v = v - threshold
)

// Readout is how the output layer's S is formed in chip mode.
type Readout string

const (
	// ReadMembrane lets output neurons integrate without firing; S_out is
	// the membrane after the last tick over (threshold x T), so that a neuron
	// driven at threshold every tick has S = 1. Eq. 3 has the same form: its
	// S is the input current plus a hundredth a spike.
	ReadMembrane Readout = "membrane"
	// ReadCount lets output neurons fire; S_out is their spike count over T.
	ReadCount Readout = "count"
)

// Threshold is every float neuron's threshold. Weights carry the scale.
const Threshold = 1

// DecayOne is a decay parameter's unit: d multiplies a state by
// (DecayOne - d)/DecayOne each tick, so that the integer chip's d is the same
// number.
const DecayOne = 4096

// Config is a network's shape and its neurons.
type Config struct {
	Mode          Mode        `json:"mode"`
	Sizes         []int       `json:"sizes"` // inputs, hidden ..., outputs
	Ticks         int         `json:"ticks"` // window T
	Encoder       encode.Kind `json:"encoder"`
	EncoderSeed   uint64      `json:"encoder_seed"`
	CurrentDecay  int         `json:"current_decay"`  // d of u; DecayOne forgets at once (no synaptic current)
	MembraneDecay int         `json:"membrane_decay"` // d of v of firing layers; 0 keeps all (no decay)
	Reset         Reset       `json:"reset"`
	Readout       Readout     `json:"readout"`
	// PerEvent tests a neuron after every spike that reaches it and not once a
	// tick, in chip mode without decays: see doc.go.
	PerEvent bool `json:"per_event,omitempty"`
	// Floor adds each arriving weight straight to the membrane, ascending
	// inputs, and stops at 0 after each: an unsigned register. It goes without
	// synaptic current and decay.
	Floor bool `json:"floor,omitempty"`
}

// MaxWidth and MaxTicks bound a configuration read from a file or a flag.
const (
	MaxWidth = 1 << 20
	MaxTicks = 1 << 16
)

// Validate reports every field that cannot be.
func (c Config) Validate() error {
	var errs []error
	bad := func(field, format string, args ...any) {
		errs = append(errs, fmt.Errorf(field+": "+format, args...))
	}
	oneOf := func(field string, got string, want ...string) {
		if !slices.Contains(want, got) {
			bad(field, "got %q, want one of %s", got, strings.Join(want, ", "))
		}
	}
	oneOf("mode", string(c.Mode), string(Chip), string(Paper))
	if len(c.Sizes) < 2 {
		bad("sizes", "got %d layers of units, want at least inputs and outputs", len(c.Sizes))
	}
	for i, n := range c.Sizes {
		if n < 1 || n > MaxWidth {
			bad(fmt.Sprintf("sizes[%d]", i), "got %d, want 1..%d", n, MaxWidth)
		} else if i == len(c.Sizes)-1 && n < 2 {
			bad(fmt.Sprintf("sizes[%d]", i), "got %d outputs, want at least 2", n)
		}
	}
	if c.Ticks < 1 || c.Ticks > MaxTicks {
		bad("ticks", "got %d, want 1..%d", c.Ticks, MaxTicks)
	}
	if c.Mode == Chip {
		if _, err := encode.Parse(string(c.Encoder)); err != nil {
			errs = append(errs, err)
		}
		oneOf("reset", string(c.Reset), string(ResetZero), string(ResetSubtract))
		oneOf("readout", string(c.Readout), string(ReadMembrane), string(ReadCount))
		for _, d := range []struct {
			name string
			d    int
		}{{"current_decay", c.CurrentDecay}, {"membrane_decay", c.MembraneDecay}} {
			if d.d < 0 || d.d > DecayOne {
				bad(d.name, "got %d, want 0..%d", d.d, DecayOne)
			}
		}
		if c.PerEvent && c.CurrentDecay != DecayOne {
			bad("current_decay", "got %d with a test after every spike, want %d", c.CurrentDecay, DecayOne)
		}
		if c.PerEvent && c.MembraneDecay != 0 {
			bad("membrane_decay", "got %d with a test after every spike, want 0", c.MembraneDecay)
		}
		if c.Floor && (c.CurrentDecay != DecayOne || c.MembraneDecay != 0) {
			bad("floor", "got a floor with current_decay %d and membrane_decay %d, want %d and 0: weights go straight into a membrane that keeps them", c.CurrentDecay, c.MembraneDecay, DecayOne)
		}
	}
	if c.PerEvent && c.Mode != Chip {
		bad("per_event", "got true in mode %s, want %s", c.Mode, Chip)
	}
	return errors.Join(errs...)
}

// Layers is the number of weight layers.
func (c Config) Layers() int { return len(c.Sizes) - 1 }

// LayerDecay is the membrane decay of layer l: an integrating read-out keeps
// all of its input.
func (c Config) LayerDecay(l int) int {
	if c.Integrates(l) {
		return 0
	}
	return c.MembraneDecay
}

// Integrates says whether layer l is a read-out that never fires.
func (c Config) Integrates(l int) bool {
	return c.Mode == Chip && c.Readout == ReadMembrane && l == c.Layers()-1
}

// NewEncoder is the network's input encoder.
func (c Config) NewEncoder() encode.Encoder {
	return encode.Encoder{Kind: c.Encoder, Ticks: c.Ticks, Seed: c.EncoderSeed}
}

// Network is a trained (or fresh) float network. Weights[l] is
// [Sizes[l]][Sizes[l+1]], row-major: the row of a presynaptic unit is
// contiguous, so that its spike adds one row.
type Network struct {
	Config
	Weights [][]float32
	Origin  Origin // what it was trained on and how
}

// NewNetwork returns a network with the starting weights of [zhao2020]: random
// orthogonal matrices scaled by gain x sqrt(6/(fan_in + fan_out)).
func NewNetwork(c Config, seed uint64, gain float64) (*Network, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	n := &Network{Config: c}
	for l := range c.Layers() {
		in, out := c.Sizes[l], c.Sizes[l+1]
		scale := gain * math.Sqrt(6/float64(in+out))
		n.Weights = append(n.Weights, orthogonal(in, out, scale, newStream(seed, streamWeights, uint64(l))))
	}
	return n, nil
}

// Parameters counts the weights.
func (n *Network) Parameters() (p int) {
	for _, w := range n.Weights {
		p += len(w)
	}
	return p
}
