package server

import (
	"io"
	"net/http"
)

// health answers as long as the process can answer at all.
func (s *Server) health(w http.ResponseWriter, _ *http.Request) {
	plain(w, http.StatusOK, "ok\n")
}

// ready tells a load balancer whether to send new clients here.
func (s *Server) ready(w http.ResponseWriter, _ *http.Request) {
	if !s.isReady.Load() {
		plain(w, http.StatusServiceUnavailable, "not ready: starting or draining\n")
		return
	}
	plain(w, http.StatusOK, "ready\n")
}

func plain(w http.ResponseWriter, status int, text string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // a client that hung up needs no answer
}
