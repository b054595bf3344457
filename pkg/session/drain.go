package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chartd/chartd/pkg/wire"
)

// spread is over how long a drain closes connections at most, so that clients
// do not all come back at once.
const spread = time.Second

// Drain refuses connections from now on, sends every view's last frame, and
// closes the connections with CloseShutdown, spread over a moment, so that the
// clients do not all come back at once. It returns when all are closed, or ctx
// ends; then those that are left are closed without waiting for them.
func (h *Hub) Drain(ctx context.Context) error {
	h.mu.Lock()
	h.draining = true
	h.mu.Unlock()
	// Clients that cannot take their last frame in time are closed without it.
	err := h.pool.Flush(ctx)
	how := &wire.Close{Code: wire.CloseShutdown, Reason: "the server stops"}
	clients := h.all() // in the order of a map: none
	window := spread
	if end, ok := ctx.Deadline(); ok {
		window = min(window, time.Until(end)/3)
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for i, c := range clients {
		timer.Reset(window / time.Duration(len(clients)))
		c.end(how, true)
		if i == len(clients)-1 {
			break
		}
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	left := 0
	for _, c := range clients {
		select {
		case <-c.out.closed():
			continue
		default:
		}
		select {
		case <-c.out.closed():
		case <-ctx.Done():
			c.end(how, false)
			left++
		}
	}
	if left > 0 {
		err = errors.Join(err, fmt.Errorf("%d connections took no goodbye: %w", left, ctx.Err()))
	}
	return err
}

// Close ends all sessions and loops, and waits for every goroutine of the hub,
// or until ctx ends; then the error says what still runs.
func (h *Hub) Close(ctx context.Context) error {
	h.mu.Lock()
	h.draining = true
	h.mu.Unlock()
	how := &wire.Close{Code: wire.CloseShutdown, Reason: "the server stops"}
	for _, c := range h.all() {
		c.ops.wait(func() { c.finish(how, false) })
	}
	h.census.close()
	h.cancel()
	err := h.pool.Close(ctx)
	done := make(chan struct{})
	go func() {
		h.work.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		err = errors.Join(err, fmt.Errorf("writers or callbacks of sessions still run: %w", ctx.Err()))
	}
	h.runner.quiet.Close()
	h.quiet.Close()
	return err
}
