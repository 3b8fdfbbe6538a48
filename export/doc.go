// Package export maps a quantised network onto the cores of a chip.
//
// Three pure steps: Partition cuts every layer into parts that fit a core, package
// place gives each part a core, Map joins the two and works out every route and
// the footprint; MapWith does it by a Plan, MapTo with a Layout that is given.
// Package table writes the result as files and reads it back.
//
// A part is a run of one layer's neurons; a core holds one part. A layer's whole
// fan-in stays on each of its cores, so the order of the additions, and with it
// every bit, is what the emulator computes. A fan-in is not split: see CanSplit.
//
// Where a crosspoint is one bit (fixedpoint.WeightTypes) an input takes an in-axon
// for each bit of a weight, and on a chip whose neurons have one destination
// (targets.Fabric.Unicast) a neuron is stored once for each in-axon that it feeds.
//
// Reading order: Part, FitError, Mapping, Plan, Layout.
package export
