package auth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"pgregory.net/rapid"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/secret"
)

func linkGate(t testing.TB) (*Gate, Links) {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Links = Links{Secret: linkSecret, OldSecrets: []secret.Text{oldSecret}, Revoked: []string{"gone"}}
	return newGate(t, cfg, nil), cfg.Links
}

func sign(t testing.TB, l Links, link Link) string {
	t.Helper()
	if link.Expires.IsZero() {
		link.Expires = time.Now().Add(time.Hour)
	}
	if link.Chart == "" {
		link.Chart = "cpu"
	}
	_, token, err := l.Sign(link)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestLink(t *testing.T) {
	g, links := linkGate(t)
	window := quantity.Duration(60e9)
	expires := time.Now().Add(24 * time.Hour).Truncate(time.Second)
	link, token, err := links.Sign(Link{
		Chart: "cpu", Expires: expires, Origins: []string{"https://Example.com:443/", "https://*.example.org"},
		View: plotting.Change{Window: &window, Vars: map[string]string{"host": "web1"}}, MaxWindow: quantity.Duration(3600e9), MaxSessions: 7,
	})
	if err != nil {
		t.Fatal(err)
	}
	grant, err := g.Identify(t.Context(), token, Visitor{Origin: "https://example.com", Host: "charts.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	if grant.ID() != "link:"+link.ID || grant.Name() != "link "+link.ID || grant.Form() != FormLink || !grant.Expires().Equal(expires) || grant.MaxSessions() != 7 || grant.Admin() {
		t.Errorf("%+v", grant)
	}
	if got := strings.Join(grant.Origins(), " "); got != "https://example.com https://*.example.org" {
		t.Errorf("its origins are %s", got)
	}
	if !grant.MayRead("cpu") || grant.MayRead("cpu2") || grant.MayRead("memory") || grant.MayRead("") || grant.MayCall("cpu") {
		t.Error("it allows more or less than its chart")
	}
	// A link is worth the same however often it is used.
	for range 3 {
		if again, err := g.Identify(t.Context(), token, Visitor{Page: true}); err != nil || again.ID() != grant.ID() {
			t.Errorf("shown again: %v, %v", again, err)
		}
	}
	if _, other, err := links.Sign(Link{Chart: "cpu", Expires: expires}); err != nil || other == token || strings.ContainsAny(other, "+/=&?# ") {
		t.Errorf("another link is %s, %v", other, err)
	}
}

// TestLinkAttacks is the table of links that must never be believed.
func TestLinkAttacks(t *testing.T) {
	g, links := linkGate(t)
	good := sign(t, links, Link{})
	cut := strings.LastIndexByte(good, '.')
	e := base64.RawURLEncoding.EncodeToString
	signed := func(key []byte, payload string) string {
		text := LinkPrefix + e([]byte(payload))
		return text + "." + e(mac(key, text))
	}
	own := linkKey(linkSecret)
	in := time.Now().Add(time.Hour)
	payload := func(change func(*claims)) string {
		c := claims{ID: "a", Chart: "cpu", Expires: in.Unix()}
		change(&c)
		b, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	expired := func() string {
		text := LinkPrefix + e([]byte(payload(func(c *claims) { c.Expires = time.Now().Add(-time.Second).Unix() })))
		return text + "." + e(mac(own, text))
	}()
	for _, tt := range []struct {
		name, token string
		want        Kind
	}{
		{"the sound one", good, ""},
		{"signed by hand", signed(own, payload(func(*claims) {})), ""},
		{"signed with the old secret", sign(t, Links{Secret: oldSecret}, Link{}), ""},
		{"forged: another secret", sign(t, Links{Secret: hmacSecret}, Link{}), KindSignature},
		{"forged: the secret itself, not the key made from it", signed([]byte(linkSecret), payload(func(*claims) {})), KindSignature},
		{"forged: no key", signed(nil, payload(func(*claims) {})), KindSignature},
		{"expired", expired, KindExpired},
		{"expired in 1970", signed(own, payload(func(c *claims) { c.Expires = 0 })), KindExpired},
		{"revoked", sign(t, links, Link{ID: "gone"}), KindRevoked},
		{"another payload", LinkPrefix + e([]byte(payload(func(c *claims) { c.Chart = "memory" }))) + good[cut:], KindSignature},
		{"no signature", good[:cut+1], KindMalformed},
		{"no dot", good[:cut], KindMalformed},
		{"nothing", LinkPrefix, KindMalformed},
		{"dots", LinkPrefix + "...", KindMalformed},
		{"half a signature", good[:len(good)-20], KindMalformed},
		{"signature twice", good + good[cut:], KindSignature},
		{"padding", good + "=", KindMalformed},
		{"a line break in the signature", good[:len(good)-1] + "\n", KindMalformed},
		{"over the limit", LinkPrefix + strings.Repeat("A", maxLink) + good[cut:], KindMalformed},
		{"the next format", "chartd2_" + good[len(LinkPrefix):], KindUnknown},
		{"without its prefix", good[len(LinkPrefix):], KindUnknown},
		{"as a JWT", "ey" + good + ".x", KindDisabled},
		{"a field that is not known", signed(own, `{"i":"a","c":"cpu","e":9999999999,"z":1}`), KindMalformed},
		{"two payloads", signed(own, payload(func(*claims) {})+"{}"), KindMalformed},
		{"not JSON", signed(own, "cpu"), KindMalformed},
		{"a list", signed(own, "[]"), KindMalformed},
		{"null", signed(own, "null"), KindMalformed},
		{"for every chart", signed(own, payload(func(c *claims) { c.Chart = "*" })), KindMalformed},
		{"for no chart", signed(own, payload(func(c *claims) { c.Chart = "" })), KindMalformed},
		{"without an id", signed(own, payload(func(c *claims) { c.ID = "" })), KindMalformed},
		{"an id with a line break", signed(own, payload(func(c *claims) { c.ID = "a\nb" })), KindMalformed},
		{"an origin that ends a header", signed(own, payload(func(c *claims) { c.Origins = []string{"https://a.example; script-src *"} })), KindMalformed},
		{"a negative window", signed(own, payload(func(c *claims) { c.MaxWindow = -1 })), KindMalformed},
		{"a window beyond numbers", signed(own, payload(func(c *claims) { c.MaxWindow = 1 << 62 })), KindMalformed},
		{"negative sessions", signed(own, payload(func(c *claims) { c.MaxSessions = -1 })), KindMalformed},
	} {
		if _, kind := identify(t, g, tt.token); kind != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, kind, tt.want)
		}
	}
}

// TestSecretsApart holds that one secret, given for both, signs neither links
// as JWTs nor JWTs as links.
func TestSecretsApart(t *testing.T) {
	cfg := DefaultConfig()
	cfg.JWT.Secret, cfg.Links.Secret = linkSecret, linkSecret
	g := newGate(t, cfg, nil)
	link := sign(t, cfg.Links, Link{})
	token := mint(t, jwt.SigningMethodHS256, []byte(linkSecret), goodClaims(), nil)
	if a, kind := identify(t, g, link); kind != "" || a.Form() != FormLink {
		t.Errorf("the link: %q", kind)
	}
	if a, kind := identify(t, g, token); kind != "" || a.Form() != FormJWT {
		t.Errorf("the JWT: %q", kind)
	}
	// The signature of one, under the form of the other.
	parts := strings.Split(token, ".")
	for name, credential := range map[string]string{
		"a JWT with a link's prefix":     LinkPrefix + token,
		"a JWT's claims as a link":       LinkPrefix + parts[1] + "." + parts[2],
		"a JWT signed as links are":      mint(t, jwt.SigningMethodHS256, linkKey(linkSecret), goodClaims(), nil),
		"a link's payload as JWT claims": parts[0] + "." + strings.TrimPrefix(link, LinkPrefix),
	} {
		if _, kind := identify(t, g, credential); kind != KindSignature && kind != KindMalformed {
			t.Errorf("%s: %q", name, kind)
		}
	}
}

func TestLinkOrigins(t *testing.T) {
	g, links := linkGate(t)
	token := sign(t, links, Link{Origins: []string{"https://example.com", "https://*.example.org", "http://localhost:3000", "https://[2001:db8::1]:8443"}})
	free := sign(t, links, Link{})
	for _, tt := range []struct {
		from Visitor
		want Kind
	}{
		{Visitor{Origin: "https://example.com"}, ""},
		{Visitor{Origin: "https://a.example.org"}, ""},
		{Visitor{Origin: "https://a.b.example.org"}, ""},
		{Visitor{Origin: "http://localhost:3000"}, ""},
		{Visitor{Origin: "https://[2001:db8::1]:8443"}, ""},
		{Visitor{Page: true}, ""},
		{Visitor{Page: true, Origin: "https://evil.example"}, ""}, // the browser refuses to frame it
		{Visitor{Origin: "https://charts.example.net", Host: "charts.example.net"}, ""},
		{Visitor{Origin: "http://127.0.0.1:8080", Host: "127.0.0.1:8080"}, ""},
		{Visitor{}, KindOrigin},
		{Visitor{Origin: "null"}, KindOrigin},
		{Visitor{Origin: "null", Host: "null"}, KindOrigin},
		{Visitor{Origin: "http://example.com"}, KindOrigin},
		{Visitor{Origin: "https://example.com:8443"}, KindOrigin},
		{Visitor{Origin: "https://example.com.evil.example"}, KindOrigin},
		{Visitor{Origin: "https://evilexample.org"}, KindOrigin},
		{Visitor{Origin: "https://example.org"}, KindOrigin},
		{Visitor{Origin: "https://*.example.org"}, KindOrigin},
		{Visitor{Origin: "https://.example.org"}, KindOrigin},
		{Visitor{Origin: "https://evil.example/.example.org"}, KindOrigin},
		{Visitor{Origin: "https://evil.example?.example.org"}, KindOrigin},
		{Visitor{Origin: "https://evil.example#.example.org"}, KindOrigin},
		{Visitor{Origin: "https://a.example.org@evil.example"}, KindOrigin},
		{Visitor{Origin: "https://charts.example.net", Host: "charts.example.net:8080"}, KindOrigin},
		{Visitor{Origin: "https://", Host: ""}, KindOrigin},
		{Visitor{Origin: strings.Repeat("https://a", 5000)}, KindOrigin},
	} {
		_, err := g.Identify(t.Context(), token, tt.from)
		if kind := kindOf(t, err, token); kind != tt.want {
			t.Errorf("%+.80v: %q, want %q", tt.from, kind, tt.want)
		}
		if _, err := g.Identify(t.Context(), free, tt.from); err != nil {
			t.Errorf("%+.80v: a link for any page: %v", tt.from, err)
		}
	}
}

func TestSignRefuses(t *testing.T) {
	_, links := linkGate(t)
	in := time.Now().Add(time.Hour)
	window, zero := quantity.Duration(7200e9), int64(0)
	paused := true
	hidden := make([]string, 0, 64)
	for range 64 {
		hidden = append(hidden, strings.Repeat("x", 200))
	}
	for name, tt := range map[string]struct {
		links Links
		link  Link
		want  string
	}{
		"no secret":       {Links{}, Link{Chart: "cpu", Expires: in}, "auth.links.secret"},
		"no chart":        {links, Link{Expires: in}, "cannot name a chart"},
		"every chart":     {links, Link{Chart: "*", Expires: in}, "cannot name a chart"},
		"past":            {links, Link{Chart: "cpu", Expires: time.Now().Add(-time.Hour)}, "expired already"},
		"no expiry":       {links, Link{Chart: "cpu"}, "expired already"},
		"for ever":        {links, Link{Chart: "cpu", Expires: in.AddDate(20, 0, 0)}, "ten years"},
		"an origin":       {links, Link{Chart: "cpu", Expires: in, Origins: []string{"example.com"}}, "https://example.com"},
		"any origin":      {links, Link{Chart: "cpu", Expires: in, Origins: []string{"*"}}, "https://example.com"},
		"an address":      {links, Link{Chart: "cpu", Expires: in, Origins: []string{"https://example.com/page"}}, "https://example.com"},
		"many origins":    {links, Link{Chart: "cpu", Expires: in, Origins: make([]string, 17)}, "origin"},
		"sessions":        {links, Link{Chart: "cpu", Expires: in, MaxSessions: -1}, "0 is any"},
		"small window":    {links, Link{Chart: "cpu", Expires: in, MaxWindow: 1}, "1s to 3660d"},
		"window over max": {links, Link{Chart: "cpu", Expires: in, MaxWindow: quantity.Duration(3600e9), View: plotting.Change{Window: &window}}, "over the largest"},
		"range and max":   {links, Link{Chart: "cpu", Expires: in, MaxWindow: quantity.Duration(3600e9), View: plotting.Change{From: &zero}}, "no largest window"},
		"replay and max":  {links, Link{Chart: "cpu", Expires: in, MaxWindow: quantity.Duration(3600e9), View: plotting.Change{Replay: &plotting.Replay{At: 1}}}, "no largest window"},
		"replay undated":  {links, Link{Chart: "cpu", Expires: in, View: plotting.Change{Replay: &plotting.Replay{At: 1, Speed: 2}}}, "since when"},
		"paused":          {links, Link{Chart: "cpu", Expires: in, View: plotting.Change{Paused: &paused}}, "cannot be pinned"},
		"reset":           {links, Link{Chart: "cpu", Expires: in, View: plotting.Change{Reset: true}}, "cannot be pinned"},
		"long":            {links, Link{Chart: "cpu", Expires: in, View: plotting.Change{Hidden: &hidden}}, "at most 4096"},
		"id":              {links, Link{ID: "A b", Chart: "cpu", Expires: in}, "the id"},
	} {
		if _, token, err := tt.links.Sign(tt.link); err == nil || token != "" || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %q, %v; want an error with %q", name, token, err, tt.want)
		}
	}
}

// drawLink makes up a link that Sign takes.
func drawLink(t *rapid.T) Link {
	name := rapid.StringMatching(`[a-z0-9_-]{1,64}`)
	link := Link{
		ID: name.Draw(t, "id"), Chart: name.Draw(t, "chart"),
		Expires:     time.Now().Add(time.Duration(rapid.Int64Range(2, 1e8).Draw(t, "seconds")) * time.Second).Truncate(time.Second),
		Origins:     rapid.SliceOfN(rapid.StringMatching(`https?://(\*\.)?[a-z0-9]{1,10}\.example(:8[0-9]{3})?`), 0, 4).Draw(t, "origins"),
		MaxSessions: rapid.IntRange(0, 1e6).Draw(t, "sessions"),
	}
	if rapid.Bool().Draw(t, "limited") {
		link.MaxWindow = quantity.Duration(rapid.Int64Range(1, 1e6).Draw(t, "max window")) * 1e9
	}
	if rapid.Bool().Draw(t, "pinned") {
		link.View.Vars = rapid.MapOfN(rapid.String(), rapid.String(), 1, 3).Draw(t, "vars")
		title := rapid.String().Draw(t, "title")
		link.View.Title = &title
	}
	return link
}

// TestLinkRoundTrip holds that a gate reads what Sign wrote, and that whatever
// is altered in it is noticed.
func TestLinkRoundTrip(t *testing.T) {
	g, links := linkGate(t)
	rapid.Check(t, func(t *rapid.T) {
		want := drawLink(t)
		_, token, err := links.Sign(want)
		if err != nil {
			t.Fatalf("%+v: %v", want, err)
		}
		got, _, refusal := g.links.open(token)
		if refusal != nil {
			t.Fatal(refusal)
		}
		if a, b := asJSON(t, got), asJSON(t, &want); a != b {
			t.Fatalf("signed\n%s\nread\n%s", b, a)
		}
		if changed := alter(t, token); changed != token {
			if grant, err := g.Identify(context.Background(), changed, Visitor{Page: true}); err == nil {
				t.Fatalf("%s\nbecame\n%s\nand is believed: %+v", token, changed, grant)
			}
		}
	})
	token := sign(t, links, Link{})
	for _, other := range lastChanged(token) {
		if grant, err := g.Identify(t.Context(), other, Visitor{Page: true}); err == nil {
			t.Fatalf("%s is believed as %s: %+v", token, other, grant)
		}
	}
	for i := range len(token) * 8 {
		b := []byte(token)
		b[i/8] ^= 1 << (i % 8)
		if grant, err := g.Identify(t.Context(), string(b), Visitor{Page: true}); err == nil {
			t.Fatalf("bit %d of %s: %+v", i, token, grant)
		}
		if grant, err := g.Identify(t.Context(), token[:i/8], Visitor{Page: true}); err == nil {
			t.Fatalf("the first %d bytes of %s: %+v", i/8, token, grant)
		}
	}
}

func asJSON(t interface{ Fatal(args ...any) }, l *Link) string {
	c := *l
	if len(c.Origins) == 0 {
		c.Origins = nil
	}
	c.Expires = c.Expires.UTC()
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
