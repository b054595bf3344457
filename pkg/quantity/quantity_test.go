package quantity_test

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/chartd/chartd/pkg/quantity"
)

func TestDuration(t *testing.T) {
	for _, tc := range []struct {
		in   string
		want time.Duration
		out  string
	}{
		{"2000", 2 * time.Second, "2s"},
		{"0", 0, "0"},
		{"250ms", 250 * time.Millisecond, "250ms"},
		{"5m", 5 * time.Minute, "5m"},
		{"1h", time.Hour, "1h"},
		{"30d", 720 * time.Hour, "30d"},
		{"1d12h", 36 * time.Hour, "1d12h"},
		{"1.5s", 1500 * time.Millisecond, "1.5s"},
	} {
		d, err := quantity.ParseDuration(tc.in)
		if err != nil || d.Std() != tc.want || d.String() != tc.out {
			t.Errorf("%q: %v %q, %v; want %v %q", tc.in, d.Std(), d.String(), err, tc.want, tc.out)
		}
	}
	for _, in := range []string{"", "d", "5 m", "1x", "NaN", "1e300", "99999d", "-1d"} {
		if d, err := quantity.ParseDuration(in); err == nil {
			t.Errorf("%q: read as %v; want an error", in, d)
		}
	}
}

func TestDurationRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := quantity.Duration(rapid.Int64Range(0, int64(1000*24*time.Hour)).Draw(t, "ns"))
		b, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got quantity.Duration
		if err := json.Unmarshal(b, &got); err != nil || got != want {
			t.Fatalf("%s: %v, %v; want %v", b, got, err, want)
		}
	})
}

func TestBytes(t *testing.T) {
	for in, want := range map[string]quantity.Bytes{
		"1024": 1024, "64KiB": 65536, "10 MiB": 10 << 20, "1.5GiB": 3 << 29, "2KB": 2000, "7B": 7, "0": 0,
	} {
		got, err := quantity.ParseBytes(in)
		if err != nil || got != want {
			t.Errorf("%q: %d, %v; want %d", in, got, err, want)
		}
		back, err := quantity.ParseBytes(got.String())
		if err != nil || back != got {
			t.Errorf("%q does not read back: %d, %v", got.String(), back, err)
		}
	}
	for _, in := range []string{"", "x", "-1", "KiB", "1TiB", "NaN"} {
		if b, err := quantity.ParseBytes(in); err == nil {
			t.Errorf("%q: read as %d; want an error", in, b)
		}
	}
}
