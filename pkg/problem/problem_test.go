package problem_test

import (
	"strings"
	"testing"

	"github.com/chartd/chartd/pkg/problem"
)

func TestNearest(t *testing.T) {
	words := []string{"line", "area", "step", "scatter", "refresh", "window"}
	for got, want := range map[string]string{
		"lien": "line", "Line": "line", "scater": "scatter", "refersh": "refresh",
		"windw": "window", "pie": "", "": "", "heatmap": "", strings.Repeat("window", 1<<20): "",
	} {
		if near := problem.Nearest(got, words); near != want {
			t.Errorf("Nearest(%q) = %q, want %q", got, near, want)
		}
	}
}

func TestUnder(t *testing.T) {
	ps := problem.Under("charts.cpu", problem.Under("series", []problem.Problem{
		{Path: "[0].metric", What: "is empty", Want: "a metric's name"}, {What: "is empty"},
	}))
	for i, want := range []string{"charts.cpu.series[0].metric: is empty; a metric's name", "charts.cpu.series: is empty"} {
		if got := ps[i].Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
