package table

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"glsnn/export"
	"glsnn/fixedpoint/artefact"
	"glsnn/targets"
)

type fileEntry = artefact.FileEntry

// Options say what made a folder, and what is written beside the tables.
type Options struct {
	Tool       string         // the program and its version
	Model      string         // sha256 of the model file that was exported
	TargetSpec string         // how the user named the chip
	Images     []Image        // further forms of the synapse rows
	Layout     *export.Layout // of a mapping, for the manifest
	Force      bool           // replace an earlier table folder
	Stimuli    *Stimuli
	More       []File // further files, under the same manifest; Read does not look at them
}

// File is a file below a table folder.
type File struct {
	Name string // slash-separated
	Data []byte
}

// Write makes the folder dir from mp, whole or not at all.
func Write(dir string, mp *export.Mapping, o Options) error {
	if err := mp.Check(); err != nil {
		return err
	}
	if isLoihi(mp) {
		if err := errors.Join(loihiSuits(mp.Model.Arithmetic), loihiHolds(mp.Chip)); err != nil {
			return fmt.Errorf("target %s: tables: %w: %w", mp.Chip.Name, export.ErrNoFit, err)
		}
		if len(o.Images) > 0 {
			return fmt.Errorf("target %s: tables: %w: got images %v, want none with format %s", mp.Chip.Name, export.ErrNoFit, o.Images, mp.Chip.Tables.Format)
		}
	}
	return artefact.WriteDir(dir, o.Force, func(tmp string) error { return writeFiles(tmp, mp, o) })
}

func isLoihi(mp *export.Mapping) bool { return mp.Chip.Tables.Format == targets.LoihiTables }

// writeFiles fills the empty folder dir.
func writeFiles(dir string, mp *export.Mapping, o Options) error {
	read := *mp.Model // as Read rebuilds it: an integrator's threshold never acts
	read.Layers = slices.Clone(read.Layers)
	for i := range read.Layers {
		if read.Layers[i].Integrator {
			read.Layers[i].Threshold = 0
		}
	}
	if isLoihi(mp) {
		loihiModel(&read)
	}
	lowered, err := read.Hash()
	if err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(dir, "cores"), 0o777); err != nil {
		return err
	}
	w := writer{dir: dir}
	w.json("network.json", network(mp, o.Images))
	w.text("inputs.csv", func(b *bufio.Writer) { writeInputs(b, mp) })
	if !isLoihi(mp) {
		w.text("routes.csv", func(b *bufio.Writer) { writeRoutes(b, mp) })
	}
	for i, u := range mp.Footprint() {
		if isLoihi(mp) {
			writeLoihiCore(&w, mp, i, u)
			continue
		}
		name := coreName(u.Core)
		p := mp.Parts[i]
		r := rows{core(mp, u), func(axon, neuron int) int64 { return mp.Model.Layers[p.Layer].Weights.At(axon, p.First+neuron) }}
		w.json(name+".json", r.coreFile)
		w.text(name+".mem", func(b *bufio.Writer) { writeImage(b, r) })
		w.text(name+".csv", func(b *bufio.Writer) { writeRows(b, r) })
		for _, image := range o.Images {
			w.text(name+"."+string(image), func(b *bufio.Writer) { r.write(b, image) })
		}
	}
	for _, f := range o.More {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, filepath.FromSlash(f.Name))), 0o777); err != nil {
			return err
		}
		w.text(f.Name, func(b *bufio.Writer) { b.Write(f.Data) })
	}
	if w.err != nil {
		return w.err
	}
	return WriteManifest(dir, Manifest{
		Kind: Kind, Tool: o.Tool, Model: o.Model, Target: mp.Chip.Name, TargetSpec: o.TargetSpec, Chip: mp.Chip.SHA256,
		Lowered: lowered, Source: mp.Model.Source, Layout: o.Layout,
	})
}

// WriteManifest writes m as dir's manifest.json, with format, version and the
// hashes of every other file filled in.
func WriteManifest(dir string, m Manifest) error {
	var err error
	if m.Files, err = artefact.HashDir(dir); err != nil {
		return err
	}
	m.Format, m.Version = "glsnn", SchemaVersion
	w := writer{dir: dir}
	w.json("manifest.json", m)
	return w.err
}

// writer keeps the first error.
type writer struct {
	dir string
	err error
}

// text makes one file. WriteDir syncs them all.
func (w *writer) text(name string, fill func(*bufio.Writer)) {
	if w.err != nil {
		return
	}
	f, err := os.Create(filepath.Join(w.dir, filepath.FromSlash(name)))
	if err != nil {
		w.err = err
		return
	}
	b := bufio.NewWriter(f)
	fill(b)
	w.err = errors.Join(b.Flush(), f.Close())
}

func (w *writer) json(name string, v any) {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		w.err = errors.Join(w.err, fmt.Errorf("%s: %w", name, err))
		return
	}
	w.text(name, func(b *bufio.Writer) { b.Write(append(data, '\n')) })
}

func network(mp *export.Mapping, images []Image) networkFile {
	m := mp.Model
	n := networkFile{
		Inputs: m.Inputs(), Ticks: m.Ticks, LayerDelay: mp.Chip.Fabric.LayerDelay, Encoding: m.Encoding,
		Readout: m.Readout, Arithmetic: m.Arithmetic, Cores: mp.Cores, Images: append([]Image{}, images...),
	}
	lo, hi := mp.LayerParts(len(m.Layers) - 1)
	for p := lo; p < hi; p++ {
		for i := range mp.Parts[p].Count {
			n.Outputs = append(n.Outputs, address{mp.Cores[p], i})
		}
	}
	if isLoihi(mp) {
		n.Form, n.Limits = loihiForm, loihiLimitsOf(mp.Chip)
	}
	return n
}

func writeInputs(b *bufio.Writer, mp *export.Mapping) {
	b.WriteString("input,core,axon\n")
	lo, hi := mp.LayerParts(0)
	for i := range mp.Model.Inputs() {
		for p := lo; p < hi; p++ {
			fmt.Fprintf(b, "%d,%d,%d\n", i, mp.Cores[p], i)
		}
	}
}

func writeRoutes(b *bufio.Writer, mp *export.Mapping) {
	b.WriteString("core,neuron,dest_core,dest_axon\n")
	for i := range mp.Parts {
		eachRoute(mp, i, func(neuron int, core targets.CoreID, axon int) {
			fmt.Fprintf(b, "%d,%d,%d,%d\n", mp.Cores[i], neuron, core, axon)
		})
	}
}

// eachRoute calls visit for each way from a neuron of part i to an in-axon.
func eachRoute(mp *export.Mapping, i int, visit func(neuron int, core targets.CoreID, axon int)) {
	p := mp.Parts[i]
	lo, hi := mp.LayerParts(p.Layer + 1)
	for n := range p.Count {
		for q := lo; q < hi; q++ {
			visit(n, mp.Cores[q], p.First+n)
		}
	}
}

func core(mp *export.Mapping, u export.Use) coreFile {
	l := mp.Model.Layers[u.Part.Layer]
	c := coreFile{
		Core: u.Core, X: u.X, Y: u.Y, Neurons: u.Neurons, Axons: u.AxonsIn, WeightBits: l.WeightBits, StoredWeightBits: u.StoredBits,
		WeightExp: l.WeightExp, CurrentDecay: l.CurrentDecay, MembraneDecay: l.MembraneDecay, Threshold: l.Threshold,
		Reset: l.Reset, Integrator: l.Integrator, Scale: l.Scale,
		CurrentLeak: l.CurrentLeak, MembraneLeak: l.MembraneLeak, ResetValue: l.ResetValue, Refractory: l.Refractory,
		NegThreshold: l.NegThreshold, NegReset: l.NegReset, Delay: l.Delay,
	}
	if l.Integrator {
		c.Threshold = mp.Model.Arithmetic.Threshold.Max() // Lower has shown that it is never reached
	}
	return c
}

// packRow is one word of an image as hex: the row's weights, the last neuron's
// first.
func packRow(row []int64, bits int) []byte {
	digits := (len(row)*bits + 3) / 4
	var acc uint64 // bits of the word not yet written, lowest first
	have := 0
	out := make([]byte, digits)
	at := digits
	flush := func() {
		at--
		out[at] = "0123456789abcdef"[acc&15]
		acc >>= 4
	}
	mask := uint64(1)<<bits - 1
	for _, w := range row {
		acc |= (uint64(w) & mask) << have
		for have += bits; have >= 4; have -= 4 {
			flush()
		}
	}
	if have > 0 {
		flush()
	}
	return out
}

func writeImage(b *bufio.Writer, r rows) {
	fmt.Fprintf(b, "// %s\n", r.title())
	for a := range r.Axons {
		b.Write(append(r.word(a), '\n'))
	}
}

func writeRows(b *bufio.Writer, r rows) {
	b.WriteString(numbered("axon", "n", r.Neurons) + "\n")
	var buf []byte
	for a := range r.Axons {
		buf = strconv.AppendInt(buf[:0], int64(a), 10)
		for n := range r.Neurons {
			buf = append(buf, ',')
			buf = strconv.AppendInt(buf, r.weight(a, n), 10)
		}
		b.Write(append(buf, '\n'))
	}
}
