package artefact

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strconv"
	"strings"
)

// Elem lists the Go types an Array can hold. Named types are left out on
// purpose: convert, so that the file says what it holds.
type Elem interface {
	int8 | uint8 | int16 | uint16 | int32 | uint32 | int64 | uint64 | float32 | float64
}

// DType names an element type as Go and NumPy both spell it.
type DType string

// The element types, all little-endian in a file.
const (
	Int8    DType = "int8"    // |i1
	Uint8   DType = "uint8"   // |u1
	Int16   DType = "int16"   // <i2
	Uint16  DType = "uint16"  // <u2
	Int32   DType = "int32"   // <i4
	Uint32  DType = "uint32"  // <u4
	Int64   DType = "int64"   // <i8
	Uint64  DType = "uint64"  // <u8
	Float32 DType = "float32" // <f4
	Float64 DType = "float64" // <f8
)

var dtypes = []struct {
	dtype DType
	descr string // [npy] "descr", an array-protocol type string
	size  int
}{
	{Int8, "|i1", 1}, {Uint8, "|u1", 1},
	{Int16, "<i2", 2}, {Uint16, "<u2", 2},
	{Int32, "<i4", 4}, {Uint32, "<u4", 4},
	{Int64, "<i8", 8}, {Uint64, "<u8", 8},
	{Float32, "<f4", 4}, {Float64, "<f8", 8},
}

// Size returns the bytes of one element, 0 for an unknown type.
func (d DType) Size() int {
	for _, t := range dtypes {
		if t.dtype == d {
			return t.size
		}
	}
	return 0
}

func (d DType) descr() string {
	for _, t := range dtypes {
		if t.dtype == d {
			return t.descr
		}
	}
	return ""
}

// dtypeOf relies on Go's and our names of the types being the same.
func dtypeOf[T Elem]() DType {
	var zero T
	return DType(fmt.Sprintf("%T", zero))
}

const (
	maxRank = 32            // what every NumPy release reads
	maxSize = 1<<32 - 2     // of a file, an array's data: a ZIP's 32-bit fields, all ones being zip64
	maxDim  = math.MaxInt32 // so that a dimension is an int everywhere
)

// Array is a named array in C order (last index fastest).
//
//  1. Name is a slash-separated path of [A-Za-z0-9_.-] without "." and ".."
//     parts, at most 200 bytes, not ending in ".npy".
//  2. DType is one of the constants.
//  3. Shape has at most 32 dimensions, each 0..2^31-1; an empty Shape is one element.
//  4. The data have exactly the elements of Shape and take less than 4 GiB.
//
// The data are kept as the file's little-endian bytes; make an Array with
// NewArray, read it with Values. The zero Array is not valid.
type Array struct {
	Name  string
	DType DType
	Shape []int

	raw    []byte
	file   string // for errors; "" unless decoded
	mapped bool   // raw lies in a mapped file
}

// NewArray returns an Array of a copy of data and shape. Without a shape it is
// one-dimensional. It panics if shape does not fit len(data). The name is checked
// when it is encoded.
func NewArray[T Elem](name string, data []T, shape ...int) Array {
	if len(shape) == 0 {
		shape = []int{len(data)}
	}
	a := Array{Name: name, DType: dtypeOf[T](), Shape: append([]int{}, shape...)}
	n, ok := elements(a.Shape, a.DType.Size())
	if !ok || n != int64(len(data)) {
		panic(fmt.Sprintf("artefact: NewArray(%q): %d elements do not fill shape %v", name, len(data), shape))
	}
	raw := make([]byte, 0, len(data)*a.DType.Size())
	raw, err := binary.Append(raw, binary.LittleEndian, data)
	if err != nil {
		panic(err) // every Elem has a fixed size
	}
	a.raw = raw
	return a
}

// Len returns the number of elements.
func (a Array) Len() int {
	if size := a.DType.Size(); size > 0 {
		return len(a.raw) / size
	}
	return 0
}

// Values returns a copy of the elements. It is an ErrCorrupt if a holds
// another type: `network.glsnn: layer0/weights: dtype: got float32, want int32`.
func Values[T Elem](a Array) ([]T, error) {
	if want := dtypeOf[T](); a.DType != want {
		return nil, corrupt(a.file, a.Name+": dtype", string(a.DType), string(want))
	}
	out := make([]T, a.Len())
	if _, err := binary.Decode(a.raw, binary.LittleEndian, out); err != nil {
		return nil, corrupt(a.file, a.Name, err.Error(), "whole elements")
	}
	return out, nil
}

// CheckShape returns an ErrCorrupt unless a has the wanted shape; -1 stands for any size.
func (a Array) CheckShape(want ...int) error {
	ok := len(a.Shape) == len(want)
	for i := 0; ok && i < len(want); i++ {
		ok = want[i] == -1 || want[i] == a.Shape[i]
	}
	if !ok {
		return corrupt(a.file, a.Name+": shape", tuple(a.Shape), strings.ReplaceAll(tuple(want), "-1", "any"))
	}
	return nil
}

// CheckFinite returns an ErrNonFinite for the first NaN or infinity in a, with
// its flat index: `network.glsnn: layer0/weights[12]: got NaN, want a finite number`.
// Arrays of integers pass. file is the name to print.
func CheckFinite(file string, a Array) error {
	var at func(i int) float64
	switch a.DType {
	case Float32:
		at = func(i int) float64 {
			return float64(math.Float32frombits(binary.LittleEndian.Uint32(a.raw[4*i:])))
		}
	case Float64:
		at = func(i int) float64 {
			return math.Float64frombits(binary.LittleEndian.Uint64(a.raw[8*i:]))
		}
	default:
		return nil
	}
	for i := range a.Len() {
		if x := at(i); math.IsNaN(x) || math.IsInf(x, 0) {
			return &FieldError{file, fmt.Sprintf("%s[%d]", a.Name, i), fmt.Sprint(x), "a finite number", ErrNonFinite}
		}
	}
	return nil
}

// elements returns the product of shape, and whether shape is within the limits
// for elements of size bytes. A zero dimension does not excuse the others: NumPy
// refuses (0, 2^40, 2^40) as well.
func elements(shape []int, size int) (n int64, ok bool) {
	if len(shape) > maxRank || size <= 0 {
		return 0, false
	}
	n = 1
	empty := false
	for _, d := range shape {
		switch {
		case d < 0 || d > maxDim:
			return 0, false
		case d == 0:
			empty = true
		case n > maxSize/int64(size)/int64(d):
			return 0, false
		default:
			n *= int64(d)
		}
	}
	if empty {
		n = 0
	}
	return n, true
}

// tuple spells a shape as Python does: (), (5,), (2, 3).
func tuple(shape []int) string {
	var b strings.Builder
	b.WriteByte('(')
	for i, d := range shape {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strconv.Itoa(d))
	}
	if len(shape) == 1 {
		b.WriteByte(',')
	}
	b.WriteByte(')')
	return b.String()
}

const npyMagic = "\x93NUMPY"

// npyHeader returns the header of [npy] version 1.0: magic, version, uint16
// length, a Python dict, spaces and a newline up to a multiple of 64 bytes.
func npyHeader(d DType, shape []int) []byte {
	dict := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': %s, }", d.descr(), tuple(shape))
	total := (len(npyMagic) + 4 + len(dict) + 1 + 63) / 64 * 64
	h := make([]byte, 0, total)
	h = append(h, npyMagic...)
	h = append(h, 1, 0)
	h = binary.LittleEndian.AppendUint16(h, uint16(total-len(npyMagic)-4))
	h = append(h, dict...)
	for len(h) < total-1 {
		h = append(h, ' ')
	}
	return append(h, '\n')
}

// EncodeNPY writes a as a .npy file of version 1.0, C order, little-endian, the
// header padded to 64 bytes.
func EncodeNPY(w io.Writer, a Array) error {
	if err := a.validate(); err != nil {
		return err
	}
	if _, err := w.Write(npyHeader(a.DType, a.Shape)); err != nil {
		return err
	}
	_, err := w.Write(a.raw)
	return err
}

// DecodeNPY reads a .npy file, as numpy.save writes it. file is the name for
// errors and, without folders and ".npy", for the array. Refused, with
// ErrCorrupt: versions but 1.0, Fortran order, big-endian and other element
// types, more or less data than the shape asks for. The Array aliases data.
func DecodeNPY(data []byte, file string) (Array, error) {
	a, err := parseNPY(data)
	if err != nil {
		err.File = file
		return Array{}, err
	}
	a.Name = strings.TrimSuffix(filepath.Base(file), ".npy")
	a.file = file
	return a, nil
}

func parseNPY(data []byte) (Array, *FieldError) {
	const fixed = len(npyMagic) + 4
	if len(data) < fixed {
		return Array{}, corrupt("", "npy size", bytesText(int64(len(data))), "at least "+bytesText(int64(fixed)))
	}
	if string(data[:6]) != npyMagic {
		return Array{}, corrupt("", "npy magic", quote(data[:6]), quote(npyMagic))
	}
	if data[6] != 1 || data[7] != 0 {
		return Array{}, corrupt("", "npy version", fmt.Sprintf("%d.%d", data[6], data[7]), "1.0")
	}
	n := int(binary.LittleEndian.Uint16(data[8:]))
	if n > len(data)-fixed {
		return Array{}, corrupt("", "npy header", bytesText(int64(len(data)-fixed)), bytesText(int64(n)))
	}
	a, err := parseDict(string(data[fixed : fixed+n]))
	if err != nil {
		return Array{}, err
	}
	a.raw = data[fixed+n:]
	count, ok := elements(a.Shape, a.DType.Size())
	if !ok {
		return Array{}, corrupt("", "npy shape", tuple(a.Shape), "at most 32 dimensions, each 0..2147483647, and less than 4 GiB")
	}
	if want := count * int64(a.DType.Size()); int64(len(a.raw)) != want {
		return Array{}, corrupt("", "npy data", bytesText(int64(len(a.raw))),
			fmt.Sprintf("%s for %s %s", bytesText(want), a.DType, tuple(a.Shape)))
	}
	return a, nil
}

func bytesText(n int64) string {
	if n == 1 {
		return "1 byte"
	}
	return strconv.FormatInt(n, 10) + " bytes"
}

// parseDict reads the header's Python dict: the keys descr, fortran_order and
// shape, each once, in any order, then white space.
func parseDict(s string) (Array, *FieldError) {
	var a Array
	bad := func(want string) (Array, *FieldError) {
		return Array{}, corrupt("", "npy header", quote(s), want)
	}
	p := pyScanner{strings.TrimRight(s, " \n")}
	if !p.take("{") {
		return bad("a dict")
	}
	seen := map[string]bool{}
	for !p.take("}") {
		key, ok := p.str()
		if !ok || seen[key] || !p.take(":") {
			return bad("'descr', 'fortran_order' and 'shape', once each")
		}
		seen[key] = true
		switch key {
		case "descr":
			// A value that is no string is a structured type.
			descr, ok := p.str()
			for _, t := range dtypes {
				if ok && t.descr == descr {
					a.DType = t.dtype
				}
			}
			if a.DType == "" {
				return Array{}, corrupt("", "npy descr", quote(descr), "|i1 |u1 <i2 <u2 <i4 <u4 <i8 <u8 <f4 or <f8")
			}
		case "fortran_order":
			if p.take("True") {
				return Array{}, corrupt("", "npy fortran_order", "True", "False (save numpy.ascontiguousarray(x))")
			}
			if !p.take("False") {
				return bad("'fortran_order' True or False")
			}
		case "shape":
			shape, err := p.tuple()
			if err != "" {
				return Array{}, corrupt("", "npy shape", err, "a tuple of at most 32 dimensions, each 0..2147483647")
			}
			a.Shape = shape
		default:
			return bad("'descr', 'fortran_order' and 'shape', once each")
		}
		if !p.take(",") {
			if !p.take("}") {
				return bad("a comma or the end of the dict")
			}
			break
		}
	}
	if len(seen) != 3 {
		return bad("'descr', 'fortran_order' and 'shape', once each")
	}
	if p.s != "" {
		return bad("nothing after the dict")
	}
	return a, nil
}

// pyScanner reads the few Python literals an npy header has.
type pyScanner struct{ s string }

// take skips spaces, then tok if it comes next.
func (p *pyScanner) take(tok string) bool {
	p.s = strings.TrimLeft(p.s, " ")
	rest, ok := strings.CutPrefix(p.s, tok)
	if ok {
		p.s = rest
	}
	return ok
}

// str reads a quoted string without escapes.
func (p *pyScanner) str() (string, bool) {
	for _, q := range []string{"'", `"`} {
		if p.take(q) {
			s, rest, ok := strings.Cut(p.s, q)
			if !ok {
				return "", false
			}
			p.s = rest
			return s, true
		}
	}
	return "", false
}

// tuple reads a tuple of dimensions; bad is what came instead, "" if all is well.
func (p *pyScanner) tuple() (shape []int, bad string) {
	if !p.take("(") {
		return nil, quote(p.s)
	}
	shape = []int{}
	for !p.take(")") {
		n := strings.IndexFunc(p.s, func(r rune) bool { return r != '-' && (r < '0' || r > '9') })
		if n < 0 {
			n = len(p.s)
		}
		tok := p.s[:n]
		d, err := strconv.ParseInt(tok, 10, 32)
		if err != nil || d < 0 {
			return nil, quote(tok)
		}
		if len(shape) == maxRank {
			return nil, "more than 32 dimensions"
		}
		shape = append(shape, int(d))
		p.s = p.s[n:]
		comma := p.take(",")
		if comma {
			continue
		}
		if len(shape) == 1 || !p.take(")") { // (5) is no tuple
			return nil, quote(p.s)
		}
		break
	}
	return shape, ""
}
