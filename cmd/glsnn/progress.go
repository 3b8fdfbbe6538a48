package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// meter shows how far a job is, on standard error: rate and time left, once a
// second at most, and only if the job takes longer than that. On a terminal it
// rewrites its line; with --progress plain it writes a line every ten seconds.
type meter struct {
	mu          sync.Mutex
	w           io.Writer
	what, unit  string
	total, base int // base: done before this process began
	start, last time.Time
	plain       bool
	shown       bool
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	s, err := f.Stat()
	return err == nil && s.Mode()&os.ModeCharDevice != 0
}

// meter returns nil where nothing is to be shown; a nil meter's methods do
// nothing.
func (a *app) meter(what, unit string, total, base int) *meter {
	plain := a.progress == "plain"
	if a.quiet || a.progress == "none" || !plain && !isTerminal(a.err) {
		return nil
	}
	now := time.Now()
	return &meter{w: a.err, what: what, unit: unit, total: total, base: base, start: now, last: now, plain: plain}
}

// at says that done of total are done.
func (m *meter) at(done int) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	every := time.Second
	if m.plain && m.shown {
		every = 10 * time.Second
	}
	if now.Sub(m.last) < every {
		return
	}
	m.last = now
	elapsed := now.Sub(m.start).Seconds()
	rate := float64(done-m.base) / elapsed
	left := "?"
	if rate > 0 && m.total > 0 { // a download's size may be unknown
		left = time.Duration(float64(m.total-done) / rate * float64(time.Second)).Round(time.Second).String()
	}
	line := fmt.Sprintf("%s: %d/%d %s, %.0f/s, %s left", m.what, done, m.total, m.unit, rate, left)
	if m.plain {
		fmt.Fprintln(m.w, line)
	} else {
		fmt.Fprintf(m.w, "\r\x1b[K%s", line)
	}
	m.shown = true
}

// clear removes the line, so that other talk can be written.
func (m *meter) clear() {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.shown && !m.plain {
		fmt.Fprint(m.w, "\r\x1b[K")
	}
}
