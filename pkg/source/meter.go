package source

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chartd/chartd/pkg/secret"
	"github.com/chartd/chartd/pkg/store"
)

const (
	// measureEvery is how often a meter's rate is brought up to date.
	measureEvery = 5 * time.Second
	// measures is how many of these spans a rate is over: a minute.
	measures = 12
)

// meter stands between a source and the store and counts what passes. It is kept
// when the source of that name is replaced, so that counters do not go back.
type meter struct {
	app store.Appender

	up       atomic.Int32 // runs: 0, 1, or 2 if one was left behind
	last     atomic.Int64 // ms since the Unix epoch; 0 if there was no sample yet
	samples  atomic.Uint64
	rejected atomic.Uint64
	skipped  atomic.Uint64
	errors   atomic.Uint64
	err      atomic.Pointer[failure]
	reject   atomic.Pointer[rejection]
	hidden   atomic.Pointer[secret.Set] // what of the settings nobody may see; never nil

	mu    sync.Mutex
	marks []mark // the latest, oldest first
}

// failure is how a run ended: for who looks after chartd, and in a word for
// who looks at a chart.
type failure struct{ text, brief string }

// rejection is why a sample was not taken, as it was said; hidden is what of it
// nobody may see. It is taken out when somebody looks, as this may happen often.
type rejection struct {
	text   string
	hidden *secret.Set
}

// mark is how many samples there had been at a time.
type mark struct {
	at      time.Time
	samples uint64
}

func newMeter(app store.Appender) *meter {
	m := &meter{app: app, marks: []mark{{at: time.Now()}}}
	m.hidden.Store(&secret.Set{})
	return m
}

// Append implements store.Appender.
func (m *meter) Append(metric string, labels store.Labels, t int64, v float64) error {
	if err := m.app.Append(metric, labels, t, v); err != nil {
		m.refused(1, err)
		return err
	}
	m.took(1, time.Now().UnixMilli(), !math.IsNaN(v))
	return nil
}

// AppendAll implements store.Clocked.
func (m *meter) AppendAll(now int64, points []store.Point) []store.Refusal {
	refused := store.AppendAll(m.app, now, points)
	for _, r := range refused {
		m.refused(1, r.Err)
	}
	if n := len(points) - len(refused); n > 0 {
		m.took(n, now, fresh(points, refused))
	}
	return refused
}

// took counts samples that were taken at now. fresh says that one of them is no
// gap.
func (m *meter) took(n int, now int64, fresh bool) {
	m.samples.Add(uint64(n))
	if !fresh {
		return
	}
	// It is looked at rather than written, for the sake of writers beside this one.
	if m.last.Load() != now {
		m.last.Store(now)
	}
	if m.err.Load() != nil {
		m.err.Store(nil)
	}
}

// fresh reports whether one of the points was taken that is no gap: a gap says
// that there is no data, not that there is some again.
func fresh(points []store.Point, refused []store.Refusal) bool {
	for i := range points {
		switch {
		case len(refused) > 0 && refused[0].Index == i:
			refused = refused[1:]
		case !math.IsNaN(points[i].Sample.V):
			return true
		}
	}
	return false
}

// skip counts values that were left out.
func (m *meter) skip(n int) { m.skipped.Add(uint64(n)) }

// refused counts samples that were not taken.
func (m *meter) refused(n int, err error) {
	m.rejected.Add(uint64(n))
	m.reject.Store(&rejection{err.Error(), m.hidden.Load()})
}

// failed counts a run that ended in an error.
func (m *meter) failed(err error) {
	hidden := m.hidden.Load()
	m.err.Store(&failure{hidden.Scrub(err.Error()), hidden.Scrub(brief(err))})
	m.errors.Add(1)
}

// measure sets a mark.
func (m *meter) measure(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.marks) > measures {
		m.marks = append(m.marks[:0], m.marks[1:]...)
	}
	m.marks = append(m.marks, mark{now, m.samples.Load()})
}

// rate returns the samples per second between the oldest mark and the newest.
func (m *meter) rate() float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	first, last := m.marks[0], m.marks[len(m.marks)-1]
	seconds := last.at.Sub(first.at).Seconds()
	if seconds <= 0 {
		return 0
	}
	return float64(last.samples-first.samples) / seconds
}

func (m *meter) status(name, kind string) Status {
	st := Status{
		Name: name, Kind: kind, Up: m.up.Load() > 0,
		Samples: m.samples.Load(), Rejected: m.rejected.Load(), Skipped: m.skipped.Load(), Errors: m.errors.Load(),
		Rate: m.rate(),
	}
	if r := m.reject.Load(); r != nil {
		st.Reject = r.hidden.Scrub(r.text)
	}
	if f := m.err.Load(); f != nil {
		st.Error = f.text
	}
	if ms := m.last.Load(); ms != 0 {
		st.Last = time.UnixMilli(ms)
	}
	return st
}
