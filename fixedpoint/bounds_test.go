package fixedpoint_test

import (
	"testing"

	"glsnn/fixedpoint"
	"glsnn/fixedpoint/fptest"
)

// soma is one neuron of one layer, stepped by the definition; seen collects
// what each register was offered.
type soma struct {
	m                *fixedpoint.Model
	l                *fixedpoint.Layer
	j                int
	u, v             int64
	held             int                 // refractory counter
	sum, cur, bs, mb fixedpoint.Interval // before narrowing; sums that wrapped: after
	losses           int
}

func (s *soma) narrow(x int64, r fixedpoint.Register, seen *fixedpoint.Interval, stored bool) int64 {
	y, over := fixedpoint.Narrow(x, r)
	if over {
		s.losses++
	}
	if over && stored && r.Overflow == fixedpoint.Wrap {
		x = y
	}
	seen.Lo, seen.Hi = min(seen.Lo, x), max(seen.Hi, x)
	return y
}

func (s *soma) forget(st fixedpoint.State, x, decay, leak int64, seen *fixedpoint.Interval) int64 {
	x = st.Decay.Apply(x, decay)
	switch st.Leak.Kind {
	case fixedpoint.LeakToZero:
		return fixedpoint.LeakTowardZero(x, leak)
	case fixedpoint.LeakConstant:
		return s.narrow(x+leak, st.Register, seen, false)
	}
	return x
}

func (s *soma) put(x int64) int64 {
	return s.narrow(x, s.m.Arithmetic.Membrane.Register, &s.mb, false)
}

func (s *soma) forgetV() {
	s.v = s.forget(s.m.Arithmetic.Membrane, s.v, s.l.MembraneDecay, s.l.MembraneLeak, &s.mb)
}

// step is one tick with the axons that the bits of arrive name.
func (s *soma) step(arrive uint64) {
	a, l := s.m.Arithmetic, s.l
	mem := a.Membrane
	if a.Update == fixedpoint.PerTick && mem.Place == fixedpoint.BeforeIntegrate {
		s.forgetV()
	}
	var q, minus int64
	for k := range l.In {
		if arrive>>k&1 == 0 {
			continue
		}
		w := l.Weights.At(k, s.j) << l.WeightExp
		switch {
		case a.Integrate == fixedpoint.IntegrateSum:
			q = s.narrow(q+w, a.Sum, &s.sum, true)
		case a.Integrate == fixedpoint.IntegrateSplit && w >= 0:
			q = s.narrow(q+w>>l.WeightExp, a.Sum, &s.sum, true)
		case a.Integrate == fixedpoint.IntegrateSplit:
			minus = s.narrow(minus-w>>l.WeightExp, a.Sum, &s.sum, true)
		default:
			s.v = s.narrow(s.v+w, mem.Register, &s.mb, true)
			if a.Update == fixedpoint.PerEvent {
				s.test()
			}
		}
	}
	if a.Update == fixedpoint.PerEvent {
		s.forgetV()
		s.test()
		return
	}
	if a.Integrate == fixedpoint.IntegrateSplit {
		q = (q - minus) << l.WeightExp
	}
	switch {
	case !a.Current.Present:
		s.u = q
		s.cur.Lo, s.cur.Hi = min(s.cur.Lo, q), max(s.cur.Hi, q)
	default:
		if a.Current.Place == fixedpoint.BeforeIntegrate {
			s.u = s.forget(a.Current, s.u, l.CurrentDecay, l.CurrentLeak, &s.cur)
		}
		s.u = s.narrow(s.u+q, a.Current.Register, &s.cur, false)
		if a.Current.Place == fixedpoint.AfterIntegrate {
			s.u = s.forget(a.Current, s.u, l.CurrentDecay, l.CurrentLeak, &s.cur)
		}
	}
	t := s.u
	if a.Bias.Present {
		var b int64
		if l.Bias != nil {
			b = l.Bias[s.j]
		}
		t = s.narrow(t+b, a.Bias.Register, &s.bs, false)
	}
	switch d := mem.Decay; {
	case d.Kind == fixedpoint.DecayTowardInput:
		s.v = s.put(wantToward(s.v, t, l.MembraneDecay, uint(d.FracBits), d.Round))
	case a.Integrate != fixedpoint.IntegrateMembrane || a.Bias.Present:
		s.v = s.put(s.v + t)
	}
	if mem.Place == fixedpoint.AfterIntegrate {
		s.forgetV()
	}
	if s.held > 0 {
		s.v = 0
	}
	if s.test() {
		s.held = l.Refractory
	}
	s.held = max(0, s.held-1)
}

// test is steps 6 and 7.
func (s *soma) test() (fired bool) {
	f, l := s.m.Arithmetic.Fire, s.l
	fires := !l.Integrator && f.When.Fires(s.v, l.Threshold)
	below := !fires && f.Negative.When.Holds(s.v, l.NegThreshold)
	if s.m.Arithmetic.Membrane.Place == fixedpoint.AfterTest {
		s.forgetV()
	}
	if below {
		s.v = s.put(l.NegReset.Apply(s.v, l.NegThreshold, l.ResetValue))
	}
	for n := 0; fires && n <= f.ExtraSpikes; n++ {
		s.v = s.put(l.Reset.Apply(s.v, l.Threshold, l.ResetValue))
		fired, fires = true, f.When.Fires(s.v, l.Threshold)
	}
	return fired
}

func inside(i, o fixedpoint.Interval) bool { return i.Lo >= o.Lo && i.Hi <= o.Hi }

// checkBounds runs every neuron of a layer on one spike train per tick.
func checkBounds(t *testing.T, m *fixedpoint.Model, layer int, b fixedpoint.LayerBounds, train []uint64) {
	t.Helper()
	l := &m.Layers[layer]
	for j := range l.Out {
		s := soma{m: m, l: l, j: j}
		for _, arrive := range train {
			s.step(arrive)
		}
		if !inside(s.sum, b.Sum) || !inside(s.cur, b.Current) || !inside(s.bs, b.Bias) || !inside(s.mb, b.Membrane) {
			t.Fatalf("layer %d neuron %d, train %b: saw sum %v, current %v, bias %v, membrane %v, bounds %+v\n%+v\n%+v", layer, j, train, s.sum, s.cur, s.bs, s.mb, b, m.Arithmetic, *l)
		}
		if b.Proved && s.losses != 0 {
			t.Fatalf("layer %d neuron %d, train %b: %d overflows where bounds prove none", layer, j, train, s.losses)
		}
	}
}

// TestBoundsSoundEveryTrain drives small layers with every spike train that
// there is.
func TestBoundsSoundEveryTrain(t *testing.T) {
	rng := fptest.Rand(t, 6)
	proved := 0
	for range 250 {
		m := fptest.RandomModel(rng, fptest.ModelOptions{Neurons: 3, Ticks: 4, Layers: 2})
		for i, l := range m.Layers {
			b := m.Bounds(i)
			if b.Proved {
				proved++
			}
			bits := l.In * m.Ticks
			train := make([]uint64, m.Ticks)
			for code := range uint64(1) << bits {
				for k := range train {
					train[k] = code >> (k * l.In) & (1<<l.In - 1)
				}
				checkBounds(t, m, i, b, train)
			}
		}
	}
	if proved < 20 {
		t.Errorf("%d layers proved, want more for the test to mean something", proved)
	}
}

// TestBoundsSoundRandomTrains drives larger layers with random trains, among
// them the constant ones that push a single neuron as far as it goes.
func TestBoundsSoundRandomTrains(t *testing.T) {
	rng := fptest.Rand(t, 7)
	for range 1500 {
		m := fptest.RandomModel(rng, fptest.ModelOptions{Ticks: 40})
		for i, l := range m.Layers {
			b := m.Bounds(i)
			train := make([]uint64, m.Ticks)
			for k := range train {
				train[k] = rng.Uint64() | rng.Uint64()
			}
			checkBounds(t, m, i, b, train)
			pos, neg := signs(&l, rng.IntN(l.Out))
			for k := range train {
				train[k] = pos
				if k >= m.Ticks/2 && rng.IntN(8) > 0 {
					train[k] = neg
				}
			}
			checkBounds(t, m, i, b, train)
		}
	}
}

// signs are the axons with a positive and those with a negative weight to j.
func signs(l *fixedpoint.Layer, j int) (pos, neg uint64) {
	for k := range l.In {
		switch w := l.Weights.At(k, j); {
		case w > 0:
			pos |= 1 << k
		case w < 0:
			neg |= 1 << k
		}
	}
	return pos, neg
}

// TestBoundsTight: an integrator, whose registers are not left, reaches every
// end of its bounds, with all its positive axons in every tick or all its
// negative ones.
func TestBoundsTight(t *testing.T) {
	rng := fptest.Rand(t, 8)
	readout := fixedpoint.ReadMembrane
	n := 0
	for range 600 {
		m := fptest.RandomModel(rng, fptest.ModelOptions{Layers: 1, Ticks: 30, Readout: &readout})
		b := m.Bounds(0)
		if !b.Proved || len(m.Extras()) > 0 {
			continue // what fires back at one end need not be reached at the other
		}
		n++
		var sum, cur, mb fixedpoint.Interval
		l := &m.Layers[0]
		for j := range l.Out {
			pos, neg := signs(l, j)
			for _, arrive := range []uint64{pos, neg} {
				s := soma{m: m, l: l, j: j}
				for range m.Ticks {
					s.step(arrive)
				}
				sum = fixedpoint.Interval{Lo: min(sum.Lo, s.sum.Lo), Hi: max(sum.Hi, s.sum.Hi)}
				cur = fixedpoint.Interval{Lo: min(cur.Lo, s.cur.Lo), Hi: max(cur.Hi, s.cur.Hi)}
				mb = fixedpoint.Interval{Lo: min(mb.Lo, s.mb.Lo), Hi: max(mb.Hi, s.mb.Hi)}
			}
		}
		if sum != b.Sum || cur != b.Current || mb != b.Membrane {
			t.Fatalf("reached sum %v, current %v, membrane %v, bounds %+v", sum, cur, mb, b)
		}
	}
	if n < 50 {
		t.Errorf("%d models proved, want more for the test to mean something", n)
	}
}

// TestBoundsByHand: weights 3 and −2 shifted by 1, so q is in −4..6; decay of
// u by a half, of v none, threshold 10, five ticks.
//
//	u.Hi 6 9 10 11 11        u.Lo −4 −6 −7 −7 −7   (toward zero)
//	v.Hi 6 15→10 20→10 21→10 21  v.Lo −4 −10 −17 −24 −31
func TestBoundsByHand(t *testing.T) {
	x := pair()
	x.Layers = x.Layers[1:]
	l := &x.Layers[0]
	l.Weights = fixedpoint.NewMatrix(2, 2, []int16{3, 0, -2, 0})
	l.CurrentDecay, l.MembraneDecay, l.Threshold = 4, 0, 10
	for _, c := range []struct {
		reset  fixedpoint.Reset
		bits   int
		hi     int64 // of the membrane
		proved bool
	}{
		{fixedpoint.ResetZero, 8, 21, true},
		{fixedpoint.ResetZero, 6, 21, true},
		{fixedpoint.ResetZero, 5, 21, false},
		{fixedpoint.ResetSubtract, 8, 22, true}, // v.Hi 6 15→10 20→10 21→11 22
	} {
		l.Reset = c.reset
		x.Arithmetic.Membrane.Register.Bits = c.bits
		m, err := fixedpoint.NewModel(x)
		if err != nil {
			t.Fatal(err)
		}
		want := fixedpoint.LayerBounds{
			Sum: fixedpoint.Interval{Lo: -4, Hi: 6}, Current: fixedpoint.Interval{Lo: -7, Hi: 11},
			Membrane: fixedpoint.Interval{Lo: -31, Hi: c.hi}, Proved: c.proved,
		}
		if got := m.Bounds(0); got != want {
			t.Errorf("%v in %d bits: got %+v, want %+v", c.reset, c.bits, got, want)
		}
	}
}

// TestBoundsOfWrap: 3·3 = 9 wraps in four bits to −7, so sums and what follows
// go below zero although no weight is negative.
func TestBoundsOfWrap(t *testing.T) {
	x := pair()
	x.Arithmetic.Sum = fixedpoint.Register{Bits: 4, Signed: true, Overflow: fixedpoint.Wrap}
	x.Layers = x.Layers[:1]
	x.Layers[0].Weights = fixedpoint.NewMatrix(3, 2, []int16{3, 0, 3, 0, 3, 0})
	x.Layers[0].WeightExp = 0
	m, err := fixedpoint.NewModel(x)
	if err != nil {
		t.Fatal(err)
	}
	b := m.Bounds(0)
	if b.Proved || b.Sum != (fixedpoint.Interval{Lo: -8, Hi: 9}) || b.Membrane.Lo != -30 { // −8 −15 −21 −26 −30
		t.Errorf("got %+v", b)
	}
	s := soma{m: m, l: &m.Layers[0]}
	for range m.Ticks {
		s.step(7)
	}
	if s.v != -26 || !inside(s.mb, b.Membrane) {
		t.Errorf("v %d, saw %v, bounds %+v", s.v, s.mb, b)
	}
}

// TestBoundsLong: a decay-free membrane over the longest window leaves every
// register without int64 overflowing.
func TestBoundsLong(t *testing.T) {
	x := pair()
	x.Arithmetic.Weight = fixedpoint.Weight{Bits: 16, Signed: true, ExpMax: 20}
	x.Arithmetic.Sum.Bits, x.Arithmetic.Current.Register.Bits, x.Arithmetic.Membrane.Register.Bits = 32, 32, 32
	x.Layers = x.Layers[1:]
	l := &x.Layers[0]
	l.Weights, l.WeightBits, l.WeightExp = fixedpoint.NewMatrix(2, 2, []int16{32767, 32767, 32767, 32767}), 16, 20
	l.CurrentDecay, l.MembraneDecay = 0, 0
	x.Ticks, x.Readout, l.Integrator = 1<<20, fixedpoint.ReadMembrane, true
	m, err := fixedpoint.NewModel(x)
	if err != nil {
		t.Fatal(err)
	}
	b := m.Bounds(0)
	if b.Proved || b.Membrane.Lo != 0 || b.Current.Lo != 0 || b.Membrane.Hi < 1<<40 || b.Membrane.Hi > 1<<42 || b.Current.Hi < 1<<40 {
		t.Errorf("got %+v", b)
	}
}
