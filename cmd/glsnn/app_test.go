package main

import (
	"bytes"
	"context"
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
