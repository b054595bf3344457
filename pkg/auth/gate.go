package auth

import (
	"context"
	"crypto/subtle"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"
)

// MaxCredential is how long a credential may be, in bytes. A longer one is
// refused before anybody looks into it.
const MaxCredential = 8 << 10

// Gate decides who may do what. It is immutable but for the keys that it
// fetches, and safe for concurrent use. Make one with New; a reload makes a
// new one.
type Gate struct {
	enabled   bool
	tokens    []credential[*Grant]
	ingest    []credential[string]
	jwt       *verifier // nil: no JWT is believed
	links     linkKeys
	revoked   map[string]bool
	anonymous *Grant // nil: nobody comes in without a credential
}

// credential is a text that stands for something, kept as its digest: it can
// be neither printed nor compared byte by byte.
type credential[T any] struct {
	sum   digest
	value T
}

// find returns what stands for a text. It looks at every entry and compares in
// constant time, so that how long it takes tells nothing.
func find[T any](list []credential[T], sum digest) (value T, ok bool) {
	at := -1
	for i := range list {
		at = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(list[i].sum[:], sum[:]), i, at)
	}
	if at < 0 {
		return value, false
	}
	return list[at].value, true
}

// New returns the Gate of a valid Config. prev is the one whose place it
// takes, or nil: keys that were fetched from the same jwks stay. New reads the
// files of jwt.keys, fetches nothing and starts nothing: see Run. log, which
// may be nil, is told about fetches.
func New(cfg Config, prev *Gate, log *zap.Logger) (*Gate, error) {
	if ps := cfg.Validate(); len(ps) > 0 {
		return nil, fmt.Errorf("auth: %w", ps[0])
	}
	if log == nil {
		log = zap.NewNop()
	}
	g := &Gate{enabled: cfg.enabled(), links: newLinkKeys(cfg.Links), revoked: map[string]bool{}}
	for _, id := range cfg.Links.Revoked {
		g.revoked[id] = true
	}
	for _, t := range cfg.Tokens {
		grant := &Grant{id: "token:" + t.Name, name: "token " + t.Name, form: FormToken, admin: t.Admin}
		grant.read, grant.call = access(Access{slices.Clone(t.Read), slices.Clone(t.Callback)})
		grant.signer.key = digestOf(string(t.Token))
		g.tokens = append(g.tokens, credential[*Grant]{grant.signer.key, grant})
	}
	for _, t := range cfg.Ingest {
		g.ingest = append(g.ingest, credential[string]{digestOf(string(t.Token)), t.Name})
	}
	if a := cfg.Anonymous; len(a.Read) > 0 {
		g.anonymous = &Grant{id: "anonymous", name: "anonymous", form: FormAnonymous}
		g.anonymous.read, g.anonymous.call = access(Access{slices.Clone(a.Read), slices.Clone(a.Callback)})
	}
	if cfg.JWT.enabled() {
		var before *jwks
		if prev != nil && prev.jwt != nil {
			before = prev.jwt.jwks
		}
		var err error
		if g.jwt, err = newVerifier(cfg.JWT, before, log); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// String says nothing of what is inside.
func (g *Gate) String() string { return "auth.Gate" }

// GoString returns what String returns.
func (g *Gate) GoString() string { return g.String() }

// Run keeps the keys of jwks fresh. It returns nil when ctx ends, or at once if
// there is nothing to fetch; it starts no goroutine that outlives it. Until its
// first fetch is done, and while none was ever successful, JWTs that need the
// keys are refused as KindUnavailable. It may be called once.
func (g *Gate) Run(ctx context.Context) error {
	if g.jwt != nil && g.jwt.jwks != nil {
		g.jwt.jwks.run(ctx)
	}
	return nil
}

// Enabled reports whether anything is configured. If not, Identify returns
// Everybody, whatever it is shown.
func (g *Gate) Enabled() bool { return g.enabled }

// Identify returns what a credential allows. An empty one is an anonymous
// client. The error is an *Error. ctx bounds the wait for a key that a JWT
// names and that must be fetched first; the wait is short in any case.
func (g *Gate) Identify(ctx context.Context, credential string, from Visitor) (*Grant, error) {
	grant, refusal := g.identify(ctx, credential, from)
	if refusal != nil {
		return nil, refusal
	}
	return grant, nil
}

func (g *Gate) identify(ctx context.Context, credential string, from Visitor) (*Grant, *Error) {
	switch {
	case !g.enabled:
		return Everybody(), nil
	case credential == "" && g.anonymous != nil:
		return g.anonymous, nil
	case credential == "":
		return nil, refuse(KindMissing, "a token is needed here")
	case len(credential) > MaxCredential:
		return nil, refuse(KindMalformed, fmt.Sprintf("the token has %d bytes; at most %d", len(credential), MaxCredential))
	case strings.HasPrefix(credential, LinkPrefix):
		return g.openLink(credential, from)
	}
	if grant, ok := find(g.tokens, digestOf(credential)); ok {
		return grant, nil
	}
	if !looksLikeJWT(credential) {
		return nil, refuse(KindUnknown, "nobody has this token")
	}
	if g.jwt == nil {
		return nil, refuse(KindDisabled, "no JSON Web Tokens are taken here: there is no key in the setting auth.jwt")
	}
	return g.jwt.grant(ctx, credential)
}

// openLink returns what a signed link allows.
func (g *Gate) openLink(token string, from Visitor) (*Grant, *Error) {
	if len(g.links) == 0 {
		return nil, refuse(KindDisabled, "no links are taken here: there is no setting auth.links.secret")
	}
	link, signedBy, refusal := g.links.open(token)
	switch {
	case refusal != nil:
		return nil, refusal
	case g.revoked[link.ID]:
		return nil, errRevoked()
	}
	grant := &Grant{
		id: "link:" + link.ID, name: "link " + link.ID, form: FormLink,
		expires: link.Expires, read: globs{link.Chart}, link: link, signer: signer{key: signedBy},
	}
	switch {
	case grant.Expired(time.Now()):
		return nil, refuse(KindExpired, "the link expired on "+link.Expires.UTC().Format("2 January 2006 at 15:04 MST"))
	case len(link.Origins) == 0 || from.Page || from.among(link.Origins):
		return grant, nil
	case from.Origin == "":
		return nil, refuse(KindOrigin, "the link is for some pages alone, and the request does not say which page it is from")
	}
	return nil, refuse(KindOrigin, "the link is for pages of another origin")
}

func errRevoked() *Error { return refuse(KindRevoked, "the link was revoked") }

// Confirm returns the Grant that takes the place of one which an earlier Gate
// has given, so that a reload reaches sessions that are open: the token's
// rights may be different, or the link revoked. The error is an *Error; it
// says that this gate does not know the credential from the grant alone, not
// that the credential is bad. Whoever holds it may show it again.
func (g *Gate) Confirm(old *Grant) (*Grant, error) {
	grant, refusal := g.confirm(old)
	if refusal != nil {
		return nil, refusal
	}
	return grant, nil
}

func (g *Gate) confirm(old *Grant) (*Grant, *Error) {
	changed := refuse(KindRevoked, "what the token allows has changed; show it again")
	switch {
	case !g.enabled:
		return Everybody(), nil
	case old.Expired(time.Now()):
		return nil, refuse(KindExpired, "the token has expired; get a new one")
	case old.form == FormToken:
		if grant, ok := find(g.tokens, old.signer.key); ok {
			return grant, nil
		}
	case old.form == FormLink:
		if g.revoked[old.link.ID] {
			return nil, errRevoked()
		}
		if g.links.has(old.signer.key) {
			return old, nil
		}
	case old.form == FormJWT:
		if g.jwt != nil && g.jwt.vouches(old.signer) {
			return old, nil
		}
	case g.anonymous != nil:
		return g.anonymous, nil
	default:
		return nil, refuse(KindMissing, "a token is needed here")
	}
	return nil, changed
}

// Ingest returns the name of the token that allows to send samples; the name
// is empty if nothing is configured. The error is an *Error.
func (g *Gate) Ingest(credential string) (name string, err error) {
	switch {
	case !g.enabled:
		return "", nil
	case len(g.ingest) == 0:
		return "", refuse(KindDisabled, "nobody may send samples here: there is no token in the setting auth.ingest")
	case credential == "":
		return "", refuse(KindMissing, "a token of the setting auth.ingest is needed to send samples")
	case len(credential) > MaxCredential:
		return "", refuse(KindMalformed, fmt.Sprintf("the token has %d bytes; at most %d", len(credential), MaxCredential))
	}
	if name, ok := find(g.ingest, digestOf(credential)); ok {
		return name, nil
	}
	return "", refuse(KindUnknown, "this is no token of the setting auth.ingest")
}
