// Package simd holds the emulator's hot loops in three tiers: portable Go, AVX2
// and AVX-512; fixedpoint/tier chooses. Every tier gives the same integers as
// the naive loop that each function's comment shows.
//
// [Rows] is a weight matrix in the layout that the loops read. Neurons come in
// blocks of [Block]: every slice with one entry a neuron has [Pad] of them, and
// those past the last neuron are the kernels' to overwrite.
//
// The kernels are written in gen, a module of its own, which go generate runs.
package simd
