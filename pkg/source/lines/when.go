package lines

import (
	"bytes"
	"strings"
	"time"
)

// Names of the time formats that are no layouts.
const (
	unixSec   = "unix"
	unixMilli = "unix_ms"
	unixMicro = "unix_us"
	unixNano  = "unix_ns"
)

// layouts are tried for times that do not look like ISO 8601.
var layouts = [...]string{
	"02/Jan/2006:15:04:05 -0700", // web servers
	"2006/01/02 15:04:05",        // nginx, Go
	time.RFC1123, time.RFC1123Z, time.ANSIC, time.UnixDate,
	"01/02/2006 15:04:05", "01/02/06 15:04:05", "02.01.2006 15:04:05",
	"2006/01/02 15:04", "01/02/2006 15:04", "01/02/06 15:04", "02.01.2006 15:04", // spreadsheets
	"Jan _2 15:04:05", // syslog: without a year
}

// maybeTime is how long a text may be that is tried as a time, in bytes.
const maybeTime = 40

// clock reads times of one column.
type clock struct {
	format string // "" is found by itself
	layout string // that fitted last
}

// read returns a time in ms since the Unix epoch. strict refuses bare numbers,
// which only a column that is called a time may have. A time without a zone is
// in local time.
func (c *clock) read(b []byte, now int64, strict bool) (ms int64, ok bool) {
	b = bytes.TrimSpace(b)
	if len(b) == 0 || len(b) > maybeTime {
		return 0, false
	}
	switch c.format {
	case unixSec, unixMilli, unixMicro, unixNano:
		v, ok := number(b)
		return int64(v * map[string]float64{unixSec: 1e3, unixMilli: 1, unixMicro: 1e-3, unixNano: 1e-6}[c.format]), ok
	case "":
	default:
		return c.parse(c.format, b, now)
	}
	if v, ok := number(b); ok {
		return epoch(v), !strict && v > 1e8
	}
	if ms, ok := iso(b); ok {
		return ms, true
	}
	if !bytes.ContainsAny(b, ":") {
		return 0, false
	}
	if c.layout != "" {
		if ms, ok := c.parse(c.layout, b, now); ok {
			return ms, true
		}
	}
	for _, l := range layouts {
		if ms, ok := c.parse(l, b, now); ok {
			c.layout = l
			return ms, true
		}
	}
	return 0, false
}

func number(b []byte) (float64, bool) {
	if numeral(b) != len(b) {
		return 0, false
	}
	return parse(b)
}

// epoch takes a number of seconds, ms, µs or ns since 1970 for what its size
// says. Seconds reach to the year 5138, ms back to 1973.
func epoch(v float64) int64 {
	switch {
	case v < 1e11:
		return int64(v * 1e3)
	case v < 1e14:
		return int64(v)
	case v < 1e17:
		return int64(v / 1e3)
	}
	return int64(v / 1e6)
}

// parse reads a time by a layout of package time. A year that the layout does
// not have is this year's, or the last one's if that lies ahead.
func (c *clock) parse(layout string, b []byte, now int64) (int64, bool) {
	t, err := time.ParseInLocation(layout, string(b), time.Local)
	if err != nil {
		return 0, false
	}
	if t.Year() == 0 && !strings.Contains(layout, "06") {
		today := time.UnixMilli(now)
		t = t.AddDate(today.Year(), 0, 0)
		if t.After(today.AddDate(0, 0, 2)) {
			t = t.AddDate(-1, 0, 0)
		}
	}
	return t.UnixMilli(), true
}

// iso reads 2006-01-02T15:04:05.999Z, with a space for the T, a comma for the
// point, without a zone, seconds or fraction, without allocating.
func iso(b []byte) (ms int64, ok bool) {
	if len(b) < 16 || b[4] != '-' || b[7] != '-' || b[10] != 'T' && b[10] != ' ' && b[10] != 't' || b[13] != ':' {
		return 0, false
	}
	year, ok1 := digits(b[:4])
	month, ok2 := digits(b[5:7])
	day, ok3 := digits(b[8:10])
	hour, ok4 := digits(b[11:13])
	minute, ok5 := digits(b[14:16])
	if !ok1 || !ok2 || !ok3 || !ok4 || !ok5 || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 {
		return 0, false
	}
	b = b[16:]
	second, nanos := 0, 0
	if len(b) >= 3 && b[0] == ':' {
		if second, ok = digits(b[1:3]); !ok || second > 60 {
			return 0, false
		}
		b = b[3:]
		if len(b) > 1 && (b[0] == '.' || b[0] == ',') {
			unit := 100_000_000
			for b = b[1:]; len(b) > 0 && digit(b[0]); b = b[1:] {
				nanos += int(b[0]-'0') * unit
				unit /= 10
			}
		}
	}
	loc := time.Local
	offset := 0
	b = bytes.TrimSpace(b)
	switch {
	case len(b) == 0:
	case len(b) == 1 && b[0]|0x20 == 'z', string(b) == "UTC":
		loc = time.UTC
	case b[0] == '+' || b[0] == '-':
		hh, ok1 := digits(b[1:min(3, len(b))])
		mm, ok2 := digits(bytes.TrimPrefix(b[min(3, len(b)):], []byte{':'}))
		if !ok1 || !ok2 || hh > 23 || mm > 59 {
			return 0, false
		}
		loc, offset = time.UTC, (hh*60+mm)*60
		if b[0] == '-' {
			offset = -offset
		}
	default:
		return 0, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, nanos, loc)
	return t.UnixMilli() - int64(offset)*1e3, true
}

// digits reads a short number without a sign; none is 0.
func digits(b []byte) (n int, ok bool) {
	if len(b) > 4 {
		return 0, false
	}
	for _, c := range b {
		if !digit(c) {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

// timeOfDay reports whether b is a time without a day: 15:04:05, 15:04.
func timeOfDay(b []byte) bool {
	if len(b) < 4 || len(b) > 15 || !digit(b[0]) {
		return false
	}
	colons := 0
	for i, c := range b {
		switch {
		case digit(c), c == '.' && colons == 2:
		case c == ':' && i > 0 && i < len(b)-2:
			colons++
		default:
			return false
		}
	}
	return colons == 1 || colons == 2
}

// dayAt returns the local time of a day, as date knows it, at an hour, as
// timeOfDay does, in ms.
func dayAt(day, hour []byte) (ms int64, ok bool) {
	if !date(day) {
		return 0, false
	}
	text := string(day[:4]) + "-" + string(day[5:7]) + "-" + string(day[8:]) + " " + string(hour)
	t, err := time.ParseInLocation(time.DateTime, text, time.Local)
	if err != nil {
		t, err = time.ParseInLocation("2006-01-02 15:04", text, time.Local)
	}
	return t.UnixMilli(), err == nil
}

// date reports whether b is a day: 2006-01-02.
func date(b []byte) bool {
	return len(b) == 10 && b[4] == b[7] && (b[4] == '-' || b[4] == '/') && digit(b[0]) && digit(b[9]) && digit(b[5]) && digit(b[8])
}
