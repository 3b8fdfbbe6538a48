package dataset

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The IDX format of [lecun1998]: big-endian uint32 words, then bytes.
//
//	images: magic 0x00000803, count, rows, cols, then count*rows*cols pixels
//	labels: magic 0x00000801, count, then count labels
const (
	magicImages = 0x00000803
	magicLabels = 0x00000801
)

// maxData caps the bytes a header may declare after itself. It is 20 times MNIST and fits an int of 32 bits.
const maxData = 1 << 30

// firstChunk is what a reader allocates before it has seen any data; after that memory at most doubles, so a lying
// header costs little.
const firstChunk = 1 << 16

// ReadImages decodes an IDX image file, plain or gzip, told apart by the first two bytes. name is used in messages.
// pixels is count*rows*cols long, image after image, row-major.
//
// It reads r to its end. Anything but a complete file with nothing behind it is a *FieldError: a wrong magic word, a
// count, rows or cols of zero, a size above 1 GiB, missing (ErrTruncated) or extra bytes, a broken gzip stream.
// It never unpacks more than one byte past what the header declares.
func ReadImages(r io.Reader, name string) (rows, cols int, pixels []uint8, err error) {
	src := openData(r, name)
	if err := src.magic(magicImages, "IDX images"); err != nil {
		return 0, 0, nil, err
	}
	var dim [3]uint64
	for i, field := range []string{"count", "rows", "cols"} {
		if dim[i], err = src.word(field); err != nil {
			return 0, 0, nil, err
		}
		limit := uint64(MaxSide)
		if i == 0 {
			limit = maxData
		}
		if dim[i] < 1 || dim[i] > limit {
			return 0, 0, nil, src.fault(field, fmt.Sprint(dim[i]), fmt.Sprintf("1..%d", limit), nil)
		}
	}
	shape := fmt.Sprintf("%d x %d x %d", dim[0], dim[1], dim[2])
	size := dim[0] * dim[1] * dim[2] // at most 2^30 * 2^24
	if size > maxData {
		return 0, 0, nil, src.fault("size", fmt.Sprintf("%d bytes (%s)", size, shape), fmt.Sprintf("at most %d", maxData), nil)
	}
	pixels, err = src.rest("pixels", int(size), shape)
	if err != nil {
		return 0, 0, nil, err
	}
	return int(dim[1]), int(dim[2]), pixels, nil
}

// ReadLabels decodes an IDX label file, plain or gzip, told apart by the first two bytes. name is used in messages.
// classes is 1..256; a label must be below it.
//
// It reads r to its end and is as strict as ReadImages.
func ReadLabels(r io.Reader, name string, classes int) ([]uint8, error) {
	if classes < 1 || classes > 256 {
		return nil, fmt.Errorf("%s: classes: got %d, want 1..256", name, classes)
	}
	src := openData(r, name)
	if err := src.magic(magicLabels, "IDX labels"); err != nil {
		return nil, err
	}
	count, err := src.word("count")
	if err != nil {
		return nil, err
	}
	if count < 1 || count > maxData {
		return nil, src.fault("count", fmt.Sprint(count), fmt.Sprintf("1..%d", maxData), nil)
	}
	labels, err := src.rest("labels", int(count), "")
	if err != nil {
		return nil, err
	}
	for i, l := range labels {
		if int(l) >= classes {
			return nil, src.fault(fmt.Sprintf("label %d", i), fmt.Sprint(l), fmt.Sprintf("0..%d", classes-1), nil)
		}
	}
	return labels, nil
}

// WriteImages writes a plain IDX image file. len(pixels) must be a multiple of rows*cols and not zero, and the sizes
// must be within what ReadImages accepts; otherwise nothing is written and the error says what is wrong.
func WriteImages(w io.Writer, rows, cols int, pixels []uint8) error {
	if rows < 1 || rows > MaxSide || cols < 1 || cols > MaxSide {
		return fmt.Errorf("write IDX images: rows x cols: got %d x %d, want each 1..%d", rows, cols, MaxSide)
	}
	n := rows * cols
	if len(pixels) == 0 || len(pixels)%n != 0 || len(pixels) > maxData {
		return fmt.Errorf("write IDX images: pixels: got %d bytes, want a multiple of %d up to %d", len(pixels), n, maxData)
	}
	return writeIDX(w, pixels, magicImages, uint32(len(pixels)/n), uint32(rows), uint32(cols))
}

// WriteLabels writes a plain IDX label file. It is an error if labels is empty or longer than ReadLabels accepts.
func WriteLabels(w io.Writer, labels []uint8) error {
	if len(labels) == 0 || len(labels) > maxData {
		return fmt.Errorf("write IDX labels: labels: got %d, want 1..%d", len(labels), maxData)
	}
	return writeIDX(w, labels, magicLabels, uint32(len(labels)))
}

func writeIDX(w io.Writer, data []uint8, header ...uint32) error {
	var b []byte
	for _, v := range header {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	if _, err := w.Write(b); err != nil {
		return err
	}
	_, err := w.Write(data)
	return err
}

// dataReader reads the unpacked bytes of one file and words its faults.
type dataReader struct {
	name   string
	in     *bufio.Reader // the file as stored
	zip    *gzip.Reader  // nil for a plain file
	r      io.Reader     // the unpacked bytes
	opened error         // why r cannot be read, if it cannot
}

func openData(r io.Reader, name string) *dataReader {
	d := &dataReader{name: name, in: bufio.NewReaderSize(r, 1<<15)}
	d.r = d.in
	if head, _ := d.in.Peek(2); len(head) == 2 && head[0] == 0x1f && head[1] == 0x8b {
		zip, err := gzip.NewReader(d.in)
		if err != nil {
			d.opened = d.gzipFault(err)
			return d
		}
		zip.Multistream(false) // a second stream is trailing data
		d.zip, d.r = zip, zip
	}
	return d
}

func (d *dataReader) fault(field, got, want string, kind error) error {
	return &FieldError{Path: d.name, Field: field, Got: got, Want: want, Err: kind}
}

// full fills p and returns how many bytes there were. err is a fault of the stream; a short read is not.
func (d *dataReader) full(p []byte) (int, error) {
	if d.opened != nil {
		return 0, d.opened
	}
	n := 0
	for n < len(p) {
		k, err := d.r.Read(p[n:])
		n += k
		if err == io.EOF {
			break
		}
		if err != nil && d.zip != nil {
			return n, d.gzipFault(err)
		}
		if err != nil {
			return n, fmt.Errorf("%s: read: %w", d.name, err)
		}
	}
	return n, nil
}

func (d *dataReader) gzipFault(err error) error {
	want := "a complete gzip stream"
	var corrupt flate.CorruptInputError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return d.fault("gzip", "a truncated stream", want, ErrTruncated)
	case errors.As(err, &corrupt):
		return d.fault("gzip", fmt.Sprintf("corrupt data before byte %d", int64(corrupt)), want, nil)
	case errors.Is(err, gzip.ErrHeader):
		return d.fault("gzip", "an invalid header", want, nil)
	case errors.Is(err, gzip.ErrChecksum):
		return d.fault("gzip", "a wrong checksum", want, ErrChecksum)
	}
	return fmt.Errorf("%s: read: %w", d.name, err)
}

func (d *dataReader) word(field string) (uint64, error) {
	var b [4]byte
	n, err := d.full(b[:])
	if err != nil {
		return 0, err
	}
	if n < len(b) {
		return 0, d.fault(field, fmt.Sprintf("%d bytes", n), "4", ErrTruncated)
	}
	return uint64(binary.BigEndian.Uint32(b[:])), nil
}

func (d *dataReader) magic(want uint64, meaning string) error {
	got, err := d.word("magic")
	if err != nil {
		return err
	}
	if got != want {
		return d.fault("magic", fmt.Sprintf("0x%08x", got), fmt.Sprintf("0x%08x (%s)", want, meaning), nil)
	}
	return nil
}

// rest reads the size bytes that remain and checks that nothing follows them. shape explains size in messages.
func (d *dataReader) rest(field string, size int, shape string) ([]uint8, error) {
	want := fmt.Sprint(size)
	if shape != "" {
		want += " (" + shape + ")"
	}
	var data []uint8
	for len(data) < size {
		grown := make([]uint8, min(size, max(firstChunk, 2*len(data))))
		have := copy(grown, data)
		n, err := d.full(grown[have:])
		if err != nil {
			return nil, err
		}
		if have+n < len(grown) {
			return nil, d.fault(field, fmt.Sprintf("%d bytes", have+n), want, ErrTruncated)
		}
		data = grown
	}
	if err := d.end(field, want); err != nil {
		return nil, err
	}
	return data, nil
}

// end checks that the unpacked data, and then the file, stop here. Reading on also makes gzip check its checksum.
func (d *dataReader) end(field, want string) error {
	var one [1]byte
	n, err := d.full(one[:])
	if err != nil {
		return err
	}
	if n > 0 {
		return d.fault(field, "trailing bytes", want, nil)
	}
	if d.zip != nil {
		switch _, err := d.in.ReadByte(); err {
		case io.EOF:
		case nil:
			return d.fault("gzip", "bytes after the stream", "end of file", nil)
		default:
			return fmt.Errorf("%s: read: %w", d.name, err)
		}
	}
	return nil
}
