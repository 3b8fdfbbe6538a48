package fixedpoint

import (
	"encoding/json"
	"fmt"

	"glsnn/fixedpoint/artefact"
)

// KindModel is the kind of a model file, modelVersion the newest version of its
// layout: body as modelBody, one array "weights<l>" a layer, [in][out], int8
// where all values fit, int16 otherwise. See artefact.Bundle for the container.
const (
	KindModel    = "model"
	modelVersion = 1
)

type modelBody struct {
	Arithmetic Arithmetic  `json:"arithmetic"`
	Ticks      int         `json:"ticks"`
	Encoding   Encoding    `json:"encoding"`
	Readout    Readout     `json:"readout"`
	Layers     []layerBody `json:"layers"`
	Source     Source      `json:"source"`
}

type layerBody struct {
	In            int     `json:"in"`
	Out           int     `json:"out"`
	WeightBits    int     `json:"weight_bits"`
	WeightExp     int     `json:"weight_exp"`
	CurrentDecay  int64   `json:"current_decay"`
	MembraneDecay int64   `json:"membrane_decay"`
	Threshold     int64   `json:"threshold"`
	Reset         Reset   `json:"reset"`
	Integrator    bool    `json:"integrator"`
	Scale         float64 `json:"scale"`

	CurrentLeak  int64    `json:"current_leak"`
	MembraneLeak int64    `json:"membrane_leak"`
	Bias         []int64  `json:"bias"` // null: all 0
	ResetValue   int64    `json:"reset_value"`
	Refractory   int      `json:"refractory"`
	NegThreshold int64    `json:"neg_threshold"`
	NegReset     NegReset `json:"neg_reset"`
	Delay        int      `json:"delay"`
}

// Bundle is the model as it is written to a file.
func (m *Model) Bundle() (artefact.Bundle, error) {
	b := modelBody{Arithmetic: m.Arithmetic, Ticks: m.Ticks, Encoding: m.Encoding, Readout: m.Readout, Source: m.Source}
	out := artefact.Bundle{Kind: KindModel, Version: modelVersion}
	for i, l := range m.Layers {
		b.Layers = append(b.Layers, layerBody{
			l.In, l.Out, l.WeightBits, l.WeightExp, l.CurrentDecay, l.MembraneDecay, l.Threshold, l.Reset, l.Integrator, l.Scale,
			l.CurrentLeak, l.MembraneLeak, l.Bias, l.ResetValue, l.Refractory, l.NegThreshold, l.NegReset, l.Delay,
		})
		name := fmt.Sprintf("weights%d", i)
		if w, ok := l.Weights.Int8(); ok {
			out.Arrays = append(out.Arrays, artefact.NewArray(name, w, l.In, l.Out))
		} else {
			w, _ := l.Weights.Int16()
			out.Arrays = append(out.Arrays, artefact.NewArray(name, w, l.In, l.Out))
		}
	}
	var err error
	out.Body, err = json.Marshal(b)
	return out, err
}

// Save writes the model to path, whole or not at all. The same model gives the
// same bytes.
func (m *Model) Save(path string) error {
	b, err := m.Bundle()
	if err != nil {
		return err
	}
	return artefact.WriteFile(path, b)
}

// Hash is the sha256, in hex, of the file that Save writes.
func (m *Model) Hash() (string, error) {
	b, err := m.Bundle()
	if err != nil {
		return "", err
	}
	data, err := artefact.Marshal(b)
	return artefact.Hash(data), err
}

// LoadModel reads what Save wrote and returns the file's sha256 as well. Errors
// wrap artefact's sentinels, or list every invariant of Model that is broken. A
// large file is mapped: see artefact.MapFile.
func LoadModel(path string) (*Model, string, error) {
	b, err := artefact.MapFile(path, KindModel, modelVersion)
	if err != nil {
		return nil, "", err
	}
	m, err := decodeModel(b)
	return m, b.SHA256, err
}

// DecodeModel is LoadModel for bytes, which the model keeps; file names them in
// errors.
func DecodeModel(data []byte, file string) (*Model, error) {
	b, err := artefact.Decode(data, file, KindModel, modelVersion)
	if err != nil {
		return nil, err
	}
	return decodeModel(b)
}

func decodeModel(b *artefact.Bundle) (*Model, error) {
	var body modelBody
	if err := b.UnmarshalBody(&body); err != nil {
		return nil, err
	}
	m := Model{Arithmetic: body.Arithmetic, Ticks: body.Ticks, Encoding: body.Encoding, Readout: body.Readout, Source: body.Source}
	for i, l := range body.Layers {
		name := fmt.Sprintf("weights%d", i)
		a, err := b.Array(name)
		if err != nil {
			return nil, err
		}
		var weights Matrix
		if a.DType == artefact.Int8 {
			if err := a.CheckShape(l.In, l.Out); err != nil {
				return nil, err
			}
			weights = Matrix{rows: l.In, cols: l.Out}
			weights.i8, _ = a.Int8s()
			if a.Mapped() {
				weights.file = &a
			}
		} else {
			values, err := artefact.Get[int16](b, name, l.In, l.Out)
			if err != nil {
				return nil, err
			}
			weights = NewMatrix(l.In, l.Out, values)
		}
		m.Layers = append(m.Layers, Layer{
			In: l.In, Out: l.Out, Weights: weights, WeightBits: l.WeightBits, WeightExp: l.WeightExp,
			CurrentDecay: l.CurrentDecay, MembraneDecay: l.MembraneDecay, Threshold: l.Threshold, Reset: l.Reset,
			Integrator: l.Integrator, Scale: l.Scale,
			CurrentLeak: l.CurrentLeak, MembraneLeak: l.MembraneLeak, Bias: l.Bias, ResetValue: l.ResetValue,
			Refractory: l.Refractory, NegThreshold: l.NegThreshold, NegReset: l.NegReset, Delay: l.Delay,
		})
	}
	checked, err := NewModel(m)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", b.File, err)
	}
	return checked, nil
}
