package strictyaml_test

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/chartd/chartd/pkg/config/strictyaml"
)

type overlaid struct {
	Name  string         `yaml:"name"`
	Inner overlaidInner  `yaml:"inner"`
	Other overlaidInner  `yaml:"other"`
	Map   map[string]int `yaml:"map"`
	List  []string       `yaml:"list"`
}

type overlaidInner struct {
	A    int           `yaml:"a"`
	B    int           `yaml:"b"`
	Deep overlaidDeep  `yaml:"deep"`
	Ptr  *overlaidDeep `yaml:"ptr"`
}

type overlaidDeep struct {
	X int    `yaml:"x"`
	Y string `yaml:"y"`
}

func lay(t *testing.T, file string, sets ...string) (overlaid, string) {
	t.Helper()
	doc, err := strictyaml.Parse("f.yaml", []byte(file), func(name string) (string, bool) { return "7", name == "SEVEN" })
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sets {
		key, value, _ := strings.Cut(s, "=")
		doc.Set("--set "+key, key, value)
	}
	var v overlaid
	doc.Decode(&v)
	if err := doc.Err(); err != nil {
		return v, err.Error()
	}
	return v, ""
}

func TestSet(t *testing.T) {
	deep := func(x int, y string) overlaidDeep { return overlaidDeep{x, y} }
	tests := []struct {
		name, file string
		sets       []string
		want       overlaid
	}{
		{"nothing there", "", []string{"inner.deep.x=1"}, overlaid{Inner: overlaidInner{Deep: deep(1, "")}}},
		{"a section without a value", "inner:\n", []string{"inner.a=1"}, overlaid{Inner: overlaidInner{A: 1}}},
		{"beside", "inner: {a: 1}\n", []string{"inner.b=2"}, overlaid{Inner: overlaidInner{A: 1, B: 2}}},
		{"in place", "name: x\ninner: {a: 1, b: 2}\n", []string{"inner.a=3", "name=y"}, overlaid{Name: "y", Inner: overlaidInner{A: 3, B: 2}}},
		{"the last wins", "", []string{"name=x", "name=y"}, overlaid{Name: "y"}},
		{"in place of what is wrong", "inner: {a: [1]}\n", []string{"inner.a=3"}, overlaid{Inner: overlaidInner{A: 3}}},
		{"a list", "list: [a]\n", []string{"list=[b, c]"}, overlaid{List: []string{"b", "c"}}},
		{"a mapping", "inner: {a: 1}\n", []string{"inner={b: 2}"}, overlaid{Inner: overlaidInner{B: 2}}},
		{"text with = and :", "", []string{"name=http://a:1/?b=c"}, overlaid{Name: "http://a:1/?b=c"}},
		{"nothing", "inner: {ptr: {x: 1}}\n", []string{"inner.ptr="}, overlaid{}},
		{"a variable", "", []string{"inner.a=${SEVEN}"}, overlaid{Inner: overlaidInner{A: 7}}},
		{"an alias is changed here alone", "inner: &i {a: 1}\nother: *i\n", []string{"other.a=2"}, overlaid{Inner: overlaidInner{A: 1}, Other: overlaidInner{A: 2}}},
		{"an anchor is changed here alone", "inner: &i {a: 1}\nother: *i\n", []string{"inner.a=2"}, overlaid{Inner: overlaidInner{A: 2}, Other: overlaidInner{A: 1}}},
		{
			"what is merged in stays", "x-d: &d {a: 1, deep: {x: 1, y: z}}\ninner:\n  <<: *d\nother:\n  <<: *d\n",
			[]string{"inner.deep.x=2"},
			overlaid{Inner: overlaidInner{A: 1, Deep: deep(2, "z")}, Other: overlaidInner{A: 1, Deep: deep(1, "z")}},
		},
		{"an alias of its own", "", []string{"list=[&a x, *a]"}, overlaid{List: []string{"x", "x"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := lay(t, tt.file, tt.sets...)
			if err != "" {
				t.Fatal(err)
			}
			if a, b := dump(got), dump(tt.want); a != b {
				t.Errorf("got  %s\nwant %s", a, b)
			}
		})
	}
}

func TestSetErrors(t *testing.T) {
	tests := []struct{ file, set, want string }{
		{"", "inner.a=x", `--set inner.a: is the text "x"; want a whole number`},
		{"", "inner.c=1", `--set inner.c: inner: unknown key "c"; the keys here are: a, b, deep, ptr`},
		{"", "iner.a=1", `--set iner.a: unknown key "iner"; did you mean "inner"?`},
		{"name: x\n", "name.a=1", `--set name.a: name: is one text, which has no key "a"; want a mapping there`},
		{"", "name=[", `--set name: the value: a value is missing, or a "[" or "{" above is not closed`},
		{"", "name=*x", `--set name: the value: the alias *x has no anchor; put &x in front of a value above it, or put quotes around the text`},
		{"", "=1", `--set : "" is not the path of a value; write keys with dots between them, as server.max_connections; a list is set as a whole, as server.origins=[a, b]`},
		{"", "list[0]=1", `--set list[0]: "list[0]" is not the path of a value; write keys with dots between them, as server.max_connections; a list is set as a whole, as server.origins=[a, b]`},
		{"", "inner.a=${SIX}", `--set inner.a: the environment variable SIX is not set; set it, or give it a default: ${SIX:-default}`},
		{"", "inner={a: 1, a: 2}", `--set inner: the key "a" is given twice`},
		{"inner: {a: x}\nlist: 3\n", "inner.b=y", "f.yaml:1:12: inner.a: is the text \"x\"; want a whole number\n" +
			"f.yaml:2:7: list: is the number 3; want a list of texts\n--set inner.b: is the text \"y\"; want a whole number"},
		{"inner: &a {deep: *a}\n", "inner.deep.deep.x=1", "f.yaml:1:12: inner.deep: unknown key \"deep\"; the keys here are: x, y\nf.yaml:1:18: inner.deep: the alias *a stands inside its own anchor; an anchor must end before it is used"},
	}
	for _, tt := range tests {
		t.Run(tt.set, func(t *testing.T) {
			if _, err := lay(t, tt.file, tt.set); err != tt.want {
				t.Errorf("got  %s\nwant %s", err, tt.want)
			}
		})
	}
}

// What is laid over a document reads as if it had been written there, and what
// it is laid over does not change.
func TestSetIsAsWritten(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		number := rapid.IntRange(-5, 5)
		written := map[string]int{}
		file := "x-base: &base {a: 1, b: 2, deep: {x: 3}}\nother: *base\ninner:\n  <<: *base\n"
		for _, key := range []string{"a", "b"} {
			if rapid.Bool().Draw(rt, "has "+key) {
				written[key] = number.Draw(rt, key)
				file += "  " + key + ": " + dump(written[key]) + "\n"
			}
		}
		want, err := lay(t, file)
		if err != "" {
			rt.Fatal(err)
		}
		var sets []string
		for range rapid.IntRange(0, 5).Draw(rt, "sets") {
			n := number.Draw(rt, "value")
			switch key := rapid.SampledFrom([]string{"inner.a", "inner.b", "inner.deep.x", "other.a"}).Draw(rt, "key"); key {
			case "inner.a":
				want.Inner.A = n
				sets = append(sets, key+"="+dump(n))
			case "inner.b":
				want.Inner.B = n
				sets = append(sets, key+"="+dump(n))
			case "inner.deep.x":
				want.Inner.Deep.X = n
				sets = append(sets, key+"="+dump(n))
			case "other.a":
				want.Other.A = n
				sets = append(sets, key+"="+dump(n))
			}
		}
		got, err := lay(t, file, sets...)
		if err != "" || dump(got) != dump(want) {
			rt.Fatalf("%s\n%q\ngot  %s\nwant %s %s", file, sets, dump(got), dump(want), err)
		}
	})
}

func FuzzSet(f *testing.F) {
	f.Add("inner: &a {a: 1}\nother: *a\n", "other.deep.x", "[1, *a]")
	f.Add("", "a.b.c", "")
	f.Add("<<: [{a: 1}]\n", "inner", "&a {x: *a}")
	f.Fuzz(func(t *testing.T, file, key, value string) {
		doc, err := strictyaml.Parse("f", []byte(file), nil)
		if err != nil {
			return
		}
		doc.Set("--set", key, value)
		var v overlaid
		doc.Decode(&v)
		if err := doc.Err(); err != nil {
			for line := range strings.SplitSeq(err.Error(), "\n") {
				if !strings.HasPrefix(line, "f:") && !strings.HasPrefix(line, "--set: ") {
					t.Errorf("a mistake without a place: %q", line)
				}
			}
		}
	})
}

func dump(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
