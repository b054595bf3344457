package sources

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/daemon"
)

// serveDaemon runs the whole daemon at an address until the test ends.
func serveDaemon(t testing.TB, addr, yaml string) (base string) {
	t.Helper()
	cfg, err := daemon.Parse(yaml)
	if err != nil {
		t.Fatal(err)
	}
	d, err := daemon.New(cfg, daemon.WithListen(addr), daemon.WithLogger(zap.NewNop()))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	ended := make(chan struct{})
	running.Go(func() {
		defer close(ended)
		if err := d.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { cancel(); running.Wait() })
	select {
	case <-d.Ready():
	case <-ended:
		t.Fatal("the daemon ended")
	}
	return strings.TrimSuffix(d.URL(), "/")
}

// get returns what an address answers; the status is 0 if it does not.
func get(t testing.TB, url string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		return 0, ""
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, ""
	}
	return resp.StatusCode, string(b)
}
