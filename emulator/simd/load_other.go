//go:build !amd64

package simd

// Load is the limit of Sum; there is no such loop here.
func (r *Rows) Load(rows []int32) bool { return false }
