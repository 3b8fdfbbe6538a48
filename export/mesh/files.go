package mesh

import (
	"bufio"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"glsnn/export/rtl"
	"glsnn/export/table"
	"glsnn/fixedpoint"
	"glsnn/fixedpoint/artefact"
	"glsnn/targets"
)

// A mesh folder has the files of rtl.Grid (grid.json, csram_*.mem, tc_*.mem,
// packets and the simulator's JSON), manifest.json, and these three:
const (
	networkName = "network.json" // networkFile
	inputsName  = "inputs.csv"   // the packets of a spike of each input
	copiesName  = "neurons.csv"  // Mesh.Copies

	inputsHeader = "input,x,y,axon"
	copiesHeader = "core,neuron,layer,index"
)

// networkFile is network.json: what no memory says.
type networkFile struct {
	Ticks      int                   `json:"ticks"`
	Encoding   fixedpoint.Encoding   `json:"encoding"`
	Readout    fixedpoint.Readout    `json:"readout"`
	Arithmetic fixedpoint.Arithmetic `json:"arithmetic"`
	Inputs     int                   `json:"inputs"`
	Layers     []layerFile           `json:"layers"`
}

type layerFile struct {
	Neurons    int     `json:"neurons"`
	WeightBits int     `json:"weight_bits"`
	Scale      float64 `json:"scale"`
}

// Write makes the folder dir, whole or not at all: the grid's files with the
// packets of samples, and a manifest. chip is what the mapping was made for.
func (m *Mesh) Write(dir string, chip *targets.Chip, samples []rtl.GridSample, o table.Options) error {
	lowered, err := m.Model.Hash()
	if err != nil {
		return err
	}
	n := networkFile{Ticks: m.Model.Ticks, Encoding: m.Model.Encoding, Readout: m.Model.Readout, Arithmetic: m.Model.Arithmetic, Inputs: len(m.Inputs)}
	for _, l := range m.Model.Layers {
		n.Layers = append(n.Layers, layerFile{l.Out, l.WeightBits, l.Scale})
	}
	return artefact.WriteDir(dir, o.Force, func(tmp string) error {
		return cmp.Or(
			m.Grid.WriteFolder(tmp, samples),
			table.WriteJSON(tmp, networkName, n),
			table.WriteText(tmp, inputsName, func(b *bufio.Writer) {
				fmt.Fprintln(b, inputsHeader)
				for i, packets := range m.Inputs {
					for _, p := range packets {
						fmt.Fprintf(b, "%d,%d,%d,%d\n", i, p.X, p.Y, p.Axon)
					}
				}
			}),
			table.WriteText(tmp, copiesName, func(b *bufio.Writer) {
				fmt.Fprintln(b, copiesHeader)
				for _, c := range m.Copies {
					fmt.Fprintf(b, "%d,%d,%d,%d\n", c.Core, c.Neuron, c.Layer, c.Index)
				}
			}),
			table.WriteManifest(tmp, table.Manifest{
				Kind: Kind, Tool: o.Tool, Model: o.Model, Target: chip.Name, TargetSpec: o.TargetSpec, Chip: chip.SHA256,
				Lowered: lowered, Source: m.Model.Source, Stimuli: o.Stimuli, Layout: o.Layout,
			}),
		)
	})
}

// Read rebuilds the network from the files of dir alone, by following the
// destinations in the cores' memories, and gives the stored samples. It does
// not look at the manifest. Weights are what the connections and the neurons'
// tables add up to for each input or neuron of the layer below, whichever axons
// carry it. Files that do not agree are an error, an artefact.ErrCorrupt, with
// file and line.
func Read(dir string) (*Mesh, []rtl.GridSample, error) {
	grid, samples, err := rtl.ReadGrid(dir)
	if err != nil {
		return nil, nil, err
	}
	r := reader{dir: dir, Mesh: &Mesh{Grid: grid}}
	model, err := r.model()
	if err != nil {
		return nil, nil, err
	}
	r.Model = model
	for i, s := range samples {
		if len(s) != r.ticks() {
			return nil, nil, table.Fault(dir, rtl.PacketName(i), 0, "ticks", len(s), fmt.Sprintf("%d, the window and the way to the bus", r.ticks()))
		}
	}
	return r.Mesh, samples, nil
}

// source is what an axon carries: an input (layer -1) or a neuron. The zero
// value carries nothing.
type source struct {
	known        bool
	layer, index int
}

func (s source) String() string {
	switch {
	case !s.known:
		return "nothing"
	case s.layer < 0:
		return fmt.Sprintf("input %d", s.index)
	}
	return fmt.Sprintf("neuron %d of layer %d", s.index, s.layer)
}

// reader is a folder that is being read.
type reader struct {
	*Mesh
	dir     string
	net     networkFile
	sources [][]source // of each core and axon
}

func (r *reader) model() (*fixedpoint.Model, error) {
	if err := r.network(); err != nil {
		return nil, err
	}
	if err := r.inputs(); err != nil {
		return nil, err
	}
	if err := r.copies(); err != nil {
		return nil, err
	}
	out := fixedpoint.Model{Arithmetic: r.net.Arithmetic, Ticks: r.net.Ticks, Encoding: r.net.Encoding, Readout: r.net.Readout}
	in := r.net.Inputs
	for i, l := range r.net.Layers {
		out.Layers = append(out.Layers, fixedpoint.Layer{In: in, Out: l.Neurons, WeightBits: l.WeightBits, Scale: l.Scale})
		in = l.Neurons
		if err := r.layer(i, &out.Layers[i]); err != nil {
			return nil, err
		}
	}
	m, err := fixedpoint.NewModel(out)
	if err != nil {
		return nil, table.Fault(r.dir, networkName, 0, "network", firstLine(err), "one of the arithmetic in it")
	}
	return m, nil
}

func (r *reader) network() error {
	if err := table.ReadJSON(r.dir, networkName, &r.net); err != nil {
		return err
	}
	n, g := &r.net, r.Grid
	fault := func(field string, got any, want string) error {
		return table.Fault(r.dir, networkName, 0, field, got, want)
	}
	a := n.Arithmetic
	if err := a.Validate(); err != nil {
		return fault("arithmetic", firstLine(err), "a valid one")
	}
	var err error
	runs(a, func(ok bool, field string, got any, want string) {
		if !ok && err == nil {
			err = fault("arithmetic: "+field, got, want)
		}
	})
	switch {
	case err != nil:
		return err
	case a.Membrane.Register.Bits != g.Bits || a.Weight.TableBits != g.WeightBits || a.Weight.Types != g.Types:
		return fault("arithmetic", fmt.Sprintf("membranes of %d bits, %d types of %d", a.Membrane.Register.Bits, a.Weight.Types, a.Weight.TableBits),
			fmt.Sprintf("%d, %d types of %d, as in grid.json", g.Bits, g.Types, g.WeightBits))
	case n.Inputs < 1 || n.Inputs > g.Axons:
		return fault("inputs", n.Inputs, fmt.Sprintf("1..%d, the axons of a core", g.Axons))
	case len(n.Layers) < 1 || len(n.Layers) >= len(g.Cores):
		return fault("layers", len(n.Layers), fmt.Sprintf("1..%d, a core each", len(g.Cores)-1))
	}
	// A source takes an axon and a neuron takes a word: what is allocated below
	// is bounded by what was read.
	words := 0
	for _, c := range g.Cores {
		words += len(c.Neurons)
	}
	for i, l := range n.Layers {
		most := words
		if i < len(n.Layers)-1 {
			most = min(words, g.Axons)
		}
		if l.Neurons < 1 || l.Neurons > most {
			return fault(fmt.Sprintf("layers.%d.neurons", i), l.Neurons, fmt.Sprintf("1..%d", most))
		}
	}
	return nil
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// inputs reads inputs.csv and begins sources.
func (r *reader) inputs() error {
	g := r.Grid
	r.sources = make([][]source, len(g.Cores))
	for i := range r.sources {
		r.sources[i] = make([]source, g.Axons)
	}
	r.Inputs = make([][]rtl.Packet, r.net.Inputs)
	next := int64(0)
	return table.ReadRows(r.dir, inputsName, inputsHeader, func(line int, row []int64) error {
		if row[0] != next && row[0] != next+1 || row[0] >= int64(len(r.Inputs)) {
			return table.Fault(r.dir, inputsName, line, "input", row[0], fmt.Sprintf("ascending, below %d", len(r.Inputs)))
		}
		next = row[0]
		x, y, axon := row[1], row[2], row[3]
		if x < 0 || x >= int64(g.X) || y < 0 || y >= int64(g.Y) || len(g.Cores[g.Cell(int(x), int(y))].Types) == 0 {
			return table.Fault(r.dir, inputsName, line, "x,y", fmt.Sprintf("%d,%d", x, y), "a core")
		}
		if axon < 0 || axon >= int64(g.Axons) {
			return table.Fault(r.dir, inputsName, line, "axon", axon, fmt.Sprintf("0..%d", g.Axons-1))
		}
		r.Inputs[next] = append(r.Inputs[next], rtl.Packet{X: int(x), Y: int(y), Axon: int(axon)})
		return r.carry(inputsName, line, g.Cell(int(x), int(y)), int(axon), source{true, -1, int(next)})
	})
}

// carry notes that s feeds an axon, which takes one source only.
func (r *reader) carry(file string, line, core, axon int, s source) error {
	at := &r.sources[core][axon]
	if at.known {
		return table.Fault(r.dir, file, line, fmt.Sprintf("axon %d of core %d", axon, core), fmt.Sprintf("%s beside %s", s, *at), "one source")
	}
	*at = s
	return nil
}

// copies reads neurons.csv and follows the neurons' destinations.
func (r *reader) copies() error {
	g := r.Grid
	bus := g.Cell(g.Bus[0], g.Bus[1])
	last := len(r.net.Layers) - 1
	placed := make([][]bool, len(g.Cores))
	for i, c := range g.Cores {
		placed[i] = make([]bool, len(c.Neurons))
	}
	err := table.ReadRows(r.dir, copiesName, copiesHeader, func(line int, row []int64) error {
		fault := func(field string, got any, want string) error {
			return table.Fault(r.dir, copiesName, line, field, got, want)
		}
		for k, most := range []int{len(g.Cores), g.Neurons, len(r.net.Layers)} {
			if row[k] < 0 || row[k] >= int64(most) {
				return fault([]string{"core", "neuron", "layer"}[k], row[k], fmt.Sprintf("0..%d", most-1))
			}
		}
		c := Copy{int(row[0]), int(row[1]), int(row[2]), int(row[3])}
		switch n := r.net.Layers[c.Layer].Neurons; {
		case c.Core == bus:
			return fault("core", c.Core, "another than the bus")
		case row[3] < 0 || row[3] >= int64(n):
			return fault("index", row[3], fmt.Sprintf("0..%d", n-1))
		}
		if k := len(r.Copies); k > 0 {
			if b := r.Copies[k-1]; c.Core < b.Core || c.Core == b.Core && c.Neuron <= b.Neuron {
				return fault("core,neuron", fmt.Sprintf("%d,%d", c.Core, c.Neuron), "ascending")
			}
		}
		placed[c.Core][c.Neuron] = true
		r.Copies = append(r.Copies, c)
		n := g.Cores[c.Core].Neurons[c.Neuron]
		file, at := rtl.CSRAMName(c.Core), c.Neuron+1
		to := c.Core + g.Cell(n.DX, n.DY)
		switch {
		case c.Layer < last && to == bus:
			return table.Fault(r.dir, file, at, "destination", "the bus", fmt.Sprintf("a core: this is a neuron of layer %d", c.Layer))
		case c.Layer < last:
			return r.carry(file, at, to, n.Axon, source{true, c.Layer, c.Index})
		case to != bus || n.Axon != c.Index:
			return table.Fault(r.dir, file, at, "destination", fmt.Sprintf("cell %d axon %d", to, n.Axon), fmt.Sprintf("the bus, cell %d, axon %d", bus, c.Index))
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, c := range g.Cores {
		for j, n := range c.Neurons {
			if !placed[i][j] && !g.Silent(n) {
				return table.Fault(r.dir, rtl.CSRAMName(i), j+1, "word", "a neuron that may do something", "a silent one: neurons.csv does not name it")
			}
		}
	}
	return nil
}

// layer finds layer i's weights and parameters in the copies of its neurons.
func (r *reader) layer(i int, l *fixedpoint.Layer) error {
	weights := make([]int16, l.In*l.Out)
	seen := make([]int, l.Out) // copies of each neuron
	first := true
	column := make([]int64, l.In)
	fed := make([]bool, l.In)
	for _, c := range r.Copies {
		if c.Layer != i {
			continue
		}
		core := &r.Grid.Cores[c.Core]
		n := core.Neurons[c.Neuron]
		fault := func(field string, got any, want string) error {
			return table.Fault(r.dir, rtl.CSRAMName(c.Core), c.Neuron+1, field, got, want)
		}
		if n.V != 0 {
			return fault("potential", n.V, "0")
		}
		p := fixedpoint.Layer{
			Threshold: int64(n.Positive), NegThreshold: int64(n.Negative), MembraneLeak: int64(n.Leak), Delay: n.Delay,
			ResetValue: int64(n.Reset), NegReset: fixedpoint.NegValue,
		}
		switch {
		case n.Linear && n.Reset != 0:
			return fault("reset potential", n.Reset, "0 with a linear reset")
		case n.Linear:
			p.Reset, p.NegReset = fixedpoint.ResetSubtract, fixedpoint.NegSubtract
		case n.Reset != 0:
			p.Reset = fixedpoint.ResetValue
		}
		if first {
			first = false
			l.Threshold, l.NegThreshold, l.MembraneLeak, l.Delay = p.Threshold, p.NegThreshold, p.MembraneLeak, p.Delay
			l.ResetValue, l.NegReset, l.Reset = p.ResetValue, p.NegReset, p.Reset
		} else if l.Threshold != p.Threshold || l.NegThreshold != p.NegThreshold || l.MembraneLeak != p.MembraneLeak || l.Delay != p.Delay ||
			l.ResetValue != p.ResetValue || l.NegReset != p.NegReset || l.Reset != p.Reset {
			return fault("parameters", "others", fmt.Sprintf("those of the other neurons of layer %d", i))
		}
		clear(column)
		clear(fed)
		for a, on := range n.Connected {
			s := r.sources[c.Core][a]
			if s.known && s.layer == i-1 {
				fed[s.index] = true
			}
			switch {
			case !on:
			case !s.known || s.layer != i-1:
				return fault(fmt.Sprintf("connection to axon %d", a), s, map[bool]string{true: "an input", false: fmt.Sprintf("a neuron of layer %d", i-1)}[i == 0])
			default:
				column[s.index] += int64(n.Weights[core.Types[a]])
			}
		}
		if k := slices.Index(fed, false); k >= 0 {
			return fault("axons", fmt.Sprintf("none of %s", source{true, i - 1, k}), "one of each source of the layer")
		}
		for k, w := range column {
			at := &weights[k*l.Out+c.Index]
			if int64(int16(w)) != w {
				return fault(fmt.Sprintf("weight from %s", source{true, i - 1, k}), w, "16 bits")
			}
			if seen[c.Index] > 0 && int64(*at) != w {
				return fault(fmt.Sprintf("weight from %s", source{true, i - 1, k}), w, fmt.Sprintf("%d, as in the other copies of the neuron", *at))
			}
			*at = int16(w)
		}
		seen[c.Index]++
	}
	if k := slices.Index(seen, 0); k >= 0 {
		return table.Fault(r.dir, copiesName, 0, "rows", "none for "+source{true, i, k}.String(), "each neuron")
	}
	if i == len(r.net.Layers)-1 {
		if k := slices.IndexFunc(seen, func(n int) bool { return n > 1 }); k >= 0 {
			return table.Fault(r.dir, copiesName, 0, "rows", fmt.Sprintf("%d for %s", seen[k], source{true, i, k}), "one: the bus would count its spikes twice")
		}
	}
	l.Weights = fixedpoint.NewMatrix(l.In, l.Out, weights)
	return nil
}
