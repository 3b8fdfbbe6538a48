// Package twin is the rule of package learn in floating point: the same phases on
// real numbers, nothing rounded and no weight clipped. A twin learns the same
// samples beside an integer Learner, and [Report] says where the two part. It is for
// understanding what the integers cost; nothing of a chip's path uses it.
//
// Errors and modulators keep the rule's limits, which are part of what it does;
// their fractions are kept too, so an error within one step of the dead zone is not
// 0 here. The network is the plain neuron: decays, one threshold, reset to zero or by
// subtraction.
package twin

import (
	"fmt"
	"math"

	"glsnn/emulator"
	"glsnn/emulator/learn"
	"glsnn/fixedpoint"
)

// Twin is a network that learns in float64.
type Twin struct {
	m      *fixedpoint.Model
	rule   learn.Rule
	b      []learn.Feedback
	w      [][]float64 // [In][Out], in units of the chip's weight
	start  [][]float64
	layers []layer
	n      uint64

	before [][]int32 // the integer weights before the sample
	report []Layer
	same   uint64 // samples that both classified alike
}

type layer struct {
	u, v, drive, count, err, mod []float64
	trace                        []float64 // of the in-axons
	keepU, keepV                 float64
}

// Layer is where integers and floats part in one layer.
type Layer struct {
	Updates    uint64  `json:"updates"`         // synapses that the float rule changed, over all samples
	Vanished   float64 `json:"rounded_to_zero"` // share of those that the integers left as they were
	SameSign   float64 `json:"same_sign"`       // share of those that both changed, in the same direction
	Direction  float64 `json:"direction"`       // cosine between what the weights have moved in all, integer and float
	Difference float64 `json:"difference"`      // of the weights, in the root mean square, over that of the float ones
	Saturated  float64 `json:"saturated"`       // share of the integer weights at an end of their range now
	Beyond     float64 `json:"float_beyond"`    // share of the float weights outside that range

	vanished, both, agree uint64
}

// Report is the sums over all samples so far.
type Report struct {
	Samples   uint64  `json:"samples"`
	SameClass float64 `json:"same_class"` // share of the samples that both classified alike, before learning from them
	Layers    []Layer `json:"layers"`
}

// New returns a twin with the weights of s, or says why m has none.
func New(m *fixedpoint.Model, rule learn.Rule, s learn.State) (*Twin, error) {
	a := &m.Arithmetic
	plain := func(k fixedpoint.DecayKind) bool { return k == fixedpoint.DecayNone || k == fixedpoint.DecayMultiply }
	if a.Update != fixedpoint.PerTick || a.Integrate != fixedpoint.IntegrateSum || a.Bias.Present || !plain(a.Membrane.Decay.Kind) || !plain(a.Current.Decay.Kind) ||
		a.Membrane.Leak.Kind != fixedpoint.LeakNone || a.Current.Leak.Kind != fixedpoint.LeakNone || a.Fire.Negative.When != fixedpoint.BelowNever || a.Fire.ExtraSpikes != 0 {
		return nil, fmt.Errorf("twin: got an arithmetic with more than decays, one threshold and a reset, want a plain one")
	}
	if rule.Mode != learn.PerSample {
		return nil, fmt.Errorf("twin: got mode %s, want %s", rule.Mode, learn.PerSample)
	}
	t := &Twin{m: m, rule: rule, b: rule.NewFeedback(m), n: s.Samples, report: make([]Layer, len(m.Layers))}
	keep := func(d fixedpoint.Decay, param int64) float64 {
		if d.Kind == fixedpoint.DecayNone {
			return 1
		}
		return 1 - float64(param)/float64(int64(1)<<d.FracBits)
	}
	for l, k := range m.Layers {
		if k.Reset > fixedpoint.ResetSubtract && !k.Integrator || k.Refractory > 1 || k.Delay > 0 {
			return nil, fmt.Errorf("twin: layer %d: got reset %s, refractory period %d and delay %d, want reset zero or subtract alone", l, k.Reset, k.Refractory, k.Delay)
		}
		w := make([]float64, len(s.Weights[l]))
		for i, x := range s.Weights[l] {
			w[i] = math.Ldexp(float64(x), -rule.Low)
		}
		t.w, t.start = append(t.w, w), append(t.start, append([]float64(nil), w...))
		t.before = append(t.before, append([]int32(nil), s.Weights[l]...))
		room := func() []float64 { return make([]float64, k.Out) }
		x := layer{u: room(), v: room(), drive: room(), count: room(), err: room(), mod: room(), trace: make([]float64, k.In), keepV: keep(a.Membrane.Decay, k.MembraneDecay)}
		if a.Current.Present {
			x.keepU = keep(a.Current.Decay, k.CurrentDecay)
		}
		t.layers = append(t.layers, x)
	}
	return t, nil
}

// Learn is one sample in float, and holds it against what the integer learner, which has
// just learned the same, did: state is its state now, class what it said.
func (t *Twin) Learn(train emulator.Train, label int, state learn.State, class int) {
	if t.learn(train, label) == class {
		t.same++
	}
	t.n++
	for l, now := range state.Weights {
		r := &t.report[l]
		out := t.m.Layers[l].Out
		for at, was := range t.before[l] {
			x, g := t.layers[l].trace[at/out], t.layers[l].mod[at%out]
			change := -x * g
			if change == 0 {
				continue
			}
			r.Updates++
			d := now[at] - was
			switch {
			case d == 0:
				r.vanished++
			case (d > 0) == (change > 0):
				r.agree++
				fallthrough
			default:
				r.both++
			}
		}
		copy(t.before[l], now)
	}
}

// learn is P0 to P4; traces and modulators are those of the sample, 0 where it had no
// error.
func (t *Twin) learn(train emulator.Train, label int) (class int) {
	for l := range t.layers {
		k := &t.layers[l]
		for _, x := range [][]float64{k.u, k.v, k.drive, k.count, k.err, k.mod, k.trace} {
			clear(x)
		}
	}
	for tick := range train.Ticks() {
		in := train.At(tick)
		for l := range t.layers {
			in = t.step(l, in)
		}
	}
	last := len(t.layers) - 1
	out := &t.layers[last]
	scores := out.v
	if t.m.Readout == fixedpoint.ReadCount {
		scores = out.count
	}
	for k, o := range scores {
		if o > scores[class] {
			class = k
		}
		z := math.Max(0, o-float64(t.rule.Error.Low))
		if k == label {
			z = math.Min(0, o-float64(t.rule.Error.High))
		}
		out.mod[k] = clip(math.Ldexp(z, -t.rule.Error.Shift), t.rule.Error.Bits)
	}
	for l := range last {
		k, n := &t.layers[l], t.m.Layers[l].Out
		for i := range k.mod {
			for o, e := range out.mod {
				b := 0.0
				if t.b[l] != nil {
					b = math.Ldexp(float64(t.b[l][o*n+i]), int(t.rule.Feedback.Exp))
				} else {
					b = t.w[last][i*len(out.mod)+o]
				}
				k.err[i] += e * b
			}
			if t.open(l, i) {
				k.mod[i] = clip(math.Ldexp(k.err[i], -int(t.rule.Acc.Shift)), t.rule.Acc.Modulator)
			}
		}
	}
	for l := range t.layers {
		k, n := &t.layers[l], t.m.Layers[l].Out
		rate := math.Ldexp(1, -int(t.rule.Shift(l, t.n)))
		for j, x := range k.trace {
			if x == 0 {
				continue
			}
			row := t.w[l][j*n:][:n]
			for i, g := range k.mod {
				row[i] -= x * g * rate
			}
		}
	}
	return class
}

func clip(x float64, bits int) float64 {
	top := float64(int64(1)<<(bits-1) - 1)
	return math.Max(-top, math.Min(top, x))
}

func (t *Twin) open(l, i int) bool {
	x := t.layers[l].drive[i]
	if t.rule.Window.State == learn.WindowCount {
		x = t.layers[l].count[i]
	}
	r := t.rule.Layers[l]
	return t.rule.Window.State == learn.WindowNone || x >= float64(r.WindowLo) && x <= float64(r.WindowHi)
}

// step is one tick of layer l; it returns what fired.
func (t *Twin) step(l int, in []int32) (fired []int32) {
	k, p := &t.layers[l], &t.m.Layers[l]
	d, top := t.rule.Trace, float64(int64(1)<<t.rule.Trace.Bits-1)
	for j, x := range k.trace {
		switch d.Decay.Kind {
		case fixedpoint.DecayMultiply:
			k.trace[j] = x * (1 - float64(d.Param)/float64(int64(1)<<d.Decay.FracBits))
		case fixedpoint.DecayByShift, fixedpoint.DecayByShiftMinOne:
			k.trace[j] = x * (1 - math.Ldexp(1, -int(d.Param)))
		}
	}
	for i := range k.u {
		k.u[i] *= k.keepU
		k.v[i] *= k.keepV
	}
	for _, j := range in {
		k.trace[j] = math.Min(top, k.trace[j]+float64(d.Impulse))
		for i, w := range t.w[l][int(j)*p.Out:][:p.Out] {
			k.u[i] += math.Ldexp(w, p.WeightExp)
		}
	}
	threshold := float64(p.Threshold)
	for i, u := range k.u {
		k.drive[i] += u
		k.v[i] += u
		over := k.v[i] > threshold || k.v[i] == threshold && t.m.Arithmetic.Fire.When == fixedpoint.GE
		if p.Integrator || !over {
			continue
		}
		fired = append(fired, int32(i))
		k.count[i]++
		k.v[i] -= threshold
		if p.Reset == fixedpoint.ResetZero {
			k.v[i] = 0
		}
	}
	return fired
}

// Report is where the two have parted so far; state is the integer learner's.
func (t *Twin) Report(state learn.State) Report {
	r := Report{Samples: t.n, Layers: make([]Layer, len(t.report))}
	r.SameClass = share(t.same, t.n)
	for l, c := range t.report {
		c.Vanished, c.SameSign = share(c.vanished, c.Updates), share(c.agree, c.both)
		lo, hi := t.rule.Stored(t.m, l)
		unit := math.Ldexp(1, -t.rule.Low)
		var dot, a2, b2, diff, size float64
		var edge, beyond uint64
		for i, stored := range state.Weights[l] {
			w, f, s := float64(stored)*unit, t.w[l][i], t.start[l][i]
			dot += (w - s) * (f - s)
			a2 += (w - s) * (w - s)
			b2 += (f - s) * (f - s)
			diff += (w - f) * (w - f)
			size += f * f
			if int64(stored) == lo || int64(stored) == hi {
				edge++
			}
			if f < float64(lo)*unit || f > float64(hi)*unit {
				beyond++
			}
		}
		if a2 > 0 && b2 > 0 {
			c.Direction = dot / math.Sqrt(a2*b2)
		}
		if size > 0 {
			c.Difference = math.Sqrt(diff / size)
		}
		n := uint64(len(state.Weights[l]))
		c.Saturated, c.Beyond = share(edge, n), share(beyond, n)
		r.Layers[l] = c
	}
	return r
}

func share(n, of uint64) float64 { return float64(n) / float64(max(of, 1)) }
