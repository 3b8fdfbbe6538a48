package dataset

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func words(v ...uint32) []byte {
	var b []byte
	for _, w := range v {
		b = binary.BigEndian.AppendUint32(b, w)
	}
	return b
}

func zipped(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func join(parts ...[]byte) []byte { return slices.Concat(parts...) }

func cut(b []byte, n int) []byte { return b[:len(b)-n] }

func flip(b []byte, at int) []byte {
	b = slices.Clone(b)
	if at < 0 {
		at += len(b)
	}
	b[at] ^= 0x55
	return b
}

func TestReadImages(t *testing.T) {
	pixels := []byte("abcdefghijkl")
	good := join(words(0x803, 2, 3, 2), pixels)
	for name, file := range map[string][]byte{"plain": good, "gzip": zipped(t, good)} {
		for _, r := range []io.Reader{bytes.NewReader(file), iotest.OneByteReader(bytes.NewReader(file)), iotest.DataErrReader(bytes.NewReader(file))} {
			rows, cols, got, err := ReadImages(r, name)
			if err != nil || rows != 3 || cols != 2 || !bytes.Equal(got, pixels) {
				t.Errorf("%s: got %d x %d, %q, %v", name, rows, cols, got, err)
			}
		}
	}
}

// TestBadIDX lists every way a file can be wrong, with the whole message.
func TestBadIDX(t *testing.T) {
	images := join(words(0x803, 2, 3, 2), []byte("abcdefghijkl"))
	labels := join(words(0x801, 3), []byte{0, 9, 1})
	zimages, zlabels := zipped(t, images), zipped(t, labels)
	const f = "f.gz: "
	for _, c := range []struct {
		name   string
		file   []byte
		labels bool
		want   string
		kind   error
	}{
		{"empty", nil, false, "magic: got 0 bytes, want 4", ErrTruncated},
		{"short magic", images[:3], false, "magic: got 3 bytes, want 4", ErrTruncated},
		{"labels for images", labels, false, "magic: got 0x00000801, want 0x00000803 (IDX images)", nil},
		{"no count", images[:4], false, "count: got 0 bytes, want 4", ErrTruncated},
		{"no rows", images[:9], false, "rows: got 1 bytes, want 4", ErrTruncated},
		{"no cols", images[:14], false, "cols: got 2 bytes, want 4", ErrTruncated},
		{"no pixels", images[:16], false, "pixels: got 0 bytes, want 12 (2 x 3 x 2)", ErrTruncated},
		{"short pixels", cut(images, 1), false, "pixels: got 11 bytes, want 12 (2 x 3 x 2)", ErrTruncated},
		{"trailing", join(images, []byte{0}), false, "pixels: got trailing bytes, want 12 (2 x 3 x 2)", nil},
		{"zero count", words(0x803, 0, 3, 2), false, "count: got 0, want 1..1073741824", nil},
		{"zero rows", words(0x803, 1, 0, 2), false, "rows: got 0, want 1..4096", nil},
		{"zero cols", words(0x803, 1, 3, 0), false, "cols: got 0, want 1..4096", nil},
		{"huge count", words(0x803, 0xffffffff, 3, 2), false, "count: got 4294967295, want 1..1073741824", nil},
		{"huge rows", words(0x803, 1, 0xffffffff, 2), false, "rows: got 4294967295, want 1..4096", nil},
		{"huge cols", words(0x803, 1, 3, 4097), false, "cols: got 4097, want 1..4096", nil},
		{"overflow", words(0x803, 1<<30, 1<<12, 1<<12), false, "size: got 18014398509481984 bytes (1073741824 x 4096 x 4096), want at most 1073741824", nil},
		{"above the cap", words(0x803, 65, 1<<12, 1<<12), false, "size: got 1090519040 bytes (65 x 4096 x 4096), want at most 1073741824", nil},
		{"lying header", words(0x803, 1<<14, 1<<8, 1<<8), false, "pixels: got 0 bytes, want 1073741824 (16384 x 256 x 256)", ErrTruncated},

		{"gzip magic only", zimages[:2], false, "gzip: got a truncated stream, want a complete gzip stream", ErrTruncated},
		{"gzip cut in the header", zimages[:7], false, "gzip: got a truncated stream, want a complete gzip stream", ErrTruncated},
		{"gzip cut in the data", zimages[:20], false, "gzip: got a truncated stream, want a complete gzip stream", ErrTruncated},
		{"gzip cut in the checksum", cut(zimages, 5), false, "gzip: got a truncated stream, want a complete gzip stream", ErrTruncated},
		{"gzip bad method", flip(zimages, 2), false, "gzip: got an invalid header, want a complete gzip stream", nil},
		{"gzip bad block", flip(zimages, 10), false, "gzip: got corrupt data before byte 1, want a complete gzip stream", nil},
		{"gzip bad checksum", flip(zimages, -5), false, "gzip: got a wrong checksum, want a complete gzip stream", ErrChecksum},
		{"gzip trailing byte", join(zimages, []byte{0}), false, "gzip: got bytes after the stream, want end of file", nil},
		{"gzip second stream", join(zimages, zimages), false, "gzip: got bytes after the stream, want end of file", nil},
		{"gzip trailing inside", zipped(t, join(images, []byte{0})), false, "pixels: got trailing bytes, want 12 (2 x 3 x 2)", nil},
		{"gzip short inside", zipped(t, cut(images, 2)), false, "pixels: got 10 bytes, want 12 (2 x 3 x 2)", ErrTruncated},
		{"gzip wrong magic", zlabels, false, "magic: got 0x00000801, want 0x00000803 (IDX images)", nil},
		{"gzip of nothing", zipped(t, nil), false, "magic: got 0 bytes, want 4", ErrTruncated},

		{"images for labels", images, true, "magic: got 0x00000803, want 0x00000801 (IDX labels)", nil},
		{"labels: no count", labels[:7], true, "count: got 3 bytes, want 4", ErrTruncated},
		{"labels: zero count", words(0x801, 0), true, "count: got 0, want 1..1073741824", nil},
		{"labels: huge count", words(0x801, 0x80000000), true, "count: got 2147483648, want 1..1073741824", nil},
		{"labels: short", cut(labels, 1), true, "labels: got 2 bytes, want 3", ErrTruncated},
		{"labels: trailing", join(labels, []byte{0}), true, "labels: got trailing bytes, want 3", nil},
		{"labels: out of range", flip(labels, -1), true, "label 2: got 84, want 0..9", nil},
		{"labels: gzip cut", cut(zlabels, 1), true, "gzip: got a truncated stream, want a complete gzip stream", ErrTruncated},
	} {
		t.Run(c.name, func(t *testing.T) {
			var err error
			if c.labels {
				_, err = ReadLabels(bytes.NewReader(c.file), "f.gz", 10)
			} else {
				_, _, _, err = ReadImages(bytes.NewReader(c.file), "f.gz")
			}
			checkError(t, err, f+c.want)
			var fe *FieldError
			if !errors.As(err, &fe) {
				t.Fatalf("got %T, want a *FieldError", err)
			}
			if fe.Err != c.kind {
				t.Errorf("kind: got %v, want %v", fe.Err, c.kind)
			}
		})
	}
}

func TestReadLabelsClasses(t *testing.T) {
	file := join(words(0x801, 2), []byte{255, 0})
	if got, err := ReadLabels(bytes.NewReader(file), "f", 256); err != nil || !bytes.Equal(got, []byte{255, 0}) {
		t.Errorf("got %v, %v", got, err)
	}
	_, err := ReadLabels(bytes.NewReader(file), "f", 0)
	checkError(t, err, "f: classes: got 0, want 1..256")
	_, err = ReadLabels(bytes.NewReader(file), "f", 257)
	checkError(t, err, "f: classes: got 257, want 1..256")
}

func TestReadError(t *testing.T) {
	disk := errors.New("disk on fire")
	whole := join(words(0x803, 1, 1, 4), []byte("abcd"))
	for _, file := range [][]byte{whole, zipped(t, whole)} {
		r := io.MultiReader(bytes.NewReader(cut(file, 2)), iotest.ErrReader(disk))
		_, _, _, err := ReadImages(r, "f")
		checkError(t, err, "f: read: disk on fire")
		if !errors.Is(err, disk) {
			t.Error("the cause must be kept")
		}
	}
}

// zeros is an endless file of zero bytes that counts what is taken from it.
type zeros struct{ taken int }

func (z *zeros) Read(p []byte) (int, error) {
	clear(p)
	z.taken += len(p)
	return len(p), nil
}

func TestNeverReadsOn(t *testing.T) {
	var z zeros
	_, _, _, err := ReadImages(io.MultiReader(bytes.NewReader(words(0x803, 1, 10, 10)), &z), "f")
	checkError(t, err, "f: pixels: got trailing bytes, want 100 (1 x 10 x 10)")
	if z.taken > 1<<16 {
		t.Errorf("took %d bytes of an endless file", z.taken)
	}

	// A gzip bomb: 64 MiB of zeros behind a header that declares 100.
	bomb := zipped(t, join(words(0x803, 1, 10, 10), make([]byte, 64<<20)))
	r := bytes.NewReader(bomb)
	_, _, _, err = ReadImages(r, "f")
	checkError(t, err, "f: pixels: got trailing bytes, want 100 (1 x 10 x 10)")
	if taken := len(bomb) - r.Len(); taken > 1<<15 {
		t.Errorf("took %d of %d compressed bytes", taken, len(bomb))
	}
}

func TestMemoryFollowsData(t *testing.T) {
	file := join(words(0x803, 1<<14, 1<<8, 1<<8), make([]byte, 1<<17)) // declares 1 GiB, has 128 KiB
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _, _, err := ReadImages(bytes.NewReader(file), "f")
	runtime.ReadMemStats(&after)
	checkError(t, err, "f: pixels: got 131072 bytes, want 1073741824 (16384 x 256 x 256)")
	if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
		t.Errorf("allocated %d bytes for a file of %d", got, len(file))
	}
}

func TestWriteIDX(t *testing.T) {
	s := randomSet(7, 3, 5, 10, 9)
	var b bytes.Buffer
	if err := WriteImages(&b, 3, 5, s.Pixels); err != nil {
		t.Fatal(err)
	}
	rows, cols, pixels, err := ReadImages(&b, "f")
	if err != nil || rows != 3 || cols != 5 || !bytes.Equal(pixels, s.Pixels) {
		t.Errorf("got %d x %d, %v", rows, cols, err)
	}
	if err := WriteLabels(&b, s.Labels); err != nil {
		t.Fatal(err)
	}
	labels, err := ReadLabels(&b, "f", 10)
	if err != nil || !bytes.Equal(labels, s.Labels) {
		t.Errorf("got %v, %v", labels, err)
	}

	b.Reset()
	checkError(t, WriteImages(&b, 0, 5, s.Pixels), "write IDX images: rows x cols: got 0 x 5, want each 1..4096")
	checkError(t, WriteImages(&b, 3, 4097, s.Pixels), "write IDX images: rows x cols: got 3 x 4097, want each 1..4096")
	checkError(t, WriteImages(&b, 3, 4, s.Pixels), "write IDX images: pixels: got 105 bytes, want a multiple of 12 up to 1073741824")
	checkError(t, WriteImages(&b, 3, 4, nil), "write IDX images: pixels: got 0 bytes, want a multiple of 12 up to 1073741824")
	checkError(t, WriteLabels(&b, nil), "write IDX labels: labels: got 0, want 1..1073741824")
	if b.Len() > 0 {
		t.Errorf("refused, but wrote %d bytes", b.Len())
	}
}

func oneLine(t *testing.T, err error) {
	t.Helper()
	if strings.ContainsAny(err.Error(), "\n\r") || !strings.HasPrefix(err.Error(), "f:") {
		t.Errorf("message: got %q, want one line that begins with the file", err)
	}
}

func FuzzReadImages(f *testing.F) {
	good := join(words(0x803, 2, 3, 2), []byte("abcdefghijkl"))
	for _, seed := range [][]byte{nil, good, zipped(f, good), cut(good, 1), words(0x803, 1<<30, 1<<12, 1<<12), cut(zipped(f, good), 3), words(0x801, 1, 0)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		rows, cols, pixels, err := ReadImages(bytes.NewReader(file), "f")
		if err != nil {
			oneLine(t, err)
			return
		}
		var b bytes.Buffer
		if err := WriteImages(&b, rows, cols, pixels); err != nil {
			t.Fatal(err)
		}
		if file[0] == 0 && !bytes.Equal(b.Bytes(), file) {
			t.Error("a plain file must come back byte by byte")
		}
		rows2, cols2, pixels2, err := ReadImages(&b, "f")
		if err != nil || rows2 != rows || cols2 != cols || !bytes.Equal(pixels, pixels2) {
			t.Errorf("came back as %d x %d, %v", rows2, cols2, err)
		}
	})
}

func FuzzReadLabels(f *testing.F) {
	good := join(words(0x801, 4), []byte{0, 9, 1, 3})
	for _, seed := range [][]byte{nil, good, zipped(f, good), cut(good, 1), words(0x801, 1<<31), cut(zipped(f, good), 3), words(0x803, 1, 1, 1)} {
		f.Add(seed, 10)
	}
	f.Add(good, 3)
	f.Fuzz(func(t *testing.T, file []byte, classes int) {
		labels, err := ReadLabels(bytes.NewReader(file), "f", classes)
		if err != nil {
			oneLine(t, err)
			return
		}
		for _, l := range labels {
			if int(l) >= classes {
				t.Errorf("accepted label %d of %d classes", l, classes)
			}
		}
		var b bytes.Buffer
		if err := WriteLabels(&b, labels); err != nil {
			t.Fatal(err)
		}
		labels2, err := ReadLabels(&b, "f", classes)
		if err != nil || !bytes.Equal(labels, labels2) {
			t.Errorf("came back with %v", err)
		}
	})
}
