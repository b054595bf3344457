package quiet_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"pgregory.net/rapid"

	"github.com/chartd/chartd/pkg/quiet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig returns a Log of 3 lines a second and what it wrote.
func rig() (*quiet.Log, func() []string) {
	core, logs := observer.New(zap.DebugLevel)
	return quiet.New(zap.New(core), 3, time.Second), func() []string {
		var out []string
		for _, e := range logs.TakeAll() {
			out = append(out, e.Level.String()+" "+e.Message)
		}
		return out
	}
}

func wrote(t *testing.T, lines func() []string, want ...string) {
	t.Helper()
	if got := lines(); !slices.Equal(got, want) {
		t.Errorf("wrote %q, want %q", got, want)
	}
}

func TestFirstFewAndTheirSum(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, lines := rig()
		defer l.Close()
		for range 10 {
			l.Write(zap.WarnLevel, "address", "refused")
		}
		l.Write(zap.InfoLevel, "origin", "refused, too") // another topic has lines of its own
		wrote(t, lines, "warn refused", "warn refused", "warn refused", "info refused, too")
		time.Sleep(999 * time.Millisecond)
		wrote(t, lines)
		time.Sleep(time.Millisecond)
		synctest.Wait()
		wrote(t, lines, "warn refused: 7 more in the last 1s")
		// The next second begins anew; a calm one is not mentioned.
		for range 4 {
			l.Write(zap.WarnLevel, "address", "refused")
		}
		wrote(t, lines, "warn refused", "warn refused", "warn refused")
		time.Sleep(time.Second)
		synctest.Wait()
		wrote(t, lines, "warn refused: 1 more in the last 1s")
		time.Sleep(time.Hour)
		synctest.Wait()
		wrote(t, lines)
	})
}

func TestCloseSaysTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, lines := rig()
		for range 5 {
			l.Write(zap.ErrorLevel, "a", "x")
		}
		l.Close()
		l.Close()
		wrote(t, lines, "error x", "error x", "error x", "error x: 2 more in the last 1s")
		for range 100 {
			l.Write(zap.ErrorLevel, "b", "late")
		}
		time.Sleep(time.Minute)
		wrote(t, lines, "error late", "error late", "error late")
	})
}

// However lines come, each is written or counted once, and no second has more
// than it may.
func TestNothingIsLost(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		synctest.Test(t, func(*testing.T) {
			core, logs := observer.New(zap.DebugLevel)
			most := rapid.IntRange(1, 5).Draw(rt, "most")
			l := quiet.New(zap.New(core), most, time.Second)
			var said sync.WaitGroup
			n := 0
			for range rapid.IntRange(1, 8).Draw(rt, "bursts") {
				burst := rapid.IntRange(0, 12).Draw(rt, "burst")
				n += burst
				for range burst {
					said.Go(func() { l.Write(zap.WarnLevel, "k", "m") })
				}
				said.Wait()
				time.Sleep(time.Duration(rapid.IntRange(0, 1500).Draw(rt, "ms")) * time.Millisecond)
				synctest.Wait()
			}
			l.Close()
			written, summed := 0, 0
			for _, e := range logs.All() {
				if more, ok := e.ContextMap()["unlogged"].(int64); ok {
					summed += int(more)
					continue
				}
				written++
				inSecond := 0
				for _, other := range logs.All() {
					if d := other.Time.Sub(e.Time); d >= 0 && d < time.Second && !strings.Contains(other.Message, "more") {
						inSecond++
					}
				}
				// A second that begins in the middle of one may see the end of
				// that and the beginning of the next.
				if inSecond > 2*most {
					rt.Fatalf("%d lines within a second, at most %d a period", inSecond, most)
				}
			}
			if written+summed != n {
				rt.Fatalf("of %d lines %d were written and %d summed up", n, written, summed)
			}
		})
	})
}
