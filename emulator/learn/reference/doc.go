// Package reference is the executable specification of package learn: the
// phases P0 to P5 as its comment numbers them, on the dense reference engine, in
// plain loops over every synapse. It shares no loop with learn.Learner.
package reference
