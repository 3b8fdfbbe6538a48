package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"glsnn/cmd/glsnn/chart"
	"glsnn/export"
	"glsnn/export/place"
	"glsnn/fixedpoint"
	"glsnn/fixedpoint/artefact"
	"glsnn/fixedpoint/quantize"
	"glsnn/float/dataset"
	"glsnn/targets"
)

const defaultSweep = "sweep.jsonl"

// sweepSpec is a sweep's file: every combination of its lists is a point.
type sweepSpec struct {
	Data       string      `json:"data" file:"optional"`    // to train and to run on; with network, its own where absent
	Network    string      `json:"network" file:"optional"` // in place of train, ticks and seeds
	Train      *sweepTrain `json:"train" file:"optional"`
	Ticks      []int       `json:"ticks" file:"optional"`
	Seeds      []int       `json:"seeds" file:"optional"`
	Samples    int         `json:"samples"` // of the test split; 0 for all
	Bits       []int       `json:"bits"`
	Targets    []string    `json:"targets"`
	Partitions []string    `json:"partitions" file:"optional"` // fill where absent
	Placements []string    `json:"placements" file:"optional"` // serpentine where absent
}

// sweepTrain is how the sweep's networks are trained, but for ticks and seed.
type sweepTrain struct {
	Hidden  []int `json:"hidden"`
	Epochs  int   `json:"epochs"`
	Samples int   `json:"samples" file:"optional"` // of the training split; 0 or absent for all
	// ForTarget trains a network for each target, within what it can express.
	ForTarget bool `json:"for_target" file:"optional"`
}

// sweepPoint is everything that a result depends on. Its hash is the result's id.
type sweepPoint struct {
	Tool      string `json:"tool"`
	Data      string `json:"data"`
	DataHash  string `json:"data_sha256"` // of the samples that are run
	Samples   int    `json:"samples"`
	Network   string `json:"network_sha256,omitempty"` // or how it is trained:
	Hidden    []int  `json:"hidden,omitempty"`
	Epochs    int    `json:"epochs,omitempty"`
	Trained   int    `json:"trained_samples,omitempty"`
	TrainHash string `json:"train_sha256,omitempty"`
	For       string `json:"for_target,omitempty"`
	Seed      int    `json:"seed,omitempty"`
	Ticks     int    `json:"ticks,omitempty"`
	Bits      int    `json:"bits"`
	Target    string `json:"target"`
	Chip      string `json:"target_sha256"`
	Partition string `json:"partition"`
	Placement string `json:"placement"`
}

func (p *sweepPoint) id() string {
	data, err := json.Marshal(p)
	if err != nil {
		panic(err) // plain values
	}
	return hashOf(data)[:16]
}

// trained is the part of p that names a network to be trained.
func (p *sweepPoint) trained() sweepPoint {
	return sweepPoint{Tool: p.Tool, Data: p.Data, Network: p.Network, Hidden: p.Hidden, Epochs: p.Epochs, Trained: p.Trained, TrainHash: p.TrainHash, For: p.For, Seed: p.Seed, Ticks: p.Ticks}
}

// sweepResult is one line of the results. Null is not known on that target.
type sweepResult struct {
	ID         string     `json:"id"`
	Point      sweepPoint `json:"point"`
	Refused    string     `json:"refused,omitempty"` // why there is no result
	Accuracy   float64    `json:"accuracy"`
	Correct    int        `json:"correct"`
	Cores      int        `json:"cores"`
	Tiles      int        `json:"tiles"`
	Hops       float64    `json:"messages_x_links"`
	MaxLink    float64    `json:"max_link"`
	Spikes     float64    `json:"spikes"`
	SynOps     float64    `json:"synops"`
	StoredBits int64      `json:"synapse_bits"`
	EnergyPJ   *float64   `json:"energy_pj"`
	TimeNS     *float64   `json:"time_ns"`
	Cycles     *float64   `json:"cycles"`
	Missing    []string   `json:"missing"` // constants that the sums are without
}

type sweepOptions struct {
	spec, out, work, shard string
}

func newSweep(a *app) *cobra.Command {
	o := &sweepOptions{}
	cmd := &cobra.Command{
		Use:   "sweep SPEC.yaml",
		Short: "Run every combination of bits, targets, placements, ticks and seeds",
		Long: `Run every combination of bits, targets, placements, ticks and seeds.

The file lists them:

  data: mnist
  train: {hidden: [100], epochs: 2, for_target: false}
  ticks: [10]
  seeds: [1, 2]
  samples: 1000        # of the test split; 0 for all
  bits: [2, 3, 4, 8]
  targets: [loihi, generic, ./mychip.yaml]
  partitions: [fill]   # fill where left out
  placements: [serpentine, anneal]

or has network: FILE in place of train, ticks and seeds. Each result is a line of
JSON with the hash of all that it depends on as its id. A sweep that was stopped,
however, goes on where it was: what is in the results is not run again, and
networks are trained once and kept in the --work folder. When it is done the lines
are put in order, so that the file is the same bytes however often it was stopped.

--shard 2/3 runs the second third of the points, for as many machines or jobs;
'glsnn sweep merge' joins their files in any order into what one run would have
written.`,
		Example: "  glsnn sweep sweep.yaml\n  glsnn sweep sweep.yaml --shard 1/2 -o one.jsonl\n  glsnn sweep merge one.jsonl two.jsonl -o sweep.jsonl",
		Args:    wantArgs(1, 1, "the SPEC.yaml of one sweep"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.spec = args[0]
			results, err := a.sweep(cmd.Context(), o)
			if err != nil {
				return err
			}
			return a.sweepDone(o.out, results)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.out, "out", "o", defaultSweep, "results to write and to go on from")
	f.StringVar(&o.work, "work", "sweep.work", "folder for trained networks")
	f.StringVar(&o.shard, "shard", "1/1", "run the i-th of N parts: i/N")
	cmd.AddCommand(newSweepMerge(a))
	return cmd
}

func newSweepMerge(a *app) *cobra.Command {
	out := ""
	cmd := &cobra.Command{
		Use:     "merge FILE...",
		Short:   "Join the results of a sweep's shards",
		Long:    "Join the results of a sweep's shards. The order of the files does not matter; the same\nid with another result is exit code 5.",
		Example: "  glsnn sweep merge one.jsonl two.jsonl -o sweep.jsonl",
		Args:    wantArgs(1, 1<<16, "FILEs of results"),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := writable(out); err != nil {
				return err
			}
			results, err := mergeSweeps(args)
			if err != nil {
				return err
			}
			if err := writeSweep(out, results); err != nil {
				return err
			}
			return a.sweepDone(out, results)
		},
	}
	cmd.Flags().StringVarP(&out, "out", "o", defaultSweep, "results to write")
	return cmd
}

// sweep runs the points of a shard that are not in the results yet.
func (a *app) sweep(ctx context.Context, o *sweepOptions) ([]sweepResult, error) {
	part, parts, err := parseShard(o.shard)
	if err != nil {
		return nil, err
	}
	s := &sweeping{app: a, o: o}
	if err := s.read(); err != nil {
		return nil, err
	}
	points, err := s.points()
	if err != nil {
		return nil, err
	}
	done, err := openSweep(o.out)
	if err != nil {
		return nil, err
	}
	var mine []sweepPoint
	left := 0
	for i, p := range points {
		if i%parts == part-1 {
			mine = append(mine, p)
			if _, ok := done[p.id()]; !ok {
				left++
			}
		}
	}
	a.say("%d points, %d of them in %s already", len(mine), len(mine)-left, o.out)
	file, err := os.OpenFile(o.out, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var results []sweepResult
	for _, p := range mine {
		r, ok := done[p.id()]
		if !ok {
			if r, err = s.run(ctx, p); err != nil {
				return nil, err
			}
			line, err := json.Marshal(r)
			if err != nil {
				return nil, err
			}
			if _, err := file.Write(append(line, '\n')); err != nil {
				return nil, err
			}
			if err := file.Sync(); err != nil {
				return nil, err
			}
			left--
			a.say("%s: %s; %d left", p.text(), r.text(), left)
		}
		results = append(results, r)
	}
	// Whatever else the file held, of another spec, stays in it.
	all := done
	for _, r := range results {
		all[r.ID] = r
	}
	return results, writeSweep(o.out, inOrder(all))
}

func parseShard(s string) (part, parts int, err error) {
	a, b, ok := strings.Cut(s, "/")
	part, err1 := strconv.Atoi(a)
	parts, err2 := strconv.Atoi(b)
	if !ok || err1 != nil || err2 != nil || part < 1 || part > parts || parts > 1<<16 {
		return 0, 0, usage("--shard: got %q, want i/N with i in 1..N", s)
	}
	return part, parts, nil
}

// sweeping is a sweep under way. It keeps what the next point may share.
type sweeping struct {
	*app
	o         *sweepOptions
	spec      sweepSpec
	set       *dataset.Set
	chips     map[string]*targets.Chip
	data      string
	hash      string // of spec.Network
	trainHash string // of the training split, where networks are trained

	last   sweepPoint // without its placement
	placed *placement
	got    *measured
}

// read loads the spec and all that it names.
func (s *sweeping) read() error {
	data, err := readSmall(s.o.spec, 1<<20)
	if err != nil {
		return err
	}
	if err := targets.DecodeYAML(data, s.o.spec, &s.spec); err != nil {
		return err
	}
	x := &s.spec
	if len(x.Partitions) == 0 {
		x.Partitions = []string{export.Fill}
	}
	if len(x.Placements) == 0 {
		x.Placements = []string{string(place.Serpentine)}
	}
	fault := func(field, format string, args ...any) error {
		return usage("%s: %s: %s", s.o.spec, field, fmt.Sprintf(format, args...))
	}
	var errs []error
	for _, l := range []struct {
		field string
		n     int
	}{{"bits", len(x.Bits)}, {"targets", len(x.Targets)}} {
		if l.n == 0 {
			errs = append(errs, fault(l.field, "got an empty list, want one entry or more"))
		}
	}
	for _, b := range x.Bits {
		if b < quantize.MinBits || b > quantize.MaxBits {
			errs = append(errs, fault("bits", "got %d, want %d..%d", b, quantize.MinBits, quantize.MaxBits))
		}
	}
	for _, p := range x.Partitions {
		if _, err := export.ParsePartition(p); err != nil {
			errs = append(errs, fault("partitions", "%v", err))
		}
	}
	for _, p := range x.Placements {
		if _, err := place.ParseMethod(p); err != nil {
			errs = append(errs, fault("placements", "%v", err))
		}
	}
	if x.Samples < 0 {
		errs = append(errs, fault("samples", "got %d, want 0 or more", x.Samples))
	}
	switch {
	case (x.Network == "") == (x.Train == nil):
		errs = append(errs, fault("network", "got %q with train %v, want one of the two", x.Network, x.Train != nil))
	case x.Network != "" && (len(x.Ticks) > 0 || len(x.Seeds) > 0):
		errs = append(errs, fault("network", "got it with ticks or seeds, which are those of the network"))
	case x.Train != nil:
		if len(x.Ticks) == 0 || len(x.Seeds) == 0 {
			errs = append(errs, fault("train", "got no ticks or no seeds, want one of each or more"))
		}
		if x.Data == "" {
			errs = append(errs, fault("data", "got nothing with train, want a data set"))
		}
		for _, n := range x.Ticks {
			if n < 1 {
				errs = append(errs, fault("ticks", "got %d, want 1 or more", n))
			}
		}
		if n := x.Train.Epochs; n < 1 {
			errs = append(errs, fault("train.epochs", "got %d, want 1 or more", n))
		}
		for _, n := range x.Train.Hidden {
			if n < 1 || n > maxWidth {
				errs = append(errs, fault("train.hidden", "got %d, want 1..%d", n, maxWidth))
			}
		}
		for _, n := range x.Seeds {
			if n < 0 {
				errs = append(errs, fault("seeds", "got %d, want 0 or more", n))
			}
		}
	}
	s.chips = map[string]*targets.Chip{}
	for _, t := range x.Targets {
		if s.chips[t], err = targets.Load(t); err != nil {
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	size := 0
	s.data = x.Data
	if x.Network != "" {
		net, hash, err := loadNetwork(x.Network)
		if err != nil {
			return err
		}
		s.hash, size = hash, net.Origin.Data.Size
		s.data = cmp.Or(s.data, net.Origin.Data.Name)
	}
	only := "test"
	if x.Train != nil {
		only = ""
	}
	train, test, err := loadData(s.app, s.data, size, only)
	if err != nil {
		return err
	}
	if x.Train != nil {
		s.trainHash = train.Hash()
	}
	if x.Samples > test.Len() {
		return fault("samples", "got %d, want at most the %d of the test split", x.Samples, test.Len())
	}
	if x.Samples > 0 {
		test = test.Slice(0, x.Samples)
	}
	s.set = test
	if err := writable(s.o.out, s.o.spec, x.Network, dataFolder(s.data)); err != nil {
		return err
	}
	return os.MkdirAll(s.o.work, 0o777)
}

// points are all of the sweep, in an order of their own: by network, bits, target,
// partition, placement.
func (s *sweeping) points() ([]sweepPoint, error) {
	x := &s.spec
	base := sweepPoint{Tool: tool(), Data: s.data, DataHash: s.set.Hash(), Samples: s.set.Len(), Network: s.hash}
	ticks, seeds := x.Ticks, x.Seeds
	if x.Train == nil {
		ticks, seeds = []int{0}, []int{0}
	} else {
		base.Hidden, base.Epochs, base.Trained, base.TrainHash = x.Train.Hidden, x.Train.Epochs, x.Train.Samples, s.trainHash
	}
	var out []sweepPoint
	seen := map[string]bool{}
	for _, base.Ticks = range ticks {
		for _, base.Seed = range seeds {
			for _, t := range x.Targets {
				base.Target, base.Chip, base.For = t, s.chips[t].SHA256, ""
				if x.Train != nil && x.Train.ForTarget {
					base.For = base.Chip
				}
				for _, base.Bits = range x.Bits {
					for _, base.Partition = range x.Partitions {
						for _, base.Placement = range x.Placements {
							if id := base.id(); !seen[id] {
								seen[id] = true
								out = append(out, base)
							}
						}
					}
				}
			}
		}
	}
	return out, nil
}

// network is the file of a point's network, trained now if it is not there. An
// interrupted training goes on from its checkpoint.
func (s *sweeping) network(ctx context.Context, p *sweepPoint) (string, error) {
	if s.spec.Network != "" {
		return s.spec.Network, nil
	}
	key := p.trained()
	path := filepath.Join(s.o.work, "network-"+key.id()+".glsnn")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	t := &trainOptions{data: s.data, hidden: joinInts(p.Hidden, ","), out: path, samples: p.Trained}
	t.net, t.train = defaultConfigs("chip")
	t.net.Ticks, t.train.Seed, t.train.Epochs = p.Ticks, uint64(p.Seed), p.Epochs
	changed := func(string) bool { return false }
	if p.For != "" {
		t.target = p.Target
	}
	if _, err := os.Stat(path + ".ckpt"); err == nil {
		t.resume = true
	}
	s.say("training %s, %d ticks, seed %d", t.hidden, p.Ticks, p.Seed)
	_, err := s.train(ctx, t, changed)
	return path, err
}

// run makes the result of one point.
func (s *sweeping) run(ctx context.Context, p sweepPoint) (sweepResult, error) {
	r := sweepResult{ID: p.id(), Point: p, Missing: []string{}}
	same := p
	same.Placement = ""
	if s.got == nil || same.id() != s.last.id() {
		s.got = nil
		if err := s.measurePoint(ctx, &p); err != nil {
			if code := exitCode(err); ctx.Err() == nil && (code == exitNoFit || code == exitUsage || errors.Is(err, errRefused)) {
				r.Refused = strings.ReplaceAll(err.Error(), "\n", "; ")
				return r, nil
			}
			return r, err
		}
		s.last = same
	}
	n := float64(s.set.Len())
	e := s.got.Estimate
	r.Accuracy, r.Correct = float64(s.got.Correct)/n, s.got.Correct
	r.Cores, r.Tiles = len(s.placed.Cost.Neurons), s.placed.Cost.Tiles
	r.Spikes, r.SynOps, r.StoredBits = e.Counts.Spikes, e.Counts.SynOps, s.placed.neuroBench(s.got).Hardware.SynapseBits
	if mp := s.placed.mapping; mp != nil {
		problem, err := mp.Problem(s.got.Activity.Spikes)
		if err != nil {
			return r, err
		}
		cores, err := place.Place(ctx, problem, place.Method(p.Placement), place.Options{Seed: uint64(p.Seed) + 1, LinkWeight: defaultLinkWeight})
		if err != nil {
			return r, err
		}
		row, err := newMapRow(s.placed, s.got, problem, cores, n)
		if err != nil {
			return r, err
		}
		r.Tiles, r.Hops, r.MaxLink = row.Tiles, row.Hops, row.MaxLink
		e = row.estimate
	}
	r.EnergyPJ, r.TimeNS, r.Cycles = e.EnergyPJ, e.TimeNS, e.Cycles
	for _, m := range e.Missing {
		name, _, _ := strings.Cut(m, ":")
		r.Missing = append(r.Missing, name)
	}
	return r, nil
}

// errRefused is a point that cannot be, and is none that stops a sweep.
var errRefused = errors.New("refused")

// measurePoint quantises, places and runs a point, all but its placement.
func (s *sweeping) measurePoint(ctx context.Context, p *sweepPoint) error {
	network, err := s.network(ctx, p)
	if err != nil {
		return err
	}
	q := &quantizeOptions{
		network: network, out: filepath.Join(s.o.work, "model-"+p.id()+".glsnn"), bits: strconv.Itoa(p.Bits), target: p.Target, scheme: quantize.MSE, rounding: "nearest_even",
		percentile: defaultPercentile, data: dataFlags{split: "train"},
	}
	if s.chips[p.Target].Arithmetic.Update == fixedpoint.PerEvent {
		q.data.samples = searchSamples // its thresholds are chosen on training samples
	}
	quiet := *s.app
	quiet.quiet = true
	if _, err := quiet.quantize(ctx, q); err != nil {
		if ctx.Err() == nil && exitCode(err) == exitFailed {
			err = fmt.Errorf("%w: %w", errRefused, err)
		}
		return err
	}
	m, _, err := loadModel(q.out)
	if err := cmp.Or(err, os.Remove(q.out)); err != nil {
		return err
	}
	flags := defaultPlan()
	flags.partition = p.Partition
	if s.placed, err = s.placeOn(ctx, m, s.chips[p.Target], &flags, nil); err != nil {
		return err
	}
	s.got, err = s.measure(ctx, s.placed, s.set)
	return err
}

func (p *sweepPoint) text() string {
	s := fmt.Sprintf("%s, %d bits, %s, %s", p.Target, p.Bits, p.Partition, p.Placement)
	if p.Ticks > 0 {
		s += fmt.Sprintf(", %d ticks, seed %d", p.Ticks, p.Seed)
	}
	return s
}

func (r *sweepResult) text() string {
	if r.Refused != "" {
		return "refused: " + firstLine(r.Refused)
	}
	return fmt.Sprintf("%s, %s", percent(r.Accuracy), span(r.EnergyPJ, "pJ"))
}

// openSweep reads results to go on from. A last line that was cut short, as by a
// kill, is taken off the file.
func openSweep(path string) (map[string]sweepResult, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]sweepResult{}, nil
	}
	if err != nil {
		return nil, err
	}
	if whole := bytes.LastIndexByte(data, '\n') + 1; whole < len(data) {
		if err := os.Truncate(path, int64(whole)); err != nil {
			return nil, err
		}
		data = data[:whole]
	}
	return parseSweep(path, data)
}

func parseSweep(path string, data []byte) (map[string]sweepResult, error) {
	out := map[string]sweepResult{}
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		fault := func(what string) error {
			return withCode(exitCorrupt, fmt.Errorf("%s:%d: %s, want a line that 'glsnn sweep' wrote", path, n, what))
		}
		var r sweepResult
		d := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		d.DisallowUnknownFields()
		if err := d.Decode(&r); err != nil {
			return nil, fault("got no result (" + err.Error() + ")")
		}
		if want := r.Point.id(); r.ID != want {
			return nil, fault(fmt.Sprintf("id: got %.20q, want %s, the hash of its point", r.ID, want))
		}
		if old, ok := out[r.ID]; ok && !sameResult(old, r) {
			return nil, withCode(exitMismatch, fmt.Errorf("%s:%d: id %s: got another result than before, want the same", path, n, r.ID))
		}
		out[r.ID] = r
	}
	return out, lines.Err()
}

func sameResult(a, b sweepResult) bool {
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && bytes.Equal(x, y)
}

// readSweep reads results that are only looked at.
func readSweep(path string) ([]sweepResult, error) {
	data, err := readSmall(path, maxLayout)
	if err != nil {
		return nil, err
	}
	all, err := parseSweep(path, data)
	return inOrder(all), err
}

// mergeSweeps joins files of results.
func mergeSweeps(paths []string) ([]sweepResult, error) {
	all := map[string]sweepResult{}
	from := map[string]string{}
	for _, path := range paths {
		results, err := readSweep(path)
		if err != nil {
			return nil, err
		}
		for _, r := range results {
			if old, ok := all[r.ID]; ok && !sameResult(old, r) {
				return nil, withCode(exitMismatch, fmt.Errorf("%s: id %s: got another result than %s has, want the same", path, r.ID, from[r.ID]))
			}
			all[r.ID], from[r.ID] = r, path
		}
	}
	return inOrder(all), nil
}

// inOrder sorts results by what they are of; the id decides between equals.
func inOrder(all map[string]sweepResult) []sweepResult {
	out := make([]sweepResult, 0, len(all))
	for _, r := range all {
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b sweepResult) int {
		p, q := &a.Point, &b.Point
		return cmp.Or(cmp.Compare(p.Target, q.Target), cmp.Compare(p.Ticks, q.Ticks), cmp.Compare(p.Seed, q.Seed), cmp.Compare(p.Partition, q.Partition),
			cmp.Compare(p.Placement, q.Placement), cmp.Compare(p.Bits, q.Bits), cmp.Compare(a.ID, b.ID))
	})
	return out
}

func writeSweep(path string, results []sweepResult) error {
	return artefact.WriteAtomic(path, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(true) // as Marshal
		for _, r := range results {
			if err := e.Encode(r); err != nil {
				return err
			}
		}
		return nil
	})
}

// sweepDone prints the results, and draws accuracy against energy beside them.
func (a *app) sweepDone(out string, results []sweepResult) error {
	picture := strings.TrimSuffix(out, filepath.Ext(out)) + ".svg"
	drawn := false
	var points []tradeOff
	for _, r := range results {
		if r.Refused == "" {
			points = append(points, tradeOff{r.Point.Target, r.Point.Bits, r.Accuracy, r.EnergyPJ, r.StoredBits})
		}
	}
	plot, ok := tradeOffChart(points, true)
	if !ok {
		plot, ok = tradeOffChart(points, false)
	}
	if ok {
		plot.Width = 760
		drawn = true
		if err := artefact.WriteAtomic(picture, func(w io.Writer) error { return chart.Write(w, plot) }); err != nil {
			return err
		}
	}
	return a.result(results, func(w io.Writer) {
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "target\tbits\tticks\tseed\tplacement\taccuracy\tcores\tx links\tbusiest link\tsynops\tenergy\ttime")
		for _, r := range results {
			p := r.Point
			ticks, seed := "-", "-"
			if p.Ticks > 0 {
				ticks, seed = strconv.Itoa(p.Ticks), strconv.Itoa(p.Seed)
			}
			head := fmt.Sprintf("%s\t%d\t%s\t%s\t%s, %s", p.Target, p.Bits, ticks, seed, p.Partition, p.Placement)
			if r.Refused != "" {
				fmt.Fprintf(table, "%s\trefused\t-\t-\t-\t-\t-\t-\n", head)
				continue
			}
			energy, time := span(r.EnergyPJ, "pJ"), span(r.TimeNS, "ns")
			if r.TimeNS == nil && r.Cycles != nil {
				time = fmt.Sprintf("%.0f cycles", *r.Cycles)
			}
			if slices.ContainsFunc(r.Missing, func(m string) bool { return strings.HasPrefix(m, "energy.") }) {
				energy = ">= " + energy
			}
			fmt.Fprintf(table, "%s\t%s\t%d\t%.0f\t%.0f\t%.0f\t%s\t%s\n", head, percent(r.Accuracy), r.Cores, r.Hops, r.MaxLink, r.SynOps, energy, time)
		}
		table.Flush() // into memory: cannot fail
		for _, r := range results {
			if r.Refused != "" {
				fmt.Fprintf(w, "refused %s, %d bits\t%s\n", r.Point.Target, r.Point.Bits, firstLine(r.Refused))
			}
		}
		fmt.Fprintf(w, "wrote %s\t%d results\n", out, len(results))
		if drawn {
			fmt.Fprintf(w, "wrote %s\n", picture)
		}
	})
}
