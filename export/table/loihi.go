package table

import (
	"bufio"
	"fmt"
	"slices"
	"strconv"

	"glsnn/export"
	"glsnn/fixedpoint"
	"glsnn/targets"
)

// The form in Loihi's terms, of chips whose tables have format loihi. It is a
// description in this project's own files; no claim is made that a vendor's tool
// reads it. network.json says `"form": "loihi"` and has the chip's limits,
// inputs.csv is as in the other form, and a core has
//
//	core_0000.json              profiles, synapse formats, and the sizes of its tables
//	core_0000_compartments.csv  compartment,compartment_profile,threshold_profile,bias_mantissa,bias_exponent
//	core_0000_synapse_map.csv   entry,pointer,length,kind: the synapse words of each input axon
//	core_0000_synapses.mem      $readmemh image of its synapse memory, words of 64 bits
//	core_0000_synapses.csv      entry,c0,c1,...: the same weights as mantissas, in decimal
//	core_0000_axons_out.csv     compartment,dest_core,dest_entry: where a spike goes
//
// A compartment computes, with the numbers of its profiles,
//
//	u keeps (4096 − (decay_u + 1))/4096, v keeps (4096 − decay_v)/4096
//	threshold = vth_mantissa × 2^6
//	bias      = bias_mantissa × 2^bias_exponent
//	refractory: ticks, that of the spike included
//
// (4096 and 6 stand for what network.json's arithmetic has), and a spike adds
// mantissa × 2^(6 + weight_exp). Sign mixed has even mantissas, excitatory and
// inhibitory ones any of one sign. pointer and length count words; kind is 0,
// discrete.
//
// An input axon's synapses go to compartments 0, 1, ..., in blocks of
// block_synapses, each rounded up to whole words. A block is, from the lowest
// bit of its first word on: 4 bits of format id, 6 bits of its number of
// synapses less one, then weight_bits for each: mixed, half the mantissa in two's
// complement, else its magnitude.
const loihiForm = "loihi"

// The synapse word's own layout; block and word sizes are the chip's.
const (
	loihiWordBits   = 64
	loihiFormatBits = 4
	loihiCountBits  = 6
	loihiFixedExp   = 6 // a mantissa adds m × 2^(6 + weight_exp)
	loihiDiscrete   = 0 // kind of a synapse map entry
	loihiFormatID   = 1 // the public tools leave 0 unused
)

// Signs of a synapse format.
const (
	signMixed      = "mixed"
	signExcitatory = "excitatory"
	signInhibitory = "inhibitory"
)

// loihiLimits are what a core holds, from the chip's file.
type loihiLimits struct {
	Compartments        int   `json:"compartments"`
	CompartmentProfiles int   `json:"compartment_profiles"`
	ThresholdProfiles   int   `json:"threshold_profiles"`
	SynapseFormats      int   `json:"synapse_formats"`
	SynapseMap          int   `json:"synapse_map_entries"`
	SynapseWords        int64 `json:"synapse_words"`
	AxonsOut            int   `json:"axons_out"`
	BlockSynapses       int   `json:"block_synapses"`
}

// loihiCore is cores/core_NNNN.json.
type loihiCore struct {
	Core                targets.CoreID       `json:"core"`
	X                   int                  `json:"x"`
	Y                   int                  `json:"y"`
	Compartments        int                  `json:"compartments"`
	SynapseMap          int                  `json:"synapse_map_entries"`
	SynapseWords        int                  `json:"synapse_words"`
	AxonsOut            int                  `json:"axons_out"`
	CompartmentProfiles []compartmentProfile `json:"compartment_profiles"`
	ThresholdProfiles   []thresholdProfile   `json:"threshold_profiles"`
	SynapseFormats      []synapseFormat      `json:"synapse_formats"`
	Scale               float64              `json:"scale"` // real weight = scale × what one unit of the model's weights is
}

type compartmentProfile struct {
	DecayU     int64 `json:"decay_u"`
	DecayV     int64 `json:"decay_v"`
	Refractory int   `json:"refractory"`
}

type thresholdProfile struct {
	Mantissa int64 `json:"vth_mantissa"`
}

type synapseFormat struct {
	ID            int    `json:"id"`
	Sign          string `json:"sign"`
	WeightExp     int    `json:"weight_exp"`
	WeightBits    int    `json:"weight_bits"`    // as stored
	QuantizedBits int    `json:"quantized_bits"` // as the network was quantised
}

// loihiSuits says whether the form can express the neurons of a: LIF with a
// current, both states decaying before the input, reset to zero, and nothing that
// it has no number for.
func loihiSuits(a fixedpoint.Arithmetic) error {
	decays := func(s fixedpoint.State) bool {
		return s.Present && s.Decay.Kind == fixedpoint.DecayMultiply && s.Leak.Kind == fixedpoint.LeakNone && s.Place == fixedpoint.BeforeIntegrate
	}
	for _, c := range []struct {
		field string
		ok    bool
		want  string
	}{
		{"update", a.Update == fixedpoint.PerTick, "per_tick"},
		{"integrate", a.Integrate == fixedpoint.IntegrateSum, "sum"},
		{"weight.kind", a.Weight.Kind == fixedpoint.WeightMixedSignLSB, fixedpoint.WeightMixedSignLSB.String()},
		{"weight.bits", a.Weight.Bits <= 15, "at most 15"},
		{"current", decays(a.Current) && a.Current.Decay.Min >= 1, "a decay by multiplying, from 1 on, before the input, and no leak"},
		{"membrane", decays(a.Membrane), "a decay by multiplying, before the input, and no leak"},
		{"fire.resets", slices.Equal(a.Fire.Resets, []fixedpoint.Reset{fixedpoint.ResetZero}), "zero only"},
		{"fire.negative.when", a.Fire.Negative.When == fixedpoint.BelowNever, "none"},
		{"axon_delay_max", a.AxonDelayMax == 0, "0"},
	} {
		if !c.ok {
			return fmt.Errorf("%s: got another contract, want %s", c.field, c.want)
		}
	}
	return nil
}

func loihiLimitsOf(chip *targets.Chip) *loihiLimits {
	k, t := chip.Core, chip.Tables
	return &loihiLimits{
		Compartments: k.Neurons, CompartmentProfiles: t.CompartmentProfiles, ThresholdProfiles: t.ThresholdProfiles, SynapseFormats: t.SynapseFormats,
		SynapseMap: k.AxonsIn, SynapseWords: k.SynapseBits / loihiWordBits, AxonsOut: k.AxonsOut, BlockSynapses: k.SynapseLayout.BlockSynapses,
	}
}

// loihiHolds checks that the form can write chip's limits, and lays synapses out
// as the chip does, so that the memory it counts is what is written.
func loihiHolds(chip *targets.Chip) error {
	l := chip.Core.SynapseLayout
	if l.WordBits != loihiWordBits || l.BlockHeaderBits != loihiFormatBits+loihiCountBits {
		return fmt.Errorf("core.synapse_layout: got words of %d and headers of %d bits, want %d and %d", l.WordBits, l.BlockHeaderBits, loihiWordBits, loihiFormatBits+loihiCountBits)
	}
	if field, got, most := loihiLimitsOf(chip).fault(); field != "" {
		return fmt.Errorf("%s of a core: got %d, want 1..%d", field, got, most)
	}
	return nil
}

// format is the synapse format of a layer stored in bits bits.
func (l *loihiLayer) format(a fixedpoint.Arithmetic, bits int) synapseFormat {
	f := synapseFormat{ID: loihiFormatID, Sign: signMixed, WeightExp: l.WeightExp - loihiFixedExp - 1, WeightBits: bits, QuantizedBits: l.WeightBits}
	if l.WeightBits > a.Weight.Bits {
		f.Sign, f.WeightExp = signExcitatory, l.WeightExp-loihiFixedExp
		for _, w := range l.Weights.Values() {
			if w < 0 {
				f.Sign = signInhibitory
			}
		}
	}
	return f
}

// mantissa is a weight of the model in f, and weight the reverse; the mixed
// mantissa's lowest bit is always 0. stored is what the memory holds.
func (f synapseFormat) mantissa(weight int64) int64 {
	if f.Sign == signMixed {
		return 2 * weight
	}
	return weight
}

func (f synapseFormat) weight(stored uint64) int64 {
	switch f.Sign {
	case signMixed:
		return int64(stored<<(64-f.WeightBits)) >> (64 - f.WeightBits)
	case signInhibitory:
		return -int64(stored)
	}
	return int64(stored)
}

func (f synapseFormat) stored(weight int64) uint64 {
	if f.Sign == signInhibitory {
		weight = -weight
	}
	return uint64(weight) & (1<<f.WeightBits - 1)
}

// exp is the model's exponent.
func (f synapseFormat) exp() int {
	if f.Sign == signMixed {
		return f.WeightExp + loihiFixedExp + 1
	}
	return f.WeightExp + loihiFixedExp
}

// bitWriter fills words of 64 bits from the lowest bit on.
type bitWriter struct {
	words []uint64
	used  int // bits of the last word
}

func (b *bitWriter) put(x uint64, bits int) {
	if b.used == 0 || b.used == loihiWordBits {
		b.words, b.used = append(b.words, 0), 0
	}
	last := len(b.words) - 1
	b.words[last] |= x << b.used
	if over := b.used + bits - loihiWordBits; over > 0 {
		b.words = append(b.words, x>>(bits-over))
		b.used = over
		return
	}
	b.used += bits
}

// loihiRow is the synapse words of one input axon.
func loihiRow(row []int64, f synapseFormat, block int) []uint64 {
	var out []uint64
	for part := range slices.Chunk(row, block) {
		var b bitWriter
		b.put(uint64(f.ID), loihiFormatBits)
		b.put(uint64(len(part)-1), loihiCountBits)
		for _, w := range part {
			b.put(f.stored(w), f.WeightBits)
		}
		out = append(out, b.words...)
	}
	return out
}

// loihiLayer is a layer of the model, for methods of this form.
type loihiLayer struct{ *fixedpoint.Layer }

// loihiBias is a bias as mantissa and the least exponent that leaves it one.
func loihiBias(b fixedpoint.Bias, raw int64) (mantissa int64, exp int) {
	for exp = b.ExpMin; exp < b.ExpMax && !(fixedpoint.Format{Bits: b.Bits, Signed: true, Exp: exp}).Contains(raw); exp++ {
	}
	return raw >> exp, exp
}

// loihiModel is m as this form reads it back: a refractory period of 0 is 1,
// which costs no tick either.
func loihiModel(m *fixedpoint.Model) {
	for i := range m.Layers {
		if m.Arithmetic.Fire.RefractoryMax > 0 {
			m.Layers[i].Refractory = max(1, m.Layers[i].Refractory)
		}
		if m.Arithmetic.Bias.Present && m.Layers[i].Bias == nil {
			m.Layers[i].Bias = make([]int64, m.Layers[i].Out)
		}
	}
}

// writeLoihiCore writes the files of part i.
func writeLoihiCore(w *writer, mp *export.Mapping, i int, u export.Use) {
	p, a := mp.Parts[i], mp.Model.Arithmetic
	l := loihiLayer{&mp.Model.Layers[p.Layer]}
	name := coreName(u.Core)
	format := l.format(a, u.StoredBits)
	threshold := l.Threshold
	if l.Integrator {
		threshold = a.Threshold.Max() // Lower has shown that it is never reached
	}
	c := loihiCore{
		Core: u.Core, X: u.X, Y: u.Y, Compartments: u.Neurons, SynapseMap: u.AxonsIn, SynapseWords: int(u.SynapseBits / loihiWordBits), AxonsOut: u.AxonsOut,
		CompartmentProfiles: []compartmentProfile{{DecayU: l.CurrentDecay - 1, DecayV: l.MembraneDecay, Refractory: max(min(1, a.Fire.RefractoryMax), l.Refractory)}},
		ThresholdProfiles:   []thresholdProfile{{threshold >> a.Threshold.Exp}},
		SynapseFormats:      []synapseFormat{format},
		Scale:               l.Scale,
	}
	w.json(name+".json", c)
	w.text(name+"_compartments.csv", func(b *bufio.Writer) {
		b.WriteString(compartmentsHeader + "\n")
		for n := range u.Neurons {
			mantissa, exp := int64(0), a.Bias.ExpMin
			if l.Bias != nil {
				mantissa, exp = loihiBias(a.Bias, l.Bias[p.First+n])
			}
			fmt.Fprintf(b, "%d,0,0,%d,%d\n", n, mantissa, exp)
		}
	})
	row := make([]int64, u.Neurons)
	axon := func(k int) []int64 {
		for n := range row {
			row[n] = l.Weights.At(k, p.First+n)
		}
		return row
	}
	block := mp.Chip.Core.SynapseLayout.BlockSynapses
	w.text(name+"_synapse_map.csv", func(b *bufio.Writer) {
		b.WriteString(synapseMapHeader + "\n")
		words := c.SynapseWords / c.SynapseMap // every axon reaches every compartment
		for k := range u.AxonsIn {
			fmt.Fprintf(b, "%d,%d,%d,%d\n", k, k*words, words, loihiDiscrete)
		}
	})
	w.text(name+"_synapses.mem", func(b *bufio.Writer) {
		fmt.Fprintf(b, "// core %d: %d words of %d bits\n", u.Core, c.SynapseWords, loihiWordBits)
		for k := range u.AxonsIn {
			for _, x := range loihiRow(axon(k), format, block) {
				fmt.Fprintf(b, "%016x\n", x)
			}
		}
	})
	w.text(name+"_synapses.csv", func(b *bufio.Writer) {
		b.WriteString(synapsesHeader(u.Neurons) + "\n")
		var buf []byte
		for k := range u.AxonsIn {
			buf = strconv.AppendInt(buf[:0], int64(k), 10)
			for _, x := range axon(k) {
				buf = append(buf, ',')
				buf = strconv.AppendInt(buf, format.mantissa(x), 10)
			}
			b.Write(append(buf, '\n'))
		}
	})
	w.text(name+"_axons_out.csv", func(b *bufio.Writer) {
		b.WriteString(axonsOutHeader + "\n")
		eachRoute(mp, i, func(neuron int, core targets.CoreID, axon int) {
			fmt.Fprintf(b, "%d,%d,%d\n", neuron, core, axon)
		})
	})
}
