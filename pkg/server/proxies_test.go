package server

import (
	"crypto/tls"
	"net/http/httptest"
	"net/netip"
	"testing"
)

func trusted(header ProxyHeader) *proxies {
	return &proxies{header: header, networks: []netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8"), netip.MustParsePrefix("fe80::/10"),
	}}
}

func TestClientBehindProxies(t *testing.T) {
	const x, f = "X-Forwarded-For", "Forwarded"
	for _, tc := range []struct {
		name      string
		header    ProxyHeader
		remote    string
		forwarded []string // names and values in turn
		want      string
		secure    bool
	}{
		{"direct", XForwarded, "203.0.113.7:5000", nil, "203.0.113.7", false},
		{"direct, lying", XForwarded, "203.0.113.7:5000", []string{x, "1.2.3.4", "X-Forwarded-Proto", "https"}, "203.0.113.7", false},
		{"one proxy", XForwarded, "10.1.1.1:5000", []string{x, "203.0.113.7"}, "203.0.113.7", false},
		{"one proxy with TLS", XForwarded, "10.1.1.1:5000", []string{x, "203.0.113.7", "X-Forwarded-Proto", "HTTPS"}, "203.0.113.7", true},
		{"two proxies", XForwarded, "10.1.1.1:5000", []string{x, "203.0.113.7, 10.2.2.2", "X-Forwarded-Proto", "https, http"}, "203.0.113.7", true},
		{"two headers", XForwarded, "10.1.1.1:5000", []string{x, "203.0.113.7", x, "10.2.2.2"}, "203.0.113.7", false},
		{"the client lied to the proxy", XForwarded, "10.1.1.1:5000", []string{x, "1.2.3.4, 203.0.113.7"}, "203.0.113.7", false},
		{"garbage from the client", XForwarded, "10.1.1.1:5000", []string{x, "unknown, 203.0.113.7"}, "203.0.113.7", false},
		{"garbage from the proxy", XForwarded, "10.1.1.1:5000", []string{x, "203.0.113.7, ?"}, "10.1.1.1", false},
		{"nothing from the proxy", XForwarded, "10.1.1.1:5000", nil, "10.1.1.1", false},
		{"only proxies", XForwarded, "10.1.1.1:5000", []string{x, "10.9.9.9"}, "10.9.9.9", false},
		{"with a port", XForwarded, "10.1.1.1:5000", []string{x, "203.0.113.7:1234"}, "203.0.113.7", false},
		{"IPv6 with a port", XForwarded, "10.1.1.1:5000", []string{x, "[2001:db8::9]:1234"}, "2001:db8::9", false},
		{"IPv4 in IPv6", XForwarded, "[::ffff:203.0.113.7]:5000", nil, "203.0.113.7", false},
		{"IPv4 proxy in IPv6", XForwarded, "[::ffff:10.1.1.1]:5000", []string{x, "::ffff:203.0.113.7"}, "203.0.113.7", false},
		{"IPv6 proxy", XForwarded, "[fd00::1]:5000", []string{x, "2001:db8::9"}, "2001:db8::9", false},
		{"a proxy with a zone", XForwarded, "[fe80::1%eth0]:5000", []string{x, "2001:db8::9"}, "2001:db8::9", false},
		{"a client with a zone", XForwarded, "[fe80::1%eth0]:5000", []string{x, "2001:db8::9%x"}, "2001:db8::9", false},
		{"no address at all", XForwarded, "@", []string{x, "1.2.3.4"}, "invalid IP", false},
		{"the other header is not believed", XForwarded, "10.1.1.1:5000", []string{x, "203.0.113.7", f, "for=1.2.3.4;proto=https"}, "203.0.113.7", false},

		{"RFC 7239", Forwarded, "10.1.1.1:5000", []string{f, "for=203.0.113.7;proto=https;by=10.1.1.1"}, "203.0.113.7", true},
		{"RFC 7239, two proxies", Forwarded, "10.1.1.1:5000", []string{f, "for=203.0.113.7;proto=https, for=10.2.2.2;proto=http"}, "203.0.113.7", true},
		{"RFC 7239, two headers", Forwarded, "10.1.1.1:5000", []string{f, "For=203.0.113.7", f, `FOR="10.2.2.2:80"`}, "203.0.113.7", false},
		{"RFC 7239, IPv6", Forwarded, "10.1.1.1:5000", []string{f, `for="[2001:db8:cafe::17]:4711"`}, "2001:db8:cafe::17", false},
		{"RFC 7239, hidden", Forwarded, "10.1.1.1:5000", []string{f, "for=1.2.3.4, for=_hidden;proto=https"}, "10.1.1.1", true},
		{"RFC 7239, unknown", Forwarded, "10.1.1.1:5000", []string{f, "for=1.2.3.4, for=unknown"}, "10.1.1.1", false},
		{"RFC 7239, lying", Forwarded, "10.1.1.1:5000", []string{f, "for=1.2.3.4;proto=https, for=203.0.113.7;proto=http"}, "203.0.113.7", false},
		{"RFC 7239, an open quote", Forwarded, "10.1.1.1:5000", []string{f, `for=1.2.3.4;x=", for=203.0.113.7`}, "10.1.1.1", false},
		{"RFC 7239, a quote closed by the proxy", Forwarded, "10.1.1.1:5000", []string{f, `for=1.2.3.4;x=", for="[2001:db8::1]"`}, "10.1.1.1", false},
		{"RFC 7239, a comma in quotes", Forwarded, "10.1.1.1:5000", []string{f, `for=203.0.113.7;host="a,\"b"`}, "203.0.113.7", false},
		{"RFC 7239, empty", Forwarded, "10.1.1.1:5000", []string{f, ""}, "10.1.1.1", false},
		{"X-Forwarded-For is not believed", Forwarded, "10.1.1.1:5000", []string{x, "1.2.3.4", "X-Forwarded-Proto", "https"}, "10.1.1.1", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/ws", nil)
			r.RemoteAddr = tc.remote
			for i := 0; i < len(tc.forwarded); i += 2 {
				r.Header.Add(tc.forwarded[i], tc.forwarded[i+1])
			}
			got, secure := trusted(tc.header).client(r)
			if got.String() != tc.want || secure != tc.secure {
				t.Fatalf("got %s, TLS %v; want %s, %v", got, secure, tc.want, tc.secure)
			}
		})
	}
	r := httptest.NewRequest("GET", "/ws", nil)
	r.TLS = new(tls.ConnectionState)
	if _, secure := trusted(XForwarded).client(r); !secure {
		t.Error("a connection with TLS is not taken for one")
	}
}

// Whatever a client writes, a trusted proxy's own word behind it decides, or
// nothing does.
func FuzzForwarded(f *testing.F) {
	f.Add("for=1.2.3.4", false)
	f.Add(`for="`, true)
	f.Add(`for=1.2.3.4;x="\`, true)
	f.Add(`for=1.2.3.4;proto=https,`, false)
	f.Fuzz(func(t *testing.T, client string, quoted bool) {
		want, proxy := "203.0.113.7", "for=203.0.113.7"
		if quoted {
			want, proxy = "2001:db8::1", `for="[2001:db8::1]:80"`
		}
		r := httptest.NewRequest("GET", "/ws", nil)
		r.RemoteAddr = "10.1.1.1:5000"
		for _, header := range ProxyHeaders() {
			r.Header.Set("Forwarded", client+", "+proxy)
			r.Header.Set("X-Forwarded-For", client+", "+want)
			if got, _ := trusted(header).client(r); got.String() != want && (header == XForwarded || got.String() != "10.1.1.1") {
				t.Fatalf("%s: %q made the client %s", header, client, got)
			}
		}
	})
}
