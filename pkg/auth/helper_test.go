package auth

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"go.uber.org/goleak"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/quantity"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	wallToken   = "wall-token-0123456789"
	adminToken  = "admin-token-0123456789"
	ingestToken = "ingest-token-0123456789"
	hmacSecret  = "hmac-secret-0123456789-0123456789-0123"
	linkSecret  = "link-secret-0123456789-0123456789-0123"
	oldSecret   = "old-link-secret-0123456789-0123456789"
)

// pairs are private keys of every kind, made once: RSA takes its time.
type pairs struct {
	rsa, rsa2 *rsa.PrivateKey
	ec, ec2   *ecdsa.PrivateKey
	ec384     *ecdsa.PrivateKey
	ed        ed25519.PrivateKey
}

var privateKeys = sync.OnceValue(func() pairs {
	must := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	var p pairs
	var err error
	p.rsa, err = rsa.GenerateKey(rand.Reader, 2048)
	must(err)
	p.rsa2, err = rsa.GenerateKey(rand.Reader, 2048)
	must(err)
	p.ec, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	p.ec2, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	p.ec384, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	must(err)
	_, p.ed, err = ed25519.GenerateKey(rand.Reader)
	must(err)
	return p
})

// publicPEM returns a public key as it stands in a file.
func publicPEM(t testing.TB, public any) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

func writeFile(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// goodClaims are those of a token that the gates of these tests believe.
func goodClaims() jwt.MapClaims {
	return jwt.MapClaims{
		"sub": "alice", "iss": "https://id.example.com", "aud": "chartd",
		"exp": time.Now().Add(time.Hour).Unix(), "nbf": time.Now().Add(-time.Minute).Unix(),
		"chartd_read": []string{"cpu", "rack-*"}, "chartd_callback": "cpu",
	}
}

// with returns claims with some others; nil removes one.
func with(claims jwt.MapClaims, change jwt.MapClaims) jwt.MapClaims {
	out := maps.Clone(claims)
	for k, v := range change {
		if out[k] = v; v == nil {
			delete(out, k)
		}
	}
	return out
}

// mint signs a token.
func mint(t testing.TB, method jwt.SigningMethod, key any, claims jwt.MapClaims, header map[string]any) string {
	t.Helper()
	token := jwt.NewWithClaims(method, claims)
	maps.Copy(token.Header, header)
	for k, v := range token.Header {
		if v == nil {
			delete(token.Header, k)
		}
	}
	text, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// jwtConfig returns a section that believes in the given keys.
func jwtConfig(t testing.TB, publics ...any) Config {
	t.Helper()
	cfg := DefaultConfig()
	cfg.JWT.Issuer, cfg.JWT.Audience = "https://id.example.com", "chartd"
	for _, public := range publics {
		cfg.JWT.Keys = append(cfg.JWT.Keys, writeFile(t, "key.pem", publicPEM(t, public)))
	}
	return cfg
}

func newGate(t testing.TB, cfg Config, prev *Gate) *Gate {
	t.Helper()
	if ps := cfg.Validate(); len(ps) > 0 {
		t.Fatalf("the configuration is refused: %v", ps)
	}
	g, err := New(cfg, prev, nil)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// kindOf returns why a credential is refused, or "".
func kindOf(t testing.TB, err error, credential string) Kind {
	t.Helper()
	if err == nil {
		return ""
	}
	e, ok := errors.AsType[*Error](err)
	if !ok {
		t.Fatalf("the error is a %T: %v", err, err)
	}
	if len(credential) > 8 && strings.Contains(e.Error(), credential) {
		t.Errorf("the error repeats the credential: %v", e)
	}
	for part := range strings.SplitSeq(credential, ".") {
		if len(part) > 12 && strings.Contains(e.Error(), part) {
			t.Errorf("the error repeats a part of the credential: %v", e)
		}
	}
	if e.Message == "" {
		t.Errorf("the error %q says nothing", e.Kind)
	}
	return e.Kind
}

func identify(t testing.TB, g *Gate, credential string) (*Grant, Kind) {
	t.Helper()
	grant, err := g.Identify(context.Background(), credential, Visitor{Host: "charts.example.com"})
	if (grant == nil) != (err != nil) {
		t.Fatalf("there is a grant and an error, or neither: %v, %v", grant, err)
	}
	return grant, kindOf(t, err, credential)
}

// spec is a chart with a variable.
func spec() *plotting.Spec {
	s := plotting.DefaultSpec()
	s.Window = quantity.Duration(15 * time.Minute)
	s.Series = []plotting.SeriesSpec{{Metric: "m"}}
	s.Vars = map[string]plotting.Var{"host": {Default: "web1"}, "disk": {Default: "sda"}}
	return &s
}
