package targets

import "fmt"

// TileID is a group of cores that share a router, dense from 0: chip by chip,
// row by row.
type TileID int32

// Fabric is how cores are laid out and how spikes travel between them: on each
// chip a mesh of Width × Height tiles. Several chips stand side by side along
// x; the link between two chips counts as one hop along x, which flatters it.
type Fabric struct {
	Width        int `json:"width"`
	Height       int `json:"height"`
	CoresPerTile int `json:"cores_per_tile"`
	Chips        int `json:"chips"`
	// LayerDelay is the number of ticks a spike takes from one layer to the
	// next: 0 means that it is integrated in the tick in which it was fired.
	LayerDelay int `json:"layer_delay"`
	// Multicast: one message reaches any set of cores.
	Multicast bool `json:"multicast"`
	// Unicast: a neuron sends to one in-axon of one core. A neuron that others
	// take on several in-axons is stored in as many copies. Absent: false.
	Unicast bool `json:"unicast,omitempty" file:"optional"`
}

// Tiles is the number of tiles of all chips.
func (f Fabric) Tiles() int { return f.Width * f.Height * f.Chips }

// Cores is the number of cores of all chips.
func (f Fabric) Cores() int { return f.Tiles() * f.CoresPerTile }

// Tile is the tile of a core. It panics if the fabric has no such core.
func (f Fabric) Tile(c CoreID) TileID {
	if c < 0 || int64(c) >= int64(f.Cores()) {
		panic(fmt.Sprintf("targets: Fabric.Tile: got core %d, want 0..%d", c, f.Cores()-1))
	}
	return TileID(int(c) / f.CoresPerTile)
}

// Position is the place of a core's tile: x grows to the east, from chip to
// chip, y by row. It panics if the fabric has no such core.
func (f Fabric) Position(c CoreID) (x, y int) {
	t := int(f.Tile(c))
	chip, t := t/(f.Width*f.Height), t%(f.Width*f.Height)
	return chip*f.Width + t%f.Width, t / f.Width
}

// Hops is the number of links a message takes from a to b, along x and along
// y, both non-negative; 0, 0 within a tile. The route is a shortest one.
func (f Fabric) Hops(a, b CoreID) (dx, dy int) {
	ax, ay := f.Position(a)
	bx, by := f.Position(b)
	return abs(ax - bx), abs(ay - by)
}

func abs(x int) int {
	if x < 0 {
		return -x
	}
	return x
}
