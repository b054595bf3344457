package auth

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chartd/chartd/pkg/plotting"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/secret"
)

// Link is what a signed embed link allows to whoever has it: to watch one
// chart. It is worth the same however often it is used, until it expires or
// its id is revoked; Origins bound where it is shown, and MaxSessions how often
// at the same time.
type Link struct {
	// ID names the link in logs, in `revoked`, and when its sessions are
	// counted: [a-z0-9_-]. Sign makes one up if it is empty.
	ID string
	// Chart is the chart's name.
	Chart string
	// Expires is when the link ends, to the second.
	Expires time.Time
	// Origins are the origins of the pages that may show it, as
	// "https://example.com" or "https://*.example.com"; none is any.
	Origins []string
	// View is what the viewer sees and cannot alter; what it does not mention
	// is free. A pinned size is kept silently, because pages ask for the size
	// that they have room for; every other alteration is refused.
	View plotting.Change
	// MaxWindow is how far back the viewer may look, from now; 0 is any time.
	MaxWindow quantity.Duration
	// MaxSessions bounds the sessions that the link has at the same time; 0
	// does not.
	MaxSessions int
}

// LinkPrefix begins every signed link's token. The number is that of the
// format.
const LinkPrefix = "chartd1_"

const (
	maxLink        = 4 << 10 // bytes of a token
	maxLinkOrigins = 16
	maxLinkAge     = 10 * 366 * 24 * time.Hour
)

// claims is a Link as it is written into its token. The keys are short because
// the token stands in an address.
type claims struct {
	ID          string           `json:"i"`
	Chart       string           `json:"c"`
	Expires     int64            `json:"e"` // seconds since 1970
	Origins     []string         `json:"o,omitempty"`
	View        *plotting.Change `json:"v,omitempty"`
	MaxWindow   int64            `json:"w,omitempty"` // ms
	MaxSessions int              `json:"n,omitempty"`
}

// Sign returns the link, completed with an id, and its token: what stands
// behind "?link=" and in the attribute link. The error says what in the link
// makes no sense, or that there is no secret. Whether the chart is there, and
// takes the view, is not known here: see plotting.Spec.Change.
func (l Links) Sign(link Link) (Link, string, error) {
	if l.Secret == "" {
		return link, "", errors.New("no links can be signed without the setting auth.links.secret")
	}
	if link.ID == "" {
		link.ID = strings.ToLower(rand.Text()[:12]) // 60 bits
	}
	link.Origins = slices.Clone(link.Origins)
	for i, o := range link.Origins {
		normal, err := normalOrigin(o)
		if err != nil {
			return link, "", fmt.Errorf("origin %q: %w", o, err)
		}
		link.Origins[i] = normal
	}
	link.Expires = link.Expires.Truncate(time.Second)
	if err := link.check(time.Now()); err != nil {
		return link, "", err
	}
	c := claims{
		ID: link.ID, Chart: link.Chart, Expires: link.Expires.Unix(), Origins: link.Origins,
		MaxWindow: link.MaxWindow.Millis(), MaxSessions: link.MaxSessions,
	}
	if len(slices.Collect(parts(link.View))) > 0 {
		c.View = &link.View
	}
	payload, err := json.Marshal(c)
	if err != nil {
		return link, "", fmt.Errorf("writing the link: %w", err)
	}
	text := LinkPrefix + base64.RawURLEncoding.EncodeToString(payload)
	key := linkKey(l.Secret)
	text += "." + base64.RawURLEncoding.EncodeToString(mac(key, text))
	if len(text) > maxLink {
		return link, "", fmt.Errorf("the link has %d characters; at most %d: pin less of the view, or name fewer origins", len(text), maxLink)
	}
	return link, text, nil
}

// check returns what makes no sense in a link that is to be signed.
func (l Link) check(now time.Time) error {
	switch {
	case !isName(l.ID):
		return fmt.Errorf("the id %q is not made of a-z, 0-9, _ and -, at most 64", l.ID)
	case !isName(l.Chart):
		return fmt.Errorf("%q cannot name a chart; a name is made of a-z, 0-9, _ and -, at most 64", l.Chart)
	case !l.Expires.After(now):
		return errors.New("the link would have expired already")
	case l.Expires.Sub(now) > maxLinkAge:
		return errors.New("the link would be good for over ten years; sign one for a shorter time")
	case len(l.Origins) > maxLinkOrigins:
		return fmt.Errorf("there are %d origins; at most %d", len(l.Origins), maxLinkOrigins)
	case l.MaxSessions < 0:
		return fmt.Errorf("%d sessions; 0 is any number", l.MaxSessions)
	case l.MaxWindow != 0 && (l.MaxWindow < plotting.MinWindow || l.MaxWindow > plotting.MaxWindow):
		return fmt.Errorf("the largest window is %v; it may be %v to %v", l.MaxWindow, plotting.MinWindow, plotting.MaxWindow)
	case l.View.Reset || l.View.Paused != nil:
		return errors.New("reset and paused cannot be pinned: they are not part of a view")
	case l.MaxWindow != 0 && l.View.Window != nil && *l.View.Window > l.MaxWindow:
		return fmt.Errorf("the pinned window, %v, is over the largest, %v", *l.View.Window, l.MaxWindow)
	case l.View.Replay != nil && l.View.Replay.Speed != 0 && l.View.Replay.Since == 0:
		return errors.New("a pinned replay has to say since when it runs")
	case l.MaxWindow != 0 && (l.View.From != nil || l.View.To != nil || l.View.Replay != nil):
		return errors.New("a pinned range of time needs no largest window")
	}
	return nil
}

// linkKeys verify links: that of the secret, then those of the old ones.
type linkKeys [][]byte

func newLinkKeys(l Links) linkKeys {
	var keys linkKeys
	for _, s := range append([]secret.Text{l.Secret}, l.OldSecrets...) {
		if s != "" {
			keys = append(keys, linkKey(s))
		}
	}
	return keys
}

// linkKey derives the key that signs links. It is of no use for anything else,
// so that a secret which also signs JWTs cannot be made to sign a link.
func linkKey(s secret.Text) []byte {
	key, err := hkdf.Key(sha256.New, []byte(s), nil, "chartd embed link 1", sha256.Size)
	if err != nil {
		panic(err) // only a length that HKDF cannot give is an error
	}
	return key
}

func mac(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text)) // a hash never errs
	return m.Sum(nil)
}

// open returns the link of a token and the digest of the key that signed it.
// The time, the origins and the revoked ids are not looked at. Nothing of the
// token is decoded before its signature is known to be good.
func (ks linkKeys) open(token string) (*Link, digest, *Error) {
	malformed := refuse(KindMalformed, "this is not a whole link; copy it again from where it was made")
	at := strings.LastIndexByte(token, '.')
	if at < 0 || len(token) > maxLink {
		return nil, digest{}, malformed
	}
	text := token[:at]
	// Strict: no second spelling of the same bytes.
	sum, err := base64.RawURLEncoding.Strict().DecodeString(token[at+1:])
	if err != nil || len(sum) != sha256.Size || len(token)-at-1 != base64.RawURLEncoding.EncodedLen(sha256.Size) {
		return nil, digest{}, malformed
	}
	// All keys are tried, and each comparison takes the same time however much
	// is equal: how long it takes tells nothing.
	var signer digest
	good := false
	for _, key := range ks {
		if hmac.Equal(mac(key, text), sum) && !good {
			signer, good = digestOf(string(key)), true
		}
	}
	if !good {
		return nil, digest{}, refuse(KindSignature, "the link was altered, or signed with a secret that is not in use any more")
	}
	link, err := readLink(strings.TrimPrefix(text, LinkPrefix))
	if err != nil {
		return nil, digest{}, refuse(KindMalformed, "the link was signed by a chartd that writes links in another way")
	}
	return link, signer, nil
}

// readLink decodes what stands between the prefix and the signature.
func readLink(text string) (*Link, error) {
	payload, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, err
	}
	var c claims
	dec := json.NewDecoder(bytes.NewReader(payload))
	dec.DisallowUnknownFields() // a limit that is not understood must not be lost
	if err := dec.Decode(&c); err != nil {
		return nil, err
	}
	if dec.More() {
		return nil, errors.New("more than one value")
	}
	window, err := quantity.FromMillis(float64(c.MaxWindow))
	if err != nil {
		return nil, err
	}
	link := &Link{
		ID: c.ID, Chart: c.Chart, Expires: time.Unix(c.Expires, 0), Origins: c.Origins,
		MaxWindow: window, MaxSessions: c.MaxSessions,
	}
	if c.View != nil {
		link.View = *c.View
	}
	for _, o := range c.Origins {
		if normal, err := normalOrigin(o); err != nil || normal != o {
			return nil, errOrigin
		}
	}
	// An expired link is well-formed: the time is looked at elsewhere.
	return link, link.check(link.Expires.Add(-time.Second))
}

// has reports whether a key that signed a link is still in use.
func (ks linkKeys) has(signer digest) bool {
	for _, key := range ks {
		if digestOf(string(key)) == signer { // digests of keys, not secrets
			return true
		}
	}
	return false
}
