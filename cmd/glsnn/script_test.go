package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"glsnn/export/rtl"
	"glsnn/fixedpoint"
	"glsnn/fixedpoint/artefact"
	"glsnn/float"
	"glsnn/float/dataset"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"glsnn": main})
}

// TestScript runs the user tasks in testdata/script. Beside testscript's own
// commands they have:
//
//	code N glsnn ARG...           run, want exit code N and no temporary files left
//	tinydata DIR                  write 600 + 200 built-in digits of 14 x 14 pixels as IDX
//	idx DIR N ROWS COLS CLASSES   write N + N all-different images as IDX
//	json KEY=TYPE...              check the standard output of the last command
//	flip FILE                     change a bit in the middle
//	cut FILE N                    keep N bytes (with a negative N: all but)
//	append FILE TEXT              make it longer
//	subst FROM TO OLD NEW...      copy a file, replacing regular expressions
//	put FILE OFFSET BYTE          change a byte
//	rewrite FILE nan|inf|version|ticks   an intact file with a wrong content
//	forge DIR                     change a weight in a table folder, and its manifest's hashes
//	delay FILE N                  let the spikes of a model's first layer take N ticks more
//	rehash DIR                    make a table folder's manifest agree with its files
//	signal INT|KILL WORD glsnn ARG...   run, signal when WORD comes on stderr, want its exit code
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
			env.Setenv("GOMAXPROCS", "2")
			env.Setenv("GOCOVERDIR", os.Getenv("GOCOVERDIR"))
			for _, name := range []string{"generic.yaml", "tinyodin.yaml"} {
				if err := copyFile(filepath.Join("..", "..", "targets", name), filepath.Join(env.WorkDir, name)); err != nil {
					return err
				}
			}
			return nil
		},
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "root":
				return os.Geteuid() == 0, nil
			case "devfull":
				_, err := os.Stat("/dev/full")
				return err == nil, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"code": code, "tinydata": tinyData, "idx": idx, "json": checkJSON, "flip": flip, "cut": cut,
			"append": appendText, "subst": subst, "put": put, "rewrite": rewrite, "forge": forge, "delay": delay, "rehash": func(ts *testscript.TestScript, _ bool, args []string) { rehash(ts, args[0]) }, "signal": signalled,
		},
	})
}

func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o666)
}

func want(ts *testscript.TestScript, ok bool, format string, args ...any) {
	if !ok {
		ts.Fatalf(format, args...)
	}
}

func code(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, !neg && len(args) > 1, "usage: code N COMMAND ARG...")
	got := 0
	err := ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	want(ts, strconv.Itoa(got) == args[0], "exit code: got %d, want %s", got, args[0])
	stderr := ts.ReadFile("stderr")
	want(ts, !strings.Contains(stderr, "goroutine "), "panic on stderr")
	ts.Check(filepath.WalkDir(ts.MkAbs("."), func(path string, _ fs.DirEntry, err error) error {
		if strings.Contains(filepath.Base(path), "glsnn-tmp") {
			return fmt.Errorf("%s is left behind", path)
		}
		return err
	}))
}

var tiny = sync.OnceValues(func() (sets [2]*dataset.Set, err error) {
	for i, n := range []int{600, 200} {
		s, err := dataset.Digits("digits", i == 1, n, 0, 2)
		if err != nil {
			return sets, err
		}
		if sets[i], err = s.Pool(14); err != nil {
			return sets, err
		}
	}
	return sets, nil
})

func tinyData(ts *testscript.TestScript, _ bool, args []string) {
	sets, err := tiny()
	ts.Check(err)
	writeSets(ts, args[0], sets[0], sets[1])
}

func writeSets(ts *testscript.TestScript, dir string, train, test *dataset.Set) {
	dir = ts.MkAbs(dir)
	ts.Check(os.MkdirAll(dir, 0o777))
	for prefix, s := range map[string]*dataset.Set{"train": train, "t10k": test} {
		var images, labels bytes.Buffer
		ts.Check(dataset.WriteImages(&images, s.Rows, s.Cols, s.Pixels))
		ts.Check(dataset.WriteLabels(&labels, s.Labels))
		ts.Check(os.WriteFile(filepath.Join(dir, prefix+"-images-idx3-ubyte"), images.Bytes(), 0o666))
		ts.Check(os.WriteFile(filepath.Join(dir, prefix+"-labels-idx1-ubyte"), labels.Bytes(), 0o666))
	}
}

func idx(ts *testscript.TestScript, _ bool, args []string) {
	var n [4]int
	for i := range n {
		var err error
		n[i], err = strconv.Atoi(args[i+1])
		ts.Check(err)
	}
	s := &dataset.Set{Rows: n[1], Cols: n[2], Classes: n[3]}
	for i := range n[0] {
		s.Labels = append(s.Labels, uint8(i%n[3]))
		for p := range n[1] * n[2] {
			s.Pixels = append(s.Pixels, uint8(p*(i%n[3]+3)+i))
		}
	}
	writeSets(ts, args[0], s, s)
}

func checkJSON(ts *testscript.TestScript, _ bool, args []string) {
	var v any
	d := json.NewDecoder(strings.NewReader(ts.ReadFile("stdout")))
	ts.Check(d.Decode(&v))
	if _, err := d.Token(); err != io.EOF {
		ts.Fatalf("text after the JSON")
	}
	for _, arg := range args {
		key, kind, _ := strings.Cut(arg, "=")
		m, ok := v.(map[string]any)
		want(ts, ok, "got no object")
		x, ok := m[key]
		want(ts, ok, "%s: no such key", key)
		number, isNumber := x.(float64)
		text, _ := x.(string)
		switch kind {
		case "share":
			ok = isNumber && number >= 0 && number <= 1
		case "count":
			ok = isNumber && number >= 0 && number == math.Trunc(number)
		case "number":
			ok = isNumber
		case "null":
			ok = x == nil
		case "text":
			ok = text != ""
		case "true":
			ok = x == true
		default:
			want, err := strconv.ParseFloat(kind, 64)
			ts.Check(err)
			ok = isNumber && number == want
		}
		want(ts, ok, "%s: got %v, want %s", key, x, kind)
	}
}

// edit rewrites a file.
func edit(ts *testscript.TestScript, file string, f func([]byte) []byte) {
	path := ts.MkAbs(file)
	data, err := os.ReadFile(path)
	ts.Check(err)
	ts.Check(os.WriteFile(path, f(data), 0o666))
}

func flip(ts *testscript.TestScript, _ bool, args []string) {
	edit(ts, args[0], func(b []byte) []byte { b[len(b)/2] ^= 1; return b })
}

func cut(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	edit(ts, args[0], func(b []byte) []byte {
		if n < 0 {
			return b[:len(b)+n]
		}
		return b[:n]
	})
}

func appendText(ts *testscript.TestScript, _ bool, args []string) {
	edit(ts, args[0], func(b []byte) []byte { return append(b, args[1]...) })
}

func subst(ts *testscript.TestScript, _ bool, args []string) {
	data, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	for i := 2; i < len(args); i += 2 {
		old := regexp.MustCompile("(?m)" + args[i])
		want(ts, old.Match(data), "%s: %q is not in it", args[0], args[i])
		data = old.ReplaceAll(data, []byte(args[i+1]))
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), data, 0o666))
}

func put(ts *testscript.TestScript, _ bool, args []string) {
	at, err := strconv.Atoi(args[1])
	ts.Check(err)
	x, err := strconv.ParseUint(args[2], 0, 8)
	ts.Check(err)
	edit(ts, args[0], func(b []byte) []byte { b[at] = byte(x); return b })
}

func rewrite(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	b, err := artefact.ReadFile(path, "", 0)
	ts.Check(err)
	switch args[1] {
	case "version":
		b.Version = 99
	case "nan", "inf":
		a := b.Arrays[0]
		w, err := artefact.Values[float32](a)
		ts.Check(err)
		w[12] = float32(math.NaN())
		if args[1] == "inf" {
			w[12] = float32(math.Inf(-1))
		}
		b.Arrays[0] = artefact.NewArray(a.Name, w, a.Shape...)
	case "ticks":
		b.Body = bytes.Replace(b.Body, []byte(`"ticks":`), []byte(`"ticks":-`), 1)
	default:
		ts.Fatalf("rewrite: what is %q?", args[1])
	}
	ts.Check(artefact.WriteFile(path, *b))
}

func forge(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	if core, samples, err := rtl.ReadFolder(dir); err == nil { // a crossbar: images and programs say the same again
		w := &core.Weights[len(core.Weights)-1][len(core.Neurons)-1]
		*w = -*w
		if *w == 0 {
			*w = 1
		}
		ts.Check(core.WriteFolder(dir, samples))
		rehash(ts, args[0])
		return
	}
	mems, err := filepath.Glob(filepath.Join(dir, "cores", "*.mem"))
	ts.Check(err)
	want(ts, len(mems) > 0, "no .mem files")
	for _, ext := range []string{".mem", ".csv"} { // the same weight in both: axon 50, neuron 0
		path := strings.TrimSuffix(mems[0], ".mem") + ext
		data, err := os.ReadFile(path)
		ts.Check(err)
		lines := strings.Split(string(data), "\n")
		line := lines[51]
		if ext == ".mem" {
			digit, err := strconv.ParseUint(line[len(line)-1:], 16, 8)
			ts.Check(err)
			lines[51] = line[:len(line)-1] + strconv.FormatUint(digit^1, 16)
		} else {
			cells := strings.Split(line, ",")
			w, err := strconv.Atoi(cells[1])
			ts.Check(err)
			cells[1] = strconv.Itoa(w ^ 1)
			lines[51] = strings.Join(cells, ",")
		}
		ts.Check(os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o666))
	}
	rehash(ts, args[0])
}

func delay(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	loaded, _, err := loadModel(path)
	ts.Check(err)
	m := *loaded
	m.Layers = slices.Clone(m.Layers)
	m.Layers[0].Delay, err = strconv.Atoi(args[1])
	ts.Check(err)
	checked, err := fixedpoint.NewModel(m)
	ts.Check(err)
	ts.Check(checked.Save(path))
}

// rehash makes a folder's manifest agree with its files.
func rehash(ts *testscript.TestScript, dir string) {
	files, err := artefact.HashDir(ts.MkAbs(dir))
	ts.Check(err)
	edit(ts, filepath.Join(dir, "manifest.json"), func(b []byte) []byte {
		var m map[string]any
		ts.Check(json.Unmarshal(b, &m))
		m["files"] = files
		out, err := json.Marshal(m)
		ts.Check(err)
		return out
	})
}

// stopper kills or interrupts a process at the first write that has the word.
type stopper struct {
	buf  bytes.Buffer
	word string
	stop func()
}

func (s *stopper) Write(p []byte) (int, error) {
	s.buf.Write(p)
	if s.stop != nil && strings.Contains(s.buf.String(), s.word) {
		s.stop()
		s.stop = nil
	}
	return len(p), nil
}

func signalled(ts *testscript.TestScript, _ bool, args []string) {
	if runtime.GOOS == "windows" {
		ts.Fatalf("no signals")
	}
	sig, code := syscall.SIGKILL, -1
	if args[0] == "INT" {
		sig, code = syscall.SIGINT, exitInterrupted
	}
	cmd := exec.Command(args[2], args[3:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(os.Environ(), "HOME="+ts.Getenv("HOME"), "GOMAXPROCS=2")
	// A little later, so that it comes in the middle of an epoch.
	stderr := &stopper{word: args[1], stop: func() { time.AfterFunc(15*time.Millisecond, func() { cmd.Process.Signal(sig) }) }}
	cmd.Stderr = stderr
	ts.Check(cmd.Start())
	cmd.Wait()
	if sig == syscall.SIGKILL { // which may come in the middle of a save
		for _, dir := range []string{"", "*"} { // a sweep saves in a folder of its own
			left, _ := filepath.Glob(filepath.Join(ts.MkAbs("."), dir, ".glsnn-tmp-*"))
			for _, f := range left {
				os.RemoveAll(f)
			}
		}
	}
	ts.Logf("[stderr]\n%s", stderr.buf.String())
	want(ts, cmd.ProcessState.ExitCode() == code, "exit code: got %d, want %d", cmd.ProcessState.ExitCode(), code)
	ts.Check(os.WriteFile(ts.MkAbs("signal.err"), stderr.buf.Bytes(), 0o666))
}

// TestExitCodes is the table of sentinels, for those that scripts cannot make.
func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, exitOK},
		{errors.New("x"), exitFailed},
		{usage("x"), exitUsage},
		{fmt.Errorf("y: %w", usage("x")), exitUsage},
		{float.ErrInterrupted, exitInterrupted},
		{fmt.Errorf("x: %w", float.ErrDiverged), exitFailed},
		{damaged(&fs.PathError{Op: "read", Path: "x", Err: syscall.EIO}), exitFailed},
		{damaged(errors.New("x")), exitCorrupt},
		{damaged(artefact.ErrKind), exitUsage},
	} {
		if got := exitCode(c.err); got != c.want {
			t.Errorf("%v: got %d, want %d", c.err, got, c.want)
		}
	}
}
