package push_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap/zaptest"

	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/push"
	"github.com/chartd/chartd/pkg/source/receive"
	"github.com/chartd/chartd/pkg/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a push source behind a real server, in front of a real store.
type rig struct {
	*store.Store
	url    string
	client *http.Client
	unread atomic.Int64
	stop   func() // ends Run
}

func newRig(t *testing.T, limits store.Config, cfg *push.Config) *rig {
	t.Helper()
	r := &rig{Store: store.New(limits, nil)}
	src, err := cfg.New(source.Deps{Name: "push", Logger: zaptest.NewLogger(t), Skip: func(int) {}, Reject: func(n int, _ error) { r.unread.Add(int64(n)) }})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	for pattern, h := range src.(source.Receiver).Routes() {
		mux.Handle(pattern, h)
	}
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	r.url, r.client = srv.URL+push.Path, srv.Client()
	ctx, cancel := context.WithCancel(t.Context())
	var run sync.WaitGroup
	run.Go(func() {
		if err := src.Run(ctx, r.Store); err != nil {
			t.Error(err)
		}
	})
	r.stop = func() { cancel(); run.Wait() }
	t.Cleanup(r.stop)
	for { // until Run has opened the gate
		resp := r.post(t, strings.NewReader("[]"))
		if resp.StatusCode == http.StatusNoContent {
			return r
		}
		if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
			t.Fatalf("before Run: %d", resp.StatusCode)
		}
	}
}

type reply struct {
	*http.Response
	body struct {
		Error    string
		Accepted int
		Rejected []receive.Rejection
		More     int
	}
}

func (r *rig) post(t *testing.T, body io.Reader, header ...string) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url, body)
	if err != nil {
		t.Fatal(err)
	}
	for pair := range slices.Chunk(header, 2) {
		req.Header.Set(pair[0], pair[1])
	}
	resp, err := r.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got := reply{Response: resp}
	if resp.StatusCode == http.StatusNoContent {
		return got
	}
	if err := json.NewDecoder(resp.Body).Decode(&got.body); err != nil {
		t.Fatalf("%d: %v", resp.StatusCode, err)
	}
	return got
}

// all returns the samples of a metric, as "{labels} t v" in order.
func (r *rig) all(metric string) []string {
	var out []string
	for _, sr := range r.Select(metric, nil) {
		sr.Each(math.MinInt64, math.MaxInt64, func(block []store.Sample) {
			for _, s := range block {
				out = append(out, fmt.Sprint(sr.Labels(), " ", s.T, " ", s.V))
			}
		})
	}
	return out
}

func zip(t *testing.T, b []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	w, _ := gzip.NewWriterLevel(&buf, gzip.BestSpeed)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// TestBodies posts one body after the other. T in a body is a time that the
// store takes; wanted samples are of metric m.
func TestBodies(t *testing.T) {
	at := time.Now().UnixMilli() - 1000
	for _, tc := range []struct {
		name, body string
		want       []string // samples, as rig.all
		rejected   []string // "line: reason"
	}{
		{"an object", `{"metric":"m","labels":{"room":"a"},"t":T,"v":21.5}`, []string{`{room="a"} T 21.5`}, nil},
		{"an array", `[{"metric":"m","t":T,"v":1},{"metric":"m","labels":{"a":"b"},"t":T,"v":2}]`, []string{"{} T 1", `{a="b"} T 2`}, nil},
		{"lines", "{\"metric\":\"m\",\"t\":T,\"v\":1}\r\n\n{\"metric\":\"m\",\"labels\":{\"a\":\"b\"},\"t\":T,\"v\":2}\n", []string{"{} T 1", `{a="b"} T 2`}, nil},
		{"lines of arrays", "[{\"metric\":\"m\",\"t\":T,\"v\":1}]\n[]\n[{\"metric\":\"m\",\"labels\":{\"a\":\"b\"},\"t\":T,\"v\":2}]\n", []string{"{} T 1", `{a="b"} T 2`}, nil},
		{"pretty", "[\n  {\n    \"v\": -1.5e-3,\n    \"labels\":\n    {\n      \"b\": \"2\",\n \"a\": \"1\"\n    },\n    \"t\": T,\n    \"metric\": \"m\"\n  }\n]\n", []string{`{a="1", b="2"} T -0.0015`}, nil},
		{"gaps", `{"metric":"m","t":T,"v":null}{"metric":"m","labels":{"a":"b"},"t":T,"v":"NaN"}`, []string{"{} T NaN", `{a="b"} T NaN`}, nil},
		{"no labels", `{"metric":"m","labels":null,"t":T.9,"v":1}`, []string{"{} T 1"}, nil},
		{"empty labels are none", `{"metric":"m","labels":{"a":""},"t":T,"v":1}`, []string{"{} T 1"}, nil},
		{"any text", `{"metric":"m","labels":{"\u006cä\/":"\ud83d\ude00 \"<b>"},"t":T,"v":1}`, []string{"{lä/=\"😀 \\\"<b>\"} T 1"}, nil},
		{"half a surrogate", `{"metric":"m","labels":{"a":"\ud83d\t\ude00\ud83dx"},"t":T,"v":1}`, nil, []string{`1: labels.a: has a control character: "�\t��x"`}},
		{"byte order mark", "\ufeff{\"metric\":\"m\",\"t\":T,\"v\":1}", []string{"{} T 1"}, nil},

		{
			"good ones are kept", "{\"metric\":\"m\",\"t\":T,\"v\":1}\n{\"metric\":\"m\",\"t\":T,\"v\":true}\n{\"metric\":\"m\",\"labels\":{\"a\":\"b\"},\"t\":T,\"v\":2}",
			[]string{"{} T 1", `{a="b"} T 2`},
			[]string{`2: v: is a boolean; want a number, or null or "NaN" for a gap`},
		},
		{
			"broken line", "{\"metric\":\"m\",\"t\":T,\"v\":1}\n{\"metric\":\"m\" \"v\":2}\nhello\n\n{\"metric\":\"m\",\"labels\":{\"a\":\"b\"},\"t\":T,\"v\":2}",
			[]string{"{} T 1", `{a="b"} T 2`},
			[]string{`2: unexpected '"'; want ',' or '}'`, `3: unexpected 'h'; want an object, such as {"metric":"temp","labels":{"room":"a"},"t":1700000000000,"v":21.5}`},
		},
		{
			"lines that lack their end", "{\"metric\":\"m\",\"v\":2\n{\"metric\":\"m\",\"t\":T,\"v\":1}\n{\"metric\":\"m",
			[]string{"{} T 1"},
			[]string{"1: the object is not closed; want '}' at its end", "3: unexpected end of the body; want the end of a string"},
		},
		{
			"broken in the middle", "[\n {\n  \"metric\": \"m\",\n  \"v\": 1.2.3,\n  \"t\": T\n },\n {\"metric\":\"m\",\"t\":T,\"v\":1}\n]",
			[]string{"{} T 1"},
			[]string{`4: "1.2.3" is not a number as JSON has it; the rest of the line is not read`},
		},
		{
			"broken in a line of an array", `[{"metric":"m","t":T,"v":1},{"metric":},{"metric":"m","t":T,"v":9}]`,
			[]string{"{} T 1"},
			[]string{`1: unexpected '}'; want a value; the rest of the line is not read`, "1: unexpected end of the body; want ']' at the end of the array"},
		},
		{
			"array without commas", "[\n{\"metric\":\"m\",\"t\":T,\"v\":1}\n{\"metric\":\"m\",\"t\":T,\"v\":9}\n]",
			[]string{"{} T 1"},
			[]string{"3: unexpected '{'; want ',' or ']' between the samples of an array; the rest of the line is not read"},
		},
		{
			"a comma too many", "[{\"metric\":\"m\",\"t\":T,\"v\":1},\n]",
			[]string{"{} T 1"},
			[]string{`2: unexpected ']'; want an object, such as {"metric":"temp","labels":{"room":"a"},"t":1700000000000,"v":21.5}; the rest of the line is not read`, "2: unexpected end of the body; want ']' at the end of the array"},
		},

		{"unknown field", `{"metric":"m","value":1}`, nil, []string{`1: unknown field "value"; did you mean "v"? The fields are metric, labels, t, v`}},
		{"misspelt field", `{"Metrics":"m","v":1,"x":[{"y":[1,"]",true,false,null,-0.1E+2,{}]}]}`, nil, []string{`1: unknown field "Metrics"; did you mean "metric"? The fields are metric, labels, t, v`}},
		{"strange field", "{\"metric\":\"m\",\n\"colour\":\"red\",\"v\":1}", nil, []string{`2: unknown field "colour"; The fields are metric, labels, t, v`}},
		{"no metric", "\n\n{\"v\":1}", nil, []string{`3: "metric" is missing; want an object, such as {"metric":"temp","labels":{"room":"a"},"t":1700000000000,"v":21.5}`}},
		{"no value", `{"metric":"m"}`, nil, []string{`1: "v" is missing; a gap is "v":null`}},
		{"twice", `{"metric":"m","v":1,"v":[2]}`, nil, []string{`1: v: is given twice`}},
		{"label twice", `{"metric":"m","v":1,"labels":{"a":"1","b":"2","a":"3"}}`, nil, []string{`1: labels.a: is given twice`}},
		{"metric of another kind", `{"metric":{"a":1},"v":1}`, nil, []string{`1: metric: is an object; want the metric's name, a string`}},
		{"labels of another kind", `{"metric":"m","labels":["a"],"v":1}`, nil, []string{`1: labels: is an array; want an object of strings`}},
		{"label of another kind", "{\"metric\":\"m\",\"labels\":{\n\"room\":7},\"v\":1}", nil, []string{`2: labels.room: is a number; want a string`}},
		{"time of another kind", `{"metric":"m","t":"2026-01-01","v":1}`, nil, []string{`1: t: is a string; want ms since 1970 as a number; without t it is now`}},
		{"time out of range", `{"metric":"m","t":1e30,"v":1}`, nil, []string{`1: t: 1e30 is out of range; want ms since 1970`}},
		{"value as text", `{"metric":"m","v":"21.5"}`, nil, []string{`1: v: is the string "21.5"; want a number, or null or "NaN" for a gap`}},
		{"value out of range", `{"metric":"m","v":1e999}`, nil, []string{`1: v: 1e999 is out of range`}},
		{"bare NaN", `{"metric":"m","v":NaN}`, nil, []string{`1: unexpected 'N'; want a value (a gap is null, or "NaN" in quotes)`}},
		{"empty metric", `{"metric":"","v":1}`, nil, []string{`1: metric: is empty; want 1 to 256 bytes of text`}},
		{"nested", `{"a":` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + `}`, nil, []string{`1: values are nested more than 64 deep`}},
		{"not JSON", "metric=m v=1", nil, []string{`1: unexpected 'm'; want an object, such as {"metric":"temp","labels":{"room":"a"},"t":1700000000000,"v":21.5}`}},
		{"words", `{"metric":"m","v":nil}`, nil, []string{`1: unexpected 'i'; want "null"`}},
		{"numbers", `{"metric":"m","v":01}`, nil, []string{`1: "01" is not a number as JSON has it`}},
		{"escapes", `{"metric":"\x"}`, nil, []string{`1: unexpected 'x'; want one of "\/bfnrtu behind a backslash`}},
		{"unicode escapes", `{"metric":"\u00g0"}`, nil, []string{`1: unexpected 'g'; want four hexadecimal digits behind \u`}},
		{"newline in a string", "{\"metric\":\"m\n\"}", nil, []string{`1: a string goes on over the end of the line, or has a control character 0xa in it`, `2: unexpected '"'; want an object, such as {"metric":"temp","labels":{"room":"a"},"t":1700000000000,"v":21.5}`}},
		{"field without a name", `{metric:"m"}`, nil, []string{`1: unexpected 'm'; want the name of a field, as "metric"`}},
		{"field without a colon", `{"metric","m"}`, nil, []string{`1: unexpected ','; want ':' behind the name of a field`}},
		{"not even ASCII", "\xff", nil, []string{`1: unexpected byte 0xff; want an object, such as {"metric":"temp","labels":{"room":"a"},"t":1700000000000,"v":21.5}`}},
		{"old", `{"metric":"m","t":1700000000,"v":1}`, nil, []string{`1: sample is too old: t 1700000000 is 1970-01-20T16:13:20.000Z; the oldest that is taken is`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := newRig(t, store.DefaultConfig(), push.DefaultConfig())
			for _, form := range []string{"plain", "gzip"} {
				body := []byte(strings.ReplaceAll(tc.body, "T", fmt.Sprint(at)))
				header := []string{"Content-Type", "application/x-www-form-urlencoded"} // as curl -d has it
				if form == "gzip" {
					body = zip(t, body)
					header = []string{"Content-Encoding", "gzip"}
				}
				got := r.post(t, bytes.NewReader(body), header...)
				if want := len(tc.rejected) > 0; want != (got.StatusCode == http.StatusBadRequest) || !want && got.StatusCode != http.StatusNoContent {
					t.Errorf("%s: status %d", form, got.StatusCode)
				}
				if len(got.body.Rejected) != len(tc.rejected) {
					t.Fatalf("%s: rejected %v", form, got.body.Rejected)
				}
				for i, r := range got.body.Rejected {
					if line := fmt.Sprint(r.Line, ": ", r.Reason); line != tc.rejected[i] && (tc.name != "old" || !strings.HasPrefix(line, tc.rejected[i])) {
						t.Errorf("%s: rejected\n %s\nwant\n %s", form, line, tc.rejected[i])
					}
				}
				if len(tc.rejected) > 0 {
					n := len(tc.want)
					if want := fmt.Sprintf("%d of %d samples were rejected", len(tc.rejected), n+len(tc.rejected)); got.body.Error != want || got.body.Accepted != n {
						t.Errorf("%s: %q, accepted %d", form, got.body.Error, got.body.Accepted)
					}
				}
			}
			for i := range tc.want {
				tc.want[i] = strings.ReplaceAll(tc.want[i], "T", fmt.Sprint(at))
			}
			if got := r.all("m"); !slices.Equal(got, tc.want) {
				t.Errorf("holds %q\nwant  %q", got, tc.want)
			}
		})
	}
}

func TestWithoutTimeItIsNow(t *testing.T) {
	r := newRig(t, store.DefaultConfig(), push.DefaultConfig())
	before := time.Now().UnixMilli()
	if got := r.post(t, strings.NewReader(`{"metric":"m","v":1,"t":null}`)); got.StatusCode != http.StatusNoContent {
		t.Fatal(got.body)
	}
	last, ok := r.Select("m", nil)[0].Last()
	if after := time.Now().UnixMilli(); !ok || last.T < before || last.T > after {
		t.Errorf("t is %d, want %d to %d", last.T, before, after)
	}
}

func TestManyRejectionsAreCounted(t *testing.T) {
	r := newRig(t, store.DefaultConfig(), push.DefaultConfig())
	got := r.post(t, strings.NewReader(strings.Repeat("{}\n", 250)+`{"metric":"m","v":1}`))
	if len(got.body.Rejected) != 100 || got.body.More != 150 || got.body.Accepted != 1 || r.unread.Load() != 250 || got.body.Error != "250 of 251 samples were rejected" {
		t.Errorf("%d listed, %d more, %d accepted: %s", len(got.body.Rejected), got.body.More, got.body.Accepted, got.body.Error)
	}
}

func TestFullStore(t *testing.T) {
	limits := store.DefaultConfig()
	limits.MaxSeries = 1
	r := newRig(t, limits, push.DefaultConfig())
	if got := r.post(t, strings.NewReader(`{"metric":"a","v":1}{"metric":"b","v":1}`)); got.StatusCode != http.StatusBadRequest ||
		got.body.Rejected[0].Reason != "the limit of store.max_series (1) is reached" {
		t.Errorf("some: %d %v", got.StatusCode, got.body)
	}
	if got := r.post(t, strings.NewReader(`{"metric":"b","v":1}{"metric":"c","v":1}`)); got.StatusCode != http.StatusTooManyRequests ||
		got.Header.Get("Retry-After") == "" || len(got.body.Rejected) != 2 {
		t.Errorf("all: %d %v", got.StatusCode, got.body)
	}
	if got := r.post(t, strings.NewReader(`{"metric":"b","v":1}{"metric":"","v":1}`)); got.StatusCode != http.StatusBadRequest {
		t.Errorf("all, for two reasons: %d %v", got.StatusCode, got.body)
	}
}

func TestLargeBodies(t *testing.T) {
	r := newRig(t, store.DefaultConfig(), &push.Config{MaxBody: 4096, MaxInFlight: 16})
	line := `{"metric":"m","v":1}` + "\n"
	for _, tc := range []struct {
		name   string
		body   []byte
		header []string
		status int
		taken  bool
	}{
		{"as large as may be", []byte(line + strings.Repeat(" ", 4096-len(line))), nil, 204, true},
		{"one byte more", []byte(line + strings.Repeat(" ", 4097-len(line))), nil, 413, true}, // chunked: taken before it was too much
		{"packed", zip(t, []byte(line+strings.Repeat(" ", 4096-len(line)))), []string{"Content-Encoding", "gzip"}, 204, true},
		{"a bomb", zip(t, append([]byte(line), bytes.Repeat([]byte(" "), 8<<20)...)), []string{"Content-Encoding", "gzip"}, 413, true},
		{"a bomb in a string", zip(t, append([]byte(`{"metric":"`), bytes.Repeat([]byte("x"), 8<<20)...)), []string{"Content-Encoding", "gzip"}, 413, false},
		{"not packed", []byte(line), []string{"Content-Encoding", "gzip"}, 400, false},
		{"cut off", zip(t, []byte(line+line))[:20], []string{"Content-Encoding", "gzip"}, 400, false},
		{"packed otherwise", []byte(line), []string{"Content-Encoding", "zstd"}, 415, false},
		{"empty", nil, nil, 400, false},
		{"empty and packed", nil, []string{"Content-Encoding", "gzip"}, 400, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			count := func() (n int) {
				for _, sr := range r.Select("m", nil) {
					n += sr.Len()
				}
				return n
			}
			before := count()
			for time.Now().UnixMilli() == lastOf(r) {
				// A second sample in the same ms would replace the first.
			}
			for _, chunked := range []bool{false, true} {
				var body io.Reader = bytes.NewReader(tc.body)
				if chunked { // no Content-Length
					body = io.MultiReader(body)
				}
				got := r.post(t, body, tc.header...)
				if got.StatusCode != tc.status || tc.status >= 400 && got.body.Error == "" {
					t.Errorf("chunked %v: status %d, want %d: %v", chunked, got.StatusCode, tc.status, got.body)
				}
			}
			if taken := count() > before; taken != tc.taken {
				t.Errorf("%d samples were taken", count()-before)
			}
		})
	}
}

func lastOf(r *rig) int64 {
	for _, sr := range r.Select("m", nil) {
		if s, ok := sr.Last(); ok {
			return s.T
		}
	}
	return 0
}

func TestOtherMethods(t *testing.T) {
	r := newRig(t, store.DefaultConfig(), push.DefaultConfig())
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := r.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusMethodNotAllowed || resp.Header.Get("Allow") != "POST" {
		t.Errorf("%d, Allow %q", resp.StatusCode, resp.Header.Get("Allow"))
	}
}

// TestLiveBody keeps one request open: a sample is there before the next is
// written, and when the source stops, the request ends.
func TestLiveBody(t *testing.T) {
	r := newRig(t, store.DefaultConfig(), push.DefaultConfig())
	pr, pw := io.Pipe()
	defer pw.Close()
	replies := make(chan reply, 1)
	go func() { replies <- r.post(t, pr) }()
	for i := range 3 {
		if _, err := fmt.Fprintf(pw, `{"metric":"live","labels":{"i":"%d"},"v":1}`, i); err != nil {
			t.Fatal(err)
		}
		for len(r.Select("live", nil)) != i+1 {
			if t.Context().Err() != nil {
				t.Fatal("the sample does not arrive")
			}
		}
	}
	r.stop()
	got := <-replies
	if got.StatusCode != http.StatusServiceUnavailable || got.body.Accepted != 3 || got.Header.Get("Retry-After") == "" {
		t.Errorf("%d: %v", got.StatusCode, got.body)
	}
	if got := r.post(t, strings.NewReader(`{"metric":"live","v":1}`)); got.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("after it: %d", got.StatusCode)
	}
}

func TestConfig(t *testing.T) {
	if ps := push.DefaultConfig().Validate(); len(ps) > 0 {
		t.Error(ps)
	}
	ps := (&push.Config{MaxBody: quantity.Bytes(1), MaxInFlight: 16}).Validate()
	if len(ps) != 1 || ps[0].Error() != "max_body: 1 is out of range; a size from 1KiB to 1GiB" {
		t.Error(ps)
	}
	if push.DefaultConfig().Kind() != push.Kind {
		t.Error("the kind is not the kind")
	}
}
