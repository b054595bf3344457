package influx

import (
	"fmt"
	"math"
	"strconv"
)

// unit is what the timestamps of a body count, in ns; one that is missing means
// now.
type unit int64

const (
	nanosecond  unit = 1
	microsecond      = 1000 * nanosecond
	millisecond      = 1000 * microsecond
	second           = 1000 * millisecond
	minute           = 60 * second
	hour             = 60 * minute
)

// parseUnit reads the parameter "precision", of both versions of the API.
func parseUnit(s string) (unit, error) {
	switch s {
	case "", "ns", "n":
		return nanosecond, nil
	case "us", "u", "µ":
		return microsecond, nil
	case "ms":
		return millisecond, nil
	case "s":
		return second, nil
	case "m":
		return minute, nil
	case "h":
		return hour, nil
	}
	return 0, fmt.Errorf("invalid precision %.20q; valid are ns, us, ms, s, m and h", s)
}

// millis reads a timestamp and returns it in ms, rounded down.
func (u unit) millis(b []byte) (int64, error) {
	n, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("invalid timestamp %.40q; want a whole number of 64 bits", b)
	}
	if u < millisecond {
		per := int64(millisecond / u)
		ms := n / per
		if n%per < 0 {
			ms--
		}
		return ms, nil
	}
	per := int64(u / millisecond)
	if n > math.MaxInt64/per || n < math.MinInt64/per {
		return 0, fmt.Errorf("timestamp %d is out of range; is precision right?", n)
	}
	return n * per, nil
}
