package simd

import (
	"unsafe"

	"glsnn/fixedpoint/tier"
)

// The lengths are checked, and not 0, when these are called.

func sumRows(q []int32, w []byte, rows []int32, keep int32) {
	f := sumRowsAVX2
	if tier.Active() == tier.AVX512 {
		f = sumRowsAVX512
	}
	f(&q[0], len(q), &w[0], &rows[0], len(rows), keep)
}

func addRows(acc []int32, w []byte, rows []int32, exp int, to *Narrow) (overflows uint64) {
	f := addRowsAVX2
	if tier.Active() == tier.AVX512 {
		f = addRowsAVX512
	}
	var lanes [16]uint32
	for len(rows) > 0 { // so few that no count of a lane overflows
		part := rows[:min(1<<14, len(rows))]
		rows = rows[len(part):]
		f(&acc[0], len(acc), &w[0], &part[0], len(part), uint64(exp), &to.Lo, &lanes[0])
		overflows += total(&lanes)
	}
	return overflows
}

func step(p *LIF, q, u, v, count, fired []int32, exp int) (n int, overU, overV uint64) {
	f := stepAVX2
	if tier.Active() == tier.AVX512 {
		f = stepAVX512
	}
	var lanes [2][16]uint32
	n = f((*int32)(unsafe.Pointer(p)), &q[0], &u[0], &v[0], &count[0], len(q), &fired[0], uint64(exp), &lanes[0][0])
	if p.Narrows != 0 {
		overU, overV = total(&lanes[0]), total(&lanes[1])
	}
	return n, overU, overV
}

func total(lanes *[16]uint32) (n uint64) {
	for _, x := range lanes {
		n += uint64(x)
	}
	return n
}
