package failure

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chartd/chartd/internal/livetest"
)

// process is a program under test, which answers lines with lines.
type process struct {
	t     testing.TB
	cmd   *exec.Cmd
	in    io.WriteCloser
	said  chan string
	logs  livetest.Log
	ended chan struct{}
	err   error // when it has ended
	fails bool  // it is meant to end with an error
}

// self is this program in a role of its own.
func self(role, arg string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), envRole+"="+role, envArg+"="+arg)
	return cmd
}

// launch starts a process, which is stopped when the test ends.
func launch(t testing.TB, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{t: t, cmd: cmd, said: make(chan string, 256), ended: make(chan struct{})}
	if cmd.Stderr == nil {
		cmd.Stderr = &p.logs
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if p.in, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { // stop waits for it
		defer close(p.ended)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			p.said <- lines.Text()
		}
		p.err = cmd.Wait()
	}()
	t.Cleanup(func() {
		p.signal(syscall.SIGCONT)
		p.stop()
		if p.err != nil && !p.fails {
			log := p.logs.String()
			t.Errorf("the process ended with %v\n%s", p.err, log[max(0, len(log)-4000):])
		}
	})
	return p
}

func (p *process) signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) } // it may have ended

// stop asks the process to end, which has to be within the ten seconds that a
// supervisor has patience for.
func (p *process) stop() {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	late := time.NewTimer(10 * time.Second)
	defer late.Stop()
	for {
		select {
		case <-p.said:
		case <-p.ended:
			return
		case <-late.C:
			p.t.Error("it does not stop within ten seconds")
			p.signal(syscall.SIGKILL)
		}
	}
}

// line returns the rest of the next line that begins with this.
func (p *process) line(prefix string) string {
	p.t.Helper()
	late := time.After(patience)
	for {
		select {
		case l := <-p.said:
			if rest, ok := strings.CutPrefix(l, prefix); ok {
				return strings.TrimSpace(rest)
			}
		case <-p.ended:
			p.t.Fatalf("it ended with %v and did not say %q\n%s", p.err, prefix, p.logs.String())
		case <-late:
			p.t.Fatalf("it does not say %q", prefix)
		}
	}
}

// ask says a line and returns the rest of the answer, which begins with its first
// word.
func (p *process) ask(line string) string {
	p.t.Helper()
	if _, err := io.WriteString(p.in, line+"\n"); err != nil {
		p.t.Fatal(err)
	}
	word, _, _ := strings.Cut(line, " ")
	return p.line(word + " ")
}
