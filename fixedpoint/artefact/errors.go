package artefact

import (
	"errors"
	"fmt"
)

// Kinds of fault in a file; test for them with errors.Is.
var (
	// ErrCorrupt: not a bundle, cut short, too long, changed, or not as this
	// package writes it: `model.glsnn: member "w.npy": crc32: got 1c291ca3, want 00000000`.
	ErrCorrupt = errors.New("corrupt file")
	// ErrKind: an intact bundle of another kind: `network.glsnn: kind: got "model", want "network"`.
	ErrKind = errors.New("wrong kind of file")
	// ErrVersion: an intact bundle of a version out of range: `model.glsnn: version: got 7, want 1..1`.
	ErrVersion = errors.New("unsupported version")
	// ErrNonFinite: a NaN or infinity: `network.glsnn: layer0/weights[12]: got NaN, want a finite number`.
	ErrNonFinite = errors.New("not a finite number")
)

// FieldError says where in which file something is wrong, what was there and
// what would do. Err is the kind of fault, one of the sentinels above, or nil
// for a bundle that our own code filled wrongly. An empty File is not printed.
type FieldError struct {
	File, Field, Got, Want string
	Err                    error
}

// Error returns `file: field: got X, want Y`, one line.
func (e *FieldError) Error() string {
	s := e.Field + ": got " + e.Got + ", want " + e.Want
	if e.File != "" {
		s = e.File + ": " + s
	}
	return s
}

// Unwrap returns the kind of fault.
func (e *FieldError) Unwrap() error { return e.Err }

func corrupt(file, field, got, want string) *FieldError {
	return &FieldError{file, field, got, want, ErrCorrupt}
}

// quote quotes a string from outside for an error message, at most 60 bytes of it.
func quote[S ~string | ~[]byte](s S) string {
	if len(s) > 60 {
		return fmt.Sprintf("%q...", []byte(s[:60]))
	}
	return fmt.Sprintf("%q", []byte(s))
}

// LineError is a fault in a text file of a folder, by line; it is an ErrCorrupt.
type LineError struct {
	File  string
	Line  int // 0: the file as a whole
	Field string
	Got   string
	Want  string
}

// Error returns `file:line: field: got X, want Y`, one line.
func (e *LineError) Error() string {
	where := e.File
	if e.Line > 0 {
		where = fmt.Sprintf("%s:%d", e.File, e.Line)
	}
	return fmt.Sprintf("%s: %s: got %s, want %s", where, e.Field, e.Got, e.Want)
}

// Unwrap returns ErrCorrupt.
func (e *LineError) Unwrap() error { return ErrCorrupt }
