// Package tiertest is what the tests of kernels share.
package tiertest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"glsnn/fixedpoint/tier"
)

// Each runs f once in each tier of this processor.
func Each(t *testing.T, f func(t *testing.T)) {
	for _, x := range tier.All() {
		t.Run(x.String(), func(t *testing.T) {
			defer tier.Use(tier.Use(x))
			f(t)
		})
	}
}

// Panics runs each function in each tier, and wants a panic.
func Panics(t *testing.T, calls map[string]func()) {
	Each(t, func(t *testing.T) {
		for name, call := range calls {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%s: no panic", name)
					}
				}()
				call()
			}()
		}
	})
}

// Generated runs the generator module in gen below the test's folder again, and
// compares what it writes with the package's zkernels_amd64.s and
// zstubs_amd64.go. It skips where the generator's module cannot be had.
func Generated(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("short")
	}
	dir := t.TempDir()
	asm, stubs := filepath.Join(dir, "k.s"), filepath.Join(dir, "s.go")
	run := func(args ...string) ([]byte, error) {
		cmd := exec.Command("go", args...)
		cmd.Dir = "gen"
		cmd.Env = append(os.Environ(), "GOWORK=off")
		return cmd.CombinedOutput()
	}
	if out, err := run("mod", "download"); err != nil {
		t.Skipf("avo cannot be had: %v\n%s", err, out)
	}
	if out, err := run("run", ".", "-out", asm, "-stubs", stubs, "-pkg", "simd"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for got, file := range map[string]string{asm: "zkernels_amd64.s", stubs: "zstubs_amd64.go"} {
		a, err := os.ReadFile(got)
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if body(a) != body(b) {
			t.Errorf("%s is not what gen writes; run go generate", file)
		}
	}
}

// body leaves out the first line, which holds the command.
func body(b []byte) string {
	_, rest, _ := strings.Cut(string(b), "\n")
	return rest
}
