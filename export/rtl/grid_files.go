package rtl

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"text/template"
)

//go:embed bench_grid.v.tmpl
var gridBench string

// field is one field of a csram word, most significant first.
type gridField struct {
	width  int
	signed bool
	at     func(n *GridNeuron) *int
}

func (g *Grid) axonBits() int { return bits.Len(uint(g.Axons - 1)) }

// fields are those after the connections.
func (g *Grid) fields() []gridField {
	f := []gridField{
		{g.Bits, true, func(n *GridNeuron) *int { return &n.V }},
		{g.Bits, true, func(n *GridNeuron) *int { return &n.Reset }},
	}
	for k := range g.Types {
		f = append(f, gridField{g.WeightBits, true, func(n *GridNeuron) *int { return &n.Weights[k] }})
	}
	return append(f,
		gridField{g.WeightBits, true, func(n *GridNeuron) *int { return &n.Leak }},
		gridField{g.Bits, true, func(n *GridNeuron) *int { return &n.Positive }},
		gridField{g.Bits, true, func(n *GridNeuron) *int { return &n.Negative }},
		gridField{1, false, nil}, // reset mode
		gridField{9, true, func(n *GridNeuron) *int { return &n.DX }},
		gridField{9, true, func(n *GridNeuron) *int { return &n.DY }},
		gridField{g.axonBits(), false, func(n *GridNeuron) *int { return &n.Axon }},
		gridField{4, false, func(n *GridNeuron) *int { return &n.Delay }},
	)
}

func binary(b *strings.Builder, v, width int) {
	for i := width - 1; i >= 0; i-- {
		b.WriteByte('0' + byte(v>>i&1))
	}
}

func bit(on bool) int {
	if on {
		return 1
	}
	return 0
}

// word is one line of csram_*.mem.
func (g *Grid) word(n GridNeuron) string {
	var b strings.Builder
	for _, on := range slices.Backward(n.Connected) {
		binary(&b, bit(on), 1)
	}
	for _, f := range g.fields() {
		v := bit(n.Linear)
		if f.at != nil {
			v = *f.at(&n)
		}
		binary(&b, v, f.width)
	}
	return b.String()
}

func (g *Grid) readWord(name string, line int, text string) (GridNeuron, error) {
	width := g.Axons
	for _, f := range g.fields() {
		width += f.width
	}
	n := g.silent()
	if len(text) != width || strings.Trim(text, "01") != "" {
		return n, fault(name, line, "word", fmt.Sprintf("%d characters", len(text)), fmt.Sprintf("%d binary digits", width))
	}
	for a := range n.Connected {
		n.Connected[a] = text[g.Axons-1-a] == '1'
	}
	text = text[g.Axons:]
	for _, f := range g.fields() {
		v, err := strconv.ParseUint(text[:f.width], 2, 64)
		if err != nil {
			return n, fault(name, line, "word", text[:f.width], "binary digits")
		}
		x := int(v)
		if f.signed {
			s := 64 - f.width
			x = int(int64(v) << s >> s)
		}
		if f.at == nil {
			n.Linear = x == 1
		} else {
			*f.at(&n) = x
		}
		text = text[f.width:]
	}
	return n, nil
}

// Write writes the packets of a sample: "packet X Y AXON DELAY" lines, each
// tick closed by "tick T", "end" last.
func (s GridSample) Write(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintln(b, "# glsnn rtl packets 1")
	for t, packets := range s {
		for _, p := range packets {
			fmt.Fprintln(b, "packet", p.X, p.Y, p.Axon, p.Delay)
		}
		fmt.Fprintln(b, "tick", t)
	}
	fmt.Fprintln(b, "end")
	return b.Flush()
}

// ReadSample reads what GridSample.Write wrote; name is for errors.
func (g *Grid) ReadSample(name string, r io.Reader) (GridSample, error) {
	s := GridSample{}
	var packets []Packet
	done := false
	err := eachLine(name, r, "#", func(line int, words []string) error {
		want, known := map[string]int{"packet": 4, "tick": 1, "end": 0}[words[0]]
		if !known || done || len(words) != want+1 {
			return fault(name, line, "op", strings.Join(words, " "), "packet with 4 operands, tick with one, or end, once")
		}
		v := make([]int, want)
		for i := range v {
			x, err := strconv.Atoi(words[i+1])
			if err != nil || x < 0 {
				return fault(name, line, words[0], strconv.Quote(words[i+1]), "a number")
			}
			v[i] = x
		}
		switch words[0] {
		case "packet":
			p := Packet{v[0], v[1], v[2], v[3]}
			if !g.takes(p) {
				return fault(name, line, "packet", p, goodPacket)
			}
			packets = append(packets, p)
		case "tick":
			if v[0] != len(s) {
				return fault(name, line, "tick", v[0], strconv.Itoa(len(s)))
			}
			s = append(s, packets)
			packets = nil
		default:
			done = true
			if len(packets) > 0 {
				return fault(name, line, "end", "packets without a tick", "a tick line first")
			}
		}
		return nil
	})
	if err == nil && !done {
		err = fault(name, 0, "op", "the end of the file", "end")
	}
	return s, err
}

// gridFile is grid.json: what no memory file says.
type gridFile struct {
	Format  string `json:"format"` // always "glsnn-ranc"
	Version int    `json:"version"`
	X       int    `json:"x"`
	Y       int    `json:"y"`
	Bus     [2]int `json:"bus"`
	Outputs int    `json:"outputs"`
	Axons   int    `json:"axons"`
	Neurons int    `json:"neurons"`
	Types   int    `json:"types"`
	Bits    int    `json:"bits"`
	Weights int    `json:"weight_bits"`
	Samples int    `json:"samples"`
}

// The simulator's own files.
type (
	simInput struct {
		Packets   [][]simPacket `json:"packets"`
		OutputBus simBus        `json:"output_bus"`
		Cores     []simCore     `json:"cores"`
	}
	simPacket struct {
		Core [2]int `json:"destination_core"`
		Axon int    `json:"destination_axon"`
		Tick int    `json:"destination_tick"`
	}
	simBus struct {
		Coordinates [2]int `json:"coordinates"`
		NumOutputs  int    `json:"num_outputs"`
	}
	simCore struct {
		Coordinates [2]int      `json:"coordinates"`
		Axons       []int       `json:"axons"`
		Neurons     []simNeuron `json:"neurons"`
		Connections [][]int     `json:"connections"`
	}
	simNeuron struct {
		V        int    `json:"current_potential"`
		Reset    int    `json:"reset_potential"`
		Weights  []int  `json:"weights"`
		Leak     int    `json:"leak"`
		Positive int    `json:"positive_threshold"`
		Negative int    `json:"negative_threshold"`
		Mode     int    `json:"reset_mode"`
		Offset   [2]int `json:"destination_core_offset"`
		Axon     int    `json:"destination_axon"`
		Tick     int    `json:"destination_tick"`
	}
	simConfig struct {
		Neurons   int `json:"num_neurons"`
		Axons     int `json:"num_axons"`
		X         int `json:"num_cores_x"`
		Y         int `json:"num_cores_y"`
		Weights   int `json:"num_weights"`
		MaxOffset int `json:"max_tick_offset"`
		Trace1    int `json:"neuron_block_trace_verbosity"`
		Trace2    int `json:"core_controller_trace_verbosity"`
		Trace3    int `json:"scheduler_trace_verbosity"`
		ResetType int `json:"neuron_reset_type"` // 0 compares as the RTL does
	}
)

func (g *Grid) simConfig() simConfig {
	return simConfig{Neurons: g.Neurons, Axons: g.Axons, X: g.X, Y: g.Y, Weights: g.Types, MaxOffset: 16}
}

func (g *Grid) simInput(s GridSample) simInput {
	in := simInput{Packets: [][]simPacket{}, OutputBus: simBus{g.Bus, g.Outputs}}
	for _, packets := range s {
		tick := []simPacket{}
		for _, p := range packets {
			tick = append(tick, simPacket{[2]int{p.X, p.Y}, p.Axon, p.Delay})
		}
		in.Packets = append(in.Packets, tick)
	}
	for i, c := range g.Cores {
		if g.isBus(i) {
			continue
		}
		core := simCore{Coordinates: [2]int{i % g.X, i / g.X}}
		for _, k := range c.Types {
			core.Axons = append(core.Axons, int(k))
		}
		for j := range g.Neurons {
			n := g.silent()
			if j < len(c.Neurons) {
				n = c.Neurons[j]
			}
			core.Neurons = append(core.Neurons, simNeuron{n.V, n.Reset, n.Weights, n.Leak, n.Positive, n.Negative, bit(n.Linear), [2]int{n.DX, n.DY}, n.Axon, n.Delay})
			row := make([]int, g.Axons)
			for a, on := range n.Connected {
				row[a] = bit(on)
			}
			core.Connections = append(core.Connections, row)
		}
		in.Cores = append(in.Cores, core)
	}
	return in
}

// CSRAMName is the file of a core's neurons, PacketName that of a sample.
func CSRAMName(i int) string  { return fmt.Sprintf("csram_%03d.mem", i) }
func PacketName(i int) string { return fmt.Sprintf("sample_%05d.pkt", i) }
func typesName(i int) string  { return fmt.Sprintf("tc_%03d.mem", i) }
func simName(i int) string    { return fmt.Sprintf("sim_input_%05d.json", i) }

// WriteFolder writes csram_*.mem and tc_*.mem, the packets of each sample, and
// sim_config.json and sim_input_*.json for RANC's own simulator.
func (g *Grid) WriteFolder(dir string, samples []GridSample) error {
	if err := g.writeMemories(dir, samples); err != nil {
		return err
	}
	errs := []error{writeJSON(dir, "sim_config.json", g.simConfig())}
	for i, s := range samples {
		errs = append(errs, writeJSON(dir, simName(i), g.simInput(s)))
	}
	return errors.Join(errs...)
}

func writeJSON(dir, name string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, name), append(data, '\n'), 0o644)
}

// writeMemories writes what the bench reads, and grid.json.
func (g *Grid) writeMemories(dir string, samples []GridSample) error {
	if err := g.Validate(); err != nil {
		return err
	}
	for i, s := range samples {
		if err := s.Validate(g); err != nil {
			return fmt.Errorf("sample %d: %w", i, err)
		}
	}
	errs := []error{writeJSON(dir, "grid.json", gridFile{"glsnn-ranc", 1, g.X, g.Y, g.Bus, g.Outputs, g.Axons, g.Neurons, g.Types, g.Bits, g.WeightBits, len(samples)})}
	file := func(name string, data []byte) {
		errs = append(errs, os.WriteFile(filepath.Join(dir, name), data, 0o644))
	}
	for i, c := range g.Cores {
		if g.isBus(i) {
			continue
		}
		var words, types strings.Builder
		for j := range g.Neurons {
			n := g.silent()
			if j < len(c.Neurons) {
				n = c.Neurons[j]
			}
			words.WriteString(g.word(n) + "\n")
		}
		for _, k := range c.Types {
			binary(&types, int(k), bits.Len(uint(g.Types-1)))
			types.WriteByte('\n')
		}
		file(CSRAMName(i), []byte(words.String()))
		file(typesName(i), []byte(types.String()))
	}
	for i, s := range samples {
		var b bytes.Buffer
		errs = append(errs, s.Write(&b))
		file(PacketName(i), b.Bytes())
	}
	return errors.Join(errs...)
}

// ReadGrid reads back what Grid.WriteFolder wrote; the simulator's files must
// say the same as the memories. Silent neurons are read as neurons.
func ReadGrid(dir string) (*Grid, []GridSample, error) {
	object := func(name string, v any) error {
		path := filepath.Join(dir, name)
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		d := json.NewDecoder(bytes.NewReader(data))
		d.DisallowUnknownFields()
		if err := d.Decode(v); err != nil {
			return fault(path, 0, "object", err, "the keys of version 1")
		}
		if _, err := d.Token(); err != io.EOF {
			return fault(path, 0, "object", "more after it", "its end")
		}
		return nil
	}
	lines := func(name string, visit func(path string, line int, text string) error) error {
		path := filepath.Join(dir, name)
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		return eachLine(path, f, "//", func(line int, words []string) error { return visit(path, line, strings.Join(words, " ")) })
	}
	var h gridFile
	if err := object("grid.json", &h); err != nil {
		return nil, nil, err
	}
	if h.Format != "glsnn-ranc" || h.Version != 1 || h.Samples < 0 || h.Samples > maxSamples {
		return nil, nil, fault(filepath.Join(dir, "grid.json"), 0, "format, version, samples", fmt.Sprint(h.Format, " ", h.Version, " ", h.Samples), "glsnn-ranc 1 and a count")
	}
	g := &Grid{X: h.X, Y: h.Y, Bus: h.Bus, Outputs: h.Outputs, Axons: h.Axons, Neurons: h.Neurons, Types: h.Types, Bits: h.Bits, WeightBits: h.Weights}
	g.Cores = make([]GridCore, max(0, min(h.X, 999)*min(h.Y, 999)))
	for i := range g.Cores { // sizes only: the content comes below
		if !g.isBus(i) {
			g.Cores[i].Types = make([]uint8, max(0, min(g.Axons, 4096)))
		}
	}
	if err := g.Validate(); err != nil {
		return nil, nil, fault(filepath.Join(dir, "grid.json"), 0, "sizes", err, "a valid grid")
	}
	for i := range g.Cores {
		if g.isBus(i) {
			continue
		}
		c := &g.Cores[i]
		err := lines(CSRAMName(i), func(path string, line int, text string) error {
			n, err := g.readWord(path, line, text)
			if err != nil {
				return err
			}
			c.Neurons = append(c.Neurons, n)
			g.checkNeuron(i, &n, func(field string, got any, want string) {
				err = cmp.Or(err, fault(path, line, field, got, want))
			})
			return err
		})
		if err == nil && len(c.Neurons) != g.Neurons {
			err = fault(filepath.Join(dir, CSRAMName(i)), 0, "words", len(c.Neurons), strconv.Itoa(g.Neurons))
		}
		if err != nil {
			return nil, nil, err
		}
		c.Types = nil
		err = lines(typesName(i), func(path string, line int, text string) error {
			k, err := strconv.ParseUint(text, 2, 8)
			if err != nil || len(text) != bits.Len(uint(g.Types-1)) || k >= uint64(g.Types) {
				return fault(path, line, "axon type", strconv.Quote(text), fmt.Sprintf("%d binary digits, 0..%d", bits.Len(uint(g.Types-1)), g.Types-1))
			}
			c.Types = append(c.Types, uint8(k))
			return nil
		})
		if err == nil && len(c.Types) != g.Axons {
			err = fault(filepath.Join(dir, typesName(i)), 0, "axon types", len(c.Types), strconv.Itoa(g.Axons))
		}
		if err != nil {
			return nil, nil, err
		}
	}
	var config simConfig
	if err := object("sim_config.json", &config); err != nil {
		return nil, nil, err
	}
	if config != g.simConfig() {
		return nil, nil, fault(filepath.Join(dir, "sim_config.json"), 0, "object", config, fmt.Sprint(g.simConfig()))
	}
	samples := make([]GridSample, h.Samples)
	for i := range samples {
		path := filepath.Join(dir, PacketName(i))
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, nil, err
		}
		if samples[i], err = g.ReadSample(path, bytes.NewReader(data)); err != nil {
			return nil, nil, err
		}
		var in simInput
		if err := object(simName(i), &in); err != nil {
			return nil, nil, err
		}
		if !reflect.DeepEqual(in, g.simInput(samples[i])) {
			return nil, nil, fault(filepath.Join(dir, simName(i)), 0, "object", "another network or packets", "what the memory and packet files hold")
		}
	}
	return g, samples, nil
}

// scopes are the names simulators give the block without a name that holds a
// core: the standard's, and Icarus 11's.
var scopes = []string{"genblk1.", "genblk2.", ""}

// Bench is the Verilog source of the test bench of a grid. It reads the
// potentials inside the cores, at gencore[i].scope + "Core": see scopes.
func (g *Grid) Bench(scope string) []byte {
	low := 0
	for _, f := range g.fields()[1:] {
		low += f.width
	}
	data := struct {
		*Grid
		AxonBits, OutBits, Quiet, Width, Low int
		Scope                                string
		Cells                                []int
	}{g, g.axonBits(), bits.Len(uint(g.Outputs - 1)), 64 + 16*(g.X+g.Y), low + g.Bits + g.Axons, low, scope, nil}
	for i := range g.Cores {
		if !g.isBus(i) {
			data.Cells = append(data.Cells, i)
		}
	}
	var b bytes.Buffer
	if err := template.Must(template.New("bench").Parse(gridBench)).Execute(&b, data); err != nil {
		panic(err) // the template is ours
	}
	return b.Bytes()
}

// RunGrid builds a clone of RANC with this grid's sizes, plays the samples and
// returns the log; the By SPI options have no meaning here. Spikes are sorted
// within a tick: packets of several cores race to the bus.
func RunGrid(ctx context.Context, o Options, g *Grid, samples []GridSample) (*Log, error) {
	if err := g.Validate(); err != nil {
		return nil, err
	}
	rtl, err := sources(o.Clone, "UA-RCL/RANC", "RANCNetworkGrid.v", []string{"hardware/IP/RANCNetwork/src/sources", "."})
	if err != nil {
		return nil, err
	}
	s := &Simulation{chip: RANC, opts: o}
	dir, err := s.dir("glsnn-rtl-run-")
	if err != nil {
		return nil, err
	}
	if o.WorkDir == "" {
		defer os.RemoveAll(dir)
	}
	if err := g.writeMemories(dir, samples); err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "bench_ranc.v")
	var argv []string
	var failed error // of the first scope
	for _, scope := range scopes {
		if err := os.WriteFile(file, g.Bench(scope), 0o644); err != nil {
			return nil, err
		}
		argv, err = compile(ctx, o.Simulator, dir, "glsnn_bench", "2012", append(rtl, file))
		if failed = cmp.Or(failed, err); !errors.Is(err, ErrBuild) || ctx.Err() != nil {
			break
		}
	}
	if err != nil {
		if o.Simulator == Verilator && errors.Is(err, ErrBuild) {
			failed = fmt.Errorf("%w; not every Verilator finds the cores by name, Icarus Verilog (%s) does", failed, Icarus)
		}
		return nil, failed
	}
	log, err := s.play(ctx, dir, len(samples), append(argv, fmt.Sprintf("+samples=%d", len(samples)), fmt.Sprintf("+wait=%d", s.waitLimit())))
	if err != nil {
		return nil, err
	}
	for i := range log.Samples {
		slices.SortFunc(log.Samples[i].Spikes, func(a, b SpikeLog) int {
			return cmp.Or(cmp.Compare(a.Tick, b.Tick), cmp.Compare(a.Neuron, b.Neuron))
		})
	}
	return log, nil
}

// BuildGridSimulator builds RANC's C++ simulator from a clone by cmake, into
// dir, and returns the program.
func BuildGridSimulator(ctx context.Context, clone, dir string) (binary string, err error) {
	const repo = "UA-RCL/RANC"
	if clone == "" {
		return "", fmt.Errorf("%w: no folder given: want a checkout of github.com/%s", ErrNoClone, repo)
	}
	source, err := filepath.Abs(filepath.Join(clone, "simulator"))
	if err != nil {
		return "", err
	}
	if info, err := os.Stat(filepath.Join(source, "CMakeLists.txt")); err != nil || !info.Mode().IsRegular() {
		return "", fmt.Errorf("%w: %s: no simulator/CMakeLists.txt in it: want a checkout of github.com/%s", ErrNoClone, clone, repo)
	}
	cmake, err := find("cmake", "CMake and a C++ compiler (Debian, Ubuntu: apt-get install cmake g++)")
	if err != nil {
		return "", err
	}
	// The repository asks for the policies of CMake 2.8, which CMake 4 has dropped.
	if _, err := command(ctx, dir, ErrBuild, cmake, "-S", source, "-B", dir, "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_POLICY_VERSION_MINIMUM=3.5"); err != nil {
		return "", err
	}
	if _, err := command(ctx, dir, ErrBuild, cmake, "--build", dir, "--parallel"); err != nil {
		return "", err
	}
	return filepath.Join(dir, RANCSimulator), nil
}

// RunGridSimulator runs RANC's C++ simulator on one sample. It gives spikes
// only, and it does not wrap: a net that overflows Bits differs from the RTL.
func RunGridSimulator(ctx context.Context, binary string, g *Grid, s GridSample) ([]SpikeLog, error) {
	if info, err := os.Stat(binary); err != nil || info.IsDir() {
		return nil, fmt.Errorf("%w: %s: want ranc_sim, built by cmake from simulator/ of UA-RCL/RANC", ErrNoSimulator, binary)
	}
	binary, err := filepath.Abs(binary)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(g.Validate(), s.Validate(g)); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "glsnn-ranc-sim-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := errors.Join(writeJSON(dir, "sim_config.json", g.simConfig()), writeJSON(dir, simName(0), g.simInput(s))); err != nil {
		return nil, err
	}
	// Row t+1 is what leaves in tick t.
	if _, err := command(ctx, dir, ErrRun, binary, simName(0), "out.txt", "sim_config.json", strconv.Itoa(len(s)+1)); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(filepath.Join(dir, "out.txt"))
	if err != nil {
		return nil, fmt.Errorf("%w: ranc_sim wrote no output", ErrRun)
	}
	var spikes []SpikeLog
	rows := 0
	err = eachLine("out.txt", bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))), "//", func(line int, words []string) error {
		if len(words) != g.Outputs {
			return fault("out.txt", line, "columns", len(words), strconv.Itoa(g.Outputs))
		}
		for o, w := range words {
			switch {
			case w != "0" && w != "1":
				return fault("out.txt", line, fmt.Sprintf("output %d", o), strconv.Quote(w), "0 or 1")
			case w == "1":
				spikes = append(spikes, SpikeLog{rows - 1, o})
			}
		}
		rows++
		return nil
	})
	if err == nil && rows != len(s)+1 {
		err = fault("out.txt", 0, "rows", rows, strconv.Itoa(len(s)+1))
	}
	return spikes, err
}
