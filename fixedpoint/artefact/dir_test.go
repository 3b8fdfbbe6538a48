package artefact

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestHashDir(t *testing.T) {
	dir := t.TempDir()
	for path, text := range map[string]string{
		"a/b.mem": "1", "a-b": "22", "a/manifest.json": "{}", "z": "", "manifest.json": "{}", "SHA256SUMS": "x",
	} {
		full := filepath.Join(dir, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	list, err := HashDir(dir, "SHA256SUMS")
	if err != nil {
		t.Fatal(err)
	}
	// "a-b" before "a/b.mem": the order of the paths' bytes, not of a walk.
	want := []FileEntry{
		{"a-b", 2, Hash([]byte("22"))}, {"a/b.mem", 1, Hash([]byte("1"))}, {"a/manifest.json", 2, Hash([]byte("{}"))}, {"z", 0, Hash(nil)},
	}
	if !slices.Equal(list, want) {
		t.Errorf("got %v, want %v", list, want)
	}
	if err := CheckDir(dir, want, "SHA256SUMS"); err != nil {
		t.Error(err)
	}
	reversed := slices.Clone(want)
	slices.Reverse(reversed)
	if err := CheckDir(dir, reversed, "SHA256SUMS"); err != nil {
		t.Errorf("in another order: %v", err)
	}

	edit := func(f func([]FileEntry) []FileEntry) []FileEntry { return f(slices.Clone(want)) }
	for name, c := range map[string]struct {
		entries []FileEntry
		want    string
	}{
		"extra":   {want[:3], ": z: got a file, want none of that name"},
		"missing": {edit(func(l []FileEntry) []FileEntry { return append(l, FileEntry{"a.mem", 3, ""}) }), ": a.mem: got no such file, want 3 bytes"},
		"last missing": {edit(func(l []FileEntry) []FileEntry { return append(l, FileEntry{"zz", 1, ""}) }),
			": zz: got no such file, want 1 byte"},
		"outside": {edit(func(l []FileEntry) []FileEntry { return append(l, FileEntry{"../x\n", 1, ""}) }),
			`: "../x\n": got no such file, want 1 byte`},
		"size":  {edit(func(l []FileEntry) []FileEntry { l[1].Bytes = 5; return l }), ": a/b.mem: got 1 byte, want 5 bytes"},
		"hash":  {edit(func(l []FileEntry) []FileEntry { l[0].SHA256 = "00"; return l }), ": a-b: sha256: got " + want[0].SHA256 + `, want "00"`},
		"twice": {edit(func(l []FileEntry) []FileEntry { return append(l, l[1]) }), ": a/b.mem: got two entries, want one"},
		"none":  {nil, ": a-b: got a file, want none of that name"},
	} {
		err := CheckDir(dir, c.entries, "SHA256SUMS")
		wantCorrupt(t, name, err)
		if err != nil && err.Error() != dir+c.want {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
	err = CheckDir(dir, want)
	wantCorrupt(t, "SHA256SUMS not excepted", err)
}

func TestHashDirOddities(t *testing.T) {
	dir := t.TempDir()
	if list, err := HashDir(dir); err != nil || len(list) != 0 {
		t.Errorf("empty: got %v, %v", list, err)
	}
	if _, err := HashDir(filepath.Join(dir, "no")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: got %v", err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := HashDir(file)
	wantCorrupt(t, "a file", err)

	link := filepath.Join(t.TempDir(), "latest")
	if err := os.Symlink(dir, link); err != nil {
		t.Skip(err)
	}
	if list, err := HashDir(link); err != nil || len(list) != 1 || list[0].Path != "file" {
		t.Errorf("through a link: got %v, %v", list, err)
	}
	if err := os.Symlink("file", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	_, err = HashDir(dir)
	wantCorrupt(t, "a link inside", err)
}
