package main

import (
	"strings"
	"testing"

	"glsnn/export/crossbar"
)

// TestCyclesText: what was run is set beside its estimate, and what was not run,
// or not known, is said.
func TestCyclesText(t *testing.T) {
	estimate := 180.0
	for _, c := range []struct {
		events, spi *cycles
		want        string
	}{
		{newCycles(200, &estimate), nil, "cycles\tevents\t200 a sample on the RTL, 180 estimated: ratio 0.9000\ncycles\thost by SPI\tnot run; --spi does\n"},
		{newCycles(200, nil), newCycles(360, &estimate), "cycles\tevents\t200 a sample on the RTL\ncycles\thost by SPI\t360 a sample on the RTL, 180 estimated: ratio 0.5000\n"},
		{newCycles(200, &estimate), newCycles(0, &estimate), "cycles\thost by SPI\t0 a sample on the RTL\n"},
	} {
		var b strings.Builder
		(&crossbarResult{Tried: &crossbar.Result{}, RTL: &crossbar.Result{}, Events: c.events, SPI: c.spi}).text(&b)
		if !strings.HasSuffix(b.String(), c.want) {
			t.Errorf("got %q, want it to end with %q", b.String(), c.want)
		}
	}
}
