package dataset

import (
	"compress/gzip"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// FetchOptions of Fetch. The zero value downloads into the user's cache.
type FetchOptions struct {
	From    string       // if set, a folder to copy from instead of the network; files plain or .gz
	Mirrors []string     // if set, base URLs to use instead of the known ones, in order
	Dest    string       // if set, the folder to fill; else glsnn/<folder of the set> in os.UserCacheDir
	Client  *http.Client // if nil, one that waits 30 s for the header of an answer

	// Progress, if set, is called as a file comes in. done and total are compressed bytes when downloading, plain or
	// compressed bytes as stored when copying; total is -1 if unknown.
	Progress func(file string, done, total int64)
}

// publicSet is what Fetch knows about one set.
type publicSet struct {
	folder  string
	mirrors []string // base URLs, with the final slash
	files   []publicFile
}

// publicFile identifies one file. sum is the sha256 of the published gzip file; a gzip file packed again, or a plain
// file, is accepted if its unpacked bytes have md5. MD5 guards against damage, not against a forger.
type publicFile struct {
	name string // without .gz
	sum  string // sha256, hex, of name.gz; "" if unknown
	md5  string // hex, of the unpacked file
	size int64  // bytes of the unpacked file
}

var catalogue = map[string]publicSet{
	"mnist": {
		folder: "mnist",
		mirrors: []string{
			"https://ossci-datasets.s3.amazonaws.com/mnist/",
			"https://storage.googleapis.com/cvdf-datasets/mnist/",
		},
		files: []publicFile{
			{fileTrainImages, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609", "6bbc9ace898e44ae57da46a324031adb", 47040016},
			{fileTrainLabels, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c", "a25bea736e30d166cdddb491f175f624", 60008},
			{fileTestImages, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6", "2646ac647ad5339dbf082846283269ea", 7840016},
			{fileTestLabels, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6", "27ae3e4e09519cfbb04c329615203637", 10008},
		},
	},
	"fashion-mnist": {
		folder: "fashion-mnist",
		mirrors: []string{
			"http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
			"https://fashion-mnist.s3.eu-central-1.amazonaws.com/",
			"https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/b2617bb6d3ffa2e429640350f613e3291e10b141/data/fashion/",
		},
		files: []publicFile{
			{fileTrainImages, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84", "f4a8712d7a061bf5bd6d2ca38dc4d50a", 47040016},
			{fileTrainLabels, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845", "9018921c3c673c538a1fc5bad174d6f9", 60008},
			{fileTestImages, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073", "8181f5470baa50b63fa0f6fddb340f0a", 7840016},
			{fileTestLabels, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5", "15d484375f8d13e6eb1aabb0c3f46965", 10008},
		},
	},
	// No mirror with a recorded digest is known for this form of the file: copy it with From.
	"optdigits": {
		folder: "digits",
		files: []publicFile{
			{fileOptdigits, "", "a0339c30a8a5312a1b6f9e5c719dcce5", 264712},
		},
	},
}

// Fetch brings the files of a public set ("mnist", "fashion-mnist" or "fashion", "optdigits") into opt.Dest, where
// Load finds them if Dest is the default.
//
// Files that are there and intact are kept. Each other file goes to a temporary file in Dest, is verified (sha256 of
// the published .gz, or MD5 of the unpacked bytes), synced and renamed to its name with .gz, so that Dest never holds
// half a file; a plain file copied with From is packed on the way. Mirrors are tried in order, per file. On error the
// files already complete stay and nothing else does.
//
// The error is one line; it names the file, what came and what was wanted, for each mirror tried. A wrong digest is
// an ErrChecksum, a missing file in From an ErrNotFound.
func Fetch(ctx context.Context, name string, opt FetchOptions) error {
	for _, b := range builtins {
		if !isName(name, b.Name, b.aliases) {
			continue
		}
		if b.Generated {
			return fmt.Errorf("%s: nothing to fetch: this set is generated", b.Name)
		}
		return catalogue[b.Name].fetch(ctx, b.Name, opt)
	}
	return fmt.Errorf("data set: got %q, want mnist, fashion-mnist or optdigits", name)
}

func (p publicSet) fetch(ctx context.Context, name string, opt FetchOptions) (err error) {
	if len(opt.Mirrors) == 0 {
		opt.Mirrors = p.mirrors
	}
	if opt.From == "" && len(opt.Mirrors) == 0 {
		return fmt.Errorf("%s: no mirror is known; copy it from a folder (--from FOLDER)", name)
	}
	if opt.Client == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.ResponseHeaderTimeout = 30 * time.Second
		opt.Client = &http.Client{Transport: t}
		defer t.CloseIdleConnections()
	}
	if opt.Progress == nil {
		opt.Progress = func(string, int64, int64) {}
	}
	if opt.Dest == "" {
		if opt.Dest, err = cacheDir(p.folder); err != nil {
			return fmt.Errorf("%s: cache folder: %w", name, err)
		}
	}
	_, statErr := os.Stat(opt.Dest)
	if err := os.MkdirAll(opt.Dest, 0o777); err != nil {
		return err
	}
	defer func() {
		if err != nil && os.IsNotExist(statErr) {
			os.Remove(opt.Dest) // only if it is still empty
		}
	}()
	for _, f := range p.files {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		if path, err := findFile(opt.Dest, f.name); err == nil && f.verify(path) == nil {
			continue
		}
		if opt.From != "" {
			err = f.copy(ctx, opt)
		} else {
			err = f.download(ctx, opt)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// download tries the mirrors in order.
func (f publicFile) download(ctx context.Context, opt FetchOptions) error {
	var faults []any
	for _, mirror := range opt.Mirrors {
		url := strings.TrimSuffix(mirror, "/") + "/" + f.name + ".gz"
		err := f.get(ctx, url, opt)
		if err == nil {
			return nil
		}
		faults = append(faults, err)
		if ctx.Err() != nil {
			break
		}
	}
	// errors.Join would spread these over several lines.
	return fmt.Errorf("%w"+strings.Repeat("; %w", len(faults)-1), faults...)
}

func (f publicFile) get(ctx context.Context, url string, opt FetchOptions) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", url, err)
	}
	res, err := opt.Client.Do(req)
	if err != nil {
		return err // names the URL itself
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: status: got %s, want 200 OK", url, res.Status)
	}
	return f.install(ctx, url, res.Body, res.ContentLength, opt)
}

func (f publicFile) copy(ctx context.Context, opt FetchOptions) error {
	path, err := findFile(opt.From, f.name)
	if err != nil {
		return err
	}
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	return f.install(ctx, path, in, info.Size(), opt)
}

// install writes the file at source, read from r, to opt.Dest. total is its size, or -1.
func (f publicFile) install(ctx context.Context, source string, r io.Reader, total int64, opt FetchOptions) (err error) {
	tmp, err := os.CreateTemp(opt.Dest, "."+f.name+".*.part")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			tmp.Close()
			os.Remove(tmp.Name())
		}
	}()

	limit := f.maxStored()
	in := &progressReader{ctx: ctx, r: io.LimitReader(r, limit+1), report: func(done int64) { opt.Progress(f.name, done, total) }}
	head := make([]byte, 2)
	n, err := io.ReadFull(in, head)
	head = head[:n]
	if err == nil || err == io.EOF || err == io.ErrUnexpectedEOF {
		err = f.store(tmp, head, in)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		want := fmt.Sprintf("%d bytes", total)
		if total < 0 {
			want = "all of it"
		}
		return &FieldError{Path: source, Field: "download", Got: fmt.Sprintf("%d bytes", in.done), Want: want, Err: ErrTruncated}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", source, err)
	}
	if in.done > limit {
		return &FieldError{Path: source, Field: "size", Got: fmt.Sprintf("more than %d bytes", limit), Want: fmt.Sprintf("at most %d", limit)}
	}
	if err := f.verify(tmp.Name()); err != nil {
		var fe *FieldError
		if errors.As(err, &fe) {
			fe.Path = source // not the temporary name
		}
		return err
	}
	if err := errors.Join(tmp.Chmod(0o644), tmp.Sync()); err != nil {
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), filepath.Join(opt.Dest, f.name+".gz")); err != nil {
		return err
	}
	if dir, err := os.Open(opt.Dest); err == nil {
		dir.Sync() // makes the rename durable where the system can; the file is whole either way
		dir.Close()
	}
	return nil
}

// store writes head and then in to w, packed if head is not the start of a gzip file.
func (f publicFile) store(w io.Writer, head []byte, in io.Reader) error {
	if len(head) == 2 && head[0] == 0x1f && head[1] == 0x8b {
		if _, err := w.Write(head); err != nil {
			return err
		}
		_, err := io.Copy(w, in)
		return err
	}
	z := gzip.NewWriter(w)
	if _, err := z.Write(head); err != nil {
		return err
	}
	if _, err := io.Copy(z, in); err != nil {
		return err
	}
	return z.Close()
}

// maxStored is the size above which a stored file cannot be the right one: gzip adds 5 bytes to a block of 65535 that
// it cannot pack, and a header.
func (f publicFile) maxStored() int64 { return f.size + f.size/1000 + 4096 }

// verify checks the file at path, plain or gzip. It unpacks at most one byte more than f.size.
func (f publicFile) verify(path string) error {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	stored := sha256.New()
	if _, err := io.Copy(stored, io.LimitReader(in, f.maxStored()+1)); err != nil {
		return err
	}
	if f.sum != "" && hex.EncodeToString(stored.Sum(nil)) == f.sum {
		return nil
	}
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return err
	}
	src := openData(in, path)
	unpacked := md5.New()
	chunk := make([]byte, firstChunk)
	var size int64
	for size <= f.size {
		n, err := src.full(chunk[:min(int64(len(chunk)), f.size+1-size)])
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
		size += int64(n)
		unpacked.Write(chunk[:n])
	}
	if size != f.size {
		got, kind := fmt.Sprintf("%d bytes", size), ErrTruncated
		if size > f.size {
			got, kind = "more", ErrChecksum
		}
		return src.fault("unpacked size", got, fmt.Sprintf("%d bytes", f.size), kind)
	}
	if got := hex.EncodeToString(unpacked.Sum(nil)); got != f.md5 {
		return src.fault("MD5 of the unpacked file", got, f.md5, ErrChecksum)
	}
	return src.end("size", fmt.Sprint(f.size))
}

// progressReader counts what passes and stops when ctx ends.
type progressReader struct {
	ctx    context.Context
	r      io.Reader
	done   int64
	report func(done int64)
}

func (p *progressReader) Read(b []byte) (int, error) {
	if err := p.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := p.r.Read(b)
	p.done += int64(n)
	if n > 0 {
		p.report(p.done)
	}
	return n, err
}
