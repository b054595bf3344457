package attack

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/chartd/chartd/pkg/auth"
)

// keys are those of the issuer, and of somebody else.
type keys struct {
	rsa, otherRSA *rsa.PrivateKey
	ec            *ecdsa.PrivateKey
	ed            ed25519.PrivateKey
	pem           []byte // the public ones
}

// issued are the issuer's keys, made once: RSA takes its time.
var issued = sync.OnceValues(func() (k keys, err error) {
	if k.rsa, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		return k, err
	}
	if k.otherRSA, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		return k, err
	}
	if k.ec, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return k, err
	}
	if _, k.ed, err = ed25519.GenerateKey(rand.Reader); err != nil {
		return k, err
	}
	for _, public := range []any{k.rsa.Public(), k.ec.Public(), k.ed.Public()} {
		der, err := x509.MarshalPKIXPublicKey(public)
		if err != nil {
			return k, err
		}
		k.pem = append(k.pem, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})...)
	}
	return k, nil
})

// claims are those of a good token, with some others; nil removes one.
func claims(change jwt.MapClaims) jwt.MapClaims {
	c := jwt.MapClaims{
		"sub": "alice", "iss": issuer, "aud": audience,
		"exp": time.Now().Add(time.Hour).Unix(), "nbf": time.Now().Add(-time.Minute).Unix(),
		"chartd_read": []string{"cpu"}, "chartd_callback": "cpu", "card": "4111-1111-1111-1111",
	}
	for k, v := range change {
		if c[k] = v; v == nil {
			delete(c, k)
		}
	}
	return c
}

// mint signs a token.
func (g *target) mint(method jwt.SigningMethod, key any, c jwt.MapClaims) string {
	g.t.Helper()
	text, err := jwt.NewWithClaims(method, c).SignedString(key)
	if err != nil {
		g.t.Fatal(err)
	}
	// The claims alone would tell as much as the whole.
	g.conceal("a JWT's claims "+text[len(text)-8:], strings.Split(text, ".")[1])
	return text
}

// good returns a token as the issuer gives it.
func (g *target) good(change jwt.MapClaims) string {
	g.t.Helper()
	return g.mint(jwt.SigningMethodRS256, g.keys.rsa, claims(change))
}

// sign returns a link.
func (g *target) sign(l auth.Link) string {
	g.t.Helper()
	if l.Chart == "" {
		l.Chart = "cpu"
	}
	if l.Expires.IsZero() {
		l.Expires = time.Now().Add(time.Hour)
	}
	l, text, err := g.links.Sign(l)
	if err != nil {
		g.t.Fatal(err)
	}
	return g.conceal("link "+l.ID, text)
}
