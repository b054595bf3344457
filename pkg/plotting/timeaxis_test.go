package plotting

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func zone(t testing.TB, name string) *time.Location {
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestTimeTicks(t *testing.T) {
	at := func(s string) int64 {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return v.UnixMilli()
	}
	for _, tc := range []struct {
		name, zone, to string
		window         time.Duration
		want           string
	}{
		{"10 s", "UTC", "2026-03-01T12:00:00Z", 10 * time.Second, "11:59:52 11:59:54 11:59:56 11:59:58 12:00:00"},
		{"1 min", "UTC", "2026-03-01T12:00:00Z", time.Minute, "11:59:10 11:59:20 11:59:30 11:59:40 11:59:50 12:00:00"},
		{"5 min", "UTC", "2026-03-01T12:00:30Z", 5 * time.Minute, "11:56 11:57 11:58 11:59 12:00"},
		{"1 h", "UTC", "2026-03-01T12:00:00Z", time.Hour, "11:10 11:20 11:30 11:40 11:50 12:00"},
		{"over midnight", "UTC", "2026-03-01T02:30:00Z", 6 * time.Hour, "21:00 22:00 23:00 Mar 1 01:00 02:00"},
		{"a day", "UTC", "2026-03-01T12:00:00Z", 24 * time.Hour, "15:00 18:00 21:00 Mar 1 03:00 06:00 09:00 12:00"},
		{"a zone half an hour off", "Asia/Kolkata", "2026-03-01T12:00:00Z", 6 * time.Hour, "12:00 13:00 14:00 15:00 16:00 17:00"},
		{"a week", "UTC", "2026-03-08T12:00:00Z", 7 * 24 * time.Hour, "Mar 2 Mar 3 Mar 4 Mar 5 Mar 6 Mar 7 Mar 8"},
		{"30 days", "UTC", "2026-03-30T12:00:00Z", 30 * 24 * time.Hour, "Mar 4 Mar 8 Mar 12 Mar 16 Mar 20 Mar 24 Mar 28"},
		{"a year", "UTC", "2026-12-15T00:00:00Z", 365 * 24 * time.Hour, "Jan 2026 Mar 2026 May 2026 Jul 2026 Sep 2026 Nov 2026"},
		{"an hour is skipped", "Europe/Berlin", "2026-03-29T12:00:00Z", 18 * time.Hour, "21:00 Mar 29 03:00 06:00 09:00 12:00"},
		{"an hour comes twice", "Europe/Berlin", "2026-10-25T12:00:00Z", 18 * time.Hour, "21:00 Oct 25 03:00 06:00 09:00 12:00"},
		{"minutes in the second hour", "Europe/Berlin", "2026-10-25T01:30:00Z", 5 * time.Minute, "02:26 02:27 02:28 02:29 02:30"},
	} {
		loc, to := zone(t, tc.zone), at(tc.to)
		s := pickTimeStep(tc.window.Milliseconds(), 500)
		var got []string
		for tick := s.next(to-tc.window.Milliseconds(), loc); tick.t <= to; tick = s.next(tick.t, loc) {
			got = append(got, tick.label)
		}
		if g := strings.Join(got, " "); g != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, g, tc.want)
		}
	}
}

// TestTimeTicksStay holds for any window and zone: ticks rise, are not crowded,
// and do not depend on where the window begins.
func TestTimeTicksStay(t *testing.T) {
	zones := []string{"UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Chatham"}
	rapid.Check(t, func(t *rapid.T) {
		loc, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		window := rapid.Int64Range(1000, 3650*24*3600_000).Draw(t, "window")
		from := rapid.Int64Range(0, 4e12).Draw(t, "from")
		s := pickTimeStep(window, 700)
		seen := map[int64]bool{}
		prev := from
		for range 50 {
			tick := s.next(prev, loc)
			if tick.t <= prev {
				t.Fatalf("behind %d comes %d", prev, tick.t)
			}
			if seen[prev] && float64(tick.t-prev)/float64(window)*700 < 28 {
				t.Fatalf("step %v: %d and %d are too near", s.about(), prev, tick.t)
			}
			seen[tick.t], prev = true, tick.t
		}
		later := from + rapid.Int64Range(0, prev-from-1).Draw(t, "later")
		for later < prev {
			tick := s.next(later, loc)
			if tick.t <= prev && !seen[tick.t] {
				t.Fatalf("step %v: seen from %d there is a tick at %d, seen from %d there is none", s.about(), later, tick.t, from)
			}
			later = tick.t
		}
	})
}
