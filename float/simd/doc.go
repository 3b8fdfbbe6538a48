// Package simd holds the float trainer's hot loops in three tiers: portable Go,
// AVX2 and AVX-512; fixedpoint/tier chooses.
//
// Every tier gives the same bits: sums run in the order of the naive loop that
// each function's comment shows, each product and each sum is rounded to
// float32 by itself (no fused multiply-add), and division and square root are
// correctly rounded. Only which NaN a NaN is may differ.
//
// The kernels are written in gen, a module of its own, which go generate runs.
package simd
