package fixedpoint

// RoundMode says which neighbour a value between two representable ones goes
// to. Rounding is the first of the two losses; it is never counted.
type RoundMode uint8

const (
	TowardZero  RoundMode = iota // drop the magnitude's low bits
	Floor                        // arithmetic shift: toward minus infinity
	NearestEven                  // nearest, halves to the even neighbour (NumPy, IEEE 754)
	HalfAway                     // nearest, halves away from zero (math.Round)
	HalfUp                       // nearest, halves toward plus infinity (a half is added, then floor)
)

var roundNames = []string{"toward_zero", "floor", "nearest_even", "half_away", "half_up"}

// RoundModes lists every mode in the order of the constants.
func RoundModes() []RoundMode { return []RoundMode{TowardZero, Floor, NearestEven, HalfAway, HalfUp} }

func (m RoundMode) String() string                { return enumString(m, roundNames) }
func (m RoundMode) MarshalText() ([]byte, error)  { return enumText(m, roundNames) }
func (m *RoundMode) UnmarshalText(b []byte) error { return enumParse(m, b, roundNames) }
