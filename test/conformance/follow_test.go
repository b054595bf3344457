package conformance

import (
	"context"
	"testing"
	"time"
)

// at is a position of a view.
type at struct {
	e string
	r uint64
}

const refresh = 250 * time.Millisecond // of the chart wave

// A client written from the document gets welcome, a full, and patches at the
// chart's rate; and at each of them it shows, byte for byte, what a fresh full
// shows.
func TestAStrangerFollowsAChart(t *testing.T) {
	span := 10 * time.Second
	if testing.Short() {
		span = 3 * time.Second
	}
	srv := start(t)
	srv.feed()
	want := int(span / refresh)
	for try := 1; ; try++ {
		frames, gap := follow(t, srv, span)
		switch {
		case frames >= want-1 && frames <= want+1:
			return
		case gap < refresh/2 || try == 3:
			t.Fatalf("%d frames in %v, want %d ± 1; this process got the processor every %v at least", frames, span, want, gap)
		}
		// A tick that comes too late is skipped, by design. Here it was not
		// chartd that was late.
		t.Logf("%d frames in %v; but this process did not run for %v: once more", frames, span, gap)
	}
}

// follow watches for a while, and compares everything with fresh fulls. It
// returns how many frames came after the first, and for how long the machine
// let nothing of this process run.
func follow(t *testing.T, srv *chartd, span time.Duration) (frames int, gap time.Duration) {
	t.Helper()
	a, b := srv.dial(), srv.dial()
	_, ok := a.watch("wave")
	_, okB := b.watch("wave")
	if ok.V != okB.V {
		t.Fatalf("equal views are called %q and %q", ok.V, okB.V)
	}
	stopwatch := watchGaps(t)

	shown := map[at]string{}           // what the first client shows, by position
	fresh := map[at]string{}           // what fulls say, by position
	sA, asked := screen{v: ok.V}, at{} // the second client asks for a full at every frame
	var fulls, late int                // after the first full
	var newcomers []*client            // each gets a first full
	var end <-chan time.Time           // span after the first full
	visit := time.NewTicker(span / 10) // when a newcomer comes
	defer visit.Stop()
	for running := true; running; {
		select {
		case m, open := <-a.messages:
			if !open {
				t.Fatalf("the connection ended: %v", a.ended)
			}
			isFrame, _, err := sA.take(m)
			if err != nil {
				t.Fatal(err)
			}
			if !isFrame {
				continue
			}
			switch {
			case end == nil && m.T != "full":
				t.Fatalf("the first frame is %v", m)
			case end == nil:
				end = time.After(span)
			case m.T == "full":
				fulls++
				frames++
			default:
				frames++
			}
			shown[at{sA.e, sA.r}] = sA.pic.root.String()
		case m, open := <-b.messages:
			if !open {
				t.Fatalf("the second connection ended: %v", b.ended)
			}
			switch pos := (at{m.E, m.R}); m.T {
			case "patch":
				b.say(`{"t":"resync","v":%q}`, m.V)
				asked = pos
			case "full":
				if asked != (at{}) && asked != pos {
					late++
				}
				fresh[pos] = m.SVG
			}
		case <-visit.C:
			c := srv.dial()
			c.say(`[{"t":"hello"},{"t":"sub","chart":"wave"}]`)
			newcomers = append(newcomers, c)
		case <-end:
			running = false
		}
	}
	gap = stopwatch()
	for _, c := range newcomers {
		m := c.next("full", "patch")
		if m.T != "full" {
			t.Fatalf("a newcomer gets %v", m)
		}
		fresh[at{m.E, m.R}] = m.SVG
		c.cut()
	}
	a.cut()
	b.cut()

	if fulls > 0 {
		t.Errorf("%d fulls after the first, want patches alone", fulls)
	}
	compared := 0
	for pos, svg := range shown {
		full, ok := fresh[pos]
		if !ok {
			continue
		}
		compared++
		if svg != full {
			t.Errorf("at %v the patches lead to\n%s\na full says\n%s", pos, svg, full)
		}
	}
	t.Logf("%d frames in %v, %d of %d positions compared, %d resyncs answered after the next tick", frames, span, compared, len(shown), late)
	if compared < len(shown)-2-late {
		t.Errorf("only %d of %d positions have a fresh full", compared, len(shown))
	}
	return frames, gap
}

// watchGaps measures how late this process is woken up. The function that it
// returns ends that and says the longest gap.
func watchGaps(t *testing.T) func() time.Duration {
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	longest := make(chan time.Duration, 1)
	go func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		gap, last := time.Duration(0), time.Now()
		for {
			select {
			case <-ctx.Done():
				longest <- gap
				return
			case <-tick.C:
				now := time.Now()
				gap, last = max(gap, now.Sub(last)), now
			}
		}
	}()
	return func() time.Duration {
		cancel()
		return <-longest
	}
}

// A cut connection resumes its session, and gets the patches that it missed.
func TestAStrangerComesBack(t *testing.T) {
	srv := start(t)
	srv.feed()
	a := srv.dial()
	welcome, ok := a.watch("wave")
	s := screen{v: ok.V}
	for range 3 {
		if _, _, err := s.take(a.next("full", "patch")); err != nil {
			t.Fatal(err)
		}
	}
	a.cut()

	// Somebody else sees a tick go by meanwhile.
	other := srv.dial()
	other.watch("wave")
	other.next("full")
	other.next("patch")

	b := srv.dial()
	b.say(`[{"t":"hello","session":%q},{"t":"sub","id":7,"chart":"wave","view":%s,"pos":{"e":%q,"r":%d}}]`, welcome.Session, ok.View, s.e, s.r)
	again := b.next("welcome")
	if !again.Resumed || again.Session == "" {
		t.Errorf("the session is not resumed: %v", again)
	}
	if back := b.next("ok"); back.V != ok.V || back.ID != "7" {
		t.Fatalf("the sub is answered with %v", back)
	}
	first := b.next("full", "patch")
	if first.T != "patch" || first.B != s.r {
		t.Fatalf("the first frame after %d is %v, want the patch from there", s.r, first)
	}
	for m := first; ; m = b.next("full", "patch") {
		if _, _, err := s.take(m); err != nil {
			t.Fatal(err)
		}
		if s.r >= first.R+2 {
			break
		}
	}
	for try := 1; ; try++ { // until a resync is answered before the next tick
		pos := at{s.e, s.r}
		b.say(`{"t":"resync","v":%q}`, ok.V)
		m := b.next("full")
		if pos == (at{m.E, m.R}) {
			if got := s.pic.root.String(); got != m.SVG {
				t.Errorf("after the return the patches lead to\n%s\na full says\n%s", got, m.SVG)
			}
			return
		}
		if try == 10 {
			t.Fatal("no resync is answered before the next tick")
		}
		if _, _, err := s.take(m); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.take(b.next("patch")); err != nil {
			t.Fatal(err)
		}
	}
}
