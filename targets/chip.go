package targets

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"glsnn/fixedpoint"
)

// Chip is one chip file, checked. Its invariants are the list of checks in
// validate.go. A Chip is read-only by convention; Load returns a fresh one.
type Chip struct {
	Name        string            `json:"name"`
	Title       string            `json:"title"`
	Description string            `json:"description"`
	Sources     map[string]Source `json:"sources"`
	// Unknown says why a part of the file is null: the keys are those of
	// Nullable. Ask Known before using such a part; its Go value is zero.
	Unknown    map[string]string     `json:"unknown"`
	Arithmetic fixedpoint.Arithmetic `json:"arithmetic" file:"null"`
	// Registers are the parameters of a neuron as the chip stores them; see Neuron.
	Registers map[string]Register `json:"registers,omitempty" file:"optional"`
	Core      Core                `json:"core"`
	Fabric    Fabric              `json:"fabric"`
	Origins   Origins             `json:"origins"`
	Cost      Cost                `json:"cost"`
	Tables    Tables              `json:"tables"`
	Learning  Learning            `json:"learning"`
	Checkers  []string            `json:"checkers"`           // what can verify an export, free text
	SHA256    string              `json:"sha256" file:"-"`    // of the file's bytes, in hex
	File      string              `json:"file" file:"-"     ` // as given, or a built-in's file name

	lines map[string]int  // line of each key of the file, for messages
	nulls map[string]bool // fields that are null in the file
}

// nullable are the parts of a chip file that may be null, by their key in
// Chip.Unknown.
var nullable = []struct{ key, field string }{
	{"arithmetic", "arithmetic"},
	{"neurons", "core.neurons"},
	{"axons_in", "core.axons_in"},
	{"axons_out", "core.axons_out"},
	{"synapse_bits", "core.synapse_bits"},
}

// ErrUnknown is the kind of Known's error.
var ErrUnknown = errors.New("not known")

// Known says whether the parts of c named by keys of Chip.Unknown are known; all
// of them if none is named. Quantising and emulating need "arithmetic", mapping
// needs "neurons" as well. The error wraps ErrUnknown and lists each part with the
// reason.
func (c *Chip) Known(keys ...string) error {
	var errs []error
	for _, n := range nullable {
		reason, ok := c.Unknown[n.key]
		if ok && (len(keys) == 0 || slices.Contains(keys, n.key)) {
			errs = append(errs, fmt.Errorf("target %s: %s is %w: %s", c.Name, n.field, ErrUnknown, oneLine(reason)))
		}
	}
	return errors.Join(errs...)
}

// Exceeds says whether need is over a limit of a core: neurons, axons_in,
// axons_out or synapse_bits. Nothing exceeds a limit that is not known: what is
// mapped onto such a chip may be more than a core holds, and [Chip.Unchecked]
// says so.
func (c *Chip) Exceeds(limit string, need int64) bool {
	_, unknown := c.Unknown[limit]
	have := map[string]int64{"neurons": int64(c.Core.Neurons), "axons_in": int64(c.Core.AxonsIn), "axons_out": int64(c.Core.AxonsOut), "synapse_bits": c.Core.SynapseBits}
	return !unknown && need > have[limit]
}

// Unchecked are the limits of a core that no mapping is held against, each with
// the reason why it is not known: "core.axons_in is not known: not public".
func (c *Chip) Unchecked() []string {
	var out []string
	for _, n := range nullable {
		if reason, ok := c.Unknown[n.key]; ok && strings.HasPrefix(n.field, "core.") {
			out = append(out, fmt.Sprintf("%s is not known: %s", n.field, oneLine(reason)))
		}
	}
	return out
}

// Source is where a number comes from.
type Source struct {
	Citation string `json:"citation"`
	Note     string `json:"note" file:"empty"` // how far it can be trusted
}

// Origin is the provenance of a section or a constant. A Basis other than
// Assumed needs a Source; a Source needs At, the place in it.
type Origin struct {
	Basis  Basis  `json:"basis,omitempty" file:"optional"`
	Source string `json:"source,omitempty" file:"optional"` // key of Chip.Sources
	At     string `json:"at,omitempty" file:"optional"`
}

// Origins are the provenance of the sections that are facts as a whole.
type Origins struct {
	Arithmetic Origin `json:"arithmetic"`
	Core       Origin `json:"core"`
	Fabric     Origin `json:"fabric"`
}

// Core is what one core holds. A limit that is not known is 0, and then
// Chip.Known says why.
type Core struct {
	Neurons int `json:"neurons" file:"null"`
	// AxonsIn is the number of in-axons: distinct addresses at which spikes
	// reach this core, each with its own synapse row.
	AxonsIn int `json:"axons_in" file:"null"`
	// AxonsOut is the number of out-axon entries: one for each pair of a
	// neuron here and a core that its spikes go to, or one for each neuron
	// where Fabric.Multicast is true.
	AxonsOut      int           `json:"axons_out" file:"null"`
	SynapseBits   int64         `json:"synapse_bits" file:"null"` // synapse memory
	WeightBits    []int         `json:"weight_bits"`              // storable widths, ascending
	SynapseLayout SynapseLayout `json:"synapse_layout"`
	NeuronBits    OptionalBits  `json:"neuron_bits"` // state of one neuron
}

// SynapseLayout is how one in-axon's row of n synapses lies in memory: cut
// into blocks of BlockSynapses (0: one block), each of which takes
// BlockHeaderBits plus its weights, rounded up to a multiple of WordBits.
type SynapseLayout struct {
	WordBits        int `json:"word_bits"`
	BlockSynapses   int `json:"block_synapses"`
	BlockHeaderBits int `json:"block_header_bits"`
}

// OptionalBits is a number of bits, or the reason why it is not known.
type OptionalBits struct {
	Value  *int   `json:"value" file:"null"`
	Reason string `json:"reason,omitempty" file:"optional"`
}

// maxShape bounds the arguments of SynapseMemory so that it cannot overflow.
const maxShape = 1 << 24

// StoredBits is the narrowest storable width that holds weights of bits bits.
func (c Core) StoredBits(bits int) (int, error) {
	if bits < 1 {
		return 0, fmt.Errorf("weight bits: got %d, want at least 1", bits)
	}
	for _, w := range c.WeightBits {
		if w >= bits {
			return w, nil
		}
	}
	return 0, fmt.Errorf("weight bits: got %d, want at most the widest of %v", bits, c.WeightBits)
}

// SynapseMemory is the synapse memory that a dense block of axons × neurons
// weights of weightBits bits takes on one core, and the width they are stored
// in. Whether it fits SynapseBits is the caller's question. It fails for a
// width that no listed one covers and for sizes outside 0..2^24.
func (c Core) SynapseMemory(axons, neurons, weightBits int) (bits int64, storedBits int, err error) {
	if storedBits, err = c.StoredBits(weightBits); err != nil {
		return 0, 0, err
	}
	if axons < 0 || axons > maxShape || neurons < 0 || neurons > maxShape {
		return 0, 0, fmt.Errorf("synapse memory: got %d axons x %d neurons, want each in 0..%d", axons, neurons, maxShape)
	}
	return int64(axons) * c.SynapseLayout.rowBits(neurons, storedBits), storedBits, nil
}

func (l SynapseLayout) rowBits(n, width int) int64 {
	block := func(n int) int64 {
		word := int64(l.WordBits)
		return (int64(l.BlockHeaderBits) + int64(n)*int64(width) + word - 1) / word * word
	}
	if n == 0 {
		return 0
	}
	if l.BlockSynapses == 0 {
		return block(n)
	}
	bits := int64(n/l.BlockSynapses) * block(l.BlockSynapses)
	if rest := n % l.BlockSynapses; rest > 0 {
		bits += block(rest)
	}
	return bits
}

// Learning says whether the chip can change weights while it runs, and what of
// package emulator/learn's rule it can express.
type Learning struct {
	Supported bool   `json:"supported"`
	Reason    string `json:"reason"` // what it can do, or why not
	// Rule is given where the chip can learn; null where its own way of learning is
	// not the rule's, Reason saying so.
	Rule *LearningRule `json:"rule,omitempty" file:"supported=true"`
}

// LearningRule is what a chip's learning engine has of the rule in
// emulator/learn, in that package's words, and what an update costs.
type LearningRule struct {
	Modes     []string `json:"modes"`      // when it updates
	Rounds    []string `json:"rounds"`     // of an update
	Feedbacks []string `json:"feedbacks"`  // what can carry errors down
	Windows   []string `json:"windows"`    // what the local condition can look at
	TraceBits int      `json:"trace_bits"` // at most
	ErrorBits int      `json:"error_bits"` // at most, of an error or a modulator
	LowBits   int      `json:"low_bits"`   // at most
	Lacks     []string `json:"lacks"`      // what else it cannot do, in words
	Origin    Origin   `json:"origin"`

	UpdatePJ Quantity `json:"update_pj"` // one synapse read, updated and written back where it changed
	UpdateNS Quantity `json:"update_ns"`
	// UpdatesPerCycle is a core's lanes of learning.
	UpdatesPerCycle Quantity `json:"updates_per_cycle"`
}

// Lacking lists what of a rule the chip's learning engine cannot express; each
// with what it has instead; nil where it can express all.
func (r *LearningRule) Lacking(modes, rounds, feedbacks, windows string, traceBits, errorBits, lowBits int) []string {
	var out []string
	names := func(what, want string, have []string) {
		if !slices.Contains(have, want) {
			out = append(out, fmt.Sprintf("%s %s (it has %s)", what, want, strings.Join(have, ", ")))
		}
	}
	names("mode", modes, r.Modes)
	names("round", rounds, r.Rounds)
	names("feedback", feedbacks, r.Feedbacks)
	names("window", windows, r.Windows)
	bits := func(what string, want, have int) {
		if want > have {
			out = append(out, fmt.Sprintf("%s of %d bits (it has %d)", what, want, have))
		}
	}
	bits("traces", traceBits, r.TraceBits)
	bits("errors", errorBits, r.ErrorBits)
	bits("low bits", lowBits, r.LowBits)
	return out
}
