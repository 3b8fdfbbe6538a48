package bench

import (
	"context"
	"strings"
	"testing"
	"time"

	"glsnn/fixedpoint/tier"
	"glsnn/float/dataset"
)

func options(t testing.TB, images int) Options {
	t.Helper()
	set, err := dataset.Digits("digits", true, images, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	return Options{Set: set, Tiers: tier.All(), Workers: 2}
}

// BenchmarkCases is every case of glsnn bench, for benchstat.
func BenchmarkCases(b *testing.B) {
	for _, c := range Cases(options(b, 1000)) {
		if c.start == nil {
			continue
		}
		b.Run(c.Key, func(b *testing.B) {
			defer tier.Use(tier.Use(c.Tier))
			work, run, err := c.start()
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				run()
			}
			b.ReportMetric(c.figure(work*float64(b.N), b.Elapsed().Seconds()), strings.ReplaceAll(c.Unit, " ", ""))
		})
	}
}

// TestMeasure runs every case for a moment: keys differ, limits are cases, and
// every figure is a number above 0.
func TestMeasure(t *testing.T) {
	if testing.Short() {
		t.Skip("short")
	}
	cases := Cases(options(t, 100))
	seen := map[string]bool{}
	for _, c := range cases {
		if seen[c.Key] {
			t.Errorf("two cases %s", c.Key)
		}
		seen[c.Key] = true
	}
	figures, err := Measure(context.Background(), cases, 1, time.Microsecond, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range figures {
		if !(f.Value > 0 && f.Low <= f.Value && f.Value <= f.High) {
			t.Errorf("%+v", f)
		}
		if fma := tier.All()[len(tier.All())-1] != tier.Portable; cases[i].limit != nil && fma && !(f.Limit > 0 && f.Share > 0) {
			t.Errorf("no limit: %+v", f)
		}
	}
	stopped, stop := context.WithCancel(context.Background())
	stop()
	if _, err := Measure(stopped, cases, 1, 0, nil); err != context.Canceled {
		t.Errorf("got %v", err)
	}
}

func TestSweeps(t *testing.T) {
	if testing.Short() {
		t.Skip("short")
	}
	sweeps, err := Sweeps(context.Background(), Rates{1e10, 1e10, 1e9}, true, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sweeps {
		for _, p := range s.Points {
			if !(p.Seconds > 0 && p.PredictedSeconds > 0 && p.Bytes > 0 && p.PredictedBytes > 0) || p.Updates == 0 {
				t.Errorf("%s: %+v", s.Over, p)
			}
			if p.Bytes > 1.5*p.PredictedBytes || p.PredictedBytes > 1.5*p.Bytes {
				t.Errorf("%s %v: %v bytes, predicted %v", s.Over, p.X, p.Bytes, p.PredictedBytes)
			}
		}
	}
}
