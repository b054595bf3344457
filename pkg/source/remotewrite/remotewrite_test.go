package remotewrite

import (
	"context"
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

	"github.com/klauspost/compress/s2"
	"github.com/prometheus/client_golang/exp/api/remote"
	writev2 "github.com/prometheus/client_golang/exp/api/remote/genproto/v2"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/encoding/protowire"
	"pgregory.net/rapid"

	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/receive"
	"github.com/chartd/chartd/pkg/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// series is what a test sends.
type series struct {
	labels  store.Labels // the name among them
	samples []store.Sample
}

func one(t int64, v float64, labels ...string) series {
	s := series{samples: []store.Sample{{T: t, V: v}}}
	for i := 0; i < len(labels); i += 2 {
		s.labels = append(s.labels, store.Label{Name: labels[i], Value: labels[i+1]})
	}
	return s
}

// encodeV1 writes prometheus.WriteRequest, with an exemplar, a histogram and metadata beside the samples.
func encodeV1(all []series) []byte {
	var out []byte
	message := func(b []byte, number protowire.Number, body []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(b, number, protowire.BytesType), body)
	}
	for _, s := range all {
		var ts []byte
		for _, l := range s.labels {
			ts = message(ts, 1, message(message(nil, 1, []byte(l.Name)), 2, []byte(l.Value)))
		}
		for _, p := range s.samples {
			b := protowire.AppendFixed64(protowire.AppendTag(nil, 1, protowire.Fixed64Type), math.Float64bits(p.V))
			ts = message(ts, 2, protowire.AppendVarint(protowire.AppendTag(b, 2, protowire.VarintType), uint64(p.T)))
		}
		ts = message(ts, 3, []byte{})
		out = message(out, 1, ts)
	}
	return message(out, 3, []byte{})
}

// encodeV2 makes the message of version 2 with the types of Prometheus' own client.
func encodeV2(all []series) *writev2.Request {
	symbols := writev2.NewSymbolTable()
	req := &writev2.Request{}
	for _, s := range all {
		ts := &writev2.TimeSeries{Metadata: &writev2.Metadata{}, Exemplars: []*writev2.Exemplar{{}}}
		for _, l := range s.labels {
			ts.LabelsRefs = append(ts.LabelsRefs, symbols.Symbolize(l.Name), symbols.Symbolize(l.Value))
		}
		for _, p := range s.samples {
			ts.Samples = append(ts.Samples, &writev2.Sample{Timestamp: p.T, Value: p.V})
		}
		req.Timeseries = append(req.Timeseries, ts)
	}
	req.Symbols = symbols.Symbols()
	return req
}

// rig is a source that runs, before a store.
type rig struct {
	*httptest.Server
	store *store.Store

	mu                sync.Mutex
	skipped, rejected int
	why               error
}

func newRig(t testing.TB, cfg *Config, limits func(*store.Config)) *rig {
	t.Helper()
	sc := store.DefaultConfig()
	if limits != nil {
		limits(&sc)
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

const (
	typeV1 = "application/x-protobuf"
	typeV2 = "application/x-protobuf;proto=io.prometheus.write.v2.Request"
)

// post sends a body packed.
func (r *rig) post(t testing.TB, contentType string, body []byte, change ...func(*http.Request)) (status int, text string, h http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.URL+Path, strings.NewReader(string(s2.EncodeSnappy(nil, body))))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Content-Encoding", "snappy")
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
	return resp.StatusCode, strings.TrimSuffix(string(b), "\n"), resp.Header
}

func (r *rig) samples(metric string) (out []string) {
	for _, sr := range r.store.Select(metric, nil) {
		sr.Each(math.MinInt64, math.MaxInt64, func(block []store.Sample) {
			for _, s := range block {
				out = append(out, fmt.Sprintf("%s %v @%d", sr, s.V, s.T))
			}
		})
	}
	return out
}

func TestWrite(t *testing.T) {
	now := time.Now().UnixMilli()
	stale := math.Float64frombits(0x7ff0000000000002)
	many := []string{"__name__", "m"}
	for i := range store.MaxLabels + 1 {
		many = append(many, fmt.Sprintf("l%02d", i), "x")
	}
	for _, tc := range []struct {
		name      string
		send      []series
		want      []string
		status    int
		text      string
		written   string
		skipped   int
		maxSeries int
		after     string // Retry-After
	}{
		{name: "nothing", status: 204, written: "0"},
		{
			name: "two series, one not sorted", send: []series{one(now, 1, "__name__", "m", "a", "1"), one(now, 2, "b", "2", "a", "", "__name__", "m")},
			want: []string{fmt.Sprintf(`m{a="1"} 1 @%d`, now), fmt.Sprintf(`m{b="2"} 2 @%d`, now)}, status: 204, written: "2",
		},
		{
			name: "stale and infinite", send: []series{one(now, stale, "__name__", "m"), one(now, math.Inf(1), "__name__", "m", "a", "1")},
			want: []string{fmt.Sprintf(`m{} NaN @%d`, now), fmt.Sprintf(`m{a="1"} NaN @%d`, now)}, status: 204, written: "2", skipped: 1,
		},
		{
			name: "some are refused", send: []series{one(0, 1, "__name__", "m"), one(now, 2, "a", "1"), one(now, 3, "__name__", "m"), one(now, 3, many...)},
			want: []string{fmt.Sprintf(`m{} 3 @%d`, now)}, status: 400, written: "1",
			text: "3 of 4 samples were rejected; the first, of series 1: m: sample is too old: t 0 is 1970-01-01T00:00:00.000Z; the oldest that is taken is ",
		},
		{
			name: "full", maxSeries: 1, send: []series{one(now, 1, "__name__", "m"), one(now, 2, "__name__", "m", "a", "1")},
			want: []string{fmt.Sprintf(`m{} 1 @%d`, now)}, status: 400, written: "1", text: "1 of 2 samples were rejected; the first, of series 2: m: the limit of store.max_series (1) is reached",
		},
		{
			name: "nothing but full", maxSeries: 1, send: []series{one(now, 2, "__name__", "n", "a", "1")},
			status: 429, written: "0", text: "1 of 1 samples were rejected; the first, of series 1: n: the limit of store.max_series (1) is reached", after: "30",
		},
	} {
		for _, v := range []version{v1, v2} {
			t.Run(fmt.Sprintf("%s, version %d", tc.name, v), func(t *testing.T) {
				r := newRig(t, DefaultConfig(), func(c *store.Config) {
					if tc.maxSeries > 0 {
						c.MaxSeries = tc.maxSeries
					}
				})
				if tc.status == 429 {
					_ = r.store.Append("x", nil, now, 1)
				}
				body, contentType := encodeV1(tc.send), typeV1
				if v == v2 {
					body, contentType = marshal(t, encodeV2(tc.send)), typeV2
				}
				status, text, h := r.post(t, contentType, body)
				if status != tc.status || !strings.HasPrefix(text, tc.text) || h.Get("Retry-After") != tc.after {
					t.Errorf("%d %s, Retry-After %s", status, text, h.Get("Retry-After"))
				}
				if got := r.samples("m"); !slices.Equal(got, tc.want) {
					t.Errorf("got %q, want %q", got, tc.want)
				}
				if r.skipped != tc.skipped {
					t.Errorf("%d skipped, want %d", r.skipped, tc.skipped)
				}
				if written := h.Get("X-Prometheus-Remote-Write-Samples-Written"); v == v2 && written != tc.written || v == v1 && written != "" {
					t.Errorf("%q written, want %s", written, tc.written)
				}
			})
		}
	}
}

func marshal(t testing.TB, req *writev2.Request) []byte {
	t.Helper()
	b, err := req.MarshalVT()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestTheClientOfPrometheus writes with the client that the Prometheus project publishes.
func TestTheClientOfPrometheus(t *testing.T) {
	r := newRig(t, DefaultConfig(), nil)
	api, err := remote.NewAPI(r.URL, remote.WithAPIHTTPClient(r.Client()))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UnixMilli()
	req := encodeV2([]series{one(now, 1, "__name__", "m", "a", "ä"), one(now, 2, "__name__", "m")})
	req.Timeseries[0].Histograms = []*writev2.Histogram{{Timestamp: now}}
	stats, err := api.Write(t.Context(), remote.WriteV2MessageType, req)
	if want := []string{fmt.Sprintf(`m{} 2 @%d`, now), fmt.Sprintf(`m{a="ä"} 1 @%d`, now)}; err != nil || stats.Samples != 2 || stats.Histograms != 0 || !slices.Equal(r.samples("m"), want) {
		t.Errorf("%+v, %v, %q", stats, err, r.samples("m"))
	}
	if r.skipped != 1 {
		t.Errorf("%d histograms are counted", r.skipped)
	}
	retried := false
	req = encodeV2([]series{one(0, 1, "__name__", "m")})
	if _, err := api.Write(t.Context(), remote.WriteV2MessageType, req, remote.WithWriteRetryCallback(func(error) { retried = true })); err == nil || retried {
		t.Errorf("what will never be taken: %v, tried again %v", err, retried)
	}
}

func TestRefusals(t *testing.T) {
	cfg := DefaultConfig()
	cfg.MaxBody = 1 << 10
	r := newRig(t, cfg, nil)
	good := encodeV1([]series{one(time.Now().UnixMilli(), 1, "__name__", "m")})
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	raw := func(text string) func(*http.Request) {
		return func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
		}
	}
	for _, tc := range []struct {
		name        string
		contentType string
		body        []byte
		change      func(*http.Request)
		status      int
		text        string
	}{
		{"another type", "application/json", good, func(*http.Request) {}, 415, `content type "application/json" is not understood; send application/x-protobuf`},
		{"another message", typeV1 + ";proto=x.Y", good, func(*http.Request) {}, 415, `message "x.Y" is not understood; send prometheus.WriteRequest or io.prometheus.write.v2.Request`},
		{"another encoding", typeV1, good, header("Content-Encoding", "zstd"), 415, `content encoding "zstd" is not understood; send snappy`},
		{"no encoding", typeV1 + ";proto=prometheus.WriteRequest", good, header("Content-Encoding", ""), 204, ""},
		{"not packed", typeV1, nil, raw("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), 400, "the body is not packed with snappy: s2: corrupt input"},
		{"large", typeV1, nil, raw(strings.Repeat("x", 2<<10)), 413, "the body is larger than 1KiB (max_body of the source); send it in parts"},
		{"large, of unknown length", typeV1, nil, func(r *http.Request) { raw(strings.Repeat("x", 2<<10))(r); r.ContentLength = -1 }, 413, "the body is larger than 1KiB (max_body of the source); send it in parts"},
		{"large when unpacked", typeV1, make([]byte, 2<<10), func(*http.Request) {}, 413, "the body is larger than 1KiB (max_body of the source) when it is unpacked; send it in parts (max_samples_per_send)"},
		{"another method", typeV1, good, func(r *http.Request) { r.Method = "PUT" }, 405, "PUT is not understood here; it is for the remote_write of a Prometheus, which POSTs"},
		{"garbage", typeV1, []byte("garbage"), func(*http.Request) {}, 400, "the body is not what its Content-Type says: field 12 has the type 7, which proto3 does not have"},
		{"broken at the end", typeV1, append(slices.Clone(good), 0x0a, 0x7f), func(*http.Request) {}, 400, "the body is not what its Content-Type says: the message is cut off"},
		{"broken series", typeV1, append(slices.Clone(good), 0x0a, 0x02, 0x0a, 0x7f), func(*http.Request) {}, 400, "series 2: the message is cut off"},
		{"broken label", typeV1, append(slices.Clone(good), 0x0a, 0x04, 0x0a, 0x02, 0x08, 0x01), func(*http.Request) {}, 400, "series 2: labels: a label is no text"},
		{"broken sample", typeV1, append(slices.Clone(good), 0x0a, 0x04, 0x12, 0x02, 0x08, 0x01), func(*http.Request) {}, 400, "series 2: a sample: its value or its time is of another type"},
		{"no such symbol", typeV2, []byte{0x22, 0x00, 0x2a, 0x04, 0x0a, 0x02, 0x00, 0x01}, func(*http.Request) {}, 400, "series 1: labels: symbol 1 is asked for, of 1"},
		{"half a label", typeV2, []byte{0x22, 0x00, 0x2a, 0x03, 0x0a, 0x01, 0x00}, func(*http.Request) {}, 400, "series 1: labels: a name has no value"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			before := len(r.samples("m"))
			status, text, _ := r.post(t, tc.contentType, tc.body, tc.change)
			if status != tc.status || text != tc.text {
				t.Errorf("%d %s", status, text)
			}
			if got := r.samples("m"); status != 204 && len(got) != before {
				t.Errorf("something was taken: %q", got)
			}
		})
	}
}

// TestTooManyAtOnce holds that requests wait for their turn, and are told to come back when it does not come.
func TestTooManyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource(&Config{MaxBody: 1 << 20, MaxInFlight: 1}, source.Deps{Skip: func(int) {}, Reject: func(int, error) {}})
		done, err := s.turns.Take(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		_, err = s.turns.Take(t.Context())
		rec := httptest.NewRecorder()
		refuse(rec, err)
		if rec.Code != 503 || rec.Header().Get("Retry-After") != "1" || time.Since(began) != receive.Patience || rec.Body.String() != "1 requests are being read already (max_in_flight of the source); try again\n" {
			t.Errorf("after %v: %d %s", time.Since(began), rec.Code, rec.Body)
		}
		time.AfterFunc(time.Second, done)
		if done, err = s.turns.Take(t.Context()); err != nil {
			t.Fatal("it was its turn:", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err = s.turns.Take(ctx)
		rec = httptest.NewRecorder()
		if refuse(rec, err); rec.Code != 503 {
			t.Errorf("nobody waits any more: %d", rec.Code)
		}
		done()
	})
}

func TestClosed(t *testing.T) {
	s := newSource(DefaultConfig(), source.Deps{})
	rec := httptest.NewRecorder()
	s.serve(rec, httptest.NewRequestWithContext(t.Context(), "POST", Path, nil))
	if rec.Code != 503 || rec.Header().Get("Retry-After") == "" {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}

// TestAllThatIsSentIsTaken writes what it thinks of in both versions.
func TestAllThatIsSentIsTaken(t *testing.T) {
	name := rapid.StringMatching(`[a-z]{1,3}`)
	rapid.Check(t, func(t *rapid.T) {
		var all []series
		var want []string
		for range rapid.IntRange(0, 6).Draw(t, "series") {
			labels := rapid.MapOfN(name, rapid.String(), 0, 4).Draw(t, "labels")
			labels["__name__"] = name.Draw(t, "metric")
			s := series{labels: store.LabelsOf(labels)}
			for range rapid.IntRange(0, 3).Draw(t, "samples") {
				s.samples = append(s.samples, store.Sample{T: rapid.Int64().Draw(t, "t"), V: rapid.Float64().Draw(t, "v") + 0}) // -0 is not written
			}
			metric := labels["__name__"]
			delete(labels, "__name__")
			for _, p := range s.samples {
				want = append(want, fmt.Sprintf("%s%s %v @%d", metric, store.LabelsOf(labels), p.V, p.T))
			}
			all = append(all, s)
		}
		b2, err := encodeV2(all).MarshalVT()
		if err != nil {
			t.Fatal(err)
		}
		for v, body := range map[version][]byte{v1: encodeV1(all), v2: b2} {
			got := &taken{}
			if err := (&message{}).take(string(body), v, got); err != nil || !slices.Equal(got.got, want) {
				t.Fatalf("version %d: got %q, %v; want %q", v, got.got, err, want)
			}
		}
	})
}

// taken is an appender that writes down what it is given.
type taken struct{ got []string }

func (a *taken) Append(metric string, labels store.Labels, t int64, v float64) error {
	a.got = append(a.got, fmt.Sprintf("%s%s %v @%d", metric, labels, v, t))
	return nil
}

// TestNothingOfABodyIsKept writes over a body that was taken, as the next request
// does: what the store has and what the answer says stay.
func TestNothingOfABodyIsKept(t *testing.T) {
	now := time.Now().UnixMilli()
	all := []series{
		one(now, 1, "__name__", "up", "host", "a", "job", "node"),
		one(now-(1<<40), 2, "__name__", "down", "host", "a"),
		one(now, 3, "__name__", "up", "ho\x01st", "a"),
		one(now, 4, "__name__", "up", "host", "a", "host", "b"),
		one(now, 5, "__name__", "up", "host", strings.Repeat("v", store.MaxLabelValue+1)),
	}
	for v, body := range map[version][]byte{v1: encodeV1(all), v2: marshal(t, encodeV2(all))} {
		st := store.New(store.DefaultConfig(), nil)
		var m message
		if err := m.take(view(body), v, st); err != nil {
			t.Fatal(err)
		}
		said := strings.Clone(fmt.Sprint(m.tally.Listed))
		for i := range body {
			body[i] = '?'
		}
		if got := st.Select("up", nil); len(got) != 1 || got[0].String() != `up{host="a", job="node"}` {
			t.Errorf("version %d: the store has %v", v, got)
		}
		if got := fmt.Sprint(m.tally.Listed); got != said || m.tally.Rejected() != 4 || !strings.Contains(got, "down") {
			t.Errorf("version %d: the answer says %s, and said %s", v, got, said)
		}
	}
}

func TestNoAllocationForASample(t *testing.T) {
	for v, body := range load(t, 1000, 0) {
		var m message
		text := string(body)
		if n := testing.AllocsPerRun(20, func() {
			if err := m.take(text, v, nothing{}); err != nil {
				t.Fatal(err)
			}
		}); n > 2 {
			t.Errorf("version %d: %v allocations for 1000 samples", v, n)
		}
	}
}

type nothing struct{}

func (nothing) Append(string, store.Labels, int64, float64) error { return nil }

// load returns a message of n series in both versions, ms milliseconds from now.
func load(t testing.TB, n int, ms int64) map[version][]byte {
	var all []series
	now := time.Now().UnixMilli() + ms
	for i := range n {
		all = append(all, one(now, float64(i), "__name__", "node_cpu_seconds_total", "cpu", fmt.Sprint(i%64), "instance", "host:9100", "job", "node", "mode", fmt.Sprint("mode", i/64)))
	}
	return map[version][]byte{v1: encodeV1(all), v2: marshal(t, encodeV2(all))}
}

// FuzzMessage holds that nothing makes the reader panic, and that it reads what Prometheus' own types read.
func FuzzMessage(f *testing.F) {
	for v, body := range load(f, 2, 0) {
		f.Add(body, v == v2)
	}
	f.Add([]byte{0x22, 0x00, 0x2a, 0x04, 0x0a, 0x02, 0x00, 0x01}, true)
	f.Add([]byte{0x0a, 0x02, 0x0a, 0x7f}, false)
	f.Fuzz(func(t *testing.T, body []byte, second bool) {
		v := v1
		if second {
			v = v2
		}
		got := &taken{}
		err := (&message{}).take(string(body), v, got)
		if err != nil && len(got.got) > 0 {
			t.Fatalf("broken, and %q were taken: %v", got.got, err)
		}
		var req writev2.Request
		if err != nil || v == v1 || req.UnmarshalVT(body) != nil {
			return
		}
		n := 0
		for _, ts := range req.Timeseries {
			if len(ts.LabelsRefs) <= 2*store.MaxLabels {
				n += len(ts.Samples)
			}
		}
		if len(got.got) < n {
			t.Fatalf("%d samples are taken, %d were sent", len(got.got), n)
		}
	})
}

// BenchmarkRemoteWrite takes requests as a Prometheus sends them, of 2000 series with one sample each, from the body to the store.
func BenchmarkRemoteWrite(b *testing.B) {
	const (
		perRequest = 2000 // max_samples_per_send
		requests   = 100  // that are different
	)
	for v, contentType := range map[version]string{v1: typeV1, v2: typeV2} {
		b.Run(fmt.Sprintf("version=%d", v), func(b *testing.B) {
			packed := make([]string, requests)
			size := 0
			for i := range packed {
				body := load(b, perRequest, int64(i))[v]
				size = len(body)
				packed[i] = string(s2.EncodeSnappy(nil, body))
			}
			src := newSource(DefaultConfig(), source.Deps{Skip: func(int) {}, Reject: func(int, error) {}})
			var running sync.WaitGroup
			stop := func() {}
			fresh := func() { // another store, so that every sample is a new one
				b.StopTimer()
				stop()
				running.Wait()
				var ctx context.Context
				ctx, stop = context.WithCancel(context.Background())
				running.Go(func() { _ = src.Run(ctx, store.New(store.DefaultConfig(), nil)) })
				for {
					if _, leave, ok := src.Enter(httptest.NewRecorder()); ok {
						leave()
						break
					}
					runtime.Gosched()
				}
				b.StartTimer()
			}
			b.ReportAllocs()
			b.SetBytes(int64(size))
			for i := 0; b.Loop(); i++ {
				if i%requests == 0 {
					fresh()
				}
				req := httptest.NewRequestWithContext(context.Background(), "POST", Path, strings.NewReader(packed[i%requests]))
				req.Header.Set("Content-Type", contentType)
				rec := httptest.NewRecorder()
				src.serve(rec, req)
				if rec.Code != http.StatusNoContent {
					b.Fatal(rec.Code, rec.Body)
				}
			}
			b.ReportMetric(float64(perRequest*b.N)/b.Elapsed().Seconds(), "samples/s")
			stop()
			running.Wait()
		})
	}
}
