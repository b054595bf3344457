package source_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/store"
)

// TestAHangingSourceIsReplaced leaves one behind that does not stop.
func TestAHangingSourceIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		release := make(chan struct{})
		var started atomic.Int32
		hang := func(context.Context, source.Deps, store.Appender) error { started.Add(1); <-release; return nil }
		r.apply(t, map[string]source.Config{"a": &config{ID: "1", run: &hang}})
		r.start(t)
		synctest.Wait()
		r.apply(t, map[string]source.Config{"a": &config{ID: "2", run: &hang}})
		time.Sleep(4 * time.Second)
		if n := started.Load(); n != 1 {
			t.Errorf("%d run after 4 s", n)
		}
		time.Sleep(2 * time.Second)
		if n := started.Load(); n != 2 {
			t.Errorf("%d run after 6 s", n)
		}
		close(release)
	})
}

// TestTwoReplacementsAtOnce holds that the second one, too, waits for the source
// that the first was to replace.
func TestTwoReplacementsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running atomic.Int32
		slow := func(ctx context.Context, _ source.Deps, _ store.Appender) error {
			if n := running.Add(1); n > 1 {
				t.Errorf("%d run at the same time", n)
			}
			<-ctx.Done()
			time.Sleep(1500 * time.Millisecond)
			running.Add(-1)
			return nil
		}
		r := newRig(t)
		r.start(t)
		for _, id := range []string{"1", "2", "3"} {
			r.apply(t, map[string]source.Config{"a": source1(id, slow)})
			synctest.Wait()
		}
		time.Sleep(2 * time.Second)
		if n := running.Load(); n != 1 {
			t.Errorf("%d run", n)
		}
	})
}
