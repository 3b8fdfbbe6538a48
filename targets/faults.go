package targets

import (
	"fmt"
	"reflect"
	"strconv"
)

// Faults describe a broken chip, in a YAML file of this form:
//
//	seed: 1
//	dead_neurons:    [{layer: 0, one_in: 10}]              # a tenth never fires
//	stuck_weights:   [{layer: 0, one_in: 20, at: zero}]    # 5 % hold one value for good
//	bit_flips:       [{layer: 0, one_in: 1000}]            # one bit of a weight in 1000 is turned
//	threshold_drift: [{layer: 0, percent: 20}]             # of a layer's threshold
//
// Every list may be left out, the seed may not. Which neurons, weights and bits it
// hits is drawn from the seed: exactly the whole part of n / one_in of n. Package
// emulator/faults applies them.
type Faults struct {
	Seed         int            `json:"seed"`
	DeadNeurons  []DeadNeurons  `json:"dead_neurons" file:"optional"`
	StuckWeights []StuckWeights `json:"stuck_weights" file:"optional"`
	BitFlips     []BitFlips     `json:"bit_flips" file:"optional"`
	Drifts       []Drift        `json:"threshold_drift" file:"optional"`
	SHA256       string         `json:"sha256" file:"-"` // of the file's bytes, in hex
	File         string         `json:"file" file:"-"`

	lines map[string]int
}

// DeadNeurons never fire again.
type DeadNeurons struct {
	Layer int `json:"layer"`
	OneIn int `json:"one_in"`
}

// StuckWeights hold one value and keep it whatever is written.
type StuckWeights struct {
	Layer int     `json:"layer"`
	OneIn int     `json:"one_in"`
	At    StuckAt `json:"at"`
}

// BitFlips turn one bit of some weights over, once.
type BitFlips struct {
	Layer int `json:"layer"`
	OneIn int `json:"one_in"`
}

// Drift changes a layer's threshold by Percent of it, to the nearest that the chip
// has, once.
type Drift struct {
	Layer   int `json:"layer"`
	Percent int `json:"percent"`
}

// StuckAt is the value of a stuck weight.
type StuckAt string

const (
	StuckAtZero    StuckAt = "zero"
	StuckAtLeast   StuckAt = "least"   // of the layer's width
	StuckAtLargest StuckAt = "largest" //
	StuckAtExtreme StuckAt = "extreme" // either end, by draw
	StuckAtOwn     StuckAt = "own"     // what it held
)

// UnmarshalText reads one of the names.
func (s *StuckAt) UnmarshalText(b []byte) error {
	switch t := StuckAt(b); t {
	case StuckAtZero, StuckAtLeast, StuckAtLargest, StuckAtExtreme, StuckAtOwn:
		*s = t
		return nil
	}
	return fmt.Errorf("got %q, want one of %s, %s, %s, %s, %s", b, StuckAtZero, StuckAtLeast, StuckAtLargest, StuckAtExtreme, StuckAtOwn)
}

// LoadFaults reads a faults file.
func LoadFaults(path string) (*Faults, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("faults: %w", err)
	}
	return ParseFaults(data, path)
}

// ParseFaults reads faults from data; path is for messages only. Every fault of
// the file itself is reported, each a [FieldError].
func ParseFaults(data []byte, path string) (*Faults, error) {
	doc, sha, err := document(data, path, "a faults file")
	if err != nil {
		return nil, err
	}
	d := &decoder{path: path, lines: map[string]int{}, nulls: map[string]bool{}}
	f := &Faults{SHA256: sha, File: path, lines: d.lines}
	d.lines[""] = doc.Line
	d.value(doc, "", "", reflect.ValueOf(f).Elem())
	bad := d.faults
	if len(bad) == 0 {
		f.each(func(field string, layer, n, least, most int, what string) {
			if layer < 0 {
				bad = append(bad, f.fault(field+".layer", layer, "0 or more"))
			}
			if n < least || n > most {
				bad = append(bad, f.fault(field+"."+what, n, fmt.Sprintf("%d..%d", least, most)))
			}
		})
		if f.Seed < 0 {
			bad = append(bad, f.fault("seed", f.Seed, "0 or more"))
		}
	}
	if err := join(path, bad); err != nil {
		return nil, err
	}
	return f, nil
}

// Check says whether f is about a network with layers layers, of which the first
// firing fire.
func (f *Faults) Check(layers, firing int) error {
	var bad []*FieldError
	f.each(func(field string, layer, _, _, _ int, what string) {
		most := layers
		if f.needsFiring(field) {
			most = firing
		}
		if layer >= most {
			bad = append(bad, f.fault(field+".layer", layer, fmt.Sprintf("0..%d", most-1)))
		}
	})
	return join(f.File, bad)
}

// needsFiring: a layer that never fires has neither spikes nor a threshold.
func (f *Faults) needsFiring(field string) bool {
	return len(field) > 0 && (field[0] == 'd' || field[0] == 't') // dead_neurons, threshold_drift
}

func (f *Faults) fault(field string, got int, want string) *FieldError {
	return &FieldError{Path: f.File, Line: f.lines[field], Field: field, Got: strconv.Itoa(got), Want: want}
}

// each calls do with every entry, its layer, its number and that number's range and
// name.
func (f *Faults) each(do func(field string, layer, n, least, most int, what string)) {
	const mostIn = 1 << 30
	for i, e := range f.DeadNeurons {
		do(fmt.Sprintf("dead_neurons[%d]", i), e.Layer, e.OneIn, 1, mostIn, "one_in")
	}
	for i, e := range f.StuckWeights {
		do(fmt.Sprintf("stuck_weights[%d]", i), e.Layer, e.OneIn, 1, mostIn, "one_in")
	}
	for i, e := range f.BitFlips {
		do(fmt.Sprintf("bit_flips[%d]", i), e.Layer, e.OneIn, 1, mostIn, "one_in")
	}
	for i, e := range f.Drifts {
		do(fmt.Sprintf("threshold_drift[%d]", i), e.Layer, e.Percent, -99, 1000, "percent")
	}
}
