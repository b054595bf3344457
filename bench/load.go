package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/daemon"
	"github.com/chartd/chartd/pkg/store"
)

// The load: every view has series of its own, and every view is watched.
const (
	loadViews = 2_000
	loadSlice = 20 // appends are spread over the second
)

// loadConfig is a daemon with one chart that every host has a view of.
const loadConfig = `
listen: "127.0.0.1:0"
sources: {}
store: {max_age: 1h, max_samples: 2000}
session: {max_views: 2000, max_subscriptions: 64}
charts:
  load:
    title: $host
    refresh: 1s
    window: 1000s
    timezone: UTC
    y: {unit: percent}
    vars: {host: host0}
    series:
      - {metric: load, labels: {host: $host}, name: "{core}"}
`

// loadStat is what a daemon under load has used and done since its start.
type loadStat struct {
	URL string  `json:"url"`
	US  float64 `json:"us"` // CPU time
	// Ticks are those that ran, Late those that came too late, Missed those
	// whose callback was skipped.
	Ticks  float64 `json:"ticks"`
	Late   float64 `json:"late"`
	Missed float64 `json:"missed"`
}

// serveLoad is the worker with the daemon: "stat" answers with a loadStat.
func serveLoad(in io.Reader, out io.Writer) error {
	cfg, err := daemon.Parse(loadConfig)
	if err != nil {
		return err
	}
	d, err := daemon.New(cfg, daemon.WithLogger(zap.NewNop()))
	if err != nil {
		return err
	}
	feeder := newLoadFeed(d.Store())
	if err := feeder.history(time.Now().UnixMilli()); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	failed := make(chan error, 2)
	go func() { failed <- d.Run(ctx) }()
	go func() { failed <- feeder.run(ctx) }()
	select {
	case <-d.Ready():
	case err := <-failed:
		cancel()
		return err
	}
	err = converse(in, out, func(string, string) (any, error) { return loadStats(ctx, d) })
	cancel()
	for range cap(failed) {
		if ended := <-failed; err == nil {
			err = ended
		}
	}
	return err
}

// loadStats reads the daemon's own metrics.
func loadStats(ctx context.Context, d *daemon.Daemon) (loadStat, error) {
	w := httptest.NewRecorder()
	used := cpuTime()
	d.Handler().ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/metrics", nil))
	s := loadStat{URL: d.URL(), US: micros(used)}
	lines := bufio.NewScanner(w.Body)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		into := map[string]*float64{
			`chartd_ticks_total{chart="load"}`:                       &s.Ticks,
			`chartd_skipped_ticks_total{chart="load",reason="late"}`: &s.Late,
			`chartd_skipped_ticks_total{chart="load",reason="busy"}`: &s.Missed,
		}[name]
		if into == nil {
			continue
		}
		var err error
		if *into, err = strconv.ParseFloat(value, 64); err != nil {
			return s, err
		}
	}
	return s, lines.Err()
}

// loadFeed appends one sample a second to each series.
type loadFeed struct {
	store  *store.Store
	labels [][series]store.Labels // by host
	n      []int64                // by host: the number of the next sample
}

func newLoadFeed(s *store.Store) *loadFeed {
	f := &loadFeed{store: s, n: make([]int64, loadViews)}
	for host := range loadViews {
		var ls [series]store.Labels
		for s, name := range names {
			ls[s] = store.LabelsOf(map[string]string{"host": "host" + strconv.Itoa(host), "core": name})
		}
		f.labels = append(f.labels, ls)
		f.n[host] = noiseStart(host)
	}
	return f
}

// noiseStart lets hosts differ.
func noiseStart(host int) int64 { return int64(noise(uint64(host)) % 1_000_000) }

// history fills a window for every host.
func (f *loadFeed) history(now int64) error {
	for host := range loadViews {
		for i := range int64(points) {
			if err := f.add(host, now-(points-i)*step); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *loadFeed) add(host int, t int64) error {
	for s, ls := range f.labels[host] {
		if err := f.store.Append("load", ls, t, sample(f.n[host], s)); err != nil {
			return fmt.Errorf("append: %w", err)
		}
	}
	f.n[host]++
	return nil
}

// run appends until ctx ends, a slice of the hosts at a time.
func (f *loadFeed) run(ctx context.Context) error {
	tick := time.NewTicker(time.Second / loadSlice)
	defer tick.Stop()
	const hosts = loadViews / loadSlice
	for slice := 0; ; slice = (slice + 1) % loadSlice {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			for host := slice * hosts; host < (slice+1)*hosts; host++ {
				if err := f.add(host, now.UnixMilli()); err != nil {
					return err
				}
			}
		}
	}
}
