//go:build !linux

package simd

func hugePages([]uint64) {}
