package targets

import (
	"fmt"
	"slices"
	"strings"
)

// Tables is the form of the files that an export writes for a chip.
type Tables struct {
	Format TableFormat `json:"format"`
	Reason string      `json:"reason,omitempty" file:"optional"` // why there are none
}

// TableFormat names a writer.
type TableFormat string

const (
	NoTables       TableFormat = "none"     // nothing can be written yet
	CoreTables     TableFormat = "cores"    // package export/table: cores, routes, synapse rows
	TinyODINTables TableFormat = "tinyodin" // package export/crossbar: SPI programs and SRAM images of tinyODIN
	RANCTables     TableFormat = "ranc"     // package export/mesh: memories of RANC's cores, axon types, packets
)

var tableFormats = []string{string(NoTables), string(CoreTables), string(TinyODINTables), string(RANCTables)}

// SpikesOnly says that nothing but spikes leaves a chip with such tables, so
// that no membrane can be read.
func (t TableFormat) SpikesOnly() bool { return t == RANCTables }

// UnmarshalText reads a format's name.
func (t *TableFormat) UnmarshalText(text []byte) error {
	if !slices.Contains(tableFormats, string(text)) {
		return fmt.Errorf("got %q, want one of %s", text, strings.Join(tableFormats, ", "))
	}
	*t = TableFormat(text)
	return nil
}

func checkTables(c *Chip, f *faults) {
	switch {
	case c.Tables.Format == NoTables && c.Tables.Reason == "":
		f.add("tables.reason", "nothing", "a reason, with format none")
	case c.Tables.Format != NoTables && c.Tables.Reason != "":
		f.add("tables.reason", "a reason", "none with format "+string(c.Tables.Format))
	}
}
