package table

import (
	"bufio"
	"bytes"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Image is a further form of a core's synapse rows, beside the $readmemh image
// and the CSV that every folder has.
type Image string

const (
	// COE is a Xilinx coefficient file (UG896): radix 16, one word an in-axon,
	// the words of the .mem image.
	COE Image = "coe"
	// MIF is an Intel memory initialisation file (Quartus): hexadecimal
	// addresses and data, the words of the .mem image.
	MIF Image = "mif"
	// C is a header with the rows as a static const integer array
	// [axons][neurons] and the core's parameters as macros. No floats.
	C Image = "h"
)

// Images lists every further form.
func Images() []Image { return []Image{COE, MIF, C} }

// ParseImages reads a list such as "coe,mif,h"; an empty one is none.
func ParseImages(s string) ([]Image, error) {
	if s == "" {
		return nil, nil
	}
	var images []Image
	for name := range strings.SplitSeq(s, ",") {
		i := Image(strings.TrimSpace(name))
		if !slices.Contains(Images(), i) {
			return nil, fmt.Errorf("got %q, want some of coe, mif, h separated by commas", name)
		}
		if slices.Contains(images, i) {
			return nil, fmt.Errorf("got %s twice, want each once", i)
		}
		images = append(images, i)
	}
	return images, nil
}

// rows are one core's parameters and weights, from a mapping or from files.
type rows struct {
	coreFile
	weight func(axon, neuron int) int64
}

// word is an in-axon's row as hex digits.
func (r rows) word(axon int) []byte {
	row := make([]int64, r.Neurons)
	for n := range row {
		row[n] = r.weight(axon, n)
	}
	return packRow(row, r.StoredWeightBits)
}

func (r rows) title() string {
	return fmt.Sprintf("core %d: %d words of %d bits, one an in-axon; %d weights of %d bits, neuron 0 lowest",
		r.Core, r.Axons, r.Neurons*r.StoredWeightBits, r.Neurons, r.StoredWeightBits)
}

// write makes one further form.
func (r rows) write(b *bufio.Writer, i Image) {
	switch i {
	case COE:
		fmt.Fprintf(b, "; %s\nmemory_initialization_radix=16;\nmemory_initialization_vector=\n", r.title())
		for a := range r.Axons {
			b.Write(r.word(a))
			b.WriteString(map[bool]string{false: ",\n", true: ";\n"}[a == r.Axons-1])
		}
	case MIF:
		fmt.Fprintf(b, "-- %s\nDEPTH = %d;\nWIDTH = %d;\nADDRESS_RADIX = HEX;\nDATA_RADIX = HEX;\nCONTENT\nBEGIN\n", r.title(), r.Axons, r.Neurons*r.StoredWeightBits)
		for a := range r.Axons {
			fmt.Fprintf(b, "%x : %s;\n", a, r.word(a))
		}
		b.WriteString("END;\n")
	case C:
		r.header(b)
	}
}

func (r rows) header(b *bufio.Writer) {
	name := path.Base(coreName(r.Core))
	macro := "GLSNN_" + strings.ToUpper(name)
	kind, size := "int8_t", 1
	if r.StoredWeightBits > 8 {
		kind, size = "int16_t", 2
	}
	fmt.Fprintf(b, "/* %s: weights[axon][neuron]; a delivered spike adds weight * 2^WEIGHT_EXP. */\n#ifndef %s_H\n#define %s_H\n\n#include <stdint.h>\n\n", name, macro, macro)
	for _, p := range []struct {
		name  string
		value int64
	}{
		{"AXONS", int64(r.Axons)}, {"NEURONS", int64(r.Neurons)}, {"WEIGHT_BITS", int64(r.WeightBits)}, {"WEIGHT_EXP", int64(r.WeightExp)},
		{"CURRENT_DECAY", r.CurrentDecay}, {"MEMBRANE_DECAY", r.MembraneDecay}, {"THRESHOLD", r.Threshold},
	} {
		fmt.Fprintf(b, "#define %s_%s %d\n", macro, p.name, p.value)
	}
	fmt.Fprintf(b, "\nstatic const %s glsnn_%s_weights[%d][%d] = {\n", kind, name, r.Axons, r.Neurons)
	var line []byte
	for a := range r.Axons {
		line = append(line[:0], '{')
		for n := range r.Neurons {
			if n > 0 {
				line = append(line, ',')
			}
			line = strconv.AppendInt(line, r.weight(a, n), 10)
		}
		b.Write(append(line, "},\n"...))
	}
	fmt.Fprintf(b, "};\n_Static_assert(sizeof glsnn_%s_weights == %d, \"size of the weights\");\n\n#endif\n", name, r.Axons*r.Neurons*size)
}

// check compares a further form with what these rows make of it, byte for byte.
func (r rows) check(f folder, i Image) error {
	name := coreName(r.Core) + "." + string(i)
	got, err := f.read(name, maxFile)
	if err != nil {
		return err
	}
	var want bytes.Buffer
	b := bufio.NewWriter(&want)
	r.write(b, i)
	b.Flush()
	if bytes.Equal(got, want.Bytes()) {
		return nil
	}
	line := 1
	for w := range bytes.Lines(want.Bytes()) {
		g := got
		if end := bytes.IndexByte(got, '\n'); end >= 0 {
			g = got[:end+1]
		}
		if !bytes.Equal(g, w) {
			return f.fault(name, line, "line", around(g, w), around(w, g)+" as in the .mem image")
		}
		got = got[len(g):]
		line++
	}
	return f.fault(name, line, "line", strconv.Quote(clip(string(got))), "the end of the file")
}

// around is the part of a from shortly before its first difference to b.
func around(a, b []byte) string {
	k := 0
	for k < len(a) && k < len(b) && a[k] == b[k] {
		k++
	}
	return strconv.Quote(clip(strings.ToValidUTF8(string(a[max(0, k-8):]), "?")))
}
