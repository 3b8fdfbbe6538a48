package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"glsnn/cmd/glsnn/report"
	"glsnn/emulator"
	"glsnn/emulator/parity"
	"glsnn/fixedpoint"
	"glsnn/fixedpoint/artefact"
	"glsnn/fixedpoint/quantize"
	"glsnn/float"
	"glsnn/float/dataset"
)

type reportOptions struct {
	dir, network, model, tables, sweep string
	target, out                        string
	bits, show                         string
	plan                               planFlags
	data                               dataFlags
}

func newReport(a *app) *cobra.Command {
	o := &reportOptions{}
	cmd := &cobra.Command{
		Use:   "report [DIR]",
		Short: "Write what there is to know of a model as one HTML file, and as Markdown",
		Long: `Write what there is to know of a model as one HTML file, and as Markdown.

DIR holds what the other commands wrote: network.glsnn, model.glsnn and, if there
are, tables and sweep.jsonl; the flags name others. The samples are run in float,
as integers on the target, and at each of --bits, and shown are: accuracy with the
confusion matrix, the widths, rates, spikes and membranes of single samples,
weights before and after quantisation, the cores with the loads of their links,
cycles and energy by component with the source of every constant, accuracy against
energy, and the hash of every input.

The HTML file needs nothing else: no network, no scripts. The Markdown file beside
it has the same words and numbers.`,
		Example: "  glsnn report\n  glsnn report run7 --target loihi -o run7.html\n  glsnn report --samples 10000 --bits 2,3,4,6,8 --show 0,7",
		Args:    wantArgs(0, 1, "at most one DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.dir = "."
			if len(args) == 1 {
				o.dir = args[0]
			}
			r, err := a.report(cmd.Context(), o)
			if err != nil {
				return err
			}
			return a.result(r, func(w io.Writer) {
				fmt.Fprintf(w, "wrote %s\t%d kB\n", r.HTML, (r.Bytes+999)/1000)
				fmt.Fprintf(w, "wrote %s\n", r.Markdown)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.network, "network", "", "float network (default: network.glsnn in DIR)")
	f.StringVar(&o.model, "model", "", "integer model (default: model.glsnn in DIR)")
	f.StringVar(&o.tables, "tables", "", "table folder that names target and cores (default: tables in DIR, if there)")
	f.StringVar(&o.sweep, "sweep", "", "results of 'glsnn sweep' (default: sweep.jsonl in DIR, if there)")
	f.StringVar(&o.target, "target", "", "a name of 'glsnn targets list' or a YAML file (default: that of the tables or of the model)")
	f.StringVarP(&o.out, "out", "o", "", "HTML file to write, with the Markdown beside it (default: report.html in DIR)")
	f.StringVar(&o.bits, "bits", "2,3,4,5,6,8", "widths of the comparison; empty for none")
	f.StringVar(&o.show, "show", "", "samples whose spikes are drawn (default: the first that is classified rightly, and the first that is not)")
	o.plan.register(cmd)
	o.data.register(cmd, "test", 1000, "run so many samples; 0 for all")
	return cmd
}

type reportResult struct {
	HTML     string `json:"html"`
	Markdown string `json:"markdown"`
	Bytes    int64  `json:"html_bytes"`
}

// reporting is what the sections are made of.
type reporting struct {
	*app
	o                      *reportOptions
	net                    *float.Network
	model                  *fixedpoint.Model
	networkHash, modelHash string
	p                      *placement
	spec                   string // how the target was named
	set                    *dataset.Set
	float                  []int // classes
	check                  *parity.Report
	run                    *measured
	widths                 []widthPoint
	swept                  []sweepResult
	show                   []int
	doc                    report.Document
	tablesHash             string
}

// mostShown bounds the samples that are drawn, and with them the page.
const mostShown = 8

// widthPoint is the network at one width, on the samples.
type widthPoint struct {
	Bits     int
	Accuracy float64
	Lo, Hi   float64 // 95 % interval
	EnergyPJ *float64
	SynOps   float64
	Stored   int64  // bits of synapse memory
	Refused  string // why the target cannot hold it
}

func (a *app) report(ctx context.Context, o *reportOptions) (*reportResult, error) {
	r := &reporting{app: a, o: o}
	if err := r.read(ctx); err != nil {
		return nil, err
	}
	if err := r.measureAll(ctx); err != nil {
		return nil, err
	}
	r.write()
	md := strings.TrimSuffix(o.out, filepath.Ext(o.out)) + ".md"
	if err := cmp.Or(
		artefact.WriteAtomic(md, r.doc.WriteMarkdown),
		artefact.WriteAtomic(o.out, r.doc.WriteHTML),
	); err != nil {
		return nil, err
	}
	info, err := os.Stat(o.out)
	if err != nil {
		return nil, err
	}
	return &reportResult{o.out, md, info.Size()}, nil
}

// there is a file of the folder, "" if it is not there.
func (o *reportOptions) there(name string) string {
	path := filepath.Join(o.dir, name)
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	return path
}

// read loads the inputs and refuses what cannot be done before anything is run.
func (r *reporting) read(ctx context.Context) (err error) {
	o := r.o
	if !isDir(o.dir) {
		return usage("DIR: got %s, which is no folder", o.dir)
	}
	o.network = cmp.Or(o.network, filepath.Join(o.dir, defaultNetwork))
	o.model = cmp.Or(o.model, filepath.Join(o.dir, defaultModel))
	o.tables = cmp.Or(o.tables, o.there(defaultTables))
	o.sweep = cmp.Or(o.sweep, o.there(defaultSweep))
	o.out = cmp.Or(o.out, filepath.Join(o.dir, "report.html"))
	if ext := filepath.Ext(o.out); ext != ".html" && ext != ".htm" {
		return usage("-o: got %s, want a name that ends in .html", o.out)
	}
	if err := writable(o.out, append(o.plan.inputs(), o.network, o.model, o.sweep, o.target)...); err != nil {
		return err
	}
	var bits []int
	if o.bits != "" {
		if bits, err = parseBits(o.bits); err != nil {
			return err
		}
	}
	for _, b := range bits {
		r.widths = append(r.widths, widthPoint{Bits: b})
	}
	if o.show != "" {
		for field := range strings.SplitSeq(o.show, ",") {
			i, err := strconv.Atoi(strings.TrimSpace(field))
			if err != nil || i < 0 {
				return usage("--show: got %q, want numbers of samples, separated by commas", o.show)
			}
			r.show = append(r.show, i)
		}
		if len(r.show) > mostShown {
			return usage("--show: got %d samples, want at most %d", len(r.show), mostShown)
		}
	}
	if r.net, r.networkHash, err = loadNetwork(o.network); err != nil {
		return err
	}
	if r.model, r.modelHash, err = loadModel(o.model); err != nil {
		return err
	}
	if r.model.Source.Network != r.networkHash {
		r.say("note: %s was made from another network file than %s", o.model, o.network)
	}
	r.spec = o.target
	if r.spec == "" && o.tables != "" {
		man, err := tablesTarget(o.tables, o.model, r.modelHash)
		if err != nil {
			return err
		}
		r.spec, o.plan.layout = man.TargetSpec, man.Layout
		data, err := readSmall(filepath.Join(o.tables, "manifest.json"), maxLayout)
		if err != nil {
			return err
		}
		r.tablesHash = hashOf(data)
	}
	if r.spec == "" {
		r.spec = r.model.Source.Target
	}
	if r.spec == "" {
		return usage("--target: got nothing, there are no tables in %s, and the model names no target", o.dir)
	}
	if r.p, err = r.placeBy(ctx, r.model, r.spec, &o.plan, r.forTraffic(r.model)); err != nil {
		return err
	}
	if o.sweep != "" {
		if r.swept, err = readSweep(o.sweep); err != nil {
			return err
		}
	}
	if r.set, err = o.data.load(r.app, modelData(r.model), r.model.Inputs()); err != nil {
		return err
	}
	for _, i := range r.show {
		if i >= r.set.Len() {
			return usage("--show: got %d, want at most %d, the last of --samples", i, r.set.Len()-1)
		}
	}
	return nil
}

// measureAll runs the samples: in float, on the target, and at each width.
func (r *reporting) measureAll(ctx context.Context) (err error) {
	r.say("float and integers on %d samples", r.set.Len())
	meter := r.meter("check", "samples", r.set.Len(), 0)
	r.check, err = parity.Compare(ctx, r.net, r.model, r.set, r.set.Len(), r.jobs, meter.at)
	meter.clear()
	if err != nil {
		return cmp.Or(ctx.Err(), usage("%s and %s: %w", r.o.network, r.o.model, err))
	}
	eval, err := r.net.Evaluate(ctx, r.set, r.jobs, nil)
	if err != nil {
		return err
	}
	r.float = eval.Class
	if r.run, err = r.measure(ctx, r.p, r.set); err != nil {
		return err
	}
	for i := range r.widths {
		r.say("%d bits", r.widths[i].Bits)
		if err := r.width(ctx, &r.widths[i]); err != nil {
			return err
		}
	}
	if len(r.show) == 0 { // the first of each
		for _, right := range []bool{true, false} {
			for i, c := range r.run.Class {
				if (c == int(r.set.Labels[i])) == right {
					r.show = append(r.show, i)
					break
				}
			}
		}
	}
	return nil
}

// width quantises the network anew and runs it: on the target where that holds
// it, else in wide registers, with the reason.
func (r *reporting) width(ctx context.Context, w *widthPoint) error {
	opt := quantize.Options{Bits: []int{w.Bits}, Arithmetic: fixedpoint.Wide(), Within: quantize.Portable, Scheme: quantize.MSE, Percentile: defaultPercentile, Rounding: fixedpoint.NearestEven}
	wide, _, err := quantize.Quantize(r.net, opt)
	if err != nil {
		w.Refused, w.Accuracy = err.Error(), math.NaN()
		return nil
	}
	opt.Arithmetic = r.p.Chip.Arithmetic
	plan := defaultPlan()
	var p *placement
	if opt.Arithmetic.Update == fixedpoint.PerEvent {
		err = errors.New("a chip that tests every event needs thresholds searched for each width: quantize --target")
	} else {
		var m *fixedpoint.Model
		if m, _, err = quantize.Quantize(r.net, opt); err == nil {
			p, err = r.placeOn(ctx, m, r.p.Chip, &plan, nil)
		}
	}
	correct := 0
	if err != nil {
		w.Refused = firstLine(err.Error())
		if _, correct, err = r.runModel(ctx, wide, r.set, emulator.RunOptions{Workers: r.jobs}); err != nil {
			return err
		}
	} else {
		got, err := r.measure(ctx, p, r.set)
		if err != nil {
			return err
		}
		correct, w.EnergyPJ, w.SynOps = got.Correct, got.Estimate.EnergyPJ, got.Estimate.Counts.SynOps
		w.Stored = p.neuroBench(got).Hardware.SynapseBits
	}
	w.Accuracy = float64(correct) / float64(r.set.Len())
	w.Lo, w.Hi = wilson(correct, r.set.Len())
	return nil
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// wilson is the 95 % interval of a share (Wilson, J. Am. Stat. Assoc. 22:209, 1927).
func wilson(k, n int) (lo, hi float64) {
	const z = 1.959964
	p, m := float64(k)/float64(n), float64(n)
	mid := (p + z*z/(2*m)) / (1 + z*z/m)
	half := z / (1 + z*z/m) * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return mid - half, mid + half
}

// confusion counts classes given, by the true class.
func confusion(set *dataset.Set, class []int) [][]int {
	m := make([][]int, set.Classes)
	for i := range m {
		m[i] = make([]int, set.Classes)
	}
	for i, c := range class {
		if c >= 0 && c < set.Classes {
			m[set.Labels[i]][c]++
		}
	}
	return m
}

func hashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// fileHash is the hash of an input for the table of provenance; "" and no error
// for a file that is part of the program.
func fileHash(path string) (string, error) {
	data, err := readSmall(path, 1<<30)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return hashOf(data), nil
}
