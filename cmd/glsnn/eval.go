package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

func newEval(a *app) *cobra.Command {
	var d dataFlags
	var path string
	cmd := &cobra.Command{
		Use:     "eval",
		Short:   "Accuracy of a float network",
		Example: "  glsnn eval\n  glsnn eval --network network.glsnn --split train --samples 1000 --output json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			net, _, err := loadNetwork(path)
			if err != nil {
				return err
			}
			set, err := d.load(a, net.Origin.Data, net.Sizes[0])
			if err != nil {
				return err
			}
			m := a.meter("eval", "samples", set.Len(), 0)
			e, err := net.Evaluate(cmd.Context(), set, a.jobs, m.at)
			m.clear()
			if err != nil {
				return err
			}
			r := struct {
				Accuracy  float64   `json:"accuracy"`
				Samples   int       `json:"samples"`
				Correct   int       `json:"correct"`
				Data      string    `json:"data"`
				SpikeRate []float64 `json:"spike_rate,omitempty"` // spikes a neuron and tick, each layer; none in paper mode
			}{e.Accuracy(), set.Len(), e.Correct, set.Name, e.SpikeRate}
			return a.result(r, func(w io.Writer) {
				fmt.Fprintf(w, "accuracy\t%s\t%d of %d samples of %s\n", percent(r.Accuracy), r.Correct, r.Samples, r.Data)
				for l, x := range r.SpikeRate {
					if !net.Integrates(l) {
						fmt.Fprintf(w, "layer %d\t%.4f\tspikes a neuron and tick\n", l, x)
					}
				}
			})
		},
	}
	d.register(cmd, "test", 0, "use the first so many samples; 0 for all")
	cmd.Flags().StringVar(&path, "network", defaultNetwork, "float network to read")
	return cmd
}
