package exec_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap/zaptest"

	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/secret"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/exec"
	"github.com/chartd/chartd/pkg/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// recorder keeps what is appended and rejected.
type recorder struct {
	mu       sync.Mutex
	samples  []string // "metric{labels}=value"
	rejected []string
}

// Append implements store.Appender.
func (r *recorder) Append(metric string, labels store.Labels, _ int64, v float64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(labels) > 0 {
		metric += labels.String()
	}
	r.samples = append(r.samples, fmt.Sprintf("%s=%v", metric, v))
	return nil
}

func (r *recorder) list() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.samples)
}

func (r *recorder) deps(t *testing.T) source.Deps {
	return source.Deps{Name: "x", Logger: zaptest.NewLogger(t), Skip: func(int) {}, Reject: func(_ int, err error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.rejected = append(r.rejected, err.Error())
	}}
}

func config(t *testing.T, change func(*exec.Config)) *exec.Config {
	t.Helper()
	cfg := exec.DefaultConfig()
	change(cfg)
	if ps := cfg.Validate(); len(ps) > 0 {
		t.Fatal(ps)
	}
	return cfg
}

// run runs a source until enough returns true, or it ends by itself.
func run(t *testing.T, r *recorder, cfg *exec.Config, enough func() bool) error {
	t.Helper()
	src, err := cfg.New(r.deps(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- src.Run(ctx, r) }()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			if ctx.Err() != nil && !enough() {
				t.Errorf("it never comes; samples %v, rejected %q", r.list(), r.rejected)
			}
			return err
		case <-tick.C:
			if enough() {
				cancel()
			}
		}
	}
}

func never() bool { return false }

// TestVmstat reads the real vmstat, which keeps printing.
func TestVmstat(t *testing.T) {
	need(t, "vmstat")
	r := &recorder{}
	cfg := config(t, func(c *exec.Config) { c.Command = []string{"vmstat", "1"} })
	if err := run(t, r, cfg, func() bool { return strings.Count(strings.Join(r.list(), " "), "x_us=") >= 2 }); err != nil {
		t.Fatal(err)
	}
	all := strings.Join(r.list(), " ")
	for _, metric := range []string{"x_r=", "x_free=", "x_cs=", "x_id=", "x_wa="} {
		if strings.Count(all, metric) != strings.Count(all, "x_us=") {
			t.Errorf("%s came another number of times: %s", metric, all)
		}
	}
	if len(r.rejected) > 0 {
		t.Errorf("rejected %q", r.rejected)
	}
}

// TestPing reads the real ping.
func TestPing(t *testing.T) {
	need(t, "ping")
	if out, err := osexec.CommandContext(t.Context(), "ping", "-c", "1", "127.0.0.1").CombinedOutput(); err != nil {
		t.Skipf("ping may not ping here: %v, %s", err, out)
	}
	r := &recorder{}
	cfg := config(t, func(c *exec.Config) {
		c.Command, c.Match, c.Metric = []string{"ping", "-i", "0.2", "127.0.0.1"}, `time=([0-9.]+)`, "rtt_ms"
	})
	if err := run(t, r, cfg, func() bool { return len(r.list()) >= 3 }); err != nil {
		t.Fatal(err)
	}
	for _, s := range r.list() {
		if v, err := strconv.ParseFloat(strings.TrimPrefix(s, "rtt_ms="), 64); err != nil || v <= 0 || v > 1000 {
			t.Errorf("%s is no time of a ping to oneself", s)
		}
	}
}

// TestIostat runs the real iostat every interval.
func TestIostat(t *testing.T) {
	need(t, "iostat")
	r := &recorder{}
	cfg := config(t, func(c *exec.Config) {
		c.Command, c.Interval = []string{"iostat"}, quantity.Duration(200*time.Millisecond)
	})
	if err := run(t, r, cfg, func() bool { return strings.Count(strings.Join(r.list(), " "), "x_percent_idle=") >= 3 }); err != nil {
		t.Fatal(err)
	}
	if len(r.rejected) > 0 {
		t.Errorf("rejected %q", r.rejected)
	}
}

func need(t *testing.T, program string) {
	t.Helper()
	if _, err := osexec.LookPath(program); err != nil {
		t.Skipf("%s is not installed", program)
	}
}

// TestErrors holds what is said of a command that fails: its name, why, and the
// last line of its standard error, but no argument and no secret.
func TestErrors(t *testing.T) {
	const password = "hunter2-x"
	tests := []struct {
		name   string
		change func(*exec.Config)
		want   string
	}{
		{"missing", func(c *exec.Config) { c.Command = []string{"/no/such/program", password} }, "program: no such file or directory"},
		{"not found", func(c *exec.Config) { c.Command = []string{"nosuchprogram"} }, "nosuchprogram: executable file not found in $PATH"},
		{"no directory", func(c *exec.Config) { c.Command, c.Dir = []string{"vmstat"}, "/no/such" }, "vmstat: no such file or directory"},
		{"fails", func(c *exec.Config) { c.Shell = "echo first >&2; echo 'wrong  key' >&2; exit 3" }, "the shell: exit status 3: wrong  key"},
		{"echoes a secret", func(c *exec.Config) {
			c.Shell, c.Env = `echo "no entry for $PASS" >&2; exit 1`, map[string]secret.Text{"PASS": password}
		}, "the shell: exit status 1: no entry for [secret]"},
		{"ends", func(c *exec.Config) { c.Shell = "echo 1" }, "the shell ended; a command that prints and ends needs an interval"},
		{"is killed", func(c *exec.Config) { c.Shell = "kill -9 $$" }, "the shell: signal: killed"},
		{"takes long", func(c *exec.Config) {
			c.Shell, c.Interval, c.Timeout = "exec sleep 30", quantity.Duration(time.Second), quantity.Duration(50*time.Millisecond)
		}, "the shell took longer than 50ms and was ended; see timeout"},
		{"prints much", func(c *exec.Config) {
			c.Shell, c.Interval, c.MaxOutput = "yes 1", quantity.Duration(time.Second), 4096
		}, "the shell prints more than max_output allows"},
		{"long complaint", func(c *exec.Config) {
			c.Shell, c.Env = `for i in $(seq 2000); do printf '%s' "$PASS" >&2; done; exit 1`, map[string]secret.Text{"PASS": password}
		}, "the shell: exit status 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := config(t, tt.change)
			err := run(t, &recorder{}, cfg, never)
			if err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			if said := fmt.Sprintf("%v %+v %#v", err, cfg.Env, cfg.Env); strings.Contains(said, password) {
				t.Errorf("the password is shown: %s", said)
			}
		})
	}
}

// TestGroup stops a command whose grandchildren ignore that their parent is
// gone: none is left.
func TestGroup(t *testing.T) {
	pids := filepath.Join(t.TempDir(), "pids")
	for _, shell := range []string{
		`sleep 1000 & echo $! >>"$PIDS"; sleep 1000 & echo $! >>"$PIDS"; echo $$ >>"$PIDS"; echo 1; wait`,
		`trap '' TERM; sleep 1000 & echo $! >>"$PIDS"; echo 1; while :; do wait; done`, // does not want to end
		`sleep 1000 & echo $! >>"$PIDS"; echo 1; exit 0`,                               // leaves somebody behind
	} {
		r := &recorder{}
		cfg := config(t, func(c *exec.Config) { c.Shell, c.Env = shell, map[string]secret.Text{"PIDS": secret.Text(pids)} })
		_ = run(t, r, cfg, func() bool { return len(r.list()) > 0 })
	}
	text, err := os.ReadFile(pids)
	if err != nil {
		t.Fatal(err)
	}
	list := strings.Fields(string(text))
	if len(list) != 5 {
		t.Fatalf("%d processes were started, want 5", len(list))
	}
	for _, p := range list {
		pid, err := strconv.Atoi(p)
		if err != nil {
			t.Fatal(err)
		}
		gone := time.Now().Add(5 * time.Second)
		for alive(pid) {
			if time.Now().After(gone) {
				t.Errorf("process %d is left", pid)
				break
			}
		}
	}
}

// alive reports whether a process runs; one that nobody has waited for does not.
func alive(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

// TestRestart lets a command die in the middle: the manager starts it again, and
// what it prints before and after comes once.
func TestRestart(t *testing.T) {
	count := filepath.Join(t.TempDir(), "count")
	cfg := config(t, func(c *exec.Config) {
		c.Shell = `n=$(cat "$COUNT" 2>/dev/null || echo 0); echo $((n+1)) >"$COUNT"; echo a; echo $((n*2)); echo garbage here; echo $((n*2+1)); [ $n -lt 1 ] && exit 1; sleep 100`
		c.Env = map[string]secret.Text{"COUNT": secret.Text(count)}
	})
	r := &recorder{}
	m := source.NewManager(r, zaptest.NewLogger(t), nil)
	if err := m.Apply(map[string]source.Config{"x": cfg}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for len(r.list()) < 4 && ctx.Err() == nil {
		<-tick.C
	}
	if st := m.Status()[0]; st.Errors != 1 || !st.Up {
		t.Errorf("status %+v", st)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if got := strings.Join(r.list(), " "); got != "x_a=0 x_a=1 x_a=2 x_a=3" {
		t.Errorf("got %s", got)
	}
}

func TestEnvironment(t *testing.T) {
	dir := t.TempDir()
	r := &recorder{}
	cfg := config(t, func(c *exec.Config) {
		c.Command = []string{"sh", "-c", `printf '{"a":%s,"b":"%s"}\n' "$N" "$PWD"; exec sleep 100`}
		c.Env, c.Dir, c.Labels = map[string]secret.Text{"N": "7"}, dir, []string{"b"}
	})
	if err := run(t, r, cfg, func() bool { return len(r.list()) > 0 }); err != nil {
		t.Fatal(err)
	}
	if got, want := r.list()[0], fmt.Sprintf("x_a{b=%q}=7", dir); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestValidate(t *testing.T) {
	for want, change := range map[string]func(*exec.Config){
		"command":          func(*exec.Config) {},
		"command[0]":       func(c *exec.Config) { c.Command = []string{""} },
		"shell":            func(c *exec.Config) { c.Command, c.Shell = []string{"a"}, "b" },
		"interval timeout": func(c *exec.Config) { c.Shell, c.Interval, c.Timeout = "a", 1, 1 },
		"max_output":       func(c *exec.Config) { c.Shell, c.MaxOutput = "a", 1 },
		"env":              func(c *exec.Config) { c.Shell, c.Env = "a", map[string]secret.Text{"A=": "b"} },
	} {
		cfg := exec.DefaultConfig()
		change(cfg)
		var paths []string
		for _, p := range cfg.Validate() {
			paths = append(paths, p.Path)
		}
		if got := strings.Join(paths, " "); got != want {
			t.Errorf("problems with %q, want %q", got, want)
		}
	}
}
