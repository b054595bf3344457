package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/ticker"
)

// Bounds of the cache of pictures.
const (
	maxCached      = 256
	maxCachedBytes = 32 << 20
	maxDrawing     = 64 // pictures that are drawn or wait for it
	minFresh       = 250 * time.Millisecond
	maxFresh       = 10 * time.Second
)

// errStopping is why a picture was not drawn that was asked for too late.
var errStopping = errors.New("shutting down; come back in a moment")

// errTooManyPictures says that the queue for drawing is full.
var errTooManyPictures = errors.New("too many pictures wait to be drawn; try again in a moment")

// pictureKey is everything that a picture depends on, time aside.
type pictureKey struct {
	spec   *plotting.Spec // a reloaded chart has another
	view   plotting.View
	format string // "svg" or "png"
	theme  plotting.Theme
	scale  float64
}

// pictures draws and keeps pictures: asked a thousand times within a chart's
// refresh, it draws once.
type pictures struct {
	newRenderer func(*plotting.Spec) ticker.Renderer
	metrics     *metrics
	slots       chan struct{} // one for each picture that may be drawn at once
	quit        chan struct{} // closed by stop

	wg      sync.WaitGroup
	mu      sync.Mutex
	entries map[pictureKey]*picture
	drawing int
	stopped bool
}

// picture is one entry of the cache. asset and err are set before done is
// closed and not changed afterwards; used belongs to the cache.
type picture struct {
	done  chan struct{}
	asset *asset
	err   error
	until time.Time // set when done
	used  time.Time
}

func newPictures(atOnce int, newRenderer func(*plotting.Spec) ticker.Renderer, m *metrics) *pictures {
	return &pictures{
		newRenderer: newRenderer, metrics: m,
		slots: make(chan struct{}, max(atOnce, 1)), quit: make(chan struct{}), entries: make(map[pictureKey]*picture),
	}
}

// get returns a picture that is at most one refresh old.
func (p *pictures) get(ctx context.Context, k pictureKey) (*asset, error) {
	now := time.Now()
	p.mu.Lock()
	if p.stopped {
		p.mu.Unlock()
		return nil, errStopping
	}
	e := p.entries[k]
	from := "cache"
	if e == nil || !e.until.IsZero() && now.After(e.until) {
		if p.drawing >= maxDrawing {
			p.mu.Unlock()
			return nil, errTooManyPictures
		}
		from = "drawn"
		e = &picture{done: make(chan struct{})}
		p.entries[k] = e
		p.drawing++
		// Whoever asked first may hang up; the others still want the picture.
		p.wg.Go(func() { p.draw(k, e) })
	}
	e.used = now
	p.mu.Unlock()
	select {
	case <-e.done:
		if e.err == nil {
			p.metrics.pictures.WithLabelValues(k.format, from).Inc()
		}
		return e.asset, e.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// has reports whether a picture need not be drawn.
func (p *pictures) has(k pictureKey) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.entries[k]
	return e != nil && (e.until.IsZero() || !time.Now().After(e.until))
}

// draw fills an entry in.
func (p *pictures) draw(k pictureKey, e *picture) {
	p.slots <- struct{}{}
	start := time.Now()
	select {
	case <-p.quit:
		e.err = errStopping
	default:
		e.asset, e.err = p.paint(k, start)
		p.metrics.pictureSeconds.Observe(time.Since(start).Seconds())
	}
	<-p.slots
	p.mu.Lock()
	p.drawing--
	e.until = start.Add(min(max(k.view.Refresh.Std(), minFresh), maxFresh))
	p.evict()
	p.mu.Unlock()
	close(e.done)
}

// paint draws and encodes one picture. A panic costs that picture alone.
func (p *pictures) paint(k pictureKey, now time.Time) (a *asset, err error) {
	defer func() {
		if v := recover(); v != nil {
			p.metrics.panics.Inc()
			a, err = nil, fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	r := p.newRenderer(k.spec)
	defer ticker.Release(r)
	f, err := r.Render(k.view, now.UnixMilli())
	if err != nil {
		return nil, err
	}
	return encode(f, k)
}

// evict throws out what is stale, and then what was not asked for longest,
// until the cache is within its bounds. p.mu is held.
func (p *pictures) evict() {
	now, bytes := time.Now(), 0
	for k, e := range p.entries {
		switch {
		case e.until.IsZero():
		case now.After(e.until):
			delete(p.entries, k)
		default:
			bytes += e.size()
		}
	}
	for len(p.entries) > maxCached || bytes > maxCachedBytes {
		var oldest pictureKey
		var found *picture
		for k, e := range p.entries {
			if !e.until.IsZero() && (found == nil || e.used.Before(found.used)) {
				oldest, found = k, e
			}
		}
		if found == nil {
			return
		}
		bytes -= found.size()
		delete(p.entries, oldest)
	}
}

func (e *picture) size() int {
	if e.asset == nil {
		return 0
	}
	return len(e.asset.body) + len(e.asset.zipped)
}

// stop gives up the pictures that wait, takes no more, and returns when those
// that are being drawn are done. A second call only waits.
func (p *pictures) stop() {
	p.mu.Lock()
	if !p.stopped {
		p.stopped = true
		close(p.quit)
	}
	p.mu.Unlock()
	p.wg.Wait()
}

// encode turns a frame into the bytes of a picture.
func encode(f *plotting.Frame, k pictureKey) (*asset, error) {
	if k.format == "svg" {
		if k.theme != "" {
			f = f.In(k.theme)
		}
		return newAsset(f.AppendSVG(nil), "image/svg+xml"), nil
	}
	var buf bytes.Buffer
	theme := k.theme
	if theme == "" {
		theme = plotting.Light // a PNG cannot ask the browser
	}
	if err := plotting.PNG(&buf, f, theme, k.scale); err != nil {
		return nil, err
	}
	return newAsset(buf.Bytes(), "image/png"), nil
}
