//go:build !amd64

package simd

// LoadRows is the limit of AddRows; there is no such loop here.
func LoadRows(n int, w []float32, stride int, rows []int32) bool { return false }

// FMAs is the limit of Packed.Mul; there is no such loop here.
func FMAs(n int) int { return 0 }
