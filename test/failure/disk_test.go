package failure

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chartd/chartd/internal/livetest"
)

// The daemon itself writes nothing but its log. When the disk takes no more of
// that, and a configuration file that was to be saved there is cut short, empty or
// gone, the charts go on.
func TestFullDisk(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("there is no /dev/full but on Linux")
	}
	t.Parallel()
	dir := t.TempDir()
	program := filepath.Join(dir, "chartd")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "github.com/chartd/chartd/cmd/chartd").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	config := filepath.Join(dir, "etc", "chartd.yaml")
	if err := os.Mkdir(filepath.Dir(config), 0o700); err != nil {
		t.Fatal(err)
	}
	save := func(text string) {
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	good := charts + "log: {level: debug}\n"
	save(good)
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = full.Close() }()
	cmd := exec.Command(program, "--config", config) //nolint:gosec // the program was built above
	cmd.Env = append(os.Environ(), "CHARTD_LISTEN=127.0.0.1:0")
	cmd.Stderr = full
	h := &house{process: launch(t, cmd)}
	h.base = strings.TrimSuffix(h.line("chartd is live at "), "/")
	h.push()
	h.bystand()

	failures := func() float64 { return h.metric("chartd_config_reload_failures_total") }
	for _, tt := range []struct {
		name  string
		wreck func()
	}{
		{"cut short", func() { save(good[:len(good)-len("debug}\n")]) }},
		{"empty", func() { save("") }},
		{"gone", func() { _ = os.Remove(config) }},
		{"gone with its directory", func() { _ = os.RemoveAll(filepath.Dir(config)) }},
	} {
		before := failures()
		h.during(func() {
			tt.wreck()
			if tt.name == "gone with its directory" {
				return // it was gone already: nothing changes
			}
			livetest.Eventually(t, "it is noticed that the file is "+tt.name, func() bool { return failures() > before })
			if _, body := h.do(http.MethodGet, "/api/v1/charts", ""); !strings.Contains(body, `"pulse"`) {
				t.Errorf("%s: the charts are gone: %s", tt.name, body)
			}
			for range 200 { // each makes a line of the log, if it can
				if status, _ := h.do(http.MethodPost, "/api/v1/push", "nonsense"); status != http.StatusBadRequest {
					t.Errorf("answered with %d", status)
				}
			}
		})
	}
}

// push sends samples over HTTP until the test ends.
func (h *house) push() {
	quit := make(chan struct{})
	var pushing sync.WaitGroup
	pushing.Go(func() {
		tick := time.NewTicker(40 * time.Millisecond)
		defer tick.Stop()
		for n := 0; ; n++ {
			select {
			case <-quit:
				return
			case <-tick.C:
				h.do(http.MethodPost, "/api/v1/push", fmt.Sprintf(`{"metric":"pulse","v":%d}`, n%100))
			}
		}
	})
	h.t.Cleanup(func() {
		close(quit)
		pushing.Wait()
	})
}
