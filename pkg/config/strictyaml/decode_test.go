package strictyaml_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/chartd/chartd/pkg/config/strictyaml"
	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/quantity"
)

type inner struct {
	Min  *float64 `yaml:"min"`
	Unit string   `yaml:"unit"`
}

type common struct {
	Refresh quantity.Duration  `yaml:"refresh"`
	Every   *quantity.Duration `yaml:"every"`
}

type item struct {
	Metric string            `yaml:"metric"`
	Labels map[string]string `yaml:"labels"`
}

type sample struct {
	common
	Title  string          `yaml:"title"`
	Stack  bool            `yaml:"stack"`
	Size   [2]int          `yaml:"size"`
	Small  int8            `yaml:"small"`
	Count  uint16          `yaml:"count"`
	Ratio  float64         `yaml:"ratio"`
	Limit  quantity.Bytes  `yaml:"limit"`
	Y      inner           `yaml:"y"`
	Series []item          `yaml:"series"`
	Hidden *[]string       `yaml:"hidden"`
	Later  strictyaml.Node `yaml:"later"`
	Secret string          `yaml:"-"`
}

func (s sample) Validate() []problem.Problem {
	var ps []problem.Problem
	for i, it := range s.Series {
		if it.Metric == "" {
			ps = append(ps, problem.Problem{Path: fmt.Sprintf("series[%d].metric", i), What: "is missing", Want: "a name"})
		}
	}
	if s.Refresh < 0 {
		ps = append(ps, problem.Problem{Path: "refresh", What: "is negative"})
	}
	if s.Y.Unit == "bad" {
		ps = append(ps, problem.Problem{Path: "y.unit", What: "is bad"})
	}
	return ps
}

func environment(name string) (string, bool) {
	v, ok := map[string]string{
		"PORT": "8080", "EMPTY": "", "INJECT": "x: {y: [1\n- ", "ON": "true", "WAIT": "2s", "WORD": "word", "DOLLAR": "${PORT}",
	}[name]
	return v, ok
}

// decode returns what text gives and the messages without the file's name.
func decode(t *testing.T, text string) (sample, []string) {
	t.Helper()
	v := sample{Title: "default", Size: [2]int{8, 4}, Y: inner{Unit: "short"}}
	doc, err := strictyaml.Parse("f", []byte(text), environment)
	if err == nil {
		doc.Decode(&v)
		doc.Check("", v)
		err = doc.Err()
	}
	if err == nil {
		return v, nil
	}
	var lines []string
	for line := range strings.Lines(err.Error()) {
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), "f:")
		if !ok {
			t.Errorf("an error without its file: %q", line)
		}
		lines = append(lines, rest)
	}
	return v, lines
}

func TestDecodeGood(t *testing.T) {
	half := 0.5
	second := quantity.Duration(1e9)
	base := func(change func(*sample)) sample {
		v := sample{Title: "default", Size: [2]int{8, 4}, Y: inner{Unit: "short"}}
		change(&v)
		return v
	}
	tests := map[string]struct {
		text string
		want sample
	}{
		"empty":             {"", base(func(*sample) {})},
		"comments":          {"# nothing\n\n# here\n", base(func(*sample) {})},
		"marker":            {"---\n", base(func(*sample) {})},
		"null":              {"~\n", base(func(*sample) {})},
		"bom":               {"\ufefftitle: a\n", base(func(v *sample) { v.Title = "a" })},
		"windows":           {"title: a\r\nsmall: 3\r\n", base(func(v *sample) { v.Title, v.Small = "a", 3 })},
		"empty sections":    {"y:\nseries:\nlater:\n", base(func(*sample) {})},
		"embedded":          {"refresh: 250\nevery: 1s\n", base(func(v *sample) { v.Refresh, v.Every = 250e6, &second })},
		"null pointer":      {"every: ~\n", base(func(*sample) {})},
		"keeps the rest":    {"y: {min: 0.5}\n", base(func(v *sample) { v.Y.Min = &half })},
		"number as text":    {"title: 007\n", base(func(v *sample) { v.Title = "007" })},
		"bool as text":      {"title: true\n", base(func(v *sample) { v.Title = "true" })},
		"date as text":      {"title: 2026-01-02\n", base(func(v *sample) { v.Title = "2026-01-02" })},
		"list":              {"size: [10, 0x10]\n", base(func(v *sample) { v.Size = [2]int{10, 16} })},
		"float of an int":   {"ratio: 1_000\n", base(func(v *sample) { v.Ratio = 1000 })},
		"bytes":             {"limit: 64KiB\n", base(func(v *sample) { v.Limit = 65536 })},
		"empty list":        {"hidden: []\n", base(func(v *sample) { v.Hidden = &[]string{} })},
		"pointer to a list": {"hidden: [a, b]\n", base(func(v *sample) { v.Hidden = &[]string{"a", "b"} })},
		"extension":         {"x-base: &b {min: 0.5}\ny: *b\n", base(func(v *sample) { v.Y.Min = &half })},
		"merge":             {"x-base: &b {min: 0.5, unit: s}\ny: {<<: *b, unit: m}\n", base(func(v *sample) { v.Y = inner{&half, "m"} })},
		"merge list": {
			"x-a: &a {unit: a}\nx-b: &b {unit: b, min: 0.5}\ny: {<<: [*a, *b]}\n",
			base(func(v *sample) { v.Y = inner{&half, "a"} }),
		},
		"an alias twice": {
			"x-a: &a {metric: m}\nseries: [*a, *a]\n",
			base(func(v *sample) { v.Series = []item{{Metric: "m"}, {Metric: "m"}} }),
		},
		"variables": {
			"title: \"a ${WORD} b\"\nsmall: ${NONE:-7}\ncount: \"${PORT}\"\nstack: ${ON}\nrefresh: ${WAIT}\nratio: ${NONE:-0.25}\nlimit: ${PORT}\n",
			base(func(v *sample) {
				v.Title, v.Small, v.Count, v.Stack, v.Refresh, v.Ratio, v.Limit = "a word b", 7, 8080, true, 2e9, 0.25, 8080
			}),
		},
		"a value is not YAML":         {"title: ${INJECT}\n", base(func(v *sample) { v.Title = "x: {y: [1\n- " })},
		"a value is not expanded":     {"title: ${DOLLAR}\n", base(func(v *sample) { v.Title = "${PORT}" })},
		"plotting vars stay":          {"title: $host of $$5 $${PORT} {mode}\n", base(func(v *sample) { v.Title = "$host of $5 ${PORT} {mode}" })},
		"an empty one takes default":  {"title: ${EMPTY:-x}\n", base(func(v *sample) { v.Title = "x" })},
		"an empty one":                {"title: ${EMPTY}\n", base(func(v *sample) { v.Title = "" })},
		"nested defaults":             {"title: ${NONE:-${ALSO:-${WORD}}}!\n", base(func(v *sample) { v.Title = "word!" })},
		"an unused default may be of": {"title: ${WORD:-${NONE}}\n", base(func(v *sample) { v.Title = "word" })},
		"keys keep their dollars":     {"series: [{metric: m, labels: {\"${WORD}\": x}}]\n", base(func(v *sample) { v.Series = []item{{"m", map[string]string{"${WORD}": "x"}}} })},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, errs := decode(t, tt.text)
			if len(errs) > 0 {
				t.Fatalf("%q gives errors:\n%s", tt.text, strings.Join(errs, "\n"))
			}
			got.Later = strictyaml.Node{}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%q gives\n%+v, want\n%+v", tt.text, got, tt.want)
			}
		})
	}
}

func TestDecodeBad(t *testing.T) {
	const keys = "refresh, every, title, stack, size, small, count, ratio, limit, y, series, hidden, later"
	tests := []struct {
		text string
		want []string
	}{
		{"titel: a\n", []string{`1:1: unknown key "titel"; did you mean "title"?`}},
		{"y:\n  zz: 1\n", []string{`2:3: y: unknown key "zz"; the keys here are: min, unit`}},
		{"Secret: a\n", []string{`1:1: unknown key "Secret"; the keys here are: ` + keys}},
		{"title: a\ntitle: b\n", []string{`2:1: the key "title" is given twice; it stands on line 1 already`}},
		{"- a\n", []string{`1:1: is a list; want a mapping with the keys ` + keys}},
		{"title: {mode}\n", []string{`1:8: title: is a mapping; put quotes around it if you mean the text: "{mode}"`}},
		{"title: {{ .arg | after \":\" }}\n", []string{`1:8: title: is a mapping; put quotes around it if you mean the text: '{{ .arg | after ":" }}'`}},
		{"title: [a]\n", []string{`1:8: title: is a list; want text`}},
		{"title:\n", []string{`1:7: title: has no value; want text`}},
		{"stack: yes\n", []string{`1:8: stack: is the text "yes"; want true or false`}},
		{"stack: 'true'\n", []string{`1:8: stack: is the text "true"; want true or false, without quotes`}},
		{"stack: 1\n", []string{`1:8: stack: is the number 1; want true or false`}},
		{"small: 1.5\n", []string{`1:8: small: is the number 1.5; want a whole number`}},
		{"small: 128\n", []string{`1:8: small: is the number 128; want a whole number of -128 to 127`}},
		{"count: -1\n", []string{`1:8: count: is the number -1; want a whole number of 0 to 65535`}},
		{"count: 070\n", []string{`1:8: count: is the number 070; want a whole number`}},
		{"count: '7'\n", []string{`1:8: count: is the text "7"; want a whole number, without quotes`}},
		{"ratio: .inf\n", []string{`1:8: ratio: is the number .inf; want a finite number`}},
		{"ratio: nan\n", []string{`1:8: ratio: is the text "nan"; want a finite number`}},
		{"ratio: true\n", []string{`1:8: ratio: is true; want a number`}},
		{"ratio: 1e999\n", []string{`1:8: ratio: is the text "1e999"; want a finite number`}},
		{"refresh: soon\n", []string{`1:10: refresh: "soon" is not a duration; write it as "500ms", "30s", "5m", "1h", "7d" or a number of milliseconds`}},
		{"refresh: [1]\n", []string{`1:10: refresh: is a list; want a duration`}},
		{"limit: much\n", []string{`1:8: limit: "much" is not a size; write it as 65536, "64KiB" or "10MiB"`}},
		{"refresh: -1s\n", []string{`1:10: refresh: is negative`}},
		{"size: 5\n", []string{`1:7: size: is the number 5; want a list of 2 whole numbers`}},
		{"size: [1, 2, 3]\n", []string{`1:7: size: the number of items is 3; want a list of 2 whole numbers`}},
		{"size: [1, x]\n", []string{`1:11: size[1]: is the text "x"; want a whole number`}},
		{"series: {metric: a}\n", []string{`1:9: series: is a mapping; want a list of mappings; an item of a list begins with "- "`}},
		{"series: [{labels: {a: {b: 1}}}]\n", []string{
			`1:10: series[0].metric: is missing; a name`,
			`1:23: series[0].labels.a: is a mapping; want text`,
		}},
		{"series: [{labels: [x]}]\n", []string{
			`1:10: series[0].metric: is missing; a name`,
			`1:19: series[0].labels: is a list; want a mapping of names to texts`,
		}},
		{"series:\n  - {metrc: a}\n  - labels: {}\n", []string{
			`2:6: series[0]: unknown key "metrc"; did you mean "metric"?`,
			`3:5: series[1].metric: is missing; a name`,
		}},
		{"y: 5\nseries: [{}]\n", []string{
			`1:4: y: is the number 5; want a mapping with the keys min, unit`,
			`2:10: series[0].metric: is missing; a name`,
		}},
		{"y: &a {unit: bad}\n", []string{`1:14: y.unit: is bad`}},
		{"? [1]\n: 2\n", []string{`1:3: a key is a list; a key is one word`}},
		{"? \"a b\"\n: 2\n", []string{`1:3: unknown key "a b"; the keys here are: ` + keys}},
		{"series: [{metric: m, labels: {\"a b\": []}}]\n", []string{`1:38: series[0].labels["a b"]: is a list; want text`}},
		{"title: !ruby 5\n", []string{`1:8: title: unknown tag "!ruby"; remove it`}},
		{"title: a\n---\ntitle: b\n", []string{`2:1: a second document begins here; one file holds one document: remove the "---" or "..." line`}},
		{"title: ${NONE}\n", []string{`1:8: title: the environment variable NONE is not set; set it, or give it a default: ${NONE:-default}`}},
		{"title: ${NONE} ${A} ${NONE} ${B}\n", []string{`1:8: title: the environment variables NONE, A and B are not set; set it, or give it a default: ${NONE:-default}`}},
		{"title: ${NONE\n", []string{`1:8: title: "${" has no closing "}"; write ${NAME}, ${NAME:-default}, or $${ for the characters themselves`}},
		{"title: ${NONE:-a\n", []string{`1:8: title: "${" has no closing "}"; write ${NAME}, ${NAME:-default}, or $${ for the characters themselves`}},
		{"title: ${a b}\n", []string{`1:8: title: "a b" is not the name of an environment variable; write ${NAME}, ${NAME:-default}, or $${ for the characters themselves`}},
		{"title: ${A:?x}\n", []string{`1:8: title: ":?" follows the name A in ${…}; a default is written ${A:-default}`}},
		{"small: ${WORD}\n", []string{`1:8: small: is "word", made from "${WORD}"; want a whole number`}},
		{"refresh: 1${WORD}\n", []string{`1:10: refresh: "1word" is not a duration, made from "1${WORD}"; write it as "500ms", "30s", "5m", "1h", "7d" or a number of milliseconds`}},
		{"y: &a {<<: *a}\n", []string{`1:12: y: the alias *a stands inside its own anchor; an anchor must end before it is used`}},
		{"y: {<<: 5}\n", []string{`1:9: y: "<<" is the number 5; want an alias of a mapping, as *name`}},
		{"y: {<<: [5]}\n", []string{`1:10: y: "<<" lists the number 5; want aliases of mappings, as [*a, *b]`}},
	}
	for _, tt := range tests {
		_, got := decode(t, tt.text)
		if !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%q gives\n\t%s\nwant\n\t%s", tt.text, strings.Join(got, "\n\t"), strings.Join(tt.want, "\n\t"))
		}
	}
}

func TestSyntax(t *testing.T) {
	tests := []struct{ text, want string }{
		{"\ttitle: a\n", `1:1: a tab in the indentation; YAML is indented with spaces`},
		{"y:\n\tmin: 1\n", `2:1: a tab in the indentation; YAML is indented with spaces`},
		{"y:\n  min: 1\n \tunit: a\n", `3:2: a tab in the indentation; YAML is indented with spaces`},
		{"title: @a\n", `1:8: a value cannot begin with '@'; put quotes around the text`},
		{"title: a: b\n", `1:9: a ":" where no key can stand; put quotes around a value with a colon in it`},
		{"title: a\ny:\n  unit\n  min: 1\n", `4:3: a key where none can stand; does the line above lack its ":", or is this one indented too far?`},
		{"title: a\nstack\nsmall: 3\n", `2:1: a key without a ":"; write it as "key: value"`},
		{"y:\n  min: 1\n unit: a\n", `3:2: the indentation fits nothing above; the keys of the mapping on line 1 begin in column 1`},
		{"size:\n  - 1\n 2\n", `3:2: the indentation fits nothing above; the keys of the mapping on line 1 begin in column 1`},
		{"size: [1, 2\nsmall: 3\n", `1:7: the "[" that begins here does not end well; separate its items by commas and close it with "]"`},
		{"y: {unit: ${WORD}}\n", `1:4: the "{" that begins here does not end well; separate its items by commas and close it with "}"; inside { } and [ ] a ${VARIABLE} needs quotes`},
		{"size: [1,\n", `2:1: a value is missing, or a "[" or "{" above is not closed`},
		{"title: \"a\n", `1:8: the quotes that begin here are not closed`},
		{"title: \"a\\q\"\n", `1:10: an unknown escape in double quotes; write "\\" for a backslash, or use single quotes`},
		{"title: *a\n", `1:8: the alias *a has no anchor; put &a in front of a value above it, or put quotes around the text`},
		{"title: *\n", `1:9: "*" or "&" begins an alias or an anchor, but no name follows; put quotes around the text`},
		{"\xff\xfet\x00", `1:1: the file is encoded in UTF-16; save it as UTF-8`},
		{"title: a\nstack: \xe4\n", `2:8: the byte 0xe4 is not UTF-8; save the file as UTF-8`},
		{"title: \x1b[2J\n", `1:8: the control character U+001B; remove it, or write it as "\u…" in double quotes`},
		{"title: a\x00\n", `1:9: the control character U+0000; remove it, or write it as "\u…" in double quotes`},
		{strings.Repeat("#", strictyaml.MaxSize+1), `1:1: the file has 1048577 bytes; at most 1048576`},
	}
	for _, tt := range tests {
		_, got := decode(t, tt.text)
		if len(got) != 1 || got[0] != tt.want {
			t.Errorf("%.80q gives\n\t%s\nwant\n\t%s", tt.text, strings.Join(got, "\n\t"), tt.want)
		}
	}
}

func TestErrors(t *testing.T) {
	_, err := strictyaml.Parse("f.yaml", []byte("a: [1"), nil)
	one, ok := errors.AsType[*strictyaml.Error](err)
	if !ok || one.File != "f.yaml" || one.Line != 1 || one.Column != 4 {
		t.Errorf("%v is %+v, want a place in f.yaml:1:4", err, one)
	}
	var text strings.Builder
	for i := range 300 {
		fmt.Fprintf(&text, "zzz%d: 1\n", i)
	}
	doc, err := strictyaml.Parse("f", []byte(text.String()), nil)
	if err != nil {
		t.Fatal(err)
	}
	doc.Decode(&sample{})
	all, ok := errors.AsType[*strictyaml.Errors](doc.Err())
	if !ok || len(all.List) != 200 || all.More != 100 || !strings.HasSuffix(all.Error(), "\nf: and 100 more") {
		t.Errorf("300 mistakes give %d and %d more", len(all.List), all.More)
	}
}

func TestLaughs(t *testing.T) {
	var text strings.Builder
	text.WriteString("x-0: &a0 {k: v}\n")
	for i := 1; i < 12; i++ {
		fmt.Fprintf(&text, "x-%d: &a%d {<<: [", i, i)
		for range 10 {
			fmt.Fprintf(&text, "*a%d,", i-1)
		}
		text.WriteString("]}\n")
	}
	text.WriteString("y: {<<: *a11}\n")
	_, got := decode(t, text.String())
	if len(got) == 0 || got[0] != "1:1: the document has more than 600000 values; use fewer aliases of aliases" {
		t.Errorf("a billion laughs give %q", got)
	}
}

func TestEntries(t *testing.T) {
	const text = `x-base: &base {type: a}
later:
  two: {type: a, small: 1}
  one: {<<: *base, smal: 1}
  "a b": 5
`
	v := sample{}
	doc, err := strictyaml.Parse("f", []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	doc.Decode(&v)
	var got []string
	for _, e := range doc.Entries(v.Later, "a mapping") {
		got = append(got, e.Key+"="+e.Value.Path())
		var one struct {
			Small int `yaml:"small"`
		}
		doc.DecodeNode(e.Value, &one, "type")
	}
	want := []string{"two=later.two", "one=later.one", `a b=later["a b"]`}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the entries are %q, want %q", got, want)
	}
	wantErr := `f:4:20: later.one: unknown key "smal"; did you mean "small"?
f:5:10: later["a b"]: is the number 5; want a mapping with the keys small, type`
	if err := doc.Err(); err == nil || err.Error() != wantErr {
		t.Errorf("the errors are\n%v\nwant\n%s", err, wantErr)
	}
	if !doc.Bad(`later["a b"].small`) || doc.Bad("later.two") {
		t.Error("what is bad is not what has errors")
	}
}
