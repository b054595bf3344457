package plotting_test

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/store"
)

// TestZoneOfAView: a viewer's zone changes the labels of the time axis and the
// words about it, and nothing else: what is drawn lies where it lay.
func TestZoneOfAView(t *testing.T) {
	cfg := store.DefaultConfig()
	cfg.MaxAge = quantity.Duration(20 * 365 * 24 * time.Hour)
	st := store.New(cfg, prometheus.NewRegistry())
	now := time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC).UnixMilli()
	if err := st.Append("m", nil, now, 1); err != nil {
		t.Fatal(err)
	}
	spec := plotting.DefaultSpec()
	spec.Timezone = "UTC"
	spec.Series = []plotting.SeriesSpec{{Metric: "m"}}
	live := plotting.NewLive(&spec, st)
	seen := map[string]string{}
	for _, zone := range []string{"", "Asia/Kolkata", "America/New_York", ""} {
		v, err := spec.Change(spec.View("c"), plotting.Change{Timezone: &zone})
		if err != nil {
			t.Fatal(err)
		}
		from := now - 60_000
		v, err = spec.Change(v, plotting.Change{From: &from, To: &now})
		if err != nil {
			t.Fatal(err)
		}
		f, err := live.Render(v, now)
		if err != nil {
			t.Fatal(err)
		}
		text := svg(f)
		label, name := map[string]string{"": "11:59:30", "Asia/Kolkata": "17:29:30", "America/New_York": "06:59:30"}[zone], zone
		if name == "" {
			name = "UTC"
		}
		if !strings.Contains(text, ">"+label+"</text>") || !strings.Contains(text, "data-zone='"+name+"'") {
			t.Errorf("in %q: want a tick at %s, data-zone='%s':\n%s", zone, label, name, text)
		}
		if id := v.ID(); seen[id] != "" && seen[id] != name {
			t.Errorf("%q and %q are both %s", zone, seen[id], id)
		} else {
			seen[id] = name
		}
	}
	if len(seen) != 3 {
		t.Errorf("three zones have the ids %v", seen)
	}
}
