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
// the rows of those that are 1: an add with its operand from the innermost cache
// takes as long as a multiply-add, so it is the quicker one below some 70 %
// activity (500 x 500, 20 ticks, AVX-512: 12 us at 10 %, 35 at 42, 50 at 60, 80 at
// 100; Packed.Mul 60). No layer of a trained network is that active. Packed.Mul is
// for numbers: paper mode's S.
//
// The kernels are written in gen, a module of its own, which go generate runs.
package simd
