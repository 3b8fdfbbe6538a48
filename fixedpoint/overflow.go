package fixedpoint

// Overflow says what a register does with a value that it cannot hold.
// Saturating and wrapping are two different losses and are counted alike, as
// one event each.
type Overflow uint8

const (
	Saturate Overflow = iota // clip to Min or Max
	Wrap                     // keep the low Bits bits
)

var overflowNames = []string{"saturate", "wrap"}

func (o Overflow) String() string                { return enumString(o, overflowNames) }
func (o Overflow) MarshalText() ([]byte, error)  { return enumText(o, overflowNames) }
func (o *Overflow) UnmarshalText(b []byte) error { return enumParse(o, b, overflowNames) }

// Register is a state or accumulator of a chip: its width and what happens at
// the edge. Its exponent is always 0: raw values are what the chip holds.
type Register struct {
	Bits     int      `json:"bits"`
	Signed   bool     `json:"signed"`
	Overflow Overflow `json:"overflow"`
}

// Format is the register's set of values.
func (r Register) Format() Format { return Format{Bits: r.Bits, Signed: r.Signed} }

// Holds says whether every value of lo..hi fits r.
func (r Register) Holds(lo, hi int64) bool {
	f := r.Format()
	return lo >= f.Min() && hi <= f.Max()
}
