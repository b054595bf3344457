// Package remotewrite takes what a Prometheus writes to it: POST /api/v1/write,
// remote write 1.0 and 2.0, packed with snappy. The metric's name and the labels
// are those that Prometheus has.
//
// A series that went stale ends in a gap. Native histograms and exemplars are
// left out, and the first are counted. An infinite value is a gap.
//
// The status says whether the sender should try again:
//
//	204  everything was taken
//	400  some samples were refused, which the body says; the others were taken
//	400  the body is broken; nothing was taken
//	413  the body is too large, 415 it is of another type
//	429  nothing was taken: the store is full; with Retry-After
//	503  too many requests come at once, or chartd stops; with Retry-After
//
// A Prometheus tries again after 503, and after 429 if it was told to
// (queue_config.retry_on_http_429). To a message of version 2 the answer says how
// many samples were taken, in X-Prometheus-Remote-Write-Samples-Written.
package remotewrite

import (
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"unsafe"

	"github.com/klauspost/compress/s2"

	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/receive"
	"github.com/chartd/chartd/pkg/store"
)

// Path is where a Prometheus writes to.
const Path = "/api/v1/write"

// Source takes remote writes.
type Source struct {
	receive.Gate
	bodies   receive.Bodies
	turns    receive.Turns
	requests sync.Pool
	skip     func(int)
	reject   func(int, error)
}

func newSource(cfg *Config, deps source.Deps) *Source {
	return &Source{
		bodies: receive.Bodies{Max: cfg.MaxBody}, turns: receive.NewTurns(cfg.MaxInFlight),
		skip: deps.Skip, reject: deps.Reject,
	}
}

// Routes implements source.Receiver.
func (s *Source) Routes() map[string]http.Handler {
	return map[string]http.Handler{
		"POST " + Path: http.HandlerFunc(s.serve),
		Path:           http.HandlerFunc(refuseMethod),
	}
}

// request is the room that one request needs.
type request struct {
	packed, body []byte
	message      message
}

// maxKept is how much room is kept for the next request, in bytes: what nearly
// all of them need.
const maxKept = 4 << 20

func (s *Source) serve(w http.ResponseWriter, r *http.Request) {
	app, leave, ok := s.Enter(w)
	if !ok {
		refuse(w, receive.ErrClosed)
		return
	}
	defer leave()
	v, err := versionOf(r.Header)
	if err != nil {
		refuse(w, err)
		return
	}
	done, err := s.turns.Take(r.Context())
	if err != nil {
		refuse(w, err)
		return
	}
	defer done()
	q, ok := s.requests.Get().(*request)
	if !ok {
		q = &request{}
	}
	body, err := s.unpack(w, r, q)
	if err != nil {
		refuse(w, err)
		return
	}
	m := &q.message
	m.now.Of(app)
	err = m.take(body, v, &m.now)
	m.now = store.Moment{}
	s.skip(m.skipped)
	m.tally.Report(s.reject)
	if err != nil {
		s.reject(1, err)
	}
	answer(w, m, err)
	if cap(q.packed) <= maxKept && cap(q.body) <= maxKept && cap(m.symbols) <= maxKept/16 {
		s.requests.Put(q)
	}
}

// unpack reads the body.
func (s *Source) unpack(w http.ResponseWriter, r *http.Request, q *request) (body string, err error) {
	if q.packed, err = s.bodies.Read(w, r, q.packed); err != nil {
		return "", err
	}
	n, err := s2.DecodedLen(q.packed)
	if err == nil && n > int(s.bodies.Max) {
		return "", &receive.BodyError{
			Status: http.StatusRequestEntityTooLarge,
			Reason: fmt.Sprintf("the body is larger than %v (max_body of the source) when it is unpacked; send it in parts (max_samples_per_send)", s.bodies.Max),
		}
	}
	if err == nil {
		q.body, err = s2.Decode(q.body[:cap(q.body)], q.packed)
	}
	if err != nil {
		return "", &receive.BodyError{Status: http.StatusBadRequest, Reason: fmt.Sprintf("the body is not packed with snappy: %v", err)}
	}
	return view(q.body), nil
}

// view returns b as a text that is valid until b is written again, by the next
// request. Every name is a part of it: a store copies those that it keeps, and an
// error those that it tells.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// versionOf tells the messages apart.
func versionOf(h http.Header) (version, error) {
	bad := func(format string, args ...any) error {
		return &receive.BodyError{Status: http.StatusUnsupportedMediaType, Reason: fmt.Sprintf(format, args...)}
	}
	// Where nothing is said, it is snappy: the first senders did not say it.
	if enc := h.Get("Content-Encoding"); enc != "" && !strings.EqualFold(enc, "snappy") {
		return 0, bad("content encoding %.40q is not understood; send snappy", enc)
	}
	kind, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || kind != "application/x-protobuf" {
		return 0, bad("content type %.80q is not understood; send application/x-protobuf", h.Get("Content-Type"))
	}
	switch params["proto"] {
	case "", "prometheus.WriteRequest":
		return v1, nil
	case "io.prometheus.write.v2.Request":
		return v2, nil
	}
	return 0, bad("message %.80q is not understood; send prometheus.WriteRequest or io.prometheus.write.v2.Request", params["proto"])
}

// answer says what became of a message.
func answer(w http.ResponseWriter, m *message, err error) {
	if m.version == v2 {
		written := "X-Prometheus-Remote-Write-"
		w.Header().Set(written+"Samples-Written", strconv.Itoa(m.tally.Accepted))
		w.Header().Set(written+"Histograms-Written", "0")
		w.Header().Set(written+"Exemplars-Written", "0")
	}
	switch {
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadRequest)
	case m.tally.Rejected() == 0:
		w.WriteHeader(http.StatusNoContent)
	default:
		// A Prometheus logs the first line.
		first := m.tally.Listed[0]
		text := fmt.Sprintf("%s; the first, of series %d: %s", m.tally.Summary("samples"), first.Line, first.Reason)
		status := http.StatusBadRequest
		if m.tally.Full() {
			status = http.StatusTooManyRequests
			w.Header().Set("Retry-After", receive.RetryAfterFull)
		}
		http.Error(w, text, status)
	}
}

// refuse answers a request that was not read.
func refuse(w http.ResponseWriter, err error) {
	status := receive.Status(w, err)
	if status == http.StatusTooManyRequests {
		// A Prometheus drops for good what is answered with 429, unless it was
		// told to try again; after 503 it always does.
		status = http.StatusServiceUnavailable
	}
	http.Error(w, err.Error(), status)
}

func refuseMethod(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Allow", http.MethodPost)
	http.Error(w, r.Method+" is not understood here; it is for the remote_write of a Prometheus, which POSTs", http.StatusMethodNotAllowed)
}
