// Gen writes the amd64 kernels of package simd:
//
//	go run . -out ../zkernels_amd64.s -stubs ../zstubs_amd64.go -pkg simd
//
// It is its own module so that the main one does not depend on avo. Each kernel
// is written once over a tier (vector width) and emitted for AVX2 and AVX-512.
// There are no tails: neurons come in whole blocks of 64.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const block = 64

func main() {
	ConstraintExpr("amd64")
	data()
	pack()
	unpack()
	for _, t := range []*tier{{suffix: "AVX2", lanes: 8, panel: 2}, {suffix: "AVX512", lanes: 16, panel: 4, wide: true}} {
		sumRows(t)
		loadRows(t)
		addRows(t)
		addRows16(t)
		limits(t)
		step(t)
		stepLeaky(t)
	}
	Generate()
}

var (
	compress Mem // for each mask of 8 lanes, the lanes that are set, ascending
	iota32   Mem // 0..15
)

func data() {
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
}

// tier is an instruction set.
type tier struct {
	suffix string
	lanes  int // of 32 bits in a vector
	panel  int // blocks of columns whose sums fit the registers, in sumRows
	wide   bool
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

func (t *tier) load(m Mem, v reg.VecVirtual) {
	if t.wide {
		VMOVDQU32(m, v)
		return
	}
	VMOVDQU(m, v)
}

func (t *tier) store(v reg.VecVirtual, m Mem) {
	if t.wide {
		VMOVDQU32(v, m)
		return
	}
	VMOVDQU(v, m)
}

func (t *tier) zero(v reg.VecVirtual) {
	t.xor(v, v, v)
}

func (t *tier) and(a Op, b, to reg.VecVirtual) {
	if t.wide {
		VPANDD(a, b, to)
		return
	}
	VPAND(a, b, to)
}

func (t *tier) or(a, b, to reg.VecVirtual) {
	if t.wide {
		VPORD(a, b, to)
		return
	}
	VPOR(a, b, to)
}

func (t *tier) xor(a, b, to reg.VecVirtual) {
	if t.wide {
		VPXORD(a, b, to)
		return
	}
	VPXOR(a, b, to)
}

// broadcast is a vector of one number of memory or of a register.
func (t *tier) broadcast(from Op) reg.VecVirtual {
	v := t.vec()
	if r, ok := from.(reg.GP); ok {
		x := XMM()
		VMOVD(r.As32(), x)
		VPBROADCASTD(x, v)
		return v
	}
	VPBROADCASTD(from, v)
	return v
}

func (t *tier) name(kind string) string {
	t.label++
	return kind + string(rune('A'+t.label/26%26)) + string(rune('a'+t.label%26))
}

func ptr(name string) reg.GPVirtual { return Load(Param(name), GP64()).(reg.GPVirtual) }

func mem(base, at reg.GPVirtual) Mem { return Mem{Base: base, Index: at, Scale: 1} }

// half is the low or the high half of v's 16-bit lanes, widened to v's size by
// VPMOVZXWD or VPMOVSXWD.
func (t *tier) half(v reg.VecVirtual, high bool, widen func(...Op), to reg.VecVirtual) {
	if !high {
		if t.wide {
			widen(v.AsY(), to)
		} else {
			widen(v.AsX(), to)
		}
		return
	}
	if t.wide {
		y := YMM()
		VEXTRACTI64X4(U8(1), v, y)
		widen(y, to)
		return
	}
	x := XMM()
	VEXTRACTI128(U8(1), v, x)
	widen(x, to)
}

// narrowed is the inverse of half, for lanes of 32 bits that fit 16.
func (t *tier) narrowed(low, high, to reg.VecVirtual) {
	if t.wide {
		y := YMM()
		VPMOVDW(low, to.AsY())
		VPMOVDW(high, y)
		VINSERTI64X4(U8(1), y, to, to)
		return
	}
	VPACKSSDW(high, low, to)
	VPERMQ(U8(0xd8), to, to)
}

// panels walks n > 0 columns, whole blocks: full panels of most blocks, then one of
// what is left. body emits a panel of so many blocks; next moves on by so many
// columns.
func (t *tier) panels(n reg.GPVirtual, most int, body func(blocks int), next func(cols int)) {
	full, rest, done := t.name("full"), t.name("rest"), t.name("done")
	cols := most * block
	Label(full)
	CMPQ(n, I32(cols))
	JL(LabelRef(rest))
	body(most)
	next(cols)
	SUBQ(I32(cols), n)
	JMP(LabelRef(full))
	Label(rest)
	for blocks := 1; blocks < most; blocks++ {
		other := t.name("panel")
		CMPQ(n, I32(blocks*block))
		JNE(LabelRef(other))
		body(blocks)
		JMP(LabelRef(done))
		Label(other)
	}
	Label(done)
	VZEROUPPER()
	RET()
}

// sumRows keeps two vectors of 16-bit sums for each vector of weights: of the
// words as they are, and of their high bytes.
func sumRows(t *tier) {
	TEXT("sumRows"+t.suffix, NOSPLIT, "func(q *int32, n int, w *uint64, rows *int32, k int, exp uint64, keep int32)")
	Pragma("noescape")
	Doc("sumRows"+t.suffix+": for j < n, a multiple of 64, q[j] = q[j]&keep + (the weights of column j in k rows of w, n bytes apart)<<exp.",
		"k is 1..256.")
	q, n, w, rows, k := ptr("q"), ptr("n"), ptr("w"), ptr("rows"), ptr("k")
	exp := XMM()
	VMOVQ(NewParamAddr("exp", 40), exp)
	keep := t.broadcast(Load(Param("keep"), GP32()))
	stride, end := GP64(), GP64()
	MOVQ(n, stride)
	LEAQ(Mem{Base: rows, Index: k, Scale: 4}, end)
	SHLQ(U8(7), k) // times the bias
	rest := t.broadcast(k)
	t.panels(n, t.panel, func(blocks int) {
		per := block / t.bytes() // vectors of a block
		lo, hi := t.vecs(per*blocks), t.vecs(per*blocks)
		for i := range lo {
			t.zero(lo[i])
			t.zero(hi[i])
		}
		t.eachRow(w, stride, rows, end, len(lo), func(i int, x reg.VecVirtual) {
			VPADDW(x, lo[i], lo[i])
			VPSRLW(U8(8), x, x)
			VPADDW(x, hi[i], hi[i])
		})
		for i := range lo {
			x := t.vec()
			VPSLLW(U8(8), hi[i], x)
			VPSUBW(x, lo[i], lo[i])
			for j, v := range []reg.VecVirtual{lo[i], hi[i]} {
				for h := range 2 {
					to := t.columns(q, i, j, h)
					y := t.vec()
					t.half(v, h == 1, VPMOVZXWD, y)
					VPSUBD(rest, y, y)
					VPSLLD(exp, y, y)
					t.and(to, keep, x)
					VPADDD(x, y, y)
					t.store(y, to)
				}
			}
		}
	}, func(cols int) {
		ADDQ(I32(4*cols), q)
		ADDQ(I32(cols), w)
	})
}

// eachRow loads so many vectors of each of the rows at rows..end.
func (t *tier) eachRow(w, stride, rows, end reg.GPVirtual, vectors int, add func(i int, x reg.VecVirtual)) {
	at, r := GP64(), GP64()
	MOVQ(rows, at)
	loop := t.name("row")
	Label(loop)
	MOVLQSX(Mem{Base: at}, r)
	IMULQ(stride, r)
	ADDQ(U8(4), at)
	for i := range vectors {
		x := t.vec()
		t.load(Mem{Base: w, Index: r, Scale: 1, Disp: i * t.bytes()}, x)
		add(i, x)
	}
	CMPQ(at, end)
	JNE(LabelRef(loop))
}

// columns are those, as numbers of 32 bits at base, of half h of the 16-bit lanes of
// vector i of a panel: j is 0 for its low bytes and 1 for its high ones, 32 columns on.
func (t *tier) columns(base reg.GPVirtual, i, j, h int) Mem {
	per := block / t.bytes()
	return Mem{Base: base, Disp: 4*(i/per*block+i%per*2*t.lanes+32*j) + h*t.bytes()}
}

// pack lays out whole blocks of a row.
func pack() {
	TEXT("packAVX2", NOSPLIT, "func(to *uint64, from *int8, n int, half int, ends *int8)")
	Pragma("noescape")
	Doc("packAVX2 lays out n > 0 blocks of weights, in half a byte each if half is 1.",
		"It writes the least of each of 32 lanes, and 0, to ends, and then the largest.")
	to, from, n, half := ptr("to"), ptr("from"), ptr("n"), ptr("half")
	t := &tier{lanes: 8}
	b := GP64()
	byte4 := func(x uint32) reg.VecVirtual {
		MOVL(U32(x), b.As32())
		return t.broadcast(b)
	}
	top, nibble, eight := byte4(0x80808080), byte4(0x0f0f0f0f), byte4(0x88888888)
	least, most := YMM(), YMM()
	t.zero(least)
	t.zero(most)
	Label("row")
	x, y, lo, hi := YMM(), YMM(), YMM(), YMM()
	VMOVDQU(Mem{Base: from}, x)
	VMOVDQU(Mem{Base: from, Disp: 32}, y)
	for _, v := range []reg.VecVirtual{x, y} {
		VPMINSB(v, least, least)
		VPMAXSB(v, most, most)
	}
	VPUNPCKLBW(y, x, lo)
	VPUNPCKHBW(y, x, hi)
	VPERM2I128(U8(0x20), hi, lo, x)
	VPERM2I128(U8(0x31), hi, lo, y)
	TESTQ(half, half)
	JNZ(LabelRef("halves"))
	VPXOR(top, x, x)
	VPXOR(top, y, y)
	VMOVDQU(x, Mem{Base: to})
	VMOVDQU(y, Mem{Base: to, Disp: 32})
	ADDQ(U8(64), to)
	JMP(LabelRef("next"))
	Label("halves")
	VPAND(nibble, x, x)
	VPAND(nibble, y, y)
	VPSLLW(U8(4), y, y)
	VPOR(y, x, x)
	VPXOR(eight, x, x)
	VMOVDQU(x, Mem{Base: to})
	ADDQ(U8(32), to)
	Label("next")
	ADDQ(U8(64), from)
	DECQ(n)
	JNZ(LabelRef("row"))
	ends := ptr("ends")
	VMOVDQU(least, Mem{Base: ends})
	VMOVDQU(most, Mem{Base: ends, Disp: 32})
	VZEROUPPER()
	RET()
}

// unpack writes out half rows: low halves of bytes to the first words of a block, high
// ones to the others. Memory is what it waits for, so that wider vectors would not help.
func unpack() {
	TEXT("unpackAVX2", NOSPLIT, "func(to, from *uint64, n int)")
	Pragma("noescape")
	Doc("unpackAVX2 writes n > 0 blocks of half a byte a weight out as blocks of a byte.")
	to, from, n := ptr("to"), ptr("from"), ptr("n")
	t := &tier{lanes: 8}
	b := GP64()
	MOVL(U32(0x0f0f0f0f), b.As32())
	half := t.broadcast(b)
	MOVL(U32(0x78787878), b.As32())
	more := t.broadcast(b) // 128 − 8
	Label("block")
	x, y := YMM(), YMM()
	VMOVDQU(Mem{Base: from}, x)
	VPSRLW(U8(4), x, y)
	for i, v := range []reg.VecVirtual{x, y} {
		VPAND(half, v, v)
		VPADDB(more, v, v)
		VMOVDQU(v, Mem{Base: to, Disp: 32 * i})
	}
	ADDQ(U8(32), from)
	ADDQ(U8(64), to)
	DECQ(n)
	JNZ(LabelRef("block"))
	VZEROUPPER()
	RET()
}

// loadRows is the benchmarks' ceiling: it reads what sumRows reads and nothing
// else.
func loadRows(t *tier) {
	TEXT("loadRows"+t.suffix, NOSPLIT, "func(n int, w *uint64, rows *int32, k int)")
	Pragma("noescape")
	Doc("loadRows" + t.suffix + " loads the rows that sumRows would add: the benchmarks' ceiling.")
	n, w, rows, k := ptr("n"), ptr("w"), ptr("rows"), ptr("k")
	end := GP64()
	LEAQ(Mem{Base: rows, Index: k, Scale: 4}, end)
	v := t.vecs(block / t.bytes())
	Label("row")
	r, c := GP64(), GP64()
	MOVLQSX(Mem{Base: rows}, r)
	IMULQ(n, r)
	ADDQ(w, r)
	XORQ(c, c)
	Label("col")
	for i := range v {
		t.load(Mem{Base: r, Index: c, Scale: 1, Disp: i * t.bytes()}, v[i])
	}
	ADDQ(I32(block), c)
	CMPQ(c, n)
	JL(LabelRef("col"))
	ADDQ(U8(4), rows)
	CMPQ(rows, end)
	JNE(LabelRef("row"))
	VZEROUPPER()
	RET()
}

// narrow is a register of the contract.
type narrow struct{ lo, hi, base, mask func() reg.VecVirtual }

// constants are those of a Narrow at memory m. In AVX2 there are too few
// registers to keep them.
func (t *tier) constants(base reg.GPVirtual, first int) narrow {
	return narrow{t.constant(base, first), t.constant(base, first+1), t.constant(base, first+2), t.constant(base, first+3)}
}

func (t *tier) constant(base reg.GPVirtual, i int) func() reg.VecVirtual {
	at := Mem{Base: base, Disp: 4 * i}
	if !t.wide {
		return func() reg.VecVirtual { return t.broadcast(at) }
	}
	v := t.broadcast(at)
	return func() reg.VecVirtual { return v }
}

func (t *tier) clip(r narrow, x, to reg.VecVirtual) {
	VPMAXSD(r.lo(), x, to)
	VPMINSD(r.hi(), to, to)
}

func (t *tier) wrap(r narrow, x, to reg.VecVirtual) {
	b := r.base()
	VPSUBD(b, x, to)
	t.and(r.mask(), to, to)
	VPADDD(b, to, to)
}

// count adds 1 to the lanes of n where a and b differ; for AVX2, takes 1 from
// those where they are equal.
func (t *tier) count(a, b, one, n reg.VecVirtual) {
	if t.wide {
		k := K()
		VPCMPD(U8(4), a, b, k)
		VPADDD(one, n, k, n)
		return
	}
	x := t.vec()
	VPCMPEQD(a, b, x)
	VPADDD(x, n, n)
}

// differ ends count: per lane, how many of the times that each has counted were of a difference.
func (t *tier) differ(n reg.VecVirtual, times reg.GPVirtual) {
	if !t.wide {
		VPADDD(t.broadcast(times), n, n)
	}
}

// addRows narrows at every add. The sums of 16 columns, or of 8, and of those 32
// on are held at a time.
func addRows(t *tier) {
	TEXT("addRows"+t.suffix, NOSPLIT, "func(acc *int32, n int, w *uint64, rows *int32, k int, exp uint64, to *int32, over *uint32)")
	Pragma("noescape")
	Doc("addRows"+t.suffix+" is Add on n columns and k > 0 rows; to is a Narrow.",
		"It writes the number of overflows in each of its lanes to over.")
	acc, n, w, rows, k := ptr("acc"), ptr("n"), ptr("w"), ptr("rows"), ptr("k")
	exp := XMM()
	VMOVQ(NewParamAddr("exp", 40), exp)
	to := ptr("to")
	r := t.constants(to, 0)
	b := GP64()
	MOVL(U32(0xff), b.As32())
	low := t.broadcast(b) // byte of a word
	MOVL(U32(128), b.As32())
	offset := t.broadcast(b) // the bias, shifted
	VPSLLD(exp, offset, offset)
	var one reg.VecVirtual
	if t.wide {
		MOVL(U32(1), b.As32())
		one = t.broadcast(b)
	}
	over := t.vec()
	t.zero(over)
	stride, end, times := GP64(), GP64(), GP64()
	MOVQ(n, stride)
	LEAQ(Mem{Base: rows, Index: k, Scale: 4}, end)
	// Two columns a word and row: n/(2·lanes) words, twice.
	MOVQ(n, times)
	SHRQ(U8(map[bool]uint64{false: 3, true: 4}[t.wide]), times)
	IMULQ(k, times)
	mask := GP32()
	MOVL(Mem{Base: to, Disp: 12}, mask)

	words := t.name("words")
	Label(words)
	half := func(narrow func(narrow, reg.VecVirtual, reg.VecVirtual)) {
		a, c := t.vec(), t.vec()
		t.load(Mem{Base: acc}, a)
		t.load(Mem{Base: acc, Disp: 4 * 32}, c)
		at := GP64()
		MOVQ(rows, at)
		loop := t.name("row")
		Label(loop)
		p := GP64()
		MOVLQSX(Mem{Base: at}, p)
		IMULQ(stride, p)
		ADDQ(U8(4), at)
		x, y := t.vec(), t.vec()
		VPMOVZXWD(Mem{Base: w, Index: p, Scale: 1}, x)
		VPSRLD(U8(8), x, y)
		t.and(low, x, x)
		for _, s := range []struct{ sum, x reg.VecVirtual }{{a, x}, {c, y}} {
			VPSLLD(exp, s.x, s.x)
			VPSUBD(offset, s.x, s.x)
			VPADDD(s.sum, s.x, s.x)
			narrow(r, s.x, s.sum)
			t.count(s.sum, s.x, one, over)
		}
		CMPQ(at, end)
		JNE(LabelRef(loop))
		t.store(a, Mem{Base: acc})
		t.store(c, Mem{Base: acc, Disp: 4 * 32})
	}
	wraps, next := t.name("wraps"), t.name("next")
	CMPL(mask, I8(-1))
	JNE(LabelRef(wraps))
	half(t.clip)
	JMP(LabelRef(next))
	Label(wraps)
	half(t.wrap)
	Label(next)
	ADDQ(I32(t.bytes()), acc)
	ADDQ(I32(2*t.lanes), w)
	SUBQ(I32(2*t.lanes), n)
	// The words of a block done: acc goes on behind the columns 32 on.
	same := t.name("same")
	TESTQ(U32(block-1), n)
	JNE(LabelRef(same))
	ADDQ(I32(4*32), acc)
	Label(same)
	TESTQ(n, n)
	JNE(LabelRef(words))
	t.differ(over, times)
	t.store(over, Mem{Base: ptr("over")})
	VZEROUPPER()
	RET()
}

// addRows16 keeps the registers of a panel in lanes of 16 bits, shifted up so that
// they saturate or wrap where the lane does. Every add is done in both ways: where
// they differ it overflowed.
func addRows16(t *tier) {
	TEXT("addRows16"+t.suffix, NOSPLIT, "func(acc *int32, n int, w *uint64, rows *int32, k int, p *int32)")
	Pragma("noescape")
	Doc("addRows16" + t.suffix + " is Add on n columns and k = 1..2048 rows in the register p, a lanes16.")
	const up, offset, low, high, wraps, over = 0, 4, 8, 12, 16, 20 // of p, in bytes
	acc, n, w, rows, k, p := ptr("acc"), ptr("n"), ptr("w"), ptr("rows"), ptr("k"), ptr("p")
	stride, end := GP64(), GP64()
	MOVQ(n, stride)
	LEAQ(Mem{Base: rows, Index: k, Scale: 4}, end)
	b := GP64()
	MOVL(U32(0x80808080), b.As32())
	bias := t.broadcast(b)
	times := [2]reg.VecVirtual{t.broadcast(Mem{Base: p, Disp: low}), t.broadcast(Mem{Base: p, Disp: high})}
	count := t.vec()
	ones := func() reg.VecVirtual {
		MOVL(U32(0x00010001), b.As32())
		return t.broadcast(b)
	}
	var one reg.VecVirtual
	if t.wide {
		one = ones()
	}
	t.panels(n, t.panel, func(blocks int) {
		vectors := block / t.bytes() * blocks
		z := t.vecs(2 * vectors)
		shift := XMM()
		VMOVD(Mem{Base: p, Disp: up}, shift)
		for i := range z {
			var x [2]reg.VecVirtual
			for h := range x {
				x[h] = t.vec()
				t.load(t.columns(acc, i/2, i%2, h), x[h])
				VPSUBD(t.broadcast(Mem{Base: p, Disp: offset}), x[h], x[h])
				VPSLLD(shift, x[h], x[h])
			}
			t.narrowed(x[0], x[1], z[i])
		}
		t.zero(count)
		each := func(add, other func(...Op)) {
			t.eachRow(w, stride, rows, end, vectors, func(i int, x reg.VecVirtual) {
				t.xor(bias, x, x)
				for j := range 2 { // the product of the other byte is 0
					y, z := t.vec(), z[2*i+j]
					VPMADDUBSW(x, times[j], y)
					would := t.vec()
					other(y, z, would)
					add(y, z, z)
					if t.wide {
						k := K()
						VPCMPW(U8(4), would, z, k)
						VPADDW(one, count, k, count)
					} else {
						VPCMPEQW(would, z, would)
						VPADDW(would, count, count) // takes 1 where they are equal
					}
				}
			})
		}
		wrap, done := t.name("wrap"), t.name("done")
		CMPL(Mem{Base: p, Disp: wraps}, I8(0))
		JNE(LabelRef(wrap))
		each(VPADDSW, VPADDW)
		JMP(LabelRef(done))
		Label(wrap)
		each(VPADDW, VPADDSW)
		Label(done)
		if t.wide {
			VPMADDWD(one, count, count) // to 32 bits
		} else {
			VPMADDWD(ones(), count, count)
			all := GP64()
			IMUL3Q(I32(int32(2*len(z))), k, all)
			VPADDD(t.broadcast(all), count, count)
		}
		VPADDD(Mem{Base: p, Disp: over}, count, count)
		t.store(count, Mem{Base: p, Disp: over})
		VMOVD(Mem{Base: p, Disp: up}, shift)
		for i, v := range z {
			for h := range 2 {
				x := t.vec()
				t.half(v, h == 1, VPMOVSXWD, x)
				VPSRAD(shift, x, x)
				VPADDD(t.broadcast(Mem{Base: p, Disp: offset}), x, x)
				t.store(x, t.columns(acc, i/2, i%2, h))
			}
		}
	}, func(cols int) {
		ADDQ(I32(4*cols), acc)
		ADDQ(I32(cols), w)
	})
}

func limits(t *tier) {
	TEXT("limits"+t.suffix, NOSPLIT, "func(x *int32, n int, ends *int32)")
	Pragma("noescape")
	Doc("limits"+t.suffix+": the least of each lane of n numbers of x, a multiple of 64 and not 0, to ends[:16],",
		"and the largest to ends[16:32].")
	x, n, ends := ptr("x"), ptr("n"), ptr("ends")
	lo, hi := t.vecs(block/t.lanes/2), t.vecs(block/t.lanes/2)
	for i := range lo {
		t.load(Mem{Base: x, Disp: i * t.bytes()}, lo[i])
		t.copy(lo[i], hi[i])
	}
	last := GP64()
	LEAQ(Mem{Base: x, Index: n, Scale: 4}, last)
	loop := t.name("numbers")
	Label(loop)
	for i := range lo {
		v := t.vec()
		t.load(Mem{Base: x, Disp: i * t.bytes()}, v)
		VPMINSD(v, lo[i], lo[i])
		VPMAXSD(v, hi[i], hi[i])
	}
	ADDQ(I32(4*block/2), x)
	CMPQ(x, last)
	JNE(LabelRef(loop))
	for i := 1; i < len(lo); i++ {
		VPMINSD(lo[i], lo[0], lo[0])
		VPMAXSD(hi[i], hi[0], hi[0])
	}
	for at := 0; at < 64; at += t.bytes() {
		t.store(lo[0], Mem{Base: ends, Disp: at})
		t.store(hi[0], Mem{Base: ends, Disp: 64 + at})
	}
	VZEROUPPER()
	RET()
}

// How step decays. A decay at memory is factor, shift, round, low = 2^shift − 1, up =
// low − round.
const (
	keeps  = iota // all of it or nothing
	splits        // as the product of its low bits and that of the others
	whole         // in products of 64 bits
	toward        // the membrane moves toward its input; the current as keeps
	kinds
)

// approach prepares a decay at number first of p: what it returns emits the move of v
// toward x, in place.
func (t *tier) approach(p reg.GPVirtual, first int) func(x, v reg.VecVirtual) {
	const factor, shift, round, low, up = 0, 1, 2, 3, 4
	f, s, l := t.constant(p, first+factor), t.constant(p, first+shift), t.constant(p, first+low)
	all, below := t.constant(p, first+round), t.constant(p, first+up)
	return func(x, v reg.VecVirtual) {
		rest, high := t.vec(), t.vec()
		VPSUBD(v, x, v)
		t.and(l(), v, rest)
		VPMADDWD(f(), rest, rest)
		VPSRAD(U8(31), v, high)
		t.and(below(), high, high)
		VPADDD(high, rest, rest)
		VPADDD(all(), rest, rest)
		VPSRAVD(s(), v, high)
		VPMADDWD(f(), high, high)
		VPSRLVD(s(), rest, rest)
		VPADDD(rest, high, v)
		VPSUBD(v, x, v)
	}
}

// decays prepares a decay at number first of p: what it returns emits x in place.
func (t *tier) decays(kind int, p reg.GPVirtual, first int) func(x reg.VecVirtual) {
	at := func(i int) Mem { return Mem{Base: p, Disp: 4 * (first + i)} }
	const factor, shift, round, low, up = 0, 1, 2, 3, 4
	switch kind {
	case keeps, toward:
		f := t.vec()
		t.zero(f)
		VPSUBD(t.broadcast(at(factor)), f, f)
		return func(x reg.VecVirtual) { t.and(f, x, x) }
	case splits:
		f, s, l, u := t.constant(p, first+factor), t.constant(p, first+shift), t.constant(p, first+low), t.constant(p, first+up)
		return func(x reg.VecVirtual) {
			high, rest := t.vec(), t.vec()
			t.and(l(), x, rest)
			VPMADDWD(f(), rest, rest)
			if t.wide {
				below := K()
				VPMOVD2M(x, below)
				VPADDD(u(), rest, below, rest)
			} else {
				VPSRAD(U8(31), x, high)
				t.and(u(), high, high)
				VPADDD(high, rest, rest)
			}
			VPSRAVD(s(), x, high)
			VPMADDWD(f(), high, high)
			VPSRLVD(s(), rest, rest)
			VPADDD(rest, high, x)
		}
	}
	return func(x reg.VecVirtual) {
		// Products of 64 bits, of the even and the odd lanes.
		mx := XMM()
		VMOVD(at(shift), mx)
		s, a, b, r := t.vec(), t.vec(), t.vec(), t.vec()
		VPSRAD(U8(31), x, s)
		VPABSD(x, a)
		VPSRLQ(U8(32), a, b)
		f := t.broadcast(at(factor))
		VPMULUDQ(f, a, a)
		VPMULUDQ(f, b, b)
		round := t.broadcast(at(round))
		t.and(s, round, round)
		VPSLLQ(U8(32), round, r)
		VPSRLQ(U8(32), r, r)
		VPADDQ(r, a, a)
		VPSRLQ(U8(32), round, r)
		VPADDQ(r, b, b)
		VPSRLQ(mx, a, a)
		VPSRLQ(mx, b, b)
		VPSLLQ(U8(32), b, b)
		t.or(b, a, a)
		t.xor(s, a, a)
		VPSUBD(s, a, x)
	}
}

func step(t *tier) {
	TEXT("step"+t.suffix, NOSPLIT, "func(p, q, u, v, count *int32, n int, fired *int32, exp uint64, over *uint32) int")
	Pragma("noescape")
	Doc("step"+t.suffix+" is Step on n neurons, a multiple of 64; p is a stepLIF.",
		"It writes the overflows of u and of v in each lane to over, 16 numbers each, if p.narrows is set.")
	const ( // of stepLIF, in numbers of 32 bits
		kind, current, membrane, above, threshold, keep, narrows, registerU, registerV = 0, 1, 6, 11, 12, 13, 14, 15, 19
	)
	p, q, u, v, count, n, fired := ptr("p"), ptr("q"), ptr("u"), ptr("v"), ptr("count"), ptr("n"), ptr("fired")
	exp := XMM()
	VMOVQ(NewParamAddr("exp", 56), exp)
	fire, subtract, mask := t.constant(p, above), t.constant(p, threshold), t.constant(p, keep)
	s := t.spikes()
	at, end := GP64(), GP64()
	XORQ(at, at)
	MOVQ(n, end)
	SHLQ(U8(2), end)
	out := t.name("out")
	loop := func(kind int, narrowing bool) {
		forgetU := t.decays(kind, p, current)
		var moveV func(x, v reg.VecVirtual)
		if kind == toward {
			moveV = t.approach(p, membrane)
		} else {
			forgetV := t.decays(kind, p, membrane)
			moveV = func(x, v reg.VecVirtual) {
				forgetV(v)
				VPADDD(x, v, v)
			}
		}
		var ru, rv narrow
		var overU, overV reg.VecVirtual
		if narrowing {
			ru, rv = t.constants(p, registerU), t.constants(p, registerV)
			overU, overV = t.vec(), t.vec()
			t.zero(overU)
			t.zero(overV)
		}
		put := func(x reg.VecVirtual, r narrow, over reg.VecVirtual) reg.VecVirtual {
			if !narrowing {
				return x
			}
			y := t.vec()
			t.clip(r, x, y)
			t.wrap(r, y, y)
			t.count(y, x, s.one, over)
			return y
		}
		again := t.name("neurons")
		Label(again)
		in, uj, vj := t.vec(), t.vec(), t.vec()
		t.load(mem(u, at), uj)
		forgetU(uj)
		t.load(mem(q, at), in)
		VPSLLD(exp, in, in)
		VPADDD(in, uj, uj)
		uj = put(uj, ru, overU)
		t.store(uj, mem(u, at))
		t.load(mem(v, at), vj)
		moveV(uj, vj)
		vj = put(vj, rv, overV)
		if t.wide {
			f := K()
			VPCMPD(U8(6), fire(), vj, f)
			VPSUBD(subtract(), vj, f, vj)
			VPANDD(mask(), vj, f, vj)
			s.put(f, nil, mem(count, at), fired)
		} else {
			f, r := t.vec(), t.vec()
			VPSUBD(subtract(), vj, r)
			t.and(mask(), r, r)
			VPCMPGTD(fire(), vj, f)
			VPBLENDVB(f, r, vj, vj)
			s.put(nil, f, mem(count, at), fired)
		}
		t.store(vj, mem(v, at))
		ADDQ(I32(t.bytes()), at)
		CMPQ(at, end)
		JNE(LabelRef(again))
		if !narrowing {
			return
		}
		over, times := ptr("over"), GP64()
		MOVQ(end, times)
		SHRQ(U8(map[bool]uint64{false: 5, true: 6}[t.wide]), times)
		t.differ(overU, times)
		t.differ(overV, times)
		t.store(overU, Mem{Base: over})
		t.store(overV, Mem{Base: over, Disp: 64})
	}
	for k := range kinds {
		other, plain := t.name("other"), t.name("plain")
		CMPL(Mem{Base: p, Disp: 4 * kind}, I8(int8(k)))
		JNE(LabelRef(other))
		if k != toward {
			CMPL(Mem{Base: p, Disp: 4 * narrows}, I8(0))
			JEQ(LabelRef(plain))
			loop(k, true)
			JMP(LabelRef(out))
		}
		Label(plain)
		loop(k, false)
		JMP(LabelRef(out))
		Label(other)
	}
	Label(out)
	s.end(fired)
}

// stepLeaky is step for membranes that have taken their weights.
func stepLeaky(t *tier) {
	TEXT("stepLeaky"+t.suffix, NOSPLIT, "func(p, v, count *int32, n int, fired *int32, over *uint32) int")
	Pragma("noescape")
	Doc("stepLeaky"+t.suffix+" is StepLeaky on n neurons, a multiple of 64; p is a Leaky.",
		"It writes the overflows in each lane to over.")
	const ( // of Leaky, in numbers of 32 bits
		leak, add, above, aboveKeep, aboveAdd, below, belowKeep, belowAdd, register = 0, 1, 2, 3, 4, 5, 6, 7, 8
	)
	p, v, count, n, fired := ptr("p"), ptr("v"), ptr("count"), ptr("n"), ptr("fired")
	of := func(i int) func() reg.VecVirtual { return t.constant(p, i) }
	most, constant := of(leak), of(add)
	fires, keepA, addA, sinks, keepB, addB := of(above), of(aboveKeep), of(aboveAdd), of(below), of(belowKeep), of(belowAdd)
	r := t.constants(p, register)
	s := t.spikes()
	over := t.vec()
	t.zero(over)
	at, end := GP64(), GP64()
	XORQ(at, at)
	MOVQ(n, end)
	SHLQ(U8(2), end)
	put := func(x reg.VecVirtual) {
		y := t.vec()
		t.clip(r, x, y)
		t.wrap(r, y, y)
		t.count(y, x, s.one, over)
		t.copy(y, x)
	}
	loop := t.name("neurons")
	Label(loop)
	x, y := t.vec(), t.vec()
	t.load(mem(v, at), x)
	// What is lost toward zero is x held within −leak..leak.
	t.zero(y)
	VPSUBD(most(), y, y)
	VPMAXSD(x, y, y)
	VPMINSD(most(), y, y)
	VPSUBD(y, x, x)
	VPADDD(constant(), x, x)
	put(x)
	a, b := t.vec(), t.vec()
	t.and(keepA(), x, a)
	VPADDD(addA(), a, a)
	t.and(keepB(), x, b)
	VPADDD(addB(), b, b)
	if t.wide {
		f, g := K(), K()
		VPCMPD(U8(6), fires(), x, f)
		VPCMPD(U8(1), sinks(), x, g)
		VMOVDQA32(b, g, x)
		VMOVDQA32(a, f, x) // a membrane that fires is not tested again
		put(x)
		s.put(f, nil, mem(count, at), fired)
	} else {
		f, g := t.vec(), t.vec()
		VPCMPGTD(fires(), x, f)
		VPCMPGTD(x, sinks(), g)
		VPBLENDVB(g, b, x, x)
		VPBLENDVB(f, a, x, x)
		put(x)
		s.put(nil, f, mem(count, at), fired)
	}
	t.store(x, mem(v, at))
	ADDQ(I32(t.bytes()), at)
	CMPQ(at, end)
	JNE(LabelRef(loop))
	times := GP64() // two narrowings a vector
	MOVQ(end, times)
	SHRQ(U8(map[bool]uint64{false: 4, true: 5}[t.wide]), times)
	t.differ(over, times)
	t.store(over, Mem{Base: ptr("over")})
	s.end(fired)
}

// spikes writes down what fires.
type spikes struct {
	*tier
	index, advance, one reg.VecVirtual
	table               reg.GPVirtual
}

func (t *tier) spikes() *spikes {
	s := &spikes{tier: t, index: t.vec(), table: GP64()}
	t.load(iota32, s.index)
	lanes := GP64()
	MOVL(U32(uint32(t.lanes)), lanes.As32())
	s.advance = t.broadcast(lanes)
	if t.wide {
		MOVL(U32(1), lanes.As32())
		s.one = t.broadcast(lanes)
	} else {
		LEAQ(compress, s.table)
	}
	return s
}

// put appends the lanes that k, or for AVX2 f, says, and counts them.
func (s *spikes) put(k, f reg.Register, count Mem, fired reg.GPVirtual) {
	m, c, pick := GP32(), s.vec(), s.vec()
	s.load(count, c)
	if s.wide {
		VPADDD(s.one, c, k, c)
		VPCOMPRESSD_Z(s.index, k, pick)
		KMOVW(k, m)
	} else {
		VPSUBD(f, c, c)
		VMOVMSKPS(f, m)
		VPMOVZXBD(Mem{Base: s.table, Index: m.As64(), Scale: 8}, pick)
		VPERMD(s.index, pick, pick)
	}
	s.store(c, count)
	s.store(pick, Mem{Base: fired}) // has room: at most as many as neurons lie before
	POPCNTL(m, m)
	LEAQ(Mem{Base: fired, Index: m.As64(), Scale: 4}, fired)
	VPADDD(s.advance, s.index, s.index)
}

// end returns how many there are.
func (s *spikes) end(fired reg.GPVirtual) {
	SUBQ(ptr("fired"), fired)
	SHRQ(U8(2), fired)
	Store(fired, ReturnIndex(0))
	VZEROUPPER()
	RET()
}

func (t *tier) copy(from, to reg.VecVirtual) {
	if t.wide {
		VMOVDQA32(from, to)
		return
	}
	VMOVDQA(from, to)
}
