// Package machine is what the two engines have in common beside the
// arithmetic: the options they are made with, the counters they keep, the
// overflow they report and the observer they call. It computes nothing of a
// tick; package emulator re-exports all of it.
package machine
