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
// too. The ranges are of the values before they are narrowed. Saturation only
// moves a value toward 0, which lies in every interval, so it needs no care; a
// register that may wrap can hold anything, so its whole range is taken in
// (for Sum that covers the stored partial sums). Values beyond ±2^40, more than
// any register, are cut there. Where Proved is true the engines may use plain
// adds for the first Ticks ticks from rest.
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
	stored := func(i Interval, r Register) Interval { // i, and what r makes of it
		if f := r.Format(); r.Overflow == Wrap && !r.Holds(i.Lo, i.Hi) {
			i.include(Interval{f.Min(), f.Max()})
		}
		const limit = int64(1) << 40 // before int64 could overflow
		return Interval{max(i.Lo, -limit), min(i.Hi, limit)}
	}
	var b LayerBounds
	for j := range l.Out {
		q := stored(Interval{neg[j], pos[j]}, a.Sum)
		b.Sum.include(q)
		var u, v Interval
		for range m.Ticks {
			u0, v0 := u, v
			if a.Current.Present {
				u = Interval{a.Current.Decay.Apply(u.Lo, l.CurrentDecay) + q.Lo, a.Current.Decay.Apply(u.Hi, l.CurrentDecay) + q.Hi}
			} else {
				u = q
			}
			b.Current.include(u)
			if a.Current.Present {
				u = stored(u, a.Current.Register)
			}
			v = Interval{a.Membrane.Decay.Apply(v.Lo, l.MembraneDecay) + u.Lo, a.Membrane.Decay.Apply(v.Hi, l.MembraneDecay) + u.Hi}
			b.Membrane.include(v)
			v = stored(v, a.Membrane.Register)
			if !l.Integrator && a.Fire.When.Fires(v.Hi, l.Threshold) {
				top := l.Threshold
				if l.Reset == ResetSubtract {
					top = max(top, v.Hi-l.Threshold)
				}
				v = Interval{min(v.Lo, 0), top}
			}
			if u == u0 && v == v0 {
				break
			}
		}
	}
	b.Proved = a.Sum.Holds(b.Sum.Lo, b.Sum.Hi) && a.Membrane.Register.Holds(b.Membrane.Lo, b.Membrane.Hi) &&
		(!a.Current.Present || a.Current.Register.Holds(b.Current.Lo, b.Current.Hi))
	return b
}
