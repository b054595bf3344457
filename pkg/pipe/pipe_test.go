package pipe_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/chartd/chartd/internal/livetest"
	"github.com/chartd/chartd/pkg/pipe"
	"github.com/chartd/chartd/pkg/source/lines"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a page that is served.
type rig struct {
	t         *testing.T
	in        *io.PipeWriter
	out, said livetest.Log
	cancel    context.CancelFunc
	done      chan error
}

func start(t *testing.T, c pipe.Config) *rig {
	t.Helper()
	c.Listen = "127.0.0.1:0"
	pr, pw := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	r := &rig{t: t, in: pw, cancel: cancel, done: make(chan error, 1)}
	go func() { r.done <- pipe.Run(ctx, c, pr, &r.out, &r.said) }()
	t.Cleanup(func() {
		cancel()
		_ = pw.Close()
	})
	return r
}

func (r *rig) until(what string, holds func() bool) {
	r.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(20 * time.Second)
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			r.t.Fatalf("it never happens: %s; said %s", what, &r.said)
		}
	}
}

func (r *rig) get(path string) string {
	r.t.Helper()
	var url string
	r.until("the address is said", func() bool {
		m := regexp.MustCompile(`live at (http://\S+)/`).FindStringSubmatch(r.said.String())
		if m != nil {
			url = m[1]
		}
		return m != nil
	})
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, url+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(b)
}

func (r *rig) write(s string) {
	r.t.Helper()
	if _, err := io.WriteString(r.in, s); err != nil {
		r.t.Fatal(err)
	}
}

// TestRun is a life: the address is said before any line, charts come with the
// lines, these go through, and the page stays after the end.
func TestRun(t *testing.T) {
	recorded, err := os.ReadFile("../source/lines/testdata/vmstat.txt")
	if err != nil {
		t.Fatal(err)
	}
	r := start(t, pipe.Config{Title: "db1", Version: "chartd/test"})
	if got := r.get("/api/v1/charts"); !strings.Contains(got, `"charts":[]`) {
		t.Errorf("before any line there is %s", got)
	}
	sc := bufio.NewScanner(bytes.NewReader(recorded))
	for sc.Scan() {
		r.write(sc.Text() + "\n")
	}
	r.until("the charts are there", func() bool { return strings.Contains(r.get("/api/v1/charts"), `"title":"db1 · cpu"`) })
	r.until("they show the columns", func() bool {
		svg := r.get("/charts/cpu.svg")
		return strings.Contains(svg, ">us<") && strings.Contains(svg, ">wa<") && !strings.Contains(svg, ">id<")
	})
	if got := r.get("/api/v1/sources"); !strings.Contains(got, `"samples":102,"rejected":0`) {
		t.Errorf("the source says %s", got)
	}
	r.write("no end")
	if err := r.in.Close(); err != nil {
		t.Fatal(err)
	}
	r.until("the end is said", func() bool { return strings.Contains(r.said.String(), "the charts stay until Ctrl-C") })
	if got := r.out.String(); got != string(recorded)+"no end" {
		t.Errorf("what went through is not what came in: %q", got)
	}
	if got := r.get("/api/v1/sources"); !strings.Contains(got, `"up":true`) {
		t.Errorf("after the end the source says %s", got)
	}
	r.cancel()
	if err := <-r.done; err != nil {
		t.Error(err)
	}
}

func TestExit(t *testing.T) {
	r := start(t, pipe.Config{Exit: true})
	r.write("a,b\n1,2\n3,4\n")
	if err := r.in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-r.done; err != nil {
		t.Error(err)
	}
	r = start(t, pipe.Config{})
	r.write("nothing\nto see here\n")
	if err := r.in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-r.done; err == nil || !strings.Contains(err.Error(), "--match") {
		t.Errorf("a text without numbers ends in %v", err)
	}
}

// TestBroken: an input that cannot be read is not one without numbers.
func TestBroken(t *testing.T) {
	broken := errors.New("the cable is cut")
	r := start(t, pipe.Config{})
	_ = r.in.CloseWithError(broken)
	if err := <-r.done; !errors.Is(err, broken) {
		t.Errorf("before a number it ends in %v", err)
	}
	r = start(t, pipe.Config{})
	r.write("1\n2\n")
	_ = r.in.CloseWithError(broken)
	r.until("it is said", func() bool { return strings.Contains(r.said.String(), "the cable is cut; the charts stay") })
	r.cancel()
	if err := <-r.done; err != nil {
		t.Error(err)
	}
	r = start(t, pipe.Config{Exit: true})
	r.write("1\n2\n")
	_ = r.in.CloseWithError(broken)
	if err := <-r.done; !errors.Is(err, broken) {
		t.Errorf("with --exit it ends in %v", err)
	}
}

// TestLong: what is behind the limit of a line is no line of its own, in whose
// shape all others would be read.
func TestLong(t *testing.T) {
	r := start(t, pipe.Config{})
	long := strings.Repeat("x", 3*lines.MaxLine) + " 5\n"
	r.write(long + "a=1\na=2\n")
	r.until("the lines behind it are read", func() bool { return strings.Contains(r.get("/api/v1/sources"), `"samples":2,`) })
	if got := r.get("/api/v1/sources"); !strings.Contains(got, `"rejected":1,`) {
		t.Errorf("the source says %s", got)
	}
	if got := r.out.String(); got != long+"a=1\na=2\n" {
		t.Errorf("%d bytes went through; want all %d", len(got), len(long)+8)
	}
}

// TestOld shows lines of long ago, and says where they are seen from near.
func TestOld(t *testing.T) {
	r := start(t, pipe.Config{})
	r.write("time,v\n2020-05-05T10:00:00Z,1\n2020-05-05T11:00:00Z,2\n")
	if err := r.in.Close(); err != nil {
		t.Fatal(err)
	}
	r.until("the address of the past is said", func() bool { return strings.Contains(r.said.String(), "/c/v?from=1588672800000&to=1588676400001") })
	if got := r.get("/charts/v.svg?from=1588672800000&to=1588676400001"); !strings.Contains(got, "<path") {
		t.Errorf("nothing is drawn: %s", got)
	}
	r.cancel()
	if err := <-r.done; err != nil {
		t.Error(err)
	}
}

// TestStop ends while the input is open and silent.
func TestStop(t *testing.T) {
	r := start(t, pipe.Config{})
	r.write("1\n")
	r.get("/healthz")
	r.cancel()
	select {
	case err := <-r.done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(15 * time.Second):
		t.Error("it does not stop")
	}
}

// TestTaken falls back to a free port, unless it was told which.
func TestTaken(t *testing.T) {
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	err = pipe.Run(t.Context(), pipe.Config{Listen: ln.Addr().String()}, strings.NewReader("1\n"), io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a port that is taken gives %v", err)
	}
}

func TestValidate(t *testing.T) {
	for path, c := range map[string]pipe.Config{
		"match": {Match: "("}, "window": {Window: 1}, "listen": {Listen: "nowhere"},
	} {
		if ps := c.Validate(); len(ps) != 1 || ps[0].Path != path {
			t.Errorf("%s: %v", path, ps)
		}
	}
	if err := pipe.Run(t.Context(), pipe.Config{Match: "x"}, strings.NewReader(""), nil, io.Discard); err == nil || !strings.Contains(fmt.Sprint(err), "no group") {
		t.Errorf("a regular expression without a group: %v", err)
	}
}
