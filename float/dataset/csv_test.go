package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// csvLine is a line whose pixel k is k%17.
func csvLine(label int) string {
	var b strings.Builder
	for k := range 64 {
		fmt.Fprintf(&b, "%d,", k%17)
	}
	return b.String() + fmt.Sprint(label)
}

func TestReadOptdigits(t *testing.T) {
	text := csvLine(3) + "\n" + csvLine(9) + "\r\n" + csvLine(0)
	for name, file := range map[string][]byte{"plain": []byte(text), "gzip": zipped(t, []byte(text+"\n"))} {
		s, err := ReadOptdigits(bytes.NewReader(file), name)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(); err != nil {
			t.Error(err)
		}
		if !bytes.Equal(s.Labels, []byte{3, 9, 0}) || s.Rows != 8 || s.Cols != 8 || s.Classes != 10 {
			t.Errorf("%s: got labels %v, %d x %d", name, s.Labels, s.Rows, s.Cols)
		}
		// v*255/16 rounded half up: 15.9, 31.9, 47.8, 63.75, 79.7, 95.6, 111.6, 127.5 ...
		want := []byte{0, 16, 32, 48, 64, 80, 96, 112, 128, 143, 159, 175, 191, 207, 223, 239, 255, 0}
		if got := s.Image(1)[:18]; !bytes.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}

func TestBadOptdigits(t *testing.T) {
	good := csvLine(3)
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "f: lines: got 0, want at least 1"},
		{"short", "1,2,3\n", "f:1: fields: got 3, want 65"},
		{"blank line", good + "\n\n" + good, "f:2: fields: got 1, want 65"},
		{"long", good + "\n" + good + ",1\n", "f:2: fields: got 66, want 65"},
		{"pixel too large", strings.Replace(good, "0,1,2", "0,1,17", 1), `f:1: pixel 2: got "17", want 0..16`},
		{"pixel negative", "-1" + good[1:], `f:1: pixel 0: got "-1", want 0..16`},
		{"pixel not a number", "x" + good[1:], `f:1: pixel 0: got "x", want 0..16`},
		{"pixel empty", good[1:], `f:1: pixel 0: got "", want 0..16`},
		{"pixel overflow", "99999999999999999999" + good[1:], `f:1: pixel 0: got "99999999999999999999", want 0..16`},
		{"label", good + "\n" + csvLine(10), `f:2: label: got "10", want 0..9`},
		{"control bytes", "\n", "f:1: fields: got 1, want 65"},
		{"endless line", strings.Repeat("1", 2000), "f:1: length: got 2000 bytes, want at most 1000"},
		{"too large", strings.Repeat(good+"\n", 1<<24/len(good)), "f: size: got more than 16777216 bytes, want at most 16777216"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ReadOptdigits(strings.NewReader(c.text), "f")
			checkError(t, err, c.want)
			var fe *FieldError
			if !errors.As(err, &fe) {
				t.Errorf("got %T, want a *FieldError", err)
			}
		})
	}
	_, err := ReadOptdigits(bytes.NewReader(cut(zipped(t, []byte(good)), 2)), "f")
	checkError(t, err, "f: gzip: got a truncated stream, want a complete gzip stream")
	_, err = ReadOptdigits(bytes.NewReader(join(zipped(t, []byte(good)), []byte("x"))), "f")
	checkError(t, err, "f: gzip: got bytes after the stream, want end of file")
}

func FuzzReadOptdigits(f *testing.F) {
	for _, seed := range []string{"", csvLine(3), csvLine(3) + "\n" + csvLine(4) + "\n", csvLine(10), "1,2\n"} {
		f.Add([]byte(seed))
		f.Add(zipped(f, []byte(seed)))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		s, err := ReadOptdigits(bytes.NewReader(file), "f")
		if err != nil {
			oneLine(t, err)
			return
		}
		if err := s.Validate(); err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		for i, l := range s.Labels {
			for _, p := range s.Image(i) {
				fmt.Fprintf(&b, "%d,", (int(p)*16+127)/255)
			}
			fmt.Fprintln(&b, l)
		}
		again, err := ReadOptdigits(&b, "f")
		if err != nil || again.Hash() != s.Hash() {
			t.Errorf("came back different: %v", err)
		}
	})
}
