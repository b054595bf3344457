package store_test

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/chartd/chartd/pkg/store"
)

func TestOrigin(t *testing.T) {
	s := store.New(store.DefaultConfig(), prometheus.NewRegistry())
	now := time.Now().UnixMilli()
	origin := func() string { return s.Select("m", nil)[0].Origin() }
	for i, step := range []struct {
		app  store.Appender
		want string
	}{
		{s, ""}, {s.From("db"), "db"}, {s, "db"}, {s.From("broker"), "broker"}, {s.From("db"), "db"},
	} {
		if err := step.app.Append("m", nil, now+int64(i), 1); err != nil {
			t.Fatal(err)
		}
		if got := origin(); got != step.want {
			t.Errorf("step %d: %q, want %q", i, got, step.want)
		}
	}
	if err := s.From("late").Append("m", nil, 1, 1); err == nil || origin() != "db" {
		t.Errorf("a refused sample: %v, origin %q", err, origin())
	}
	app := s.From("db")
	if n := testing.AllocsPerRun(1000, func() { _ = app.Append("m", nil, now+9, 1) }); n != 0 {
		t.Errorf("%v allocations a sample", n)
	}
}
