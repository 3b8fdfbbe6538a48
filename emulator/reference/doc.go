// Package reference is the executable specification of a tick: the order of
// package emulator, written as plainly as it can be. It visits every axon and
// every neuron of every layer in every tick, holds all state in int64 and
// calls a primitive of fixedpoint for each operation. It has no case for
// anything that it could skip, and shares no step with the event-driven
// engine; read it to know what a tick is, run it to check the other.
package reference
