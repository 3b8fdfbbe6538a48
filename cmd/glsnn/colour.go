package main

import (
	"io"
	"os"
	"regexp"
)

// colours says whether what is written to w may have colours: to a terminal that
// can, where NO_COLOR (no-color.org) is not set.
func colours(w io.Writer) bool {
	return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && isTerminal(w)
}

// Words that decide how a result is read, and their colours.
var inks = []struct {
	words *regexp.Regexp
	ink   string
}{
	{regexp.MustCompile(`\b0 mismatches\b|\bengines +equal\b`), "32"},                                 // green
	{regexp.MustCompile(`\bNOT the same\b|\b[1-9][0-9]* mismatches\b|\brefused\b`), "31"},             // red
	{regexp.MustCompile(`\bunknown\b|\bmissing\b|\bwithout [a-z_]+_[a-z_, ]+|\bnot checked\b`), "33"}, // yellow
}

// paint gives words of a finished text their colours. Columns stay aligned: it
// adds nothing that is seen.
func paint(text []byte) []byte {
	for _, i := range inks {
		text = i.words.ReplaceAll(text, []byte("\x1b["+i.ink+"m${0}\x1b[0m"))
	}
	return text
}
