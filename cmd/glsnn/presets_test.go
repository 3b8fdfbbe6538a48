package main

import (
	"strings"
	"testing"
)

// TestPresets: every value of every recipe is one that its flag takes, and --help
// shows it.
func TestPresets(t *testing.T) {
	for _, p := range presets() {
		cmd := newTrain(&app{})
		if err := usePreset(cmd, p.name); err != nil {
			t.Errorf("%s: %v", p.name, err)
		}
		for _, f := range p.flags {
			flag := cmd.Flags().Lookup(f.name)
			if got := flag.Value.String(); got != f.value || flag.Changed {
				t.Errorf("%s: --%s: got %s, want %s and a flag that counts as not given", p.name, f.name, got, f.value)
			}
			if want := f.String(); !strings.Contains(cmd.Long, want) {
				t.Errorf("%s: --help does not show %s", p.name, want)
			}
		}
	}
}
