package targets

import (
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"

	"glsnn/fixedpoint"
)

func load(t *testing.T, name string) *Chip {
	t.Helper()
	c, err := Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestBuiltIns(t *testing.T) {
	for _, want := range []string{"generic", "loihi", "toy"} {
		if !strings.Contains(strings.Join(Names(), " "), want) {
			t.Errorf("Names: got %v, want %s among them", Names(), want)
		}
	}
	for _, n := range Names() {
		c := load(t, n)
		if c.Name != n {
			t.Errorf("%s.yaml: name: got %s, want the file's", n, c.Name)
		}
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", n, err)
		}
		if len(c.SHA256) != 64 {
			t.Errorf("%s: SHA256: got %q, want 64 digits", n, c.SHA256)
		}
		for _, q := range c.Cost.Quantities() {
			if _, ok := q.Get(); ok == (q.Reason != "") || q.Unit == "" {
				t.Errorf("%s: %s: got %+v, want a value or a reason, and a unit", n, q.Name, q)
			}
		}
		for key := range c.Sources { // a chip on the stand needs its papers
			if c.Sources[key].Citation == "" {
				t.Errorf("%s: sources.%s: got no citation", n, key)
			}
		}
	}
}

// The numbers of [davies2018] and of the public tools, as far as code here
// depends on them.
func TestLoihi(t *testing.T) {
	c := load(t, "loihi")
	a := c.Arithmetic
	for _, x := range []struct {
		what      string
		got, want int64
	}{
		{"lowest sum", a.Sum.Format().Min(), -1 << 21},
		{"highest u", a.Current.Register.Format().Max(), 1<<23 - 1},
		{"lowest v", a.Membrane.Register.Min(), 1 - 1<<23},
		{"refractory", int64(a.Fire.RefractoryMax), 63},
		{"highest v", a.Membrane.Register.Format().Max(), 1<<23 - 1},
		{"highest threshold", a.Threshold.Max(), (1<<17 - 1) << 6},
		{"least decay of u", a.Current.Decay.Min, 1},
		{"least decay of v", a.Membrane.Decay.Min, 0},
		{"largest weight", 127 << a.Weight.ExpMax, 254 << (6 + 7)},
		{"cores", int64(c.Fabric.Cores()), 128},
		{"layer delay", int64(c.Fabric.LayerDelay), 1},
	} {
		if x.got != x.want {
			t.Errorf("%s: got %d, want %d", x.what, x.got, x.want)
		}
	}
	if a.Fire.When != fixedpoint.GT || a.Sum.Overflow != fixedpoint.Wrap || a.Membrane.Register.Overflow != fixedpoint.SaturateSymmetric {
		t.Errorf("modes: got %+v", a)
	}
	if v, ok := c.Cost.Energy.SynOpPJ.Get(); !ok || v != 35.5 {
		t.Errorf("synop_pj: got %v %v, want 35.5", v, ok)
	}
	if low, high, ok := c.Cost.Energy.SynOpPJ.Range(); !ok || low != 23.6 || high != 35.5 {
		t.Errorf("synop_pj range: got %v..%v, want 23.6..35.5", low, high)
	}
	if low, high, ok := c.Cost.Energy.SpikeOutPJ.Range(); !ok || low != 69.3 || high != 69.3 {
		t.Errorf("spike_out_pj range: got %v..%v, want 69.3 twice", low, high)
	}
	for tiles, want := range map[int]float64{0: 600, 1: 600, 2: 1000, 3: 1000, 4: 1400, 28: 1400, 29: 1800, 32: 1800} {
		if q, ok := c.Cost.Time.BarrierNS.At(tiles); !ok || *q.Value != want || q.Unit != "ns" {
			t.Errorf("barrier of %d tiles: got %v, want %v ns", tiles, q, want)
		}
	}
}

// 800 dense inputs in 1,048,576 bits, in blocks of 64 synapses with 10 header
// bits in 64-bit words: neurons a core, by weight width.
func TestLoihiSynapseMemory(t *testing.T) {
	c := load(t, "loihi").Core
	for bits, want := range map[int]int{8: 142, 7: 142, 6: 190, 5: 215, 4: 256, 3: 320, 2: 443, 1: 640} {
		n := 0
		for {
			need, stored, err := c.SynapseMemory(800, n+1, bits)
			if err != nil {
				t.Fatal(err)
			}
			if bits == 7 && stored != 8 {
				t.Errorf("7 bits: stored in %d, want 8", stored)
			}
			if need > c.SynapseBits {
				break
			}
			n++
		}
		if n != want {
			t.Errorf("%d bits: got %d neurons, want %d", bits, n, want)
		}
	}
}

func TestSynapseMemory(t *testing.T) {
	toy, generic := load(t, "toy").Core, load(t, "generic").Core
	for _, x := range []struct {
		core                   Core
		axons, neurons, weight int
		want                   int64
		stored                 int
	}{
		{toy, 1, 8, 4, 48, 4}, // worked in toy.yaml
		{toy, 10, 8, 4, 480, 4},
		{toy, 16, 5, 4, 512, 4},
		{toy, 16, 1, 1, 128, 2},
		{toy, 0, 8, 4, 0, 4},
		{toy, 16, 0, 4, 0, 4},
		{generic, 1024, 256, 8, 1024 * 256 * 8, 8},
		{generic, 1024, 256, 5, 1024 * 256 * 8, 8},
		{generic, 3, 5, 3, 60, 4},
		{generic, maxShape, maxShape, 8, 1 << 51, 8},
	} {
		got, stored, err := x.core.SynapseMemory(x.axons, x.neurons, x.weight)
		if err != nil || got != x.want || stored != x.stored {
			t.Errorf("%d x %d x %d: got %d bits stored in %d, %v; want %d in %d", x.axons, x.neurons, x.weight, got, stored, err, x.want, x.stored)
		}
	}
	for _, x := range [][3]int{{1, 1, 0}, {1, 1, -1}, {1, 1, 9}, {-1, 1, 8}, {1, -1, 8}, {maxShape + 1, 1, 8}, {1, maxShape + 1, 8}} {
		if got, _, err := generic.SynapseMemory(x[0], x[1], x[2]); err == nil {
			t.Errorf("%v: got %d bits, want an error", x, got)
		}
	}
}

func TestFabric(t *testing.T) {
	f := load(t, "loihi").Fabric // 8 x 4 tiles of 4
	for _, x := range []struct {
		core CoreID
		tile TileID
		x, y int
	}{{0, 0, 0, 0}, {3, 0, 0, 0}, {4, 1, 1, 0}, {31, 7, 7, 0}, {32, 8, 0, 1}, {127, 31, 7, 3}} {
		px, py := f.Position(x.core)
		if f.Tile(x.core) != x.tile || px != x.x || py != x.y {
			t.Errorf("core %d: got tile %d at %d,%d, want %d at %d,%d", x.core, f.Tile(x.core), px, py, x.tile, x.x, x.y)
		}
	}
	if dx, dy := f.Hops(0, 127); dx != 7 || dy != 3 {
		t.Errorf("hops 0 to 127: got %d,%d, want 7,3", dx, dy)
	}
	if dx, dy := f.Hops(4, 7); dx != 0 || dy != 0 {
		t.Errorf("hops within a tile: got %d,%d, want 0,0", dx, dy)
	}
	two := Fabric{Width: 2, Height: 2, CoresPerTile: 1, Chips: 2}
	if x, y := two.Position(7); x != 3 || y != 1 || two.Tiles() != 8 {
		t.Errorf("last core of the second chip: got %d,%d, want 3,1", x, y)
	}
	// Hops is a metric, and between direct neighbours it is one link.
	toy := load(t, "toy").Fabric
	for a := range CoreID(toy.Cores()) {
		for b := range CoreID(toy.Cores()) {
			dx, dy := toy.Hops(a, b)
			ex, ey := toy.Hops(b, a)
			if dx != ex || dy != ey || (dx+dy == 0) != (toy.Tile(a) == toy.Tile(b)) {
				t.Fatalf("hops %d to %d: got %d,%d there and %d,%d back", a, b, dx, dy, ex, ey)
			}
		}
	}
	for _, c := range []CoreID{-1, 128} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("core %d: got a tile, want a panic", c)
				}
			}()
			f.Tile(c)
		}()
	}
}

func TestText(t *testing.T) {
	for _, n := range Names() {
		c := load(t, n)
		var out bytes.Buffer
		if err := c.WriteText(&out); err != nil {
			t.Fatal(err)
		}
		s := out.String()
		for _, q := range c.Cost.Quantities() {
			if !strings.Contains(s, "  "+q.Name+" ") {
				t.Errorf("%s: got no line for %s", n, q.Name)
			}
		}
		for key := range c.Sources {
			if !strings.Contains(s, "  ["+key+"] ") {
				t.Errorf("%s: got no line for source %s", n, key)
			}
		}
		if bad := regexp.MustCompile(`(?m) $|invalid|%!|\t|<nil>`).FindString(s); bad != "" {
			t.Errorf("%s: got %q in the text", n, bad)
		}
	}
	var out bytes.Buffer
	load(t, "loihi").WriteText(&out)
	for _, want := range []string{
		"membrane v    s24 saturate_symmetric, decay x*(4096-d)/4096 rounded toward_zero, d 0..4095\n",
		"energy.synop_pj                  35.5 pJ  23.6..35.5  derived [sanafe] loihi_dense_synapse",
		"energy.static_mw                 unknown              no public figure",
		"time.barrier_ns, from 1 tile ",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("loihi: got no %q in\n%s", want, out.String())
		}
	}
}

func TestJSON(t *testing.T) {
	for _, n := range Names() {
		c := load(t, n)
		text, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		var back Chip
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatal(err)
		}
		if err := back.Validate(); err != nil {
			t.Errorf("%s: read back: %v", n, err)
		}
		again, err := json.Marshal(&back)
		if err != nil || !bytes.Equal(text, again) {
			t.Errorf("%s: got other JSON the second time: %v", n, err)
		}
	}
	text, _ := json.Marshal(load(t, "toy").Cost.Energy.SynOpPJ)
	if want := `{"value":1,"low":0.5,"high":2,"unit":"pJ","basis":"assumed"}`; string(text) != want {
		t.Errorf("got %s, want %s", text, want)
	}
}

// TestKnown: what a null in a file means for those who need the number.
func TestKnown(t *testing.T) {
	for _, x := range []struct {
		chip string
		keys []string
		want string // "" if known
	}{
		{"loihi", nil, ""},
		{"tinyodin", nil, ""},
		{"loihi2", []string{"arithmetic", "neurons"}, ""},
		{"loihi2", []string{"axons_out"}, "target loihi2: core.axons_out is not known: not public for a core"},
		{"truenorth", []string{"neurons", "synapse_bits"}, ""},
		{"truenorth", nil, "target truenorth: arithmetic is not known: the widths of membrane and thresholds are in no source that could be opened, and simulators disagree (one clamps at +-393216); use ranc"},
	} {
		err := load(t, x.chip).Known(x.keys...)
		switch {
		case err == nil && x.want == "":
		case err == nil || err.Error() != x.want || !errors.Is(err, ErrUnknown):
			t.Errorf("%s %v: got %v, want %s", x.chip, x.keys, err, x.want)
		}
	}
	if err := load(t, "spinnaker").Known(); len(strings.Split(err.Error(), "\n")) != 3 {
		t.Errorf("spinnaker: got %v, want three unknown parts", err)
	}
}

// TestDatapaths holds the arithmetic of each shipped chip to the ends of its
// registers and parameters, as its source states them.
func TestDatapaths(t *testing.T) {
	for _, x := range []struct {
		chip                           string
		lowV, highV, lowW, highW, most int64 // most: the highest threshold that can be passed
		overflow                       fixedpoint.Overflow
		leak                           fixedpoint.Leak
		update                         fixedpoint.Update
		when                           fixedpoint.Compare
	}{
		{"tinyodin", -2048, 2047, -8, 7, 2047, fixedpoint.Saturate, fixedpoint.Leak{Kind: fixedpoint.LeakToZero, Max: 127}, fixedpoint.PerTick, fixedpoint.GE},
		{"tinyodin-event", -2048, 2047, -8, 7, 2047, fixedpoint.Saturate, fixedpoint.Leak{Kind: fixedpoint.LeakToZero, Max: 127}, fixedpoint.PerEvent, fixedpoint.GE},
		{"odin", 0, 255, -7, 7, 254, fixedpoint.Saturate, fixedpoint.Leak{Kind: fixedpoint.LeakToZero, Max: 127}, fixedpoint.PerTick, fixedpoint.GE},
		{"odin-event", 0, 255, -7, 7, 254, fixedpoint.Saturate, fixedpoint.Leak{Kind: fixedpoint.LeakToZero, Max: 127}, fixedpoint.PerEvent, fixedpoint.GE},
		{"ranc", -256, 255, -8, 7, 255, fixedpoint.Wrap, fixedpoint.Leak{Kind: fixedpoint.LeakConstant, Min: -256, Max: 255}, fixedpoint.PerTick, fixedpoint.GE},
		{"ranc-w8", -32768, 32767, -128, 127, 32767, fixedpoint.Wrap, fixedpoint.Leak{Kind: fixedpoint.LeakConstant, Min: -256, Max: 255}, fixedpoint.PerTick, fixedpoint.GE},
		{"paicore", -1 << 29, 1<<29 - 1, -128, 127, 1<<29 - 1, fixedpoint.Wrap, fixedpoint.Leak{Kind: fixedpoint.LeakConstant, Min: -1 << 29, Max: 1<<29 - 1}, fixedpoint.PerTick, fixedpoint.GE},
		{"loihi", 1 - 1<<23, 1<<23 - 1, -128, 127, 1<<23 - 64, fixedpoint.SaturateSymmetric, fixedpoint.Leak{}, fixedpoint.PerTick, fixedpoint.GT},
		{"spinnaker", -1 << 31, 1<<31 - 1, -32768, 32767, 1<<31 - 1, fixedpoint.Wrap, fixedpoint.Leak{}, fixedpoint.PerTick, fixedpoint.GE},
		{"loihi2", 1 - 1<<23, 1<<23 - 1, -128, 127, 1<<23 - 64, fixedpoint.SaturateSymmetric, fixedpoint.Leak{}, fixedpoint.PerTick, fixedpoint.GT},
	} {
		a := load(t, x.chip).Arithmetic
		r := a.Membrane.Register
		lowW, highW := a.Weight.Range(a.Weight.Bits)
		if r.Min() != x.lowV || r.Max() != x.highV || r.Overflow != x.overflow || lowW != x.lowW || highW != x.highW ||
			a.HighestThreshold() != x.most || a.Membrane.Leak != x.leak || a.Update != x.update || a.Fire.When != x.when {
			t.Errorf("%s: got %d..%d %s, weights %d..%d, threshold %d, %+v, %s, %s", x.chip, r.Min(), r.Max(), r.Overflow, lowW, highW, a.HighestThreshold(), a.Membrane.Leak, a.Update, a.Fire.When)
		}
		if _, err := a.Neutral(a.Fire.Resets[0]); err != nil {
			t.Errorf("%s: %v", x.chip, err)
		}
	}
}
