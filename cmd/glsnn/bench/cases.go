package bench

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"

	"glsnn/emulator"
	chip "glsnn/emulator/simd"
	"glsnn/fixedpoint"
	"glsnn/fixedpoint/tier"
	"glsnn/float"
	"glsnn/float/dataset"
	"glsnn/float/encode"
	"glsnn/float/simd"
)

// Options are what the cases run on.
type Options struct {
	Set     *dataset.Set // images, at least as many as the largest batch
	Tiers   []tier.Tier  // of the kernels; the rest runs in the last
	Workers int          // of the cases that use several processors, beside one
}

// Cases are the kernels of both engines in every tier, and what they are for end
// to end.
func Cases(o Options) []Case {
	var all []Case
	for _, t := range o.Tiers {
		for _, c := range slices.Concat(emulatorKernels(t), trainerKernels(t)) {
			c.Tier = t
			c.Key += "/" + t.String()
			all = append(all, c)
		}
	}
	t := o.Tiers[len(o.Tiers)-1]
	for _, c := range slices.Concat(baselines(), endToEnd(o, t)) {
		c.Tier = t
		all = append(all, c)
	}
	return all
}

// keyed is a limit that is another case's figure.
func keyed(key string) func(func(string) float64) float64 {
	return func(figure func(string) float64) float64 { return figure(key) }
}

// emulatorKernels are one tick of 784 x 500 weights of 8 bits and 104 spikes, and
// of 500 neurons.
func emulatorKernels(t tier.Tier) []Case {
	const in, out, spikes, giga = 784, 500, 104, 1e9
	rng := rand.New(rand.NewPCG(1, 2))
	rows := randomSpikes(rng, in, spikes)
	matrix := func() *chip.Rows { return randomRows(rng, in, out, false) }
	// far calls f on rows of 64 MB of weights in an order that no cache of a core's
	// own can hold.
	const width, some = 8192, 64
	far := func(half bool, f func(m *chip.Rows, q, rows []int32)) (float64, func(), error) {
		m, q := randomRows(rng, width, width, half), make([]int32, width)
		order, at := make([]int32, width), 0
		for i, k := range rng.Perm(width) {
			order[i] = int32(k)
		}
		return some * width, func() { f(m, q, order[at:at+some]); at = (at + some) % width }, nil
	}
	const work = out * spikes
	saturate := func(exp int, what string) Case {
		return Case{Key: fmt.Sprintf("emulator/saturate-%d", exp), What: what, Unit: "G synapses/s", Per: giga,
			start: func() (float64, func(), error) {
				m, q := matrix(), make([]int32, chip.Pad(out))
				to := chip.Narrow{Lo: -1 << 15, Hi: 1<<15 - 1, Mask: -1}
				return work, func() { clear(q); m.Add(q, rows, exp, &to) }, nil
			}}
	}
	cases := []Case{
		{Key: "emulator/sum", What: "adding 8-bit weight rows, 784 x 500, 104 spikes", Unit: "G synapses/s", Per: giga,
			start: func() (float64, func(), error) {
				m, q := matrix(), make([]int32, chip.Pad(out))
				return work, func() { m.Sum(q, rows) }, nil
			}},
		saturate(0, "the same, every add into 16 bits that saturate"),
		saturate(6, "the same, weights times 64, so that many do"),
		{Key: "emulator/far", What: "the same from far memory, 8192 x 8192, 64 spikes", Unit: "G synapses/s", Per: giga,
			start: func() (float64, func(), error) {
				return far(false, func(m *chip.Rows, q, rows []int32) { m.Sum(q, rows) })
			}},
		{Key: "emulator/far-half", What: "the same, weights of 4 bits in half the memory", Unit: "G synapses/s", Per: giga,
			start: func() (float64, func(), error) {
				return far(true, func(m *chip.Rows, q, rows []int32) { m.Sum(q, rows) })
			}},
	}
	if t != tier.Portable {
		load := Case{Key: "emulator/load", What: "only loading those rows", Unit: "G synapses/s", Per: giga,
			start: func() (float64, func(), error) {
				m := matrix()
				return work, func() { m.Load(rows) }, nil
			}}
		farLoad := Case{Key: "emulator/far-load", What: "only loading those rows", Unit: "G synapses/s", Per: giga,
			start: func() (float64, func(), error) {
				return far(false, func(m *chip.Rows, _, rows []int32) { m.Load(rows) })
			}}
		for i := range cases {
			cases[i].limit, cases[i].Bound = keyed(load.Key+"/"+t.String()), "loading the same bytes"
		}
		farKey := farLoad.Key + "/" + t.String()
		cases[3].limit = keyed(farKey)
		cases[4].limit = func(figure func(string) float64) float64 { return 2 * figure(farKey) }
		cases[4].Bound = "loading half as many bytes a weight"
		cases = append(cases[:3:3], load, cases[3], cases[4], farLoad)
	}
	lif := func(key, what string, p chip.LIF) Case {
		return Case{Key: key, What: what, Unit: "G neurons/s", Per: giga,
			limit: keyed("emulator/copy/" + t.String()), Bound: "copying q, u, v and the counts",
			start: func() (float64, func(), error) {
				n := chip.Pad(out)
				var x [5][]int32 // q, u, v, count, fired
				for i := range x {
					x[i] = make([]int32, n)
				}
				for j := range x[0] {
					x[0][j] = rng.Int32N(4001) - 1500
				}
				return out, func() { chip.Step(&p, x[0], x[1], x[2], x[3], x[4], 0) }, nil
			}}
	}
	half, slow := chip.Decay{Factor: 2048, Shift: 12}, chip.Decay{Factor: 3840, Shift: 12}
	return append(cases,
		lif("emulator/lif", "updating 500 neurons without decays", chip.LIF{Membrane: chip.Decay{Factor: 1}, Above: 5000, Threshold: 5000}),
		lif("emulator/lif-decays", "updating 500 neurons, current and membrane decay", chip.LIF{Current: half, Membrane: slow, Split: true, Above: 5000, Threshold: 5000}),
		Case{Key: "emulator/leaky", What: "updating 500 membranes that took their weights at once and leak", Unit: "G neurons/s", Per: giga,
			limit: func(figure func(string) float64) float64 { return 2 * figure("emulator/copy/"+t.String()) }, Bound: "copying v and the counts",
			start: func() (float64, func(), error) {
				var x [4][]int32 // v at first, v, count, fired
				for i := range x {
					x[i] = make([]int32, chip.Pad(out))
				}
				for j := range x[0] {
					x[0][j] = rng.Int32N(401) - 250
				}
				p := chip.Leaky{Leak: 3, Above: 99, Below: -200, BelowAdd: -200, V: chip.Narrow{Lo: -1 << 11, Hi: 1<<11 - 1, Mask: -1}}
				return out, func() { copy(x[1], x[0]); chip.StepLeaky(&p, x[1], x[2], x[3]) }, nil
			}},
		Case{Key: "emulator/copy", What: "copying as many numbers of 32 bits as that reads", Unit: "G neurons/s", Per: giga,
			start: func() (float64, func(), error) {
				a, b := make([]int32, 4*chip.Pad(out)), make([]int32, 4*chip.Pad(out))
				return out, func() { copy(a, b) }, nil
			}})
}

func randomRows(rng *rand.Rand, in, out int, half bool) *chip.Rows {
	m, pool := chip.NewRows(in, out, half), make([]int8, out+997)
	for j := range pool {
		if pool[j] = int8(rng.Uint32()); half {
			pool[j] >>= 4
		}
	}
	for k := range in {
		m.Set(k, pool[k%997:][:out])
	}
	return m
}

func randomSpikes(rng *rand.Rand, in, n int) []int32 {
	rows := make([]int32, 0, n)
	for _, k := range rng.Perm(in)[:n] {
		rows = append(rows, int32(k))
	}
	slices.Sort(rows)
	return rows
}

// trainerKernels are the float kernels: spikes on 500 x 500 weights, dense products
// with 800 x 800 weights, and ten ticks of 500 neurons.
func trainerKernels(t tier.Tier) []Case {
	const giga = 1e9
	rng := rand.New(rand.NewPCG(3, 4))
	var cases []Case
	// In ten ticks 250 of 500 units of a trained network spike, in 45 different ways.
	const size, stride, samples, units, ways = 500, 528, 25, 250, 45
	lists := Case{Key: "trainer/sum", What: "adding float32 rows of 500 x 500, 250 in 45 lists a sample", Unit: "G synapses/s", Per: giga,
		start: func() (float64, func(), error) {
			w, sums := normal[float32](rng, size*stride), make([]float32, ways*stride)
			var l [samples]simd.Lists
			for k := range l {
				rows := make([][]int32, ways)
				for i, row := range rng.Perm(size)[:units] {
					way := i // each has one, and some have many
					if i >= ways {
						way = int(ways * rng.Float64() * rng.Float64() * rng.Float64())
					}
					rows[way] = append(rows[way], int32(row))
				}
				for _, r := range rows {
					slices.Sort(r)
					l[k].Add(r)
				}
			}
			return samples * units * size, func() {
				for k := range l {
					l[k].Sum(sums, stride, w, stride, size)
				}
			}, nil
		}}
	if t != tier.Portable {
		lists.limit, lists.Bound = keyed("trainer/load/"+t.String()), "loading rows of the innermost cache"
		cases = append(cases, Case{Key: "trainer/load", What: "only loading float32 rows of the innermost cache", Unit: "G synapses/s", Per: giga,
			start: func() (float64, func(), error) {
				const rows, cols = 32, 128
				w, k := make([]float32, rows*cols), make([]int32, 32*rows)
				for i := range k {
					k[i] = int32(i % rows)
				}
				return float64(cols * len(k)), func() { simd.LoadRows(cols, w, cols, k) }, nil
			}})
	}
	cases = append(cases, lists)
	const k, n = 800, 800
	sizes := []int{10, 100, 1000}
	if t == tier.Portable {
		sizes = []int{10} // it rounds like the others, not for speed
	} else {
		cases = append(cases, Case{Key: "trainer/fma", What: "fused multiply-adds on registers", Unit: "GFLOP/s", Per: giga,
			start: func() (float64, func(), error) {
				return float64(2 * simd.FMAs(100000)), func() { simd.FMAs(100000) }, nil
			}})
	}
	for _, m := range sizes {
		c := Case{Key: fmt.Sprintf("trainer/dense-%d", m), What: fmt.Sprintf("dense float32 product, %d x 800 by 800 x 800", m), Unit: "GFLOP/s", Per: giga,
			start: func() (float64, func(), error) {
				var p simd.Packed
				p.Pack(normal[float32](rng, k*n), k, n)
				a, out := normal[float32](rng, m*k), make([]float32, m*n)
				return 2 * float64(m*k*n), func() { p.Mul(out, n, a, k, m) }, nil
			}}
		if t != tier.Portable {
			c.limit, c.Bound = keyed("trainer/fma/"+t.String()), "fused multiply-adds on registers"
		}
		cases = append(cases, c)
	}
	const ticks = 10
	lif := Case{Key: "trainer/lif", What: "updating 500 float neurons, ten ticks", Unit: "G neurons/s", Per: giga,
		start: func() (float64, func(), error) {
			q := normal[float32](rng, ticks*size)
			u, v, drive, count, spikes := make([]float32, size), make([]float32, size), make([]float32, size), make([]float32, size), make([]uint32, size)
			return ticks * size, func() {
				simd.LIFTicks(simd.LIFParams{KeepV: 1}, q, size, ticks, u, v, drive, count, spikes)
			}, nil
		}}
	if t != tier.Portable {
		lif.limit, lif.Bound = keyed("trainer/load/"+t.String()), "loading a number a neuron and tick"
	}
	return append(cases, lif)
}

func normal[T float32 | float64](rng *rand.Rand, n int) []T {
	x := make([]T, n)
	for i := range x {
		x[i] = T(rng.NormFloat64())
	}
	return x
}

// baselines are gonum's products.
func baselines() []Case {
	const m, k, n, giga = 100, 800, 800, 1e9
	rng := rand.New(rand.NewPCG(5, 6))
	return []Case{
		{Key: "gonum/float32-100", What: "gonum's Sgemm, 100 x 800 by 800 x 800", Unit: "GFLOP/s", Per: giga,
			start: func() (float64, func(), error) {
				a, b, c := normal[float32](rng, m*k), normal[float32](rng, k*n), make([]float32, m*n)
				return 2 * m * k * n, func() {
					gonum.Implementation{}.Sgemm(blas.NoTrans, blas.NoTrans, m, n, k, 1, a, k, b, n, 0, c, n)
				}, nil
			}},
		{Key: "gonum/float64-100", What: "gonum's Dgemm, 100 x 800 by 800 x 800", Unit: "GFLOP/s", Per: giga,
			start: func() (float64, func(), error) {
				a, b, c := normal[float64](rng, m*k), normal[float64](rng, k*n), make([]float64, m*n)
				return 2 * m * k * n, func() {
					gonum.Implementation{}.Dgemm(blas.NoTrans, blas.NoTrans, m, n, k, 1, a, k, b, n, 0, c, n)
				}, nil
			}},
	}
}

// endToEnd are emulation from pixels to classes, and epochs of training.
func endToEnd(o Options, t tier.Tier) []Case {
	var cases []Case
	workers := []int{1}
	if o.Workers > 1 {
		workers = append(workers, o.Workers)
	}
	pixels := o.Set.Rows * o.Set.Cols
	for _, w := range workers {
		cases = append(cases, onEach(w, t)...)
	}
	for _, w := range workers {
		synops := 0.0 // of a sample
		cases = append(cases, Case{
			Key: fmt.Sprintf("emulate/%d", w), What: fmt.Sprintf("emulate, %d-500-500-10, 10 ticks, from pixels, %s", pixels, processors(w)), Unit: "samples/s", Per: 1,
			Bound: "adding its synapses at the kernel's rate",
			limit: func(figure func(string) float64) float64 {
				return 1e9 * figure(fmt.Sprintf("rows/%d", w)) / synops
			},
			start: func() (float64, func(), error) {
				run, n, err := emulation(o.Set, w)
				if err != nil {
					return 0, nil, err
				}
				synops = float64(run().Counters.Totals().SynOps) / float64(n)
				return float64(n), func() { run() }, nil
			}})
	}
	if w := o.Workers; w > 1 {
		over := func(key, what string, limit func(func(string) float64) float64) Case {
			return Case{Key: key + "/scaling", What: fmt.Sprintf("%s: %s over one", what, processors(w)), Unit: "times", Per: 1,
				limit: limit, Bound: "the same of multiply-adds on registers",
				derive: func(figure func(string) float64) float64 {
					return figure(fmt.Sprintf("%s/%d", key, w)) / figure(key+"/1")
				}}
		}
		machine := keyed("fma/scaling")
		if t == tier.Portable {
			machine = nil
		} else {
			cases = append(cases, over("fma", "fused multiply-adds on registers", nil))
		}
		cases = append(cases, over("rows", "adding weight rows", machine), over("emulate", "emulate", machine))
	}
	for _, e := range []struct {
		hidden []int
		batch  int
	}{{[]int{500, 500, 500}, 100}, {[]int{500, 500, 500}, 10}, {[]int{800, 800, 800}, 100}, {[]int{800, 800, 800}, 10}} {
		sizes := slices.Concat([]int{pixels}, e.hidden, []int{o.Set.Classes})
		name := fmt.Sprintf("%dx%d-%d", len(e.hidden), e.hidden[0], e.batch)
		const images = 60000
		cases = append(cases, Case{
			Key: "epoch/" + name, What: fmt.Sprintf("an epoch of %d images, %s, batch %d, %s", images, dashed(sizes), e.batch, processors(o.Workers)),
			Unit: "s", Whole: images,
			Bound: "its dense products at the peak of fused multiply-adds",
			limit: func(figure func(string) float64) float64 {
				weights := 0
				for l := range len(sizes) - 1 {
					weights += sizes[l] * sizes[l+1]
				}
				const ticks = 10
				peak := 1e9 * figure("trainer/fma/"+t.String()) * float64(max(1, o.Workers))
				return images * 2 * float64(weights) * (ticks + 1) / peak // forward each tick, and the update
			},
			start: func() (float64, func(), error) { return epochs(o, sizes, e.batch) },
		})
	}
	return cases
}

// onEach are loops that share nothing, on so many processors at once: what the
// machine allows.
func onEach(workers int, t tier.Tier) []Case {
	each := func(f func()) func() {
		return func() {
			var wg sync.WaitGroup
			for range workers {
				wg.Go(f)
			}
			wg.Wait()
		}
	}
	const times, in, out, spikes, giga = 1000, 784, 500, 104, 1e9
	cases := []Case{{Key: fmt.Sprintf("rows/%d", workers), What: "adding 8-bit weight rows, 784 x 500, 104 spikes, " + processors(workers), Unit: "G synapses/s", Per: giga,
		start: func() (float64, func(), error) {
			rng := rand.New(rand.NewPCG(1, 2))
			rows := randomSpikes(rng, in, spikes)
			next := make(chan *chip.Rows, workers)
			for range workers {
				next <- randomRows(rng, in, out, false)
			}
			return times * out * spikes * float64(workers), each(func() {
				m, q := <-next, make([]int32, chip.Pad(out))
				for range times {
					m.Sum(q, rows)
				}
				next <- m
			}), nil
		}}}
	if t != tier.Portable {
		cases = append(cases, Case{Key: fmt.Sprintf("fma/%d", workers), What: "fused multiply-adds on registers, " + processors(workers), Unit: "GFLOP/s", Per: giga,
			start: func() (float64, func(), error) {
				const n = 20_000_000
				return float64(2*simd.FMAs(n)) * float64(workers), each(func() { simd.FMAs(n) }), nil
			}})
	}
	return cases
}

func processors(n int) string {
	if n <= 1 {
		return "one processor"
	}
	return fmt.Sprintf("%d processors", n)
}

func dashed(sizes []int) string {
	s := fmt.Sprint(sizes[0])
	for _, n := range sizes[1:] {
		s += fmt.Sprintf("-%d", n)
	}
	return s
}

// epochs trains a network until all of its layers fire, and then goes on.
func epochs(o Options, sizes []int, batch int) (float64, func(), error) {
	c, tc := float.ChipDefaults()
	c.Sizes, tc.Batch, tc.Epochs = sizes, batch, 2
	net, err := float.NewNetwork(c, 1, tc.Gain)
	if err != nil {
		return 0, nil, err
	}
	set := o.Set.Slice(0, min(1000, o.Set.Len()))
	t, err := float.NewTrainer(net, tc, set)
	if err != nil {
		return 0, nil, err
	}
	t.Workers = o.Workers
	run := func() error { return t.Run(context.Background(), float.Hooks{}) }
	if err := run(); err != nil {
		return 0, nil, err
	}
	return float64(set.Len()), func() {
		t.Config.Epochs++
		if err := run(); err != nil && t.Epoch < t.Config.Epochs {
			panic(err) // it ran twice before
		}
	}, nil
}

// samples is how many windows of ten ticks emulation runs: the images of set in turn.
// What a run does once, laying out weights and proving widths, is then a hundredth.
const samples = 10000

// emulation runs the images of set through a network of random weights,
// with about as many spikes as one trained on MNIST has.
func emulation(set *dataset.Set, workers int) (run func() *emulator.Result, n int, err error) {
	sizes := []int{set.Rows * set.Cols, 500, 500, 10}
	m, err := randomModel(sizes, 10, func(l int) (int64, int64) { return []int64{160 << 6, 2700 << 6, 0}[l], 0 })
	if err != nil {
		return nil, 0, err
	}
	n = samples
	if set.Len() < 1000 { // a test
		n = set.Len()
	}
	enc := encode.Encoder{Kind: encode.Rate, Ticks: m.Ticks}
	source := func() func(int) emulator.Train {
		var train encode.Train
		return func(i int) emulator.Train {
			enc.Encode(&train, i, set.Image(i%set.Len()))
			return &train
		}
	}
	return func() *emulator.Result {
		r, err := emulator.Run(context.Background(), m, n, source, emulator.RunOptions{Workers: workers})
		if err != nil {
			panic(err) // the train fits the model
		}
		return r
	}, n, nil
}

// randomModel has 8-bit weights in the widest arithmetic, where no register
// overflows; of each layer neuron says threshold and membrane decay.
func randomModel(sizes []int, ticks int, neuron func(layer int) (threshold, decay int64)) (*fixedpoint.Model, error) {
	rng, bell := rand.New(rand.NewPCG(51, 0)), bell
	rng.Shuffle(len(bell), func(i, j int) { bell[i], bell[j] = bell[j], bell[i] })
	m := fixedpoint.Model{Arithmetic: fixedpoint.Wide(), Ticks: ticks, Readout: fixedpoint.ReadMembrane}
	for l := range len(sizes) - 1 {
		in, out := sizes[l], sizes[l+1]
		w := make([]int8, in*out)
		for i := 0; i < len(w); i += len(bell) { // as if normal, of deviation 30 and mean 1
			for range 8 { // swaps: each piece is a little different
				a, b := rng.IntN(len(bell)), rng.IntN(len(bell))
				bell[a], bell[b] = bell[b], bell[a]
			}
			copy(w[i:], bell[:])
		}
		last := l == len(sizes)-2
		threshold, decay := neuron(l)
		if last {
			threshold, decay = 0, 0
		}
		m.Layers = append(m.Layers, fixedpoint.Layer{In: in, Out: out, Weights: fixedpoint.NewMatrix8(in, out, w), WeightBits: 8, WeightExp: 6,
			CurrentDecay: 4096, MembraneDecay: decay, Threshold: threshold, Integrator: last})
	}
	return fixedpoint.NewModel(m)
}

// bell are the quantiles of the normal distribution of deviation 30 and mean 1.
var bell = func() (b [509]int8) {
	for i := range b {
		x := 1 + 30*math.Sqrt2*math.Erfinv(2*(float64(i)+0.5)/float64(len(b))-1)
		b[i] = int8(max(-128, min(127, math.RoundToEven(x))))
	}
	return b
}()
