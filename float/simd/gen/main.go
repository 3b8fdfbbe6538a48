// Gen writes the amd64 kernels of package simd:
//
//	go run . -out ../zkernels_amd64.s -stubs ../zstubs_amd64.go -pkg simd
//
// It is its own module so that the main one does not depend on avo. Each kernel
// is written once over a tier (vector width, how a tail is masked) and emitted
// for AVX2 and AVX-512. No fused multiply-add, every product is rounded, but in mul.
package main

import (
	"strconv"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func main() {
	ConstraintExpr("amd64")
	data()
	for _, t := range []*tier{{suffix: "AVX2", lanes: 8, panel: 8}, {suffix: "AVX512", lanes: 16, panel: 16, wide: true}} {
		addRows(t)
		sumLists(t)
		scaledRows(t)
		lif(t)
		lifTicks(t)
		pick(t)
		adam(t)
		axpy(t)
		mul(t)
		loadRows(t)
		fmas(t)
	}
	Generate()
}

var (
	tailMask Mem // 8 x -1, 8 x 0: a mask of r lanes starts at element 8-r
	compress Mem // for each mask of 8 lanes, the lanes that are set, ascending
	iota32   Mem // 0..15
	ones     Mem // 1.0

	largeBits Mem // the upper ones of an exponent: all 0 below 2^-95
)

func data() {
	tailMask = GLOBL("tailMask", RODATA|NOPTR)
	for i := range 16 {
		x := uint32(0)
		if i < 8 {
			x = 0xffffffff
		}
		DATA(i*4, U32(x))
	}
	compress = GLOBL("compress", RODATA|NOPTR)
	for m := range 256 {
		var lanes uint64
		for lane, k := 0, 0; lane < 8; lane++ {
			if m>>lane&1 != 0 {
				lanes |= uint64(lane) << (8 * k)
				k++
			}
		}
		DATA(m*8, U64(lanes))
	}
	iota32 = GLOBL("iota32", RODATA|NOPTR)
	for i := range 16 {
		DATA(i*4, U32(uint32(i)))
	}
	ones = GLOBL("ones", RODATA|NOPTR)
	DATA(0, U32(0x3f800000)) // F32(1) prints as the integer 1
	largeBits = GLOBL("largeBits", RODATA|NOPTR)
	DATA(0, U32(0x70000000))
}

// tier is an instruction set; tail is set by tailSetup in each function.
type tier struct {
	suffix string
	lanes  int
	panel  int  // vectors of a full register panel
	wide   bool // AVX-512
	k      reg.Register
	y      reg.VecVirtual
	label  int
}

func (t *tier) bytes() int { return 4 * t.lanes }

func (t *tier) vec() reg.VecVirtual {
	if t.wide {
		return ZMM()
	}
	return YMM()
}

func (t *tier) vecs(n int) []reg.VecVirtual {
	v := make([]reg.VecVirtual, n)
	for i := range v {
		v[i] = t.vec()
	}
	return v
}

// tailSetup prepares the mask for the last n%lanes lanes, n a whole vector
// counting as all lanes: (n-1)%lanes + 1 of them. n must not be 0.
func (t *tier) tailSetup(n reg.GPVirtual) {
	r := GP64()
	LEAQ(Mem{Base: n, Disp: -1}, r)
	ANDQ(U8(t.lanes-1), r)
	if t.wide {
		cx := reg.RCX
		MOVQ(r, cx)
		m := GP64()
		MOVQ(U32(2), m)
		SHLQ(reg.CL, m)
		DECQ(m)
		k := K()
		KMOVW(m.As32(), k)
		t.k = k
		return
	}
	base := GP64()
	LEAQ(tailMask, base)
	NEGQ(r)
	t.y = YMM()
	VMOVDQU(Mem{Base: base, Index: r, Scale: 4, Disp: 28}, t.y)
}

func (t *tier) load(m Mem, v reg.VecVirtual, masked bool) {
	switch {
	case !masked:
		VMOVUPS(m, v)
	case t.wide:
		VMOVUPS_Z(m, t.k, v)
	default:
		VMASKMOVPS(m, t.y, v)
	}
}

func (t *tier) store(v reg.VecVirtual, m Mem, masked bool) {
	switch {
	case !masked:
		VMOVUPS(v, m)
	case t.wide:
		VMOVUPS(v, t.k, m)
	default:
		VMASKMOVPS(v, t.y, m)
	}
}

// add is acc += m.
func (t *tier) add(m Mem, acc reg.VecVirtual, masked bool) {
	switch {
	case !masked:
		VADDPS(m, acc, acc)
	case t.wide:
		VADDPS(m, acc, t.k, acc)
	default:
		x := t.vec()
		VMASKMOVPS(m, t.y, x)
		VADDPS(x, acc, acc)
	}
}

// mulAdd is acc += a*m, both rounded; it overwrites x.
func (t *tier) mulAdd(m Mem, a, x, acc reg.VecVirtual, masked bool) {
	switch {
	case !masked:
		VMULPS(m, a, x)
	case t.wide:
		VMULPS_Z(m, a, t.k, x)
	default:
		VMASKMOVPS(m, t.y, x)
		VMULPS(x, a, x)
	}
	VADDPS(x, acc, acc)
}

func (t *tier) zero(v reg.VecVirtual) {
	VXORPS(v, v, v)
}

func (t *tier) name(kind string) string {
	t.label++
	return kind + string(rune('A'+t.label/26%26)) + string(rune('a'+t.label%26))
}

// panels walks n columns: full panels of t.panel vectors, then one panel of
// as many vectors as are left, the last of them masked. body emits a panel of v
// vectors; next moves the pointers on by a number of bytes.
func (t *tier) panels(n reg.GPVirtual, body func(v int, masked bool), next func(bytes int)) {
	full, rest, done := t.name("full"), t.name("rest"), t.name("done")
	cols := t.panel * t.lanes
	TESTQ(n, n)
	JZ(LabelRef(done))
	t.tailSetup(n)
	Label(full)
	CMPQ(n, I32(cols))
	JL(LabelRef(rest))
	body(t.panel, false)
	next(4 * cols)
	SUBQ(I32(cols), n)
	JMP(LabelRef(full))
	Label(rest)
	TESTQ(n, n)
	JZ(LabelRef(done))
	labels := make([]string, t.panel+1)
	for v := 1; v < t.panel; v++ {
		labels[v] = t.name("tail")
		CMPQ(n, I32(v*t.lanes))
		JLE(LabelRef(labels[v]))
	}
	body(t.panel, true)
	JMP(LabelRef(done))
	for v := 1; v < t.panel; v++ {
		Label(labels[v])
		body(v, true)
		JMP(LabelRef(done))
	}
	Label(done)
	VZEROUPPER()
	RET()
}

func ptr(name string) reg.GPVirtual { return Load(Param(name), GP64()).(reg.GPVirtual) }

func addRows(t *tier) {
	TEXT("addRows"+t.suffix, NOSPLIT, "func(dst *float32, n int, w *float32, stride int, rows *int32, k int)")
	Pragma("noescape")
	Doc("addRows" + t.suffix + ": for j < n, dst[j] += w[rows[i]*stride+j], i = 0..k-1 in turn; k > 0.")
	dst, n, w, stride, rows, k := ptr("dst"), ptr("n"), ptr("w"), ptr("stride"), ptr("rows"), ptr("k")
	SHLQ(U8(2), stride)
	end := GP64()
	LEAQ(Mem{Base: rows, Index: k, Scale: 4}, end)
	t.panels(n, func(v int, masked bool) {
		acc := t.vecs(v)
		for i, a := range acc {
			t.load(Mem{Base: dst, Disp: i * t.bytes()}, a, masked && i == v-1)
		}
		at := GP64()
		MOVQ(rows, at)
		loop := t.name("row")
		Label(loop)
		r := GP64()
		MOVLQSX(Mem{Base: at}, r)
		IMULQ(stride, r)
		ADDQ(U8(4), at)
		for i, a := range acc {
			t.add(Mem{Base: w, Index: r, Scale: 1, Disp: i * t.bytes()}, a, masked && i == v-1)
		}
		CMPQ(at, end)
		JNE(LabelRef(loop))
		for i, a := range acc {
			t.store(a, Mem{Base: dst, Disp: i * t.bytes()}, masked && i == v-1)
		}
	}, func(bytes int) {
		ADDQ(I32(bytes), dst)
		ADDQ(I32(bytes), w)
	})
}

// listVecs is how many vectors of sums sumLists holds: as many as there are
// registers for, since each list costs a wrong guess of where it ends.
func (t *tier) listVecs() int {
	if t.wide {
		return 32
	}
	return 14
}

func sumLists(t *tier) {
	most := t.listVecs()
	TEXT("sumLists"+t.suffix, NOSPLIT, "func(dst *float32, dstStride, n int, w *float32, stride int, rows *int32, lists int)")
	Pragma("noescape")
	Doc("sumLists"+t.suffix+": for each of lists > 0 lists, one behind the other in rows and each ended by a number below 0,",
		"for j < n, dst[s*dstStride+j] = sum of w[row*stride+j] of each row in turn; 0 < n <= "+strconv.Itoa(most*t.lanes)+".")
	dst, dstStride, n, w, stride := ptr("dst"), ptr("dstStride"), ptr("n"), ptr("w"), ptr("stride")
	rows, lists := ptr("rows"), ptr("lists")
	SHLQ(U8(2), stride)
	SHLQ(U8(2), dstStride)
	t.tailSetup(n)
	done := t.name("done")
	labels := make([]string, most+1)
	for v := 1; v < most; v++ {
		labels[v] = t.name("wide")
		CMPQ(n, I32(v*t.lanes))
		JLE(LabelRef(labels[v]))
	}
	body := func(v int) {
		list, loop, end := t.name("list"), t.name("row"), t.name("end")
		Label(list)
		acc := t.vecs(v)
		for _, a := range acc {
			t.zero(a)
		}
		Label(loop)
		r := GP64()
		MOVLQSX(Mem{Base: rows}, r)
		ADDQ(U8(4), rows)
		TESTQ(r, r)
		JLT(LabelRef(end))
		IMULQ(stride, r)
		ADDQ(w, r)
		for i, a := range acc {
			t.add(Mem{Base: r, Disp: i * t.bytes()}, a, i == v-1)
		}
		JMP(LabelRef(loop))
		Label(end)
		for i, a := range acc {
			t.store(a, Mem{Base: dst, Disp: i * t.bytes()}, i == v-1)
		}
		ADDQ(dstStride, dst)
		DECQ(lists)
		JNE(LabelRef(list))
		JMP(LabelRef(done))
	}
	body(most)
	for v := 1; v < most; v++ {
		Label(labels[v])
		body(v)
	}
	Label(done)
	VZEROUPPER()
	RET()
}

func scaledRows(t *tier) {
	TEXT("scaledRows"+t.suffix, NOSPLIT, "func(dst *float32, n int, x *float32, stride int, rows *int32, scale *float32, k int)")
	Pragma("noescape")
	Doc("scaledRows" + t.suffix + ": for j < n, dst[j] = sum of scale[i]*x[rows[i]*stride+j], i = 0..k-1 in turn; k > 0.")
	dst, n, w, stride, rows, scale, k := ptr("dst"), ptr("n"), ptr("x"), ptr("stride"), ptr("rows"), ptr("scale"), ptr("k")
	SHLQ(U8(2), stride)
	t.panels(n, func(v int, masked bool) {
		acc := t.vecs(v)
		for _, a := range acc {
			t.zero(a)
		}
		i := GP64()
		XORQ(i, i)
		loop := t.name("row")
		Label(loop)
		r := GP64()
		MOVLQSX(Mem{Base: rows, Index: i, Scale: 4}, r)
		IMULQ(stride, r)
		b, x := t.vec(), t.vec()
		VBROADCASTSS(Mem{Base: scale, Index: i, Scale: 4}, b)
		for c, a := range acc {
			t.mulAdd(Mem{Base: w, Index: r, Scale: 1, Disp: c * t.bytes()}, b, x, a, masked && c == v-1)
		}
		INCQ(i)
		CMPQ(i, k)
		JNE(LabelRef(loop))
		for c, a := range acc {
			t.store(a, Mem{Base: dst, Disp: c * t.bytes()}, masked && c == v-1)
		}
	}, func(bytes int) {
		ADDQ(I32(bytes), dst)
		ADDQ(I32(bytes), w)
	})
}

// each walks n elements a vector at a time, the last one masked. at is the
// byte offset of the vector.
func (t *tier) each(n reg.GPVirtual, body func(at reg.GPVirtual, masked bool)) {
	loop, rest, done := t.name("vec"), t.name("rest"), t.name("done")
	at := GP64()
	XORQ(at, at)
	TESTQ(n, n)
	JZ(LabelRef(done))
	t.tailSetup(n)
	Label(loop)
	CMPQ(n, I32(t.lanes))
	JL(LabelRef(rest))
	body(at, false)
	ADDQ(I32(t.bytes()), at)
	SUBQ(I32(t.lanes), n)
	JMP(LabelRef(loop))
	Label(rest)
	TESTQ(n, n)
	JZ(LabelRef(done))
	body(at, true)
	Label(done)
	VZEROUPPER()
}

func mem(base, at reg.GPVirtual) Mem { return Mem{Base: base, Index: at, Scale: 1} }

func (t *tier) broadcast(name string) reg.VecVirtual {
	v := t.vec()
	a, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	VBROADCASTSS(a.Addr, v)
	return v
}

func lif(t *tier) {
	TEXT("lif"+t.suffix, NOSPLIT, "func(q, u, v, drive, count *float32, n int, keepU, keepV float32, keep uint32, fired *int32, first int) int")
	Pragma("noescape")
	Doc("lif"+t.suffix+" is LIF on n neurons numbered from first; keep is all ones to subtract, 0 to reset to zero.",
		"It writes up to n indices to fired and returns how many.")
	q, u, v, drive, count, n, fired, first := ptr("q"), ptr("u"), ptr("v"), ptr("drive"), ptr("count"), ptr("n"), ptr("fired"), ptr("first")
	keepU, keepV := t.broadcast("keepU"), t.broadcast("keepV")
	keep := t.broadcast("keep")
	one := t.vec()
	VBROADCASTSS(ones, one)
	zero := t.vec()
	t.zero(zero)
	index, step, table := t.indices(first)
	t.each(n, func(at reg.GPVirtual, masked bool) {
		in, uj, vj, r := t.vec(), t.vec(), t.vec(), t.vec()
		d, c := in, in
		t.load(mem(u, at), uj, masked)
		VMULPS(keepU, uj, uj)
		t.load(mem(q, at), in, masked)
		VADDPS(in, uj, uj)
		t.load(mem(v, at), vj, masked)
		VMULPS(keepV, vj, vj)
		VADDPS(uj, vj, vj)
		t.load(mem(drive, at), d, masked)
		VADDPS(uj, d, d)
		t.store(uj, mem(u, at), masked)
		t.store(d, mem(drive, at), masked)
		t.store(zero, mem(q, at), masked)
		VSUBPS(one, vj, r)
		VANDPS(keep, r, r)
		m := GP32()
		if t.wide {
			f := K()
			VCMPPS(U8(30), one, vj, f)
			if masked {
				KANDW(t.k, f, f)
			}
			VMOVAPS(r, f, vj)
			t.store(vj, mem(v, at), masked)
			t.load(mem(count, at), c, masked)
			VADDPS(one, c, f, c)
			t.store(c, mem(count, at), masked)
			t.compress(index, f, fired, masked)
			KMOVW(f, m)
			POPCNTL(m, m)
		} else {
			f := t.vec()
			VCMPPS(U8(30), one, vj, f)
			if masked {
				VANDPS(t.y, f, f)
			}
			VBLENDVPS(f, r, vj, vj)
			t.store(vj, mem(v, at), masked)
			t.load(mem(count, at), c, masked)
			VANDPS(one, f, r)
			VADDPS(r, c, c)
			t.store(c, mem(count, at), masked)
			VMOVMSKPS(f, m)
			pick := r
			VPMOVZXBD(Mem{Base: table, Index: m.As64(), Scale: 8}, pick)
			VPERMD(index, pick, pick)
			POPCNTL(m, m)
			if masked {
				ym := YMM() // eight would run past the end
				t.firstLanes(m, ym)
				VPMASKMOVD(pick, ym, Mem{Base: fired})
			} else {
				VMOVDQU(pick, Mem{Base: fired}) // eight have room: see compress
			}
		}
		LEAQ(Mem{Base: fired, Index: m.As64(), Scale: 4}, fired)
		VPADDD(step, index, index)
	})
	SUBQ(ptr("fired"), fired)
	SHRQ(U8(2), fired)
	Store(fired, ReturnIndex(0))
	RET()
}

func lifTicks(t *tier) {
	TEXT("lifTicks"+t.suffix, NOSPLIT, "func(q *float32, stride, ticks int, u, v, drive, count *float32, n int, keepU, keepV float32, keep uint32, spikes *uint32)")
	Pragma("noescape")
	Doc("lifTicks" + t.suffix + " is LIFTicks on n neurons, ticks > 0; keep is all ones to subtract, 0 to reset to zero.")
	q, stride, ticks := ptr("q"), ptr("stride"), ptr("ticks")
	u, v, drive, count, n, spikes := ptr("u"), ptr("v"), ptr("drive"), ptr("count"), ptr("n"), ptr("spikes")
	keepU, keepV := t.broadcast("keepU"), t.broadcast("keepV")
	keep := t.broadcast("keep")
	one := t.vec()
	VBROADCASTSS(ones, one)
	first, x := t.vec(), XMM()
	r := GP64()
	MOVQ(U32(1), r)
	VMOVQ(r, x)
	VPBROADCASTD(x, first)
	SHLQ(U8(2), stride)
	type neurons struct{ u, v, d, c, s, r reg.VecVirtual }
	// ticks runs all ticks of k vectors of neurons from the byte offset at on; a
	// tick waits for the one before, so some vectors keep the processor busy.
	run := func(k int, at Mem, masked bool) {
		place := func(base reg.GPVirtual, i int) Mem {
			m := at
			m.Base, m.Disp = base, i*t.bytes()
			return m
		}
		var x []neurons
		for i := range k {
			n := neurons{t.vec(), t.vec(), t.vec(), t.vec(), t.vec(), t.vec()}
			t.load(place(u, i), n.u, masked)
			t.load(place(v, i), n.v, masked)
			t.load(place(drive, i), n.d, masked)
			t.load(place(count, i), n.c, masked)
			t.zero(n.s)
			x = append(x, n)
		}
		bit, in := t.vec(), t.vec()
		VMOVAPS(first, bit)
		from, left := GP64(), GP64()
		LEAQ(place(q, 0), from)
		MOVQ(ticks, left)
		loop := t.name("tick")
		Label(loop)
		for i, n := range x {
			t.load(Mem{Base: from, Disp: i * t.bytes()}, in, masked)
			VMULPS(keepU, n.u, n.u)
			VADDPS(in, n.u, n.u)
			VMULPS(keepV, n.v, n.v)
			VADDPS(n.u, n.v, n.v)
			VADDPS(n.u, n.d, n.d)
			VSUBPS(one, n.v, n.r)
			VANDPS(keep, n.r, n.r)
			if t.wide {
				f := K()
				VCMPPS(U8(30), one, n.v, f)
				VMOVAPS(n.r, f, n.v)
				VADDPS(one, n.c, f, n.c)
				VPORD(bit, n.s, f, n.s)
			} else {
				f := t.vec()
				VCMPPS(U8(30), one, n.v, f)
				VBLENDVPS(f, n.r, n.v, n.v)
				VANDPS(one, f, n.r)
				VADDPS(n.r, n.c, n.c)
				VPAND(bit, f, n.r)
				VPOR(n.r, n.s, n.s)
			}
		}
		VPADDD(bit, bit, bit)
		ADDQ(stride, from)
		DECQ(left)
		JNE(LabelRef(loop))
		for i, n := range x {
			t.store(n.u, place(u, i), masked)
			t.store(n.v, place(v, i), masked)
			t.store(n.d, place(drive, i), masked)
			t.store(n.c, place(count, i), masked)
			t.store(n.s, place(spikes, i), masked)
		}
	}
	if t.wide {
		const many = 3
		next, rest := t.name("many"), t.name("few")
		Label(next)
		CMPQ(n, I32(many*t.lanes))
		JL(LabelRef(rest))
		run(many, Mem{}, false)
		for _, p := range []reg.GPVirtual{q, u, v, drive, count, spikes} {
			ADDQ(I32(many*t.bytes()), p)
		}
		SUBQ(I32(many*t.lanes), n)
		JMP(LabelRef(next))
		Label(rest)
	}
	t.each(n, func(at reg.GPVirtual, masked bool) { run(1, Mem{Index: at, Scale: 1}, masked) })
	RET()
}

func pick(t *tier) {
	TEXT("pick"+t.suffix, NOSPLIT, "func(x *uint32, n int, mask uint32, first int, index *int32, value *uint32) int")
	Pragma("noescape")
	Doc("pick"+t.suffix+" is Pick on n numbers, the first of which has index first.", "It writes up to n indices and values and returns how many.")
	x, n, first, to, value := ptr("x"), ptr("n"), ptr("first"), ptr("index"), ptr("value")
	mask := t.broadcast("mask")
	zero := t.vec()
	t.zero(zero)
	index, step, table := t.indices(first)
	t.each(n, func(at reg.GPVirtual, masked bool) {
		xi := t.vec()
		t.load(mem(x, at), xi, masked)
		m := GP32()
		if t.wide {
			f := K()
			VPTESTMD(mask, xi, f) // what a masked load leaves out is 0
			t.compress(index, f, to, masked)
			t.compress(xi, f, value, masked)
			KMOVW(f, m)
			POPCNTL(m, m)
		} else {
			f := t.vec()
			VPAND(mask, xi, f)
			VPCMPEQD(zero, f, f)
			VMOVMSKPS(f, m)
			XORL(U32(0xff), m)
			order, ym := t.vec(), YMM()
			VPMOVZXBD(Mem{Base: table, Index: m.As64(), Scale: 8}, order)
			POPCNTL(m, m)
			if masked {
				t.firstLanes(m, ym)
			}
			for _, c := range []struct {
				v  reg.VecVirtual
				to reg.GPVirtual
			}{{index, to}, {xi, value}} {
				v := t.vec()
				VPERMD(c.v, order, v)
				if masked {
					VPMASKMOVD(v, ym, Mem{Base: c.to})
				} else {
					VMOVDQU(v, Mem{Base: c.to})
				}
			}
		}
		LEAQ(Mem{Base: to, Index: m.As64(), Scale: 4}, to)
		LEAQ(Mem{Base: value, Index: m.As64(), Scale: 4}, value)
		VPADDD(step, index, index)
	})
	SUBQ(ptr("index"), to)
	SHRQ(U8(2), to)
	Store(to, ReturnIndex(0))
	RET()
}

// indices are first, first+1, ... in a vector, the step to the next vector's, and,
// without AVX-512, the address of compress.
func (t *tier) indices(first reg.GPVirtual) (index, step reg.VecVirtual, table reg.GPVirtual) {
	index, step, table = t.vec(), t.vec(), GP64()
	x, lanes := XMM(), GP64()
	VMOVQ(first, x) // not MOVQ: legacy SSE amid dirty upper halves stalls
	VPBROADCASTD(x, index)
	VPADDD(iota32, index, index)
	MOVQ(U32(uint32(t.lanes)), lanes)
	VMOVQ(lanes, x)
	VPBROADCASTD(x, step)
	if !t.wide {
		LEAQ(compress, table)
	}
	return index, step, table
}

// compress stores the lanes of v that f has. Whole vectors go through a register:
// as the lanes so far, which are no more than the numbers before this vector's, lie
// before it, there is room for all 16.
func (t *tier) compress(v reg.VecVirtual, f reg.Register, to reg.GPVirtual, masked bool) {
	if masked {
		VPCOMPRESSD(v, f, Mem{Base: to})
		return
	}
	r := t.vec()
	VPCOMPRESSD_Z(v, f, r)
	VMOVDQU32(r, Mem{Base: to})
}

// firstLanes makes ym a mask of the first m of 8 lanes.
func (t *tier) firstLanes(m reg.GPVirtual, ym reg.VecVirtual) {
	r, base := GP64(), GP64()
	MOVL(m.As32(), r.As32())
	NEGQ(r)
	LEAQ(tailMask, base)
	VMOVDQU(Mem{Base: base, Index: r, Scale: 4, Disp: 32}, ym)
}

func adam(t *tier) {
	TEXT("adam"+t.suffix, NOSPLIT, "func(w, m, s, grad *float32, n int, rate, b1, b2, c1, c2, eps float32)")
	Pragma("noescape")
	Doc("adam" + t.suffix + " is Adam on n weights; c1 = 1-b1, c2 = 1-b2.")
	w, m, s, g, n := ptr("w"), ptr("m"), ptr("s"), ptr("grad"), ptr("n")
	rate, b1, b2 := t.broadcast("rate"), t.broadcast("b1"), t.broadcast("b2")
	c1, c2, eps := t.broadcast("c1"), t.broadcast("c2"), t.broadcast("eps")
	upper, zero := t.vec(), t.vec()
	if t.wide {
		VPBROADCASTD(largeBits, upper)
	} else {
		VBROADCASTSS(largeBits, upper)
		t.zero(zero)
	}
	flush := func(v reg.VecVirtual) {
		if t.wide {
			k := K()
			VPTESTMD(upper, v, k)
			VMOVAPS_Z(v, k, v)
			return
		}
		x := t.vec()
		VPAND(upper, v, x)
		VPCMPEQD(zero, x, x)
		VPANDN(v, x, v)
	}
	t.each(n, func(at reg.GPVirtual, masked bool) {
		gi, mi, si, wi, x := t.vec(), t.vec(), t.vec(), t.vec(), t.vec()
		// Rows come one after another from far memory; a call is too short for the
		// processor to notice.
		const ahead = 768
		for _, b := range []reg.GPVirtual{w, m, s} {
			PREFETCHT0(Mem{Base: b, Index: at, Scale: 1, Disp: ahead})
		}
		t.load(mem(g, at), gi, masked)
		t.load(mem(m, at), mi, masked)
		VMULPS(b1, mi, mi)
		VMULPS(c1, gi, x)
		VADDPS(x, mi, mi)
		t.load(mem(s, at), si, masked)
		VMULPS(b2, si, si)
		VMULPS(gi, gi, x)
		VMULPS(c2, x, x)
		VADDPS(x, si, si)
		flush(mi)
		flush(si)
		t.store(mi, mem(m, at), masked)
		t.store(si, mem(s, at), masked)
		VSQRTPS(si, si)
		VADDPS(eps, si, si)
		VMULPS(rate, mi, mi)
		VDIVPS(si, mi, mi)
		t.load(mem(w, at), wi, masked)
		VSUBPS(mi, wi, wi)
		t.store(wi, mem(w, at), masked)
	})
	RET()
}

func axpy(t *tier) {
	TEXT("axpy"+t.suffix, NOSPLIT, "func(y *float32, a float32, x *float32, n int)")
	Pragma("noescape")
	Doc("axpy" + t.suffix + ": y[j] += a*x[j], j < n.")
	y, x, n := ptr("y"), ptr("x"), ptr("n")
	a := t.broadcast("a")
	t.each(n, func(at reg.GPVirtual, masked bool) {
		v := t.vec()
		t.load(mem(y, at), v, masked)
		t.mulAdd(mem(x, at), a, t.vec(), v, masked)
		t.store(v, mem(y, at), masked)
	})
	RET()
}

// loadRows is the benchmarks' ceiling: it reads what addRows reads and nothing
// else.
func loadRows(t *tier) {
	TEXT("loadRows"+t.suffix, NOSPLIT, "func(n int, w *float32, stride int, rows *int32, k int)")
	Pragma("noescape")
	Doc("loadRows" + t.suffix + " loads the whole vectors of the rows that addRows would add: the benchmarks' ceiling.")
	n, w, stride, rows, k := ptr("n"), ptr("w"), ptr("stride"), ptr("rows"), ptr("k")
	SHLQ(U8(2), stride)
	end := GP64()
	LEAQ(Mem{Base: rows, Index: k, Scale: 4}, end)
	SUBQ(I32(4*t.lanes), n)
	v := t.vecs(8)
	Label("row")
	r, c := GP64(), GP64()
	MOVLQSX(Mem{Base: rows}, r)
	IMULQ(stride, r)
	ADDQ(w, r)
	XORQ(c, c)
	Label("col")
	for i := range 4 {
		VMOVUPS(Mem{Base: r, Index: c, Scale: 4, Disp: i * t.bytes()}, v[i])
	}
	ADDQ(I32(4*t.lanes), c)
	CMPQ(c, n)
	JLE(LabelRef("col"))
	ADDQ(U8(4), rows)
	CMPQ(rows, end)
	JNE(LabelRef("row"))
	VZEROUPPER()
	RET()
}

// mulVecs is how many vectors of columns mul takes at a time.
const mulVecs = 2

// mul keeps a tile of sums in registers: two vectors of as many rows as there are
// registers for.
func mul(t *tier) {
	most := 6
	if t.wide {
		most = 12
	}
	TEXT("mul"+t.suffix, NOSPLIT, "func(c *float32, ldc int, a *float32, lda int, b *float32, k, m int)")
	Pragma("noescape")
	Doc("mul"+t.suffix+": for i < m, j < "+strconv.Itoa(mulVecs*t.lanes)+", c[i*ldc+j] = sum of a[i*lda+p]*b[p*"+strconv.Itoa(mulVecs*t.lanes)+
		"+j], p = 0..k-1 in turn,", "each a fused multiply-add; 0 < m <= "+strconv.Itoa(most)+".")
	c, ldc, a, lda, b, k, m := ptr("c"), ptr("ldc"), ptr("a"), ptr("lda"), ptr("b"), ptr("k"), ptr("m")
	SHLQ(U8(2), ldc)
	SHLQ(U8(2), lda)
	labels := make([]string, most+1)
	for rows := 1; rows < most; rows++ {
		labels[rows] = t.name("rows")
		CMPQ(m, I32(rows))
		JEQ(LabelRef(labels[rows]))
	}
	for rows := most; rows > 0; rows-- {
		if rows < most {
			Label(labels[rows])
		}
		acc := t.vecs(mulVecs * rows)
		for _, v := range acc {
			t.zero(v)
		}
		var at []reg.GPVirtual // of every third row of a
		for r := 0; r < rows; r += 3 {
			p := GP64()
			if r == 0 {
				MOVQ(a, p)
			} else {
				LEAQ(Mem{Base: at[r/3-1], Index: lda, Scale: 2}, p)
				ADDQ(lda, p)
			}
			at = append(at, p)
		}
		element := func(r, u int) Mem {
			x := Mem{Base: at[r/3], Disp: 4 * u}
			if r%3 > 0 {
				x.Index, x.Scale = lda, uint8(r%3)
			}
			return x
		}
		steps := func(n int) {
			for u := range n {
				x := t.vecs(mulVecs)
				for i, v := range x {
					t.load(Mem{Base: b, Disp: (u*mulVecs + i) * t.bytes()}, v, false)
				}
				for r := range rows {
					y := t.vec()
					VBROADCASTSS(element(r, u), y)
					for i, v := range x {
						VFMADD231PS(y, v, acc[r*mulVecs+i])
					}
				}
			}
			ADDQ(I32(n*mulVecs*t.bytes()), b)
			for _, p := range at {
				ADDQ(U8(4*n), p)
			}
		}
		loop, rest, one, out := t.name("four"), t.name("rest"), t.name("one"), t.name("out")
		Label(loop)
		SUBQ(U8(4), k)
		JLT(LabelRef(rest))
		steps(4)
		JMP(LabelRef(loop))
		Label(rest)
		ADDQ(U8(4), k)
		JEQ(LabelRef(out))
		Label(one)
		steps(1)
		DECQ(k)
		JNE(LabelRef(one))
		Label(out)
		for r := range rows {
			for i := range mulVecs {
				t.store(acc[r*mulVecs+i], Mem{Base: c, Disp: i * t.bytes()}, false)
			}
			ADDQ(ldc, c)
		}
		VZEROUPPER()
		RET()
	}
}

// fmas is the benchmarks' ceiling of mul: fused multiply-adds on registers.
func fmas(t *tier) {
	TEXT("fmas"+t.suffix, NOSPLIT, "func(n int)")
	Pragma("noescape")
	Doc("fmas" + t.suffix + " does n times 12 fused multiply-adds of " + strconv.Itoa(t.lanes) + " lanes, none of which waits for the one before.")
	n := ptr("n")
	acc := t.vecs(12)
	for _, v := range acc {
		t.zero(v)
	}
	x := t.vec()
	t.zero(x)
	Label("loop")
	for _, v := range acc {
		VFMADD231PS(x, x, v)
	}
	DECQ(n)
	JNE(LabelRef("loop"))
	VZEROUPPER()
	RET()
}
