package reference

import (
	"fmt"

	"glsnn/emulator/learn"
	"glsnn/emulator/machine"
	"glsnn/emulator/reference"
	"glsnn/fixedpoint"
)

// Train is the input of one sample; see emulator.Train.
type Train interface {
	Ticks() int
	At(t int) []int32
}

// Learner is a network that learns.
type Learner struct {
	m      *fixedpoint.Model
	r      learn.Rule
	opt    learn.Options
	run    *reference.Engine
	b      []learn.Feedback
	s      learn.State
	sample learn.Sample
	count  learn.Counters
}

// New is learn.New.
func New(m *fixedpoint.Model, r learn.Rule, s learn.State, opt learn.Options) (*Learner, error) {
	if err := r.Validate(m); err != nil {
		return nil, err
	}
	if err := r.Check(s, m); err != nil {
		return nil, err
	}
	e := &Learner{m: m, r: r, opt: opt, run: reference.New(m, machine.Options{Delay: opt.Delay, Silent: opt.Silent}), b: r.NewFeedback(m), s: s}
	e.count.Layers = make([]learn.LayerCounters, len(m.Layers))
	for l := range m.Layers {
		for j := range m.Layers[l].In {
			for i := range m.Layers[l].Out {
				e.run.SetWeight(l, j, i, e.weight(l, j, i))
			}
		}
	}
	return e, nil
}

// stored is where w[j][i] of layer l lies.
func (e *Learner) stored(l, j, i int) *int32 { return &e.s.Weights[l][j*e.m.Layers[l].Out+i] }

// weight is W = floor(w / 2^Low).
func (e *Learner) weight(l, j, i int) int64 {
	return fixedpoint.ShiftRound(int64(*e.stored(l, j, i)), uint(e.r.Low), fixedpoint.Floor)
}

// sat is Sat(x, bits).
func sat(x int64, bits int, overflow fixedpoint.Overflow) int64 {
	y, _ := fixedpoint.Narrow(x, fixedpoint.Register{Bits: bits, Signed: true, Overflow: overflow})
	return y
}

// Learn is one sample.
func (e *Learner) Learn(train Train, label int) (int, error) {
	if train.Ticks() != e.m.Ticks {
		return 0, fmt.Errorf("learn: got %d ticks, want the model's %d", train.Ticks(), e.m.Ticks)
	}
	last := len(e.m.Layers) - 1

	// P0 clear
	e.sample = learn.NewSample(e.m)
	e.run.Reset()
	e.count.Samples++

	// P1 forward
	for t := range e.opt.Ticks(e.m) {
		var in []int32
		if t < train.Ticks() {
			in = train.At(t)
		}
		e.run.Step(in)
		for l := range e.m.Layers {
			fired := in
			if l > 0 {
				fired = e.run.Spikes(l - 1)
			}
			e.decayTraces(l)
			for _, j := range fired {
				if e.r.Trace.Decay.Kind == fixedpoint.DecayNone {
					e.count.TraceUpdates++
				}
				x := int64(e.sample.Traces[l][j]) + e.r.Trace.Impulse
				x, _ = fixedpoint.Narrow(x, fixedpoint.Register{Bits: e.r.Trace.Bits})
				e.sample.Traces[l][j] = int32(x)
			}
			if l == last || e.r.Window.State != learn.WindowDrive {
				continue
			}
			for i, u := range e.run.Current(l, nil) {
				e.sample.Drives[l][i] = sat(e.sample.Drives[l][i]+u, e.r.Window.Bits, fixedpoint.Saturate)
				e.count.DriveUpdates++
			}
		}
	}
	e.sample.Scores = e.run.Scores(nil)
	for k, o := range e.sample.Scores {
		if o > e.sample.Scores[e.sample.Class] {
			e.sample.Class = k
		}
	}

	// P2 error
	any := false
	for k, o := range e.sample.Scores {
		var z int64
		if k == label {
			z = min(0, o-e.r.Error.High)
		} else {
			z = max(0, o-e.r.Error.Low)
		}
		if e.r.Error.Shift >= 0 {
			z = fixedpoint.ShiftRound(z, uint(e.r.Error.Shift), fixedpoint.TowardZero)
		} else {
			z *= int64(1) << -e.r.Error.Shift
		}
		e.sample.Errors[k] = int32(sat(z, e.r.Error.Bits, fixedpoint.SaturateSymmetric))
		any = any || e.sample.Errors[k] != 0
	}

	if any {
		e.count.Learned++
		if e.r.Mode == learn.PerSample {
			e.perSample()
		} else {
			e.perEvent()
		}
	}

	// P5 count
	e.s.Samples++
	return e.sample.Class, nil
}

func (e *Learner) decayTraces(l int) {
	t := e.r.Trace
	if t.Decay.Kind == fixedpoint.DecayNone {
		return
	}
	for j, x := range e.sample.Traces[l] {
		e.sample.Traces[l][j] = int32(t.Decay.Apply(int64(x), t.Param))
		e.count.TraceUpdates++
	}
}

// perSample is P3 and P4.
func (e *Learner) perSample() {
	last := len(e.m.Layers) - 1
	for k, err := range e.sample.Errors {
		e.sample.Factors[last][k] = err
		if err == 0 {
			continue
		}
		e.count.ErrorEvents++
		for l := range last {
			for i := range e.m.Layers[l].Out {
				e.count.FeedbackSynOps++
				a := e.sample.Errs[l][i] + int64(err)*e.back(l, k, i)
				e.sample.Errs[l][i] = sat(a, e.r.Acc.Bits, fixedpoint.Saturate)
			}
		}
	}
	for l := range last {
		for i, a := range e.sample.Errs[l] {
			if e.open(l, i) {
				g := fixedpoint.ShiftRound(a, e.r.Acc.Shift, fixedpoint.HalfAway)
				e.sample.Factors[l][i] = int32(sat(g, e.r.Acc.Modulator, fixedpoint.SaturateSymmetric))
			}
		}
	}
	for l := range e.m.Layers {
		e.update(l)
	}
}

// perEvent is the feedback ticks.
func (e *Learner) perEvent() {
	last := len(e.m.Layers) - 1
	for f := int64(0); ; f++ {
		spikes := 0
		for k, err := range e.sample.Errors {
			sign := int64(0)
			switch {
			case int64(err) > f:
				sign = 1
			case int64(-err) > f:
				sign = -1
			default:
				continue
			}
			spikes++
			e.count.ErrorEvents++
			for l := range last {
				for i := range e.m.Layers[l].Out {
					e.count.FeedbackSynOps++
					e.sample.Factors[l][i] = 0
					if e.open(l, i) {
						e.sample.Factors[l][i] = int32(sign * e.back(l, k, i))
					}
				}
				e.update(l)
			}
			for i := range e.sample.Factors[last] {
				e.sample.Factors[last][i] = 0
			}
			e.sample.Factors[last][k] = int32(sign)
			e.update(last)
		}
		if spikes == 0 {
			return
		}
		for l := range e.m.Layers {
			e.decayTraces(l)
		}
	}
}

// back is the weight by which output k's error reaches neuron i of hidden layer l.
func (e *Learner) back(l, k, i int) int64 {
	if e.r.Feedback.Source == learn.FeedbackOutput && l == len(e.m.Layers)-2 {
		return e.weight(l+1, i, k)
	}
	return int64(e.b[l][k*e.m.Layers[l].Out+i]) << e.r.Feedback.Exp
}

// open is the window of neuron i of hidden layer l.
func (e *Learner) open(l, i int) bool {
	var x int64
	switch e.r.Window.State {
	case learn.WindowDrive:
		x = e.sample.Drives[l][i]
	case learn.WindowCount:
		x = int64(e.run.Count(l)[i])
	default:
		return true
	}
	return e.r.Layers[l].WindowLo <= x && x <= e.r.Layers[l].WindowHi
}

// update is P4 for layer l.
func (e *Learner) update(l int) {
	k := uint(int(e.r.Shift(l, e.s.Samples)) - e.r.Low)
	lo, hi := e.r.Stored(e.m, l)
	n := &e.count.Layers[l]
	for j, x := range e.sample.Traces[l] {
		for i, g := range e.sample.Factors[l] {
			if x == 0 || g == 0 {
				continue
			}
			n.Reads++
			y := -int64(x) * int64(g)
			switch e.r.Round {
			case learn.RoundStochastic:
				if k > 0 {
					n.Draws++
					n.DrawBits += uint64(k)
					var draw uint32
					e.s.Random, draw = e.r.Random.Draw(e.s.Random, k)
					y = fixedpoint.RoundStochastic(y, k, draw)
				}
			case learn.RoundCarry:
				y += int64(e.s.Residuals[l][i])
				floor := fixedpoint.ShiftRound(y, k, fixedpoint.Floor)
				e.s.Residuals[l][i] = int32(y - floor<<k)
				y = floor
			case learn.RoundNearest:
				y = fixedpoint.ShiftRound(y, k, fixedpoint.HalfUp)
			}
			if y == 0 {
				continue
			}
			n.Writes++
			w := int64(*e.stored(l, j, i)) + y
			if w < lo || w > hi {
				n.Saturations++
				w = min(max(w, lo), hi)
			}
			if e.opt.Stuck != nil && e.opt.Stuck[l][j*e.m.Layers[l].Out+i] {
				continue
			}
			*e.stored(l, j, i) = int32(w)
			e.run.SetWeight(l, j, i, e.weight(l, j, i))
		}
	}
}

// State, Sample and Counters are those of learn.Learner.
func (e *Learner) State() learn.State    { return e.s }
func (e *Learner) Sample() *learn.Sample { return &e.sample }
func (e *Learner) Counters() learn.Counters {
	c := e.count
	c.Layers = append([]learn.LayerCounters(nil), c.Layers...)
	c.Run = e.run.Counters()
	return c
}
