package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// imports is who may import whom, tests aside: a package's own packages and
// outside modules ("tree/..." is all below it). The standard library is free. A new edge
// belongs here with a reason, or not in the code.
var imports = map[string]string{
	"fixedpoint/artefact": "", // the leaf: containers of bytes
	"fixedpoint":          "fixedpoint/artefact",
	"fixedpoint/quantize": "fixedpoint float",
	"fixedpoint/fptest":   "fixedpoint",

	"fixedpoint/tier":          "golang.org/x/sys/cpu", // which kernels run; for float and emulator alike
	"fixedpoint/tier/tiertest": "fixedpoint/tier",

	"float/dataset":  "golang.org/x/image/...", // fonts of the built-in digits
	"float/encode":   "",
	"float/tsne":     "",
	"float/simd":     "fixedpoint/tier",
	"float/simd/gen": "github.com/mmcloughlin/avo/...", // a module of its own
	"float":          "float/dataset float/encode float/simd fixedpoint/artefact gonum.org/v1/gonum/...",

	"targets": "fixedpoint gopkg.in/yaml.v3",

	"emulator/simd":      "fixedpoint/tier golang.org/x/sys/unix", // large pages under large matrices
	"emulator/simd/gen":  "github.com/mmcloughlin/avo/...",        // a module of its own
	"emulator/machine":   "fixedpoint targets",
	"emulator/reference": "fixedpoint targets emulator/machine",
	"emulator":           "fixedpoint targets emulator/machine emulator/reference emulator/simd",
	"emulator/emutest":   "fixedpoint fixedpoint/fptest targets emulator emulator/machine emulator/reference",
	"emulator/vectors":   "fixedpoint fixedpoint/artefact targets emulator emulator/machine emulator/reference",
	"emulator/parity":    "fixedpoint targets emulator float float/dataset float/encode",
	"emulator/profile":   "fixedpoint emulator/machine emulator/reference float float/dataset float/encode",
	"emulator/cost":      "fixedpoint emulator emulator/learn targets",
	"emulator/faults":    "fixedpoint targets",

	"emulator/learn":           "fixedpoint fixedpoint/artefact emulator",
	"emulator/learn/reference": "fixedpoint emulator/learn emulator/machine emulator/reference",
	"emulator/learn/twin":      "fixedpoint emulator emulator/learn",
	"emulator/learn/course":    "fixedpoint fixedpoint/artefact emulator emulator/learn emulator/learn/reference float/dataset float/encode",

	"emulator/neurobench": "fixedpoint emulator",

	"export/place":    "targets",
	"export":          "fixedpoint targets export/place",
	"export/table":    "fixedpoint fixedpoint/artefact targets export",
	"export/rtl":      "fixedpoint/artefact",
	"export/crossbar": "fixedpoint fixedpoint/artefact targets export export/rtl export/table",
	"export/mesh":     "fixedpoint fixedpoint/artefact targets export export/rtl export/table",

	"cmd/glsnn/chart":     "", // SVG only
	"cmd/glsnn/report":    "cmd/glsnn/chart",
	"cmd/glsnn/reproduce": "cmd/glsnn/chart fixedpoint/artefact float float/dataset float/encode float/tsne",
	"cmd/glsnn":           "cmd/glsnn/bench cmd/glsnn/chart cmd/glsnn/report cmd/glsnn/reproduce fixedpoint/... float/... targets emulator/... export/... fixedpoint float emulator export github.com/spf13/...",

	// gonum's products are there to compare with.
	"cmd/glsnn/bench": "emulator emulator/simd fixedpoint fixedpoint/tier float float/dataset float/encode float/simd golang.org/x/sys/unix gonum.org/v1/gonum/...",
}

func TestImports(t *testing.T) {
	const module = "glsnn/"
	root := filepath.Join("..", "..")
	found := map[string]bool{}
	err := filepath.WalkDir(root, func(file string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() && file != root && (e.Name() == "testdata" || strings.HasPrefix(e.Name(), ".")) {
			return filepath.SkipDir
		}
		if e.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		rel, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			return err
		}
		pkg := filepath.ToSlash(rel)
		found[pkg] = true
		allowed, ok := imports[pkg]
		if !ok {
			t.Errorf("%s: package %s is not in the list of deps_test.go", file, pkg)
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range f.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			own, isOwn := strings.CutPrefix(name, module)
			if isOwn {
				name = own
			} else if first, _, _ := strings.Cut(name, "/"); !strings.Contains(first, ".") {
				continue // standard library
			}
			if !slices.ContainsFunc(strings.Fields(allowed), func(a string) bool { return matches(a, name) }) {
				t.Errorf("%s imports %s; the list of deps_test.go allows %s only: %s", file, name, pkg, allowed)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, pkg := range slices.Sorted(maps.Keys(imports)) {
		if !found[pkg] {
			t.Errorf("%s is in the list of deps_test.go and not in the tree", pkg)
		}
	}
}

func matches(allowed, name string) bool {
	tree, ok := strings.CutSuffix(allowed, "/...")
	return name == allowed || ok && strings.HasPrefix(name, tree+"/")
}
