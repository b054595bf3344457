package store

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/chartd/chartd/pkg/quantity"
)

// TestManyAtOnce lets appenders and readers loose on the same few series, with
// late samples, gaps, series that come and go, and a bound on the total that is
// too small. It is meant for the race detector; what readers see must be in
// order, and once all is quiet every reader has what is there.
func TestManyAtOnce(t *testing.T) {
	cfg := DefaultConfig()
	cfg.MaxAge = quantity.Duration(time.Second)
	cfg.MaxSamples = 3000
	cfg.MaxTotal = 20 * blockSize
	cfg.MaxSeries = 40
	s := New(cfg, nil)
	const metrics, rounds = 4, 20_000
	var appenders, readers sync.WaitGroup
	quiet := make(chan struct{})
	for a := range 4 {
		appenders.Go(func() {
			rnd := rand.New(rand.NewPCG(1, uint64(a)))
			for range rounds {
				at := time.Now().UnixMilli() - rnd.Int64N(5)*rnd.Int64N(300)
				labels := Labels{{"i", fmt.Sprint(rnd.IntN(12))}}
				// Refusals are part of it: too old, and too many.
				_ = s.Append(fmt.Sprint("m", rnd.IntN(metrics)), labels, at, rnd.Float64())
			}
		})
	}
	for r := range 4 {
		readers.Go(func() {
			followers := map[*Series]*follower{}
			step := func() {
				for m := range metrics {
					for _, sr := range s.Select(fmt.Sprint("m", m), nil) {
						f := followers[sr]
						if f == nil {
							f = &follower{}
							followers[sr] = f
						}
						f.catchUp(t, sr)
						if r == 0 {
							sr.Last()
							collect(t, sr, time.Now().UnixMilli()-100, math.MaxInt64)
						}
					}
				}
			}
			for {
				select {
				case <-quiet:
					step()
					for sr, f := range followers {
						held, _ := collect(t, sr, 0, math.MaxInt64)
						if len(held) > 0 && !same(between(f.copy, held[0].T, math.MaxInt64), held) {
							t.Errorf("reader %d has not what %v holds", r, sr)
						}
					}
					return
				default:
					step()
				}
			}
		})
	}
	appenders.Wait()
	close(quiet)
	readers.Wait()
}
