package targets

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"glsnn/fixedpoint"
)

// WriteText prints the chip for people: arithmetic, limits, fabric, costs with
// their sources. Nothing parses it.
func (c *Chip) WriteText(w io.Writer) error {
	var s strings.Builder
	fmt.Fprintf(&s, "%s: %s\n", c.Name, oneLine(c.Title))
	wrap(&s, c.Description)
	fmt.Fprintf(&s, "file %s, sha256 %s\n", c.File, c.SHA256)

	a, k, f := c.Arithmetic, c.Core, c.Fabric
	limit := func(key string, n int64, unit string) string {
		if reason, ok := c.Unknown[key]; ok {
			return "unknown: " + oneLine(reason)
		}
		return strings.TrimSpace(fmt.Sprintf("%d %s", n, unit))
	}
	if reason, ok := c.Unknown["arithmetic"]; ok {
		section(&s, "arithmetic", c.Origins.Arithmetic, [][2]string{{"unknown", oneLine(reason)}})
	} else {
		section(&s, "arithmetic", c.Origins.Arithmetic, arithmetic(a))
	}
	if len(c.Registers) > 0 {
		var rows [][2]string
		for _, name := range slices.Sorted(maps.Keys(c.Registers)) {
			lo, hi := c.Registers[name].limits()
			rows = append(rows, [2]string{name + " " + between(lo, hi), c.Registers[name].text(name, &a)})
		}
		section(&s, "registers", c.Origins.Arithmetic, rows)
	}

	neuron := "unknown: " + oneLine(k.NeuronBits.Reason)
	if k.NeuronBits.Value != nil {
		neuron = fmt.Sprintf("%d bits", *k.NeuronBits.Value)
	}
	l := k.SynapseLayout
	layout := "words of " + count(l.WordBits, "bit")
	if l.BlockSynapses > 0 {
		layout = fmt.Sprintf("blocks of %d synapses, %s", l.BlockSynapses, layout)
	}
	if l.BlockHeaderBits > 0 {
		layout += fmt.Sprintf(", %d header bits a block", l.BlockHeaderBits)
	}
	section(&s, "core", c.Origins.Core, [][2]string{
		{"neurons", limit("neurons", int64(k.Neurons), "")},
		{"in-axons", limit("axons_in", int64(k.AxonsIn), "")},
		{"out-axons", limit("axons_out", int64(k.AxonsOut), "")},
		{"synapse memory", limit("synapse_bits", k.SynapseBits, "bits")},
		{"stored weights", list(k.WeightBits) + " bits"},
		{"in-axon row", layout},
		{"neuron state", neuron},
	})

	delivery := "one message for each target core"
	if f.Multicast {
		delivery = "multicast"
	}
	if f.Unicast {
		delivery = "to one in-axon; a neuron is stored once for each that it feeds"
	}
	section(&s, "fabric", c.Origins.Fabric, [][2]string{
		{"mesh", fmt.Sprintf("%d x %d tiles of %s, %s", f.Width, f.Height, count(f.CoresPerTile, "core"), count(f.Chips, "chip"))},
		{"cores", fmt.Sprint(f.Cores())},
		{"layer delay", count(f.LayerDelay, "tick")},
		{"delivery", delivery},
	})

	learning := "no"
	if c.Learning.Supported {
		learning = "yes"
	}
	fmt.Fprintf(&s, "\ntables: %s", c.Tables.Format)
	if t := c.Tables; t.CompartmentProfiles > 0 {
		fmt.Fprintf(&s, ", at most %d compartment profiles, %d threshold profiles, %d synapse formats a core", t.CompartmentProfiles, t.ThresholdProfiles, t.SynapseFormats)
	}
	if c.Tables.Reason != "" {
		fmt.Fprintf(&s, ": %s", oneLine(c.Tables.Reason))
	}
	fmt.Fprintf(&s, "\nlearning on the chip: %s: %s\n", learning, oneLine(c.Learning.Reason))
	if r := c.Learning.Rule; r != nil {
		section(&s, "learning rule", r.Origin, [][2]string{
			{"updates", list(r.Modes)},
			{"rounding", list(r.Rounds)},
			{"errors come by", list(r.Feedbacks) + " weights"},
			{"window on", list(r.Windows)},
			{"bits", fmt.Sprintf("traces at most %d, errors %d, low bits of a weight %d", r.TraceBits, r.ErrorBits, r.LowBits)},
		})
		for _, l := range r.Lacks {
			fmt.Fprintf(&s, "  lacks: %s\n", oneLine(l))
		}
	} else if c.Learning.Supported {
		fmt.Fprint(&s, "learning rule: none of this project's\n")
	}

	fmt.Fprint(&s, "\ncosts\n")
	if c.Cost.Energy.SynOpAllIn {
		fmt.Fprint(&s, "  energy.synop_pj is all-in: nothing is added to it\n")
	}
	if c.Cost.Cycles.TickAllIn {
		fmt.Fprint(&s, "  cycles.tick_cycles is all-in: the same for every core and activity\n")
	}
	t := tabwriter.NewWriter(&s, 0, 0, 2, ' ', 0)
	row := func(name string, q Quantity) {
		value, span := "unknown", ""
		if q.Value != nil {
			value = show(*q.Value) + " " + q.Unit
		}
		if q.Low != nil && q.High != nil {
			span = show(*q.Low) + ".." + show(*q.High)
		}
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\n", name, value, span, q.Origin.text(q.Reason))
	}
	for _, q := range c.Cost.Quantities() {
		if strings.HasPrefix(q.Name, "cycles.clock") { // the barrier ends the times
			barrier := c.Cost.Time.BarrierNS
			if barrier.ByTiles == nil {
				row("time.barrier_ns", Quantity{Unit: barrier.Unit, Reason: barrier.Reason})
			}
			for _, step := range barrier.ByTiles {
				q, _ := barrier.At(step.Tiles)
				row("time.barrier_ns, from "+count(step.Tiles, "tile"), q)
			}
		}
		row(q.Name, q.Quantity)
	}
	for _, q := range c.Learning.Rule.quantities() {
		row(strings.TrimPrefix(q.Name, "learning.rule."), q.Quantity)
	}
	if err := t.Flush(); err != nil {
		return err
	}

	if len(c.Sources) > 0 {
		fmt.Fprint(&s, "\nsources\n")
	}
	for _, key := range slices.Sorted(maps.Keys(c.Sources)) {
		fmt.Fprintf(&s, "  [%s] %s\n", key, oneLine(c.Sources[key].Citation))
		if note := oneLine(c.Sources[key].Note); note != "" {
			fmt.Fprintf(&s, "      %s\n", note)
		}
	}
	if len(c.Checkers) > 0 {
		fmt.Fprint(&s, "\ncheckers\n")
	}
	for _, note := range c.Checkers {
		fmt.Fprintf(&s, "  %s\n", oneLine(note))
	}
	lines := strings.Split(s.String(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	_, err := io.WriteString(w, strings.Join(lines, "\n"))
	return err
}

func section(w io.Writer, title string, o Origin, rows [][2]string) {
	fmt.Fprintf(w, "\n%s (%s)\n", title, o.text(""))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		fmt.Fprintf(t, "  %s\t%s\n", r[0], r[1])
	}
	t.Flush() // into memory: cannot fail
}

// text is the provenance in one line, or why there is none.
func (o Origin) text(reason string) string {
	switch {
	case o.Basis == NoBasis:
		return oneLine(reason)
	case o.Source == "":
		return o.Basis.String()
	}
	return fmt.Sprintf("%s [%s] %s", o.Basis, o.Source, oneLine(o.At))
}

func arithmetic(a fixedpoint.Arithmetic) [][2]string {
	weight := fmt.Sprintf("%s x 2^(%d..%d)", fixedpoint.Format{Bits: a.Weight.Bits, Signed: a.Weight.Signed}, a.Weight.ExpMin, a.Weight.ExpMax)
	switch w := a.Weight; w.Kind {
	case fixedpoint.WeightInteger:
	case fixedpoint.WeightTypes:
		weight += fmt.Sprintf(", as %s, %d types with entries of %s", w.Kind, w.Types, count(w.TableBits, "bit"))
	default:
		weight += ", " + w.Kind.String()
	}
	sum := register(a.Sum)
	switch a.Integrate {
	case fixedpoint.IntegrateMembrane:
		sum = "none: straight into the membrane"
	case fixedpoint.IntegrateSplit:
		sum += " of mantissas, one for each sign of the weights"
	}
	bias := "none"
	if b := a.Bias; b.Present {
		bias = fmt.Sprintf("s%d x 2^(%d..%d), added in %s", b.Bits, b.ExpMin, b.ExpMax, register(b.Register))
	}
	hold := ""
	switch {
	case a.Held != 0 && a.Update == fixedpoint.PerEvent:
		hold = fmt.Sprintf("; %d for a read-out by membrane, which fires there too", a.Held)
	case a.Held != 0:
		hold = fmt.Sprintf("; %d for every neuron while the spikes of a tick arrive", a.Held)
	}
	fire := fmt.Sprintf("v %s threshold, reset %s", map[fixedpoint.Compare]string{fixedpoint.GT: ">", fixedpoint.GE: ">="}[a.Fire.When], list(a.Fire.Resets))
	if a.Fire.ResetValue.Bits > 0 {
		fire += fmt.Sprintf(", value in %s", a.Fire.ResetValue)
	}
	if a.Fire.ExtraSpikes > 0 {
		fire += fmt.Sprintf(", up to %d times a tick", 1+a.Fire.ExtraSpikes)
	}
	negative := "none"
	if n := a.Fire.Negative; n.When != fixedpoint.BelowNever {
		negative = fmt.Sprintf("v %s %d..%d, then %s", map[fixedpoint.Below]string{fixedpoint.LT: "<", fixedpoint.LE: "<="}[n.When], n.Min, n.Max, list(n.Resets))
		if n.Paired {
			negative += ", in the mode of the reset"
		}
	}
	rows := [][2]string{
		{"update", a.Update.String()},
		{"weight", weight},
		{"sum", sum},
		{"current u", state(a.Current)},
		{"bias", bias},
		{"membrane v", state(a.Membrane)},
		{"threshold", fmt.Sprintf("%s: %d..%d in steps of %d%s", a.Threshold, a.Threshold.Min(), a.Threshold.Max(), int64(1)<<a.Threshold.Exp, hold)},
		{"fire", fire},
		{"negative", negative},
		{"refractory", fmt.Sprintf("at most %s", count(a.Fire.RefractoryMax, "tick"))},
		{"axonal delay", fmt.Sprintf("at most %s", count(a.AxonDelayMax, "tick"))},
	}
	return rows
}

func register(r fixedpoint.Register) string {
	return fmt.Sprintf("%s %s", r.Format(), r.Overflow)
}

func state(s fixedpoint.State) string {
	if !s.Present {
		return "none"
	}
	text := register(s.Register)
	switch d := s.Decay; d.Kind {
	case fixedpoint.DecayNone:
		text += ", no decay"
	case fixedpoint.DecayMultiply:
		full := int64(1) << d.FracBits
		text += fmt.Sprintf(", decay x*(%d-d)/%d rounded %s, d %d..%d", full, full, d.Round, d.Min, d.Max)
	case fixedpoint.DecayTowardInput:
		full := int64(1) << d.FracBits
		text += fmt.Sprintf(", toward its input t: t - (t-x)*(%d-d)/%d rounded %s, d %d..%d", full, full, d.Round, d.Min, d.Max)
	default:
		text += fmt.Sprintf(", decay by %s, d %d..%d", d.Kind, d.Min, d.Max)
	}
	if s.Leak.Kind != fixedpoint.LeakNone {
		text += fmt.Sprintf(", leak %s %d..%d", s.Leak.Kind, s.Leak.Min, s.Leak.Max)
	}
	if s.Place != fixedpoint.BeforeIntegrate {
		text += ", " + s.Place.String()
	}
	return text
}

func list[T any](items []T) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(items), " ", ", "), "[]")
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// wrap writes s in lines of at most 80 columns.
func wrap(w *strings.Builder, s string) {
	n := 0
	for _, word := range strings.Fields(s) {
		switch {
		case n == 0:
		case n+1+len(word) > 80:
			w.WriteByte('\n')
			n = 0
		default:
			w.WriteByte(' ')
			n++
		}
		w.WriteString(word)
		n += len(word)
	}
	if n > 0 {
		w.WriteByte('\n')
	}
}
