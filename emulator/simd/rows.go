package simd

//go:generate go -C gen run . -out ../zkernels_amd64.s -stubs ../zstubs_amd64.go -pkg simd

import (
	"fmt"

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
}

// chunk is how many rows may be added before the 16-bit sums are emptied.
const chunk = 256

// NewRows is a matrix of rows by cols, to be filled in by Set; half is for weights
// of -8..7 only.
func NewRows(rows, cols int, half bool) *Rows {
	r := &Rows{rows: rows, cols: cols, stride: Pad(cols), half: half}
	r.w = make([]uint64, rows*r.words())
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

// Set lays out w as row k.
func (r *Rows) Set(k int, w []int8) {
	if len(w) != r.cols {
		panic(fmt.Sprintf("simd: Set: got %d weights, want %d", len(w), r.cols))
	}
	to := r.w[k*r.words():][:r.words()]
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

// wide is how many columns of half rows are written out at a time.
const wide = 256

// inOrder are row numbers 0..chunk-1.
var inOrder = func() (rows [chunk]int32) {
	for i := range rows {
		rows[i] = int32(i)
	}
	return rows
}()

// unpack calls f for every panel of columns of at most chunk half rows: panel is
// those rows, written out, from column first on, to be added in the order of rows.
func (r *Rows) unpack(part []int32, buf *[chunk * wide / 8]uint64, f func(panel *Rows, first int, rows []int32)) {
	for first := 0; first < r.stride; first += wide {
		panel := Rows{rows: chunk, stride: min(wide, r.stride-first)}
		n := panel.stride / 8
		panel.w = buf[:chunk*n]
		for i, k := range part {
			to := panel.w[i*n:][:n]
			from := r.w[int(k)*(r.stride/16)+first/16:][:n/2]
			for ; len(from) >= 4 && len(to) >= 8; from, to = from[4:], to[8:] {
				for j, x := range from[:4] {
					to[j] = x&nibbles + (bias-8)*each
					to[j+4] = x>>4&nibbles + (bias-8)*each
				}
			}
		}
		f(&panel, first, inOrder[:len(part)])
	}
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
		part := rows[:min(chunk, len(rows))]
		rows = rows[len(part):]
		r.sum(q, part, first)
	}
}

func (r *Rows) sumHalf(q []int32, rows []int32) {
	var buf [chunk * wide / 8]uint64
	for begin := true; len(rows) > 0; begin = false {
		part := rows[:min(chunk, len(rows))]
		rows = rows[len(part):]
		r.unpack(part, &buf, func(panel *Rows, first int, rows []int32) {
			panel.sum(q[first:][:panel.stride], rows, begin)
		})
	}
}

// sum adds at most chunk rows to q, or to nothing.
func (r *Rows) sum(q []int32, rows []int32, first bool) {
	if tier.Active() == tier.Portable {
		if first {
			clear(q)
		}
		r.sumGo(q, rows)
		return
	}
	keep := int32(-1)
	if first {
		keep = 0
	}
	sumRows(q, r.w, rows, keep)
}

// sumGo adds at most chunk rows to q: some blocks and four rows at a time, in
// words of 64 bits that hold four lanes. A carry from one lane of a into the next
// is taken back with what it belongs to, for as numbers of 64 bits
//
//	Σ x − 2^8·Σ (x>>8 & m) = Σ over lanes i of 2^16i·Σ lo_i.
func (r *Rows) sumGo(q []int32, rows []int32) {
	const m = 0x00ff00ff00ff00ff
	rest := int32(len(rows)) * bias
	for first := 0; first < r.stride/8; first += 64 {
		var sums [2][64]uint64
		n := min(64, r.stride/8-first)
		a, b := sums[0][:n], sums[1][:n]
		k := 0
		for ; k+4 <= len(rows); k += 4 {
			w0, w1, w2, w3 := r.row(rows[k], first, n), r.row(rows[k+1], first, n), r.row(rows[k+2], first, n), r.row(rows[k+3], first, n)
			for i := range a {
				x, y := w0[i], w1[i]
				s, t := x+y, x>>8&m+y>>8&m
				x, y = w2[i], w3[i]
				a[i] += s + x + y
				b[i] += t + x>>8&m + y>>8&m
			}
		}
		for ; k < len(rows); k++ {
			for i, x := range r.row(rows[k], first, n) {
				a[i] += x
				b[i] += x >> 8 & m
			}
		}
		for i, b := range b {
			at := (first+i)/8*Block + i%8*4
			lo, hi := q[at:][:4:4], q[at+32:][:4:4]
			a := a[i] - b<<8
			for l := range lo {
				lo[l] += int32(a&0xffff) - rest
				hi[l] += int32(b&0xffff) - rest
				a, b = a>>16, b>>16
			}
		}
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
	var buf [chunk * wide / 8]uint64
	for len(rows) > 0 {
		part := rows[:min(chunk, len(rows))]
		rows = rows[len(part):]
		r.unpack(part, &buf, func(panel *Rows, first int, rows []int32) {
			overflows += panel.add(acc[first:][:panel.stride], rows, exp, to)
		})
	}
	return overflows
}

func (r *Rows) add(acc []int32, rows []int32, exp int, to *Narrow) (overflows uint64) {
	if tier.Active() != tier.Portable {
		return addRows(acc, r.w, rows, exp, to)
	}
	exp &= 31
	n := *to // so that no write to acc can change it
	for _, k := range rows {
		for i, w := range r.row(k, 0, r.stride/8) {
			at := i/8*Block + i%8*4
			lo, hi := acc[at:][:4:4], acc[at+32:][:4:4]
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
	return overflows
}

// Put replaces one weight of a matrix that its caller shares with no one and that
// is not half.
func (r *Rows) Put(k, j int, w int8) {
	part := j % Block
	at, shift := k*(r.stride/8)+j/Block*(Block/8)+part%32/4, part%4*16+part/32*8
	r.w[at] = r.w[at]&^(0xff<<shift) | uint64(uint8(w)^bias)<<shift
}
