package plotting

import (
	"fmt"
	"strings"
	"time"
)

// zoneOf returns the zone that a view asks for by its IANA name. What a machine
// calls its own is no name: it would be another zone elsewhere.
func zoneOf(name string) (*time.Location, error) {
	const want = `a name such as "Europe/Berlin" or "UTC" is right, or "" for the chart's own`
	if len(name) > MaxText {
		return nil, fmt.Errorf("a name of %d bytes; %s", len(name), want)
	}
	if strings.EqualFold(name, "local") || name == "" {
		return nil, fmt.Errorf("there is no time zone %q; %s", name, want)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("there is no time zone %q; %s", name, want)
	}
	return zone, nil
}
