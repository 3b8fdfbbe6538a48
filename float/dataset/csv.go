package dataset

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// The 8x8 digits of [alpaydin1998] have no given split. We train on the first 1297 and test on the last 500; the
// writers are not marked in the file, so the two parts share some.
const (
	optdigitsTrain = 1297
	optdigitsTest  = 500
	optdigitsSide  = 8
	optdigitsMax   = 16      // the largest pixel value in the file
	maxCSV         = 1 << 24 // bytes of text; the real file has 264,712
)

// ReadOptdigits decodes the text form of the UCI 8x8 digits, plain or gzip, told apart by the first two bytes: one
// sample a line, 64 decimal pixels 0..16, row-major, then the label 0..9, separated by commas. name is used in
// messages.
//
// A value v becomes the pixel v*255/16, rounded half up. A line with another number of fields, a value that is not
// plain decimal or out of range, an empty file, one above 16 MiB or a broken gzip stream is a *FieldError.
func ReadOptdigits(r io.Reader, name string) (*Set, error) {
	src := openData(r, name)
	text, err := src.text(maxCSV)
	if err != nil {
		return nil, err
	}
	const pixels = optdigitsSide * optdigitsSide
	s := &Set{Name: "optdigits", Rows: optdigitsSide, Cols: optdigitsSide, Classes: 10}
	line := 0
	for len(text) > 0 {
		line++
		var row []byte
		row, text, _ = bytes.Cut(text, []byte("\n"))
		if len(row) > 1000 {
			return nil, &FieldError{Path: name, Line: line, Field: "length", Got: fmt.Sprintf("%d bytes", len(row)), Want: "at most 1000"}
		}
		fields := strings.Split(strings.TrimSuffix(string(row), "\r"), ",")
		if len(fields) != pixels+1 {
			return nil, &FieldError{Path: name, Line: line, Field: "fields", Got: fmt.Sprint(len(fields)), Want: fmt.Sprint(pixels + 1)}
		}
		for i, f := range fields {
			field, limit := fmt.Sprintf("pixel %d", i), uint64(optdigitsMax)
			if i == pixels {
				field, limit = "label", uint64(s.Classes-1)
			}
			v, err := strconv.ParseUint(f, 10, 8)
			if err != nil || v > limit {
				return nil, &FieldError{Path: name, Line: line, Field: field, Got: strconv.Quote(f), Want: fmt.Sprintf("0..%d", limit)}
			}
			if i == pixels {
				s.Labels = append(s.Labels, uint8(v))
			} else {
				s.Pixels = append(s.Pixels, uint8((v*255+optdigitsMax/2)/optdigitsMax))
			}
		}
	}
	if line == 0 {
		return nil, src.fault("lines", "0", "at least 1", ErrTruncated)
	}
	return s, nil
}

// text reads everything that is left, at most limit bytes.
func (d *dataReader) text(limit int) ([]byte, error) {
	var data []byte
	chunk := make([]byte, firstChunk)
	for {
		n, err := d.full(chunk)
		if err != nil {
			return nil, err
		}
		data = append(data, chunk[:n]...)
		if len(data) > limit {
			return nil, d.fault("size", fmt.Sprintf("more than %d bytes", limit), fmt.Sprintf("at most %d", limit), nil)
		}
		if n < len(chunk) {
			return data, d.end("text", "end of file")
		}
	}
}
