package store

import (
	"fmt"
	"time"

	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/quantity"
)

// Config bounds what a Store holds. The three bounds on samples hold together:
// whichever is reached first.
type Config struct {
	// MaxAge is how far back samples are kept, and how long a series may be
	// silent before it is dropped. Samples further than this from now, in the
	// past or in the future, are refused.
	MaxAge quantity.Duration `yaml:"max_age"`
	// MaxSamples is how many samples one series keeps, the newest.
	MaxSamples int `yaml:"max_samples"`
	// MaxSeries is how many series there may be. Samples of further ones are
	// refused until old ones are dropped.
	MaxSeries int `yaml:"max_series"`
	// MaxTotal is how many samples all series together may hold, at 16 bytes
	// of memory each. At the bound a series that wants to grow gives up its own
	// oldest samples, and new series are refused.
	MaxTotal int `yaml:"max_total"`
}

// Limits of the settings.
const (
	minMaxAge = quantity.Duration(time.Second)
	maxMaxAge = quantity.Duration(3660 * 24 * time.Hour)
	// minTotal leaves room for one full block, or nothing could grow.
	minTotal = blockSize
)

// DefaultConfig returns the values that hold where the configuration is silent.
func DefaultConfig() Config {
	return Config{
		MaxAge:     quantity.Duration(6 * time.Hour),
		MaxSamples: 100_000,
		MaxSeries:  10_000,
		MaxTotal:   20_000_000,
	}
}

// Validate returns what is wrong with c.
func (c Config) Validate() []problem.Problem {
	var ps []problem.Problem
	if c.MaxAge < minMaxAge || c.MaxAge > maxMaxAge {
		ps = append(ps, problem.Problem{
			Path: "max_age", What: fmt.Sprintf("%v is out of range", c.MaxAge),
			Want: fmt.Sprintf("a duration from %v to %v, such as 6h", minMaxAge, maxMaxAge),
		})
	}
	for _, f := range []struct {
		path  string
		value int
		least int
	}{
		{"max_samples", c.MaxSamples, 1},
		{"max_series", c.MaxSeries, 1},
		{"max_total", c.MaxTotal, minTotal},
	} {
		if f.value < f.least {
			ps = append(ps, problem.Problem{
				Path: f.path, What: fmt.Sprintf("%d is too small", f.value),
				Want: fmt.Sprintf("a number of at least %d", f.least),
			})
		}
	}
	return ps
}
