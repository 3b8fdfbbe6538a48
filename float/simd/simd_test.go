package simd

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/blas/gonum"

	"glsnn/fixedpoint/tier"
	"glsnn/fixedpoint/tier/tiertest"
)

// odd are the values that fast loops get wrong.
var odd = []float32{
	0, float32(math.Copysign(0, -1)), 1, -1, 1e-45, -1e-45, 1e-39, -3e-39, 1.1754944e-38, 3.4e38, -3.4e38,
	float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()), math.Nextafter32(1, 2), math.Nextafter32(1, 0),
}

// input draws slices that start at every alignment and are followed by guards.
type input struct {
	*rand.Rand
	odd    float64 // share of odd values
	guards []guard
}

type guard struct{ f []float32 }

const guardValue = 12345.678

func (r *input) floats(n int) []float32 {
	lead := r.IntN(17)
	all := make([]float32, lead+n+19)
	for i := range all {
		all[i] = guardValue
	}
	x := all[lead : lead+n : lead+n]
	for i := range x {
		if x[i] = float32(r.NormFloat64()); r.Float64() < r.odd {
			x[i] = odd[r.IntN(len(odd))]
		}
	}
	r.guards = append(r.guards, guard{all[:lead]}, guard{all[lead+n:]})
	return x
}

func (r *input) rows(of int) []int32 {
	share := []float64{0, 0.1, 0.5, 1}[r.IntN(4)]
	rows := []int32{}
	for i := range of {
		if r.Float64() < share {
			rows = append(rows, int32(i))
		}
	}
	return rows
}

// same is equality of bits, one NaN being as good as another.
func same(a, b []float32) int {
	for i := range a {
		if math.Float32bits(a[i]) != math.Float32bits(b[i]) && (a[i] == a[i] || b[i] == b[i]) {
			return i
		}
	}
	return -1
}

// compare runs every kernel on n columns in the active tier and against its naive loop.
func compare(t *testing.T, seed uint64, n int, oddShare float64) {
	t.Helper()
	r := &input{Rand: rand.New(rand.NewPCG(seed, 1)), odd: oddShare}
	check := func(what string, got, want []float32) {
		t.Helper()
		if i := same(got, want); i >= 0 {
			t.Fatalf("%s, tier %v, seed %d, n %d: [%d] is %v (%08x), want %v (%08x)", what, tier.Active(), seed, n, i,
				got[i], math.Float32bits(got[i]), want[i], math.Float32bits(want[i]))
		}
	}
	height, stride := 1+r.IntN(40), n+r.IntN(3)*r.IntN(20)

	w, dst, rows := r.floats(height*stride), r.floats(n), r.rows(height)
	want := slices.Clone(dst)
	for _, i := range rows {
		for j := range want {
			want[j] += w[int(i)*stride+j]
		}
	}
	AddRows(dst, w, stride, rows)
	check("AddRows", dst, want)

	tall := 1 + r.IntN(4)*r.IntN(100)
	m, lists := r.floats(tall*stride), [][]int32{}
	var l Lists
	for range r.IntN(9) { // of them, and of their rows, fewer and more than Sum takes at once
		rows := r.rows(tall)
		lists = append(lists, rows)
		l.Add(rows)
	}
	if groups := 1 + r.IntN(5); r.IntN(2) == 0 {
		rows, of, sizes := r.rows(tall), []uint16{}, make([]int32, groups)
		for range rows {
			of = append(of, uint16(r.IntN(groups)))
		}
		of2 := make([][]int32, groups)
		for k, g := range of {
			of2[g] = append(of2[g], rows[k])
			sizes[g]++
		}
		l.AddGroups(rows, of, sizes)
		lists = append(lists, of2...)
	}
	if r.IntN(2) == 0 {
		x, mask, first := make([]uint32, r.IntN(tall+1)), uint32(1)<<r.IntN(32), 0
		first = r.IntN(tall - len(x) + 1)
		rows := []int32{}
		for i := range x {
			if x[i] = uint32(r.Uint64()); x[i]&mask != 0 {
				rows = append(rows, int32(first+i))
			}
		}
		l.AddPicked(x, mask, first)
		lists = append(lists, rows)
	}
	sumStride := n + r.IntN(2)*r.IntN(20)
	sums := r.floats(len(lists) * sumStride)
	wantSums := slices.Clone(sums)
	for s, rows := range lists {
		clear(wantSums[s*sumStride:][:n])
		for _, i := range rows {
			for j := range n {
				wantSums[s*sumStride+j] += m[int(i)*stride+j]
			}
		}
	}
	l.Sum(sums, sumStride, m, stride, n)
	check("Lists.Sum", sums, wantSums)

	scale := r.floats(len(rows))
	clear(want)
	for k, i := range rows {
		for j := range want {
			want[j] += float32(scale[k] * w[int(i)*stride+j])
		}
	}
	ScaledRows(dst, w, stride, rows, scale)
	check("ScaledRows", dst, want)

	var pack Packed
	rowsA, common := r.IntN(27), r.IntN(12)
	lda, ldc := common+r.IntN(3), n+r.IntN(3)
	fa, fb, fc := r.floats(rowsA*lda), r.floats(common*n), r.floats(rowsA*ldc)
	wantC := slices.Clone(fc)
	for i := range rowsA {
		for j := range n {
			sum := float32(0)
			for k := range common {
				sum = FMA(fa[i*lda+k], fb[k*n+j], sum)
			}
			wantC[i*ldc+j] = sum
		}
	}
	pack.Pack(fb, common, n)
	pack.Mul(fc, ldc, fa, lda, rowsA)
	check("Packed.Mul", fc, wantC)

	p := LIFParams{KeepU: r.Float32(), KeepV: r.Float32(), Subtract: r.IntN(2) == 0}
	q, u, v, drive, count := r.floats(n), r.floats(n), r.floats(n), r.floats(n), r.floats(n)
	for j := range count {
		count[j] = float32(r.IntN(9))
	}
	q2, u2, v2, d2, c2 := slices.Clone(q), slices.Clone(u), slices.Clone(v), slices.Clone(drive), slices.Clone(count)
	head := r.IntN(5)
	room := make([]int32, head+n+16)
	for i := range room {
		room[i] = -7
	}
	first := r.IntN(1000)
	fired := LIF(p, q, u, v, drive, count, room[:head:head+n], first)
	wantFired := slices.Clone(room[:head])
	for j := range u2 {
		u2[j] = float32(p.KeepU*u2[j]) + q2[j]
		v2[j] = float32(p.KeepV*v2[j]) + u2[j]
		d2[j] += u2[j]
		if v2[j] > 1 {
			wantFired = append(wantFired, int32(first+j))
			c2[j]++
			if p.Subtract {
				v2[j] -= 1
			} else {
				v2[j] = 0
			}
		}
	}
	check("LIF q", q, make([]float32, n))
	check("LIF u", u, u2)
	check("LIF v", v, v2)
	check("LIF drive", drive, d2)
	check("LIF count", count, c2)
	if !slices.Equal(fired, wantFired) {
		t.Fatalf("LIF fired, tier %v, seed %d, n %d: got %v, want %v", tier.Active(), seed, n, fired, wantFired)
	}
	for _, x := range room[head+n:] {
		if x != -7 {
			t.Fatalf("LIF, tier %v, seed %d, n %d: wrote past the room of fired", tier.Active(), seed, n)
		}
	}

	bits, mask, base := make([]uint32, n), uint32(r.Uint64()), r.IntN(1000)
	room32, roomV := make([]int32, n+16), make([]uint32, n+16)
	for i := range room32 {
		room32[i], roomV[i] = -7, 7
	}
	var wantIndex []int32
	var wantValue []uint32
	for i := range bits {
		if bits[i] = uint32(r.Uint64() & r.Uint64() & r.Uint64() & r.Uint64()); bits[i]&mask != 0 {
			wantIndex, wantValue = append(wantIndex, int32(base+i)), append(wantValue, bits[i])
		}
	}
	k := Pick(room32[:n:n], roomV[:n:n], bits, mask, base)
	if !slices.Equal(room32[:k], wantIndex) || !slices.Equal(roomV[:k], wantValue) {
		t.Fatalf("Pick, tier %v, seed %d, n %d: got %v %v, want %v %v", tier.Active(), seed, n, room32[:k], roomV[:k], wantIndex, wantValue)
	}
	for i, x := range room32[n:] {
		if x != -7 || roomV[n+i] != 7 {
			t.Fatalf("Pick, tier %v, seed %d, n %d: wrote past its room", tier.Active(), seed, n)
		}
	}

	ticks := 1 + r.IntN(32)
	tstride := n + r.IntN(20)
	tq, tu, tv, td, tc := r.floats(ticks*tstride), r.floats(n), r.floats(n), r.floats(n), r.floats(n)
	for j := range tc {
		tc[j] = float32(r.IntN(9))
	}
	tu2, tv2, td2, tc2 := slices.Clone(tu), slices.Clone(tv), slices.Clone(td), slices.Clone(tc)
	spikes, wantSpikes := make([]uint32, n+16), make([]uint32, n)
	for i := range spikes {
		spikes[i] = 77
	}
	LIFTicks(p, tq, tstride, ticks, tu, tv, td, tc, spikes[:n:n])
	for t := range ticks {
		for j := range tu2 {
			tu2[j] = float32(p.KeepU*tu2[j]) + tq[t*tstride+j]
			tv2[j] = float32(p.KeepV*tv2[j]) + tu2[j]
			td2[j] += tu2[j]
			if tv2[j] > 1 {
				wantSpikes[j] |= 1 << t
				tc2[j]++
				if p.Subtract {
					tv2[j] -= 1
				} else {
					tv2[j] = 0
				}
			}
		}
	}
	check("LIFTicks u", tu, tu2)
	check("LIFTicks v", tv, tv2)
	check("LIFTicks drive", td, td2)
	check("LIFTicks count", tc, tc2)
	if !slices.Equal(spikes[:n], wantSpikes) {
		t.Fatalf("LIFTicks spikes, tier %v, seed %d, n %d, %d ticks: got %x, want %x", tier.Active(), seed, n, ticks, spikes[:n], wantSpikes)
	}
	for _, x := range spikes[n:] {
		if x != 77 {
			t.Fatalf("LIFTicks, tier %v, seed %d, n %d: wrote past the spikes", tier.Active(), seed, n)
		}
	}

	ap := AdamParams{Rate: r.Float32(), B1: 0.9, B2: 0.999, Eps: 1e-8}
	aw, m, s, g := r.floats(n), r.floats(n), r.floats(n), r.floats(n)
	for i := range s {
		if r.IntN(8) != 0 {
			s[i] *= s[i]
		}
	}
	w2, m2, s2 := slices.Clone(aw), slices.Clone(m), slices.Clone(s)
	b1, b2 := ap.B1, ap.B2
	for i := range w2 {
		m2[i] = float32(b1*m2[i]) + float32((1-b1)*g[i])
		s2[i] = float32(b2*s2[i]) + float32((1-b2)*float32(g[i]*g[i]))
		for _, x := range []*float32{&m2[i], &s2[i]} {
			if *x > -0x1p-95 && *x < 0x1p-95 {
				*x = 0
			}
		}
		w2[i] -= float32(ap.Rate*m2[i]) / (float32(math.Sqrt(float64(s2[i]))) + ap.Eps)
	}
	Adam(ap, aw, m, s, g)
	check("Adam m", m, m2)
	check("Adam s", s, s2)
	check("Adam w", aw, w2)

	y, x, a := r.floats(n), r.floats(n), float32(r.NormFloat64())
	y2 := slices.Clone(y)
	for i := range y2 {
		y2[i] += float32(a * x[i])
	}
	Axpy(y, a, x)
	check("Axpy", y, y2)

	for _, g := range r.guards {
		for i, x := range g.f {
			if x != guardValue {
				t.Fatalf("tier %v, seed %d, n %d: wrote %v outside a slice, guard %d", tier.Active(), seed, n, x, i)
			}
		}
	}
}

// TestNaive: every tier, every n, plain numbers and odd ones.
func TestNaive(t *testing.T) {
	tiertest.Each(t, func(t *testing.T) {
		for n := range 301 {
			for k, share := range []float64{0, 0, 0.05, 0.5} {
				compare(t, uint64(4*n+k), n, share)
			}
		}
		compare(t, 1, 1000, 0)
	})
}

func FuzzTiers(f *testing.F) {
	f.Add(uint64(1), uint16(500), uint8(0))
	f.Add(uint64(2), uint16(17), uint8(255))
	f.Fuzz(func(t *testing.T, seed uint64, n uint16, oddShare uint8) {
		for _, isa := range tier.All() {
			func() {
				defer tier.Use(tier.Use(isa))
				compare(t, seed, int(n)%700, float64(oddShare)/255)
			}()
		}
	})
}

// TestFMA: rounded once, ties to even, against whole numbers of any length.
func TestFMA(t *testing.T) {
	r := &input{Rand: rand.New(rand.NewPCG(3, 1)), odd: 0.2}
	exact := func(x float32) *big.Float { return new(big.Float).SetPrec(1000).SetFloat64(float64(x)) }
	for range 200000 {
		v := r.floats(3)
		if r.IntN(2) == 0 { // near cancellation, and near the middle between two numbers
			v[2] = -v[0] * v[1] * (1 + float32(r.IntN(5)-2)*0x1p-23)
		}
		finite := true
		for _, x := range v {
			finite = finite && x-x == 0
		}
		got := FMA(v[0], v[1], v[2])
		if !finite {
			if want := float32(float64(v[0])*float64(v[1]) + float64(v[2])); same([]float32{got}, []float32{want}) >= 0 {
				t.Fatalf("FMA(%v): got %v, want %v", v, got, want)
			}
			continue
		}
		sum := exact(0).Mul(exact(v[0]), exact(v[1]))
		want, _ := sum.Add(sum, exact(v[2])).Float32()
		if got != want {
			t.Fatalf("FMA(%v): got %v, want %v", v, got, want)
		}
	}
}

// TestPanics: rows outside the matrix must not be read.
func TestPanics(t *testing.T) {
	tiertest.Panics(t, map[string]func(){
		"row past the end": func() { AddRows(make([]float32, 4), make([]float32, 12), 4, []int32{0, 3}) },
		"negative row":     func() { AddRows(make([]float32, 4), make([]float32, 12), 4, []int32{-1, 0}) },
		"short stride":     func() { ScaledRows(make([]float32, 4), make([]float32, 12), 3, []int32{0}, []float32{1}) },
		"list past the end": func() {
			var l Lists
			l.Add([]int32{0, 3})
			l.Sum(make([]float32, 4), 4, make([]float32, 15), 4, 4)
		},
		"list from below 0": func() { new(Lists).Add([]int32{-1, 0}) },
		"short sums": func() {
			var l Lists
			l.Add([]int32{0})
			l.Add([]int32{0})
			l.Sum(make([]float32, 7), 4, make([]float32, 4), 4, 4)
		},
		"wrong group": func() {
			var l Lists
			l.AddGroups([]int32{0, 1}, []uint16{0, 0}, []int32{1, 1})
		},
		"groups from below 0": func() { new(Lists).AddGroups([]int32{-1, 0}, []uint16{0, 0}, []int32{2}) },
		"short product": func() {
			var p Packed
			p.Pack(make([]float32, 6), 2, 3)
			p.Mul(make([]float32, 5), 3, make([]float32, 4), 2, 2)
		},
		"short factor": func() {
			var p Packed
			p.Pack(make([]float32, 6), 2, 3)
			p.Mul(make([]float32, 6), 3, make([]float32, 3), 2, 2)
		},
		"short matrix":       func() { new(Packed).Pack(make([]float32, 5), 2, 3) },
		"short scale":        func() { ScaledRows(make([]float32, 4), make([]float32, 12), 4, []int32{0, 1}, []float32{1}) },
		"no room for spikes": func() { x := make([]float32, 4); LIF(LIFParams{}, x, x, x, x, x, make([]int32, 1, 4), 0) },
		"no room for ticks": func() {
			x := make([]float32, 4)
			LIFTicks(LIFParams{}, make([]float32, 7), 4, 2, x, x, x, x, make([]uint32, 4))
		},
		"no room to pick": func() { Pick(make([]int32, 4), make([]uint32, 3, 4)[:3:3], make([]uint32, 4), 1, 0) },
		"short moment":    func() { x := make([]float32, 4); Adam(AdamParams{}, x, x[:3:3], x, x) },
		"short x":         func() { x := make([]float32, 4); Axpy(x, 1, x[:3:3]) },
	})
}

func TestGenerated(t *testing.T) { tiertest.Generated(t) }

// Benchmarks: GB/s of weights read; gonum's Saxpy, and where there are kernels a
// loop that only loads, stand beside.
func BenchmarkAddRows(b *testing.B) {
	for _, n := range []int{500, 512, 800} {
		w := make([]float32, 784*n)
		dst := make([]float32, n)
		r := &input{Rand: rand.New(rand.NewPCG(1, 1))}
		for _, active := range []int{100, 250} {
			var rows []int32
			for _, i := range r.Perm(784)[:active] {
				rows = append(rows, int32(i))
			}
			slices.Sort(rows)
			run := func(name string, f func()) {
				b.Run(fmt.Sprintf("%d/%d/%s", n, active, name), func(b *testing.B) {
					b.SetBytes(int64(4 * n * active))
					for b.Loop() {
						f()
					}
				})
			}
			run("saxpy", func() {
				for _, i := range rows {
					gonum.Implementation{}.Saxpy(n, 1, w[int(i)*n:], 1, dst, 1)
				}
			})
			for _, isa := range tier.All() {
				run(isa.String(), func() {
					old := tier.Use(isa)
					AddRows(dst, w, n, rows)
					tier.Use(old)
				})
			}
			run("load", func() { LoadRows(n, w, n, rows) })
		}
	}
}

func BenchmarkAdam(b *testing.B) {
	const n = 500
	x := [4][]float32{}
	for i := range x {
		x[i] = make([]float32, n)
	}
	for i := range x[3] {
		x[3][i], x[2][i] = 0.1, 0.1
	}
	for _, isa := range tier.All() {
		b.Run(isa.String(), func(b *testing.B) {
			defer tier.Use(tier.Use(isa))
			for b.Loop() {
				Adam(AdamParams{1e-3, 0.9, 0.999, 1e-8}, x[0], x[1], x[2], x[3])
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/weight")
		})
	}
}

func BenchmarkLIF(b *testing.B) {
	const n = 500
	x := [6][]float32{}
	r := &input{Rand: rand.New(rand.NewPCG(1, 1))}
	for i := range x {
		x[i] = r.floats(n)
	}
	fired := make([]int32, 0, n)
	for _, isa := range tier.All() {
		b.Run(isa.String(), func(b *testing.B) {
			defer tier.Use(tier.Use(isa))
			for b.Loop() {
				copy(x[0], x[5])
				fired = LIF(LIFParams{0, 1, false}, x[0], x[1], x[2], x[3], x[4], fired[:0], 0)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/neuron")
		})
	}
}
