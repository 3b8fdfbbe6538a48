package learn

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"glsnn/fixedpoint"
	"glsnn/fixedpoint/artefact"
)

// File is one file of learning tables, its name below a table folder.
type File struct {
	Name string
	Data []byte
}

// rulesFile is learning/rule.json.
type rulesFile struct {
	Rule    Rule   `json:"rule"`
	Random  uint32 `json:"random"`  // the random register to go on from
	Samples uint64 `json:"samples"` // m
	Layers  []int  `json:"neurons"` // of each layer
}

const rulesName = "learning/rule.json"

func feedbackName(l int) string { return fmt.Sprintf("learning/feedback_%d", l) }

// Tables are what a chip loads to go on learning from state s, beside its network:
//
//	learning/rule.json        every constant of the rule, the random register, m
//	learning/feedback_0.csv   B of hidden layer 0: a row an output, a column a neuron
//	learning/feedback_0.mem   the same as a $readmemh image, a word an entry in
//	                          two's complement, outputs then neurons, no address lines
//
// Layers whose errors come by the output's own weights have no table.
func (r *Rule) Tables(m *fixedpoint.Model, s State) ([]File, error) {
	k := rulesFile{Rule: *r, Random: s.Random, Samples: s.Samples}
	for _, l := range m.Layers {
		k.Layers = append(k.Layers, l.Out)
	}
	data, err := json.MarshalIndent(k, "", "  ")
	if err != nil {
		return nil, err
	}
	files := []File{{rulesName, append(data, '\n')}}
	for l, b := range r.NewFeedback(m) {
		if b == nil {
			continue
		}
		n := m.Layers[l].Out
		var csv, mem bytes.Buffer
		csv.WriteString(header(n) + "\n")
		fmt.Fprintf(&mem, "// feedback of hidden layer %d: %d outputs x %d neurons, %d bits\n", l, m.Outputs(), n, r.Feedback.Bits)
		for at, x := range b {
			if at%n == 0 {
				fmt.Fprintf(&csv, "%d", at/n)
			}
			fmt.Fprintf(&csv, ",%d", x)
			if at%n == n-1 {
				csv.WriteByte('\n')
			}
			mem.WriteString(r.Feedback.word(x) + "\n")
		}
		files = append(files, File{feedbackName(l) + ".csv", csv.Bytes()}, File{feedbackName(l) + ".mem", mem.Bytes()})
	}
	return files, nil
}

// header is the first line of a table of n neurons.
func header(n int) string {
	var s strings.Builder
	s.WriteString("output")
	for i := range n {
		fmt.Fprintf(&s, ",n%d", i)
	}
	return s.String()
}

// word is a feedback weight in an image.
func (f FeedbackFormat) word(x int32) string {
	return fmt.Sprintf("%0*x", (f.Bits+3)/4, uint32(x)&(1<<f.Bits-1))
}

// ReadBack is what learning tables say.
type ReadBack struct {
	Rule     Rule
	Random   uint32
	Samples  uint64
	Feedback []Feedback // of each layer; nil without a table
	Entries  int        // of all tables
}

// ReadTables reads what Tables made, for network m, from a table folder; dir names it
// in messages. It returns fs.ErrNotExist where the folder has no learning tables. Both
// forms of a table must agree. Errors wrap artefact.ErrCorrupt.
func ReadTables(folder fs.FS, dir string, m *fixedpoint.Model) (*ReadBack, error) {
	fault := func(file string, line int, field string, got any, want string) error {
		return &artefact.LineError{File: dir + "/" + file, Line: line, Field: field, Got: fmt.Sprint(got), Want: want}
	}
	data, err := fs.ReadFile(folder, rulesName)
	if err != nil {
		return nil, err
	}
	var k rulesFile
	if err := artefact.DecodeJSON(dir+"/"+rulesName, data, "the keys of a rule file", &k); err != nil {
		return nil, err
	}
	if err := k.Rule.Validate(m); err != nil {
		return nil, fmt.Errorf("%w: %s/%s: %w", artefact.ErrCorrupt, dir, rulesName, err)
	}
	if most := uint32(uint64(1)<<k.Rule.Random.Bits - 1); k.Random == 0 || k.Random > most {
		return nil, fault(rulesName, 0, "random", k.Random, fmt.Sprintf("1..%d", most))
	}
	t := &ReadBack{Rule: k.Rule, Random: k.Random, Samples: k.Samples, Feedback: make([]Feedback, len(m.Layers))}
	for l := range m.Layers {
		if !k.Rule.randomFeedback(l, len(m.Layers)) {
			continue
		}
		n, outputs := m.Layers[l].Out, m.Outputs()
		b, err := readFeedback(folder, feedbackName(l)+".csv", n, outputs, k.Rule.Feedback.Bits, fault)
		if err != nil {
			return nil, err
		}
		name := feedbackName(l) + ".mem"
		image, err := fs.ReadFile(folder, name)
		if err != nil {
			return nil, err
		}
		lines := strings.Split(strings.TrimSuffix(string(image), "\n"), "\n")
		if len(lines) != 1+len(b) || !strings.HasPrefix(lines[0], "//") {
			return nil, fault(name, 0, "lines", len(lines), fmt.Sprintf("a comment and %d words", len(b)))
		}
		for at, word := range lines[1:] {
			if want := k.Rule.Feedback.word(b[at]); word != want {
				return nil, fault(name, at+2, "word", strconv.Quote(word[:min(len(word), 40)]), want+" as in the .csv")
			}
		}
		t.Feedback[l] = b
		t.Entries += len(b)
	}
	return t, nil
}

func readFeedback(folder fs.FS, name string, n, outputs, bits int, fault func(file string, line int, field string, got any, want string) error) (Feedback, error) {
	data, err := fs.ReadFile(folder, name)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	if len(lines) != 1+outputs {
		return nil, fault(name, 0, "lines", len(lines), strconv.Itoa(1+outputs))
	}
	if lines[0] != header(n) {
		return nil, fault(name, 1, "header", strconv.Quote(lines[0][:min(len(lines[0]), 40)]), fmt.Sprintf("output and n0 to n%d", n-1))
	}
	most := int64(1)<<(bits-1) - 1
	var b Feedback
	for k, line := range lines[1:] {
		fields := strings.Split(line, ",")
		if len(fields) != 1+n || fields[0] != strconv.Itoa(k) {
			return nil, fault(name, k+2, "row", strconv.Quote(line[:min(len(line), 40)]), fmt.Sprintf("%d and %d weights", k, n))
		}
		for i, field := range fields[1:] {
			x, err := strconv.ParseInt(field, 10, 32)
			if err != nil || x < -most || x > most || strconv.FormatInt(x, 10) != field {
				return nil, fault(name, k+2, fmt.Sprintf("n%d", i), strconv.Quote(field), fmt.Sprintf("%d..%d", -most, most))
			}
			b = append(b, int32(x))
		}
	}
	return b, nil
}

// Same says whether the tables are those of r and s for network m: B is that which r
// draws from its seed.
func (t *ReadBack) Same(r Rule, m *fixedpoint.Model, s State) error {
	a, errA := json.Marshal(t.Rule)
	b, errB := json.Marshal(r)
	if err := errors.Join(errA, errB); err != nil {
		return err
	}
	if !bytes.Equal(a, b) {
		return fmt.Errorf("learning tables: rule: got %s, want %s", a, b)
	}
	if t.Random != s.Random || t.Samples != s.Samples {
		return fmt.Errorf("learning tables: random register and samples: got %d and %d, want %d and %d", t.Random, t.Samples, s.Random, s.Samples)
	}
	return t.Drawn(m)
}

// Drawn says whether B is that which the tables' own rule draws from its seed.
func (t *ReadBack) Drawn(m *fixedpoint.Model) error {
	for l, b := range t.Rule.NewFeedback(m) {
		for at, want := range b {
			if got := t.Feedback[l][at]; got != want {
				return fmt.Errorf("learning tables: feedback of layer %d, output %d, neuron %d: got %d, want %d, which seed %d draws", l, at/m.Layers[l].Out, at%m.Layers[l].Out, got, want, t.Rule.Seed)
			}
		}
	}
	return nil
}
