package main

import (
	"fmt"
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/store"
	"github.com/chartd/chartd/pkg/wire"
)

// The modes of a chartd row.
const (
	modeTick = "tick" // what is sent while somebody watches: a patch, or at times a full
	modeFull = "full" // the whole frame, of a view that is being watched
	modeOpen = "open" // the whole frame, of a view that nobody has watched before
)

// chartd draws as the daemon's loops do: a store that samples are appended to,
// a Live that renders a view of it, a Stream that finds and encodes what
// changed.
type chartd struct {
	data, twin *feed
	spec       *plotting.Spec
	view       plotting.View
	live       *plotting.Live
	stream     *wire.Stream
	held       *plotting.Frame // by the stream
	last       *plotting.Frame
}

// feed is a store and where its data ends.
type feed struct {
	store *store.Store
	hosts [series]store.Labels
	i     int64 // number of the next sample
	step  int64 // ms
}

// newFeed returns a store in which each series has n samples, step ms apart.
func newFeed(n int, step int64) (*feed, error) {
	cfg := store.DefaultConfig()
	cfg.MaxAge = quantity.Duration(3650 * 24 * time.Hour) // the data are not of today
	cfg.MaxSamples = n + 100_000
	cfg.MaxTotal = math.MaxInt32
	f := &feed{store: store.New(cfg, prometheus.NewRegistry()), step: step}
	for s, name := range names {
		f.hosts[s] = store.LabelsOf(map[string]string{"host": name})
	}
	return f, f.add(n)
}

// add appends n samples to each series.
func (f *feed) add(n int) error {
	for range n {
		t := f.now() + f.step
		for s, host := range f.hosts {
			if err := f.store.Append("load", host, t, sample(f.i, s)); err != nil {
				return fmt.Errorf("append: %w", err)
			}
		}
		f.i++
	}
	return nil
}

// now is the time of the newest sample.
func (f *feed) now() int64 { return start + (f.i-1)*f.step }

// newChartd returns the row with n samples of each series in the window.
func newChartd(n int) (*chartd, error) {
	ms := int64(step)
	if n > 100_000 {
		ms = 1 // so that the window stays within hours
	}
	c := &chartd{}
	var err error
	if c.data, err = newFeed(n, ms); err != nil {
		return nil, err
	}
	if c.twin, err = newFeed(points, ms); err != nil {
		return nil, err
	}
	spec := newSpec(quantity.Duration(int64(n) * ms * int64(time.Millisecond)))
	c.spec, c.view = &spec, spec.View("load")
	c.live, c.stream = plotting.NewLive(c.spec, c.data.store), wire.NewStream(c.view.ID())
	return c, nil
}

// newSpec is the chart that every row draws.
func newSpec(window quantity.Duration) plotting.Spec {
	spec := plotting.DefaultSpec()
	spec.Title, spec.Timezone = title, "UTC"
	spec.Size = [2]int{width, height}
	spec.Window = window
	spec.Y.Unit = plotting.Percent
	spec.Series = []plotting.SeriesSpec{{Metric: "load", Name: "{host}"}}
	return spec
}

func (c *chartd) picture() []byte { return c.last.AppendSVG(nil) }

// run counts what a refresh costs without the samples' own way into the store:
// that is measured on a twin of the store, and taken off.
func (c *chartd) run(mode string, n int) (reply, error) {
	refresh := map[string]func() (*wire.Message, error){modeTick: c.tick, modeFull: c.full, modeOpen: c.open}[mode]
	if refresh == nil {
		return reply{}, fmt.Errorf("unknown mode %q", mode)
	}
	if c.held != nil { // revisions are as long as they are after an hour or so
		c.stream = wire.NewStream(c.view.ID())
		c.stream.Next(c.held)
	}
	sizes := make([]int, 0, n)
	m := startMeter()
	for range n {
		if err := c.twin.add(1); err != nil {
			return reply{}, err
		}
	}
	appends := m.stop()
	m = startMeter()
	for range n {
		if err := c.data.add(1); err != nil {
			return reply{}, err
		}
		message, err := refresh()
		if err != nil {
			return reply{}, err
		}
		size := 0
		if message != nil {
			size = message.Len()
		}
		sizes = append(sizes, size)
	}
	used := m.stop()
	return reply{
		US: micros(used.cpu - appends.cpu), Sizes: sizes,
		Mallocs: sub(used.mallocs, appends.mallocs), Alloc: sub(used.alloc, appends.alloc),
	}, nil
}

// tick returns what the view's watchers are sent; nil if nothing changed.
func (c *chartd) tick() (*wire.Message, error) {
	f, err := c.live.Render(c.view, c.data.now())
	if err != nil {
		return nil, err
	}
	c.last, c.held = f, f
	u := c.stream.Next(f)
	switch {
	case u == nil:
		return nil, nil
	case u.Patch() != nil:
		return u.Patch(), nil
	}
	return u.Full(), nil
}

// full returns the whole frame, as a new watcher of the view is sent.
func (c *chartd) full() (*wire.Message, error) {
	f, err := c.live.Render(c.view, c.data.now())
	if err != nil {
		return nil, err
	}
	c.last, c.held = f, f
	return wire.NewStream(c.view.ID()).Next(f).Full(), nil
}

// open returns the whole frame of a view that was never drawn.
func (c *chartd) open() (*wire.Message, error) {
	f, err := plotting.NewLive(c.spec, c.data.store).Render(c.view, c.data.now())
	if err != nil {
		return nil, err
	}
	c.last = f
	return wire.NewStream(c.view.ID()).Next(f).Full(), nil
}

// sub is a-b, 0 if what a store allocates now and then fell into b.
func sub(a, b uint64) uint64 { return a - min(a, b) }
