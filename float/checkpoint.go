package float

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"

	"glsnn/fixedpoint/artefact"
	"glsnn/float/dataset"
)

// The kinds and newest versions of the files that this package writes; see
// artefact.Bundle for the container.
const (
	KindNetwork       = "network"
	KindCheckpoint    = "checkpoint"
	networkVersion    = 1
	checkpointVersion = 1
)

type networkBody struct {
	Config Config `json:"config"`
	Origin Origin `json:"origin"`
}

// Save writes the network to path, whole or not at all. The same network gives
// the same bytes.
func (n *Network) Save(path string) error {
	body, err := json.Marshal(networkBody{n.Config, n.Origin})
	if err != nil {
		return err
	}
	return artefact.WriteFile(path, artefact.Bundle{
		Kind: KindNetwork, Version: networkVersion, Body: body, Arrays: weightArrays("weights", n.Config, n.Weights),
	})
}

// LoadNetwork reads what Save wrote and returns the file's sha256 as well.
// Errors wrap artefact's sentinels, or name the field that cannot be.
func LoadNetwork(path string) (*Network, string, error) {
	b, err := artefact.ReadFile(path, KindNetwork, networkVersion)
	if err != nil {
		return nil, "", err
	}
	var body networkBody
	if err := b.UnmarshalBody(&body); err != nil {
		return nil, "", err
	}
	if err := errors.Join(body.Config.Validate(), validateGrids(body.Origin.Grids, body.Config.Layers())); err != nil {
		return nil, "", fmt.Errorf("%s: %w", path, err)
	}
	n := &Network{Config: body.Config, Origin: body.Origin}
	n.Weights, err = readWeights(b, "weights", n.Config)
	return n, b.SHA256, err
}

func weightArrays(prefix string, c Config, weights [][]float32) []artefact.Array {
	var arrays []artefact.Array
	for l, w := range weights {
		arrays = append(arrays, artefact.NewArray(arrayName(prefix, l), w, c.Sizes[l], c.Sizes[l+1]))
	}
	return arrays
}

func readWeights(b *artefact.Bundle, prefix string, c Config) ([][]float32, error) {
	var weights [][]float32
	for l := range c.Layers() {
		w, err := readMatrix(b, arrayName(prefix, l), c.Sizes[l], c.Sizes[l+1])
		if err != nil {
			return nil, err
		}
		weights = append(weights, w)
	}
	return weights, nil
}

func readMatrix(b *artefact.Bundle, name string, rows, cols int) ([]float32, error) {
	a, err := b.Array(name)
	if err != nil {
		return nil, err
	}
	if err := artefact.CheckFinite(b.File, a); err != nil {
		return nil, err
	}
	return artefact.Get[float32](b, name, rows, cols)
}

// ruleArrays are a rule's own weights and their moments.
func ruleArrays(learned []*plastic) (arrays []artefact.Array) {
	for k, p := range learned {
		for name, w := range p.parts(k) {
			arrays = append(arrays, artefact.NewArray(name, *w, p.in, p.out))
		}
	}
	return arrays
}

// readRule reads them back.
func readRule(b *artefact.Bundle, learned []*plastic) (err error) {
	for k, p := range learned {
		for name, w := range p.parts(k) {
			if *w, err = readMatrix(b, name, p.in, p.out); err != nil {
				return err
			}
		}
	}
	return nil
}

// parts are the arrays of the k-th of a rule's matrices, by name.
func (p *plastic) parts(k int) iter.Seq2[string, *[]float32] {
	return func(yield func(string, *[]float32) bool) {
		ok := yield(arrayName("rule", k), &p.w)
		if p.m != nil {
			_ = ok && yield(arrayName("rule_moment", k), &p.m) && yield(arrayName("rule_square", k), &p.s)
		}
	}
}

func arrayName(prefix string, layer int) string { return fmt.Sprintf("%s%d", prefix, layer) }

// checkpointBody is everything of a run that is not an array. What a seed can
// regenerate (order, feedback, random membranes) is not stored.
type checkpointBody struct {
	Config    Config       `json:"config"`
	Train     TrainConfig  `json:"train"`
	Data      DataRef      `json:"data"`
	Epoch     int          `json:"epoch"`
	Done      int          `json:"done"`
	Steps     int          `json:"steps"`
	Running   runningStats `json:"running"`
	History   []EpochStats `json:"history"`
	BestEpoch int          `json:"best_epoch"` // 0: none yet
	BestScore float64      `json:"best_score"`
	Grids     []Grid       `json:"grids,omitempty"` // the weights are those that learn; the grids say what they are rounded to
	BestGrids []Grid       `json:"best_grids,omitempty"`
}

// Save writes the run so far to path, whole or not at all.
func (t *Trainer) Save(path string) error {
	c := checkpointBody{
		Config: t.Net.Config, Train: t.Config, Data: t.Net.Origin.Data, Epoch: t.Epoch, Done: t.Done,
		Steps: t.steps, Running: t.running, History: t.History, Grids: t.grids,
	}
	arrays := weightArrays("weights", t.Net.Config, t.learn)
	arrays = append(arrays, weightArrays("moment", t.Net.Config, t.m)...)
	arrays = append(arrays, weightArrays("square", t.Net.Config, t.s)...)
	arrays = append(arrays, ruleArrays(t.credit.learned())...)
	if t.best != nil {
		c.BestEpoch, c.BestScore, c.BestGrids = t.best.epoch, t.best.score, t.best.grids
		arrays = append(arrays, weightArrays("best", t.Net.Config, t.best.weights)...)
	}
	body, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return artefact.WriteFile(path, artefact.Bundle{Kind: KindCheckpoint, Version: checkpointVersion, Body: body, Arrays: arrays})
}

// Checkpoint is a saved run, to be continued with Resume.
type Checkpoint struct {
	File   string
	Config Config
	Train  TrainConfig
	Data   DataRef
	Epoch  int // finished epochs
	Done   int // samples done in the next one

	body   checkpointBody
	bundle *artefact.Bundle
}

// LoadCheckpoint reads what Trainer.Save wrote.
func LoadCheckpoint(path string) (*Checkpoint, error) {
	b, err := artefact.ReadFile(path, KindCheckpoint, checkpointVersion)
	if err != nil {
		return nil, err
	}
	c := &Checkpoint{File: path, bundle: b}
	if err := b.UnmarshalBody(&c.body); err != nil {
		return nil, err
	}
	layers := c.body.Config.Layers()
	if err := errors.Join(c.body.Config.Validate(), c.body.Train.Validate(), validateGrids(c.body.Grids, layers), validateGrids(c.body.BestGrids, layers)); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if got, want := len(c.body.Running.Spikes), layers; got != want || len(c.body.Running.Window) != want-1 {
		return nil, fmt.Errorf("%s: running: got %d layers, want %d", path, got, want)
	}
	c.Config, c.Train, c.Data, c.Epoch, c.Done = c.body.Config, c.body.Train, c.body.Data, c.body.Epoch, c.body.Done
	return c, nil
}

// Resume continues the run on train, which must be the set it was started on,
// for epochs epochs in all. It ends in the same bytes as a run that was never
// stopped.
func (c *Checkpoint) Resume(train *dataset.Set, epochs int) (*Trainer, error) {
	if got := train.Hash(); got != c.Data.Hash {
		return nil, fmt.Errorf("%s: data: got %s with sha256 %.12s, want %s with %.12s as in the checkpoint", c.File, train.Name, got, c.Data.Name, c.Data.Hash)
	}
	weights, err := readWeights(c.bundle, "weights", c.Config)
	if err != nil {
		return nil, err
	}
	tc := c.Train
	tc.Epochs = epochs
	t, err := NewTrainer(&Network{Config: c.Config, Weights: weights, Origin: Origin{Data: c.Data}}, tc, train)
	if err != nil {
		return nil, err
	}
	if len(c.body.Grids) > 0 {
		t.useGrids(c.body.Grids)
	}
	if tc.Optimiser == Adam {
		if t.m, err = readWeights(c.bundle, "moment", c.Config); err != nil {
			return nil, err
		}
		if t.s, err = readWeights(c.bundle, "square", c.Config); err != nil {
			return nil, err
		}
	}
	if err := readRule(c.bundle, t.credit.learned()); err != nil {
		return nil, err
	}
	if c.body.BestEpoch > 0 {
		t.best = &bestWeights{epoch: c.body.BestEpoch, score: c.body.BestScore, grids: c.body.BestGrids}
		if t.best.weights, err = readWeights(c.bundle, "best", c.Config); err != nil {
			return nil, err
		}
	}
	t.Epoch, t.Done, t.steps, t.running, t.History = c.Epoch, c.Done, c.body.Steps, c.body.Running, c.body.History
	if t.Done < 0 || t.Done > t.train.Len() || t.Epoch < 0 || len(t.History) != t.Epoch {
		return nil, fmt.Errorf("%s: epoch %d, done %d: not a point of a run over %d samples", c.File, t.Epoch, t.Done, t.train.Len())
	}
	return t, nil
}
