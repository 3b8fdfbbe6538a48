package main

import (
	"github.com/spf13/cobra"

	"glsnn/targets"
)

// completeWith gives a flag of cmd the words that a shell completes it with.
func completeWith(cmd *cobra.Command, flag string, words ...string) {
	err := cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return words, cobra.ShellCompDirectiveNoFileComp
	})
	if err != nil {
		panic(err) // a flag that is not there, or twice
	}
}

// completeFlags gives the flags that many commands have their words, and all
// others file names, as cobra does.
func completeFlags(c *cobra.Command) {
	for _, sub := range c.Commands() {
		completeFlags(sub)
	}
	for flag, words := range map[string][]string{
		"output": {"text", "json"}, "progress": {"auto", "plain", "none"}, "split": {"train", "test"}, "engine": {"event", "reference", "both"},
	} {
		if c.LocalNonPersistentFlags().Lookup(flag) != nil || c.PersistentFlags().Lookup(flag) != nil {
			completeWith(c, flag, words...)
		}
	}
	if c.LocalNonPersistentFlags().Lookup("target") != nil { // or a YAML file
		_ = c.RegisterFlagCompletionFunc("target", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return targets.Names(), cobra.ShellCompDirectiveDefault
		})
	}
}
