//go:build !linux

package artefact

import "os"

func mapContent(*os.File, int64) ([]byte, bool) { return nil, false }
func unmap([]byte)                              {}
func forget([]byte)                             {}
