package simd

import (
	"fmt"
	"slices"

	"glsnn/fixedpoint/tier"
)

// Lists are lists of row numbers whose rows of one matrix are to be summed. The
// zero value has none.
type Lists struct {
	rows []int32 // list after list, each with listEnd behind it
	n    int
	end  int // above the largest row number

	value []uint32 // room for AddPicked
}

const listEnd = -1

// Reset leaves no list.
func (l *Lists) Reset() { l.rows, l.n, l.end = l.rows[:0], 0, 0 }

// Add appends a list, of rows that ascend.
func (l *Lists) Add(rows []int32) {
	if n := len(rows); n > 0 {
		if rows[0] < 0 || rows[n-1] < rows[0] {
			panic(fmt.Sprintf("simd: rows %d..%d", rows[0], rows[n-1]))
		}
		l.end = max(l.end, int(rows[n-1])+1)
	}
	l.rows = append(append(l.rows, rows...), listEnd)
	l.n++
}

// AddGroups appends a list for each of sizes, which says how long it is: the rows
// whose group it is, in their order, which ascends. sizes is overwritten.
func (l *Lists) AddGroups(rows []int32, group []uint16, sizes []int32) {
	first, n := len(l.rows), len(rows)+len(sizes)
	l.rows = slices.Grow(l.rows, n)[:first+n]
	to := l.rows[first:]
	at := int32(0)
	for g, size := range sizes {
		sizes[g] = at
		at += size
		to[at] = listEnd
		at++
	}
	for k, row := range rows {
		at := &sizes[group[k]]
		to[*at] = row
		*at++
	}
	for g, at := range sizes {
		if to[at] != listEnd {
			panic(fmt.Sprintf("simd: group %d has other rows than its size says", g))
		}
	}
	if k := len(rows); k > 0 {
		if rows[0] < 0 || rows[k-1] < rows[0] {
			panic(fmt.Sprintf("simd: rows %d..%d", rows[0], rows[k-1]))
		}
		l.end = max(l.end, int(rows[k-1])+1)
	}
	l.n += len(sizes)
}

// AddPicked appends the list of first+i of every x[i] that has a bit of mask.
func (l *Lists) AddPicked(x []uint32, mask uint32, first int) {
	at, n := len(l.rows), len(x)
	l.rows = slices.Grow(l.rows, n+1)[:at+n+1]
	l.value = slices.Grow(l.value[:0], n)[:n]
	k := Pick(l.rows[at:at+n], l.value, x, mask, first)
	l.rows[at+k] = listEnd
	l.rows = l.rows[:at+k+1]
	l.end = max(l.end, first+n)
	l.n++
}

// Len is the number of lists.
func (l *Lists) Len() int { return l.n }

// Sum sets row s of dst to the sum of list s's rows of w; rows of both have n
// numbers and start a stride apart:
//
//	for s := range lists {
//		clear(dst[s*dstStride:][:n])
//		for _, i := range lists[s] { for j := range n { dst[s*dstStride+j] += w[i*stride+j] } }
//	}
func (l *Lists) Sum(dst []float32, dstStride int, w []float32, stride, n int) {
	if l.n == 0 || n == 0 {
		return
	}
	if dstStride < n || (l.n-1)*dstStride+n > len(dst) {
		panic(fmt.Sprintf("simd: %d sums of %d columns, %d apart, in %d numbers", l.n, n, dstStride, len(dst)))
	}
	if l.end > 0 && (stride < n || (l.end-1)*stride+n > len(w)) {
		panic(fmt.Sprintf("simd: rows below %d of %d columns, %d apart, in %d numbers", l.end, n, stride, len(w)))
	}
	if tier.Active() == tier.Portable || l.end == 0 {
		k := 0
		for s := range l.n {
			first := k
			for l.rows[k] != listEnd {
				k++
			}
			sum := dst[s*dstStride:][:n]
			clear(sum)
			addRowsGo(sum, w, stride, l.rows[first:k])
			k++
		}
		return
	}
	most := listCols()
	panels := (n + most - 1) / most
	panel := (n + panels - 1) / panels
	panel = (panel + 15) &^ 15
	for lo := 0; lo < n; lo += panel {
		sumLists(dst[lo:], dstStride, min(panel, n-lo), w[lo:], stride, l.rows, l.n)
	}
}

// listCols is how many columns the active tier's kernel sums at a time.
func listCols() int {
	if tier.Active() == tier.AVX512 {
		return 32 * 16
	}
	return 14 * 8
}
