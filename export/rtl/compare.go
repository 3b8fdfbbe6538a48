package rtl

import "fmt"

// Result is a comparison of a log with what the emulator says.
type Result struct {
	Samples    int    `json:"samples"`
	Mismatches int    `json:"mismatches"` // samples that differ
	First      string `json:"first,omitempty"`
	Spikes     int    `json:"spikes"`
	Membranes  int    `json:"membranes"`
	Cycles     uint64 `json:"cycles"`     // clock cycles of all samples, without those of SPI; 0 without RTL
	SPICycles  uint64 `json:"spi_cycles"` // and those of SPI
}

// Add compares one more sample: every spike, in order, every state that either
// has, and the final membranes; not the cycles, which are added up.
func (r *Result) Add(got, want SampleLog) {
	if first := got.differ(want); first != "" {
		if r.Mismatches++; r.First == "" {
			r.First = fmt.Sprintf("sample %d: %s", r.Samples, first)
		}
	}
	r.Samples++
	r.Spikes += len(want.Spikes)
	for _, s := range want.States {
		r.Membranes += len(s.Membranes)
	}
	if len(want.States) == 0 {
		r.Membranes += len(want.Membranes)
	}
	r.Cycles += got.Cycles
}

func (s SampleLog) differ(want SampleLog) string {
	for k := range max(len(s.Spikes), len(want.Spikes)) {
		if g, w := at(s.Spikes, k), at(want.Spikes, k); g != w {
			return fmt.Sprintf("spike %d: got %s, want %s", k, g, w)
		}
	}
	for k := range max(len(s.States), len(want.States)) {
		if k >= len(s.States) || k >= len(want.States) || s.States[k].Tick != want.States[k].Tick {
			return fmt.Sprintf("states: got %d, want %d", len(s.States), len(want.States))
		}
		if d := differ(s.States[k].Membranes, want.States[k].Membranes); d != "" {
			return fmt.Sprintf("tick %d: %s", want.States[k].Tick, d)
		}
	}
	return differ(s.Membranes, want.Membranes)
}

func at(s []SpikeLog, k int) string {
	if k >= len(s) {
		return "none"
	}
	return fmt.Sprintf("neuron %d in tick %d", s[k].Neuron, s[k].Tick)
}

func differ(got, want []int) string {
	if len(got) != len(want) {
		return fmt.Sprintf("membranes: got %d, want %d", len(got), len(want))
	}
	for j := range got {
		if got[j] != want[j] {
			return fmt.Sprintf("membrane of neuron %d: got %d, want %d", j, got[j], want[j])
		}
	}
	return ""
}
