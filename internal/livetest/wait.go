package livetest

import (
	"testing"
	"time"
)

// Eventually waits until something holds, and fails the test if it does not for
// a minute. It asks often at first: most of what is waited for comes at once.
func Eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(2 * patience)
	for pause := time.Millisecond; !holds(); pause = min(2*pause, 20*time.Millisecond) {
		select {
		case <-deadline:
			t.Fatalf("still not: %s", what)
		case <-time.After(pause):
		}
	}
}
