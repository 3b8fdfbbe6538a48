package simd

import "glsnn/fixedpoint/tier"

// Decay takes a share from a state: |x| becomes |x|·Factor/2^Shift, rounded up
// for x < 0 if Round is 2^Shift − 1, else down. Factor is 0..2^Shift and Shift
// 0..16: with Shift 0, x stays or becomes 0.
type Decay struct{ Factor, Shift, Round int32 }

// Splits says whether all products of x in lo..hi may be taken in two parts, of the
// low Shift bits of x and of the others, each of 16 bits: with x = h·2^Shift + l,
//
//	x·Factor/2^Shift = h·Factor + l·Factor/2^Shift
//
// and only the second part is rounded: down, or up where x < 0 and Round is 0.
func (d Decay) Splits(lo, hi int64) bool {
	switch {
	case d.Factor == 0:
		return true
	case d.Shift == 0: // taken as Shift 14
		return lo >= -1<<29 && hi < 1<<29
	}
	return d.Shift <= 15 && d.Factor < 1<<15 && lo >= -1<<(15+d.Shift) && hi < 1<<(15+d.Shift)
}

// scale is a Decay for signed products: x·factor/2^shift, rounded toward zero if
// mask is 2^shift − 1, toward minus infinity if it is 0.
type scale struct {
	factor, mask int64
	shift        uint8
}

func (d Decay) scale() scale {
	return scale{int64(d.Factor), int64(1<<d.Shift - 1 - d.Round), uint8(d.Shift)}
}

func (s *scale) apply(x int32) int32 {
	y := int64(x) * s.factor
	return int32((y + y>>63&s.mask) >> (s.shift & 63))
}

// LIF are the constants of one layer.
type LIF struct {
	Current, Membrane Decay
	Split             bool // every u and v to be multiplied is in its decay's Splits
	// Toward: the membrane moves toward its input, y = x − decay(x − v[j], p.Membrane) in
	// place of the sum, rounded to nearest with halves up if Half. It is for Narrows of 0,
	// a Current of Shift 0, and x − v[j] in Membrane's Splits.
	Toward, Half bool
	Above        int32 // fires where v > Above
	Threshold    int32 // what a reset by subtraction takes away
	Keep         int32 // −1: reset by subtraction, 0: to zero
	Narrows      int32 // 0: the registers hold all that is written to them
	U, V         Narrow
}

// Step is one tick of a layer's neurons:
//
//	for j := range q {
//		x := decay(u[j], p.Current) + q[j]<<exp;  u[j] = x narrowed to p.U
//		y := decay(v[j], p.Membrane) + u[j];      v[j] = y narrowed to p.V
//		if v[j] > p.Above {
//			v[j] = 0                    // or v[j] − p.Threshold
//			count[j]++
//			fired[n], n = j, n+1
//		}
//	}
//
// It returns n, and how often u and v did not fit. All slices are as long as q,
// Pad of a number of neurons; x and y must fit int32. Padding that is 0 takes
// part: it fires where Above is −1.
func Step(p *LIF, q, u, v, count, fired []int32, exp int) (n int, overU, overV uint64) {
	if len(q)%Block != 0 {
		panic("simd: Step: want whole blocks")
	}
	u, v, count, fired = u[:len(q)], v[:len(q)], count[:len(q)], fired[:len(q)]
	if len(q) == 0 {
		return 0, 0, 0
	}
	if tier.Active() != tier.Portable {
		return step(p, q, u, v, count, fired, exp)
	}
	c := *p // so that no write to a slice can change it
	current, membrane := c.Current.scale(), c.Membrane.scale()
	half := int64(0)
	if c.Half {
		half, membrane.mask = 1<<membrane.shift>>1, 0
	}
	exp &= 31
	for j := range q {
		x := current.apply(u[j]) + q[j]<<exp
		if c.Narrows != 0 {
			y := c.U.apply(x)
			if y != x {
				overU++
			}
			x = y
		}
		u[j] = x
		var y int32
		if c.Toward {
			d := int64(x-v[j]) * membrane.factor
			y = x - int32((d+half+d>>63&membrane.mask)>>(membrane.shift&63))
		} else {
			y = membrane.apply(v[j]) + x
		}
		if c.Narrows != 0 {
			z := c.V.apply(y)
			if z != y {
				overV++
			}
			y = z
		}
		// Without a branch, as nobody can guess it: f is −1 if y > Above, else 0.
		f := int32((int64(c.Above) - int64(y)) >> 63)
		v[j] = y&^f | (y-c.Threshold)&c.Keep&f
		count[j] -= f
		fired[n] = int32(j)
		n -= int(f)
	}
	return n, overU, overV
}

// Leaky are the constants of a layer whose membranes have taken the weights at once.
// The kernels read it as 12 numbers of 32 bits in this order. At most 2^30 each,
// but for Above and Below.
type Leaky struct {
	Leak, Add                  int32 // what is lost toward 0, and what is added
	Above, AboveKeep, AboveAdd int32 // where v > Above it fires: v&Keep + Add, Keep 0 or −1
	Below, BelowKeep, BelowAdd int32 // where not, and v < Below
	V                          Narrow
}

// StepLeaky is one tick of a layer's neurons after their weights:
//
//	for j := range v {
//		x := v[j] − min(max(v[j], −p.Leak), p.Leak) + p.Add narrowed to p.V
//		switch {
//		case x > p.Above:
//			count[j]++
//			fired[n], n = j, n+1
//			x = x&p.AboveKeep + p.AboveAdd narrowed to p.V
//		case x < p.Below:
//			x = x&p.BelowKeep + p.BelowAdd narrowed to p.V
//		}
//		v[j] = x
//	}
//
// It returns n, and how often a value did not fit. Slices are as those of Step, and
// hold values of p.V.
func StepLeaky(p *Leaky, v, count, fired []int32) (n int, overflows uint64) {
	if len(v)%Block != 0 {
		panic("simd: StepLeaky: want whole blocks")
	}
	count, fired = count[:len(v)], fired[:len(v)]
	if len(v) == 0 {
		return 0, 0
	}
	if tier.Active() != tier.Portable {
		return stepLeaky(p, v, count, fired)
	}
	c := *p
	for j, x := range v {
		x, over, fires := c.step(x)
		v[j] = x
		overflows += over
		if fires {
			count[j]++
			fired[n] = int32(j)
			n++
		}
	}
	return n, overflows
}

func (p *Leaky) step(x int32) (y int32, overflows uint64, fires bool) {
	put := func(x int32) int32 {
		y := p.V.apply(x)
		if y != x {
			overflows++
		}
		return y
	}
	x = put(x - min(max(x, -p.Leak), p.Leak) + p.Add)
	switch {
	case x > p.Above:
		return put(x&p.AboveKeep + p.AboveAdd), overflows, true
	case x < p.Below:
		x = put(x&p.BelowKeep + p.BelowAdd)
	}
	return x, overflows, false
}

// Idle is how many overflows StepLeaky counts for a membrane at 0, such as those of
// padding.
func (p *Leaky) Idle() uint64 {
	_, overflows, _ := p.step(0)
	return overflows
}
