//go:build !linux

package bench

import "time"

// alone runs f with a clock.
func alone(f func(clock func() float64)) {
	start := time.Now()
	f(func() float64 { return time.Since(start).Seconds() })
}
