package course

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"glsnn/emulator/learn"
	"glsnn/fixedpoint"
	"glsnn/fixedpoint/artefact"
	"glsnn/float/dataset"
)

// tinySet is 80 images of 10 x 10 in 4 classes, made of integers alone.
func tinySet() *dataset.Set {
	s := &dataset.Set{Name: "tiny", Rows: 10, Cols: 10, Classes: 4}
	rnd := fixedpoint.NewRandom(fixedpoint.LFSR31(), 1)
	for i := range 80 {
		label := i % 4
		for p := range 100 {
			x := rnd.Draw(5) // noise
			if (p/10/5*2 + p%10/5) == label {
				x += 100 + rnd.Draw(7)
			}
			s.Pixels = append(s.Pixels, uint8(x))
		}
		s.Labels = append(s.Labels, uint8(label))
	}
	return s
}

func tinyCourse(t *testing.T, change func(*learn.Rule), engine Engine) *Course {
	t.Helper()
	set := tinySet()
	m, err := learn.NewModel(fixedpoint.Wide(), []int{100, 24, 16, 4}, learn.ModelOptions{Bits: 8, Ticks: 6, Encoding: fixedpoint.Encoding{Kind: "rate"}})
	if err != nil {
		t.Fatal(err)
	}
	rule := learn.Default(m)
	rule.DropEvery, rule.DropMost = 300, 2
	if change != nil {
		change(&rule)
	}
	rule.Tune(m, Activity(m, set))
	rule.Layers[1].Shift, rule.Layers[2].Shift = rule.Layers[1].Shift-2, rule.Layers[2].Shift-2
	if m, err = rule.Fresh(m, learn.Amplitudes(m)); err != nil {
		t.Fatal(err)
	}
	c, err := New(m, Config{Rule: rule, Epochs: 8, Order: 5, Every: 50}, set, learn.Options{}, engine)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func file(t *testing.T, c *Course) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "c")
	if err := c.Save(path); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// A run ends in the same bytes on every platform: weights, residuals, random
// register. Golden; a change of the rule, of a default or of the order changes it.
func TestGolden(t *testing.T) {
	for _, g := range []struct {
		name, want string
		change     func(*learn.Rule)
	}{
		{"carry", "cfcfed4668685d90", nil},
		{"stochastic", "b2b91493cc86c9e7", func(r *learn.Rule) { r.Round = learn.RoundStochastic }},
		{"per_event", "a7a2ec678f3e4f8b", func(r *learn.Rule) {
			*r = r.ForEvents()
			r.Round = learn.RoundStochastic
			r.Trace = learn.Trace{Bits: 8, Impulse: 16, Decay: fixedpoint.Decay{Kind: fixedpoint.DecayMultiply, FracBits: 4, Round: fixedpoint.TowardZero}, Param: 1}
			for l := range r.Layers {
				r.Layers[l].Shift += 3
			}
			r.Feedback.Source = learn.FeedbackRandom
		}},
		{"low bits", "bd3d48d9c0e0ed8a", func(r *learn.Rule) { r.Low = 4 }},
	} {
		c := tinyCourse(t, g.change, Fast)
		if err := c.Run(context.Background(), Hooks{}); err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		s := c.State()
		for l := range s.Weights {
			binary.Write(&b, binary.LittleEndian, s.Weights[l])
			binary.Write(&b, binary.LittleEndian, s.Residuals[l])
		}
		binary.Write(&b, binary.LittleEndian, s.Random)
		if got := artefact.Hash(b.Bytes())[:16]; got != g.want {
			t.Errorf("%s: got %s, want %s", g.name, got, g.want)
		}
		if last := c.Curve[len(c.Curve)-1]; last.Online < 0.9 {
			t.Errorf("%s: %v right at the end, want nearly all", g.name, last.Online)
		}
	}
}

// A run that is stopped anywhere, saved, and gone on with ends in the same bytes,
// its curve and counters included.
func TestResume(t *testing.T) {
	for _, engine := range []Engine{Fast, Both} {
		whole := tinyCourse(t, nil, engine)
		if err := whole.Run(context.Background(), Hooks{}); err != nil {
			t.Fatal(err)
		}
		want := file(t, whole)
		for _, at := range []int{1, 49, 50, 80, 155} {
			ctx, stop := context.WithCancel(context.Background())
			c := tinyCourse(t, nil, engine)
			if err := c.Run(ctx, Hooks{OnSample: func(done int) {
				if done == at {
					stop()
				}
			}}); !errors.Is(err, ErrInterrupted) {
				t.Fatalf("stopped at %d: %v", at, err)
			}
			path := filepath.Join(t.TempDir(), "c")
			if err := c.Save(path); err != nil {
				t.Fatal(err)
			}
			k, err := Load(path)
			if err != nil {
				t.Fatal(err)
			}
			if c, err = k.Resume(tinySet(), 8, learn.Options{}, engine); err != nil {
				t.Fatal(err)
			}
			if err := c.Run(context.Background(), Hooks{}); err != nil {
				t.Fatal(err)
			}
			if got := file(t, c); !bytes.Equal(got, want) {
				t.Errorf("%s, stopped at %d: ends in other bytes", engine, at)
			}
		}
	}
}

// SaveEvery and epochs call Save at the samples they should.
func TestHooks(t *testing.T) {
	c := tinyCourse(t, nil, Fast)
	c.Config.Epochs = 3
	var saved []int
	done := 0
	err := c.Run(context.Background(), Hooks{OnSample: func(d int) { done = d }, Save: func() error { saved = append(saved, done); return nil }, SaveEvery: 30})
	if err != nil || !slices.Equal(saved, []int{30, 60, 80, 110, 140, 160, 190, 220, 240}) {
		t.Errorf("saved at %v, %v", saved, err)
	}
	var b strings.Builder
	if err := WriteCSV(&b, c.Curve); err != nil {
		t.Fatal(err)
	}
	back, err := ReadCSV(strings.NewReader(b.String()), "c.csv")
	if err != nil || len(back) != len(c.Curve) || back[3].Reads != c.Curve[3].Reads || back[3].Test != nil {
		t.Errorf("read back as %v, %v", back, err)
	}
	if _, err := ReadCSV(strings.NewReader(strings.Replace(b.String(), "1.0", "x.0", 1)), "c.csv"); !errors.Is(err, artefact.ErrCorrupt) {
		t.Errorf("a letter in a number: %v", err)
	}
	lines := strings.SplitAfter(b.String(), "\n")
	for name, text := range map[string]string{"lines in another order": lines[0] + lines[2] + lines[1], "no points": lines[0]} {
		if _, err := ReadCSV(strings.NewReader(text), "c.csv"); !errors.Is(err, artefact.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if lines := strings.Count(b.String(), "\n"); lines != 1+len(c.Curve) || len(c.Curve) != 6 { // 50 and the rest, in each epoch
		t.Errorf("%d lines, %d points:\n%s", lines, len(c.Curve), b.String())
	}
}

func TestLoadRefuses(t *testing.T) {
	c := tinyCourse(t, nil, Fast)
	path := filepath.Join(t.TempDir(), "c")
	if err := c.Save(path); err != nil {
		t.Fatal(err)
	}
	k, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	other := tinySet()
	other.Pixels[7] ^= 1
	if _, err := k.Resume(other, 3, learn.Options{}, Fast); err == nil {
		t.Error("other data is accepted")
	}
	c.got.State().Weights[0][3] = 128
	if err := c.Save(path); err != nil {
		t.Fatal(err)
	}
	if k, err = Load(path); err == nil {
		_, err = k.Resume(tinySet(), 8, learn.Options{}, Fast)
	}
	if !errors.Is(err, artefact.ErrCorrupt) {
		t.Errorf("a weight out of range: got %v", err)
	}
}

func TestShuffle(t *testing.T) {
	a, b := shuffle(100, 1, 0), shuffle(100, 1, 1)
	if slices.Equal(a, b) {
		t.Error("two epochs have the same order")
	}
	slices.Sort(a)
	for i, x := range a {
		if x != i {
			t.Fatalf("not a permutation: %v", a)
		}
	}
}
