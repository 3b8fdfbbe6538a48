package dataset

import (
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// cacheIn makes os.UserCacheDir fail or stay below a temporary folder, and clears GLSNN_DATA. It returns the folder
// that Load uses as cache.
func cacheIn(t *testing.T) string {
	t.Helper()
	home := t.TempDir()
	for _, name := range []string{"XDG_CACHE_HOME", "HOME", "LocalAppData"} {
		t.Setenv(name, home)
	}
	t.Setenv("GLSNN_DATA", "")
	dir, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "glsnn")
}

func writeFile(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
		t.Fatal(err)
	}
}

func imageFile(s *Set) []byte {
	return join(words(0x803, uint32(s.Len()), uint32(s.Rows), uint32(s.Cols)), s.Pixels)
}

func labelFile(s *Set) []byte { return join(words(0x801, uint32(s.Len())), s.Labels) }

// writeSets writes four IDX files, the labels packed.
func writeSets(t *testing.T, dir string, train, test *Set) {
	t.Helper()
	writeFile(t, dir, fileTrainImages, imageFile(train))
	writeFile(t, dir, fileTrainLabels+".gz", zipped(t, labelFile(train)))
	writeFile(t, dir, fileTestImages, imageFile(test))
	writeFile(t, dir, fileTestLabels+".gz", zipped(t, labelFile(test)))
}

func TestLoadFolder(t *testing.T) {
	cacheIn(t)
	dir := filepath.Join(t.TempDir(), "mine")
	train, test := randomSet(9, 4, 3, 5, 1), randomSet(4, 4, 3, 5, 2)
	train.Labels[3], test.Labels[2] = 2, 6
	writeSets(t, dir, train, test)
	a, b, err := Load(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	train.Classes, test.Classes = 7, 7
	if a.Hash() != train.Hash() || b.Hash() != test.Hash() || a.Name != "mine" {
		t.Errorf("got %q, %d classes", a.Name, a.Classes)
	}

	t.Chdir(filepath.Dir(dir)) // a directory needs no separator
	if a, _, err = Load("mine", Options{}); err != nil || a.Len() != 9 {
		t.Error(err)
	}
}

func TestLoadNamed(t *testing.T) {
	cache := cacheIn(t)
	root := t.TempDir()
	one, two := randomSet(9, 4, 3, 5, 1), randomSet(4, 4, 3, 5, 2)
	writeSets(t, filepath.Join(cache, "mnist"), one, two)
	load := func(spec string, opt Options) *Set {
		t.Helper()
		s, _, err := Load(spec, opt)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if s := load("mnist", Options{Root: root}); s.Classes != 10 || !bytes.Equal(s.Pixels, one.Pixels) {
		t.Error("want the cache if the root has no such set")
	}
	writeSets(t, filepath.Join(root, "mnist"), two, one)
	if s := load("mnist", Options{Root: root}); !bytes.Equal(s.Pixels, two.Pixels) {
		t.Error("want the root first")
	}
	t.Setenv("GLSNN_DATA", root)
	if s := load("mnist", Options{}); !bytes.Equal(s.Pixels, two.Pixels) {
		t.Error("want GLSNN_DATA if no root is given")
	}
	writeSets(t, filepath.Join(root, "fashion-mnist"), one, two)
	if s := load("fashion", Options{}); s.Name != "fashion-mnist" {
		t.Errorf("got %s", s.Name)
	}

	var text strings.Builder
	for i := range 1797 {
		text.WriteString(csvLine(i%10) + "\n")
	}
	writeFile(t, filepath.Join(root, "digits"), "digits.csv", []byte(text.String()))
	train, test, err := Load("optdigits", Options{})
	if err != nil || train.Len() != 1297 || test.Len() != 500 || test.Labels[0] != 7 {
		t.Errorf("optdigits: %v", err)
	}
	writeFile(t, filepath.Join(root, "digits"), "digits.csv", []byte(csvLine(1)))
	_, _, err = Load("optdigits", Options{})
	checkError(t, err, filepath.Join(root, "digits", "digits.csv")+": lines: got 1, want 1797")

	for _, info := range Names() {
		want := map[string]string{"mnist": "mnist", "fashion-mnist": "fashion-mnist", "optdigits": "digits"}[info.Name]
		if want != "" {
			want = filepath.Join(root, want)
		}
		if info.Where != want || info.Generated != (want == "") {
			t.Errorf("%s: where: got %q, want %q", info.Name, info.Where, want)
		}
	}
}

// TestLoadOnly: one split is the same without the other, which is left out where it can be.
func TestLoadOnly(t *testing.T) {
	cache := cacheIn(t)
	folder := filepath.Join(cache, "mnist")
	one, two := randomSet(9, 4, 3, 5, 1), randomSet(4, 4, 3, 5, 2)
	writeSets(t, folder, one, two)
	for spec, left := range map[string]bool{"mnist": true, "digits": true, folder: false} {
		opt := Options{Train: 30, Test: 20, Seed: 1}
		train, test, err := Load(spec, opt)
		if err != nil {
			t.Fatal(err)
		}
		for only, want := range map[string]*Set{"train": train, "test": test} {
			opt.Only = only
			got, other, err := Load(spec, opt)
			if err != nil {
				t.Fatal(err)
			}
			if only == "test" {
				got, other = other, got
			}
			if got.Hash() != want.Hash() || got.Name != want.Name || (other == nil) != left {
				t.Errorf("%s, only %s: other data than with both, or another split left out", spec, only)
			}
		}
	}
	writeFile(t, folder, fileTrainImages, nil)
	if _, test, err := Load("mnist", Options{Only: "test"}); err != nil || test.Len() != 4 {
		t.Errorf("a damaged file that is not needed: %v", err)
	}
}

func TestLoadDigits(t *testing.T) {
	train, test, err := Load("digits", Options{Train: 30, Test: 20, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	a, _ := Digits("digits", false, 30, 1, 1)
	b, _ := Digits("digits", true, 20, 1, 1)
	if train.Hash() != a.Hash() || test.Hash() != b.Hash() {
		t.Error("Load differs from Digits")
	}
	_, _, err = Load("digits-hard", Options{Train: -3})
	checkError(t, err, "digits-hard: samples: got -3, want 1..1048576")
	_, _, err = Load("digits-hard", Options{Train: 1, Test: -4})
	checkError(t, err, "digits-hard: samples: got -4, want 1..1048576")
}

func TestLoadNotFound(t *testing.T) {
	cache := cacheIn(t)
	root := t.TempDir()
	for _, c := range []struct {
		spec string
		opt  Options
		want string
	}{
		{"mnist", Options{}, "mnist: data set not found: looked in " + filepath.Join(cache, "mnist") +
			"; run `glsnn data fetch mnist`, or set GLSNN_DATA to the folder that holds mnist"},
		{"fashion", Options{Root: root}, "fashion-mnist: data set not found: looked in " + filepath.Join(root, "fashion-mnist") + " and " +
			filepath.Join(cache, "fashion-mnist") + "; run `glsnn data fetch fashion-mnist`, or set GLSNN_DATA to the folder that holds fashion-mnist"},
		{"optdigits", Options{}, "optdigits: data set not found: looked in " + filepath.Join(cache, "digits") +
			"; run `glsnn data fetch optdigits --from FOLDER`, or set GLSNN_DATA to the folder that holds digits"},
		{"mnits", Options{}, `data set: got "mnits", want digits, digits-hard, mnist, fashion-mnist, optdigits or a folder: data set not found`},
		{"", Options{}, `data set: got "", want digits, digits-hard, mnist, fashion-mnist, optdigits or a folder: data set not found`},
		{root + "/none", Options{}, root + "/none: no such folder: data set not found"},
		{root, Options{}, root + ": want train-images-idx3-ubyte.gz or train-images-idx3-ubyte: data set not found"},
	} {
		_, _, err := Load(c.spec, c.opt)
		checkError(t, err, c.want)
		if !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: want ErrNotFound", c.spec)
		}
	}
	for _, info := range Names() {
		if info.Where != "" {
			t.Errorf("%s: got %q, want nowhere", info.Name, info.Where)
		}
	}
	file := filepath.Join(root, "file")
	writeFile(t, root, "file", nil)
	_, _, err := Load(file, Options{})
	checkError(t, err, file+": got a file, want a folder with IDX files")

	for _, name := range []string{"XDG_CACHE_HOME", "HOME", "LocalAppData"} {
		t.Setenv(name, "")
	}
	_, _, err = Load("mnist", Options{})
	checkError(t, err, "mnist: data set not found: looked in nowhere (no GLSNN_DATA, no cache folder); run `glsnn data fetch mnist`, or set GLSNN_DATA to the folder that holds mnist")
}

func TestLoadBadFolder(t *testing.T) {
	cacheIn(t)
	a, b := randomSet(9, 4, 3, 5, 1), randomSet(4, 4, 3, 5, 2)
	for _, c := range []struct {
		name  string
		spoil func(dir string)
		want  string // DIR stands for the folder
	}{
		{"no labels", func(dir string) { os.Remove(filepath.Join(dir, fileTrainLabels+".gz")) },
			"DIR: want train-labels-idx1-ubyte.gz or train-labels-idx1-ubyte: data set not found"},
		{"count", func(dir string) { writeFile(t, dir, fileTestLabels+".gz", labelFile(a)) },
			"DIR/t10k-images-idx3-ubyte has 4 images, DIR/t10k-labels-idx1-ubyte.gz has 9 labels: want the same"},
		{"shape", func(dir string) { writeFile(t, dir, fileTestImages, imageFile(randomSet(4, 3, 4, 5, 1))) },
			"DIR/train-images-idx3-ubyte has 4 x 3 pixels, DIR/t10k-images-idx3-ubyte has 3 x 4: want the same"},
		{"swapped", func(dir string) { writeFile(t, dir, fileTrainImages, labelFile(a)) },
			"DIR/train-images-idx3-ubyte: magic: got 0x00000801, want 0x00000803 (IDX images)"},
		{"gz first", func(dir string) { writeFile(t, dir, fileTrainImages+".gz", nil) },
			"DIR/train-images-idx3-ubyte.gz: magic: got 0 bytes, want 4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			writeSets(t, dir, a, b)
			c.spoil(dir)
			_, _, err := Load(dir, Options{})
			checkError(t, err, filepath.FromSlash(strings.ReplaceAll(c.want, "DIR", dir)))
		})
	}
	root := t.TempDir()
	a.Labels[5] = 10
	writeSets(t, filepath.Join(root, "mnist"), a, b)
	_, _, err := Load("mnist", Options{Root: root})
	checkError(t, err, filepath.Join(root, "mnist", fileTrainLabels+".gz")+": label 5: got 10, want 0..9")
}

// TestRealSets checks the published files against what is on record about them.
func TestRealSets(t *testing.T) {
	root := os.Getenv("GLSNN_DATA")
	for _, c := range []struct {
		name        string
		train, test int
		trainLabels []uint8
		testLabels  []uint8
		trainMean   float64 // of pixel/255
		trainCounts []int   // label 0, 1, ...
		files       string
	}{
		{name: "mnist", train: 60000, test: 10000, files: "mnist",
			trainLabels: []uint8{5, 0, 4, 1, 9, 2, 1, 3, 1, 4}, testLabels: []uint8{7, 2, 1, 0, 4, 1, 4, 9, 5, 9},
			trainMean: 0.130660, trainCounts: []int{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949}},
		{name: "fashion-mnist", train: 60000, test: 10000, files: "fashion-mnist",
			trainLabels: []uint8{9, 0, 0, 3, 0, 2, 7, 2, 5, 5}, testLabels: []uint8{9, 2, 1, 1, 6, 1, 4, 6, 5, 7},
			trainMean: 0.286041, trainCounts: []int{6000, 6000, 6000, 6000, 6000, 6000, 6000, 6000, 6000, 6000}},
		{name: "optdigits", train: 1297, test: 500, files: "digits",
			trainLabels: []uint8{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := os.Stat(filepath.Join(root, c.files)); root == "" || err != nil {
				t.Skipf("set GLSNN_DATA to a folder that holds %s to run this test", c.files)
			}
			train, test, err := Load(c.name, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(train.Validate(), test.Validate()); err != nil {
				t.Fatal(err)
			}
			if train.Len() != c.train || test.Len() != c.test {
				t.Errorf("got %d and %d samples", train.Len(), test.Len())
			}
			if !slices.Equal(train.Labels[:10], c.trainLabels) {
				t.Errorf("first training labels: got %v, want %v", train.Labels[:10], c.trainLabels)
			}
			if c.testLabels != nil && !slices.Equal(test.Labels[:10], c.testLabels) {
				t.Errorf("first test labels: got %v, want %v", test.Labels[:10], c.testLabels)
			}
			if c.trainCounts != nil {
				sum, counts := int64(0), make([]int, 10)
				for _, p := range train.Pixels {
					sum += int64(p)
				}
				for _, l := range train.Labels {
					counts[l]++
				}
				if mean := float64(sum) / 255 / float64(len(train.Pixels)); math.Abs(mean-c.trainMean) > 1e-6 {
					t.Errorf("mean: got %.6f, want %.6f", mean, c.trainMean)
				}
				if !slices.Equal(counts, c.trainCounts) {
					t.Errorf("label counts: got %v, want %v", counts, c.trainCounts)
				}
			}
		})
	}
}
