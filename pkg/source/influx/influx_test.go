package influx_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap/zaptest"

	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/influx"
	"github.com/chartd/chartd/pkg/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is an influx source behind a real server, in front of a real store.
type rig struct {
	*store.Store
	url     string
	client  *http.Client
	skipped atomic.Int64
	unread  atomic.Int64
	stop    func() // ends Run
}

func newRig(t *testing.T, limits store.Config, cfg *influx.Config) *rig {
	t.Helper()
	r := &rig{Store: store.New(limits, nil)}
	src, err := cfg.New(source.Deps{Name: "influx", Logger: zaptest.NewLogger(t), Skip: func(n int) { r.skipped.Add(int64(n)) }, Reject: func(n int, _ error) { r.unread.Add(int64(n)) }})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	for pattern, h := range src.(source.Receiver).Routes() {
		mux.Handle(pattern, h)
	}
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	r.url, r.client = srv.URL, srv.Client()
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
		resp := r.do(t, http.MethodPost, "/write", nil)
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
	text string
}

func (r *rig) do(t *testing.T, method, path string, body []byte, header ...string) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, r.url+path, bytes.NewReader(body))
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
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{resp, strings.TrimSpace(string(text))}
}

// all returns every sample of these metrics, as "metric{labels} t v" in order.
func (r *rig) all(metrics ...string) []string {
	var out []string
	for _, m := range metrics {
		for _, sr := range r.Select(m, nil) {
			sr.Each(math.MinInt64, math.MaxInt64, func(block []store.Sample) {
				for _, s := range block {
					out = append(out, fmt.Sprint(sr, " ", s.T, " ", s.V))
				}
			})
		}
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

// TestLines writes one body after the other, in which T is a time in ns that the
// store takes; wanted samples are in ms.
func TestLines(t *testing.T) {
	at := time.Now().Add(-time.Minute).UnixMilli()
	for _, tc := range []struct {
		name, body string
		metrics    string // "|" between them
		want       []string
		rejected   []string // "line N: reason"
		skipped    int64
	}{
		{"one", "cpu,host=a usage=1.5 T", "cpu_usage", []string{`cpu_usage{host="a"} T 1.5`}, nil, 0},
		{"value", "temp,room=b,floor=2 value=21i T", "temp", []string{`temp{floor="2", room="b"} T 21`}, nil, 0},
		{
			"all types", `m f=-1e3,i=-7i,u=18446744073709551615u,b=t,c=FALSE,s="a, b=c 7" T`, "m_f|m_i|m_u|m_b|m_c|m_s",
			[]string{"m_f{} T -1000", "m_i{} T -7", "m_u{} T 1.8446744073709552e+19", "m_b{} T 1", "m_c{} T 0"},
			nil, 1,
		},
		{"only text", `log msg="hello\nworld \"x\"" T`, "log_msg", nil, nil, 1},
		{"comments, empty lines and CRLF", "# written by hand\r\n\n  \n  m a=1 T\r\nm b=2 T\r\n#\n", "m_a|m_b", []string{"m_a{} T 1", "m_b{} T 2"}, nil, 0},
		{"escapes", `my\ m\,x,a\ b\=c=d\,e\ f\= v\ w\,=1 T`, `my m,x_v w,`, []string{`my m,x_v w,{a b=c="d,e f="} T 1`}, nil, 0},
		{
			"a bad line", "m a=1 T\nm a= T\nm,host b=2 T\n\nm b=3 T\n", "m_a|m_b",
			[]string{"m_a{} T 1", "m_b{} T 3"},
			[]string{"line 2: column 5: field value has unrecognized type", `line 3: column 3: expected '=' after tag key "host", but got ' ' instead`},
			0,
		},
		{
			"a text over lines", "m s=\"one\ntwo\nthree\",a=1 T\nm x\nm b=2 T", "m_a|m_b",
			[]string{"m_a{} T 1", "m_b{} T 2"},
			[]string{"line 4: column 4: want '=' after field key \"x\", found '\\n'"},
			1,
		},
		{
			"a text without end", "m a=1 T\nm s=\"one\nm b=2 T\n", "m_a|m_b",
			[]string{"m_a{} T 1"},
			[]string{"line 2: column 5: expected closing quote for string field value, found end of input"},
			0,
		},
		{"no fields", "m\nm T\n", "m", nil, []string{`line 1: column 2: expected tag key or field but found '\n' instead`, "line 2: column 22: want '=' after field key \"T\", found '\\n'"}, 0},
		{"numbers", "m a=1.2.3 T\nm a=9223372036854775808i T\nm a=1 T0000\nm a=1 12x\n", "m_a", nil, []string{
			`line 1: column 5: cannot parse value for field key "a": invalid float value syntax`,
			`line 2: column 5: cannot parse value for field key "a": line-protocol value out of range`,
			"line 3: invalid timestamp \"T0000\"; want a whole number of 64 bits",
			`line 4: column 7: invalid timestamp ("12x")`,
		}, 0},
		{"tag twice", "m,a=1,a=2 f=1 T", "m_f", nil, []string{"line 1: m_f: labels.a: is given twice"}, 0},
		{"some fields", "m " + strings.Repeat("x", 300) + "=1,ok=2 T\n", "m_ok", []string{"m_ok{} T 2"}, []string{"line 1: m_" + strings.Repeat("x", 62) + ": metric: is 302 bytes long; at most 256"}, 0},
		{"control characters", "m,a=b\x01c f=1 T\nm,a=b\tc f=1 T\n", "m_f", nil, []string{`line 1: column 6: expected tag key or field but found '\x01' instead`, `line 2: column 6: expected tag key or field but found '\t' instead`}, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := newRig(t, store.DefaultConfig(), influx.DefaultConfig())
			sub := func(s, with string) string { return strings.ReplaceAll(s, "T", with) }
			nanos := fmt.Sprint(at, "000999")
			body := []byte(sub(tc.body, nanos))
			for _, form := range []string{"v1", "v2", "gzip"} {
				path, header := "/api/v2/write?org=o&bucket=b&precision=ns", []string{"Authorization", "Token any"}
				sent := body
				if form == "v1" {
					path, header = "/write?db=telegraf&rp=&consistency=any&u=x&p=y", nil
				}
				if form == "gzip" {
					sent, header = zip(t, body), []string{"Content-Encoding", "gzip"}
				}
				got := r.do(t, http.MethodPost, path, sent, header...)
				want := http.StatusNoContent
				if len(tc.rejected) > 0 {
					want = http.StatusBadRequest
				}
				if got.StatusCode != want {
					t.Fatalf("%s: status %d, want %d: %s", form, got.StatusCode, want, got.text)
				}
				unquoted := strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(got.text)
				for _, reason := range tc.rejected {
					if !strings.Contains(unquoted, sub(reason, nanos)) {
						t.Errorf("%s: got\n %s\nwant\n %s", form, unquoted, sub(reason, nanos))
					}
				}
			}
			var want []string
			for _, w := range tc.want {
				want = append(want, sub(w, fmt.Sprint(at)))
			}
			if got := r.all(strings.Split(tc.metrics, "|")...); !slices.Equal(got, want) {
				t.Errorf("holds %q\nwant  %q", got, want)
			}
			if got := r.skipped.Load(); got != 3*tc.skipped {
				t.Errorf("%d values are skipped, want %d", got, 3*tc.skipped)
			}
		})
	}
}

func TestPrecision(t *testing.T) {
	at := time.Now().Truncate(time.Hour)
	for precision, n := range map[string]int64{
		"": at.UnixNano(), "ns": at.UnixNano(), "n": at.UnixNano(), "us": at.UnixMicro(), "u": at.UnixMicro(), "µ": at.UnixMicro(),
		"ms": at.UnixMilli(), "s": at.Unix(), "m": at.Unix() / 60, "h": at.Unix() / 3600,
	} {
		for _, path := range []string{"/write", "/api/v2/write"} {
			r := newRig(t, store.DefaultConfig(), influx.DefaultConfig())
			got := r.do(t, http.MethodPost, path+"?precision="+url.QueryEscape(precision), fmt.Appendf(nil, "m value=1 %d", n))
			if want := fmt.Sprint("m{} ", at.UnixMilli(), " 1"); got.StatusCode != http.StatusNoContent || !slices.Equal(r.all("m"), []string{want}) {
				t.Errorf("%s, %q: %d %s, %q; want %s", path, precision, got.StatusCode, got.text, r.all("m"), want)
			}
		}
	}
	r := newRig(t, store.DefaultConfig(), influx.DefaultConfig())
	before := time.Now().UnixMilli()
	if got := r.do(t, http.MethodPost, "/write?precision=s", []byte("m value=1")); got.StatusCode != http.StatusNoContent {
		t.Fatal(got.text)
	}
	if last, _ := r.Select("m", nil)[0].Last(); last.T < before || last.T > time.Now().UnixMilli() {
		t.Errorf("without a timestamp it is %d, want now", last.T)
	}
	for body, want := range map[string]string{
		"m value=1 9223372036854775807":  "line 1: timestamp 9223372036854775807 is out of range; is precision right?",
		"m value=1 -9223372036854775808": "line 1: timestamp -9223372036854775808 is out of range; is precision right?",
		"m value=1 1-2":                  `line 1: invalid timestamp \"1-2\"; want a whole number of 64 bits`,
	} {
		if got := r.do(t, http.MethodPost, "/write?precision=h", []byte(body)); got.StatusCode != http.StatusBadRequest || !strings.Contains(got.text, want) {
			t.Errorf("%s: %d %s", body, got.StatusCode, got.text)
		}
	}
}

// TestAnswers holds the answers, to the byte, against what InfluxDB documents
// and its clients read.
func TestAnswers(t *testing.T) {
	limits := store.DefaultConfig()
	limits.MaxSeries = 2
	r := newRig(t, limits, &influx.Config{MaxBody: 4096, MaxInFlight: 16})
	bad := []byte("m a=1\nm b\nm c=1\nm d=1")
	full := "m_d: the limit of store.max_series (2) is reached"
	for _, tc := range []struct {
		name, method, path string
		body               []byte
		header             []string
		status             int
		text               string
		want               []string // headers
	}{
		{
			"v2 in part", "POST", "/api/v2/write", bad, nil, 400,
			`{"code":"invalid","message":"partial write: 2 of 4 lines were rejected: line 2: column 4: want '=' after field key \"b\", found '\\n'; line 4: ` + full + `","line":2}`, nil,
		},
		{
			"v1 in part", "POST", "/write", bad, nil, 400,
			`{"error":"partial write: line 2: column 4: want '=' after field key \"b\", found '\\n'; line 4: ` + full + ` dropped=2"}`,
			[]string{"X-Influxdb-Error", `partial write: line 2: column 4: want '=' after field key "b", found '\n'; line 4: ` + full + ` dropped=2`, "X-Influxdb-Version", "2.0.0-chartd"},
		},
		{
			"v2 full", "POST", "/api/v2/write", []byte("m d=1"), nil, 429,
			`{"code":"too many requests","message":"partial write: 1 of 1 lines were rejected: line 1: ` + full + `","line":1}`,
			[]string{"Retry-After", "30"},
		},
		{"v1 full", "POST", "/write", []byte("m d=1"), nil, 429, `{"error":"partial write: line 1: ` + full + ` dropped=1"}`, []string{"Retry-After", "30"}},
		{"v2 precision", "POST", "/api/v2/write?precision=day", nil, nil, 400, `{"code":"invalid","message":"invalid precision \"day\"; valid are ns, us, ms, s, m and h"}`, nil},
		{"v1 precision", "POST", "/write?precision=day", nil, nil, 400, `{"error":"invalid precision \"day\"; valid are ns, us, ms, s, m and h"}`, nil},
		{"v2 large", "POST", "/api/v2/write", make([]byte, 4097), nil, 413, `{"code":"request too large","message":"the body is larger than 4KiB (max_body of the source); send it in parts"}`, nil},
		{"v1 large", "POST", "/write", make([]byte, 4097), nil, 413, `{"error":"the body is larger than 4KiB (max_body of the source); send it in parts"}`, nil},
		{"a bomb", "POST", "/api/v2/write", zip(t, bytes.Repeat([]byte("#"), 8<<20)), []string{"Content-Encoding", "gzip"}, 413, `{"code":"request too large","message":"the body is larger than 4KiB (max_body of the source); send it in parts"}`, nil},
		{"not packed", "POST", "/api/v2/write", []byte("m a=1"), []string{"Content-Encoding", "gzip"}, 400, `{"code":"invalid","message":"reading the body: gzip: unexpected EOF"}`, nil},
		{"packed otherwise", "POST", "/api/v2/write", bad, []string{"Content-Encoding", "br"}, 415, `{"code":"invalid","message":"content encoding \"br\" is not understood; send gzip, or none"}`, []string{"Accept-Encoding", "gzip"}},
		{"nothing", "POST", "/api/v2/write", nil, nil, 204, "", nil},
		{"method", "PUT", "/api/v2/write", nil, nil, 405, `{"code":"method not allowed","message":"PUT is not understood here; POST line protocol"}`, []string{"Allow", "POST"}},
		{"ping", "GET", "/ping", nil, nil, 204, "", []string{"X-Influxdb-Version", "2.0.0-chartd", "X-Influxdb-Build", "chartd"}},
		{"ping without a body", "HEAD", "/ping?verbose=true", nil, nil, 204, "", []string{"X-Influxdb-Version", "2.0.0-chartd"}},
		{"create", "POST", "/query", []byte("q=CREATE+DATABASE+%22telegraf%22"), []string{"Content-Type", "application/x-www-form-urlencoded"}, 200, `{"results":[{"statement_id":0}]}`, nil},
		{"create in the URL", "POST", "/query?q=create+database+telegraf", nil, nil, 200, `{"results":[{"statement_id":0}]}`, nil},
		{"query", "GET", "/query?q=SELECT+1", nil, nil, 400, `{"error":"chartd takes writes but answers no queries"}`, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := r.do(t, tc.method, tc.path, tc.body, tc.header...)
			if got.StatusCode != tc.status || got.text != tc.text {
				t.Errorf("got  %d %s\nwant %d %s", got.StatusCode, got.text, tc.status, tc.text)
			}
			for pair := range slices.Chunk(tc.want, 2) {
				if v := got.Header.Get(pair[0]); v != pair[1] {
					t.Errorf("%s is %q, want %q", pair[0], v, pair[1])
				}
			}
		})
	}
	r.stop()
	if got := r.do(t, "POST", "/api/v2/write", nil); got.StatusCode != 503 || got.Header.Get("Retry-After") == "" ||
		got.text != `{"code":"unavailable","message":"this source is not running; try again"}` {
		t.Errorf("stopped: %d %s", got.StatusCode, got.text)
	}
}

func TestManyBadLinesAreCounted(t *testing.T) {
	r := newRig(t, store.DefaultConfig(), influx.DefaultConfig())
	got := r.do(t, "POST", "/write", bytes.Repeat([]byte("m\n"), 250))
	if !strings.Contains(got.text, "; line 20: ") || strings.Contains(got.text, "line 21:") || !strings.HasSuffix(got.text, `; and 230 more dropped=250"}`) ||
		len(got.Header.Get("X-Influxdb-Error")) > 512 || r.unread.Load() != 250 {
		t.Error(got.text)
	}
}

func TestConfig(t *testing.T) {
	if ps := influx.DefaultConfig().Validate(); len(ps) > 0 {
		t.Error(ps)
	}
	if ps := (&influx.Config{MaxBody: 2 << 30, MaxInFlight: 16}).Validate(); len(ps) != 1 || ps[0].Error() != "max_body: 2GiB is out of range; a size from 1KiB to 1GiB" {
		t.Error(ps)
	}
	if influx.DefaultConfig().Kind() != influx.Kind {
		t.Error("the kind is not the kind")
	}
}
