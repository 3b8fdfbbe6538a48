package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"glsnn/emulator/learn/course"
	"glsnn/fixedpoint"
	"glsnn/fixedpoint/artefact"
	"glsnn/float"
)

func newInspect(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "inspect PATH",
		Short:   "Say what a file or table folder is and what made it",
		Example: "  glsnn inspect model.glsnn\n  glsnn inspect tables --output json",
		Args:    wantArgs(1, 1, "the PATH of one file or table folder"),
		RunE:    func(_ *cobra.Command, args []string) error { return a.inspect(args[0]) },
	}
}

func (a *app) inspect(path string) error {
	if isDir(path) {
		man, err := readManifest(path)
		if err != nil {
			return err
		}
		return a.result(man, func(w io.Writer) {
			fmt.Fprintf(w, "%s\ttables, version %d, %d files, hashes as in the manifest\n", path, man.Version, len(man.Files))
			fmt.Fprintf(w, "target\t%s\t%.12s\n", man.Target, man.Chip)
			fmt.Fprintf(w, "model\t%.12s\tnetwork %.12s\n", man.Model, man.Source.Network)
			fmt.Fprintf(w, "made by\t%s\n", man.Tool)
		})
	}
	b, err := artefact.ReadFile(path, "", 0)
	if err != nil {
		return err
	}
	type member struct {
		Name  string `json:"name"`
		DType string `json:"dtype"`
		Shape []int  `json:"shape"`
	}
	r := struct {
		Path    string          `json:"path"`
		Kind    string          `json:"kind"`
		Version int             `json:"version"`
		SHA256  string          `json:"sha256"`
		Body    json.RawMessage `json:"body"`
		Arrays  []member        `json:"arrays"`
	}{Path: path, Kind: b.Kind, Version: b.Version, SHA256: b.SHA256, Body: b.Body, Arrays: []member{}}
	for _, x := range b.Arrays {
		r.Arrays = append(r.Arrays, member{x.Name, string(x.DType), x.Shape})
	}
	var describe func(io.Writer)
	switch b.Kind {
	case float.KindNetwork:
		net, _, err := loadNetwork(path)
		if err != nil {
			return err
		}
		describe = func(w io.Writer) { inspectNetwork(w, net) }
	case fixedpoint.KindModel:
		m, _, err := loadModel(path)
		if err != nil {
			return err
		}
		describe = func(w io.Writer) { inspectModel(w, m) }
	case float.KindCheckpoint:
		c, err := loadCheckpoint(path)
		if err != nil {
			return err
		}
		describe = func(w io.Writer) {
			fmt.Fprintf(w, "checkpoint of\t%s\t%d of %d epochs, %d samples of the next\n", joinInts(c.Config.Sizes, "-"), c.Epoch, c.Train.Epochs, c.Done)
		}
	case course.Kind:
		c, err := course.Load(path)
		if err != nil {
			return fileFault(err, path, "--checkpoint", "glsnn learn")
		}
		describe = func(w io.Writer) {
			sizes := []int{c.Start.Inputs()}
			for _, l := range c.Start.Layers {
				sizes = append(sizes, l.Out)
			}
			fmt.Fprintf(w, "learning of\t%s\t%d of %d epochs, %d samples of the next\n", joinInts(sizes, "-"), c.Epoch, c.Config.Epochs, c.Done)
		}
	default:
		describe = func(io.Writer) {}
	}
	return a.result(r, func(w io.Writer) {
		fmt.Fprintf(w, "%s\t%s, version %d\tsha256 %.12s\n", path, b.Kind, b.Version, b.SHA256)
		describe(w)
		for _, x := range r.Arrays {
			fmt.Fprintf(w, "array %s\t%s\t%s\n", x.Name, x.DType, joinInts(x.Shape, " x "))
		}
	})
}

func inspectNetwork(w io.Writer, n *float.Network) {
	o := n.Origin
	fmt.Fprintf(w, "network\t%s\tmode %s, %d ticks, encoder %s, reset %s, read-out %s%s\n", joinInts(n.Sizes, "-"), n.Mode, n.Ticks, n.Encoder, n.Reset, n.Readout,
		map[bool]string{true: ", tested after every spike"}[n.PerEvent])
	fmt.Fprintf(w, "decays\tcurrent %d/%d\tmembrane %d/%d\n", n.CurrentDecay, float.DecayOne, n.MembraneDecay, float.DecayOne)
	fmt.Fprintf(w, "trained on\t%s\tsha256 %.12s, seed %d, epoch %d of %d kept\n", o.Data.Name, o.Data.Hash, o.Train.Seed, o.KeptEpoch, o.Train.Epochs)
	if rule := cmp.Or(o.Train.Rule, float.GLSNN); o.Train.Frozen == 0 {
		fmt.Fprintf(w, "rule\t%s\n", rule)
	} else {
		fmt.Fprintf(w, "rule\t%s\tthe lowest %d hidden layers keep their starting weights\n", rule, o.Train.Frozen)
	}
	if o.Train.Preset != "" {
		fmt.Fprintf(w, "preset\t%s\tflags may have changed some of it; --output json has all settings\n", o.Train.Preset)
	}
	if side := o.Train.Fields.Side; side > 0 {
		fmt.Fprintf(w, "fields\t%d x %d pixels\teach neuron of the first layer sees so many\n", side, side)
	}
	if o.Train.FeedbackSkewed {
		fmt.Fprintf(w, "feedback\tskewed\n")
	}
	for l, g := range o.Grids {
		fmt.Fprintf(w, "layer %d\tweights on a grid\t%d..%d times %v\n", l, g.Low, g.High, g.Scale)
	}
}

func inspectModel(w io.Writer, m *fixedpoint.Model) {
	target := m.Source.Target
	if target == "" {
		target = "none named"
	}
	fmt.Fprintf(w, "model\t%d ticks, encoder %s, read-out %s\ttarget %s\n", m.Ticks, m.Encoding.Kind, m.Readout, target)
	fmt.Fprintf(w, "made from\tnetwork %.12s\ttrained on %s\n", m.Source.Network, m.Source.Data)
	for i, l := range m.Layers {
		kind := fmt.Sprintf("threshold %d, reset %s", l.Threshold, l.Reset)
		if l.Integrator {
			kind = "integrates, never fires"
		}
		fmt.Fprintf(w, "layer %d\t%d x %d, %d bits, exp %d\tdecays %d and %d, %s\n", i, l.In, l.Out, l.WeightBits, l.WeightExp, l.CurrentDecay, l.MembraneDecay, kind)
	}
}
