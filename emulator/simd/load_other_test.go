//go:build !amd64

package simd

func loadRows(r *Rows, rows []int32) {}
