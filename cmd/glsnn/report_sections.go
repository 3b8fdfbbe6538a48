package main

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"glsnn/cmd/glsnn/chart"
	"glsnn/cmd/glsnn/report"
	"glsnn/emulator"
	"glsnn/emulator/cost"
	"glsnn/export/place"
	"glsnn/fixedpoint"
	"glsnn/float/encode"
)

// write fills the document.
func (r *reporting) write() {
	e, n := r.run.Estimate, r.set.Len()
	d := &r.doc
	d.Title = fmt.Sprintf("%s on %s, %s bits, on %s", joinInts(r.net.Sizes, "-"), r.set.Name, r.bitsText(), r.p.Chip.Name)
	d.Lead = fmt.Sprintf("A network trained in float, run as integers bit for bit as %s would, and placed on its cores. All figures are of %d samples; those of a sample are means.", r.p.Chip.Name, n)
	energy := report.Fact{Name: "Energy of a sample", Value: "unknown", Note: e.EnergyReason}
	if e.EnergyPJ != nil {
		energy.Value, energy.Note = span(e.EnergyPJ, "pJ"), qualify(e, "energy", e.EnergyRange)
	}
	time := report.Fact{Name: "Time of a sample", Value: "unknown", Note: e.TimeReason}
	if e.TimeNS != nil {
		time.Value, time.Note = span(e.TimeNS, "ns"), "a tick "+span(e.TickNS, "ns")
	} else if e.Cycles != nil {
		time.Value, time.Note = fmt.Sprintf("%.0f cycles", *e.Cycles), "no clock is given"
	}
	d.Facts = []report.Fact{
		{Name: "Accuracy, integers", Value: percent(r.check.FixedAccuracy), Note: fmt.Sprintf("float %s; drop %.2f points", percent(r.check.FloatAccuracy), r.check.DropPoints)},
		{Name: "Cores", Value: strconv.Itoa(len(r.p.Cost.Neurons)), Note: fmt.Sprintf("of %d; %s", r.p.Chip.Fabric.Cores(), r.p.method)},
		energy, time,
		{Name: "Synaptic operations", Value: fmt.Sprintf("%.3g M", e.Counts.SynOps/1e6), Note: fmt.Sprintf("%.0f spikes, %.0f of them inputs", e.Counts.Spikes+e.Counts.InputSpikes, e.Counts.InputSpikes)},
	}
	for _, s := range []func() report.Section{r.accuracy, r.bitWidths, r.activitySection, r.samples, r.weights, r.cores, r.energy, r.pareto, r.provenance} {
		if section := s(); len(section.Blocks) > 0 {
			d.Sections = append(d.Sections, section)
		}
	}
	d.Foot = fmt.Sprintf("Made by %s from the files listed under Provenance. Energy, time and cycles are estimates: exact counts times published constants.", tool())
}

func (r *reporting) bitsText() string {
	var bits []int
	for _, l := range r.p.Model.Layers {
		bits = append(bits, l.WeightBits)
	}
	if len(slices.Compact(slices.Clone(bits))) == 1 {
		bits = bits[:1]
	}
	return joinInts(bits, ", ")
}

func (r *reporting) accuracy() report.Section {
	s := report.Section{ID: "accuracy", Title: "Accuracy"}
	c := r.check
	s.Add(report.Text("Of %d samples %s are classified rightly in float and %s as integers: a drop of %.2f points, with a 95 %% interval of %.2f to %.2f; %d only in float, %d only as integers (McNemar p %.3f). Both say the same for %s.",
		c.Samples, percent(c.FloatAccuracy), percent(c.FixedAccuracy), c.DropPoints, c.DropCI[0], c.DropCI[1], c.OnlyFloat, c.OnlyFixed, c.McNemarP, percent(c.Agreement)))
	fixed, float := confusion(r.set, r.run.Class), confusion(r.set, r.float)
	names := make([]string, r.set.Classes)
	heat := make([][]float64, r.set.Classes)
	t := &report.Table{Caption: "By class: samples, and those that are classified rightly", Head: []string{"class", "samples", "float", "integers", "taken most often for"}}
	for i := range names {
		names[i] = strconv.Itoa(i)
		total, other := 0, -1
		for k, v := range fixed[i] {
			total += v
			cell := float64(v)
			if v == 0 {
				cell = math.NaN() // left empty
			}
			heat[i] = append(heat[i], cell)
			if k != i && v > 0 && (other < 0 || v > fixed[i][other]) {
				other = k
			}
		}
		taken := "-"
		if other >= 0 {
			taken = fmt.Sprintf("%d (%s)", other, times(fixed[i][other], "sample"))
		}
		share := func(m [][]int) string {
			if total == 0 {
				return "-"
			}
			return percent(float64(m[i][i]) / float64(total))
		}
		t.Rows = append(t.Rows, []string{names[i], strconv.Itoa(total), share(float), share(fixed), taken})
	}
	confused := &report.Table{Caption: "Confusion matrix of the integers: true class by row, class given by column", Head: append([]string{"true"}, names...), Folded: true}
	for i, row := range fixed {
		cells := []string{names[i]}
		for _, v := range row {
			cells = append(cells, strconv.Itoa(v))
		}
		confused.Rows = append(confused.Rows, cells)
	}
	s.Add(report.Block{Figures: []report.Figure{{
		Chart: chart.Heat{
			Frame: chart.Frame{Title: "Confusion matrix, integers", Desc: "The table below has the numbers.", Width: 560, Height: 500},
			X:     chart.Axis{Label: "class given", Names: names}, Y: chart.Axis{Label: "true class", Names: names}, Values: heat, Label: "samples", Log: true, Texts: true,
		}, Caption: "Colours by the logarithm, so that rare mistakes show.",
	}}}, t.Numbers(1).Block(), confused.Numbers(1).Block())
	return s
}

func (r *reporting) bitWidths() report.Section {
	s := report.Section{ID: "bits", Title: "Bits"}
	if len(r.widths) == 0 {
		return s
	}
	s.Add(report.Text("The same network, rounded to each width without further training, on the same samples. On %s where that can hold it, else in wide registers.", r.p.Chip.Name))
	t := &report.Table{Caption: "Accuracy by bits a weight", Head: []string{"bits", "accuracy", "95 % interval", "energy", "synapse memory", "on " + r.p.Chip.Name}}
	line := chart.Series{Name: "integers"}
	base := chart.Series{Name: "float"}
	for _, w := range r.widths {
		row := []string{strconv.Itoa(w.Bits), "-", "-", "-", "-", "yes"}
		if !math.IsNaN(w.Accuracy) {
			row[1], row[2] = percent(w.Accuracy), fmt.Sprintf("%.2f to %.2f", 100*w.Lo, 100*w.Hi)
		}
		if w.Refused != "" {
			row[5] = "no: " + w.Refused
		} else {
			row[3], row[4] = span(w.EnergyPJ, "pJ"), fmt.Sprintf("%d bits", w.Stored)
		}
		t.Rows = append(t.Rows, row)
		line.X, line.Y = append(line.X, float64(w.Bits)), append(line.Y, 100*w.Accuracy)
		line.Lo, line.Hi = append(line.Lo, 100*w.Lo), append(line.Hi, 100*w.Hi)
		base.X, base.Y = append(base.X, float64(w.Bits)), append(base.Y, 100*r.check.FloatAccuracy)
	}
	s.Add(report.Block{Figures: []report.Figure{{
		Chart: chart.Plot{
			Frame: chart.Frame{Title: "Accuracy by bits a weight", Desc: "The table below has the numbers.", Width: 560, Height: 320},
			X:     chart.Axis{Label: "bits a weight"}, Y: chart.Axis{Label: "accuracy, %"}, Series: []chart.Series{line, base},
		}, Caption: "Band: 95 % interval of the share (Wilson). Shown, not chosen: widths should be chosen on training samples (quantize --budget-bits).",
	}}}, t.Numbers(1).Left(5).Block())
	return s
}

func (r *reporting) activitySection() report.Section {
	s := report.Section{ID: "activity", Title: "Activity"}
	t := &report.Table{Caption: "Spikes a neuron and tick", Head: []string{"layer", "neurons", "float", "integers", "spikes on one side only", "silent neurons, float", "silent, integers"}}
	float, fixed := chart.BarSet{Name: "float"}, chart.BarSet{Name: "integers"}
	var names []string
	for _, l := range r.check.Layers {
		name := "layer " + strconv.Itoa(l.Layer)
		names = append(names, name)
		float.Values, fixed.Values = append(float.Values, l.FloatRate), append(fixed.Values, l.FixedRate)
		t.Rows = append(t.Rows, []string{name, strconv.Itoa(r.net.Sizes[l.Layer+1]), fmt.Sprintf("%.4f", l.FloatRate), fmt.Sprintf("%.4f", l.FixedRate),
			fmt.Sprintf("%.2f %%", 100*l.Differing), strconv.Itoa(l.SilentFloat), strconv.Itoa(l.SilentFixed)})
	}
	input := uint64(0)
	for _, k := range r.run.Activity.Inputs {
		input += k
	}
	rate := float64(input) / float64(r.set.Len()) / float64(r.model.Ticks) / float64(r.model.Inputs())
	s.Add(report.Text("Inputs spike %.4f times a tick. Over %d ticks a sample has %.0f input spikes and %.0f of the layers.", rate, r.model.Ticks, r.run.Estimate.Counts.InputSpikes, r.run.Estimate.Counts.Spikes))
	s.Add(report.Block{Figures: []report.Figure{{
		Chart:   chart.Bars{Frame: chart.Frame{Title: "Rate of each layer", Desc: "The table below has the numbers.", Width: 560, Height: 300}, Value: chart.Axis{Label: "spikes a neuron and tick"}, Groups: names, Sets: []chart.BarSet{float, fixed}},
		Caption: "The read-out has no spikes where it is read by membrane.",
	}}}, t.Numbers(1).Block())
	return s
}

// times is "1 tick", "2 ticks".
func times(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func layerName(m *fixedpoint.Model, l int) string {
	if m.Layers[l].Integrator {
		return "read-out"
	}
	return "layer " + strconv.Itoa(l)
}

// tracedNeurons is how many hidden neurons' membranes are drawn.
const tracedNeurons = 3

// traces are the membranes of some neurons and their threshold: of those that fired
// nearest to once in three ticks, since one that fires in each is always at rest
// again.
func traces(history [][]int64, count []int32, threshold int64) []chart.Series {
	index := make([]int, len(count))
	for j := range index {
		index[j] = j
	}
	far := func(j int) int { return max(3*int(count[j])-len(history), len(history)-3*int(count[j])) }
	slices.SortStableFunc(index, func(a, b int) int { return cmp.Compare(far(a), far(b)) })
	index = index[:min(tracedNeurons, len(index))]
	out := make([]chart.Series, len(index)+1)
	out[len(index)].Name = "threshold"
	for k, j := range index {
		out[k].Name = fmt.Sprintf("neuron %d", j)
	}
	for t, v := range history {
		for k := range out {
			level := float64(threshold)
			if k < len(index) {
				level = float64(v[index[k]])
			}
			out[k].X, out[k].Y = append(out[k].X, float64(t)), append(out[k].Y, level)
		}
	}
	return out
}

// mostRows is how many neurons of a layer a raster draws, fewer where there are many
// ticks: a spike takes some twenty bytes of the page.
const (
	mostRows   = 160
	mostSpikes = 24000 // neurons x ticks
)

// samples draws single samples as the chip runs them.
func (r *reporting) samples() report.Section {
	s := report.Section{ID: "samples", Title: "Samples"}
	m := r.p.Model
	enc, err := modelEncoder(m)
	if err != nil {
		return s // it has run already
	}
	engine := emulator.New(m, emulator.Options{Delay: r.p.Chip.Fabric.LayerDelay > 0})
	ticks := m.Ticks
	if r.p.Chip.Fabric.LayerDelay > 0 {
		ticks += len(m.Layers) - 1
	}
	for _, l := range m.Layers {
		ticks += l.Delay
	}
	rows := min(mostRows, max(16, mostSpikes/(ticks*(len(m.Layers)+1))))
	every := func(neurons int) int { return (neurons + rows - 1) / rows }
	for _, i := range r.show {
		raster := chart.Raster{Ticks: ticks}
		step := every(m.Inputs())
		raster.Layers = append(raster.Layers, chart.RasterLayer{Name: "inputs", Neurons: (m.Inputs() + step - 1) / step})
		steps := []int{step}
		for l, layer := range m.Layers {
			step := every(layer.Out)
			steps = append(steps, step)
			raster.Layers = append(raster.Layers, chart.RasterLayer{Name: layerName(m, l), Neurons: (layer.Out + step - 1) / step})
		}
		last := len(m.Layers) - 1
		out := make([]chart.Series, m.Layers[last].Out)
		for j := range out {
			out[j].Name = strconv.Itoa(j)
		}
		var train encode.Train
		enc.Encode(&train, i, r.set.Image(i))
		engine.Reset()
		add := func(row, neuron, tick int) {
			if step := steps[row]; neuron%step == 0 {
				raster.Spikes = append(raster.Spikes, chart.RasterSpike{Layer: row, Neuron: neuron / step, Tick: tick})
			}
		}
		total := make([]int, len(steps))
		var v []int64
		var history [][]int64 // membranes of layer 0, by tick
		for t := range ticks {
			var in []int32
			if t < m.Ticks {
				in = train.At(t)
			}
			engine.Step(in)
			total[0] += len(in)
			for _, k := range in {
				add(0, int(k), t)
			}
			for l := range m.Layers {
				total[l+1] += len(engine.Spikes(l))
				for _, j := range engine.Spikes(l) {
					add(l+1, int(j), t)
				}
			}
			history = append(history, engine.Membrane(0, nil))
			v = engine.Membrane(last, v)
			for j := range out {
				out[j].X, out[j].Y = append(out[j].X, float64(t)), append(out[j].Y, float64(v[j])*m.Layers[last].Scale)
			}
		}
		scores := engine.Scores(nil)
		hidden := traces(history, engine.Count(0), m.Layers[0].Threshold)
		trace := chart.Plot{
			Frame: chart.Frame{Title: "Membranes of the read-out", Desc: "One line a class.", Width: 560, Height: 400},
			X:     chart.Axis{Label: "tick"}, Y: chart.Axis{Label: "membrane, in float's thresholds"}, Series: out,
		}
		t := &report.Table{Caption: fmt.Sprintf("Sample %d: scores of the read-out, raw", i), Head: []string{"class", "score"}, Folded: true}
		for j, x := range scores {
			t.Rows = append(t.Rows, []string{strconv.Itoa(j), strconv.FormatInt(x, 10)})
		}
		verdict := "rightly"
		if r.run.Class[i] != int(r.set.Labels[i]) {
			verdict = "wrongly"
		}
		var spikes []string
		for row, n := range total {
			spikes = append(spikes, fmt.Sprintf("%s %d", raster.Layers[row].Name, n))
		}
		s.Add(report.Text("Sample %d is a %d and is %s taken for a %d. Spikes: %s.", i, r.set.Labels[i], verdict, r.run.Class[i], strings.Join(spikes, ", ")))
		raster.Frame = chart.Frame{Title: fmt.Sprintf("Spikes of sample %d", i), Desc: "Rows are neurons, columns ticks.", Width: 560, Height: 400}
		s.Add(report.Block{Figures: []report.Figure{
			{Chart: raster, Caption: fmt.Sprintf("At most %d neurons a layer, evenly chosen. A spike takes %s from layer to layer on this chip.", rows, times(r.p.Chip.Fabric.LayerDelay, "tick"))},
			{Chart: trace, Caption: "The largest at the end is the class."},
			{Chart: chart.Plot{
				Frame: chart.Frame{Title: "Membranes of " + layerName(m, 0), Desc: "Some neurons of the layer, and its threshold.", Width: 820, Height: 280},
				X:     chart.Axis{Label: "tick"}, Y: chart.Axis{Label: "membrane after the reset, raw"}, Series: hidden,
			}, Wide: true, Caption: "The neurons that fire nearest to once in three ticks, as the chip holds them at the end of each tick."},
		}}, t.Numbers(1).Block())
	}
	return s
}

// weights are the distributions before and after quantisation.
func (r *reporting) weights() report.Section {
	s := report.Section{ID: "weights", Title: "Weights"}
	t := &report.Table{Caption: "Weights by layer", Head: []string{"layer", "weights", "bits", "scale", "clipped", "zero, float", "zero, integers", "rms error / rms"}}
	block := report.Block{}
	for l, layer := range r.model.Layers {
		w := r.net.Weights[l]
		top := float32(0)
		for _, x := range w {
			top = max(top, x, -x)
		}
		lo, hi := -int64(1)<<(layer.WeightBits-1), int64(1)<<(layer.WeightBits-1)-1
		if !r.model.Arithmetic.Weight.Signed {
			hi = int64(1)<<layer.WeightBits - 1 // a magnitude, with the sign of its row
			lo = -hi
		}
		const bins = 48
		from, to := -float64(top), float64(top)
		if from == to {
			from, to = -1, 1
		}
		edges := make([]float64, bins+1)
		for i := range edges {
			edges[i] = from + (to-from)*float64(i)/bins
		}
		before, after := make([]float64, bins), make([]float64, bins)
		put := func(h []float64, x float64) {
			h[min(bins-1, max(0, int((x-from)/(to-from)*bins)))] += 100 / float64(len(w))
		}
		clipped, zeroFloat, zeroFixed := 0, 0, 0
		var sq, all float64
		for i := range layer.In {
			for j := range layer.Out {
				x, q := float64(w[i*layer.Out+j]), layer.Weights.At(i, j)
				y := float64(q) * layer.Scale
				put(before, x)
				put(after, y)
				if v := x / layer.Scale; v > float64(hi)+.5 || v < float64(lo)-.5 {
					clipped++
				}
				if x == 0 {
					zeroFloat++
				}
				if q == 0 {
					zeroFixed++
				}
				sq, all = sq+(x-y)*(x-y), all+x*x
			}
		}
		n := float64(len(w))
		relative := 0.0
		if all > 0 {
			relative = math.Sqrt(sq / all)
		}
		t.Rows = append(t.Rows, []string{strconv.Itoa(l), strconv.Itoa(len(w)), strconv.Itoa(layer.WeightBits), fmt.Sprintf("%.4g", layer.Scale),
			fmt.Sprintf("%.3f %%", 100*float64(clipped)/n), fmt.Sprintf("%.2f %%", 100*float64(zeroFloat)/n), fmt.Sprintf("%.2f %%", 100*float64(zeroFixed)/n), fmt.Sprintf("%.2f %%", 100*relative)})
		block.Figures = append(block.Figures, report.Figure{
			Chart: chart.Plot{
				Frame: chart.Frame{Title: fmt.Sprintf("Layer %d", l), Desc: "Shares of the weights by size, in float and as integers.", Width: 480, Height: 280},
				X:     chart.Axis{Label: "weight"}, Y: chart.Axis{Label: "share, % (logarithmic)", Log: true},
				Series: []chart.Series{{Name: "float", Kind: chart.Steps, X: edges, Y: before}, {Name: "integers", Kind: chart.Steps, X: edges, Y: after}},
			}, Caption: fmt.Sprintf("%d bits, %.3f %% clipped.", layer.WeightBits, 100*float64(clipped)/n),
		})
	}
	s.Add(report.Text("The weights before and after quantisation, integers times their scale. Clipped are those beyond the largest integer. Few bits leave gaps between the steps."), block, t.Numbers(1).Block())
	return s
}

// What a page shows of a large chip.
const (
	mostTiles = 1024 // with their links; else as a heat map
	mostCores = 256  // rows of the table
)

// linkHeat is the load of the busiest link out of each tile.
func (r *reporting) linkHeat(tiles []place.Tile, w, h int) report.Block {
	n := float64(r.set.Len())
	values := make([][]float64, h)
	for y := range values {
		values[y] = make([]float64, w)
	}
	for _, t := range tiles {
		if t.X < w && t.Y < h {
			values[t.Y][t.X] = float64(max(t.East, t.West, t.South, t.North)) / n
		}
	}
	return report.Block{Figures: []report.Figure{{Wide: true, Caption: "Too many tiles to draw their links one by one.", Chart: chart.Heat{
		Frame: chart.Frame{Title: "Core map: the busiest link out of each tile", Desc: "Tiles by x and y.", Width: 820},
		X:     chart.Axis{Label: "x"}, Y: chart.Axis{Label: "y"}, Values: values, Label: "messages a sample",
	}}}}
}

// cores are the map of the chip and the use of its memories.
func (r *reporting) cores() report.Section {
	s := report.Section{ID: "cores", Title: "Cores"}
	mp := r.p.mapping
	if mp == nil {
		s.Add(report.Text("%s is one crossbar: there is nothing to place.", r.p.Chip.Name))
		return s
	}
	problem, err := mp.Problem(r.run.Activity.Spikes)
	if err != nil {
		return s // it was placed by the same
	}
	n := float64(r.set.Len())
	load := problem.Measure(mp.Cores)
	s.Add(report.Text("%d parts on %d cores of %d tiles, placed by %s. A sample sends %.0f messages over %.0f links in all; the busiest link carries %.0f, the longest route is %d links.",
		len(mp.Parts), len(mp.Cores), load.Tiles, r.p.method, float64(load.Messages)/n, float64(load.Hops())/n, float64(load.MaxLink)/n, load.Longest))
	tiles := problem.Tiles(mp.Cores)
	w, h := 0, 0 // as far as anything is used
	for _, t := range tiles {
		if t.Parts > 0 || t.East+t.West+t.South+t.North > 0 {
			w, h = max(w, t.X+1), max(h, t.Y+1)
		}
	}
	w, h = min(w+1, r.p.Chip.Fabric.Width*r.p.Chip.Fabric.Chips), min(h+1, r.p.Chip.Fabric.Height)
	mesh := chart.Mesh{
		Frame: chart.Frame{Title: "Core map", Desc: "Tiles by the synaptic operations of their cores, links by their messages.", Width: 820},
		Label: "M synaptic operations a sample", LinkLabel: "messages over a link, a sample",
	}
	for range h {
		row := make([]float64, w)
		for x := range row {
			row[x] = math.NaN()
		}
		mesh.Tiles, mesh.Texts = append(mesh.Tiles, row), append(mesh.Texts, make([]string, w))
	}
	counters := r.p.counters(r.run.Counters)
	names := map[[2]int][]string{}
	for i, id := range mp.Cores {
		x, y := mp.Chip.Fabric.Position(id)
		if math.IsNaN(mesh.Tiles[y][x]) {
			mesh.Tiles[y][x] = 0
		}
		mesh.Tiles[y][x] += float64(counters.Cores[id].SynOps) / n / 1e6
		if name := "L" + strconv.Itoa(mp.Parts[i].Layer); !slices.Contains(names[[2]int{x, y}], name) {
			names[[2]int{x, y}] = append(names[[2]int{x, y}], name)
		}
	}
	for at, list := range names {
		mesh.Texts[at[1]][at[0]] = strings.Join(list, "\n")
	}
	for _, t := range tiles {
		for _, l := range []struct {
			dx, dy int
			load   uint64
		}{{1, 0, t.East}, {-1, 0, t.West}, {0, 1, t.South}, {0, -1, t.North}} {
			if l.load > 0 {
				mesh.Links = append(mesh.Links, chart.MeshLink{X0: t.X, Y0: t.Y, X1: t.X + l.dx, Y1: t.Y + l.dy, Load: float64(l.load) / n})
			}
		}
	}
	if w*h > mostTiles {
		s.Add(r.linkHeat(tiles, w, h))
	} else {
		s.Add(report.Block{Figures: []report.Figure{{Chart: mesh, Wide: true, Caption: fmt.Sprintf("L is the layer. Shown are the %d x %d tiles around those in use, of %d x %d on %s.", w, h, r.p.Chip.Fabric.Width, r.p.Chip.Fabric.Height, times(r.p.Chip.Fabric.Chips, "chip"))}}})
	}
	t := &report.Table{Caption: "Memories of each core", Head: []string{"core", "tile x, y", "layer", "first neuron", "neurons", "in-axons", "out-axons", "synapse bits", "spikes", "synaptic operations"}, Folded: len(mp.Parts) > 24}
	for i, u := range mp.Footprint() {
		if i == mostCores {
			s.Add(report.Text("The table has the first %d of %d cores; 'glsnn export --output json' lists all.", mostCores, len(mp.Parts)))
			break
		}
		bits := strconv.FormatInt(u.SynapseBits, 10)
		if limit := r.p.Chip.Core.SynapseBits; limit > 0 {
			bits += fmt.Sprintf(" (%.1f %%)", 100*float64(u.SynapseBits)/float64(limit))
		}
		k := counters.Cores[u.Core]
		t.Rows = append(t.Rows, []string{strconv.Itoa(int(u.Core)), fmt.Sprintf("%d, %d", u.X, u.Y), strconv.Itoa(u.Part.Layer), strconv.Itoa(u.Part.First),
			strconv.Itoa(u.Neurons), strconv.Itoa(u.AxonsIn), strconv.Itoa(u.AxonsOut), bits, fmt.Sprintf("%.1f", float64(k.Spikes)/n), fmt.Sprintf("%.0f", float64(k.SynOps)/n)})
	}
	s.Add(t.Numbers(2).Block())
	for _, u := range r.p.Chip.Unchecked() {
		s.Add(report.Text("Not checked: %s.", u))
	}
	return s
}

func (r *reporting) energy() report.Section {
	s := report.Section{ID: "energy", Title: "Energy and time"}
	e := r.run.Estimate
	sums := &report.Table{Caption: "Of a sample", Head: []string{"", "estimate", "how to read it"}}
	row := func(name string, known bool, value, note, reason string) {
		if !known {
			value, note = "unknown", reason
		}
		sums.Rows = append(sums.Rows, []string{name, value, note})
	}
	row("energy", e.EnergyPJ != nil, span(e.EnergyPJ, "pJ"), lowerBound(qualify(e, "energy", e.EnergyRange), e.MissingIn("energy")), e.EnergyReason)
	row("time", e.TimeNS != nil, span(e.TimeNS, "ns"), lowerBound(qualify(e, "time", e.TimeRange), e.MissingIn("time")), e.TimeReason)
	row("a tick", e.TickNS != nil, span(e.TickNS, "ns"), "longest "+span(e.WorstTickNS, "ns"), "the time is not known")
	cycles, tick := "", ""
	if e.Cycles != nil {
		cycles, tick = fmt.Sprintf("%.0f", *e.Cycles), fmt.Sprintf("%.1f a tick", *e.TickCycles)
		if e.WorstTickCycles != nil {
			tick += fmt.Sprintf(", longest %.0f", *e.WorstTickCycles)
		}
	}
	row("cycles", e.Cycles != nil, cycles, lowerBound(tick, e.MissingIn("cycles")), e.CyclesReason)
	s.Add(report.Text("Exact counts of what the chip does times the target's constants. Time takes the busiest core of each tick and the barrier, without queueing and links. A sum that lacks a constant is a lower bound."), sums.Block())
	if e.EnergyPJ != nil && len(e.Components) > 0 {
		s.Add(r.energyChart(e)...)
		t := &report.Table{Caption: "Energy by component", Head: []string{"component", "energy", "share"}}
		for _, c := range e.Components {
			t.Rows = append(t.Rows, []string{c.Name, span(&c.PJ, "pJ"), fmt.Sprintf("%.2f %%", 100*c.PJ / *e.EnergyPJ)})
		}
		s.Add(t.Numbers(1).Block())
	}
	t := &report.Table{Caption: "What the sums are made of: count x constant", Head: []string{"constant", "count", "value", "product", "basis", "source"}, Folded: true}
	for _, p := range e.Parts {
		t.Rows = append(t.Rows, []string{p.Ledger + "." + p.Constant, fmt.Sprintf("%.6g", p.Count), fmt.Sprintf("%g", p.Value), fmt.Sprintf("%.6g", p.Total), p.Basis.String(), strings.TrimSuffix(p.Source+", "+p.At, ", ")})
	}
	for _, m := range e.Missing {
		name, reason, _ := strings.Cut(m, ": ")
		t.Rows = append(t.Rows, []string{name, "-", "not known", "in no sum", "", reason})
	}
	s.Add(t.Numbers(1).Left(4).Left(5).Block())
	nb := r.p.neuroBench(r.run)
	metrics := &report.Table{Caption: "NeuroBench metrics, and the chip's own", Head: []string{"metric", "by NeuroBench's definition", "on the chip"}}
	state := "unknown bits"
	if nb.Hardware.NeuronBits > 0 {
		state = fmt.Sprintf("%d bits", nb.Hardware.NeuronBits)
	}
	metrics.Rows = [][]string{
		{"footprint", fmt.Sprintf("%d bytes of parameters", nb.FootprintBytes), fmt.Sprintf("%d bits of synapse memory, %s of neuron state", nb.Hardware.SynapseBits, state)},
		{"connection sparsity", fmt.Sprintf("%.4f", nb.ConnectionSparsity), "zero weights are stored and read"},
		{"activation sparsity", fmt.Sprintf("%.4f", nb.ActivationSparsity), fmt.Sprintf("%.4f spikes a neuron and tick", nb.Hardware.Activity)},
		{"synaptic operations, dense", fmt.Sprintf("%.0f", nb.Dense), "none: it works by events"},
		{"synaptic operations, effective", fmt.Sprintf("%.0f ACs, %.0f MACs", nb.EffectiveACs, nb.EffectiveMACs), fmt.Sprintf("%.0f, of which %.0f of zero weights", nb.Hardware.SynOps, nb.Hardware.ZeroSynOps)},
		{"neuron updates", "not computed", fmt.Sprintf("%.0f", nb.Hardware.Updates)},
	}
	s.Add(metrics.Block())
	return s
}

func lowerBound(note string, missing []string) string {
	if len(missing) == 0 {
		return note
	}
	return strings.TrimPrefix(note+"; a lower bound", "; ")
}

// energyChart stacks each layer's energy by component.
func (r *reporting) energyChart(e *cost.Estimate) []report.Block {
	var names, layers []string
	sets := map[string]*chart.BarSet{}
	for l := range r.p.Model.Layers {
		layers = append(layers, "layer "+strconv.Itoa(l))
	}
	if len(e.Cores) == 1 && e.Cores[0].Layer < 0 {
		layers = []string{"the crossbar"}
	}
	groups := append(slices.Clone(layers), "no core's")
	for _, c := range e.Components {
		names = append(names, c.Name)
		sets[c.Name] = &chart.BarSet{Name: c.Name, Values: make([]float64, len(groups))}
		sets[c.Name].Values[len(groups)-1] = c.PJ / 1e6
	}
	for _, core := range e.Cores {
		for _, c := range core.Components {
			sets[c.Name].Values[max(0, core.Layer)] += c.PJ / 1e6
			sets[c.Name].Values[len(groups)-1] -= c.PJ / 1e6
		}
	}
	bars := chart.Bars{Frame: chart.Frame{Title: "Energy of a sample by layer", Desc: "The table below has the sums by component.", Width: 820}, Value: chart.Axis{Label: "uJ"}, Groups: groups, Stacked: true, Lying: true}
	rest := 0.0
	for _, name := range names {
		set := sets[name]
		if v := &set.Values[len(groups)-1]; *v < 1e-9**e.EnergyPJ/1e6 {
			*v = 0 // what rounding left
		} else {
			rest += *v
		}
		bars.Sets = append(bars.Sets, *set)
	}
	if rest == 0 {
		bars.Groups = layers
		for i := range bars.Sets {
			bars.Sets[i].Values = bars.Sets[i].Values[:len(layers)]
		}
	}
	caption := "Static power is not in it."
	if rest > 0 {
		caption = "No core's are static power, barrier and memory."
	}
	t := &report.Table{Caption: "Energy by layer and component", Head: append([]string{"layer"}, names...), Folded: true}
	for g, name := range bars.Groups {
		row := []string{name}
		for _, set := range bars.Sets {
			pj := set.Values[g] * 1e6
			row = append(row, span(&pj, "pJ"))
		}
		t.Rows = append(t.Rows, row)
	}
	return []report.Block{{Figures: []report.Figure{{Chart: bars, Wide: true, Caption: caption}}}, t.Numbers(1).Block()}
}

// pareto is accuracy against energy, where one is known, and against the memory
// for synapses.
func (r *reporting) pareto() report.Section {
	s := report.Section{ID: "pareto", Title: "Accuracy, energy and bits"}
	block := report.Block{}
	t := &report.Table{Caption: "Points", Head: []string{"set", "bits", "accuracy", "energy of a sample", "synapse memory, bits"}, Folded: true}
	var points []tradeOff
	for _, w := range r.widths {
		if w.Refused == "" {
			points = append(points, tradeOff{"this network on " + r.p.Chip.Name, w.Bits, w.Accuracy, w.EnergyPJ, w.Stored})
		}
	}
	for _, x := range r.swept {
		if x.Refused == "" {
			points = append(points, tradeOff{"sweep, " + x.Point.Target, x.Point.Bits, x.Accuracy, x.EnergyPJ, x.StoredBits})
		}
	}
	for _, p := range points {
		t.Rows = append(t.Rows, []string{p.Set, strconv.Itoa(p.Bits), percent(p.Accuracy), span(p.EnergyPJ, "pJ"), strconv.FormatInt(p.StoredBits, 10)})
	}
	for _, energy := range []bool{true, false} {
		if plot, ok := tradeOffChart(points, energy); ok {
			block.Figures = append(block.Figures, report.Figure{Chart: plot, Caption: "The line joins the points that no other beats in both."})
		}
	}
	if len(block.Figures) == 0 {
		return s
	}
	text := "Each point is the network at one width, and each run of the sweep where there is one."
	if len(block.Figures) == 1 {
		text += " No energy is known for this target."
	} else {
		text += " The constants of a target do not depend on the width of a weight: fewer bits take fewer cores and so fewer messages, and less memory."
	}
	s.Add(report.Text("%s", text), block, t.Numbers(1).Block())
	return s
}

// tradeOff is one point of the charts of accuracy against what it takes.
type tradeOff struct {
	Set        string
	Bits       int
	Accuracy   float64
	EnergyPJ   *float64
	StoredBits int64
}

// tradeOffChart is accuracy against energy or against the memory for synapses, of
// the points that have one; false if none has.
func tradeOffChart(points []tradeOff, energy bool) (chart.Plot, bool) {
	label := "synapse memory, kbit"
	if energy {
		label = "energy of a sample, uJ"
	}
	plot := chart.Plot{
		Frame: chart.Frame{Title: "Accuracy against " + label, Desc: "Each point is one width on one target.", Width: 560, Height: 380},
		X:     chart.Axis{Label: label}, Y: chart.Axis{Label: "accuracy, %"},
	}
	var all chart.Series
	for _, p := range points {
		x := float64(p.StoredBits) / 1e3
		if energy {
			x = 0
			if p.EnergyPJ != nil {
				x = *p.EnergyPJ / 1e6
			}
		}
		if x <= 0 || math.IsNaN(p.Accuracy) {
			continue
		}
		i := slices.IndexFunc(plot.Series, func(s chart.Series) bool { return s.Name == p.Set })
		if i < 0 {
			i = len(plot.Series)
			plot.Series = append(plot.Series, chart.Series{Name: p.Set, Kind: chart.Points})
		}
		s := &plot.Series[i]
		s.X, s.Y = append(s.X, x), append(s.Y, 100*p.Accuracy)
		all.X, all.Y = append(all.X, x), append(all.Y, 100*p.Accuracy)
	}
	if len(all.X) == 0 {
		return plot, false
	}
	plot.X.Log = slices.Max(all.X) > 5*slices.Min(all.X)
	front := paretoFront(all)
	front.Name = "not beaten in both"
	plot.Series = append(plot.Series, front)
	return plot, true
}

// paretoFront are the points that no other has less of X for as much of Y.
func paretoFront(s chart.Series) chart.Series {
	index := make([]int, len(s.X))
	for i := range index {
		index[i] = i
	}
	slices.SortStableFunc(index, func(a, b int) int {
		return cmp.Or(cmp.Compare(s.X[a], s.X[b]), cmp.Compare(s.Y[b], s.Y[a]))
	})
	var f chart.Series
	best := math.Inf(-1)
	for _, i := range index {
		if s.Y[i] > best {
			best = s.Y[i]
			f.X, f.Y = append(f.X, s.X[i]), append(f.Y, s.Y[i])
		}
	}
	return f
}

// provenance is where everything comes from.
func (r *reporting) provenance() report.Section {
	s := report.Section{ID: "provenance", Title: "Provenance"}
	o := r.net.Origin
	t := &report.Table{Caption: "Inputs", Head: []string{"what", "which", "sha256"}}
	t.Rows = [][]string{
		{"network", r.o.network, r.networkHash},
		{"model", r.o.model, r.modelHash},
		{"target", r.spec, r.p.Chip.SHA256},
		{"training data", o.Data.Name + map[bool]string{true: ", all samples", false: fmt.Sprintf(", %d samples", o.Data.Samples)}[o.Data.Samples == 0], o.Data.Hash},
		{"samples of this report", fmt.Sprintf("%s, the first %d of its %s split", r.set.Name, r.set.Len(), r.o.data.split), r.set.Hash()},
	}
	if r.tablesHash != "" {
		t.Rows = append(t.Rows, []string{"tables", r.o.tables + ", manifest.json", r.tablesHash})
	}
	if r.o.sweep != "" {
		hash, err := fileHash(r.o.sweep)
		if err == nil {
			t.Rows = append(t.Rows, []string{"sweep", r.o.sweep, hash})
		}
	}
	made := &report.Table{Caption: "How it was made", Head: []string{"", ""}}
	made.Rows = [][]string{
		{"program", tool()},
		{"network", fmt.Sprintf("%s, %d ticks, encoder %s, reset %s, read-out %s", joinInts(r.net.Sizes, "-"), r.net.Ticks, r.net.Encoder, r.net.Reset, r.net.Readout)},
		{"training", fmt.Sprintf("seed %d, epoch %d of %d kept", o.Train.Seed, o.KeptEpoch, o.Train.Epochs)},
		{"placement", r.p.method},
	}
	constants := &report.Table{Caption: "Constants of the target, and where they are from", Head: []string{"constant", "value", "range", "basis", "source or reason"}, Folded: true}
	for _, q := range r.p.Chip.Cost.Quantities() {
		row := []string{q.Name, "not known", "", "", q.Reason}
		if v, ok := q.Get(); ok {
			row = []string{q.Name, fmt.Sprintf("%g %s", v, q.Unit), "", q.Basis.String(), strings.TrimSuffix(q.Source+", "+q.At, ", ")}
			if lo, hi, _ := q.Range(); lo != hi {
				row[2] = fmt.Sprintf("%g to %g", lo, hi)
			}
		}
		constants.Rows = append(constants.Rows, row)
	}
	sources := &report.Table{Caption: "Sources", Head: []string{"key", "citation", "note"}}
	for _, key := range slices.Sorted(maps.Keys(r.p.Chip.Sources)) {
		x := r.p.Chip.Sources[key]
		sources.Rows = append(sources.Rows, []string{key, strings.Join(strings.Fields(x.Citation), " "), strings.Join(strings.Fields(x.Note), " ")})
	}
	s.Add(t.Block(), made.Block(), constants.Block(), sources.Block())
	return s
}
