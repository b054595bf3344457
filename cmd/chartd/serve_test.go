package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chartd/chartd/internal/livetest"
)

// server is a chartd that serves.
type server struct {
	cmd    *exec.Cmd
	url    string
	stderr *livetest.Log
	exited chan error
}

// start runs chartd until the test ends and waits for its one line.
func start(t *testing.T, env []string, args ...string) *server {
	t.Helper()
	s := &server{cmd: exec.Command(binary, args...), stderr: &livetest.Log{}, exited: make(chan error, 1)}
	s.cmd.Env, s.cmd.Stderr = append([]string{"HOME=" + t.TempDir()}, env...), s.stderr
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill() // it may be gone already
		for range s.exited {     // until it is gone
		}
	})
	lines := make(chan string, 1)
	go func() {
		r := bufio.NewReader(out)
		line, _ := r.ReadString('\n')
		lines <- line
		_, _ = io.Copy(io.Discard, r)
		s.exited <- s.cmd.Wait()
		close(s.exited)
	}()
	select {
	case line := <-lines:
		url, ok := strings.CutPrefix(line, "chartd is live at ")
		if !ok {
			t.Fatalf("the first line is %q\n%s", line, s.stderr)
		}
		s.url = strings.TrimSpace(url)
	case <-time.After(30 * time.Second):
		t.Fatalf("it does not begin to serve\n%s", s.stderr)
	}
	return s
}

func (s *server) get(t *testing.T, path string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(s.url, "/")+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %s", path, resp.Status, body)
	}
	return string(body)
}

// stop asks the process to end and returns how it did.
func (s *server) stop(t *testing.T) {
	t.Helper()
	began := time.Now()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-s.exited:
		if err != nil {
			t.Errorf("it ends with %v\n%s", err, s.stderr)
		}
	case <-time.After(15 * time.Second):
		t.Errorf("it does not end in 15 s\n%s", s.stderr)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %v to end", took)
	}
}

// TestServeNothing holds the first promise: one command, and this machine is
// on the screen.
func TestServeNothing(t *testing.T) {
	s := start(t, []string{"CHARTD_LISTEN=127.0.0.1:0"})
	charts := s.get(t, "/api/v1/charts")
	for _, name := range []string{"cpu", "load", "memory", "network", "disk"} {
		if !strings.Contains(charts, `"`+name+`"`) {
			t.Errorf("no chart %q in %s", name, charts)
		}
	}
	if !strings.Contains(s.get(t, "/"), "<chartd-chart") && !strings.Contains(s.get(t, "/"), "chartd.js") {
		t.Error("the gallery has no chart")
	}
	livetest.Eventually(t, "the processors are drawn", func() bool { return strings.Contains(s.get(t, "/charts/cpu.svg"), "user") })

	host := hostOf(t, s.url)
	if got := chartd(t, []string{"CHARTD_LISTEN=" + host}, "", "healthcheck"); got.code != 0 {
		t.Errorf("the health check says %+v", got)
	}
	s.stop(t)
	if got := chartd(t, nil, "", "healthcheck", "--listen", host); got.code != 1 {
		t.Errorf("afterwards the health check says %+v", got)
	}
}

func hostOf(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

// TestServeReload changes the file under a running server: it is read again by
// itself, and on SIGHUP; a broken one changes nothing, and is named by line.
func TestServeReload(t *testing.T) {
	file := writeFile(t, "chartd.yaml", "charts: {one: {series: [{metric: m}]}}\n")
	s := start(t, nil, "--config", file, "--listen", "127.0.0.1:0")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	has := func(name string) func() bool {
		return func() bool { return strings.Contains(s.get(t, "/api/v1/charts"), `"`+name+`"`) }
	}
	livetest.Eventually(t, "chart one", has("one"))
	write("charts: {two: {series: [{metric: m}]}}\n")
	livetest.Eventually(t, "chart two, by itself", has("two"))
	write("charts:\n  three: {series: [{metric: m}], kind: pie}\n")
	livetest.Eventually(t, "the mistake is named", func() bool {
		return strings.Contains(s.stderr.String(), file+":3:") || strings.Contains(s.stderr.String(), ":2:")
	})
	if !has("two")() {
		t.Error("a broken file took chart two away")
	}
	livetest.Eventually(t, "the mistake is counted", func() bool {
		return strings.Contains(s.get(t, "/metrics"), "chartd_config_last_reload_successful 0")
	})
	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	write("charts: {four: {series: [{metric: m}]}}\n")
	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	livetest.Eventually(t, "chart four", has("four"))
	livetest.Eventually(t, "all is well again", func() bool {
		return strings.Contains(s.get(t, "/metrics"), "chartd_config_last_reload_successful 1")
	})
	s.stop(t)
}

func TestServeTaken(t *testing.T) {
	s := start(t, nil, "--listen", "127.0.0.1:0")
	got := chartd(t, nil, "", "serve", "--listen", hostOf(t, s.url))
	if got.code != 1 || !strings.Contains(got.err, "address already in use") {
		t.Errorf("a second server on the same address: %+v", got)
	}
	s.stop(t)
}
