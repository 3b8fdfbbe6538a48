package emulator

// The two inner loops. Both run only where a proof says that no register
// overflows; each comment is the naive loop that the function equals.

// addRows adds rows of w, a matrix with len(acc) columns, to acc:
//
//	for _, r := range rows {
//		for j := range acc {
//			acc[j] += int32(w[int(r)*len(acc)+j])
//		}
//	}
//
// Integer adds commute while nothing overflows, so four rows are taken at a
// time: one load and one store of acc for four weights. The caller has proved
// that every partial sum of every order fits int32.
func addRows[W int8 | int16](acc []int32, w []W, rows []int32) {
	n := len(acc)
	for ; len(rows) >= 4; rows = rows[4:] {
		a := w[int(rows[0])*n:][:len(acc)]
		b := w[int(rows[1])*n:][:len(acc)]
		c := w[int(rows[2])*n:][:len(acc)]
		d := w[int(rows[3])*n:][:len(acc)]
		for j := range acc {
			acc[j] += int32(a[j]) + int32(b[j]) + int32(c[j]) + int32(d[j])
		}
	}
	for _, r := range rows {
		a := w[int(r)*n:][:len(acc)]
		for j := range acc {
			acc[j] += int32(a[j])
		}
	}
}

// scale is a decay as stepLIF takes it: x·factor / 2^shift, rounded toward
// zero if mask is 2^shift − 1, toward minus infinity if mask is 0.
type scale struct {
	factor, mask int64
	shift        uint8
}

// lif are the parameters of stepLIF.
type lif struct {
	current, membrane scale
	exp               uint8 // weights are mantissas times 2^exp
	fire              int64 // fires where v >= fire
	threshold         int64 // what reset by subtraction takes away
	keep              int64 // −1: reset by subtraction, 0: to zero
}

// stepLIF is steps 4 to 7 for a layer whose registers do not overflow; it
// writes the neurons that fired to fired, which holds len(q), and returns
// their number:
//
//	for j := range q {
//		u[j] = decay(u[j], p.current) + q[j]<<p.exp
//		v[j] = decay(v[j], p.membrane) + u[j]
//		if v[j] >= p.fire {
//			v[j] = 0                    // or v[j] − p.threshold
//			fired[n], n = j, n+1
//		}
//	}
//
// It equals the narrowing path because a proved register holds every value
// that the step writes: Narrow would return it unchanged. Values are int32,
// products with a factor of at most 2^16 fit int64.
func stepLIF(p *lif, q, u, v, fired []int32) (n int) {
	u, v, fired = u[:len(q)], v[:len(q)], fired[:len(q)]
	cur, mem := p.current, p.membrane
	exp, fire, threshold, keep := p.exp&31, p.fire, p.threshold, p.keep
	for j := range q {
		x := int64(u[j]) * cur.factor
		x = (x + x>>63&cur.mask) >> (cur.shift & 63)
		x += int64(q[j]) << exp
		u[j] = int32(x)
		y := int64(v[j]) * mem.factor
		y = (y+y>>63&mem.mask)>>(mem.shift&63) + x
		if y >= fire {
			y = (y - threshold) & keep
			fired[n] = int32(j)
			n++
		}
		v[j] = int32(y)
	}
	return n
}
