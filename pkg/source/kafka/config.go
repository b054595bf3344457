package kafka

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chartd/chartd/pkg/problem"
	"github.com/chartd/chartd/pkg/quantity"
	"github.com/chartd/chartd/pkg/secret"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/internal/httpx"
	"github.com/chartd/chartd/pkg/source/payload"
	"github.com/chartd/chartd/pkg/store"
)

// Kind is what "type:" says.
const Kind = "kafka"

// Payload gives the embedded settings a name of their own.
type Payload = payload.Config

// Start says where a partition is read from at first.
type Start string

// The places to start from.
const (
	Since    Start = "since"    // as long ago as the setting of that name says
	Earliest Start = "earliest" // everything that the broker still has
	Latest   Start = "latest"   // what is stamped after chartd began
)

// Starts lists every Start.
func Starts() []Start { return []Start{Since, Earliest, Latest} }

// Mechanism is a way to say who one is.
type Mechanism string

// The mechanisms of SASL.
const (
	Plain       Mechanism = "PLAIN"
	ScramSHA256 Mechanism = "SCRAM-SHA-256"
	ScramSHA512 Mechanism = "SCRAM-SHA-512"
)

// Mechanisms lists every Mechanism.
func Mechanisms() []Mechanism { return []Mechanism{Plain, ScramSHA256, ScramSHA512} }

// Config describes a source that reads topics of Kafka, or of what speaks its
// protocol.
type Config struct {
	// Brokers are the addresses of some brokers, as "localhost:9092"; the others of
	// the cluster are found. One is needed.
	Brokers []string `yaml:"brokers"`
	// Topics are read whole: all their partitions, without a consumer group. chartd
	// commits no offsets, it remembers them while it runs. One is needed.
	Topics []string `yaml:"topics"`
	// Start is where a partition is read from at first: since, as long ago as the
	// setting of that name says, earliest, or latest, which is what is stamped after
	// chartd began. After that, each record is taken once, also when the connection was lost.
	Start Start `yaml:"start"`
	// Since is how far back is read at the start, by the records' timestamps.
	Since quantity.Duration `yaml:"since"`
	// RecordLabels are labels that a record gives beside its value, by their names:
	// key, partition, or the value of a header, as "header.site". The label topic
	// is always there.
	RecordLabels map[string]string `yaml:"record_labels"`
	// SASL says who connects, for brokers that ask.
	SASL SASL `yaml:"sasl"`
	// TLS says whom an encrypted connection must lead to, and who connects.
	TLS TLS `yaml:"tls_config"`
	// Timeout is how long a connection may take, and how long all brokers may be
	// silent before that is an error.
	Timeout quantity.Duration `yaml:"timeout"`

	Payload
}

// SASL is a name and a password.
type SASL struct {
	// Mechanism is PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512.
	Mechanism Mechanism `yaml:"mechanism"`
	// Username is the name; without it, brokers are not told any.
	Username string `yaml:"username"`
	// Password is the password; it is never shown.
	Password secret.Text `yaml:"password"`
}

// TLS says whether and how a connection is encrypted.
type TLS struct {
	// Enabled encrypts the connections.
	Enabled bool `yaml:"enabled"`

	httpx.TLS
}

// Limits of the settings.
const (
	minTimeout = quantity.Duration(100 * time.Millisecond)
	maxTimeout = quantity.Duration(time.Minute)
	maxSince   = quantity.Duration(366 * 24 * time.Hour)
	maxTopics  = 256
)

const headerPrefix = "header."

// syntax is how Kafka writes topics: a topic has no parts.
func syntax() payload.Syntax { return payload.Syntax{Word: "topic", Separator: "."} }

// DefaultConfig returns the values that hold where the configuration is silent.
func DefaultConfig() *Config {
	return &Config{
		Start: Since, Since: quantity.Duration(time.Hour), Timeout: quantity.Duration(5 * time.Second),
		SASL: SASL{Mechanism: Plain}, Payload: payload.DefaultConfig(),
	}
}

// Kind implements source.Config.
func (c *Config) Kind() string { return Kind }

// Validate implements problem.Validator.
func (c *Config) Validate() []problem.Problem {
	var ps []problem.Problem
	add := func(path, what, want string) { ps = append(ps, problem.Problem{Path: path, What: what, Want: want}) }
	if len(c.Brokers) == 0 {
		add("brokers", "is missing", "addresses, as [localhost:9092]")
	}
	for i, b := range c.Brokers {
		host, port, err := net.SplitHostPort(b)
		if n, e := strconv.ParseUint(port, 10, 16); err != nil || e != nil || n == 0 || host == "" || strings.ContainsAny(host, "/@ ") {
			add(fmt.Sprintf("brokers[%d]", i), "is no host and port", "an address as localhost:9092, without a scheme; a password has its place in sasl")
		}
	}
	if len(c.Topics) == 0 {
		add("topics", "is missing", "names, as [readings]")
	}
	if len(c.Topics) > maxTopics {
		add("topics", fmt.Sprintf("there are %d", len(c.Topics)), fmt.Sprintf("at most %d", maxTopics))
	}
	for i, topic := range c.Topics {
		if !isTopic(topic) || slices.Contains(c.Topics[:i], topic) {
			add(fmt.Sprintf("topics[%d]", i), fmt.Sprintf("%.60q is no name of a topic, or stands there twice", topic), "letters, digits, dots, _ and -")
		}
	}
	if !slices.Contains(Starts(), c.Start) {
		add("start", fmt.Sprintf("there is no place %q to start from", c.Start), problem.OneOf(c.Start, Starts()))
	}
	if c.Since <= 0 || c.Since > maxSince {
		add("since", fmt.Sprintf("%v is out of range", c.Since), fmt.Sprintf("a duration of up to %v, or start: latest", maxSince))
	}
	for _, name := range slices.Sorted(maps.Keys(c.RecordLabels)) {
		what := c.RecordLabels[name]
		switch {
		case name == "" || len(name) > store.MaxLabelName || name == syntax().Word:
			add("record_labels", fmt.Sprintf("%.40q is no name for a label", name), fmt.Sprintf("1 to %d bytes, and not topic, which is there", store.MaxLabelName))
		case what != "key" && what != "partition" && (!strings.HasPrefix(what, headerPrefix) || what == headerPrefix):
			add("record_labels."+name, fmt.Sprintf("there is no %.40q in a record", what), `key, partition, or a header, as "header.site"`)
		}
	}
	if len(c.RecordLabels) > store.MaxLabels-1 {
		add("record_labels", fmt.Sprintf("there are %d", len(c.RecordLabels)), fmt.Sprintf("at most %d", store.MaxLabels-1))
	}
	if !slices.Contains(Mechanisms(), c.SASL.Mechanism) {
		add("sasl.mechanism", fmt.Sprintf("there is no mechanism %q", c.SASL.Mechanism), problem.OneOf(c.SASL.Mechanism, Mechanisms()))
	}
	if c.SASL.Username == "" && c.SASL.Password != "" {
		add("sasl.username", "is missing", "the name that the password belongs to")
	}
	if c.Timeout < minTimeout || c.Timeout > maxTimeout {
		add("timeout", fmt.Sprintf("%v is out of range", c.Timeout), fmt.Sprintf("a duration from %v to %v", minTimeout, maxTimeout))
	}
	if !c.TLS.Enabled && c.TLS.TLS != (httpx.TLS{}) {
		add("tls_config.enabled", "is missing beside the others", "true")
	}
	ps = append(ps, c.TLS.Validate()...)
	return append(ps, c.Payload.Validate()...)
}

// isTopic reports whether Kafka would let a topic have this name.
func isTopic(s string) bool {
	return s != "" && len(s) <= 249 && s != "." && s != ".." && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '.' && r != '_' && r != '-'
	})
}

// New implements source.Config.
func (c *Config) New(deps source.Deps) (source.Source, error) {
	patterns := make([]payload.Pattern, len(c.Topics))
	for i, topic := range c.Topics {
		p, err := payload.ParsePattern(topic, syntax())
		if err != nil {
			return nil, err
		}
		patterns[i] = p
	}
	reader, err := c.Payload.New(deps, patterns...)
	if err != nil {
		return nil, err
	}
	s := &Source{cfg: c, deps: deps, reader: reader, next: map[string]map[int32]int64{}}
	for _, name := range slices.Sorted(maps.Keys(c.RecordLabels)) {
		s.labels = append(s.labels, recordLabel{name, c.RecordLabels[name]})
	}
	return s, nil
}
