package artefact

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
)

// TestMapFile: a mapped file is a file that is read, before and after it is
// forgotten, and a damage is found in both.
func TestMapFile(t *testing.T) {
	values := make([]int8, 100*700)
	for i := range values {
		values[i] = int8(i * 7)
	}
	wide := []int32{1, -2, 3}
	path := filepath.Join(t.TempDir(), "m")
	if err := WriteFile(path, Bundle{Kind: "k", Version: 1, Arrays: []Array{NewArray("a", values, 100, 700), NewArray("b", wide)}}); err != nil {
		t.Fatal(err)
	}
	read, err := ReadFile(path, "k", 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, from := range []int64{1, 1 << 40} {
		b, err := openFile(path, "k", 1, from)
		if err != nil {
			t.Fatal(err)
		}
		if b.SHA256 != read.SHA256 || !bytes.Equal(b.Body, read.Body) || !reflect.DeepEqual(b.Arrays[0].Shape, []int{100, 700}) {
			t.Errorf("mapped from %d: got %v, want %v", from, b, read)
		}
		got, err := b.Arrays[0].Int8s()
		if err != nil {
			t.Fatal(err)
		}
		b.Arrays[0].Forget(3, len(values)-5)
		b.Arrays[1].Forget(1, 1)
		if !slices.Equal(got, values) {
			t.Errorf("mapped from %d: other values", from)
		}
		if _, err := b.Arrays[1].Int8s(); !errors.Is(err, ErrCorrupt) {
			t.Errorf("int32 as int8: got %v", err)
		}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 4
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := openFile(path, "k", 1, 1); !errors.Is(err, ErrCorrupt) {
		t.Errorf("damaged: got %v", err)
	}
}
