package emulator_test

import (
	"testing"

	"glsnn/emulator/emutest"
	"glsnn/targets"
)

// TestChips runs the suite that every engine passes in every shipped chip's
// arithmetic.
func TestChips(t *testing.T) {
	for _, name := range targets.Names() {
		chip, err := targets.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		if chip.Known("arithmetic") != nil {
			continue
		}
		t.Run(name+"/event", func(t *testing.T) { emutest.Run(t, emutest.Event, chip.Arithmetic) })
		t.Run(name+"/reference", func(t *testing.T) { emutest.Run(t, emutest.Reference, chip.Arithmetic) })
	}
}
