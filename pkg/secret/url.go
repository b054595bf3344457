package secret

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// URL is an address as a person wrote it, which may hold a name and a password,
// or a token among its parameters: it is shown without.
type URL string

// Errors of Parse. They do not repeat the address.
var (
	errNotURL = errors.New("is not a URL")
	errNoHost = errors.New("names no host")
)

// String returns the address without what may be secret.
func (u URL) String() string {
	if u == "" {
		return ""
	}
	parsed, err := url.Parse(string(u))
	if err != nil || parsed.Host == "" {
		return "<not a URL>"
	}
	return Plain(parsed)
}

// Plain returns an address without what may be secret in it: a name, a password,
// parameters and a fragment.
func Plain(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}).String()
}

// Format implements fmt.Formatter: no verb shows more than String.
func (u URL) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(u.String())) } // a fmt.State keeps its errors

// Concealed marks the type for whoever reads it from a file: what is wrong with
// such a value is said without repeating it.
func (URL) Concealed() {}

// MarshalText implements encoding.TextMarshaler, for JSON and loggers.
func (u URL) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// MarshalYAML returns what String returns.
func (u URL) MarshalYAML() (any, error) { return u.String(), nil }

// Parse returns the parts of u, which must have a host and one of these schemes.
// The error does not repeat u.
func (u URL) Parse(schemes ...string) (*url.URL, error) {
	parsed, err := url.Parse(string(u))
	switch {
	case err != nil:
		return nil, errNotURL
	case !slices.Contains(schemes, parsed.Scheme):
		return nil, fmt.Errorf("does not begin with %s://", strings.Join(schemes, ":// or "))
	case parsed.Hostname() == "":
		return nil, errNoHost
	}
	return parsed, nil
}

// inURL lists what of an address is secret: the password, or a token that stands
// in the place of a name, and the parameters.
func inURL(u *url.URL) (all []string) {
	if u.User != nil {
		name := u.User.Username()
		password, given := u.User.Password()
		if !given {
			password, name = name, ""
		}
		all = append(all, password, basic(name, password), basic(password, ""))
		if _, raw, ok := strings.Cut(u.User.String(), ":"); ok {
			all = append(all, raw)
		}
	}
	// Read as it is, since one parameter that is malformed hides no other.
	for pair := range strings.FieldsFuncSeq(u.RawQuery, func(r rune) bool { return r == '&' || r == ';' }) {
		_, raw, _ := strings.Cut(pair, "=")
		all = append(all, raw)
		if value, err := url.QueryUnescape(raw); err == nil {
			all = append(all, value)
		}
	}
	return append(all, u.Fragment)
}
