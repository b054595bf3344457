package auth

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/chartd/chartd/internal/livetest"
)

// issuer serves a key set over HTTP, or does not.
type issuer struct {
	*httptest.Server
	fetches atomic.Int64
	answer  atomic.Pointer[http.HandlerFunc]
}

func newIssuer(t *testing.T, answer http.HandlerFunc) *issuer {
	t.Helper()
	i := &issuer{}
	i.set(answer)
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.fetches.Add(1)
		(*i.answer.Load())(w, r)
	}))
	t.Cleanup(i.Close)
	return i
}

func (i *issuer) set(answer http.HandlerFunc) { i.answer.Store(&answer) }

// serve answers with keys.
func serve(ks ...map[string]any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": ks}) // the client sees it if it is cut short
	}
}

func down(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }

// jwk writes a public key as an issuer publishes it.
func jwk(public any, kid string, more map[string]any) map[string]any {
	e := base64.RawURLEncoding.EncodeToString
	m := map[string]any{"kid": kid, "use": "sig"}
	switch k := public.(type) {
	case *rsa.PublicKey:
		m["kty"], m["n"], m["e"], m["alg"] = "RSA", e(k.N.Bytes()), e(big.NewInt(int64(k.E)).Bytes()), "RS256"
	case *ecdsa.PublicKey:
		point, err := k.Bytes()
		if err != nil {
			panic(err)
		}
		half := (len(point) - 1) / 2
		m["kty"], m["crv"], m["x"], m["y"] = "EC", k.Params().Name, e(point[1:1+half]), e(point[1+half:])
	case ed25519.PublicKey:
		m["kty"], m["crv"], m["x"] = "OKP", "Ed25519", e(k)
	}
	maps.Copy(m, more)
	return m
}

// fast is a pace for tests: nothing is fetched on time, all on demand.
func fast() pace {
	return pace{refresh: time.Hour, cooldown: time.Millisecond, timeout: 10 * time.Second, wait: 10 * time.Second}
}

// fetching returns a gate that fetches from an address, and runs it until the
// test ends.
func fetching(t *testing.T, address string, p pace, prev *Gate) *Gate {
	t.Helper()
	g := unstarted(t, address, p, prev)
	run(t, g)
	return g
}

func unstarted(t *testing.T, address string, p pace, prev *Gate) *Gate {
	t.Helper()
	cfg := jwtConfig(t)
	cfg.JWT.JWKS = address
	g := newGate(t, cfg, prev)
	g.jwt.jwks.pace = p
	return g
}

// run runs a gate and returns what stops it.
func run(t *testing.T, g *Gate) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := g.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	stop = sync.OnceFunc(func() {
		cancel()
		wg.Wait()
	})
	t.Cleanup(stop)
	livetest.Eventually(t, "it runs", g.jwt.jwks.on.Load)
	return stop
}

func signedBy(t testing.TB, method jwt.SigningMethod, private any, kid string) string {
	header := map[string]any{}
	if kid != "" {
		header["kid"] = kid
	}
	return mint(t, method, private, goodClaims(), header)
}

// TestJWKSKinds takes keys of every kind from a set that also holds some that
// must not count.
func TestJWKSKinds(t *testing.T) {
	p := privateKeys()
	hs := map[string]any{"kty": "oct", "kid": "hs", "k": base64.RawURLEncoding.EncodeToString([]byte(hmacSecret)), "alg": "HS256", "use": "sig"}
	is := newIssuer(t, serve(
		hs, jwk(&p.rsa.PublicKey, "r", nil), jwk(&p.ec.PublicKey, "e", nil), jwk(p.ed.Public(), "d", nil),
		jwk(&p.rsa2.PublicKey, "for-encryption", map[string]any{"use": "enc"}),
		jwk(&p.rsa2.PublicKey, "to-sign", map[string]any{"key_ops": []string{"sign"}}),
		jwk(&p.rsa2.PublicKey, "for-ps", map[string]any{"alg": "PS256"}),
		jwk(&p.ec2.PublicKey, "says-hs", map[string]any{"alg": "HS256"}),
		jwk(&p.ec384.PublicKey, "p384", nil),
		jwk(&p.ec2.PublicKey, "private", map[string]any{"d": base64.RawURLEncoding.EncodeToString(make([]byte, 32))}),
		jwk(&p.ec2.PublicKey, "off-curve", map[string]any{"x": base64.RawURLEncoding.EncodeToString(make([]byte, 32))}),
		jwk(&p.rsa2.PublicKey, "small", map[string]any{"n": base64.RawURLEncoding.EncodeToString(p.rsa2.N.Bytes()[:64])}),
		jwk(&p.rsa2.PublicKey, "huge", map[string]any{"n": base64.RawURLEncoding.EncodeToString(append([]byte{1}, make([]byte, 2048)...))}),
		map[string]any{"kty": "RSA"}, map[string]any{"kty": 5}, map[string]any{},
	))
	g := fetching(t, is.URL, fast(), nil)
	for _, tt := range []struct {
		name, token string
		want        Kind
	}{
		{"RS256", signedBy(t, jwt.SigningMethodRS256, p.rsa, "r"), ""},
		{"ES256", signedBy(t, jwt.SigningMethodES256, p.ec, "e"), ""},
		{"EdDSA", signedBy(t, jwt.SigningMethodEdDSA, p.ed, "d"), ""},
		{"without a kid all of its kind are tried", signedBy(t, jwt.SigningMethodRS256, p.rsa, ""), ""},
		{"another kid of the set", signedBy(t, jwt.SigningMethodRS256, p.rsa, "e"), KindUnknown},
		{"right kid, wrong key", signedBy(t, jwt.SigningMethodRS256, p.rsa2, "r"), KindSignature},
		{"shared secret in the set", signedBy(t, jwt.SigningMethodHS256, []byte(hmacSecret), "hs"), KindAlgorithm},
		{"HS256 with the public key", hs256(t, publicPEM(t, &p.rsa.PublicKey), `{"alg":"HS256","kid":"r"}`), KindAlgorithm},
		{"a key for encryption", signedBy(t, jwt.SigningMethodRS256, p.rsa2, "for-encryption"), KindUnknown},
		{"a key to sign with", signedBy(t, jwt.SigningMethodRS256, p.rsa2, "to-sign"), KindUnknown},
		{"a key for another algorithm", signedBy(t, jwt.SigningMethodRS256, p.rsa2, "for-ps"), KindUnknown},
		{"a key that contradicts itself", signedBy(t, jwt.SigningMethodES256, p.ec2, "says-hs"), KindUnknown},
		{"a private key in public", signedBy(t, jwt.SigningMethodES256, p.ec2, "private"), KindUnknown},
		{"not on the curve", signedBy(t, jwt.SigningMethodES256, p.ec2, "off-curve"), KindUnknown},
		{"too small", signedBy(t, jwt.SigningMethodRS256, p.rsa2, "small"), KindUnknown},
		{"too large", signedBy(t, jwt.SigningMethodRS256, p.rsa2, "huge"), KindUnknown},
	} {
		grant, kind := identify(t, g, tt.token)
		if kind != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, kind, tt.want)
		}
		if kind == "" && !grant.signer.jwks {
			t.Errorf("%s: it does not know that the key was fetched", tt.name)
		}
	}
}

// TestJWKSRotation goes from one key to the next, as issuers do.
func TestJWKSRotation(t *testing.T) {
	p := privateKeys()
	is := newIssuer(t, serve(jwk(&p.rsa.PublicKey, "one", nil)))
	g := fetching(t, is.URL, fast(), nil)
	one, two := signedBy(t, jwt.SigningMethodRS256, p.rsa, "one"), signedBy(t, jwt.SigningMethodRS256, p.rsa2, "two")
	if _, kind := identify(t, g, one); kind != "" {
		t.Fatalf("the first key: %q", kind)
	}
	if _, kind := identify(t, g, two); kind != KindUnknown {
		t.Fatalf("a key that is not there yet: %q", kind)
	}
	is.set(serve(jwk(&p.rsa.PublicKey, "one", nil), jwk(&p.rsa2.PublicKey, "two", nil)))
	if _, kind := identify(t, g, two); kind != "" {
		t.Fatalf("the new key is not fetched: %q", kind)
	}
	if _, kind := identify(t, g, one); kind != "" {
		t.Fatalf("the old key beside it: %q", kind)
	}
	// The old one is taken out; the next fetch, for whatever reason, notices.
	is.set(serve(jwk(&p.rsa2.PublicKey, "two", nil)))
	if _, kind := identify(t, g, signedBy(t, jwt.SigningMethodRS256, p.rsa, "three")); kind != KindUnknown {
		t.Fatalf("a third key: %q", kind)
	}
	if _, kind := identify(t, g, one); kind != KindUnknown {
		t.Fatalf("a key that was taken out: %q", kind)
	}
}

// TestJWKSTrouble starts while the issuer is in trouble of some kind, lives
// through it, and loses no key by it.
func TestJWKSTrouble(t *testing.T) {
	p := privateKeys()
	good := serve(jwk(&p.ec.PublicKey, "e", nil))
	token := signedBy(t, jwt.SigningMethodES256, p.ec, "e")
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	for name, trouble := range map[string]http.HandlerFunc{
		"down":      down,
		"not found": http.NotFound,
		"garbage":   func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>sign in</html>") },
		"empty":     func(http.ResponseWriter, *http.Request) {},
		"no keys":   serve(),
		"null":      func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "null") },
		"no good":   serve(map[string]any{"kty": "oct", "k": "AAAA"}),
		"huge": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"keys":[`)
			for range 3 << 10 {
				if _, err := fmt.Fprint(w, strings.Repeat(" ", 1<<10)); err != nil {
					return
				}
			}
			_ = json.NewEncoder(w).Encode(jwk(&p.ec.PublicKey, "e", nil)) // nobody reads on
			fmt.Fprint(w, `]}`)
		},
		"many": func(w http.ResponseWriter, r *http.Request) {
			many := make([]map[string]any, maxJWKSKeys+1)
			for i := range many {
				many[i] = jwk(&p.ec.PublicKey, "e", nil)
			}
			serve(many...)(w, r)
		},
		"cut short": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, `{"keys":[`)
		},
		"in circles": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusFound) },
		"slow": func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-release:
			}
		},
		"slow to the end": func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, `{"keys":[`)
			w.(http.Flusher).Flush()
			select {
			case <-r.Context().Done():
			case <-release:
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			is := newIssuer(t, trouble)
			quick := fast()
			quick.timeout = 100 * time.Millisecond // how long the slow ones are borne
			core, logs := observer.New(zap.WarnLevel)
			cfg := jwtConfig(t)
			cfg.JWT.JWKS = is.URL
			g, err := New(cfg, nil, zap.New(core))
			if err != nil {
				t.Fatal(err)
			}
			g.jwt.jwks.pace = quick
			run(t, g)
			_, refusal := g.Identify(t.Context(), token, Visitor{})
			if e, ok := errors.AsType[*Error](refusal); !ok || e.Kind != KindUnavailable || !e.Temporary() {
				t.Fatalf("without any key: %v", refusal)
			}
			if logs.Len() == 0 || strings.Contains(fmt.Sprint(logs.All()), "sign in") {
				t.Errorf("the log says %v", logs.All())
			}
			is.set(good)
			livetest.Eventually(t, "the keys are there", func() bool { _, kind := identify(t, g, token); return kind == "" })
			// In trouble again, what was fetched stays in use.
			is.set(trouble)
			if _, kind := identify(t, g, signedBy(t, jwt.SigningMethodES256, p.ec2, "other")); kind != KindUnavailable {
				t.Errorf("a key that cannot be asked for: %q", kind)
			}
			if _, kind := identify(t, g, token); kind != "" {
				t.Errorf("the last good key is gone: %q", kind)
			}
		})
	}
}

// TestJWKSBounded holds that tokens of unknown keys, however many and from
// however many clients, cause one fetch for each cooldown and wait for no more.
func TestJWKSBounded(t *testing.T) {
	p := privateKeys()
	is := newIssuer(t, serve(jwk(&p.ec.PublicKey, "e", nil)))
	slow := fast()
	slow.cooldown, slow.wait = time.Hour, 50*time.Minute // who waits, waits beyond the end of the test
	g := fetching(t, is.URL, slow, nil)
	if _, kind := identify(t, g, signedBy(t, jwt.SigningMethodES256, p.ec, "e")); kind != "" {
		t.Fatalf("the sound one: %q", kind)
	}
	var wg sync.WaitGroup
	for i := range 200 {
		token := signedBy(t, jwt.SigningMethodES256, p.ec2, fmt.Sprintf("made-up-%d", i))
		wg.Go(func() {
			if _, kind := identify(t, g, token); kind != KindUnavailable {
				t.Errorf("a made-up key: %q", kind)
			}
		})
	}
	all := make(chan struct{})
	go func() {
		wg.Wait()
		close(all)
	}()
	select {
	case <-all:
	case <-time.After(30 * time.Second):
		t.Fatal("tokens of made-up keys wait for a fetch that is not to come")
	}
	if n := is.fetches.Load(); n != 1 {
		t.Errorf("%d fetches; want the first alone", n)
	}
	if _, kind := identify(t, g, signedBy(t, jwt.SigningMethodES256, p.ec, "e")); kind != "" {
		t.Errorf("the sound one, after it: %q", kind)
	}
}

// TestJWKSWaits holds that a token may wait for the first fetch, but not
// longer than its caller.
func TestJWKSWaits(t *testing.T) {
	p := privateKeys()
	release, asked := make(chan struct{}), make(chan struct{}, 1)
	good := serve(jwk(&p.ec.PublicKey, "e", nil))
	is := newIssuer(t, func(w http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-release
		good(w, r)
	})
	g := unstarted(t, is.URL, fast(), nil)
	token := signedBy(t, jwt.SigningMethodES256, p.ec, "e")
	if _, kind := identify(t, g, token); kind != KindUnavailable {
		t.Fatalf("before it runs: %q", kind)
	}
	run(t, g)
	<-asked
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := g.Identify(ctx, token, Visitor{}); kindOf(t, err, token) != KindUnavailable {
		t.Errorf("of a caller that is gone: %v", err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := g.Identify(t.Context(), token, Visitor{})
		done <- err
	}()
	close(release)
	if err := <-done; err != nil {
		t.Errorf("of one that waits: %v", err)
	}
}

// TestJWKSReload holds that a reload loses no keys, unless they are of another
// issuer, and that the fetching of a gate ends with its context.
func TestJWKSReload(t *testing.T) {
	p := privateKeys()
	is := newIssuer(t, serve(jwk(&p.ec.PublicKey, "e", nil)))
	first := unstarted(t, is.URL, fast(), nil)
	stop := run(t, first)
	token := signedBy(t, jwt.SigningMethodES256, p.ec, "e")
	grant, kind := identify(t, first, token)
	if kind != "" {
		t.Fatal(kind)
	}
	stop()
	is.set(down)
	second := fetching(t, is.URL, fast(), first)
	if _, kind := identify(t, second, token); kind != "" {
		t.Errorf("after a reload while the issuer is down: %q", kind)
	}
	if got, err := second.Confirm(grant); err != nil || got != grant {
		t.Errorf("a grant of the first gate: %v, %v", got, err)
	}
	other := newIssuer(t, down)
	third := fetching(t, other.URL, fast(), second)
	if _, kind := identify(t, third, token); kind != KindUnavailable {
		t.Errorf("with another issuer: %q", kind)
	}
}

// TestJWKSRefresh holds that keys are fetched anew without being asked for,
// and soon again after a failure.
func TestJWKSRefresh(t *testing.T) {
	is := newIssuer(t, serve(jwk(&privateKeys().ec.PublicKey, "e", nil)))
	p := fast()
	p.refresh = 5 * time.Millisecond
	fetching(t, is.URL, p, nil)
	livetest.Eventually(t, "five fetches", func() bool { return is.fetches.Load() >= 5 })
	broken := newIssuer(t, down)
	fetching(t, broken.URL, fast(), nil) // refresh is an hour
	livetest.Eventually(t, "it tries again", func() bool { return broken.fetches.Load() >= 3 })
}

func TestSameSecurity(t *testing.T) {
	p := privateKeys()
	plain := newIssuer(t, serve(jwk(&p.ec.PublicKey, "e", nil)))
	secure := httptest.NewTLSServer(http.RedirectHandler(plain.URL, http.StatusFound))
	t.Cleanup(secure.Close)
	client := secure.Client()
	client.CheckRedirect = sameSecurity
	if _, err := fetch(t.Context(), client, secure.URL, 10*time.Second); err == nil || !strings.Contains(err.Error(), "https to http") || plain.fetches.Load() != 0 {
		t.Errorf("it follows from https to http: %v", err)
	}
	elsewhere := newIssuer(t, http.RedirectHandler(plain.URL, http.StatusFound).ServeHTTP)
	if ks, err := fetch(t.Context(), &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: sameSecurity}, elsewhere.URL, 10*time.Second); err != nil || len(ks) != 1 {
		t.Errorf("a redirect: %v, %v", ks, err)
	}
}
