package attack

import (
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chartd/chartd/internal/livetest"
)

// A limit of open files that is lower than the configuration is known, said at the
// start, and kept: what is left works while clients take all they can get.
func TestFewFiles(t *testing.T) {
	s := besiege(t, "", envFiles+"=160")
	if log := s.logs.String(); !strings.Contains(log, "the limit of open files is too low") || !strings.Contains(log, `"open_files":160`) {
		t.Errorf("not said: %s", log)
	}
	s.during(func(more func() bool) {
		var open []net.Conn
		told := ""
		for range 150 {
			ws, err := s.tryDial()
			if err != nil {
				told = err.Error()
				continue
			}
			open = append(open, ws.NetConn())
		}
		if len(open) < 50 || len(open) > 100 || !strings.Contains(told, "ulimit -n") {
			t.Errorf("%d were let in, and the others told %q", len(open), told)
		}
		for range 150 { // and those that say nothing
			if nc, err := s.raw(); err == nil {
				open = append(open, nc)
			}
		}
		for more() {
			<-time.After(10 * time.Millisecond)
		}
		for _, nc := range open {
			_ = nc.Close()
		}
	})
	livetest.Eventually(t, "there is room again", func() bool {
		status, _ := s.ask(http.MethodGet, "/healthz", nil)
		return status == http.StatusOK
	})
	s.client()
	if s.metric("chartd_http_refused_total", `reason="files"`) != 0 {
		t.Error("there was no file left to accept with: the bound came too late")
	}
}

// If there really is no file left, nothing dies of it, and nothing spins.
func TestNoFileLeft(t *testing.T) {
	s := besiege(t, "server: {max_requests: 100000, max_connections_per_address: 100000}\n", envFiles+"=later 64")
	s.during(func(more func() bool) {
		var open []net.Conn
		for range 150 {
			nc, err := s.raw()
			if err == nil {
				open = append(open, nc)
			}
		}
		before := processorTime(t, s.cmd.Process.Pid)
		start := time.Now()
		for more() {
			<-time.After(10 * time.Millisecond)
		}
		// A loop around accept would take a processor for itself.
		if used := processorTime(t, s.cmd.Process.Pid) - before; used > time.Since(start)*7/10 {
			t.Errorf("%v of processor time in %v", used, time.Since(start))
		}
		for _, nc := range open {
			_ = nc.Close()
		}
	})
	s.client()
	if s.metric("chartd_http_refused_total", `reason="files"`) == 0 {
		t.Error("the limit was never reached, or not counted")
	}
	if !strings.Contains(s.logs.String(), "too many open files") {
		t.Error("not logged")
	}
}

// processorTime returns how much of it a process has used.
func processorTime(t *testing.T, pid int) time.Duration {
	t.Helper()
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	fields := strings.Fields(rest) // the third is the first here
	ticks := 0
	for _, f := range fields[11:13] {
		n, err := strconv.Atoi(f)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}
