package fixedpoint

// Overflow says what a register does with a value that it cannot hold.
// Saturating and wrapping are two different losses and are counted alike, as
// one event each.
type Overflow uint8

const (
	Saturate Overflow = iota // clip to Min or Max
	Wrap                     // keep the low Bits bits
	// SaturateSymmetric clips to −Max or Max: a register whose lowest value is
	// never used, such as a membrane with limits ±(2^23 − 1). Signed only.
	SaturateSymmetric
)

var overflowNames = []string{"saturate", "wrap", "saturate_symmetric"}

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

// Format is the register's width and sign. Min and Max are its limits.
func (r Register) Format() Format { return Format{Bits: r.Bits, Signed: r.Signed} }

// Min is the smallest value of r: that of its Format, or −Max where it
// saturates symmetrically.
func (r Register) Min() int64 {
	if r.Overflow == SaturateSymmetric && r.Signed {
		return -r.Max()
	}
	return r.Format().Min()
}

// Max is the largest value of r.
func (r Register) Max() int64 { return r.Format().Max() }

// Holds says whether every value of lo..hi fits r.
func (r Register) Holds(lo, hi int64) bool { return lo >= r.Min() && hi <= r.Max() }
