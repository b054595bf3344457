package daemon_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/daemon"
	"github.com/chartd/chartd/pkg/wire"
)

// idleClients is the environment variable that turns the test binary into the
// clients of BenchmarkIdleSessions: "url count".
const idleClients = "CHARTD_IDLE_CLIENTS"

// BenchmarkIdleSessions reports what a session that watches a still chart costs
// the daemon in resident memory. The clients are a process of their own.
func BenchmarkIdleSessions(b *testing.B) {
	const sessions = 9500
	r := start(b, `
charts: {still: {title: Still, refresh: 0, window: 30s, series: [{metric: m}]}}
server: {max_connections_per_address: 10000}
session: {max_sessions_per_address: 10000}
`, daemon.WithLogger(zap.NewNop()))
	r.append("m", 1)
	for b.Loop() {
		before := resident(b)
		cmd := exec.CommandContext(b.Context(), os.Args[0], "-test.run=^$")
		cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d", idleClients, r.base, sessions))
		cmd.Stderr = os.Stderr
		stdin, err := cmd.StdinPipe()
		if err != nil {
			b.Fatal(err)
		}
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			b.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil || line != "all there\n" {
			b.Fatalf("clients: %q %v", line, err)
		}
		if n := r.metric("chartd_sessions", `state="connected"`); n != sessions {
			b.Fatalf("%v sessions", n)
		}
		after := resident(b)
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(after-before)/sessions, "RSS-B/session")
		b.ReportMetric(float64(m.StackInuse)/sessions, "stack-B/session")
		b.ReportMetric(float64(m.HeapInuse)/sessions, "heap-B/session")
		b.ReportMetric(float64(m.HeapAlloc)/sessions, "alloc-B/session")
		b.ReportMetric(float64(m.MSpanInuse+m.MCacheInuse+m.GCSys+m.OtherSys)/sessions, "meta-B/session")
		b.ReportMetric(float64(runtime.NumGoroutine())/sessions, "goroutines/session")
		b.ReportMetric(0, "ns/op")
		_ = stdin.Close() // the clients leave
		if err := cmd.Wait(); err != nil {
			b.Fatal(err)
		}
	}
}

// resident returns the process's resident memory in bytes, garbage aside.
func resident(b *testing.B) int64 {
	b.Helper()
	debug.FreeOSMemory()
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		b.Skip("resident memory is read from /proc, which this system lacks")
	}
	pages, err := strconv.ParseInt(strings.Fields(string(data))[1], 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// beIdleClients connects, watches, and waits for the end of its input.
func beIdleClients(spec string) error {
	var base string
	var count int
	if _, err := fmt.Sscanf(spec, "%s %d", &base, &count); err != nil {
		return err
	}
	d := websocket.Dialer{Subprotocols: []string{wire.Subprotocol}, ReadBufferSize: 4096, WriteBufferSize: 256}
	conns := make([]*websocket.Conn, count)
	for i := range conns {
		ws, resp, err := d.Dial("ws"+strings.TrimPrefix(base, "http")+"ws", nil)
		if err != nil {
			return fmt.Errorf("client %d: %w", i, err)
		}
		_ = resp.Body.Close()
		conns[i] = ws
		if err := ws.WriteMessage(websocket.TextMessage, []byte(`[{"t":"hello"},{"t":"sub","id":1,"chart":"still"}]`)); err != nil {
			return err
		}
		for seen := false; !seen; {
			_, b, err := ws.ReadMessage()
			if err != nil {
				return fmt.Errorf("client %d: %w", i, err)
			}
			seen = strings.Contains(string(b), `"t":"full"`)
		}
	}
	fmt.Println("all there")
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}
