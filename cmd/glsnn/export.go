package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"glsnn/emulator/learn/course"
	"glsnn/export"
	"glsnn/export/table"
	"glsnn/fixedpoint"
	"glsnn/float/dataset"
	"glsnn/targets"
)

type exportOptions struct {
	model, target, out, images string
	learning                   string
	stimulus                   dataFlags
	plan                       planFlags
}

func newExport(a *app) *cobra.Command {
	o := &exportOptions{}
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Map a model to a target's cores and write its tables",
		Long: `Map a model to a target's cores and write its tables: JSON, CSV and $readmemh
images, with a manifest of hashes. The model is written exactly or not at all:
what the target cannot express, or does not have room for, is exit code 4. An
earlier table folder of that name is replaced; one that holds anything else is
left alone.`,
		Example: "  glsnn export --target loihi\n  glsnn export --target ./mychip.yaml -o mychip-tables\n  glsnn export --images coe,mif,h\n  glsnn export --target loihi --placement anneal",
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := a.export(cmd.Context(), o)
			if err != nil {
				return err
			}
			return a.result(r, r.text)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.model, "model", defaultModel, "integer model to read")
	f.StringVar(&o.target, "target", "generic", "a name of 'glsnn targets list' or a YAML file")
	f.StringVarP(&o.out, "out", "o", defaultTables, "folder to write")
	o.stimulus.register(cmd, "test", 10, "write the input events of so many samples, for chips whose tables have them; 0 for all")
	o.plan.register(cmd)
	f.StringVar(&o.learning, "learning", "", "write tables to go on learning with, too: feedback weights, the rule's constants, the random register, from this checkpoint of 'glsnn learn'")
	f.StringVar(&o.images, "images", "", "further forms of the synapse rows: coe (Xilinx), mif (Intel), h (C), separated by commas")
	return cmd
}

type exportResult struct {
	Tables        string       `json:"tables"`
	Target        string       `json:"target"`
	Cores         int          `json:"cores"`
	CoresHave     int          `json:"cores_available"`
	Tiles         int          `json:"tiles"`
	Neurons       int          `json:"neurons"`
	Synapses      int          `json:"synapses"`
	Placement     string       `json:"placement,omitempty"`
	Uses          []export.Use `json:"footprint"`     // none on a crossbar
	NeuronsLimit  *int64       `json:"neurons_limit"` // null: not known
	AxonsInLimit  *int64       `json:"axons_in_limit"`
	AxonsOutLimit *int64       `json:"axons_out_limit"`
	SynapseLimit  *int64       `json:"synapse_bits_limit"`
	Unchecked     []string     `json:"unchecked,omitempty"` // limits that are not known, with the reasons
}

// limits fills in what a core of chip holds.
func (r *exportResult) limits(chip *targets.Chip) {
	known := func(key string, n int64) *int64 {
		if chip.Known(key) != nil {
			return nil
		}
		return &n
	}
	c := chip.Core
	r.NeuronsLimit, r.AxonsInLimit = known("neurons", int64(c.Neurons)), known("axons_in", int64(c.AxonsIn))
	r.AxonsOutLimit, r.SynapseLimit = known("axons_out", int64(c.AxonsOut)), known("synapse_bits", c.SynapseBits)
	r.Unchecked = chip.Unchecked()
}

func (a *app) export(ctx context.Context, o *exportOptions) (*exportResult, error) {
	images, err := table.ParseImages(o.images)
	if err != nil {
		return nil, usage("--images: %w", err)
	}
	m, hash, err := loadModel(o.model)
	if err != nil {
		return nil, err
	}
	if err := notInput("-o", o.out, o.model, o.target, dataFolder(m.Source.Data)); err != nil {
		return nil, err
	}
	if err := onlyTables(o.out); err != nil {
		return nil, err
	}
	chip, err := targets.Load(o.target)
	if err != nil {
		return nil, err
	}
	if f := chip.Tables.Format; o.images != "" && f != targets.CoreTables {
		return nil, usage("--images: got %s, and tables of format %s have no synapse rows", o.images, f)
	}
	if f := chip.Tables.Format; o.learning != "" && f != targets.CoreTables && f != targets.LoihiTables {
		return nil, withCode(exitNoFit, fmt.Errorf("--learning: target %s: tables of format %s have no place for a rule: %s", chip.Name, f, chip.Learning.Reason))
	}
	if chip.Tables.Format.Crossbar() {
		return a.exportCrossbar(ctx, o, m, hash, chip)
	}
	p, err := a.placeOn(ctx, m, chip, &o.plan, a.forTraffic(m))
	if err != nil {
		return nil, unplaced(err, o.target)
	}
	mp, layout := p.mapping, p.mapping.Layout(p.method)
	more, err := learningTables(o.learning, m, chip)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if chip.Tables.Format == targets.RANCTables {
		err = a.exportMesh(o, m, mp, hash, layout)
	} else {
		err = table.Write(o.out, mp, table.Options{Tool: tool(), Model: hash, TargetSpec: o.target, Images: images, Layout: layout, Force: true, More: more})
	}
	if err != nil {
		return nil, err
	}
	r := &exportResult{
		Tables: o.out, Target: mp.Chip.Name, Cores: len(mp.Parts), CoresHave: mp.Chip.Fabric.Cores(), Tiles: mp.Tiles(),
		Neurons: m.Neurons(), Synapses: m.Synapses(), Uses: mp.Footprint(), Placement: p.method,
	}
	r.limits(mp.Chip)
	return r, nil
}

// trafficSamples are as many as the spikes to place by are counted on.
const trafficSamples = 200

// forTraffic loads training samples for the spikes to place by: what is chosen
// by samples must not be chosen by those of a test.
func (a *app) forTraffic(m *fixedpoint.Model) func() (*dataset.Set, error) {
	d := &dataFlags{split: "train", samples: trafficSamples}
	return d.loader(a, m)
}

// learningTables are those of a checkpoint, whose network must be m.
func learningTables(file string, m *fixedpoint.Model, chip *targets.Chip) ([]table.File, error) {
	if file == "" {
		return nil, nil
	}
	c, err := course.Load(file)
	if err != nil {
		return nil, fileFault(err, file, "--learning", "glsnn learn")
	}
	if chip.Learning.Rule == nil {
		return nil, withCode(exitNoFit, fmt.Errorf("--learning: target %s does not learn by this rule: %s", chip.Name, chip.Learning.Reason))
	}
	now, err := c.Model()
	if err != nil {
		return nil, err
	}
	for l := range m.Layers {
		if len(now.Layers) != len(m.Layers) || !now.Layers[l].Weights.Equal(m.Layers[l].Weights) {
			return nil, withCode(exitMismatch, fmt.Errorf("--learning: %s has other weights than the model that is exported; export the model that it was saved with", file))
		}
	}
	files, err := c.Config.Rule.Tables(m, c.State())
	if err != nil {
		return nil, err
	}
	var out []table.File
	for _, f := range files {
		out = append(out, table.File(f))
	}
	return out, nil
}

// onlyTables refuses to replace a folder that holds more than tables.
func onlyTables(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case dir == "":
		return usage("-o: got nothing, want a folder name")
	case errors.Is(err, fs.ErrNotExist), err == nil && len(entries) == 0:
		return nil
	case err != nil && !isDir(dir):
		return usage("-o: got %s, which is a file or a device; want a folder", dir)
	case err != nil:
		return err
	}
	man, err := table.ReadManifest(dir, tableKinds()...) // damaged tables may be replaced as well
	if man == nil {
		return usage("-o: got %s, a folder without a manifest of tables; want a new folder or an earlier export (%w)", dir, err)
	}
	known := map[string]bool{"manifest.json": true}
	for _, f := range man.Files {
		known[f.Path] = true
	}
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		if rel, err := filepath.Rel(dir, path); err != nil || !known[filepath.ToSlash(rel)] {
			return usage("-o: got %s, which also holds %s, no file of the tables; move that away, or choose another folder", dir, path)
		}
		return nil
	})
}

func (r *exportResult) text(w io.Writer) {
	if len(r.Uses) == 0 {
		fmt.Fprintf(w, "target %s\tone crossbar\t%d neurons, %d synapses\n", r.Target, r.Neurons, r.Synapses)
		fmt.Fprintf(w, "wrote %s\n", r.Tables)
		return
	}
	fmt.Fprintf(w, "target %s\t%d of %d cores on %d tiles\t%d neurons, %d synapses; %s\n", r.Target, r.Cores, r.CoresHave, r.Tiles, r.Neurons, r.Synapses, r.Placement)
	fmt.Fprintln(w, "core\ttile x,y\tlayer\tneurons\tin-axons\tout-axons\tsynapse bits\tused")
	of := func(n int64, limit *int64) string {
		if limit == nil {
			return fmt.Sprintf("%d of unknown", n)
		}
		return fmt.Sprintf("%d of %d", n, *limit)
	}
	for _, u := range r.Uses {
		used := "unknown"
		if r.SynapseLimit != nil {
			used = fmt.Sprintf("%.1f %%", 100*float64(u.SynapseBits)/float64(*r.SynapseLimit))
		}
		fmt.Fprintf(w, "%d\t%d,%d\t%d from %d\t%s\t%s\t%s\t%s\t%s\n", u.Core, u.X, u.Y, u.Part.Layer, u.Part.First,
			of(int64(u.Neurons), r.NeuronsLimit), of(int64(u.AxonsIn), r.AxonsInLimit), of(int64(u.AxonsOut), r.AxonsOutLimit), of(u.SynapseBits, r.SynapseLimit), used)
	}
	for _, what := range r.Unchecked {
		fmt.Fprintf(w, "not checked\t%s\n", what)
	}
	fmt.Fprintf(w, "wrote %s\n", r.Tables)
}
