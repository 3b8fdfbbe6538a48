package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"glsnn/float/dataset"
)

func newData(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "data",
		Short:   "List data sets, or fetch one",
		Example: "  glsnn data list\n  glsnn data fetch mnist\n  glsnn data fetch mnist --from ~/downloads",
		RunE:    func(*cobra.Command, []string) error { return a.listData() },
	}
	var opt dataset.FetchOptions
	fetch := &cobra.Command{
		Use:   "fetch NAME",
		Short: "Download a data set into the user's cache, or copy it from a folder",
		Long: `Download a data set into the user's cache, or with --from copy it from a folder,
and check it against the published hashes: the sha256 of the official files, or
for files that were packed again the MD5 of what they unpack to.`,
		Example: "  glsnn data fetch mnist\n  glsnn data fetch fashion-mnist --from ~/downloads",
		Args:    wantArgs(1, 1, "one NAME of 'glsnn data list'"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var m *meter
			file := ""
			opt.Progress = func(name string, done, total int64) {
				if name != file {
					m.clear()
					file, m = name, a.meter(name, "bytes", int(total), 0)
				}
				m.at(int(done))
			}
			if !isDataName(args[0]) || strings.HasPrefix(args[0], "digits") { // Fetch says which there are
				return withCode(exitUsage, dataset.Fetch(cmd.Context(), args[0], opt))
			}
			err := dataset.Fetch(cmd.Context(), args[0], opt)
			m.clear()
			if err != nil {
				return err
			}
			a.say("%s is in place", args[0])
			return nil
		},
	}
	fetch.Flags().StringVar(&opt.From, "from", "", "copy from this folder instead of the network")
	fetch.Flags().StringVar(&opt.Dest, "dest", "", "folder to put the files in (default: the user's cache)")
	cmd.AddCommand(&cobra.Command{
		Use: "list", Short: "List the data sets and where they are", Example: "  glsnn data list --output json",
		RunE: func(*cobra.Command, []string) error { return a.listData() },
	}, fetch)
	return cmd
}

func (a *app) listData() error {
	type row struct {
		Name        string `json:"name"`
		Train       int    `json:"train"`
		Test        int    `json:"test"`
		Rows        int    `json:"rows"`
		Cols        int    `json:"cols"`
		Available   bool   `json:"available"`
		Where       string `json:"where"`
		Description string `json:"description"`
	}
	var rows []row
	for _, i := range dataset.Names() {
		where := i.Where
		switch {
		case i.Generated:
			where = "built in"
		case where == "":
			where = "not found"
		}
		rows = append(rows, row{i.Name, i.Train, i.Test, i.Rows, i.Cols, i.Generated || i.Where != "", where, i.Description})
	}
	return a.result(rows, func(w io.Writer) {
		fmt.Fprintln(w, "name\ttrain\ttest\tsize\twhere\t")
		for _, r := range rows {
			fmt.Fprintf(w, "%s\t%d\t%d\t%dx%d\t%s\t%s\n", r.Name, r.Train, r.Test, r.Rows, r.Cols, r.Where, r.Description)
		}
	})
}
