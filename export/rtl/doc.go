// Package rtl runs a network on the public RTL of three neuromorphic chips, in
// the user's own clone, and gets back its spikes and membranes to the last bit.
// No RTL is in this repository.
//
//	Core, Grid          what a chip is loaded with            core.go, grid.go
//	Sample, GridSample  what is sent to it                    stimulus.go
//	WriteFolder         tables and stimuli as files, and back tables.go, grid_files.go
//	Bench               the test bench, ours, in Verilog      bench_*.v.tmpl
//	Run, RunGrid        compile, play, parse the log          run.go, log.go
//	Predict             the same by a small integer model     model.go
//
// Weights, thresholds and membranes are raw integers; a tick is a step of the
// network, never a time; cycles are clock cycles of the simulated chip.
//
// # Repositories
//
//	TinyODIN  github.com/ChFrenkel/tinyODIN
//	ODIN      github.com/ChFrenkel/ODIN
//	RANC      github.com/UA-RCL/RANC
//
// Tests that need one read its folder from GLSNN_RTL_TINYODIN, GLSNN_RTL_ODIN
// and GLSNN_RTL_RANC, the simulator from GLSNN_RTL_SIMULATOR (iverilog, or
// verilator, which does some 30 times as much; RANC runs under iverilog only),
// and RANC's C++ simulator from GLSNN_RANC_SIM.
//
// # The synchronous scheme
//
// tinyODIN and ODIN have no timestep: each event updates a neuron and tests
// it. A two-layer network of LIF neurons in ticks runs on one of them all the
// same, inputs on rows 0..i-1, hidden neurons and rows from i, outputs after.
// Thresholds start held, out of reach. In each tick, in this order:
//
//  1. Integrate: one row event for each input spike. Hidden membranes gather;
//     nothing fires. Sums saturate after each weight, so order counts.
//  2. Release: the hidden thresholds are written by SPI, gate closed; the bench
//     first waits until the chip is idle, since tinyODIN's gate does not.
//  3. Leak, test, reset: one leak event of all neurons. Hidden membranes leak,
//     are compared (v >= threshold), and go to zero where they fire. Outputs
//     leak by OutputLeak, which may be 0. Spikes leave in ascending order.
//  4. Hold: the thresholds go out of reach again.
//  5. Feed: the bench sends the addresses that came out in this tick back in as
//     row events, in that order. Outputs integrate.
//
// So in one tick a hidden neuron does integrate, leak, test, reset, and an
// output does leak, integrate. Membranes of outputs after the last tick are
// the read-out. The loop is closed by the bench, with the spikes of the chip
// itself and not with those some emulator predicts: a wrong spike in tick 3
// then shows in every later membrane, and nothing but the input is given away
// in advance.
//
// tinyODIN holds by bit 11 of the threshold, one byte a neuron: no membrane
// reaches 2048, so all spikes are those of step 3. ODIN has no such value. It is
// held at 255, and a membrane that gets there in step 1, or in an Integrator,
// fires and is 0 at once: fixedpoint.Arithmetic.Held. Such a spike of a hidden
// neuron is fed in step 5 like the others; that of an output goes nowhere.
//
// # Native scheduling
//
// Native sends row events and a leak event a tick, thresholds real. With
// Core.ClosedLoop the chip queues its own spikes (128 entries on tinyODIN, 32
// on ODIN, the row in service included; a spike that finds the queue full goes
// out but is not served). The bench lets the queue run empty before the next
// event. A loop that never ends trips the bench's watchdog. Without ClosedLoop the
// bench can feed the spikes of a tick back, layer by layer, before the leak event.
//
// # Cycles
//
// The log has each sample's clock cycles and how many of them went to SPI. What a
// row event of the host takes on tinyODIN with n neurons, from the edge before
// its request to the next request:
//
//	2       the request is synchronised
//	1       it is taken
//	1       it is pushed
//	3       acknowledged: the request falls and is synchronised, the chip lets go
//	1 + 2n  it is popped, two cycles a neuron
//	1       the chip waits again
//	2       the bench: it looks three times whether the chip is idle, once of them
//	        in the last cycle above
//
// and 6 for each spike that leaves, while the neurons wait for the output link. A
// leak event is not pushed nor popped, and the bench's three looks come after it:
// 2 + 1 + 2n + 3 + 3. A spike that the chip queues itself takes 2n + 2. On ODIN n is
// 256, and there is no separate cycle to pop. A sample begins with three looks.
// The bench's SPI takes 162 cycles a write: 40 bits of 4, and 2.
//
// # Files
//
// WriteFolder writes, for tinyODIN and ODIN:
//
//	core.json            chip, counts, scheduling
//	config.spi           registers, written between two resets
//	load.spi             both SRAMs, byte by byte
//	start.spi            opens the network
//	clear.spi            membranes back to their start
//	hold.spi release.spi the thresholds of steps 4 and 2
//	neurons.mem          the neuron SRAM, $readmemh, a word a line from address 0
//	synapses.mem         the synapse SRAM
//	sample_00000.stim    ops, one a line: see OpKind
//
// An .spi line is 20 address and 20 data bits, five hex digits each, and a
// // comment; $readmemh reads it too. For RANC:
//
//	grid.json            sizes
//	csram_000.mem        a core's neurons, $readmemb
//	tc_000.mem           its axon types
//	sample_00000.pkt     "packet X Y AXON DELAY" lines, "tick T" after each tick's
//	sim_config.json      for RANC's C++ simulator,
//	sim_input_00000.json the same network and packets
//
// ReadFolder and ReadGrid read all of it back and refuse a folder whose files
// do not agree.
package rtl
