// Package targets is a neuromorphic chip as data: a YAML file that says which
// integers the chip holds, how much fits on a core, how cores are laid out and
// what each operation costs, and a strict loader for it. Nothing here or above
// asks for a chip's name; a new chip is a new file.
//
// No default stands in for a missing field: a key that is absent, unknown,
// given twice or of the wrong type is a fault, and all faults of a file are
// reported at once as [FieldError] with their lines. The exceptions follow
// from the file itself: a constant whose value is null has a reason and
// nothing else, a range and a source are written where they exist, and a
// section that says `present: false`, `kind: none` or `when: none` ends there.
// The arithmetic and the limits of a core may be null as a whole, with a reason
// in the section `unknown`; [Chip.Known] is then the error to stop with. The
// section `registers`, raw register values and what each sets, may be left out:
// then the chip has no conformance vectors; see [Chip.Neuron].
//
// Left out: parameters of a network (they are in fixedpoint.Model), placement,
// and the operation counts that the costs multiply.
//
// Reading order: [Chip], [Core] with [Core.SynapseMemory], [Fabric] with
// [CoreID] and [Fabric.Hops], [Cost] with [Quantity], then [Load] and the list
// of checks in validate.go. toy.yaml is the shortest complete file.
//
// Units end the names: _pj picojoules, _ns nanoseconds, _mw milliwatts (one
// mW over one ns is one pJ), _mhz megahertz, _bits bits.
//
// Some constants are of few chips and may be left out: routers, barrier and memory
// in energy, power of a tile at rest, a tick of fixed length. One that is left
// out is nothing; one that is null is not known, with a reason, as any other.
//
// References are keys into a file's own sources section. Chips described here:
// [davies2018] Davies et al., "Loihi: A Neuromorphic Manycore Processor with
// On-Chip Learning", IEEE Micro 38(1):82-99, 2018.
package targets
