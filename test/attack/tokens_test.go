package attack

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/chartd/chartd/internal/livetest"
	"github.com/chartd/chartd/pkg/wire"
)

// part encodes a part of a JWT.
func part(json string) string { return base64.RawURLEncoding.EncodeToString([]byte(json)) }

// TestTokens shows every wrong token there is in hello.
func TestTokens(t *testing.T) {
	g := attacked(t)
	good := g.good(nil)
	parts := strings.Split(good, ".")
	body := `{"sub":"alice","iss":"` + issuer + `","aud":"chartd","exp":99999999999,"chartd_admin":true}`
	flipped := []byte(parts[2])
	flipped[10] ^= 1
	for _, c := range []struct{ name, token, kind, why string }{
		{"none at all", "", "missing", "a token is needed"},
		{"made up", "0123456789abcdef0123", "unknown", "nobody has this token"},
		{"half of a good one", wallToken[:len(wallToken)-1], "unknown", "nobody has this token"},
		{"more than a good one", wallToken + "x", "unknown", "nobody has this token"},
		{"the token of who sends samples", ingestToken, "unknown", "nobody has this token"},
		{"the secret that signs", jwtSecret, "unknown", "nobody has this token"},
		{"signed by somebody else", g.mint(jwt.SigningMethodRS256, g.keys.otherRSA, claims(nil)), "signature", ""},
		{"signed with another secret", g.mint(jwt.SigningMethodHS256, []byte("another-secret-0123456789-0123456789"), claims(nil)), "signature", ""},
		{"other claims under the signature", parts[0] + "." + part(body) + "." + parts[2], "signature", ""},
		{"a bit of the signature flipped", parts[0] + "." + parts[1] + "." + string(flipped), "", ""},
		{"no signature", parts[0] + "." + parts[1] + ".", "", ""},
		{"alg none", g.mint(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, claims(nil)), "algorithm", ""},
		{"alg None", part(`{"alg":"None","typ":"JWT"}`) + "." + part(body) + ".", "algorithm", ""},
		{"alg none with a signature", part(`{"alg":"none"}`) + "." + part(body) + "." + parts[2], "algorithm", ""},
		{"no alg", part(`{"typ":"JWT"}`) + "." + part(body) + "." + parts[2], "", ""},
		{"key confusion: the public key as a secret", g.mint(jwt.SigningMethodHS256, g.keys.pem, claims(nil)), "signature", ""},
		{"key confusion: one of them alone", g.mint(jwt.SigningMethodHS256, g.keys.pem[:strings.Index(string(g.keys.pem), "-----END")+len("-----END PUBLIC KEY-----\n")], claims(nil)), "signature", ""},
		{"an algorithm nobody has", g.mint(jwt.SigningMethodHS512, []byte(jwtSecret), claims(nil)), "algorithm", ""},
		{"PS256 with the RSA key", g.mint(jwt.SigningMethodPS256, g.keys.rsa, claims(nil)), "algorithm", ""},
		{"a key of its own in the header", part(`{"alg":"HS256","jwk":{"kty":"oct","k":"`+part("mine")+`"}}`) + "." + part(body) + "." + parts[2], "", ""},
		{"wrong audience", g.good(jwt.MapClaims{"aud": "grafana"}), "audience", "another audience"},
		{"no audience", g.good(jwt.MapClaims{"aud": nil}), "", ""},
		{"wrong issuer", g.good(jwt.MapClaims{"iss": "https://evil.example.com"}), "issuer", ""},
		{"expired", g.good(jwt.MapClaims{"exp": time.Now().Add(-time.Second).Unix()}), "expired", "expired"},
		{"no expiry", g.good(jwt.MapClaims{"exp": nil}), "", ""},
		{"two tokens in one", good + "." + good, "", ""},
		{"garbage with dots", "a.b.c", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := g.metric("chartd_auth_refused_total", `reason="`+c.kind)
			g.turnedAway(g.connect(), c.token, wire.CodeUnauthorized, wire.CloseUnauthorized, c.why)
			if c.token != "" && !strings.ContainsAny(c.token, "\r\n") {
				g.turnedAway(g.connect(bearer(c.token)...), "", wire.CodeUnauthorized, wire.CloseUnauthorized, c.why)
				if a := g.get("/api/v1/charts", bearer(c.token)...); a.StatusCode != 401 || !strings.Contains(a.Header.Get("WWW-Authenticate"), "Bearer") {
					t.Errorf("over HTTP: %d %s", a.StatusCode, a.body)
				}
			}
			if after := g.metric("chartd_auth_refused_total", `reason="`+c.kind); after <= before {
				t.Errorf("%v refusals of the kind %q before, %v after", before, c.kind, after)
			}
		})
	}
	// A token of the future is no reason never to come back.
	early := g.good(jwt.MapClaims{"nbf": time.Now().Add(time.Hour).Unix()})
	g.turnedAway(g.connect(), early, wire.CodeUnavailable, wire.CloseUnavailable, "")
	if long := strings.Repeat("x", 9000); true {
		c := g.connect()
		c.Send(wire.Hello{Token: long})
		if f := livetest.Until[wire.Failure](c, nil); f.Err.Code != wire.CodeBadMessage {
			t.Errorf("a long token: %v", f.Err)
		}
	}
}

// What is refused above is good when nothing is wrong with it.
func TestGoodTokens(t *testing.T) {
	g := attacked(t)
	for name, token := range map[string]string{
		"static": wallToken, "RS256": g.good(nil),
		"HS256": g.mint(jwt.SigningMethodHS256, []byte(jwtSecret), claims(nil)),
		"ES256": g.mint(jwt.SigningMethodES256, g.keys.ec, claims(nil)),
		"EdDSA": g.mint(jwt.SigningMethodEdDSA, g.keys.ed, claims(nil)),
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := g.enter(token)
			c.Full(c.Sub(wire.Sub{Chart: "cpu"}).V)
			if a := g.get("/charts/cpu.svg", bearer(token)...); a.StatusCode != 200 {
				t.Errorf("the picture: %d %s", a.StatusCode, a.body)
			}
		})
	}
	t.Run("in the request's header", func(t *testing.T) {
		c := g.connect(bearer(wallToken)...)
		c.Send(wire.Hello{})
		livetest.Until[wire.Welcome](c, nil)
		c.Full(c.Sub(wire.Sub{Chart: "cpu"}).V)
	})
	t.Run("hello's comes first", func(t *testing.T) {
		g.turnedAway(g.connect(bearer(wallToken)...), "made-up-0123456789", wire.CodeUnauthorized, wire.CloseUnauthorized, "")
	})
	t.Run("not in the address", func(t *testing.T) {
		link := g.sign(linkTo("cpu"))
		base := g.base
		g.base += "/ws?link=" + link + "#"
		defer func() { g.base = base }()
		g.turnedAway(g.connect(), "", wire.CodeUnauthorized, wire.CloseUnauthorized, "a token is needed")
	})
}

// A token that ends while its session is open ends the session, at its time and
// with its code.
func TestTokenExpiresWhileOpen(t *testing.T) {
	g := attacked(t)
	end := time.Now().Add(3 * time.Second).Truncate(time.Second)
	c, _ := g.enter(g.good(jwt.MapClaims{"exp": end.Unix()}))
	c.Full(c.Sub(wire.Sub{Chart: "cpu"}).V)
	f := livetest.Until[wire.Failure](c, nil)
	if f.Err.Code != wire.CodeUnauthorized || !strings.Contains(f.Err.Message, "expired") {
		t.Errorf("told %v", f.Err)
	}
	if now := time.Now(); now.Before(end) {
		t.Errorf("ended %v too early", end.Sub(now))
	}
	if e := c.Closed(); e.Code != int(wire.CloseUnauthorized) {
		t.Errorf("closed with %v", e)
	}
}

// A fresh token of the same owner puts the end off; anything else does not.
func TestRenewal(t *testing.T) {
	g := attacked(t)
	end := time.Now().Add(4 * time.Second)
	c, _ := g.enter(g.good(jwt.MapClaims{"exp": end.Unix()}))
	cpu := c.Sub(wire.Sub{Chart: "cpu"})
	refused(t, c, wire.CodeForbidden, wire.Auth{ID: "90", Token: g.good(jwt.MapClaims{"sub": "mallory"})})
	refused(t, c, wire.CodeForbidden, wire.Auth{ID: "91", Token: wallToken})
	refused(t, c, wire.CodeUnauthorized, wire.Auth{ID: "92", Token: "made-up-0123456789"})
	refused(t, c, wire.CodeUnauthorized, wire.Auth{ID: "93", Token: g.good(jwt.MapClaims{"exp": time.Now().Add(-time.Minute).Unix()})})
	c.Send(wire.Resync{V: cpu.V})
	c.Full(cpu.V) // it goes on
	c.Send(wire.Auth{ID: "94", Token: g.good(nil)}, wire.Ping{ID: "95"})
	c.OK("94")
	c.OK("95") // what waited behind the token
	for time.Now().Before(end.Add(time.Second)) {
		c.Next() // frames come
	}
	// A token with fewer rights ends what it does not allow.
	c.Send(wire.Auth{ID: "96", Token: g.good(jwt.MapClaims{"chartd_read": []string{"shared"}})})
	c.OK("96")
	f := livetest.Until(c, func(f wire.Failure) bool { return f.ID == "" })
	if f.V != cpu.V || f.Err.Code != wire.CodeForbidden {
		t.Errorf("told %+v", f)
	}
	refused(t, c, wire.CodeUnknownView, wire.Set{ID: "97", V: cpu.V})
	refused(t, c, wire.CodeForbidden, wire.Sub{ID: "98", Chart: "cpu"})
	c.Full(c.Sub(wire.Sub{Chart: "shared"}).V)
}
