package sources

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/chartd/chartd/internal/livetest"
)

// process is a server that a test started.
type process struct {
	t    testing.TB
	cmd  *exec.Cmd
	out  *output
	done chan struct{}
}

// output keeps the end of what a process says.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.buf.Len() > 1<<20 {
		o.buf.Reset()
	}
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// program returns the path of a program, or ends the test and says which package of Debian has it.
func program(t testing.TB, name, debian string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if errors.Is(err, exec.ErrNotFound) {
		path, err = exec.LookPath("/usr/sbin/" + name)
	}
	if err != nil {
		t.Fatalf("%s is missing: ./test.sh unit installs it, and so does: apt-get install --no-install-recommends %s", name, debian)
	}
	return path
}

// launch starts a server that listens at addr, waits until it does, and ends it with the test.
func launch(t testing.TB, addr, path string, args ...string) *process {
	t.Helper()
	return launchCommand(t, addr, exec.Command(path, args...)) //nolint:gosec // what a test starts
}

// launchCommand is launch for a command that needs more than arguments.
func launchCommand(t testing.TB, addr string, cmd *exec.Cmd) *process {
	t.Helper()
	path := cmd.Path
	p := &process{t: t, cmd: cmd, out: &output{}, done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	p.cmd.WaitDelay = time.Second
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var waiting sync.WaitGroup
	waiting.Go(func() {
		defer close(p.done)
		_ = p.cmd.Wait() // how it ends is up to the test
	})
	t.Cleanup(func() {
		p.kill()
		waiting.Wait()
		if t.Failed() {
			t.Logf("%s said:\n%s", path, p.out)
		}
	})
	livetest.Eventually(t, path+" listens at "+addr, func() bool {
		select {
		case <-p.done:
			t.Fatalf("%s ended:\n%s", path, p.out)
		default:
		}
		conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(t.Context(), "tcp", addr)
		if err != nil {
			return false
		}
		_ = conn.(io.Closer).Close()
		return true
	})
	return p
}

// kill ends the server at once, as a crash does, and waits until it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.done
}
