package export

import "glsnn/targets"

// Place gives each part a core: parts in order along a serpentine over the
// tiles (row by row, every second row backwards), the cores of a tile in turn.
// Neighbours in the network then sit on the same or adjacent tiles, and on
// several chips the walk fills one chip after the other.
func Place(parts []Part, f targets.Fabric) []targets.CoreID {
	cores := make([]targets.CoreID, len(parts))
	perChip := f.Width * f.Height
	for i := range parts {
		tile, within := i/f.CoresPerTile, i%f.CoresPerTile
		chip, t := tile/perChip, tile%perChip
		y, x := t/f.Width, t%f.Width
		if y%2 == 1 {
			x = f.Width - 1 - x
		}
		cores[i] = targets.CoreID((chip*perChip+y*f.Width+x)*f.CoresPerTile + within)
	}
	return cores
}
