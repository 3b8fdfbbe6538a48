// Package tsne embeds points in the plane by exact t-SNE [maaten2008]: every pair
// of points counts, so the time of an iteration grows with their number squared;
// a few thousand points are the limit. The same points and seed give the same
// embedding.
//
// References: [maaten2008] van der Maaten, Hinton, "Visualizing data using t-SNE",
// Journal of Machine Learning Research 9:2579-2605, 2008.
package tsne

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
)

// Config is how points are embedded.
type Config struct {
	Perplexity   float64 // effective number of neighbours, above 1 and below the number of points
	Iterations   int
	Exaggeration float64 // factor on the affinities of the first quarter of the iterations, at most 250
	Rate         float64 // step; 0: the number of points / Exaggeration / 4, at least 50
	Seed         uint64
}

// Defaults are [maaten2008]'s schedule with the exaggeration and rate that later
// implementations settled on.
func Defaults() Config {
	return Config{Perplexity: 30, Iterations: 1000, Exaggeration: 12, Seed: 1}
}

// Validate reports what cannot be for n points.
func (c Config) Validate(n int) error {
	switch {
	case !(c.Perplexity > 1) || c.Perplexity >= float64(n):
		return fmt.Errorf("perplexity: got %v, want above 1 and below the %d points", c.Perplexity, n)
	case c.Iterations < 1:
		return fmt.Errorf("iterations: got %d, want at least 1", c.Iterations)
	case !(c.Exaggeration >= 1):
		return fmt.Errorf("exaggeration: got %v, want at least 1", c.Exaggeration)
	case !(c.Rate >= 0):
		return fmt.Errorf("rate: got %v, want 0 or more", c.Rate)
	}
	return nil
}

// Embed places the points x, equally long, in the plane and returns the
// Kullback-Leibler divergence that is left (see KL). The error is the context's or
// says which setting or coordinate cannot be.
func Embed(ctx context.Context, x [][]float64, c Config) (y [][2]float64, kl float64, err error) {
	n := len(x)
	if err := c.Validate(n); err != nil {
		return nil, 0, err
	}
	for i, p := range x {
		if len(p) != len(x[0]) {
			return nil, 0, fmt.Errorf("point %d: got %d coordinates, want %d", i, len(p), len(x[0]))
		}
		for _, v := range p {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, 0, fmt.Errorf("point %d: got %v, want finite numbers", i, v)
			}
		}
	}
	p := Affinities(x, c.Perplexity)
	rng := rand.New(rand.NewPCG(c.Seed, 0))
	y = make([][2]float64, n)
	for i := range y {
		y[i] = [2]float64{1e-4 * rng.NormFloat64(), 1e-4 * rng.NormFloat64()}
	}
	rate := c.Rate
	if rate == 0 {
		rate = max(50, float64(n)/c.Exaggeration/4)
	}
	early := min(250, c.Iterations/4)
	step, gain, q := make([][2]float64, n), make([][2]float64, n), make([]float64, n*n)
	for i := range gain {
		gain[i] = [2]float64{1, 1}
	}
	grad := make([][2]float64, n)
	for iter := range c.Iterations {
		if ctx.Err() != nil {
			return nil, 0, ctx.Err()
		}
		exaggeration, momentum := 1.0, 0.8
		if iter < early {
			exaggeration, momentum = c.Exaggeration, 0.5
		}
		gradient(grad, q, p, y, exaggeration)
		var mean [2]float64
		for i := range y {
			for d := range 2 {
				if g := grad[i][d]; g*step[i][d] < 0 {
					gain[i][d] += 0.2
				} else {
					gain[i][d] = max(0.01, float64(gain[i][d]*0.8))
				}
				step[i][d] = float64(momentum*step[i][d]) - float64(rate*float64(gain[i][d]*grad[i][d]))
				y[i][d] += step[i][d]
				mean[d] += y[i][d]
			}
		}
		for i := range y {
			for d := range 2 {
				y[i][d] -= mean[d] / float64(n)
			}
		}
	}
	return y, KL(p, y), nil
}

// gradient is [maaten2008]'s equation 5 with p times exaggeration:
//
//	dC/dy_i = 4 sum_j (p_ij - q_ij) (y_i - y_j) / (1 + |y_i - y_j|^2)
//
// w is room for n*n numbers.
func gradient(grad [][2]float64, w, p []float64, y [][2]float64, exaggeration float64) {
	n := len(y)
	var sum float64
	for i := range n {
		for j := range i {
			a, b := y[i][0]-y[j][0], y[i][1]-y[j][1]
			v := 1 / (1 + float64(a*a) + float64(b*b))
			w[i*n+j] = v
			sum += v
		}
	}
	each := 1 / (2 * sum)
	clear(grad)
	for i := range n {
		yi := y[i]
		var g [2]float64
		for j := range i {
			v := w[i*n+j]
			f := 4 * (float64(exaggeration*p[i*n+j]) - float64(v*each)) * v
			a, b := float64(f*(yi[0]-y[j][0])), float64(f*(yi[1]-y[j][1]))
			g[0], g[1] = g[0]+a, g[1]+b
			grad[j][0], grad[j][1] = grad[j][0]-a, grad[j][1]-b
		}
		grad[i][0], grad[i][1] = grad[i][0]+g[0], grad[i][1]+g[1]
	}
}

// Affinities is p_ij of all pairs, [n][n]: the mean of the conditional
// probabilities of i given j and j given i over n, which are Gaussian with a width
// for each point that gives its neighbours the perplexity ([maaten2008], sections
// 2 and 3.1). The diagonal is 0 and the sum 1.
func Affinities(x [][]float64, perplexity float64) []float64 {
	n := len(x)
	p, d := make([]float64, n*n), make([]float64, n*n)
	for i := range n {
		for j := range i {
			var sum float64
			for k, v := range x[i] {
				by := v - x[j][k]
				sum += float64(by * by)
			}
			d[i*n+j], d[j*n+i] = sum, sum
		}
	}
	row := make([]float64, n)
	for i := range n {
		conditional(row, d[i*n:(i+1)*n], i, math.Log(perplexity))
		for j, v := range row {
			p[i*n+j] += v / float64(2*n)
			p[j*n+i] += v / float64(2*n)
		}
	}
	return p
}

// conditional writes the probabilities of the neighbours of point i, whose squared
// distances are d, with the given entropy in nats: it halves the interval of the
// precision. Where no width has that entropy (equal points, say) it comes near.
func conditional(p, d []float64, i int, entropy float64) {
	least := math.Inf(1)
	for j, v := range d {
		if j != i {
			least = min(least, v)
		}
	}
	beta, lo, hi := 1.0, 0.0, math.Inf(1)
	for range 200 {
		var sum, mean float64
		for j, v := range d {
			p[j] = 0
			if j != i {
				p[j] = math.Exp(-beta * (v - least)) // the nearest has 1: no sum of zeros
				sum += p[j]
				mean += float64(p[j] * (v - least))
			}
		}
		for j := range p {
			p[j] /= sum
		}
		h := math.Log(sum) + float64(beta*mean)/sum
		if math.Abs(h-entropy) < 1e-7 {
			return
		}
		if h > entropy {
			lo = beta
		} else {
			hi = beta
		}
		if beta = (lo + hi) / 2; math.IsInf(hi, 1) {
			beta = 2 * lo
		}
	}
}

// KL is the Kullback-Leibler divergence of the embedding y from the affinities p,
// in nats: sum over pairs of p_ij log(p_ij / q_ij), q_ij being (1 + |y_i - y_j|^2)^-1
// over its sum.
func KL(p []float64, y [][2]float64) (kl float64) {
	n := len(y)
	var sum float64
	q := func(i, j int) float64 {
		a, b := y[i][0]-y[j][0], y[i][1]-y[j][1]
		return 1 / (1 + float64(a*a) + float64(b*b))
	}
	for i := range n {
		for j := range i {
			sum += 2 * q(i, j)
		}
	}
	for i := range n {
		for j := range i {
			if v := p[i*n+j]; v > 0 {
				kl += 2 * v * math.Log(v*sum/q(i, j))
			}
		}
	}
	return kl
}
