package chart

import "strings"

// RasterSpike is one spike of a Raster.
type RasterSpike struct{ Layer, Neuron, Tick int }

// RasterLayer names a layer and counts its neurons.
type RasterLayer struct {
	Name    string
	Neurons int
}

// Raster shows spikes over ticks, one row a neuron, layer above layer with the
// first at the bottom. Spikes outside of the layers and ticks are left out.
type Raster struct {
	Frame
	Ticks  int
	Layers []RasterLayer
	Spikes []RasterSpike
	// XLabel is "tick" where empty.
	XLabel string
}

func (r Raster) draw(c *canvas) {
	c.h = pick(r.Height, 400)
	x := cells(Axis{}, r.Ticks)
	total, gap := 0.0, 0.0
	for _, l := range r.Layers {
		total += float64(l.Neurons)
	}
	gap = total * .02
	y := scale{lo: 0, hi: 1}
	var names []string
	base := make([]float64, len(r.Layers))
	at := gap
	for i, l := range r.Layers {
		base[i] = at
		y.ticks = append(y.ticks, at+float64(l.Neurons)/2)
		names = append(names, l.Name)
		at += float64(l.Neurons) + gap
	}
	if at > 0 {
		y.hi = at
	}
	label := r.XLabel
	if label == "" {
		label = "tick"
	}
	a := c.panel(Axis{Label: label}, Axis{Names: append([]string{}, names...)}, x, y)
	if r.Ticks <= 0 || total == 0 {
		c.noData((a.x0+a.x1)/2, (a.y0+a.y1)/2)
		return
	}
	wide := (a.x.at(1) - a.x.at(0)) * .7
	thick := min(max((a.y0-a.y1)/-at, .6), 3)
	for i, l := range r.Layers {
		if i > 0 {
			m := a.y.at(base[i] - gap/2)
			c.line(a.x0, m, a.x1, m, "gr")
		}
		var d strings.Builder
		for _, s := range r.Spikes {
			if s.Layer == i && s.Neuron >= 0 && s.Neuron < l.Neurons && s.Tick >= 0 && s.Tick < r.Ticks {
				d.WriteString("M" + num(a.x.at(float64(s.Tick))-wide/2) + " " + num(a.y.at(base[i]+float64(s.Neuron)+.5)) + "h" + num(wide))
			}
		}
		c.path(d.String(), "ln s "+colour(i), ` style="stroke-width:`+num(thick)+`"`)
	}
}
