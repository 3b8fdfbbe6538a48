// Package place gives each part of a network a core of a chip's fabric, by named
// methods behind one function, and measures what a placement costs: messages
// times links, the largest load of a link, the longest route.
//
// A [Problem] is parts and the messages between them. Parts that are sent to
// together form a set, shared by all that send to it, so that a dense network
// takes memory in its parts and in the members of its sets, not in pairs of
// cores, and never in synapses.
//
// Routes go along x first, then along y (dimension order). Where the fabric
// copies a message at each target's expense ([targets.Fabric] without Multicast)
// every target has a route of its own. With Multicast a message is copied where
// ways part: the links of all routes together carry it once. Input spikes enter
// at their cores and take no links; where they come from is not described.
//
// Everything is integers and, with the same seed, the same on every platform.
//
// Reading order: Problem, Load, Method, then orders.go and anneal.go.
package place
