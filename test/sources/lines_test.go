package sources

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/chartd/chartd/internal/livetest"
	"github.com/chartd/chartd/pkg/store"
)

// child returns the process that this one has started and that is called so, or
// 0.
func child(t testing.TB, name string) int {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		fields := strings.Fields(string(text))
		if len(fields) > 3 && fields[1] == "("+name+")" && fields[3] == strconv.Itoa(os.Getpid()) {
			pid, err := strconv.Atoi(fields[0])
			if err != nil {
				t.Fatal(err)
			}
			return pid
		}
	}
	return 0
}

// rising reports whether no sample comes twice.
func rising(t testing.TB, samples []store.Sample) {
	t.Helper()
	for i := range samples {
		if i > 0 && samples[i].T <= samples[i-1].T {
			t.Errorf("sample %d is of %d, the one before of %d", i, samples[i].T, samples[i-1].T)
		}
	}
}

// TestExecVmstat kills the real vmstat in the middle: it is started again, and
// the processor's shares add up before and after.
func TestExecVmstat(t *testing.T) {
	t.Parallel()
	program(t, "vmstat", "procps")
	r := start(t, `sources: {vmstat: {type: exec, command: [vmstat, "1"]}}`)
	livetest.Eventually(t, "vmstat prints", func() bool { return len(r.one("vmstat_us")) >= 2 })
	if err := syscall.Kill(child(t, "vmstat"), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	livetest.Eventually(t, "that it was killed shows", func() bool { return r.status("vmstat").Errors == 1 })
	before := len(r.one("vmstat_us"))
	livetest.Eventually(t, "vmstat prints again", func() bool { return len(r.one("vmstat_us")) >= before+2 })
	if st := r.status("vmstat"); st.Rejected > 0 || !st.Up {
		t.Errorf("%+v", st)
	}
	user := r.one("vmstat_us")
	rising(t, user)
	for i := range user {
		sum := user[i].V
		for _, metric := range []string{"vmstat_sy", "vmstat_id", "vmstat_wa", "vmstat_st"} {
			if all := r.one(metric); i < len(all) {
				sum += all[i].V
			}
		}
		if i < before && (sum < 97 || sum > 103) {
			t.Errorf("reading %d: the processor's shares add up to %v", i, sum)
		}
	}
}

// TestExecPing reads the real ping, and its secret environment is in nothing
// that is said.
func TestExecPing(t *testing.T) {
	t.Parallel()
	ping := program(t, "ping", "iputils-ping")
	if out, err := exec.CommandContext(t.Context(), ping, "-c", "1", "127.0.0.1").CombinedOutput(); err != nil {
		t.Skipf("ping may not ping here: %v, %s", err, out)
	}
	r := start(t, `
sources:
  rtt: {type: exec, command: [ping, -i, "0.2", "127.0.0.1"], match: 'time=([0-9.]+)'}
  leak: {type: exec, shell: 'echo "bad key $KEY" >&2; exit 1', env: {KEY: hunter2-x}, interval: 1s}
`)
	livetest.Eventually(t, "ping prints", func() bool { return len(r.one("rtt")) >= 5 })
	rising(t, r.one("rtt"))
	livetest.Eventually(t, "the other fails", func() bool { return strings.Contains(r.status("leak").Error, "bad key [secret]") })
	r.holdsNoSecret("hunter2-x")
}

// TestFileLogrotate has the real logrotate rotate a CSV with a header, which is
// missing at first, while a writer appends to it.
func TestFileLogrotate(t *testing.T) {
	t.Parallel()
	logrotate := program(t, "logrotate", "logrotate")
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path, conf := filepath.Join(dir, "a.csv"), filepath.Join(dir, "conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, "%s {\nrotate 5\nnocreate\n}\n", path), 0o600); err != nil {
		t.Fatal(err)
	}
	r := start(t, "sources: {a: {type: file, path: "+path+", poll: 100ms}}")
	livetest.Eventually(t, "that it is missing shows", func() bool { return strings.Contains(r.status("a").Error, "no such file") })
	began := time.Now().UnixMilli() - 100_000
	n := 0
	write := func(rows int) {
		f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if info, err := f.Stat(); err == nil && info.Size() == 0 {
			fmt.Fprintln(f, "time,n")
		}
		for range rows {
			fmt.Fprintf(f, "%d,%d\n", began+int64(n), n)
			n++
		}
	}
	write(50)
	livetest.Eventually(t, "the first lines are there", func() bool { return len(r.one("a_n")) >= n })
	for range 4 {
		write(50)
		// Rotated at once, whether the lines have been read or not.
		if out, err := exec.CommandContext(t.Context(), logrotate, "-f", "-s", filepath.Join(dir, "state"), conf).CombinedOutput(); err != nil {
			t.Fatalf("logrotate: %v\n%s", err, out)
		}
		write(50)
		livetest.Eventually(t, "all lines are there", func() bool { return len(r.one("a_n")) >= n })
	}
	for i, s := range r.one("a_n") {
		if s.T != began+int64(i) || int(s.V) != i {
			t.Fatalf("sample %d is %v", i, s)
		}
	}
	if st := r.status("a"); int(st.Samples) != n || st.Rejected != 0 {
		t.Errorf("%d lines were written: %+v", n, st)
	}
}

// TestHTTPComesAndGoes asks a server that is down at first, dies, sends garbage
// and comes back; every row counts once, and no secret shows.
func TestHTTPComesAndGoes(t *testing.T) {
	t.Parallel()
	addr := address(t)
	began := time.Now().UnixMilli() - 100_000
	var rows, mode atomic.Int64
	h := http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		switch {
		case req.Header.Get("Authorization") != "Bearer hunter2-x":
			http.Error(w, "bad token "+req.Header.Get("Authorization"), http.StatusUnauthorized)
		case mode.Load() == 1:
			_, _ = w.Write([]byte(`{"rows":[{"at":`))
		default:
			n := rows.Add(1) // one more each time, and the last ten again
			fmt.Fprint(w, `{"rows":[`)
			for i := max(0, n-10); i < n; i++ {
				fmt.Fprintf(w, `{"at":%d,"v":%d},`, began+i, i)
			}
			fmt.Fprint(w, `null]}`)
		}
	})
	r := start(t, fmt.Sprintf(`
sources:
  a: {type: http, url: "http://%[1]s/data?key=opensesame", interval: 100ms, query: '.rows[] | values | {time: .at, v: .v}', authorization: {credentials: hunter2-x}}
  wrong: {type: http, url: "http://%[1]s/data", interval: 100ms, authorization: {credentials: swordfish}}
`, addr))
	livetest.Eventually(t, "that it is down shows", func() bool { return strings.Contains(r.status("a").Error, "connection refused") })
	stop := serveAt(t, addr, h)
	livetest.Eventually(t, "rows come", func() bool { return len(r.one("a_v")) >= 5 })
	livetest.Eventually(t, "the wrong token is said", func() bool { return strings.Contains(r.status("wrong").Error, "401 Unauthorized: bad token") })
	failed := r.status("a").Errors
	stop()
	livetest.Eventually(t, "that it died shows", func() bool { return r.status("a").Errors > failed })
	failed = r.status("a").Errors
	mode.Store(1)
	serveAt(t, addr, h)
	livetest.Eventually(t, "that it sends garbage shows", func() bool {
		return strings.Contains(r.status("a").Error, "reading JSON") || strings.Contains(r.status("a").Error, "no JSON")
	})
	before := len(r.one("a_v"))
	mode.Store(0)
	livetest.Eventually(t, "rows come again", func() bool { return len(r.one("a_v")) >= before+3 })
	for i, s := range r.one("a_v") {
		if s.T != began+int64(i) || int(s.V) != i {
			t.Fatalf("sample %d is %v", i, s)
		}
	}
	if st := r.status("a"); int(st.Samples) != len(r.one("a_v")) {
		t.Errorf("something came twice: %+v", st)
	}
	r.holdsNoSecret("hunter2-x", "swordfish", "opensesame")
}
