package simd

//go:generate go -C gen run . -out ../zkernels_amd64.s -stubs ../zstubs_amd64.go -pkg simd

import (
	"fmt"
	"math"

	"glsnn/fixedpoint/tier"
)

// AddRows adds rows of w, stride apart, to dst; rows must ascend:
//
//	for _, i := range rows { for j := range dst { dst[j] += w[i*stride+j] } }
//
// Slices of one w serve panels of columns: pass w[c:] and a dst of the panel's
// width.
func AddRows(dst, w []float32, stride int, rows []int32) {
	if len(dst) == 0 || len(rows) == 0 {
		return
	}
	checkRows(len(dst), len(w), stride, rows)
	if tier.Active() == tier.Portable {
		addRowsGo(dst, w, stride, rows)
		return
	}
	addRows(dst, w, stride, rows)
}

// ScaledRows is one weight row's gradient: dst becomes the weighted sum of rows
// of x, stride apart; rows must ascend:
//
//	clear(dst)
//	for k, i := range rows { for j := range dst { dst[j] += scale[k] * x[i*stride+j] } }
func ScaledRows(dst, x []float32, stride int, rows []int32, scale []float32) {
	if len(dst) == 0 || len(rows) == 0 {
		clear(dst)
		return
	}
	checkRows(len(dst), len(x), stride, rows)
	scale = scale[:len(rows)]
	if tier.Active() == tier.Portable {
		clear(dst)
		scaledRowsGo(dst, x, stride, rows, scale)
		return
	}
	scaledRows(dst, x, stride, rows, scale)
}

// The portable loops take four rows at a time, so that dst is read and written
// a quarter as often. The sums associate to the left, as one by one.

func addRowsGo(dst, w []float32, stride int, rows []int32) {
	n := len(dst)
	row := func(k int) []float32 { return w[int(rows[k])*stride:][:n] }
	k := 0
	for ; k+4 <= len(rows); k += 4 {
		a, b, c, d := row(k), row(k+1), row(k+2), row(k+3)
		for j, x := range dst {
			dst[j] = x + a[j] + b[j] + c[j] + d[j]
		}
	}
	for ; k < len(rows); k++ {
		for j, x := range row(k) {
			dst[j] += x
		}
	}
}

func scaledRowsGo(dst, w []float32, stride int, rows []int32, scale []float32) {
	n := len(dst)
	row := func(k int) []float32 { return w[int(rows[k])*stride:][:n] }
	k := 0
	for ; k+4 <= len(rows); k += 4 {
		a, b, c, d := row(k), row(k+1), row(k+2), row(k+3)
		p, q, r, s := scale[k], scale[k+1], scale[k+2], scale[k+3]
		for j, x := range dst {
			dst[j] = x + float32(p*a[j]) + float32(q*b[j]) + float32(r*c[j]) + float32(s*d[j])
		}
	}
	for ; k < len(rows); k++ {
		s := scale[k]
		for j, x := range row(k) {
			dst[j] += float32(s * x)
		}
	}
}

func checkRows(n, have, stride int, rows []int32) {
	first, last := int(rows[0]), int(rows[len(rows)-1])
	if first < 0 || last < first || stride < n || last*stride+n > have {
		panic(fmt.Sprintf("simd: rows %d..%d of %d columns, %d apart, in %d numbers", first, last, n, stride, have))
	}
}

// LIFParams are a layer's constants.
type LIFParams struct {
	KeepU, KeepV float32 // 1 - d_u/DecayOne, 1 - d_v/DecayOne
	Subtract     bool
}

// LIF is one tick of firing neurons with threshold 1:
//
//	u = keepU*u + q;  v = keepV*v + u;  drive += u;  q = 0
//	if v > 1 { fired gains first+j; count++; v = 0 or v - 1 }
//
// fired is appended to, and must have room for all of q.
func LIF(p LIFParams, q, u, v, drive, count []float32, fired []int32, first int) []int32 {
	n := len(q)
	u, v, drive, count = u[:n], v[:n], drive[:n], count[:n]
	k := len(fired)
	room := fired[k : k+n]
	if n == 0 {
		return fired
	}
	if tier.Active() != tier.Portable {
		return fired[:k+lif(p, q, u, v, drive, count, room, first)]
	}
	for j, in := range q {
		uj := float32(p.KeepU*u[j]) + in
		vj := float32(p.KeepV*v[j]) + uj
		u[j] = uj
		drive[j] += uj
		if vj > 1 {
			fired = append(fired, int32(first+j))
			count[j]++
			if p.Subtract {
				vj--
			} else {
				vj = 0
			}
		}
		v[j] = vj
		q[j] = 0
	}
	return fired
}

// LIFTicks is LIF for some ticks, at most 32; q's row t, stride apart, is what tick
// t's spikes bring to the neurons, and stays. Bit t of spikes[j] says whether j
// fires in tick t:
//
//	for t := range ticks {
//		u = keepU*u + q[t];  v = keepV*v + u;  drive += u
//		if v > 1 { spikes |= 1<<t; count++; v = 0 or v - 1 }
//	}
func LIFTicks(p LIFParams, q []float32, stride, ticks int, u, v, drive, count []float32, spikes []uint32) {
	n := len(u)
	v, drive, count, spikes = v[:n], drive[:n], count[:n], spikes[:n]
	if n == 0 || ticks == 0 {
		clear(spikes)
		return
	}
	if stride < n || ticks > 32 || (ticks-1)*stride+n > len(q) {
		panic(fmt.Sprintf("simd: LIFTicks: %d ticks of %d neurons, %d apart, in %d numbers", ticks, n, stride, len(q)))
	}
	if tier.Active() != tier.Portable {
		lifTicks(p, q, stride, ticks, u, v, drive, count, spikes)
		return
	}
	clear(spikes)
	for t := range ticks {
		for j, in := range q[t*stride:][:n] {
			uj := float32(p.KeepU*u[j]) + in // as in LIF: a function of a neuron's tick costs a third
			vj := float32(p.KeepV*v[j]) + uj
			u[j] = uj
			drive[j] += uj
			if vj > 1 {
				spikes[j] |= 1 << t
				count[j]++
				if p.Subtract {
					vj--
				} else {
					vj = 0
				}
			}
			v[j] = vj
		}
	}
}

// Pick finds the numbers of x that have a bit of mask:
//
//	for i := range x { if x[i]&mask != 0 { index[k] = first+i; value[k] = x[i]; k++ } }
//
// It returns k; index and value have room for all of x, which it may use.
func Pick(index []int32, value []uint32, x []uint32, mask uint32, first int) int {
	n := len(x)
	if n == 0 {
		return 0
	}
	index, value = index[:n], value[:n]
	if tier.Active() != tier.Portable {
		return pick(x, mask, first, index, value)
	}
	k := 0
	for i, v := range x { // no branch, as nobody can guess it
		index[k], value[k] = int32(first+i), v
		b := v & mask
		k += int((b | -b) >> 31)
	}
	return k
}

// AdamParams are a step's constants, with the bias corrections folded into Rate
// and Eps (Kingma and Ba 2015, section 2, last paragraph).
type AdamParams struct{ Rate, B1, B2, Eps float32 }

// Adam moves w against the gradient g:
//
//	m = b1*m + (1-b1)*g;  s = b2*s + (1-b2)*(g*g);  m, s = large(m), large(s)
//	w -= (rate*m)/(sqrt(s)+eps)
//
// large(x) is 0 where |x| < 2^-95. Without it the m of a gradient that stays 0
// decays until rate*m, and then m, is below 2^-126, and each such step takes the
// processor's slow way, ten times as long; a tenth of all moments of a network at
// batch 10 were there. What is lost is below 1e-21 of a step, or 2e-5 of a step
// below 1e-7: no weight above 1e-4 would feel it.
func Adam(p AdamParams, w, m, s, g []float32) {
	n := len(w)
	if n == 0 {
		return
	}
	m, s, g = m[:n], s[:n], g[:n]
	c1, c2 := 1-p.B1, 1-p.B2
	if tier.Active() != tier.Portable {
		adam(p, c1, c2, w, m, s, g)
		return
	}
	for i, gi := range g {
		mi := float32(p.B1*m[i]) + float32(c1*gi)
		si := float32(p.B2*s[i]) + float32(c2*float32(gi*gi))
		mi, si = large(mi), large(si)
		m[i], s[i] = mi, si
		w[i] -= float32(p.Rate*mi) / (float32(math.Sqrt(float64(si))) + p.Eps)
	}
}

func large(x float32) float32 {
	if math.Float32bits(x)&0x70000000 == 0 {
		return 0
	}
	return x
}

// Axpy is SGD's step with a = -rate, and a feedback's row:
//
//	for j := range y { y[j] += a * x[j] }
func Axpy(y []float32, a float32, x []float32) {
	if len(y) == 0 {
		return
	}
	x = x[:len(y)]
	if tier.Active() != tier.Portable {
		axpy(y, a, x)
		return
	}
	for j, xj := range x {
		y[j] += float32(a * xj)
	}
}
