// Package push takes samples as JSON over HTTP: POST /api/v1/push.
//
// The body is one object, an array of them, or one object a line:
//
//	{"metric":"temp","labels":{"room":"a"},"t":1700000000000,"v":21.5}
//
// metric and v are needed. v is a number, or null or "NaN" for a gap; t is in ms
// since the Unix epoch, and now if it is absent; labels may be absent. The body
// may be packed with gzip. Its content type does not matter.
//
// Samples are taken as they arrive, so that a client may hold one request open
// and write a line now and then, for as long as server.request_timeout allows.
// The answer is 204 if all were taken. Otherwise
// it is 400 with
//
//	{"error":"1 of 3 samples were rejected","accepted":2,"rejected":[{"line":3,"reason":"…"}]}
//
// and the good ones are kept; more than 100 rejections are counted in "more".
// It is 429 with Retry-After if nothing could be taken only because the store is
// full, or if too many requests come at once, 413 if the body is too large, 415 if
// it is packed otherwise, 503 while chartd stops; each with the same kind of body.
package push

import (
	"encoding/json"
	"net/http"
	"sync"

	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/receive"
)

// Path is where samples are sent.
const Path = "/api/v1/push"

// Source takes samples as JSON.
type Source struct {
	receive.Gate
	bodies   receive.Bodies
	turns    receive.Turns
	decoders sync.Pool
	reject   func(int, error)
}

func newSource(cfg *Config, deps source.Deps) *Source {
	return &Source{bodies: receive.Bodies{Max: cfg.MaxBody}, turns: receive.NewTurns(cfg.MaxInFlight), reject: deps.Reject}
}

// Routes implements source.Receiver.
func (s *Source) Routes() map[string]http.Handler {
	return map[string]http.Handler{
		"POST " + Path: http.HandlerFunc(s.serve),
		Path:           http.HandlerFunc(refuseMethod),
	}
}

// answer is the body of every answer but 204.
type answer struct {
	Error    string              `json:"error"`
	Accepted int                 `json:"accepted"`
	Rejected []receive.Rejection `json:"rejected,omitempty"`
	More     int                 `json:"more,omitempty"`
}

func (s *Source) serve(w http.ResponseWriter, r *http.Request) {
	app, leave, ok := s.Enter(w)
	if !ok {
		write(w, receive.Status(w, receive.ErrClosed), answer{Error: receive.ErrClosed.Error()})
		return
	}
	defer leave()
	done, err := s.turns.Take(r.Context())
	if err != nil {
		write(w, receive.Status(w, err), answer{Error: err.Error()})
		return
	}
	defer done()
	body, err := s.bodies.Open(w, r)
	if err != nil {
		write(w, receive.Status(w, err), answer{Error: err.Error()})
		return
	}
	defer body.Close()
	d, ok := s.decoders.Get().(*decoder)
	if !ok {
		d = &decoder{}
	}
	err = d.decode(body, body.Appender(app))
	tally, empty := d.tally, d.empty
	tally.Report(s.reject)
	d.release()
	s.decoders.Put(d)

	a := answer{Accepted: tally.Accepted, Rejected: tally.Listed, More: tally.More}
	code := http.StatusBadRequest
	switch {
	case err != nil:
		a.Error, code = err.Error(), receive.Status(w, err)
	case empty:
		a.Error = "the body is empty; want an object, an array or lines of objects " + example
	case tally.Full():
		a.Error, code = tally.Summary("samples"), http.StatusTooManyRequests
		w.Header().Set("Retry-After", receive.RetryAfterFull)
	case tally.Rejected() > 0:
		a.Error = tally.Summary("samples")
	default:
		w.WriteHeader(http.StatusNoContent)
		return
	}
	write(w, code, a)
}

func refuseMethod(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Allow", http.MethodPost)
	write(w, http.StatusMethodNotAllowed, answer{Error: r.Method + " is not understood here; POST samples " + example})
}

func write(w http.ResponseWriter, code int, a answer) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	// The client may be gone; there is nobody else to tell.
	_ = json.NewEncoder(w).Encode(a)
}
