package dataset

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// server serves files by path on loopback and counts the requests.
type server struct {
	*httptest.Server
	files map[string][]byte
	hits  []string
}

func serve(t *testing.T, files map[string][]byte) *server {
	t.Helper()
	s := &server{files: files}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.hits = append(s.hits, r.URL.Path)
		data, ok := s.files[strings.TrimPrefix(r.URL.Path, "/")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		if bytes.HasPrefix(data, []byte("CUT")) { // promise more than comes
			w.Header().Set("Content-Length", "1000")
		}
		w.Write(data)
	}))
	t.Cleanup(s.Close)
	return s
}

// smallSet is a public set of two files, and those files plain.
func smallSet(t *testing.T) (publicSet, map[string][]byte) {
	t.Helper()
	plain := map[string][]byte{
		"images": imageFile(randomSet(20, 5, 5, 10, 1)),
		"labels": labelFile(randomSet(20, 5, 5, 10, 1)),
	}
	p := publicSet{folder: "small"}
	for _, name := range []string{"images", "labels"} {
		published, unpacked := sha256.Sum256(zipped(t, plain[name])), md5.Sum(plain[name])
		p.files = append(p.files, publicFile{name, hex.EncodeToString(published[:]), hex.EncodeToString(unpacked[:]), int64(len(plain[name]))})
	}
	return p, plain
}

func listing(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// checkFetched fails unless dir holds the two packed files and nothing else.
func checkFetched(t *testing.T, dir string, plain map[string][]byte) {
	t.Helper()
	if got := listing(t, dir); !slices.Equal(got, []string{"images.gz", "labels.gz"}) {
		t.Errorf("folder: got %v", got)
		return
	}
	for name, want := range plain {
		f, err := os.Open(filepath.Join(dir, name+".gz"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		if _, err := got.ReadFrom(z); err != nil || !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s: other bytes, %v", name, err)
		}
	}
}

// repacked gives the same bytes in another gzip file than zipped.
func repacked(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.NoCompression)
	z.Write(data)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestFetchDownload(t *testing.T) {
	p, plain := smallSet(t)
	dest := filepath.Join(t.TempDir(), "new", "folder")
	s := serve(t, map[string][]byte{"a/images.gz": zipped(t, plain["images"]), "a/labels.gz": repacked(t, plain["labels"])})
	last := map[string][2]int64{}
	opt := FetchOptions{Dest: dest, Mirrors: []string{s.URL + "/a/"}, Client: s.Client(),
		Progress: func(file string, done, total int64) { last[file] = [2]int64{done, total} }}
	if err := p.fetch(context.Background(), "small", opt); err != nil {
		t.Fatal(err)
	}
	checkFetched(t, dest, plain)
	for name := range plain {
		if n := int64(len(s.files["a/"+name+".gz"])); last[name] != [2]int64{n, n} {
			t.Errorf("progress of %s: got %v, want %d of %d", name, last[name], n, n)
		}
	}

	// Again: nothing to do. With one file damaged: that one only.
	s.hits = nil
	if err := p.fetch(context.Background(), "small", opt); err != nil || len(s.hits) > 0 {
		t.Errorf("second fetch: %v, asked for %v", err, s.hits)
	}
	writeFile(t, dest, "labels.gz", []byte("damaged"))
	if err := p.fetch(context.Background(), "small", opt); err != nil || !slices.Equal(s.hits, []string{"/a/labels.gz"}) {
		t.Errorf("third fetch: %v, asked for %v", err, s.hits)
	}
	checkFetched(t, dest, plain)
}

func TestFetchSecondMirror(t *testing.T) {
	p, plain := smallSet(t)
	dest := t.TempDir()
	s := serve(t, map[string][]byte{
		"a/labels.gz": zipped(t, []byte("not the labels")),
		"b/images.gz": zipped(t, plain["images"]), "b/labels.gz": zipped(t, plain["labels"]),
	})
	opt := FetchOptions{Dest: dest, Mirrors: []string{s.URL + "/a", s.URL + "/b"}}
	if err := p.fetch(context.Background(), "small", opt); err != nil {
		t.Fatal(err)
	}
	checkFetched(t, dest, plain)
	if want := []string{"/a/images.gz", "/b/images.gz", "/a/labels.gz", "/b/labels.gz"}; !slices.Equal(s.hits, want) {
		t.Errorf("asked for %v, want %v", s.hits, want)
	}
}

// TestFetchBad: URL stands for the mirror in the message. The first file is the bad one, so nothing may remain.
func TestFetchBad(t *testing.T) {
	p, plain := smallSet(t)
	good, want := zipped(t, plain["images"]), p.files[0]
	other := slices.Clone(plain["images"])
	other[100]++
	otherMD5 := md5.Sum(other)
	const f = "URL/images.gz: "
	for _, c := range []struct {
		name string
		file []byte
		want string
		kind error
	}{
		{"missing", nil, f + "status: got 404 Not Found, want 200 OK", nil},
		{"other data", zipped(t, other), f + "MD5 of the unpacked file: got " + hex.EncodeToString(otherMD5[:]) + ", want " + want.md5, ErrChecksum},
		{"short data", zipped(t, cut(other, 6)), f + "unpacked size: got 510 bytes, want 516 bytes", ErrTruncated},
		{"long data", zipped(t, join(other, other)), f + "unpacked size: got more, want 516 bytes", ErrChecksum},
		{"bomb", zipped(t, make([]byte, 1<<22)), f + "unpacked size: got more, want 516 bytes", ErrChecksum},
		{"truncated gzip", cut(good, 9), f + "gzip: got a truncated stream, want a complete gzip stream", ErrTruncated},
		{"trailing", join(good, []byte("x")), f + "gzip: got bytes after the stream, want end of file", nil},
		{"connection cut", append([]byte("CUT"), good[:97]...), f + "download: got 100 bytes, want 1000 bytes", ErrTruncated},
		{"empty", []byte{}, f + "unpacked size: got 0 bytes, want 516 bytes", ErrTruncated},
		{"a web page", []byte("<html>sorry</html>"), f + "unpacked size: got 18 bytes, want 516 bytes", ErrTruncated},
		{"endless", make([]byte, 1<<20), f + "size: got more than 4612 bytes, want at most 4612", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := map[string][]byte{}
			if c.file != nil {
				files["images.gz"] = c.file
			}
			s := serve(t, files)
			for _, dest := range []string{t.TempDir(), filepath.Join(t.TempDir(), "new")} {
				err := p.fetch(context.Background(), "small", FetchOptions{Dest: dest, Mirrors: []string{s.URL}})
				checkError(t, err, strings.ReplaceAll(c.want, "URL", s.URL))
				if c.kind != nil && !errors.Is(err, c.kind) {
					t.Errorf("kind: want %v", c.kind)
				}
				if left := listing(t, dest); len(left) > 0 {
					t.Errorf("left behind: %v", left)
				}
				if _, err := os.Stat(dest); filepath.Base(dest) == "new" && err == nil {
					t.Error("the new folder was left behind")
				}
			}
		})
	}
}

func TestFetchAllMirrorsBad(t *testing.T) {
	p, plain := smallSet(t)
	s := serve(t, map[string][]byte{"a/images.gz": zipped(t, plain["images"]), "b/labels.gz": zipped(t, nil)})
	dest := t.TempDir()
	err := p.fetch(context.Background(), "small", FetchOptions{Dest: dest, Mirrors: []string{s.URL + "/a", s.URL + "/b"}})
	n := len(plain["labels"])
	checkError(t, err, fmt.Sprintf("%s/a/labels.gz: status: got 404 Not Found, want 200 OK; %s/b/labels.gz: unpacked size: got 0 bytes, want %d bytes", s.URL, s.URL, n))
	if !errors.Is(err, ErrTruncated) {
		t.Error("each mirror's kind must be kept")
	}
	if got := listing(t, dest); !slices.Equal(got, []string{"images.gz"}) {
		t.Errorf("the complete file must stay alone: got %v", got)
	}
}

func TestFetchCancelled(t *testing.T) {
	p, plain := smallSet(t)
	s := serve(t, map[string][]byte{"images.gz": zipped(t, plain["images"])})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	dest := t.TempDir()
	err := p.fetch(ctx, "small", FetchOptions{Dest: dest, Mirrors: []string{s.URL, s.URL},
		Progress: func(string, int64, int64) { cancel() }})
	if !errors.Is(err, context.Canceled) || len(listing(t, dest)) > 0 || len(s.hits) != 1 {
		t.Errorf("got %v, left %v, asked for %v", err, listing(t, dest), s.hits)
	}
}

func TestFetchFrom(t *testing.T) {
	p, plain := smallSet(t)
	from, dest := t.TempDir(), t.TempDir()
	writeFile(t, from, "images", plain["images"])
	opt := FetchOptions{Dest: dest, From: from}
	err := p.fetch(context.Background(), "small", opt)
	checkError(t, err, from+": want labels.gz or labels: data set not found")
	if !errors.Is(err, ErrNotFound) {
		t.Error("want ErrNotFound")
	}
	writeFile(t, from, "labels.gz", repacked(t, plain["labels"]))
	if err := p.fetch(context.Background(), "small", opt); err != nil {
		t.Fatal(err)
	}
	checkFetched(t, dest, plain)

	writeFile(t, from, "images", cut(plain["images"], 1))
	dest = t.TempDir()
	err = p.fetch(context.Background(), "small", FetchOptions{Dest: dest, From: from})
	checkError(t, err, filepath.Join(from, "images")+": unpacked size: got 515 bytes, want 516 bytes")
	if left := listing(t, dest); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestFetchNames(t *testing.T) {
	cacheIn(t)
	for name, want := range map[string]string{
		"digits":    "digits: nothing to fetch: this set is generated",
		"cifar":     `data set: got "cifar", want mnist, fashion-mnist or optdigits`,
		"optdigits": "optdigits: no mirror is known; copy it from a folder (--from FOLDER)",
	} {
		checkError(t, Fetch(context.Background(), name, FetchOptions{}), want)
	}
	from := t.TempDir()
	err := Fetch(context.Background(), "fashion", FetchOptions{From: from})
	checkError(t, err, from+": want train-images-idx3-ubyte.gz or train-images-idx3-ubyte: data set not found")
}

func TestCatalogue(t *testing.T) {
	for name, p := range catalogue {
		want := 4
		if name == "optdigits" {
			want = 1
		}
		if len(p.files) != want {
			t.Errorf("%s: got %d files, want %d", name, len(p.files), want)
		}
		for _, f := range p.files {
			if a, _ := hex.DecodeString(f.sum); f.sum != "" && len(a) != sha256.Size {
				t.Errorf("%s: %s: sha256: got %d bytes", name, f.name, len(a))
			}
			if a, _ := hex.DecodeString(f.md5); len(a) != md5.Size {
				t.Errorf("%s: %s: MD5: got %d bytes", name, f.name, len(a))
			}
		}
	}
	for _, b := range builtins {
		if p, ok := catalogue[b.Name]; ok == b.Generated || p.folder != b.folder {
			t.Errorf("%s: folder: catalogue has %q, list has %q", b.Name, p.folder, b.folder)
		}
	}
}

// TestFetchReal copies the published files by the digests in the catalogue.
func TestFetchReal(t *testing.T) {
	root := os.Getenv("GLSNN_DATA")
	for name, p := range catalogue {
		t.Run(name, func(t *testing.T) {
			from := filepath.Join(root, p.folder)
			if _, err := os.Stat(from); root == "" || err != nil {
				t.Skipf("set GLSNN_DATA to a folder that holds %s to run this test", p.folder)
			}
			cacheIn(t)
			if err := Fetch(context.Background(), name, FetchOptions{From: from}); err != nil {
				t.Fatal(err)
			}
			if train, test, err := Load(name, Options{}); err != nil || train.Len() <= test.Len() {
				t.Errorf("fetched, but: %v", err)
			}
		})
	}
}
