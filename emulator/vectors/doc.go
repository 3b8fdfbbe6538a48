// Package vectors runs conformance vectors: cases of one neuron, written down by
// a chip's manual, another emulator or a simulation of its RTL, against both
// engines in a chip's arithmetic. A file is one JSON object:
//
//	{"target": "loihi", "cases": [{
//	  "name": "impulse",
//	  "params": {"du": 409, "dv": 128, "vth": 100, "bias": 0, "refractory": 0},
//	  "input": [6400, 0, 0],
//	  "u":     [6400, 5760, 5183],
//	  "v":     [0, 5760, 0],
//	  "spike": [0, 0, 1]
//	}]}
//
// target is a chip's name or the path of its file. params are raw register
// values, every register of the chip's file once; its section registers says
// what each sets. input is one raw integer a tick, added to u, or to v where the
// chip has no u: what the weights of the tick's spikes add up to, whatever the
// chip's weights and its register for their sum could hold. Where the chip tests
// after every event it is one event, and the event that ends the tick follows.
// An input of 0 is no event.
//
// u, v and spike are expected after each tick, v after the reset; spike is 1
// where the neuron fired, more where it may fire several times a tick. One of
// them is enough, and only those given are compared. A neuron starts at rest.
// kind may be left out and is then "neuron", the only one yet.
//
// Reading order: [File], [Case.Run], [Case.Compare].
package vectors
