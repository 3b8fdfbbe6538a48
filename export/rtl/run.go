package rtl

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Faults outside the network; each is wrapped in one line that says more.
var (
	ErrNoSimulator = errors.New("no simulator")
	ErrNoClone     = errors.New("no clone")
	ErrBuild       = errors.New("build failed")
	ErrRun         = errors.New("simulation failed")
)

// Simulators.
const (
	Icarus    = "iverilog"  // event-driven, X-accurate, slow
	Verilator = "verilator" // compiled, two-valued, fast; needs a C++ compiler

	RANCSimulator = "ranc_sim" // RANC's own in C++, for BuildGridSimulator and RunGridSimulator
)

// Options of Build and Run.
type Options struct {
	Clone     string // the user's checkout of the chip's repository
	Simulator string // "" is Icarus
	WorkDir   string // where files go and stay; "" is a folder that is removed

	LoadBySPI   bool // program both SRAMs by SPI: 5.5 M cycles (tinyODIN); else $readmemh
	PhasesBySPI bool // thresholds and membrane resets by SPI; else poked into the SRAM
	ReadBySPI   bool // final membranes by SPI; else read from the SRAM
	WaitLimit   int  // cycles the chip may be busy with one event; 0 is 10,000,000
}

// Simulation is a compiled chip and bench. Run may be called concurrently.
type Simulation struct {
	chip Chip
	opts Options
	argv []string // how to start it
	temp string
}

// Build compiles the clone with the chip's bench.
func Build(ctx context.Context, chip Chip, o Options) (*Simulation, error) {
	sources, err := chip.sources(o.Clone)
	if err != nil {
		return nil, err
	}
	s := &Simulation{chip: chip, opts: o}
	dir, err := s.dir("glsnn-rtl-build-")
	if err != nil {
		return nil, err
	}
	if o.WorkDir == "" {
		s.temp = dir
	}
	file := filepath.Join(dir, "bench_"+string(chip)+".v")
	if err := os.WriteFile(file, chip.Bench(), 0o644); err != nil {
		return nil, err
	}
	s.argv, err = compile(ctx, o.Simulator, dir, "glsnn_bench", "2005", append(sources, file))
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Close removes what Build left in a temporary folder.
func (s *Simulation) Close() error {
	if s.temp == "" {
		return nil
	}
	return os.RemoveAll(s.temp)
}

func (s *Simulation) dir(pattern string) (string, error) {
	if s.opts.WorkDir != "" {
		dir, err := filepath.Abs(s.opts.WorkDir)
		if err != nil {
			return "", err
		}
		return dir, os.MkdirAll(dir, 0o755)
	}
	return os.MkdirTemp("", pattern)
}

// find is the path of a program, or says what to install.
func find(tool, install string) (string, error) {
	path, err := exec.LookPath(tool)
	if err != nil {
		return "", fmt.Errorf("%w: %s is not in PATH: install %s", ErrNoSimulator, tool, install)
	}
	return path, nil
}

// compile builds sources for one simulator; argv starts the result.
func compile(ctx context.Context, simulator, dir, top, language string, sources []string) (argv []string, err error) {
	switch simulator {
	case "", Icarus:
		build, err := find("iverilog", "Icarus Verilog (Debian, Ubuntu: apt-get install iverilog)")
		if err != nil {
			return nil, err
		}
		run, err := find("vvp", "Icarus Verilog (Debian, Ubuntu: apt-get install iverilog)")
		if err != nil {
			return nil, err
		}
		out := filepath.Join(dir, top+".vvp")
		_, err = command(ctx, dir, ErrBuild, append([]string{build, "-g" + language, "-s", top, "-o", out}, sources...)...)
		return []string{run, "-n", out}, err
	case Verilator:
		build, err := find("verilator", "Verilator 5 or newer, and a C++ compiler")
		if err != nil {
			return nil, err
		}
		std := map[string]string{"2005": "1364-2005", "2012": "1800-2012"}[language]
		_, err = command(ctx, dir, ErrBuild, append([]string{build, "--binary", "--timing", "-O3", "-MAKEFLAGS", "OPT_FAST=-O1 OPT_SLOW=-O0", "--x-initial", "0", "-Wno-fatal", "-Wno-lint", "-Wno-style", "-Wno-BLKANDNBLK",
			"--default-language", std, "--top-module", top, "-Mdir", filepath.Join(dir, "verilated"), "-o", top}, sources...)...)
		return []string{filepath.Join(dir, "verilated", top)}, err
	}
	return nil, fmt.Errorf("%w: %q: want %s or %s", ErrNoSimulator, simulator, Icarus, Verilator)
}

// command runs a tool; on failure kind and its first telling line make the error.
func command(ctx context.Context, dir string, kind error, argv ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir = dir
	cmd.WaitDelay = 5 * time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("%w: %s: %w", kind, filepath.Base(argv[0]), ctx.Err())
	case err != nil:
		return stdout.Bytes(), fmt.Errorf("%w: %s: %s", kind, filepath.Base(argv[0]), telling(stderr.String()+stdout.String(), err.Error()))
	}
	return stdout.Bytes(), nil
}

// telling is the first line of output that speaks of an error, or the first.
func telling(output, otherwise string) string {
	first := ""
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if first == "" {
			first = line
		}
		if strings.Contains(strings.ToLower(line), "error") {
			return line
		}
	}
	if first == "" {
		return otherwise
	}
	return first
}

// sources are the RTL files of a clone: its root or the folder of its top.
func (c Chip) sources(clone string) ([]string, error) {
	top, repo, folders := "tinyODIN.v", "ChFrenkel/tinyODIN", []string{"."}
	if c == ODIN {
		top, repo, folders = "ODIN.v", "ChFrenkel/ODIN", []string{"src", "."}
	}
	return sources(clone, repo, top, folders)
}

func sources(clone, repo, top string, folders []string) ([]string, error) {
	if clone == "" {
		return nil, fmt.Errorf("%w: no folder given: want a checkout of github.com/%s", ErrNoClone, repo)
	}
	clone, err := filepath.Abs(clone)
	if err != nil {
		return nil, err
	}
	for _, f := range folders {
		dir := filepath.Join(clone, filepath.FromSlash(f))
		if info, err := os.Stat(filepath.Join(dir, top)); err != nil || !info.Mode().IsRegular() {
			continue
		}
		list, err := filepath.Glob(filepath.Join(dir, "*.v"))
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %v", ErrNoClone, clone, err)
		}
		below, _ := filepath.Glob(filepath.Join(dir, "*", "*.v"))
		list = append(list, below...)
		slices.Sort(list)
		return list, nil
	}
	return nil, fmt.Errorf("%w: %s: no %s in it: want a checkout of github.com/%s", ErrNoClone, clone, top, repo)
}

// Run plays samples into a core. The network need not be the one of an
// earlier Run. With a WorkDir, runs must not overlap.
func (s *Simulation) Run(ctx context.Context, c *Core, samples []Sample) (*Log, error) {
	if c.Chip != s.chip {
		return nil, invalid("chip", c.Chip, string(s.chip))
	}
	if len(samples) > maxSamples {
		return nil, invalid("samples", len(samples), fmt.Sprintf("at most %d", maxSamples))
	}
	dir, err := s.dir("glsnn-rtl-run-")
	if err != nil {
		return nil, err
	}
	if s.opts.WorkDir == "" {
		defer os.RemoveAll(dir)
	}
	if err := c.WriteFolder(dir, samples); err != nil {
		return nil, err
	}
	args := slices.Clone(s.argv)
	plus := func(key string, v int) { args = append(args, fmt.Sprintf("+%s=%d", key, v)) }
	plus("samples", len(samples))
	plus("neurons", len(c.Neurons))
	plus("wait", s.waitLimit())
	for _, p := range c.Programs().all() {
		plus(p.name, len(*p.writes))
	}
	for _, f := range []struct {
		key string
		on  bool
	}{{"load_spi", s.opts.LoadBySPI}, {"phases_spi", s.opts.PhasesBySPI}, {"read_spi", s.opts.ReadBySPI}} {
		plus(f.key, map[bool]int{true: 1}[f.on])
	}
	return s.play(ctx, dir, len(samples), args)
}

// play starts a built bench in dir and reads its log.
func (s *Simulation) play(ctx context.Context, dir string, samples int, argv []string) (*Log, error) {
	out, err := command(ctx, dir, ErrRun, argv...)
	if err != nil {
		return nil, err
	}
	if s.opts.WorkDir != "" {
		if err := os.WriteFile(filepath.Join(dir, "run.log"), out, 0o644); err != nil {
			return nil, err
		}
	}
	log, err := ReadLog("run.log", bytes.NewReader(out))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrRun, err)
	case log.Chip != s.chip || len(log.Samples) != samples:
		return nil, fmt.Errorf("%w: the log has %d samples on %s, want %d on %s", ErrRun, len(log.Samples), log.Chip, samples, s.chip)
	}
	return log, nil
}

func (s *Simulation) waitLimit() int {
	if s.opts.WaitLimit > 0 {
		return s.opts.WaitLimit
	}
	return 10_000_000
}

// Run builds a clone, plays samples into a core and cleans up.
func Run(ctx context.Context, o Options, c *Core, samples []Sample) (*Log, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	s, err := Build(ctx, c.Chip, o)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return s.Run(ctx, c, samples)
}
