package auth

import (
	"context"
	"fmt"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/chartd/chartd/pkg/secret"
)

// BenchmarkIdentify measures what it costs to look at a credential, with a
// hundred static tokens configured.
func BenchmarkIdentify(b *testing.B) {
	p := privateKeys()
	cfg := jwtConfig(b, &p.rsa.PublicKey, &p.ec.PublicKey, p.ed.Public())
	cfg.JWT.Secret = hmacSecret
	cfg.Links.Secret = linkSecret
	for i := range 100 {
		cfg.Tokens = append(cfg.Tokens, Token{Name: fmt.Sprint(i), Token: secret.Text(fmt.Sprintf("%s-%d", wallToken, i)), Access: Access{Read: []string{"*"}}})
	}
	g := newGate(b, cfg, nil)
	for _, tt := range []struct {
		name, credential string
		good             bool
	}{
		{"token", wallToken + "-50", true},
		{"unknown", wallToken + "-100", false},
		{"link", sign(b, cfg.Links, Link{}), true},
		{"HS256", mint(b, jwt.SigningMethodHS256, []byte(hmacSecret), goodClaims(), nil), true},
		{"RS256", mint(b, jwt.SigningMethodRS256, p.rsa, goodClaims(), nil), true},
		{"ES256", mint(b, jwt.SigningMethodES256, p.ec, goodClaims(), nil), true},
		{"EdDSA", mint(b, jwt.SigningMethodEdDSA, p.ed, goodClaims(), nil), true},
		{"forged", mint(b, jwt.SigningMethodRS256, p.rsa2, goodClaims(), nil), false},
	} {
		b.Run(tt.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := g.Identify(context.Background(), tt.credential, Visitor{}); (err == nil) != tt.good {
					b.Fatal(err)
				}
			}
		})
	}
}
