package table

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path/filepath"
	"strconv"
	"strings"

	"glsnn/fixedpoint/artefact"
)

// Sizes that a table may claim; larger ones are refused before memory is taken.
const (
	maxFile     = 1 << 30
	maxNetwork  = 1 << 24
	maxManifest = 1 << 26
	maxInputs   = 1 << 20
	maxSynapses = 1 << 28
)

// folder is a table folder; dir is its name in errors.
type folder struct {
	fsys fs.FS
	dir  string
}

func (f folder) path(name string) string { return filepath.Join(f.dir, filepath.FromSlash(name)) }

// fault is an Error in the file name; line 0 is the file as a whole.
func (f folder) fault(name string, line int, field string, got any, want string) error {
	return &Error{File: f.path(name), Line: line, Field: field, Got: fmt.Sprint(got), Want: want}
}

// read is a whole file of at most limit bytes. What is not a regular file is
// refused unopened: a pipe would never end.
func (f folder) read(name string, limit int64) ([]byte, error) {
	fail := func(op string, err error) ([]byte, error) {
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return nil, fmt.Errorf("%s: %s: %w", f.path(name), op, err)
	}
	info, err := fs.Stat(f.fsys, name)
	if err != nil {
		return fail("open", err)
	}
	if !info.Mode().IsRegular() {
		return nil, f.fault(name, 0, "type", info.Mode().Type(), "a regular file")
	}
	file, err := f.fsys.Open(name)
	if err != nil {
		return fail("open", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err != nil {
		return fail("read", err)
	}
	if int64(len(data)) > limit {
		return nil, f.fault(name, 0, "size", fmt.Sprintf("more than %d bytes", limit), "less")
	}
	return data, nil
}

// json decodes a file into v, a pointer to a struct without optional fields:
// one object, no unknown key and none left out.
func (f folder) json(name string, limit int64, v any) error {
	data, err := f.read(name, limit)
	if err != nil {
		return err
	}
	return artefact.DecodeJSON(f.path(name), data, "the keys of version "+strconv.Itoa(SchemaVersion), v)
}

// rows calls visit for each row of a table of integers, with its line. The row
// is reused.
func (f folder) rows(name, header string, visit func(line int, row []int64) error) error {
	data, err := f.read(name, maxFile)
	if err != nil {
		return err
	}
	columns := strings.Count(header, ",") + 1
	row := make([]int64, 0, columns)
	line := 0
	for text := range strings.Lines(string(data)) {
		line++
		text = strings.TrimSuffix(text, "\n")
		if line == 1 {
			if text != header {
				return f.fault(name, 1, "header", strconv.Quote(clip(text)), strconv.Quote(clip(header)))
			}
			continue
		}
		if got := strings.Count(text, ",") + 1; got != columns {
			return f.fault(name, line, "columns", got, strconv.Itoa(columns))
		}
		row = row[:0]
		for cell := range strings.SplitSeq(text, ",") {
			v, err := strconv.ParseInt(cell, 10, 64)
			if err != nil {
				return f.fault(name, line, "column "+strconv.Itoa(len(row)+1), strconv.Quote(clip(cell)), "an integer of 64 bits")
			}
			row = append(row, v)
		}
		if err := visit(line, row); err != nil {
			return err
		}
	}
	if line == 0 {
		return f.fault(name, 0, "header", "an empty file", strconv.Quote(clip(header)))
	}
	return nil
}

// image reads a $readmemh image of axons words, each neurons weights of bits
// bits.
func (f folder) image(name string, axons, neurons, bits int, signed bool) ([]int16, error) {
	data, err := f.read(name, maxFile)
	if err != nil {
		return nil, err
	}
	digits := (neurons*bits + 3) / 4
	var weights []int16
	for line, text := range imageWords(data) {
		if len(text) != digits {
			return nil, f.fault(name, line, "word", fmt.Sprintf("%d digits", len(text)), fmt.Sprintf("%d for %d weights of %d bits", digits, neurons, bits))
		}
		if len(weights) == axons*neurons {
			return nil, f.fault(name, line, "words", "more than "+strconv.Itoa(axons), strconv.Itoa(axons)+", one an in-axon")
		}
		var acc uint32
		have, at := 0, digits
		for range neurons {
			for have < bits {
				at--
				v := strings.IndexByte("0123456789abcdef", text[at])
				if v < 0 {
					return nil, f.fault(name, line, "word", strconv.Quote(text[at:at+1]), "lower-case hex digits")
				}
				acc |= uint32(v) << have
				have += 4
			}
			w := int32(acc & (1<<bits - 1))
			if signed {
				w = int32(acc<<(32-bits)) >> (32 - bits)
			} else if w > 1<<15-1 {
				return nil, f.fault(name, line, "word", fmt.Sprintf("a weight of %d", w), "at most 32767")
			}
			acc >>= bits
			have -= bits
			weights = append(weights, int16(w))
		}
		if acc != 0 {
			return nil, f.fault(name, line, "word", "set bits above the last weight", "zeros")
		}
	}
	if got := len(weights) / neurons; got != axons {
		return nil, f.fault(name, 0, "words", got, strconv.Itoa(axons)+", one an in-axon")
	}
	return weights, nil
}

// imageWords are the words of a $readmemh image with their lines: comments and
// empty lines are left out.
func imageWords(data []byte) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		line := 0
		for text := range strings.Lines(string(data)) {
			line++
			text = strings.TrimSuffix(text, "\n")
			if !strings.HasPrefix(text, "//") && text != "" && !yield(line, text) {
				return
			}
		}
	}
}

func clip(s string) string {
	if len(s) > 60 {
		return strings.ToValidUTF8(s[:60], "") + "..."
	}
	return s
}
