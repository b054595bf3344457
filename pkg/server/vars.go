package server

import (
	"maps"
	"net/http"
	"slices"
	"sync"

	"github.com/chartd/chartd/pkg/auth"
	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/store"
)

// varChoice says what a viewer may pick of a var.
type varChoice string

const (
	choiceAny  varChoice = "any"  // whatever the viewer writes
	choiceList varChoice = "list" // what the configuration lists
	choiceLive varChoice = "live" // what the store holds, and what it held
)

// varInfo is one var of a chart in an answer of the API.
type varInfo struct {
	Name  string `json:"name"`
	Label string `json:"label"`
	// Default is "" for a list from the store that is empty.
	Default string    `json:"default"`
	Choice  varChoice `json:"choice"`
	All     bool      `json:"all,omitempty"`    // "*" is every value
	Hide    bool      `json:"hide,omitempty"`   // shown in no picker
	Pinned  bool      `json:"pinned,omitempty"` // by the link that was shown
	// Values are there where one chart alone is asked for; Count is how many
	// there are: more than Values, if those are too many to list.
	Values []string `json:"values,omitempty"`
	Count  int      `json:"count,omitempty"`
}

// varsOf tells of a chart's vars, sorted by name. Who has a link that pins one
// sees no other value of it.
func (s *Server) varsOf(g *auth.Grant, c *charts, name string, spec *plotting.Spec, values bool) []varInfo {
	if len(spec.Vars) == 0 {
		return nil
	}
	picks := spec.Picks(spec.View(name), s.store)
	out := make([]varInfo, 0, len(spec.Vars))
	for _, key := range slices.Sorted(maps.Keys(spec.Vars)) {
		x := spec.Vars[key]
		one := varInfo{Name: key, Label: x.Label, Choice: choiceAny, All: x.All, Hide: x.Hide}
		if one.Label == "" {
			one.Label = key
		}
		one.Default, _ = picks.Value(key)
		switch {
		case x.Live():
			one.Choice = choiceLive
		case len(x.Values) > 0:
			one.Choice = choiceList
		}
		if pin, ok := g.Pinned(key); ok {
			one.Default, one.Choice, one.All, one.Pinned = pin, choiceList, false, true
			if values {
				one.Values, one.Count = []string{pin}, 1
			}
		} else if values {
			one.Values, one.Count = c.lists.get(name+"."+key, x, s.store)
		}
		out = append(out, one)
	}
	return out
}

// oneChart answers /api/v1/charts/NAME.
func (s *Server) oneChart(w http.ResponseWriter, r *http.Request) {
	s.cors(w, r)
	g := s.admit(w, r)
	name := r.PathValue("chart")
	if g == nil || !s.mayRead(w, r, g, name) {
		return
	}
	c := s.charts.Load()
	spec, ok := c.byName[name]
	if !ok {
		s.unknownChart(w, name, g)
		return
	}
	s.json(w, r, s.infoOf(g, c, name, spec, true))
}

// varLists keeps the values of vars that come from the store, each for as long
// as its series stay. It lives as long as the charts do.
type varLists struct {
	mu   sync.Mutex
	made map[string]varList
}

// varList is immutable.
type varList struct {
	generation uint64
	values     []string
	count      int
}

// get returns the values of the var with that key.
func (l *varLists) get(key string, x plotting.Var, q store.Querier) (values []string, count int) {
	if !x.Live() {
		return x.List(nil)
	}
	generation := q.Generation()
	l.mu.Lock()
	list, ok := l.made[key]
	l.mu.Unlock()
	if ok && list.generation == generation {
		return list.values, list.count
	}
	list = varList{generation: generation}
	list.values, list.count = x.List(q)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.made == nil {
		l.made = map[string]varList{}
	}
	l.made[key] = list
	return list.values, list.count
}
