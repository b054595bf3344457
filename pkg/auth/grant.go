package auth

import (
	"encoding/json"
	"time"
)

// Grant is what one credential allows. It is immutable and may be shared: all
// who show the same static token have the same Grant. Make one with
// Gate.Identify, Gate.Confirm or Everybody.
type Grant struct {
	id, name string
	form     Form
	expires  time.Time
	admin    bool
	read     globs
	call     globs
	link     *Link           // of FormLink
	claims   json.RawMessage // of FormJWT: those that handlers are told
	signer   signer
}

// signer remembers what vouched for a grant, so that a later Gate can say
// whether it still would.
type signer struct {
	key   digest // of the static token, the link's key, or the JWT's key
	rules digest // of a JWT: what turned its claims into rights
	jwks  bool   // of a JWT: the key was fetched
}

// Form is what kind of credential a Grant comes from. It is a metric's label
// value.
type Form string

// The forms.
const (
	// FormOpen is no authentication at all.
	FormOpen Form = "open"
	// FormAnonymous is a client without a credential.
	FormAnonymous Form = "anonymous"
	// FormToken is a static token.
	FormToken Form = "token"
	// FormJWT is a JSON Web Token.
	FormJWT Form = "jwt"
	// FormLink is a signed embed link.
	FormLink Form = "link"
)

// Everybody returns the Grant that allows everything and never expires: what
// everybody has where nothing is configured.
func Everybody() *Grant {
	return &Grant{id: "everybody", name: "everybody", form: FormOpen, admin: true}
}

// ID tells grants apart for counting: the link's id, the token's name, the
// JWT's subject, each with its form in front, as "link:3f9k2m". Grants of
// equal credentials have equal ids, on every node.
func (g *Grant) ID() string { return g.id }

// Name is for logs and pages: "token wall", "jwt alice", "link 3f9k2m",
// "anonymous". It never holds a credential. Of a JWT it holds the subject,
// cut and without control characters.
func (g *Grant) Name() string { return g.name }

// Form returns what kind of credential it comes from.
func (g *Grant) Form() Form { return g.form }

// Claims returns the claims of a JWT that jwt.claims names, as far as it has them:
// a JSON object, which must not be changed. It is nil for everybody else.
func (g *Grant) Claims() json.RawMessage { return g.claims }

// Expires returns when the grant ends, the leeway included; zero is never.
func (g *Grant) Expires() time.Time { return g.expires }

// Expired reports whether the grant has ended at now.
func (g *Grant) Expired(now time.Time) bool { return !g.expires.IsZero() && !now.Before(g.expires) }

// Admin reports whether everything is allowed, that of operators included.
func (g *Grant) Admin() bool { return g.admin }

// MayRead reports whether the chart of that name may be watched.
func (g *Grant) MayRead(chart string) bool { return g.admin || g.read.match(chart) }

// MayCall reports whether callbacks of the chart of that name may be raised.
// Who may not read a chart may not call it.
func (g *Grant) MayCall(chart string) bool {
	return g.admin || g.call.match(chart) && g.read.match(chart)
}

// MaxSessions returns how many sessions may have a grant of this ID at the
// same time; 0 is any number. Only links bound it.
func (g *Grant) MaxSessions() int {
	if g.link == nil {
		return 0
	}
	return g.link.MaxSessions
}

// Origins returns the origins whose pages may show what the grant allows, as
// "https://example.com"; none is any. They belong into the header
// Content-Security-Policy (frame-ancestors) of a page that is made for this
// grant: Identify has checked only the page that asked. The caller must not
// change the list.
func (g *Grant) Origins() []string {
	if g.link == nil {
		return nil
	}
	return g.link.Origins
}

// Pinned returns the value that a link pins a var of its chart to.
func (g *Grant) Pinned(name string) (value string, ok bool) {
	if g.link == nil {
		return "", false
	}
	value, ok = g.link.View.Vars[name]
	return value, ok
}

// access returns what rights a list of names gives.
func access(a Access) (read, call globs) { return globs(a.Read), globs(a.Callback) }
