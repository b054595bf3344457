package pipe

import (
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/chartd/chartd/pkg/config"
	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/session"
	"github.com/chartd/chartd/pkg/source/lines"
)

const (
	// apart is how many times larger the values of a column must be to have a
	// chart of their own.
	apart = 10
	// crowd is how many lines a chart may have before its columns are parted.
	crowd = 12
	// many is from how many columns of a table on those of one unit share a chart
	// whatever their magnitude, so that the page does not grow long.
	many = 10
	// maxCharts bounds the page.
	maxCharts = 40
	// points is how many samples a window should have, at least.
	points = 60
)

// beforeGroup finds the word that a regular expression has before its group:
// "time" in time=([0-9.]+).
var beforeGroup = regexp.MustCompile(`(\pL[\pL\pN_ ]*)\s*[=:]\s*\(`)

// layoutKey is what the last layout was made for.
type layoutKey struct {
	changed time.Time
	window  quantity.Duration
}

// layout returns the charts; ok is false if they are as before, or if something
// new came less than a while ago.
func (f *feed) layout(cfg Config, after time.Duration) (charts []*config.Chart, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	key := layoutKey{f.changed, cfg.Window}
	if cfg.Window == 0 {
		key.window = f.window()
	}
	if f.changed.IsZero() || f.last != nil && *f.last == key || time.Since(f.changed) < after {
		return nil, false
	}
	f.last = &key
	var all []group
	for _, t := range f.tables {
		all = append(all, groups(t)...)
		for _, c := range t.cols {
			c.laid = true
		}
	}
	slices.SortStableFunc(all, func(a, b group) int { return a.rank() - b.rank() })
	for _, g := range all[:min(len(all), maxCharts)] {
		charts = append(charts, chart(g, key.window, charts))
	}
	if cfg.Match != "" && len(charts) == 1 && charts[0].Title == "value" {
		if m := beforeGroup.FindStringSubmatch(cfg.Match); m != nil {
			charts[0].Title = m[1]
		}
	}
	if cfg.Title != "" {
		for _, c := range charts {
			if c.Title = cfg.Title + " · " + c.Title; len(charts) == 1 {
				c.Title = cfg.Title
			}
		}
	}
	same := reflect.DeepEqual(charts, f.charts)
	f.charts = charts
	return charts, !same
}

// window returns how much time the charts should span: what was there at the
// beginning, and enough samples.
func (f *feed) window() quantity.Duration {
	want := f.pace.gap * points
	if f.first > 0 {
		if old := time.Now().UnixMilli() - f.first; old > 24*3600_000 || f.pace.gap > 0 && old > f.pace.gap*4*points {
			// More than was seen live: lines of before.
			want = max(want, f.newest-f.first)
		}
	}
	for _, w := range []time.Duration{2 * time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour, 30 * 24 * time.Hour, 366 * 24 * time.Hour} {
		if want <= w.Milliseconds() {
			return quantity.Duration(w)
		}
	}
	return plotting.MaxWindow
}

// group is what becomes one chart.
type group struct {
	title string
	cols  []*column
	label string // that names rows; "" if there are none
	row   string // the only one that is shown; "" is all
	rows  int
	whole bool // the columns are parts of a hundred
	tied  bool // the columns belong together by their heading
}

// rank orders the page: what a processor does first, what is all zeros last.
func (g *group) rank() int {
	switch {
	case g.whole:
		return 0
	case slices.ContainsFunc(g.cols, func(c *column) bool { return c.size > 0 && !dull(c) }):
		return 1
	}
	return 2
}

// dull reports whether a column says little by its name: ping's icmp_seq and
// ttl.
func dull(c *column) bool {
	name := strings.ToLower(c.public.Name)
	return strings.HasSuffix(name, "seq") || name == "ttl"
}

// groups parts the columns of a table.
func groups(t *table) []group {
	if len(t.rows) > 0 && len(t.rows) <= 6 && t.cols[0].public.Rows && alike(t.cols) {
		// free's Mem and Swap.
		var out []group
		for _, row := range t.rows {
			out = append(out, group{title: row, cols: t.cols, label: t.label, row: row, rows: 1, tied: true})
		}
		return out
	}
	var out []group
	for _, c := range t.cols {
		at := slices.IndexFunc(out, func(g group) bool { return g.takes(c, t) })
		if at < 0 {
			out = append(out, group{title: c.public.Group, label: t.label, rows: len(t.rows), tied: c.public.Group != ""})
			at = len(out) - 1
		}
		out[at].cols = append(out[at].cols, c)
	}
	var parted []group
	for _, g := range out {
		g.whole = hundred(g.cols) && len(t.rows) <= 1
		if !g.tied && !g.whole {
			parted = append(parted, g.part(len(t.cols) > many && g.cols[0].public.Unit != lines.None)...)
			continue
		}
		parted = append(parted, g)
	}
	for i := range parted {
		parted[i].name()
	}
	return parted
}

// takes reports whether a column belongs to a group by its heading and its unit.
func (g *group) takes(c *column, t *table) bool {
	first := g.cols[0].public
	return first.Group == c.public.Group && (first.Unit == c.public.Unit || first.Group != "" && (c.size == 0 || g.cols[0].size == 0)) && len(t.cols) > 1
}

// part parts columns of other magnitudes, unless they are to stay together, and
// crowds.
func (g group) part(together bool) []group {
	byHand := slices.Clone(g.cols)
	slices.SortStableFunc(byHand, func(a, b *column) int {
		switch {
		case a.size > b.size:
			return -1
		case a.size < b.size:
			return 1
		}
		return 0
	})
	rank := map[*column]int{}
	at, top := 0, 0.0
	for _, c := range byHand {
		switch {
		case top == 0:
			top = c.size
		case c.size > 0 && c.size*apart < top && !together:
			at++
			top = c.size
		}
		rank[c] = at
	}
	var out []group
	order := map[int]int{}
	for _, c := range g.cols {
		i, ok := order[rank[c]]
		if !ok {
			i = len(out)
			order[rank[c]] = i
			out = append(out, group{label: g.label, rows: g.rows})
		}
		out[i].cols = append(out[i].cols, c)
	}
	var single []group
	for _, o := range out {
		if len(o.cols) > 1 && len(o.cols)*max(o.rows, 1) > crowd {
			for _, c := range o.cols {
				single = append(single, group{label: g.label, rows: g.rows, cols: []*column{c}})
			}
			continue
		}
		single = append(single, o)
	}
	return single
}

// name gives a group a title that says what is in it.
func (g *group) name() {
	if g.title != "" {
		return
	}
	names := make([]string, len(g.cols))
	for i, c := range g.cols {
		names[i] = strings.ReplaceAll(c.public.Name, "_", " ")
	}
	if len(names) > 3 {
		g.title = strings.Join(names[:3], ", ") + ", …"
		return
	}
	g.title = strings.Join(names, ", ")
}

// alike reports whether all columns have one unit and no heading.
func alike(cols []*column) bool {
	for _, c := range cols {
		u := c.public.Unit
		if c.public.Group != "" || u != cols[0].public.Unit && c.size > 0 && cols[0].size > 0 {
			return false
		}
	}
	return true
}

// hundred reports whether the last values of the columns add up to a hundred, as
// the shares of a processor's time do.
func hundred(cols []*column) bool {
	sum := 0.0
	for _, c := range cols {
		if c.least < 0 || c.public.Unit != lines.None && c.public.Unit != lines.Percent {
			return false
		}
		sum += c.value
	}
	return len(cols) >= 3 && math.Abs(sum-100) <= 2
}

// idle reports whether a share is what is left over.
func idle(c *column) bool {
	switch strings.ToLower(strings.Trim(c.public.Name, "%_ ")) {
	case "id", "idle":
		return true
	}
	return false
}

// chart draws a group.
func chart(g group, window quantity.Duration, others []*config.Chart) *config.Chart {
	spec := plotting.DefaultSpec()
	spec.Title, spec.Window, spec.Refresh = clip(g.title), window, quantity.Duration(500*time.Millisecond)
	if window > quantity.Duration(time.Hour) {
		spec.Refresh = quantity.Duration(time.Second)
	}
	unit := lines.None
	zero := true
	for _, c := range g.cols {
		if unit == lines.None {
			unit = c.public.Unit
		}
		zero = zero && c.least >= 0
		if g.whole && idle(c) || g.row != "" && !slices.Contains(c.rows, g.row) {
			continue
		}
		s := plotting.SeriesSpec{Metric: c.metric, Name: braces(c.public.Name)}
		switch {
		case g.row != "":
			s.Labels = map[string]string{g.label: g.row}
		case g.label != "" && len(g.cols) == 1:
			s.Name = "{" + g.label + "}"
		case g.label != "" && g.rows > 1:
			s.Name = "{" + g.label + "} " + braces(c.public.Name)
		}
		spec.Series = append(spec.Series, s)
	}
	if unit != lines.None {
		spec.Y.Unit = plotting.Unit(unit)
	}
	if g.whole {
		spec.Kind, spec.Stack, spec.Y = plotting.Area, true, plotting.Axis{Min: new(0.0), Max: new(100.0), Unit: plotting.Percent}
	} else if zero && (g.tied || unit != lines.None && unit != lines.Celsius) {
		spec.Y.Min = new(0.0)
	}
	if len(spec.Series) == 1 && g.label == "" {
		spec.Legend = plotting.LegendNone // the title says it
	}
	return &config.Chart{Name: slug(g.title, others), Spec: spec, ChartConfig: session.DefaultChartConfig()}
}

// clip keeps a title short and takes out what would be a variable.
func clip(s string) string {
	s = strings.ReplaceAll(s, "$", "＄")
	if len(s) > 80 {
		s = strings.ToValidUTF8(s[:80], "") + "…"
	}
	return s
}

// braces takes what would be a placeholder out of a column's name.
func braces(s string) string { return clip(strings.NewReplacer("{", "(", "}", ")").Replace(s)) }

// slug returns a chart's name that none of the others has.
func slug(title string, others []*config.Chart) string {
	var b strings.Builder
	for _, c := range strings.ToLower(title) {
		switch {
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
			b.WriteRune(c)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	name := strings.Trim(b.String()[:min(b.Len(), 40)], "-")
	if name == "" {
		name = "chart"
	}
	out := name
	for n := 2; slices.ContainsFunc(others, func(c *config.Chart) bool { return c.Name == out }); n++ {
		out = fmt.Sprintf("%s-%d", name, n)
	}
	return out
}
