// Package fixedpoint is the arithmetic contract: which integers a chip holds,
// how they are rounded, what happens when they do not fit, and the immutable
// quantised network that is written in them.
//
// It imports the standard library only. Everything above it (quantiser,
// emulator, exporter) calls the primitives of ops.go and never shifts, rounds
// or narrows state on its own, so that a boundary is decided in one place.
//
// Reading order: [Format] and [Register] (how many bits), [RoundMode] and
// [Overflow] (the two losses), ops.go (the primitives), [LFSR] and [RoundStochastic] (chance), [Arithmetic] (a chip's
// whole contract) with [Weight], [State], [Bias] and [Fire], [Model] and [Layer] (a network in it), [Model.Bounds] (the
// proof of the widths it needs), [Lower] (the same network in another chip's
// contract, or the reason why not).
//
// Words: raw is the stored integer, real the number it stands for,
// real = raw × scale. Widths are in bits and include the sign bit. A decay d
// multiplies a state by (2^k − d)/2^k each tick, or by 1 − 2^−d; it is never called
// a leak, which subtracts or adds a constant. To forget is to decay, then leak.
//
// References: [davies2018] Davies et al., "Loihi: A Neuromorphic Manycore
// Processor with On-Chip Learning", IEEE Micro 38(1), 2018. [zhao2020] Zhao et
// al., Frontiers in Computational Neuroscience 14:576841, 2020.
package fixedpoint
