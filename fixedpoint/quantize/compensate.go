package quantize

import (
	"cmp"
	"math"
	"slices"

	"glsnn/fixedpoint"
)

// compensation rounds weights so that what neurons are driven by stays what it was,
// and not each weight by itself. moments, [in][in], are the sums of S_i S_j over
// samples; the sum over the samples of a neuron's squared error of drive is then
// e' moments e, e being its rounding errors. Inputs are rounded one after another,
// those of the largest moment first, and each takes up what the errors of those
// before it did to the drive, as far as it spikes with them:
//
//	q_i = round(w_i + sum over k before i of R_ik/R_ii (w_k - q_k))
//
// moments (with a hundredth of their mean diagonal added to it) = R'R, R triangular.
// It is Babai's nearest plane, of which the GPTQ method (Frantar et al. 2023) is
// another form.
type compensation struct {
	order  []int     // of inputs, ascending moments: the last is rounded first
	r      []float64 // R in that order, [in][in]
	mode   fixedpoint.RoundMode
	within func(in int) (low, high int64) // the integers that an input's weights may have
}

func newCompensation(moments []float64, in int, mode fixedpoint.RoundMode, within func(in int) (low, high int64)) *compensation {
	c := &compensation{order: make([]int, in), mode: mode, within: within}
	for i := range c.order {
		c.order[i] = i
	}
	slices.SortStableFunc(c.order, func(i, j int) int { return cmp.Compare(moments[i*in+i], moments[j*in+j]) })
	c.r = triangular(moments, c.order)
	return c
}

// round returns weights, [in][out], in steps of scale. A weight of exactly 0 is a
// synapse that is not there (a receptive field's outside, say) and stays 0.
func (c *compensation) round(weights []float32, scale float64, out int) []int16 {
	in := len(c.order)
	q := make([]int16, len(weights))
	errs := make([]float64, len(weights)) // w - q of the k-th in order, in steps
	want := make([]float64, out)
	for k := in - 1; k >= 0; k-- {
		i, row := c.order[k], c.r[k*in:(k+1)*in]
		for j, w := range weights[i*out : (i+1)*out] {
			want[j] = float64(w) / scale
		}
		for m := k + 1; m < in; m++ {
			if f := row[m] / row[k]; f != 0 {
				for j, e := range errs[m*out : (m+1)*out] {
					want[j] += float64(f * e)
				}
			}
		}
		low, high := c.within(i)
		for j, x := range want {
			n := min(max(roundFloat(x, c.mode), float64(low)), float64(high))
			if weights[i*out+j] == 0 {
				n = 0
			}
			q[i*out+j] = int16(n)
			errs[k*out+j] = float64(weights[i*out+j])/scale - n
		}
	}
	return q
}

// triangular is the upper R of R'R = moments in the given order of rows and columns,
// with a hundredth of the mean diagonal added to the diagonal: Cholesky's factor.
// (Where nothing spikes it is 1.)
func triangular(moments []float64, order []int) []float64 {
	n := len(order)
	mean := 0.0
	for i := range n {
		mean += moments[i*n+i] / float64(n)
	}
	if mean == 0 {
		mean = 100
	}
	r := make([]float64, n*n)
	for k, i := range order {
		row := r[k*n : (k+1)*n]
		for m, j := range order[k:] {
			row[k+m] = moments[i*n+j]
		}
		row[k] += 0.01 * mean
		for p := range k {
			above := r[p*n : (p+1)*n]
			if f := above[k]; f != 0 {
				for m := k; m < n; m++ {
					row[m] -= float64(f * above[m])
				}
			}
		}
		root := math.Sqrt(row[k])
		for m := k; m < n; m++ {
			row[m] /= root
		}
	}
	return r
}
