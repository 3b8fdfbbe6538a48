package rtl

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Log is what a run did. The bench prints it as lines:
//
//	glsnn-rtl 1 tinyodin     format, version, chip
//	loaded CYCLE             the chip is programmed
//	sample S                 sample S begins
//	spike TICK NEURON        a spike on the output link
//	state TICK V V V ...     all membranes, where the stimulus asks
//	v V V V ...              all membranes at the end
//	end S CYCLES SPI         sample S took CYCLES clock cycles, SPI of them with SPI transactions
//	done CYCLE               the end
//	error TEXT               instead of the rest: why the bench stopped
//
// Other lines are the simulator's and are passed over.
type Log struct {
	Chip       Chip
	Samples    []SampleLog
	LoadCycles uint64 // clock cycles until the chip was programmed
	Cycles     uint64 // clock cycles of the whole run
}

// SampleLog is one presentation.
type SampleLog struct {
	Spikes    []SpikeLog // in the order they left the chip
	States    []StateLog
	Membranes []int // at the end, by neuron
	Cycles    uint64
	SPICycles uint64 // of Cycles, those in which the host wrote or read by SPI
}

// SpikeLog is an output event.
type SpikeLog struct{ Tick, Neuron int }

// StateLog is the membranes at a state op.
type StateLog struct {
	Tick      int
	Membranes []int
}

// ErrStopped marks a run whose bench gave up; the text says where.
var ErrStopped = errors.New("the bench stopped")

// ReadLog parses a bench's output; name is for errors.
func ReadLog(name string, r io.Reader) (*Log, error) {
	l := new(Log)
	var cur *SampleLog
	done := false
	err := eachLine(name, r, "//", func(line int, words []string) error {
		ints := func(want int) ([]int, error) {
			args := words[1:]
			if want >= 0 && len(args) != want {
				return nil, fault(name, line, words[0], fmt.Sprintf("%d numbers", len(args)), strconv.Itoa(want))
			}
			v := make([]int, len(args))
			for i, a := range args {
				x, err := strconv.Atoi(a)
				if err != nil {
					return nil, fault(name, line, words[0], strconv.Quote(a), "an integer")
				}
				v[i] = x
			}
			return v, nil
		}
		if words[0] == "error" {
			return fmt.Errorf("%w: %s", ErrStopped, strings.Join(words[1:], " "))
		}
		want, ours := map[string]int{"loaded": 1, "sample": 1, "spike": 2, "state": -1, "v": -1, "end": 3, "done": 1}[words[0]]
		switch {
		case words[0] == "glsnn-rtl":
			if len(words) != 3 || words[1] != "1" || l.Chip != "" {
				return fault(name, line, "format", strings.Join(words, " "), "glsnn-rtl 1 and a chip, once")
			}
			l.Chip = Chip(words[2])
			return nil
		case !ours || l.Chip == "":
			return nil
		}
		v, err := ints(want)
		if err != nil {
			return err
		}
		if done {
			return fault(name, line, words[0], "a line after done", "the end")
		}
		switch words[0] {
		case "loaded":
			l.LoadCycles = uint64(v[0])
			return nil
		case "done":
			if cur != nil {
				return fault(name, line, "done", "inside a sample", "end first")
			}
			l.Cycles, done = uint64(v[0]), true
			return nil
		case "sample":
			if cur != nil || v[0] != len(l.Samples) {
				return fault(name, line, "sample", v[0], strconv.Itoa(len(l.Samples))+", after the end of the last")
			}
			l.Samples = append(l.Samples, SampleLog{})
			cur = &l.Samples[v[0]]
			return nil
		}
		if cur == nil {
			return fault(name, line, words[0], "outside a sample", "sample first")
		}
		switch words[0] {
		case "spike":
			cur.Spikes = append(cur.Spikes, SpikeLog{v[0], v[1]})
		case "state":
			if len(v) < 1 {
				return fault(name, line, "state", "nothing", "a tick and membranes")
			}
			cur.States = append(cur.States, StateLog{v[0], v[1:]})
		case "v":
			cur.Membranes = v
		case "end":
			if v[0] != len(l.Samples)-1 || cur.Membranes == nil {
				return fault(name, line, "end", v[0], strconv.Itoa(len(l.Samples)-1)+", after its membranes")
			}
			cur.Cycles, cur.SPICycles = uint64(v[1]), uint64(v[2])
			cur = nil
		}
		return nil
	})
	if err == nil && !done {
		err = fault(name, 0, "log", "no done line", "a finished run")
	}
	return l, err
}
