package nats

import (
	"errors"
	"fmt"
	"net/url"
)

// Server is the address of a server as a person wrote it. It may hold a name and
// a password, or a token: it is shown without.
type Server string

var (
	errNotAddress = errors.New("is not an address")
	errScheme     = errors.New("does not begin with nats://, tls://, ws:// or wss://")
	errNoHost     = errors.New("names no host")
	errMixed      = errors.New("is a WebSocket beside others that are none, or the other way round")
)

// String returns the address without what may be secret.
func (s Server) String() string {
	u, err := s.parse()
	if err != nil {
		return "<not an address>"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host}).String()
}

// Format implements fmt.Formatter: no verb shows more than String.
func (s Server) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.String())) }

// Concealed marks the type for whoever reads it from a file: what is wrong with
// such a value is said without repeating it.
func (Server) Concealed() {}

// MarshalText implements encoding.TextMarshaler.
func (s Server) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// parse returns the parts of s. The error does not repeat it.
func (s Server) parse() (*url.URL, error) {
	u, err := url.Parse(string(s))
	if err != nil {
		return nil, errNotAddress
	}
	switch u.Scheme {
	case "nats", "tls", "ws", "wss":
	default:
		return nil, errScheme
	}
	if u.Hostname() == "" {
		return nil, errNoHost
	}
	return u, nil
}

// url returns the parts of s, or none.
func (s Server) url() *url.URL {
	u, err := s.parse()
	if err != nil {
		return &url.URL{}
	}
	return u
}

// secrets returns what must not be shown of s.
func (s Server) secrets() []string {
	u := s.url()
	if u.User == nil {
		return nil
	}
	password, given := u.User.Password()
	if !given {
		password = u.User.Username() // a token
	}
	return []string{password}
}

func isWebSocket(u *url.URL) bool { return u.Scheme == "ws" || u.Scheme == "wss" }
