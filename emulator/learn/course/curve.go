package course

import (
	"encoding/csv"
	"io"
	"strconv"

	"glsnn/fixedpoint"
	"glsnn/float/dataset"
	"glsnn/float/encode"
)

// WriteCSV writes a learning curve, a line a point, in the fields of Point.
// Accuracies that were not measured are empty.
func WriteCSV(w io.Writer, curve []Point) error {
	c := csv.NewWriter(w)
	c.Write([]string{"epoch", "samples", "online_accuracy", "learned", "validation_accuracy", "test_accuracy", "window_open", "weight_reads", "weight_writes", "random_draws", "saturations"})
	share := func(x float64) string { return strconv.FormatFloat(x, 'f', 6, 64) }
	maybe := func(x *float64) string {
		if x == nil {
			return ""
		}
		return share(*x)
	}
	n := func(x uint64) string { return strconv.FormatUint(x, 10) }
	for _, p := range curve {
		c.Write([]string{strconv.Itoa(p.Epoch), n(p.Samples), share(p.Online), share(p.Learned), maybe(p.Validation), maybe(p.Test), share(p.Open), n(p.Reads), n(p.Writes), n(p.Draws), n(p.Clipped)})
	}
	c.Flush()
	return c.Error()
}

// Activity is the mean number of input spikes of a sample, over the first 1000 of
// set, for learn.Rule.Tune.
func Activity(m *fixedpoint.Model, set *dataset.Set) int64 {
	kind, err := encode.Parse(m.Encoding.Kind)
	if err != nil {
		return 0
	}
	enc := encode.Encoder{Kind: kind, Ticks: m.Ticks, Seed: m.Encoding.Seed}
	var train encode.Train
	n := min(1000, set.Len())
	spikes := 0
	for i := range n {
		enc.Encode(&train, i, set.Image(i))
		spikes += train.Len()
	}
	return int64(spikes / n)
}
