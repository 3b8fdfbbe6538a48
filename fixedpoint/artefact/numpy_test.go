package artefact

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// python returns an interpreter that has NumPy.
func python(t *testing.T) string {
	t.Helper()
	for _, p := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(p, "-c", "import numpy").Run() == nil {
			return p
		}
	}
	t.Skip("no python3 with numpy here; Debian: apt-get install python3-numpy")
	return ""
}

const numpyScript = `
import json, sys, zipfile, numpy as np
path, folder = sys.argv[1:]
z = np.load(path)
m = json.loads(z["manifest.json"])
assert zipfile.ZipFile(path).testzip() is None
assert [k + ".npy" for k in z.files if k != "manifest.json"] == [x["name"] for x in m["members"]], z.files
for x in m["members"]:
    a = z[x["name"][:-4]]
    assert a.dtype == np.dtype(x["dtype"]) and list(a.shape) == x["shape"] and a.flags.c_contiguous, x
    print(x["name"], a.dtype.str, a.shape, a.tolist())
x = np.arange(6, dtype="<i2").reshape(2, 3)
np.save(folder + "/c.npy", x)
np.save(folder + "/fortran.npy", np.asfortranarray(x))
np.save(folder + "/big.npy", x.astype(">i2"))
np.save(folder + "/scalar.npy", np.float64(0.5))
np.savez(folder + "/other.npz", x=x)
`

// NumPy opens our bundles, and we open what numpy.save writes.
func TestNumPy(t *testing.T) {
	py := python(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "network.glsnn")
	b := small()
	b.Arrays = append(b.Arrays,
		NewArray("u1", []uint8{255}), NewArray("i2", []int16{-32768}), NewArray("u2", []uint16{65535}),
		NewArray("i4", []int32{-1 << 31}), NewArray("u4", []uint32{1<<32 - 1}),
		NewArray("i8", []int64{-1 << 63}), NewArray("u8", []uint64{1<<64 - 1}),
		NewArray("f8", []float64{0.1}, 1, 1), Array{Name: "scalar", DType: Int8, raw: []byte{5}})
	if err := WriteFile(path, b); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(py, "-c", numpyScript, path, dir).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := `layer0/weights.npy <f4 (2, 3) [[1.0, -0.5, 0.25], [0.0, 1.5, 3.0]]
layer0/raw.npy |i1 (2,) [-1, 2]
empty.npy <u8 (0, 4) []
u1.npy |u1 (1,) [255]
i2.npy <i2 (1,) [-32768]
u2.npy <u2 (1,) [65535]
i4.npy <i4 (1,) [-2147483648]
u4.npy <u4 (1,) [4294967295]
i8.npy <i8 (1,) [-9223372036854775808]
u8.npy <u8 (1,) [18446744073709551615]
f8.npy <f8 (1, 1) [[0.1]]
scalar.npy |i1 () 5
`
	if got := strings.ReplaceAll(string(out), "\r\n", "\n"); got != want {
		t.Errorf("NumPy reads\n%s, want\n%s", got, want)
	}

	load := func(name string) (Array, error) {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return DecodeNPY(data, name)
	}
	a, err := load("c.npy")
	v, verr := Values[int16](a)
	if err != nil || verr != nil || tuple(a.Shape) != "(2, 3)" || v[5] != 5 {
		t.Errorf("numpy.save: got %v, %v, %v", a, err, verr)
	}
	if a, err = load("scalar.npy"); err != nil || tuple(a.Shape) != "()" || a.Len() != 1 {
		t.Errorf("scalar: got %v, %v", a, err)
	}
	_, err = load("fortran.npy")
	wantCorrupt(t, "Fortran order", err)
	_, err = load("big.npy")
	wantCorrupt(t, "big-endian", err)
	_, err = ReadFile(filepath.Join(dir, "other.npz"), "", 0)
	wantCorrupt(t, "npz", err)
}
