package auth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"pgregory.net/rapid"
)

// allKinds returns a gate that believes in a key of every kind.
func allKinds(t testing.TB) *Gate {
	t.Helper()
	p := privateKeys()
	cfg := jwtConfig(t, &p.rsa.PublicKey, &p.ec.PublicKey, p.ed.Public())
	cfg.JWT.Secret = hmacSecret
	return newGate(t, cfg, nil)
}

func TestJWTGood(t *testing.T) {
	p := privateKeys()
	g := allKinds(t)
	for _, tt := range []struct {
		name   string
		method jwt.SigningMethod
		key    any
		claims jwt.MapClaims
		header map[string]any
	}{
		{"HS256", jwt.SigningMethodHS256, []byte(hmacSecret), goodClaims(), nil},
		{"RS256", jwt.SigningMethodRS256, p.rsa, goodClaims(), nil},
		{"ES256", jwt.SigningMethodES256, p.ec, goodClaims(), nil},
		{"EdDSA", jwt.SigningMethodEdDSA, p.ed, goodClaims(), nil},
		{"a kid that files do not have", jwt.SigningMethodRS256, p.rsa, goodClaims(), map[string]any{"kid": "any"}},
		{"no typ", jwt.SigningMethodRS256, p.rsa, goodClaims(), map[string]any{"typ": nil}},
		{"an access token", jwt.SigningMethodRS256, p.rsa, goodClaims(), map[string]any{"typ": "application/at+jwt"}},
		{"several audiences", jwt.SigningMethodRS256, p.rsa, with(goodClaims(), jwt.MapClaims{"aud": []string{"other", "chartd"}}), nil},
		{"just expired", jwt.SigningMethodRS256, p.rsa, with(goodClaims(), jwt.MapClaims{"exp": time.Now().Add(-10 * time.Second).Unix()}), nil},
		{"almost valid", jwt.SigningMethodRS256, p.rsa, with(goodClaims(), jwt.MapClaims{"nbf": time.Now().Add(10 * time.Second).Unix()}), nil},
		{"no nbf", jwt.SigningMethodRS256, p.rsa, with(goodClaims(), jwt.MapClaims{"nbf": nil}), nil},
	} {
		grant, kind := identify(t, g, mint(t, tt.method, tt.key, tt.claims, tt.header))
		if kind != "" {
			t.Errorf("%s: refused as %q", tt.name, kind)
			continue
		}
		if grant.Name() != "jwt alice" || grant.Form() != FormJWT || !grant.MayRead("rack-7") || grant.MayRead("memory") || !grant.MayCall("cpu") || grant.MayCall("rack-7") || grant.Admin() {
			t.Errorf("%s: %+v", tt.name, grant)
		}
		if exp := time.Unix(tt.claims["exp"].(int64), 0); !grant.Expires().Equal(exp.Add(30 * time.Second)) {
			t.Errorf("%s: it expires at %v, the claim says %v", tt.name, grant.Expires(), exp)
		}
	}
}

// raw joins a token of one's own making.
func raw(header, claims string, signature []byte) string {
	e := base64.RawURLEncoding.EncodeToString
	return e([]byte(header)) + "." + e([]byte(claims)) + "." + e(signature)
}

// hs256 signs with whatever stands in for a secret.
func hs256(t *testing.T, secret []byte, header string) string {
	t.Helper()
	claims, err := json.Marshal(goodClaims())
	if err != nil {
		t.Fatal(err)
	}
	unsigned := strings.TrimSuffix(raw(header, string(claims), nil), ".")
	m := hmac.New(sha256.New, secret)
	m.Write([]byte(unsigned))
	return unsigned + "." + base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// TestJWTAttacks is the table of tokens that must never be believed.
func TestJWTAttacks(t *testing.T) {
	p := privateKeys()
	all := allKinds(t)
	onlyRSA := newGate(t, jwtConfig(t, &p.rsa.PublicKey), nil)
	onlyEC := newGate(t, jwtConfig(t, &p.ec.PublicKey), nil)
	narrow := func() *Gate {
		cfg := jwtConfig(t, &p.rsa.PublicKey)
		cfg.JWT.Algorithms = []Algorithm{RS256}
		return newGate(t, cfg, nil)
	}()
	rs := func(change jwt.MapClaims, header map[string]any) string {
		return mint(t, jwt.SigningMethodRS256, p.rsa, with(goodClaims(), change), header)
	}
	good := rs(nil, nil)
	parts := strings.Split(good, ".")
	claims := func() string {
		b, err := json.Marshal(goodClaims())
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}()
	derOf := func(public any) []byte {
		der, err := x509.MarshalPKIXPublicKey(public)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	for _, tt := range []struct {
		name  string
		gate  *Gate
		token string
		want  Kind
	}{
		{"the sound one", onlyRSA, good, ""},

		{"forged: another RSA key", all, mint(t, jwt.SigningMethodRS256, p.rsa2, goodClaims(), nil), KindSignature},
		{"forged: another EC key", all, mint(t, jwt.SigningMethodES256, p.ec2, goodClaims(), nil), KindSignature},
		{"forged: another secret", all, mint(t, jwt.SigningMethodHS256, []byte(hmacSecret+"x"), goodClaims(), nil), KindSignature},
		{"forged: the empty secret", all, mint(t, jwt.SigningMethodHS256, []byte{}, goodClaims(), nil), KindSignature},
		{"forged: the link secret's key", all, mint(t, jwt.SigningMethodHS256, linkKey(hmacSecret), goodClaims(), nil), KindSignature},
		{"no signature", all, parts[0] + "." + parts[1] + ".", KindSignature},
		{"claims of another token", all, parts[0] + "." + strings.Split(rs(jwt.MapClaims{"chartd_admin": true}, nil), ".")[1] + "." + parts[2], KindSignature},

		{"alg none", all, mint(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, goodClaims(), nil), KindAlgorithm},
		{"alg None", all, raw(`{"alg":"None","typ":"JWT"}`, claims, nil), KindAlgorithm},
		{"alg NONE, with a signature", all, raw(`{"alg":"NONE"}`, claims, []byte("x")), KindAlgorithm},
		{"alg empty", all, raw(`{"alg":""}`, claims, nil), KindAlgorithm},
		{"alg missing", all, raw(`{"typ":"JWT"}`, claims, nil), KindAlgorithm},
		{"alg a number", all, raw(`{"alg":256}`, claims, nil), KindAlgorithm},
		{"alg a list", all, raw(`{"alg":["none","RS256"]}`, claims, nil), KindAlgorithm},
		{"alg unknown", all, raw(`{"alg":"XS256"}`, claims, nil), KindAlgorithm},
		{"alg of the right key, longer hash", all, mint(t, jwt.SigningMethodRS512, p.rsa, goodClaims(), nil), KindAlgorithm},
		{"PS256 with the right RSA key", all, mint(t, jwt.SigningMethodPS256, p.rsa, goodClaims(), nil), KindAlgorithm},
		{"HS512 with the right secret", all, mint(t, jwt.SigningMethodHS512, []byte(hmacSecret), goodClaims(), nil), KindAlgorithm},
		{"ES384", all, mint(t, jwt.SigningMethodES384, p.ec384, goodClaims(), nil), KindAlgorithm},

		{"confusion: RSA public PEM as HS256 secret", onlyRSA, hs256(t, publicPEM(t, &p.rsa.PublicKey), `{"alg":"HS256","typ":"JWT"}`), KindAlgorithm},
		{"confusion: RSA public DER as HS256 secret", onlyRSA, hs256(t, derOf(&p.rsa.PublicKey), `{"alg":"HS256","typ":"JWT"}`), KindAlgorithm},
		{"confusion: RSA modulus as HS256 secret", onlyRSA, hs256(t, p.rsa.N.Bytes(), `{"alg":"HS256"}`), KindAlgorithm},
		{"confusion: the same where HS256 has a secret", all, hs256(t, publicPEM(t, &p.rsa.PublicKey), `{"alg":"HS256","typ":"JWT"}`), KindSignature},
		{"confusion: EC public PEM as HS256 secret", onlyEC, hs256(t, publicPEM(t, &p.ec.PublicKey), `{"alg":"HS256"}`), KindAlgorithm},
		{"mixed up: ES256 where RSA is", onlyRSA, mint(t, jwt.SigningMethodES256, p.ec, goodClaims(), nil), KindAlgorithm},
		{"mixed up: RS256 where EC is", onlyEC, good, KindAlgorithm},
		{"mixed up: EdDSA where EC is", onlyEC, mint(t, jwt.SigningMethodEdDSA, p.ed, goodClaims(), nil), KindAlgorithm},
		{"mixed up: an RSA signature called ES256", all, raw(`{"alg":"ES256"}`, claims, []byte("not 64 bytes")), KindSignature},
		{"narrowed away", narrow, mint(t, jwt.SigningMethodHS256, []byte(hmacSecret), goodClaims(), nil), KindAlgorithm},
		{"ES256 of zeros", onlyEC, raw(`{"alg":"ES256"}`, claims, make([]byte, 64)), KindSignature},

		{"kid: a path", all, mint(t, jwt.SigningMethodHS256, []byte(""), goodClaims(), map[string]any{"kid": "../../dev/null"}), KindSignature},
		{"kid: SQL", all, mint(t, jwt.SigningMethodHS256, []byte("1"), goodClaims(), map[string]any{"kid": "x' UNION SELECT '1"}), KindSignature},
		{"kid: a number", all, rs(nil, map[string]any{"kid": 7}), KindMalformed},
		{"kid: an object", all, rs(nil, map[string]any{"kid": map[string]any{"a": 1}}), KindMalformed},
		{"kid: long", all, rs(nil, map[string]any{"kid": strings.Repeat("k", maxKeyID+1)}), KindMalformed},
		{"a key that it brings along", all, mint(t, jwt.SigningMethodRS256, p.rsa2, goodClaims(), map[string]any{"jwk": map[string]any{"kty": "RSA", "n": "AQAB", "e": "AQAB"}}), KindSignature},
		{"an address of keys that it brings along", all, mint(t, jwt.SigningMethodRS256, p.rsa2, goodClaims(), map[string]any{"jku": "http://127.0.0.1:1/keys", "x5u": "http://127.0.0.1:1/cert"}), KindSignature},
		{"crit", all, rs(nil, map[string]any{"crit": []string{"b64"}, "b64": false}), KindMalformed},
		{"for something else", all, rs(nil, map[string]any{"typ": "logout+jwt"}), KindMalformed},
		{"typ a number", all, rs(nil, map[string]any{"typ": 1}), KindMalformed},

		{"expired", all, rs(jwt.MapClaims{"exp": time.Now().Add(-time.Minute).Unix()}, nil), KindExpired},
		{"expired in 1970", all, rs(jwt.MapClaims{"exp": 0}, nil), KindExpired},
		{"expires beyond numbers", all, rs(jwt.MapClaims{"exp": 1e300}, nil), KindExpired},
		{"exp a text", all, rs(jwt.MapClaims{"exp": "never"}, nil), KindMalformed},
		{"no exp", all, rs(jwt.MapClaims{"exp": nil}, nil), KindExpired},
		{"not yet valid", all, rs(jwt.MapClaims{"nbf": time.Now().Add(time.Minute).Unix()}, nil), KindNotYet},
		{"valid beyond numbers", all, rs(jwt.MapClaims{"nbf": 1e300}, nil), KindNotYet},
		{"valid in a year beyond all", all, rs(jwt.MapClaims{"nbf": 1e19}, nil), KindNotYet},
		{"issued beyond numbers", all, rs(jwt.MapClaims{"iat": 1e300}, nil), KindNotYet},
		{"expires and is valid beyond numbers", all, rs(jwt.MapClaims{"exp": 9.3e18, "nbf": 9.3e18}, nil), KindExpired},
		{"issued tomorrow", all, rs(jwt.MapClaims{"iat": time.Now().Add(24 * time.Hour).Unix()}, nil), KindNotYet},
		{"another audience", all, rs(jwt.MapClaims{"aud": "other"}, nil), KindAudience},
		{"audiences without ours", all, rs(jwt.MapClaims{"aud": []string{"a", "chartd2"}}, nil), KindAudience},
		{"no audience", all, rs(jwt.MapClaims{"aud": nil}, nil), KindAudience},
		{"audience a number", all, rs(jwt.MapClaims{"aud": 5}, nil), KindAudience},
		{"another issuer", all, rs(jwt.MapClaims{"iss": "https://id.example.com.evil.example"}, nil), KindIssuer},
		{"issuer with a slash", all, rs(jwt.MapClaims{"iss": "https://id.example.com/"}, nil), KindIssuer},
		{"no issuer", all, rs(jwt.MapClaims{"iss": nil}, nil), KindIssuer},
		{"issuer a list", all, rs(jwt.MapClaims{"iss": []string{"https://id.example.com"}}, nil), KindMalformed},
		{"subject an object", all, rs(jwt.MapClaims{"sub": map[string]any{}}, nil), KindMalformed},
		{"all wrong at once", all, rs(jwt.MapClaims{"exp": 1, "aud": "x", "iss": "y"}, nil), KindExpired},

		{"read claim a number", all, rs(jwt.MapClaims{"chartd_read": 5}, nil), KindMalformed},
		{"read claim an object", all, rs(jwt.MapClaims{"chartd_read": map[string]any{"cpu": true}}, nil), KindMalformed},
		{"read claim a list of numbers", all, rs(jwt.MapClaims{"chartd_read": []any{"cpu", 5}}, nil), KindMalformed},
		{"read claim too long", all, rs(jwt.MapClaims{"chartd_read": strings.Repeat("a ", maxNames+1)}, nil), KindMalformed},
		{"callback claim a boolean", all, rs(jwt.MapClaims{"chartd_callback": true}, nil), KindMalformed},

		{"four parts", all, good + ".x", KindUnknown},
		{"two parts", all, parts[0] + "." + parts[1], KindUnknown},
		{"header cut", all, good[4:], KindUnknown},
		{"nothing inside", all, "ey..", KindMalformed},
		{"padding", all, good + "=", KindMalformed},
		{"standard base64", all, strings.Replace(good, "-", "+", 1) + "/", KindMalformed},
		{"a line break", all, good[:20] + "\n" + good[20:], KindMalformed},
		{"a line break in the signature", all, good + "\r\n", KindMalformed},
		{"a space", all, good + " ", KindMalformed},
		{"header not JSON", all, "eyJ4." + parts[1] + "." + parts[2], KindMalformed},
		{"claims not an object", all, raw(`{"alg":"RS256"}`, `[]`, []byte("x")), KindMalformed},
		{"deep claims", all, raw(`{"alg":"RS256"}`, strings.Repeat("[", 3000)+strings.Repeat("]", 3000), nil), KindMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, kind := identify(t, tt.gate, tt.token); kind != tt.want {
				t.Errorf("%q, want %q", kind, tt.want)
			}
		})
	}
}

// TestJWTClaims holds how claims become rights.
func TestJWTClaims(t *testing.T) {
	cfg := jwtConfig(t, &privateKeys().ec.PublicKey)
	cfg.JWT.Read, cfg.JWT.Callback, cfg.JWT.WithoutExpiry = []string{"public-*"}, []string{"public-1"}, true
	g := newGate(t, cfg, nil)
	for _, tt := range []struct {
		name       string
		claims     jwt.MapClaims
		read, call []string
		admin      bool
	}{
		{"a text", jwt.MapClaims{"chartd_read": " cpu  rack-* ", "chartd_callback": ""}, []string{"cpu", "rack-1"}, nil, false},
		{"a list", jwt.MapClaims{"chartd_read": []string{"cpu"}, "chartd_callback": []string{"cpu", "memory"}}, []string{"cpu"}, []string{"cpu"}, false},
		{"absent: the defaults", jwt.MapClaims{"chartd_read": nil, "chartd_callback": nil}, []string{"public-1", "public-2"}, []string{"public-1"}, false},
		{"empty is not absent", jwt.MapClaims{"chartd_read": []string{}, "chartd_callback": nil}, nil, nil, false},
		{"words for others", jwt.MapClaims{"chartd_read": "openid profile:read https://x cpu ../../etc [a-z]*", "chartd_callback": nil}, []string{"cpu"}, nil, false},
		{"a longer text may match nothing", jwt.MapClaims{"chartd_read": strings.Repeat("a", 500), "chartd_callback": nil}, nil, nil, false},
		{"admin", jwt.MapClaims{"chartd_admin": true}, []string{"cpu", "memory"}, []string{"memory"}, true},
		{"admin a text", jwt.MapClaims{"chartd_admin": "true", "chartd_read": "cpu", "chartd_callback": ""}, []string{"cpu"}, nil, false},
		{"admin a number", jwt.MapClaims{"chartd_admin": 1, "chartd_read": "cpu", "chartd_callback": ""}, []string{"cpu"}, nil, false},
	} {
		claims := with(goodClaims(), tt.claims)
		delete(claims, "exp")
		grant, kind := identify(t, g, mint(t, jwt.SigningMethodES256, privateKeys().ec, claims, nil))
		if kind != "" {
			t.Errorf("%s: refused as %q", tt.name, kind)
			continue
		}
		if grant.Admin() != tt.admin || !grant.Expires().IsZero() {
			t.Errorf("%s: %+v", tt.name, grant)
		}
		for _, chart := range []string{"cpu", "memory", "rack-1", "public-1", "public-2", "z"} {
			if got, want := grant.MayRead(chart), tt.admin || slices.Contains(tt.read, chart); got != want {
				t.Errorf("%s: reading %s is %v", tt.name, chart, got)
			}
			if got, want := grant.MayCall(chart), tt.admin || slices.Contains(tt.call, chart); got != want {
				t.Errorf("%s: calling %s is %v", tt.name, chart, got)
			}
		}
	}
	// An expiry that the library takes for none.
	if _, kind := identify(t, g, mint(t, jwt.SigningMethodES256, privateKeys().ec, with(goodClaims(), jwt.MapClaims{"exp": 0}), nil)); kind != KindExpired {
		t.Errorf("exp 0: %q", kind)
	}
	// Null is there, and allows nothing.
	claims := `{"iss":"https://id.example.com","aud":"chartd","chartd_read":null}`
	unsigned := strings.TrimSuffix(raw(`{"alg":"ES256"}`, claims, nil), ".")
	sig, err := jwt.SigningMethodES256.Sign(unsigned, privateKeys().ec)
	if err != nil {
		t.Fatal(err)
	}
	if grant, kind := identify(t, g, unsigned+"."+base64.RawURLEncoding.EncodeToString(sig)); kind != "" || grant.MayRead("public-1") {
		t.Errorf("null: %+v, %q", grant, kind)
	}
}

// TestJWTNames holds that a subject cannot break a log's line, and that ids
// tell owners apart.
func TestJWTNames(t *testing.T) {
	g := allKinds(t)
	grant := func(sub, iss string) *Grant {
		cfg := g.jwt.cfg
		cfg.Issuer = ""
		v, err := newVerifier(cfg, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, refusal := v.grant(t.Context(), mint(t, jwt.SigningMethodRS256, privateKeys().rsa, with(goodClaims(), jwt.MapClaims{"sub": sub, "iss": iss}), nil))
		if refusal != nil {
			t.Fatal(refusal)
		}
		return got
	}
	evil := grant("eve\n2026 level=info fake\x1b[31m\u202e"+strings.Repeat("x", 200), "i")
	if name := evil.Name(); strings.ContainsAny(name, "\n\x1b\u202e") || len(name) > 80 {
		t.Errorf("the name is %q", name)
	}
	if grant("", "i").Name() != "jwt" {
		t.Errorf("without a subject the name is %q", grant("", "i").Name())
	}
	ids := map[string]string{}
	for _, who := range [][2]string{{"a", "b"}, {"ab", ""}, {"", "ab"}, {"b", "a"}, {"a\x00", "b"}} {
		id := grant(who[0], who[1]).ID()
		if ids[id] != "" {
			t.Errorf("%q has the id of %s", who, ids[id])
		}
		ids[id] = fmt.Sprintf("%q", who)
	}
	if a, b := grant("a", "b"), grant("a", "b"); a.ID() != b.ID() || !strings.HasPrefix(a.ID(), "jwt:") {
		t.Errorf("one owner has the ids %q and %q", a.ID(), b.ID())
	}
}

// TestJWTFlips holds that any flipped bit of a token is noticed, whatever it is
// signed with, and so is any text put in, taken out or doubled.
func TestJWTFlips(t *testing.T) {
	p := privateKeys()
	g := allKinds(t)
	tokens := []string{
		mint(t, jwt.SigningMethodHS256, []byte(hmacSecret), goodClaims(), nil),
		mint(t, jwt.SigningMethodRS256, p.rsa, goodClaims(), nil),
		mint(t, jwt.SigningMethodES256, p.ec, goodClaims(), nil),
		mint(t, jwt.SigningMethodEdDSA, p.ed, goodClaims(), nil),
	}
	for _, token := range tokens {
		for i := range token {
			if grant, err := g.Identify(context.Background(), token[:i], Visitor{}); err == nil {
				t.Fatalf("the first %d bytes of %s: %+v", i, token, grant)
			}
		}
	}
	for _, token := range tokens {
		// The last character holds bits that no byte needs.
		for _, other := range lastChanged(token) {
			if grant, err := g.Identify(context.Background(), other, Visitor{}); err == nil {
				t.Fatalf("%s is believed as %s: %+v", token, other, grant)
			}
		}
	}
	for _, token := range tokens[:1] { // of one, every bit
		for i := range len(token) * 8 {
			b := []byte(token)
			b[i/8] ^= 1 << (i % 8)
			if grant, err := g.Identify(context.Background(), string(b), Visitor{}); err == nil {
				t.Fatalf("bit %d of %s: %+v", i, token, grant)
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		token := rapid.SampledFrom(tokens).Draw(t, "token")
		changed := alter(t, token)
		if changed == token {
			return
		}
		if grant, err := g.Identify(context.Background(), changed, Visitor{}); err == nil {
			t.Fatalf("%s\nbecame\n%s\nand is believed: %+v", token, changed, grant)
		}
	})
}

// lastChanged returns a token with every other last character.
func lastChanged(token string) []string {
	var out []string
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" {
		if other := token[:len(token)-1] + string(c); other != token {
			out = append(out, other)
		}
	}
	return out
}

// alter changes a text in one place, or several.
func alter(t *rapid.T, text string) string {
	b := []byte(text)
	for range rapid.IntRange(1, 3).Draw(t, "changes") {
		i := rapid.IntRange(0, len(b)-1).Draw(t, "at")
		switch rapid.IntRange(0, 3).Draw(t, "how") {
		case 0:
			b[i] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		case 1:
			b = slices.Delete(b, i, i+1)
		case 2:
			b = slices.Insert(b, i, rapid.SampledFrom([]byte("A-_.=\n\r 0")).Draw(t, "byte"))
		case 3:
			j := rapid.IntRange(0, len(b)-1).Draw(t, "with")
			b[i], b[j] = b[j], b[i]
		}
		if len(b) == 0 {
			return ""
		}
	}
	return string(b)
}

// TestJWTTold holds which claims handlers are told, and that they stay what they
// are.
func TestJWTTold(t *testing.T) {
	grant := func(names []string, change jwt.MapClaims) string {
		t.Helper()
		cfg := jwtConfig(t, &privateKeys().ec.PublicKey)
		if names != nil {
			cfg.JWT.Claims = names
		}
		got, kind := identify(t, newGate(t, cfg, nil), mint(t, jwt.SigningMethodES256, privateKeys().ec, with(goodClaims(), change), nil))
		if kind != "" {
			t.Fatal(kind)
		}
		return string(got.Claims())
	}
	for _, tt := range []struct {
		names  []string
		claims jwt.MapClaims
		want   string
	}{
		{nil, jwt.MapClaims{"email": "alice@example.com"}, `{"chartd_callback":"cpu","chartd_read":["cpu","rack-*"],"sub":"alice"}`},
		{nil, jwt.MapClaims{"sub": nil, "chartd_read": nil, "chartd_callback": nil}, ``},
		{[]string{}, nil, ``},
		{
			[]string{"email", "id", "Sub", "https://example.com/a.b"},
			jwt.MapClaims{"email": "a<b@x", "id": json.Number("12345678901234567890.10"), "https://example.com/a.b": []any{nil, true}},
			`{"email":"a\u003cb@x","https://example.com/a.b":[null,true],"id":12345678901234567890.10}`,
		},
	} {
		if got := grant(tt.names, tt.claims); got != tt.want {
			t.Errorf("%v of %v: %s, want %s", tt.names, tt.claims, got, tt.want)
		}
	}
	for names, want := range map[string]string{"sub,sub": `jwt.claims[1]: "sub" is named already; each once`, "sub,": `jwt.claims[1]: is empty; the name of a claim, as "email"`} {
		cfg := jwtConfig(t, &privateKeys().ec.PublicKey)
		cfg.JWT.Claims = strings.Split(names, ",")
		if ps := cfg.Validate(); len(ps) != 1 || ps[0].Error() != want {
			t.Errorf("%s: %v, want %s", names, ps, want)
		}
	}
}
