package artefact

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

type jsonThing struct {
	Name string           `json:"name"`
	Note string           `json:"note,omitempty"`
	In   []jsonPart       `json:"in"`
	Of   map[string]int64 `json:"of"`
}

type jsonPart struct {
	X int `json:"x"`
}

func TestDecodeJSON(t *testing.T) {
	const whole = `{"name": "a", "in": [{"x": 1}, {"x": 2}], "of": {"k": 3}}`
	var got jsonThing
	if err := DecodeJSON("f", []byte(whole), "its keys", &got); err != nil || !reflect.DeepEqual(got, jsonThing{"a", "", []jsonPart{{1}, {2}}, map[string]int64{"k": 3}}) {
		t.Fatalf("got %+v, %v", got, err)
	}
	for _, c := range []struct{ old, new, want string }{
		{`"name": "a", `, ``, "f: name: got nothing, want a value"},
		{`"name": "a"`, `"name": null`, "f: name: got null, want a value"},
		{`"name": "a"`, `"nome": "a"`, `f: object: got unknown field "nome", want its keys`},
		{`"name": "a"`, `"name": 1`, "f:1: name: got number, want string"},
		{`"name": "a",`, "\n\"name\": \"a\",\n\"name\": \"b\",", "f:3: name: got the key again, want it once"},
		{`{"x": 2}`, `{"x": 2, "x": 3}`, "f:1: x: got the key again, want it once"},
		{`{"x": 2}`, `{}`, "f: in.1.x: got nothing, want a value"},
		{`{"k": 3}`, `{"k": 3, "l": {"k": 1}}`, "f:1: of: got object, want int64"},
		{`{"k": 3}`, `[]`, "f:1: of: got array, want an object"},
		{`[{"x": 1}, {"x": 2}]`, `{}`, "f:1: in: got object, want a list"},
		{`}}`, `}} {}`, "f:1: text: got more after the object, want its end"},
		{`}}`, `}`, "f:1: text: got the end of the file, want a whole object"},
		{`{"name"`, `{name`, "f:1: text: got invalid character 'n' looking for beginning of object key string, want JSON"},
		{whole, `[]`, "f:1: object: got array, want an object"},
		{whole, ``, "f:1: text: got the end of the file, want a whole object"},
		{`"k"`, `"` + strings.Repeat("k", 99) + `": 1, "` + strings.Repeat("k", 99) + `"`, "f:1: " + strings.Repeat("k", 60) + "...: got the key again, want it once"},
	} {
		text := strings.Replace(whole, c.old, c.new, 1)
		var v jsonThing
		if err := DecodeJSON("f", []byte(text), "its keys", &v); err == nil || err.Error() != c.want || !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s:\n got %v\nwant %s", text, err, c.want)
		}
	}
}
