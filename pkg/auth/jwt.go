package auth

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/golang-jwt/jwt/v5"
	"go.uber.org/zap"
)

// verifier turns JWTs into grants.
type verifier struct {
	cfg    JWT
	own    keys  // of the secret and the files
	jwks   *jwks // nil: none is fetched
	parser *jwt.Parser
	rules  digest
}

func newVerifier(cfg JWT, before *jwks, log *zap.Logger) (*verifier, error) {
	cfg.Read, cfg.Callback, cfg.Claims = slices.Clone(cfg.Read), slices.Clone(cfg.Callback), slices.Clone(cfg.Claims)
	v := &verifier{cfg: cfg, rules: rulesOf(cfg)}
	if cfg.Secret != "" {
		v.own = append(v.own, secretKey(cfg.Secret))
		v.cfg.Secret = ""
	}
	for _, file := range cfg.Keys {
		ks, err := readPEM(file)
		if err != nil {
			return nil, fmt.Errorf("auth.jwt.keys: %s: %w", file, err)
		}
		v.own = append(v.own, ks...)
	}
	if cfg.JWKS != "" {
		v.jwks = newJWKS(cfg.JWKS, cfg.JWKSRefresh.Std(), before, log)
	}
	options := []jwt.ParserOption{
		// keysOf decides by the keys; this is the second lock.
		jwt.WithValidMethods([]string{string(HS256), string(RS256), string(ES256), string(EdDSA)}),
		jwt.WithStrictDecoding(), jwt.WithLeeway(cfg.Leeway.Std()), jwt.WithIssuedAt(),
	}
	if !cfg.WithoutExpiry {
		options = append(options, jwt.WithExpirationRequired())
	}
	if cfg.Issuer != "" {
		options = append(options, jwt.WithIssuer(cfg.Issuer))
	}
	if cfg.Audience != "" {
		options = append(options, jwt.WithAudience(cfg.Audience))
	}
	v.parser = jwt.NewParser(options...)
	return v, nil
}

// rulesOf returns a digest of what turns claims into rights, the keys left
// out.
func rulesOf(cfg JWT) digest {
	cfg.Secret, cfg.Keys, cfg.JWKSRefresh = "", nil, 0
	b, err := json.Marshal(cfg)
	if err != nil {
		panic(err) // texts, numbers and lists always encode
	}
	return digestOf(string(b))
}

// vouches reports whether the verifier would give the same grant for the same
// token, as far as can be known without it.
func (v *verifier) vouches(s signer) bool {
	return s.rules == v.rules && (v.own.has(s.key) || s.jwks && v.jwks != nil)
}

// looksLikeJWT reports whether a credential is meant to be a JWT: three parts,
// the first of which is an object in base64.
func looksLikeJWT(s string) bool { return strings.HasPrefix(s, "ey") && strings.Count(s, ".") == 2 }

// grant verifies a token and returns what it allows.
func (v *verifier) grant(ctx context.Context, token string) (*Grant, *Error) {
	// The decoder of base64 skips line breaks: without them there is one
	// spelling of a token.
	if strings.Trim(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") != "" || strings.ContainsAny(token, "\r\n") {
		return nil, malformedJWT()
	}
	var found keys // those that were tried
	claims := jwt.MapClaims{}
	parsed, err := v.parser.ParseWithClaims(token, claims, func(t *jwt.Token) (any, error) {
		var refusal *Error
		if found, refusal = v.keysOf(ctx, t.Header); refusal != nil {
			return nil, refusal
		}
		set := jwt.VerificationKeySet{}
		for _, k := range found {
			set.Keys = append(set.Keys, k.material)
		}
		return set, nil
	})
	if err != nil {
		return nil, v.refusal(parsed, err)
	}
	for _, name := range []string{"nbf", "iat"} {
		// The library makes a time in the past of a number that no time holds.
		if t, ok := claims[name].(float64); ok && t > maxDate {
			return nil, refuse(KindNotYet, "the token is not valid yet")
		}
	}
	g := &Grant{form: FormJWT, signer: signer{rules: v.rules}}
	g.signer.key, g.signer.jwks = v.signerOf(token, parsed, found)
	if refusal := v.rights(g, claims); refusal != nil {
		return nil, refusal
	}
	if g.claims, err = v.told(token); err != nil {
		return nil, malformedJWT()
	}
	return g, nil
}

// maxDate is the last time that a claim may name, in seconds since 1970: the end
// of the year 9999, as in RFC 3339.
const maxDate = 253_402_300_799

// told returns the claims of a verified token that handlers may see. They are
// read again, so that numbers stay what they are.
func (v *verifier) told(token string) (json.RawMessage, error) {
	b, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	all := map[string]any{}
	if err := dec.Decode(&all); err != nil {
		return nil, err
	}
	maps.DeleteFunc(all, func(name string, _ any) bool { return !slices.Contains(v.cfg.Claims, name) })
	if len(all) == 0 {
		return nil, nil
	}
	return json.Marshal(all)
}

// signerOf returns which of the keys that fit has signed the token.
func (v *verifier) signerOf(token string, parsed *jwt.Token, found keys) (digest, bool) {
	text := token[:strings.LastIndexByte(token, '.')]
	for _, k := range found {
		if len(found) == 1 || parsed.Method.Verify(text, parsed.Signature, k.material) == nil {
			return k.sum, !v.own.has(k.sum)
		}
	}
	return digest{}, false
}

// keysOf returns the keys that may have signed a token with this header. The
// header chooses among the keys there are, and nothing else: whatever address
// or key it brings along ("jku", "x5u", "jwk") is not looked at.
func (v *verifier) keysOf(ctx context.Context, header map[string]any) (keys, *Error) {
	// A token that must be understood in a way that is not known here.
	if _, there := header["crit"]; there {
		return nil, refuse(KindMalformed, "the token asks for extensions that are not known here")
	}
	if typ, there := header["typ"]; there {
		text, ok := typ.(string)
		if !ok || !slices.Contains([]string{"jwt", "at+jwt"}, strings.TrimPrefix(strings.ToLower(text), "application/")) {
			return nil, refuse(KindMalformed, "the token is of a type that is for something else than access")
		}
	}
	text, ok := header["alg"].(string)
	if !ok {
		return nil, malformedJWT()
	}
	alg := Algorithm(text)
	id := ""
	if kid, there := header["kid"]; there {
		if id, ok = kid.(string); !ok || len(id) > maxKeyID {
			return nil, malformedJWT()
		}
	}
	narrow := len(v.cfg.Algorithms) > 0 && !slices.Contains(v.cfg.Algorithms, alg)
	if narrow || !slices.Contains(Algorithms(), alg) {
		return nil, errAlgorithm()
	}
	if alg != HS256 && v.jwks != nil {
		return v.jwks.find(ctx, alg, id)
	}
	own := v.own.fit(alg, id)
	if len(own) == 0 {
		return nil, errAlgorithm()
	}
	return own, nil
}

// maxKeyID is how long the name of a key may be, in bytes.
const maxKeyID = 256

func malformedJWT() *Error {
	return refuse(KindMalformed, "this is not a whole JSON Web Token")
}

func errAlgorithm() *Error {
	return refuse(KindAlgorithm, "the token is signed with an algorithm that no key here is for")
}

// refusal returns in the words of this package why a token is not valid.
// Nothing of err is repeated: it may quote the token.
func (v *verifier) refusal(t *jwt.Token, err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	for _, one := range []struct {
		is      error
		kind    Kind
		message string
	}{
		{jwt.ErrTokenMalformed, KindMalformed, malformedJWT().Message},
		{jwt.ErrTokenUnverifiable, KindAlgorithm, errAlgorithm().Message},
		{jwt.ErrTokenSignatureInvalid, KindSignature, "the token was altered, or signed with another key"},
		{jwt.ErrTokenExpired, KindExpired, "the token has expired; get a new one"},
		{jwt.ErrTokenNotValidYet, KindNotYet, "the token is not valid yet"},
		{jwt.ErrTokenUsedBeforeIssued, KindNotYet, "the token was issued in the future; is a clock wrong?"},
		{jwt.ErrTokenInvalidIssuer, KindIssuer, "the token is of another issuer than auth.jwt.issuer"},
		{jwt.ErrTokenInvalidAudience, KindAudience, "the token is for another audience than auth.jwt.audience"},
	} {
		if !errors.Is(err, one.is) {
			continue
		}
		if one.kind == KindSignature && t != nil && t.Method != nil && !slices.Contains(Algorithms(), Algorithm(t.Method.Alg())) {
			return errAlgorithm()
		}
		return refuse(one.kind, one.message)
	}
	if errors.Is(err, jwt.ErrTokenRequiredClaimMissing) {
		return v.missing(t)
	}
	return refuse(KindMalformed, "a claim of the token is not what it must be")
}

// missing returns which claim a token lacks.
func (v *verifier) missing(t *jwt.Token) *Error {
	if e, err := t.Claims.GetExpirationTime(); err == nil && e == nil && !v.cfg.WithoutExpiry {
		return refuse(KindExpired, `the token has no expiry (claim "exp")`)
	}
	if i, err := t.Claims.GetIssuer(); err == nil && i == "" && v.cfg.Issuer != "" {
		return refuse(KindIssuer, `the token does not name its issuer (claim "iss")`)
	}
	return refuse(KindAudience, `the token does not name its audience (claim "aud")`)
}

// rights fills a grant from claims that are verified.
func (v *verifier) rights(g *Grant, claims jwt.MapClaims) *Error {
	exp, err := claims.GetExpirationTime()
	if err != nil {
		return malformedJWT()
	}
	if _, there := claims["exp"]; there && exp == nil {
		return refuse(KindExpired, "the token expired in 1970") // 0 counts as absent in the library
	}
	if exp != nil {
		// As long as a new session would be let in, an open one may stay.
		g.expires = exp.Add(v.cfg.Leeway.Std())
	}
	subject, err := claims.GetSubject()
	if err != nil {
		return malformedJWT()
	}
	issuer, err := claims.GetIssuer()
	if err != nil {
		return malformedJWT()
	}
	who := digestOf(issuer + "\x00" + subject)
	g.id = "jwt:" + base64.RawURLEncoding.EncodeToString(who[:9])
	g.name = strings.TrimSpace("jwt " + printable(subject))
	var refusal *Error
	if g.read, refusal = listClaim(claims, v.cfg.ReadClaim, v.cfg.Read); refusal != nil {
		return refusal
	}
	if g.call, refusal = listClaim(claims, v.cfg.CallbackClaim, v.cfg.Callback); refusal != nil {
		return refusal
	}
	g.admin = v.cfg.AdminClaim != "" && claims[v.cfg.AdminClaim] == true
	return nil
}

// maxNames bounds how many charts a claim may name.
const maxNames = 256

// listClaim returns the names in a claim, or those that stand in for it if it
// is absent. Words that can fit no chart are left out: the claim may be for
// others too, as "scope" is.
func listClaim(claims jwt.MapClaims, name string, absent []string) (globs, *Error) {
	value, there := claims[name]
	if !there || name == "" {
		return absent, nil
	}
	var words []string
	switch value := value.(type) {
	case nil:
	case string:
		words = strings.Fields(value)
	case []any:
		for _, one := range value {
			word, ok := one.(string)
			if !ok {
				return nil, badClaim(name)
			}
			words = append(words, word)
		}
	default:
		return nil, badClaim(name)
	}
	words = slices.DeleteFunc(words, func(w string) bool { return !isGlob(w) })
	if len(words) > maxNames {
		return nil, refuse(KindMalformed, fmt.Sprintf("the claim %q of the token names %d charts; at most %d", name, len(words), maxNames))
	}
	return words, nil
}

func badClaim(name string) *Error {
	return refuse(KindMalformed, fmt.Sprintf("the claim %q of the token is neither a text nor a list of texts", name))
}

// maxSubject is how much of a subject is shown, in characters.
const maxSubject = 64

// printable returns s without what would break a line or hide another.
func printable(s string) string {
	n := 0
	return strings.Map(func(r rune) rune {
		if n++; n > maxSubject || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
}
