package artefact

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"
)

// The header as numpy.save wrote it (NumPy 1.24) for numpy.arange(6, dtype='<i2').reshape(2, 3), but
// for NumPy's choice of padding, which is the same here.
func TestNPYBytes(t *testing.T) {
	want := "\x93NUMPY\x01\x00\x76\x00{'descr': '<i2', 'fortran_order': False, 'shape': (2, 3), }"
	want += strings.Repeat(" ", 127-len(want)) + "\n" + "\x00\x00\x01\x00\x02\x00\x03\x00\x04\x00\x05\x00"
	var got bytes.Buffer
	if err := EncodeNPY(&got, NewArray("x", []int16{0, 1, 2, 3, 4, 5}, 2, 3)); err != nil {
		t.Fatal(err)
	}
	if got.String() != want {
		t.Errorf("got\n%q, want\n%q", got.String(), want)
	}
}

func TestNPYHeaderIsAligned(t *testing.T) {
	shape := []int{}
	for range maxRank + 1 {
		h := npyHeader(Float64, shape)
		if len(h)%64 != 0 || h[len(h)-1] != '\n' {
			t.Errorf("rank %d: header of %d bytes ends in %q", len(shape), len(h), h[len(h)-1])
		}
		shape = append(shape, maxDim)
	}
}

func npyFile(dict, data string) []byte {
	return []byte(npyMagic + "\x01\x00" + string([]byte{byte(len(dict)), byte(len(dict) >> 8)}) + dict + data)
}

func TestDecodeNPYAcceptsOtherWriters(t *testing.T) {
	for _, dict := range []string{
		"{'descr': '<i2', 'fortran_order': False, 'shape': (2,), }   \n",
		"{'shape':(2,),'fortran_order':False,'descr':'<i2'}",
		`{"descr": "<i2", "fortran_order": False, "shape": ( 2 , )}` + "\n",
	} {
		a, err := DecodeNPY(npyFile(dict, "\x01\x00\xff\xff"), "in/w.npy")
		if err != nil {
			t.Errorf("%s: %v", dict, err)
			continue
		}
		v, err := Values[int16](a)
		if err != nil || a.Name != "w" || len(v) != 2 || v[0] != 1 || v[1] != -1 {
			t.Errorf("%s: got %q %v, %v", dict, a.Name, v, err)
		}
	}
}

func TestDecodeNPYRefuses(t *testing.T) {
	dict := func(s string) []byte { return npyFile(s+"\n", "\x01\x00\xff\xff") }
	for _, c := range []struct {
		name, want string
		data       []byte
	}{
		{"empty", "w.npy: npy size: got 0 bytes, want at least 10 bytes", nil},
		{"magic", `w.npy: npy magic: got "\x93NUMPX", want "\x93NUMPY"`, []byte("\x93NUMPX\x01\x00\x00\x00")},
		{"version", "w.npy: npy version: got 2.0, want 1.0", []byte("\x93NUMPY\x02\x00\x00\x00")},
		{"header cut", "w.npy: npy header: got 0 bytes, want 65535 bytes", []byte("\x93NUMPY\x01\x00\xff\xff")},
		{"Fortran order", "w.npy: npy fortran_order: got True, want False (save numpy.ascontiguousarray(x))",
			dict("{'descr': '<i2', 'fortran_order': True, 'shape': (2, 1), }")},
		{"big-endian", `w.npy: npy descr: got ">i2", want |i1 |u1 <i2 <u2 <i4 <u4 <i8 <u8 <f4 or <f8`,
			dict("{'descr': '>i2', 'fortran_order': False, 'shape': (2,), }")},
		{"structured", `w.npy: npy descr: got "", want |i1 |u1 <i2 <u2 <i4 <u4 <i8 <u8 <f4 or <f8`,
			dict("{'descr': [('a', '<i2')], 'fortran_order': False, 'shape': (2,), }")},
		{"negative", `w.npy: npy shape: got "-2", want a tuple of at most 32 dimensions, each 0..2147483647`,
			dict("{'descr': '<i2', 'fortran_order': False, 'shape': (-2,-1), }")},
		{"huge", `w.npy: npy shape: got "99999999999999999999", want a tuple of at most 32 dimensions, each 0..2147483647`,
			dict("{'descr': '<i2', 'fortran_order': False, 'shape': (99999999999999999999,), }")},
		{"no tuple", `w.npy: npy shape: got ")}", want a tuple of at most 32 dimensions, each 0..2147483647`,
			dict("{'descr': '<i2', 'fortran_order': False, 'shape': (2)}")},
		{"overflow", "w.npy: npy shape: got (2147483647, 2147483647, 2147483647), want at most 32 dimensions, each 0..2147483647, and less than 4 GiB",
			dict("{'descr': '<i2', 'fortran_order': False, 'shape': (2147483647,2147483647,2147483647)}")},
		{"overflow hidden by 0", "w.npy: npy shape: got (0, 2147483647, 2147483647), want at most 32 dimensions, each 0..2147483647, and less than 4 GiB",
			dict("{'descr': '<i2', 'fortran_order': False, 'shape': (0,2147483647,2147483647)}")},
		{"product wraps to 2", "w.npy: npy shape: got (65536, 65536, 65536, 65536, 2), want at most 32 dimensions, each 0..2147483647, and less than 4 GiB",
			dict("{'descr': '<i2', 'fortran_order': False, 'shape': (65536, 65536, 65536, 65536, 2)}")},
		{"rank", `w.npy: npy shape: got more than 32 dimensions, want a tuple of at most 32 dimensions, each 0..2147483647`,
			dict("{'descr': '<i2', 'fortran_order': False, 'shape': (" + strings.Repeat("1,", 33) + ")}")},
		{"data short", "w.npy: npy data: got 4 bytes, want 6 bytes for int16 (3,)",
			dict("{'descr': '<i2', 'fortran_order': False, 'shape': (3,), }")},
		{"data long", "w.npy: npy data: got 4 bytes, want 2 bytes for int16 ()",
			dict("{'descr': '<i2', 'fortran_order': False, 'shape': (), }")},
		{"key twice", "", dict("{'descr': '<i2', 'descr': '<i2', 'fortran_order': False, 'shape': (2,), }")},
		{"key missing", "", dict("{'descr': '<i2', 'shape': (2,), }")},
		{"key unknown", "", dict("{'descr': '<i2', 'fortran_order': False, 'shape': (2,), 'x': 1}")},
		{"no end", "", dict("{'descr': '<i2', 'fortran_order': False, 'shape': (2,), ")},
		{"after the end", "", dict("{'descr': '<i2', 'fortran_order': False, 'shape': (2,), } x")},
		{"no comma", "", dict("{'descr': '<i2' 'fortran_order': False, 'shape': (2,), }")},
		{"newlines", "", dict("{\n\n}")},
	} {
		_, err := DecodeNPY(c.data, "w.npy")
		if !errors.Is(err, ErrCorrupt) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want one line of ErrCorrupt", c.name, err)
		} else if c.want != "" && err.Error() != c.want {
			t.Errorf("%s: got\n%v, want\n%s", c.name, err, c.want)
		}
	}
}

func TestNewArrayCopies(t *testing.T) {
	data, shape := []int32{1, 2}, []int{2, 1}
	a := NewArray("x", data, shape...)
	data[0], shape[0] = 9, 9
	v, err := Values[int32](a)
	if err != nil || v[0] != 1 || a.Shape[0] != 2 {
		t.Fatalf("got %v of shape %v, %v", v, a.Shape, err)
	}
	v[1] = 7
	if w, _ := Values[int32](a); w[1] != 2 {
		t.Error("Values aliases the array")
	}
}

func TestNewArrayPanicsOnShape(t *testing.T) {
	for _, shape := range [][]int{{3}, {2, 2}, {-2}, {-1, -2}, {0}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("shape %v of 2 elements: no panic", shape)
				}
			}()
			NewArray("x", []int8{1, 2}, shape...)
		}()
	}
}

func TestCheckFinite(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(-1)
	for _, c := range []struct {
		a    Array
		want string
	}{
		{NewArray("w", []float32{1, 2}), ""},
		{NewArray("w", []float64{}), ""},
		{NewArray("w", []uint64{math.MaxUint64}), ""},
		{NewArray("layer0/weights", []float32{1, float32(nan), float32(inf)}),
			"network.glsnn: layer0/weights[1]: got NaN, want a finite number"},
		{NewArray("w", []float64{1, inf, nan}, 3, 1), "network.glsnn: w[1]: got -Inf, want a finite number"},
		{NewArray("w", []float64{math.MaxFloat64, math.Inf(1)}), "network.glsnn: w[1]: got +Inf, want a finite number"},
	} {
		err := CheckFinite("network.glsnn", c.a)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("got %v, want nil", err)
		case c.want != "" && (!errors.Is(err, ErrNonFinite) || err.Error() != c.want):
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

func FuzzDecodeNPY(f *testing.F) {
	for _, a := range []Array{NewArray("x", []int16{1, 2}), NewArray("x", []float32{}, 0, 3), {Name: "x", DType: Int8, raw: []byte{1}}} {
		var b bytes.Buffer
		if err := EncodeNPY(&b, a); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Add(npyFile(`{"shape":(2,),"fortran_order":False,"descr":"<i2"}`, "\x01\x00\xff\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := DecodeNPY(data, "x.npy")
		if err != nil {
			if !errors.Is(err, ErrCorrupt) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("error %q", err)
			}
			return
		}
		var b bytes.Buffer
		if err := EncodeNPY(&b, a); err != nil {
			t.Fatal(err)
		}
		c, err := DecodeNPY(b.Bytes(), "x.npy")
		if err != nil || c.DType != a.DType || tuple(c.Shape) != tuple(a.Shape) || !bytes.Equal(a.raw, c.raw) {
			t.Fatalf("there and back: got %v, %v, want %v", c, err, a)
		}
	})
}
