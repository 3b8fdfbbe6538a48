package artefact

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// FileEntry is one file of a directory as its manifest.json lists it. Path is
// relative to the directory and has forward slashes.
type FileEntry struct {
	Path   string `json:"path"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// HashDir lists the regular files under dir, sorted by the bytes of their paths.
// The manifest.json at the top is left out, as are the paths in except
// (SHA256SUMS, say), since they are made from the list. Empty folders do not
// count; anything else, a symbolic link for one, is an ErrCorrupt.
func HashDir(dir string, except ...string) ([]FileEntry, error) {
	root, err := filepath.EvalSymlinks(dir) // dir itself may be a link: runs/latest
	if err != nil {
		return nil, fmt.Errorf("%s: open: %w", dir, cause(err))
	}
	var list []FileEntry
	err = filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("%s: read: %w", path, cause(err))
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if rel == "." && !e.IsDir() {
			return corrupt(dir, "directory", fileType(e.Type()), "a directory")
		}
		if e.IsDir() || rel == manifestName || slices.Contains(except, rel) {
			return nil
		}
		if !e.Type().IsRegular() {
			return corrupt(dir, rel, fileType(e.Type()), "a regular file")
		}
		sum, size, err := HashFile(path)
		if err != nil {
			return err
		}
		list = append(list, FileEntry{rel, size, sum})
		return nil
	})
	if err != nil {
		return nil, err
	}
	sortEntries(list)
	return list, nil
}

func sortEntries(list []FileEntry) {
	slices.SortStableFunc(list, func(a, b FileEntry) int { return cmp.Compare(a.Path, b.Path) })
}

// CheckDir returns an ErrCorrupt unless dir holds exactly the entries (in any
// order); manifest.json and except are as in HashDir. The error names the first
// file, by path, that is missing, extra, changed, or listed twice. Entries may
// come from an untrusted manifest: their paths are compared, never opened.
func CheckDir(dir string, entries []FileEntry, except ...string) error {
	got, err := HashDir(dir, except...)
	if err != nil {
		return err
	}
	want := slices.Clone(entries)
	sortEntries(want)
	for i := 0; i < max(len(got), len(want)); i++ {
		switch {
		case i > 0 && i < len(want) && want[i].Path == want[i-1].Path:
			return corrupt(dir, pathText(want[i].Path), "two entries", "one")
		case i >= len(got) || i < len(want) && want[i].Path < got[i].Path:
			return corrupt(dir, pathText(want[i].Path), "no such file", bytesText(want[i].Bytes))
		case i >= len(want) || got[i].Path < want[i].Path:
			return corrupt(dir, pathText(got[i].Path), "a file", "none of that name")
		case got[i].Bytes != want[i].Bytes:
			return corrupt(dir, pathText(got[i].Path), bytesText(got[i].Bytes), bytesText(want[i].Bytes))
		case got[i].SHA256 != want[i].SHA256:
			return corrupt(dir, pathText(got[i].Path)+": sha256", got[i].SHA256, quote(want[i].SHA256))
		}
	}
	return nil
}

// pathText is path if it prints on one line, else path quoted.
func pathText(path string) string {
	if q := quote(path); len(q) != len(path)+2 {
		return q
	}
	return path
}

// isOurs reports whether dir has a manifest.json with "format": "glsnn".
func isOurs(dir string) bool {
	path := filepath.Join(dir, manifestName)
	const limit = 64 << 20
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() || info.Size() > limit {
		return false
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return false
	}
	var m struct {
		Format string `json:"format"`
	}
	return json.Unmarshal(text, &m) == nil && m.Format == formatName
}
