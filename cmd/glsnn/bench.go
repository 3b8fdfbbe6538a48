package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"glsnn/cmd/glsnn/bench"
	"glsnn/cmd/glsnn/chart"
	"glsnn/fixedpoint/artefact"
	"glsnn/fixedpoint/tier"
	"glsnn/float/dataset"
)

type benchOptions struct {
	data   string
	rounds int
	slice  time.Duration
	sweeps string
}

func newBench(a *app) *cobra.Command {
	o := &benchOptions{}
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure this machine: every kernel beside its limit, emulation and training",
		Long: `Measure this machine: the kernels of the emulator and of the trainer in every
instruction set that it has, each beside a limit measured in the same rounds, and
what they come to: images a second, seconds an epoch. Figures are medians of
--count rounds. Run it while nothing else runs; --jobs is the number of processors.

--sweeps DIR also runs the emulator over widths, depths, ticks, activities and
samples, some minutes and up to 1 GB, and writes charts of time and memory
beside what the counters predict.`,
		Example: "  glsnn bench\n  glsnn bench --count 10 --output json\n  glsnn bench --sweeps charts",
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := a.bench(cmd.Context(), o)
			if err != nil {
				return err
			}
			return a.result(r, r.text)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.data, "data", "digits", "images to emulate and to train on: a name of 'glsnn data list' or a folder of IDX files")
	f.IntVar(&o.rounds, "count", 5, "rounds")
	f.DurationVar(&o.slice, "time", 100*time.Millisecond, "how long a case runs in a round, about")
	f.StringVar(&o.sweeps, "sweeps", "", "folder to write scale charts to")
	return cmd
}

type benchResult struct {
	Processor string         `json:"processor"`
	GOARCH    string         `json:"goarch"`
	Go        string         `json:"go"`
	Workers   int            `json:"workers"`
	Data      string         `json:"data"`
	Figures   []bench.Figure `json:"figures"`
	Sweeps    []bench.Sweep  `json:"sweeps,omitempty"`
}

func (a *app) bench(ctx context.Context, o *benchOptions) (*benchResult, error) {
	if o.rounds < 1 || o.rounds > 1000 {
		return nil, usage("--count: got %d, want 1..1000", o.rounds)
	}
	if o.slice < 0 || o.slice > time.Minute {
		return nil, usage("--time: got %v, want 0..1m", o.slice)
	}
	var set *dataset.Set
	var err error
	if o.sweeps != "" {
		if err := os.MkdirAll(o.sweeps, 0o777); err != nil {
			return nil, fmt.Errorf("--sweeps: %w", err)
		}
		if err := flagWritable("--sweeps", filepath.Join(o.sweeps, "width-time.svg")); err != nil {
			return nil, err
		}
	}
	if o.data == "digits" {
		set, err = dataset.Digits("digits", true, 1000, 1, a.jobs)
	} else {
		set, _, err = loadData(a, o.data, 0, "train")
	}
	if err != nil {
		return nil, err
	}
	r := &benchResult{Processor: processor(), GOARCH: runtime.GOARCH, Go: runtime.Version(), Workers: a.jobs, Data: o.data}
	meter := a.meter("bench", "cases", 1, 0)
	at := func(i, of int) {
		if meter != nil {
			meter.total = of
		}
		meter.at(i)
	}
	tiers := tier.All()
	for tiers[len(tiers)-1] != tier.Active() { // GLSNN_SIMD
		tiers = tiers[:len(tiers)-1]
	}
	if r.Figures, err = bench.Measure(ctx, bench.Cases(bench.Options{Set: set, Tiers: tiers, Workers: a.jobs}), o.rounds, o.slice, at); err != nil {
		return nil, err
	}
	if o.sweeps != "" {
		if r.Sweeps, err = bench.Sweeps(ctx, bench.KernelRates(r.Figures, tier.Active().String()), false, at); err != nil {
			return nil, err
		}
		if err := writeSweeps(o.sweeps, r.Sweeps); err != nil {
			return nil, err
		}
	}
	meter.clear()
	return r, nil
}

// processor is its name, where the system says.
func processor() string {
	b, _ := os.ReadFile("/proc/cpuinfo")
	_, rest, _ := strings.Cut(string(b), "model name")
	_, rest, _ = strings.Cut(rest, ":")
	name, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(name)
}

func (r *benchResult) text(w io.Writer) {
	fmt.Fprintf(w, "%s, %s, %s, %d processors in use\n", r.Processor, r.GOARCH, r.Go, r.Workers)
	fmt.Fprintln(w, "what\ttier\tfigure\tlimit\tshare\tthe limit is")
	for _, f := range r.Figures {
		limit, share := "", ""
		if f.Limit > 0 {
			limit, share = digits3(f.Limit), fmt.Sprintf("%.0f %%", 100*f.Share)
		}
		fmt.Fprintf(w, "%s\t%s\t%s %s\t%s\t%s\t%s\n", f.What, f.Tier, digits3(f.Value), f.Unit, limit, share, f.Bound)
	}
	for _, s := range r.Sweeps {
		fmt.Fprintf(w, "%s\tsynops\tseconds\tpredicted\tfrom far memory\tMB\tpredicted\n", s.Over)
		for _, p := range s.Points {
			fmt.Fprintf(w, "%g\t%d\t%.3g\t%.3g\t%.3g\t%.3g\t%.3g\n", p.X, p.SynOps, p.Seconds, p.PredictedSeconds, p.FarSeconds, p.Bytes/1e6, p.PredictedBytes/1e6)
		}
	}
}

// digits3 is x with three digits that count, and no exponent.
func digits3(x float64) string {
	switch {
	case x >= 100:
		return fmt.Sprintf("%.0f", x)
	case x >= 10:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.2f", x)
}

// writeSweeps writes two charts a sweep.
func writeSweeps(dir string, sweeps []bench.Sweep) error {
	for _, s := range sweeps {
		n := len(s.Points)
		x := make([]float64, n)
		var y [5][]float64
		for i, p := range s.Points {
			x[i] = p.X
			for k, v := range []float64{p.Seconds * 1e3, p.PredictedSeconds * 1e3, p.Bytes / 1e6, p.PredictedBytes / 1e6, p.FarSeconds * 1e3} {
				y[k] = append(y[k], v)
			}
		}
		for _, c := range []struct {
			name, label, predicted string
			got, want              []float64
		}{
			{"time", "time, ms", "counted operations at the kernels' rates", y[0], y[1]},
			{"memory", "engine, MB", "a byte a synapse and the registers", y[2], y[3]},
		} {
			plot := chart.Plot{
				Frame: chart.Frame{Title: "Emulator: " + c.name + " over " + s.Over, Desc: "Measured and predicted " + c.name + " of the emulator over " + s.Unit + ", both axes logarithmic."},
				X:     chart.Axis{Label: s.Unit, Log: true}, Y: decades(c.label, c.got, c.want),
				Series: []chart.Series{{Name: "measured", Kind: chart.Points, X: x, Y: c.got}, {Name: c.predicted, X: x, Y: c.want}},
			}
			if c.name == "time" && (s.Over == "width" || s.Over == "depth") { // those that outgrow the caches
				plot.Series = append(plot.Series, chart.Series{Name: "the same from far memory", X: x, Y: y[4]})
				plot.Y = decades(c.label, c.got, c.want, y[4])
			}
			path := filepath.Join(dir, s.Over+"-"+c.name+".svg")
			if err := artefact.WriteAtomic(path, func(w io.Writer) error { return chart.Write(w, plot) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// decades is an axis of a decade at least, so that what is constant looks so.
func decades(label string, data ...[]float64) chart.Axis {
	lo, hi := slices.Min(slices.Concat(data...))/1.3, slices.Max(slices.Concat(data...))*1.3
	if hi < 10*lo {
		mid := math.Sqrt(lo * hi)
		lo, hi = mid/math.Sqrt(10), mid*math.Sqrt(10)
	}
	return chart.Axis{Label: label, Log: true, Min: lo, Max: hi}
}
