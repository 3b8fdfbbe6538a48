package dataset

import (
	"errors"
	"fmt"
)

// Kinds of failure, for errors.Is.
var (
	// ErrNotFound: the data set, or one of its files, is in none of the folders looked in.
	ErrNotFound = errors.New("data set not found")
	// ErrTruncated: a file ends before the data its header promises.
	ErrTruncated = errors.New("truncated file")
	// ErrChecksum: a file's bytes are not those of the published data set.
	ErrChecksum = errors.New("wrong checksum")
)

// A FieldError names one fault in a file: which file, which line (0: not a text file), which field, what was
// there and what would do. Err, if set, is the kind, one of the Err variables of this package.
type FieldError struct {
	Path  string
	Line  int
	Field string
	Got   string
	Want  string
	Err   error
}

// Error returns "path[:line]: field: got G, want W", on one line.
func (e *FieldError) Error() string {
	line := ""
	if e.Line > 0 {
		line = fmt.Sprintf(":%d", e.Line)
	}
	return fmt.Sprintf("%s%s: %s: got %s, want %s", e.Path, line, e.Field, e.Got, e.Want)
}

// Unwrap returns the kind, or nil.
func (e *FieldError) Unwrap() error { return e.Err }
