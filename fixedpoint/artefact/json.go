package artefact

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// DecodeJSON decodes the text of file into v, a pointer to a struct: one object,
// each key once, none unknown, none left out but those tagged omitempty. keys
// says in messages what the keys are. Its errors are [LineError].
func DecodeJSON(file string, data []byte, keys string, v any) error {
	fault := func(line int, field, got, want string) error {
		return &LineError{File: file, Line: line, Field: field, Got: got, Want: want}
	}
	line := func(offset int64) int { return 1 + bytes.Count(data[:min(offset, int64(len(data)))], []byte("\n")) }
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		var se *json.SyntaxError
		var te *json.UnmarshalTypeError
		switch {
		case errors.As(err, &se):
			return fault(line(se.Offset), "text", se.Error(), "JSON")
		case errors.As(err, &te):
			return fault(line(te.Offset), jsonField(te.Field), clip(te.Value), jsonKind(te.Type))
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return fault(line(int64(len(data))), "text", "the end of the file", "a whole object")
		}
		got, want, ok := strings.Cut(strings.TrimPrefix(err.Error(), "got "), ", want ")
		if !ok { // json: unknown field "x"
			got, want = strings.TrimPrefix(got, "json: "), keys
		}
		return fault(0, "object", clip(got), want)
	}
	end := d.InputOffset()
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fault(line(end), "text", "more after the object", "its end")
	}
	if key, offset := repeated(data); key != "" {
		return fault(line(offset), clip(key), "the key again", "it once")
	}
	whole, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	var got, want any
	if err := errors.Join(json.Unmarshal(data, &got), json.Unmarshal(whole, &want)); err != nil {
		return fmt.Errorf("%w: %s: %v", ErrCorrupt, file, err)
	}
	if key, null := leftOut(got, want); key != "" {
		return fault(0, key, map[bool]string{false: "nothing", true: "null"}[null], "a value")
	}
	return nil
}

func jsonKind(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Slice:
		return "a list"
	}
	return t.Kind().String()
}

func jsonField(s string) string {
	if s == "" {
		return "object"
	}
	return s
}

// repeated is the first key that an object of data, valid JSON, has twice, and
// where.
func repeated(data []byte) (key string, offset int64) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	type object struct {
		keys map[string]bool // nil: a list
		next bool            // a key comes next
	}
	var open []object
	for {
		t, err := d.Token()
		if err != nil {
			return "", 0
		}
		var top *object
		if len(open) > 0 {
			top = &open[len(open)-1]
		}
		switch t {
		case json.Delim('}'), json.Delim(']'):
			open = open[:len(open)-1]
			continue
		}
		if top != nil && top.next {
			k, _ := t.(string)
			if top.keys[k] {
				return k, d.InputOffset()
			}
			top.keys[k], top.next = true, false
			continue
		}
		if top != nil && top.keys != nil {
			top.next = true // after this value
		}
		switch t {
		case json.Delim('{'):
			open = append(open, object{map[string]bool{}, true})
		case json.Delim('['):
			open = append(open, object{})
		}
	}
}

// leftOut is the path of the first key of want, in order, that got does not
// have, or has as null; "" if it has all.
func leftOut(got, want any) (key string, null bool) {
	first := func(k string, g, w any, ok bool) bool {
		switch {
		case !ok:
			key = k
		case g == nil:
			key, null = k, true
		default:
			var rest string
			if rest, null = leftOut(g, w); rest != "" {
				key = k + "." + rest
			}
		}
		return key != ""
	}
	switch want := want.(type) {
	case map[string]any:
		object, _ := got.(map[string]any)
		for _, k := range slices.Sorted(maps.Keys(want)) {
			if g, ok := object[k]; first(k, g, want[k], ok) {
				return key, null
			}
		}
	case []any:
		list, _ := got.([]any)
		for i, w := range want {
			if ok := i < len(list); !ok || first(strconv.Itoa(i), list[i], w, ok) {
				return key, null
			}
		}
	}
	return "", false
}

// clip keeps a file's own text short in messages.
func clip(s string) string {
	if len(s) > 60 {
		return strings.ToValidUTF8(s[:60], "") + "..."
	}
	return s
}
