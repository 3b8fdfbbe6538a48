package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"glsnn/cmd/glsnn/chart"
	"glsnn/emulator/cost"
	"glsnn/emulator/learn/course"
	"glsnn/fixedpoint"
	"glsnn/fixedpoint/artefact"
	"glsnn/float/dataset"
	"glsnn/targets"
)

func rootMean(sum float64, n int) float64 { return math.Sqrt(sum / float64(max(n, 1))) }

// estimateSamples are those that the forward part of a learned sample is counted on.
const estimateSamples = 1000

// estimateLearning is what a learned sample costs on chip, nil if the network cannot
// be placed there, which is then said.
func (a *app) estimateLearning(ctx context.Context, m *fixedpoint.Model, chip *targets.Chip, c *course.Course, set *dataset.Set) (*cost.LearnEstimate, error) {
	plan := defaultPlan()
	p, err := a.placeOn(ctx, m, chip, &plan, nil)
	if err != nil {
		a.say("no estimate: the network cannot be placed on %s: %v", chip.Name, err)
		return nil, nil
	}
	if set.Len() > estimateSamples {
		set = set.Slice(0, estimateSamples)
	}
	got, err := a.measure(ctx, p, set)
	if err != nil {
		return nil, err
	}
	cores := make([]int, len(m.Layers))
	first := 0
	for l, k := range m.Layers {
		on := map[targets.CoreID]bool{}
		for _, id := range p.CoreOf[first : first+k.Out] {
			on[id] = true
		}
		cores[l], first = len(on), first+k.Out
	}
	return cost.NewLearn(c.Counters(), got.Estimate, chip, c.Config.Rule, cores)
}

func learnEstimateText(w io.Writer, e *cost.LearnEstimate) {
	show := func(name string, all, forward *float64, scale float64, unit, reason string) {
		if all == nil {
			fmt.Fprintf(w, "%s a learned sample\tunknown\t%s\n", name, reason)
			return
		}
		fmt.Fprintf(w, "%s a learned sample\t%.4g%s, %.4g%s of it forward\n", name, *all/scale, unit, *forward/scale, unit)
	}
	show("energy", e.EnergyPJ, e.Forward.EnergyPJ, 1e6, " uJ", e.EnergyReason)
	show("time", e.TimeNS, e.Forward.TimeNS, 1e3, " us", e.TimeReason)
	show("cycles", e.Cycles, e.Forward.Cycles, 1, "", e.CyclesReason)
	for _, p := range e.Parts {
		fmt.Fprintf(w, "  %s %s\t%.6g x %g = %.6g\t%s %s %s\n", p.Ledger, p.Constant, p.Count, p.Value, p.Total, p.Basis, p.Source, p.At)
	}
	for _, m := range e.Missing {
		fmt.Fprintf(w, "  missing\t%s\n", m)
	}
	for _, l := range e.Lacking {
		fmt.Fprintf(w, "  target %s lacks\t%s\n", e.Forward.Target, l)
	}
}

// drawCurve is the learning curve as a chart.
func drawCurve(w io.Writer, c *course.Course) error {
	online := chart.Series{Name: "while learning"}
	measured := chart.Series{Name: "test"}
	for _, p := range c.Curve {
		x := float64(p.Samples)
		online.X, online.Y = append(online.X, x), append(online.Y, 100*p.Online)
		acc := p.Test
		if p.Validation != nil {
			measured.Name, acc = "validation", p.Validation
		}
		if acc != nil {
			measured.X, measured.Y = append(measured.X, x), append(measured.Y, 100**acc)
		}
	}
	sizes := []int{c.Start.Inputs()}
	for _, l := range c.Start.Layers {
		sizes = append(sizes, l.Out)
	}
	title := fmt.Sprintf("Learning on the chip: %s, %s, %d bits", c.Config.Data.Name, joinInts(sizes, "-"), c.Start.Layers[0].WeightBits)
	return chart.Write(w, chart.Plot{
		Frame: chart.Frame{Title: title, Desc: "Accuracy in per cent over the number of samples learned from, one at a time."},
		X:     chart.Axis{Label: "samples"}, Y: chart.Axis{Label: "accuracy, %"},
		Series: []chart.Series{online, measured},
	})
}

func newLearnCurves(a *app) *cobra.Command {
	var out, title string
	cmd := &cobra.Command{
		Use:     "curves FILE...",
		Short:   "Draw learning curves that --curve wrote into one chart",
		Example: "  glsnn learn curves seed1.csv seed2.csv seed3.csv -o curves.svg",
		Args:    wantArgs(1, 20, "one to twenty FILEs that 'glsnn learn --curve' wrote"),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := writable(out, args...); err != nil {
				return err
			}
			p := chart.Plot{
				Frame: chart.Frame{Title: title, Desc: "Accuracy in per cent over the number of samples learned from, one at a time, a line a run."},
				X:     chart.Axis{Label: "samples"}, Y: chart.Axis{Label: "accuracy, %"},
			}
			for _, file := range args {
				if isDir(file) {
					return usage("FILE: got %s, a directory, want a file that 'glsnn learn --curve' wrote", file)
				}
				f, err := os.Open(file)
				if err != nil {
					return err
				}
				curve, err := course.ReadCSV(f, file)
				f.Close()
				if err != nil {
					return damaged(err)
				}
				s := chart.Series{Name: strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))}
				for _, point := range curve {
					if acc := cmp.Or(point.Validation, point.Test); acc != nil {
						s.X, s.Y = append(s.X, float64(point.Samples)), append(s.Y, 100**acc)
					}
				}
				p.Series = append(p.Series, s)
			}
			return artefact.WriteAtomic(out, func(w io.Writer) error { return chart.Write(w, p) })
		},
	}
	cmd.Flags().StringVarP(&out, "out", "o", "curves.svg", "SVG file to write")
	cmd.Flags().StringVar(&title, "title", "Learning on the chip", "title of the chart")
	return cmd
}
