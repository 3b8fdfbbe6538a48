package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is the program's own, raised by hand with each release.
const version = "0.1.0"

// tool is the name in manifests. It has no platform in it: integer artefacts
// are the same bytes everywhere.
func tool() string { return "glsnn " + version }

func newVersion(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: "  glsnn version --output json",
		RunE: func(*cobra.Command, []string) error {
			r := struct {
				Version  string `json:"version"`
				Go       string `json:"go"`
				Platform string `json:"platform"`
				Revision string `json:"revision,omitempty"`
			}{Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
			if info, ok := debug.ReadBuildInfo(); ok {
				for _, s := range info.Settings {
					if s.Key == "vcs.revision" {
						r.Revision = s.Value
					}
				}
			}
			return a.result(r, func(w io.Writer) { fmt.Fprintf(w, "glsnn %s\t%s\t%s\n", r.Version, r.Go, r.Platform) })
		},
	}
}
