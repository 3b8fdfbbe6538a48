package bench

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// alone runs f with a clock of the processor time that this goroutine takes:
// other jobs on the machine do not move it.
func alone(f func(clock func() float64)) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	start := time.Now()
	f(func() float64 {
		var t unix.Timespec
		if unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t) != nil {
			return time.Since(start).Seconds()
		}
		return float64(t.Sec) + float64(t.Nsec)/1e9
	})
}
