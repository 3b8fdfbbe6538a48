package artefact

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
)

// The three records of [appnote] 4.3 a bundle uses.
const (
	localSig   = "PK\x03\x04" // 4.3.7
	centralSig = "PK\x01\x02" // 4.3.12
	endSig     = "PK\x05\x06" // 4.3.16

	localLen   = 30
	centralLen = 46
	endLen     = 22

	zipVersion = 20   // 2.0, for names with folders
	zipDate    = 0x21 // 1980-01-01, the first day MS-DOS can say
	maxMembers = 1<<16 - 2
)

// zipWriter writes stored members. archive/zip would do today, as a test shows,
// but it promises no bytes from release to release, and these are hashed.
type zipWriter struct {
	w       io.Writer
	off     int64
	n       int
	central []byte
}

// zipFields appends what local and central header have in common: version needed
// to uncompressed size and the two lengths ([appnote] 4.4.3 to 4.4.11).
func zipFields(b []byte, name string, crc uint32, size int64) []byte {
	le := binary.LittleEndian
	b = le.AppendUint16(b, zipVersion)
	b = le.AppendUint16(b, 0) // flags
	b = le.AppendUint16(b, 0) // method: stored
	b = le.AppendUint16(b, 0) // time
	b = le.AppendUint16(b, zipDate)
	b = le.AppendUint32(b, crc)
	b = le.AppendUint32(b, uint32(size)) // compressed
	b = le.AppendUint32(b, uint32(size))
	b = le.AppendUint16(b, uint16(len(name)))
	return le.AppendUint16(b, 0) // extra field
}

// member writes one member that consists of the parts; crc is theirs.
func (z *zipWriter) member(name string, crc uint32, parts ...[]byte) error {
	size := int64(0)
	for _, p := range parts {
		size += int64(len(p))
	}
	le := binary.LittleEndian

	z.central = append(z.central, centralSig...)
	z.central = le.AppendUint16(z.central, zipVersion) // made by, host 0
	z.central = zipFields(z.central, name, crc, size)
	z.central = append(z.central, make([]byte, 10)...) // comment length, disk, attributes
	z.central = le.AppendUint32(z.central, uint32(z.off))
	z.central = append(z.central, name...)
	z.n++

	head := zipFields([]byte(localSig), name, crc, size)
	head = append(head, name...)
	for _, p := range append([][]byte{head}, parts...) {
		n, err := z.w.Write(p)
		z.off += int64(n)
		if err != nil {
			return err
		}
	}
	return nil
}

// close writes the central directory and its end record.
func (z *zipWriter) close() error {
	le := binary.LittleEndian
	end := append([]byte(endSig), 0, 0, 0, 0) // disks
	end = le.AppendUint16(end, uint16(z.n))   // entries on this disk
	end = le.AppendUint16(end, uint16(z.n))
	end = le.AppendUint32(end, uint32(len(z.central)))
	end = le.AppendUint32(end, uint32(z.off))
	end = le.AppendUint16(end, 0) // comment length
	if _, err := z.w.Write(z.central); err != nil {
		return err
	}
	_, err := z.w.Write(end)
	return err
}

// zipOverhead is what a member adds to the file besides its data.
func zipOverhead(name string) int64 { return localLen + centralLen + 2*int64(len(name)) }

type zipEntry struct {
	name string
	data []byte // aliases the file
}

// readZip lists the members, from their local headers, and checks their CRCs
// and the file's length. It does not look at every field: Decode compares the
// whole file with what Encode makes of it.
func readZip(file string, data []byte, mapped bool) ([]zipEntry, error) {
	size := int64(len(data))
	if size > maxSize {
		return nil, corrupt(file, "size", bytesText(size), "less than 4 GiB")
	}
	if !bytes.HasPrefix(data, []byte(localSig)) {
		return nil, corrupt(file, "first bytes", quote(data[:min(4, len(data))]), quote(localSig)+", a glsnn bundle")
	}
	var entries []zipEntry
	off, tail := int64(0), int64(endLen)
	le := binary.LittleEndian
	for bytes.HasPrefix(data[off:], []byte(localSig)) {
		if size-off < localLen {
			return nil, corrupt(file, "size", bytesText(size), "at least "+bytesText(off+localLen))
		}
		h := data[off : off+localLen]
		flags, method := le.Uint16(h[6:]), le.Uint16(h[8:])
		crc, stored, full := le.Uint32(h[14:]), le.Uint32(h[18:]), le.Uint32(h[22:])
		nameEnd := off + localLen + int64(le.Uint16(h[26:]))
		extra := le.Uint16(h[28:])
		if nameEnd > size {
			return nil, corrupt(file, "size", bytesText(size), "at least "+bytesText(nameEnd))
		}
		name := data[off+localLen : nameEnd]
		if off == 0 && string(name) != manifestName {
			return nil, corrupt(file, "first member", quote(name), quote(manifestName)+", a glsnn bundle")
		}
		field := "member " + quote(name) + ": "
		switch {
		case method != 0:
			return nil, corrupt(file, field+"compression method", fmt.Sprint(method), "0 (stored)")
		case flags != 0:
			return nil, corrupt(file, field+"flags", fmt.Sprintf("%#x", flags), "0")
		case extra != 0:
			return nil, corrupt(file, field+"extra field", bytesText(int64(extra)), "0 bytes")
		case stored != full:
			return nil, corrupt(file, field+"compressed size", bytesText(int64(stored)), bytesText(int64(full)))
		case size-nameEnd < int64(full):
			return nil, corrupt(file, field+"data", bytesText(size-nameEnd), bytesText(int64(full)))
		}
		content := data[nameEnd : nameEnd+int64(full)]
		got := uint32(0)
		each(content, mapped, func(part []byte) { got = crc32.Update(got, crc32.IEEETable, part) })
		if got != crc {
			return nil, corrupt(file, field+"crc32", fmt.Sprintf("%08x", got), fmt.Sprintf("%08x", crc))
		}
		entries = append(entries, zipEntry{string(name), content})
		off = nameEnd + int64(full)
		tail += centralLen + int64(len(name))
	}
	if size-off != tail {
		return nil, corrupt(file, "size", bytesText(size), bytesText(off+tail))
	}
	return entries, nil
}
