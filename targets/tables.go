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
	// What a core holds beside the limits of Core, in the tables of format loihi:
	// profiles that its compartments choose from, and formats of its synapses.
	CompartmentProfiles int `json:"compartment_profiles,omitempty" file:"format=loihi"`
	ThresholdProfiles   int `json:"threshold_profiles,omitempty" file:"format=loihi"`
	SynapseFormats      int `json:"synapse_formats,omitempty" file:"format=loihi"`
}

// TableFormat names a writer.
type TableFormat string

const (
	NoTables       TableFormat = "none"     // nothing can be written yet
	CoreTables     TableFormat = "cores"    // package export/table: cores, routes, synapse rows
	LoihiTables    TableFormat = "loihi"    // package export/table: cores in Loihi's terms
	TinyODINTables TableFormat = "tinyodin" // package export/crossbar: SPI programs and SRAM images of tinyODIN
	ODINTables     TableFormat = "odin"     // the same of ODIN
	RANCTables     TableFormat = "ranc"     // package export/mesh: memories of RANC's cores, axon types, packets
)

var tableFormats = []string{string(NoTables), string(CoreTables), string(LoihiTables), string(TinyODINTables), string(ODINTables), string(RANCTables)}

// Crossbar says whether tables of the format are those of a chip that is one
// crossbar, package export/crossbar's.
func (t TableFormat) Crossbar() bool { return t == TinyODINTables || t == ODINTables }

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
	least, most := int64(0), int64(0)
	if c.Tables.Format == LoihiTables {
		least, most = 1, 1<<16
	}
	for _, n := range []struct {
		key string
		n   int
	}{{"compartment_profiles", c.Tables.CompartmentProfiles}, {"threshold_profiles", c.Tables.ThresholdProfiles}, {"synapse_formats", c.Tables.SynapseFormats}} {
		f.between("tables."+n.key, int64(n.n), least, most)
	}
}
