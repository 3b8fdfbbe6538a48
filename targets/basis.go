package targets

import (
	"fmt"
	"strings"
)

// Basis is how a number came to be known.
type Basis uint8

const (
	NoBasis   Basis = iota // beside a null only
	Published              // stated by a paper, a vendor or public source code that does not say more
	Measured               // on silicon
	Simulated              // from a circuit or pre-silicon simulation
	Derived                // computed from, or fitted to, other numbers
	Assumed                // chosen by us
)

var basisNames = []string{"", "published", "measured", "simulated", "derived", "assumed"}

func (b Basis) String() string {
	if int(b) >= len(basisNames) {
		return fmt.Sprintf("invalid(%d)", b)
	}
	return basisNames[b]
}

// MarshalText writes the name.
func (b Basis) MarshalText() ([]byte, error) {
	if int(b) >= len(basisNames) {
		return nil, fmt.Errorf("got %d, want one of %s", b, strings.Join(basisNames[1:], ", "))
	}
	return []byte(basisNames[b]), nil
}

// UnmarshalText reads a name; there is none for NoBasis.
func (b *Basis) UnmarshalText(text []byte) error {
	for i, n := range basisNames {
		if i > 0 && n == string(text) {
			*b = Basis(i)
			return nil
		}
	}
	return fmt.Errorf("got %q, want one of %s", text, strings.Join(basisNames[1:], ", "))
}
