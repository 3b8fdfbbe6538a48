package place

import (
	"context"
	"math/rand/v2"
	"slices"

	"glsnn/targets"
)

// anneal starts from the best of the orders and tries swaps of a part with
// another, or moves to a free core, near it. A step is taken if it makes the cost
// (messages x links, plus LinkWeight times the busiest link's) worse by less than
// a threshold, which sinks to 0: threshold accepting (Dueck and Scheuer, J. Comput.
// Phys. 90:161, 1990), the kin of simulated annealing that needs no logarithm and
// so is the same everywhere. The best placement met is the result.
func anneal(ctx context.Context, p *Problem, o Options) ([]targets.CoreID, error) {
	weight := int64(max(o.LinkWeight, 0))
	var best []targets.CoreID
	least := int64(-1)
	for _, walk := range [][]point{rows(p.Fabric, false), rows(p.Fabric, true), hilbert(p.Fabric)} {
		cores := along(p, walk)
		if l := p.Measure(cores); least < 0 || int64(l.Hops())+weight*int64(l.MaxLink) < least {
			best, least = cores, int64(l.Hops())+weight*int64(l.MaxLink)
		}
	}
	if p.Parts < 1 || p.Fabric.Tiles() < 2 {
		return best, nil
	}
	moves := o.Moves
	if moves == 0 {
		moves = min(max(20000, 100*p.Parts), 100000)
	}
	a := newAnnealer(p, best, weight, o.Seed)
	switch a.most = o.Tiles; {
	case a.most == 0:
		a.most = (p.Parts + p.Fabric.CoresPerTile - 1) / p.Fabric.CoresPerTile
	case a.most < 0:
		a.most = p.Fabric.Tiles()
	}
	// With few moves a part, what is good of the start must not be lost first.
	start := float64(a.typical()) * min(0.5, float64(moves)/float64(1000*p.Parts))
	kept := slices.Clone(best)
	for i := range moves {
		if i%256 == 0 && ctx.Err() != nil {
			return kept, ctx.Err()
		}
		// The threshold sinks with the square of what is left, and the reach of a
		// move with it.
		left := float64(moves-i) / float64(moves)
		reach := 1 + int(float64(max(a.w, a.h)-1)*left)
		a.try(int64(start*left*left), reach)
		if a.cost < least {
			least = a.cost
			copy(kept, a.cores)
		}
	}
	return kept, nil
}

// annealer is a board on which parts move.
type annealer struct {
	*board
	rng    *rand.Rand
	cores  []targets.CoreID
	holder []int32 // part on each core, -1 for none
	onTile []int   // parts on each tile
	tiles  int     // in use
	most   int     // tiles that may be
	weight int64
	link   int64 // load of the busiest link
	cost   int64
}

func newAnnealer(p *Problem, cores []targets.CoreID, weight int64, seed uint64) *annealer {
	a := &annealer{board: newBoard(p, cores), rng: rand.New(rand.NewPCG(seed, 0x616e6e65616c)), cores: slices.Clone(cores), weight: weight}
	a.holder = make([]int32, p.Fabric.Cores())
	for i := range a.holder {
		a.holder[i] = -1
	}
	a.onTile = make([]int, p.Fabric.Tiles())
	for i, c := range cores {
		a.holder[c] = int32(i)
		a.settle(c, 1)
	}
	a.price()
	return a
}

// settle counts a part on the tile of a core, or with -1 takes it away.
func (a *annealer) settle(c targets.CoreID, n int) {
	t := &a.onTile[a.p.Fabric.Tile(c)]
	if *t == 0 {
		a.tiles++
	}
	if *t += n; *t == 0 {
		a.tiles--
	}
}

func (a *annealer) price() {
	a.link = int64(a.maxLink())
	a.cost = int64(a.hopsX+a.hopsY) + a.weight*a.link
}

// typical is the mean change of messages x links over some random moves, taken
// back; 1 at least.
func (a *annealer) typical() int64 {
	sum, n := int64(0), int64(0)
	for range 200 {
		part, to := a.propose(max(a.w, a.h))
		if to < 0 {
			continue
		}
		from, before := a.cores[part], a.cost
		a.swap(part, to)
		a.price()
		change := a.cost - before
		sum += max(change, -change)
		n++
		a.swap(part, from)
		a.price()
	}
	if n == 0 {
		return 1
	}
	return max(sum/n, 1)
}

// propose is a part and a core on another tile, at most reach columns and rows
// away; -1 for none.
func (a *annealer) propose(reach int) (part int32, to targets.CoreID) {
	part = int32(a.rng.IntN(len(a.cores)))
	near := func(at int32, n int) int {
		lo, hi := max(0, int(at)-reach), min(n-1, int(at)+reach)
		return lo + a.rng.IntN(hi-lo+1)
	}
	x, y := near(a.x[part], a.w), near(a.y[part], a.h)
	if x == int(a.x[part]) && y == int(a.y[part]) {
		return part, -1
	}
	f := a.p.Fabric
	tile := (x/f.Width*f.Height+y)*f.Width + x%f.Width
	if a.onTile[tile] == 0 && a.tiles >= a.most && a.onTile[f.Tile(a.cores[part])] > 1 {
		return part, -1 // one more
	}
	return part, targets.CoreID(tile*f.CoresPerTile + a.rng.IntN(f.CoresPerTile))
}

// try makes one move, or none if it costs more than bar.
func (a *annealer) try(bar int64, reach int) {
	part, to := a.propose(reach)
	if to < 0 {
		return
	}
	// What the busiest link could win at most is all of its load.
	if a.parallel && a.gain(part, to)-a.weight*a.link > bar {
		return
	}
	from, cost, link := a.cores[part], a.cost, a.link
	a.swap(part, to)
	a.price()
	if a.cost-cost > bar {
		a.swap(part, from)
		a.cost, a.link = cost, link
	}
}

// gain is the change of messages x links by a move, without multicast.
func (a *annealer) gain(part int32, to targets.CoreID) int64 {
	other, from := a.holder[to], a.cores[part]
	before := a.near(part, other)
	a.shift(part, other, from, to)
	after := a.near(part, other)
	a.shift(part, other, to, from)
	return after - before
}

// shift moves part to core to, and other, if any, to core from, on the map only.
func (a *annealer) shift(part, other int32, from, to targets.CoreID) {
	a.put(part, to)
	if other >= 0 {
		a.put(other, from)
	}
}

// near is messages x links of all routes that begin or end at two parts.
func (a *annealer) near(part, other int32) (sum int64) {
	a.routes(part, other, func(from, to int32, n int64) {
		sum += n * int64(apart(a.x[from], a.x[to])+apart(a.y[from], a.y[to]))
	})
	return sum
}

// routes calls f for each route that begins or ends at one of two parts, once.
func (a *annealer) routes(part, other int32, f func(from, to int32, n int64)) {
	for _, p := range [2]int32{part, other} {
		if p < 0 {
			continue
		}
		if i := a.flowOf[p]; i >= 0 {
			flow := a.p.Flows[i]
			for _, to := range a.p.Sets[flow.Set] {
				f(p, to, int64(flow.Messages))
			}
		}
		for _, s := range a.setsOf[p] {
			for _, i := range a.flowsOf[s] {
				if flow := a.p.Flows[i]; flow.From != part && flow.From != other {
					f(flow.From, p, int64(flow.Messages))
				}
			}
		}
	}
}

// swap moves a part to a core and what is there to the part's, with the loads.
func (a *annealer) swap(part int32, to targets.CoreID) {
	other, from := a.holder[to], a.cores[part]
	a.loads(part, other, -1)
	a.shift(part, other, from, to)
	a.cores[part], a.holder[to], a.holder[from] = to, part, other
	if other >= 0 {
		a.cores[other] = from
	} else {
		a.settle(from, -1)
		a.settle(to, 1)
	}
	if !a.parallel {
		for _, p := range [2]int32{part, other} {
			if p >= 0 {
				for _, s := range a.setsOf[p] {
					a.span(s)
				}
			}
		}
	}
	a.loads(part, other, 1)
}

// loads adds all that two parts send and get, or takes it away.
func (a *annealer) loads(part, other int32, sign int64) {
	if a.parallel {
		a.routes(part, other, func(from, to int32, n int64) { a.route(from, to, sign*n) })
		return
	}
	for _, s := range a.setsOf[part] {
		a.set(s, sign)
	}
	if other >= 0 {
		for _, s := range a.setsOf[other] {
			if !slices.Contains(a.setsOf[part], s) {
				a.set(s, sign)
			}
		}
	}
	// What the two send, unless it went to one of those sets.
	for _, p := range [2]int32{part, other} {
		if p < 0 || a.flowOf[p] < 0 {
			continue
		}
		f := a.p.Flows[a.flowOf[p]]
		done := slices.Contains(a.setsOf[part], f.Set) || other >= 0 && slices.Contains(a.setsOf[other], f.Set)
		if !done {
			a.flow(f, sign)
		}
	}
}
