package otlp

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
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a source that runs, before a store.
type rig struct {
	*httptest.Server
	store *store.Store

	mu                sync.Mutex
	skipped, rejected int
	why               error
}

func newRig(t testing.TB, cfg *Config, maxSeries int) *rig {
	t.Helper()
	sc := store.DefaultConfig()
	if maxSeries > 0 {
		sc.MaxSeries = maxSeries
	}
	r := &rig{store: store.New(sc, nil)}
	src := newSource(cfg, source.Deps{
		Skip:   func(n int) { r.mu.Lock(); r.skipped += n; r.mu.Unlock() },
		Reject: func(n int, err error) { r.mu.Lock(); r.rejected += n; r.why = err; r.mu.Unlock() },
	})
	mux := http.NewServeMux()
	for pattern, h := range src.Routes() {
		mux.Handle(pattern, h)
	}
	r.Server = httptest.NewServer(mux)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = src.Run(ctx, r.store) })
	for {
		if _, leave, ok := src.Enter(httptest.NewRecorder()); ok {
			leave()
			break
		}
		runtime.Gosched()
	}
	t.Cleanup(func() { r.Close(); cancel(); running.Wait() })
	return r
}

func (r *rig) post(t testing.TB, contentType string, body []byte, change ...func(*http.Request)) (status int, text []byte, h http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.URL+Path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	for _, f := range change {
		f(req)
	}
	resp, err := r.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, b, resp.Header
}

// names are the metrics that tests send.
var suffixes = []string{"", "_count", "_sum", "_min", "_max", "_bucket"}

func (r *rig) samples() (out []string) {
	for _, suffix := range suffixes {
		for _, sr := range r.store.Select("m"+suffix, nil) {
			sr.Each(math.MinInt64, math.MaxInt64, func(block []store.Sample) {
				for _, s := range block {
					out = append(out, fmt.Sprint(sr, " ", s.V))
				}
			})
		}
	}
	return out
}

// parse reads a request as JSON has it; NOW and LATER stand for times.
func parse(t testing.TB, text string) *metrics.MetricsData {
	t.Helper()
	now := time.Now().Add(-time.Minute)
	text = strings.NewReplacer("NOW", fmt.Sprint(now.UnixNano()), "LATER", fmt.Sprint(now.Add(time.Second).UnixNano())).Replace(text)
	data := &metrics.MetricsData{}
	if err := protojson.Unmarshal([]byte(text), data); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return data
}

// one is a request of one metric.
func one(metric string) string {
	return `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m",` + metric + `}]}]}]}`
}

func TestMetrics(t *testing.T) {
	for _, tc := range []struct {
		name, send string
		change     func(*Config)
		want       []string
		skipped    int
	}{
		{name: "nothing", send: `{}`},
		{name: "gauges", send: one(`"gauge":{"dataPoints":[{"timeUnixNano":"NOW","asDouble":1.5},{"timeUnixNano":"NOW","asInt":"7","attributes":[{"key":"a","value":{"stringValue":"x"}}]}]}`), want: []string{"m{} 1.5", `m{a="x"} 7`}},
		{name: "a cumulative sum", send: one(`"sum":{"aggregationTemporality":2,"isMonotonic":true,"dataPoints":[{"timeUnixNano":"NOW","asInt":"3"},{"timeUnixNano":"LATER","asInt":"5"}]}`), want: []string{"m{} 3", "m{} 5"}},
		{name: "a delta sum", send: one(`"sum":{"aggregationTemporality":1,"isMonotonic":true,"dataPoints":[{"timeUnixNano":"NOW","asInt":"3"},{"timeUnixNano":"LATER","asInt":"5"}]}`), want: []string{"m{} 3", "m{} 8"}},
		{name: "gaps", send: one(`"gauge":{"dataPoints":[{"timeUnixNano":"NOW","flags":1},{"timeUnixNano":"LATER","asDouble":"Infinity"}]}`), want: []string{"m{} NaN", "m{} NaN"}, skipped: 1},
		{
			name: "a histogram", send: one(`"histogram":{"aggregationTemporality":2,"dataPoints":[{"timeUnixNano":"NOW","count":"6","sum":9.5,"min":0.1,"max":4,"bucketCounts":["1","2","3"],"explicitBounds":[0.5,1000000],"attributes":[{"key":"z","value":{"boolValue":true}}]}]}`),
			want: []string{`m_count{z="true"} 6`, `m_sum{z="true"} 9.5`, `m_min{z="true"} 0.1`, `m_max{z="true"} 4`, `m_bucket{le="+Inf", z="true"} 6`, `m_bucket{le="0.5", z="true"} 1`, `m_bucket{le="1000000", z="true"} 3`},
		},
		{
			name: "a histogram of deltas", send: one(`"histogram":{"aggregationTemporality":1,"dataPoints":[{"timeUnixNano":"NOW","count":"3","sum":2,"max":2,"bucketCounts":["1","2"],"explicitBounds":[1]},{"timeUnixNano":"LATER","count":"1","sum":1,"max":1,"bucketCounts":["1","0"],"explicitBounds":[1]}]}`),
			want: []string{"m_count{} 3", "m_count{} 4", "m_sum{} 2", "m_sum{} 3", "m_max{} 2", "m_max{} 1", `m_bucket{le="+Inf"} 3`, `m_bucket{le="+Inf"} 4`, `m_bucket{le="1"} 1`, `m_bucket{le="1"} 2`},
		},
		{
			name: "an exponential histogram", send: one(`"exponentialHistogram":{"aggregationTemporality":1,"dataPoints":[{"timeUnixNano":"NOW","count":"2","sum":3,"min":1,"max":2,"scale":1,"positive":{"bucketCounts":["2"]}},{"timeUnixNano":"LATER","count":"5"}]}`),
			want: []string{"m_count{} 2", "m_count{} 7", "m_sum{} 3", "m_min{} 1", "m_max{} 2"}, skipped: 1,
		},
		{name: "a summary", send: one(`"summary":{"dataPoints":[{"timeUnixNano":"NOW","count":"2","sum":3,"quantileValues":[{"quantile":0.99,"value":7}]},{"timeUnixNano":"LATER","flags":1}]}`), want: []string{`m{quantile="0.99"} 7`, "m_count{} 2", "m_count{} NaN", "m_sum{} 3", "m_sum{} NaN"}},
		{
			name: "labels of all kinds", send: `{"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}},{"key":"process.pid","value":{"intValue":"1"}},{"key":"host.name","value":{"stringValue":"r"}}]},
				"scopeMetrics":[{"scope":{"name":"lib","version":"1.2","attributes":[{"key":"x","value":{"doubleValue":0.5}}]},"metrics":[{"name":"m","gauge":{"dataPoints":[{"timeUnixNano":"NOW","asInt":1,"attributes":[
				{"key":"host.name","value":{"stringValue":"p"}},{"key":"list","value":{"arrayValue":{"values":[{"intValue":1},{"stringValue":"a"},{}]}}},{"key":"map","value":{"kvlistValue":{"values":[{"key":"k","value":{"bytesValue":"AQI="}}]}}},{"key":"bytes","value":{"bytesValue":"AQI="}},{"key":"empty","value":{"stringValue":""}}]}]}}]}]}]}`,
			want: []string{`m{bytes="AQI=", host.name="p", list="[1,\"a\",null]", map="{\"k\":\"AQI=\"}", otel_scope_name="lib", otel_scope_version="1.2", otel_scope_x="0.5", service.name="shop"} 1`},
		},
		{
			name: "all of a resource, nothing of a scope", send: `{"resourceMetrics":[{"resource":{"attributes":[{"key":"process.pid","value":{"intValue":"1"}}]},"scopeMetrics":[{"scope":{"name":"lib"},"metrics":[{"name":"m","gauge":{"dataPoints":[{"timeUnixNano":"NOW","asInt":1}]}}]}]}]}`,
			change: func(c *Config) { c.PromoteAllResourceAttributes, c.PromoteScopeMetadata = true, false }, want: []string{`m{process.pid="1"} 1`},
		},
	} {
		for _, enc := range []encoding{asProtobuf, asJSON} {
			t.Run(tc.name+", "+string(enc), func(t *testing.T) {
				cfg := DefaultConfig()
				if tc.change != nil {
					tc.change(cfg)
				}
				r := newRig(t, cfg, 0)
				body := encode(t, enc, parse(t, tc.send))
				for range 2 { // an exporter that saw no answer sends it again
					status, text, h := r.post(t, string(enc), body)
					if want := map[encoding]string{asProtobuf: "", asJSON: "{}"}[enc]; status != 200 || string(text) != want || h.Get("Content-Type") != string(enc) {
						if !strings.Contains(string(text), "older than the newest") { // of two points of a delta, the first
							t.Errorf("%d %q, %v", status, text, h)
						}
					}
					if got := r.samples(); !slices.Equal(got, tc.want) {
						t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tc.want, "\n"))
					}
				}
				if r.skipped != 2*tc.skipped && r.rejected == 0 {
					t.Errorf("%d skipped, want %d", r.skipped, tc.skipped)
				}
			})
		}
	}
}

func encode(t testing.TB, enc encoding, m proto.Message) []byte {
	t.Helper()
	f := proto.Marshal
	if enc == asJSON {
		f = protojson.Marshal
	}
	b, err := f(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// said is what an answer says, in either encoding: the number before its text, and the text.
func said(t testing.TB, enc encoding, status int, body []byte) (n uint64, text string) {
	t.Helper()
	if enc == asJSON {
		var got struct {
			Code    uint64
			Message string
			Partial struct {
				N    uint64 `json:"rejectedDataPoints,string"`
				Text string `json:"errorMessage"`
			} `json:"partialSuccess"`
		}
		if err := json.Unmarshal(body, &got); err != nil {
			t.Fatalf("%v in %s", err, body)
		}
		return got.Code + got.Partial.N, got.Message + got.Partial.Text
	}
	if status == http.StatusOK { // the one field is a message
		_, _, tag := protowire.ConsumeTag(body)
		inner, _ := protowire.ConsumeBytes(body[tag:])
		body = inner
	}
	for len(body) > 0 {
		number, kind, tag := protowire.ConsumeTag(body)
		size := protowire.ConsumeFieldValue(number, kind, body[max(tag, 0):])
		if tag < 0 || size < 0 {
			t.Fatalf("%q is no answer", body)
		}
		switch value := body[tag:]; number {
		case 1:
			n, _ = protowire.ConsumeVarint(value)
		case 2:
			text, _ = protowire.ConsumeString(value)
		}
		body = body[tag+size:]
	}
	return n, text
}

func TestAnswers(t *testing.T) {
	good := one(`"gauge":{"dataPoints":[{"timeUnixNano":"NOW","asInt":1},{"timeUnixNano":"NOW","asInt":2,"attributes":[{"key":"a","value":{"stringValue":"x"}}]}]}`)
	for _, tc := range []struct {
		name, send string
		maxSeries  int
		before     string // a series that is there
		maxStreams int
		status     int
		n          uint64
		text       string
		after      string
	}{
		{name: "some are refused", send: one(`"gauge":{"dataPoints":[{"timeUnixNano":"1000000","asInt":1},{"timeUnixNano":"NOW"},{"timeUnixNano":"NOW","asInt":1},{"asInt":1}]}`), status: 200, n: 3, text: "3 of 4 points were rejected; the first, point 1: m: sample is too old"},
		{name: "no value", send: one(`"gauge":{"dataPoints":[{"timeUnixNano":"NOW"}]}`), status: 200, n: 1, text: "1 of 1 points were rejected; the first, point 1: m: the point has no value"},
		{name: "no time", send: one(`"gauge":{"dataPoints":[{"asInt":1}]}`), status: 200, n: 1, text: "1 of 1 points were rejected; the first, point 1: m: the point has no time_unix_nano"},
		{name: "wrong buckets", send: one(`"histogram":{"dataPoints":[{"timeUnixNano":"NOW","bucketCounts":["1"],"explicitBounds":[1]}]}`), status: 200, n: 1, text: "1 of 1 points were rejected; the first, point 1: m: 1 buckets do not fit to 1 bounds"},
		{name: "an old delta", send: one(`"sum":{"aggregationTemporality":1,"dataPoints":[{"timeUnixNano":"LATER","asInt":1},{"timeUnixNano":"NOW","asInt":1}]}`), status: 200, n: 1, text: "1 of 2 points were rejected; the first, point 2: m: the delta of "},
		{name: "too many deltas", maxStreams: 1, send: strings.NewReplacer("gauge", "sum", `"dataPoints"`, `"aggregationTemporality":1,"dataPoints"`).Replace(good), status: 200, n: 1, text: "1 of 2 points were rejected; the first, point 2: m: it would be one delta more than max_streams of the source (1); export cumulative sums"},
		{name: "partly full", maxSeries: 1, send: good, status: 200, n: 1, text: "1 of 2 points were rejected; the first, point 2: m: the limit of store.max_series (1) is reached"},
		{name: "full", maxSeries: 1, before: "x", send: good, status: 429, n: codeExhausted, text: "2 of 2 points were rejected; the first, point 1: m: the limit of store.max_series (1) is reached", after: "30"},
	} {
		for _, enc := range []encoding{asProtobuf, asJSON} {
			t.Run(tc.name+", "+string(enc), func(t *testing.T) {
				cfg := DefaultConfig()
				if tc.maxStreams > 0 {
					cfg.MaxStreams = tc.maxStreams
				}
				r := newRig(t, cfg, tc.maxSeries)
				if tc.before != "" {
					_ = r.store.Append(tc.before, nil, time.Now().UnixMilli(), 1)
				}
				status, body, h := r.post(t, string(enc), encode(t, enc, parse(t, tc.send)))
				n, text := said(t, enc, status, body)
				if status != tc.status || n != tc.n || !strings.HasPrefix(text, tc.text) || h.Get("Retry-After") != tc.after || h.Get("Content-Type") != string(enc) {
					t.Errorf("%d: %d %s, %v", status, n, text, h)
				}
			})
		}
	}
}

func TestRefusals(t *testing.T) {
	cfg := DefaultConfig()
	cfg.MaxBody = 1 << 10
	r := newRig(t, cfg, 0)
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write(make([]byte, 2<<10))
	_ = z.Close()
	for _, tc := range []struct {
		name   string
		enc    encoding
		body   []byte
		change func(*http.Request)
		status int
		text   string
	}{
		{"another type", asJSON, nil, header("Content-Type", "text/plain"), 415, `content type "text/plain" is not understood; send application/x-protobuf or application/json`},
		{"another packing", asJSON, nil, header("Content-Encoding", "zstd"), 415, `content encoding "zstd" is not understood; send gzip, or none`},
		{"not packed", asProtobuf, []byte("x"), header("Content-Encoding", "gzip"), 400, "reading the body: gzip: "},
		{"large", asProtobuf, make([]byte, 2<<10), func(*http.Request) {}, 413, "the body is larger than 1KiB (max_body of the source); send it in parts"},
		{"large when unpacked", asJSON, packed.Bytes(), header("Content-Encoding", "gzip"), 413, "the body is larger than 1KiB (max_body of the source); send it in parts"},
		{"no protobuf", asProtobuf, []byte("garbage"), func(*http.Request) {}, 400, "the body is not what its Content-Type says: proto:"},
		{"no JSON", asJSON, []byte("garbage"), func(*http.Request) {}, 400, "the body is not what its Content-Type says: proto:"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			status, body, h := r.post(t, string(tc.enc), tc.body, tc.change)
			if n, text := said(t, tc.enc, status, body); status != tc.status || n != codeInvalid || !strings.HasPrefix(text, tc.text) || h.Get("Content-Type") != string(tc.enc) {
				t.Errorf("%d: %d %s, %v", status, n, text, h)
			}
		})
	}
	status, _, h := r.post(t, string(asJSON), nil, func(r *http.Request) { r.Method = http.MethodPut })
	if status != http.StatusMethodNotAllowed || h.Get("Allow") != http.MethodPost {
		t.Errorf("%d %v", status, h)
	}
	// What is newer than this is left out.
	if status, _, _ := r.post(t, string(asJSON)+"; charset=utf-8", []byte(`{"resourceMetrics":[],"later":[1]}`)); status != 200 {
		t.Error(status)
	}
	s := newSource(DefaultConfig(), source.Deps{})
	rec := httptest.NewRecorder()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, Path, nil)
	req.Header.Set("Content-Type", string(asProtobuf))
	s.serve(rec, req)
	if n, _ := said(t, asProtobuf, rec.Code, rec.Body.Bytes()); rec.Code != 503 || n != codeAway || rec.Header().Get("Retry-After") == "" {
		t.Errorf("before it runs: %d %s", rec.Code, rec.Body)
	}
}

// TestDeltasAreAddedOnce sends points of a few series in order, some of them again, and some that the store refuses at first.
func TestDeltasAreAddedOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := newDeltas(10, time.Minute)
		want := map[string]float64{}
		at := uint64(0)
		for range rapid.IntRange(1, 50).Draw(t, "points") {
			key := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "series")
			v := float64(rapid.IntRange(-5, 5).Draw(t, "v"))
			at++
			for range rapid.IntRange(0, 2).Draw(t, "refused") {
				if _, undo, err := d.add(key, at, v); err != nil {
					t.Fatal(err)
				} else {
					undo()
				}
			}
			want[key] += v
			for range rapid.IntRange(1, 3).Draw(t, "sent") {
				if sum, _, err := d.add(key, at, v); err != nil || sum != want[key] {
					t.Fatalf("%v, %v; want %v", sum, err, want[key])
				}
			}
		}
	})
}

func TestDeltasAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDeltas(1, time.Minute)
		add := func(key string, at uint64) (float64, bool) {
			sum, _, err := d.add(key, at, 1)
			return sum, err == nil
		}
		add("a", 1)
		time.Sleep(50 * time.Second)
		if sum, ok := add("a", 2); !ok || sum != 2 {
			t.Error(sum, ok)
		}
		if _, ok := add("b", 1); ok {
			t.Error("there was room")
		}
		time.Sleep(61 * time.Second)
		if sum, ok := add("b", 1); !ok || sum != 1 || len(d.streams) != 1 {
			t.Error(sum, ok, d.streams)
		}
		time.Sleep(61 * time.Second)
		if sum, ok := add("b", 2); !ok || sum != 1 {
			t.Error("it does not begin again:", sum, ok)
		}
	})
}

// FuzzOTLP holds that nothing makes the reader panic, and that every point is taken or rejected.
func FuzzOTLP(f *testing.F) {
	for _, text := range []string{
		one(`"sum":{"aggregationTemporality":1,"dataPoints":[{"timeUnixNano":"NOW","asInt":"3"},{"timeUnixNano":"LATER","asDouble":"NaN"}]}`),
		one(`"histogram":{"dataPoints":[{"timeUnixNano":"NOW","count":"6","sum":9.5,"bucketCounts":["1","2"],"explicitBounds":[0.5],"attributes":[{"key":"le","value":{"kvlistValue":{"values":[{"key":"k"}]}}}]}]}`),
		one(`"exponentialHistogram":{"dataPoints":[{"timeUnixNano":"NOW","positive":{"bucketCounts":["2"]}}]}`), one(`"summary":{"dataPoints":[{"timeUnixNano":"NOW","quantileValues":[{}]}]}`),
	} {
		f.Add(encode(f, asProtobuf, parse(f, text)), false)
		f.Add(encode(f, asJSON, parse(f, text)), true)
	}
	f.Fuzz(func(t *testing.T, body []byte, isJSON bool) {
		enc := asProtobuf
		if isJSON {
			enc = asJSON
		}
		var data metrics.MetricsData
		if enc.decode(body, &data) != nil {
			return
		}
		cfg := DefaultConfig()
		k := taking{cfg: cfg, deltas: newDeltas(10, time.Minute), app: store.New(store.DefaultConfig(), nil)}
		k.take(&data)
		if k.tally.Accepted+k.tally.Rejected() != k.number {
			t.Fatalf("%d taken and %d rejected of %d", k.tally.Accepted, k.tally.Rejected(), k.number)
		}
	})
}

func TestConfig(t *testing.T) {
	if ps := DefaultConfig().Validate(); len(ps) > 0 {
		t.Error(ps)
	}
	var got []string
	for _, p := range (&Config{PromoteResourceAttributes: []string{"", "a", "a"}}).Validate() {
		got = append(got, p.Path)
	}
	if want := []string{"max_body", "max_in_flight", "promote_resource_attributes[0]", "promote_resource_attributes[2]", "max_streams", "max_stale"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func BenchmarkTake(b *testing.B) {
	var points []string
	for i := range 1000 {
		points = append(points, fmt.Sprintf(`{"timeUnixNano":"NOW","asInt":"%d","attributes":[{"key":"cpu","value":{"stringValue":"c%d"}},{"key":"mode","value":{"stringValue":"m%d"}}]}`, i, i%32, i/32))
	}
	body := encode(b, asProtobuf, parse(b, one(`"gauge":{"dataPoints":[`+strings.Join(points, ",")+`]}`)))
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	k := taking{cfg: DefaultConfig(), app: store.New(store.DefaultConfig(), nil)}
	for b.Loop() {
		var data metrics.MetricsData
		if err := asProtobuf.decode(body, &data); err != nil {
			b.Fatal(err)
		}
		k.take(&data)
	}
	b.ReportMetric(1000*float64(b.N)/b.Elapsed().Seconds(), "points/s")
}
