package targets

import (
	"strings"
	"testing"
)

func TestParseFaults(t *testing.T) {
	for text, want := range map[string]string{
		"seed: 1\n": "",
		"seed: 1\ndead_neurons: [{layer: 0, one_in: 10}]\nstuck_weights: [{layer: 0, one_in: 20, at: own}]\nbit_flips: [{layer: 0, one_in: 1000}]\nthreshold_drift: [{layer: 0, percent: -20}]\n": "",

		"":                      "f.yaml: got an empty file, want one YAML document",
		"dead_neurons: []\n":    "f.yaml:1: seed: got nothing, want a decimal integer",
		"seed: -1\n":            "f.yaml:1: seed: got -1, want 0 or more",
		"seed: 1\nseed: 2\n":    "f.yaml:2: seed: got the key again after line 1, want it once",
		"seed: 1\nbit_flips: 3": "f.yaml:2: bit_flips: got 3, want a list",
		"seed: 1\nbit_flips: [{layer: 0, one_in: 0}]":            "f.yaml:2: bit_flips[0].one_in: got 0, want 1..1073741824",
		"seed: 1\nbit_flips:\n  - {layer: -1, one_in: 2}":        "f.yaml:3: bit_flips[0].layer: got -1, want 0 or more",
		"seed: 1\nbit_flips: [{layer: 0}]":                       "f.yaml:2: bit_flips[0].one_in: got nothing, want a decimal integer",
		"seed: 1\nthreshold_drift: [{layer: 0, percent: -100}]":  "f.yaml:2: threshold_drift[0].percent: got -100, want -99..1000",
		"seed: 1\nstuck_weights: [{layer: 0, one_in: 2, at: 1}]": "f.yaml:2: stuck_weights[0].at: got 1, want one of zero, least, largest, extreme, own",
		"seed: 1\ncold: true":                                    "f.yaml:2: cold: got an unknown key, want one of seed, dead_neurons, stuck_weights, bit_flips, threshold_drift",
	} {
		_, err := ParseFaults([]byte(text), "f.yaml")
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func FuzzParseFaults(f *testing.F) {
	f.Add([]byte("seed: 1\ndead_neurons: [{layer: 0, one_in: 10}]\nstuck_weights: [{layer: 0, one_in: 20, at: own}]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		faults, err := ParseFaults(data, "f.yaml")
		for _, e := range flatten(err) {
			if strings.Contains(e.Error(), "\n") {
				t.Errorf("got %q, want one line", e)
			}
		}
		if err == nil {
			faults.Check(1, 1)
		}
	})
}
