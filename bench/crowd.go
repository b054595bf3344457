package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/wire"
)

// How the load is measured.
const (
	perConnection = 40               // views that one client watches
	loadTime      = 20 * time.Second // of measuring
	loadSettle    = 3 * time.Second  // between the last view's first frame and that
)

// loadResult is what the load has cost.
type loadResult struct {
	share  float64 // of one core
	ticks  float64 // a second
	late   float64
	bytes  float64 // a second
	opened time.Duration
}

// measureLoad starts a daemon in a process of its own, watches all its views
// over real sockets, and asks it what that costs.
func measureLoad(ctx context.Context) (*loadResult, error) {
	p, err := launch(ctx, self("load")...)
	if err != nil {
		return nil, err
	}
	r, err := watchLoad(ctx, p)
	return r, errors.Join(err, p.stop())
}

func watchLoad(ctx context.Context, p *process) (*loadResult, error) {
	var before, after loadStat
	if err := p.ask(&before, "stat"); err != nil {
		return nil, err
	}
	began := time.Now()
	c := crowd{url: "ws" + strings.TrimPrefix(strings.TrimSuffix(before.URL, "/"), "http") + wire.Path, all: make(chan struct{})}
	defer c.leave()
	for first := 0; first < loadViews; first += perConnection {
		if err := c.join(ctx, first); err != nil {
			return nil, err
		}
	}
	r := &loadResult{}
	select {
	case <-c.all:
		r.opened = time.Since(began)
	case <-time.After(time.Minute):
		return nil, errors.Join(fmt.Errorf("after a minute %d of %d views have been drawn", c.views.Load(), loadViews), c.failure())
	}
	if err := pause(ctx, loadSettle); err != nil {
		return nil, err
	}
	if err := p.ask(&before, "stat"); err != nil {
		return nil, err
	}
	began = time.Now()
	read := c.bytes.Load()
	if err := pause(ctx, loadTime); err != nil {
		return nil, err
	}
	read = c.bytes.Load() - read
	if err := p.ask(&after, "stat"); err != nil {
		return nil, err
	}
	seconds := time.Since(began).Seconds()
	r.share = (after.US - before.US) / 1e6 / seconds
	r.ticks = (after.Ticks - before.Ticks) / seconds
	r.late = after.Late - before.Late + after.Missed - before.Missed
	r.bytes = float64(read) / seconds
	return r, c.failure()
}

// crowd is the clients that watch.
type crowd struct {
	url     string
	readers sync.WaitGroup
	bytes   atomic.Int64
	views   atomic.Int64  // that have been seen
	all     chan struct{} // closed when every view has been seen
	left    atomic.Bool

	mu    sync.Mutex
	conns []*websocket.Conn
	err   error
}

// join connects one client that watches the views from first on.
func (c *crowd) join(ctx context.Context, first int) error {
	d := websocket.Dialer{Subprotocols: []string{wire.Subprotocol}, HandshakeTimeout: 10 * time.Second}
	conn, resp, err := d.DialContext(ctx, c.url, nil)
	if err != nil {
		return err
	}
	_ = resp.Body.Close() // gorilla has put a buffer in its place
	c.conns = append(c.conns, conn)
	c.readers.Go(func() { c.read(conn) })
	messages := []wire.ClientMessage{wire.Hello{}}
	for host := first; host < first+perConnection; host++ {
		messages = append(messages, wire.Sub{
			ID: wire.ID(strconv.Itoa(host + 1)), Chart: "load",
			View: plotting.Change{Vars: map[string]string{"host": "host" + strconv.Itoa(host)}},
		})
	}
	for _, m := range messages {
		if err := conn.WriteMessage(websocket.TextMessage, m.AppendJSON(nil)); err != nil {
			return err
		}
	}
	return nil
}

// read takes what comes and counts it.
func (c *crowd) read(conn *websocket.Conn) {
	seen := map[string]bool{} // views
	for {
		_, b, err := conn.ReadMessage()
		if err != nil {
			c.fail(err)
			return
		}
		c.bytes.Add(int64(len(b)))
		if full, ok := bytes.CutPrefix(b, []byte(`{"t":"full","v":"`)); ok {
			v, _, _ := bytes.Cut(full, []byte(`"`))
			if !seen[string(v)] && c.views.Add(1) == loadViews {
				close(c.all)
			}
			seen[string(v)] = true
		} else if bytes.HasPrefix(bytes.TrimPrefix(b, []byte("[")), []byte(`{"t":"error",`)) {
			c.fail(fmt.Errorf("the daemon says %s", b))
		}
	}
}

func (c *crowd) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil && !c.left.Load() {
		c.err = err
	}
}

func (c *crowd) failure() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// leave cuts all connections and waits for their readers.
func (c *crowd) leave() {
	c.left.Store(true)
	for _, conn := range c.conns {
		_ = conn.Close()
	}
	c.readers.Wait()
}

// pause waits.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
