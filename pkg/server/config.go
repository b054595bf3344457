package server

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
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
	// MaxUpgradesPerSecond bounds how many WebSockets are opened in a second:
	// when everybody comes back at once, charts stay on time. Upgrades wait for
	// their turn for a second at most; then they are refused with 503.
	MaxUpgradesPerSecond int `yaml:"max_upgrades_per_second"`
	// MaxRequests bounds the connections that are no WebSockets, or not yet;
	// of one address, max_connections_per_address does. One too many is closed.
	MaxRequests int `yaml:"max_requests"`
	// MaxMessage bounds one message that a client sends, in bytes.
	MaxMessage quantity.Bytes `yaml:"max_message"`
	// MessageTimeout is how long one message of a client may take, from its
	// first byte to its last.
	MessageTimeout quantity.Duration `yaml:"message_timeout"`
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
	// frames, each compressed once for all who are sent it; patches are too small
	// to gain from it.
	Compression bool `yaml:"compression"`
	// MaxPictures bounds how many .svg and .png pictures are drawn at the same
	// time; further requests wait for their turn.
	MaxPictures int `yaml:"max_pictures"`
	// PicturesPerSecond bounds the pictures that are drawn for one client
	// address; four times as many may come at once. Those that are at most one
	// refresh old are shown again and do not count.
	PicturesPerSecond int `yaml:"pictures_per_second"`
	// FrameAncestors lists the sites that may show chartd's pages in an iframe,
	// as in the Content-Security-Policy header: "*", "'self'",
	// "https://example.com".
	FrameAncestors []string `yaml:"frame_ancestors"`
	// TLS is the certificate, with which the server speaks https and wss.
	TLS TLS `yaml:"tls"`
	// Admin is another address, as "127.0.0.1:9090", for /metrics,
	// /debug/pprof/, /healthz and /readyz, where nobody is asked who they are.
	// Empty is none; then /metrics is where everything is.
	Admin string `yaml:"admin"`
}

// DefaultConfig returns the values that Config has where YAML is silent. It is
// the one place that writes them down.
func DefaultConfig() Config {
	return Config{
		ProxyHeader:              XForwarded,
		MaxConnections:           20_000,
		MaxUpgradesPerSecond:     4_000,
		MaxRequests:              16_384,
		MessageTimeout:           quantity.Duration(10e9),
		PicturesPerSecond:        10,
		MaxConnectionsPerAddress: 1_000,
		MaxMessage:               64 << 10,
		Heartbeat:                quantity.Duration(25e9),
		WriteTimeout:             quantity.Duration(10e9),
		RequestTimeout:           quantity.Duration(30e9),
		MaxPictures:              1,
		Compression:              true,
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
	if (c.TLS.Cert == "") != (c.TLS.Key == "") {
		add("tls", "has one of cert and key", "name both files, or none")
	}
	if high := quantity.Duration(2 * 365 * 86400e9); c.TLS.HSTS < 0 || c.TLS.HSTS > high {
		add("tls.hsts", fmt.Sprintf("is %v", c.TLS.HSTS), fmt.Sprintf("0 to %v", high))
	}
	if what := badAdmin(c.Admin); what != "" {
		add("admin", what, `write "127.0.0.1:9090"; an address that others can reach is written out, as "10.0.0.7:9090" or "0.0.0.0:9090"`)
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
		{"max_upgrades_per_second", c.MaxUpgradesPerSecond},
		{"max_requests", c.MaxRequests},
		{"max_pictures", c.MaxPictures},
		{"pictures_per_second", c.PicturesPerSecond},
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
		{"message_timeout", c.MessageTimeout, quantity.Duration(100e6)},
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

// badAdmin says what is wrong with an address for the admin, "" if nothing is.
// Every address of the machine has to be meant.
func badAdmin(addr string) string {
	if addr == "" {
		return ""
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Sprintf("%q is not an address with a port", addr)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Sprintf("%q is not a port", port)
	}
	if host == "" {
		return fmt.Sprintf("%q is every address of this machine", addr)
	}
	return ""
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
