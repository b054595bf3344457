package server

import (
	"net/http"
	"net/http/pprof" // its init fills a mux that nothing here serves

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Admin returns what is served at the address server.admin, and nowhere else: the
// metrics, the profiles of net/http/pprof, and the two answers for those who
// look after the process. Nobody is asked there who they are. The command line is
// not shown: --set may have put a secret into it.
func (s *Server) Admin() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", s.exposition())
	mux.HandleFunc("GET /healthz", s.health)
	mux.HandleFunc("GET /readyz", s.ready)
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return s.contain(mux)
}

// exposition answers with the metrics.
func (s *Server) exposition() http.Handler {
	return promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{
		ErrorLog: promLog{s.log}, ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: 8,
	})
}

// moved says where the metrics are.
func (s *Server) moved(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "chartd: the metrics are at the address of the setting server.admin", http.StatusNotFound)
}
