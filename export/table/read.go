package table

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"glsnn/fixedpoint"
	"glsnn/fixedpoint/artefact"
	"glsnn/targets"
)

// ReadManifest reads dir's manifest and checks every file against its sha256.
// Errors wrap artefact.ErrCorrupt, artefact.ErrKind or artefact.ErrVersion.
func ReadManifest(dir string) (*Manifest, error) {
	path := filepath.Join(dir, "manifest.json")
	data, err := readCapped(path, 1<<26)
	if err != nil {
		return nil, err
	}
	var m Manifest
	if err := strictJSON(data, path, &m); err != nil {
		return nil, err
	}
	if m.Format != "glsnn" || m.Kind != "tables" {
		return nil, fmt.Errorf("%w: %s: format and kind: got %q %q, want \"glsnn\" \"tables\"", artefact.ErrKind, path, m.Format, m.Kind)
	}
	if m.Version < 1 || m.Version > SchemaVersion {
		return nil, fmt.Errorf("%w: %s: version: got %d, want 1..%d", artefact.ErrVersion, path, m.Version, SchemaVersion)
	}
	return &m, artefact.CheckDir(dir, m.Files)
}

// Sizes that a table may claim; larger ones are refused before memory is taken.
const (
	maxFile     = 1 << 30
	maxInputs   = 1 << 20
	maxSynapses = 1 << 28
)

func readCapped(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		var pe *os.PathError
		if errors.As(err, &pe) {
			return nil, fmt.Errorf("%s: open: %w", path, pe.Err)
		}
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("%s: read: %w", path, err)
	}
	if int64(len(data)) > limit {
		return nil, &Error{File: path, Field: "size", Got: fmt.Sprintf("more than %d bytes", limit), Want: "less"}
	}
	return data, nil
}

func strictJSON(data []byte, path string, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("%w: %s: %v", artefact.ErrCorrupt, path, err)
	}
	if d.More() {
		return fmt.Errorf("%w: %s: got data after the object, want its end", artefact.ErrCorrupt, path)
	}
	return nil
}

// loadedCore is one core's files.
type loadedCore struct {
	coreFile
	weights []int16 // [Axons][Neurons]
}

// Read rebuilds the network from the table files of dir: layers are found by
// following inputs.csv and routes.csv, weights come from the images. It does not
// look at the manifest. The result equals the model that was written, but for
// Source.
func Read(dir string) (*fixedpoint.Model, error) {
	var n networkFile
	path := filepath.Join(dir, "network.json")
	data, err := readCapped(path, 1<<26)
	if err != nil {
		return nil, err
	}
	if err := strictJSON(data, path, &n); err != nil {
		return nil, err
	}
	fault := func(field, got, want string) error { return &Error{File: path, Field: field, Got: got, Want: want} }
	if err := n.Arithmetic.Validate(); err != nil {
		return nil, fmt.Errorf("%s: arithmetic: %w", path, err)
	}
	if n.Inputs < 1 || n.Inputs > maxInputs {
		return nil, fault("inputs", strconv.Itoa(n.Inputs), fmt.Sprintf("1..%d", maxInputs))
	}
	cores := map[targets.CoreID]*loadedCore{}
	total := 0
	for _, id := range n.Cores {
		if cores[id] != nil || id < 0 {
			return nil, fault("cores", fmt.Sprintf("core %d twice or negative", id), "each core once")
		}
		c, err := readCore(dir, id, &total)
		if err != nil {
			return nil, err
		}
		cores[id] = c
	}

	// Follow the spikes: sources of layer 0 are the inputs, of layer l+1 the
	// neurons of layer l. dest[s] is where source s goes, core -> axon.
	inputs, err := readTable(filepath.Join(dir, "inputs.csv"), "input,core,axon")
	if err != nil {
		return nil, err
	}
	routes, err := readTable(filepath.Join(dir, "routes.csv"), "core,neuron,dest_core,dest_axon")
	if err != nil {
		return nil, err
	}
	dests := make([]map[targets.CoreID]int, n.Inputs)
	for _, r := range inputs.rows {
		if r[0] < 0 || r[0] >= int64(n.Inputs) {
			return nil, inputs.fault(r, "input", r[0], fmt.Sprintf("0..%d", n.Inputs-1))
		}
		if err := addRoute(inputs, r, &dests[r[0]], r[1], r[2], cores); err != nil {
			return nil, err
		}
	}
	byNeuron := map[address]map[targets.CoreID]int{}
	for _, r := range routes.rows {
		src := cores[targets.CoreID(r[0])]
		if src == nil || int64(src.Core) != r[0] {
			return nil, routes.fault(r, "core", r[0], "a core of network.json")
		}
		if r[1] < 0 || r[1] >= int64(src.Neurons) {
			return nil, routes.fault(r, "neuron", r[1], fmt.Sprintf("0..%d", src.Neurons-1))
		}
		a := address{src.Core, int(r[1])}
		d := byNeuron[a]
		if err := addRoute(routes, r, &d, r[2], r[3], cores); err != nil {
			return nil, err
		}
		byNeuron[a] = d
	}

	m := fixedpoint.Model{Arithmetic: n.Arithmetic, Ticks: n.Ticks, Encoding: n.Encoding, Readout: n.Readout}
	seen := map[targets.CoreID]bool{}
	for len(dests) > 0 {
		ids := reached(dests)
		if len(ids) == 0 {
			return nil, fault("outputs", "a path that ends before them", "routes from every input to the outputs")
		}
		var neurons []address // of this layer, in the order its spikes are numbered above
		for _, id := range ids {
			if seen[id] {
				return nil, fault("cores", fmt.Sprintf("core %d in two layers", id), "layers in a line")
			}
			seen[id] = true
			for i := range cores[id].Neurons {
				neurons = append(neurons, address{id, i})
			}
		}
		above := make([]map[targets.CoreID]int, len(neurons))
		last := true
		for i, a := range neurons {
			above[i] = byNeuron[a]
			last = last && len(above[i]) == 0
		}
		if last {
			if len(n.Outputs) != len(neurons) {
				return nil, fault("outputs", fmt.Sprintf("%d addresses", len(n.Outputs)), fmt.Sprintf("the %d neurons of the last layer", len(neurons)))
			}
			for _, a := range n.Outputs {
				if !slices.Contains(ids, a.Core) || a.Neuron < 0 || a.Neuron >= cores[a.Core].Neurons {
					return nil, fault("outputs", fmt.Sprintf("core %d neuron %d", a.Core, a.Neuron), "a neuron of the last layer")
				}
			}
			neurons, above = n.Outputs, nil
		} else if neurons, above, err = orderByAxon(path, neurons, above); err != nil {
			return nil, err
		}
		layer, err := buildLayer(path, dests, neurons, ids, cores)
		if err != nil {
			return nil, err
		}
		m.Layers = append(m.Layers, layer)
		dests = above
	}
	if len(seen) != len(cores) {
		return nil, fault("cores", fmt.Sprintf("%d cores", len(cores)), fmt.Sprintf("the %d that spikes reach", len(seen)))
	}
	model, err := fixedpoint.NewModel(m)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return model, nil
}

// reached lists the cores of dests, ascending by the id.
func reached(dests []map[targets.CoreID]int) []targets.CoreID {
	set := map[targets.CoreID]bool{}
	for _, d := range dests {
		for id := range d {
			set[id] = true
		}
	}
	ids := make([]targets.CoreID, 0, len(set))
	for id := range set {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func addRoute(t *csvTable, r []int64, d *map[targets.CoreID]int, core, axon int64, cores map[targets.CoreID]*loadedCore) error {
	c := cores[targets.CoreID(core)]
	if c == nil || int64(c.Core) != core {
		return t.fault(r, "destination core", core, "a core of network.json")
	}
	if axon < 0 || axon >= int64(c.Axons) {
		return t.fault(r, "destination axon", axon, fmt.Sprintf("0..%d", c.Axons-1))
	}
	if *d == nil {
		*d = map[targets.CoreID]int{}
	}
	if _, ok := (*d)[c.Core]; ok {
		return t.fault(r, "destination core", core, "each core once for a source")
	}
	(*d)[c.Core] = int(axon)
	return nil
}

// orderByAxon sorts a layer's neurons by the axon they send to on the first
// core above: that is the order in which their spikes are added.
func orderByAxon(path string, neurons []address, above []map[targets.CoreID]int) ([]address, []map[targets.CoreID]int, error) {
	first := targets.CoreID(-1)
	for id := range above[0] {
		if first < 0 || id < first {
			first = id
		}
	}
	order := make([]int, len(neurons))
	for i := range order {
		order[i] = i
		if _, ok := above[i][first]; !ok {
			return nil, nil, &Error{File: path, Field: "routes", Got: fmt.Sprintf("core %d neuron %d without a way to core %d", neurons[i].Core, neurons[i].Neuron, first), Want: "every neuron of a layer on every core above"}
		}
	}
	slices.SortFunc(order, func(a, b int) int { return above[a][first] - above[b][first] })
	n2, a2 := make([]address, len(neurons)), make([]map[targets.CoreID]int, len(neurons))
	for i, o := range order {
		n2[i], a2[i] = neurons[o], above[o]
	}
	return n2, a2, nil
}

// buildLayer gathers the weights from sources (dests[s]: core -> in-axon) to
// neurons, which lie on cores ids.
func buildLayer(path string, dests []map[targets.CoreID]int, neurons []address, ids []targets.CoreID, cores map[targets.CoreID]*loadedCore) (fixedpoint.Layer, error) {
	fault := func(field, got, want string) (fixedpoint.Layer, error) {
		return fixedpoint.Layer{}, &Error{File: path, Field: field, Got: got, Want: want}
	}
	p := cores[ids[0]].coreFile
	for _, id := range ids {
		c := cores[id].coreFile
		same := c
		same.Core, same.X, same.Y, same.Neurons, same.StoredWeightBits = p.Core, p.X, p.Y, p.Neurons, p.StoredWeightBits
		if same != p {
			return fault("cores", fmt.Sprintf("cores %d and %d of one layer with different parameters", p.Core, id), "the same parameters")
		}
		used := make([]bool, c.Axons)
		for s, d := range dests {
			a, ok := d[id]
			if !ok {
				return fault("routes", fmt.Sprintf("source %d without a way to core %d", s, id), "every source of a layer on each of its cores")
			}
			if used[a] {
				return fault("routes", fmt.Sprintf("two sources on axon %d of core %d", a, id), "one source an axon")
			}
			used[a] = true
		}
		if len(dests) != c.Axons {
			return fault("axons", fmt.Sprintf("%d on core %d", c.Axons, id), fmt.Sprintf("the %d sources", len(dests)))
		}
	}
	weights := make([]int16, len(dests)*len(neurons))
	for s, d := range dests {
		for i, a := range neurons {
			c := cores[a.Core]
			weights[s*len(neurons)+i] = c.weights[d[a.Core]*c.Neurons+a.Neuron]
		}
	}
	l := fixedpoint.Layer{
		In: len(dests), Out: len(neurons), Weights: fixedpoint.NewMatrix(len(dests), len(neurons), weights),
		WeightBits: p.WeightBits, WeightExp: p.WeightExp, CurrentDecay: p.CurrentDecay, MembraneDecay: p.MembraneDecay,
		Threshold: p.Threshold, Reset: p.Reset, Integrator: p.Integrator, Scale: p.Scale,
	}
	if l.Integrator {
		l.Threshold = 0 // it is the register's largest value in the table, and never acts
	}
	return l, nil
}

func readCore(dir string, id targets.CoreID, total *int) (*loadedCore, error) {
	name := filepath.Join(dir, filepath.FromSlash(coreName(id)))
	data, err := readCapped(name+".json", 1<<20)
	if err != nil {
		return nil, err
	}
	c := &loadedCore{}
	if err := strictJSON(data, name+".json", &c.coreFile); err != nil {
		return nil, err
	}
	fault := func(field string, got any, want string) error {
		return &Error{File: name + ".json", Field: field, Got: fmt.Sprint(got), Want: want}
	}
	switch {
	case c.Core != id:
		return nil, fault("core", c.Core, fmt.Sprint(id))
	case c.Neurons < 1 || c.Neurons > maxInputs:
		return nil, fault("neurons", c.Neurons, fmt.Sprintf("1..%d", maxInputs))
	case c.Axons < 1 || c.Axons > maxInputs:
		return nil, fault("axons", c.Axons, fmt.Sprintf("1..%d", maxInputs))
	case c.StoredWeightBits < 2 || c.StoredWeightBits > 16:
		return nil, fault("stored_weight_bits", c.StoredWeightBits, "2..16")
	}
	if c.Axons > (maxSynapses-*total)/c.Neurons {
		return nil, fault("axons x neurons", fmt.Sprintf("%d x %d", c.Axons, c.Neurons), fmt.Sprintf("at most %d synapses in all cores", maxSynapses))
	}
	*total += c.Axons * c.Neurons
	if err := c.readImage(name + ".mem"); err != nil {
		return nil, err
	}
	return c, c.checkRows(name + ".csv")
}

// readImage fills weights from a $readmemh image.
func (c *loadedCore) readImage(path string) error {
	data, err := readCapped(path, maxFile)
	if err != nil {
		return err
	}
	digits := (c.Neurons*c.StoredWeightBits + 3) / 4
	fault := func(line int, field, got, want string) error {
		return &Error{File: path, Line: line, Field: field, Got: got, Want: want}
	}
	bits := c.StoredWeightBits
	line := 0
	for text := range strings.Lines(string(data)) {
		line++
		text = strings.TrimSuffix(text, "\n")
		if strings.HasPrefix(text, "//") || text == "" {
			continue
		}
		if len(text) != digits {
			return fault(line, "word", fmt.Sprintf("%d digits", len(text)), fmt.Sprintf("%d for %d weights of %d bits", digits, c.Neurons, bits))
		}
		if len(c.weights) == c.Axons*c.Neurons {
			return fault(line, "words", "more than "+strconv.Itoa(c.Axons), strconv.Itoa(c.Axons)+", one an in-axon")
		}
		var acc uint32
		have, at := 0, digits
		for range c.Neurons {
			for have < bits {
				at--
				v := strings.IndexByte("0123456789abcdef", text[at])
				if v < 0 {
					return fault(line, "word", strconv.QuoteRune(rune(text[at])), "lower-case hex digits")
				}
				acc |= uint32(v) << have
				have += 4
			}
			w := int32(acc<<(32-bits)) >> (32 - bits)
			acc >>= bits
			have -= bits
			c.weights = append(c.weights, int16(w))
		}
		if acc != 0 {
			return fault(line, "word", "set bits above the last weight", "zeros")
		}
	}
	if got := len(c.weights) / c.Neurons; got != c.Axons {
		return fault(0, "words", strconv.Itoa(got), strconv.Itoa(c.Axons)+", one an in-axon")
	}
	return nil
}

// checkRows compares the decimal rows with the image.
func (c *loadedCore) checkRows(path string) error {
	header := make([]string, 0, c.Neurons+1)
	header = append(header, "axon")
	for n := range c.Neurons {
		header = append(header, fmt.Sprintf("n%d", n))
	}
	t, err := readTable(path, strings.Join(header, ","))
	if err != nil {
		return err
	}
	if len(t.rows) != c.Axons {
		return &Error{File: path, Field: "rows", Got: strconv.Itoa(len(t.rows)), Want: strconv.Itoa(c.Axons) + ", one an in-axon"}
	}
	for a, r := range t.rows {
		if r[0] != int64(a) {
			return t.fault(r, "axon", r[0], strconv.Itoa(a))
		}
		for n, w := range r[1:] {
			if image := int64(c.weights[a*c.Neurons+n]); w != image {
				return t.fault(r, header[n+1], w, fmt.Sprintf("%d as in the image", image))
			}
		}
	}
	return nil
}

// csvTable is a table of integers.
type csvTable struct {
	path string
	rows [][]int64
	line map[*int64]int
}

func (t *csvTable) fault(row []int64, field string, got int64, want string) error {
	return &Error{File: t.path, Line: t.line[&row[0]], Field: field, Got: strconv.FormatInt(got, 10), Want: want}
}

func readTable(path, header string) (*csvTable, error) {
	data, err := readCapped(path, maxFile)
	if err != nil {
		return nil, err
	}
	t := &csvTable{path: path, line: map[*int64]int{}}
	columns := strings.Count(header, ",") + 1
	line := 0
	for text := range strings.Lines(string(data)) {
		line++
		text = strings.TrimSuffix(text, "\n")
		if line == 1 {
			if text != header {
				return nil, &Error{File: path, Line: 1, Field: "header", Got: strconv.Quote(clip(text)), Want: strconv.Quote(clip(header))}
			}
			continue
		}
		row := make([]int64, 0, columns)
		for field := range strings.SplitSeq(text, ",") {
			v, err := strconv.ParseInt(field, 10, 64)
			if err != nil {
				return nil, &Error{File: path, Line: line, Field: "column " + strconv.Itoa(len(row)+1), Got: strconv.Quote(clip(field)), Want: "an integer"}
			}
			row = append(row, v)
		}
		if len(row) != columns {
			return nil, &Error{File: path, Line: line, Field: "columns", Got: strconv.Itoa(len(row)), Want: strconv.Itoa(columns)}
		}
		t.rows = append(t.rows, row)
		t.line[&row[0]] = line
	}
	if line == 0 {
		return nil, &Error{File: path, Field: "header", Got: "an empty file", Want: strconv.Quote(clip(header))}
	}
	return t, nil
}

func clip(s string) string {
	if len(s) > 60 {
		return s[:60] + "..."
	}
	return s
}
