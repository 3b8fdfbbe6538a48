package mesh

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"glsnn/fixedpoint/artefact"
)

// FuzzRead reads a small folder with one file replaced. What is accepted runs,
// and is what the emulator says of the network it reads back as; what is not is
// one line, a damaged file.
func FuzzRead(f *testing.F) {
	golden := map[string][]byte{}
	var names []string
	dir := folder(f)
	entries, err := os.ReadDir(dir)
	if err != nil {
		f.Fatal(err)
	}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			f.Fatal(err)
		}
		if e.Name() != "manifest.json" {
			f.Add(uint8(len(names)), data)
			names = append(names, e.Name())
			golden[e.Name()] = data
		}
	}
	f.Fuzz(func(t *testing.T, file uint8, data []byte) {
		dir := t.TempDir()
		for i, name := range names {
			content := golden[name]
			if i == int(file) {
				content = data
			}
			if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		m, samples, err := Read(dir)
		if err != nil {
			if s := err.Error(); !errors.Is(err, artefact.ErrCorrupt) || strings.Contains(s, "\n") || !strings.HasPrefix(s, dir) {
				t.Errorf("got %q", err)
			}
			return
		}
		if m.Model.Ticks > 100 { // the emulator's proof takes a while
			return
		}
		m.Grid.Predict(samples)
		packets, want := run(rand.New(rand.NewPCG(1, 36)), m, 2)
		if r := compare(m.Grid.Predict(packets), want); r.Mismatches != 0 {
			t.Errorf("%+v", r)
		}
	})
}
