package rtl

import "fmt"

// Predict is what the bench must log for a core and its samples: an integer
// model of either chip under the bench's pacing, one event at a time. It reads
// the ops, not the tables, and shares no code with them. Cycles stay zero. A
// closed loop that one event keeps busy for more rows than any network without
// loops could (a full queue for each neuron) is an ErrStopped.
func (c *Core) Predict(samples []Sample) (*Log, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	log := &Log{Chip: c.Chip}
	for i, s := range samples {
		if err := s.Validate(c); err != nil {
			return nil, fmt.Errorf("sample %d: %w", i, err)
		}
		out, ok := c.predict(s)
		if !ok {
			return nil, fmt.Errorf("%w: sample %d: the loop feeds itself without end", ErrStopped, i)
		}
		log.Samples = append(log.Samples, out)
	}
	return log, nil
}

func (c *Core) predict(ops Sample) (out SampleLog, ok bool) {
	l := c.Chip.limits()
	v := make([]int, len(c.Neurons))
	for i, n := range c.Neurons {
		v[i] = n.V
	}
	held, tick := c.Synchronous, 0
	var queue, kept []int // rows still to be served; what fired in the tick

	// test is the compare that ends every update of a neuron.
	test := func(i int) {
		n := c.Neurons[i]
		fire := !held && !n.Integrator && v[i] >= n.Threshold
		if c.Chip == ODIN && v[i] == 255 {
			fire = true
		}
		if !fire {
			return
		}
		v[i] = 0
		if n.Disabled {
			return
		}
		out.Spikes = append(out.Spikes, SpikeLog{tick, i})
		kept = append(kept, i)
		if c.ClosedLoop && len(queue) < l.queue { // a full queue loses it
			queue = append(queue, i)
		}
	}
	// serve works the queue off. A row leaves it after its last neuron.
	ok = true
	serve := func() {
		for rows := 0; ok && len(queue) > 0; rows++ {
			ok = rows < size*l.queue
			for i := range c.Neurons {
				v[i] = min(max(v[i]+c.weight(queue[0], i), l.vMin), c.Chip.top())
				test(i)
			}
			queue = queue[1:]
		}
	}
	state := func() []int { return append([]int(nil), v...) }
	for _, o := range ops {
		switch o.Kind {
		case Tick:
			tick, kept = o.A, nil
		case Spike:
			queue = append(queue, o.A)
			serve()
		case Leak:
			for i, n := range c.Neurons {
				if v[i] >= 0 {
					v[i] = max(v[i]-n.Leak, 0)
				} else {
					v[i] = min(v[i]+n.Leak, 0)
				}
				test(i)
			}
			serve()
		case Hold, Release:
			held = o.Kind == Hold
		case Feed:
			for _, i := range kept[:len(kept):len(kept)] {
				if i >= o.A && i <= o.B {
					queue = append(queue, i)
					serve()
				}
			}
		case State:
			out.States = append(out.States, StateLog{tick, state()})
		}
	}
	out.Membranes = state()
	return out, ok
}

// top is the largest membrane before the test.
func (c Chip) top() int {
	if c == ODIN {
		return 255
	}
	return 2047
}
