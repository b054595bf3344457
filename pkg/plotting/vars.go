package plotting

import (
	"slices"

	"github.com/chartd/chartd/pkg/store"
)

// Var is one of a chart's variables: "$name" in its texts and label values
// stands for what a viewer picks. In YAML a text alone is its default.
//
// With a list, Values or From, a page offers a choice; without one a viewer may
// give any value, patterns included. The values of From are those of the chart's
// viewers, not of its sources: a query that a source sends to a database is the
// same for everybody.
type Var struct {
	// Default is the value until a viewer picks another. Empty: "*" with all,
	// otherwise the first of the list.
	Default string `yaml:"default"`
	// Values are the values to pick from; no other is taken. One may be a
	// pattern, such as "=~web.*".
	Values []string `yaml:"values"`
	// From makes the list from what the store holds: new values appear in it by
	// themselves, and those that are gone may still be picked.
	From VarSource `yaml:"from"`
	// All offers "All" as well: the value "*", which in labels matches whatever
	// is there.
	All bool `yaml:"all"`
	// Label is what people read beside the picker; empty is the var's name.
	Label string `yaml:"label"`
	// Hide leaves the var out of the picker.
	Hide bool `yaml:"hide"`
}

// VarSource says where the values of a var come from: the different values of
// one label among series of the store, as label_values(metric, label) in other
// tools. It is the one form of "from labels" and "from a query".
type VarSource struct {
	// Metric is the metric whose series are looked at.
	Metric string `yaml:"metric"`
	// Labels narrow the series, as in "series"; no var can stand in them.
	Labels map[string]string `yaml:"labels"`
	// Label is the label whose values are listed.
	Label string `yaml:"label"`
}

// All is the value of a var that stands for every value, if the var allows it.
const All = "*"

// allText is what a viewer reads where All was picked.
const allText = "All"

// MaxValues is how many values of a var are listed; of more, the first ones in
// the order of the alphabet.
const MaxValues = 500

// Part returns what takes a text in YAML, the default alone, and what takes a
// mapping: the var itself.
func (x *Var) Part(mapping bool) any {
	if mapping {
		return x
	}
	return &x.Default
}

// Live reports whether the var's values come from the store.
func (x Var) Live() bool { return x.From.Metric != "" || x.From.Label != "" || len(x.From.Labels) > 0 }

// listed reports whether there is a list to pick from.
func (x Var) listed() bool { return x.Live() || len(x.Values) > 0 }

// Initial returns the value that the var has until a viewer picks another. It is
// not known if it is the first of a list that comes from the store.
func (x Var) Initial() (value string, known bool) {
	switch {
	case x.Default != "":
		return x.Default, true
	case x.All:
		return All, true
	case len(x.Values) > 0:
		return x.Values[0], true
	default:
		return "", !x.Live()
	}
}

// takes reports whether a viewer may pick a value.
func (x Var) takes(value string) bool {
	return len(x.Values) == 0 || x.All && value == All || slices.Contains(x.Values, value)
}

// List returns the values that a viewer may pick, at most MaxValues, and how
// many there are; none, if any text is taken. All is not among them. Those from
// the store are sorted; they are good for one generation of it. The slice must
// not be changed. q may be nil: then there is no store.
func (x Var) List(q store.Querier) (values []string, count int) {
	if !x.Live() {
		return x.Values, len(x.Values)
	}
	seen := map[string]struct{}{}
	for _, series := range x.series(q) {
		if v := series.Labels().Get(x.From.Label); v != "" && len(v) <= MaxText {
			seen[v] = struct{}{}
		}
	}
	values = make([]string, 0, len(seen))
	for v := range seen {
		values = append(values, v)
	}
	slices.Sort(values)
	return values[:min(len(values), MaxValues)], len(values)
}

// first returns the first of the values that come from the store.
func (x Var) first(q store.Querier) (value string, known bool) {
	for _, series := range x.series(q) {
		if v := series.Labels().Get(x.From.Label); v != "" && len(v) <= MaxText && (!known || v < value) {
			value, known = v, true
		}
	}
	return value, known
}

// series returns the series that x.From looks at.
func (x Var) series(q store.Querier) []*store.Series {
	if q == nil {
		return nil
	}
	ms, err := parseMatchers(x.From.Labels, func(text string) string { return text })
	if err != nil {
		return nil // Validate has said so
	}
	return q.Select(x.From.Metric, ms)
}
