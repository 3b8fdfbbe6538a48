package table

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"glsnn/fixedpoint"
	"glsnn/targets"
)

const (
	compartmentsHeader = "compartment,compartment_profile,threshold_profile,bias_mantissa,bias_exponent"
	synapseMapHeader   = "entry,pointer,length,kind"
	axonsOutHeader     = "compartment,dest_core,dest_entry"
)

func synapsesHeader(compartments int) string { return numbered("entry", "c", compartments) }

// numbered is a header: first, then prefix0, prefix1, ... up to n columns.
func numbered(first, prefix string, n int) string {
	var b strings.Builder
	b.WriteString(first)
	for i := range n {
		b.WriteString("," + prefix + strconv.Itoa(i))
	}
	return b.String()
}

// fault is the first limit that this form cannot have, and its largest value; ""
// if there is none.
func (l *loihiLimits) fault() (field string, got, most int64) {
	for _, k := range []struct {
		field     string
		got, most int64
	}{
		{"compartments", int64(l.Compartments), maxInputs}, {"compartment_profiles", int64(l.CompartmentProfiles), 1 << 16},
		{"threshold_profiles", int64(l.ThresholdProfiles), 1 << 16}, {"synapse_formats", int64(l.SynapseFormats), 1 << loihiFormatBits},
		{"synapse_map_entries", int64(l.SynapseMap), maxInputs}, {"synapse_words", l.SynapseWords, maxSynapses},
		{"axons_out", int64(l.AxonsOut), maxInputs}, {"block_synapses", int64(l.BlockSynapses), 1 << loihiCountBits},
	} {
		if k.got < 1 || k.got > k.most {
			return k.field, k.got, k.most
		}
	}
	return "", 0, 0
}

// readLoihiCore reads the files of a core but for its axons; total counts the
// synapses of all cores.
func readLoihiCore(f folder, id targets.CoreID, n *networkFile, total *int) (*loadedCore, error) {
	name, a := coreName(id), n.Arithmetic
	var k loihiCore
	if err := f.json(name+".json", 1<<20, &k); err != nil {
		return nil, err
	}
	fault := func(field string, got any, want string) error { return f.fault(name+".json", 0, field, got, want) }
	for _, c := range []struct {
		field       string
		got, lo, hi int
	}{
		{"core", int(k.Core), int(id), int(id)},
		{"compartments", k.Compartments, 1, n.Limits.Compartments},
		{"synapse_map_entries", k.SynapseMap, 1, n.Limits.SynapseMap},
		{"synapse_words", k.SynapseWords, 1, int(n.Limits.SynapseWords)},
		{"axons_out", k.AxonsOut, 0, n.Limits.AxonsOut},
		{"compartment_profiles", len(k.CompartmentProfiles), 1, n.Limits.CompartmentProfiles},
		{"threshold_profiles", len(k.ThresholdProfiles), 1, n.Limits.ThresholdProfiles},
		{"synapse_formats", len(k.SynapseFormats), 1, n.Limits.SynapseFormats},
	} {
		if c.got < c.lo || c.got > c.hi {
			return nil, fault(c.field, c.got, span(c.lo, c.hi))
		}
	}
	if k.SynapseMap > (maxSynapses-*total)/k.Compartments {
		return nil, fault("synapse_map_entries x compartments", fmt.Sprintf("%d x %d", k.SynapseMap, k.Compartments), fmt.Sprintf("at most %d synapses in all cores", maxSynapses))
	}
	*total += k.SynapseMap * k.Compartments
	formats := map[int]synapseFormat{}
	for i, s := range k.SynapseFormats {
		at := func(field string) string { return fmt.Sprintf("synapse_formats[%d].%s", i, field) }
		switch most := a.Weight.Bits; {
		case s.ID < 0 || s.ID >= 1<<loihiFormatBits:
			return nil, fault(at("id"), s.ID, span(0, 1<<loihiFormatBits-1))
		case formats[s.ID].Sign != "":
			return nil, fault(at("id"), strconv.Itoa(s.ID)+" again", "each id once")
		case !slices.Contains([]string{signMixed, signExcitatory, signInhibitory}, s.Sign):
			return nil, fault(at("sign"), strconv.Quote(clip(s.Sign)), "one of mixed, excitatory, inhibitory")
		case s.WeightBits < 1 || s.WeightBits > 16:
			return nil, fault(at("weight_bits"), s.WeightBits, span(1, 16))
		case s.Sign == signMixed && (s.QuantizedBits < 2 || s.QuantizedBits > min(most, s.WeightBits)):
			return nil, fault(at("quantized_bits"), s.QuantizedBits, span(2, min(most, s.WeightBits)))
		case s.Sign != signMixed && s.QuantizedBits != most+1:
			return nil, fault(at("quantized_bits"), s.QuantizedBits, fmt.Sprintf("%d with sign %s", most+1, s.Sign))
		case s.Sign != signMixed && s.WeightBits < most:
			return nil, fault(at("weight_bits"), s.WeightBits, span(most, 16))
		}
		formats[s.ID] = s
	}
	c := &loadedCore{coreFile: coreFile{Core: k.Core, X: k.X, Y: k.Y, Neurons: k.Compartments, Axons: k.SynapseMap, Scale: k.Scale}}
	if err := c.readCompartments(f, name+"_compartments.csv", k, a); err != nil {
		return nil, err
	}
	used, err := c.readSynapses(f, name, k, formats, n.Limits.BlockSynapses)
	if err != nil {
		return nil, err
	}
	if c.axonsOut = k.AxonsOut; n.Readout == fixedpoint.ReadMembrane && c.axonsOut == 0 {
		c.Integrator = true
		if most := a.Threshold.Max(); c.Threshold != most {
			return nil, fault("threshold_profiles", fmt.Sprintf("threshold %d", c.Threshold), fmt.Sprintf("%d, the highest: its membranes are read", most))
		}
	}
	s := formats[used]
	c.WeightBits, c.StoredWeightBits, c.WeightExp = s.QuantizedBits, s.WeightBits, s.exp()
	return c, c.checkMantissas(f, name+"_synapses.csv", s)
}

func span(lo, hi int) string {
	if lo == hi {
		return strconv.Itoa(lo)
	}
	return fmt.Sprintf("%d..%d", lo, hi)
}

// readCompartments finds the parameters that the core's neurons share, and
// their biases.
func (c *loadedCore) readCompartments(f folder, name string, k loihiCore, a fixedpoint.Arithmetic) error {
	c.bias = make([]int64, 0, c.Neurons)
	err := f.rows(name, compartmentsHeader, func(line int, r []int64) error {
		n := len(c.bias)
		switch {
		case n == c.Neurons:
			return f.fault(name, line, "rows", "more than "+strconv.Itoa(c.Neurons), "one a compartment")
		case r[0] != int64(n):
			return f.fault(name, line, "compartment", r[0], strconv.Itoa(n))
		case r[1] < 0 || r[1] >= int64(len(k.CompartmentProfiles)):
			return f.fault(name, line, "compartment_profile", r[1], span(0, len(k.CompartmentProfiles)-1))
		case r[2] < 0 || r[2] >= int64(len(k.ThresholdProfiles)):
			return f.fault(name, line, "threshold_profile", r[2], span(0, len(k.ThresholdProfiles)-1))
		case !a.Bias.Present && (r[3] != 0 || r[4] != 0):
			return f.fault(name, line, "bias_mantissa and bias_exponent", fmt.Sprintf("%d and %d", r[3], r[4]), "0: the arithmetic has no bias")
		case a.Bias.Present && (r[4] < int64(a.Bias.ExpMin) || r[4] > int64(a.Bias.ExpMax)):
			return f.fault(name, line, "bias_exponent", r[4], span(a.Bias.ExpMin, a.Bias.ExpMax))
		}
		if m := (fixedpoint.Format{Bits: a.Bias.Bits, Signed: true}); a.Bias.Present && !m.Contains(r[3]) {
			return f.fault(name, line, "bias_mantissa", r[3], fmt.Sprintf("%d..%d", m.Min(), m.Max()))
		}
		p, th := k.CompartmentProfiles[r[1]], k.ThresholdProfiles[r[2]]
		q := c.coreFile
		q.CurrentDecay, q.MembraneDecay, q.Refractory, q.Threshold = p.DecayU+1, p.DecayV, p.Refractory, th.Mantissa
		if most := a.Threshold.Max() >> a.Threshold.Exp; th.Mantissa < 0 || th.Mantissa > most {
			return f.fault(coreName(c.Core)+".json", 0, fmt.Sprintf("threshold_profiles[%d].vth_mantissa", r[2]), th.Mantissa, fmt.Sprintf("0..%d", most))
		}
		q.Threshold <<= a.Threshold.Exp
		if n > 0 && q != c.coreFile {
			return f.fault(name, line, "profiles", "others than of compartment 0", "the same neuron in all compartments of a core")
		}
		c.coreFile = q
		c.bias = append(c.bias, r[3]<<r[4])
		return nil
	})
	if err == nil && len(c.bias) != c.Neurons {
		err = f.fault(name, 0, "rows", len(c.bias), strconv.Itoa(c.Neurons)+", one a compartment")
	}
	if !a.Bias.Present {
		c.bias = nil
	}
	return err
}

// readSynapses follows the synapse map through the image and returns the id of
// the format that all synapses have.
func (c *loadedCore) readSynapses(f folder, name string, k loihiCore, formats map[int]synapseFormat, block int) (used int, err error) {
	mem, lines, err := f.words(name+"_synapses.mem", k.SynapseWords)
	if err != nil {
		return 0, err
	}
	used = -1
	entry := 0
	taken := make([]bool, len(mem))
	mapName := name + "_synapse_map.csv"
	err = f.rows(mapName, synapseMapHeader, func(line int, r []int64) error {
		switch {
		case entry == c.Axons:
			return f.fault(mapName, line, "rows", "more than "+strconv.Itoa(c.Axons), "one an input axon")
		case r[0] != int64(entry):
			return f.fault(mapName, line, "entry", r[0], strconv.Itoa(entry))
		case r[1] < 0 || r[1] >= int64(len(mem)):
			return f.fault(mapName, line, "pointer", r[1], span(0, len(mem)-1))
		case r[2] < 1 || r[2] > int64(len(mem))-r[1]:
			return f.fault(mapName, line, "length", r[2], span(1, len(mem)-int(r[1])))
		case r[3] != loihiDiscrete:
			return f.fault(mapName, line, "kind", r[3], fmt.Sprintf("%d, discrete", loihiDiscrete))
		}
		for i := r[1]; i < r[1]+r[2]; i++ {
			if taken[i] {
				return f.fault(mapName, line, "pointer", r[1], "words that no other entry has")
			}
			taken[i] = true
		}
		row, at := mem[r[1]:r[1]+r[2]], int(r[1])
		for left := c.Neurons; left > 0; {
			if len(row) == 0 {
				return f.fault(mapName, line, "length", r[2], fmt.Sprintf("words for %d more synapses", left))
			}
			fault := func(field string, got any, want string) error {
				return f.fault(name+"_synapses.mem", lines[at], field, got, want)
			}
			id, count := int(row[0]&(1<<loihiFormatBits-1)), 1+int(row[0]>>loihiFormatBits&(1<<loihiCountBits-1))
			s, ok := formats[id]
			switch {
			case !ok:
				return fault("format id", id, "one of the core's synapse formats")
			case used >= 0 && id != used:
				return fault("format id", id, strconv.Itoa(used)+", as of the synapses before")
			case count != min(left, block):
				return fault("synapses of the block", count, strconv.Itoa(min(left, block)))
			}
			used = id
			words := (loihiFormatBits + loihiCountBits + count*s.WeightBits + loihiWordBits - 1) / loihiWordBits
			if words > len(row) {
				return f.fault(mapName, line, "length", r[2], "all words of its blocks")
			}
			b := bitReader{words: row[:words], at: loihiFormatBits + loihiCountBits}
			for range count {
				w := s.weight(b.take(s.WeightBits))
				if w < -1<<15 || w >= 1<<15 {
					return fault("weight", w, span(-1<<15, 1<<15-1))
				}
				c.weights = append(c.weights, int16(w))
			}
			if !b.rest() {
				return fault("block", "set bits behind the last weight", "zeros")
			}
			row, at, left = row[words:], at+words, left-count
		}
		if len(row) > 0 {
			return f.fault(mapName, line, "length", r[2], fmt.Sprintf("%d, the words of its blocks", int(r[2])-len(row)))
		}
		entry++
		return nil
	})
	if err == nil && entry != c.Axons {
		err = f.fault(mapName, 0, "rows", entry, strconv.Itoa(c.Axons)+", one an input axon")
	}
	if i := slices.Index(taken, false); err == nil && i >= 0 {
		err = f.fault(name+"_synapses.mem", lines[i], "word", "one of no entry", "words of the synapse map only")
	}
	return used, err
}

// bitReader is bitWriter's reverse.
type bitReader struct {
	words []uint64
	at    int
}

func (b *bitReader) take(bits int) uint64 {
	i, off := b.at/loihiWordBits, b.at%loihiWordBits
	x := b.words[i] >> off
	if off+bits > loihiWordBits {
		x |= b.words[i+1] << (loihiWordBits - off)
	}
	b.at += bits
	return x & (1<<bits - 1)
}

// rest says whether every bit that was not taken is 0.
func (b *bitReader) rest() bool {
	i, off := b.at/loihiWordBits, b.at%loihiWordBits
	return i == len(b.words) || b.words[i]>>off == 0
}

// words reads a $readmemh image of n words of 64 bits, and the line of each.
func (f folder) words(name string, n int) (words []uint64, lines []int, err error) {
	data, err := f.read(name, maxFile)
	if err != nil {
		return nil, nil, err
	}
	for line, text := range imageWords(data) {
		if len(words) == n {
			return nil, nil, f.fault(name, line, "words", "more than "+strconv.Itoa(n), strconv.Itoa(n))
		}
		x, err := strconv.ParseUint(text, 16, 64)
		if err != nil || len(text) != loihiWordBits/4 || strings.ContainsAny(text, "ABCDEF_") {
			return nil, nil, f.fault(name, line, "word", strconv.Quote(clip(text)), strconv.Itoa(loihiWordBits/4)+" lower-case hex digits")
		}
		words, lines = append(words, x), append(lines, line)
	}
	if len(words) != n {
		return nil, nil, f.fault(name, 0, "words", len(words), strconv.Itoa(n))
	}
	return words, lines, nil
}

// checkMantissas compares the decimal mantissas with the image.
func (c *loadedCore) checkMantissas(f folder, name string, s synapseFormat) error {
	return c.checkDecimal(f, name, "entry", "c", func(w int64) int64 { return s.mantissa(w) })
}

// readAxonsOut reads where the spikes of every core go.
func readAxonsOut(f folder, ids []targets.CoreID, cores map[targets.CoreID]*loadedCore, byNeuron map[address]ways) error {
	for _, id := range ids {
		name, rows := coreName(id)+"_axons_out.csv", 0
		src := cores[id]
		err := f.rows(name, axonsOutHeader, func(line int, r []int64) error {
			rows++
			if r[0] < 0 || r[0] >= int64(src.Neurons) {
				return f.fault(name, line, "compartment", r[0], span(0, src.Neurons-1))
			}
			a := address{id, int(r[0])}
			w := byNeuron[a]
			err := addWay(f, name, line, &w, r[1], r[2], cores)
			byNeuron[a] = w
			return err
		})
		if err != nil {
			return err
		}
		if rows != src.axonsOut {
			return f.fault(name, 0, "rows", rows, fmt.Sprintf("the %d of %s.json", src.axonsOut, coreName(id)))
		}
	}
	return nil
}
