package simd

//go:generate go -C gen run . -out ../zkernels_amd64.s -stubs ../zstubs_amd64.go -pkg simd

import (
	"encoding/binary"
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
// laid out for Sum and Add. It is immutable.
//
// A row is its columns, biased, block after block. Within a block column j < 32
// is the low byte of 16-bit word j and column 32+j its high byte. So a word is
// lo + 256·hi, and over at most 257 rows both sums of bytes fit 16 bits:
//
//	a = Σ word mod 2^16,  b = Σ word>>8 = Σ hi,  a − 256·b mod 2^16 = Σ lo
//
// which is three operations for two columns in every lane, where widening each
// byte would be four.
type Rows struct {
	rows, cols, stride int
	w                  []byte
}

// chunk is how many rows may be added before the 16-bit sums are emptied.
const chunk = 256

// NewRows lays out w, row-major [rows][cols].
func NewRows(w []int8, rows, cols int) *Rows {
	if len(w) != rows*cols {
		panic(fmt.Sprintf("simd: NewRows: got %d weights, want %d x %d", len(w), rows, cols))
	}
	r := &Rows{rows: rows, cols: cols, stride: Pad(cols)}
	r.w = make([]byte, rows*r.stride)
	for i := range r.w {
		r.w[i] = bias
	}
	for k := range rows {
		for j := range cols {
			at := j % Block
			r.w[k*r.stride+j-at+at%32*2+at/32] = byte(int(w[k*cols+j]) + bias)
		}
	}
	return r
}

// check panics unless n is the padded number of columns, and rows, which must
// ascend, with repeats or without, lie in r.
func (r *Rows) check(n int, rows []int32) {
	if n != r.stride {
		panic(fmt.Sprintf("simd: %d sums, want %d", n, r.stride))
	}
	if first, last := rows[0], rows[len(rows)-1]; first < 0 || last < first || int(last) >= r.rows {
		panic(fmt.Sprintf("simd: rows %d..%d of %d", first, last, r.rows))
	}
}

// Sum sets q to the sum of some rows; the sums must fit int32:
//
//	clear(q)
//	for _, k := range rows { for j := range q { q[j] += w[k][j] } }
//
// len(q) is Pad(cols); rows must ascend, with repeats or without.
func (r *Rows) Sum(q []int32, rows []int32) {
	if len(rows) == 0 || r.stride == 0 {
		clear(q)
		return
	}
	r.check(len(q), rows)
	for first := true; len(rows) > 0; first = false {
		part := rows[:min(chunk, len(rows))]
		rows = rows[len(part):]
		if tier.Active() == tier.Portable {
			if first {
				clear(q)
			}
			r.sumGo(q, part)
			continue
		}
		keep := int32(-1)
		if first {
			keep = 0
		}
		sumRows(q, r.w, part, keep)
	}
}

// sumGo adds at most chunk rows to q: eight 64-bit words at a time, which hold
// four lanes of 16 bits. A carry from one lane of a into the next is taken back
// with what it belongs to, for as numbers of 64 bits
//
//	Σ x − Σ (x>>8 & m)·2^8 = Σ lo_i·2^16i.
func (r *Rows) sumGo(q []int32, rows []int32) {
	const m = 0x00ff00ff00ff00ff
	rest := int32(len(rows)) * bias
	for c := 0; c < r.stride; c += Block / 2 {
		w := r.w[c:]
		var a0, a1, a2, a3, b0, b1, b2, b3 uint64
		for _, k := range rows {
			x := w[int(k)*r.stride:][:32:32]
			y := binary.LittleEndian.Uint64(x)
			a0 += y
			b0 += y >> 8 & m
			y = binary.LittleEndian.Uint64(x[8:])
			a1 += y
			b1 += y >> 8 & m
			y = binary.LittleEndian.Uint64(x[16:])
			a2 += y
			b2 += y >> 8 & m
			y = binary.LittleEndian.Uint64(x[24:])
			a3 += y
			b3 += y >> 8 & m
		}
		// These are the first or the last 16 words of a block.
		at := c - c%Block + c%Block/2
		for i, ab := range [4][2]uint64{{a0, b0}, {a1, b1}, {a2, b2}, {a3, b3}} {
			a, b := ab[0]-ab[1]<<8, ab[1]
			lo, hi := q[at+4*i:][:4:4], q[at+4*i+32:][:4:4]
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
// acc holds values of the register, 0 among them, and its sums with weights must fit int32. len(acc)
// is Pad(cols); rows must ascend, with repeats or without.
func (r *Rows) Add(acc []int32, rows []int32, exp int, to *Narrow) (overflows uint64) {
	if len(rows) == 0 || r.stride == 0 {
		return 0
	}
	r.check(len(acc), rows)
	if tier.Active() != tier.Portable {
		return addRows(acc, r.w, rows, exp, to)
	}
	for _, k := range rows {
		row := r.w[int(k)*r.stride:][:r.stride]
		for c := 0; c < len(acc); c += Block {
			w, lo, hi := row[c:][:Block:Block], acc[c:][:32:32], acc[c+32:][:32:32]
			for i := range lo {
				x := lo[i] + (int32(w[2*i])-bias)<<(exp&31)
				if lo[i] = to.apply(x); lo[i] != x {
					overflows++
				}
				x = hi[i] + (int32(w[2*i+1])-bias)<<(exp&31)
				if hi[i] = to.apply(x); hi[i] != x {
					overflows++
				}
			}
		}
	}
	return overflows
}
