package main

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"glsnn/emulator/cost"
)

// comparison is one figure from elsewhere beside the estimate's, in the unit that
// was given.
type comparison struct {
	Component string   `json:"component"`
	Unit      string   `json:"unit"`
	Given     float64  `json:"given"`
	Estimated *float64 `json:"estimated"` // null: not known on this target
	Ratio     *float64 `json:"ratio"`     // estimated over given
}

// unitScales are the units of each kind of figure, in those of the estimate.
var unitScales = map[string]struct {
	kind  string
	scale float64
}{
	"pJ": {"energy", 1}, "nJ": {"energy", 1e3}, "uJ": {"energy", 1e6}, "mJ": {"energy", 1e9}, "J": {"energy", 1e12},
	"ns": {"time", 1}, "us": {"time", 1e3}, "ms": {"time", 1e6}, "s": {"time", 1e9},
	"cycles": {"cycles", 1}, "": {"count", 1},
}

// against reads figures and finds what the estimate has for each.
func against(path string, e *cost.Estimate) ([]comparison, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	const header = "component,value,unit"
	in := csv.NewReader(f)
	in.FieldsPerRecord = 3
	in.Comment = '#'
	var out []comparison
	for first := true; ; first = false {
		rec, err := in.Read()
		if errors.Is(err, io.EOF) && !first {
			if len(out) == 0 {
				return nil, usage("--against %s: got no figures, want at least one line after the header", path)
			}
			return out, nil
		}
		if err != nil {
			return nil, usage("--against %s: %w; want the header %s and a figure a line", path, err, header)
		}
		line, _ := in.FieldPos(0)
		if first {
			if got := strings.Join(rec, ","); got != header {
				return nil, usage("--against %s:%d: got %.60q, want %q", path, line, got, header)
			}
			continue
		}
		unit, ok := unitScales[rec[2]]
		if !ok {
			return nil, usage("--against %s:%d: unit: got %.20q, want pJ, nJ, uJ, mJ, J, ns, us, ms, s, cycles or nothing", path, line, rec[2])
		}
		given, err := strconv.ParseFloat(rec[1], 64)
		if err != nil || given != 0 && !(given >= 1e-30 && given <= 1e30) {
			return nil, usage("--against %s:%d: value: got %.20q, want 0 or a number of 1e-30 to 1e30", path, line, rec[1])
		}
		if slices.ContainsFunc(out, func(c comparison) bool { return c.Component == rec[0] }) {
			return nil, usage("--against %s:%d: component: got %.40q again, want each once", path, line, rec[0])
		}
		kind, v, known := figure(e, rec[0])
		switch {
		case kind == "":
			return nil, usage("--against %s:%d: component: got %.40q, want one of %s", path, line, rec[0], strings.Join(figures(e), ", "))
		case kind != unit.kind:
			return nil, usage("--against %s:%d: unit: got %q, want one of %s for %s", path, line, rec[2], kind, rec[0])
		}
		c := comparison{Component: rec[0], Unit: rec[2], Given: given}
		if known {
			v /= unit.scale
			c.Estimated = &v
			if given != 0 {
				ratio := v / given
				c.Ratio = &ratio
			}
		}
		out = append(out, c)
	}
}

// figure is what an estimate has under a name, and of which kind that is; kind ""
// for a name that is none.
func figure(e *cost.Estimate, name string) (kind string, v float64, known bool) {
	whole := func(kind string, p *float64) (string, float64, bool) {
		if p == nil {
			return kind, 0, false
		}
		return kind, *p, true
	}
	switch name {
	case "energy":
		return whole(name, e.EnergyPJ)
	case "time":
		return whole(name, e.TimeNS)
	case "cycles":
		return whole(name, e.Cycles)
	case "tick":
		return whole("time", e.TickNS)
	}
	for _, c := range e.Components {
		if c.Name == name {
			return "energy", c.PJ, true
		}
	}
	for _, p := range e.Parts {
		if p.Ledger+"."+p.Constant == name {
			return p.Ledger, p.Total, true
		}
	}
	for _, m := range e.Missing {
		if missing, _, _ := strings.Cut(m, ":"); missing == name {
			ledger, _, _ := strings.Cut(name, ".")
			return ledger, 0, false
		}
	}
	if n, ok := counts(e)[strings.TrimPrefix(name, "count.")]; ok && strings.HasPrefix(name, "count.") {
		return "count", n, true
	}
	return "", 0, false
}

// counts are the estimate's counts by their names.
func counts(e *cost.Estimate) map[string]float64 {
	var m map[string]float64
	data, err := json.Marshal(e.Counts)
	if err == nil {
		err = json.Unmarshal(data, &m)
	}
	if err != nil {
		panic(err) // numbers with names
	}
	return m
}

// figures are all names that figure knows.
func figures(e *cost.Estimate) []string {
	names := []string{"energy", "time", "cycles", "tick"}
	for _, c := range e.Components {
		names = append(names, c.Name)
	}
	for _, p := range e.Parts {
		names = append(names, p.Ledger+"."+p.Constant)
	}
	for n := range counts(e) {
		names = append(names, "count."+n)
	}
	slices.Sort(names[4:])
	return slices.Compact(names)
}
