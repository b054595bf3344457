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
	return (&url.URL{Scheme: parsed.Scheme, Host: parsed.Host, Path: parsed.Path, RawPath: parsed.RawPath}).String()
}

// Format implements fmt.Formatter: no verb shows more than String.
func (u URL) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(u.String())) }

// Concealed marks the type for whoever reads it from a file: what is wrong with
// such a value is said without repeating it.
func (URL) Concealed() {}

// MarshalText implements encoding.TextMarshaler.
func (u URL) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

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
