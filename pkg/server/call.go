package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/session"
	"github.com/chartd/chartd/pkg/wire"
)

// raised is the answer to a callback. Times are in ms.
type raised struct {
	Chart   string          `json:"chart"`
	Handled bool            `json:"handled"`
	Reply   json.RawMessage `json:"reply,omitempty"`
	Elapsed float64         `json:"ms"`
	View    plotting.Change `json:"view"`
	Links   chartLinks      `json:"links"`
}

// raisedError is the answer to a callback that was refused or failed.
type raisedError struct {
	Code      wire.ErrorCode `json:"code"`
	Field     string         `json:"field,omitempty"`
	Message   string         `json:"message"`
	Temporary bool           `json:"temporary"`
	Elapsed   float64        `json:"ms,omitempty"`
}

// callback answers POST /api/v1/charts/NAME/callback. A page that may not use
// this server has been turned away: guardWrites looks at its origin, and only a
// page of ours can say that it sends JSON without asking first.
func (s *Server) callback(w http.ResponseWriter, r *http.Request) {
	s.cors(w, r)
	w.Header().Set("Cache-Control", "no-store")
	g := s.admit(w, r)
	if g == nil {
		return
	}
	if !s.isReady.Load() {
		s.refuse(w, r, "draining", http.StatusServiceUnavailable, "starting or shutting down; come back in a moment")
		return
	}
	rules := s.rules.Load()
	arg, failure := readArg(w, r, int64(rules.cfg.MaxMessage))
	change, err := changeOf(r.URL.Query(), "link")
	if failure == nil && err != nil {
		failure = &wire.Error{Code: wire.CodeBadView, Message: err.Error()}
	}
	if failure != nil {
		s.uncalled(w, failure, 0)
		return
	}
	// A callback may take longer than requests do.
	control, end := http.NewResponseController(w), time.Now().Add(s.hub.CallTime()+rules.cfg.RequestTimeout.Std())
	if err := errors.Join(control.SetReadDeadline(end), control.SetWriteDeadline(end)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return // the connection is gone
	}
	addr, _ := rules.proxies.client(r)
	name := r.PathValue("chart")
	out, err := s.hub.Raise(r.Context(), session.Raise{
		Chart: name, View: change, Arg: arg, Grant: g,
		Peer: session.Peer{Address: addressOf(addr), Origin: r.Header.Get("Origin"), UserAgent: r.Header.Get("User-Agent"), Since: time.Now()},
	})
	if err != nil {
		e, ok := errors.AsType[*wire.Error](err)
		if !ok {
			e = &wire.Error{Code: wire.CodeInternal, Message: err.Error()}
		}
		s.uncalled(w, e, out.Elapsed)
		return
	}
	spec, ok := s.chart(name)
	if !ok {
		s.uncalled(w, &wire.Error{Code: wire.CodeUnknownChart, Message: "the chart has gone meanwhile"}, out.Elapsed)
		return
	}
	query := ""
	if q := queryOf(spec.Diff(out.View)).Encode(); q != "" {
		query = "?" + q
	}
	s.tell(w, http.StatusOK, raised{
		Chart: name, Handled: out.Handled, Reply: out.Reply, Elapsed: millis(out.Elapsed), View: spec.Diff(s.hub.Shared(out.View)),
		Links: chartLinks{Page: "/c/" + name + query, SVG: "/charts/" + name + ".svg" + query, PNG: "/charts/" + name + ".png" + query},
	})
}

// readArg reads the argument of a callback: a body of JSON, or none.
func readArg(w http.ResponseWriter, r *http.Request, most int64) (json.RawMessage, *wire.Error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	if tooLong, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, &wire.Error{Code: wire.CodeBadMessage, Message: fmt.Sprintf("the argument has more than %d bytes (server.max_message)", tooLong.Limit)}
	}
	if err != nil {
		return nil, &wire.Error{Code: wire.CodeBadMessage, Message: "the argument did not come whole"}
	}
	kind := r.Header.Get("Content-Type")
	if kind == "" && len(body) == 0 {
		return nil, nil
	}
	if media, _, err := mime.ParseMediaType(kind); err != nil || media != "application/json" {
		return nil, &wire.Error{Code: wire.CodeBadMessage, Field: "Content-Type", Message: fmt.Sprintf("is %q; send JSON, as application/json", kind)}
	}
	if strings.TrimSpace(string(body)) == "" {
		return nil, nil
	}
	return wire.ParseArg(body)
}

// uncalled answers a callback that was refused or failed.
func (s *Server) uncalled(w http.ResponseWriter, e *wire.Error, elapsed time.Duration) {
	switch e.Code {
	case wire.CodeRateLimited, wire.CodeBusy:
		w.Header().Set("Retry-After", "1")
	case wire.CodeUnavailable, wire.CodeOverloaded:
		w.Header().Set("Retry-After", "5")
	}
	s.tell(w, statusOf(e), struct {
		Error raisedError `json:"error"`
	}{raisedError{e.Code, e.Field, e.Message, e.Temporary(), millis(elapsed)}})
}

// statusOf says an error as HTTP does.
func statusOf(e *wire.Error) int {
	switch e.Code {
	case wire.CodeBadMessage, wire.CodeBadView:
		if e.Field == "Content-Type" {
			return http.StatusUnsupportedMediaType
		}
		return http.StatusBadRequest
	case wire.CodeForbidden, wire.CodeCallbackCanceled:
		return http.StatusForbidden
	case wire.CodeUnknownChart:
		return http.StatusNotFound
	case wire.CodeRateLimited, wire.CodeBusy:
		return http.StatusTooManyRequests
	case wire.CodeUnavailable, wire.CodeOverloaded:
		return http.StatusServiceUnavailable
	case wire.CodeCallbackTimeout:
		return http.StatusGatewayTimeout
	}
	return http.StatusInternalServerError
}

// tell answers with a value and a status.
func (s *Server) tell(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "chartd: internal error: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n')) // the client may be gone
}

func millis(d time.Duration) float64 { return float64(d.Round(time.Microsecond).Microseconds()) / 1000 }

// addressOf names the client whose address this is, "" if it is not known.
func addressOf(addr netip.Addr) string {
	if !addr.IsValid() {
		return ""
	}
	return bucket(addr).String()
}

// queryOf writes a change as changeOf reads it.
func queryOf(c plotting.Change) url.Values {
	q := url.Values{}
	ms := func(name string, v *int64) {
		if v != nil {
			q.Set(name, strconv.FormatInt(*v, 10))
		}
	}
	if c.Window != nil {
		q.Set("window", c.Window.String())
	}
	if c.Refresh != nil {
		q.Set("refresh", c.Refresh.String())
	}
	ms("from", c.From)
	ms("to", c.To)
	if c.Replay != nil {
		ms("replay.at", &c.Replay.At)
		ms("replay.since", &c.Replay.Since)
		q.Set("replay.speed", strconv.FormatFloat(c.Replay.Speed, 'g', -1, 64))
	}
	if c.Size != nil {
		q.Set("size", fmt.Sprintf("%dx%d", c.Size[0], c.Size[1]))
	}
	if c.Title != nil {
		q.Set("title", *c.Title)
	}
	if c.Timezone != nil {
		q.Set("timezone", *c.Timezone)
	}
	if c.Hidden != nil {
		q["hidden"] = *c.Hidden
	}
	asJSON := func(name string, v any) {
		if b, err := json.Marshal(v); err == nil { // of numbers and texts
			q.Set(name, string(b))
		}
	}
	if c.Marks != nil {
		asJSON("marks", *c.Marks)
	}
	if c.Thresholds != nil {
		asJSON("thresholds", *c.Thresholds)
	}
	for name, v := range c.Vars {
		q.Set("vars."+name, v)
	}
	return q
}
