package ticker

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// seat is a watcher's place in its loop. What a tick needs to know of a watcher
// stands here, side by side with the others', and not behind the lease: with
// ten thousand of them, each look elsewhere is a cache miss.
type seat struct {
	watcher Watcher
	lease   *Lease
	events  bool // wants the events of ticks
	apart   bool // gets something of its own: its first frame, or what it pushed
}

const (
	// chunk is how many watchers are served in one go. Writing to as many
	// sockets takes about half a millisecond; then others have their turn.
	chunk = 64
	// crowd is how many watchers are worth more than one goroutine.
	crowd = 4 * chunk
)

// fan offers a delivery to every watcher who gets what all get, plain or with
// the tick's events; nil is nothing. A crowd is served by as many goroutines as
// there are processors, and fan returns when all are done: a tick lasts as long
// as it takes, and the next one is skipped if that is too long.
func (l *loop) fan(plain, events *Delivery) {
	n := len(l.watchers)
	if n < crowd {
		l.serve(l.watchers, plain, events, &l.tally)
		l.pool.ledger.Add(&l.tally)
		return
	}
	var next atomic.Int64
	work := func(t *Tally) {
		for {
			from := int(next.Add(chunk)) - chunk
			if from >= n {
				break
			}
			l.serve(l.watchers[from:min(from+chunk, n)], plain, events, t)
			runtime.Gosched()
		}
		l.pool.ledger.Add(t)
	}
	var others sync.WaitGroup
	for range runtime.GOMAXPROCS(0) - 1 {
		others.Go(func() { work(&Tally{}) })
	}
	work(&l.tally)
	others.Wait()
}

// serve offers a delivery to some watchers.
func (l *loop) serve(seats []seat, plain, events *Delivery, t *Tally) {
	for i := range seats {
		s := &seats[i]
		d := plain
		if s.events {
			d = events
		}
		if d != nil && !s.apart {
			s.watcher.Deliver(d, t)
		}
	}
	// What was written right away is this update; what waited before, and went out
	// with it, has been settled by who wrote it.
	if t.unsettled > 0 && plain != nil {
		t.Settle(plain.Update.Made(), time.Now())
	}
}
