package float

// alignment is backprop with a fixed random matrix in the place of each transposed
// weight matrix [lillicrap2016]; drawn as Feedback is, layer by layer.
type alignment struct {
	still
	down []Feedback // [l]: from layer l+1 to hidden layer l
}

func newAlignment(n *Network, tc TrainConfig) *alignment {
	r := &alignment{}
	for l := range n.Layers() - 1 {
		r.down = append(r.down, drawFeedback(newStream(tc.Seed, streamFeedback, uint64(l)), n.Sizes[l+2], n.Sizes[l+1], tc))
	}
	return r
}

func (r *alignment) hidden(_ *State, b *sampleBuffers, l int) {
	b.fanDown(b.change[l], r.down[l].B, b.change[l+1])
}
