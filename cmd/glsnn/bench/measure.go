package bench

import (
	"context"
	"math"
	"slices"
	"time"

	"glsnn/fixedpoint/tier"
)

// Case is something that is measured.
type Case struct {
	Key   string // "emulator/sum/avx2": unique
	What  string
	Tier  tier.Tier
	Unit  string
	Per   float64 // the figure is the work of a second over Per
	Whole float64 // if not 0, the figure is the seconds that this much work takes
	Bound string  // what the limit is; "" for none

	// limit is in the case's unit, from the figures of other cases.
	limit func(figure func(key string) float64) float64
	// start prepares the case and returns the work of one call of run.
	start func() (work float64, run func(), err error)
	// derive is the figure of a case without start, from those of others in a round.
	derive func(figure func(key string) float64) float64
}

func (c *Case) figure(work, seconds float64) float64 {
	if c.Whole > 0 {
		return c.Whole * seconds / work
	}
	return work / seconds / c.Per
}

// Figure is what Measure says of a case.
type Figure struct {
	Key   string  `json:"key"`
	What  string  `json:"what"`
	Tier  string  `json:"tier"`
	Value float64 `json:"value"` // median of the rounds
	Low   float64 `json:"low"`   // least of them
	High  float64 `json:"high"`
	Unit  string  `json:"unit"`
	Limit float64 `json:"limit,omitempty"` // in Unit; 0 for none
	Share float64 `json:"share,omitempty"` // of the limit: 1 is at it
	Bound string  `json:"bound,omitempty"` // what the limit is
}

// Measure runs every case once a round, for about the given time. The error is
// the context's or that of a case which cannot start.
func Measure(ctx context.Context, cases []Case, rounds int, slice time.Duration, done func(i, of int)) ([]Figure, error) {
	type job struct {
		work   float64
		run    func()
		times  int
		values []float64
	}
	jobs := make([]job, len(cases))
	for round := range rounds {
		for i := range cases {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			c, j := &cases[i], &jobs[i]
			if c.start == nil {
				continue
			}
			err := c.in(func() error {
				if j.run == nil {
					var err error
					if j.work, j.run, err = c.start(); err != nil {
						return err
					}
					j.times = calibrate(j.run)
				}
				j.values = append(j.values, c.figure(j.work*float64(j.times), quickest(j.run, j.times, slice)))
				return nil
			})
			if err != nil {
				return nil, err
			}
			if done != nil {
				done(round*len(cases)+i+1, rounds*len(cases))
			}
		}
	}
	of := map[string]*job{}
	for i := range cases {
		of[cases[i].Key] = &jobs[i]
	}
	for i := range cases {
		if c := &cases[i]; c.start == nil {
			for round := range rounds {
				jobs[i].values = append(jobs[i].values, c.derive(func(key string) float64 { return of[key].values[round] }))
			}
		}
	}
	value := map[string]float64{}
	figures := make([]Figure, len(cases))
	for i := range cases {
		c, v := &cases[i], jobs[i].values
		slices.Sort(v)
		mid := (v[(len(v)-1)/2] + v[len(v)/2]) / 2
		value[c.Key] = mid
		figures[i] = Figure{Key: c.Key, What: c.What, Tier: c.Tier.String(), Value: mid, Low: v[0], High: v[len(v)-1], Unit: c.Unit}
	}
	for i := range cases {
		c, f := &cases[i], &figures[i]
		if c.limit == nil {
			continue
		}
		limit := c.limit(func(key string) float64 { return value[key] })
		if !(limit > 0) || math.IsInf(limit, 1) { // the case that it needs is not there
			continue
		}
		f.Bound, f.Limit, f.Share = c.Bound, limit, f.Value/limit
		if c.Whole > 0 {
			f.Share = limit / f.Value
		}
	}
	return figures, nil
}

// in runs f in c's tier.
func (c *Case) in(f func() error) error {
	defer tier.Use(tier.Use(c.Tier))
	return f()
}

// piece is the time that is measured at once: longer than a clock's step, shorter
// than the time that a system gives to one program.
const piece = 250 * time.Microsecond

// calibrate runs f until it is warm, and returns how often it fits in a piece.
func calibrate(f func()) int {
	f()
	for times := 1; ; times *= 2 {
		begin := time.Now()
		for range times {
			f()
		}
		if time.Since(begin) >= piece || times > 1<<30 {
			return times
		}
	}
}

// quickest is the least number of seconds that f took times times, of as many
// pieces as slice has room for.
func quickest(f func(), times int, slice time.Duration) float64 {
	best := time.Duration(math.MaxInt64)
	for start := time.Now(); ; {
		begin := time.Now()
		for range times {
			f()
		}
		end := time.Now()
		best = min(best, end.Sub(begin))
		if end.Sub(start) >= slice {
			return max(best, 1).Seconds()
		}
	}
}
