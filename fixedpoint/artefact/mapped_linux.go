package artefact

import (
	"os"
	"syscall"
	"unsafe"
)

// mapContent is the file's content, or ok is false where it has to be read.
func mapContent(f *os.File, size int64) (data []byte, ok bool) {
	if int64(int(size)) != size {
		return nil, false
	}
	data, err := syscall.Mmap(int(f.Fd()), 0, int(size), syscall.PROT_READ, syscall.MAP_PRIVATE)
	return data, err == nil
}

func unmap(data []byte) { _ = syscall.Munmap(data) }

// forget gives back the pages that lie wholly in b.
func forget(b []byte) {
	page := uintptr(os.Getpagesize())
	start := uintptr(unsafe.Pointer(unsafe.SliceData(b)))
	skip := -start & (page - 1)
	if n := uintptr(len(b)); n >= skip+page {
		_ = syscall.Madvise(b[skip:skip+(n-skip)&^(page-1)], syscall.MADV_DONTNEED) // advice: it may fail
	}
}
