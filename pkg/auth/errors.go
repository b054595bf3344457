package auth

// Kind says why a credential was refused. It is a metric's label value.
type Kind string

// The kinds of refusals.
const (
	// KindMissing is no credential where one is needed.
	KindMissing Kind = "missing"
	// KindMalformed is a credential of no form that there is: too long, cut
	// short, not what its prefix promises.
	KindMalformed Kind = "malformed"
	// KindUnknown is a well-formed credential that nobody gave out: no such
	// token, no such key.
	KindUnknown Kind = "unknown"
	// KindExpired is a credential whose time is over.
	KindExpired Kind = "expired"
	// KindNotYet is a credential whose time has not come.
	KindNotYet Kind = "not_yet"
	// KindAudience is a JWT that was made for somebody else.
	KindAudience Kind = "audience"
	// KindIssuer is a JWT of another issuer.
	KindIssuer Kind = "issuer"
	// KindAlgorithm is a JWT with an algorithm that no key here has.
	KindAlgorithm Kind = "algorithm"
	// KindSignature is a credential that was altered, or signed with another
	// key.
	KindSignature Kind = "signature"
	// KindOrigin is a link that is shown by a page of another origin than it
	// was signed for.
	KindOrigin Kind = "origin"
	// KindRevoked is a credential that was good and was taken back.
	KindRevoked Kind = "revoked"
	// KindDisabled is a credential of a form that the configuration does not
	// provide for, whatever it says.
	KindDisabled Kind = "disabled"
	// KindUnavailable is a credential that cannot be judged at the moment,
	// because the keys of its issuer cannot be had.
	KindUnavailable Kind = "unavailable"
)

// Kinds lists every Kind.
func Kinds() []Kind {
	return []Kind{
		KindMissing, KindMalformed, KindUnknown, KindExpired, KindNotYet, KindAudience, KindIssuer,
		KindAlgorithm, KindSignature, KindOrigin, KindRevoked, KindDisabled, KindUnavailable,
	}
}

// Error says why a credential was refused. Its text holds nothing of the
// credential: it may be logged, and shown to whoever sent it.
type Error struct {
	// Kind is for programs and metrics.
	Kind Kind
	// Message is for people: what is wrong, and what would be right.
	Message string
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// Temporary reports whether the same credential may be good later.
func (e *Error) Temporary() bool { return e.Kind == KindUnavailable || e.Kind == KindNotYet }

func refuse(kind Kind, message string) *Error { return &Error{kind, message} }
