package tier

import "testing"

func TestChosen(t *testing.T) {
	for name, want := range map[string]Tier{"": best, "portable": Portable, "avx512": best, "mmx": best, "avx2": min(AVX2, best)} {
		if got := chosen(name); got != want {
			t.Errorf("%q: got %v, want %v", name, got, want)
		}
	}
}

func TestUse(t *testing.T) {
	for _, x := range All() {
		old := Use(x)
		if Active() != x {
			t.Errorf("got %v, want %v", Active(), x)
		}
		Use(old)
	}
	defer func() {
		if recover() == nil {
			t.Error("a tier that the processor lacks: no panic")
		}
	}()
	Use(best + 1)
}
