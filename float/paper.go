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

// paperState is one sample's run in paper mode. s[l] is S of layer l after the
// last step.
type paperState struct {
	net     *Network
	v, g, s [][]float32
	in      []float32
}

func (n *Network) newPaperState() *paperState {
	p := &paperState{net: n}
	for _, size := range n.Sizes[1:] {
		p.v = append(p.v, make([]float32, size))
		p.g = append(p.g, make([]float32, size))
		p.s = append(p.s, make([]float32, size))
	}
	return p
}

// run presents pixels/255 as a constant S_0 for the window. Eq. 3 is evaluated
// layer by layer in each step, on the S(t+1) of the layer below.
func (p *paperState) run(pixels []uint8) {
	p.in = p.in[:0]
	for _, x := range pixels {
		p.in = append(p.in, float32(x)/255)
	}
	for range p.net.Ticks {
		p.step(p.in)
	}
}

// step is eq. 3 once for every layer:
//
//	V(t+1) = V(t) - dt/tau_m [V(t) - V_L + g_E(t)/g_L (V(t) - V_E)]
//	g_E(t+1) = g_E(t) + dt/tau_E (-g_E(t) + sum_j w_ji S_j(t+1))
//	delta(t+1) = 1, V = V_reset  where V(t+1) > V_th
//	S(t+1) = sum_j w_ji S_j(t+1) + tau delta(t+1)
func (p *paperState) step(in []float32) {
	for l := range p.v {
		current := p.s[l] // gathers the weighted input, then becomes S
		clear(current)
		n := len(current)
		for j, x := range in {
			if x != 0 {
				simd.Axpy(current, x, p.net.Weights[l][j*n:(j+1)*n])
			}
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
		in = current
	}
}

// forwardPaper runs one sample in paper mode and leaves S and S - target of
// every layer in b. The error is taken once, after the last step (algorithm 1);
// e = 2 (S_out - S_T), and the output layer's own change is S_out - S_T.
func (t *Trainer) forwardPaper(b *sampleBuffers, sample int) {
	p := t.Net.newPaperState()
	p.run(t.image(nil, sample))
	copy(b.rates[0], p.in)
	for l := range p.s {
		copy(b.rates[l+1], p.s[l])
	}
	last := t.Net.Layers() - 1
	copy(b.err, p.s[last])
	t.outputError(b, b.err, int(t.train.Labels[sample]))
	copy(b.change[last], b.err)
	scale(b.err, 2)
	for l := last - 1; l >= t.Config.Frozen; l-- {
		t.credit.hidden(nil, b, l)
		b.inWindow[l] = float64(len(b.change[l]))
	}
}
