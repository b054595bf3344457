package file_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap/zaptest"

	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/file"
	"github.com/chartd/chartd/pkg/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig follows a file and keeps what comes of it.
type rig struct {
	t    *testing.T
	path string
	src  source.Source
	stop func() error

	mu       sync.Mutex
	seen     map[string]int // "metric{labels}=value", how often
	order    []float64
	rejected []string
}

// Append implements store.Appender.
func (r *rig) Append(metric string, labels store.Labels, _ int64, v float64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	name := metric
	if len(labels) > 0 {
		name += labels.String()
	}
	r.seen[fmt.Sprintf("%s=%v", name, v)]++
	r.order = append(r.order, v)
	return nil
}

func newRig(t *testing.T, path string, change func(*file.Config)) *rig {
	t.Helper()
	cfg := file.DefaultConfig()
	cfg.Path, cfg.Poll = path, quantity.Duration(50*time.Millisecond)
	if change != nil {
		change(cfg)
	}
	if ps := cfg.Validate(); len(ps) > 0 {
		t.Fatal(ps)
	}
	r := &rig{t: t, path: path, seen: map[string]int{}}
	var err error
	r.src, err = cfg.New(source.Deps{Name: "x", Logger: zaptest.NewLogger(t), Skip: func(int) {}, Reject: func(_ int, err error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.rejected = append(r.rejected, err.Error())
	}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// start runs the source until stop, or the test's end.
func (r *rig) start() {
	r.t.Helper()
	ctx, cancel := context.WithCancel(r.t.Context())
	done := make(chan error, 1)
	go func() { done <- r.src.Run(ctx, r) }()
	r.stop = sync.OnceValue(func() error {
		cancel()
		return <-done
	})
	r.t.Cleanup(func() { _ = r.stop() })
}

// holds waits until the sum of all samples is n, and each came once.
func (r *rig) holds(n int) {
	r.t.Helper()
	r.until(func() bool { return len(r.order) >= n })
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.order) != n {
		r.t.Fatalf("%d samples, want %d: %v", len(r.order), n, r.order)
	}
	for i, v := range r.order {
		if int(v) != i {
			r.t.Fatalf("sample %d is %v: %v", i, v, r.order)
		}
	}
}

func (r *rig) until(holds func() bool) {
	r.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(20 * time.Second)
	for {
		r.mu.Lock()
		ok := holds()
		r.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			r.mu.Lock()
			defer r.mu.Unlock()
			r.t.Fatalf("it never happens; seen %v, rejected %q", r.seen, r.rejected)
		}
	}
}

// write appends to the file, which it makes if need be.
func (r *rig) write(text string) {
	r.t.Helper()
	f, err := os.OpenFile(r.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.WriteString(text)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

// numbers returns lines with the numbers from a to before b.
func numbers(a, b int) string {
	var s strings.Builder
	for i := range b - a {
		fmt.Fprintf(&s, "%d,x\n", a+i)
	}
	return s.String()
}

func TestFollow(t *testing.T) {
	for _, from := range []file.From{file.Start, file.End} {
		t.Run(string(from), func(t *testing.T) {
			r := newRig(t, filepath.Join(t.TempDir(), "a.csv"), func(c *file.Config) { c.From = from })
			r.write("n,what\n100,x\n")
			if from == file.Start {
				if err := os.WriteFile(r.path, []byte("n,what\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			r.start()
			if from == file.End {
				// A file that is followed from its end still has a header. That it is
				// followed shows when something that is written comes.
				r.until(func() bool {
					r.write("7,probe\n")
					return len(r.order) > 0
				})
				r.write("8,last\n")
				r.until(func() bool { return r.order[len(r.order)-1] == 8 })
				r.mu.Lock()
				r.order = nil
				r.mu.Unlock()
			}
			r.write("0,x\n1,")
			r.write("x\n2,x")
			r.holds(2) // the third line is not whole
			r.write("\n")
			r.holds(3)
			if r.seen[`x_n{what="x"}=2`] != 1 {
				t.Errorf("seen %v", r.seen)
			}
		})
	}
}

// TestReplaced moves the file away and cuts it, in every order.
func TestReplaced(t *testing.T) {
	r := newRig(t, filepath.Join(t.TempDir(), "a.csv"), func(c *file.Config) { c.From = file.Start })
	r.write("n,what\n" + numbers(0, 10))
	r.start()
	r.holds(10)
	move := func() {
		if err := os.Rename(r.path, r.path+".1"); err != nil {
			t.Fatal(err)
		}
	}
	// Moved away and made anew, with a header, while the last line is not whole.
	r.write("10,x")
	move()
	r.write("n,what\n" + numbers(11, 20))
	r.holds(20)
	// Moved away; what is still written there counts.
	late, err := os.OpenFile(r.path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	move()
	if _, err := late.WriteString(numbers(20, 25)); err != nil {
		t.Fatal(err)
	}
	if err := late.Close(); err != nil {
		t.Fatal(err)
	}
	r.holds(25)
	r.write(numbers(25, 30))
	r.holds(30)
	// Cut, and longer than before when it is looked at.
	if err := os.WriteFile(r.path, []byte(numbers(30, 80)), 0o600); err != nil {
		t.Fatal(err)
	}
	r.holds(80)
	// Cut and silent.
	if err := os.Truncate(r.path, 0); err != nil {
		t.Fatal(err)
	}
	r.write(numbers(80, 82))
	r.holds(82)
	// Removed.
	if err := os.Remove(r.path); err != nil {
		t.Fatal(err)
	}
	r.write(numbers(82, 90))
	r.holds(90)
	if len(r.rejected) > 0 {
		t.Errorf("rejected: %q", r.rejected)
	}
	// A source that is run again goes on where it was.
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	r.write(numbers(90, 95))
	r.start()
	r.holds(95)
}

// TestMissing starts without the file, which comes later.
func TestMissing(t *testing.T) {
	r := newRig(t, filepath.Join(t.TempDir(), "a.csv"), nil)
	if err := r.src.Run(t.Context(), r); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), r.path) {
		t.Errorf("a missing file gives %v", err)
	}
	r.start()
	r.write("n,what\n" + numbers(0, 3)) // all of it is new, though from is end
	r.holds(3)

	dir := newRig(t, t.TempDir(), nil)
	if err := dir.src.Run(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "want a file") {
		t.Errorf("a directory gives %v", err)
	}
}

// TestPipe holds that a source does not wait for a writer of a named pipe, where
// nothing could end it.
func TestPipe(t *testing.T) {
	mkfifo, err := exec.LookPath("mkfifo")
	if err != nil {
		t.Skip("there are no named pipes here: ", err)
	}
	path := filepath.Join(t.TempDir(), "pipe")
	if out, err := exec.CommandContext(t.Context(), mkfifo, path).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	r := newRig(t, path, nil)
	if err := r.src.Run(t.Context(), r); err == nil || !strings.Contains(err.Error(), "is a pipe or a device; want a file, or a source of type exec with [cat, ") {
		t.Errorf("a pipe gives %v", err)
	}
}

// TestCutUnread has a file cut and filled again of which only the end was looked
// for, as its new lines were to be read.
func TestCutUnread(t *testing.T) {
	r := newRig(t, filepath.Join(t.TempDir(), "a.csv"), nil)
	r.write("n,what\n" + numbers(1000, 1020))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.src.Run(ended, r); err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if err := os.Truncate(r.path, 0); err != nil {
		t.Fatal(err)
	}
	r.write("n,what\n" + numbers(0, 90))
	r.start()
	r.holds(90)
}

func TestGarbage(t *testing.T) {
	r := newRig(t, filepath.Join(t.TempDir(), "a.csv"), func(c *file.Config) { c.From, c.Format = file.Start, "csv" })
	r.write("n,m\n0,1\n\x00\xff\xfe\n1,nonsense\n2,3,4\n" + strings.Repeat("9", 200_000) + "\n2,3\n")
	r.start()
	r.until(func() bool { return r.seen["x_m=3"] == 1 && r.seen["x_n=2"] == 1 })
	if r.seen["x_n=0"] != 1 || len(r.rejected) != 4 || r.seen["x_n=1"] != 0 {
		t.Errorf("seen %v, rejected %q", r.seen, r.rejected)
	}
	if want := `a.csv, before byte 23: column "m": "nonsense" is no number`; r.rejected[1] != want {
		t.Errorf("got %q, want %q", r.rejected[1], want)
	}
}

// TestLogrotate lets Debian's logrotate rotate the file, each way it has.
func TestLogrotate(t *testing.T) {
	logrotate, err := exec.LookPath("logrotate")
	if err != nil {
		if logrotate = "/usr/sbin/logrotate"; !executable(logrotate) {
			t.Skip("logrotate is not installed")
		}
	}
	for _, way := range []string{"create 0600", "copytruncate", "create 0600\ncompress", "nocreate\nmissingok"} {
		t.Run(strings.ReplaceAll(way, "\n", "+"), func(t *testing.T) {
			dir := t.TempDir()
			if err := os.Chmod(dir, 0o700); err != nil { // logrotate wants a directory of our own
				t.Fatal(err)
			}
			r := newRig(t, filepath.Join(dir, "a.log"), func(c *file.Config) { c.From, c.Match = file.Start, `^n=(\d+)` })
			conf := filepath.Join(dir, "conf")
			text := fmt.Sprintf("%s {\nrotate 3\n%s\n}\n", r.path, way)
			if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			lines := func(a, b int) string {
				var s strings.Builder
				for i := range b - a {
					fmt.Fprintf(&s, "n=%d and more\nnothing\n", a+i)
				}
				return s.String()
			}
			r.write(lines(0, 10))
			r.start()
			for round := range 4 {
				r.holds(10 * (round + 1))
				out, err := exec.CommandContext(t.Context(), logrotate, "-f", "-s", filepath.Join(dir, "state"), conf).CombinedOutput()
				if err != nil {
					t.Fatalf("logrotate: %v\n%s", err, out)
				}
				r.write(lines(10*(round+1), 10*(round+2)))
			}
			r.holds(50)
			if _, err := os.Stat(r.path + ".3"); err != nil && !strings.Contains(way, "compress") {
				t.Errorf("nothing was rotated: %v", err)
			}
		})
	}
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode()&0o111 != 0
}

func TestValidate(t *testing.T) {
	cfg := file.DefaultConfig()
	cfg.From, cfg.Poll, cfg.Format = "middle", 1, "xml"
	var paths []string
	for _, p := range cfg.Validate() {
		paths = append(paths, p.Path)
	}
	if got := strings.Join(paths, " "); got != "format path from poll" {
		t.Errorf("problems with %s", got)
	}
}
