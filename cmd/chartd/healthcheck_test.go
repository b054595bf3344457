package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A server with TLS is asked by https, whatever name its certificate has.
func TestHealthcheckOverTLS(t *testing.T) {
	well := true
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" || !well {
			http.Error(w, "ill", http.StatusServiceUnavailable)
		}
	}))
	defer srv.Close()
	args := []string{"healthcheck", "--listen", srv.Listener.Addr().String()}
	if got := chartd(t, nil, "", args...); got.code != exitOK {
		t.Errorf("well: %+v", got)
	}
	well = false
	if got := chartd(t, nil, "", args...); got.code != exitFailure || !strings.Contains(got.err, "ill") {
		t.Errorf("ill: %+v", got)
	}
}
