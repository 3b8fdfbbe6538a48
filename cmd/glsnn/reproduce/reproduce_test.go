package reproduce

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"glsnn/fixedpoint/artefact"
	"glsnn/float"
	"glsnn/float/dataset"
)

// TestFigures: every case is a training that can be, quick ones are among fewer,
// and no two cases of a figure are the same training.
func TestFigures(t *testing.T) {
	for _, f := range Figures() {
		for _, quick := range []bool{false, true} {
			cases := f.Cases(quick)
			if len(cases) == 0 || len(cases) > len(f.Cases(false)) {
				t.Errorf("%s: got %d cases", f.Name, len(cases))
			}
			seen := map[string]bool{}
			for _, c := range cases {
				n, tc := float.ChipDefaults()
				n.Sizes = slices.Concat([]int{784}, c.Hidden, []int{10})
				tc.Rule, tc.Frozen = c.Rule, c.Frozen
				if c.Gain > 0 {
					tc.Gain = c.Gain
				}
				if err := n.Validate(); err != nil {
					t.Errorf("%s: %v", f.Name, err)
				}
				if err := tc.Validate(); err != nil {
					t.Errorf("%s: %v", f.Name, err)
				}
				if c.Frozen < 0 || c.Frozen > 0 && c.Frozen >= len(c.Hidden) {
					t.Errorf("%s: got %d frozen of %d hidden layers", f.Name, c.Frozen, len(c.Hidden))
				}
				key := Run{Net: n, Train: tc}.Key()
				if seen[key] {
					t.Errorf("%s: %s at %v twice", f.Name, c.Series, c.X)
				}
				seen[key] = true
			}
		}
	}
	if _, err := Find("fig3"); err == nil || err.Error() != `got "fig3", want one of fig4, fig5, fig6, fig7, fig8, fig9, table1, table2, table3` {
		t.Errorf("got %v", err)
	}
}

// TestKey: whatever changes a training's bytes changes its name.
func TestKey(t *testing.T) {
	n, tc := float.ChipDefaults()
	n.Sizes = []int{784, 10, 10}
	base := Run{Net: n, Train: tc, TrainHash: "a", TestHash: "b"}
	if again := base; again.Key() != base.Key() || len(base.Key()) != 16 {
		t.Fatal("a key is not a function of its run")
	}
	for what, change := range map[string]func(*Run){
		"seed": func(r *Run) { r.Train.Seed++ }, "rule": func(r *Run) { r.Train.Rule = float.BP }, "frozen": func(r *Run) { r.Train.Frozen++ },
		"epochs": func(r *Run) { r.Train.Epochs++ }, "sizes": func(r *Run) { r.Net.Sizes = []int{784, 11, 10} }, "data": func(r *Run) { r.TrainHash = "c" },
	} {
		r := base
		change(&r)
		if r.Key() == base.Key() {
			t.Errorf("another %s and the same key", what)
		}
	}
}

// TestRunner: results come in the order of the runs, equal runs train once, what is
// there is not trained again, and a stopped run ends in the bytes of a whole one.
func TestRunner(t *testing.T) {
	train, test, err := dataset.Load("digits", dataset.Options{Train: 200, Test: 50})
	if err != nil {
		t.Fatal(err)
	}
	n, tc := float.ChipDefaults()
	tc.Epochs, tc.Batch, tc.Rule = 3, 20, float.DTP
	n.Sizes = []int{784, 12, 12, 10}
	a := Run{Net: n, Train: tc, TrainHash: train.Hash(), TestHash: test.Hash()}
	b := a
	b.Train.Seed = 2
	var said []string
	runner := func() *Runner {
		said = nil
		return &Runner{Dir: t.TempDir(), Workers: 1, Say: func(format string, _ ...any) { said = append(said, format) }}
	}
	whole := runner()
	results, err := whole.Do(context.Background(), []Run{b, a, b}, train, test, true)
	if err != nil {
		t.Fatal(err)
	}
	if len(said) != 3 || results[0] != results[2] || results[0].Run.Train.Seed != 2 || results[1].Run.Train.Seed != 1 {
		t.Errorf("got results of seeds %d, %d and lines %q", results[0].Run.Train.Seed, results[1].Run.Train.Seed, said)
	}
	if r := results[0]; len(r.History) != 3 || len(r.Seconds) != 3 || r.Best() < r.Last() {
		t.Errorf("got %d epochs, %d timed, best %v, last %v", len(r.History), len(r.Seconds), r.Best(), r.Last())
	}
	said = nil
	if _, err := whole.Do(context.Background(), []Run{a, b}, train, test, true); err != nil || len(said) != 0 {
		t.Errorf("a second time: got lines %q, error %v", said, err)
	}

	stopped := runner()
	for stops := 1; ; stops++ {
		ctx, cancel := context.WithCancel(context.Background())
		batches := 0
		stopped.Begin = func(int) func(int) {
			return func(int) {
				if batches++; batches == 4 {
					cancel()
				}
			}
		}
		_, err := stopped.Do(ctx, []Run{a}, train, test, true)
		cancel()
		if err == nil {
			if stops < 5 {
				t.Errorf("stopped %d times only", stops-1)
			}
			break
		}
	}
	one, err := os.ReadFile(whole.path(a.Key(), ".network"))
	if err != nil {
		t.Fatal(err)
	}
	other, err := os.ReadFile(stopped.path(a.Key(), ".network"))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(one, other) {
		t.Error("stopped and resumed: another network")
	}
	left, _ := filepath.Glob(filepath.Join(stopped.Dir, "runs", "*"))
	if len(left) != 2 || strings.HasSuffix(strings.Join(left, " "), ".ckpt") {
		t.Errorf("left: %q, want a result and a network", left)
	}

	another := func(kind string, err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), "got another run's "+kind) || !errors.Is(err, artefact.ErrCorrupt) {
			t.Errorf("%s: got %v", kind, err)
		}
	}
	move := func(ext string) {
		t.Helper()
		if err := os.Rename(whole.path(a.Key(), ext), whole.path(b.Key(), ext)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := whole.Network(b); err != nil {
		t.Error(err)
	}
	move(".network")
	_, err = whole.Network(b)
	another("network", err)

	move(".result")
	_, err = whole.Do(context.Background(), []Run{b}, train, test, false)
	another("result", err)

	if _, err := whole.start(a, whole.path(a.Key(), ".ckpt"), train); err != nil {
		t.Fatal(err)
	}
	if _, err := whole.start(a, whole.path(a.Key(), ".ckpt"), train); err != nil {
		t.Errorf("its own checkpoint: %v", err)
	}
	move(".ckpt")
	_, err = whole.start(b, whole.path(b.Key(), ".ckpt"), train)
	another("checkpoint", err)
}

func TestNeighbours(t *testing.T) {
	y := [][2]float64{{0, 0}, {0, 1}, {5, 5}, {5, 6}, {5, 6.5}}
	if got := neighbours(y, []uint8{1, 1, 2, 3, 3}); got != 0.8 {
		t.Errorf("got %v, want 4 of 5", got)
	}
}
