// Package bench measures how close glsnn comes to what the machine can do: each
// figure beside its limit, which is measured in the same rounds. The command
// glsnn bench prints them and this package's Go benchmarks run the same cases.
//
// A case is measured in rounds, all cases once a round. A round keeps the quickest of
// many short pieces (one call, where that takes longer than a quarter of a
// millisecond), so that other jobs on the machine do little harm, and the figure is
// the median of the rounds.
//
// Reading order: Case, Cases, Measure, Sweeps.
package bench
