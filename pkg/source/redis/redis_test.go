package redis_test

import (
	"fmt"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/chartd/chartd/pkg/secret"
	"github.com/chartd/chartd/pkg/source"
	"github.com/chartd/chartd/pkg/source/redis"
	"github.com/chartd/chartd/pkg/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const hidden = "hunter2"

func config(change func(*redis.Config)) *redis.Config {
	c := redis.DefaultConfig()
	c.URL, c.Streams = "redis://127.0.0.1:1", []string{"temps"}
	if change != nil {
		change(c)
	}
	return c
}

func TestValidate(t *testing.T) {
	for _, tc := range []struct {
		change func(*redis.Config)
		want   string
	}{
		{nil, ""},
		{func(c *redis.Config) { c.URL = secret.URL("rediss://:" + hidden + "@host/3") }, ""},
		{func(c *redis.Config) { c.Separator, c.Channels = ".", []string{"a.{b}.*"} }, ""},
		{func(c *redis.Config) { c.URL = "" }, "url: is missing; "},
		{func(c *redis.Config) { c.URL = secret.URL("http://:" + hidden + "@host") }, "url: does not begin with redis:// or rediss://; "},
		{func(c *redis.Config) { c.URL = secret.URL("redis://:" + hidden + "@host/x") }, "url: ends in something else than the number of a database; "},
		{func(c *redis.Config) { c.URL, c.Password = secret.URL("redis://:"+hidden+"@host"), hidden }, "url: holds a name or a password, and so do username and password; "},
		{func(c *redis.Config) { c.Streams = nil }, "streams: is missing; "},
		{func(c *redis.Config) { c.Streams = []string{"a", "a"} }, "streams[1]: "},
		{func(c *redis.Config) { c.Streams, c.Channels, c.Field = nil, []string{"a"}, "f" }, "field: only streams have fields; "},
		{func(c *redis.Config) { c.Since = -1 }, "since: "},
		{func(c *redis.Config) { c.Separator = "" }, "separator: "},
		{func(c *redis.Config) { c.Channels = []string{"a:b?"} }, "channels[0]: "},
		{func(c *redis.Config) { c.Channels = []string{"a:*", "a:b"} }, "channels[1]: some channels are meant by "},
		{func(c *redis.Config) { c.TLS.KeyFile = "f" }, "tls_config: "},
		{func(c *redis.Config) { c.Metric = "x" }, "metric: "},
	} {
		c := config(tc.change)
		var got []string
		for _, p := range c.Validate() {
			got = append(got, p.Error())
		}
		text := strings.Join(got, "; ")
		if (tc.want == "") != (text == "") || !strings.HasPrefix(text, tc.want) || len(got) > 1 {
			t.Errorf("got %q, want %q", got, tc.want)
		}
		if said := text + fmt.Sprintf("%v %+v %#v", c, c, c); strings.Contains(said, hidden) {
			t.Errorf("the password shows in %s", said)
		}
	}
}

// nowhere takes no sample.
type nowhere struct{ t *testing.T }

func (n nowhere) Append(metric string, labels store.Labels, _ int64, v float64) error {
	n.t.Errorf("a sample of nothing: %s%s %v", metric, labels, v)
	return nil
}

func TestNobodyListens(t *testing.T) {
	src, err := config(func(c *redis.Config) { c.Password = hidden }).New(source.Deps{Name: "r", Logger: zap.NewNop(), Skip: func(int) {}, Reject: func(int, error) {}})
	if err != nil {
		t.Fatal(err)
	}
	if err := src.Run(t.Context(), nowhere{t}); err == nil || !strings.Contains(err.Error(), "connection refused") || strings.Contains(err.Error(), hidden) {
		t.Error(err)
	}
}

// What is read, and what becomes of it.
func Example() {
	cfg := redis.DefaultConfig()
	cfg.URL = "redis://:" + hidden + "@localhost:6379/0"
	cfg.Streams = []string{"temps"}                    // XADD temps * room lab temp 21.5 is redis_temp{room="lab", stream="temps"} 21.5
	cfg.Channels = []string{"sensors:{room}:{metric}"} // PUBLISH sensors:lab:humidity 40 is humidity{room="lab"} 40
	fmt.Println(len(cfg.Validate()), "problems;", cfg.URL)
	// Output:
	// 0 problems; redis://localhost:6379/0
}
