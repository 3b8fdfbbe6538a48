package float

// backprop is the gradient of half of the loss, with a neuron's dS / d(mean drive)
// taken as 1 within the window and 0 outside:
//
//	S - target of layer l = W_(l+1) (change of layer l+1)
//
// W_(l+1) is read as it is, which no feedback path of a chip could do.
type backprop struct {
	net *Network
	up  [][]float32 // [l]: weights from layer l to l+1, transposed: [units of l+1][units of l]
}

func newBackprop(n *Network) *backprop {
	r := &backprop{net: n}
	for l := range n.Layers() - 1 {
		r.up = append(r.up, make([]float32, len(n.Weights[l+1])))
	}
	return r
}

func (r *backprop) learned() []*plastic { return nil }

func (r *backprop) prepare() {
	for l, dst := range r.up {
		transpose(dst, r.net.Weights[l+1], r.net.Sizes[l+1], r.net.Sizes[l+2])
	}
}

func (r *backprop) hidden(_ *State, b *sampleBuffers, l int) {
	b.fanDown(b.change[l], r.up[l], b.change[l+1])
}

// transpose writes m, [rows][cols], as [cols][rows], in blocks that a cache holds.
func transpose(dst, m []float32, rows, cols int) {
	const block = 16
	for i0 := 0; i0 < rows; i0 += block {
		for j := range cols {
			for i := i0; i < min(i0+block, rows); i++ {
				dst[j*rows+i] = m[i*cols+j]
			}
		}
	}
}
