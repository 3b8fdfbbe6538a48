package simd

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// hugePages asks for large pages under w, which has not been touched yet: rows far
// apart then cost no look-up of a page each. It is advice, and may do nothing.
func hugePages(w []uint64) {
	const page = 2 << 20
	b := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(w))), 8*len(w))
	skip := int(-uintptr(unsafe.Pointer(unsafe.SliceData(b))) % page)
	if n := (len(b) - skip) / page * page; n > 0 {
		_ = unix.Madvise(b[skip:][:n], unix.MADV_HUGEPAGE)
	}
}
