package crossbar

import "glsnn/export/rtl"

// events places p.Model for the chip's own order of events, with its queue on
// (closed loop) where it can be. The host does this with a sample, and nothing else:
//
//	for each tick:
//	  for each input spike, ascending axon:
//	    send the row event; wait until the chip is idle
//	  send one leak event of all neurons; wait until the chip is idle
//
// The chip serves a row event by adding the row to every neuron, ascending, and
// testing each at once. A neuron that fires is appended to the queue, whose
// entries are served as row events, first in first out, before the chip is idle
// and so before the host's next event.
//
// Why that is the tick of fixedpoint.PerEvent, which does a layer after the
// other: a neuron of layer l is changed by spikes of layer l-1 and by the leak
// event, by nothing else, and the queue keeps order. Layer 0 gets the input spikes
// in the order sent. If layer l-1 gets its events in the order of the emulator,
// then it fires in that order, event by event and neurons ascending, is queued
// in that order, and layer l gets its events in that order. Between two events of
// layer l the chip may serve other layers, which layer l does not see. The leak
// event finds the queue empty, as the emulator's finds the tick's list done, and
// fires nothing: below a threshold of at least 1 a membrane is still below it
// after a leak toward zero. (A read-out is below Arithmetic.Held in the same way,
// where that is set; when it fires, its row is served too, and holds no weights.) So every layer's spikes and membranes are the
// emulator's, whatever the number of layers, and only the interleaving of
// different layers' spikes on the output link is not. A neuron that fires several
// times in a tick is queued each time.
//
// A spike that finds the queue full is lost. Where one input event could fill it
// (see queueNeed) it is switched off (open loop), and the host collects the
// spikes of a tick and, before the leak event, sends those of each layer but the
// last as row events, layer by layer. By the same argument nothing else changes.
//
// Neurons come first and inputs on the rows after them: the chip steps through
// neurons up to the last one in use, which then are the network's own.
func (p *Placed) events() error {
	m := p.Model
	if err := p.checkRows(); err != nil {
		return err
	}
	chip := rtl.Chip(p.Chip.Tables.Format)
	p.Inputs = m.Neurons()
	p.Core = &rtl.Core{Chip: chip, ClosedLoop: p.queueNeed() <= chip.Queue(), Neurons: make([]rtl.Neuron, m.Neurons()), Weights: make([][]int8, m.Inputs()+m.Neurons())}
	row, first := p.Inputs, 0 // of the layer below, of the layer
	for _, l := range m.Layers {
		for i, w := range rows(l) {
			p.Core.Weights[row+i] = make([]int8, m.Neurons())
			copy(p.Core.Weights[row+i][first:], w)
		}
		for i := range l.Out {
			n := rtl.Neuron{Leak: int(l.MembraneLeak), Integrator: l.Integrator}
			if !l.Integrator {
				n.Threshold = int(l.Threshold)
			}
			p.Core.Neurons[first+i] = n
		}
		row, first = first, first+l.Out
	}
	if err := p.Core.Validate(); err != nil {
		return p.invalid(err)
	}
	return nil
}

// feed is the layers whose spikes the host hands on.
func (p *Placed) feed() []rtl.Span {
	var spans []rtl.Span
	first := 0
	for _, l := range p.Model.Layers[:len(p.Model.Layers)-1] {
		if !p.Core.ClosedLoop {
			spans = append(spans, rtl.Span{First: first, Last: first + l.Out - 1})
		}
		first += l.Out
	}
	return spans
}

// queueNeed is the most entries that the queue can hold at once, the row in
// service included. An event fires each neuron of the next layer at most once,
// and the queue serves all events of one layer before those of the next, which
// they cause: with k events of a layer waiting and c neurons above it, after the
// i-th is served k-i+1 and i c entries are there.
func (p *Placed) queueNeed() int {
	need, k := 1, 1
	for _, l := range p.Model.Layers {
		c := l.Out
		if _, fires := p.Model.Arithmetic.Tests(&l); !fires {
			c = 0
		}
		need = max(need, k+c, 1+k*c)
		if k *= c; k > 1<<20 {
			break // no queue is that long
		}
	}
	return need
}
