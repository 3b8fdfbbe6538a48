package artefact

import (
	"crypto/sha256"
	"encoding/hex"
	"unsafe"
)

// mapFrom is the size from which MapFile maps a file.
const mapFrom = 16 << 20

// MapFile is ReadFile, but where the system can (Linux), a file of 16 MiB or more
// is mapped and not read: its arrays take memory only while they are looked at,
// and give it back when told to (Array.Forget). The mapping stays until the
// process ends, and the file must not be written in place meanwhile. WriteAtomic
// does not, it puts a new file in its place.
func MapFile(path, kind string, maxVersion int) (*Bundle, error) {
	return openFile(path, kind, maxVersion, mapFrom)
}

// each calls f on b piece by piece. Of a mapped file each piece is forgotten
// after it.
func each(b []byte, mapped bool, f func([]byte)) {
	if !mapped {
		f(b)
		return
	}
	const piece = 2 << 20
	for len(b) > 0 {
		n := min(piece, len(b))
		f(b[:n])
		forget(b[:n])
		b = b[n:]
	}
}

func hash(b []byte, mapped bool) string {
	h := sha256.New()
	each(b, mapped, func(p []byte) { h.Write(p) })
	return hex.EncodeToString(h.Sum(nil))
}

// Int8s are the elements of an array of int8, which alias it: nobody may write to
// them. It is an ErrCorrupt if a holds another type.
func (a Array) Int8s() ([]int8, error) {
	if a.DType != Int8 {
		return nil, corrupt(a.file, a.Name+": dtype", string(a.DType), string(Int8))
	}
	return unsafe.Slice((*int8)(unsafe.Pointer(unsafe.SliceData(a.raw))), len(a.raw)), nil
}

// Mapped says whether a lies in a mapped file.
func (a Array) Mapped() bool { return a.mapped }

// Forget says that the elements from to to-1 will not be looked at for a while. If
// they lie in a mapped file, their memory is given back; looking at them later is
// as good as before, but slower.
func (a Array) Forget(from, to int) {
	if size := a.DType.Size(); a.mapped {
		forget(a.raw[from*size : to*size])
	}
}
