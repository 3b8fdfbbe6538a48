package float

// targets is difference target propagation [lee2015]:
//
//	target of the top hidden layer = S - eta_t W e                         (eq. 5)
//	target of layer l              = S_l - (g_l(S_(l+1)) - g_l(target_(l+1)))
//	g_l(x) = V_l x, held within the window
//
// V_l learns to undo the layer above it, by the same step as W: it lowers
// |g_l(S_(l+1)) - S_l|^2. [lee2015] adds noise to S_l and runs the layer again on
// it, so that g_l is an inverse nearby too; here the random starting membranes are
// the only noise, and no layer runs twice.
type targets struct {
	net     *Network
	tc      TrainConfig
	output  outputFeedback
	inverse []*plastic // [l]: from layer l+1 to l, for l below the top hidden layer
}

func newTargets(n *Network, tc TrainConfig) *targets {
	r := &targets{net: n, tc: tc, output: newOutputFeedback(n, tc)}
	for l := range n.Layers() - 2 {
		from, to := n.Sizes[l+2], n.Sizes[l+1]
		v := orthogonal(from, to, 1, newStream(tc.Seed, streamRule, uint64(l)))
		r.inverse = append(r.inverse, newPlastic(v, from, to, tc, func(b *sampleBuffers) []float32 { return b.rates[l+2] }))
	}
	return r
}

func (r *targets) prepare()            { r.output.prepare() }
func (r *targets) learned() []*plastic { return r.inverse }

func (r *targets) hidden(_ *State, b *sampleBuffers, l int) {
	top := r.net.Layers() - 2
	if b.diff == nil {
		for _, size := range r.net.Sizes[1 : top+2] {
			b.diff = append(b.diff, make([]float32, size))
		}
	}
	d := b.diff[l] // S - target, before the window
	if l == top {
		r.output.apply(d, b.err)
	} else {
		p := r.inverse[l]
		was := p.of(b)
		b.fanDown(was, p.w, b.rates[l+2])
		b.fanDown(d, p.w, b.diff[l+1])
		lo, hi, bounded := r.tc.window()
		for j, x := range was {
			now := r.tc.clip(x)
			d[j] = now - r.tc.clip(x-d[j])
			if bounded && (x < lo || x > hi) {
				was[j] = 0
			} else {
				was[j] = now - b.rates[l+1][j]
			}
		}
	}
	copy(b.change[l], d)
}
