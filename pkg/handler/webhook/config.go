package webhook

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/secret"
)

// Config is a webhook as a row of callbacks has it.
type Config struct {
	// URL is where the callback is posted. No redirect is followed and no proxy
	// asked. It may hold a name and a password, or a token among its parameters:
	// it is shown without.
	URL secret.URL `yaml:"url"`
	// Timeout is how long all of it may take, retries included; 2s if it is
	// absent. session.callback_timeout holds as well.
	Timeout quantity.Duration `yaml:"timeout"`
	// Secret signs the request, as the header Chartd-Signature; at least 16
	// bytes. Without it there is no signature.
	Secret secret.Text `yaml:"secret"`
	// Headers are sent with the request. Their values are never shown.
	Headers map[string]secret.Text `yaml:"headers"`
	// Retries is how often more is tried when there is no connection, or the
	// answer is 429, 502, 503 or 504; 2 if it is absent.
	Retries *int `yaml:"retries"`
	// AllowPrivate lets the server be on this machine or in a private network.
	// Otherwise such addresses are refused, whatever name leads to them.
	AllowPrivate bool `yaml:"allow_private"`
}

const (
	defaultTimeout = quantity.Duration(2 * time.Second)
	minTimeout     = quantity.Duration(10 * time.Millisecond)
	maxTimeout     = quantity.Duration(time.Minute)
	defaultRetries = 2
	maxRetries     = 10
	minSecret      = 16 // bytes
)

func (c *Config) timeout() time.Duration {
	if c.Timeout == 0 {
		return defaultTimeout.Std()
	}
	return c.Timeout.Std()
}

func (c *Config) retries() int {
	if c.Retries == nil {
		return defaultRetries
	}
	return *c.Retries
}

// Validate returns what is wrong with c. It connects to nothing.
func (c *Config) Validate() []problem.Problem {
	var ps []problem.Problem
	add := func(path, what, want string) { ps = append(ps, problem.Problem{Path: path, What: what, Want: want}) }
	const example = `an address as "https://ops.example.com/refresh"`
	switch u, err := c.URL.Parse("http", "https"); {
	case c.URL == "":
		add("url", "is missing", example)
	case err != nil:
		add("url", err.Error(), example)
	case !c.AllowPrivate && local(u.Hostname()):
		add("url", "leads into this machine or a private network", "allow_private: true if that is meant")
	}
	if c.Timeout != 0 && (c.Timeout < minTimeout || c.Timeout > maxTimeout) {
		add("timeout", fmt.Sprintf("%v is out of range", c.Timeout), fmt.Sprintf("a duration from %v to %v", minTimeout, maxTimeout))
	}
	if c.Secret != "" && len(c.Secret) < minSecret {
		add("secret", "is too short", fmt.Sprintf("at least %d bytes, as of openssl rand -hex 32", minSecret))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		switch value := string(c.Headers[name]); {
		case !isToken(name):
			add("headers", fmt.Sprintf("%.40q is no name of a header", name), "letters, digits and -")
		case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
			add("headers."+name, "has a control character", "one line of text")
		case slices.ContainsFunc(ownHeaders(), func(own string) bool { return strings.EqualFold(own, name) }):
			add("headers."+name, "is chartd's own to set", "other headers")
		}
	}
	if n := c.retries(); n < 0 || n > maxRetries {
		add("retries", fmt.Sprintf("is %d", n), fmt.Sprintf("0 to %d", maxRetries))
	}
	return ps
}

// ownHeaders are those that a request has anyhow.
func ownHeaders() []string {
	return []string{signatureHeader, "Content-Type", "Content-Length", "Transfer-Encoding", "Connection", "User-Agent", "Host"}
}

// isToken reports whether s may be the name of a header.
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !letter && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	})
}

// local reports whether a host is known to be fenced off without asking a
// resolver. What names lead to is found out when it is dialled.
func local(host string) bool {
	if addr, err := netip.ParseAddr(host); err == nil {
		return fenced(addr)
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}
