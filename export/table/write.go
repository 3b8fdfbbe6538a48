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
)

type fileEntry = artefact.FileEntry

// Write makes the folder dir from mp, whole or not at all. tool names the
// program and its version, modelHash the model file that was exported,
// targetSpec how the user named the chip. force
// replaces an earlier table folder.
func Write(dir string, mp *export.Mapping, tool, modelHash, targetSpec string, force bool) error {
	if err := mp.Check(); err != nil {
		return err
	}
	return artefact.WriteDir(dir, force, func(tmp string) error { return writeFiles(tmp, mp, tool, modelHash, targetSpec) })
}

// writeFiles fills the empty folder dir.
func writeFiles(dir string, mp *export.Mapping, tool, modelHash, targetSpec string) error {
	read := *mp.Model // as Read rebuilds it: an integrator's threshold never acts
	read.Layers = slices.Clone(read.Layers)
	for i := range read.Layers {
		if read.Layers[i].Integrator {
			read.Layers[i].Threshold = 0
		}
	}
	lowered, err := read.Hash()
	if err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(dir, "cores"), 0o777); err != nil {
		return err
	}
	w := writer{dir: dir}
	w.json("network.json", network(mp))
	w.text("inputs.csv", func(b *bufio.Writer) { writeInputs(b, mp) })
	w.text("routes.csv", func(b *bufio.Writer) { writeRoutes(b, mp) })
	for i, u := range mp.Footprint() {
		name := coreName(u.Core)
		w.json(name+".json", core(mp, u))
		w.text(name+".mem", func(b *bufio.Writer) { writeImage(b, mp, i, u.StoredBits) })
		w.text(name+".csv", func(b *bufio.Writer) { writeRows(b, mp, i) })
	}
	if w.err != nil {
		return w.err
	}
	files, err := artefact.HashDir(dir)
	if err != nil {
		return err
	}
	w.json("manifest.json", Manifest{
		Format: "glsnn", Kind: "tables", Version: SchemaVersion, Tool: tool, Model: modelHash,
		Target: mp.Chip.Name, TargetSpec: targetSpec, Chip: mp.Chip.SHA256, Lowered: lowered, Source: mp.Model.Source, Files: files,
	})
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

func network(mp *export.Mapping) networkFile {
	m := mp.Model
	n := networkFile{
		Inputs: m.Inputs(), Ticks: m.Ticks, LayerDelay: mp.Chip.Fabric.LayerDelay, Encoding: m.Encoding,
		Readout: m.Readout, Arithmetic: m.Arithmetic, Cores: mp.Cores,
	}
	lo, hi := mp.LayerParts(len(m.Layers) - 1)
	for p := lo; p < hi; p++ {
		for i := range mp.Parts[p].Count {
			n.Outputs = append(n.Outputs, address{mp.Cores[p], i})
		}
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
	for i, p := range mp.Parts {
		lo, hi := mp.LayerParts(p.Layer + 1)
		for n := range p.Count {
			for q := lo; q < hi; q++ {
				fmt.Fprintf(b, "%d,%d,%d,%d\n", mp.Cores[i], n, mp.Cores[q], p.First+n)
			}
		}
	}
}

func core(mp *export.Mapping, u export.Use) coreFile {
	l := mp.Model.Layers[u.Part.Layer]
	c := coreFile{
		Core: u.Core, X: u.X, Y: u.Y, Neurons: u.Neurons, Axons: u.AxonsIn, WeightBits: l.WeightBits, StoredWeightBits: u.StoredBits,
		WeightExp: l.WeightExp, CurrentDecay: l.CurrentDecay, MembraneDecay: l.MembraneDecay, Threshold: l.Threshold,
		Reset: l.Reset, Integrator: l.Integrator, Scale: l.Scale,
	}
	if l.Integrator {
		c.Threshold = mp.Model.Arithmetic.Threshold.Max() // Lower has shown that it is never reached
	}
	return c
}

// packRow writes one word of an image as hex: the row's weights, the last
// neuron's first.
func packRow(b *bufio.Writer, row []int64, bits int) {
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
	b.Write(out)
	b.WriteByte('\n')
}

func writeImage(b *bufio.Writer, mp *export.Mapping, part, bits int) {
	p := mp.Parts[part]
	l := mp.Model.Layers[p.Layer]
	fmt.Fprintf(b, "// core %d: %d words of %d bits, one an in-axon; %d weights of %d bits, neuron 0 lowest\n",
		mp.Cores[part], l.In, p.Count*bits, p.Count, bits)
	row := make([]int64, p.Count)
	for a := range l.In {
		for n := range row {
			row[n] = l.Weights.At(a, p.First+n)
		}
		packRow(b, row, bits)
	}
}

func writeRows(b *bufio.Writer, mp *export.Mapping, part int) {
	p := mp.Parts[part]
	l := mp.Model.Layers[p.Layer]
	b.WriteString("axon")
	for n := range p.Count {
		fmt.Fprintf(b, ",n%d", n)
	}
	b.WriteByte('\n')
	var buf []byte
	for a := range l.In {
		buf = strconv.AppendInt(buf[:0], int64(a), 10)
		for n := range p.Count {
			buf = append(buf, ',')
			buf = strconv.AppendInt(buf, l.Weights.At(a, p.First+n), 10)
		}
		b.Write(append(buf, '\n'))
	}
}
