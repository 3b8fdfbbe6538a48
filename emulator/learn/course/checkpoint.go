package course

import (
	"encoding/json"
	"errors"
	"fmt"

	"glsnn/emulator/learn"
	"glsnn/fixedpoint"
	"glsnn/fixedpoint/artefact"
	"glsnn/float/dataset"
)

// Kind is the kind of a checkpoint file, version its newest layout: body as
// checkpointBody; arrays "weights<l>" [in][out] and "residuals<l>" [out] of int32, and
// "model", the bytes of the file of the network at the start.
const (
	Kind    = "learning"
	version = 1
)

type checkpointBody struct {
	Config   Config         `json:"config"`
	Epoch    int            `json:"epoch"`
	Done     int            `json:"done"`
	Random   uint32         `json:"random"`
	Samples  uint64         `json:"samples"`
	Curve    []Point        `json:"curve"`
	Counters learn.Counters `json:"counters"`
	Since    running        `json:"since"`
}

// Save writes the run so far to path, whole or not at all.
func (r *Course) Save(path string) error {
	s := r.got.State()
	body, err := json.Marshal(checkpointBody{r.Config, r.Epoch, r.Done, s.Random, s.Samples, r.Curve, r.Counters(), r.since})
	if err != nil {
		return err
	}
	b := artefact.Bundle{Kind: Kind, Version: version, Body: body}
	for l, k := range r.Start.Layers {
		b.Arrays = append(b.Arrays,
			artefact.NewArray(fmt.Sprintf("weights%d", l), s.Weights[l], k.In, k.Out),
			artefact.NewArray(fmt.Sprintf("residuals%d", l), s.Residuals[l], k.Out))
	}
	model, err := r.Start.Bundle()
	if err != nil {
		return err
	}
	data, err := artefact.Marshal(model)
	if err != nil {
		return err
	}
	b.Arrays = append(b.Arrays, artefact.NewArray("model", data))
	return artefact.WriteFile(path, b)
}

// Checkpoint is a saved run.
type Checkpoint struct {
	Config Config
	Start  *fixedpoint.Model
	Epoch  int
	Done   int

	file  string
	body  checkpointBody
	state learn.State
}

// Load reads what Save wrote.
func Load(path string) (*Checkpoint, error) {
	b, err := artefact.ReadFile(path, Kind, version)
	if err != nil {
		return nil, err
	}
	c := &Checkpoint{file: path}
	if err := b.UnmarshalBody(&c.body); err != nil {
		return nil, err
	}
	model, err := b.Array("model")
	if err != nil {
		return nil, err
	}
	data, err := artefact.Values[uint8](model)
	if err != nil {
		return nil, err
	}
	if c.Start, err = fixedpoint.DecodeModel(data, path+": model"); err != nil {
		return nil, err
	}
	c.state.Random, c.state.Samples = c.body.Random, c.body.Samples
	for l, k := range c.Start.Layers {
		w, err := artefact.Get[int32](b, fmt.Sprintf("weights%d", l), k.In, k.Out)
		if err != nil {
			return nil, err
		}
		x, err := artefact.Get[int32](b, fmt.Sprintf("residuals%d", l), k.Out)
		if err != nil {
			return nil, err
		}
		c.state.Weights, c.state.Residuals = append(c.state.Weights, w), append(c.state.Residuals, x)
	}
	c.Config, c.Epoch, c.Done = c.body.Config, c.body.Epoch, c.body.Done
	if err := errors.Join(c.Config.Rule.Validate(c.Start), c.valid()); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", path, artefact.ErrCorrupt, err)
	}
	return c, nil
}

func (c *Checkpoint) valid() error {
	if c.Epoch < 0 || c.Done < 0 || c.Config.Epochs < 1 || c.Config.Every < 0 {
		return fmt.Errorf("epoch %d of %d, sample %d: not a point of a run", c.Epoch, c.Config.Epochs, c.Done)
	}
	if n := len(c.body.Counters.Layers); n != len(c.Start.Layers) {
		return fmt.Errorf("counters: got %d layers, want %d", n, len(c.Start.Layers))
	}
	return nil
}

// State is what the chip held; it aliases the checkpoint's own.
func (c *Checkpoint) State() learn.State { return c.state }

// Model is the network as it was.
func (c *Checkpoint) Model() (*fixedpoint.Model, error) { return c.Config.Rule.Model(c.state, c.Start) }

// Curve is the learning curve so far.
func (c *Checkpoint) Curve() []Point { return c.body.Curve }

// Resume goes on with the run on set, which must be the one it began on, for
// epochs epochs in all.
func (c *Checkpoint) Resume(set *dataset.Set, epochs int, opt learn.Options, engine Engine) (*Course, error) {
	if got := set.Hash(); got != c.Config.Data.Hash {
		return nil, fmt.Errorf("%s: data: got %s with sha256 %.12s, want %s with %.12s as in the checkpoint", c.file, set.Name, got, c.Config.Data.Name, c.Config.Data.Hash)
	}
	if c.Done > set.Len() || epochs < c.Epoch {
		return nil, fmt.Errorf("%s: epoch %d, sample %d: not a point of %d epochs of %d samples", c.file, c.Epoch, c.Done, epochs, set.Len())
	}
	if err := c.Config.Rule.Check(c.state, c.Start); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", c.file, artefact.ErrCorrupt, err)
	}
	r := &Course{Config: c.Config, Start: c.Start, Curve: c.body.Curve, Epoch: c.Epoch, Done: c.Done, set: set, opt: opt, before: c.body.Counters, since: c.body.Since}
	r.Config.Epochs = epochs
	return r, r.open(c.state, engine)
}
