package ticker

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/quantity"
)

func TestLoopStartsSharesLingersStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{})
		defer b.close()
		l1, s1 := b.watch(b.view(60), false)
		l2, s2 := b.watch(b.view(60), false)
		after(10 * time.Second)
		if n := b.counter("chartd_renders_total", "chart", "cpu"); n != 11 {
			t.Errorf("%v renders for two watchers in 10 s, want the first and 10 ticks", n)
		}
		for _, s := range []*spy{s1, s2} {
			s.shows()
			if got := s.took(); len(got) != 11 || got[0] != "full" || got[10] != "patch" {
				t.Errorf("got %v", got)
			}
		}
		l1.Release(true)
		l1.Release(true) // does nothing
		after(5 * time.Second)
		if got := s1.took(); len(got) != 0 {
			t.Errorf("after its release a watcher got %v", got)
		}
		if got := s2.took(); len(got) != 5 {
			t.Errorf("the other got %v", got)
		}
		l2.Release(true)
		after(9 * time.Second)
		if b.Views() != 1 {
			t.Error("the loop did not linger")
		}
		// Back in time: the loop goes on, and patches lead on from where it was.
		pos := s2.mirror.Pos()
		l3, s3 := b.acquire(b.view(60)), newSpy(t, b.view(60).ID())
		s3.mirror = s2.mirror
		l3.Watch(s3, false, nil)
		after(time.Second)
		if got := s3.took(); len(got) == 0 || got[0] == "full" && pos.R+8 >= s3.mirror.Pos().R {
			t.Errorf("after coming back: %v", got)
		}
		s3.shows()
		l3.Release(true)
		after(10*time.Second - time.Millisecond)
		if b.Views() != 1 {
			t.Error("the loop stopped before its time")
		}
		after(2 * time.Millisecond)
		if b.Views() != 0 || b.counter("chartd_views") != 0 {
			t.Errorf("%d views after lingering", b.Views())
		}
		n := b.counter("chartd_renders_total", "chart", "cpu")
		after(time.Minute)
		if b.counter("chartd_renders_total", "chart", "cpu") != n {
			t.Error("a stopped loop renders")
		}
	})
}

func TestAcquireRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{MaxViews: 2})
		l1, l2 := b.acquire(b.view(1)), b.acquire(b.view(2))
		if _, err := b.Acquire(KeyOf(b.view(3))); !errors.Is(err, ErrTooManyViews) {
			t.Errorf("over the cap: %v", err)
		}
		if _, err := b.Acquire(KeyOf(plotting.View{Chart: "disk"})); !errors.Is(err, ErrUnknownChart) {
			t.Errorf("unknown chart: %v", err)
		}
		l1.Release(true) // lingers, and gives way
		l3 := b.acquire(b.view(3))
		after(0)
		if b.Views() != 2 {
			t.Errorf("%d views", b.Views())
		}
		l1b, err := b.Acquire(KeyOf(b.view(1)))
		if !errors.Is(err, ErrTooManyViews) {
			t.Errorf("%v, %v", l1b, err)
		}
		// Who changes over makes room for itself, unless others watch the old view.
		shared := b.acquire(b.view(3))
		if _, err := b.Exchange(l3, KeyOf(b.view(1))); !errors.Is(err, ErrTooManyViews) {
			t.Errorf("instead of a view that others watch: %v", err)
		}
		shared.Release(true)
		l1c, err := b.Exchange(l3, KeyOf(b.view(1)))
		if err != nil {
			t.Fatal(err)
		}
		l3.Release(false)
		if b.Views() != 2 {
			t.Errorf("%d views", b.Views())
		}
		l2.Release(true)
		l1c.Release(true)
		b.close()
		if _, err := b.Acquire(KeyOf(b.view(1))); !errors.Is(err, ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}

// A loop that nobody is expected back at stops at once; what waits for it is
// let go.
func TestReleaseWithoutLingering(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{})
		defer b.close()
		l1, s := b.watch(b.view(60), false)
		l2, _ := b.watch(b.view(60), false)
		after(1500 * time.Millisecond)
		l2.Release(false)
		if b.Views() != 1 {
			t.Error("the loop stopped although it is watched")
		}
		s.took()
		offered := false
		l1.Push(Push{Offered: func() { offered = true }})
		l1.Release(false)
		if b.Views() != 0 {
			t.Error("the loop goes on")
		}
		after(time.Minute)
		if !offered {
			t.Error("a push waits forever")
		}
		// The push may have been quicker than the end; nothing comes after.
		if got := s.took(); len(got) > 1 {
			t.Errorf("got %v", got)
		}
	})
}

// The oldest of those that linger gives way.
func TestLongestIdleGivesWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{MaxViews: 3})
		defer b.close()
		for i := range 3 {
			b.acquire(b.view(i + 1)).Release(true)
			after(time.Second)
		}
		b.acquire(b.view(1)).Release(true) // now the youngest
		b.acquire(b.view(4))
		for i, want := range []bool{true, false, true, true} {
			if _, ok := b.loops[KeyOf(b.view(i+1))]; ok != want {
				t.Errorf("view %d is there: %v, want %v", i+1, ok, want)
			}
		}
	})
}

func TestReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{})
		defer b.close()
		_, s := b.watch(b.view(60), false)
		after(2500 * time.Millisecond)
		s.took()
		renders := b.counter("chartd_renders_total")

		same := b.spec
		same.Vars = map[string]plotting.Var{"host": {Default: "a"}}
		b.with(func(c *Chart) { c.Spec = &same })
		after(0)
		if got := s.took(); len(got) != 0 || b.counter("chartd_renders_total") != renders || b.made != 1 {
			t.Errorf("an equal spec brought %v and %d renderers", got, b.made)
		}

		other := b.spec
		other.Title = "other"
		b.with(func(c *Chart) { c.Spec = &other })
		after(0)
		equal(t, s.took(), []string{"full"})
		s.shows()
		if s.mirror.Pos().E != "e2" {
			t.Errorf("epoch %q after a changed spec", s.mirror.Pos().E)
		}

		b.RemoveChart("cpu")
		after(0)
		if b.Views() != 0 {
			t.Error("the loop of a removed chart runs")
		}
		if b.counter("chartd_ticks_total") != 0 {
			t.Error("a removed chart is still counted")
		}
		after(time.Minute)
		if got := s.took(); len(got) != 0 {
			t.Errorf("a removed chart brought %v", got)
		}
	})
}

// A lease of a loop that is gone does nothing, and whoever waits for its push
// is let go.
func TestVoidLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{})
		l, _ := b.watch(b.view(60), true)
		b.RemoveChart("cpu")
		after(0)
		offered := 0
		l.Push(Push{Offered: func() { offered++ }})
		l.Events(false)
		l.Resend()
		b.Share("cpu", plotting.Change{}, l, &Push{Offered: func() { offered++ }})
		l.Release(true)
		b.close()
		after(0)
		if offered != 2 {
			t.Errorf("%d of 2 pushes were let go", offered)
		}
	})
}

func TestSharedOverlay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{})
		defer b.close()
		l1, s1 := b.watch(b.view(60), false)
		_, s2 := b.watch(b.view(120), false)
		after(1500 * time.Millisecond)
		s1.took()
		s2.took()
		hour := quantity.Duration(time.Hour)
		offered := false
		b.Share("cpu", plotting.Change{Window: &hour}, l1, &Push{Offered: func() { offered = true }})
		after(0)
		if !offered {
			t.Error("the push was not answered")
		}
		equal(t, s1.took(), []string{"patch"})
		equal(t, s2.took(), []string{"patch"})
		if v := b.Shared(b.view(60)); v.Window != hour {
			t.Errorf("Shared says %v", v.Window)
		}
		_, s3 := b.watch(b.view(180), false)
		after(0)
		s3.shows()
		for _, v := range b.views[len(b.views)-3:] {
			if v.Window != hour {
				t.Errorf("a view is drawn with %v", v.Window)
			}
		}
		b.Share("cpu", plotting.Change{Reset: true}, nil, nil)
		after(0)
		seen := map[quantity.Duration]bool{}
		for _, v := range b.views[len(b.views)-3:] {
			seen[v.Window] = true
		}
		if len(seen) != 3 {
			t.Errorf("after a reset the windows are %v", seen)
		}
	})
}

func TestFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{})
		defer b.close()
		var spies []*spy
		for i := range 5 {
			_, s := b.watch(b.view(i+1), false)
			spies = append(spies, s)
		}
		after(500 * time.Millisecond)
		for _, s := range spies {
			s.took()
		}
		time.Sleep(time.Millisecond)
		if err := b.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, s := range spies {
			if got := s.took(); len(got) == 0 || got[len(got)-1] != "patch" {
				t.Errorf("got %v", got)
			}
			if at := s.at[len(s.at)-1]; !at.Equal(time.Now()) {
				t.Errorf("the last frame is %v old", time.Since(at))
			}
		}
	})
}
