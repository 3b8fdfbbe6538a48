package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"

	"glsnn/cmd/glsnn/chart"
)

// Document is a report.
type Document struct {
	Title    string
	Lead     string // one paragraph
	Facts    []Fact // the figures that come first
	Sections []Section
	Foot     string
}

// Fact is one figure.
type Fact struct{ Name, Value, Note string }

// Section is a heading and what follows it.
type Section struct {
	ID, Title string
	Blocks    []Block
}

// Add appends blocks.
func (s *Section) Add(b ...Block) { s.Blocks = append(s.Blocks, b...) }

// Block is one of a paragraph, a table and a row of charts.
type Block struct {
	Text    string
	Table   *Table
	Figures []Figure
}

// Text is a paragraph.
func Text(format string, args ...any) Block { return Block{Text: fmt.Sprintf(format, args...)} }

// Table is rows under a head. Numbers of a column marked in Right are set to the
// right.
type Table struct {
	Caption string
	Head    []string
	Right   []bool
	Rows    [][]string
	// Folded tables are closed until the reader opens them, and open in print.
	Folded bool
}

// Block is the table as a block.
func (t *Table) Block() Block { return Block{Table: t} }

// Numbers marks all columns but the first n as numbers.
func (t *Table) Numbers(n int) *Table {
	t.Right = make([]bool, len(t.Head))
	for i := n; i < len(t.Right); i++ {
		t.Right[i] = true
	}
	return t
}

// Left marks one column as text after all.
func (t *Table) Left(column int) *Table {
	t.Right[column] = false
	return t
}

// Figure is a chart with what it shows in words.
type Figure struct {
	Chart   chart.Figure
	Caption string
	Wide    bool // over the whole page
}

//go:embed report.html.tmpl
var page string

var pageTemplate = template.Must(template.New("report").Funcs(template.FuncMap{
	"svg":   func(f chart.Figure) template.HTML { return template.HTML(chart.Inline(f)) }, // escaped by package chart
	"css":   func() template.CSS { return template.CSS(chart.CSS) },
	"right": func(t *Table, i int) bool { return i < len(t.Right) && t.Right[i] },
}).Parse(page))

// WriteHTML writes d as one file.
func (d *Document) WriteHTML(w io.Writer) error {
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, d); err != nil {
		return err
	}
	_, err := b.WriteTo(w)
	return err
}

// WriteMarkdown writes d without its charts.
func (d *Document) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s\n", text(d.Title), text(d.Lead))
	if len(d.Facts) > 0 {
		t := &Table{Head: []string{"", "", ""}}
		for _, f := range d.Facts {
			t.Rows = append(t.Rows, []string{f.Name, f.Value, f.Note})
		}
		t.markdown(&b)
	}
	for _, s := range d.Sections {
		fmt.Fprintf(&b, "\n## %s\n", text(s.Title))
		for _, block := range s.Blocks {
			if block.Text != "" {
				fmt.Fprintf(&b, "\n%s\n", text(block.Text))
			}
			if block.Table != nil {
				block.Table.markdown(&b)
			}
			for _, f := range block.Figures {
				fmt.Fprintf(&b, "\n*Chart in the HTML report: %s*\n", text(f.Caption))
			}
		}
	}
	if d.Foot != "" {
		fmt.Fprintf(&b, "\n---\n\n%s\n", text(d.Foot))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (t *Table) markdown(b *strings.Builder) {
	if t.Caption != "" {
		fmt.Fprintf(b, "\n**%s**\n", text(t.Caption))
	}
	b.WriteString("\n")
	line := func(cells []string) {
		for _, c := range cells {
			b.WriteString("| " + strings.ReplaceAll(text(c), "|", `\|`) + " ")
		}
		b.WriteString("|\n")
	}
	line(t.Head)
	for i := range t.Head {
		if i < len(t.Right) && t.Right[i] {
			b.WriteString("|---:")
		} else {
			b.WriteString("|---")
		}
	}
	b.WriteString("|\n")
	for _, r := range t.Rows {
		line(r)
	}
}

// text is s as Markdown that shows it as it is, on one line.
func text(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	return strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "<", "&lt;", "[", `\[`, "#", `\#`).Replace(s)
}
