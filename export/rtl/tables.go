package rtl

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// SPIWrite is one transaction: 20 address bits, then 20 data bits.
type SPIWrite struct {
	Addr, Data uint32
	Note       string // the comment of its line; not read back
}

// The address space that both chips share: bit 18 writes, bits 17:16 choose.
const (
	spiWrite   = 1 << 18
	spiNeuron  = 1 << 16
	spiSynapse = 2 << 16
)

// The registers of both chips that a session switches; the rest is set once.
const (
	regGate     = 0 // 1 stops the network and opens the SRAMs
	regOpenLoop = 1 // 1 keeps the chip's spikes out of its own queue
)

func config(reg, value int, note string) SPIWrite {
	return SPIWrite{Addr: uint32(reg), Data: uint32(value), Note: note}
}

// neuronByte writes the bits of byte k of a neuron word that keep leaves 0.
func neuronByte(neuron, k int, value, keep byte, note string) SPIWrite {
	return SPIWrite{Addr: spiWrite | spiNeuron | uint32(k)<<8 | uint32(neuron), Data: uint32(keep)<<8 | uint32(value), Note: note}
}

// words is the SRAM content of a core: images and SPI programs are two ways
// to write it.
type words struct {
	neuron  [size][16]byte // byte 0 holds bits 7..0; tinyODIN has 4
	synapse [size * size / 8][4]byte
}

func (c Chip) neuronBytes() int {
	if c == ODIN {
		return 16
	}
	return 4
}

// put sets bits low..low+width-1 of a word.
func put(word []byte, low, width int, v uint32) {
	for i := range width {
		at, bit := (low+i)/8, byte(1)<<((low+i)%8)
		word[at] &^= bit
		if v>>i&1 == 1 {
			word[at] |= bit
		}
	}
}

// get is bits low..low+width-1 of a word.
func get(word []byte, low, width int) (v uint32) {
	for i := range width {
		v |= uint32(word[(low+i)/8]>>((low+i)%8)&1) << i
	}
	return v
}

// layout is where the fields of a neuron word stand.
type layout struct {
	v, vBits, thr, thrBits, leak, disable int
}

func (c Chip) layout() layout {
	if c == ODIN {
		return layout{v: 70, vBits: 8, thr: 9, thrBits: 8, leak: 1, disable: 127}
	}
	return layout{v: 0, vBits: 12, thr: 12, thrBits: 12, leak: 24, disable: 31}
}

// rawThreshold is the threshold field of a neuron. Held is out of reach: with
// bit 11 set on tinyODIN, where it costs one masked byte; 255 on ODIN, which
// has no value that cannot be reached.
func (c Chip) rawThreshold(n Neuron, held bool) uint32 {
	switch {
	case c == ODIN && (held || n.Integrator):
		return 255
	case c == TinyODIN && n.Integrator:
		return 0x800
	case c == TinyODIN && held:
		return 0x800 | uint32(n.Threshold)
	}
	return uint32(n.Threshold)
}

// neuronWord is one neuron as stored. ODIN words select the LIF model with its
// leak on and calcium (learning) off.
func (c Chip) neuronWord(n Neuron, held bool) (word [16]byte) {
	l := c.layout()
	put(word[:], l.v, l.vBits, uint32(n.V))
	put(word[:], l.thr, l.thrBits, c.rawThreshold(n, held))
	put(word[:], l.leak, 7, uint32(n.Leak))
	if n.Disabled {
		put(word[:], l.disable, 1, 1)
	}
	if c == ODIN {
		put(word[:], 0, 1, 1)
		put(word[:], 8, 1, 1)
	}
	return word
}

// unused fills the words above the last neuron: silent.
var unused = Neuron{Integrator: true, Disabled: true}

// words builds the SRAM content of a valid core. An ODIN nibble keeps its map
// bit 0: with registers 23 = 0 and 24 = 1 the weight counts and never learns.
func (c *Core) words() *words {
	w := new(words)
	for i := range w.neuron {
		n := unused
		if i < len(c.Neurons) {
			n = c.Neurons[i]
		}
		w.neuron[i] = c.Chip.neuronWord(n, c.Synchronous)
	}
	for p := range size {
		for q := range size {
			v := c.weight(p, q)
			if c.Chip == ODIN && v < 0 {
				v = -v
			}
			put(w.synapse[p*32+q/8][:], q%8*4, 4, uint32(v)&15)
		}
	}
	return w
}

// Programs are the SPI sequences of a session, in the order of use.
type Programs struct {
	Config  []SPIWrite // registers; between two resets, since they have no reset value
	Load    []SPIWrite // every byte of both SRAMs
	Start   []SPIWrite // opens the network
	Clear   []SPIWrite // membranes back to Neuron.V: before each sample but the first
	Hold    []SPIWrite // thresholds out of reach; empty unless Synchronous
	Release []SPIWrite // and back
}

func (p *Programs) all() []struct {
	name   string
	writes *[]SPIWrite
} {
	return []struct {
		name   string
		writes *[]SPIWrite
	}{{"config", &p.Config}, {"load", &p.Load}, {"start", &p.Start}, {"clear", &p.Clear}, {"hold", &p.Hold}, {"release", &p.Release}}
}

// Programs builds the sequences of a valid core.
func (c *Core) Programs() *Programs {
	p := new(Programs)
	open := []SPIWrite{config(regGate, 1, "stop the network"), config(regOpenLoop, 1, "own spikes off: rewriting a neuron cannot queue one")}
	run := []SPIWrite{config(regGate, 0, "run")}
	if c.ClosedLoop {
		run = []SPIWrite{config(regOpenLoop, 0, "own spikes to own rows"), run[0]}
	}
	p.Config = slices.Clone(open)
	if c.Chip == ODIN {
		for i := range 16 {
			v := 0
			for b := range 16 {
				for q := range c.Neurons {
					if c.weight(16*i+b, q) < 0 {
						v |= 1 << b
						break
					}
				}
			}
			p.Config = append(p.Config, config(2+i, v, fmt.Sprintf("inhibitory rows of %d..%d", 16*i, 16*i+15)))
		}
		for _, r := range []struct {
			reg, value int
			note       string
		}{
			{18, 0, "no bursts"}, {19, 0, "spikes go out as they fire"}, {20, 0, "monitor off"}, {21, 0, "monitored neuron"}, {22, 0, "monitored row"},
			{23, 0, "unmapped synapses do not learn"}, {24, 1, "unmapped synapses count"}, {25, 0, "stimulated synapses do not learn"},
		} {
			p.Config = append(p.Config, config(r.reg, r.value, r.note))
		}
	} else {
		p.Config = append(p.Config, config(2, 0, "spikes go out as they fire"), config(3, len(c.Neurons)-1, "last neuron"))
	}

	w := c.words()
	bytes := c.Chip.neuronBytes()
	for i := range w.neuron {
		for k := range bytes {
			p.Load = append(p.Load, neuronByte(i, k, w.neuron[i][k], 0, fmt.Sprintf("neuron %d byte %d", i, k)))
		}
	}
	for i := range w.synapse {
		for k, v := range w.synapse[i] {
			q := i%32*8 + 2*k
			p.Load = append(p.Load, SPIWrite{Addr: spiWrite | spiSynapse | uint32(k)<<13 | uint32(i), Data: uint32(v), Note: fmt.Sprintf("row %d to %d and %d", i/32, q, q+1)})
		}
	}
	p.Start = run

	// fields writes the field low..low+width-1 as word has it, where it differs
	// from the word it replaces; a nil old stands for any.
	fields := func(dst []SPIWrite, i int, word, old []byte, low, width int, note string) []SPIWrite {
		for k := range bytes {
			var mask [16]byte
			put(mask[:], low, width, 1<<width-1)
			if mask[k] != 0 && (old == nil || (word[k]^old[k])&mask[k] != 0) {
				dst = append(dst, neuronByte(i, k, word[k]&mask[k], ^mask[k], fmt.Sprintf("%s of neuron %d", note, i)))
			}
		}
		return dst
	}
	l := c.Chip.layout()
	p.Clear = slices.Clone(open)
	for i, n := range c.Neurons {
		word := c.Chip.neuronWord(n, c.Synchronous)
		p.Clear = fields(p.Clear, i, word[:], nil, l.v, l.vBits, "v")
	}
	p.Clear = append(p.Clear, run...)
	if c.Synchronous {
		p.Hold, p.Release = open[:1:1], open[:1:1]
		for i, n := range c.Neurons {
			if n.Integrator {
				continue
			}
			held, real := c.Chip.neuronWord(n, true), c.Chip.neuronWord(n, false)
			// One byte is enough on tinyODIN: the low bits stay.
			p.Hold = fields(p.Hold, i, held[:], real[:], l.thr, l.thrBits, "threshold")
			p.Release = fields(p.Release, i, real[:], held[:], l.thr, l.thrBits, "threshold")
		}
		p.Hold, p.Release = append(p.Hold, run...), append(p.Release, run...)
	}
	return p
}

// apply does what a program does to the SRAMs; registers are left to config.
func (w *words) apply(p []SPIWrite) {
	for _, s := range p {
		value, keep := byte(s.Data), byte(s.Data>>8)
		var b *byte
		switch s.Addr &^ 0xffff {
		case spiWrite | spiNeuron:
			b = &w.neuron[s.Addr&255][s.Addr>>8&15]
		case spiWrite | spiSynapse:
			b = &w.synapse[s.Addr&0x1fff][s.Addr>>13&3]
		default:
			continue
		}
		*b = *b&keep | value&^keep
	}
}

// core reads a core back from SRAM content, the registers and the release
// program; head says what no word does.
func (w *words) core(head coreFile, p *Programs) (*Core, error) {
	c := &Core{Chip: head.Chip, Synchronous: head.Synchronous, ClosedLoop: head.ClosedLoop}
	l := c.Chip.layout()
	real := *w
	real.apply(p.Release)
	var inhibitory [size]bool
	for _, s := range p.Config {
		if c.Chip == ODIN && s.Addr >= 2 && s.Addr < 18 {
			for b := range 16 {
				inhibitory[int(s.Addr-2)*16+b] = s.Data>>b&1 == 1
			}
		}
	}
	for i := range head.Neurons {
		word := real.neuron[i][:]
		n := Neuron{Leak: int(get(word, l.leak, 7)), Disabled: get(word, l.disable, 1) == 1, V: int(get(word, l.v, l.vBits)), Threshold: int(get(word, l.thr, l.thrBits))}
		if c.Chip == TinyODIN {
			n.V = int(int16(n.V<<4)) >> 4
		}
		if top := c.Chip.rawThreshold(Neuron{Integrator: true}, false); n.Threshold == int(top) {
			n.Threshold, n.Integrator = 0, true
		}
		c.Neurons = append(c.Neurons, n)
	}
	for row := range size {
		weights := make([]int8, head.Neurons)
		used := false
		for q := range weights {
			v := int8(get(w.synapse[row*32+q/8][:], q%8*4, 4))
			switch {
			case c.Chip == TinyODIN:
				v = v << 4 >> 4
			case v > 7:
				return nil, fault("synapses.mem", 0, fmt.Sprintf("synapse %d to %d", row, q), "map bit set", "map bit 0")
			case inhibitory[row]:
				v = -v
			}
			weights[q] = v
			used = used || v != 0
		}
		c.Weights = append(c.Weights, nil)
		if used {
			c.Weights[row] = weights
		}
	}
	for len(c.Weights) > 0 && c.Weights[len(c.Weights)-1] == nil {
		c.Weights = c.Weights[:len(c.Weights)-1]
	}
	if err := c.Validate(); err != nil {
		return nil, err
	}
	// What was not looked at (unused words, registers, the other programs)
	// must be what this package writes.
	want, wantPrograms := c.words(), c.Programs()
	if *want != *w {
		return nil, fault("neurons.mem, synapses.mem", 0, "words", "bits no field owns", "what the core's neurons and weights give")
	}
	for i, got := range p.all() {
		if !slices.EqualFunc(*got.writes, *wantPrograms.all()[i].writes, func(a, b SPIWrite) bool { return a.Addr == b.Addr && a.Data == b.Data }) {
			return nil, fault(got.name+".spi", 0, "writes", "another sequence", "what the core's neurons and weights give")
		}
	}
	return c, nil
}

// WriteSPI writes one hex pair a line, address and data, with the note as a
// comment: $readmemh takes it as 20-bit words.
func WriteSPI(w io.Writer, p []SPIWrite) error {
	b := bufio.NewWriter(w)
	fmt.Fprintln(b, "// address data")
	for _, s := range p {
		fmt.Fprintf(b, "%05x %05x // %s\n", s.Addr, s.Data, s.Note)
	}
	return b.Flush()
}

// ReadSPI reads what WriteSPI wrote, without the notes; name is for errors.
func ReadSPI(name string, r io.Reader) ([]SPIWrite, error) {
	var p []SPIWrite
	err := eachLine(name, r, "//", func(line int, words []string) error {
		if len(words) != 2 {
			return fault(name, line, "columns", len(words), "2: address and data")
		}
		var v [2]uint32
		for i, word := range words {
			x, err := strconv.ParseUint(word, 16, 32)
			if err != nil || len(word) != 5 {
				return fault(name, line, [2]string{"address", "data"}[i], strconv.Quote(word), "5 hex digits")
			}
			v[i] = uint32(x)
		}
		p = append(p, SPIWrite{Addr: v[0], Data: v[1]})
		return nil
	})
	return p, err
}

// writeImage writes a $readmemh image, a word a line, address 0 first.
func writeImage(w io.Writer, n int, word func(i int) []byte) error {
	b := bufio.NewWriter(w)
	for i := range n {
		for _, v := range slices.Backward(word(i)) {
			fmt.Fprintf(b, "%02x", v)
		}
		b.WriteByte('\n')
	}
	return b.Flush()
}

func readImage(name string, r io.Reader, n int, word func(i int) []byte) error {
	i := 0
	err := eachLine(name, r, "//", func(line int, words []string) error {
		if i == n {
			return fault(name, line, "words", "more", strconv.Itoa(n))
		}
		dst := word(i)
		b, err := hex.DecodeString(words[0])
		if err != nil || len(b) != len(dst) || len(words) != 1 {
			return fault(name, line, "word", strconv.Quote(strings.Join(words, " ")), fmt.Sprintf("%d hex digits", 2*len(dst)))
		}
		slices.Reverse(b)
		copy(dst, b)
		i++
		return nil
	})
	if err == nil && i != n {
		err = fault(name, 0, "words", i, strconv.Itoa(n))
	}
	return err
}

// coreFile is core.json: what no table word says.
type coreFile struct {
	Format      string `json:"format"` // always "glsnn-rtl"
	Version     int    `json:"version"`
	Chip        Chip   `json:"chip"`
	Neurons     int    `json:"neurons"`
	Samples     int    `json:"samples"`
	Synchronous bool   `json:"synchronous"`
	ClosedLoop  bool   `json:"closed_loop"`
}

func (w *words) neuronWord(c Chip) func(int) []byte {
	return func(i int) []byte { return w.neuron[i][:c.neuronBytes()] }
}

func (w *words) synapseWord(i int) []byte { return w.synapse[i][:] }

func sampleName(i int) string { return fmt.Sprintf("sample_%05d.stim", i) }

// WriteFolder writes the tables of a core and its samples into dir.
func (c *Core) WriteFolder(dir string, samples []Sample) error {
	if err := c.Validate(); err != nil {
		return err
	}
	for i, s := range samples {
		if err := s.Validate(c); err != nil {
			return fmt.Errorf("sample %d: %w", i, err)
		}
	}
	head, err := json.MarshalIndent(coreFile{"glsnn-rtl", 1, c.Chip, len(c.Neurons), len(samples), c.Synchronous, c.ClosedLoop}, "", "  ")
	if err != nil {
		return err
	}
	file := func(name string, write func(io.Writer) error) error {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o644)
	}
	w := c.words()
	errs := []error{
		os.WriteFile(filepath.Join(dir, "core.json"), append(head, '\n'), 0o644),
		file("neurons.mem", func(f io.Writer) error { return writeImage(f, size, w.neuronWord(c.Chip)) }),
		file("synapses.mem", func(f io.Writer) error { return writeImage(f, len(w.synapse), w.synapseWord) }),
	}
	for _, p := range c.Programs().all() {
		errs = append(errs, file(p.name+".spi", func(f io.Writer) error { return WriteSPI(f, *p.writes) }))
	}
	for i, s := range samples {
		errs = append(errs, file(sampleName(i), s.Write))
	}
	return errors.Join(errs...)
}

// ReadFolder reads back what WriteFolder wrote. Images and programs must say
// the same.
func ReadFolder(dir string) (*Core, []Sample, error) {
	open := func(name string, read func(path string, r io.Reader) error) error {
		path := filepath.Join(dir, name)
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		return read(path, f)
	}
	var head coreFile
	err := open("core.json", func(path string, r io.Reader) error {
		d := json.NewDecoder(r)
		d.DisallowUnknownFields()
		if err := d.Decode(&head); err != nil {
			return fault(path, 0, "object", err, "the keys of version 1")
		}
		switch {
		case head.Format != "glsnn-rtl" || head.Version != 1:
			return fault(path, 0, "format", fmt.Sprint(head.Format, " ", head.Version), "glsnn-rtl 1")
		case head.Chip != TinyODIN && head.Chip != ODIN:
			return fault(path, 0, "chip", strconv.Quote(string(head.Chip)), "tinyodin or odin")
		case head.Neurons < 1 || head.Neurons > size:
			return fault(path, 0, "neurons", head.Neurons, "1..256")
		case head.Samples < 0 || head.Samples > maxSamples:
			return fault(path, 0, "samples", head.Samples, fmt.Sprintf("0..%d", maxSamples))
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	w, p := new(words), new(Programs)
	errs := []error{
		open("neurons.mem", func(path string, r io.Reader) error {
			return readImage(path, r, size, w.neuronWord(head.Chip))
		}),
		open("synapses.mem", func(path string, r io.Reader) error { return readImage(path, r, len(w.synapse), w.synapseWord) }),
	}
	for _, f := range p.all() {
		errs = append(errs, open(f.name+".spi", func(path string, r io.Reader) (err error) {
			*f.writes, err = ReadSPI(path, r)
			return err
		}))
	}
	samples := make([]Sample, head.Samples)
	for i := range samples {
		errs = append(errs, open(sampleName(i), func(path string, r io.Reader) (err error) {
			samples[i], err = ReadSample(path, r)
			return err
		}))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, nil, err
	}
	loaded := new(words)
	loaded.apply(p.Load)
	if *loaded != *w {
		return nil, nil, fault(filepath.Join(dir, "load.spi"), 0, "SRAM content", "another than the images", "what neurons.mem and synapses.mem hold")
	}
	c, err := w.core(head, p)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", dir, err)
	}
	for i, s := range samples {
		if err := s.Validate(c); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", filepath.Join(dir, sampleName(i)), err)
		}
	}
	return c, samples, nil
}

const maxSamples = 99999
