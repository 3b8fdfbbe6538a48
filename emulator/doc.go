// Package emulator is the chip in integers: it runs a fixedpoint.Model tick by
// tick, to the last bit of the model's Arithmetic, and counts what the chip
// does meanwhile.
//
// # The order of a tick
//
// Code and tests cite these numbers; fixedpoint.Arithmetic gives the formulas
// of 3 to 7.
//
//  1. The input spikes of tick t are taken, ascending axon.
//     Then, for each layer from the first to the last:
//  2. The spikes that arrive are those of the layer below: of this tick, or of
//     the tick before where Options.Delay is set; the input spikes for layer 0,
//     in both cases. Ascending neuron.
//  3. Integrate: each neuron's sum starts at 0 and takes the weights of the
//     arriving spikes one after another, narrowed at every add. Saturating
//     sums depend on this order.
//  4. Current: the old current decays, the sum is added, the result narrowed.
//     Without a synaptic current it is the sum.
//  5. Membrane: the old membrane decays, the current is added, the result
//     narrowed.
//  6. Fire: the membrane is compared with the threshold. Integrators, the
//     read-out layer of models that are read by membrane, never fire.
//  7. Reset: a membrane that fired goes to zero, or loses the threshold.
//  8. Counters: every neuron was updated once, every arriving spike read one
//     row, whether or not the engine did the work.
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
// without input to stay at rest, that is no neuron with ≥ and threshold 0.
// Counters differ: the extra ticks are the chip's, and so are their updates.
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
// event-driven: in a tick it reads the rows of the arriving spikes only, and
// where fixedpoint's Bounds prove that no register overflows it adds in plain
// int32. Both satisfy [Machine]; emutest is the suite that both pass, and
// [Run] can step the two side by side.
//
// # What is modelled, what is not
//
// Modelled: stored weights with a shared exponent, the accumulation order, the
// widths, rounding and overflow of every state, threshold and reset, delays of
// one tick a layer, exact counts for each layer and each core.
//
// Not modelled: leaks that subtract, biases, refractory periods, axonal and
// synaptic delays beyond one tick, graded spikes, stochastic rounding and
// thresholds, learning on the chip, recurrent connections. Nor is anything
// that depends on where neurons are placed: queues, packet loss, congestion,
// sums that a chip splits over cores. Time and energy are not measured here;
// they are counts times targets.Cost. Ticks are algorithm steps, never
// milliseconds.
//
// Reading order: reference/engine.go, then [Machine], [Engine], kernel.go,
// [Run].
package emulator
