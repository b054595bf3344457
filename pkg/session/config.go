package session

import (
	"fmt"

	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/quantity"
)

// Config is the `session:` section of the configuration: how long sessions
// live, and how much each may ask for.
type Config struct {
	// TTL is how long a session without a connection can be resumed.
	TTL quantity.Duration `yaml:"ttl"`
	// MaxSessions bounds the sessions of this process, those that wait to be
	// resumed included; the longest waiting gives way to a new one.
	MaxSessions int `yaml:"max_sessions"`
	// MaxSessionsPerAddress bounds the sessions of one client address in the
	// same way.
	MaxSessionsPerAddress int `yaml:"max_sessions_per_address"`
	// MaxViews bounds the different views that are drawn at the same time.
	MaxViews int `yaml:"max_views"`
	// MaxSubscriptions bounds the views that one session watches.
	MaxSubscriptions int `yaml:"max_subscriptions"`
	// MessagesPerSecond bounds the messages of one connection, of all types
	// together; four times as many may come at once. Those beyond it are
	// refused, and who goes on is closed.
	MessagesPerSecond int `yaml:"messages_per_second"`
	// NewViewsPerMinute bounds the views that one session lets the server begin
	// to draw, of which 64 may come at once. A view that is drawn already, for
	// whomever, does not count.
	NewViewsPerMinute int `yaml:"new_views_per_minute"`
	// MaxQueue bounds the events and replies that wait for a slow client, in
	// bytes; over it, the connection is closed. Frames never queue.
	MaxQueue quantity.Bytes `yaml:"max_queue"`
	// CallbackTimeout is how long a RefreshCallback may take, with its Before
	// hooks; the hooks behind it have as much for themselves.
	CallbackTimeout quantity.Duration `yaml:"callback_timeout"`
	// CallbacksPerSecond bounds the callbacks of one session; as many may come
	// at once.
	CallbacksPerSecond int `yaml:"callbacks_per_second"`
	// MaxCallbacksWaiting bounds the callbacks of one session that wait for
	// the one that runs; over it, they are refused as busy.
	MaxCallbacksWaiting int `yaml:"max_callbacks_waiting"`
	// HelloTimeout is how long a fresh connection may take to say hello.
	HelloTimeout quantity.Duration `yaml:"hello_timeout"`
	// Linger is how long a view is still drawn after its last watcher left, so
	// that one who is back soon gets only what changed.
	Linger quantity.Duration `yaml:"linger"`
}

// DefaultConfig returns the values that Config has where YAML is silent. It is
// the one place that writes them down.
func DefaultConfig() Config {
	return Config{
		TTL:                   quantity.Duration(120e9),
		MaxSessions:           40_000,
		MaxSessionsPerAddress: 2_000,
		MaxViews:              2_000,
		MaxSubscriptions:      64,
		MessagesPerSecond:     50,
		NewViewsPerMinute:     300,
		MaxQueue:              1 << 20,
		CallbackTimeout:       quantity.Duration(5e9),
		CallbacksPerSecond:    20,
		MaxCallbacksWaiting:   16,
		HelloTimeout:          quantity.Duration(10e9),
		Linger:                quantity.Duration(10e9),
	}
}

// Validate returns every problem of the section, with paths in YAML's names.
func (c Config) Validate() []problem.Problem {
	var ps []problem.Problem
	for _, n := range []struct {
		path   string
		v, low int
	}{
		{"max_sessions", c.MaxSessions, 1},
		{"max_sessions_per_address", c.MaxSessionsPerAddress, 1},
		{"max_views", c.MaxViews, 1},
		{"max_subscriptions", c.MaxSubscriptions, 1},
		{"messages_per_second", c.MessagesPerSecond, 1},
		{"new_views_per_minute", c.NewViewsPerMinute, 1},
		{"callbacks_per_second", c.CallbacksPerSecond, 1},
		{"max_callbacks_waiting", c.MaxCallbacksWaiting, 0},
	} {
		if n.v < n.low {
			ps = append(ps, problem.Problem{Path: n.path, What: fmt.Sprintf("is %d", n.v), Want: fmt.Sprintf("at least %d", n.low)})
		}
	}
	for _, d := range []struct {
		path         string
		v, low, high quantity.Duration
	}{
		{"ttl", c.TTL, 0, quantity.Duration(24 * 3600e9)},
		{"callback_timeout", c.CallbackTimeout, quantity.Duration(10e6), quantity.Duration(600e9)},
		{"hello_timeout", c.HelloTimeout, quantity.Duration(100e6), quantity.Duration(600e9)},
		{"linger", c.Linger, 0, quantity.Duration(600e9)},
	} {
		if d.v < d.low || d.v > d.high {
			ps = append(ps, problem.Problem{Path: d.path, What: fmt.Sprintf("is %v", d.v), Want: fmt.Sprintf("%v to %v", d.low, d.high)})
		}
	}
	if c.MaxQueue < 4<<10 || c.MaxQueue > 1<<30 {
		ps = append(ps, problem.Problem{Path: "max_queue", What: fmt.Sprintf("is %v", c.MaxQueue), Want: "4KiB to 1GiB"})
	}
	return ps
}
