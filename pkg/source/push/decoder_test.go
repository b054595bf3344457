package push

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/chartd/chartd/pkg/source/receive"
	"github.com/chartd/chartd/pkg/store"
)

// recorder keeps what is appended, as text. Like the store it refuses what is
// not UTF-8, no name, or a label given twice.
type recorder struct{ got []string }

func (r *recorder) Append(metric string, labels store.Labels, t int64, v float64) error {
	ok := metric != "" && utf8.ValidString(metric)
	for i, l := range labels {
		ok = ok && l.Name != "" && utf8.ValidString(l.Name+l.Value) && (i == 0 || labels[i-1].Name < l.Name)
	}
	if !ok {
		return errors.New("bad name")
	}
	r.got = append(r.got, text(metric, labels, t, v))
	return nil
}

func text(metric string, labels store.Labels, t int64, v float64) string {
	return fmt.Sprintf("%q %s %d %v", metric, labels, t, v)
}

// reference reads a body with encoding/json. ok is false if there is anything
// wrong with it.
func reference(body []byte) (got []string, ok bool) {
	dec := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(body, []byte("\ufeff"))))
	for {
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return got, errors.Is(err, io.EOF)
		}
		list := []json.RawMessage{raw}
		if raw[0] == '[' {
			if err := json.Unmarshal(raw, &list); err != nil {
				return nil, false
			}
		}
		for _, one := range list {
			s, ok := referenceSample(one)
			if !ok {
				return nil, false
			}
			got = append(got, s)
		}
	}
}

func referenceSample(raw json.RawMessage) (string, bool) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil || fields == nil || hasTwice(raw) || hasTwice(fields["labels"]) {
		return "", false
	}
	var metric *string
	var labels map[string]*string
	t, v := json.Number("now"), any(nil)
	for name, value := range fields {
		var err error
		null := string(value) == "null"
		switch name {
		case "metric":
			err = json.Unmarshal(value, &metric)
		case "labels":
			err = json.Unmarshal(value, &labels)
		case "t":
			if !null && value[0] == '"' {
				return "", false
			}
			if !null {
				err = json.Unmarshal(value, &t)
			}
		case "v":
			err = json.Unmarshal(value, &v)
			if f, isText := v.(string); isText && f == "NaN" || null {
				v = math.NaN()
			}
		default:
			return "", false
		}
		if err != nil {
			return "", false
		}
	}
	value, isNumber := v.(float64)
	if metric == nil || *metric == "" || !isNumber {
		return "", false
	}
	plain := map[string]string{}
	for name, value := range labels {
		if value == nil || name == "" {
			return "", false
		}
		plain[name] = *value
	}
	at, err := strconv.ParseInt(t.String(), 10, 64)
	if err != nil && t != "now" {
		f, err := t.Float64()
		if err != nil || math.Abs(f) >= 1<<63 {
			return "", false
		}
		at = int64(f)
	}
	if t == "now" {
		at = -1
	}
	return text(*metric, store.LabelsOf(plain), at, value), true
}

// hasTwice reports whether an object has two members of the same name.
func hasTwice(raw json.RawMessage) bool {
	dec := json.NewDecoder(bytes.NewReader(raw))
	seen := map[string]bool{}
	if start, err := dec.Token(); err != nil || start != json.Delim('{') {
		return false
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil || seen[name.(string)] {
			return true
		}
		seen[name.(string)] = true
		var skip json.RawMessage
		if dec.Decode(&skip) != nil {
			return true
		}
	}
	return false
}

// nowIs makes samples without a time comparable.
type nowIs struct{ store.Appender }

func (n nowIs) Append(metric string, labels store.Labels, t int64, v float64) error {
	if d := time.Now().UnixMilli() - t; 0 <= d && d < 60_000 {
		t = -1
	}
	return n.Appender.Append(metric, labels, t, v)
}

func read(r io.Reader) (got []string, tally receive.Tally, err error) {
	var d decoder
	var rec recorder
	err = d.decode(r, nowIs{&rec})
	return rec.got, d.tally, err
}

// FuzzBody holds the decoder against encoding/json: it takes all of a body
// exactly when there is nothing wrong with it, and reads the same from it; and
// it does not matter in which pieces the body arrives.
func FuzzBody(f *testing.F) {
	for _, s := range []string{
		`{"metric":"m","labels":{"a":"b"},"t":1700000000000,"v":1}`,
		"[\n{\"metric\":\"m\",\"v\":null},\n{\"metric\":\"m\",\"v\":\"NaN\"}]\n",
		"{\"metric\":\"m\",\"v\":1}\n{\"metric\":\"m\",\"v\":2\n{\"metric\":\"m\",\"v\":3}",
		`{"metric":"\u00e9\ud83d\ude00\ud83d\n","v":-0.5e+3,"t":1.5}`,
		"\ufeff[]", `{"x":[{"y":[1,true]}]}`, "[[1]]", `{"metric":"m","v":1}]`, "{\"metric\":\n\"m\" x\n}{",
		`{"metric":"m","v":1,"labels":{"a":"","b":"c","b":"d"}}`, `{"metric":"m","v":1e999}`, `{"v":01}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, tally, err := read(bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if tally.Accepted != len(got) {
			t.Fatalf("%d were appended, %d are said to be", len(got), tally.Accepted)
		}
		lines := 1 + bytes.Count(body, []byte("\n"))
		last := 0
		for _, r := range tally.Listed {
			if r.Line < 1 || r.Line > lines || r.Reason == "" {
				t.Fatalf("line %d of %d: %q", r.Line, lines, r.Reason)
			}
			last = max(last, r.Line)
		}
		pieces, again, err := read(iotest.OneByteReader(bytes.NewReader(body)))
		if err != nil || !slices.Equal(pieces, got) || !slices.Equal(again.Listed, tally.Listed) || again.More != tally.More {
			t.Fatalf("byte by byte: %q %v %v\nat once: %q %v", pieces, again, err, got, tally)
		}
		want, ok := reference(body)
		switch {
		case ok && utf8.Valid(body) && tally.Rejected() > 0:
			t.Fatalf("rejected %v, but there is nothing wrong", tally.Listed)
		case !ok && tally.Rejected() == 0:
			t.Fatalf("accepted %q, but there is something wrong", got)
		case ok && tally.Rejected() == 0 && !slices.Equal(got, want):
			t.Fatalf("got  %q\nwant %q", got, want)
		}
	})
}

// TestEveryFormReadsTheSame writes random samples in every form and layout.
func TestEveryFormReadsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringN(1, 20, -1).Filter(utf8.ValidString)
		var want []string
		var values []any
		for range rapid.IntRange(1, 20).Draw(t, "n") {
			metric, labels := name.Draw(t, "metric"), rapid.MapOfN(name, name, 0, 4).Draw(t, "labels")
			at, v := rapid.Int64Range(0, 1<<50).Draw(t, "t"), rapid.Float64Range(-1e300, 1e300).Draw(t, "v")
			want = append(want, text(metric, store.LabelsOf(labels), at, v))
			values = append(values, map[string]any{"metric": metric, "labels": labels, "t": at, "v": v})
		}
		var body bytes.Buffer
		enc := json.NewEncoder(&body)
		enc.SetEscapeHTML(rapid.Bool().Draw(t, "escape"))
		if rapid.Bool().Draw(t, "pretty") {
			enc.SetIndent("\r", "\t ")
		}
		array := rapid.Bool().Draw(t, "array")
		if array {
			values = []any{values}
		}
		for _, v := range values {
			if err := enc.Encode(v); err != nil {
				t.Fatal(err)
			}
		}
		got, tally, err := read(&body)
		if err != nil || tally.Rejected() > 0 || !slices.Equal(got, want) {
			t.Fatalf("%v %v\ngot  %q\nwant %q", err, tally.Listed, got, want)
		}
	})
}

func TestReaderErrorsAreReturned(t *testing.T) {
	broken := errors.New("the line went dead")
	got, tally, err := read(io.MultiReader(strings.NewReader(`{"metric":"m","v":1}{"metric":`), iotest.ErrReader(broken)))
	if !errors.Is(err, broken) || len(got) != 1 || tally.Accepted != 1 {
		t.Errorf("%v, %q", err, got)
	}
	if _, _, err := read(idle{}); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a reader that gives nothing: %v", err)
	}
}

// idle is a reader that never gets anywhere.
type idle struct{}

func (idle) Read([]byte) (int, error) { return 0, nil }

// nowhere takes every sample.
type nowhere struct{}

func (nowhere) Append(string, store.Labels, int64, float64) error { return nil }

func lines(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, `{"metric":"temp","labels":{"room":"r%d","house":"h1"},"t":%d,"v":%d.5}`+"\n", i%10, 1700000000000+i, i)
	}
	return b.Bytes()
}

func BenchmarkDecode(b *testing.B) {
	body := lines(1000)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	var d decoder
	r := bytes.NewReader(body)
	for b.Loop() {
		r.Reset(body)
		if err := d.decode(r, nowhere{}); err != nil || d.tally.Accepted != 1000 {
			b.Fatal(err, d.tally)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/sample")
}

// TestSamplesMakeNoGarbage: once the names are known, a sample costs no
// allocation.
func TestSamplesMakeNoGarbage(t *testing.T) {
	body := lines(1000)
	var d decoder
	r := bytes.NewReader(body)
	n := testing.AllocsPerRun(20, func() {
		r.Reset(body)
		if err := d.decode(r, nowhere{}); err != nil || d.tally.Accepted != 1000 {
			t.Fatal(err, d.tally)
		}
	})
	if n > 3 {
		t.Errorf("%v allocations for 1,000 samples", n)
	}
}
