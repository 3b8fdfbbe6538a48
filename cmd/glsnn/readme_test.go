package main

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// calls are the glsnn commands in shell text, each as its arguments: comments
// and line continuations are taken away, and quotes, as far as we use them.
func calls(text string) [][]string {
	text = regexp.MustCompile(`\\\n`).ReplaceAllString(text, " ")
	text = regexp.MustCompile(`(?m)(^|\s)#.*$`).ReplaceAllString(text, "")
	var out [][]string
	for _, line := range regexp.MustCompile(`\n|&&|\|\||[;|]`).Split(text, -1) {
		words := regexp.MustCompile(`"[^"]*"|'[^']*'|[^\s"']+`).FindAllString(line, -1)
		for i, w := range words {
			words[i] = strings.Trim(w, `"'`)
		}
		for len(words) > 0 && (words[0] == "$" || strings.Contains(words[0], "=")) { // a prompt, VAR=value
			words = words[1:]
		}
		if len(words) > 2 && words[0] == "go" && words[1] == "run" {
			words = words[2:]
		}
		if len(words) == 0 || filepath.Base(words[0]) != "glsnn" {
			continue
		}
		args := words[1:]
		for i, w := range args { // redirections
			if strings.HasPrefix(w, ">") || strings.HasPrefix(w, "2>") || strings.HasPrefix(w, "<") {
				args = args[:i]
				break
			}
		}
		out = append(out, args)
	}
	return out
}

// parse checks a call as the program would, without running it.
func parse(args []string) error {
	root := newRoot(&app{out: io.Discard, err: io.Discard})
	cmd, rest, err := root.Find(args)
	if err != nil {
		return err
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return flagFault(cmd, err)
	}
	if err := cmd.ValidateArgs(cmd.Flags().Args()); err != nil {
		return err
	}
	return root.PersistentPreRunE(cmd, nil)
}

// TestReadme: every glsnn command of README.md's ```sh blocks parses.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if os.IsNotExist(err) {
		t.Skip("no README.md yet")
	}
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, block := range regexp.MustCompile("(?ms)^```sh\n(.*?)^```").FindAllStringSubmatch(string(text), -1) {
		for _, args := range calls(block[1]) {
			n++
			if err := parse(args); err != nil {
				t.Errorf("glsnn %s: %v", strings.Join(args, " "), err)
			}
		}
	}
	if n == 0 {
		t.Error("README.md has no glsnn command in a ```sh block")
	}
}

func TestCalls(t *testing.T) {
	got := calls("# glsnn no\n$ glsnn train --data mnist && ./glsnn quantize \\\n --bits 8 > q.txt\nGLSNN_DATA=x glsnn check | head\ngo run ./cmd/glsnn inspect \"a b\" # why\nls\n")
	want := "train --data mnist|quantize --bits 8|check|inspect a b"
	var s []string
	for _, c := range got {
		s = append(s, strings.Join(c, " "))
	}
	if strings.Join(s, "|") != want {
		t.Errorf("got %q, want %q", s, want)
	}
	for _, bad := range []string{"trian", "train --bit 8", "train x", "data fetch", "version --output xml", "data foo --from x", "train --batch ten"} {
		if err := parse(strings.Fields(bad)); exitCode(err) != exitUsage {
			t.Errorf("glsnn %s: got %v, want a usage error", bad, err)
		}
	}
}

// TestHelp: every command says what it does in a sentence and has an example,
// and the examples parse.
func TestHelp(t *testing.T) {
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Short == "" || c.Example == "" {
			t.Errorf("%s: got short %q and example %q, want both", c.CommandPath(), c.Short, c.Example)
		}
		indented := regexp.MustCompile(`(?m)^  .*$`).FindAllString(c.Long, -1)
		for _, args := range calls(c.Example + "\n" + strings.Join(indented, "\n")) {
			if err := parse(args); err != nil {
				t.Errorf("help of %s: glsnn %s: %v", c.CommandPath(), strings.Join(args, " "), err)
			}
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(newRoot(&app{}))
}
