package plotting

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/chartd/chartd/pkg/problem"
)

// Validate returns what is wrong with the spec; it can be drawn if that is
// nothing.
func (s *Spec) Validate() []problem.Problem {
	var ps []problem.Problem
	add := func(path, want, format string, args ...any) {
		ps = append(ps, problem.Problem{Path: path, What: fmt.Sprintf(format, args...), Want: want})
	}
	if !slices.Contains(Kinds(), s.Kind) {
		add("kind", problem.OneOf(s.Kind, Kinds()), "there is no kind %q", s.Kind)
	} else if s.Stack && s.Kind != Area {
		add("stack", "kind: area, or leave stack out", "a %s chart cannot be stacked", s.Kind)
	}
	if s.Refresh != 0 && s.Refresh < MinRefresh || s.Refresh > MaxWindow {
		add("refresh", fmt.Sprintf("at least %v, or 0 to draw only when a callback asks; a bare number is milliseconds", MinRefresh), "%v is too short or too long", s.Refresh)
	}
	if s.Window < MinWindow || s.Window > MaxWindow {
		add("window", fmt.Sprintf("%v to %v; a bare number is milliseconds", MinWindow, MaxWindow), "%v is out of range", s.Window)
	}
	if s.Gap < 0 {
		add("gap", "a duration, or 0 to break the line only where a value is missing", "%v is negative", s.Gap)
	}
	if min(s.Size[0], s.Size[1]) < MinSide || max(s.Size[0], s.Size[1]) > MaxSide {
		add("size", fmt.Sprintf("[width, height] in px, each %d to %d, such as [800, 400]", MinSide, MaxSide), "[%d, %d] is out of range", s.Size[0], s.Size[1])
	}
	for _, end := range []struct {
		path string
		at   *float64
	}{{"y.min", s.Y.Min}, {"y.max", s.Y.Max}} {
		if end.at != nil && !(math.Abs(*end.at) <= mostValue) { // NaN, too
			add(end.path, fmt.Sprintf("a number from %g to %g", -mostValue, mostValue), "%v is no end of an axis", *end.at)
		}
	}
	if s.Y.Min != nil && s.Y.Max != nil && *s.Y.Min >= *s.Y.Max {
		add("y.max", fmt.Sprintf("more than y.min, which is %v", *s.Y.Min), "%v is not above the axis' other end", *s.Y.Max)
	}
	for _, text := range []struct{ path, s string }{
		{"title", s.Title}, {"description", s.Description}, {"y.label", s.Y.Label}, {"y.unit", string(s.Y.Unit)},
	} {
		if len(text.s) > MaxText || !utf8.ValidString(text.s) {
			add(text.path, fmt.Sprintf("at most %d bytes of UTF-8", MaxText), "the text has %d bytes, or they are no UTF-8", len(text.s))
		}
	}
	s.validateVars(add)
	s.checkVars(add)
	switch s.Legend {
	case LegendBottom, LegendNone:
	default:
		add("legend", problem.OneOf(s.Legend, []Legend{LegendBottom, LegendNone}), "there is no place %q for a legend", s.Legend)
	}
	if !slices.Contains(Missings(), s.Missing) {
		add("missing", problem.OneOf(s.Missing, Missings()), "there is no way %q to treat what is missing", s.Missing)
	}
	if len(s.Thresholds) > MaxThresholds {
		add("thresholds", fmt.Sprintf("at most %d", MaxThresholds), "%d thresholds", len(s.Thresholds))
	}
	for i, t := range s.Thresholds {
		if field, err := t.check(); err != nil {
			what, want, _ := strings.Cut(err.Error(), "; ")
			add(fmt.Sprintf("thresholds[%d].%s", i, field), want, "%s", what)
		}
	}
	for i, v := range s.LegendValues {
		path := fmt.Sprintf("legend_values[%d]", i)
		switch {
		case !slices.Contains(LegendValues(), v):
			add(path, problem.OneOf(v, LegendValues()), "there is no value %q", v)
		case slices.Contains(s.LegendValues[:i], v):
			add(path, "each value once", "%q stands there twice", v)
		}
	}
	if s.Timezone != "" {
		if _, err := time.LoadLocation(s.Timezone); err != nil {
			add("timezone", `a name such as "Europe/Berlin" or "UTC"`, "there is no time zone %q", s.Timezone)
		}
	}
	if len(s.Series) == 0 {
		add("series", "a list such as [{metric: host_load}]", "the chart shows no series")
	}
	for i, series := range s.Series {
		path := fmt.Sprintf("series[%d]", i)
		switch {
		case series.Transform != "":
			s.checkTransform(path, series, add)
		case series.Metric == "":
			add(path+".metric", "the metric's name, such as host_load, or a transform", "is empty")
		}
		for label, value := range series.Labels {
			if err := s.tryCondition(label, value); err != nil {
				add(path+".labels."+label, `"value", "!=value", "=~regexp" or "!~regexp"`, "%v", err)
			}
		}
		if len(series.Name) > MaxText {
			add(path+".name", fmt.Sprintf("at most %d bytes", MaxText), "the text has %d bytes", len(series.Name))
		}
	}
	return ps
}

var _ problem.Validator = (*Spec)(nil)
