package fixedpoint_test

import (
	"encoding"
	"fmt"
	"testing"

	"glsnn/fixedpoint"
)

type enum interface {
	~uint8
	fmt.Stringer
	encoding.TextMarshaler
}

// checkEnum holds the names to the constants: each there and back, the first
// value past them refused, and an unknown name refused without a change.
func checkEnum[E enum, P interface {
	*E
	encoding.TextUnmarshaler
}](t *testing.T, names ...string) {
	t.Helper()
	for i, name := range names {
		e := E(i)
		text, err := e.MarshalText()
		if err != nil || string(text) != name || e.String() != name {
			t.Errorf("%T(%d): got %q, %q, %v, want %q", e, i, text, e.String(), err, name)
		}
		back := E(99)
		if err := P(&back).UnmarshalText(text); err != nil || back != e {
			t.Errorf("%T %q: got %v, %v", e, text, back, err)
		}
	}
	past := E(len(names))
	if _, err := past.MarshalText(); err == nil {
		t.Errorf("%T(%d): marshalled", past, past)
	}
	if got, want := past.String(), fmt.Sprintf("invalid(%d)", len(names)); got != want {
		t.Errorf("%T: got %q, want %q", past, got, want)
	}
	for _, bad := range []string{"", "x", names[0] + " "} {
		e := E(0)
		if err := P(&e).UnmarshalText([]byte(bad)); err == nil || e != 0 {
			t.Errorf("%T %q: got %v, %v", e, bad, e, err)
		}
	}
}

func TestEnums(t *testing.T) {
	checkEnum[fixedpoint.RoundMode](t, "toward_zero", "floor", "nearest_even", "half_away", "half_up")
	checkEnum[fixedpoint.Overflow](t, "saturate", "wrap", "saturate_symmetric")
	checkEnum[fixedpoint.DecayKind](t, "none", "multiply", "shift", "shift_min_one", "toward_input")
	checkEnum[fixedpoint.Compare](t, "gt", "ge")
	checkEnum[fixedpoint.Reset](t, "zero", "subtract", "value", "none")
	checkEnum[fixedpoint.NegReset](t, "saturate", "value", "subtract", "none")
	checkEnum[fixedpoint.Below](t, "none", "lt", "le")
	checkEnum[fixedpoint.LeakKind](t, "none", "toward_zero", "constant")
	checkEnum[fixedpoint.Place](t, "before_integrate", "after_integrate", "after_test")
	checkEnum[fixedpoint.Update](t, "per_tick", "per_event")
	checkEnum[fixedpoint.Integrate](t, "sum", "membrane", "split")
	checkEnum[fixedpoint.WeightKind](t, "integer", "sign_by_axon", "types", "mixed_sign_lsb")
	checkEnum[fixedpoint.Readout](t, "membrane", "count")
	if n := len(fixedpoint.RoundModes()); n != 5 {
		t.Errorf("RoundModes: got %d", n)
	}
	var r fixedpoint.RoundMode
	err := r.UnmarshalText([]byte("up"))
	if want := `got "up", want one of toward_zero, floor, nearest_even, half_away, half_up`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
