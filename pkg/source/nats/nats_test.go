package nats_test

import (
	"strings"
	"testing"

	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/config"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/nats"
)

// The source itself is tested in test/sources, against a nats-server.

func TestValidate(t *testing.T) {
	for _, tc := range []struct{ yaml, want string }{
		{"{type: nats, servers: ['nats://h:4222'], subjects: ['a.{room}.{metric}', 'b.>']}", ""},
		{"{type: nats, servers: ['wss://h', 'ws://h'], jetstream: {stream: S, since: 0}}", ""},
		{"{type: nats, servers: ['tls://u:hunter2@h'], jetstream: {stream: S, domain: leaf}, subjects: ['a.*']}", ""},
		{"{type: nats, subjects: [a]}", "servers: is missing"},
		{"{type: nats, servers: ['nats://h']}", "subjects: is missing"},
		{"{type: nats, servers: ['http://u:hunter2@h'], subjects: [a]}", "servers[0]: does not begin with nats:// or tls:// or ws:// or wss://"},
		{"{type: nats, servers: ['nats://'], subjects: [a]}", "servers[0]: names no host"},
		{"{type: nats, servers: ['nats://h', 'wss://h'], subjects: [a]}", "servers: some are WebSockets and some are not"},
		{"{type: nats, servers: ['nats://h'], subjects: ['a..b']}", `subjects[0]: "a..b" has an empty token or a blank`},
		{"{type: nats, servers: ['nats://h'], subjects: ['a.>.b']}", `subjects[0]: "a.>.b": > stands at the end alone`},
		{"{type: nats, servers: ['nats://h'], subjects: ['a.{x}b']}", "is no name in braces"},
		{"{type: nats, servers: ['nats://h'], subjects: ['a.*', 'a.b']}", `subjects[1]: some subjects are meant by "a.b" and by "a.*", and would count twice`},
		{"{type: nats, servers: ['nats://h'], jetstream: {stream: a.b}}", `jetstream.stream: "a.b" is no name of a stream`},
		{"{type: nats, servers: ['nats://h'], jetstream: {stream: S, since: -1s}}", "jetstream.since: -1s is out of range"},
		{"{type: nats, servers: ['nats://h'], subjects: [a], jetstream: {domain: x}}", "jetstream.domain: "},
		{"{type: nats, servers: ['nats://h'], subjects: [a], token: hunter2, user: u}", "there is more than one of user, token, creds and nkey"},
		{"{type: nats, servers: ['nats://h'], subjects: [a], password: hunter2}", "user: is missing"},
		{"{type: nats, servers: ['nats://h'], subjects: [a], timeout: 1h}", "timeout: 1h is out of range"},
		{"{type: nats, servers: ['nats://h'], subjects: [a], tls_config: {key_file: k}}", "tls_config: has only one of cert_file and key_file"},
		{"{type: nats, servers: ['nats://h'], subjects: [a], query: '.['}", "query: "},
	} {
		kinds := source.Registry{nats.Kind: func() source.Config { return nats.DefaultConfig() }}
		_, err := config.Parse("test.yaml", []byte("sources: {bus: "+tc.yaml+"}"), kinds, func(string) (string, bool) { return "", false })
		switch {
		case tc.want == "" && err != nil:
			t.Errorf("%s: %v", tc.yaml, err)
		case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
			t.Errorf("%s: got %v, want %s", tc.yaml, err, tc.want)
		case err != nil && strings.Contains(err.Error(), "hunter2"):
			t.Errorf("%s: the error shows the secret: %v", tc.yaml, err)
		}
	}
}

// TestNewOpensNothing makes a source whose servers and files are nowhere.
func TestNewOpensNothing(t *testing.T) {
	cfg := nats.DefaultConfig()
	cfg.Servers, cfg.Subjects, cfg.Creds = append(cfg.Servers, "nats://nowhere.invalid"), []string{"a"}, "/nowhere"
	src, err := cfg.New(source.Deps{Name: "bus", Logger: zap.NewNop(), Skip: func(int) {}, Reject: func(int, error) {}})
	if err != nil || src == nil {
		t.Error(err)
	}
}
