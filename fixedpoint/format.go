package fixedpoint

import (
	"fmt"
	"strconv"
)

// MaxBits is the widest register the primitives accept. Products with a decay
// factor of up to 2^16 and the sum of two registers then stay inside int64.
const MaxBits = 40

// Format is the set of integers that a field can hold: raw = mantissa × 2^Exp
// with a mantissa of Bits bits, two's complement if Signed.
type Format struct {
	Bits   int  `json:"bits"`
	Signed bool `json:"signed"`
	Exp    int  `json:"exp"`
}

// Min is the smallest raw value, −2^(Bits−1+Exp) if signed, else 0.
func (f Format) Min() int64 {
	if !f.Signed {
		return 0
	}
	return -(int64(1) << (f.Bits - 1 + f.Exp))
}

// Max is the largest raw value, (2^(Bits−1) − 1)·2^Exp if signed, else
// (2^Bits − 1)·2^Exp.
func (f Format) Max() int64 {
	n := f.Bits
	if f.Signed {
		n--
	}
	return (int64(1)<<n - 1) << f.Exp
}

// Contains says whether raw is a value of f: in range and a multiple of 2^Exp.
func (f Format) Contains(raw int64) bool {
	return raw >= f.Min() && raw <= f.Max() && raw&(int64(1)<<f.Exp-1) == 0
}

// String writes f as s8, u12 or, with an exponent, u17e6.
func (f Format) String() string {
	s := "u"
	if f.Signed {
		s = "s"
	}
	s += strconv.Itoa(f.Bits)
	if f.Exp != 0 {
		s += "e" + strconv.Itoa(f.Exp)
	}
	return s
}

// ParseFormat reads what String writes.
func ParseFormat(s string) (Format, error) {
	bad := func() (Format, error) {
		return Format{}, fmt.Errorf("format: got %q, want s or u, bits, and optionally e and an exponent, such as s8 or u17e6", s)
	}
	if s == "" || s[0] != 's' && s[0] != 'u' {
		return bad()
	}
	f := Format{Signed: s[0] == 's'}
	rest, exp := s[1:], ""
	for i := range len(rest) {
		if rest[i] == 'e' {
			rest, exp = rest[:i], rest[i+1:]
			if exp == "" {
				return bad()
			}
			break
		}
	}
	var err error
	if f.Bits, err = strconv.Atoi(rest); err != nil {
		return bad()
	}
	if exp != "" {
		if f.Exp, err = strconv.Atoi(exp); err != nil {
			return bad()
		}
	}
	if f.String() != s {
		return bad()
	}
	return f, f.Validate()
}

// Validate checks 1 ≤ Bits (2 ≤ Bits if signed), 0 ≤ Exp and Bits+Exp ≤ MaxBits.
func (f Format) Validate() error {
	least := 1
	if f.Signed {
		least = 2
	}
	if f.Bits < least || f.Bits > MaxBits {
		return fmt.Errorf("bits: got %d, want %d..%d", f.Bits, least, MaxBits)
	}
	if f.Exp < 0 || f.Bits+f.Exp > MaxBits {
		return fmt.Errorf("exp: got %d, want 0..%d", f.Exp, MaxBits-f.Bits)
	}
	return nil
}

// SignedBits is the width of the narrowest signed register that holds both lo
// and hi.
func SignedBits(lo, hi int64) int {
	n := 2
	for lo < -(int64(1)<<(n-1)) || hi > int64(1)<<(n-1)-1 {
		n++
	}
	return n
}
