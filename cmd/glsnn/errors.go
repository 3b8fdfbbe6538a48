package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"glsnn/emulator"
	"glsnn/emulator/learn/course"
	"glsnn/export"
	"glsnn/export/table"
	"glsnn/fixedpoint/artefact"
	"glsnn/float"
	"glsnn/float/dataset"
	"glsnn/targets"
)

// Exit codes.
const (
	exitOK          = 0
	exitFailed      = 1   // the world outside: a missing file, a full disk, training that diverged
	exitUsage       = 2   // the call is wrong: flags, a target's YAML, a file of another kind
	exitGate        = 3   // an accuracy gate was not met
	exitNoFit       = 4   // the target cannot hold or express the network
	exitMismatch    = 5   // two things that must be the same bits are not
	exitCorrupt     = 6   // a file is damaged, or of a version that this program does not read
	exitInterrupted = 130 // by a signal
)

// codeError is an error with the exit code that it deserves.
type codeError struct {
	error
	code int
}

func (e *codeError) Unwrap() error { return e.error }

func withCode(code int, err error) error { return &codeError{err, code} }

// usage is a mistake in the call.
func usage(format string, args ...any) error {
	return withCode(exitUsage, fmt.Errorf(format, args...))
}

func exitCode(err error) int {
	var code *codeError
	var fault *targets.FieldError
	var diff *emulator.Mismatch
	var tableErr *table.Error
	var dataErr *dataset.FieldError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, course.ErrDiffer):
		return exitMismatch
	case errors.Is(err, float.ErrInterrupted), errors.Is(err, course.ErrInterrupted), errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &code):
		return code.code
	case errors.Is(err, targets.ErrUnknownChip), errors.As(err, &fault), errors.Is(err, artefact.ErrKind):
		return exitUsage
	case errors.Is(err, export.ErrNoFit), errors.Is(err, targets.ErrUnknown):
		return exitNoFit
	case errors.As(err, &diff):
		return exitMismatch
	case errors.Is(err, artefact.ErrCorrupt), errors.Is(err, artefact.ErrVersion), errors.Is(err, artefact.ErrNonFinite),
		errors.As(err, &tableErr), errors.As(err, &dataErr):
		return exitCorrupt
	}
	return exitFailed
}

// fileFault words what a loader says of the file at path, which flag names and
// command maker makes.
func fileFault(err error, path, flag, maker string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: no such file; '%s' makes it, %s names another", path, maker, flag)
	case isDir(path):
		return usage("%s %s: got a directory, want a file that '%s' wrote", flag, path, maker)
	}
	return damaged(err)
}

// damaged gives the error of a file that was read its exit code: what is neither
// the system's fault nor of a kind with a code of its own lies in the bytes.
func damaged(err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) || exitCode(err) != exitFailed {
		return err
	}
	return withCode(exitCorrupt, err)
}

func isDir(path string) bool {
	s, err := os.Stat(path)
	return err == nil && s.IsDir()
}

// plainField is a configuration's field as its Validate names it: "rate_decay".
var plainField = regexp.MustCompile(`(?m)^[a-z_]+: `)

// asFlags makes a usage error of what a configuration's Validate says, with the
// flags' names in place of the fields'.
func asFlags(err error) error {
	if err == nil {
		return nil
	}
	return withCode(exitUsage, errors.New(plainField.ReplaceAllStringFunc(err.Error(), func(field string) string {
		return "--" + strings.ReplaceAll(strings.Replace(field, "optimiser", "optimizer", 1), "_", "-")
	})))
}

// flagFault words a fault that pflag found.
func flagFault(cmd *cobra.Command, err error) error {
	if cmd.HasSubCommands() && cmd.Flags().NArg() > 0 { // it is not this command's flag
		return unknownCommand(cmd, cmd.Flags().Arg(0))
	}
	var value *pflag.InvalidValueError
	var unknown *pflag.NotExistError
	switch {
	case errors.As(err, &value):
		want := map[string]string{
			"int": "a whole number", "uint64": "a whole number from 0", "float64": "a number", "bool": "true or false", "duration": "a time such as 100ms or 2s",
		}[value.GetFlag().Value.Type()]
		return usage("--%s: got %q, want %s", value.GetFlag().Name, value.GetValue(), want)
	case errors.As(err, &unknown):
		return usage("%w; '%s --help' lists the flags", err, cmd.CommandPath())
	}
	return withCode(exitUsage, err)
}

// unknownCommand is the error of a subcommand that cmd does not have.
func unknownCommand(cmd *cobra.Command, name string) error {
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	meant := ""
	cmd.SuggestionsMinimumDistance = 2
	if s := cmd.SuggestionsFor(name); len(s) > 0 {
		meant = fmt.Sprintf("; '%s %s' perhaps", cmd.CommandPath(), s[0])
	}
	return usage("%sunknown command: got %q, want one of %s%s", where(cmd), name, strings.Join(names, ", "), meant)
}

// where is the command's name before a message, less the program's.
func where(cmd *cobra.Command) string {
	if !cmd.HasParent() {
		return ""
	}
	return strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ") + ": "
}

// wantArgs is the check of a command whose arguments are what, such as "NAME".
func wantArgs(atLeast, atMost int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < atLeast || len(args) > atMost {
			return usage("%sgot %d arguments, want %s", where(cmd), len(args), what)
		}
		return nil
	}
}

// checkArgs gives c and the commands below it their check of arguments, where
// they have none: cobra's own let some mistakes pass and exit with 1.
func checkArgs(c *cobra.Command) {
	for _, sub := range c.Commands() {
		checkArgs(sub)
	}
	if c.Args != nil {
		return
	}
	c.Args = func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return nil
		case cmd.HasSubCommands():
			return unknownCommand(cmd, args[0])
		}
		return usage("%sgot argument %q, want flags only", where(cmd), args[0])
	}
}
