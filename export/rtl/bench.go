package rtl

import (
	"bytes"
	_ "embed"
	"text/template"
)

//go:embed bench_aer.v.tmpl
var aerBench string

// bench is what the two AER chips' test benches differ in.
type bench struct {
	Chip              Chip
	Top               string
	AERBits, WordBits int
	Full              bool // has the debug port SCHED_FULL
	SpikeAER, LeakAER string
	VByte, VShift     int // the membrane: low byte, bit in it
	VBits             int
	Signed            bool
}

func (c Chip) bench() bench {
	if c == ODIN {
		return bench{Chip: c, Top: "ODIN", AERBits: 17, WordBits: 128,
			SpikeAER: "{1'b0, a[7:0], 8'h07}", LeakAER: "17'h0007f", VByte: 8, VShift: 6, VBits: 8}
	}
	return bench{Chip: c, Top: "tinyODIN", AERBits: 10, WordBits: 32, Full: true,
		SpikeAER: "{2'b00, a[7:0]}", LeakAER: "{2'b01, 8'hff}", VBits: 12, Signed: true}
}

// Bench is the Verilog-2005 source of the test bench, module glsnn_bench. It
// depends on the chip alone: networks and samples come from the files of a
// folder and plusargs.
func (c Chip) Bench() []byte {
	var b bytes.Buffer
	if err := template.Must(template.New("bench").Parse(aerBench)).Execute(&b, c.bench()); err != nil {
		panic(err) // the template is ours
	}
	return b.Bytes()
}
