package float

// Dale's law for chips whose synapses store magnitudes and whose presynaptic
// neurons have the sign: the weights of one row, those of one presynaptic unit,
// are all >= 0 or all <= 0. Signs are drawn before training and a step that
// crosses zero stops there.
//
// Half of the rows are excitatory. Those of the inputs are drawn from the seed.
// Hidden rows are excitatory first: spikes arrive in ascending order, and where
// membranes stop at 0 (Config.Floor) an inhibition that comes first is lost.
// See doc.go for what was tried.

// OneSign sets every weight to 0 whose sign is not its row's, drawn from seed,
// and returns the rows' signs, 1 or -1, of each weight layer.
func (n *Network) OneSign(seed uint64) [][]float32 {
	var signs [][]float32
	for l, w := range n.Weights {
		in, out := n.Sizes[l], n.Sizes[l+1]
		s := make([]float32, in)
		for i := range s {
			s[i] = 1
			if i >= (in+1)/2 {
				s[i] = -1
			}
		}
		if l == 0 {
			newStream(seed, streamSigns, 0).Shuffle(in, func(i, j int) { s[i], s[j] = s[j], s[i] })
		}
		for i := range s {
			clampSign(w[i*out:(i+1)*out], s[i])
		}
		signs = append(signs, s)
	}
	return signs
}

// clampSign sets weights to 0 that are not of sign.
func clampSign(row []float32, sign float32) {
	for j, w := range row {
		if w*sign < 0 {
			row[j] = 0
		}
	}
}
