package fixedpoint_test

import (
	"reflect"
	"testing"

	"glsnn/fixedpoint"
	"glsnn/fixedpoint/artefact"
	"glsnn/fixedpoint/fptest"
)

// pair is a valid model of two layers, 3-2-2, in base, read by spike count.
func pair() fixedpoint.Model {
	layer := func(in int, values ...int16) fixedpoint.Layer {
		return fixedpoint.Layer{In: in, Out: 2, Weights: fixedpoint.NewMatrix(in, 2, values), WeightBits: 4, WeightExp: 1,
			CurrentDecay: 8, MembraneDecay: 1, Threshold: 9}
	}
	return fixedpoint.Model{
		Arithmetic: base(), Ticks: 5, Readout: fixedpoint.ReadCount,
		Layers: []fixedpoint.Layer{layer(3, 1, 2, 3, -4, -8, 7), layer(2, 5, -6, 7, 0)},
	}
}

// TestModelInvariants is keyed to the numbers in Model's doc comment.
func TestModelInvariants(t *testing.T) {
	type m = fixedpoint.Model
	noCurrent := func(x *m) {
		x.Arithmetic.Current = fixedpoint.State{}
		x.Layers[0].CurrentDecay, x.Layers[1].CurrentDecay = 0, 0
	}
	for _, c := range []struct {
		invariant int // 0: valid
		edit      func(*m)
		want      []string
	}{
		{0, func(x *m) {}, nil},
		{0, noCurrent, nil},
		{1, func(x *m) { x.Arithmetic.Sum.Bits = 2; x.Ticks = 0 }, []string{"sum.bits: got 2, want 3..32"}},
		{2, func(x *m) { x.Layers = nil }, []string{"layers: got none, want at least one"}},
		{2, func(x *m) { x.Layers[1].In = 3 }, []string{
			"layer 1: inputs: got 3, want the 2 neurons of layer 0", "layer 1: weights: got 2 x 2, want 3 x 2"}},
		{2, func(x *m) { x.Layers[0].In = 0 }, []string{"layer 0: shape: got 0 x 2, want at least 1 x 1"}},
		{3, func(x *m) { x.Layers[0].Weights = fixedpoint.Matrix{} }, []string{"layer 0: weights: got 0 x 0, want 3 x 2"}},
		{3, func(x *m) { x.Layers[0].WeightBits = 5 }, []string{"layer 0: weight_bits: got 5, want 2..4"}},
		{3, func(x *m) { x.Layers[0].WeightBits = 1 }, []string{"layer 0: weight_bits: got 1, want 2..4"}},
		{3, func(x *m) { x.Layers[0].WeightBits = 3 }, []string{
			"layer 0: weights[2][0]: got -8, want -4..3"}},
		{3, func(x *m) { x.Layers[1].Weights = fixedpoint.NewMatrix(2, 2, []int16{0, 8, 0, -9}) }, []string{"layer 1: weights[0][1]: got 8, want -8..7"}},
		{3, func(x *m) { x.Layers[1].Weights = fixedpoint.NewMatrix(2, 2, []int16{0, 7, 0, -999}) }, []string{"layer 1: weights[1][1]: got -999, want -8..7"}},
		{3, func(x *m) { x.Arithmetic.Weight.Signed = false; x.Layers = x.Layers[:1] }, []string{"layer 0: weights[1][1]: got -4, want 0..15"}},
		{3, func(x *m) { x.Layers[0].WeightExp = 3 }, []string{"layer 0: weight_exp: got 3, want 0..2"}},
		{3, func(x *m) { x.Layers[0].WeightExp = -1 }, []string{"layer 0: weight_exp: got -1, want 0..2"}},
		{3, func(x *m) { x.Layers[0].CurrentDecay = 9 }, []string{"layer 0: current_decay: got 9, want 0..8"}},
		{3, func(x *m) { noCurrent(x); x.Layers[1].CurrentDecay = 8 }, []string{"layer 1: current_decay: got 8, want 0: this arithmetic has no synaptic current"}},
		{3, func(x *m) { x.Layers[1].MembraneDecay = -1 }, []string{"layer 1: membrane_decay: got -1, want 0..8"}},
		{3, func(x *m) { x.Layers[0].Threshold = 128 }, []string{"layer 0: threshold: got 128, want a value of u7 from 0 on"}},
		{3, func(x *m) { x.Layers[0].Threshold = -1 }, []string{"layer 0: threshold: got -1, want a value of u7 from 0 on"}},
		{3, func(x *m) {
			x.Arithmetic.Threshold = fixedpoint.Format{Bits: 8, Signed: true}
			x.Layers[0].Threshold = -1
		},
			[]string{"layer 0: threshold: got -1, want a value of s8 from 0 on"}},
		{3, func(x *m) { x.Arithmetic.Threshold = fixedpoint.Format{Bits: 6, Exp: 1}; x.Layers[1].Threshold = 8 },
			[]string{"layer 0: threshold: got 9, want a value of u6e1 from 0 on"}},
		{3, func(x *m) {
			x.Arithmetic.Fire.Resets = []fixedpoint.Reset{fixedpoint.ResetSubtract}
			x.Layers[1].Reset = fixedpoint.ResetSubtract
		},
			[]string{"layer 0: reset: got zero, want one of [subtract]"}},
		{4, func(x *m) { x.Readout = fixedpoint.ReadMembrane }, []string{"layer 1: integrator: got false, want true with read-out membrane"}},
		{0, func(x *m) {
			x.Readout = fixedpoint.ReadMembrane
			x.Layers[1].Integrator = true
			x.Layers[1].Threshold = -5
		}, nil},
		{4, func(x *m) { x.Layers[1].Integrator = true }, []string{"layer 1: integrator: got true, want false with read-out count"}},
		{4, func(x *m) { x.Layers[0].Integrator = true }, []string{"layer 0: integrator: got true, want false with read-out count"}},
		{4, func(x *m) { x.Readout = 2 }, []string{"readout: got 2, want membrane or count"}},
		{5, func(x *m) { x.Ticks = 0 }, []string{"ticks: got 0, want 1..1048576"}},
		{5, func(x *m) { x.Ticks = 1<<20 + 1 }, []string{"ticks: got 1048577, want 1..1048576"}},
		{0, func(x *m) { x.Ticks = 1 << 20 }, nil},
		{5, func(x *m) { x.Layers[1].Out = 1; x.Layers[1].Weights = fixedpoint.NewMatrix(2, 1, []int16{1, 1}) }, []string{"outputs: got 1, want at least 2"}},
		{3, func(x *m) { x.Layers[0].WeightExp, x.Layers[1].MembraneDecay, x.Ticks = 7, 99, -1 }, []string{ // all faults
			"layer 0: weight_exp: got 7, want 0..2", "layer 1: membrane_decay: got 99, want 0..8", "ticks: got -1, want 1..1048576"}},
	} {
		x := pair()
		c.edit(&x)
		got, err := fixedpoint.NewModel(x)
		if !reflect.DeepEqual(lines(err), c.want) {
			t.Errorf("invariant %d: got %q, want %q", c.invariant, lines(err), c.want)
		}
		if (got == nil) != (err != nil) {
			t.Errorf("invariant %d: got model %v with error %v", c.invariant, got, err)
		}
	}
}

// TestModelMechanisms checks the parameters that not every chip has, each in a
// contract that has it and in one that has not.
func TestModelMechanisms(t *testing.T) {
	type m = fixedpoint.Model
	rich := func(x *m) {
		a := &x.Arithmetic
		a.Membrane.Leak = fixedpoint.Leak{Kind: fixedpoint.LeakToZero, Max: 5}
		a.Current.Leak = fixedpoint.Leak{Kind: fixedpoint.LeakConstant, Min: -3, Max: 3}
		a.Bias = fixedpoint.Bias{Present: true, Register: a.Sum, Bits: 3, ExpMax: 1}
		a.Fire.Resets = append([]fixedpoint.Reset{}, fixedpoint.ResetZero, fixedpoint.ResetSubtract, fixedpoint.ResetValue)
		a.Fire.ResetValue = fixedpoint.Format{Bits: 4, Signed: true}
		a.Fire.RefractoryMax, a.AxonDelayMax = 4, 3
		a.Fire.Negative = fixedpoint.Negative{When: fixedpoint.LT, Min: -9, Max: 0, Paired: true,
			Resets: []fixedpoint.NegReset{fixedpoint.NegSaturate, fixedpoint.NegValue, fixedpoint.NegSubtract}}
	}
	for _, c := range []struct {
		rich bool
		edit func(*m)
		want string
	}{
		{true, func(x *m) {}, ""},
		{true, func(x *m) {
			l := &x.Layers[0]
			l.MembraneLeak, l.CurrentLeak, l.Bias, l.ResetValue, l.Refractory, l.Delay = 5, -3, []int64{6, -8}, -8, 4, 3
			l.NegThreshold, l.Reset, l.NegReset = -9, fixedpoint.ResetSubtract, fixedpoint.NegSubtract
		}, ""},
		{false, func(x *m) { x.Layers[0].MembraneLeak = 1 }, "layer 0: membrane_leak: got 1, want 0..0"},
		{true, func(x *m) { x.Layers[0].MembraneLeak = 6 }, "layer 0: membrane_leak: got 6, want 0..5"},
		{true, func(x *m) { x.Layers[1].CurrentLeak = -4 }, "layer 1: current_leak: got -4, want -3..3"},
		{false, func(x *m) { x.Layers[0].Bias = []int64{0, 1} }, "layer 0: bias[1]: got 1, want 0: this arithmetic has no bias"},
		{true, func(x *m) { x.Layers[0].Bias = []int64{1} }, "layer 0: bias: got 1 values, want none or one for each of 2 neurons"},
		{true, func(x *m) { x.Layers[0].Bias = []int64{0, 5} }, "layer 0: bias[1]: got 5, want a mantissa of s3 times 2^(0..1)"},
		{false, func(x *m) { x.Layers[0].ResetValue = 1 }, "layer 0: reset_value: got 1, want 0: this arithmetic has no reset to a value"},
		{true, func(x *m) { x.Layers[0].Reset = fixedpoint.ResetValue; x.Layers[0].ResetValue = 8 }, "layer 0: reset_value: got 8, want a value of s4"},
		{false, func(x *m) { x.Layers[0].Refractory = 1 }, "layer 0: refractory: got 1, want 0..0"},
		{true, func(x *m) { x.Layers[0].Refractory = 5 }, "layer 0: refractory: got 5, want 0..4"},
		{false, func(x *m) { x.Layers[0].NegThreshold = -1 }, "layer 0: neg_threshold: got -1 with saturate, want none: this arithmetic has no negative threshold"},
		{true, func(x *m) { x.Layers[0].NegThreshold = 1 }, "layer 0: neg_threshold: got 1, want -9..0"},
		{true, func(x *m) { x.Layers[0].NegReset = fixedpoint.NegNone }, "layer 0: neg_reset: got none, want one of [saturate value subtract]"},
		{true, func(x *m) { x.Layers[0].NegReset = fixedpoint.NegSubtract }, "layer 0: neg_reset: got subtract with reset zero, want the same mode for both"},
		{true, func(x *m) { x.Layers[0].NegReset = fixedpoint.NegValue; x.Layers[0].ResetValue = 2 }, "layer 0: reset_value: got 2 with reset zero, want 0: the negative reset shares it"},
		{false, func(x *m) { x.Layers[0].Delay = 1 }, "layer 0: delay: got 1, want 0..0"},
		{true, func(x *m) { x.Layers[1].Delay = 1 }, "layer 1: delay: got 1, want 0: the spikes of the last layer go nowhere"},
	} {
		x := pair()
		if c.rich {
			rich(&x)
		}
		c.edit(&x)
		var want []string
		if c.want != "" {
			want = []string{c.want}
		}
		if _, err := fixedpoint.NewModel(x); !reflect.DeepEqual(lines(err), want) {
			t.Errorf("got %q, want %q", lines(err), want)
		}
	}
}

// TestWeightKinds lists the weights that a layer of one axon and two neurons
// may have, beside those of another axon, in each kind.
func TestWeightKinds(t *testing.T) {
	model := func(kind fixedpoint.WeightKind, bits, exp int, w ...int16) error {
		x := pair()
		a := &x.Arithmetic
		a.Weight = fixedpoint.Weight{Kind: kind, Bits: 3, Signed: kind != fixedpoint.WeightSignByAxon, ExpMax: 2}
		if kind == fixedpoint.WeightTypes {
			a.Weight.Types, a.Weight.TableBits, a.Sum.Overflow = 3, 9, fixedpoint.Wrap
		}
		x.Layers = x.Layers[1:]
		x.Layers[0].Weights, x.Layers[0].WeightBits, x.Layers[0].WeightExp = fixedpoint.NewMatrix(2, 2, w), bits, exp
		_, err := fixedpoint.NewModel(x)
		return err
	}
	for _, c := range []struct {
		kind      fixedpoint.WeightKind
		bits, exp int
		w         []int16
		want      string
	}{
		{fixedpoint.WeightInteger, 3, 2, []int16{-4, 3, 3, -4}, ""},
		{fixedpoint.WeightInteger, 4, 2, []int16{1, 2, 3, 4}, "layer 0: weight_bits: got 4, want 2..3"},
		{fixedpoint.WeightTypes, 3, 2, []int16{-4, 3, 3, -4}, ""},
		{fixedpoint.WeightTypes, 3, 2, []int16{-4, 3, 4, -4}, "layer 0: weights[1][0]: got 4, want -4..3"},
		{fixedpoint.WeightSignByAxon, 3, 0, []int16{7, 0, 0, -7}, ""},
		{fixedpoint.WeightSignByAxon, 2, 0, []int16{3, 3, -3, -4}, "layer 0: weights[1][1]: got -4, want -3..0"},
		{fixedpoint.WeightSignByAxon, 3, 0, []int16{7, -1, 1, 1}, "layer 0: weights[0][1]: got -1, want 0..7"},
		{fixedpoint.WeightSignByAxon, 3, 0, []int16{0, -1, -1, 1}, "layer 0: weights[1][1]: got 1, want -7..0"},
		{fixedpoint.WeightMixedSignLSB, 3, 2, []int16{-4, 3, 3, -4}, ""},
		{fixedpoint.WeightMixedSignLSB, 4, 1, []int16{7, 0, 1, 7}, ""},
		{fixedpoint.WeightMixedSignLSB, 4, 1, []int16{0, -7, -1, 0}, ""},
		{fixedpoint.WeightMixedSignLSB, 4, 2, []int16{7, 0, 1, 7}, "layer 0: weight_exp: got 2, want 0..1"},
		{fixedpoint.WeightMixedSignLSB, 4, 1, []int16{7, 0, 1, -1}, "layer 0: weights[1][1]: got -1, want 0..7"},
		{fixedpoint.WeightMixedSignLSB, 4, 1, []int16{8, 0, 1, 1}, "layer 0: weights[0][0]: got 8, want -7..7"},
		{fixedpoint.WeightMixedSignLSB, 5, 1, []int16{1, 1, 1, 1}, "layer 0: weight_bits: got 5, want 2..4"},
	} {
		var want []string
		if c.want != "" {
			want = []string{c.want}
		}
		if err := model(c.kind, c.bits, c.exp, c.w...); !reflect.DeepEqual(lines(err), want) {
			t.Errorf("%s, %d bits, %v: got %q, want %q", c.kind, c.bits, c.w, lines(err), want)
		}
	}
}

// TestModelThereAndBack: encoding loses no parameter, of models of every kind.
func TestModelThereAndBack(t *testing.T) {
	rng := fptest.Rand(t, 10)
	for range 300 {
		m := fptest.RandomModel(rng, fptest.ModelOptions{})
		b, err := m.Bundle()
		if err != nil {
			t.Fatal(err)
		}
		data, err := artefact.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		back, err := fixedpoint.DecodeModel(data, "m")
		if err != nil {
			t.Fatal(err)
		}
		again, err := back.Bundle()
		if err != nil {
			t.Fatal(err)
		}
		if !m.Arithmetic.Equal(back.Arithmetic) || !reflect.DeepEqual(b, again) || !reflect.DeepEqual(m.Layers, back.Layers) {
			t.Fatalf("got %+v, want %+v", back, m)
		}
	}
}

// TestModelKeepsNothing writes to what NewModel was given.
func TestModelKeepsNothing(t *testing.T) {
	values := []int16{1, 2, 3, -4, -8, 7}
	src := pair()
	src.Layers[0].Weights = fixedpoint.NewMatrix(3, 2, values)
	src.Layers[0].Bias = []int64{0, 0}
	src.Arithmetic.Bias = fixedpoint.Bias{Present: true, Register: src.Arithmetic.Sum, Bits: 4}
	m, err := fixedpoint.NewModel(src)
	if err != nil {
		t.Fatal(err)
	}
	values[0] = 5
	src.Layers[0].Threshold = 77
	src.Layers[0].Bias[1] = 3
	src.Arithmetic.Fire.Resets[0] = fixedpoint.ResetSubtract
	if m.Layers[0].Weights.At(0, 0) != 1 || m.Layers[0].Threshold != 9 || m.Layers[0].Bias[1] != 0 || m.Arithmetic.Fire.Resets[0] != fixedpoint.ResetZero {
		t.Errorf("the model changed with its source: %+v", m)
	}
}

func TestModelTotals(t *testing.T) {
	x := pair()
	if x.Inputs() != 3 || x.Outputs() != 2 || x.Neurons() != 4 || x.Synapses() != 10 {
		t.Errorf("got %d inputs, %d outputs, %d neurons, %d synapses", x.Inputs(), x.Outputs(), x.Neurons(), x.Synapses())
	}
}

// TestMatrix goes over both storage types: each value read back by each
// reader, and the narrow type taken exactly when all values fit it.
func TestMatrix(t *testing.T) {
	rng := fptest.Rand(t, 5)
	for i := range 300 {
		rows, cols := rng.IntN(5), rng.IntN(5)
		values := make([]int16, rows*cols)
		narrow := true
		for k := range values {
			values[k] = int16(rng.IntN(256) - 128)
			if i%2 == 1 && rng.IntN(3) == 0 {
				values[k] = []int16{128, -129, 32767, -32768}[rng.IntN(4)]
				narrow = false
			}
		}
		m := fixedpoint.NewMatrix(rows, cols, values)
		if m.Rows() != rows || m.Cols() != cols {
			t.Fatalf("got %d x %d, want %d x %d", m.Rows(), m.Cols(), rows, cols)
		}
		i8, is8 := m.Int8()
		i16, is16 := m.Int16()
		if is8 != narrow || is16 == narrow {
			t.Fatalf("%v: Int8 %v, Int16 %v", values, is8, is16)
		}
		for k, v := range values {
			if got := m.At(k/cols, k%cols); got != int64(v) {
				t.Fatalf("At(%d, %d): got %d, want %d", k/cols, k%cols, got, v)
			}
			if narrow && int16(i8[k]) != v || !narrow && i16[k] != v {
				t.Fatalf("value %d of %v reads back otherwise", k, values)
			}
		}
		got := m.Values()
		if len(got) != len(values) || len(got) > 0 && !reflect.DeepEqual(got, values) {
			t.Fatalf("got %v, want %v", got, values)
		}
		if !m.Equal(fixedpoint.NewMatrix(rows, cols, values)) {
			t.Fatal("not equal to its twin")
		}
		if len(values) > 0 {
			got[0]++ // wraps in int16 at worst: still another value
			if m.Equal(fixedpoint.NewMatrix(rows, cols, got)) || m.At(0, 0) != int64(values[0]) {
				t.Fatal("equal to another, or changed through Values")
			}
		}
		if rows != cols && len(values) > 0 && m.Equal(fixedpoint.NewMatrix(cols, rows, values)) {
			t.Fatal("equal to another shape")
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("NewMatrix took 3 values for 2 x 2")
		}
	}()
	fixedpoint.NewMatrix(2, 2, []int16{1, 2, 3})
}
