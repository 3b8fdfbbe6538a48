package place

import "glsnn/targets"

// board is a placement with the loads of all links, kept as differences along
// each row and column: a route costs a few additions whatever its length, and
// the loads are running sums.
type board struct {
	p    *Problem
	w, h int // tiles of all chips, side by side
	x, y []int32
	// East, west: by row; south, north: by column, each one longer than the line.
	east, west, south, north []int64
	hopsX, hopsY             uint64

	flowOf   []int32   // of each part, -1 for none
	setsOf   [][]int32 // that a part is in
	flowsOf  [][]int32 // to a set
	lo, hi   [][]int32 // with multicast: the rows that a set spans in each column; lo > hi for none
	cols     [][]int32 // those columns
	inRow    []int64   // messages that start in each row: set's own
	parallel bool      // no multicast
}

func newBoard(p *Problem, cores []targets.CoreID) *board {
	f := p.Fabric
	b := &board{p: p, w: f.Width * f.Chips, h: f.Height, x: make([]int32, p.Parts), y: make([]int32, p.Parts), parallel: !f.Multicast}
	b.east, b.west = make([]int64, (b.w+1)*b.h), make([]int64, (b.w+1)*b.h)
	b.south, b.north = make([]int64, (b.h+1)*b.w), make([]int64, (b.h+1)*b.w)
	for i, c := range cores {
		b.put(int32(i), c)
	}
	b.flowOf, b.setsOf, b.flowsOf = make([]int32, p.Parts), make([][]int32, p.Parts), make([][]int32, len(p.Sets))
	for i := range b.flowOf {
		b.flowOf[i] = -1
	}
	for i, f := range p.Flows {
		if f.Messages > 0 {
			b.flowOf[f.From] = int32(i)
			b.flowsOf[f.Set] = append(b.flowsOf[f.Set], int32(i))
		}
	}
	b.lo, b.hi, b.cols = make([][]int32, len(p.Sets)), make([][]int32, len(p.Sets)), make([][]int32, len(p.Sets))
	b.inRow = make([]int64, b.h)
	for s, set := range p.Sets {
		if len(b.flowsOf[s]) == 0 {
			continue // nobody sends there
		}
		for _, m := range set {
			b.setsOf[m] = append(b.setsOf[m], int32(s))
		}
		if !b.parallel {
			b.lo[s], b.hi[s], b.cols[s] = make([]int32, b.w), make([]int32, b.w), make([]int32, 0, b.w)
			b.span(int32(s))
		}
	}
	for s := range p.Sets {
		b.set(int32(s), 1)
	}
	return b
}

func (b *board) put(part int32, c targets.CoreID) {
	x, y := b.p.Fabric.Position(c)
	b.x[part], b.y[part] = int32(x), int32(y)
}

// span works out the rows that set s spans in each column.
func (b *board) span(s int32) {
	lo, hi := b.lo[s], b.hi[s]
	for x := range lo {
		lo[x], hi[x] = int32(b.h), -1
	}
	for _, m := range b.p.Sets[s] {
		x, y := b.x[m], b.y[m]
		lo[x], hi[x] = min(lo[x], y), max(hi[x], y)
	}
	cols := b.cols[s][:0]
	for x, y := range hi {
		if y >= 0 {
			cols = append(cols, int32(x))
		}
	}
	b.cols[s] = cols
}

// row adds n messages to the links of row y from column a to column c, in either
// direction.
func (b *board) row(y, a, c int32, n int64) {
	line := int(y) * (b.w + 1)
	if a < c {
		b.east[line+int(a)] += n
		b.east[line+int(c)] -= n
		b.hopsX += uint64(n * int64(c-a))
	} else {
		b.west[line+int(c)] += n
		b.west[line+int(a)] -= n
		b.hopsX += uint64(n * int64(a-c))
	}
}

func (b *board) column(x, a, c int32, n int64) {
	line := int(x) * (b.h + 1)
	if a < c {
		b.south[line+int(a)] += n
		b.south[line+int(c)] -= n
		b.hopsY += uint64(n * int64(c-a))
	} else {
		b.north[line+int(c)] += n
		b.north[line+int(a)] -= n
		b.hopsY += uint64(n * int64(a-c))
	}
}

// route adds n messages from one part to another.
func (b *board) route(from, to int32, n int64) {
	b.row(b.y[from], b.x[from], b.x[to], n)
	b.column(b.x[to], b.y[from], b.y[to], n)
}

// set adds all that is sent to a set, or with sign -1 takes it away. With multicast
// what starts in one row goes down the set's columns together.
func (b *board) set(s int32, sign int64) {
	if b.parallel {
		for _, i := range b.flowsOf[s] {
			f := b.p.Flows[i]
			for _, to := range b.p.Sets[s] {
				b.route(f.From, to, sign*int64(f.Messages))
			}
		}
		return
	}
	if len(b.cols[s]) == 0 {
		return
	}
	clear(b.inRow)
	for _, i := range b.flowsOf[s] {
		f := b.p.Flows[i]
		n := sign * int64(f.Messages)
		b.across(f.From, s, n)
		b.inRow[b.y[f.From]] += n
	}
	for y, n := range b.inRow {
		if n != 0 {
			b.down(int32(y), s, n)
		}
	}
}

// flow is set for one flow, with multicast.
func (b *board) flow(f Flow, sign int64) {
	if n := sign * int64(f.Messages); len(b.cols[f.Set]) > 0 {
		b.across(f.From, f.Set, n)
		b.down(b.y[f.From], f.Set, n)
	}
}

// across adds n messages from a part along its row to the columns of set s.
func (b *board) across(from, s int32, n int64) {
	cols, x, y := b.cols[s], b.x[from], b.y[from]
	if last := cols[len(cols)-1]; last > x {
		b.row(y, x, last, n)
	}
	if cols[0] < x {
		b.row(y, x, cols[0], n)
	}
}

// down adds n messages from row y along the columns of set s.
func (b *board) down(y, s int32, n int64) {
	lo, hi := b.lo[s], b.hi[s]
	for _, c := range b.cols[s] {
		if hi[c] > y {
			b.column(c, y, hi[c], n)
		}
		if lo[c] < y {
			b.column(c, y, lo[c], n)
		}
	}
}

func (b *board) distance(from, to int32) int {
	return int(apart(b.x[from], b.x[to]) + apart(b.y[from], b.y[to]))
}

func apart(a, c int32) int32 {
	if a > c {
		return a - c
	}
	return c - a
}

// maxLink is the load of the busiest link.
func (b *board) maxLink() uint64 {
	most := int64(0)
	for _, loads := range [][]int64{b.east, b.west, b.south, b.north} {
		sum := int64(0) // every line's differences add up to 0
		for _, d := range loads {
			sum += d
			most = max(most, sum)
		}
	}
	return uint64(most)
}

// each calls f for every tile, row by row.
func (b *board) each(f func(Tile)) {
	tiles := make([]Tile, b.w*b.h)
	for i := range tiles {
		tiles[i].X, tiles[i].Y = i%b.w, i/b.w
	}
	at := func(x, y int) *Tile { return &tiles[y*b.w+x] }
	for i := range b.x {
		at(int(b.x[i]), int(b.y[i])).Parts++
	}
	for y := range b.h {
		var east, west int64
		for x := range b.w {
			east += b.east[y*(b.w+1)+x]
			west += b.west[y*(b.w+1)+x] // of the link between x and x+1
			at(x, y).East = uint64(east)
			if x+1 < b.w {
				at(x+1, y).West = uint64(west)
			}
		}
	}
	for x := range b.w {
		var south, north int64
		for y := range b.h {
			south += b.south[x*(b.h+1)+y]
			north += b.north[x*(b.h+1)+y]
			at(x, y).South = uint64(south)
			if y+1 < b.h {
				at(x, y+1).North = uint64(north)
			}
		}
	}
	for _, t := range tiles {
		f(t)
	}
}
