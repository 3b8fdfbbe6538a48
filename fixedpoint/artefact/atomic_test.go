package artefact

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// names lists dir, so that a test sees what was left behind.
func names(t *testing.T, dir string) string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var s []string
	for _, e := range list {
		s = append(s, e.Name())
	}
	return strings.Join(s, " ")
}

func writeText(text string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}
}

func wantFile(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("%s: got %q, %v, want %q", filepath.Base(path), got, err, want)
	}
}

func TestWriteAtomic(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "model.glsnn")
	for _, text := range []string{"one", strings.Repeat("two", 100_000), ""} {
		if err := WriteAtomic(path, writeText(text)); err != nil {
			t.Fatal(err)
		}
		wantFile(t, path, text)
	}
	if got := names(t, dir); got != "model.glsnn" {
		t.Errorf("the folder has %s", got)
	}
	// The mode that a plain create with 0644 gives under this umask.
	f, err := os.OpenFile(filepath.Join(dir, "plain"), os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want, _ := f.Stat()
	if got, err := os.Stat(path); err != nil || got.Mode() != want.Mode() {
		t.Errorf("mode: got %v, %v, want %v", got.Mode(), err, want.Mode())
	}
}

func TestWriteAtomicFailures(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "model.glsnn")
	if err := WriteAtomic(path, writeText("old")); err != nil {
		t.Fatal(err)
	}
	boom := errors.New("boom")
	for name, c := range map[string]struct {
		write func(io.Writer) error
		want  string
		is    error
	}{
		"callback": {func(w io.Writer) error { writeText("new")(w); return boom }, path + ": write: boom", boom},
		"disk full": {func(w io.Writer) error {
			// What os.File.Write returns; the name of the temporary file must not show.
			list, err := filepath.Glob(filepath.Join(dir, tempPrefix+"*"))
			if err != nil || len(list) != 1 {
				t.Errorf("temporary files: %v, %v", list, err)
			}
			return &fs.PathError{Op: "write", Path: list[0], Err: syscall.ENOSPC}
		}, path + ": write: no space left on device", syscall.ENOSPC},
		"another file": {func(w io.Writer) error {
			return &fs.PathError{Op: "open", Path: "input.idx", Err: syscall.ENOENT}
		}, path + ": write: open input.idx: no such file or directory", fs.ErrNotExist},
	} {
		err := WriteAtomic(path, c.write)
		if !errors.Is(err, c.is) || runtime.GOOS == "linux" && err.Error() != c.want {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
		wantFile(t, path, "old")
		if got := names(t, dir); got != "model.glsnn" {
			t.Errorf("%s left %s", name, got)
		}
	}
}

func TestWriteAtomicPanic(t *testing.T) {
	dir := t.TempDir()
	func() {
		defer func() {
			if r := recover(); r != "boom" {
				t.Errorf("recovered %v, want boom", r)
			}
		}()
		WriteAtomic(filepath.Join(dir, "model.glsnn"), func(io.Writer) error { panic("boom") })
	}()
	if got := names(t, dir); got != "" {
		t.Errorf("a panic left %s", got)
	}
}

func TestWriteAtomicBadTargets(t *testing.T) {
	dir := t.TempDir()
	never := func(io.Writer) error { t.Error("write called"); return nil }

	path := filepath.Join(dir, "no", "model.glsnn")
	err := WriteAtomic(path, never)
	if !errors.Is(err, fs.ErrNotExist) || strings.Count(err.Error(), path) != 1 || strings.Contains(err.Error(), tempPrefix) {
		t.Errorf("no folder: got %v", err)
	}
	if err := WriteAtomic(dir, never); err == nil || err.Error() != dir+": write: got a directory, want a regular file" {
		t.Errorf("directory: got %v", err)
	}
	if info, err := os.Stat("/dev/full"); err == nil && info.Mode()&fs.ModeDevice != 0 {
		if err := WriteAtomic("/dev/full", never); err == nil || err.Error() != "/dev/full: write: got a device, want a regular file" {
			t.Errorf("device: got %v", err)
		}
	}
}

func TestWriteAtomicReadOnlyFolder(t *testing.T) {
	if runtime.GOOS == "windows" || os.Geteuid() == 0 {
		t.Skip("permissions do not bind this user")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "model.glsnn")
	if err := WriteAtomic(path, writeText("x")); !errors.Is(err, fs.ErrPermission) || strings.Count(err.Error(), path) != 1 {
		t.Errorf("got %v", err)
	}
}

// The buffered writer and the bundle writer pass on what a full device says.
func TestEncodeToFullDevice(t *testing.T) {
	f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no /dev/full here")
	}
	defer f.Close()
	if err := Encode(f, small()); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("got %v, want ENOSPC", err)
	}
}

func TestWriteAtomicSymlink(t *testing.T) {
	dir := t.TempDir()
	link, target := filepath.Join(dir, "link"), filepath.Join(dir, "target")
	if err := os.Symlink("target", link); err != nil {
		t.Skip(err)
	}
	if err := WriteAtomic(link, writeText("x")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("dangling link: got %v", err)
	}
	if err := os.WriteFile(target, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := WriteAtomic(link, writeText("new")); err != nil {
		t.Fatal(err)
	}
	wantFile(t, target, "new")
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link was replaced: %v, %v", info.Mode(), err)
	}
}

// fill writes a small output directory.
func fill(text string) func(string) error {
	return func(dir string) error {
		if err := os.MkdirAll(filepath.Join(dir, "sub"), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, "sub", "a.mem"), []byte(text), 0o644); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, "manifest.json"), []byte(`{"format": "glsnn"}`), 0o644)
	}
}

func TestWriteDir(t *testing.T) {
	parent := t.TempDir()
	path := filepath.Join(parent, "out")
	a := filepath.Join(path, "sub", "a.mem")
	if err := WriteDir(path, false, fill("one")); err != nil {
		t.Fatal(err)
	}
	wantFile(t, a, "one")

	err := WriteDir(path, false, fill("two"))
	if !errors.Is(err, fs.ErrExist) || err.Error() != path+": write: got an existing directory, want none (force replaces it)" {
		t.Errorf("existing: got %v", err)
	}
	wantFile(t, a, "one")

	boom := errors.New("boom")
	if err := WriteDir(path, true, func(dir string) error { fill("two")(dir); return boom }); !errors.Is(err, boom) || err.Error() != path+": write: boom" {
		t.Errorf("failing callback: got %v", err)
	}
	wantFile(t, a, "one")
	err = WriteDir(path, true, func(dir string) error { return os.WriteFile(filepath.Join(dir, "no", "x"), nil, 0o644) })
	if !errors.Is(err, fs.ErrNotExist) || strings.Contains(err.Error(), tempPrefix) || strings.Count(err.Error(), path) != 1 {
		t.Errorf("callback with the temporary name in its error: got %v", err)
	}

	func() {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		WriteDir(path, true, func(dir string) error { fill("two")(dir); panic("boom") })
	}()
	wantFile(t, a, "one")

	if err := os.WriteFile(filepath.Join(path, "old"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := WriteDir(path+string(filepath.Separator), true, fill("two")); err != nil {
		t.Fatal(err)
	}
	wantFile(t, a, "two")
	if got := names(t, path); got != "manifest.json sub" {
		t.Errorf("the new directory has %s", got)
	}
	if got := names(t, parent); got != "out" {
		t.Errorf("left beside it: %s", got)
	}
}

// If the old directory cannot be put aside, or the new one not put in its place, the old one stays.
func TestWriteDirRenameFails(t *testing.T) {
	parent := t.TempDir()
	path := filepath.Join(parent, "out")
	if err := WriteDir(path, false, fill("one")); err != nil {
		t.Fatal(err)
	}
	err := WriteDir(path, true, func(dir string) error { return os.Remove(dir) })
	if err == nil {
		t.Error("no error though the temporary directory is gone")
	}
	wantFile(t, filepath.Join(path, "sub", "a.mem"), "one")
	if got := names(t, parent); got != "out" {
		t.Errorf("left beside it: %s", got)
	}
	// The same, where only the last rename sees it: the callback puts a file in the new
	// directory's place.
	other := filepath.Join(parent, "other")
	if err := WriteDir(other, false, func(dir string) error { return os.WriteFile(other, []byte("x"), 0o644) }); err == nil {
		t.Error("no error though another file took the place")
	}
	wantFile(t, other, "x")
	if got := names(t, parent); got != "other out" {
		t.Errorf("left beside it: %s", got)
	}
}

func TestWriteDirRefuses(t *testing.T) {
	for name, setup := range map[string]func(path string) error{
		"a file":      func(p string) error { return os.WriteFile(p, nil, 0o644) },
		"no manifest": func(p string) error { return errors.Join(os.Mkdir(p, 0o755), os.WriteFile(p+"/x", nil, 0o644)) },
		"other manifest": func(p string) error {
			return errors.Join(os.Mkdir(p, 0o755), os.WriteFile(p+"/manifest.json", []byte(`{"format": "npm"}`), 0o644))
		},
		"broken manifest": func(p string) error {
			return errors.Join(os.Mkdir(p, 0o755), os.WriteFile(p+"/manifest.json", []byte(`{"format": "glsnn"`), 0o644))
		},
		"manifest is a directory": func(p string) error { return os.MkdirAll(p+"/manifest.json", 0o755) },
	} {
		parent := t.TempDir()
		path := filepath.Join(parent, "out")
		if err := setup(path); err != nil {
			t.Fatal(err)
		}
		err := WriteDir(path, true, func(string) error { t.Errorf("%s: write called", name); return nil })
		if err == nil || strings.Count(err.Error(), path) != 1 || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v", name, err)
		}
		if got := names(t, parent); got != "out" {
			t.Errorf("%s: left beside it: %s", name, got)
		}
	}
	path := filepath.Join(t.TempDir(), "no", "out")
	err := WriteDir(path, false, fill("x"))
	if !errors.Is(err, fs.ErrNotExist) || strings.Count(err.Error(), path) != 1 || strings.Contains(err.Error(), tempPrefix) {
		t.Errorf("no parent: got %v", err)
	}
}

func TestWriteDirEmptyAndLinked(t *testing.T) {
	parent := t.TempDir()
	path := filepath.Join(parent, "out")
	if err := os.Mkdir(path, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := WriteDir(path, false, fill("x")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("empty, no force: got %v", err)
	}
	if err := WriteDir(path, true, fill("x")); err != nil {
		t.Errorf("empty, force: got %v", err)
	}
	link := filepath.Join(parent, "link")
	if err := os.Symlink("out", link); err != nil {
		t.Skip(err)
	}
	if err := WriteDir(link, true, fill("y")); err != nil {
		t.Fatal(err)
	}
	wantFile(t, filepath.Join(path, "sub", "a.mem"), "y")
	if got := names(t, parent); got != "link out" {
		t.Errorf("left beside it: %s", got)
	}
}

// A relative path, "." included, is the place it was when WriteDir began.
func TestWriteDirRelative(t *testing.T) {
	parent := t.TempDir()
	t.Chdir(parent)
	if err := WriteDir("out", false, fill("x")); err != nil {
		t.Fatal(err)
	}
	if err := WriteDir(".", true, fill("x")); err == nil {
		t.Error("replaced a folder that is not ours")
	}
	if err := WriteDir("/", true, fill("x")); err == nil {
		t.Error("replaced the root")
	}
	if got := names(t, parent); got != "out" {
		t.Errorf("the folder has %s", got)
	}
}

// A pipe would hang a reader that opens it.
func TestReadFileRefusesDevices(t *testing.T) {
	if _, err := os.Stat("/dev/zero"); err != nil {
		t.Skip("no /dev/zero here")
	}
	_, err := ReadFile("/dev/zero", "network", 1)
	wantCorrupt(t, "device", err)
}

func TestLargeWriteIsStreamed(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 64 MB")
	}
	path := filepath.Join(t.TempDir(), "big.glsnn")
	b := Bundle{Kind: "k", Version: 1, Arrays: []Array{NewArray("w", bytes.Repeat([]byte{1, 2, 3, 4}, 16<<20))}}
	allocated := func(f func()) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	if got := allocated(func() {
		if err := WriteFile(path, b); err != nil {
			t.Fatal(err)
		}
	}); got > 1<<20 {
		t.Errorf("WriteFile of 64 MB allocates %d bytes, want at most 1 MiB", got)
	}
	if got := allocated(func() {
		if _, err := ReadFile(path, "k", 1); err != nil {
			t.Fatal(err)
		}
	}); got > 66<<20 {
		t.Errorf("ReadFile of 64 MB allocates %d bytes, want one copy", got)
	}
}
