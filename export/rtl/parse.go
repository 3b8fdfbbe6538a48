package rtl

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"glsnn/fixedpoint/artefact"
)

// ErrCorrupt marks a file that is not what this package writes.
var ErrCorrupt = artefact.ErrCorrupt

// Error is a fault in a file; it is an ErrCorrupt.
type Error = artefact.LineError

func fault(file string, line int, field string, got any, want string) error {
	text := fmt.Sprint(got)
	if len(text) > 60 {
		text = text[:60] + "..."
	}
	return &Error{File: file, Line: line, Field: field, Got: text, Want: want}
}

// eachLine calls visit with the words of each line that has any; comment
// starts a comment that runs to the end of its line.
func eachLine(name string, r io.Reader, comment string, visit func(line int, words []string) error) error {
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<20)
	line := 0
	for s.Scan() {
		line++
		text, _, _ := strings.Cut(s.Text(), comment)
		if words := strings.Fields(text); len(words) > 0 {
			if err := visit(line, words); err != nil {
				return err
			}
		}
	}
	if err := s.Err(); err != nil {
		return fmt.Errorf("%s:%d: %w", name, line+1, err)
	}
	return nil
}
