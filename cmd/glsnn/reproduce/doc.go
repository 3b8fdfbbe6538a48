// Package reproduce draws the figures and tables of [zhao2020] anew: for each of
// them a list of trainings (Figure, Case), a runner that does those that are not
// done yet (Runner), and files and lines made of their results.
//
// A training is named by the hash of everything that decides its bytes: network,
// settings, seed, data. Its result is one file of that name, so a run that several
// figures want is done once, and an interrupted or killed figure goes on where it
// was, the training under way from its checkpoint.
//
// The paper's protocol is the best test accuracy over the epochs; the lines say so
// and give the last epoch's accuracy, which nothing chose, beside it.
//
// Reading order: Figure, figures.go, Run, Runner, Outcome.
//
// References: [zhao2020] see package float.
package reproduce
