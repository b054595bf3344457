package daemon_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/config"
	"github.com/chartd/chartd/pkg/daemon"
)

// config reads a configuration.
func (r *rig) config(t *testing.T, yaml string) *config.Config {
	t.Helper()
	cfg, err := daemon.Parse(yaml)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// newDaemon makes a daemon that is not run.
func newDaemon(t *testing.T, yaml string) (*daemon.Daemon, error) {
	t.Helper()
	cfg, err := daemon.Parse(yaml)
	if err != nil {
		t.Fatal(err)
	}
	return daemon.New(cfg, daemon.WithListen("127.0.0.1:0"), daemon.WithLogger(zap.NewNop()))
}

const adminConfig = "server: {admin: \"127.0.0.1:0\"}\ncharts: {c: {series: [{metric: m}]}}\n"

func TestAdmin(t *testing.T) {
	r := start(t, adminConfig)
	main := r.base
	at := "http://" + r.AdminAddr().String() + "/"
	for _, path := range []string{"metrics", "healthz", "readyz", "debug/pprof/", "debug/pprof/heap?debug=1", "debug/pprof/goroutine?debug=1", "debug/pprof/profile?seconds=1"} {
		r.base = at
		if status, body := r.get("/" + path); status != http.StatusOK {
			t.Errorf("admin %s: %d %s", path, status, body)
		}
		r.base = main
		if status, _ := r.get("/" + path); (status == http.StatusOK) != (path == "healthz" || path == "readyz") {
			t.Errorf("main %s: %d", path, status)
		}
	}
	if _, body := r.get("/metrics"); !strings.Contains(body, "server.admin") {
		t.Errorf("/metrics says %q", body)
	}
	for _, path := range []string{"/", "/ws", "/charts/c.svg", "/api/v1/charts", "/api/v1/push", "/debug/pprof/cmdline"} {
		r.base = at
		if status, _ := r.get(path); status != http.StatusNotFound {
			t.Errorf("admin %s: %d", path, status)
		}
	}
}

// Who reads a profile does not keep the daemon from stopping.
func TestAdminStops(t *testing.T) {
	r := start(t, adminConfig)
	began := make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://"+r.AdminAddr().String()+"/debug/pprof/trace?seconds=60", nil)
		if err != nil {
			ended <- err
			return
		}
		close(began)
		resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		ended <- nil
	}()
	<-began
	r.stop()
	<-r.done
	if r.err != nil {
		t.Error(r.err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestWithoutAdmin(t *testing.T) {
	r := start(t, "charts: {c: {series: [{metric: m}]}}\n")
	if r.AdminAddr() != nil {
		t.Errorf("there is one: %v", r.AdminAddr())
	}
	for _, path := range []string{"/debug/pprof/", "/debug/pprof/heap", "/debug/vars"} {
		if status, _ := r.get(path); status != http.StatusNotFound {
			t.Errorf("%s: %d", path, status)
		}
	}
	if status, _ := r.get("/metrics"); status != http.StatusOK {
		t.Errorf("/metrics: %d", status)
	}
}

func TestAdminAddressIsTaken(t *testing.T) {
	r := start(t, adminConfig)
	d, err := newDaemon(t, "server: {admin: \""+r.AdminAddr().String()+"\"}\n")
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "server.admin: ") {
		t.Errorf("got %v", err)
	}
}
