package docs_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/daemon"
	"github.com/chartd/chartd/pkg/handler"
	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/server"
	"github.com/chartd/chartd/pkg/session"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/store"
	"github.com/chartd/chartd/pkg/ticker"
)

var (
	descPattern = regexp.MustCompile(`^Desc\{fqName: "([^"]+)", help: ("(?:[^"\\]|\\.)*"),.* variableLabels: \{(.*)\}\}$`)
	helpPattern = regexp.MustCompile(`(?m)^# HELP (chartd_\S+) (.*)$`)
)

// TestMetrics holds README's table to what is registered.
func TestMetrics(t *testing.T) {
	rows := map[string]string{}
	row := func(name, labels, help string) {
		rows[name] = fmt.Sprintf("| `%s` | %s | %s |", name, labels, help)
	}
	// What a daemon serves before anything happened lacks what has labels and was not counted yet.
	for _, m := range helpPattern.FindAllStringSubmatch(scrape(t), -1) {
		row(m[1], "", m[2])
	}
	for _, m := range described(t) {
		if strings.HasPrefix(m[1], "chartd_") {
			help, err := strconv.Unquote(m[2])
			if err != nil {
				t.Fatalf("%s: %v", m[1], err)
			}
			row(m[1], strings.ReplaceAll(m[3], ",", ", "), help)
		}
	}
	if len(rows) < 20 {
		t.Fatalf("found only %d metrics", len(rows))
	}
	names := make([]string, 0, len(rows))
	for name := range rows {
		names = append(names, name)
	}
	slices.Sort(names)
	var b strings.Builder
	b.WriteString("| metric | labels | meaning |\n| --- | --- | --- |\n")
	for _, name := range names {
		b.WriteString(rows[name] + "\n")
	}
	section(t, "metrics", strings.TrimSpace(b.String()))
}

// described returns what the parts of a daemon register.
func described(t *testing.T) [][]string {
	t.Helper()
	reg := prometheus.NewRegistry()
	log := zap.NewNop()
	st := store.New(store.DefaultConfig(), reg)
	sources := source.NewManager(st, log, reg)
	renderer := func(spec *plotting.Spec) ticker.Renderer { return plotting.NewLive(spec, st) }
	hub, err := session.NewHub(session.DefaultConfig(), session.Deps{Appender: st, NewRenderer: renderer, Log: log, Registerer: reg, Server: "chartd/test"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := hub.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}()
	if _, err := server.New(server.DefaultConfig(), server.Deps{Hub: hub, Sources: sources, NewRenderer: renderer, Registry: reg, Log: log, Version: "chartd/test"}); err != nil {
		t.Fatal(err)
	}
	rows, err := handler.NewEngine(handler.Deps{Log: log, Registerer: reg, Querier: st})
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	descs := make(chan *prometheus.Desc)
	go func() {
		defer close(descs)
		reg.Describe(descs)
	}()
	var found [][]string
	for d := range descs {
		m := descPattern.FindStringSubmatch(d.String())
		if m == nil {
			t.Errorf("cannot read %s", d)
			continue
		}
		found = append(found, m)
	}
	return found
}

// scrape returns /metrics of a running daemon.
func scrape(t *testing.T) string {
	t.Helper()
	cfg, err := daemon.Load("")
	if err != nil {
		t.Fatal(err)
	}
	d, err := daemon.New(cfg.WithListen("127.0.0.1:0"), daemon.WithLogger(zap.NewNop()))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	defer func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	}()
	select {
	case <-d.Ready():
	case err := <-done:
		done <- err
		t.Fatalf("Run: %v", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.URL()+"metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
