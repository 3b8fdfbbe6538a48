package simd

import "glsnn/fixedpoint/tier"

// The lengths are checked, and not 0, when these are called.

func addRows(dst, w []float32, stride int, rows []int32) {
	f := addRowsAVX2
	if tier.Active() == tier.AVX512 {
		f = addRowsAVX512
	}
	f(&dst[0], len(dst), &w[0], stride, &rows[0], len(rows))
}

func sumLists(dst []float32, dstStride, n int, w []float32, stride int, rows []int32, lists int) {
	f := sumListsAVX2
	if tier.Active() == tier.AVX512 {
		f = sumListsAVX512
	}
	f(&dst[0], dstStride, n, &w[0], stride, &rows[0], lists)
}

func scaledRows(dst, x []float32, stride int, rows []int32, scale []float32) {
	f := scaledRowsAVX2
	if tier.Active() == tier.AVX512 {
		f = scaledRowsAVX512
	}
	f(&dst[0], len(dst), &x[0], stride, &rows[0], &scale[0], len(rows))
}

// keep is what of v - 1 a neuron that fires has next.
func (p LIFParams) keep() uint32 {
	if p.Subtract {
		return 1<<32 - 1
	}
	return 0
}

func lif(p LIFParams, q, u, v, drive, count []float32, room []int32, first int) int {
	f := lifAVX2
	if tier.Active() == tier.AVX512 {
		f = lifAVX512
	}
	return f(&q[0], &u[0], &v[0], &drive[0], &count[0], len(q), p.KeepU, p.KeepV, p.keep(), &room[0], first)
}

func lifTicks(p LIFParams, q []float32, stride, ticks int, u, v, drive, count []float32, spikes []uint32) {
	f := lifTicksAVX2
	if tier.Active() == tier.AVX512 {
		f = lifTicksAVX512
	}
	f(&q[0], stride, ticks, &u[0], &v[0], &drive[0], &count[0], len(u), p.KeepU, p.KeepV, p.keep(), &spikes[0])
}

func pick(x []uint32, mask uint32, first int, index []int32, value []uint32) int {
	f := pickAVX2
	if tier.Active() == tier.AVX512 {
		f = pickAVX512
	}
	return f(&x[0], len(x), mask, first, &index[0], &value[0])
}

func adam(p AdamParams, c1, c2 float32, w, m, s, g []float32) {
	f := adamAVX2
	if tier.Active() == tier.AVX512 {
		f = adamAVX512
	}
	f(&w[0], &m[0], &s[0], &g[0], len(w), p.Rate, p.B1, p.B2, c1, c2, p.Eps)
}

func axpy(y []float32, a float32, x []float32) {
	f := axpyAVX2
	if tier.Active() == tier.AVX512 {
		f = axpyAVX512
	}
	f(&y[0], a, &x[0], len(y))
}

func mul(c []float32, ldc int, a []float32, lda int, b []float32, k, m int) {
	if tier.Active() == tier.AVX512 {
		mulAVX512(&c[0], ldc, &a[0], lda, &b[0], k, m)
	} else {
		mulAVX2(&c[0], ldc, &a[0], lda, &b[0], k, m)
	}
}
