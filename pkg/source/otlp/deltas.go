package otlp

import (
	"fmt"
	"sync"
	"time"
)

// deltas adds up what is sent as differences, so that a series looks the same
// whichever its application exports. It is safe for concurrent use.
type deltas struct {
	limit int
	stale time.Duration

	mu      sync.Mutex
	streams map[string]stream
	swept   time.Time
}

// stream is one series so far.
type stream struct {
	sum  float64
	at   uint64    // the time of the newest point, in ns since the Unix epoch
	seen time.Time // when it came
}

func newDeltas(limit int, stale time.Duration) *deltas {
	return &deltas{limit: limit, stale: stale, streams: map[string]stream{}}
}

// add adds a difference and returns the sum. A point that is sent again is not
// added again; one that is older than the newest is an error. If the sum is not
// taken after all, undo forgets it.
func (d *deltas) add(key string, at uint64, v float64) (sum float64, undo func(), err error) {
	now := time.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	old, known := d.streams[key]
	known = known && now.Sub(old.seen) <= d.stale
	switch {
	case !known:
		old = stream{}
		if err := d.room(now); err != nil {
			return 0, nil, err
		}
	case at == old.at:
		return old.sum, func() {}, nil
	case at < old.at:
		return 0, nil, fmt.Errorf("the delta of %v is older than the newest, of %v", clock(at), clock(old.at))
	}
	next := stream{old.sum + v, at, now}
	d.streams[key] = next
	return next.sum, func() { d.undo(key, next, old, known) }, nil
}

// undo puts back what was there, unless more has come since.
func (d *deltas) undo(key string, next, old stream, known bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.streams[key] != next:
	case known:
		d.streams[key] = old
	default:
		delete(d.streams, key)
	}
}

// room makes sure that there is room for one more stream. d.mu is held.
func (d *deltas) room(now time.Time) error {
	if now.Sub(d.swept) > d.stale/2 || len(d.streams) >= d.limit && now.Sub(d.swept) > time.Second {
		d.swept = now
		for key, s := range d.streams {
			if now.Sub(s.seen) > d.stale {
				delete(d.streams, key)
			}
		}
	}
	if len(d.streams) >= d.limit {
		return fmt.Errorf("it would be one delta more than max_streams of the source (%d); export cumulative sums", d.limit)
	}
	return nil
}

func clock(ns uint64) string { return time.Unix(0, int64(ns)).UTC().Format(time.RFC3339Nano) } //nolint:gosec // as it came
