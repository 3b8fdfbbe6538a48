// Package learn is learning on the chip: the rule of [zhao2020] in integers,
// one sample at a time, with nothing but what a core has at hand. No float is
// on the path and every bit is defined here; this comment is the specification,
// package learn/reference its executable form, and [Learner] the fast one. The
// two are equal after every sample in weights, traces, residuals, random state
// and counters.
//
// # Words
//
// A network has layers 0..L−1; layer L−1 is the output. Index j is presynaptic
// (an in-axon of the layer), i postsynaptic, k an output neuron, T the window in
// ticks, c the label. Sat(x, b) is x clipped to a signed number of b bits
// (fixedpoint.Narrow, saturate), SatU to an unsigned one. Shifts of signed
// numbers are those of fixedpoint.ShiftRound with the mode named.
//
// # What a chip holds
//
//	quantity            where                 format
//	x  pre-trace        input and hidden      Trace.Bits, unsigned, saturates
//	d  drive            hidden neuron         Window.Bits, signed, saturates (state drive)
//	n  spike count      hidden neuron         the emulator's own (state count)
//	e  error            output neuron         Error.Bits, signed, saturates symmetrically
//	B  feedback weight  [k][i] a hidden layer Feedback.Bits, signed, never written
//	a  error accumulator hidden neuron        Acc.Bits, signed, saturates
//	g  modulator        hidden neuron         Acc.Modulator bits, signed, saturates symmetrically; g = e for outputs
//	w  stored weight    synapse               WeightBits + Low bits, signed, saturates
//	r  residual         neuron                shift bits, unsigned (Round carry only)
//	s  random register  one a chip            Random.Bits (Round stochastic only)
//	m  samples so far   one a chip            counts samples, learned from or not
//
// What the network computes with is W = floor(w / 2^Low): the chip's weight of
// WeightBits bits. With Low 0 they are the same, and that is the plain 8-bit
// chip. With Low above 0 each synapse has as many more bits, which only learning
// reads; [Rule.Memory] counts them.
//
// # The phases of a sample
//
//	P0 clear     every x, d, a is 0; the machine is reset. w, r, s, m stay.
//
//	P1 forward   T ticks as in package emulator (as many more as its layers
//	             and axons delay). At the end of each tick, for each layer, once
//	             for each in-axon j:
//	               x = Decay(x);  for each spike of j in this tick: x = SatU(x + Impulse)
//	             and for each hidden neuron i:  d = Sat(d + u), u of step 4.
//	             The spikes of a neuron are counted where it fired, so the trace
//	             of an axon is that of its neuron.
//
//	P2 error     For each output neuron, from its score o (the membrane after the
//	             last tick, or its spike count):
//	               k = c:  z = min(0, o − High)
//	               k ≠ c:  z = max(0, o − Low)
//	               e = Sat(z / 2^Shift toward zero)        (z · 2^−Shift if Shift < 0)
//	             So an output is content once it is on its side of the band: High
//	             and Low are the dead zone. Each output looks at itself and at one
//	             bit from the teacher; nothing is compared between neurons. Where
//	             every e is 0, P3 and P4 do nothing, and nothing is drawn.
//
//	P3 feedback  (per_sample) For each output k with e ≠ 0, ascending, one event
//	             with payload e, and for each hidden layer ascending, neurons ascending:
//	               a = Sat(a + e · B[k][i] · 2^Exp)
//	             With Feedback.Source output, layer L−2 has W[i][k] of layer L−1 in
//	             place of B, as it stands before this sample's update (eq. 5; the chip
//	             reads its own output weights backward). Then, where the window holds,
//	               g = Sat(a / 2^Acc.Shift, half away from zero), else g = 0
//
//	P4 update    (per_sample) For each layer ascending, for each axon j with
//	             x > 0 ascending, for each neuron i with g ≠ 0 ascending:
//	               w = Sat(w + Round(−x·g / 2^(shift − Low)))
//
//	P5 count     m = m + 1
//
// The window holds for hidden neuron i where WindowLo ≤ d ≤ WindowHi, or the
// same of n, or always (state none). It is a comparison of the neuron's own
// register with two constants.
//
// e, g and x are local to the synapse's two ends: three factors, as in Loihi's
// sum-of-products rule and in ReckOn's.
//
// # Step size
//
// shift of a layer is Layers[l].Shift + min(DropMost, m / DropEvery), floor; the
// step falls by halves. DropEvery 0 is never. Per event, where feedback weights are not
// shifted on their own, that of a hidden layer is larger by Acc.Shift.
//
// # Round
//
//	nearest      ShiftRound half up. Small updates vanish.
//	stochastic   RoundStochastic with one draw of shift − Low bits from the random
//	             register, one for each (j, i) of P4 in its order, none if shift = Low.
//	carry        y = −x·g + r;  the update is floor(y / 2^(shift−Low)) and r is the
//	             rest, y mod 2^(shift−Low): what is cut off is added to the same
//	             neuron's next synapse. No random numbers, and one residual a neuron
//	             in place of low bits a synapse: what a neuron's weights change in
//	             sum is exact, and neighbouring inputs, which are alike, share it.
//	             r begins at 0 and keeps its value when the step falls.
//
// # Per event
//
// In mode per_event errors are spikes, for chips that send nothing else: output k
// has two error neurons, one for each sign. P3 and P4 are replaced by feedback
// ticks f = 0, 1, …, in each of which the neurons with |e| > f spike once, until
// none does. For each of them, ascending k, with σ the sign of e:
//
//	for each hidden layer ascending:  g = σ·B[k][i]·2^Exp where the window holds, else 0
//	                                  (with source output, W[i][k] as it stands for layer L−2);
//	                                  P4 for this layer
//	then for layer L−1:               g = σ for neuron k, 0 for the others; P4
//
// There are no accumulators. At the end of each feedback tick every x decays;
// they decay in P1 too, so that what came early in the window counts less. One
// sample learns by many small updates, each with its own draws.
//
// # Starting weights and feedback weights
//
// [Fresh] draws starting weights, [NewFeedback] draws B; both from registers of
// kind Rule.Random of their own, in the order of the tables. So all that a chip
// needs to begin is its seeds.
//
// # What is left out
//
// Learning of thresholds, delays and decays; recurrent and convolutional layers;
// more than one sample at a time. Weights that must keep one sign a row
// (sign_by_axon) are refused.
//
// References: [zhao2020] Zhao, Zeng, Zhang, Shi, Zhao, Frontiers in Computational
// Neuroscience 14:576841, 2020. [davies2018] Davies et al., IEEE Micro 38(1),
// 2018. [gupta2015] Gupta, Agrawal, Gopalakrishnan, Narayanan, "Deep Learning with
// Limited Numerical Precision", ICML 2015 (stochastic rounding). [frenkel2022]
// Frenkel, Indiveri, "ReckOn", ISSCC 2022.
//
// Reading order: [Rule], reference/learner.go, [Learner], [Counters].
package learn
