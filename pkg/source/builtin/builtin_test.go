package builtin_test

import (
	"slices"
	"strings"
	"testing"

	"go.uber.org/zap/zaptest"

	"github.com/chartd/chartd/pkg/config"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/builtin"
)

func TestKinds(t *testing.T) {
	kinds := builtin.Kinds()
	if want := []string{"exec", "file", "host", "http", "influx", "kafka", "mqtt", "nats", "otlp", "prometheus", "push", "redis", "remote_write", "scrape", "sql", "statsd"}; !slices.Equal(kinds.Kinds(), want) {
		t.Errorf("got %q, want %q", kinds.Kinds(), want)
	}
	for kind := range kinds {
		cfg, err := kinds.New(kind)
		if err != nil {
			t.Fatal(err)
		}
		if cfg.Kind() != kind {
			t.Errorf("%s calls itself %s", kind, cfg.Kind())
		}
		for _, p := range cfg.Validate() {
			if p.What != "is missing" {
				t.Errorf("the defaults of %s are invalid: %v", kind, p)
			}
		}
		if again, _ := kinds.New(kind); again == cfg {
			t.Errorf("two sources of kind %s would share a configuration", kind)
		}
		src, err := cfg.New(source.Deps{Name: kind, Logger: zaptest.NewLogger(t), Skip: func(int) {}, Reject: func(int, error) {}})
		if err != nil || src == nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// TestSecretsAreNotRepeated puts a secret where one belongs, in every form that is wrong, and searches what is said of it.
func TestSecretsAreNotRepeated(t *testing.T) {
	const hidden = "hunter2"
	for _, text := range []string{
		"sources: {a: {type: scrape, url: [http://u:hunter2@h]}}",
		"sources: {a: {type: scrape, url: 'u:hunter2@h:9100'}}",
		"sources: {a: {type: scrape, url: 'http://u:hunter2@h:port'}}",
		"sources: {a: {type: scrape, url: 'http://u:hunter2@h', interval: 1}}",
		"sources: {a: {type: scrape, url: http://h, basic_auth: hunter2}}",
		"sources: {a: {type: scrape, url: http://h, basic_auth: {password: hunter2}}}",
		"sources: {a: {type: scrape, url: http://h, basic_auth: {username: u, password: {hunter2: }}}}",
		"sources: {a: {type: scrape, url: http://h, authorization: hunter2}}",
		"sources: {a: {type: scrape, url: http://h, authorization: {type: Basic, credentials: hunter2}}}",
		"sources: {a: {type: scrape, url: http://h, authorization: {credentials: [hunter2]}}}",
		"sources: {a: {type: prometheus, url: http://h, queries: {a: b}, headers: hunter2}}",
		"sources: {a: {type: prometheus, url: http://h, queries: {a: b}, headers: [hunter2]}}",
		"sources: {a: {type: prometheus, url: http://h, queries: {a: b}, headers: {X: \"hunter2\\n\"}}}",
		"sources: {a: {type: prometheus, url: http://h, queries: {a: b}, headers: {X: '${hunter2'}}}",
		"sources: {a: {type: sql, dsn: 'hunter2', query: SELECT 1}}",
		"sources: {a: {type: sql, dsn: [hunter2], query: SELECT 1}}",
		"sources: {a: {type: sql, dsn: 'oracle://u:hunter2@h/db', query: SELECT 1}}",
		"sources: {a: {type: sql, dsn: 'postgres://u:hun%ter2@h/db', query: SELECT 1}}",
		"sources: {a: {type: sql, dsn: 'postgres://u:hunter2@h:port/db', query: SELECT 1}}",
		"sources: {a: {type: sql, dsn: 'mysql:u:hunter2@h/db', query: SELECT 1}}",
		"sources: {a: {type: sql, dsn: 'mysql://u:hunter2@h/db?parseTime=maybe', query: SELECT 1}}",
		"sources: {a: {type: sql, dsn: 'mysql://u:hunter2@h/db?tls=hunter2', query: SELECT 1}}",
	} {
		_, err := config.Parse("test.yaml", []byte(text), builtin.Kinds(), func(string) (string, bool) { return "", false })
		if err == nil || strings.Contains(err.Error(), hidden) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
