package figures

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strings"
)

// Machine says in a line what a run was made on.
func Machine() string {
	model := runtime.GOARCH
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range bytes.Lines(b) {
			if name, value, ok := strings.Cut(string(line), ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%s, %d cores, %s/%s, %s", model, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
}

// Company says how busy the machine was, this program included: what others do
// at the same time slows everybody down.
func Company() string {
	b, err := os.ReadFile("/proc/loadavg")
	if fields := strings.Fields(string(b)); err == nil && len(fields) > 1 {
		return fmt.Sprintf("with %s programs running on average", fields[1])
	}
	return "nobody knows how busy the machine was"
}
