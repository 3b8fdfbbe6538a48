package course

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"glsnn/fixedpoint"
	"glsnn/fixedpoint/artefact"
	"glsnn/float/dataset"
	"glsnn/float/encode"
)

// WriteCSV writes a learning curve, a line a point, in the fields of Point.
// Accuracies that were not measured are empty.
func WriteCSV(w io.Writer, curve []Point) error {
	c := csv.NewWriter(w)
	c.Write(columns)
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

// columns are those of a curve's CSV file.
var columns = []string{"epoch", "samples", "online_accuracy", "learned", "validation_accuracy", "test_accuracy", "window_open", "weight_reads", "weight_writes", "random_draws", "saturations"}

// ReadCSV reads what WriteCSV wrote; file is for messages.
func ReadCSV(r io.Reader, file string) ([]Point, error) {
	rows, err := csv.NewReader(r).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %v", artefact.ErrCorrupt, file, err)
	}
	if len(rows) == 0 || !slices.Equal(rows[0], columns) {
		got := "nothing"
		if len(rows) > 0 {
			got = strconv.Quote(strings.Join(rows[0], ","))
		}
		return nil, &artefact.LineError{File: file, Line: 1, Field: "header", Got: got, Want: strings.Join(columns, ",")}
	}
	var curve []Point
	for i, row := range rows[1:] {
		var p Point
		bad := -1
		share := func(at int) *float64 {
			if row[at] == "" && (at == 4 || at == 5) {
				return nil
			}
			x, err := strconv.ParseFloat(row[at], 64)
			if err != nil || !(x >= 0 && x <= 1) {
				bad = at
			}
			return &x
		}
		count := func(at int) uint64 {
			x, err := strconv.ParseUint(row[at], 10, 64)
			if err != nil {
				bad = at
			}
			return x
		}
		p.Epoch, p.Samples = int(count(0)), count(1)
		p.Online, p.Learned, p.Validation, p.Test, p.Open = *share(2), *share(3), share(4), share(5), *share(6)
		p.Reads, p.Writes, p.Draws, p.Clipped = count(7), count(8), count(9), count(10)
		if bad >= 0 {
			return nil, &artefact.LineError{File: file, Line: i + 2, Field: columns[bad], Got: strconv.Quote(row[bad]), Want: "a number that a curve has"}
		}
		if n := len(curve); n > 0 && (p.Samples <= curve[n-1].Samples || p.Epoch < curve[n-1].Epoch) {
			return nil, &artefact.LineError{File: file, Line: i + 2, Field: "epoch, samples", Got: row[0] + ", " + row[1], Want: fmt.Sprintf("at least the epoch %d and more than the %d samples of the line before", curve[n-1].Epoch, curve[n-1].Samples)}
		}
		curve = append(curve, p)
	}
	if len(curve) == 0 {
		return nil, &artefact.LineError{File: file, Line: 2, Field: "points", Got: "none", Want: "at least one"}
	}
	return curve, nil
}
