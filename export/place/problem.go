package place

import (
	"fmt"

	"glsnn/targets"
)

// Problem is parts to be placed, one a core, and what they send. Its invariants:
//  1. every member of a set and every source is in 0..Parts−1;
//  2. a part sends one Flow at most, to a set that does not repeat a part.
type Problem struct {
	Fabric targets.Fabric
	Parts  int
	Sets   [][]int32 // groups of parts that are sent to together
	Flows  []Flow
}

// Flow is what one part sends to a set: with Multicast, messages that reach all
// of it, else messages to each of its members.
type Flow struct {
	From     int32
	Set      int32
	Messages uint64
}

// Check verifies the invariants, and that the fabric has a core for each part.
func (p *Problem) Check() error {
	if have := p.Fabric.Cores(); p.Parts < 0 || p.Parts > have {
		return fmt.Errorf("place: got %d parts, want 0..%d, the fabric's cores", p.Parts, have)
	}
	sends, seen := make([]bool, p.Parts), make([]int, p.Parts)
	for i, set := range p.Sets {
		for _, m := range set {
			if m < 0 || int(m) >= p.Parts || seen[m] == i+1 {
				return fmt.Errorf("place: set %d: got part %d, want each of 0..%d at most once", i, m, p.Parts-1)
			}
			seen[m] = i + 1
		}
	}
	for i, f := range p.Flows {
		switch {
		case f.From < 0 || int(f.From) >= p.Parts || sends[f.From]:
			return fmt.Errorf("place: flow %d: got source %d, want each of 0..%d at most once", i, f.From, p.Parts-1)
		case f.Set < 0 || int(f.Set) >= len(p.Sets):
			return fmt.Errorf("place: flow %d: got set %d, want 0..%d", i, f.Set, len(p.Sets)-1)
		}
		sends[f.From] = true
	}
	return nil
}

// Load is what a placement costs.
type Load struct {
	Messages uint64 `json:"messages"` // sent by cores: one to each target, or with multicast one in all
	HopsX    uint64 `json:"hops_x"`   // messages x links along x
	HopsY    uint64 `json:"hops_y"`
	MaxLink  uint64 `json:"max_link"` // messages over the busiest link, one direction
	Longest  int    `json:"longest"`  // links of the longest route in use
	Crossing uint64 `json:"crossing"` // messages x links from chip to chip, part of HopsX
	Tiles    int    `json:"tiles"`    // in use
}

// Hops are messages x links.
func (l Load) Hops() uint64 { return l.HopsX + l.HopsY }

// Tile is a tile's place and what leaves it over each of its links. East is the
// direction of growing x, south that of growing y.
type Tile struct {
	X     int    `json:"x"`
	Y     int    `json:"y"`
	Parts int    `json:"parts"` // placed on it
	East  uint64 `json:"east"`
	West  uint64 `json:"west"`
	South uint64 `json:"south"`
	North uint64 `json:"north"`
}

// Measure works out the load of a placement, cores being each part's.
func (p *Problem) Measure(cores []targets.CoreID) Load {
	b := newBoard(p, cores)
	l := Load{HopsX: b.hopsX, HopsY: b.hopsY, MaxLink: b.maxLink()}
	for _, f := range p.Flows {
		if f.Messages == 0 {
			continue
		}
		if p.Fabric.Multicast {
			l.Messages += f.Messages
		} else {
			l.Messages += f.Messages * uint64(len(p.Sets[f.Set]))
		}
		for _, to := range p.Sets[f.Set] {
			l.Longest = max(l.Longest, b.distance(f.From, to))
		}
	}
	b.each(func(t Tile) {
		if t.Parts > 0 {
			l.Tiles++
		}
		if w := p.Fabric.Width; t.X%w == w-1 {
			l.Crossing += t.East
		} else if t.X%w == 0 {
			l.Crossing += t.West
		}
	})
	return l
}

// Links are the links along x and along y that a message of each flow takes, to all
// of its set together.
func (p *Problem) Links(cores []targets.CoreID) [][2]uint64 {
	one := *p
	one.Flows = make([]Flow, len(p.Flows))
	for i, f := range p.Flows {
		one.Flows[i] = Flow{f.From, f.Set, 1}
	}
	b := newBoard(&one, cores)
	out := make([][2]uint64, len(p.Flows))
	for i, f := range one.Flows {
		x, y := b.hopsX, b.hopsY
		if b.parallel {
			for _, to := range p.Sets[f.Set] {
				b.route(f.From, to, 1)
			}
		} else {
			b.flow(f, 1)
		}
		out[i] = [2]uint64{b.hopsX - x, b.hopsY - y}
	}
	return out
}

// Tiles lists every tile of the fabric, row by row, with the loads of its links.
func (p *Problem) Tiles(cores []targets.CoreID) []Tile {
	out := make([]Tile, 0, p.Fabric.Tiles())
	newBoard(p, cores).each(func(t Tile) { out = append(out, t) })
	return out
}
