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
	Bias                   Interval // of current and bias, where the contract has one
	Proved                 bool     // all fit their registers, so narrowing never acts
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
// too. Leaks, biases, values that a reset writes and the negative threshold are
// followed in the same way, at their place in the tick: each is monotone or a
// constant. An axon whose neuron may fire more than once a tick counts that
// often. The ranges are of the values before they are narrowed. What saturates
// is followed both as it would have been and clipped (where 0 lies in every
// interval, as without biases and constant leaks, that changes nothing); a
// register that may wrap can hold anything, so its whole range is taken in (for
// Sum that covers the stored partial sums). Values beyond ±2^40, more than any
// register, are cut there. Where Proved is true the engines may use plain adds
// for the first Ticks ticks from rest.
//
// Where Integrate is split, Sum is of the larger of the two sums, in mantissas.
// Where Update is per_event, or Held makes neurons fire while a tick's spikes
// arrive, nothing bounds the number of events of a tick: the membrane is then
// given its register's range, less and more than any one operation adds, and
// Proved is false.
func (m *Model) Bounds(layer int) LayerBounds {
	pos, neg := m.Layers[layer].Weights.columns()
	return m.bounds(layer, pos, neg)
}

// BoundsOfAny is Bounds whatever weights the layer may come to hold in its width:
// what is proved stays so while a network learns.
func (m *Model) BoundsOfAny(layer int) LayerBounds {
	l := m.Layers[layer]
	lo, hi := m.Arithmetic.Weight.Range(l.WeightBits)
	pos, neg := make([]int64, l.Out), make([]int64, l.Out)
	for j := range pos {
		pos[j], neg[j] = int64(l.In)*hi, int64(l.In)*lo
	}
	return m.bounds(layer, pos, neg)
}

// bounds takes the sums of each neuron's positive and negative mantissas, and
// keeps neither.
func (m *Model) bounds(layer int, pos, neg []int64) LayerBounds {
	l, a := m.Layers[layer], m.Arithmetic
	repeats := int64(1)
	if layer > 0 {
		repeats += int64(a.Fire.ExtraSpikes)
	}
	exp := l.WeightExp
	if a.Integrate == IntegrateSplit {
		exp = 0 // of the difference of the two sums
	}
	for j := range pos {
		pos[j] = repeats * pos[j] << exp
		neg[j] = repeats * neg[j] << exp
	}
	if a.Update == PerEvent || a.Held != 0 {
		return m.boundsPerEvent(layer)
	}
	stored := func(i Interval, r Register) Interval { // i, and what r makes of it
		switch {
		case r.Holds(i.Lo, i.Hi):
		case r.Overflow == Wrap:
			i.include(Interval{r.Min(), r.Max()})
		default:
			i.include(Interval{max(min(i.Lo, r.Max()), r.Min()), max(min(i.Hi, r.Max()), r.Min())})
		}
		const limit = int64(1) << 40 // before int64 could overflow
		return Interval{max(i.Lo, -limit), min(i.Hi, limit)}
	}
	var b LayerBounds
	mem := a.Membrane
	put := func(i Interval) Interval { // into the membrane
		b.Membrane.include(i)
		return stored(i, mem.Register)
	}
	forget := func(s State, i Interval, decay, leak int64, put func(Interval) Interval) Interval {
		i = Interval{s.Decay.Apply(i.Lo, decay), s.Decay.Apply(i.Hi, decay)}
		switch s.Leak.Kind {
		case LeakToZero:
			i = Interval{LeakTowardZero(i.Lo, leak), LeakTowardZero(i.Hi, leak)}
		case LeakConstant:
			i = put(Interval{i.Lo + leak, i.Hi + leak})
		}
		return i
	}
	forgetV := func(v Interval) Interval { return forget(mem, v, l.MembraneDecay, l.MembraneLeak, put) }
	for j := range l.Out {
		in := Interval{neg[j], pos[j]}
		var q Interval
		if a.Integrate == IntegrateSum {
			q = stored(in, a.Sum)
			b.Sum.include(q)
		}
		if a.Integrate == IntegrateSplit {
			most := max(in.Hi, -in.Lo)
			b.Sum.include(Interval{0, most})
			q = Interval{max(in.Lo, -a.Sum.Max()) << l.WeightExp, min(in.Hi, a.Sum.Max()) << l.WeightExp}
		}
		var u, v Interval
		for range m.Ticks {
			u0, v0 := u, v
			putU := func(i Interval) Interval {
				b.Current.include(i)
				return stored(i, a.Current.Register)
			}
			switch {
			case !a.Current.Present:
				u = q
				b.Current.include(u)
			case a.Current.Place == BeforeIntegrate:
				u = forget(a.Current, u, l.CurrentDecay, l.CurrentLeak, putU)
				u = putU(Interval{u.Lo + q.Lo, u.Hi + q.Hi})
			default:
				u = putU(Interval{u.Lo + q.Lo, u.Hi + q.Hi})
				u = forget(a.Current, u, l.CurrentDecay, l.CurrentLeak, putU)
			}
			t := u
			if a.Bias.Present {
				t = Interval{u.Lo + l.biasAt(j), u.Hi + l.biasAt(j)}
				b.Bias.include(t)
				t = stored(t, a.Bias.Register)
			}
			if mem.Place == BeforeIntegrate {
				v = forgetV(v)
			}
			if a.Integrate == IntegrateMembrane {
				v = put(Interval{v.Lo + in.Lo, v.Hi + in.Hi})
				b.Membrane.include(v) // the stored partial sums
			}
			switch {
			case mem.Decay.Kind == DecayTowardInput:
				d, k := mem.Decay, uint(mem.Decay.FracBits)
				v = put(Interval{TowardInput(v.Lo, t.Lo, l.MembraneDecay, k, d.Round), TowardInput(v.Hi, t.Hi, l.MembraneDecay, k, d.Round)})
			case a.Integrate != IntegrateMembrane || a.Bias.Present:
				v = put(Interval{v.Lo + t.Lo, v.Hi + t.Hi})
			}
			if mem.Place == AfterIntegrate {
				v = forgetV(v)
			}
			if l.Refractory > 1 {
				v.include(Interval{})
			}
			v = m.boundsAfterTest(&l, v, forgetV, put)
			if u == u0 && v == v0 {
				break
			}
		}
	}
	b.Proved = mem.Register.Holds(b.Membrane.Lo, b.Membrane.Hi) &&
		(a.Integrate == IntegrateMembrane || a.Sum.Holds(b.Sum.Lo, b.Sum.Hi)) &&
		(!a.Current.Present || a.Current.Register.Holds(b.Current.Lo, b.Current.Hi)) &&
		(!a.Bias.Present || a.Bias.Register.Holds(b.Bias.Lo, b.Bias.Hi))
	return b
}

// columns are the sums of each column's positive and negative values.
func (m Matrix) columns() (pos, neg []int64) {
	pos, neg = make([]int64, m.cols), make([]int64, m.cols)
	if _, ok := m.Int8(); ok {
		var four [4][]int8 // rows at a time: the sums are read and written a quarter as often
		m.EachRow(func(k int, row []int8) {
			if four[k%4] = row; k%4 < 3 && k+1 < m.rows {
				return
			}
			for i := k%4 + 1; i < 4; i++ {
				four[i] = make([]int8, len(row))
			}
			n := len(row)
			a, b, c, d, pos, neg := four[0][:n], four[1][:n], four[2][:n], four[3][:n], pos[:n], neg[:n]
			for j := range n {
				w, x, y, z := int32(a[j]), int32(b[j]), int32(c[j]), int32(d[j])
				sum := int64(w + x + y + z)
				p := int64(w&^(w>>31) + x&^(x>>31) + y&^(y>>31) + z&^(z>>31)) // of those above 0
				pos[j] += p
				neg[j] += sum - p
			}
		})
		return pos, neg
	}
	for k := range m.rows {
		for j := range m.cols {
			w := m.At(k, j)
			pos[j] += max(w, 0)
			neg[j] += min(w, 0)
		}
	}
	return pos, neg
}

// boundsAfterTest is tick steps 6 and 7 on every membrane of v: the parts of v
// that fire, that pass the negative test and that do neither, each as it ends.
func (m *Model) boundsAfterTest(l *Layer, v Interval, forget, put func(Interval) Interval) Interval {
	a := &m.Arithmetic
	var out Interval
	empty := true
	end := func(i Interval) {
		if empty {
			out, empty = i, false
		} else {
			out.include(i)
		}
	}
	part := func(lo, hi int64, then func(Interval)) { // the values of v in lo..hi
		i := Interval{max(lo, v.Lo), min(hi, v.Hi)}
		if i.Lo > i.Hi {
			return
		}
		if a.Membrane.Place == AfterTest {
			i = forget(i)
		}
		then(i)
	}
	lo, hi := v.Lo, v.Hi // of what neither fires nor passes the negative test
	fires := !l.Integrator && a.Fire.When.Fires(v.Hi, l.Threshold)
	if fires {
		hi = l.Threshold
	}
	below := a.Fire.Negative.When.Holds(v.Lo, l.NegThreshold)
	if below {
		lo = l.NegThreshold
	}
	part(lo, hi, end)
	if fires {
		part(l.Threshold, v.Hi, func(i Interval) {
			switch l.Reset {
			case ResetZero:
				end(Interval{})
			case ResetSubtract:
				low := i.Lo - l.Threshold
				if a.Fire.ExtraSpikes > 0 {
					low = min(low, 0)
				}
				end(put(Interval{low, i.Hi - l.Threshold}))
			case ResetValue:
				end(put(Interval{l.ResetValue, l.ResetValue}))
			default:
				end(put(i))
			}
		})
	}
	if below {
		part(v.Lo, l.NegThreshold, func(i Interval) {
			switch n := l.NegThreshold; l.NegReset {
			case NegSaturate:
				end(put(Interval{n, n}))
			case NegValue:
				end(put(Interval{-l.ResetValue, -l.ResetValue}))
			case NegSubtract:
				end(put(Interval{i.Lo - n, i.Hi - n}))
			default:
				end(put(i))
			}
		})
	}
	return out
}

// boundsPerEvent is Bounds where each event is tested.
func (m *Model) boundsPerEvent(layer int) LayerBounds {
	l, a := &m.Layers[layer], &m.Arithmetic
	step := max(l.MembraneLeak, -l.MembraneLeak, l.Threshold, a.Held, l.NegThreshold, -l.NegThreshold, l.ResetValue, -l.ResetValue)
	for k := range l.In {
		for j := range l.Out {
			w := l.Weights.At(k, j) << l.WeightExp
			step = max(step, w, -w)
		}
	}
	r := a.Membrane.Register
	return LayerBounds{Membrane: Interval{r.Min() - step, r.Max() + step}}
}
