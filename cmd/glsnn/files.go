package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"glsnn/export/crossbar"
	"glsnn/export/mesh"
	"glsnn/export/table"
	"glsnn/fixedpoint"
	"glsnn/float"
	"glsnn/float/dataset"
)

// Default file names: the plain sequence of commands works in one folder.
const (
	defaultNetwork = "network.glsnn"
	defaultModel   = "model.glsnn"
	defaultTables  = "tables"
)

func loadNetwork(path string) (*float.Network, string, error) {
	net, hash, err := float.LoadNetwork(path)
	return net, hash, fileFault(err, path, "--network", "glsnn train")
}

func loadModel(path string) (*fixedpoint.Model, string, error) {
	m, hash, err := fixedpoint.LoadModel(path)
	return m, hash, fileFault(err, path, "--model", "glsnn quantize")
}

func loadCheckpoint(path string) (*float.Checkpoint, error) {
	c, err := float.LoadCheckpoint(path)
	return c, fileFault(err, path, "--checkpoint", "glsnn train")
}

// tableKinds are the kinds of table folders.
func tableKinds() []string { return []string{table.Kind, crossbar.Kind, mesh.Kind} }

// readManifest reads a table folder's manifest and checks its files against it.
func readManifest(dir string) (*table.Manifest, error) {
	man, err := table.ReadManifest(dir, tableKinds()...)
	s, statErr := os.Stat(dir)
	switch {
	case statErr == nil && !s.IsDir():
		return nil, usage("%s: got a file, want a table folder", dir)
	case errors.Is(err, fs.ErrNotExist) && statErr == nil:
		return nil, usage("%s: got a folder without manifest.json, want a table folder; 'glsnn export' makes one", dir)
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s: no such folder; 'glsnn export' makes a table folder", dir)
	}
	return man, err
}

// writable refuses, before the work is done, an output that cannot be written
// and one that is an input: a file, or a folder's data files.
func writable(out string, inputs ...string) error { return flagWritable("-o", out, inputs...) }

// flagWritable is writable for a file that another flag names.
func flagWritable(flag, out string, inputs ...string) error {
	s, err := os.Stat(out)
	if err == nil && !s.Mode().IsRegular() {
		return usage("%s: got %s, which is a directory or a device; want a file", flag, out)
	}
	if _, linkErr := os.Lstat(out); err != nil && linkErr == nil {
		return usage("%s: got %s, a link to what is not there; want a file", flag, out)
	}
	if out == "" {
		return usage("%s: got nothing, want a file name", flag)
	}
	if err := notInput(flag, out, inputs...); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(out), ".glsnn-tmp-")
	if err != nil {
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err // the temporary name says nothing
		}
		return fmt.Errorf("%s: %s: cannot write there: %w", flag, out, err)
	}
	f.Close()
	return os.Remove(f.Name())
}

// notInput refuses to write over what is read: the input itself, a folder that
// holds it, or one of a data folder's files.
func notInput(flag, out string, inputs ...string) error {
	for _, in := range inputs {
		if in == "" {
			continue
		}
		files := []string{in}
		if isDir(in) {
			for _, file := range []string{"*-ubyte", "*-ubyte.gz", "digits.csv", "digits.csv.gz"} {
				more, _ := filepath.Glob(filepath.Join(in, file))
				files = append(files, more...)
			}
		}
		if slices.ContainsFunc(files, func(f string) bool { return contains(out, f) }) {
			return usage("%s: got %s, which is or holds what is read (%s); want another name", flag, out, in)
		}
	}
	return nil
}

// contains says whether file is out or lies below it.
func contains(out, file string) bool {
	oi, err := os.Stat(out)
	if err != nil {
		return filepath.Clean(out) == filepath.Clean(file)
	}
	path, err := filepath.Abs(file)
	if err != nil {
		return false
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	for {
		if fi, err := os.Stat(path); err == nil && os.SameFile(oi, fi) {
			return true
		}
		up := filepath.Dir(path)
		if up == path {
			return false
		}
		path = up
	}
}

// dataFolder is where a data set's files are, for notInput; "" for none.
func dataFolder(name string) string {
	for _, i := range dataset.Names() {
		if i.Name == name {
			return i.Where
		}
	}
	return name
}

// dataFlags choose samples.
type dataFlags struct {
	data    string
	split   string
	samples int
	asked   *pflag.Flag // --samples; nil in demo. Not set by the user, it is a most.
}

func (d *dataFlags) register(cmd *cobra.Command, split string, samples int, what string) {
	f := cmd.Flags()
	f.StringVar(&d.data, "data", "", "data set: a name of 'glsnn data list' or a folder of IDX files (default: the one trained on)")
	if split != "" {
		f.StringVar(&d.split, "split", split, "which samples: train or test")
	}
	f.IntVar(&d.samples, "samples", samples, what)
	d.asked = f.Lookup("samples")
}

// check finds what is wrong without looking at data.
func (d *dataFlags) check() error {
	if d.split != "train" && d.split != "test" {
		return usage("--split: got %q, want train or test", d.split)
	}
	if d.samples < 0 {
		return usage("--samples: got %d, want 0 or more", d.samples)
	}
	return nil
}

// given says whether the user said how many samples.
func (d *dataFlags) given() bool { return d.asked != nil && d.asked.Changed }

// load returns the samples that a network trained on ref is to be run on. All
// of them if samples is 0.
func (d *dataFlags) load(a *app, ref float.DataRef, inputs int) (*dataset.Set, error) {
	if d.data != "" {
		ref.Name = d.data
	}
	if err := d.check(); err != nil {
		return nil, err
	}
	train, test, err := loadData(a, ref.Name, ref.Size, d.split)
	if err != nil {
		return nil, err
	}
	set := test
	if d.split == "train" {
		set = train
	}
	if got := set.Rows * set.Cols; got != inputs {
		return nil, usage("--data %s: pixels: got %d x %d, want the network's %d inputs", ref.Name, set.Rows, set.Cols, inputs)
	}
	if d.samples > set.Len() && d.given() {
		return nil, usage("--samples: got %d, want at most the %d of the %s split", d.samples, set.Len(), d.split)
	}
	if d.samples > 0 && d.samples < set.Len() {
		set = set.Slice(0, d.samples)
	}
	return set, nil
}

// loader is load for a model, when it is needed.
func (d *dataFlags) loader(a *app, m *fixedpoint.Model) func() (*dataset.Set, error) {
	return func() (*dataset.Set, error) { return d.load(a, modelData(m), m.Inputs()) }
}

// loadData reads both splits and pools them to side size, 0 for as they are.
// With only the other split may be nil.
func loadData(a *app, name string, size int, only string) (train, test *dataset.Set, err error) {
	if name == "" {
		return nil, nil, usage("--data: got nothing, and the file names no data set; want a name of 'glsnn data list' or a folder")
	}
	if train, test, err = dataset.Load(name, dataset.Options{Workers: a.jobs, Only: only}); err != nil {
		return nil, nil, dataFault(err, name)
	}
	if size == 0 {
		return train, test, nil
	}
	for _, set := range []**dataset.Set{&train, &test} {
		s := *set
		if s == nil {
			continue
		}
		if side := min(s.Rows, s.Cols); size < 1 || size > side {
			return nil, nil, usage("--size: got %d, want 1..%d, or 0 for the %d x %d of %s", size, side, s.Rows, s.Cols, name)
		}
		if *set, err = s.Pool(size); err != nil {
			return nil, nil, err
		}
	}
	return train, test, nil
}

// dataFault gives a data set's error its exit code: a name that is none is a
// mistake in the call, files that were read and make no sense are damaged.
func dataFault(err error, name string) error {
	s, statErr := os.Stat(name)
	switch {
	case errors.Is(err, dataset.ErrNotFound):
		if !strings.ContainsAny(name, `/\`) && !isDataName(name) {
			return usage("--data: %w", err)
		}
		return err
	case statErr == nil && !s.IsDir() && !isDataName(name):
		return usage("--data: %w", err)
	}
	return damaged(err)
}

func isDataName(name string) bool {
	return slices.ContainsFunc(dataset.Names(), func(i dataset.Info) bool { return i.Name == name }) || name == "fashion"
}

// keepEarlier renames a checkpoint that another run may want to go on from, unless
// it is of one that has not begun.
func (a *app) keepEarlier(checkpoint string, begun func() bool) error {
	if info, err := os.Lstat(checkpoint); err != nil || !info.Mode().IsRegular() || !begun() {
		return nil
	}
	if err := os.Rename(checkpoint, checkpoint+".old"); err != nil {
		return err
	}
	a.say("kept the earlier %s as %s.old; --resume would have gone on from it", checkpoint, checkpoint)
	return nil
}
