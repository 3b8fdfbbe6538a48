package float

import "glsnn/float/simd"

// The printed constants of [zhao2020], section 4.
const (
	PaperVE       = 0.2    // reversal potential of excitation
	PaperVL       = 0      // leaky potential
	PaperVReset   = 0      // after a spike
	PaperVTh      = 0.0009 // threshold
	PaperTauM     = 0.5    // membrane time constant
	PaperTauE     = 0.2    // conductance time constant
	PaperTau      = 0.01   // what a spike adds to S
	PaperGL       = 20     // leaky conductance
	PaperDt       = 0.01   // simulation step; T = 0.1 is ten of them
	PaperTicks    = 10
	PaperRate     = 0.015 // eta_w
	PaperTarget   = 0.5   // eta_t
	PaperBatch    = 10
	PaperEpochs   = 100 // on MNIST; 200 on Fashion-MNIST
	paperVPerTick = PaperDt / PaperTauM
	paperGPerTick = PaperDt / PaperTauE
)

// paperState is the run of some samples in paper mode. s[l] is S of layer l after
// the last step, a row a sample.
type paperState struct {
	net     *Network
	weights []simd.Packed
	v, g, s [][]float32
	in      []float32
	first   []float32 // what in brings to layer 0 in every step
	samples int
}

// pack is the network's weights as paper mode's products take them; it reuses old.
func (n *Network) pack(old []simd.Packed) []simd.Packed {
	if old == nil {
		old = make([]simd.Packed, n.Layers())
	}
	for l, w := range n.Weights {
		old[l].Pack(w, n.Sizes[l], n.Sizes[l+1])
	}
	return old
}

// newPaperState is for at most samples samples; weights are still to be set, to
// those of pack.
func (n *Network) newPaperState(samples int) *paperState {
	p := &paperState{net: n, in: make([]float32, samples*n.Sizes[0]), first: make([]float32, samples*n.Sizes[1])}
	for _, size := range n.Sizes[1:] {
		p.v = append(p.v, make([]float32, samples*size))
		p.g = append(p.g, make([]float32, samples*size))
		p.s = append(p.s, make([]float32, samples*size))
	}
	return p
}

// run presents pixels/255 of each image as a constant S_0 for the window. Eq. 3 is
// evaluated layer by layer in each step, on the S(t+1) of the layer below.
func (p *paperState) run(images [][]uint8) {
	for k, pixels := range images {
		in := p.of(p.in, p.net.Sizes[0], k)
		for i, x := range pixels {
			in[i] = float32(x) / 255
		}
	}
	p.begin(len(images))
	for range p.net.Ticks {
		p.step()
	}
}

// begin is rest, with the S_0 in p.in.
func (p *paperState) begin(samples int) {
	p.samples = samples
	for l := range p.v {
		clear(p.v[l])
		clear(p.g[l])
	}
	p.weights[0].Mul(p.first, p.net.Sizes[1], p.in, p.net.Sizes[0], samples)
}

// of is a sample's row of x, in layers of width units.
func (p *paperState) of(x []float32, width, sample int) []float32 {
	return x[sample*width:][:width]
}

// step is eq. 3 once for every layer:
//
//	V(t+1) = V(t) - dt/tau_m [V(t) - V_L + g_E(t)/g_L (V(t) - V_E)]
//	g_E(t+1) = g_E(t) + dt/tau_E (-g_E(t) + sum_j w_ji S_j(t+1))
//	delta(t+1) = 1, V = V_reset  where V(t+1) > V_th
//	S(t+1) = sum_j w_ji S_j(t+1) + tau delta(t+1)
func (p *paperState) step() {
	for l := range p.v {
		n := p.net.Sizes[l+1]
		current := p.s[l][:p.samples*n] // gathers the weighted input, then becomes S
		if l == 0 {
			copy(current, p.first)
		} else {
			p.weights[l].Mul(current, n, p.s[l-1], p.net.Sizes[l], p.samples)
		}
		for i, input := range current {
			v, g := float64(p.v[l][i]), float64(p.g[l][i])
			v -= paperVPerTick * (v - PaperVL + g/PaperGL*(v-PaperVE))
			g += paperGPerTick * (-g + float64(input))
			var spike float32
			if v > PaperVTh {
				v, spike = PaperVReset, 1
			}
			p.v[l][i], p.g[l][i] = float32(v), float32(g)
			current[i] = input + PaperTau*spike
		}
	}
}

// forwardPaper runs some samples in paper mode and leaves S and S - target of
// every layer in bufs. The error is taken once, after the last step (algorithm 1);
// e = 2 (S_out - S_T), and the output layer's own change is S_out - S_T.
func (t *Trainer) forwardPaper(p *paperState, bufs []sampleBuffers, samples []int) {
	p.weights = t.packed
	images := make([][]uint8, len(samples))
	for i, sample := range samples {
		images[i] = t.image(nil, sample)
	}
	p.run(images)
	sizes, last := t.Net.Sizes, t.Net.Layers()-1
	for i, sample := range samples {
		b := &bufs[i]
		copy(b.rates[0], p.of(p.in, sizes[0], i))
		for l := range p.s {
			copy(b.rates[l+1], p.of(p.s[l], sizes[l+1], i))
			b.spikes[l] = 0
			for _, r := range b.rates[l+1] {
				b.spikes[l] += float64(r)
			}
		}
		copy(b.err, b.rates[last+1])
		t.outputError(b, b.err, int(t.train.Labels[sample]))
		copy(b.change[last], b.err)
		scale(b.err, 2)
		for l := last - 1; l >= t.Config.Frozen; l-- {
			t.credit.hidden(nil, b, l)
			b.inWindow[l] = float64(len(b.change[l]))
		}
	}
}
