// Package emulator is the chip in integers: it runs a fixedpoint.Model tick by
// tick, to the last bit of the model's Arithmetic, and counts what the chip
// does meanwhile.
//
// # The order of a tick
//
// Code and tests cite these numbers; fixedpoint.Arithmetic gives the formulas
// of 3 to 7 and the names of the modes.
//
//  1. The input spikes of tick t are taken, ascending axon.
//     Then, for each layer from the first to the last:
//  2. The spikes that arrive are those of the layer below, in the order in
//     which they were fired: of this tick, or of the tick before where
//     Options.Delay is set, and Layer.Delay ticks earlier still; the input
//     spikes for layer 0, without delay. Ascending neuron, once for each spike.
//  3. Integrate: each neuron's sum starts at 0 and takes the weights of the
//     arriving spikes one after another, narrowed at every add. Saturating
//     sums depend on this order. Where Integrate is membrane, each membrane
//     first forgets (if its Place is before_integrate) and then takes the
//     weights itself; the sum stays 0. Where Held is set, 6 and 7 follow
//     each of these adds, with Held for every neuron's threshold, integrators
//     included: such spikes come before those of 6, and one neuron may have several.
//     Where Integrate is split, positive and negative weights have a sum each, of
//     mantissas, narrowed at every add; their difference, shifted by the layer's
//     exponent, is the sum.
//     Then, for each neuron, ascending:
//  4. Current: the old current forgets, the sum is added, the result narrowed;
//     with Place after_integrate it forgets last. Without a synaptic current it
//     is the sum. The bias is added in its own register.
//  5. Membrane: the old membrane forgets, current and bias are added, the
//     result narrowed; with Place after_integrate it forgets last. Where it decays
//     toward its input, decay and add are one operation. While the
//     refractory counter is above 0 it is then 0.
//  6. Fire: the membrane is compared with the threshold. Integrators, the
//     read-out layer of models that are read by membrane, never fire here. A
//     membrane that does not fire is compared with the negative threshold.
//     With Place after_test the membrane forgets now; the test stands.
//  7. Reset: a membrane that fired is reset, narrowed, and with ExtraSpikes
//     compared again, a spike each time; one that passed the negative test is
//     changed as NegReset says. A spike sets the refractory counter, and every
//     tick takes one from it, that of the spike included.
//  8. Counters: every neuron was updated once, every arriving spike read one
//     row, whether or not the engine did the work.
//
// Where Update is per_event, steps 3, 6 and 7 are done for each arriving spike,
// for each neuron ascending: add to the membrane, test, reset. At the end of the
// tick one leak event does forget, test, reset for every neuron. Where Held is
// set, integrators are tested like the rest, against Held (Arithmetic.Tests). A layer's
// spikes are then a list in the order of events, then neurons, with repeats, and
// that is the order in which the next layer takes them. The engines are done with
// the whole list of the one below before a layer hands on its own. A chip whose
// own queue hands on each spike at once gives every layer the same events in the
// same order, and so the same spikes and membranes: see fixedpoint.PerEvent, and
// package export/crossbar for the chip that does so.
// An update is counted for each neuron and event, and one for the leak event.
//
// A window is the ticks of one sample. It begins at rest: every state 0, no
// spike on its way. There is no carry from one window to the next.
//
// # Delay
//
// With zero delay a spike crosses all layers in the tick in which it was
// given; on most chips it crosses one boundary a tick. The two agree when the
// window of layer l is shifted by l ticks: run T+L−1 ticks, and layer l does in
// tick t+l what it does in tick t with zero delay. This needs a layer at rest
// without input to stay at rest, which fixedpoint.Model.StaysAtRest says: no bias
// or constant leak, no threshold, positive or negative, that 0 passes.
// Layer.Delay adds to both. Counters differ: the extra ticks are the chip's, and so are their updates.
//
// # Overflow
//
// An overflow is a result before narrowing that its register does not hold. It
// is data: counted a register and layer, and with Options.Strict the first of
// each window is kept for Err. The result stays what the chip would hold.
//
// # The engines
//
// [glsnn/emulator/reference] is the specification, dense and slow. [Engine] is
// event-driven: in a tick it reads the rows of the arriving spikes only. Its
// inner loops are those of emulator/simd: where fixedpoint's Bounds, or the
// weights of a tick's spikes, prove that no register overflows they add in plain
// 32 bits, elsewhere they narrow after every add. Steps 4 to 7 have two kernels: for
// decays before the input, one threshold and two resets; and where weights go straight
// into the membrane, for leaks, both thresholds and all resets. Layers that use other
// mechanisms take the exact path of any.go. Both satisfy [Machine]; emutest is the
// suite that both pass, and [Run] can step the two side by side.
//
// # What is modelled, what is not
//
// Modelled: every mode of fixedpoint.Arithmetic: stored weights with a shared
// exponent, the accumulation order, the widths, rounding and overflow of every
// state, decays and leaks and their place, biases, thresholds, resets and
// refractory periods, delays of whole ticks a layer, exact counts for each layer
// and each core.
//
// Learning on the chip is package emulator/learn's, on an engine made by
// [NewPlastic], whose weights may change between ticks.
//
// Not modelled: synaptic delays, graded spikes, stochastic leaks and thresholds,
// recurrent connections, more sums a neuron
// than one for each sign. Nor is anything that depends on where neurons are placed: queues,
// packet loss, congestion, sums that a chip splits over cores. Time and energy
// are not measured here; they are counts times targets.Cost. Ticks are algorithm
// steps, never milliseconds.
//
// Reading order: reference/engine.go, then [Machine], [Engine], kernel.go,
// any.go, [Run], [Watcher] with [Activity].
package emulator
