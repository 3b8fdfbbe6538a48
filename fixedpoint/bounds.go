package fixedpoint

// Interval is a closed range of raw values.
type Interval struct{ Lo, Hi int64 }

func (i *Interval) include(o Interval) {
	i.Lo, i.Hi = min(i.Lo, o.Lo), max(i.Hi, o.Hi)
}

// Bits is the width of the narrowest signed register that holds i.
func (i Interval) Bits() int { return SignedBits(i.Lo, i.Hi) }

// LayerBounds are ranges that a layer's registers cannot leave, whatever
// spikes arrive.
type LayerBounds struct {
	Sum, Current, Membrane Interval // before narrowing, over all neurons and ticks
	Proved                 bool     // all three fit their registers, so narrowing never acts
}

// Bounds proves the widths a layer needs in the model's window. For each
// neuron, P and N are the sums of its positive and negative weights; any
// subset of axons in any order keeps every partial sum in N..P, and decays are
// monotone, so intervals propagated for Ticks ticks from rest are sound:
//
//	q in [N, P];  u = decay(u) + q;  v = decay(v) + u;
//	after step 7 v is at most the threshold (reset to zero), or what
//	subtraction leaves.
//
// A membrane above the threshold after a reset by subtraction is followed
// too. The ranges are of the values before they are narrowed; where Proved is
// true the engines may use plain adds.
func (m *Model) Bounds(layer int) LayerBounds {
	l, a := m.Layers[layer], m.Arithmetic
	pos, neg := make([]int64, l.Out), make([]int64, l.Out)
	add := func(j int, w int64) {
		if w > 0 {
			pos[j] += w << l.WeightExp
		} else {
			neg[j] += w << l.WeightExp
		}
	}
	for k := range l.In {
		for j := range l.Out {
			add(j, l.Weights.At(k, j))
		}
	}
	var b LayerBounds
	limit := int64(1) << 40 // beyond any register: stop before int64 could overflow
	for j := range l.Out {
		q := Interval{neg[j], pos[j]}
		b.Sum.include(q)
		var u, v Interval
		for range m.Ticks {
			u0, v0 := u, v
			if a.Current.Present {
				u = Interval{a.Current.Decay.Apply(u.Lo, l.CurrentDecay) + q.Lo, a.Current.Decay.Apply(u.Hi, l.CurrentDecay) + q.Hi}
			} else {
				u = q
			}
			v = Interval{a.Membrane.Decay.Apply(v.Lo, l.MembraneDecay) + u.Lo, a.Membrane.Decay.Apply(v.Hi, l.MembraneDecay) + u.Hi}
			b.Current.include(u)
			b.Membrane.include(v)
			if !l.Integrator && a.Fire.When.Fires(v.Hi, l.Threshold) {
				top := l.Threshold
				if l.Reset == ResetSubtract {
					top = max(top, v.Hi-l.Threshold)
				}
				v = Interval{min(v.Lo, 0), top}
			}
			if u == u0 && v == v0 || max(-u.Lo, u.Hi, -v.Lo, v.Hi) > limit {
				break
			}
		}
	}
	b.Proved = a.Sum.Holds(b.Sum.Lo, b.Sum.Hi) && a.Membrane.Register.Holds(b.Membrane.Lo, b.Membrane.Hi) &&
		(!a.Current.Present || a.Current.Register.Holds(b.Current.Lo, b.Current.Hi))
	return b
}
