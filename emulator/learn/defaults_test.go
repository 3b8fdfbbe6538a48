package learn_test

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"glsnn/emulator/learn"
	"glsnn/fixedpoint"
	"glsnn/fixedpoint/artefact"
	"glsnn/fixedpoint/fptest"
	"glsnn/targets"
)

// In the arithmetic of every shipped chip a network can be made and learns, or is
// refused with a reason; the list says which.
func TestDefaultsOnEveryTarget(t *testing.T) {
	refused := map[string]string{
		"odin": "it may change a weight's sign", "odin-event": "it may change a weight's sign",
		"toy": "", // widths of 4 bits want a threshold that its 6-bit membranes do not reach
	}
	rng := fptest.Rand(t, 64)
	for _, name := range targets.Names() {
		chip, err := targets.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		if chip.Known("arithmetic") != nil {
			continue
		}
		o := learn.ModelOptions{Bits: min(8, chip.Arithmetic.Weight.Bits), Ticks: 8, Readout: fixedpoint.ReadCount, Encoding: fixedpoint.Encoding{Kind: "rate"}}
		m, err := learn.NewModel(chip.Arithmetic, []int{40, 12, 4}, o)
		var e *learn.Learner
		if err == nil {
			r := learn.Default(m)
			if m, err = r.Fresh(m, learn.Amplitudes(m)); err == nil {
				e, err = learn.New(m, r, r.Start(m), learn.Options{Delay: chip.Fabric.LayerDelay > 0})
			}
		}
		if _, want := refused[name]; want != (err != nil) {
			t.Errorf("%s: got %v, want refused %v", name, err, want)
		}
		if err != nil {
			t.Logf("%s: %v", name, err)
			continue
		}
		for i := range 20 {
			if _, err := e.Learn(fptest.RandomTrain(rng, 8, 40, 0.5), i%4); err != nil {
				t.Fatal(err)
			}
		}
		if c := e.Counters(); c.Learned == 0 || c.Totals().Writes == 0 {
			t.Errorf("%s: %d samples learned from, no weight changed", name, c.Learned)
		}
	}
}

// Feedback weights fill their format, and no neuron has more than half a step of
// mean left over the outputs, where nothing was clipped.
func TestFeedback(t *testing.T) {
	m := wideModel(t, 30, 50, 40, 10)
	r := learn.Default(m)
	r.SetFeedback(6)
	for l, b := range r.NewFeedback(m) {
		if (b == nil) != (l > 0) { // layer 1 takes the output's weights, layer 2 is the output
			t.Fatalf("layer %d: table %v", l, b != nil)
		}
		if b == nil {
			continue
		}
		n := m.Layers[l].Out
		lo, hi := slices.Min(b), slices.Max(b)
		if lo < -31 || hi > 31 || lo > -25 || hi < 25 {
			t.Errorf("weights of %d..%d, want nearly -31..31", lo, hi)
		}
		for i := range n {
			sum, clipped := int32(0), false
			for k := range 10 {
				sum += b[k*n+i]
				clipped = clipped || b[k*n+i] == 31 || b[k*n+i] == -31
			}
			if !clipped && (sum < -5 || sum > 5) {
				t.Errorf("neuron %d: sum %d over ten outputs", i, sum)
			}
		}
	}
	r.SetFeedback(2)
	if r.Feedback.Exp != 4 {
		t.Errorf("ternary weights stand for 2^%d, want 2^4", r.Feedback.Exp)
	}
}

// The shift of a first layer by the activity of the data: see Tune.
func TestTune(t *testing.T) {
	m := wideModel(t, 30, 50, 10)
	for spikes, want := range map[int64]int{0: 8, 300: 6, 723: 7, 724: 8, 1447: 8, 1448: 9, 2896: 10} {
		r := learn.Default(m)
		if r.Tune(m, spikes); r.Layers[0].Shift != want || r.Layers[1].Shift != 8 {
			t.Errorf("%d spikes: shifts %d and %d, want %d and 8", spikes, r.Layers[0].Shift, r.Layers[1].Shift, want)
		}
	}
}

// Learning tables, there and back; whatever is changed in one form is found.
func TestTables(t *testing.T) {
	m := wideModel(t, 30, 6, 5, 4)
	r := learn.Default(m)
	r.Feedback.Source = learn.FeedbackRandom
	s := r.Start(m)
	s.Samples = 77
	files, err := r.Tables(m, s)
	if err != nil {
		t.Fatal(err)
	}
	folder := func(change func(name, text string) string) fs.FS {
		f := fstest.MapFS{}
		for _, x := range files {
			f[x.Name] = &fstest.MapFile{Data: []byte(change(x.Name, string(x.Data)))}
		}
		return f
	}
	back, err := learn.ReadTables(folder(func(_, text string) string { return text }), "t", m)
	if err != nil {
		t.Fatal(err)
	}
	if err := back.Same(r, m, s); err != nil || back.Entries != 4*(6+5) {
		t.Errorf("%d entries, %v", back.Entries, err)
	}
	other := s
	other.Random ^= 2
	if back.Same(r, m, other) == nil {
		t.Error("another random register is the same")
	}
	if _, err := learn.ReadTables(fstest.MapFS{}, "t", m); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no tables: got %v", err)
	}
	for _, c := range []struct{ file, old, new string }{
		{"learning/feedback_0.csv", "\n1,", "\n1,9"},
		{"learning/feedback_1.csv", "3,", "4,"},
		{"learning/feedback_0.mem", "\n", "\n0"},
		{"learning/feedback_1.mem", "//", "/"},
		{"learning/rule.json", "\"mode\"", "\"mood\""},
		{"learning/rule.json", "\"random\": ", "\"random\": 9"},
	} {
		f := folder(func(name, text string) string {
			if name == c.file {
				if changed := strings.Replace(text, c.old, c.new, 1); changed != text {
					return changed
				}
				t.Fatalf("%s does not hold %q", name, c.old)
			}
			return text
		})
		if _, err := learn.ReadTables(f, "t", m); !errors.Is(err, artefact.ErrCorrupt) {
			t.Errorf("%s, %q for %q: got %v", c.file, c.new, c.old, err)
		}
	}
}
