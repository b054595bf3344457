package ingest

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chartd/chartd/pkg/plotting"
)

const (
	perRequest = 1000 // samples
	cycle      = 200  // requests to a store, before it is another one
	warm       = 32   // of these, which are not counted: they make the series
	turn       = 8    // requests that are sent, or parsed, in a row
)

// TestASampleMakesNoGarbage: in the long run a further sample in a request costs
// no allocation, whatever the way in. Requests of three sizes are compared, so
// that what a request itself costs does not count.
func TestASampleMakesNoGarbage(t *testing.T) {
	r := start(t)
	for _, f := range formats() {
		t.Run(f.name, func(t *testing.T) {
			c := r.client(f)
			next := time.Now().UnixMilli() - 100_000
			allocs := func(n int) float64 {
				// The first ones make the series, which double their room as they grow.
				const runs, first = 20, 40
				var bodies [first + runs + 1][]byte
				for i := range bodies {
					next++
					bodies[i] = f.body(0, n, next)
				}
				i := 0
				for ; i < first; i++ {
					c.send(bodies[i])
				}
				return testing.AllocsPerRun(runs, func() {
					c.send(bodies[i])
					i++
				})
			}
			many, some, few := allocs(4000), allocs(1000), allocs(100)
			t.Logf("%v, %v, %v allocations in requests of 100, 1,000 and 4,000 samples", few, some, many)
			// A block of 1,024 samples is made now and then, and a collection may
			// empty a pool; AllocsPerRun rounds down.
			if many > few+1 || some > few+1 {
				t.Errorf("%v, %v, %v allocations in requests of 100, 1,000 and 4,000 samples", few, some, many)
			}
		})
	}
}

// BenchmarkRequests sends requests of 1,000 samples of 1,000 series. samples/core-s
// is per second of processor time, garbage collection included. Line protocol is
// also just parsed, in turns with that: x-of-parse is how fast sending is, in
// parts of how fast the library parses.
func BenchmarkRequests(b *testing.B) {
	for _, f := range formats() {
		b.Run(f.name, func(b *testing.B) {
			r := start(b)
			bodies := make([][]byte, cycle)
			now := time.Now().UnixMilli() - cycle
			for i := range bodies {
				bodies[i] = f.body(0, perRequest, now+int64(i))
			}
			c := r.client(f)
			b.SetBytes(int64(len(bodies[0])))
			b.ReportAllocs()
			var aside, parsing time.Duration
			i, parsed, began := 0, 0, cpu(b)
			for b.Loop() {
				if i%turn == 0 {
					b.StopTimer()
					used := cpu(b)
					if i%cycle == 0 {
						r.fresh()
						for range warm {
							c.send(bodies[i%cycle])
							i++
						}
					}
					if f.lines {
						was := cpu(b)
						for n := range turn {
							parsed += parse(b, bodies[n])
						}
						parsing += cpu(b) - was
					}
					aside += cpu(b) - used
					b.StartTimer()
				}
				c.send(bodies[i%cycle])
				i++
			}
			rate := float64(perRequest*b.N) / (cpu(b) - began - aside).Seconds()
			b.ReportMetric(rate, "samples/core-s")
			if f.lines {
				b.ReportMetric(rate/(float64(parsed)/parsing.Seconds()), "x-of-parse")
			}
		})
	}
}

// BenchmarkWriters lets eight writers send at once, with nobody looking and while
// fifty views of what they write are drawn again and again. samples/core-s is per
// second of processor time of the writers alone, so that it tells nothing of what
// else the machine does. In turns with them, one writer sends the same alone:
// where nobody takes anything from another, x-of-one is 1, and lock-ns/sample next
// to nothing.
func BenchmarkWriters(b *testing.B) {
	if runtime.GOOS != "linux" {
		b.Skip("only Linux tells the processor time of a thread")
	}
	const writers, requests = 8, 20
	for _, f := range formats() {
		for _, views := range []int{0, 50} {
			b.Run(fmt.Sprintf("%s/views=%d", f.name, views), func(b *testing.B) {
				r := start(b)
				now := time.Now().UnixMilli() - 2*requests
				first, bodies := make([][]byte, writers), make([][][]byte, writers)
				for w := range bodies {
					first[w] = f.body(w, perRequest, now-1)
					for i := range requests {
						bodies[w] = append(bodies[w], f.body(w, perRequest, now+int64(i)))
					}
				}
				b.ReportAllocs()
				var alone, together, locked time.Duration
				for b.Loop() {
					b.StopTimer()
					alone += r.together(f, first, [][][]byte{slices.Concat(bodies...)}, nil)
					var stop atomic.Bool
					var drawing sync.WaitGroup
					lock := waited()
					together += r.together(f, first, bodies, func() {
						for v := range views {
							drawing.Go(func() { r.draw(f, v, &stop) })
						}
						b.StartTimer()
					})
					b.StopTimer()
					locked += waited() - lock
					stop.Store(true)
					drawing.Wait()
					b.StartTimer()
				}
				n := float64(b.N * writers * requests * perRequest)
				b.ReportMetric(n/together.Seconds(), "samples/core-s")
				b.ReportMetric(alone.Seconds()/together.Seconds(), "x-of-one")
				b.ReportMetric(float64(locked.Nanoseconds())/n, "lock-ns/sample")
			})
		}
	}
}

// together sends the bodies of each writer, all writers at once, to a store that
// has taken the first ones, and returns the processor time that they have used
// for it. begin is called before; nil is not.
func (r *rig) together(f format, first [][]byte, bodies [][][]byte, begin func()) (used time.Duration) {
	r.fresh()
	clients := make([]*client, len(bodies))
	for w := range clients {
		clients[w] = r.client(f)
	}
	for _, body := range first {
		clients[0].send(body)
	}
	if begin != nil {
		begin()
	}
	var writers sync.WaitGroup
	spent := make([]time.Duration, len(bodies))
	for w, c := range clients {
		writers.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			was := threadCPU(r.t)
			for _, body := range bodies[w] {
				c.send(body)
			}
			spent[w] = threadCPU(r.t) - was
		})
	}
	writers.Wait()
	for _, s := range spent {
		used += s
	}
	return used
}

// draw draws a view of 8 of the series ten times a second until stop.
func (r *rig) draw(f format, view int, stop *atomic.Bool) {
	spec := plotting.DefaultSpec()
	spec.Series = []plotting.SeriesSpec{f.some(view)}
	v := spec.View("cpu")
	v.Title = fmt.Sprint(view)
	live := plotting.NewLive(&spec, r.store.Load())
	for !stop.Load() {
		if _, err := live.Render(v, time.Now().UnixMilli()); err != nil {
			r.t.Error(err)
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}
