// Package influx takes samples in InfluxDB's line protocol over HTTP, as
// Telegraf and the clients of both versions of InfluxDB send it:
// POST /api/v2/write and POST /write.
//
// Each field that is a number or a boolean becomes a sample. Its metric is
// measurement_field, or just the measurement if the field is called "value"; the
// tags become labels. Fields that are texts are left out and counted. Where
// samples go is not chosen by the writer: org, bucket, db and rp are accepted
// and mean nothing. Whether a token is needed is not this package's business.
//
// precision is ns (the default), us, ms or s, and m or h as in version 1; a
// missing timestamp is now. The body may be packed with gzip.
//
// The answer is 204 if all lines were taken. If some were not, it is 400, names
// them and keeps the others; 413, 415 and 503 mean what they say; 429, with
// Retry-After, that the store is full or that too many requests come at once. The bodies are those of the version that was asked.
package influx

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/receive"
)

// version is what clients that ask are told. Some compare the first number.
const version = "2.0.0-chartd"

// Source takes line protocol.
type Source struct {
	receive.Gate
	bodies  receive.Bodies
	turns   receive.Turns
	readers sync.Pool
	skip    func(int)
	reject  func(int, error)
}

func newSource(cfg *Config, deps source.Deps) *Source {
	return &Source{
		bodies: receive.Bodies{Max: cfg.MaxBody}, turns: receive.NewTurns(cfg.MaxInFlight),
		skip: deps.Skip, reject: deps.Reject,
	}
}

// Routes implements source.Receiver.
func (s *Source) Routes() map[string]http.Handler {
	handler := func(serve func(http.ResponseWriter, *http.Request)) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Influxdb-Version", version)
			w.Header().Set("X-Influxdb-Build", "chartd")
			serve(w, r)
		})
	}
	v1 := handler(func(w http.ResponseWriter, r *http.Request) { s.write(w, r, answerV1) })
	v2 := handler(func(w http.ResponseWriter, r *http.Request) { s.write(w, r, answerV2) })
	return map[string]http.Handler{
		"POST /write":        v1,
		"/write":             handler(refuseMethod),
		"POST /api/v2/write": v2,
		"/api/v2/write":      handler(refuseMethod),
		"GET /ping":          handler(ping),
		"/query":             handler(query),
	}
}

// write serves both versions, which differ in how they answer.
func (s *Source) write(w http.ResponseWriter, r *http.Request, answer func(http.ResponseWriter, result)) {
	app, leave, ok := s.Enter(w)
	if !ok {
		answer(w, result{status: receive.Status(w, receive.ErrClosed), err: receive.ErrClosed})
		return
	}
	defer leave()
	u, err := parseUnit(r.URL.Query().Get("precision"))
	if err != nil {
		answer(w, result{status: http.StatusBadRequest, err: err})
		return
	}
	done, err := s.turns.Take(r.Context())
	if err != nil {
		answer(w, result{status: receive.Status(w, err), err: err})
		return
	}
	defer done()
	body, err := s.bodies.Open(w, r)
	if err != nil {
		answer(w, result{status: receive.Status(w, err), err: err})
		return
	}
	defer body.Close()
	rd, ok := s.readers.Get().(*reader)
	if !ok {
		rd = &reader{}
	}
	err = rd.read(body, u, body.Appender(app))
	res := result{err: err, tally: rd.tally}
	s.skip(rd.skipped)
	res.tally.Report(s.reject)
	rd.release()
	s.readers.Put(rd)
	switch {
	case err != nil:
		res.status = receive.Status(w, err)
	case res.tally.Full():
		res.status = http.StatusTooManyRequests
		w.Header().Set("Retry-After", receive.RetryAfterFull)
	case res.tally.Rejected() > 0:
		res.status = http.StatusBadRequest
	default:
		// An empty body is no error: InfluxDB takes it, too.
		w.WriteHeader(http.StatusNoContent)
		return
	}
	answer(w, res)
}

// release lets go of the body.
func (r *reader) release() {
	r.lines.reset(nil)
	r.tally = receive.Tally{}
	if cap(r.points) > maxKept {
		r.points, r.fields = nil, nil
	}
}

// maxKept is of how many fields room is kept: what nearly all lines need.
const maxKept = 1024

// errNoQueries refuses what chartd is not there for.
var errNoQueries = errors.New("chartd takes writes but answers no queries")

// ping answers who wants to know whether anybody is there.
func ping(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }

// query answers the one query that clients of version 1, Telegraf among them,
// send before they write: CREATE DATABASE.
func query(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	q := strings.ToUpper(strings.TrimSpace(r.FormValue("q")))
	if !strings.HasPrefix(q, "CREATE DATABASE") {
		answerV1(w, result{status: http.StatusBadRequest, err: errNoQueries})
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintln(w, `{"results":[{"statement_id":0}]}`)
}

func refuseMethod(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Allow", http.MethodPost)
	answerV2(w, result{status: http.StatusMethodNotAllowed, err: fmt.Errorf("%s is not understood here; POST line protocol", r.Method)})
}
