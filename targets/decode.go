package targets

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3" // imported in this file only
)

type node = yaml.Node

// maxList is the longest list of a file.
const maxList = 64

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// parseYAML reads exactly one document with a mapping at its top.
func parseYAML(data []byte, path string) (doc *node, err error) {
	defer func() { // the parser's own faults are the file's, never ours
		if r := recover(); r != nil {
			doc, err = nil, &FieldError{Path: path, Got: fmt.Sprintf("no YAML (%v)", r), Want: "one YAML document"}
		}
	}()
	fault := func(line int, got string) (*node, error) {
		return nil, &FieldError{Path: path, Line: line, Got: got, Want: "one YAML document"}
	}
	syntax := func(err error) (*node, error) {
		at := yamlLine.FindStringSubmatch(err.Error())
		if at == nil {
			return fault(0, "no YAML ("+err.Error()+")")
		}
		line, _ := strconv.Atoi(at[1])
		return fault(line, "no YAML ("+strings.TrimPrefix(err.Error(), at[0])+")")
	}
	in := yaml.NewDecoder(bytes.NewReader(data))
	var first, second node
	switch err := in.Decode(&first); {
	case errors.Is(err, io.EOF):
		return fault(0, "an empty file")
	case err != nil:
		return syntax(err)
	}
	switch err := in.Decode(&second); {
	case err == nil:
		return fault(second.Line, "a second document")
	case !errors.Is(err, io.EOF):
		return syntax(err)
	}
	return first.Content[0], nil
}

// decoder copies nodes into Go values by reflection. Keys are the json tags;
// the tag `file` allows departures from "every key, with a value":
//
//   - not in the file
//     null      the key is required, its value may be null
//     optional  the key may be absent; validate.go says when it must not
//     key=a|b   the key is required where its neighbour key is a or b, else optional
//     empty     the text may be empty
type decoder struct {
	path   string
	lines  map[string]int // field -> line of its key
	faults []*FieldError
	nulls  map[string]bool // fields that are null in the file
	broken []string        // fields that hold no value of the file, so that checks of them mean nothing
}

func (d *decoder) chip(n *node, c *Chip) {
	d.lines[""] = n.Line
	d.value(n, "", "", reflect.ValueOf(c).Elem())
}

// DecodeYAML fills *to, a struct, from one YAML document as a chip file is read:
// the keys are the json tags, each given once and of its type, none unknown, none
// missing but those with the tag file:"optional". All faults are returned at once,
// each a [FieldError]; path is for them only. It is here because YAML is read here
// and nowhere else.
func DecodeYAML(data []byte, path string, to any) error {
	doc, err := parseYAML(data, path)
	if err != nil {
		return err
	}
	d := &decoder{path: path, lines: map[string]int{"": doc.Line}, nulls: map[string]bool{}}
	d.value(doc, "", "", reflect.ValueOf(to).Elem())
	return join(path, d.faults)
}

func (d *decoder) add(line int, field, got, want string) {
	d.faults = append(d.faults, &FieldError{Path: d.path, Line: line, Field: field, Got: got, Want: want})
}

func (d *decoder) fail(n *node, field, want string) {
	d.add(n.Line, field, describe(n), want)
	d.broken = append(d.broken, field)
}

func (d *decoder) value(n *node, field, tag string, to reflect.Value) {
	want := wanted(to.Type())
	switch {
	case n.Kind == yaml.AliasNode:
		d.fail(n, field, want+", written out")
		return
	case n.Anchor != "" || n.Style&yaml.TaggedStyle != 0:
		d.add(n.Line, field, "an anchor or a tag", "a plain value")
		d.broken = append(d.broken, field)
		return
	case n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null":
		if tag != "null" {
			d.fail(n, field, want)
		}
		d.nulls[field] = true
		return
	}
	if text, ok := to.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" {
			d.fail(n, field, want)
		} else if text.UnmarshalText([]byte(n.Value)) != nil {
			d.fail(n, field, want)
		}
		return
	}
	switch to.Kind() {
	case reflect.Struct:
		d.mapping(n, field, want, to)
	case reflect.Map:
		d.table(n, field, want, to)
	case reflect.Slice:
		if n.Kind != yaml.SequenceNode {
			d.fail(n, field, want)
			return
		}
		if len(n.Content) > maxList {
			d.add(n.Line, field, fmt.Sprintf("a list of %d", len(n.Content)), fmt.Sprintf("at most %d entries", maxList))
			d.broken = append(d.broken, field)
			return
		}
		to.Set(reflect.MakeSlice(to.Type(), len(n.Content), len(n.Content)))
		for i, e := range n.Content {
			at := fmt.Sprintf("%s[%d]", field, i)
			d.lines[at] = e.Line
			d.value(e, at, "", to.Index(i))
		}
	case reflect.Pointer:
		to.Set(reflect.New(to.Type().Elem()))
		d.value(n, field, "", to.Elem())
	default:
		d.scalar(n, field, tag, want, to)
	}
}

var (
	decimalInt   = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)
	decimalFloat = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)
)

func (d *decoder) scalar(n *node, field, tag, want string, to reflect.Value) {
	is := func(tags ...string) bool { return n.Kind == yaml.ScalarNode && slices.Contains(tags, n.ShortTag()) }
	switch to.Kind() {
	case reflect.String:
		switch {
		case !is("!!str"):
			d.fail(n, field, want)
		case n.Value == "" && tag != "empty":
			d.fail(n, field, want)
		case strings.ContainsFunc(n.Value, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }):
			d.fail(n, field, "printable text")
		default:
			to.SetString(n.Value)
		}
	case reflect.Bool:
		if !is("!!bool") || n.Value != "true" && n.Value != "false" {
			d.fail(n, field, want)
			return
		}
		to.SetBool(n.Value == "true")
	case reflect.Int, reflect.Int64:
		if !is("!!int", "!!float") || !decimalInt.MatchString(n.Value) { // large integers resolve to !!float
			d.fail(n, field, want)
			return
		}
		lo, hi := int64(math.MinInt32), int64(math.MaxInt32) // the same on every machine
		if to.Kind() == reflect.Int64 {
			lo, hi = math.MinInt64, math.MaxInt64
		}
		v, err := strconv.ParseInt(n.Value, 10, 64)
		if err != nil || v < lo || v > hi {
			d.fail(n, field, fmt.Sprintf("%d..%d", lo, hi))
			return
		}
		to.SetInt(v)
	case reflect.Float64:
		v, err := strconv.ParseFloat(n.Value, 64)
		if !is("!!int", "!!float") || !decimalFloat.MatchString(n.Value) || err != nil {
			d.fail(n, field, want)
			return
		}
		to.SetFloat(v)
	default:
		panic("targets: cannot decode a " + to.Type().String())
	}
}

// mapping fills a struct: each field once, nothing else.
func (d *decoder) mapping(n *node, field, want string, to reflect.Value) {
	keys := d.keys(n, field, want)
	if keys == nil {
		return
	}
	var known []string
	var missing []reflect.StructField
	absent := false
	for _, f := range reflect.VisibleFields(to.Type()) {
		key, tag := keyOf(f), f.Tag.Get("file")
		if f.Anonymous || !f.IsExported() || tag == "-" {
			continue
		}
		known = append(known, key)
		at := below(field, key)
		kv, ok := keys[key]
		if !ok {
			neighbour, values, conditional := strings.Cut(tag, "=")
			if conditional {
				kv, ok := keys[neighbour]
				conditional = !ok || !slices.Contains(strings.Split(values, "|"), kv[1].Value)
			}
			if tag != "optional" && !conditional {
				missing = append(missing, f)
			}
			absent = absent || key == "present" // the rest follows from it
			continue
		}
		d.lines[at] = kv[0].Line
		d.value(kv[1], at, tag, to.FieldByIndex(f.Index))
		absent = absent || key == "present" && kv[1].Value == "false"
	}
	for _, f := range missing {
		if absent && keyOf(f) != "present" {
			continue
		}
		at := below(field, keyOf(f))
		d.add(d.lines[field], at, "nothing", wanted(f.Type))
		d.broken = append(d.broken, at)
	}
	for i := 0; i < len(n.Content); i += 2 {
		if k := n.Content[i]; isName(k) && !slices.Contains(known, k.Value) {
			d.add(k.Line, below(field, clip(k.Value)), "an unknown key", "one of "+strings.Join(known, ", "))
		}
	}
}

// table fills a map with keys of the file's own choice.
func (d *decoder) table(n *node, field, want string, to reflect.Value) {
	keys := d.keys(n, field, want)
	if keys == nil {
		return
	}
	to.Set(reflect.MakeMap(to.Type()))
	for i := 0; i < len(n.Content); i += 2 {
		k := n.Content[i]
		if !isName(k) || keys[k.Value][0] != k {
			continue
		}
		at := below(field, clip(k.Value))
		if !name.MatchString(k.Value) {
			d.add(k.Line, at, describe(k), "a name of a-z, 0-9, _ and -")
			continue
		}
		d.lines[at] = k.Line
		v := reflect.New(to.Type().Elem()).Elem()
		d.value(n.Content[i+1], at, "", v)
		to.SetMapIndex(reflect.ValueOf(k.Value), v)
	}
}

var name = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,63}$`)

// keys indexes a mapping's pairs by name, the first of each, and reports
// whatever else it holds.
func (d *decoder) keys(n *node, field, want string) map[string][2]*node {
	if n.Kind != yaml.MappingNode {
		d.fail(n, field, want)
		return nil
	}
	keys := map[string][2]*node{}
	for i := 0; i < len(n.Content); i += 2 {
		k := n.Content[i]
		if !isName(k) {
			d.add(k.Line, field, describe(k)+" as a key", "a name")
		} else if first, ok := keys[k.Value]; ok {
			d.add(k.Line, below(field, clip(k.Value)), fmt.Sprintf("the key again after line %d", first[0].Line), "it once")
		} else {
			keys[k.Value] = [2]*node{k, n.Content[i+1]}
		}
	}
	return keys
}

func isName(k *node) bool {
	return k.Kind == yaml.ScalarNode && k.ShortTag() != "!!null" && k.Anchor == "" && k.Style&yaml.TaggedStyle == 0
}

func keyOf(f reflect.StructField) string {
	key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return key
}

func below(field, key string) string {
	if field == "" {
		return key
	}
	return field + "." + key
}

// wanted says what a value of type t looks like in a file.
func wanted(t reflect.Type) string {
	if text, ok := reflect.New(t).Interface().(encoding.TextUnmarshaler); ok {
		_, _, want := split(text.UnmarshalText(nil).Error())
		return want
	}
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		return "a mapping"
	case reflect.Slice:
		return "a list"
	case reflect.Pointer:
		return wanted(t.Elem())
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "text"
	case reflect.Float64:
		return "a decimal number"
	default:
		return "a decimal integer"
	}
}

// describe says what a node is, for "got".
func describe(n *node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	}
	switch n.ShortTag() {
	case "!!null":
		return "null"
	case "!!int", "!!float", "!!bool":
		return clip(n.Value)
	}
	return strconv.Quote(clip(n.Value))
}

// clip keeps a file's own text short and printable in messages.
func clip(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, s)
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "..."
	}
	return s
}
