// Package simd holds the float trainer's hot loops in three tiers: portable Go,
// AVX2 and AVX-512; fixedpoint/tier chooses.
//
// Every tier gives the same bits: sums run in the order of the naive loop that
// each function's comment shows, each product and each sum is rounded to
// float32 by itself (no fused multiply-add, except in Packed.Mul, where every tier
// fuses), and division and square root are correctly rounded. Only which NaN a NaN
// is may differ.
//
// There are two ways to multiply by a matrix. Spikes are 0 or 1, so Lists.Sum adds
// the rows of those that are 1; units that spike in the same ticks are added once
// for all of them (package float, groups). Packed.Mul is for numbers: paper mode's
// S.
//
// The kernels are written in gen, a module of its own, which go generate runs.
package simd
