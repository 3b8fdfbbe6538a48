package fixedpoint_test

import (
	"strings"
	"testing"

	"glsnn/fixedpoint"
)

// TestFormatEveryValue checks Min, Max and Contains against the values that
// the definition lists: mantissa × 2^Exp.
func TestFormatEveryValue(t *testing.T) {
	for bits := 2; bits <= 6; bits++ {
		for exp := 0; exp <= 3; exp++ {
			for _, signed := range []bool{false, true} {
				f := fixedpoint.Format{Bits: bits, Signed: signed, Exp: exp}
				lo, hi := limits(bits, signed)
				in := map[int64]bool{}
				for m := lo.Int64(); m <= hi.Int64(); m++ {
					in[m*pow2(exp).Int64()] = true
				}
				for x := int64(-600); x <= 600; x++ {
					if got := f.Contains(x); got != in[x] {
						t.Fatalf("%v contains %d: got %v", f, x, got)
					}
				}
				if !in[f.Min()] || in[f.Min()-1<<exp] || !in[f.Max()] || in[f.Max()+1<<exp] {
					t.Errorf("%v: got range %d..%d", f, f.Min(), f.Max())
				}
			}
		}
	}
	f := fixedpoint.Format{Bits: 40, Signed: true}
	if f.Min() != -1<<39 || f.Max() != 1<<39-1 {
		t.Errorf("s40: got range %d..%d", f.Min(), f.Max())
	}
	f = fixedpoint.Format{Bits: 17, Exp: 23}
	if f.Min() != 0 || f.Max() != (1<<17-1)<<23 {
		t.Errorf("u17e23: got range %d..%d", f.Min(), f.Max())
	}
}

func TestFormatThereAndBack(t *testing.T) {
	n := 0
	for bits := 1; bits <= fixedpoint.MaxBits; bits++ {
		for exp := 0; bits+exp <= fixedpoint.MaxBits; exp++ {
			for _, signed := range []bool{false, true} {
				f := fixedpoint.Format{Bits: bits, Signed: signed, Exp: exp}
				if f.Validate() != nil {
					continue
				}
				n++
				if got, err := fixedpoint.ParseFormat(f.String()); err != nil || got != f {
					t.Errorf("%v: got %v, %v", f, got, err)
				}
			}
		}
	}
	if n != 820+780 { // 40·41/2 unsigned, one row of 40 fewer signed
		t.Errorf("got %d formats, want 1600", n)
	}
}

func TestParseFormatRefuses(t *testing.T) {
	for s, want := range map[string]string{
		"":                             `format: got "", want s or u, bits, and optionally e and an exponent, such as s8 or u17e6`,
		"x8":                           "want s or u",
		"s":                            "want s or u",
		"s08":                          "want s or u",
		"s+8":                          "want s or u",
		"u8e":                          "want s or u",
		"u8e0":                         "want s or u",
		"u8e1e1":                       "want s or u",
		"u8 ":                          "want s or u",
		"s1":                           "bits: got 1, want 2..40",
		"u0":                           "bits: got 0, want 1..40",
		"u41":                          "bits: got 41, want 1..40",
		"u40e1":                        "exp: got 1, want 0..0",
		"s8e-1":                        "exp: got -1, want 0..32",
		"s17e24":                       "exp: got 24, want 0..23",
		"u9" + strings.Repeat("9", 30): "want s or u",
	} {
		if _, err := fixedpoint.ParseFormat(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", s, err, want)
		}
	}
}

func FuzzParseFormat(f *testing.F) {
	for _, s := range []string{"s8", "u17e6", "u12", "s2e38", "s1", "u8e", "e", "u41"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := fixedpoint.ParseFormat(s)
		if err != nil {
			return
		}
		if got.Validate() != nil || got.String() != s {
			t.Errorf("%q: accepted as %+v, which writes %q", s, got, got.String())
		}
		if got.Min() > 0 || got.Max() < 1 || !got.Contains(got.Max()) || !got.Contains(got.Min()) {
			t.Errorf("%q: range %d..%d", s, got.Min(), got.Max())
		}
	})
}

func TestSignedBits(t *testing.T) {
	for lo := int64(-70); lo <= 70; lo++ {
		for hi := lo; hi <= 70; hi++ {
			n := fixedpoint.SignedBits(lo, hi)
			for bits := 2; bits <= 9; bits++ {
				l, h := limits(bits, true)
				if fits := lo >= l.Int64() && hi <= h.Int64(); fits != (bits >= n) {
					t.Fatalf("%d..%d: got %d bits, and %d bits fit: %v", lo, hi, n, bits, fits)
				}
			}
			if got := (fixedpoint.Interval{Lo: lo, Hi: hi}).Bits(); got != n {
				t.Fatalf("Interval %d..%d: got %d bits, want %d", lo, hi, got, n)
			}
		}
	}
	for _, c := range []struct {
		lo, hi int64
		want   int
	}{{0, 1<<39 - 1, 40}, {0, 1 << 39, 41}, {-1 << 39, 0, 40}, {-1<<39 - 1, 0, 41}, {-1 << 63, 1<<63 - 1, 64}} {
		if got := fixedpoint.SignedBits(c.lo, c.hi); got != c.want {
			t.Errorf("%d..%d: got %d, want %d", c.lo, c.hi, got, c.want)
		}
	}
}

func TestRegisterHolds(t *testing.T) {
	registers(3, 5, func(r fixedpoint.Register) {
		l, h := registerLimits(r)
		for lo := int64(-40); lo <= 40; lo++ {
			for hi := lo; hi <= 40; hi++ {
				if got, want := r.Holds(lo, hi), lo >= l.Int64() && hi <= h.Int64(); got != want {
					t.Fatalf("%+v holds %d..%d: got %v", r, lo, hi, got)
				}
			}
		}
	})
}
