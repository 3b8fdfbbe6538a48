package artefact

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"
)

// Bundle is the content of one file.
//
//  1. Kind names what the file is, [a-z][a-z0-9-]*, at most 64 bytes.
//  2. Version is the version of that kind's body and arrays, 1 or more.
//  3. Body is a JSON object in UTF-8; empty stands for {}.
//  4. The names of Arrays differ, and each is valid.
//  5. All fits in a ZIP without zip64: less than 4 GiB, at most 65534 members.
type Bundle struct {
	Kind    string
	Version int
	Body    json.RawMessage
	Arrays  []Array

	// SHA256 is the hash of the whole file in lower-case hex, File its name for
	// errors. Decode and ReadFile set both; they are no part of the encoding.
	SHA256 string
	File   string
}

func validKind(s string) bool {
	if s == "" || len(s) > 64 || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

func validName(s string) bool {
	if len(s) > 200 || strings.HasSuffix(s, ".npy") {
		return false
	}
	for part := range strings.SplitSeq(s, "/") {
		if part == "" || part == "." || part == ".." {
			return false
		}
	}
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("_.-/", c) >= 0) {
			return false
		}
	}
	return true
}

func (a Array) validate() error {
	bad := func(field, got, want string) error { return &FieldError{a.file, a.Name + field, got, want, nil} }
	size := a.DType.Size()
	n, ok := elements(a.Shape, size)
	switch {
	case !validName(a.Name):
		return &FieldError{a.file, "array name", quote(a.Name), "a path of letters, digits and _.- without .npy, at most 200 bytes", nil}
	case size == 0:
		return bad(": dtype", quote(string(a.DType)), "int8 to float64")
	case !ok:
		return bad(": shape", tuple(a.Shape), "at most 32 dimensions, each 0..2147483647, and less than 4 GiB")
	case n*int64(size) != int64(len(a.raw)):
		return bad(": data", bytesText(int64(len(a.raw))), fmt.Sprintf("%s for %s %s", bytesText(n*int64(size)), a.DType, tuple(a.Shape)))
	}
	return nil
}

// plan is a checked bundle with all that has to be known before the first byte
// is written.
type plan struct {
	kind    string
	version int
	body    []byte // compact
	arrays  []Array
	members []member
	headers [][]byte // npy headers
	crcs    []uint32
}

// newPlan checks the invariants of b, in their order, and hashes its members.
func newPlan(b Bundle) (*plan, error) {
	bad := func(field, got, want string) (*plan, error) {
		return nil, &FieldError{b.File, field, got, want, nil}
	}
	if !validKind(b.Kind) {
		return bad("kind", quote(b.Kind), "small letters, digits and -, a letter first")
	}
	if b.Version < 1 {
		return bad("version", fmt.Sprint(b.Version), "1 or more")
	}
	body, err := compactBody(b.Body)
	if err != nil {
		return bad("body", err.Error(), "a JSON object in UTF-8")
	}
	if len(b.Arrays) > maxMembers-1 {
		return bad("arrays", fmt.Sprint(len(b.Arrays)), fmt.Sprintf("at most %d", maxMembers-1))
	}
	p := &plan{kind: b.Kind, version: b.Version, body: body, arrays: b.Arrays}
	seen := make(map[string]bool, len(b.Arrays))
	for _, a := range b.Arrays {
		if err := a.validate(); err != nil {
			return nil, err
		}
		if seen[a.Name] {
			return bad("array "+quote(a.Name), "two", "one of each name")
		}
		seen[a.Name] = true

		h := npyHeader(a.DType, a.Shape)
		sum, crc := sha256.New(), crc32.ChecksumIEEE(h)
		sum.Write(h)
		each(a.raw, a.mapped, func(part []byte) {
			sum.Write(part)
			crc = crc32.Update(crc, crc32.IEEETable, part)
		})
		p.headers = append(p.headers, h)
		p.crcs = append(p.crcs, crc)
		p.members = append(p.members, member{
			Name:   a.Name + ".npy",
			DType:  a.DType,
			Shape:  append([]int{}, a.Shape...), // never null
			Bytes:  int64(len(h)) + int64(len(a.raw)),
			SHA256: hex.EncodeToString(sum.Sum(nil)),
		})
	}
	return p, nil
}

func compactBody(body []byte) ([]byte, error) {
	if len(body) == 0 {
		return []byte("{}"), nil
	}
	if !utf8.Valid(body) {
		return nil, errors.New("bytes that are not UTF-8")
	}
	var c bytes.Buffer
	if err := json.Compact(&c, body); err != nil {
		return nil, err
	}
	if c.Bytes()[0] != '{' {
		return nil, errors.New(quote(c.Bytes()))
	}
	return c.Bytes(), nil
}

func (p *plan) write(w io.Writer) error {
	var text bytes.Buffer
	if err := writeManifest(&text, p.kind, p.version, p.members, p.body); err != nil {
		return err
	}
	total := endLen + zipOverhead(manifestName) + int64(text.Len())
	for _, m := range p.members {
		total += zipOverhead(m.Name) + m.Bytes
	}
	if total > maxSize {
		return &FieldError{"", "bundle size", bytesText(total), "less than 4 GiB", nil}
	}
	z := zipWriter{w: w}
	if err := z.member(manifestName, crc32.ChecksumIEEE(text.Bytes()), text.Bytes()); err != nil {
		return err
	}
	for i, m := range p.members {
		if err := z.member(m.Name, p.crcs[i], p.headers[i], p.arrays[i].raw); err != nil {
			return err
		}
	}
	return z.close()
}

// Encode writes b in its only encoding (see the package's doc comment). It
// reads each array twice, since the hashes come first in the file, and copies
// none. A bundle that breaks an invariant is a *FieldError before anything is
// written.
func Encode(w io.Writer, b Bundle) error {
	p, err := newPlan(b)
	if err != nil {
		return err
	}
	return p.write(w)
}

// Marshal returns the bytes Encode writes.
func Marshal(b Bundle) ([]byte, error) {
	var buf bytes.Buffer
	if err := Encode(&buf, b); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// WriteFile writes b to path with WriteAtomic.
func WriteFile(path string, b Bundle) error {
	return WriteAtomic(path, func(w io.Writer) error { return Encode(w, b) })
}

// Decode reads a bundle from data; file is its name for errors. The bundle must
// be of the given kind and a version of 1..maxVersion, or it is an ErrKind or
// ErrVersion; kind "" takes every kind, maxVersion 0 every version. Anything else
// amiss is an ErrCorrupt: data that Encode would not have written, to the bit.
//
// The arrays alias data, which the caller must not change; the body is a compact copy.
// Floats may be NaN or infinite: see CheckFinite.
func Decode(data []byte, file, kind string, maxVersion int) (*Bundle, error) {
	return decode(data, file, kind, maxVersion, false)
}

func decode(data []byte, file, kind string, maxVersion int, mapped bool) (*Bundle, error) {
	entries, err := readZip(file, data, mapped)
	if err != nil {
		return nil, err
	}
	text := entries[0].data
	m, err := parseManifest(file, text)
	if err != nil {
		return nil, err
	}
	if kind != "" && m.Kind != kind {
		return nil, &FieldError{file, "kind", quote(m.Kind), quote(kind), ErrKind}
	}
	if m.Version < 1 || maxVersion > 0 && m.Version > maxVersion {
		want := fmt.Sprintf("1..%d", maxVersion)
		if maxVersion <= 0 {
			want = "1 or more"
		}
		return nil, &FieldError{file, "version", fmt.Sprint(m.Version), want, ErrVersion}
	}
	list, err := parseMembers(file, m.Members, len(entries)-1)
	if err != nil {
		return nil, err
	}

	b := &Bundle{Kind: m.Kind, Version: m.Version, Body: m.Body, File: file}
	for i, e := range entries[1:] {
		if e.name != list[i].Name {
			return nil, corrupt(file, fmt.Sprintf("member %d: name", i+1), quote(e.name), quote(list[i].Name))
		}
		a, ferr := parseNPY(e.data)
		if ferr != nil {
			ferr.File, ferr.Field = file, "member "+quote(e.name)+": "+ferr.Field
			return nil, ferr
		}
		a.Name, a.file, a.mapped = strings.TrimSuffix(e.name, ".npy"), file, mapped
		b.Arrays = append(b.Arrays, a)
	}

	// From here on: would Encode have written this? First the parts, for the
	// sake of the message, then everything.
	p, err := newPlan(*b)
	if err != nil {
		var f *FieldError
		if errors.As(err, &f) {
			f.File, f.Err = file, ErrCorrupt
		}
		return nil, err
	}
	b.Body = p.body
	for i, got := range p.members {
		if want := list[i]; got.SHA256 != want.SHA256 {
			return nil, corrupt(file, got.Name+": sha256", got.SHA256, quote(want.SHA256))
		}
	}
	if got := Hash(p.body); got != m.BodySHA256 {
		return nil, corrupt(file, manifestName+": body_sha256", got, quote(m.BodySHA256))
	}
	same := comparer{want: text}
	if err := writeManifest(&same, p.kind, p.version, p.members, p.body); err != nil || !same.done() {
		return nil, same.fault(file, manifestName+": ")
	}
	same = comparer{want: data}
	if err := p.write(&same); err != nil || !same.done() {
		return nil, same.fault(file, "")
	}
	b.SHA256 = hash(data, mapped)
	return b, nil
}

// comparer is a Writer that refuses bytes other than the wanted ones.
type comparer struct {
	want []byte
	off  int
	got  []byte // the write that failed
}

func (c *comparer) Write(p []byte) (int, error) {
	rest := c.want[c.off:]
	if bytes.HasPrefix(rest, p) {
		c.off += len(p)
		return len(p), nil
	}
	n := 0
	for n < len(p) && n < len(rest) && p[n] == rest[n] {
		n++
	}
	c.off += n
	c.got = slices.Clone(p[n:min(len(p), n+8)])
	return n, ErrCorrupt
}

func (c *comparer) done() bool { return c.off == len(c.want) && c.got == nil }

// fault names the first byte that differs: the file's as "got", Encode's as "want".
func (c *comparer) fault(file, field string) error {
	end := "the end"
	got, want := end, end
	if rest := c.want[c.off:]; len(rest) > 0 {
		got = fmt.Sprintf("% x", rest[:min(len(rest), max(len(c.got), 1))])
	}
	if len(c.got) > 0 {
		want = fmt.Sprintf("% x", c.got)
	}
	return corrupt(file, fmt.Sprintf("%sbyte %d", field, c.off), got, want)
}

// ReadFile reads and decodes the bundle at path, as Decode does. The file must
// be a regular one. It holds the file once; the arrays alias it.
func ReadFile(path, kind string, maxVersion int) (*Bundle, error) {
	return openFile(path, kind, maxVersion, maxSize+1)
}

// openFile is ReadFile, mapping files of mapFrom bytes or more.
func openFile(path, kind string, maxVersion int, mapFrom int64) (*Bundle, error) {
	// Not after opening it: to open a FIFO may take forever.
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("%s: open: %w", path, cause(err))
	}
	if !info.Mode().IsRegular() {
		return nil, corrupt(path, "file", fileType(info.Mode()), "a regular file")
	}
	if info.Size() > maxSize {
		return nil, corrupt(path, "size", bytesText(info.Size()), "less than 4 GiB")
	}
	if info.Size() >= mapFrom {
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("%s: open: %w", path, cause(err))
		}
		data, ok := mapContent(f, info.Size())
		f.Close()
		if ok {
			b, err := decode(data, path, kind, maxVersion, true)
			if err != nil {
				unmap(data)
			}
			return b, err
		}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%s: read: %w", path, cause(err))
	}
	return Decode(data, path, kind, maxVersion)
}

// Array returns the array of that name, or an ErrCorrupt:
// `model.glsnn: layer0/weights: got no such array, want one`.
func (b *Bundle) Array(name string) (Array, error) {
	for _, a := range b.Arrays {
		if a.Name == name {
			return a, nil
		}
	}
	return Array{}, corrupt(b.File, name, "no such array", "one")
}

// Get returns a copy of the elements of the array of that name after checking
// its type and shape (-1: any size; no shape: one dimension of any size).
func Get[T Elem](b *Bundle, name string, shape ...int) ([]T, error) {
	a, err := b.Array(name)
	if err != nil {
		return nil, err
	}
	if len(shape) == 0 {
		shape = []int{-1}
	}
	if err := a.CheckShape(shape...); err != nil {
		return nil, err
	}
	return Values[T](a)
}

// UnmarshalBody decodes the body into v. A field that v lacks, or one of another
// type, is an ErrCorrupt; a field the body lacks is left alone.
func (b *Bundle) UnmarshalBody(v any) error {
	d := json.NewDecoder(bytes.NewReader(b.Body))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return corrupt(b.File, "body", err.Error(), fmt.Sprintf("the fields of a %s of version %d", b.Kind, b.Version))
	}
	return nil
}

// Hash returns the SHA-256 of data in lower-case hex.
func Hash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// HashFile returns the SHA-256 of a file's bytes in lower-case hex, and their number.
func HashFile(path string) (sum string, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, fmt.Errorf("%s: open: %w", path, cause(err))
	}
	defer f.Close()
	h := sha256.New()
	size, err = io.Copy(h, f)
	if err != nil {
		return "", 0, fmt.Errorf("%s: read: %w", path, cause(err))
	}
	return hex.EncodeToString(h.Sum(nil)), size, nil
}
