package report_test

import (
	"bytes"
	"strings"
	"testing"

	"glsnn/cmd/glsnn/chart"
	"glsnn/cmd/glsnn/report"
)

func document() *report.Document {
	d := &report.Document{Title: "A <b> & c", Lead: "Lead.", Facts: []report.Fact{{"accuracy", "98 %", "of 10"}}, Foot: "made by hand"}
	s := report.Section{ID: "one", Title: "One"}
	s.Add(report.Text("got %d | <script>alert(1)</script>", 3))
	s.Add((&report.Table{Caption: "Numbers", Head: []string{"name", "n"}, Rows: [][]string{{"a|b", "1"}, {"c*", "2"}}}).Numbers(1).Block())
	s.Add((&report.Table{Caption: "More", Head: []string{"x"}, Rows: [][]string{{"y"}}, Folded: true}).Block())
	s.Add(report.Block{Figures: []report.Figure{{Chart: chart.Bars{Frame: chart.Frame{Title: "T"}, Groups: []string{"a"}, Sets: []chart.BarSet{{Values: []float64{1}}}}, Caption: "What it shows."}}})
	d.Sections = append(d.Sections, s)
	return d
}

// The page is whole, escaped, and loads nothing; both forms have every word.
func TestForms(t *testing.T) {
	var page, md bytes.Buffer
	if err := document().WriteHTML(&page); err != nil {
		t.Fatal(err)
	}
	if err := document().WriteMarkdown(&md); err != nil {
		t.Fatal(err)
	}
	html := page.String()
	for _, bad := range []string{"<script", "http-equiv", "@import", "url(", "src=", "<link", "ZgotmplZ", "<b>"} {
		if strings.Contains(html, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	if n := strings.Count(html, "://"); n != strings.Count(html, `xmlns="http://www.w3.org/2000/svg"`) {
		t.Errorf("the page names %d addresses", n)
	}
	for _, want := range []string{`<html lang="en">`, `scope="col"`, `role="img"`, "<main", "<nav", "<caption>Numbers", "<summary>More", "prefers-color-scheme", "@media print", "A &lt;b&gt; &amp; c"} {
		if !strings.Contains(html, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, want := range []string{"# A &lt;b> & c\n", "## One", "got 3 | &lt;script>", "| name | n |\n|---|---:|\n", `| a\|b | 1 |`, `| c\* | 2 |`, "What it shows.", "made by hand", "| accuracy | 98 % | of 10 |"} {
		if !strings.Contains(md.String(), want) {
			t.Errorf("the Markdown lacks %q:\n%s", want, md.String())
		}
	}
}
