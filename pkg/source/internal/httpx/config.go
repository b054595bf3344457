// Package httpx is how sources ask an HTTP server: with the settings that users
// of Prometheus know, bounded in time and size, and without a secret in
// whatever goes wrong.
package httpx

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/secret"
)

// Config says how to reach a server. The configurations of sources embed it.
type Config struct {
	// Timeout is how long one request may take, from the connection to the end
	// of the answer.
	Timeout quantity.Duration `yaml:"timeout"`
	// MaxAnswer is the largest answer that is read, measured after unpacking.
	MaxAnswer quantity.Bytes `yaml:"max_answer"`
	// Headers are sent with every request. Their values are never shown.
	Headers map[string]secret.Text `yaml:"headers"`
	// BasicAuth is a name and a password, for a server that asks for them.
	BasicAuth BasicAuth `yaml:"basic_auth"`
	// Authorization is a token, for a server that asks for one.
	Authorization Authorization `yaml:"authorization"`
	// TLS says whom an https URL must lead to, and who asks.
	TLS TLS `yaml:"tls_config"`
}

// BasicAuth is a name and a password.
type BasicAuth struct {
	// Username is the name.
	Username string `yaml:"username"`
	// Password is the password; it is never shown.
	Password secret.Text `yaml:"password"`
	// PasswordFile is a file that holds the password; it is read at every
	// request.
	PasswordFile string `yaml:"password_file"`
}

// Authorization is what the header of that name says.
type Authorization struct {
	// Type is the first word of the header.
	Type string `yaml:"type"`
	// Credentials are the token; they are never shown.
	Credentials secret.Text `yaml:"credentials"`
	// CredentialsFile is a file that holds the token; it is read at every
	// request.
	CredentialsFile string `yaml:"credentials_file"`
}

// TLS says how an encrypted connection is made.
type TLS struct {
	// CAFile is a file of certificates, as PEM: one of them must have signed the
	// server's. Without it, it is one of those that the system trusts.
	CAFile string `yaml:"ca_file"`
	// CertFile is the certificate that is shown to the server, as PEM; it is
	// read at every connection.
	CertFile string `yaml:"cert_file"`
	// KeyFile is the key of that certificate, as PEM.
	KeyFile string `yaml:"key_file"`
	// ServerName is the name in the server's certificate, where it is not that
	// of the URL.
	ServerName string `yaml:"server_name"`
	// InsecureSkipVerify takes any certificate of the server: whoever is in
	// between can read and change what is sent.
	InsecureSkipVerify bool `yaml:"insecure_skip_verify"`
}

const (
	minTimeout = quantity.Duration(100 * time.Millisecond)
	maxTimeout = quantity.Duration(10 * time.Minute)
	minAnswer  = quantity.Bytes(1 << 10)
	maxAnswer  = quantity.Bytes(1 << 30)
)

// DefaultConfig returns the values that hold where the configuration is silent.
func DefaultConfig() Config {
	return Config{
		Timeout:       quantity.Duration(10 * time.Second),
		MaxAnswer:     32 << 20,
		Authorization: Authorization{Type: "Bearer"},
	}
}

// Validate returns what is wrong with c. It opens no file.
func (c *Config) Validate() []problem.Problem {
	var ps []problem.Problem
	add := func(path, what, want string) { ps = append(ps, problem.Problem{Path: path, What: what, Want: want}) }
	if c.Timeout < minTimeout || c.Timeout > maxTimeout {
		add("timeout", fmt.Sprintf("%v is out of range", c.Timeout), fmt.Sprintf("a duration from %v to %v", minTimeout, maxTimeout))
	}
	if c.MaxAnswer < minAnswer || c.MaxAnswer > maxAnswer {
		add("max_answer", fmt.Sprintf("%v is out of range", c.MaxAnswer), fmt.Sprintf("a size from %v to %v", minAnswer, maxAnswer))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		value := c.Headers[name]
		switch {
		case !isToken(name):
			add("headers", fmt.Sprintf("%.40q is no name of a header", name), "letters, digits and -")
		case strings.ContainsFunc(value.Reveal(), func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
			add("headers."+name, "has a control character", "one line of text")
		case strings.EqualFold(name, "Authorization"):
			add("headers."+name, "has keys of its own", "basic_auth or authorization")
		}
	}
	basic, auth := c.BasicAuth, c.Authorization
	if basic.Password != "" && basic.PasswordFile != "" {
		add("basic_auth", "has password and password_file", "one of them")
	}
	if basic.Username == "" && (basic.Password != "" || basic.PasswordFile != "") {
		add("basic_auth.username", "is missing", "the name that the password belongs to")
	}
	if auth.Credentials != "" && auth.CredentialsFile != "" {
		add("authorization", "has credentials and credentials_file", "one of them")
	}
	if auth.given() && basic.Username != "" {
		add("authorization", "is given beside basic_auth", "one of them")
	}
	switch {
	case strings.EqualFold(auth.Type, "basic"):
		add("authorization.type", "basic has keys of its own", "basic_auth")
	case !isToken(auth.Type):
		add("authorization.type", fmt.Sprintf("%.40q is no word of that header", auth.Type), "Bearer, in nearly all cases")
	}
	return append(ps, c.TLS.Validate()...)
}

func (a Authorization) given() bool { return a.Credentials != "" || a.CredentialsFile != "" }

// isToken reports whether s may be the name of a header.
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !letter && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	})
}

// ValidateURL returns what is wrong with an address that stands under the key
// "url"; example is what would be right.
func ValidateURL(u secret.URL, example string) []problem.Problem {
	want := "an address as " + example
	if u == "" {
		return []problem.Problem{{Path: "url", What: "is missing", Want: want}}
	}
	if _, err := u.Parse("http", "https"); err != nil {
		return []problem.Problem{{Path: "url", What: err.Error(), Want: want}}
	}
	return nil
}
