package http_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	nethttp "net/http"
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
	"github.com/chartd/chartd/pkg/secret"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/http"
	"github.com/chartd/chartd/pkg/source/lines"
	"github.com/chartd/chartd/pkg/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const password = "hunter2-x"

// server is a real HTTP server with an answer that tests change.
type server struct {
	url string

	mu      sync.Mutex
	answer  func(w nethttp.ResponseWriter, r *nethttp.Request)
	asked   int
	listen  string
	running *httptest.Server
}

func (s *server) ServeHTTP(w nethttp.ResponseWriter, r *nethttp.Request) {
	s.mu.Lock()
	s.asked++
	answer := s.answer
	s.mu.Unlock()
	answer(w, r)
}

func (s *server) set(answer func(w nethttp.ResponseWriter, r *nethttp.Request)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

func (s *server) say(body string) {
	s.set(func(w nethttp.ResponseWriter, _ *nethttp.Request) { _, _ = w.Write([]byte(body)) })
}

// start listens, at the address of before if there was one.
func (s *server) start(t *testing.T) {
	t.Helper()
	addr := s.listen
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	s.running = httptest.NewUnstartedServer(s)
	_ = s.running.Listener.Close()
	s.running.Listener = ln
	s.running.Start()
	s.listen, s.url = ln.Addr().String(), "http://"+ln.Addr().String()
}

func newServer(t *testing.T) *server {
	s := &server{}
	s.say("{}")
	s.start(t)
	t.Cleanup(func() { s.running.Close() })
	return s
}

// recorder keeps what is appended and rejected.
type recorder struct {
	mu       sync.Mutex
	samples  []string // "metric{labels}=value@time", without the time if it is of now
	rejected []string
}

// Append implements store.Appender.
func (r *recorder) Append(metric string, labels store.Labels, at int64, v float64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(labels) > 0 {
		metric += labels.String()
	}
	text := fmt.Sprintf("%s=%v", metric, v)
	if at < time.Now().Add(-time.Hour).UnixMilli() {
		text += fmt.Sprintf("@%d", at)
	}
	r.samples = append(r.samples, text)
	return nil
}

func (r *recorder) list() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.samples)
}

func newSource(t *testing.T, r *recorder, url string, change func(*http.Config)) source.Source {
	t.Helper()
	cfg := http.DefaultConfig()
	cfg.URL, cfg.Interval = secret.URL(url), quantity.Duration(100*time.Millisecond)
	if change != nil {
		change(cfg)
	}
	if ps := cfg.Validate(); len(ps) > 0 {
		t.Fatal(ps)
	}
	src, err := cfg.New(source.Deps{Name: "x", Logger: zaptest.NewLogger(t), Skip: func(int) {}, Reject: func(_ int, err error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.rejected = append(r.rejected, err.Error())
	}})
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// run runs a source until enough returns true, or it ends by itself.
func run(t *testing.T, src source.Source, r *recorder, enough func() bool) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- src.Run(ctx, r) }()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				t.Errorf("it never comes; samples %v, rejected %q", r.list(), r.rejected)
			}
			return err
		case <-tick.C:
			if enough() {
				cancel()
			}
		}
	}
}

func never() bool { return false }

func TestAnswers(t *testing.T) {
	s := newServer(t)
	tests := []struct {
		name, body string
		change     func(*http.Config)
		want       string
	}{
		{"an object", `{"a":1,"b":{"c":2.5},"text":"x"}`, nil, "x_a=1 x_b_c=2.5"},
		{"a list", `[{"time":1700000000,"host":"a","v":1},{"time":1700000001,"host":"b","v":2}]`, nil, "x_v{host=\"a\"}=1@1700000000000 x_v{host=\"b\"}=2@1700000001000"},
		{"a number", `12.5`, func(c *http.Config) { c.Format = lines.JSON }, "x=12.5"},
		{"lines of JSON", "{\"a\":1}\n{\"a\":2}\n", nil, "x_a=1 x_a=2"},
		{"a query", `{"data":{"rows":[{"ts":1700000000000,"val":"7","room":{"name":"lab"}},{"ts":1700000000000,"val":null}]}}`, func(c *http.Config) {
			c.Query, c.Labels = `.data.rows[] | {time: .ts, temp: .val, room: .room.name}`, []string{"room"}
		}, "x_temp{room=\"lab\"}=7@1700000000000"},
		{"a query for a number", `{"data":{"n":41}}`, func(c *http.Config) { c.Query = ".data.n + 1" }, "x=42"},
		{"a query for a list", `{"list":[1,2]}`, func(c *http.Config) { c.Query = ".list | map({v: .})" }, "x_v=1 x_v=2"},
		{"csv", "time,room,temp\n2023-11-14T22:13:20Z,lab,21.5\n", nil, "x_temp{room=\"lab\"}=21.5@1700000000000"},
		{"text", "load: 0.5 of 4\n", func(c *http.Config) { c.Match = `load: (?P<load>[0-9.]+)` }, "x_load=0.5"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s.say(tt.body)
			r := &recorder{}
			n := len(strings.Fields(tt.want))
			src := newSource(t, r, s.url, tt.change)
			if err := run(t, src, r, func() bool { return len(r.list()) >= n }); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(r.list()[:n], " "); got != tt.want || len(r.rejected) > 0 {
				t.Errorf("got %s, want %s; rejected %q", got, tt.want, r.rejected)
			}
		})
	}
}

// TestOnce holds that a row with a time counts once, however often it is sent.
func TestOnce(t *testing.T) {
	s := newServer(t)
	var mu sync.Mutex
	n := 0
	s.set(func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		mu.Lock()
		defer mu.Unlock()
		n++ // each answer has one row more, and repeats the others
		_, _ = fmt.Fprintln(w, "time,v")
		for i := range n {
			_, _ = fmt.Fprintf(w, "%d,%d\n", 1_700_000_000+i, i)
		}
	})
	r := &recorder{}
	src := newSource(t, r, s.url, nil)
	if err := run(t, src, r, func() bool { return len(r.list()) >= 5 }); err != nil {
		t.Fatal(err)
	}
	for i, got := range r.list() {
		if want := fmt.Sprintf("x_v=%d@%d", i, 1_700_000_000_000+i*1000); got != want {
			t.Errorf("sample %d is %s, want %s", i, got, want)
		}
	}
}

// TestNotModified holds that a server with ETags sends its answer once, and that
// a value without a time holds on.
func TestNotModified(t *testing.T) {
	for _, header := range []string{"ETag", "Last-Modified"} {
		s := newServer(t)
		tag, back := `"v1"`, "If-None-Match"
		if header == "Last-Modified" {
			tag, back = "Tue, 14 Nov 2023 22:13:20 GMT", "If-Modified-Since"
		}
		var mu sync.Mutex
		whole := 0
		s.set(func(w nethttp.ResponseWriter, r *nethttp.Request) {
			w.Header().Set(header, tag)
			if r.Header.Get(back) == tag {
				w.WriteHeader(nethttp.StatusNotModified)
				return
			}
			mu.Lock()
			whole++
			mu.Unlock()
			_, _ = w.Write([]byte(`[{"v":7},{"time":1700000000,"w":1}]`))
		})
		r := &recorder{}
		src := newSource(t, r, s.url, nil)
		if err := run(t, src, r, func() bool { return slices.Contains(r.list(), "x_w=1@1700000000000") && len(r.list()) >= 4 }); err != nil {
			t.Fatal(err)
		}
		got := strings.Join(r.list(), " ")
		if whole != 1 || strings.Count(got, "x_w=") != 1 || strings.Count(got, "x_v=7") < 3 {
			t.Errorf("%s: the answer was sent %d times: %s", header, whole, got)
		}
	}
}

// TestErrors holds what is said of an answer that is of no use, and that no
// secret is repeated.
func TestErrors(t *testing.T) {
	s := newServer(t)
	tests := []struct {
		name   string
		answer func(w nethttp.ResponseWriter, r *nethttp.Request)
		change func(*http.Config)
		want   string
	}{
		{"status", func(w nethttp.ResponseWriter, r *nethttp.Request) {
			nethttp.Error(w, "no entry for "+r.Header.Get("X-Key"), nethttp.StatusForbidden)
		}, func(c *http.Config) { c.Headers = map[string]secret.Text{"X-Key": password} }, "the answer is 403 Forbidden: no entry for [secret]"},
		{"garbage", func(w nethttp.ResponseWriter, _ *nethttp.Request) { _, _ = w.Write([]byte(`{"a":1,`)) }, nil, "reading JSON: unexpected EOF"},
		{"query of a page", func(w nethttp.ResponseWriter, _ *nethttp.Request) { _, _ = w.Write([]byte("<html>")) }, func(c *http.Config) { c.Query = ".a" }, "the answer is no JSON, which query is for"},
		{"query that fails", func(w nethttp.ResponseWriter, _ *nethttp.Request) { _, _ = w.Write([]byte(`{"a":1}`)) }, func(c *http.Config) { c.Query = ".a[]" }, "query: cannot iterate over: number (1)"},
		{"query without end", func(w nethttp.ResponseWriter, _ *nethttp.Request) { _, _ = w.Write([]byte(`1`)) }, func(c *http.Config) {
			c.Query, c.Timeout = "def f: f; f", quantity.Duration(100*time.Millisecond)
		}, "query: context deadline exceeded"},
		{"too large", func(w nethttp.ResponseWriter, _ *nethttp.Request) {
			_, _ = w.Write([]byte(strings.Repeat("1\n", 5000)))
		}, func(c *http.Config) { c.MaxAnswer = 2048 }, "the answer is larger than 2KiB (max_answer)"},
		{"slow", func(_ nethttp.ResponseWriter, r *nethttp.Request) { <-r.Context().Done() }, func(c *http.Config) {
			c.Timeout = quantity.Duration(100 * time.Millisecond)
		}, "no whole answer within 100ms (timeout)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s.set(tt.answer)
			src := newSource(t, &recorder{}, strings.Replace(s.url, "//", "//user:"+password+"@", 1)+"/data?token="+password, tt.change)
			err := run(t, src, &recorder{}, never)
			if want := "GET " + s.url + "/data: " + tt.want; err == nil || err.Error() != want {
				t.Errorf("got %v, want %s", err, want)
			}
			if strings.Contains(fmt.Sprint(err), password) {
				t.Errorf("the password is shown: %v", err)
			}
		})
	}
}

// TestDown is down at start, comes, dies in the middle and comes back: what was
// sent before and after is there, once.
func TestDown(t *testing.T) {
	s := newServer(t)
	row := func(n int) string { return fmt.Sprintf(`{"time":%d,"v":%d}`, 1_700_000_000+n, n) }
	s.running.Close()
	r := &recorder{}
	src := newSource(t, r, s.url+"/data", nil)
	if err := run(t, src, r, never); err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("a server that is down gives %v", err)
	}
	s.say("[" + row(0) + "," + row(1) + "]")
	s.start(t)
	if err := run(t, src, r, func() bool { return len(r.list()) == 2 }); err != nil {
		t.Fatal(err)
	}
	// It dies in the middle of an answer.
	s.set(func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte("[" + row(0) + "," + row(1) + "," + row(2)))
		panic(nethttp.ErrAbortHandler)
	})
	if err := run(t, src, r, never); err == nil || !strings.Contains(err.Error(), "in the middle") {
		t.Errorf("a server that dies gives %v", err)
	}
	s.running.Close()
	s.say("[" + row(1) + "," + row(2) + "," + row(3) + ",\"garbage\"]")
	s.start(t)
	if err := run(t, src, r, func() bool { return len(r.list()) == 4 }); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(r.list(), " "); got != "x_v=0@1700000000000 x_v=1@1700000001000 x_v=2@1700000002000 x_v=3@1700000003000" {
		t.Errorf("got %s", got)
	}
	if len(r.rejected) == 0 || !strings.Contains(r.rejected[0], "neither an object nor a number") {
		t.Errorf("rejected %q", r.rejected)
	}
}

func TestValidate(t *testing.T) {
	for want, change := range map[string]func(*http.Config){
		"url":         func(c *http.Config) { c.URL = "" },
		"interval":    func(c *http.Config) { c.Interval = 1 },
		"query":       func(c *http.Config) { c.Query = ".a[" },
		"time_format": func(c *http.Config) { c.TimeFormat = "noon" },
		"timeout":     func(c *http.Config) { c.Timeout = 1 },
	} {
		cfg := http.DefaultConfig()
		cfg.URL = "http://localhost/"
		change(cfg)
		if ps := cfg.Validate(); len(ps) != 1 || ps[0].Path != want {
			t.Errorf("%s: %v", want, ps)
		}
	}
}

// TestStarting holds that what a server says before it has anything to say does
// not decide what its answers are taken for.
func TestStarting(t *testing.T) {
	for _, before := range []string{"", "\n", "starting up, please wait\n", "ready in 5 s\n"} {
		s := newServer(t)
		var asked atomic.Int64
		s.set(func(w nethttp.ResponseWriter, _ *nethttp.Request) {
			if asked.Add(1) == 1 {
				_, _ = w.Write([]byte(before))
				return
			}
			_, _ = w.Write([]byte("{\n  \"data\": {\n    \"v\": 7,\n    \"w\": 8\n  }\n}\n"))
		})
		r := &recorder{}
		src := newSource(t, r, s.url, nil)
		if err := run(t, src, r, func() bool { return asked.Load() > 3 }); err != nil {
			t.Errorf("%q: %v", before, err)
		}
		if got := r.list(); len(got) == 0 || got[0] != "x_data_v=7" {
			t.Errorf("after %q came %q", before, got)
		}
	}
}
