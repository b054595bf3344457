package store

import (
	"time"

	"github.com/chartd/chartd/pkg/quantity"
)

// tester is what *testing.T and *rapid.T have in common.
type tester interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// wide is a configuration whose bounds no test reaches by accident.
func wide() Config {
	c := DefaultConfig()
	c.MaxAge = quantity.Duration(3000 * 24 * time.Hour)
	c.MaxSamples = 20_000_000
	c.MaxTotal = 40_000_000
	return c
}

// only returns the one series of a metric.
func only(t tester, s *Store, metric string) *Series {
	t.Helper()
	all := s.Select(metric, nil)
	if len(all) != 1 {
		t.Fatalf("%d series of %s, want 1", len(all), metric)
	}
	return all[0]
}

// collect returns what Each shows, and fails if a block is empty or the order
// is not that of time.
func collect(t tester, sr *Series, from, to int64) ([]Sample, Cursor) {
	t.Helper()
	var out []Sample
	c := sr.Each(from, to, func(b []Sample) {
		if len(b) == 0 {
			t.Fatal("an empty block")
		}
		out = append(out, b...)
	})
	for i := 1; i < len(out); i++ {
		if out[i].T <= out[i-1].T {
			t.Fatalf("sample %d is at %d, after %d", i, out[i].T, out[i-1].T)
		}
	}
	return out, c
}

func mustAppend(t tester, s *Store, metric string, ls Labels, at int64, v float64) {
	t.Helper()
	if err := s.Append(metric, ls, at, v); err != nil {
		t.Fatal(err)
	}
}
