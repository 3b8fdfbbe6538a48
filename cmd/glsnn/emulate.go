package main

import (
	"cmp"
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"glsnn/emulator"
	"glsnn/emulator/faults"
	"glsnn/fixedpoint"
	"glsnn/fixedpoint/artefact"
	"glsnn/float"
	"glsnn/float/dataset"
	"glsnn/float/encode"
)

type emulateOptions struct {
	model, target string
	engine        string
	faults        string
	strict        bool
	spikes        string
	plan          planFlags
	data          dataFlags
}

func newEmulate(a *app) *cobra.Command {
	o := &emulateOptions{}
	cmd := &cobra.Command{
		Use:   "emulate",
		Short: "Run an integer model bit for bit and count what the chip does",
		Long: `Run an integer model bit for bit and count what the chip does.

--engine both runs the plain reference engine beside the event-driven one and
compares every state and spike after every tick; a difference is exit code 5.
With --target the model is run in that chip's arithmetic and timing (a chip that
takes a tick from layer to layer runs that much longer, and layers go on after
their window), mapped to its cores, and counted per core (in the JSON output).

--faults breaks the chip first, as a YAML file says, such as

  seed: 1
  dead_neurons:    [{layer: 0, one_in: 10}]           # never fire
  stuck_weights:   [{layer: 0, one_in: 20, at: zero}] # or least, largest, extreme, own
  bit_flips:       [{layer: 1, one_in: 100}]          # one bit of a weight in 100
  threshold_drift: [{layer: 0, percent: 20}]`,
		Example: "  glsnn emulate\n  glsnn emulate --engine both --samples 1000\n  glsnn emulate --target loihi --output json\n  glsnn emulate --samples 100 --spikes spikes.csv",
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := a.emulate(cmd.Context(), o)
			if err != nil {
				return err
			}
			return a.result(r, r.text)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.model, "model", defaultModel, "integer model to read")
	f.StringVar(&o.target, "target", "", "map to this target and count per core")
	f.StringVar(&o.engine, "engine", "event", "event, reference or both")
	f.StringVar(&o.faults, "faults", "", "break the chip as this YAML file says")
	f.BoolVar(&o.strict, "strict", false, "fail at the first overflow")
	f.StringVar(&o.spikes, "spikes", "", "write every spike to this CSV: sample, tick, layer, neuron")
	o.plan.register(cmd)
	o.data.register(cmd, "test", 0, "use the first so many samples; 0 for all")
	return cmd
}

type emulateResult struct {
	Accuracy  float64           `json:"accuracy"`
	Samples   int               `json:"samples"`
	Correct   int               `json:"correct"`
	Data      string            `json:"data"`
	Engine    string            `json:"engine"`
	Spikes    uint64            `json:"spikes"`
	SynOps    uint64            `json:"synops"`
	Updates   uint64            `json:"neuron_updates"`
	Overflows uint64            `json:"overflows"`
	SpikeRate []float64         `json:"spike_rate"`
	Counters  emulator.Counters `json:"counters"`
	Faults    *faults.Report    `json:"faults,omitempty"`
}

func (a *app) emulate(ctx context.Context, o *emulateOptions) (*emulateResult, error) {
	kind, err := emulator.ParseEngine(o.engine)
	if err != nil {
		return nil, usage("--%w", err) // "engine: got …"
	}
	m, _, err := loadModel(o.model)
	if err != nil {
		return nil, err
	}
	if o.spikes != "" {
		read := append(o.plan.inputs(), o.model, o.faults, o.target, dataFolder(cmp.Or(o.data.data, m.Source.Data)))
		if err := flagWritable("--spikes", o.spikes, read...); err != nil {
			return nil, err
		}
	}
	opt := emulator.RunOptions{Engine: kind, Workers: a.jobs, Strict: o.strict}
	if o.target != "" {
		p, err := a.placeBy(ctx, m, o.target, &o.plan, a.forTraffic(m))
		if err != nil {
			return nil, err
		}
		m, opt = p.Model, p.options(a.jobs)
		opt.Engine, opt.Strict = kind, o.strict
	}
	var report *faults.Report
	if o.faults != "" {
		b, _, err := breakModel(m, o.faults)
		if err != nil {
			return nil, err
		}
		m, opt.Silent, report = b.Model, b.Silent, &b.Report
	}
	set, err := o.data.load(a, modelData(m), m.Inputs())
	if err != nil {
		return nil, err
	}
	var res *emulator.Result
	var correct int
	run := func() (err error) {
		res, correct, err = a.runModel(ctx, m, set, opt)
		return err
	}
	if o.spikes == "" {
		err = run()
	} else {
		err = artefact.WriteAtomic(o.spikes, func(w io.Writer) error {
			file := newSpikesFile(w)
			opt.Watch = file.watch
			return cmp.Or(run(), file.w.Flush())
		})
	}
	if err != nil {
		return nil, err
	}
	t := res.Counters.Totals()
	return &emulateResult{Faults: report,
		Accuracy: float64(correct) / float64(set.Len()), Samples: set.Len(), Correct: correct, Data: set.Name, Engine: kind.String(),
		Spikes: t.Spikes, SynOps: t.SynOps, Updates: t.Updates, Overflows: res.Counters.Overflows(), SpikeRate: res.RateByLayer, Counters: res.Counters,
	}, nil
}

// modelData is what a model was trained on.
func modelData(m *fixedpoint.Model) float.DataRef {
	return float.DataRef{Name: m.Source.Data, Size: m.Source.Size}
}

// modelEncoder is the encoder that a model was trained with.
func modelEncoder(m *fixedpoint.Model) (encode.Encoder, error) {
	kind, err := encode.Parse(m.Encoding.Kind)
	if err != nil {
		return encode.Encoder{}, err
	}
	return encode.Encoder{Kind: kind, Ticks: m.Ticks, Seed: m.Encoding.Seed}, nil
}

// runModel classifies set and counts the right answers.
func (a *app) runModel(ctx context.Context, m *fixedpoint.Model, set *dataset.Set, opt emulator.RunOptions) (*emulator.Result, int, error) {
	enc, err := modelEncoder(m)
	if err != nil {
		return nil, 0, err
	}
	meter := a.meter("emulate", "samples", set.Len(), 0)
	res, err := emulator.Run(ctx, m, set.Len(), func() func(int) emulator.Train {
		train := &encode.Train{}
		return func(i int) emulator.Train {
			meter.at(i)
			enc.Encode(train, i, set.Image(i))
			return train
		}
	}, opt)
	meter.clear()
	if err != nil {
		return nil, 0, err
	}
	correct := 0
	for i, c := range res.Class {
		if c == int(set.Labels[i]) {
			correct++
		}
	}
	return res, correct, nil
}

func (r *emulateResult) text(w io.Writer) {
	fmt.Fprintf(w, "accuracy\t%s\t%d of %d samples of %s, engine %s\n", percent(r.Accuracy), r.Correct, r.Samples, r.Data, r.Engine)
	fmt.Fprintln(w, "layer\trate\tspikes\tsynops\tneuron updates\toverflows sum/u/v")
	for l, c := range r.Counters.Layers {
		fmt.Fprintf(w, "%d\t%.4f\t%d\t%d\t%d\t%d/%d/%d\n", l, r.SpikeRate[l], c.Spikes, c.SynOps, c.Updates, c.SumOverflows, c.CurrentOverflows, c.MembraneOverflows)
	}
	fmt.Fprintf(w, "all\t\t%d\t%d\t%d\t%d\n", r.Spikes, r.SynOps, r.Updates, r.Overflows)
	if f := r.Faults; f != nil {
		fmt.Fprintf(w, "faults\t%d dead neurons, %d stuck weights, %d flipped bits, thresholds %v\n", f.Dead, f.Stuck, f.Flipped, f.Thresholds)
	}
	if r.Engine == "both" {
		fmt.Fprintf(w, "engines\tequal\tevery state and spike of every tick, and all counters\n")
	}
}
