package cost

import (
	"fmt"

	"glsnn/emulator/learn"
	"glsnn/targets"
)

// LearnEstimate is per sample of a chip that learns, averaged over the samples
// counted, those without an error included: the forward run and what learning
// adds. Energy, Time and Cycles are nil, with a reason, where a constant that
// dominates them is not known.
type LearnEstimate struct {
	Forward      *Estimate `json:"forward"`
	Samples      uint64    `json:"samples"`
	Learned      float64   `json:"learned"` // share of the samples that had an error
	EnergyPJ     *float64  `json:"energy_pj"`
	EnergyReason string    `json:"energy_reason,omitempty"`
	EnergyRange  []Range   `json:"energy_range_pj,omitempty"`
	TimeNS       *float64  `json:"time_ns"`
	TimeReason   string    `json:"time_reason,omitempty"`
	Cycles       *float64  `json:"cycles"`
	CyclesReason string    `json:"cycles_reason,omitempty"`
	Parts        []Part    `json:"parts"`   // what learning adds
	Missing      []string  `json:"missing"` // what is in no sum
	Lacking      []string  `json:"lacking"` // parts of the rule that the target's learning engine does not have
}

// NewLearn estimates a learned sample. c counts the learning, forward is the same
// network's run without, cores how many cores each layer's neurons are on.
func NewLearn(c learn.Counters, forward *Estimate, chip *targets.Chip, rule learn.Rule, cores []int) (*LearnEstimate, error) {
	if c.Samples == 0 {
		return nil, fmt.Errorf("estimate: got counters of no samples, want at least one")
	}
	n := float64(c.Samples)
	e := &LearnEstimate{Forward: forward, Samples: c.Samples, Learned: float64(c.Learned) / n, Lacking: []string{}}
	none := func(reason string) (*LearnEstimate, error) {
		e.EnergyReason, e.TimeReason, e.CyclesReason, e.Parts, e.Missing = reason, reason, reason, []Part{}, []string{}
		return e, nil
	}
	r := chip.Learning.Rule
	if r == nil {
		return none(fmt.Sprintf("target %s does not learn by this rule: %s", chip.Name, chip.Learning.Reason))
	}
	e.Lacking = append(e.Lacking, r.Lacking(string(rule.Mode), string(rule.Round), string(rule.Feedback.Source), string(rule.Window.State), rule.Trace.Bits, max(rule.Error.Bits, rule.Acc.Modulator), rule.Low)...)
	sums := &Estimate{Missing: []string{"energy, time: traces, drives, error neurons and random draws: no target gives a constant for them alone"}}
	t := c.Totals()
	reads := float64(t.Reads) / n
	if _, ok := r.UpdatePJ.Get(); !ok || forward.EnergyPJ == nil {
		e.EnergyReason = "learning.rule.update_pj: " + r.UpdatePJ.Reason
		if ok {
			e.EnergyReason = forward.EnergyReason
		}
	} else {
		spread := Range{*forward.EnergyPJ, *forward.EnergyPJ}
		if len(forward.EnergyRange) > 0 {
			spread = forward.EnergyRange[0]
		}
		sum := *forward.EnergyPJ
		sum += sums.add("energy", "learning.rule.update_pj", reads, r.UpdatePJ, &spread)
		sum += sums.add("energy", "synop_pj", float64(c.FeedbackSynOps)/n, chip.Cost.Energy.SynOpPJ, &spread)
		e.EnergyPJ = &sum
		if spread.Low != spread.High {
			e.EnergyRange = []Range{spread}
		}
	}
	// Cores update their own synapses side by side; a layer's are spread evenly.
	busiest := 0.0
	for l, k := range c.Layers {
		busiest = max(busiest, float64(k.Reads)/n/float64(max(1, cores[l])))
	}
	if _, ok := r.UpdateNS.Get(); ok && forward.TimeNS != nil {
		sum := *forward.TimeNS + sums.add("time", "learning.rule.update_ns", busiest, r.UpdateNS, &Range{})
		e.TimeNS = &sum
	} else if e.TimeReason = "learning.rule.update_ns: " + r.UpdateNS.Reason; ok {
		e.TimeReason = forward.TimeReason
	}
	if q, ok := r.UpdatesPerCycle.Get(); ok && forward.Cycles != nil {
		cycles := busiest / q
		sums.Parts = append(sums.Parts, Part{"cycles", "learning.rule.updates_per_cycle", busiest, 1 / q, cycles, r.UpdatesPerCycle.Basis, r.UpdatesPerCycle.Source, r.UpdatesPerCycle.At})
		sum := *forward.Cycles + cycles
		e.Cycles = &sum
	} else if e.CyclesReason = "learning.rule.updates_per_cycle: " + r.UpdatesPerCycle.Reason; ok {
		e.CyclesReason = forward.CyclesReason
	}
	e.Parts, e.Missing = sums.Parts, sums.Missing
	if e.Parts == nil {
		e.Parts = []Part{}
	}
	return e, nil
}
