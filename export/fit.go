package export

import (
	"errors"
	"fmt"
)

// ErrNoFit is wrapped by every FitError.
var ErrNoFit = errors.New("does not fit")

// FitError says which limit of a chip a network exceeds, and what would help.
type FitError struct {
	Layer    int    // weight layer, from 0; -1 for the whole network
	Resource string // what runs out
	Need     int64
	Have     int64
	Unit     string
	Target   string
	Remedy   string
}

func (e *FitError) Error() string {
	where := "network"
	if e.Layer >= 0 {
		where = fmt.Sprintf("layer %d", e.Layer)
	}
	return fmt.Sprintf("%s: %s: need %d %s, have %d (target %s); %s", where, e.Resource, e.Need, e.Unit, e.Have, e.Target, e.Remedy)
}

func (e *FitError) Unwrap() error { return ErrNoFit }
