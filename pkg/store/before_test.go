package store_test

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"

	"github.com/chartd/chartd/pkg/store"
)

// TestBefore compares Before and After with a look at every sample.
func TestBefore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := store.DefaultConfig()
		cfg.MaxSamples = rapid.SampledFrom([]int{40, 3000, 10_000}).Draw(t, "most")
		s := store.New(cfg, prometheus.NewRegistry())
		now := time.Now().UnixMilli()
		n := rapid.IntRange(1, 5000).Draw(t, "samples")
		for i := range n {
			if err := s.Append("m", nil, now-int64(n-i)*10, float64(i)); err != nil {
				t.Fatal(err)
			}
		}
		series := s.Select("m", nil)[0]
		for range 20 {
			at := now - rapid.Int64Range(-20, int64(n)*10+20).Draw(t, "at")
			var want store.Sample
			found := false
			series.Each(0, at-1, func(b []store.Sample) { want, found = b[len(b)-1], true })
			if got, ok := series.Before(at); ok != found || got != want {
				t.Fatalf("before %d: %v %v, want %v %v", at, got, ok, want, found)
			}
			found = false
			series.Each(at+1, now, func(b []store.Sample) {
				if !found {
					want, found = b[0], true
				}
			})
			if got, ok := series.After(at); ok != found || ok && got != want {
				t.Fatalf("after %d: %v %v, want %v %v", at, got, ok, want, found)
			}
		}
	})
}
