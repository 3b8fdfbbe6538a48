package artefact

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// tempPrefix starts the name of every file and directory under construction. The
// target's name is no part of it: that may already be as long as names get.
const tempPrefix = ".glsnn-tmp-"

// WriteAtomic writes a file so that path has either its old content or all of
// the new: it fills a temporary file in the same folder, which it syncs, closes
// and renames to path. The temporary file is removed on every error and when
// write panics. A symbolic link stays and its target is replaced; what is
// neither absent nor a regular file (/dev/null, say) is refused. The new file
// has mode 0644 less the umask.
//
// write gets a buffered writer. Errors name path once:
// `model.glsnn: write: no space left on device`.
func WriteAtomic(path string, write func(io.Writer) error) error {
	fail := func(op string, err error) error { return fmt.Errorf("%s: %s: %w", path, op, err) }
	target, info, err := resolve(path)
	if err != nil {
		return fail("write", cause(err))
	}
	if info != nil && !info.Mode().IsRegular() {
		return fail("write", fmt.Errorf("got %s, want a regular file", fileType(info.Mode())))
	}
	tmp := tempName(target)
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fail("create", cause(err))
	}
	renamed := false
	defer func() {
		if !renamed {
			f.Close() // a second time on some paths, which does no harm
			os.Remove(tmp)
		}
	}()

	w := bufio.NewWriterSize(f, 1<<16)
	if err := write(w); err != nil {
		return fail("write", causeAt(err, tmp))
	}
	if err := w.Flush(); err != nil {
		return fail("write", cause(err))
	}
	if err := f.Sync(); err != nil {
		return fail("sync", cause(err))
	}
	if err := f.Close(); err != nil {
		return fail("close", cause(err))
	}
	if err := os.Rename(tmp, target); err != nil {
		return fail("rename", cause(err))
	}
	renamed = true
	syncDir(filepath.Dir(target))
	return nil
}

// WriteDir writes a directory of files so that path is either the old directory
// or the whole new one: write fills a temporary directory beside path, which is
// synced and renamed to path. The temporary directory is removed on every error
// and when write panics.
//
// If path exists it is an error that wraps fs.ErrExist, unless force is set.
// Then the old directory is renamed away, and removed once the new one is in
// place; if that fails it is renamed back. Even with force only an empty
// directory, or one whose manifest.json has "format": "glsnn", is replaced (with
// all it contains), so that a slip of the finger does not remove a home
// directory. No system call swaps two full directories everywhere, so a crash
// between the two renames leaves both under temporary names beside path.
func WriteDir(path string, force bool, write func(tmpdir string) error) (err error) {
	fail := func(op string, err error) error { return fmt.Errorf("%s: %s: %w", path, op, err) }
	abs, err := filepath.Abs(path) // "." has no sibling
	if err != nil {
		return fail("write", err)
	}
	target, info, err := resolve(abs)
	if err != nil {
		return fail("write", cause(err))
	}
	if info != nil {
		if err := replaceable(target, info, force); err != nil {
			return fail("write", err)
		}
	}
	tmp := tempName(target)
	if err := os.Mkdir(tmp, 0o755); err != nil {
		return fail("create", cause(err))
	}
	renamed := false
	defer func() {
		if !renamed {
			os.RemoveAll(tmp)
		}
	}()
	if err := write(tmp); err != nil {
		return fail("write", &tempError{err, tmp, path})
	}
	if err := syncTree(tmp); err != nil {
		return fail("sync", cause(err))
	}

	old := ""
	if info != nil {
		old = tempName(target)
		if err := os.Rename(target, old); err != nil {
			return fail("rename", cause(err))
		}
	}
	if err := os.Rename(tmp, target); err != nil {
		if old != "" {
			if back := os.Rename(old, target); back != nil {
				return fail("rename", fmt.Errorf("%w (the old directory is now %s)", cause(err), old))
			}
		}
		return fail("rename", cause(err))
	}
	renamed = true
	syncDir(filepath.Dir(target))
	if old != "" {
		if err := os.RemoveAll(old); err != nil {
			return fail("remove the old directory", err)
		}
	}
	return nil
}

// replaceable returns nil if WriteDir may replace the existing target.
func replaceable(target string, info fs.FileInfo, force bool) error {
	if !info.IsDir() {
		return fmt.Errorf("got %s, want a directory or nothing", fileType(info.Mode()))
	}
	if !force {
		return &existsError{"got an existing directory, want none (force replaces it)"}
	}
	list, err := os.ReadDir(target)
	if err != nil {
		return cause(err)
	}
	if len(list) > 0 && !isOurs(target) {
		return &existsError{`got a directory without our manifest.json ("format": "glsnn"), want one that glsnn wrote`}
	}
	return nil
}

// existsError is fs.ErrExist with a better text.
type existsError struct{ text string }

func (e *existsError) Error() string { return e.text }
func (e *existsError) Unwrap() error { return fs.ErrExist }

// resolve follows symbolic links and returns the file's info, nil if there is none.
func resolve(path string) (string, fs.FileInfo, error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return path, nil, nil
	case err != nil:
		return "", nil, err
	case info.Mode()&fs.ModeSymlink == 0:
		return path, info, nil
	}
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", nil, err
	}
	info, err = os.Stat(target)
	return target, info, err
}

func tempName(target string) string {
	return filepath.Join(filepath.Dir(target), tempPrefix+rand.Text())
}

// syncDir makes a rename durable where directories can be synced; elsewhere the
// rename is still atomic, so errors do not matter.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		d.Sync()
		d.Close()
	}
}

// syncTree syncs the regular files under dir, so that no crash leaves a complete
// directory of empty files.
func syncTree(dir string) error {
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() {
			syncDir(path)
			return nil
		}
		if !e.Type().IsRegular() {
			return nil
		}
		f, err := os.OpenFile(path, os.O_RDWR, 0) // a handle for reading cannot be synced everywhere
		if err != nil {
			return err
		}
		err = f.Sync()
		return errors.Join(err, f.Close())
	})
}

// cause strips the operation and path that package os puts before an error.
func cause(err error) error {
	var p *fs.PathError
	var l *os.LinkError
	switch {
	case errors.As(err, &p):
		return p.Err
	case errors.As(err, &l):
		return l.Err
	}
	return err
}

// causeAt is cause for errors about the temporary file, whose name tells a user
// nothing. What the caller's function says of other files keeps its text.
func causeAt(err error, tmp string) error {
	var p *fs.PathError
	if errors.As(err, &p) && p.Path == tmp {
		return p.Err
	}
	return err
}

// tempError is an error of WriteDir's callback without the name of the temporary
// directory: `out: write: write core0.mem: no space left on device`.
type tempError struct {
	err       error
	tmp, path string
}

func (e *tempError) Error() string {
	s := strings.ReplaceAll(e.err.Error(), e.tmp+string(filepath.Separator), "")
	return strings.ReplaceAll(s, e.tmp, e.path)
}

func (e *tempError) Unwrap() error { return e.err }

// fileType says what a file is, for messages.
func fileType(m fs.FileMode) string {
	switch {
	case m.IsRegular():
		return "a regular file"
	case m.IsDir():
		return "a directory"
	case m&fs.ModeSymlink != 0:
		return "a symbolic link"
	case m&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case m&fs.ModeSocket != 0:
		return "a socket"
	case m&fs.ModeDevice != 0:
		return "a device"
	}
	return "an irregular file"
}
