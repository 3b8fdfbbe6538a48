package main

import (
	"testing"

	"glsnn/emulator/learn"
	"glsnn/targets"
)

// The words of targets' learning rules are those of package learn: generic has all.
func TestLearningWords(t *testing.T) {
	chip, err := targets.Load("generic")
	if err != nil {
		t.Fatal(err)
	}
	for _, mode := range []learn.Mode{learn.PerSample, learn.PerEvent} {
		for _, round := range []learn.Rounding{learn.RoundCarry, learn.RoundStochastic, learn.RoundNearest} {
			for _, feedback := range []learn.FeedbackSource{learn.FeedbackOutput, learn.FeedbackRandom} {
				for _, window := range []learn.WindowState{learn.WindowDrive, learn.WindowCount, learn.WindowNone} {
					if l := chip.Learning.Rule.Lacking(string(mode), string(round), string(feedback), string(window), 8, 8, 8); l != nil {
						t.Error(l)
					}
				}
			}
		}
	}
	if l := chip.Learning.Rule.Lacking("per_sample", "up", "output", "drive", 9, 8, 8); len(l) != 2 {
		t.Errorf("got %q, want two things lacking", l)
	}
}
