// Package source is where samples come from: what a source is, how it is
// configured, and the Manager that keeps sources running.
//
// A new kind of source is one folder with a Config and a Source, and one line
// in package builtin.
package source

import (
	"context"
	"net/http"

	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/store"
)

// Source brings samples in.
type Source interface {
	// Run appends samples to app until ctx ends and then returns nil or ctx's
	// error, within a second or so. Any other error, and a panic, is logged and
	// shown, and Run is called again after a pause that grows. Returning nil
	// while ctx lives says that the source has nothing more to give; it is not
	// called again.
	Run(ctx context.Context, app store.Appender) error
}

// Receiver is a Source that is sent its samples over HTTP.
type Receiver interface {
	Source
	// Routes returns the handlers by their patterns, as in net/http:
	// "POST /api/v1/push". It is called once, before Run. While Run does not
	// run, the handlers answer 503 with Retry-After.
	Routes() map[string]http.Handler
}

// Config is a source as the configuration describes it: the value is the
// factory. An implementation is a pointer to a struct with yaml tags that New
// of its Registry filled with defaults. It is not changed once it is in use.
type Config interface {
	problem.Validator
	// Kind returns the kind's name, as the key "type" gives it.
	Kind() string
	// New returns a source that is ready to Run. It opens nothing yet.
	New(deps Deps) (Source, error)
}

// Deps is what a source is given by its surroundings.
type Deps struct {
	// Name is the source's name in the configuration.
	Name string
	// Logger already names the source. It is never nil.
	Logger *zap.Logger
	// Skip counts values that the source leaves out on purpose, such as texts.
	// It is never nil and safe for concurrent use.
	Skip func(n int)
	// Reject counts samples that were sent but could not be read, so that the
	// store never saw them; err is why, of one of them. It is never nil and safe
	// for concurrent use.
	Reject func(n int, err error)
}
