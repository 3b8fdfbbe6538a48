package float

import "glsnn/float/encode"

// ChipDefaults are the settings of chip mode where nothing else is asked for,
// chosen on 10 000 MNIST images held out of the training set; see doc.go for
// what was tried. They keep to what every target with a decaying or a plain
// membrane can express: reset to zero, no synaptic current, no membrane decay.
func ChipDefaults() (Config, TrainConfig) {
	return Config{
			Mode: Chip, Ticks: 10, Encoder: encode.Rate, CurrentDecay: DecayOne, Reset: ResetZero, Readout: ReadMembrane,
		}, TrainConfig{
			Rule: GLSNN, Seed: 1, Epochs: 10, Batch: 100, Optimiser: Adam, Rate: 2e-3, RateDecay: 0.85, TargetRate: 0.5,
			FeedbackScale: 1, Window: 0.5, RandomMembrane: 0.3, Gain: 1,
		}
}

// PaperDefaults are the printed settings of [zhao2020]: see paper.go, and doc.go
// for what the paper leaves open. Epochs is the caller's to choose; the paper
// takes PaperEpochs.
func PaperDefaults() (Config, TrainConfig) {
	return Config{
			Mode: Paper, Ticks: PaperTicks, Encoder: encode.Rate, CurrentDecay: DecayOne, Reset: ResetZero, Readout: ReadMembrane,
		}, TrainConfig{
			Rule: GLSNN, Seed: 1, Epochs: 10, Batch: PaperBatch, Optimiser: SGD, Rate: PaperRate, RateDecay: 1, TargetRate: PaperTarget,
			FeedbackScale: 0.1826, Window: -1, Gain: 1,
		}
}
