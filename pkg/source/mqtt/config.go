package mqtt

import (
	"crypto/rand"
	"fmt"
	"net/url"
	"slices"
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
const Kind = "mqtt"

// Payload gives the embedded settings a name of their own.
type Payload = payload.Config

// Version is a version of MQTT.
type Version string

// The versions.
const (
	V5   Version = "5"
	V311 Version = "3.1.1"
)

// Versions lists every Version.
func Versions() []Version { return []Version{V5, V311} }

// Config describes a source that subscribes to topics of an MQTT broker.
type Config struct {
	// Broker is the broker's address: "mqtt://host:1883", "mqtts://host:8883" with
	// TLS, or over WebSocket "ws://host/mqtt" and "wss://host/mqtt". It is needed.
	Broker secret.URL `yaml:"broker"`
	// Topics are subscribed to, as "sensors/{room}/{metric}" or "home/#". At least
	// one is needed. {name} is any one part, and becomes a label of that name;
	// {metric} is the metric's name. + and # are known as well; where they are, and
	// where nothing is in braces, the whole topic becomes the label "topic".
	Topics []string `yaml:"topics"`
	// QoS is how messages are delivered: 0 at most once, 1 at least once, 2 exactly
	// once.
	QoS int `yaml:"qos"`
	// Version is the version of MQTT that is spoken: 5 or 3.1.1.
	Version Version `yaml:"version"`
	// ClientID is the name that the broker knows chartd by; no two clients may have
	// the same. Without it, one is made up.
	ClientID string `yaml:"client_id"`
	// Username is the name, for a broker that asks for one.
	Username string `yaml:"username"`
	// Password is the password of that name; it is never shown.
	Password secret.Text `yaml:"password"`
	// KeepAlive is how long nothing may be heard of the broker before it is asked
	// whether it is there.
	KeepAlive quantity.Duration `yaml:"keep_alive"`
	// TLS says whom mqtts and wss must lead to, and who connects.
	TLS httpx.TLS `yaml:"tls_config"`
	Payload
}

const (
	minKeepAlive = quantity.Duration(time.Second)
	maxKeepAlive = quantity.Duration(time.Hour)
)

// DefaultConfig returns the values that hold where the configuration is silent.
func DefaultConfig() *Config {
	return &Config{QoS: 0, Version: V5, KeepAlive: quantity.Duration(30 * time.Second), Payload: payload.DefaultConfig()}
}

// syntax is how MQTT writes topics.
func syntax() payload.Syntax {
	return payload.Syntax{Word: "topic", Separator: "/", One: "+", Rest: "#", RestMayBeEmpty: true}
}

// Kind implements source.Config.
func (c *Config) Kind() string { return Kind }

// Validate implements problem.Validator.
func (c *Config) Validate() []problem.Problem {
	var ps []problem.Problem
	add := func(path, want, format string, args ...any) {
		ps = append(ps, problem.Problem{Path: path, What: fmt.Sprintf(format, args...), Want: want})
	}
	const example = "an address as mqtt://localhost:1883 or mqtts://broker.example.com:8883"
	if c.Broker == "" {
		add("broker", example, "is missing")
	} else if u, err := c.url(); err != nil {
		add("broker", example, "%v", err)
	} else if u.User != nil {
		add("broker", "the keys username and password", "holds a name or a password")
	}
	if len(c.Topics) == 0 {
		add("topics", `a list such as ["sensors/{room}/{metric}"]`, "is missing")
	}
	for i, topic := range c.Topics {
		if strings.HasPrefix(topic, "$share/") {
			add(fmt.Sprintf("topics[%d]", i), "the topic without $share/ and the name of the group", "%q is a shared subscription, of whose messages others get their share", topic)
		}
	}
	_, wrong := payload.ParsePatterns("topics", c.Topics, syntax())
	ps = append(ps, wrong...)
	if c.QoS < 0 || c.QoS > 2 {
		add("qos", "0, 1 or 2", "%d is out of range", c.QoS)
	}
	if !slices.Contains(Versions(), c.Version) {
		add("version", problem.OneOf(c.Version, Versions()), "there is no version %q", c.Version)
	}
	if len(c.ClientID) > 256 || strings.ContainsFunc(c.ClientID, func(r rune) bool { return r < ' ' }) {
		add("client_id", "at most 256 bytes, without control characters", "cannot be a name")
	}
	if c.Password != "" && c.Username == "" {
		add("username", "the name that the password belongs to", "is missing")
	}
	if c.KeepAlive < minKeepAlive || c.KeepAlive > maxKeepAlive {
		add("keep_alive", fmt.Sprintf("a duration from %v to %v", minKeepAlive, maxKeepAlive), "%v is out of range", c.KeepAlive)
	}
	ps = append(ps, c.TLS.Validate()...)
	return append(ps, c.Payload.Validate()...)
}

// url returns the parts of the address, with a port and, of WebSocket, a path.
func (c *Config) url() (*url.URL, error) {
	u, err := c.Broker.Parse("mqtt", "mqtts", "ws", "wss", "tcp", "ssl", "tls")
	if err != nil {
		return nil, err
	}
	switch u.Scheme {
	case "tcp":
		u.Scheme = "mqtt"
	case "ssl", "tls":
		u.Scheme = "mqtts"
	}
	if u.Port() == "" {
		u.Host = u.Hostname() + map[string]string{"mqtt": ":1883", "mqtts": ":8883", "ws": ":80", "wss": ":443"}[u.Scheme]
		if strings.Contains(u.Hostname(), ":") {
			u.Host = "[" + u.Hostname() + "]" + u.Host[len(u.Hostname()):]
		}
	}
	if u.Path == "" && strings.HasPrefix(u.Scheme, "ws") {
		u.Path = "/mqtt"
	}
	return u, nil
}

// New implements source.Config.
func (c *Config) New(deps source.Deps) (source.Source, error) {
	patterns, wrong := payload.ParsePatterns("topics", c.Topics, syntax())
	if len(wrong) > 0 {
		return nil, wrong[0]
	}
	reader, err := c.Payload.New(deps, patterns...)
	if err != nil {
		return nil, err
	}
	id := c.ClientID
	if id == "" {
		id = "chartd-" + strings.ToLower(rand.Text()[:12])
	}
	return &Source{cfg: c, deps: deps, id: id, patterns: patterns, reader: reader}, nil
}
