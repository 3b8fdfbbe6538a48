// Package artefact reads and writes the project's files: bundles, single npy
// arrays, and directories of output files. It imports the standard library
// only and knows nothing of networks or chips; a package that owns a kind of
// file puts its own checks on top.
//
// # The bundle
//
// A bundle (.glsnn) is a ZIP archive of stored members. manifest.json comes
// first, then one <name>.npy for each array, in the order the writer gave:
//
//	{
//	  "format": "glsnn",
//	  "kind": "network",
//	  "version": 1,
//	  "members": [
//	    {
//	      "name": "layer0/weights.npy",
//	      "dtype": "float32",
//	      "shape": [2, 3],
//	      "bytes": 152,
//	      "sha256": "…"
//	    }
//	  ],
//	  "body_sha256": "…",
//	  "body": { the caller's own JSON object }
//	}
//
// bytes and sha256 are of the whole member, so `unzip` and `sha256sum` check
// them; body_sha256 is of the body without white space ([encoding/json.Compact]).
// numpy.load opens a bundle as an .npz: arrays by name without ".npy", the
// manifest as the bytes of key "manifest.json".
//
// There is exactly one encoding of a bundle. Everything a ZIP writer may choose
// is fixed: method 0 (stored), no flags, no extra fields, no comments, no data
// descriptors, time 1980-01-01 00:00, version 2.0, host 0, no zip64, members
// back to back. The same bundle gives the same bytes on every machine, and a
// reader can re-encode what it read and compare: a bit that differs anywhere,
// headers and central directory included, is found. Hence nothing but this
// package writes a bundle; an archive made by another tool is refused.
//
// # Limits
//
// A bundle has less than 4 GiB and at most 65534 members; an array has at most
// 32 dimensions. A decoder trusts no length it reads: what it allocates is
// bounded by a small multiple of the input's real size.
//
// # Errors
//
// Faults of files are [*FieldError] values of one line, `file: field: got X,
// want Y`, that wrap [ErrCorrupt], [ErrKind], [ErrVersion] or [ErrNonFinite].
// Errors of the operating system are wrapped and named `file: operation: cause`.
// Nothing read from outside makes this package panic; [NewArray] panics when
// our own code passes a shape that does not fit the data.
//
// # Reading order
//
// [Array], [Bundle], [Encode], [Decode]; [WriteAtomic], [WriteDir]; [HashDir],
// [CheckDir].
//
// References: [npy] NumPy, "numpy.lib.format", the .npy file format, version
// 1.0. [appnote] PKWARE, "APPNOTE.TXT - .ZIP File Format Specification", 6.3,
// sections 4.3 (layout) and 4.4 (fields). [rfc8259] JSON.
package artefact
