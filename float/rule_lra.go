package float

// representation is error-driven local representation alignment [ororbia2019]:
//
//	S - target of layer l = phi(h) - phi(h - E_l (change of layer l+1))
//
// h is the neuron's mean drive and phi what it is taken to make of it: h held within
// the window. E_l starts random and then moves as the transpose of the weights from
// layer l to l+1 does (gamma = 1 there). Their factor beta is in FeedbackScale.
type representation struct {
	net *Network
	tc  TrainConfig
	e   []*plastic // [l]: from layer l+1 to hidden layer l
}

func newRepresentation(n *Network, tc TrainConfig) *representation {
	r := &representation{net: n, tc: tc}
	for l := range n.Layers() - 1 {
		from, to := n.Sizes[l+2], n.Sizes[l+1]
		w := drawFeedback(newStream(tc.Seed, streamFeedback, uint64(l)), from, to, tc).B
		r.e = append(r.e, newPlastic(w, from, to, tc, func(b *sampleBuffers) []float32 { return b.change[l+1] }))
	}
	return r
}

func (r *representation) prepare()            {}
func (r *representation) learned() []*plastic { return r.e }

func (r *representation) hidden(st *State, b *sampleBuffers, l int) {
	copy(r.e[l].of(b), b.rates[l+1])
	change, perTick := b.change[l], 1/float32(r.net.Ticks)
	b.fanDown(change, r.e[l].w, b.change[l+1])
	for j, sum := range st.layers[l].drive {
		h := sum * perTick
		change[j] = r.tc.clip(h) - r.tc.clip(h-change[j])
	}
}
