package store

import (
	"slices"
	"sync"
	"sync/atomic"
)

// index finds series by metric.
type index struct {
	mu      sync.RWMutex
	entries map[string]*entry
}

// entry is the series of one metric, sorted by labels. Once the list has been
// handed out it is not written any more but replaced.
type entry struct {
	series []*Series
	shared atomic.Bool
}

// get returns the series of a metric; the list does not change.
func (x *index) get(metric string) []*Series {
	x.mu.RLock()
	defer x.mu.RUnlock()
	e := x.entries[metric]
	if e == nil {
		return nil
	}
	if !e.shared.Load() {
		e.shared.Store(true)
	}
	return e.series
}

func (x *index) add(sr *Series) {
	x.mu.Lock()
	defer x.mu.Unlock()
	e := x.entries[sr.metric]
	if e == nil {
		e = &entry{}
		x.entries[sr.metric] = e
	}
	e.own()
	at, _ := slices.BinarySearchFunc(e.series, sr.labels, func(o *Series, ls Labels) int { return o.labels.Compare(ls) })
	e.series = slices.Insert(e.series, at, sr)
}

func (x *index) remove(gone []*Series) {
	byMetric := map[string]map[*Series]bool{}
	for _, sr := range gone {
		if byMetric[sr.metric] == nil {
			byMetric[sr.metric] = map[*Series]bool{}
		}
		byMetric[sr.metric][sr] = true
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for metric, set := range byMetric {
		e := x.entries[metric]
		if e == nil {
			continue
		}
		e.own()
		e.series = slices.DeleteFunc(e.series, func(sr *Series) bool { return set[sr] })
		if len(e.series) == 0 {
			delete(x.entries, metric)
		}
	}
}

// own makes the list one that nobody else has.
func (e *entry) own() {
	if e.shared.Load() {
		e.series = slices.Clone(e.series)
		e.shared.Store(false)
	}
}
