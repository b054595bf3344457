package lines

import (
	"strings"
	"unicode"
)

// Identifier returns a column's name as metrics and labels have it: letters,
// digits and _; % is percent.
func Identifier(name string) string {
	var b strings.Builder
	gap := false
	word := func(s string) {
		if gap && b.Len() > 0 {
			b.WriteByte('_')
		}
		gap = false
		b.WriteString(s)
	}
	for _, c := range name {
		switch {
		case c == '%':
			gap = true
			word("percent")
			gap = true
		case unicode.IsLetter(c) || unicode.IsDigit(c) && c < 0x80 || c == '_':
			word(string(c))
		default:
			gap = true
		}
	}
	out := strings.Trim(b.String(), "_")
	if out == "" {
		return "column"
	}
	if len(out) > 100 {
		out = strings.ToValidUTF8(out[:100], "")
	}
	return out
}

// IsTimeName reports whether a column is probably called after what it holds: a
// time.
func IsTimeName(name string) bool {
	switch strings.ToLower(strings.Trim(name, "@#_ ")) {
	case "time", "timestamp", "ts", "t", "date", "datetime", "date_time", "date time", "epoch", "when", "unixtime", "unix_time", "time_ms", "timestamp_ms", "created_at":
		return true
	}
	return false
}

// isNameName reports whether a column probably holds what a row is called.
func isNameName(name string) bool {
	switch strings.ToLower(name) {
	case "name", "host", "hostname", "device", "dev", "sensor", "room", "container", "instance", "service", "node", "channel", "symbol", "interface", "iface", "location", "station":
		return true
	}
	return false
}

// isIDName reports whether a column's numbers are names.
func isIDName(name string) bool {
	lower := strings.ToLower(name)
	return lower == "id" || lower == "pid" || lower == "uid" || strings.HasSuffix(lower, "_id") || strings.HasSuffix(lower, " id") || strings.HasSuffix(lower, ".id")
}

// unitByName guesses from a column's name what its values are; scale turns
// them into the unit.
func unitByName(name string) (u Unit, scale float64) {
	lower := strings.ToLower(name)
	size := 0.0
	switch {
	case strings.Contains(lower, "kb") || strings.Contains(lower, "kib"):
		size = 1 << 10
	case strings.Contains(name, "MB") || strings.Contains(lower, "mib"):
		size = 1 << 20
	case strings.Contains(name, "GB") || strings.Contains(lower, "gib"):
		size = 1 << 30
	case strings.Contains(lower, "byte"):
		size = 1
	}
	words := strings.FieldsFunc(lower, func(c rune) bool {
		return !unicode.IsLetter(c) && !unicode.IsDigit(c) && c != '%' && c != '/' && c != '°'
	})
	last := ""
	if len(words) > 0 {
		last = words[len(words)-1]
	}
	perSecond := strings.HasSuffix(lower, "/s") || strings.HasSuffix(lower, "/sec") || strings.HasSuffix(lower, "per_second") || strings.HasSuffix(lower, "_ps")
	switch {
	case strings.Contains(name, "%") || last == "percent" || last == "pct":
		return Percent, 1
	case size > 0 && perSecond:
		return BytesPerSec, size
	case size > 0:
		return Bytes, size
	case perSecond || lower == "tps" || lower == "iops" || lower == "rps" || lower == "qps":
		return PerSec, 1
	case last == "ms" || last == "millis" || last == "msec" || last == "await":
		return Millis, 1
	case last == "us" && len(words) > 1 || last == "usec":
		return Seconds, 1e-6
	case last == "seconds" || last == "sec" || last == "secs":
		return Seconds, 1
	case last == "celsius" || last == "°c":
		return Celsius, 1
	}
	return None, 1
}
