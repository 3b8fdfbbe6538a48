package simd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"glsnn/fixedpoint/tier"
	"glsnn/fixedpoint/tier/tiertest"
)

const guardValue = -123456789

// input draws slices that start at every alignment and are followed by guards.
type input struct {
	*rand.Rand
	guards [][]int32
}

func (r *input) slice(n int, value func() int32) []int32 {
	lead := r.IntN(19)
	all := make([]int32, lead+n+19)
	for i := range all {
		all[i] = guardValue
	}
	x := all[lead : lead+n : lead+n]
	for i := range x {
		x[i] = value()
	}
	r.guards = append(r.guards, all[:lead], all[lead+n:])
	return x
}

// within is a number of lo..hi, often one of the ends or near 0.
func (r *input) within(lo, hi int32) int32 {
	switch r.IntN(8) {
	case 0:
		return lo
	case 1:
		return hi
	case 2:
		return max(lo, min(hi, int32(r.IntN(5)-2)))
	}
	return int32(int64(lo) + r.Int64N(int64(hi)-int64(lo)+1))
}

// rows is a list of k axons, ascending or not, some of them twice.
func (r *input) rows(k, of int) []int32 {
	rows := make([]int32, k)
	for i := range rows {
		rows[i] = int32(r.IntN(of))
	}
	if r.IntN(4) > 0 {
		slices.Sort(rows)
	}
	return rows
}

// narrow is a register of least to most bits that holds 0.
func (r *input) narrow(least, most int) Narrow {
	bits := least + r.IntN(most-least+1)
	hi := int32(1)<<bits - 1
	lo := int32(0)
	if r.IntN(3) > 0 { // signed
		hi >>= 1
		lo = -hi - 1
		if r.IntN(4) == 0 {
			return Narrow{-hi, hi, 0, -1}
		}
	}
	if r.IntN(2) == 0 {
		return Narrow{lo, hi, 0, -1}
	}
	return Narrow{math.MinInt32, math.MaxInt32, lo, 1<<bits - 1}
}

func (r *input) decay() Decay {
	d := Decay{Shift: int32(r.IntN(17))}
	d.Factor = int32(r.IntN(1<<d.Shift + 1))
	if r.IntN(2) == 0 {
		d.Round = 1<<d.Shift - 1
	}
	return d
}

// BenchmarkStepLeaky is one tick of 500 membranes of 12 bits that leak.
func BenchmarkStepLeaky(b *testing.B) {
	const n = 500
	r := &input{Rand: rand.New(rand.NewPCG(1, 1))}
	p := Leaky{Leak: 3, Above: 99, Below: -200, BelowAdd: -200, V: Narrow{-1 << 11, 1<<11 - 1, 0, -1}}
	from := r.slice(Pad(n), func() int32 { return r.Int32N(401) - 250 })
	v, count, fired := make([]int32, Pad(n)), make([]int32, Pad(n)), make([]int32, Pad(n))
	for _, isa := range tier.All() {
		b.Run(isa.String(), func(b *testing.B) {
			defer tier.Use(tier.Use(isa))
			for b.Loop() {
				copy(v, from)
				StepLeaky(&p, v, count, fired)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/neuron")
		})
	}
}

// compare runs every kernel on n columns in the active tier and against its
// naive loop.
func compare(t *testing.T, seed uint64, n int) {
	t.Helper()
	r := &input{Rand: rand.New(rand.NewPCG(seed, 1))}
	same := func(what string, got, want []int32) {
		t.Helper()
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("%s, tier %v, seed %d, n %d: [%d] is %d, want %d", what, tier.Active(), seed, n, i, got[i], want[i])
			}
		}
	}
	height, pad := 1+r.IntN(40), Pad(n)
	w := make([]int8, height*n)
	wild := r.IntN(3)
	for i := range w {
		switch w[i] = int8(r.IntN(256) - 128); wild {
		case 0:
			w[i] = 127
		case 1:
			w[i] = -128
		}
	}
	half := r.IntN(2) == 0
	if half {
		for i, x := range w {
			w[i] = x >> 4
		}
	}
	m := rowsOf(w, height, n, half)
	func() {
		defer tier.Use(tier.Use(tier.Portable))
		if plain := rowsOf(w, height, n, half); !slices.Equal(m.w, plain.w) || m.most != plain.most {
			t.Fatalf("seed %d, n %d: rows are not laid out as in plain Go", seed, n)
		}
	}()
	least, most := m.Set(0, w[:n])
	if l, h := min(0, slices.Min(w[:n])), max(0, slices.Max(w[:n])); least != l || most != h {
		t.Fatalf("seed %d, n %d: Set: weights of %d..%d, want %d..%d", seed, n, least, most, l, h)
	}
	k := []int{0, 1, r.IntN(50), chunk - 1, chunk, chunk + 1, 3*chunk + r.IntN(100)}[r.IntN(7)]
	rows := r.rows(k, height)

	any32 := func() int32 { return int32(r.Uint32()) }
	q, want := r.slice(pad, any32), make([]int32, pad)
	for _, k := range rows {
		for j := range n {
			want[j] += int32(w[int(k)*n+j])
		}
	}
	m.Sum(q, rows)
	same("Sum", q, want)

	for _, c := range []struct {
		to  Narrow
		exp int
	}{{r.narrow(3, 30), r.IntN(20)}, {r.narrow(9, 16), r.IntN(8)}} {
		lo, hi := c.to.ends()
		acc := r.slice(pad, func() int32 { return r.within(lo, hi) })
		copy(want, acc)
		over := naiveAdd(want, w, n, rows, c.exp, &c.to)
		got := m.Add(acc, rows, c.exp, &c.to)
		same("Add", acc, want)
		if got != over {
			t.Fatalf("Add, tier %v, seed %d, n %d: %d overflows, want %d", tier.Active(), seed, n, got, over)
		}
	}

	p := LIF{Current: r.decay(), Membrane: r.decay(), U: r.narrow(3, 30), V: r.narrow(3, 30), Narrows: int32(r.IntN(2))}
	ulo, uhi := p.U.ends()
	vlo, vhi := p.V.ends()
	if p.Narrows == 0 {
		ulo, vlo = -1<<r.IntN(30), -1<<r.IntN(30)
		uhi, vhi = -ulo, -vlo
		if r.IntN(3) == 0 { // the largest of a magnitude
			p.Current, p.Membrane, vlo = Decay{}, Decay{Factor: r.Int32N(1 << 7), Shift: 8}, math.MinInt32
		}
	}
	p.Split = p.Current.Splits(int64(ulo), int64(uhi)) && p.Membrane.Splits(int64(vlo), int64(vhi)) && r.IntN(4) > 0
	p.Threshold = r.Int32N(1 << r.IntN(29))
	p.Above = p.Threshold - int32(r.IntN(2))
	p.Keep = -int32(r.IntN(2))
	exp := r.IntN(8)
	q = r.slice(pad, func() int32 { return r.within(-1<<29, 1<<29) >> exp >> r.IntN(20) })
	u := r.slice(pad, func() int32 { return r.within(ulo, uhi) })
	v := r.slice(pad, func() int32 { return r.within(vlo, vhi) })
	count, fired := r.slice(pad, func() int32 { return r.Int32N(9) }), r.slice(pad, any32)
	u2, v2, count2, fired2 := slices.Clone(u), slices.Clone(v), slices.Clone(count), []int32{}
	var overU2, overV2 uint64
	put := func(x int64, to Narrow, over *uint64) int32 {
		if x != int64(int32(x)) {
			t.Fatalf("seed %d, n %d: the test's own value %d does not fit", seed, n, x)
		}
		y := int32(x)
		if p.Narrows != 0 {
			if y = to.apply(y); int64(y) != x {
				*over++
			}
		}
		return y
	}
	for j := range q {
		u2[j] = put(naiveDecay(u2[j], p.Current)+int64(q[j])<<exp, p.U, &overU2)
		v2[j] = put(naiveDecay(v2[j], p.Membrane)+int64(u2[j]), p.V, &overV2)
		if v2[j] > p.Above {
			v2[j] = (v2[j] - p.Threshold) & p.Keep
			count2[j]++
			fired2 = append(fired2, int32(j))
		}
	}
	f, overU, overV := Step(&p, q, u, v, count, fired, exp)
	same("Step u", u, u2)
	same("Step v", v, v2)
	same("Step count", count, count2)
	if !slices.Equal(fired[:f], fired2) || overU != overU2 || overV != overV2 {
		t.Fatalf("Step, tier %v, seed %d, n %d: %v fired, %d and %d overflows, want %v, %d, %d", tier.Active(), seed, n,
			fired[:f], overU, overV, fired2, overU2, overV2)
	}

	to := LIF{Membrane: r.decay(), Toward: true, Half: r.IntN(2) == 0, Above: r.within(-1<<20, 1<<20), Keep: -int32(r.IntN(2)), Threshold: r.Int32N(1 << 20)}
	if to.Membrane.Shift == 0 {
		to.Membrane.Shift, to.Membrane.Factor, to.Membrane.Round = 15, 12345, 0
	}
	if to.Membrane.Shift == 16 || to.Membrane.Factor == 1<<15 {
		to.Membrane = Decay{31000, 15, 0}
	}
	end := int32(1) << min(14+to.Membrane.Shift, 28)
	if !to.Membrane.Splits(-2*int64(end), 2*int64(end)-1) {
		t.Fatalf("%+v does not split", to.Membrane)
	}
	q = r.slice(pad, func() int32 { return r.within(-end+1, end-1) >> exp })
	u, v = r.slice(pad, any32), r.slice(pad, func() int32 { return r.within(-end+1, end-1) })
	v2 = slices.Clone(v)
	count, fired = r.slice(pad, func() int32 { return r.Int32N(9) }), r.slice(pad, any32)
	count2, fired2 = slices.Clone(count), fired2[:0]
	for j := range v2 {
		x := q[j] << exp
		d, full := int64(x-v2[j])*int64(to.Membrane.Factor), float64(int64(1)<<to.Membrane.Shift)
		switch y := float64(d) / full; { // exact: 48 bits
		case to.Half:
			v2[j] = x - int32(math.Floor(y+0.5))
		case to.Membrane.Round != 0:
			v2[j] = x - int32(math.Floor(y))
		default:
			v2[j] = x - int32(math.Trunc(y))
		}
		if v2[j] > to.Above {
			v2[j] = (v2[j] - to.Threshold) & to.Keep
			count2[j]++
			fired2 = append(fired2, int32(j))
		}
	}
	f, _, _ = Step(&to, q, u, v, count, fired, exp)
	same("Step toward v", v, v2)
	same("Step toward count", count, count2)
	if !slices.Equal(fired[:f], fired2) {
		t.Fatalf("Step toward, tier %v, seed %d, n %d: %v fired, want %v", tier.Active(), seed, n, fired[:f], fired2)
	}

	leaky := Leaky{V: r.narrow(3, 30), Add: int32(r.IntN(1<<r.IntN(30))) - 1<<r.IntN(29), Leak: int32(r.IntN(1 << r.IntN(30))),
		AboveKeep: -int32(r.IntN(2)), AboveAdd: r.within(-1<<30, 1<<30), BelowKeep: -int32(r.IntN(2)), BelowAdd: r.within(-1<<30, 1<<30)}
	vlo, vhi = leaky.V.ends()
	leaky.Above, leaky.Below = r.within(vlo, vhi), r.within(vlo, vhi)
	if r.IntN(4) == 0 {
		leaky.Above, leaky.Below = math.MaxInt32, math.MinInt32
	}
	v = r.slice(pad, func() int32 { return r.within(vlo, vhi) })
	count, fired = r.slice(pad, func() int32 { return r.Int32N(9) }), r.slice(pad, any32)
	v2, count2, fired2, overV2 = slices.Clone(v), slices.Clone(count), fired2[:0], 0
	for j, x := range v2 {
		if x > 0 {
			x = max(0, x-leaky.Leak)
		} else {
			x = min(0, x+leaky.Leak)
		}
		narrow := func(x int32) int32 {
			y := leaky.V.apply(x)
			if y != x {
				overV2++
			}
			return y
		}
		x = narrow(x + leaky.Add)
		if x > leaky.Above {
			fired2 = append(fired2, int32(j))
			count2[j]++
			x = narrow(x&leaky.AboveKeep + leaky.AboveAdd)
		} else if x < leaky.Below {
			x = narrow(x&leaky.BelowKeep + leaky.BelowAdd)
		}
		v2[j] = x
	}
	f, overV = StepLeaky(&leaky, v, count, fired)
	same("StepLeaky v", v, v2)
	same("StepLeaky count", count, count2)
	if !slices.Equal(fired[:f], fired2) || overV != overV2 {
		t.Fatalf("StepLeaky, tier %v, seed %d, n %d: %v fired, %d overflows, want %v, %d", tier.Active(), seed, n, fired[:f], overV, fired2, overV2)
	}

	for i, g := range r.guards {
		for _, x := range g {
			if x != guardValue {
				t.Fatalf("tier %v, seed %d, n %d: wrote %d outside a slice, guard %d", tier.Active(), seed, n, x, i)
			}
		}
	}
}

// naiveAdd is Add on rows of n weights; what lies behind them in acc has weights of 0.
func naiveAdd(acc []int32, w []int8, n int, rows []int32, exp int, to *Narrow) (over uint64) {
	for _, k := range rows {
		for j := range acc {
			x := acc[j]
			if j < n {
				x += int32(w[int(k)*n+j]) << exp
			}
			if acc[j] = to.apply(x); acc[j] != x {
				over++
			}
		}
	}
	return over
}

// TestAddEveryValue: registers of 9 bits, the narrowest that lanes of 16 take, and of
// 16: every value, every weight, and then weights that turn back from an end of the
// register. Of 16 bits only some weights.
func TestAddEveryValue(t *testing.T) {
	w := make([]int8, 256*Block) // row k is of weight k−128
	for i := range w {
		w[i] = int8(i/Block - 128)
	}
	m := rowsOf(w, 256, Block, false)
	ends := []int32{0, 1, 127, 128, 129, 255}
	check := func(t *testing.T, to Narrow, exp, step int) {
		lo, hi := to.ends()
		if _, ok := to.lanes(exp); !ok {
			t.Fatalf("%+v, exponent %d: not in lanes", to, exp)
		}
		for first := lo; first <= hi-Block+1; first += Block {
			for k := int32(0); k < 256; k += int32(step) {
				turn := ends[(k+first/Block&0xffff)%6]
				rows := []int32{k, k, turn, ends[(k/6)%6]}
				var acc, want [Block]int32
				for j := range acc {
					acc[j], want[j] = first+int32(j), first+int32(j)
				}
				over := naiveAdd(want[:], w, Block, rows, exp, &to)
				if got := m.Add(acc[:], rows, exp, &to); acc != want || got != over {
					t.Fatalf("%+v, exponent %d, from %d, rows %v: got %v and %d overflows, want %v and %d", to, exp, first, rows, acc, got, want, over)
				}
			}
		}
	}
	tiertest.Each(t, func(t *testing.T) {
		for _, bits := range []int{9, 10, 16} {
			half, step := int32(1)<<(bits-1), 1
			if bits == 16 {
				step = 37
			}
			for exp := range bits - 8 {
				if bits == 16 && exp%7 != 0 {
					continue
				}
				check(t, Narrow{-half, half - 1, 0, -1}, exp, step)
				check(t, Narrow{0, 2*half - 1, 0, -1}, exp, step)
				check(t, Narrow{math.MinInt32, math.MaxInt32, -half, 2*half - 1}, exp, step)
				check(t, Narrow{math.MinInt32, math.MaxInt32, 0, 2*half - 1}, exp, step)
			}
		}
	})
}

// naiveDecay divides, where the kernels shift.
func naiveDecay(x int32, d Decay) int64 {
	y, full := int64(x)*int64(d.Factor), int64(1)<<d.Shift
	if y < 0 && d.Round != 0 && y%full != 0 {
		return y/full - 1
	}
	return y / full
}

// TestNaive: every tier, every n up to two panels and a bit.
func TestNaive(t *testing.T) {
	tiertest.Each(t, func(t *testing.T) {
		for n := 1; n <= 330; n++ {
			compare(t, uint64(n), n)
			compare(t, uint64(n), n%70+1)
		}
		compare(t, 1, 1000)
	})
}

func FuzzTiers(f *testing.F) {
	f.Add(uint64(1), uint16(500))
	f.Add(uint64(2), uint16(17))
	f.Fuzz(func(t *testing.T, seed uint64, n uint16) {
		for _, isa := range tier.All() {
			func() {
				defer tier.Use(tier.Use(isa))
				compare(t, seed, 1+int(n)%700)
			}()
		}
	})
}

// TestPanics: nothing outside the slices must be read or written.
func TestPanics(t *testing.T) {
	m := rowsOf(make([]int8, 12), 3, 4, false)
	x := make([]int32, Block)
	tiertest.Panics(t, map[string]func(){
		"row past the end":   func() { m.Sum(x, []int32{0, 3}) },
		"negative row":       func() { m.Sum(x, []int32{-1, 0}) },
		"short sums":         func() { m.Sum(x[:4], []int32{0}) },
		"add past the end":   func() { m.Add(x, []int32{3}, 0, &Narrow{}) },
		"no room for spikes": func() { Step(&LIF{}, x, x, x, x, x[:63:63], 0) },
		"part of a block":    func() { Step(&LIF{}, x[:4], x, x, x, x, 0) },
		"wrong shape":        func() { NewRows(3, 5, false).Set(0, make([]int8, 4)) },
	})
}

func TestGenerated(t *testing.T) { tiertest.Generated(t) }

func benchRows() (w []int8, rows []int32) {
	r := &input{Rand: rand.New(rand.NewPCG(1, 1))}
	w = make([]int8, 784*500)
	for i := range w {
		w[i] = int8(max(-128, min(127, r.NormFloat64()*30)))
	}
	for _, i := range r.Perm(784)[:104] { // of an MNIST tick
		rows = append(rows, int32(i))
	}
	slices.Sort(rows)
	return w, rows
}

func eachTier(b *testing.B, synapses int, f func()) {
	for _, isa := range tier.All() {
		b.Run(isa.String(), func(b *testing.B) {
			defer tier.Use(tier.Use(isa))
			rate(b, synapses, f)
		})
	}
}

func rate(b *testing.B, synapses int, f func()) {
	for b.Loop() {
		f()
	}
	b.ReportMetric(float64(synapses)*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "Gsynapses/s")
}

// BenchmarkSum is one tick of 784x500, 104 spikes: the naive loop, the tiers, and
// where there are kernels a loop that only loads.
func BenchmarkSum(b *testing.B) {
	w, rows := benchRows()
	const n = 500
	m, q := rowsOf(w, 784, n, false), make([]int32, Pad(n))
	b.Run("naive", func(b *testing.B) {
		rate(b, n*len(rows), func() {
			clear(q)
			for _, k := range rows {
				for j := range n {
					q[j] += int32(w[int(k)*n+j])
				}
			}
		})
	})
	eachTier(b, n*len(rows), func() { m.Sum(q, rows) })
	b.Run("load", func(b *testing.B) { rate(b, n*len(rows), func() { m.Load(rows) }) })
}

// BenchmarkAdd is the same with registers of 16 bits, narrowed at every add: with an
// exponent of 3, where a row has too much room to overflow to be proved and does not,
// and with one of 6, where sums often do.
func BenchmarkAdd(b *testing.B) {
	w, rows := benchRows()
	const n = 500
	m, acc := rowsOf(w, 784, n, false), make([]int32, Pad(n))
	for _, exp := range []int{0, 3, 6} {
		for name, to := range map[string]Narrow{
			"saturate": {-1 << 15, 1<<15 - 1, 0, -1}, "wrap": {math.MinInt32, math.MaxInt32, -1 << 15, 1<<16 - 1},
			"24 bits": {-1 << 23, 1<<23 - 1, 0, -1},
		} {
			b.Run(fmt.Sprintf("%s/exp=%d", name, exp), func(b *testing.B) {
				eachTier(b, n*len(rows), func() { clear(acc); m.Add(acc, rows, exp, &to) })
			})
		}
	}
}

// BenchmarkStep is one tick of 500 neurons: without decays, with both, and with
// registers that narrow.
func BenchmarkStep(b *testing.B) {
	const n = 500
	r := &input{Rand: rand.New(rand.NewPCG(1, 1))}
	q := r.slice(Pad(n), func() int32 { return r.Int32N(4001) - 1500 })
	u, v, count, fired := make([]int32, len(q)), make([]int32, len(q)), make([]int32, len(q)), make([]int32, len(q))
	half, slow := Decay{2048, 12, 0}, Decay{3840, 12, 0}
	if lo, hi := int64(-1<<23), int64(1<<23); !half.Splits(lo, hi) || !slow.Splits(lo, hi) {
		b.Fatal("registers of 24 bits do not split")
	}
	to := Narrow{-1 << 23, 1<<23 - 1, 0, -1}
	for _, c := range []struct {
		name string
		p    LIF
	}{
		{"no decay", LIF{Membrane: Decay{Factor: 1}}},
		{"decays", LIF{Current: half, Membrane: slow, Split: true}},
		{"decays, 32 bits", LIF{Current: half, Membrane: slow}},
		{"decays, narrows", LIF{Current: half, Membrane: slow, Split: true, Narrows: 1, U: to, V: to}},
	} {
		c.p.Threshold, c.p.Above = 5000, 5000
		b.Run(c.name, func(b *testing.B) {
			for _, isa := range tier.All() {
				b.Run(isa.String(), func(b *testing.B) {
					defer tier.Use(tier.Use(isa))
					for b.Loop() {
						Step(&c.p, q, u, v, count, fired, 0)
					}
					b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/neuron")
				})
			}
		})
	}
}

func rowsOf(w []int8, rows, cols int, half bool) *Rows {
	r := NewRows(rows, cols, half)
	for k := range rows {
		r.Set(k, w[k*cols:][:cols])
	}
	return r
}

// BenchmarkFar is rows that lie in memory only, a sixth of 20 000 x 20 000 weights, of
// a byte and of half of one; and the loop that only loads.
func BenchmarkFar(b *testing.B) {
	if testing.Short() {
		b.Skip("short")
	}
	r := &input{Rand: rand.New(rand.NewPCG(1, 1))}
	const width = 20000
	for _, half := range []bool{false, true} {
		m, q := NewRows(width, width, half), make([]int32, Pad(width))
		for i := range m.w {
			m.w[i] = r.Uint64()
		}
		var rows []int32
		for k := range int32(width) {
			if r.IntN(6) == 0 {
				rows = append(rows, k)
			}
		}
		b.Run(fmt.Sprintf("half=%v", half), func(b *testing.B) { rate(b, width*len(rows), func() { m.Sum(q, rows) }) })
		if !half {
			b.Run("load", func(b *testing.B) { rate(b, width*len(rows), func() { m.Load(rows) }) })
		}
	}
}
