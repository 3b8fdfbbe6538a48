package float

import (
	"fmt"
	"slices"
	"strings"

	"glsnn/float/simd"
)

// Rule names a way to tell hidden layers what to change: given the S of all layers
// and the output error, the S - target of each hidden layer that eq. 7 learns
// from. Forward pass, window condition and step are the same for all of them.
type Rule string

const (
	GLSNN Rule = "glsnn" // eqs 5 and 6 [zhao2020]
	BP    Rule = "bp"    // backpropagation through the window [rumelhart1986]
	RFA   Rule = "rfa"   // random feedback alignment [lillicrap2016]
	DFA   Rule = "dfa"   // direct feedback alignment [nokland2016]
	DTP   Rule = "dtp"   // difference target propagation [lee2015]
	LRAE  Rule = "lra-e" // error-driven local representation alignment [ororbia2019]
)

// Rules lists every rule.
func Rules() []Rule { return []Rule{GLSNN, BP, RFA, DFA, DTP, LRAE} }

// ParseRule reads a rule's name.
func ParseRule(s string) (Rule, error) {
	if slices.Contains(Rules(), Rule(s)) {
		return Rule(s), nil
	}
	return "", fmt.Errorf("rule: got %q, want one of %s", s, RuleNames())
}

// RuleNames is the list for messages.
func RuleNames() string {
	var names []string
	for _, r := range Rules() {
		names = append(names, string(r))
	}
	return strings.Join(names, ", ")
}

// credit is a rule at work in one run.
// Between the steps of an epoch Network.Weights are up to date in the output layer
// only; a rule that reads others is one that sharesRows knows.
type credit interface {
	// prepare comes before each batch, when weights have changed.
	prepare()
	// hidden writes S - target of hidden layer l to b.change[l]. Layers come from
	// the top down, and b.change of those above has had its window applied. st is
	// the sample's state, nil in paper mode. Calls for several samples run at once.
	hidden(st *State, b *sampleBuffers, l int)
	// learned are weights of the rule's own that move with every batch.
	learned() []*plastic
}

// newCredit starts tc's rule on n. The hidden layers that it serves are numbered
// tc.Frozen..n.Layers()-2.
func newCredit(n *Network, tc TrainConfig) credit {
	switch tc.Rule {
	case BP:
		return newBackprop(n)
	case RFA:
		return newAlignment(n, tc)
	case DFA:
		return newDirect(n, tc)
	case DTP:
		return newTargets(n, tc)
	case LRAE:
		return newRepresentation(n, tc)
	}
	return &globalFeedback{newFeedback(n.Config, tc, n.Layers()-2), newOutputFeedback(n, tc)}
}

// still is a rule without weights of its own and without preparation.
type still struct{}

func (still) prepare()            {}
func (still) learned() []*plastic { return nil }

// plastic is a matrix [in][out] that moves as eqs 7 and 8 say: by the mean over
// the batch of pre times change.
type plastic struct {
	in, out int
	w       []float32 // rows stride apart
	stride  int
	m, s    []float32 // Adam's moments, nil with SGD
	change  []float32 // [batch][out]
	pre     func(*sampleBuffers) []float32
	seen    []float32                  // [in][out], 0 for weights that stay 0, else 1; nil: none do
	still   []bool                     // rows that no sample has moved: with Adam's moments at 0 they stay
	after   func(row []float32, i int) // of each row, when it has moved; may be nil
}

// of is a sample's row of change.
func (p *plastic) of(b *sampleBuffers) []float32 { return p.change[b.index*p.out:][:p.out] }

// newPlastic is a rule's own matrix, which learns by tc's optimiser.
func newPlastic(w []float32, in, out int, tc TrainConfig, pre func(*sampleBuffers) []float32) *plastic {
	p := &plastic{in: in, out: out, w: w, stride: out, pre: pre}
	if tc.Optimiser == Adam {
		p.m, p.s = make([]float32, len(w)), make([]float32, len(w))
	}
	return p
}

// fanDown writes the sum over k of x[k] times row k of m to dst, m being
// [len(x)][len(dst)]. b lends its scratch.
func (b *sampleBuffers) fanDown(dst, m, x []float32) {
	rows, by := b.rows[:0], b.by[:0]
	for k, v := range x {
		if v != 0 {
			rows, by = append(rows, int32(k)), append(by, v)
		}
	}
	simd.ScaledRows(dst, m, len(dst), rows, by)
}

// window is the range of the mean drive in which a neuron's S is taken to follow
// it; wide is false if there is none.
func (c TrainConfig) window() (lo, hi float32, bounded bool) {
	return float32(-c.Window) * Threshold, float32(1+c.Window) * Threshold, c.Window >= 0
}

// clip is x held within the window.
func (c TrainConfig) clip(x float32) float32 {
	lo, hi, bounded := c.window()
	if !bounded {
		return x
	}
	return min(max(x, lo), hi)
}
