package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Shells complete commands, targets and names of methods.
func TestCompletion(t *testing.T) {
	for args, want := range map[string]string{
		"__complete|ma": "map", "__complete|export|--target|lo": "loihi", "__complete|export|--placement|": "anneal", "__complete|check|--split|": "test",
		"completion|bash": "complete -o default", "completion|zsh": "#compdef glsnn",
	} {
		var out, err bytes.Buffer
		if code := run(context.Background(), strings.Split(args, "|"), &out, &err); code != 0 || !strings.Contains(out.String(), want) {
			t.Errorf("%s: got code %d, %.200s, %s, want %q", args, code, out.String(), err.String(), want)
		}
	}
}

// Painting adds colours and nothing else, and what is no terminal gets none.
func TestPaint(t *testing.T) {
	text := "run  0 mismatches  energy unknown  3 mismatches\n"
	got := paint([]byte(text))
	if bytes.Equal(got, []byte(text)) || string(regexp.MustCompile("\x1b\\[[0-9]*m").ReplaceAll(got, nil)) != text {
		t.Errorf("got %q", got)
	}
	if colours(&bytes.Buffer{}) {
		t.Error("a buffer is taken for a terminal")
	}
}

// A checkpoint of another run is kept aside, one of a run that has not begun is
// not: it would take the place of what was kept before.
func TestKeepEarlier(t *testing.T) {
	ckpt := filepath.Join(t.TempDir(), "c")
	a := &app{err: io.Discard}
	for _, step := range []struct {
		state string
		begun bool
	}{{"trained", true}, {"not begun", false}} {
		if err := os.WriteFile(ckpt, []byte(step.state), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := a.keepEarlier(ckpt, func() bool { return step.begun }); err != nil {
			t.Fatal(err)
		}
		if old, err := os.ReadFile(ckpt + ".old"); err != nil || string(old) != "trained" {
			t.Errorf("%s: kept %q, %v", step.state, old, err)
		}
	}
}
