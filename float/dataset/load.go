package dataset

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Samples a split of a generated set, if Options does not say.
const (
	DefaultTrain = 20000
	DefaultTest  = 4000
)

// Options of Load. The zero value is ready to use.
type Options struct {
	Root string // folder that holds mnist, fashion-mnist, digits; "" means the value of GLSNN_DATA

	// Only is "train" or "test" for callers that need one split: the other is not
	// read, and nil, where Load knows the number of classes without it. Else "".
	Only string

	// For the generated sets only; a split of files is always read whole.
	Train, Test int    // samples; 0 means DefaultTrain, DefaultTest
	Seed        uint64 // any value
	Workers     int    // goroutines, below 1 means GOMAXPROCS; does not change the data
}

// Info describes a set that Load knows by name.
type Info struct {
	Name        string
	Generated   bool   // made by this package; needs no files
	Where       string // folder it was found in; "" if it is generated or was not found
	Train, Test int    // samples; for a generated set the defaults
	Rows, Cols  int
	Classes     int
	Description string
}

// builtins in the order of Names. aliases are other spellings that Load and Fetch accept.
var builtins = []struct {
	Info
	aliases []string
	folder  string // below Root or the cache; "" if generated
}{
	{Info{Name: "digits", Generated: true, Train: DefaultTrain, Test: DefaultTest, Rows: side, Cols: side, Classes: 10,
		Description: "rendered digits of 12 fonts, distorted; about as hard as MNIST"}, nil, ""},
	{Info{Name: "digits-hard", Generated: true, Train: DefaultTrain, Test: DefaultTest, Rows: side, Cols: side, Classes: 10,
		Description: "the same, distorted more, tested on four fonts not trained on"}, nil, ""},
	{Info{Name: "mnist", Train: 60000, Test: 10000, Rows: 28, Cols: 28, Classes: 10,
		Description: "handwritten digits, LeCun, Cortes, Burges 1998"}, nil, "mnist"},
	{Info{Name: "fashion-mnist", Train: 60000, Test: 10000, Rows: 28, Cols: 28, Classes: 10,
		Description: "clothing articles, Xiao, Rasul, Vollgraf 2017"}, []string{"fashion"}, "fashion-mnist"},
	{Info{Name: "optdigits", Train: optdigitsTrain, Test: optdigitsTest, Rows: optdigitsSide, Cols: optdigitsSide, Classes: 10,
		Description: "small handwritten digits, Alpaydin, Kaynak 1998; first 1297 train, last 500 test"}, nil, "digits"},
}

// Names describes the sets that Load knows by name, in a fixed order, looking for files where Load would with zero
// Options. Where is set if the first file of a set is there; the files are not read.
func Names() []Info { return names(Options{}) }

func names(opt Options) []Info {
	var infos []Info
	for _, b := range builtins {
		if !b.Generated {
			b.Where, _ = locate(b.Name, b.folder, opt)
		}
		infos = append(infos, b.Info)
	}
	return infos
}

// Load returns the training and the test split of spec, which is
//
//   - "digits" or "digits-hard": rendered, see Digits;
//   - "mnist", "fashion-mnist" (or "fashion"), "optdigits": files in the folder of that name ("digits" for
//     optdigits) below opt.Root or, if none are there, below glsnn in os.UserCacheDir;
//   - a folder, if spec holds a path separator or names an existing directory: the four IDX files
//     train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte. Classes is
//     then one more than the largest label of both splits.
//
// A name wins over a directory; write ./digits for the latter. Each file may be plain or gzip and have the suffix .gz
// or not; if both are there, .gz is read. optdigits has no given split: the first 1297 samples train, the last 500
// test.
//
// A set or file that is missing is an ErrNotFound that names the folders looked in. Broken files are the errors of
// ReadImages, ReadLabels and ReadOptdigits; splits or image and label files that do not fit together are named in
// pairs.
func Load(spec string, opt Options) (train, test *Set, err error) {
	for _, b := range builtins {
		if !isName(spec, b.Name, b.aliases) {
			continue
		}
		if b.Generated {
			return loadDigits(b.Name, opt)
		}
		dir, err := locate(b.Name, b.folder, opt)
		if err != nil {
			return nil, nil, err
		}
		if b.Name == "optdigits" {
			return loadOptdigits(dir)
		}
		return loadIDX(b.Name, dir, b.Classes, opt.Only)
	}
	info, statErr := os.Stat(spec)
	isDir := statErr == nil && info.IsDir()
	if !isDir && !strings.ContainsAny(spec, "/"+string(filepath.Separator)) {
		var known []string
		for _, b := range builtins {
			known = append(known, b.Name)
		}
		return nil, nil, fmt.Errorf("data set: got %q, want %s or a folder: %w", spec, strings.Join(known, ", "), ErrNotFound)
	}
	if statErr == nil && !isDir {
		return nil, nil, fmt.Errorf("%s: got a file, want a folder with IDX files", spec)
	}
	if statErr != nil && !os.IsNotExist(statErr) {
		return nil, nil, statErr
	}
	if !isDir {
		return nil, nil, fmt.Errorf("%s: no such folder: %w", spec, ErrNotFound)
	}
	return loadIDX(filepath.Base(filepath.Clean(spec)), spec, 0, "")
}

func isName(spec, name string, aliases []string) bool {
	for _, a := range aliases {
		if spec == a {
			return true
		}
	}
	return spec == name
}

func loadDigits(name string, opt Options) (train, test *Set, err error) {
	if opt.Train == 0 {
		opt.Train = DefaultTrain
	}
	if opt.Test == 0 {
		opt.Test = DefaultTest
	}
	if opt.Only != "test" {
		if train, err = Digits(name, false, opt.Train, opt.Seed, opt.Workers); err != nil {
			return nil, nil, err
		}
	}
	if opt.Only != "train" {
		if test, err = Digits(name, true, opt.Test, opt.Seed, opt.Workers); err != nil {
			return nil, nil, err
		}
	}
	return train, test, nil
}

// The files of a set, without the suffix .gz.
const (
	fileTrainImages = "train-images-idx3-ubyte"
	fileTrainLabels = "train-labels-idx1-ubyte"
	fileTestImages  = "t10k-images-idx3-ubyte"
	fileTestLabels  = "t10k-labels-idx1-ubyte"
	fileOptdigits   = "digits.csv"
)

// locate returns the first folder that holds the first file of a set.
func locate(name, folder string, opt Options) (string, error) {
	file := fileTrainImages
	if name == "optdigits" {
		file = fileOptdigits
	}
	root := opt.Root
	if root == "" {
		root = os.Getenv("GLSNN_DATA")
	}
	var dirs []string
	if root != "" {
		dirs = append(dirs, filepath.Join(root, folder))
	}
	if cache, err := cacheDir(folder); err == nil {
		dirs = append(dirs, cache)
	}
	for _, dir := range dirs {
		if _, err := findFile(dir, file); err == nil {
			return dir, nil
		}
	}
	looked := "nowhere (no GLSNN_DATA, no cache folder)"
	if len(dirs) > 0 {
		looked = strings.Join(dirs, " and ")
	}
	cure := "run `glsnn data fetch " + name + "`"
	if len(catalogue[name].mirrors) == 0 {
		cure = "run `glsnn data fetch " + name + " --from FOLDER`"
	}
	return "", fmt.Errorf("%s: %w: looked in %s; %s, or set GLSNN_DATA to the folder that holds %s",
		name, ErrNotFound, looked, cure, folder)
}

func cacheDir(folder string) (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "glsnn", folder), nil
}

// findFile returns the path of file.gz or else file in dir.
func findFile(dir, file string) (string, error) {
	for _, suffix := range []string{".gz", ""} {
		path := filepath.Join(dir, file+suffix)
		info, err := os.Stat(path)
		if err == nil && !info.IsDir() {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s: want %s.gz or %s: %w", dir, file, file, ErrNotFound)
}

// openFile opens file.gz or else file in dir; name is for messages.
func openFile(dir, file string) (f fs.File, name string, err error) {
	path, err := findFile(dir, file)
	if err != nil {
		return nil, "", err
	}
	f, err = os.Open(path)
	return f, path, err
}

// loadIDX reads the two splits of dir, or only one. classes 0 means: as many as the labels of both show.
func loadIDX(name, dir string, classes int, only string) (train, test *Set, err error) {
	switch only {
	case "train":
		train, _, err = loadSplit(name, dir, fileTrainImages, fileTrainLabels, classes)
		return train, nil, err
	case "test":
		test, _, err = loadSplit(name, dir, fileTestImages, fileTestLabels, classes)
		return nil, test, err
	}
	limit := classes
	if limit == 0 {
		limit = 256
	}
	train, trainPath, err := loadSplit(name, dir, fileTrainImages, fileTrainLabels, limit)
	if err != nil {
		return nil, nil, err
	}
	test, testPath, err := loadSplit(name, dir, fileTestImages, fileTestLabels, limit)
	if err != nil {
		return nil, nil, err
	}
	if train.Rows != test.Rows || train.Cols != test.Cols {
		return nil, nil, fmt.Errorf("%s has %d x %d pixels, %s has %d x %d: want the same",
			trainPath, train.Rows, train.Cols, testPath, test.Rows, test.Cols)
	}
	if classes == 0 {
		for _, s := range []*Set{train, test} {
			for _, l := range s.Labels {
				classes = max(classes, int(l)+1)
			}
		}
	}
	train.Classes, test.Classes = classes, classes
	return train, test, nil
}

func loadSplit(name, dir, imageFile, labelFile string, classes int) (s *Set, imagePath string, err error) {
	f, imagePath, err := openFile(dir, imageFile)
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	s = &Set{Name: name}
	if s.Rows, s.Cols, s.Pixels, err = ReadImages(f, imagePath); err != nil {
		return nil, "", err
	}
	g, labelPath, err := openFile(dir, labelFile)
	if err != nil {
		return nil, "", err
	}
	defer g.Close()
	s.Classes = classes
	if s.Labels, err = ReadLabels(g, labelPath, classes); err != nil {
		return nil, "", err
	}
	if images := len(s.Pixels) / (s.Rows * s.Cols); images != len(s.Labels) {
		return nil, "", fmt.Errorf("%s has %d images, %s has %d labels: want the same", imagePath, images, labelPath, len(s.Labels))
	}
	return s, imagePath, nil
}

func loadOptdigits(dir string) (train, test *Set, err error) {
	f, path, err := openFile(dir, fileOptdigits)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	s, err := ReadOptdigits(f, path)
	if err != nil {
		return nil, nil, err
	}
	if s.Len() != optdigitsTrain+optdigitsTest {
		return nil, nil, &FieldError{Path: path, Field: "lines", Got: fmt.Sprint(s.Len()), Want: fmt.Sprint(optdigitsTrain + optdigitsTest)}
	}
	return s.SplitTail(optdigitsTest)
}
