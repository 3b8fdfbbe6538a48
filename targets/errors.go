package targets

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrUnknownChip is Load's answer to a name that is neither built in nor a
// path.
var ErrUnknownChip = errors.New("no such chip")

// FieldError is one fault of a chip file:
//
//	toy.yaml:9: arithmetic.membrane.decay.frac_bits: got 40, want 1..16
//
// Line is 0 for a Chip that was not read from a file; Field is empty for a
// fault of the file as a whole.
type FieldError struct {
	Path      string
	Line      int
	Field     string
	Got, Want string
}

func (e *FieldError) Error() string {
	var s strings.Builder
	s.WriteString(e.Path)
	if e.Line > 0 {
		fmt.Fprintf(&s, ":%d", e.Line)
	}
	s.WriteString(": ")
	if e.Field != "" {
		s.WriteString(e.Field + ": ")
	}
	s.WriteString("got " + e.Got)
	if e.Want != "" {
		s.WriteString(", want " + e.Want)
	}
	return s.String()
}

// maxFaults bounds what one file can make us print.
const maxFaults = 100

// join orders faults by line and joins them; nil if there are none.
func join(path string, faults []*FieldError) error {
	slices.SortStableFunc(faults, func(a, b *FieldError) int { return cmp.Compare(a.Line, b.Line) })
	var errs []error
	for i, f := range faults {
		if i == maxFaults {
			errs = append(errs, fmt.Errorf("%s: and %d more faults", path, len(faults)-maxFaults))
			break
		}
		errs = append(errs, f)
	}
	return errors.Join(errs...)
}

// split takes a message of the form "[field: ]got x, want y" apart.
func split(msg string) (field, got, want string) {
	if i := strings.Index(msg, "got "); i > 0 && strings.HasSuffix(msg[:i], ": ") {
		field, msg = strings.TrimSuffix(msg[:i], ": "), msg[i:]
	}
	msg = strings.TrimPrefix(msg, "got ")
	if i := strings.LastIndex(msg, ", want "); i >= 0 {
		return field, msg[:i], msg[i+len(", want "):]
	}
	return field, msg, ""
}
