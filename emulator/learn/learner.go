package learn

import (
	"fmt"

	"glsnn/emulator"
	"glsnn/fixedpoint"
)

// Learner is a network that learns, one sample after another. It skips what
// cannot change anything: axons without a trace, neurons whose modulator is 0,
// samples without error. Learn allocates nothing. A Learner is for one goroutine.
type Learner struct {
	m      *fixedpoint.Model
	rule   Rule
	opt    Options
	run    *emulator.Engine
	ticks  int // of P1
	random *fixedpoint.Random
	b      []Feedback
	state  State
	layers []layer
	sample Sample
	count  Counters
}

// layer is what the update of a layer needs at hand.
type layer struct {
	out    int
	w      []int32 // of State
	r      []int32
	x, g   []int32 // of Sample
	lo, hi int32
	active []int32 // axons with a trace, ascending
	on     []int32 // neurons with a modulator, ascending
	stuck  []bool
	prefix []int64 // of updateCarry
	first  []int32
}

// New returns a Learner for network m, in a state that it keeps as its own. It
// fails if the rule or the state does not fit the network.
func New(m *fixedpoint.Model, rule Rule, s State, opt Options) (*Learner, error) {
	if err := rule.Validate(m); err != nil {
		return nil, err
	}
	if err := rule.Check(s, m); err != nil {
		return nil, err
	}
	now, err := rule.Model(s, m)
	if err != nil {
		return nil, err
	}
	e := &Learner{
		m: m, rule: rule, opt: opt, run: emulator.NewPlastic(now, emulator.Options{Delay: opt.Delay, Silent: opt.Silent}),
		ticks: opt.Ticks(m), random: fixedpoint.NewRandom(rule.Random, s.Random), b: rule.NewFeedback(m), state: s, sample: newSample(m),
	}
	e.count.Layers = make([]LayerCounters, len(m.Layers))
	for l, k := range m.Layers {
		lo, hi := rule.Stored(m, l)
		e.layers = append(e.layers, layer{
			out: k.Out, w: s.Weights[l], r: s.Residuals[l], x: e.sample.Traces[l], g: e.sample.Factors[l], lo: int32(lo), hi: int32(hi),
			active: make([]int32, 0, k.In), on: make([]int32, 0, k.Out),
			prefix: make([]int64, 0, k.In+1), first: make([]int32, 0, min(k.In<<min(rule.Trace.Bits, 8), 1<<16)),
		})
		if opt.Stuck != nil {
			e.layers[l].stuck = opt.Stuck[l]
		}
	}
	return e, nil
}

// Ticks is the length of P1 for network m.
func (o Options) Ticks(m *fixedpoint.Model) int {
	n := m.Ticks
	if o.Delay {
		n += len(m.Layers) - 1
	}
	for _, l := range m.Layers {
		n += l.Delay
	}
	return n
}

// Learn is one sample, P0 to P5, and returns the class the network gave it before
// it learned. It fails for a train of another length than the network's window and
// for a label that no output stands for.
func (e *Learner) Learn(train emulator.Train, label int) (int, error) {
	if err := e.forward(train); err != nil {
		return 0, err
	}
	if label < 0 || label >= e.m.Outputs() {
		return 0, fmt.Errorf("learn: label: got %d, want 0..%d", label, e.m.Outputs()-1)
	}
	if e.errors(label) { // P2
		e.count.Learned++
		for l := range e.layers {
			k := &e.layers[l]
			k.active = k.active[:0]
			for j, x := range k.x {
				if x > 0 {
					k.active = append(k.active, int32(j))
				}
			}
		}
		if e.rule.Mode == PerSample {
			e.feedback()
			for l := range e.layers {
				e.update(l)
			}
		} else {
			e.events()
		}
	}
	e.state.Samples++ // P5
	return e.sample.Class, nil
}

// Classify is P0 and P1 alone. It counts as a sample run, not as one learned from.
func (e *Learner) Classify(train emulator.Train) (int, error) {
	err := e.forward(train)
	return e.sample.Class, err
}

// forward is P0 and P1.
func (e *Learner) forward(train emulator.Train) error {
	if train.Ticks() != e.m.Ticks {
		return fmt.Errorf("learn: got %d ticks, want the model's %d", train.Ticks(), e.m.Ticks)
	}
	e.sample.clear()
	e.run.Reset()
	e.count.Samples++
	last := len(e.layers) - 1
	for t := range e.ticks {
		var in []int32
		if t < e.m.Ticks {
			in = train.At(t)
		}
		e.run.Step(in)
		for l := range e.layers {
			e.trace(e.layers[l].x, in)
			if l < last {
				in = e.run.Spikes(l)
				if e.rule.Window.State == WindowDrive {
					e.drive(l)
				}
			}
		}
	}
	e.sample.Scores = e.run.Scores(e.sample.Scores)
	e.sample.Class = emulator.Argmax(e.sample.Scores)
	return nil
}

// trace is one tick of the traces of a layer's axons.
func (e *Learner) trace(x, fired []int32) {
	t := &e.rule.Trace
	top := int32(1)<<t.Bits - 1
	if t.Decay.Kind != fixedpoint.DecayNone {
		e.count.TraceUpdates += uint64(len(x))
		e.decay(x)
	} else {
		e.count.TraceUpdates += uint64(len(fired))
	}
	for _, j := range fired {
		x[j] = min(x[j]+int32(t.Impulse), top)
	}
}

func (e *Learner) decay(x []int32) {
	for j, v := range x {
		if v != 0 {
			x[j] = int32(e.rule.Trace.Decay.Apply(int64(v), e.rule.Trace.Param))
		}
	}
}

// drive adds u to the drives of a hidden layer.
func (e *Learner) drive(l int) {
	d := e.sample.Drives[l]
	e.run.AddCurrent(l, d)
	e.count.DriveUpdates += uint64(len(d))
	top := int64(1)<<(e.rule.Window.Bits-1) - 1
	for i, v := range d {
		d[i] = max(min(v, top), -top-1)
	}
}

// errors is P2; it says whether there is any.
func (e *Learner) errors(label int) (any bool) {
	r := &e.rule.Error
	top := int64(1)<<(r.Bits-1) - 1
	for k, o := range e.sample.Scores {
		z := max(0, o-r.Low)
		if k == label {
			z = min(0, o-r.High)
		}
		if r.Shift >= 0 {
			z = fixedpoint.ShiftRound(z, uint(r.Shift), fixedpoint.TowardZero)
		} else {
			z <<= -r.Shift
		}
		z = max(min(z, top), -top)
		e.sample.Errors[k] = int32(z)
		any = any || z != 0
	}
	return any
}

// open says whether the window of neuron i of hidden layer l holds.
func (e *Learner) open(l, i int) bool {
	k := &e.rule.Layers[l]
	switch e.rule.Window.State {
	case WindowDrive:
		d := e.sample.Drives[l][i]
		return d >= k.WindowLo && d <= k.WindowHi
	case WindowCount:
		n := int64(e.run.Count(l)[i])
		return n >= k.WindowLo && n <= k.WindowHi
	}
	return true
}

// feedback is P3 of mode per_sample, and the modulators of the output.
func (e *Learner) feedback() {
	last := len(e.layers) - 1
	acc := &e.rule.Acc
	exp := e.rule.Feedback.Exp
	accTop, top := int64(1)<<(acc.Bits-1)-1, int64(1)<<(acc.Modulator-1)-1
	for l := range last {
		a, k := e.sample.Errs[l], &e.layers[l]
		for o, err := range e.sample.Errors {
			if err == 0 {
				continue
			}
			if b := e.b[l]; b != nil {
				for i, w := range b[o*k.out:][:k.out] {
					a[i] = max(min(a[i]+(int64(err)*int64(w))<<exp, accTop), -accTop-1)
				}
				continue
			}
			w, outputs := e.layers[last].w, len(e.sample.Errors)
			for i := range a {
				a[i] = max(min(a[i]+int64(err)*int64(w[i*outputs+o]>>e.rule.Low), accTop), -accTop-1)
			}
		}
		k.on = k.on[:0]
		for i, v := range a {
			if v == 0 || !e.open(l, i) {
				continue
			}
			g := max(min(fixedpoint.ShiftRound(v, acc.Shift, fixedpoint.HalfAway), top), -top)
			if k.g[i] = int32(g); g != 0 {
				k.on = append(k.on, int32(i))
			}
		}
	}
	k := &e.layers[last]
	k.on = k.on[:0]
	for o, err := range e.sample.Errors {
		k.g[o] = err
		if err != 0 {
			k.on = append(k.on, int32(o))
			e.count.ErrorEvents++
			for l := range last {
				e.count.FeedbackSynOps += uint64(e.layers[l].out)
			}
		}
	}
}

// events are the feedback ticks of mode per_event.
func (e *Learner) events() {
	last := len(e.layers) - 1
	for f := int32(0); ; f++ {
		spiked := false
		for o, err := range e.sample.Errors {
			if max(err, -err) <= f {
				continue
			}
			spiked = true
			sign := int32(1)
			if err < 0 {
				sign = -1
			}
			e.count.ErrorEvents++
			for l := range last {
				k := &e.layers[l]
				k.on = k.on[:0]
				e.count.FeedbackSynOps += uint64(k.out)
				for i := range k.g {
					var b int32
					if e.b[l] != nil {
						b = e.b[l][o*k.out+i] << e.rule.Feedback.Exp
					} else {
						b = e.layers[last].w[i*len(e.sample.Errors)+o] >> e.rule.Low
					}
					if k.g[i] = 0; b != 0 && e.open(l, i) {
						k.g[i] = sign * b
						k.on = append(k.on, int32(i))
					}
				}
				e.update(l)
			}
			k := &e.layers[last]
			clear(k.g)
			k.g[o], k.on = sign, append(k.on[:0], int32(o))
			e.update(last)
		}
		if !spiked {
			return
		}
		if e.rule.Trace.Decay.Kind == fixedpoint.DecayNone {
			continue
		}
		for l := range e.layers {
			k := &e.layers[l]
			e.count.TraceUpdates += uint64(len(k.x))
			e.decay(k.x)
			n := 0
			for _, j := range k.active {
				if k.active[n] = j; k.x[j] > 0 {
					n++
				}
			}
			k.active = k.active[:n]
		}
	}
}

// update is P4 for layer l:
//
//	for j := range x { for i := range g { if x[j] > 0 && g[i] != 0 {
//		w[j][i] = sat(w[j][i] + round(−x[j]·g[i] / 2^k))
//	}}}
func (e *Learner) update(l int) {
	k, c := &e.layers[l], &e.count.Layers[l]
	shift := e.rule.Shift(l, e.state.Samples) - uint(e.rule.Low)
	round := e.rule.Round
	n := uint64(len(k.active)) * uint64(len(k.on))
	c.Reads += n
	if round == RoundStochastic && shift > 0 {
		c.Draws += n
		c.DrawBits += n * uint64(shift)
	}
	if round == RoundCarry && shift > 0 {
		e.updateCarry(l, shift)
		return
	}
	half := int64(1) << shift / 2
	for _, j := range k.active {
		x := -int64(k.x[j])
		for _, i := range k.on {
			y := x * int64(k.g[i])
			switch {
			case shift == 0:
			case round == RoundStochastic:
				y = fixedpoint.RoundStochastic(y, shift, e.random.Draw(shift))
			case round == RoundNearest:
				y = (y + half) >> shift
			}
			if y != 0 {
				e.write(l, int(j), int(i), y)
			}
		}
	}
}

// write adds a change that is not 0 to a stored weight.
func (e *Learner) write(l, j, i int, change int64) {
	k, c := &e.layers[l], &e.count.Layers[l]
	c.Writes++
	at := j*k.out + i
	old := k.w[at]
	now := int64(old) + change
	if now > int64(k.hi) || now < int64(k.lo) {
		c.Saturations++
		now = max(min(now, int64(k.hi)), int64(k.lo))
	}
	if k.stuck != nil && k.stuck[at] {
		return
	}
	k.w[at] = int32(now)
	if w := now >> e.rule.Low; w != int64(old>>e.rule.Low) {
		e.run.SetWeight(l, j, i, w)
	}
}

// updateCarry is update where rounding carries. The residual of neuron i after axon
// j is r + p·X mod 2^k, p being −g and X the sum of the traces up to j, and the
// weights change where r + p·X passes a multiple of 2^k. So a neuron's changes are
// found one after another without a look at the axons between:
//
//	p > 0: the c-th where p·X ≥ c·2^k − r first;  p < 0: where −p·X > r + (c − 1)·2^k
//
// and the axon by a table of X.
func (e *Learner) updateCarry(l int, shift uint) {
	k := &e.layers[l]
	if len(k.active) == 0 {
		return
	}
	// prefix[n] is X before active axon n; first[x] the active axon where X reaches x.
	k.prefix, k.first = append(k.prefix[:0], 0), append(k.first[:0], 0)
	sum := int64(0)
	for n, j := range k.active {
		sum += int64(k.x[j])
		k.prefix = append(k.prefix, sum)
		for int64(len(k.first)) <= sum {
			k.first = append(k.first, int32(n))
		}
	}
	one := int64(1) << shift
	for _, i := range k.on {
		p, r := -int64(k.g[i]), int64(k.r[i])
		end := r + p*sum
		for at := r; ; { // what has been changed so far is at >> shift
			var x int64
			if p > 0 {
				next := (at>>shift + 1) << shift
				if next > end {
					break
				}
				x = int64(uint64(next-r+p-1) / uint64(p))
			} else {
				next := at >> shift << shift
				if next <= end {
					break
				}
				x = int64(uint64(r-next)/uint64(-p)) + 1
			}
			n := k.first[x]
			was := at >> shift
			at = r + p*k.prefix[n+1]
			e.write(l, int(k.active[n]), int(i), at>>shift-was)
		}
		k.r[i] = int32(end & (one - 1))
	}
}

// State is what the Learner holds now; it aliases the Learner's own.
func (e *Learner) State() State {
	e.state.Random = e.random.State()
	return e.state
}

// Sample is what its registers hold after the last sample; it aliases them.
func (e *Learner) Sample() *Sample { return &e.sample }

// Counters are the counts of all samples since New.
func (e *Learner) Counters() Counters {
	c := e.count
	c.Layers = append([]LayerCounters(nil), c.Layers...)
	c.Run = e.run.Counters()
	return c
}

// Model is the network as it computes now.
func (e *Learner) Model() (*fixedpoint.Model, error) { return e.rule.Model(e.State(), e.m) }
