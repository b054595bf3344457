package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/chartd/chartd/pkg/auth"
	"github.com/chartd/chartd/pkg/plotting"
)

// lookTime bounds how long a credential is looked at: a key may have to be
// fetched.
const lookTime = 10 * time.Second

// SetGate makes g decide who may do what from now on. A nil gate lets everybody
// do everything. Open WebSockets are the hub's.
func (s *Server) SetGate(g *auth.Gate) { s.gate.Store(g) }

// guarded reports whether clients have to say who they are.
func (s *Server) guarded() bool {
	g := s.gate.Load()
	return g != nil && g.Enabled()
}

// identify returns what the credential of a request allows.
func (s *Server) identify(r *http.Request, from auth.Visitor) (*auth.Grant, *auth.Error) {
	gate := s.gate.Load()
	if gate == nil || !gate.Enabled() {
		return s.everybody, nil
	}
	ctx, cancel := context.WithTimeout(r.Context(), lookTime)
	defer cancel()
	g, err := gate.Identify(ctx, auth.Credential(r), from)
	if refusal, ok := errors.AsType[*auth.Error](err); ok {
		return nil, refusal
	}
	if err != nil {
		return nil, &auth.Error{Kind: auth.KindUnavailable, Message: err.Error()}
	}
	return g, nil
}

// admit returns what the credential of a request allows, or answers that it
// allows nothing, and returns nil. Where credentials are asked for, the answer
// that follows is for this client alone.
func (s *Server) admit(w http.ResponseWriter, r *http.Request) *auth.Grant {
	s.mark(w)
	g, refusal := s.identify(r, auth.VisitorOf(r))
	if refusal != nil {
		s.unauthorized(w, r, refusal)
		return nil
	}
	return g
}

// mark keeps caches that others use from keeping an answer.
func (s *Server) mark(w http.ResponseWriter) {
	if !s.guarded() {
		return
	}
	h := w.Header()
	h.Add("Vary", "Authorization")
	h.Set("Cache-Control", "private, no-cache")
}

// fresh asks browsers to ask each time; mostly the answer is 304.
func (s *Server) fresh(w http.ResponseWriter) {
	if h := w.Header(); h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-cache")
	}
}

// unauthorized turns away who does not say who they are, or says it wrongly.
func (s *Server) unauthorized(w http.ResponseWriter, r *http.Request, refusal *auth.Error) {
	s.hub.Denied(string(refusal.Kind))
	status := http.StatusUnauthorized
	switch refusal.Kind {
	case auth.KindUnavailable:
		status = http.StatusServiceUnavailable
	case auth.KindOrigin:
		status = http.StatusForbidden
	case auth.KindMissing:
		challenge(w, "chartd", "")
	default:
		challenge(w, "chartd", "invalid_token")
	}
	s.refuse(w, r, "unauthorized", status, refusal.Message)
}

// challenge says how to say who one is.
func challenge(w http.ResponseWriter, realm, problem string) {
	text := fmt.Sprintf("Bearer realm=%q", realm)
	if problem != "" {
		text += fmt.Sprintf(", error=%q", problem)
	}
	w.Header().Set("WWW-Authenticate", text)
}

// forbid turns away who is known and has no right to something.
func (s *Server) forbid(w http.ResponseWriter, r *http.Request, reason, text string) {
	s.hub.Denied(reason)
	s.refuse(w, r, "forbidden", http.StatusForbidden, text)
}

// mayRead reports whether a chart may be seen, or answers that it may not. The
// answer is the same whether there is such a chart or not.
func (s *Server) mayRead(w http.ResponseWriter, r *http.Request, g *auth.Grant, chart string) bool {
	if g.MayRead(chart) {
		return true
	}
	s.forbid(w, r, "read", fmt.Sprintf("no right to watch chart %q", chart))
	return false
}

// admin serves to operators alone.
func (s *Server) admin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g := s.admit(w, r)
		switch {
		case g == nil:
		case !g.Admin():
			s.forbid(w, r, "admin", "this is for tokens with the right admin")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// viewError is a view that the chart has nothing against, but the link.
type viewError struct{ error }

// viewOf returns what a request wants to see of a chart, within what the grant
// allows and under what callbacks of scope shared have laid over it.
func (s *Server) viewOf(g *auth.Grant, spec *plotting.Spec, name string, change plotting.Change) (plotting.View, error) {
	v, err := g.View(spec, name)
	if err != nil {
		return v, viewError{err}
	}
	now := time.Now()
	next, err := g.Change(spec, v, change, now)
	if err != nil {
		if _, own := spec.Change(v, change); own == nil {
			err = viewError{err}
		}
		return v, err
	}
	shown := s.hub.Shared(next)
	if shown == next {
		return next, nil
	}
	if err := g.Fit(spec, shown, now); err != nil {
		return v, viewError{err}
	}
	return shown, nil
}

// mayWrite reports whether a request may send samples, or answers that it may
// not, in a form that clients of every kind of source read.
func (s *Server) mayWrite(w http.ResponseWriter, r *http.Request) bool {
	gate := s.gate.Load()
	if gate == nil {
		return true
	}
	credential := auth.Credential(r)
	if credential == "" && r.URL.RawQuery != "" {
		credential = r.URL.Query().Get("p") // as clients of InfluxDB 1 do
	}
	_, err := gate.Ingest(credential)
	if err == nil {
		return true
	}
	kind, problem := auth.KindUnknown, "invalid_token"
	if e, ok := errors.AsType[*auth.Error](err); ok {
		kind = e.Kind
	}
	if kind == auth.KindMissing {
		problem = ""
	}
	s.hub.Denied("ingest_" + string(kind))
	s.metrics.refused.WithLabelValues("unauthorized").Inc()
	s.noteRefusal(r, "unauthorized", err.Error())
	challenge(w, "chartd ingest", problem)
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Influxdb-Error", err.Error())
	w.WriteHeader(http.StatusUnauthorized)
	// The client may be gone; there is nobody else to tell.
	_ = json.NewEncoder(w).Encode(struct {
		Error   string `json:"error"`
		Code    string `json:"code"`
		Message string `json:"message"`
	}{err.Error(), "unauthorized", err.Error()})
	return false
}

// shown returns what the request for a WebSocket says about who is there. A
// link counts in hello alone: in an address it would stand in logs.
func (s *Server) shown(r *http.Request) (credential string, from auth.Visitor) {
	if !s.guarded() {
		return "", from
	}
	return auth.Credential(&http.Request{Header: r.Header, URL: &url.URL{}}), auth.VisitorOf(r)
}

// framePolicies returns the policies of a page, which say who may show it: the
// sites of the setting or, if signed links stand in its address, those that the
// links were signed for, and this one. With more than one link a browser holds
// to all of the policies, so that only a site that each of them is for can show
// the page. The page's script reads its address with more patience than this
// server: where that could make a difference, nobody else may show it.
func (s *Server) framePolicies(r *http.Request) []string {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return []string{pagePolicy([]string{"'self'"})}
	}
	gate := s.gate.Load()
	var policies []string
	for _, link := range q["link"] {
		if gate == nil || !strings.HasPrefix(link, auth.LinkPrefix) {
			continue
		}
		from := auth.VisitorOf(r)
		from.Page = true
		g, err := gate.Identify(r.Context(), link, from)
		if err != nil || len(g.Origins()) == 0 {
			continue // it opens nothing, or for any page
		}
		policy := pagePolicy(append([]string{"'self'"}, g.Origins()...))
		if !slices.Contains(policies, policy) {
			policies = append(policies, policy)
		}
	}
	if len(policies) == 0 {
		return []string{s.rules.Load().pagePolicy}
	}
	return policies
}

// preflight lets pages of other origins that may use this server ask with an
// Authorization header. The origin has been checked.
func (s *Server) preflight(w http.ResponseWriter, r *http.Request) {
	s.cors(w, r)
	h := w.Header()
	methods, headers := []string{http.MethodGet, http.MethodHead}, []string{"Authorization"}
	if r.PathValue("chart") != "" && strings.HasSuffix(r.URL.Path, "/callback") {
		methods, headers = []string{http.MethodPost}, append(headers, "Content-Type")
	}
	h.Set("Access-Control-Allow-Methods", strings.Join(methods, ", "))
	h.Set("Access-Control-Allow-Headers", strings.Join(headers, ", "))
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
}
