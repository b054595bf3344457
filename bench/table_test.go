package main

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestNumber(t *testing.T) {
	for x, want := range map[float64]string{
		0: "0", 0.126: "0.13", 9.96: "10.0", 9.94: "9.9", 12.4: "12", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1234: "-1,234", -123: "-123",
	} {
		if got := number(x); got != want {
			t.Errorf("number(%v) = %q; want %q", x, got, want)
		}
	}
	if got := number(math.NaN()); got != "–" {
		t.Errorf("number(NaN) = %q", got)
	}
}

// TestRatios pairs what was measured in one round: a round in which the machine
// was twice as slow says the same as the others.
func TestRatios(t *testing.T) {
	b := browserResult{
		layout: map[string][]float64{byPatch: {10, 20, 11}, byReplace: {100, 200, 100}},
		frame:  map[string][]float64{byPatch: {30, 60}, byReplace: {90, 180}, byDot: {10, 20}},
	}
	if got := b.layoutRatios(); !slices.Equal(got, []float64{0.1, 0.1, 0.11}) {
		t.Errorf("script, style, layout: %v", got)
	}
	if got := b.paintRatios(); !slices.Equal(got, []float64{0.25, 0.25}) {
		t.Errorf("with painting: %v", got)
	}
	if got := fraction(0.1); got != "1/10" {
		t.Errorf("a tenth is %s", got)
	}
}

func TestGoals(t *testing.T) {
	for _, tt := range []struct {
		goal    goal
		verdict string
		got     string
	}{
		{goal{"", 1. / 300, 1. / 200, ""}, "ok", "1/300"},
		{goal{"", 1. / 100, 1. / 200, ""}, "MISS", "1/100"},
		{goal{"", 5.2, 5, "×"}, "MISS", "5.2×"},
		{goal{"", 0, 0, ""}, "ok", "0"},
		{goal{"", math.NaN(), 5, "×"}, "not measured", "–"},
	} {
		if got := tt.goal.verdict(); got != tt.verdict {
			t.Errorf("%v: %q; want %q", tt.goal, got, tt.verdict)
		}
		if got := tt.goal.text(tt.goal.got); got != tt.got {
			t.Errorf("%v is written %q; want %q", tt.goal, got, tt.got)
		}
	}
	var b strings.Builder
	if printGoals(&b, []goal{{"a", 2, 1, ""}}) || !printGoals(&b, []goal{{"a", math.NaN(), 1, ""}, {"b", 1, 1, ""}}) {
		t.Errorf("a miss holds, or what was not measured does not:\n%s", &b)
	}
}

// TestGoalsOfNothing measures nothing: no goal may hold by itself.
func TestGoalsOfNothing(t *testing.T) {
	for _, g := range goals(&comparison{}, nil, nil) {
		if g.verdict() != "not measured" {
			t.Errorf("%s: %s", g.what, g.verdict())
		}
	}
}

// TestData holds what a comparison over the years rests on.
func TestData(t *testing.T) {
	var got [series]float64
	for s := range series {
		got[s] = sample(12345, s)
	}
	if want := [series]float64{24.6, 36.1, 44.9, 63.2}; got != want {
		t.Errorf("sample 12345 is %v; it was %v", got, want)
	}
	for i := range int64(10_000) {
		for s := range series {
			if v := sample(i, s); v < 0 || v > 100 || math.Abs(v*10-math.Round(v*10)) > 1e-9 {
				t.Fatalf("sample %d of series %d is %v; want a percentage with one digit behind the point", i, s, v)
			}
		}
	}
	d := newTable()
	if len(d.t) != points+turns || d.t[1]-d.t[0] != step || d.v[3][77] != sample(77, 3) {
		t.Error("the table is not what sample says")
	}
}
