package config

import (
	"reflect"
	"slices"
)

// Diff says what is different between two configurations.
type Diff struct {
	// Charts and Sources name what was added, changed or removed.
	Charts, Sources Names
	// Order reports that the charts that stay stand in another order.
	Order bool
	// Sections are the other top-level keys that changed, as "store".
	Sections []string
	// Restart are those of Sections that hold only after a restart, because they
	// shape what is built once. Most of server and log holds at once.
	Restart []string
}

// Names are what happened to named things, each list sorted. A log says them as
// JSON.
type Names struct {
	Added   []string `json:"added,omitempty"`
	Changed []string `json:"changed,omitempty"`
	Removed []string `json:"removed,omitempty"`
}

// Empty reports whether nothing happened.
func (n Names) Empty() bool { return len(n.Added)+len(n.Changed)+len(n.Removed) == 0 }

// Empty reports whether nothing is different.
func (d Diff) Empty() bool {
	return d.Charts.Empty() && d.Sources.Empty() && !d.Order && len(d.Sections) == 0
}

// Compare returns what is different in next. A chart that changed only because
// of `defaults` counts as changed.
func Compare(prev, next *Config) Diff {
	var d Diff
	d.Sources = names(prev.Sources, next.Sources)
	d.Charts = names(byName(prev.Charts), byName(next.Charts))
	d.Order = !slices.Equal(common(prev, next), common(next, prev))
	for _, s := range []struct {
		key        string
		prev, next any
		restart    bool
	}{
		{"listen", prev.Listen, next.Listen, true},
		{"store", prev.Store, next.Store, true},
		{"session", prev.Session, next.Session, true},
		{"server", prev.Server, next.Server, false},
		{"auth", prev.Auth, next.Auth, false},
		{"log", prev.Log, next.Log, false},
	} {
		if reflect.DeepEqual(s.prev, s.next) {
			continue
		}
		d.Sections = append(d.Sections, s.key)
		if s.restart {
			d.Restart = append(d.Restart, s.key)
		}
	}
	return d
}

func names[T any](prev, next map[string]T) Names {
	var n Names
	for name, v := range next {
		switch old, ok := prev[name]; {
		case !ok:
			n.Added = append(n.Added, name)
		case !reflect.DeepEqual(old, v):
			n.Changed = append(n.Changed, name)
		}
	}
	for name := range prev {
		if _, ok := next[name]; !ok {
			n.Removed = append(n.Removed, name)
		}
	}
	slices.Sort(n.Added)
	slices.Sort(n.Changed)
	slices.Sort(n.Removed)
	return n
}

func byName(charts []*Chart) map[string]*Chart {
	m := make(map[string]*Chart, len(charts))
	for _, c := range charts {
		m[c.Name] = c
	}
	return m
}

// common returns the names of c's charts that other has too, in c's order.
func common(c, other *Config) []string {
	var out []string
	for _, ch := range c.Charts {
		if _, ok := other.Chart(ch.Name); ok {
			out = append(out, ch.Name)
		}
	}
	return out
}
