package auth

import (
	"errors"
	"net/url"
	"strings"
)

// errOrigin says how an origin is written.
var errOrigin = errors.New(`an origin is written as "https://example.com" or "https://*.example.com"`)

// normalOrigin returns an origin as browsers write it: in lower case, without
// the port that the scheme has anyway. The first label of the host may be "*".
func normalOrigin(s string) (string, error) {
	u, err := url.Parse(strings.ToLower(s))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil ||
		strings.TrimSuffix(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "" {
		return "", errOrigin
	}
	host := u.Host
	if u.Scheme == "https" {
		host = strings.TrimSuffix(host, ":443")
	} else {
		host = strings.TrimSuffix(host, ":80")
	}
	// Whoever writes it into a header can rely on there being nothing else.
	if strings.Trim(strings.TrimPrefix(host, "*."), "abcdefghijklmnopqrstuvwxyz0123456789-.:[]_") != "" || strings.HasPrefix(host, "*.") && len(host) == 2 {
		return "", errOrigin
	}
	return u.Scheme + "://" + host, nil
}

// originFits reports whether an origin is the allowed one or, if that begins
// with "*.", one of its subdomains.
func originFits(allowed, origin string) bool {
	scheme, host, _ := strings.Cut(allowed, "://")
	suffix, wild := strings.CutPrefix(host, "*")
	if !wild {
		return origin == allowed
	}
	gotScheme, gotHost, ok := strings.Cut(origin, "://")
	return ok && gotScheme == scheme && len(gotHost) > len(suffix) && strings.HasSuffix(gotHost, suffix)
}
