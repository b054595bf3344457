package session

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/wire"
)

func TestDrain(t *testing.T) {
	inBubble(t, func(w *world) {
		var pages []*page
		for range 200 {
			p := w.connect("")
			p.say(wire.Hello{}, wire.Sub{ID: "1", Chart: "cpu"})
			pages = append(pages, p)
		}
		silent := w.connect("") // has not said hello yet
		after(500 * time.Millisecond)
		stuck := pages[7]
		release := stuck.stick()
		defer release()
		for _, p := range pages {
			p.took()
		}
		time.Sleep(400 * time.Millisecond)
		ctx, cancel := context.WithTimeout(w.t.Context(), 3500*time.Millisecond)
		defer cancel()
		start := time.Now()
		at := map[time.Duration]int{}
		err := w.Drain(ctx)
		if took := time.Since(start); took != 3500*time.Millisecond {
			t.Errorf("a drain with a stuck client took %v", took)
		}
		if err == nil || !strings.HasPrefix(err.Error(), "1 connections took no goodbye") {
			t.Errorf("got %v", err)
		}
		synctest.Wait()
		for i, p := range append(pages, silent) {
			how := p.closing()
			if how == nil || how.Code != wire.CloseShutdown {
				t.Errorf("client %d was closed with %v", i, how)
			}
			at[0]++
			if p != stuck && p != silent {
				if got := p.took(); !strings.HasSuffix(got, "patch") {
					t.Errorf("client %d got %q for a last frame", i, got)
				}
			}
		}
		if _, err := w.Connect(&page{}, Peer{}); err == nil {
			t.Error("a draining hub takes connections")
		} else if how, ok := errors.AsType[wire.Close](err); !ok || how.Code != wire.CloseShutdown {
			t.Errorf("refused with %v", err)
		}
		if s := w.Stats(); s.Connections != 0 {
			t.Errorf("%+v", s)
		}
		if n := w.metric("chartd_closed_total", "reason", "shutdown"); n != 201 {
			t.Errorf("%v shutdowns counted", n)
		}
	})
}

func TestDrainSpreads(t *testing.T) {
	inBubble(t, func(w *world) {
		for range 100 {
			w.open()
		}
		start := time.Now()
		if err := w.Drain(w.t.Context()); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took < 900*time.Millisecond || took > time.Second {
			t.Errorf("100 clients were sent away within %v", took)
		}
	})
}

func TestDrainOfNobody(t *testing.T) {
	inBubble(t, func(w *world) {
		if err := w.Drain(w.t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// Close says what does not end, and no more than once it has ended.
func TestCloseTellsWhatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(cfg *Config) { cfg.CallbackTimeout = quantity.Duration(time.Second) })
		hang := make(chan struct{})
		w.with("cpu", func(c *Chart) {
			c.Spec.Refresh = 0
			c.Callback = func(context.Context, *Call) error { <-hang; return nil }
		})
		p := w.open()
		p.say(wire.Callback{ID: "2", V: p.sub(wire.Sub{})})
		after(2 * time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := w.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		close(hang)
		w.close()
	})
}

// Close in the middle of everything leaves nothing behind: the bubble would
// not end.
func TestCloseInTheMiddle(t *testing.T) {
	for i := range 20 {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.with("cpu", callback(func(ctx context.Context, call *Call) error {
				select {
				case <-ctx.Done():
				case <-time.After(30 * time.Millisecond):
				}
				return call.SetTitle(fmt.Sprint(time.Now().UnixMilli()))
			}))
			for j := range 10 {
				p := w.connect("")
				p.say(wire.Hello{}, wire.Sub{ID: "1", Chart: "cpu", Events: true})
				synctest.Wait()
				for range j {
					p.say(wire.Callback{V: p.v()})
				}
			}
			time.Sleep(time.Duration(i*11) * time.Millisecond)
			w.close()
		})
	}
}
