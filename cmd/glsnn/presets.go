package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// preset is a named recipe of train: values of its flags. Each was chosen on
// 10 000 samples held out of the training set; see float/doc.go for what was tried.
type preset struct {
	name  string
	flags []flagValue
}

type flagValue struct{ name, value string }

// String is what one would type.
func (f flagValue) String() string {
	if f.value == "true" {
		return "--" + f.name
	}
	return "--" + f.name + " " + f.value
}

func presets() []preset {
	return []preset{
		{"mnist", []flagValue{
			{"data", "mnist"}, {"hidden", "800,800,800"}, {"receptive-field", "10"}, {"epochs", "60"}, {"rate-decay", "1"}, {"rate-to-zero", "true"},
			{"random-below", "0.3"}, {"dropout-pixels", "0.2"}, {"dropout", "0.1"},
		}},
		{"mnist-augmented", []flagValue{
			{"data", "mnist"}, {"hidden", "800,800,800"}, {"receptive-field", "10"}, {"epochs", "120"}, {"rate-decay", "1"}, {"rate-to-zero", "true"},
			{"random-below", "0.3"}, {"dropout-pixels", "0.2"}, {"dropout", "0.1"}, {"augment-shift", "2"}, {"augment-rotate", "10"},
		}},
		{"fashion", []flagValue{
			{"data", "fashion-mnist"}, {"hidden", "800,800"}, {"receptive-field", "14"}, {"epochs", "60"}, {"rate-decay", "1"}, {"rate-to-zero", "true"},
			{"random-below", "0.3"}, {"dropout-pixels", "0.1"},
		}},
	}
}

// presetHelp says what each preset sets, for --help.
func presetHelp() string {
	var b strings.Builder
	for _, p := range presets() {
		fmt.Fprintf(&b, "\n  %s:", p.name)
		for _, f := range p.flags {
			b.WriteString(" " + f.String())
		}
	}
	return b.String()
}

// blamePreset adds to a fault of a flag that nobody typed where its value is from.
func blamePreset(cmd *cobra.Command, name string, err error) error {
	for _, p := range presets() {
		for _, f := range p.flags {
			if p.name == name && !cmd.Flags().Changed(f.name) && strings.Contains(err.Error(), "--"+f.name+":") {
				return fmt.Errorf("%w (--preset %s sets %s; the flag itself comes before it)", err, name, f)
			}
		}
	}
	return err
}

// usePreset gives every flag of cmd that was not set the value of the recipe
// called name.
func usePreset(cmd *cobra.Command, name string) error {
	names := []string{}
	for _, p := range presets() {
		names = append(names, p.name)
		if p.name != name {
			continue
		}
		for _, f := range p.flags {
			flag := cmd.Flags().Lookup(f.name)
			if flag.Changed {
				continue
			}
			if err := flag.Value.Set(f.value); err != nil { // ours: a test sets them all
				return fmt.Errorf("preset %s: --%s %s: %w", name, f.name, f.value, err)
			}
		}
		return nil
	}
	return usage("--preset: got %q, want one of %s", name, strings.Join(names, ", "))
}
