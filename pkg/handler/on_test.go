package handler

import (
	"path"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

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

// An argument is compared by its fields, at any depth, and by what they mean.
func TestFitsFields(t *testing.T) {
	const arg = `{"action":"deploy","level":3,"ok":true,"none":null,"user":{"name":"ada","x.y":"z"},"a.b":"dotted","a":{"b":"nested"},"list":[1,2],"":"empty"}`
	for _, c := range []struct {
		path, pattern string
		want          bool
	}{
		{"action", "deploy", true},
		{"action", "dep*", true},
		{"action", "undo", false},
		{"absent", "*", false},
		{"level", "3", true},
		{"level", "3.0", true},
		{"level", "30e-1", true},
		{"level", "4", false},
		{"ok", "true", true},
		{"none", "null", true},
		{"user.name", "a?a", true},
		{"user.x.y", "z", true},
		{"user.absent", "*", false},
		{"a.b", "dotted", true}, // the whole name comes first
		{"a.b", "nested", false},
		{"list", "[1,2]", true},
		{"user", `{"name":"ada"*`, true},
		{"action.deploy", "*", false},
	} {
		v, there := lookup(decode([]byte(arg)), c.path)
		if got := there && fitsValue(c.pattern, v); got != c.want {
			t.Errorf("%s: %q fits: %v", c.path, c.pattern, got)
		}
	}
	for _, none := range []string{``, `"text"`, `5`, `[{"action":"deploy"}]`, `null`} {
		if _, there := lookup(decode([]byte(none)), "action"); there {
			t.Errorf("%s has a field", none)
		}
	}
}

// lookup must end, and find what was put there, for whatever names.
func FuzzLookup(f *testing.F) {
	f.Add([]byte(`{"a":{"b":1}}`), "a.b")
	f.Add([]byte(strings.Repeat(`{"a":`, 50)+"1"+strings.Repeat("}", 50)), strings.Repeat("a.", 49)+"a")
	f.Fuzz(func(t *testing.T, arg []byte, path string) {
		v := decode(arg)
		if found, there := lookup(v, path); there {
			fitsValue("*", found)
		}
		object := map[string]any{path: v}
		if got, there := lookup(object, path); !there || (got == nil) != (v == nil) {
			t.Errorf("%q is not found", path)
		}
	})
}
