package server

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"go.uber.org/zap"
)

// contain wraps the whole mux: security headers, the request log, the request
// metrics, and a handler's panic, which costs one request and no more.
func (s *Server) contain(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		if s.secure {
			s.rules.Load().cfg.TLS.strict(h)
		}
		h.Set("Referrer-Policy", "no-referrer") // an address may hold a link
		rec := &recorder{ResponseWriter: w}
		defer func() {
			v := recover()
			if v != nil && !isAbort(v) {
				s.metrics.panics.Inc()
				s.log.Error("a request's handler panicked",
					zap.String("path", r.URL.Path), zap.Any("panic", v), zap.ByteString("stack", debug.Stack()))
				if rec.status == 0 {
					http.Error(rec, "internal error; the server's log has more", http.StatusInternalServerError)
					v = nil
				}
			}
			s.account(r, rec, time.Since(start))
			if v != nil {
				// Part of an answer is out: only cutting it off tells the client.
				panic(http.ErrAbortHandler)
			}
		}()
		next.ServeHTTP(rec, r)
	})
}

func isAbort(v any) bool {
	err, ok := v.(error)
	return ok && errors.Is(err, http.ErrAbortHandler)
}

// account writes the request's log line and metrics. The route is the mux's
// pattern, so that what a client writes in a URL never becomes a label.
func (s *Server) account(r *http.Request, rec *recorder, took time.Duration) {
	status := rec.status
	if status == 0 {
		status = http.StatusOK
	}
	route := r.Pattern
	if route == "" {
		route = "none"
	}
	if _, path, ok := strings.Cut(route, " "); ok {
		route = path
	}
	s.metrics.requests.WithLabelValues(route, fmt.Sprintf("%dxx", status/100)).Inc()
	if !rec.hijacked {
		s.metrics.requestSeconds.WithLabelValues(route).Observe(took.Seconds())
	}
	s.log.Debug("request",
		zap.String("method", r.Method), zap.String("path", r.URL.Path), zap.Int("status", status),
		zap.Int64("bytes", rec.bytes), zap.Duration("took", took), zap.String("from", r.RemoteAddr))
}

// recorder notes what a handler answered.
type recorder struct {
	http.ResponseWriter
	status   int
	bytes    int64
	hijacked bool
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= 200 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
}

// Hijack lets the WebSocket upgrade take the connection over.
func (r *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, rw, err := http.NewResponseController(r.ResponseWriter).Hijack()
	if err == nil {
		r.status, r.hijacked = http.StatusSwitchingProtocols, true
	}
	return c, rw, err
}

// Unwrap lets http.ResponseController reach the connection's deadlines.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// guardWrites refuses requests that change something when a browser sends them
// for a page of another site: without it any page on the web could write to a
// chartd on the reader's own machine.
func (s *Server) guardWrites(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			if err := s.checkOrigin(r); err != nil {
				s.refuse(w, r, "origin", http.StatusForbidden, err.Error())
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// refusalLines is how many refusals for the same reason the log has of a second;
// of the others it has the number.
const refusalLines = 3

// refuse turns a request away: the client reads why, the log has a line unless
// there are many, and the counter moves.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, reason string, status int, text string) {
	s.metrics.refused.WithLabelValues(reason).Inc()
	s.noteRefusal(r, reason, text)
	if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "5")
	}
	http.Error(w, "chartd: "+text, status)
}

// noteRefusal logs that a request was turned away.
func (s *Server) noteRefusal(r *http.Request, reason, why string) {
	s.quiet.Write(zap.WarnLevel, reason, "request refused", zap.String("reason", reason), zap.String("why", why),
		zap.String("path", r.URL.Path), zap.String("from", r.RemoteAddr))
}
