package sql

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"time"
)

// unitOf returns how many of a time's numbers make a second, by time_format; 0
// leaves it to their size.
func unitOf(format string) (unit int64, ok bool) {
	switch format {
	case "":
		return 0, true
	case "unix":
		return 1, true
	case "unix_ms":
		return 1e3, true
	case "unix_us":
		return 1e6, true
	case "unix_ns":
		return 1e9, true
	}
	return 0, false
}

// layouts are how texts may be that stand for a time. Behind the seconds there
// may be a fraction.
var layouts = [...]string{
	"2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02T15:04:05Z07:00", "2006-01-02 15:04:05Z07:00",
	"2006-01-02 15:04:05-07", "2006-01-02 15:04:05 -0700 MST", "2006-01-02 15:04:05 -0700",
	"2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02",
}

const (
	// maxMillis is the end of the year 9999.
	maxMillis = 253402300800000
	// maxTimeText is how long a text may be that stands for a time, in bytes.
	maxTimeText = 60
)

// clock reads times.
type clock struct {
	loc    *time.Location
	unit   int64 // of numbers; 0 is found by their size
	layout int   // that fitted last
}

// read returns a time in ms since the Unix epoch. naive says that a time.Time
// without a zone came as if it were in UTC.
func (c *clock) read(v any, naive bool) (int64, error) {
	ms, ok := int64(0), false
	switch v := v.(type) {
	case time.Time:
		if naive {
			v = wall(v, c.loc)
		}
		ms, ok = v.UnixMilli(), true
	case int64:
		ms, ok = c.epoch(float64(v))
	case uint64:
		ms, ok = c.epoch(float64(v))
	case float64:
		ms, ok = c.epoch(v)
	case float32:
		ms, ok = c.epoch(float64(v))
	case []byte:
		ms, ok = c.text(string(v))
	case string:
		ms, ok = c.text(v)
	}
	if !ok || ms <= -maxMillis || ms >= maxMillis {
		return 0, fmt.Errorf("%s is no time", show(v))
	}
	return ms, nil
}

// epoch reads a number of seconds, ms, µs or ns since 1970. What is said of none
// of them is taken by its size: seconds reach to the year 5138, ms back to 1973.
func (c *clock) epoch(v float64) (int64, bool) {
	unit := float64(c.unit)
	if unit == 0 {
		switch {
		case !(v > 1e8):
			return 0, false
		case v < 1e11:
			unit = 1
		case v < 1e14:
			unit = 1e3
		case v < 1e17:
			unit = 1e6
		default:
			unit = 1e9
		}
	}
	ms := math.Floor(v / unit * 1e3)
	return int64(ms), math.Abs(ms) < maxMillis
}

func (c *clock) text(s string) (int64, bool) {
	s = string(bytes.TrimSpace([]byte(s)))
	if s == "" || len(s) > maxTimeText {
		return 0, false
	}
	if v, err := strconv.ParseFloat(s, 64); err == nil {
		return c.epoch(v)
	}
	if t, err := time.ParseInLocation(layouts[c.layout], s, c.loc); err == nil {
		return t.UnixMilli(), true
	}
	for i, layout := range layouts {
		if t, err := time.ParseInLocation(layout, s, c.loc); err == nil {
			c.layout = i
			return t.UnixMilli(), true
		}
	}
	return 0, false
}

// wall returns the time at which clocks in loc show what clocks in UTC show at t.
func wall(t time.Time, loc *time.Location) time.Time {
	t = t.UTC()
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), loc)
}

// show writes a value for an error.
func show(v any) string {
	switch v := v.(type) {
	case nil:
		return "NULL"
	case []byte:
		return fmt.Sprintf("%.40q", v)
	case string:
		return fmt.Sprintf("%.40q", v)
	}
	return fmt.Sprintf("%.40s", fmt.Sprint(v))
}

// sample returns a value as a sample has it: NULL, NaN and what is infinite are a
// NaN, which is a gap.
func sample(v any) (float64, error) {
	var f float64
	switch v := v.(type) {
	case nil:
		return math.NaN(), nil
	case int64:
		return float64(v), nil
	case uint64:
		return float64(v), nil
	case float64:
		f = v
	case float32:
		// 1.1 of four bytes is 1.1, not 1.10000002384.
		f, _ = strconv.ParseFloat(strconv.FormatFloat(float64(v), 'g', -1, 32), 64)
	case bool:
		if v {
			return 1, nil
		}
		return 0, nil
	case string:
		return parse(v)
	case []byte:
		return parse(string(v))
	default:
		return 0, fmt.Errorf("%s is no number", show(v))
	}
	if math.IsInf(f, 0) {
		f = math.NaN() // no axis can show it
	}
	return f, nil
}

func parse(s string) (float64, error) {
	f, err := strconv.ParseFloat(string(bytes.TrimSpace([]byte(s))), 64)
	if err != nil {
		return 0, fmt.Errorf("%s is no number", show(s))
	}
	return sample(f)
}

// text returns a value as a label has it. NULL is none.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case []byte:
		return string(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	}
	return fmt.Sprint(v)
}
