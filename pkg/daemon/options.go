package daemon

import (
	"fmt"
	"io"
	"net/http"
	"os"

	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/config"
	"github.com/chartd/chartd/pkg/session"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/builtin"
)

// Option changes how New puts a daemon together.
type Option func(*options) error

type options struct {
	callbacks map[string]session.RefreshCallback
	hooks     []chartHook
	kinds     source.Registry
	log       *zap.Logger
	file      string
	listen    string // "" for the configuration's
	over      []config.Setting
	lookup    func(string) (string, bool)
	announce  io.Writer
	version   string
	pages     map[string]http.Handler
}

// chartHook is a hook and the chart that it is for; "" is every chart.
type chartHook struct {
	chart string
	hook  session.Hook
}

func gather(opts []Option) (*options, error) {
	o := &options{
		callbacks: map[string]session.RefreshCallback{}, kinds: builtin.Kinds(), lookup: os.LookupEnv, announce: io.Discard,
		version: "chartd", pages: map[string]http.Handler{},
	}
	for _, opt := range opts {
		if err := opt(o); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// every turns the two ways to say "every chart" into one.
func every(chart string) string {
	if chart == "*" {
		return ""
	}
	return chart
}

// WithCallback makes f the handler of a chart: it runs on every tick of a
// watched view and when a client raises a callback. "" or "*" stands for every
// chart that has no handler of its own. It is an error to give a chart two, or
// to name a chart that the configuration does not have.
func WithCallback(chart string, f session.RefreshCallback) Option {
	return func(o *options) error {
		chart := every(chart)
		if f == nil {
			return fmt.Errorf("callback of chart %q is nil", chart)
		}
		if _, dup := o.callbacks[chart]; dup {
			return fmt.Errorf("chart %q has a callback already", chart)
		}
		o.callbacks[chart] = f
		return nil
	}
}

// WithHook runs h around every callback of a chart; "" or "*" stands for every
// chart. Hooks run in the order in which they were given.
func WithHook(chart string, h session.Hook) Option {
	return func(o *options) error {
		o.hooks = append(o.hooks, chartHook{every(chart), h})
		return nil
	}
}

// WithSource adds a kind of source, or replaces one: factory returns a pointer
// to a configuration that holds the defaults, and `type: kind` in the
// configuration file then stands for it.
func WithSource(kind string, factory func() source.Config) Option {
	return func(o *options) error {
		o.kinds = o.kinds.With(kind, factory)
		return nil
	}
}

// WithLogger logs to l instead of to the standard error as the configuration's
// log section says. The daemon does not sync it.
func WithLogger(l *zap.Logger) Option {
	return func(o *options) error {
		o.log = l
		return nil
	}
}

// WithConfigFile names the file that the configuration came from: it is read
// again when it changes and when ReloadFile is called.
func WithConfigFile(path string) Option {
	return func(o *options) error {
		o.file = path
		return nil
	}
}

// WithListen listens on addr, whatever the configuration says, now and after a
// reload. An empty addr leaves it to the configuration.
func WithListen(addr string) Option {
	return func(o *options) error {
		o.listen = addr
		return nil
	}
}

// WithSettings puts single values in the place of what the configuration says,
// when it is first read and at every reload: they are the flag --set. A
// configuration that New is given is taken as it is.
func WithSettings(over ...config.Setting) Option {
	return func(o *options) error {
		o.over = append(o.over, over...)
		return nil
	}
}

// WithEnv finds the environment variables of ${NAME} in the configuration
// file; without it they come from os.LookupEnv.
func WithEnv(lookup func(name string) (value string, ok bool)) Option {
	return func(o *options) error {
		o.lookup = lookup
		return nil
	}
}

// WithAnnounce writes one line with the address to w as soon as the daemon can
// be reached.
func WithAnnounce(w io.Writer) Option {
	return func(o *options) error {
		o.announce = w
		return nil
	}
}

// WithVersion says how the daemon calls itself in welcome messages and in
// /api/v1/charts: "chartd/0.1.0".
func WithVersion(v string) Option {
	return func(o *options) error {
		o.version = v
		return nil
	}
}

// WithPage serves h beside chartd's own pages; the pattern is as in net/http:
// "GET /{$}" is the start page, in place of the gallery.
func WithPage(pattern string, h http.Handler) Option {
	return func(o *options) error {
		if _, dup := o.pages[pattern]; dup {
			return fmt.Errorf("pattern %q has a page already", pattern)
		}
		o.pages[pattern] = h
		return nil
	}
}
