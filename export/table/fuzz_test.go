package table

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"glsnn/emulator"
	"glsnn/fixedpoint/artefact"
)

// one is a folder of one file, x.
func one(data []byte) folder { return folder{fstest.MapFS{"x": {Data: data}}, "d"} }

// fault checks an error of any parser: one line that names the folder, and
// either a damaged file or a missing one.
func fault(t *testing.T, err error) {
	t.Helper()
	if s := err.Error(); strings.Contains(s, "\n") || !strings.Contains(s, "d") || len(s) > 600 {
		t.Errorf("got the message %q", s)
	}
	if !errors.Is(err, artefact.ErrCorrupt) && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("%v: neither damaged nor missing", err)
	}
}

func golden(f *testing.F, name string) []byte { return files(f, "testdata/tiny")[name].Data }

// object reads data as a T; what is accepted must survive encode and decode.
func object[T any](t *testing.T, data []byte) {
	var got, again T
	if err := one(data).json("x", 1<<20, &got); err != nil {
		fault(t, err)
		return
	}
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	if err := one(text).json("x", 1<<21, &again); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if !reflect.DeepEqual(got, again) {
		t.Errorf("got %+v, then %+v", got, again)
	}
}

func FuzzNetworkJSON(f *testing.F) {
	f.Add(golden(f, "network.json"))
	f.Fuzz(func(t *testing.T, data []byte) { object[networkFile](t, data) })
}

func FuzzCoreJSON(f *testing.F) {
	f.Add(golden(f, "cores/core_0000.json"))
	f.Fuzz(func(t *testing.T, data []byte) { object[coreFile](t, data) })
}

func FuzzManifest(f *testing.F) {
	f.Add(golden(f, "manifest.json"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := readManifest(folder{fstest.MapFS{"manifest.json": {Data: data}}, "d"})
		if (m == nil) != (err != nil) {
			t.Fatalf("got %v, %v", m, err)
		}
		if err != nil {
			if !errors.Is(err, artefact.ErrKind) && !errors.Is(err, artefact.ErrVersion) {
				fault(t, err)
			}
			return
		}
		object[Manifest](t, data)
	})
}

func FuzzRows(f *testing.F) {
	f.Add(golden(f, "routes.csv"), "core,neuron,dest_core,dest_axon")
	f.Add(golden(f, "cores/core_0000.csv"), "axon,n0,n1")
	f.Add([]byte("a\n-9223372036854775808"), "a")
	f.Fuzz(func(t *testing.T, data []byte, header string) {
		n := 0
		err := one(data).rows("x", header, func(line int, r []int64) error {
			if n++; line != n+1 || len(r) != strings.Count(header, ",")+1 {
				t.Errorf("row %d: line %d, %d columns", n, line, len(r))
			}
			return nil
		})
		if err != nil {
			fault(t, err)
		} else if got := strings.Count(strings.TrimSuffix(string(data), "\n"), "\n"); got != n {
			t.Errorf("got %d rows of %d", n, got)
		}
	})
}

func FuzzImage(f *testing.F) {
	f.Add(golden(f, "cores/core_0000.mem"), uint8(3), uint8(2), uint8(3), true)
	f.Add([]byte("7fff\n8000\n"), uint8(2), uint8(1), uint8(16), false)
	f.Fuzz(func(t *testing.T, data []byte, axons, neurons, bits uint8, signed bool) {
		a, n, k := 1+int(axons), 1+int(neurons), 1+int(bits%16)
		w, err := one(data).image("x", a, n, k, signed)
		if err != nil {
			fault(t, err)
			return
		}
		if len(w) != a*n {
			t.Fatalf("got %d weights, want %d x %d", len(w), a, n)
		}
		var b bytes.Buffer // written again and read again
		out := bufio.NewWriter(&b)
		for i := range a {
			row := make([]int64, n)
			for j := range row {
				row[j] = int64(w[i*n+j])
			}
			out.Write(append(packRow(row, k), '\n'))
		}
		out.Flush()
		again, err := one(b.Bytes()).image("x", a, n, k, signed)
		if err != nil || !slices.Equal(again, w) {
			t.Errorf("got %v, then %v, %v", w, again, err)
		}
	})
}

// FuzzFolder reads whole folders: the files of testdata/tiny, in the order of
// names. What is accepted runs.
func FuzzFolder(f *testing.F) {
	names := []string{
		"network.json", "inputs.csv", "routes.csv", "cores/core_0000.json", "cores/core_0000.mem", "cores/core_0000.csv",
		"cores/core_0001.json", "cores/core_0001.mem", "cores/core_0001.csv", "cores/core_0003.json", "cores/core_0003.mem", "cores/core_0003.csv",
	}
	b := files(f, "testdata/tiny")
	d := func(i int) []byte { return b[names[i]].Data }
	f.Add(d(0), d(1), d(2), d(3), d(4), d(5), d(6), d(7), d(8), d(9), d(10), d(11))
	f.Fuzz(func(t *testing.T, d0, d1, d2, d3, d4, d5, d6, d7, d8, d9, d10, d11 []byte) {
		fsys := fstest.MapFS{}
		for i, data := range [][]byte{d0, d1, d2, d3, d4, d5, d6, d7, d8, d9, d10, d11} {
			fsys[names[i]] = &fstest.MapFile{Data: data}
		}
		readAndStep(t, fsys)
	})
}

// readAndStep reads a folder; what is accepted runs.
func readAndStep(t *testing.T, fsys fstest.MapFS) {
	m, err := read(folder{fsys, "d"})
	if (m == nil) != (err != nil) {
		t.Fatalf("got %v, %v", m, err)
	}
	if err != nil {
		fault(t, err)
		return
	}
	if m.Ticks > 1000 { // the engine's proof takes a while
		return
	}
	e := emulator.New(m, emulator.Options{})
	e.Reset()
	e.Step([]int32{int32(m.Inputs() - 1)})
}
