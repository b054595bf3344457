package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/quantity"
)

// changeOf reads the parameters of a chart's view from a query string:
// window, from, to, replay.at, replay.since, replay.speed, size, hidden (once for
// each name), title, timezone, marks, thresholds, refresh and vars.NAME. Names in also may be there as well. Errors name
// every parameter that is wrong.
func changeOf(q url.Values, also ...string) (plotting.Change, error) {
	var c plotting.Change
	var errs []error
	for _, name := range sortedKeys(q) {
		values := q[name]
		if len(values) > 1 && name != "hidden" {
			errs = append(errs, fmt.Errorf("%s: stands there %d times; once is right", name, len(values)))
			continue
		}
		var err error
		switch v := values[0]; name {
		case "window":
			c.Window, err = duration(v)
		case "refresh":
			c.Refresh, err = duration(v)
		case "from":
			c.From, err = instant(v)
		case "to":
			c.To, err = instant(v)
		case "replay.at", "replay.since", "replay.speed":
			if c.Replay == nil {
				c.Replay = &plotting.Replay{}
			}
			err = replay(c.Replay, name, v)
		case "size":
			c.Size, err = size(v)
		case "title":
			c.Title = &v
		case "timezone":
			c.Timezone = &v
		case "hidden":
			c.Hidden = &values
		case "marks":
			c.Marks = new([]plotting.Mark)
			err = list(v, c.Marks, `[{"t":1700000000000,"text":"deploy"}]`)
		case "thresholds":
			c.Thresholds = new([]plotting.Threshold)
			err = list(v, c.Thresholds, `[{"at":80,"level":"alarm"}]`)
		default:
			key, isVar := strings.CutPrefix(name, "vars.")
			switch {
			case isVar:
				if c.Vars == nil {
					c.Vars = make(map[string]string)
				}
				c.Vars[key] = v
			case !slices.Contains(also, name):
				known := append([]string{"window", "from", "to", "replay.at", "replay.since", "replay.speed", "size", "hidden", "title", "timezone", "marks", "thresholds", "refresh", "vars.NAME"}, also...)
				err = errors.New("is no parameter; " + problem.OneOf(name, known))
			}
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
	}
	return c, errors.Join(errs...)
}

func sortedKeys(q url.Values) []string {
	keys := make([]string, 0, len(q))
	for k := range q {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func duration(s string) (*quantity.Duration, error) {
	d, err := quantity.ParseDuration(s)
	return &d, err
}

// instant reads ms since the Unix epoch or a time as RFC 3339 writes it.
func instant(s string) (*int64, error) {
	if ms, err := strconv.ParseInt(s, 10, 64); err == nil {
		return &ms, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return nil, fmt.Errorf("%q is not a time; write ms since 1970 or 2006-01-02T15:04:05Z", s)
	}
	return new(t.UnixMilli()), nil
}

// list reads JSON, as a client's message has it.
func list(s string, to any, such string) error {
	if json.Unmarshal([]byte(s), to) != nil {
		return fmt.Errorf("is no list that can be read; write JSON such as %s", such)
	}
	return nil
}

// replay reads one field of a replay.
func replay(r *plotting.Replay, name, s string) (err error) {
	if name == "replay.speed" {
		if r.Speed, err = strconv.ParseFloat(s, 64); err != nil {
			return fmt.Errorf("%q is not a number; write how many times as fast as it was, such as 10", s)
		}
		return nil
	}
	t, err := instant(s)
	switch {
	case err != nil:
		return err
	case name == "replay.at":
		r.At = *t
	default:
		r.Since = *t
	}
	return nil
}

func size(s string) (*[2]int, error) {
	w, h, ok := strings.Cut(s, "x")
	if ok {
		width, errW := strconv.Atoi(w)
		height, errH := strconv.Atoi(h)
		if errW == nil && errH == nil {
			return &[2]int{width, height}, nil
		}
	}
	return nil, fmt.Errorf("%q is not a size; write it as 800x400", s)
}
