package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// A server with TLS is asked by https, whatever name its certificate has.
func TestHealthcheckOverTLS(t *testing.T) {
	var ill atomic.Bool
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" || ill.Load() {
			http.Error(w, "ill", http.StatusServiceUnavailable)
		}
	}))
	defer srv.Close()
	args := []string{"healthcheck", "--listen", srv.Listener.Addr().String()}
	if got := chartd(t, nil, "", args...); got.code != exitOK {
		t.Errorf("well: %+v", got)
	}
	ill.Store(true)
	if got := chartd(t, nil, "", args...); got.code != exitFailure || !strings.Contains(got.err, "ill") {
		t.Errorf("ill: %+v", got)
	}
}
