package auth

import (
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/secret"
)

// Config is the `auth:` section of the configuration. Without it, or empty,
// everybody may do everything; with it, nobody may do anything that it does
// not say.
type Config struct {
	// Tokens are texts that give rights to whoever shows one, for clients that
	// have no other identity: a wall screen, a script.
	Tokens []Token `yaml:"tokens"`
	// JWT says which JSON Web Tokens are believed, and what they allow.
	JWT JWT `yaml:"jwt"`
	// Anonymous is what a client without any token may do; nothing by default.
	Anonymous Access `yaml:"anonymous"`
	// Links are signed embed links, made by `chartd sign`: one chart for
	// whoever has the link, until it expires.
	Links Links `yaml:"links"`
	// Ingest are the tokens of those who send samples. Without one, nobody may
	// send any.
	Ingest []IngestToken `yaml:"ingest"`
}

// Access is what somebody may do.
type Access struct {
	// Read names the charts that may be watched; "*" stands for any text, as in
	// "rack-*".
	Read []string `yaml:"read"`
	// Callback names the charts whose callbacks may be raised, in the same
	// way. They must be readable, too.
	Callback []string `yaml:"callback"`
}

// Token is one static token.
type Token struct {
	// Name stands for the token in logs and errors.
	Name string `yaml:"name"`
	// Token is the text itself, of at least 16 bytes; take it from the
	// environment: "${WALL_TOKEN}".
	Token secret.Text `yaml:"token"`
	Access
	// Admin allows everything, on every chart.
	Admin bool `yaml:"admin"`
}

// IngestToken is one token that allows to send samples.
type IngestToken struct {
	// Name stands for the token in logs and errors.
	Name string `yaml:"name"`
	// Token is the text itself, of at least 16 bytes; take it from the
	// environment: "${TELEGRAF_TOKEN}".
	Token secret.Text `yaml:"token"`
}

// Algorithm is how a JSON Web Token is signed.
type Algorithm string

// The algorithms. Which of them a token may have is up to the key: a secret is
// for HS256, an RSA key for RS256, and so on.
const (
	HS256 Algorithm = "HS256"
	RS256 Algorithm = "RS256"
	ES256 Algorithm = "ES256"
	EdDSA Algorithm = "EdDSA"
)

// Algorithms lists every Algorithm.
func Algorithms() []Algorithm { return []Algorithm{HS256, RS256, ES256, EdDSA} }

// JWT is the `auth.jwt:` section.
type JWT struct {
	// Secret is shared with whoever signs with HS256, of at least 32 bytes.
	Secret secret.Text `yaml:"secret"`
	// Keys are PEM files with the public keys of those who sign with RS256,
	// ES256 or EdDSA, of more than one key if need be. They are read at the start
	// and at a reload.
	Keys []string `yaml:"keys"`
	// JWKS is the URL of the issuer's key set. It is fetched in the background,
	// again every jwks_refresh, and when a token names a key that is not there;
	// while it cannot be had, the last keys stay in use.
	JWKS string `yaml:"jwks"`
	// JWKSRefresh is the time between two fetches of jwks.
	JWKSRefresh quantity.Duration `yaml:"jwks_refresh"`
	// Issuer is what the claim "iss" must be; empty is any.
	Issuer string `yaml:"issuer"`
	// Audience is what the claim "aud" must be or contain; empty is any, which
	// is refused with jwks, because an issuer signs for others too.
	Audience string `yaml:"audience"`
	// Leeway is how much the clocks of the issuer and of this machine may
	// differ.
	Leeway quantity.Duration `yaml:"leeway"`
	// Algorithms narrows the algorithms to these; empty is what the keys are
	// for.
	Algorithms []Algorithm `yaml:"algorithms"`
	// WithoutExpiry also takes tokens without the claim "exp", which are good
	// for ever.
	WithoutExpiry bool `yaml:"without_expiry"`
	// ReadClaim is the claim that holds what the token may read: a list of
	// names with "*", or a text with spaces between them.
	ReadClaim string `yaml:"read_claim"`
	// CallbackClaim is the claim that holds whose callbacks it may raise.
	CallbackClaim string `yaml:"callback_claim"`
	// AdminClaim is the claim that, if true, allows everything.
	AdminClaim string `yaml:"admin_claim"`
	// Claims are those that the handlers of callbacks are told of their caller:
	// webhooks, scripts, templates and Go. Of the token they see nothing else.
	Claims []string `yaml:"claims"`
	// Read names the charts that tokens without the claim read_claim may read.
	Read []string `yaml:"read"`
	// Callback names the charts whose callbacks tokens without the claim
	// callback_claim may raise.
	Callback []string `yaml:"callback"`
}

// Links is the `auth.links:` section.
type Links struct {
	// Secret signs the links, of at least 32 bytes; without it there are none.
	Secret secret.Text `yaml:"secret"`
	// OldSecrets still open links that they have signed, so that a new secret
	// does not end those at once.
	OldSecrets []secret.Text `yaml:"old_secrets"`
	// Revoked are the ids of links that are good no more, as `chartd sign` has
	// written them.
	Revoked []string `yaml:"revoked"`
}

// DefaultConfig returns the values that Config has where YAML is silent: no
// authentication. It is the one place that writes them down.
func DefaultConfig() Config {
	return Config{JWT: JWT{
		JWKSRefresh:   quantity.Duration(900e9),
		Leeway:        quantity.Duration(30e9),
		ReadClaim:     "chartd_read",
		CallbackClaim: "chartd_callback",
		AdminClaim:    "chartd_admin",
		Claims:        []string{"sub", "chartd_read", "chartd_callback", "chartd_admin"},
	}}
}
