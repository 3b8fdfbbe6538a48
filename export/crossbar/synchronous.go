package crossbar

import (
	"errors"

	"glsnn/export/rtl"
	"glsnn/fixedpoint"
)

// synchronous places p.Model for rtl's synchronous scheme. Its tick is the
// emulator's for a chip whose weights go straight into the membrane, which
// forgets after integrating: hidden neurons integrate, leak, are tested and
// reset; outputs only gather, and fire where the chip cannot keep them from it
// (fixedpoint.Arithmetic.Held). An output's leak would come before its input and
// not after, so it must be off. Inputs have the first rows, then come the hidden
// neurons and the outputs.
func (p *Placed) synchronous() error {
	m := p.Model
	var layers, readout error
	if n := len(m.Layers); n != 2 {
		layers = p.unfit("layers", n, "two: one crossbar holds one hidden layer")
	}
	if m.Readout != fixedpoint.ReadMembrane {
		readout = p.unfit("readout", m.Readout, "membrane: outputs gather what the host hands on when their leak event is over; train with --readout membrane")
	}
	if err := errors.Join(layers, readout, p.checkRows()); err != nil {
		return err
	}
	hidden, out := m.Layers[0], m.Layers[1]
	if out.MembraneLeak != 0 {
		return p.unfit("layer 1: membrane_leak", out.MembraneLeak, "0")
	}
	net := rtl.TwoLayer{W1: rows(hidden), W2: rows(out), Thresholds: make([]int, hidden.Out), Leaks: make([]int, hidden.Out)}
	for i := range hidden.Out {
		net.Thresholds[i], net.Leaks[i] = int(hidden.Threshold), int(hidden.MembraneLeak)
	}
	core, shape, err := net.Place(rtl.Chip(p.Chip.Tables.Format))
	if err != nil {
		return p.invalid(err)
	}
	p.Core, p.First = core, shape.Inputs
	return nil
}

// shape is where synchronous put the layers.
func (p *Placed) shape() rtl.Shape {
	return rtl.Shape{Inputs: p.Model.Inputs(), Hidden: p.Model.Layers[0].Out, Outputs: p.Model.Outputs()}
}
