package artefact

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

const (
	manifestName = "manifest.json"
	formatName   = "glsnn"
)

// manifest is manifest.json of a bundle; the order of the fields is the file's.
type manifest struct {
	Format     string          `json:"format"`
	Kind       string          `json:"kind"`
	Version    int             `json:"version"`
	Members    json.RawMessage `json:"members"` // []member, decoded apart to bound its length
	BodySHA256 string          `json:"body_sha256"`
	Body       json.RawMessage `json:"body"`
}

type member struct {
	Name   string `json:"name"`
	DType  DType  `json:"dtype"`
	Shape  []int  `json:"shape"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// writeManifest writes the manifest's only text: keys in the order above, two
// spaces of indent, LF, a newline at the end. body is compact JSON.
func writeManifest(w io.Writer, kind string, version int, members []member, body []byte) error {
	if members == nil {
		members = []member{}
	}
	list, err := marshalJSON(members)
	if err != nil {
		return err
	}
	text, err := marshalJSON(manifest{formatName, kind, version, list, Hash(body), body})
	if err != nil {
		return err
	}
	bw := bufio.NewWriter(w)
	if err := indentJSON(bw, text); err != nil {
		return err
	}
	if err := bw.WriteByte('\n'); err != nil {
		return err
	}
	return bw.Flush()
}

// marshalJSON is json.Marshal without the escapes for HTML, which would
// change the text of a body.
func marshalJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// indentJSON writes compact, valid JSON for people: two spaces a level, but an
// array that holds no array or object on one line. It writes as it goes, since
// the text may be as long as the square of its source ("[[[[…"), and a reader
// that compares it with a hostile file stops at the first byte that differs.
func indentJSON(w *bufio.Writer, text []byte) error {
	depth, flat := 0, false
	newline := func() error {
		err := w.WriteByte('\n')
		for i := 0; i < depth && err == nil; i++ {
			_, err = w.WriteString("  ")
		}
		return err
	}
	for i := 0; i < len(text); i++ {
		c := text[i]
		var err error
		switch c {
		case '"':
			end := stringEnd(text, i)
			_, err = w.Write(text[i:end])
			i = end - 1
		case '{', '[':
			err = w.WriteByte(c)
			flat = isFlat(text, i)
			if !flat && err == nil {
				depth++
				err = newline()
			}
		case '}', ']':
			if flat {
				flat = false
			} else {
				depth--
				err = newline()
			}
			if err == nil {
				err = w.WriteByte(c)
			}
		case ',':
			err = w.WriteByte(c)
			if err == nil && flat {
				err = w.WriteByte(' ')
			} else if err == nil {
				err = newline()
			}
		case ':':
			_, err = w.WriteString(": ")
		default:
			err = w.WriteByte(c)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// stringEnd returns the index after the string that starts at text[i].
func stringEnd(text []byte, i int) int {
	for i++; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

// isFlat reports whether the container that opens at text[i] is empty or an
// array without containers. It looks no further than the next bracket, so all
// calls together read the text once.
func isFlat(text []byte, i int) bool {
	open := text[i]
	for i++; i < len(text); i++ {
		switch text[i] {
		case '"':
			if open == '{' {
				return false
			}
			i = stringEnd(text, i) - 1
		case '{', '[':
			return false
		case '}', ']':
			return true
		}
	}
	return false
}

// parseManifest reads what the checks that follow need; they compare the whole
// text with writeManifest's.
func parseManifest(file string, text []byte) (manifest, error) {
	var m manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return m, corrupt(file, manifestName, err.Error(), "the manifest of a glsnn bundle")
	}
	if m.Format != formatName {
		return m, corrupt(file, manifestName+": format", quote(m.Format), quote(formatName))
	}
	return m, nil
}

// parseMembers decodes the list of n members.
func parseMembers(file string, text []byte, n int) ([]member, error) {
	bad := func(got string) error {
		return corrupt(file, manifestName+": members", got, fmt.Sprintf("a list of the %d members that follow", n))
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return nil, bad("no list")
	}
	var list []member
	for d.More() {
		if len(list) == n {
			return nil, bad("more")
		}
		var m member
		if err := d.Decode(&m); err != nil {
			return nil, bad(err.Error())
		}
		list = append(list, m)
	}
	if len(list) != n {
		return nil, bad(fmt.Sprint(len(list)))
	}
	return list, nil
}
