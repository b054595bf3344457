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

// checkOrigin returns nil if the page behind a request may use this server: it
// was served here, its origin is in the list, or the request comes from no
// browser and so has no Origin header at all.
func checkOrigin(r *http.Request, allowed []originRule) error {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return nil
	}
	u, err := url.Parse(origin)
	if err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host) {
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
