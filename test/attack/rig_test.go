package attack

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/chartd/chartd/internal/livetest"
	"github.com/chartd/chartd/pkg/daemon"
	"github.com/chartd/chartd/pkg/wire"
)

// The environment of a daemon in a process of its own.
const (
	envConfig = "CHARTD_ATTACK_CONFIG"
	envFiles  = "CHARTD_ATTACK_FILES" // "SOFT" before it starts, or "later SOFT"
	envWide   = "CHARTD_ATTACK_WIDE"  // how many series the metric "wide" has
)

// pulse is the bystander's chart: each of its ticks brings a frame.
const pulse = "\ncharts:\n" +
	"  pulse: {refresh: 100ms, window: 10s, y: {min: 0, max: 100}, series: [{metric: pulse}]}\n" +
	"  other: {refresh: 1s, window: 1m, series: [{metric: pulse}], callbacks: [{on: zoom, set: {window: 2m}}]}\n" +
	"  wide: {refresh: 1s, window: 1h, series: [{metric: wide}]}\n"

// TestChild is the daemon's process; in the test's own it does nothing.
func TestChild(t *testing.T) {
	yaml, ok := os.LookupEnv(envConfig)
	if !ok {
		return
	}
	ctx, stop := signal.NotifyContext(t.Context(), syscall.SIGTERM)
	defer stop()
	files, later := strings.CutPrefix(os.Getenv(envFiles), "later ")
	if files != "" && !later {
		lowerFiles(t, files)
	}
	cfg, err := daemon.Parse("listen: 127.0.0.1:0\n" + yaml)
	if err != nil {
		t.Fatal(err)
	}
	d, err := daemon.New(cfg, daemon.WithAnnounce(os.Stdout))
	if err != nil {
		t.Fatal(err)
	}
	var fed sync.WaitGroup
	fed.Go(func() { feed(ctx, d) })
	go func() {
		<-d.Ready()
		if later {
			lowerFiles(t, files)
		}
	}()
	if err := d.Run(ctx); err != nil {
		t.Error(err)
	}
	stop()
	fed.Wait()
}

func lowerFiles(t *testing.T, to string) {
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r); err != nil {
		t.Error(err)
	}
	if _, err := fmt.Sscan(to, &r.Cur); err != nil {
		t.Error(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &r); err != nil {
		t.Error(err)
	}
}

// feed brings samples until ctx ends.
func feed(ctx context.Context, d *daemon.Daemon) {
	wide := 0
	_, _ = fmt.Sscan(os.Getenv(envWide), &wide) // none if it is not set
	start := time.Now().Add(-time.Hour)
	for i := range wide {
		labels := labelsOf("n", i)
		for at := start; at.Before(start.Add(time.Hour)); at = at.Add(3600 * time.Millisecond) {
			_ = d.Store().Append("wide", labels, at.UnixMilli(), float64((i*7919+int(at.UnixMilli()/97))%1000))
		}
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			_ = d.Store().Append("pulse", nil, now.UnixMilli(), float64(n%100))
		}
	}
}

// siege is a daemon in a process of its own, and a bystander who watches it.
type siege struct {
	t    testing.TB
	base string
	cmd  *exec.Cmd
	logs livetest.Log

	frames atomic.Int64 // that the bystander got
	lost   atomic.Pointer[string]

	quiet float64 // part of the ticks that the bystander misses while all is calm,
	known bool    // measured once
}

// besiege starts a daemon with sections of a configuration, and a bystander.
func besiege(t *testing.T, yaml string, env ...string) *siege {
	t.Helper()
	return besiegeCharts(t, yaml, "", env...)
}

// besiegeCharts is besiege with more charts.
func besiegeCharts(t *testing.T, yaml, charts string, env ...string) *siege {
	t.Helper()
	s := &siege{t: t, cmd: exec.CommandContext(context.WithoutCancel(t.Context()), os.Args[0], "-test.run=^TestChild$")}
	s.cmd.Env = append(append(os.Environ(), envConfig+"="+yaml+pulse+charts), env...)
	s.cmd.Stderr = &s.logs
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	first := make(chan string, 1)
	var reading sync.WaitGroup
	reading.Go(func() {
		r := bufio.NewReader(out)
		line, _ := r.ReadString('\n')
		first <- line
		_, _ = io.Copy(&s.logs, r)
	})
	t.Cleanup(func() {
		_ = s.cmd.Process.Signal(syscall.SIGTERM)
		kill := time.AfterFunc(patience, func() { _ = s.cmd.Process.Kill() })
		defer kill.Stop()
		reading.Wait()
		if err := s.cmd.Wait(); err != nil || t.Failed() && testing.Verbose() {
			t.Errorf("the daemon ended with: %v\n%s", err, shorten(s.logs.String()))
		}
	})
	select {
	case line := <-first:
		url, ok := strings.CutPrefix(line, "chartd is live at ")
		if !ok {
			t.Fatalf("it does not serve: %q\n%s", line, s.logs.String())
		}
		s.base = strings.TrimSuffix(strings.TrimSpace(url), "/")
	case <-time.After(patience):
		t.Fatalf("it does not serve\n%s", s.logs.String())
	}
	s.watch()
	return s
}

func shorten(log string) string {
	if len(log) > 8000 {
		return log[:4000] + "\n…\n" + log[len(log)-4000:]
	}
	return log
}

// watch lets the bystander count frames until the test ends. Each patch must fit.
func (s *siege) watch() {
	s.t.Helper()
	ws := s.dial()
	if err := ws.WriteMessage(websocket.TextMessage, []byte(`[{"t":"hello"},{"t":"sub","id":1,"chart":"pulse"}]`)); err != nil {
		s.t.Fatal(err)
	}
	var reading sync.WaitGroup
	reading.Go(func() {
		var mirror *wire.Mirror
		for {
			_, b, err := ws.ReadMessage()
			if err != nil {
				s.lost.CompareAndSwap(nil, new(err.Error()))
				return
			}
			ms, err := wire.ParseServer(b)
			for _, m := range ms {
				if ok, isOK := m.(wire.OK); isOK {
					mirror = wire.NewMirror(ok.V)
				}
				if mirror == nil || err != nil {
					continue
				}
				was := mirror.Pos()
				if _, err = mirror.Take(m); mirror.Pos() != was {
					s.frames.Add(1)
				}
			}
			if err != nil {
				s.lost.CompareAndSwap(nil, new(err.Error()))
				return
			}
		}
	})
	s.t.Cleanup(func() {
		_ = ws.Close()
		reading.Wait()
	})
	livetest.Eventually(s.t, "the bystander sees frames", func() bool { return s.frames.Load() > 3 })
}

// dial opens a WebSocket, or fails the test.
func (s *siege) dial() *websocket.Conn {
	s.t.Helper()
	ws, err := s.tryDial()
	if err != nil {
		s.t.Fatal(err)
	}
	return ws
}

func (s *siege) tryDial() (*websocket.Conn, error) {
	d := websocket.Dialer{Subprotocols: []string{wire.Subprotocol}, HandshakeTimeout: patience}
	ws, resp, err := d.DialContext(context.Background(), "ws"+strings.TrimPrefix(s.base, "http")+wire.Path, nil)
	if resp != nil {
		defer func() { _ = resp.Body.Close() }()
	}
	if errors.Is(err, websocket.ErrBadHandshake) {
		b, _ := io.ReadAll(resp.Body)
		return nil, &livetest.Refused{Status: resp.StatusCode, Body: string(b)}
	}
	return ws, err
}

// raw opens a TCP connection.
func (s *siege) raw() (net.Conn, error) {
	return (&net.Dialer{Timeout: patience}).Dial("tcp", strings.TrimPrefix(s.base, "http://"))
}

// client connects and says hello.
func (s *siege) client() *livetest.Client {
	s.t.Helper()
	c := livetest.New(s.t, s.dial())
	c.Hello("")
	return c
}

// ask asks over HTTP and returns status and body; 0 if nobody answers.
func (s *siege) ask(method, path string, body io.Reader, header ...string) (int, string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, s.base+path, body)
	if err != nil {
		return 0, err.Error()
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := (&http.Transport{DisableKeepAlives: true, DisableCompression: true}).RoundTrip(req)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, string(b)
}

// metric returns the sum of a metric's lines that contain every one of labels.
func (s *siege) metric(name string, labels ...string) float64 {
	s.t.Helper()
	var body string
	livetest.Eventually(s.t, "metrics can be read", func() bool {
		status, b := s.ask(http.MethodGet, "/metrics", nil)
		body = b
		return status == http.StatusOK
	})
	return livetest.Sum(s.t, body, name, labels...)
}

// ticks returns how many ticks the bystander's chart has had, those that came too
// late to be drawn included.
func (s *siege) ticks() float64 {
	return s.metric("chartd_ticks_total", `chart="pulse"`) + s.metric("chartd_skipped_ticks_total", `chart="pulse"`, `reason="late"`)
}

// phase is how many ticks a phase must have to be judged.
const phase = 20

// missed returns which part of the ticks the bystander misses while something is
// done. What is done goes on as long as more says so.
func (s *siege) missed(do func(more func() bool)) (part float64) {
	s.t.Helper()
	ticks, frames := s.ticks(), s.frames.Load()
	do(func() bool { return s.frames.Load() < frames+phase && s.lost.Load() == nil })
	all := s.ticks() - ticks
	got := s.frames.Load() - frames
	return max(0, all-float64(got)-1) / max(all, 1) // one may be on its way
}

// calm is what the bystander misses of a quiet time.
func (s *siege) calm() float64 {
	s.t.Helper()
	return s.missed(func(more func() bool) {
		livetest.Eventually(s.t, "a calm phase ends", func() bool { return !more() })
	})
}

// rounds is how often an attack must be felt to be believed: once, a machine that
// is busy with something else looks the same.
const rounds = 3

// during runs an attack and fails the test if the bystander misses more of it than
// of the calm before: two ticks, which is what a busy machine may take. The attack
// is then repeated.
func (s *siege) during(attack func(more func() bool)) {
	s.t.Helper()
	for round := 1; ; round++ {
		if !s.known {
			s.quiet, s.known = s.calm(), true
		}
		meanwhile := s.missed(attack)
		s.t.Logf("the bystander missed %.1f %% of its ticks before and %.1f %% meanwhile", s.quiet*100, meanwhile*100)
		if why := s.lost.Load(); why != nil {
			s.t.Fatalf("the bystander was cut off: %s", *why)
		}
		if meanwhile <= s.quiet+2.0/phase || s.t.Failed() {
			return
		}
		if round == rounds {
			s.t.Errorf("the bystander missed %.1f %% of its ticks before and %.1f %% meanwhile, and no less the times before", s.quiet*100, meanwhile*100)
			return
		}
		s.known = false
	}
}
