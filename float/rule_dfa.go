package float

// direct carries the output error to every hidden layer by a fixed random matrix of
// its own [nokland2016]: eq. 6 for the layer below the output too.
type direct struct {
	still
	feedback []Feedback
}

func newDirect(n *Network, tc TrainConfig) *direct {
	return &direct{feedback: newFeedback(n.Config, tc, n.Layers()-1)}
}

func (r *direct) hidden(_ *State, b *sampleBuffers, l int) {
	r.feedback[l].apply(b.change[l], b.err)
}
