package daemon_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/config"
	"github.com/chartd/chartd/pkg/daemon"
)

func TestLogger(t *testing.T) {
	var b bytes.Buffer
	log, level, err := daemon.NewLogger(config.Log{Level: "warn", Format: config.LogAuto}, &b)
	if err != nil {
		t.Fatal(err)
	}
	log.Info("quiet")
	log.Warn("heard", zap.Int("n", 1))
	var line struct {
		Level, Msg string
		N          int
	}
	if err := json.Unmarshal(b.Bytes(), &line); err != nil || line.Msg != "heard" || line.Level != "warn" || line.N != 1 {
		t.Errorf("no terminal, so one line of JSON: %q, %v", b.String(), err)
	}
	level.SetLevel(zap.InfoLevel)
	b.Reset()
	log.Info("now heard")
	if !strings.Contains(b.String(), "now heard") {
		t.Error("the level cannot be changed")
	}
	// A flood is thinned out.
	b.Reset()
	for range 5000 {
		log.Warn("flood")
	}
	if n := strings.Count(b.String(), "flood"); n < 100 || n > 1000 {
		t.Errorf("of 5000 equal lines %d were written", n)
	}

	b.Reset()
	log, _, err = daemon.NewLogger(config.Log{Level: "info", Format: config.LogConsole}, &b)
	if err != nil {
		t.Fatal(err)
	}
	log.Info("for people", zap.String("chart", "cpu"))
	if got := b.String(); !strings.Contains(got, "INFO\tfor people\t{\"chart\": \"cpu\"}") {
		t.Errorf("console: %q", got)
	}
	if _, _, err := daemon.NewLogger(config.Log{Level: "loud"}, &b); err == nil {
		t.Error("a level that does not exist makes no error")
	}
}
