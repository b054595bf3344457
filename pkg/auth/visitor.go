package auth

import (
	"net/http"
	"net/url"
	"strings"
)

// Visitor is what Identify needs to know about a request beside the
// credential. VisitorOf reads it from one.
type Visitor struct {
	// Origin is the origin of the page that asks, as "https://example.com";
	// empty if the request does not say.
	Origin string
	// Host is the host that was asked, with its port. A page that was served
	// from it is one of chartd's own.
	Host string
	// Page reports that a whole page is asked for whose answer says who may
	// frame it (see Grant.Origins), so that its own origin does not matter.
	Page bool
}

// VisitorOf returns what a request says about the page that makes it: the
// header Origin or, where browsers send none, as for a picture, the origin in
// Referer. Page is left false.
func VisitorOf(r *http.Request) Visitor {
	v := Visitor{Host: r.Host, Origin: r.Header.Get("Origin")}
	if v.Origin == "" {
		if u, err := url.Parse(r.Header.Get("Referer")); err == nil && u.Host != "" {
			v.Origin = u.Scheme + "://" + u.Host
		}
	}
	return v
}

// among reports whether the page that asks is of one of these origins, or was
// served by chartd itself.
func (v Visitor) among(origins []string) bool {
	origin, err := normalOrigin(v.Origin)
	if err != nil || strings.Contains(origin, "*") {
		return false
	}
	if _, host, _ := strings.Cut(strings.ToLower(v.Origin), "://"); host != "" && strings.EqualFold(host, v.Host) {
		return true
	}
	for _, allowed := range origins {
		if originFits(allowed, origin) {
			return true
		}
	}
	return false
}

// Credential returns the credential of a request, or "": that of the header
// Authorization (Bearer; Token, as InfluxDB's clients write it; or the password
// of Basic), or the query parameter "link", which takes links alone: whatever
// stands in an address is soon in a log.
func Credential(r *http.Request) string {
	if _, password, ok := r.BasicAuth(); ok {
		return password
	}
	scheme, rest, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if ok && (strings.EqualFold(scheme, "Bearer") || strings.EqualFold(scheme, "Token")) {
		return strings.TrimSpace(rest)
	}
	if r.URL.RawQuery == "" {
		return ""
	}
	if link := r.URL.Query().Get("link"); strings.HasPrefix(link, LinkPrefix) {
		return link
	}
	return ""
}
