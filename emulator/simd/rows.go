package simd

//go:generate go -C gen run . -out ../zkernels_amd64.s -stubs ../zstubs_amd64.go -pkg simd

import (
	"fmt"
	"math/bits"

	"glsnn/fixedpoint/tier"
)

// Block is the number of neurons that the kernels take at a time.
const Block = 64

// Pad is n rounded up to whole blocks.
func Pad(n int) int { return (n + Block - 1) &^ (Block - 1) }

// bias makes a weight unsigned: what is stored is w + 128.
const bias = 128

// Rows is a matrix of 8-bit weights, one row an axon and one column a neuron,
// laid out for Sum and Add. It is made by one goroutine, by Set, and may then be
// used by many, unless Put changes it.
//
// A row is its columns, biased, block after block. Within a block column j < 32
// is the low byte of 16-bit lane j and column 32+j its high byte; four lanes are
// a word of w. So a lane is lo + 256·hi, and over at most 257 rows both sums of
// bytes fit 16 bits:
//
//	a = Σ lane mod 2^16,  b = Σ lane>>8 = Σ hi,  a − 256·b mod 2^16 = Σ lo
//
// which is three operations for two columns in every lane, where widening each
// byte would be four.
//
// A matrix of 4-bit weights may take half of the memory: half a block is four
// words, of w + 8 in 4 bits each, the low halves of their bytes being the first
// four words of the block and the high halves the others. Its rows are written
// out, some columns of some rows at a time, before they are added.
type Rows struct {
	rows, cols, stride int // stride is Pad(cols), in columns
	w                  []uint64
	half               bool
	most               int // no weight is larger or less than −most; at least 1
}

// chunk is how many rows may be added before the 16-bit sums are emptied.
const chunk = 256

// Of a matrix of farFrom words or more, which lies in no cache, few rows are added at
// once: each is then read in long pieces, as memory likes it.
const (
	farFrom = 128 << 20 / 8
	few     = 16
)

// atOnce is how many rows are added at once.
func (r *Rows) atOnce() int {
	if len(r.w) >= farFrom {
		return few
	}
	return chunk
}

// NewRows is a matrix of rows by cols, to be filled in by Set; half is for weights
// of -8..7 only.
func NewRows(rows, cols int, half bool) *Rows {
	r := &Rows{rows: rows, cols: cols, stride: Pad(cols), half: half, most: 1}
	r.w = make([]uint64, rows*r.words())
	hugePages(r.w)
	return r
}

// words is how many words a row has.
func (r *Rows) words() int {
	if r.half {
		return r.stride / 16
	}
	return r.stride / 8
}

const (
	each    = 0x0101010101010101
	biases  = bias * each
	nibbles = 0x0f * each
)

// Set lays out w as row k, and returns its least and its largest weight, 0 among
// them.
func (r *Rows) Set(k int, w []int8) (least, most int8) {
	if len(w) != r.cols {
		panic(fmt.Sprintf("simd: Set: got %d weights, want %d", len(w), r.cols))
	}
	to := r.w[k*r.words():][:r.words()]
	if blocks := len(w) / Block; blocks > 0 && tier.Active() != tier.Portable {
		least, most = pack(to, w[:blocks*Block], r.half)
		to, w = to[blocks*r.words()/(r.stride/Block):], w[blocks*Block:]
	}
	for _, x := range w {
		least, most = min(least, x), max(most, x)
	}
	r.most = max(r.most, -int(least), int(most))
	var last [Block]int8
	for len(w) > 0 {
		from := w
		if len(w) < Block {
			copy(last[:], w)
			from = last[:]
		}
		var words [Block / 8]uint64
		for i := range words { // biased: the top bit is turned
			words[i] = (spread(from[4*i:]) | spread(from[32+4*i:])<<8) ^ biases
		}
		if r.half {
			for i := range words[:4] { // and 128 is 0 in four bits, where 8 is wanted
				to[i] = (words[i]&nibbles | words[i+4]&nibbles<<4) ^ 0x88*each
			}
			to = to[4:]
		} else {
			to = to[copy(to, words[:]):]
		}
		w = w[min(len(w), Block):]
	}
	return least, most
}

// spread is four weights as the low bytes of four lanes.
func spread(w []int8) uint64 {
	return uint64(uint8(w[0])) | uint64(uint8(w[1]))<<16 | uint64(uint8(w[2]))<<32 | uint64(uint8(w[3]))<<48
}

// row is n words of row k, from word first on.
func (r *Rows) row(k int32, first, n int) []uint64 {
	return r.w[int(k)*(r.stride/8)+first:][:n:n]
}

// check panics unless n is the padded number of columns, and the first and the
// last of rows lie in r. Of rows that ascend, as nearly all do, so do the others.
func (r *Rows) check(n int, rows []int32) {
	if n != r.stride {
		panic(fmt.Sprintf("simd: %d sums, want %d", n, r.stride))
	}
	if first, last := rows[0], rows[len(rows)-1]; min(first, last) < 0 || int(max(first, last)) >= r.rows {
		panic(fmt.Sprintf("simd: rows %d..%d of %d", first, last, r.rows))
	}
}

// wide is how many columns of few half rows are written out at a time.
const wide = 2048

type unpacked [few * wide / 8]uint64

// inOrder are row numbers 0..few-1.
var inOrder = func() (rows [few]int32) {
	for i := range rows {
		rows[i] = int32(i)
	}
	return rows
}()

// unpack writes out at most few half rows, from column first on: the rows of the
// result, in buf, are inOrder.
func (r *Rows) unpack(part []int32, first int, buf *unpacked) Rows {
	panel := Rows{rows: few, stride: min(wide, r.stride-first), most: r.most}
	n := panel.stride / 8
	panel.w = buf[:few*n]
	for i, k := range part {
		to := panel.w[i*n:][:n]
		from := r.w[int(k)*(r.stride/16)+first/16:][:n/2]
		if tier.Active() != tier.Portable {
			unpack(to, from)
			continue
		}
		for ; len(from) >= 4 && len(to) >= 8; from, to = from[4:], to[8:] {
			for j, x := range from[:4] {
				to[j] = x&nibbles + (bias-8)*each
				to[j+4] = x>>4&nibbles + (bias-8)*each
			}
		}
	}
	return panel
}

// Sum sets q to the sum of some rows; the sums must fit int32:
//
//	clear(q)
//	for _, k := range rows { for j := range q { q[j] += w[k][j] } }
//
// len(q) is Pad(cols); rows lie in r, in any order, with repeats or without.
func (r *Rows) Sum(q []int32, rows []int32) {
	if len(rows) == 0 || r.stride == 0 {
		clear(q)
		return
	}
	r.check(len(q), rows)
	if r.half {
		r.sumHalf(q, rows)
		return
	}
	for first := true; len(rows) > 0; first = false {
		part := rows[:min(r.atOnce(), len(rows))]
		rows = rows[len(part):]
		r.sum(q, part, first)
	}
}

func (r *Rows) sumHalf(q []int32, rows []int32) {
	var buf unpacked
	for begin := true; len(rows) > 0; begin = false {
		part := rows[:min(few, len(rows))]
		rows = rows[len(part):]
		for first := 0; first < r.stride; first += wide {
			panel := r.unpack(part, first, &buf)
			panel.sum(q[first:][:panel.stride], inOrder[:len(part)], begin)
		}
	}
}

// sum adds at most chunk rows to q, or to nothing.
func (r *Rows) sum(q []int32, rows []int32, first bool) {
	if tier.Active() == tier.Portable {
		if first {
			clear(q)
		}
		r.sumGo(q, 0, rows, 0)
		return
	}
	keep := int32(-1)
	if first {
		keep = 0
	}
	sumRows(q, r.w, rows, 0, keep)
}

// sumGo adds at most chunk rows, times 2^exp, to q, which are the columns from word
// begin of a row on: some blocks and four rows at a time, in words of 64 bits that
// hold four lanes. A carry from one lane of a into the next is taken back with what
// it belongs to, for as numbers of 64 bits
//
//	Σ x − 2^8·Σ (x>>8 & m) = Σ over lanes i of 2^16i·Σ lo_i.
func (r *Rows) sumGo(q []int32, begin int, rows []int32, exp int) {
	const m = 0x00ff00ff00ff00ff
	exp &= 31
	rest := int32(len(rows)) * bias
	for ; len(q) > 0; begin += 64 {
		var sums [2][64]uint64
		n := min(64, len(q)/8)
		a, b := sums[0][:n], sums[1][:n]
		k := 0
		for ; k+4 <= len(rows); k += 4 {
			w0, w1, w2, w3 := r.row(rows[k], begin, n), r.row(rows[k+1], begin, n), r.row(rows[k+2], begin, n), r.row(rows[k+3], begin, n)
			for i := range a {
				x, y := w0[i], w1[i]
				s, t := x+y, x>>8&m+y>>8&m
				x, y = w2[i], w3[i]
				a[i] += s + x + y
				b[i] += t + x>>8&m + y>>8&m
			}
		}
		for ; k < len(rows); k++ {
			for i, x := range r.row(rows[k], begin, n) {
				a[i] += x
				b[i] += x >> 8 & m
			}
		}
		for i, b := range b {
			at := i/8*Block + i%8*4
			lo, hi := q[at:][:4:4], q[at+32:][:4:4]
			a := a[i] - b<<8
			for l := range lo {
				lo[l] += (int32(a&0xffff) - rest) << exp
				hi[l] += (int32(b&0xffff) - rest) << exp
				a, b = a>>16, b>>16
			}
		}
		q = q[8*n:]
	}
}

// Narrow is a register of at most 30 bits, as the kernels take it: what is stored
// for x is
//
//	y = min(max(x, Lo), Hi);  Base + (y−Base)&Mask
//
// A register that saturates has its range in Lo and Hi, one that wraps all of
// int32; a Mask of −1 changes nothing.
type Narrow struct{ Lo, Hi, Base, Mask int32 }

func (n *Narrow) apply(x int32) int32 {
	return n.Base + (min(max(x, n.Lo), n.Hi)-n.Base)&n.Mask
}

// ends are the least and the largest value that the register holds.
func (n *Narrow) ends() (lo, hi int32) {
	if n.Mask == -1 {
		return n.Lo, n.Hi
	}
	return n.Base, n.Base + n.Mask
}

// Add adds rows one after another to acc, narrowing at every add, and counts the
// adds that did not fit:
//
//	for _, k := range rows {
//		for j := range acc {
//			x := acc[j] + w[k][j]<<exp
//			if acc[j] = narrow(x); acc[j] != x { overflows++ }
//		}
//	}
//
// acc holds values of the register, which holds 0 too; their sums with a weight
// must fit int32. len(acc) is Pad(cols); rows lie in r, with repeats or
// without.
func (r *Rows) Add(acc []int32, rows []int32, exp int, to *Narrow) (overflows uint64) {
	if len(rows) == 0 || r.stride == 0 {
		return 0
	}
	r.check(len(acc), rows)
	if r.half {
		return r.addHalf(acc, rows, exp, to)
	}
	return r.add(acc, rows, exp, to)
}

func (r *Rows) addHalf(acc []int32, rows []int32, exp int, to *Narrow) (overflows uint64) {
	var buf unpacked
	for len(rows) > 0 {
		part := rows[:min(few, len(rows))]
		rows = rows[len(part):]
		for first := 0; first < r.stride; first += wide {
			panel := r.unpack(part, first, &buf)
			overflows += panel.add(acc[first:][:panel.stride], inOrder[:len(part)], exp, to)
		}
	}
	return overflows
}

// some is how many rows it takes to make a look at all sums worth while.
const some = 6

// add is Add by the quickest way that is exact: plain sums where the sums that there
// are leave so much room that none can overflow; lanes of 16 bits for registers that
// fit them; else every add by itself.
func (r *Rows) add(acc []int32, rows []int32, exp int, to *Narrow) (overflows uint64) {
	for len(rows) > 0 {
		if len(rows) >= some {
			if n := min(r.room(acc, exp, to), r.atOnce(), len(rows)); n >= some {
				if tier.Active() == tier.Portable {
					r.sumGo(acc, 0, rows[:n], exp)
				} else {
					sumRows(acc, r.w, rows[:n], exp, -1)
				}
				rows = rows[n:]
				continue
			}
		}
		lanes, fit := to.lanes(exp)
		switch {
		case tier.Active() == tier.Portable:
			for first := 0; first < len(acc); first += Block {
				if b := acc[first:][:Block]; fit {
					overflows += r.addLanes(b, first/8, rows, &lanes)
				} else {
					overflows += r.addBlock(b, first/8, rows, exp, to)
				}
			}
			return overflows
		case fit:
			return overflows + addRows16(acc, r.w, rows, &lanes)
		}
		part := rows[:min(32, len(rows))]
		rows = rows[len(part):]
		overflows += addRows(acc, r.w, part, exp, to)
	}
	return overflows
}

// room is how many rows, times 2^exp, may be added to acc before one of its sums can
// leave the register.
func (r *Rows) room(acc []int32, exp int, to *Narrow) int {
	least, most := acc[0], acc[0]
	if tier.Active() == tier.Portable || len(acc) == Block {
		for _, x := range acc {
			least, most = min(least, x), max(most, x)
		}
	} else {
		least, most = limits(acc)
	}
	lo, hi := to.ends()
	return int(min(int64(hi)-int64(most), int64(least)-int64(lo), 1<<31-1)>>(exp&31)) / r.most
}

// addBlock is add for one block, which begins at word first of a row.
func (r *Rows) addBlock(acc []int32, first int, rows []int32, exp int, to *Narrow) (overflows uint64) {
	exp &= 31
	n := *to // so that no write to acc can change it
	for len(rows) > 0 {
		part := rows[:min(4, len(rows))]
		if room := min(r.room(acc, exp, to), chunk, len(rows)); room >= len(part) {
			r.sumGo(acc, first, rows[:room], exp)
			rows = rows[room:]
			continue
		}
		rows = rows[len(part):]
		for _, k := range part {
			for i, w := range r.row(k, first, Block/8) {
				lo, hi := acc[4*i:][:4:4], acc[32+4*i:][:4:4]
				for l := range lo {
					x, y := lo[l]+int32(w&0xff-bias)<<exp, hi[l]+int32(w>>8&0xff-bias)<<exp
					lo[l], hi[l] = n.apply(x), n.apply(y)
					if lo[l] != x {
						overflows++
					}
					if hi[l] != y {
						overflows++
					}
					w >>= 16
				}
			}
		}
	}
	return overflows
}

// addLanes is add for one block in lanes of 16 bits, four to a word.
func (r *Rows) addLanes(acc []int32, first int, rows []int32, p *lanes16) (overflows uint64) {
	const top, ones, bytes = 0x8000_8000_8000_8000, 0x0001_0001_0001_0001, 0x00ff_00ff_00ff_00ff
	up, shift := p.up&15, bits.TrailingZeros32(p.low)&7
	from := uint64(top - bias*ones<<shift)
	lane := func(w, i int) *int32 { return &acc[w/2*4+w%2*32+i] } // of word w of z
	var z [Block / 4]uint64
	for w := range z {
		for i := range 4 {
			z[w] |= uint64(uint16((*lane(w, i)-p.offset)<<up)) << (16 * i)
		}
	}
	for _, k := range rows {
		for i, x := range r.row(k, first, Block/8) {
			two := z[2*i:][:2]
			for j, a := range two {
				b := (x>>(8*j)&bytes<<shift + from) ^ top
				y := (a&^top + b&^top) ^ (a^b)&top
				two[j] = y
				if over := (a ^ y) & (b ^ y) & top; over != 0 { // both of one sign, y of the other
					overflows += uint64(bits.OnesCount64(over))
					if p.wraps == 0 {
						over = over >> 15 * 0xffff
						two[j] = y&^over | (0x7fff*ones+a>>15&ones)&over
					}
				}
			}
		}
	}
	for w, x := range z {
		for i := range 4 {
			*lane(w, i) = int32(int16(x))>>up + p.offset
			x >>= 16
		}
	}
	return overflows
}

// lanes16 is a register of b ≤ 16 bits and a weight's exponent, for lanes of 16
// bits. A register that holds x of lo..lo+2^b−1 is a lane with a signed number
//
//	(x − Offset)<<up + c,  up = 16 − b,  Offset = lo + 2^(b−1),  0 ≤ c < 2^up
//
// to which w<<(exp+up) is added. The lane overflows exactly where the register does,
// for lanes end at −2^15 = (lo − Offset)<<up, so that x+w·2^exp < lo puts any c below
// it, and at 2^15 − 1, which is the register's highest and the largest c. Saturated,
// c becomes 0 or 2^up − 1; wrapped, c stays 0. Shifting down drops c.
//
// The kernels read it as numbers of 32 bits in this order.
type lanes16 struct {
	up, offset int32
	low, high  uint32     // what the two bytes of a lane are multiplied by: 2^(exp+up) in both lanes
	wraps      int32      // 1, else 0
	over       [16]uint32 // overflows, by lane
}

// lanes says whether n and weights times 2^exp fit: their products are those of
// bytes and at most 2^7.
func (n *Narrow) lanes(exp int) (p lanes16, ok bool) {
	lo, hi := n.ends()
	b := bits.Len32(uint32(hi - lo))
	shift := exp&31 + 16 - b
	if hi-lo != 1<<b-1 || b > 16 || shift > 7 {
		return p, false
	}
	p.up, p.offset = int32(16-b), lo+1<<(b-1)
	p.low = 1 << shift * 0x00010001
	p.high = p.low << 8
	if n.Mask != -1 {
		p.wraps = 1
	}
	return p, true
}

// Put replaces one weight of a matrix that its caller shares with no one and that
// is not half.
func (r *Rows) Put(k, j int, w int8) {
	part := j % Block
	at, shift := k*(r.stride/8)+j/Block*(Block/8)+part%32/4, part%4*16+part/32*8
	r.w[at] = r.w[at]&^(0xff<<shift) | uint64(uint8(w)^bias)<<shift
	r.most = max(r.most, int(w), -int(w))
}
