package ingest

import (
	"fmt"
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

// BenchmarkRequests sends requests of 1,000 samples of 1,000 series. samples/core-s is per second of
// processor time, garbage collection included.
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
			var aside, used time.Duration
			i, began := 0, cpu(b)
			for b.Loop() {
				if i%cycle == 0 {
					b.StopTimer()
					used = cpu(b)
					r.fresh()
					for range warm {
						c.send(bodies[i%cycle])
						i++
					}
					aside += cpu(b) - used
					b.StartTimer()
				}
				c.send(bodies[i%cycle])
				i++
			}
			spent := cpu(b) - began - aside
			b.ReportMetric(float64(perRequest*b.N)/spent.Seconds(), "samples/core-s")
		})
	}
}

// BenchmarkParse only parses what the two of line protocol send, with the library that
// chartd uses: it is what they are compared with.
func BenchmarkParse(b *testing.B) {
	for _, f := range formats()[:2] {
		b.Run(f.name, func(b *testing.B) {
			body := f.body(0, perRequest, time.Now().UnixMilli())
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			began := cpu(b)
			for b.Loop() {
				if n := parse(b, body); n != perRequest {
					b.Fatal(n)
				}
			}
			b.ReportMetric(float64(perRequest*b.N)/(cpu(b)-began).Seconds(), "samples/core-s")
		})
	}
}

// BenchmarkWriters lets one writer and eight send, and eight while fifty views of
// what they write are drawn again and again. Where nobody waits for another,
// lock-ns/sample is next to nothing and samples/core-s stays.
func BenchmarkWriters(b *testing.B) {
	for _, f := range formats() {
		for _, c := range []struct{ writers, views int }{{1, 0}, {8, 0}, {8, 50}} {
			b.Run(fmt.Sprintf("%s/writers=%d/views=%d", f.name, c.writers, c.views), func(b *testing.B) {
				r := start(b)
				const requests = 20
				now := time.Now().UnixMilli() - 2*requests
				bodies := make([][][]byte, c.writers)
				for w := range bodies {
					for i := range requests {
						bodies[w] = append(bodies[w], f.body(w, perRequest, now+int64(i)))
					}
				}
				b.ReportAllocs()
				var spent, locked, drawing time.Duration
				for b.Loop() {
					b.StopTimer()
					r.fresh()
					clients := make([]*client, c.writers)
					for w := range clients {
						clients[w] = r.client(f)
						clients[w].send(bodies[w][0])
					}
					var stop atomic.Bool
					var views, writers sync.WaitGroup
					drawn := make([]time.Duration, c.views)
					for v := range c.views {
						views.Go(func() { drawn[v] = r.draw(f, v, &stop) })
					}
					was, lock := cpu(b), waited()
					b.StartTimer()
					for w, client := range clients {
						writers.Go(func() {
							for _, body := range bodies[w][1:] {
								client.send(body)
							}
						})
					}
					writers.Wait()
					b.StopTimer()
					spent, locked = spent+cpu(b)-was, locked+waited()-lock
					stop.Store(true)
					views.Wait()
					for _, d := range drawn {
						drawing += d
					}
					b.StartTimer()
				}
				n := float64(b.N * c.writers * (requests - 1) * perRequest)
				if c.views == 0 {
					b.ReportMetric(n/spent.Seconds(), "samples/core-s")
				}
				b.ReportMetric(n/b.Elapsed().Seconds(), "samples/s")
				b.ReportMetric(float64(locked.Nanoseconds())/n, "lock-ns/sample")
			})
		}
	}
}

// draw draws a view of 8 of the series ten times a second until stop.
func (r *rig) draw(f format, view int, stop *atomic.Bool) (spent time.Duration) {
	spec := plotting.DefaultSpec()
	spec.Series = []plotting.SeriesSpec{{Metric: map[string]string{
		"influx": "cpu_usage_user", "influx4": "cpu_usage_user", "push": "cpu_usage", "remote_write": "node_cpu_seconds_total",
	}[f.name]}}
	v := spec.View("cpu")
	v.Title = fmt.Sprint(view)
	live := plotting.NewLive(&spec, r.store.Load())
	for !stop.Load() {
		began := time.Now()
		if _, err := live.Render(v, began.UnixMilli()); err != nil {
			r.t.Error(err)
			return spent
		}
		spent += time.Since(began)
		time.Sleep(100 * time.Millisecond)
	}
	return spent
}
