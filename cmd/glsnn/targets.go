package main

import (
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"glsnn/targets"
)

func newTargets(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "targets",
		Short:   "List, show and check target chips, and run vectors against them",
		Example: "  glsnn targets list\n  glsnn targets show loihi\n  glsnn targets validate ./mychip.yaml\n  glsnn targets vectors manual.json",
		RunE:    func(*cobra.Command, []string) error { return a.listTargets() },
	}
	cmd.AddCommand(
		newVectors(a),
		&cobra.Command{
			Use: "list", Short: "List the built-in targets", Example: "  glsnn targets list --output json",
			RunE: func(*cobra.Command, []string) error { return a.listTargets() },
		},
		&cobra.Command{
			Use: "show TARGET", Short: "Print a target's arithmetic, limits and costs with their sources",
			Example: "  glsnn targets show loihi\n  glsnn targets show ./mychip.yaml --output json",
			Args:    wantArgs(1, 1, "one TARGET: a name of 'glsnn targets list' or a YAML file"),
			RunE: func(_ *cobra.Command, args []string) error {
				chip, err := targets.Load(args[0])
				if err != nil {
					return err
				}
				if a.output == "json" {
					return a.result(chip, nil)
				}
				return chip.WriteText(a.out)
			},
		},
		&cobra.Command{
			Use: "validate TARGET", Short: "Check a target file and list every fault",
			Example: "  glsnn targets validate ./mychip.yaml",
			Args:    wantArgs(1, 1, "one TARGET: a name of 'glsnn targets list' or a YAML file"),
			RunE: func(_ *cobra.Command, args []string) error {
				chip, err := targets.Load(args[0])
				if err != nil {
					return err
				}
				r := struct {
					Target string `json:"target"`
					SHA256 string `json:"sha256"`
					Valid  bool   `json:"valid"`
				}{chip.Name, chip.SHA256, true}
				return a.result(r, func(w io.Writer) { fmt.Fprintf(w, "%s: valid (target %s)\n", args[0], chip.Name) })
			},
		},
	)
	return cmd
}

func (a *app) listTargets() error {
	type row struct {
		Name       string `json:"name"`
		Title      string `json:"title"`
		WeightBits *int   `json:"weight_bits"` // null: not known
		Membrane   *int   `json:"membrane_bits"`
		Neurons    *int   `json:"neurons_per_core"`
		AxonsIn    *int   `json:"axons_in_per_core"`
		Cores      int    `json:"cores"`
	}
	var rows []row
	for _, name := range targets.Names() {
		c, err := targets.Load(name)
		if err != nil {
			return err
		}
		known := func(key string, v int) *int {
			if c.Known(key) != nil {
				return nil
			}
			return &v
		}
		rows = append(rows, row{
			c.Name, c.Title, known("arithmetic", c.Arithmetic.Weight.Bits), known("arithmetic", c.Arithmetic.Membrane.Register.Bits),
			known("neurons", c.Core.Neurons), known("axons_in", c.Core.AxonsIn), c.Fabric.Cores(),
		})
	}
	return a.result(rows, func(w io.Writer) {
		fmt.Fprintln(w, "name\tweight bits\tmembrane bits\tneurons/core\tin-axons/core\tcores\ttitle")
		number := func(v *int) string {
			if v == nil {
				return "unknown"
			}
			return strconv.Itoa(*v)
		}
		for _, r := range rows {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%s\n", r.Name, number(r.WeightBits), number(r.Membrane), number(r.Neurons), number(r.AxonsIn), r.Cores, r.Title)
		}
	})
}
