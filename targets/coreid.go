package targets

// CoreID is a core of a chip, dense from 0: tile-major, tiles row by row, the
// cores of a tile together. Unplaced neurons have no CoreID.
type CoreID int32
