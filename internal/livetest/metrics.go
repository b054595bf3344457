package livetest

import (
	"strconv"
	"strings"
	"testing"
)

// Sum returns the sum of a metric in what a /metrics page says: of the series
// that have every one of labels, such as `chart="cpu"`. It is 0 if there is none.
func Sum(t testing.TB, page, metric string, labels ...string) (sum float64) {
	t.Helper()
lines:
	for line := range strings.Lines(page) {
		series, value, ok := strings.Cut(strings.TrimSpace(line), " ")
		if name, _, _ := strings.Cut(series, "{"); !ok || name != metric {
			continue
		}
		for _, l := range labels {
			if !strings.Contains(series, l) {
				continue lines
			}
		}
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		sum += v
	}
	return sum
}
