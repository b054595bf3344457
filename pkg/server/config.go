package server

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/quantity"
)

// Config is the `server:` section of the configuration: who may connect, how
// many, and how long anything over HTTP may take.
type Config struct {
	// Origins lists the origins of other sites whose pages may open a
	// WebSocket here, as "https://example.com" or "https://*.example.com"; "*"
	// allows any. Pages that chartd itself serves always may.
	Origins []string `yaml:"origins"`
	// TrustedProxies lists addresses and networks, as "10.0.0.0/8", that are
	// believed when they say for which address they ask, and whether it came
	// over TLS.
	TrustedProxies []string `yaml:"trusted_proxies"`
	// ProxyHeader is how trusted proxies say it: "x-forwarded"
	// (X-Forwarded-For, X-Forwarded-Proto) or "forwarded" (RFC 7239). The other
	// header is not believed, because they pass it on as clients sent it.
	ProxyHeader ProxyHeader `yaml:"proxy_header"`
	// MaxConnections bounds the open WebSockets of this process.
	MaxConnections int `yaml:"max_connections"`
	// MaxConnectionsPerAddress bounds the open WebSockets from one client
	// address (an IPv6 client counts as its /64).
	MaxConnectionsPerAddress int `yaml:"max_connections_per_address"`
	// MaxMessage bounds one message that a client sends, in bytes.
	MaxMessage quantity.Bytes `yaml:"max_message"`
	// Heartbeat is the time between two pings on a WebSocket; a peer silent for
	// two and a half of them is taken for dead.
	Heartbeat quantity.Duration `yaml:"heartbeat"`
	// WriteTimeout is how long one write to a WebSocket may take before the
	// session counts as too slow and is closed.
	WriteTimeout quantity.Duration `yaml:"write_timeout"`
	// RequestTimeout bounds the reading of a request and the writing of its
	// answer, for everything but WebSockets.
	RequestTimeout quantity.Duration `yaml:"request_timeout"`
	// Compression offers permessage-deflate to clients and uses it for whole
	// frames; patches are too small to gain from it.
	Compression bool `yaml:"compression"`
	// MaxPictures bounds how many .svg and .png pictures are drawn at the same
	// time; further requests wait for their turn.
	MaxPictures int `yaml:"max_pictures"`
	// FrameAncestors lists the sites that may show chartd's pages in an iframe,
	// as in the Content-Security-Policy header: "*", "'self'",
	// "https://example.com".
	FrameAncestors []string `yaml:"frame_ancestors"`
}

// DefaultConfig returns the values that Config has where YAML is silent. It is
// the one place that writes them down.
func DefaultConfig() Config {
	return Config{
		ProxyHeader:              XForwarded,
		MaxConnections:           10_000,
		MaxConnectionsPerAddress: 1_000,
		MaxMessage:               64 << 10,
		Heartbeat:                quantity.Duration(25e9),
		WriteTimeout:             quantity.Duration(10e9),
		RequestTimeout:           quantity.Duration(30e9),
		MaxPictures:              2,
		FrameAncestors:           []string{"*"},
	}
}

// Validate returns every problem of the section, with paths in YAML's names.
func (c Config) Validate() []problem.Problem {
	var ps []problem.Problem
	add := func(path, what, want string) {
		ps = append(ps, problem.Problem{Path: path, What: what, Want: want})
	}
	for i, o := range c.Origins {
		if _, err := parseOrigin(o); err != nil {
			add(fmt.Sprintf("origins[%d]", i), err.Error(), `write it as "https://example.com", "https://*.example.com" or "*"`)
		}
	}
	for i, p := range c.TrustedProxies {
		if _, err := parseNetwork(p); err != nil {
			add(fmt.Sprintf("trusted_proxies[%d]", i), fmt.Sprintf("%q is not an address or a network", p), `write it as "10.0.0.7" or "10.0.0.0/8"`)
		}
	}
	if !slices.Contains(ProxyHeaders(), c.ProxyHeader) {
		add("proxy_header", fmt.Sprintf("no header %q", c.ProxyHeader), problem.OneOf(c.ProxyHeader, ProxyHeaders()))
	}
	for i, a := range c.FrameAncestors {
		if a == "" || strings.ContainsAny(a, " ;,\r\n\t") {
			add(fmt.Sprintf("frame_ancestors[%d]", i), fmt.Sprintf("%q is not a source of a Content-Security-Policy", a), `write one site each, as "https://example.com", or "*", "'self'", "'none'"`)
		}
	}
	for _, n := range []struct {
		path string
		v    int
	}{
		{"max_connections", c.MaxConnections},
		{"max_connections_per_address", c.MaxConnectionsPerAddress},
		{"max_pictures", c.MaxPictures},
	} {
		if n.v < 1 {
			add(n.path, fmt.Sprintf("is %d", n.v), "at least 1")
		}
	}
	if c.MaxMessage < 1<<10 || c.MaxMessage > 16<<20 {
		add("max_message", fmt.Sprintf("is %v", c.MaxMessage), "1KiB to 16MiB")
	}
	for _, d := range []struct {
		path string
		v    quantity.Duration
		low  quantity.Duration
	}{
		{"heartbeat", c.Heartbeat, quantity.Duration(1e9)},
		{"write_timeout", c.WriteTimeout, quantity.Duration(100e6)},
		{"request_timeout", c.RequestTimeout, quantity.Duration(1e9)},
	} {
		if high := quantity.Duration(3600e9); d.v < d.low || d.v > high {
			add(d.path, fmt.Sprintf("is %v", d.v), fmt.Sprintf("%v to %v", d.low, high))
		}
	}
	return ps
}

// originRule is one entry of Config.Origins.
type originRule struct {
	any    bool
	scheme string
	host   string // with the port, if any; lower case
	sub    bool   // host's subdomains, not host itself
}

func parseOrigin(s string) (originRule, error) {
	if s == "*" {
		return originRule{any: true}, nil
	}
	u, err := url.Parse(s)
	switch {
	case err != nil, u.Scheme == "", u.Host == "":
		return originRule{}, fmt.Errorf("%q is not an origin", s)
	case u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return originRule{}, fmt.Errorf("%q has more than a scheme, a host and a port", s)
	}
	r := originRule{scheme: strings.ToLower(u.Scheme), host: strings.ToLower(u.Host)}
	r.host, r.sub = strings.CutPrefix(r.host, "*.")
	if strings.Contains(r.host, "*") {
		return originRule{}, fmt.Errorf("%q has a \"*\" that is not the whole first label", s)
	}
	return r, nil
}

func (r originRule) matches(o *url.URL) bool {
	if r.any {
		return true
	}
	host := strings.ToLower(o.Host)
	if strings.ToLower(o.Scheme) != r.scheme {
		return false
	}
	if r.sub {
		return strings.HasSuffix(host, "."+r.host)
	}
	return host == r.host
}

func parseNetwork(s string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked(), nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, err
	}
	return a.Prefix(a.BitLen())
}
