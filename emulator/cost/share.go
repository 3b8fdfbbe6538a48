package cost

import (
	"maps"
	"slices"

	"glsnn/emulator"
	"glsnn/targets"
)

// Component is what part of a chip takes of a sample's energy.
type Component struct {
	Name string  `json:"component"`
	PJ   float64 `json:"pj"`
}

// components name each constant's.
var components = map[string]string{
	"synop_pj": "synapses", "neuron_access_pj": "neuron access", "neuron_update_pj": "neuron updates", "spike_out_pj": "spikes",
	"axon_in_pj": "messages in", "axon_out_pj": "messages out", "hop_x_pj": "hops", "hop_y_pj": "hops", "router_pj": "routers",
	"barrier_pj": "barrier", "memory_bit_pj": "memory", "static_mw": "static", "static_tile_mw": "static",
}

// CoreEnergy is what one core takes; what no core takes, barrier, memory and static
// power, is in no core's.
type CoreEnergy struct {
	Core       targets.CoreID `json:"core"`
	Layer      int            `json:"layer"` // -1: several
	PJ         float64        `json:"pj"`
	Components []Component    `json:"components"`
}

// share splits the energy by component and by core.
func (e *Estimate) share(c emulator.Counters, chip *targets.Chip, p Placed) {
	if e.EnergyPJ == nil {
		return
	}
	for _, part := range e.Parts {
		if part.Ledger == "energy" {
			e.Components = addTo(e.Components, components[part.Constant], part.Total)
		}
	}
	n, q := float64(c.Samples), chip.Cost.Energy
	for _, id := range slices.Sorted(maps.Keys(p.Neurons)) {
		k := c.Cores[id]
		core := CoreEnergy{Core: id, Layer: -1}
		if l, ok := p.Layer[id]; ok {
			core.Layer = l
		}
		spikes := float64(k.Spikes) / n
		sent, x, y := spikes*float64(p.Sends[id]), spikes*float64(p.Links[id][0]), spikes*float64(p.Links[id][1])
		for _, s := range []struct {
			constant string
			count    float64
			targets.Quantity
		}{
			{"synop_pj", p.synops(id, k, float64(c.InputSpikes)) / n, q.SynOpPJ},
			{"neuron_access_pj", float64(k.Updates) / n, q.NeuronAccessPJ},
			{"neuron_update_pj", float64(k.Updates) / n, q.NeuronUpdatePJ},
			{"spike_out_pj", spikes, q.SpikeOutPJ},
			{"axon_in_pj", p.arriving(float64(k.Events)/n, e.Counts.InputSpikes), q.AxonInPJ},
			{"axon_out_pj", sent, q.AxonOutPJ},
			{"hop_x_pj", x, q.HopXPJ},
			{"hop_y_pj", y, q.HopYPJ},
			{"router_pj", sent + x + y, q.RouterPJ},
		} {
			if v, ok := s.Get(); ok && (s.constant == "synop_pj" || !q.SynOpAllIn) {
				core.PJ += s.count * v
				core.Components = addTo(core.Components, components[s.constant], s.count*v)
			}
		}
		e.Cores = append(e.Cores, core)
	}
}

func addTo(list []Component, name string, pj float64) []Component {
	for i := range list {
		if list[i].Name == name {
			list[i].PJ += pj
			return list
		}
	}
	return append(list, Component{name, pj})
}
