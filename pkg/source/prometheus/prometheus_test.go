package prometheus

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/secret"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/internal/httpx"
	"github.com/chartd/chartd/pkg/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// taken is an appender that writes down what it is given.
type taken struct{ got []string }

func (a *taken) Append(metric string, labels store.Labels, t int64, v float64) error {
	a.got = append(a.got, fmt.Sprintf("%s%s %v @%d", metric, labels, v, t))
	return nil
}

func config(change func(*Config)) *Config {
	c := DefaultConfig()
	c.URL, c.Queries = "http://localhost:9090", map[string]string{"m": "up"}
	if change != nil {
		change(c)
	}
	return c
}

func TestTake(t *testing.T) {
	q := &query{metric: "m", series: map[string]*series{}}
	a := func(points ...point) line { return line{Labels: map[string]string{"x": "a"}, Values: points} }
	b := func(points ...point) line { return line{Labels: map[string]string{"x": "b"}, Values: points} }
	inf, _ := strconv.ParseFloat("+Inf", 64)
	for i, tc := range []struct {
		end     int64
		lines   []line
		want    []string
		skipped int
	}{
		{60, []line{a(point{40, 1}, point{50, 2}, point{60, 3}), b(point{20, 9}, point{60, 1})}, []string{`m{x="a"} 1 @40`, `m{x="a"} 2 @50`, `m{x="a"} 3 @60`, `m{x="b"} 1 @60`}, 0},
		{70, []line{a(point{60, 3}, point{70, 4}), b(point{70, 2})}, []string{`m{x="a"} 4 @70`, `m{x="b"} 2 @70`}, 0},
		{80, []line{a(point{80, inf})}, []string{`m{x="a"} NaN @80`, `m{x="b"} NaN @80`}, 1},
		{90, nil, []string{`m{x="a"} NaN @90`}, 0},
		{100, nil, nil, 0},
		{130, []line{a(point{110, 5}, point{130, 6}), b(point{120, 7})}, []string{`m{x="a"} 5 @110`, `m{x="a"} NaN @120`, `m{x="a"} 6 @130`, `m{x="b"} 7 @120`, `m{x="b"} NaN @130`}, 0},
	} {
		app := &taken{}
		skipped := q.take(tc.lines, 10, tc.end, 30, app)
		if !slices.Equal(app.got, tc.want) || skipped != tc.skipped {
			t.Errorf("%d: got %q, %d skipped; want %q, %d", i, app.got, skipped, tc.want, tc.skipped)
		}
	}
}

// api is a server that answers as a test says, and keeps what it was asked.
type api struct {
	*httptest.Server
	asked   chan url.Values
	answers chan func(http.ResponseWriter, *http.Request)
}

func newAPI(t *testing.T) *api {
	a := &api{asked: make(chan url.Values, 10), answers: make(chan func(http.ResponseWriter, *http.Request), 10)}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil || r.URL.Path != "/prom/api/v1/query_range" {
			t.Errorf("asked for %s, %v", r.URL, err)
		}
		r.Form.Set("method", r.Method)
		a.asked <- r.Form
		(<-a.answers)(w, r)
	}))
	t.Cleanup(a.Close)
	return a
}

func says(status int, body string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status); fmt.Fprint(w, body) }
}

func matrix(series string) func(http.ResponseWriter, *http.Request) {
	return says(200, `{"status":"success","data":{"resultType":"matrix","result":[`+series+`]}}`)
}

func TestAsk(t *testing.T) {
	srv := newAPI(t)
	c := config(func(c *Config) {
		c.URL = secret.URL(strings.Replace(srv.URL, "://", "://u:hunter2@", 1) + "/prom/")
		c.Queries = map[string]string{"a": "1", "b": "2"}
		c.Window = quantity.Duration(time.Minute)
	})
	if ps := c.Validate(); len(ps) > 0 {
		t.Fatal(ps)
	}
	var rejected []string
	src, err := c.New(source.Deps{Logger: zap.NewNop(), Skip: func(int) {}, Reject: func(_ int, err error) { rejected = append(rejected, err.Error()) }})
	if err != nil {
		t.Fatal(err)
	}
	s := src.(*Source)
	client, err := c.Open(c.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	now := time.Now().UnixMilli() / 15000 * 15000
	ask := func(end int64, answers ...func(http.ResponseWriter, *http.Request)) (got []string, ranges string, err error) {
		for _, a := range answers {
			srv.answers <- a
		}
		app := &taken{}
		rejected = nil
		err = s.askAll(context.Background(), client, end, app)
		for range answers {
			q := <-srv.asked
			at := func(name string) int64 { v, _ := strconv.ParseFloat(q.Get(name), 64); return int64(v*1000) - now }
			ranges += fmt.Sprintf("%s %s %d-%d/%s ", q.Get("method"), q.Get("query"), at("start"), at("end"), q.Get("step"))
		}
		return app.got, ranges, err
	}
	value := func(t int64) string { return fmt.Sprintf(`{"metric":{},"values":[[%d,"1"]]}`, t/1000) }
	for i, tc := range []struct {
		end      int64
		answers  []func(http.ResponseWriter, *http.Request)
		got      []string
		ranges   string
		err      string
		rejected []string
	}{
		{ // no POST; the whole window
			now,
			[]func(http.ResponseWriter, *http.Request){says(405, ""), matrix(value(now)), matrix("")},
			[]string{fmt.Sprintf("a{} 1 @%d", now)},
			"POST 1 -45000-0/15 GET 1 -45000-0/15 GET 2 -45000-0/15 ", "", nil,
		},
		{now, nil, nil, "", "", nil}, // nothing is new
		{ // one is refused, the other goes on
			now + 15000,
			[]func(http.ResponseWriter, *http.Request){says(400, `{"status":"error","errorType":"bad_data","error":"parse error, hunter2"}`), matrix(value(now + 15000))},
			[]string{fmt.Sprintf("b{} 1 @%d", now+15000)},
			"GET 1 15000-15000/15 GET 2 15000-15000/15 ", "",
			[]string{"queries.a: GET " + srv.URL + "/prom/api/v1/query_range: bad_data: parse error, [secret]"},
		},
		{ // both are refused
			now + 30000,
			[]func(http.ResponseWriter, *http.Request){says(422, `{"status":"error","errorType":"execution","error":"x"}`), says(503, `{"status":"error","errorType":"timeout","error":"y"}`)},
			nil, "GET 1 15000-30000/15 GET 2 30000-30000/15 ", "queries.a: GET " + srv.URL + "/prom/api/v1/query_range: execution: x",
			[]string{"queries.b: GET " + srv.URL + "/prom/api/v1/query_range: timeout: y"},
		},
		{ // it is not well: the others are not asked
			now + 30000,
			[]func(http.ResponseWriter, *http.Request){says(503, "starting")},
			nil, "GET 1 15000-30000/15 ", "queries.a: GET " + srv.URL + "/prom/api/v1/query_range: the answer is 503 Service Unavailable: starting", nil,
		},
		{
			now + 30000,
			[]func(http.ResponseWriter, *http.Request){says(200, "<html>")},
			nil, "GET 1 15000-30000/15 ", "queries.a: GET " + srv.URL + "/prom/api/v1/query_range: the answer is not that of Prometheus' API: invalid character '<' looking for beginning of value", nil,
		},
		{ // it was away for longer than the window
			now + 150000,
			[]func(http.ResponseWriter, *http.Request){matrix(""), matrix("")},
			[]string{fmt.Sprintf("a{} NaN @%d", now+15000), fmt.Sprintf("b{} NaN @%d", now+30000)},
			"GET 1 105000-150000/15 GET 2 105000-150000/15 ", "", nil,
		},
		{ // the clock was set back
			now,
			[]func(http.ResponseWriter, *http.Request){matrix(value(now)), matrix("")},
			[]string{fmt.Sprintf("a{} 1 @%d", now)},
			"GET 1 -45000-0/15 GET 2 -45000-0/15 ", "", nil,
		},
	} {
		got, ranges, err := ask(tc.end, tc.answers...)
		said := ""
		if err != nil {
			said = err.Error()
		}
		if !slices.Equal(got, tc.got) || ranges != tc.ranges || said != tc.err || !slices.Equal(rejected, tc.rejected) {
			t.Errorf("%d: got %q, asked %s, error %s, rejected %q\nwant %q, %s, %s, %q", i, got, ranges, said, rejected, tc.got, tc.ranges, tc.err, tc.rejected)
		}
	}
}

func TestRunEndsWhenAsked(t *testing.T) {
	srv := newAPI(t)
	c := config(func(c *Config) { c.URL = secret.URL(srv.URL + "/prom") })
	src, err := c.New(source.Deps{Logger: zap.NewNop(), Skip: func(int) {}, Reject: func(int, error) {}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- src.Run(ctx, &taken{}) }()
	<-srv.asked
	cancel() // in the middle of an answer
	srv.answers <- matrix("")
	if err := <-done; err != nil {
		t.Error(err)
	}
	srv.Close()
	if err := src.Run(t.Context(), &taken{}); err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Error(err)
	}
}

func TestValidate(t *testing.T) {
	if ps := config(nil).Validate(); len(ps) > 0 {
		t.Error(ps)
	}
	for want, change := range map[string]func(*Config){
		"url: does not begin with http:// or https://; an address as http://localhost:9090":         func(c *Config) { c.URL = "localhost:9090" },
		`queries: is missing; names and PromQL, as {busy: "avg(rate(node_cpu_seconds_total[1m]))"}`: func(c *Config) { c.Queries = nil },
		"queries.m: is empty; PromQL, as up":                                                        func(c *Config) { c.Queries["m"] = " " },
		"queries: a name has 0 bytes; 1 to 256":                                                     func(c *Config) { c.Queries[""] = "up" },
		"step: 10ms is out of range; a duration from 1s to 1d":                                      func(c *Config) { c.Step = quantity.Duration(10 * time.Millisecond) },
		"window: 1s is shorter than step, 15s; a longer one":                                        func(c *Config) { c.Window = quantity.Duration(time.Second) },
		"window: 30d is more than 11000 steps of 15s; a shorter one, or a step of at least 3m56s":   func(c *Config) { c.Window = quantity.Duration(30 * 24 * time.Hour) },
		"query_offset: -1s is out of range; a duration from 0 to 1d":                                func(c *Config) { c.QueryOffset = quantity.Duration(-time.Second) },
		"basic_auth.username: is missing; the name that the password belongs to":                    func(c *Config) { c.BasicAuth.Password = "x" },
	} {
		ps := config(change).Validate()
		if len(ps) != 1 || ps[0].Error() != want {
			t.Errorf("got %v, want %s", ps, want)
		}
	}
}

// FuzzRead holds that no answer makes the reader panic, and that what it takes for samples can be told apart.
func FuzzRead(f *testing.F) {
	f.Add(`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[[1.5,"2"],[3,"NaN"]],"histograms":[[1,{}]]}]},"warnings":["w"]}`)
	f.Add(`{"status":"error","errorType":"bad_data","error":"x"}`)
	f.Add(`{"status":"success","data":{"resultType":"matrix","result":[{"values":[["1",2],[],[1e400,"1"]]}]}}`)
	srv := newFixed()
	defer srv.Close()
	c := httpx.DefaultConfig()
	client, err := c.Open(secret.URL(srv.URL))
	if err != nil {
		f.Fatal(err)
	}
	defer client.Close()
	a, err := client.Do(f.Context(), httpx.Request{}, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body string) {
		answer := *a
		answer.Body = []byte(body)
		res, err := read(&answer)
		if err != nil {
			return
		}
		points := 0
		for _, l := range res.series {
			points += len(l.Values)
		}
		if points*4 > len(body) {
			t.Errorf("%d samples of %d bytes", points, len(body))
		}
	})
}

func newFixed() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
}
