package targets

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

//go:embed *.yaml
var builtin embed.FS

// maxFile is the largest YAML file that is read.
const maxFile = 1 << 20

// Names lists the built-in chips in alphabetical order.
func Names() []string {
	entries, err := builtin.ReadDir(".")
	if err != nil {
		panic(err) // the file system is part of the program
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	slices.Sort(names) // a.yaml stands behind a-b.yaml
	return names
}

// Load reads a built-in chip by name, or a file if nameOrPath holds a path
// separator or ends in .yaml or .yml.
func Load(nameOrPath string) (*Chip, error) {
	isPath := strings.ContainsRune(nameOrPath, '/') || strings.ContainsRune(nameOrPath, os.PathSeparator) ||
		strings.HasSuffix(nameOrPath, ".yaml") || strings.HasSuffix(nameOrPath, ".yml")
	if !isPath {
		file := nameOrPath + ".yaml"
		data, err := builtin.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("target %q: %w: want one of %s, or the path of a .yaml file",
				nameOrPath, ErrUnknownChip, strings.Join(Names(), ", "))
		}
		return Parse(data, file)
	}
	data, err := readFile(nameOrPath)
	if err != nil {
		return nil, fmt.Errorf("target: %w", err)
	}
	return Parse(data, nameOrPath)
}

// readFile is a file's content, cut a byte beyond what document takes.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxFile+1))
}

// document is the YAML of data and its sha256 in hex; what names such files.
func document(data []byte, path, what string) (doc *node, sha string, err error) {
	whole := func(got, want string) error { return &FieldError{Path: path, Got: got, Want: want} }
	switch {
	case len(data) > maxFile:
		return nil, "", whole("more than "+strconv.Itoa(maxFile)+" bytes", what+" of at most that")
	case !utf8.Valid(data):
		return nil, "", whole("bytes that are not UTF-8", "UTF-8 text")
	}
	sum := sha256.Sum256(data)
	doc, err = parseYAML(data, path)
	return doc, hex.EncodeToString(sum[:]), err
}

// Parse reads one chip from data; path is for messages only. It returns a chip
// that Validate accepts, or every fault it found, each a [FieldError].
func Parse(data []byte, path string) (*Chip, error) {
	doc, sha, err := document(data, path, "a chip file")
	if err != nil {
		return nil, err
	}
	return decodeChip(doc, path, sha)
}

// decodeChip turns a document into a checked chip.
func decodeChip(doc *node, path, sha string) (*Chip, error) {
	d := &decoder{path: path, lines: map[string]int{}, nulls: map[string]bool{}}
	c := &Chip{SHA256: sha, File: path, lines: d.lines, nulls: d.nulls}
	d.chip(doc, c)
	c.Cost.setUnits()
	c.Learning.Rule.quantities() // sets their units
	if err := join(path, append(d.faults, c.check(d.broken)...)); err != nil {
		return nil, err
	}
	return c, nil
}

// FieldErrors lists the faults inside an error of Load or Parse.
func FieldErrors(err error) []*FieldError {
	var out []*FieldError
	for _, e := range flatten(err) {
		var f *FieldError
		if errors.As(e, &f) {
			out = append(out, f)
		}
	}
	return out
}

// flatten lists the leaves of joined errors.
func flatten(err error) []error {
	if j, ok := err.(interface{ Unwrap() []error }); ok {
		var out []error
		for _, e := range j.Unwrap() {
			out = append(out, flatten(e)...)
		}
		return out
	}
	if err == nil {
		return nil
	}
	return []error{err}
}
