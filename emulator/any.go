package emulator

import (
	"slices"

	"glsnn/emulator/machine"
	"glsnn/emulator/simd"
	"glsnn/fixedpoint"
)

// The exact path of contracts and layers that the plain loops of engine.go do
// not take: every operation of the contract, in its order, one by one where no kernel
// takes many. It is
// event-driven like the rest (rows of arriving spikes only), and allocates
// nothing once the lists of spikes have grown.

// stepAny is steps 3 to 7 of layer i, per tick.
func (e *Engine) stepAny(i int, arriving []int32) {
	l, a := &e.layers[i], &e.m.Arithmetic
	mem := &a.Membrane
	sums := a.Integrate != fixedpoint.IntegrateMembrane
	switch a.Integrate {
	case fixedpoint.IntegrateSum:
		e.integrate(i, arriving)
	case fixedpoint.IntegrateSplit:
		e.integrateSplit(i, arriving)
	default:
		if mem.Place == fixedpoint.BeforeIntegrate {
			for j := range l.v {
				l.v[j] = e.forgetV(i, j, int64(l.v[j]))
			}
		}
		e.integrateMembrane(i, arriving)
	}
	if l.isLeaky && !e.scalar {
		l.stepLeaky(&l.leaky)
		return
	}
	exp := 0
	if l.scaled && sums {
		exp = l.WeightExp
	}
	if l.isToward && e.tick < e.m.Ticks {
		l.step(&l.plain, exp)
		return
	}
	for j := range l.v {
		x := int64(l.q[j]) << exp // 4.
		if c := &a.Current; c.Present {
			u := int64(l.u[j])
			if c.Place == fixedpoint.BeforeIntegrate {
				u = e.forgetU(i, j, u)
			}
			x = int64(e.add(i, j, machine.Current, u, x, c.Register, &l.curOver))
			if c.Place == fixedpoint.AfterIntegrate {
				x = e.forgetU(i, j, x)
			}
		}
		l.u[j] = int32(x)
		v := int64(l.v[j]) // 5.
		if a.Bias.Present {
			bias := int64(0)
			if l.Bias != nil {
				bias = l.Bias[j]
			}
			x = int64(e.add(i, j, machine.Bias, x, bias, a.Bias.Register, &l.biasOver))
		}
		if sums {
			if mem.Place == fixedpoint.BeforeIntegrate {
				v = int64(e.forgetV(i, j, v))
			}
			if d := mem.Decay; d.Kind == fixedpoint.DecayTowardInput {
				v, x = 0, fixedpoint.TowardInput(v, x, l.MembraneDecay, uint(d.FracBits), d.Round)
			}
			v = int64(e.add(i, j, machine.Membrane, v, x, mem.Register, &l.memOver))
		} else if a.Bias.Present {
			v = int64(e.add(i, j, machine.Membrane, v, x, mem.Register, &l.memOver))
		}
		if mem.Place == fixedpoint.AfterIntegrate {
			v = int64(e.forgetV(i, j, v))
		}
		if l.held[j] > 0 {
			v = 0
			l.held[j]--
		}
		l.v[j] = int32(v)
		if e.testAny(i, j) && l.Refractory > 0 { // 6., 7.
			l.held[j] = int32(l.Refractory - 1) // this tick has counted
		}
	}
}

// integrateSplit is step 3 with a sum for each sign. Magnitudes only add up, so
// the order within a sum does not matter; the adds that overflow are counted. Where
// none can, the difference is one sum.
func (e *Engine) integrateSplit(i int, arriving []int32) {
	l, sum := &e.layers[i], e.m.Arithmetic.Sum
	lo, hi := l.reach(arriving)
	if l.scaled = max(hi, -lo) <= sum.Max()<<l.WeightExp; l.scaled {
		l.plainSum(arriving)
		return
	}
	clear(l.q)
	clear(l.minus)
	for _, k := range arriving {
		for j := range l.q {
			if w := l.Weights.At(int(k), j); w >= 0 {
				l.q[j] = e.add(i, j, machine.Sum, int64(l.q[j]), w, sum, &l.sumOver)
			} else {
				l.minus[j] = e.add(i, j, machine.Sum, int64(l.minus[j]), -w, sum, &l.sumOver)
			}
		}
	}
	for j := range l.q {
		l.q[j] = (l.q[j] - l.minus[j]) << l.WeightExp
	}
}

// stepEvents is steps 3 to 7 of layer i where every event is tested.
func (e *Engine) stepEvents(i int, arriving []int32) {
	l := &e.layers[i]
	if l.isLeaky && l.narrowsMembrane && !e.scalar {
		for k := range arriving {
			l.memOver += l.rows.Add(block(l.v), arriving[k:k+1], l.WeightExp, &l.membrane)
			l.stepLeaky(&l.test)
		}
		l.stepLeaky(&l.leaky)
		return
	}
	for _, k := range arriving {
		for j := range l.v {
			e.addWeight(i, int(k), j)
			e.testAny(i, j)
		}
	}
	for j := range l.v {
		l.v[j] = e.forgetV(i, j, int64(l.v[j]))
		e.testAny(i, j)
	}
}

// stepLeaky is p on every membrane. Spikes of this tick may lie before its own.
func (l *layer) stepLeaky(p *simd.Leaky) {
	l.fired = slices.Grow(l.fired, simd.Pad(l.Out))
	v, room := block(l.v), l.fired[len(l.fired):cap(l.fired)]
	n, over := simd.StepLeaky(p, v, block(l.count), room)
	// The rest of the last block began at 0, and is neither counted nor kept.
	clear(v[l.Out:])
	if rest := uint64(len(v) - l.Out); rest > 0 && over > 0 {
		over -= rest * p.Idle()
	}
	for n > 0 && int(room[n-1]) >= l.Out {
		n--
	}
	l.memOver += over
	l.fired = l.fired[:len(l.fired)+n]
}

// integrateMembrane is step 3 where the weights go straight into the membranes
// of layer i: by the narrowing kernel, as many spikes at a time as cannot bring a
// membrane to what Held has it tested against; or where it cannot, in one sum, if no
// membrane can leave its register on the way either.
func (e *Engine) integrateMembrane(i int, arriving []int32) {
	l, a := &e.layers[i], &e.m.Arithmetic
	fires := func(v int64) bool { return a.Held != 0 && a.Fire.When.Fires(v, a.Held) }
	kernel := l.narrowsMembrane && !e.scalar
	if !kernel && l.rows != nil {
		lo, hi := l.reach(arriving)
		lo, hi = int64(slices.Min(l.v))+lo, int64(slices.Max(l.v))+hi
		if l.plainAdd = a.Membrane.Register.Holds(lo, hi) && !fires(hi); l.plainAdd {
			l.rows.Sum(block(l.added), arriving)
			for j, x := range l.added {
				l.v[j] += x << l.WeightExp
			}
			return
		}
	}
	for len(arriving) > 0 {
		n := 0
		if kernel {
			if n = len(arriving); a.Held != 0 {
				most := int64(slices.Max(l.v))
				n = 0
				for n < len(arriving) && !fires(most+l.hi[arriving[n]]) {
					most += l.hi[arriving[n]]
					n++
				}
			}
			l.memOver += l.rows.Add(block(l.v), arriving[:n], l.WeightExp, &l.membrane)
		}
		if n == 0 {
			n = 1
			for j := range l.v {
				e.addWeight(i, int(arriving[0]), j)
			}
		}
		arriving = arriving[n:]
	}
}

func (e *Engine) addWeight(i, k, j int) {
	l := &e.layers[i]
	a := &e.m.Arithmetic
	l.v[j] = e.add(i, j, machine.Membrane, int64(l.v[j]), l.Weights.At(k, j)<<l.WeightExp, a.Membrane.Register, &l.memOver)
	if held := a.Held; held != 0 && a.Update == fixedpoint.PerTick && a.Fire.When.Fires(int64(l.v[j]), held) {
		l.v[j] = int32(e.spikeAny(i, j, int64(l.v[j]), held))
	}
}

// forgetU and forgetV are State.Forget of a value of neuron j, counted.
func (e *Engine) forgetU(i, j int, u int64) int64 {
	l := &e.layers[i]
	return e.forget(i, j, machine.Current, &e.m.Arithmetic.Current, u, l.CurrentDecay, l.CurrentLeak, &l.curOver)
}

func (e *Engine) forgetV(i, j int, v int64) int32 {
	l := &e.layers[i]
	return int32(e.forget(i, j, machine.Membrane, &e.m.Arithmetic.Membrane, v, l.MembraneDecay, l.MembraneLeak, &l.memOver))
}

func (e *Engine) forget(i, j int, what What, s *fixedpoint.State, x, decay, leak int64, overflows *uint64) int64 {
	y, over := s.Forget(x, decay, leak)
	if over { // of the add that ends Forget: do it again, where overflows are counted
		return int64(e.add(i, j, what, s.Decay.Apply(x, decay), leak, s.Register, overflows))
	}
	return y
}

// testAny is steps 6 and 7 of neuron j of layer i.
func (e *Engine) testAny(i, j int) (fired bool) {
	l, a := &e.layers[i], &e.m.Arithmetic
	v := int64(l.v[j])
	threshold, tested := a.Tests(&l.Layer)
	above := tested && a.Fire.When.Fires(v, threshold)
	below := !above && a.Fire.Negative.When.Holds(v, l.NegThreshold)
	if a.Membrane.Place == fixedpoint.AfterTest {
		v = int64(e.forgetV(i, j, v))
	}
	switch {
	case below:
		v = int64(e.add(i, j, machine.Membrane, l.NegReset.Apply(v, l.NegThreshold, l.ResetValue), 0, a.Membrane.Register, &l.memOver))
	case above:
		v = e.spikeAny(i, j, v, threshold)
	}
	l.v[j] = int32(v)
	return above
}

// spikeAny is step 7 of neuron j of layer i: the membrane v, which passed the
// test against threshold, after the reset.
func (e *Engine) spikeAny(i, j int, v, threshold int64) int64 {
	l, a := &e.layers[i], &e.m.Arithmetic
	for n := 0; n == 0 || n <= a.Fire.ExtraSpikes && a.Fire.When.Fires(v, threshold); n++ {
		v = int64(e.add(i, j, machine.Membrane, l.Reset.Apply(v, threshold, l.ResetValue), 0, a.Membrane.Register, &l.memOver))
		l.spike(j)
	}
	return v
}
