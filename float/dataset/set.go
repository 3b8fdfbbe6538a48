package dataset

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
)

// MaxSide is the largest number of rows or columns of an image.
const MaxSide = 4096

// Set is a labelled set of N = len(Labels) grey-scale images of one size.
//
// Invariants, checked by Validate in this order:
//
//  1. 1 <= Rows <= MaxSide and 1 <= Cols <= MaxSide
//  2. 1 <= Classes <= 256
//  3. N >= 1
//  4. len(Pixels) == N*Rows*Cols
//  5. every label is below Classes
type Set struct {
	Name       string  // for messages and reports; not part of Hash
	Rows, Cols int     // of one image, in pixels
	Classes    int     // labels are 0..Classes-1
	Pixels     []uint8 // N*Rows*Cols, image after image, row-major, 0..255
	Labels     []uint8 // N
}

// Len returns N, the number of images.
func (s *Set) Len() int { return len(s.Labels) }

// Image returns the Rows*Cols pixels of image i, row-major. The result aliases s.Pixels. It panics unless
// 0 <= i < s.Len().
func (s *Set) Image(i int) []uint8 {
	n := s.Rows * s.Cols
	return s.Pixels[i*n : (i+1)*n : (i+1)*n]
}

// Slice returns images lo..hi-1 as a Set that aliases the pixels and labels of s. It panics unless
// 0 <= lo <= hi <= s.Len(), like slicing does.
func (s *Set) Slice(lo, hi int) *Set {
	n := s.Rows * s.Cols
	t := *s
	t.Pixels = s.Pixels[lo*n : hi*n : hi*n]
	t.Labels = s.Labels[lo:hi:hi]
	return &t
}

// SplitTail returns the first Len()-n images for training and the last n for validation. Both alias s. It is an
// error if either part would be empty.
func (s *Set) SplitTail(n int) (train, validation *Set, err error) {
	if n < 1 || n >= s.Len() {
		return nil, nil, fmt.Errorf("%s: validation samples: got %d, want 1..%d", s.Name, n, s.Len()-1)
	}
	cut := s.Len() - n
	return s.Slice(0, cut), s.Slice(cut, s.Len()), nil
}

// Pool returns a new Set with every image averaged down to size x size pixels.
//
// Output pixel (r, c) is the mean of the input over the rectangle [r, r+1) x [c, c+1), measured in units of
// Rows/size and Cols/size input pixels; an input pixel that the border cuts counts by the area inside. Weights are
// integers (the sum over a rectangle is Rows*Cols), the mean is rounded half up. Labels are copied.
// It is an error if size is below 1 or above Rows or Cols: pooling never enlarges.
func (s *Set) Pool(size int) (*Set, error) {
	limit := min(s.Rows, s.Cols)
	if size < 1 || size > limit {
		return nil, fmt.Errorf("%s: pool size: got %d, want 1..%d", s.Name, size, limit)
	}
	t := &Set{
		Name:    s.Name,
		Rows:    size,
		Cols:    size,
		Classes: s.Classes,
		Pixels:  make([]uint8, s.Len()*size*size),
		Labels:  append([]uint8(nil), s.Labels...),
	}
	rows, cols := poolSpans(s.Rows, size), poolSpans(s.Cols, size)
	area := int64(s.Rows) * int64(s.Cols)
	for i := range s.Labels {
		in, out := s.Image(i), t.Image(i)
		for r, rs := range rows {
			for c, cs := range cols {
				var sum int64
				for y, wy := range rs.weights {
					line := in[(rs.first+y)*s.Cols+cs.first:]
					var part int64
					for x, wx := range cs.weights {
						part += wx * int64(line[x])
					}
					sum += wy * part
				}
				out[r*size+c] = uint8((2*sum + area) / (2 * area))
			}
		}
	}
	return t, nil
}

// poolSpan is the run of input positions that one output position averages, with their weights.
type poolSpan struct {
	first   int
	weights []int64
}

// poolSpans cuts n input positions into size equal spans. In units of 1/size input position, input k covers
// [k*size, (k+1)*size) and output j covers [j*n, (j+1)*n); a weight is the overlap of the two, and the weights of a
// span sum to n.
func poolSpans(n, size int) []poolSpan {
	spans := make([]poolSpan, size)
	for j := range spans {
		lo, hi := j*n, (j+1)*n
		first := lo / size
		spans[j].first = first
		for k := first; k*size < hi; k++ {
			w := min(hi, (k+1)*size) - max(lo, k*size)
			spans[j].weights = append(spans[j].weights, int64(w))
		}
	}
	return spans
}

// Hash returns the sha256, in hex, of the data: a header line with N, Rows, Cols and Classes, then the labels, then
// the pixels. Name is left out, so the same data has the same hash whatever folder it came from.
func (s *Set) Hash() string {
	h := sha256.New()
	fmt.Fprintf(h, "glsnn dataset 1 n=%d rows=%d cols=%d classes=%d\n", s.Len(), s.Rows, s.Cols, s.Classes)
	h.Write(s.Labels)
	h.Write(s.Pixels)
	return hex.EncodeToString(h.Sum(nil))
}

// Validate checks the invariants of Set in their order and returns all faults joined, or nil. Of the labels it
// names the first bad one only.
func (s *Set) Validate() error {
	var faults []error
	check := func(ok bool, field string, got any, want string) {
		if !ok {
			faults = append(faults, fmt.Errorf("%s: %s: got %v, want %s", s.Name, field, got, want))
		}
	}
	side := fmt.Sprintf("1..%d", MaxSide)
	rowsOK, colsOK := 1 <= s.Rows && s.Rows <= MaxSide, 1 <= s.Cols && s.Cols <= MaxSide
	check(rowsOK, "rows", s.Rows, side)
	check(colsOK, "cols", s.Cols, side)
	check(1 <= s.Classes && s.Classes <= 256, "classes", s.Classes, "1..256")
	check(s.Len() >= 1, "labels", s.Len(), "at least 1")
	if rowsOK && colsOK {
		want := uint64(s.Len()) * uint64(s.Rows) * uint64(s.Cols)
		check(uint64(len(s.Pixels)) == want, "pixels", len(s.Pixels),
			fmt.Sprintf("%d (%d x %d x %d)", want, s.Len(), s.Rows, s.Cols))
	}
	for i, l := range s.Labels {
		if int(l) >= s.Classes {
			check(false, fmt.Sprintf("label %d", i), l, fmt.Sprintf("0..%d", s.Classes-1))
			break
		}
	}
	return errors.Join(faults...)
}

// Select returns a copy of the images that keep says yes to, in their order.
func (s *Set) Select(keep func(i int) bool) *Set {
	t := *s
	t.Pixels, t.Labels = nil, nil
	for i, label := range s.Labels {
		if keep(i) {
			t.Pixels = append(t.Pixels, s.Image(i)...)
			t.Labels = append(t.Labels, label)
		}
	}
	return &t
}
