// Package course teaches a network a data set: the order of the samples, the
// learning curve, checkpoints that a killed run goes on from. What happens within
// a sample is package learn's.
//
// A run is a Config, a network and a data set; the same three give the same bytes,
// whether or not it was stopped on the way. Samples are shuffled anew in each epoch
// by an LFSR, so that the order is the same on every platform.
package course
