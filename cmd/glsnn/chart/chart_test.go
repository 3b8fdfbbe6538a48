package chart_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"glsnn/cmd/glsnn/chart"

	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func samples() map[string]chart.Figure {
	nan := math.NaN()
	spiral := chart.Series{Kind: chart.Points, Note: "7"}
	for i := range 100 {
		sin, cos := math.Sincos(float64(i) / 8)
		spiral.X, spiral.Y = append(spiral.X, float64(i)*cos), append(spiral.Y, float64(i)*sin)
	}
	return map[string]chart.Figure{
		"lines": chart.Plot{
			Frame: chart.Frame{Title: "Accuracy & epochs", Desc: "Two runs; the second has a gap"},
			X:     chart.Axis{Label: "epoch", Whole: true}, Y: chart.Axis{Label: "test accuracy, %"},
			Series: []chart.Series{
				{Name: "glsnn", X: []float64{1, 2, 3, 4}, Y: []float64{95.2, 97, 97.8, 98.1}, Lo: []float64{95, 96.8, 97.7, 98}, Hi: []float64{95.4, 97.3, 97.9, 98.2}},
				{Name: "dfa <b>", X: []float64{1, 2, 3, 4}, Y: []float64{94.2, nan, 97.1, 97.3}},
			},
		},
		"log": chart.Plot{
			Frame: chart.Frame{Title: "Time"},
			X:     chart.Axis{Label: "neurons", Log: true}, Y: chart.Axis{Label: "us", Log: true},
			Series: []chart.Series{{Kind: chart.Points, X: []float64{100, 1000, 20000, 0}, Y: []float64{3, 40, 700, 5}, Lo: []float64{2, 30, 600, 1}, Hi: []float64{4, 60, 800, 9}}},
		},
		"histogram": chart.Plot{
			Frame:  chart.Frame{Title: "Weights"},
			X:      chart.Axis{Label: "weight"},
			Series: []chart.Series{{Name: "float", Kind: chart.Steps, X: []float64{-2, -1, 0, 1, 2}, Y: []float64{1, 7, 9, 2}}, {Name: "fixed", Kind: chart.Steps, X: []float64{-2, -1, 0, 1, 2}, Y: []float64{0, 8, nan, 2}}},
		},
		"clusters": chart.Plot{Series: []chart.Series{spiral}},
		"bars": chart.Bars{
			Frame: chart.Frame{Title: "Points lost"}, Value: chart.Axis{Label: "points"}, Groups: []string{"8", "4", "2"},
			Sets: []chart.BarSet{{Name: "seed 1", Values: []float64{-.1, .2, 9}, Lo: []float64{-.2, .1, 7}, Hi: []float64{0, .3, 11}}, {Name: "seed 2", Values: []float64{0, .3, nan}}},
		},
		"stacked": chart.Bars{
			Frame: chart.Frame{Title: "Energy"}, Value: chart.Axis{Label: "uJ"}, Groups: []string{"layer 0", "layer 1"}, Stacked: true, Lying: true,
			Sets: []chart.BarSet{{Name: "synapses", Values: []float64{30, 10}}, {Name: "neurons", Values: []float64{2, 5}}},
		},
		"heat": chart.Heat{
			Frame: chart.Frame{Title: "Confusion"}, X: chart.Axis{Label: "class"}, Y: chart.Axis{Label: "true class"}, Label: "samples", Log: true, Texts: true,
			Values: [][]float64{{980, 2, 0}, {1, 1130, nan}, {0, 5, 990}},
		},
		"mesh": chart.Mesh{
			Frame: chart.Frame{Title: "Cores"}, Tiles: [][]float64{{10, 4}, {nan, 7, 1}}, Texts: [][]string{{"L0\n10", "L1"}},
			Links: []chart.MeshLink{{0, 0, 1, 0, 50}, {1, 0, 0, 0, 20}, {1, 0, 1, 1, 5}, {1, 1, 1, 0, 50}}, Label: "spikes", LinkLabel: "messages",
		},
		"raster": chart.Raster{
			Frame: chart.Frame{Title: "Spikes"}, Ticks: 10, Layers: []chart.RasterLayer{{"input", 20}, {"hidden", 10}},
			Spikes: []chart.RasterSpike{{0, 3, 0}, {0, 19, 9}, {1, 4, 5}, {1, 99, 5}, {7, 0, 0}, {0, 0, -1}},
		},
	}
}

// TestGolden pins the bytes: the same chart is the same file everywhere.
func TestGolden(t *testing.T) {
	for name, f := range samples() {
		var b bytes.Buffer
		if err := chart.Write(&b, f); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join("testdata", name+".svg")
		if *update {
			if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b.Bytes(), want) {
			t.Errorf("%s: not the golden file's bytes; look at it, then -update", name)
		}
		if bytes.Contains(want, []byte("var(")) {
			t.Errorf("%s: has a CSS variable, which programs that draw SVG for print leave undrawn", name)
		}
	}
}

func wellFormed(s string) error {
	d := xml.NewDecoder(strings.NewReader(s))
	for {
		if _, err := d.Token(); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}

func sound(t interface{ Fatalf(string, ...any) }, f chart.Figure) {
	s := chart.Inline(f)
	if err := wellFormed(s); err != nil {
		t.Fatalf("%v in %.600s", err, s)
	}
	for _, bad := range []string{"NaN", "Inf", "<b>"} {
		if strings.Contains(s, bad) {
			t.Fatalf("%q in %.600s", bad, s)
		}
	}
}

// TestAnyNumbers draws charts of numbers of every kind and size: the files stay
// well formed, with coordinates that are numbers.
func TestAnyNumbers(t *testing.T) {
	number := rapid.OneOf(rapid.Float64Range(-1e3, 1e3), rapid.Float64(),
		rapid.SampledFrom([]float64{0, 1, -1, 1e-300, 5e-324, 1e308, -1e308, math.NaN(), math.Inf(1), math.Inf(-1), 1e149}))
	list := rapid.SliceOfN(number, 0, 12)
	text := rapid.SampledFrom([]string{"", "a", "<b>&\"'", "\x00\xff", strings.Repeat("long ", 40)})
	rapid.Check(t, func(t *rapid.T) {
		axis := func(n string) chart.Axis {
			return chart.Axis{Label: text.Draw(t, n), Log: rapid.Bool().Draw(t, n+" log"), Min: number.Draw(t, n+" min"), Max: number.Draw(t, n+" max")}
		}
		frame := chart.Frame{Title: text.Draw(t, "title"), Desc: text.Draw(t, "desc")}
		var series []chart.Series
		var sets []chart.BarSet
		var rows [][]float64
		for range rapid.IntRange(0, 3).Draw(t, "series") {
			series = append(series, chart.Series{Name: text.Draw(t, "name"), Kind: chart.Kind(rapid.IntRange(0, 2).Draw(t, "kind")),
				X: list.Draw(t, "x"), Y: list.Draw(t, "y"), Lo: list.Draw(t, "lo"), Hi: list.Draw(t, "hi"), Note: text.Draw(t, "note")})
			sets = append(sets, chart.BarSet{Name: text.Draw(t, "name"), Values: list.Draw(t, "values"), Lo: list.Draw(t, "lo"), Hi: list.Draw(t, "hi")})
			rows = append(rows, list.Draw(t, "row"))
		}
		x, y := axis("x"), axis("y")
		sound(t, chart.Plot{Frame: frame, X: x, Y: y, Series: series})
		groups := rapid.SliceOfN(text, 0, 8).Draw(t, "groups")
		sound(t, chart.Bars{Frame: frame, Value: y, Groups: groups, Sets: sets, Stacked: rapid.Bool().Draw(t, "stacked"), Lying: rapid.Bool().Draw(t, "lying")})
		sound(t, chart.Mesh{Frame: frame, Tiles: rows, Texts: [][]string{groups}, Label: "a", LinkLabel: "b", Links: []chart.MeshLink{{0, 0, 1, 0, number.Draw(t, "load")}, {0, 1, 0, 0, number.Draw(t, "load")}}})
		sound(t, chart.Heat{Frame: frame, X: x, Y: chart.Axis{Names: groups}, Values: rows, Log: rapid.Bool().Draw(t, "log"), Texts: true})
	})
}

func TestNoData(t *testing.T) {
	for _, f := range []chart.Figure{chart.Plot{}, chart.Bars{}, chart.Bars{Groups: []string{"a"}, Lying: true}, chart.Heat{}, chart.Raster{}, chart.Mesh{}} {
		sound(t, f)
		if !strings.Contains(chart.Inline(f), "no data") {
			t.Errorf("%T: nothing says that there is no data", f)
		}
	}
}
