// Command glsnn takes a spiking network from training to chip tables: it trains
// a GLSNN in float, quantises it, runs it bit for bit as a digital
// neuromorphic chip would, and writes and verifies the tables that a chip
// loads.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	// The first interrupt ends long jobs tidily; after it, signals are the
	// system's again, so that a second one kills. A batch system's SIGTERM is
	// as good a reason to save a checkpoint as a user's Ctrl-C.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}
