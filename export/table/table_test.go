package table

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"glsnn/emulator"
	"glsnn/export"
	"glsnn/export/place"
	"glsnn/fixedpoint"
	"glsnn/fixedpoint/fptest"
	"glsnn/targets"
)

var update = flag.Bool("update", false, "rewrite testdata/tiny and testdata/loihi")

// tiny is a network of 3 inputs, 3 hidden neurons on two cores and 2 outputs on
// a third: small enough to read its tables, and to work them by hand.
func tiny(t testing.TB) *export.Mapping {
	t.Helper()
	r := fixedpoint.Register{Bits: 8, Signed: true, Overflow: fixedpoint.Saturate}
	d := fixedpoint.Decay{Kind: fixedpoint.DecayMultiply, FracBits: 3, Max: 8}
	chip := &targets.Chip{
		Name: "tiny", SHA256: "5c", Tables: targets.Tables{Format: targets.CoreTables},
		Arithmetic: fixedpoint.Arithmetic{
			Weight: fixedpoint.Weight{Bits: 3, Signed: true, ExpMax: 1}, Sum: r, Current: fixedpoint.State{Present: true, Register: r, Decay: d},
			Membrane: fixedpoint.State{Present: true, Register: r, Decay: d}, Threshold: fixedpoint.Format{Bits: 7},
			Fire: fixedpoint.Fire{When: fixedpoint.GT, Resets: []fixedpoint.Reset{fixedpoint.ResetZero}},
		},
		Core:   targets.Core{Neurons: 2, AxonsIn: 4, AxonsOut: 4, SynapseBits: 100, WeightBits: []int{3}, SynapseLayout: targets.SynapseLayout{WordBits: 1}},
		Fabric: targets.Fabric{Width: 2, Height: 2, CoresPerTile: 1, Chips: 1, LayerDelay: 1},
	}
	m, err := fixedpoint.NewModel(fixedpoint.Model{
		Arithmetic: chip.Arithmetic, Ticks: 3, Encoding: fixedpoint.Encoding{Kind: "rate", Seed: 1<<64 - 1}, Readout: fixedpoint.ReadMembrane,
		Layers: []fixedpoint.Layer{
			{In: 3, Out: 3, Weights: fixedpoint.NewMatrix(3, 3, []int16{1, 2, 3, -1, -2, -3, 0, -4, 3}), WeightBits: 3, WeightExp: 1,
				CurrentDecay: 8, MembraneDecay: 2, Threshold: 5, Scale: 0.25},
			{In: 3, Out: 2, Weights: fixedpoint.NewMatrix(3, 2, []int16{1, -1, 2, -2, 3, -4}), WeightBits: 3,
				CurrentDecay: 8, Integrator: true, Scale: 0.125},
		},
		Source: fixedpoint.Source{Network: "aa", Target: "tiny", Chip: "5c", Data: "none", Size: 2},
	})
	if err != nil {
		t.Fatal(err)
	}
	mp, err := export.Map(m, chip)
	if err != nil {
		t.Fatal(err)
	}
	return mp
}

// random is a random model in a random arithmetic on a chip of random small
// cores, or on toy; every storable width from 1 to 16 bits comes up.
func random(t testing.TB, rng *rand.Rand) *export.Mapping {
	t.Helper()
	toy, err := targets.Load("toy")
	if err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		chip := *toy
		if rng.IntN(3) > 0 {
			chip.Arithmetic = fptest.RandomClassic(rng)
			chip.Core.Neurons, chip.Core.AxonsIn, chip.Core.AxonsOut = 1+rng.IntN(13), 13, 13
			chip.Core.SynapseBits = 13 * 13 * 16
			chip.Core.SynapseLayout = targets.SynapseLayout{WordBits: 1}
			chip.Fabric = targets.Fabric{Width: 5, Height: 5, CoresPerTile: 3, Chips: 1}
			widths := []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
			if rng.IntN(2) == 0 {
				widths = [][]int{{3, 5, 6, 11, 16}, {6, 11, 16}}[rng.IntN(2)]
			}
			chip.Core.WeightBits = widths
		}
		m := *fptest.RandomModel(rng, fptest.ModelOptions{Classic: true, Arithmetic: &chip.Arithmetic, Neurons: 13, Layers: 4})
		m.Source = fixedpoint.Source{Network: "n", Target: chip.Name, Chip: chip.SHA256, Data: "d", Size: rng.IntN(9)}
		m.Layers = slices.Clone(m.Layers)
		for i := range m.Layers {
			m.Layers[i].Scale = rng.ExpFloat64()
		}
		methods := place.Methods() // tables are right whatever the placement
		plan := export.Plan{Spread: 1 + rng.IntN(2), Method: methods[rng.IntN(len(methods))], Options: place.Options{Seed: rng.Uint64(), Moves: 50}}
		if mp, err := export.MapWith(context.Background(), &m, &chip, plan); err == nil {
			return mp
		}
	}
	t.Fatal("no model of 1000 maps")
	return nil
}

// write is Write without its syncs, which are slow.
func write(t testing.TB, mp *export.Mapping) string {
	t.Helper()
	dir := t.TempDir()
	if err := errors.Join(mp.Check(), writeFiles(dir, mp, Options{Tool: "test 1", Model: "bb", TargetSpec: "./" + mp.Chip.Name + ".yaml"})); err != nil {
		t.Fatal(err)
	}
	return dir
}

// files are the bytes of every file below dir.
func files(t testing.TB, dir string) fstest.MapFS {
	t.Helper()
	m := fstest.MapFS{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(dir, path))
		m[path] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestThereAndBack(t *testing.T) {
	widths := map[int]int{}
	cores := 0
	for seed := range uint64(80) {
		mp := random(t, rand.New(rand.NewPCG(seed, 3)))
		dir := write(t, mp)
		man, err := ReadManifest(dir)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		got, err := Read(dir)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		back := *got
		back.Source = man.Source
		if !reflect.DeepEqual(&back, mp.Model) {
			t.Fatalf("seed %d: got %+v\nwant %+v", seed, back, *mp.Model)
		}
		hash, err := back.Hash()
		if err != nil || hash != man.Lowered {
			t.Fatalf("seed %d: hash %s, %v; the manifest has %s", seed, hash, err, man.Lowered)
		}
		if man.Tool != "test 1" || man.Model != "bb" || man.Target != mp.Chip.Name || man.TargetSpec != "./"+mp.Chip.Name+".yaml" || man.Chip != mp.Chip.SHA256 ||
			len(man.Files) != 3+3*len(mp.Parts) {
			t.Fatalf("seed %d: manifest %+v", seed, man)
		}
		for _, u := range mp.Footprint() {
			widths[u.StoredBits]++
		}
		cores = max(cores, len(mp.Parts))
	}
	for _, w := range []int{1, 2, 3, 4, 5, 6, 11, 16} {
		if widths[w] == 0 {
			t.Errorf("no core stored %d bits: %v", w, widths)
		}
	}
	if cores < 10 {
		t.Errorf("at most %d cores", cores)
	}
}

// TestIntegratorThreshold: a read-out's threshold never acts. The table has the
// highest, what is read back 0, and the manifest's hash is of that.
func TestIntegratorThreshold(t *testing.T) {
	mp := tiny(t)
	m := *mp.Model
	m.Layers = slices.Clone(m.Layers)
	m.Layers[1].Threshold = 7
	dir := write(t, &export.Mapping{Model: &m, Chip: mp.Chip, Parts: mp.Parts, Cores: mp.Cores})
	man, err := ReadManifest(dir)
	if err != nil {
		t.Fatal(err)
	}
	back, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	back.Source = man.Source
	if hash, _ := back.Hash(); hash != man.Lowered || back.Layers[1].Threshold != 0 {
		t.Errorf("got threshold %d, hash %s, want 0, %s", back.Layers[1].Threshold, hash, man.Lowered)
	}
}

// TestGolden pins every byte of the tables of tiny and of tinyLoihi. -update
// rewrites them.
func TestGolden(t *testing.T) {
	for golden, mp := range map[string]*export.Mapping{"testdata/tiny": tiny(t), "testdata/loihi": tinyLoihi(t)} {
		opt := Options{Tool: "test 1", Model: "bb", TargetSpec: "./tiny.yaml"}
		if *update {
			if err := Write(golden, mp, Options{Tool: opt.Tool, Model: opt.Model, TargetSpec: opt.TargetSpec, Force: true}); err != nil {
				t.Fatal(err)
			}
		}
		want := files(t, golden)
		for range 2 { // and again: the same bytes
			dir := filepath.Join(t.TempDir(), "tables")
			if err := Write(dir, mp, opt); err != nil {
				t.Fatal(err)
			}
			got := files(t, dir)
			for name := range want {
				if got[name] == nil || !bytes.Equal(got[name].Data, want[name].Data) {
					t.Errorf("%s differs from %s", name, golden)
				}
				delete(got, name)
			}
			for name := range got {
				t.Errorf("%s: not in %s", name, golden)
			}
		}
	}
}

// TestWriteRefuses: what Check finds is not written, nor is anything over a
// folder that is not ours.
func TestWriteRefuses(t *testing.T) {
	mp := tiny(t)
	dir := filepath.Join(t.TempDir(), "tables")
	broken := *mp
	broken.Cores = slices.Clone(mp.Cores)
	broken.Cores[0] = broken.Cores[1]
	if err := Write(dir, &broken, Options{Force: true}); err == nil || err.Error() != "core 1: holds parts 0 and 1, want one" {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("a folder is left")
	}
	if err := os.MkdirAll(filepath.Join(dir, "mine"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := Write(dir, mp, Options{Force: true}); err == nil {
		t.Error("another folder was replaced")
	}
	m := *mp.Model
	m.Layers = slices.Clone(m.Layers)
	m.Layers[0].Scale = math.NaN()
	nan := *mp
	nan.Model = &m
	if err := Write(filepath.Join(dir, "nan"), &nan, Options{Force: true}); err == nil || !strings.Contains(err.Error(), "unsupported value: NaN") {
		t.Errorf("got %v", err)
	}
}

// bigWord is one word of an image as the package comment defines it.
func bigWord(row []int64, bits int) string {
	word := new(big.Int)
	for n, w := range row {
		v := new(big.Int).Mod(big.NewInt(w), new(big.Int).Lsh(big.NewInt(1), uint(bits)))
		word.Or(word, v.Lsh(v, uint(n*bits)))
	}
	return fmt.Sprintf("%0*x", (len(row)*bits+3)/4, word)
}

func TestPackRow(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 4))
	for bits := 1; bits <= 16; bits++ {
		for n := 1; n <= 40; n++ {
			for _, signed := range []bool{true, false} {
				if bits == 1 && signed {
					continue
				}
				f := fixedpoint.Format{Bits: bits, Signed: signed}
				row := make([]int64, n)
				want := make([]int16, n)
				for i := range row {
					row[i] = min(f.Min()+rng.Int64N(f.Max()-f.Min()+1), 1<<15-1)
					if rng.IntN(4) == 0 {
						row[i] = f.Min()
					}
					want[i] = int16(row[i])
				}
				var b bytes.Buffer
				w := bufio.NewWriter(&b)
				w.Write(append(packRow(row, bits), '\n'))
				w.Flush()
				if b.String() != bigWord(row, bits)+"\n" {
					t.Fatalf("%d weights of %d bits: got %s, want %s", n, bits, b.String(), bigWord(row, bits))
				}
				d := folder{fstest.MapFS{"x.mem": {Data: b.Bytes()}}, "d"}
				if got, err := d.image("x.mem", 1, n, bits, signed); err != nil || !slices.Equal(got, want) {
					t.Fatalf("%d weights of %d bits: got %v, %v, want %v", n, bits, got, err, want)
				}
			}
		}
	}
}

// TestIverilog loads images with $readmemh and prints the words. It needs
// Icarus Verilog.
func TestIverilog(t *testing.T) {
	for _, tool := range []string{"iverilog", "vvp"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	dir := write(t, random(t, rand.New(rand.NewPCG(14, 5))))
	m, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	n, err := readNetwork(open(dir))
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range n.Cores {
		c, err := readParameters(open(dir), id, m.Arithmetic)
		if err != nil {
			t.Fatal(err)
		}
		image := filepath.Join(dir, filepath.FromSlash(coreName(id))+".mem")
		source := fmt.Sprintf("module top; reg [%d:0] mem [0:%d]; integer i;\ninitial begin $readmemh(%q, mem); for (i = 0; i < %d; i = i + 1) $display(\"%%h\", mem[i]); end\nendmodule\n",
			c.Neurons*c.StoredWeightBits-1, c.Axons-1, image, c.Axons)
		top, bin := filepath.Join(t.TempDir(), "top.v"), filepath.Join(t.TempDir(), "top.vvp")
		if err := os.WriteFile(top, []byte(source), 0o666); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("iverilog", "-Wall", "-Wno-timescale", "-o", bin, top).CombinedOutput(); err != nil || len(out) > 0 {
			t.Fatalf("iverilog: %v\n%s", err, out)
		}
		got, err := exec.Command("vvp", "-n", bin).CombinedOutput()
		if err != nil {
			t.Fatalf("vvp: %v\n%s", err, got)
		}
		data, err := os.ReadFile(image)
		if err != nil {
			t.Fatal(err)
		}
		_, want, _ := strings.Cut(string(data), "\n") // without the comment
		if string(got) != want {
			t.Errorf("core %d: got\n%s\nwant\n%s", id, got, want)
		}
	}
}

// ExampleRead writes the tables of a network, changes one weight in an image,
// and shows what Read says.
func ExampleRead() {
	dir, err := os.MkdirTemp("", "tables")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	if err := os.CopyFS(dir, os.DirFS("testdata/tiny")); err != nil {
		fmt.Println(err)
		return
	}
	m, err := Read(dir)
	fmt.Println(m.Inputs(), m.Layers[0].Out, m.Outputs(), m.Layers[0].Weights.Values(), err)

	path := filepath.Join(dir, "cores", "core_0000.mem")
	image, err := os.ReadFile(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(string(image))
	if err := os.WriteFile(path, bytes.Replace(image, []byte("\n11\n"), []byte("\n19\n"), 1), 0o666); err != nil {
		fmt.Println(err)
		return
	}
	_, err = Read(dir)
	fmt.Println(strings.TrimPrefix(err.Error(), dir))
	_, err = ReadManifest(dir)
	fmt.Println(strings.Contains(err.Error(), "core_0000.mem: sha256: got"))
	// Output:
	// 3 3 2 [1 2 3 -1 -2 -3 0 -4 3] <nil>
	// // core 0: 3 words of 6 bits, one an in-axon; 2 weights of 3 bits, neuron 0 lowest
	// 11
	// 37
	// 20
	// /cores/core_0000.csv:2: n1: got 2, want 3 as in the image
	// true
}

// permute renumbers the cores of a folder, the neurons and the in-axons of each
// core. It returns the new folder and, for each layer, the place of each of its
// neurons in the network that Read should make of it.
func permute(t testing.TB, rng *rand.Rand, mp *export.Mapping) (fstest.MapFS, [][]int) {
	t.Helper()
	old := open(write(t, mp))
	n, err := readNetwork(old)
	if err != nil {
		t.Fatal(err)
	}
	newID := map[int64]int64{}
	for i, p := range rng.Perm(len(n.Cores)) {
		newID[int64(n.Cores[i])] = int64(10 + 3*p) // and not dense
	}
	neuron, axon := map[int64][]int{}, map[int64][]int{}
	out := fstest.MapFS{}
	put := func(name, text string) { out[name] = &fstest.MapFile{Data: []byte(text)} }
	object := func(name string, v any) {
		w := writer{dir: t.TempDir()}
		if w.json("x", v); w.err != nil {
			t.Fatal(w.err)
		}
		data, err := os.ReadFile(filepath.Join(w.dir, "x"))
		if err != nil {
			t.Fatal(err)
		}
		put(name, string(data))
	}
	for _, id := range n.Cores {
		total := 0
		c, err := readCore(old, id, n.Arithmetic, n.Images, &total)
		if err != nil {
			t.Fatal(err)
		}
		pn, pa := rng.Perm(c.Neurons), rng.Perm(c.Axons)
		neuron[int64(id)], axon[int64(id)] = pn, pa
		rows := make([][]int64, c.Axons)
		for a := range rows {
			rows[pa[a]] = make([]int64, c.Neurons)
			for k := range c.Neurons {
				rows[pa[a]][pn[k]] = int64(c.weights[a*c.Neurons+k])
			}
		}
		image, table := "", "axon"
		for k := range c.Neurons {
			table += ",n" + strconv.Itoa(k)
		}
		table += "\n"
		for a, row := range rows {
			image += bigWord(row, c.StoredWeightBits) + "\n"
			table += strconv.Itoa(a)
			for _, w := range row {
				table += "," + strconv.FormatInt(w, 10)
			}
			table += "\n"
		}
		c.Core = targets.CoreID(newID[int64(id)])
		name := coreName(c.Core)
		object(name+".json", c.coreFile)
		put(name+".mem", image)
		put(name+".csv", table)
	}
	lines := func(name, header string, change func(r []int64)) {
		var all []string
		err := old.rows(name, header, func(_ int, r []int64) error {
			change(r)
			s := make([]string, len(r))
			for i, v := range r {
				s[i] = strconv.FormatInt(v, 10)
			}
			all = append(all, strings.Join(s, ","))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		put(name, strings.Join(append([]string{header}, all...), "\n"))
	}
	lines("inputs.csv", "input,core,axon", func(r []int64) { r[2], r[1] = int64(axon[r[1]][r[2]]), newID[r[1]] })
	lines("routes.csv", "core,neuron,dest_core,dest_axon", func(r []int64) {
		r[1], r[0] = int64(neuron[r[0]][r[1]]), newID[r[0]]
		r[3], r[2] = int64(axon[r[2]][r[3]]), newID[r[2]]
	})
	for i, a := range n.Outputs {
		n.Outputs[i] = address{targets.CoreID(newID[int64(a.Core)]), neuron[int64(a.Core)][a.Neuron]}
	}
	for i := range n.Cores {
		n.Cores[i] = targets.CoreID(newID[int64(n.Cores[i])])
	}
	object("network.json", n)

	// A hidden layer comes out by its axons on the core above with the lowest
	// new number, the last layer as it was.
	places := make([][]int, len(mp.Model.Layers))
	for l, layer := range mp.Model.Layers {
		lo, hi := mp.LayerParts(l + 1)
		first := int64(-1)
		for p := lo; p < hi; p++ {
			if id := int64(mp.Cores[p]); first < 0 || newID[id] < newID[first] {
				first = id
			}
		}
		for j := range layer.Out {
			if first >= 0 {
				j = axon[first][j]
			}
			places[l] = append(places[l], j)
		}
	}
	return out, places
}

// TestPermuted: Read goes by the routes alone. With cores, neurons and axons
// numbered anyhow the network read back is the same but for the order of its
// hidden neurons, and fires the same spikes.
func TestPermuted(t *testing.T) {
	run, refused := 0, 0
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 6))
		mp := random(t, rng)
		fsys, places := permute(t, rng, mp)
		got, err := read(folder{fsys, "permuted"})
		if err != nil {
			// Refused only where the order of a saturating sum matters.
			a, proved := mp.Model.Arithmetic, true
			for l := range mp.Model.Layers {
				b := mp.Model.Bounds(l).Sum
				proved = proved && a.Sum.Holds(b.Lo, b.Hi)
			}
			if a.Sum.Overflow != fixedpoint.Saturate || proved || !strings.HasSuffix(err.Error(), "out of the order of their sources, want ascending axons where a sum may saturate") {
				t.Fatalf("seed %d: %v", seed, err)
			}
			refused++
			continue
		}
		run++
		a, b := emulator.New(mp.Model, emulator.Options{}), emulator.New(got, emulator.Options{})
		var sa, sb []int64
		for sample := range 10 {
			a.Reset()
			b.Reset()
			for tick := range mp.Model.Ticks {
				in := fptest.RandomSpikes(rng, mp.Model.Inputs(), 0.5)
				a.Step(in)
				b.Step(in)
				for l := range mp.Model.Layers {
					var want []int32
					for _, j := range a.Spikes(l) {
						want = append(want, int32(places[l][j]))
					}
					slices.Sort(want)
					if !slices.Equal(b.Spikes(l), want) {
						t.Fatalf("seed %d, sample %d, tick %d, layer %d: got spikes %v, want %v", seed, sample, tick, l, b.Spikes(l), want)
					}
				}
				if sa, sb = a.Scores(sa), b.Scores(sb); !slices.Equal(sa, sb) {
					t.Fatalf("seed %d, sample %d, tick %d: got scores %v, want %v", seed, sample, tick, sb, sa)
				}
			}
		}
	}
	t.Logf("%d run, %d refused", run, refused)
	if run < 10 || refused < 3 {
		t.Errorf("%d run, %d refused: too few of one", run, refused)
	}
}
