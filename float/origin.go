package float

// DataRef names the samples a network was trained on, so that later commands
// find the same ones.
type DataRef struct {
	Name    string `json:"name"`    // as given to --data
	Size    int    `json:"size"`    // side that images were pooled to; 0 for none
	Samples int    `json:"samples"` // first so many of the training split; 0 for all
	Hash    string `json:"sha256"`  // of those, dataset.Set.Hash
}

// Origin is how a network came to be: enough to make the same bytes again.
type Origin struct {
	Data      DataRef      `json:"data"`
	Train     TrainConfig  `json:"train"`
	History   []EpochStats `json:"history"`
	KeptEpoch int          `json:"kept_epoch"`
	Grids     []Grid       `json:"grids,omitempty"` // where the weights lie, a layer each, if training rounded them (TrainConfig.Bits)
}
