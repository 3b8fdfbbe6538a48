package reproduce

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"glsnn/cmd/glsnn/chart"
	"glsnn/float"
	"glsnn/float/encode"
	"glsnn/float/tsne"
)

// drawRaster is figure 5: the hidden spikes of three samples, one chart each.
func drawRaster(_ context.Context, o *Outcome) error {
	net, err := o.runner.Network(o.Results[0][0].Run)
	if err != nil {
		return err
	}
	o.compare(sizes(net.Sizes), 0, o.Results[0])
	var rows [][]string
	for sample := range min(3, o.test.Len()) {
		st, train := net.NewState(), encode.Train{}
		net.NewEncoder().Encode(&train, sample, o.test.Image(sample))
		r := chart.Raster{
			Frame: o.frame(fmt.Sprintf("Hidden spikes, sample %d, a %d", sample, o.test.Labels[sample]), "A dot is a spike of a hidden neuron in a tick."),
			Ticks: net.Ticks,
		}
		spikes := make([]int, net.Layers()-1)
		for l := range spikes {
			r.Layers = append(r.Layers, chart.RasterLayer{Name: fmt.Sprintf("hidden %d", l+1), Neurons: net.Sizes[l+1]})
		}
		for tick := range net.Ticks {
			st.Step(train.At(tick))
			for l := range spikes {
				for _, j := range st.Fired(l) {
					spikes[l]++
					r.Spikes = append(r.Spikes, chart.RasterSpike{Layer: l, Neuron: int(j), Tick: tick})
					rows = append(rows, []string{strconv.Itoa(sample), strconv.Itoa(int(o.test.Labels[sample])), strconv.Itoa(l + 1), strconv.Itoa(int(j)), strconv.Itoa(tick)})
				}
			}
		}
		o.say("sample %d, a %d: paper a picture, here %v spikes in the hidden layers over %d ticks", sample, o.test.Labels[sample], spikes, net.Ticks)
		if err := o.svg(strconv.Itoa(sample), r); err != nil {
			return err
		}
	}
	return o.csv("", []string{"sample", "label", "hidden_layer", "neuron", "tick"}, rows)
}

// drawEmbedding is figure 7: the test samples in the plane by their input and by
// the S of each layer, a chart each.
func drawEmbedding(ctx context.Context, o *Outcome) error {
	net, err := o.runner.Network(o.Results[0][0].Run)
	if err != nil {
		return err
	}
	n := min(1000, o.test.Len())
	if o.Options.Quick {
		n = min(300, n)
	}
	points := layerPoints(net, o, n)
	names := []string{"input"}
	for l := range net.Layers() - 1 {
		names = append(names, fmt.Sprintf("hidden %d", l+1))
	}
	names = append(names, "output")
	c := tsne.Defaults()
	c.Perplexity = min(c.Perplexity, float64(n-1)/3)
	at := make([][][2]float64, len(points))
	left := make([]float64, len(points))
	errs := make([]error, len(points))
	var wg sync.WaitGroup
	room := make(chan struct{}, max(1, o.runner.Workers))
	for i, x := range points {
		wg.Go(func() {
			room <- struct{}{}
			at[i], left[i], errs[i] = tsne.Embed(ctx, x, c)
			<-room
		})
	}
	wg.Wait()
	var rows [][]string
	for i, y := range at {
		if errs[i] != nil {
			return float.ErrInterrupted // points and settings are ours
		}
		plot := chart.Plot{
			Frame: o.frame("t-SNE of "+names[i], fmt.Sprintf("Each point is one of %d test samples, each mark a class.", n)),
			X:     chart.Axis{}, Y: chart.Axis{},
		}
		plot.Width, plot.Height = 560, 560
		for class := range o.test.Classes {
			s := chart.Series{Name: strconv.Itoa(class), Kind: chart.Points, Note: strconv.Itoa(class)}
			for k, p := range y {
				if int(o.test.Labels[k]) == class {
					s.X, s.Y = append(s.X, p[0]), append(s.Y, p[1])
				}
			}
			plot.Series = append(plot.Series, s)
		}
		for k, p := range y {
			rows = append(rows, []string{names[i], strconv.Itoa(k), strconv.Itoa(int(o.test.Labels[k])), fixed(p[0], 4), fixed(p[1], 4)})
		}
		if err := o.svg(strings.ReplaceAll(names[i], " ", ""), plot); err != nil {
			return err
		}
		o.say("%s: paper a picture whose classes come apart from layer to layer, here %.1f %% of the nearest neighbours in the plane are of the same class (KL divergence %.3f)", names[i], 100*neighbours(y, o.test.Labels), left[i])
	}
	return o.csv("", []string{"layer", "sample", "label", "x", "y"}, rows)
}

// layerPoints are the first n test samples as each layer has them: pixels, spike
// rates, read-out.
func layerPoints(net *float.Network, o *Outcome, n int) [][][]float64 {
	points := make([][][]float64, len(net.Sizes))
	st, train := net.NewState(), encode.Train{}
	out := make([]float32, net.Sizes[len(net.Sizes)-1])
	wide := func(x []float32, by float64) (p []float64) {
		for _, v := range x {
			p = append(p, float64(v)*by)
		}
		return p
	}
	for i := range n {
		st.Reset()
		net.NewEncoder().Encode(&train, i, o.test.Image(i))
		for tick := range net.Ticks {
			st.Step(train.At(tick))
		}
		var pixels []float64
		for _, v := range o.test.Image(i) {
			pixels = append(pixels, float64(v)/255)
		}
		points[0] = append(points[0], pixels)
		last := net.Layers() - 1
		for l := range last {
			points[l+1] = append(points[l+1], wide(st.Counts(l), 1/float64(net.Ticks)))
		}
		st.Output(out)
		points[last+1] = append(points[last+1], wide(out, 1))
	}
	return points
}

// neighbours is the share of points whose nearest other point has their label.
func neighbours(y [][2]float64, labels []uint8) float64 {
	same := 0
	for i, p := range y {
		nearest, least := -1, 0.0
		for j, q := range y {
			a, b := p[0]-q[0], p[1]-q[1]
			if d := float64(a*a) + float64(b*b); j != i && (nearest < 0 || d < least) {
				nearest, least = j, d
			}
		}
		if nearest >= 0 && labels[nearest] == labels[i] {
			same++
		}
	}
	return float64(same) / float64(len(y))
}
