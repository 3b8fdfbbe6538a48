package table

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"glsnn/fixedpoint"
	"glsnn/fixedpoint/artefact"
	"glsnn/targets"
)

// open is the folder dir.
func open(dir string) folder {
	if dir == "" {
		dir = "."
	}
	return folder{os.DirFS(dir), dir}
}

// ReadManifest reads dir's manifest, which must be of one of kinds (Kind if none
// is named), and checks every file against its sha256.
// Errors wrap artefact.ErrCorrupt, artefact.ErrKind or artefact.ErrVersion.
func ReadManifest(dir string, kinds ...string) (*Manifest, error) {
	m, err := readManifest(open(dir), kinds...)
	if err != nil {
		return nil, err
	}
	return m, artefact.CheckDir(dir, m.Files)
}

func readManifest(f folder, kinds ...string) (*Manifest, error) {
	if len(kinds) == 0 {
		kinds = []string{Kind}
	}
	const name = "manifest.json"
	data, err := f.read(name, maxManifest)
	if err != nil {
		return nil, err
	}
	var m Manifest
	if json.Unmarshal(data, &m) == nil { // before the keys, which another version may change
		if m.Format != "glsnn" || !slices.Contains(kinds, m.Kind) {
			return nil, fmt.Errorf("%w: %s: format and kind: got %.60q %.60q, want \"glsnn\" %q", artefact.ErrKind, f.path(name), m.Format, m.Kind, strings.Join(kinds, `" or "`))
		}
		if m.Version < 1 || m.Version > SchemaVersion {
			return nil, fmt.Errorf("%w: %s: version: got %d, want 1..%d", artefact.ErrVersion, f.path(name), m.Version, SchemaVersion)
		}
	}
	m = Manifest{}
	if err := f.json(name, maxManifest, &m); err != nil {
		return nil, err
	}
	return &m, nil
}

// loadedCore is one core's files.
type loadedCore struct {
	coreFile
	weights  []int16 // [Axons][Neurons]
	bias     []int64 // of each neuron; nil without
	axonsOut int     // form loihi: the entries that its axons have
}

// ways is where a source's spikes go: core -> in-axon.
type ways map[targets.CoreID]int

// Read rebuilds the network from the table files of dir: layers are found by
// following inputs.csv and routes.csv, weights come from the images. It does not
// look at the manifest. The result equals the model that was written, but for
// Source.
//
// Tables from elsewhere may number cores, neurons and axons as they like. The
// neurons of a hidden layer come out in the order of their axons on the first
// core above, those of the last layer as network.json lists them. A sum that
// may saturate depends on the order of its axons, so there axons must ascend
// with the sources on every core.
func Read(dir string) (*fixedpoint.Model, error) { return read(open(dir)) }

func read(f folder) (*fixedpoint.Model, error) {
	const name = "network.json"
	n, err := readNetwork(f)
	if err != nil {
		return nil, err
	}
	fault := func(field string, got any, want string) error { return f.fault(name, 0, field, got, want) }
	cores := map[targets.CoreID]*loadedCore{}
	total := 0
	for _, id := range n.Cores {
		if cores[id] != nil || id < 0 {
			return nil, fault("cores", fmt.Sprintf("core %d twice or negative", id), "each core once")
		}
		if n.Form == loihiForm {
			cores[id], err = readLoihiCore(f, id, n, &total)
		} else {
			cores[id], err = readCore(f, id, n.Arithmetic, n.Images, &total)
		}
		if err != nil {
			return nil, err
		}
	}

	// Follow the spikes: sources of layer 0 are the inputs, of layer l+1 the
	// neurons of layer l. sources[s] is where source s goes, as file says.
	sources, file := make([]ways, n.Inputs), "inputs.csv"
	if err := readInputs(f, cores, sources); err != nil {
		return nil, err
	}
	byNeuron := map[address]ways{}
	routes := "routes.csv"
	if n.Form == loihiForm {
		routes = "cores" // each has its own
		err = readAxonsOut(f, n.Cores, cores, byNeuron)
	} else {
		err = readRoutes(f, cores, byNeuron)
	}
	if err != nil {
		return nil, err
	}
	m := fixedpoint.Model{Arithmetic: n.Arithmetic, Ticks: n.Ticks, Encoding: n.Encoding, Readout: n.Readout}
	seen := map[targets.CoreID]bool{}
	var reordered []reorder
	for len(sources) > 0 {
		ids := reached(sources)
		if len(ids) == 0 {
			return nil, f.fault(file, 0, "rows", "none", "a way from every input to the outputs")
		}
		var neurons []address // of this layer, in the order its spikes are numbered above
		for _, id := range ids {
			if seen[id] {
				return nil, f.fault(file, 0, "destination core", fmt.Sprintf("core %d in two layers", id), "layers in a line")
			}
			seen[id] = true
			for i := range cores[id].Neurons {
				neurons = append(neurons, address{id, i})
			}
		}
		above := make([]ways, len(neurons))
		for i, a := range neurons {
			above[i] = byNeuron[a]
		}
		if up := reached(above); len(up) > 0 {
			if neurons, above, err = orderByAxon(f, routes, neurons, above, up[0]); err != nil {
				return nil, err
			}
		} else {
			if err := checkOutputs(f, n.Outputs, neurons); err != nil {
				return nil, err
			}
			neurons, above = n.Outputs, nil
		}
		layer, r, err := buildLayer(f, file, sources, neurons, ids, cores)
		if err != nil {
			return nil, err
		}
		if r != nil {
			r.layer = len(m.Layers)
			reordered = append(reordered, *r)
		}
		m.Layers = append(m.Layers, layer)
		sources, file = above, routes
	}
	if len(seen) != len(cores) {
		return nil, fault("cores", fmt.Sprintf("%d cores", len(cores)), fmt.Sprintf("the %d that spikes reach", len(seen)))
	}
	model, err := fixedpoint.NewModel(m)
	if err != nil {
		return nil, invalid(f.dir, "network", err)
	}
	for _, r := range reordered {
		if q := model.Bounds(r.layer).Sum; n.Arithmetic.Sum.Overflow == fixedpoint.Saturate && !n.Arithmetic.Sum.Holds(q.Lo, q.Hi) {
			return nil, f.fault(r.file, 0, "destination axon", fmt.Sprintf("axons of core %d out of the order of their sources", r.core), "ascending axons where a sum may saturate")
		}
	}
	return model, nil
}

// LayerDelay is the number of ticks that a spike takes from layer to layer, as
// network.json says.
func LayerDelay(dir string) (int, error) {
	n, err := readNetwork(open(dir))
	if err != nil {
		return 0, err
	}
	return n.LayerDelay, nil
}

func readNetwork(f folder) (*networkFile, error) {
	const name = "network.json"
	var n networkFile
	if err := f.json(name, maxNetwork, &n); err != nil {
		return nil, err
	}
	if err := n.Arithmetic.Validate(); err != nil {
		return nil, invalid(f.path(name), "arithmetic", err)
	}
	if n.Inputs < 1 || n.Inputs > maxInputs {
		return nil, f.fault(name, 0, "inputs", n.Inputs, fmt.Sprintf("1..%d", maxInputs))
	}
	for i, image := range n.Images {
		if !slices.Contains(Images(), image) || slices.Contains(n.Images[:i], image) {
			return nil, f.fault(name, 0, "images", clip(string(image)), "each of coe, mif, h at most once")
		}
	}
	switch {
	case n.Form == "" && n.Limits != nil:
		return nil, f.fault(name, 0, "limits", "an object", "none without form "+loihiForm)
	case n.Form == "":
	case n.Form != loihiForm:
		return nil, f.fault(name, 0, "form", strconv.Quote(clip(n.Form)), loihiForm+" or none")
	case n.Limits == nil:
		return nil, f.fault(name, 0, "limits", "nothing", "an object with form "+loihiForm)
	case len(n.Images) > 0:
		return nil, f.fault(name, 0, "images", len(n.Images), "none with form "+loihiForm)
	default:
		if field, got, most := n.Limits.fault(); field != "" {
			return nil, f.fault(name, 0, "limits."+field, got, fmt.Sprintf("1..%d", most))
		}
		if err := loihiSuits(n.Arithmetic); err != nil {
			return nil, invalid(f.path(name), "arithmetic", err)
		}
	}
	if n.LayerDelay < 0 || n.LayerDelay > 1 {
		return nil, f.fault(name, 0, "layer_delay", n.LayerDelay, "0 or 1")
	}
	return &n, nil
}

// invalid is the first of the faults that err joins, which are of the form
// "field: got x, want y", as a fault of file.
func invalid(file, part string, err error) error {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		err = many.Unwrap()[0]
	}
	field, rest, ok := strings.Cut(err.Error(), ": got ")
	got, want, ok2 := strings.Cut(rest, ", want ")
	if !ok || !ok2 {
		return fmt.Errorf("%w: %s: %s: %v", artefact.ErrCorrupt, file, part, err)
	}
	return &Error{File: file, Field: part + ": " + field, Got: got, Want: want}
}

func readInputs(f folder, cores map[targets.CoreID]*loadedCore, sources []ways) error {
	const name = "inputs.csv"
	return f.rows(name, "input,core,axon", func(line int, r []int64) error {
		if r[0] < 0 || r[0] >= int64(len(sources)) {
			return f.fault(name, line, "input", r[0], fmt.Sprintf("0..%d", len(sources)-1))
		}
		return addWay(f, name, line, &sources[r[0]], r[1], r[2], cores)
	})
}

func readRoutes(f folder, cores map[targets.CoreID]*loadedCore, byNeuron map[address]ways) error {
	const name = "routes.csv"
	return f.rows(name, "core,neuron,dest_core,dest_axon", func(line int, r []int64) error {
		src := find(cores, r[0])
		if src == nil {
			return f.fault(name, line, "core", r[0], "a core of network.json")
		}
		if r[1] < 0 || r[1] >= int64(src.Neurons) {
			return f.fault(name, line, "neuron", r[1], fmt.Sprintf("0..%d", src.Neurons-1))
		}
		a := address{src.Core, int(r[1])}
		w := byNeuron[a]
		err := addWay(f, name, line, &w, r[2], r[3], cores)
		byNeuron[a] = w
		return err
	})
}

// find is the core of an id that may be out of CoreID's range, or nil.
func find(cores map[targets.CoreID]*loadedCore, id int64) *loadedCore {
	if c := cores[targets.CoreID(id)]; c != nil && int64(c.Core) == id {
		return c
	}
	return nil
}

func addWay(f folder, name string, line int, w *ways, core, axon int64, cores map[targets.CoreID]*loadedCore) error {
	c := find(cores, core)
	if c == nil {
		return f.fault(name, line, "destination core", core, "a core of network.json")
	}
	if axon < 0 || axon >= int64(c.Axons) {
		return f.fault(name, line, "destination axon", axon, fmt.Sprintf("0..%d", c.Axons-1))
	}
	if *w == nil {
		*w = ways{}
	}
	if _, ok := (*w)[c.Core]; ok {
		return f.fault(name, line, "destination core", core, "each core once for a source")
	}
	(*w)[c.Core] = int(axon)
	return nil
}

// reached lists the cores that sources go to, ascending.
func reached(sources []ways) []targets.CoreID {
	set := map[targets.CoreID]bool{}
	for _, w := range sources {
		for id := range w {
			set[id] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// orderByAxon sorts a layer's neurons by the axon they send to on core first:
// that is the order in which their spikes are added there. file is where the ways
// are from.
func orderByAxon(f folder, file string, neurons []address, above []ways, first targets.CoreID) ([]address, []ways, error) {
	order := make([]int, len(neurons))
	for i, a := range neurons {
		order[i] = i
		if _, ok := above[i][first]; !ok {
			return nil, nil, f.fault(file, 0, "destination core", fmt.Sprintf("core %d neuron %d without a way to core %d", a.Core, a.Neuron, first), "every neuron of a layer on every core above")
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return above[a][first] - above[b][first] })
	n2, a2 := make([]address, len(neurons)), make([]ways, len(neurons))
	for i, o := range order {
		n2[i], a2[i] = neurons[o], above[o]
	}
	return n2, a2, nil
}

// checkOutputs says whether outputs lists each neuron of the last layer once.
func checkOutputs(f folder, outputs, neurons []address) error {
	fault := func(got, want string) error { return f.fault("network.json", 0, "outputs", got, want) }
	if len(outputs) != len(neurons) {
		return fault(fmt.Sprintf("%d addresses", len(outputs)), fmt.Sprintf("the %d neurons of the last layer", len(neurons)))
	}
	left := make(map[address]bool, len(neurons))
	for _, a := range neurons {
		left[a] = true
	}
	for _, a := range outputs {
		if !left[a] {
			return fault(fmt.Sprintf("core %d neuron %d", a.Core, a.Neuron), "each neuron of the last layer once")
		}
		delete(left, a)
	}
	return nil
}

// reorder is a core whose axons do not ascend with their sources, and the file
// that says so.
type reorder struct {
	layer int
	core  targets.CoreID
	file  string
}

// buildLayer gathers the weights from sources, as file gives them, to neurons,
// which lie on cores ids.
func buildLayer(f folder, file string, sources []ways, neurons []address, ids []targets.CoreID, cores map[targets.CoreID]*loadedCore) (fixedpoint.Layer, *reorder, error) {
	fail := func(name, field, got, want string) (fixedpoint.Layer, *reorder, error) {
		return fixedpoint.Layer{}, nil, f.fault(name, 0, field, got, want)
	}
	p := cores[ids[0]].coreFile
	var r *reorder
	for _, id := range ids {
		c := cores[id].coreFile
		same := c
		same.Core, same.X, same.Y, same.Neurons, same.StoredWeightBits = p.Core, p.X, p.Y, p.Neurons, p.StoredWeightBits
		if same.Axons != len(sources) {
			return fail(coreName(id)+".json", "axons", strconv.Itoa(c.Axons), fmt.Sprintf("the %d sources of %s", len(sources), file))
		}
		if same != p {
			return fail(coreName(id)+".json", "parameters", "others than of core "+strconv.Itoa(int(p.Core)), "the same for all cores of a layer")
		}
		used := make([]bool, c.Axons)
		below := -1
		for s, w := range sources {
			a, ok := w[id]
			if !ok {
				return fail(file, "destination core", fmt.Sprintf("source %d without a way to core %d", s, id), "every source of a layer on each of its cores")
			}
			if used[a] {
				return fail(file, "destination axon", fmt.Sprintf("two sources on axon %d of core %d", a, id), "one source an axon")
			}
			used[a] = true
			if a < below && r == nil {
				r = &reorder{core: id, file: file}
			}
			below = a
		}
	}
	weights := make([]int16, len(sources)*len(neurons))
	for s, w := range sources {
		for i, a := range neurons {
			c := cores[a.Core]
			weights[s*len(neurons)+i] = c.weights[w[a.Core]*c.Neurons+a.Neuron]
		}
	}
	var bias []int64
	if cores[ids[0]].bias != nil {
		for _, a := range neurons {
			bias = append(bias, cores[a.Core].bias[a.Neuron])
		}
	}
	l := fixedpoint.Layer{
		Bias: bias,
		In:   len(sources), Out: len(neurons), Weights: fixedpoint.NewMatrix(len(sources), len(neurons), weights),
		WeightBits: p.WeightBits, WeightExp: p.WeightExp, CurrentDecay: p.CurrentDecay, MembraneDecay: p.MembraneDecay,
		Threshold: p.Threshold, Reset: p.Reset, Integrator: p.Integrator, Scale: p.Scale,
		CurrentLeak: p.CurrentLeak, MembraneLeak: p.MembraneLeak, ResetValue: p.ResetValue, Refractory: p.Refractory,
		NegThreshold: p.NegThreshold, NegReset: p.NegReset, Delay: p.Delay,
	}
	if l.Integrator {
		l.Threshold = 0 // it is the register's largest value in the table, and never acts
	}
	return l, r, nil
}

// readCore reads a core's files; total counts the synapses of all cores.
func readCore(f folder, id targets.CoreID, a fixedpoint.Arithmetic, images []Image, total *int) (*loadedCore, error) {
	name := coreName(id)
	c := &loadedCore{}
	var err error
	if c.coreFile, err = readParameters(f, id, a); err != nil {
		return nil, err
	}
	if c.Axons > (maxSynapses-*total)/c.Neurons {
		return nil, f.fault(name+".json", 0, "axons x neurons", fmt.Sprintf("%d x %d", c.Axons, c.Neurons), fmt.Sprintf("at most %d synapses in all cores", maxSynapses))
	}
	*total += c.Axons * c.Neurons
	if c.weights, err = f.image(name+".mem", c.Axons, c.Neurons, c.StoredWeightBits, a.Weight.Signed); err != nil {
		return nil, err
	}
	if err := c.checkRows(f, name+".csv"); err != nil {
		return nil, err
	}
	r := rows{c.coreFile, func(axon, neuron int) int64 { return int64(c.weights[axon*c.Neurons+neuron]) }}
	for _, image := range images {
		if err := r.check(f, image); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func readParameters(f folder, id targets.CoreID, a fixedpoint.Arithmetic) (coreFile, error) {
	name := coreName(id) + ".json"
	var c coreFile
	if err := f.json(name, 1<<20, &c); err != nil {
		return c, err
	}
	least := 1
	if a.Weight.Signed {
		least = 2
	}
	for _, k := range []struct {
		field       string
		got, lo, hi int
	}{
		{"core", int(c.Core), int(id), int(id)},
		{"neurons", c.Neurons, 1, maxInputs},
		{"axons", c.Axons, 1, maxInputs},
		{"weight_bits", c.WeightBits, least, 16}, // NewModel knows the arithmetic's limit
		{"stored_weight_bits", c.StoredWeightBits, c.WeightBits, 16},
	} {
		if k.got < k.lo || k.got > k.hi {
			want := fmt.Sprintf("%d..%d", k.lo, k.hi)
			if k.lo == k.hi {
				want = strconv.Itoa(k.lo)
			}
			return c, f.fault(name, 0, k.field, k.got, want)
		}
	}
	return c, nil
}

// checkRows compares the decimal rows with the image.
func (c *loadedCore) checkRows(f folder, name string) error {
	return c.checkDecimal(f, name, "axon", "n", func(w int64) int64 { return w })
}

// checkDecimal compares the rows of a table with the weights read before, each
// in the form that shown gives it. first and prefix make its header.
func (c *loadedCore) checkDecimal(f folder, name, first, prefix string, shown func(weight int64) int64) error {
	axon := 0
	err := f.rows(name, numbered(first, prefix, c.Neurons), func(line int, r []int64) error {
		if axon == c.Axons {
			return f.fault(name, line, "rows", "more than "+strconv.Itoa(c.Axons), strconv.Itoa(c.Axons)+", one an in-axon")
		}
		if r[0] != int64(axon) {
			return f.fault(name, line, first, r[0], strconv.Itoa(axon))
		}
		for n, w := range r[1:] {
			if image := shown(int64(c.weights[axon*c.Neurons+n])); w != image {
				return f.fault(name, line, prefix+strconv.Itoa(n), w, fmt.Sprintf("%d as in the image", image))
			}
		}
		axon++
		return nil
	})
	if err == nil && axon != c.Axons {
		err = f.fault(name, 0, "rows", axon, strconv.Itoa(c.Axons)+", one an in-axon")
	}
	return err
}
