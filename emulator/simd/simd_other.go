//go:build !amd64

package simd

// Without kernels the tier is always portable, and these are never called.

func sumRows(q []int32, w []uint64, rows []int32, exp int, keep int32) { panic("simd") }
func addRows(acc []int32, w []uint64, rows []int32, exp int, to *Narrow) uint64 {
	panic("simd")
}
func addRows16(acc []int32, w []uint64, rows []int32, p *lanes16) uint64        { panic("simd") }
func limits(x []int32) (least, most int32)                                      { panic("simd") }
func step(p *LIF, q, u, v, count, fired []int32, exp int) (int, uint64, uint64) { panic("simd") }
func stepLeaky(p *Leaky, v, count, fired []int32) (int, uint64)                 { panic("simd") }
func unpack(to, from []uint64)                                                  { panic("simd") }
func pack(to []uint64, from []int8, half bool) (least, most int8)               { panic("simd") }
