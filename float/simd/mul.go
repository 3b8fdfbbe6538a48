package simd

import (
	"fmt"
	"math"

	"glsnn/fixedpoint/tier"
)

// Packed is a matrix as the right factor of products: columns in panels, a panel
// row after row, the last one filled up with zeros. It suits one tier.
type Packed struct {
	rows, cols, panel int
	data              []float32
}

// Pack makes p the matrix w, [rows][cols], and reuses p's room.
func (p *Packed) Pack(w []float32, rows, cols int) {
	if len(w) != rows*cols {
		panic(fmt.Sprintf("simd: Pack: got %d numbers, want %d x %d", len(w), rows, cols))
	}
	p.rows, p.cols, p.panel = rows, cols, mulCols()
	size := (cols + p.panel - 1) / p.panel * p.panel * rows
	if cap(p.data) < size {
		p.data = make([]float32, size)
	}
	p.data = p.data[:size]
	to := p.data
	for lo := 0; lo < cols; lo += p.panel {
		n := min(p.panel, cols-lo)
		for i := range rows {
			k := copy(to[:p.panel], w[i*cols+lo:][:n])
			clear(to[k:p.panel])
			to = to[p.panel:]
		}
	}
}

// Mul is the product of a, m rows lda apart, with the matrix that p packs, to c,
// m rows ldc apart:
//
//	for i := range m { for j := range cols {
//		sum := float32(0)
//		for k := range rows { sum = fma(a[i*lda+k], p[k][j], sum) }
//		c[i*ldc+j] = sum
//	} }
//
// fma rounds once, to float32: the only product here that is not rounded by
// itself, as without it half of the processor lies idle. The portable tier does it
// by FMA, slowly.
func (p *Packed) Mul(c []float32, ldc int, a []float32, lda, m int) {
	if m == 0 || p.cols == 0 {
		return
	}
	if ldc < p.cols || lda < p.rows || (m-1)*ldc+p.cols > len(c) || (m-1)*lda+p.rows > len(a) || p.panel != mulCols() {
		panic(fmt.Sprintf("simd: Mul: %d rows, %d and %d apart, of %d and %d numbers, by %d x %d in panels of %d", m, lda, ldc, len(a), len(c), p.rows, p.cols, p.panel))
	}
	if p.rows == 0 {
		for i := range m {
			clear(c[i*ldc:][:p.cols])
		}
		return
	}
	if tier.Active() == tier.Portable {
		p.mulGo(c, ldc, a, lda, m)
		return
	}
	var tile [mulRows * 32]float32
	b := p.data
	for lo := 0; lo < p.cols; lo += p.panel {
		tiles := (m + maxRows() - 1) / maxRows()
		for i, k := 0, 0; k < tiles; k++ {
			rows := (m - i + tiles - k - 1) / (tiles - k)
			if n := p.cols - lo; n >= p.panel {
				mul(c[i*ldc+lo:], ldc, a[i*lda:], lda, b, p.rows, rows)
			} else {
				mul(tile[:], p.panel, a[i*lda:], lda, b, p.rows, rows)
				for r := range rows {
					copy(c[(i+r)*ldc+lo:][:n], tile[r*p.panel:])
				}
			}
			i += rows
		}
		b = b[p.rows*p.panel:]
	}
}

func (p *Packed) mulGo(c []float32, ldc int, a []float32, lda, m int) {
	b := p.data
	for lo := 0; lo < p.cols; lo += p.panel {
		for i := range m {
			sums := c[i*ldc+lo:][:min(p.panel, p.cols-lo)]
			clear(sums)
			for k, x := range a[i*lda:][:p.rows] {
				for j, y := range b[k*p.panel:][:len(sums)] {
					sums[j] = FMA(x, y, sums[j])
				}
			}
		}
		b = b[p.rows*p.panel:]
	}
}

// mulCols is the panel of the active tier: two vectors.
func mulCols() int {
	if tier.Active() == tier.AVX512 {
		return 32
	}
	return 16
}

// mulRows is the most rows that a kernel takes at a time.
const mulRows = 12

func maxRows() int {
	if tier.Active() == tier.AVX512 {
		return mulRows
	}
	return mulRows / 2
}

// FMA is x*y + z, rounded once to float32. In float64 the product is exact and the
// sum rounded to odd, which rounding again, to half as many bits, does not harm
// (Boldo and Melquiond 2008).
func FMA(x, y, z float32) float32 {
	p, c := float64(x)*float64(y), float64(z)
	s := p + c
	v := s - p // two-sum: s + e is p + c
	e := (p - (s - v)) + (c - v)
	if b := math.Float64bits(s); e != 0 && b&1 == 0 && s-s == 0 {
		if (e > 0) == (s > 0) {
			b++
		} else {
			b--
		}
		s = math.Float64frombits(b)
	}
	return float32(s)
}
