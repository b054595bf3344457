package server

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// ProxyHeader is the header in which trusted proxies say for whom they ask.
type ProxyHeader string

// The headers. Only one is believed: a proxy that writes the one passes the
// other on as a client has sent it.
const (
	// XForwarded stands for X-Forwarded-For and X-Forwarded-Proto.
	XForwarded ProxyHeader = "x-forwarded"
	// Forwarded is the header of RFC 7239.
	Forwarded ProxyHeader = "forwarded"
)

// ProxyHeaders lists every ProxyHeader.
func ProxyHeaders() []ProxyHeader { return []ProxyHeader{XForwarded, Forwarded} }

// proxies are those that are trusted, and how they speak.
type proxies struct {
	networks []netip.Prefix
	header   ProxyHeader
}

// hop is what a proxy says of whom it was asked by.
type hop struct {
	addr  netip.Addr // invalid if it does not say, or nothing that is an address
	proto string     // "https", "http", or "" if it does not say
}

func (p *proxies) trust(a netip.Addr) bool {
	return slices.ContainsFunc(p.networks, func(n netip.Prefix) bool { return n.Contains(a) })
}

// client returns who asks: the address that a request counts for, and whether it
// came over TLS as far as it can be known. The header is read from its end, past
// every proxy that is trusted; what stands before the first stranger could be
// written by anybody and is not believed.
func (p *proxies) client(r *http.Request) (addr netip.Addr, secure bool) {
	secure = r.TLS != nil
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}, secure // not TCP: all such peers count as one
	}
	addr = plainAddr(ap.Addr())
	if !p.trust(addr) {
		return addr, secure
	}
	for _, h := range slices.Backward(p.hops(r)) {
		if h.proto != "" {
			secure = h.proto == "https"
		}
		if !h.addr.IsValid() {
			break
		}
		if addr = h.addr; !p.trust(addr) {
			break
		}
	}
	return addr, secure
}

// hops returns what the proxies say, the nearest last.
func (p *proxies) hops(r *http.Request) []hop {
	if p.header == Forwarded {
		return parseForwarded(strings.Join(r.Header.Values("Forwarded"), ","))
	}
	var hops []hop
	for one := range strings.SplitSeq(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",") {
		hops = append(hops, hop{addr: parseHop(strings.TrimSpace(one))})
	}
	// There is no telling which proxy wrote it. That is no harm: who claims to
	// come over TLS and does not may do less for it.
	proto, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Proto"), ",")
	hops[len(hops)-1].proto = strings.ToLower(strings.TrimSpace(proto))
	return hops
}

// parseForwarded reads the header of RFC 7239. A header that is not well-formed
// says nothing: a quote that a client left open could have swallowed what the
// proxies wrote behind it.
func parseForwarded(s string) []hop {
	var hops []hop
	for {
		var h hop
		for {
			name, rest, ok := strings.Cut(strings.TrimLeft(s, " \t"), "=")
			name = strings.ToLower(name)
			if !ok || !isToken(name) {
				return nil
			}
			value, rest, ok := forwardedValue(rest)
			if !ok {
				return nil
			}
			switch name {
			case "for":
				h.addr = parseHop(value)
			case "proto":
				h.proto = strings.ToLower(value)
			}
			s = strings.TrimLeft(rest, " \t")
			if !strings.HasPrefix(s, ";") {
				break
			}
			s = s[1:]
		}
		hops = append(hops, h)
		switch {
		case s == "":
			return hops
		case s[0] != ',':
			return nil
		}
		s = s[1:]
	}
}

// forwardedValue reads a token or a quoted string, and returns what follows it.
func forwardedValue(s string) (value, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		end := strings.IndexAny(s, " \t,;")
		if end < 0 {
			end = len(s)
		}
		return s[:end], s[end:], isToken(s[:end])
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return b.String(), s[i+1:], true
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", "", false
}

// isToken reports whether s is a token of RFC 9110.
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}

// parseHop reads an address, with a port or not; it is invalid if s is none, such
// as "unknown".
func parseHop(s string) netip.Addr {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return plainAddr(ap.Addr())
	}
	if inner, ok := strings.CutPrefix(s, "["); ok {
		s, ok = strings.CutSuffix(inner, "]")
		if !ok {
			return netip.Addr{}
		}
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}
	}
	return plainAddr(a)
}

// plainAddr returns an address in the one form in which it is compared: an IPv4
// address as such, an IPv6 address without the interface it came in by.
func plainAddr(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }
