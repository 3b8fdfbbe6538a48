// Package emutest is the suite that every engine passes: hand-checked vectors,
// boundary values, delivery order and overflow counts worked out on paper, and
// random models run beside the reference and compared after every tick.
//
// Both engines call the primitives of fixedpoint, so a twin cannot see a wrong
// primitive; the exhaustive tests of fixedpoint and the numbers written by
// hand, here and in the vectors, can.
package emutest

import (
	"glsnn/emulator"
	"glsnn/emulator/reference"
	"glsnn/fixedpoint"
)

// NewMachine makes the engine under test.
type NewMachine func(*fixedpoint.Model, emulator.Options) emulator.Machine

// Event and Reference are the two engines of this module.
func Event(m *fixedpoint.Model, o emulator.Options) emulator.Machine { return emulator.New(m, o) }

func Reference(m *fixedpoint.Model, o emulator.Options) emulator.Machine { return reference.New(m, o) }
