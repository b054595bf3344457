package plotting_test

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/chartd/chartd/pkg/plotting"
)

// TestThresholds: what has been reached is seen in every kind, and a view's
// thresholds take the place of its chart's.
func TestThresholds(t *testing.T) {
	warn := plotting.Threshold{At: 1, Text: "busy"}
	for _, c := range []struct {
		kind plotting.Kind
		ts   []plotting.Threshold
		own  *[]plotting.Threshold // of the view
		want []string
		not  []string
	}{
		{kind: plotting.Line, ts: []plotting.Threshold{warn}, want: []string{"class='sw'", ">busy</text>"}},
		{kind: plotting.Line, ts: []plotting.Threshold{{At: 1e9}}, not: []string{"class='sw'"}}, // off the axis
		{kind: plotting.Stat, ts: []plotting.Threshold{warn}, want: []string{"class='fw b'"}},
		{kind: plotting.Stat, ts: []plotting.Threshold{warn, {At: 2, Level: plotting.Alarm}}, want: []string{"class='fa b'"}, not: []string{"class='fw b'"}},
		{kind: plotting.Stat, ts: []plotting.Threshold{{At: 1, Level: plotting.Note}}, want: []string{"class='ff b'"}},
		{kind: plotting.Stat, ts: []plotting.Threshold{{At: 1e9, Below: true}}, want: []string{"class='fw b'"}},
		{kind: plotting.Stat, ts: []plotting.Threshold{{At: 1, Below: true}}, want: []string{"class='ff b'"}},
		{kind: plotting.Gauge, ts: []plotting.Threshold{warn}, want: []string{"class='sw' stroke-width"}},
		{kind: plotting.Bar, ts: []plotting.Threshold{warn}, want: []string{"class='fw'", "class='sw'"}},
		{kind: plotting.Stat, ts: []plotting.Threshold{warn}, own: &[]plotting.Threshold{}, want: []string{"class='ff b'"}},
		{kind: plotting.Stat, own: &[]plotting.Threshold{warn}, want: []string{"class='fw b'"}},
	} {
		spec := plotting.DefaultSpec()
		spec.Kind, spec.Thresholds = c.kind, c.ts
		spec.Series = []plotting.SeriesSpec{{Metric: "m"}}
		got := string(render(t, filled(t), &spec, plotting.Change{Thresholds: c.own}).AppendSVG(nil))
		for _, want := range c.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s %+v %+v: no %s", c.kind, c.ts, c.own, want)
			}
		}
		for _, not := range c.not {
			if strings.Contains(got, not) {
				t.Errorf("%s %+v %+v: there is %s", c.kind, c.ts, c.own, not)
			}
		}
	}
}

// TestThresholdsBeside: the texts of thresholds that lie close to each other stand
// side by side.
func TestThresholdsBeside(t *testing.T) {
	spec := specs()["line"]
	spec.Thresholds = []plotting.Threshold{{At: 30, Text: "one"}, {At: 30.1, Text: "two"}, {At: 10, Text: "far"}, {At: 29.9, Text: "three"}, {At: 30, Text: strings.Repeat("long ", 50)}}
	got := map[string][2]int{}
	for _, m := range regexp.MustCompile(`font-size='110' x='(\d+)' y='(\d+)'>(\w+)`).FindAllStringSubmatch(svg(render(t, filled(t), &spec, plotting.Change{})), -1) {
		x, _ := strconv.Atoi(m[1])
		y, _ := strconv.Atoi(m[2])
		got[m[3]] = [2]int{x, y}
	}
	one, two, three, far := got["one"], got["two"], got["three"], got["far"]
	if one[0] != far[0] || two[0] < one[0]+150 || three[0] < two[0]+150 || one[1]-two[1] > 20 || three[1]-one[1] > 20 {
		t.Errorf("the texts stand at %v", got)
	}
}

// TestTheChartsOwnThresholds: who asks for what the chart has anyway sees the
// common view.
func TestTheChartsOwnThresholds(t *testing.T) {
	spec := plotting.DefaultSpec()
	spec.Series = []plotting.SeriesSpec{{Metric: "m"}}
	spec.Thresholds = []plotting.Threshold{{At: 2}, {At: 1, Level: plotting.Warn}}
	v, err := spec.Change(spec.View("c"), plotting.Change{Thresholds: &[]plotting.Threshold{{At: 1}, {At: 2}}})
	if err != nil || v != spec.View("c") {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestBadThresholdsAndBands(t *testing.T) {
	spec := plotting.DefaultSpec()
	spec.Series = []plotting.SeriesSpec{{Metric: "m"}}
	many := make([]plotting.Threshold, plotting.MaxThresholds+1)
	for _, c := range []struct {
		ch   plotting.Change
		want string
	}{
		{plotting.Change{Thresholds: &[]plotting.Threshold{{At: math.NaN()}}}, "thresholds: 1, at: NaN is no value on an axis"},
		{plotting.Change{Thresholds: &[]plotting.Threshold{{}, {Level: "alrm"}}}, `thresholds: 2, level: there is no level "alrm"; did you mean "alarm"?`},
		{plotting.Change{Thresholds: &[]plotting.Threshold{{Text: strings.Repeat("x", 300)}}}, "thresholds: 1, text: 300 bytes"},
		{plotting.Change{Thresholds: &many}, "thresholds: 17 thresholds; at most 16"},
		{plotting.Change{Marks: &[]plotting.Mark{{T: 10, To: 9}}}, "marks: a band from 10 to 9; it ends after it begins"},
	} {
		if _, err := spec.Change(spec.View("c"), c.ch); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}
