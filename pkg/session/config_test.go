package session

import (
	"fmt"
	"path"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/problem"
)

func texts(ps []problem.Problem) string {
	var out []string
	for _, p := range ps {
		out = append(out, p.Error())
	}
	return strings.Join(out, "\n")
}

func TestConfigValidate(t *testing.T) {
	if ps := DefaultConfig().Validate(); len(ps) > 0 {
		t.Errorf("the defaults: %v", ps)
	}
	equal(t, texts(Config{TTL: -1, MaxCallbacksWaiting: -1}.Validate()), `max_sessions: is 0; at least 1
max_sessions_per_address: is 0; at least 1
max_views: is 0; at least 1
max_subscriptions: is 0; at least 1
messages_per_second: is 0; at least 1
new_views_per_minute: is 0; at least 1
callbacks_per_second: is 0; at least 1
max_callbacks_waiting: is -1; at least 0
ttl: is -1ns; 0 to 1d
callback_timeout: is 0; 10ms to 10m
hello_timeout: is 0; 100ms to 10m
max_queue: is 0; 4KiB to 1GiB`)
}

func TestChartConfigValidate(t *testing.T) {
	if ps := DefaultChartConfig().Validate(); len(ps) > 0 {
		t.Errorf("the defaults: %v", ps)
	}
	c := ChartConfig{Scope: "share", Callbacks: []CallbackRule{{On: "a"}, {}, {On: "a"}}}
	equal(t, texts(c.Validate()), `scope: no scope "share"; did you mean "shared"? It is one of: view, shared
callbacks[1].on: is missing; the argument of the callback, as "MyCustomArgs" or "zoom-*"
callbacks[2].on: "a" stands in callbacks[0] already, and the first decides; one rule for each argument`)
	c = ChartConfig{Scope: ScopeShared, Callbacks: []CallbackRule{{On: "a", Set: plotting.Change{Paused: new(true)}}}}
	equal(t, texts(c.Validate()), `callbacks[0].set.paused: pauses one viewer, but the scope is shared; scope: view, or no paused`)
	spec := plotting.DefaultSpec()
	c = ChartConfig{Callbacks: []CallbackRule{
		{On: "ok", Set: plotting.Change{Window: window(3600e9)}},
		{On: "bad", Set: plotting.Change{Window: window(1), Vars: map[string]string{"x": "y"}}},
	}}
	equal(t, texts(c.Against(&spec)), `callbacks[1].set: window: 1ns is not between 1s and 3660d
callbacks[1].set: vars: the chart has no var "x"; it has []`)
}

func TestFits(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"a", "a", true},
		{"a", "b", false},
		{"a", "", false},
		{"*", "", true},
		{"*", "x/y", true},
		{"?", "", false},
		{"?", "é", true},
		{"zoom-*", "zoom-", true},
		{"zoom-*", "zoom-7d", true},
		{"zoom-*", "zoo", false},
		{"*-*", "a-b-c", true},
		{"*b", "abab", true},
		{"*b?", "abab", false},
		{"a*b*c", "axxbyyc", true},
		{"a*b*c", "axxbyy", false},
		{"a?c*", "abc", true},
		{"[a]", "a", false},
		{"[a]", "[a]", true},
		{`a\*`, `a\x`, true},
		{"a*", "b", false},
		{"**", "x", true},
	} {
		if got := fits(c.pattern, c.text); got != c.want {
			t.Errorf("%q fits %q: %v", c.pattern, c.text, got)
		}
	}
}

// Where path.Match means the same, it is the second opinion.
func TestFitsLikePathMatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringOf(rapid.SampledFrom([]rune("ab*?"))).Draw(t, "pattern")
		text := rapid.StringOf(rapid.SampledFrom([]rune("ab"))).Draw(t, "text")
		want, err := path.Match(pattern, text)
		if err != nil {
			t.Fatal(err)
		}
		if got := fits(pattern, text); got != want {
			t.Fatalf("%q fits %q: %v, path.Match says %v", pattern, text, got, want)
		}
	})
}

// A hostile argument must not cost more than its length times the pattern's.
func FuzzFits(f *testing.F) {
	f.Add("a*b*c", "axbxc")
	f.Add(strings.Repeat("*a", 50), strings.Repeat("a", 500))
	f.Fuzz(func(t *testing.T, pattern, text string) {
		got := fits(pattern, text)
		if !strings.ContainsAny(pattern, "*?") && got != (pattern == text) {
			t.Errorf("%q fits %q: %v", pattern, text, got)
		}
		if !fits("*"+text+"*", text) {
			t.Errorf("%q does not fit itself between stars", text)
		}
	})
}

func TestFirstRuleWins(t *testing.T) {
	c := ChartConfig{Callbacks: []CallbackRule{{On: "a*"}, {On: "ab"}, {On: "*"}}}
	for arg, want := range map[string]string{"ab": "a*", "b": "*", "": "*"} {
		if r := c.rule(arg); r == nil || r.On != want {
			t.Errorf("%q: %+v", arg, r)
		}
	}
	if r := (&ChartConfig{}).rule("a"); r != nil {
		t.Error(fmt.Sprint("a rule out of nothing: ", r))
	}
}
