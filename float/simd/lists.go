package simd

import (
	"fmt"
	"math"

	"glsnn/fixedpoint/tier"
)

// Lists are lists of row numbers, the spikes of many ticks and samples, whose
// rows of one matrix are to be summed. The zero value has none.
type Lists struct {
	rows   []int32 // list after list, each with listEnd behind it
	starts []int32
	at     []int32 // how far Sum is in each
	end    int     // above the largest row number
}

const (
	listEnd = math.MaxInt32
	// listPanel is how many columns a kernel sums at a time, listBytes how much of
	// the matrix then serves all lists before it goes on: three quarters of the
	// innermost cache of a core of 2015 or later, at most.
	listPanel = 128
	listBytes = 32 << 10
	// fewLists do not pay for that.
	fewLists = 4
)

// Reset leaves no list.
func (l *Lists) Reset() { l.rows, l.starts, l.end = l.rows[:0], l.starts[:0], 0 }

// Add appends a list, of rows that ascend.
func (l *Lists) Add(rows []int32) {
	l.starts = append(l.starts, int32(len(l.rows)))
	if n := len(rows); n > 0 {
		if rows[0] < 0 || rows[n-1] < rows[0] || rows[n-1] == listEnd {
			panic(fmt.Sprintf("simd: rows %d..%d", rows[0], rows[n-1]))
		}
		l.end = max(l.end, int(rows[n-1])+1)
	}
	l.rows = append(append(l.rows, rows...), listEnd)
}

// Len is the number of lists.
func (l *Lists) Len() int { return len(l.starts) }

// Sum sets row s of dst, [Len][n], to the sum of list s's rows of w, stride apart:
//
//	clear(dst)
//	for s := range lists {
//		for _, i := range lists[s] { for j := range n { dst[s*n+j] += w[i*stride+j] } }
//	}
//
// A piece of w that the innermost cache holds serves all lists before the next:
// each sum runs in the order above all the same.
func (l *Lists) Sum(dst, w []float32, stride, n int) {
	lists := len(l.starts)
	dst = dst[:lists*n]
	if n == 0 || lists == 0 {
		return
	}
	if l.end > 0 && (stride < n || (l.end-1)*stride+n > len(w)) {
		panic(fmt.Sprintf("simd: rows below %d of %d columns, %d apart, in %d numbers", l.end, n, stride, len(w)))
	}
	if tier.Active() == tier.Portable || l.end == 0 {
		clear(dst)
		for s, start := range l.starts {
			end := len(l.rows)
			if s+1 < lists {
				end = int(l.starts[s+1])
			}
			addRowsGo(dst[s*n:][:n], w, stride, l.rows[start:end-1])
		}
		return
	}
	panel, chunk := listPanel, listEnd
	if tier.Active() == tier.AVX2 {
		panel /= 2
	}
	if lists > fewLists {
		chunk = listBytes / 4 / listPanel
	}
	for lo := 0; lo < n; lo += panel {
		l.at = append(l.at[:0], l.starts...)
		for first := 0; first < l.end; first += chunk {
			limit := min(chunk, l.end-first) + first
			sumLists(dst[lo:], n, min(panel, n-lo), w[lo:], stride, l.rows, l.at, limit, first == 0)
		}
	}
}
