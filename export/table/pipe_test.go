//go:build unix

package table

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestPipe: opening a pipe would never return.
func TestPipe(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"manifest.json", "network.json"} {
		if err := syscall.Mkfifo(filepath.Join(dir, name), 0o666); err != nil {
			t.Skip(err)
		}
	}
	_, err := ReadManifest(dir)
	if err == nil || !strings.Contains(err.Error(), "manifest.json: type: got p---------, want a regular file") {
		t.Errorf("got %v", err)
	}
	if _, err = Read(dir); err == nil || !strings.Contains(err.Error(), "network.json: type: got p---------, want a regular file") {
		t.Errorf("got %v", err)
	}
}
