package store

import (
	"math"
	"sort"
)

// Block is a run of a series' samples in time order, about a thousand of them
// at most, with its extremes if the series knows them. A reader that needs no
// more than those need not look at the samples.
type Block struct {
	// Samples are valid only during the call they are passed to, and must not
	// be changed. There is at least one.
	Samples []Sample
	// Low and High are the samples of the least and the greatest value; of
	// equals, the earliest. They are zero unless Summed.
	Low, High Sample
	// Summed says that Low and High are known, and that none of Samples is a
	// gap. It is false of the newest samples of a series, of blocks that a
	// reader's range cuts, and of those that have a NaN.
	Summed bool
}

// UpTo returns the part of the block that is not later than t, ms since the Unix
// epoch; it may have no samples.
func (b Block) UpTo(t int64) Block {
	if n := len(b.Samples); n == 0 || b.Samples[n-1].T <= t {
		return b
	}
	n := sort.Search(len(b.Samples), func(i int) bool { return b.Samples[i].T > t })
	return Block{Samples: b.Samples[:n:n]}
}

// summarize returns a block of these samples, of which there is at least one,
// with what is to be known of them.
func summarize(samples []Sample) Block {
	low, high := samples[0], samples[0]
	for _, s := range samples {
		switch {
		case s.V < low.V:
			low = s
		case s.V > high.V:
			high = s
		case math.IsNaN(s.V):
			return Block{Samples: samples}
		}
	}
	return Block{Samples: samples, Low: low, High: high, Summed: true}
}

// inserted returns the block after s was added to its samples, which are now
// these. It does not look at the others.
func (b Block) inserted(samples []Sample, s Sample) Block {
	b.Samples = samples
	switch {
	case !b.Summed:
		return b
	case math.IsNaN(s.V):
		return Block{Samples: samples}
	}
	if s.V < b.Low.V || s.V == b.Low.V && s.T < b.Low.T {
		b.Low = s
	}
	if s.V > b.High.V || s.V == b.High.V && s.T < b.High.T {
		b.High = s
	}
	return b
}

// replaced returns the block after s took the place of old in its samples, which
// are now these. It looks at the others only if old mattered.
func (b Block) replaced(samples []Sample, old, s Sample) Block {
	if b.Summed && (old.T == b.Low.T || old.T == b.High.T) || !b.Summed && math.IsNaN(old.V) {
		return summarize(samples)
	}
	return b.inserted(samples, s)
}
