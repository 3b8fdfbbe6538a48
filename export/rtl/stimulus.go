package rtl

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Op is one step of a stimulus. The bench finishes each before the next: the
// queue is empty, the controller idle and the output link quiet.
type Op struct {
	Kind OpKind
	A, B int
}

// OpKind is a word of a stimulus file; the operands follow it.
type OpKind string

const (
	Tick    OpKind = "tick"    // tick A begins: later spikes are logged under it
	Spike   OpKind = "spike"   // presynaptic event on row A
	Leak    OpKind = "leak"    // leak event of all neurons
	Hold    OpKind = "hold"    // thresholds out of reach
	Release OpKind = "release" // the real thresholds
	Feed    OpKind = "feed"    // what neurons A..B fired since the tick began, as row events, in firing order
	State   OpKind = "state"   // log all membranes
	end     OpKind = "end"
)

var operands = map[OpKind]int{Tick: 1, Spike: 1, Leak: 0, Hold: 0, Release: 0, Feed: 2, State: 0, end: 0}

// Sample is one presentation, from the membranes of Core.Neurons. The bench
// logs all membranes once more at its end.
type Sample []Op

// Events is the input of one sample: rows that spike, by tick, in the order
// they are sent. Order matters where a sum saturates.
type Events [][]int

// Synchronous is the stimulus of the timestep scheme (steps in doc.go).
// With trace, membranes are logged at the end of each tick.
func (s Shape) Synchronous(in Events, trace bool) Sample {
	var ops Sample
	for t, rows := range in {
		ops = append(ops, Op{Kind: Tick, A: t})
		for _, row := range rows {
			ops = append(ops, Op{Kind: Spike, A: row})
		}
		ops = append(ops, Op{Kind: Release}, Op{Kind: Leak}, Op{Kind: Hold})
		if s.Outputs > 0 {
			ops = append(ops, Op{Kind: Feed, A: s.Inputs, B: s.Inputs + s.Hidden - 1})
		}
		if trace {
			ops = append(ops, Op{Kind: State})
		}
	}
	return ops
}

// Span is the neurons First..Last.
type Span struct{ First, Last int }

// Native is the stimulus of the chip's own scheduling: each event updates and
// tests at once; a leak event ends each tick. Before it the host feeds the tick's
// spikes of each span back, one span after the other: for layers on a core that
// is not ClosedLoop.
func Native(in Events, feed []Span, trace bool) Sample {
	var ops Sample
	for t, rows := range in {
		ops = append(ops, Op{Kind: Tick, A: t})
		for _, row := range rows {
			ops = append(ops, Op{Kind: Spike, A: row})
		}
		for _, f := range feed {
			ops = append(ops, Op{Kind: Feed, A: f.First, B: f.Last})
		}
		ops = append(ops, Op{Kind: Leak})
		if trace {
			ops = append(ops, Op{Kind: State})
		}
	}
	return ops
}

func (o Op) check(c *Core) (field, want string) {
	switch n, known := operands[o.Kind]; {
	case !known || o.Kind == end:
		return "op", "tick, spike, leak, hold, release, feed or state"
	case n >= 1 && (o.A < 0 || o.Kind != Tick && o.A >= size):
		return "first operand of " + string(o.Kind), "0..255"
	case n == 2 && (o.B < o.A || o.B >= size):
		return "second operand of " + string(o.Kind), "at least the first, at most 255"
	case (o.Kind == Hold || o.Kind == Release) && !c.Synchronous:
		return string(o.Kind), "a synchronous core"
	case o.Kind == Feed && c.ClosedLoop:
		return string(o.Kind), "a core that does not feed itself"
	}
	return "", ""
}

// Validate checks a sample for a core.
func (s Sample) Validate(c *Core) error {
	for i, o := range s {
		if field, want := o.check(c); field != "" {
			return invalid(fmt.Sprintf("op %d: %s", i, field), strings.TrimSpace(fmt.Sprint(o.Kind, " ", o.A, " ", o.B)), want)
		}
	}
	return nil
}

// Write writes a stimulus file: one op a line, '#' comments, "end" last.
func (s Sample) Write(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintln(b, "# glsnn rtl stimulus 1")
	for _, o := range append(s[:len(s):len(s)], Op{Kind: end}) {
		switch operands[o.Kind] {
		case 0:
			fmt.Fprintln(b, o.Kind)
		case 1:
			fmt.Fprintln(b, o.Kind, o.A)
		default:
			fmt.Fprintln(b, o.Kind, o.A, o.B)
		}
	}
	return b.Flush()
}

// ReadSample reads what Sample.Write wrote; name is for errors.
func ReadSample(name string, r io.Reader) (Sample, error) {
	var s Sample
	done := false
	err := eachLine(name, r, "#", func(line int, words []string) error {
		if done {
			return fault(name, line, "op", strings.Join(words, " "), "nothing after end")
		}
		o := Op{Kind: OpKind(words[0])}
		n, known := operands[o.Kind]
		if !known {
			return fault(name, line, "op", strconv.Quote(words[0]), "tick, spike, leak, hold, release, feed, state or end")
		}
		if len(words) != n+1 {
			return fault(name, line, words[0], fmt.Sprintf("%d operands", len(words)-1), strconv.Itoa(n))
		}
		for i, dst := range []*int{&o.A, &o.B}[:n] {
			v, err := strconv.Atoi(words[i+1])
			if err != nil {
				return fault(name, line, words[0], strconv.Quote(words[i+1]), "an integer")
			}
			*dst = v
		}
		if o.Kind == end {
			done = true
			return nil
		}
		if field, want := o.check(&Core{Synchronous: true}); field != "" {
			return fault(name, line, field, strings.Join(words[1:], " "), want)
		}
		s = append(s, o)
		return nil
	})
	if err == nil && !done {
		err = fault(name, 0, "op", "the end of the file", "end")
	}
	return s, err
}
