package auth

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

// FuzzLink holds that no text is a link but those that were signed, and that
// what is signed is read without a panic, whatever it says.
func FuzzLink(f *testing.F) {
	g, _ := linkGate(f)
	// The same in every process that fuzzes.
	good := LinkPrefix + base64.RawURLEncoding.EncodeToString([]byte(`{"i":"a","c":"cpu","e":4102444800,"o":["https://example.com"]}`))
	good += "." + base64.RawURLEncoding.EncodeToString(mac(linkKey(linkSecret), good))
	f.Add(good)
	f.Add(LinkPrefix)
	f.Add(LinkPrefix + "." + strings.Repeat("A", 43))
	f.Add(`{"i":"a","c":"cpu","e":9999999999,"o":["https://a.example"],"v":{"vars":{"a":"b"}},"w":60000,"n":3}`)
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := g.Identify(context.Background(), text, Visitor{Page: true}); err == nil && text != good {
			t.Errorf("%q is believed", text)
		}
		if _, err := g.Identify(context.Background(), LinkPrefix+text, Visitor{Page: true}); err == nil && LinkPrefix+text != good {
			t.Errorf("%q is believed", LinkPrefix+text)
		}
		// As if the secret had signed it.
		link, err := readLink(base64.RawURLEncoding.EncodeToString([]byte(text)))
		if err != nil {
			return
		}
		if !isName(link.Chart) || !isName(link.ID) || link.MaxSessions < 0 || link.MaxWindow < 0 {
			t.Errorf("%q gives %+v", text, link)
		}
		for _, o := range link.Origins {
			if strings.ContainsAny(o, " ;,'\"\r\n") {
				t.Errorf("%q gives the origin %q, which would end a header", text, o)
			}
		}
		grant := linkGrant(*link)
		if v, err := grant.View(spec(), link.Chart); err == nil {
			if err := grant.pinned(spec(), v); err != nil {
				t.Errorf("%q: the first view does not fit: %v", text, err)
			}
		}
	})
}

// FuzzJWT holds that no text is a JWT but those that were signed, and that
// what is signed is read without a panic, whatever it says.
func FuzzJWT(f *testing.F) {
	const fuzzSecret = "a secret of this test alone, 32 bytes"
	cfg := DefaultConfig()
	cfg.JWT.Secret, cfg.JWT.WithoutExpiry = fuzzSecret, true
	g, err := New(cfg, nil, nil)
	if err != nil {
		f.Fatal(err)
	}
	// The same in every process that fuzzes.
	claims := with(goodClaims(), jwt.MapClaims{"exp": 4102444800, "nbf": 1})
	good := mint(f, jwt.SigningMethodHS256, []byte(fuzzSecret), claims, nil)
	parts := strings.Split(good, ".")
	decode := func(s string) string {
		b, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil {
			f.Fatal(err)
		}
		return string(b)
	}
	f.Add(good, decode(parts[0]), decode(parts[1]))
	f.Add("ey..", `{"alg":"none"}`, `{}`)
	f.Add("ey.ey.ey", `{"alg":"HS256","kid":"x","crit":["b64"]}`, `{"exp":1e300,"nbf":-1,"aud":["a",1]}`)
	f.Add("", `{"alg":"HS256","typ":"at+jwt"}`, `{"sub":"a\nb","chartd_read":["*",null],"chartd_admin":true}`)
	f.Fuzz(func(t *testing.T, token, header, claims string) {
		if _, err := g.Identify(context.Background(), token, Visitor{}); err == nil && token != good {
			t.Errorf("%q is believed", token)
		}
		// As if the secret had signed it.
		unsigned := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
		sig, err := jwt.SigningMethodHS256.Sign(unsigned, []byte(fuzzSecret))
		if err != nil {
			t.Fatal(err)
		}
		grant, err := g.Identify(context.Background(), unsigned+"."+base64.RawURLEncoding.EncodeToString(sig), Visitor{})
		if (grant == nil) != (err != nil) {
			t.Fatalf("%v, %v", grant, err)
		}
		if err == nil && (strings.ContainsAny(grant.Name(), "\r\n\x1b") || len(grant.Name()) > 300 || len(grant.read) > maxNames) {
			t.Errorf("%q gives %+v", claims, grant)
		}
	})
}

// FuzzJWKS holds that no answer of an issuer makes the reader panic, or gives a
// key that could not verify.
func FuzzJWKS(f *testing.F) {
	f.Add([]byte(`{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}`))
	f.Add([]byte(`{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"},{"kty":"OKP","crv":"Ed25519","x":"AA"}]}`))
	f.Add([]byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"a"}]}`))
	f.Add([]byte(`{"keys":null}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		ks, err := parseJWKS(body)
		if (len(ks) == 0) != (err != nil) {
			t.Fatalf("%d keys, %v", len(ks), err)
		}
		for _, k := range ks {
			if k.alg == HS256 || jwt.GetSigningMethod(string(k.alg)).Verify("a.b", make([]byte, 64), k.material) == nil {
				t.Errorf("%s gives a key for %s that verifies anything", body, k.alg)
			}
		}
	})
}

// FuzzPEM holds that no file makes the reader of keys panic.
func FuzzPEM(f *testing.F) {
	f.Add(publicPEM(f, &privateKeys().ec.PublicKey))
	f.Add(publicPEM(f, privateKeys().ed.Public()))
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if ks, err := parsePEM(data); (len(ks) == 0) != (err != nil) {
			t.Fatalf("%d keys, %v", len(ks), err)
		}
	})
}

// FuzzRequest holds that what a request says is taken apart without a panic,
// and that a query gives links alone.
func FuzzRequest(f *testing.F) {
	f.Add("Bearer abc", "https://a.example", "https://b.example/x", "link="+LinkPrefix+"x")
	f.Add("Basic dXNlcjpwYXNz", "null", "::", "%zz&link=%63hartd1_")
	f.Fuzz(func(t *testing.T, authorization, origin, referer, query string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header = http.Header{"Authorization": {authorization}, "Origin": {origin}, "Referer": {referer}}
		r.URL.RawQuery = query
		VisitorOf(r).among([]string{"https://example.com", "https://*.example.org"})
		Credential(r)
		r.Header.Del("Authorization")
		if c := Credential(r); c != "" && !strings.HasPrefix(c, LinkPrefix) {
			t.Errorf("the query %q gives %q", query, c)
		}
	})
}
