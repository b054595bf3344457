package server

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// originError says which origin was refused and which setting would allow it.
type originError struct{ origin, host string }

func (e *originError) Error() string {
	return fmt.Sprintf("origin %q is not allowed on %q: list it in the setting server.origins if its pages may use this chartd", e.origin, e.host)
}

// checkOrigin is the check by the rules of this moment.
func (s *Server) checkOrigin(r *http.Request) error {
	rules := s.rules.Load()
	_, secure := rules.proxies.client(r)
	return checkOrigin(r, rules.origins, secure)
}

// checkOrigin returns nil if the page behind a request may use this server: it
// was served here, its origin is in the list, or the request comes from no
// browser and so has no Origin header at all. secure says that the request came
// over TLS: then a page that came without it was not served here, whoever it
// says it comes from. The other way round nothing is known; a proxy may have
// taken the TLS off.
func checkOrigin(r *http.Request, allowed []originRule, secure bool) error {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return nil
	}
	u, err := url.Parse(origin)
	if err == nil && u.Host != "" && (!secure || strings.EqualFold(u.Scheme, "https")) && sameHost(u, r.Host) {
		return nil
	}
	// An opaque origin ("null", a file, a sandboxed frame) matches only "*".
	if err != nil || u.Host == "" {
		u = &url.URL{}
	}
	if slices.ContainsFunc(allowed, func(o originRule) bool { return o.matches(u) }) {
		return nil
	}
	return &originError{origin: origin, host: r.Host}
}

// sameHost reports whether a page comes from host, the port that its scheme has
// anyway written or not.
func sameHost(origin *url.URL, host string) bool {
	usual := ":80"
	if strings.EqualFold(origin.Scheme, "https") {
		usual = ":443"
	}
	return strings.EqualFold(strings.TrimSuffix(origin.Host, usual), strings.TrimSuffix(host, usual))
}
