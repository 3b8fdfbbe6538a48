package targets

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"glsnn/fixedpoint"
)

// maxCores bounds a fabric, and with it every CoreID.
const maxCores = 1 << 20

// checks are the invariants of a Chip. A check is skipped while one of the
// sections it needs could not be read; faults of fields that could not be read
// are dropped.
var checks = []struct {
	name  string
	needs []string
	run   func(*Chip, *faults)
}{
	{"1 name", nil, checkName},
	{"2 sources", nil, checkSources},
	{"3 arithmetic", nil, checkArithmetic},
	{"4 core limits", nil, checkCore},
	{"5 core limits agree", []string{"core", "arithmetic.weight"}, checkCoreAgrees},
	{"6 fabric", nil, checkFabric},
	{"7 origins", nil, checkOrigins},
	{"8 constants", nil, checkConstants},
	{"9 barrier", []string{"cost.time.barrier_ns"}, checkBarrier},
	{"10 all-in constants", []string{"cost.energy", "cost.cycles"}, checkAllIn},
	{"11 tables", []string{"tables"}, checkTables},
	{"11 unknown parts", nil, checkUnknown},
	{"12 registers", []string{"arithmetic"}, checkRegisters},
	{"13 learning", []string{"learning"}, checkLearning},
}

// Validate runs every check and gathers every fault, each a [FieldError].
func (c *Chip) Validate() error {
	path := c.File
	if path == "" {
		path = "target " + c.Name
	}
	return join(path, c.check(nil))
}

func (c *Chip) check(broken []string) []*FieldError {
	f := &faults{chip: c, broken: broken}
	for _, k := range checks {
		if !slices.ContainsFunc(k.needs, f.touches) {
			k.run(c, f)
		}
	}
	return f.list
}

// faults collects what checks find.
type faults struct {
	chip   *Chip
	broken []string
	list   []*FieldError
}

// touches says whether field, a part of it or what it is part of is broken.
func (f *faults) touches(field string) bool {
	return slices.ContainsFunc(f.broken, func(b string) bool { return within(b, field) || within(field, b) })
}

func within(field, of string) bool {
	rest, ok := strings.CutPrefix(field, of)
	return ok && (of == "" || rest == "" || rest[0] == '.' || rest[0] == '[')
}

func (f *faults) add(field, got, want string) {
	if f.touches(field) {
		return
	}
	path := f.chip.File
	if path == "" {
		path = "target " + f.chip.Name
	}
	f.list = append(f.list, &FieldError{Path: path, Line: f.chip.line(field), Field: field, Got: got, Want: want})
}

func (f *faults) between(field string, got, lo, hi int64) {
	if got < lo || got > hi {
		f.add(field, strconv.FormatInt(got, 10), fmt.Sprintf("%d..%d", lo, hi))
	}
}

// line is where a field stands, or the nearest section around it.
func (c *Chip) line(field string) int {
	for {
		if n, ok := c.lines[field]; ok || field == "" {
			return n
		}
		field = field[:max(0, strings.LastIndexAny(field, ".["))]
	}
}

func checkName(c *Chip, f *faults) {
	if !name.MatchString(c.Name) {
		f.add("name", strconv.Quote(clip(c.Name)), "a name of a-z, 0-9, _ and -")
	}
}

func checkSources(c *Chip, f *faults) {
	for key := range c.Sources {
		if !name.MatchString(key) {
			f.add("sources."+key, strconv.Quote(clip(key)), "a name of a-z, 0-9, _ and -")
		}
	}
	slices.SortFunc(f.list, func(a, b *FieldError) int { return strings.Compare(a.Field, b.Field) })
}

// checkUnknown: each part that is null has its reason, and nothing else has.
func checkUnknown(c *Chip, f *faults) {
	for _, key := range slices.Sorted(maps.Keys(c.Unknown)) {
		i := slices.IndexFunc(nullable, func(n struct{ key, field string }) bool { return n.key == key })
		if i < 0 {
			var keys []string
			for _, n := range nullable {
				keys = append(keys, n.key)
			}
			f.add("unknown."+key, "a reason for "+clip(key), "one of "+strings.Join(keys, ", "))
		} else if field := nullable[i].field; !c.zero(key) && !f.touches(field) {
			f.add("unknown."+key, "a reason beside a value", "one of the two")
		}
	}
	for _, n := range nullable {
		if _, ok := c.Unknown[n.key]; !ok && c.nulls[n.field] && !f.touches(n.field) {
			f.add("unknown."+n.key, "nothing", "why "+n.field+" is null")
		}
	}
}

// zero says whether a nullable part of c holds nothing.
func (c *Chip) zero(key string) bool {
	switch key {
	case "arithmetic":
		return c.Arithmetic.Equal(fixedpoint.Arithmetic{})
	case "neurons":
		return c.Core.Neurons == 0
	case "axons_in":
		return c.Core.AxonsIn == 0
	case "axons_out":
		return c.Core.AxonsOut == 0
	}
	return c.Core.SynapseBits == 0
}

// skip says whether a nullable part of c is null, with its reason or, which is
// checkUnknown's fault to find, without.
func (c *Chip) skip(key, field string) bool {
	_, ok := c.Unknown[key]
	return c.zero(key) && (ok || c.nulls[field])
}

func checkArithmetic(c *Chip, f *faults) {
	if c.skip("arithmetic", "arithmetic") || f.touches("arithmetic.update") || f.touches("arithmetic.integrate") {
		return
	}
	for _, err := range flatten(c.Arithmetic.Validate()) {
		field, msg := "arithmetic", err.Error()
		var r *fixedpoint.RangeError
		if errors.As(err, &r) {
			field, msg = below(field, r.Field), r.Msg
		}
		part, got, want := split(msg)
		if part != "" {
			field = below(field, part)
		}
		if from, ok := follows[field]; !ok || !f.touches(from) {
			f.add(field, got, want)
		}
	}
}

// follows are fields of the arithmetic whose faults may come from another field
// that could not be read.
var follows = map[string]string{
	"arithmetic.weight.types":     "arithmetic.weight.kind",
	"arithmetic.fire.reset_value": "arithmetic.membrane.register",
}

func checkCore(c *Chip, f *faults) {
	k := c.Core
	limit := func(key string, got, most int64) {
		if !c.skip(key, "core."+key) {
			f.between("core."+key, got, 1, most)
		}
	}
	limit("neurons", int64(k.Neurons), 1<<20)
	limit("axons_in", int64(k.AxonsIn), 1<<20)
	limit("axons_out", int64(k.AxonsOut), 1<<20)
	limit("synapse_bits", k.SynapseBits, 1<<40)
	f.between("core.synapse_layout.word_bits", int64(k.SynapseLayout.WordBits), 1, 4096)
	f.between("core.synapse_layout.block_synapses", int64(k.SynapseLayout.BlockSynapses), 0, 1<<20)
	f.between("core.synapse_layout.block_header_bits", int64(k.SynapseLayout.BlockHeaderBits), 0, 4096)
	if len(k.WeightBits) == 0 {
		f.add("core.weight_bits", "an empty list", "at least one width")
	}
	for i, w := range k.WeightBits {
		at := fmt.Sprintf("core.weight_bits[%d]", i)
		f.between(at, int64(w), 1, 16)
		if i > 0 && w <= k.WeightBits[i-1] {
			f.add(at, strconv.Itoa(w), fmt.Sprintf("more than the %d before it", k.WeightBits[i-1]))
		}
	}
	switch v := k.NeuronBits.Value; {
	case f.touches("core.neuron_bits"):
	case v != nil:
		f.between("core.neuron_bits.value", int64(*v), 1, 1<<16)
		if k.NeuronBits.Reason != "" {
			f.add("core.neuron_bits.reason", "a reason beside a value", "one of the two")
		}
	case k.NeuronBits.Reason == "":
		f.add("core.neuron_bits.reason", "nothing", "why the value is null")
	}
}

// checkCoreAgrees compares limits with each other, once each is possible.
func checkCoreAgrees(c *Chip, f *faults) {
	k := c.Core
	if c.skip("arithmetic", "arithmetic") {
		return
	}
	one := &faults{chip: c}
	if checkCore(c, one); len(one.list) > 0 {
		return
	}
	widest := slices.Max(k.WeightBits)
	if bits := c.Arithmetic.Weight.Bits; bits > widest {
		f.add("core.weight_bits", fmt.Sprintf("at most %d bits", widest), fmt.Sprintf("the %d of arithmetic.weight.bits", bits))
	}
	need := func(axons, neurons, bits int, what string) {
		if n, _, err := k.SynapseMemory(axons, neurons, bits); err == nil && n > k.SynapseBits && k.SynapseBits > 0 {
			f.add("core.synapse_bits", strconv.FormatInt(k.SynapseBits, 10), fmt.Sprintf("at least %d: %s", n, what))
		}
	}
	need(k.AxonsIn, 1, widest, fmt.Sprintf("a neuron fed by all %d in-axons with %d-bit weights", k.AxonsIn, widest))
	need(1, k.Neurons, k.WeightBits[0], fmt.Sprintf("an in-axon that reaches all %d neurons with %d-bit weights", k.Neurons, k.WeightBits[0]))
}

func checkFabric(c *Chip, f *faults) {
	sizes := []struct {
		key string
		n   int
	}{{"width", c.Fabric.Width}, {"height", c.Fabric.Height}, {"cores_per_tile", c.Fabric.CoresPerTile}, {"chips", c.Fabric.Chips}}
	cores, possible := int64(1), true
	for _, s := range sizes {
		f.between("fabric."+s.key, int64(s.n), 1, maxCores)
		possible = possible && s.n >= 1 && s.n <= maxCores
		if possible {
			cores = min(cores*int64(s.n), 2*maxCores) // at most 2^41 before the clip
		}
	}
	if possible && cores > maxCores {
		f.add("fabric", "too many cores", fmt.Sprintf("at most %d in all", maxCores))
	}
	if c.Fabric.Unicast && c.Fabric.Multicast {
		f.add("fabric.unicast", "true", "false beside multicast true")
	}
	f.between("fabric.layer_delay", int64(c.Fabric.LayerDelay), 0, 1) // what the engines can run
}

func checkOrigins(c *Chip, f *faults) {
	f.origin("origins.arithmetic", c.Origins.Arithmetic)
	f.origin("origins.core", c.Origins.Core)
	f.origin("origins.fabric", c.Origins.Fabric)
}

func (f *faults) origin(at string, o Origin) {
	switch {
	case o.Basis == NoBasis || int(o.Basis) >= len(basisNames):
		f.add(at+".basis", "nothing", "one of "+strings.Join(basisNames[1:], ", "))
	case o.Basis != Assumed && o.Source == "":
		f.add(at+".source", "nothing", fmt.Sprintf("a key of sources with basis %s", o.Basis))
	}
	if o.Source != "" {
		if _, ok := f.chip.Sources[o.Source]; !ok && !f.touches("sources."+o.Source) {
			f.add(at+".source", strconv.Quote(clip(o.Source)), "a key of sources")
		}
		if o.At == "" {
			f.add(at+".at", "nothing", "the place in the source")
		}
	} else if o.At != "" && (o.Basis == Assumed || o.Basis == NoBasis) {
		f.add(at+".source", "nothing", "the source that at is a place in")
	}
}

// known checks what stands beside a value, unknown what stands beside a null.
func (f *faults) known(at string, o Origin, reason string) {
	f.origin(at, o)
	if reason != "" {
		f.add(at+".reason", "a reason beside a value", "one of the two")
	}
}

func (f *faults) unknown(at string, o Origin, reason string) {
	if reason == "" {
		f.add(at+".reason", "nothing", "why the value is null")
	}
	for _, e := range []struct {
		key string
		set bool
	}{{"basis", o.Basis != NoBasis}, {"source", o.Source != ""}, {"at", o.At != ""}} {
		if e.set {
			f.add(at+"."+e.key, "it beside a null", "a reason only")
		}
	}
}

func checkConstants(c *Chip, f *faults) {
	c.Cost.each(func(name string, q *Quantity, optional bool) {
		if at := "cost." + name; optional && q.Absent() && c.lines[at] > 0 && !f.touches(at) {
			f.unknown(at, q.Origin, q.Reason)
		}
	})
	constants := c.Cost.Quantities()
	for i := range constants {
		constants[i].Name = "cost." + constants[i].Name
	}
	for _, q := range append(constants, c.Learning.Rule.quantities()...) {
		at := q.Name
		if f.touches(at) {
			if q.Basis != NoBasis {
				f.origin(at, q.Origin)
			}
			continue
		}
		if q.Value == nil {
			f.unknown(at, q.Origin, q.Reason)
			if q.Low != nil || q.High != nil {
				f.add(at, "a range beside a null", "a reason only")
			}
			continue
		}
		f.known(at, q.Origin, q.Reason)
		f.number(at, "value", *q.Value, q.Low, q.High)
		if rate := q.Unit == "1/cycle" || q.Unit == "MHz"; rate && *q.Value == 0 {
			f.add(at+".value", "0", "more than 0")
		}
	}
}

// number checks low ≤ value ≤ high, all finite and at least 0.
func (f *faults) number(at, key string, value float64, low, high *float64) {
	bad := false
	one := func(key string, v float64) {
		if !(v >= 0 && v <= 1e12) {
			f.add(at+"."+key, show(v), "0..1e12")
			bad = true
		}
	}
	one(key, value)
	if low != nil {
		one("low", *low)
	}
	if high != nil {
		one("high", *high)
	}
	switch {
	case low == nil && high == nil || bad:
	case low == nil:
		f.add(at+".low", "nothing", "both ends of the range, or none")
	case high == nil:
		f.add(at+".high", "nothing", "both ends of the range, or none")
	case *low > *high:
		f.add(at+".low", show(*low), "at most the high of "+show(*high))
	case *low > value || value > *high:
		f.add(at+"."+key, show(value), fmt.Sprintf("a value of its range %s..%s", show(*low), show(*high)))
	}
}

func show(v float64) string {
	if math.Abs(v) >= 1e-3 && math.Abs(v) < 1e9 {
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

func checkBarrier(c *Chip, f *faults) {
	const at = "cost.time.barrier_ns"
	b := c.Cost.Time.BarrierNS
	if b.ByTiles == nil {
		f.unknown(at, b.Origin, b.Reason)
		return
	}
	f.known(at, b.Origin, b.Reason)
	if len(b.ByTiles) == 0 {
		f.add(at+".by_tiles", "an empty list", "a step from 1 tile on")
	}
	for i, s := range b.ByTiles {
		step := fmt.Sprintf("%s.by_tiles[%d]", at, i)
		f.number(step, "ns", s.NS, s.Low, s.High)
		switch {
		case i == 0 && s.Tiles != 1:
			f.add(step+".tiles", strconv.Itoa(s.Tiles), "1 in the first step")
		case i > 0 && s.Tiles <= b.ByTiles[i-1].Tiles:
			f.add(step+".tiles", strconv.Itoa(s.Tiles), fmt.Sprintf("more than the %d before it", b.ByTiles[i-1].Tiles))
		}
	}
}

// checkAllIn: a constant that has the rest of its ledger inside stands alone
// (but for the clock, which is no count of cycles).
func checkAllIn(c *Chip, f *faults) {
	for _, all := range []struct {
		set       bool
		flag, key string
	}{
		{c.Cost.Energy.SynOpAllIn, "synop_all_in", "energy.synop_pj"},
		{c.Cost.Cycles.TickAllIn, "tick_all_in", "cycles.tick_cycles"},
		{c.Cost.Time.TickNS.Value != nil, "tick_ns", "time.tick_ns"},
	} {
		ledger, key, _ := strings.Cut(all.key, ".")
		for _, q := range c.Cost.Quantities() {
			switch {
			case !all.set || q.Name == "cycles.clock_mhz":
			case q.Name == all.key:
				if q.Value == nil {
					f.add("cost."+q.Name+".value", "null", "a number, since "+all.flag+" is true")
				}
			case strings.HasPrefix(q.Name, ledger+".") && q.Value != nil && q.Name != "time.tick_ns":
				f.add("cost."+q.Name+".value", show(*q.Value), fmt.Sprintf("null: %s says that it is inside %s", all.flag, key))
			}
		}
	}
}

// ruleNames are the words of the rule's parts; package emulator/learn has them as
// constants, and its tests hold the two together.
var ruleNames = map[string][]string{
	"modes":     {"per_sample", "per_event"},
	"rounds":    {"carry", "stochastic", "nearest"},
	"feedbacks": {"output", "random"},
	"windows":   {"drive", "count", "none"},
}

func checkLearning(c *Chip, f *faults) {
	r := c.Learning.Rule
	if r == nil {
		return
	}
	if !c.Learning.Supported {
		f.add("learning.rule", "a rule with supported false", "none")
	}
	for _, part := range []struct {
		name string
		have []string
	}{{"modes", r.Modes}, {"rounds", r.Rounds}, {"feedbacks", r.Feedbacks}, {"windows", r.Windows}} {
		at := "learning.rule." + part.name
		if len(part.have) == 0 {
			f.add(at, "an empty list", "one or more of "+strings.Join(ruleNames[part.name], ", "))
		}
		for i, n := range part.have {
			if !slices.Contains(ruleNames[part.name], n) || slices.Contains(part.have[:i], n) {
				f.add(fmt.Sprintf("%s[%d]", at, i), strconv.Quote(clip(n)), "one of "+strings.Join(ruleNames[part.name], ", ")+", once")
			}
		}
	}
	for _, n := range []struct {
		name        string
		got, lo, hi int
	}{{"trace_bits", r.TraceBits, 1, 16}, {"error_bits", r.ErrorBits, 2, 16}, {"low_bits", r.LowBits, 0, 14}} {
		if n.got < n.lo || n.got > n.hi {
			f.add("learning.rule."+n.name, strconv.Itoa(n.got), fmt.Sprintf("%d..%d", n.lo, n.hi))
		}
	}
	f.origin("learning.rule.origin", r.Origin)
}
