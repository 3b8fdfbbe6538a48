package table

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestImages pins the further forms of a small core, reads them back, and finds
// a change in any of them.
func TestImages(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tables")
	if err := Write(dir, tiny(t), Options{Images: Images()}); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(dir); err != nil {
		t.Fatal(err)
	}
	core := func(ext string) string { return filepath.Join(dir, "cores", "core_0001."+ext) }
	const title = "core 1: 3 words of 3 bits, one an in-axon; 1 weights of 3 bits, neuron 0 lowest\n"
	for ext, want := range map[string]string{
		"coe": "; " + title + "memory_initialization_radix=16;\nmemory_initialization_vector=\n3,\n5,\n3;\n",
		"mif": "-- " + title + "DEPTH = 3;\nWIDTH = 3;\nADDRESS_RADIX = HEX;\nDATA_RADIX = HEX;\nCONTENT\nBEGIN\n0 : 3;\n1 : 5;\n2 : 3;\nEND;\n",
		"h": "/* core_0001: weights[axon][neuron]; a delivered spike adds weight * 2^WEIGHT_EXP. */\n" +
			"#ifndef GLSNN_CORE_0001_H\n#define GLSNN_CORE_0001_H\n\n#include <stdint.h>\n\n" +
			"#define GLSNN_CORE_0001_AXONS 3\n#define GLSNN_CORE_0001_NEURONS 1\n#define GLSNN_CORE_0001_WEIGHT_BITS 3\n" +
			"#define GLSNN_CORE_0001_WEIGHT_EXP 1\n#define GLSNN_CORE_0001_CURRENT_DECAY 8\n#define GLSNN_CORE_0001_MEMBRANE_DECAY 2\n" +
			"#define GLSNN_CORE_0001_THRESHOLD 5\n\nstatic const int8_t glsnn_core_0001_weights[3][1] = {\n{3},\n{-3},\n{3},\n};\n" +
			"_Static_assert(sizeof glsnn_core_0001_weights == 3, \"size of the weights\");\n\n#endif\n",
	} {
		got, err := os.ReadFile(core(ext))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("%s: got\n%s\nwant\n%s", ext, got, want)
		}
		for _, change := range []struct{ old, new, message string }{
			{"3", "4", "as in the .mem image"},
			{"\n", "\n\n", "as in the .mem image"},
		} {
			last := strings.LastIndex(want, change.old)
			changed := want[:last] + change.new + want[last+1:]
			if err := os.WriteFile(core(ext), []byte(changed), 0o666); err != nil {
				t.Fatal(err)
			}
			if _, err := Read(dir); err == nil || !strings.Contains(err.Error(), "core_0001."+ext+":") {
				t.Errorf("%s changed: got %v", ext, err)
			}
		}
		if err := os.Remove(core(ext)); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(dir); err == nil || !strings.Contains(err.Error(), "core_0001."+ext+": open: ") {
			t.Errorf("%s missing: got %v", ext, err)
		}
		if err := os.WriteFile(core(ext), []byte(want), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// TestHeaderCompiles gives the headers to a C compiler, where there is one.
func TestHeaderCompiles(t *testing.T) {
	cc, err := exec.LookPath("cc")
	if err != nil {
		t.Skip("no C compiler (cc): the header's size assertion is not compiled")
	}
	dir := filepath.Join(t.TempDir(), "tables")
	if err := Write(dir, tiny(t), Options{Images: []Image{C}}); err != nil {
		t.Fatal(err)
	}
	src := filepath.Join(dir, "x.c")
	text := "#include \"cores/core_0001.h\"\nint main(void) { return glsnn_core_0001_weights[1][0] + 3; }\n"
	if err := os.WriteFile(src, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	exe := filepath.Join(dir, "x")
	if out, err := exec.Command(cc, "-std=c11", "-Wall", "-Werror", "-o", exe, src).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := exec.Command(exe).Run(); err != nil {
		t.Errorf("weight [1][0]: got another than -3 (%v)", err)
	}
}

func TestParseImages(t *testing.T) {
	if got, err := ParseImages("coe, h"); err != nil || len(got) != 2 || got[1] != C {
		t.Errorf("got %v, %v", got, err)
	}
	for in, want := range map[string]string{
		"png":     `got "png", want some of coe, mif, h separated by commas`,
		"coe,coe": "got coe twice, want each once",
	} {
		if _, err := ParseImages(in); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", in, err, want)
		}
	}
}
