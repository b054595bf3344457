// Package quantity holds the two amounts that a person writes in
// configuration and in messages: spans of time and counts of bytes.
package quantity

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Duration is a span of time. In YAML and JSON it is a string as Go writes it
// ("250ms", "5m", "1h30m"), optionally with days ("30d", "1d12h"), or a bare
// number, which is milliseconds.
type Duration time.Duration

// Std returns d as a standard library duration.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// Millis returns d in whole milliseconds, rounded towards zero.
func (d Duration) Millis() int64 { return time.Duration(d).Milliseconds() }

// String returns the shortest form that ParseDuration reads back: "5m", "30d".
func (d Duration) String() string {
	if d == 0 {
		return "0"
	}
	day := Duration(24 * time.Hour)
	out := ""
	if d > 0 && d >= day {
		out = strconv.FormatInt(int64(d/day), 10) + "d"
		d %= day
		if d == 0 {
			return out
		}
	}
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return out + s
}

// ParseDuration reads the forms that Duration documents.
func ParseDuration(s string) (Duration, error) {
	bad := fmt.Errorf("%q is not a duration; write it as \"500ms\", \"30s\", \"5m\", \"1h\", \"7d\" or a number of milliseconds", s)
	if s == "" {
		return 0, bad
	}
	if ms, err := strconv.ParseFloat(s, 64); err == nil {
		d, err := FromMillis(ms)
		if err != nil {
			return 0, bad
		}
		return d, nil
	}
	rest, days := s, time.Duration(0)
	if head, tail, ok := strings.Cut(s, "d"); ok {
		n, err := strconv.ParseUint(head, 10, 16)
		if err != nil {
			return 0, bad
		}
		days, rest = time.Duration(n)*24*time.Hour, tail
		if rest == "" {
			return Duration(days), nil
		}
	}
	d, err := time.ParseDuration(rest)
	if err != nil || days+d < days && days > 0 {
		return 0, bad
	}
	return Duration(days + d), nil
}

// FromMillis turns a number of milliseconds into a Duration; NaN and what does
// not fit are errors.
func FromMillis(ms float64) (Duration, error) {
	ns := ms * float64(time.Millisecond)
	if math.IsNaN(ns) || math.Abs(ns) > math.MaxInt64/2 {
		return 0, errors.New("out of range")
	}
	return Duration(ns), nil
}

// UnmarshalText reads what ParseDuration reads.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := ParseDuration(string(b))
	if err != nil {
		return err
	}
	*d = v
	return nil
}

// MarshalText writes what String returns.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalJSON takes a string or a number of milliseconds.
func (d *Duration) UnmarshalJSON(b []byte) error {
	s := string(b)
	if len(b) > 0 && b[0] == '"' {
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
	}
	return d.UnmarshalText([]byte(s))
}

// MarshalJSON writes a string.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(d.String()) }

// Bytes is a count of bytes. In YAML and JSON it is a bare number or a string
// with a binary suffix: "64KiB", "10MiB", "1GiB" (KB, MB, GB are decimal).
type Bytes int64

var byteSuffixes = []struct {
	suffix string
	size   int64
}{
	{"KiB", 1 << 10},
	{"MiB", 1 << 20},
	{"GiB", 1 << 30},
	{"KB", 1e3},
	{"MB", 1e6},
	{"GB", 1e9},
	{"B", 1},
}

// ParseBytes reads the forms that Bytes documents.
func ParseBytes(s string) (Bytes, error) {
	num, mult := s, int64(1)
	for _, u := range byteSuffixes {
		if head, ok := strings.CutSuffix(s, u.suffix); ok {
			num, mult = strings.TrimSpace(head), u.size
			break
		}
	}
	n, err := strconv.ParseFloat(num, 64)
	if v := n * float64(mult); err == nil && v >= 0 && v < math.MaxInt64/2 {
		return Bytes(v), nil
	}
	return 0, fmt.Errorf("%q is not a size; write it as 65536, \"64KiB\" or \"10MiB\"", s)
}

// String returns the shortest exact form: "64KiB", "1500".
func (b Bytes) String() string {
	for i := 2; i >= 0; i-- {
		if u := byteSuffixes[i]; b != 0 && int64(b)%u.size == 0 {
			return strconv.FormatInt(int64(b)/u.size, 10) + u.suffix
		}
	}
	return strconv.FormatInt(int64(b), 10)
}

// UnmarshalText reads what ParseBytes reads.
func (b *Bytes) UnmarshalText(t []byte) error {
	v, err := ParseBytes(string(t))
	if err != nil {
		return err
	}
	*b = v
	return nil
}

// MarshalText writes what String returns.
func (b Bytes) MarshalText() ([]byte, error) { return []byte(b.String()), nil }
