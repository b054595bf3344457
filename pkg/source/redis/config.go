package redis

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/secret"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/internal/httpx"
	"github.com/chartd/chartd/pkg/source/payload"
)

// Kind is what "type:" says.
const Kind = "redis"

// Payload gives the embedded settings a name of their own.
type Payload = payload.Config

// Config describes a source that reads streams of a Redis, or listens to its
// channels.
type Config struct {
	// URL is the server's address: "redis://host:6379/0", the number being the
	// database, or with TLS "rediss://host:6379". It is needed. A name and a
	// password in it are never shown.
	URL secret.URL `yaml:"url"`
	// Username is the name, for a server that has more than one.
	Username string `yaml:"username"`
	// Password is the password; it is never shown.
	Password secret.Text `yaml:"password"`
	// Streams are the keys of streams that are read, entry by entry: an entry is of
	// the time in its id; its fields that hold numbers become samples, and those
	// that hold texts become labels, unless labels and values name them.
	Streams []string `yaml:"streams"`
	// Field is the field of an entry that holds a number or JSON, where entries are
	// written so. Only it is read then, and the fields that labels names.
	Field string `yaml:"field"`
	// Since is how far back streams are read when chartd starts. Later, they are
	// read on from where they were left.
	Since quantity.Duration `yaml:"since"`
	// Channels are listened to, as "sensors:{room}:{metric}" or "news:*". {name} is
	// any one part, and becomes a label of that name; {metric} is the metric's name.
	// Where * is, and where nothing is in braces, the whole channel becomes the
	// label "channel".
	Channels []string `yaml:"channels"`
	// Separator stands between the parts of a channel.
	Separator string `yaml:"separator"`
	// TLS says whom rediss must lead to, and who connects.
	TLS httpx.TLS `yaml:"tls_config"`
	Payload
}

const maxSince = quantity.Duration(365 * 24 * time.Hour)

// DefaultConfig returns the values that hold where the configuration is silent.
func DefaultConfig() *Config {
	return &Config{Since: quantity.Duration(5 * time.Minute), Separator: ":", Payload: payload.DefaultConfig()}
}

// channelSyntax is how channels are written here. A * in the middle is one part,
// though to Redis it is more.
func (c *Config) channelSyntax() payload.Syntax {
	return payload.Syntax{Word: "channel", Separator: c.Separator, One: "*", Rest: "*"}
}

// streamSyntax is how the keys of streams are written: they have no parts.
func streamSyntax() payload.Syntax { return payload.Syntax{Word: "stream", Separator: "\x00"} }

// Kind implements source.Config.
func (c *Config) Kind() string { return Kind }

// Validate implements problem.Validator.
func (c *Config) Validate() []problem.Problem {
	var ps []problem.Problem
	add := func(path, want, format string, args ...any) {
		ps = append(ps, problem.Problem{Path: path, What: fmt.Sprintf(format, args...), Want: want})
	}
	if c.URL == "" {
		add("url", "an address as redis://localhost:6379", "is missing")
	} else if _, err := c.options(); err != nil {
		add("url", "an address as redis://localhost:6379/0 or rediss://redis.example.com", "%v", err)
	}
	if len(c.Streams) == 0 && len(c.Channels) == 0 {
		add("streams", `streams such as ["temps"], or channels such as ["sensors:{room}:{metric}"]`, "is missing")
	}
	for i, key := range c.Streams {
		if key == "" || slices.Contains(c.Streams[:i], key) {
			add(fmt.Sprintf("streams[%d]", i), "a key, and each one once", "%q is empty or stands there twice", key)
		}
	}
	if c.Field != "" && len(c.Streams) == 0 {
		add("field", "streams, or no field", "only streams have fields")
	}
	if c.Since < 0 || c.Since > maxSince {
		add("since", fmt.Sprintf("a duration from 0 to %v", maxSince), "%v is out of range", c.Since)
	}
	if c.Separator == "" || strings.ContainsAny(c.Separator, "*{}") {
		add("separator", `a text such as ":" or "."`, "%q cannot stand between the parts of a channel", c.Separator)
	} else {
		for i, ch := range c.Channels {
			if strings.ContainsAny(ch, `?[]\`) {
				add(fmt.Sprintf("channels[%d]", i), "* or {name}, between two separators", `%q has one of ? [ ] \`, ch)
			}
		}
		_, wrong := payload.ParsePatterns("channels", c.Channels, c.channelSyntax())
		ps = append(ps, wrong...)
	}
	ps = append(ps, c.TLS.Validate()...)
	return append(ps, c.Payload.Validate()...)
}

var (
	errTwoNames = errors.New("holds a name or a password, and so do username and password")
	errDB       = errors.New("ends in something else than the number of a database")
)

// options returns how the server is reached, without certificates. An error does
// not repeat the address.
func (c *Config) options() (*goredis.Options, error) {
	u, err := c.URL.Parse("redis", "rediss")
	if err != nil {
		return nil, err
	}
	o := &goredis.Options{
		Addr: u.Host, Username: c.Username, Password: c.Password.Reveal(),
		// Run ends with its connection, and is called again: the library tries once.
		MaxRetries: -1, DialerRetries: 1, DialTimeout: patience, ReadTimeout: patience, WriteTimeout: patience,
		PoolSize: 4, ContextTimeoutEnabled: true, DisableIdentity: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	if u.Port() == "" {
		o.Addr = net.JoinHostPort(u.Hostname(), "6379")
	}
	if u.User != nil {
		if c.Username != "" || c.Password != "" {
			return nil, errTwoNames
		}
		o.Username = u.User.Username()
		o.Password, _ = u.User.Password()
	}
	if db := strings.Trim(u.Path, "/"); db != "" {
		if o.DB, err = strconv.Atoi(db); err != nil || o.DB < 0 {
			return nil, errDB
		}
	}
	if u.Scheme == "rediss" {
		o.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return o, nil
}

// New implements source.Config.
func (c *Config) New(deps source.Deps) (source.Source, error) {
	// The library has one logger for the whole process, which writes to the standard
	// error; all that it says is in the errors that it returns, too.
	logging.Disable()
	s := &Source{cfg: c, deps: deps}
	if len(c.Channels) > 0 {
		patterns, wrong := payload.ParsePatterns("channels", c.Channels, c.channelSyntax())
		if len(wrong) > 0 {
			return nil, wrong[0]
		}
		reader, err := c.Payload.New(deps, patterns...)
		if err != nil {
			return nil, err
		}
		s.channels = &channels{source: s, patterns: patterns, reader: reader}
	}
	if len(c.Streams) > 0 {
		patterns, wrong := payload.ParsePatterns("streams", c.Streams, streamSyntax())
		if len(wrong) > 0 {
			return nil, wrong[0]
		}
		reader, err := c.Payload.New(deps, patterns...)
		if err != nil {
			return nil, err
		}
		s.streams = &streams{source: s, reader: reader, last: map[string]position{}}
	}
	return s, nil
}
