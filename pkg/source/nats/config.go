package nats

import (
	"fmt"
	"strings"
	"time"

	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/secret"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/internal/httpx"
	"github.com/chartd/chartd/pkg/source/payload"
)

// Kind is what "type:" says.
const Kind = "nats"

// Payload gives the embedded settings a name of their own.
type Payload = payload.Config

// Config describes a source that subscribes to subjects of NATS, or reads a
// stream of JetStream.
type Config struct {
	// Servers are the addresses of the servers, as "nats://localhost:4222", or with
	// tls, ws or wss. Others of the same cluster are found. A password in one is
	// never shown.
	Servers []secret.URL `yaml:"servers"`
	// Subjects are what is subscribed to, such as "sensors.{room}.{metric}": a
	// token in braces becomes a label, {metric} the name of the metric. The
	// wildcards * and > are understood; then the subject becomes a label. With
	// jetstream, they choose from the stream; without them, all of it is read.
	Subjects []string `yaml:"subjects"`
	// JetStream reads a stream, so that what was published before, or while the
	// connection was away, is there, too.
	JetStream JetStream `yaml:"jetstream"`
	// User is the name, for servers that ask for one.
	User string `yaml:"user"`
	// Password belongs to user; it is never shown.
	Password secret.Text `yaml:"password"`
	// Token is for servers that ask for one; it is never shown.
	Token secret.Text `yaml:"token"`
	// Creds is a file of credentials, as nsc makes it; it is read at every
	// connection.
	Creds string `yaml:"creds"`
	// Nkey is a file that holds the seed of an nkey; it is read at every
	// connection.
	Nkey string `yaml:"nkey"`
	// Timeout is how long a connection or a question to JetStream may take.
	Timeout quantity.Duration `yaml:"timeout"`
	// TLS says whom an encrypted connection must lead to, and who asks. If
	// anything is set here, the connection must be encrypted.
	TLS httpx.TLS `yaml:"tls_config"`

	Payload
}

// JetStream says what is read of a stream.
type JetStream struct {
	// Stream is the name of the stream. Nothing is left behind in it: chartd
	// acknowledges nothing and makes no durable consumer.
	Stream string `yaml:"stream"`
	// Since is how far back it is read at the start; 0 is only what is new. After
	// that, each message is taken once: a lost connection goes on where it was.
	Since quantity.Duration `yaml:"since"`
	// Domain is the domain of the JetStream, such as that of a leaf node.
	Domain string `yaml:"domain"`
}

// Limits of the settings.
const (
	minTimeout  = quantity.Duration(100 * time.Millisecond)
	maxTimeout  = quantity.Duration(time.Minute)
	maxSince    = quantity.Duration(366 * 24 * time.Hour)
	maxSubjects = 64
)

// syntax is how NATS writes subjects.
func syntax() payload.Syntax {
	return payload.Syntax{Word: "subject", Separator: ".", One: "*", Rest: ">"}
}

// DefaultConfig returns the values that hold where the configuration is silent.
func DefaultConfig() *Config {
	return &Config{
		JetStream: JetStream{Since: quantity.Duration(time.Hour)},
		Timeout:   quantity.Duration(5 * time.Second),
		Payload:   payload.DefaultConfig(),
	}
}

// Kind implements source.Config.
func (c *Config) Kind() string { return Kind }

// Validate implements problem.Validator.
func (c *Config) Validate() []problem.Problem {
	var ps []problem.Problem
	add := func(path, what, want string) { ps = append(ps, problem.Problem{Path: path, What: what, Want: want}) }
	if len(c.Servers) == 0 {
		add("servers", "is missing", "addresses, as [nats://localhost:4222]")
	}
	sockets := 0
	for i, s := range c.Servers {
		u, err := s.Parse("nats", "tls", "ws", "wss")
		if err != nil {
			add(fmt.Sprintf("servers[%d]", i), err.Error(), "an address as nats://localhost:4222")
		} else if strings.HasPrefix(u.Scheme, "ws") {
			sockets++
		}
	}
	if sockets > 0 && sockets < len(c.Servers) {
		add("servers", "some are WebSockets and some are not", "one or the other")
	}
	if len(c.Subjects) == 0 && c.JetStream.Stream == "" {
		add("subjects", "is missing", `what to subscribe to, as ["sensors.{room}.{metric}"], or the stream of jetstream`)
	}
	if len(c.Subjects) > maxSubjects {
		add("subjects", fmt.Sprintf("there are %d", len(c.Subjects)), fmt.Sprintf("at most %d, such as wildcards", maxSubjects))
	}
	for i, s := range c.Subjects {
		if s != "" && !isName(s, true) {
			add(fmt.Sprintf("subjects[%d]", i), fmt.Sprintf("%.60q has an empty token or a blank", s), `tokens between dots, as "sensors.*.temp"`)
		}
	}
	_, wrong := payload.ParsePatterns("subjects", c.Subjects, syntax())
	ps = append(ps, wrong...)
	js := c.JetStream
	switch {
	case js.Stream != "" && !isName(js.Stream, false):
		add("jetstream.stream", fmt.Sprintf("%.60q is no name of a stream", js.Stream), "one without dots, blanks, * and >")
	case js.Since < 0 || js.Since > maxSince:
		add("jetstream.since", fmt.Sprintf("%v is out of range", js.Since), fmt.Sprintf("a duration from 0 to %v", maxSince))
	case js.Domain != "" && (js.Stream == "" || !isName(js.Domain, false)):
		add("jetstream.domain", fmt.Sprintf("%.60q is no domain, or there is no stream", js.Domain), "the name of a domain, and jetstream.stream")
	}
	ps = append(ps, c.validateAuth()...)
	if c.Timeout < minTimeout || c.Timeout > maxTimeout {
		add("timeout", fmt.Sprintf("%v is out of range", c.Timeout), fmt.Sprintf("a duration from %v to %v", minTimeout, maxTimeout))
	}
	ps = append(ps, c.TLS.Validate()...)
	return append(ps, c.Payload.Validate()...)
}

// validateAuth returns what is wrong with how chartd says who it is.
func (c *Config) validateAuth() []problem.Problem {
	var ways []string
	for name, given := range map[string]bool{
		"user": c.User != "" || c.Password != "", "token": c.Token != "", "creds": c.Creds != "", "nkey": c.Nkey != "",
	} {
		if given {
			ways = append(ways, name)
		}
	}
	switch {
	case len(ways) > 1:
		return []problem.Problem{{What: "there is more than one of user, token, creds and nkey", Want: "one of them"}}
	case c.User == "" && c.Password != "":
		return []problem.Problem{{Path: "user", What: "is missing", Want: "the name that the password belongs to"}}
	}
	return nil
}

// isName reports whether s may name something in NATS: with dots, if they
// divide tokens.
func isName(s string, dots bool) bool {
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return false
	}
	if dots {
		return !strings.HasPrefix(s, ".") && !strings.HasSuffix(s, ".") && !strings.Contains(s, "..")
	}
	return !strings.ContainsAny(s, ".*>/\\")
}

// New implements source.Config.
func (c *Config) New(deps source.Deps) (source.Source, error) {
	s := &Source{cfg: c, deps: deps}
	texts := c.Subjects
	if len(texts) == 0 {
		texts = []string{">"}
	}
	for _, text := range texts {
		p, err := payload.ParsePattern(text, syntax())
		if err != nil {
			return nil, err
		}
		s.patterns = append(s.patterns, p)
	}
	if c.JetStream.Stream != "" {
		reader, err := c.Payload.New(deps, s.patterns...)
		if err != nil {
			return nil, err
		}
		s.readers = []*payload.Reader{reader}
		return s, nil
	}
	for _, p := range s.patterns {
		reader, err := c.Payload.New(deps, p)
		if err != nil {
			return nil, err
		}
		s.readers = append(s.readers, reader)
	}
	return s, nil
}
