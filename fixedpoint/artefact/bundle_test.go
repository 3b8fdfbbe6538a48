package artefact

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func small() Bundle {
	return Bundle{
		Kind:    "network",
		Version: 1,
		Body:    json.RawMessage(`{"seed": 7, "loss": [0.5, 0.25], "note": "a<b", "layers": [{"n": 2}], "none": {}}`),
		Arrays: []Array{
			NewArray("layer0/weights", []float32{1, -0.5, 0.25, 0, 1.5, 3}, 2, 3),
			NewArray("layer0/raw", []int8{-1, 2}),
			NewArray("empty", []uint64{}, 0, 4),
		},
	}
}

func mustMarshal(t testing.TB, b Bundle) []byte {
	t.Helper()
	data, err := Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// wantCorrupt checks that err is an ErrCorrupt of one line that names the file.
func wantCorrupt(t *testing.T, what string, err error) {
	t.Helper()
	var f *FieldError
	if !errors.Is(err, ErrCorrupt) || !errors.As(err, &f) {
		t.Errorf("%s: got error %v, want ErrCorrupt", what, err)
	} else if s := err.Error(); strings.ContainsAny(s, "\n\x00") || !strings.HasPrefix(s, f.File+": ") || f.File == "" {
		t.Errorf("%s: message %q, want one line that starts with the file", what, s)
	}
}

const goldenSHA256 = "caa0132099077fb537ddd4fab520e49bd73d3c1ab46510c50078ea6523e9ef0f"

const goldenManifest = `{
  "format": "glsnn",
  "kind": "network",
  "version": 1,
  "members": [
    {
      "name": "layer0/weights.npy",
      "dtype": "float32",
      "shape": [2, 3],
      "bytes": 152,
      "sha256": "W"
    },
    {
      "name": "layer0/raw.npy",
      "dtype": "int8",
      "shape": [2],
      "bytes": 130,
      "sha256": "R"
    },
    {
      "name": "empty.npy",
      "dtype": "uint64",
      "shape": [0, 4],
      "bytes": 128,
      "sha256": "E"
    }
  ],
  "body_sha256": "B",
  "body": {
    "seed": 7,
    "loss": [0.5, 0.25],
    "note": "a<b",
    "layers": [
      {
        "n": 2
      }
    ],
    "none": {}
  }
}
`

// The bytes are the format: a change here makes every file written before unreadable.
func TestGolden(t *testing.T) {
	data := mustMarshal(t, small())
	if got := Hash(data); got != goldenSHA256 {
		t.Errorf("sha256: got %s, want %s", got, goldenSHA256)
	}
	entries, err := readZip("x", data, false)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.NewReplacer(
		`"W"`, `"`+Hash(entries[1].data)+`"`, `"R"`, `"`+Hash(entries[2].data)+`"`, `"E"`, `"`+Hash(entries[3].data)+`"`,
		`"B"`, `"`+Hash([]byte(`{"seed":7,"loss":[0.5,0.25],"note":"a<b","layers":[{"n":2}],"none":{}}`))+`"`,
	).Replace(goldenManifest)
	if got := string(entries[0].data); got != want {
		t.Errorf("manifest: got\n%s, want\n%s", got, want)
	}
}

// archive/zip is the dumb twin of our ZIP writer: it must read the same members
// and, told to write the same headers, write the same bytes.
func TestZipTwin(t *testing.T) {
	data := mustMarshal(t, small())
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	entries, err := readZip("x", data, false)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.File) != len(entries) || r.Comment != "" {
		t.Fatalf("archive/zip sees %d members, want %d", len(r.File), len(entries))
	}
	var again bytes.Buffer
	w := zip.NewWriter(&again)
	for i, f := range r.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(in) // checks the CRC
		if err != nil || f.Name != entries[i].name || !bytes.Equal(content, entries[i].data) {
			t.Errorf("member %d: %s: %v, or other data than %s", i, f.Name, err, entries[i].name)
		}
		//lint:ignore SA1019 a raw header needs the DOS date itself: Modified would add an extra field
		out, err := w.CreateRaw(&zip.FileHeader{Name: f.Name, CreatorVersion: 20, ReaderVersion: 20, ModifiedDate: 0x21,
			CRC32: f.CRC32, CompressedSize64: f.CompressedSize64, UncompressedSize64: f.UncompressedSize64})
		if err != nil {
			t.Fatal(err)
		}
		out.Write(content)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again.Bytes(), data) {
		t.Error("archive/zip writes other bytes")
	}
}

func genArray(name string, t *rapid.T) Array {
	shape := rapid.SliceOfN(rapid.IntRange(0, 4), 1, 4).Draw(t, "shape")
	n := 1
	for _, d := range shape {
		n *= d
	}
	switch rapid.IntRange(0, 9).Draw(t, "dtype") {
	case 0:
		return NewArray(name, rapid.SliceOfN(rapid.Int8(), n, n).Draw(t, "data"), shape...)
	case 1:
		return NewArray(name, rapid.SliceOfN(rapid.Uint8(), n, n).Draw(t, "data"), shape...)
	case 2:
		return NewArray(name, rapid.SliceOfN(rapid.Int16(), n, n).Draw(t, "data"), shape...)
	case 3:
		return NewArray(name, rapid.SliceOfN(rapid.Uint16(), n, n).Draw(t, "data"), shape...)
	case 4:
		return NewArray(name, rapid.SliceOfN(rapid.Int32(), n, n).Draw(t, "data"), shape...)
	case 5:
		return NewArray(name, rapid.SliceOfN(rapid.Uint32(), n, n).Draw(t, "data"), shape...)
	case 6:
		return NewArray(name, rapid.SliceOfN(rapid.Int64(), n, n).Draw(t, "data"), shape...)
	case 7:
		return NewArray(name, rapid.SliceOfN(rapid.Uint64(), n, n).Draw(t, "data"), shape...)
	case 8:
		return NewArray(name, rapid.SliceOfN(rapid.Float32(), n, n).Draw(t, "data"), shape...)
	}
	return NewArray(name, rapid.SliceOfN(rapid.Float64(), n, n).Draw(t, "data"), shape...)
}

func genJSON(depth int) *rapid.Generator[any] {
	return rapid.Custom(func(t *rapid.T) any {
		top := 4
		if depth == 0 {
			top = 2
		}
		switch rapid.IntRange(0, top).Draw(t, "kind") {
		case 0:
			return rapid.String().Draw(t, "string")
		case 1:
			return rapid.Float64Range(-1e9, 1e9).Draw(t, "number")
		case 2:
			return nil
		case 3:
			return rapid.SliceOfN(genJSON(depth-1), 0, 4).Draw(t, "array")
		}
		return rapid.MapOfN(rapid.String(), genJSON(depth-1), 0, 4).Draw(t, "object")
	})
}

func TestThereAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := Bundle{
			Kind:    rapid.StringMatching(`[a-z][a-z0-9-]{0,20}`).Draw(t, "kind"),
			Version: rapid.IntRange(1, math.MaxInt32).Draw(t, "version"),
		}
		body, err := json.Marshal(rapid.MapOfN(rapid.String(), genJSON(3), 0, 4).Draw(t, "body"))
		if err != nil {
			t.Fatal(err)
		}
		b.Body = body
		names := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-zA-Z0-9_-]{1,9}(/[a-z0-9_-]{1,9}){0,2}`), 0, 5, rapid.ID).Draw(t, "names")
		for _, n := range names {
			b.Arrays = append(b.Arrays, genArray(n, t))
		}
		data, err := Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		if again, _ := Marshal(b); !bytes.Equal(again, data) {
			t.Fatal("two encodings of one bundle differ")
		}
		got, err := Decode(data, "x.glsnn", b.Kind, b.Version)
		if err != nil {
			t.Fatal(err)
		}
		if got.Kind != b.Kind || got.Version != b.Version || !bytes.Equal(got.Body, body) || len(got.Arrays) != len(b.Arrays) {
			t.Fatalf("got %v, want %v", got, b)
		}
		if got.SHA256 != Hash(data) || got.File != "x.glsnn" {
			t.Fatalf("got hash %s of %s", got.SHA256, got.File)
		}
		for i, a := range got.Arrays {
			w := b.Arrays[i]
			if a.Name != w.Name || a.DType != w.DType || tuple(a.Shape) != tuple(w.Shape) || !bytes.Equal(a.raw, w.raw) {
				t.Fatalf("array %d: got %v, want %v", i, a, w)
			}
		}
	})
}

func TestValues(t *testing.T) {
	b := Bundle{Kind: "k", Version: 1, Arrays: []Array{
		NewArray("a", []int8{-128, 127}), NewArray("b", []uint8{0, 255}), NewArray("c", []int16{math.MinInt16, 1}),
		NewArray("d", []uint16{math.MaxUint16}), NewArray("e", []int32{math.MinInt32}), NewArray("f", []uint32{math.MaxUint32}),
		NewArray("g", []int64{math.MinInt64}), NewArray("h", []uint64{math.MaxUint64}),
		NewArray("i", []float32{math.MaxFloat32, float32(math.Inf(-1))}), NewArray("j", []float64{math.SmallestNonzeroFloat64, math.NaN()}),
	}}
	got, err := Decode(mustMarshal(t, b), "k.glsnn", "k", 1)
	if err != nil {
		t.Fatal(err)
	}
	show := func(v any, err error) string { return fmt.Sprintf("%v %v", v, err) }
	for name, c := range map[string][2]string{
		"a": {show(Get[int8](got, "a")), "[-128 127] <nil>"},
		"b": {show(Get[uint8](got, "b", 2)), "[0 255] <nil>"},
		"c": {show(Get[int16](got, "c")), "[-32768 1] <nil>"},
		"d": {show(Get[uint16](got, "d", -1)), "[65535] <nil>"},
		"e": {show(Get[int32](got, "e")), "[-2147483648] <nil>"},
		"f": {show(Get[uint32](got, "f")), "[4294967295] <nil>"},
		"g": {show(Get[int64](got, "g")), "[-9223372036854775808] <nil>"},
		"h": {show(Get[uint64](got, "h")), "[18446744073709551615] <nil>"},
		"i": {show(Get[float32](got, "i")), "[3.4028235e+38 -Inf] <nil>"},
		"j": {show(Get[float64](got, "j")), "[5e-324 NaN] <nil>"},

		"dtype":   {show(Get[int32](got, "i")), "[] k.glsnn: i: dtype: got float32, want int32"},
		"shape":   {show(Get[int8](got, "a", -1, 3)), "[] k.glsnn: a: shape: got (2,), want (any, 3)"},
		"missing": {show(Get[int8](got, "z")), "[] k.glsnn: z: got no such array, want one"},
	} {
		if c[0] != c[1] {
			t.Errorf("%s: got %s, want %s", name, c[0], c[1])
		}
	}
	_, err = got.Array("z")
	wantCorrupt(t, "missing array", err)
}

func TestUnmarshalBody(t *testing.T) {
	b, err := Decode(mustMarshal(t, Bundle{Kind: "k", Version: 2, Body: json.RawMessage(`{"seed":7}`)}), "k.glsnn", "", 0)
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		Seed int `json:"seed"`
	}
	if err := b.UnmarshalBody(&v); err != nil || v.Seed != 7 {
		t.Errorf("got %v, %v", v, err)
	}
	var other struct{ X int }
	err = b.UnmarshalBody(&other)
	wantCorrupt(t, "unknown field", err)
	if want := `k.glsnn: body: got json: unknown field "seed", want the fields of a k of version 2`; err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestEncodeRefuses(t *testing.T) {
	ok := NewArray("a", []int8{1})
	with := func(f func(*Array)) []Array {
		a := NewArray("a", []int8{1})
		f(&a)
		return []Array{a}
	}
	for _, c := range []struct {
		b    Bundle
		want string
	}{
		{Bundle{Kind: "", Version: 1}, `kind: got "", want small letters, digits and -, a letter first`},
		{Bundle{Kind: "A", Version: 1}, `kind: got "A", want small letters, digits and -, a letter first`},
		{Bundle{Kind: "a\nb", Version: 1}, `kind: got "a\nb", want small letters, digits and -, a letter first`},
		{Bundle{Kind: "k"}, "version: got 0, want 1 or more"},
		{Bundle{Kind: "k", Version: 1, Body: json.RawMessage(`[1]`)}, `body: got "[1]", want a JSON object in UTF-8`},
		{Bundle{Kind: "k", Version: 1, Body: json.RawMessage(`{`)}, `body: got unexpected end of JSON input, want a JSON object in UTF-8`},
		{Bundle{Kind: "k", Version: 1, Body: json.RawMessage("{\"\xff\":1}")}, `body: got bytes that are not UTF-8, want a JSON object in UTF-8`},
		{Bundle{Kind: "k", Version: 1, Arrays: []Array{ok, ok}}, `array "a": got two, want one of each name`},
		{Bundle{Kind: "k", Version: 1, Arrays: []Array{{}}}, `array name: got "", want a path of letters, digits and _.- without .npy, at most 200 bytes`},
		{Bundle{Kind: "k", Version: 1, Arrays: with(func(a *Array) { a.Name = "../a" })}, `array name: got "../a", want a path of letters, digits and _.- without .npy, at most 200 bytes`},
		{Bundle{Kind: "k", Version: 1, Arrays: with(func(a *Array) { a.Name = "/a" })}, `array name: got "/a", want a path of letters, digits and _.- without .npy, at most 200 bytes`},
		{Bundle{Kind: "k", Version: 1, Arrays: with(func(a *Array) { a.Name = "a.npy" })}, `array name: got "a.npy", want a path of letters, digits and _.- without .npy, at most 200 bytes`},
		{Bundle{Kind: "k", Version: 1, Arrays: with(func(a *Array) { a.DType = "bool" })}, `a: dtype: got "bool", want int8 to float64`},
		{Bundle{Kind: "k", Version: 1, Arrays: with(func(a *Array) { a.Shape = []int{2} })}, `a: data: got 1 byte, want 2 bytes for int8 (2,)`},
		{Bundle{Kind: "k", Version: 1, Arrays: with(func(a *Array) { a.Shape = []int{-1} })}, `a: shape: got (-1,), want at most 32 dimensions, each 0..2147483647, and less than 4 GiB`},
	} {
		var w bytes.Buffer
		err := Encode(&w, c.b)
		if err == nil || err.Error() != c.want || w.Len() > 0 {
			t.Errorf("got %v after %d bytes, want %s", err, w.Len(), c.want)
		}
	}
}

func TestEncodeReturnsWriteErrors(t *testing.T) {
	data := mustMarshal(t, small())
	boom := errors.New("boom")
	for n := range data {
		if err := Encode(&limitWriter{n, boom}, small()); !errors.Is(err, boom) {
			t.Fatalf("writer full after %d bytes: got %v", n, err)
		}
	}
}

type limitWriter struct {
	n   int
	err error
}

func (w *limitWriter) Write(p []byte) (int, error) {
	if len(p) > w.n {
		return w.n, w.err
	}
	w.n -= len(p)
	return len(p), nil
}

func TestKindAndVersion(t *testing.T) {
	b := small()
	b.Kind, b.Version = "model", 7
	data := mustMarshal(t, b)
	for _, c := range []struct {
		kind string
		max  int
		err  error
		want string
	}{
		{"model", 7, nil, ""},
		{"model", 8, nil, ""},
		{"", 0, nil, ""},
		{"model", 1, ErrVersion, "x.glsnn: version: got 7, want 1..1"},
		{"network", 1, ErrKind, `x.glsnn: kind: got "model", want "network"`},
	} {
		_, err := Decode(data, "x.glsnn", c.kind, c.max)
		if !errors.Is(err, c.err) || err != nil && err.Error() != c.want {
			t.Errorf("kind %q, version to %d: got %v, want %v", c.kind, c.max, err, c.want)
		}
	}
	// A version below 1 can only be made by hand.
	old := rezip(t, data, func(name string, content []byte) []byte {
		if name == manifestName {
			content = bytes.Replace(content, []byte(`"version": 7`), []byte(`"version": 0`), 1)
		}
		return content
	})
	if _, err := Decode(old, "x.glsnn", "model", 7); !errors.Is(err, ErrVersion) || err.Error() != "x.glsnn: version: got 0, want 1..7" {
		t.Errorf("version 0: got %v", err)
	}
}

func TestEveryBitFlip(t *testing.T) {
	data := mustMarshal(t, small())
	for bit := range 8 * len(data) {
		data[bit/8] ^= 1 << (bit % 8)
		_, err := Decode(data, "x.glsnn", "network", 1)
		wantCorrupt(t, fmt.Sprintf("byte %d bit %d", bit/8, bit%8), err)
		data[bit/8] ^= 1 << (bit % 8)
	}
	if _, err := Decode(data, "x.glsnn", "network", 1); err != nil {
		t.Fatal(err)
	}
}

func TestEveryTruncation(t *testing.T) {
	data := mustMarshal(t, small())
	for n := range data {
		_, err := Decode(data[:n:n], "x.glsnn", "network", 1)
		wantCorrupt(t, fmt.Sprintf("%d of %d bytes", n, len(data)), err)
	}
}

func TestEveryByteLeftOutOrTwice(t *testing.T) {
	data := mustMarshal(t, small())
	for i := range data {
		cut := append(append([]byte{}, data[:i]...), data[i+1:]...)
		_, err := Decode(cut, "x.glsnn", "network", 1)
		wantCorrupt(t, fmt.Sprintf("without byte %d", i), err)
		twice := append(append([]byte{}, data[:i+1]...), data[i:]...)
		_, err = Decode(twice, "x.glsnn", "network", 1)
		wantCorrupt(t, fmt.Sprintf("with byte %d twice", i), err)
	}
}

func TestTrailingBytes(t *testing.T) {
	data := mustMarshal(t, small())
	for _, tail := range []string{"\x00", "\n", string(data)} {
		_, err := Decode(append(data[:len(data):len(data)], tail...), "x.glsnn", "network", 1)
		wantCorrupt(t, "trailing bytes", err)
		want := fmt.Sprintf("x.glsnn: size: got %d bytes, want %d bytes", len(data)+len(tail), len(data))
		if err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// rezip writes data's members anew, changed by edit, with right CRCs.
func rezip(t *testing.T, data []byte, edit func(name string, content []byte) []byte) []byte {
	t.Helper()
	entries, err := readZip("x", data, false)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	z := zipWriter{w: &out}
	for _, e := range entries {
		content := edit(e.name, append([]byte{}, e.data...))
		if err := z.member(e.name, crc32.ChecksumIEEE(content), content); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Changes by someone who mends the CRCs but not the hashes, or writes what this package would not.
func TestRewrittenByHand(t *testing.T) {
	data := mustMarshal(t, small())
	replace := func(member, old, new string) []byte {
		changed := false
		out := rezip(t, data, func(name string, content []byte) []byte {
			if name != member {
				return content
			}
			changed = bytes.Contains(content, []byte(old))
			return bytes.Replace(content, []byte(old), []byte(new), 1)
		})
		if !changed {
			t.Fatalf("%s lacks %q", member, old)
		}
		return out
	}
	for _, c := range []struct {
		name, want string
		data       []byte
	}{
		{"data", "x.glsnn: layer0/raw.npy: sha256: got ", replace("layer0/raw.npy", "\xff\x02", "\xff\x03")},
		{"body", "x.glsnn: manifest.json: body_sha256: got ", replace(manifestName, `"seed": 7`, `"seed": 8`)},
		{"format", `x.glsnn: manifest.json: format: got "glsnm", want "glsnn"`, replace(manifestName, `"format": "glsnn"`, `"format": "glsnm"`)},
		{"dtype", "x.glsnn: manifest.json: byte ", replace(manifestName, `"float32"`, `"float64"`)},
		{"shape", "x.glsnn: manifest.json: byte ", replace(manifestName, `[2, 3]`, `[3, 2]`)},
		{"bytes", "x.glsnn: manifest.json: byte ", replace(manifestName, `152`, `153`)},
		{"white space", "x.glsnn: manifest.json: byte ", replace(manifestName, `"seed": 7`, `"seed":  7`)},
		{"no newline at the end", "x.glsnn: manifest.json: byte ", replace(manifestName, "  }\n}\n", "  }\n}")},
		{"key order", "x.glsnn: manifest.json: byte ", replace(manifestName, "\"kind\": \"network\",\n  \"version\": 1", "\"version\": 1,\n  \"kind\": \"network\"")},
		{"extra key", "x.glsnn: manifest.json: byte ", replace(manifestName, `"version": 1,`, `"version": 1, "x": 1,`)},
		{"key in capitals", "x.glsnn: manifest.json: byte ", replace(manifestName, `"kind"`, `"Kind"`)},
		{"more members", "x.glsnn: manifest.json: members: got more, want a list of the 3 members", replace(manifestName, `"members": [`, `"members": [{},`)},
		{"fewer members", "x.glsnn: manifest.json: members: got 1, want a list of the 3 members", replace(manifestName, `"members": [`, `"members":[{}],"x":[`)},
		{"members null", "x.glsnn: manifest.json: members: got no list", replace(manifestName, `"members": [`, `"members":null,"x":[`)},
		{"name", `x.glsnn: member 2: name: got "layer0/raw.npy", want "layer0/row.npy"`, replace(manifestName, `layer0/raw.npy`, `layer0/row.npy`)},
		{"no JSON", "x.glsnn: manifest.json: got invalid character", replace(manifestName, `{`, `(`)},
		{"type", "x.glsnn: manifest.json: got json: cannot unmarshal", replace(manifestName, `"version": 1`, `"version": "1"`)},
		{"Fortran order", `x.glsnn: member "layer0/weights.npy": npy fortran_order: got True`, replace("layer0/weights.npy", "False", "True ")},
		{"npy key order", "x.glsnn: byte ", replace("layer0/raw.npy", "'descr': '|i1', 'fortran_order': False,", "'fortran_order': False, 'descr': '|i1',")},
		{"shape overflow", `x.glsnn: member "layer0/raw.npy": npy shape: got (2147483647, 2147483647)`, replace("layer0/raw.npy", "(2,), }                         ", "(2147483647, 2147483647), }     ")},
	} {
		_, err := Decode(c.data, "x.glsnn", "network", 1)
		wantCorrupt(t, c.name, err)
		if err != nil && !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s…", c.name, err, c.want)
		}
	}
}

func TestDecodeRefusesNames(t *testing.T) {
	manifestFor := func(names ...string) []byte {
		var list []member
		h := npyHeader(Int8, []int{0})
		for _, n := range names {
			list = append(list, member{n, Int8, []int{0}, int64(len(h)), Hash(h)})
		}
		var text, out bytes.Buffer
		if err := writeManifest(&text, "k", 1, list, []byte("{}")); err != nil {
			t.Fatal(err)
		}
		z := zipWriter{w: &out}
		z.member(manifestName, crc32.ChecksumIEEE(text.Bytes()), text.Bytes())
		for _, n := range names {
			z.member(n, crc32.ChecksumIEEE(h), h)
		}
		z.close()
		return out.Bytes()
	}
	if _, err := Decode(manifestFor("a.npy", "b.npy"), "x.glsnn", "k", 1); err != nil {
		t.Fatal(err)
	}
	for _, names := range [][]string{{"a.npy", "a.npy"}, {"a"}, {"../a.npy"}, {"/a.npy"}, {".npy"}, {"a.npy.npy"}, {"a//b.npy"}, {"ä.npy"}, {"a\\b.npy"}, {"manifest.json"}} {
		_, err := Decode(manifestFor(names...), "x.glsnn", "k", 1)
		wantCorrupt(t, fmt.Sprint(names), err)
	}
}

func TestOtherArchives(t *testing.T) {
	build := func(method uint16, names ...string) []byte {
		var out bytes.Buffer
		w := zip.NewWriter(&out)
		for _, n := range names {
			f, err := w.CreateHeader(&zip.FileHeader{Name: n, Method: method})
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(f, "{}")
		}
		w.Close()
		return out.Bytes()
	}
	for _, c := range []struct {
		name, want string
		data       []byte
	}{
		{"empty", `x: first bytes: got "", want "PK\x03\x04", a glsnn bundle`, nil},
		{"no zip", `x: first bytes: got "\x93NUM", want "PK\x03\x04", a glsnn bundle`, []byte("\x93NUMPY")},
		{"empty zip", `x: first bytes: got "PK\x05\x06", want "PK\x03\x04", a glsnn bundle`, build(zip.Store)},
		{"npz", `x: first member: got "arr_0.npy", want "manifest.json", a glsnn bundle`, build(zip.Store, "arr_0.npy")},
		{"compressed", `x: member "manifest.json": compression method: got 8, want 0 (stored)`, build(zip.Deflate, manifestName)},
		{"data descriptor", `x: member "manifest.json": flags: got 0x8, want 0`, build(zip.Store, manifestName)},
	} {
		_, err := Decode(c.data, "x", "", 0)
		wantCorrupt(t, c.name, err)
		if err != nil && err.Error() != c.want {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
}

// Whatever lengths a file claims, decoding allocates a small multiple of its size.
func TestAllocationIsBounded(t *testing.T) {
	manifestOf := func(text string) []byte {
		var out bytes.Buffer
		z := zipWriter{w: &out}
		z.member(manifestName, crc32.ChecksumIEEE([]byte(text)), []byte(text))
		z.close()
		return out.Bytes()
	}
	head := `{"format":"glsnn","kind":"k","version":1,"members":`
	const n = 200_000
	emptyMembers := func() []byte {
		var out bytes.Buffer
		z := zipWriter{w: &out}
		text := head + `[` + strings.Repeat("{},", 59_999) + `{}],"body":{}}`
		z.member(manifestName, crc32.ChecksumIEEE([]byte(text)), []byte(text))
		for range 60_000 {
			z.member("a", 0)
		}
		z.close()
		return out.Bytes()
	}()
	for name, data := range map[string][]byte{
		"deep body":       manifestOf(head + `[],"body_sha256":"` + Hash([]byte(strings.Repeat(`{"":`, 9000)+`0`+strings.Repeat(`}`, 9000))) + `","body":` + strings.Repeat(`{"":`, 9000) + `0` + strings.Repeat(`}`, 9000) + `}`),
		"listed members":  manifestOf(head + `[` + strings.Repeat("{},", n) + `{}],"body":{}}`),
		"long shape":      manifestOf(head + `[{"shape":[` + strings.Repeat("1,", n) + `1]}],"body":{}}`),
		"many containers": manifestOf(head + `[],"body":{"x":[` + strings.Repeat("[],", n) + `[]]}}`),
		"empty members":   emptyMembers,
		"npy dimensions": rezip(t, mustMarshal(t, small()), func(name string, c []byte) []byte {
			return bytes.Replace(c, []byte("(2, 3), }                 "), []byte("(2147483647,2147483647), }"), 1)
		}),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Decode(data, "x.glsnn", "", 0)
		runtime.ReadMemStats(&after)
		wantCorrupt(t, name, err)
		if got, limit := after.TotalAlloc-before.TotalAlloc, uint64(32*len(data)+1<<18); got > limit {
			t.Errorf("%s: %d bytes of input: allocated %d, want at most %d", name, len(data), got, limit)
		}
	}
}

func TestFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "network.glsnn")
	if err := WriteFile(path, small()); err != nil {
		t.Fatal(err)
	}
	b, err := ReadFile(path, "network", 1)
	if err != nil {
		t.Fatal(err)
	}
	sum, size, err := HashFile(path)
	if err != nil || sum != goldenSHA256 || b.SHA256 != sum || size != int64(len(mustMarshal(t, small()))) || b.File != path {
		t.Errorf("got %s (%d bytes) and %s of %s, %v", sum, size, b.SHA256, b.File, err)
	}
	if err := WriteFile(path, Bundle{Kind: "k"}); err == nil || err.Error() != path+": write: version: got 0, want 1 or more" {
		t.Errorf("got %v", err)
	}
	if _, err := ReadFile(path, "network", 1); err != nil {
		t.Errorf("a failed WriteFile changed the file: %v", err)
	}
	_, err = ReadFile(filepath.Dir(path), "network", 1)
	wantCorrupt(t, "directory", err)
	_, err = ReadFile(path+".no", "network", 1)
	if !errors.Is(err, os.ErrNotExist) || strings.Count(err.Error(), path) != 1 {
		t.Errorf("got %v", err)
	}
	if _, _, err := HashFile(path + ".no"); !errors.Is(err, os.ErrNotExist) || strings.Count(err.Error(), path) != 1 {
		t.Errorf("got %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(mustMarshal(f, small()))
	f.Add(mustMarshal(f, Bundle{Kind: "k", Version: 3}))
	f.Add(mustMarshal(f, Bundle{Kind: "k", Version: 1, Arrays: []Array{{Name: "scalar", DType: Int8, raw: []byte{1}}}}))
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := Decode(data, "x.glsnn", "", 0)
		if err != nil {
			if strings.Contains(err.Error(), "\n") || !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrVersion) {
				t.Fatalf("error %q", err)
			}
			return
		}
		again, err := Marshal(*b)
		if err != nil || !bytes.Equal(again, data) {
			t.Fatalf("accepted, but encodes otherwise (%v)", err)
		}
	})
}

// FuzzManifest gives the fuzzer a way past the CRC: text becomes the manifest of a bundle.
func FuzzManifest(f *testing.F) {
	entries, err := readZip("x", mustMarshal(f, Bundle{Kind: "k", Version: 3, Body: json.RawMessage(`{"a":[1,"]",[]],"b":{}}`)}), false)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(entries[0].data)
	f.Fuzz(func(t *testing.T, text []byte) {
		var out bytes.Buffer
		z := zipWriter{w: &out}
		z.member(manifestName, crc32.ChecksumIEEE(text), text)
		z.close()
		b, err := Decode(out.Bytes(), "x.glsnn", "", 0)
		if err != nil {
			if strings.Contains(err.Error(), "\n") || !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrVersion) {
				t.Fatalf("error %q", err)
			}
			return
		}
		again, err := Marshal(*b)
		if err != nil || !bytes.Equal(again, out.Bytes()) {
			t.Fatalf("accepted, but encodes otherwise (%v)", err)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	data := mustMarshal(b, Bundle{Kind: "k", Version: 1, Arrays: []Array{NewArray("w", make([]float32, 1<<20))}})
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(data, "x.glsnn", "k", 1); err != nil {
			b.Fatal(err)
		}
	}
}
