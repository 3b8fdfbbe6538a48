// Package table writes a mapping as files that a chip's loader, a testbench or a
// person can read, and reads them back into a network using the files alone.
//
// A table folder holds
//
//	manifest.json               what made it, and a sha256 of every other file
//	network.json                window, encoding, read-out, arithmetic, outputs
//	inputs.csv                  input,core,axon: where an input spike goes
//	routes.csv                  core,neuron,dest_core,dest_axon: where a neuron's spike goes
//	cores/core_0000.json        the parameters that the neurons of a core share
//	cores/core_0000.mem         $readmemh image of its synapse rows
//	cores/core_0000.csv         the same rows in decimal
//	cores/core_0000.coe .mif .h the same again, where asked for; see Image
//
// An image begins with a // comment and has one word an in-axon, ascending, from address 0: the weights to
// the core's neurons, neuron 0 in the lowest stored_weight_bits bits, two's
// complement if the arithmetic's weights are signed, in ceil(bits/4) lower-case
// hex digits, no address lines, the whole depth. A delivered spike adds
// weight << weight_exp.
//
// Chips whose tables have format loihi have other files for each core, in place of
// these and of routes.csv; loihi.go defines them.
//
// Read uses every file: routes decide which neuron feeds which axon, and all
// forms of the rows must agree.
package table

import (
	"fmt"

	"glsnn/export"
	"glsnn/fixedpoint"
	"glsnn/fixedpoint/artefact"
	"glsnn/targets"
)

// Kind is a table folder's kind in its manifest.
const Kind = "tables"

// SchemaVersion is the newest layout of a table folder.
const SchemaVersion = 1

// Manifest is manifest.json. It has no clock: the same inputs give the same
// bytes.
type Manifest struct {
	Format     string            `json:"format"` // always "glsnn"
	Kind       string            `json:"kind"`   // of this package "tables"
	Version    int               `json:"version"`
	Tool       string            `json:"tool"`
	Model      string            `json:"model_sha256"`   // of the model file that was exported
	Target     string            `json:"target"`         // name in the chip file
	TargetSpec string            `json:"target_spec"`    // as the user named it: a built-in name or a path
	Chip       string            `json:"target_sha256"`  // of the chip file
	Lowered    string            `json:"lowered_sha256"` // of the model in the chip's arithmetic, as Read rebuilds it
	Source     fixedpoint.Source `json:"source"`
	Stimuli    *Stimuli          `json:"stimuli,omitempty"` // of folders that hold some
	Layout     *export.Layout    `json:"layout,omitempty"`  // of mapped tables: what each core holds
	Files      []fileEntry       `json:"files"`
}

// Stimuli says of which samples the stimuli of a folder are: the first of a
// split of a data set.
type Stimuli struct {
	Data  string `json:"data"`
	Split string `json:"split"`
}

// networkFile is network.json.
type networkFile struct {
	Form       string                `json:"form,omitempty"`   // of the cores' files: loihiForm, or none
	Limits     *loihiLimits          `json:"limits,omitempty"` // with form loihi
	Inputs     int                   `json:"inputs"`
	Ticks      int                   `json:"ticks"`
	LayerDelay int                   `json:"layer_delay"` // ticks from one layer to the next on this chip
	Encoding   fixedpoint.Encoding   `json:"encoding"`
	Readout    fixedpoint.Readout    `json:"readout"`
	Arithmetic fixedpoint.Arithmetic `json:"arithmetic"`
	Cores      []targets.CoreID      `json:"cores"`
	Images     []Image               `json:"images"`  // further forms of the synapse rows
	Outputs    []address             `json:"outputs"` // of class 0, 1, ...
}

// address is a neuron: a core and its number there.
type address struct {
	Core   targets.CoreID `json:"core"`
	Neuron int            `json:"neuron"`
}

// coreFile is cores/core_NNNN.json.
type coreFile struct {
	Core             targets.CoreID   `json:"core"`
	X                int              `json:"x"`
	Y                int              `json:"y"`
	Neurons          int              `json:"neurons"`
	Axons            int              `json:"axons"`
	WeightBits       int              `json:"weight_bits"`
	StoredWeightBits int              `json:"stored_weight_bits"`
	WeightExp        int              `json:"weight_exp"`
	CurrentDecay     int64            `json:"current_decay"`
	MembraneDecay    int64            `json:"membrane_decay"`
	Threshold        int64            `json:"threshold"` // raw; the register's largest value where integrator is true
	Reset            fixedpoint.Reset `json:"reset"`
	Integrator       bool             `json:"integrator"` // never fires: its membrane is read

	CurrentLeak  int64               `json:"current_leak"`
	MembraneLeak int64               `json:"membrane_leak"`
	ResetValue   int64               `json:"reset_value"`
	Refractory   int                 `json:"refractory"`
	NegThreshold int64               `json:"neg_threshold"`
	NegReset     fixedpoint.NegReset `json:"neg_reset"`
	Delay        int                 `json:"delay"` // axonal: ticks added to the delivery of its spikes

	Scale float64 `json:"scale"` // real weight = weight x scale
}

func coreName(c targets.CoreID) string { return fmt.Sprintf("cores/core_%04d", c) }

// Error is a fault in a table file; it is an artefact.ErrCorrupt.
type Error = artefact.LineError
